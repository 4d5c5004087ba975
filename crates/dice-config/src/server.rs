//! The API: where it listens, and who may ask what.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use crate::source::{SourceKind, SourceSettings, Transport};
use crate::text::{Complaint, Desk};
use crate::value::Table;

/// Where the API and the pages are, and who may ask what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSettings {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// What other machines call it: `https://dice.corp.example`, without a slash at the end.
    pub url: Option<String>,
    /// Names by which this machine may be asked where there are no keys, beside `localhost`.
    pub hosts: Vec<String>,
    /// Tokens with their names; without any, programs of this machine may do everything.
    pub keys: Vec<KeySettings>,
    /// Bytes of a body with lines.
    pub body_limit_bytes: usize,
    /// Bytes of any other body.
    pub form_limit_bytes: usize,
    /// Requests that wait for their commit at once.
    pub requests: usize,
    /// Connections at once.
    pub connections: usize,
    /// Requests that one token or one peer may make in a minute.
    pub per_minute: u32,
    /// How many of these may come at once.
    pub burst: u32,
}

/// A token that callers show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySettings {
    /// What it does is done by `api:NAME`.
    pub name: String,
    /// `lines:write`, `read`, `act`, `configure`.
    pub scopes: Vec<String>,
    /// The environment variable with the token.
    pub token_env: String,
}

impl ServerSettings {
    /// What holds where only the address is known.
    pub fn at(listen: SocketAddr) -> ServerSettings {
        ServerSettings {
            listen,
            url: None,
            hosts: Vec::new(),
            keys: Vec::new(),
            body_limit_bytes: 8 << 20,
            form_limit_bytes: 1 << 20,
            requests: 16,
            connections: 256,
            per_minute: 1_200,
            burst: 200,
        }
    }
}

/// The server of `router`, checked against the sources; `None` where there is none or something is wrong.
pub(crate) fn server(desk: &mut Desk, router: &Table, sources: &[SourceSettings]) -> Option<ServerSettings> {
    let table = router.table("server")?;
    let mut is_sound = table.is_sound();
    let mut keys = Vec::new();
    let mut variables = BTreeSet::new();
    for key in table.tables("key") {
        is_sound &= key.is_sound();
        let (name, token_env) = (key.word("name").to_owned(), key.word("token_env").to_owned());
        let scopes = key.texts("scopes");
        if scopes.is_empty() && key.is_sound() {
            let complaint = Complaint::wanted("at least one scope", "none")
                .hint("write scopes = [\"read\"], or remove the key");
            desk.complain(key.place_of("scopes"), &key.path_of("scopes"), complaint);
        }
        if !token_env.is_empty() && !variables.insert(token_env.clone()) {
            let complaint = Complaint::new("another key has the same token")
                .hint("give each key a variable of its own, or one key all the scopes");
            desk.complain(key.place_of("token_env"), &key.path_of("token_env"), complaint);
        }
        keys.push(KeySettings { name, scopes, token_env });
    }
    let listen: SocketAddr = table.text("listen")?.parse().ok()?;
    if keys.is_empty() && !listen.ip().is_loopback() {
        let complaint = Complaint::wanted("a key, because other machines can reach this address", "none")
            .hint("write [[server.key]], or listen on 127.0.0.1");
        desk.complain(table.place_of("listen"), &table.path_of("listen"), complaint);
    }
    let is_taken = |source: &SourceSettings| match &source.kind {
        SourceKind::Syslog { listen: other, transport: Transport::Tcp } => *other == listen,
        _ => false,
    };
    if listen.port() != 0
        && let Some(source) = sources.iter().find(|source| is_taken(source))
    {
        let complaint = Complaint::new(format!("source {} listens on {listen}", source.name));
        desk.complain(
            table.place_of("listen"),
            &table.path_of("listen"),
            complaint.hint("choose another port"),
        );
    }
    let url = table.owned("url");
    if let Some(url) = &url
        && !(url.starts_with("https://") || url.starts_with("http://"))
    {
        let complaint = Complaint::wanted(
            "an address with https://",
            format!("\"{}\"", crate::text::shown(&dice_route::address::public(url))),
        );
        desk.complain(table.place_of("url"), &table.path_of("url"), complaint);
    }
    let number = |name| table.maybe_integer(name).unwrap_or_default();
    is_sound.then(|| ServerSettings {
        listen,
        url: url.map(|url| url.trim_end_matches('/').to_owned()),
        hosts: table.texts("hosts"),
        keys,
        body_limit_bytes: table.size("body_limit"),
        form_limit_bytes: table.size("form_limit"),
        requests: usize::try_from(number("requests")).unwrap_or(1),
        connections: usize::try_from(number("connections")).unwrap_or(1),
        per_minute: u32::try_from(number("per_minute")).unwrap_or(u32::MAX),
        burst: u32::try_from(number("burst")).unwrap_or(u32::MAX),
    })
}
