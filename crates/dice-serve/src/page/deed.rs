//! What the buttons do. Each is a form, and whoever pressed it sees the page again, with what became of it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use axum::routing::post;
use dice_route::{Act, Answer, Audience, Destination, Scope as Hidden};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use subtle::ConstantTimeEq;

use super::draft::Draft;
use super::lobby::Said;
use super::login::foreign;
use super::visitor::{go, own_path};
use super::words::text;
use super::{Read, Trouble, Visitor};
use crate::api::Api;
use crate::form::{Head, media, read, unsupported};
use crate::gate::{Barred, Scope};
use crate::problem::Problem;

const FORM: &str = "application/x-www-form-urlencoded";

pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new().route("/do", post(act))
}

/// A button with what stood around it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Pressed {
    seal: String,
    press: String,
    back: String,
    act: String,
    subject: String,
    scope: String,
    #[serde(rename = "for")]
    whom: String,
    until: String,
    reason: String,
    person: String,
    owner: String,
    /// What of a silence is not among those.
    what: String,
    length: String,
    receiver: String,
    end: String,
    /// Says something where it is only tried.
    trial: String,
}

/// The fields of a form.
pub(super) async fn fields<T: DeserializeOwned>(
    api: &Api,
    headers: &HeaderMap,
    body: Body,
) -> Result<T, Problem> {
    if media(headers).as_deref() != Some(FORM) {
        return Err(unsupported(headers, FORM));
    }
    let bytes = read(api, headers, body, api.settings.form_limit_bytes).await?;
    // A form is written as what stands behind `?`.
    let line = [b"/?", &bytes[..]].concat();
    let uri = Uri::try_from(line).ok();
    let found = uri.and_then(|uri| Query::<T>::try_from_uri(&uri).ok());
    let Query(fields) = found.ok_or_else(|| {
        Problem::bad_request("cannot read the form")
            .wanted("the fields of one of our own forms")
            .found("something else")
            .next("open the page again and press there")
    })?;
    Ok(fields)
}

impl Visitor {
    /// Whether one of our own pages sent a form with that seal.
    pub(super) fn is_own(&self, api: &Api, headers: &HeaderMap, seal: &str) -> bool {
        let is_sealed: bool = self.seal.as_bytes().ct_eq(seal.as_bytes()).into();
        is_sealed && api.gate.is_own_page(headers)
    }
}

impl Pressed {
    fn is_trial(&self) -> bool {
        !self.trial.is_empty()
    }

    /// The silence that is meant; `None` where it is something else.
    fn draft(&self) -> Option<Draft> {
        (self.act == "silence").then(|| Draft {
            // A browser writes the ends of lines so.
            what: self.what.replace("\r\n", "\n"),
            length: self.length.clone(),
            reason: self.reason.clone(),
            receiver: self.receiver.clone(),
            end: self.end.clone(),
        })
    }

    /// What is to be done.
    fn act(&self, now_ms: i64) -> Result<Act, Problem> {
        if let Some(draft) = self.draft() {
            return draft.act(now_ms, self.is_trial());
        }
        let subject = self.subject.clone();
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let reason = given(&self.reason);
        Ok(match self.act.as_str() {
            "ack" => Act::Ack { episode: subject },
            "unack" => Act::Unack { episode: subject },
            "resolve" => Act::Resolve { episode: subject },
            "snooze" => {
                let scope = match self.scope.as_str() {
                    "message" => Hidden::Message(subject),
                    "alert" => Hidden::Alert(subject),
                    "rule" => Hidden::Rule(subject),
                    "group" => Hidden::Group(subject),
                    "episode" => Hidden::Episode(subject),
                    other => return Err(unclear("something that can be snoozed", other)),
                };
                let audience = match self.whom.trim() {
                    "everyone" => Audience::Everyone,
                    whom => match Destination::named(whom) {
                        Destination::Channel(name) => Audience::Channel(name),
                        Destination::Person(name) => Audience::Person(name),
                        _ => return Err(unclear("everyone, a #channel, an @handle or an address", whom)),
                    },
                };
                let until = given(&self.until).ok_or_else(|| unclear("until when", "nothing"))?;
                Act::Snooze { scope, audience, until, reason }
            }
            "unsnooze" => Act::Unsnooze { id: subject },
            "unsilence" => Act::Unsilence { id: subject },
            "not-me" => {
                let person = given(&self.person).ok_or_else(|| unclear("who does not want it", "nobody"))?;
                Act::NotMe { message: subject, person: Some(person), proposed: given(&self.owner), reason }
            }
            "assign" => {
                let owner = given(&self.owner).ok_or_else(|| unclear("who answers for it", "nobody"))?;
                Act::Assign { message: subject, owner, reason }
            }
            "unassign" => Act::Unassign { message: subject },
            other => return Err(unclear("something that can be done", other)),
        })
    }

