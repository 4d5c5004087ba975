//! What is attempted when: the decisions between the outbox and the couriers.
//!
//! The [`Dispatcher`] says which calls begin now ([`Dispatcher::begin`]) and what follows from the way a call
//! ended ([`Dispatcher::ended`]), both as [`Receipt`]s for the journal. It makes no call and knows no clock.
//! What must outlast the process is in the rows of the outbox; what the dispatcher itself keeps (limits,
//! outages, calls that are out) may be lost at any moment.
//!
//! The order of things: a receipt that an attempt begins is committed before the call is made, so a process
//! that starts takes every row in `sending` for one that may have arrived.

mod course;
mod ear;
mod gate;
mod start;
#[cfg(test)]
mod tests;
mod way;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use self::course::{Course, back_off};
use self::ear::Ears;
pub use self::ear::Hearing;
use self::gate::{Gate, Wish};
pub use self::way::{CallKind, CourierKind, EMAIL, SLACK, TERMINAL, Way, accounts};
use self::way::{Doubt, patience, stand_ins, terminal, wakes_somebody, ways};
use crate::outbox::Outbox;
use crate::{Config, Destination, Intent, Lane, NoticeKind, Outcome, Receipt, State};

/// After the deadline of an attempt whose end is not known, this long passes before it is looked for.
const SETTLE_MS: i64 = 10_000;
/// What is not there then is looked for once more after this long.
const LOOK_AGAIN_MS: i64 = 10_000;
/// A call that does not end is given up this long after its deadline.
const GIVE_UP_MS: i64 = 30_000;
/// Whoever waits for something has to ask this often: a jump of the clock counts for no more.
const STEP_MS: i64 = 1_000;
/// Heads of one destination and lane that are looked at in a round.
const MAX_HEADS: usize = 8;
/// Waits, for what is older and for what may have arrived, are tidied past this many.
const MAX_KEPT: usize = 1_000;
/// What may have arrived is looked for a little longer than it is worth telling.
const GRACE_MS: i64 = 60_000;

/// From when on an attempt that had to end at `end_ms` is known to have arrived, or not to.
fn settled_ms(end_ms: i64) -> i64 {
    end_ms.saturating_add(SETTLE_MS + LOOK_AGAIN_MS)
}

/// Decides what is attempted when.
#[derive(Debug, Clone)]
pub struct Dispatcher {
    config: Arc<Config>,
    clock: Clock,
    gates: BTreeMap<String, Gate>,
    ears: Ears,
    /// Calls that are out, by number.
    calls: BTreeMap<u64, Call>,
    /// What those are about. Nothing else about it is attempted meanwhile.
    busy: BTreeMap<Destination, BTreeSet<String>>,
    /// From when on an attempt whose end is not known would be seen, by intent and [`Clock::patience_ms`].
    settled: BTreeMap<String, i64>,
    /// Until when something older may still arrive, where nothing newer must come before it; with its intent.
    quiet: BTreeMap<(Destination, String), (String, i64)>,
    /// What was told last.
    told: Option<BTreeMap<String, String>>,
    number: u64,
    next_ms: Option<i64>,
    is_new: bool,
}

/// Time as it passes here.
#[derive(Debug, Clone, Copy, Default)]
struct Clock {
    /// The last moment that was told, milliseconds since 1970.
    now_ms: i64,
    /// Milliseconds that have certainly passed. A clock may jump, and a wait must not end because of it.
    patience_ms: i64,
}

/// A call to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Tells it apart from the other calls of this process.
    pub number: u64,
    /// The intent's id.
    pub intent: String,
    /// By which account.
    pub way: Way,
    /// What it does there.
    pub kind: CallKind,
    /// Why it is made.
    pub purpose: Purpose,
    /// What the other side calls the notice that this one changes or follows.
    pub first: Option<String>,
    /// When the first attempt began whose end is not known, milliseconds since 1970.
    pub unsure_since_ms: Option<i64>,
    /// An earlier attempt may have arrived and nobody can find out: the reader is told so.
    pub is_possible_repeat: bool,
    /// It ends within this, milliseconds.
    pub deadline_ms: i64,
    row: Known,
}

