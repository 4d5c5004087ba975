//! `dice serve`: the API of a router at work.

#[cfg(unix)]
mod reload;
mod session;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, UNIX_EPOCH};

use dice_deliver::email::unsubscribe_token;
use dice_route::book::Table;
use dice_route::outbox::{Draft, Outbox};
use dice_route::records::Records;
use dice_route::{Destination, Lane, Notice, NoticeKind};
use dice_store::{Batch, Store};
use dice_testkit::fakes::smtp::{Security, Smtp};
use serde_json::{Value, json};

use crate::program::command;
use crate::site::{Site, line, time};

const CONFIG: &str = r##"
time = { lateness = "0s" }
lanes = { alert = { group_wait = "0s" } }

[server]
listen = "127.0.0.1:0"
per_minute = 1000000
burst = 1000000

[[source]]
name = "push"
kind = "http"
listen = "127.0.0.1:0"

[[rule]]
id = "in-file"
type = "match"
where = 'text =~ "^queue is long"'
severity = "low"
to = ["#queues"]

[[rule]]
id = "relays"
type = "frequency"
where = 'text =~ "does not answer"'
count = 3
within = "1h"
to = ["#mail-ops"]
"##;

const SECRET: &str = "0123456789abcdef";
/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks whether it has ended.
const LOOK: Duration = Duration::from_millis(10);

/// A router with its API.
struct Dice {
    child: Child,
    address: String,
    notices: Receiver<Value>,
    /// What it says of its own work.
    said: Receiver<String>,
}

/// An answer: status, headers in lower case, body.
#[derive(Debug)]
struct Answered {
    status: u16,
    head: String,
    body: String,
}

impl Answered {
    #[track_caller]
    fn done(self) -> Value {
        assert!(matches!(self.status, 200 | 201), "{self:?}");
        if self.body.is_empty() { Value::Null } else { serde_json::from_str(&self.body).unwrap() }
    }

    fn etag(&self) -> String {
        let tag = self.head.lines().find_map(|line| line.strip_prefix("etag: "));
        tag.expect("there is a tag").to_owned()
    }
}

/// Sends a request.
fn send(address: &str, head: &str, headers: &str, body: &str) -> Answered {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let length = body.len();
    let rest =
        format!("Host: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}");
    // What is refused before it was read may end the connection roughly.
    let _ = write!(stream, "{head} HTTP/1.1\r\n{rest}");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{head}: {answer:?}"));
    Answered { status: head[9..12].parse().unwrap(), head: head.to_lowercase(), body: body.to_owned() }
}

