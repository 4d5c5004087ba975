//! What of one destination has not ended, and what of it comes next.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Intent, Lane};

/// What of one destination has not ended: a chain for each subject, in the order in which it is told. Only the
/// first of a chain may be attempted, so that what is older never comes after what is newer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Queue {
    chains: BTreeMap<String, Chain>,
    /// The first rows of the chains, the most urgent lane first, then by due time.
    heads: BTreeSet<(Lane, i64, String)>,
}

/// Rows about one subject, with their lane and due time.
#[derive(Debug, Clone, Default)]
struct Chain {
    rows: BTreeMap<Place, (Lane, i64)>,
}

/// The number of the notice, when it was decided, its id.
type Place = (u32, i64, String);

impl Chain {
    /// The lane of the most urgent row, as it waits for the others; when the first one is due; its id.
    fn head(&self) -> Option<(Lane, i64, &str)> {
        let ((_, _, id), (_, due_ms)) = self.rows.first_key_value()?;
        let lane = self.rows.values().map(|(lane, _)| *lane).min()?;
        Some((lane, *due_ms, id))
    }
}

fn place(row: &Intent) -> Place {
    (row.revision, row.created_ms, row.id.clone())
}

impl Queue {
    pub(super) fn enter(&mut self, row: &Intent) {
        self.change(&row.subject, |chain| {
            chain.rows.insert(place(row), (row.lane, row.due_ms));
        });
    }

    pub(super) fn leave(&mut self, row: &Intent) {
        if self.chains.contains_key(&row.subject) {
            self.change(&row.subject, |chain| {
                chain.rows.remove(&place(row));
            });
        }
    }

    fn change(&mut self, subject: &str, change: impl FnOnce(&mut Chain)) {
        let mut chain = self.chains.remove(subject).unwrap_or_default();
        if let Some((lane, due_ms, _)) = chain.head() {
            self.heads.remove(&(lane, due_ms, subject.to_owned()));
        }
        change(&mut chain);
        if let Some((lane, due_ms, _)) = chain.head() {
            self.heads.insert((lane, due_ms, subject.to_owned()));
            self.chains.insert(subject.to_owned(), chain);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.chains.is_empty()
    }

    /// The first rows of the chains in a lane, by due time: when each is due, and its id.
    pub(crate) fn heads(&self, lane: Lane) -> impl Iterator<Item = (i64, &str)> {
        let from = (lane, i64::MIN, String::new());
        let heads = self.heads.range(from..).take_while(move |(of, _, _)| *of == lane);
        heads.filter_map(|(_, due_ms, subject)| Some((*due_ms, self.chains.get(subject)?.head()?.2)))
    }

    /// The ids of the rows about a subject, in the order in which they are told.
    pub(crate) fn chain(&self, subject: &str) -> impl Iterator<Item = &str> {
        self.chains.get(subject).into_iter().flat_map(|chain| chain.rows.keys().map(|(_, _, id)| id.as_str()))
    }
}
