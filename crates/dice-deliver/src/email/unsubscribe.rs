//! Readers of digests leave by one click. Source: RFC 8058.
//!
//! Programs look at every address of a mail, so opening it must change nothing: only a POST unsubscribes, and
//! it works without a login, since the address itself proves who got it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::signature;

/// What is known of the page where readers unsubscribe.
#[derive(Clone, PartialEq, Eq)]
pub struct Unsubscribe {
    /// Its address, with `https`; behind a `/` the token is added, as the API takes it.
    pub url: String,
    /// What tokens are signed with; whoever reads them has the same.
    pub secret: String,
}

impl Unsubscribe {
    pub(super) fn check(&self) -> Result<(), String> {
        let is_address = crate::wording::link(&self.url).is_some()
            && self.url.starts_with("https://")
            && !self.url.contains(['?', '#']);
        match (is_address, self.secret.len() >= 16) {
            (false, _) => Err(format!(
                "{:?} is no https address to unsubscribe at",
                dice_route::address::public(&self.url)
            )),
            (_, false) => Err("the secret of unsubscribing has less than 16 bytes".to_owned()),
            (true, true) => Ok(()),
        }
    }

    pub(super) fn url_for(&self, address: &str) -> String {
        format!("{}/{}", self.url.trim_end_matches('/'), unsubscribe_token(&self.secret, address))
    }
}

/// The token that unsubscribes `address` from digests.
pub fn unsubscribe_token(secret: &str, address: &str) -> String {
    let signed = sign(secret, address);
    format!("v1.{}.{}", URL_SAFE_NO_PAD.encode(address), URL_SAFE_NO_PAD.encode(signed))
}

/// The address that a token unsubscribes, when `secret` signed it.
pub fn unsubscribed(secret: &str, token: &str) -> Option<String> {
    let (address, signed) = token.strip_prefix("v1.")?.split_once('.')?;
    let address = String::from_utf8(URL_SAFE_NO_PAD.decode(address).ok()?).ok()?;
    let given = URL_SAFE_NO_PAD.decode(signed).ok()?;
    signature::is_same(&given, &sign(secret, &address)).then_some(address)
}

fn sign(secret: &str, address: &str) -> [u8; 32] {
    signature::sign(secret.as_bytes(), &[b"unsubscribe/v1/digest/", address.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::{unsubscribe_token, unsubscribed};

    #[test]
    fn only_the_address_that_was_written_to_is_unsubscribed() {
        let token = unsubscribe_token("0123456789abcdef", "ann@example.org");
        assert_eq!(unsubscribed("0123456789abcdef", &token).as_deref(), Some("ann@example.org"));
        let other = unsubscribe_token("0123456789abcdef", "bob@example.org");
        let forged =
            format!("{}.{}", &other[..other.rfind('.').unwrap()], &token[token.rfind('.').unwrap() + 1..]);
        for (secret, token) in [
            ("another secret.", token.as_str()),
            ("0123456789abcdef", &forged),
            ("0123456789abcdef", "v1.?.?"),
            ("0123456789abcdef", ""),
        ] {
            assert_eq!(unsubscribed(secret, token), None, "{token}");
        }
    }
}
