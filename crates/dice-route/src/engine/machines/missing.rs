//! B did not follow A: every A waits for its B, and what waits too long is an episode until B comes late.
//!
//! Where many keys wait in vain at about the same time, the first have an episode each; those from then on have
//! one together, see [`outage`].

mod outage;

use std::collections::VecDeque;
use std::sync::Arc;

use self::outage::{MANY, Outage, Outages, Place, Role};
use crate::CloseReason;
use crate::condition::Condition;
use crate::config::{Missing, Pairing};
use crate::engine::codec::{Reader, Writer};
use crate::engine::life::{Episode, Life};
use crate::engine::machine::{Arrival, Late, Machine, Pass, Seen, Words};
use crate::engine::machines::room::{Queue, Room, Waits};
use crate::engine::origin::Sample;
use crate::engine::tally::Tally;
use crate::engine::words::{duration, plural};

/// B of a key that came shortly before any A; past it the oldest are forgotten.
const MAX_EARLY: usize = 1024;
/// A of an open episode whose times are kept; the others are only counted.
const MAX_MISSED: usize = 64;
/// A of a rule that wait with their line; the others wait without.
const MAX_LINES: usize = 4096;

/// B did not follow A.
#[derive(Debug)]
pub(crate) struct Absences {
    rule: Missing,
    /// What A is, for the reader.
    trigger: String,
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct State {
    /// The A that wait for their B, oldest first.
    pending: Queue<Trigger>,
    /// Most keys have A that wait and nothing else.
    more: Option<Box<More>>,
}

/// What is known of a key beside the A that wait.
#[derive(Debug, Clone, PartialEq, Default)]
struct More {
    /// Times of the B that no A has had yet, and that an A of a clock ahead of theirs may still have.
    early: VecDeque<i64>,
    /// Times of the A of the open episode, oldest first.
    missed: VecDeque<i64>,
    /// A of the open episode beyond those.
    missed_more: u64,
    /// When the last of them was given up.
    last_missed_ms: i64,
    /// What it is to an outage. The missed A of a guest are those of an episode that is not its own.
    role: Role,
}

/// What all keys share.
#[derive(Debug, Clone, Default)]
pub(crate) struct Everyone {
    room: Room,
    outages: Outages,
}

/// An A that waits.
#[derive(Debug, Clone, PartialEq)]
struct Trigger {
    at_ms: i64,
    origin: u32,
    line: Option<Arc<Sample>>,
}

impl Waits for Trigger {
    fn since_ms(&self) -> i64 {
        self.at_ms
    }
}

/// What is kept of an event.
#[derive(Debug, Clone)]
pub(crate) struct Payload {
    is_trigger: bool,
    is_expected: bool,
    /// Only of an A.
    line: Option<Arc<Sample>>,
}

impl Absences {
    /// Waits for what the rule expects after what `trigger` holds for.
    pub(crate) fn new(trigger: &Condition, rule: &Missing) -> Absences {
        Absences { rule: rule.clone(), trigger: trigger.to_string() }
    }

    fn deadline_ms(&self, at_ms: i64) -> i64 {
        at_ms.saturating_add(self.rule.within_ms)
    }

    /// The last moment before those at which a B is in time for an A.
    fn before_ms(&self, at_ms: i64) -> i64 {
        at_ms.saturating_sub(self.rule.skew_ms.max(1))
    }

    fn is_each(&self) -> bool {
        self.rule.pairing == Pairing::Each
    }

    /// A guest whose outage is over belongs to none.
    fn forget_over(everyone: &mut Everyone, state: &mut State) {
        if matches!(state.known().role, Role::Guest(_)) && everyone.outages.of(state.known().role).is_none() {
            state.close();
            state.more().role = Role::None;
        }
    }

