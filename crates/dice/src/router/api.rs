//! The API around the loop: where it listens, what it shows, and what it asks the loop for.
//!
//! Questions are answered from the state file and from what is in force (`desk.rs`, `board.rs`); whatever
//! changes something goes to the loop (`hatch.rs`) and is answered after the commit.

mod alerts;
mod backtest;
mod board;
mod desk;
mod figures;
mod fires;
mod hatch;
mod letters;
mod managed;
mod relay;
mod sessions;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use anyhow::Result;
use crossbeam_channel::{Receiver, Sender, bounded};
use dice_config::{Loaded, ServerSettings, SourceKind};
use dice_serve::{Allowance, Key, Scope, Server, Settings, Token};
use dice_store::Store;

pub(crate) use alerts::{AlertBook, is as is_of_alerts};
pub(crate) use board::Force;
pub(crate) use hatch::{Answering, Asked, Hatch, Unsubscribed, Wanted, journaled};
pub(crate) use managed::Managed;

use board::Board;
use desk::Front;
use relay::Relay;
use sessions::Sessions;

use super::delivery::Letters;
use super::pipeline::Incoming;
use super::plan::Known;
use super::sign;
use crate::{Failure, clock, settings};

/// Where `dice serve` listens when nobody says so.
const USUAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8600);
/// Asks that wait for the loop; for further ones there is no room.
const ASKS: usize = 64;

/// Whether there is an API where the configuration has no `[server]`, and at which address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// As the configuration says.
    Configured,
    /// There is one, there where it is given.
    At(Option<SocketAddr>),
}

/// Where the API is, and which sources take lines there.
type Setup = (ServerSettings, Vec<String>);

/// The API as whoever runs the loop has it.
pub(crate) struct Api {
    /// The versions of what the API manages.
    pub(crate) managed: Managed,
    board: Arc<Board>,
    wish: Wish,
    wanted: Sender<Wanted>,
    relay: Relay,
    letters: Letters,
    server: Option<(Setup, Server)>,
}

impl Api {
    /// The API of a router that keeps its state in the file `state`, and the loop's side of it. It listens when
    /// it is told to [`Api::follow`].
    pub(crate) fn new(
        wish: Wish,
        state: &Path,
        (managed, alerts, sessions): (Managed, AlertBook, Sessions),
        force: Force,
        letters: Letters,
    ) -> (Api, Hatch) {
        let board = Arc::new(Board::new(state.to_owned(), force, sessions));
        let (wanted, asked): (_, Receiver<Wanted>) = bounded(ASKS);
        let hatch = Hatch::new(asked, Arc::clone(&board), alerts);
        (Api { managed, board, wish, wanted, relay: Relay::default(), letters, server: None }, hatch)
    }

    /// The address of the API by this configuration.
    pub(crate) fn address(wish: Wish, loaded: &Loaded) -> Option<SocketAddr> {
        let configured = loaded.server.as_ref().map(|server| server.listen);
        match wish {
            Wish::Configured => configured,
            Wish::At(listen) => Some(listen.or(configured).unwrap_or(USUAL)),
        }
    }

    /// Where it listens by this configuration.
    pub(crate) fn listens_at(&self, loaded: &Loaded) -> Option<SocketAddr> {
        Api::address(self.wish, loaded)
    }

    /// This is in force from now on.
    pub(crate) fn publish(&self, file: &Path, loaded: &Loaded, known: &Arc<Known>) {
        let since_ms = clock::now().as_millisecond();
        let (file, loaded, known) = (file.to_owned(), loaded.clone(), Arc::clone(known));
        self.board.set_force(Force { file, loaded, known, since_ms });
    }

