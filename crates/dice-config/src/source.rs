//! Where lines come from.

use std::net::SocketAddr;
use std::path::PathBuf;

use dice_route::config::Source;

use crate::load::Given;
use crate::text::{Complaint, Desk};
use crate::value::Table;

/// What is read, and what is known of its lines from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSettings {
    /// What it is called.
    pub name: String,
    /// Where its lines come from.
    pub kind: SourceKind,
    /// The header format of its lines; `None` is to find out.
    pub format: Option<String>,
    /// The IANA zone of lines that tell none.
    pub zone: String,
    /// The year of lines that tell none.
    pub year: Option<i16>,
    /// How much later than its neighbours a line may arrive.
    pub lateness_ms: i64,
    /// The service of lines that tell none.
    pub service: Option<String>,
    /// The host of lines that tell none.
    pub host: Option<String>,
    /// The environment of lines that tell none: the source's, else the router's.
    pub env: Option<String>,
    /// The release of lines that tell none.
    pub version: Option<String>,
    /// Whether it is a reason to tell somebody when it cannot be read.
    pub is_required: bool,
    /// Bytes of a line that are kept.
    pub limit_bytes: usize,
}

/// Where lines come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceKind {
    /// Standard input, until its end.
    Stdin,
    /// Files.
    File {
        /// Paths as written, with wildcards; they start at the folder of `router.toml`.
        paths: Vec<PathBuf>,
        /// Whether the first reading begins at the end of what is there.
        is_from_end: bool,
        /// Whether to wait for more at the end of a file.
        is_followed: bool,
        /// How often files are looked at.
        poll_ms: u64,
    },
    /// What syslog senders send.
    Syslog {
        /// The address to listen on.
        listen: SocketAddr,
        /// How messages travel.
        transport: Transport,
    },
    /// The systemd journal.
    Journald {
        /// Units that are read; none is all.
        units: Vec<String>,
    },
    /// Lines that are posted.
    Http {
        /// The address to listen on.
        listen: SocketAddr,
        /// The environment variable with the token that senders show.
        token_env: Option<String>,
    },
}

/// How syslog messages travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A message a datagram.
    Udp,
    /// Connections.
    Tcp,
}

impl SourceSettings {
    /// What the router knows of it.
    pub(crate) fn known(&self) -> Source {
        Source { lateness_ms: self.lateness_ms, is_required: self.is_required }
    }
}

/// The sources of `router`; each checked for itself and against the others.
pub(crate) fn sources(desk: &mut Desk, router: &Table, given: &Given) -> Vec<SourceSettings> {
    let mut sources: Vec<SourceSettings> = Vec::new();
    crate::names::check_unique(desk, "source", "name", router.tables("source"));
    let mut listening: Vec<(SocketAddr, bool)> = Vec::new();
    for table in router.tables("source") {
        let format = table.owned("format").filter(|format| format != "auto");
        if let Some(format) = &format
            && !given.formats.is_empty()
            && !given.formats.contains(format)
        {
            let known = given.formats.iter().map(String::as_str);
            let hint = match dice_route::condition::nearest(format, known) {
                Some(name) => format!("did you mean \"{name}\"?"),
                None => format!("there are auto, {}", given.formats.join(", ")),
            };
            let complaint = Complaint::wanted("a header format", format!("\"{format}\"")).hint(hint);
            desk.complain(table.place_of("format"), &table.path_of("format"), complaint);
        }
        if !table.is_sound() {
            continue;
        }
        let Some(kind) = kind(desk, table) else { continue };
        let is_stdin = |source: &SourceSettings| source.kind == SourceKind::Stdin;
        if kind == SourceKind::Stdin && sources.iter().any(is_stdin) {
            let complaint =
                Complaint::new("standard input can be read once only").hint("remove one of the sources");
            desk.complain(table.place_of("kind"), &table.path_of("kind"), complaint);
        }
        if let Some(address) = address(&kind) {
            if listening.contains(&address) && address.0.port() != 0 {
                let complaint = Complaint::new(format!("another source listens on {}", address.0));
                desk.complain(
                    table.place_of("listen"),
                    &table.path_of("listen"),
                    complaint.hint("choose another port"),
                );
            }
            listening.push(address);
        }
        sources.push(SourceSettings {
            name: table.word("name").to_owned(),
            kind,
            format,
            zone: table.owned("zone").unwrap_or_else(|| router.word("zone").to_owned()),
            year: table.maybe_integer("year").and_then(|year| i16::try_from(year).ok()),
            lateness_ms: table
                .maybe_duration("lateness")
                .or_else(|| router.table("time").map(|time| time.duration("lateness")))
                .unwrap_or_default(),
            service: table.owned("service"),
            host: table.owned("host"),
            env: table.owned("env").or_else(|| router.owned("env")),
            version: table.owned("version"),
            is_required: table.flag("required"),
            limit_bytes: table.size("limit"),
        });
    }
    sources
}

fn kind(desk: &mut Desk, table: &Table) -> Option<SourceKind> {
    let listen = || table.text("listen").and_then(|address| address.parse::<SocketAddr>().ok());
    Some(match table.word("kind") {
        "stdin" => SourceKind::Stdin,
        "file" => {
            let paths: Vec<PathBuf> = table.texts("paths").into_iter().map(PathBuf::from).collect();
            if paths.is_empty() {
                let complaint = Complaint::wanted("at least one path", "none");
                desk.complain(table.place_of("paths"), &table.path_of("paths"), complaint);
            }
            SourceKind::File {
                paths,
                is_from_end: table.word("from") == "end",
                is_followed: table.flag("follow"),
                poll_ms: table.duration("poll").unsigned_abs(),
            }
        }
        "syslog" => SourceKind::Syslog {
            listen: listen()?,
            transport: if table.word("transport") == "tcp" { Transport::Tcp } else { Transport::Udp },
        },
        "journald" => SourceKind::Journald { units: table.texts("units") },
        "http" => SourceKind::Http { listen: listen()?, token_env: table.owned("token_env") },
        _ => return None,
    })
}

/// The address that is listened on, and whether with connections.
fn address(kind: &SourceKind) -> Option<(SocketAddr, bool)> {
    match kind {
        SourceKind::Syslog { listen, transport } => Some((*listen, *transport == Transport::Tcp)),
        SourceKind::Http { listen, .. } => Some((*listen, true)),
        _ => None,
    }
}
