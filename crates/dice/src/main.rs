//! The command: arguments, clock, threads and wiring. What it decides is decided in the other crates.

mod clock;
mod commands;
mod duration;
mod failure;
mod input;
mod interrupt;
mod lines;
mod link;
mod router;
mod screen;
mod settings;
mod verdict;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::commands::Command;
use crate::failure::{Failure, Outcome};

/// Events and their texts are made by one thread and freed by another, which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Finds the statement that printed a log line, and its owner.
#[derive(Debug, Parser)]
#[command(name = "dice", version, max_term_width = 110, arg_required_else_help = true)]
struct Arguments {
    /// Say more of Dice's own work on standard error; twice for details.
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_max_level(settings::log_level(arguments.verbose))
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    // git does not check the hash of every object it reads for blame either; it is half of the time.
    dice_index::trust_object_hashes();
    let run = std::panic::AssertUnwindSafe(|| arguments.command.run());
    match std::panic::catch_unwind(run) {
        Ok(result) => failure::report(result),
        Err(_) => {
            // The panic's own message stands above, from the default hook.
            anstream::eprintln!("error: Dice is wrong here, not you; please report the lines above");
            ExitCode::from(3)
        }
    }
}

/// The whole command line, for completions and manual pages.
fn command() -> clap::Command {
    Arguments::command()
}
