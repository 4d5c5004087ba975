//! One attempt to tell a notice.

use std::time::Duration;

use dice_route::{Destination, Intent, Lane, NoticeKind, Outcome, Part, Severity};
use serde_json::{Value, json};

use super::client::{CALL_MS, Failure};
use super::code::Meaning;
use super::message::{Message, Rung, compose};
use super::reference::Reference;
use super::sheet::Sheet;
use super::{Slack, digest};
use crate::{Answer, Courier, Found, Parcel};

/// Looking up where a notice goes takes at most this long.
const PREPARE_MS: u64 = 8_000;

/// Attempts to tell one notice in one form or another, each of which Slack refused for certain.
const MAX_CALLS: usize = 4;

/// What is called with a message.
#[derive(Debug, Clone)]
enum Way {
    /// A message of its own.
    Post(String),
    /// Changes a message.
    Update(Reference),
    /// An answer in a message's thread, shown in the channel too or not.
    Reply(Reference, bool),
}

impl Courier for Slack {
    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answer<'a, Outcome> {
        Box::pin(self.tell(parcel))
    }

    fn find<'a>(&'a self, parcel: &'a Parcel) -> Answer<'a, Found> {
        Box::pin(self.look_for(parcel))
    }
}

impl Slack {
    /// No attempt takes longer, milliseconds.
    pub const DEADLINE_MS: u64 = PREPARE_MS + 2 * CALL_MS;

    async fn tell(&self, parcel: &Parcel) -> Outcome {
        // Each call has its own deadline. This one is for those that follow each other; whatever of the
        // notice's own calls is cut off by it may have arrived.
        let deadline = Duration::from_millis(Slack::DEADLINE_MS);
        let attempt = tokio::time::timeout(deadline, self.attempt(parcel)).await;
        attempt.unwrap_or_else(|_| Outcome::Ambiguous("several calls took too long together".to_owned()))
    }

    async fn attempt(&self, parcel: &Parcel) -> Outcome {
        let intent = &parcel.intent;
        let first = self.first(parcel);
        let way = match first.clone() {
            None => match self.prepared(&intent.destination, parcel.now_ms).await {
                Ok(channel) => Way::Post(channel),
                Err(outcome) => return outcome,
            },
            Some(first) => match intent.kind {
                NoticeKind::Update => Way::Update(first),
                NoticeKind::Resolved => {
                    match self.send(parcel, Way::Update(first.clone()), Some(&first)).await {
                        // What was open is shown as over where it was told; and whoever saw it there hears of it.
                        Outcome::Delivered(reference) if reference == first.to_string() => {
                            Way::Reply(first, false)
                        }
                        // It is a limit on changing messages, and this one is new: others are told meanwhile.
                        Outcome::Limited(wait_ms, _, why) => return Outcome::Deferred(wait_ms, why),
                        other => return other,
                    }
                }
                _ => Way::Reply(first, wakes(intent)),
            },
        };
        self.send(parcel, way, first.as_ref()).await
    }

    /// The first notice about the subject, where it stands now.
    pub(super) fn first(&self, parcel: &Parcel) -> Option<Reference> {
        let first = parcel.first.as_ref()?;
        self.book(|book| book.today(first)).parse().ok()
    }

    async fn prepared(&self, destination: &Destination, now_ms: i64) -> Result<String, Outcome> {
        let limit = Duration::from_millis(PREPARE_MS);
        let place = tokio::time::timeout(limit, self.place(destination, now_ms)).await;
        place.unwrap_or_else(|_| {
            Err(Outcome::Deferred(1_000, format!("looking up {} took too long", destination.name())))
        })
    }

