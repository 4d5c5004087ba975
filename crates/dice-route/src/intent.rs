//! What is to be delivered: one notice for one destination, and what became of it.

use serde::{Deserialize, Serialize};

use crate::book::{Row, Table};
use crate::{Evidence, Reach, Severity};

/// One notice for one destination: a row of the outbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// Names it for ever: over destination, subject, number and kind. What is told twice has one id.
    pub id: String,
    /// For whom.
    pub destination: Destination,
    /// How urgent the way is.
    pub lane: Lane,
    /// What sort of notice.
    pub kind: NoticeKind,
    /// The episode, group or digest it is about.
    pub subject: String,
    /// The number of the notice about that subject, from 0: an update has the number of its revision.
    pub revision: u32,
    /// The first notice about the subject at this destination, which this one changes or follows.
    pub follows: Option<String>,
    /// Where it stands.
    pub state: State,
    /// Not to be attempted before, milliseconds since 1970.
    pub due_ms: i64,
    /// When it was decided, milliseconds since 1970.
    pub created_ms: i64,
    /// How often it was attempted.
    pub attempts: u32,
    /// The last change of state, milliseconds since 1970.
    pub changed_ms: i64,
    /// Why it stands so: who holds or suppresses it, or what the other side said.
    pub why: Option<String>,
    /// What the other side calls it.
    pub reference: Option<String>,
    /// What it says.
    pub notice: Notice,
    /// What its attempts have come to so far.
    #[serde(default, skip_serializing_if = "Passage::is_untried")]
    pub passage: Passage,
}

/// What the attempts to deliver a notice have come to so far.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Passage {
    /// Since when it may be attempted, milliseconds since 1970: what was held before does not count against
    /// it. 0 in rows that were written before there was such a thing.
    pub since_ms: i64,
    /// When the last attempt began, milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_ms: Option<i64>,
    /// When the first attempt began whose end is not known, milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsure_since_ms: Option<i64>,
    /// The account that the last attempt was made by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Accounts that will never take it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused_by: Vec<String>,
    /// An earlier attempt may have arrived and nobody can find out: the next one says so.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_possible_repeat: bool,
    /// The other side wants to be left alone until the row is due, and how much of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limited: Option<Reach>,
    /// Hidden by this while it was on its way: should it not have arrived, it is not attempted again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden_by: Option<String>,
    /// The notice in whose place it is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stands_for: Option<String>,
    /// The notices that are told in its place, as nobody took it in time; `None` while there is time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stand_ins: Option<Vec<String>>,
    /// How much of it has been told, where it takes several messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told: Option<Progress>,
}

/// How much of a notice has been told that takes several messages.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// The account that told it.
    pub account: String,
    /// What the other side calls the first of the messages.
    pub first: String,
    /// Messages.
    pub parts: u32,
    /// Rows of the notice; the first ones.
    pub rows: usize,
    /// Attempts that this took.
    pub attempts: u32,
}

impl Passage {
    fn is_untried(&self) -> bool {
        *self == Passage::default()
    }
}

impl Intent {
    /// The number of the message that is told next, from 1.
    pub fn part(&self) -> u32 {
        self.passage.told.as_ref().map_or(1, |told| told.parts.saturating_add(1))
    }

    /// How many of its rows have been told; the first ones.
    pub fn rows_told(&self) -> usize {
        self.passage.told.as_ref().map_or(0, |told| told.rows.min(self.notice.rows.len()))
    }

    /// What is still to be told of it by `account`: all but the rows that were told. Where another account told
    /// them, that is said.
    pub fn rest(&self, account: &str) -> Notice {
        let mut notice = self.notice.clone();
        let told = self.rows_told();
        notice.rows.drain(..told);
        if let Some(before) = self.passage.told.as_ref().filter(|before| before.account != account) {
            notice.notes.push(format!("{told} rows that came before these were told by {}", before.account));
        }
        notice
    }

    /// How often the message was attempted that is told next.
    pub(crate) fn tries(&self) -> u32 {
        let before = self.passage.told.as_ref().map_or(0, |told| told.attempts);
        self.attempts.saturating_sub(before)
    }
}

