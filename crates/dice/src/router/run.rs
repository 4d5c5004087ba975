//! A run of the router: what it is told, what it opens, when it opens it anew.

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, SyncSender, sync_channel};

use anyhow::Result;
use crossbeam_channel::{Receiver, bounded, unbounded};
use dice_config::{Given, Loaded, SourceKind};
use dice_match::Format;
use dice_route::{Config, Input, Intent, Router};
use dice_serve::{Server, Token};
use dice_source::{Kind, Sources};
use dice_store::JournalLine;
use jiff::tz::TimeZone;

use super::api::{self, Api, Force, Kept, Managed, Unsubscribed};
use super::classifier::SourceFacts;
use super::delivery::Delivery;
use super::disk::Reach;
use super::hold::Hold;
use super::memory::Memory;
use super::operator::{config_note, open, restore};
use super::pipeline::{Incoming, Numbers, Pipeline, SourcePlan};
use super::plan::{self, Known, Plans};
use super::service::{Ending, Order, Outlet, Service};
use super::sign;
#[cfg(unix)]
use super::socket::Socket;
use super::watch::Watch;
use crate::commands::Output;
use crate::{Failure, Outcome, clock, duration, interrupt, settings};

/// The source of files named on the command line, and of standard input.
const FILES: &str = "files";
const STDIN: &str = "stdin";

/// Blocks of lines between two threads: few, so that a line does not wait behind many.
const BLOCKS: usize = 1;

/// In a replay, time goes on for this long after the last line: what was about to be told is told.
pub(crate) const AFTERWARDS: &str = "20m";

/// The longest that it may go on: a month has all its digests.
const MAX_AFTERWARDS_S: i64 = 31 * 86_400;

/// What somebody asked for.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    /// `router.toml`.
    pub(crate) config: Option<PathBuf>,
    /// Where the state is kept.
    pub(crate) state: Option<PathBuf>,
    /// Files on the command line; they take the place of configured sources.
    pub(crate) files: Vec<PathBuf>,
    /// Whether to wait for more at their end.
    pub(crate) is_followed: bool,
    /// Catalogs on the command line; they take the place of configured ones.
    pub(crate) catalog: Vec<PathBuf>,
    /// How files of the command line are read.
    pub(crate) format: Option<Format>,
    pub(crate) zone: TimeZone,
    pub(crate) year: Option<i16>,
    /// How long time goes on in a replay, seconds.
    pub(crate) afterwards_s: u32,
}

/// The seconds of `20m`, `24h`, `3d`: how long time goes on after the last line.
pub(crate) fn afterwards(text: &str) -> Result<u32> {
    let seconds =
        duration::parse(text).map(|length| length.as_secs()).filter(|n| (0..=MAX_AFTERWARDS_S).contains(n));
    seconds.and_then(|seconds| u32::try_from(seconds).ok()).ok_or_else(|| {
        Failure::new(
            format!("wanted a duration of at most 31d, found `{text}`"),
            "give one, such as --afterwards 24h",
        )
        .into()
    })
}

/// What a wish comes to.
pub(super) struct Plan {
    pub(super) loaded: Loaded,
    pub(super) known: Arc<Known>,
    /// What the configuration was read from.
    pub(super) reach: Reach,
}

impl Wish {
    /// What is to be done. What the API manages lies over the files; where it does not fit to them at the start,
    /// it is left out and said.
    fn plan(&self, managed: &Managed) -> Result<Plan> {
        // Which catalogs are meant stands in the configuration, and rules may ask what the catalogs hold: the
        // configuration is read twice.
        let mut reach = Reach::default();
        let first = self.read(&Given::default(), &mut reach)?;
        let known = Arc::new(Known::read(&self.catalogs(&first)?)?);
        let given = given(&known, managed);
        let loaded = match self.read(&given, &mut reach) {
            Err(error) if !given.managed.is_empty() => {
                let number = managed.all().0.number;
                tracing::error!(
                    "{error:#}; version {number} of what the API manages is left out until it fits"
                );
                self.read(&Given { managed: String::new(), ..given }, &mut reach)?
            }
            read => read?,
        };
        plan::warn(&loaded);
        Ok(Plan { loaded, known, reach })
    }

