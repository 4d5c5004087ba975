//! `cargo xtask soak`: tests that are worth hours, for many more cases than every day.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::workspace::{root, success};

/// Cases of rules against their naive ones, over all types together.
const CASES: u64 = 1_000_000;

/// Cases that are large take long: of these there are so many.
const LARGE_CASES: u64 = 200;

/// Notices that are delivered against every fault.
const INTENTS: u64 = 1_000_000;

/// How often the router is killed.
const KILLS: u32 = 200;

/// The oracle's tests that are not random.
const STORIES: [&str; 2] = ["stories::", "reload::"];

/// Runs one of them to its end; `false` when it found something wrong.
pub(crate) fn run(what: &str) -> Result<bool> {
    match what {
        "rules" => rules(),
        "delivery" => delivery(),
        _ => kill(),
    }
}

/// Every type of rule against a naive one, a million times altogether.
fn rules() -> Result<bool> {
    let list = success(&mut oracle(&["--list", "--format=terse"]))?.stdout;
    let names = list.lines().filter_map(|line| line.strip_suffix(": test"));
    let is_story = |name: &&str| STORIES.iter().any(|story| name.starts_with(story));
    let random: Vec<&str> = names.filter(|name| !is_story(name)).collect();
    let (large, usual): (Vec<&str>, Vec<&str>) = random.into_iter().partition(|name| name.contains("large"));
    ensure!(!usual.is_empty(), "the oracle has no tests");
    let cases = CASES.div_ceil(usual.len() as u64);
    println!("{} types, {cases} cases each", usual.len());
    let is_good = passes(&mut oracle(&usual), cases)?;
    Ok(passes(&mut oracle(&large), LARGE_CASES)? && is_good)
}

fn oracle(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(["test", "--release", "--package", "dice-route", "--test", "oracle", "--"]);
    command.args(arguments).current_dir(root());
    if !arguments.iter().any(|argument| argument.starts_with("--")) {
        command.arg("--exact");
    }
    command
}

fn passes(command: &mut Command, cases: u64) -> Result<bool> {
    Ok(command.env("DICE_CASES", cases.to_string()).status()?.success())
}

/// Notices on their way through every fault, in virtual time.
fn delivery() -> Result<bool> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["test", "--release", "--package", "dice-route", "--test", "delivery", "--", "--nocapture"]);
    Ok(command.env("DICE_INTENTS", INTENTS.to_string()).current_dir(root()).status()?.success())
}

/// A router that is killed again and again, while it reads and while it delivers.
fn kill() -> Result<bool> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["test", "--release", "--package", "dice", "--test", "cli", "--", "--nocapture", "kill"]);
    Ok(command.env("DICE_KILLS", KILLS.to_string()).current_dir(root()).status()?.success())
}
