//! Finding log statements in Rust.
//!
//! A Rust statement is a macro call, and the arguments of a macro are tokens: whatever stands around it,
//! `tokio::select!`, `cfg_if!` or a file that does not parse, the tokens are the same. So statements are
//! read from the tokens of a file; the tree of a file is asked for the `macro_rules!` in it.

mod arguments;
mod dictionary;
mod expansion;
mod facts;
mod reader;
mod text;
mod tokens;

pub(crate) use dictionary::Dictionary;
pub(crate) use facts::Facts;

#[cfg(test)]
mod tests;
