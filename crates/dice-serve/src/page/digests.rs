//! Digests, as the person will see them.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use dice_route::Notice;
use serde::Deserialize;

use super::words::{Grouped, Words};
use super::{Frame, ROWS, Read, Tab, Trouble, Visitor, page};
use crate::api::Api;
use crate::desk::NotFound;
use crate::form::{Asked, Id};
use crate::part::{Part, Span};
use crate::view::Digest;

pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new().route("/digests", get(digests)).route("/digests/{owner}", get(digest))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "digests.html")]
struct Digests {
    frame: Frame,
    digests: Vec<Digest>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "digest.html")]
struct Preview {
    frame: Frame,
    digest: Digest,
    notice: Option<Notice>,
}

async fn digests(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Read(Asked(Wanted { cursor })): Read<Asked<Wanted>>,
) -> Result<Response, Trouble> {
    let digests = api.look(|desk| desk.digests(None)).await?;
    let Part { items, next } = Span { limit: Some(ROWS), cursor }.of(digests)?;
    let frame = Frame::new("Digests", Tab::Digests, visitor);
    Ok(page(StatusCode::OK, &Digests { frame, digests: items, next }))
}

async fn digest(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Read(Id(owner)): Read<Id>,
) -> Result<Response, Trouble> {
    let found = api.look(move |desk| desk.digests(Some(&owner))).await?;
    let mut digest = found.into_iter().next().ok_or(NotFound::Absent)?;
    let notice = digest.notice.take().and_then(|notice| serde_json::from_value(notice).ok());
    let frame = Frame::new(format!("Digest of {}", digest.reader.plain()), Tab::Digests, visitor);
    Ok(page(StatusCode::OK, &Preview { frame, digest, notice }))
}
