//! One HTTP call: sent once, and what its end means for a delivery.
//!
//! Nothing is repeated here, no redirect is followed, and no address of a call reaches a text for people:
//! some hold secrets.

use std::error::Error;
use std::time::Duration;

use dice_route::{Outcome, Reach};
use reqwest::{Client, RequestBuilder};

use crate::guard::{Forbidden, Guard};

/// Bytes of an answer that are read.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// Longer than this nobody has to be left alone, milliseconds: who says so is wrong.
const MAX_LIMIT_MS: i64 = 3_600_000;

/// How long it is waited for when nobody says how long, milliseconds.
pub const LATER_MS: i64 = 30_000;

/// By which way calls leave the machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Proxy {
    /// As the system says.
    #[default]
    System,
    /// Straight.
    None,
    /// By this proxy.
    Url(String),
}

/// A client whose calls end within `deadline_ms`, and of those at most a third to connect.
///
/// With a guard only addresses are connected to that it lets through; a proxy would connect elsewhere, so
/// then there is none.
///
/// # Errors
///
/// When the proxy is no address, or the system has no trusted certificates.
pub fn client(deadline_ms: u64, proxy: &Proxy, guard: Option<&Guard>) -> Result<Client, String> {
    // With two providers compiled in somebody has to say which; the first one to say it is heard.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .user_agent(concat!("dice/", env!("CARGO_PKG_VERSION")))
        .timeout(Duration::from_millis(deadline_ms))
        .connect_timeout(Duration::from_millis(deadline_ms / 3))
        // A connection that the other side is about to close makes calls ambiguous that need not be.
        .pool_idle_timeout(Duration::from_secs(15))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false);
    builder = match (guard, proxy) {
        (Some(guard), _) => builder.no_proxy().dns_resolver(*guard),
        (None, Proxy::System) => builder,
        (None, Proxy::None) => builder.no_proxy(),
        (None, Proxy::Url(url)) => {
            let proxy = reqwest::Proxy::all(url)
                .map_err(|err| format!("the proxy is no address: {}", words(&err)))?;
            builder.no_proxy().proxy(proxy)
        }
    };
    builder.build().map_err(|err| words(&err))
}

/// What the other side answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// `Retry-After`, as it stands there.
    pub retry_after: Option<String>,
    /// The body, at most 256 KiB of it.
    pub body: Vec<u8>,
    /// Whether that is all of it.
    pub is_whole: bool,
}

impl Reply {
    /// How long the other side wants to be left alone, milliseconds; `otherwise_ms` where it does not say so.
    /// Never more than an hour.
    pub fn limit_ms(&self, now_ms: i64, otherwise_ms: i64) -> i64 {
        let said = self.retry_after.as_deref().and_then(|text| retry_after_ms(text, now_ms));
        said.unwrap_or(otherwise_ms).clamp(0, MAX_LIMIT_MS)
    }

    /// The answer in one line for people: status and the beginning of the body.
    pub fn words(&self) -> String {
        let said = crate::wording::one_line(&String::from_utf8_lossy(&self.body), 200);
        if said.is_empty() {
            format!("answered {}", self.status)
        } else {
            format!("answered {}: {said}", self.status)
        }
    }

    /// What an answer other than success means where nothing more is known: 401 and 403 deny, 408 and 425
    /// say later, 425 of this one only, 429 limits within `reach`, and 503 where it says how long, other 4xx
    /// refuse, and what is left is ambiguous.
    pub fn failure(&self, reach: Reach, now_ms: i64) -> Outcome {
        match self.status {
            401 | 403 | 407 => Outcome::Denied(self.words()),
            408 => Outcome::Later(LATER_MS, self.words()),
            425 => Outcome::Deferred(LATER_MS, self.words()),
            429 => Outcome::Limited(self.limit_ms(now_ms, LATER_MS), reach, self.words()),
            503 if self.retry_after.is_some() => {
                Outcome::Limited(self.limit_ms(now_ms, LATER_MS), reach, self.words())
            }
            300..=399 => Outcome::Refused(format!("{}: redirects are not followed", self.words())),
            400..=499 => Outcome::Refused(self.words()),
            _ => Outcome::Ambiguous(self.words()),
        }
    }
}

