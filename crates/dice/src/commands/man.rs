//! `dice man`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;

use crate::{Failure, Outcome};

/// Print a manual page, or write all of them into a directory.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The command whose page is wanted; without it, the page of `dice`.
    command: Option<String>,
    /// Write every page into this directory instead.
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    out: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome> {
        let root = crate::command();
        if let Some(directory) = &self.out {
            let wanted = || {
                Failure::new(
                    format!("wanted to write manual pages into {}", directory.display()),
                    "give a directory that can be written to",
                )
            };
            std::fs::create_dir_all(directory).map_err(|error| wanted().because(error))?;
            clap_mangen::generate_to(root, directory).map_err(|error| wanted().because(error))?;
            return Ok(Outcome::Done);
        }
        let page = match &self.command {
            None => root,
            Some(name) => {
                let found = root.find_subcommand(name).filter(|command| !command.is_hide_set());
                let Some(command) = found else {
                    let known: Vec<&str> =
                        root.get_subcommands().filter(|c| !c.is_hide_set()).map(|c| c.get_name()).collect();
                    let what = format!("wanted the manual page of a command, found no command `{name}`");
                    return Err(Failure::new(what, format!("choose one of {}", known.join(", "))).into());
                };
                command.clone().name(format!("dice-{name}")).bin_name(format!("dice {name}"))
            }
        };
        let mut text = Vec::new();
        clap_mangen::Man::new(page).render(&mut text)?;
        std::io::stdout().lock().write_all(&text)?;
        Ok(Outcome::Done)
    }
}
