//! What differs between two texts, exactly as `git blame` sees it.
//!
//! The engine is git's own xdiff, as libgit2 carries it. Other engines are as right, but among equal lines
//! they choose others, and then another commit is named.

use git2::{DiffOptions, Patch};

use super::shorthand::shorthand;
use super::text::{Hunk, Text, common_prefix, common_suffix};

/// The hunks between two texts, in order; none when they are the same.
///
/// `None` when the engine refuses.
pub(super) fn hunks<A: AsRef<[u8]>, B: AsRef<[u8]>>(old: &Text<A>, new: &Text<B>) -> Option<Vec<Hunk>> {
    let area = Area::between(old, new);
    let (old_lines, new_lines) = (area.old_seen, area.new_seen);
    let (prefix, suffix) = (area.hunk.old.start, old_lines - area.hunk.old.end);
    match shorthand((old, old_lines), (new, new_lines), prefix, suffix) {
        Some((old, new)) => engine(&old, &new),
        None => engine(&old.bytes()[..old.start(old_lines)], &new.bytes()[..new.start(new_lines)]),
    }
}

/// The hunks between two texts as xdiff finds them.
fn engine(old: &[u8], new: &[u8]) -> Option<Vec<Hunk>> {
    let mut options = DiffOptions::new();
    options.context_lines(0).interhunk_lines(0).indent_heuristic(true).force_text(true);
    let patch = Patch::from_buffers(old, None, new, None, Some(&mut options)).ok()?;
    let range = |start: u32, lines: u32| {
        // Without a line, git names the line before.
        let start = if lines == 0 { start } else { start.saturating_sub(1) } as usize;
        start..start + lines as usize
    };
    (0..patch.num_hunks())
        .map(|at| {
            let (hunk, _) = patch.hunk(at).ok()?;
            Some(Hunk {
                old: range(hunk.old_start(), hunk.old_lines()),
                new: range(hunk.new_start(), hunk.new_lines()),
            })
        })
        .collect()
}

/// Bytes at the end that `git blame` does not show to its diff: common blocks of a kilobyte, less the rest
/// of the line in which the first of them starts. It is more than speed: among equal lines it decides which
/// of them are new.
fn common_tail(old: &[u8], new: &[u8]) -> usize {
    const BLOCK: usize = 1024;
    let blocks = common_suffix(old, new) / BLOCK * BLOCK;
    let tail = &new[new.len() - blocks..];
    memchr::memchr(b'\n', tail).map_or(0, |at| blocks - (at + 1))
}

/// The hunks between two texts, or one hunk that stands for them as far as `rows` of `new` are concerned.
///
/// Each row is in a hunk exactly when [`hunks`] has it in one, and those that are in none have the same
/// place in the old text. `rows` are sorted.
///
/// When only one place changed, the rows outside of it cannot be meant, with one exception: a diff may slide.
/// Lines `a b` put before another `a b` may be told as put after it. A slide passes a line only when a line
/// with the same text is as far away as the hunk is long; a line without such a twin stops every slide.
pub(super) fn hunks_for<A: AsRef<[u8]>, B: AsRef<[u8]>>(
    old: &Text<A>,
    new: &Text<B>,
    rows: &[usize],
) -> Option<Vec<Hunk>> {
    match changed_area(old, new, rows) {
        Some(area) => Some(vec![area]),
        None => hunks(old, new),
    }
}

/// Rows of a changed area that are looked for in the old text one by one, at most.
const LOOKUPS_LIMIT: usize = 16;
/// Rows that are tried as the one that stops a slide, at most.
const STOPS_LIMIT: usize = 64;
/// Lines of a hunk whose slides are ruled out, at most.
const SLIDE_LIMIT: usize = 2_000;

/// What two texts have in common at their ends.
struct Area {
    /// What is between, as whole lines.
    hunk: Hunk,
    /// Lines of the old text that the engine gets to see.
    old_seen: usize,
    /// Lines of the new text that the engine gets to see.
    new_seen: usize,
}

impl Area {
    fn between<A: AsRef<[u8]>, B: AsRef<[u8]>>(old: &Text<A>, new: &Text<B>) -> Area {
        let tail = common_tail(old.bytes(), new.bytes());
        let old_bytes = &old.bytes()[..old.bytes().len() - tail];
        let new_bytes = &new.bytes()[..new.bytes().len() - tail];
        // The tail starts with a line.
        let (old_seen, new_seen) = (old.lines_before(old_bytes.len()), new.lines_before(new_bytes.len()));

        let mut prefix = old.lines_before(common_prefix(old_bytes, new_bytes));
        if prefix == old_seen && old_bytes.last() != Some(&b'\n') {
            prefix = prefix.saturating_sub(1);
        }
        let from = old.start(prefix);
        let suffix_bytes = common_suffix(&old_bytes[from..], &new_bytes[from..]);
        let (old_at, new_at) = (old_bytes.len() - suffix_bytes, new_bytes.len() - suffix_bytes);
        let starts_line = |bytes: &[u8], at: usize| at == 0 || bytes[at - 1] == b'\n';
        let suffix_at = if starts_line(old_bytes, old_at) && starts_line(new_bytes, new_at) {
            old_at
        } else {
            memchr::memchr(b'\n', &old_bytes[old_at..]).map_or(old_bytes.len(), |at| old_at + at + 1)
        };
        let suffix = old_seen - old.lines_before(suffix_at).min(old_seen);
        Area {
            hunk: Hunk { old: prefix..old_seen - suffix, new: prefix..new_seen - suffix },
            old_seen,
            new_seen,
        }
    }
}

