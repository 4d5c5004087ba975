//! Alertmanager: a courier to one, and what somebody sends who takes Dice for one.
//!
//! An alert there lives for a while and then ends by itself, so an episode that stays open has to be told
//! again and again: [`told_again_at`] says when. Source: Alertmanager API v2, webhook receiver version 4.

mod incoming;
mod outgoing;

use dice_route::address::public;
use dice_route::{Intent, Outcome, Reach};
use reqwest::{Client, Url};

use crate::call::{self, Proxy};
use crate::{Answer, Courier, Found, Parcel};

pub use incoming::{Alert, Alerts, DEFAULT_RESOLVE_MS, alerts, webhook};
pub use outgoing::{PostedAlert, posted};

/// The time for one call, milliseconds.
const DEADLINE_MS: u64 = 10_000;

/// What is known of one Alertmanager.
#[derive(Clone, PartialEq, Eq)]
pub struct AlertmanagerSettings {
    /// Its address, without `/api/v2/alerts`.
    pub url: String,
    /// Who Dice says it is.
    pub login: Login,
    /// Labels of every alert, beside those of the notice.
    pub labels: Vec<(String, String)>,
    /// An alert that is not told again ends after this long, milliseconds. Three times as often it is told.
    pub lifetime_ms: i64,
    /// Where readers reach Dice's pages, without a slash at the end.
    pub pages: Option<String>,
    /// By which way.
    pub proxy: Proxy,
}

impl AlertmanagerSettings {
    /// How long an alert lives where nothing else is said, milliseconds: what Alertmanager itself takes.
    pub const LIFETIME_MS: i64 = 300_000;
}

/// Who Dice says it is.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum Login {
    /// Nobody.
    #[default]
    None,
    /// Whoever holds this token.
    Bearer(String),
    /// This user, with this password.
    Basic(String, String),
}

/// Alerts to one Alertmanager.
pub struct Alertmanager {
    settings: AlertmanagerSettings,
    url: Url,
    client: Client,
}

impl Alertmanager {
    /// The courier of one Alertmanager.
    ///
    /// # Errors
    ///
    /// When the address is none.
    pub fn new(settings: AlertmanagerSettings) -> Result<Alertmanager, String> {
        let text = format!("{}/api/v2/alerts", settings.url.trim_end_matches('/'));
        let url =
            Url::parse(&text).map_err(|err| format!("{} is no address: {err}", public(&settings.url)))?;
        let client = call::client(DEADLINE_MS, &settings.proxy, None)?;
        Ok(Alertmanager { settings, url, client })
    }

    async fn send(&self, parcel: &Parcel) -> Outcome {
        let alerts = posted(&self.settings, &parcel.intent, parcel.now_ms);
        let body = serde_json::to_vec(&alerts).expect("alerts are JSON");
        let mut request = self.client.post(self.url.clone()).header("content-type", "application/json");
        request = match &self.settings.login {
            Login::None => request,
            Login::Bearer(token) => request.bearer_auth(token),
            Login::Basic(user, password) => request.basic_auth(user, Some(password)),
        };
        let reply = match call::send(request.body(body)).await {
            Ok(reply) => reply,
            Err(outcome) => return outcome,
        };
        match reply.status {
            200..=299 => Outcome::Delivered(parcel.intent.subject.clone()),
            // Where it is being started there is a door before it that knows no such page.
            404 => Outcome::Later(call::LATER_MS, reply.words()),
            _ => reply.failure(Reach::Account, parcel.now_ms),
        }
    }
}

impl Courier for Alertmanager {
    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answer<'a, Outcome> {
        Box::pin(self.send(parcel))
    }

    /// Says at once that it is not there: the same alert again is the same alert, so it is always right to
    /// send it again; the caller waits between.
    fn find<'a>(&'a self, _: &'a Parcel) -> Answer<'a, Found> {
        Box::pin(std::future::ready(Found::Absent))
    }
}

/// When the notice has to be told again so that its alerts stay open, milliseconds since 1970: a third of
/// their life after `told_ms`. `None` where nothing of it is open.
///
/// To tell again is to deliver the same parcel with a later `now_ms`.
pub fn told_again_at(settings: &AlertmanagerSettings, intent: &Intent, told_ms: i64) -> Option<i64> {
    outgoing::is_open(intent).then(|| told_ms.saturating_add((settings.lifetime_ms / 3).max(1_000)))
}
