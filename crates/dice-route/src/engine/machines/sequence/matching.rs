//! Whole matches of a sequence.
//!
//! Contiguity is relaxed unless the rule is strict: every beginning takes the next event that is its next
//! step. So one first step gives one match at most, and two strategies differ: either a match takes
//! everything before its end with it, or all beginnings go on.
//!
//! Where more events cannot undo a match it is said as soon as it is complete: of the events that wait, in
//! their order, it is found out how many matches they make. No further event makes them fewer.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{MAX_PARTIAL_OF_RULE, Payload, Steps, burst_due_ms, burst_words, end_burst, tell};
use crate::condition::Condition;
use crate::config::Skip;
use crate::engine::codec::{Reader, Writer};
use crate::engine::life::{Episode, Life};
use crate::engine::machine::{Arrival, Machine, Pass, Seen, Words};
use crate::engine::machines::burst::{Burst, Many};
use crate::engine::machines::room::Room;
use crate::engine::origin::Sample;
use crate::engine::tally::Tally;
use crate::engine::words::duration;

/// Events of a key that may wait for their matches to be said ahead; with more it is waited for their time.
const MAX_AHEAD: usize = 1024;

/// Whole matches of a sequence.
#[derive(Debug)]
pub(crate) struct WholeMatches {
    steps: Steps,
    within_ms: i64,
    skip: Skip,
    max_partial: usize,
    collapse: Option<Many>,
}

/// What is known of a key.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    decided: Beginnings,
    burst: Burst,
    /// Only while something waits.
    soon: Option<Box<Soon>>,
}

/// What is known of the events that wait.
#[derive(Debug, Clone, Default)]
struct Soon {
    /// Matches that were said ahead and are not decided yet.
    announced: usize,
    /// What waits, in order; not saved.
    waiting: VecDeque<Waiting>,
    /// What comes of it, if that is known; not saved.
    ahead: Option<Ahead>,
}

/// Where an event stands in the order of all events.
type Place = (i64, u32, u64);

#[derive(Debug, Clone)]
struct Waiting {
    place: Place,
    origin: u32,
    payload: Payload,
}

/// What comes of the events that wait.
#[derive(Debug, Clone)]
struct Ahead {
    beginnings: Beginnings,
    /// The matches that end in an event that waits, in order.
    matches: VecDeque<Match>,
}

/// The beginnings of matches, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Beginnings {
    partial: Vec<Partial>,
}

impl Beginnings {
    fn push(&mut self, partial: Partial) {
        if self.partial.len() == self.partial.capacity() {
            // Most keys have one: room for four at once would cost them more than that.
            self.partial.reserve_exact(1 + self.partial.len() / 2);
        }
        self.partial.push(partial);
    }

