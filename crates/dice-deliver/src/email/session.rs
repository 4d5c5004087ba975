//! One conversation with a mail server, and what its end means.

use std::future::Future;
use std::time::Duration;

use dice_route::{Lane, Outcome};
use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use tokio::time::timeout;

use super::{EmailSettings, Security};
use crate::wording;

/// While so few attempts were made, nobody gets the mail when somebody has to wait for it: a second one to
/// those who have it would be worse. Servers let newcomers wait for five minutes, by custom; a page does not
/// wait for that.
pub(super) fn attempts_for_all(lane: Lane) -> u32 {
    match lane {
        Lane::Page | Lane::Immediate => 3,
        Lane::Alert | Lane::Digest => 8,
    }
}

/// The time to connect.
const CONNECT: Duration = Duration::from_secs(10);
/// The time up to the mail itself: less than an attempt has, so that it is known that nothing was sent.
const GREETINGS: Duration = Duration::from_secs(20);
/// The time for the mail itself: servers look through it before they answer. Source: RFC 5321, 4.5.3.2.6,
/// which allows ten minutes; whoever needs more than this is ambiguous.
const BODY: Duration = Duration::from_secs(60);
const GOODBYE: Duration = Duration::from_secs(1);

/// When a server says "later" it rarely means seconds, milliseconds.
const LATER_MS: i64 = 60_000;

/// What is sent.
pub(super) struct Mail<'m> {
    pub(super) from: &'m Address,
    pub(super) to: &'m [Address],
    pub(super) letter: &'m [u8],
    /// Whether it waits until all recipients are accepted or refused for good.
    pub(super) is_waited_for_all: bool,
}

/// Sends the mail. Gives who is left out, and why.
pub(super) async fn send(
    settings: &EmailSettings,
    tls: Option<&TlsParameters>,
    mail: Mail<'_>,
) -> Result<Vec<String>, Outcome> {
    let begun = within(GREETINGS, async {
        let mut server = greet(settings, tls).await?;
        let left_out = address(&mut server, &mail).await?;
        Ok((server, left_out))
    });
    let (mut server, left_out) = begun.await?;
    // From here on the server may have it without having said so.
    let answer = timeout(BODY, server.message(mail.letter)).await;
    let outcome = match answer {
        Ok(Ok(response)) if response.is_positive() => Ok(left_out),
        Ok(Ok(response)) => Err(Outcome::Ambiguous(format!("answered {}", response.code()))),
        Ok(Err(error)) if error.status().is_some() => Err(of_one(&error, "the mail")),
        Ok(Err(error)) => Err(Outcome::Ambiguous(format!("no answer after the mail: {}", words(&error)))),
        Err(_) => Err(Outcome::Ambiguous("no answer in time after the mail".to_owned())),
    };
    let _ = timeout(GOODBYE, server.quit()).await;
    outcome
}

async fn within<T>(time: Duration, step: impl Future<Output = Result<T, Outcome>>) -> Result<T, Outcome> {
    match timeout(time, step).await {
        Ok(result) => result,
        Err(_) => Err(Outcome::Later(LATER_MS, "no answer in time before the mail".to_owned())),
    }
}

/// A connection that is secured, and knows who Dice is.
async fn greet(
    settings: &EmailSettings,
    tls: Option<&TlsParameters>,
) -> Result<AsyncSmtpConnection, Outcome> {
    let name = ClientId::Domain(settings.domain.clone());
    let at_once = tls.filter(|_| settings.security == Security::Tls).cloned();
    let address = (settings.host.as_str(), settings.port);
    let mut server = AsyncSmtpConnection::connect_tokio1(address, Some(CONNECT), &name, at_once, None)
        .await
        .map_err(|error| account(&error, "the greeting"))?;
    if let (Security::StartTls, Some(tls)) = (settings.security, tls) {
        if !server.can_starttls() {
            return Err(Outcome::Denied("the server cannot secure the connection (no STARTTLS)".to_owned()));
        }
        server.starttls(tls.clone(), &name).await.map_err(|error| refusal(&error, "STARTTLS"))?;
    }
    if let Some((user, password)) = &settings.login {
        let credentials = Credentials::new(user.clone(), password.clone());
        let mechanisms = [Mechanism::Plain, Mechanism::Login];
        if server.server_info().get_auth_mechanism(&mechanisms).is_none() {
            return Err(Outcome::Denied("the server asks for no password that Dice could give".to_owned()));
        }
        server.auth(&mechanisms, &credentials).await.map_err(|error| account(&error, "the login"))?;
    }
    Ok(server)
}

