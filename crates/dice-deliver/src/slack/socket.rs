//! Socket Mode: Slack tells of clicks over a connection that Dice opens, so that no port is open.

use std::collections::VecDeque;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use super::Slack;
use super::click::Happening;
use super::client::{Body, Failure};

/// Slack takes an answer for so long, less what it takes to get there.
const ACK_MS: u64 = 2_500;

/// A connection says hello within this time.
const HELLO_MS: u64 = 10_000;

/// Whoever is silent for longer is gone; a ping is sent three times as often.
const SILENCE_MS: u64 = 60_000;

/// Longer frames are not read.
const MAX_FRAME_BYTES: usize = 4 * 1024 * 1024;

/// What is waiting to be committed, by connection: no more is read meanwhile.
const MAX_WAITING: usize = 100;

/// Connections at a time: while one is relieved there are two.
const MAX_CONNECTIONS: usize = 3;

/// What came over the connection.
#[derive(Debug)]
pub struct Incoming {
    /// What happened.
    pub happening: Happening,
    /// To be told when what it led to is committed.
    pub committed: Committed,
}

/// Answers Slack. Dropped without a word, Slack tells it again.
#[derive(Debug)]
pub struct Committed(oneshot::Sender<()>);

impl Committed {
    /// What it led to is committed: Slack need not tell it again.
    pub fn say(self) {
        // Where Slack has been answered already because it took too long, nobody listens any more.
        let _ = self.0.send(());
    }
}

/// How the connection stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// There is none yet.
    Opening,
    /// Clicks arrive.
    Open,
    /// Clicks do not arrive, and why; it is tried again by itself.
    Down(String),
    /// Slack does not accept the app's token, and why; clicks do not arrive until somebody acts.
    Refused(String),
}

/// Keeps a connection open over which clicks arrive.
pub struct Socket {
    slack: Arc<Slack>,
    out: mpsc::Sender<Incoming>,
    clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    standing: watch::Sender<Standing>,
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Socket").field("standing", &*self.standing.borrow()).finish_non_exhaustive()
    }
}

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What a connection says to whoever keeps them.
enum News {
    Hello(u64),
    /// It will be closed soon.
    Ending(u64),
    Ended(u64, String),
}

/// Why there is no connection, and whether that lasts until somebody acts.
struct Closed(String, bool);

impl Socket {
    /// A connection of `slack`, by its app token, that tells `out` what comes; `clock` gives milliseconds since
    /// 1970. It begins with [`Socket::run`].
    ///
    /// The environment's proxy is not used for it.
    pub fn new(
        slack: Arc<Slack>,
        out: mpsc::Sender<Incoming>,
        clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    ) -> (Socket, watch::Receiver<Standing>) {
        let (standing, seen) = watch::channel(Standing::Opening);
        (Socket { slack, out, clock, standing }, seen)
    }

    /// Keeps the connection open until nobody listens to it any more.
    pub async fn run(self) {
        let out = self.out.clone();
        tokio::select! {
            () = out.closed() => {}
            () = self.keep() => {}
        }
    }

    async fn keep(&self) {
        let mut tasks = JoinSet::new();
        let mut handles: VecDeque<AbortHandle> = VecDeque::new();
        let (tell, mut news) = mpsc::channel(16);
        let mut failures = 0;
        for id in 0_u64.. {
            match self.open().await {
                Ok(stream) => {
                    handles.push_back(tasks.spawn(self.connection(stream, id, tell.clone())));
                    while handles.len() > MAX_CONNECTIONS
                        && let Some(oldest) = handles.pop_front()
                    {
                        oldest.abort();
                    }
                }
                Err(Closed(why, lasts)) => {
                    failures = if lasts { 16 } else { failures + 1 };
                    self.standing.send_replace(if lasts {
                        Standing::Refused(why)
                    } else {
                        Standing::Down(why)
                    });
                    sleep(pause(failures)).await;
                    continue;
                }
            }
            loop {
                match news.recv().await {
                    Some(News::Hello(of)) if of == id => {
                        failures = 0;
                        self.standing.send_replace(Standing::Open);
                    }
                    // The old one is still read while the new one is opened.
                    Some(News::Ending(of)) if of == id => break,
                    Some(News::Ended(of, why)) if of == id => {
                        failures += 1;
                        self.standing.send_replace(Standing::Down(why));
                        sleep(pause(failures)).await;
                        break;
                    }
                    Some(_) => while tasks.try_join_next().is_some() {},
                    None => return,
                }
            }
        }
    }

