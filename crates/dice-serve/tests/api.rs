//! The API over loopback, in front of a loop that is none.

#![expect(clippy::unwrap_used, reason = "all of this is test, also what is not marked as one")]

#[path = "api/fake.rs"]
mod fake;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use dice_serve::{Allowance, Key, Request, Scope, Server, Settings, Token, openapi_text, serve_api};
use fake::{Fake, NOW_MS};
use serde_json::{Value, json};

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server before a fake loop. Lines are handed in and never answered.
struct Dice {
    server: Server,
    fake: Arc<Fake>,
    lines: Receiver<Request>,
}

/// An answer: status, headers in lower case, body.
struct Answered {
    status: u16,
    head: String,
    body: String,
}

fn settings() -> Settings {
    let allowance = Allowance { burst: 1_000_000, per_minute: 1 };
    Settings { form_limit_bytes: 1_000, allowance, ..Settings::new(0, vec!["app".to_owned()]) }
}

fn start(settings: Settings) -> Dice {
    let fake = Arc::new(Fake::default());
    let (out, lines) = sync_channel(1);
    Dice { server: serve_api(settings, out, fake.clone()).unwrap(), fake, lines }
}

impl Dice {
    fn send(&self, head: &str, headers: &[&str], body: &[u8]) -> Answered {
        let mut stream = TcpStream::connect(self.server.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut text = format!("{head} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        if !headers.iter().any(|header| header.starts_with("Host:")) {
            text.push_str("Host: localhost\r\n");
        }
        headers.iter().for_each(|header| text.push_str(&format!("{header}\r\n")));
        text.push_str("\r\n");
        stream.write_all(text.as_bytes()).unwrap();
        // What was refused before it was read may end the connection roughly.
        let _ = stream.write_all(body);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{head}: {answer:?}"));
        let status = head[9..12].parse().unwrap();
        Answered { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    fn get(&self, path: &str) -> Answered {
        self.send(&format!("GET {path}"), &[], b"")
    }

    fn json(&self, head: &str, body: &Value) -> Answered {
        self.send(head, &["Content-Type: application/json", "If-Match: *"], body.to_string().as_bytes())
    }

    /// Checks status, a part of the body, and what the loop was asked.
    #[track_caller]
    fn check(&self, answered: Answered, status: u16, part: &str, taken: &[&str]) {
        assert_eq!(answered.status, status, "{}", answered.body);
        assert!(answered.body.contains(part), "wanted {part}, found {}", answered.body);
        assert_eq!(self.fake.taken(), taken);
    }
}

impl Answered {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    fn value(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[test]
fn looks_are_answered() {
    let dice = start(settings());
    for (path, part) in [
        ("/api/v1/rules", r#""id":"in-file","origin":"file","file":"rules/a.toml","line":12"#),
        ("/api/v1/rules/in-file", r#""body":{"type":"any"}"#),
        ("/api/v1/routes?limit=1", r#""items":[{"id":"in-file""#),
        ("/api/v1/routes/in-file", r#""id":"in-file""#),
        ("/api/v1/config", r#""version":{"number":0,"#),
        ("/api/v1/config", r#""files":["router.toml"]"#),
        ("/api/v1/config/versions", r#"{"items":[]}"#),
        ("/api/v1/config/versions/0", r#""text":"""#),
        ("/api/v1/silences", r#"{"items":[{"id":"s1","#),
        ("/api/v1/silences?all=true", r#""id":"s2""#),
        ("/api/v1/silences/s2", r#""id":"s2""#),
        ("/api/v1/snoozes", r#""id":"z1""#),
        ("/api/v1/overrides", r#""message":"m1""#),
        ("/api/v1/episodes", r#""title":"<script>alert(1)</script>""#),
        ("/api/v1/episodes?all=true&limit=1", r#""id":"e1""#),
        ("/api/v1/episodes/e1", r#""timeline":[]"#),
        ("/api/v1/outbox?state=dead", r#"{"items":[]}"#),
        ("/api/v1/outbox", r#""id":"d1""#),
        ("/api/v1/outbox/d1", r#""id":"d1""#),
        ("/api/v1/records", "2026-11-19T15:53:20Z"),
        ("/api/v1/records?since=2026-11-20T00:00:00Z", "2026-11-20T00:00:00Z"),
        ("/api/v1/why?line=disk%20full%0A", r#"{"items":[{"line":"disk full\n"}]}"#),
        ("/api/v1/why?id=e1", r#"{"items":[{"id":"e1"}]}"#),
        ("/api/v1/who?line=x", r##""owner":"#ops""##),
        ("/api/v1/digests", r##""reader":"#ops""##),
        ("/api/v1/digests/%40org%2Fteam", r#"{"reader":"@org/team","#),
        ("/api/v1/messages?owner=%23ops&hours=2", r##""title":"#ops in 2""##),
        ("/api/v1/openapi.json", r#""openapi":"3.1.0""#),
        ("/healthz", "alive"),
        ("/readyz", r#"{"ready":true,"sources":true,"store":true,"commits":true,"commit_age_ms":7}"#),
        ("/metrics", "dice_lines_total{source=\"a\\\"b\"} 3\n"),
    ] {
        let answered = dice.get(path);
        assert_eq!(answered.header("cache-control"), Some("no-store"), "{path}");
        dice.check(answered, 200, part, &[]);
    }
    assert_eq!(dice.fake.refusals(), []);
    let metrics = dice.get("/metrics").body;
    let counted = r#"dice_http_requests_total{method="GET",route="/api/v1/why",status="200"} 2"#;
    assert!(metrics.contains(counted) && metrics.ends_with("# EOF\n"), "{metrics}");
    dice.fake.is_well.store(false, Ordering::Relaxed);
    dice.check(dice.get("/readyz"), 503, r#""ready":false,"sources":true,"store":false"#, &[]);
}

#[test]
fn a_list_goes_on_where_it_stopped() {
    let dice = start(settings());
    let first = dice.get("/api/v1/episodes?all=true&limit=1").value();
    assert_eq!(first["items"][0]["id"], "e1");
    let second = dice.get(&format!("/api/v1/episodes?all=true&cursor={}", first["next"].as_str().unwrap()));
    let second = second.value();
    assert_eq!((&second["items"][0]["id"], second.get("next")), (&json!("e0"), None));
}

#[test]
fn commands_are_answered_after_the_commit() {
    let dice = start(settings());
    let done = r#"{"text":"done","result":{"id":"x1"}}"#;
    let silence = json!({
        "matchers": [{"label": "env", "value": "prod"}, {"label": "service", "op": "=~", "value": "api.*"}],
        "ends": "2026-11-21T00:00:00Z", "comment": "migration"
    });
    let silenced = |preview| {
        format!(
            r#"api:local {{"act":"silence","id":null,"matchers":[{{"label":"env","op":"=","value":"prod"}},{{"label":"service","op":"=~","value":"api.*"}}],"starts_ms":{NOW_MS},"ends_ms":1795219200000,"comment":"migration","receiver":null,"notify_on_expiry":false,"preview":{preview}}}"#
        )
    };
    dice.check(dice.json("POST /api/v1/silences", &silence), 201, done, &[&silenced(false)]);
    dice.check(dice.json("POST /api/v1/silences?dry_run=true", &silence), 200, done, &[&silenced(true)]);
    let snooze = json!({"scope": "message", "subject": "m1", "for": "#ops", "until": "4h"});
    dice.check(
        dice.json("POST /api/v1/snoozes", &snooze),
        201,
        done,
        &[r##"api:local {"act":"snooze","scope":{"message":"m1"},"audience":{"channel":"#ops"},"until":"4h","reason":null}"##],
    );
    let not_me = json!({"say": "not-me", "message": "m1", "person": "@ann"});
    dice.check(
        dice.json("POST /api/v1/overrides", &not_me),
        201,
        done,
        &[r#"api:local {"act":"not-me","message":"m1","person":"@ann","proposed":null,"reason":null}"#],
    );
    let assign = |owner| json!({"say": "assign", "message": "m1", "owner": owner});
    let assigned = r#"api:local {"act":"assign","message":"m1","owner":"","reason":null}"#;
    dice.check(dice.json("POST /api/v1/overrides", &assign("")), 422, "it has ended", &[assigned]);
    for (head, taken) in [
        ("DELETE /api/v1/silences/s1", r#"api:local {"act":"unsilence","id":"s1"}"#),
        ("DELETE /api/v1/snoozes/z1", r#"api:local {"act":"unsnooze","id":"z1"}"#),
        ("DELETE /api/v1/overrides/m1", r#"api:local {"act":"unassign","message":"m1"}"#),
        ("POST /api/v1/episodes/e1/ack", r#"api:local {"act":"ack","episode":"e1"}"#),
        ("POST /api/v1/episodes/e1/unack", r#"api:local {"act":"unack","episode":"e1"}"#),
        ("POST /api/v1/episodes/e1/resolve", r#"api:local {"act":"resolve","episode":"e1"}"#),
    ] {
        dice.check(dice.send(head, &[], b""), 200, done, &[taken]);
    }
    let acked = |id| format!(r#"api:local {{"act":"ack","episode":"{id}"}}"#);
    dice.check(dice.send("POST /api/v1/episodes/e0/ack", &[], b""), 409, "it has ended", &[&acked("e0")]);
    dice.check(dice.send("POST /api/v1/episodes/e9/ack", &[], b""), 404, "no such thing", &[&acked("e9")]);
}

#[test]
fn what_is_not_committed_is_said() {
    let ack = "POST /api/v1/episodes/e1/ack";
    let dice = start(Settings { commit_ms: 1, queue_ms: 0, ..settings() });
    dice.fake.is_slow.store(true, Ordering::Relaxed);
    let late = dice.send(ack, &[], b"");
    assert_eq!(late.header("retry-after"), Some("1"));
    dice.check(late, 503, "not committed in time", &[]);
    assert!(!dice.fake.is_anybody_waiting());
    let dice = start(Settings { queue_ms: 0, ..settings() });
    dice.fake.is_full.store(true, Ordering::Relaxed);
    dice.check(dice.send(ack, &[], b""), 503, "a router that is behind", &[]);
    dice.server.refuse();
    dice.check(dice.send(ack, &[], b""), 503, "the router stops", &[]);
    dice.check(dice.get("/api/v1/episodes"), 200, "e1", &[]);
}

#[test]
fn a_look_that_takes_too_long_is_not_waited_for() {
    let dice = start(Settings { look_ms: 1, looks: 1, ..settings() });
    let held = dice.fake.hold.lock().unwrap();
    // The second finds no place, because the first still looks.
    for _ in 0..2 {
        dice.check(dice.get("/api/v1/snoozes"), 503, "not answered in time", &[]);
    }
    dice.server.stop();
    drop(held);
}

#[test]
fn the_managed_configuration_has_versions() {
    let dice = start(settings());
    let tag = dice.get("/api/v1/config").header("etag").unwrap().to_owned();
    let burst = json!({"body": {"type": "frequency", "count": 20}, "comment": "too many"}).to_string();
    let put = |id: &str, if_match: &str, query: &str, body: &str| {
        let headers = ["Content-Type: application/json", if_match, "X-None: 1"];
        dice.send(&format!("PUT /api/v1/rules/{id}{query}"), &headers, body.as_bytes())
    };
    let matching = |tag: &str| format!("If-Match: {tag}");
    dice.check(put("burst", "X-No: 1", "", &burst), 428, "If-Match", &[]);
    dice.check(put("burst", "If-Match: burst", "", &burst), 400, "If-Match", &[]);
    let tried = put("burst", &matching(&tag), "?dry_run=true", &burst);
    dice.check(tried, 200, r#""dry_run":true,"version":{"number":1,"#, &[]);
    let in_file = put("in-file", &matching(&tag), "", &burst);
    dice.check(
        in_file,
        409,
        r#"in rules/a.toml, line 12","next":"change it there, or take another id","at":"rules/a.toml:12""#,
        &[],
    );
    let took = r#"api:local changes Some("too many")"#;
    let created = put("burst", &matching(&tag), "", &burst);
    let new_tag = created.header("etag").unwrap().to_owned();
    dice.check(created, 201, r#""did":"rule burst was written"},"differences":["1 rules"]"#, &[took]);
    let stale = put("burst", &matching(&tag), "", &burst);
    assert_eq!(stale.header("etag"), Some(new_tag.as_str()));
    dice.check(stale, 412, "version 1 holds", &[took]);
    dice.check(put("burst", &matching(&format!("W/{new_tag}")), "", &burst), 412, "version 1", &[took]);
    let both = matching(&format!("{tag}, {new_tag}"));
    dice.check(put("burst", &both, "", &burst), 200, r#""number":2"#, &[took]);
    let wrong = put("odd", "If-Match: *", "", r#"{"body": {"count": 1}}"#);
    let told = r#""found":"wanted a type, found none","next":"say type","at":"managed:3:1","problems":["#;
    dice.check(wrong, 422, told, &["api:local changes None"]);
    for body in [r#"{"body": {"id": "other"}}"#, r#"{"body": {"a": null}}"#, r#"{"body": 1}"#, r#"{"x": 1}"#]
    {
        dice.check(put("odd", "If-Match: *", "", body), 422, "error", &[]);
    }
    dice.check(dice.get("/api/v1/rules/burst"), 200, r#""origin":"managed""#, &[]);
    dice.check(dice.get("/api/v1/config"), 200, r#""managed":"[[rule]]\n"#, &[]);
    let deleted = dice.send("DELETE /api/v1/rules/burst?comment=quiet", &["If-Match: *"], b"");
    dice.check(deleted, 200, r#""number":3"#, &[r#"api:local changes Some("quiet")"#]);
    let gone = dice.send("DELETE /api/v1/rules/burst", &["If-Match: *"], b"");
    dice.check(gone, 404, "no such thing", &["api:local changes None"]);
    let route = dice.json("PUT /api/v1/routes/pay", &json!({"body": {"receivers": ["#pay"]}}));
    dice.check(route, 201, "route pay was written", &["api:local changes None"]);
    let removed = dice.send("DELETE /api/v1/routes/pay", &["If-Match: *"], b"");
    dice.check(removed, 200, "route pay was removed", &["api:local changes None"]);
    let back = dice.json("POST /api/v1/config/rollback", &json!({"to": 1}));
    dice.check(back, 200, "version 1 was brought back", &["api:local changes None"]);
    assert_eq!(dice.get("/api/v1/rules/burst").header("etag"), Some(new_tag.as_str()));
    dice.check(dice.get("/api/v1/config/versions/6"), 200, r#""text":"[[rule]]\n"#, &[]);
    dice.check(dice.get("/api/v1/config/versions?limit=1"), 200, r#"{"items":[{"number":6,"#, &[]);
    let lines = dice.send("POST /api/v1/backtest", &["Content-Type: text/plain"], b"one\ntwo\n");
    dice.check(lines, 200, r#"{"lines":2,"matched":0,"sent_before":0,"sent":0"#, &[]);
    let trial = json!({"lines": "one", "rules": {"burst": null, "new": {"type": "any"}}});
    dice.check(
        dice.json("POST /api/v1/backtest", &trial),
        200,
        r#""lines":1,"matched":0,"sent_before":0,"sent":2"#,
        &[],
    );
}

#[test]
fn a_repetition_with_its_key_has_the_name_of_the_first() {
    let dice = start(settings());
    let headers = ["Content-Type: application/json", "If-Match: *", "Idempotency-Key: k1"];
    let put = |headers: &[&str], body: &str| dice.send("PUT /api/v1/rules/a", headers, body.as_bytes());
    let body = r#"{"body": {"type": "any"}}"#;
    let changes = "api:local changes None";
    dice.check(put(&headers, body), 201, r#""number":1"#, &[changes]);
    dice.check(put(&headers, body), 200, r#""number":1"#, &[changes]);
    dice.check(put(&headers, r#"{"body": {"type": "all"}}"#), 422, "sent with another request", &[]);
    dice.check(put(&headers[..2], body), 200, r#""number":2"#, &[changes]);
    dice.check(put(&["Idempotency-Key: \u{fc}", headers[0]], body), 400, "Idempotency-Key", &[]);
}

#[test]
fn letters_are_opened_and_answered_after_the_commit() {
    let dice = start(settings());
    let form = "Content-Type: application/x-www-form-urlencoded";
    let acked = |who| format!(r#"{who} {{"act":"ack","episode":"e1"}}"#);
    let slack = |signature, body: &str| dice.send("POST /slack/actions", &[form, signature], body.as_bytes());
    dice.check(slack("X-Signature: good1", "payload=x"), 200, "", &[&acked("slack")]);
    assert_eq!(dice.fake.told(), "done");
    dice.check(slack("X-Signature: good1", "payload=x"), 409, "sent before", &[]);
    dice.check(slack("X-Signature: bad", "payload=x"), 401, "another signature", &[]);
    dice.check(slack("X-None: 1", "payload=x"), 401, "another signature", &[]);
    dice.check(slack("X-Signature: good2", ""), 400, "not understood", &[]);
    dice.check(slack("X-Signature: good6", "late"), 503, "nobody knows yet", &[]);
    dice.check(slack("X-Signature: good3", "challenge"), 200, r#"{"challenge":1}"#, &[]);
    dice.check(slack("X-Signature: good4", &"x".repeat(1_001)), 413, "1000 bytes at most", &[]);
    let webhook = dice.send("POST /pagerduty/webhook", &["X-Signature: good5"], b"{}");
    dice.check(webhook, 200, "", &[&acked("pagerduty")]);
    let page = dice.get("/unsubscribe/good");
    assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    dice.check(page, 200, "<form method=\"post\">", &[]);
    let click =
        |token| dice.send(&format!("POST /unsubscribe/{token}"), &[form], b"List-Unsubscribe=One-Click");
    dice.check(click("good"), 200, "no more of these mails", &[&acked("unsubscribe")]);
    dice.check(click("bad"), 401, "another token", &[]);
    dice.check(click("%3Cscript%3E"), 400, "never made here", &[]);
    dice.check(dice.get("/unsubscribe/%3Cscript%3E"), 404, "no such link", &[]);
    let alerts = |body| dice.json("POST /api/v2/alerts", &body);
    dice.check(alerts(json!([{"labels": {"alertname": "x"}}])), 200, "", &["api:local alerts 1"]);
    dice.check(alerts(json!([{"labels": {}}, {}])), 400, "the others were taken", &["api:local alerts 2"]);
    dice.check(alerts(json!({})), 422, "error", &[]);
    dice.check(alerts(json!([])), 200, "", &[]);
    let slow = start(Settings { letter_ms: 1, ..settings() });
    slow.fake.is_slow.store(true, Ordering::Relaxed);
    slow.check(slow.send("POST /slack/actions", &["X-Signature: good"], b"x"), 503, "not committed", &[]);
}

#[test]
fn a_token_may_do_what_its_scopes_say() {
    let key = |name: &str, scope| Key {
        name: name.to_owned(),
        token: Token::new(format!("{name}-secret")),
        scopes: vec![scope],
    };
    let keys = vec![key("app", Scope::Lines), key("eyes", Scope::Read), key("hands", Scope::Act)];
    let dice = start(Settings { keys, ..settings() });
    let with = |head, token: &str| dice.send(head, &[&format!("Authorization: Bearer {token}")], b"");
    let no_token = dice.get("/api/v1/rules");
    assert_eq!(no_token.header("www-authenticate"), Some("bearer"));
    dice.check(no_token, 401, "a token of this router", &[]);
    dice.check(with("GET /api/v1/rules", "eyes-secre"), 401, "another one", &[]);
    dice.check(with("GET /api/v1/rules", "app-secret"), 403, "the scope read", &[]);
    dice.check(with("GET /api/v1/rules", "eyes-secret"), 200, "in-file", &[]);
    dice.check(with("GET /metrics", "hands-secret"), 200, "dice_lines", &[]);
    dice.check(with("POST /api/v1/episodes/e1/ack", "eyes-secret"), 403, "the scope act", &[]);
    let acked = r#"api:hands {"act":"ack","episode":"e1"}"#;
    dice.check(with("POST /api/v1/episodes/e1/ack", "hands-secret"), 200, "done", &[acked]);
    dice.check(with("DELETE /api/v1/rules/a", "hands-secret"), 403, "the scope configure", &[]);
    dice.check(with("POST /v1/lines", "eyes-secret"), 403, "the scope lines:write", &[]);
    dice.check(with("POST /v1/lines", "app-secret"), 200, r#"{"lines":0"#, &[]);
    for open in ["/healthz", "/readyz"] {
        dice.check(dice.get(open), 200, "", &[]);
    }
    let refused = dice.fake.refusals();
    let tokens: Vec<_> = refused.iter().map(|refused| (refused.status, refused.token.as_deref())).collect();
    let expected = [
        (401, None),
        (401, None),
        (403, Some("app")),
        (403, Some("eyes")),
        (403, Some("hands")),
        (403, Some("eyes")),
    ];
    assert_eq!(tokens, expected);
    assert_eq!(refused[0].route, "/api/v1/rules");
    assert!(refused[0].peer.is_loopback());
}

#[test]
fn pages_may_not_ask_where_there_is_no_token() {
    let dice = start(settings());
    let rebound = dice.send("GET /api/v1/rules", &["Host: evil.example"], b"");
    dice.check(rebound, 403, "one to evil.example", &[]);
    let page = dice.send("POST /api/v1/episodes/e1/ack", &["Origin: http://localhost:1"], b"");
    dice.check(page, 403, "a web page may not", &[]);
    let cross = dice.send("GET /metrics", &["Sec-Fetch-Site: cross-site"], b"");
    dice.check(cross, 403, "a web page may not", &[]);
    let lines = dice.send("POST /v1/lines", &["Origin: http://evil.example"], b"one");
    dice.check(lines, 403, "a web page may not do that", &[]);
    assert_eq!(dice.fake.refusals().len(), 4);
    dice.server.stop();
    assert!(dice.lines.recv().is_err());
}

#[test]
fn who_asks_too_often_is_told_when_to_come_back() {
    let dice = start(Settings { allowance: Allowance { burst: 2, per_minute: 6 }, ..settings() });
    for _ in 0..2 {
        dice.check(dice.get("/api/v1/rules"), 200, "", &[]);
    }
    let refused = dice.get("/api/v1/rules");
    assert_eq!(refused.header("retry-after"), Some("10"));
    dice.check(refused, 429, "come back in 10 s", &[]);
    dice.fake.now_ms.fetch_add(10_000, Ordering::Relaxed);
    dice.check(dice.get("/healthz"), 200, "", &[]);
    dice.check(dice.get("/healthz"), 429, "too many", &[]);
}

#[test]
fn what_is_asked_wrongly_is_said() {
    let dice = start(settings());
    for (head, status, part) in [
        ("GET /api", 404, "there is nothing here"),
        ("GET /api/v1/", 404, "there is nothing here"),
        ("GET /api/v1/rules?x=1", 400, "x"),
        ("GET /api/v1/rules?limit=0", 400, "limit"),
        ("GET /api/v1/rules?limit=x", 400, "parameters"),
        ("GET /api/v1/rules?cursor=x", 400, "next"),
        ("GET /api/v1/rules/none", 404, "no such thing"),
        ("GET /api/v1/rules/%ff", 400, "UTF-8"),
        ("GET /api/v1/rules/%00", 400, "control"),
        ("GET /api/v1/config/versions/-1", 404, "no such thing"),
        ("GET /api/v1/episodes/e", 400, "e0, e1"),
        ("GET /api/v1/episodes/e9", 404, "no such thing"),
        ("GET /api/v1/outbox?state=lost", 400, "pending, held"),
        ("GET /api/v1/records?since=yesterday", 400, "2026-11-20T15:12:05Z"),
        ("GET /api/v1/why", 400, "neither"),
        ("GET /api/v1/why?id=a&line=b", 400, "both"),
        ("GET /api/v1/why?id=defect", 500, "a defect"),
        ("GET /api/v1/who", 400, "line"),
        ("GET /api/v1/digests/nobody", 404, "no such thing"),
        ("GET /api/v1/messages?hours=169", 400, "hours"),
        ("PATCH /api/v1/rules/a", 405, "Allow"),
        ("POST /api/v1/rules", 405, "Allow"),
        ("DELETE /api/v1/episodes/e1", 405, "Allow"),
        ("GET /v1/lines", 405, "lines can be sent"),
    ] {
        let answered = dice.send(head, &[], b"");
        assert_eq!(status == 405, answered.header("allow").is_some(), "{head}");
        dice.check(answered, status, part, &[]);
    }
    let large = "x".repeat(1_001);
    for (body, kind, status, part) in [
        (large.as_str(), "application/json", 413, "1000 bytes at most"),
        ("{", "application/json", 400, "\"at\":\"line 1 column 1\""),
        ("{}", "text/plain", 415, "application/json"),
        ("{}", "application/json\r\nContent-Encoding: gzip", 415, "packed as gzip"),
        (r#"{"scope":"all"}"#, "application/json", 422, "unknown variant"),
        (r#"{"scope":"rule","subject":"a","until":"4h","x":1}"#, "application/json", 422, "unknown field"),
        (r#"{"scope":"rule","subject":"a","until":"4h","for":"me"}"#, "application/json", 422, "for whom"),
    ] {
        let kind = format!("Content-Type: {kind}");
        let answered = dice.send("POST /api/v1/snoozes", &[&kind], body.as_bytes());
        dice.check(answered, status, part, &[]);
    }
    let silence = |matchers: Value, ends: &str, comment: &str| {
        let body = json!({"matchers": matchers, "ends": ends, "comment": comment});
        dice.json("POST /api/v1/silences", &body)
    };
    let (one, end) = (json!([{"label": "a", "value": "b"}]), "2026-12-01T00:00:00Z");
    dice.check(silence(json!([]), end, "why"), 422, "one matcher", &[]);
    dice.check(silence(one.clone(), end, " "), 422, "a comment", &[]);
    dice.check(silence(one, "2026-11-01T00:00:00Z", "why"), 422, "an end after", &[]);
}

#[test]
fn the_document_tells_of_every_route_and_of_no_other() {
    let dice = start(settings());
    let document: Value = serde_json::from_str(&openapi_text()).unwrap();
    assert_eq!(dice.get("/api/v1/openapi.json").value(), document);
    let mut described = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let real = path.replace("{number}", "0").replace("{token}", "bad");
        let real = real.replace("{id}", "x").replace("{message}", "x").replace("{owner}", "x");
        for method in ["get", "put", "post", "delete", "patch"] {
            let answered = dice.send(&format!("{} {real}", method.to_uppercase()), &[], b"");
            if item.get(method).is_some() {
                described.push(format!("{method} {path}"));
                assert_ne!(answered.status, 405, "{method} {path}");
                assert!(!answered.body.contains("there is nothing here"), "{method} {path}");
                let errors = &item[method]["responses"]["default"]["content"]["application/json"]["schema"];
                assert!(item[method]["summary"].is_string(), "{method} {path}");
                for (status, response) in item[method]["responses"].as_object().unwrap() {
                    assert!(response["description"].is_string(), "{method} {path} {status}");
                }
                assert_eq!(errors["$ref"], "#/components/schemas/ErrorBody", "{method} {path}");
            } else if (method, path.as_str()) != ("get", "/unsubscribe/{token}") {
                // A page is for people and not in the document.
                assert_eq!(answered.status, 405, "{method} {path}");
            }
        }
    }
    for name in references(&document) {
        assert!(document.pointer(&name).is_some(), "{name} is nowhere");
    }
    assert_eq!(described, ROUTES);
}

/// All that the API can do.
const ROUTES: [&str; 45] = [
    "post /api/v1/backtest",
    "get /api/v1/config",
    "post /api/v1/config/rollback",
    "get /api/v1/config/versions",
    "get /api/v1/config/versions/{number}",
    "get /api/v1/digests",
    "get /api/v1/digests/{owner}",
    "get /api/v1/episodes",
    "get /api/v1/episodes/{id}",
    "post /api/v1/episodes/{id}/ack",
    "post /api/v1/episodes/{id}/resolve",
    "post /api/v1/episodes/{id}/unack",
    "get /api/v1/messages",
    "get /api/v1/openapi.json",
    "get /api/v1/outbox",
    "get /api/v1/outbox/{id}",
    "get /api/v1/overrides",
    "post /api/v1/overrides",
    "delete /api/v1/overrides/{message}",
    "get /api/v1/records",
    "get /api/v1/routes",
    "get /api/v1/routes/{id}",
    "put /api/v1/routes/{id}",
    "delete /api/v1/routes/{id}",
    "get /api/v1/rules",
    "get /api/v1/rules/{id}",
    "put /api/v1/rules/{id}",
    "delete /api/v1/rules/{id}",
    "get /api/v1/silences",
    "post /api/v1/silences",
    "get /api/v1/silences/{id}",
    "delete /api/v1/silences/{id}",
    "get /api/v1/snoozes",
    "post /api/v1/snoozes",
    "delete /api/v1/snoozes/{id}",
    "get /api/v1/who",
    "get /api/v1/why",
    "post /api/v2/alerts",
    "get /healthz",
    "get /metrics",
    "post /pagerduty/webhook",
    "get /readyz",
    "post /slack/actions",
    "post /unsubscribe/{token}",
    "post /v1/lines",
];

/// Where the document points to within itself.
fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            let own = fields.get("$ref").and_then(Value::as_str).map(|name| name[1..].to_owned());
            own.into_iter().chain(fields.values().flat_map(references)).collect()
        }
        Value::Array(each) => each.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

/// Numbers that are the same in every run.
struct Dealer(u64);

impl Dealer {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }

    fn bytes(&mut self) -> Vec<u8> {
        let length = 1 + self.below(40);
        (0..length).map(|_| u8::try_from(self.below(256)).unwrap()).collect()
    }

    fn of<T: Copy>(&mut self, each: &[T]) -> T {
        each[self.below(each.len())]
    }
}

#[test]
fn a_thousand_wrong_requests_reach_nobody() {
    let dice = start(settings());
    let seen = dice.send("POST /slack/actions", &["X-Signature: good"], b"x");
    dice.check(seen, 200, "", &[r#"slack {"act":"ack","episode":"e1"}"#]);
    let mut dealer = Dealer(0x2545_f491_4f6c_dd1d);
    let writes = [
        "PUT /api/v1/rules/a",
        "PUT /api/v1/routes/a",
        "POST /api/v1/silences",
        "POST /api/v1/snoozes",
        "POST /api/v1/overrides",
        "POST /api/v1/config/rollback",
        "POST /api/v2/alerts",
    ];
    let letters = ["POST /slack/actions", "POST /pagerduty/webhook"];
    let kind = "Content-Type: application/json";
    let whole = br#"{"body":{"type":"any"},"scope":"rule","subject":"a","until":"4h","to":0,"say":"assign"}"#;
    for n in 0..1_000 {
        let (head, headers, body): (&str, Vec<&str>, Vec<u8>) = match dealer.below(9) {
            0 => (dealer.of(&letters), vec!["X-Signature: forged"], dealer.bytes()),
            1 => (dealer.of(&letters), vec![], dealer.bytes()),
            2 => (dealer.of(&letters), vec!["X-Signature: good"], dealer.bytes()),
            3 => (dealer.of(&letters), vec!["X-Signature: good-and-long"], vec![b'x'; 1_001]),
            // Broken off, with a byte that is wrong, or with fields of another request.
            4 => (dealer.of(&writes), vec![kind, "If-Match: *"], whole[..dealer.below(whole.len())].to_vec()),
            5 => {
                let mut body = whole.to_vec();
                let at = dealer.below(body.len());
                body[at] = dealer.of(b"\0\xff\x1f");
                (dealer.of(&writes), vec![kind, "If-Match: *"], body)
            }
            6 => (dealer.of(&writes), vec![kind, "If-Match: *"], whole.to_vec()),
            7 => (dealer.of(&writes), vec![], dealer.bytes()),
            _ => {
                let path = dealer.of(&[
                    "POST /api/v1/nowhere",
                    "POST /v2/lines",
                    "PUT /api/v1/silences",
                    "DELETE /api/v1/rules/in-file",
                    "POST /v1/lines?source=none",
                    "POST /unsubscribe/forged",
                    "POST /api/v1/episodes/%00/ack",
                    "GET /api/v1/why?x=%ff",
                ]);
                (path, vec![], dealer.bytes())
            }
        };
        let answered = dice.send(head, &headers, &body);
        assert!((400..500).contains(&answered.status), "{n}: {head} {:?}: {}", body, answered.body);
        assert!(answered.value().get("error").is_some());
    }
    assert_eq!(dice.fake.taken(), Vec::<String>::new());
    let refusals = dice.fake.refusals();
    assert_eq!(refusals.len(), 1_000);
    assert!(refusals.iter().all(|refused| !refused.why.is_empty()));
    dice.server.stop();
    assert!(dice.lines.recv().is_err());
}

#[test]
fn two_backtests_go_on_at_a_time() {
    let dice = start(Settings { look_ms: 50, ..settings() });
    let test =
        |lines: &str| dice.send("POST /api/v1/backtest", &["Content-Type: text/plain"], lines.as_bytes());
    let held = dice.fake.hold.lock().unwrap();
    // Nobody waits for them any more, and they go on.
    for _ in 0..2 {
        let answered = test("wait");
        assert!(
            answered.status == 503 && answered.body.contains("not answered in time"),
            "{}",
            answered.body
        );
        while dice.fake.taken().is_empty() {
            std::thread::yield_now();
        }
    }
    for lines in ["wait", "one"] {
        dice.check(test(lines), 503, "other lines are tried just now", &[]);
    }
    drop(held);
    let mut answered = test("one");
    for _ in 0..10_000 {
        if answered.status == 200 {
            break;
        }
        answered = test("one");
    }
    dice.check(answered, 200, r#""lines":1"#, &[]);
}
