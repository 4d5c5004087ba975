//! What was suppressed, held, merged or late, and what people did: a row each, with the cause.

use serde::{Deserialize, Serialize};

use crate::book::{Row, Table};

/// Something that did not reach somebody, or that somebody did. Equal ones of one minute are one row with a
/// count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Grows with time: milliseconds and a number, in fixed width.
    pub id: String,
    /// When, milliseconds since 1970: the first of them.
    pub at_ms: i64,
    /// What happened.
    pub cause: Cause,
    /// What it happened to: an intent, an episode, a message, a group, a rule.
    pub subject: String,
    /// Through what: the silence, the snooze, the inhibiting episode, the guard, the person.
    pub by: String,
    /// How many.
    pub count: u64,
    /// In words.
    pub text: String,
}

impl Row for Record {
    const TABLE: Table = Table::Records;

    fn id(&self) -> &str {
        &self.id
    }
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Hidden by a silence.
    Silenced,
    /// Hidden by a snooze or a mute.
    Snoozed,
    /// Hidden by an inhibition.
    Inhibited,
    /// Waits for a person, an hour or a day.
    Held,
    /// Told together with others, because there were too many.
    Coalesced,
    /// Its reader wants no more of its kind by this way.
    Unsubscribed,
    /// A newer notice took its place.
    Superseded,
    /// Arrived when its time had been decided.
    Late,
    /// Too old for any rule.
    TooOld,
    /// Its time lay too far ahead and was set to now.
    Clamped,
    /// A rule forgot a key, a term or a partial match for want of room.
    Evicted,
    /// Nobody owns it.
    Unowned,
    /// A person did something.
    Command,
    /// Whoever told of it said that it is over.
    Ended,
    /// A configuration took effect.
    Configuration,
    /// Dice needs somebody.
    SelfAlert,
    /// An escalation was found without a next step and was repaired.
    Repaired,
}
