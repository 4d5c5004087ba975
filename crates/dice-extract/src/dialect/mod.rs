//! How format strings mark holes.

mod braces;
mod kernel;
mod nginx;
mod printf;

use dice_catalog::{Hole, HoleKind};

pub(crate) use braces::primitive_kind;

/// A mini-language of format strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Dialect {
    /// C's. `%m` is an error text here too: most C libraries print one, and no other prints `%m`.
    Printf,
    /// C's, where `%m` is sure to print the error text of `errno`.
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
///
/// No text is empty and no two are neighbours. A byte of text that is not UTF-8 is a `char` hole.
pub(crate) fn parse(dialect: Dialect, pieces: &[Piece]) -> Vec<Token> {
    let mut tokens = Tokens::default();
    let mut pieces = pieces.iter().peekable();
    let mut joined = Vec::new();
    while let Some(piece) = pieces.next() {
        match piece {
            Piece::Hole(hole) => tokens.hole(*hole),
            Piece::Text(text) => {
                // A conversion may be spread over literals: `"%" "lu"`.
                joined.clear();
                joined.extend_from_slice(text);
                while let Some(Piece::Text(text)) = pieces.peek() {
                    joined.extend_from_slice(text);
                    pieces.next();
                }
                let next = match pieces.peek() {
                    Some(Piece::Hole(hole)) => Some(*hole),
                    _ => None,
                };
                match read(dialect, &joined, next, &mut tokens) {
                    End::Reached => {}
                    End::TookHole => {
                        pieces.next();
                    }
                    End::Nul => break,
                }
            }
        }
    }
    tokens.finish()
}

fn read(dialect: Dialect, text: &[u8], next: Option<Hole>, tokens: &mut Tokens) -> End {
    // In memory, C's formats end at a NUL byte.
    let c_string = memchr::memchr(0, text).map_or(text, |nul| &text[..nul]);
    let cut = c_string.len() < text.len();
    let next = if cut { None } else { next };
    let end = match dialect {
        Dialect::Printf | Dialect::PrintfErrno => printf::read(printf::Family::C, c_string, next, tokens),
        Dialect::Kernel => {
            printf::read(printf::Family::Kernel, kernel::without_level(c_string), next, tokens)
        }
        Dialect::Nginx => {
            nginx::read(c_string, tokens);
            End::Reached
        }
        Dialect::Braces => {
            braces::read(text, tokens);
            return End::Reached;
        }
        Dialect::Plain => {
            tokens.text(text);
            return End::Reached;
        }
    };
    if cut { End::Nul } else { end }
}

/// How the reading of a text ended.
enum End {
    /// All of it was read.
    Reached,
    /// It stopped inside a conversion, and the hole that follows it is the rest of that.
    TookHole,
    /// The format ends here, whatever follows.
    Nul,
}

/// The tokens of a format string read so far.
#[derive(Default)]
struct Tokens {
    done: Vec<Token>,
    text: Vec<u8>,
    /// How many arguments were taken in order.
    taken: usize,
}

impl Tokens {
    fn text(&mut self, text: &[u8]) {
        self.text.extend_from_slice(text);
    }

    /// A hole that no argument fills.
    fn hole(&mut self, hole: Hole) {
        self.push(hole, None, None);
    }

    fn push(&mut self, hole: Hole, argument: Option<usize>, name: Option<String>) {
        self.end_text();
        self.done.push(Token::Hole { hole, argument, name });
    }

    /// The number of the next argument, which is taken.
    fn take(&mut self) -> usize {
        self.taken += 1;
        self.taken - 1
    }

    fn end_text(&mut self) {
        for chunk in self.text.utf8_chunks() {
            if !chunk.valid().is_empty() {
                self.done.push(Token::Text(chunk.valid().to_owned()));
            }
            for _ in chunk.invalid() {
                let hole = Hole::of(HoleKind::Char);
                self.done.push(Token::Hole { hole, argument: None, name: None });
            }
        }
        self.text.clear();
    }

    fn finish(mut self) -> Vec<Token> {
        self.end_text();
        self.done
    }
}

#[cfg(test)]
mod tests;