    /// What it was read from goes into `reach`.
    pub(super) fn read(&self, given: &Given, reach: &mut Reach) -> Result<Loaded> {
        match &self.config {
            Some(file) => plan::read_config_with(file, given, reach),
            None => dice_config::load("router.toml", "", &dice_config::Texts::default(), given)
                .map_err(|problems| anyhow::anyhow!("an empty configuration is refused: {problems}")),
        }
    }

    pub(super) fn catalogs(&self, loaded: &Loaded) -> Result<Vec<PathBuf>> {
        match &self.config {
            Some(config) if self.catalog.is_empty() && !loaded.catalogs.is_empty() => {
                Ok(loaded.catalogs.iter().map(|path| plan::beside(config, path)).collect())
            }
            _ => settings::catalog_files(&self.catalog),
        }
    }

    fn state(&self, loaded: &Loaded) -> Result<PathBuf> {
        match (&self.state, &self.config, &loaded.state) {
            (None, Some(config), Some(state)) => Ok(plan::beside(config, state)),
            (given, ..) => settings::state_file(given.as_deref()),
        }
    }

    /// What is read, and what is known of its lines.
    /// Without any, it is standard input, unless others can be told by the API.
    fn sources(&self, loaded: &Loaded, is_served: bool) -> Result<(Vec<dice_source::Settings>, Plans)> {
        let mut sources = Vec::new();
        let mut plans = HashMap::new();
        let mut plain = |name: &str, kind: Kind| {
            let facts = SourceFacts {
                name: name.into(),
                service: None,
                host: None,
                env: loaded.env.as_deref().map(Into::into),
                version: None,
            };
            let facts = Arc::new(facts);
            let plan = SourcePlan { facts, format: self.format, zone: self.zone.clone(), year: self.year };
            plans.insert(name.to_owned(), plan);
            sources.push(dice_source::Settings::new(name, kind));
        };
        let is_stdin = |file: &PathBuf| file.as_os_str() == "-";
        let files: Vec<String> = self
            .files
            .iter()
            .filter(|file| !is_stdin(file))
            .map(|file| file.to_string_lossy().into_owned())
            .collect();
        if self.files.iter().any(is_stdin)
            || (self.files.is_empty() && loaded.sources.is_empty() && !is_served)
        {
            plain(STDIN, Kind::Stdin);
        }
        if !files.is_empty() {
            plain(FILES, Kind::Files { paths: files, follow: self.is_followed });
        }
        if self.files.is_empty()
            && let Some(config) = &self.config
        {
            for source in &loaded.sources {
                let (settings, plan) = plan::source(config, source)?;
                sources.extend(settings);
                plans.insert(source.name.clone(), plan);
            }
        }
        Ok((sources, plans))
    }
}

/// What is known beside the files of the configuration.
pub(super) fn given(known: &Known, managed: &Managed) -> Given {
    Given { messages: Arc::clone(&known.messages), formats: plan::formats(), managed: managed.text() }
}

/// Routes as a service, or until the input ends: decisions are committed, then printed. With neither a
/// configuration nor a state nothing is kept. There is an API where the configuration says so.
pub(crate) fn run(wish: &Wish, output: Output) -> Result<Outcome> {
    work(wish, output, api::Wish::Configured)
}

/// Routes as a service with an API, at `listen` or where the configuration says.
pub(crate) fn serve(wish: &Wish, output: Output, listen: Option<SocketAddr>) -> Result<Outcome> {
    work(wish, output, api::Wish::At(listen))
}