/// What a call has to know of its row when it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    destination: Destination,
    subject: String,
    lane: Lane,
    /// With this one, if it is one.
    attempts: u32,
    doubt: Doubt,
    has_other_way: bool,
    /// By [`Clock::patience_ms`].
    begun_ms: i64,
}

/// Why a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// To deliver: it changes something there.
    Deliver,
    /// To find out whether an earlier attempt has arrived: it changes nothing.
    Find,
}

/// What begins now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Round {
    /// Inputs for the router, in this order: that attempts begin, and what follows from time alone.
    pub receipts: Vec<Receipt>,
    /// Calls to be made once the receipts are committed, the most urgent first.
    pub calls: Vec<Call>,
}

/// Whether others of the same destination may have their turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Passes,
    Waits,
}

/// What a notice that this one follows means for it.
enum First {
    /// There is none, or none that could be changed: it is told anew.
    None,
    /// The other side calls it so.
    Known(String),
    /// It has not been told yet.
    Wait,
}

impl Dispatcher {
    /// A dispatcher that has not done anything yet.
    pub fn new(config: Arc<Config>) -> Dispatcher {
        Dispatcher {
            config,
            clock: Clock::default(),
            gates: BTreeMap::new(),
            ears: Ears::default(),
            calls: BTreeMap::new(),
            busy: BTreeMap::new(),
            settled: BTreeMap::new(),
            quiet: BTreeMap::new(),
            told: None,
            number: 0,
            next_ms: None,
            is_new: true,
        }
    }

    /// Takes another configuration. Calls that are out go on; accounts that were denied are tried again.
    pub fn configure(&mut self, config: Arc<Config>) {
        self.config = config;
        let known = accounts(&self.config);
        let calls = &self.calls;
        let is_used = |name: &String| known.contains_key(name) || name == TERMINAL;
        self.gates.retain(|name, _| is_used(name) || calls.values().any(|call| call.way.account == *name));
        for gate in self.gates.values_mut() {
            gate.try_again(self.clock.patience_ms);
        }
    }

    /// Says what begins now. Time must not go back from call to call.
    ///
    /// The caller hands every receipt to the router, commits, and only then makes the calls.
    pub fn begin(&mut self, outbox: &Outbox, now_ms: i64) -> Round {
        self.pass(now_ms);
        self.next_ms = None;
        let mut round = Round::default();
        if std::mem::take(&mut self.is_new) {
            self.start(outbox);
        }
        self.give_up_calls(&mut round);
        if self.settled.len() > MAX_KEPT {
            // Some end without a call: a newer one takes their place, or the other side tells that they arrived.
            let is_open = |row: &Intent| matches!(row.state, State::Sending | State::Ambiguous);
            self.settled.retain(|id, _| outbox.get(id).is_some_and(is_open));
        }
        self.stand_in(outbox, &mut round);
        let mut due: Vec<(Lane, i64, i64, &Intent)> = Vec::new();
        for (_, queue) in outbox.queues() {
            for lane in [Lane::Page, Lane::Immediate, Lane::Alert, Lane::Digest] {
                for (due_ms, id) in queue.heads(lane).take(MAX_HEADS) {
                    if due_ms > now_ms {
                        self.wake(due_ms);
                        break;
                    }
                    due.extend(outbox.get(id).map(|row| (lane, due_ms, row.created_ms, row)));
                }
            }
        }
        due.sort_by(|a, b| (a.0, a.1, a.2, &a.3.id).cmp(&(b.0, b.1, b.2, &b.3.id)));
        // Where one has to wait for its turn, those behind it wait too.
        let mut shut: BTreeSet<(&Destination, bool, bool)> = BTreeSet::new();
        for (lane, _, _, row) in due {
            let turn = (&row.destination, row.kind == NoticeKind::Update, lane == Lane::Page);
            if !shut.contains(&turn) && self.consider(row, lane, outbox, &mut round) == Turn::Waits {
                shut.insert(turn);
            }
        }
        // What follows from time alone may let others begin.
        if round.receipts.len() > round.calls.iter().filter(|call| call.purpose == Purpose::Deliver).count() {
            self.wake(now_ms);
        }
        for call in &round.calls {
            let subjects = self.busy.entry(call.row.destination.clone()).or_default();
            subjects.insert(call.row.subject.clone());
            self.calls.insert(call.number, call.clone());
        }
        if let Some(told_ms) = self.ears.next_ms() {
            self.wake_after(told_ms);
        }
        if let Some(first) = self.calls.values().map(|call| call.row.begun_ms + call.deadline_ms).min() {
            self.wake_after(first + GIVE_UP_MS);
        }
        round
    }