    /// Listens as the configuration says; where it says the same as before, nothing happens.
    ///
    /// # Errors
    ///
    /// When that is not possible. Then what was before goes on.
    pub(crate) fn follow(&mut self, loaded: &Loaded) -> Result<()> {
        let setup = setup(self.wish, loaded);
        if self.server.as_ref().map(|(setup, _)| setup) == setup.as_ref() {
            return Ok(());
        }
        // A token that is not there is told before anything stops.
        let new = setup.map(|setup| Ok::<_, anyhow::Error>((of(&setup)?, setup))).transpose()?;
        let old = self.server.take().map(|(setup, server)| {
            server.stop();
            setup
        });
        let Some((settings, setup)) = new else { return Ok(()) };
        let started = self.start(settings, &setup).map(|server| self.server = Some((setup, server)));
        if started.is_err()
            && let Some(setup) = old
        {
            let server = self.start(of(&setup)?, &setup)?;
            self.server = Some((setup, server));
        }
        started
    }

    fn start(&self, settings: Settings, setup: &Setup) -> Result<Server> {
        let listen = settings.listen;
        let desk = Arc::new(Front {
            board: Arc::clone(&self.board),
            wanted: self.wanted.clone(),
            letters: self.letters.clone(),
        });
        let server = dice_serve::serve_api(settings, self.relay.begin(), desk).map_err(|error| {
            Failure::new(
                format!("wanted to listen on {listen}"),
                "give an address that is free: listen of [server], or --listen; one beyond this machine needs [[server.key]]",
            )
            .because(error)
        })?;
        sign::of_api(server.address(), &setup.0, &setup.1);
        Ok(server)
    }

    /// From now on, lines that are posted go there, or wait.
    pub(crate) fn relay(&self, to: Option<SyncSender<Incoming>>) {
        self.relay.turn(to);
    }

    /// Turns new requests away: the router stops.
    pub(crate) fn refuse(&self) {
        self.server.iter().for_each(|(_, server)| server.refuse());
    }
}

fn setup(wish: Wish, loaded: &Loaded) -> Option<Setup> {
    let listen = Api::address(wish, loaded)?;
    let mut server = loaded.server.clone().unwrap_or_else(|| ServerSettings::at(listen));
    server.listen = listen;
    let posted = loaded.sources.iter().filter(|source| matches!(source.kind, SourceKind::Http { .. }));
    Some((server, posted.map(|source| source.name.clone()).collect()))
}

fn of((server, sources): &Setup) -> Result<Settings> {
    let mut keys = Vec::new();
    for key in &server.keys {
        let scopes = key.scopes.iter().filter_map(|word| {
            [Scope::Lines, Scope::Read, Scope::Act, Scope::Configure]
                .into_iter()
                .find(|it| it.as_str() == word)
        });
        let token = Token::new(settings::secret(
            &key.token_env,
            "token_env",
            &format!("the key {} of [server]", key.name),
        )?);
        keys.push(Key { name: key.name.clone(), token, scopes: scopes.collect() });
    }
    let mut settings = Settings::new(0, sources.clone());
    settings.listen = server.listen;
    settings.keys = keys;
    settings.hosts.clone_from(&server.hosts);
    settings.body_limit_bytes = server.body_limit_bytes;
    settings.form_limit_bytes = server.form_limit_bytes;
    settings.requests = server.requests;
    settings.connections = server.connections;
    settings.allowance = Allowance { burst: server.burst, per_minute: server.per_minute };
    Ok(settings)
}

/// What the API left in a state file.
pub(crate) struct Kept {
    /// Its configuration.
    pub(crate) managed: Managed,
    /// The alerts that it was told.
    pub(crate) alerts: AlertBook,
    /// Sessions of browsers that were ended.
    pub(crate) sessions: Sessions,
    /// Who unsubscribed.
    pub(crate) unsubscribed: Unsubscribed,
}

impl Kept {
    /// What is in `store`.
    pub(crate) fn of(store: &Store) -> Result<Kept> {
        Ok(Kept {
            managed: Managed::of(store)?,
            alerts: AlertBook::of(store)?,
            sessions: Sessions::of(store)?,
            unsubscribed: Unsubscribed::of(store)?,
        })
    }
}

/// What the API manages by the state file `path`, where there is one that can be read.
pub(crate) fn managed_at(path: &Path) -> Managed {
    let store = path.exists().then(|| crate::commands::state::open_to_read(path)).and_then(Result::ok);
    store.and_then(|store| Managed::of(&store).ok()).unwrap_or_default()
}
