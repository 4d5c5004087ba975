//! The deliveries that are to be made, were made, or were held back.

use std::collections::{BTreeMap, BTreeSet};

use crate::book::{Book, Delta, Row, Table};
use crate::records::Records;
use crate::{Cause, Destination, Intent, Lane, Notice, NoticeKind, Outcome, Receipt, State};

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
        let state = if draft.held.is_some() { State::Held } else { State::Pending };
        self.put(Intent {
            id: id.clone(),
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
        });
        id
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
            });
        }
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
    /// A notice without rows, or left without any, is held back for good.
    pub fn withdraw(
        &mut self,
        id: &str,
        is_out: &[bool],
        cause: Cause,
        by: &str,
        now_ms: i64,
        records: &mut Records,
    ) {
        if is_out.iter().all(|is_out| *is_out) {
            self.suppress(id, cause, by, now_ms, records);
            return;
        }
        let waits = |row: &Intent| matches!(row.state, State::Pending | State::Held | State::Retry);
        if !self.book.get(id).is_some_and(waits) {
            return;
        }
        if let Some(row) = self.book.get_mut(id) {
            let mut is_out = is_out.iter();
            row.notice.rows.retain(|_| !is_out.next().copied().unwrap_or(false));
            row.changed_ms = now_ms;
        }
        records.note(now_ms, cause, id, by, "rows of a notice were not sent");
    }

    /// Takes what became of an attempt.
    pub fn receipt(&mut self, receipt: &Receipt) {
        self.edit(&receipt.intent, |row| {
            row.changed_ms = receipt.at_ms;
            match &receipt.outcome {
                Outcome::Sending => {
                    row.attempts += 1;
                    row.state = State::Sending;
                }
                Outcome::Delivered(reference) => {
                    row.state = State::Sent;
                    row.reference = Some(reference.clone());
                }
                Outcome::Later(wait_ms, why) | Outcome::Limited(wait_ms, _, why) => {
                    row.state = State::Retry;
                    row.due_ms = receipt.at_ms.saturating_add((*wait_ms).max(0));
                    row.why = Some(why.clone());
                }
                Outcome::Denied(why) | Outcome::Absent(why) => {
                    row.state = State::Retry;
                    row.due_ms = receipt.at_ms;
                    row.why = Some(why.clone());
                }
                Outcome::Refused(why) => {
                    row.state = State::Dead;
                    row.why = Some(why.clone());
                }
                Outcome::Ambiguous(why) => {
                    row.state = State::Ambiguous;
                    row.why = Some(why.clone());
                }
            }
        });
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
    }

    fn unindex(&mut self, id: &str) {
        let Some(row) = self.book.get(id) else { return };
        self.waiting.remove(id);
        self.due.remove(&(row.lane, row.due_ms, id.to_owned()));
        self.ended.remove(&(row.changed_ms, id.to_owned()));
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
