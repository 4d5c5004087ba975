//! Silences, snoozes and overrides.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use dice_route::config::{Matcher, MatcherOp};
use dice_route::{Act, Audience, Scope};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Api, Done};
use crate::Time;
use crate::desk::{Desk, Found, NotFound};
use crate::form::{Acts, Asked, Head, Id, Json, Reads};
use crate::gate::Caller;
use crate::json::json;
use crate::part::{Part, Span};
use crate::problem::Problem;
use crate::view::{Override, Silence, Snooze};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(silences, silence))
        .routes(routes!(get_silence, unsilence))
        .routes(routes!(snoozes, snooze))
        .routes(routes!(unsnooze))
        .routes(routes!(overrides, override_owner))
        .routes(routes!(unassign))
}

/// Which silences are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Over {
    /// Those that are over, too.
    #[serde(default)]
    all: bool,
    /// How many at most: 100 where nothing is said, 1,000 at most.
    limit: Option<usize>,
    /// Where to go on: `next` of the part before.
    cursor: Option<String>,
}

/// Whether it is only tried.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Trial {
    /// Says what it would hide, and hides nothing.
    #[serde(default)]
    dry_run: bool,
}

/// How a label is compared.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Compared {
    /// The label's name.
    label: String,
    /// `=`, `!=`, `=~` or `!~`; `=` where nothing is said.
    #[serde(default = "equal")]
    #[schema(value_type = String)]
    op: MatcherOp,
    /// With what.
    value: String,
}

fn equal() -> MatcherOp {
    MatcherOp::Equal
}

/// A silence to be made, or a new version of one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSilence {
    /// The silence that is edited.
    id: Option<String>,
    /// What is hidden: all of these must hold.
    matchers: Vec<Compared>,
    /// From when; from now where nothing is said.
    starts: Option<Time>,
    /// Until when.
    ends: Time,
    /// Why.
    comment: String,
    /// Only for this receiver.
    receiver: Option<String>,
    /// Whether what is still open at its end is told then.
    #[serde(default)]
    tells_at_end: bool,
}

/// What a snooze hides.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum About {
    Message,
    Alert,
    Rule,
    Group,
    Episode,
}

/// A snooze to be made; a mute is one until `forever`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSnooze {
    /// What kind of thing is hidden.
    scope: About,
    /// Which one, by its id.
    subject: String,
    /// `everyone`, a `#channel`, or a person's `@handle` or address.
    #[serde(rename = "for", default = "everyone")]
    whom: String,
    /// `4h`, `tomorrow`, `next-workday`, `count:100`, `rate:3`, `next-release`, `forever`.
    until: String,
    /// Why.
    reason: Option<String>,
}

fn everyone() -> String {
    "everyone".to_owned()
}

/// What is said about the owner of a message.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "say", rename_all = "kebab-case", deny_unknown_fields)]
enum NewOverride {
    /// Somebody answers for it.
    Assign {
        /// The message's id.
        message: String,
        /// `#channel`, `@handle`, `a@b.c` or `@org/team`.
        owner: String,
        /// Why.
        reason: Option<String>,
    },
    /// Somebody does not.
    NotMe {
        /// The message's id.
        message: String,
        /// Who.
        person: String,
        /// Who should, if known.
        proposed: Option<String>,
        /// Why.
        reason: Option<String>,
    },
}

/// Has something made.
async fn make(api: &Api, caller: &Caller, head: &Head, body: &[u8], act: Act) -> Result<Response, Problem> {
    let answer = api.command(caller, head, body, act).await?;
    if !answer.is_done {
        return Err(Problem::unprocessable("it was not done")
            .wanted("something that can be done")
            .found(answer.text)
            .next("mend the request"));
    }
    Ok(json(StatusCode::CREATED, &Done::from(answer)))
}

