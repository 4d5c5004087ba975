//! What people do at PagerDuty, as it comes in. Source: PagerDuty Webhooks v3.

use std::fmt;

use dice_route::manager::COMMANDS_KEPT_MS;
use dice_route::{Act, Command};
use serde::Deserialize;

use crate::signature;

/// Bytes of a call that are looked at; PagerDuty sends at most 55 KB.
const MAX_BYTES: usize = 256 * 1024;

/// Clocks differ, milliseconds.
const EARLY_MS: i64 = 300_000;

/// What happened longer ago is not obeyed, milliseconds: the signature says nothing of when a call was made,
/// and whoever sends an old one again is found out by its name, as long as that is remembered. PagerDuty
/// itself repeats a call for at most 48 hours.
const MAX_AGE_MS: i64 = COMMANDS_KEPT_MS - EARLY_MS;

/// Something happened to an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// Names it for ever: a call that is sent again has the same one.
    pub id: String,
    /// What happened.
    pub change: PagerChange,
    /// The episode, where the incident is about one of ours.
    pub episode: Option<String>,
    /// Who did it, where it was a person: the name they have there.
    pub actor: Option<String>,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// The incident's page.
    pub url: Option<String>,
}

/// What happened to an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PagerChange {
    /// It was opened.
    Triggered,
    /// Somebody is on it.
    Acknowledged,
    /// Nobody is on it any more.
    Unacknowledged,
    /// It ended.
    Resolved,
    /// It is open again.
    Reopened,
    /// Somebody else has it.
    Reassigned,
    /// Somebody above has it.
    Escalated,
    /// Something else: the word as PagerDuty has it.
    Other(String),
}

impl Incoming {
    /// What it means to Dice, if anything.
    pub fn command(&self) -> Option<Command> {
        let episode = self.episode.clone()?;
        let act = match self.change {
            PagerChange::Acknowledged => Act::Ack { episode },
            PagerChange::Unacknowledged => Act::Unack { episode },
            PagerChange::Resolved => Act::Resolve { episode },
            _ => return None,
        };
        Some(Command {
            id: format!("pagerduty/{}", self.id),
            actor: self.actor.clone().unwrap_or_else(|| "PagerDuty".to_owned()),
            at_ms: self.at_ms,
            act,
        })
    }
}

/// Why a call is not obeyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotObeyed {
    /// Nobody who knows a secret signed it.
    Forged,
    /// It is signed, and longer ago than calls are remembered: somebody may send an old one again.
    Stale,
    /// It is signed, and not yet.
    Early,
    /// It is longer than PagerDuty sends.
    Long,
    /// It is signed, and no call of Webhooks v3.
    Unclear,
}

impl fmt::Display for NotObeyed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotObeyed::Forged => "no signature of the body is right",
            NotObeyed::Stale => "it happened more than two days ago: somebody may send an old call again",
            NotObeyed::Early => "it happened more than five minutes from now: is the clock right?",
            NotObeyed::Long => "the body is longer than PagerDuty sends",
            NotObeyed::Unclear => "the body is no call of Webhooks v3",
        })
    }
}

impl std::error::Error for NotObeyed {}

/// What a call says, when one of `secrets` signed it.
///
/// `signatures` is the header `X-PagerDuty-Signature`, which holds one signature for each secret that is
/// valid there; `body` the bytes as they came. A call without an incident, such as a test, is `None`.
///
/// # Errors
///
/// Why it is not to be obeyed: what is signed by nobody, too old or too early is to be answered with 401, the
/// rest with 400.
pub fn incoming(
    secrets: &[&str],
    signatures: &str,
    body: &[u8],
    now_ms: i64,
) -> Result<Option<Incoming>, NotObeyed> {
    if body.len() > MAX_BYTES {
        return Err(NotObeyed::Long);
    }
    if !is_signed(secrets, signatures, body) {
        return Err(NotObeyed::Forged);
    }
    let call: Call = serde_json::from_slice(body).map_err(|_| NotObeyed::Unclear)?;
    let Some(word) = call.event.event_type.strip_prefix("incident.") else { return Ok(None) };
    let change = match word {
        "triggered" => PagerChange::Triggered,
        "acknowledged" => PagerChange::Acknowledged,
        "unacknowledged" => PagerChange::Unacknowledged,
        "resolved" => PagerChange::Resolved,
        "reopened" => PagerChange::Reopened,
        "reassigned" | "delegated" => PagerChange::Reassigned,
        "escalated" => PagerChange::Escalated,
        _ => PagerChange::Other(word.to_owned()),
    };
    let key = call.event.data.incident_key.unwrap_or_default();
    let person = call.event.agent.filter(|agent| agent.kind.starts_with("user"));
    let at = call.event.occurred_at.as_deref().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let at_ms = at.ok_or(NotObeyed::Unclear)?.as_millisecond();
    match now_ms.saturating_sub(at_ms) {
        age_ms if age_ms > MAX_AGE_MS => return Err(NotObeyed::Stale),
        age_ms if age_ms < -EARLY_MS => return Err(NotObeyed::Early),
        _ => {}
    }
    Ok(Some(Incoming {
        id: call.event.id,
        change,
        episode: key.strip_prefix("dice:").map(str::to_owned),
        actor: person.and_then(|person| person.summary),
        at_ms,
        url: call.event.data.html_url,
    }))
}

