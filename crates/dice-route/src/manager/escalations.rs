//! Who hears next when nobody reacts.
//!
//! Each episode has a row for every policy that is at work on it. A step, the notices it makes and the time of
//! the next step change together. What was due while nothing ran is done once, not once for each time missed.

mod command;
mod defaults;
mod escalation;
mod reach;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dice_catalog::Owner;
use serde::{Deserialize, Serialize};

pub use self::escalation::{Escalation, Standing};
use self::reach::{Word, holds, reach, tell};
use super::{Alarms, Desk, Roster, Storm, wording};
use crate::book::{Book, Delta, Row, Table};
use crate::config::Target;
use crate::{Cause, CloseReason, Config, Destination, Intent, NoticeKind, NoticeRow, Severity, State};

/// Escalations that are kept; past it new episodes have none, and somebody is told.
const MAX_ESCALATIONS: usize = 100_000;

/// The auditor looks this often.
const AUDIT_MS: i64 = 60_000;

/// What is overdue by more than this was forgotten.
const OVERDUE_MS: i64 = 2 * 60_000;

/// How long somebody who is on something of a severity is taken to be on it, milliseconds.
pub(super) fn ack_timeout_ms(severity: Severity, config: &Config) -> i64 {
    defaults::policy(severity, config).ack_timeout_ms.max(60_000)
}

/// What an escalation has to know of its episode.
#[derive(Debug, Clone, Default)]
pub struct Situation {
    /// How much it matters.
    pub severity: Severity,
    /// The policy that a rule or a route names.
    pub policy: Option<String>,
    /// One line.
    pub title: String,
    /// Its row in a notice.
    pub row: NoticeRow,
    /// Who answers for it now.
    pub owners: Vec<Owner>,
    /// Where it is told, with the first notice there, if there is one already.
    pub told: Vec<(Destination, Option<String>)>,
}

impl Situation {
    fn places(&self) -> impl Iterator<Item = &Destination> {
        self.told.iter().map(|(destination, _)| destination)
    }
}

/// What escalations ask the manager.
pub trait Watch {
    /// The situation of an episode that goes on; `None` when it has ended or is unknown.
    fn situation(&self, episode: &str) -> Option<Situation>;

    /// What hides an episode from a destination, and its name.
    fn hides(&self, episode: &str, destination: &Destination) -> Option<(Cause, String)>;

    /// What hides an episode from everybody.
    fn hides_from_all(&self, episode: &str) -> Option<String>;

    /// The episodes that go on, in order.
    fn open(&self) -> Vec<String>;
}

/// What escalations need beside the desk.
pub struct Means<'a> {
    /// What is known of the episodes.
    pub watch: &'a dyn Watch,
    /// The guards.
    pub storm: &'a mut Storm,
    /// Where Dice says that it needs somebody itself.
    pub alarms: &'a mut Alarms,
}

/// The auditor's book.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Audit {
    /// When it looked last.
    at_ms: i64,
    /// When it looked last and everything was in order.
    passed_ms: Option<i64>,
}

impl Row for Audit {
    const TABLE: Table = Table::Escalations;

    fn id(&self) -> &str {
        AUDIT
    }
}

const AUDIT: &str = "audit";

/// The running escalations.
#[derive(Debug, Clone, Default)]
pub struct Escalations {
    book: Book<Escalation>,
    audit: Book<Audit>,
    /// The rows of each episode.
    episodes: BTreeMap<String, BTreeSet<String>>,
    /// When something has to be done about which.
    wakes: BTreeSet<(i64, String)>,
    paused: BTreeSet<String>,
    roster: Arc<Roster>,
}

impl Escalations {
    /// Takes another roster.
    pub fn configure(&mut self, roster: &Arc<Roster>) {
        self.roster = roster.clone();
    }

    /// An episode has begun: its policy, as it is now, goes to work. Nothing happens when it is at work.
    pub fn open(&mut self, episode: &str, means: &mut Means<'_>, desk: &mut Desk<'_>) {
        let Some(now) = means.watch.situation(episode) else { return };
        self.begin(episode, &now, Vec::new(), means, desk);
    }