    /// When [`Dispatcher::begin`] is to be called at the latest even when nothing happens, milliseconds since
    /// 1970; `None` while nothing waits. It may be called at any time, and after every input.
    pub fn next_ms(&self) -> Option<i64> {
        self.next_ms
    }

    /// Takes the way a call ended, and gives what follows, for the router.
    ///
    /// Of a call that looks, `Delivered` means that it is there, `Absent` that it is not although it would be
    /// seen, `Refused` that the other side lets nobody look. The end of a call that was given up is ignored,
    /// unless it has delivered.
    pub fn ended(&mut self, call: &Call, outcome: Outcome, now_ms: i64) -> Vec<Receipt> {
        self.pass(now_ms);
        let outcome = match self.calls.remove(&call.number) {
            Some(_) => self.end(call, outcome),
            None if matches!(outcome, Outcome::Delivered(_) | Outcome::Partly(_)) => outcome,
            None => return Vec::new(),
        };
        self.next_ms = Some(self.clock.now_ms);
        vec![Receipt { intent: call.intent.clone(), at_ms: self.clock.now_ms, outcome }]
    }

    /// Takes word from elsewhere that a notice, or a part of it, has arrived: the other side tells of what is
    /// posted. Gives what follows, for the router.
    pub fn seen(&mut self, outbox: &Outbox, intent: &str, outcome: &Outcome) -> Option<Receipt> {
        let row = outbox.get(intent)?;
        let may_have_arrived = row.state == State::Sending || row.passage.unsure_since_ms.is_some();
        // Of what was told in several messages, word of an earlier one says nothing.
        let is_next = match outcome {
            Outcome::Delivered(_) => row.passage.told.is_none(),
            Outcome::Partly(part) => part.number == row.part(),
            _ => false,
        };
        if !may_have_arrived || !is_next || row.state == State::Sent {
            return None;
        }
        // How the call ends that is out for it tells nothing any more, least of all about what comes next.
        let out = self.calls.values().find(|call| call.intent == intent).map(|call| call.number);
        if let Some(call) = out.and_then(|number| self.calls.remove(&number)) {
            self.end(&call, outcome.clone());
        }
        self.next_ms = Some(self.clock.now_ms);
        Some(Receipt { intent: intent.to_owned(), at_ms: self.clock.now_ms, outcome: outcome.clone() })
    }

