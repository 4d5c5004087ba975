//! Counts by stretches of time, in few bytes, for keys that are idle.

use crate::engine::bytes::FewBytes;
use crate::engine::codec::{Reader, Writer, put_varint, varint_at};

/// Counts by stretch; stretches without any are not there.
///
/// The last one is at hand; those before it are bytes, the latest first: each is its count, twice, plus one where
/// it is not the stretch just before the one after it; then follows how far it lies before that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    last: i64,
    /// How many the last one has; 0 where there are none at all.
    count: u32,
    /// How far the first lies before the last; [`u32::MAX`] where it is as much or more.
    span: u32,
    earlier: FewBytes,
}

impl Counts {
    /// Adds to a stretch. Says whether it is a new one.
    pub(crate) fn add(&mut self, part: i64, count: u32) -> bool {
        if self.count == 0 {
            (self.last, self.count) = (part, count);
        } else if part == self.last {
            self.count = self.count.saturating_add(count);
            return false;
        } else if part > self.last {
            let mut bytes = Vec::with_capacity(15);
            let distance = part.wrapping_sub(self.last) as u64;
            put(&mut bytes, self.count, distance);
            self.earlier.splice(0..0, &bytes);
            self.span = span(u64::from(self.span).saturating_add(distance));
            (self.last, self.count) = (part, count);
        } else {
            return self.insert(part, count);
        }
        true
    }

    /// Adds to a stretch before the last one.
    fn insert(&mut self, part: i64, count: u32) -> bool {
        let mut all: Vec<(i64, u32)> = self.iter_back().collect();
        let place = all.partition_point(|(known, _)| *known > part);
        let is_new = all.get(place).is_none_or(|(known, _)| *known != part);
        if is_new {
            all.insert(place, (part, count));
        } else {
            all[place].1 = all[place].1.saturating_add(count);
        }
        *self = Counts::of(&all);
        is_new
    }

    /// These, the latest first.
    fn of(all: &[(i64, u32)]) -> Counts {
        let Some(((last, count), earlier)) = all.split_first() else { return Counts::default() };
        let mut bytes = Vec::with_capacity(2 * earlier.len());
        let mut before = *last;
        for (part, count) in earlier {
            put(&mut bytes, *count, before.wrapping_sub(*part) as u64);
            before = *part;
        }
        bytes.shrink_to_fit();
        Counts {
            last: *last,
            count: *count,
            span: span(last.wrapping_sub(before) as u64),
            earlier: bytes.into(),
        }
    }

    /// Drops stretches before this one. Says how many.
    pub(crate) fn drop_before(&mut self, part: i64) -> usize {
        if self.first().is_none_or(|first| first >= part) {
            return 0;
        }
        if self.last < part {
            let n = self.len();
            *self = Counts::default();
            return n;
        }
        let mut kept = self.iter_back();
        let (mut end, mut first) = (0, self.last);
        while let Some((known, _)) = kept.next()
            && known >= part
        {
            (end, first) = (kept.at, known);
        }
        let n = Back { at: end, last: None, ..kept }.count();
        self.earlier.splice(end..self.earlier.len(), &[]);
        self.span = span(self.last.wrapping_sub(first) as u64);
        n
    }

    /// The first stretch.
    pub(crate) fn first(&self) -> Option<i64> {
        match self.span {
            u32::MAX => self.iter_back().last().map(|(part, _)| part),
            span => (self.count > 0).then(|| self.last.wrapping_sub(i64::from(span))),
        }
    }

    /// The last stretch.
    pub(crate) fn last(&self) -> Option<i64> {
        (self.count > 0).then_some(self.last)
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many stretches there are.
    pub(crate) fn len(&self) -> usize {
        self.iter_back().count()
    }

    /// How many there are from one stretch up to another, which does not belong to it.
    pub(crate) fn between(&self, from: i64, to: i64) -> u64 {
        let counts = self.iter_back().take_while(|(part, _)| *part >= from).filter(|(part, _)| *part < to);
        counts.map(|(_, count)| u64::from(count)).sum()
    }

    /// The last stretch from which on there are at least so many.
    pub(crate) fn last_with(&self, wanted: u64) -> Option<i64> {
        let mut sum = 0;
        self.iter_back().find_map(|(part, count)| {
            sum += u64::from(count);
            (sum >= wanted).then_some(part)
        })
    }

    /// All of them, the latest first.
    pub(crate) fn iter_back(&self) -> Back<'_> {
        let last = (self.count > 0).then_some((self.last, self.count));
        Back { bytes: &self.earlier, at: 0, part: self.last, last }
    }

