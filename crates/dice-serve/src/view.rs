//! What the API and the pages show of the state, one type for each thing.
//!
//! The shapes are those that the terminal's commands print with `--format json`, so that a value made for one
//! can be read as the other. Texts that come from logs are data: whoever shows them escapes them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::Time;

/// A text with how often it came.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Host {
    /// The host.
    pub host: String,
    /// Occurrences there.
    pub count: u64,
}

/// An owner and why it is them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Answerable {
    /// `#channel`, `@handle`, `a@b.c` or `@org/team`.
    pub name: String,
    /// `override`, `annotation`, `author`, `owners`, `codeowners` or `fallback`.
    pub why: String,
}

/// A destination, and what it has heard.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Hearing {
    /// The channel, the person, the team or the receiver.
    pub destination: String,
    /// When it was first told.
    pub at: Option<Time>,
    /// Notices that arrived.
    #[serde(default)]
    pub notices: u64,
    /// When it is looked at next, where nothing was told there.
    pub next: Option<Time>,
    /// The state of the last notice that did not arrive.
    pub waiting: Option<String>,
    /// Why it stands so.
    pub why: Option<String>,
}

/// Who is on it, and for how long.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Acked {
    /// Who.
    pub by: String,
    /// Until when.
    pub until: Time,
}

/// What hides something from somebody.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Veil {
    /// From whom.
    pub destination: String,
    /// `snoozed`, `silenced`, `inhibited`.
    pub cause: String,
    /// The snooze, the silence, or the episode.
    pub by: String,
    /// Who did it, where it was a person.
    pub actor: Option<String>,
    /// Until when, or while what, in words.
    pub until: String,
    /// How it is taken back.
    pub undo: Option<String>,
}

/// An episode of a rule, or a message that is told as it happens.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Episode {
    /// `rule` or `immediate`.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// `open` or `closed`.
    pub state: String,
    /// `low`, `medium`, `high` or `critical`.
    pub severity: String,
    /// When it began, by the time of the lines.
    pub since: Time,
    /// When the router knew.
    pub opened: Time,
    /// When it ended.
    pub closed: Option<Time>,
    /// Why it ended.
    pub close_reason: Option<String>,
    /// The rule.
    pub rule: Option<String>,
    /// The values of the rule's key.
    pub key: Vec<String>,
    /// In words.
    pub title: String,
    /// Why it began.
    pub reason: String,
    /// Occurrences.
    pub count: u64,
    /// The first of them.
    pub first: Option<Time>,
    /// The last of them.
    pub last: Option<Time>,
    /// The hosts, most first.
    pub hosts: Vec<Host>,
    /// Hosts beyond those.
    pub more_hosts: u64,
    /// The releases.
    pub versions: Vec<String>,
    /// One of the lines, as printed.
    pub sample: Option<String>,
    /// `file:line` of its statement.
    pub place: Option<String>,
    /// The messages, by id.
    pub messages: Vec<String>,
    /// The deduplication key, where it is about one.
    pub alert: Option<String>,
    /// Who answers for it.
    pub owners: Vec<Answerable>,
    /// Where it is told, and what has been told there.
    pub told: Vec<Hearing>,
    /// Who is on it.
    pub acked: Option<Acked>,
    /// What hides it.
    pub hidden: Vec<Veil>,
    /// The episode that probably causes it.
    pub cause: Option<String>,
    /// The groups it is told in.
    pub groups: Vec<String>,
}

/// A moment of an episode.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Moment {
    /// When.
    pub at: Time,
    /// Whether it is still to come.
    #[serde(default)]
    pub is_next: bool,
    /// What happened or will happen.
    pub text: String,
}

/// An episode with everything that happened to it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Story {
    /// The episode.
    pub episode: Episode,
    /// What happened and what comes next, oldest first.
    pub timeline: Vec<Moment>,
    /// The notices about it.
    pub notices: Vec<Delivery>,
    /// What was held back, merged or repaired.
    pub records: Vec<Noted>,
}

/// A row of the outbox.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Delivery {
    /// Its id.
    pub id: String,
    /// For whom.
    pub destination: String,
    /// `page`, `immediate`, `alert` or `digest`.
    pub lane: String,
    /// What sort of notice.
    #[schema(value_type = String)]
    pub kind: Value,
    /// `pending`, `held`, `sending`, `retry`, `ambiguous`, `sent`, `suppressed` or `dead`.
    pub state: String,
    /// When it was decided.
    pub created: Time,
    /// Not to be attempted before.
    pub due: Time,
    /// The last change of state.
    pub changed: Time,
    /// How often it was attempted.
    pub attempts: u64,
    /// Why it stands so.
    pub why: Option<String>,
    /// What the other side calls it.
    pub reference: Option<String>,
    /// Why this reader gets it.
    pub because: String,
    /// What it says, in one line.
    pub title: String,
}

/// Something that did not reach somebody, or that somebody did.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Noted {
    /// When.
    pub at: Time,
    /// `silenced`, `snoozed`, `inhibited`, `held`, `coalesced` and so on.
    pub cause: String,
    /// What it happened to.
    pub subject: String,
    /// Through what or whom.
    pub by: String,
    /// How many.
    pub count: u64,
    /// In words.
    pub text: String,
}

