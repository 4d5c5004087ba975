//! `cargo xtask record`: runs the fixture programs and writes their logs, with what printed each line.
//!
//! Each program runs twice: as it is, and with the place of the statement in each message. Without the
//! places the two must be the same, line by line; so the truth comes from the compiler's own
//! `__FILE__:__LINE__` and not from matching text.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result, ensure};
use dice_testkit::{Fixture, Place, fixtures_dir};

use crate::program::{PROGRAMS, Program};

/// Records every fixture program.
pub(crate) fn run() -> Result<bool> {
    for program in PROGRAMS {
        let lines = record(program).with_context(|| format!("cannot record {}", program.name))?;
        let folder = fixtures_dir().join("logs");
        let log: String = lines.iter().map(|line| format!("{}\n", line.text)).collect();
        let mut truth = String::from("line_no\tsource_file\tsource_line\tkind\talt\n");
        for (n, line) in (1..).zip(&lines) {
            let kind = if line.continues { "cont" } else { "log" };
            writeln!(truth, "{n}\t{}\t{}\t{kind}\t", line.place.file, line.place.line)?;
        }
        fs::write(folder.join(format!("{}.log", program.name)), log)?;
        fs::write(folder.join(format!("{}.truth.tsv", program.name)), truth)?;
        println!("{}: {} lines", program.name, lines.len());
    }
    Ok(true)
}

/// A line of a log, and the statement that printed it.
struct Line {
    text: String,
    place: Place,
    continues: bool,
}

fn record(program: &Program) -> Result<Vec<Line>> {
    let fixture = Fixture::build(program.name);
    let plain = program.log(fixture.path(), false)?;
    let marked = program.log(fixture.path(), true)?;
    let mut runs = Vec::new();
    for (plain, marked) in plain.iter().zip(&marked) {
        runs.push(lines(plain, marked)?);
    }
    Ok(merged(runs))
}

fn lines(plain: &str, marked: &str) -> Result<Vec<Line>> {
    let mut lines: Vec<Line> = Vec::new();
    ensure!(plain.lines().count() == marked.lines().count(), "the two runs differ in length");
    for (plain, marked) in plain.lines().zip(marked.lines()) {
        let (place, continues) = match (mark(marked), lines.last()) {
            (Some((before, place, after)), _) => {
                ensure!(format!("{before}{after}") == plain, "the two runs differ: {plain}");
                (place, false)
            }
            (None, Some(last)) => (last.place.clone(), true),
            (None, None) => anyhow::bail!("the first line has no place: {marked}"),
        };
        lines.push(Line { text: plain.to_owned(), place, continues });
    }
    Ok(lines)
}

/// The text before the mark, the place in it, the text after it.
fn mark(line: &str) -> Option<(&str, Place, &str)> {
    let (before, rest) = line.split_once('<')?;
    let (place, after) = rest.split_once("> ")?;
    Some((before, Place::parse(place)?, after))
}

/// Several machines' logs as one, as a log server would write it: by time, a message's lines together.
fn merged(runs: Vec<Vec<Line>>) -> Vec<Line> {
    let mut messages: Vec<Vec<Line>> = Vec::new();
    for line in runs.into_iter().flatten() {
        match messages.last_mut() {
            Some(message) if line.continues => message.push(line),
            _ => messages.push(vec![line]),
        }
    }
    // The time stands first in every header here and sorts as text; the sort is stable, so a machine's
    // messages of one moment stay in order.
    messages.sort_by(|a, b| stamp(&a[0].text).cmp(stamp(&b[0].text)));
    messages.into_iter().flatten().collect()
}

fn stamp(line: &str) -> &str {
    &line[..line.len().min("2026-11-20 15:53:20".len())]
}