impl Dice {
    fn start(site: &Site) -> Dice {
        let arguments = ["serve", "--config", "router.toml", "--format", "json"];
        let mut command = command(site.path(), &arguments);
        let secrets = [("UNSUBSCRIBE_SECRET", SECRET), ("EYES_TOKEN", "eyes-secret")];
        let mut child = command.envs(secrets).spawn().unwrap();
        let (said_to, said) = channel();
        let errors = BufReader::new(child.stderr.take().unwrap()).lines();
        std::thread::spawn(move || errors.map_while(Result::ok).all(|line| said_to.send(line).is_ok()));
        let (notices_to, notices) = channel();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            output
                .map_while(Result::ok)
                .all(|line| notices_to.send(serde_json::from_str(&line).unwrap()).is_ok())
        });
        let mut dice = Dice { child, address: String::new(), notices, said };
        dice.find();
        dice
    }

    /// Waits until it says where it listens.
    #[track_caller]
    fn find(&mut self) {
        let line = self.says("pages at /");
        let (_, address) = line.split_once("listening on http://").unwrap();
        address.split_once(": ").unwrap().0.clone_into(&mut self.address);
    }

    /// Waits until it says that of its own work.
    #[track_caller]
    fn says(&self, part: &str) -> String {
        let mut before = Vec::new();
        loop {
            match self.said.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(part) => return line,
                Ok(line) => before.push(line),
                Err(_) => panic!("wanted {part}, it said {before:#?}"),
            }
        }
    }

    fn get(&self, path: &str) -> Value {
        send(&self.address, &format!("GET {path}"), "", "").done()
    }

    fn json(&self, head: &str, headers: &str, body: &Value) -> Answered {
        let headers = format!("Content-Type: application/json\r\n{headers}");
        send(&self.address, head, &headers, &body.to_string())
    }

    /// Posts lines, which are committed then.
    #[track_caller]
    fn read(&self, lines: &str) {
        send(&self.address, "POST /v1/lines?source=push", "", lines).done();
    }

    /// The next notice for which that is true.
    #[track_caller]
    fn notice(&self, is_it: impl Fn(&Value) -> bool) -> Value {
        let mut before = Vec::new();
        loop {
            match self.notices.recv_timeout(PATIENCE) {
                Ok(notice) if is_it(&notice) => return notice,
                Ok(notice) => before.push(notice),
                Err(_) => panic!("it is not told; these are: {before:#?}"),
            }
        }
    }

    #[track_caller]
    fn notice_of(&self, rule: &str) -> Value {
        self.notice(|notice| notice.to_string().contains(&format!("{rule:?}")))
    }

    /// Asks again and again until it is so.
    #[track_caller]
    fn until(&self, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let mut found = Value::Null;
        for _ in 0..20_000 {
            found = self.get(path);
            if is_so(&found) {
                return found;
            }
        }
        panic!("{path} is {found:#}");
    }

    /// Sends it a signal.
    fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// Waits until it has ended by itself.
    #[track_caller]
    fn ends(&mut self) -> ExitStatus {
        let mut left = PATIENCE;
        loop {
            match self.child.try_wait().unwrap() {
                Some(status) => return status,
                None if left.is_zero() => {
                    panic!("it goes on; it said {:#?}", self.said.try_iter().collect::<Vec<_>>())
                }
                None => std::thread::sleep(LOOK),
            }
            left = left.saturating_sub(LOOK);
        }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Dice {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How many lines of the source were counted.
fn counted(site: &Site) -> u64 {
    let store = Store::open_to_read(&site.path().join("state.db")).unwrap();
    let mut counted = 0;
    let count = |row: dice_store::Entry| {
        if row.id == "push" {
            counted += serde_json::from_str::<Value>(&row.body).unwrap()["lines"].as_u64().unwrap();
        }
    };
    store.entries(Table::Counters, count).unwrap();
    counted
}

/// What the journal's lines of one sort say under a name.
fn journaled(site: &Site, what: &str, name: &str) -> Vec<String> {
    let store = Store::open_to_read(&site.path().join("state.db")).unwrap();
    let lines = store.journal(0).unwrap().into_iter().filter(|line| line.what == what);
    let bodies = lines.map(|line| serde_json::from_str::<Value>(&line.body).unwrap());
    bodies.filter_map(|body| Some(body[name].as_str()?.to_owned())).collect()
}

fn down(n: i64) -> String {
    line(n, "web-1", "relay mx2.petrel.example:2525 does not answer: Connection refused")
}

#[test]
fn a_rule_that_is_written_takes_effect_and_loses_nothing() {
    let site = Site::new(CONFIG);
    let dice = Dice::start(&site);
    dice.read(&(down(0) + &down(1)));
    // Lines go on coming while rules change.
    let (stop, stopped) = channel::<()>();
    let address = dice.address.clone();
    let posting = std::thread::spawn(move || {
        let mut n = 0;
        while stopped.try_recv().is_err() {
            let answered =
                send(&address, "POST /v1/lines?source=push", "", &line(0, "web-2", "delivered in 2.393 s"));
            assert_eq!(answered.status, 200, "{answered:?}");
            n += 1;
        }
        n
    });
    let base = send(&dice.address, "GET /api/v1/rules", "", "").etag();
    let rule = |count: u64, summary: &str| {
        json!({"body": {"type": "match", "where": "text =~ \"^disk\"", "summary": summary, "to": "#disks",
            "severity": "low", "max_open": format!("{count}h")}})
    };
    let first = dice.json("PUT /api/v1/rules/disks", &format!("If-Match: {base}\r\n"), &rule(1, "full"));
    assert_eq!(first.status, 201, "{first:?}");
    let tag = first.etag();
    dice.read(&line(0, "web-1", "disk /srv/mail is 93% full"));
    dice.notice_of("disks");
    // Another one for the same base is stale.
    let stale = dice.json("PUT /api/v1/rules/disks", &format!("If-Match: {base}\r\n"), &rule(1, "else"));
    assert_eq!(stale.status, 412, "{stale:?}");
    let file = dice.json("PUT /api/v1/rules/in-file", "If-Match: *\r\n", &rule(1, "x"));
    assert_eq!(file.status, 409, "{file:?}");
    let wrong = dice.json("PUT /api/v1/rules/new", "If-Match: *\r\n", &json!({"body": {"type": "matches"}}));
    assert_eq!(wrong.status, 422, "{wrong:?}");
    // The same meaning in other words: what was counted goes on.
    let tried = dice.json(
        "PUT /api/v1/rules/disks?dry_run=true",
        &format!("If-Match: {tag}\r\n"),
        &rule(1, "fuller"),
    );
    assert!(tried.body.contains("means the same"), "{tried:?}");
    let other = dice.json("PUT /api/v1/rules/disks", &format!("If-Match: {tag}\r\n"), &rule(1, "fuller"));
    assert_eq!(other.status, 200, "{other:?}");
    dice.read(&down(2));
    dice.notice_of("relays");
    stop.send(()).unwrap();
    let n = posting.join().unwrap();
    assert_eq!(counted(&site), n + 4);
    // Who changed what is written down.
    assert_eq!(journaled(&site, "configuration", "actor"), ["api:local"; 2]);
    // What holds is kept.
    dice.kill();
    let dice = Dice::start(&site);
    let rules = dice.get("/api/v1/rules");
    let names = |rules: &Value| -> Vec<String> {
        let each = rules["items"].as_array().unwrap().iter();
        each.map(|rule| format!("{} {}", rule["id"], rule["origin"])).collect()
    };
    assert_eq!(names(&rules), [r#""disks" "managed""#, r#""in-file" "file""#, r#""relays" "file""#]);
    let listed = site.objects(&["episodes"]);
    assert!(listed.iter().any(|episode| episode["rule"] == "relays"), "{listed:#?}");
    let back = dice.json("POST /api/v1/config/rollback", "If-Match: *\r\n", &json!({"to": 0}));
    assert_eq!(back.status, 200, "{back:?}");
    assert_eq!(names(&dice.get("/api/v1/rules")).len(), 2);
    assert_eq!(dice.get("/api/v1/config")["version"]["number"], 3);
}

#[test]
fn people_act_over_the_api() {
    let site = Site::new(CONFIG);
    let dice = Dice::start(&site);
    dice.read(&(down(0) + &down(1) + &down(2)));
    let found = dice.until("/api/v1/episodes", |found| found["items"][0]["rule"] == "relays");
    let id = found["items"][0]["id"].as_str().unwrap().to_owned();
    let acked = dice.json(&format!("POST /api/v1/episodes/{id}/ack"), "", &json!({}));
    assert!(matches!(acked.status, 200 | 409), "{acked:?}");
    let snooze = json!({"scope": "rule", "subject": "relays", "for": "#mail-ops", "until": "4h"});
    dice.json("POST /api/v1/snoozes", "", &snooze).done();
    assert_eq!(dice.get("/api/v1/snoozes")["items"][0]["by"], "api:local");
    let listed = site.objects(&["snooze", "--list"]);
    assert_eq!(listed[0]["subject"], "relays");
    let story = dice.get(&format!("/api/v1/episodes/{id}"));
    assert_eq!(story["episode"]["id"], id.as_str());
    assert!(story["timeline"].as_array().is_some_and(|moments| !moments.is_empty()), "{story:#}");
    let resolved = dice.json(&format!("POST /api/v1/episodes/{id}/resolve"), "", &json!({}));
    resolved.done();
    let who = dice.get("/api/v1/who?line=disk%20/srv/mail%20is%2093%25%20full");
    assert_eq!(who["items"][0]["owners"][0]["name"], "#disks");
    let why = dice.get("/api/v1/why?line=disk%20/srv/mail%20is%2093%25%20full");
    assert_eq!(why["items"][0]["what"], "message");
    let lines = down(0) + &down(1) + &down(2);
    let tried = json!({"lines": lines, "source": "push", "rules": {"new": {"type": "match", "to": "#new"}}});
    let tried = dice.json("POST /api/v1/backtest", "", &tried).done();
    assert_eq!((&tried["lines"], &tried["newly_told"]), (&json!(3), &json!(["#new"])), "{tried:#}");
    let noisy = dice.get("/api/v1/messages?hours=2");
    assert_eq!(noisy["items"][0]["count"], 3);
}

#[test]
fn how_often_a_message_came_is_known_after_a_restart() {
    let site = Site::new(CONFIG);
    let dice = Dice::start(&site);
    dice.read(&(down(-7_200_000) + &down(-7_200_001) + &down(0)));
    let noisy = |dice: &Dice| dice.get("/api/v1/messages?hours=4")["items"][0].clone();
    let before = noisy(&dice);
    assert_eq!(before["count"], 3, "{before}");
    // The last of another one is when it happened, not when it was read.
    dice.read(&line(-7_200_000, "web-1", "disk /srv/mail is 93% full"));
    let disk = dice.until("/api/v1/messages?hours=4", |found| found["items"][1].is_object());
    let last: jiff::Timestamp = disk["items"][1]["last"].as_str().unwrap().parse().unwrap();
    assert!(last < time(-7_000_000).parse().unwrap(), "{disk}");
    // Posting is answered after the commit: nothing else has to be waited for.
    dice.kill();
    let dice = Dice::start(&site);
    let after = noisy(&dice);
    let sum = |noisy: &Value| -> u64 {
        noisy["hours"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum()
    };
    assert_eq!((sum(&after), after["count"].as_u64()), (3, Some(3)), "{after}");
    dice.read(&down(0));
    assert_eq!(noisy(&dice)["count"], 4);
}

#[test]
fn what_is_malformed_changes_nothing() {
    let site = Site::new(CONFIG);
    let dice = Dice::start(&site);
    dice.read(&(down(0) + &down(1) + &down(2)));
    dice.until("/api/v1/episodes", |found| found["items"][0]["rule"] == "relays");
    let all = || {
        let paths = ["rules", "routes", "silences", "snoozes", "overrides", "config/versions", "digests"];
        let views = paths.map(|path| dice.get(&format!("/api/v1/{path}")));
        let store = Store::open_to_read(&site.path().join("state.db")).unwrap();
        let mut rows = Vec::new();
        for table in [Table::Notes, Table::Snoozes, Table::Silences, Table::Overrides, Table::Counters] {
            let mut keep = |row: dice_store::Entry| rows.push((row.id, row.body));
            store
                .entries(table, |row| {
                    if row.id != "clock" {
                        keep(row)
                    }
                })
                .unwrap();
        }
        let journal = store.journal(0).unwrap().len();
        (views, rows, journal)
    };
    let before = all();
    let bodies = [
        "",
        "{",
        "null",
        "[]",
        "{\"body\":1}",
        "{\"body\":{\"type\":\"nothing\"}}",
        "{\"matchers\":[],\"ends\":\"never\"}",
        "\u{0}\u{1b}[2J",
        "{\"scope\":\"rule\"}",
        "{\"to\":99}",
        "{\"body\":{\"type\":\"match\",\"where\":\"text =~ (\"}}",
    ];
    let heads = [
        "PUT /api/v1/rules/x",
        "PUT /api/v1/routes/x",
        "DELETE /api/v1/rules/x",
        "POST /api/v1/config/rollback",
        "POST /api/v1/silences",
        "POST /api/v1/snoozes",
        "POST /api/v1/overrides",
        "POST /api/v2/alerts",
        "POST /slack/actions",
        "POST /pagerduty/webhook",
        "POST /unsubscribe/x",
        "POST /v1/lines?source=none",
        "PATCH /api/v1/rules/x",
        "GET /api/v1/rules/%00%ff",
        "DELETE /api/v1/snoozes",
        "POST /api/v1/backtest",
        "POST /nowhere",
        "TRACE /api/v1/rules",
        "POST /api/v1/config/rollback?dry_run=perhaps",
        "PUT /api/v1/rules/%20",
    ];
    let mut n = 0;
    for kind in
        ["application/json", "text/plain", "a/b\r\nIf-Match: *", "application/json\r\nIf-Match: \"x\"", "x"]
    {
        for head in heads {
            for body in bodies {
                // A list of no alerts is one, and any text is lines.
                let is_fine = head.contains("alerts") && body == "[]";
                if is_fine || (head.contains("backtest") && kind.starts_with("text/plain")) {
                    continue;
                }
                let answered = send(&dice.address, head, &format!("Content-Type: {kind}\r\n"), body);
                assert!((400..500).contains(&answered.status), "{head} {kind} {body:?}: {answered:?}");
                n += 1;
            }
        }
    }
    assert!(n >= 1_000);
    assert_eq!(all(), before);
}

#[test]
fn it_says_how_it_does() {
    let site = Site::new(CONFIG);
    let dice = Dice::start(&site);
    assert!(send(&dice.address, "GET /healthz", "", "").body.contains("alive"));
    dice.until("/readyz", |found| found["ready"] == true);
    dice.read(&(down(0) + &line(0, "web-1", "nobody here printed this")));
    let metrics = send(&dice.address, "GET /metrics", "", "").body;
    for part in [
        "dice_lines_total{source=\"push\",kind=\"matched\"} 1\n",
        "dice_lines_total{source=\"push\",kind=\"unknown\"} 1\n",
        "dice_source_readable{source=\"push\"} 1\n",
        "dice_rule_degraded{rule=\"relays\"} 0\n",
        "dice_commit_age_seconds ",
        "# EOF\n",
    ] {
        assert!(metrics.contains(part), "wanted {part} in {metrics}");
    }
}

#[test]
fn alerts_of_prometheus_reach_their_owner() {
    let site = Site::new(CONFIG);
    let dice = Dice::start(&site);
    let alerts = json!([
        {"labels": {"alertname": "DiskFull", "owner": "#disk-team", "severity": "critical", "instance": "web-9"},
         "annotations": {"summary": "sda is full"}, "startsAt": "2026-11-20T10:00:00Z"},
        {"labels": {}},
    ]);
    let answered = dice.json("POST /api/v2/alerts", "", &alerts);
    assert_eq!(answered.status, 400, "{answered:?}");
    assert!(answered.body.contains("alert 2: "), "{answered:?}");
    let notice = dice.notice(|notice| notice.to_string().contains("DiskFull"));
    assert!(notice.to_string().contains("#disk-team"), "{notice:#}");
    assert_eq!(journaled(&site, "alerts", "actor"), ["api:local"]);
    // Told again, as is done each minute, it is the same; also after a restart.
    let again = json!([alerts[0].clone()]);
    dice.json("POST /api/v2/alerts", "", &again).done();
    dice.kill();
    let dice = Dice::start(&site);
    dice.json("POST /api/v2/alerts", "", &again).done();
    let found = dice.get("/api/v1/episodes");
    assert_eq!(found["items"][0]["count"], 1, "{found:#}");
    // Its end is told where it was told itself.
    let mut over = again;
    over[0]["endsAt"] = "2026-11-20T10:30:00Z".into();
    dice.json("POST /api/v2/alerts", "", &over).done();
    let is_end = |notice: &Value| notice["kind"] == "resolved" && notice.to_string().contains("DiskFull");
    let notice = dice.notice(is_end);
    assert!(notice.to_string().contains("#disk-team"), "{notice:#}");
}

/// A notice for a person that waits to be told.
fn waiting(outbox: &mut Outbox, person: &str, lane: Lane, title: &str, at_ms: i64) {
    let draft = Draft {
        destination: Destination::Person(person.to_owned()),
        lane,
        kind: if lane == Lane::Digest { NoticeKind::Digest } else { NoticeKind::Open },
        subject: title.to_owned(),
        revision: 0,
        follows: None,
        due_ms: at_ms,
        held: None,
        notice: Notice { title: title.to_owned(), ..Notice::default() },
    };
    outbox.post(draft, at_ms, &mut Records::default());
}

#[test]
fn a_reader_unsubscribes_with_one_click() {
    let smtp = Smtp::start(Security::Open, None);
    let mail = format!(
        "[email]\nfrom = \"dice@petrel.example\"\nsmtp = \"127.0.0.1:{}\"\ntls = \"none\"\n\
         unsubscribe = \"https://dice.petrel.example/unsubscribe\"\n\
         unsubscribe_secret_env = \"UNSUBSCRIBE_SECRET\"\n",
        smtp.port()
    );
    let site = Site::new(&format!("{CONFIG}\n{mail}"));
    let dice = Dice::start(&site);
    let post = |token: &str| send(&dice.address, &format!("POST /unsubscribe/{token}"), "", "");
    let token = unsubscribe_token(SECRET, "ann@petrel.example");
    assert_eq!(post(&unsubscribe_token("another secret, as long", "ann@petrel.example")).status, 401);
    assert_eq!(post(&token).status, 200);
    dice.kill();
    // What still leaves is what is no digest, and the digests of others.
    let now_ms = i64::try_from(UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    let mut outbox = Outbox::default();
    waiting(&mut outbox, "ann@petrel.example", Lane::Digest, "her day", now_ms);
    waiting(&mut outbox, "ann@petrel.example", Lane::Page, "relays are down", now_ms);
    waiting(&mut outbox, "bob@petrel.example", Lane::Digest, "his day", now_ms);
    let mut batch = Batch::default();
    outbox.deltas(&mut batch.deltas);
    Store::open(&site.path().join("state.db"), now_ms).unwrap().commit(&batch).unwrap();
    let dice = Dice::start(&site);
    let ends = |found: &Value| found["items"].as_array().is_some_and(|rows| rows.iter().all(is_over));
    let found = dice.until("/api/v1/outbox", ends);
    let mut subjects: Vec<String> = smtp.mails().iter().filter_map(|mail| mail.header("Subject")).collect();
    subjects.sort();
    assert_eq!(subjects.len(), 2, "{subjects:?}, {found:#}");
    assert!(subjects.iter().all(|subject| !subject.contains("her day")), "{subjects:?}");
    let row = found["items"].as_array().unwrap().iter().find(|row| row.to_string().contains("her day"));
    let row = row.unwrap().to_string();
    assert!(row.contains("suppressed") && row.contains("unsubscribed"), "{row}");
    assert_eq!(found["items"].as_array().unwrap().len(), 3, "nobody is told of it: {found:#}");
    let metrics = send(&dice.address, "GET /metrics", "", "").body;
    assert!(metrics.contains("dice_outbox{lane=\"digest\",state=\"suppressed\"} 1\n"), "{metrics}");
}

fn is_over(row: &Value) -> bool {
    matches!(row["state"].as_str(), Some("sent" | "suppressed" | "dead"))
}

#[test]
fn a_source_that_cannot_be_opened_changes_nothing() {
    let site = Site::new(CONFIG);
    let mut dice = Dice::start(&site);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let file = site.path().join("router.toml");
    let before = std::fs::read_to_string(&file).unwrap();
    let more = format!(
        "{before}\n[[source]]\nname = 'more'\nkind = 'http'\nlisten = '{}'\n",
        taken.local_addr().unwrap()
    );
    site.write("router.toml", &more);
    dice.says("what was in force stays");
    dice.read(&line(0, "web-1", "queue is long"));
    dice.notice_of("in-file");
    // When the address is free, the next change is taken.
    drop(taken);
    site.write("router.toml", &format!("{more}# again\n"));
    dice.find();
    dice.until("/api/v1/config", |found| found["effective"]["source"][1]["name"] == "more");
    dice.read(&line(0, "web-2", "queue is long"));
}
