//! Webhooks: a notice as JSON to an address of the user's, signed by Standard Webhooks.
//!
//! The id of a call is the intent's, the same in every attempt: a receiver drops what it has taken already.
//! Source: Standard Webhooks 1.0.0, <https://www.standardwebhooks.com>.

mod body;
mod seal;

use dice_route::{Outcome, Reach};
use reqwest::{Client, Url};

use crate::call::{self, LATER_MS, Proxy};
use crate::guard::Guard;
use crate::{Answer, Courier, Found, Parcel};

pub use body::{WebhookBody, WebhookRow};
pub use seal::{Secret, TOLERANCE_MS, is_sealed, seal};

/// The time for one call, milliseconds.
pub const DEADLINE_MS: u64 = 15_000;

/// What is known of one receiver.
#[derive(Clone)]
pub struct WebhookSettings {
    /// Where to: `https`, or `http` where private networks are allowed.
    pub url: String,
    /// What calls are signed with, the newest first; a receiver takes any of the signatures. Without one,
    /// calls are not signed.
    pub secrets: Vec<Secret>,
    /// Headers beside those of the convention, such as one that the receiver's door asks for.
    pub headers: Vec<(String, String)>,
    /// Whether it may be in a private network or on this machine.
    pub is_private_allowed: bool,
}

/// Calls to one receiver.
pub struct Webhook {
    settings: WebhookSettings,
    url: Url,
    client: Client,
}

impl Webhook {
    /// The courier of one receiver.
    ///
    /// # Errors
    ///
    /// When the address is none, or leads where it must not; when a header cannot be one.
    pub fn new(settings: WebhookSettings) -> Result<Webhook, String> {
        let url = Url::parse(&settings.url).map_err(|err| format!("the webhook's url is none: {err}"))?;
        match url.scheme() {
            "https" => {}
            "http" if settings.is_private_allowed => {}
            "http" => return Err("the webhook's url is not https".to_owned()),
            _ => return Err("the webhook's url is neither https nor http".to_owned()),
        }
        let guard = Guard { is_private_allowed: settings.is_private_allowed };
        guard.check(&url).map_err(|err| err.to_string())?;
        for (name, value) in &settings.headers {
            let is_name = reqwest::header::HeaderName::from_bytes(name.as_bytes()).is_ok();
            if !is_name || reqwest::header::HeaderValue::from_str(value).is_err() {
                return Err(format!("the header {name:?} of the webhook cannot be one"));
            }
        }
        let client = call::client(DEADLINE_MS, &Proxy::None, Some(&guard))?;
        Ok(Webhook { settings, url, client })
    }

    async fn send(&self, parcel: &Parcel) -> Outcome {
        let id = &parcel.intent.id;
        let body = serde_json::to_vec(&WebhookBody::of(parcel)).expect("a notice is JSON");
        let seconds = parcel.now_ms.div_euclid(1000);
        let mut request = self.client.post(self.url.clone());
        for (name, value) in &self.settings.headers {
            request = request.header(name, value);
        }
        request = request
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", seconds.to_string());
        if !self.settings.secrets.is_empty() {
            request = request.header("webhook-signature", seal(&self.settings.secrets, id, seconds, &body));
        }
        let reply = match call::send(request.body(body)).await {
            Ok(reply) => reply,
            Err(outcome) => return outcome,
        };
        match reply.status {
            200..=299 => Outcome::Delivered(id.clone()),
            410 => Outcome::Refused(format!("gone: the receiver wants no more calls ({})", reply.words())),
            // A receiver that is being deployed has no such page for a moment. The account is this one page.
            404 => Outcome::Later(LATER_MS, reply.words()),
            409 | 423 => Outcome::Deferred(LATER_MS, reply.words()),
            _ => reply.failure(Reach::Account, parcel.now_ms),
        }
    }
}

impl Courier for Webhook {
    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answer<'a, Outcome> {
        Box::pin(self.send(parcel))
    }

    /// Says at once that it is not there: nobody can look, and nobody has to. A receiver drops a call whose
    /// id it knows, so it is always right to send it again; the caller waits between.
    fn find<'a>(&'a self, _: &'a Parcel) -> Answer<'a, Found> {
        Box::pin(std::future::ready(Found::Absent))
    }
}
