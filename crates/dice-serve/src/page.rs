//! Pages for people, made on the server; they work without scripts.
//!
//! Each is a file of `page/` with its routes, and a template of `templates/` that escapes whatever it is given;
//! what they show comes from [`crate::Views`], through [`crate::api::Api`]'s `look`. [`Visitor`] lets in who
//! asks and [`Frame`] is what all pages share. Forms go to one place, `deed.rs`, and are followed by the page
//! they came from.

mod assets;
mod deed;
mod digests;
mod draft;
mod episodes;
mod find;
mod frame;
mod held;
mod hidden;
mod lobby;
mod login;
mod noise;
mod spark;
mod trouble;
mod unsubscribe;
mod visitor;
mod why;
mod words;

pub(crate) use lobby::Lobby;
pub(crate) use trouble::{Trouble, is_wanted};

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use crate::api::Api;
use frame::{Frame, Tab};
use trouble::Read;
use visitor::Visitor;

/// Rows of a list on one page.
const ROWS: usize = 50;

/// All pages.
pub(crate) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .merge(noise::routes())
        .merge(episodes::routes())
        .merge(held::routes())
        .merge(hidden::routes())
        .merge(digests::routes())
        .merge(find::routes())
        .merge(why::routes())
        .merge(deed::routes())
        .merge(login::routes())
        .merge(assets::routes())
        .merge(unsubscribe::routes())
}

/// A page made of its template.
fn page(status: StatusCode, template: &impl Template) -> Response {
    // Writing to memory fails only where a value says that it cannot be written, and none of ours does.
    html(status, template.render().expect("a page is made of texts and numbers"))
}

/// A page that loads only our own style and pictures, is shown in no frame, and sends forms only back here.
fn html(status: StatusCode, text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    let policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                  frame-ancestors 'none'; base-uri 'none'";
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    // With no referrer at all a browser says that forms come from nowhere, and they would not be taken.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}