    /// Sends in one way; in another where Slack says that it takes that one.
    async fn send(&self, parcel: &Parcel, way: Way, first: Option<&Reference>) -> Outcome {
        let mut parcel = parcel.clone();
        let (mut way, mut rung, mut is_looked_up) = (way, Rung::Full, false);
        let mut last = Outcome::Refused("Slack takes it in no form".to_owned());
        for _ in 0..MAX_CALLS {
            let message = compose(&parcel, self.settings.seal.as_ref(), rung);
            let failure = match self.call(&parcel, &way, &message).await {
                Ok(reference) => return self.arrived(&parcel, &way, first, reference, &message),
                Err(failure) => failure,
            };
            last = failure.of_writing();
            way = match (failure.meaning(), way) {
                (Some(Meaning::Shorter), way) if rung < Rung::Plain => {
                    rung = Rung::Plain;
                    way
                }
                (Some(Meaning::Thread), Way::Reply(first, true)) => Way::Reply(first, false),
                (Some(Meaning::Thread), Way::Update(first)) => {
                    if let Some(outcome) = told_otherwise(self.look_for(&parcel).await, &mut parcel) {
                        return outcome;
                    }
                    Way::Reply(first, false)
                }
                (Some(Meaning::Anew), Way::Update(first) | Way::Reply(first, _)) => {
                    if let Some(outcome) = told_otherwise(self.look_for(&parcel).await, &mut parcel) {
                        return outcome;
                    }
                    Way::Post(first.channel)
                }
                (Some(Meaning::Lost(_)), way) if !is_looked_up => {
                    is_looked_up = true;
                    let other = match self.moved(&parcel, &way).await {
                        Ok(Some(other)) => other,
                        Ok(None) => return last,
                        Err(outcome) => return outcome,
                    };
                    // There an attempt may have told it whose answer was lost: what the name means is not
                    // remembered before the end of a call.
                    if let Some(outcome) = told_otherwise(self.look_in(&parcel, &other).await, &mut parcel) {
                        return outcome;
                    }
                    Way::Post(other)
                }
                _ => return last,
            };
        }
        last
    }

    /// The channel that the destination means now, where that is not the one that Slack did not take a call
    /// for; `None` where it is the same as before, or nothing: Slack's own word says more.
    async fn moved(&self, parcel: &Parcel, way: &Way) -> Result<Option<String>, Outcome> {
        let destination = &parcel.intent.destination;
        let is_forgotten = self.forget(destination);
        let known = match way {
            Way::Post(_) if !is_forgotten => return Ok(None),
            Way::Post(channel) => channel,
            Way::Update(first) | Way::Reply(first, _) => &first.channel,
        };
        match self.prepared(destination, parcel.now_ms).await {
            Ok(other) if other != *known => Ok(Some(other)),
            Ok(_) | Err(Outcome::Refused(_)) => Ok(None),
            Err(outcome) => Err(outcome),
        }
    }

    async fn call(&self, parcel: &Parcel, way: &Way, message: &Message) -> Result<Reference, Failure> {
        let mut body = message.body();
        let method = match way {
            Way::Update(first) => {
                body["channel"] = json!(first.channel);
                body["ts"] = json!(first.ts);
                // Without it the old blocks would stay above a plain text. The metadata stays without it, and
                // with it the name of the notice that was told first.
                body["blocks"] = json!(message.blocks);
                "chat.update"
            }
            Way::Post(channel) => {
                body["channel"] = json!(channel);
                "chat.postMessage"
            }
            Way::Reply(first, is_loud) => {
                body["channel"] = json!(first.channel);
                body["thread_ts"] = json!(first.ts);
                body["reply_broadcast"] = json!(is_loud);
                "chat.postMessage"
            }
        };
        if method == "chat.postMessage" {
            body["metadata"] = identity(&parcel.intent, message);
            quiet(&mut body);
        }
        let reply = match way {
            Way::Update(first) => self.rewrite(&mut *self.sheets.of(first).lock().await, &body).await?,
            Way::Post(_) | Way::Reply(..) => self.write(method, &body).await?,
        };
        let reference =
            Reference { channel: reply.text("/channel").to_owned(), ts: reply.text("/ts").to_owned() };
        match reference.to_string().parse::<Reference>() {
            Ok(reference) => {
                if !matches!(way, Way::Update(_)) {
                    *self.sheets.of(&reference).lock().await = Sheet::written(&body);
                }
                Ok(reference)
            }
            Err(()) => Err(Failure::Lost(format!("{method} was answered without naming the message"))),
        }
    }

