//! `POST /v1/lines`: lines in.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::TrySendError;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Query, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use dice_source::Block;
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};

use crate::json::json;
use crate::problem::Problem;
use crate::request::Outcome;
use crate::server::Shared;
use crate::{Done, Request, Settings};

/// Milliseconds between two tries to hand in what the channel has no room for.
const FULL_MS: u64 = 2;

/// Names a request, so that its repetition does nothing.
const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Bytes of such a name.
const KEY_BYTES: usize = 255;

const AGAIN: &str = "send the lines again";

/// What is answered where there is nothing, and nothing but lines can be sent.
pub(crate) async fn nowhere() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is nothing here")
        .wanted("the path /v1/lines")
        .found("another one")
        .next("POST /v1/lines")
}

/// What is answered to whoever does something else than sending lines.
pub(crate) async fn not_so() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "lines can be sent, nothing else")
        .wanted("POST")
        .found("another method")
        .next("POST /v1/lines")
}

/// Says why lines that may be sent again were not committed.
fn late(wanted: impl Into<String>, found: impl Into<String>) -> Problem {
    Problem::unavailable("the lines were not committed").wanted(wanted).found(found).next(AGAIN)
}

fn stops() -> Problem {
    late("a router that runs", "one that stops")
}

#[derive(Deserialize)]
struct Parameters {
    source: Option<String>,
}

/// How the lines of a body are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Each is a line, also an empty one.
    Plain,
    /// A JSON object a line; an empty line is nothing.
    Ndjson,
}

/// Takes the lines of a request, hands them in and waits for what becomes of them.
pub(crate) async fn post<T: From<Request> + Send + 'static>(
    State(shared): State<Arc<Shared<T>>>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let settings = &shared.settings;
    shared.gate.lines(&headers)?;
    let source = source(settings, &uri)?;
    let shape = shape(&headers)?;
    let key = key(&headers)?;
    if shared.is_refusing.load(Ordering::Relaxed) {
        return Err(stops());
    }
    let Ok(_place) = shared.places.try_acquire() else {
        let n_requests = settings.requests;
        return Err(late("room for one more request", format!("{n_requests} that wait for their commit")));
    };
    let bytes = read(settings, &headers, body).await?;
    let mut lines = Block::of_text(bytes, settings.line_limit_bytes);
    if shape == Shape::Ndjson {
        lines.retain(|line| !line.trim_ascii().is_empty());
    }
    let answer = Taken { lines: lines.len(), cut_bytes: lines.skipped_bytes() };
    if !lines.is_empty() {
        hand_in(&shared, source, lines, key).await?;
    }
    Ok(json(StatusCode::OK, &answer))
}

/// The answer when lines are committed.
#[derive(Serialize)]
struct Taken {
    /// How many there were.
    lines: usize,
    /// Bytes of lines longer than the limit that were left out.
    cut_bytes: u64,
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&[u8]> {
    headers.get(name).map(|value| value.as_bytes())
}

fn source(settings: &Settings, uri: &Uri) -> Result<String, Problem> {
    let known = settings.sources.join(", ");
    let parameters = Query::<Parameters>::try_from_uri(uri).map_err(|_| {
        Problem::bad_request("cannot read the parameters")
            .wanted("?source=NAME, once")
            .found("something else")
            .next("check their names and values")
    })?;
    let unclear = |problem: Problem, found: &str| {
        let sources = format!("?source=NAME of a source that takes lines here: {known}");
        problem.wanted(sources).found(found).next("name one of them")
    };
    match (&parameters.source, settings.sources.as_slice()) {
        (Some(name), sources) if sources.contains(name) => Ok(name.clone()),
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(unclear(Problem::bad_request("whose lines are these?"), "none")),
        (Some(_), _) => {
            let nobody = Problem::new(StatusCode::NOT_FOUND, "there is no source of that name");
            Err(unclear(nobody, "another name"))
        }
    }
}

fn shape(headers: &HeaderMap) -> Result<Shape, Problem> {
    let wanted = |found: &[u8]| {
        Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "cannot read a body of that kind")
            .wanted("lines, not packed")
            .found(found.escape_ascii().to_string())
            .next("send text/plain, or a JSON object a line as application/x-ndjson")
    };
    match text(headers, CONTENT_ENCODING) {
        None | Some(b"identity") => {}
        Some(packed) => return Err(wanted(packed)),
    }
    let Some(kind) = text(headers, CONTENT_TYPE) else { return Ok(Shape::Plain) };
    let kind = kind.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii().to_ascii_lowercase();
    match kind.as_slice() {
        b"application/x-ndjson"
        | b"application/ndjson"
        | b"application/jsonl"
        | b"application/x-jsonlines"
        | b"application/json-lines"
        | b"application/jsonlines" => Ok(Shape::Ndjson),
        // The last is what curl says of what it was not told about.
        b"text/plain" | b"application/octet-stream" | b"application/x-www-form-urlencoded" => {
            Ok(Shape::Plain)
        }
        _ => Err(wanted(&kind)),
    }
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut keys = headers.get_all(KEY).iter();
    let Some(key) = keys.next() else { return Ok(None) };
    let is_plain = (1..=KEY_BYTES).contains(&key.len()) && key.as_bytes().iter().all(u8::is_ascii_graphic);
    match key.to_str() {
        Ok(key) if is_plain && keys.next().is_none() => Ok(Some(key.to_owned())),
        _ => Err(Problem::bad_request("cannot read the header Idempotency-Key")
            .wanted(format!("once, 1 to {KEY_BYTES} visible ASCII characters"))
            .found(key.as_bytes().escape_ascii().to_string())
            .next("send a random name, the same whenever the request is repeated")),
    }
}