    /// Calls that are out.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        self.calls.values()
    }

    /// What people press at these accounts is to reach Dice, and at no others.
    pub fn listen(&mut self, accounts: impl IntoIterator<Item = String>) {
        self.ears.listen(accounts);
        self.next_ms = Some(self.clock.now_ms);
    }

    /// Takes how the connection stands over which an account tells what people press.
    pub fn hear(&mut self, account: &str, hearing: &Hearing, now_ms: i64) {
        self.pass(now_ms);
        self.ears.hear(account, hearing, self.clock.patience_ms);
        self.next_ms = Some(self.clock.now_ms);
    }

    /// What keeps notices from leaving, or people from answering, by cause, when it is not what was given the last time.
    pub fn troubles(&mut self) -> Option<BTreeMap<String, String>> {
        let now_ms = self.clock.patience_ms;
        let mut troubles = BTreeMap::new();
        for (account, gate) in &mut self.gates {
            if let Some(why) = gate.why_denied() {
                let text = format!(
                    "{account} does not accept who Dice says it is: {why}; what it would carry waits, or goes \
                     another way"
                );
                troubles.insert(format!("courier_denied {account}"), text);
            } else if let Some(why) = gate.why_down(now_ms) {
                let text = format!("nothing arrives by {account}: {why}; notices wait and are tried again");
                troubles.insert(format!("courier_down {account}"), text);
            }
        }
        for (account, why) in self.ears.deaf(now_ms) {
            let text =
                format!("what people press in {account} does not reach Dice: {why}; it is tried again");
            troubles.insert(format!("courier_deaf {account}"), text);
        }
        if self.told.as_ref() == Some(&troubles) {
            return None;
        }
        self.told = Some(troubles.clone());
        Some(troubles)
    }

    /// Time passes. What has certainly passed grows by a step at most, as the clock may have jumped.
    fn pass(&mut self, now_ms: i64) {
        let passed_ms = now_ms.saturating_sub(self.clock.now_ms).clamp(0, STEP_MS);
        self.clock.patience_ms += passed_ms;
        self.clock.now_ms = self.clock.now_ms.max(now_ms);
    }

    fn wake(&mut self, at_ms: i64) {
        self.next_ms = Some(self.next_ms.map_or(at_ms, |known| known.min(at_ms)));
    }

    /// Wakes when so much has certainly passed, or to count what has.
    fn wake_after(&mut self, patience_ms: i64) {
        let wait_ms = patience_ms.saturating_sub(self.clock.patience_ms).clamp(0, STEP_MS);
        self.wake(self.clock.now_ms.saturating_add(wait_ms));
    }

    fn receipt(&self, row: &Intent, outcome: Outcome) -> Receipt {
        Receipt { intent: row.id.clone(), at_ms: self.clock.now_ms, outcome }
    }

    /// Calls that never end are taken for such whose end is not known.
    fn give_up_calls(&mut self, round: &mut Round) {
        let patience_ms = self.clock.patience_ms;
        let is_overdue = |call: &&Call| call.row.begun_ms + call.deadline_ms + GIVE_UP_MS <= patience_ms;
        let overdue: Vec<Call> = self.calls.values().filter(is_overdue).cloned().collect();
        for call in overdue {
            self.calls.remove(&call.number);
            let outcome = self.end(&call, Outcome::Ambiguous("the call did not end".to_owned()));
            round.receipts.push(Receipt { intent: call.intent, at_ms: self.clock.now_ms, outcome });
        }
    }

    /// What follows from the end of a call, and what the account's gate learns from it.
    fn end(&mut self, call: &Call, outcome: Outcome) -> Outcome {
        let now_ms = self.clock.patience_ms;
        if let Some(subjects) = self.busy.get_mut(&call.row.destination) {
            subjects.remove(&call.row.subject);
            if subjects.is_empty() {
                self.busy.remove(&call.row.destination);
            }
        }
        let gate = self.gates.entry(call.way.account.clone()).or_default();
        let is_probe = gate.end(call.number);
        match &outcome {
            // These are about the account. Whatever else the other side says, it is there.
            Outcome::Later(_, why) | Outcome::Ambiguous(why) => gate.failed(why, is_probe, now_ms),
            Outcome::Denied(why) => gate.denied(why, now_ms),
            Outcome::Limited(wait_ms, reach, _) => {
                gate.answered();
                let until_ms = now_ms.saturating_add((*wait_ms).max(0));
                gate.pause(*reach, call.kind, &call.way.destination, until_ms);
            }
            // Nobody was asked.
            Outcome::Unwanted(_) => {}
            _ => gate.answered(),
        }
        let settled_ms = match call.purpose {
            // The call was made a little after it began here, when that was committed.
            Purpose::Deliver => settled_ms(now_ms.max(call.row.begun_ms + call.deadline_ms)),
            Purpose::Find => self.settled.get(&call.intent).copied().unwrap_or(now_ms),
        };
        let is_settled = call.row.begun_ms >= settled_ms;
        let look_ms =
            if now_ms < settled_ms - LOOK_AGAIN_MS { settled_ms - LOOK_AGAIN_MS } else { settled_ms };
        let course = Course {
            intent: &call.intent,
            purpose: call.purpose,
            doubt: call.row.doubt,
            lane: call.row.lane,
            attempts: call.row.attempts,
            account: &call.way.account,
            has_other_way: call.row.has_other_way,
            look_in_ms: (look_ms - now_ms).max(0),
            is_settled,
            policy: &self.config.dispatch,
        };
        let is_unsure = matches!(outcome, Outcome::Ambiguous(_)) && call.purpose == Purpose::Deliver;
        let follows = course.follow(outcome);
        if is_unsure && call.row.doubt.is_repeated() {
            let Known { destination, subject, .. } = call.row.clone();
            self.hush(destination, subject, call.intent.clone(), settled_ms);
        }
        match &follows {
            Outcome::Unsure(..) => {
                self.settled.entry(call.intent.clone()).or_insert(settled_ms);
                if call.purpose == Purpose::Deliver {
                    self.settled.insert(call.intent.clone(), settled_ms);
                }
            }
            _ => {
                self.settled.remove(&call.intent);
            }
        }
        follows
    }

    /// Tells others of pages that nobody took in time.
    fn stand_in(&mut self, outbox: &Outbox, round: &mut Round) {
        let (now_ms, after_ms) = (self.clock.now_ms, self.config.dispatch.fallback_after_ms);
        for (destination, queue) in outbox.queues() {
            for (_, id) in queue.heads(Lane::Page).take(MAX_HEADS) {
                let Some(row) = outbox.get(id) else { continue };
                if row.passage.stand_ins.is_some()
                    || !wakes_somebody(row)
                    || ways(destination, &self.config).is_empty()
                {
                    continue;
                }
                let at_ms = since_ms(row).saturating_add(after_ms);
                if at_ms > now_ms {
                    self.wake(at_ms);
                    continue;
                }
                let mut chain = queue.chain(&row.subject).filter_map(|id| outbox.get(id));
                if chain.any(|row| row.kind == NoticeKind::Resolved) {
                    continue;
                }
                let outcome = Outcome::StoodIn(stand_ins(row, &self.config));
                round.receipts.push(self.receipt(row, outcome));
            }
        }
    }

    /// Begins what can begin for the first row of a chain that is due.
    fn consider(&mut self, row: &Intent, lane: Lane, outbox: &Outbox, round: &mut Round) -> Turn {
        let now_ms = self.clock.now_ms;
        if self.busy.get(&row.destination).is_some_and(|subjects| subjects.contains(&row.subject)) {
            return Turn::Passes;
        }
        if !self.quiet.is_empty() {
            let chain = (row.destination.clone(), row.subject.clone());
            if let Some((older, until_ms)) = self.quiet.get(&chain) {
                let (is_itself, until_ms) = (*older == row.id, *until_ms);
                if until_ms <= self.clock.patience_ms {
                    self.quiet.remove(&chain);
                } else if !is_itself || row.kind == NoticeKind::Update {
                    self.wake_after(until_ms);
                    return Turn::Passes;
                }
            }
        }
        if let Some(newer) = newer_update(row, outbox) {
            round.receipts.push(self.receipt(row, Outcome::Superseded(newer)));
            return Turn::Passes;
        }
        let is_unsure = matches!(row.state, State::Ambiguous | State::Sending);
        let ttl_ms = self.config.dispatch.ttl.of(row.lane);
        let grace_ms = if is_unsure { GRACE_MS } else { 0 };
        if row.state != State::Sending
            && now_ms.saturating_sub(since_ms(row)) >= ttl_ms.saturating_add(grace_ms)
        {
            let why = expired(row, ttl_ms);
            self.settled.remove(&row.id);
            round.receipts.push(self.receipt(row, Outcome::Refused(why)));
            return Turn::Passes;
        }
        let mut usable = self.usable(row);
        let Some(mut at) = self.preferred(row, &usable, outbox) else {
            let why = row.why.clone().unwrap_or_else(|| "nobody carries it".to_owned());
            round.receipts.push(self.receipt(row, Outcome::Refused(why)));
            return Turn::Passes;
        };
        // An attempt whose end is not known concerns the account by which it was made.
        let account = row.passage.account.as_deref();
        if is_unsure && let Some(account) = account {
            match usable.iter().position(|way| way.account == account) {
                Some(there) => at = there,
                None if row.passage.is_possible_repeat => {}
                None => {
                    let why = format!("{account} is not there any more to be asked");
                    let wait_ms = patience(row.lane, &self.config.dispatch);
                    round.receipts.push(self.receipt(row, Outcome::Parked(wait_ms, why)));
                    return Turn::Passes;
                }
            }
        }
        let has_other_way = usable.len() > 1;
        let way = usable.swap_remove(at);
        let first = match first(row, &way, outbox) {
            First::Wait => return Turn::Passes,
            First::None => None,
            First::Known(reference) => Some(reference),
        };
        let kind = match (row.kind, &first) {
            (NoticeKind::Update, Some(_)) => CallKind::Update,
            _ => CallKind::Post,
        };
        let doubt = way.doubt(kind, row.lane, &self.config.dispatch);
        let deadline_ms = way.courier.deadline_ms(&self.config.dispatch);
        if row.state == State::Sending {
            let outcome = self.interrupted(row, doubt, deadline_ms);
            round.receipts.push(self.receipt(row, outcome));
            return Turn::Passes;
        }
        let mut purpose = Purpose::Deliver;
        if row.state == State::Ambiguous && !row.passage.is_possible_repeat {
            match doubt {
                Doubt::Repeat | Doubt::Settle => {}
                Doubt::Mark(wait_ms) => {
                    let why = row.why.clone().unwrap_or_default();
                    round.receipts.push(self.receipt(row, Outcome::Parked(wait_ms, why)));
                    return Turn::Passes;
                }
                Doubt::Look => {
                    let patience_ms = self.clock.patience_ms;
                    let settled = self.settled.entry(row.id.clone());
                    let settled_ms = *settled.or_insert(settled_ms(patience_ms + deadline_ms));
                    if patience_ms < settled_ms - LOOK_AGAIN_MS {
                        self.wake_after(settled_ms - LOOK_AGAIN_MS);
                        return Turn::Passes;
                    }
                    purpose = Purpose::Find;
                }
            }
        }
        if purpose == Purpose::Deliver && row.passage.hidden_by.is_some() {
            // Whether it has arrived cannot be asked: it is not said again.
            round.receipts.push(self.receipt(row, Outcome::Absent("it was hidden on its way".to_owned())));
            return Turn::Passes;
        }
        let kind = if purpose == Purpose::Find { CallKind::Find } else { kind };
        let wish = Wish { courier: way.courier, kind, destination: &way.destination, lane };
        let gate = self.gates.entry(way.account.clone()).or_default();
        if let Err(at_ms) = gate.pass(self.number + 1, &wish, self.clock.patience_ms) {
            if at_ms < i64::MAX {
                self.wake_after(at_ms);
            }
            return Turn::Waits;
        }
        if purpose == Purpose::Deliver {
            round.receipts.push(self.receipt(row, Outcome::Begun(way.account.clone())));
        }
        self.number += 1;
        round.calls.push(Call {
            number: self.number,
            intent: row.id.clone(),
            way,
            kind,
            purpose,
            first,
            unsure_since_ms: row.passage.unsure_since_ms,
            is_possible_repeat: row.passage.is_possible_repeat,
            deadline_ms,
            row: Known {
                destination: row.destination.clone(),
                subject: row.subject.clone(),
                lane: row.lane,
                attempts: row.tries() + u32::from(purpose == Purpose::Deliver),
                doubt,
                has_other_way,
                begun_ms: self.clock.patience_ms,
            },
        });
        Turn::Passes
    }

    /// The process ended while this was sent.
    fn interrupted(&mut self, row: &Intent, doubt: Doubt, deadline_ms: i64) -> Outcome {
        let why = "Dice stopped while it was sent".to_owned();
        let settled_ms = settled_ms(self.clock.patience_ms + deadline_ms);
        if doubt.is_repeated() {
            self.hush(row.destination.clone(), row.subject.clone(), row.id.clone(), settled_ms);
        }
        match doubt {
            Doubt::Look | Doubt::Settle => {
                self.settled.insert(row.id.clone(), settled_ms);
                Outcome::Unsure(deadline_ms + SETTLE_MS, why)
            }
            Doubt::Repeat => Outcome::Unsure(back_off(&row.id, row.tries(), row.lane), why),
            Doubt::Mark(wait_ms) => Outcome::Parked(wait_ms, why),
        }
    }

    /// Nothing newer about this is attempted before.
    fn hush(&mut self, destination: Destination, subject: String, intent: String, until_ms: i64) {
        self.quiet.insert((destination, subject), (intent, until_ms));
        if self.quiet.len() > MAX_KEPT {
            let now_ms = self.clock.patience_ms;
            self.quiet.retain(|_, (_, until_ms)| *until_ms > now_ms);
        }
    }

    /// The ways that have not refused it, the best first.
    fn usable(&self, row: &Intent) -> Vec<Way> {
        let mut usable = ways(&row.destination, &self.config);
        if is_about_dice(row) {
            // That nothing arrives must arrive.
            for name in &self.config.dispatch.fallback {
                usable.extend(ways(&Destination::named(name), &self.config));
            }
            usable.push(terminal(&row.destination));
        }
        if usable.is_empty() {
            usable.push(terminal(&row.destination));
        }
        usable.retain(|way| !row.passage.refused_by.contains(&way.account));
        usable
    }

    /// The place of the way that it takes: that of its beginning or the notice it follows, else the first. What is
    /// about Dice itself takes one that is open.
    fn preferred(&self, row: &Intent, usable: &[Way], outbox: &Outbox) -> Option<usize> {
        let is_open = |way: &Way| self.gates.get(&way.account).is_none_or(|gate| !gate.is_shut());
        let first = row.follows.as_ref().and_then(|first| outbox.get(first));
        let told = row.passage.told.as_ref().map(|told| told.account.as_str());
        let account = told.or_else(|| first.and_then(|first| first.passage.account.as_deref()));
        let same = usable.iter().position(|way| Some(way.account.as_str()) == account);
        if is_about_dice(row) {
            let same = same.filter(|at| usable.get(*at).is_some_and(is_open));
            return same.or_else(|| usable.iter().position(is_open)).or(usable.len().checked_sub(1));
        }
        same.or((!usable.is_empty()).then_some(0))
    }
}

