//! Chores in Rust: `cargo xtask <chore>`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a chore talks to who runs it")]

mod bench;
mod browser;
mod demo;
mod docs;
mod program;
mod queries;
mod record;
mod score;
mod soak;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;

const USAGE: &str = "\
usage: cargo xtask <chore>

  tidy                              checks the house rules
  docs [--check]                    writes the generated parts of README and docs/
  demo                              shows Dice on fixtures and on its own log; sends nothing
  browser [--shots DIR]             opens the pages in Chromium; takes pictures
  queries [FILE]…                   compiles every statements.scm, prints what files yield
  bench router [--json]             events a second, time to a decision, memory and restart of the router
  record                            runs the fixture programs and writes fixtures/logs anew
  score [--sets DIR --repos DIR]    scores Dice on recordings with known truth
  soak rules|delivery|kill          a million cases of rules; a million notices against every fault; a router
                                    that is killed 200 times
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(err) => {
            eprintln!("xtask: {err:#}");
            ExitCode::from(2)
        }
    }
}

/// Does a chore; `false` when it found something wrong and said what.
fn run(arguments: &[String]) -> Result<bool> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["tidy"] => tidy::run(),
        ["docs"] => docs::run(),
        ["docs", "--check"] => docs::check(),
        ["demo"] => demo::run(),
        ["browser"] => browser::run(None),
        ["browser", "--shots", folder] => browser::run(Some(folder)),
        ["queries", files @ ..] => queries::run(files),
        ["bench", "router", rest @ ..] => bench::router(rest),
        ["record"] => record::run(),
        ["score", rest @ ..] => score::run(rest),
        ["soak", what @ ("rules" | "delivery" | "kill")] => soak::run(what),
        _ => {
            eprint!("{USAGE}");
            Ok(false)
        }
    }
}
