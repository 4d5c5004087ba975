//! One call of Slack's Web API at a time, and how calls fail.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dice_route::{Outcome, Reach};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use reqwest::{StatusCode, Url, redirect};
use serde_json::Value;
use tokio::time::Instant;

use super::code::{self, Meaning};
use super::form;
use super::token::Token;

/// A call that has no answer after this long has failed.
pub(super) const CALL_MS: u64 = 8_000;

/// Connecting takes at most so much of it: a call that cannot connect is then known not to have begun.
const CONNECT_MS: u64 = 4_000;

/// Longer answers are not read.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// What is waited where Slack names no time.
const DEFAULT_WAIT_MS: i64 = 30_000;

/// No longer than this is waited, whatever Slack says.
const MAX_WAIT_MS: i64 = 3_600_000;

/// Calls Slack's Web API.
#[derive(Debug)]
pub(super) struct Client {
    base: String,
    http: reqwest::Client,
    /// What may not be called before when, by method, or by method and channel.
    limits: Mutex<BTreeMap<String, Instant>>,
}

/// What a call brings along. Reading methods take forms only, writing ones take JSON.
#[derive(Debug, Clone)]
pub(super) enum Body<'a> {
    Json(&'a Value),
    Form(&'a [(&'a str, &'a str)]),
}

/// What a call that went well says.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) value: Value,
    /// What the token may do, where Slack says it.
    pub(super) scopes: Option<Vec<String>>,
}

impl Reply {
    /// The text at a path of names; empty where there is none.
    pub(super) fn text(&self, path: &str) -> &str {
        self.value.pointer(path).and_then(Value::as_str).unwrap_or_default()
    }

    /// Where the list goes on.
    pub(super) fn cursor(&self) -> Option<String> {
        Some(self.text("/response_metadata/next_cursor").to_owned()).filter(|cursor| !cursor.is_empty())
    }
}

/// How a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// Slack refused, with a code and what it adds.
    Code { code: String, detail: String },
    /// Too many calls: nothing within the reach before so many milliseconds.
    Limited(i64, Reach),
    /// Nothing was sent.
    Unreached(String),
    /// It was sent, and nothing tells what became of it.
    Lost(String),
    /// Something that is not Slack's API answered, with this status.
    Status(u16),
}

impl Failure {
    /// What the code means, where there is one.
    pub(super) fn meaning(&self) -> Option<Meaning> {
        match self {
            Failure::Code { code, .. } => Some(code::meaning(code)),
            _ => None,
        }
    }

    /// How a notice ended whose own call failed so.
    pub(super) fn of_writing(&self) -> Outcome {
        match self {
            Failure::Code { code, detail } => explained(code::meaning(code).outcome(code), detail),
            Failure::Limited(wait_ms, reach) => Outcome::Limited(*wait_ms, *reach, "limited by Slack".into()),
            Failure::Unreached(why) => Outcome::Later(0, why.clone()),
            Failure::Lost(why) => Outcome::Ambiguous(why.clone()),
            Failure::Status(401 | 403 | 407) => Outcome::Denied(self.to_string()),
            Failure::Status(404) => Outcome::Denied(format!("{self}: correct the address of Slack's API")),
            Failure::Status(300..=399) => {
                Outcome::Denied(format!("{self}, which redirects: correct the address of Slack's API"))
            }
            Failure::Status(408) => Outcome::Later(1_000, self.to_string()),
            Failure::Status(_) => Outcome::Refused(self.to_string()),
        }
    }

    /// How a notice ended where a call failed so that only looked something up: nothing was sent for certain.
    pub(super) fn of_reading(&self, what: &str) -> Outcome {
        match self.of_writing() {
            Outcome::Ambiguous(why) => Outcome::Later(1_000, format!("{what}: {why}")),
            // Another method's limit says nothing about posting.
            Outcome::Limited(wait_ms, _, why) => Outcome::Deferred(wait_ms, format!("{what}: {why}")),
            // A missing scope keeps some from being found, and others not: it is no reason to stop everything.
            Outcome::Denied(why) if self.is_scope() => Outcome::Deferred(300_000, format!("{what}: {why}")),
            Outcome::Denied(why) => Outcome::Denied(format!("{what}: {why}")),
            Outcome::Refused(why) => Outcome::Refused(format!("{what}: {why}")),
            Outcome::Later(wait_ms, why) => Outcome::Later(wait_ms, format!("{what}: {why}")),
            Outcome::Deferred(wait_ms, why) => Outcome::Deferred(wait_ms, format!("{what}: {why}")),
            other => other,
        }
    }

