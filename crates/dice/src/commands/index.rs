//! `dice index`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::Result;
use dice_catalog::Catalog;
use dice_index::{Config, Indexed, Options, Report, Request};
use indicatif::{ProgressBar, ProgressStyle};

use crate::screen::{STRONG, count, plain, styled};
use crate::{Failure, Outcome, clock, settings};

/// Read repositories and write the catalog of their log statements.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    sources: Sources,
    /// Where to write the catalog; `-` is standard output [default: .dice/catalog.jsonl in the first repository].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Do not ask git who wrote each statement.
    #[arg(long)]
    no_authors: bool,
    /// Say what was found: statements by language, kind, level and owner, files, problems, time.
    #[arg(long)]
    stats: bool,
}

/// Which repositories are read, and how: the same for every command that reads them.
#[derive(Debug, clap::Args)]
pub(super) struct Sources {
    /// Repositories [default: the one of this directory].
    #[arg(value_name = "REPO")]
    repos: Vec<PathBuf>,
    /// The revision to read instead of HEAD; once, or once per repository.
    #[arg(long, value_name = "REV")]
    rev: Vec<String>,
    /// Read the files of the working tree, committed or not.
    #[arg(long, conflicts_with = "rev")]
    worktree: bool,
    /// A dice.toml to use instead of the repositories' own.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Read submodules as well.
    #[arg(long)]
    submodules: bool,
    /// Threads [default: one per processor].
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
}

impl Sources {
    /// One repository.
    pub(super) fn one(
        repo: Option<PathBuf>,
        rev: Option<String>,
        worktree: bool,
        config: Option<PathBuf>,
    ) -> Sources {
        Sources {
            repos: repo.into_iter().collect(),
            rev: rev.into_iter().collect(),
            worktree,
            config,
            submodules: false,
            jobs: None,
        }
    }

    /// Reads the repositories.
    pub(super) fn index(&self, authors: bool) -> Result<Indexed> {
        let here = [PathBuf::from(".")];
        let repos = if self.repos.is_empty() { &here[..] } else { &self.repos };
        if self.rev.len() > 1 && self.rev.len() != repos.len() {
            return Err(Failure::new(
                format!(
                    "wanted one --rev, or one for each of {} repositories, found {}",
                    repos.len(),
                    self.rev.len()
                ),
                "give --rev once, or as often as there are repositories, in their order",
            )
            .into());
        }
        let requests: Vec<Request> = repos
            .iter()
            .enumerate()
            .map(|(i, path)| Request {
                path: path.clone(),
                rev: self.rev.get(i).or(self.rev.first()).cloned(),
                worktree: self.worktree,
            })
            .collect();
        let options = Options { config: self.config()?, authors, submodules: self.submodules };
        let pool =
            rayon::ThreadPoolBuilder::new().num_threads(self.jobs.map_or(0, NonZeroUsize::get)).build()?;
        let bar = progress_bar();
        let progress = |what: &str, done: usize, all: usize| {
            bar.set_message(what.to_owned());
            bar.set_length(all as u64);
            bar.set_position(done as u64);
        };
        let indexed = pool.install(|| dice_index::index(&requests, &options, &progress));
        bar.finish_and_clear();
        Ok(indexed?)
    }

    fn config(&self) -> Result<Option<Config>> {
        let Some(file) = &self.config else { return Ok(None) };
        let wanted = format!("wanted to use the configuration {}", file.display());
        let text = fs::read_to_string(file).map_err(|error| {
            Failure::new(wanted.clone(), "give --config a file that can be read").because(error)
        })?;
        let config = Config::parse(&text).map_err(|error| {
            Failure::new(wanted, "mend that line; the README shows every key").because(error)
        })?;
        Ok(Some(config))
    }
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome> {
        let start = clock::start();
        let indexed = self.sources.index(!self.no_authors)?;
        let to_stdout = self.out.as_deref() == Some(Path::new("-"));
        let out = match &self.out {
            Some(out) => out.clone(),
            None => indexed.root.join(settings::CATALOG),
        };
        if to_stdout {
            let stdout = io::BufWriter::new(io::stdout().lock());
            indexed.catalog.write(stdout)?;
        } else {
            write(&indexed.catalog, &out, self.out.is_none())?;
        }
        let report = &indexed.report;
        for (file, line, text) in &report.problems {
            let line = line.map_or(0, |line| line.get());
            tracing::info!(file = %plain(file), line, "not read as meant: {}", plain(text));
        }
        for warning in &report.warnings {
            tracing::warn!("{}", plain(warning));
        }
        let shown = if to_stdout { "standard output".to_owned() } else { out.display().to_string() };
        tracing::info!(
            statements = indexed.catalog.entries.len(),
            files = report.files,
            "wrote the catalog {shown}"
        );
        let mut err = anstream::stderr().lock();
        writeln!(err, "{}", summary(&indexed.catalog, report, &shown))?;
        if self.stats {
            write_stats(&mut err, &indexed, start.elapsed().as_secs_f64())?;
        }
        Ok(Outcome::Done)
    }
}

