//! The couriers that a configuration means.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use dice_deliver::Courier;
use dice_deliver::alertmanager::{Alertmanager, AlertmanagerSettings, Login};
use dice_deliver::call::Proxy;
use dice_deliver::email::{Email, EmailSettings, Security, Unsubscribe};
use dice_deliver::pagerduty::{EVENTS_URL, PagerDuty, PagerDutySettings};
use dice_deliver::slack::{Seal, Settings, Signature, Slack, Token};
use dice_deliver::webhook::{Secret, Webhook, WebhookSettings};
use dice_route::Config;
use dice_route::config::Receiver;
use dice_route::dispatch::{CourierKind, accounts};

use crate::{Failure, settings};

/// Where events of PagerDuty's European customers go.
const EVENTS_URL_EU: &str = "https://events.eu.pagerduty.com/v2/enqueue";

/// The couriers of a configuration, by the accounts that notices leave by.
#[derive(Default)]
pub(crate) struct Fleet {
    accounts: BTreeMap<String, Account>,
}

/// An account with its courier.
#[derive(Clone)]
struct Account {
    /// What it was made of.
    made_of: Receiver,
    courier: Arc<dyn Courier>,
    /// What is asked of it beside bringing notices.
    role: Role,
}

#[derive(Clone)]
enum Role {
    Courier,
    Workspace(Workspace),
    /// What it posts ends by itself, and is posted again while it lasts. One at a time, so that an older post
    /// does not come last.
    Alertmanager(Arc<AlertmanagerSettings>, Arc<tokio::sync::Mutex<()>>),
}

/// A Slack workspace, and how what people press there comes back.
#[derive(Clone)]
pub(crate) struct Workspace {
    pub(crate) slack: Arc<Slack>,
    /// Seals what buttons carry; without a way back there are none.
    pub(crate) seal: Option<Seal>,
    /// Checks signed requests.
    pub(crate) signature: Option<Signature>,
    /// Whether clicks come over a connection that Dice opens.
    pub(crate) is_socket: bool,
}

impl Fleet {
    /// The couriers that `config` means, with their secrets from the environment; those of `before` where
    /// nothing about them has changed.
    ///
    /// # Errors
    ///
    /// When a variable is missing or a setting cannot be used; with the name of the receiver.
    pub(crate) fn of(config: &Config, before: &Fleet) -> Result<Fleet> {
        let mut known = BTreeMap::new();
        for (name, receiver) in accounts(config) {
            let account = match before.accounts.get(&name).filter(|account| account.made_of == receiver) {
                Some(account) => account.clone(),
                None => Account::of(&name, &receiver)?,
            };
            if let Role::Workspace(workspace) = &account.role {
                workspace.slack.know(config);
            }
            known.insert(name, account);
        }
        Ok(Fleet { accounts: known })
    }

