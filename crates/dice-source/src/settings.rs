//! What is read, and how patiently.

use std::net::SocketAddr;
use std::path::PathBuf;

/// One source: where lines come from, and the bounds on reading it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What the source is called in positions and partitions; no two sources have the same.
    pub name: String,
    /// Where its lines come from.
    pub kind: Kind,
    /// Where reading begins when there is no position from earlier.
    pub start: Start,
    /// Bytes of a line that are kept. A longer one is cut one byte past that, which tells that it was cut.
    pub limit_bytes: usize,
    /// Milliseconds between two looks at files, whatever the watch on their directories tells.
    pub poll_ms: u64,
    /// Milliseconds that the end of a file has to be quiet before a last line without its line end is told.
    pub partial_ms: u64,
    /// Milliseconds that a file which was rotated away has to be quiet before its successor is opened.
    pub grace_ms: u64,
    /// Milliseconds that a file which was rotated away and closed is kept in view, in case that somebody
    /// still writes to it.
    pub linger_ms: u64,
    /// Milliseconds before a program that ended is started again, the first time; twice that the next.
    pub backoff_ms: u64,
}

impl Settings {
    /// A source with the usual patience: lines of 1 MiB, a look each second, a second for a partial line and
    /// for a rotated file, ten minutes in view.
    pub fn new(name: impl Into<String>, kind: Kind) -> Settings {
        Settings {
            name: name.into(),
            kind,
            start: Start::Beginning,
            limit_bytes: 1 << 20,
            poll_ms: 1_000,
            partial_ms: 1_000,
            grace_ms: 1_000,
            linger_ms: 600_000,
            backoff_ms: 1_000,
        }
    }
}

/// Where lines come from.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Standard input, until its end. It cannot be read twice: a position tells how much was read, no more.
    Stdin,
    /// Files, each known by its device, its inode and how it begins, whatever it is called.
    ///
    /// What a rotation can lose: lines written between a copy and the truncation that follows it; and, while
    /// nothing was read, what was packed meanwhile and files that came and were rotated away in between. The
    /// latter are found by a pattern that stands for rotated files too, `app.log*`. Where rotation copies, such
    /// a pattern reads the copies as well: a copy is another file.
    Files {
        /// Paths, with `*`, `?`, `[a-z]` and `**` (any directories) where the files are several or come later.
        paths: Vec<String>,
        /// Whether to wait for more at the end, for files that are not there yet, and for their successors
        /// when they are rotated. Otherwise what is there is read once.
        follow: bool,
    },
    /// A syslog receiver. There is one partition for each, whoever sends: senders are not bounded, and the
    /// header names the host.
    Syslog {
        /// The address to listen on; port 0 takes any, which [`crate::Sources::listening`] tells.
        listen: SocketAddr,
        /// How messages are told apart.
        transport: Transport,
    },
    /// The systemd journal, through `journalctl`: a line is a record as JSON.
    Journald {
        /// The program that is run in place of `journalctl`.
        program: PathBuf,
        /// Units that are read; none is all.
        units: Vec<String>,
    },
}

/// How syslog messages travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A message a datagram. What arrives faster than it is read is lost; on Linux it is told how many were.
    Udp,
    /// Connections; messages are counted or end with a line feed (RFC 6587), decided for each message.
    Tcp {
        /// Connections at once; further ones are closed. Each needs `limit_bytes` and 64 KiB at most.
        connections: usize,
        /// Milliseconds after which a connection that tells nothing is closed.
        idle_ms: u64,
    },
}

/// Where reading begins when there is no position from earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At the beginning.
    Beginning,
    /// At the end of what is there at the start of the program. Files that come later are read whole.
    End,
}
