//! What Dice itself needs somebody for: said once for each cause, until it clears.

use serde::{Deserialize, Serialize};

use super::{Desk, wording};
use crate::book::{Book, Delta, Row, Table};
use crate::outbox::Draft;
use crate::{Cause, Destination, Lane, Notice, NoticeKind, Severity};

/// Put before a cause's name where its row stands among the notes.
pub(super) const PREFIX: &str = "self/";

/// Causes that are remembered.
const MAX_ALARMS: usize = 1_000;

/// What hears of Dice's own troubles where no triage channel is named.
pub const OPERATOR: &str = "operator";

/// A cause, and whether it lasts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// What it is called.
    pub id: String,
    /// Since when it lasts, milliseconds since 1970; `None` when it has cleared.
    pub since_ms: Option<i64>,
    /// When it was raised or cleared last.
    pub changed_ms: i64,
    /// What was said.
    pub text: String,
    first: Option<String>,
}

impl Row for Alarm {
    const TABLE: Table = Table::Notes;

    fn id(&self) -> &str {
        &self.id
    }
}

/// What Dice itself needs somebody for.
#[derive(Debug, Clone, Default)]
pub struct Alarms {
    book: Book<Alarm>,
}

impl Alarms {
    /// Says it, unless it was said and has not cleared since.
    pub fn raise(&mut self, cause: &str, text: &str, desk: &mut Desk<'_>) {
        let id = format!("{PREFIX}{cause}");
        let known = self.book.get(&id);
        if known.is_some_and(|alarm| alarm.since_ms.is_some()) {
            return;
        }
        if known.is_none() && self.book.len() >= MAX_ALARMS {
            self.make_room();
        }
        let mut alarm = Alarm {
            id: id.clone(),
            since_ms: Some(desk.now_ms),
            changed_ms: desk.now_ms,
            text: text.to_owned(),
            first: None,
        };
        desk.records.note(desk.now_ms, Cause::SelfAlert, cause, "dice", text);
        alarm.first = Some(say(&alarm, NoticeKind::SelfAlert, wording::one_line(text), desk));
        self.book.put(alarm);
    }

    /// The cause is gone: says so where it was said.
    pub fn clear(&mut self, cause: &str, desk: &mut Desk<'_>) {
        let id = format!("{PREFIX}{cause}");
        let Some(mut alarm) = self.book.get(&id).filter(|alarm| alarm.since_ms.is_some()).cloned() else {
            return;
        };
        let lasted = wording::duration(desk.now_ms - alarm.since_ms.unwrap_or(desk.now_ms));
        let title = wording::one_line(&format!("over after {lasted}: {}", alarm.text));
        say(&alarm, NoticeKind::Resolved, title, desk);
        (alarm.since_ms, alarm.changed_ms, alarm.first) = (None, desk.now_ms, None);
        self.book.put(alarm);
    }

    /// Clears a cause without a word that was raised so long ago, so that it can be said again.
    pub fn clear_older(&mut self, cause: &str, than_ms: i64, desk: &mut Desk<'_>) {
        let id = format!("{PREFIX}{cause}");
        let is_old = |alarm: &Alarm| alarm.since_ms.is_some_and(|since_ms| since_ms < desk.now_ms - than_ms);
        if self.book.get(&id).is_some_and(is_old)
            && let Some(alarm) = self.book.get_mut(&id)
        {
            (alarm.since_ms, alarm.changed_ms, alarm.first) = (None, desk.now_ms, None);
        }
    }

    /// What lasts, in the order of the causes.
    pub fn lasting(&self) -> impl Iterator<Item = &Alarm> {
        self.book.iter().filter(|alarm| alarm.since_ms.is_some())
    }

    /// Lets go of the one that cleared first, else of the one that changed first.
    fn make_room(&mut self) {
        let oldest = self.book.iter().min_by_key(|alarm| (alarm.since_ms.is_some(), alarm.changed_ms));
        if let Some(id) = oldest.map(|alarm| alarm.id.clone()) {
            self.book.remove(&id);
        }
    }

    /// Appends what has changed.
    pub fn deltas(&mut self, out: &mut Vec<Delta>) {
        self.book.deltas(out);
    }

    /// Puts in a row as it was written.
    pub fn restore(&mut self, id: &str, body: &str) -> Result<(), String> {
        self.book.restore(id, body)
    }
}

fn say(alarm: &Alarm, kind: NoticeKind, title: String, desk: &mut Desk<'_>) -> String {
    let triage = desk.config.ownership.triage.as_deref().map(Destination::named);
    let draft = Draft {
        destination: triage.unwrap_or_else(|| Destination::Receiver(OPERATOR.to_owned())),
        lane: Lane::Alert,
        kind,
        subject: format!("{}/{}", alarm.id, alarm.since_ms.unwrap_or_default()),
        revision: u32::from(kind == NoticeKind::Resolved),
        follows: alarm.first.clone(),
        due_ms: desk.now_ms,
        held: None,
        notice: Notice {
            notes: Some(alarm.text.clone()).filter(|text| !title.contains(text)).into_iter().collect(),
            title,
            because: "Dice itself needs somebody".to_owned(),
            severity: Severity::High,
            ..Notice::default()
        },
    };
    desk.outbox.post(draft, desk.now_ms, desk.records)
}
