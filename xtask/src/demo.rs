//! `cargo xtask demo`: Dice on the fixture programs and on itself, from source text to a digest.
//!
//! Needs cargo, git and a C compiler for Dice's own dependencies; sends nothing and writes below
//! `target/demo` only.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use dice_testkit::{Made, Recording, Score, fixtures_dir};
use serde_json::Value;

use crate::program::PROGRAMS;
use crate::workspace::{dice, display, fresh_folder, output, root, success};

/// The founding examples: what is printed, who owns it and why.
const FOUNDING: &[(&str, &str, &str)] = &[
    ("hello cruel world", "#hello-worlders", "annotation"),
    ("the sky is crying", "@elmore", "annotation"),
    ("it hurts me too", "pig@pen.mssn", "author"),
];

/// So long after the last line of petrel's log everybody has had a digest, also who had a day off.
const AFTERWARDS: &str = "74h";

/// What the rules of petrel come to: whom the notices reach, and what they are.
const TOLD: &[&str] = &[
    "#mail  1 open, 1 over: web-1 reaches no relay",
    "escalated: not acknowledged for 10 m",
    "bela@petrel.example  escalated: not acknowledged for 25 m",
    "digest  @bela  Digest for Friday, 20 November 2026",
    "digest  @cleo  Digest for Monday, 23 November 2026",
];

/// Lines of Dice's own log that are shown.
const SHOWN: usize = 12;

/// Shows everything; fails where something is not as it should be.
pub(crate) fn run() -> Result<bool> {
    heading("Building dice");
    let dice = dice(false)?;
    let demo = Demo { dice, folder: fresh_folder("demo")? };
    for program in PROGRAMS {
        demo.fixture(program.name).with_context(|| format!("{} failed", program.name))?;
    }
    demo.router().context("the rules of petrel failed")?;
    demo.itself().context("Dice on itself failed")?;
    heading("Done: nothing was sent, and what was made is in target/demo");
    Ok(true)
}

fn heading(text: &str) {
    println!("\n=== {text}\n");
}

struct Demo {
    dice: PathBuf,
    folder: PathBuf,
}

