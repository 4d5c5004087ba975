//! A place where a router works: a repository with its catalog, a configuration, a log, a state.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use dice_testkit::Fixture;
use jiff::Timestamp;
use serde_json::Value;

use crate::program::{Said, command, dice};

/// A repository that is indexed, with a `router.toml`.
pub(crate) struct Site {
    fixture: Fixture,
}

impl Site {
    /// The mail program's repository with this configuration.
    pub(crate) fn new(config: &str) -> Site {
        let fixture = Fixture::build("petrel");
        dice(fixture.path(), &["index"]).done();
        let head = "state = \"state.db\"\ncatalog = [\".dice/catalog.jsonl\"]\n";
        std::fs::write(fixture.path().join("router.toml"), format!("{head}{config}")).unwrap();
        Site { fixture }
    }

    pub(crate) fn path(&self) -> &Path {
        self.fixture.path()
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    /// Runs a command about the state.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Said {
        dice(self.path(), &[arguments, &["--state", "state.db", "--as", "@ann"]].concat())
    }

    /// The objects that a command about the state prints.
    #[track_caller]
    pub(crate) fn objects(&self, arguments: &[&str]) -> Vec<Value> {
        self.ask(&[arguments, &["--format", "json"]].concat()).objects()
    }

    /// Starts a router that reads standard input.
    pub(crate) fn start(&self) -> Running {
        self.start_with(&[])
    }

    /// Starts a router that reads standard input and finds these in its environment.
    pub(crate) fn start_with(&self, secrets: &[(&str, &str)]) -> Running {
        self.start_on(&["-"], secrets)
    }

    /// The same, reading these files, or where there are none, the sources of `router.toml`.
    pub(crate) fn start_on(&self, files: &[&str], secrets: &[(&str, &str)]) -> Running {
        let arguments = ["route", "--config", "router.toml", "--state", "state.db", "--format", "json"];
        let mut command = command(self.path(), &[&arguments, files].concat());
        let mut child = command.envs(secrets.iter().copied()).stdin(Stdio::piped()).spawn().unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        Running { child, input, output }
    }
}

/// A router that is at work.
pub(crate) struct Running {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Running {
    /// Gives it lines to read.
    pub(crate) fn read(&mut self, lines: &str) {
        let input = self.input.as_mut().unwrap();
        input.write_all(lines.as_bytes()).unwrap();
        input.flush().unwrap();
    }

    /// The next notice for which `is_it` is true, and those before it.
    #[track_caller]
    pub(crate) fn notices_until(&mut self, is_it: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut notices = Vec::new();
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "it ended after {notices:?}");
            notices.push(serde_json::from_str(&line).unwrap());
            if is_it(notices.last().unwrap()) {
                return notices;
            }
        }
    }

    /// Ends the input and waits for the end.
    pub(crate) fn end(mut self) {
        self.input = None;
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut self.output, &mut rest).unwrap();
        assert!(self.child.wait().unwrap().success());
    }

    /// Kills it.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// The time so many milliseconds from now, as a log shows it.
#[expect(clippy::disallowed_methods, reason = "a router that runs lives in the time of the clock")]
pub(crate) fn time(from_now_ms: i64) -> String {
    let now = Timestamp::now().as_millisecond();
    Timestamp::from_millisecond(now + from_now_ms).unwrap().strftime("%FT%T%.6f+00:00").to_string()
}

/// A line of the mail program, so many milliseconds from now.
pub(crate) fn line(from_now_ms: i64, host: &str, message: &str) -> String {
    format!("{} {host} petrel[7]: {message}\n", time(from_now_ms))
}
