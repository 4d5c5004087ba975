//! `dice completions`.

use anyhow::Result;

use crate::Outcome;

/// Print a completion script for a shell.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The shell.
    shell: clap_complete::Shell,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome> {
        // The generator panics when its output is closed, so it writes to memory.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut crate::command(), "dice", &mut script);
        std::io::Write::write_all(&mut std::io::stdout().lock(), &script)?;
        Ok(Outcome::Done)
    }
}
