//! Answers that are not what was asked for.

use axum::body::Body;
use axum::http::header::{ALLOW, CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::problem::Told;

/// Seconds after which to come back.
const RETRY_SECONDS: &str = "1";

/// Why a request was not done, and what to do about it.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    error: String,
    hint: String,
    header: Option<(HeaderName, &'static str)>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, error: impl Into<String>, hint: impl Into<String>) -> Refusal {
        let header = match status {
            StatusCode::UNAUTHORIZED => Some((WWW_AUTHENTICATE, "Bearer")),
            StatusCode::METHOD_NOT_ALLOWED => Some((ALLOW, "POST")),
            StatusCode::SERVICE_UNAVAILABLE => Some((RETRY_AFTER, RETRY_SECONDS)),
            _ => None,
        };
        Refusal { status, error: error.into(), hint: hint.into(), header }
    }

    pub(crate) fn unavailable(error: impl Into<String>, hint: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, error, hint)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Shown {
            error: String,
            hint: String,
        }
        let told = Told(self.error.clone());
        let mut response = json(self.status, &Shown { error: self.error, hint: self.hint });
        response.extensions_mut().insert(told);
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

/// An answer that is `value` as JSON.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let mut text = serde_json::to_vec(value).expect("what is answered has nothing but texts and numbers");
    text.push(b'\n');
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
