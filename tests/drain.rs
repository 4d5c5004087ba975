//! A router that is asked to end, ends: whatever it waits for. What it had not done the next one does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use dice_route::book::Table;
use dice_store::Store;
use serde_json::Value;

use crate::program::command;
use crate::site::{Site, line};

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(10);

/// A service that takes what is posted and says nothing, until it may; what was posted, one after another.
fn silent() -> (u16, Arc<AtomicBool>, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answers = Arc::new(AtomicBool::new(false));
    let (posted_to, posted) = channel();
    let may = Arc::clone(&answers);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let (may, posted_to) = (Arc::clone(&may), posted_to.clone());
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut length = 0;
                for line in reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty())
                {
                    if let Some(value) = line.to_lowercase().strip_prefix("content-length: ") {
                        length = value.parse().unwrap();
                    }
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                posted_to.send(String::from_utf8(body).unwrap()).unwrap();
                if may.load(Ordering::Relaxed) {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                }
                // Until the other side has gone.
                let _ = reader.read_to_end(&mut Vec::new());
            });
        }
    });
    (port, answers, posted)
}

/// Waits until it is so.
#[track_caller]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let mut left = PATIENCE;
    while !is_so() {
        assert!(!left.is_zero(), "{what}");
        std::thread::sleep(LOOK);
        left = left.saturating_sub(LOOK);
    }
}

/// The states of notices for the webhook.
fn states(site: &Site) -> Vec<String> {
    let store = Store::open_to_read(&site.path().join("state.db")).unwrap();
    let mut states = Vec::new();
    let each = |row: dice_store::Entry| {
        let row: Value = serde_json::from_str(&row.body).unwrap();
        states.push(row["state"].as_str().unwrap().to_owned());
    };
    store.entries(Table::Outbox, each).unwrap();
    states
}

/// The lines that are counted.
pub(crate) fn lines(site: &Site) -> u64 {
    let Ok(store) = Store::open_to_read(&site.path().join("state.db")) else { return 0 };
    let mut lines = 0;
    let each = |row: dice_store::Entry| {
        let row: Value = serde_json::from_str(&row.body).unwrap();
        lines += row["lines"].as_u64().unwrap();
    };
    store.entries(Table::Counters, each).unwrap();
    lines
}

#[test]
fn nobody_who_does_not_answer_keeps_a_router_from_ending() {
    let (port, answers, posted) = silent();
    let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (syslog, api) = (free(), free());
    let site = Site::new(&format!(
        r##"
time = {{ lateness = "0s" }}
lanes = {{ alert = {{ group_wait = "0s" }} }}
dispatch = {{ webhook_deadline = "60s" }}
[server]
listen = "{api}"
[receivers.hook]
courier = "webhook"
url = "http://127.0.0.1:{port}/"
allow_private = true
[[source]]
name = "standard"
kind = "stdin"
[[source]]
name = "files"
kind = "file"
paths = ["*.log"]
[[source]]
name = "push"
kind = "http"
listen = "{api}"
[[source]]
name = "net"
kind = "syslog"
transport = "tcp"
listen = "{syslog}"
[[rule]]
id = "queues"
type = "match"
where = 'text =~ "^queue is long"'
severity = "low"
to = ["hook"]
"##
    ));
    assert!(Command::new("mkfifo").arg(site.path().join("pipe.log")).status().unwrap().success());
    site.write("mail.log", &line(0, "web-1", "queue is long"));
    let start = || {
        let mut command = command(site.path(), &["route", "--config", "router.toml"]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let mut child = start();
    assert!(posted.recv_timeout(PATIENCE).unwrap().contains("queues"), "the courier waits for an answer");
    // Everybody has begun to say something and does not end it.
    let mut input = child.stdin.take().unwrap();
    input.write_all((line(0, "web-2", "all is well") + "half a li").as_bytes()).unwrap();
    let mut sender = TcpStream::connect(syslog).unwrap();
    sender.write_all(b"<34>one\n<34>half a li").unwrap();
    let mut poster = TcpStream::connect(api).unwrap();
    let head = "POST /v1/lines?source=push HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf";
    poster.write_all(head.as_bytes()).unwrap();
    let mut operator = std::os::unix::net::UnixStream::connect(site.path().join("state.db.sock")).unwrap();
    operator.write_all(b"{\"half\":").unwrap();
    until("the whole lines are read", || lines(&site) == 3);
    let term = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(term.unwrap().success());
    until("it goes on", || child.try_wait().unwrap().is_some());
    assert!(child.wait().unwrap().success());
    drop((input, sender, poster, operator));
    // Nothing is lost: the notice is told by the next one, and no line is counted again.
    assert_eq!(states(&site), ["sending"]);
    let read = lines(&site);
    answers.store(true, Ordering::Relaxed);
    let mut child = start();
    until("it is told", || states(&site) == ["sent"]);
    assert!(posted.recv_timeout(PATIENCE).unwrap().contains("queues"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(lines(&site), read);
}
