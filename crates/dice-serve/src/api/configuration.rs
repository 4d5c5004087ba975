//! Rules, routes and the versions of what the API manages.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::ETAG;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use toml::Table;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use crate::desk::{Backtest, Desk, Found, NotFound};
use crate::form::{Asked, Configures, Head, Id, Json, Reads, media, parse, read, unsupported};
use crate::gate::Caller;
use crate::json::json;
use crate::managed::{Base, Change, ChangeRefused, Changed, Edit, Kind, Version, toml_of};
use crate::part::{Part, Span};
use crate::problem::{Problem, quoted};
use crate::view::{Backtested, Defined, Effective, Origin};
use crate::{Ask, Fault, Time};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(list_rules))
        .routes(routes!(get_rule, put_rule, delete_rule))
        .routes(routes!(list_routes))
        .routes(routes!(get_route, put_route, delete_route))
        .routes(routes!(config))
        .routes(routes!(versions))
        .routes(routes!(version))
        .routes(routes!(rollback))
        .routes(routes!(backtest))
}

/// Whether it is only tried.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Trial {
    /// Says what would change, and changes nothing.
    #[serde(default)]
    dry_run: bool,
    /// Why, for those who read the versions; where there is no body.
    comment: Option<String>,
}

/// A rule or a route to be written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Written {
    /// What would stand in a file, as JSON. The id is that of the path.
    #[schema(value_type = Object)]
    body: Map<String, Value>,
    /// Why, for those who read the versions.
    comment: Option<String>,
}

/// Which version is brought back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Back {
    /// Its number; 0 for the empty one.
    to: u64,
    /// Why, for those who read the versions.
    comment: Option<String>,
}

/// A version without its text.
#[derive(Debug, Serialize, ToSchema)]
struct Brief {
    /// Counts from 1.
    number: u64,
    /// Names the content.
    etag: String,
    /// Who.
    actor: String,
    /// When.
    at: Time,
    /// Why.
    comment: Option<String>,
    /// What they did, in words.
    did: String,
}

impl Brief {
    fn of(version: Version) -> Brief {
        let Version { number, etag, actor, at, comment, did, .. } = version;
        Brief { number, etag, actor, at, comment, did }
    }
}

/// What a change has done, or would do.
#[derive(Debug, Serialize, ToSchema)]
struct Outcome {
    /// Whether it was only tried.
    dry_run: bool,
    /// The version that follows.
    version: Brief,
    /// What is different in the configuration that takes effect.
    differences: Vec<String>,
    /// What is strange about it.
    warnings: Vec<Fault>,
}

/// The configuration in force, with the version of what is managed here.
#[derive(Debug, Serialize, ToSchema)]
struct Shown {
    /// The version that holds.
    version: Brief,
    /// What is managed here, as TOML.
    managed: String,
    /// All of it together.
    #[serde(flatten)]
    effective: Effective,
}

/// What is to be tried on lines.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Tried {
    /// The lines, separated by newlines.
    lines: String,
    /// The source whose format they have.
    source: Option<String>,
    /// Rules to be tried, by id; `null` for one that is to be gone.
    #[serde(default)]
    #[schema(value_type = Object)]
    rules: Map<String, Value>,
    /// Routes to be tried, by id; `null` for one that is to be gone.
    #[serde(default)]
    #[schema(value_type = Object)]
    routes: Map<String, Value>,
}

impl From<ChangeRefused> for Problem {
    fn from(refused: ChangeRefused) -> Problem {
        match refused {
            ChangeRefused::Stale { etag, number } => {
                Problem::new(StatusCode::PRECONDITION_FAILED, "the configuration has changed since")
                    .wanted("the ETag of what is there")
                    .found(format!("another one; version {number} holds, \"{etag}\""))
                    .next("look at what is there, and change that")
                    .etag(&etag)
            }
            ChangeRefused::InFile { file, line } => {
                Problem::new(StatusCode::CONFLICT, "it is written in a file")
                    .wanted("a rule or a route that is managed here, or a new id")
                    .found(format!("one of that id in {file}, line {line}"))
                    .next("change it there, or take another id")
                    .at(format!("{file}:{line}"))
            }
            ChangeRefused::Absent => Problem::from(NotFound::Absent),
            ChangeRefused::Wrong(faults) => {
                let first = faults.first().cloned().unwrap_or_default();
                let problem = Problem::unprocessable("that would not be a configuration")
                    .wanted("a configuration")
                    .found(first.text)
                    .next(first.next.unwrap_or_else(|| "mend what is told in problems".to_owned()));
                let problem = if first.at.is_empty() { problem } else { problem.at(first.at) };
                problem.problems(faults)
            }
        }
    }
}

