//! `dice episodes`, `why`, `digest` and the lists: a look at the state, beside a router or without one.

use serde_json::Value;

use crate::program::{dice, given};
use crate::site::{Site, line};

const CONFIG: &str = r##"
time = { lateness = "1s" }
lanes = { alert = { group_wait = "0s" } }

[[rule]]
id = "relay-down"
type = "frequency"
where = 'text =~ "does not answer"'
key = ["host"]
count = 3
within = "5m"
severity = "medium"

[[rule]]
id = "long-queue"
type = "match"
where = 'text =~ "^queue is long"'
severity = "low"
to = ["#queues"]

[[rule]]
id = "strays"
type = "match"
where = 'text =~ "^nobody here"'

[[rule]]
id = "of-others"
type = "match"
where = 'service == "another"'

[[route]]
id = "mail"
match = ['rule = "relay-down"']
to = ["#mail-ops"]
"##;

/// A line with what a terminal would obey.
const EVIL: &str = "disk /srv/\x1b[2J\x07\u{202e}mail is 93% full";

/// A state that a small log led to.
fn site() -> Site {
    let site = Site::new(CONFIG);
    let mut log = String::new();
    log += &line(-240_000, "web-1", EVIL);
    log += &line(-239_000, "web-2", "disk /srv/mail is 91% full");
    for n in 0..4 {
        let message = "relay mx2.petrel.example:2525 does not answer: Connection refused";
        log += &line(-200_000 + n * 1_000, "web-1", message);
    }
    log += &line(-100_000, "web-1", "deliver_letter: all 2 relays are down");
    log += &line(-90_000, "web-1", "nobody here printed this");
    site.write("app.log", &log);
    dice(site.path(), &["route", "--config", "router.toml", "--state", "state.db", "app.log"]).done();
    site
}

/// `said` has all of `parts`, and nothing that a terminal would obey.
#[track_caller]
fn check(said: &str, parts: &[&str]) {
    for part in parts {
        assert!(said.contains(part), "wanted {part:?} in\n{said}");
    }
    assert!(!said.contains(['\x1b', '\x07', '\u{202e}']), "{said:?}");
}

fn text(object: &Value, key: &str) -> String {
    object[key].as_str().unwrap_or_else(|| panic!("{key} of {object}")).to_owned()
}

#[test]
fn what_is_open_is_listed() {
    let site = site();
    let said = site.ask(&["episodes"]).done();
    check(&said, &["relay-down", "#mail-ops", "4 occurrences", "web-1 (4)", "#disks", "told at"]);
    let objects = site.objects(&["episodes"]);
    let kinds: Vec<_> = objects.iter().map(|each| text(each, "kind")).collect();
    assert_eq!(kinds.iter().filter(|kind| *kind == "rule").count(), 1, "{objects:?}");
    for kind in ["immediate", "alarm"] {
        assert!(kinds.contains(&kind.to_owned()), "{kinds:?}");
    }
    check(&said, &["Dice", "nobody is told of episodes of strays"]);
    check(&site.ask(&["episodes", "--all"]).done(), &["strays: ", "nobody is told"]);
    let rule = objects.iter().find(|each| each["kind"] == "rule").unwrap();
    assert_eq!(
        (&rule["count"], &rule["key"][0], &rule["state"]),
        (&4.into(), &"web-1".into(), &"open".into())
    );
    assert!(text(rule, "since").ends_with('Z'));
    assert_eq!(rule["told"][0]["destination"], "#mail-ops");
}

#[test]
fn a_line_is_followed_to_those_who_heard_of_it() {
    let site = site();
    let disk = line(-1_000, "web-3", EVIL);
    let said = site.ask(&["why", &disk]).done();
    check(
        &said,
        &[
            "src/disk.c:21",
            "disk <*> is <*>% full",
            "#disks",
            "the comment behind the statement",
            "told at once",
            "2×",
            "web-1 (1), web-2 (1)",
            "sent at",
            "not       of-others",
        ],
    );
    let relay = line(0, "web-1", "relay mx2.petrel.example:2525 does not answer: Connection refused");
    let said = site.ask(&["why", &relay]).done();
    check(
        &said,
        &[
            "looks     relay-down, frequency of web-1, 1 open",
            "group",
            "told: it had not been told yet",
            "next: ",
        ],
    );
    let unknown = site.ask(&["why", "petrel[7]: nobody here printed this"]).done();
    check(&unknown, &["no statement prints it", "u:"]);
    let object = &site.objects(&["why", &disk])[0];
    assert_eq!((&object["what"], &object["statements"][0]["decision"]), (&"message".into(), &"now".into()));
    assert_eq!(object["occurrences"][0]["count"], 2);
}

