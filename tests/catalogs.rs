//! Catalogs of every released version stay readable.

use dice_testkit::fixtures_dir;

use crate::program::dice;

/// With the catalog `fixtures/catalogs/<name>`, `line` was printed at `place` and is `owner`'s.
#[track_caller]
fn check(name: &str, line: &str, place: &str, owner: &str) {
    let catalogs = fixtures_dir().join("catalogs");
    let object = &dice(&catalogs, &["who", "--catalog", name, "--format", "json", line]).objects()[0];
    assert_eq!(format!("{}:{}", object["file"].as_str().unwrap(), object["source_line"]), place);
    assert_eq!(object["owners"][0]["name"], owner);
}

#[test]
fn version_1() {
    check("v1.jsonl", "disk sda is 93% full", "src/disk.c:21", "#disks");
    check("v1.jsonl", "cannot write to sda: No space left on device", "src/disk.c:18", "@cleo");
    check("v1.jsonl", "tape ab-7 rewinds: true, at 1f, 97.5 %", "src/tape.rs:40", "skip@james.example");
}
