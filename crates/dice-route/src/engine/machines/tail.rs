//! The last times of something, no more of them than are asked for.

use std::collections::VecDeque;

use crate::engine::codec::{Reader, Writer};

/// The last times of something, with how often it happened at each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tail {
    times: VecDeque<(i64, u32)>,
    n: u64,
}

impl Tail {
    /// One more, wherever it belongs; of all of them at least the last `most` stay.
    pub(crate) fn add(&mut self, at_ms: i64, most: u32) {
        let place = self.times.partition_point(|(known_ms, _)| *known_ms < at_ms);
        match self.times.get_mut(place) {
            Some((known_ms, n)) if *known_ms == at_ms => *n = n.saturating_add(1),
            _ => self.times.insert(place, (at_ms, 1)),
        }
        self.n += 1;
        while let Some((_, n)) = self.times.front()
            && self.n - u64::from(*n) >= u64::from(most)
        {
            self.n -= u64::from(*n);
            self.times.pop_front();
        }
    }

    /// How many there were later than this.
    pub(crate) fn count_after(&self, bound_ms: i64) -> u64 {
        let later = self.times.iter().rev().take_while(|(at_ms, _)| *at_ms > bound_ms);
        later.map(|(_, n)| u64::from(*n)).sum()
    }

    /// The time of the `n`-th from the end; 1 is the last.
    pub(crate) fn nth_ms(&self, n: u32) -> Option<i64> {
        let mut rest = u64::from(n.max(1));
        for (at_ms, n) in self.times.iter().rev() {
            match rest.checked_sub(u64::from(*n)) {
                None | Some(0) => return Some(*at_ms),
                Some(more) => rest = more,
            }
        }
        None
    }

    /// The first after this moment.
    pub(crate) fn first_after(&self, bound_ms: i64) -> Option<i64> {
        let place = self.times.partition_point(|(at_ms, _)| *at_ms <= bound_ms);
        self.times.get(place).map(|(at_ms, _)| *at_ms)
    }

    /// Every time, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = i64> {
        self.times.iter().map(|(at_ms, _)| *at_ms)
    }

    /// Forgets what was not later than this.
    pub(crate) fn forget_until(&mut self, bound_ms: i64) {
        while let Some((at_ms, n)) = self.times.front()
            && *at_ms <= bound_ms
        {
            self.n -= u64::from(*n);
            self.times.pop_front();
        }
    }

    /// Writes it.
    pub(crate) fn encode(&self, writer: &mut Writer<'_>) {
        writer.size(self.times.len());
        let mut before_ms = 0_i64;
        for (at_ms, n) in &self.times {
            writer.signed(at_ms.wrapping_sub(before_ms));
            writer.unsigned(u64::from(*n));
            before_ms = *at_ms;
        }
    }

    /// Reads it.
    pub(crate) fn decode(reader: &mut Reader<'_, '_>) -> Option<Tail> {
        let mut tail = Tail::default();
        let mut at_ms = 0_i64;
        for _ in 0..reader.size()? {
            at_ms = at_ms.wrapping_add(reader.signed()?);
            let n = reader.unsigned_32()?;
            if n == 0 || tail.times.back().is_some_and(|(last_ms, _)| *last_ms >= at_ms) {
                return None;
            }
            tail.n += u64::from(n);
            tail.times.push_back((at_ms, n));
        }
        Some(tail)
    }
}