    /// Takes an event; says whether it did anything.
    fn take(
        &self,
        everyone: &mut Everyone,
        state: &mut State,
        life: &mut Life<'_>,
        seen: &Seen<'_, Payload>,
    ) -> bool {
        state.pending.forget_gone(&everyone.room);
        Absences::forget_over(everyone, state);
        let Payload { is_trigger, is_expected, .. } = *seen.payload;
        // One that is both is the B of those before it and an A of its own, and never its own B.
        let is_used = is_expected && self.take_expected(everyone, state, life, seen.at_ms);
        let is_open_still = self.deadline_ms(seen.at_ms) > life.decided_ms();
        if is_trigger {
            if is_open_still || !life.is_late() {
                self.take_trigger(&mut everyone.room, state, seen);
                return true;
            }
            return is_used;
        }
        let could_be_early = !life.is_late() || seen.at_ms > self.before_ms(life.decided_ms());
        if is_expected && could_be_early && !(is_used && self.is_each()) {
            self.keep_early(state, seen.at_ms);
            return true;
        }
        is_used
    }

    /// A B: the oldest A that it is in time for has it, else one of the open episode. Says whether any did.
    ///
    /// Those in time come first: otherwise one B that is lost would make every B after it a late one.
    fn take_expected(
        &self,
        everyone: &mut Everyone,
        state: &mut State,
        life: &mut Life<'_>,
        at_ms: i64,
    ) -> bool {
        let in_time = state.pending.iter().position(|trigger| {
            at_ms > self.before_ms(trigger.at_ms) && at_ms <= self.deadline_ms(trigger.at_ms)
        });
        if in_time.is_some_and(|index| state.pending.take(&mut everyone.room, index).is_some())
            && self.is_each()
        {
            return true;
        }
        let missed_ms = state.known().missed.front().copied();
        let is_of_episode = missed_ms.is_none_or(|missed_ms| at_ms > self.before_ms(missed_ms));
        let outage = everyone.outages.of(state.known().role);
        let is_missed = match state.known().role {
            Role::None => life.is_open(),
            Role::Host(..) | Role::Guest(_) => outage.is_some() && state.n_missed() > 0,
        };
        if !is_missed || !is_of_episode {
            return in_time.is_some();
        }
        if self.is_each() {
            if state.more().missed.pop_front().is_none() {
                state.more().missed_more = state.known().missed_more.saturating_sub(1);
            }
            if state.n_missed() > 0 {
                return true;
            }
        }
        state.close();
        if let Some(outage) = outage {
            outage.come(at_ms);
            if let Role::Guest(_) = state.known().role {
                state.more().role = Role::None;
            }
            return true;
        }
        let opened_ms = life.episode().map_or(at_ms, |episode| episode.opened_ms);
        life.close(at_ms.max(opened_ms), CloseReason::ArrivedLate, || self.arrived(missed_ms, at_ms));
        true
    }

    fn arrived(&self, missed_ms: Option<i64>, at_ms: i64) -> Words {
        let (expected, trigger) = (&self.rule.expected, &self.trigger);
        let delay_ms = at_ms.saturating_sub(missed_ms.unwrap_or(at_ms));
        let late_ms = delay_ms.saturating_sub(self.rule.within_ms);
        let reason = match missed_ms {
            Some(_) if late_ms > 0 => {
                let (delay, late) = (duration(delay_ms), duration(late_ms));
                format!("`{expected}` came {delay} after `{trigger}`, {late} too late")
            }
            Some(_) => format!("`{expected}` had come in time, its line was read late"),
            None => format!("`{expected}` came after all"),
        };
        Words { reason, figures: vec![("delay_ms", delay_ms as f64), ("late_ms", late_ms.max(0) as f64)] }
    }

