//! The deliveries that are to be made, were made, or were held back.

mod queue;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use queue::Queue;

use crate::book::{Book, Delta, Row, Table};
use crate::records::Records;
use crate::{
    Cause, Destination, Intent, Lane, Notice, NoticeKind, Outcome, Part, Passage, Progress, Receipt, State,
};

/// The rows of the outbox. Nothing is sent that is not here, and nothing leaves without a receipt or a
/// reason.
#[derive(Debug, Clone, Default)]
pub struct Outbox {
    book: Book<Intent>,
    // What follows is made of the rows and never kept. Most rows have ended, and nobody looks through those.
    /// What may still be held back.
    waiting: BTreeSet<String>,
    /// What is to be attempted, by lane and due time.
    due: BTreeSet<(Lane, i64, String)>,
    /// What has ended, by when.
    ended: BTreeSet<(i64, String)>,
    /// Updates that have not been attempted, by what they follow.
    updates: BTreeMap<String, BTreeSet<String>>,
    /// What has not ended and is not held, by destination.
    queues: BTreeMap<Destination, Queue>,
}

/// Something to be written down about a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// What happened.
    pub cause: Cause,
    /// The intent's id.
    pub subject: String,
    /// Through what.
    pub by: String,
    /// In words.
    pub text: String,
}

/// A notice that is to be told; [`Outbox::post`] gives it its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// For whom.
    pub destination: Destination,
    /// How urgent the way is.
    pub lane: Lane,
    /// What sort of notice.
    pub kind: NoticeKind,
    /// The episode, group or digest it is about.
    pub subject: String,
    /// Its number among the notices about that subject for that destination, from 0.
    pub revision: u32,
    /// The first notice about the subject at this destination, which this one changes or follows.
    pub follows: Option<String>,
    /// Not to be attempted before, milliseconds since 1970.
    pub due_ms: i64,
    /// Held, and for what; attempted when it is released.
    pub held: Option<String>,
    /// What it says.
    pub notice: Notice,
}

impl Draft {
    /// The name of the intent: the same draft has the same name for ever.
    pub fn id(&self) -> String {
        let kind = serde_json::to_string(&(self.kind, &self.destination)).expect("names are JSON");
        crate::name(&[kind.as_bytes(), self.subject.as_bytes(), &self.revision.to_be_bytes()]).to_string()
    }
}

impl Outbox {
    /// Puts a notice in. One that is there already stays as it is.
    ///
    /// An update takes the place of an older update that follows the same notice and has not been attempted.
    /// Gives the intent's id.
    pub fn post(&mut self, draft: Draft, now_ms: i64, records: &mut Records) -> String {
        let id = draft.id();
        if self.book.get(&id).is_some() {
            return id;
        }
        self.post_to_stand_ins(&draft, now_ms, records);
        if draft.kind == NoticeKind::Update && draft.follows.is_some() {
            let known = draft.follows.as_ref().and_then(|first| self.updates.get(first));
            let older: Vec<String> = known
                .into_iter()
                .flatten()
                .filter_map(|id| self.book.get(id))
                .filter(|known| known.destination == draft.destination && known.revision < draft.revision)
                .map(|known| known.id.clone())
                .collect();
            for older in older {
                self.suppress(&older, Cause::Superseded, &id, now_ms, records);
            }
        }
        self.enter(id.clone(), draft, now_ms, None);
        id
    }

    /// Where the first notice was told in another's place, its end is told there too: nobody else would end
    /// what began at another paging service.
    fn post_to_stand_ins(&mut self, draft: &Draft, now_ms: i64, records: &mut Records) {
        if !matches!(draft.kind, NoticeKind::Resolved | NoticeKind::Acknowledged) {
            return;
        }
        let first = draft.follows.as_ref().and_then(|first| self.book.get(first));
        let stand_ins = first.and_then(|first| first.passage.stand_ins.clone()).unwrap_or_default();
        for id in stand_ins {
            let Some(known) = self.book.get(&id) else { continue };
            if matches!(known.state, State::Suppressed | State::Dead) {
                continue;
            }
            let destination = known.destination.clone();
            let draft = Draft { destination, follows: Some(id), ..draft.clone() };
            self.post(draft, now_ms, records);
        }
    }

