//! How many different values there were in a window.
//!
//! Exact sets keep no more than the values that were seen last: whether there are at least `n` in a window is
//! told by the `n`-th of them. Where more than [`MAX_EXACT`] are needed, a sketch takes their place
//! (HyperLogLog with 2^12 registers for each sixth of the window, standard error 1.6 %).

use std::collections::VecDeque;
use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;

use crate::engine::codec::{Reader, Writer};

/// Values that are told apart exactly where only their number is needed.
pub(crate) const MAX_EXACT: usize = 4096;

/// Registers of a sketch.
const N_REGISTERS: usize = 1 << 12;

/// Up to this many values each is found by looking at all of them.
const MAX_SMALL: usize = 64;

/// The values that were seen last, each with its last time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Latest {
    /// Times with their values, in order. Without an index there is one of each value; with one, those that are
    /// not the value's last are passed over, and the first one always is.
    order: VecDeque<(i64, u64)>,
    /// The last time of each value, where there are many.
    index: Option<Box<Index>>,
}

#[derive(Debug, Clone, Default)]
struct Index {
    last_ms: FxHashMap<u64, i64>,
}

impl Latest {
    /// Takes a value and keeps no more than `most`.
    pub(crate) fn add(&mut self, at_ms: i64, value: u64, most: usize) {
        match &mut self.index {
            None => {
                if let Some(place) = self.order.iter().rposition(|(_, known)| *known == value) {
                    if self.order[place].0 >= at_ms {
                        return;
                    }
                    self.order.remove(place);
                }
            }
            Some(index) => match index.last_ms.entry(value) {
                Entry::Occupied(last_ms) if *last_ms.get() >= at_ms => return,
                Entry::Occupied(mut last_ms) => *last_ms.get_mut() = at_ms,
                Entry::Vacant(last_ms) => {
                    last_ms.insert(at_ms);
                }
            },
        }
        if self.order.len() == self.order.capacity() && self.order.len() < MAX_SMALL {
            // Room for no more than there may be: every idle key pays for it.
            let more =
                (1 + self.order.len() / 2).min(most.saturating_sub(self.order.len()).saturating_add(1));
            self.order.reserve_exact(more.max(1));
        }
        // Most come in the order of their time.
        if self.order.back().is_none_or(|last| *last < (at_ms, value)) {
            self.order.push_back((at_ms, value));
        } else {
            let place = self.order.partition_point(|other| *other < (at_ms, value));
            self.order.insert(place, (at_ms, value));
        }
        if self.len() > most
            && let Some((_, oldest)) = self.order.pop_front()
            && let Some(index) = &mut self.index
        {
            index.last_ms.remove(&oldest);
        }
        if let Some(index) = &self.index
            && self.order.len() > 2 * index.last_ms.len() + 16
        {
            self.order.retain(|(at_ms, value)| index.last_ms.get(value) == Some(at_ms));
        }
        self.turn();
        if self.index.is_none() && self.order.len() > MAX_SMALL {
            let last_ms = self.order.iter().map(|(at_ms, value)| (*value, *at_ms)).collect();
            self.index = Some(Box::new(Index { last_ms }));
        }
    }

    /// Sees to it that the first one is its value's last.
    fn turn(&mut self) {
        let Some(index) = &self.index else { return };
        while let Some((at_ms, value)) = self.order.front()
            && index.last_ms.get(value) != Some(at_ms)
        {
            self.order.pop_front();
        }
    }

    /// How many are kept.
    pub(crate) fn len(&self) -> usize {
        self.index.as_ref().map_or(self.order.len(), |index| index.last_ms.len())
    }

    /// Whether they are so few that they are copied as quickly as they are kept twice.
    pub(crate) fn is_small(&self) -> bool {
        self.index.is_none()
    }

    /// The last time of the value that was not seen for the longest time.
    pub(crate) fn first_ms(&self) -> Option<i64> {
        self.order.front().map(|(last_ms, _)| *last_ms)
    }

