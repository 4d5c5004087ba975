//! A Slack workspace: channels, people and what was written, as the Web API shows and changes them.
//!
//! Strict where Slack is: arguments, scopes, limits of blocks, who is in which channel. What is limited, lost,
//! hangs or fails after it was done is told by [`Fault`]s.

mod api;
mod http;
mod strict;
mod view;
mod web_socket;
mod workspace;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

pub use strict::{MAX_TOTAL, check};
use workspace::Workspace;
pub use workspace::{Channel, Fault, Message, Person};

/// A workspace that listens on this machine.
#[derive(Debug)]
pub struct FakeSlack {
    shared: Arc<Shared>,
    address: SocketAddr,
    sockets: SocketAddr,
}

#[derive(Debug)]
struct Shared {
    workspace: Mutex<Workspace>,
    changed: Condvar,
    is_over: AtomicBool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Workspace> {
        self.workspace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }
}

impl FakeSlack {
    /// The bot's token.
    pub const BOT_TOKEN: &'static str = "xoxb-fake";
    /// The app's token.
    pub const APP_TOKEN: &'static str = "xapp-fake";
    /// What requests are signed with.
    pub const SIGNING_SECRET: &'static str = "fake-signing-secret";

    /// An empty workspace in which the bot may do everything.
    pub fn start() -> FakeSlack {
        let bind = || TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
        let (http, sockets) = (bind(), bind());
        let address = |listener: &TcpListener| listener.local_addr().expect("a listener has an address");
        let (http_address, socket_address) = (address(&http), address(&sockets));
        let workspace = Workspace::new(format!("ws://{socket_address}/"));
        let shared = Arc::new(Shared {
            workspace: Mutex::new(workspace),
            changed: Condvar::new(),
            is_over: AtomicBool::new(false),
        });
        accept(http, Arc::clone(&shared), http::serve);
        accept(sockets, Arc::clone(&shared), web_socket::serve);
        FakeSlack { shared, address: http_address, sockets: socket_address }
    }

    /// The address of the API.
    pub fn base(&self) -> String {
        format!("http://{}/api", self.address)
    }

    /// A channel that the bot is in; gives its id.
    pub fn add_channel(&self, name: &str) -> String {
        let mut workspace = self.lock();
        let id = format!("C{:08}", workspace.channels.len() + 1);
        let channel =
            Channel { name: name.trim_start_matches('#').to_owned(), is_member: true, ..Channel::default() };
        workspace.channels.insert(id.clone(), channel);
        id
    }

    /// A person who is there; gives the id.
    pub fn add_person(&self, email: &str) -> String {
        let mut workspace = self.lock();
        let id = format!("U{:08}", workspace.people.len() + 1);
        let person = Person { email: email.to_owned(), is_active: true, ..Person::default() };
        workspace.people.insert(id.clone(), person);
        id
    }

    /// Changes a channel.
    pub fn channel(&self, id: &str, change: impl FnOnce(&mut Channel)) {
        change(self.lock().channels.get_mut(id).expect("the channel was added"));
    }

    /// Changes a person.
    pub fn person(&self, id: &str, change: impl FnOnce(&mut Person)) {
        change(self.lock().people.get_mut(id).expect("the person was added"));
    }

    /// What the bot's token may do from now on.
    pub fn set_scopes(&self, scopes: &[&str]) {
        self.lock().scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    }

    /// Everything is answered with this code, such as `token_revoked`; with `None` nothing is any more.
    pub fn set_denial(&self, code: Option<&str>) {
        self.lock().denial = code.map(str::to_owned);
    }

    /// The clock stands still at this moment, milliseconds since 1970; without one it is this machine's.
    pub fn set_now_ms(&self, now_ms: Option<i64>) {
        self.lock().now_ms = now_ms;
    }

    /// The workspace's time, milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.lock().now_ms()
    }

    /// So many messages a second are taken for one channel; more are limited.
    pub fn set_rate(&self, per_second: Option<usize>) {
        self.lock().rate = per_second;
    }

    /// The next so many looks into a history or a thread do not show what was written last.
    pub fn set_history_lag(&self, looks: usize) {
        self.lock().lag = looks;
    }

    /// The next call of `method` fails so.
    pub fn fail(&self, method: &str, fault: Fault) {
        self.lock().faults.entry(method.to_owned()).or_default().push_back(fault);
    }

    /// Calls of `method` fail no more.
    pub fn mend(&self, method: &str) {
        self.lock().faults.remove(method);
    }

    /// Everything that was written and stands, in the order of writing.
    pub fn messages(&self) -> Vec<Message> {
        self.lock().messages.clone()
    }

    /// How many messages carry each intent's name.
    pub fn by_intent(&self) -> BTreeMap<String, usize> {
        let mut count = BTreeMap::new();
        for message in &self.lock().messages {
            if let Some(intent) = message.metadata["event_payload"]["intent"].as_str() {
                *count.entry(intent.to_owned()).or_default() += 1;
            }
        }
        count
    }

    /// Changes a message.
    pub fn message(&self, ts: &str, change: impl FnOnce(&mut Message)) {
        self.lock().messages.iter_mut().find(|message| message.ts == ts).map(change).expect("it was written");
    }

    /// Takes a message away.
    pub fn delete(&self, ts: &str) {
        self.lock().messages.retain(|message| message.ts != ts);
    }

    /// What the bot told single people beside the conversation: id and text.
    pub fn whispers(&self) -> Vec<(String, String)> {
        self.lock().whispers.clone()
    }

    /// The questions that were shown.
    pub fn views(&self) -> Vec<Value> {
        self.lock().views.clone()
    }

    /// The arguments of all calls of `method` so far, the failed ones too.
    pub fn calls(&self, method: &str) -> Vec<Value> {
        self.lock()
            .calls
            .iter()
            .filter(|(known, _)| known == method)
            .map(|(_, arguments)| arguments.clone())
            .collect()
    }

    /// What was refused because Slack would not take it, in words.
    pub fn refusals(&self) -> Vec<String> {
        self.lock().refusals.clone()
    }

    /// Waits until something is so, at most a minute; false when it never was.
    pub fn wait_until(&self, mut is_so: impl FnMut(&FakeSlack) -> bool) -> bool {
        let deadline = deadline();
        while !is_so(self) {
            let workspace = self.lock();
            let step = Duration::from_millis(50);
            drop(self.shared.changed.wait_timeout(workspace, step).unwrap_or_else(PoisonError::into_inner));
            if is_past(deadline) {
                return is_so(self);
            }
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, Workspace> {
        self.shared.lock()
    }
}

impl Drop for FakeSlack {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        self.shared.changed.notify_all();
        // Whoever accepts looks up then.
        for address in [self.address, self.sockets] {
            drop(TcpStream::connect(address));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a test that hangs ends")]
fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

#[expect(clippy::disallowed_methods, reason = "a test that hangs ends")]
fn is_past(deadline: Instant) -> bool {
    Instant::now() > deadline
}

fn accept(listener: TcpListener, shared: Arc<Shared>, serve: fn(TcpStream, &Arc<Shared>)) {
    thread::spawn(move || {
        for stream in listener.incoming() {
            if shared.is_over() {
                return;
            }
            let Ok(stream) = stream else { continue };
            let shared = Arc::clone(&shared);
            thread::spawn(move || serve(stream, &shared));
        }
    });
}
