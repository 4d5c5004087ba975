//! What a matcher says about a message.

use std::ops::Range;

use crate::EntryId;

/// How good the evidence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Strength {
    /// Nothing fits.
    #[default]
    None,
    /// Something fits, but anything might.
    Weak,
    /// Enough to tell somebody.
    Strong,
}

/// What a matcher says about a message. Not knowing is an answer, not an error.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verdict {
    /// How good the evidence is for `entries`.
    pub strength: Strength,
    /// The statements that the line cannot tell apart, best first; empty when nothing fits.
    pub entries: Vec<EntryId>,
    /// Where the values of the best statement's holes lie in the message, in the order of its holes.
    pub values: Vec<Range<usize>>,
    /// Other statements whose templates cover the message with less evidence, best first, at most ten.
    pub others: Vec<EntryId>,
    /// A limit was hit: there may be better statements.
    pub budget: bool,
}
