//! Conditions over events: the language of `where`.

use crate::{Event, Message};

/// A field of an event that rules may ask for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Field(String);

impl Field {
    /// The name as written: `service`, `vars.merchant`.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The event's value; `None` where it has none.
    pub fn of<'e>(&self, event: &'e Event) -> Option<std::borrow::Cow<'e, str>> {
        event.variable(&self.0).map(Into::into)
    }
}

/// A condition over events.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition;

/// What the message alone says about a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// It holds for every event of the message.
    Always,
    /// It holds for none.
    Never,
    /// It depends on the event.
    Depends,
}

impl Condition {
    /// What the message alone says.
    pub fn of_message(&self, _message: &Message) -> Share {
        Share::Depends
    }

    /// Whether it holds for the event.
    pub fn holds(&self, _event: &Event) -> bool {
        true
    }
}
