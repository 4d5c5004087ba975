//! PagerDuty: events in, incidents kept, webhooks out. Source: Events API v2, Webhooks v3.

use std::sync::{Arc, Mutex, MutexGuard};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::http::{Faults, Reply, Request, Server};

/// A routing key that is known from the start.
pub const ROUTING_KEY: &str = "R0123456789ABCDEFGHIJKLMNOPQRSTU";

const MAX_BYTES: usize = 512 * 1024;

/// Where an incident stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Nobody is on it.
    Triggered,
    /// Somebody is.
    Acknowledged,
    /// It ended.
    Resolved,
}

/// One incident.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// The key of its alert.
    pub key: String,
    /// Where it stands.
    pub status: Status,
    /// How often it was triggered while it was open.
    pub triggers: u32,
    /// How often somebody was woken for it.
    pub notified: u32,
    /// The last event that triggered it.
    pub event: Value,
}

#[derive(Debug, Default)]
struct State {
    incidents: Vec<Incident>,
    /// Events that did nothing: acknowledged or resolved what is not open.
    dropped: u32,
    accepted: u32,
    /// How many more events are taken before the caller is told to slow down.
    room: Option<u32>,
    sent: u32,
}

/// A running PagerDuty.
#[derive(Debug)]
pub struct PagerDuty {
    /// What goes wrong next.
    pub faults: Faults,
    state: Arc<Mutex<State>>,
    server: Server,
}

/// A webhook call, signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The header `X-PagerDuty-Signature`.
    pub signatures: String,
    /// All headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl PagerDuty {
    /// Starts one.
    pub fn start() -> PagerDuty {
        let state = Arc::new(Mutex::new(State::default()));
        let (faults, kept) = (Faults::default(), Arc::clone(&state));
        let server = Server::start(faults.clone(), move |request| {
            apply(&mut kept.lock().expect("no test panics with it"), request)
        });
        PagerDuty { faults, state, server }
    }

    /// Where events go.
    pub fn url(&self) -> String {
        self.server.url("/v2/enqueue")
    }

    /// All incidents, the oldest first. A key that was resolved and triggered again has several.
    pub fn incidents(&self) -> Vec<Incident> {
        self.state().incidents.clone()
    }

    /// How many events were taken, and how many of them did nothing.
    pub fn counts(&self) -> (u32, u32) {
        let state = self.state();
        (state.accepted, state.dropped)
    }

    /// After so many more events the caller is told to slow down, until this is called again.
    pub fn limit(&self, room: Option<u32>) {
        self.state().room = room;
    }

    /// Somebody does something to the last incident of a key: it stands so from then on, and this is the
    /// webhook call that tells it, signed with each of `secrets`.
    pub fn act(&self, key: &str, word: &str, person: &str, secrets: &[&str]) -> Call {
        let mut state = self.state();
        state.sent += 1;
        let (number, id) = (state.sent, format!("01EVENT{:04}", state.sent));
        if let Some(incident) = state.incidents.iter_mut().rfind(|incident| incident.key == key) {
            incident.status = match word {
                "acknowledged" => Status::Acknowledged,
                "resolved" => Status::Resolved,
                "unacknowledged" | "reopened" => Status::Triggered,
                _ => incident.status,
            };
        }
        let body = json!({"event": {
            "id": id, "event_type": format!("incident.{word}"), "resource_type": "incident",
            "occurred_at": "2026-03-24T10:01:00.000Z",
            "agent": {"html_url": "https://x.pagerduty.example/users/P1", "id": "P1", "self": null,
                "summary": person, "type": "user_reference"},
            "client": null,
            "data": {"html_url": "https://x.pagerduty.example/incidents/Q1", "id": "Q1", "type": "incident",
                "self": null, "number": number, "status": word, "incident_key": key, "title": "t",
                "service": {"id": "S1", "summary": "s", "type": "service_reference"}, "urgency": "high"}
        }})
        .to_string()
        .into_bytes();
        let signatures: Vec<String> =
            secrets.iter().map(|secret| format!("v1={}", sign(secret, &body))).collect();
        let signatures = signatures.join(",");
        let headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("X-PagerDuty-Signature".to_owned(), signatures.clone()),
            ("X-Webhook-Id".to_owned(), format!("W{number}")),
        ];
        Call { signatures, headers, body }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics with it")
    }
}

fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length will do");
    mac.update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn apply(state: &mut State, request: &Request) -> Reply {
    if (request.method.as_str(), request.path.as_str()) != ("POST", "/v2/enqueue") {
        return Reply::new(404, "{}");
    }
    if request.body.len() > MAX_BYTES {
        return Reply::new(413, r#"{"status":"invalid event","message":"too large"}"#);
    }
    let event: Value = match serde_json::from_slice(&request.body) {
        Ok(event) => event,
        Err(err) => return invalid(&[err.to_string()]),
    };
    let problems = problems(&event);
    if !problems.is_empty() {
        return invalid(&problems);
    }
    match &mut state.room {
        Some(0) => {
            let body = r#"{"status":"throttle exceeded","message":"Requests for this service are arriving too quickly."}"#;
            return Reply::new(429, body);
        }
        Some(room) => *room -= 1,
        None => {}
    }
    let key = event["dedup_key"].as_str().unwrap_or("made-up").to_owned();
    state.accepted += 1;
    let open = state
        .incidents
        .iter_mut()
        .rfind(|incident| incident.key == key && incident.status != Status::Resolved);
    match (event["event_action"].as_str().unwrap_or_default(), open) {
        ("trigger", Some(incident)) => {
            incident.triggers += 1;
            incident.event = event;
        }
        ("trigger", None) => {
            let status = Status::Triggered;
            state.incidents.push(Incident { key: key.clone(), status, triggers: 1, notified: 1, event });
        }
        ("acknowledge", Some(incident)) => incident.status = Status::Acknowledged,
        ("resolve", Some(incident)) => incident.status = Status::Resolved,
        _ => state.dropped += 1,
    }
    Reply::new(202, json!({"status": "success", "message": "Event processed", "dedup_key": key}).to_string())
}

fn invalid(errors: &[String]) -> Reply {
    let body = json!({"status": "invalid event", "message": "Event object is invalid", "errors": errors});
    Reply::new(400, body.to_string())
}

/// What is wrong with an event.
fn problems(event: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match text(&event["routing_key"]) {
        Some(key) if key == ROUTING_KEY => {}
        Some(key) if key.len() != 32 => {
            problems.push("Length of 'routing_key' is incorrect (should be 32 characters)".to_owned());
        }
        _ => problems.push("Invalid routing key".to_owned()),
    }
    if text(&event["dedup_key"]).is_some_and(|key| key.is_empty() || key.len() > 255) {
        problems.push("'dedup_key' is too long".to_owned());
    }
    let action = text(&event["event_action"]).unwrap_or_default();
    match action.as_str() {
        "acknowledge" | "resolve" => {
            if event["dedup_key"].is_null() {
                problems.push("'dedup_key' is missing or blank".to_owned());
            }
            return problems;
        }
        "trigger" => {}
        _ => problems.push("'event_action' is not one of trigger, acknowledge, resolve".to_owned()),
    }
    let payload = &event["payload"];
    match text(&payload["summary"]) {
        None => problems.push("'payload.summary' is missing or blank".to_owned()),
        Some(summary) if summary.trim().is_empty() || summary.chars().count() > 1024 => {
            problems.push("'payload.summary' is blank or too long".to_owned());
        }
        Some(_) => {}
    }
    if text(&payload["source"]).is_none_or(|source| source.trim().is_empty()) {
        problems.push("'payload.source' is missing or blank".to_owned());
    }
    let severity = text(&payload["severity"]).unwrap_or_default();
    if !["critical", "error", "warning", "info"].contains(&severity.as_str()) {
        problems.push("'payload.severity' is invalid (must be critical, error, warning or info)".to_owned());
    }
    if let Some(timestamp) = text(&payload["timestamp"])
        && !(timestamp.len() >= 20 && timestamp.as_bytes()[10] == b'T' && timestamp.ends_with('Z'))
    {
        problems.push("'payload.timestamp' is no ISO 8601".to_owned());
    }
    for link in event["links"].as_array().into_iter().flatten() {
        if !text(&link["href"]).is_some_and(|href| href.starts_with("http")) {
            problems.push("'links' need an address".to_owned());
        }
    }
    problems
}
