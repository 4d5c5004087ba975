//! Requests over loopback, as any program sends them.

#![expect(clippy::unwrap_used, reason = "all of this is test, also what is not marked as one")]

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use dice_serve::{Request, Server, Settings, Token, serve};

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

fn settings() -> Settings {
    Settings { body_limit_bytes: 100, line_limit_bytes: 16, ..Settings::new(0, vec!["app".to_owned()]) }
}

/// A server whose requests nobody takes.
fn idle(settings: Settings) -> (Server, Receiver<Request>) {
    let (sender, requests) = sync_channel(1);
    (serve(settings, sender).unwrap(), requests)
}

/// A server whose requests are committed at once; gives their sources and lines when it is stopped.
fn committing(settings: Settings) -> (Server, JoinHandle<Vec<String>>) {
    let (server, requests) = idle(settings);
    let commits = thread::spawn(move || {
        let mut taken = Vec::new();
        for Request { source, lines, key, done } in requests {
            if key.as_deref() == Some("taken") {
                done.key_is_taken();
                continue;
            }
            let source = key.map_or_else(|| source.clone(), |key| format!("{source} {key}"));
            let lines = lines.iter().map(|line| format!("{source}: {}", line.escape_ascii()));
            taken.extend(lines);
            assert!(done.is_wanted());
            done.committed();
        }
        taken
    });
    (server, commits)
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends `text` and gives all that comes back.
fn exchange(server: &Server, text: &str) -> String {
    let mut stream = connect(server);
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = Vec::new();
    // What was not read of a request that was refused may end the connection roughly.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

/// A request that ends the connection.
fn request(head: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{head} HTTP/1.1\r\nHost: dice\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )
}

/// Status, the headers worth a look, and the body.
fn shown(answer: &str) -> String {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    let (status, headers) = head.split_once("\r\n").unwrap_or((head, ""));
    // What to do next is for people; that it is said is all that counts.
    let body = match body.split_once(r#","next":""#) {
        Some((wrong, next)) => format!("{wrong}{}", next.trim_end().trim_start_matches(|it| it != '"')),
        None => body.to_owned(),
    };
    let worth = ["allow", "retry-after", "www-authenticate"];
    let headers =
        headers.lines().filter(|line| worth.iter().any(|name| line.starts_with(&format!("{name}:"))));
    let headers: Vec<_> = headers.collect();
    format!(
        "{} {}{}",
        &status[9..12],
        headers.iter().map(|it| format!("[{it}] ")).collect::<String>(),
        body.trim_end()
    )
}

/// An answer as [`shown`] shows it that says what was wrong: in the one shape of all answers, the API's as well.
fn error(head: &str, what: &str, wanted: &str, found: &str) -> String {
    format!(r#"{head}{{"error":{{"what":"{what}","wanted":"{wanted}","found":"{found}""}}}}"#)
}

/// The answer to whoever may send the same lines again.
fn late(wanted: &str, found: &str) -> String {
    error("503 [retry-after: 1] ", "the lines were not committed", wanted, found)
}

#[track_caller]
fn check(settings: Settings, request: &str, expected: &str) {
    let (server, commits) = committing(settings);
    assert_eq!(shown(&exchange(&server, request)), expected);
    server.stop();
    commits.join().unwrap();
}

#[test]
fn lines_are_handed_in_and_answered_when_committed() {
    let (server, commits) = committing(settings());
    let answer = exchange(
        &server,
        &request("POST /v1/lines?source=app", "", "one\r\n\n\u{0}two\x20and more than fits\nthree"),
    );
    assert_eq!(shown(&answer), r#"200 {"lines":4,"cut_bytes":6}"#);
    let ndjson = "Content-Type: application/x-ndjson; charset=utf-8\r\n";
    let answer = exchange(&server, &request("POST /v1/lines", ndjson, "{\"a\":1}\n\n{\"b\":2}\n"));
    assert_eq!(shown(&answer), r#"200 {"lines":2,"cut_bytes":0}"#);
    let answer = exchange(&server, &request("POST /v1/lines", "", ""));
    assert_eq!(shown(&answer), r#"200 {"lines":0,"cut_bytes":0}"#);
    server.stop();
    assert_eq!(
        commits.join().unwrap(),
        [
            "app: one",
            "app: ",
            r"app: \x00two and more tha",
            "app: three",
            r#"app: {\"a\":1}"#,
            r#"app: {\"b\":2}"#,
        ]
    );
}

#[test]
fn a_request_may_have_a_key() {
    let (server, commits) = committing(settings());
    let post = |headers: &str| shown(&exchange(&server, &request("POST /v1/lines", headers, "one")));
    assert_eq!(post("Idempotency-Key: \"8e03-97\"\r\n"), r#"200 {"lines":1,"cut_bytes":0}"#);
    assert!(post("idempotency-key: taken\r\n").starts_with("422 "));
    for bad in [&*format!("k: {}", "x".repeat(256)), "k: two words", "k:", "k: a\r\nk: b"] {
        let headers = format!("{}\r\n", bad.replace("k:", "Idempotency-Key:"));
        assert!(post(&headers).starts_with("400 "), "{bad}");
    }
    server.stop();
    assert_eq!(commits.join().unwrap(), [r#"app "8e03-97": one"#]);
}

#[test]
fn a_connection_takes_several_requests_and_bodies_in_pieces() {
    let (server, commits) = committing(settings());
    let mut stream = connect(&server);
    for text in ["3\r\none\r\n4\r\n\ntwo\r\n0\r\n\r\n", "4\r\nmore\r\n0\r\n\r\n"] {
        let head = "POST /v1/lines HTTP/1.1\r\nHost: dice\r\nTransfer-Encoding: chunked\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(answer, *b"HTTP/1.1 200");
        // The rest of the answer ends with the only brace that closes.
        while answer[0] != b'}' {
            stream.read_exact(&mut answer[..1]).unwrap();
        }
        stream.read_exact(&mut answer[..1]).unwrap();
    }
    server.stop();
    assert_eq!(commits.join().unwrap(), ["app: one", "app: two", "app: more"]);
}

#[test]
fn what_is_asked_wrongly_is_said() {
    let sources = "?source=NAME of a source that takes lines here: app, web";
    let several = || Settings { sources: vec!["app".to_owned(), "web".to_owned()], ..settings() };
    check(
        settings(),
        &request("POST /v2/lines", "", "one"),
        &error("404 ", "there is nothing here", "the path /v1/lines", "another one"),
    );
    check(
        settings(),
        &request("GET /v1/lines", "", ""),
        &error("405 [allow: POST] ", "lines can be sent, nothing else", "POST", "another method"),
    );
    check(
        several(),
        &request("POST /v1/lines", "", "one"),
        &error("400 ", "whose lines are these?", sources, "none"),
    );
    check(
        several(),
        &request("POST /v1/lines?source=a&source=b", "", "one"),
        &error("400 ", "cannot read the parameters", "?source=NAME, once", "something else"),
    );
    check(
        several(),
        &request("POST /v1/lines?source=db", "", "one"),
        &error("404 ", "there is no source of that name", sources, "another name"),
    );
    check(
        settings(),
        &request("POST /v1/lines", "Content-Type: application/json\r\n", "[]"),
        &error("415 ", "cannot read a body of that kind", "lines, not packed", "application/json"),
    );
    check(
        settings(),
        &request("POST /v1/lines", "Content-Encoding: gzip\r\n", "x"),
        &error("415 ", "cannot read a body of that kind", "lines, not packed", "gzip"),
    );
}

#[test]
fn a_body_is_bounded_whether_it_says_its_size_or_not() {
    let too_large = error("413 ", "the body is too large", "100 bytes at most", "more");
    let head = "POST /v1/lines HTTP/1.1\r\nHost: dice\r\nConnection: close\r\n";
    check(settings(), &format!("{head}Content-Length: 101\r\n\r\n"), &too_large);
    let body = format!("65\r\n{}\r\n", "x".repeat(101));
    check(settings(), &format!("{head}Transfer-Encoding: chunked\r\n\r\n{body}"), &too_large);
}

#[test]
fn who_may_not_send_is_turned_away() {
    let secret = || Settings { token: Some(Token::new("secret")), ..settings() };
    let wrong = |found: &str| {
        error("401 [www-authenticate: Bearer] ", "wanted to know who asks", "a token of this router", found)
    };
    check(secret(), &request("POST /v1/lines", "", "one"), &wrong("none"));
    check(secret(), &request("POST /v1/lines", "Authorization: Basic secret\r\n", "one"), &wrong("none"));
    check(
        secret(),
        &request("POST /v1/lines", "Authorization: Bearer secre\r\n", "one"),
        &wrong("another one"),
    );
    let committed = r#"200 {"lines":1,"cut_bytes":0}"#;
    check(secret(), &request("POST /v1/lines", "Authorization: bearer secret\r\n", "one"), committed);
    check(
        settings(),
        &request("POST /v1/lines", "Origin: http://evil.example\r\n", "one"),
        &error(
            "403 ",
            "a web page may not do that",
            "a request of a program on this machine",
            "one that a web page made a browser send",
        ),
    );
    assert_eq!(format!("{:?}", Token::new("secret")), "Token(…)");
    let (sender, _requests) = sync_channel::<Request>(1);
    let open = Settings { listen: "0.0.0.0:0".parse().unwrap(), ..settings() };
    assert_eq!(
        serve(open, sender).unwrap_err().to_string(),
        "wanted a token, because other machines can reach 0.0.0.0:0, found none"
    );
}

#[test]
fn who_finds_no_room_is_told_to_come_back() {
    let (server, requests) = idle(Settings { requests: 1, ..settings() });
    let one = request("POST /v1/lines", "", "one");
    let mut first = connect(&server);
    first.write_all(one.as_bytes()).unwrap();
    let handed_in = requests.recv_timeout(PATIENCE).unwrap();
    assert_eq!(
        shown(&exchange(&server, &one)),
        late("room for one more request", "1 that wait for their commit")
    );
    handed_in.done.refused("the disk is full");
    let mut answer = String::new();
    first.read_to_string(&mut answer).unwrap();
    assert_eq!(shown(&answer), late("a commit", "the disk is full"));
    drop(requests);
    assert_eq!(shown(&exchange(&server, &one)), late("a router that runs", "one that stops"));
}

/// A listener's own kind of input, of which requests are one.
struct Input(Option<Request>);

impl From<Request> for Input {
    fn from(request: Request) -> Input {
        Input(Some(request))
    }
}

#[test]
fn a_request_waits_for_room_among_other_inputs() {
    let (sender, inputs) = sync_channel(1);
    sender.send(Input(None)).unwrap();
    let server = serve(Settings { queue_ms: 0, ..settings() }, sender).unwrap();
    let one = request("POST /v1/lines", "", "one");
    assert_eq!(shown(&exchange(&server, &one)), late("room in the queue", "a router that is behind"));
    assert!(inputs.recv().unwrap().0.is_none());
    let mut stream = connect(&server);
    stream.write_all(one.as_bytes()).unwrap();
    let Request { done, .. } = inputs.recv_timeout(PATIENCE).unwrap().0.unwrap();
    drop(done);
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(shown(&answer), late("a router that runs", "one that stops"));
}

#[test]
fn a_request_that_is_not_committed_in_time_is_not_wanted_any_more() {
    let (server, requests) = idle(Settings { commit_ms: 1, ..settings() });
    let answer = shown(&exchange(&server, &request("POST /v1/lines", "", "one")));
    assert_eq!(answer, late("a commit within 1 ms", "none; it may come just now"));
    assert!(!requests.recv_timeout(PATIENCE).unwrap().done.is_wanted());
}

#[test]
fn a_sender_that_went_away_is_not_waited_for() {
    let (server, requests) = idle(settings());
    let mut stream = connect(&server);
    stream.write_all(request("POST /v1/lines", "", "one").as_bytes()).unwrap();
    let handed_in = requests.recv_timeout(PATIENCE).unwrap();
    drop(stream);
    while handed_in.done.is_wanted() {
        thread::yield_now();
    }
}

#[test]
fn stopping_answers_who_waits() {
    let (server, requests) = idle(settings());
    let mut waiting = connect(&server);
    waiting.write_all(request("POST /v1/lines", "", "one").as_bytes()).unwrap();
    let handed_in = requests.recv_timeout(PATIENCE).unwrap();
    server.refuse();
    let stops = late("a router that runs", "one that stops");
    assert_eq!(shown(&exchange(&server, &request("POST /v1/lines", "", "two"))), stops);
    // A connection on which nothing was asked does not hold it up.
    let _silent = connect(&server);
    server.stop();
    let mut answer = String::new();
    waiting.read_to_string(&mut answer).unwrap();
    assert_eq!(shown(&answer), stops);
    assert!(!handed_in.done.is_wanted());
    assert!(requests.recv().is_err(), "nobody is left who could hand anything in");
}

#[test]
fn the_silent_and_the_slow_are_cut_off() {
    let quick = Settings { idle_ms: 1, queue_ms: 0, commit_ms: 1, look_ms: 1, ..settings() };
    let (server, _commits) = committing(quick);
    assert_eq!(exchange(&server, ""), "");
    let slow = "POST /v1/lines HTTP/1.1\r\nHost: dice\r\nContent-Length: 9\r\n\r\none";
    let answer = exchange(&server, slow);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    assert!(exchange(&server, "\u{1}\u{2}\r\n\r\n").starts_with("HTTP/1.1 400"));
}

#[test]
fn who_never_comes_to_the_end_of_a_request_is_cut_off() {
    let quick = Settings { idle_ms: 500, queue_ms: 0, commit_ms: 1, look_ms: 1, ..settings() };
    let (server, _commits) = committing(quick);
    let mut stream = connect(&server);
    stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    stream.write_all(b"POST /v1/lines HTTP/1.1\r\nX: ").unwrap();
    // A letter now and then is not silence.
    let mut letters = 0;
    while letters < 3_000 && stream.write_all(b"x").is_ok() {
        match stream.read(&mut [0; 1]) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => letters += 1,
            _ => break,
        }
    }
    assert!(letters < 3_000, "it is still listened to");
}
