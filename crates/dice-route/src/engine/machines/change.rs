//! A field has another value than before; many changes in a short time are one flapping episode.

use std::fmt;
use std::sync::Arc;

use crate::CloseReason;
use crate::condition::Field;
use crate::engine::bytes::Bytes;
use crate::engine::codec::{Reader, Writer};
use crate::engine::life::{Episode, Life};
use crate::engine::machine::{Arrival, Late, Machine, Pass, Seen, Words};
use crate::engine::machines::burst::{Burst, Instant, Many};
use crate::engine::origin::Sample;
use crate::engine::tally::Tally;
use crate::engine::words::{cut, duration, plural};

/// Bytes of a value that are kept to be shown.
const SHOWN_BYTES: usize = 48;

/// A field has another value than before.
#[derive(Debug)]
pub(crate) struct Changes {
    field: Field,
    within_ms: Option<i64>,
    /// Names of values, from which to which.
    ignore: Vec<(Hash, Hash)>,
    with_null: bool,
    flap: Option<Many>,
}

/// What is known of a key: the value it has, since when, and when it changed.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct State {
    value: Option<(Value, i64)>,
    changes: Burst,
}

/// A value: enough of it to be recognised and to be shown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Value {
    hash: Hash,
    /// Its beginning, which is text; `None` where the event had no such field.
    shown: Option<Bytes<22>>,
}

/// A name of a value that may be missing; a missing one has a name that no text has.
type Hash = [u8; 16];

/// What is kept of an event.
#[derive(Debug, Clone)]
pub(crate) struct Payload {
    value: Value,
    line: Arc<Sample>,
}

impl Changes {
    /// Watches this field. With `within_ms` an older value is none; `ignore` are changes that do not count;
    /// `with_null` makes an event without the field one with a value; `flap` is how many changes in how long
    /// (milliseconds) are one episode.
    pub(crate) fn new(
        field: &Field,
        within_ms: Option<i64>,
        ignore: &[(String, String)],
        with_null: bool,
        flap: Option<(u32, i64)>,
    ) -> Changes {
        let ignore = ignore.iter().map(|(from, to)| (value_hash(Some(from)), value_hash(Some(to)))).collect();
        Changes { field: field.clone(), within_ms, ignore, with_null, flap: Many::of(flap) }
    }

    fn take(&self, state: &mut State, life: &mut Life<'_>, seen: &Seen<'_, Payload>) {
        let at_ms = seen.at_ms;
        let before = state.value.replace((seen.payload.value.clone(), at_ms));
        let (Some((before, seen_ms)), value) = (before, &seen.payload.value) else { return };
        let is_recent = self.within_ms.is_none_or(|within_ms| at_ms.saturating_sub(seen_ms) <= within_ms);
        if before.hash == value.hash || !is_recent || self.ignore.contains(&(before.hash, value.hash)) {
            return;
        }
        let name = self.field.name();
        let mut tally = Tally::default();
        match state.changes.take(at_ms, life.is_open(), self.flap) {
            Instant::Alone => {
                tally.add(at_ms, seen.origin);
                tally.show(&seen.payload.line);
                life.instant(at_ms, tally, || Words {
                    reason: format!("`{name}` changed from {before} to {value}"),
                    figures: Vec::new(),
                });
            }
            Instant::First(times, first_ms) => {
                tally.add_many(first_ms, at_ms, seen.origin, times);
                tally.show(&seen.payload.line);
                let window = duration(self.flap.map_or(0, |many| many.window_ms));
                life.open(at_ms, tally, || Words {
                    reason: format!(
                        "`{name}` is flapping: {} in {window}, the last from {before} to {value}",
                        plural(times, "change")
                    ),
                    figures: vec![("changes", times as f64)],
                });
            }
            Instant::More => {
                life.count(at_ms, seen.origin);
                if let Some(tally) = life.tally() {
                    tally.show(&seen.payload.line);
                }
            }
        }
    }
}

impl Machine for Changes {
    type State = State;
    type Payload = Payload;
    type Shared = ();

    fn pass(&self) -> Pass {
        Pass::InOrder
    }

    fn payload(&self, arrival: &Arrival<'_>) -> Option<Payload> {
        let value = self.field.of(arrival.event);
        if value.is_none() && !self.with_null {
            return None;
        }
        Some(Payload { value: Value::of(value.as_deref()), line: arrival.sample() })
    }

    fn begin(&self, _at_ms: i64) -> State {
        State::default()
    }

    fn step(&self, _: &mut (), state: &mut State, life: &mut Life<'_>, seen: &Seen<'_, Payload>) {
        self.take(state, life, seen);
    }