    fn enter(&mut self, id: String, draft: Draft, now_ms: i64, stands_for: Option<String>) {
        let state = if draft.held.is_some() { State::Held } else { State::Pending };
        let since_ms = draft.due_ms.max(now_ms);
        self.put(Intent {
            id,
            destination: draft.destination,
            lane: draft.lane,
            kind: draft.kind,
            subject: draft.subject,
            revision: draft.revision,
            follows: draft.follows,
            state,
            due_ms: draft.due_ms,
            created_ms: now_ms,
            attempts: 0,
            changed_ms: now_ms,
            why: draft.held,
            reference: None,
            notice: draft.notice,
            passage: Passage { since_ms, stands_for, ..Passage::default() },
        });
    }

    /// The intent called `id`.
    pub fn get(&self, id: &str) -> Option<&Intent> {
        self.book.get(id)
    }

    /// All rows that are kept, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Intent> {
        self.book.iter()
    }

    /// The rows that have not been attempted and may still be held back.
    pub fn waiting(&self) -> impl Iterator<Item = &Intent> {
        self.waiting.iter().filter_map(|id| self.book.get(id))
    }

    /// What is to be attempted now, most urgent lane first, then by due time.
    pub fn due(&self, now_ms: i64) -> Vec<&Intent> {
        let lanes = [Lane::Page, Lane::Immediate, Lane::Alert, Lane::Digest];
        let due_of = |lane| {
            let from = (lane, i64::MIN, String::new());
            self.due.range(from..).take_while(move |(of, due_ms, _)| *of == lane && *due_ms <= now_ms)
        };
        lanes.into_iter().flat_map(due_of).filter_map(|(_, _, id)| self.book.get(id)).collect()
    }

    /// Lets a held notice go.
    pub fn release(&mut self, id: &str, why: Option<String>, now_ms: i64) {
        if self.book.get(id).is_some_and(|row| row.state == State::Held) {
            self.edit(id, |row| {
                (row.state, row.why, row.changed_ms) = (State::Pending, why, now_ms);
                row.due_ms = row.due_ms.max(now_ms);
                row.passage.since_ms = row.due_ms;
            });
        }
    }

    /// What has not ended and is not held, by destination.
    pub(crate) fn queues(&self) -> impl Iterator<Item = (&Destination, &Queue)> {
        self.queues.iter()
    }

    /// What has not ended of one destination and is not held.
    pub(crate) fn queue(&self, destination: &Destination) -> Option<&Queue> {
        self.queues.get(destination)
    }

    /// Hides a notice that is on its way or may have arrived: should it turn out that it has not, it is not
    /// attempted again. True when there is such a notice.
    pub fn hide(&mut self, id: &str, by: &str) -> bool {
        let is_on_its_way = |row: &&Intent| {
            matches!(row.state, State::Sending | State::Ambiguous) && row.passage.hidden_by.is_none()
        };
        if self.book.get(id).filter(is_on_its_way).is_none() {
            return false;
        }
        if let Some(row) = self.book.get_mut(id) {
            row.passage.hidden_by = Some(by.to_owned());
        }
        true
    }

    /// Holds back a notice for good, when it has not been attempted. True when it was held back.
    pub fn suppress(&mut self, id: &str, cause: Cause, by: &str, now_ms: i64, records: &mut Records) -> bool {
        if !self.waiting.contains(id) {
            return false;
        }
        self.edit(id, |row| {
            (row.state, row.changed_ms) = (State::Suppressed, now_ms);
            let word = serde_json::to_value(cause).ok().and_then(|word| word.as_str().map(str::to_owned));
            row.why = Some(format!("{} by {by}", word.unwrap_or_default()));
        });
        records.note(now_ms, cause, id, by, "a notice was not sent");
        true
    }

    /// Takes rows out of a notice that has not been attempted: those where `is_out` is true, by their place.
    /// What was told of it stays told. A notice without rows, or left without any to tell, is held back for
    /// good.
    pub fn withdraw(
        &mut self,
        id: &str,
        is_out: &[bool],
        cause: Cause,
        by: &str,
        now_ms: i64,
        records: &mut Records,
    ) {
        if !self.waiting.contains(id) {
            return;
        }
        let told = self.book.get(id).map_or(0, Intent::rows_told);
        if is_out.iter().skip(told).all(|is_out| *is_out) {
            self.suppress(id, cause, by, now_ms, records);
            return;
        }
        if !is_out.iter().skip(told).any(|is_out| *is_out) {
            return;
        }
        if let Some(row) = self.book.get_mut(id) {
            let is_kept = |place: usize| place < told || !is_out.get(place).copied().unwrap_or(false);
            let rows = std::mem::take(&mut row.notice.rows).into_iter().enumerate();
            row.notice.rows = rows.filter(|(place, _)| is_kept(*place)).map(|(_, row)| row).collect();
            row.changed_ms = now_ms;
        }
        records.note(now_ms, cause, id, by, "rows of a notice were not sent");
    }

    /// Takes what became of an attempt, or what follows from it. Gives what is to be written down.
    ///
    /// What has ended stays as it is; only what was given up may turn out to have arrived.
    pub fn receipt(&mut self, receipt: &Receipt) -> Vec<Remark> {
        let Some(row) = self.book.get(&receipt.intent) else { return Vec::new() };
        let has_arrived = matches!(receipt.outcome, Outcome::Delivered(_) | Outcome::Partly(_));
        let is_late_word = row.state == State::Dead && has_arrived;
        if matches!(row.state, State::Sent | State::Suppressed | State::Dead) && !is_late_word {
            return Vec::new();
        }
        if matches!(&receipt.outcome, Outcome::Partly(part) if part.number != row.part()) {
            return Vec::new();
        }
        let at_ms = receipt.at_ms;
        let remark = |cause, by: &str, text: &str| {
            let (subject, by, text) = (receipt.intent.clone(), by.to_owned(), text.to_owned());
            vec![Remark { cause, subject, by, text }]
        };
        match &receipt.outcome {
            Outcome::StoodIn(destinations) => {
                let told = self.stand_in(&receipt.intent, destinations, at_ms);
                let names: Vec<&str> = told.iter().map(Destination::name).collect();
                return remark(Cause::Held, "dispatch", &format!("told to {} instead", names.join(", ")));
            }
            Outcome::Superseded(by) => {
                self.edit(&receipt.intent, |row| {
                    (row.state, row.changed_ms) = (State::Suppressed, at_ms);
                    row.why = Some(format!("superseded by {by}"));
                });
                return remark(Cause::Superseded, by, "a notice was not sent");
            }
            Outcome::Unwanted(why) => {
                self.edit(&receipt.intent, |row| follow(row, &receipt.outcome, at_ms));
                let name = self.get(&receipt.intent).map_or("", |row| row.destination.name());
                return remark(Cause::Unsubscribed, name, why);
            }
            _ => {}
        }
        self.edit(&receipt.intent, |row| follow(row, &receipt.outcome, at_ms));
        let Some(row) = self.book.get(&receipt.intent) else { return Vec::new() };
        match (row.state, &row.passage.hidden_by) {
            (State::Suppressed, Some(by)) => {
                let text = match has_arrived {
                    true => "a part of a notice was on its way and arrived; the rest is not sent",
                    false => "a notice that was on its way did not arrive, and is not sent again",
                };
                remark(Cause::Snoozed, by, text)
            }
            (State::Sent, _) => self.arrived(&receipt.intent, at_ms),
            (State::Dead, _) if !is_late_word => {
                let (name, why) = (row.destination.name(), row.why.as_deref().unwrap_or_default());
                let what = match &row.passage.told {
                    Some(told) => format!("the rest of a notice, after {} rows,", told.rows),
                    None => "a notice".to_owned(),
                };
                let text = format!("{what} for {name} could not be delivered: {why}: {}", row.notice.title);
                let name = name.to_owned();
                remark(Cause::SelfAlert, &name, &text)
            }
            _ => Vec::new(),
        }
    }

    /// What follows when a notice has arrived.
    fn arrived(&mut self, id: &str, at_ms: i64) -> Vec<Remark> {
        let Some(row) = self.book.get(id) else { return Vec::new() };
        let stand_ins = row.passage.stand_ins.clone().unwrap_or_default();
        // A change that could only be told anew is what later changes are made to.
        if let (NoticeKind::Update, Some(first), Some(reference)) = (row.kind, &row.follows, &row.reference)
            && let Some(first) = self.book.get(first)
            && first.reference.as_ref() != Some(reference)
            && (first.state != State::Sent || first.passage.account == row.passage.account)
        {
            let (first, reference) = (first.id.clone(), reference.clone());
            let account = row.passage.account.clone();
            self.edit(&first, |first| {
                (first.reference, first.passage.account) = (Some(reference), account);
            });
        }
        let mut remarks = Vec::new();
        for stand_in in stand_ins {
            if !self.waiting.contains(&stand_in) {
                continue;
            }
            self.edit(&stand_in, |row| {
                (row.state, row.changed_ms) = (State::Suppressed, at_ms);
                row.why = Some(format!("superseded by {id}"));
            });
            let text = "a notice was not sent: the one in whose place it stood arrived".to_owned();
            remarks.push(Remark { cause: Cause::Superseded, subject: stand_in, by: id.to_owned(), text });
        }
        remarks
    }

    /// Tells others in the place of a notice that nobody took; gives who is told.
    fn stand_in(&mut self, id: &str, destinations: &[Destination], at_ms: i64) -> Vec<Destination> {
        let Some(row) = self.book.get(id).cloned() else { return Vec::new() };
        let waited_s = at_ms.saturating_sub(row.passage.since_ms).max(0) / 1_000;
        let (mut ids, mut told) = (Vec::new(), Vec::new());
        for destination in destinations {
            let mut notice = row.notice.clone();
            let note = format!("fallback: {} has not taken this for {waited_s} s", row.destination.name());
            notice.notes.push(note);
            let draft = Draft {
                destination: destination.clone(),
                lane: row.lane,
                kind: row.kind,
                subject: row.subject.clone(),
                revision: row.revision,
                follows: None,
                due_ms: at_ms,
                held: None,
                notice,
            };
            let id = draft.id();
            if self.book.get(&id).is_none() {
                self.enter(id.clone(), draft, at_ms, Some(row.id.clone()));
                ids.push(id);
                told.push(destination.clone());
            }
        }
        self.edit(id, |row| row.passage.stand_ins = Some(ids));
        told
    }

    /// Forgets rows that ended before this moment; their names cannot come again by then.
    pub fn forget_before(&mut self, ended_ms: i64) {
        let before = (ended_ms, String::new());
        let old: Vec<String> = self.ended.range(..before).map(|(_, id)| id.clone()).collect();
        for id in old {
            self.unindex(&id);
            self.book.remove(&id);
        }
    }

    fn put(&mut self, intent: Intent) {
        let id = intent.id.clone();
        self.unindex(&id);
        self.book.put(intent);
        self.index(&id);
    }

    /// Changes a row, and where it is found.
    fn edit(&mut self, id: &str, change: impl FnOnce(&mut Intent)) {
        self.unindex(id);
        if let Some(row) = self.book.get_mut(id) {
            change(row);
        }
        self.index(id);
    }

    fn index(&mut self, id: &str) {
        let Some(row) = self.book.get(id) else { return };
        match row.state {
            State::Pending | State::Held | State::Retry => {
                self.waiting.insert(id.to_owned());
                if row.state != State::Held {
                    self.due.insert((row.lane, row.due_ms, id.to_owned()));
                }
                if let (NoticeKind::Update, Some(first)) = (row.kind, &row.follows) {
                    self.updates.entry(first.clone()).or_default().insert(id.to_owned());
                }
            }
            State::Sent | State::Suppressed | State::Dead => {
                self.ended.insert((row.changed_ms, id.to_owned()));
            }
            State::Sending | State::Ambiguous => {}
        }
        if matches!(row.state, State::Pending | State::Retry | State::Sending | State::Ambiguous) {
            self.queues.entry(row.destination.clone()).or_default().enter(row);
        }
    }

    fn unindex(&mut self, id: &str) {
        let Some(row) = self.book.get(id) else { return };
        self.waiting.remove(id);
        self.due.remove(&(row.lane, row.due_ms, id.to_owned()));
        self.ended.remove(&(row.changed_ms, id.to_owned()));
        if let Some(queue) = self.queues.get_mut(&row.destination) {
            queue.leave(row);
            if queue.is_empty() {
                self.queues.remove(&row.destination);
            }
        }
        if let Some(first) = &row.follows
            && let Some(updates) = self.updates.get_mut(first)
        {
            updates.remove(id);
            if updates.is_empty() {
                self.updates.remove(first);
            }
        }
    }

    /// Appends what has changed.
    pub fn deltas(&mut self, out: &mut Vec<Delta>) {
        self.book.deltas(out);
    }

    /// Puts in a row as it was written.
    pub fn restore(&mut self, id: &str, body: &str) -> Result<(), String> {
        self.unindex(id);
        self.book.restore(id, body)?;
        self.index(id);
        Ok(())
    }

    /// The table the rows are kept in.
    pub const TABLE: Table = <Intent as Row>::TABLE;
}

