//! The languages Dice reads: a folder each.

/// A language: its folder's name, the files that are written in it and what the folder holds.
#[derive(Debug)]
pub struct Language {
    /// The folder's name: `c`, `rust`.
    pub name: &'static str,
    /// Which reader understands it.
    pub(crate) reader: Reader,
    /// `statements.scm`: which nodes are calls, arguments, comments.
    pub(crate) query: &'static str,
    /// `loggers.toml`: which callees log.
    pub(crate) loggers: &'static str,
    pub(crate) grammar: fn() -> tree_sitter::Language,
}

/// How a language's loggers are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// A preprocessor stands before the grammar: a lexer for macros, the tree for structure.
    Preprocessor,
    /// Calls are macros whose arguments are tokens.
    TokenTrees,
}

macro_rules! languages {
    ($($folder:literal => $grammar:path, $reader:expr;)*) => {
        /// Every language, in alphabetical order.
        pub static LANGUAGES: &[Language] = &[$(Language {
            name: $folder,
            reader: $reader,
            query: include_str!(concat!("../languages/", $folder, "/statements.scm")),
            loggers: include_str!(concat!("../languages/", $folder, "/loggers.toml")),
            grammar: || $grammar.into(),
        }),*];
    };
}

// One line per folder of `languages/`, in alphabetical order.
languages! {
    "c" => tree_sitter_c::LANGUAGE, Reader::Preprocessor;
    "rust" => tree_sitter_rust::LANGUAGE, Reader::TokenTrees;
}

impl Language {
    /// The language of files whose name ends in `.extension`.
    pub fn of_extension(extension: &str) -> Option<&'static Language> {
        LANGUAGES.iter().find(|language| language.table().extensions.iter().any(|known| known == extension))
    }
}
