//! A run of `dice` and what it said.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// The command `dice` in `folder`, away from what this machine and its user have set up.
pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dice"));
    command
        .args(arguments)
        .current_dir(folder)
        .env("HOME", folder)
        .env("XDG_CONFIG_HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CEILING_DIRECTORIES", std::env::temp_dir())
        .env("TZ", "UTC")
        .env_remove("DICE_CATALOG")
        .env_remove("DICE_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// What a run ended with.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs `dice` in `folder`.
pub(crate) fn dice(folder: &Path, arguments: &[&str]) -> Said {
    given(folder, arguments, "")
}

/// Runs `dice` in `folder` with `input` on its standard input.
pub(crate) fn given(folder: &Path, arguments: &[&str], input: &str) -> Said {
    let mut child = command(folder, arguments).stdin(Stdio::piped()).spawn().expect("dice can be started");
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    // A program that ends without reading closes the pipe, which is its right.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("dice ends");
    Said {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("dice prints UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("dice prints UTF-8"),
    }
}

impl Said {
    /// What it printed, where it ended well.
    #[track_caller]
    pub(crate) fn done(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }

    /// What it printed as JSON, an object a line, where it ended well.
    #[track_caller]
    pub(crate) fn objects(self) -> Vec<serde_json::Value> {
        objects(&self.done())
    }
}

/// The objects of a text with one a line.
#[track_caller]
pub(crate) fn objects(text: &str) -> Vec<serde_json::Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}
