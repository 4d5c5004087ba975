//! Alerts of other systems become events whose owners their labels tell.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Result;
use dice_catalog::{Kind, Level, Owner, OwnerKind, Why};
use dice_deliver::alertmanager::{self, Alert, DEFAULT_RESOLVE_MS};
use dice_route::book::{Delta, Table};
use dice_route::{Event, Input, Message, MessageId, PartitionId, PartitionNews};
use dice_serve::Alerts;
use dice_store::Store;
use serde::{Deserialize, Serialize};

use crate::router::plan::Known;
use crate::router::target;

/// What events of alerts have as their source.
const SOURCE: &str = "alerts";
/// The number of their partition: no partition of a source has it.
const ID: PartitionId = PartitionId(u32::MAX - 1);
/// What rows of notes begin with that hold an alert each.
const NOTE: &str = "service alert ";
/// Alerts that are remembered; past it those that ended first go.
const MAX_KNOWN: usize = 10_000;
/// Bytes of a text that are kept.
const TEXT_BYTES: usize = 4 << 10;
/// Labels that tell where something is, and not what it is.
const PLACES: [&str; 5] = ["host", "instance", "node", "nodename", "pod"];

/// Whether a partition is that of alerts.
pub(crate) fn is(id: PartitionId) -> bool {
    id == ID
}

/// Which alerts are known: who sends them does so again each minute, and means the same.
#[derive(Debug, Default)]
pub(crate) struct AlertBook {
    known: BTreeMap<String, Fire>,
    /// The same by their ends.
    ends: BTreeSet<(i64, String)>,
    /// Where the next event stands.
    offset: u64,
    is_open: bool,
}

/// An alert as its row has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Fire {
    starts_ms: i64,
    ends_ms: i64,
}

/// What alerts led to.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) inputs: Vec<Input>,
    pub(crate) notes: Vec<Delta>,
    /// What is wrong with those that were left out.
    pub(crate) faults: Vec<String>,
}

impl AlertBook {
    /// The alerts that `store` remembers.
    pub(crate) fn of(store: &Store) -> Result<AlertBook> {
        let mut book = AlertBook::default();
        store.entries(Table::Notes, |note| {
            if let Some(name) = note.id.strip_prefix(NOTE)
                && let Ok(fire) = serde_json::from_str(&note.body)
            {
                book.put(name, fire);
            }
        })?;
        Ok(book)
    }

    fn put(&mut self, name: &str, fire: Fire) {
        if let Some(old) = self.known.insert(name.to_owned(), fire) {
            self.ends.remove(&(old.ends_ms, name.to_owned()));
        }
        self.ends.insert((fire.ends_ms, name.to_owned()));
    }

    /// Takes what was posted. An alert leads to one event for each time that it begins.
    pub(crate) fn take(&mut self, alerts: &Alerts, known: &Known, now_ms: i64) -> Taken {
        let mut taken = Taken::default();
        let found = match alertmanager::alerts(&alerts.body, now_ms, DEFAULT_RESOLVE_MS) {
            Ok(found) => found,
            Err(why) => return Taken { faults: vec![why], ..taken },
        };
        taken.faults =
            found.invalid.into_iter().map(|(place, why)| format!("alert {}: {why}", place + 1)).collect();
        if !self.is_open {
            self.is_open = true;
            let news = PartitionNews::Opened { source: SOURCE.into(), name: SOURCE.into() };
            taken.inputs.push(Input::Partition(ID, news));
        }
        for alert in found.alerts {
            let fire = Fire { starts_ms: alert.starts_ms, ends_ms: alert.ends_ms };
            let old = self.known.get(&alert.fingerprint).copied();
            // Who says nothing of the start gets the time of each call: as long as it is open it is the same.
            let is_same = old.is_some_and(|old| old.starts_ms == fire.starts_ms || old.ends_ms > now_ms);
            if !is_same && !alert.is_resolved {
                self.offset = (self.offset + 1).max(now_ms.unsigned_abs() << 16);
                taken.inputs.push(Input::Event(event(&alert, known, self.offset, now_ms)));
            }
            if is_same || !alert.is_resolved {
                let starts_ms = old.filter(|_| is_same).map_or(fire.starts_ms, |old| old.starts_ms);
                let fire = Fire { starts_ms, ..fire };
                if old != Some(fire) {
                    self.put(&alert.fingerprint, fire);
                    let body = serde_json::to_string(&fire).expect("an alert is two numbers");
                    taken.notes.push(Delta::Put { table: Table::Notes, id: row(&alert.fingerprint), body });
                }
            }
        }
        while self.known.len() > MAX_KNOWN
            && let Some((_, name)) = self.ends.pop_first()
        {
            self.known.remove(&name);
            taken.notes.push(Delta::Delete { table: Table::Notes, id: row(&name) });
        }
        taken.inputs.extend(self.checked(now_ms));
        taken
    }

