//! A rule: what to look for in the stream, and when that is worth an episode.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::condition::{Condition, Field};
use crate::{MessageId, Severity};

/// A rule. Its type and `timing` say what it means; the rest is for readers and routes.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Stable; another id is another rule.
    pub id: Arc<str>,
    /// A name of everything that changes what the rule means: condition, key, window, thresholds.
    /// State is kept while it stays the same.
    pub semantic_rev: u64,
    /// What it looks for.
    pub kind: RuleType,
    /// Which events it looks at.
    pub condition: Condition,
    /// Whose values tell instances of it apart.
    pub key: Vec<Field>,
    /// What to do with an event that lacks a key field.
    pub on_missing_key: OnMissingKey,
    /// Settings that every rule has.
    pub timing: Timing,
    /// How much its episodes matter.
    pub severity: Severity,
    /// Labels of its episodes, beside those every episode has.
    pub labels: BTreeMap<String, String>,
    /// One line about an episode; `{{count}}`, `{{key.NAME}}`, `{{window}}`, `{{label.NAME}}`,
    /// `{{figure.NAME}}` are filled in.
    pub summary: Option<String>,
    /// Where episodes go without asking the routes: `#channel`, people, receivers; `owner` is the owner of
    /// the message.
    pub to: Vec<String>,
    /// The escalation policy; the severity's where there is none.
    pub policy: Option<String>,
    /// Fields that are added to the deduplication key of its messages.
    pub fingerprint_add: Vec<Field>,
    /// Fields that are left out of it: `env`, `level`.
    pub fingerprint_drop: Vec<Field>,
}

impl Rule {
    /// A rule about every event, in which nothing is set but what it looks for.
    pub fn new(id: impl Into<Arc<str>>, kind: RuleType) -> Rule {
        Rule {
            id: id.into(),
            semantic_rev: 1,
            kind,
            condition: Condition::always(),
            key: Vec::new(),
            on_missing_key: OnMissingKey::Empty,
            timing: Timing::DEFAULT,
            severity: Severity::Medium,
            labels: BTreeMap::new(),
            summary: None,
            to: Vec::new(),
            policy: None,
            fingerprint_add: Vec::new(),
            fingerprint_drop: Vec::new(),
        }
    }
}

/// What to do with an event that lacks a key field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnMissingKey {
    /// The value is `∅`.
    #[default]
    Empty,
    /// The rule does not see the event.
    Skip,
}

/// Settings that every rule has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Keys that are kept; past it the one without events for the longest time goes.
    pub max_keys: usize,
    /// An open episode is told to have changed at most this often.
    pub update_every_ms: i64,
    /// An episode that was open for this long is closed; only rules with a baseline.
    pub max_open_ms: i64,
    /// How long the clear condition has to hold.
    pub clear_for_ms: i64,
}

impl Timing {
    /// What holds where nothing is set.
    pub const DEFAULT: Timing =
        Timing { max_keys: 100_000, update_every_ms: 30_000, max_open_ms: 24 * 3_600_000, clear_for_ms: 0 };
}

