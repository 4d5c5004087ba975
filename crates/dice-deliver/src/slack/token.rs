//! What proves to Slack who Dice is.

use std::fmt;

/// A token or a signing secret. It never prints itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The token as Slack shows it; blanks around it do not count.
    pub fn new(text: &str) -> Token {
        Token(text.trim().to_owned())
    }

    /// The token itself, for the one place that sends it or computes with it.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }

    /// What sort of token it says it is, which is no secret: `xoxb`, `xapp`; empty where it says nothing.
    pub fn kind(&self) -> &str {
        match self.0.split_once('-') {
            Some((kind, _)) if kind.len() <= 8 && kind.chars().all(|c| c.is_ascii_alphanumeric()) => kind,
            _ => "",
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}