fn work(wish: &Wish, output: Output, serving: api::Wish) -> Result<Outcome> {
    let first = wish.read(&Given::default(), &mut Reach::default())?;
    let is_kept = wish.config.is_some() || wish.state.is_some();
    let managed = if is_kept { api::managed_at(&wish.state(&first)?) } else { Managed::default() };
    let plan = wish.plan(&managed)?;
    let config = Arc::new(plan.loaded.router.clone());
    let now_ms = clock::now().as_millisecond();
    let (orders_to, orders) = unbounded();
    let out = Outlet::Print(anstream::AutoStream::auto(io::stdout()), output);
    let path = is_kept.then(|| wish.state(&plan.loaded)).transpose()?;
    let mut memory = Memory::default();
    let mut api = None;
    let mut service = match &path {
        None => {
            let router = Router::new(config, now_ms);
            let delivery = Delivery::new(&router, None, orders_to.clone())?;
            let mut service = Service::new(router, None, Vec::new(), out, false);
            service.deliver_by(delivery, Unsubscribed::default());
            service
        }
        Some(path) => {
            let store = open(path)?;
            let positions = store.positions().map_err(|error| {
                Failure::new(format!("wanted to read {}", path.display()), "restore a backup").because(error)
            })?;
            let router = restore(&store, config, now_ms)?;
            memory = Memory::of(&store)?;
            tracing::info!(state = %path.display(), start = store.epoch(), rules = router.config().rules.len(), "routing");
            let Kept { managed, alerts, sessions, unsubscribed } = Kept::of(&store)?;
            let delivery = Delivery::new(&router, Some(&store), orders_to.clone())?;
            let letters = delivery.letters();
            let mut service = Service::new(router, Some(store), positions, out, false);
            service.deliver_by(delivery, unsubscribed);
            // Files on the command line are read to their end, and that is all.
            let is_served = Api::address(serving, &plan.loaded).is_some() && wish.files.is_empty();
            if let Some(file) = wish.config.clone().filter(|_| is_served) {
                let (loaded, known) = (plan.loaded.clone(), Arc::clone(&plan.known));
                let force = Force { file, loaded, known, since_ms: now_ms };
                let (made, hatch) = Api::new(serving, path, (managed, alerts, sessions), force, letters);
                service.attend(hatch);
                api = Some(made);
            }
            service
        }
    };
    #[cfg(unix)]
    let _socket = path.as_deref().map(|path| Socket::listen(path, orders_to.clone())).transpose()?;
    if let Some(file) = &wish.config {
        service.note(config_note(file));
    }
    service.journal(JournalLine { at_ms: now_ms, what: "start".to_owned(), body: "{}".to_owned() });
    interrupt::ends_the_input();
    interrupt::asks_to_reload();
    generations(wish, plan, &mut service, &orders, (memory, api), false)?;
    service.finish()?;
    let (router, out) = service.end();
    drop(orders_to);
    summary(&router);
    if let Outlet::Print(mut out, _) = out {
        out.flush()?;
    }
    Ok(Outcome::Done)
}

/// Routes finished logs in the time of their lines, keeping nothing: what would have been told.
pub(crate) fn replay<W: Write>(wish: &Wish, teller: Outlet<W>) -> Result<(Router, Outlet<W>)> {
    let plan = wish.plan(&Managed::default())?;
    let router = Router::new(Arc::new(plan.loaded.router.clone()), 0);
    let mut service = Service::new(router, None, Vec::new(), teller, true);
    let (_orders_to, orders) = unbounded();
    interrupt::ends_the_input();
    generations(wish, plan, &mut service, &orders, (Memory::default(), None), true)?;
    service.run_on(wish.afterwards_s)?;
    Ok(service.end())
}

/// Sources that are read, and who listens for posted lines.
struct Open {
    plans: Plans,
    numbers: Numbers,
    positions: Vec<dice_store::Position>,
    incoming: mpsc::Receiver<Incoming>,
    posting: Vec<Server>,
    reading: Sources,
}

