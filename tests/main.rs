//! Runs `dice` as a user would: the real program, its output and its exit code.

#![expect(clippy::unwrap_used, reason = "all of this is test, also what is not marked as one")]

mod catalogs;
mod delivery;
#[cfg(unix)]
mod drain;
mod errors;
mod founding;
mod index;
mod kill;
mod posted;
mod program;
mod readme;
mod recordings;
mod route;
mod rules;
mod serve;
mod setup;
mod site;
#[cfg(target_os = "linux")]
mod socket;
mod state;
mod time;
mod who;
