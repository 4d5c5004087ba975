//! Whether the steps of a key come all, once, and in their order.

use super::{MAX_PARTIAL_OF_RULE, Payload, Steps, burst_due_ms, burst_words, end_burst, tell};
use crate::condition::Condition;
use crate::engine::codec::{Reader, Writer};
use crate::engine::life::{Episode, Life};
use crate::engine::machine::{Arrival, Machine, Pass, Seen, Words};
use crate::engine::machines::burst::{Burst, Many};
use crate::engine::machines::room::Room;
use crate::engine::tally::Tally;
use crate::engine::words::duration;

/// Steps that are missing, out of order, doubled or unexpected.
///
/// A run begins with any step and lasts for the time that the rule gives it. A later first step begins
/// another one once all steps have come.
#[derive(Debug)]
pub(crate) struct Validation {
    steps: Steps,
    within_ms: i64,
    collapse: Option<Many>,
}

/// The run that a key is in.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct State {
    run: Option<Box<Run>>,
    burst: Burst,
}

/// One run through the steps.
#[derive(Debug, Clone, PartialEq)]
struct Run {
    start_ms: i64,
    /// The steps that came, a bit each.
    seen: u64,
    tally: Tally,
}

impl Validation {
    /// Watches that these steps come within this time. So many faults in so long (milliseconds) are one
    /// episode.
    pub(crate) fn new(steps: Steps, within_ms: i64, collapse: Option<(u32, i64)>) -> Validation {
        Validation { steps, within_ms, collapse: Many::of(collapse) }
    }

    /// Every step, a bit each.
    fn all(&self) -> u64 {
        !u64::MAX.checked_shl(self.steps.len()).unwrap_or(0)
    }

    fn end_ms(&self, run: &Run) -> i64 {
        run.start_ms.saturating_add(self.within_ms)
    }

    /// Takes an event into the run, or begins one. Gives what is wrong with it.
    fn take(&self, room: &mut Room, state: &mut State, seen: &Seen<'_, Payload>) -> Option<Words> {
        let part = seen.payload.part;
        let all = self.all();
        let is_whole = state.run.as_ref().is_some_and(|run| run.seen == all);
        if part.steps & all == 0 {
            let run = state.run.as_mut().filter(|_| !is_whole && (self.steps.is_strict || part.is_not))?;
            run.tally.add(seen.at_ms, seen.origin);
            let reason = format!("something unexpected came after {}", self.steps.names(run.seen));
            return Some(Words { reason, figures: Vec::new() });
        }
        if is_whole && part.is_step(0) {
            room.leave(state.run.take()?.start_ms);
        }
        if state.run.is_none() && !room.enter(seen.at_ms, MAX_PARTIAL_OF_RULE) {
            return None;
        }
        let run = state
            .run
            .get_or_insert_with(|| Box::new(Run { start_ms: seen.at_ms, seen: 0, tally: Tally::default() }));
        run.tally.add(seen.at_ms, seen.origin);
        if let Some(line) = &seen.payload.line {
            run.tally.show(line);
        }
        let open = part.steps & all & !run.seen;
        if open == 0 {
            let name = self.steps.name((part.steps & all).trailing_zeros());
            return Some(Words { reason: format!("`{name}` came twice"), figures: Vec::new() });
        }
        // An event that may be several steps is the first of them that has not come.
        let step = open.trailing_zeros();
        let later = run.seen & (u64::MAX << step);
        run.seen |= 1 << step;
        if later == 0 {
            return None;
        }
        let (name, after) = (self.steps.name(step), self.steps.names(later));
        Some(Words { reason: format!("`{name}` came after {after}"), figures: Vec::new() })
    }

    fn say(&self, state: &mut State, life: &mut Life<'_>, seen: &Seen<'_, Payload>, words: Words) {
        let mut tally = Tally::default();
        tally.add(seen.at_ms, seen.origin);
        if let Some(line) = &seen.payload.line {
            tally.show(line);
        }
        tell(life, &mut state.burst, self.collapse, seen.at_ms, tally, words);
    }

    fn end(&self, room: &mut Room, burst: &mut Burst, life: &mut Life<'_>, run: Run) {
        let is_gone = room.is_gone(run.start_ms);
        room.leave(run.start_ms);
        if run.seen == self.all() || is_gone {
            return;
        }
        // What is missing may have been in what could not be read.
        if life.healthy_since_ms() > run.start_ms {
            room.lose(1);
            return;
        }
        let words = self.missing(&run);
        tell(life, burst, self.collapse, self.end_ms(&run), run.tally, words);
    }

