//! Who may send what.

use std::net::{Ipv4Addr, SocketAddr};

use crate::{Allowance, Key, Token};

/// Who may send what, and the bounds on it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address to listen on; port 0 takes any, which [`crate::Server::address`] tells.
    pub listen: SocketAddr,
    /// What a sender of lines may show as `Authorization: Bearer …`, beside the keys. Without a token or a key,
    /// `listen` has to be loopback, and pages that a browser shows may do nothing.
    pub token: Option<Token>,
    /// The tokens with their names and what each allows.
    pub keys: Vec<Key>,
    /// Names by which this machine may be asked where there are no tokens, beside `localhost`.
    pub hosts: Vec<String>,
    /// The names of sources that take lines here. When it is one, a request need not name it.
    pub sources: Vec<String>,
    /// Bytes of a body.
    pub body_limit_bytes: usize,
    /// Bytes of the body of a request that is no lines: a rule, a button, alerts.
    pub form_limit_bytes: usize,
    /// Bytes of a line that are kept; a longer one is cut one byte past that.
    pub line_limit_bytes: usize,
    /// Requests that are read or wait for their commit at once; further ones are told to come back. Each needs
    /// `body_limit_bytes` at most.
    pub requests: usize,
    /// Connections at once; further ones wait.
    pub connections: usize,
    /// Milliseconds that a request waits for room in the channel.
    pub queue_ms: u64,
    /// Milliseconds that a request waits for its commit.
    pub commit_ms: u64,
    /// Milliseconds that a look at the state may take, a backtest too.
    pub look_ms: u64,
    /// Milliseconds that whoever sends a signed letter waits for its commit: Slack gives up after three seconds.
    pub letter_ms: u64,
    /// Looks at the state at once; further ones wait.
    pub looks: usize,
    /// How many requests a token may make, or a peer that shows none. Lines are not counted: they wait for
    /// room.
    pub allowance: Allowance,
    /// Milliseconds that a body may take, what stands before it too, and that a connection may be silent.
    pub idle_ms: u64,
}

impl Settings {
    /// The usual bounds, on loopback: bodies of 8 MiB, lines of 1 MiB, 16 requests and 256 connections at once,
    /// a second for room, half a minute for the commit or a look, a minute for a body; 1,200 requests a minute.
    pub fn new(port: u16, sources: Vec<String>) -> Settings {
        Settings {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            token: None,
            keys: Vec::new(),
            hosts: Vec::new(),
            sources,
            body_limit_bytes: 8 << 20,
            form_limit_bytes: 1 << 20,
            line_limit_bytes: 1 << 20,
            requests: 16,
            connections: 256,
            queue_ms: 1_000,
            commit_ms: 30_000,
            look_ms: 30_000,
            letter_ms: 2_500,
            looks: 4,
            allowance: Allowance { burst: 200, per_minute: 1_200 },
            idle_ms: 60_000,
        }
    }
}