#[test]
fn everything_with_a_name_is_explained_by_its_first_digits() {
    let site = site();
    site.ask(&["snooze", "rule:long-queue", "--for", "everyone", "--reason", "known"]).done();
    site.ask(&["silence", "rule=relay-down", "--comment", "new disks"]).done();
    let episodes = site.objects(&["episodes"]);
    let rule = episodes.iter().find(|each| each["kind"] == "rule").unwrap();
    let now = episodes.iter().find(|each| each["kind"] == "immediate").unwrap();
    let of_rule = &site.objects(&["why", &text(rule, "id")])[0];
    let names = [
        ("episode", text(rule, "id")),
        ("episode", text(now, "id")),
        ("alert", text(now, "alert")),
        ("message", now["messages"][0].as_str().unwrap().to_owned()),
        ("group", rule["groups"][0].as_str().unwrap().to_owned()),
        ("notice", text(&of_rule["notices"][0], "id")),
        ("snooze", text(&site.objects(&["snooze", "--list"])[0], "id")),
        ("silence", text(&site.objects(&["silence", "--list"])[0], "id")),
        ("digest", text(&site.objects(&["digest"])[0], "digest")),
    ];
    for (what, id) in &names {
        let object = &site.objects(&["why", id])[0];
        assert_eq!((text(object, "what"), text(object, "id")), ((*what).to_owned(), id.clone()));
        check(&site.ask(&["why", id]).done(), &[]);
        if id.len() == 32 {
            assert_eq!(text(&site.objects(&["why", &id[..10]])[0], "id"), *id);
        }
    }
    let said = site.ask(&["why", &names[0].1]).done();
    check(&said, &["silenced", "by @ann", "undo: dice silence --end"]);
    let first = &text(now, "id")[..10];
    check(&site.ask(&["snooze", first]).done(), &["for you"]);
    site.ask(&["ack", first, "--resolve"]).done();
    assert_eq!(site.ask(&["why", first]).code, Some(1));
}

#[test]
fn what_is_not_there_is_a_no() {
    let site = site();
    let said = site.ask(&["why", "0123456789abcdef"]);
    assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""));
    assert!(said.stderr.contains("next: ") && said.stderr.contains("dice episodes"), "{said:?}");
    let said = site.ask(&["why", " "]);
    assert_eq!(said.code, Some(2), "{said:?}");
    let never = site.ask(&["why", &line(0, "web-1", "letter 9e3779b1: has no sender")]).done();
    check(&never, &["none since the state began", "files", "8 lines"]);
    let folder = tempfile::tempdir().unwrap();
    let said = dice(folder.path(), &["episodes", "--state", "gone.db"]);
    assert_eq!(said.code, Some(2));
    assert!(said.stderr.contains("next: "), "{said:?}");
}

#[test]
fn a_digest_is_shown_before_its_time() {
    let site = site();
    let said = site.ask(&["digest", "--preview"]).done();
    check(&said, &["bela@petrel.example", "relays are down", "10:00 (UTC)"]);
    let ada = &site.objects(&["digest", "bela@petrel.example", "--preview"])[0];
    assert_eq!((&ada["reader"], &ada["is_held"]), (&"bela@petrel.example".into(), &false.into()));
    assert!(ada["messages"].as_u64() > Some(0) && !text(ada, "why").is_empty());
    check(&site.ask(&["digest", "#disks"]).done(), &["nothing is gathered for #disks"]);
}

