//! Whether a notice has arrived of which no answer told it.

use std::time::Duration;

use dice_route::Outcome;
use serde_json::Value;

use super::Slack;
use super::client::Failure;
use super::code::Meaning;
use super::courier::{EVENT_TYPE, name, told};
use super::reference::Reference;
use crate::{Found, Parcel};

/// Clocks differ, and an attempt is written down before it is made.
const BEFORE_MS: i64 = 120_000;

/// What was sent is there this much later at the latest, whatever the clocks say: what was written long after
/// the last attempt is not read.
const AFTER_MS: i64 = 300_000;

/// Messages of one call.
const PAGE: &str = "200";

/// Calls for one place.
const MAX_PAGES: usize = 50;

/// Nobody waits longer, milliseconds.
const DEADLINE_MS: u64 = 30_000;

/// From when until when a message may have been written, as time stamps.
struct Span {
    oldest: String,
    latest: Option<String>,
}

impl Span {
    /// `None` where no attempt can have arrived.
    fn of(parcel: &Parcel) -> Option<Span> {
        let since_ms = parcel.unsure_since_ms?;
        let started_ms = parcel.intent.passage.started_ms.map(|started_ms| started_ms.max(since_ms));
        let latest_ms = started_ms.map(|started_ms| started_ms.saturating_add(AFTER_MS));
        let stamp = |at_ms: i64| format!("{}.{:03}000", at_ms.max(0) / 1000, at_ms.max(0) % 1000);
        Some(Span { oldest: stamp(since_ms.saturating_sub(BEFORE_MS)), latest: latest_ms.map(stamp) })
    }
}

impl Slack {
    /// Looks for the notice where it would be: in the thread it follows, in that channel, and where its
    /// destination is another channel today, in that one.
    pub(super) async fn look_for(&self, parcel: &Parcel) -> Found {
        match Span::of(parcel) {
            Some(span) => in_time(self.search(parcel, &span)).await,
            None => Found::Absent,
        }
    }

    /// Looks for the notice in a channel.
    pub(super) async fn look_in(&self, parcel: &Parcel, channel: &str) -> Found {
        let Some(span) = Span::of(parcel) else { return Found::Absent };
        let search = self.search_channel(parcel, channel, None, &span);
        in_time(async { search.await.unwrap_or_else(unread) }).await
    }

    async fn search(&self, parcel: &Parcel, span: &Span) -> Found {
        let destination = &parcel.intent.destination;
        let first = self.first(parcel);
        let today = self.place(destination, parcel.now_ms).await;
        let channel = match (&first, &today) {
            (Some(first), _) => &first.channel,
            (None, Ok(channel)) => channel,
            (None, Err(Outcome::Refused(why))) => return Found::Unknowable(why.clone()),
            (None, Err(outcome)) => return Found::Failed(outcome.clone()),
        };
        let thread = first.as_ref().map(|first| first.ts.as_str());
        let found = self.search_channel(parcel, channel, thread, span).await;
        let other = match &found {
            Ok(Found::Absent) => today.clone(),
            Err(failure) if matches!(failure.meaning(), Some(Meaning::Lost(_))) => {
                self.forget(destination);
                self.place(destination, parcel.now_ms).await
            }
            _ => return found.unwrap_or_else(unread),
        };
        match other {
            Ok(other) if other != *channel => {
                self.search_channel(parcel, &other, None, span).await.unwrap_or_else(unread)
            }
            Ok(_) | Err(Outcome::Refused(_)) => found.unwrap_or_else(unread),
            Err(outcome) => Found::Failed(outcome),
        }
    }

    /// Looks for the notice in a thread and its channel.
    async fn search_channel(
        &self,
        parcel: &Parcel,
        channel: &str,
        thread: Option<&str>,
        span: &Span,
    ) -> Result<Found, Failure> {
        let name = name(&parcel.intent);
        let mut places = vec![("conversations.history", None)];
        if thread.is_some() {
            places.insert(0, ("conversations.replies", thread));
        }
        for (method, thread) in places {
            match self.pages(method, channel, thread, span, &name).await {
                Ok(Some((ts, is_own, of))) => {
                    let found = Reference { channel: channel.to_owned(), ts }.to_string();
                    // It was told anew because the first was gone, and the answer to that was lost.
                    if let Some(first) = self.first(parcel).filter(|_| is_own) {
                        self.book(|book| book.moved(&first.to_string(), &found));
                    }
                    return Ok(match told(&of, found.clone()) {
                        Some((_, Outcome::Partly(part))) => Found::Part(part),
                        _ => Found::There(found),
                    });
                }
                Ok(None) => {}
                // The thread's beginning is gone: what was told instead is in the channel.
                Err(failure) if thread.is_some() && failure.is("thread_not_found") => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(Found::Absent)
    }

    /// The time stamp of the message that carries the intent's name, whether it stands by itself rather than in a
    /// thread, and what its metadata says.
    async fn pages(
        &self,
        method: &str,
        channel: &str,
        thread: Option<&str>,
        span: &Span,
        intent: &str,
    ) -> Result<Option<(String, bool, Value)>, Failure> {
        let mut cursor: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let mut fields = vec![
                ("channel", channel),
                ("oldest", &span.oldest),
                ("inclusive", "true"),
                ("include_all_metadata", "true"),
                ("limit", PAGE),
            ];
            fields.extend(span.latest.as_deref().map(|latest| ("latest", latest)));
            fields.extend(thread.map(|ts| ("ts", ts)));
            fields.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let reply = self.read(method, &fields).await?;
            let messages = reply.value["messages"].as_array();
            for found in messages.into_iter().flatten().filter(|message| is_of(message, intent)) {
                let Some(ts) = found["ts"].as_str() else { continue };
                // Anybody can write metadata: another Dice, or somebody who wants a notice not to arrive.
                let (bot, by) = (self.home().await?.bot, found["bot_id"].as_str());
                if !bot.is_empty() && by.is_some_and(|by| by != bot) {
                    continue;
                }
                let is_own = found["thread_ts"].is_null() || found["thread_ts"] == ts;
                return Ok(Some((ts.to_owned(), is_own, found["metadata"]["event_payload"].clone())));
            }
            cursor = reply.cursor();
            if cursor.is_none() {
                return Ok(None);
            }
        }
        Err(Failure::Code { code: "too_much_history".to_owned(), detail: String::new() })
    }
}

async fn in_time(search: impl Future<Output = Found>) -> Found {
    let limit = Duration::from_millis(DEADLINE_MS);
    tokio::time::timeout(limit, search).await.unwrap_or_else(|_| {
        Found::Failed(Outcome::Deferred(10_000, "reading the channel's history took too long".to_owned()))
    })
}

/// What a history that could not be read says of a notice.
fn unread(failure: Failure) -> Found {
    if matches!(failure, Failure::Limited(..)) {
        return Found::Failed(failure.of_writing());
    }
    match failure.of_reading("cannot read the channel's history") {
        Outcome::Refused(why) => Found::Unknowable(why),
        Outcome::Deferred(_, why) if failure.is_scope() => Found::Unknowable(why),
        outcome => Found::Failed(outcome),
    }
}

/// Whether a message carries the name of this intent.
pub(super) fn is_of(message: &Value, intent: &str) -> bool {
    let metadata = &message["metadata"];
    metadata["event_type"] == EVENT_TYPE && metadata["event_payload"]["intent"] == intent
}
