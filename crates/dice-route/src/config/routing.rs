//! Where episodes go, what hides them, and who hears when nobody reacts.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Lane, Severity};

/// Compares one label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Matcher {
    /// The label's name. A label that is not there is the empty text.
    pub label: String,
    /// How.
    pub op: MatcherOp,
    /// With what. An expression that does not compile matches nothing.
    pub value: String,
}

/// How a label is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum MatcherOp {
    /// `=`
    #[serde(rename = "=")]
    Equal,
    /// `!=`
    #[serde(rename = "!=")]
    NotEqual,
    /// `=~`: the whole label matches the expression.
    #[serde(rename = "=~")]
    Matches,
    /// `!~`
    #[serde(rename = "!~")]
    MatchesNot,
}

impl FromStr for Matcher {
    type Err = ();

    /// Reads `service=pay`, `severity!=high`, `host=~web-.*` or `rule!~batch.*`; the value may stand in quotes.
    fn from_str(text: &str) -> Result<Matcher, ()> {
        let at = text.find(['=', '!']).filter(|at| *at > 0).ok_or(())?;
        let (label, rest) = text.split_at(at);
        let ops = [("=~", MatcherOp::Matches), ("!~", MatcherOp::MatchesNot), ("!=", MatcherOp::NotEqual)];
        let longer = ops.into_iter().find_map(|(sign, op)| Some((op, rest.strip_prefix(sign)?)));
        let (op, value) = longer.or_else(|| Some((MatcherOp::Equal, rest.strip_prefix('=')?))).ok_or(())?;
        Ok(Matcher { label: label.trim().to_owned(), op, value: value.trim().trim_matches('"').to_owned() })
    }
}

/// Where episodes with certain labels go.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// Names its groups; editing another route does not touch them.
    pub id: String,
    /// All of these must hold.
    pub matchers: Vec<Matcher>,
    /// Where to: `#channel`, people, receivers; `owner` is the owner of the message.
    pub to: Vec<String>,
    /// Labels whose values make a group; `...` is every label.
    pub group_by: Vec<String>,
    /// The way; the severity's where there is none: high and critical page, others alert.
    pub lane: Option<Lane>,
    /// Timers that differ from the lane's.
    pub timers: Option<LaneTimers>,
    /// The escalation policy that replaces the severity's.
    pub policy: Option<String>,
    /// Whether the end of an episode is told.
    pub send_resolved: bool,
    /// Whether later routes are asked too.
    pub is_continued: bool,
    /// Names of intervals outside of which its notices are held.
    pub active_in: Vec<String>,
    /// Names of intervals in which its notices are held.
    pub muted_in: Vec<String>,
    /// Routes below: the first that matches takes it; this one does where none matches.
    pub routes: Vec<Route>,
}

/// When groups are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneTimers {
    /// After the first alert of a group.
    pub group_wait_ms: i64,
    /// Between two notices of a group that changed.
    pub group_interval_ms: i64,
    /// Between two notices of a group that did not change; `None` never.
    pub repeat_interval_ms: Option<i64>,
}

/// The timers of the lanes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lanes {
    /// Episodes of rules.
    pub alert: LaneTimers,
    /// Somebody is woken.
    pub page: LaneTimers,
    /// Annotated messages: the first at once, then the same notice is changed after these times.
    pub immediate_ladder_ms: Vec<i64>,
    /// The last of them repeats; a message without further ones for this long is over.
    pub immediate_quiet_ms: i64,
    /// An annotated message that is still open is told again after this long.
    pub immediate_repeat_ms: i64,
}

impl Default for Lanes {
    /// What holds where nothing is set.
    fn default() -> Lanes {
        Lanes {
            alert: LaneTimers {
                group_wait_ms: 30_000,
                group_interval_ms: 300_000,
                repeat_interval_ms: Some(4 * 3_600_000),
            },
            page: LaneTimers { group_wait_ms: 0, group_interval_ms: 60_000, repeat_interval_ms: None },
            immediate_ladder_ms: vec![10_000, 30_000, 60_000, 300_000, 900_000],
            immediate_quiet_ms: 3_600_000,
            immediate_repeat_ms: 24 * 3_600_000,
        }
    }
}

