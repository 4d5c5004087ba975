//! Which old line a changed line was, as `git blame` guesses when it looks through an ignored commit.
//!
//! Two lines are as alike as they have pairs of neighbouring characters in common. Within a hunk the surest
//! match is made first; it uses up the pairs that it explains and splits the hunk in two, so that lines keep
//! their order. A line that finds nothing there is looked for in the whole old text.

use std::ops::Range;

use rustc_hash::FxHashMap;

use super::text::{Hunk, Text};

/// How far from its expected place a line is looked for within a hunk.
const DISTANCE: usize = 10;
/// How many pairs a line found elsewhere in the text must share.
const ELSEWHERE_ENOUGH: u32 = 10;
/// Lines of a hunk that are compared with each other; in a longer one lines are only looked for one by one.
const HUNK_LIMIT: usize = 1 << 16;

/// For each of `rows` of `new`, which are sorted and lie in hunks, the row of `old` that it was.
pub(super) fn sources<A: AsRef<[u8]>, B: AsRef<[u8]>>(
    old: &Text<A>,
    new: &Text<B>,
    hunks: &[Hunk],
    rows: &[usize],
) -> Vec<Option<usize>> {
    let mut old_pairs: Vec<Pairs> = (0..old.lines()).map(|row| Pairs::of(old.line(row))).collect();
    let mut rows = rows.iter().copied().peekable();
    let mut sources = Vec::new();
    for hunk in hunks {
        if rows.peek().is_none() {
            break;
        }
        let new_pairs: Vec<Pairs> = hunk.new.clone().map(|row| Pairs::of(new.line(row))).collect();
        let matched = Matching::run(hunk, &mut old_pairs, &new_pairs);
        while let Some(row) = rows.next_if(|row| *row < hunk.new.end) {
            let Some(at) = row.checked_sub(hunk.new.start) else {
                sources.push(None);
                continue;
            };
            let matched = matched.get(at).copied().flatten();
            sources.push(matched.or_else(|| elsewhere(&old_pairs, &new_pairs[at], row)));
        }
    }
    sources.extend(rows.map(|_| None));
    sources
}

/// The most similar line of the whole old text; of equal ones the closest, of those the last.
fn elsewhere(old: &[Pairs], line: &Pairs, row: usize) -> Option<usize> {
    let mut best: Option<(u32, usize)> = None;
    for (at, pairs) in old.iter().enumerate() {
        let shared = pairs.shared(line);
        let better = match best {
            None => shared >= ELSEWHERE_ENOUGH,
            Some((most, closest)) => {
                shared > most || (shared == most && at.abs_diff(row) <= closest.abs_diff(row))
            }
        };
        if better {
            best = Some((shared, at));
        }
    }
    best.map(|(_, at)| at)
}

/// How often each pair of neighbouring characters occurs in a line, sorted by pair. White space is all the
/// same and letters have no case; pairs of white space do not count.
#[derive(Debug, Clone, Default)]
struct Pairs(Vec<(u16, u32)>);

impl Pairs {
    fn of(line: &[u8]) -> Pairs {
        let plain = |byte: u8| {
            if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') { 0 } else { byte.to_ascii_lowercase() }
        };
        let mut counts: FxHashMap<u16, u32> = FxHashMap::default();
        let mut before = 0;
        for byte in line.iter().map(|byte| plain(*byte)).chain([0]) {
            let pair = u16::from_le_bytes([before, byte]);
            if pair != 0 {
                *counts.entry(pair).or_default() += 1;
            }
            before = byte;
        }
        let mut pairs: Vec<_> = counts.into_iter().collect();
        pairs.sort_unstable();
        Pairs(pairs)
    }

    /// How many pairs two lines have in common.
    fn shared(&self, other: &Pairs) -> u32 {
        let mut others = other.0.iter().peekable();
        let mut shared = 0;
        for (pair, count) in &self.0 {
            while others.next_if(|other| other.0 < *pair).is_some() {}
            if let Some(other) = others.next_if(|other| other.0 == *pair) {
                shared += count.min(&other.1);
            }
        }
        shared
    }

    /// Takes the pairs of another line away.
    fn subtract(&mut self, other: &Pairs) {
        let mut others = other.0.iter().peekable();
        self.0.retain_mut(|(pair, count)| {
            while others.next_if(|other| other.0 < *pair).is_some() {}
            if let Some(other) = others.next_if(|other| other.0 == *pair) {
                *count = count.saturating_sub(other.1);
            }
            *count > 0
        });
    }
}

/// How sure a line's match is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Surety {
    /// To be found out.
    Open,
    /// Nothing is like it; that is final.
    Nothing,
    /// Twice the best likeness less the second best.
    Match(i64),
}

/// What is known of one line of the new text.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    surety: Surety,
    best: usize,
    second: usize,
}

/// The matching of one hunk's lines under way. Rows count in the whole texts.
struct Matching<'m> {
    hunk: &'m Hunk,
    old: &'m mut [Pairs],
    new: &'m [Pairs],
    /// How far from its expected place a line is looked for.
    distance: usize,
    candidates: Vec<Candidate>,
    /// Likeness by new line and distance from its expected place, as far as known.
    likeness: Vec<Option<i64>>,
}

