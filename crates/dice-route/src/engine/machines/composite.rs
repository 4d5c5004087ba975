//! Several frequencies in one window.

use crate::CloseReason;
use crate::condition::Condition;
use crate::config::{CountCondition, Pattern};
use crate::engine::codec::{Reader, Writer};
use crate::engine::life::{Episode, Life};
use crate::engine::machine::{Arrival, Late, Machine, Pass, Seen, Words};
use crate::engine::machines::ahead::Ahead;
use crate::engine::machines::tail::Tail;
use crate::engine::recent::Recent;
use crate::engine::tally::Tally;
use crate::engine::words::duration;

/// Conditions that are told apart; further ones are left out.
const MAX_CONDITIONS: usize = 62;

/// Up to this many times of a condition are kept one by one; where more are needed, or their order, a
/// sixty-fourth of the window counts as one time, so a window may be that much longer.
const MAX_EXACT: u32 = 1024;

/// Several frequencies in one window.
///
/// An episode opens when in some window enough of the conditions have as many events as they need, in the
/// order that the rule asks for; it closes when in the window that ends now fewer of them have as many as
/// they need to go on. Events of an episode do not count towards the next one.
#[derive(Debug)]
pub(crate) struct Composite {
    conditions: Vec<CountCondition>,
    within_ms: i64,
    at_least: usize,
    order: Option<Pattern>,
    clear_for_ms: i64,
}

/// What is known of a key.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    /// The events of each condition.
    decided: Vec<Tail>,
    recent: Recent,
    /// Those that wait; not saved.
    ahead: Ahead,
    /// Both together; not saved.
    known: Vec<Tail>,
}

impl Composite {
    /// The machine with these settings.
    pub(crate) fn new(
        conditions: &[CountCondition],
        within_ms: i64,
        at_least: usize,
        order: Option<&Pattern>,
        clear_for_ms: i64,
    ) -> Composite {
        let conditions: Vec<CountCondition> = conditions.iter().take(MAX_CONDITIONS).cloned().collect();
        Composite {
            at_least: at_least.clamp(1, conditions.len().max(1)),
            conditions,
            within_ms: within_ms.max(1),
            order: order.cloned(),
            clear_for_ms: clear_for_ms.max(0),
        }
    }

    /// Whether every time is kept.
    fn is_exact(&self, condition: &CountCondition) -> bool {
        condition.count.max(condition.clear) <= MAX_EXACT
    }

    /// The time that an event of the condition counts with.
    fn time_ms(&self, condition: &CountCondition, at_ms: i64) -> i64 {
        if self.is_exact(condition) {
            return at_ms;
        }
        // The end of its stretch, so that nothing is missed.
        let stretch_ms = (self.within_ms / 64).max(1);
        at_ms.saturating_sub(at_ms.rem_euclid(stretch_ms)).saturating_add(stretch_ms - 1)
    }

    fn add(&self, tails: &mut Vec<Tail>, at_ms: i64, met: u64) {
        tails.resize_with(self.conditions.len(), Tail::default);
        for (number, (tail, condition)) in tails.iter_mut().zip(&self.conditions).enumerate() {
            if met >> number & 1 != 0 {
                // The first of a window is asked for where the order matters, so more have to stay.
                let least = if self.order.is_some() { MAX_EXACT } else { 1 };
                let most = condition.count.max(condition.clear).max(least);
                tail.add(self.time_ms(condition, at_ms), most);
            }
        }
    }

    /// How many of the conditions have enough events later than this.
    fn n_met(&self, tails: &[Tail], bound_ms: i64, enough: impl Fn(&CountCondition) -> u32) -> usize {
        let pairs = tails.iter().zip(&self.conditions);
        pairs
            .filter(|(tail, condition)| tail.count_after(bound_ms) >= u64::from(enough(condition).max(1)))
            .count()
    }

    /// Whether the window that ends at this moment opens an episode.
    fn opens(&self, tails: &[Tail], end_ms: i64, last_close_ms: i64) -> bool {
        let bound_ms = end_ms.saturating_sub(self.within_ms).max(last_close_ms);
        self.n_met(tails, bound_ms, |condition| condition.count) >= self.at_least
            && self.order.as_ref().is_none_or(|order| order.0.is_match(&self.order_of(tails, bound_ms)))
    }

    /// The names of the conditions by their first events later than this.
    fn order_of(&self, tails: &[Tail], bound_ms: i64) -> String {
        let firsts = tails.iter().map(|tail| tail.first_after(bound_ms)).enumerate();
        let mut firsts: Vec<(i64, usize)> =
            firsts.filter_map(|(number, first_ms)| Some((first_ms?, number))).collect();
        firsts.sort_unstable();
        let names = firsts.iter().map(|(_, number)| &*self.conditions[*number].name);
        names.collect::<Vec<&str>>().join(" ")
    }

