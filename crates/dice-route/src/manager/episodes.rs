//! Episodes of rules, open and closed, with what readers, routes and matchers ask of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use dice_catalog::{Owner, OwnerKind, Why};
use serde::{Deserialize, Serialize};

use super::correlation::Tie;
use super::matchers::Labels;
use super::{Alert, Desk, Subject, wording};
use crate::book::{Book, Delta, Row, Table};
use crate::config::Rule;
use crate::{
    Cause, CloseReason, Config, Destination, Evidence, Key, Message, MessageId, NoticeRow, Severity,
};

/// Closed episodes are kept this long, for questions about the last days.
const KEPT_MS: i64 = 8 * 24 * 3_600_000;

/// Episodes that are kept; past it the ones that were closed first go, then the oldest.
const MAX_EPISODES: usize = 100_000;

/// An episode of a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Episode {
    /// Its name.
    pub id: String,
    /// The rule's id.
    pub rule: Arc<str>,
    /// The key.
    pub key: Key,
    /// The number of its last transition.
    pub n: u32,
    /// How much it matters.
    pub severity: Severity,
    /// The labels it had when it began: what routes and matchers ask.
    pub labels: Labels,
    /// Who owned its messages when it began, best first.
    pub owners: Vec<Owner>,
    /// The escalation policy that its route or rule names.
    pub policy: Option<String>,
    /// Where it is told.
    pub destinations: Vec<Destination>,
    /// The rows of the groups that it is told in.
    pub groups: Vec<String>,
    /// The episode that probably causes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// What ties it to that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tie: Option<Tie>,
    /// When it began by event time, milliseconds since 1970.
    pub began_ms: i64,
    /// When the router knew, milliseconds since 1970.
    pub opened_ms: i64,
    /// When the router knew that it had ended.
    pub closed_ms: Option<i64>,
    /// Why it ended.
    pub close: Option<CloseReason>,
    /// One line.
    pub title: String,
    /// Why it fired, in words.
    pub reason: String,
    /// What is known.
    pub evidence: Evidence,
    /// Earlier names of its message, where it is about one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub was: Vec<MessageId>,
    /// Where the code can be read.
    pub url: Option<String>,
}

impl Row for Episode {
    const TABLE: Table = Table::Episodes;

    fn id(&self) -> &str {
        &self.id
    }
}

impl Episode {
    /// Whether it goes on.
    pub fn is_open(&self) -> bool {
        self.closed_ms.is_none()
    }

    /// What snoozes ask.
    pub fn subject<'a>(&'a self, group: Option<&'a str>) -> Subject<'a> {
        let message = match self.evidence.messages.as_slice() {
            [one] => Some(*one),
            _ => None,
        };
        Subject {
            message,
            was: &self.was,
            alert: None,
            rule: Some(&self.rule),
            group,
            episode: Some(&self.id),
        }
    }

    /// Its row in a notice.
    pub fn row(&self) -> NoticeRow {
        let state = match self.close {
            None => "open",
            Some(CloseReason::Instant) => "seen",
            Some(_) => "resolved",
        };
        NoticeRow {
            episode: Some(self.id.clone()),
            message: self.evidence.messages.first().map(MessageId::to_string),
            alert: None,
            title: self.title.clone(),
            state: state.to_owned(),
            severity: self.severity,
            evidence: self.evidence.clone(),
            owner: self.owners.first().map(|owner| format!("{}, {}", owner.name, owner.why)),
            url: self.url.clone(),
            before: None,
            days: Vec::new(),
        }
    }
}

/// Episodes of rules, open and closed.
#[derive(Debug, Clone, Default)]
pub struct Episodes {
    book: Book<Episode>,
    open: BTreeSet<String>,
    closed: BTreeSet<(i64, String)>,
    /// Open ones by their beginning.
    began: BTreeSet<(i64, String)>,
    /// By what probably causes them.
    roots: BTreeSet<(String, String)>,
}

impl Episodes {
    /// The episode called `id`.
    pub fn get(&self, id: &str) -> Option<&Episode> {
        self.book.get(id)
    }

