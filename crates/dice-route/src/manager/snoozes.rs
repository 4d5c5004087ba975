//! What is hidden for somebody until something.

use super::{Desk, Subject};
use crate::book::Delta;
use crate::{Answer, Command, Destination};

/// The snoozes and mutes.
#[derive(Debug, Clone, Default)]
pub struct Snoozes;

impl Snoozes {
    /// The snooze that hides a notice about `what` from `destination`.
    pub fn hides(&self, _what: &Subject<'_>, _destination: &Destination, _now_ms: i64) -> Option<String> {
        None
    }

    /// Takes note of `count` further occurrences of `what`, hidden or not.
    pub fn counted(&mut self, _what: &Subject<'_>, _count: u64, _desk: &mut Desk<'_>) {}

    /// Does what a command says; `None` when it is not about snoozes.
    pub fn command(&mut self, _command: &Command, _desk: &mut Desk<'_>) -> Option<Answer> {
        None
    }

    /// Ends what is over.
    pub fn tick(&mut self, _desk: &mut Desk<'_>) {}

    /// Appends what has changed.
    pub fn deltas(&mut self, _out: &mut Vec<Delta>) {}

    /// Puts in a row as it was written.
    pub fn restore(&mut self, _id: &str, _body: &str) -> Result<(), String> {
        Ok(())
    }
}
