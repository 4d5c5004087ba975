//! What the API needs of the program around it.

use std::fmt;
use std::net::IpAddr;

use dice_route::{Answer, Command};
use serde_json::Value;

use crate::managed::{Change, ChangeRefused, Changed, Kind, Version};
use crate::metrics::Family;
use crate::view::{
    Backtested, Defined, Delivery, Digest, Effective, Episode, Noisy, Noted, Override, Silence, Snooze, Story,
};
use crate::{Ask, NotTaken};

/// Questions about the state, answered from a look at it.
///
/// Each is asked on a thread that may wait, a few at once, and bounded in time by the settings. Lists may be
/// in any order and are whole: the API sorts and cuts them.
pub trait Views: Send + Sync + 'static {
    /// The rules or the routes that are in force.
    fn defined(&self, kind: Kind) -> Found<Vec<Defined>>;
    /// The silences that are pending or active; with `is_all` those that are over too.
    fn silences(&self, is_all: bool) -> Found<Vec<Silence>>;
    /// The snoozes and mutes that hide something now.
    fn snoozes(&self) -> Found<Vec<Snooze>>;
    /// What people said about owners.
    fn overrides(&self) -> Found<Vec<Override>>;
    /// The episodes that are open; with `is_all` those that ended too.
    fn episodes(&self, is_all: bool) -> Found<Vec<Episode>>;
    /// An episode by its id or the first digits of it, with everything that happened.
    fn episode(&self, id: &str) -> Found<Story>;
    /// The deliveries in that state, or all.
    fn outbox(&self, state: Option<&str>) -> Found<Vec<Delivery>>;
    /// A delivery by its id or the first digits of it.
    fn delivery(&self, id: &str) -> Found<Delivery>;
    /// What was suppressed, held, merged or late, and what people did, since then, milliseconds since 1970.
    fn records(&self, since_ms: i64) -> Found<Vec<Noted>>;
    /// Everything known about what a line or an id means: the objects of `dice why --format json`.
    fn why(&self, asked: &Why) -> Found<Vec<Value>>;
    /// Who owns a line: the objects of `dice who --format json`.
    fn who(&self, line: &str) -> Found<Vec<Value>>;
    /// What waits in the digest of that owner, or of everybody.
    fn digests(&self, owner: Option<&str>) -> Found<Vec<Digest>>;
    /// The messages that came most often in the last hours, of that owner or of all.
    fn noisiest(&self, owner: Option<&str>, hours: u32) -> Found<Vec<Noisy>>;
    /// The configuration in force.
    fn effective(&self) -> Found<Effective>;
    /// The version of the managed configuration that holds, and all that are kept.
    fn versions(&self) -> Found<(Version, Vec<Version>)>;
    /// What a change would do; nothing is changed.
    fn rehearse(&self, change: &Change) -> Found<Result<Changed, ChangeRefused>>;
    /// What would have been sent about these lines, with the configuration in force and with `change` done.
    fn backtest(&self, asked: &Backtest) -> Found<Result<Backtested, ChangeRefused>>;
}

/// The program around the API.
pub trait Desk: Views {
    /// The time, milliseconds since 1970.
    fn now_ms(&self) -> i64;
    /// Takes an ask to the loop, without waiting.
    ///
    /// # Errors
    ///
    /// When there is no room, with the ask, or the loop stops.
    fn take(&self, ask: Ask) -> Result<(), NotTaken>;
    /// Whether the session with that name was ended, since this start or before it; see [`Ask::LogOut`].
    fn has_ended(&self, session: &str) -> bool;
    /// Checks a letter's signature and reads what it wants, on a thread that may wait. Together with the commit
    /// it has `letter_ms` of the settings; what comes later is not done.
    ///
    /// # Errors
    ///
    /// When it is not signed by who it says, too old, known already, or not understood.
    fn open(&self, letter: &Letter) -> Result<Opened, Turned>;
    /// Whether everything is well.
    fn health(&self) -> Health;
    /// What was counted; the API adds its own figures.
    fn metrics(&self) -> Vec<Family>;
    /// Hears of every request that was not done, to count and log it.
    fn refused(&self, refused: &Refused);
}

