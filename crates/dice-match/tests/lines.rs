//! Lines of many programs, and what is peeled off them: `lines/*.txt`.
//!
//! A line after `> ` is read; the indented line after it is what must come out. `⇥` stands for a tab, `␛`
//! for an escape. Each file is one source. `DICE_RECORD=1` writes what comes out; then look at the diff.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use dice_match::{Envelope, Reader, ReaderSettings};
use jiff::tz::TimeZone;

fn reader() -> Reader {
    let near = "2026-11-20T16:00:00Z".parse().unwrap();
    Reader::new(ReaderSettings { format: None, zone: TimeZone::UTC, year: None, near })
}

/// An envelope as one line of text.
fn told(envelope: &Envelope<'_>) -> String {
    let mut told = envelope.format.unwrap_or("no-header").to_owned();
    let mut tell = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            write!(told, " {name}={value}").unwrap();
        }
    };
    let text = |text: &Option<std::borrow::Cow<'_, str>>| text.as_ref().map(|text| text.to_string());
    tell("time", envelope.time.map(|time| time.to_string()));
    tell("level", envelope.level.map(|level| level.to_string()));
    tell("host", text(&envelope.host));
    tell("service", text(&envelope.service));
    tell("pid", text(&envelope.pid));
    tell("target", text(&envelope.target));
    tell("function", text(&envelope.function));
    tell("file", text(&envelope.file));
    tell("line", envelope.line.map(|line| line.to_string()));
    tell("id", text(&envelope.message_id));
    for (name, value) in &envelope.fields {
        tell(&format!("[{name}]"), Some(value.to_string()));
    }
    for (flag, name) in [
        (envelope.uncut.is_some(), "guessed"),
        (envelope.is_access, "access"),
        (envelope.is_partial, "partial"),
        (envelope.is_continuation, "continuation"),
    ] {
        if flag {
            write!(told, " {name}").unwrap();
        }
    }
    let message = String::from_utf8_lossy(&envelope.message);
    write!(told, " | {message}").unwrap();
    told.replace('\t', "⇥").replace('\n', "⏎")
}

#[track_caller]
fn check(path: &Path) {
    let recorded = fs::read_to_string(path).unwrap();
    let mut reader = reader();
    let mut now = String::new();
    for line in recorded.lines() {
        if let Some(line) = line.strip_prefix("> ") {
            let raw = line.replace('⇥', "\t").replace('␛', "\x1b");
            let envelope = reader.read(raw.as_bytes());
            writeln!(now, "> {line}\n  {}", told(&envelope)).unwrap();
            // What came before matters only to lines that go on with it.
            if !envelope.is_continuation && envelope.format != Some("rust-panic") {
                assert_eq!(told(&self::reader().read(raw.as_bytes())), told(&envelope));
            }
        } else if !line.starts_with("  ") {
            writeln!(now, "{line}").unwrap();
        }
    }
    #[expect(clippy::disallowed_methods, reason = "the one setting of this test")]
    if std::env::var_os("DICE_RECORD").is_some() {
        fs::write(path, &now).unwrap();
    } else {
        for (recorded, now) in recorded.lines().zip(now.lines()) {
            assert_eq!(now, recorded, "{}", path.display());
        }
        assert_eq!(now, recorded, "{}", path.display());
    }
}

#[test]
fn every_sample_is_peeled_as_recorded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lines");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        check(&path);
    }
}
