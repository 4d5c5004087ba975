//! Who answers for a statement: annotation, author, path rules, CODEOWNERS, fallback.
