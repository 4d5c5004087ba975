//! Who may do what.
//!
//! A request shows a token, whose name becomes the actor `api:NAME` of what it does. Where no token is set up
//! at all, the address is loopback and every program of this machine may do everything as `api:local`; pages
//! that a browser shows may not, even when their name was made to point here, but for our own.
//!
//! A browser cannot show a token by itself. Whoever types one in has a session: a cookie that is made of the
//! token's hash and the time, and tells neither. It opens the pages and nothing else, so that no other site can
//! make a browser use the API.

use std::fmt;
use std::net::IpAddr;

use axum::http::header::{AUTHORIZATION, COOKIE, HOST, HeaderName, ORIGIN};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::Settings;
use crate::problem::Problem;

/// What a browser says about who made a page send a request.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// The cookie that has a session.
pub(crate) const SESSION: &str = "dice-session";
/// Milliseconds that a session lasts.
pub(crate) const SESSION_MS: i64 = 7 * 24 * 3_600_000;
/// Milliseconds by which a session may come from the future, where the clock went back.
const SKEW_MS: i64 = 60_000;

/// A secret that senders show. It never prints itself, and only its hash is kept.
#[derive(Clone)]
pub struct Token([u8; 32]);

impl Token {
    /// The token with that text.
    pub fn new(text: impl Into<String>) -> Token {
        Token::of(text.into().as_bytes())
    }

    fn of(text: &[u8]) -> Token {
        let name = dice_route::name(&[b"token", text]);
        Token(name.as_bytes().try_into().expect("a name has 32 digits"))
    }

    /// The session that is begun with it at that time.
    fn session(&self, begun_ms: i64) -> String {
        let begun = begun_ms.to_string();
        format!("{begun}.{}", dice_route::name(&[b"session", &self.0, begun.as_bytes()]))
    }

    /// Whether it is the same. How long that takes tells nothing about how much of it was right.
    fn is(&self, shown: &Token) -> bool {
        self.0.ct_eq(&shown.0).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// What a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// Sending lines and alerts, and nothing else.
    #[serde(rename = "lines:write")]
    Lines,
    /// Looking at everything, metrics too.
    #[serde(rename = "read")]
    Read,
    /// What the buttons do: snoozes, silences, overrides, acknowledgements. Whoever may act may read.
    #[serde(rename = "act")]
    Act,
    /// Changing rules and routes. Whoever may configure may act.
    #[serde(rename = "configure")]
    Configure,
}

impl Scope {
    /// The word used in files and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Lines => "lines:write",
            Scope::Read => "read",
            Scope::Act => "act",
            Scope::Configure => "configure",
        }
    }

    /// Whether it allows what `wanted` allows.
    fn covers(self, wanted: Scope) -> bool {
        self == wanted || (self != Scope::Lines && wanted != Scope::Lines && self > wanted)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A token with its name and what it allows.
#[derive(Debug, Clone)]
pub struct Key {
    /// Who uses it; several tokens may have one name, so that one can take the place of another.
    pub name: String,
    /// What is shown.
    pub token: Token,
    /// What it allows.
    pub scopes: Vec<Scope>,
}

impl Key {
    fn identity(&self) -> Identity {
        Identity::Known { name: self.name.clone(), scopes: self.scopes.clone() }
    }
}

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Identity {
    /// A program of this machine, where no token is set up.
    Local,
    /// Who has that token.
    Known { name: String, scopes: Vec<Scope> },
    /// Somebody who shows a token that is none.
    Wrong,
    /// Somebody who shows nothing.
    Nobody,
}

/// Somebody who may do what they ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// `api:NAME`.
    pub(crate) actor: String,
}

/// Why somebody may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Barred {
    NoToken,
    WrongToken,
    Scope { name: String, wanted: Scope },
    Page,
    Host(String),
}

/// Knows the tokens.
#[derive(Debug)]
pub(crate) struct Gate {
    keys: Vec<Key>,
    hosts: Vec<String>,
}

impl Gate {
    pub(crate) fn new(settings: &Settings) -> Gate {
        let mut keys = settings.keys.clone();
        let lines = settings.token.iter().cloned();
        keys.extend(lines.map(|token| Key { name: "lines".to_owned(), token, scopes: vec![Scope::Lines] }));
        let hosts = settings.hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
        Gate { keys, hosts }
    }

    /// Who shows these headers. All tokens are compared, whichever is right.
    pub(crate) fn identify(&self, headers: &HeaderMap) -> Identity {
        if self.keys.is_empty() {
            return Identity::Local;
        }
        let Some(shown) = bearer(headers) else { return Identity::Nobody };
        let shown = Token::of(shown);
        self.known(|token| token.is(&shown)).map_or(Identity::Wrong, Key::identity)
    }

    /// The one key that is so. All are asked, whichever is right.
    fn known(&self, is_so: impl Fn(&Token) -> bool) -> Option<&Key> {
        let mut found = None;
        for key in &self.keys {
            if is_so(&key.token) {
                found = found.or(Some(key));
            }
        }
        found
    }

