//! What is open.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use dice_route::Act;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::hiding::change;
use crate::desk::{Desk, Found, NotFound};
use crate::form::{Acts, Asked, Head, Id, Reads};
use crate::gate::Caller;
use crate::json::json;
use crate::part::{Part, Span};
use crate::problem::Problem;
use crate::view::{Episode, Story};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(episodes))
        .routes(routes!(episode))
        .routes(routes!(ack))
        .routes(routes!(unack))
        .routes(routes!(resolve))
}

/// Which episodes are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Ended {
    /// Those that ended, too.
    #[serde(default)]
    all: bool,
    /// How many at most: 100 where nothing is said, 1,000 at most.
    limit: Option<usize>,
    /// Where to go on: `next` of the part before.
    cursor: Option<String>,
}

/// Lists what is open, the last first; behind that, where it is asked for, what ended.
#[utoipa::path(get, path = "/api/v1/episodes", tag = "state", params(Ended),
    responses((status = 200, body = Part<Episode>)))]
async fn episodes(
    State(api): State<Arc<Api>>,
    Reads(_): Reads,
    Asked(Ended { all, limit, cursor }): Asked<Ended>,
) -> Result<Response, Problem> {
    let episodes = api.look(move |desk| desk.episodes(all)).await?;
    Ok(json(StatusCode::OK, &Span { limit, cursor }.of(episodes)?))
}

/// Gives an episode with everything that happened to it; the first digits of its id are enough.
#[utoipa::path(get, path = "/api/v1/episodes/{id}", tag = "state", params(("id" = String, Path)),
    responses((status = 200, body = Story)))]
async fn episode(State(api): State<Arc<Api>>, Reads(_): Reads, Id(id): Id) -> Result<Response, Problem> {
    Ok(json(StatusCode::OK, &api.look(move |desk| desk.episode(&id)).await?))
}

async fn act(api: &Api, caller: &Caller, head: &Head, id: String, act: Act) -> Result<Response, Problem> {
    let is_there = move |desk: &dyn Desk| -> Found<bool> {
        match desk.episode(&id) {
            Err(NotFound::Absent) => Ok(false),
            found => found.map(|_| true),
        }
    };
    change(api, caller, head, act, is_there).await
}

/// Makes the handler of something that is done to an episode.
macro_rules! handler {
    ($doc:literal, $path:literal, $name:ident, $act:ident) => {
        #[doc = $doc]
        #[utoipa::path(post, summary = $doc, path = $path, tag = "state",
                            params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
                            responses((status = 200, body = super::Done)))]
        async fn $name(
            State(api): State<Arc<Api>>,
            Acts(caller): Acts,
            Id(id): Id,
            head: Head,
        ) -> Result<Response, Problem> {
            let episode = id.clone();
            act(&api, &caller, &head, id, Act::$act { episode }).await
        }
    };
}

handler!("Says that the caller is on it.", "/api/v1/episodes/{id}/ack", ack, Ack);
handler!("Says that nobody is on it after all.", "/api/v1/episodes/{id}/unack", unack, Unack);
handler!("Ends an episode.", "/api/v1/episodes/{id}/resolve", resolve, Resolve);
