//! Everything that can happen to the router, in one order.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::config::{Config, Matcher};
use crate::{Destination, Event, PartitionId};

/// Something that happens to the router. Its state is a function of these, in their order.
#[derive(Debug, Clone)]
pub enum Input {
    /// A line was read.
    Event(Event),
    /// Time passed: it is now this late, milliseconds since 1970. Timers are compared with nothing else.
    Tick(i64),
    /// Something is known about a partition beyond its lines.
    Partition(PartitionId, PartitionNews),
    /// Lines were read that are no events of their own, or are: what is counted of them.
    Lines(LineCounts),
    /// A person did something.
    Command(Command),
    /// Something is known about a person.
    Presence(Presence),
    /// What became of a delivery.
    Receipt(Receipt),
    /// What keeps notices from leaving, all of it.
    Troubles(Troubles),
    /// Whoever told of something says how it stands.
    Word(Word),
    /// There is a configuration, the first or another one.
    Configuration(Arc<Config>),
}

/// What is known about a partition beyond its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartitionNews {
    /// It exists; its source's name in the configuration, and its own for people.
    Opened {
        /// The source's name in the configuration.
        source: Arc<str>,
        /// The path, the peer or what else tells it apart.
        name: Arc<str>,
    },
    /// Everything that was there at this moment has been read, milliseconds since 1970: up to then silence
    /// is silence.
    CaughtUp(i64),
    /// There is more than has been read.
    Behind,
    /// It cannot be read for now, and why.
    Disconnected(Arc<str>),
    /// It has ended: nothing will come from it any more.
    Closed,
}

/// What is counted of lines that were read together.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LineCounts {
    /// The source's name in the configuration.
    pub source: Arc<str>,
    /// All of them.
    pub lines: u64,
    /// A statement is known for.
    pub matched: u64,
    /// No statement is known for.
    pub unknown: u64,
    /// They go on with the message of a line before.
    pub continued: u64,
    /// They were longer than is kept.
    pub cut: u64,
    /// Bytes that were gone before they could be read.
    pub lost_bytes: u64,
}

/// Something that a person does, through a button, a request or the terminal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Command {
    /// Names the click or the call, so that its repetition does nothing.
    pub id: String,
    /// Who: a handle, an e-mail address or the name of a token.
    pub actor: String,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// What.
    pub act: Act,
}

/// What a person can do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case")]
pub enum Act {
    /// Hides until something; a mute hides until it is undone.
    Snooze {
        /// What is hidden.
        scope: Scope,
        /// For whom.
        audience: Audience,
        /// Until when, in words: `4h`, `tomorrow`, `next-workday`, `count:100`, `rate:3`,
        /// `next-release`, `forever`.
        until: String,
        /// Why, in the person's words.
        reason: Option<String>,
    },
    /// Takes back a snooze or a mute.
    Unsnooze {
        /// The snooze's id.
        id: String,
    },
    /// Hides whatever the matchers say between two times; with an id, a new version of that silence.
    Silence {
        /// The silence that is edited.
        id: Option<String>,
        /// What is hidden: all of these must hold.
        matchers: Vec<Matcher>,
        /// From when, milliseconds since 1970.
        starts_ms: i64,
        /// Until when, milliseconds since 1970.
        ends_ms: i64,
        /// Why: it must not be empty.
        comment: String,
        /// Only for this receiver; for everyone where there is none.
        receiver: Option<String>,
        /// Whether what is still open at its end is told then.
        notify_on_expiry: bool,
        /// Only say what it would hide.
        preview: bool,
    },
    /// Ends a silence now.
    Unsilence {
        /// The silence's id.
        id: String,
    },
    /// "It wasn't me."
    NotMe {
        /// The message's id.
        message: String,
        /// Who declines; the actor where there is none.
        person: Option<String>,
        /// Who should have it, if the person knows.
        proposed: Option<String>,
        /// Why, in the person's words.
        reason: Option<String>,
    },
    /// Names an owner.
    Assign {
        /// The message's id.
        message: String,
        /// `#channel`, `@handle`, `a@b.c` or `@org/team`.
        owner: String,
        /// Why, in the person's words.
        reason: Option<String>,
    },
    /// Takes back "not me" or an assignment.
    Unassign {
        /// The message's id.
        message: String,
    },
    /// "I am on it."
    Ack {
        /// The episode's id, or the first digits of it.
        episode: String,
    },
    /// "I am not on it after all."
    Unack {
        /// The episode's id, or the first digits of it.
        episode: String,
    },
    /// Ends an episode.
    Resolve {
        /// The episode's id, or the first digits of it.
        episode: String,
    },
    /// Gives open episodes today's escalation policies.
    ApplyPolicies,
}

