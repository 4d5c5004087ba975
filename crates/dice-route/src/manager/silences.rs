//! Whatever the matchers say is hidden between two times.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::matchers::{Labels, Matchers, expression, written};
use super::{Desk, Preview, Roster, refusal, wording};
use crate::book::{Book, Delta, Row, Table};
use crate::config::{Matcher, MatcherOp};
use crate::{Act, Answer, Cause, Command, Destination};

/// The longest time from a silence's beginning to its end.
const MAX_SPAN_MS: i64 = 30 * 24 * 3_600_000;

/// Silences that are pending or active at once.
const MAX_ACTIVE: usize = 1_000;

/// Bytes of a silence as it is written.
const MAX_BYTES: usize = 64 * 1024;

/// Versions of one silence that are kept.
const MAX_VERSIONS: usize = 50;

/// Versions of silences that are over are kept this long.
const KEPT_MS: i64 = 30 * 24 * 3_600_000;

/// A version of a silence. Editing makes another version under the same id; the old one stays as history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Name and version.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Which version, from 1.
    pub version: u32,
    /// What is hidden: all of these must hold.
    pub matchers: Vec<Matcher>,
    /// From when, milliseconds since 1970.
    pub starts_ms: i64,
    /// Until when, milliseconds since 1970.
    pub ends_ms: i64,
    /// Who.
    pub created_by: String,
    /// When this version was made, milliseconds since 1970.
    pub created_ms: i64,
    /// Why.
    pub comment: String,
    /// Only for this destination.
    pub receiver: Option<String>,
    /// Whether what is still open at its end is told then.
    pub notify_on_expiry: bool,
    /// Another version took its place.
    pub is_replaced: bool,
}

impl Row for Silence {
    const TABLE: Table = Table::Silences;

    fn id(&self) -> &str {
        &self.id
    }
}

/// Where a silence stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SilenceState {
    /// It has not begun.
    Pending,
    /// It hides.
    Active,
    /// It is over.
    Expired,
}

impl SilenceState {
    /// The word used in output.
    pub fn as_str(self) -> &'static str {
        match self {
            SilenceState::Pending => "pending",
            SilenceState::Active => "active",
            SilenceState::Expired => "expired",
        }
    }
}

impl Silence {
    /// Where it stands at `now_ms`.
    pub fn state(&self, now_ms: i64) -> SilenceState {
        if now_ms < self.starts_ms {
            SilenceState::Pending
        } else if now_ms < self.ends_ms {
            SilenceState::Active
        } else {
            SilenceState::Expired
        }
    }
}

/// The silences, every version of them.
#[derive(Debug, Clone, Default)]
pub struct Silences {
    book: Book<Silence>,
    /// The version that counts of each silence that is not over.
    current: BTreeMap<String, (String, Matchers)>,
    roster: Arc<Roster>,
}

impl Silences {
    /// Takes another roster.
    pub fn configure(&mut self, roster: &Arc<Roster>) {
        self.roster = roster.clone();
    }

    /// The silence that hides what has these labels from `destination`.
    pub fn hides(&self, labels: &Labels, destination: &Destination, now_ms: i64) -> Option<String> {
        let hides = |current: &&(String, Matchers)| self.covers(current, labels, destination, now_ms);
        let (row, _) = self.current.values().find(hides)?;
        self.book.get(row).map(|silence| silence.name.clone())
    }

    /// Whether a silence that hid what has these labels from `destination` does so still.
    pub fn still_hides(&self, id: &str, labels: &Labels, destination: &Destination, now_ms: i64) -> bool {
        self.current.get(id).is_some_and(|current| self.covers(current, labels, destination, now_ms))
    }

    fn covers(
        &self,
        (row, matchers): &(String, Matchers),
        labels: &Labels,
        destination: &Destination,
        now_ms: i64,
    ) -> bool {
        let Some(silence) = self.book.get(row) else { return false };
        silence.state(now_ms) == SilenceState::Active
            && silence.receiver.as_deref().is_none_or(|only| self.roster.is_called(destination, only))
            && matchers.hold(labels)
    }

    /// The latest version of a silence.
    pub fn get(&self, id: &str) -> Option<&Silence> {
        match self.current.get(id) {
            Some((row, _)) => self.book.get(row),
            None => self.versions(id).last(),
        }
    }

