//! `dice assign`.

use std::path::PathBuf;

use anyhow::Result;
use dice_route::Act;

use crate::router::operator::{Operator, answered};
use crate::router::target;
use crate::{Failure, Outcome};

/// Name another owner of a message, or say that it isn't you.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A line as the log shows it, or the id of a message.
    #[arg(value_name = "MESSAGE")]
    message: String,
    /// The owner: #channel, @handle, a@b.c or @org/team.
    #[arg(value_name = "OWNER", required_unless_present_any = ["not_me", "undo"])]
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
    /// A catalog to find a line's message in; may be repeated.
    #[arg(long, value_name = "FILE")]
    catalog: Vec<PathBuf>,
    #[command(flatten)]
    operator: Operator,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome> {
        let message = match target::named(&self.message, &self.operator, &self.catalog)? {
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
}