    /// The one workspace, for tests.
    #[cfg(test)]
    pub(super) fn with(workspace: Workspace) -> Fleet {
        let made_of = Receiver { courier: "slack".to_owned(), settings: BTreeMap::new() };
        let courier = Arc::<Slack>::clone(&workspace.slack);
        let account = Account { made_of, courier, role: Role::Workspace(workspace) };
        Fleet { accounts: BTreeMap::from([("slack".to_owned(), account)]) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    /// The courier of an account.
    pub(super) fn courier(&self, account: &str) -> Option<Arc<dyn Courier>> {
        self.accounts.get(account).map(|account| Arc::clone(&account.courier))
    }

    /// Who must wait for whom with an account where only one may call at a time.
    pub(super) fn turn(&self, account: &str) -> Option<Arc<tokio::sync::Mutex<()>>> {
        match self.accounts.get(account).map(|account| &account.role) {
            Some(Role::Alertmanager(_, turn)) => Some(Arc::clone(turn)),
            _ => None,
        }
    }

    /// The Slack workspaces, by account.
    pub(crate) fn workspaces(&self) -> impl Iterator<Item = (&str, &Workspace)> {
        self.accounts.iter().filter_map(|(name, account)| match &account.role {
            Role::Workspace(workspace) => Some((name.as_str(), workspace)),
            _ => None,
        })
    }

    /// The settings of an account that is an Alertmanager.
    pub(super) fn alertmanager(&self, account: &str) -> Option<&AlertmanagerSettings> {
        match self.accounts.get(account).map(|account| &account.role) {
            Some(Role::Alertmanager(settings, _)) => Some(settings),
            _ => None,
        }
    }
}

impl Account {
    fn of(name: &str, receiver: &Receiver) -> Result<Account> {
        let given = Given { name, receiver };
        let (courier, role): (Arc<dyn Courier>, Role) = match CourierKind::named(&receiver.courier) {
            CourierKind::Slack => {
                let workspace = given.workspace()?;
                (Arc::<Slack>::clone(&workspace.slack), Role::Workspace(workspace))
            }
            CourierKind::PagerDuty => (Arc::new(given.pagerduty()?), Role::Courier),
            CourierKind::Email => (Arc::new(given.email()?), Role::Courier),
            CourierKind::Webhook => (Arc::new(given.webhook()?), Role::Courier),
            CourierKind::Alertmanager => {
                let settings = given.alertmanager()?;
                let courier = given.made(Alertmanager::new(settings.clone()))?;
                (Arc::new(courier), Role::Alertmanager(Arc::new(settings), Arc::default()))
            }
            CourierKind::Terminal => return Err(anyhow!("{name} is no account")),
        };
        Ok(Account { made_of: receiver.clone(), courier, role })
    }
}

/// A workspace of Slack as a receiver's settings mean it, with its secrets from the environment.
///
/// # Errors
///
/// When a variable is missing or the address is none; with the name of the receiver.
pub(crate) fn workspace(name: &str, receiver: &Receiver) -> Result<Workspace> {
    Given { name, receiver }.workspace()
}

/// A receiver's settings.
struct Given<'a> {
    name: &'a str,
    receiver: &'a Receiver,
}

impl Given<'_> {
    fn text(&self, key: &str) -> Option<&str> {
        self.receiver.settings.get(key).map(String::as_str)
    }

    fn needed(&self, key: &str) -> Result<&str> {
        self.text(key).ok_or_else(|| {
            let what = format!("wanted `{key}` for {}, found none", self.place());
            Failure::new(what, "write it into the configuration").into()
        })
    }

    /// The secret whose variable is named by `key`.
    fn secret(&self, key: &str) -> Result<Option<String>> {
        self.text(key).map(|variable| settings::secret(variable, key, &self.place())).transpose()
    }

    fn secrets(&self, key: &str) -> Result<Vec<String>> {
        let variables = self.text(key).into_iter().flat_map(|list| list.split(',')).map(str::trim);
        let named = variables.filter(|variable| !variable.is_empty());
        named.map(|variable| settings::secret(variable, key, &self.place())).collect()
    }

    /// Where it stands in the configuration.
    fn place(&self) -> String {
        match self.name {
            dice_route::dispatch::SLACK | dice_route::dispatch::EMAIL => format!("[{}]", self.name),
            name => format!("[receivers.{}]", name.trim_end_matches("/fallback")),
        }
    }

    fn made<T>(&self, courier: std::result::Result<T, String>) -> Result<T> {
        courier.map_err(|why| {
            Failure::new(format!("wanted to use {}: {why}", self.place()), "correct the configuration").into()
        })
    }

    /// By which way calls to `url` leave: straight where it is this machine.
    fn proxy(url: &str) -> Proxy {
        if is_here(url) { Proxy::None } else { Proxy::System }
    }

    fn workspace(&self) -> Result<Workspace> {
        let token = self.secret("token_env")?.unwrap_or_default();
        let is_http = self.text("mode") == Some("http");
        let app_token = if is_http { None } else { self.secret("app_token_env")? };
        let signing = if is_http { self.secret("signing_secret_env")? } else { None };
        // Whoever reads the token can do what the bot can: it may seal what the bot's buttons carry.
        let seal = (app_token.is_some() || signing.is_some()).then(|| Seal::new(token.as_bytes()));
        let base = self.text("url").unwrap_or(Settings::BASE).trim_end_matches('/').to_owned();
        let settings = Settings {
            is_proxied: !is_here(&base),
            base,
            bot_token: Token::new(&token),
            app_token: app_token.as_deref().map(Token::new),
            seal: seal.clone(),
        };
        Ok(Workspace {
            slack: Arc::new(self.made(Slack::new(settings))?),
            seal,
            signature: signing.as_deref().map(Token::new).map(Signature::new),
            is_socket: app_token.is_some(),
        })
    }

