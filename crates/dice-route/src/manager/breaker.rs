//! New messages by the minute, and rules that fire too often: when much is new at once, little is news.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Desk, wording};
use crate::Cause;
use crate::book::{Book, Delta, Row, Table};

/// Hours that are remembered: a week.
const HOURS: i64 = 168;

/// A storm is over when so long nothing was near the bound.
const CALM_MS: i64 = 5 * 60_000;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 3_600_000;

/// The id of the row with the minutes.
const MINUTES: &str = "minutes";

/// Put before a rule's id where its row stands.
const RULE: &str = "rule:";

/// New messages by the minute.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Minutes {
    #[serde(skip)]
    id: String,
    /// The minute that goes on, since 1970.
    minute: i64,
    /// New messages in it.
    count: u64,
    /// Hours since 1970, with the sum and the sum of squares of their minutes.
    hours: BTreeMap<i64, (u64, u64)>,
    storm: Option<Raised>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Raised {
    since_ms: i64,
    /// When a minute was last near the bound.
    last_ms: i64,
    bound: u64,
    /// New messages since.
    count: u64,
}

impl Row for Minutes {
    const TABLE: Table = Table::Storms;

    fn id(&self) -> &str {
        MINUTES
    }
}

/// When a rule fired within the last hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Noise {
    #[serde(rename = "rule")]
    id: String,
    opened_ms: Vec<i64>,
    is_noisy: bool,
}

impl Row for Noise {
    const TABLE: Table = Table::Storms;

    fn id(&self) -> &str {
        &self.id
    }
}

/// New messages by the minute, and how often rules fire.
#[derive(Debug, Clone, Default)]
pub struct Breaker {
    minutes: Book<Minutes>,
    rules: Book<Noise>,
}

impl Breaker {
    /// Whether this part keeps the row called `id`.
    pub fn keeps(id: &str) -> bool {
        id == MINUTES || id.starts_with(RULE)
    }

    /// Counts a message that was not known before. True when a storm begins with it.
    pub fn new_message(&mut self, desk: &mut Desk<'_>) -> bool {
        if self.minutes.is_empty() {
            self.minutes.put(Minutes::default());
        }
        let Some(minutes) = self.minutes.get_mut(MINUTES) else { return false };
        let now_ms = desk.now_ms;
        minutes.turn(now_ms);
        minutes.count += 1;
        let bound = minutes.bound(u64::from(desk.config.storm.new_messages_min));
        let count = minutes.count;
        if let Some(storm) = &mut minutes.storm {
            storm.count += 1;
            if count * 2 > storm.bound {
                storm.last_ms = now_ms;
            }
            return false;
        }
        if count <= bound {
            return false;
        }
        minutes.storm = Some(Raised { since_ms: now_ms, last_ms: now_ms, bound, count });
        let text = format!("a storm began: more than {bound} new messages in a minute");
        desk.records.note(now_ms, Cause::SelfAlert, "storm", "new messages", &text);
        true
    }

    /// Why only grave things are told on their own, while a storm goes on.
    pub fn why(&self) -> Option<String> {
        let storm = self.minutes.get(MINUTES)?.storm.as_ref()?;
        let messages = wording::counted(storm.count, "new message", "new messages");
        Some(format!("{messages} at once, more than {} in a minute", storm.bound))
    }

    /// Ends a storm when it has been calm for long enough.
    pub fn tick(&mut self, desk: &mut Desk<'_>) {
        let storm = self.minutes.get(MINUTES).and_then(|minutes| minutes.storm.clone());
        let Some(storm) = storm.filter(|storm| desk.now_ms - storm.last_ms >= CALM_MS) else { return };
        let text = format!(
            "the storm is over: {} in {}",
            wording::counted(storm.count, "new message", "new messages"),
            wording::duration(desk.now_ms - storm.since_ms)
        );
        desk.records.note(desk.now_ms, Cause::SelfAlert, "storm", "new messages", &text);
        if let Some(minutes) = self.minutes.get_mut(MINUTES) {
            minutes.storm = None;
        }
    }

    /// Counts an episode of a rule. `Some(true)` when the rule is noisy from now on, `Some(false)` when it is
    /// not any more.
    pub fn opened(&mut self, rule: &str, desk: &Desk<'_>) -> Option<bool> {
        let id = format!("{RULE}{rule}");
        if self.rules.get(&id).is_none() {
            self.rules.put(Noise { id: id.clone(), opened_ms: Vec::new(), is_noisy: false });
        }
        let bound = desk.config.storm.noisy_rule_per_hour as usize;
        let noise = self.rules.get_mut(&id)?;
        noise.opened_ms.retain(|at_ms| *at_ms > desk.now_ms - HOUR_MS);
        noise.opened_ms.push(desk.now_ms);
        if noise.opened_ms.len() > bound + 1 {
            noise.opened_ms.remove(0);
        }
        let is_noisy = noise.opened_ms.len() > bound;
        if is_noisy == noise.is_noisy || (noise.is_noisy && noise.opened_ms.len() * 2 > bound) {
            return None;
        }
        noise.is_noisy = is_noisy;
        Some(is_noisy)
    }

    /// Forgets rules that have not fired for an hour; gives those that were noisy.
    pub fn sweep(&mut self, now_ms: i64) -> Vec<String> {
        let quiet = |noise: &&Noise| noise.opened_ms.last().is_none_or(|last| *last <= now_ms - HOUR_MS);
        let quiet: Vec<(String, bool)> =
            self.rules.iter().filter(quiet).map(|noise| (noise.id.clone(), noise.is_noisy)).collect();
        let mut calmed = Vec::new();
        for (id, was_noisy) in quiet {
            self.rules.remove(&id);
            if was_noisy {
                calmed.push(id[RULE.len()..].to_owned());
            }
        }
        calmed
    }

    /// Appends what has changed.
    pub fn deltas(&mut self, out: &mut Vec<Delta>) {
        self.minutes.deltas(out);
        self.rules.deltas(out);
    }

    /// Puts in a row as it was written.
    pub fn restore(&mut self, id: &str, body: &str) -> Result<(), String> {
        if id == MINUTES { self.minutes.restore(id, body) } else { self.rules.restore(id, body) }
    }
}

impl Minutes {
    /// Begins the minute of `now_ms` when it is a later one.
    fn turn(&mut self, now_ms: i64) {
        let minute = now_ms.div_euclid(MINUTE_MS);
        if minute <= self.minute {
            return;
        }
        if self.count > 0 {
            let hour = self.hours.entry(self.minute.div_euclid(60)).or_default();
            hour.0 += self.count;
            hour.1 += self.count * self.count;
        }
        (self.minute, self.count) = (minute, 0);
        let first = minute.div_euclid(60) - HOURS;
        self.hours = self.hours.split_off(&first);
    }

    /// How many new messages a minute may have: at least `min`, or six deviations above what this hour of
    /// the day had within a week.
    fn bound(&self, min: u64) -> u64 {
        let hour = self.minute.div_euclid(60);
        let same: Vec<(u64, u64)> =
            (1..=7).filter_map(|days| self.hours.get(&(hour - 24 * days)).copied()).collect();
        if same.is_empty() {
            return min;
        }
        // Minutes without any count as well, and so do the days that the router knows nothing of.
        let n = 7.0 * 60.0;
        let sum: u64 = same.iter().map(|(sum, _)| sum).sum();
        let squares: u64 = same.iter().map(|(_, squares)| squares).sum();
        let mean = sum as f64 / n;
        let deviation = (squares as f64 / n - mean * mean).max(0.0).sqrt();
        min.max((mean + 6.0 * deviation).ceil() as u64)
    }
}
