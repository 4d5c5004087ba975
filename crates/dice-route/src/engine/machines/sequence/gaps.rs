//! Numbers that are missing in a sequence of numbers.
//!
//! Events come here when the lateness is over, in the order of their times. A program that writes from several
//! threads gives a higher number an earlier time now and then, so a missing number may still come for a while
//! that the rule sets: with none, it is told as soon as the lateness is over.

use std::sync::Arc;

use super::{MAX_PARTIAL_OF_RULE, burst_due_ms, burst_words, end_burst, tell};
use crate::condition::Field;
use crate::engine::codec::{Reader, Writer};
use crate::engine::life::{Episode, Life};
use crate::engine::machine::{Arrival, Late, Machine, Pass, Seen, Words};
use crate::engine::machines::burst::{Burst, Many};
use crate::engine::machines::room::{Queue, Room, Waits};
use crate::engine::origin::Sample;
use crate::engine::tally::Tally;
use crate::engine::words::duration;

/// How many numbers from the beginning on have to come in a row for the numbers to begin anew.
const RESTART: u32 = 2;

/// Numbers that are missing in a field, when they are still missing after a while.
#[derive(Debug)]
pub(crate) struct Gaps {
    field: Field,
    /// How much later than a higher number a missing one may have happened.
    within_ms: i64,
    max_gaps: usize,
    collapse: Option<Many>,
}

/// What is known of a key.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct State {
    /// One more than the highest number, and when that came; `None` before the first.
    next: Option<(u64, i64)>,
    /// Missing numbers whose time is not over, oldest first.
    gaps: Queue<Gap>,
    /// Perhaps the numbers begin anew: which would be the next one, and how many came.
    restart: Option<(u64, u32)>,
    burst: Burst,
}

/// A range of missing numbers.
#[derive(Debug, Clone, PartialEq)]
struct Gap {
    first: u64,
    last: u64,
    /// When the number before it came.
    after_ms: i64,
    /// When the number after it came, from where, and its line.
    since_ms: i64,
    origin: u32,
    line: Arc<Sample>,
}

/// What is kept of an event.
#[derive(Debug, Clone)]
pub(crate) struct Payload {
    number: u64,
    line: Arc<Sample>,
}

impl Gaps {
    /// Watches the numbers of a field. A missing one may have happened `within_ms` later than a higher one; of a key, `max_gaps` are
    /// remembered. So many in so long (milliseconds) are one episode.
    pub(crate) fn new(field: &Field, within_ms: i64, max_gaps: usize, collapse: Option<(u32, i64)>) -> Gaps {
        let max_gaps = max_gaps.max(1);
        Gaps { field: field.clone(), within_ms, max_gaps, collapse: Many::of(collapse) }
    }

    fn end_ms(&self, since_ms: i64) -> i64 {
        since_ms.saturating_add(self.within_ms)
    }

    fn words_of(&self, gap: &Gap) -> Words {
        let n = (gap.last - gap.first).saturating_add(1);
        let field = self.field.name();
        let (numbers, they) = if n == 1 {
            (format!("`{field}` {} is missing", gap.first), "it")
        } else {
            (format!("`{field}` {} to {} are missing, {n} numbers", gap.first, gap.last), "they")
        };
        let waited = match self.within_ms {
            ..=0 => String::new(),
            within_ms => format!(": {they} did not come within {}", duration(within_ms)),
        };
        Words {
            reason: format!("{numbers}{waited}"),
            figures: vec![("first", gap.first as f64), ("last", gap.last as f64), ("missing", n as f64)],
        }
    }
}

impl Waits for Gap {
    fn since_ms(&self) -> i64 {
        self.since_ms
    }
}

impl State {
    /// A missing number came; `false` if it is not missing.
    fn fill(&mut self, room: &mut Room, number: u64) -> bool {
        let Some(index) = self.gaps.iter().position(|gap| (gap.first..=gap.last).contains(&number)) else {
            return false;
        };
        let Some(gap) = self.gaps.take(room, index) else { return false };
        if number < gap.last {
            self.gaps.put_back(room, index, Gap { first: number + 1, ..gap.clone() });
        }
        if gap.first < number {
            self.gaps.put_back(room, index, Gap { last: number - 1, ..gap });
        }
        true
    }

    /// A number that was there before: doubled, or the program was started anew and counts from the
    /// beginning.
    fn take_low(&mut self, number: u64, at_ms: i64) {
        self.restart = match self.restart {
            Some((expected, n)) if expected == number => Some((number.saturating_add(1), n + 1)),
            _ if number <= 1 => Some((number + 1, 1)),
            other => other,
        };
        if let Some((expected, _)) = self.restart.filter(|(_, n)| *n >= RESTART) {
            self.next = Some((expected, at_ms));
            self.restart = None;
        }
    }
}

impl Machine for Gaps {
    type State = State;
    type Payload = Payload;
    type Shared = Room;

    fn pass(&self) -> Pass {
        Pass::InOrder
    }

    fn payload(&self, arrival: &Arrival<'_>) -> Option<Payload> {
        let number = self.field.of(arrival.event)?.trim().parse().ok()?;
        Some(Payload { number, line: arrival.sample() })
    }

