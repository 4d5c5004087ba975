//! `frequency`: so many events in a sliding window.

use std::collections::VecDeque;

use super::buckets::{Buckets, Grid};
use super::ring::Ring;
use crate::CloseReason;
use crate::engine::codec::{Reader, Writer};
use crate::engine::life::{Episode, Life};
use crate::engine::machine::{Arrival, Late, Machine, Pass, Seen, Words};
use crate::engine::recent::Recent;
use crate::engine::tally::Tally;
use crate::engine::words::duration;

/// Up to this many every time is kept; past it stretches are counted.
const MAX_EXACT: u32 = 1_024;

/// At least so many events in a sliding window.
///
/// While a key is idle the times of its events are kept, and it opens at the event that is the `count`th in
/// less than the window. For more than 1,024, or in more than 49 days, a sixty-fourth of the window is
/// counted as one time: nothing is missed, but a window may be that much longer. While it is open only such
/// stretches are counted, and at the end of each it is asked whether it is over.
#[derive(Debug)]
pub(crate) struct Frequency {
    count: u32,
    within_ms: i64,
    clear: u64,
    clear_for_ms: i64,
    grid: Grid,
    is_exact: bool,
}

impl Frequency {
    /// The machine with these settings.
    pub(crate) fn new(count: u32, within_ms: i64, clear: u32, clear_for_ms: i64) -> Frequency {
        let within_ms = within_ms.max(1);
        Frequency {
            count: count.max(1),
            within_ms,
            clear: u64::from(clear.max(1)),
            clear_for_ms: clear_for_ms.max(0),
            grid: Grid::fine(within_ms),
            is_exact: count <= MAX_EXACT && within_ms <= i64::from(u32::MAX),
        }
    }
}

/// What is kept for a key: little while nothing happens.
#[derive(Debug, Default)]
pub(crate) struct Times {
    /// The times that were decided, later than the last episode.
    ring: Ring,
    more: Option<Box<More>>,
}

/// What is kept for a key when more is known of it than the times that were decided.
#[derive(Debug, Default)]
struct More {
    /// Times that wait, with their origins. Not saved.
    ahead: VecDeque<(i64, u32)>,
    wide: Option<Box<Wide>>,
    open: Option<Box<Open>>,
}

/// What is kept by stretches, in place of single times.
#[derive(Debug, Default)]
struct Wide {
    /// Those that were decided.
    settled: Buckets,
    /// Those that wait. Not saved.
    waiting: Buckets,
    /// Where the decided ones came from.
    recent: Recent,
}

/// What is kept of an open episode.
#[derive(Debug, Default)]
struct Open {
    counts: Buckets,
    /// The last edge at which it was asked whether it is over.
    asked_ms: i64,
    /// The next; it may have been over at none before.
    due_ms: i64,
}

impl More {
    fn is_empty(&self) -> bool {
        let is_empty = |wide: &Wide| wide.settled.is_empty() && wide.waiting.is_empty();
        self.ahead.is_empty() && self.open.is_none() && self.wide.as_deref().is_none_or(is_empty)
    }
}

impl Times {
    fn open(&self) -> Option<&Open> {
        self.more.as_ref()?.open.as_deref()
    }

    fn wide(&self) -> Option<&Wide> {
        self.more.as_ref()?.wide.as_deref()
    }

    fn wide_mut(&mut self) -> &mut Wide {
        self.more.get_or_insert_default().wide.get_or_insert_default()
    }

    fn shrink(&mut self) {
        if self.more.as_ref().is_some_and(|more| more.is_empty()) {
            self.more = None;
        }
    }
}

impl Frequency {
    /// Begins to count what is open.
    fn open(&self, counts: Buckets, at_ms: i64) -> Open {
        let mut open = Open { counts, asked_ms: self.grid.start_ms(self.grid.part(at_ms)), due_ms: 0 };
        open.due_ms = self.next_edge_ms(&open, None);
        open
    }

    /// The next edge at which it may be over, if nothing happens until then.
    fn next_edge_ms(&self, open: &Open, clear_since_ms: Option<i64>) -> i64 {
        let next_ms = open.asked_ms.saturating_add(self.grid.step_ms);
        let due_ms = match clear_since_ms {
            // It is over when that has held for long enough.
            Some(since_ms) => self.grid.edge_ms(since_ms.saturating_add(self.clear_for_ms)),
            // The stretches that are enough leave the window one by one.
            None => match open.counts.last_with(self.clear) {
                Some(part) => self.grid.start_ms(part.saturating_add(self.grid.parts).saturating_add(1)),
                None => next_ms,
            },
        };
        due_ms.max(next_ms)
    }

