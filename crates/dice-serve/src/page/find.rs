//! Whose is this line?

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use serde_json::Value;

use super::words::{Grouped, Words, text};
use super::{Frame, Read, Tab, Trouble, Visitor, page};
use crate::api::Api;
use crate::form::Asked;

/// Bytes of a line that are asked about.
const MAX_LINE_BYTES: usize = 8_192;
/// Answers that are shown.
const SHOWN: usize = 20;

pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new().route("/who", get(who))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    line: String,
}

/// An answer of `who`.
struct Found {
    is_matched: bool,
    template: String,
    place: String,
    level: String,
    reason: String,
    summary: String,
    author: String,
    url: String,
    /// Name, why, and what would be told.
    owners: Vec<[String; 3]>,
    /// Other places that could have printed it.
    others: Vec<String>,
}

#[derive(Template)]
#[template(path = "find.html")]
struct Find {
    frame: Frame,
    line: String,
    found: Vec<Found>,
    more: usize,
}

async fn who(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Read(Asked(Wanted { line })): Read<Asked<Wanted>>,
) -> Result<Response, Trouble> {
    let line = line.trim().to_owned();
    if line.len() > MAX_LINE_BYTES {
        return Err(crate::problem::Problem::bad_request("that is a long line")
            .wanted(format!("{MAX_LINE_BYTES} bytes at most"))
            .found("more")
            .next("give its beginning")
            .into());
    }
    let answers = if line.is_empty() {
        Vec::new()
    } else {
        let asked = line.clone();
        api.look(move |desk| desk.who(&asked)).await?
    };
    let more = answers.len().saturating_sub(SHOWN);
    let found = answers.iter().take(SHOWN).map(Found::of).collect();
    let frame = Frame::new("Whose line is it?", Tab::Find, visitor);
    Ok(page(StatusCode::OK, &Find { frame, line, found, more }))
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// `file:line` of a statement.
fn place(value: &Value) -> String {
    let file = text(value, "file");
    match value.get("source_line").and_then(Value::as_u64) {
        Some(line) if !file.is_empty() => format!("{file}:{line}"),
        _ => file,
    }
}

impl Found {
    fn of(answer: &Value) -> Found {
        let repo = text(answer, "repo");
        let at = place(answer);
        let author = answer.get("author").unwrap_or(&Value::Null);
        let known = answer.get("matched").and_then(Value::as_bool);
        let others = list(answer, "statements").chain(list(answer, "weak")).map(place);
        Found {
            is_matched: known.unwrap_or(!at.is_empty()),
            template: text(answer, "template"),
            level: text(answer, "level"),
            reason: text(answer, "reason"),
            summary: text(answer, "summary"),
            author: [text(author, "name"), text(author, "email")].join(" ").trim().to_owned(),
            url: text(answer, "url"),
            owners: list(answer, "owners")
                .map(|owner| ["name", "why", "decision"].map(|field| text(owner, field)))
                .collect(),
            others: others.filter(|other| !other.is_empty() && *other != at).take(SHOWN).collect(),
            place: if repo.is_empty() { at } else { format!("{repo} {at}") },
        }
    }
}
