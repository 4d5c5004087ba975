//! Mail: a notice as text and as a page, to one or several addresses.
//!
//! The id of a mail is the intent's, the same in every attempt, and so is all that is in it. Source: RFC 5321
//! (SMTP), RFC 5322 (the form), RFC 3834 (mail by programs), RFC 8058 (unsubscribing by one click).

mod letter;
mod page;
mod session;
mod unsubscribe;

use std::collections::BTreeMap;

use dice_route::address::public;
use dice_route::{Destination, Intent, Outcome};
use lettre::Address;
use lettre::message::Mailbox;
use lettre::transport::smtp::client::{Certificate, TlsParameters};

use crate::{Answer, Courier, Found, Parcel};

pub use letter::subject_of;
pub use unsubscribe::{Unsubscribe, unsubscribe_token, unsubscribed};

/// What is known of one way out for mail.
#[derive(Clone)]
pub struct EmailSettings {
    /// The server's name.
    pub host: String,
    /// Its port: 587 for [`Security::StartTls`], 465 for [`Security::Tls`], by custom.
    pub port: u16,
    /// How nobody else can read along.
    pub security: Security,
    /// User and password.
    pub login: Option<(String, String)>,
    /// Who mails are from: `Dice <dice@example.org>`.
    pub from: String,
    /// What ids of mails end with, and what Dice says it is called: a name of the user's own.
    pub domain: String,
    /// Certificates (PEM) that are trusted beside those that everybody trusts.
    pub trusted_pem: Option<String>,
    /// The addresses of each receiver, by its name in the configuration.
    pub receivers: BTreeMap<String, Vec<String>>,
    /// The addresses of people who are known by other names than these.
    pub people: BTreeMap<String, String>,
    /// How readers of digests unsubscribe; digests to a single address have it.
    pub unsubscribe: Option<Unsubscribe>,
}

/// How nobody else can read along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Security {
    /// The connection begins in the open and is secured before anything is said. A server that cannot is not
    /// spoken to.
    #[default]
    StartTls,
    /// The connection is secured from its beginning.
    Tls,
    /// Everybody can read along. Only on this machine, unless it is wanted so.
    Open {
        /// It is wanted so.
        is_remote_allowed: bool,
    },
}

/// Mail by one server.
pub struct Email {
    settings: EmailSettings,
    from: Mailbox,
    tls: Option<TlsParameters>,
}

impl Email {
    /// The courier of one way out for mail.
    ///
    /// # Errors
    ///
    /// When an address is none, a certificate cannot be read, or everybody could read along on the way to
    /// another machine and that is not wanted.
    pub fn new(settings: EmailSettings) -> Result<Email, String> {
        let from: Mailbox = settings
            .from
            .parse()
            .map_err(|err| format!("nobody can be called {:?}: {err}", settings.from))?;
        let addresses = settings.receivers.values().flatten().chain(settings.people.values());
        for address in addresses {
            mailbox(address)?;
        }
        // The server is named in errors, and `user:password@host` is no server.
        if settings.host.contains(['@', '/']) {
            return Err(format!("the mail server {:?} is none", public(&settings.host)));
        }
        if !letter::is_domain(&settings.domain) {
            return Err(format!("{:?} cannot be a domain", settings.domain));
        }
        if let Some(unsubscribe) = &settings.unsubscribe {
            unsubscribe.check()?;
        }
        let tls = match settings.security {
            Security::Open { is_remote_allowed } => {
                if !is_remote_allowed && !is_here(&settings.host) {
                    return Err(format!("mail to {} would travel in the open", settings.host));
                }
                None
            }
            Security::StartTls | Security::Tls => Some(tls(&settings)?),
        };
        Ok(Email { settings, from, tls })
    }

    /// Who gets the mail.
    fn to(&self, intent: &Intent) -> Result<Vec<Mailbox>, String> {
        let name = intent.destination.name();
        let known = match &intent.destination {
            Destination::Receiver(name) => self
                .settings
                .receivers
                .get(name)
                .cloned()
                .ok_or_else(|| format!("{name} has no mail address"))?,
            Destination::Person(name) => match self.settings.people.get(name) {
                Some(address) => vec![address.clone()],
                None => vec![name.clone()],
            },
            Destination::Channel(_) | Destination::Team(_) => Vec::new(),
        };
        if known.is_empty() {
            return Err(format!("{name} has no mail address"));
        }
        known.iter().map(|address| mailbox(address)).collect()
    }

    async fn send(&self, parcel: &Parcel) -> Outcome {
        let to = match self.to(&parcel.intent) {
            Ok(to) => to,
            Err(why) => return Outcome::Refused(why),
        };
        let letter = match letter::letter(&self.settings, &self.from, &to, parcel) {
            Ok(letter) => letter,
            Err(why) => return Outcome::Refused(why),
        };
        let to: Vec<Address> = to.into_iter().map(|mailbox| mailbox.email).collect();
        let mail = session::Mail {
            from: &self.from.email,
            to: &to,
            letter: &letter.bytes,
            is_waited_for_all: parcel.intent.attempts <= session::attempts_for_all(parcel.intent.lane),
        };
        match session::send(&self.settings, self.tls.as_ref(), mail).await {
            Ok(left_out) => Outcome::Delivered(letter.reference(&left_out)),
            Err(outcome) => outcome,
        }
    }
}

impl Courier for Email {
    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answer<'a, Outcome> {
        Box::pin(self.send(parcel))
    }

    fn find<'a>(&'a self, _: &'a Parcel) -> Answer<'a, Found> {
        let why = "nobody can look into somebody else's mail".to_owned();
        Box::pin(std::future::ready(Found::Unknowable(why)))
    }
}

fn mailbox(text: &str) -> Result<Mailbox, String> {
    text.trim()
        .parse()
        .map_err(|err| format!("{:?} is no mail address: {err}", crate::wording::one_line(text, 200)))
}

fn is_here(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn tls(settings: &EmailSettings) -> Result<TlsParameters, String> {
    let mut tls = TlsParameters::builder(settings.host.clone());
    if let Some(pem) = &settings.trusted_pem {
        let certificate = Certificate::from_pem(pem.as_bytes())
            .map_err(|err| format!("the trusted certificates cannot be read: {err}"))?;
        tls = tls.add_root_certificate(certificate);
    }
    tls.build_rustls().map_err(|err| format!("no connection to {} can be secured: {err}", settings.host))
}