    async fn open(&self) -> Result<Stream, Closed> {
        let Some(token) = &self.slack.settings.app_token else {
            return Err(Closed("there is no app token".to_owned(), true));
        };
        let empty = json!({});
        let reply = self.slack.client.call("apps.connections.open", token, Body::Json(&empty)).await;
        let reply = reply.map_err(|failure| {
            Closed(format!("cannot open a connection: {failure}"), matches!(failure, Failure::Code { .. }))
        })?;
        let url = reply.text("/url");
        let is_plain = self.slack.client.is_plain() && url.starts_with("ws://");
        if !is_plain && !url.starts_with("wss://") {
            return Err(Closed("Slack named no address for the connection".to_owned(), false));
        }
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_FRAME_BYTES))
            .max_frame_size(Some(MAX_FRAME_BYTES));
        let connecting = connect_async_with_config(url, Some(config), true);
        match timeout(Duration::from_millis(HELLO_MS), connecting).await {
            Ok(Ok((stream, _))) => Ok(stream),
            // The address carries a ticket: the error is told without it.
            Ok(Err(error)) => Err(Closed(format!("cannot open the connection: {error}"), false)),
            Err(_) => Err(Closed("opening the connection took too long".to_owned(), false)),
        }
    }

    /// Reads one connection to its end.
    fn connection(
        &self,
        stream: Stream,
        id: u64,
        tell: mpsc::Sender<News>,
    ) -> impl Future<Output = ()> + use<> {
        let (slack, out, clock) = (Arc::clone(&self.slack), self.out.clone(), Arc::clone(&self.clock));
        async move {
            let reader = Reader { slack, out, clock, id, tell: tell.clone() };
            let why = reader.read(stream).await;
            // Whoever keeps the connections may be gone.
            let _ = tell.send(News::Ended(id, why)).await;
        }
    }
}

struct Reader {
    slack: Arc<Slack>,
    out: mpsc::Sender<Incoming>,
    clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    id: u64,
    tell: mpsc::Sender<News>,
}

impl Reader {
    /// Why it ended.
    async fn read(&self, stream: Stream) -> String {
        let (mut sink, mut source) = stream.split();
        let mut waiting = FuturesUnordered::new();
        let mut pings = interval(Duration::from_millis(SILENCE_MS / 3));
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (opened, mut heard, mut has_said_hello) = (Instant::now(), Instant::now(), false);
        loop {
            tokio::select! {
                frame = source.next(), if waiting.len() < MAX_WAITING => {
                    heard = Instant::now();
                    match frame {
                        Some(Ok(Frame::Text(text))) => {
                            let Ok(frame) = serde_json::from_str::<Value>(&text) else { continue };
                            match frame["type"].as_str() {
                                Some("hello") => {
                                    has_said_hello = true;
                                    let _ = self.tell.send(News::Hello(self.id)).await;
                                }
                                Some("disconnect") if frame["reason"] == "link_disabled" => {
                                    return "Socket Mode is switched off for the app".to_owned();
                                }
                                Some("disconnect") => {
                                    let _ = self.tell.send(News::Ending(self.id)).await;
                                }
                                _ => {
                                    if let Some(envelope) = frame["envelope_id"].as_str() {
                                        let happening = self.happening(&frame);
                                        waiting.push(hand_over(envelope.to_owned(), happening, self.out.clone()));
                                    }
                                }
                            }
                        }
                        Some(Ok(Frame::Close(_))) | None => return "Slack closed the connection".to_owned(),
                        Some(Ok(_)) => {}
                        Some(Err(error)) => return format!("the connection broke: {error}"),
                    }
                }
                Some(envelope) = waiting.next(), if !waiting.is_empty() => {
                    let Some(envelope) = envelope else { continue };
                    let answer = json!({"envelope_id": envelope}).to_string();
                    if let Err(error) = sink.send(Frame::text(answer)).await {
                        return format!("the connection broke: {error}");
                    }
                }
                _ = pings.tick() => {
                    if heard.elapsed() > Duration::from_millis(SILENCE_MS) {
                        return "nothing came over the connection for a minute".to_owned();
                    }
                    if !has_said_hello && opened.elapsed() > Duration::from_millis(HELLO_MS) {
                        return "the connection never said hello".to_owned();
                    }
                    if let Err(error) = sink.send(Frame::Ping(Default::default())).await {
                        return format!("the connection broke: {error}");
                    }
                }
            }
        }
    }

    fn happening(&self, frame: &Value) -> Happening {
        match (frame["type"].as_str(), &self.slack.settings.seal) {
            (Some("interactive"), Some(seal)) => {
                Happening::of_payload(&frame["payload"], seal, (self.clock)())
            }
            (Some("events_api"), _) => Happening::of_event(&frame["payload"]),
            _ => Happening::Nothing,
        }
    }
}

/// The envelope, when Slack may be answered: at once where nothing is to be done; where something is, when it
/// has been committed, or has been taken over and takes too long. `None` when Slack is to tell it again.
async fn hand_over(envelope: String, happening: Happening, out: mpsc::Sender<Incoming>) -> Option<String> {
    let is_empty = matches!(&happening, Happening::Clicks(clicks) if clicks.is_empty());
    if is_empty || matches!(happening, Happening::Nothing | Happening::Challenge(_)) {
        return Some(envelope);
    }
    let (committed, done) = oneshot::channel();
    let deadline = Instant::now() + Duration::from_millis(ACK_MS);
    let incoming = Incoming { happening, committed: Committed(committed) };
    let taken = tokio::time::timeout_at(deadline, out.send(incoming)).await;
    if !matches!(taken, Ok(Ok(()))) {
        return None;
    }
    match tokio::time::timeout_at(deadline, done).await {
        Ok(Ok(())) | Err(_) => Some(envelope),
        Ok(Err(_)) => None,
    }
}

/// 1 s, 2 s, 4 s … 60 s, and by chance up to half of that longer.
fn pause(failures: u32) -> Duration {
    let ms = 1_000_u64.saturating_mul(1 << failures.saturating_sub(1).min(6)).min(60_000);
    Duration::from_millis(ms + RandomState::new().hash_one(failures) % (ms / 2))
}
