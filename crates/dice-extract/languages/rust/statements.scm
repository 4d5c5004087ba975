(macro_invocation) @statement
