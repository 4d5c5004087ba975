//! What the router was told to do, already checked.
//!
//! These are values, not files: reading and checking `router.toml` is another crate's work. Durations are
//! milliseconds. Names refer to names that exist.

mod couriers;
mod people;
mod routing;
mod rule;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use couriers::{DispatchPolicy, LaneTtl, Masking};
pub use people::{DigestPolicy, Ownership, Person, Schedule, Shift, Slots, Team};
pub use routing::{
    Correlation, Guard, Inhibition, LaneTimers, Lanes, Matcher, MatcherOp, Policy, Receiver, Route, Step,
    StepIf, Storm, Target,
};
pub use rule::{
    Aggregate, Baseline, Bound, CountCondition, FirstSeen, Measure, Missing, NewTerms, OnMissingKey, OnNew,
    Pairing, Pattern, Rule, RuleType, SequenceMode, Skip, SpikeTest, Step as SequenceStep, Timing,
};

use crate::calendar::{Calendar, TimeInterval};

/// What the router was told to do.
#[derive(Debug, Clone)]
pub struct Config {
    /// A name of the whole text that it was read from.
    pub version: String,
    /// The IANA zone of teams and of people who have none.
    pub zone: String,
    /// Settings of event time.
    pub time: EventTime,
    /// The sources, by name.
    pub sources: BTreeMap<Arc<str>, Source>,
    /// The rules, in the order of the files.
    pub rules: Vec<Arc<Rule>>,
    /// The timers of the lanes.
    pub lanes: Lanes,
    /// The routes of rules' episodes, in order; what none takes goes to the message's owners.
    pub routes: Vec<Route>,
    /// Named receivers.
    pub receivers: BTreeMap<String, Receiver>,
    /// The Slack workspace that channels and people are in.
    pub slack: Option<Receiver>,
    /// How people are reached by mail.
    pub email: Option<Receiver>,
    /// How notices leave.
    pub dispatch: DispatchPolicy,
    /// What of a log does not leave the machine.
    pub masking: Masking,
    /// What hides what.
    pub inhibitions: Vec<Inhibition>,
    /// Escalation policies by name. Those called `low`, `medium`, `high` and `critical` are the defaults for
    /// their severity.
    pub policies: BTreeMap<String, Policy>,
    /// Who is on call, by the schedule's name.
    pub schedules: BTreeMap<String, Schedule>,
    /// Working days, hours and holidays, by name; `default` exists always.
    pub calendars: BTreeMap<String, Calendar>,
    /// Times of a week or year, by name.
    pub intervals: BTreeMap<String, TimeInterval>,
    /// People by handle or e-mail address.
    pub people: BTreeMap<String, Person>,
    /// Teams by `@org/team`.
    pub teams: BTreeMap<String, Team>,
    /// When digests are told.
    pub digests: DigestPolicy,
    /// Guards against too much at once.
    pub storm: Storm,
    /// What belongs together across services.
    pub correlation: Correlation,
    /// How "not me" is resolved, and who has left.
    pub ownership: Ownership,
}

/// Settings of event time. Source: `time` in `router.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventTime {
    /// A line's time may lie this far ahead of its reading.
    pub max_skew_ms: i64,
    /// A line older than this is counted only.
    pub max_age_ms: i64,
    /// Lateness of a source that sets none.
    pub lateness_ms: i64,
    /// A partition that is caught up and silent for this long no longer holds time up.
    pub idle_after_ms: i64,
    /// A required partition that cannot be read for this long is a reason to tell somebody.
    pub stall_after_ms: i64,
}

impl EventTime {
    /// What holds where nothing is set.
    pub const DEFAULT: EventTime = EventTime {
        max_skew_ms: 5 * 60_000,
        max_age_ms: 24 * 3_600_000,
        lateness_ms: 30_000,
        idle_after_ms: 60_000,
        stall_after_ms: 2 * 60_000,
    };
}

/// What the router knows about a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// How much later than its neighbours a line may arrive.
    pub lateness_ms: i64,
    /// Whether its silence or absence is a reason to tell somebody.
    pub is_required: bool,
}

impl Default for Config {
    /// What an empty configuration means: no rules, everything to the owners.
    fn default() -> Config {
        Config {
            version: String::new(),
            zone: "UTC".to_owned(),
            time: EventTime::DEFAULT,
            sources: BTreeMap::new(),
            rules: Vec::new(),
            lanes: Lanes::default(),
            routes: Vec::new(),
            receivers: BTreeMap::new(),
            slack: None,
            email: None,
            dispatch: DispatchPolicy::default(),
            masking: Masking::default(),
            inhibitions: Vec::new(),
            policies: BTreeMap::new(),
            schedules: BTreeMap::new(),
            calendars: BTreeMap::from([("default".to_owned(), Calendar::default())]),
            intervals: BTreeMap::new(),
            people: BTreeMap::new(),
            teams: BTreeMap::new(),
            digests: DigestPolicy::default(),
            storm: Storm::default(),
            correlation: Correlation::default(),
            ownership: Ownership::default(),
        }
    }
}