    fn reason(&self, count: u64) -> Words {
        let reason = format!("{count} in {}, threshold {}", duration(self.within_ms), self.count);
        Words { reason, figures: vec![("value", count as f64)] }
    }

    /// The times among these (in order) that are so many in less than the window; the first such.
    fn window<'t>(&self, times: &'t [(i64, u32)]) -> Option<&'t [(i64, u32)]> {
        times.windows(self.count as usize).find(|window| {
            let (first, last) = (window[0].0, window[window.len() - 1].0);
            last.saturating_sub(first) < self.within_ms
        })
    }

    fn begin_episode(&self, state: &mut Times, life: &mut Life<'_>, at_ms: i64, window: &[(i64, u32)]) {
        let mut counts = Buckets::default();
        let mut tally = Tally::default();
        for (time_ms, origin) in window {
            counts.add(self.grid.part(*time_ms), 1);
            tally.add(*time_ms, *origin);
        }
        if life.is_late() {
            tally.late += 1;
        }
        let count = tally.count;
        life.open(at_ms, tally, || self.reason(count));
        state.ring.clear();
        state.more.get_or_insert_default().open = Some(Box::new(self.open(counts, at_ms)));
    }

    fn step_exact(&self, state: &mut Times, life: &mut Life<'_>, seen: &Seen<'_, ()>) {
        if let Some(more) = &mut state.more {
            match more.ahead.front() {
                Some((first_ms, _)) if *first_ms == seen.at_ms => {
                    more.ahead.pop_front();
                }
                _ => {
                    let place = more.ahead.partition_point(|(known, _)| *known < seen.at_ms);
                    if more.ahead.get(place).is_some_and(|(known, _)| *known == seen.at_ms) {
                        more.ahead.remove(place);
                    }
                }
            }
        }
        if seen.at_ms <= life.last_close_ms() {
            return;
        }
        state.ring.drop_until(seen.at_ms.saturating_sub(self.within_ms));
        state.ring.push(seen.at_ms, seen.origin);
        if state.ring.len() >= self.count as usize {
            let window: Vec<(i64, u32)> = state.ring.iter().collect();
            self.begin_episode(state, life, seen.at_ms, &window);
        }
    }

    fn step_wide(&self, state: &mut Times, life: &mut Life<'_>, seen: &Seen<'_, ()>) {
        let part = self.grid.part(seen.at_ms);
        let wide = state.wide_mut();
        wide.waiting.take(part);
        if seen.at_ms <= life.last_close_ms() {
            return;
        }
        wide.settled.drop_before(part.saturating_sub(self.grid.parts));
        wide.settled.add(part, 1);
        wide.recent.add(seen.at_ms, seen.origin, self.within_ms);
        if wide.settled.between(i64::MIN, i64::MAX) >= u64::from(self.count) {
            self.begin_wide(state, life, seen.at_ms);
        }
    }

    fn begin_wide(&self, state: &mut Times, life: &mut Life<'_>, at_ms: i64) {
        let wide = state.wide_mut();
        let counts = std::mem::take(&mut wide.settled);
        let mut tally = std::mem::take(&mut wide.recent).tally();
        tally.count = counts.between(i64::MIN, i64::MAX);
        let count = tally.count;
        state.more.get_or_insert_default().open = Some(Box::new(self.open(counts, at_ms)));
        life.open(at_ms, tally, || self.reason(count));
    }

    /// Whether the events that are known are enough, were they all decided: only windows with this one.
    fn announce_exact(&self, state: &Times, life: &mut Life<'_>, seen: &Seen<'_, ()>, arrival: &Arrival<'_>) {
        let Some(more) = &state.more else { return };
        if state.ring.len() + more.ahead.len() < self.count as usize {
            return;
        }
        let last_close_ms = life.last_close_ms();
        let (from_ms, to_ms) =
            (seen.at_ms.saturating_sub(self.within_ms), seen.at_ms.saturating_add(self.within_ms));
        let is_near = |at_ms: i64| at_ms > from_ms && at_ms < to_ms && at_ms > last_close_ms;
        let start = more.ahead.partition_point(|(at_ms, _)| *at_ms <= from_ms);
        let ahead = more.ahead.range(start..).take_while(|(at_ms, _)| *at_ms < to_ms).copied();
        let known: Vec<(i64, u32)> = state.ring.iter().chain(ahead).filter(|(at, _)| is_near(*at)).collect();
        if let Some(window) = self.window(&known) {
            let mut tally = Tally::default();
            window.iter().for_each(|(at_ms, origin)| tally.add(*at_ms, *origin));
            self.announce(life, seen, tally, arrival);
        }
    }

    fn announce_wide(&self, state: &Times, life: &mut Life<'_>, seen: &Seen<'_, ()>, arrival: &Arrival<'_>) {
        let Some(wide) = state.wide() else { return };
        let part = self.grid.part(seen.at_ms);
        let count = |end: i64| {
            let from = end.saturating_sub(self.grid.parts);
            wide.settled.between(from, end.saturating_add(1))
                + wide.waiting.between(from, end.saturating_add(1))
        };
        let ends = wide.waiting.iter().map(|(end, _)| end);
        let mut ends = ends.filter(|end| *end >= part && *end <= part.saturating_add(self.grid.parts));
        if let Some(end) = ends.find(|end| count(*end) >= u64::from(self.count)) {
            let mut tally = wide.recent.tally();
            if !life.is_late() {
                tally.add(seen.at_ms, seen.origin);
            }
            tally.count = count(end);
            self.announce(life, seen, tally, arrival);
        }
    }

    fn announce(&self, life: &mut Life<'_>, seen: &Seen<'_, ()>, mut tally: Tally, arrival: &Arrival<'_>) {
        tally.late += u64::from(life.is_late());
        tally.show(&arrival.sample());
        let count = tally.count;
        life.announce(life.decided_ms().max(seen.at_ms), tally, || self.reason(count));
    }
}

