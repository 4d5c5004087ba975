//! `dice index`: repositories become a catalog.

use std::fs;
use std::path::Path;

use dice_testkit::Fixture;
use serde_json::Value;

use crate::program::{dice, objects};

/// The statements of a catalog, without its header.
fn entries(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join(".dice/catalog.jsonl")).expect("the catalog is there");
    objects(&text).split_off(1)
}

/// What an entry prints, holes as `<*>`, with what its callee adds.
fn printed(entry: &Value) -> String {
    ["prefix", "template", "suffix"]
        .iter()
        .flat_map(|part| entry[*part].as_array().expect("parts are a list"))
        .map(|part| part["text"].as_str().unwrap_or("<*>"))
        .collect()
}

fn owners(entry: &Value) -> String {
    let owners: Vec<_> = entry["owners"].as_array().expect("owners are a list").iter().collect();
    let text = |value: &Value| value.as_str().expect("a word").to_owned();
    owners
        .iter()
        .map(|o| format!("{} by {}", text(&o["name"]), text(&o["why"])))
        .collect::<Vec<_>>()
        .join(", ")
}

/// In the fixture repository, the statements that print `text` stand at, have the level of, and are owned by
/// what each line of `expected` says.
#[track_caller]
fn check(repo: &str, text: &str, expected: &[&str]) {
    let fixture = Fixture::build(repo);
    dice(fixture.path(), &["index"]).done();
    let found: Vec<String> = entries(fixture.path())
        .iter()
        .filter(|entry| printed(entry) == text)
        .map(|entry| {
            let (file, level) = (entry["file"].as_str().unwrap(), entry["level"].as_str().unwrap_or("-"));
            format!("{file}:{} {level} {}", entry["line"], owners(entry))
        })
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn an_annotation_comes_before_the_author() {
    check("petrel", "disk <*> is <*>% full", &["src/disk.c:21 warning #disks by annotation"]);
    check(
        "petrel",
        "queue is long: <*> letters wait, limit is <*>",
        &["src/queue.c:55 warning @bela by annotation, #mail-ops by annotation"],
    );
    check(
        "siskin",
        "no room for the result of job <*>: <*> bytes wanted, <*> left",
        &["src/store.rs:21 error #storage by annotation"],
    );
}

#[test]
fn a_wrapper_adds_its_words_to_the_template() {
    check("petrel", "cannot write to <*>: <*>", &["src/disk.c:18 error #disks by annotation"]);
    check(
        "petrel",
        "deliver_letter: all <*> relays are down",
        &["src/queue.c:34 error bela@petrel.example by author"],
    );
    check("petrel", "letter <*>: has no sender", &["src/queue.c:17 warning bela@petrel.example by author"]);
}

#[test]
fn gettext_and_macros_in_a_format_are_seen_through() {
    check("petrel", "petrel lands, goodbye", &["src/main.c:30 notice ada@petrel.example by author"]);
    check("petrel", "petrel 0.2 takes off, pid=<*>", &["src/main.c:22 notice ada@petrel.example by author"]);
    check(
        "petrel",
        "no configuration, no flight",
        &["src/config.c:36 critical ada@petrel.example by author"],
    );
}

#[test]
fn authors_are_found_through_renames_mailmap_and_ignored_commits() {
    check(
        "petrel",
        "<*>: old files removed, <*>% -> <*>%",
        &["src/disk.c:11 notice cleo@petrel.example by author"],
    );
    check(
        "petrel",
        "letter <*> is dead after <*> tries",
        &["src/queue.c:57 error bela@petrel.example by author"],
    );
    check(
        "siskin",
        "job <*> (<*>) goes to <*>",
        &["src/runner.rs:22 info lightnin@siskin.example by author"],
    );
    check("siskin", "swept, <*> bytes free", &["src/store.rs:34 info odetta@siskin.example by author"]);
}

#[test]
fn equal_words_in_two_places_are_two_statements_of_one_message() {
    check(
        "petrel",
        "configuration reloaded",
        &[
            "src/config.c:43 notice ada@petrel.example by author",
            "src/disk.c:39 notice cleo@petrel.example by author",
        ],
    );
}

#[test]
fn a_catalog_is_the_same_whatever_the_number_of_threads() {
    for repo in ["founding", "petrel", "siskin"] {
        let (one, two) = (Fixture::build(repo), Fixture::build(repo));
        dice(one.path(), &["index", "--jobs", "1", "--out", "catalog.jsonl"]).done();
        dice(two.path(), &["index", "--jobs", "4", "--out", "catalog.jsonl"]).done();
        let read = |fixture: &Fixture| fs::read(fixture.path().join("catalog.jsonl")).unwrap();
        assert!(read(&one) == read(&two), "{repo}: catalogs differ");
    }
}

#[test]
fn the_catalog_says_what_was_indexed() {
    let fixture = Fixture::build("petrel");
    let text = dice(fixture.path(), &["index", "--out", "-"]).done();
    let header = &objects(&text)[0];
    assert_eq!(header["dice_catalog"], 1);
    let repo = &header["repos"][0];
    assert_eq!((&repo["name"], &repo["history"]), (&"petrel".into(), &"full".into()));
    assert_eq!(repo["commit"], Value::from(fixture.head()));
}

#[test]
fn an_earlier_revision_has_the_statements_it_had() {
    let fixture = Fixture::build("petrel");
    let rev = fixture.commit("02-bela-queue-letters");
    let text = dice(fixture.path(), &["index", "--rev", &rev, "--out", "-"]).done();
    assert!(!text.contains("disk"));
    assert!(text.contains("bela@"));
}

#[test]
fn without_authors_the_catalog_says_that_nobody_asked() {
    let fixture = Fixture::build("founding");
    dice(fixture.path(), &["index", "--no-authors"]).done();
    let entries = entries(fixture.path());
    assert!(!entries.is_empty());
    for entry in entries {
        assert_eq!((&entry["author"], &entry["author_missing"]), (&Value::Null, &"not-requested".into()));
    }
}

#[test]
fn a_line_that_is_not_committed_has_no_author() {
    let fixture = Fixture::build("founding");
    let main = fixture.path().join("src/main.c");
    let text = fs::read_to_string(&main).unwrap();
    fs::write(&main, text.replace("    return 0;", "    INFO_LOG(\"one more bar\");\n    return 0;"))
        .unwrap();
    dice(fixture.path(), &["index", "--worktree"]).done();
    let entries = entries(fixture.path());
    let of = |text: &str| entries.iter().find(|entry| printed(entry) == text).unwrap();
    assert_eq!(of("one more bar")["author_missing"], "uncommitted");
    assert_eq!(of("it hurts me too")["author"]["email"], "pig@pen.mssn");
}

#[test]
fn several_repositories_make_one_catalog() {
    let (founding, siskin) = (Fixture::build("founding"), Fixture::build("siskin"));
    let siskin = siskin.path().to_str().unwrap();
    let text = dice(founding.path(), &["index", ".", siskin, "--out", "-"]).done();
    let objects = objects(&text);
    assert_eq!(objects[0]["repos"].as_array().unwrap().len(), 2);
    for repo in ["founding", "siskin"] {
        assert!(objects[1..].iter().any(|entry| entry["repo"] == repo), "{repo}");
    }
}

#[test]
fn git_does_not_see_the_catalog() {
    let fixture = Fixture::build("founding");
    dice(fixture.path(), &["index"]).done();
    assert_eq!(fs::read_to_string(fixture.path().join(".dice/.gitignore")).unwrap(), "*\n");
}