/// Changes a row as an attempt's end, or what follows from it, says.
fn follow(row: &mut Intent, outcome: &Outcome, at_ms: i64) {
    row.changed_ms = at_ms;
    row.passage.limited = None;
    let later = |wait_ms: i64| at_ms.saturating_add(wait_ms.max(0));
    match outcome {
        Outcome::Sending | Outcome::Begun(_) => {
            row.attempts += 1;
            row.state = State::Sending;
            row.passage.started_ms = Some(at_ms);
            if let Outcome::Begun(account) = outcome {
                row.passage.account = Some(account.clone());
            }
        }
        Outcome::Delivered(reference) => {
            row.state = State::Sent;
            let first = progress_of(row).map(|told| told.first.clone());
            row.reference = first.or_else(|| Some(reference.clone()));
        }
        Outcome::Partly(part) => proceed(row, part, at_ms),
        Outcome::Later(wait_ms, why) | Outcome::Deferred(wait_ms, why) => {
            not_arrived(row, later(*wait_ms), why);
        }
        Outcome::Limited(wait_ms, reach, why) => {
            not_arrived(row, later(*wait_ms), why);
            row.passage.limited = Some(*reach);
        }
        Outcome::Denied(why) | Outcome::Absent(why) => not_arrived(row, at_ms, why),
        Outcome::Elsewhere(account, why) => {
            not_arrived(row, at_ms, why);
            if !row.passage.refused_by.contains(account) {
                row.passage.refused_by.push(account.clone());
            }
        }
        Outcome::Refused(why) => {
            row.state = if row.passage.hidden_by.is_some() { State::Suppressed } else { State::Dead };
            row.why = Some(why.clone());
        }
        Outcome::Unwanted(why) => (row.state, row.why) = (State::Suppressed, Some(why.clone())),
        Outcome::Ambiguous(why) => unsure(row, at_ms, at_ms, why),
        Outcome::Unsure(wait_ms, why) => unsure(row, at_ms, later(*wait_ms), why),
        Outcome::Parked(wait_ms, why) => {
            if row.passage.hidden_by.is_some() {
                not_arrived(row, at_ms, why);
                return;
            }
            unsure(row, at_ms, later(*wait_ms), why);
            row.passage.is_possible_repeat = true;
        }
        Outcome::Superseded(_) | Outcome::StoodIn(_) => {}
    }
}

