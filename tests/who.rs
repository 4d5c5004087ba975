//! `dice who`: a line in a terminal finds its statement and its owner.

use dice_testkit::Fixture;

use crate::program::{dice, given};

fn petrel() -> Fixture {
    let fixture = Fixture::build("petrel");
    dice(fixture.path(), &["index"]).done();
    fixture
}

/// What `dice who` says of `line` has each of `parts`.
#[track_caller]
fn check(line: &str, parts: &[&str]) {
    let said = dice(petrel().path(), &["who", line]).done();
    for part in parts {
        assert!(said.contains(part), "wanted {part:?} in\n{said}");
    }
}

#[test]
fn the_statement_the_owner_and_the_reason() {
    check("disk /srv/mail is 93% full", &["src/disk.c:21", "#disks", "annotation", "Cleo Marsh", "warning"]);
    check("letter 9e3779b1: has no sender", &["src/queue.c:17", "bela@petrel.example", "author"]);
}

#[test]
fn a_line_as_the_log_shows_it() {
    check(
        "2026-11-20T15:54:20.791000+00:00 web-1 petrel[1777]: disk /srv/mail is 93% full",
        &["src/disk.c:21", "#disks"],
    );
}

#[test]
fn the_commit_is_named_where_the_repository_is_at_hand() {
    check("/srv/mail: old files removed, 100% -> 70%", &["Cleo Marsh", "Say when a disk is nearly full"]);
}

#[test]
fn what_cannot_be_told_apart_is_said_together() {
    check(
        "configuration reloaded",
        &["src/config.c:43", "src/disk.c:39", "ada@petrel.example", "cleo@petrel.example"],
    );
}

#[test]
fn a_line_that_nothing_prints_is_a_no_with_the_nearest() {
    let said = dice(petrel().path(), &["who", "disk sda is rather crowded today"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stdout.contains("no statement prints"), "{said:?}");
    assert!(said.stdout.contains("src/disk.c:21"), "{said:?}");
}

#[test]
fn lines_come_from_standard_input_too() {
    let lines = "letter 9e3779b1: has no sender\n\nqueue is long: 7 letters wait, limit is 6\n";
    let said = given(petrel().path(), &["who", "--format", "json", "-"], lines);
    let places: Vec<_> = said.objects().iter().map(|object| object["source_line"].as_u64()).collect();
    assert_eq!(places, [Some(17), Some(55)]);
}

#[test]
fn the_object_for_programs_has_the_values_and_the_author() {
    let said = dice(petrel().path(), &["who", "disk /srv/mail is 93% full", "--format", "json"]);
    let object = &said.objects()[0];
    assert_eq!(object["template"], "disk <*> is <*>% full");
    assert_eq!(object["values"], serde_json::json!(["/srv/mail", "93"]));
    assert_eq!(object["author"]["email"], "cleo@petrel.example");
    assert!(object.get("line").is_none() && object.get("decision").is_none());
}

#[test]
fn the_catalog_of_a_parent_folder_is_found() {
    let fixture = petrel();
    let said = dice(&fixture.path().join("src"), &["who", "disk /srv/mail is 93% full"]);
    assert!(said.done().contains("#disks"));
}