/// Says who it is from and for. Gives who is left out, and why.
async fn address(server: &mut AsyncSmtpConnection, mail: &Mail<'_>) -> Result<Vec<String>, Outcome> {
    let is_ascii = mail.to.iter().chain([mail.from]).all(|address| address.to_string().is_ascii());
    let mut parameters = Vec::new();
    if !is_ascii {
        if !server.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Err(Outcome::Refused("the server takes addresses in ASCII only".to_owned()));
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    let from = MailFrom::new(Some(mail.from.clone()), parameters);
    server.command(from).await.map_err(|error| refusal(&error, "the sender"))?;
    let (mut left_out, mut later, mut refused) = (Vec::new(), None, None);
    for to in mail.to {
        let Err(error) = server.command(Rcpt::new(to.clone(), Vec::new())).await else { continue };
        let outcome = of_one(&error, to.as_ref());
        match &outcome {
            Outcome::Deferred(_, why) => {
                left_out.push(why.clone());
                later = later.or(Some(outcome));
            }
            Outcome::Refused(why) if error.status().is_some() => {
                left_out.push(why.clone());
                refused = refused.or(Some(outcome));
            }
            _ => return Err(outcome),
        }
    }
    let is_nobody_left = left_out.len() == mail.to.len();
    if let Some(outcome) = later.filter(|_| mail.is_waited_for_all || is_nobody_left) {
        return Err(outcome);
    }
    if let Some(outcome) = refused.filter(|_| is_nobody_left) {
        return Err(outcome);
    }
    server.command(Data).await.map_err(|error| refusal(&error, "DATA"))?;
    Ok(left_out)
}

/// What an error means that comes before the mail itself, or as an answer to it.
fn refusal(error: &Error, what: &str) -> Outcome {
    let words = format!("{what}: {}", words(error));
    match error.status().map(u16::from) {
        // Not who Dice says it is, or nobody without a password, or no password in the open.
        Some(530 | 534 | 535 | 538) => Outcome::Denied(words),
        _ if error.is_permanent() => Outcome::Refused(words),
        _ => Outcome::Later(LATER_MS, words),
    }
}

/// The same where an answer is about one recipient, or one mail: a server that lets newcomers wait takes
/// others meanwhile. 421 closes the connection, whoever it is said of.
fn of_one(error: &Error, what: &str) -> Outcome {
    match (error.status().map(u16::from), refusal(error, what)) {
        (Some(code), Outcome::Later(wait_ms, words)) if code != 421 => Outcome::Deferred(wait_ms, words),
        (_, outcome) => outcome,
    }
}

/// The same where a refusal is about everything that Dice would send.
fn account(error: &Error, what: &str) -> Outcome {
    match refusal(error, what) {
        Outcome::Refused(words) => Outcome::Denied(words),
        outcome => outcome,
    }
}

fn words(error: &Error) -> String {
    let mut words = error.to_string();
    if let Some(cause) = std::error::Error::source(error) {
        let cause = cause.to_string();
        if !words.contains(&cause) {
            words = format!("{words}: {cause}");
        }
    }
    wording::one_line(&words, 300)
}

#[cfg(test)]
mod tests {
    use dice_route::config::DispatchPolicy;

    use super::GREETINGS;

    #[test]
    fn a_server_that_never_gets_to_the_mail_is_known_not_to_have_it() {
        let attempt_ms = DispatchPolicy::default().email_deadline_ms;
        assert!(GREETINGS.as_millis() + 5_000 <= u128::try_from(attempt_ms).unwrap());
    }
}
