//! `flatline`: too few events.

use rustc_hash::FxHashSet;

use super::buckets::Grid;
use super::counts::Counts;
use super::hop::HOPS;
use crate::CloseReason;
use crate::engine::codec::{Reader, Writer};
use crate::engine::keys::KeyText;
use crate::engine::life::{Episode, Life};
use crate::engine::machine::{Arrival, Late, Machine, Pass, Seen, Words};
use crate::engine::recent::Lines;
use crate::engine::tally::Tally;
use crate::engine::words::duration;

/// Too few events in a window that moves in sixths of its length.
///
/// Keys that are named are watched from the start, others once they have been seen often enough. While inputs
/// cannot be read, and until a whole window has been read since, nothing is known and nothing is said.
#[derive(Debug)]
pub(crate) struct Flatline {
    within_ms: i64,
    min: u64,
    named: Vec<Vec<String>>,
    named_keys: FxHashSet<Box<[u8]>>,
    min_seen: usize,
    learn_ms: i64,
    forget_after_ms: i64,
    clear_for_ms: i64,
    grid: Grid,
}

/// Windows that are remembered while a key is learned.
const MAX_SEEN: usize = 1_024;

impl Flatline {
    /// The machine with these settings.
    pub(crate) fn new(
        within_ms: i64,
        min: u32,
        named: &[Vec<String>],
        (min_seen, learn_ms): (u32, i64),
        forget_after_ms: i64,
        clear_for_ms: i64,
    ) -> Flatline {
        let bytes = |values: &Vec<String>| {
            let mut key = KeyText::default();
            values.iter().for_each(|value| key.push(value));
            Box::from(key.bytes())
        };
        Flatline {
            within_ms: within_ms.max(1),
            min: u64::from(min.max(1)),
            named: named.to_vec(),
            named_keys: named.iter().map(bytes).collect(),
            min_seen: (min_seen.max(1) as usize).min(MAX_SEEN),
            learn_ms: learn_ms.max(1),
            forget_after_ms: forget_after_ms.max(1),
            clear_for_ms,
            grid: Grid::of(within_ms, HOPS),
        }
    }
}

/// What is kept for a key.
#[derive(Debug)]
pub(crate) struct Pulse {
    counts: Counts,
    is_named: bool,
    is_learned: bool,
    /// The last windows (whole ones, side by side) that were not empty, until it is learned.
    seen: Box<[i64]>,
    /// Since when it is known; for a named key, since the rule is. [`i64::MIN`] where it is not.
    born_ms: i64,
    /// Its last event; [`i64::MIN`] where there was none.
    last_ms: i64,
    /// The last edge at which it was looked at.
    asked_ms: i64,
    lines: Lines,
}

impl Pulse {
    fn born_ms(&self) -> Option<i64> {
        (self.born_ms > i64::MIN).then_some(self.born_ms)
    }

    fn born(&mut self, at_ms: i64) {
        if self.born_ms == i64::MIN {
            self.born_ms = at_ms;
        }
    }
}

impl Flatline {
    fn is_watched(&self, state: &Pulse) -> bool {
        state.is_named || state.is_learned
    }

    /// The whole window that a moment lies in, side by side with the others.
    fn window(&self, at_ms: i64) -> i64 {
        at_ms.div_euclid(self.within_ms)
    }

    fn learn(&self, state: &mut Pulse, at_ms: i64) {
        if state.is_learned {
            return;
        }
        let window = self.window(at_ms);
        if state.seen.last() != Some(&window) {
            let first = (state.seen.len() + 1).saturating_sub(self.min_seen);
            state.seen = state.seen.get(first..).unwrap_or(&[]).iter().copied().chain([window]).collect();
        }
        let first = state.seen.first().copied().unwrap_or(window);
        let span_ms = (window - first).saturating_add(1).saturating_mul(self.within_ms);
        if state.seen.len() >= self.min_seen && span_ms <= self.learn_ms {
            state.is_learned = true;
            state.seen = Box::default();
        }
    }

    fn reason(&self, count: u64) -> Words {
        let reason = format!("{count} in {}, at least {} expected", duration(self.within_ms), self.min);
        Words { reason, figures: vec![("value", count as f64)] }
    }

