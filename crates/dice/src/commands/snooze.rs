//! `dice snooze` and `dice mute`.

use std::path::PathBuf;

use anyhow::Result;
use dice_route::{Act, Audience, Scope};

use crate::commands::Output;
use crate::router::look::Snoozed;
use crate::router::operator::{Operator, answered};
use crate::router::target;
use crate::{Failure, Outcome};

/// Hide a message until something: told to nobody meanwhile, counted all the same.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    hidden: Hidden,
    /// Until when: 30m, 4h, tomorrow, next-workday, monday, 2026-12-01, count:100, rate:3, next-release.
    #[arg(long, value_name = "UNTIL", default_value = "4h", conflicts_with = "undo")]
    until: String,
}

/// Hide a message until this is undone: told to nobody, counted all the same.
#[derive(Debug, clap::Args)]
pub(crate) struct MuteArguments {
    #[command(flatten)]
    hidden: Hidden,
}

/// What is hidden and for whom.
#[derive(Debug, clap::Args)]
struct Hidden {
    /// A line as the log shows it, the id of a message or of an episode, or rule:ID, group:ID, alert:KEY.
    #[arg(value_name = "WHAT", required_unless_present_any = ["undo", "list"])]
    what: Option<String>,
    /// For whom: me, everyone, #channel or a person.
    #[arg(long = "for", value_name = "WHOM", default_value = "me")]
    whom: String,
    /// Why, for who reads the list.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Take back the snooze or mute with this id.
    #[arg(long, value_name = "ID")]
    undo: Option<String>,
    /// List what is snoozed and muted, with what each hid so far.
    #[arg(long, conflicts_with_all = ["what", "undo"])]
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
        self.hidden.run(&self.until)
    }
}

impl MuteArguments {
    pub(crate) fn run(&self) -> Result<Outcome> {
        self.hidden.run("forever")
    }
}

impl Hidden {
    fn run(&self, until: &str) -> Result<Outcome> {
        if self.list {
            return self.list();
        }
        if let Some(id) = &self.undo {
            return answered(self.operator.order(Act::Unsnooze { id: id.clone() })?);
        }
        let what = self.what.as_deref().unwrap_or_default();
        let scope = match what.split_once(':') {
            Some(("rule", id)) => Scope::Rule(id.to_owned()),
            Some(("group", id)) => Scope::Group(id.to_owned()),
            Some(("alert", key)) => Scope::Alert(key.to_owned()),
            Some(("episode", id)) => Scope::Episode(id.to_owned()),
            _ => match target::named(what, &self.operator, &self.catalog)? {
                target::Named::Message(id) => Scope::Message(id.to_string()),
                target::Named::Episode(id) => Scope::Episode(id),
            },
        };
        let audience = match self.whom.as_str() {
            "me" => Audience::Person(self.operator.actor()),
            "everyone" => Audience::Everyone,
            channel if channel.starts_with('#') => Audience::Channel(channel.to_owned()),
            person if person.contains('@') => Audience::Person(person.to_owned()),
            other => {
                return Err(Failure::new(
                    format!("wanted somebody to hide it from, found `{other}`"),
                    "give me, everyone, a #channel, a @handle or an e-mail address",
                )
                .into());
            }
        };
        let act = Act::Snooze { scope, audience, until: until.to_owned(), reason: self.reason.clone() };
        answered(self.operator.order(act)?)
    }

    fn list(&self) -> Result<Outcome> {
        let look = self.operator.look()?;
        let all = Snoozed::all(&look);
        self.format.list(&all, "nothing is snoozed or muted", |each, mut out| each.show(&mut out, &look))
    }
}
