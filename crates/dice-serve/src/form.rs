//! What is read of a request: its parameters, its body, its key.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, IF_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use tokio::time::timeout;

use crate::Scope;
use crate::api::Api;
use crate::connection::Peer;
use crate::gate::{Caller, Identity};
use crate::managed::Base;
use crate::problem::Problem;

/// Bytes of an Idempotency-Key.
const MAX_KEY_BYTES: usize = 255;
/// Keys that are remembered with what they were sent with.
const MAX_KEYS: usize = 4_096;
/// Bytes of an id in a path.
const MAX_ID_BYTES: usize = 512;

/// Makes an extractor of a caller who may do something.
macro_rules! rights {
    ($($(#[$doc:meta])* $name:ident: $scope:expr;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name(pub(crate) Caller);

        impl FromRequestParts<Arc<Api>> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<$name, Problem> {
                admit(parts, api, $scope).map($name)
            }
        }
    )*};
}

rights! {
    /// Who may send lines and alerts.
    Sends: Scope::Lines;
    /// Who may look.
    Reads: Scope::Read;
    /// Who may do what the buttons do.
    Acts: Scope::Act;
    /// Who may change rules and routes.
    Configures: Scope::Configure;
}

fn admit(parts: &Parts, api: &Api, scope: Scope) -> Result<Caller, Problem> {
    let identity = api.gate.identify(&parts.headers);
    // Whoever guesses tokens has the allowance of their address.
    let who = match &identity {
        Identity::Known { name, .. } => format!("token {name}"),
        _ => peer(parts),
    };
    api.allow(&who)?;
    Ok(api.gate.admit(&identity, &parts.headers, scope)?)
}

pub(crate) fn peer(parts: &Parts) -> String {
    let peer = parts.extensions.get::<ConnectInfo<Peer>>();
    peer.map(|ConnectInfo(Peer(address))| address.ip().to_string()).unwrap_or_default()
}

/// Somebody who shows no token, within what their address may do.
pub(crate) struct Anybody;

impl FromRequestParts<Arc<Api>> for Anybody {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Anybody, Problem> {
        api.allow(&peer(parts)).map(|()| Anybody)
    }
}

/// The parameters behind `?`; others than those are refused where `T` denies them.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<Arc<Api>> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Api>) -> Result<Asked<T>, Problem> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(asked)) => Ok(Asked(asked)),
            Err(rejection) => {
                let cause = std::error::Error::source(&rejection);
                Err(Problem::bad_request("cannot read the parameters")
                    .wanted("those that are known here, each once")
                    .found(cause.map_or_else(|| rejection.to_string(), ToString::to_string))
                    .next("check their names and values"))
            }
        }
    }
}

/// The id in the path.
pub(crate) struct Id(pub(crate) String);

impl FromRequestParts<Arc<Api>> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Id, Problem> {
        let wrong = |found: &str| {
            Problem::bad_request("cannot read the id in the path")
                .wanted(format!("UTF-8 without control characters, {MAX_ID_BYTES} bytes at most"))
                .found(found)
                .next("escape it with percent signs, `#` as %23 and `/` as %2F")
        };
        let Ok(Path(id)) = Path::<String>::from_request_parts(parts, api).await else {
            return Err(wrong("something else"));
        };
        match () {
            () if id.len() > MAX_ID_BYTES => Err(wrong("more")),
            () if id.chars().any(char::is_control) => Err(wrong("a control character")),
            () => Ok(Id(id)),
        }
    }
}

/// The headers, and what names the request.
pub(crate) struct Head {
    pub(crate) headers: HeaderMap,
    /// Method and path with its parameters.
    pub(crate) line: String,
    /// The header `Idempotency-Key`.
    pub(crate) key: Option<String>,
}

impl FromRequestParts<Arc<Api>> for Head {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Api>) -> Result<Head, Problem> {
        let mut keys = parts.headers.get_all("idempotency-key").iter();
        let key = match (keys.next(), keys.next()) {
            (None, _) => None,
            (Some(key), None)
                if (1..=MAX_KEY_BYTES).contains(&key.len())
                    && key.as_bytes().iter().all(|byte| byte.is_ascii_graphic()) =>
            {
                Some(String::from_utf8_lossy(key.as_bytes()).into_owned())
            }
            (Some(key), _) => {
                return Err(Problem::bad_request("cannot read the header Idempotency-Key")
                    .wanted(format!("once, 1 to {MAX_KEY_BYTES} visible ASCII characters"))
                    .found(key.as_bytes().escape_ascii().to_string())
                    .next("send a random name, the same whenever the request is repeated"));
            }
        };
        let line = format!("{} {}", parts.method, parts.uri);
        Ok(Head { headers: parts.headers.clone(), line, key })
    }
}

