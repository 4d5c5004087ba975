//! `dice route`: a log passes, and for each line it is said who would be told.

use dice_testkit::Fixture;
use serde_json::Value;

use crate::program::{dice, given};

const LOG: &str = "\
2026-11-20T15:54:20.000000+00:00 web-1 petrel[7]: disk /srv/mail is 93% full
2026-11-20T15:54:21.000000+00:00 web-2 petrel[8]: disk /srv/mail is 91% full
2026-11-20T15:54:22.000000+00:00 web-1 petrel[7]: petrel.conf:7 is not understood and left out:
  colour blue
  wanted watch, relay or limit
2026-11-20T15:54:23.000000+00:00 web-1 cron[9]: nobody here printed this
2026-11-20T15:54:24.000000+00:00 web-1 petrel[7]: delivered in 2.393 s
";

fn petrel() -> Fixture {
    let fixture = Fixture::build("petrel");
    dice(fixture.path(), &["index"]).done();
    fixture
}

fn objects(arguments: &[&str]) -> Vec<Value> {
    given(petrel().path(), &[&["route", "--dry-run", "--format", "json"], arguments].concat(), LOG).objects()
}

#[test]
fn every_line_has_an_object_when_all_are_asked_for() {
    let objects = objects(&["--all"]);
    let lines: Vec<_> = objects.iter().map(|object| object["line"].as_u64()).collect();
    assert_eq!(lines, (1..=7).map(Some).collect::<Vec<_>>());
    let matched: Vec<_> = objects.iter().map(|object| object["matched"] == true).collect();
    assert_eq!(matched, [true, true, true, true, true, false, true]);
}

#[test]
fn without_all_only_matched_lines_are_printed() {
    assert!(objects(&[]).iter().all(|object| object["matched"] == true));
}

#[test]
fn the_object_of_a_line_keeps_the_contract() {
    let objects = objects(&[]);
    let object = &objects[0];
    for (key, value) in [
        ("strength", "strong"),
        ("repo", "petrel"),
        ("file", "src/disk.c"),
        ("level", "warning"),
        ("template", "disk <*> is <*>% full"),
        ("decision", "now"),
        ("reason", "annotated with #disks"),
        ("time", "2026-11-20T15:54:20Z"),
        ("host", "web-1"),
        ("service", "petrel"),
    ] {
        assert_eq!(object[key], value, "{key}");
    }
    assert_eq!(object["source_line"], 21);
    assert_eq!(object["statements"], serde_json::json!([{"file": "src/disk.c", "source_line": 21}]));
    let owner =
        serde_json::json!([{"kind": "channel", "name": "#disks", "why": "annotation", "decision": "now"}]);
    assert_eq!(object["owners"], owner);
    assert_eq!(objects[0]["fingerprint"], objects[1]["fingerprint"]);
}

#[test]
fn further_lines_of_a_message_say_which_line_they_continue() {
    let continues: Vec<_> = objects(&["--all"]).iter().map(|object| object["continues"].as_u64()).collect();
    assert_eq!(continues, [None, None, None, Some(3), Some(3), None, None]);
}

#[test]
fn a_person_reads_what_each_owner_would_read() {
    let said = given(petrel().path(), &["route"], LOG).done();
    let (news, digests) = said.split_once("\n\n").unwrap();
    assert_eq!(news.matches("#disks").count(), 1, "news is told once:\n{said}");
    for part in ["#disks", "2×", "web-1, web-2", "15:54:20", "15:54:21", "ada@petrel.example"] {
        assert!(digests.contains(part), "wanted {part:?} in\n{said}");
    }
    assert!(!digests.contains("delivered in"), "nobody is told of a message without weight:\n{said}");
}

#[test]
fn several_files_are_numbered_through() {
    let fixture = petrel();
    std::fs::write(fixture.path().join("one.log"), "nothing\ndelivered in 2.393 s\n").unwrap();
    std::fs::write(fixture.path().join("two.log"), "delivered in 0.500 s\n").unwrap();
    let objects = dice(fixture.path(), &["route", "--format", "json", "one.log", "two.log"]).objects();
    let lines: Vec<_> = objects.iter().map(|object| object["line"].as_u64()).collect();
    assert_eq!(lines, [Some(2), Some(3)]);
}

#[test]
fn log_text_cannot_move_the_cursor() {
    let said =
        given(petrel().path(), &["route", "--all"], "disk \x1b[2J\x07 is 93% full\n\x1b]0;x\x07\n").done();
    assert!(!said.contains(['\x1b', '\x07']), "{said:?}");
}

#[test]
fn any_bytes_are_a_log() {
    let log = "\0\0\n\u{feff}\n\r\n{\"a\":\n<34>1 - - - - - -\n".to_owned() + &"x".repeat(200_000) + "\n";
    let objects = given(petrel().path(), &["route", "--format", "json", "--all"], &log).objects();
    assert_eq!(objects.len(), 6);
}
