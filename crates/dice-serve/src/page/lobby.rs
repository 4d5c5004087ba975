//! What is remembered of browsers while the program runs.

use std::collections::VecDeque;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use axum::http::HeaderMap;

use crate::api::Api;
use crate::gate::{Identity, session, session_name};

/// Things just done that are remembered to be shown.
const MAX_SAID: usize = 256;

/// What is remembered of browsers.
#[derive(Debug)]
pub(crate) struct Lobby {
    /// Nobody outside knows it, and it is another one in every process.
    secret: String,
    pressed: AtomicU64,
    said: Mutex<VecDeque<(String, String, Said)>>,
}

/// What became of a form, for the page that follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) text: String,
    /// What belongs to it, each on a line of its own.
    pub(super) lines: Vec<String>,
    /// What takes it back: an act and its subject.
    pub(super) undo: Option<(String, String)>,
}

impl Default for Lobby {
    fn default() -> Lobby {
        // The keys of the standard library's hashes come from the system's randomness.
        let random = |n: u8| {
            let state = RandomState::new();
            (0..4_u8).map(move |m| state.hash_one((n, m)).to_be_bytes()).collect::<Vec<_>>().concat()
        };
        let secret = dice_route::name(&[b"secret", &random(0), &random(1)]).to_string();
        Lobby { secret, pressed: AtomicU64::new(0), said: Mutex::default() }
    }
}

impl Lobby {
    /// Who has the session that a browser shows.
    pub(crate) fn identify(&self, api: &Api, headers: &HeaderMap) -> Identity {
        let Some(session) = session(headers) else { return Identity::Nobody };
        match api.gate.resume(session, api.desk.now_ms()) {
            Identity::Known { .. } if api.desk.has_ended(&session_name(session)) => Identity::Nobody,
            identity => identity,
        }
    }

    /// What the forms of that actor show; with a session it is the session's own, and outlives this process.
    pub(super) fn seal(&self, actor: &str, session: Option<&str>) -> String {
        let secret = session.unwrap_or(&self.secret);
        dice_route::name(&[b"seal", secret.as_bytes(), actor.as_bytes()]).to_string()
    }

    /// A name that nothing had before.
    pub(super) fn press(&self) -> String {
        let n = self.pressed.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        dice_route::name(&[b"press", self.secret.as_bytes(), &n]).to_string()
    }

    /// Keeps what became of a form of whoever has that seal; gives its name.
    pub(super) fn say(&self, seal: &str, said: Said) -> String {
        let name = self.press();
        let mut all = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        while all.len() >= MAX_SAID {
            all.pop_front();
        }
        all.push_back((name.clone(), seal.to_owned(), said));
        name
    }

    /// What became of a form of whoever has that seal.
    pub(super) fn said(&self, seal: &str, name: &str) -> Option<Said> {
        let all = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let found = all.iter().find(|(known, whose, _)| known == name && whose == seal);
        found.map(|(_, _, said)| said.clone())
    }
}
