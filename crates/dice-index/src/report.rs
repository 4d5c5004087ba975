//! What indexing met on the way.

use dice_catalog::LineNo;

/// What indexing met on the way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Files that were parsed.
    pub files: usize,
    /// Bytes that were parsed.
    pub bytes: u64,
    /// Files that were left out, how many and why, in alphabetical order of the reason.
    pub left_out: Vec<LeftOut>,
    /// What could not be read: file, line, what is wrong; sorted.
    pub problems: Vec<(String, Option<LineNo>, String)>,
    /// Submodules that were not entered.
    pub submodules: Vec<String>,
    /// What the user should know: a shallow history, a bad ignore-revs line, an owner nobody knows.
    pub warnings: Vec<String>,
}

/// Files of a known language that were left out for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// `vendored`, `generated`, `ignore_paths`, `binary`, `too large`, `symbolic link`.
    pub why: &'static str,
    /// How many.
    pub files: usize,
}
