//! A log that a fixture program really printed, and which statement printed each line.

use std::fmt;
use std::fs;

use crate::fixtures_dir;

/// A log and its truth, `fixtures/logs/<name>.log` and `<name>.truth.tsv`.
///
/// Both are written by `cargo xtask record`, from runs of the program at the last commit of the fixture
/// repository of the same name.
#[derive(Debug, Clone)]
pub struct Recording {
    /// The log, as printed.
    pub log: Vec<u8>,
    /// One for each line of the log, in order.
    pub truth: Vec<Truth>,
}

/// Which statement printed a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truth {
    /// The line's number, counted from 1.
    pub line: u64,
    /// The statement; `None` for a line that no statement of the repository printed.
    pub place: Option<Place>,
    /// What sort of line it is.
    pub kind: TruthKind,
    /// Other right answers: the call inside a wrapper.
    pub alternatives: Vec<Place>,
}

/// What sort of line it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TruthKind {
    /// Printed by the statement: `log`.
    Log,
    /// A further line of the same message: `cont`.
    Continuation,
    /// Printed by something else, the right answer is none: `ext`, `extcont`.
    Foreign,
    /// Not scored: `other`.
    Other,
}

/// A statement's file and line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Relative to the repository's root.
    pub file: String,
    /// Counted from 1.
    pub line: u64,
}

impl Place {
    /// Reads `file:line`.
    pub fn parse(text: &str) -> Option<Place> {
        let (file, line) = text.rsplit_once(':')?;
        Some(Place { file: file.to_owned(), line: line.parse().ok()? })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl Recording {
    /// Reads `fixtures/logs/<name>`.
    pub fn read(name: &str) -> Recording {
        let path = |end: &str| fixtures_dir().join("logs").join(format!("{name}.{end}"));
        let read = |path: std::path::PathBuf| {
            fs::read(&path).unwrap_or_else(|err| panic!("{}: {err}", path.display()))
        };
        let truth = String::from_utf8(read(path("truth.tsv"))).expect("a truth file is UTF-8");
        Recording { log: read(path("log")), truth: Truth::parse_all(&truth) }
    }
}

impl Truth {
    /// Reads the text of a truth file: a heading, then `line_no, source_file, source_line, kind, alt`,
    /// divided by tabs.
    pub fn parse_all(text: &str) -> Vec<Truth> {
        text.lines()
            .skip(1)
            .map(|row| Truth::parse(row).unwrap_or_else(|| panic!("not a row of a truth file: {row:?}")))
            .collect()
    }

    fn parse(row: &str) -> Option<Truth> {
        let mut columns = row.split('\t');
        let line = columns.next()?.parse().ok()?;
        let (file, source_line) = (columns.next()?, columns.next()?);
        let kind = match columns.next()? {
            "log" => TruthKind::Log,
            "cont" => TruthKind::Continuation,
            "ext" | "extcont" => TruthKind::Foreign,
            "other" => TruthKind::Other,
            _ => return None,
        };
        let place = match file {
            "" => None,
            file => Some(Place { file: file.to_owned(), line: source_line.parse().ok()? }),
        };
        let alternatives = columns.next().unwrap_or("").split(',').filter_map(Place::parse).collect();
        Some(Truth { line, place, kind, alternatives })
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, Recording, Truth, TruthKind};

    #[test]
    fn a_row_names_the_statement_and_other_right_answers() {
        let truth = Truth::parse_all("line_no\t…\n3\tauth2.c\t240\tlog\tmonitor.c:529\n4\t\t\text\t\n");
        let place = |text| Place::parse(text).unwrap();
        assert_eq!(truth[0].place, Some(place("auth2.c:240")));
        assert_eq!(truth[0].alternatives, [place("monitor.c:529")]);
        assert_eq!((truth[1].line, truth[1].kind, &truth[1].place), (4, TruthKind::Foreign, &None));
    }

    #[test]
    fn every_recording_has_a_truth_for_every_line() {
        for name in ["founding", "petrel", "siskin"] {
            let recording = Recording::read(name);
            let lines = recording.log.split_inclusive(|&byte| byte == b'\n').count();
            assert_eq!(recording.truth.len(), lines, "{name}");
            assert!((1..).zip(&recording.truth).all(|(n, truth)| truth.line == n), "{name}");
        }
    }
}
