//! What a rule says: that something began, goes on, or ended.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::MessageId;

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Stays in the channel.
    Low,
    /// Told, and escalated when nobody reacts.
    #[default]
    Medium,
    /// Goes to the page lane.
    High,
    /// Goes to the page lane and passes every guard but the last.
    Critical,
}

impl Severity {
    /// The word used in files and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Names an episode for ever: 32 hexadecimal digits over rule, meaning, key and number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EpisodeId(pub Arc<str>);

impl EpisodeId {
    /// The name of the episode with number `seq` of a rule's key; `semantic_rev` names what the rule means.
    pub fn of(rule: &str, semantic_rev: u64, key: &Key, seq: u64) -> EpisodeId {
        EpisodeId(crate::name(&[
            rule.as_bytes(),
            &semantic_rev.to_be_bytes(),
            key.0.as_bytes(),
            &seq.to_be_bytes(),
        ]))
    }
}

impl fmt::Display for EpisodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The values of a rule's key fields, as a JSON array of strings in the order of the fields; `[]` where the
/// rule has no key. A field that the event lacks is `"∅"`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(pub Arc<str>);

impl Key {
    /// Stands for a field that the event lacks.
    pub const MISSING: &'static str = "∅";

    /// The key with these values.
    pub fn of<'v>(values: impl IntoIterator<Item = &'v str>) -> Key {
        let values: Vec<&str> = values.into_iter().collect();
        Key(serde_json::to_string(&values).expect("strings are JSON").into())
    }

    /// The values, in the order of the rule's fields.
    pub fn values(&self) -> Vec<String> {
        serde_json::from_str(&self.0).unwrap_or_default()
    }
}

/// What became of an episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It began.
    Open,
    /// It goes on.
    Update,
    /// It ended.
    Close(CloseReason),
}

/// Why an episode ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CloseReason {
    /// The rule's clear condition held for long enough.
    Cleared,
    /// The episode is a single instant: its opening says everything.
    Instant,
    /// What was missing came after all.
    ArrivedLate,
    /// It was open for the longest time allowed; the baseline starts over.
    Rebaselined,
    /// The key has been silent for so long that it is given up.
    Forgotten,
    /// The rule has more keys than it may keep.
    Evicted,
    /// The rule was removed, switched off, or means something else now.
    RuleChanged,
    /// A person said so.
    Resolved,
    /// Whoever told of it said so.
    Ended,
}

/// What a rule knows about why it fired: words and numbers for the reader.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Evidence {
    /// Occurrences that belong to the episode so far.
    pub count: u64,
    /// Of these, how many arrived after their time had been decided.
    pub late: u64,
    /// The first and the last of them, milliseconds since 1970, by event time.
    pub seen_ms: Option<(i64, i64)>,
    /// The hosts with their counts, most first, at most eight.
    pub hosts: Vec<(Arc<str>, u64)>,
    /// Hosts beyond those.
    pub more_hosts: u64,
    /// The services, at most eight, in order.
    pub services: Vec<Arc<str>>,
    /// The releases, at most eight, in order.
    pub versions: Vec<Arc<str>>,
    /// The environment, where all agree.
    pub env: Option<Arc<str>>,
    /// Trace ids, at most eight: what correlates across services.
    pub traces: Vec<Arc<str>>,
    /// The messages, at most eight, in the order of their first occurrence.
    pub messages: Vec<MessageId>,
    /// One of the lines, as printed.
    pub sample: Option<Arc<str>>,
    /// `file:line` of that line's statement.
    pub place: Option<Arc<str>>,
    /// Figures the rule decided by, with their names: `value`, `reference`, `ratio`, `distinct`.
    pub figures: Vec<(Arc<str>, f64)>,
}

impl Evidence {
    /// Hosts, services, releases, traces and messages that are named at most; there may be more.
    pub const MAX_NAMED: usize = 8;
}

/// What a rule says at one moment about one episode.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// Which episode.
    pub episode: EpisodeId,
    /// The rule's id.
    pub rule: Arc<str>,
    /// The key.
    pub key: Key,
    /// The number of the episode among those of its key, from 1.
    pub seq: u64,
    /// The number of the transition in its episode, from 0. Episode and number name a transition for ever.
    pub n: u32,
    /// What became of it.
    pub change: Change,
    /// The event time it became so, milliseconds since 1970.
    pub at_ms: i64,
    /// Said before the watermark passed, or by an event that came late.
    pub is_early: bool,
    /// Said by an event that came late.
    pub is_late: bool,
    /// Why, in words for a reader, without a full stop: `20 in 5m, threshold 20`.
    pub reason: String,
    /// What is known.
    pub evidence: Evidence,
}
