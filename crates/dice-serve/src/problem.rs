//! Answers that are not what was asked for: one shape for all, of the API as well as of `/v1/lines`.

use axum::http::header::{ETAG, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::json::json;

/// One of several things that are wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// Where: `rules/a.toml:12:3`, a key, or nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub at: String,
    /// What was wanted and what was found.
    pub text: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The body of every answer that is an error.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    error: Wrong,
}

/// What is wrong with a request, and what to do about it.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = Error)]
struct Wrong {
    /// What was to be done.
    what: String,
    /// What was wanted for it.
    wanted: String,
    /// What was found instead.
    found: String,
    /// What to do next.
    next: String,
    /// Where, for what has a place.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    /// All of it, where several things are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<Fault>,
}

/// An answer that is an error.
#[derive(Debug)]
pub(crate) struct Problem(Box<Parts>);

#[derive(Debug)]
struct Parts {
    status: StatusCode,
    header: Option<(HeaderName, HeaderValue)>,
    wrong: Wrong,
}

/// What a refusal was about, for whoever counts and logs it.
#[derive(Debug, Clone)]
pub(crate) struct Told(pub(crate) String);

impl Problem {
    pub(crate) fn new(status: StatusCode, what: impl Into<String>) -> Problem {
        let header = match status {
            StatusCode::UNAUTHORIZED => Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            StatusCode::SERVICE_UNAVAILABLE => Some((RETRY_AFTER, HeaderValue::from_static("1"))),
            _ => None,
        };
        Problem(Box::new(Parts { status, header, wrong: Wrong { what: what.into(), ..Wrong::default() } }))
    }

    pub(crate) fn bad_request(what: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, what)
    }

    pub(crate) fn unprocessable(what: impl Into<String>) -> Problem {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, what)
    }

    pub(crate) fn unavailable(what: impl Into<String>) -> Problem {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, what)
    }

    pub(crate) fn wanted(mut self, wanted: impl Into<String>) -> Problem {
        self.0.wrong.wanted = wanted.into();
        self
    }

    pub(crate) fn found(mut self, found: impl Into<String>) -> Problem {
        self.0.wrong.found = found.into();
        self
    }

    pub(crate) fn next(mut self, next: impl Into<String>) -> Problem {
        self.0.wrong.next = next.into();
        self
    }

    pub(crate) fn at(mut self, at: impl Into<String>) -> Problem {
        self.0.wrong.at = Some(at.into());
        self
    }

    pub(crate) fn problems(mut self, problems: Vec<Fault>) -> Problem {
        self.0.wrong.problems = problems;
        self
    }

    /// Says when to come back.
    pub(crate) fn after_seconds(mut self, seconds: u64) -> Problem {
        self.0.header = Some((RETRY_AFTER, HeaderValue::from(seconds)));
        self
    }

    /// Says what is in force.
    pub(crate) fn etag(mut self, etag: &str) -> Problem {
        self.0.header = quoted(etag).map(|value| (ETAG, value));
        self
    }
}

impl Problem {
    /// What a person is shown: the status, what was to be done, wanted, found, and what to do next.
    pub(crate) fn words(&self) -> (StatusCode, [&str; 4]) {
        let Wrong { what, wanted, found, next, .. } = &self.0.wrong;
        (self.0.status, [what, wanted, found, next])
    }
}

/// An entity tag as a header has it.
pub(crate) fn quoted(etag: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("\"{etag}\"")).ok()
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Parts { status, header, wrong } = *self.0;
        let told = Told(format!("{}: wanted {}, found {}", wrong.what, wrong.wanted, wrong.found));
        let mut response = json(status, &ErrorBody { error: wrong });
        if let Some((name, value)) = header {
            response.headers_mut().insert(name, value);
        }
        response.extensions_mut().insert(told);
        response
    }
}
