; A rule of a `macro_rules!`: what it takes, and what a use becomes. Its uses may be statements.
;
; Statements themselves are tokens, as arguments of Rust's macros are: the tree of a file is read only
; where the file defines macros.
(macro_definition
  name: (identifier) @name
  (macro_rule
    left: (_) @pattern
    right: (_) @body))
