//! What is shown where a page cannot be.

use askama::Template;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_LENGTH, RETRY_AFTER};
use axum::response::{IntoResponse, Response};

use super::words::Words;
use super::{Frame, page};
use crate::desk::NotFound;
use crate::problem::Problem;

/// A problem as a page.
#[derive(Debug)]
pub(crate) struct Trouble(pub(crate) Problem);

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Trouble {
        Trouble(problem)
    }
}

impl From<NotFound> for Trouble {
    fn from(not_found: NotFound) -> Trouble {
        Trouble(not_found.into())
    }
}

#[derive(Template)]
#[template(path = "trouble.html")]
struct Shown<'a> {
    frame: Frame,
    wanted: &'a str,
    found: &'a str,
    next: &'a str,
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let (status, [what, wanted, found, next]) = self.0.words();
        let next = if status.as_u16() == 401 { "log in" } else { next };
        let shown = page(status, &Shown { frame: Frame::open(what), wanted, found, next });
        // Whoever counts and logs hears of it as of any other.
        let mut response = self.0.into_response();
        let after = response.headers_mut().remove(RETRY_AFTER);
        *response.headers_mut() = shown.headers().clone();
        response.headers_mut().remove(CONTENT_LENGTH);
        after.map(|after| response.headers_mut().insert(RETRY_AFTER, after));
        *response.body_mut() = shown.into_body();
        response
    }
}

/// Whether who asks would rather have a page than JSON.
pub(crate) fn is_wanted(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).and_then(|kinds| kinds.to_str().ok()).is_some_and(|kinds| kinds.contains("text/html"))
}
