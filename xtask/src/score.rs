//! `cargo xtask score`: how often Dice is right, on recordings whose truth is known.
//!
//! Without arguments, on the fixtures. With `--sets DIR --repos DIR` also on every folder of DIR that holds
//! `meta.json`, `log.txt.xz` and `truth.tsv.xz`, with the scorer `score-dice.py` of the same DIR; the
//! repository is found in `--repos` by the last part of its name and is only read from.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use dice_testkit::{Fixture, Recording, Score};
use serde_json::Value;

use crate::program::PROGRAMS;
use crate::workspace::{dice, fresh_folder, success};

/// What is measured, in percent.
struct Figures {
    name: String,
    lines: u64,
    /// Lines given to the right statement or to a set of twins that has it.
    right: f64,
    wrong: f64,
    /// Foreign lines that were given to a statement.
    foreign: f64,
    /// Statements of the log that are in the catalog; not known for the fixtures' own score.
    recall: Option<f64>,
}

/// What no change may fall below: right at least, wrong at most, foreign at most, recall at least. The goal
/// is 99, 0.2, 0.1 and 99.
const BARS: (f64, f64, f64, f64) = (96.0, 0.5, 1.0, 97.0);

/// Scores the fixtures and the sets, and prints a table; `false` when a bar is missed.
pub(crate) fn run(arguments: &[&str]) -> Result<bool> {
    let sets = match arguments {
        [] => None,
        ["--sets", sets, "--repos", repos] | ["--repos", repos, "--sets", sets] => Some((sets, repos)),
        _ => bail!("wanted `score` or `score --sets DIR --repos DIR`"),
    };
    let dice = dice(true)?;
    let folder = fresh_folder("score")?;
    let mut figures = Vec::new();
    for program in PROGRAMS {
        figures.push(fixture(&dice, &folder, program.name)?);
    }
    if let Some((sets, repos)) = sets {
        let (sets, repos) = (absolute(sets)?, absolute(repos)?);
        for set in folders_of_sets(&sets)? {
            let name = set.file_name().context("a set has a name")?.to_string_lossy().into_owned();
            let figure = scored_set(&dice, &folder.join(&name), &sets, &set, &repos)
                .with_context(|| format!("cannot score {name}"))?;
            figures.push(figure);
        }
    }
    println!(
        "{:<14} {:>7} {:>8} {:>8} {:>8} {:>8}",
        "set", "lines", "right %", "wrong %", "foreign %", "recall %"
    );
    for f in &figures {
        let recall = f.recall.map_or("-".to_owned(), |recall| format!("{recall:.2}"));
        let verdict = if f.is_good() { "" } else { "  below the bar" };
        let (name, lines) = (&f.name, f.lines);
        println!(
            "{name:<14} {lines:>7} {:>8.2} {:>8.2} {:>8.2} {recall:>8}{verdict}",
            f.right, f.wrong, f.foreign
        );
    }
    let (right, wrong, foreign, recall) = BARS;
    println!("{:<14} {:>7} {right:>8.2} {wrong:>8.2} {foreign:>8.2} {recall:>8.2}", "the bar", "");
    println!("\ncatalogs and answers are in target/score");
    Ok(figures.iter().all(Figures::is_good))
}

impl Figures {
    fn is_good(&self) -> bool {
        let (right, wrong, foreign, recall) = BARS;
        self.right >= right
            && self.wrong <= wrong
            && self.foreign <= foreign
            && self.recall.is_none_or(|found| found >= recall)
    }
}

fn fixture(dice: &Path, folder: &Path, name: &str) -> Result<Figures> {
    let fixture = Fixture::build(name);
    let recording = Recording::read(name);
    let catalog = folder.join(format!("{name}.jsonl"));
    success(Command::new(dice).arg("index").arg(fixture.path()).arg("--out").arg(&catalog))?;
    let log = dice_testkit::fixtures_dir().join("logs").join(format!("{name}.log"));
    let answers = success(route(dice, &catalog).arg(log))?.stdout;
    let score = Score::of(&recording.truth, &answers);
    Ok(Figures {
        name: name.to_owned(),
        lines: recording.truth.len() as u64,
        right: score.right_percent(),
        wrong: score.wrong_percent(),
        foreign: score.foreign_matched_percent(),
        recall: None,
    })
}

