//! What people do in Slack.

use dice_route::{Act, Audience, Command, Outcome, Scope};
use serde_json::Value;

use super::button::{Deed, Seal, Ticket};
use super::courier::{EVENT_TYPE, told};
use super::reference::Reference;
use super::{Slack, form, modal};

/// Something that Slack tells of its own accord.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// A person pressed or sent something.
    Clicks(Vec<Click>),
    /// A message with the name of an intent has appeared: an attempt has arrived.
    Posted {
        /// The intent's id.
        intent: String,
        /// How the attempt ended: all of the notice is there, or a part of it.
        outcome: Outcome,
    },
    /// Slack asks whether somebody listens at an address, and wants this text back.
    Challenge(String),
    /// Nothing that Dice does anything about.
    Nothing,
}

/// Why what came is not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotUnderstood {
    /// It is not JSON, or not of Slack's form.
    Form,
}

/// Something that a person did, once.
#[derive(Debug, Clone, PartialEq)]
pub struct Click {
    /// Names it for ever: the same click told twice has one id.
    pub id: String,
    /// The workspace's id.
    pub team: String,
    /// The person's id.
    pub user: String,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// The message it was done at.
    pub at: Option<Reference>,
    /// What is meant.
    pub wish: Wish,
    /// What a question can be shown with, for three seconds.
    pub(super) trigger: Option<String>,
    /// The block it was done in.
    pub(super) block: Option<String>,
    /// The message as it was.
    pub(super) shown: Option<Value>,
}

/// What a click means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// What the button says.
    Do(Ticket),
    /// To be asked who it was instead: [`Slack::ask`] does. The message's id.
    AskNotMe(String),
    /// It was somebody else, or who knows.
    NotMe {
        /// The message's id.
        message: String,
        /// A person or a channel by Slack's id.
        proposed: Option<String>,
        /// Why, in the person's words.
        reason: Option<String>,
    },
    /// A button that Dice did not make, or that has been changed: the person is told.
    Forged,
}

/// Reasons are cut here.
const MAX_REASON_CHARS: usize = 500;

/// Clicks of one payload; Slack sends one.
const MAX_CLICKS: usize = 10;

impl Happening {
    /// What the body of a signed request says: a form with a `payload`, or an event as JSON.
    ///
    /// # Errors
    ///
    /// When it is neither.
    pub fn of_request(body: &[u8], seal: &Seal, now_ms: i64) -> Result<Happening, NotUnderstood> {
        if body.first() == Some(&b'{') {
            let event = serde_json::from_slice(body).map_err(|_| NotUnderstood::Form)?;
            return Ok(Happening::of_event(&event));
        }
        let payload = form::field(body, "payload").ok_or(NotUnderstood::Form)?;
        let payload = serde_json::from_str(&payload).map_err(|_| NotUnderstood::Form)?;
        Ok(Happening::of_payload(&payload, seal, now_ms))
    }

    /// What the payload of an interaction says.
    pub fn of_payload(payload: &Value, seal: &Seal, now_ms: i64) -> Happening {
        let user = text(payload, "/user/id");
        let teams = [text(payload, "/team/id"), text(payload, "/user/team_id")];
        let team = teams.into_iter().find(|team| !team.is_empty()).unwrap_or_default().to_owned();
        if user.is_empty() {
            return Happening::Nothing;
        }
        match payload["type"].as_str() {
            Some("block_actions") => {
                let actions = payload["actions"].as_array().into_iter().flatten().take(MAX_CLICKS);
                let clicks = actions.filter_map(|action| click(payload, action, user, &team, seal, now_ms));
                Happening::Clicks(clicks.collect())
            }
            Some("view_submission") => {
                Happening::Clicks(sent(payload, user, &team, seal, now_ms).into_iter().collect())
            }
            _ => Happening::Nothing,
        }
    }

    /// What an event of the Events API says.
    pub fn of_event(outer: &Value) -> Happening {
        if outer["type"] == "url_verification" {
            return Happening::Challenge(text(outer, "/challenge").chars().take(300).collect());
        }
        let event = &outer["event"];
        let metadata = &event["metadata"];
        if event["type"] != "message_metadata_posted" || metadata["event_type"] != EVENT_TYPE {
            return Happening::Nothing;
        }
        // Other apps can write the same: another Dice, or one that wants a notice not to arrive.
        let (own, by) = (text(outer, "/api_app_id"), text(event, "/app_id"));
        if !own.is_empty() && !by.is_empty() && own != by {
            return Happening::Nothing;
        }
        let reference = format!("{}:{}", text(event, "/channel_id"), text(event, "/message_ts"));
        let Ok(reference) = reference.parse::<Reference>() else { return Happening::Nothing };
        match told(&metadata["event_payload"], reference.to_string()) {
            Some((intent, outcome)) => Happening::Posted { intent, outcome },
            None => Happening::Nothing,
        }
    }
}

fn text<'v>(value: &'v Value, path: &str) -> &'v str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

fn some(text: &str) -> Option<String> {
    (!text.trim().is_empty()).then(|| text.trim().to_owned())
}

