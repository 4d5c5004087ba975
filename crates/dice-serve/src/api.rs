//! The API: its routes, the document that describes them, and the way from a request to an answer.

mod configuration;
mod episodes;
mod hiding;
mod letters;
mod notices;
mod upkeep;

pub(crate) use letters::is_link;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use dice_route::{Act, Answer, Command};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi as Document, Ref, RefOr};
use utoipa::{OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::allowance::Allowances;
use crate::connection::Peer;
use crate::desk::{Desk, Found, NotFound, Refused};
use crate::form::{Head, Keys, Reads};
use crate::gate::{Caller, Gate, Identity};
use crate::json::json;
use crate::metrics::Requests;
use crate::page::{Lobby, Trouble};
use crate::problem::{ErrorBody, Problem, Told};
use crate::{Ask, NotTaken, Reply, Settings};

/// Milliseconds between two tries to hand in what there is no room for.
const FULL_MS: u64 = 2;
/// Backtests at once: each has a body as large as that of lines.
const TRIALS: usize = 2;
/// Bytes of a reason that is logged; a few more where a character ends there.
const MAX_WHY_BYTES: usize = 1_024;

/// What all requests of the API share.
pub(crate) struct Api {
    pub(crate) settings: Settings,
    pub(crate) gate: Arc<Gate>,
    pub(crate) desk: Arc<dyn Desk>,
    /// One for each request that waits for its commit.
    pub(crate) places: Semaphore,
    /// One for each look that goes on, also for those that nobody waits for any more.
    pub(crate) looks: Arc<Semaphore>,
    /// One for each backtest whose lines are read or tried, also for those that nobody waits for any more.
    pub(crate) trials: Arc<Semaphore>,
    pub(crate) is_refusing: Arc<AtomicBool>,
    pub(crate) stopped: watch::Receiver<bool>,
    allowances: Allowances,
    keys: Keys,
    pub(crate) lobby: Lobby,
    pub(crate) requests: Requests,
    /// Requests that were named by this process, so that no two have one name.
    named: AtomicU64,
    document: Document,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Dice",
        description = "Rules and routes, what is hidden, what is open, what is told. Errors have one shape; \
                       lists come in parts; what changes the configuration needs If-Match; any writing \
                       request may carry an Idempotency-Key, and then its repetition does nothing."
    ),
    paths(upkeep::lines),
    components(schemas(ErrorBody)),
    security(("token" = [])),
    tags(
        (name = "configuration", description = "Rules and routes, in versions."),
        (name = "hiding", description = "Silences, snoozes, and who answers for a message."),
        (name = "state", description = "What is open, what is told, and why."),
        (name = "letters", description = "What other systems send."),
        (name = "upkeep", description = "How Dice itself does.")
    )
)]
struct Described;

/// The routes, and the document that describes them.
fn described() -> (Router<Arc<Api>>, Document) {
    let (routes, mut document) = OpenApiRouter::with_openapi(Described::openapi())
        .merge(configuration::routes())
        .merge(hiding::routes())
        .merge(episodes::routes())
        .merge(notices::routes())
        .merge(letters::routes())
        .merge(upkeep::routes())
        .routes(routes!(openapi))
        .split_for_parts();
    complete(&mut document);
    (routes, document)
}

/// The document that describes every route: OpenAPI 3.1 as JSON.
pub fn openapi_text() -> String {
    described().1.to_pretty_json().expect("the document is made of texts, numbers and lists")
}

/// Adds what all operations have: the token, and the shape of errors.
fn complete(document: &mut Document) {
    let components = document.components.get_or_insert_default();
    let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    components.add_security_scheme("token", bearer);
    let error = || {
        let schema: RefOr<utoipa::openapi::Schema> = Ref::from_schema_name(ErrorBody::name()).into();
        ResponseBuilder::new()
            .content("application/json", ContentBuilder::new().schema(Some(schema)).build())
            .build()
    };
    for item in document.paths.paths.values_mut() {
        let operations: [&mut Option<Operation>; 4] =
            [&mut item.get, &mut item.put, &mut item.post, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            let responses = &mut operation.responses.responses;
            responses.entry("default".to_owned()).or_insert_with(|| RefOr::T(error()));
            for (status, response) in responses {
                // The format wants a description of each.
                if let RefOr::T(response) = response
                    && response.description.is_empty()
                {
                    meaning(status).clone_into(&mut response.description);
                }
            }
        }
    }
}

/// What an answer of that status means where nothing else is said of it.
fn meaning(status: &str) -> &'static str {
    match status {
        "201" => "It is there now.",
        "503" => "Something is not well.",
        "default" => "What was wanted, what was found, and what to do next.",
        _ => "What was asked for.",
    }
}