    fn missing(&self, run: &Run) -> Words {
        let steps = self.all() & !run.seen;
        let reason = format!(
            "{} did not come within {} of {}",
            self.steps.names(steps),
            duration(self.within_ms),
            self.steps.names(run.seen)
        );
        Words { reason, figures: vec![("missing", f64::from(steps.count_ones()))] }
    }
}

impl Machine for Validation {
    type State = State;
    type Payload = Payload;
    type Shared = Room;

    fn pass(&self) -> Pass {
        Pass::InOrder
    }

    fn conditions(&self) -> Vec<&Condition> {
        self.steps.conditions()
    }

    fn wants(&self, bits: u64) -> bool {
        self.steps.want(bits)
    }

    fn payload(&self, arrival: &Arrival<'_>) -> Option<Payload> {
        Some(self.steps.payload(arrival, |_| true))
    }

    fn begin(&self, _at_ms: i64) -> State {
        State::default()
    }

    fn step(&self, room: &mut Room, state: &mut State, life: &mut Life<'_>, seen: &Seen<'_, Payload>) {
        if state.run.as_ref().is_some_and(|run| room.is_gone(run.start_ms)) {
            state.run = None;
        }
        if let Some(words) = self.take(room, state, seen) {
            self.say(state, life, seen, words);
        }
    }

    fn due(&self, state: &State, episode: Option<&Episode>) -> Option<i64> {
        let burst_ms = burst_due_ms(&state.burst, self.collapse, episode.map(|episode| episode.opened_ms));
        let end_ms = state.run.as_ref().map(|run| self.end_ms(run).saturating_add(1));
        [burst_ms, end_ms].into_iter().flatten().min()
    }

    fn timer(&self, room: &mut Room, state: &mut State, life: &mut Life<'_>, at_ms: i64) {
        if let Some(run) = state.run.take_if(|run| self.end_ms(run) < at_ms) {
            self.end(room, &mut state.burst, life, *run);
        }
        end_burst(life, &mut state.burst, self.collapse, at_ms);
    }

    fn ended(&self, state: &mut State, _at_ms: i64) {
        state.burst.close();
    }

    fn drop_state(&self, room: &mut Room, state: &State) {
        let Some(run) = &state.run else { return };
        if !room.is_gone(run.start_ms) {
            room.leave(run.start_ms);
            room.lose(u64::from(run.seen != self.all()));
        }
    }

    fn adopt_state(&self, room: &mut Room, state: &State, _key: &[u8]) {
        if let Some(run) = &state.run {
            room.adopt(run.start_ms);
        }
    }

    fn words(&self, _: &State, tally: &Tally) -> Words {
        burst_words(tally)
    }

    fn is_vacant(&self, state: &State, at_ms: i64) -> bool {
        state.run.is_none() && state.burst.is_over(at_ms, self.collapse)
    }

    fn origins(&self, state: &State, mark: &mut dyn FnMut(u32)) {
        if let Some(run) = &state.run {
            run.tally.origins(mark);
        }
    }

    fn encode(&self, state: &State, writer: &mut Writer<'_>) {
        writer.flag(state.run.is_some());
        if let Some(run) = &state.run {
            writer.signed(run.start_ms);
            writer.unsigned(run.seen);
            run.tally.encode(writer);
        }
        state.burst.encode(writer);
    }

    fn decode(&self, reader: &mut Reader<'_, '_>) -> Option<State> {
        let run = if reader.flag()? {
            let start_ms = reader.signed()?;
            let seen = reader.unsigned()?;
            Some(Box::new(Run { start_ms, seen, tally: Tally::decode(reader)? }))
        } else {
            None
        };
        Some(State { run, burst: Burst::decode(reader)? })
    }

    fn encode_payload(&self, payload: &Payload, writer: &mut Writer<'_>) {
        payload.encode(writer);
    }

    fn decode_payload(&self, reader: &mut Reader<'_, '_>) -> Option<Payload> {
        Payload::decode(reader)
    }

    fn pending(&self, room: &Room) -> usize {
        room.len()
    }

    fn lost(&self, room: &Room) -> u64 {
        room.lost()
    }

    fn encode_shared(&self, room: &Room, writer: &mut Writer<'_>) {
        room.encode(writer);
    }

    fn decode_shared(&self, reader: &mut Reader<'_, '_>) -> Option<Room> {
        Room::decode(reader)
    }
}