fn click(payload: &Value, action: &Value, user: &str, team: &str, seal: &Seal, now_ms: i64) -> Option<Click> {
    let action_id = text(action, "/action_id");
    let sealed = [text(action, "/value"), text(action, "/selected_option/value")].concat();
    // A link opens in the browser; there is nothing to do about it.
    if !action_id.starts_with("dice.") || action_id == "dice.open" || sealed == "open" {
        return None;
    }
    let wish = match seal.open(&sealed) {
        None => Wish::Forged,
        Some(Ticket { deed: Deed::NotMe, thing: Scope::Message(message) }) => Wish::AskNotMe(message),
        Some(ticket) => Wish::Do(ticket),
    };
    let action_ts = text(action, "/action_ts");
    let parts = [team, user, action_ts, action_id, &sealed].map(str::as_bytes);
    let place =
        |paths: [&str; 2]| paths.into_iter().map(|path| text(payload, path)).find(|text| !text.is_empty());
    let channel = place(["/container/channel_id", "/channel/id"]).unwrap_or_default();
    let ts = place(["/container/message_ts", "/message/ts"]).unwrap_or_default();
    Some(Click {
        id: format!("slack/{}", dice_route::name(&parts)),
        team: team.to_owned(),
        user: user.to_owned(),
        at_ms: moment_ms(action_ts).unwrap_or(now_ms),
        at: format!("{channel}:{ts}").parse().ok(),
        wish,
        trigger: some(text(payload, "/trigger_id")),
        block: some(text(action, "/block_id")),
        shown: Some(payload["message"].clone()).filter(|message| message["blocks"].is_array()),
    })
}

/// What was sent with the question about who it was.
fn sent(payload: &Value, user: &str, team: &str, seal: &Seal, now_ms: i64) -> Option<Click> {
    let view = &payload["view"];
    if view["callback_id"] != modal::NOT_ME {
        return None;
    }
    let kept: Value = serde_json::from_str(text(view, "/private_metadata")).ok()?;
    let wish = match seal.open(text(&kept, "/ticket")) {
        Some(Ticket { deed: Deed::NotMe, thing: Scope::Message(message) }) => {
            let values = &view["state"]["values"];
            let person = text(values, "/person/dice.person/selected_user");
            let channel = text(values, "/channel/dice.channel/selected_conversation");
            let reason = some(text(values, "/reason/dice.reason/value"));
            Wish::NotMe {
                message,
                proposed: some(person).or_else(|| some(channel)),
                reason: reason.map(|reason| reason.chars().take(MAX_REASON_CHARS).collect()),
            }
        }
        _ => Wish::Forged,
    };
    let parts = [team, user, text(view, "/id"), text(view, "/private_metadata")].map(str::as_bytes);
    Some(Click {
        id: format!("slack/{}", dice_route::name(&parts)),
        team: team.to_owned(),
        user: user.to_owned(),
        at_ms: now_ms,
        at: text(&kept, "/at").parse().ok(),
        wish,
        trigger: None,
        block: some(text(&kept, "/block")),
        shown: None,
    })
}

/// `1700000000.123456` in milliseconds.
fn moment_ms(ts: &str) -> Option<i64> {
    let (seconds, rest) = ts.split_once('.')?;
    let millis: i64 = rest.get(..3)?.parse().ok()?;
    seconds.parse::<i64>().ok()?.checked_mul(1000)?.checked_add(millis)
}

impl Slack {
    /// What the router is asked to do; `None` where it is asked nothing yet, see [`Slack::ask`].
    ///
    /// # Errors
    ///
    /// Why it is not asked, in words for [`Slack::refuse`]: nobody knows the person, or the button is not
    /// Dice's.
    pub async fn command(&self, click: &Click) -> Result<Option<Command>, String> {
        let act = match &click.wish {
            Wish::AskNotMe(_) => return Ok(None),
            Wish::Forged => return Err("this button is not one that Dice made, or is too old".to_owned()),
            Wish::Do(ticket) => {
                let channel = click.at.as_ref().filter(|at| !at.is_direct()).map(|at| at.channel.clone());
                let audience = match channel {
                    // The router knows who "me" is.
                    None => Audience::Person(String::new()),
                    Some(id) => Audience::Channel(self.name_of(&id).await?),
                };
                ticket.act(audience).ok_or("this button does nothing by itself")?
            }
            Wish::NotMe { message, proposed, reason } => {
                let proposed = match proposed {
                    None => None,
                    Some(id) if id.starts_with(['U', 'W']) => Some(self.person_of(id).await?),
                    Some(id) => Some(self.name_of(id).await?),
                };
                Act::NotMe { message: message.clone(), person: None, proposed, reason: reason.clone() }
            }
        };
        let actor = self.person_of(&click.user).await?;
        Ok(Some(Command { id: click.id.clone(), actor, at_ms: click.at_ms, act }))
    }

    /// The name of a channel, with `#`.
    async fn name_of(&self, id: &str) -> Result<String, String> {
        if let Some(name) = self.channel_named(id) {
            return Ok(name);
        }
        let reply = self.read("conversations.info", &[("channel", id)]).await;
        let reply = reply.map_err(|failure| format!("the channel's name cannot be looked up: {failure}"))?;
        match reply.text("/channel/name") {
            "" => Err("the conversation is no channel".to_owned()),
            name => Ok(format!("#{name}")),
        }
    }
}
