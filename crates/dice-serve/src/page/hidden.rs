//! Snoozes, mutes, silences and what people said about owners, each with its undo.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;

use super::draft::{DROP, Draft, LENGTHS};
use super::words::{Grouped, Words};
use super::{Frame, ROWS, Read, Tab, Trouble, Visitor, page};
use crate::api::Api;
use crate::form::Asked;
use crate::part::{Part, Placed, Span};
use crate::view::{Override, Silence, Snooze};

pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new().route("/hidden", get(hidden))
}

/// Where each of the lists goes on, and what stands in the form of a silence.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    snoozes: Option<String>,
    silences: Option<String>,
    overrides: Option<String>,
    what: String,
    length: String,
    reason: String,
    receiver: String,
    end: String,
}

#[derive(Template)]
#[template(path = "hidden.html")]
struct Hidden {
    frame: Frame,
    snoozes: Part<Snooze>,
    silences: Part<Silence>,
    overrides: Part<Override>,
    draft: Draft,
}

async fn hidden(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Read(Asked(wanted)): Read<Asked<Wanted>>,
) -> Result<Response, Trouble> {
    let looked = api.look(|desk| Ok((desk.snoozes()?, desk.silences(false)?, desk.overrides()?))).await?;
    let (snoozes, silences, overrides) = looked;
    let Wanted { what, length, reason, receiver, end, .. } = wanted;
    let draft = Draft { what, length, reason, receiver, end };
    let shown = Hidden {
        frame: Frame::new("Hidden, and by whom", Tab::Hidden, visitor),
        snoozes: part(snoozes, wanted.snoozes)?,
        silences: part(silences, wanted.silences)?,
        overrides: part(overrides, wanted.overrides)?,
        draft,
    };
    Ok(page(StatusCode::OK, &shown))
}

fn part<T: Placed>(items: Vec<T>, cursor: Option<String>) -> Result<Part<T>, Trouble> {
    Ok(Span { limit: Some(ROWS), cursor }.of(items)?)
}