    /// The first moment at which too few conditions have enough to go on, unless more come.
    fn clear_ms(&self, state: &State, episode: &Episode) -> i64 {
        let last = |(tail, condition): (&Tail, &CountCondition)| tail.nth_ms(condition.clear);
        let mut lasts: Vec<i64> = state.decided.iter().zip(&self.conditions).filter_map(last).collect();
        lasts.sort_unstable();
        let enough = lasts.len().checked_sub(self.at_least).map(|index| lasts[index]);
        enough.map_or(episode.opened_ms, |last_ms| last_ms.saturating_add(self.within_ms))
    }

    /// Announces an episode when the events that are known are enough, were they all decided.
    fn announce(&self, state: &State, life: &mut Life<'_>, seen: &Seen<'_, u64>, arrival: &Arrival<'_>) {
        let Some(end_ms) = state.known.iter().filter_map(|tail| tail.nth_ms(1)).max() else { return };
        if !self.opens(&state.known, end_ms, life.last_close_ms()) {
            return;
        }
        let bound_ms = end_ms.saturating_sub(self.within_ms).max(life.last_close_ms());
        let mut tally = state.recent.tally();
        if life.is_late() {
            tally.late += 1;
        } else {
            tally.add(seen.at_ms, seen.origin);
        }
        tally.show(&arrival.sample());
        life.announce(end_ms, tally, || self.words_of(&state.known, bound_ms));
    }

    fn words_of(&self, tails: &[Tail], bound_ms: i64) -> Words {
        let mut parts = Vec::new();
        for (tail, condition) in tails.iter().zip(&self.conditions) {
            let n = tail.count_after(bound_ms);
            if n > 0 {
                parts.push(format!("{n} × `{}`", condition.name));
            }
        }
        let met = self.n_met(tails, bound_ms, |condition| condition.count);
        Words {
            reason: format!("{} in {}", parts.join(", "), duration(self.within_ms)),
            figures: vec![("conditions", met as f64)],
        }
    }
}

impl Machine for Composite {
    type State = State;
    type Payload = u64;
    type Shared = ();

    fn pass(&self) -> Pass {
        let is_eager =
            self.order.is_none() && self.conditions.iter().all(|condition| self.is_exact(condition));
        if is_eager { Pass::Both } else { Pass::InOrder }
    }

    fn conditions(&self) -> Vec<&Condition> {
        self.conditions.iter().map(|condition| &condition.condition).collect()
    }

    fn wants(&self, bits: u64) -> bool {
        bits & 1 != 0 && bits > 1
    }

    fn payload(&self, arrival: &Arrival<'_>) -> Option<u64> {
        Some(arrival.bits >> 1)
    }

    fn begin(&self, _at_ms: i64) -> State {
        State::default()
    }

    fn note(&self, state: &mut State, seen: &Seen<'_, u64>) {
        state.ahead.add(seen.at_ms, *seen.payload);
        self.add(&mut state.known, seen.at_ms, *seen.payload);
    }

    fn eager(
        &self,
        _: &mut (),
        state: &mut State,
        life: &mut Life<'_>,
        seen: &Seen<'_, u64>,
        arrival: &Arrival<'_>,
    ) {
        if life.is_idle() {
            self.announce(state, life, seen, arrival);
        }
    }

    fn step(&self, _: &mut (), state: &mut State, life: &mut Life<'_>, seen: &Seen<'_, u64>) {
        let at_ms = seen.at_ms;
        state.ahead.take(at_ms, *seen.payload);
        if !life.is_open() && at_ms <= life.last_close_ms() {
            return;
        }
        self.add(&mut state.decided, at_ms, *seen.payload);
        state.recent.add(at_ms, seen.origin, self.within_ms);
        let bound_ms = at_ms.saturating_sub(self.within_ms);
        if life.is_open() {
            life.count(at_ms, seen.origin);
            if self.n_met(&state.decided, bound_ms, |condition| condition.clear) >= self.at_least {
                life.is_cleared(at_ms, false);
            }
        } else if self.opens(&state.decided, at_ms, life.last_close_ms()) {
            let bound_ms = bound_ms.max(life.last_close_ms());
            life.open(at_ms, state.recent.tally(), || self.words_of(&state.decided, bound_ms));
        }
    }

    fn takes_late(&self) -> bool {
        self.pass() == Pass::Both
    }

