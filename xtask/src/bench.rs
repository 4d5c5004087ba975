//! `cargo xtask bench router`: what the router costs, in one table.

use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use crate::workspace::root;

/// Runs the benches of the router: that of the whole, then that of the rules alone. With `--json` their
/// figures are one object.
pub(crate) fn router(arguments: &[&str]) -> Result<bool> {
    let is_json = match arguments {
        [] => false,
        ["--json"] => true,
        other => bail!("wanted nothing or --json, found {other:?}"),
    };
    let mut figures = Map::new();
    for (package, bench) in [("dice", "router"), ("dice-route", "engine")] {
        let mut command = Command::new(env!("CARGO"));
        command.current_dir(root()).args(["bench", "--quiet", "--package", package, "--bench", bench]);
        if !is_json {
            if !command.status().context("cannot run cargo")?.success() {
                return Ok(false);
            }
            continue;
        }
        let output = command.args(["--", "--json"]).output().context("cannot run cargo")?;
        if !output.status.success() {
            eprintln!("{}", String::from_utf8_lossy(&output.stderr));
            return Ok(false);
        }
        let object: Value = serde_json::from_slice(&output.stdout)
            .with_context(|| format!("the bench {bench} printed no JSON object"))?;
        if let Value::Object(object) = object {
            figures.extend(object);
        }
    }
    if is_json {
        println!("{}", Value::Object(figures));
    }
    Ok(true)
}