    /// What takes it back.
    fn undo(&self, answer: &Answer) -> Option<(String, String)> {
        let (act, subject) = match self.act.as_str() {
            "ack" => ("unack", self.subject.clone()),
            "unack" => ("ack", self.subject.clone()),
            "snooze" => ("unsnooze", text(&answer.body, "snooze")),
            "silence" => ("unsilence", text(&answer.body, "silence")),
            "not-me" | "assign" => ("unassign", self.subject.clone()),
            _ => return None,
        };
        Some((act.to_owned(), subject)).filter(|(_, subject)| !subject.is_empty())
    }
}

fn unclear(wanted: &str, found: &str) -> Problem {
    Problem::unprocessable("it was not done").wanted(wanted).found(found).next("go back and say it again")
}

async fn act(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Read(head): Read<Head>,
    body: Body,
) -> Result<Response, Trouble> {
    let pressed: Pressed = fields(&api, &head.headers, body).await?;
    if !visitor.is_own(&api, &head.headers, &pressed.seal) {
        return Err(foreign().into());
    }
    if !visitor.may_act {
        let name = visitor.caller.actor.trim_start_matches("api:").to_owned();
        return Err(Problem::from(Barred::Scope { name, wanted: Scope::Act }).into());
    }
    let act = pressed.act(visitor.now_ms)?;
    let draft = pressed.draft();
    // Pressed twice it is done once; changed in between it is another deed. The time of a silence is that of
    // pressing: what stands in the form is what counts.
    let content = match &draft {
        Some(draft) => format!("{} {}", draft.path(), pressed.is_trial()),
        None => serde_json::to_string(&act).unwrap_or_default(),
    };
    let key = dice_route::name(&[pressed.press.as_bytes(), content.as_bytes()]).to_string();
    let head = Head { key: Some(key), ..head };
    let answer = api.command(&visitor.caller, &head, content.as_bytes(), act).await?;
    if !answer.is_done {
        return Err(Problem::new(StatusCode::CONFLICT, "it was not done")
            .wanted("something that can be done now")
            .found(answer.text)
            .next("go back and look at how it stands")
            .into());
    }
    let undo = pressed.undo(&answer);
    let back = match &draft {
        Some(draft) if pressed.is_trial() => draft.path(),
        // The form is empty again.
        Some(_) => "/hidden".to_owned(),
        None => own_path(&pressed.back).to_owned(),
    };
    let lines = if draft.is_some() { hidden(&answer) } else { Vec::new() };
    let said = Said { text: told(&pressed, answer), lines, undo };
    let name = api.lobby.say(&visitor.seal, said);
    let joint = if back.contains('?') { '&' } else { '?' };
    Ok(go(&format!("{back}{joint}said={name}")))
}

/// What was done, in words.
fn told(pressed: &Pressed, answer: Answer) -> String {
    if pressed.is_trial() {
        format!("Only tried: nothing is silenced yet. {}", answer.text)
    } else {
        answer.text
    }
}

/// What a silence hides or would have hidden, as far as its answer names it.
fn hidden(answer: &Answer) -> Vec<String> {
    let each = |name: &str, when: &'static str| {
        let titles = answer.body.get(name).and_then(Value::as_array).into_iter().flatten();
        titles.filter_map(Value::as_str).map(move |title| format!("{when}: {title}")).collect::<Vec<_>>()
    };
    [each("open", "goes on now"), each("recent", "in the last 7 days")].concat()
}