    /// An A: it waits, unless its B is here already or another A waits for both.
    fn take_trigger(&self, room: &mut Room, state: &mut State, seen: &Seen<'_, Payload>) {
        let at_ms = seen.at_ms;
        let early = state.known().early.iter().position(|&expected_ms| {
            expected_ms > self.before_ms(at_ms) && expected_ms <= self.deadline_ms(at_ms)
        });
        if let Some(index) = early {
            if self.is_each() {
                state.more().early.remove(index);
            }
            return;
        }
        match self.rule.pairing {
            Pairing::First if !state.pending.is_empty() => return,
            // A late A never takes the place of a later one.
            Pairing::Latest if state.pending.first().is_some_and(|other| other.at_ms > at_ms) => return,
            Pairing::Latest => state.pending.clear(room),
            Pairing::First | Pairing::Each => {}
        }
        let line = seen.payload.line.clone().filter(|_| room.len() < MAX_LINES);
        state.pending.enter(room, self.rule.max_pending, Trigger { at_ms, origin: seen.origin, line });
    }

    fn keep_early(&self, state: &mut State, at_ms: i64) {
        let place = state.known().early.partition_point(|&early_ms| early_ms <= at_ms);
        state.more().early.insert(place, at_ms);
        let latest_ms = state.known().early.back().copied().unwrap_or(at_ms);
        // Where any B will do, the latest does for the longest time.
        let most = if self.is_each() { MAX_EARLY } else { 1 };
        while state.known().early.len() > most
            || state.known().early.front().is_some_and(|&early_ms| early_ms <= self.before_ms(latest_ms))
        {
            state.more().early.pop_front();
        }
    }

    /// Gives up an A: its time is over, as is found at `at_ms`.
    fn miss(
        &self,
        everyone: &mut Everyone,
        state: &mut State,
        life: &mut Life<'_>,
        trigger: &Trigger,
        at_ms: i64,
    ) {
        let deadline_ms = self.deadline_ms(trigger.at_ms);
        // Its B may have been in what could not be read: not knowing is no reason to wake somebody.
        if life.healthy_since_ms() > self.before_ms(trigger.at_ms) {
            everyone.room.lose(1);
            return;
        }
        Absences::forget_over(everyone, state);
        let had_missed = state.n_missed() > 0;
        if state.known().missed.len() < MAX_MISSED && state.known().missed_more == 0 {
            state.more().missed.push_back(trigger.at_ms);
        } else {
            state.more().missed_more += 1;
        }
        state.more().last_missed_ms = deadline_ms;
        let outage = everyone.outages.of(state.known().role);
        if life.is_open() {
            life.count(trigger.at_ms, trigger.origin);
            if let (Some(tally), Some(line)) = (life.tally(), &trigger.line) {
                tally.show(line);
            }
            if let Some(outage) = outage {
                outage.n_waiting += u64::from(!had_missed);
                outage.miss_own(deadline_ms);
            }
            return;
        }
        if let Some(outage) = outage {
            return outage.miss(trigger.at_ms, deadline_ms);
        }
        let times_ms = (self.rule.within_ms, look_every_ms(life));
        let place = everyone.outages.place(life.key(), trigger.at_ms, deadline_ms, at_ms, times_ms);
        if let Place::In(role) = place {
            state.more().role = role;
            if let Role::Guest(_) = role {
                return;
            }
        }
        let mut tally = Tally::default();
        tally.add(trigger.at_ms, trigger.origin);
        if let Some(line) = &trigger.line {
            tally.show(line);
        }
        let mut figures = vec![("waited_ms", self.rule.within_ms as f64)];
        if everyone.room.lost() > 0 {
            // So many others are not known to have been followed by theirs.
            figures.push(("unverified", everyone.room.lost() as f64));
        }
        let within = duration(self.rule.within_ms);
        let mut reason = self.expected();
        match place {
            Place::Alone => reason.push_str(", it did not come"),
            Place::In(_) => reason.push_str(&format!(
                ", it did not come for {MANY} keys in {within}; from now on they are told together"
            )),
        }
        life.open(deadline_ms, tally, || Words { reason, figures });
    }

    fn expected(&self) -> String {
        let (expected, trigger) = (&self.rule.expected, &self.trigger);
        format!("expected `{expected}` within {} of `{trigger}`", duration(self.rule.within_ms))
    }

