//! `dice reference`: the generated part of the README.

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::Result;

use crate::Outcome;

/// Print the command line reference in Markdown.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome> {
        let mut text = String::new();
        let mut root = crate::command();
        root.build();
        for command in root.get_subcommands().filter(|command| !command.is_hide_set()) {
            if command.get_name() == "help" {
                continue;
            }
            let about = command.get_about().map(|about| about.to_string()).unwrap_or_default();
            writeln!(text, "**`dice {}`** – {about}\n", command.get_name())?;
            writeln!(text, "| argument | meaning |\n|---|---|")?;
            for argument in command.get_arguments() {
                if argument.is_hide_set() || matches!(argument.get_id().as_str(), "help" | "verbose") {
                    continue;
                }
                let values: Vec<String> =
                    argument.get_value_names().unwrap_or_default().iter().map(ToString::to_string).collect();
                let value = values.join(" ");
                let name = match argument.get_long() {
                    Some(long) if argument.get_action().takes_values() => format!("--{long} {value}"),
                    Some(long) => format!("--{long}"),
                    None => value,
                };
                let help = argument.get_help().map(|help| help.to_string()).unwrap_or_default();
                writeln!(text, "| `{name}` | {} |", help.replace('|', "\\|").replace('\n', " "))?;
            }
            writeln!(text)?;
        }
        std::io::stdout().lock().write_all(text.as_bytes())?;
        Ok(Outcome::Done)
    }
}