    fn remove(&mut self, place: usize) -> Option<Partial> {
        (place < self.partial.len()).then(|| self.partial.remove(place))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Partial {
    start_ms: i64,
    origin: u32,
    /// Steps done.
    done: u32,
}

/// A whole match.
#[derive(Debug, Clone)]
struct Match {
    start_ms: i64,
    end_ms: i64,
    origins: (u32, u32),
    line: Option<Arc<Sample>>,
}

/// What an event did to the beginnings.
#[derive(Debug, Default)]
struct Step {
    matches: Vec<Match>,
    /// When those began that are no more.
    ended: Vec<i64>,
    /// The event began one.
    is_begun: bool,
    /// This many had to go for want of room, though they could have been matches.
    n_lost: u64,
}

impl WholeMatches {
    /// Matches of these steps within this time. At most `max_partial` beginnings of a key are kept; so many
    /// matches in so long (milliseconds) are one episode.
    pub(crate) fn new(
        steps: Steps,
        within_ms: i64,
        skip: Skip,
        max_partial: usize,
        collapse: Option<(u32, i64)>,
    ) -> WholeMatches {
        WholeMatches { steps, within_ms, skip, max_partial: max_partial.max(1), collapse: Many::of(collapse) }
    }

    fn advance(&self, beginnings: &mut Beginnings, at_ms: i64, origin: u32, payload: &Payload) -> Step {
        let mut step = Step::default();
        let part = payload.part;
        let done =
            Match { start_ms: at_ms, end_ms: at_ms, origins: (origin, origin), line: payload.line.clone() };
        beginnings.partial.retain_mut(|partial| {
            let is_over = self.is_over(partial, at_ms);
            let is_next = !is_over && part.is_step(partial.done);
            if is_next {
                partial.done += 1;
            }
            let is_whole = is_next && partial.done >= self.steps.len();
            if is_whole {
                let origins = (partial.origin, origin);
                step.matches.push(Match { start_ms: partial.start_ms, origins, ..done.clone() });
            }
            let goes_on = !is_over && !is_whole && (is_next || (!self.steps.is_strict && !part.is_not));
            if !goes_on {
                step.ended.push(partial.start_ms);
            }
            goes_on
        });
        let is_alone = self.skip == Skip::PastLast;
        if part.is_step(0) && (!is_alone || step.matches.is_empty()) {
            if self.steps.len() <= 1 {
                step.matches.push(done);
            } else {
                step.is_begun = true;
                beginnings.push(Partial { start_ms: at_ms, origin, done: 1 });
                self.trim(beginnings, &mut step);
            }
        }
        if is_alone && !step.matches.is_empty() {
            // The oldest is first; the others share events with it.
            step.matches.truncate(1);
            step.ended.extend(beginnings.partial.drain(..).map(|partial| partial.start_ms));
        }
        step
    }

    /// Keeps no more beginnings than there may be.
    ///
    /// Where matches share no events, of two beginnings at the same step the younger one ends whenever the
    /// older one would, so the older one goes without a loss.
    fn trim(&self, beginnings: &mut Beginnings, step: &mut Step) {
        let partial = &beginnings.partial;
        if partial.len() <= self.max_partial {
            return;
        }
        let needless = (0..partial.len()).find(|&older| {
            self.skip == Skip::PastLast
                && partial.iter().skip(older + 1).any(|younger| younger.done == partial[older].done)
        });
        step.n_lost += u64::from(needless.is_none());
        step.ended.extend(beginnings.remove(needless.unwrap_or(0)).map(|partial| partial.start_ms));
    }

    fn is_eager(&self) -> bool {
        !self.steps.is_strict && self.steps.not.is_none() && self.collapse.is_none()
    }

    fn look_ahead(&self, decided: &Beginnings, waiting: &VecDeque<Waiting>) -> Ahead {
        let mut ahead = Ahead { beginnings: decided.clone(), matches: VecDeque::new() };
        for Waiting { place, origin, payload } in waiting {
            let step = self.advance(&mut ahead.beginnings, place.0, *origin, payload);
            ahead.matches.extend(step.matches);
        }
        ahead
    }

    fn forget_gone(room: &Room, state: &mut State) {
        let partial = &mut state.decided.partial;
        let n_gone = partial.iter().take_while(|partial| room.is_gone(partial.start_ms)).count();
        if n_gone > 0 {
            partial.drain(..n_gone);
            state.soon.iter_mut().for_each(|soon| soon.ahead = None);
        }
    }

    fn is_over(&self, partial: &Partial, at_ms: i64) -> bool {
        at_ms.saturating_sub(partial.start_ms) > self.within_ms
    }

    fn tally(&self, found: &Match) -> Tally {
        let mut tally = Tally::default();
        let n_others = u64::from(self.steps.len().max(1)) - 1;
        tally.add(found.start_ms, found.origins.0);
        if n_others > 0 {
            tally.add_many(found.start_ms, found.end_ms, found.origins.1, n_others);
        }
        if let Some(line) = &found.line {
            tally.show(line);
        }
        tally
    }

    fn found(&self, found: &Match) -> Words {
        let took_ms = found.end_ms.saturating_sub(found.start_ms);
        Words {
            reason: format!("{} in {}", self.steps.names(u64::MAX), duration(took_ms)),
            figures: vec![("duration_ms", took_ms as f64)],
        }
    }
}

impl Machine for WholeMatches {
    type State = State;
    type Payload = Payload;
    type Shared = Room;

    fn pass(&self) -> Pass {
        if self.is_eager() { Pass::Both } else { Pass::InOrder }
    }

    fn conditions(&self) -> Vec<&Condition> {
        self.steps.conditions()
    }

    fn wants(&self, bits: u64) -> bool {
        self.steps.want(bits)
    }

    fn payload(&self, arrival: &Arrival<'_>) -> Option<Payload> {
        let last = self.steps.len().saturating_sub(1);
        Some(self.steps.payload(arrival, |part| part.is_step(last)))
    }

    fn begin(&self, _at_ms: i64) -> State {
        State::default()
    }

    fn note(&self, state: &mut State, seen: &Seen<'_, Payload>) {
        let payload = seen.payload.clone();
        let place = (seen.at_ms, payload.partition, payload.offset);
        let soon = state.soon.get_or_insert_default();
        let index = soon.waiting.partition_point(|waiting| waiting.place <= place);
        if index == soon.waiting.len() {
            if let Some(ahead) = &mut soon.ahead {
                let step = self.advance(&mut ahead.beginnings, seen.at_ms, seen.origin, &payload);
                ahead.matches.extend(step.matches);
            }
        } else {
            soon.ahead = None;
        }
        soon.waiting.insert(index, Waiting { place, origin: seen.origin, payload });
    }

    fn eager(
        &self,
        _: &mut Room,
        state: &mut State,
        life: &mut Life<'_>,
        _: &Seen<'_, Payload>,
        _: &Arrival<'_>,
    ) {
        let State { decided, soon, .. } = state;
        let Soon { announced, waiting, ahead } = &mut **soon.get_or_insert_default();
        if waiting.len() > MAX_AHEAD {
            return;
        }
        let ahead = ahead.get_or_insert_with(|| self.look_ahead(decided, waiting));
        // Beginnings that went for want of room can break a promise; what was said stays said.
        *announced = (*announced).min(ahead.matches.len());
        for found in ahead.matches.iter().skip(*announced) {
            life.instant(found.end_ms, self.tally(found), || self.found(found));
        }
        *announced = ahead.matches.len();
    }

    fn step(&self, room: &mut Room, state: &mut State, life: &mut Life<'_>, seen: &Seen<'_, Payload>) {
        WholeMatches::forget_gone(room, state);
        let step = self.advance(&mut state.decided, seen.at_ms, seen.origin, seen.payload);
        if step.is_begun && !room.enter(seen.at_ms, MAX_PARTIAL_OF_RULE) {
            state.decided.partial.pop();
            state.soon.iter_mut().for_each(|soon| soon.ahead = None);
        }
        step.ended.iter().for_each(|start_ms| room.leave(*start_ms));
        room.lose(step.n_lost);
        let mut soon = state.soon.take();
        if let Some(soon) = &mut soon
            && soon.waiting.pop_front().is_some()
            && let Some(ahead) = &mut soon.ahead
        {
            ahead.matches.drain(..step.matches.len().min(ahead.matches.len()));
        }
        for found in &step.matches {
            // What was said ahead is not said again: as many as there were, whichever they are.
            if let Some(soon) = &mut soon
                && soon.announced > 0
            {
                soon.announced -= 1;
                continue;
            }
            // What must not come between may have been in what could not be read.
            let wants_absence = self.steps.is_strict || self.steps.not.is_some();
            if wants_absence && life.healthy_since_ms() > found.start_ms {
                room.lose(1);
                continue;
            }
            let (tally, words) = (self.tally(found), self.found(found));
            tell(life, &mut state.burst, self.collapse, found.end_ms, tally, words);
        }
        // Where nothing waits, what lies ahead is what was decided: an idle key need not keep it twice.
        state.soon = soon.filter(|soon| !soon.waiting.is_empty());
    }

    fn due(&self, state: &State, episode: Option<&Episode>) -> Option<i64> {
        let burst_ms = burst_due_ms(&state.burst, self.collapse, episode.map(|episode| episode.opened_ms));
        let oldest = state.decided.partial.first();
        let over_ms = oldest.map(|oldest| oldest.start_ms.saturating_add(self.within_ms).saturating_add(1));
        [burst_ms, over_ms].into_iter().flatten().min()
    }

    fn timer(&self, room: &mut Room, state: &mut State, life: &mut Life<'_>, at_ms: i64) {
        state.decided.partial.retain(|partial| {
            let is_over = self.is_over(partial, at_ms);
            if is_over {
                room.leave(partial.start_ms);
            }
            !is_over
        });
        end_burst(life, &mut state.burst, self.collapse, at_ms);
    }

    fn ended(&self, state: &mut State, _at_ms: i64) {
        state.burst.close();
    }

    fn forget(&self, state: &mut State, _at_ms: i64) {
        let soon = state.soon.take().map(|soon| Box::new(Soon { waiting: soon.waiting, ..Soon::default() }));
        *state = State { soon, ..State::default() };
    }

    fn drop_state(&self, room: &mut Room, state: &State) {
        for partial in &state.decided.partial {
            if !room.is_gone(partial.start_ms) {
                room.leave(partial.start_ms);
                room.lose(1);
            }
        }
    }

    fn adopt_state(&self, room: &mut Room, state: &State, _key: &[u8]) {
        state.decided.partial.iter().for_each(|partial| room.adopt(partial.start_ms));
    }

    fn words(&self, _: &State, tally: &Tally) -> Words {
        burst_words(tally)
    }

    fn is_vacant(&self, state: &State, at_ms: i64) -> bool {
        state.soon.as_ref().is_none_or(|soon| soon.announced == 0)
            && state.decided.partial.iter().all(|partial| self.is_over(partial, at_ms))
            && state.burst.is_over(at_ms, self.collapse)
    }

    fn origins(&self, state: &State, mark: &mut dyn FnMut(u32)) {
        state.decided.partial.iter().for_each(|partial| mark(partial.origin));
        let Some(soon) = &state.soon else { return };
        soon.waiting.iter().for_each(|waiting| mark(waiting.origin));
        if let Some(ahead) = &soon.ahead {
            ahead.beginnings.partial.iter().for_each(|partial| mark(partial.origin));
        }
    }

    fn encode(&self, state: &State, writer: &mut Writer<'_>) {
        writer.size(state.decided.partial.len());
        for partial in &state.decided.partial {
            writer.signed(partial.start_ms);
            writer.origin(partial.origin);
            writer.unsigned(u64::from(partial.done));
        }
        writer.size(state.soon.as_ref().map_or(0, |soon| soon.announced));
        state.burst.encode(writer);
    }

    fn decode(&self, reader: &mut Reader<'_, '_>) -> Option<State> {
        let partial = (0..reader.size()?)
            .map(|_| {
                Some(Partial {
                    start_ms: reader.signed()?,
                    origin: reader.origin()?,
                    done: reader.unsigned_32()?,
                })
            })
            .collect::<Option<_>>()?;
        let announced = usize::try_from(reader.unsigned()?).ok()?;
        let burst = Burst::decode(reader)?;
        let soon = (announced > 0).then(|| Box::new(Soon { announced, ..Soon::default() }));
        Some(State { decided: Beginnings { partial }, burst, soon })
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
