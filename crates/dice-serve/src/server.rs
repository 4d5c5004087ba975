//! The thread that listens.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::routing::post;
use axum::{Router, middleware};
use tokio::runtime::{self, Runtime};
use tokio::sync::{Semaphore, watch};

use crate::api::{self, Api};
use crate::connection::{Door, Peer};
use crate::gate::Gate;
use crate::{Desk, Request, Settings, lines};

/// Milliseconds that connections are given to take their last answers.
const FAREWELL_MS: u64 = 500;

/// A server that listens. Dropping it stops it too.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    is_refusing: Arc<AtomicBool>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

/// What all requests share.
pub(crate) struct Shared<T> {
    pub(crate) settings: Settings,
    pub(crate) gate: Arc<Gate>,
    pub(crate) out: SyncSender<T>,
    /// One for each request that is read or waits.
    pub(crate) places: Semaphore,
    pub(crate) is_refusing: Arc<AtomicBool>,
    pub(crate) stopped: watch::Receiver<bool>,
}

/// Listens and hands requests in through `out`, as whatever the receiver takes them for.
///
/// A request that finds no room there for a while is told to come back. Requests that were handed in and are
/// not yet done are bounded by the settings, whatever the channel holds.
///
/// # Errors
///
/// When the address cannot be listened on, or can be reached from other machines while there is no token.
pub fn serve<T>(settings: Settings, out: SyncSender<T>) -> Result<Server, ServeError>
where
    T: From<Request> + Send + 'static,
{
    start(settings, out, None)
}

/// Listens as [`serve`] does, with the API beside it: what it asks for is carried out by `desk`.
///
/// # Errors
///
/// As those of [`serve`].
pub fn serve_api<T>(settings: Settings, out: SyncSender<T>, desk: Arc<dyn Desk>) -> Result<Server, ServeError>
where
    T: From<Request> + Send + 'static,
{
    start(settings, out, Some(desk))
}

fn start<T>(settings: Settings, out: SyncSender<T>, desk: Option<Arc<dyn Desk>>) -> Result<Server, ServeError>
where
    T: From<Request> + Send + 'static,
{
    let listen = settings.listen;
    if settings.token.is_none() && settings.keys.is_empty() && !listen.ip().is_loopback() {
        let what = format!("wanted a token, because other machines can reach {listen}, found none");
        return Err(ServeError { what, cause: None });
    }
    let wanted = |error| ServeError { what: format!("wanted to listen on {listen}"), cause: Some(error) };
    let listener = TcpListener::bind(listen).map_err(wanted)?;
    listener.set_nonblocking(true).map_err(wanted)?;
    let address = listener.local_addr().map_err(wanted)?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(wanted)?;
    let wait_ms = (settings.queue_ms + settings.commit_ms).max(settings.look_ms);
    let door = Door {
        listener: {
            let _entered = runtime.enter();
            tokio::net::TcpListener::from_std(listener).map_err(wanted)?
        },
        places: Arc::new(Semaphore::new(settings.connections.clamp(1, Semaphore::MAX_PERMITS))),
        // While a request waits, its sender is silent.
        idle_ms: settings.idle_ms + wait_ms,
        // Once for what stands before the body, once for the body.
        ask_ms: 2 * settings.idle_ms + wait_ms,
    };
    let (stop, stopped) = watch::channel(false);
    let is_refusing = Arc::new(AtomicBool::new(false));
    let places = Semaphore::new(settings.requests.clamp(1, Semaphore::MAX_PERMITS));
    let gate = Arc::new(Gate::new(&settings));
    let api = desk.map(|desk| {
        let (settings, gate) = (settings.clone(), Arc::clone(&gate));
        Arc::new(Api::new(settings, desk, gate, Arc::clone(&is_refusing), stopped.clone()))
    });
    let shared = Shared { settings, gate, out, places, is_refusing: Arc::clone(&is_refusing), stopped };
    let thread = thread::Builder::new().name("serve".to_owned());
    let thread = thread.spawn(move || run(runtime, door, shared, api)).map_err(wanted)?;
    Ok(Server { address, is_refusing, stop, thread: Some(thread) })
}

fn run<T: From<Request> + Send + 'static>(
    runtime: Runtime,
    door: Door,
    shared: Shared<T>,
    api: Option<Arc<Api>>,
) {
    let stopped = || {
        let mut stopped = shared.stopped.clone();
        async move {
            let _ = stopped.wait_for(|is_stopped| *is_stopped).await;
        }
    };
    let (graceful, last) = (stopped(), stopped());
    let lines = Router::new().route("/v1/lines", post(lines::post::<T>));
    let lines = lines.method_not_allowed_fallback(lines::not_so);
    let lines = lines.with_state(Arc::new(shared));
    let routes = match api {
        None => lines.fallback(lines::nowhere),
        Some(api) => {
            let routes = api::routes().method_not_allowed_fallback(api::not_so).with_state(Arc::clone(&api));
            let routes = routes.merge(lines).fallback(api::nowhere);
            routes.layer(middleware::from_fn_with_state(api, api::observe))
        }
    };
    let routes = routes.into_make_service_with_connect_info::<Peer>();
    runtime.block_on(async move {
        let serving = axum::serve(door, routes).with_graceful_shutdown(graceful).into_future();
        let farewell = async {
            last.await;
            tokio::time::sleep(Duration::from_millis(FAREWELL_MS)).await;
        };
        tokio::select! {
            _ = serving => {}
            () = farewell => {}
        }
    });
    // A look that goes on is not waited for.
    runtime.shutdown_background();
}

impl Server {
    /// The address that is listened on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Turns new requests away from now on. Those handed in before can still be done.
    pub fn refuse(&self) {
        self.is_refusing.store(true, Ordering::Relaxed);
    }

    /// Ends all connections. Who still waits for a commit is told that there was none.
    ///
    /// It takes less than a second.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// Why nobody listens.
#[derive(Debug)]
pub struct ServeError {
    what: String,
    cause: Option<io::Error>,
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Error for ServeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}