/// Writes the catalog beside its place and moves it there, so that a reader never sees half of one.
fn write(catalog: &Catalog, out: &Path, is_ours: bool) -> Result<()> {
    let wanted = |error: io::Error| {
        Failure::new(
            format!("wanted to write the catalog {}", out.display()),
            "give --out a file in a directory that can be written to",
        )
        .because(error)
    };
    let directory = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if is_ours {
        fs::create_dir_all(directory).map_err(wanted)?;
        // The folder is a by-product: git need not see it.
        let ignore = directory.join(".gitignore");
        if !ignore.exists() {
            fs::write(&ignore, "*\n").map_err(wanted)?;
        }
    }
    if fs::metadata(out).is_ok_and(|about| !about.is_file()) {
        // A pipe or a device cannot be replaced, only written to.
        let file = fs::OpenOptions::new().write(true).open(out).map_err(wanted)?;
        catalog.write(io::BufWriter::new(file)).map_err(wanted)?;
        return Ok(());
    }
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let beside = directory.join(name);
    let written = (|| {
        let mut file = io::BufWriter::new(fs::File::create(&beside)?);
        catalog.write(&mut file)?;
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&beside, out)
    })();
    written.map_err(|error| {
        let _ = fs::remove_file(&beside);
        wanted(error).into()
    })
}

fn progress_bar() -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {msg} {bar:30} {pos}/{len}");
    let bar = ProgressBar::new(0);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// One line: what was found, what was left out, where it went.
fn summary(catalog: &Catalog, report: &Report, shown: &str) -> String {
    let mut text = format!(
        "{} in {}",
        count(catalog.entries.len() as u64, "statement", "statements"),
        count(report.files as u64, "file", "files"),
    );
    let left_out: usize = report.left_out.iter().map(|each| each.files).sum();
    if left_out > 0 {
        let each: Vec<String> =
            report.left_out.iter().map(|each| format!("{} {}", each.files, each.why)).collect();
        text.push_str(&format!(
            "; left out {}: {}",
            count(left_out as u64, "file", "files"),
            each.join(", ")
        ));
    }
    if !report.submodules.is_empty() {
        let n = count(report.submodules.len() as u64, "submodule", "submodules");
        text.push_str(&format!("; {n} not entered (--submodules enters)"));
    }
    if !report.problems.is_empty() {
        let n = count(report.problems.len() as u64, "problem", "problems");
        text.push_str(&format!("; {n} (-v lists them)"));
    }
    text.push_str(&format!("\nwrote {}", plain(shown)));
    text
}

fn write_stats(out: &mut impl Write, indexed: &Indexed, seconds: f64) -> io::Result<()> {
    let entries = &indexed.catalog.entries;
    let tally = |of: &dyn Fn(&dice_catalog::Entry) -> String| {
        let mut counts = BTreeMap::<String, usize>::new();
        for entry in entries {
            *counts.entry(of(entry)).or_default() += 1;
        }
        counts
    };
    let tables = [
        ("language", tally(&|entry| entry.language.clone())),
        ("kind", tally(&|entry| entry.statement.kind.to_string())),
        (
            "level",
            tally(&|entry| entry.statement.level.map_or("unknown".to_owned(), |level| level.to_string())),
        ),
        (
            "owner by",
            tally(&|entry| entry.owners.first().map_or("nobody".to_owned(), |owner| owner.why.to_string())),
        ),
    ];
    for (name, counts) in tables {
        let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
        counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let counts: Vec<String> = counts.iter().map(|(word, n)| format!("{word} {n}")).collect();
        writeln!(out, "  {}  {}", styled(STRONG, &format!("{name:<9}")), counts.join(", "))?;
    }
    let report = &indexed.report;
    let files = format!("{} files, {:.1} MB", report.files, report.bytes as f64 / 1e6);
    writeln!(out, "  {}  {files}", styled(STRONG, &format!("{:<9}", "read")))?;
    for (file, line, text) in report.problems.iter().take(20) {
        let place = line.map_or_else(|| file.clone(), |line| format!("{file}:{line}"));
        writeln!(
            out,
            "  {}  {}: {}",
            styled(STRONG, &format!("{:<9}", "problem")),
            plain(&place),
            plain(text)
        )?;
    }
    if report.problems.len() > 20 {
        writeln!(out, "             and {} more problems", report.problems.len() - 20)?;
    }
    writeln!(out, "  {}  {seconds:.2} s", styled(STRONG, &format!("{:<9}", "time")))
}
