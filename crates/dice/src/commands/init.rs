//! `dice init`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Result;
use dice_catalog::Kind;
use dice_extract::Logger;
use dice_index::Indexed;

use crate::commands::index::Sources;
use crate::screen::plain;
use crate::{Failure, Outcome};

/// Write a commented dice.toml from what is found in the repository.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The repository [default: the one of this directory].
    #[arg(value_name = "REPO")]
    repo: Option<PathBuf>,
    /// Replace a dice.toml that is there.
    #[arg(long)]
    force: bool,
}

/// Loggers that are listed; a repository with more is better served by `dice loggers`.
const MAX_LISTED: usize = 40;

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome> {
        let indexed = Sources::one(self.repo.clone(), None, true, None).index(false)?;
        let file = indexed.root.join("dice.toml");
        if file.exists() && !self.force {
            return Err(Failure::new(
                format!("wanted to write {}, found one there", file.display()),
                "edit it, or replace it with --force",
            )
            .into());
        }
        fs::write(&file, text(&indexed)).map_err(|error| {
            Failure::new(format!("wanted to write {}", file.display()), "make the directory writable")
                .because(error)
        })?;
        let mut err = anstream::stderr().lock();
        writeln!(err, "wrote {}", plain(&file.display().to_string()))?;
        writeln!(err, "commit it, or use it as it is with `dice index --worktree`")?;
        Ok(Outcome::Done)
    }
}

/// The file: every key commented out with the value that holds without it.
fn text(indexed: &Indexed) -> String {
    let name = indexed.catalog.repos.first().map_or("app", |repo| repo.name.as_str());
    let mut text = format!(
        "# What Dice should know about this repository. Everything is optional. `dice index` reads this\n\
         # file as it is committed; --worktree and --config read it as it is here.\n\
         \n\
         [index]\n\
         # name = {name}\n\
         # ignore_paths = [\"tests/**\"]   # for example; nothing without this line\n\
         # ignore_names = []          # names that are no loggers, whatever they look like\n\
         # vendored = false           # read vendor/, third_party/, deps/ and the like as well\n\
         # kinds = [\"log\", \"stderr\", \"fatal\", \"assert\"]\n\
         \n\
         [owners]\n\
         # order = [\"annotation\", \"author\", \"owners\", \"codeowners\"]\n\
         # fallback = \"#triage\"       # who answers when nobody else is found\n\
         # bots = [\"ci@corp.example\"] # who else is no person, besides names and addresses of `[bot]`\n\
         # left = []                  # e-mail addresses of who has left\n\
         # inactive_after = 180       # days without a commit; off without this line\n\
         \n\
         [owners.paths]\n\
         # \"src/net/*\" = \"#network\"\n\
         \n\
         [people]                     # e-mail address to handle\n\
         # \"pig@pen.mssn\" = \"@pig\"\n\
         \n\
         [constants]                  # values of format macros that are not defined in the tree\n\
         # FMT_IF = \"%s\"\n",
        name = quoted(name),
    );
    let found: Vec<&Logger> = indexed
        .loggers
        .iter()
        .flat_map(|(_, loggers)| loggers)
        .filter(|logger| matches!(logger.kind, Kind::Log | Kind::Fatal))
        .collect();
    let names: BTreeSet<(&str, &str)> =
        found.iter().map(|logger| (logger.language, logger.name.as_str())).collect();
    let _ = write!(
        text,
        "\n# {} found as loggers (`dice loggers` tells why):\n",
        crate::screen::count(names.len() as u64, "name was", "names were")
    );
    for (language, name) in names.iter().take(MAX_LISTED) {
        let _ = writeln!(text, "#   {language}  {}", plain(name));
    }
    if names.len() > MAX_LISTED {
        let _ = writeln!(text, "#   and {} more", names.len() - MAX_LISTED);
    }
    let lang = found.first().map_or("c", |logger| logger.language);
    let _ = write!(
        text,
        "# One that was missed, or understood wrongly, is named like this and wins over what is found:\n\
         # [[logger]]\n\
         # lang = {lang}\n\
         # form = \"macro\"             # or call, method\n\
         # names = [\"my_log\"]\n\
         # fmt = 1                    # which argument is the format, counted from 0\n\
         # level = \"arg:0\"            # or a level, or \"name\": the name tells\n\
         # kind = \"log\"\n",
        lang = quoted(lang),
    );
    text
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
