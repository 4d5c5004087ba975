//! Stopping, whatever sources are busy with.

use std::io::Write;
use std::net::{TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::{TryRecvError, sync_channel};

use dice_source::{Arrival, Kind, Settings, Sources, Transport, start};

use crate::scene::now_ms;

/// A listener's own kind of input, of which arrivals are one.
struct Input(Arrival);

impl From<Arrival> for Input {
    fn from(arrival: Arrival) -> Input {
        Input(arrival)
    }
}

fn kinds(folder: &std::path::Path) -> Vec<Settings> {
    let listen = "127.0.0.1:0".parse().unwrap();
    let tcp = Transport::Tcp { connections: 4, idle_ms: 60_000 };
    let paths = vec![folder.join("*.log").to_str().unwrap().to_owned()];
    vec![
        Settings::new("files", Kind::Files { paths, follow: true }),
        Settings::new("udp", Kind::Syslog { listen, transport: Transport::Udp }),
        Settings::new("tcp", Kind::Syslog { listen, transport: tcp }),
        Settings::new("journal", Kind::Journald { program: "/bin/cat".into(), units: Vec::new() }),
    ]
}

/// Gives every source more than the channel holds.
fn fill(sources: &Sources, folder: &std::path::Path) -> TcpStream {
    for n in 0..20 {
        std::fs::write(folder.join(format!("{n}.log")), "line\n".repeat(1000)).unwrap();
    }
    let address = |name: &str| sources.listening().iter().find(|(known, _)| known == name).unwrap().1;
    UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"<34>one", address("udp")).unwrap();
    let mut stream = TcpStream::connect(address("tcp")).unwrap();
    stream.write_all(b"<34>one\n").unwrap();
    stream
}

#[test]
fn a_full_channel_does_not_keep_sources_from_stopping() {
    let folder = tempfile::tempdir().unwrap();
    let (sender, arrivals) = sync_channel::<Input>(1);
    let sources = start(kinds(folder.path()), Vec::new(), sender, Arc::new(now_ms)).unwrap();
    let _stream = fill(&sources, folder.path());
    sources.wake();
    assert!(arrivals.recv().is_ok());
    sources.stop();
    // One may have been told before; after it nobody is left who could tell.
    let rest: Vec<Arrival> = arrivals.try_iter().map(|Input(arrival)| arrival).collect();
    assert!(rest.len() <= 1, "{rest:?}");
    assert_eq!(arrivals.try_recv().err(), Some(TryRecvError::Disconnected));
}

#[test]
fn sources_end_when_nobody_listens() {
    let folder = tempfile::tempdir().unwrap();
    let (sender, arrivals) = sync_channel::<Input>(1);
    let sources = start(kinds(folder.path()), Vec::new(), sender, Arc::new(now_ms)).unwrap();
    let _stream = fill(&sources, folder.path());
    drop(arrivals);
    drop(sources);
}

#[test]
fn what_cannot_be_started_is_said() {
    let check = |settings: Vec<Settings>, expected: &str| {
        let (sender, _arrivals) = sync_channel::<Arrival>(1);
        let error = start(settings, Vec::new(), sender, Arc::new(now_ms)).err();
        let told = error.map(|error| {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            format!("{error}{}", cause.unwrap_or_default())
        });
        assert_eq!(told.as_deref(), Some(expected));
    };
    let files = |path: &str, follow| Kind::Files { paths: vec![path.to_owned()], follow };
    check(
        vec![Settings::new("app", Kind::Stdin), Settings::new("app", Kind::Stdin)],
        "wanted one source called app, found two",
    );
    check(
        vec![Settings::new("app", files("/not/[there", true))],
        "wanted a pattern of paths, found `/not/[there` with a [ that no ] ends",
    );
    check(
        vec![Settings::new("app", files("/not/there", false))],
        "wanted to read /not/there: entity not found",
    );
}
