//! A running escalation: which step is next, when, and who has been told.

use serde::{Deserialize, Serialize};

use crate::book::{Row, Table};
use crate::config::Policy;
use crate::{Destination, Severity};

/// All steps are gone through again at most this often, whatever a policy says.
const MAX_REPEAT: u32 = 5;

/// Between the last step and the first one of the next round there is at least this.
const ROUND_MS: i64 = 5 * 60_000;

/// Reminders come at most this often.
const MIN_REMIND_MS: i64 = 60_000;

/// How many earlier counts are kept, to tell how many came in how long.
const MAX_COUNTS: usize = 32;

/// What a closed one is kept for: repeated clicks, questions.
const REMEMBER_MS: i64 = 24 * 3_600_000;

/// One policy at work on one episode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Escalation {
    /// The episode's id and the policy's name.
    pub id: String,
    /// The episode's id.
    pub episode: String,
    /// The policy's name.
    pub name: String,
    /// The policy as it was when the episode began.
    pub policy: Policy,
    /// It is the one of the severity: no rule and no route named it.
    pub is_default: bool,
    /// Another one took its place, since the episode matters more than it did.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_superseded: bool,
    /// The number of the escalation among those of its episode.
    pub ordinal: u32,
    /// How much the episode matters.
    pub severity: Severity,
    /// When it began, milliseconds since 1970.
    pub opened_ms: i64,
    /// The step that comes next.
    pub step: usize,
    /// How often all steps have been gone through.
    pub round: u32,
    /// How many steps were taken, each time it was.
    pub taken: u32,
    /// When the last step was taken, or the beginning.
    pub stepped_ms: i64,
    /// When the next step is due.
    pub due_ms: Option<i64>,
    /// When the last step is told again.
    pub remind_ms: Option<i64>,
    /// Where it stands.
    pub state: Standing,
    /// Who was told by it, with the first notice.
    pub told: Vec<(Destination, String)>,
    /// How many notices it made.
    pub revision: u32,
    /// What the next notice has to say besides.
    pub notes: Vec<String>,
    /// Occurrences at earlier moments, oldest first.
    pub counts: Vec<(i64, u64)>,
    /// When the episode ended.
    pub closed_ms: Option<i64>,
}

/// Where an escalation stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Standing {
    /// The next step comes when it is due.
    Running,
    /// Somebody is on it.
    Acked {
        /// Who.
        by: String,
        /// Until when, milliseconds since 1970.
        until_ms: i64,
    },
    /// Everybody is spared for now.
    Paused {
        /// The snooze, silence or episode that hides it.
        by: String,
        /// Since when, milliseconds since 1970.
        since_ms: i64,
    },
    /// Nothing comes any more.
    Done {
        /// Why, in words.
        why: String,
    },
}

impl Row for Escalation {
    const TABLE: Table = Table::Escalations;

    fn id(&self) -> &str {
        &self.id
    }
}

impl Escalation {
    /// Whether the episode goes on.
    pub fn is_open(&self) -> bool {
        self.closed_ms.is_none()
    }

    /// When something has to be done about it; `None` where nothing but an input changes it.
    pub(super) fn wake_ms(&self) -> Option<i64> {
        match (&self.state, self.closed_ms) {
            (_, Some(closed_ms)) => Some(closed_ms.saturating_add(REMEMBER_MS)),
            (Standing::Running, None) => self.due_ms.into_iter().chain(self.remind_ms).min(),
            (Standing::Acked { until_ms, .. }, None) => Some(*until_ms),
            (Standing::Paused { .. } | Standing::Done { .. }, None) => None,
        }
    }

    /// Counts the next step as taken at `now_ms`, and says when the one after it comes.
    pub(super) fn passed(&mut self, now_ms: i64, was_told: bool) {
        let taken = self.policy.steps.get(self.step).cloned();
        self.stepped_ms = now_ms;
        self.step += 1;
        self.taken = self.taken.saturating_add(1);
        self.remind_ms = taken
            .as_ref()
            .and_then(|step| step.remind_ms)
            .filter(|_| was_told)
            .map(|every_ms| now_ms.saturating_add(every_ms.max(MIN_REMIND_MS)));
        self.due_ms =
            self.policy.steps.get(self.step).map(|next| now_ms.saturating_add(next.after_ms.max(0)));
        if self.due_ms.is_some() {
            return;
        }
        if self.round < self.policy.repeat.min(MAX_REPEAT) {
            let first = self.policy.steps.first().map_or(0, |step| step.after_ms);
            let last = taken.map_or(0, |step| step.after_ms);
            self.round += 1;
            self.step = 0;
            self.due_ms = Some(now_ms.saturating_add(first.max(last).max(ROUND_MS)));
        } else if self.remind_ms.is_none() {
            self.state = Standing::Done { why: "all steps were taken".to_owned() };
        }
    }

    /// Goes on at once: with the next step, or with the last one again when there is none.
    pub(super) fn resume(&mut self, note: String, now_ms: i64) {
        self.notes.push(note);
        if self.policy.steps.is_empty() {
            // There is no step to go on with, and none to wait for.
            self.state = Standing::Done { why: "there are no steps".to_owned() };
            (self.due_ms, self.remind_ms) = (None, None);
            return;
        }
        self.state = Standing::Running;
        if self.step >= self.policy.steps.len() {
            self.step = self.policy.steps.len().saturating_sub(1);
        }
        self.due_ms = Some(now_ms);
        self.remind_ms = None;
    }

    /// Stops until it is no longer hidden.
    pub(super) fn pause(&mut self, by: &str, now_ms: i64) {
        self.state = Standing::Paused { by: by.to_owned(), since_ms: now_ms };
    }

    /// Goes on where it stopped: what was still to wait is still to wait.
    pub(super) fn unpause(&mut self, since_ms: i64, note: String, now_ms: i64) {
        let later = |at_ms: i64| now_ms.saturating_add(at_ms.saturating_sub(since_ms).max(0));
        self.due_ms = self.due_ms.map(later);
        self.remind_ms = self.remind_ms.map(later);
        self.state = Standing::Running;
        self.notes.push(note);
    }

    /// Takes note of how many occurrences there are now.
    pub(super) fn count(&mut self, now_ms: i64, count: u64) {
        match self.counts.last_mut() {
            Some((_, known)) if *known >= count => {}
            Some((at_ms, known)) if *at_ms == now_ms => *known = count,
            _ => self.counts.push((now_ms, count)),
        }
        if self.counts.len() > MAX_COUNTS {
            // Every other one: what is long ago may be known less exactly.
            let mut n = 0;
            self.counts.retain(|_| {
                n += 1;
                n % 2 == 0
            });
        }
    }

    /// Occurrences in the last `within_ms`.
    pub(super) fn count_within(&self, within_ms: i64, now_ms: i64) -> u64 {
        let from_ms = now_ms.saturating_sub(within_ms);
        let before = self.counts.iter().rev().find(|(at_ms, _)| *at_ms <= from_ms).map_or(0, |(_, n)| *n);
        self.counts.last().map_or(0, |(_, n)| n.saturating_sub(before))
    }
}
