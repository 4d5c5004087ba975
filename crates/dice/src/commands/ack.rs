//! `dice ack`.

use anyhow::Result;
use dice_route::Act;

use crate::Outcome;
use crate::router::operator::{Operator, answered};

/// Say that you are on it: the escalation of an episode stops.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The episode's id, or its first digits; `dice episodes` lists them.
    #[arg(value_name = "EPISODE")]
    episode: String,
    /// You are not on it after all: the escalation goes on.
    #[arg(long, conflicts_with = "resolve")]
    undo: bool,
    /// It is over: the episode ends.
    #[arg(long)]
    resolve: bool,
    #[command(flatten)]
    operator: Operator,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome> {
        let episode = self.episode.clone();
        let act = match (self.undo, self.resolve) {
            (true, _) => Act::Unack { episode },
            (_, true) => Act::Resolve { episode },
            _ => Act::Ack { episode },
        };
        answered(self.operator.order(act)?)
    }
}