    /// When a key that nobody hears of any more is given up.
    fn forget_ms(&self, state: &Pulse) -> Option<i64> {
        if state.is_named {
            return None;
        }
        let last_ms = if state.last_ms > i64::MIN { state.last_ms } else { state.born_ms()? };
        let after_ms = if state.is_learned { self.forget_after_ms } else { self.learn_ms };
        Some(self.grid.edge_ms(last_ms.saturating_add(after_ms)))
    }
}

impl Machine for Flatline {
    type State = Pulse;
    type Payload = ();
    type Shared = ();

    fn pass(&self) -> Pass {
        Pass::InOrder
    }

    fn seeds(&self) -> Vec<Vec<String>> {
        self.named.clone()
    }

    fn seed(&self, state: &mut Pulse, at_ms: i64) {
        state.born(at_ms);
    }

    fn payload(&self, _arrival: &Arrival<'_>) -> Option<()> {
        Some(())
    }

    fn begin(&self, _at_ms: i64) -> Pulse {
        Pulse {
            counts: Counts::default(),
            is_named: false,
            is_learned: false,
            seen: Box::default(),
            born_ms: i64::MIN,
            last_ms: i64::MIN,
            asked_ms: i64::MIN,
            lines: Lines::default(),
        }
    }

    fn begin_key(&self, key: &[u8], at_ms: i64) -> Pulse {
        Pulse { is_named: self.named_keys.contains(key), ..self.begin(at_ms) }
    }

    fn is_pinned(&self, state: &Pulse) -> bool {
        state.is_named
    }

    fn eager(
        &self,
        _shared: &mut (),
        state: &mut Pulse,
        life: &mut Life<'_>,
        seen: &Seen<'_, ()>,
        arrival: &Arrival<'_>,
    ) {
        // A line is kept of a key that is watched, or will be with the windows of those that wait.
        let is_watched = self.is_watched(state)
            || state.seen.last() != Some(&self.window(seen.at_ms))
                && state.seen.len() as u64 + life.waiting() >= self.min_seen as u64;
        if is_watched && state.lines.wants_line() {
            state.lines.show(&arrival.sample());
            life.save();
        }
    }

    fn step(&self, _shared: &mut (), state: &mut Pulse, life: &mut Life<'_>, seen: &Seen<'_, ()>) {
        state.born(seen.at_ms);
        state.last_ms = state.last_ms.max(seen.at_ms);
        state.counts.add(self.grid.part(seen.at_ms), 1);
        // Nobody looks back: a key that has just been learned is looked at from now on.
        state.asked_ms = state.asked_ms.max(self.grid.start_ms(self.grid.part(seen.at_ms)));
        // Windows that nobody will look at any more need not wait for a timer.
        state.counts.drop_before(self.grid.part(seen.at_ms).saturating_sub(self.grid.parts));
        state.lines.turn(seen.at_ms, self.within_ms);
        self.learn(state, seen.at_ms);
        life.count(seen.at_ms, seen.origin);
    }

    fn late(
        &self,
        _shared: &mut (),
        state: &mut Pulse,
        life: &mut Life<'_>,
        seen: &Seen<'_, ()>,
        _arrival: &Arrival<'_>,
    ) -> Late {
        // It can keep a window from being empty that has not been looked at yet.
        if seen.at_ms <= life.decided_ms().saturating_sub(self.within_ms) {
            return Late::Dropped;
        }
        state.born(seen.at_ms);
        state.last_ms = state.last_ms.max(seen.at_ms);
        state.counts.add(self.grid.part(seen.at_ms), 1);
        Late::Counted
    }

