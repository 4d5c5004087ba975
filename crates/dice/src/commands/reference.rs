//! `dice reference`: the generated part of the README.

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::Result;

use crate::Outcome;

/// Print the command line reference in Markdown.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Print the reference of router.toml instead.
    #[arg(long)]
    router: bool,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome> {
        let mut text = String::new();
        if self.router {
            text = dice_config::schema::markdown();
        } else {
            let mut root = crate::command();
            root.build();
            commands(&root, "dice", &mut text)?;
        }
        std::io::stdout().lock().write_all(text.as_bytes())?;
        Ok(Outcome::Done)
    }
}

/// The commands below one that is called `path`, and those below them.
fn commands(parent: &clap::Command, path: &str, text: &mut String) -> Result<()> {
    for command in parent.get_subcommands().filter(|command| !command.is_hide_set()) {
        if command.get_name() == "help" {
            continue;
        }
        let path = format!("{path} {}", command.get_name());
        let about = command.get_about().map(|about| about.to_string()).unwrap_or_default();
        writeln!(text, "**`{path}`** – {about}\n")?;
        let arguments: Vec<_> = command
            .get_arguments()
            .filter(|each| !each.is_hide_set() && !matches!(each.get_id().as_str(), "help" | "verbose"))
            .collect();
        if !arguments.is_empty() {
            writeln!(text, "| argument | meaning |\n|---|---|")?;
        }
        for argument in &arguments {
            let values: Vec<String> =
                argument.get_value_names().unwrap_or_default().iter().map(ToString::to_string).collect();
            let value = values.join(" ");
            let name = match argument.get_long() {
                Some(long) if argument.get_action().takes_values() => format!("--{long} {value}"),
                Some(long) => format!("--{long}"),
                None => value,
            };
            let help = argument.get_help().map(|help| help.to_string()).unwrap_or_default();
            writeln!(
                text,
                "| `{}` | {} |",
                name.replace('|', "\\|"),
                help.replace('|', "\\|").replace('\n', " ")
            )?;
        }
        if !arguments.is_empty() {
            writeln!(text)?;
        }
        commands(command, &path, text)?;
    }
    Ok(())
}