/// A destination with a name of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiver {
    /// What it is: `terminal`, `slack`, `pagerduty`, `email`, `webhook`, `alertmanager`.
    pub courier: String,
    /// What the courier needs, as written; secrets are named here, never held.
    pub settings: BTreeMap<String, String>,
}

/// While something is open, something else is not told.
#[derive(Debug, Clone, PartialEq)]
pub struct Inhibition {
    /// What it is called.
    pub id: String,
    /// What hides.
    pub source: Vec<Matcher>,
    /// What is hidden.
    pub target: Vec<Matcher>,
    /// Labels that must be equal.
    pub equal: Vec<String>,
    /// Whether two labels that are both missing are equal.
    pub missing_equal: bool,
    /// How long after the source's end it still hides.
    pub linger_ms: i64,
}

/// Who hears when nobody reacts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// In order.
    pub steps: Vec<Step>,
    /// How often all steps are gone through again.
    pub repeat: u32,
    /// An acknowledgement lasts this long.
    pub ack_timeout_ms: i64,
    /// Whether the end is told by changing the notice only.
    pub resolve_quietly: bool,
}

/// A step of a policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// After the step before, or after the opening.
    pub after_ms: i64,
    /// Only when all of these hold; the step is passed over otherwise.
    pub only_if: Vec<StepIf>,
    /// Whom.
    pub to: Vec<Target>,
    /// Told again this often until the next step; milliseconds.
    pub remind_ms: Option<i64>,
}

/// When a step is taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepIf {
    /// At least this severity.
    Severity(Severity),
    /// Within (or outside of) the working hours of the default calendar.
    WorkingHours(bool),
    /// So many occurrences in so long (milliseconds).
    Count(u64, i64),
}

/// Whom a step reaches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// The owners of the message, as persons: a private message.
    Owner,
    /// The channel where the episode is told.
    Channel,
    /// Who is on call by this schedule.
    OnCall(String),
    /// Anything that a destination can be.
    To(String),
}

/// Guards against too much at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storm {
    /// New notices for a channel.
    pub channel: Guard,
    /// New notices for a person.
    pub person: Guard,
    /// New pages altogether; past it there is one mass incident.
    pub page: Guard,
    /// New messages (deduplication keys) a minute that start a storm, at least; six deviations over a week
    /// where that is more.
    pub new_messages_min: u32,
    /// In a storm, teams hear this often.
    pub summary_every_ms: i64,
    /// Episodes of one rule in an hour that mark it as noisy.
    pub noisy_rule_per_hour: u32,
}

/// So many in so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guard {
    /// How many.
    pub count: u32,
    /// In how long.
    pub within_ms: i64,
}

impl Default for Storm {
    /// What holds where nothing is set.
    fn default() -> Storm {
        Storm {
            channel: Guard { count: 20, within_ms: 600_000 },
            person: Guard { count: 5, within_ms: 3_600_000 },
            page: Guard { count: 30, within_ms: 300_000 },
            new_messages_min: 30,
            summary_every_ms: 300_000,
            noisy_rule_per_hour: 60,
        }
    }
}

/// What belongs together across services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correlation {
    /// Episodes that open this close to each other may belong together; 0 switches correlation off.
    pub window_ms: i64,
    /// Which services a service needs.
    pub depends_on: BTreeMap<String, Vec<String>>,
    /// So many services at once belong together even without a dependency.
    pub co_burst: u32,
}

impl Default for Correlation {
    /// What holds where nothing is set.
    fn default() -> Correlation {
        Correlation { window_ms: 120_000, depends_on: BTreeMap::new(), co_burst: 3 }
    }
}