impl Row for Intent {
    const TABLE: Table = Table::Outbox;

    fn id(&self) -> &str {
        &self.id
    }
}

/// Where a notice goes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Destination {
    /// A channel, by its name with `#`.
    Channel(String),
    /// A person, by handle or e-mail address.
    Person(String),
    /// A team, by `@org/team`.
    Team(String),
    /// A receiver of the configuration, by its name: a paging service, a mail address, a webhook.
    Receiver(String),
}

impl Destination {
    /// The destination that a name means, by its spelling: `#channel`, `@org/team`, `@handle` or `a@b.c`;
    /// anything else is a receiver.
    pub fn named(name: &str) -> Destination {
        if name.starts_with('#') {
            Destination::Channel(name.to_owned())
        } else if name.starts_with('@') && name.contains('/') {
            Destination::Team(name.to_owned())
        } else if name.contains('@') {
            Destination::Person(name.to_owned())
        } else {
            Destination::Receiver(name.to_owned())
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        match self {
            Destination::Channel(name)
            | Destination::Person(name)
            | Destination::Team(name)
            | Destination::Receiver(name) => name,
        }
    }
}

/// How urgent the way is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// Somebody is woken.
    Page,
    /// Annotated messages, told as they happen.
    Immediate,
    /// Episodes of rules.
    Alert,
    /// Once a day.
    Digest,
}

impl Lane {
    /// The word used in files and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Lane::Page => "page",
            Lane::Immediate => "immediate",
            Lane::Alert => "alert",
            Lane::Digest => "digest",
        }
    }
}

/// What sort of notice it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeKind {
    /// Something began.
    Open,
    /// It goes on: changes the first notice.
    Update,
    /// It is still so: said again.
    Reminder,
    /// It ended.
    Resolved,
    /// A step of an escalation.
    Escalation,
    /// Somebody acknowledged.
    Acknowledged,
    /// A digest.
    Digest,
    /// Too much at once, told together.
    Storm,
    /// What happened while it was hidden.
    Summary,
    /// Dice itself needs somebody.
    SelfAlert,
}

/// Where a row of the outbox stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// To be attempted when it is due.
    Pending,
    /// Waits for a person or an hour; `why` says for what.
    Held,
    /// An attempt has begun.
    Sending,
    /// To be attempted again when it is due.
    Retry,
    /// It may have arrived; to be found out.
    Ambiguous,
    /// It arrived.
    Sent,
    /// It will not be sent: silence, snooze, inhibition, a newer one; `why` says which.
    Suppressed,
    /// It cannot be sent.
    Dead,
}

/// What a notice says, before any courier shapes it. Log text in it is data: every courier escapes it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Notice {
    /// One line.
    pub title: String,
    /// Why this reader gets it: owner and reason.
    pub because: String,
    /// How much it matters.
    pub severity: Severity,
    /// What it is about: at most twenty rows.
    pub rows: Vec<NoticeRow>,
    /// Rows beyond those.
    pub more_rows: u64,
    /// Sentences beside the rows: what was hidden, delayed or merged; what comes next.
    pub notes: Vec<String>,
    /// The labels of the group.
    pub labels: Vec<(String, String)>,
}

/// One row of a notice: an episode or a message.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct NoticeRow {
    /// The episode, where there is one.
    pub episode: Option<String>,
    /// The message, where there is one.
    pub message: Option<String>,
    /// The deduplication key, for buttons.
    pub alert: Option<String>,
    /// In words.
    pub title: String,
    /// `open`, `resolved`, a trend: one word.
    pub state: String,
    /// How much it matters.
    pub severity: Severity,
    /// Count, hosts, times, sample, place.
    pub evidence: Evidence,
    /// The owner and the reason: `#ops, annotated`.
    pub owner: Option<String>,
    /// Where the code can be read.
    pub url: Option<String>,
    /// The number of occurrences in the period before, for a trend.
    pub before: Option<u64>,
    /// Occurrences by local date, where a digest holds several days.
    pub days: Vec<(String, u64)>,
}
