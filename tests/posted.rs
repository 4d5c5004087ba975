//! Lines posted over HTTP to a router that is killed in between.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use dice_route::book::Table;
use dice_store::Store;
use serde_json::Value;

use crate::program::command;
use crate::site::{Site, line};

const CONFIG: &str = r##"
[[source]]
name = "push"
kind = "http"
listen = "127.0.0.1:0"
"##;

/// A router that takes lines.
struct Router {
    child: Child,
    address: String,
}

impl Router {
    fn start(site: &Site) -> Router {
        let arguments = ["route", "--config", "router.toml"];
        let mut child = command(site.path(), &arguments).stdout(Stdio::null()).spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = said.map(Result::unwrap).find_map(|line| {
            let (_, address) = line.split_once("listening on http://")?;
            Some(address.split_once(": lines of push at /v1/lines, no token")?.0.to_owned())
        });
        Router { child, address: address.expect("it says where it listens") }
    }

    /// Posts lines under a key; gives the status and the answer.
    fn post(&self, key: &str, lines: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = lines.len();
        let head = format!(
            "POST /v1/lines HTTP/1.1\r\nHost: dice\r\nConnection: close\r\nIdempotency-Key: {key}\r\n"
        );
        write!(stream, "{head}Content-Length: {length}\r\n\r\n{lines}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        format!("{} {}", &answer[9..12], body.trim_end())
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[track_caller]
fn check(site: &Site, lines: u64) {
    let store = Store::open_to_read(&site.path().join("state.db")).unwrap();
    let mut counted = 0;
    let count = |row: dice_store::Entry| {
        counted += serde_json::from_str::<Value>(&row.body).unwrap()["lines"].as_u64().unwrap();
    };
    store.entries(Table::Counters, count).unwrap();
    assert_eq!(counted, lines);
}

#[test]
fn a_request_that_is_sent_again_is_counted_once() {
    let site = Site::new(CONFIG);
    let lines = line(0, "web-1", "disk /srv/mail is 93% full") + &line(0, "web-1", "queue is long");
    let taken = r#"200 {"lines":2,"cut_bytes":0}"#;
    let router = Router::start(&site);
    assert_eq!([router.post("a", &lines), router.post("a", &lines)], [taken, taken]);
    router.kill();
    check(&site, 2);
    let router = Router::start(&site);
    assert_eq!([router.post("a", &lines), router.post("b", &lines)], [taken, taken]);
    assert!(router.post("a", "something else").starts_with("422 "));
    router.kill();
    check(&site, 4);
}
