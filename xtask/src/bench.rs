//! `cargo xtask bench router`: what the router costs, in one table.

use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use crate::workspace::{root, success};

/// Runs the benches of the router: that of the whole, then that of the rules alone. With `--json` all of it is
/// one object: the figures of the whole by name, and the lines of the rules as they are printed.
pub(crate) fn router(arguments: &[&str]) -> Result<bool> {
    let is_json = match arguments {
        [] => false,
        ["--json"] => true,
        other => bail!("wanted nothing or --json, found {other:?}"),
    };
    if !is_json {
        return Ok(bench("dice", "router").status().context("cannot run cargo")?.success()
            && bench("dice-route", "engine").status().context("cannot run cargo")?.success());
    }
    let figures = success(bench("dice", "router").args(["--", "--json"]))?.stdout;
    let mut figures: Map<String, Value> =
        serde_json::from_str(&figures).context("the bench of the router printed no JSON object")?;
    let lines = success(&mut bench("dice-route", "engine"))?.stdout;
    figures.insert("rules".to_owned(), lines.lines().map(str::to_owned).collect());
    println!("{}", Value::Object(figures));
    Ok(true)
}

fn bench(package: &str, name: &str) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(root()).args(["bench", "--quiet", "--package", package, "--bench", name]);
    command
}
