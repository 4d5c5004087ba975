//! Too many or too few different values of a field in a window.

mod too_few;

pub(crate) use too_few::TooFew;

use crate::CloseReason;
use crate::condition::Field;
use crate::engine::codec::{Reader, Writer};
use crate::engine::life::{Episode, Life};
use crate::engine::machine::{Arrival, Machine, Pass, Seen, Words};
use crate::engine::machines::ahead::Ahead;
use crate::engine::machines::distinct::Latest;
use crate::engine::recent::Recent;
use crate::engine::tally::Tally;
use crate::engine::words::{duration, plural};

/// What is looked at: which field, in how long.
#[derive(Debug, Clone)]
pub(crate) struct Values {
    pub(crate) field: Field,
    pub(crate) within_ms: i64,
    /// How long the clear condition has to hold.
    pub(crate) clear_for_ms: i64,
}

impl Values {
    /// The name of the event's value, which stands for the value.
    fn of(&self, arrival: &Arrival<'_>) -> Option<u64> {
        let value = self.field.of(arrival.event)?;
        let mut first = [0; 8];
        first.copy_from_slice(&blake3::hash(value.as_bytes()).as_bytes()[..8]);
        Some(u64::from_le_bytes(first))
    }

    fn words(&self, distinct: usize, before: &str, after: &str) -> Words {
        let (field, window) = (self.field.name(), duration(self.within_ms));
        let values = plural(distinct as u64, "different value");
        Words {
            reason: format!("{before}{values} of `{field}` in {window}{after}"),
            figures: vec![("distinct", distinct as f64)],
        }
    }
}

/// Too many different values.
///
/// An episode opens when some window shorter than the rule's has `needed` of them, and closes when the
/// window that ends now has fewer than `clear`. No more values are kept than these numbers ask for.
#[derive(Debug)]
pub(crate) struct TooMany {
    values: Values,
    needed: usize,
    clear: usize,
}

/// What is known of a key.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    decided: Latest,
    recent: Recent,
    /// Only while something waits, unless there are many values; not saved.
    soon: Option<Box<Soon>>,
}

/// What is known of the events that wait.
#[derive(Debug, Clone, Default)]
struct Soon {
    /// What has not been decided yet.
    ahead: Ahead,
    /// That and what was decided.
    known: Latest,
}

impl TooMany {
    /// More than `most` values; closed with fewer than `clear`.
    pub(crate) fn new(values: Values, most: f64, clear: u32) -> TooMany {
        // A bound beyond all numbers is never passed.
        let needed = (most.max(0.0).floor() as usize).saturating_add(1);
        TooMany { values, needed, clear: (clear.max(1) as usize).min(needed) }
    }

    fn is_over(&self, latest: &Latest, last_close_ms: i64) -> bool {
        let (Some(first_ms), Some(last_ms)) = (latest.nth_ms(self.needed), latest.nth_ms(1)) else {
            return false;
        };
        last_ms.saturating_sub(first_ms) < self.values.within_ms && first_ms > last_close_ms
    }

    fn words_of(&self, distinct: usize) -> Words {
        // No more are counted than are needed.
        let at_least = if distinct >= self.needed { "at least " } else { "" };
        self.values.words(distinct, at_least, &format!(", at most {} wanted", self.needed - 1))
    }

    /// Forgets what is not in the window that ends at this moment; gives how many values are.
    fn count(&self, latest: &mut Latest, at_ms: i64) -> usize {
        latest.forget_before(at_ms.saturating_sub(self.values.within_ms).saturating_add(1));
        latest.len()
    }
}

impl Machine for TooMany {
    type State = State;
    type Payload = u64;
    type Shared = ();

    fn pass(&self) -> Pass {
        Pass::Both
    }

    fn payload(&self, arrival: &Arrival<'_>) -> Option<u64> {
        self.values.of(arrival)
    }

    fn begin(&self, _at_ms: i64) -> State {
        State::default()
    }

    fn note(&self, state: &mut State, seen: &Seen<'_, u64>) {
        let State { decided, soon, .. } = state;
        let soon = soon.get_or_insert_with(|| Box::new(Soon { known: decided.clone(), ..Soon::default() }));
        soon.ahead.add(seen.at_ms, *seen.payload);
        soon.known.add(seen.at_ms, *seen.payload, self.needed);
    }