/// Has something that is there changed or taken back. Where that is not done, `is_there` says whether it was
/// there.
pub(super) async fn change(
    api: &Api,
    caller: &Caller,
    head: &Head,
    act: Act,
    is_there: impl FnOnce(&dyn Desk) -> Found<bool> + Send + 'static,
) -> Result<Response, Problem> {
    let answer = api.command(caller, head, b"", act).await?;
    if answer.is_done {
        return Ok(json(StatusCode::OK, &Done::from(answer)));
    }
    if !api.look(is_there).await? {
        return Err(NotFound::Absent.into());
    }
    Err(Problem::new(StatusCode::CONFLICT, "it was not done")
        .wanted("something that can be done now")
        .found(answer.text)
        .next("look at how it stands"))
}

/// Lists silences, the last first.
#[utoipa::path(get, path = "/api/v1/silences", tag = "hiding", params(Over),
    responses((status = 200, body = Part<Silence>)))]
async fn silences(
    State(api): State<Arc<Api>>,
    Reads(_): Reads,
    Asked(Over { all, limit, cursor }): Asked<Over>,
) -> Result<Response, Problem> {
    let silences = api.look(move |desk| desk.silences(all)).await?;
    Ok(json(StatusCode::OK, &Span { limit, cursor }.of(silences)?))
}

/// Gives a silence.
#[utoipa::path(get, path = "/api/v1/silences/{id}", tag = "hiding", params(("id" = String, Path)),
    responses((status = 200, body = Silence)))]
async fn get_silence(State(api): State<Arc<Api>>, Reads(_): Reads, Id(id): Id) -> Result<Response, Problem> {
    let silences = api.look(|desk| desk.silences(true)).await?;
    let found = silences.into_iter().find(|silence| silence.id == id).ok_or(NotFound::Absent)?;
    Ok(json(StatusCode::OK, &found))
}

/// Hides whatever the matchers say between two times.
#[utoipa::path(post, path = "/api/v1/silences", tag = "hiding",
    params(Trial, ("Idempotency-Key" = Option<String>, Header)),
    request_body = NewSilence, responses((status = 201, body = Done), (status = 200, body = Done)))]
async fn silence(
    State(api): State<Arc<Api>>,
    Acts(caller): Acts,
    Asked(Trial { dry_run }): Asked<Trial>,
    head: Head,
    Json { value, bytes }: Json<NewSilence>,
) -> Result<Response, Problem> {
    let NewSilence { id, matchers, starts, ends, comment, receiver, tells_at_end } = value;
    let starts_ms = starts.map_or_else(|| api.desk.now_ms(), |starts| starts.0);
    let wrong = |wanted: &str, found: &str| {
        Problem::unprocessable("that is no silence").wanted(wanted).found(found).next("mend the body")
    };
    if matchers.is_empty() {
        return Err(wrong("one matcher at least", "none"));
    }
    if comment.trim().is_empty() {
        return Err(wrong("a comment that says why", "none"));
    }
    if ends.0 <= starts_ms {
        return Err(wrong("an end after the beginning", &ends.to_string()));
    }
    let matchers = matchers.into_iter().map(|Compared { label, op, value }| Matcher { label, op, value });
    let act = Act::Silence {
        id,
        matchers: matchers.collect(),
        starts_ms,
        ends_ms: ends.0,
        comment,
        receiver,
        notify_on_expiry: tells_at_end,
        preview: dry_run,
    };
    let mut response = make(&api, &caller, &head, &bytes, act).await?;
    if dry_run {
        *response.status_mut() = StatusCode::OK;
    }
    Ok(response)
}

/// Ends a silence now.
#[utoipa::path(delete, path = "/api/v1/silences/{id}", tag = "hiding",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = Done)))]
async fn unsilence(
    State(api): State<Arc<Api>>,
    Acts(caller): Acts,
    Id(id): Id,
    head: Head,
) -> Result<Response, Problem> {
    let act = Act::Unsilence { id: id.clone() };
    change(&api, &caller, &head, act, move |desk| Ok(desk.silences(true)?.iter().any(|it| it.id == id))).await
}

