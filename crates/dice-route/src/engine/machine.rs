//! How a type of rule plugs into the engine.
//!
//! A machine is the rule's settings and knows what its type does; what it keeps for a key is its `State`.
//! It is handed the events that its rule looks at, decides, and says so through the [`Life`] of the key.
//! Everything else is common: keys and their number, the buffer that puts events in order, timers, episodes
//! and their numbers, evidence, late events, saving.
//!
//! An event goes this way. On arrival [`Machine::payload`] takes from it what the rule needs; nothing else
//! of it is kept. Where [`Machine::pass`] is
//!
//! - [`Pass::Arrival`]: [`Machine::eager`] decides at once, late events included.
//! - [`Pass::InOrder`]: it waits until its time has come; [`Machine::step`] decides. Late ones are counted.
//! - [`Pass::Both`]: [`Machine::note`] and [`Machine::eager`] see it on arrival and may announce an episode
//!   early with [`Life::open`]; it then waits, and [`Machine::step`] decides. When `step` opens what was
//!   announced, nothing is said again. `eager` may only announce what `step` is bound to open.
//!
//! What `note` writes into the state is *not* saved: after a restart `note` is called again for what still
//! waits, in the order of arrival. Everything else is saved by `encode`, and `encode` must give the same bytes
//! after `decode`.

use std::cell::OnceCell;
use std::sync::Arc;

use super::codec::{Reader, Writer};
use super::keys::KeyText;
use super::life::Life;
use super::origin::Sample;
use super::tally::Tally;
use crate::Event;
use crate::condition::Condition;
use crate::config::Timing;

/// When a machine decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    /// When an event arrives.
    Arrival,
    /// When an event's time has come.
    InOrder,
    /// When an event's time has come; what is bound to follow is announced when it arrives.
    Both,
}

/// An event that a machine looks at on its arrival.
#[derive(Debug)]
pub(crate) struct Arrival<'e> {
    /// The event.
    pub(crate) event: &'e Event,
    /// When it happened.
    pub(crate) at_ms: i64,
    /// Which conditions hold: bit 0 is the rule's own, bit `n` is number `n - 1` of
    /// [`Machine::conditions`].
    pub(crate) bits: u64,
    /// Where it came from.
    pub(crate) origin: u32,
    /// The line, made when first asked for.
    pub(crate) line: &'e OnceCell<Arc<Sample>>,
}

impl Arrival<'_> {
    /// Whether the condition with this number holds, counted as in [`Machine::conditions`].
    pub(crate) fn holds(&self, condition: usize) -> bool {
        self.bits & (2 << condition) != 0
    }

    /// The line, for showing.
    pub(crate) fn sample(&self) -> Arc<Sample> {
        self.line.get_or_init(|| Arc::new(Sample::of(self.event, self.at_ms))).clone()
    }
}

/// What is left of an event once it has arrived.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'p, P> {
    /// When it happened.
    pub(crate) at_ms: i64,
    /// Where it came from, for a [`Tally`].
    pub(crate) origin: u32,
    /// What the machine took from it.
    pub(crate) payload: &'p P,
}

/// What a machine tells a reader.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Words {
    /// Why, without a full stop: `20 in 5m, threshold 20`.
    pub(crate) reason: String,
    /// Figures it decided by, with their names.
    pub(crate) figures: Vec<(&'static str, f64)>,
}

/// What became of a late event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Late {
    /// It was taken into account.
    Counted,
    /// It changed nothing.
    Dropped,
}

/// A type of rule.
pub(crate) trait Machine: Send + Sync {
    /// What is kept for one key.
    type State: Send + Sync;
    /// What is kept of an event until its time has come; saved with it.
    type Payload: Clone + Send + Sync;
    /// What is kept once for the rule: saved when [`Machine::encode_shared`] writes something.
    type Shared: Default + Send + Sync;

    /// When it decides.
    fn pass(&self) -> Pass;

    /// Further conditions it asks about, at most 63.
    fn conditions(&self) -> Vec<&Condition> {
        Vec::new()
    }

    /// Whether it looks at an event for which these conditions hold, numbered as in [`Arrival::bits`]. More
    /// conditions must not make it look away: it is also asked with everything that may hold.
    fn wants(&self, bits: u64) -> bool {
        bits & 1 != 0
    }

    /// Changes the rule's key, for types that keep something smaller or larger than a key apart.
    fn extend_key(&self, _payload: &Self::Payload, _key: &mut KeyText) {}

    /// Whether [`Machine::extend_key`] does something.
    fn extends_key(&self) -> bool {
        false
    }

    /// Keys that are kept.
    fn max_keys(&self, timing: &Timing) -> usize {
        timing.max_keys
    }

    /// Keys that are there from the start.
    fn seeds(&self) -> Vec<Vec<String>> {
        Vec::new()
    }

    /// A key is there from the start, which is `at_ms`.
    fn seed(&self, _state: &mut Self::State, _at_ms: i64) {}

