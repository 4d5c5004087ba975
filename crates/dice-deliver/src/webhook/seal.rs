//! Signatures of calls: HMAC-SHA256 over id, time and body. Source: Standard Webhooks 1.0.0.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::signature;

/// A call whose time is further away than this is old or forged, milliseconds.
pub const TOLERANCE_MS: i64 = 300_000;

/// What calls are signed with.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Reads a secret as it is handed out: `whsec_` and base64. Without the prefix the text itself is it.
    ///
    /// # Errors
    ///
    /// When it is empty, or there is no base64 behind the prefix.
    pub fn new(text: &str) -> Result<Secret, String> {
        let bytes = match text.trim().strip_prefix("whsec_") {
            Some(rest) => {
                STANDARD.decode(rest).map_err(|_| "the secret has no base64 behind whsec_".to_owned())?
            }
            None => text.trim().as_bytes().to_vec(),
        };
        if bytes.is_empty() { Err("the secret is empty".to_owned()) } else { Ok(Secret(bytes)) }
    }

    fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> String {
        let time = seconds.to_string();
        let signed = signature::sign(&self.0, &[id.as_bytes(), b".", time.as_bytes(), b".", body]);
        format!("v1,{}", STANDARD.encode(signed))
    }
}

/// The header `webhook-signature`: one signature for each secret, so that a receiver may know either while
/// they are changed.
pub fn seal(secrets: &[Secret], id: &str, seconds: i64, body: &[u8]) -> String {
    secrets.iter().map(|secret| secret.sign(id, seconds, body)).collect::<Vec<String>>().join(" ")
}

/// Whether one of `secrets` signed the call, and its time is near `now_ms`: what a receiver has to ask.
pub fn is_sealed(
    secrets: &[Secret],
    signatures: &str,
    id: &str,
    seconds: i64,
    body: &[u8],
    now_ms: i64,
) -> bool {
    if seconds.saturating_mul(1000).abs_diff(now_ms) > TOLERANCE_MS.unsigned_abs() {
        return false;
    }
    let mut is_sealed = false;
    for secret in secrets {
        let right = secret.sign(id, seconds, body);
        for given in signatures.split(' ').take(16) {
            is_sealed |= signature::is_same(given.as_bytes(), right.as_bytes());
        }
    }
    is_sealed
}

#[cfg(test)]
mod tests {
    use super::{Secret, is_sealed, seal};

    /// The example of the convention's own libraries.
    #[test]
    fn calls_are_signed_as_the_convention_has_it() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let sealed =
            seal(&[secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(sealed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn either_secret_will_do_while_they_are_changed() {
        let [old, new] = ["old", "new"].map(|text| Secret::new(text).unwrap());
        let sealed = seal(&[new.clone(), old.clone()], "i", 100, b"x");
        for secrets in [vec![old.clone()], vec![new.clone()], vec![old.clone(), new.clone()]] {
            assert!(is_sealed(&secrets, &sealed, "i", 100, b"x", 100_000));
        }
        for (id, seconds, body, now_ms) in [
            ("j", 100, &b"x"[..], 100_000),
            ("i", 101, b"x", 100_000),
            ("i", 100, b"y", 100_000),
            ("i", 100, b"x", 400_001),
        ] {
            assert!(!is_sealed(std::slice::from_ref(&old), &sealed, id, seconds, body, now_ms));
        }
        assert!(Secret::new("whsec_?").is_err() && Secret::new(" ").is_err());
    }
}