    /// The host of an outage looks after it: tells what is new, and ends it when nothing is waited for.
    fn look(&self, outages: &mut Outages, state: &mut State, life: &mut Life<'_>, at_ms: i64) {
        let Role::Host(number, _) = state.known().role else { return };
        let outage = outages.of(state.known().role);
        let (Some(opened_ms), Some(outage)) = (life.episode().map(|episode| episode.opened_ms), outage)
        else {
            // Somebody ended it, or what was kept of it could not be read.
            outages.leave(state.known().role);
            state.more().role = Role::None;
            return;
        };
        let next_ms = at_ms.saturating_add(look_every_ms(life));
        state.more().role = Role::Host(number, next_ms);
        if let Some((n, first_ms, last_ms)) = outage.look(next_ms)
            && let Some(tally) = life.tally()
        {
            tally.count = tally.count.saturating_add(n);
            let (first, last) = tally.seen_ms.unwrap_or((first_ms, last_ms));
            tally.seen_ms = Some((first.min(first_ms), last.max(last_ms)));
        }
        let ttl_ms = outage.missed_ms.saturating_add(self.rule.ttl_ms);
        let (end_ms, reason) = match () {
            () if outage.n_waiting == 0 && outage.n_given_up == 0 => {
                (outage.came_ms, CloseReason::ArrivedLate)
            }
            () if outage.n_waiting == 0 => (outage.came_ms, CloseReason::Forgotten),
            () if ttl_ms < at_ms => (ttl_ms, CloseReason::Forgotten),
            () => {
                if outage.tell() {
                    let words =
                        self.words_of(outage, life.episode().map_or(0, |episode| episode.tally.count));
                    life.update(at_ms, || words);
                }
                return;
            }
        };
        let words = self.end_of(outage);
        outages.leave(state.known().role);
        state.close();
        state.more().role = Role::None;
        life.close(end_ms.max(opened_ms), reason, || words);
    }

    fn words_of(&self, outage: &Outage, times: u64) -> Words {
        let (keys, names) = (plural(outage.n_keys, "key"), outage.names());
        let reason = format!(
            "{}, it did not come {} for {keys}, of which {} still wait: {names}",
            self.expected(),
            plural(times, "time"),
            outage.n_waiting,
        );
        Words { reason, figures: figures_of(outage) }
    }

    fn end_of(&self, outage: &Outage) -> Words {
        let (expected, keys) = (&self.rule.expected, plural(outage.n_keys, "key"));
        let n_came = outage.n_keys.saturating_sub(outage.n_waiting).saturating_sub(outage.n_given_up);
        let reason = if n_came == outage.n_keys {
            format!("`{expected}` came after all, for all of {keys}")
        } else {
            format!("`{expected}` came for {n_came} of {keys}; the others are given up")
        };
        Words { reason, figures: figures_of(outage) }
    }

    /// It is time: gives up the A whose time is over, and what nobody waits for any more.
    fn give_up(&self, everyone: &mut Everyone, state: &mut State, life: &mut Life<'_>, at_ms: i64) {
        let is_over = |ms: i64| self.deadline_ms(ms) < at_ms;
        while let Some(trigger) = state.pending.take_first(&mut everyone.room, is_over) {
            self.miss(everyone, state, life, &trigger, at_ms);
        }
        match state.known().role {
            Role::Host(_, look_ms) if look_ms <= at_ms => {
                return self.look(&mut everyone.outages, state, life, at_ms);
            }
            Role::Host(..) => return,
            Role::Guest(_) => {
                if self.ttl_ms(state, i64::MIN) < at_ms {
                    everyone.outages.leave(state.known().role);
                    state.close();
                    state.more().role = Role::None;
                }
                return;
            }
            Role::None => {}
        }
        let Some(opened_ms) = life.episode().map(|episode| episode.opened_ms) else { return };
        let ttl_ms = self.ttl_ms(state, opened_ms);
        if ttl_ms < at_ms {
            state.close();
            life.close(ttl_ms, CloseReason::Forgotten, || Words {
                reason: format!(
                    "`{}` did not come for another {}",
                    self.rule.expected,
                    duration(self.rule.ttl_ms)
                ),
                figures: Vec::new(),
            });
        }
    }

