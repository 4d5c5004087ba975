//! `dice state`.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Result;
use dice_store::{Store, views};

use crate::screen::{FAINT, STRONG, count, plain, styled};
use crate::{Failure, Outcome, settings};

/// Look after the state file.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
    /// The state file [default: $DICE_STATE, else $XDG_STATE_HOME/dice/state.db].
    #[arg(long, value_name = "FILE", global = true)]
    state: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Copy the state into a new file, while a router may go on writing.
    Backup {
        /// The file to write; it must not be there yet.
        #[arg(value_name = "TO")]
        to: PathBuf,
    },
    /// Read everything once and say what is there and what is wrong.
    Check,
    /// List the views that `sqlite3` can be asked, each with the question it answers.
    Views,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome> {
        let mut out = anstream::AutoStream::auto(io::stdout()).lock();
        if let What::Views = self.what {
            for (name, question) in views() {
                writeln!(out, "{}  {question}", styled(STRONG, &format!("{name:<18}")))?;
            }
            return Ok(Outcome::Done);
        }
        let path = settings::state_file(self.state.as_deref())?;
        let store = open_to_read(&path)?;
        match &self.what {
            What::Backup { to } => {
                store.backup(to).map_err(|error| {
                    Failure::new(
                        format!("wanted to copy the state to {}", to.display()),
                        "choose a file that is not there yet, in a folder that can be written",
                    )
                    .because(error)
                })?;
                writeln!(out, "copied {} to {}", path.display(), to.display())?;
                Ok(Outcome::Done)
            }
            What::Check => {
                let report = store.check().map_err(|error| {
                    Failure::new(
                        format!("wanted to check {}", path.display()),
                        "restore a backup, or move the file away to begin anew",
                    )
                    .because(error)
                })?;
                writeln!(out, "{}  {}", path.display(), count(report.bytes, "byte", "bytes"))?;
                for (table, rows) in report.rows.iter().filter(|(_, rows)| **rows > 0) {
                    writeln!(out, "  {rows:>10}  {}", styled(FAINT, table))?;
                }
                for problem in &report.problems {
                    writeln!(out, "wrong: {}", plain(problem))?;
                }
                if report.problems.is_empty() {
                    writeln!(out, "nothing is wrong")?;
                    return Ok(Outcome::Done);
                }
                Ok(Outcome::No)
            }
            What::Views => Ok(Outcome::Done),
        }
    }
}

/// Opens the state for reading, beside a router or without one.
pub(crate) fn open_to_read(path: &std::path::Path) -> Result<Store> {
    Store::open_to_read(path).map_err(|error| {
        let next = if error.is_damaged() {
            "restore a backup, or move the file away to begin anew"
        } else {
            "give the file that the router uses: --state FILE, or run `dice route --config router.toml` first"
        };
        Failure::new(format!("wanted to read the state in {}", path.display()), next).because(error).into()
    })
}
