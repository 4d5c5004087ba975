//! Alerts of other systems become events whose owners their labels tell.

use std::sync::Arc;

use anyhow::Result;
use dice_catalog::{Kind, Level, Owner, OwnerKind, Why};
use dice_deliver::alertmanager::{self, Alert, DEFAULT_RESOLVE_MS};
use dice_route::book::Delta;
use dice_route::{Event, Input, Message, MessageId, PartitionId, PartitionNews, Router};
use dice_serve::Alerts;
use dice_store::Store;

use super::fires::{Fire, Fires};
use crate::router::plan::Known;
use crate::router::target;

/// What events of alerts have as their source.
const SOURCE: &str = "alerts";
/// The number of their partition: no partition of a source has it.
const ID: PartitionId = PartitionId(u32::MAX - 1);
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
    fires: Fires,
    /// Where the next event stands.
    offset: u64,
    is_open: bool,
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
        Ok(AlertBook { fires: Fires::of(store)?, ..AlertBook::default() })
    }

    /// Takes what was posted. An alert leads to one event for each time that it begins.
    pub(crate) fn take(&mut self, alerts: &Alerts, known: &Known, now_ms: i64) -> Taken {
        self.fires.begin(now_ms);
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
            // Who says nothing of the start gets the time of each call: as long as it is open it is the same.
            let old = self.fires.get(&alert.fingerprint).filter(|old| !old.is_over).cloned();
            let mut fire = match (old, alert.is_resolved) {
                // Another one may still tell of the end of the time before.
                (Some(old), true) if alert.starts_ms < alert.ends_ms && alert.ends_ms < old.starts_ms => {
                    continue;
                }
                (Some(old), _) => old,
                (None, true) => continue,
                (None, false) => {
                    self.offset = (self.offset + 1).max(now_ms.unsigned_abs() << 16);
                    let event = event(&alert, known, self.offset, now_ms);
                    let (message, host) = (Some(event.message.id), event.host.as_deref().map(str::to_owned));
                    taken.inputs.push(Input::Event(event));
                    let (starts_ms, ends_ms) = (alert.starts_ms, alert.ends_ms);
                    Fire { starts_ms, ends_ms, told_ms: 0, since_ms: now_ms, message, host, is_over: false }
                }
            };
            if fire.message.is_none() {
                // Its row is of a version that did not write this.
                let event = event(&alert, known, self.offset, now_ms);
                fire.message = Some(event.message.id);
                fire.host = event.host.as_deref().map(str::to_owned);
            }
            (fire.ends_ms, fire.told_ms, fire.is_over) = (alert.ends_ms, now_ms, alert.is_resolved);
            self.fires.put(&alert.fingerprint, fire);
        }
        taken.notes = self.fires.notes();
        taken.inputs.extend(self.checked(now_ms));
        taken
    }

    /// Says that no alert is waited for: what nobody has posted nobody knows.
    pub(crate) fn checked(&self, now_ms: i64) -> Option<Input> {
        self.is_open.then_some(Input::Partition(ID, PartitionNews::CaughtUp(now_ms)))
    }

    /// What alerts say of the episodes that they led to: those whose alerts have all ended, or were not told
    /// again in time, are over.
    pub(crate) fn words(&mut self, router: &Router, now_ms: i64) -> Taken {
        let words = self.fires.words(router, now_ms);
        let inputs = words.into_iter().map(Input::Word).collect();
        Taken { inputs, notes: self.fires.notes(), faults: Vec::new() }
    }

    /// Sources are opened anew: the partition is as well, with its next alert.
    pub(crate) fn close(&mut self) {
        self.is_open = false;
    }
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
mod tests;