    fn takes_late(&self) -> bool {
        true
    }

    fn late(
        &self,
        _: &mut (),
        state: &mut State,
        life: &mut Life<'_>,
        seen: &Seen<'_, Payload>,
        _: &Arrival<'_>,
    ) -> Late {
        // What came after it is known: what it was before that does not matter any more.
        if state.value.as_ref().is_some_and(|(_, seen_ms)| seen.at_ms < *seen_ms) {
            return Late::Dropped;
        }
        self.take(state, life, seen);
        Late::Counted
    }

    fn due(&self, state: &State, episode: Option<&Episode>) -> Option<i64> {
        let opened_ms = episode?.opened_ms;
        Some(state.changes.end_ms(self.flap).unwrap_or(opened_ms).saturating_add(1))
    }

    fn timer(&self, _: &mut (), state: &mut State, life: &mut Life<'_>, at_ms: i64) {
        let end_ms = state.changes.end_ms(self.flap).unwrap_or(at_ms.saturating_sub(1));
        state.changes.close();
        life.close(end_ms, CloseReason::Cleared, || Words {
            reason: format!(
                "`{}` did not change for {}{}",
                self.field.name(),
                duration(self.flap.map_or(0, |many| many.window_ms)),
                state.is()
            ),
            figures: Vec::new(),
        });
    }

    fn ended(&self, state: &mut State, _at_ms: i64) {
        state.changes.close();
    }

    fn words(&self, state: &State, tally: &Tally) -> Words {
        Words {
            reason: format!(
                "`{}` is flapping: {}{}",
                self.field.name(),
                plural(tally.count, "change"),
                state.is()
            ),
            figures: vec![("changes", tally.count as f64)],
        }
    }

    fn is_vacant(&self, state: &State, at_ms: i64) -> bool {
        // A value that is too old for a change is as good as none.
        let is_old =
            |seen_ms: i64| self.within_ms.is_some_and(|within_ms| at_ms.saturating_sub(seen_ms) > within_ms);
        state.value.as_ref().is_none_or(|(_, seen_ms)| is_old(*seen_ms))
            && state.changes.is_over(at_ms, self.flap)
    }

    fn encode(&self, state: &State, writer: &mut Writer<'_>) {
        writer.flag(state.value.is_some());
        if let Some((value, seen_ms)) = &state.value {
            value.encode(writer);
            writer.signed(*seen_ms);
        }
        state.changes.encode(writer);
    }

    fn decode(&self, reader: &mut Reader<'_, '_>) -> Option<State> {
        let value = if reader.flag()? { Some((Value::decode(reader)?, reader.signed()?)) } else { None };
        Some(State { value, changes: Burst::decode(reader)? })
    }

    fn encode_payload(&self, payload: &Payload, writer: &mut Writer<'_>) {
        payload.value.encode(writer);
        writer.sample(Some(&payload.line));
    }

    fn decode_payload(&self, reader: &mut Reader<'_, '_>) -> Option<Payload> {
        Some(Payload { value: Value::decode(reader)?, line: reader.sample()?? })
    }
}

impl State {
    fn is(&self) -> String {
        self.value.as_ref().map_or_else(String::new, |(value, _)| format!(", it is {value}"))
    }
}

fn value_hash(value: Option<&str>) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[u8::from(value.is_some())]);
    hasher.update(value.unwrap_or_default().as_bytes());
    let mut first = [0; 16];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    first
}

impl Value {
    fn of(text: Option<&str>) -> Value {
        let shown = text.map(|text| match cut(text, SHOWN_BYTES) {
            whole if whole.len() == text.len() => Bytes::from(whole.as_bytes()),
            start => Bytes::from(format!("{start}…").into_bytes()),
        });
        Value { hash: value_hash(text), shown }
    }

    fn encode(&self, writer: &mut Writer<'_>) {
        writer.blob(&self.hash);
        writer.text_or_none(self.text());
    }

    fn decode(reader: &mut Reader<'_, '_>) -> Option<Value> {
        let hash = reader.blob()?.try_into().ok()?;
        Some(Value { hash, shown: reader.text_or_none()?.map(|text| Bytes::from(text.as_bytes())) })
    }

    /// What is shown of it.
    fn text(&self) -> Option<&str> {
        let shown = self.shown.as_deref()?;
        Some(std::str::from_utf8(shown).expect("it is made of a text"))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text() {
            Some(shown) => write!(f, "`{shown}`"),
            None => f.write_str("nothing"),
        }
    }
}