/// What a rule looks for. Windows are milliseconds of event time, half open.
#[derive(Debug, Clone, PartialEq)]
pub enum RuleType {
    /// Every event; with `quiet_ms` a key stays open for that long after its last event.
    Match {
        /// `None`: every event is an episode of its own that ends at once.
        quiet_ms: Option<i64>,
    },
    /// At least `count` events in a sliding window.
    Frequency {
        /// How many.
        count: u32,
        /// In how long.
        within_ms: i64,
        /// Closed when fewer than this are in the window.
        clear: u32,
    },
    /// The rate differs from what it was.
    Spike {
        /// The current window.
        window_ms: i64,
        /// What it is compared with.
        baseline: Baseline,
        /// What is compared: the number of events, or values of a field.
        measure: Measure,
        /// What counts as different; any of these.
        tests: Vec<SpikeTest>,
        /// What a key does that has no history yet.
        on_new: OnNew,
    },
    /// Too few events.
    Flatline {
        /// In how long.
        within_ms: i64,
        /// Fewer than this.
        min: u32,
        /// Keys that are watched from the start; learned ones besides.
        keys: Vec<Vec<String>>,
        /// A key is learned when this many windows within `learn_ms` were not empty.
        min_seen: u32,
        /// See `min_seen`.
        learn_ms: i64,
        /// A learned key is given up after this long.
        forget_after_ms: i64,
    },
    /// A field has another value than before.
    Change {
        /// Which field.
        field: Field,
        /// The value before must not be older; `None` is for ever.
        within_ms: Option<i64>,
        /// Changes from one value to another that do not count.
        ignore: Vec<(String, String)>,
        /// Whether an event without the field counts as a value of its own.
        with_null: bool,
        /// So many changes in so long (milliseconds) are one flapping episode.
        flap: Option<(u32, i64)>,
    },
    /// Something that was never seen before.
    FirstSeen(FirstSeen),
    /// Too many or too few different values.
    Cardinality {
        /// Of which field.
        field: Field,
        /// In how long.
        within_ms: i64,
        /// More than `Above`, or fewer than `Below`.
        bound: Bound,
        /// Closed with fewer than this many where the bound is `Above`, with at least this many where it is
        /// `Below`.
        clear: u32,
    },
    /// Events in an order.
    Sequence {
        /// The steps in order, at most 62; the rule's condition has to hold besides.
        steps: Vec<Step>,
        /// What must not come between.
        not: Option<Condition>,
        /// From the first step to the last; for numbers, how long a missing one may still come.
        within_ms: i64,
        /// Nothing else of the key for which the rule's condition holds may come between.
        is_strict: bool,
        /// Which matches may share events.
        skip: Skip,
        /// What fires.
        mode: SequenceMode,
        /// Partial matches of a key; for numbers, ranges of missing ones.
        max_partial: usize,
        /// So many in so long (milliseconds) are one episode.
        collapse: Option<(u32, i64)>,
    },
    /// B did not follow A.
    MissingB(Missing),
    /// A share of events.
    Ratio {
        /// What is counted above; the rule's condition is what is counted below.
        numerator: Condition,
        /// In how long.
        window_ms: i64,
        /// At least this many below.
        min_den: u32,
        /// More or less than this share.
        bound: Bound,
        /// Closed past this share.
        clear: f64,
        /// The bound of Wilson's interval at this confidence counts instead of the share itself.
        confidence: Option<f64>,
    },
    /// Events of a key until a pause.
    Session {
        /// The pause that ends it.
        gap_ms: i64,
        /// The longest it may be.
        max_len_ms: i64,
        /// Fires when all of these hold at its end.
        count: Option<Bound>,
        /// How long it was, milliseconds.
        duration_ms: Option<Bound>,
        /// An event of this sort was in it.
        has: Option<Condition>,
        /// None of this sort was in it.
        lacks: Option<Condition>,
        /// The last event was not of this sort.
        ended_without: Option<Condition>,
    },
    /// A figure over the values of a field.
    Metric {
        /// What is computed.
        measure: Measure,
        /// In how long.
        window_ms: i64,
        /// More or less than this.
        bound: Bound,
        /// Closed past this.
        clear: f64,
        /// At least this many values.
        min_count: u32,
    },
    /// Several frequencies in one window.
    Composite {
        /// What is counted.
        conditions: Vec<CountCondition>,
        /// In how long.
        within_ms: i64,
        /// How many of the conditions must hold.
        at_least: usize,
        /// The order of the conditions' first events must match this expression over their names, joined
        /// by spaces.
        order: Option<Pattern>,
    },
}

/// A regular expression that compiled, equal by its text.
#[derive(Debug, Clone)]
pub struct Pattern(pub regex::Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

/// More or less than a figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// More than this.
    Above(f64),
    /// Less than this.
    Below(f64),
}

/// What a spike is compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Baseline {
    /// The window before, this long.
    Previous {
        /// Its length.
        ref_ms: i64,
    },
    /// The same time of earlier periods, on average.
    SameTime {
        /// The period: a day, a week.
        period_ms: i64,
        /// How many of them.
        n: u32,
    },
    /// A moving average with this weight for the newest bucket.
    Ewma {
        /// From 0 to 1.
        alpha: f64,
    },
    /// Median and `k` median deviations over so many buckets.
    MedianMad {
        /// How many deviations.
        k: f64,
        /// How many buckets.
        buckets: u32,
    },
}