    /// Says that no alert is waited for: what nobody has posted nobody knows.
    pub(crate) fn checked(&self, now_ms: i64) -> Option<Input> {
        self.is_open.then_some(Input::Partition(ID, PartitionNews::CaughtUp(now_ms)))
    }

    /// Sources are opened anew: the partition is as well, with its next alert.
    pub(crate) fn close(&mut self) {
        self.is_open = false;
    }
}

fn row(name: &str) -> String {
    format!("{NOTE}{name}")
}

/// The event of an alert. It happens when it is told: how long it took to be certain is its sender's business.
fn event(alert: &Alert, known: &Known, offset: u64, now_ms: i64) -> Event {
    let label = |names: &[&str]| names.iter().find_map(|name| alert.labels.get(*name));
    let text = |names: &[&str]| label(names).map(|text| Arc::<str>::from(text.as_str()));
    let level = level(label(&["severity", "level", "priority"]).map(String::as_str));
    let message = Arc::new(message(alert, known, level));
    let told = ["summary", "message", "description"].iter().find_map(|name| alert.annotations.get(*name));
    let told = match told {
        Some(told) => format!("{}: {told}", name(alert)),
        None => message.template.to_string(),
    };
    let all = alert.labels.iter().chain(&alert.annotations);
    let fields = all.map(|(name, value)| (Arc::from(name.as_str()), cut(value).into()));
    Event {
        partition: ID,
        offset,
        at_ms: Some(now_ms),
        ingested_ms: now_ms,
        level: Some(level),
        source: SOURCE.into(),
        host: text(&PLACES),
        service: text(&["service", "job"]),
        env: text(&["env", "environment"]),
        version: text(&["version", "release"]),
        trace: None,
        fields: fields.collect(),
        message,
        text: cut(&told).into(),
        values: Box::default(),
    }
}

