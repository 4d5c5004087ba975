//! Lines of the working tree that are not committed yet.

use std::borrow::Cow;

use dice_catalog::LineNo;

use super::diff;
use super::text::Text;

/// For each line of a file in the working tree the line of the commit's file that it is, or `None` for one
/// that was not committed so.
///
/// Carriage returns before line feeds do not count where the commit's file has none: the checkout put them
/// there.
pub(crate) fn uncommitted(worktree: &[u8], committed: &[u8]) -> Vec<Option<LineNo>> {
    let clean = cleaned(worktree, committed);
    let Some(new) = Text::new(&*clean) else { return Vec::new() };
    let mut lines: Vec<Option<LineNo>> = Vec::with_capacity(new.lines());
    let hunks = Text::new(committed).and_then(|old| diff::hunks(&old, &new));
    let Some(hunks) = hunks else { return vec![None; new.lines()] };
    let mut old_row = 0;
    for hunk in hunks {
        while lines.len() < hunk.new.start {
            lines.push(Some(LineNo::from_row(old_row)));
            old_row += 1;
        }
        lines.resize(hunk.new.end, None);
        old_row = hunk.old.end;
    }
    while lines.len() < new.lines() {
        lines.push(Some(LineNo::from_row(old_row)));
        old_row += 1;
    }
    lines
}

fn cleaned<'w>(worktree: &'w [u8], committed: &[u8]) -> Cow<'w, [u8]> {
    if memchr::memmem::find(committed, b"\r\n").is_some() || memchr::memmem::find(worktree, b"\r\n").is_none()
    {
        return Cow::Borrowed(worktree);
    }
    let mut clean = Vec::with_capacity(worktree.len());
    for line in worktree.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(text) => {
                clean.extend_from_slice(text);
                clean.push(b'\n');
            }
            None => clean.extend_from_slice(line),
        }
    }
    Cow::Owned(clean)
}

#[cfg(test)]
mod tests {
    use dice_catalog::LineNo;

    #[track_caller]
    fn check(worktree: &str, committed: &str, expected: &[u32]) {
        let lines = super::uncommitted(worktree.as_bytes(), committed.as_bytes());
        let lines: Vec<u32> = lines.into_iter().map(|line| line.map_or(0, LineNo::get)).collect();
        assert_eq!(lines, expected, "{worktree:?} against {committed:?}");
    }

    #[test]
    fn new_lines_have_no_number() {
        check("a\nb\nc\n", "a\nb\nc\n", &[1, 2, 3]);
        check("a\nx\nc\n", "a\nb\nc\n", &[1, 0, 3]);
        check("x\na\nb\n", "a\nb\n", &[0, 1, 2]);
        check("a\nc\ny\n", "a\nb\nc\n", &[1, 3, 0]);
        check("a\n", "", &[0]);
        check("", "a\n", &[]);
        check("", "", &[]);
        check("a\nb", "a\nb\n", &[1, 0]);
    }

    #[test]
    fn carriage_returns_of_a_checkout_do_not_count() {
        check("a\r\nx\r\nb\r\n", "a\nb\n", &[1, 0, 2]);
        check("a\r\nx\r\nb\n", "a\r\nb\r\n", &[1, 0, 0]);
    }
}
