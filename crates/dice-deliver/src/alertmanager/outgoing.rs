//! A notice as alerts.

use std::collections::BTreeMap;

use dice_route::{Intent, NoticeKind, NoticeRow};
use serde::{Deserialize, Serialize};

use super::AlertmanagerSettings;
use crate::wording;

/// One alert as Alertmanager takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PostedAlert {
    /// What it is: the same labels are the same alert.
    pub labels: BTreeMap<String, String>,
    /// What is known of it.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    /// When it began, RFC 3339.
    pub starts_at: String,
    /// When it ended, or ends unless it is told again.
    pub ends_at: String,
    /// Where to read more.
    #[serde(default, rename = "generatorURL", skip_serializing_if = "Option::is_none")]
    pub generator_url: Option<String>,
}

/// The alerts that tell the notice: one for each episode, or one about its subject where it has none.
pub fn posted(settings: &AlertmanagerSettings, intent: &Intent, now_ms: i64) -> Vec<PostedAlert> {
    let rows: Vec<(&String, &NoticeRow)> =
        intent.notice.rows.iter().filter_map(|row| Some((row.episode.as_ref()?, row))).collect();
    if rows.is_empty() {
        return vec![alert(settings, intent, &intent.subject, None, now_ms)];
    }
    rows.into_iter().map(|(episode, row)| alert(settings, intent, episode, Some(row), now_ms)).collect()
}

/// Whether something of the notice is open after it.
pub(super) fn is_open(intent: &Intent) -> bool {
    let mut rows = intent.notice.rows.iter().filter(|row| row.episode.is_some()).peekable();
    match rows.peek() {
        Some(_) => rows.any(|row| !is_over(intent, Some(row))),
        None => !is_over(intent, None),
    }
}

/// Whether it has ended; what happened once and what nobody ends is told once, and ends by itself.
fn is_over(intent: &Intent, row: Option<&NoticeRow>) -> bool {
    let ends_alone = matches!(intent.kind, NoticeKind::Digest | NoticeKind::Summary);
    intent.kind == NoticeKind::Resolved
        || row.is_some_and(|row| wording::has_ended(row) || row.state == "seen")
        || (row.is_none() && ends_alone)
}

fn alert(
    settings: &AlertmanagerSettings,
    intent: &Intent,
    subject: &str,
    row: Option<&NoticeRow>,
    now_ms: i64,
) -> PostedAlert {
    let notice = &intent.notice;
    let severity = row.map_or(notice.severity, |row| row.severity);
    // Only what stays the same as long as the episode lives: another label would be another alert.
    let mut labels = BTreeMap::new();
    for (name, value) in notice.labels.iter().chain(&settings.labels) {
        if let (Some(name), false) = (label_name(name), value.trim().is_empty()) {
            labels.insert(name, wording::one_line(value, 500));
        }
    }
    labels.entry("alertname".to_owned()).or_insert_with(|| "Dice".to_owned());
    labels.insert("severity".to_owned(), severity.as_str().to_owned());
    labels.insert("dice_episode".to_owned(), subject.to_owned());

    let mut annotations = BTreeMap::new();
    let mut put = |name: &str, value: String| {
        if !value.is_empty() {
            annotations.insert(name.to_owned(), value);
        }
    };
    let title = row.map(|row| &row.title).filter(|title| !title.is_empty()).unwrap_or(&notice.title);
    put("summary", wording::one_line(title, 1000));
    put("because", wording::one_line(&notice.because, 1000));
    put("description", wording::plain(&notice.notes.join("\n"), 4000));
    for (name, value) in row.map(wording::facts).unwrap_or_default() {
        put(&name.replace(' ', "_"), value);
    }
    put("url", row.and_then(|row| row.url.as_deref()).and_then(wording::link).unwrap_or_default().to_owned());

    let episode = row.and_then(|row| row.episode.as_deref());
    let seen_ms = row.and_then(|row| row.evidence.seen_ms);
    let starts_ms = seen_ms.map_or(intent.created_ms, |(first_ms, _)| first_ms).min(now_ms);
    let has_ended = intent.kind == NoticeKind::Resolved || row.is_some_and(wording::has_ended);
    let ends_ms = if has_ended { now_ms } else { now_ms.saturating_add(settings.lifetime_ms) };
    PostedAlert {
        labels,
        annotations,
        starts_at: wording::instant(starts_ms),
        ends_at: wording::instant(ends_ms),
        generator_url: settings.pages.as_deref().map(|pages| wording::page(pages, episode)),
    }
}

/// The name as Prometheus takes it; `None` where nothing is left, or it is Dice's own.
fn label_name(name: &str) -> Option<String> {
    let mut out: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).take(100).collect();
    if out.starts_with(|first: char| first.is_ascii_digit()) {
        out.insert(0, '_');
    }
    (!out.is_empty() && !out.starts_with("__") && out != "dice_episode").then_some(out)
}