/// Opens what a plan says. Nothing is read before everything is open.
fn open_all<W: Write>(wish: &Wish, plan: &Plan, service: &Service<W>, api: &mut Option<Api>) -> Result<Open> {
    let (sources, plans) = wish.sources(&plan.loaded, api.is_some())?;
    let positions = service.positions();
    let known = service.router().watermarks().partitions();
    let known = known.filter(|(id, _)| !Hold::is(*id) && !api::is_of_alerts(*id));
    let known = known.map(|(id, each)| (id, (each.source.to_string(), each.name.to_string())));
    let numbers = Numbers::from_state(known, &positions);
    let resume: Vec<dice_source::Position> =
        positions.iter().filter_map(|position| serde_json::from_str(&position.body).ok()).collect();
    let (incoming_to, incoming) = sync_channel::<Incoming>(BLOCKS);
    let shared = api.as_ref().and_then(|api| api.listens_at(&plan.loaded));
    let posting = servers(&plan.loaded, &wish.files, shared, &incoming_to)?;
    if let Some(api) = api {
        api.follow(&plan.loaded)?;
        api.relay(Some(incoming_to.clone()));
    }
    let started =
        dice_source::start(sources, resume, incoming_to, Arc::new(|| clock::now().as_millisecond()));
    let reading = started.map_err(|error| {
        Failure::new("wanted to read the sources", "give files that can be read and addresses that are free")
            .because(error)
    })?;
    Ok(Open { plans, numbers, positions, incoming, posting, reading })
}

/// Reads until the end; sources and catalogs are opened anew when they have changed. What cannot be opened then
/// is said, and what was in force stays.
fn generations<W: Write>(
    wish: &Wish,
    mut plan: Plan,
    service: &mut Service<W>,
    orders: &Receiver<Order>,
    (mut memory, mut api): (Memory, Option<Api>),
    is_replay: bool,
) -> Result<()> {
    let mut before: Option<Plan> = None;
    // The catalogs as they were when they could not be used.
    let mut catalog_files = None;
    loop {
        let opened = match (open_all(wish, &plan, service, &mut api), before.take()) {
            (Ok(opened), old) => {
                // The first configuration is in force already.
                if old.is_some() {
                    let config = Arc::new(plan.loaded.router.clone());
                    let line = configured(&config, wish.config.as_deref());
                    service.input(Input::Configuration(config), line);
                }
                opened
            }
            (Err(error), Some(old)) => {
                tracing::error!("{error:#}; what was in force stays");
                // It is tried again when something has changed again.
                let reach = plan.reach;
                plan = Plan { reach, ..old };
                catalog_files = Some(plan.known.stamp.again());
                open_all(wish, &plan, service, &mut api)?
            }
            (Err(error), None) => return Err(error),
        };
        let Open { plans, numbers, positions, incoming, posting, reading } = opened;
        service.open(|name| {
            plans.contains_key(name) || plan.loaded.sources.iter().any(|source| source.name == name)
        });
        if let (Some(api), Some(file)) = (&api, &wish.config) {
            api.publish(file, &plan.loaded, &plan.known);
        }
        let known = Arc::clone(&plan.known);
        let catalog_files = catalog_files.take().unwrap_or_else(|| known.stamp.clone());
        let mut watch = Watch::new(wish, &plan, catalog_files, api.as_mut());
        let is_over = AtomicBool::new(false);
        let ending = std::thread::scope(|scope| {
            let pipeline = Pipeline::new(
                (&known.matcher, &known.repos, &known.outdated),
                &plans,
                numbers,
                (&positions, &mut memory),
                is_replay,
                clock::now,
            );
            let (portions_to, portions) = bounded(BLOCKS);
            let classifying =
                std::thread::Builder::new().name("classify".to_owned()).spawn_scoped(scope, {
                    let is_over = &is_over;
                    move || pipeline.run(&incoming, &portions_to, is_over)
                })?;
            let ending = service.run(&portions, orders, |asked| watch.look(asked));
            posting.iter().for_each(Server::refuse);
            if let Some(api) = watch.api() {
                api.relay(None);
                if !matches!(ending, Ok(Ending::Changed)) {
                    api.refuse();
                }
            }
            reading.stop();
            is_over.store(true, Ordering::Relaxed);
            // The classifying thread hands on what it has and ends, as its channel is closed now.
            let drained = service.drain(&portions);
            // Where that failed, more would be handed on, and nobody would take it.
            drop(portions);
            posting.into_iter().for_each(Server::stop);
            if classifying.join().is_err() {
                anyhow::bail!("classifying lines failed");
            }
            drained?;
            ending
        })?;
        let (loaded, next) = watch.end();
        match (ending, next) {
            (Ending::Changed, Some(next)) => {
                plan.loaded = loaded;
                before = Some(std::mem::replace(&mut plan, next));
            }
            (Ending::Read, _) => return service.conclude(),
            _ => return Ok(()),
        }
    }
}