    fn eager(
        &self,
        _: &mut (),
        state: &mut State,
        life: &mut Life<'_>,
        seen: &Seen<'_, u64>,
        arrival: &Arrival<'_>,
    ) {
        let Some(Soon { known, .. }) = state.soon.as_deref() else { return };
        if !life.is_idle() || !self.is_over(known, life.last_close_ms()) {
            return;
        }
        let at_ms = known.nth_ms(1).unwrap_or(seen.at_ms);
        let mut tally = state.recent.tally();
        tally.add(seen.at_ms, seen.origin);
        tally.show(&arrival.sample());
        life.open(at_ms, tally, || self.words_of(self.needed));
    }

    fn step(&self, _: &mut (), state: &mut State, life: &mut Life<'_>, seen: &Seen<'_, u64>) {
        if let Some(soon) = &mut state.soon {
            soon.ahead.take(seen.at_ms, *seen.payload);
            // What is known is then what was decided, or no longer matters.
            state.soon.take_if(|soon| soon.ahead.is_empty() && state.decided.is_small());
        }
        state.decided.add(seen.at_ms, *seen.payload, self.needed);
        state.recent.add(seen.at_ms, seen.origin, self.values.within_ms);
        let distinct = self.count(&mut state.decided, seen.at_ms);
        if life.is_open() {
            life.count(seen.at_ms, seen.origin);
            // It is for the timer to close: more events of this moment may come.
            life.is_cleared(seen.at_ms, distinct < self.clear);
        } else if self.is_over(&state.decided, life.last_close_ms()) {
            life.open(seen.at_ms, state.recent.tally(), || self.words_of(self.needed));
        }
    }

    fn due(&self, state: &State, episode: Option<&Episode>) -> Option<i64> {
        let episode = episode.filter(|episode| !episode.is_announced)?;
        let change_ms = match (episode.clear_since_ms, state.decided.first_ms()) {
            (Some(since_ms), _) => since_ms.saturating_add(self.values.clear_for_ms),
            // Values leave the window one by one.
            (None, Some(first_ms)) => first_ms.saturating_add(self.values.within_ms),
            (None, None) => episode.opened_ms,
        };
        Some(change_ms.saturating_add(1))
    }

    fn timer(&self, _: &mut (), state: &mut State, life: &mut Life<'_>, at_ms: i64) {
        let now_ms = at_ms.saturating_sub(1);
        let distinct = self.count(&mut state.decided, now_ms);
        if life.is_cleared(now_ms, distinct < self.clear) {
            life.close(now_ms, CloseReason::Cleared, || self.words_of(distinct));
        }
    }

    fn forget(&self, state: &mut State, _at_ms: i64) {
        let soon = state.soon.take().filter(|soon| !soon.ahead.is_empty()).map(|mut soon| {
            soon.known = Latest::default();
            soon.ahead.iter().for_each(|(at_ms, value)| soon.known.add(at_ms, value, self.needed));
            soon
        });
        *state = State { soon, ..State::default() };
    }

    fn words(&self, state: &State, _: &Tally) -> Words {
        let from_ms = state
            .decided
            .nth_ms(1)
            .map_or(i64::MIN, |last_ms| last_ms.saturating_sub(self.values.within_ms).saturating_add(1));
        self.words_of(state.decided.count_from(from_ms))
    }

    fn is_vacant(&self, state: &State, at_ms: i64) -> bool {
        state.decided.nth_ms(1).is_none_or(|last_ms| at_ms.saturating_sub(last_ms) >= self.values.within_ms)
    }

    fn origins(&self, state: &State, mark: &mut dyn FnMut(u32)) {
        state.recent.origins(mark);
    }

    fn encode(&self, state: &State, writer: &mut Writer<'_>) {
        state.decided.encode(writer);
        state.recent.encode(writer);
    }

    fn decode(&self, reader: &mut Reader<'_, '_>) -> Option<State> {
        let decided = Latest::decode(reader)?;
        Some(State { decided, recent: Recent::decode(reader)?, soon: None })
    }

    fn encode_payload(&self, payload: &u64, writer: &mut Writer<'_>) {
        writer.unsigned(*payload);
    }

    fn decode_payload(&self, reader: &mut Reader<'_, '_>) -> Option<u64> {
        reader.unsigned()
    }
}
