//! PagerDuty: events out, and what people do there back in.
//!
//! Every episode is an alert of its own there, under one key for ever, so that whoever sends the same event
//! again changes nothing. Source: PagerDuty Events API v2 and Webhooks v3.

mod event;
mod incoming;

use std::time::Duration;

use dice_route::address::public;
use dice_route::{Outcome, Reach};
use futures_util::future::join_all;
use reqwest::Client;
use serde::Deserialize;

use crate::call::{self, LATER_MS, Proxy};
use crate::{Answer, Courier, Found, Parcel};

pub use event::{Action, Event, Link, MAX_EVENT_BYTES, Payload, dedup_key, events};
pub use incoming::{Incoming, NotObeyed, PagerChange, incoming};

/// Where events go when nothing else is said.
pub const EVENTS_URL: &str = "https://events.pagerduty.com/v2/enqueue";

/// The time for one event, milliseconds.
const DEADLINE_MS: u64 = 10_000;

/// The time for all events of a notice, milliseconds.
const TOGETHER_MS: u64 = 30_000;

/// Events that are on their way together: one after the other, those of a large notice would take longer than
/// an attempt may.
const TOGETHER: usize = 5;

/// What is known of one integration.
#[derive(Clone, PartialEq, Eq)]
pub struct PagerDutySettings {
    /// The integration's routing key: a secret.
    pub routing_key: String,
    /// Where events go: [`EVENTS_URL`] or the one of another region.
    pub url: String,
    /// What the events come from, for the reader, where a notice knows no host.
    pub source: String,
    /// Where readers reach Dice's pages, without a slash at the end.
    pub pages: Option<String>,
    /// By which way.
    pub proxy: Proxy,
}

/// Events to one integration.
pub struct PagerDuty {
    settings: PagerDutySettings,
    client: Client,
}

impl PagerDuty {
    /// The courier of one integration.
    ///
    /// # Errors
    ///
    /// When the routing key cannot be one, or the address is none.
    pub fn new(settings: PagerDutySettings) -> Result<PagerDuty, String> {
        if settings.routing_key.is_empty()
            || !settings.routing_key.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            return Err("the routing key is empty or has other than letters and digits".to_owned());
        }
        reqwest::Url::parse(&settings.url)
            .map_err(|err| format!("{} is no address: {err}", public(&settings.url)))?;
        let client = call::client(DEADLINE_MS, &settings.proxy, None)?;
        Ok(PagerDuty { settings, client })
    }

    async fn enqueue(&self, event: &Event, now_ms: i64) -> Outcome {
        let body = serde_json::to_vec(event).expect("an event is JSON");
        let request =
            self.client.post(&self.settings.url).header("content-type", "application/json").body(body);
        let reply = match call::send(request).await {
            Ok(reply) => reply,
            Err(outcome) => return outcome,
        };
        let Said { dedup_key, errors } = serde_json::from_slice(&reply.body).unwrap_or_default();
        match reply.status {
            200..=202 => Outcome::Delivered(dedup_key.unwrap_or_else(|| event.dedup_key.clone())),
            // An integration that is gone or mistyped is found out by its key; nothing else will arrive.
            400 if errors.iter().any(|error| names_the_key(error)) => Outcome::Denied(reply.words()),
            _ => reply.failure(Reach::Account, now_ms),
        }
    }

    async fn send(&self, parcel: &Parcel) -> Outcome {
        let mut delivered = None;
        let mut refused = None;
        for some in events(&self.settings, parcel).chunks(TOGETHER) {
            let mut others = Vec::new();
            for outcome in join_all(some.iter().map(|event| self.enqueue(event, parcel.now_ms))).await {
                match outcome {
                    Outcome::Delivered(key) => delivered = delivered.or(Some(key)),
                    // The others are told all the same.
                    Outcome::Refused(why) => refused = refused.or(Some(why)),
                    other => others.push(other),
                }
            }
            // All of them are sent again; for those that arrived it changes nothing. One that may still arrive
            // says more than one that will not.
            let at = others.iter().position(|outcome| matches!(outcome, Outcome::Ambiguous(_)));
            if !others.is_empty() {
                return others.swap_remove(at.unwrap_or(0));
            }
        }
        match (refused, delivered) {
            (Some(why), _) => Outcome::Refused(why),
            (None, Some(key)) => Outcome::Delivered(key),
            (None, None) => Outcome::Later(LATER_MS, "there was nothing to tell".to_owned()),
        }
    }
}

impl Courier for PagerDuty {
    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answer<'a, Outcome> {
        Box::pin(async move {
            let sent = tokio::time::timeout(Duration::from_millis(TOGETHER_MS), self.send(parcel)).await;
            sent.unwrap_or_else(|_| Outcome::Ambiguous("not all of it was answered in time".to_owned()))
        })
    }

    /// Says at once that it is not there: nobody can look, and nobody has to. The same event again changes
    /// nothing there, so it is always right to send it again; the caller waits between.
    fn find<'a>(&'a self, _: &'a Parcel) -> Answer<'a, Found> {
        Box::pin(std::future::ready(Found::Absent))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Said {
    dedup_key: Option<String>,
    errors: Vec<String>,
}

fn names_the_key(error: &str) -> bool {
    let error = error.to_ascii_lowercase();
    error.contains("routing_key") || error.contains("routing key") || error.contains("service key")
}