    fn due(&self, state: &Pulse, episode: Option<&Episode>) -> Option<i64> {
        let next_ms = state.asked_ms.saturating_add(self.grid.step_ms);
        let forget_ms = self.forget_ms(state).unwrap_or(i64::MAX);
        let look_ms = match episode {
            _ if !self.is_watched(state) => i64::MAX,
            None => {
                let full_ms = self.grid.edge_ms(state.born_ms()?.saturating_add(self.within_ms));
                let enough = state.counts.last_with(self.min);
                let few_ms = enough
                    .map(|part| self.grid.start_ms(part.saturating_add(self.grid.parts).saturating_add(1)));
                few_ms.map_or(full_ms, |few_ms| few_ms.max(full_ms))
            }
            Some(episode) => {
                let heard = state.counts.last().map(|last| self.grid.start_ms(last.saturating_add(1)));
                let heard_ms = heard.filter(|heard_ms| *heard_ms > state.asked_ms).unwrap_or(i64::MAX);
                let over_ms =
                    episode.clear_since_ms.map(|since_ms| since_ms.saturating_add(self.clear_for_ms));
                // It may also stop being so without a new event, when what was enough leaves the window.
                let over_ms = over_ms.map(|over_ms| self.grid.edge_ms(over_ms).min(next_ms));
                heard_ms.min(over_ms.unwrap_or(i64::MAX))
            }
        };
        let due_ms = look_ms.min(forget_ms);
        (due_ms < i64::MAX).then(|| due_ms.max(next_ms))
    }

    fn timer(&self, _shared: &mut (), state: &mut Pulse, life: &mut Life<'_>, at_ms: i64) {
        state.asked_ms = at_ms;
        let end = self.grid.part(at_ms);
        let count = state.counts.between(end.saturating_sub(self.grid.parts), end);
        state.counts.drop_before((end + 1).saturating_sub(self.grid.parts));
        if self.forget_ms(state).is_some_and(|forget_ms| forget_ms <= at_ms) {
            life.close(at_ms, CloseReason::Forgotten, || Words {
                reason: "silent for so long that it is given up".to_owned(),
                figures: Vec::new(),
            });
            *state = self.begin(at_ms);
        } else if life.is_open() {
            if life.is_cleared_for(at_ms, count >= self.min, self.clear_for_ms) {
                life.close(at_ms, CloseReason::Cleared, || self.reason(count));
            }
        } else if self.is_watched(state) && count < self.min {
            let start_ms = at_ms.saturating_sub(self.within_ms);
            let is_whole = state.born_ms().is_some_and(|born_ms| born_ms <= start_ms);
            if is_whole && life.healthy_since_ms() <= start_ms {
                let mut tally = Tally::default();
                tally.illustrate(&state.lines.tally());
                life.open(at_ms, tally, || self.reason(count));
            }
        }
    }

    fn ended(&self, state: &mut Pulse, at_ms: i64) {
        // A key that was named is watched anew; a learned one was switched off, as far as anybody knows, and
        // has to be learned again.
        let born_ms = if state.is_named { at_ms } else { i64::MIN };
        *state = Pulse { is_named: state.is_named, born_ms, ..self.begin(at_ms) };
    }

    fn words(&self, state: &Pulse, _tally: &Tally) -> Words {
        self.reason(state.counts.between(i64::MIN, i64::MAX))
    }

    fn is_vacant(&self, state: &Pulse, _at_ms: i64) -> bool {
        !state.is_named && state.born_ms().is_none()
    }

    fn encode(&self, state: &Pulse, writer: &mut Writer<'_>) {
        state.counts.encode(writer);
        writer.flag(state.is_named);
        writer.flag(state.is_learned);
        writer.size(state.seen.len());
        state.seen.iter().for_each(|window| writer.signed(*window));
        writer.signed_or_none(state.born_ms());
        writer.signed_or_none(Some(state.last_ms).filter(|last_ms| *last_ms > i64::MIN));
        writer.signed(state.asked_ms);
        state.lines.encode(writer);
    }

    fn decode(&self, reader: &mut Reader<'_, '_>) -> Option<Pulse> {
        Some(Pulse {
            counts: Counts::decode(reader)?,
            is_named: reader.flag()?,
            is_learned: reader.flag()?,
            seen: (0..reader.size()?).map(|_| reader.signed()).collect::<Option<_>>()?,
            born_ms: reader.signed_or_none()?.unwrap_or(i64::MIN),
            last_ms: reader.signed_or_none()?.unwrap_or(i64::MIN),
            asked_ms: reader.signed()?,
            lines: Lines::decode(reader)?,
        })
    }

    fn encode_payload(&self, _payload: &(), _writer: &mut Writer<'_>) {}

    fn decode_payload(&self, _reader: &mut Reader<'_, '_>) -> Option<()> {
        Some(())
    }
}
