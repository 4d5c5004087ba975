//! This repository's own folders, and the programs that chores run.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().expect("xtask lies in the workspace").to_owned()
}

/// An empty folder `name` below `target/`, for what a chore leaves behind.
///
/// # Errors
///
/// When an old one cannot be removed or a new one not be made.
pub(crate) fn fresh_folder(name: &str) -> Result<PathBuf> {
    let folder = root().join("target").join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// Builds `dice` and gives the path of the program.
///
/// # Errors
///
/// When it does not compile.
pub(crate) fn dice(release: bool) -> Result<PathBuf> {
    let mut wanted = vec!["--package", "dice", "--bin", "dice"];
    if release {
        wanted.push("--release");
    }
    build(&wanted)
}

/// Builds an example of a package and gives the path of the program.
///
/// # Errors
///
/// When it does not compile.
pub(crate) fn example(package: &str, name: &str) -> Result<PathBuf> {
    build(&["--package", package, "--example", name])
}

fn build(wanted: &[&str]) -> Result<PathBuf> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--message-format=json-render-diagnostics"]).args(wanted);
    let output = cargo
        .current_dir(root())
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        bail!("{} does not compile", wanted.join(" "));
    }
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|message| Some(PathBuf::from(message.get("executable")?.as_str()?)))
        .next_back()
        .context("cargo did not say where it put the program")
}

/// What a program printed.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    /// On standard output.
    pub(crate) stdout: String,
    /// On standard error.
    pub(crate) stderr: String,
    /// The exit code; 255 where a signal ended it.
    pub(crate) code: u8,
}

/// Runs a program to its end.
///
/// # Errors
///
/// When it cannot be started. Its exit code is the caller's business.
pub(crate) fn output(command: &mut Command) -> Result<Output> {
    let said = display(command);
    let output = command.output().with_context(|| format!("cannot run {said}"))?;
    Ok(Output {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        code: output.status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(255),
    })
}

/// Runs a program that must succeed and gives what it printed.
///
/// # Errors
///
/// When it cannot be started or its exit code is not 0; the error has what it said.
pub(crate) fn success(command: &mut Command) -> Result<Output> {
    let output = output(command)?;
    if output.code != 0 {
        bail!("{} ended with {}\n{}{}", display(command), output.code, output.stdout, output.stderr);
    }
    Ok(output)
}

/// A command as one would type it.
pub(crate) fn display(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let mut words = vec![program.to_string_lossy().into_owned()];
    words.extend(command.get_args().map(OsStr::to_string_lossy).map(|word| {
        if word.is_empty() || word.contains([' ', '"', '#', '*']) {
            format!("'{word}'")
        } else {
            word.into_owned()
        }
    }));
    words.join(" ")
}