/// What the account of the last attempt has told before.
fn progress_of(row: &Intent) -> Option<&Progress> {
    row.passage.told.as_ref().filter(|told| row.passage.account.as_ref() == Some(&told.account))
}

/// A part of it was told. What is left is a message of its own, about which nothing is known yet.
fn proceed(row: &mut Intent, part: &Part, at_ms: i64) {
    let first = progress_of(row).map_or_else(|| part.reference.clone(), |told| told.first.clone());
    // A message without a row would be followed by another one for ever.
    let rows = row.rows_told().saturating_add(part.rows.max(1)).min(row.notice.rows.len());
    row.passage.told = Some(Progress {
        account: row.passage.account.clone().unwrap_or_default(),
        first: first.clone(),
        parts: part.number,
        rows,
        attempts: row.attempts,
    });
    if rows == row.notice.rows.len() {
        (row.state, row.reference) = (State::Sent, Some(first));
        return;
    }
    if row.state == State::Dead {
        return;
    }
    not_arrived(row, at_ms, &format!("{rows} of {} rows are told", row.notice.rows.len()));
    (row.passage.unsure_since_ms, row.passage.is_possible_repeat) = (None, false);
}

/// It did not arrive: it is attempted again, unless it was hidden meanwhile.
fn not_arrived(row: &mut Intent, due_ms: i64, why: &str) {
    if let Some(by) = &row.passage.hidden_by {
        row.state = State::Suppressed;
        row.why = Some(format!("snoozed by {by}"));
        return;
    }
    row.state = State::Retry;
    row.due_ms = due_ms;
    row.why = Some(why.to_owned());
}

fn unsure(row: &mut Intent, at_ms: i64, due_ms: i64, why: &str) {
    row.state = State::Ambiguous;
    row.due_ms = due_ms;
    row.why = Some(why.to_owned());
    let since_ms = row.passage.started_ms.unwrap_or(at_ms);
    let known_ms = row.passage.unsure_since_ms.unwrap_or(since_ms);
    row.passage.unsure_since_ms = Some(known_ms.min(since_ms));
}