impl Matching<'_> {
    /// The old row of each of the hunk's new lines.
    fn run(hunk: &Hunk, old: &mut [Pairs], new: &[Pairs]) -> Vec<Option<usize>> {
        if hunk.old.is_empty() || hunk.old.len().max(hunk.new.len()) > HUNK_LIMIT {
            return Vec::new();
        }
        let distance = DISTANCE.min(hunk.old.len() - 1);
        let nothing = Candidate { surety: Surety::Open, best: 0, second: 0 };
        let mut matching = Matching {
            hunk,
            old,
            new,
            distance,
            candidates: vec![nothing; new.len()],
            likeness: vec![None; new.len() * (2 * distance + 1)],
        };
        // The first part of each split is finished before the second: it uses up pairs of the line that both share.
        let mut parts = vec![(hunk.old.clone(), hunk.new.clone())];
        while let Some((old, new)) = parts.pop() {
            if let Some(row) = matching.settle(&old, &new) {
                let matched = matching.candidate(row).best;
                if row + 1 < new.end {
                    parts.push((matched..old.end, row + 1..new.end));
                }
                if row > new.start {
                    parts.push((old.start..matched + 1, new.start..row));
                }
            }
        }
        let found = |candidate: &Candidate| match candidate.surety {
            Surety::Match(_) => Some(candidate.best),
            _ => None,
        };
        matching.candidates.iter().map(found).collect()
    }

    fn candidate(&mut self, row: usize) -> &mut Candidate {
        &mut self.candidates[row - self.hunk.new.start]
    }

    /// The old row at which a new row is expected: the hunk stretched to the other's length.
    fn expected(&self, row: usize) -> usize {
        let (old, new) = (&self.hunk.old, &self.hunk.new);
        ((row - new.start) * 2 + 1) * old.len() / (new.len() * 2) + old.start
    }

    /// Settles the surest line of a part and gives its row.
    fn settle(&mut self, old: &Range<usize>, new: &Range<usize>) -> Option<usize> {
        let mut surest: Option<(i64, usize)> = None;
        for row in new.clone() {
            if self.candidate(row).surety == Surety::Open {
                self.look(old, row);
            }
            if let Surety::Match(surety) = self.candidate(row).surety
                && surest.is_none_or(|(most, _)| surety > most)
            {
                surest = Some((surety, row));
            }
        }
        let (_, row) = surest?;
        let matched = self.candidate(row).best;
        self.old[matched].subtract(&self.new[row - self.hunk.new.start]);
        self.reopen(new, row, matched);
        Some(row)
    }

    /// Finds the best and the second best old line for a new one.
    fn look(&mut self, old: &Range<usize>, row: usize) {
        let expected = self.expected(row);
        let from = expected.saturating_sub(self.distance).max(old.start);
        let to = (expected + self.distance + 1).min(old.end);
        let (mut best, mut second) = ((0, old.start), (0, old.start));
        for at in from..to {
            let likeness = self.likeness(row, at, expected);
            if likeness > best.0 {
                second = best;
                best = (likeness, at);
            } else if likeness > second.0 {
                second = (likeness, at);
            }
        }
        *self.candidate(row) = if best.0 == 0 {
            Candidate { surety: Surety::Nothing, best: 0, second: 0 }
        } else {
            Candidate { surety: Surety::Match(best.0 * 2 - second.0), best: best.1, second: second.1 }
        };
    }

    fn place(&self, row: usize, at: usize, expected: usize) -> usize {
        (row - self.hunk.new.start) * (2 * self.distance + 1) + at + self.distance - expected
    }

    /// How alike two lines are; the distance from the expected place decides between equal ones.
    fn likeness(&mut self, row: usize, at: usize, expected: usize) -> i64 {
        let place = self.place(row, at, expected);
        if let Some(known) = self.likeness[place] {
            return known;
        }
        let shared = self.new[row - self.hunk.new.start].shared(&self.old[at]);
        let distance = i64::try_from(at.abs_diff(expected)).unwrap_or(0);
        let likeness = i64::from(shared) * (1000 - distance);
        self.likeness[place] = Some(likeness);
        likeness
    }

    /// Forgets what the match of `row` with `matched` makes doubtful: likeness with the old line, which has
    /// lost pairs, and matches that would cross this one.
    fn reopen(&mut self, part: &Range<usize>, row: usize, matched: usize) {
        let reach = ((2 * self.distance + 1) * self.hunk.new.len() - 1) / self.hunk.old.len();
        let from = row.saturating_sub(reach).max(part.start);
        let to = (row + reach + 1).min(part.end);
        for other in from..to {
            let expected = self.expected(other);
            if matched.abs_diff(expected) <= self.distance {
                let place = self.place(other, matched, expected);
                self.likeness[place] = None;
            }
            let candidate = self.candidate(other);
            let crosses = |at: usize| if other < row { at >= matched } else { at <= matched };
            if other != row
                && matches!(candidate.surety, Surety::Match(_))
                && (crosses(candidate.best) || crosses(candidate.second))
            {
                candidate.surety = Surety::Open;
            }
        }
    }
}