/// The area outside of which the texts are the same, if that settles all of `rows`.
fn changed_area<A: AsRef<[u8]>, B: AsRef<[u8]>>(
    old: &Text<A>,
    new: &Text<B>,
    rows: &[usize],
) -> Option<Hunk> {
    let Area { hunk: area, old_seen, new_seen } = Area::between(old, new);
    let first_inside = rows.partition_point(|row| *row < area.new.start);
    let first_after = rows.partition_point(|row| *row < area.new.end);
    let first_in_tail = rows.partition_point(|row| *row < new_seen);
    let (before, inside) = (&rows[..first_inside], &rows[first_inside..first_after]);
    let after = &rows[first_after..first_in_tail];

    if inside.len() > LOOKUPS_LIMIT || area.old.len() > SLIDE_LIMIT || area.new.len() > SLIDE_LIMIT {
        return None;
    }
    if let Some(row) = before.last()
        && !(stops_before(old, *row, area.old.start, area.old.len(), old_seen)
            && stops_before(new, *row, area.new.start, area.new.len(), new_seen))
    {
        return None;
    }
    if let Some(row) = after.first() {
        let from_end = new_seen - row;
        if !(stops_after(old, area.old.end, old_seen - from_end, area.old.len())
            && stops_after(new, area.new.end, *row, area.new.len()))
        {
            return None;
        }
    }
    // A line whose text the old version has nowhere is new, whatever the diff makes of the others.
    let seen = &old.bytes()[..old.start(old_seen)];
    let is_new = |row: &usize| memchr::memmem::find(seen, new.line(*row)).is_none();
    inside.iter().all(is_new).then_some(area)
}

/// Whether some line between `row` and `end` has no twin in the `lines` lines that follow it: then no hunk
/// of that many lines, come from below, slides up to `row`.
fn stops_before<B: AsRef<[u8]>>(text: &Text<B>, row: usize, end: usize, lines: usize, seen: usize) -> bool {
    let twin = |at: usize| {
        (at + 1..=at + lines).take_while(|other| *other < seen).any(|o| text.line(o) == text.line(at))
    };
    lines == 0 || (row..end).rev().take(STOPS_LIMIT).any(|at| !twin(at))
}

/// Whether some line from `start` to `row` has no twin in the `lines` lines before it: then no hunk of that
/// many lines, come from above, slides down to `row`.
fn stops_after<B: AsRef<[u8]>>(text: &Text<B>, start: usize, row: usize, lines: usize) -> bool {
    let twin = |at: usize| (at.saturating_sub(lines)..at).any(|other| text.line(other) == text.line(at));
    lines == 0 || (start..=row).take(STOPS_LIMIT).any(|at| !twin(at))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Hunk, hunks, hunks_for};
    use crate::authors::text::Text;

    /// The hunks without shorthand.
    fn in_full(old: &Text<&str>, new: &Text<&str>) -> Option<Vec<Hunk>> {
        let tail = super::common_tail(old.bytes(), new.bytes());
        super::engine(&old.bytes()[..old.bytes().len() - tail], &new.bytes()[..new.bytes().len() - tail])
    }

    /// Where a row of the new text was in the old one.
    fn source(hunks: &[Hunk], row: usize) -> Option<usize> {
        let before = hunks.iter().take_while(|hunk| hunk.new.end <= row);
        let (new, old) = before.fold((0, 0), |(new, old), h| (new + h.new.len(), old + h.old.len()));
        let inside = hunks.iter().any(|hunk| hunk.new.contains(&row));
        (!inside).then(|| row + old - new)
    }

    /// The whole diff is the same in shorthand; every row alone, and all rows of a few ranges, must fare as in the whole diff.
    #[track_caller]
    fn check(old: &str, new: &str) {
        let (old, new) = (Text::new(old).unwrap(), Text::new(new).unwrap());
        let whole = hunks(&old, &new).unwrap();
        assert_eq!(Some(&whole), in_full(&old, &new).as_ref(), "{:?} from {:?}", new.bytes(), old.bytes());
        let rows: Vec<usize> = (0..new.lines()).collect();
        let middle = rows.len() / 2;
        let ranges = [&rows[..middle], &rows[middle..], &rows[middle / 2..]];
        for rows in rows.chunks(1).chain(ranges) {
            let short = hunks_for(&old, &new, rows).unwrap();
            for row in rows {
                let (expected, found) = (source(&whole, *row), source(&short, *row));
                assert_eq!(found, expected, "row {row} of {:?} from {:?}", new.bytes(), old.bytes());
            }
        }
    }

    /// Few different lines, so that diffs slide; now and then a last line without its line feed.
    fn text(lines: std::ops::Range<usize>) -> impl Strategy<Value = String> {
        let line = prop_oneof!["[ab]\n", "[\t ]{0,2}[{}]\n", Just("\n".to_owned()), "[a-f]{3}\n"];
        let end = prop_oneof![4 => Just(""), 1 => Just("a"), 1 => Just("}")];
        (prop::collection::vec(line, lines), end).prop_map(|(lines, end)| lines.concat() + end)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_skipped_would_have_made_no_difference(
            start in text(0..12), old in text(0..4), new in text(0..4), end in text(0..12), many in 0_usize..3,
        ) {
            // More than a kilobyte of the same lines at the end is not shown to the diff.
            let end = if many == 2 { end.repeat(1 + 1100 / (end.len() + 1)) } else { end };
            check(&format!("{start}{old}{end}"), &format!("{start}{new}{end}"));
        }
    }

    #[test]
    fn edges() {
        check("", "");
        check("", "a\n");
        check("a\n", "");
        check("a", "a\n");
        check("a\nb", "a\nb\nc");
        check("a\nb\na\nb\n", "a\nb\na\nb\na\nb\n");
    }
}
