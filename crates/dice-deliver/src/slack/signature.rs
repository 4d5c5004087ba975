//! Whether a request comes from Slack.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use subtle::ConstantTimeEq;

use super::button::{hex, mac};
use super::token::Token;

/// A request may be this much older or newer than the clock, milliseconds.
const TOLERANCE_MS: i64 = 300_000;

/// Requests are remembered for this long.
const REMEMBER_MS: i64 = 600_000;

/// Requests that are remembered; past it the oldest go.
const MAX_REMEMBERED: usize = 20_000;

/// Checks the signatures of requests.
///
/// Source: "Verifying requests from Slack", version `v0`.
#[derive(Debug, Clone)]
pub struct Signature {
    secret: Token,
}

/// Why a request is not obeyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejected {
    /// There is no signature, or no time of it.
    Unsigned,
    /// The time of the signature is more than five minutes from now.
    Stale,
    /// It was signed by somebody else, or has been changed.
    Forged,
    /// The same request came before.
    Repeated,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Rejected::Unsigned => "the request is not signed",
            Rejected::Stale => "the signature is more than five minutes from now: is the clock right?",
            Rejected::Forged => "the signature is not Slack's: is the signing secret right?",
            Rejected::Repeated => "the request came before",
        })
    }
}

/// The requests of the last ten minutes, by their signatures.
#[derive(Debug, Clone, Default)]
pub struct Replays {
    seen: BTreeSet<[u8; 32]>,
    by_time: BTreeMap<(i64, u64), [u8; 32]>,
    next: u64,
}

impl Replays {
    /// Whether it was not seen before; it has been now.
    fn is_new(&mut self, signature: [u8; 32], now_ms: i64) -> bool {
        while let Some((&key, &old)) = self.by_time.first_key_value() {
            if key.0.saturating_add(REMEMBER_MS) >= now_ms && self.seen.len() < MAX_REMEMBERED {
                break;
            }
            self.by_time.remove(&key);
            self.seen.remove(&old);
        }
        if !self.seen.insert(signature) {
            return false;
        }
        self.by_time.insert((now_ms, self.next), signature);
        self.next += 1;
        true
    }
}

impl Signature {
    /// Checks with an app's signing secret.
    pub fn new(secret: Token) -> Signature {
        Signature { secret }
    }

    /// Checks a request: the headers `X-Slack-Request-Timestamp` and `X-Slack-Signature`, and the body's bytes
    /// as they came, before anything was decoded.
    ///
    /// # Errors
    ///
    /// Why it is not to be obeyed.
    pub fn check(
        &self,
        timestamp: &str,
        signature: &str,
        body: &[u8],
        now_ms: i64,
        replays: &mut Replays,
    ) -> Result<(), Rejected> {
        let digits = timestamp.bytes().all(|byte| byte.is_ascii_digit());
        let at_s: i64 = timestamp.parse().ok().filter(|_| digits).ok_or(Rejected::Unsigned)?;
        let signature = signature.strip_prefix("v0=").ok_or(Rejected::Unsigned)?;
        let mut text = format!("v0:{timestamp}:").into_bytes();
        text.extend_from_slice(body);
        let wanted = mac(self.secret.reveal().as_bytes(), &text);
        if !bool::from(hex(&wanted).as_bytes().ct_eq(signature.as_bytes())) {
            return Err(Rejected::Forged);
        }
        if now_ms.saturating_sub(at_s.saturating_mul(1000)).saturating_abs() > TOLERANCE_MS {
            return Err(Rejected::Stale);
        }
        if replays.is_new(wanted, now_ms) { Ok(()) } else { Err(Rejected::Repeated) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Rejected, Replays, Signature};
    use crate::slack::Token;

    /// The example of Slack's documentation.
    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const BODY: &[u8] = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&\
        channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&\
        command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F\
        397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const SIGNED: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

    #[track_caller]
    fn check(timestamp: &str, signature: &str, body: &[u8], now_s: i64, wanted: Result<(), Rejected>) {
        let signatures = Signature::new(Token::new(SECRET));
        let found = signatures.check(timestamp, signature, body, now_s * 1000, &mut Replays::default());
        assert_eq!(found, wanted);
    }

    #[test]
    fn signatures() {
        let at = "1531420618";
        check(at, SIGNED, BODY, 1_531_420_618, Ok(()));
        check(at, SIGNED, BODY, 1_531_420_918, Ok(()));
        check(at, SIGNED, BODY, 1_531_420_919, Err(Rejected::Stale));
        check(at, SIGNED, BODY, 1_531_420_317, Err(Rejected::Stale));
        check(at, SIGNED, &BODY[1..], 1_531_420_618, Err(Rejected::Forged));
        check(at, &SIGNED[..60], BODY, 1_531_420_618, Err(Rejected::Forged));
        check("1531420619", SIGNED, BODY, 1_531_420_618, Err(Rejected::Forged));
        check("-1", SIGNED, BODY, 0, Err(Rejected::Unsigned));
        check(at, "", BODY, 1_531_420_618, Err(Rejected::Unsigned));
    }

    #[test]
    fn a_request_is_obeyed_once() {
        let signatures = Signature::new(Token::new(SECRET));
        let mut replays = Replays::default();
        let mut check = |now_s: i64| signatures.check("1531420618", SIGNED, BODY, now_s * 1000, &mut replays);
        assert_eq!(check(1_531_420_618), Ok(()));
        assert_eq!(check(1_531_420_619), Err(Rejected::Repeated));
        for n in 0..50_000_u64 {
            let mut signature = [0; 32];
            signature[..8].copy_from_slice(&n.to_be_bytes());
            assert!(replays.is_new(signature, 0));
            assert!(
                replays.seen.len() <= super::MAX_REMEMBERED && replays.by_time.len() == replays.seen.len()
            );
        }
    }
}