impl Machine for Frequency {
    type State = Times;
    type Payload = ();
    type Shared = ();

    fn pass(&self) -> Pass {
        Pass::Both
    }

    fn payload(&self, _arrival: &Arrival<'_>) -> Option<()> {
        Some(())
    }

    fn begin(&self, _at_ms: i64) -> Times {
        Times::default()
    }

    fn note(&self, state: &mut Times, seen: &Seen<'_, ()>) {
        if !self.is_exact {
            return state.wide_mut().waiting.add(self.grid.part(seen.at_ms), 1);
        }
        let more = state.more.get_or_insert_default();
        let entry = (seen.at_ms, seen.origin);
        if more.ahead.back().is_none_or(|(last_ms, _)| *last_ms <= seen.at_ms) {
            more.ahead.push_back(entry);
        } else {
            let place = more.ahead.partition_point(|(known, _)| *known <= seen.at_ms);
            more.ahead.insert(place, entry);
        }
    }

    fn eager(
        &self,
        _shared: &mut (),
        state: &mut Times,
        life: &mut Life<'_>,
        seen: &Seen<'_, ()>,
        arrival: &Arrival<'_>,
    ) {
        if !life.is_idle() || seen.at_ms <= life.last_close_ms() {
            return;
        }
        if self.is_exact {
            self.announce_exact(state, life, seen, arrival);
        } else {
            self.announce_wide(state, life, seen, arrival);
        }
    }

    fn step(&self, _shared: &mut (), state: &mut Times, life: &mut Life<'_>, seen: &Seen<'_, ()>) {
        if let Some(more) = &mut state.more
            && let Some(open) = &mut more.open
        {
            let part = self.grid.part(seen.at_ms);
            open.counts.add(part, 1);
            if life.episode().is_some_and(|episode| episode.clear_since_ms.is_some()) {
                // It may no longer be clear at the end of this stretch.
                open.due_ms = open.due_ms.min(self.grid.start_ms(part.saturating_add(1)));
            }
            life.count(seen.at_ms, seen.origin);
            if self.is_exact {
                more.ahead.pop_front();
            } else if let Some(wide) = &mut more.wide {
                wide.waiting.take(part);
            }
            return;
        }
        if self.is_exact {
            self.step_exact(state, life, seen);
        } else {
            self.step_wide(state, life, seen);
        }
        state.shrink();
    }

    fn takes_late(&self) -> bool {
        true
    }

    fn late(
        &self,
        _shared: &mut (),
        state: &mut Times,
        life: &mut Life<'_>,
        seen: &Seen<'_, ()>,
        arrival: &Arrival<'_>,
    ) -> Late {
        let oldest_ms = life.decided_ms().saturating_sub(self.within_ms);
        if state.open().is_some() || seen.at_ms <= life.last_close_ms() || seen.at_ms <= oldest_ms {
            return Late::Dropped;
        }
        let now_ms = life.decided_ms().max(seen.at_ms);
        if self.is_exact {
            state.ring.drop_until(oldest_ms);
            state.ring.push(seen.at_ms, seen.origin);
            let known: Vec<(i64, u32)> = state.ring.iter().collect();
            if let Some(window) = self.window(&known) {
                self.begin_episode(state, life, now_ms, window);
            } else {
                self.announce_exact(state, life, seen, arrival);
            }
        } else {
            let wide = state.wide_mut();
            let part = self.grid.part(seen.at_ms);
            wide.settled.drop_before(self.grid.part(now_ms).saturating_sub(self.grid.parts));
            wide.settled.add(part, 1);
            wide.recent.add(seen.at_ms, seen.origin, self.within_ms);
            if wide.settled.between(i64::MIN, i64::MAX) >= u64::from(self.count) {
                self.begin_wide(state, life, now_ms);
            } else {
                self.announce_wide(state, life, seen, arrival);
            }
        }
        if let Some(tally) = life.tally() {
            tally.show(&arrival.sample());
        }
        Late::Counted
    }