/// Since when it may be attempted.
fn since_ms(row: &Intent) -> i64 {
    if row.passage.since_ms == 0 { row.created_ms } else { row.passage.since_ms }
}

/// Whether it says that Dice itself needs somebody.
fn is_about_dice(row: &Intent) -> bool {
    row.kind == NoticeKind::SelfAlert || row.subject.starts_with("self/")
}

/// A change that waits and says the same as this one and more.
fn newer_update(row: &Intent, outbox: &Outbox) -> Option<String> {
    if row.kind != NoticeKind::Update || row.state == State::Sending {
        return None;
    }
    let queue = outbox.queue(&row.destination)?;
    let chain = queue.chain(&row.subject).filter_map(|id| outbox.get(id));
    let newer = chain.filter(|other| other.kind == NoticeKind::Update && other.follows == row.follows);
    newer.filter(|other| other.revision > row.revision).last().map(|newer| newer.id.clone())
}

fn first(row: &Intent, way: &Way, outbox: &Outbox) -> First {
    // What is left of a notice follows its beginning.
    if let Some(told) = row.passage.told.as_ref().filter(|told| told.account == way.account) {
        return First::Known(told.first.clone());
    }
    let Some(first) = row.follows.as_ref().and_then(|first| outbox.get(first)) else { return First::None };
    match first.state {
        // One that was held back or refused has a reference where a change was told in its place.
        State::Sent | State::Suppressed | State::Dead => {
            let is_there = first.passage.account.as_deref().is_none_or(|account| account == way.account);
            first.reference.clone().filter(|_| is_there).map_or(First::None, First::Known)
        }
        State::Pending | State::Held | State::Sending | State::Retry | State::Ambiguous => First::Wait,
    }
}

/// Why it is given up.
fn expired(row: &Intent, ttl_ms: i64) -> String {
    let hours = ttl_ms / 3_600_000;
    let within = if hours > 0 { format!("{hours} h") } else { format!("{} s", ttl_ms / 1_000) };
    let may = if row.passage.unsure_since_ms.is_some() { " (it may have arrived)" } else { "" };
    let why = row.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    let rest = if row.passage.told.is_some() { "not all of it was" } else { "not" };
    format!("{rest} delivered within {within}{may}{why}")
}
