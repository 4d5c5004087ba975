//! Who may send what.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};

use subtle::ConstantTimeEq;

/// Who may send what, and the bounds on it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address to listen on; port 0 takes any, which [`crate::Server::address`] tells.
    pub listen: SocketAddr,
    /// What a sender has to show as `Authorization: Bearer …`. Without one, `listen` has to be loopback, and
    /// pages that a browser shows may not send.
    pub token: Option<Token>,
    /// The names of sources that take lines here. When it is one, a request need not name it.
    pub sources: Vec<String>,
    /// Bytes of a body.
    pub body_limit_bytes: usize,
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
    /// Milliseconds that a body may take, and that a connection may be silent.
    pub idle_ms: u64,
}

impl Settings {
    /// The usual bounds, on loopback: bodies of 8 MiB, lines of 1 MiB, 16 requests and 256 connections at once,
    /// a second for room, half a minute for the commit, a minute for a body.
    pub fn new(port: u16, sources: Vec<String>) -> Settings {
        Settings {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            token: None,
            sources,
            body_limit_bytes: 8 << 20,
            line_limit_bytes: 1 << 20,
            requests: 16,
            connections: 256,
            queue_ms: 1_000,
            commit_ms: 30_000,
            idle_ms: 60_000,
        }
    }
}

/// A secret that senders show. It never prints itself.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// The token with that text.
    pub fn new(text: impl Into<String>) -> Token {
        Token(text.into())
    }

    /// Whether `shown` is it. How long that takes tells nothing about how much of it was right.
    pub(crate) fn is(&self, shown: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(shown).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}