/// The document that describes the API.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "upkeep", responses((status = 200, body = Object)))]
async fn openapi(State(api): State<Arc<Api>>, Reads(_): Reads) -> Response {
    json(StatusCode::OK, &api.document)
}

impl Api {
    pub(crate) fn new(
        settings: Settings,
        desk: Arc<dyn Desk>,
        gate: Arc<Gate>,
        is_refusing: Arc<AtomicBool>,
        stopped: watch::Receiver<bool>,
    ) -> Api {
        Api {
            gate,
            desk,
            places: Semaphore::new(settings.requests.clamp(1, Semaphore::MAX_PERMITS)),
            looks: Arc::new(Semaphore::new(settings.looks.clamp(1, Semaphore::MAX_PERMITS))),
            trials: Arc::new(Semaphore::new(TRIALS)),
            is_refusing,
            stopped,
            allowances: Allowances::new(settings.allowance),
            keys: Keys::default(),
            lobby: Lobby::default(),
            requests: Requests::default(),
            named: AtomicU64::new(0),
            document: described().1,
            settings,
        }
    }

    /// Takes one request off what `who` may do.
    pub(crate) fn allow(&self, who: &str) -> Result<(), Problem> {
        self.allowances.take(who, self.desk.now_ms()).map_err(|seconds| {
            let per_minute = self.settings.allowance.per_minute;
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many requests")
                .wanted(format!("{per_minute} in a minute at most"))
                .found("more")
                .next(format!("come back in {seconds} s"))
                .after_seconds(seconds)
        })
    }

    /// The name of a writing request: the same for a repetition with the same key, another one for any other.
    pub(crate) fn name(&self, caller: &Caller, head: &Head, body: &[u8]) -> Result<String, Problem> {
        let content = dice_route::name(&[head.line.as_bytes(), body]);
        let Some(key) = &head.key else {
            let n = self.named.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            let now = self.desk.now_ms().to_be_bytes();
            let parts = [b"request".as_slice(), caller.actor.as_bytes(), content.as_bytes(), &now, &n];
            return Ok(dice_route::name(&parts).to_string());
        };
        if !self.keys.keep(&format!("{} {key}", caller.actor), &content) {
            return Err(Problem::unprocessable("this Idempotency-Key was sent with another request")
                .wanted("the same request, or another key")
                .found(key.as_str())
                .next("send a new key with a new request"));
        }
        let parts = [b"key".as_slice(), caller.actor.as_bytes(), key.as_bytes(), content.as_bytes()];
        Ok(dice_route::name(&parts).to_string())
    }

    /// Has something done and waits until it is committed, `within_ms` at most.
    pub(crate) async fn ask<R>(
        &self,
        within_ms: u64,
        ask: impl FnOnce(Reply<R>) -> Ask,
    ) -> Result<R, Problem> {
        let stops = || {
            Problem::unavailable("the router stops")
                .wanted("a router that runs")
                .found("one that stops")
                .next("ask again")
        };
        let late = |found: &str| {
            Problem::unavailable("not committed in time")
                .wanted(format!("a commit within {within_ms} ms"))
                .found(found)
                .next("ask again with the same Idempotency-Key: it is done once")
        };
        if self.is_refusing.load(Ordering::Relaxed) {
            return Err(stops());
        }
        let Ok(_place) = self.places.try_acquire() else {
            return Err(late(&format!("{} requests that wait for theirs", self.settings.requests)));
        };
        let (reply, answer) = Reply::new();
        let mut ask = ask(reply);
        let wait = async {
            let mut waited_ms = 0;
            loop {
                match self.desk.take(ask) {
                    Ok(()) => break,
                    Err(NotTaken::Stopping) => return Err(stops()),
                    Err(NotTaken::Full(_)) if waited_ms >= self.settings.queue_ms => {
                        return Err(late("a router that is behind"));
                    }
                    Err(NotTaken::Full(back)) => ask = *back,
                }
                sleep(Duration::from_millis(FULL_MS)).await;
                waited_ms += FULL_MS;
            }
            match answer.await {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(why)) => Err(late(&why)),
                Err(_) => Err(stops()),
            }
        };
        let mut stopped = self.stopped.clone();
        tokio::select! {
            waited = timeout(Duration::from_millis(within_ms), wait) => {
                waited.unwrap_or_else(|_| Err(late("none; it may come just now")))
            }
            _ = stopped.wait_for(|is_stopped| *is_stopped) => Err(stops()),
        }
    }

    /// Has a command done.
    pub(crate) async fn command(
        &self,
        caller: &Caller,
        head: &Head,
        body: &[u8],
        act: Act,
    ) -> Result<Answer, Problem> {
        let command = Command {
            id: self.name(caller, head, body)?,
            actor: caller.actor.clone(),
            at_ms: self.desk.now_ms(),
            act,
        };
        self.ask(self.settings.commit_ms, |reply| Ask::Command(command, reply)).await
    }

    /// Asks a question on a thread that may wait.
    pub(crate) async fn look<R: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn Desk) -> Found<R> + Send + 'static,
    ) -> Result<R, Problem> {
        let within_ms = self.settings.look_ms;
        let late = || {
            Problem::unavailable("not answered in time")
                .wanted(format!("an answer within {within_ms} ms"))
                .found("none")
                .next("ask again later, or for less")
        };
        let asked = async {
            let place = Arc::clone(&self.looks).acquire_owned().await.map_err(|_| late())?;
            let desk = Arc::clone(&self.desk);
            // Whoever asks may go away; the place is free when the look has ended.
            let answer = tokio::task::spawn_blocking(move || {
                let _place: OwnedSemaphorePermit = place;
                question(&*desk)
            });
            match answer.await {
                Ok(found) => found.map_err(Problem::from),
                Err(_) => Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "Dice is wrong")
                    .wanted("an answer")
                    .found("a defect")
                    .next("look at the router's own log, and tell its makers")),
            }
        };
        timeout(Duration::from_millis(within_ms), asked).await.unwrap_or_else(|_| Err(late()))
    }
}

