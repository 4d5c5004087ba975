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

use crate::refusal::{Refusal, json};
use crate::request::Outcome;
use crate::server::Shared;
use crate::{Done, Request, Settings};

/// Milliseconds between two tries to hand in what the channel has no room for.
const FULL_MS: u64 = 2;

/// Names a request, so that its repetition does nothing.
const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Bytes of such a name.
const KEY_BYTES: usize = 255;

const STOPPING: &str = "the router stops";
const AGAIN: &str = "send the lines again";

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
) -> Result<Response, Refusal> {
    let settings = &shared.settings;
    shared.gate.lines(&headers)?;
    let source = source(settings, &uri)?;
    let shape = shape(&headers)?;
    let key = key(&headers)?;
    if shared.is_refusing.load(Ordering::Relaxed) {
        return Err(Refusal::unavailable(STOPPING, AGAIN));
    }
    let Ok(_place) = shared.places.try_acquire() else {
        let n_requests = settings.requests;
        return Err(Refusal::unavailable(format!("{n_requests} requests wait for their commit"), AGAIN));
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

fn source(settings: &Settings, uri: &Uri) -> Result<String, Refusal> {
    let known = settings.sources.join(", ");
    let parameters = Query::<Parameters>::try_from_uri(uri).map_err(|_| {
        Refusal::new(StatusCode::BAD_REQUEST, "cannot read the parameters", "say ?source=NAME, once")
    })?;
    match (&parameters.source, settings.sources.as_slice()) {
        (Some(name), sources) if sources.contains(name) => Ok(name.clone()),
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "wanted the name of a source, found none",
            format!("say ?source=NAME; sources that take lines here: {known}"),
        )),
        (Some(_), _) => Err(Refusal::new(
            StatusCode::NOT_FOUND,
            "there is no source of that name",
            format!("sources that take lines here: {known}"),
        )),
    }
}

fn shape(headers: &HeaderMap) -> Result<Shape, Refusal> {
    let wanted = |found: &[u8]| {
        Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!("wanted lines, found {}", found.escape_ascii()),
            "send text/plain, or a JSON object a line as application/x-ndjson, not packed",
        )
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

fn key(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let mut keys = headers.get_all(KEY).iter();
    let Some(key) = keys.next() else { return Ok(None) };
    let is_plain = (1..=KEY_BYTES).contains(&key.len()) && key.as_bytes().iter().all(u8::is_ascii_graphic);
    match key.to_str() {
        Ok(key) if is_plain && keys.next().is_none() => Ok(Some(key.to_owned())),
        _ => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "cannot read the Idempotency-Key",
            format!("say one, of {KEY_BYTES} letters, digits and signs at most"),
        )),
    }
}

async fn read(settings: &Settings, headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Refusal> {
    let limit_bytes = settings.body_limit_bytes;
    let too_large = || {
        Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("wanted {limit_bytes} bytes at most, found more"),
            "send fewer lines at once",
        )
    };
    let announced = text(headers, CONTENT_LENGTH).and_then(|bytes| str::from_utf8(bytes).ok()?.parse().ok());
    if announced.is_some_and(|bytes: u64| bytes > limit_bytes as u64) {
        return Err(too_large());
    }
    match timeout(Duration::from_millis(settings.idle_ms), to_bytes(body, limit_bytes)).await {
        Ok(Ok(bytes)) => Ok(bytes.into()),
        // Either it was longer than announced, or it broke off, and then nobody reads the answer.
        Ok(Err(_)) => Err(too_large()),
        Err(_) => Err(Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            format!("wanted the whole body within {} ms", settings.idle_ms),
            "send fewer lines at once",
        )),
    }
}

async fn hand_in<T: From<Request>>(
    shared: &Shared<T>,
    source: String,
    lines: Block,
    key: Option<String>,
) -> Result<(), Refusal> {
    let settings = &shared.settings;
    let (done, outcome) = Done::new();
    let is_named = key.is_some();
    let mut item = T::from(Request { source, lines, key, done });
    let mut waited_ms = 0;
    loop {
        match shared.out.try_send(item) {
            Ok(()) => break,
            Err(TrySendError::Disconnected(_)) => return Err(Refusal::unavailable(STOPPING, AGAIN)),
            Err(TrySendError::Full(_)) if waited_ms >= settings.queue_ms => {
                return Err(Refusal::unavailable("the router is behind", AGAIN));
            }
            Err(TrySendError::Full(back)) => item = back,
        }
        sleep(Duration::from_millis(FULL_MS)).await;
        waited_ms += FULL_MS;
    }
    let mut stopped = shared.stopped.clone();
    let waited = tokio::select! {
        waited = timeout(Duration::from_millis(settings.commit_ms), outcome) => waited,
        _ = stopped.wait_for(|is_stopped| *is_stopped) => {
            return Err(Refusal::unavailable(STOPPING, AGAIN));
        }
    };
    match waited {
        Ok(Ok(Outcome::Committed)) => Ok(()),
        Ok(Ok(Outcome::KeyTaken)) => Err(Refusal::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "other lines were sent with this Idempotency-Key",
            "give each request a key of its own, and the same one only to its repetition",
        )),
        Ok(Ok(Outcome::Refused(why))) => Err(Refusal::unavailable(format!("not committed: {why}"), AGAIN)),
        Ok(Err(_)) => Err(Refusal::unavailable(format!("not committed: {STOPPING}"), AGAIN)),
        Err(_) => Err(Refusal::unavailable(
            format!("not committed within {} ms", settings.commit_ms),
            if is_named {
                AGAIN
            } else {
                "send the lines again; if the commit was under way just now they are counted twice, unless \
                 they have an Idempotency-Key"
            },
        )),
    }
}
