//! `dice loggers`.

use std::io::{self, Write};

use anyhow::Result;
use dice_extract::Logger;

use crate::commands::index::Sources;
use crate::screen::{FAINT, STRONG, plain, styled};
use crate::{Failure, Outcome};

/// Show which functions and macros were taken for loggers, and why.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only this name, with the whole chain of evidence.
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// The repository [default: the one of this directory].
    #[arg(long, value_name = "REPO")]
    repo: Option<std::path::PathBuf>,
    /// The revision to read instead of HEAD.
    #[arg(long, value_name = "REV")]
    rev: Option<String>,
    /// Read the files of the working tree, committed or not.
    #[arg(long, conflicts_with = "rev")]
    worktree: bool,
    /// A dice.toml to use instead of the repository's own.
    #[arg(long, value_name = "FILE")]
    config: Option<std::path::PathBuf>,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome> {
        let sources = Sources::one(self.repo.clone(), self.rev.clone(), self.worktree, self.config.clone());
        let indexed = sources.index(false)?;
        let mut out = anstream::AutoStream::auto(io::stdout()).lock();
        let mut is_any = false;
        for (_, loggers) in &indexed.loggers {
            for logger in loggers {
                if self.name.as_ref().is_some_and(|name| *name != logger.name) {
                    continue;
                }
                is_any = true;
                write_logger(&mut out, logger)?;
            }
        }
        if is_any {
            return Ok(Outcome::Done);
        }
        match &self.name {
            Some(name) => {
                writeln!(out, "{} was not taken for a logger", plain(name))?;
                writeln!(
                    out,
                    "  next: name it in dice.toml under [[logger]]; `dice init` writes an example"
                )?;
                Ok(Outcome::No)
            }
            None => Err(Failure::new(
                "wanted the loggers of the repository, found none",
                "point --repo at one with C or Rust code that logs",
            )
            .into()),
        }
    }
}

fn write_logger(out: &mut impl Write, logger: &Logger) -> io::Result<()> {
    let level = match (logger.level, logger.level_argument) {
        (Some(level), _) => level.to_string(),
        (None, Some(n)) => format!("level in argument {n}"),
        (None, None) => "level not known".to_owned(),
    };
    let format = match logger.format {
        Some(n) => format!("format in argument {n}, {}", logger.dialect),
        None if logger.dialect == "none" => "text of its own".to_owned(),
        None => format!("format: the first string, {}", logger.dialect),
    };
    let about = format!("{} {}, {}, {level}, {format}", logger.language, logger.form, logger.kind);
    writeln!(out, "{}  {}", styled(STRONG, &plain(&logger.name)), styled(FAINT, &about))?;
    for evidence in &logger.evidence {
        writeln!(out, "    {}", plain(evidence))?;
    }
    Ok(())
}