/// An answer that carries the tag of the configuration.
fn tagged(status: StatusCode, etag: &str, value: &impl Serialize) -> Response {
    let mut response = json(status, value);
    if let Some(value) = quoted(etag) {
        response.headers_mut().insert(ETAG, value);
    }
    response
}

/// What is defined of a kind, with the tag of the configuration.
fn look(kind: Kind) -> impl FnOnce(&dyn Desk) -> Found<(String, Vec<Defined>)> {
    move |desk| Ok((desk.versions()?.0.etag, desk.defined(kind)?))
}

async fn list(api: &Api, kind: Kind, span: &Span) -> Result<Response, Problem> {
    let (etag, defined) = api.look(look(kind)).await?;
    Ok(tagged(StatusCode::OK, &etag, &span.of(defined)?))
}

async fn get(api: &Api, kind: Kind, id: &str) -> Result<Response, Problem> {
    let (etag, defined) = api.look(look(kind)).await?;
    let found = defined.into_iter().find(|defined| defined.id == id).ok_or(NotFound::Absent)?;
    Ok(tagged(StatusCode::OK, &etag, &found))
}

/// Whatever a change is made of, beside its edits.
struct Order<'a> {
    api: &'a Api,
    caller: Caller,
    head: Head,
    is_trial: bool,
    comment: Option<String>,
}

impl Order<'_> {
    /// Does it, or says what it would do. `id` is the rule or the route that is changed.
    async fn carry_out(self, edit: Edit, body: &[u8]) -> Result<Response, Problem> {
        let Order { api, caller, head, is_trial, comment } = self;
        let base = head.base()?;
        let id = api.name(&caller, &head, body)?;
        // What is written in a file is told first: no tag would help.
        if let Edit::Put { kind, id, .. } | Edit::Remove { kind, id } = &edit {
            let (_, defined) = api.look(look(*kind)).await?;
            let in_file = defined.into_iter().find(|it| it.id == *id && it.origin == Origin::File);
            if let Some(Defined { file, line, .. }) = in_file {
                let file = file.unwrap_or_default();
                return Err(ChangeRefused::InFile { file, line: line.unwrap_or_default() }.into());
            }
        }
        let at_ms = api.desk.now_ms();
        let change = Change { id, actor: caller.actor, at_ms, base, edits: vec![edit], comment };
        let changed = if is_trial {
            api.look(move |desk| desk.rehearse(&change)).await?
        } else {
            api.ask(api.settings.commit_ms, |reply| Ask::Change(change, reply)).await?
        };
        let Changed { version, differences, warnings, is_new } = changed?;
        let status = if is_new && !is_trial { StatusCode::CREATED } else { StatusCode::OK };
        let etag = version.etag.clone();
        let outcome = Outcome { dry_run: is_trial, version: Brief::of(version), differences, warnings };
        // A trial changes nothing, so what holds keeps its tag.
        Ok(if is_trial { json(status, &outcome) } else { tagged(status, &etag, &outcome) })
    }
}

/// A body as TOML; its id has to be that of the path.
fn table(id: &str, body: Map<String, Value>) -> Result<Table, Problem> {
    let wrong = |found: String| {
        Problem::unprocessable("the body cannot be written as TOML")
            .wanted("a table")
            .found(found)
            .next("check the body")
    };
    if let Some(other) = body.get("id").filter(|other| other.as_str() != Some(id)) {
        return Err(Problem::unprocessable("the body has another id than the path")
            .wanted(id)
            .found(other.to_string())
            .next("leave it out"));
    }
    match toml_of(Value::Object(body), "").map_err(wrong)? {
        toml::Value::Table(table) => Ok(table),
        other => Err(wrong(other.type_str().to_owned())),
    }
}

