//! `dice rules`: rules are tried, tested and explained without a log of today and without telling anybody.

use dice_testkit::{Fixture, fixtures_dir};
use serde_json::Value;

use crate::program::{Said, dice};

/// Scenarios that must have run; fewer mean that some are not read.
const SCENARIOS: u64 = 150;

const CONFIG: &str = r##"
catalog = [".dice/catalog.jsonl"]
rules = ["rules.toml"]

[[route]]
id = "mail"
to = ["#mail"]
"##;

const RULES: &str = r##"
[[rule]]
id = "disk"
type = "frequency"
where = 'text =~ "^disk .* full$"'
key = ["vars.1"]
count = 2
within = "10m"
severity = "low"

[[rule.tests]]
name = "two in ten minutes"
events = [{ repeat = 3, every = "1m", text = "disk /srv is 93% full", vars = { 1 = "/srv" } }]
expect = [{ at = "1m", open = { key = { "vars.1" = "/srv" } } }]
expect_no_more = false
"##;

const LOG: &str = "\
2026-11-20T15:54:20+00:00 web-1 petrel[7]: disk /srv/mail is 93% full
2026-11-20T15:55:21+00:00 web-2 petrel[8]: disk /srv/mail is 91% full
";

/// A folder with the program petrel, its catalog, a configuration and a log.
fn folder(rules: &str) -> Fixture {
    let fixture = Fixture::build("petrel");
    dice(fixture.path(), &["index"]).done();
    for (name, text) in [("router.toml", CONFIG), ("rules.toml", rules), ("petrel.log", LOG)] {
        std::fs::write(fixture.path().join(name), text).unwrap();
    }
    fixture
}

fn run(rules: &str, arguments: &[&str]) -> Said {
    dice(folder(rules).path(), &[&["rules"], arguments].concat())
}

#[track_caller]
fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "wanted {part:?} in\n{text}");
    }
}

#[test]
fn every_scenario_comes_to_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let scenarios = fixtures_dir().join("scenarios");
    let said = dice(folder.path(), &["rules", "test", scenarios.to_str().unwrap()]);
    let failed: Vec<&str> = said.stdout.lines().filter(|line| !line.starts_with("ok ")).collect();
    assert_eq!(said.code, Some(0), "{}\n{}", failed.join("\n"), said.stderr);
    let last = said.stdout.lines().last().unwrap();
    let passed: u64 = last.split(' ').next().unwrap().parse().unwrap();
    assert!(passed >= SCENARIOS, "{last}");
}

#[test]
fn tests_in_rule_files_run_without_a_file_being_named() {
    let said = run(RULES, &["test"]);
    has(&said.stdout, &["disk: two in ten minutes", "1 test passed, 0 failed"]);
    assert_eq!(said.code, Some(0), "{said:?}");
}

#[test]
fn a_test_that_fails_says_what_is_missing_and_what_came_instead() {
    let wrong =
        RULES.replace("at = \"1m\", open", "at = \"2m\", open").replace("no_more = false", "no_more = true");
    let said = run(&wrong, &["test", "rules.toml"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    has(&said.stdout, &["fail", "missing: open at 2m", "unexpected: open at 1m", "0 tests passed, 1 failed"]);
}

#[test]
fn a_scenario_that_fails_says_what_is_missing_and_what_came_instead() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = r##"
[[scenario]]
name = "wrong"
after = "1s"
steps = [{ at = "0s", event = { message = "disk full", annotations = ["#ops"] } }]
expect = [{ at = "1s", to = "#ops", kind = "open" }]
"##;
    std::fs::write(folder.path().join("wrong.toml"), scenario).unwrap();
    let said = dice(folder.path(), &["rules", "test", "wrong.toml"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    has(&said.stdout, &["missing: 1s", "unexpected: 0s", "to #ops", "0 tests passed, 1 failed"]);
}

#[test]
fn a_backtest_says_what_would_have_been_sent() {
    let said = run(RULES, &["backtest", "petrel.log"]).done();
    // The message itself is annotated, and the rule counts it.
    has(&said, &["#disks", "#mail", "2 in 10m", "would have been sent"]);
    let brief = run(RULES, &["backtest", "--brief", "petrel.log"]).done();
    assert!(brief.starts_with(said.lines().find(|line| line.ends_with("would have been sent")).unwrap()));
    for object in run(RULES, &["backtest", "--format", "json", "petrel.log"]).objects() {
        assert!(object["destination"].is_object() || object["to"].is_string(), "{object}");
    }
}

#[test]
fn a_backtest_against_another_configuration_shows_what_changes() {
    let fixture = folder(RULES);
    let before = CONFIG.replace("#mail", "#post");
    std::fs::write(fixture.path().join("before.toml"), before).unwrap();
    let arguments = ["rules", "backtest", "--against", "before.toml", "petrel.log"];
    let said = dice(fixture.path(), &arguments).done();
    has(&said, &["instead of", "1 new destination", "#mail", "#post"]);
    assert!(!said.contains("#disks"), "what stays the same is no news:\n{said}");
    let json = dice(fixture.path(), &[&arguments[..], &["--format", "json"]].concat()).objects();
    assert_eq!(json[0]["new_destinations"], 1);
}

#[test]
fn an_explanation_says_what_a_rule_looks_at_and_when_it_decides() {
    let said = run(RULES, &["explain"]).done();
    has(&said, &["disk", "frequency", "looks at", "apart for each vars.1", "as soon as lines arrive"]);
    let said = run(RULES, &["explain", "dsik"]);
    assert_ne!(said.code, Some(0));
    has(&said.stderr, &["wanted a rule called dsik", "disk"]);
}

#[test]
fn the_schema_names_every_type_of_rule() {
    let said = run(RULES, &["schema"]).done();
    let types =
        ["match", "frequency", "spike", "flatline", "change", "first-seen", "cardinality", "sequence"];
    has(&said, &types);
    has(&said, &["missing", "ratio", "session", "metric", "composite", "[[route]]", "[digests]"]);
    let json: Value = serde_json::from_str(&run(RULES, &["schema", "--format", "json"]).done()).unwrap();
    assert!(json["$schema"].is_string() || json["properties"].is_object(), "{json}");
}
