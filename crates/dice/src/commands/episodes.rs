//! `dice episodes`.

use std::io::{self, Write};

use anyhow::Result;

use crate::Outcome;
use crate::commands::Output;
use crate::router::look::{Trouble, incidents};
use crate::router::operator::Operator;

/// List what is open: episodes of rules, messages told as they happen, Dice's own troubles.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What has ended too.
    #[arg(long)]
    all: bool,
    /// For a person or for a program.
    #[arg(long, value_enum, default_value_t = Output::Text, value_name = "FORMAT")]
    format: Output,
    #[command(flatten)]
    operator: Operator,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome> {
        let look = self.operator.look()?;
        let mut out = anstream::AutoStream::auto(io::stdout()).lock();
        let troubles = Trouble::all(&look);
        let incidents = incidents(&look, self.all);
        if self.format == Output::Json {
            for trouble in &troubles {
                serde_json::to_writer(&mut out, trouble)?;
                writeln!(out)?;
            }
            for incident in &incidents {
                serde_json::to_writer(&mut out, incident)?;
                writeln!(out)?;
            }
            return Ok(Outcome::Done);
        }
        for trouble in &troubles {
            trouble.show(&mut out, &look)?;
        }
        for incident in &incidents {
            incident.show(&mut out, &look)?;
        }
        if incidents.is_empty() {
            writeln!(out, "{}", if self.all { "nothing has happened" } else { "nothing is open" })?;
        }
        Ok(Outcome::Done)
    }
}