async fn put(
    order: Order<'_>,
    kind: Kind,
    id: String,
    Json { value, bytes }: Json<Written>,
) -> Result<Response, Problem> {
    if id.trim().is_empty() {
        return Err(Problem::unprocessable("wanted an id").wanted("a name").found("nothing but blanks"));
    }
    let comment = value.comment.or(order.comment);
    let body = table(&id, value.body)?;
    Order { comment, ..order }.carry_out(Edit::Put { kind, id, body }, &bytes).await
}

/// Makes the handlers of a kind: to list, to look at, to write and to remove.
macro_rules! handlers {
    ($kind:expr, $what:literal, $all:literal, $one:literal, $list:ident, $get:ident, $put:ident, $delete:ident) => {
        #[doc = concat!("Lists the ", $what, "s in force, those of files and those managed here, by id.")]
        #[utoipa::path(get, summary = concat!("Lists the ", $what, "s in force, those of files and those managed here, by id."), path = $all, tag = "configuration", params(Span),
            responses((status = 200, body = Part<Defined>, headers(("ETag" = String)))))]
        async fn $list(
            State(api): State<Arc<Api>>,
            Reads(_): Reads,
            Asked(span): Asked<Span>,
        ) -> Result<Response, Problem> {
            list(&api, $kind, &span).await
        }

        #[doc = concat!("Gives the ", $what, " of that id.")]
        #[utoipa::path(get, summary = concat!("Gives the ", $what, " of that id."), path = $one, tag = "configuration", params(("id" = String, Path)),
            responses((status = 200, body = Defined, headers(("ETag" = String)))))]
        async fn $get(
            State(api): State<Arc<Api>>,
            Reads(_): Reads,
            Id(id): Id,
        ) -> Result<Response, Problem> {
            get(&api, $kind, &id).await
        }

        #[doc = concat!("Writes a ", $what, ", new or in place of the one of that id that is managed here.")]
        #[utoipa::path(put, summary = concat!("Writes a ", $what, ", new or in place of the one of that id that is managed here."), path = $one, tag = "configuration",
            params(("id" = String, Path), Trial, ("If-Match" = String, Header), ("Idempotency-Key" = Option<String>, Header)),
            request_body = Written,
            responses((status = 200, body = Outcome), (status = 201, body = Outcome)))]
        async fn $put(
            State(api): State<Arc<Api>>,
            Configures(caller): Configures,
            Id(id): Id,
            Asked(Trial { dry_run: is_trial, comment }): Asked<Trial>,
            head: Head,
            body: Json<Written>,
        ) -> Result<Response, Problem> {
            put(Order { api: &api, caller, head, is_trial, comment }, $kind, id, body).await
        }

        #[doc = concat!("Removes a ", $what, " that is managed here.")]
        #[utoipa::path(delete, summary = concat!("Removes a ", $what, " that is managed here."), path = $one, tag = "configuration",
            params(("id" = String, Path), Trial, ("If-Match" = String, Header), ("Idempotency-Key" = Option<String>, Header)),
            responses((status = 200, body = Outcome)))]
        async fn $delete(
            State(api): State<Arc<Api>>,
            Configures(caller): Configures,
            Id(id): Id,
            Asked(Trial { dry_run: is_trial, comment }): Asked<Trial>,
            head: Head,
        ) -> Result<Response, Problem> {
            let order = Order { api: &api, caller, head, is_trial, comment };
            order.carry_out(Edit::Remove { kind: $kind, id }, b"").await
        }
    };
}

handlers!(
    Kind::Rule,
    "rule",
    "/api/v1/rules",
    "/api/v1/rules/{id}",
    list_rules,
    get_rule,
    put_rule,
    delete_rule
);
handlers!(
    Kind::Route,
    "route",
    "/api/v1/routes",
    "/api/v1/routes/{id}",
    list_routes,
    get_route,
    put_route,
    delete_route
);

/// Gives the configuration in force.
#[utoipa::path(get, path = "/api/v1/config", tag = "configuration",
    responses((status = 200, body = Shown, headers(("ETag" = String)))))]
async fn config(State(api): State<Arc<Api>>, Reads(_): Reads) -> Result<Response, Problem> {
    let (current, effective) = api.look(|desk| Ok((desk.versions()?.0, desk.effective()?))).await?;
    let (etag, managed) = (current.etag.clone(), current.text.clone());
    Ok(tagged(StatusCode::OK, &etag, &Shown { version: Brief::of(current), managed, effective }))
}