fn is_signed(secrets: &[&str], signatures: &str, body: &[u8]) -> bool {
    let mut is_signed = false;
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        let right = signature::hex(&signature::sign(secret.as_bytes(), &[body]));
        // A handful is valid at a time; a list of thousands is an attack.
        for given in signatures.split(',').take(16).filter_map(|given| given.trim().strip_prefix("v1=")) {
            is_signed |= signature::is_same(given.as_bytes(), right.as_bytes());
        }
    }
    is_signed
}

#[derive(Deserialize)]
struct Call {
    event: CallEvent,
}

#[derive(Deserialize)]
struct CallEvent {
    id: String,
    event_type: String,
    #[serde(default)]
    occurred_at: Option<String>,
    #[serde(default)]
    agent: Option<Agent>,
    #[serde(default)]
    data: Data,
}

#[derive(Deserialize)]
struct Agent {
    #[serde(default)]
    summary: Option<String>,
    #[serde(default, rename = "type")]
    kind: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Data {
    incident_key: Option<String>,
    html_url: Option<String>,
}

#[cfg(test)]
mod tests {
    use dice_route::Act;
    use dice_route::manager::COMMANDS_KEPT_MS;

    use super::{NotObeyed, PagerChange, incoming};
    use crate::signature;

    fn body(word: &str) -> String {
        format!(
            r#"{{"event":{{"id":"01E","event_type":"{word}","resource_type":"incident",
            "occurred_at":"1970-01-01T00:00:01.5Z","agent":{{"type":"user_reference","summary":"Ann"}},
            "data":{{"id":"P1","type":"incident","incident_key":"dice:abc","html_url":"https://x/P1"}}}}}}"#
        )
    }

    #[test]
    fn only_what_is_signed_is_believed() {
        let body = body("incident.acknowledged");
        let right = format!("v1={}", signature::hex(&signature::sign(b"new", &[body.as_bytes()])));
        let wrong = format!("v1={}", "0".repeat(64));
        for (secrets, signatures, expected) in [
            (&["new"][..], right.clone(), true),
            (&["old", "new"], format!("{wrong},{right}"), true),
            (&["new"], format!("{wrong}, {right}"), true),
            (&["old"], right.clone(), false),
            (&[""], right.clone(), false),
            (&[], right.clone(), false),
            (&["new"], wrong, false),
            (&["new"], String::new(), false),
            (&["new"], right.replace("v1=", "v0="), false),
            (&["new"], right[..20].to_owned(), false),
        ] {
            let found = incoming(secrets, &signatures, body.as_bytes(), 1_500);
            assert_eq!(found.err(), (!expected).then_some(NotObeyed::Forged), "{signatures}");
        }
        assert_eq!(incoming(&["new"], &right, &body.as_bytes()[1..], 1_500), Err(NotObeyed::Forged));
    }

    #[test]
    fn only_what_is_remembered_long_enough_is_obeyed() {
        #[track_caller]
        fn check(body: &str, now_ms: i64, expected: Option<NotObeyed>) {
            let signed = format!("v1={}", signature::hex(&signature::sign(b"s", &[body.as_bytes()])));
            assert_eq!(incoming(&["s"], &signed, body.as_bytes(), now_ms).err(), expected);
        }
        let (body, hour_ms) = (body("incident.acknowledged"), 3_600_000);
        check(&body, 1_500, None);
        check(&body, 48 * hour_ms, None);
        // A call that comes five minutes early is remembered for as long as it is obeyed, too.
        check(&body, 1_500 + COMMANDS_KEPT_MS - 300_000, None);
        check(&body, 1_501 + COMMANDS_KEPT_MS - 300_000, Some(NotObeyed::Stale));
        check(&body, 1_500 - 300_000, None);
        check(&body, 1_499 - 300_000, Some(NotObeyed::Early));
        check(&body.replace("1970", "+999999"), 1_500, Some(NotObeyed::Unclear));
        check(&body.replace("occurred_at", "then"), 1_500, Some(NotObeyed::Unclear));
        check(&body.replace("incident.", "pagey."), i64::MAX, None);
    }

    #[test]
    fn what_people_do_becomes_commands() {
        for (word, change, is_command) in [
            ("incident.triggered", Some(PagerChange::Triggered), false),
            ("incident.acknowledged", Some(PagerChange::Acknowledged), true),
            ("incident.unacknowledged", Some(PagerChange::Unacknowledged), true),
            ("incident.resolved", Some(PagerChange::Resolved), true),
            ("incident.reopened", Some(PagerChange::Reopened), false),
            ("incident.reassigned", Some(PagerChange::Reassigned), false),
            ("incident.escalated", Some(PagerChange::Escalated), false),
            ("incident.priority_updated", Some(PagerChange::Other("priority_updated".to_owned())), false),
            ("pagey.ping", None, false),
        ] {
            let body = body(word);
            let signed = format!("v1={}", signature::hex(&signature::sign(b"s", &[body.as_bytes()])));
            let incoming = incoming(&["s"], &signed, body.as_bytes(), 9_000).unwrap();
            assert_eq!(incoming.as_ref().map(|known| known.change.clone()), change, "{word}");
            let command = incoming.and_then(|known| known.command());
            assert_eq!(command.is_some(), is_command, "{word}");
            if let Some(command) = command {
                assert_eq!(
                    (command.id.as_str(), command.actor.as_str(), command.at_ms),
                    ("pagerduty/01E", "Ann", 1_500)
                );
                let (Act::Ack { episode } | Act::Unack { episode } | Act::Resolve { episode }) = command.act
                else {
                    panic!("no such act");
                };
                assert_eq!(episode, "abc");
            }
        }
    }
}
