//! A notice as events. Source: PagerDuty Events API v2, "Send an Alert Event".

use dice_route::{NoticeKind, NoticeRow, Severity};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::PagerDutySettings;
use crate::{Parcel, wording};

/// Bytes of an event that PagerDuty takes.
pub const MAX_EVENT_BYTES: usize = 512 * 1024;

const MAX_KEY_BYTES: usize = 255;
const MAX_SUMMARY: usize = 1024;
const MAX_NOTES: usize = 20;

/// One call to PagerDuty.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The integration: a secret.
    pub routing_key: String,
    /// What it does.
    pub event_action: Action,
    /// Which alert, for ever: at most 255 bytes of ASCII.
    pub dedup_key: String,
    /// What the alert says; not needed to acknowledge and to resolve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<Payload>,
    /// Pages for the reader.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Who says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Their page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_url: Option<String>,
}

/// What an event does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Opens the alert, or adds to it.
    Trigger,
    /// Somebody is on it.
    Acknowledge,
    /// It ended.
    Resolve,
}

/// What an alert says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Payload {
    /// One line, at most 1024 characters.
    pub summary: String,
    /// Where it happened: the host with the most occurrences.
    pub source: String,
    /// `critical`, `error`, `warning` or `info`.
    pub severity: String,
    /// When it began, by RFC 3339.
    pub timestamp: String,
    /// The service, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// The environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What is known, by name.
    pub custom_details: Map<String, Value>,
}

/// A page for the reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The address.
    pub href: String,
    /// What it is.
    pub text: String,
}

/// What an episode, or another subject, is called at PagerDuty.
pub fn dedup_key(subject: &str) -> String {
    let key = format!("dice:{subject}");
    if key.len() <= MAX_KEY_BYTES && key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return key;
    }
    format!("dice:{}", dice_route::name(&[subject.as_bytes()]))
}

/// The events that tell the notice, in the order of its rows: one for each episode, or a single one where the
/// notice is about no episode, or about too much at once.
pub fn events(settings: &PagerDutySettings, parcel: &Parcel) -> Vec<Event> {
    let intent = &parcel.intent;
    let is_mass = intent.kind == NoticeKind::Storm || intent.subject.starts_with("storm/");
    let rows: Vec<(&String, &NoticeRow)> =
        intent.notice.rows.iter().filter_map(|row| Some((row.episode.as_ref()?, row))).collect();
    if is_mass || rows.is_empty() {
        return vec![event(settings, parcel, &intent.subject, None, false)];
    }
    let is_one = rows.len() == 1 && intent.notice.more_rows == 0;
    rows.into_iter().map(|(episode, row)| event(settings, parcel, episode, Some(row), is_one)).collect()
}

fn event(
    settings: &PagerDutySettings,
    parcel: &Parcel,
    subject: &str,
    row: Option<&NoticeRow>,
    is_one: bool,
) -> Event {
    let intent = &parcel.intent;
    let event_action = match intent.kind {
        NoticeKind::Resolved => Action::Resolve,
        NoticeKind::Acknowledged => Action::Acknowledge,
        _ if row.is_some_and(wording::has_ended) => Action::Resolve,
        _ => Action::Trigger,
    };
    let mut event = Event {
        routing_key: settings.routing_key.clone(),
        event_action,
        dedup_key: dedup_key(subject),
        payload: None,
        links: Vec::new(),
        client: None,
        client_url: None,
    };
    if event_action != Action::Trigger {
        return event;
    }
    event.payload = Some(payload(settings, parcel, row, is_one));
    event.links = row
        .and_then(|row| row.url.as_deref().and_then(wording::link))
        .map(|href| vec![Link { href: href.to_owned(), text: "The statement".to_owned() }])
        .unwrap_or_default();
    event.client = Some("Dice".to_owned());
    let episode = row.and_then(|row| row.episode.as_deref());
    event.client_url = settings.pages.as_deref().map(|pages| wording::page(pages, episode));
    // Everything in it is bounded, and what was not thought of is left out before it is refused.
    if serde_json::to_vec(&event).is_ok_and(|body| body.len() > MAX_EVENT_BYTES)
        && let Some(payload) = &mut event.payload
    {
        payload.custom_details = Map::new();
        event.links.clear();
    }
    event
}

fn payload(settings: &PagerDutySettings, parcel: &Parcel, row: Option<&NoticeRow>, is_one: bool) -> Payload {
    let notice = &parcel.intent.notice;
    // The title of a notice about one episode says more than that of its row: that nobody acknowledged.
    let (title, severity) = match row {
        Some(row) if !is_one && !row.title.is_empty() => (&row.title, row.severity),
        _ => (&notice.title, notice.severity),
    };
    let mut summary = wording::one_line(title, MAX_SUMMARY);
    if summary.is_empty() {
        summary = "Dice: a notice without a title".to_owned();
    }
    let mut details = Map::new();
    let mut put = |name: &str, value: String| {
        if !value.is_empty() {
            details.insert(name.to_owned(), Value::String(value));
        }
    };
    put("because", wording::one_line(&notice.because, 1000));
    for (name, value) in row.map(wording::facts).unwrap_or_default() {
        put(name, value);
    }
    let others = match row {
        Some(_) => Vec::new(),
        None => {
            notice.rows.iter().take(20).map(|row| wording::one_line(&row.title, 300)).collect::<Vec<String>>()
        }
    };
    put("about", others.join("\n"));
    let notes = notice.notes.iter().take(MAX_NOTES).map(|note| wording::one_line(note, 500));
    put("notes", notes.collect::<Vec<String>>().join("\n"));
    for (name, value) in notice.labels.iter().take(30) {
        put(&format!("label {}", wording::one_line(name, 100)), wording::one_line(value, 300));
    }
    let evidence = row.map(|row| &row.evidence);
    let began_ms =
        evidence.and_then(|evidence| evidence.seen_ms).map_or(parcel.intent.created_ms, |seen| seen.0);
    // A field that is there must say something.
    let short = |text: &str| Some(wording::one_line(text, 255)).filter(|text| !text.is_empty());
    let host = evidence.and_then(|evidence| evidence.hosts.first()).and_then(|(host, _)| short(host));
    let service =
        evidence.filter(|evidence| evidence.services.len() == 1).map(|evidence| &evidence.services[0]);
    Payload {
        summary,
        source: host.or_else(|| short(&settings.source)).unwrap_or_else(|| "dice".to_owned()),
        severity: match severity {
            Severity::Critical => "critical",
            Severity::High => "error",
            Severity::Medium => "warning",
            Severity::Low => "info",
        }
        .to_owned(),
        timestamp: wording::instant(began_ms),
        component: service.and_then(|service| short(service)),
        group: evidence.and_then(|evidence| evidence.env.as_deref()).and_then(short),
        custom_details: details,
    }
}
