//! The bounds on time and memory.

/// The bounds on time and memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a line that are looked at; longer lines are cut.
    pub line_bytes: usize,
    /// Templates that are verified for one line at most.
    pub candidates: usize,
    /// Bytes that the compiled catalog may need.
    pub index_bytes: usize,
    /// Bytes that automata built on first use may need.
    pub cache_bytes: usize,
    /// Lines of one message; further ones are counted, not joined.
    pub continuation_lines: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            line_bytes: 1 << 20,
            candidates: 256,
            index_bytes: 512 << 20,
            cache_bytes: 128 << 20,
            continuation_lines: 500,
        }
    }
}
