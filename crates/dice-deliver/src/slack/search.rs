//! Whether a notice has arrived of which no answer told it.

use std::time::Duration;

use dice_route::Outcome;
use serde_json::Value;

use super::Slack;
use super::client::Failure;
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

impl Slack {
    /// Looks for the notice where it would be: in the thread it follows, and in its channel.
    pub(super) async fn look_for(&self, parcel: &Parcel) -> Found {
        let Some(since_ms) = parcel.unsure_since_ms else { return Found::Absent };
        let started_ms = parcel.intent.passage.started_ms.map(|started_ms| started_ms.max(since_ms));
        let latest_ms = started_ms.map(|started_ms| started_ms.saturating_add(AFTER_MS));
        let search = self.search(parcel, since_ms.saturating_sub(BEFORE_MS), latest_ms);
        match tokio::time::timeout(Duration::from_millis(DEADLINE_MS), search).await {
            Ok(found) => found,
            Err(_) => {
                let why = "reading the channel's history took too long".to_owned();
                Found::Failed(Outcome::Deferred(10_000, why))
            }
        }
    }

    async fn search(&self, parcel: &Parcel, oldest_ms: i64, latest_ms: Option<i64>) -> Found {
        let stamp = |at_ms: i64| format!("{}.{:03}000", at_ms.max(0) / 1000, at_ms.max(0) % 1000);
        let (oldest, latest) = (stamp(oldest_ms), latest_ms.map(stamp));
        let within = (oldest.as_str(), latest.as_deref());
        let intent = &name(&parcel.intent);
        let first = self.first(parcel);
        let channel = match &first {
            Some(first) => first.channel.clone(),
            None => match self.place(&parcel.intent.destination, parcel.now_ms).await {
                Ok(channel) => channel,
                Err(Outcome::Refused(why)) => return Found::Unknowable(why),
                Err(outcome) => return Found::Failed(outcome),
            },
        };
        let mut places = vec![("conversations.history", None)];
        if let Some(first) = &first {
            places.insert(0, ("conversations.replies", Some(first.ts.as_str())));
        }
        for (method, thread) in places {
            match self.pages(method, &channel, thread, within, intent).await {
                Ok(Some((ts, is_own, of))) => {
                    let found = Reference { channel, ts }.to_string();
                    // It was told anew because the first was gone, and the answer to that was lost.
                    if let Some(first) = first.as_ref().filter(|_| is_own) {
                        self.book(|book| book.moved(&first.to_string(), &found));
                    }
                    return match told(&of, found.clone()) {
                        Some((_, Outcome::Partly(part))) => Found::Part(part),
                        _ => Found::There(found),
                    };
                }
                Ok(None) => {}
                // The thread's beginning is gone: what was told instead is in the channel.
                Err(failure) if thread.is_some() && failure.is("thread_not_found") => {}
                Err(failure @ Failure::Limited(..)) => return Found::Failed(failure.of_writing()),
                Err(failure) => {
                    return match failure.of_reading("cannot read the channel's history") {
                        Outcome::Refused(why) => Found::Unknowable(why),
                        Outcome::Deferred(_, why) if failure.is_scope() => Found::Unknowable(why),
                        outcome => Found::Failed(outcome),
                    };
                }
            }
        }
        Found::Absent
    }

    /// The time stamp of the message that carries the intent's name, whether it stands by itself rather than in a
    /// thread, and what its metadata says.
    async fn pages(
        &self,
        method: &str,
        channel: &str,
        thread: Option<&str>,
        (oldest, latest): (&str, Option<&str>),
        intent: &str,
    ) -> Result<Option<(String, bool, Value)>, Failure> {
        let mut cursor: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let mut fields = vec![
                ("channel", channel),
                ("oldest", oldest),
                ("inclusive", "true"),
                ("include_all_metadata", "true"),
                ("limit", PAGE),
            ];
            fields.extend(latest.map(|latest| ("latest", latest)));
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

/// Whether a message carries the name of this intent.
pub(super) fn is_of(message: &Value, intent: &str) -> bool {
    let metadata = &message["metadata"];
    metadata["event_type"] == EVENT_TYPE && metadata["event_payload"]["intent"] == intent
}
