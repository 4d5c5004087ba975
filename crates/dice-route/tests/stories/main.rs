//! Stories: what happens when, and who is told what.

#![expect(clippy::unwrap_used, reason = "a story that cannot be read is a wrong test")]

mod alarms;
mod correlation;
mod digests;
mod groups;
mod hiding;
mod immediate;
mod people;
mod random;
mod routes;
mod storms;
mod timetable;
