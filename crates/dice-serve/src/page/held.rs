//! What was not told, or not yet, and why.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;

use super::words::{Grouped, Words};
use super::{Frame, ROWS, Read, Tab, Trouble, Visitor, page};
use crate::api::Api;
use crate::form::Asked;
use crate::part::{Part, Span};
use crate::view::{Delivery, Noted};

/// Milliseconds of records that are looked at.
const RECORDS_MS: i64 = 7 * 24 * 3_600_000;
/// States of deliveries that people ask about, in words.
const STATES: [(&str, &str); 5] = [
    ("held", "Held"),
    ("suppressed", "Suppressed"),
    ("retry", "Tried again"),
    ("dead", "Given up"),
    ("sent", "Sent"),
];

pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new().route("/held", get(held)).route("/records", get(records))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    state: Option<String>,
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "held.html")]
struct Held {
    frame: Frame,
    /// The state that is shown; empty for whatever did not go out as it should.
    state: &'static str,
    deliveries: Vec<Delivery>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "records.html")]
struct Records {
    frame: Frame,
    records: Vec<Noted>,
    next: Option<String>,
}

async fn held(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Read(Asked(Wanted { state, cursor })): Read<Asked<Wanted>>,
) -> Result<Response, Trouble> {
    let known = STATES.iter().map(|(state, _)| *state).find(|known| Some(*known) == state.as_deref());
    let deliveries = api
        .look(move |desk| {
            let mut deliveries = desk.outbox(known)?;
            if known.is_none() {
                deliveries.retain(|each| {
                    matches!(each.state.as_str(), "held" | "suppressed" | "retry" | "ambiguous" | "dead")
                });
            }
            Ok(deliveries)
        })
        .await?;
    let Part { items, next } = Span { limit: Some(ROWS), cursor }.of(deliveries)?;
    let frame = Frame::new("Not told, and why", Tab::Held, visitor);
    Ok(page(StatusCode::OK, &Held { frame, state: known.unwrap_or_default(), deliveries: items, next }))
}

async fn records(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Read(Asked(Wanted { cursor, .. })): Read<Asked<Wanted>>,
) -> Result<Response, Trouble> {
    let since_ms = visitor.now_ms.saturating_sub(RECORDS_MS);
    let records = api.look(move |desk| desk.records(since_ms)).await?;
    let Part { items, next } = Span { limit: Some(ROWS), cursor }.of(records)?;
    let frame = Frame::new("What was held, merged or hidden", Tab::Held, visitor);
    Ok(page(StatusCode::OK, &Records { frame, records: items, next }))
}