    /// When the episode is given up.
    fn ttl_ms(&self, state: &State, opened_ms: i64) -> i64 {
        state.known().last_missed_ms.max(opened_ms).saturating_add(self.rule.ttl_ms)
    }
}

/// How often the host of an outage looks after it.
fn look_every_ms(life: &Life<'_>) -> i64 {
    life.timing().update_every_ms.max(1_000)
}

fn figures_of(outage: &Outage) -> Vec<(&'static str, f64)> {
    vec![("keys", outage.n_keys as f64), ("missing", outage.n_waiting as f64)]
}

impl State {
    fn n_missed(&self) -> u64 {
        let More { missed, missed_more, .. } = self.known();
        (missed.len() as u64).saturating_add(*missed_more)
    }

    fn close(&mut self) {
        if let Some(more) = &mut self.more {
            more.missed.clear();
            more.missed_more = 0;
        }
    }

    fn known(&self) -> &More {
        static NOTHING: More = More {
            early: VecDeque::new(),
            missed: VecDeque::new(),
            missed_more: 0,
            last_missed_ms: 0,
            role: Role::None,
        };
        self.more.as_deref().unwrap_or(&NOTHING)
    }

    fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    /// Gives up what says nothing: when something was last missed matters only for what is open.
    fn shrink(&mut self, life: &Life<'_>) {
        let More { early, role, .. } = self.known();
        if life.is_idle() && early.is_empty() && *role == Role::None && self.n_missed() == 0 {
            self.more = None;
        }
    }
}

impl Machine for Absences {
    type State = State;
    type Payload = Payload;
    type Shared = Everyone;

    fn pass(&self) -> Pass {
        Pass::InOrder
    }

    fn conditions(&self) -> Vec<&Condition> {
        vec![&self.rule.expected]
    }

    fn wants(&self, bits: u64) -> bool {
        bits & 3 != 0
    }

    fn payload(&self, arrival: &Arrival<'_>) -> Option<Payload> {
        let is_trigger = arrival.bits & 1 != 0;
        let line = is_trigger.then(|| arrival.sample());
        Some(Payload { is_trigger, is_expected: arrival.holds(0), line })
    }

    fn begin(&self, _at_ms: i64) -> State {
        State::default()
    }

    fn step(
        &self,
        everyone: &mut Everyone,
        state: &mut State,
        life: &mut Life<'_>,
        seen: &Seen<'_, Payload>,
    ) {
        self.take(everyone, state, life, seen);
        state.shrink(life);
    }

    fn takes_late(&self) -> bool {
        true
    }

    fn late(
        &self,
        everyone: &mut Everyone,
        state: &mut State,
        life: &mut Life<'_>,
        seen: &Seen<'_, Payload>,
        _: &Arrival<'_>,
    ) -> Late {
        let is_taken = self.take(everyone, state, life, seen);
        state.shrink(life);
        if is_taken { Late::Counted } else { Late::Dropped }
    }

    fn due(&self, state: &State, episode: Option<&Episode>) -> Option<i64> {
        let deadline_ms = state.pending.first().map(|trigger| self.deadline_ms(trigger.at_ms));
        let end_ms = match state.known().role {
            Role::None => episode.map(|episode| self.ttl_ms(state, episode.opened_ms)),
            Role::Host(_, look_ms) => Some(look_ms.saturating_sub(1)),
            Role::Guest(_) => Some(self.ttl_ms(state, i64::MIN)),
        };
        let due_ms = [deadline_ms, end_ms].into_iter().flatten().min()?;
        Some(due_ms.saturating_add(1))
    }

