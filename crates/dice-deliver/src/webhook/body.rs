//! What a call says: a receiver's contract. Fields are added, never taken away or given another meaning.

use dice_route::{Lane, NoticeKind, NoticeRow, Severity};
use serde::{Deserialize, Serialize};

use crate::{Parcel, wording};

/// The body of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WebhookBody {
    /// `dice.open`, `dice.update`, `dice.reminder`, `dice.resolved`, `dice.escalation`, `dice.acknowledged`,
    /// `dice.digest`, `dice.storm`, `dice.summary` or `dice.self-alert`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When the notice was decided, RFC 3339 in UTC.
    pub timestamp: String,
    /// The shape of the body: 1.
    pub version: u32,
    /// The notice's name: the same in every attempt, and the call's `webhook-id`.
    pub id: String,
    /// The episode, group or digest it is about.
    pub subject: String,
    /// The number of the notice about that subject, from 0. A call with a smaller number that arrives late is
    /// to be dropped.
    pub revision: u32,
    /// The first notice about the subject, which this one changes or follows.
    pub follows: Option<String>,
    /// `page`, `immediate`, `alert` or `digest`.
    pub lane: Lane,
    /// `low`, `medium`, `high` or `critical`.
    pub severity: Severity,
    /// One line.
    pub title: String,
    /// Why this receiver gets it.
    pub because: String,
    /// What it is about.
    pub rows: Vec<WebhookRow>,
    /// Rows beyond those.
    pub more_rows: u64,
    /// Sentences beside the rows.
    pub notes: Vec<String>,
    /// The labels of the group, as pairs.
    pub labels: Vec<(String, String)>,
    /// Whether an earlier attempt may have arrived.
    pub is_possible_repeat: bool,
}

/// One episode or message of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WebhookRow {
    /// The episode's id.
    pub episode: Option<String>,
    /// The message's id.
    pub message: Option<String>,
    /// In words.
    pub title: String,
    /// `open`, `resolved`, a trend: one word.
    pub state: String,
    /// `low`, `medium`, `high` or `critical`.
    pub severity: Severity,
    /// How often.
    pub count: u64,
    /// The number of occurrences in the period before.
    pub before: Option<u64>,
    /// When it was seen first, RFC 3339 in UTC.
    pub first_seen: Option<String>,
    /// When it was seen last.
    pub last_seen: Option<String>,
    /// The hosts with their counts, most first.
    pub hosts: Vec<(String, u64)>,
    /// Hosts beyond those.
    pub more_hosts: u64,
    /// The services.
    pub services: Vec<String>,
    /// The releases.
    pub versions: Vec<String>,
    /// The environment.
    pub env: Option<String>,
    /// Trace ids.
    pub traces: Vec<String>,
    /// One of the lines: whatever a program printed, so never to be taken as markup.
    pub sample: Option<String>,
    /// `file:line` of the statement.
    pub place: Option<String>,
    /// The owner and the reason.
    pub owner: Option<String>,
    /// Where the code can be read.
    pub url: Option<String>,
    /// Occurrences by local date.
    pub days: Vec<(String, u64)>,
    /// Figures a rule decided by, with their names.
    pub figures: Vec<(String, f64)>,
}

impl WebhookBody {
    /// What the parcel says.
    pub fn of(parcel: &Parcel) -> WebhookBody {
        let intent = &parcel.intent;
        let notice = &intent.notice;
        WebhookBody {
            kind: format!("dice.{}", word(intent.kind)),
            timestamp: wording::instant(intent.created_ms),
            version: 1,
            id: intent.id.clone(),
            subject: intent.subject.clone(),
            revision: intent.revision,
            follows: intent.follows.clone(),
            lane: intent.lane,
            severity: notice.severity,
            title: notice.title.clone(),
            because: notice.because.clone(),
            rows: notice.rows.iter().map(row).collect(),
            more_rows: notice.more_rows,
            notes: notice.notes.clone(),
            labels: notice.labels.clone(),
            is_possible_repeat: parcel.is_possible_repeat,
        }
    }
}

fn row(row: &NoticeRow) -> WebhookRow {
    let evidence = &row.evidence;
    let texts = |texts: &[std::sync::Arc<str>]| texts.iter().map(|text| text.to_string()).collect();
    WebhookRow {
        episode: row.episode.clone(),
        message: row.message.clone(),
        title: row.title.clone(),
        state: row.state.clone(),
        severity: row.severity,
        count: evidence.count,
        before: row.before,
        first_seen: evidence.seen_ms.map(|(first_ms, _)| wording::instant(first_ms)),
        last_seen: evidence.seen_ms.map(|(_, last_ms)| wording::instant(last_ms)),
        hosts: evidence.hosts.iter().map(|(host, count)| (host.to_string(), *count)).collect(),
        more_hosts: evidence.more_hosts,
        services: texts(&evidence.services),
        versions: texts(&evidence.versions),
        env: evidence.env.as_deref().map(str::to_owned),
        traces: texts(&evidence.traces),
        sample: evidence.sample.as_deref().map(str::to_owned),
        place: evidence.place.as_deref().map(str::to_owned),
        owner: row.owner.clone(),
        url: row.url.clone(),
        days: row.days.clone(),
        figures: evidence.figures.iter().map(|(name, value)| (name.to_string(), *value)).collect(),
    }
}

fn word(kind: NoticeKind) -> String {
    let word = serde_json::to_value(kind).ok().and_then(|word| word.as_str().map(str::to_owned));
    word.unwrap_or_default()
}
