//! Names that tell that a secret follows.

/// A name's last bytes, which tell what it names.
pub(super) const MAX_BYTES: usize = 64;

/// How surely a name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Telling {
    /// Whatever follows is a secret, but for words of a sentence: `password`.
    Sure,
    /// A secret follows where it looks like one: `token`, for parsers have those, too.
    Likely,
    /// A secret follows where it looks like nothing else: `key`.
    Hardly,
    /// Behind it stands a scheme, then the secret: `Authorization`.
    Header,
    /// Pairs follow: `Cookie`.
    Cookie,
}

impl Telling {
    /// Whether `value` is a secret behind such a name. `is_close` where nothing but a sign stands between, so
    /// that it is no sentence.
    pub(super) fn is_secret(self, value: &str, is_close: bool) -> bool {
        let value = value.trim_end_matches(['.', '!', '?']);
        if value.is_empty() || value.bytes().all(|byte| matches!(byte, b'*' | b'x' | b'X' | b'-' | b'.')) {
            return false;
        }
        let lower = value.to_ascii_lowercase();
        if WORDS.contains(&lower.as_str()) {
            return false;
        }
        let has = |is: fn(&u8) -> bool| value.bytes().any(|byte| is(&byte));
        let (digit, letter) = (has(u8::is_ascii_digit), has(u8::is_ascii_alphabetic));
        match self {
            Telling::Sure => is_close || !lower.starts_with(['<', '(', '{', '[', '/']),
            Telling::Likely | Telling::Header | Telling::Cookie => {
                let least = if is_close { 6 } else { 10 };
                value.len() >= least
                    && ((digit && letter) || value.len() >= 32 && !value.contains(' '))
                    && !value.contains("::")
                    && !value.starts_with(['/', '.'])
                    && !is_uuid(value)
            }
            Telling::Hardly => {
                let (upper, lower) = (has(u8::is_ascii_uppercase), has(u8::is_ascii_lowercase));
                let is_base64 = |byte: u8| {
                    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'_' | b'-')
                };
                value.len() >= 20
                    && digit
                    && upper
                    && lower
                    && !value.starts_with('/')
                    && value.bytes().all(is_base64)
                    && value.bytes().filter(|byte| matches!(byte, b'/' | b'-' | b'_')).count()
                        <= value.len() / 10
            }
        }
    }
}

/// Words that stand behind a telling name in sentences and dumps.
const WORDS: &[&str] = &[
    "a",
    "absent",
    "an",
    "and",
    "are",
    "authentication",
    "bad",
    "blank",
    "can",
    "cannot",
    "changed",
    "check",
    "could",
    "default",
    "denied",
    "disabled",
    "does",
    "empty",
    "enabled",
    "error",
    "expected",
    "expired",
    "failed",
    "failure",
    "false",
    "for",
    "found",
    "has",
    "hidden",
    "in",
    "incorrect",
    "invalid",
    "is",
    "it",
    "length",
    "masked",
    "match",
    "mismatch",
    "missing",
    "must",
    "need",
    "needs",
    "nil",
    "no",
    "none",
    "not",
    "null",
    "of",
    "ok",
    "on",
    "optional",
    "permission",
    "please",
    "redacted",
    "refused",
    "rejected",
    "required",
    "reset",
    "revoked",
    "set",
    "should",
    "success",
    "that",
    "the",
    "this",
    "to",
    "too",
    "true",
    "undefined",
    "unknown",
    "unset",
    "unspecified",
    "updated",
    "user",
    "valid",
    "was",
    "we",
    "will",
    "with",
    "wrong",
    "yes",
    "you",
    "your",
    "<nil>",
    "<none>",
    "<null>",
    "(null)",
    "[redacted]",
    "<redacted>",
    "[filtered]",
    "<masked>",
];

/// Words before `key` that make it a secret's name.
const KEYS: &[&str] = &[
    "access",
    "account",
    "api",
    "app",
    "auth",
    "client",
    "consumer",
    "encryption",
    "hmac",
    "license",
    "master",
    "private",
    "routing",
    "secret",
    "service",
    "shared",
    "signing",
    "storage",
    "integration",
];

/// How surely `name` tells that a secret follows; `before` is the word before it, for `API key: …`.
pub(super) fn telling(name: &str, before: Option<&str>) -> Option<Telling> {
    let mut start = name.len().saturating_sub(MAX_BYTES);
    while !name.is_char_boundary(start) {
        start += 1;
    }
    let words = words(&name[start..]);
    let last = words.last()?.as_str();
    let second = words.len().checked_sub(2).map(|at| words[at].as_str());
    match last {
        "password" | "passwd" | "passphrase" | "passcode" | "pwd" | "secret" | "secrets" | "otp" | "cvv"
        | "cvc" | "credential" | "credentials" | "userpassword" | "dbpassword" | "clientsecret" => {
            Some(Telling::Sure)
        }
        "token" | "apikey" | "accesskey" | "secretkey" | "privatekey" | "authtoken" | "accesstoken"
        | "refreshtoken" | "jwt" | "pass" | "bearer" | "sessionid" | "authkey" | "apitoken" => {
            Some(Telling::Likely)
        }
        "authorization" => Some(Telling::Header),
        "cookie" => Some(Telling::Cookie),
        "key" => {
            let before = second.map(str::to_owned).or_else(|| before.map(str::to_ascii_lowercase));
            let is_secret = before.is_some_and(|before| KEYS.contains(&before.as_str()));
            Some(if is_secret { Telling::Likely } else { Telling::Hardly })
        }
        "auth" | "sig" | "signature" | "pat" => Some(Telling::Hardly),
        "id" if second == Some("session") => Some(Telling::Hardly),
        _ => None,
    }
}

/// The words of `name` in lower case: `dbPassword`, `DB_PASSWORD` and `db-password` have two.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let bytes = name.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let is_upper_after = byte.is_ascii_uppercase()
            && at > 0
            && (bytes[at - 1].is_ascii_lowercase()
                || bytes[at - 1].is_ascii_uppercase()
                    && bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase));
        if (!byte.is_ascii_alphanumeric() || is_upper_after) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if byte.is_ascii_alphanumeric() {
            word.push(byte.to_ascii_lowercase() as char);
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The length of the scheme, with the blank behind it, that `value` begins with.
pub(super) fn scheme(value: &str) -> Option<usize> {
    let first = value.as_bytes().iter().take(16).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let schemes = ["basic", "bearer", "token", "digest", "negotiate", "apikey", "genie"];
    let is_known = schemes.iter().any(|scheme| value[..first].eq_ignore_ascii_case(scheme));
    let rest = value[first..].strip_prefix(' ')?;
    let word = rest.split([' ', '"', '\n']).next().unwrap_or_default();
    (is_known && word.len() >= 6 && !WORDS.contains(&word)).then_some(first + 1)
}

fn is_uuid(value: &str) -> bool {
    value.len() == 36
        && value.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
