//! Many instants in a short time are one episode instead of many.

use std::collections::VecDeque;

use crate::engine::codec::{Reader, Writer};

/// How many instants are remembered at most.
const MAX_TIMES: usize = 4096;

/// The last instants of a key, no more than make an episode.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Burst {
    /// Nothing while there are none: most keys never have any.
    instants: Option<Box<Instants>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Instants {
    times: VecDeque<i64>,
}

/// How many instants, in how long, make a burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Many {
    times: usize,
    pub(crate) window_ms: i64,
}

impl Many {
    /// So many in so long, as rules have it.
    pub(crate) fn of(setting: Option<(u32, i64)>) -> Option<Many> {
        let (times, window_ms) = setting?;
        Some(Many { times: (times.max(1) as usize).min(MAX_TIMES), window_ms: window_ms.max(1) })
    }
}

/// What an instant is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Instant {
    /// An episode of its own.
    Alone,
    /// The one that makes it a burst of so many, the first of them at this time.
    First(u64, i64),
    /// Part of the burst that is open.
    More,
}

impl Burst {
    /// Takes an instant.
    pub(crate) fn take(&mut self, at_ms: i64, is_open: bool, many: Option<Many>) -> Instant {
        let Some(many) = many else { return Instant::Alone };
        let times = &mut self.instants.get_or_insert_default().times;
        let place = times.partition_point(|&earlier_ms| earlier_ms <= at_ms);
        times.insert(place, at_ms);
        let last_ms = times.back().copied().unwrap_or(at_ms);
        while times.len() > many.times
            || times.front().is_some_and(|&first_ms| last_ms.saturating_sub(first_ms) >= many.window_ms)
        {
            times.pop_front();
        }
        match times.front() {
            _ if is_open => Instant::More,
            Some(&first_ms) if times.len() >= many.times => Instant::First(times.len() as u64, first_ms),
            _ => Instant::Alone,
        }
    }

    /// When an open burst has ended unless there is another instant, that moment included.
    pub(crate) fn end_ms(&self, many: Option<Many>) -> Option<i64> {
        Some(self.instants.as_ref()?.times.back()?.saturating_add(many?.window_ms))
    }

    /// The burst has ended: its instants count no more.
    pub(crate) fn close(&mut self) {
        self.instants = None;
    }

    /// Whether there is nothing in it that could become part of a burst at this time.
    pub(crate) fn is_over(&self, at_ms: i64, many: Option<Many>) -> bool {
        self.end_ms(many).is_none_or(|end_ms| end_ms <= at_ms)
    }

    /// Writes it.
    pub(crate) fn encode(&self, writer: &mut Writer<'_>) {
        let times = self.instants.iter().flat_map(|instants| &instants.times);
        writer.size(times.clone().count());
        let mut before_ms = 0_i64;
        for &at_ms in times {
            writer.signed(at_ms.wrapping_sub(before_ms));
            before_ms = at_ms;
        }
    }

    /// Reads it.
    pub(crate) fn decode(reader: &mut Reader<'_, '_>) -> Option<Burst> {
        let mut at_ms = 0_i64;
        let mut times = VecDeque::new();
        for _ in 0..reader.size()? {
            at_ms = at_ms.wrapping_add(reader.signed()?);
            times.push_back(at_ms);
        }
        Some(Burst { instants: (!times.is_empty()).then(|| Box::new(Instants { times })) })
    }
}