    fn begin(
        &mut self,
        episode: &str,
        now: &Situation,
        notes: Vec<String>,
        means: &mut Means<'_>,
        desk: &mut Desk<'_>,
    ) {
        let named = now.policy.as_ref().and_then(|name| Some((name, defaults::called(name, desk.config)?)));
        let is_default = named.is_none();
        let (name, policy) = match named {
            Some((name, policy)) => (name.clone(), policy),
            None => (now.severity.as_str().to_owned(), defaults::policy(now.severity, desk.config)),
        };
        let id = format!("{episode}/{name}");
        if self.book.get(&id).is_some() {
            return;
        }
        if self.book.len() >= MAX_ESCALATIONS {
            let is_over = |(_, id): &&(i64, String)| self.book.get(id).is_some_and(|row| !row.is_open());
            let over = self.wakes.iter().find(is_over).map(|(_, id)| id.clone());
            over.into_iter().for_each(|id| self.remove(&id));
        }
        if self.book.len() >= MAX_ESCALATIONS {
            let text = format!("{MAX_ESCALATIONS} escalations run already: nobody hears of this one");
            desk.records.note(desk.now_ms, Cause::Evicted, episode, "escalations", &text);
            means.alarms.raise("escalations/full", &text, desk);
            return;
        }
        let ordinal = self.episodes.get(episode).map_or(0, BTreeSet::len);
        let due_ms = policy.steps.first().map(|step| desk.now_ms.saturating_add(step.after_ms.max(0)));
        let state = match due_ms {
            Some(_) => Standing::Running,
            None => Standing::Done { why: "the policy has no steps".to_owned() },
        };
        let mut row = Escalation {
            id: id.clone(),
            episode: episode.to_owned(),
            name,
            policy,
            is_default,
            is_superseded: false,
            ordinal: u32::try_from(ordinal).unwrap_or(u32::MAX),
            severity: now.severity,
            opened_ms: desk.now_ms,
            step: 0,
            round: 0,
            taken: 0,
            stepped_ms: desk.now_ms,
            due_ms,
            remind_ms: None,
            state,
            told: Vec::new(),
            revision: 0,
            notes,
            counts: Vec::new(),
            closed_ms: None,
        };
        row.count(desk.now_ms, now.row.evidence.count);
        self.book.put(row);
        self.index(&id);
        if due_ms.is_some_and(|due_ms| due_ms <= desk.now_ms) {
            self.act(&id, means, desk);
        }
    }

    /// An episode goes on: more has come, or it matters more.
    pub fn update(&mut self, episode: &str, means: &mut Means<'_>, desk: &mut Desk<'_>) {
        let Some(now) = means.watch.situation(episode) else { return };
        let mut is_worse = false;
        for id in self.rows_of(episode) {
            let now_ms = desk.now_ms;
            let Some(row) = self.book.get(&id).filter(|row| row.is_open()) else { continue };
            let (before, is_default) = (row.severity, row.is_default);
            let rose = now.severity > before && !row.is_superseded;
            let moves_on = rose && is_default && row.name != now.severity.as_str();
            is_worse |= moves_on;
            self.change(&id, |row| {
                row.count(now_ms, now.row.evidence.count);
                row.severity = now.severity;
                if moves_on {
                    row.is_superseded = true;
                    row.state = Standing::Done { why: format!("severity rose to {}", now.severity) };
                } else if rose && matches!(row.state, Standing::Acked { .. }) {
                    row.resume(format!("severity rose from {before} to {}", now.severity), now_ms);
                }
            });
            self.act_if_due(&id, means, desk);
        }
        if is_worse {
            let notes = vec![format!("severity rose to {}", now.severity)];
            self.begin(episode, &now, notes, means, desk);
        }
    }

    /// An episode is no longer told somewhere: its end is not told there either, unless a policy and not their
    /// owning it had them told.
    pub fn leave(&mut self, episode: &str, destination: &Destination) {
        let roster = self.roster.clone();
        for id in self.rows_of(episode) {
            let Some(row) = self.book.get(&id) else { continue };
            let names = |target: &Target| match target {
                Target::OnCall(_) => true,
                Target::To(name) => roster.reaches_same(&Destination::named(name), destination),
                Target::Owner | Target::Channel => false,
            };
            let is_theirs = |(known, _): &(Destination, String)| roster.reaches_same(known, destination);
            if row.told.iter().any(is_theirs)
                && !row.policy.steps.iter().any(|step| step.to.iter().any(names))
            {
                self.change(&id, |row| row.told.retain(|told| !is_theirs(told)));
            }
        }
    }

    /// An episode has ended: nothing more comes, and who was told hears of it.
    pub fn close(
        &mut self,
        episode: &str,
        reason: CloseReason,
        now: &Situation,
        means: &mut Means<'_>,
        desk: &mut Desk<'_>,
    ) {
        for id in self.rows_of(episode) {
            if self.book.get(&id).is_none_or(|row| !row.is_open()) {
                continue;
            }
            let now_ms = desk.now_ms;
            self.change(&id, |row| {
                row.closed_ms = Some(now_ms);
                row.state = Standing::Done { why: "the episode has ended".to_owned() };
            });
            // An instant is over when it begins: what it set off stands.
            if reason != CloseReason::Instant {
                self.tell_end(&id, now, means, desk);
            }
        }
    }

