//! What is known of every message for "not me": who owns it, and who else might.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dice_catalog::Owner;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::book::{Book, Delta, Row, Table};
use crate::{Message, MessageId};

/// Messages that are remembered; past it the one that was learned first goes.
const MAX_MESSAGES: usize = 50_000;

/// Longer texts are cut.
const MAX_TITLE_CHARS: usize = 200;

/// How the names of these rows begin, in the table of overrides.
pub(super) const PREFIX: &str = "known/";

/// What is known of a message beyond its events, so that a command need not wait for the next one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Known {
    id: String,
    number: u64,
    /// The text with `<*>` for holes.
    pub(crate) title: String,
    /// Who answers for it, says the catalog.
    pub(crate) owners: Vec<Owner>,
    /// Who else might, best first.
    pub(crate) candidates: Vec<Owner>,
    /// Who answers where nobody else does.
    pub(crate) fallback: Option<Owner>,
    /// The comments that name owners.
    pub(crate) annotations: Vec<String>,
    /// Who wrote the line.
    pub(crate) author: Option<Arc<str>>,
    /// Earlier names.
    pub(crate) was: Vec<MessageId>,
}

impl Row for Known {
    const TABLE: Table = Table::Overrides;

    fn id(&self) -> &str {
        &self.id
    }
}

/// What is known of every message.
#[derive(Debug, Clone, Default)]
pub(super) struct Messages {
    book: Book<Known>,
    /// The message of the last event by that name: as long as it is the same, nothing is new.
    last: FxHashMap<MessageId, Arc<Message>>,
    numbers: BTreeMap<u64, MessageId>,
    names: BTreeMap<MessageId, MessageId>,
    next: u64,
}

impl Messages {
    /// What is known of the message that is, or was, called `id`; with its name of today.
    pub(super) fn get(&self, id: MessageId) -> Option<(MessageId, &Known)> {
        let now = self.names.get(&id).copied().unwrap_or(id);
        Some((now, self.book.get(&row_id(now))?))
    }

    /// The names of messages that begin with `digits`, in order, at most `n`.
    pub(super) fn named(&self, digits: &str, n: usize) -> Vec<MessageId> {
        let ids: BTreeSet<MessageId> =
            self.numbers.values().filter(|id| id.to_string().starts_with(digits)).copied().collect();
        ids.into_iter().take(n).collect()
    }

    /// Takes note of a message. True when anything about it is new.
    pub(super) fn learn(&mut self, message: &Arc<Message>) -> bool {
        if self.last.get(&message.id).is_some_and(|last| Arc::ptr_eq(last, message)) {
            return false;
        }
        self.last.insert(message.id, message.clone());
        let id = row_id(message.id);
        let number = self.book.get(&id).map_or(self.next, |known| known.number);
        let known = Known {
            id,
            number,
            title: message.template.chars().take(MAX_TITLE_CHARS).collect(),
            owners: message.owners.clone(),
            candidates: message.candidates.clone(),
            fallback: message.fallback.clone(),
            annotations: message.annotations.clone(),
            author: message.author.clone(),
            was: message.was.clone(),
        };
        if self.book.get(&known.id) == Some(&known) {
            return false;
        }
        self.next = self.next.max(number + 1);
        self.enter(message.id, &known);
        self.book.put(known);
        while self.book.len() > MAX_MESSAGES
            && let Some((_, id)) = self.numbers.pop_first()
        {
            self.forget(id);
        }
        true
    }

    fn enter(&mut self, id: MessageId, known: &Known) {
        self.numbers.insert(known.number, id);
        self.names.remove(&id);
        for earlier in &known.was {
            self.names.insert(*earlier, id);
        }
    }

    fn forget(&mut self, id: MessageId) {
        self.last.remove(&id);
        if let Some(known) = self.book.remove(&row_id(id)) {
            for earlier in &known.was {
                if self.names.get(earlier) == Some(&id) {
                    self.names.remove(earlier);
                }
            }
        }
    }

    /// Appends what has changed.
    pub(super) fn deltas(&mut self, out: &mut Vec<Delta>) {
        self.book.deltas(out);
    }

    /// Puts in a row as it was written.
    pub(super) fn restore(&mut self, id: &str, body: &str) -> Result<(), String> {
        let message = id.strip_prefix(PREFIX).unwrap_or(id).parse();
        let message = message.map_err(|error| format!("wanted a message, found {id}: {error}"))?;
        self.book.restore(id, body)?;
        if let Some(known) = self.book.get(id).cloned() {
            self.next = self.next.max(known.number + 1);
            self.enter(message, &known);
        }
        Ok(())
    }
}

fn row_id(id: MessageId) -> String {
    format!("{PREFIX}{id}")
}
