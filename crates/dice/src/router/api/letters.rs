//! Signed requests of other systems: who can read them.

use dice_config::Loaded;
use dice_deliver::email::unsubscribed;
use dice_deliver::pagerduty::{self, NotObeyed};
use dice_route::config::Receiver;
use dice_serve::{Letter, Opened, Sender, Turned};

use crate::router::delivery::Letters;
use crate::settings;

/// Opens a letter by what is set up in `loaded`. `leave` has it written down that an address wants no more
/// digests.
pub(super) fn open(
    letter: &Letter,
    loaded: &Loaded,
    slack: &Letters,
    leave: impl FnOnce(String) -> Result<(), Turned>,
) -> Result<Opened, Turned> {
    match &letter.from {
        Sender::Slack => slack.slack(letter),
        Sender::PagerDuty => of_pagerduty(letter, loaded),
        Sender::Unsubscribe(token) => {
            leave(unsubscribe(token, loaded)?)?;
            Ok(Opened::default())
        }
    }
}

fn secret(name: &str, key: &str, whom: &str) -> Option<String> {
    settings::secret(name, key, whom).inspect_err(|error| tracing::error!("{error:#}")).ok()
}

fn of_pagerduty(letter: &Letter, loaded: &Loaded) -> Result<Opened, Turned> {
    const KEY: &str = "webhook_secret_env";
    let names = |receiver: &Receiver| {
        let names = receiver.settings.get(KEY).filter(|_| receiver.courier == "pagerduty");
        let names = names.map(|names| names.split([',', ' ', '\n']).map(str::to_owned).collect::<Vec<_>>());
        names.unwrap_or_default()
    };
    let names = loaded.router.receivers.values().flat_map(names);
    let secrets: Vec<String> = names
        .filter(|name| !name.is_empty())
        .filter_map(|name| secret(&name, KEY, "a pagerduty receiver"))
        .collect();
    if secrets.is_empty() {
        return Err(Turned::Unknown);
    }
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    let signatures = letter.header("x-pagerduty-signature").unwrap_or_default();
    let incoming = pagerduty::incoming(&secrets, signatures, &letter.body, letter.at_ms);
    let incoming = incoming.map_err(|why| match why {
        NotObeyed::Forged => Turned::Forged(why.to_string()),
        NotObeyed::Stale | NotObeyed::Early => {
            // It is signed: either the clock is wrong, or somebody has heard an old one.
            tracing::warn!("a webhook of PagerDuty is not obeyed: {why}");
            Turned::Forged(why.to_string())
        }
        NotObeyed::Long | NotObeyed::Unclear => Turned::Unclear(why.to_string()),
    })?;
    let command = incoming.and_then(|incoming| incoming.command());
    Ok(Opened { commands: command.into_iter().collect(), ..Opened::default() })
}

/// Whose mail address a link is about. It proves itself: whoever has it got the mail.
fn unsubscribe(token: &str, loaded: &Loaded) -> Result<String, Turned> {
    let mail = loaded.router.email.as_ref();
    let key = "unsubscribe_secret_env";
    let name = mail.and_then(|account| account.settings.get(key));
    let secret = name.and_then(|name| secret(name, key, "[email]")).ok_or(Turned::Unknown)?;
    unsubscribed(&secret, token).ok_or_else(|| Turned::Forged("a link that was not made with it".to_owned()))
}