impl From<NotFound> for Problem {
    fn from(not_found: NotFound) -> Problem {
        match not_found {
            NotFound::Absent => Problem::new(StatusCode::NOT_FOUND, "there is no such thing")
                .wanted("something of that id")
                .found("nothing")
                .next("list what there is"),
            NotFound::Several(ids) => Problem::bad_request("several things are meant")
                .wanted("one")
                .found(ids.join(", "))
                .next("give more digits"),
            NotFound::Wrong(why) => Problem::unprocessable("the question makes no sense")
                .wanted("another one")
                .found(why)
                .next("ask differently"),
            NotFound::Unavailable(why) => Problem::unavailable("cannot look at the state now")
                .wanted("the state")
                .found(why)
                .next("ask again"),
        }
    }
}

/// What became of something that was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Done {
    /// What was done, in sentences.
    text: String,
    /// The same for programs.
    #[schema(value_type = Object)]
    result: Value,
}

impl From<Answer> for Done {
    fn from(answer: Answer) -> Done {
        Done { text: answer.text, result: answer.body }
    }
}

/// A method's name, of those that are known.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// A reason as a terminal can show it: control characters are named, and what is long is cut.
fn shown(told: &str) -> String {
    let mut why = String::new();
    for letter in told.chars() {
        if why.len() >= MAX_WHY_BYTES {
            why.push('…');
            break;
        }
        if letter.is_control() { why.extend(letter.escape_default()) } else { why.push(letter) }
    }
    why
}

/// Counts every request, and tells of those that were not done.
pub(crate) async fn observe(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = method(request.method());
    let peer = request.extensions().get::<ConnectInfo<Peer>>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(Peer(address))| address.ip());
    let identity = match api.gate.identify(request.headers()) {
        Identity::Nobody => api.lobby.identify(&api, request.headers()),
        identity => identity,
    };
    let mut response = next.run(request).await;
    let status = response.status();
    api.requests.count(&route, method, status.as_u16());
    if status.is_client_error() || status.is_server_error() {
        let told = response.extensions().get::<Told>();
        let why = shown(&told.map_or_else(|| status.to_string(), |Told(told)| told.clone()));
        let token = match identity {
            Identity::Known { name, .. } => Some(name),
            _ => None,
        };
        api.desk.refused(&Refused { peer, token, method, route, status: status.as_u16(), why });
    }
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// All routes beside those for lines.
pub(crate) fn routes() -> Router<Arc<Api>> {
    described().0.merge(crate::page::routes())
}

/// What is answered where there is nothing.
pub(crate) async fn nowhere(uri: Uri, headers: HeaderMap) -> Response {
    let nothing = Problem::new(StatusCode::NOT_FOUND, "there is nothing here");
    if crate::page::is_wanted(&uri, &headers) {
        let nothing = nothing.wanted("a page of Dice").found("another address");
        return Trouble(nothing.next("take one of the pages above")).into_response();
    }
    nothing
        .wanted("a path of the API")
        .found("another one")
        .next("GET /api/v1/openapi.json tells all of them")
        .into_response()
}

/// What is answered where something else can be done.
pub(crate) async fn not_so(uri: Uri, headers: HeaderMap) -> Response {
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this cannot be done here")
        .wanted("one of the methods in the header Allow")
        .found("another one");
    if crate::page::is_wanted(&uri, &headers) {
        return Trouble(problem.next("take one of the pages above")).into_response();
    }
    problem.next("GET /api/v1/openapi.json tells what can be done").into_response()
}
