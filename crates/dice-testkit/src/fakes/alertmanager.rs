//! Alertmanager: alerts in, by its API v2; valid ones count where others of the same call are not.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::Value;

use super::http::{Faults, Reply, Request, Server};

/// One alert as it was posted last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// What it is.
    pub labels: BTreeMap<String, String>,
    /// What is known of it.
    pub annotations: BTreeMap<String, String>,
    /// When it began, as it was given.
    pub starts_at: String,
    /// When it ends, as it was given.
    pub ends_at: String,
    /// Where to read more.
    pub generator_url: Option<String>,
    /// How often it was posted.
    pub posts: u32,
}

#[derive(Debug, Default)]
struct State {
    alerts: Vec<Alert>,
    logins: Vec<Option<String>>,
}

/// A running Alertmanager.
#[derive(Debug)]
pub struct Alertmanager {
    /// What goes wrong next.
    pub faults: Faults,
    state: Arc<Mutex<State>>,
    server: Server,
}

impl Alertmanager {
    /// Starts one.
    pub fn start() -> Alertmanager {
        let state = Arc::new(Mutex::new(State::default()));
        let (faults, kept) = (Faults::default(), Arc::clone(&state));
        let server = Server::start(faults.clone(), move |request| {
            apply(&mut kept.lock().expect("no test panics with it"), request)
        });
        Alertmanager { faults, state, server }
    }

    /// Its address.
    pub fn url(&self) -> String {
        self.server.url("")
    }

    /// All alerts, the oldest first.
    pub fn alerts(&self) -> Vec<Alert> {
        self.state().alerts.clone()
    }

    /// The header `Authorization` of each call.
    pub fn logins(&self) -> Vec<Option<String>> {
        self.state().logins.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics with it")
    }
}

fn apply(state: &mut State, request: &Request) -> Reply {
    if (request.method.as_str(), request.path.as_str()) != ("POST", "/api/v2/alerts") {
        return Reply::new(404, "\"not found\"");
    }
    state.logins.push(request.header("authorization").map(str::to_owned));
    let Ok(list) = serde_json::from_slice::<Vec<Value>>(&request.body) else {
        return Reply::new(400, "\"no list\"");
    };
    let mut problems = Vec::new();
    for value in list {
        match alert(&value) {
            Ok(alert) => match state.alerts.iter_mut().find(|known| known.labels == alert.labels) {
                Some(known) => *known = Alert { posts: known.posts + 1, ..alert },
                None => state.alerts.push(alert),
            },
            Err(why) => problems.push(why),
        }
    }
    if problems.is_empty() { Reply::new(200, "") } else { Reply::new(400, Value::from(problems).to_string()) }
}

fn alert(value: &Value) -> Result<Alert, String> {
    let labels = pairs(&value["labels"])?;
    if labels.is_empty() || labels.values().any(String::is_empty) {
        return Err("an alert without labels, or with an empty one".to_owned());
    }
    let (starts_at, ends_at) = (moment(&value["startsAt"])?, moment(&value["endsAt"])?);
    if ends_at < starts_at {
        return Err("the end is before the start".to_owned());
    }
    let (annotations, generator_url) = (pairs(&value["annotations"])?, value["generatorURL"].as_str());
    let generator_url = generator_url.map(str::to_owned);
    Ok(Alert { labels, annotations, starts_at, ends_at, generator_url, posts: 1 })
}

fn pairs(value: &Value) -> Result<BTreeMap<String, String>, String> {
    let pairs: BTreeMap<String, String> =
        serde_json::from_value(value.clone()).map_err(|err| format!("no pairs of texts: {err}"))?;
    let is_name = |name: &String| {
        name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !name.starts_with(|c: char| c.is_ascii_digit())
    };
    match pairs.keys().find(|name| !is_name(name)) {
        Some(name) => Err(format!("{name:?} is no name")),
        None => Ok(pairs),
    }
}

/// Times in UTC with the same number of digits, so that they are in the order of their texts.
fn moment(value: &Value) -> Result<String, String> {
    let text = value.as_str().unwrap_or_default();
    let is_moment = text.len() == 24 && text.as_bytes()[10] == b'T' && text.ends_with('Z');
    if is_moment { Ok(text.to_owned()) } else { Err(format!("{text:?} is no time in UTC")) }
}
