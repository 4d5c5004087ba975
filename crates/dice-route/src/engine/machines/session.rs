//! Events of a key until a pause: what they were together is looked at when they have ended.

use crate::condition::Condition;
use crate::config::Bound;
use crate::engine::codec::{Reader, Writer};
use crate::engine::life::{Episode, Life};
use crate::engine::machine::{Arrival, Late, Machine, Pass, Seen, Words};
use crate::engine::sources::Tallied;
use crate::engine::tally::{MAX_ORIGINS, Tally};
use crate::engine::words::{duration, plural};

/// Which conditions hold for an event, a bit each, and have held in a session.
const HAS: u8 = 1;
const LACKS: u8 = 2;
const ENDS: u8 = 4;

/// What a session must have been to be told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) count: Option<Bound>,
    pub(crate) duration_ms: Option<Bound>,
    pub(crate) has: Option<Condition>,
    pub(crate) lacks: Option<Condition>,
    pub(crate) ended_without: Option<Condition>,
}

impl Wanted {
    /// Whether more events could make it untrue that a session is one of these.
    fn is_absence(&self) -> bool {
        let is_below = |bound: &Option<Bound>| matches!(bound, Some(Bound::Below(_)));
        self.lacks.is_some()
            || self.ended_without.is_some()
            || is_below(&self.count)
            || is_below(&self.duration_ms)
    }
}

/// Events of a key until a pause.
#[derive(Debug)]
pub(crate) struct Sessions {
    gap_ms: i64,
    max_len_ms: i64,
    wanted: Wanted,
}

/// The session that a key is in.
///
/// Events come here in order, so there is one at most: what is open beside it waits for its time.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct State {
    session: Option<Session>,
}

#[derive(Debug, Clone, PartialEq)]
struct Session {
    start_ms: i64,
    last_ms: i64,
    count: u64,
    /// Of these, how many arrived after their time had been decided.
    late: u32,
    /// What was in it, and what the last event was.
    traits: u8,
    sources: Tallied<MAX_ORIGINS>,
}

impl Sessions {
    /// Sessions that end `gap_ms` after their last event, and at the latest `max_len_ms` after their first.
    pub(crate) fn new(gap_ms: i64, max_len_ms: i64, wanted: Wanted) -> Sessions {
        Sessions { gap_ms: gap_ms.max(1), max_len_ms: max_len_ms.max(1), wanted }
    }

    /// The last moment at which an event still belongs to the session.
    fn end_ms(&self, session: &Session) -> i64 {
        let pause_ms = session.last_ms.saturating_add(self.gap_ms);
        pause_ms.min(session.start_ms.saturating_add(self.max_len_ms))
    }

    fn take(&self, state: &mut State, seen: &Seen<'_, u8>) {
        let at_ms = seen.at_ms;
        let session = state.session.get_or_insert_with(|| {
            let sources = Tallied::default();
            Session { start_ms: at_ms, last_ms: at_ms, count: 0, late: 0, traits: 0, sources }
        });
        session.start_ms = session.start_ms.min(at_ms);
        session.traits |= seen.payload & (HAS | LACKS);
        if at_ms >= session.last_ms {
            session.last_ms = at_ms;
            session.traits = session.traits & !ENDS | seen.payload & ENDS;
        }
        session.count += 1;
        session.sources.add(seen.origin, 1);
    }

    fn end(&self, unknown: &mut u64, state: &mut State, life: &mut Life<'_>) {
        let Some(session) = state.session.take() else { return };
        if self.fires(&session) {
            // What it lacks may have been in what could not be read.
            if self.wanted.is_absence() && life.healthy_since_ms() > session.start_ms {
                *unknown = unknown.saturating_add(1);
                return;
            }
            let words = self.words_of(&session);
            life.instant(self.end_ms(&session), session.tally(), || words);
        }
    }

    fn fires(&self, session: &Session) -> bool {
        let Wanted { count, duration_ms, has, lacks, ended_without } = &self.wanted;
        count.is_none_or(|bound| holds(bound, session.count as f64))
            && duration_ms.is_none_or(|bound| holds(bound, session.duration_ms() as f64))
            && (has.is_none() || session.traits & HAS != 0)
            && (lacks.is_none() || session.traits & LACKS == 0)
            && (ended_without.is_none() || session.traits & ENDS == 0)
    }

    fn words_of(&self, session: &Session) -> Words {
        let events = plural(session.count, "event");
        let mut reason = format!("a session of {events} in {} ended", duration(session.duration_ms()));
        let Wanted { has, lacks, ended_without, .. } = &self.wanted;
        let mut parts = Vec::new();
        parts.extend(has.as_ref().map(|has| format!("with `{has}`")));
        parts.extend(lacks.as_ref().map(|lacks| format!("without `{lacks}`")));
        parts.extend(ended_without.as_ref().map(|end| format!("not by `{end}`")));
        if !parts.is_empty() {
            reason.push(' ');
            reason.push_str(&parts.join(" and "));
        }
        if self.end_ms(session) < session.last_ms.saturating_add(self.gap_ms) {
            reason.push_str(&format!(", cut off after {}", duration(self.max_len_ms)));
        }
        Words { reason, figures: vec![("duration_ms", session.duration_ms() as f64)] }
    }
}

