//! Counts by stretches of time, for what need not be known to the millisecond.

use std::collections::VecDeque;

use crate::engine::codec::{Reader, Writer};

/// Into how many stretches a window is cut.
const PARTS: i64 = 64;

/// How a window is cut into stretches of equal length, the first of which began in 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grid {
    /// How long a stretch is.
    pub(crate) step_ms: i64,
    /// How many cover the window.
    pub(crate) parts: i64,
}

impl Grid {
    /// A fine cut of a window.
    pub(crate) fn fine(window_ms: i64) -> Grid {
        Grid::of(window_ms, PARTS)
    }

    /// A cut of a window into so many stretches, or fewer where a stretch would be shorter than a
    /// millisecond.
    pub(crate) fn of(window_ms: i64, parts: i64) -> Grid {
        let window_ms = window_ms.max(1);
        let step_ms = (window_ms / parts) + i64::from(window_ms % parts != 0);
        Grid { step_ms, parts: (window_ms / step_ms) + i64::from(window_ms % step_ms != 0) }
    }

    /// The number of the stretch that a moment lies in.
    pub(crate) fn part(self, at_ms: i64) -> i64 {
        at_ms.div_euclid(self.step_ms)
    }

    /// The moment that a stretch begins.
    pub(crate) fn start_ms(self, part: i64) -> i64 {
        part.saturating_mul(self.step_ms)
    }

    /// The first edge at or after a moment.
    pub(crate) fn edge_ms(self, at_ms: i64) -> i64 {
        let part = self.part(at_ms);
        if self.start_ms(part) == at_ms { at_ms } else { self.start_ms(part.saturating_add(1)) }
    }
}

/// Counts by stretch, in order; stretches without any are not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Buckets {
    counts: VecDeque<(i64, u32)>,
}

impl Buckets {
    /// Adds to a stretch.
    pub(crate) fn add(&mut self, part: i64, count: u32) {
        match self.counts.back_mut() {
            Some((last, known)) if *last == part => *known = known.saturating_add(count),
            Some((last, _)) if *last > part => {
                let place = self.counts.partition_point(|(known, _)| *known < part);
                match self.counts.get_mut(place) {
                    Some((known_part, known)) if *known_part == part => *known = known.saturating_add(count),
                    _ => self.counts.insert(place, (part, count)),
                }
            }
            _ => self.counts.push_back((part, count)),
        }
    }

    /// Takes one from a stretch, if there is one.
    pub(crate) fn take(&mut self, part: i64) {
        let place = self.counts.partition_point(|(known, _)| *known < part);
        if let Some((known, count)) = self.counts.get_mut(place)
            && *known == part
        {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.counts.remove(place);
            }
        }
    }

    /// Drops stretches before this one.
    pub(crate) fn drop_before(&mut self, part: i64) {
        while self.counts.front().is_some_and(|(first, _)| *first < part) {
            self.counts.pop_front();
        }
    }

    /// The last stretch.
    pub(crate) fn last(&self) -> Option<i64> {
        self.counts.back().map(|(part, _)| *part)
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// How many there are from one stretch up to another, which does not belong to it.
    pub(crate) fn between(&self, from: i64, to: i64) -> u64 {
        let start = self.counts.partition_point(|(known, _)| *known < from);
        let counts = self.counts.range(start..).take_while(|(known, _)| *known < to);
        counts.map(|(_, count)| u64::from(*count)).sum()
    }

    /// The last stretch from which on there are at least so many.
    pub(crate) fn last_with(&self, wanted: u64) -> Option<i64> {
        let mut sum = 0;
        self.counts.iter().rev().find_map(|(part, count)| {
            sum += u64::from(*count);
            (sum >= wanted).then_some(*part)
        })
    }

    /// All of them, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (i64, u32)> {
        self.counts.iter().copied()
    }

    /// Writes it.
    pub(crate) fn encode(&self, writer: &mut Writer<'_>) {
        writer.size(self.counts.len());
        let mut before = 0_i64;
        for (part, count) in &self.counts {
            writer.signed(part.wrapping_sub(before));
            before = *part;
            writer.unsigned(u64::from(*count));
        }
    }

    /// Reads it.
    pub(crate) fn decode(reader: &mut Reader<'_, '_>) -> Option<Buckets> {
        let mut counts = VecDeque::new();
        let mut before = None;
        for _ in 0..reader.size()? {
            let part = before.unwrap_or(0_i64).wrapping_add(reader.signed()?);
            if before.is_some_and(|before| part <= before) {
                return None;
            }
            before = Some(part);
            counts.push_back((part, reader.unsigned_32()?));
        }
        Some(Buckets { counts })
    }
}