    /// The last time of the value that is the `n`-th from the end; 1 is the latest.
    pub(crate) fn nth_ms(&self, n: usize) -> Option<i64> {
        let back = n.checked_sub(1).filter(|_| n <= self.len())?;
        // The first and the last one are at hand without counting.
        if n == self.len() {
            return self.first_ms();
        }
        self.iter_back().nth(back).map(|(last_ms, _)| last_ms)
    }

    /// How many were seen at `from_ms` or later.
    pub(crate) fn count_from(&self, from_ms: i64) -> usize {
        self.iter_back().take_while(|(last_ms, _)| *last_ms >= from_ms).count()
    }

    /// Forgets what was last seen before `from_ms`.
    pub(crate) fn forget_before(&mut self, from_ms: i64) {
        while let Some((last_ms, value)) = self.order.front().copied()
            && last_ms < from_ms
        {
            self.order.pop_front();
            if let Some(index) = &mut self.index {
                index.last_ms.remove(&value);
            }
            self.turn();
        }
        if self.order.is_empty() {
            *self = Latest::default();
        } else if let Some(index) = self.index.take_if(|index| index.last_ms.len() <= MAX_SMALL / 2) {
            self.order.retain(|(at_ms, value)| index.last_ms.get(value) == Some(at_ms));
            self.order.shrink_to_fit();
        }
    }

    /// Values with their last times, by time.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (i64, u64)> {
        self.iter_back().rev()
    }

    fn iter_back(&self) -> impl DoubleEndedIterator<Item = (i64, u64)> {
        let is_last = |(at_ms, value): &(i64, u64)| match &self.index {
            Some(index) => index.last_ms.get(value) == Some(at_ms),
            None => true,
        };
        self.order.iter().copied().filter(is_last).rev()
    }

    /// Writes them.
    pub(crate) fn encode(&self, writer: &mut Writer<'_>) {
        writer.size(self.len());
        let mut before_ms = 0_i64;
        for (last_ms, value) in self.iter() {
            writer.signed(last_ms.wrapping_sub(before_ms));
            writer.unsigned(value);
            before_ms = last_ms;
        }
    }

    /// Reads them.
    pub(crate) fn decode(reader: &mut Reader<'_, '_>) -> Option<Latest> {
        let mut latest = Latest::default();
        let mut at_ms = 0_i64;
        for _ in 0..reader.size()? {
            at_ms = at_ms.wrapping_add(reader.signed()?);
            latest.add(at_ms, reader.unsigned()?, usize::MAX);
        }
        Some(latest)
    }
}

/// The number of different values, roughly, by parts of the window.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Sketch {
    /// Where each part begins, oldest first, and its registers.
    parts: VecDeque<(i64, Vec<u8>)>,
}

impl Sketch {
    /// Takes a value into the part that begins at `part_ms`.
    pub(crate) fn add(&mut self, part_ms: i64, value: u64) {
        let place = self.parts.partition_point(|(begin_ms, _)| *begin_ms < part_ms);
        if self.parts.get(place).is_none_or(|(begin_ms, _)| *begin_ms != part_ms) {
            self.parts.insert(place, (part_ms, vec![0; N_REGISTERS]));
        }
        let Some((_, registers)) = self.parts.get_mut(place) else { return };
        let register = (value >> 52) as usize;
        // Twelve bits chose the register; the rest has at most fifty-two zeros before its first one.
        let rank = ((value << 12).leading_zeros().min(52) + 1) as u8;
        registers[register] = registers[register].max(rank);
    }

