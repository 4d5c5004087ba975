//! `dice why`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use dice_route::MessageId;

use crate::Outcome;
use crate::commands::Output;
use crate::router::look::{Dossier, Look, Thing};
use crate::router::operator::Operator;
use crate::router::target;
use crate::screen::short;

/// Tell why something did or did not reach somebody.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A line as the log shows it, or the id (six digits of it or more) of a message, an episode, a notice, a group, a digest, a snooze or a silence.
    #[arg(value_name = "ID|LINE")]
    what: String,
    /// A catalog to find a line's message in; may be repeated.
    #[arg(long, value_name = "FILE")]
    catalog: Vec<PathBuf>,
    /// For a person or for a program.
    #[arg(long, value_enum, default_value_t = Output::Text, value_name = "FORMAT")]
    format: Output,
    #[command(flatten)]
    operator: Operator,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome> {
        let look = self.operator.look()?;
        let text = self.what.trim();
        let found = Thing::called(&look, text);
        let dossier = match &found[..] {
            [one] => Dossier::of(&look, one, None, None),
            [] => match self.of_catalog_or_line(&look, text)? {
                Some(dossier) => dossier,
                None => {
                    let mut err = anstream::stderr();
                    writeln!(err, "nothing in the state is called {}", short(text))?;
                    writeln!(
                        err,
                        "  next: list what there is with `dice episodes --all`, or give a line as the log shows it"
                    )?;
                    return Ok(Outcome::No);
                }
            },
            several => return Err(target::too_short(text, several.len())),
        };
        let mut out = anstream::AutoStream::auto(io::stdout()).lock();
        match self.format {
            Output::Json => {
                serde_json::to_writer(&mut out, &dossier)?;
                writeln!(out)?;
            }
            Output::Text => dossier.show(&mut out, &look)?,
        }
        Ok(Outcome::Done)
    }

    /// What is known of a message that the state does not have by this name; `None` when it is an id of nothing.
    fn of_catalog_or_line(&self, look: &Look, text: &str) -> Result<Option<Dossier>> {
        if target::is_id(text) {
            let id: Option<MessageId> = text.parse().ok();
            let message = id.and_then(|id| target::of_catalog(look, id, &self.catalog));
            return Ok(
                message.map(|message| Dossier::of(look, &Thing::Message(message.id), Some(&message), None))
            );
        }
        let event = target::read(look, text, &self.catalog)?;
        let thing = Thing::Message(event.message.id);
        Ok(Some(Dossier::of(look, &thing, Some(&Arc::clone(&event.message)), Some(&event))))
    }
}
