//! Logs of the fixture programs, against the compiler's word on what printed each line.

use dice_testkit::{Fixture, Recording, Score, fixtures_dir};

use crate::program::dice;

fn answers(catalog: &str, log: &str) -> String {
    let fixture = Fixture::build(catalog);
    dice(fixture.path(), &["index"]).done();
    let log = fixtures_dir().join("logs").join(format!("{log}.log"));
    let log = log.to_str().expect("the repository's path is UTF-8");
    dice(fixture.path(), &["route", "--dry-run", "--format", "json", "--all", log]).done()
}

#[track_caller]
fn check(name: &str) {
    let score = Score::of(&Recording::read(name).truth, &answers(name, name));
    assert_eq!(score.wrong, [], "wrong is worse than unknown");
    assert!(score.right_percent() >= 95.0, "{:.1} % right: {score:?}", score.right_percent());
}

#[test]
fn the_founding_log_finds_its_statements() {
    check("founding");
}

#[test]
fn the_log_of_a_c_daemon_finds_its_statements() {
    check("petrel");
}

#[test]
fn the_log_of_a_rust_service_finds_its_statements() {
    check("siskin");
}

#[test]
fn another_programs_log_finds_none() {
    for (catalog, log) in [("petrel", "siskin"), ("siskin", "petrel"), ("founding", "petrel")] {
        let answers = answers(catalog, log);
        let matched = answers.lines().filter(|answer| answer.contains("\"matched\":true"));
        assert_eq!(matched.collect::<Vec<_>>(), Vec::<&str>::new(), "{log} with the catalog of {catalog}");
    }
}