    fn timer(&self, everyone: &mut Everyone, state: &mut State, life: &mut Life<'_>, at_ms: i64) {
        self.give_up(everyone, state, life, at_ms);
        state.shrink(life);
    }

    fn ended(&self, state: &mut State, at_ms: i64) {
        state.close();
        if let Role::Host(number, _) = state.known().role {
            // The others have to know before another of them is counted.
            state.more().role = Role::Host(number, at_ms.saturating_add(1));
        }
    }

    fn drop_state(&self, everyone: &mut Everyone, state: &State) {
        state.pending.drop_from(&mut everyone.room);
        everyone.outages.leave(state.known().role);
    }

    fn adopt_state(&self, everyone: &mut Everyone, state: &State, _key: &[u8]) {
        state.pending.adopt_into(&mut everyone.room);
    }

    fn words(&self, state: &State, tally: &Tally) -> Words {
        let reason = format!("{}, it did not come {}", self.expected(), plural(tally.count, "time"));
        Words { reason, figures: vec![("missing", state.n_missed() as f64)] }
    }

    fn is_vacant(&self, state: &State, at_ms: i64) -> bool {
        state.pending.is_empty()
            && state.known().role == Role::None
            && state.known().early.back().is_none_or(|&early_ms| early_ms <= self.before_ms(at_ms))
    }

    fn origins(&self, state: &State, mark: &mut dyn FnMut(u32)) {
        state.pending.iter().for_each(|trigger| mark(trigger.origin));
    }

    fn encode(&self, state: &State, writer: &mut Writer<'_>) {
        state.pending.encode(writer, |trigger, writer| {
            writer.signed(trigger.at_ms);
            writer.origin(trigger.origin);
            writer.sample(trigger.line.as_ref());
        });
        let more = state.known();
        for times in [&more.early, &more.missed] {
            writer.size(times.len());
            times.iter().for_each(|at_ms| writer.signed(*at_ms));
        }
        writer.unsigned(more.missed_more);
        writer.signed(more.last_missed_ms);
        more.role.encode(writer);
    }

    fn decode(&self, reader: &mut Reader<'_, '_>) -> Option<State> {
        let pending = Queue::decode(reader, |reader| {
            Some(Trigger { at_ms: reader.signed()?, origin: reader.origin()?, line: reader.sample()? })
        })?;
        let early = times(reader)?;
        let missed = times(reader)?;
        let (missed_more, last_missed_ms) = (reader.count()?, reader.signed()?);
        let more = More { early, missed, missed_more, last_missed_ms, role: Role::decode(reader)? };
        Some(State { pending, more: (more != More::default()).then(|| Box::new(more)) })
    }

    fn encode_payload(&self, payload: &Payload, writer: &mut Writer<'_>) {
        writer.flag(payload.is_trigger);
        writer.flag(payload.is_expected);
        writer.sample(payload.line.as_ref());
    }

    fn decode_payload(&self, reader: &mut Reader<'_, '_>) -> Option<Payload> {
        Some(Payload { is_trigger: reader.flag()?, is_expected: reader.flag()?, line: reader.sample()? })
    }

    fn pending(&self, everyone: &Everyone) -> usize {
        everyone.room.len()
    }

    fn lost(&self, everyone: &Everyone) -> u64 {
        everyone.room.lost()
    }

    fn encode_shared(&self, everyone: &Everyone, writer: &mut Writer<'_>) {
        everyone.room.encode(writer);
        everyone.outages.encode(writer);
    }

    fn decode_shared(&self, reader: &mut Reader<'_, '_>) -> Option<Everyone> {
        Some(Everyone { room: Room::decode(reader)?, outages: Outages::decode(reader)? })
    }
}

fn times(reader: &mut Reader<'_, '_>) -> Option<VecDeque<i64>> {
    (0..reader.size()?).map(|_| reader.signed()).collect()
}