/// Lists the versions that are kept, the last first.
#[utoipa::path(get, path = "/api/v1/config/versions", tag = "configuration", params(Span),
    responses((status = 200, body = Part<Brief>, headers(("ETag" = String)))))]
async fn versions(
    State(api): State<Arc<Api>>,
    Reads(_): Reads,
    Asked(span): Asked<Span>,
) -> Result<Response, Problem> {
    let (current, all) = api.look(|desk| desk.versions()).await?;
    let Part { items, next } = span.of(all)?;
    let part = Part { items: items.into_iter().map(Brief::of).collect(), next };
    Ok(tagged(StatusCode::OK, &current.etag, &part))
}

/// Gives a version with its text.
#[utoipa::path(get, path = "/api/v1/config/versions/{number}", tag = "configuration",
    params(("number" = u64, Path)), responses((status = 200, body = Version)))]
async fn version(State(api): State<Arc<Api>>, Reads(_): Reads, Id(id): Id) -> Result<Response, Problem> {
    let (current, all) = api.look(|desk| desk.versions()).await?;
    let number: Option<u64> = id.parse().ok();
    let found = all.into_iter().chain([current]).find(|version| Some(version.number) == number);
    Ok(json(StatusCode::OK, &found.ok_or(NotFound::Absent)?))
}

/// Brings a version back, as a new one.
#[utoipa::path(post, path = "/api/v1/config/rollback", tag = "configuration",
    params(Trial, ("If-Match" = String, Header), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Back, responses((status = 200, body = Outcome)))]
async fn rollback(
    State(api): State<Arc<Api>>,
    Configures(caller): Configures,
    Asked(Trial { dry_run: is_trial, comment }): Asked<Trial>,
    head: Head,
    Json { value, bytes }: Json<Back>,
) -> Result<Response, Problem> {
    let comment = value.comment.or(comment);
    let order = Order { api: &api, caller, head, is_trial, comment };
    order.carry_out(Edit::Rollback { to: value.to }, &bytes).await
}

/// Says what would have been sent about lines. As `text/plain` they are tried on the configuration in force,
/// as JSON on a changed one.
#[utoipa::path(post, path = "/api/v1/backtest", tag = "configuration",
    request_body(content((Tried = "application/json"), (String = "text/plain"))),
    responses((status = 200, body = Backtested)))]
async fn backtest(
    State(api): State<Arc<Api>>,
    Reads(caller): Reads,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let kind = media(&headers);
    if !matches!(kind.as_deref(), Some("application/json" | "text/plain")) {
        return Err(unsupported(&headers, "application/json or text/plain"));
    }
    let Ok(place) = Arc::clone(&api.trials).try_acquire_owned() else {
        return Err(Problem::unavailable("other lines are tried just now")
            .wanted("room for one more backtest")
            .found("none")
            .next("ask again"));
    };
    let bytes = read(&api, &headers, body, api.settings.body_limit_bytes).await?;
    let Tried { lines, source, rules, routes } = if kind.as_deref() == Some("application/json") {
        parse(&bytes)?
    } else {
        let lines = String::from_utf8_lossy(&bytes).into_owned();
        Tried { lines, source: None, rules: Map::new(), routes: Map::new() }
    };
    let mut edits = Vec::new();
    for (kind, each) in [(Kind::Rule, rules), (Kind::Route, routes)] {
        for (id, body) in each {
            edits.push(match body {
                Value::Null => Edit::Remove { kind, id },
                Value::Object(body) => Edit::Put { kind, body: table(&id, body)?, id },
                other => {
                    return Err(Problem::unprocessable("cannot try that")
                        .wanted("an object, or null")
                        .found(other.to_string())
                        .at(id)
                        .next("check the body"));
                }
            });
        }
    }
    let at_ms = api.desk.now_ms();
    let change =
        Change { id: String::new(), actor: caller.actor, at_ms, base: Base::Any, edits, comment: None };
    let asked = Backtest { lines: lines.into_bytes(), source, change };
    let trial = move |desk: &dyn Desk| {
        let _place = place;
        desk.backtest(&asked)
    };
    Ok(json(StatusCode::OK, &api.look(trial).await??))
}