    fn pagerduty(&self) -> Result<PagerDuty> {
        let of_region = if self.text("region") == Some("eu") { EVENTS_URL_EU } else { EVENTS_URL };
        let url = self.text("url").unwrap_or(of_region).to_owned();
        let settings = PagerDutySettings {
            routing_key: self.secret("routing_key_env")?.unwrap_or_default(),
            proxy: Self::proxy(&url),
            url,
            source: "dice".to_owned(),
            pages: self.text("pages").map(str::to_owned),
        };
        self.made(PagerDuty::new(settings))
    }

    fn email(&self) -> Result<Email> {
        let smtp = self.needed("smtp")?;
        let (host, port) = smtp.rsplit_once(':').unwrap_or((smtp, "587"));
        let from = self.needed("from")?;
        let domain = from.rsplit_once('@').map_or("", |(_, domain)| domain).trim_end_matches('>').to_owned();
        let security = match self.text("tls") {
            Some("tls") => Security::Tls,
            Some("none") => Security::Open { is_remote_allowed: false },
            _ => Security::StartTls,
        };
        let password = self.secret("password_env")?;
        let login = self.text("user").map(str::to_owned).zip(password);
        let to = self.text("to").into_iter().flat_map(|list| list.split(','));
        let to: Vec<String> = to.map(|address| address.trim().to_owned()).collect();
        let receivers =
            if to.is_empty() { BTreeMap::new() } else { BTreeMap::from([(self.name.to_owned(), to)]) };
        let unsubscribe = match (self.text("unsubscribe"), self.secret("unsubscribe_secret_env")?) {
            (Some(url), Some(secret)) => Some(Unsubscribe { url: url.to_owned(), secret }),
            (None, None) => None,
            (Some(_), None) => bail!("{} has `unsubscribe` but no `unsubscribe_secret_env`", self.place()),
            (None, Some(_)) => bail!("{} has `unsubscribe_secret_env` but no `unsubscribe`", self.place()),
        };
        let settings = EmailSettings {
            host: host.to_owned(),
            port: port.parse().map_err(|_| anyhow!("{} has no port in `smtp`", self.place()))?,
            security,
            login,
            from: from.to_owned(),
            domain,
            trusted_pem: self.text("ca_pem").map(str::to_owned),
            receivers,
            people: BTreeMap::new(),
            unsubscribe,
        };
        self.made(Email::new(settings))
    }

    fn webhook(&self) -> Result<Webhook> {
        let secrets = self.secrets("secret_env")?;
        let secrets: std::result::Result<Vec<Secret>, String> =
            secrets.iter().map(|text| Secret::new(text)).collect();
        let settings = WebhookSettings {
            url: self.needed("url")?.to_owned(),
            secrets: self.made(secrets)?,
            headers: Vec::new(),
            is_private_allowed: self.text("allow_private") == Some("true"),
        };
        self.made(Webhook::new(settings))
    }

    fn alertmanager(&self) -> Result<AlertmanagerSettings> {
        let url = self.needed("url")?.to_owned();
        let login = match (self.secret("token_env")?, self.text("user"), self.secret("password_env")?) {
            (Some(token), ..) => Login::Bearer(token),
            (None, Some(user), Some(password)) => Login::Basic(user.to_owned(), password),
            _ => Login::None,
        };
        let lifetime_ms = self.text("lifetime").and_then(|ms| ms.parse().ok());
        Ok(AlertmanagerSettings {
            proxy: Self::proxy(&url),
            url,
            login,
            labels: Vec::new(),
            lifetime_ms: lifetime_ms.unwrap_or(AlertmanagerSettings::LIFETIME_MS),
            pages: self.text("pages").map(str::to_owned),
        })
    }
}

/// Whether an address is this machine's.
fn is_here(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_matches(['[', ']']);
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