/// Listens for posted lines; no two sources of a configuration have one address.
/// Lines for sources at the address of the API, `shared`, are taken there.
fn servers(
    loaded: &Loaded,
    files: &[PathBuf],
    shared: Option<SocketAddr>,
    to: &SyncSender<Incoming>,
) -> Result<Vec<Server>> {
    let mut wanted = Vec::new();
    for source in loaded.sources.iter().filter(|_| files.is_empty()) {
        let SourceKind::Http { listen, token_env } = &source.kind else { continue };
        if shared == Some(*listen) && listen.port() != 0 {
            continue;
        }
        let whom = format!("source {}", source.name);
        let secret = token_env.as_deref().map(|name| settings::secret(name, "token_env", &whom));
        let token = secret.transpose()?.map(Token::new);
        let mut server = dice_serve::Settings::new(listen.port(), vec![source.name.clone()]);
        (server.listen, server.token, server.line_limit_bytes) = (*listen, token, source.limit_bytes);
        wanted.push((server, source.name.clone(), token_env.as_deref()));
    }
    let started = wanted.into_iter().map(|(settings, source, token_env)| {
        let listen = settings.listen;
        let server = dice_serve::serve(settings, to.clone()).map_err(|error| {
            Failure::new(
                format!("wanted to listen on {listen}"),
                "give an address that is free; one beyond this machine needs token_env",
            )
            .because(error)
        })?;
        sign::of_lines(server.address(), &source, token_env);
        Ok(server)
    });
    started.collect()
}

/// The journal's line of a configuration that takes effect.
pub(super) fn configured(config: &Config, file: Option<&Path>) -> JournalLine {
    tracing::info!(version = %config.version, rules = config.rules.len(), "a configuration takes effect");
    JournalLine {
        at_ms: clock::now().as_millisecond(),
        what: "configuration".to_owned(),
        body: serde_json::json!({ "version": config.version, "file": file }).to_string(),
    }
}

/// What was counted, on standard error.
fn summary(router: &Router) {
    for counts in router.counters().iter() {
        let lines = &counts.lines;
        tracing::info!(
            source = %lines.source,
            lines = lines.lines,
            matched = lines.matched,
            unknown = lines.unknown,
            late = counts.late,
            too_old = counts.too_old,
            "counted since the state began"
        );
    }
}

/// Notices of a replay, in the order they were told.
pub(crate) fn told(wish: &Wish) -> Result<(Router, Vec<Intent>)> {
    let (router, teller) = replay(wish, Outlet::<io::Sink>::Keep(Vec::new()))?;
    match teller {
        Outlet::Keep(intents) => Ok((router, intents)),
        Outlet::Print(..) => Ok((router, Vec::new())),
    }
}