async fn read(settings: &Settings, headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Problem> {
    let limit_bytes = settings.body_limit_bytes;
    let too_large = || {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large")
            .wanted(format!("{limit_bytes} bytes at most"))
            .found("more")
            .next("send fewer lines at once")
    };
    let announced = text(headers, CONTENT_LENGTH).and_then(|bytes| str::from_utf8(bytes).ok()?.parse().ok());
    if announced.is_some_and(|bytes: u64| bytes > limit_bytes as u64) {
        return Err(too_large());
    }
    match timeout(Duration::from_millis(settings.idle_ms), to_bytes(body, limit_bytes)).await {
        Ok(Ok(bytes)) => Ok(bytes.into()),
        // Either it was longer than announced, or it broke off, and then nobody reads the answer.
        Ok(Err(_)) => Err(too_large()),
        Err(_) => Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "the body did not arrive")
            .wanted(format!("all of it within {} ms", settings.idle_ms))
            .found("a part")
            .next("send fewer lines at once")),
    }
}

async fn hand_in<T: From<Request>>(
    shared: &Shared<T>,
    source: String,
    lines: Block,
    key: Option<String>,
) -> Result<(), Problem> {
    let settings = &shared.settings;
    let (done, outcome) = Done::new();
    let is_named = key.is_some();
    let mut item = T::from(Request { source, lines, key, done });
    let mut waited_ms = 0;
    loop {
        match shared.out.try_send(item) {
            Ok(()) => break,
            Err(TrySendError::Disconnected(_)) => return Err(stops()),
            Err(TrySendError::Full(_)) if waited_ms >= settings.queue_ms => {
                return Err(late("room in the queue", "a router that is behind"));
            }
            Err(TrySendError::Full(back)) => item = back,
        }
        sleep(Duration::from_millis(FULL_MS)).await;
        waited_ms += FULL_MS;
    }
    let mut stopped = shared.stopped.clone();
    let waited = tokio::select! {
        waited = timeout(Duration::from_millis(settings.commit_ms), outcome) => waited,
        _ = stopped.wait_for(|is_stopped| *is_stopped) => return Err(stops()),
    };
    match waited {
        Ok(Ok(Outcome::Committed)) => Ok(()),
        Ok(Ok(Outcome::KeyTaken)) => {
            Err(Problem::unprocessable("this Idempotency-Key was sent with other lines")
                .wanted("the same lines, or another key")
                .found("other lines")
                .next("give each request a key of its own, and the same one only to its repetition"))
        }
        Ok(Ok(Outcome::Refused(why))) => Err(late("a commit", why)),
        Ok(Err(_)) => Err(stops()),
        Err(_) => {
            let late =
                late(format!("a commit within {} ms", settings.commit_ms), "none; it may come just now");
            Err(if is_named {
                late
            } else {
                late.next(
                    "send the lines again; if the commit was under way just now they are counted twice, unless \
                     they have an Idempotency-Key",
                )
            })
        }
    }
}
