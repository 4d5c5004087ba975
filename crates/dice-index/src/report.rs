//! What indexing met on the way.

use std::collections::BTreeMap;

use dice_catalog::LineNo;

/// What indexing met on the way.
///
/// With several repositories, files and submodules have their repository's name and a colon in front.
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
    /// `vendored`, `generated`, `ignore_paths`, `binary`, `too large`, `symbolic link`, `copy` (of many files
    /// with the same content).
    pub why: &'static str,
    /// How many.
    pub files: usize,
}

impl Report {
    /// Adds what another repository's report says, its files called by `label`.
    pub(crate) fn add(&mut self, other: Report, label: Option<&str>) {
        let named = |file: String| match label {
            Some(label) => format!("{label}:{file}"),
            None => file,
        };
        self.files += other.files;
        self.bytes += other.bytes;
        let mut left_out: BTreeMap<&str, usize> = BTreeMap::new();
        for LeftOut { why, files } in self.left_out.drain(..).chain(other.left_out) {
            *left_out.entry(why).or_default() += files;
        }
        self.left_out = left_out.into_iter().map(|(why, files)| LeftOut { why, files }).collect();
        let problems = other.problems.into_iter().map(|(file, line, text)| (named(file), line, text));
        self.problems.extend(problems);
        self.problems.sort();
        self.submodules.extend(other.submodules.into_iter().map(named));
        self.warnings.extend(other.warnings.into_iter().map(|warning| match label {
            Some(label) => format!("{label}: {warning}"),
            None => warning,
        }));
    }
}