    fn begin(&self, _at_ms: i64) -> State {
        State::default()
    }

    fn step(&self, room: &mut Room, state: &mut State, _: &mut Life<'_>, seen: &Seen<'_, Payload>) {
        state.gaps.forget_gone(room);
        let Payload { number, line } = seen.payload;
        let number = *number;
        let following = Some((number.saturating_add(1), seen.at_ms));
        let Some((next, after_ms)) = state.next else {
            state.next = following;
            return;
        };
        if number < next {
            if !state.fill(room, number) {
                state.take_low(number, seen.at_ms);
            }
        } else {
            state.restart = None;
            state.next = following;
            if number > next {
                let (since_ms, origin, line) = (seen.at_ms, seen.origin, line.clone());
                let gap = Gap { first: next, last: number - 1, after_ms, since_ms, origin, line };
                state.gaps.enter(room, MAX_PARTIAL_OF_RULE, gap);
            }
        }
        while state.gaps.len() > self.max_gaps {
            state.gaps.take(room, 0);
            room.lose(1);
        }
    }

    fn late(
        &self,
        room: &mut Room,
        state: &mut State,
        _: &mut Life<'_>,
        seen: &Seen<'_, Payload>,
        _: &Arrival<'_>,
    ) -> Late {
        // A number that was read late is not missing.
        if state.fill(room, seen.payload.number) { Late::Counted } else { Late::Dropped }
    }

    fn due(&self, state: &State, episode: Option<&Episode>) -> Option<i64> {
        let burst_ms = burst_due_ms(&state.burst, self.collapse, episode.map(|episode| episode.opened_ms));
        let end_ms = state.gaps.first().map(|gap| self.end_ms(gap.since_ms).saturating_add(1));
        [burst_ms, end_ms].into_iter().flatten().min()
    }

    fn timer(&self, room: &mut Room, state: &mut State, life: &mut Life<'_>, at_ms: i64) {
        while let Some(gap) = state.gaps.take_first(room, |since_ms| self.end_ms(since_ms) < at_ms) {
            // What is missing may have been in what could not be read.
            if life.healthy_since_ms() > gap.after_ms {
                room.lose(1);
                continue;
            }
            let mut tally = Tally::default();
            tally.add(gap.since_ms, gap.origin);
            tally.show(&gap.line);
            let words = self.words_of(&gap);
            tell(life, &mut state.burst, self.collapse, self.end_ms(gap.since_ms), tally, words);
        }
        end_burst(life, &mut state.burst, self.collapse, at_ms);
    }

    fn ended(&self, state: &mut State, _at_ms: i64) {
        state.burst.close();
    }

    fn drop_state(&self, room: &mut Room, state: &State) {
        state.gaps.drop_from(room);
    }

    fn adopt_state(&self, room: &mut Room, state: &State, _key: &[u8]) {
        state.gaps.adopt_into(room);
    }

    fn words(&self, _: &State, tally: &Tally) -> Words {
        burst_words(tally)
    }

    fn origins(&self, state: &State, mark: &mut dyn FnMut(u32)) {
        state.gaps.iter().for_each(|gap| mark(gap.origin));
    }

    fn encode(&self, state: &State, writer: &mut Writer<'_>) {
        writer.flag(state.next.is_some());
        let (next, next_ms) = state.next.unwrap_or((0, 0));
        writer.unsigned(next);
        writer.signed(next_ms);
        state.gaps.encode(writer, |gap, writer| {
            writer.unsigned(gap.first);
            writer.unsigned(gap.last);
            writer.signed(gap.after_ms);
            writer.signed(gap.since_ms);
            writer.origin(gap.origin);
            writer.sample(Some(&gap.line));
        });
        let (expected, n) = state.restart.unwrap_or((0, 0));
        writer.unsigned(u64::from(n));
        writer.unsigned(expected);
        state.burst.encode(writer);
    }

    fn decode(&self, reader: &mut Reader<'_, '_>) -> Option<State> {
        let has_next = reader.flag()?;
        let next = Some((reader.unsigned()?, reader.signed()?)).filter(|_| has_next);
        let gaps = Queue::decode(reader, |reader| {
            let (first, last) = (reader.unsigned()?, reader.unsigned()?);
            Some(Gap {
                first,
                last: Some(last).filter(|last| *last >= first)?,
                after_ms: reader.signed()?,
                since_ms: reader.signed()?,
                origin: reader.origin()?,
                line: reader.sample()??,
            })
        })?;
        let n = reader.unsigned_32()?;
        let expected = reader.unsigned()?;
        let restart = (n > 0).then_some((expected, n));
        Some(State { next, gaps, restart, burst: Burst::decode(reader)? })
    }

    fn encode_payload(&self, payload: &Payload, writer: &mut Writer<'_>) {
        writer.unsigned(payload.number);
        writer.sample(Some(&payload.line));
    }

    fn decode_payload(&self, reader: &mut Reader<'_, '_>) -> Option<Payload> {
        Some(Payload { number: reader.unsigned()?, line: reader.sample()?? })
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
