//! `dice assign`.

use std::path::PathBuf;

use anyhow::Result;
use dice_route::Act;

use crate::commands::Output;
use crate::router::look::Said;
use crate::router::operator::{Operator, answered};
use crate::router::target;
use crate::{Failure, Outcome};

/// Name another owner of a message, or say that it isn't you.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A line as the log shows it, or the id of a message.
    #[arg(value_name = "MESSAGE", required_unless_present = "list")]
    message: Option<String>,
    /// The owner: #channel, @handle, a@b.c or @org/team.
    #[arg(value_name = "OWNER", required_unless_present_any = ["not_me", "undo", "list"])]
    owner: Option<String>,
    /// It isn't you (with an owner: it is them); the next candidate gets it otherwise.
    #[arg(long)]
    not_me: bool,
    /// Take back what was said of this message.
    #[arg(long, conflicts_with_all = ["not_me", "owner"])]
    undo: bool,
    /// Why, for who reads the history.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// List what was said of owners, with who answers now and how it came to that.
    #[arg(long, conflicts_with_all = ["message", "not_me", "undo"])]
    list: bool,
    /// The list for a person or for a program.
    #[arg(long, value_enum, default_value_t = Output::Text, value_name = "FORMAT", requires = "list")]
    format: Output,
    /// A catalog to find a line's message in; may be repeated.
    #[arg(long, value_name = "FILE")]
    catalog: Vec<PathBuf>,
    #[command(flatten)]
    operator: Operator,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome> {
        if self.list {
            return self.list();
        }
        let named = self.message.as_deref().unwrap_or_default();
        let message = match target::named(named, &self.operator, &self.catalog)? {
            target::Named::Message(id) => id.to_string(),
            target::Named::Episode(id) => {
                return Err(Failure::new(
                    format!("wanted a message, found the episode {id}"),
                    "give the id of a message, or a line as the log shows it; `dice why` tells both",
                )
                .into());
            }
        };
        let reason = self.reason.clone();
        let act = match (&self.owner, self.not_me, self.undo) {
            (_, _, true) => Act::Unassign { message },
            (proposed, true, _) => Act::NotMe { message, person: None, proposed: proposed.clone(), reason },
            (Some(owner), ..) => Act::Assign { message, owner: owner.clone(), reason },
            (None, ..) => Act::Unassign { message },
        };
        answered(self.operator.order(act)?)
    }

    fn list(&self) -> Result<Outcome> {
        let look = self.operator.look()?;
        let all = Said::all(&look);
        self.format
            .list(&all, "nobody has said anything about an owner", |each, mut out| each.show(&mut out, &look))
    }
}
