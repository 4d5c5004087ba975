//! What is posted, and what comes of it.

use std::collections::HashSet;
use std::sync::Arc;

use dice_config::{Given, Texts};
use dice_match::{Limits, Matcher};
use dice_route::book::Delta;
use dice_route::{Config, Input, Intent, Outcome, Receipt, Router};
use dice_serve::Alerts;
use dice_store::{Batch, Store};
use serde_json::json;

use super::{AlertBook, Taken};
use crate::router::disk::Stamp;
use crate::router::hold::Hold;
use crate::router::operator::restore;
use crate::router::plan::Known;

fn known() -> Known {
    Known {
        matcher: Matcher::new(Vec::new(), &Limits::default()).unwrap(),
        repos: Vec::new(),
        outdated: HashSet::new(),
        messages: Arc::default(),
        stamp: Stamp::of(&[]),
    }
}

/// Posts at that second; the events with their owners and places, and what is wrong.
#[track_caller]
fn check(book: &mut AlertBook, second: i64, body: &str, expected: &[&str]) {
    let (at_ms, body) = (second * 1_000, body.as_bytes().to_vec());
    let alerts = Alerts { id: String::new(), actor: String::new(), at_ms, body };
    let taken = book.take(&alerts, &known(), at_ms);
    let mut said = Vec::new();
    for input in &taken.inputs {
        let Input::Event(event) = input else { continue };
        let owners: Vec<&str> = event.message.owners.iter().map(|owner| &*owner.name).collect();
        let host = event.host.as_deref().unwrap_or("-");
        said.push(format!("{} | {} | {} | {host}", event.message.template, event.text, owners.join(" ")));
    }
    said.extend(taken.faults);
    assert_eq!(said, expected);
}

#[test]
fn an_alert_is_told_each_time_it_begins() {
    let mut book = AlertBook::default();
    let full = r##"[{"labels":{"alertname":"DiskFull","owner":"#ops","disk":"sda","instance":"web-1"},
        "annotations":{"summary":"sda is full"},"startsAt":"1970-01-01T00:00:05Z"}]"##;
    let told = "DiskFull disk=sda | DiskFull: sda is full | #ops | web-1";
    check(&mut book, 10, full, &[told]);
    check(&mut book, 70, full, &[]);
    let other = full.replace("web-1", "web-2");
    check(&mut book, 71, &other, &[&told.replace("web-1", "web-2")]);
    let over = full.replace("05Z\"", "05Z\",\"endsAt\":\"1970-01-01T00:01:40Z\"");
    check(&mut book, 100, &over, &[]);
    check(&mut book, 101, &full.replace("00:00:05", "00:01:41"), &[told]);
    check(
        &mut book,
        102,
        r#"[{"labels":{}},{"labels":{"job":"pay"}}]"#,
        &["an alert job=pay | an alert job=pay |  | -", "alert 1: an alert has at least one label"],
    );
}

/// A router with its book of alerts, in virtual time.
struct World {
    file: tempfile::TempDir,
    key: &'static str,
    store: Store,
    router: Router,
    book: AlertBook,
    hold: Hold,
    /// Written at the end.
    deltas: Vec<Delta>,
}

const RULE: &str = r##"
time = { lateness = "2s" }
lanes = { alert = { group_wait = "0s", group_interval = "1s" } }
[[rule]]
id = "disks"
type = "match"
where = 'source == "alerts"'
key = ["KEY"]
quiet = "12h"
severity = "low"
[[route]]
id = "all"
to = ["#all"]
group_by = ["host"]
"##;

/// Episodes are by this field.
fn config(key: &str) -> Arc<Config> {
    let text = RULE.replace("KEY", key);
    let loaded = dice_config::load("router.toml", &text, &Texts::default(), &Given::default());
    Arc::new(loaded.unwrap().router)
}

impl World {
    fn start(file: tempfile::TempDir, key: &'static str, at_ms: i64) -> World {
        let store = Store::open(&file.path().join("state.db"), at_ms).unwrap();
        let router = restore(&store, config(key), at_ms).unwrap();
        let (book, hold) = (AlertBook::of(&store).unwrap(), Hold::default());
        let mut world = World { file, key, store, router, book, hold, deltas: Vec::new() };
        for input in world.hold.start(&world.router, at_ms, |_| false) {
            world.router.step(input);
        }
        world
    }

    fn take(&mut self, taken: Taken, at_ms: i64) {
        for input in taken.inputs.into_iter().chain(self.book.checked(at_ms)) {
            for input in self.hold.around(input, &self.router).into_iter().flatten() {
                self.router.step(input);
            }
        }
        self.deltas.extend(taken.notes);
    }

    /// What is told in this second.
    fn pass(&mut self, at_ms: i64) -> Vec<String> {
        let words = self.book.words(&self.router, at_ms);
        self.take(words, at_ms);
        self.router.step(Input::Tick(at_ms));
        let due: Vec<Intent> = self.router.outbox().due(at_ms).into_iter().cloned().collect();
        for row in &due {
            for outcome in [Outcome::Sending, Outcome::Delivered(String::new())] {
                self.router.step(Input::Receipt(Receipt { intent: row.id.clone(), at_ms, outcome }));
            }
        }
        let words = |row: &Intent| format!("{:?} {} {}", row.kind, row.destination.name(), row.notice.title);
        due.iter().map(words).collect()
    }
}

