//! The router at work: sources in, decisions out, everything committed.

mod api;
mod classifier;
mod compiler;
pub(crate) mod delivery;
mod disk;
mod hold;
mod latency;
mod ledger;
pub(crate) mod look;
mod losses;
mod memory;
pub(crate) mod operator;
mod pipeline;
pub(crate) mod plan;
mod posts;
pub(crate) mod rehearsal;
pub(crate) mod run;
pub(crate) mod service;
mod sign;
#[cfg(unix)]
mod socket;
pub(crate) mod target;
pub(crate) mod terminal;
pub(crate) mod trial;
mod watch;
