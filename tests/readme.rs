//! What the README shows is what the program does.

use std::path::{Path, PathBuf};

use dice_testkit::Fixture;

use crate::program::dice;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_readme_has_the_command_reference() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let reference = dice(&root(), &["reference"]).done();
    assert!(readme.contains(reference.trim()), "run `cargo xtask docs`");
}

#[test]
fn the_readmes_configuration_is_one() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let (_, rest) = readme.split_once("```toml\n").unwrap();
    let (config, _) = rest.split_once("```").unwrap();
    let fixture = Fixture::build("petrel");
    std::fs::write(fixture.path().join("dice.toml"), config).unwrap();
    let text = dice(fixture.path(), &["index", "--worktree", "--out", "-"]).done();
    assert!(text.contains("\"name\":\"redis\""), "{text}");
}

#[test]
fn the_readmes_answer_is_one() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let fixture = Fixture::build("founding");
    dice(fixture.path(), &["index"]).done();
    let answer = dice(fixture.path(), &["who", "2026-11-20 15:53:20 WARN the sky is crying"]).done();
    assert!(readme.contains(answer.trim()), "the README should show\n{answer}");
}