    fn late(
        &self,
        _: &mut (),
        state: &mut State,
        life: &mut Life<'_>,
        seen: &Seen<'_, u64>,
        arrival: &Arrival<'_>,
    ) -> Late {
        let at_ms = seen.at_ms;
        let is_past = at_ms <= life.decided_ms().saturating_sub(self.within_ms);
        if self.pass() != Pass::Both || !life.is_idle() || is_past || at_ms <= life.last_close_ms() {
            return Late::Dropped;
        }
        self.add(&mut state.decided, at_ms, *seen.payload);
        self.add(&mut state.known, at_ms, *seen.payload);
        state.recent.add(at_ms, seen.origin, self.within_ms);
        let ends = state.decided.iter().flat_map(Tail::iter);
        let mut ends: Vec<i64> =
            ends.filter(|end_ms| (at_ms..at_ms.saturating_add(self.within_ms)).contains(end_ms)).collect();
        ends.sort_unstable();
        let last_close_ms = life.last_close_ms();
        if let Some(end_ms) =
            ends.into_iter().find(|end_ms| self.opens(&state.decided, *end_ms, last_close_ms))
        {
            let mut tally = state.recent.tally();
            tally.late += 1;
            tally.show(&arrival.sample());
            let bound_ms = end_ms.saturating_sub(self.within_ms);
            life.open(end_ms, tally, || self.words_of(&state.decided, bound_ms));
        } else {
            self.announce(state, life, seen, arrival);
        }
        Late::Counted
    }

    fn due(&self, state: &State, episode: Option<&Episode>) -> Option<i64> {
        let episode = episode.filter(|episode| !episode.is_announced)?;
        let clear_ms = match episode.clear_since_ms {
            Some(since_ms) => since_ms.saturating_add(self.clear_for_ms),
            None => self.clear_ms(state, episode),
        };
        Some(clear_ms.saturating_add(1))
    }

    fn timer(&self, _: &mut (), state: &mut State, life: &mut Life<'_>, at_ms: i64) {
        let now_ms = at_ms.saturating_sub(1);
        let Some(episode) = life.episode() else { return };
        let since_ms = self.clear_ms(state, episode).min(now_ms);
        let bound_ms = now_ms.saturating_sub(self.within_ms);
        let holds = self.n_met(&state.decided, bound_ms, |condition| condition.clear) < self.at_least;
        if holds {
            life.is_cleared(since_ms, true);
        }
        if life.is_cleared(now_ms, holds) {
            let words = self.words_of(&state.decided, bound_ms);
            let reason = match words.reason.strip_prefix(" in ") {
                Some(window) => format!("nothing in {window}"),
                None => format!("only {}", words.reason),
            };
            life.close(now_ms, CloseReason::Cleared, || Words { reason, ..words });
            self.ended(state, now_ms);
        }
    }

    fn ended(&self, state: &mut State, at_ms: i64) {
        state.decided.clear();
        state.recent = Recent::default();
        state.known.iter_mut().for_each(|tail| tail.forget_until(at_ms));
    }

    fn forget(&self, state: &mut State, _at_ms: i64) {
        let ahead = std::mem::take(&mut state.ahead);
        let mut known = Vec::new();
        ahead.iter().for_each(|(at_ms, met)| self.add(&mut known, at_ms, met));
        *state = State { ahead, known, ..State::default() };
    }

    fn words(&self, state: &State, _: &Tally) -> Words {
        let last_ms = state.decided.iter().filter_map(|tail| tail.nth_ms(1)).max();
        self.words_of(
            &state.decided,
            last_ms.map_or(i64::MIN, |last_ms| last_ms.saturating_sub(self.within_ms)),
        )
    }

    fn is_vacant(&self, state: &State, at_ms: i64) -> bool {
        let bound_ms = at_ms.saturating_sub(self.within_ms);
        state.decided.iter().all(|tail| tail.nth_ms(1).is_none_or(|last_ms| last_ms <= bound_ms))
    }

    fn origins(&self, state: &State, mark: &mut dyn FnMut(u32)) {
        state.recent.origins(mark);
    }

    fn encode(&self, state: &State, writer: &mut Writer<'_>) {
        writer.size(state.decided.len());
        state.decided.iter().for_each(|tail| tail.encode(writer));
        state.recent.encode(writer);
    }

    fn decode(&self, reader: &mut Reader<'_, '_>) -> Option<State> {
        let decided = (0..reader.size()?).map(|_| Tail::decode(reader)).collect::<Option<Vec<Tail>>>()?;
        if !decided.is_empty() && decided.len() != self.conditions.len() {
            return None;
        }
        let known = decided.clone();
        Some(State { decided, recent: Recent::decode(reader)?, ahead: Ahead::default(), known })
    }

    fn encode_payload(&self, payload: &u64, writer: &mut Writer<'_>) {
        writer.unsigned(*payload);
    }

    fn decode_payload(&self, reader: &mut Reader<'_, '_>) -> Option<u64> {
        reader.unsigned()
    }
}
