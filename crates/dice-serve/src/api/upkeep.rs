//! How Dice itself does.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use crate::desk::Health;
use crate::form::{Anybody, Reads};
use crate::json::json;
use crate::metrics::{MEDIA, text};
use crate::problem::Problem;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(metrics)).routes(routes!(healthz)).routes(routes!(readyz))
}

/// Whether Dice can do its work.
#[derive(Debug, Serialize, ToSchema)]
struct Ready {
    /// Whether all of it is well.
    ready: bool,
    /// Whether all sources can be read.
    sources: bool,
    /// Whether the store takes commits.
    store: bool,
    /// Whether commits come as often as they should.
    commits: bool,
    /// Milliseconds since the last commit.
    commit_age_ms: Option<u64>,
}

/// What was taken.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what the handler of lines answers")]
struct LinesTaken {
    /// How many lines there were.
    lines: u64,
    /// Bytes of lines longer than the limit that were left out.
    cut_bytes: u64,
}

/// Takes lines, a source's or the only one's. Answered after the commit.
#[utoipa::path(post, path = "/v1/lines", tag = "letters",
    params(("source" = Option<String>, Query, description = "The source; not needed where there is one."),
        ("Idempotency-Key" = Option<String>, Header)),
    request_body(content((String = "text/plain"), (String = "application/x-ndjson"))),
    responses((status = 200, body = LinesTaken)))]
#[expect(dead_code, reason = "it stands for the handler that is generic over what lines become")]
pub(super) fn lines() {}

/// Gives what was counted, in the OpenMetrics text format.
#[utoipa::path(get, path = "/metrics", tag = "upkeep",
    responses((status = 200, body = String, content_type = "application/openmetrics-text")))]
async fn metrics(State(api): State<Arc<Api>>, Reads(_): Reads) -> Result<Response, Problem> {
    let mut families = api.look(|desk| Ok(desk.metrics())).await?;
    families.push(api.requests.family());
    let mut response = Response::new(Body::from(text(&families)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA));
    Ok(response)
}

/// Says that the process lives.
#[utoipa::path(get, path = "/healthz", security(()), tag = "upkeep", responses((status = 200, body = String)))]
async fn healthz(Anybody: Anybody) -> &'static str {
    "alive\n"
}

/// Says whether Dice can do its work: sources open, store writable, commits on time. 503 where it cannot.
#[utoipa::path(get, path = "/readyz", security(()), tag = "upkeep",
    responses((status = 200, body = Ready), (status = 503, body = Ready)))]
async fn readyz(State(api): State<Arc<Api>>, Anybody: Anybody) -> Response {
    let Health { closed_sources, is_writable, commit_age_ms, is_late } = api.desk.health();
    let sources = closed_sources.is_empty();
    let ready = sources && is_writable && !is_late;
    let shown = Ready { ready, sources, store: is_writable, commits: !is_late, commit_age_ms };
    json(if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, &shown)
}