/// What a snooze hides.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// A message, by its id.
    Message(String),
    /// A message with its level, environment and the fields a rule adds, by its deduplication key.
    Alert(String),
    /// A rule, by its id.
    Rule(String),
    /// A group, by its id.
    Group(String),
    /// An episode, by its id.
    Episode(String),
}

/// Whom a snooze is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Audience {
    /// One person: what would be told to them alone.
    Person(String),
    /// One channel.
    Channel(String),
    /// Everybody.
    Everyone,
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Whether it was done; a repetition of what was done is done.
    pub is_done: bool,
    /// What to tell the person, in sentences.
    pub text: String,
    /// The same for programs: a JSON object.
    pub body: serde_json::Value,
}

/// What is known about a person at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// The handle or the e-mail address.
    pub person: String,
    /// When this was known, milliseconds since 1970.
    pub at_ms: i64,
    /// Whether they are there; `None` when it could not be found out.
    pub is_online: Option<bool>,
    /// Until when they do not want to be disturbed, milliseconds since 1970.
    pub dnd_until_ms: Option<i64>,
    /// The IANA zone they live in now, where it is known.
    pub zone: Option<String>,
    /// They have left.
    pub is_gone: bool,
}

/// What became of an attempt to deliver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The intent's id.
    pub intent: String,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// How it ended.
    pub outcome: Outcome,
}

/// What whoever told of something says of the episode that this led to: silence proves nothing there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    /// The episode's id.
    pub episode: String,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// Whether it is over; else it goes on, however long nothing more is heard of it.
    pub is_over: bool,
}

/// What keeps notices from leaving and people from answering, all of it: what is not in here any more is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Troubles {
    /// When this was known, milliseconds since 1970.
    pub at_ms: i64,
    /// In words, by cause.
    pub of: BTreeMap<String, String>,
}

impl Troubles {
    /// What the causes begin with; no others do.
    pub const CAUSES: [&'static str; 3] = ["courier_denied ", "courier_down ", "courier_deaf "];
}

/// How an attempt to deliver ended, or that one begins. The first half is what couriers answer, the second
/// what follows from it by [`crate::dispatch`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// An attempt begins: this is committed before anything leaves the machine.
    Sending,
    /// The other side took it and calls it so.
    Delivered(String),
    /// The other side took a part of it; what is left is told in further messages.
    Partly(Part),
    /// The other side could not be used, and why: not before this long from now, milliseconds. So many in a
    /// row, and nothing else is attempted by the account.
    Later(i64, String),
    /// The other side is there and does not take this one now, and why: not before this long from now,
    /// milliseconds. It says nothing about others.
    Deferred(i64, String),
    /// The other side will never take it, and why.
    Refused(String),
    /// The other side wants to be left alone for this long, milliseconds: nothing else within this reach may
    /// be attempted before either.
    Limited(i64, Reach, String),
    /// Whoever would read it wants no more of its kind by this way, and why: nothing was attempted.
    Unwanted(String),
    /// The other side does not accept who Dice says it is, and why: nothing of the whole account will arrive
    /// until somebody acts.
    Denied(String),
    /// It may or may not have arrived, and why.
    Ambiguous(String),
    /// It was looked for where it would be, and is not there.
    Absent(String),
    /// An attempt begins, by this account: this is committed before anything leaves the machine.
    Begun(String),
    /// It may or may not have arrived: looked for, or attempted where that does no harm, after this long,
    /// milliseconds; and why.
    Unsure(i64, String),
    /// It may or may not have arrived and nobody can find out: attempted after this long, milliseconds, with
    /// a word that it may be a repetition; and why.
    Parked(i64, String),
    /// This account will never take it, and why; another one may.
    Elsewhere(String, String),
    /// A newer one, by its id, says the same and more.
    Superseded(String),
    /// Nobody took it in time: it is told to these as well.
    StoodIn(Vec<Destination>),
}

/// A message that tells a part of a notice: there is more of it than one message takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Which of the notice's messages it is, from 1.
    pub number: u32,
    /// How many rows are in it: the first ones that were not told before.
    pub rows: usize,
    /// What the other side calls it.
    pub reference: String,
}

/// How much of a courier's account a limit is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// Calls of the same kind to the same destination.
    Destination,
    /// Calls of the same kind to any destination.
    Kind,
    /// Every call.
    Account,
}
