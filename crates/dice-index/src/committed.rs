//! Which line of the commit a line of the working tree is.

use std::borrow::Cow;

use dice_catalog::LineNo;
use git2::{DiffOptions, Patch};

/// How a file of the working tree differs from the commit's.
#[derive(Debug)]
pub(crate) enum Committed {
    /// Not at all.
    Same,
    /// The commit does not have it.
    New,
    /// In these places.
    Changed(Vec<Hunk>),
}

/// A change: lines that are gone and lines that are new, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hunk {
    old_start: usize,
    old_lines: usize,
    new_start: usize,
    new_lines: usize,
}

impl Committed {
    /// Compares the commit's text of a file with the working tree's.
    pub(crate) fn compare(old: &[u8], new: &[u8]) -> Committed {
        // Git may have converted line ends on the way to the working tree.
        let new = if is_crlf(new) && !is_crlf(old) { without_cr(new) } else { Cow::Borrowed(new) };
        if old == new.as_ref() {
            return Committed::Same;
        }
        let mut options = DiffOptions::new();
        options.context_lines(0).interhunk_lines(0).indent_heuristic(true).force_text(true);
        let hunks = Patch::from_buffers(old, None, &new, None, Some(&mut options)).and_then(|patch| {
            (0..patch.num_hunks()).map(|number| patch.hunk(number).map(|(hunk, _)| Hunk::of(&hunk))).collect()
        });
        // Without an answer no line is known, which never names the wrong author.
        hunks.map_or(Committed::New, Committed::Changed)
    }

    /// The commit's line that `line` of the working tree is; `None` when it is not committed.
    pub(crate) fn line(&self, line: LineNo) -> Option<LineNo> {
        match self {
            Committed::Same => Some(line),
            Committed::New => None,
            Committed::Changed(hunks) => {
                let row = line.row();
                let after = hunks.partition_point(|hunk| hunk.new_start <= row);
                let Some(before) = after.checked_sub(1).map(|last| hunks[last]) else { return Some(line) };
                let beyond = row.checked_sub(before.new_start + before.new_lines)?;
                Some(LineNo::from_row(before.old_start + before.old_lines + beyond))
            }
        }
    }
}

impl Hunk {
    fn of(hunk: &git2::DiffHunk<'_>) -> Hunk {
        // A side without lines is given by the line before it.
        let start =
            |start: u32, lines: u32| if lines == 0 { start } else { start.saturating_sub(1) } as usize;
        Hunk {
            old_start: start(hunk.old_start(), hunk.old_lines()),
            old_lines: hunk.old_lines() as usize,
            new_start: start(hunk.new_start(), hunk.new_lines()),
            new_lines: hunk.new_lines() as usize,
        }
    }
}

fn is_crlf(text: &[u8]) -> bool {
    memchr::memmem::find(text, b"\r\n").is_some()
}

fn without_cr(text: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(line) => {
                out.extend_from_slice(line);
                out.push(b'\n');
            }
            None => out.extend_from_slice(line),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use dice_catalog::LineNo;

    use super::Committed;

    /// `want` has a word for each line of `new`: the line of `old`, or `-`.
    #[track_caller]
    fn check(old: &str, new: &str, want: &str) {
        let committed = Committed::compare(old.as_bytes(), new.as_bytes());
        let lines = (0..new.lines().count()).map(|row| match committed.line(LineNo::from_row(row)) {
            Some(line) => line.to_string(),
            None => "-".to_owned(),
        });
        assert_eq!(lines.collect::<Vec<_>>().join(" "), want);
    }

    #[test]
    fn lines_that_moved_are_found_and_new_ones_are_not() {
        check("a\nb\nc\n", "a\nb\nc\n", "1 2 3");
        check("a\nb\nc\n", "x\na\nb\nc\n", "- 1 2 3");
        check("a\nb\nc\n", "a\nc\n", "1 3");
        check("a\nb\nc\n", "b\nc\n", "2 3");
        check("a\nb\nc\nd\n", "a\nB\nc\nnew\nd\n", "1 - 3 - 4");
        check("a\nb\nc", "a\nb\nc\nd\n", "1 2 - -");
        check("", "a\n", "-");
    }

    #[test]
    fn converted_line_ends_are_no_change() {
        check("a\nb\n", "a\r\nb\r\n", "1 2");
        check("a\nb\n", "a\r\nx\r\nb\r\n", "1 - 2");
        check("a\r\nb\r\n", "a\r\nx\r\nb\r\n", "1 - 2");
    }
}
