//! The messages that came most often, by owner and all of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;

use super::spark::Spark;
use super::words::{Grouped, Words};
use super::{Frame, ROWS, Read, Tab, Trouble, Visitor, page};
use crate::api::Api;
use crate::desk::Health;
use crate::form::Asked;
use crate::part::{Part, Span};
use crate::view::{Episode, Noisy};

/// Owners on one page.
const OWNERS: usize = 12;
/// Messages of each.
const MESSAGES: usize = 5;
/// The times that can be asked for, in hours.
const SPANS: [(u32, &str); 3] = [(24, "24 hours"), (72, "3 days"), (168, "7 days")];
/// How grave episodes are, the gravest first, and what others are.
const SEVERITIES: [&str; 4] = ["critical", "high", "medium", "low"];
const OTHER: &str = "other";
/// Who has what has no owner.
const NOBODY: &str = "nobody";

pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new().route("/", get(by_owner)).route("/messages", get(messages))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    hours: Option<u32>,
    page: Option<usize>,
    owner: Option<String>,
    cursor: Option<String>,
}

impl Wanted {
    /// The hours that are counted: one of those that can be asked for.
    fn hours(&self) -> u32 {
        let known = SPANS.iter().map(|(hours, _)| *hours);
        self.hours.filter(|hours| known.clone().any(|known| known == *hours)).unwrap_or(SPANS[0].0)
    }
}

/// A message in a row.
struct Row {
    noisy: Noisy,
    spark: Option<Spark>,
}

impl Row {
    fn new(noisy: Noisy) -> Row {
        Row { spark: Spark::of(&noisy.hours), noisy }
    }
}

/// Somebody's messages, the noisiest of them.
struct Share {
    owner: String,
    count: u64,
    messages: usize,
    rows: Vec<Row>,
}

#[derive(Template)]
#[template(path = "noise.html")]
struct Noise {
    frame: Frame,
    hours: u32,
    shares: Vec<Share>,
    owners: usize,
    page: usize,
    has_more: bool,
    health: Health,
    /// How many episodes are open, of each severity, the gravest first.
    open: Vec<(&'static str, usize)>,
}

#[derive(Template)]
#[template(path = "messages.html")]
struct Messages {
    frame: Frame,
    hours: u32,
    owner: Option<String>,
    rows: Vec<Row>,
    next: Option<String>,
}

/// All owners with their messages, the noisiest first. What several answer for counts for each of them.
fn shares(noisy: &[Noisy]) -> Vec<(String, u64, Vec<&Noisy>)> {
    let mut by_owner: BTreeMap<&str, (u64, Vec<&Noisy>)> = BTreeMap::new();
    for message in noisy {
        let mut names: Vec<&str> = message.owners.iter().map(|owner| owner.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        if names.is_empty() {
            names.push(NOBODY);
        }
        for name in names {
            let (count, messages) = by_owner.entry(name).or_default();
            *count = count.saturating_add(message.count);
            messages.push(message);
        }
    }
    let mut shares: Vec<_> =
        by_owner.into_iter().map(|(owner, (count, messages))| (owner.to_owned(), count, messages)).collect();
    for (_, _, messages) in &mut shares {
        messages.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.message.cmp(&b.message)));
    }
    shares.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    shares
}

/// How many episodes are open of each severity, the gravest first.
fn open(episodes: &[Episode]) -> Vec<(&'static str, usize)> {
    let of = |word: &'static str| {
        let is_it = |episode: &&Episode| match word {
            OTHER => !SEVERITIES.contains(&episode.severity.as_str()),
            word => episode.severity == word,
        };
        (word, episodes.iter().filter(|episode| episode.state != "closed").filter(is_it).count())
    };
    SEVERITIES.into_iter().chain([OTHER]).map(of).filter(|(_, n)| *n > 0).collect()
}

async fn by_owner(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Read(Asked(wanted)): Read<Asked<Wanted>>,
) -> Result<Response, Trouble> {
    let (hours, page_no) = (wanted.hours(), wanted.page.unwrap_or(1).max(1));
    let looked = api.look(move |desk| {
        let noisy = desk.noisiest(None, hours)?;
        let all = shares(&noisy);
        let before = (page_no - 1).saturating_mul(OWNERS);
        let shown = all.iter().skip(before).take(OWNERS).map(|(owner, count, messages)| Share {
            owner: owner.clone(),
            count: *count,
            messages: messages.len(),
            rows: messages.iter().take(MESSAGES).map(|noisy| Row::new((*noisy).clone())).collect(),
        });
        Ok((shown.collect::<Vec<_>>(), all.len(), desk.health(), open(&desk.episodes(false)?)))
    });
    let (shares, owners, health, open) = looked.await?;
    let has_more = page_no.saturating_mul(OWNERS) < owners;
    let frame = Frame::new("Noisiest messages", Tab::Noise, visitor);
    Ok(page(StatusCode::OK, &Noise { frame, hours, shares, owners, page: page_no, has_more, health, open }))
}

async fn messages(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Read(Asked(wanted)): Read<Asked<Wanted>>,
) -> Result<Response, Trouble> {
    let hours = wanted.hours();
    let owner = wanted.owner.filter(|owner| !owner.is_empty());
    let asked = owner.clone();
    let noisy = api
        .look(move |desk| match asked.as_deref() {
            Some(NOBODY) => {
                let mut all = desk.noisiest(None, hours)?;
                all.retain(|noisy| noisy.owners.is_empty());
                Ok(all)
            }
            asked => desk.noisiest(asked, hours),
        })
        .await?;
    let Part { items, next } = Span { limit: Some(ROWS), cursor: wanted.cursor }.of(noisy)?;
    let title = match &owner {
        Some(owner) => format!("Messages of {}", owner.plain()),
        None => "All messages".to_owned(),
    };
    let rows = items.into_iter().map(Row::new).collect();
    let frame = Frame::new(title, Tab::Noise, visitor);
    Ok(page(StatusCode::OK, &Messages { frame, hours, owner, rows, next }))
}