/// Lines of a story: `SECOND fires HOST [until SECOND]`, `SECOND ends HOST`, `SECOND down for SECONDS`, with
/// what is told up to then behind `->`, one after another.
#[track_caller]
fn story(lines: &str) {
    story_by("host", lines);
}

/// The same where the rule's episodes are by another field.
#[track_caller]
fn story_by(key: &'static str, lines: &str) {
    const START_MS: i64 = 1_800_000_000_000;
    let mut world = World::start(tempfile::tempdir().unwrap(), key, START_MS);
    let (mut second, mut told) = (0, Vec::new());
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (line, expected) = line.split_once(" ->").unwrap_or((line, ""));
        let words: Vec<&str> = line.split_whitespace().collect();
        let until: i64 = words[0].parse().unwrap();
        while second < until {
            told.extend(world.pass(START_MS + second * 1_000));
            second += 1;
        }
        told.sort();
        assert_eq!(told.join(", "), expected.trim(), "{line}");
        told.clear();
        let at_ms = START_MS + second * 1_000;
        let moment = |word: &str| {
            let at_ms = START_MS + word.parse::<i64>().unwrap() * 1_000;
            jiff::Timestamp::from_millisecond(at_ms).unwrap().to_string()
        };
        let (host, ends_at) = match words[1..] {
            ["fires", host] => (host, None),
            ["fires", host, "until", until] => (host, Some(moment(until))),
            ["ends", host] => (host, Some(moment(words[0]))),
            ["down", "for", seconds] => {
                second += seconds.parse::<i64>().unwrap();
                let World { file, key, mut store, mut router, mut deltas, .. } = world;
                deltas.append(&mut router.deltas());
                store.commit(&Batch { deltas, ..Batch::default() }).unwrap();
                drop(store);
                world = World::start(file, key, START_MS + second * 1_000);
                continue;
            }
            ["rest"] => continue,
            _ => panic!("{line}"),
        };
        let labels = json!({ "alertname": "Full", "owner": "#ops", "severity": "critical", "host": host });
        let body = json!([{ "labels": labels, "startsAt": moment("0"), "endsAt": ends_at }]).to_string();
        let alerts = Alerts { id: String::new(), actor: String::new(), at_ms, body: body.into_bytes() };
        let taken = world.book.take(&alerts, &known(), at_ms);
        assert!(taken.faults.is_empty(), "{:?}", taken.faults);
        world.take(taken, at_ms);
    }
}

/// What is told of the disks of this host, by the rule and to the owner.
#[test]
fn the_end_of_an_alert_closes_what_it_opened() {
    let open = "Open #all disks (a): it was printed, Open #ops Full severity=critical";
    let over = open.replace("Open", "Resolved");
    // By its own word, and by none.
    story(&format!("1 fires a\n9 ends a -> {open}\n12 rest -> {over}\n900 ends a"));
    story(&format!("1 fires a\n9 fires a -> {open}\n308 rest\n320 rest -> {over}"));
    story(&format!("1 fires a until 60\n59 rest -> {open}\n63 rest -> {over}"));
    // It goes on as long as it is told again, and longer than a message goes on that is not.
    story(&format!("1 fires a until 8000\n7999 fires a -> {open}\n8290 rest\n8304 rest -> {over}"));
    // Another machine is another episode of the rule, and the same message to its owner.
    let (all_b, all_a) = ("#all disks (b): it was printed", "#all disks (a): it was printed");
    story(&format!(
        "1 fires a\n2 fires b -> {open}\n100 ends a -> Open {all_b}, Update #ops Full severity=critical\n\
         105 ends b -> Resolved {all_a}\n110 rest -> Resolved {all_b}, Resolved #ops Full severity=critical"
    ));
    // It ends at once, although another machine's alert has the message and began just now.
    story(&format!(
        "1 fires a\n100 fires b -> {open}\n101 ends a -> Open {all_b}\n102 rest -> Resolved {all_a}"
    ));
    // What is told of the rule's episode lags behind: it has the other machine's alert as well.
    let (of_name, ops) = (open.replace("(a)", "(Full)"), "#ops Full severity=critical");
    story_by(
        "fields.alertname",
        &format!(
            "1 fires a\n10 fires b -> {of_name}\n11 ends a\n25 rest -> Update {ops}\n30 ends b\n\
             33 rest -> Resolved #all disks (Full): it was printed, Resolved {ops}"
        ),
    );
    // While nobody listens nobody can tell it again.
    story(&format!("1 fires a until 240\n30 down for 600 -> {open}\n868 rest\n880 rest -> {over}"));
    story(&format!(
        "1 fires a until 240\n30 down for 600 -> {open}\n700 fires a\n999 rest\n1010 rest -> {over}"
    ));
    story(&format!("1 fires a until 240\n30 down for 600 -> {open}\n700 ends a\n710 rest -> {over}"));
    story(&format!("1 fires a\n9 ends a -> {open}\n9 down for 9\n25 rest -> {over}"));
    // What comes again is told again.
    story(&format!("1 fires a\n9 ends a -> {open}\n20 fires a -> {over}\n25 rest -> {open}"));
}
