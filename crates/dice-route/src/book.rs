//! Rows of state in memory, and which of them have to be written.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The tables that the router's state is kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Watermarks of the partitions.
    Partitions,
    /// What was counted: lines, matches, late events, by source and cause.
    Counters,
    /// Episodes of rules and of annotated messages, open and closed.
    Episodes,
    /// Occurrences by deduplication key, with hosts and times.
    Alerts,
    /// Groups of alerts with their timers.
    Groups,
    /// Running escalations.
    Escalations,
    /// Snoozes and mutes.
    Snoozes,
    /// How often messages came in hours that are over.
    Hours,
    /// Silences, every version of them.
    Silences,
    /// "Not me" and assignments.
    Overrides,
    /// Digests by person or channel and local date.
    Digests,
    /// Rows of digests: a message for an owner.
    DigestRows,
    /// Deliveries that are to be made, were made, or were held back.
    Outbox,
    /// What was suppressed, held, merged, late; what people did.
    Records,
    /// Storms and the guards' counts.
    Storms,
    /// Presence, zones and other news of people.
    People,
    /// Whatever a part keeps once.
    Notes,
}

impl Table {
    /// All tables, in order.
    pub const ALL: [Table; 17] = [
        Table::Partitions,
        Table::Counters,
        Table::Episodes,
        Table::Alerts,
        Table::Groups,
        Table::Escalations,
        Table::Snoozes,
        Table::Hours,
        Table::Silences,
        Table::Overrides,
        Table::Digests,
        Table::DigestRows,
        Table::Outbox,
        Table::Records,
        Table::Storms,
        Table::People,
        Table::Notes,
    ];

    /// The table's name in the store.
    pub fn name(self) -> &'static str {
        match self {
            Table::Partitions => "partitions",
            Table::Counters => "counters",
            Table::Episodes => "episodes",
            Table::Alerts => "alerts",
            Table::Groups => "groups",
            Table::Escalations => "escalations",
            Table::Snoozes => "snoozes",
            Table::Hours => "hours",
            Table::Silences => "silences",
            Table::Overrides => "overrides",
            Table::Digests => "digests",
            Table::DigestRows => "digest_rows",
            Table::Outbox => "outbox",
            Table::Records => "records",
            Table::Storms => "storms",
            Table::People => "people",
            Table::Notes => "notes",
        }
    }
}

/// Something that is kept as a row: an id, and a body that is JSON.
pub trait Row: Serialize + DeserializeOwned {
    /// Where it is kept.
    const TABLE: Table;

    /// What it is called there.
    fn id(&self) -> &str;
}

/// A part of the state to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delta {
    /// A row is new or has changed.
    Put {
        /// Where.
        table: Table,
        /// Its id.
        id: String,
        /// A JSON object.
        body: String,
    },
    /// A row is gone.
    Delete {
        /// Where.
        table: Table,
        /// Its id.
        id: String,
    },
    /// A key of a rule is new or has changed.
    PutCell(Cell),
    /// A key of a rule is gone.
    DeleteCell {
        /// The rule's id.
        rule: String,
        /// The key, as [`crate::Key`] writes it.
        key: String,
    },
    /// Events that wait for the watermark.
    PutWaiting(Waiting),
    /// Waiting events up to this number are no longer needed.
    DropWaiting {
        /// The last number to go.
        up_to: u64,
    },
}

/// What a rule keeps for one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The rule's id.
    pub rule: String,
    /// The key, as [`crate::Key`] writes it.
    pub key: String,
    /// How many episodes it had.
    pub episodes: u64,
    /// Whether one is open.
    pub is_open: bool,
    /// The last event, milliseconds since 1970.
    pub last_ms: i64,
    /// The rest, for the rule alone.
    pub body: Vec<u8>,
}

/// Events of one batch that wait for the watermark, for the rules alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Grows with every batch.
    pub number: u64,
    /// The latest event time in it.
    pub latest_ms: i64,
    /// The events.
    pub body: Vec<u8>,
}

/// The rows of one kind, by id, and which of them have to be written.
#[derive(Debug, Clone)]
pub struct Book<T> {
    rows: BTreeMap<String, T>,
    changed: BTreeSet<String>,
}

impl<T> Default for Book<T> {
    fn default() -> Book<T> {
        Book { rows: BTreeMap::new(), changed: BTreeSet::new() }
    }
}

impl<T: Row> Book<T> {
    /// The row called `id`.
    pub fn get(&self, id: &str) -> Option<&T> {
        self.rows.get(id)
    }

    /// The row called `id`, which counts as changed from now on.
    pub fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        let row = self.rows.get_mut(id)?;
        if !self.changed.contains(id) {
            self.changed.insert(id.to_owned());
        }
        Some(row)
    }

    /// Puts a row in; gives the one that had the same id.
    pub fn put(&mut self, row: T) -> Option<T> {
        let id = row.id().to_owned();
        self.changed.insert(id.clone());
        self.rows.insert(id, row)
    }

    /// Takes a row out.
    pub fn remove(&mut self, id: &str) -> Option<T> {
        let row = self.rows.remove(id)?;
        self.changed.insert(id.to_owned());
        Some(row)
    }

    /// Every row, in the order of the ids.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.rows.values()
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Appends what has changed since the last call, in the order of the ids.
    pub fn deltas(&mut self, out: &mut Vec<Delta>) {
        for id in std::mem::take(&mut self.changed) {
            out.push(match self.rows.get(&id) {
                Some(row) => Delta::Put {
                    table: T::TABLE,
                    body: serde_json::to_string(row).expect("rows are made of strings, numbers and lists"),
                    id,
                },
                None => Delta::Delete { table: T::TABLE, id },
            });
        }
    }

    /// Puts in a row as it was written. A body that is none is left out and given back as a reason.
    pub fn restore(&mut self, id: &str, body: &str) -> Result<(), String> {
        let row: T = serde_json::from_str(body)
            .map_err(|error| format!("wanted a row of {}, found {id}: {error}", T::TABLE.name()))?;
        self.rows.insert(id.to_owned(), row);
        Ok(())
    }
}