fn cut(text: &str) -> &str {
    let end = (0..=TEXT_BYTES.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

fn name(alert: &Alert) -> &str {
    alert.labels.get("alertname").map_or("an alert", String::as_str)
}

fn level(word: Option<&str>) -> Level {
    match word.map(str::to_ascii_lowercase).as_deref() {
        Some("critical" | "page" | "fatal" | "emergency" | "p1" | "sev1") => Level::Critical,
        Some("error" | "high" | "major" | "p2" | "sev2") => Level::Error,
        Some("info" | "informational" | "none" | "debug" | "low") => Level::Info,
        _ => Level::Warning,
    }
}

/// What is known of an alert: it is the same message wherever it fires. Its owners are the label's `owner`;
/// else those of the message that `dice_message` names; else whoever answers for the repository of its
/// service.
fn message(alert: &Alert, known: &Known, level: Level) -> Message {
    let lasting = alert.labels.iter().filter(|(name, _)| {
        !PLACES.contains(&name.as_str()) && !matches!(name.as_str(), "owner" | "dice_message")
    });
    let pairs: Vec<String> = lasting
        .filter(|(name, _)| *name != "alertname")
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let template = match pairs.as_slice() {
        [] => name(alert).to_owned(),
        pairs => format!("{} {}", name(alert), pairs.join(" ")),
    };
    let id = MessageId::of_unmatched(SOURCE, &template);
    let of = alert.labels.get("dice_message").and_then(|id| id.parse().ok());
    let statement = of.and_then(|id| target::known_message(known, id));
    let mut message = match statement {
        Some(statement) => Message { was: Vec::new(), holes: Vec::new(), ..(*statement).clone() },
        None => Message::unknown(id),
    };
    message.id = id;
    message.template = cut(&template).into();
    message.kind = Some(Kind::Log);
    message.level = Some(level);
    if let Some(owners) = alert.labels.get("owner") {
        message.owners = owners.split([',', ' ']).filter(|name| !name.is_empty()).map(owner).collect();
    }
    let service = ["service", "job"].iter().find_map(|name| alert.labels.get(*name));
    if message.fallback.is_none()
        && let Some(repo) = known.repos.iter().find(|repo| service.is_some_and(|name| repo.name == *name))
    {
        message.repo = repo.name.as_str().into();
        message.fallback = repo.fallback.as_deref().map(|name| Owner::named(name, Why::Fallback));
    }
    message
}

/// A channel that an alert names hears it at once; a person when it is urgent, else in the digest.
fn owner(name: &str) -> Owner {
    let owner = Owner::named(name, Why::Annotation);
    match owner.kind {
        OwnerKind::Channel => owner,
        OwnerKind::Person | OwnerKind::Team => Owner { why: Why::Owners, ..owner },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Arc;

    use dice_match::{Limits, Matcher};
    use dice_route::Input;
    use dice_serve::Alerts;

    use super::AlertBook;
    use crate::router::plan::{Known, Stamp};

    fn known() -> Known {
        Known {
            matcher: Matcher::new(Vec::new(), &Limits::default()).unwrap(),
            repos: Vec::new(),
            outdated: HashSet::new(),
            messages: Arc::default(),
            stamp: Stamp::of(&[]),
        }
    }

    /// Posts at that second; the events with their owners and places, and what is wrong.
    #[track_caller]
    fn check(book: &mut AlertBook, second: i64, body: &str, expected: &[&str]) {
        let (at_ms, body) = (second * 1_000, body.as_bytes().to_vec());
        let alerts = Alerts { id: String::new(), actor: String::new(), at_ms, body };
        let taken = book.take(&alerts, &known(), at_ms);
        let mut said = Vec::new();
        for input in &taken.inputs {
            let Input::Event(event) = input else { continue };
            let owners: Vec<&str> = event.message.owners.iter().map(|owner| &*owner.name).collect();
            let host = event.host.as_deref().unwrap_or("-");
            said.push(format!("{} | {} | {} | {host}", event.message.template, event.text, owners.join(" ")));
        }
        said.extend(taken.faults);
        assert_eq!(said, expected);
    }

    #[test]
    fn an_alert_is_told_each_time_it_begins() {
        let mut book = AlertBook::default();
        let full = r##"[{"labels":{"alertname":"DiskFull","owner":"#ops","disk":"sda","instance":"web-1"},
            "annotations":{"summary":"sda is full"},"startsAt":"1970-01-01T00:00:05Z"}]"##;
        let told = "DiskFull disk=sda | DiskFull: sda is full | #ops | web-1";
        check(&mut book, 10, full, &[told]);
        check(&mut book, 70, full, &[]);
        let other = full.replace("web-1", "web-2");
        check(&mut book, 71, &other, &[&told.replace("web-1", "web-2")]);
        let over = full.replace("05Z\"", "05Z\",\"endsAt\":\"1970-01-01T00:01:40Z\"");
        check(&mut book, 100, &over, &[]);
        check(&mut book, 101, &full.replace("00:00:05", "00:01:41"), &[told]);
        check(
            &mut book,
            102,
            r#"[{"labels":{}},{"labels":{"job":"pay"}}]"#,
            &["an alert job=pay | an alert job=pay |  | -", "alert 1: an alert has at least one label"],
        );
    }
}