impl Head {
    /// What the header `If-Match` says.
    pub(crate) fn base(&self) -> Result<Base, Problem> {
        let mut tags = Vec::new();
        for value in self.headers.get_all(IF_MATCH) {
            for tag in value.to_str().unwrap_or("?").split(',') {
                match tag.trim() {
                    "*" => return Ok(Base::Any),
                    // A weak one is never the same content for certain; it matches nothing.
                    weak if weak.starts_with("W/\"") => tags.push(weak.to_owned()),
                    tag => match tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')) {
                        Some(tag) => tags.push(tag.to_owned()),
                        None => {
                            return Err(Problem::bad_request("cannot read the header If-Match")
                                .wanted("the ETag that a GET gave, with its quotes")
                                .found(tag)
                                .next("GET /api/v1/config and send its ETag"));
                        }
                    },
                }
            }
        }
        if tags.is_empty() {
            return Err(Problem::new(
                StatusCode::PRECONDITION_REQUIRED,
                "wanted to know which configuration is changed",
            )
            .wanted("the header If-Match with an ETag")
            .found("none")
            .next("GET /api/v1/config and send its ETag, so that nobody's change is lost"));
        }
        Ok(Base::OneOf(tags))
    }
}

/// A body that is JSON, and its bytes.
pub(crate) struct Json<T> {
    pub(crate) value: T,
    pub(crate) bytes: Bytes,
}

impl<T: DeserializeOwned> FromRequest<Arc<Api>> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Json<T>, Problem> {
        let (parts, body) = request.into_parts();
        if media(&parts.headers).as_deref() != Some("application/json") {
            return Err(unsupported(&parts.headers, "application/json"));
        }
        let bytes = read(api, &parts.headers, body, api.settings.form_limit_bytes).await?;
        parse(&bytes).map(|value| Json { value, bytes })
    }
}

/// Reads JSON, or says where it is none or something else.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| {
        let at = format!("line {} column {}", error.line(), error.column());
        let problem = match error.classify() {
            Category::Data => Problem::unprocessable("the body says something else than was wanted")
                .wanted("what /api/v1/openapi.json tells of, and no other fields"),
            _ => Problem::bad_request("the body is not JSON").wanted("a JSON object"),
        };
        problem.found(error.to_string()).at(at).next("check the body")
    })
}

/// The media type of the body, in lower case and without its parameters; `None` where it is packed too.
pub(crate) fn media(headers: &HeaderMap) -> Option<String> {
    if headers.get(CONTENT_ENCODING).is_some_and(|packed| packed.as_bytes() != b"identity") {
        return None;
    }
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// Says that a body is of another kind than `wanted`.
pub(crate) fn unsupported(headers: &HeaderMap, wanted: &str) -> Problem {
    let shown = |name| headers.get(name).map(|value| value.as_bytes().escape_ascii().to_string());
    let found = match (shown(CONTENT_TYPE), shown(CONTENT_ENCODING)) {
        (kind, Some(packed)) if packed != "identity" => {
            format!("{} packed as {packed}", kind.unwrap_or_default())
        }
        (Some(kind), _) => kind,
        (None, _) => "no Content-Type".to_owned(),
    };
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "cannot read a body of that kind")
        .wanted(format!("Content-Type: {wanted}, not packed"))
        .found(found)
        .next("send it so")
}

/// Reads a body of `limit_bytes` at most.
pub(crate) async fn read(
    api: &Api,
    headers: &HeaderMap,
    body: Body,
    limit_bytes: usize,
) -> Result<Bytes, Problem> {
    let too_large = || {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large")
            .wanted(format!("{limit_bytes} bytes at most"))
            .found("more")
            .next("send less at once")
    };
    let announced = headers.get(CONTENT_LENGTH).and_then(|bytes| bytes.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > limit_bytes as u64) {
        return Err(too_large());
    }
    match timeout(Duration::from_millis(api.settings.idle_ms), to_bytes(body, limit_bytes)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        // Either it was longer than announced, or it broke off, and then nobody reads the answer.
        Ok(Err(_)) => Err(too_large()),
        Err(_) => Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "the body did not arrive")
            .wanted(format!("all of it within {} ms", api.settings.idle_ms))
            .found("a part")
            .next("send it again")),
    }
}

/// What was sent with which key, for a while.
#[derive(Debug, Default)]
pub(crate) struct Keys(Mutex<(BTreeMap<String, String>, VecDeque<String>)>);

impl Keys {
    /// Keeps that `key` was sent with `content`; gives whether it was never sent with something else.
    pub(crate) fn keep(&self, key: &str, content: &str) -> bool {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, order) = &mut *guard;
        if let Some(before) = known.get(key) {
            return before == content;
        }
        while order.len() >= MAX_KEYS {
            order.pop_front().map(|oldest| known.remove(&oldest));
        }
        known.insert(key.to_owned(), content.to_owned());
        order.push_back(key.to_owned());
        true
    }
}