    /// All that are kept, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Episode> {
        self.book.iter()
    }

    /// Those that go on, in the order of their ids.
    pub fn open(&self) -> impl Iterator<Item = &Episode> {
        self.open.iter().filter_map(|id| self.book.get(id))
    }

    /// Those that ended at or after `since_ms`, in the order of their ends.
    pub fn closed_since(&self, since_ms: i64) -> impl Iterator<Item = &Episode> {
        self.closed.range((since_ms, String::new())..).filter_map(|(_, id)| self.book.get(id))
    }

    /// The ids that begin with `prefix`, at most two; none for a prefix that is too short to be meant.
    pub fn called(&self, prefix: &str) -> Vec<&str> {
        if prefix.len() < 4 {
            return Vec::new();
        }
        let begins = |episode: &&Episode| episode.id.starts_with(prefix);
        self.book.iter().filter(begins).map(|episode| episode.id.as_str()).take(2).collect()
    }

    /// Puts one in, or changes one.
    pub fn put(&mut self, episode: Episode, desk: &mut Desk<'_>) {
        self.index(&episode);
        self.book.put(episode);
        while self.book.len() > MAX_EPISODES {
            let oldest = self.closed.first().map(|(_, id)| id.clone());
            let Some(oldest) = oldest.or_else(|| self.open.first().cloned()) else { break };
            self.remove(&oldest);
            let text = "an episode was forgotten for want of room";
            desk.records.note(desk.now_ms, Cause::Evicted, &oldest, "episodes", text);
        }
    }

    /// Forgets those that ended long ago.
    pub fn sweep(&mut self, now_ms: i64) {
        let bound = (now_ms - KEPT_MS, String::new());
        let old: Vec<String> = self.closed.range(..bound).map(|(_, id)| id.clone()).collect();
        for id in old {
            self.remove(&id);
        }
    }

    /// Those that go on and began between two instants, both included, in the order of their beginnings.
    pub fn began_within(&self, from_ms: i64, to_ms: i64) -> impl Iterator<Item = &Episode> {
        let began = self.began.range((from_ms, String::new())..);
        began.take_while(move |(at_ms, _)| *at_ms <= to_ms).filter_map(|(_, id)| self.book.get(id))
    }

    /// Those that `root` probably causes, in the order of their ids.
    pub fn caused_by<'a>(&'a self, root: &'a str) -> impl Iterator<Item = &'a Episode> {
        let caused = self.roots.range((root.to_owned(), String::new())..);
        caused.take_while(move |(known, _)| known == root).filter_map(|(_, id)| self.book.get(id))
    }

    fn index(&mut self, episode: &Episode) {
        if let Some(known) = self.book.get(&episode.id).cloned() {
            self.forget(&known);
        }
        let id = episode.id.clone();
        match episode.closed_ms {
            None => {
                self.open.insert(id.clone());
                self.began.insert((episode.began_ms, id.clone()));
            }
            Some(closed_ms) => {
                self.closed.insert((closed_ms, id.clone()));
            }
        }
        if let Some(root) = &episode.root {
            self.roots.insert((root.clone(), id));
        }
    }

    /// Forgets how an episode is found.
    fn forget(&mut self, episode: &Episode) {
        self.open.remove(&episode.id);
        self.began.remove(&(episode.began_ms, episode.id.clone()));
        if let Some(closed_ms) = episode.closed_ms {
            self.closed.remove(&(closed_ms, episode.id.clone()));
        }
        if let Some(root) = &episode.root {
            self.roots.remove(&(root.clone(), episode.id.clone()));
        }
    }

    fn remove(&mut self, id: &str) {
        if let Some(episode) = self.book.remove(id) {
            self.forget(&episode);
        }
    }

    /// Appends what has changed.
    pub fn deltas(&mut self, out: &mut Vec<Delta>) {
        self.book.deltas(out);
    }

    /// Puts in a row as it was written.
    pub fn restore(&mut self, id: &str, body: &str) -> Result<(), String> {
        self.book.restore(id, body)?;
        if let Some(episode) = self.book.get(id).cloned() {
            self.index(&episode);
        }
        Ok(())
    }
}

