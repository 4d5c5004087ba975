//! A receiver of webhooks as the convention wants it: checks signatures, and takes no call twice. Source:
//! Standard Webhooks 1.0.0.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::http::{Faults, Reply, Request, Server};

/// A secret that the receiver knows.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[derive(Debug, Default)]
struct State {
    taken: BTreeMap<String, Value>,
    repeated: u32,
    refused: Vec<String>,
    requests: Vec<Request>,
}

/// A running receiver.
#[derive(Debug)]
pub struct Receiver {
    /// What goes wrong next.
    pub faults: Faults,
    state: Arc<Mutex<State>>,
    server: Server,
}

impl Receiver {
    /// Starts one whose clock stands at `now_ms`.
    pub fn start(now_ms: i64) -> Receiver {
        let state = Arc::new(Mutex::new(State::default()));
        let (faults, kept) = (Faults::default(), Arc::clone(&state));
        let server = Server::start(faults.clone(), move |request| {
            let mut state = kept.lock().expect("no test panics with it");
            state.requests.push(request.clone());
            match checked(request, now_ms) {
                Ok((id, body)) => {
                    if state.taken.insert(id, body).is_some() {
                        state.repeated += 1;
                    }
                    Reply::new(204, "")
                }
                Err(why) => {
                    state.refused.push(why.clone());
                    Reply::new(400, why)
                }
            }
        });
        Receiver { faults, state, server }
    }

    /// Its address.
    pub fn url(&self) -> String {
        self.server.url("/hook")
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.server.address().port()
    }

    /// The bodies that were taken, by the id of their call.
    pub fn taken(&self) -> BTreeMap<String, Value> {
        self.state().taken.clone()
    }

    /// How many calls had been taken before.
    pub fn repeated(&self) -> u32 {
        self.state().repeated
    }

    /// Why calls were refused.
    pub fn refused(&self) -> Vec<String> {
        self.state().refused.clone()
    }

    /// The requests that were carried out, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.state().requests.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics with it")
    }
}

fn checked(request: &Request, now_ms: i64) -> Result<(String, Value), String> {
    if request.method != "POST" {
        return Err("no POST".to_owned());
    }
    let header = |name| request.header(name).ok_or_else(|| format!("{name} is missing"));
    let (id, time) = (header("webhook-id")?, header("webhook-timestamp")?);
    let seconds: i64 = time.parse().map_err(|_| format!("the time is no number: {time}"))?;
    if (seconds * 1000).abs_diff(now_ms) > 300_000 {
        return Err(format!("the time is too far away: {time}"));
    }
    let key = STANDARD.decode(&SECRET["whsec_".len()..]).expect("it is base64");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key of any length will do");
    mac.update(format!("{id}.{time}.").as_bytes());
    mac.update(&request.body);
    let right = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    if !header("webhook-signature")?.split(' ').any(|given| given == right) {
        return Err("no signature is right".to_owned());
    }
    let body: Value = serde_json::from_slice(&request.body).map_err(|err| err.to_string())?;
    let is_whole = body["type"].is_string() && body["timestamp"].is_string();
    if is_whole { Ok((id.to_owned(), body)) } else { Err("the body has no type or no timestamp".to_owned()) }
}
