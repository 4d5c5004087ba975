//! What operators' commands share: whom they ask, and how the answer is told.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use dice_config::Loaded;
use dice_route::book::Table;
use dice_route::{Act, Answer, Command, Config, Input, Router, Saved};
use dice_store::{Batch, Entry, JournalLine, Store};

use super::api::Managed;
use super::look::Look;
use super::plan;
use super::socket;
use crate::screen::plain;
use crate::{Failure, Outcome, clock, settings};

/// The notes row that says which configuration the state was made with.
const CONFIG_NOTE: &str = "service config";

/// Which state is meant, with which configuration, and who asks.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Operator {
    /// The state file [default: $DICE_STATE, else $XDG_STATE_HOME/dice/state.db].
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// The configuration, where no router runs [default: the one that the router used last].
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Who you are: a handle or an e-mail address [default: $DICE_ACTOR, else the user's name].
    #[arg(long = "as", value_name = "WHO")]
    pub(crate) actor: Option<String>,
}

impl Operator {
    /// Who asks.
    pub(crate) fn actor(&self) -> String {
        settings::actor(self.actor.as_deref())
    }

    /// Has `act` done: by the router that runs, or on the state file when none does.
    pub(crate) fn order(&self, act: Act) -> Result<Answer> {
        let state = settings::state_file(self.state.as_deref())?;
        let now = clock::now();
        let told = serde_json::to_vec(&act)?;
        let actor = self.actor();
        let id = dice_route::name(&[actor.as_bytes(), &told, &now.as_nanosecond().to_be_bytes()]);
        let command = Command { id: id.to_string(), actor, at_ms: now.as_millisecond(), act };
        if let Some(answer) = socket::ask(&state, &command)? {
            return Ok(answer);
        }
        self.order_alone(&state, command)
    }

    /// Has a command done on the state file itself.
    fn order_alone(&self, path: &Path, command: Command) -> Result<Answer> {
        if !path.exists() {
            return Err(no_state(path));
        }
        let mut store = open(path)?;
        let config = router_of(self.loaded(&store)?.as_ref());
        let mut router = restore(&store, config, command.at_ms)?;
        let line = ordered(&command);
        let answer = router.step(Input::Command(command)).ok_or_else(|| anyhow::anyhow!("no answer"))?;
        let batch = Batch { deltas: router.deltas(), journal: vec![line], ..Batch::default() };
        store.commit(&batch).map_err(|error| {
            Failure::new(
                "wanted to write the state",
                "make room or check the file's permissions, and ask again",
            )
            .because(error)
        })?;
        Ok(answer)
    }

    /// The state as of now, to look at, beside a router or without one; nothing that is done to it lasts.
    pub(crate) fn look(&self) -> Result<Look> {
        let path = settings::state_file(self.state.as_deref())?;
        if !path.exists() {
            return Err(no_state(&path));
        }
        let store = crate::commands::state::open_to_read(&path)?;
        let config = self.loaded(&store)?;
        let now_ms = clock::now().as_millisecond();
        let router = restore(&store, router_of(config.as_ref()), now_ms)?;
        Ok(Look { router, config, now_ms })
    }

    /// The configuration that is meant, with its file.
    fn loaded(&self, store: &Store) -> Result<Option<(PathBuf, Loaded)>> {
        let file = match &self.config {
            Some(file) => Some(file.clone()),
            None => noted_config(store)?,
        };
        let managed = Managed::of(store)?;
        file.map(|file| Ok((file.clone(), plan::read_config_under(&file, &managed.text())?))).transpose()
    }
}

/// The journal's line of a command.
pub(crate) fn ordered(command: &Command) -> JournalLine {
    JournalLine {
        at_ms: command.at_ms,
        what: "command".to_owned(),
        body: serde_json::to_string(command).expect("a command is strings and numbers"),
    }
}

fn router_of(loaded: Option<&(PathBuf, Loaded)>) -> Arc<Config> {
    loaded.map_or_else(Arc::default, |(_, loaded)| Arc::new(loaded.router.clone()))
}

/// Tells what became of a command.
pub(crate) fn answered(answer: Answer) -> Result<Outcome> {
    let mut out = anstream::AutoStream::auto(std::io::stdout()).lock();
    for line in answer.text.lines() {
        writeln!(out, "{}", plain(line))?;
    }
    Ok(if answer.is_done { Outcome::Done } else { Outcome::No })
}

/// The row that says which configuration a state is made with, to be committed with the first batch.
pub(crate) fn config_note(file: &Path) -> dice_route::book::Delta {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    dice_route::book::Delta::Put {
        table: Table::Notes,
        id: CONFIG_NOTE.to_owned(),
        body: serde_json::json!({ "file": file }).to_string(),
    }
}

fn noted_config(store: &Store) -> Result<Option<PathBuf>> {
    let mut file = None;
    store.entries(Table::Notes, |Entry { id, body, .. }| {
        if id == CONFIG_NOTE {
            let note: Option<serde_json::Value> = serde_json::from_str(&body).ok();
            file = note.and_then(|note| Some(PathBuf::from(note.get("file")?.as_str()?)));
        }
    })?;
    Ok(file.filter(|file| file.exists()))
}

fn no_state(path: &Path) -> anyhow::Error {
    Failure::new(
        format!("wanted the state in {}, found none", path.display()),
        "give the file that the router uses: --state FILE, or run `dice route --config router.toml` first",
    )
    .into()
}

/// Opens the state for writing.
pub(crate) fn open(path: &Path) -> Result<Store> {
    Store::open(path, clock::now().as_millisecond()).map_err(|error| {
        let next = if error.is_taken() {
            "stop the other router, or give this one a state of its own: --state FILE"
        } else if error.is_damaged() {
            "restore a backup, or move the file away to begin anew"
        } else if error.is_read_only() {
            "check the permissions of the file and its folder, or give another one: --state FILE"
        } else {
            "give another file: --state FILE"
        };
        Failure::new(format!("wanted to keep the state in {}", path.display()), next).because(error).into()
    })
}

/// The router that goes on from what is in `store`.
pub(crate) fn restore(store: &Store, config: Arc<Config>, now_ms: i64) -> Result<Router> {
    let mut saved = Vec::new();
    store.load(|each| {
        saved.push(match each {
            dice_store::Saved::Row(Entry { table, id, body }) => Saved::Row { table, id, body },
            dice_store::Saved::Cell(cell) => Saved::Cell(cell),
            dice_store::Saved::Waiting(waiting) => Saved::Waiting(waiting),
        });
    })?;
    let (router, problems) = Router::restore(config, now_ms, saved);
    for problem in problems {
        tracing::error!("a part of the state was not understood and is left out: {problem}");
    }
    Ok(router)
}
