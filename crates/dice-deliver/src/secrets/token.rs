//! Tokens that are known by their form alone.

use super::LOOK_BYTES;

/// Bytes that follow a prefix.
#[derive(Debug, Clone, Copy)]
enum Body {
    /// Letters and digits.
    Plain,
    /// Those, `-` and `_`.
    Url,
    /// Those, `.`, `+`, `/` and `=`.
    Base64,
}

impl Body {
    fn has(self, byte: u8) -> bool {
        byte.is_ascii_alphanumeric()
            || match self {
                Body::Plain => false,
                Body::Url => matches!(byte, b'-' | b'_'),
                Body::Base64 => matches!(byte, b'-' | b'_' | b'.' | b'+' | b'/' | b'='),
            }
    }
}

/// Prefixes, what follows them, and at least how much.
const PREFIXES: &[(&str, Body, usize)] = &[
    ("AGE-SECRET-KEY-1", Body::Plain, 20),
    ("AIza", Body::Url, 35),
    ("SG.", Body::Base64, 40),
    ("dapi", Body::Plain, 32),
    ("dop_v1_", Body::Plain, 40),
    ("ghp_", Body::Plain, 20),
    ("gho_", Body::Plain, 20),
    ("ghu_", Body::Plain, 20),
    ("ghs_", Body::Base64, 20),
    ("ghr_", Body::Plain, 20),
    ("github_pat_", Body::Url, 20),
    ("gldt-", Body::Url, 20),
    ("glpat-", Body::Base64, 20),
    ("glrt-", Body::Base64, 20),
    ("hf_", Body::Plain, 30),
    ("hooks.slack.com/services/", Body::Base64, 20),
    ("hvb.", Body::Url, 20),
    ("hvs.", Body::Url, 20),
    ("npm_", Body::Plain, 30),
    ("pypi-", Body::Url, 40),
    ("rk_live_", Body::Plain, 16),
    ("rk_test_", Body::Plain, 16),
    ("shpat_", Body::Plain, 32),
    ("sk-", Body::Url, 20),
    ("sk_live_", Body::Plain, 16),
    ("sk_test_", Body::Plain, 16),
    ("whsec_", Body::Base64, 16),
    ("xapp-", Body::Url, 20),
    ("xoxa-", Body::Url, 10),
    ("xoxb-", Body::Url, 10),
    ("xoxc-", Body::Url, 10),
    ("xoxd-", Body::Base64, 10),
    ("xoxe-", Body::Url, 10),
    ("xoxe.", Body::Base64, 10),
    ("xoxo-", Body::Url, 10),
    ("xoxp-", Body::Url, 10),
    ("xoxr-", Body::Url, 10),
    ("xoxs-", Body::Url, 10),
    ("ya29.", Body::Url, 20),
];

/// The token that begins at `at`.
pub(super) fn token(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let before = at.checked_sub(1).map(|before| bytes[before]);
    if before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return None;
    }
    prefixed(bytes, at)
        .or_else(|| amazon(bytes, at))
        .or_else(|| web_token(bytes, at))
        .or_else(|| bearer(bytes, at))
}

fn prefixed(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let rest = &bytes[at..];
    let (prefix, body, least) =
        PREFIXES.iter().find(|(prefix, ..)| rest.starts_with(prefix.as_bytes())).copied()?;
    let rest = &rest[prefix.len()..];
    let seen = rest.iter().take(LOOK_BYTES).take_while(|byte| body.has(**byte)).count();
    let has_digit = rest[..seen].iter().any(u8::is_ascii_digit);
    if seen < least || !has_digit {
        return None;
    }
    let length = rest.iter().take_while(|byte| body.has(**byte)).count();
    let start = if prefix.ends_with("services/") { at + prefix.len() } else { at };
    Some((start, at + prefix.len() + length))
}

/// The key id of an Amazon account: four letters, then sixteen capitals and digits, and no more.
fn amazon(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let word = bytes.get(at..at + 20)?;
    let is_known = [b"AKIA", b"ASIA", b"ABIA", b"ACCA"].iter().any(|prefix| word.starts_with(*prefix));
    let is_id = word.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let ends = !bytes.get(at + 20).is_some_and(u8::is_ascii_alphanumeric);
    (is_known && is_id && ends).then_some((at, at + 20))
}

/// A JSON web token: three parts, the first two of which are objects in base64.
fn web_token(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    // Behind `-` it would be the middle of a part, and each part is to be read a bounded number of times.
    if !bytes[at..].starts_with(b"eyJ") || (at > 0 && bytes[at - 1] == b'-') {
        return None;
    }
    let part = |start: usize| bytes[start..].iter().take_while(|byte| Body::Url.has(**byte)).count();
    let first = part(at);
    let second_at = at + first + 1;
    if first < 10 || bytes.get(at + first) != Some(&b'.') {
        return None;
    }
    let second = part(second_at);
    let third_at = second_at + second + 1;
    if second < 10 || bytes.get(second_at + second) != Some(&b'.') {
        return None;
    }
    Some((at, third_at + part(third_at)))
}

/// What follows the word `Bearer`.
fn bearer(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    if !bytes.get(at..at + 7).is_some_and(|word| word.eq_ignore_ascii_case(b"bearer ")) {
        return None;
    }
    let start = at + 7;
    let is_token = |byte: &u8| Body::Base64.has(*byte) || *byte == b'~';
    let seen = bytes[start..].iter().take(LOOK_BYTES).take_while(|byte| is_token(byte)).count();
    let has_digit = bytes[start..start + seen].iter().any(u8::is_ascii_digit);
    if seen < 8 || !(has_digit || seen >= 32) {
        return None;
    }
    let length = bytes[start..].iter().take_while(|byte| is_token(byte)).count();
    Some((start, start + length))
}

/// A private key in its armour; one without an end goes to the end of the text.
pub(super) fn private_key(text: &str, at: usize) -> Option<(usize, usize)> {
    const BEGIN: &str = "-----BEGIN ";
    let rest = text[at..].strip_prefix(BEGIN)?;
    let is_label = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' ';
    let dashes = rest.as_bytes().iter().take(48).take_while(|byte| is_label(byte)).count();
    if !rest[dashes..].starts_with('-')
        || !rest[..dashes].ends_with("PRIVATE KEY") && !rest[..dashes].ends_with("PRIVATE KEY BLOCK")
    {
        return None;
    }
    let start = at + BEGIN.len();
    // Looked for once a key: what is found is masked, and what is not found masks the rest.
    let Some(end) = text[start..].find("-----END ") else { return Some((at, text.len())) };
    let end = start + end + "-----END ".len();
    let tail = text.as_bytes()[end..].iter().take(48).position(|byte| *byte == b'-').unwrap_or(0);
    let close = end + tail;
    let dashes = text.as_bytes()[close..].iter().take(5).take_while(|byte| **byte == b'-').count();
    Some((at, close + dashes))
}
