//! What other systems send: buttons of Slack, webhooks of PagerDuty, alerts, and wishes for no more mail.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::time::timeout;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use crate::desk::{Letter, Opened, Sender, Turned};
use crate::form::{Anybody, Head, Id, Json, Sends, read};
use crate::json::json;
use crate::page::{Trouble, is_wanted};
use crate::problem::Problem;
use crate::{Alerts, Ask, Fault};

/// Bytes of the token in a link to unsubscribe.
const MAX_LINK_BYTES: usize = 512;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(slack))
        .routes(routes!(pagerduty))
        .routes(routes!(alerts))
        .routes(routes!(unsubscribe))
}

impl From<Turned> for Problem {
    fn from(turned: Turned) -> Problem {
        match turned {
            Turned::Unknown => Problem::new(StatusCode::NOT_FOUND, "nobody is set up who could send that")
                .wanted("a secret to check signatures with")
                .found("none")
                .next("set one in the configuration"),
            Turned::Forged(why) => Problem::new(StatusCode::UNAUTHORIZED, "the signature is not right")
                .wanted("a signature with the secret that is set here, a fresh one")
                .found(why)
                .next("check the secret and the clock"),
            Turned::Repeated => Problem::new(StatusCode::CONFLICT, "this was sent before")
                .wanted("something new")
                .found("a repetition")
                .next("nothing: it was done then"),
            Turned::Unclear(why) => Problem::bad_request("it is signed, but not understood")
                .wanted("what Dice knows of that sender")
                .found(why)
                .next("check that the sender is set up as the manual says"),
            Turned::Late(what) => Problem::unavailable("it took too long")
                .wanted("to be done with it in time")
                .found(what)
                .next("send it again: it is done once"),
        }
    }
}

/// Opens a letter and has done what it wants.
async fn deliver(
    api: &Arc<Api>,
    from: Sender,
    headers: &HeaderMap,
    body: Vec<u8>,
) -> Result<Response, Problem> {
    let headers = headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()));
    let letter = Letter { from, headers: headers.collect(), body, at_ms: api.desk.now_ms() };
    let desk = Arc::clone(&api.desk);
    let opened = tokio::task::spawn_blocking(move || desk.open(&letter)).await.map_err(|_| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "Dice is wrong").wanted("an answer").found("a defect")
    })?;
    let Opened { commands, answer, then } = opened?;
    let mut answers = Vec::new();
    for command in commands {
        answers.push(api.ask(api.settings.letter_ms, |reply| Ask::Command(command, reply)).await?);
    }
    if let Some(then) = then {
        tokio::task::spawn_blocking(move || then(answers));
    }
    Ok(match answer {
        Some(answer) => json(StatusCode::OK, &answer),
        None => Response::new(Body::empty()),
    })
}

/// Opens a letter within the time that its sender waits.
async fn receive(api: &Arc<Api>, from: Sender, headers: &HeaderMap, body: Body) -> Result<Response, Problem> {
    let body = read(api, headers, body, api.settings.form_limit_bytes).await?;
    let within = std::time::Duration::from_millis(api.settings.letter_ms);
    timeout(within, deliver(api, from, headers, body.into())).await.unwrap_or_else(|_| {
        Err(Problem::unavailable("not committed in time")
            .wanted(format!("a commit within {} ms", api.settings.letter_ms))
            .found("none")
            .next("send it again: it is done once"))
    })
}

/// Takes what Slack sends: buttons, modals and events, signed by Slack. Answered after the commit.
#[utoipa::path(post, path = "/slack/actions", security(()), tag = "letters",
    params(("X-Slack-Signature" = String, Header), ("X-Slack-Request-Timestamp" = String, Header)),
    request_body(content((String = "application/x-www-form-urlencoded"), (Object = "application/json"))),
    responses((status = 200)))]
async fn slack(
    State(api): State<Arc<Api>>,
    Anybody: Anybody,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    receive(&api, Sender::Slack, &headers, body).await
}

/// Takes a webhook of PagerDuty (version 3), signed by PagerDuty. Answered after the commit.
#[utoipa::path(post, path = "/pagerduty/webhook", security(()), tag = "letters",
    params(("X-PagerDuty-Signature" = String, Header)),
    request_body(content = Object), responses((status = 200)))]
async fn pagerduty(
    State(api): State<Arc<Api>>,
    Anybody: Anybody,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    receive(&api, Sender::PagerDuty, &headers, body).await
}

/// Stops mail to whoever the link was made for (RFC 8058). A GET shows a page and changes nothing.
#[utoipa::path(post, path = "/unsubscribe/{token}", security(()), tag = "letters", params(("token" = String, Path)),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200)))]
async fn unsubscribe(
    State(api): State<Arc<Api>>,
    Anybody: Anybody,
    Id(token): Id,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let received = if is_link(&token) {
        receive(&api, Sender::Unsubscribe(token), &headers, body).await
    } else {
        Err(Turned::Unclear("a link that was never made here".to_owned()).into())
    };
    let mut response = match received {
        // The button is for people, the rest for their mail programs.
        Err(problem) if is_wanted(&uri, &headers) => return Ok(Trouble(problem).into_response()),
        received => received?,
    };
    if !response.headers().contains_key(CONTENT_TYPE) {
        *response.body_mut() = Body::from("Done: you will get no more of these mails.\n");
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, text);
    }
    Ok(response)
}

/// Whether it can be the token of a link: nothing that a link would have to escape.
pub(crate) fn is_link(token: &str) -> bool {
    (1..=MAX_LINK_BYTES).contains(&token.len())
        && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
}

/// Takes alerts as Alertmanager does: those that are right are taken, also where others are not.
#[utoipa::path(post, path = "/api/v2/alerts", tag = "letters",
    request_body(content = Vec<Object>), responses((status = 200)))]
async fn alerts(
    State(api): State<Arc<Api>>,
    Sends(caller): Sends,
    head: Head,
    Json { value, bytes }: Json<Vec<serde_json::Map<String, Value>>>,
) -> Result<Response, Problem> {
    if value.is_empty() {
        return Ok(Response::new(Body::empty()));
    }
    let id = api.name(&caller, &head, &bytes)?;
    let at_ms = api.desk.now_ms();
    let alerts = Alerts { id, actor: caller.actor, at_ms, body: bytes.into() };
    let faults = api.ask(api.settings.commit_ms, |reply| Ask::Alerts(alerts, reply)).await?;
    let Some(first) = faults.first() else { return Ok(Response::new(Body::empty())) };
    Err(Problem::bad_request("some alerts are wrong; the others were taken")
        .wanted("alerts with labels")
        .found(first)
        .next("mend those that are told in problems")
        .problems(faults.iter().map(|text| Fault { text: text.clone(), ..Fault::default() }).collect()))
}
