//! One workspace, as one bot sees it.

use std::sync::{Mutex, PoisonError};

use dice_route::Config;
use serde_json::Value;

use super::button::Seal;
use super::client::{Body, Client, Failure, Reply};
use super::directory::{Book, Remembered};
use super::sheet::Sheets;
use super::token::Token;

/// What Dice needs to know of a workspace.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address of the API; [`Settings::BASE`] but for tests and proxies.
    pub base: String,
    /// The bot's token, `xoxb-…`.
    pub bot_token: Token,
    /// The app's token, `xapp-…`, for buttons over a [`Socket`](super::Socket).
    pub app_token: Option<Token>,
    /// Seals what buttons carry; messages have no buttons where there is none.
    pub seal: Option<Seal>,
    /// Whether the environment's proxy is used.
    pub is_proxied: bool,
}

impl Settings {
    /// Slack's own address.
    pub const BASE: &'static str = "https://slack.com/api";
}

/// One workspace, as one bot sees it: the courier, and what else is asked of Slack.
#[derive(Debug)]
pub struct Slack {
    pub(super) client: Client,
    pub(super) settings: Settings,
    book: Mutex<Book>,
    pub(super) sheets: Sheets,
    /// One at a time goes through the list of channels.
    pub(super) listing: tokio::sync::Mutex<()>,
}

impl Slack {
    /// A workspace. Nothing is asked of it yet.
    ///
    /// # Errors
    ///
    /// When the address is none, or there is no TLS; in words.
    pub fn new(settings: Settings) -> Result<Slack, String> {
        let client = Client::new(&settings.base, settings.is_proxied)?;
        Ok(Slack {
            client,
            settings,
            book: Mutex::default(),
            sheets: Sheets::default(),
            listing: tokio::sync::Mutex::default(),
        })
    }

    /// Learns who the people and teams of a configuration are; called at the start and after every reload.
    pub fn know(&self, config: &Config) {
        self.book(|book| book.know(config));
    }

    /// What would have to be looked up again after a restart. Changes seldom; worth keeping.
    pub fn remembered(&self) -> Remembered {
        self.book(|book| book.remembered.clone())
    }

    /// Takes what was remembered before a restart.
    pub fn remember(&self, remembered: Remembered) {
        self.book(|book| book.remembered = remembered);
    }

    /// Looks into what is known, or adds to it.
    pub(super) fn book<T>(&self, look: impl FnOnce(&mut Book) -> T) -> T {
        look(&mut self.book.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Calls a method that reads.
    pub(super) async fn read(&self, method: &str, fields: &[(&str, &str)]) -> Result<Reply, Failure> {
        self.client.call(method, &self.settings.bot_token, Body::Form(fields)).await
    }

    /// Calls a method that writes.
    pub(super) async fn write(&self, method: &str, body: &Value) -> Result<Reply, Failure> {
        self.client.call(method, &self.settings.bot_token, Body::Json(body)).await
    }
}
