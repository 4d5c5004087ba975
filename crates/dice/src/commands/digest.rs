//! `dice digest`.

use std::io::{self, Write};

use anyhow::Result;

use crate::Outcome;
use crate::commands::Output;
use crate::router::look::Waiting;
use crate::router::operator::Operator;
use crate::screen::plain;

/// Say whose digests are gathered, when each is told, and whether it is held and why.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only for this person (@handle or e-mail address), #channel or @org/team.
    #[arg(value_name = "WHO")]
    who: Option<String>,
    /// Also show what each would say now.
    #[arg(long)]
    preview: bool,
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
        let all = Waiting::all(&look, self.who.as_deref());
        if all.is_empty() && self.format == Output::Text {
            let whom = self.who.as_deref().unwrap_or("anybody");
            writeln!(out, "nothing is gathered for {}", plain(whom))?;
        }
        for waiting in all {
            let waiting = if self.preview { waiting } else { waiting.in_short() };
            match self.format {
                Output::Json => {
                    serde_json::to_writer(&mut out, &waiting)?;
                    writeln!(out)?;
                }
                Output::Text => waiting.show(&mut out, &look)?,
            }
        }
        Ok(Outcome::Done)
    }
}
