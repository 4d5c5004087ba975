//! How a browser shows a token: it is typed once, and a cookie stands for it.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{ORIGIN, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;

use super::deed::fields;
use super::visitor::{go, own_path};
use super::words::Words;
use super::{Frame, Read, Trouble, Visitor, page};
use crate::api::Api;
use crate::form::{Anybody, Asked};
use crate::gate::{Identity, SESSION, SESSION_MS, session, session_name, session_until_ms};
use crate::problem::Problem;
use crate::{Ask, LogOut};

/// What a proxy in front says about how it was asked.
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new().route("/login", get(show).post(log_in)).route("/logout", post(log_out))
}

#[derive(Template)]
#[template(path = "login.html")]
struct Login {
    frame: Frame,
    next: String,
    is_wrong: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Next {
    next: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Typed {
    token: String,
    next: String,
}

/// Where nobody needs a token, there is nothing to show.
async fn show(
    State(api): State<Arc<Api>>,
    Read(Anybody): Read<Anybody>,
    headers: HeaderMap,
    Read(Asked(Next { next })): Read<Asked<Next>>,
) -> Response {
    let next = own_path(&next).to_owned();
    if api.gate.identify(&headers) == Identity::Local {
        return go(&next);
    }
    page(StatusCode::OK, &Login { frame: Frame::open("Log in"), next, is_wrong: false })
}

async fn log_in(
    State(api): State<Arc<Api>>,
    Read(Anybody): Read<Anybody>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Trouble> {
    let Typed { token, next } = fields(&api, &headers, body).await?;
    let next = own_path(&next).to_owned();
    if !api.gate.is_own_page(&headers) {
        return Err(foreign().into());
    }
    let Some(session) = api.gate.log_in(&token, api.desk.now_ms()) else {
        let frame = Frame::open("Log in");
        return Ok(page(StatusCode::UNAUTHORIZED, &Login { frame, next, is_wrong: true }));
    };
    let mut response = go(&next);
    put(&mut response, &headers, &session, SESSION_MS / 1_000);
    Ok(response)
}

/// Says that a form came from elsewhere.
pub(super) fn foreign() -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "this form did not come from here")
        .wanted("a form of one of our own pages, not too old")
        .found("another one")
        .next("open the page again and press there")
}

async fn log_out(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Trouble> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Sealed {
        seal: String,
    }
    let Sealed { seal } = fields(&api, &headers, body).await?;
    if !visitor.is_own(&api, &headers, &seal) {
        return Err(foreign().into());
    }
    if visitor.has_session
        && let Some(session) = session(&headers)
    {
        let (actor, until_ms) = (visitor.caller.actor.clone(), session_until_ms(session));
        let log_out = LogOut { session: session_name(session), actor, until_ms };
        api.ask(api.settings.commit_ms, |reply| Ask::LogOut(log_out, reply)).await?;
    }
    let mut response = go("/login");
    put(&mut response, &headers, "", 0);
    Ok(response)
}

/// Has the browser keep a session, which no script sees and no other site makes it send.
fn put(response: &mut Response, headers: &HeaderMap, session: &str, seconds: i64) {
    let is_https = |name: &HeaderName, start: &str| {
        headers.get(name).and_then(|value| value.to_str().ok()).is_some_and(|value| value.starts_with(start))
    };
    let is_secure = is_https(&ORIGIN, "https://") || is_https(&FORWARDED_PROTO, "https");
    let secure = if is_secure { "; Secure" } else { "" };
    let cookie = format!("{SESSION}={session}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    let cookie = HeaderValue::from_str(&cookie).expect("a session is digits and a dot");
    response.headers_mut().insert(SET_COOKIE, cookie);
}