impl Session {
    fn duration_ms(&self) -> i64 {
        self.last_ms.saturating_sub(self.start_ms)
    }

    fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        tally.late = u64::from(self.late);
        tally.see(self.start_ms, self.last_ms, self.count);
        self.sources.iter().for_each(|(origin, count)| tally.add_origin(origin, u64::from(count)));
        tally
    }
}

impl Machine for Sessions {
    type State = State;
    type Payload = u8;
    /// How many sessions ended of which it is not known whether they are wanted.
    type Shared = u64;

    fn pass(&self) -> Pass {
        Pass::InOrder
    }

    fn conditions(&self) -> Vec<&Condition> {
        [&self.wanted.has, &self.wanted.lacks, &self.wanted.ended_without].into_iter().flatten().collect()
    }

    fn payload(&self, arrival: &Arrival<'_>) -> Option<u8> {
        let asked = [&self.wanted.has, &self.wanted.lacks, &self.wanted.ended_without];
        let mut number = 0;
        let mut traits = 0;
        for (condition, bit) in asked.into_iter().zip([HAS, LACKS, ENDS]) {
            if condition.is_some() {
                traits |= if arrival.holds(number) { bit } else { 0 };
                number += 1;
            }
        }
        Some(traits)
    }

    fn begin(&self, _at_ms: i64) -> State {
        State::default()
    }

    fn step(&self, unknown: &mut u64, state: &mut State, life: &mut Life<'_>, seen: &Seen<'_, u8>) {
        // The timer has ended what a pause ended; only an event in the very moment is left to be asked about.
        if state.session.as_ref().is_some_and(|session| self.end_ms(session) < seen.at_ms) {
            self.end(unknown, state, life);
        }
        self.take(state, seen);
    }

    fn takes_late(&self) -> bool {
        true
    }

    fn late(
        &self,
        _: &mut u64,
        state: &mut State,
        life: &mut Life<'_>,
        seen: &Seen<'_, u8>,
        _: &Arrival<'_>,
    ) -> Late {
        let end_ms = seen.at_ms.saturating_add(self.gap_ms);
        let belongs = match &state.session {
            // It could have begun a session that would still go on.
            None => end_ms > life.decided_ms(),
            // With a pause between it and the session, or too long a session, it belongs to one that ended.
            Some(session) => {
                end_ms >= session.start_ms
                    && seen.at_ms <= self.end_ms(session)
                    && session.last_ms.saturating_sub(seen.at_ms) <= self.max_len_ms
            }
        };
        if !belongs {
            return Late::Dropped;
        }
        self.take(state, seen);
        if let Some(session) = &mut state.session {
            session.late = session.late.saturating_add(1);
        }
        Late::Counted
    }

    fn due(&self, state: &State, _: Option<&Episode>) -> Option<i64> {
        Some(self.end_ms(state.session.as_ref()?).saturating_add(1))
    }

    fn timer(&self, unknown: &mut u64, state: &mut State, life: &mut Life<'_>, _at_ms: i64) {
        self.end(unknown, state, life);
    }

    fn words(&self, _: &State, tally: &Tally) -> Words {
        Words { reason: plural(tally.count, "event"), figures: Vec::new() }
    }

    fn is_vacant(&self, state: &State, _at_ms: i64) -> bool {
        state.session.is_none()
    }

    fn origins(&self, state: &State, mark: &mut dyn FnMut(u32)) {
        if let Some(session) = &state.session {
            session.sources.iter().for_each(|(origin, _)| mark(origin));
        }
    }

    fn encode(&self, state: &State, writer: &mut Writer<'_>) {
        writer.flag(state.session.is_some());
        if let Some(session) = &state.session {
            writer.signed(session.start_ms);
            writer.signed(session.last_ms);
            writer.byte(session.traits);
            session.tally().encode(writer);
        }
    }

    fn decode(&self, reader: &mut Reader<'_, '_>) -> Option<State> {
        if !reader.flag()? {
            return Some(State::default());
        }
        let start_ms = reader.signed()?;
        let last_ms = reader.signed()?;
        let traits = reader.byte()?;
        let tally = Tally::decode(reader)?;
        let late = u32::try_from(tally.late).unwrap_or(u32::MAX);
        let mut sources = Tallied::default();
        tally.sources().for_each(|(origin, count)| sources.add(origin, count));
        Some(State {
            session: Some(Session { start_ms, last_ms, count: tally.count, late, traits, sources }),
        })
    }

    fn encode_payload(&self, payload: &u8, writer: &mut Writer<'_>) {
        writer.byte(*payload);
    }

    fn decode_payload(&self, reader: &mut Reader<'_, '_>) -> Option<u8> {
        reader.byte()
    }

    fn lost(&self, unknown: &u64) -> u64 {
        *unknown
    }

    fn encode_shared(&self, unknown: &u64, writer: &mut Writer<'_>) {
        writer.unsigned(*unknown);
    }

    fn decode_shared(&self, reader: &mut Reader<'_, '_>) -> Option<u64> {
        reader.count()
    }
}

fn holds(bound: Bound, figure: f64) -> bool {
    match bound {
        Bound::Above(most) => figure > most,
        Bound::Below(least) => figure < least,
    }
}