    /// All of them, in order.
    pub(crate) fn to_vec(&self) -> Vec<(i64, u32)> {
        let mut all: Vec<(i64, u32)> = self.iter_back().collect();
        all.reverse();
        all
    }

    /// Writes it, as [`Buckets`](super::buckets::Buckets) are written.
    pub(crate) fn encode(&self, writer: &mut Writer<'_>) {
        let all = self.to_vec();
        writer.size(all.len());
        let mut before = 0_i64;
        for (part, count) in all {
            writer.signed(part.wrapping_sub(before));
            before = part;
            writer.unsigned(u64::from(count));
        }
    }

    /// Reads it.
    pub(crate) fn decode(reader: &mut Reader<'_, '_>) -> Option<Counts> {
        let mut all: Vec<(i64, u32)> = Vec::new();
        for _ in 0..reader.size()? {
            let before = all.last().map(|(part, _)| *part);
            let part = before.unwrap_or(0).wrapping_add(reader.signed()?);
            let count = reader.unsigned_32()?;
            if count == 0 || before.is_some_and(|before| part <= before) {
                return None;
            }
            all.push((part, count));
        }
        all.reverse();
        Some(Counts::of(&all))
    }
}

fn put(bytes: &mut Vec<u8>, count: u32, distance: u64) {
    put_varint(bytes, u64::from(count) << 1 | u64::from(distance != 1));
    if distance != 1 {
        put_varint(bytes, distance);
    }
}

fn span(distance: u64) -> u32 {
    u32::try_from(distance).unwrap_or(u32::MAX)
}

/// Stretches with their counts, the latest first.
#[derive(Debug)]
pub(crate) struct Back<'c> {
    bytes: &'c [u8],
    /// Where the next one begins, once the last was given.
    at: usize,
    part: i64,
    last: Option<(i64, u32)>,
}

impl Iterator for Back<'_> {
    type Item = (i64, u32);

    fn next(&mut self) -> Option<(i64, u32)> {
        if let Some(last) = self.last.take() {
            return Some(last);
        }
        let (count, at) = varint_at(self.bytes, self.at)?;
        let mut distance = 1;
        self.at = at;
        if count & 1 != 0 {
            (distance, self.at) = varint_at(self.bytes, at)?;
        }
        self.part = self.part.wrapping_sub(distance as i64);
        Some((self.part, (count >> 1) as u32))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Counts;

    /// Adds to these stretches one after the other and drops those before `bound`.
    fn check(parts: &[(i64, u32)], bound: i64) {
        let mut counts = Counts::default();
        let mut known: BTreeMap<i64, u32> = BTreeMap::new();
        for (part, count) in parts {
            let is_new = !known.contains_key(part);
            known.entry(*part).and_modify(|known| *known = known.saturating_add(*count)).or_insert(*count);
            assert_eq!(counts.add(*part, *count), is_new);
            same(&counts, &known);
        }
        let kept = known.split_off(&bound);
        assert_eq!(counts.drop_before(bound), known.len());
        same(&counts, &kept);
    }

    fn same(counts: &Counts, known: &BTreeMap<i64, u32>) {
        let all: Vec<(i64, u32)> = known.iter().map(|(part, count)| (*part, *count)).collect();
        assert_eq!(counts.to_vec(), all);
        assert_eq!(
            (counts.first(), counts.last()),
            (all.first().map(|one| one.0), all.last().map(|one| one.0))
        );
        for from in known.keys() {
            let sum = known.range(from..).map(|(_, count)| u64::from(*count)).sum::<u64>();
            assert_eq!((counts.between(*from, i64::MAX), counts.last_with(sum)), (sum, Some(*from)));
        }
    }

    #[test]
    fn they_are_what_was_added() {
        check(&[], 0);
        check(&[(5, 1), (5, 1), (6, 1), (9, 70), (7, 1), (6, 3), (1, 1), (10, u32::MAX), (10, 1)], 7);
        check(&[(0, 1), (1, 1), (2, 1)], 3);
        check(&[(0, 1), (1, 1), (2, 1)], -1);
        check(&[(i64::MIN, 1), (-1, 2), (i64::MAX - 1, 3)], 0);
        check(&[(0, 1), (i64::from(u32::MAX), 2), (1 << 40, 3), ((1 << 40) + 1, 4)], 1 << 40);
    }
}
