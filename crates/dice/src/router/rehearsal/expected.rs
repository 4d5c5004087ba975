//! Notices that must come of a scenario.

use anyhow::Result;
use dice_route::{Destination, Intent, State};
use jiff::SignedDuration;
use serde::Deserialize;

use super::duration;
use crate::router::terminal::clock;

/// A notice that must come.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    /// When it is decided, since the start.
    at: String,
    /// So many of them.
    repeat: Option<u32>,
    /// With this between.
    every: Option<String>,
    /// For whom.
    to: String,
    /// When it is delivered; where that is not said it is not looked at.
    sent: Option<String>,
    lane: Option<String>,
    kind: Option<String>,
    /// A part of its title.
    title: Option<String>,
    /// A part of one of its notes or of why its reader gets it.
    note: Option<String>,
    /// Occurrences in its rows, together.
    count: Option<u64>,
    /// How many of them were late.
    late: Option<u64>,
    /// How many rows it has.
    rows: Option<usize>,
    /// Where it stands in the end, where it was not delivered.
    state: Option<String>,
}

/// A notice that came, or is in the outbox and did not leave it.
#[derive(Debug, Clone)]
pub(super) struct Came {
    pub(super) intent: Intent,
    /// When it was delivered, milliseconds since the start.
    pub(super) sent_ms: Option<i64>,
}

impl Expected {
    /// The times at which one of them is decided, milliseconds since the start.
    pub(super) fn times(&self) -> Result<Vec<i64>> {
        let at_ms = duration(&self.at)?;
        let every_ms = self.every.as_deref().map_or(Ok(0), duration)?;
        Ok((0..i64::from(self.repeat.unwrap_or(1))).map(|n| at_ms + n * every_ms).collect())
    }

    /// Whether `came` is the one that was to be decided at `at_ms` since the start.
    pub(super) fn fits(&self, came: &Came, at_ms: i64, start_ms: i64) -> Result<bool> {
        let intent = &came.intent;
        let notice = &intent.notice;
        let is_noted = |part: &String| {
            notice.because.contains(part) || notice.notes.iter().any(|note| note.contains(part))
        };
        let sent_ms = self.sent.as_deref().map(duration).transpose()?;
        let is_in_place = match &self.state {
            Some(state) => came.sent_ms.is_none() && word(&intent.state) == *state,
            None => came.sent_ms.is_some() && sent_ms.is_none_or(|wanted| came.sent_ms == Some(wanted)),
        };
        Ok(is_in_place
            && intent.created_ms == start_ms + at_ms
            && intent.destination == Destination::named(&self.to)
            && self.lane.as_ref().is_none_or(|lane| intent.lane.as_str() == lane)
            && self.kind.as_ref().is_none_or(|wanted| word(&intent.kind) == *wanted)
            && self.title.as_ref().is_none_or(|part| notice.title.contains(part))
            && self.note.as_ref().is_none_or(is_noted)
            && self.count.is_none_or(|wanted| wanted == count(intent))
            && self.late.is_none_or(|wanted| wanted == late(intent))
            && self.rows.is_none_or(|wanted| wanted == notice.rows.len()))
    }

    pub(super) fn shown(&self, at_ms: i64, start_ms: i64) -> String {
        let Expected { to, sent, lane, kind, title, note, count, late, rows, state, .. } = self;
        let mut words = vec![format!("{} ({}) to {to}", since(at_ms), clock(start_ms + at_ms))];
        words.extend(sent.iter().map(|sent| format!("sent at {sent}")));
        words.extend(lane.iter().chain(kind).chain(state).cloned());
        words.extend(title.iter().map(|title| format!("title with {title:?}")));
        words.extend(note.iter().map(|note| format!("note with {note:?}")));
        words.extend(count.iter().map(|count| format!("count {count}")));
        words.extend(late.iter().map(|late| format!("late {late}")));
        words.extend(rows.iter().map(|rows| format!("rows {rows}")));
        words.join(", ")
    }
}

impl Came {
    /// It in one line, with its times since the start.
    pub(super) fn shown(&self, start_ms: i64) -> String {
        let intent = &self.intent;
        let notice = &intent.notice;
        let decided_ms = intent.created_ms - start_ms;
        let sent = match self.sent_ms {
            Some(sent_ms) if sent_ms > decided_ms => format!(", sent at {}", since(sent_ms)),
            _ => String::new(),
        };
        let state = if self.sent_ms.is_none() { format!(", {}", word(&intent.state)) } else { String::new() };
        format!(
            "{} ({}) to {}{sent}{state}, {}, {}, title {:?}, because {:?}, notes {:?}, count {}, rows {}",
            since(decided_ms),
            clock(intent.created_ms),
            intent.destination.name(),
            intent.lane.as_str(),
            word(&intent.kind),
            notice.title,
            notice.because,
            notice.notes,
            count(intent),
            notice.rows.len(),
        )
    }

    /// Whether it says why it was not delivered: an expectation may ask for it, and no more.
    pub(super) fn is_left(&self) -> bool {
        self.sent_ms.is_none() && self.intent.state != State::Sent
    }
}

/// A time since the start as it is written in files.
fn since(at_ms: i64) -> String {
    format!("{:#}", SignedDuration::from_millis(at_ms)).replace(' ', "")
}

fn count(intent: &Intent) -> u64 {
    intent.notice.rows.iter().map(|row| row.evidence.count).sum()
}

fn late(intent: &Intent) -> u64 {
    intent.notice.rows.iter().map(|row| row.evidence.late).sum()
}

/// The word that stands for a value in files.
fn word(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).expect("a word is JSON");
    value.as_str().unwrap_or_default().to_owned()
}