/// Sends the request, once, and reads the answer.
///
/// # Errors
///
/// What becomes of the delivery when there is no answer.
pub async fn send(request: RequestBuilder) -> Result<Reply, Outcome> {
    let mut response = request.send().await.map_err(|err| outcome(&err))?;
    let header = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
    let mut reply = Reply {
        status: response.status().as_u16(),
        retry_after: header.map(str::to_owned),
        body: Vec::new(),
        is_whole: true,
    };
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                let room = MAX_ANSWER_BYTES - reply.body.len();
                reply.body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if chunk.len() > room {
                    reply.is_whole = false;
                    return Ok(reply);
                }
            }
            Ok(None) => return Ok(reply),
            // The status is known, and mostly it is all that is asked for.
            Err(_) => {
                reply.is_whole = false;
                return Ok(reply);
            }
        }
    }
}

/// What becomes of a delivery when its call failed without an answer.
///
/// What fails before a connection stands has not arrived: later. A request that could not be made, or an
/// address that the guard does not let through, will fail again: refused. All else is ambiguous.
pub fn outcome(error: &reqwest::Error) -> Outcome {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(known) = cause {
        if let Some(forbidden) = known.downcast_ref::<Forbidden>() {
            return Outcome::Refused(forbidden.to_string());
        }
        cause = known.source();
    }
    if error.is_builder() {
        Outcome::Refused(words(error))
    } else if error.is_connect() {
        Outcome::Later(LATER_MS, words(error))
    } else {
        Outcome::Ambiguous(words(error))
    }
}

/// The error and its causes, without the address.
fn words(error: &reqwest::Error) -> String {
    let mut words = match error {
        _ if error.is_connect() => "cannot connect".to_owned(),
        _ if error.is_timeout() => "no answer in time".to_owned(),
        _ if error.is_builder() => "no request can be made of it".to_owned(),
        _ => "the connection broke".to_owned(),
    };
    let mut cause = error.source();
    while let Some(known) = cause {
        // The innermost says what happened; those around it repeat that something did.
        if known.source().is_none() {
            words = format!("{words}: {}", crate::wording::one_line(&known.to_string(), 200));
        }
        cause = known.source();
    }
    words
}

/// `Retry-After` in milliseconds from now: seconds or a date. Source: RFC 9110, section 10.2.3.
fn retry_after_ms(text: &str, now_ms: i64) -> Option<i64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return (seconds >= 0.0).then(|| (seconds.min(1e9) * 1000.0).ceil() as i64);
    }
    let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some((at.as_millisecond() - now_ms).max(0))
}

#[cfg(test)]
mod tests {
    use super::{Reply, retry_after_ms};
    use dice_route::{Outcome, Reach};

    #[test]
    fn both_forms_of_retry_after_are_read() {
        for (text, expected) in [
            ("30", Some(30_000)),
            (" 1.5 ", Some(1_500)),
            ("0", Some(0)),
            ("Thu, 01 Jan 1970 00:01:00 GMT", Some(59_000)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("-1", None),
            ("soon", None),
        ] {
            assert_eq!(retry_after_ms(text, 1_000), expected, "{text}");
        }
    }

    #[test]
    fn what_an_answer_means_where_nothing_more_is_known() {
        let outcome = |status, retry_after: Option<&str>| {
            let retry_after = retry_after.map(str::to_owned);
            let reply = Reply { status, retry_after, body: b"a\r\nb".to_vec(), is_whole: true };
            reply.failure(Reach::Account, 0)
        };
        let words = |status: u16| format!("answered {status}: a b");
        assert_eq!(outcome(401, None), Outcome::Denied(words(401)));
        assert_eq!(outcome(403, None), Outcome::Denied(words(403)));
        assert_eq!(outcome(408, None), Outcome::Later(30_000, words(408)));
        assert_eq!(outcome(425, None), Outcome::Deferred(30_000, words(425)));
        assert_eq!(outcome(429, Some("7")), Outcome::Limited(7_000, Reach::Account, words(429)));
        assert_eq!(outcome(503, Some("99999999")), Outcome::Limited(3_600_000, Reach::Account, words(503)));
        assert_eq!(outcome(503, None), Outcome::Ambiguous(words(503)));
        assert_eq!(outcome(413, None), Outcome::Refused(words(413)));
        assert_eq!(
            outcome(302, None),
            Outcome::Refused(format!("{}: redirects are not followed", words(302)))
        );
        assert_eq!(outcome(500, None), Outcome::Ambiguous(words(500)));
        assert_eq!(outcome(100, None), Outcome::Ambiguous(words(100)));
    }
}