    /// How many there are, roughly, in the parts that begin at `from_ms` or later and before `to_ms`.
    pub(crate) fn estimate(&self, from_ms: i64, to_ms: i64) -> f64 {
        let mut registers = vec![0_u8; N_REGISTERS];
        for (begin_ms, part) in &self.parts {
            if (from_ms..to_ms).contains(begin_ms) {
                registers.iter_mut().zip(part).for_each(|(all, one)| *all = (*all).max(*one));
            }
        }
        let n = N_REGISTERS as f64;
        let sum: f64 = registers.iter().map(|&rank| 1.0 / (1_u64 << rank.min(63)) as f64).sum();
        let raw = 0.7213 / (1.0 + 1.079 / n) * n * n / sum;
        let n_empty = registers.iter().filter(|&&rank| rank == 0).count();
        // Small numbers are counted better by the registers that are still empty.
        if raw <= 2.5 * n && n_empty > 0 { n * (n / n_empty as f64).ln() } else { raw }
    }

    /// Forgets the parts that begin before `from_ms`.
    pub(crate) fn forget_before(&mut self, from_ms: i64) {
        while self.parts.front().is_some_and(|(begin_ms, _)| *begin_ms < from_ms) {
            self.parts.pop_front();
        }
    }

    /// Whether nothing is in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Writes it.
    pub(crate) fn encode(&self, writer: &mut Writer<'_>) {
        writer.size(self.parts.len());
        for (begin_ms, registers) in &self.parts {
            writer.signed(*begin_ms);
            writer.blob(registers);
        }
    }

    /// Reads it.
    pub(crate) fn decode(reader: &mut Reader<'_, '_>) -> Option<Sketch> {
        let mut sketch = Sketch::default();
        for _ in 0..reader.size()? {
            let begin_ms = reader.signed()?;
            let registers = reader.blob()?;
            let is_next = sketch.parts.back().is_none_or(|(last_ms, _)| *last_ms < begin_ms);
            if registers.len() != N_REGISTERS || !is_next {
                return None;
            }
            sketch.parts.push_back((begin_ms, registers.to_vec()));
        }
        Some(sketch)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Takes so many values of that many different ones and keeps no more than `most`.
    fn check(n: u64, n_different: u64, most: usize) {
        let mut latest = Latest::default();
        let mut known: BTreeMap<u64, i64> = BTreeMap::new();
        for number in 0..n {
            let value = number * number % n_different;
            let at_ms = (number * 3 - number % 7) as i64;
            latest.add(at_ms, value, most);
            let last_ms = known.entry(value).or_insert(at_ms);
            *last_ms = at_ms.max(*last_ms);
            if number % 50 == 49 {
                latest.forget_before(at_ms - 60);
                known.retain(|_, last_ms| *last_ms >= at_ms - 60);
            }
            let mut all: Vec<(i64, u64)> = known.iter().map(|(value, last_ms)| (*last_ms, *value)).collect();
            all.sort_unstable();
            let first = all.len().saturating_sub(most);
            assert_eq!(latest.iter().collect::<Vec<_>>(), all[first..], "{n_different} {most} {number}");
            assert_eq!((latest.len(), latest.first_ms()), (all.len() - first, Some(all[first].0)));
            known.retain(|value, last_ms| all[first..].contains(&(*last_ms, *value)));
        }
    }

    #[test]
    fn few_and_many_values_are_kept_alike() {
        for (n_different, most) in [(5, 3), (40, 100), (1_009, 64), (1_009, 65), (1_009, 200)] {
            check(600, n_different, most);
        }
    }

    #[test]
    fn sketches_are_right_within_a_few_percent() {
        for n in [100_u32, 4_096, 20_000, 200_000] {
            let mut sketch = Sketch::default();
            for value in 0..n {
                let hash = blake3::hash(&value.to_le_bytes());
                let hash = u64::from_le_bytes(hash.as_bytes()[..8].try_into().unwrap());
                sketch.add(i64::from(value % 6) * 10, hash);
                sketch.add(i64::from(value % 5) * 10, hash);
            }
            let error = sketch.estimate(0, 60) / f64::from(n) - 1.0;
            assert!(error.abs() < 0.05, "{n}: {error}");
        }
    }
}