    /// Every version of a silence, oldest first.
    pub fn versions(&self, id: &str) -> impl Iterator<Item = &Silence> {
        self.book.iter().filter(move |silence| silence.name == id)
    }

    /// Every version of every silence.
    pub fn iter(&self) -> impl Iterator<Item = &Silence> {
        self.book.iter()
    }

    /// Does what a command says; `None` when it is not about silences. `preview` tells what matchers hide.
    pub fn command(
        &mut self,
        command: &Command,
        desk: &mut Desk<'_>,
        preview: impl FnOnce(&Matchers, Option<&str>) -> Preview,
    ) -> Option<Answer> {
        match &command.act {
            Act::Silence { .. } => Some(self.silence(command, desk, preview)),
            Act::Unsilence { id } => Some(self.end(command, id, desk)),
            _ => None,
        }
    }

    fn silence(
        &mut self,
        command: &Command,
        desk: &mut Desk<'_>,
        preview: impl FnOnce(&Matchers, Option<&str>) -> Preview,
    ) -> Answer {
        let Act::Silence {
            id,
            matchers,
            starts_ms,
            ends_ms,
            comment,
            receiver,
            notify_on_expiry,
            preview: only_preview,
        } = &command.act
        else {
            return refusal("wanted a silence");
        };
        if let Err(problem) = self.checked(id.as_deref(), matchers, *starts_ms, *ends_ms, comment, desk) {
            return refusal(&problem);
        }
        let compiled = Matchers::new(matchers);
        let seen = preview(&compiled, receiver.as_deref());
        if *only_preview {
            return answer("preview", &seen, None);
        }
        let before = id.as_deref().and_then(|id| self.get(id)).cloned();
        let id =
            id.clone().unwrap_or_else(|| crate::name(&[b"silence", command.id.as_bytes()])[..12].to_owned());
        let version = before.as_ref().map_or(1, |before| before.version + 1);
        let silence = Silence {
            id: row_of(&id, version),
            name: id.clone(),
            version,
            matchers: matchers.clone(),
            starts_ms: *starts_ms,
            ends_ms: *ends_ms,
            created_by: command.actor.clone(),
            created_ms: desk.now_ms,
            comment: comment.clone(),
            receiver: receiver.clone(),
            notify_on_expiry: *notify_on_expiry,
            is_replaced: false,
        };
        if serde_json::to_string(&silence).map_or(0, |body| body.len()) > MAX_BYTES {
            return refusal("a silence may have 64 KB at most");
        }
        if let Some(before) = before.and_then(|before| self.book.get_mut(&before.id)) {
            before.is_replaced = true;
        }
        let written: Vec<String> = matchers.iter().map(written).collect();
        let text = format!("silence of {} ({comment})", written.join(" "));
        desk.records.note(desk.now_ms, Cause::Command, &id, &command.actor, &text);
        self.current.insert(id.clone(), (silence.id.clone(), compiled));
        let stands = silence.state(desk.now_ms);
        self.book.put(silence);
        let versions: Vec<String> = self.versions(&id).map(|silence| silence.id.clone()).collect();
        for old in versions.iter().rev().skip(MAX_VERSIONS) {
            self.book.remove(old);
        }
        let mut answer = answer(stands.as_str(), &seen, Some((&id, version)));
        answer.text = format!("Silence {id} is {}. {}", stands.as_str(), answer.text);
        answer
    }

    fn checked(
        &self,
        id: Option<&str>,
        matchers: &[Matcher],
        starts_ms: i64,
        ends_ms: i64,
        comment: &str,
        desk: &Desk<'_>,
    ) -> Result<(), String> {
        if let Some(id) = id
            && self.get(id).is_none_or(|known| known.state(desk.now_ms) == SilenceState::Expired)
        {
            return Err(format!("wanted a silence that is not over, found {id}"));
        }
        if matchers.is_empty() || matchers.iter().all(is_met_by_nothing) {
            return Err("wanted a matcher that does not hold for everything".to_owned());
        }
        let asks = |matcher: &&Matcher| matches!(matcher.op, MatcherOp::Matches | MatcherOp::MatchesNot);
        if let Some(bad) = matchers.iter().filter(asks).find(|each| expression(&each.value).is_none()) {
            return Err(format!("wanted an expression that compiles, found {}", written(bad)));
        }
        if comment.trim().is_empty() {
            return Err("wanted a comment that says why".to_owned());
        }
        if ends_ms <= starts_ms || ends_ms <= desk.now_ms {
            return Err("wanted an end after the beginning and after now".to_owned());
        }
        if ends_ms.saturating_sub(starts_ms.max(desk.now_ms)) > MAX_SPAN_MS {
            return Err("wanted an end within 30 days".to_owned());
        }
        let lasts = |(row, _): &&(String, Matchers)| {
            self.book.get(row).is_some_and(|known| known.state(desk.now_ms) != SilenceState::Expired)
        };
        if id.is_none() && self.current.values().filter(lasts).count() >= MAX_ACTIVE {
            return Err("there are 1000 silences already".to_owned());
        }
        Ok(())
    }

