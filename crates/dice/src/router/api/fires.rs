//! Alerts of other systems that are known, and what their ends mean for what they led to.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use dice_deliver::alertmanager::DEFAULT_RESOLVE_MS;
use dice_route::book::{Delta, Table};
use dice_route::config::RuleType;
use dice_route::{Evidence, MessageId, Router, Word};
use dice_store::Store;
use serde::{Deserialize, Serialize};

/// What rows of notes begin with that hold an alert each.
const NOTE: &str = "service alert ";
/// Alerts that are remembered; past it those that ended first go, and then those that end first.
const MAX_KNOWN: usize = 10_000;
/// How often it is looked what has ended, milliseconds.
const LOOK_MS: i64 = 1_000;

/// An alert as its row has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fire {
    /// When it began, milliseconds since 1970.
    pub(super) starts_ms: i64,
    /// When it ended, or ends unless it is told again before.
    pub(super) ends_ms: i64,
    /// When it was told last.
    #[serde(default)]
    pub(super) told_ms: i64,
    /// When its event happened.
    #[serde(default)]
    pub(super) since_ms: i64,
    /// The message of that event; none in rows of versions that did not write it.
    #[serde(default)]
    pub(super) message: Option<MessageId>,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) host: Option<String>,
    /// Whether it has ended.
    #[serde(default)]
    pub(super) is_over: bool,
}

/// Alerts that are known, by their fingerprints.
#[derive(Debug, Default)]
pub(super) struct Fires {
    known: BTreeMap<String, Fire>,
    /// The same by whether they go on, and their ends.
    ends: BTreeSet<(bool, i64, String)>,
    /// Those of each message that go on.
    open: BTreeMap<MessageId, BTreeSet<String>>,
    /// How many are known of each message.
    counts: BTreeMap<MessageId, usize>,
    /// When this process began to listen to what is told of them.
    begun_ms: Option<i64>,
    looked_ms: i64,
    /// Rows that have changed.
    notes: Vec<Delta>,
}

impl Fires {
    /// Those that `store` remembers.
    pub(super) fn of(store: &Store) -> Result<Fires> {
        let mut fires = Fires::default();
        store.entries(Table::Notes, |note| {
            if let Some(name) = note.id.strip_prefix(NOTE)
                && let Ok(fire) = serde_json::from_str(&note.body)
            {
                fires.insert(name, fire);
            }
        })?;
        Ok(fires)
    }

    /// The alert with this fingerprint.
    pub(super) fn get(&self, name: &str) -> Option<&Fire> {
        self.known.get(name)
    }

    /// From now on somebody can tell how alerts stand. Who could not before has as long for its next word as
    /// it had given itself: that nobody listened is no end of anything.
    pub(super) fn begin(&mut self, now_ms: i64) {
        if self.begun_ms.is_some() {
            return;
        }
        self.begun_ms = Some(now_ms);
        let open: Vec<(String, Fire)> = self
            .known
            .iter()
            .filter(|(_, fire)| !fire.is_over)
            .map(|(n, f)| (n.clone(), f.clone()))
            .collect();
        for (name, mut fire) in open {
            if fire.message.is_none() && fire.ends_ms <= now_ms {
                fire.is_over = true;
            } else {
                let promised_ms = fire.ends_ms.saturating_sub(fire.told_ms).clamp(0, DEFAULT_RESOLVE_MS);
                fire.ends_ms = fire.ends_ms.max(now_ms.saturating_add(promised_ms));
            }
            self.insert(&name, fire);
        }
    }

    /// Writes down how an alert stands.
    pub(super) fn put(&mut self, name: &str, fire: Fire) {
        if self.known.get(name) == Some(&fire) {
            return;
        }
        let body = serde_json::to_string(&fire).expect("an alert is numbers and names");
        self.notes.push(Delta::Put { table: Table::Notes, id: row(name), body });
        self.insert(name, fire);
        while self.known.len() > MAX_KNOWN
            && let Some((is_open, _, name)) = self.ends.first().cloned()
        {
            if is_open {
                tracing::warn!(most = MAX_KNOWN, "too many alerts go on: one of them is forgotten");
            }
            self.remove(&name);
            self.notes.push(Delta::Delete { table: Table::Notes, id: row(&name) });
        }
    }

    fn insert(&mut self, name: &str, fire: Fire) {
        self.remove(name);
        self.ends.insert((!fire.is_over, fire.ends_ms, name.to_owned()));
        if let Some(message) = fire.message {
            *self.counts.entry(message).or_default() += 1;
            if !fire.is_over {
                self.open.entry(message).or_default().insert(name.to_owned());
            }
        }
        self.known.insert(name.to_owned(), fire);
    }

