//! One command per file: its arguments and its run together.

mod ack;
mod assign;
mod completions;
mod digest;
mod episodes;
mod index;
mod init;
mod loggers;
mod man;
mod reference;
pub(crate) mod route;
pub(crate) mod rules;
mod serve;
mod silence;
mod slack;
mod snooze;
pub(crate) mod state;
pub(crate) mod who;
mod why;

use std::io::{self, Write};

use anyhow::Result;
use serde::Serialize;

use crate::failure::Outcome;

/// What Dice is asked to do.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Read repositories and write the catalog of their log statements.
    Index(index::Arguments),
    /// Tell who owns a log line, and where it was printed.
    Who(who::Arguments),
    /// Classify lines and say who would be told what.
    Route(route::Arguments),
    /// Route as a service: sources of router.toml, the API and the pages.
    Serve(serve::Arguments),
    /// List what is open: episodes of rules, messages told as they happen, Dice's own troubles.
    Episodes(episodes::Arguments),
    /// Tell why something did or did not reach somebody.
    Why(why::Arguments),
    /// Say whose digests are gathered, and when each is told.
    Digest(digest::Arguments),
    /// Hide a message until something.
    Snooze(snooze::Arguments),
    /// Hide a message until this is undone.
    Mute(snooze::MuteArguments),
    /// Hide whatever matchers say, for a time.
    Silence(silence::Arguments),
    /// Name another owner of a message, or say that it isn't you.
    Assign(assign::Arguments),
    /// Say that you are on it.
    Ack(ack::Arguments),
    /// Try rules and routes offline.
    Rules(rules::Arguments),
    /// Look after the state file.
    State(state::Arguments),
    /// Set Slack up, and find out what is wrong with it.
    Slack(slack::Arguments),
    /// Show which functions and macros were taken for loggers, and why.
    Loggers(loggers::Arguments),
    /// Write a commented dice.toml from what is found in the repository.
    Init(init::Arguments),
    /// Print a completion script for a shell.
    Completions(completions::Arguments),
    /// Print a manual page.
    Man(man::Arguments),
    /// Print the command line reference in Markdown.
    #[command(hide = true)]
    Reference(reference::Arguments),
}

impl Command {
    pub(crate) fn run(&self) -> Result<Outcome> {
        match self {
            Command::Index(arguments) => arguments.run(),
            Command::Who(arguments) => arguments.run(),
            Command::Route(arguments) => arguments.run(),
            Command::Serve(arguments) => arguments.run(),
            Command::Episodes(arguments) => arguments.run(),
            Command::Why(arguments) => arguments.run(),
            Command::Digest(arguments) => arguments.run(),
            Command::Snooze(arguments) => arguments.run(),
            Command::Mute(arguments) => arguments.run(),
            Command::Silence(arguments) => arguments.run(),
            Command::Assign(arguments) => arguments.run(),
            Command::Ack(arguments) => arguments.run(),
            Command::Rules(arguments) => arguments.run(),
            Command::State(arguments) => arguments.run(),
            Command::Slack(arguments) => arguments.run(),
            Command::Loggers(arguments) => arguments.run(),
            Command::Init(arguments) => arguments.run(),
            Command::Completions(arguments) => arguments.run(),
            Command::Man(arguments) => arguments.run(),
            Command::Reference(arguments) => arguments.run(),
        }
    }
}

/// How answers are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Output {
    /// For a person.
    Text,
    /// For a program: one JSON object a line.
    Json,
}

impl Output {
    /// Prints a list; `none` is what a person reads where it is empty.
    fn list<T: Serialize>(
        self,
        all: &[T],
        none: &str,
        show: impl Fn(&T, &mut dyn Write) -> io::Result<()>,
    ) -> Result<Outcome> {
        let mut out = anstream::AutoStream::auto(io::stdout()).lock();
        if all.is_empty() && self == Output::Text {
            writeln!(out, "{none}")?;
        }
        for each in all {
            match self {
                Output::Json => {
                    serde_json::to_writer(&mut out, each)?;
                    writeln!(out)?;
                }
                Output::Text => show(each, &mut out)?,
            }
        }
        Ok(Outcome::Done)
    }
}
