//! What is told, what is not, and why.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use crate::Time;
use crate::desk::{NotFound, Why};
use crate::form::{Asked, Id, Reads};
use crate::json::json;
use crate::part::{Part, Span};
use crate::problem::Problem;
use crate::view::{Delivery, Digest, Noisy, Noted};

/// Hours that are counted where nothing is said.
const DAY_HOURS: u32 = 24;
/// Hours that are counted at most.
const MAX_HOURS: u32 = 7 * 24;
/// The states of a delivery.
const STATES: [&str; 8] = ["pending", "held", "sending", "retry", "ambiguous", "sent", "suppressed", "dead"];

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(outbox))
        .routes(routes!(delivery))
        .routes(routes!(records))
        .routes(routes!(why))
        .routes(routes!(who))
        .routes(routes!(digests))
        .routes(routes!(digest))
        .routes(routes!(messages))
}

/// Which deliveries are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Standing {
    /// `pending`, `held`, `sending`, `retry`, `ambiguous`, `sent`, `suppressed` or `dead`.
    state: Option<String>,
    /// How many at most: 100 where nothing is said, 1,000 at most.
    limit: Option<usize>,
    /// Where to go on: `next` of the part before.
    cursor: Option<String>,
}

/// Which records are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Since {
    /// Since when; a day where nothing is said.
    since: Option<Time>,
    /// How many at most: 100 where nothing is said, 1,000 at most.
    limit: Option<usize>,
    /// Where to go on: `next` of the part before.
    cursor: Option<String>,
}

/// What is asked about: one of the two.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct About {
    /// A line of a log.
    line: Option<String>,
    /// An id of anything, or the first digits of it.
    id: Option<String>,
}

/// The line that is asked about.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Line {
    /// A line of a log.
    line: String,
}

/// Which messages are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Loud {
    /// Whose.
    owner: Option<String>,
    /// Hours that are counted: 24 where nothing is said, 168 at most.
    hours: Option<u32>,
    /// How many at most: 100 where nothing is said, 1,000 at most.
    limit: Option<usize>,
    /// Where to go on: `next` of the part before.
    cursor: Option<String>,
}

/// Answers to a question that may mean several things.
#[derive(Debug, Serialize, ToSchema)]
struct Answers {
    /// An object for each, as the terminal's command prints it with `--format json`.
    #[schema(value_type = Vec<Object>)]
    items: Vec<Value>,
}

/// Lists deliveries, the last first.
#[utoipa::path(get, path = "/api/v1/outbox", tag = "state", params(Standing),
    responses((status = 200, body = Part<Delivery>)))]
async fn outbox(
    State(api): State<Arc<Api>>,
    Reads(_): Reads,
    Asked(Standing { state, limit, cursor }): Asked<Standing>,
) -> Result<Response, Problem> {
    if let Some(state) = state.as_deref().filter(|state| !STATES.contains(state)) {
        return Err(Problem::bad_request("there is no such state")
            .wanted(STATES.join(", "))
            .found(state)
            .next("leave ?state out for all"));
    }
    let deliveries = api.look(move |desk| desk.outbox(state.as_deref())).await?;
    Ok(json(StatusCode::OK, &Span { limit, cursor }.of(deliveries)?))
}

/// Gives a delivery; the first digits of its id are enough.
#[utoipa::path(get, path = "/api/v1/outbox/{id}", tag = "state", params(("id" = String, Path)),
    responses((status = 200, body = Delivery)))]
async fn delivery(State(api): State<Arc<Api>>, Reads(_): Reads, Id(id): Id) -> Result<Response, Problem> {
    Ok(json(StatusCode::OK, &api.look(move |desk| desk.delivery(&id)).await?))
}

/// Lists what was suppressed, held, merged or late, and what people did, the last first.
#[utoipa::path(get, path = "/api/v1/records", tag = "state", params(Since),
    responses((status = 200, body = Part<Noted>)))]
async fn records(
    State(api): State<Arc<Api>>,
    Reads(_): Reads,
    Asked(Since { since, limit, cursor }): Asked<Since>,
) -> Result<Response, Problem> {
    let day_ms = i64::from(DAY_HOURS) * 3_600_000;
    let since_ms = since.map_or_else(|| api.desk.now_ms().saturating_sub(day_ms), |since| since.0);
    let records = api.look(move |desk| desk.records(since_ms)).await?;
    Ok(json(StatusCode::OK, &Span { limit, cursor }.of(records)?))
}

/// Says why a line, or what an id names, did or did not reach somebody.
#[utoipa::path(get, path = "/api/v1/why", tag = "state", params(About),
    responses((status = 200, body = Answers)))]
async fn why(
    State(api): State<Arc<Api>>,
    Reads(_): Reads,
    Asked(about): Asked<About>,
) -> Result<Response, Problem> {
    let asked = match about {
        About { line: Some(line), id: None } => Why::Line(line),
        About { line: None, id: Some(id) } => Why::Id(id),
        About { line, .. } => {
            return Err(Problem::bad_request("why what?")
                .wanted("?line or ?id")
                .found(if line.is_some() { "both" } else { "neither" })
                .next("ask about one"));
        }
    };
    Ok(json(StatusCode::OK, &Answers { items: api.look(move |desk| desk.why(&asked)).await? }))
}

/// Says who owns a line.
#[utoipa::path(get, path = "/api/v1/who", tag = "state", params(Line),
    responses((status = 200, body = Answers)))]
async fn who(
    State(api): State<Arc<Api>>,
    Reads(_): Reads,
    Asked(Line { line }): Asked<Line>,
) -> Result<Response, Problem> {
    Ok(json(StatusCode::OK, &Answers { items: api.look(move |desk| desk.who(&line)).await? }))
}

/// Lists what waits in digests, by reader.
#[utoipa::path(get, path = "/api/v1/digests", tag = "state", params(Span),
    responses((status = 200, body = Part<Digest>)))]
async fn digests(
    State(api): State<Arc<Api>>,
    Reads(_): Reads,
    Asked(span): Asked<Span>,
) -> Result<Response, Problem> {
    Ok(json(StatusCode::OK, &span.of(api.look(|desk| desk.digests(None)).await?)?))
}

/// Gives what somebody would read now. `#` is written as %23 in the path, and `/` as %2F.
#[utoipa::path(get, path = "/api/v1/digests/{owner}", tag = "state", params(("owner" = String, Path)),
    responses((status = 200, body = Digest)))]
async fn digest(State(api): State<Arc<Api>>, Reads(_): Reads, Id(owner): Id) -> Result<Response, Problem> {
    let found = api.look(move |desk| desk.digests(Some(&owner))).await?;
    Ok(json(StatusCode::OK, &found.into_iter().next().ok_or(NotFound::Absent)?))
}

/// Lists the messages that came most often.
#[utoipa::path(get, path = "/api/v1/messages", tag = "state", params(Loud),
    responses((status = 200, body = Part<Noisy>)))]
async fn messages(
    State(api): State<Arc<Api>>,
    Reads(_): Reads,
    Asked(Loud { owner, hours, limit, cursor }): Asked<Loud>,
) -> Result<Response, Problem> {
    let hours = hours.unwrap_or(DAY_HOURS);
    if !(1..=MAX_HOURS).contains(&hours) {
        return Err(Problem::bad_request("cannot count that")
            .wanted(format!("?hours from 1 to {MAX_HOURS}"))
            .found(hours.to_string())
            .next("leave it out for a day"));
    }
    let messages = api.look(move |desk| desk.noisiest(owner.as_deref(), hours)).await?;
    Ok(json(StatusCode::OK, &Span { limit, cursor }.of(messages)?))
}