/// Lists the snoozes and mutes that hide something now, the last first.
#[utoipa::path(get, path = "/api/v1/snoozes", tag = "hiding", params(Span),
    responses((status = 200, body = Part<Snooze>)))]
async fn snoozes(
    State(api): State<Arc<Api>>,
    Reads(_): Reads,
    Asked(span): Asked<Span>,
) -> Result<Response, Problem> {
    Ok(json(StatusCode::OK, &span.of(api.look(|desk| desk.snoozes()).await?)?))
}

/// Hides one thing until something.
#[utoipa::path(post, path = "/api/v1/snoozes", tag = "hiding",
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body = NewSnooze, responses((status = 201, body = Done)))]
async fn snooze(
    State(api): State<Arc<Api>>,
    Acts(caller): Acts,
    head: Head,
    Json { value, bytes }: Json<NewSnooze>,
) -> Result<Response, Problem> {
    let NewSnooze { scope, subject, whom, until, reason } = value;
    let audience = match whom {
        whom if whom == "everyone" => Audience::Everyone,
        whom if whom.starts_with('#') => Audience::Channel(whom),
        whom if whom.contains('@') => Audience::Person(whom),
        whom => {
            return Err(Problem::unprocessable("for whom?")
                .wanted("everyone, a #channel, or a person's @handle or address")
                .found(whom)
                .at("for")
                .next("mend the body"));
        }
    };
    let scope = match scope {
        About::Message => Scope::Message(subject),
        About::Alert => Scope::Alert(subject),
        About::Rule => Scope::Rule(subject),
        About::Group => Scope::Group(subject),
        About::Episode => Scope::Episode(subject),
    };
    make(&api, &caller, &head, &bytes, Act::Snooze { scope, audience, until, reason }).await
}

/// Takes back a snooze or a mute.
#[utoipa::path(delete, path = "/api/v1/snoozes/{id}", tag = "hiding",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = Done)))]
async fn unsnooze(
    State(api): State<Arc<Api>>,
    Acts(caller): Acts,
    Id(id): Id,
    head: Head,
) -> Result<Response, Problem> {
    let act = Act::Unsnooze { id: id.clone() };
    change(&api, &caller, &head, act, move |desk| Ok(desk.snoozes()?.iter().any(|it| it.id == id))).await
}

/// Lists what people said about owners, by message.
#[utoipa::path(get, path = "/api/v1/overrides", tag = "hiding", params(Span),
    responses((status = 200, body = Part<Override>)))]
async fn overrides(
    State(api): State<Arc<Api>>,
    Reads(_): Reads,
    Asked(span): Asked<Span>,
) -> Result<Response, Problem> {
    Ok(json(StatusCode::OK, &span.of(api.look(|desk| desk.overrides()).await?)?))
}

/// Says who answers for a message, or who does not.
#[utoipa::path(post, path = "/api/v1/overrides", tag = "hiding",
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body = NewOverride, responses((status = 201, body = Done)))]
async fn override_owner(
    State(api): State<Arc<Api>>,
    Acts(caller): Acts,
    head: Head,
    Json { value, bytes }: Json<NewOverride>,
) -> Result<Response, Problem> {
    let act = match value {
        NewOverride::Assign { message, owner, reason } => Act::Assign { message, owner, reason },
        NewOverride::NotMe { message, person, proposed, reason } => {
            Act::NotMe { message, person: Some(person), proposed, reason }
        }
    };
    make(&api, &caller, &head, &bytes, act).await
}

/// Takes back what was said about a message.
#[utoipa::path(delete, path = "/api/v1/overrides/{message}", tag = "hiding",
    params(("message" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = Done)))]
async fn unassign(
    State(api): State<Arc<Api>>,
    Acts(caller): Acts,
    Id(message): Id,
    head: Head,
) -> Result<Response, Problem> {
    let act = Act::Unassign { message: message.clone() };
    let is_there = move |desk: &dyn Desk| -> Found<bool> {
        Ok(desk.overrides()?.iter().any(|it| it.message == message))
    };
    change(&api, &caller, &head, act, is_there).await
}