/// The labels of an episode: what every one has, the fields of its key by their names, and the rule's own.
///
/// `service`, `host`, `env`, `version` and `message` are there where all its occurrences agree.
pub(super) fn labels(
    rule: &Rule,
    key: &Key,
    evidence: &Evidence,
    message: Option<&Message>,
    owners: &[Owner],
    config: &Config,
) -> Labels {
    let mut labels = Labels::new();
    let mut put = |name: &str, value: &str| {
        if !value.is_empty() {
            labels.insert(name.to_owned(), value.to_owned());
        }
    };
    if let [service] = evidence.services.as_slice() {
        put("service", service);
    }
    if let ([(host, _)], 0) = (evidence.hosts.as_slice(), evidence.more_hosts) {
        put("host", host);
    }
    if let Some(env) = &evidence.env {
        put("env", env);
    }
    if let [version] = evidence.versions.as_slice() {
        put("version", version);
    }
    if let [message] = evidence.messages.as_slice() {
        put("message", &message.to_string());
    }
    if let Some(message) = message {
        put("file", &message.file);
        put("repo", &message.repo);
    }
    put_owners(&mut put, owners, config);
    for (field, value) in rule.key.iter().zip(key.values()) {
        if value != Key::MISSING {
            put(field.name(), &value);
        }
    }
    for (name, value) in &rule.labels {
        put(name, value);
    }
    put("rule", &rule.id);
    put("severity", rule.severity.as_str());
    labels
}

/// The labels of an annotated message.
pub(super) fn labels_of_alert(alert: &Alert, message: &Message, owner: &Owner, config: &Config) -> Labels {
    let mut labels = Labels::new();
    let mut put = |name: &str, value: &str| {
        if !value.is_empty() {
            labels.insert(name.to_owned(), value.to_owned());
        }
    };
    let running = alert.running();
    if let [service] = running.services.as_slice() {
        put("service", service);
    }
    if let ([(host, _)], 0) = (running.hosts.as_slice(), running.more_hosts()) {
        put("host", host);
    }
    if let [version] = running.versions.as_slice() {
        put("version", version);
    }
    put("env", alert.env.as_deref().unwrap_or_default());
    put("level", alert.level.map_or("", |level| level.as_str()));
    put("message", &alert.message.to_string());
    put("file", &message.file);
    put("repo", &message.repo);
    for (name, value) in &alert.fields {
        put(name, value);
    }
    put_owners(&mut put, std::slice::from_ref(owner), config);
    put("severity", alert.severity().as_str());
    labels
}

fn put_owners(put: &mut impl FnMut(&str, &str), owners: &[Owner], config: &Config) {
    let Some(owner) = owners.first() else { return };
    put("owner", &owner.name);
    let team = match owner.kind {
        OwnerKind::Team => Some(owner.name.as_str()),
        OwnerKind::Person => person(&owner.name, config).and_then(|person| person.team.as_deref()),
        OwnerKind::Channel => {
            let reads = |team: &crate::config::Team| team.channel.as_deref() == Some(&*owner.name);
            config.teams.iter().find(|(_, team)| reads(team)).map(|(name, _)| name.as_str())
        }
    };
    put("team", team.unwrap_or_default());
}

fn person<'a>(name: &str, config: &'a Config) -> Option<&'a crate::config::Person> {
    config.people.get(name).or_else(|| {
        let is = |person: &&crate::config::Person| {
            person.handle == name || person.emails.iter().any(|email| email == name)
        };
        config.people.values().find(is)
    })
}

/// The owners of several messages together, best first, without repeats; more than three share no
/// responsibility, so the fallback answers alone.
pub(super) fn united(owners: Vec<Owner>, fallback: Option<&Owner>) -> Vec<Owner> {
    let mut distinct: Vec<Owner> = Vec::new();
    for owner in owners {
        match distinct.iter_mut().find(|known| known.kind == owner.kind && known.name == owner.name) {
            Some(known) => known.why = known.why.min(owner.why),
            None => distinct.push(owner),
        }
    }
    if distinct.len() > 3 { fallback.cloned().into_iter().collect() } else { distinct }
}

/// Why somebody owns something, for the reader of a notice.
pub(super) fn because(owner: &Owner) -> String {
    match owner.why {
        Why::Override => format!("{}: named by a person", owner.name),
        Why::Annotation => format!("{}: annotated in the code", owner.name),
        Why::Author => format!("{}: author of the line", owner.name),
        Why::Owners => format!("{}: owner by path", owner.name),
        Why::Codeowners => format!("{}: code owner", owner.name),
        Why::Fallback => format!("{}: fallback", owner.name),
    }
}

/// One line about a message.
pub(super) fn title_of_message(message: &Message, sample: &str) -> String {
    let text = if message.template.is_empty() { sample } else { &message.template };
    wording::one_line(text)
}
