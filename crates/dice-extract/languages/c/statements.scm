; A call with a plain name. loggers.toml and the repository's own definitions say which names count.
(call_expression
  function: (identifier) @callee) @statement

; A function with its name, behind the stars of what it returns.
(function_definition
  declarator: [
    (function_declarator declarator: (identifier) @name)
    (pointer_declarator
      declarator: (function_declarator declarator: (identifier) @name))
    (pointer_declarator
      declarator: (pointer_declarator
        declarator: (function_declarator declarator: (identifier) @name)))
  ]) @function