    fn tell_end(&mut self, id: &str, now: &Situation, means: &mut Means<'_>, desk: &mut Desk<'_>) {
        let Some(mut row) = self.book.get(id).cloned() else { return };
        self.stop_waiting(&row, "the end of the episode", desk);
        let roster = self.roster.clone();
        let word = Word {
            kind: NoticeKind::Resolved,
            title: format!("over: {}", now.title),
            because: format!("you were told by {}", row.name),
            notes: vec![format!(
                "it lasted {}",
                wording::duration(desk.now_ms.saturating_sub(row.opened_ms))
            )],
            is_opening: false,
        };
        let quiet = Word { kind: NoticeKind::Update, ..word.clone() };
        for (destination, first) in row.told.clone() {
            let was_sent = desk
                .outbox
                .get(&first)
                .is_none_or(|intent| !matches!(intent.state, State::Suppressed | State::Dead));
            // Where the group tells the episode, it tells the end as well.
            if !was_sent || now.places().any(|place| roster.reaches_same(place, &destination)) {
                continue;
            }
            let is_receiver = matches!(destination, Destination::Receiver(_));
            let word = if row.policy.resolve_quietly && !is_receiver { &quiet } else { &word };
            tell(&mut row, word, &[destination], now, means, &roster, desk);
        }
        self.book.put(row);
    }

    /// Holds back what an escalation wanted to say and has not said, and whatever else calls somebody about
    /// its episode. What other escalations of the episode say of its end stays.
    fn stop_waiting(&self, row: &Escalation, by: &str, desk: &mut Desk<'_>) {
        let calls = |kind| matches!(kind, NoticeKind::Escalation | NoticeKind::Reminder);
        let is_stopped = |intent: &&Intent| calls(intent.kind) || reach::is_of(row, intent.revision);
        let waiting = desk.outbox.waiting().filter(|intent| intent.subject == row.episode);
        let waiting = waiting.filter(is_stopped);
        let waiting: Vec<String> = waiting.map(|intent| intent.id.clone()).collect();
        for id in waiting {
            desk.outbox.suppress(&id, Cause::Superseded, by, desk.now_ms, desk.records);
        }
    }

    /// Takes the steps that are due, lets acknowledgements expire, and looks whether nothing was forgotten.
    pub fn tick(&mut self, means: &mut Means<'_>, desk: &mut Desk<'_>) {
        for id in self.paused.iter().cloned().collect::<Vec<_>>() {
            self.look(&id, means, desk);
        }
        while let Some((wake_ms, id)) = self.wakes.first().cloned()
            && wake_ms <= desk.now_ms
        {
            self.act(&id, means, desk);
            // A row that has just been seen to waits; should it not, the next tick sees to it.
            if self.wakes.first() == Some(&(wake_ms, id)) {
                self.wakes.pop_first();
            }
        }
        let last_ms = self.audit.get(AUDIT).map(|audit| audit.at_ms);
        if last_ms.is_none_or(|last_ms| desk.now_ms.saturating_sub(last_ms) >= AUDIT_MS) {
            self.audit(means, desk);
        }
    }

    /// Stops what is hidden from everybody now, and lets go on what no longer is.
    pub fn look_again(&mut self, means: &mut Means<'_>, desk: &mut Desk<'_>) {
        let running =
            self.book.iter().filter(|row| row.is_open() && !matches!(row.state, Standing::Done { .. }));
        for id in running.map(|row| row.id.clone()).collect::<Vec<_>>() {
            self.look(&id, means, desk);
        }
    }

    fn look(&mut self, id: &str, means: &mut Means<'_>, desk: &mut Desk<'_>) {
        let Some(row) = self.book.get(id) else { return };
        let now_ms = desk.now_ms;
        match (&row.state, means.watch.hides_from_all(&row.episode)) {
            (Standing::Running, Some(by)) => {
                let text = "an escalation waits while its episode is hidden";
                desk.records.note(now_ms, Cause::Held, &row.episode, &by, text);
                self.change(id, |row| row.pause(&by, now_ms));
            }
            (Standing::Paused { since_ms, .. }, None) => {
                let since_ms = *since_ms;
                let note = format!("was hidden for {}", wording::duration(now_ms.saturating_sub(since_ms)));
                self.change(id, |row| row.unpause(since_ms, note, now_ms));
            }
            _ => {}
        }
    }

