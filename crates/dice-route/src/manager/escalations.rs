//! Who hears next when nobody reacts.

use super::Desk;
use crate::book::Delta;
use crate::{Answer, Command};

/// The running escalations.
#[derive(Debug, Clone, Default)]
pub struct Escalations;

impl Escalations {
    /// Does what a command says; `None` when it is not about escalations.
    pub fn command(&mut self, _command: &Command, _desk: &mut Desk<'_>) -> Option<Answer> {
        None
    }

    /// Takes the steps that are due.
    pub fn tick(&mut self, _desk: &mut Desk<'_>) {}

    /// Appends what has changed.
    pub fn deltas(&mut self, _out: &mut Vec<Delta>) {}

    /// Puts in a row as it was written.
    pub fn restore(&mut self, _id: &str, _body: &str) -> Result<(), String> {
        Ok(())
    }
}
