(call_expression) @statement
