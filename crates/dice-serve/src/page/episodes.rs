//! What is going on, and an episode with everything that happened to it.

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
use crate::form::{Asked, Id};
use crate::part::{Part, Span};
use crate::view::{Episode, Story};

/// Notices, records and moments of an episode that are shown.
const SHOWN: usize = 200;

pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new().route("/episodes", get(episodes)).route("/episodes/{id}", get(episode))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    all: bool,
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "episodes.html")]
struct Episodes {
    frame: Frame,
    is_all: bool,
    episodes: Vec<Episode>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "episode.html")]
struct Told {
    frame: Frame,
    story: Story,
    /// Moments that are left out.
    more_moments: usize,
    more_notices: usize,
    more_records: usize,
    owners: Vec<String>,
}

async fn episodes(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Read(Asked(Wanted { all, cursor })): Read<Asked<Wanted>>,
) -> Result<Response, Trouble> {
    let episodes = api.look(move |desk| desk.episodes(all)).await?;
    let Part { items, next } = Span { limit: Some(ROWS), cursor }.of(episodes)?;
    let title = if all { "All episodes" } else { "Open episodes" };
    let frame = Frame::new(title, Tab::Episodes, visitor);
    Ok(page(StatusCode::OK, &Episodes { frame, is_all: all, episodes: items, next }))
}

async fn episode(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Read(Id(id)): Read<Id>,
) -> Result<Response, Trouble> {
    let mut story = api.look(move |desk| desk.episode(&id)).await?;
    let more = |n: usize| n.saturating_sub(SHOWN);
    let (more_moments, more_notices) = (more(story.timeline.len()), more(story.notices.len()));
    let more_records = more(story.records.len());
    // What is latest is what is looked for.
    story.timeline.drain(..more_moments);
    story.notices.truncate(SHOWN);
    story.records.truncate(SHOWN);
    let owners = story.episode.owners.iter().map(|owner| owner.name.clone()).collect();
    let frame = Frame::new(story.episode.title.cut(200), Tab::Episodes, visitor);
    Ok(page(StatusCode::OK, &Told { frame, story, more_moments, more_notices, more_records, owners }))
}
