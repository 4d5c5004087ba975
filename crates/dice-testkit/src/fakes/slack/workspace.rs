//! What there is in a workspace.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::mpsc::Sender;

use serde_json::{Value, json};

/// How a call fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Slack refuses with this code; nothing is done.
    Code(&'static str),
    /// Too many calls: `Retry-After` so many seconds; nothing is done.
    Limited(u32),
    /// Something answers with this status; nothing is done.
    Status(u16),
    /// The connection ends without an answer; nothing is done.
    Reset,
    /// No answer comes; nothing is done.
    Hang,
    /// It is done, and the connection ends without an answer.
    LoseAnswer,
    /// It is done, and answered with this status.
    StatusAfter(u16),
    /// It is done, and refused with this code.
    CodeAfter(&'static str),
    /// It is done, and no answer comes.
    HangAfter,
    /// It is done, and the answer breaks off.
    BreakOff,
    /// It is done, and answered with what is not JSON.
    Garbage,
    /// It is done, and then well answered: so that others can fail before and after.
    Nothing,
}

/// A channel.
#[derive(Debug, Clone, Default)]
pub struct Channel {
    /// Its name today, without `#`.
    pub name: String,
    /// Whether the bot is in it.
    pub is_member: bool,
    /// Whether it can be written to no more.
    pub is_archived: bool,
    /// Whether only who is in it sees it.
    pub is_private: bool,
    /// The person a conversation is with.
    pub with: Option<String>,
}

/// A person.
#[derive(Debug, Clone, Default)]
pub struct Person {
    /// The e-mail address.
    pub email: String,
    /// Whether they are there.
    pub is_active: bool,
    /// From when until when they do not want to be disturbed, seconds since 1970.
    pub dnd: Option<(i64, i64)>,
    /// The IANA zone.
    pub zone: String,
    /// Whether they have left.
    pub is_deleted: bool,
    /// Whether they are of another workspace and only share a channel with this one.
    pub is_guest: bool,
}

/// Something that was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The bot's id who wrote it.
    pub bot: String,
    /// The channel's id.
    pub channel: String,
    /// Its name in the channel.
    pub ts: String,
    /// The message in whose thread it stands.
    pub thread: Option<String>,
    /// Whether it stands in the channel too.
    pub is_broadcast: bool,
    /// The text.
    pub text: String,
    /// The blocks; null where there are none.
    pub blocks: Value,
    /// The metadata; null where there is none.
    pub metadata: Value,
    /// How often it was changed.
    pub edits: usize,
}

impl Message {
    /// As the API shows it.
    pub(super) fn shown(&self, with_metadata: bool) -> Value {
        let mut shown = json!({
            "type": "message", "ts": self.ts, "text": self.text, "bot_id": self.bot, "blocks": self.blocks,
        });
        if let Some(thread) = &self.thread {
            shown["thread_ts"] = json!(thread);
        }
        if with_metadata && !self.metadata.is_null() {
            shown["metadata"] = self.metadata.clone();
        }
        shown
    }
}

/// Everything in it.
#[derive(Debug)]
pub(super) struct Workspace {
    pub(super) channels: BTreeMap<String, Channel>,
    pub(super) people: BTreeMap<String, Person>,
    pub(super) messages: Vec<Message>,
    pub(super) whispers: Vec<(String, String)>,
    pub(super) views: Vec<Value>,
    pub(super) calls: Vec<(String, Value)>,
    pub(super) refusals: Vec<String>,
    pub(super) faults: BTreeMap<String, VecDeque<Fault>>,
    pub(super) scopes: BTreeSet<String>,
    pub(super) denial: Option<String>,
    pub(super) now_ms: Option<i64>,
    pub(super) rate: Option<usize>,
    pub(super) lag: usize,
    pub(super) socket_url: String,
    /// Open connections of Socket Mode, oldest first, each by where frames for it go.
    pub(super) sockets: Vec<(u64, Sender<String>)>,
    pub(super) next_socket: u64,
    pub(super) acks: BTreeSet<String>,
    pub(super) next_envelope: u64,
    pub(super) last_us: i64,
}

impl Workspace {
    pub(super) fn new(socket_url: String) -> Workspace {
        let scopes = [
            "channels:history",
            "channels:read",
            "chat:write",
            "dnd:read",
            "groups:history",
            "groups:read",
            "im:history",
            "im:write",
            "metadata.message:read",
            "users:read",
            "users:read.email",
        ];
        Workspace {
            channels: BTreeMap::new(),
            people: BTreeMap::new(),
            messages: Vec::new(),
            whispers: Vec::new(),
            views: Vec::new(),
            calls: Vec::new(),
            refusals: Vec::new(),
            faults: BTreeMap::new(),
            scopes: scopes.map(str::to_owned).into(),
            denial: None,
            now_ms: None,
            rate: None,
            lag: 0,
            socket_url,
            sockets: Vec::new(),
            next_socket: 1,
            acks: BTreeSet::new(),
            next_envelope: 1,
            last_us: 0,
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a service has a clock of its own")]
    pub(super) fn now_ms(&self) -> i64 {
        self.now_ms.unwrap_or_else(|| {
            let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            i64::try_from(since.expect("the clock is past 1970").as_millis()).expect("the clock is right")
        })
    }

    /// A time stamp that no other message has.
    pub(super) fn next_ts(&mut self) -> String {
        self.last_us = (self.now_ms() * 1000).max(self.last_us + 1);
        format!("{}.{:06}", self.last_us / 1_000_000, self.last_us % 1_000_000)
    }
}