/// What is measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// How values become one figure.
    pub aggregate: Aggregate,
    /// The field whose values are meant; none for a count.
    pub field: Option<Field>,
}

/// How values become one figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Aggregate {
    /// How many events.
    Count,
    /// The sum.
    Sum,
    /// The mean.
    Avg,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// A quantile from 0 to 1.
    Quantile(f64),
}

/// What counts as a spike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SpikeTest {
    /// At least `factor` times the baseline.
    Up {
        /// How many times.
        factor: f64,
        /// The baseline counts as at least this.
        ref_floor: f64,
        /// The current window has at least this.
        min_cur: f64,
    },
    /// The baseline is at least `factor` times the current window.
    Down {
        /// How many times.
        factor: f64,
        /// The baseline is at least this.
        min_ref: f64,
    },
    /// Differs by at least this.
    Delta(f64),
    /// Grows by at least this a second, over so many buckets.
    Slope {
        /// A second.
        per_s: f64,
        /// How many buckets.
        buckets: u32,
    },
}

/// What a key does that has no history yet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OnNew {
    /// Nothing.
    Skip,
    /// Fires at this many.
    FireIf(f64),
}

/// Something that was never seen before.
#[derive(Debug, Clone, PartialEq)]
pub struct FirstSeen {
    /// What must be new.
    pub terms: NewTerms,
    /// Forgotten after this long without it.
    pub horizon_ms: i64,
    /// Nothing fires for this long after the rule's first event; what is seen is learned.
    pub learn_for_ms: i64,
    /// What counts as seen from the start, whatever the rule's key: the term's values as [`crate::Key`]
    /// writes them. For a message the value is its id, for one in a release there is the release besides.
    pub seed: Arc<Vec<String>>,
    /// Messages that count as seen from the start, in every release.
    pub seed_messages: Arc<Vec<MessageId>>,
    /// How many are remembered.
    pub max_terms: usize,
}

/// What must be new.
#[derive(Debug, Clone, PartialEq)]
pub enum NewTerms {
    /// The values of these fields together.
    Fields(Vec<Field>),
    /// The message, where a statement is known. A reworded one is not new.
    Message,
    /// The message in this release, where a statement is known.
    MessageInVersion,
    /// A line that no statement is known for.
    Unmatched,
}

/// One step of a sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What it is called.
    pub name: Arc<str>,
    /// Which events it means.
    pub condition: Condition,
}

/// Which matches of a sequence may share events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Skip {
    /// None: what began before a match's end is dropped.
    #[default]
    PastLast,
    /// All.
    NoSkip,
    /// Those that begin at the same event are dropped. As every first step takes the next event for each
    /// further one, there are none: the same as `NoSkip`.
    ToNext,
}

/// What a sequence fires on.
#[derive(Debug, Clone, PartialEq)]
pub enum SequenceMode {
    /// A whole match.
    Match,
    /// Steps that are missing, out of order, doubled or unexpected.
    Validate,
    /// Numbers missing in this field, when still missing after the lateness.
    Gaps(Field),
}

/// B did not follow A. The rule's condition is A.
#[derive(Debug, Clone, PartialEq)]
pub struct Missing {
    /// What is expected.
    pub expected: Condition,
    /// Within how long after A.
    pub within_ms: i64,
    /// B may be this much earlier than A: clocks of two hosts differ. In the same millisecond it always may.
    pub skew_ms: i64,
    /// What several A mean.
    pub pairing: Pairing,
    /// An open episode whose B never came ends after this long.
    pub ttl_ms: i64,
    /// A of the whole rule that wait for their B; past it the oldest are only counted.
    pub max_pending: usize,
}

/// What several A before a B mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairing {
    /// Each needs a B of its own, the first A the first B.
    Each,
    /// Later A are ignored while one waits.
    First,
    /// A later A starts the time anew.
    Latest,
}

/// One condition of a composite.
#[derive(Debug, Clone, PartialEq)]
pub struct CountCondition {
    /// What it is called.
    pub name: Arc<str>,
    /// Which events it counts.
    pub condition: Condition,
    /// How many are needed.
    pub count: u32,
    /// The episode closes when fewer than this are in the window.
    pub clear: u32,
}
