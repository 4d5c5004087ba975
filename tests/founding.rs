//! The examples that Dice was founded on.

use dice_testkit::Fixture;

use crate::program::dice;

#[track_caller]
fn check(line: &str, place: &str, level: &str, owner: &str, decision: &str) {
    let fixture = Fixture::build("founding");
    dice(fixture.path(), &["index"]).done();
    let answer = &dice(fixture.path(), &["who", "--format", "json", line]).objects()[0];
    let found = format!("{}:{}", answer["file"].as_str().unwrap(), answer["source_line"]);
    assert_eq!((found.as_str(), answer["level"].as_str()), (place, Some(level)));
    let owners: Vec<String> = answer["owners"]
        .as_array()
        .unwrap()
        .iter()
        .map(|owner| {
            let word = |key: &str| owner[key].as_str().unwrap();
            format!("{} {} {}", word("kind"), word("name"), word("why"))
        })
        .collect();
    assert_eq!(owners, [owner]);
    assert_eq!(answer["owners"][0]["decision"], decision);
    assert_eq!(answer["author"]["email"], "pig@pen.mssn");
}

#[test]
fn hello_worlders_are_told_of_a_hello() {
    check("hello cruel world", "src/main.c:5", "info", "channel #hello-worlders annotation", "now");
}

#[test]
fn elmore_reads_of_a_crying_sky() {
    check("the sky is crying", "src/main.c:6", "warning", "person @elmore annotation", "digest");
}

#[test]
fn without_annotation_the_author_answers() {
    check("it hurts me too", "src/main.c:7", "error", "person pig@pen.mssn author", "digest");
}

#[test]
fn a_line_is_known_with_its_time_and_level() {
    check(
        "2026-11-20 15:53:20 WARN the sky is crying",
        "src/main.c:6",
        "warning",
        "person @elmore annotation",
        "digest",
    );
}
