//! State in memory, as a store would keep it.

use std::collections::BTreeMap;

use crate::Saved;
use crate::book::{Cell, Delta, Table, Waiting};

/// State in memory, as a store would keep it: for rehearsals, and for tests that end and begin again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shelf {
    rows: BTreeMap<(Table, String), String>,
    cells: BTreeMap<(String, String), Cell>,
    waiting: BTreeMap<u64, Waiting>,
}

impl Shelf {
    /// Writes what has changed.
    pub fn write(&mut self, deltas: impl IntoIterator<Item = Delta>) {
        for delta in deltas {
            match delta {
                Delta::Put { table, id, body } => {
                    self.rows.insert((table, id), body);
                }
                Delta::Delete { table, id } => {
                    self.rows.remove(&(table, id));
                }
                Delta::PutCell(cell) => {
                    self.cells.insert((cell.rule.clone(), cell.key.clone()), cell);
                }
                Delta::DeleteCell { rule, key } => {
                    self.cells.remove(&(rule, key));
                }
                Delta::PutWaiting(waiting) => {
                    self.waiting.insert(waiting.number, waiting);
                }
                Delta::DropWaiting { up_to } => {
                    self.waiting = self.waiting.split_off(&up_to.saturating_add(1));
                }
            }
        }
    }

    /// Everything that was written.
    pub fn saved(&self) -> Vec<Saved> {
        let rows = self.rows.iter().map(|((table, id), body)| Saved::Row {
            table: *table,
            id: id.clone(),
            body: body.clone(),
        });
        let waiting = self.waiting.values().cloned().map(Saved::Waiting);
        let cells = self.cells.values().cloned().map(Saved::Cell);
        rows.chain(cells).chain(waiting).collect()
    }

    /// The rows of a table, by id.
    pub fn rows(&self, table: Table) -> impl Iterator<Item = (&str, &str)> {
        self.rows
            .iter()
            .filter(move |((of, _), _)| *of == table)
            .map(|((_, id), body)| (id.as_str(), body.as_str()))
    }
}