    fn arrived(
        &self,
        parcel: &Parcel,
        way: &Way,
        first: Option<&Reference>,
        reference: Reference,
        message: &Message,
    ) -> Outcome {
        if let (Way::Post(_), Some(first)) = (way, first) {
            self.book(|book| book.moved(&first.to_string(), &reference.to_string()));
        }
        let reference = reference.to_string();
        match digest::rows_of(&parcel.intent, message) {
            Some(rows) => Outcome::Partly(Part { number: parcel.intent.part(), rows, reference }),
            None => Outcome::Delivered(reference),
        }
    }
}

/// How it ends where it was told in another way before, by an attempt whose answer was lost, or where that
/// cannot be found out now. Where nobody can find out, the reader is told.
fn told_otherwise(found: Found, parcel: &mut Parcel) -> Option<Outcome> {
    match found {
        Found::There(reference) => Some(Outcome::Delivered(reference)),
        Found::Part(part) => Some(Outcome::Partly(part)),
        // Another method's limit says nothing about this one's.
        Found::Failed(Outcome::Limited(wait_ms, _, why)) => Some(Outcome::Deferred(wait_ms, why)),
        Found::Failed(outcome) => Some(outcome),
        Found::Absent => None,
        Found::Unknowable(_) => {
            parcel.is_possible_repeat = true;
            None
        }
    }
}

/// Slack is to make nothing of what is in a text: no previews, no names.
fn quiet(body: &mut Value) {
    body["unfurl_links"] = json!(false);
    body["unfurl_media"] = json!(false);
    body["link_names"] = json!(false);
    body["parse"] = json!("none");
}

/// What tells a message's notice. Others in the channel can read it: names and numbers only.
fn identity(intent: &Intent, message: &Message) -> Value {
    let mut of = json!({"intent": name(intent), "episode": short(&intent.subject), "rev": intent.revision});
    if let Some(rows) = digest::rows_of(intent, message) {
        of["rows"] = json!(rows);
    }
    json!({"event_type": EVENT_TYPE, "event_payload": of})
}

fn short(text: &str) -> String {
    text.chars().take(255).collect()
}

/// What the next message of a notice is called in its metadata: the first as the notice, the others with their
/// number, as in `4f2a91/2`.
pub(super) fn name(intent: &Intent) -> String {
    match intent.part() {
        1 => short(&intent.id),
        part => format!("{}/{part}", short(&intent.id)),
    }
}

/// The intent that a message's metadata names, and how it has ended with that message there.
pub(super) fn told(of: &Value, reference: String) -> Option<(String, Outcome)> {
    let name = of["intent"].as_str()?;
    let part = name.rsplit_once('/').and_then(|(intent, part)| Some((intent, part.parse::<u32>().ok()?)));
    let (intent, number) = part.unwrap_or((name, 1));
    let outcome = match of["rows"].as_u64().and_then(|rows| usize::try_from(rows).ok()) {
        Some(rows) => Outcome::Partly(Part { number, rows, reference }),
        None if number == 1 => Outcome::Delivered(reference),
        // So it was written once, when the rest was no message of its own.
        None => return None,
    };
    Some((intent.to_owned(), outcome))
}

/// What Dice's metadata is called.
pub(super) const EVENT_TYPE: &str = "dice_notice";

/// Whether an answer in a thread is shown in the channel too: it is to be seen now.
fn wakes(intent: &Intent) -> bool {
    let is_severe = intent.notice.severity >= Severity::High || intent.lane == Lane::Page;
    match intent.kind {
        NoticeKind::Escalation | NoticeKind::Summary => true,
        NoticeKind::Reminder | NoticeKind::Open => is_severe,
        _ => false,
    }
}
