//! The systemd journal.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use memchr::memmem;

use crate::outlet::{Feed, Outlet, Stopped};
use crate::pump::{Pump, Reading};
use crate::{Block, Position, Settings, Start};

/// What the partition is called.
pub(crate) const NAME: &str = "journal";

/// Milliseconds between two starts of the program at most.
const BACKOFF_MS: u64 = 60_000;

/// Bytes of the longest cursor.
const CURSOR_BYTES: usize = 1024;

/// Bytes that are kept of what the program complains about.
const COMPLAINT_BYTES: usize = 400;

/// Milliseconds that a program is given to end after its output has.
const END_MS: u64 = 500;

/// Runs the program, tells each record as a line, and runs it again behind the last record when it ends.
pub(crate) fn run(
    program: &Path,
    units: &[String],
    settings: &Settings,
    position: Position,
    outlet: &Outlet,
) -> Result<(), Stopped> {
    let mut feed = Feed::open(outlet, Position { within: None, ..position }, None)?;
    let mut backoff_ms = settings.backoff_ms;
    loop {
        let known = feed.position.lines;
        let why = match Running::start(program, &arguments(units, settings.start, &feed.position)) {
            Ok(mut running) => running.tell(&mut feed, settings)?,
            Err(error) => error.to_string(),
        };
        feed.position.within = None;
        feed.disconnected(format!("wanted to read the journal with {}, found: {why}", program.display()))?;
        if feed.position.lines > known {
            backoff_ms = settings.backoff_ms;
        }
        outlet.stop.wait(backoff_ms)?;
        backoff_ms = (backoff_ms * 2).min(BACKOFF_MS);
    }
}

fn arguments(units: &[String], start: Start, position: &Position) -> Vec<String> {
    // Without `--all` the journal leaves out what is long, without `--no-tail` what is old.
    let mut arguments: Vec<String> =
        ["--follow", "--output=json", "--all", "--quiet", "--no-pager"].map(str::to_owned).into();
    arguments.push(match (&position.cursor, start) {
        (None, Start::End) => "--lines=0".to_owned(),
        _ => "--no-tail".to_owned(),
    });
    arguments.extend(position.cursor.iter().map(|cursor| format!("--after-cursor={cursor}")));
    arguments.extend(units.iter().map(|unit| format!("--unit={unit}")));
    arguments
}

/// The program while it runs. Dropping it ends it.
struct Running {
    child: Child,
    complaint: Arc<Mutex<Vec<u8>>>,
    complains: Option<JoinHandle<()>>,
}

impl Running {
    fn start(program: &Path, arguments: &[String]) -> std::io::Result<Running> {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let complaint = Arc::new(Mutex::new(Vec::new()));
        let complains = child.stderr.take().map(|stderr| {
            let complaint = Arc::clone(&complaint);
            thread::spawn(move || keep_last(stderr, &complaint))
        });
        Ok(Running { child, complaint, complains })
    }

    /// Tells records until there are no more, and gives what ended it.
    fn tell(&mut self, feed: &mut Feed, settings: &Settings) -> Result<String, Stopped> {
        let Some(output) = self.child.stdout.take() else { return Ok("no output".to_owned()) };
        // A record that is not whole is told by the next start of the program.
        let reading = Reading { is_rest_told: false, quiet_ms: settings.poll_ms, after: note_cursor };
        let broken = Pump::start(output).run(feed, settings, reading)?;
        let mut waited_ms = 0;
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break Some(status),
                Ok(None) if waited_ms < END_MS => feed.outlet.stop.wait(10)?,
                Ok(None) | Err(_) => break None,
            }
            waited_ms += 10;
        };
        while waited_ms < END_MS && self.complains.as_ref().is_some_and(|thread| !thread.is_finished()) {
            feed.outlet.stop.wait(10)?;
            waited_ms += 10;
        }
        let ended = match (broken, status) {
            (Some(error), _) => error.to_string(),
            (None, Some(status)) => ending(status),
            (None, None) => "that its output ended".to_owned(),
        };
        let complaint = self.complaint.lock().unwrap_or_else(PoisonError::into_inner);
        let complaint = String::from_utf8_lossy(&complaint);
        let last = complaint.trim().lines().last().unwrap_or_default();
        Ok(if last.is_empty() { ended } else { format!("{ended}: {}", last.escape_debug()) })
    }
}

fn ending(status: ExitStatus) -> String {
    status.code().map_or_else(|| "that it was killed".to_owned(), |code| format!("that it ended with {code}"))
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Keeps the last bytes of what is written.
fn keep_last(mut input: impl Read, kept: &Mutex<Vec<u8>>) {
    let mut buffer = [0; COMPLAINT_BYTES];
    while let Ok(n_bytes @ 1..) = input.read(&mut buffer) {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(&buffer[..n_bytes]);
        let surplus = kept.len().saturating_sub(COMPLAINT_BYTES);
        kept.drain(..surplus);
    }
}

/// Notes what the journal calls its last record.
fn note_cursor(block: &Block, position: &mut Position) {
    if let Some(found) = block.iter().rev().find_map(cursor) {
        position.cursor = Some(found.to_owned());
    }
}

/// The value of `__CURSOR` in a record.
///
/// Nothing in a string of a record can be taken for it: a quote inside a string stands behind a backslash.
fn cursor(record: &[u8]) -> Option<&str> {
    const FIELD: &[u8] = b"\"__CURSOR\"";
    let mut rest = record;
    loop {
        rest = &rest[memmem::find(rest, FIELD)? + FIELD.len()..];
        let Some(value) = rest.trim_ascii_start().strip_prefix(b":") else { continue };
        let Some(value) = value.trim_ascii_start().strip_prefix(b"\"") else { continue };
        let end = value.iter().take(CURSOR_BYTES).position(|byte| *byte == b'"')?;
        return str::from_utf8(&value[..end]).ok().filter(|cursor| !cursor.contains('\\'));
    }
}

#[cfg(test)]
mod tests {
    use super::cursor;

    #[track_caller]
    fn check(record: &str, expected: Option<&str>) {
        assert_eq!(cursor(record.as_bytes()), expected, "{record}");
    }

    #[test]
    fn the_cursor_of_a_record_is_found_wherever_it_stands() {
        check(r#"{"__CURSOR":"s=1;i=2","MESSAGE":"x"}"#, Some("s=1;i=2"));
        check(r#"{"MESSAGE":"x", "__CURSOR" : "s=1;i=2"}"#, Some("s=1;i=2"));
        check(r#"{"MESSAGE":"x"}"#, None);
        check(r#"{"__CURSOR":null}"#, None);
    }

    #[test]
    fn a_message_cannot_pretend_to_be_a_cursor() {
        check(r#"{"MESSAGE":"\"__CURSOR\":\"evil\"","__CURSOR":"s=1"}"#, Some("s=1"));
        check(r#"{"MESSAGE":"__CURSOR","X":"evil","__CURSOR":"s=1"}"#, Some("s=1"));
        check(r#"{"__CURSOR":"evil\"}"#, None);
    }
}
