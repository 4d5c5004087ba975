//! One digest of one reader: for a local date, from its first occurrence until it is told.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::Destination;
use crate::book::{Row, Table};
use crate::calendar::{Slot, SlotKey};

/// One digest of one reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edition {
    /// The slot's key, `@dev/2026-11-21/daily`: there is one digest for each.
    pub id: String,
    /// Who reads it.
    pub reader: Destination,
    /// The local date it is for.
    pub date: Date,
    /// When it is due, milliseconds since 1970.
    pub at_ms: i64,
    /// Where it stands.
    pub state: EditionState,
    /// When the first occurrence came, milliseconds since 1970.
    pub since_ms: i64,
    /// Why it waits, or why it was told when it was.
    pub why: Option<String>,
    /// Its intent.
    pub intent: Option<String>,
    /// When it was told, milliseconds since 1970, and the local date then.
    pub told: Option<(i64, Date)>,
    /// It was told though its reader was not there, because it had waited for as long as it may.
    pub is_hold_exceeded: bool,
    /// Messages that were told.
    pub messages: u64,
    /// Occurrences that were told.
    pub occurrences: u64,
    /// When the team hears unless it has arrived, milliseconds since 1970.
    pub fallback_ms: Option<i64>,
}

/// Where a digest stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EditionState {
    /// Occurrences are gathered until the slot.
    Open,
    /// The slot has come; the reader has not.
    Held,
    /// It is in the outbox.
    Told,
    /// The team was told in the reader's place.
    Fallback,
}

impl Row for Edition {
    const TABLE: Table = Table::Digests;

    fn id(&self) -> &str {
        &self.id
    }
}

impl Edition {
    /// A digest that is gathered for `slot`.
    pub(super) fn new(reader: &Destination, slot: Slot, name: &str, since_ms: i64) -> Edition {
        Edition {
            id: key(reader, slot.date, name),
            reader: reader.clone(),
            date: slot.date,
            at_ms: slot.at_ms,
            state: EditionState::Open,
            since_ms,
            why: None,
            intent: None,
            told: None,
            is_hold_exceeded: false,
            messages: 0,
            occurrences: 0,
            fallback_ms: None,
        }
    }

    /// The slot it is for.
    pub fn slot(&self) -> Slot {
        Slot { date: self.date, at_ms: self.at_ms }
    }

    /// The last date on which its reader can have had a digest because of it.
    pub(super) fn used(&self) -> Option<Date> {
        self.told.map(|(_, on)| on.max(self.date))
    }

    /// Whether it is still gathered or held.
    pub(super) fn is_current(&self) -> bool {
        matches!(self.state, EditionState::Open | EditionState::Held)
    }
}

/// What the digest of a date is called.
fn key(reader: &Destination, date: Date, name: &str) -> String {
    SlotKey { owner: reader.name().to_owned(), date, slot: name.to_owned() }.to_string()
}