/// A snooze or a mute.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Snooze {
    /// Its id.
    pub id: String,
    /// `message`, `alert`, `rule`, `group` or `episode`.
    pub scope: String,
    /// Which one.
    pub subject: String,
    /// In words.
    pub title: String,
    /// `everyone`, or a person or channel.
    #[serde(rename = "for")]
    pub whom: String,
    /// In words.
    pub until: String,
    /// Where it ends at a time.
    pub until_time: Option<Time>,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
    /// Since when.
    pub since: Time,
    /// Occurrences that it hid so far.
    pub hidden: u64,
    /// The last of them.
    pub last: Option<Time>,
}

/// A silence: its latest version.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Silence {
    /// Its id.
    pub id: String,
    /// How often it was edited, from 1.
    pub version: u64,
    /// `pending`, `active` or `expired`.
    pub state: String,
    /// What it hides: `service=~"api.*"`.
    pub matchers: Vec<String>,
    /// From when.
    pub starts: Time,
    /// Until when.
    pub ends: Time,
    /// Who.
    pub by: String,
    /// Why.
    pub comment: String,
    /// Only for this receiver.
    pub receiver: Option<String>,
    /// Whether what is still open at its end is told then.
    #[serde(default)]
    pub tells_at_end: bool,
    /// How often something was not told because of it.
    #[serde(default)]
    pub hidden: u64,
    /// What is open and hidden by it now.
    #[serde(default)]
    pub hides: Vec<String>,
}

/// What people said about the owners of a message.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Override {
    /// The message's id.
    pub message: String,
    /// The message.
    pub title: String,
    /// Who answers now.
    pub owners: Vec<String>,
    /// Who does not want it, in the order they said so.
    pub declined: Vec<String>,
    /// Everything that was said, oldest first.
    pub steps: Vec<Said>,
}

/// One thing that somebody said about the owners of a message.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Said {
    /// When.
    pub at: Time,
    /// Who.
    pub by: String,
    /// What it means.
    pub because: String,
    /// Why, in the person's words.
    pub reason: Option<String>,
    /// Who answers since then; `null` where that is the code's to say.
    pub owners: Option<Vec<String>>,
}

/// What somebody would read now, and when they will.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Digest {
    /// Who.
    pub reader: String,
    /// Its id, where it has one.
    pub digest: Option<String>,
    /// How it stands.
    #[serde(default)]
    pub state: String,
    /// The reader's zone.
    pub zone: String,
    /// When it is told.
    pub due: Option<Time>,
    /// By the reader's clock.
    pub due_local: Option<String>,
    /// Whether it is held.
    #[serde(default)]
    pub is_held: bool,
    /// Why it is then, or held.
    pub why: String,
    /// When it is told in any case.
    pub latest: Option<Time>,
    /// Messages in it.
    pub messages: u64,
    /// Occurrences of them.
    pub occurrences: u64,
    /// What it says: title, rows and notes as dice-route writes a notice.
    #[schema(value_type = Option<Object>)]
    pub notice: Option<Value>,
}

/// A message with how often it came.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Noisy {
    /// The message's id.
    pub message: String,
    /// Its template, or what else tells it to a reader.
    pub title: String,
    /// Its level.
    pub level: Option<String>,
    /// Who answers for it.
    pub owners: Vec<Answerable>,
    /// `file:line` of its statement.
    pub place: Option<String>,
    /// Where the code can be read.
    pub url: Option<String>,
    /// Occurrences in the time asked for.
    pub count: u64,
    /// The same by hour, oldest first; empty where hours are not known.
    pub hours: Vec<u64>,
    /// The last occurrence.
    pub last: Option<Time>,
    /// One of the lines, as printed.
    pub sample: Option<String>,
}

/// Where a rule or a route is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// In a file: it is changed there.
    #[default]
    File,
    /// In what the API manages.
    Managed,
}

/// A rule or a route that is in force.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Defined {
    /// Its id.
    pub id: String,
    /// Where it is written.
    pub origin: Origin,
    /// The file, for what is written in one.
    pub file: Option<String>,
    /// The line there, from 1.
    pub line: Option<usize>,
    /// What is written, as JSON.
    #[schema(value_type = Object)]
    pub body: Value,
    /// How it does: keys, open episodes, what was evicted or late.
    #[schema(value_type = Option<Object>)]
    pub status: Option<Value>,
}

/// The configuration in force.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Effective {
    /// The files that it was read from.
    pub files: Vec<String>,
    /// When it took effect.
    pub since: Option<Time>,
    /// All of it, defaults included, secrets left out.
    #[schema(value_type = Object)]
    pub effective: Value,
    /// What is strange about it.
    pub warnings: Vec<crate::Fault>,
}

/// What would have been sent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Backtested {
    /// Lines that were looked at.
    pub lines: u64,
    /// Of these, how many a statement is known for.
    pub matched: u64,
    /// Notices that would have been sent with the configuration in force.
    pub sent_before: u64,
    /// Notices that would have been sent with the one that is tried.
    pub sent: u64,
    /// People and channels that would have been told only with the one that is tried.
    pub newly_told: Vec<String>,
    /// The notices, in order, the first of them.
    pub notices: Vec<Delivery>,
    /// Notices beyond those.
    pub more_notices: u64,
}