    fn remove(&mut self, name: &str) {
        let Some(fire) = self.known.remove(name) else { return };
        self.ends.remove(&(!fire.is_over, fire.ends_ms, name.to_owned()));
        let Some(message) = fire.message else { return };
        if let Some(count) = self.counts.get_mut(&message) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&message);
            }
        }
        if let Some(open) = self.open.get_mut(&message) {
            open.remove(name);
            if open.is_empty() {
                self.open.remove(&message);
            }
        }
    }

    /// Rows that have changed.
    pub(super) fn notes(&mut self) -> Vec<Delta> {
        std::mem::take(&mut self.notes)
    }

    /// What is to be said of the episodes that alerts led to: those of which every alert has ended are over,
    /// others go on. Asked often, it looks each second.
    pub(super) fn words(&mut self, router: &Router, now_ms: i64) -> Vec<Word> {
        self.begin(now_ms);
        if self.counts.is_empty() || now_ms.saturating_sub(self.looked_ms) < LOOK_MS {
            return Vec::new();
        }
        self.looked_ms = now_ms;
        self.end_before(now_ms);
        let manager = router.manager();
        let quiet_ms = router.config().lanes.immediate_quiet_ms;
        let word = |episode: &str, is_over| Word { episode: episode.to_owned(), at_ms: now_ms, is_over };
        let mut words = Vec::new();
        for ongoing in manager.immediate().iter() {
            let Some((alert, message)) = manager.alerts().get(&ongoing.alert) else { continue };
            if !self.counts.contains_key(&message.id) || alert.runs != ongoing.run {
                continue;
            }
            // All alerts of a message are one run, unless a rule tells them apart by more.
            let goes_on = match alert.fields.as_slice() {
                [] => self.open.contains_key(&message.id),
                _ => self.goes_on(&alert.evidence(&alert.running(), None), |_| false),
            };
            if !goes_on {
                words.push(word(&ongoing.id, true));
            } else if now_ms.saturating_sub(alert.last_ms) >= quiet_ms / 2 {
                words.push(word(&ongoing.id, false));
            }
        }
        let watermark_ms = router.watermarks().now_ms();
        for episode in manager.episodes().open() {
            let is_of_alerts = |evidence: &Evidence| {
                let messages = &evidence.messages;
                !messages.is_empty() && messages.iter().all(|id| self.counts.contains_key(id))
            };
            let rule = router.config().rules.iter().find(|rule| rule.id == episode.rule);
            // What is missing does not come by the end of what was there.
            let is_absence =
                |kind: &RuleType| matches!(kind, RuleType::Flatline { .. } | RuleType::MissingB(_));
            if !is_of_alerts(&episode.evidence) || rule.is_none_or(|rule| is_absence(&rule.kind)) {
                continue;
            }
            // What was told of it last may be half a minute old.
            let standing = router.engine().standing(&episode.id);
            let (evidence, n_waiting) = standing.as_ref().map_or((&episode.evidence, 0), |(e, n)| (e, *n));
            let may_join = |fire: &Fire| n_waiting > 0 && fire.since_ms >= watermark_ms;
            if is_of_alerts(evidence) && !self.goes_on(evidence, may_join) {
                words.push(word(&episode.id, true));
            }
        }
        words
    }

    /// Ends those that nobody has told again in time.
    fn end_before(&mut self, now_ms: i64) {
        let due = self.ends.range((true, i64::MIN, String::new())..);
        let due: Vec<String> =
            due.take_while(|(_, at_ms, _)| *at_ms <= now_ms).map(|(_, _, name)| name.clone()).collect();
        for name in due {
            if let Some(fire) = self.known.get(&name).cloned() {
                self.put(&name, Fire { is_over: true, ..fire });
            }
        }
    }

    /// Whether an alert goes on that belongs to what is known of an episode, or that `may_join` it.
    fn goes_on(&self, evidence: &Evidence, may_join: impl Fn(&Fire) -> bool) -> bool {
        if evidence.messages.len() >= Evidence::MAX_NAMED && !self.open.is_empty() {
            return true;
        }
        let open = evidence.messages.iter().filter_map(|id| self.open.get(id)).flatten();
        open.filter_map(|name| self.known.get(name)).any(|fire| {
            let is_there = |host: &String| evidence.hosts.iter().any(|(known, _)| **known == **host);
            evidence.more_hosts > 0 || fire.host.as_ref().is_none_or(is_there) || may_join(fire)
        })
    }
}

fn row(name: &str) -> String {
    format!("{NOTE}{name}")
}