    fn end(&mut self, command: &Command, id: &str, desk: &mut Desk<'_>) -> Answer {
        let lasts = |silence: &&Silence| silence.state(desk.now_ms) != SilenceState::Expired;
        let Some(row) = self.get(id).filter(lasts).map(|silence| silence.id.clone()) else {
            return refusal(&format!("wanted a silence that is not over, found {id}"));
        };
        if let Some(silence) = self.book.get_mut(&row) {
            silence.ends_ms = desk.now_ms;
            silence.starts_ms = silence.starts_ms.min(desk.now_ms);
        }
        desk.records.note(desk.now_ms, Cause::Command, id, &command.actor, "silence ended");
        self.current.remove(id);
        Answer { is_done: true, text: format!("Silence {id} is over."), body: json!({ "silence": id }) }
    }

    /// Lets go of what is over.
    pub fn tick(&mut self, now_ms: i64) {
        let book = &self.book;
        self.current.retain(|_, (row, _)| {
            book.get(row).is_some_and(|silence| silence.state(now_ms) != SilenceState::Expired)
        });
    }

    /// Forgets versions that have long been over.
    pub fn sweep(&mut self, now_ms: i64) {
        let old = |silence: &&Silence| silence.ends_ms.max(silence.created_ms) < now_ms - KEPT_MS;
        let old: Vec<String> = self.book.iter().filter(old).map(|silence| silence.id.clone()).collect();
        for row in old {
            self.book.remove(&row);
        }
    }

    /// Appends what has changed.
    pub fn deltas(&mut self, out: &mut Vec<Delta>) {
        self.book.deltas(out);
    }

    /// Puts in a row as it was written.
    pub fn restore(&mut self, row: &str, body: &str) -> Result<(), String> {
        self.book.restore(row, body)?;
        if let Some(silence) = self.book.get(row)
            && !silence.is_replaced
        {
            let compiled = Matchers::new(&silence.matchers);
            self.current.insert(silence.name.clone(), (row.to_owned(), compiled));
        }
        Ok(())
    }
}

/// Version numbers in fixed width, so that rows stand in the order of their versions.
fn row_of(id: &str, version: u32) -> String {
    format!("{id}/{version:06}")
}

/// A matcher that even a thing without labels meets says nothing about what is meant.
fn is_met_by_nothing(matcher: &Matcher) -> bool {
    Matchers::new(std::slice::from_ref(matcher)).hold(&Labels::new())
}

fn answer(state: &str, seen: &Preview, silence: Option<(&str, u32)>) -> Answer {
    let hides = match seen.open.len() {
        0 => "It hides nothing that goes on now".to_owned(),
        n => format!(
            "It hides {} that {} on now",
            wording::counted(n as u64, "thing", "things"),
            if n == 1 { "goes" } else { "go" }
        ),
    };
    let mut text = format!("{hides}; of the last 7 days it would have hidden {}.", seen.recent.len());
    if seen.is_too_broad() {
        text.push_str(&format!(
            " That is broad: {} of {} routes could see something that it hides.",
            seen.routes_met, seen.routes
        ));
    }
    let body = json!({
        "state": state,
        "silence": silence.map(|(id, _)| id),
        "version": silence.map(|(_, version)| version),
        "open": seen.open.iter().take(20).collect::<Vec<_>>(),
        "open_count": seen.open.len(),
        "recent": seen.recent.iter().take(20).collect::<Vec<_>>(),
        "recent_count": seen.recent.len(),
        "routes": seen.routes,
        "routes_met": seen.routes_met,
        "too_broad": seen.is_too_broad(),
    });
    Answer { is_done: true, text, body }
}