impl Demo {
    /// A command of dice; it runs where the demo leaves its files, so that what is shown can be typed.
    fn dice(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.dice);
        command.args(arguments).current_dir(&self.folder);
        command
    }

    /// Runs a command of dice and shows it with what it says.
    fn show(&self, arguments: &[&str]) -> Result<String> {
        let mut command = self.dice(arguments);
        println!("$ {}", display(&command));
        let output = success(&mut command)?;
        print!("{}{}", output.stderr, output.stdout);
        println!();
        Ok(output.stdout)
    }

    fn fixture(&self, name: &str) -> Result<()> {
        heading(&format!("{name}: from its source to its owners"));
        let source = fixtures_dir().join("repos").join(name);
        let made = Made::in_folder(&source, &self.folder.join(name));
        println!("git log of the fixture repository:");
        let mut log = Command::new("git");
        log.arg("-C").arg(made.path()).args(["log", "--reverse", "--format=  %h %<(24,trunc)%an %s"]);
        println!("{}", success(&mut log)?.stdout);
        let catalog = format!("{name}/.dice/catalog.jsonl");
        self.show(&["index", name, "--stats"])?;
        if name == "founding" {
            self.founding(&catalog)?;
        }
        let recorded = fixtures_dir().join("logs").join(format!("{name}.log"));
        let log = format!("{name}.log");
        fs::copy(recorded, self.folder.join(&log)).context("cannot copy the recorded log")?;
        self.show(&["route", "--catalog", &catalog, &log])?;
        let json = ["route", "--dry-run", "--format", "json", "--all", "--catalog", &catalog, &log];
        let answers = success(&mut self.dice(&json))?.stdout;
        let score = Score::of(&Recording::read(name).truth, &answers);
        println!(
            "Against what the compiler says printed each line: {:.1} % of {} messages right, {:.1} % wrong.",
            score.right_percent(),
            score.lines,
            score.wrong_percent(),
        );
        ensure!(score.wrong.is_empty(), "lines were given to a wrong statement: {:?}", score.wrong);
        Ok(())
    }

    /// The three examples that Dice was founded on have the owners that they say.
    fn founding(&self, catalog: &str) -> Result<()> {
        for (line, owner, why) in FOUNDING {
            self.show(&["who", "--catalog", catalog, line])?;
            let json = ["who", "--catalog", catalog, "--format", "json", line];
            let answer: Value = serde_json::from_str(&success(&mut self.dice(&json))?.stdout)?;
            let owners = answer.get("owners").and_then(Value::as_array).context("no owners")?;
            let found: Vec<_> = owners
                .iter()
                .map(|found| (found["name"].as_str().unwrap_or(""), found["why"].as_str().unwrap_or("")))
                .collect();
            ensure!(found == [(*owner, *why)], "`{line}`: wanted {owner} by {why}, found {found:?}");
        }
        Ok(())
    }

    /// Rules, digests and escalation for petrel: tried, tried on its log, and told as they would be.
    fn router(&self) -> Result<()> {
        heading("petrel: from its log to a digest and an escalation");
        let config = "petrel/router.toml";
        copy_files(&fixtures_dir().join("router/petrel"), &self.folder.join("petrel"), &["toml"])?;
        self.show(&["rules", "explain", "--config", config, "relays-down", "relay-gone"])?;
        self.show(&["rules", "test", "--config", config])?;
        self.show(&["rules", "backtest", "--config", config, "--brief", "petrel.log"])?;
        let arguments = ["route", "--dry-run", "--config", config, "--afterwards", AFTERWARDS, "petrel.log"];
        let told = self.show(&arguments)?;
        for part in TOLD {
            ensure!(told.contains(part), "nobody was told `{part}`");
        }
        println!(
            "Nobody acknowledged, so others heard; what could wait came at its reader's time, on a day of work."
        );
        Ok(())
    }

    /// Dice's own statements, and the log that it writes while it indexes itself.
    fn itself(&self) -> Result<()> {
        heading("dice: its own source, its own log");
        let repository = self.repository()?;
        let repository = repository.to_str().context("this folder's name is not UTF-8")?;
        let catalog = "dice.jsonl";
        // A catalog that an empty repository would have: something to be warned of.
        fs::write(self.folder.join("empty.jsonl"), "{\"dice_catalog\":1,\"tool\":\"demo\",\"repos\":[]}\n")?;
        let mut said = String::new();
        for arguments in [
            &["-vv", "index", repository, "--out", catalog][..],
            &["-vv", "route", "--catalog", "petrel/.dice/catalog.jsonl", "petrel.log"],
            &["-vv", "route", "--catalog", "empty.jsonl", "petrel.log"],
        ] {
            let mut command = self.dice(arguments);
            println!("$ {} 2>> dice.log", display(&command));
            said += &success(&mut command)?.stderr;
        }
        fs::write(self.folder.join("dice.log"), &said).context("cannot keep Dice's own log")?;
        println!("\n{said}");
        self.show(&["route", "--catalog", catalog, "dice.log"])?;

        let json = ["route", "--format", "json", "--catalog", catalog, "dice.log"];
        let answers = success(&mut self.dice(&json))?.stdout;
        let answers: Vec<Value> =
            answers.lines().map(serde_json::from_str).collect::<Result<_, _>>().context("not JSON")?;
        println!("Who wrote the statements behind its lines:");
        for answer in answers.iter().take(SHOWN) {
            let owners: Vec<_> = answer["owners"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|owner| owner["name"].as_str().unwrap_or(""))
                .collect();
            let word = |key: &str| answer[key].as_str().unwrap_or("-").to_owned();
            let owners = if owners.is_empty() { "nobody known".to_owned() } else { owners.join(", ") };
            println!(
                "  {:>4}  {:<7} {}:{}  {:?}  {owners}",
                answer["line"],
                word("level"),
                word("file"),
                answer["source_line"],
                word("template"),
            );
        }
        ensure!(!answers.is_empty(), "no line of Dice's own log found its statement");
        Ok(())
    }

    /// This repository, or a stand-in with the same files where it came without its history.
    fn repository(&self) -> Result<PathBuf> {
        let root = root();
        let git = |arguments: &[&str], folder: &Path| {
            let mut command = Command::new("git");
            command.arg("-C").arg(folder).args(arguments);
            output(&mut command)
        };
        let top = git(&["rev-parse", "--show-toplevel"], &root)?;
        let is_repository = top.code == 0
            && fs::canonicalize(top.stdout.trim()).ok() == fs::canonicalize(&root).ok()
            && git(&["rev-parse", "--verify", "HEAD"], &root)?.code == 0;
        if is_repository {
            if git(&["rev-parse", "--is-shallow-repository"], &root)?.stdout.trim() == "true" {
                println!("This checkout is shallow: lines older than it reaches have no known author.\n");
            }
            return Ok(root);
        }
        println!("This folder is not a git checkout: a copy is committed as one, by nobody.\n");
        let copy = self.folder.join("dice");
        for folder in ["crates", "xtask"] {
            copy_files(&root.join(folder), &copy.join(folder), &["rs", "toml"])?;
        }
        let who = ["-c", "user.name=nobody", "-c", "user.email=nobody@dice.example"];
        for arguments in [&["init", "--quiet"][..], &["add", "."], &["commit", "--quiet", "-m", "As it came"]]
        {
            let done = git(&[&who[..], arguments].concat(), &copy)?;
            ensure!(done.code == 0, "git {} failed: {}", arguments[0], done.stderr);
        }
        Ok(copy)
    }
}

/// Copies the files below `source` that end so.
fn copy_files(source: &Path, target: &Path, ends: &[&str]) -> Result<()> {
    fs::create_dir_all(target)?;
    for entry in fs::read_dir(source)? {
        let path = entry?.path();
        let target = target.join(path.file_name().unwrap_or_default());
        if path.is_dir() && !path.ends_with("target") {
            copy_files(&path, &target, ends)?;
        } else if path.extension().is_some_and(|known| ends.iter().any(|end| known == *end)) {
            fs::copy(&path, &target)?;
        }
    }
    Ok(())
}
