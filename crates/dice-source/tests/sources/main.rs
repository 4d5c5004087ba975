//! Sources as their caller sees them: real files, sockets and programs.

#![expect(clippy::unwrap_used, reason = "all of this is test, also what is not marked as one")]

mod files;
mod journal;
mod restarts;
mod scene;
mod stops;
mod syslog;
