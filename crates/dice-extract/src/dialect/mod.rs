//! How format strings mark holes.

use dice_catalog::Hole;

/// A mini-language of format strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Dialect {
    /// C's, without `%m`.
    Printf,
    /// C's, where `%m` prints the error text of `errno`.
    PrintfErrno,
    /// The Linux kernel's: `%pS`, `%pI4`, …
    Kernel,
    /// nginx's: `%V`, `%ui`, …
    Nginx,
    /// Rust's: `{}`, `{name:?}`, `{{`.
    Braces,
    /// None: the text is printed as it is.
    Plain,
}

impl Dialect {
    /// The dialect that a table calls `name`.
    pub(crate) fn named(name: &str) -> Option<Dialect> {
        Some(match name {
            "printf" => Dialect::Printf,
            "printf+m" => Dialect::PrintfErrno,
            "kernel" => Dialect::Kernel,
            "nginx" => Dialect::Nginx,
            "rust" => Dialect::Braces,
            "none" => Dialect::Plain,
            _ => return None,
        })
    }

    /// What tables call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Dialect::Printf => "printf",
            Dialect::PrintfErrno => "printf+m",
            Dialect::Kernel => "kernel",
            Dialect::Nginx => "nginx",
            Dialect::Braces => "rust",
            Dialect::Plain => "none",
        }
    }
}

/// A piece of a format string whose literals are joined and decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Decoded bytes.
    Text(Vec<u8>),
    /// Something that is not a literal: a macro whose value is not known.
    Hole(Hole),
}

/// A piece of what is printed, with the argument that fills it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// Fixed text.
    Text(String),
    /// A value.
    Hole {
        /// Its shape.
        hole: Hole,
        /// Which argument after the format fills it, from 0; `None` when none does (`%m`) or it is named.
        argument: Option<usize>,
        /// The name it is given in the format: `{name}`.
        name: Option<String>,
    },
}

/// Splits a format string into what is printed.
pub(crate) fn parse(dialect: Dialect, pieces: &[Piece]) -> Vec<Token> {
    let _ = (dialect, pieces);
    Vec::new()
}