    fn act_if_due(&mut self, id: &str, means: &mut Means<'_>, desk: &mut Desk<'_>) {
        let wake_ms = self.book.get(id).and_then(Escalation::wake_ms);
        if wake_ms.is_some_and(|wake_ms| wake_ms <= desk.now_ms) {
            self.act(id, means, desk);
        }
    }

    /// Does what is due for a row.
    fn act(&mut self, id: &str, means: &mut Means<'_>, desk: &mut Desk<'_>) {
        let now_ms = desk.now_ms;
        let Some(row) = self.book.get(id) else { return };
        if row.closed_ms.is_some() {
            self.remove(id);
            return;
        }
        let episode = row.episode.clone();
        let Some(now) = means.watch.situation(&episode) else {
            self.change(id, |row| {
                row.closed_ms = Some(now_ms);
                row.state = Standing::Done { why: "the episode is unknown".to_owned() };
            });
            return;
        };
        if let Standing::Acked { by, .. } = &row.state {
            let note = format!("ack by {by} expired");
            self.change(id, |row| row.resume(note, now_ms));
        }
        self.look(id, means, desk);
        let Some(mut row) = self.book.get(id).filter(|row| row.state == Standing::Running).cloned() else {
            return;
        };
        if row.due_ms.is_some_and(|due_ms| due_ms <= now_ms) {
            self.take_steps(&mut row, &now, means, desk);
        } else if row.remind_ms.is_some_and(|remind_ms| remind_ms <= now_ms) {
            self.remind(&mut row, &now, means, desk);
        }
        self.change(id, |known| *known = row);
    }

    /// Takes the step that is due, and those that come with it; not those that a longer wait would have
    /// brought meanwhile.
    fn take_steps(
        &mut self,
        row: &mut Escalation,
        now: &Situation,
        means: &mut Means<'_>,
        desk: &mut Desk<'_>,
    ) {
        for _ in 0..row.policy.steps.len() {
            let Some(due_ms) = row.due_ms.filter(|due_ms| *due_ms <= desk.now_ms) else { break };
            if row.state != Standing::Running {
                break;
            }
            let Some(step) = row.policy.steps.get(row.step).cloned() else { break };
            let mut n_told = 0;
            if holds(&step.only_if, row, desk) {
                let reach = reach(&step.to, now, &self.roster, desk);
                let mut word = Word::of_step(row, now, due_ms, desk.now_ms);
                if reach.is_page_lost {
                    let text = reach.notes.join("; ");
                    desk.records.note(desk.now_ms, Cause::SelfAlert, &row.episode, &row.name, &text);
                    // Who was told anyway has not been told this.
                    word.is_opening = false;
                    word.title = format!("nobody was paged: {}", now.title);
                }
                word.notes.extend(reach.notes);
                let roster = self.roster.clone();
                n_told = tell(row, &word, &reach.destinations, now, means, &roster, desk);
            }
            row.passed(desk.now_ms, n_told > 0);
        }
    }

    /// Says the last step again.
    fn remind(&mut self, row: &mut Escalation, now: &Situation, means: &mut Means<'_>, desk: &mut Desk<'_>) {
        let last = match row.step {
            0 => row.policy.steps.len().saturating_sub(1),
            step => step - 1,
        };
        row.remind_ms = None;
        let Some(step) = row.policy.steps.get(last).cloned() else { return };
        let reach = reach(&step.to, now, &self.roster, desk);
        let open_for = wording::duration(desk.now_ms.saturating_sub(row.opened_ms));
        let mut notes = std::mem::take(&mut row.notes);
        notes.extend(reach.notes);
        let word = Word {
            kind: NoticeKind::Reminder,
            title: format!("still not acknowledged after {open_for}: {}", now.title),
            because: format!("step {} of {}", last + 1, row.name),
            notes,
            is_opening: false,
        };
        let roster = self.roster.clone();
        tell(row, &word, &reach.destinations, now, means, &roster, desk);
        row.remind_ms = step.remind_ms.map(|every_ms| desk.now_ms.saturating_add(every_ms.max(60_000)));
    }