    /// Whether Slack says that the token may not do this.
    pub(super) fn is_scope(&self) -> bool {
        matches!(self, Failure::Code { code, .. } if code == "missing_scope" || code == "no_permission")
    }

    /// Whether it may have been done all the same.
    pub(super) fn is_unsure(&self) -> bool {
        matches!(self.of_writing(), Outcome::Ambiguous(_))
    }

    /// Whether Slack says this.
    pub(super) fn is(&self, wanted: &str) -> bool {
        matches!(self, Failure::Code { code, .. } if code == wanted)
    }
}

fn explained(outcome: Outcome, detail: &str) -> Outcome {
    if detail.is_empty() {
        return outcome;
    }
    match outcome {
        Outcome::Denied(why) => Outcome::Denied(format!("{why} ({detail})")),
        Outcome::Refused(why) => Outcome::Refused(format!("{why} ({detail})")),
        other => other,
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Code { code, detail } if detail.is_empty() => write!(f, "Slack says {code}"),
            Failure::Code { code, detail } => write!(f, "Slack says {code} ({detail})"),
            Failure::Limited(wait_ms, _) => write!(f, "limited by Slack for {wait_ms} ms"),
            Failure::Unreached(why) | Failure::Lost(why) => f.write_str(why),
            Failure::Status(status) => write!(f, "answered with status {status}"),
        }
    }
}

impl Client {
    /// A client of the API at `base`.
    pub(super) fn new(base: &str, is_proxied: bool) -> Result<Client, String> {
        let url = Url::parse(base).map_err(|error| format!("wanted an address for Slack's API: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err("wanted an address for Slack's API that begins with https://".to_owned());
        }
        // Whoever runs the program may have chosen another provider before; then that one stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut http = reqwest::Client::builder()
            .user_agent(concat!("dice/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(Duration::from_millis(CONNECT_MS));
        if !is_proxied {
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| format!("cannot speak TLS: {}", causes(&error)))?;
        Ok(Client { base: base.trim_end_matches('/').to_owned(), http, limits: Mutex::default() })
    }

    /// Whether what is said can be read on the way.
    pub(super) fn is_plain(&self) -> bool {
        self.base.starts_with("http://")
    }

    /// Calls a method; a limit that is known is kept without asking.
    pub(super) async fn call(&self, method: &str, token: &Token, body: Body<'_>) -> Result<Reply, Failure> {
        let channel = match body {
            Body::Json(value) if method == "chat.postMessage" => value["channel"].as_str(),
            _ => None,
        };
        self.is_allowed(method, channel)?;
        let deadline = Duration::from_millis(CALL_MS);
        let failure = match tokio::time::timeout(deadline, self.send(method, token, body)).await {
            Ok(Ok(reply)) => return Ok(reply),
            Ok(Err(failure)) => failure,
            Err(_) => Failure::Lost(format!("no answer to {method} within {} s", CALL_MS / 1000)),
        };
        Err(match failure {
            Failure::Limited(wait_ms, reach) => {
                Failure::Limited(wait_ms, self.limit(method, channel, wait_ms, reach))
            }
            other => other,
        })
    }

    async fn send(&self, method: &str, token: &Token, body: Body<'_>) -> Result<Reply, Failure> {
        let (kind, body) = match body {
            Body::Json(value) => ("application/json; charset=utf-8", value.to_string()),
            Body::Form(fields) => ("application/x-www-form-urlencoded", form::encode(fields)),
        };
        let request = self
            .http
            .post(format!("{}/{method}", self.base))
            .header(AUTHORIZATION, format!("Bearer {}", token.reveal()))
            .header(CONTENT_TYPE, kind)
            .body(body);
        let mut answer = request.send().await.map_err(|error| unsent(method, &error))?;
        let status = answer.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            let wait_s =
                answer.headers().get(RETRY_AFTER).and_then(|wait| wait.to_str().ok()?.trim().parse().ok());
            let wait_ms = wait_s.map_or(DEFAULT_WAIT_MS, |wait_s: u32| i64::from(wait_s) * 1000);
            return Err(Failure::Limited(wait_ms.clamp(1_000, MAX_WAIT_MS), Reach::Kind));
        }
        if status.is_server_error() {
            return Err(Failure::Lost(format!("{method} was answered with status {}", status.as_u16())));
        }
        if !status.is_success() {
            return Err(Failure::Status(status.as_u16()));
        }
        let scopes = answer.headers().get("x-oauth-scopes").and_then(|scopes| scopes.to_str().ok());
        let scopes = scopes.map(|scopes| {
            scopes.split(',').map(|scope| scope.trim().to_owned()).filter(|scope| !scope.is_empty()).collect()
        });
        let lost = |why: &str| Failure::Lost(format!("the answer to {method} {why}"));
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|_| lost("broke off"))? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > MAX_ANSWER_BYTES {
                return Err(lost("is too long"));
            }
        }
        let value: Value = serde_json::from_slice(&bytes).map_err(|_| lost("is not Slack's"))?;
        match (value["ok"].as_bool(), value["error"].as_str()) {
            (Some(true), _) => Ok(Reply { value, scopes }),
            (Some(false), Some(code)) => Err(refused(code, &value)),
            _ => Err(lost("is not Slack's")),
        }
    }