fn route(dice: &Path, catalog: &Path) -> Command {
    let mut command = Command::new(dice);
    command.args(["route", "--dry-run", "--format", "json", "--all", "--catalog"]).arg(catalog);
    command
}

fn absolute(path: &str) -> Result<PathBuf> {
    fs::canonicalize(path).with_context(|| format!("cannot find {path}"))
}

fn folders_of_sets(sets: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(sets).with_context(|| format!("cannot list {}", sets.display()))? {
        let folder = entry?.path();
        if folder.join("meta.json").is_file() {
            folders.push(folder);
        }
    }
    folders.sort();
    ensure!(!folders.is_empty(), "no folder of {} has a meta.json", sets.display());
    Ok(folders)
}

fn scored_set(dice: &Path, folder: &Path, sets: &Path, set: &Path, repos: &Path) -> Result<Figures> {
    let meta: Value = serde_json::from_slice(&fs::read(set.join("meta.json"))?)?;
    let text =
        |key: &str| meta.get(key).and_then(Value::as_str).with_context(|| format!("meta.json has no {key}"));
    let name = text("repo")?.rsplit('/').next().unwrap_or_default();
    fs::create_dir_all(folder)?;
    let checkout = folder.join(name);
    // A clone that borrows the objects: the repository itself is not touched.
    success(
        Command::new("git")
            .args(["clone", "--quiet", "--shared", "--no-checkout"])
            .arg(repos.join(name))
            .arg(&checkout),
    )?;
    success(Command::new("git").arg("-C").arg(&checkout).args([
        "checkout",
        "--quiet",
        "--detach",
        text("commit")?,
    ]))?;
    let (catalog, answers) = (folder.join("catalog.jsonl"), folder.join("answers.jsonl"));
    success(Command::new(dice).args(["index", "--no-authors"]).arg(&checkout).arg("--out").arg(&catalog))?;
    let log = folder.join("log.txt");
    unpack(&set.join("log.txt.xz"), &log)?;
    let status = route(dice, &catalog).stdin(File::open(&log)?).stdout(File::create(&answers)?).status()?;
    ensure!(status.success(), "dice route failed");
    let mut python = Command::new("python3");
    python.arg(sets.join("score-dice.py")).arg("--json").arg("--repo").arg(&checkout);
    let scored = success(python.arg(set).arg(&answers).arg(&catalog))?.stdout;
    let mut reports = scored.lines().map(serde_json::from_str::<Value>);
    let route = reports.next().context("the scorer said nothing of the answers")??;
    let extract = reports.next().context("the scorer said nothing of the catalog")??;
    let figure = |report: &Value, key: &str| report.get(key).and_then(Value::as_f64);
    Ok(Figures {
        name: set.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        lines: meta.get("lines").and_then(Value::as_u64).unwrap_or_default(),
        right: figure(&route, "twin_accuracy").context("the scorer gave no twin_accuracy")?,
        wrong: figure(&route, "wrong_pct").context("the scorer gave no wrong_pct")?,
        // A set without a foreign line has no such figure.
        foreign: figure(&route, "false_positive_pct").unwrap_or(0.0),
        recall: figure(&extract, "recall"),
    })
}

/// Unpacks with `xz`, or with Python where there is none.
fn unpack(packed: &Path, target: &Path) -> Result<()> {
    let xz = Command::new("xz")
        .arg("-dc")
        .arg(packed)
        .stdout(File::create(target)?)
        .stderr(Stdio::null())
        .status();
    if xz.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    let python = "import lzma, sys; sys.stdout.buffer.write(lzma.open(sys.argv[1]).read())";
    let status =
        Command::new("python3").args(["-c", python]).arg(packed).stdout(File::create(target)?).status()?;
    ensure!(status.success(), "neither xz nor python3 could unpack {}", packed.display());
    Ok(())
}