    /// Whether the key stays however many there are, and does not count.
    fn is_pinned(&self, _state: &Self::State) -> bool {
        false
    }

    /// What is kept of an event; `None` leaves it out.
    fn payload(&self, arrival: &Arrival<'_>) -> Option<Self::Payload>;

    /// The state of a new key whose first event was at `at_ms`. Gives the same for every `at_ms` unless the
    /// type needs the age of keys.
    fn begin(&self, at_ms: i64) -> Self::State;

    /// The same for a type to which some keys are special.
    fn begin_key(&self, _key: &[u8], at_ms: i64) -> Self::State {
        self.begin(at_ms)
    }

    /// Remembers an event that waits, in what is not saved. Only for [`Pass::Both`].
    fn note(&self, _state: &mut Self::State, _seen: &Seen<'_, Self::Payload>) {}

    /// An event arrives, after [`Machine::note`]; `life.is_late()` tells whether its time has been decided
    /// (only where [`Pass::Arrival`]).
    fn eager(
        &self,
        _shared: &mut Self::Shared,
        _state: &mut Self::State,
        _life: &mut Life<'_>,
        _seen: &Seen<'_, Self::Payload>,
        _arrival: &Arrival<'_>,
    ) {
    }

    /// An event's time has come.
    fn step(
        &self,
        _shared: &mut Self::Shared,
        _state: &mut Self::State,
        _life: &mut Life<'_>,
        _seen: &Seen<'_, Self::Payload>,
    ) {
    }

    /// Whether [`Machine::late`] can do something for a key that has no state.
    fn takes_late(&self) -> bool {
        false
    }

    /// An event arrived whose time had been decided. It was counted for the open episode, if there is one.
    /// Not for [`Pass::Arrival`], which gets late events like others.
    fn late(
        &self,
        _shared: &mut Self::Shared,
        _state: &mut Self::State,
        _life: &mut Life<'_>,
        _seen: &Seen<'_, Self::Payload>,
        _arrival: &Arrival<'_>,
    ) -> Late {
        Late::Dropped
    }

    /// When [`Machine::timer`] wants to be called: after every event before this moment, and before those at
    /// it and later. A timer that counts the events *at* a moment asks for one millisecond later.
    fn due(&self, _state: &Self::State, _episode: Option<&super::life::Episode>) -> Option<i64> {
        None
    }

    /// It is time: `at_ms` is what [`Machine::due`] said. It must say something later, or nothing, from now
    /// on.
    fn timer(&self, _shared: &mut Self::Shared, _state: &mut Self::State, _life: &mut Life<'_>, _at_ms: i64) {
    }

    /// The episode was ended by somebody else: a person, or for want of room.
    fn ended(&self, _state: &mut Self::State, _at_ms: i64) {}

    /// The key has to go for want of room, but has events that wait: only what [`Machine::note`] wrote stays.
    fn forget(&self, state: &mut Self::State, at_ms: i64) {
        *state = self.begin(at_ms);
    }

    /// The state goes away: whatever [`Machine::Shared`] counts of it, too.
    fn drop_state(&self, _shared: &mut Self::Shared, _state: &Self::State) {}

    /// The state has come back from disk: whatever [`Machine::Shared`] counts of it, and does not save
    /// itself, has to be counted again.
    fn adopt_state(&self, _shared: &mut Self::Shared, _state: &Self::State, _key: &[u8]) {}

    /// How much of what all keys share the room for is kept.
    fn pending(&self, _shared: &Self::Shared) -> usize {
        0
    }

    /// How much of that was given up: for want of room, or because it could not be known.
    fn lost(&self, _shared: &Self::Shared) -> u64 {
        0
    }

    /// What a reader is told of an open episode that goes on.
    fn words(&self, state: &Self::State, tally: &Tally) -> Words;

    /// Whether the state says nothing that a new key's state would not, now that it is `at_ms`. Such keys are
    /// given up without a loss.
    fn is_vacant(&self, _state: &Self::State, _at_ms: i64) -> bool {
        false
    }

    /// The origins that the state refers to, beside those in the episode's tally.
    fn origins(&self, _state: &Self::State, _mark: &mut dyn FnMut(u32)) {}

    /// Writes the state.
    fn encode(&self, state: &Self::State, writer: &mut Writer<'_>);

    /// Reads a state; any bytes may come.
    fn decode(&self, reader: &mut Reader<'_, '_>) -> Option<Self::State>;

    /// Writes what waits of an event.
    fn encode_payload(&self, payload: &Self::Payload, writer: &mut Writer<'_>);

    /// Reads it.
    fn decode_payload(&self, reader: &mut Reader<'_, '_>) -> Option<Self::Payload>;

    /// Writes what is kept once for the rule.
    fn encode_shared(&self, _shared: &Self::Shared, _writer: &mut Writer<'_>) {}

    /// Reads it.
    fn decode_shared(&self, _reader: &mut Reader<'_, '_>) -> Option<Self::Shared> {
        Some(Self::Shared::default())
    }
}
