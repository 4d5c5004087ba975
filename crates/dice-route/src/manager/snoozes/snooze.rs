//! A snooze: what is hidden, for whom, until when, and how often it came meanwhile.

use serde::{Deserialize, Serialize};

use crate::book::{Row, Table};
use crate::calendar::{self, Calendar, Zone};
use crate::{Audience, Destination, MessageId, Scope, Severity};

/// A mute is shown to its owner again after this long.
pub(super) const REVIEW_MS: i64 = 90 * 24 * 3_600_000;

/// A snooze that ended is remembered for this long, so that a repeated click does nothing.
pub(super) const REMEMBER_MS: i64 = 30 * 24 * 3_600_000;

/// Fewer than this many in an hour is never "escalating".
const RATE_FLOOR: u64 = 10;

/// Something that is hidden from somebody until something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snooze {
    /// Names it for ever: over the command that asked for it.
    pub id: String,
    /// What is hidden.
    pub scope: Scope,
    /// From whom.
    pub audience: Audience,
    /// Until when.
    pub until: Until,
    /// Who asked for it.
    pub actor: String,
    /// When, milliseconds since 1970.
    pub created_ms: i64,
    /// Why, in the person's words.
    pub reason: Option<String>,
    /// What is hidden, in words.
    pub title: String,
    /// How much it matters.
    pub severity: Severity,
    /// The message, where the scope is one or one of one.
    pub message: Option<MessageId>,
    /// Who hears when it wakes, where it was for everyone.
    pub told: Vec<Destination>,
    /// Occurrences since it was asked for.
    pub counted: u64,
    /// Occurrences in the snoozes that this one took the place of.
    pub earlier: u64,
    /// When the first of all these began, milliseconds since 1970.
    pub since_ms: i64,
    /// The last occurrence, milliseconds since 1970, by event time.
    pub last_ms: Option<i64>,
    /// When a mute is shown to its owner again.
    pub review_ms: Option<i64>,
    /// When it ended, and through what.
    pub ended: Option<(i64, String)>,
}

impl Row for Snooze {
    const TABLE: Table = Table::Snoozes;

    fn id(&self) -> &str {
        &self.id
    }
}

impl Snooze {
    /// Whether it still hides at `now_ms`.
    pub fn is_active(&self, now_ms: i64) -> bool {
        self.ended.is_none() && !matches!(self.until, Until::Time { at_ms, .. } if at_ms <= now_ms)
    }

    /// Occurrences that were hidden, by this one and by those it took the place of.
    pub fn total(&self) -> u64 {
        self.counted.saturating_add(self.earlier)
    }

    /// Whether its end is told when something was hidden.
    pub(super) fn tells_its_end(&self) -> bool {
        self.until != Until::Forever
    }

    /// When something has to be done about it.
    pub(super) fn due_ms(&self) -> Option<i64> {
        match (&self.ended, &self.until) {
            (Some((ended_ms, _)), _) => Some(ended_ms.saturating_add(REMEMBER_MS)),
            (None, Until::Time { at_ms, .. }) => Some(*at_ms),
            (None, _) => self.review_ms,
        }
    }

    /// For whom, in words: `for you`, `for #ops`, `for everyone`.
    pub(super) fn for_whom(&self, reader: &str) -> String {
        match &self.audience {
            Audience::Person(name) if name == reader => "for you".to_owned(),
            Audience::Person(name) | Audience::Channel(name) => format!("for {name}"),
            Audience::Everyone => "for everyone".to_owned(),
        }
    }
}

/// Until when something is hidden.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "until", rename_all = "kebab-case")]
pub enum Until {
    /// A moment.
    Time {
        /// Milliseconds since 1970.
        at_ms: i64,
        /// The IANA zone of who asked.
        zone: String,
    },
    /// So many occurrences.
    Count {
        /// How many.
        n: u64,
    },
    /// More than so many in an hour.
    Rate {
        /// More than this.
        limit: u64,
    },
    /// The first release that had not been seen.
    NextRelease {
        /// How many releases had been seen.
        known: u64,
    },
    /// Until it is taken back.
    Forever,
}

/// What the words of `until` are measured by.
pub(super) struct Measures<'a> {
    /// It is now this late.
    pub(super) now_ms: i64,
    /// Where the person lives.
    pub(super) zone: &'a Zone,
    /// The days they work.
    pub(super) calendar: &'a Calendar,
    /// The busiest hour of the last seven days, where occurrences of a message are meant.
    pub(super) busiest: Option<u32>,
    /// How many releases have been seen.
    pub(super) releases: u64,
}

impl Until {
    /// What a person means by `written`; a reason in words where it means nothing.
    pub(super) fn read(written: &str, by: &Measures<'_>) -> Result<Until, String> {
        let words = written.trim().to_ascii_lowercase().replace([' ', '_'], "-");
        let only_messages = |what: &str| {
            format!("`{what}` is counted for messages: wanted a message, or a time, count:N or forever")
        };
        if let Some(n) = words.strip_prefix("count:") {
            let n = n.trim_matches('-').parse().ok().filter(|n| (1..=1_000_000_000).contains(n));
            return n
                .map(|n| Until::Count { n })
                .ok_or_else(|| "wanted a number from 1 to 1000000000 after `count:`".to_owned());
        }
        if let Some(k) = words.strip_prefix("rate") {
            let k = if k.is_empty() { Some(3.0) } else { k.strip_prefix(':').and_then(|k| k.parse().ok()) };
            let Some(k) = k.filter(|k: &f64| (1.0..=1000.0).contains(k)) else {
                return Err("wanted a number from 1 to 1000 after `rate:`".to_owned());
            };
            let Some(busiest) = by.busiest else { return Err(only_messages("rate")) };
            let limit = (k * f64::from(busiest)).ceil() as u64;
            return Ok(Until::Rate { limit: limit.max(RATE_FLOOR) });
        }
        match words.as_str() {
            "next-release" if by.busiest.is_none() => Err(only_messages("next-release")),
            "next-release" => Ok(Until::NextRelease { known: by.releases }),
            "forever" | "for-good" | "mute" => Ok(Until::Forever),
            _ => {
                let until: calendar::Until = written
                    .parse()
                    .map_err(|error| format!("{error}; or count:100, rate:3, next-release, forever"))?;
                let at_ms =
                    until.resolve(by.now_ms, by.zone, by.calendar).map_err(|error| error.to_string())?;
                Ok(Until::Time { at_ms, zone: by.zone.name().to_owned() })
            }
        }
    }

    /// In words, after "snoozed": `until Mon 2026-11-23 09:00 (Europe/Berlin)`.
    pub fn in_words(&self) -> String {
        match self {
            Until::Time { at_ms, zone } => {
                let zone = Zone::named(zone).unwrap_or_else(Zone::utc);
                format!("until {} ({})", zone.local(*at_ms).strftime("%a %Y-%m-%d %H:%M"), zone.name())
            }
            Until::Count { n: 1 } => "until it occurs once more".to_owned(),
            Until::Count { n } => format!("until it occurs {n} more times"),
            Until::Rate { limit } => format!("until it occurs more than {limit} times in an hour"),
            Until::NextRelease { .. } => "until the next release".to_owned(),
            Until::Forever => "for good".to_owned(),
        }
    }
}
