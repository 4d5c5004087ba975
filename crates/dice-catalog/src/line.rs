//! Line numbers.

use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

/// A line number as git and editors print it: the first line is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LineNo(NonZeroU32);

impl LineNo {
    /// The first line of a file.
    pub const FIRST: LineNo = LineNo(NonZeroU32::MIN);

    /// Converts a 0-based row, as tree-sitter counts. Rows past `u32::MAX` stay at the last one.
    pub fn from_row(row: usize) -> LineNo {
        let row = u32::try_from(row).unwrap_or(u32::MAX - 1).min(u32::MAX - 1);
        LineNo(NonZeroU32::MIN.saturating_add(row))
    }

    /// The 1-based number.
    pub fn get(self) -> u32 {
        self.0.get()
    }

    /// The 0-based row.
    pub fn row(self) -> usize {
        self.0.get() as usize - 1
    }
}

impl fmt::Display for LineNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::LineNo;

    #[test]
    fn rows_count_from_zero_and_lines_from_one() {
        assert_eq!(LineNo::from_row(0), LineNo::FIRST);
        assert_eq!(LineNo::from_row(41).get(), 42);
        assert_eq!(LineNo::from_row(41).row(), 41);
        assert_eq!(LineNo::from_row(usize::MAX).get(), u32::MAX);
    }
}