    /// A session for whoever typed that token; `None` where it is none of ours.
    pub(crate) fn log_in(&self, typed: &str, now_ms: i64) -> Option<String> {
        let typed = Token::of(typed.trim().as_bytes());
        Some(self.known(|token| token.is(&typed))?.token.session(now_ms))
    }

    /// Who has that session, while it lasts and its token is one of ours.
    pub(crate) fn resume(&self, session: &str, now_ms: i64) -> Identity {
        let begun = begun_ms(session);
        let age_ms = begun.map(|begun_ms| now_ms.saturating_sub(begun_ms));
        let lasts = age_ms.is_some_and(|age_ms| (-SKEW_MS..SESSION_MS).contains(&age_ms));
        let Some(begun_ms) = begun.filter(|_| lasts) else { return Identity::Nobody };
        let is_so = |token: &Token| token.session(begun_ms).as_bytes().ct_eq(session.as_bytes()).into();
        self.known(is_so).map_or(Identity::Nobody, Key::identity)
    }

    /// Whether a browser says that one of our own pages, or a person, made it send this.
    pub(crate) fn is_own_page(&self, headers: &HeaderMap) -> bool {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        match (text(SEC_FETCH_SITE), headers.get(ORIGIN)) {
            (Some(site), _) => matches!(site, "none" | "same-origin"),
            (None, None) => true,
            (None, Some(_)) => {
                let at = text(ORIGIN).and_then(|origin| Some(origin.split_once("://")?.1));
                at.is_some() && at == text(HOST)
            }
        }
    }

    /// Whether lines may be sent. Only programs send any, so the host's name does not matter.
    pub(crate) fn lines(&self, headers: &HeaderMap) -> Result<Caller, Barred> {
        match self.identify(headers) {
            Identity::Local if headers.contains_key(ORIGIN) => Err(Barred::Page),
            identity => allowed(&identity, Scope::Lines),
        }
    }

    /// Whether `identity` may do what `wanted` allows.
    pub(crate) fn admit(
        &self,
        identity: &Identity,
        headers: &HeaderMap,
        wanted: Scope,
    ) -> Result<Caller, Barred> {
        if *identity == Identity::Local {
            let text = |name| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
            let (host, origin, site) = (text(HOST), text(ORIGIN), text(SEC_FETCH_SITE));
            // A page of another name that was made to point here has that name as its origin, or none.
            if let Some(host) = &host
                && !self.is_here(host)
            {
                return Err(Barred::Host(host.clone().into_owned()));
            }
            let is_own =
                |origin: &str| origin.split_once("://").is_some_and(|(_, at)| Some(at) == host.as_deref());
            if !matches!(site.as_deref(), None | Some("none" | "same-origin"))
                || origin.is_some_and(|origin| !is_own(&origin))
            {
                return Err(Barred::Page);
            }
        }
        allowed(identity, wanted)
    }

    /// Whether a name, with its port or without, is one of this machine.
    fn is_here(&self, host: &str) -> bool {
        let name = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        };
        let name = name.to_ascii_lowercase();
        name == "localhost"
            || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
            || self.hosts.contains(&name)
    }
}