    fn due(&self, state: &Times, _episode: Option<&Episode>) -> Option<i64> {
        state.open().map(|open| open.due_ms)
    }

    fn timer(&self, _shared: &mut (), state: &mut Times, life: &mut Life<'_>, at_ms: i64) {
        let Some(more) = &mut state.more else { return };
        let Some(open) = &mut more.open else { return };
        let end = self.grid.part(at_ms);
        let count = open.counts.between(end.saturating_sub(self.grid.parts), end);
        open.counts.drop_before(end.saturating_sub(self.grid.parts));
        open.asked_ms = at_ms;
        if life.is_cleared(at_ms, count < self.clear) {
            more.open = None;
            let reason = format!("fewer than {} in {}", self.clear, duration(self.within_ms));
            // Events at the edge belong to what comes next.
            life.close(at_ms - 1, CloseReason::Cleared, || Words {
                reason,
                figures: vec![("value", count as f64)],
            });
        } else {
            let clear_since_ms = life.episode().and_then(|episode| episode.clear_since_ms);
            open.due_ms = self.next_edge_ms(open, clear_since_ms);
        }
        state.shrink();
    }

    fn ended(&self, state: &mut Times, _at_ms: i64) {
        state.ring.clear();
        if let Some(more) = &mut state.more {
            more.open = None;
            if let Some(wide) = &mut more.wide {
                (wide.settled, wide.recent) = (Buckets::default(), Recent::default());
            }
        }
        state.shrink();
    }

    fn forget(&self, state: &mut Times, at_ms: i64) {
        self.ended(state, at_ms);
    }

    fn words(&self, _state: &Times, tally: &Tally) -> Words {
        let (threshold, window) = (self.count, duration(self.within_ms));
        let reason = format!("{} so far, threshold {threshold} in {window}", tally.count);
        Words { reason, figures: vec![("value", tally.count as f64)] }
    }

    fn is_vacant(&self, state: &Times, at_ms: i64) -> bool {
        let oldest_ms = at_ms.saturating_sub(self.within_ms);
        let is_past = state.ring.last_ms().is_none_or(|last_ms| last_ms <= oldest_ms);
        is_past
            && state.more.as_ref().is_none_or(|more| {
                let oldest = self.grid.part(at_ms).saturating_sub(self.grid.parts);
                let settled = more.wide.as_ref().and_then(|wide| wide.settled.last());
                more.open.is_none() && settled.is_none_or(|last| last < oldest)
            })
    }

    fn origins(&self, state: &Times, mark: &mut dyn FnMut(u32)) {
        state.ring.origins(mark);
        if let Some(more) = &state.more {
            more.ahead.iter().for_each(|(_, origin)| mark(*origin));
        }
        if let Some(wide) = state.wide() {
            wide.recent.origins(mark);
        }
    }

    fn encode(&self, state: &Times, writer: &mut Writer<'_>) {
        let open = state.open();
        let wide = state.wide().filter(|wide| !wide.settled.is_empty());
        state.ring.encode(writer);
        writer.flag(wide.is_some());
        if let Some(wide) = wide {
            wide.settled.encode(writer);
            wide.recent.encode(writer);
        }
        writer.flag(open.is_some());
        if let Some(open) = open {
            open.counts.encode(writer);
            writer.signed(open.asked_ms);
            writer.signed(open.due_ms);
        }
    }

    fn decode(&self, reader: &mut Reader<'_, '_>) -> Option<Times> {
        let mut state = Times { ring: Ring::decode(reader)?, more: None };
        if reader.flag()? {
            let wide = state.wide_mut();
            wide.settled = Buckets::decode(reader)?;
            wide.recent = Recent::decode(reader)?;
        }
        if reader.flag()? {
            let open = Open {
                counts: Buckets::decode(reader)?,
                asked_ms: reader.signed()?,
                due_ms: reader.signed()?,
            };
            state.more.get_or_insert_default().open = Some(Box::new(open));
        }
        Some(state)
    }

    fn encode_payload(&self, _payload: &(), _writer: &mut Writer<'_>) {}

    fn decode_payload(&self, _reader: &mut Reader<'_, '_>) -> Option<()> {
        Some(())
    }
}
