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
fn the_page_of_the_router_has_the_reference_of_its_configuration() {
    let page = std::fs::read_to_string(root().join("docs/router.md")).unwrap();
    let reference = dice(&root(), &["reference", "--router"]).done();
    assert!(page.contains(reference.trim()), "run `cargo xtask docs`");
}

/// The first block of TOML below a heading.
fn toml_below(heading: &str) -> String {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let (_, section) = readme.split_once(heading).unwrap();
    let (_, rest) = section.split_once("```toml\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

#[test]
fn the_readmes_configuration_is_one() {
    let fixture = Fixture::build("petrel");
    std::fs::write(fixture.path().join("dice.toml"), toml_below("\n## dice.toml\n")).unwrap();
    let text = dice(fixture.path(), &["index", "--worktree", "--out", "-"]).done();
    assert!(text.contains("\"name\":\"redis\""), "{text}");
}

#[test]
fn the_readmes_rule_passes_its_test() {
    let fixture = Fixture::build("petrel");
    let router = toml_below("\n## Rules, digests, escalation\n");
    std::fs::write(fixture.path().join("router.toml"), router).unwrap();
    let said = dice(fixture.path(), &["rules", "test"]).done();
    assert!(said.contains("1 test passed, 0 failed"), "{said}");
}

#[test]
fn the_readmes_answer_is_one() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let fixture = Fixture::build("founding");
    dice(fixture.path(), &["index"]).done();
    let answer = dice(fixture.path(), &["who", "2026-11-20 15:53:20 WARN the sky is crying"]).done();
    assert!(readme.contains(answer.trim()), "the README should show\n{answer}");
}