#[test]
fn what_is_hidden_is_listed_with_what_it_hid() {
    let site = site();
    check(&site.ask(&["snooze", "--list"]).done(), &["nothing is snoozed"]);
    let down = line(0, "web-1", "deliver_letter: all 2 relays are down");
    let refused = site.ask(&["snooze", &down, "--for", "everyone"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    site.ask(&["snooze", &down, "--until", "2h", "--reason", "\x1b[1mknown"]).done();
    site.ask(&["mute", "rule:long-queue", "--for", "#queues"]).done();
    check(
        &site.ask(&["snooze", "--list"]).done(),
        &["relays are down", "for @ann", "by @ann", "for good", "hid 0", "--undo"],
    );
    site.ask(&["silence", "rule=relay-down", "--comment", "new disks"]).done();
    check(
        &site.ask(&["silence", "--list"]).done(),
        &["active", "rule=\"relay-down\"", "new disks", "--end", "hides relay-down"],
    );
    let id = text(&site.objects(&["silence", "--list"])[0], "id");
    site.ask(&["silence", "--end", &id]).done();
    check(&site.ask(&["silence", "--list"]).done(), &["nothing is silenced"]);
    check(&site.ask(&["silence", "--list", "--all"]).done(), &["expired"]);
    site.ask(&["assign", &down, "@cleo", "--reason", "she knows"]).done();
    check(
        &site.ask(&["assign", "--list"]).done(),
        &["@cleo", "relays are down", "@ann", "she knows", "--undo"],
    );
    check(&site.ask(&["why", &down]).done(), &["@cleo", "a person said so", "she knows", "snoozed"]);
}

#[test]
fn a_route_is_explained() {
    let site = site();
    let said = dice(site.path(), &["rules", "route", "rule=relay-down", "severity=high"]).done();
    check(&said, &["mail", "#mail-ops", "takes it"]);
    let said = dice(site.path(), &["rules", "route", "service=pay"]).done();
    check(&said, &["mail", "does not hold", "default", "the owners"]);
    let said = dice(site.path(), &["rules", "route", "rule=long-queue"]).done();
    check(&said, &["rule/long-queue", "#queues"]);
    assert_eq!(dice(site.path(), &["rules", "route", "service"]).code, Some(2));
}

/// A notice about a long queue.
fn is_queue(notice: &Value) -> bool {
    notice["destination"]["channel"] == "#queues"
}

/// A notice about a disk.
fn is_disk(notice: &Value) -> bool {
    notice["destination"]["channel"] == "#disks"
}

#[test]
fn a_router_that_runs_does_what_it_is_told() {
    let site = Site::new(CONFIG);
    let mut running = site.start();
    running.read(&line(0, "web-1", "queue is long: 41 letters wait, limit is 40"));
    running.notices_until(is_queue);
    check(&site.ask(&["episodes", "--all"]).done(), &["long-queue"]);
    site.ask(&["snooze", "rule:long-queue", "--for", "everyone"]).done();
    running.read(&line(0, "web-1", "queue is long: 42 letters wait, limit is 40"));
    running.read(&line(0, "web-1", "disk /srv/mail is 93% full"));
    let notices = running.notices_until(is_disk);
    assert!(!notices.iter().any(is_queue), "{notices:?}");
    check(&site.ask(&["snooze", "--list"]).done(), &["rule long-queue", "for everyone"]);
    running.end();
    let object = &site.objects(&["snooze", "--list"])[0];
    assert_eq!((&object["hidden"], &object["by"]), (&1.into(), &"@ann".into()));
}

#[test]
fn what_was_answered_lasts() {
    let site = Site::new(CONFIG);
    let mut running = site.start();
    running.read(&line(0, "web-1", "disk /srv/mail is 93% full"));
    running.notices_until(is_disk);
    site.ask(&["snooze", "rule:long-queue", "--for", "everyone"]).done();
    running.kill();
    check(&site.ask(&["snooze", "--list"]).done(), &["rule long-queue", "for everyone"]);
    let log = line(0, "web-1", "queue is long: 42 letters wait, limit is 40");
    let route = ["route", "--config", "router.toml", "--state", "state.db", "--format", "json", "-"];
    let told = given(site.path(), &route, &log).objects();
    assert!(!told.iter().any(is_queue), "{told:?}");
}
