//! Everything that is known about one thing: what `dice why` says, and what can be done about it.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::words::{Grouped, Words, text};
use super::{Frame, Read, Tab, Trouble, Visitor, page};
use crate::Time;
use crate::api::Api;
use crate::desk::{NotFound, Why};
use crate::form::Asked;
use crate::problem::Problem;
use crate::view::{Answerable, Delivery, Episode, Host, Noted, Veil};

/// Rows of each kind that are shown.
const SHOWN: usize = 50;

pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new().route("/why", get(why))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    id: String,
    line: String,
}

/// A statement, and who answers for it now.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Statement {
    message: String,
    repo: String,
    place: String,
    level: Option<String>,
    template: String,
    author: Option<String>,
    url: Option<String>,
    is_outdated: bool,
    owners: Vec<Answerable>,
    reason: String,
    said: Option<Value>,
    #[serde(skip)]
    names: Vec<String>,
}

/// What came under one deduplication key.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Occurrences {
    alert: String,
    count: u64,
    first: Option<Time>,
    last: Option<Time>,
    hosts: Vec<Host>,
    more_hosts: u64,
    sample: String,
}

/// Everything that is known about one thing.
#[derive(Debug)]
struct Dossier {
    what: String,
    id: String,
    title: String,
    statements: Vec<Statement>,
    occurrences: Vec<Occurrences>,
    episodes: Vec<Episode>,
    hidden: Vec<Veil>,
    notice: Option<Delivery>,
    notices: Vec<Delivery>,
    records: Vec<Noted>,
    /// What it says where nothing of it is understood here.
    rest: Option<String>,
}

#[derive(Template)]
#[template(path = "why.html")]
struct Shown {
    frame: Frame,
    line: String,
    dossiers: Vec<Dossier>,
}

/// The items that can be read; another version of Dice may have others.
fn list<T: DeserializeOwned>(value: &Value, name: &str) -> Vec<T> {
    let items = value.get(name).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| serde_json::from_value(item.clone()).ok()).take(SHOWN).collect()
}

impl Dossier {
    fn of(value: &Value) -> Dossier {
        let mut dossier = Dossier {
            what: text(value, "what"),
            id: text(value, "id"),
            title: String::new(),
            statements: list(value, "statements"),
            occurrences: list(value, "occurrences"),
            episodes: list(value, "episodes"),
            hidden: list(value, "hidden"),
            notice: value.get("notice").and_then(|notice| serde_json::from_value(notice.clone()).ok()),
            notices: list(value, "notices"),
            records: list(value, "records"),
            rest: None,
        };
        for statement in &mut dossier.statements {
            statement.names = statement.owners.iter().map(|owner| owner.name.clone()).collect();
        }
        let template = dossier.statements.first().map(|statement| statement.template.clone());
        let episode = dossier.episodes.first().map(|episode| episode.title.clone());
        let notice = dossier.notice.as_ref().map(|notice| notice.title.clone());
        let title = notice.or(template).or(episode);
        dossier.title = title.unwrap_or_else(|| format!("{} {}", dossier.what, dossier.id));
        if dossier.what.is_empty() {
            dossier.rest = serde_json::to_string_pretty(value).ok();
        }
        dossier
    }
}

async fn why(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Read(Asked(Wanted { id, line })): Read<Asked<Wanted>>,
) -> Result<Response, Trouble> {
    let asked = match (id.trim(), line.trim()) {
        ("", "") => {
            return Err(Problem::bad_request("why what?")
                .wanted("a line or an id")
                .found("neither")
                .next("find the line first")
                .into());
        }
        ("", line) => Why::Line(line.to_owned()),
        (id, _) => Why::Id(id.to_owned()),
    };
    let found = api.look(move |desk| desk.why(&asked)).await?;
    if found.is_empty() {
        return Err(NotFound::Absent.into());
    }
    let dossiers: Vec<Dossier> = found.iter().take(SHOWN).map(Dossier::of).collect();
    let title = match &dossiers[..] {
        [one] => one.title.cut(200).into_owned(),
        _ => "Several things are meant".to_owned(),
    };
    let frame = Frame::new(title, Tab::Other, visitor);
    Ok(page(StatusCode::OK, &Shown { frame, line: line.trim().to_owned(), dossiers }))
}
