//! A text and its lines.

use std::ops::Range;

/// A text whose lines can be told by number, counted from 0.
///
/// A line includes its line feed; the last one may lack it.
#[derive(Debug)]
pub(super) struct Text<B> {
    bytes: B,
    /// Where each line ends.
    ends: Vec<u32>,
}

impl<B: AsRef<[u8]>> Text<B> {
    /// Finds the lines; `None` for more than a source file has, 64 MiB.
    pub(super) fn new(bytes: B) -> Option<Text<B>> {
        const LIMIT_BYTES: usize = 64 << 20;
        let all = bytes.as_ref();
        if all.len() > LIMIT_BYTES {
            return None;
        }
        let end = |at: usize| u32::try_from(at).expect("64 MiB fit");
        let mut ends: Vec<u32> = memchr::memchr_iter(b'\n', all).map(|at| end(at + 1)).collect();
        if !all.is_empty() && all.last() != Some(&b'\n') {
            ends.push(end(all.len()));
        }
        Some(Text { bytes, ends })
    }

    /// The whole text.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    /// How many lines there are.
    pub(super) fn lines(&self) -> usize {
        self.ends.len()
    }

    /// Where line `row` starts; past the last one, where the text ends.
    pub(super) fn start(&self, row: usize) -> usize {
        if row == 0 { 0 } else { self.ends.get(row - 1).map_or(self.bytes().len(), |end| *end as usize) }
    }

    /// A line, with its line feed; empty past the last one.
    pub(super) fn line(&self, row: usize) -> &[u8] {
        &self.bytes()[self.start(row)..self.start(row + 1)]
    }

    /// How many lines end at byte `at` or before.
    pub(super) fn lines_before(&self, at: usize) -> usize {
        self.ends.partition_point(|end| *end as usize <= at)
    }
}

/// Where two texts differ: what is before and after is the same, line for line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hunk {
    /// Rows of the old text.
    pub(super) old: Range<usize>,
    /// Rows of the new text.
    pub(super) new: Range<usize>,
}

/// How many bytes two texts have in common at their starts.
pub(super) fn common_prefix(one: &[u8], two: &[u8]) -> usize {
    const STEP: usize = 64;
    let mut at = 0;
    for (one, two) in one.chunks_exact(STEP).zip(two.chunks_exact(STEP)) {
        if one != two {
            break;
        }
        at += STEP;
    }
    at + one[at..].iter().zip(&two[at..]).take_while(|(one, two)| one == two).count()
}

/// How many bytes two texts have in common at their ends.
pub(super) fn common_suffix(one: &[u8], two: &[u8]) -> usize {
    const STEP: usize = 64;
    let mut at = 0;
    for (one, two) in one.rchunks_exact(STEP).zip(two.rchunks_exact(STEP)) {
        if one != two {
            break;
        }
        at += STEP;
    }
    let (one, two) = (&one[..one.len() - at], &two[..two.len() - at]);
    at + one.iter().rev().zip(two.iter().rev()).take_while(|(one, two)| one == two).count()
}