    /// Looks whether every episode that goes on has somebody to hear next, and repairs what has not.
    fn audit(&mut self, means: &mut Means<'_>, desk: &mut Desk<'_>) {
        let mut repaired = Vec::new();
        let open = means.watch.open();
        for episode in &open {
            if !self.episodes.contains_key(episode) {
                repaired.push(episode.clone());
                self.open(episode, means, desk);
            }
        }
        let is_forgotten = |row: &&Escalation| {
            row.is_open()
                && match row.state {
                    Standing::Running => {
                        let wake_ms = row.wake_ms();
                        wake_ms.is_none_or(|wake_ms| wake_ms < desk.now_ms.saturating_sub(OVERDUE_MS))
                    }
                    _ => false,
                }
        };
        let forgotten: Vec<String> =
            self.book.iter().filter(is_forgotten).map(|row| row.id.clone()).collect();
        for id in forgotten {
            let now_ms = desk.now_ms;
            self.change(&id, |row| row.resume("found without a next step".to_owned(), now_ms));
            repaired.extend(self.book.get(&id).map(|row| row.episode.clone()));
            self.act(&id, means, desk);
        }
        let is_over = |row: &&Escalation| row.is_open() && open.binary_search(&row.episode).is_err();
        let over: Vec<String> = self.book.iter().filter(is_over).map(|row| row.id.clone()).collect();
        for id in over {
            let now_ms = desk.now_ms;
            self.change(&id, |row| {
                row.closed_ms = Some(now_ms);
                row.state = Standing::Done { why: "the episode is unknown".to_owned() };
            });
        }
        for episode in &repaired {
            let text = "an escalation was found without a next step";
            desk.records.note(desk.now_ms, Cause::Repaired, episode, "auditor", text);
        }
        if !repaired.is_empty() {
            let n = repaired.len();
            let text = format!(
                "{} without a next step: repaired",
                wording::counted(n as u64, "escalation", "escalations")
            );
            means.alarms.raise("escalations/audit", &text, desk);
        } else {
            means.alarms.clear("escalations/audit", desk);
        }
        let passed_ms = self.last_audit_ms().filter(|_| !repaired.is_empty());
        let passed_ms = passed_ms.or(repaired.is_empty().then_some(desk.now_ms));
        self.audit.put(Audit { at_ms: desk.now_ms, passed_ms });
    }

    /// When the auditor looked last and found everything in order.
    pub fn last_audit_ms(&self) -> Option<i64> {
        self.audit.get(AUDIT)?.passed_ms
    }

    /// The escalations of an episode, in the order of the policies' names.
    pub fn of(&self, episode: &str) -> impl Iterator<Item = &Escalation> {
        let rows = self.episodes.get(episode).into_iter().flatten();
        rows.filter_map(|id| self.book.get(id))
    }

    /// Every row that is kept, in the order of the ids.
    pub fn iter(&self) -> impl Iterator<Item = &Escalation> {
        self.book.iter()
    }

    fn rows_of(&self, episode: &str) -> Vec<String> {
        self.episodes.get(episode).into_iter().flatten().cloned().collect()
    }

    /// Changes a row, and where it is found.
    fn change(&mut self, id: &str, change: impl FnOnce(&mut Escalation)) {
        if let Some(wake_ms) = self.book.get(id).and_then(Escalation::wake_ms) {
            self.wakes.remove(&(wake_ms, id.to_owned()));
        }
        if let Some(row) = self.book.get_mut(id) {
            change(row);
        }
        self.index(id);
    }

    fn index(&mut self, id: &str) {
        let Some(row) = self.book.get(id) else { return };
        if let Some(wake_ms) = row.wake_ms() {
            self.wakes.insert((wake_ms, id.to_owned()));
        }
        if matches!(row.state, Standing::Paused { .. }) {
            self.paused.insert(id.to_owned());
        } else {
            self.paused.remove(id);
        }
        if !self.episodes.get(&row.episode).is_some_and(|rows| rows.contains(id)) {
            self.episodes.entry(row.episode.clone()).or_default().insert(id.to_owned());
        }
    }

    fn remove(&mut self, id: &str) {
        let Some(row) = self.book.remove(id) else { return };
        if let Some(wake_ms) = row.wake_ms() {
            self.wakes.remove(&(wake_ms, id.to_owned()));
        }
        self.paused.remove(id);
        if let Some(rows) = self.episodes.get_mut(&row.episode) {
            rows.remove(id);
            if rows.is_empty() {
                self.episodes.remove(&row.episode);
            }
        }
    }

    /// Appends what has changed.
    pub fn deltas(&mut self, out: &mut Vec<Delta>) {
        self.book.deltas(out);
        self.audit.deltas(out);
    }

    /// Puts in a row as it was written.
    pub fn restore(&mut self, id: &str, body: &str) -> Result<(), String> {
        if id == AUDIT {
            return self.audit.restore(id, body);
        }
        self.book.restore(id, body)?;
        self.index(id);
        Ok(())
    }
}