    /// Whether no limit is in the way.
    fn is_allowed(&self, method: &str, channel: Option<&str>) -> Result<(), Failure> {
        let limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let left = |key: &str| {
            let until = limits.get(key)?.checked_duration_since(now)?;
            Some(i64::try_from(until.as_millis()).unwrap_or(MAX_WAIT_MS).max(1))
        };
        let of_channel = channel.and_then(|channel| left(&of_one(method, channel)));
        match (left(method), of_channel) {
            (Some(wait_ms), _) => Err(Failure::Limited(wait_ms, Reach::Kind)),
            (None, Some(wait_ms)) => Err(Failure::Limited(wait_ms, Reach::Destination)),
            (None, None) => Ok(()),
        }
    }

    /// Remembers a limit, and says how far it reaches.
    ///
    /// Slack does not say whether a limit on posting is the channel's or the workspace's. The first one is
    /// taken for the channel's; when a second channel is limited while it lasts, it is the workspace's.
    fn limit(&self, method: &str, channel: Option<&str>, wait_ms: i64, reach: Reach) -> Reach {
        let mut limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        limits.retain(|_, until| *until > now);
        let until = now + Duration::from_millis(wait_ms.unsigned_abs());
        let Some(channel) = channel.filter(|_| reach != Reach::Account) else {
            limits.insert(method.to_owned(), until);
            return reach;
        };
        let own = of_one(method, channel);
        let prefix = of_one(method, "");
        let is_alone = limits.keys().all(|key| !key.starts_with(&prefix) || *key == own);
        let (key, reach) =
            if is_alone { (own, Reach::Destination) } else { (method.to_owned(), Reach::Kind) };
        limits.insert(key, until);
        reach
    }
}

fn of_one(method: &str, channel: &str) -> String {
    format!("{method} {channel}")
}

fn refused(code: &str, value: &Value) -> Failure {
    if let Meaning::Limited(wait_ms, reach) = code::meaning(code) {
        return Failure::Limited(wait_ms, reach);
    }
    let mut detail: Vec<&str> = value["needed"].as_str().into_iter().collect();
    let messages = value.pointer("/response_metadata/messages").and_then(Value::as_array);
    detail.extend(messages.into_iter().flatten().filter_map(Value::as_str).take(3));
    let short = |text: &str, n: usize| text.chars().filter(|c| !c.is_control()).take(n).collect::<String>();
    Failure::Code { code: short(code, 80), detail: short(&detail.join("; "), 300) }
}

/// Why there is no answer: whether anything can have been sent.
fn unsent(method: &str, error: &reqwest::Error) -> Failure {
    if error.is_connect() || error.is_builder() {
        Failure::Unreached(format!("cannot reach Slack: {}", causes(error)))
    } else {
        Failure::Lost(format!("no answer to {method}: {}", causes(error)))
    }
}

/// An error's causes, without the address, which may carry secrets.
fn causes(error: &reqwest::Error) -> String {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(error) = next {
        causes.push(error.to_string());
        next = error.source();
    }
    causes.pop().unwrap_or_else(|| "unknown".to_owned())
}
