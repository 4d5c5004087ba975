//! `dice init`, `loggers`, `completions` and `man`: what is used once.

use dice_testkit::Fixture;

use crate::program::dice;

#[test]
fn init_writes_a_configuration_that_changes_nothing() {
    let fixture = Fixture::build("petrel");
    let before = dice(fixture.path(), &["index", "--out", "-"]).done();
    dice(fixture.path(), &["init"]).done();
    let text = std::fs::read_to_string(fixture.path().join("dice.toml")).unwrap();
    assert!(text.contains("petrelLog"), "{text}");
    assert_eq!(dice(fixture.path(), &["index", "--out", "-"]).done(), before);
}

#[test]
fn loggers_tell_why() {
    let fixture = Fixture::build("petrel");
    assert!(dice(fixture.path(), &["loggers"]).done().contains("logErrno"));
    let said = dice(fixture.path(), &["loggers", "petrelLog"]).done();
    assert!(said.contains("petrelLog") && said.lines().count() > 1, "{said}");
}

#[test]
fn completions_know_the_commands() {
    let fixture = Fixture::build("founding");
    for shell in ["bash", "zsh", "fish"] {
        let script = dice(fixture.path(), &["completions", shell]).done();
        assert!(script.contains("route") && script.contains("no-authors"), "{shell}");
    }
}

#[test]
fn manual_pages_of_every_command() {
    let fixture = Fixture::build("founding");
    assert!(dice(fixture.path(), &["man"]).done().starts_with(".ie"));
    assert!(dice(fixture.path(), &["man", "who"]).done().contains("dice"));
    dice(fixture.path(), &["man", "--out", "pages"]).done();
    assert!(fixture.path().join("pages/dice-route.1").is_file());
}
