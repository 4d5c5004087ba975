//! Pages for people, made on the server; they work without scripts.
//!
//! Each is a file of `page/` with its routes; what they show comes from [`crate::Views`], through
//! [`crate::api::Api`]'s `look`, and whoever asks is let in by [`crate::form::Reads`] or
//! [`crate::form::Anybody`].

mod unsubscribe;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use crate::api::Api;

/// All pages.
pub(crate) fn routes() -> Router<Arc<Api>> {
    Router::new().merge(unsubscribe::routes())
}

/// A page that loads nothing, is shown in no frame, and sends forms only back here.
fn html(status: StatusCode, text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    let policy = "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