/// What a question leads to.
pub type Found<T> = Result<T, NotFound>;

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotFound {
    /// There is no such thing.
    Absent,
    /// Several things are meant; their ids.
    Several(Vec<String>),
    /// The question makes no sense, and why.
    Wrong(String),
    /// It cannot be answered now, and why.
    Unavailable(String),
}

/// What `why` is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// A line of a log.
    Line(String),
    /// An id of anything, or the first digits of it.
    Id(String),
}

/// What a backtest is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Backtest {
    /// The lines, separated by newlines.
    pub lines: Vec<u8>,
    /// The source whose format they have, by its name in the configuration.
    pub source: Option<String>,
    /// What is changed before they come; nothing is kept.
    pub change: Change,
}

/// A request that is signed instead of showing a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// From whom it says it is.
    pub from: Sender,
    /// The headers, names in lower case, in the order they came.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body as it came.
    pub body: Vec<u8>,
    /// When it came, milliseconds since 1970.
    pub at_ms: i64,
}

/// Who sends letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender {
    /// Slack: a button, a modal, an event.
    Slack,
    /// PagerDuty: a webhook of its third version.
    PagerDuty,
    /// Somebody who reads mail and wants no more of it: the token of the link.
    Unsubscribe(String),
}

impl Sender {
    /// One word.
    pub fn as_str(&self) -> &'static str {
        match self {
            Sender::Slack => "slack",
            Sender::PagerDuty => "pagerduty",
            Sender::Unsubscribe(_) => "unsubscribe",
        }
    }
}

impl Letter {
    /// The first header of that name, which is in lower case, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(known, _)| known == name)?;
        str::from_utf8(value).ok()
    }
}

/// What a letter wants.
#[derive(Default)]
pub struct Opened {
    /// What is to be done, in this order; answered when all of it is committed. Ids are the letter's own, so
    /// that its repetition does nothing.
    pub commands: Vec<Command>,
    /// What to answer then: a JSON object, or nothing.
    pub answer: Option<Value>,
    /// What is done with the commands' answers, on a thread that may wait, when the sender has been answered:
    /// telling the person who pressed a button. It is dropped where something was not committed.
    pub then: Option<Then>,
}

/// What is done with answers.
pub type Then = Box<dyn FnOnce(Vec<Answer>) + Send>;

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Opened { commands, answer, then } = self;
        let then = then.as_ref().map(|_| "…");
        f.debug_struct("Opened")
            .field("commands", commands)
            .field("answer", answer)
            .field("then", &then)
            .finish()
    }
}

/// Why a letter is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turned {
    /// Nobody is set up who could send it.
    Unknown,
    /// The signature is missing, wrong or too old; why.
    Forged(String),
    /// It came before.
    Repeated,
    /// It is signed, but not understood; why.
    Unclear(String),
    /// What it takes to read it did not come in time; what.
    Late(&'static str),
}

/// Whether everything is well.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Health {
    /// Sources that cannot be read.
    pub closed_sources: Vec<String>,
    /// Whether the store takes commits.
    pub is_writable: bool,
    /// Milliseconds since the last commit; `None` before the first.
    pub commit_age_ms: Option<u64>,
    /// Whether that is too long ago.
    pub is_late: bool,
}

/// A request that was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The other side.
    pub peer: IpAddr,
    /// The name of the token that was shown, where it was a right one.
    pub token: Option<String>,
    /// `GET`, `POST` and so on; `other` for what nobody knows.
    pub method: &'static str,
    /// The route, with the names of its parameters; `none` where there is none.
    pub route: String,
    /// The status of the answer.
    pub status: u16,
    /// What was wanted and what was found. It may quote the request.
    pub why: String,
}