fn allowed(identity: &Identity, wanted: Scope) -> Result<Caller, Barred> {
    match identity {
        Identity::Local => Ok(Caller { actor: "api:local".to_owned() }),
        Identity::Known { name, scopes } if scopes.iter().any(|scope| scope.covers(wanted)) => {
            Ok(Caller { actor: format!("api:{name}") })
        }
        Identity::Known { name, .. } => Err(Barred::Scope { name: name.clone(), wanted }),
        Identity::Wrong => Err(Barred::WrongToken),
        Identity::Nobody => Err(Barred::NoToken),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let shown = headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, token) = shown.split_at_checked(b"Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token.trim_ascii())
}

/// The session that a browser shows.
pub(crate) fn session(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut each =
        cookies.flat_map(|cookies| cookies.split(';')).filter_map(|one| one.trim().split_once('='));
    each.find(|(name, _)| *name == SESSION).map(|(_, value)| value)
}

fn begun_ms(session: &str) -> Option<i64> {
    session.split_once('.').and_then(|(begun, _)| begun.parse().ok())
}

/// What a session is called where it is written down: the session itself would open the pages.
pub(crate) fn session_name(session: &str) -> String {
    dice_route::name(&[b"session name", session.as_bytes()]).to_string()
}

/// The end of a session by itself, milliseconds since 1970.
pub(crate) fn session_until_ms(session: &str) -> i64 {
    begun_ms(session).map_or(i64::MIN, |begun_ms| begun_ms.saturating_add(SESSION_MS))
}

/// Whether another site made a browser ask.
pub(crate) fn is_foreign(headers: &HeaderMap) -> bool {
    let site = headers.get(SEC_FETCH_SITE).map(|value| value.as_bytes());
    matches!(site, Some(b"cross-site" | b"same-site"))
}

impl From<Barred> for Problem {
    fn from(barred: Barred) -> Problem {
        let no_token = |found: &str| {
            Problem::new(StatusCode::UNAUTHORIZED, "wanted to know who asks")
                .wanted("a token of this router")
                .found(found)
                .next("send the header Authorization: Bearer TOKEN")
        };
        match barred {
            Barred::NoToken => no_token("none"),
            Barred::WrongToken => no_token("another one"),
            Barred::Scope { name, wanted } => {
                Problem::new(StatusCode::FORBIDDEN, "this token may not do that")
                    .wanted(format!("a token with the scope {wanted}"))
                    .found(format!("the token {name}"))
                    .next("use another token, or give this one that scope")
            }
            Barred::Page => Problem::new(StatusCode::FORBIDDEN, "a web page may not do that")
                .wanted("a request of a program on this machine")
                .found("one that a web page made a browser send")
                .next("set a token and show it"),
            Barred::Host(host) => Problem::new(StatusCode::FORBIDDEN, "a web page may not do that")
                .wanted("a request to localhost")
                .found(format!("one to {host}"))
                .next("ask by the address, or set a token and show it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    use super::{Gate, Identity, Key, SESSION_MS, SKEW_MS, Scope, Token};
    use crate::Settings;

    fn settings() -> Settings {
        Settings { hosts: vec!["Dice.example".to_owned()], ..Settings::new(0, Vec::new()) }
    }

    fn with_keys() -> Settings {
        let key = |name: &str, scope| Key {
            name: name.to_owned(),
            token: Token::new(format!("{name} secret")),
            scopes: vec![scope],
        };
        let keys = vec![
            key("app", Scope::Lines),
            key("eyes", Scope::Read),
            key("hands", Scope::Act),
            key("ci", Scope::Configure),
        ];
        Settings { keys, token: Some(Token::new("old")), ..settings() }
    }

    /// What somebody who shows these headers may do.
    #[track_caller]
    fn check(settings: &Settings, headers: &[(&'static str, &str)], expected: &str) {
        let gate = Gate::new(settings);
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
            .collect();
        let identity = gate.identify(&headers);
        let mut found = String::new();
        for scope in [Scope::Lines, Scope::Read, Scope::Act, Scope::Configure] {
            if gate.admit(&identity, &headers, scope).is_ok() {
                write!(found, "{scope} ").unwrap();
            }
        }
        assert_eq!(found.trim_end(), expected);
    }

    #[test]
    fn a_token_allows_what_its_scopes_say() {
        let keys = with_keys();
        check(&keys, &[], "");
        check(&keys, &[("authorization", "Basic ci secret")], "");
        check(&keys, &[("authorization", "Bearer ci secre")], "");
        check(&keys, &[("authorization", "Bearer old")], "lines:write");
        check(&keys, &[("authorization", "Bearer app secret")], "lines:write");
        check(&keys, &[("authorization", "bearer eyes secret")], "read");
        check(&keys, &[("authorization", "Bearer hands secret"), ("host", "x"), ("origin", "y")], "read act");
        check(&keys, &[("authorization", "Bearer ci secret")], "read act configure");
    }

    #[test]
    fn a_session_lasts_a_week_and_tells_no_token() {
        let gate = Gate::new(&with_keys());
        assert_eq!(gate.log_in("eyes secre", 0), None);
        let session = gate.log_in(" eyes secret\n", 1_000).unwrap();
        assert!(!session.contains("eyes"), "{session}");
        let other = gate.log_in("hands secret", 1_000).unwrap();
        assert_ne!(session, other);
        let known = |session: &str, now_ms| matches!(gate.resume(session, now_ms), Identity::Known { .. });
        assert!(known(&session, 1_000) && known(&session, SESSION_MS) && known(&other, 1_000));
        assert!(!known(&session, SESSION_MS + 1_000) && !known(&session, -SKEW_MS * 2));
        assert!(!known(&session.replacen('1', "2", 1), 1_000) && !known("", 1_000) && !known("1000.", 1_000));
    }

    #[test]
    fn without_tokens_programs_of_this_machine_may_do_everything_and_pages_nothing() {
        let all = "lines:write read act configure";
        check(&settings(), &[], all);
        for host in ["localhost", "LOCALHOST:80", "127.0.0.1:9", "127.1.2.3", "[::1]:80", "dice.example:1"] {
            check(&settings(), &[("host", host)], all);
        }
        for host in ["evil.example", "localhost.evil.example", "10.0.0.1:80", "[::2]", "", "127.0.0.1.evil"] {
            check(&settings(), &[("host", host)], "");
        }
        check(&settings(), &[("origin", "http://localhost")], "");
        check(&settings(), &[("origin", "http://localhost:81"), ("host", "localhost:80")], "");
        check(&settings(), &[("origin", "http://evil.example"), ("host", "evil.example")], "");
        check(&settings(), &[("origin", "http://localhost:80"), ("host", "localhost:80")], all);
        check(&settings(), &[("origin", "null")], "");
        check(&settings(), &[("sec-fetch-site", "cross-site")], "");
        check(&settings(), &[("sec-fetch-site", "none"), ("host", "localhost")], all);
    }
}
