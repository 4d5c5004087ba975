//! The style and the picture of all pages.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::Response;
use axum::routing::get;

use crate::api::Api;

const STYLE: &[u8] = include_bytes!("../../templates/page.css");
const ICON: &[u8] = include_bytes!("../../templates/favicon.svg");

/// What this style is called, so that a browser may keep it for ever.
static VERSION: LazyLock<String> = LazyLock::new(|| dice_route::name(&[STYLE]).to_string());

/// Where the style is.
pub(super) fn style_path() -> String {
    format!("/assets/{}/page.css", *VERSION)
}

pub(super) fn routes() -> Router<Arc<Api>> {
    let icon = || get(async || asset(ICON, "image/svg+xml", "public, max-age=604800"));
    Router::new()
        .route("/assets/{version}/page.css", get(style))
        .route("/favicon.svg", icon())
        .route("/favicon.ico", icon())
}

/// An older page may ask for an older style: it has this one, for now.
async fn style(Path(version): Path<String>) -> Response {
    let is_this = version == *VERSION;
    let kept = if is_this { "public, max-age=31536000, immutable" } else { "no-cache" };
    asset(STYLE, "text/css; charset=utf-8", kept)
}

fn asset(bytes: &'static [u8], kind: &'static str, kept: &'static str) -> Response {
    let mut response = Response::new(Body::from(bytes));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(kept));
    response
}
