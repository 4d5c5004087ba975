//! What is shown where a page cannot be.

use std::sync::Arc;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::header::{ACCEPT, CONTENT_LENGTH, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};

use super::words::Words;
use super::{Frame, page};
use crate::api::Api;
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
        let shown = page(status, &Shown { frame: Frame::open(headline(what)), wanted, found, next });
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

/// The same with a capital at its start.
fn headline(what: &str) -> String {
    let mut letters = what.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// What a page reads of a request; where it cannot, that is said by a page.
pub(super) struct Read<T>(pub(super) T);

impl<T: FromRequestParts<Arc<Api>, Rejection = Problem>> FromRequestParts<Arc<Api>> for Read<T> {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Read<T>, Trouble> {
        Ok(Read(T::from_request_parts(parts, api).await?))
    }
}

/// Whether who asks for that would rather have a page than JSON. What programs ask for is answered in JSON.
pub(crate) fn is_wanted(uri: &Uri, headers: &HeaderMap) -> bool {
    let of_programs = ["/api/", "/v1/", "/slack/", "/pagerduty/"];
    let accepted = headers.get(ACCEPT).and_then(|kinds| kinds.to_str().ok());
    !of_programs.iter().any(|start| uri.path().starts_with(start))
        && accepted.is_some_and(|kinds| kinds.contains("text/html"))
}
