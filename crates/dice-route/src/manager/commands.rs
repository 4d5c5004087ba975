//! The commands that were carried out: a repeated click does nothing.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::book::{Book, Delta, Row, Table};
use crate::{Answer, Command};

/// Commands are remembered for this long, milliseconds: whoever lets others tell theirs again must not do so
/// for longer.
pub const COMMANDS_KEPT_MS: i64 = 49 * 3_600_000;

/// Commands that are remembered; past it the oldest go.
const MAX_COMMANDS: usize = 10_000;

/// How the names of these rows begin, in the table of notes.
pub(super) const PREFIX: &str = "command/";

/// The commands of the last two days, with what was answered.
#[derive(Debug, Clone, Default)]
pub struct Commands {
    book: Book<Done>,
    by_time: BTreeSet<(i64, String)>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Done {
    id: String,
    at_ms: i64,
    is_done: bool,
    text: String,
    body: serde_json::Value,
}

impl Row for Done {
    const TABLE: Table = Table::Notes;

    fn id(&self) -> &str {
        &self.id
    }
}

impl Commands {
    /// What was answered to the same command before. One that was not done may be tried again.
    pub fn answer(&self, command: &Command) -> Option<Answer> {
        let done = self.book.get(&row_id(&command.id)).filter(|done| done.is_done)?;
        Some(Answer { is_done: true, text: done.text.clone(), body: done.body.clone() })
    }

    /// Remembers what was answered.
    pub fn keep(&mut self, command: &Command, answer: &Answer, now_ms: i64) {
        if !answer.is_done {
            return;
        }
        let id = row_id(&command.id);
        self.by_time.insert((now_ms, id.clone()));
        let (text, body) = (answer.text.clone(), answer.body.clone());
        self.book.put(Done { id, at_ms: now_ms, is_done: true, text, body });
        while self.book.len() > MAX_COMMANDS
            && let Some((_, id)) = self.by_time.pop_first()
        {
            self.book.remove(&id);
        }
    }

    /// Forgets what was done long ago.
    pub fn tick(&mut self, now_ms: i64) {
        while self.by_time.first().is_some_and(|(at_ms, _)| at_ms.saturating_add(COMMANDS_KEPT_MS) < now_ms)
            && let Some((_, id)) = self.by_time.pop_first()
        {
            self.book.remove(&id);
        }
    }

    /// Appends what has changed.
    pub fn deltas(&mut self, out: &mut Vec<Delta>) {
        self.book.deltas(out);
    }

    /// Puts in a row as it was written.
    pub fn restore(&mut self, id: &str, body: &str) -> Result<(), String> {
        self.book.restore(id, body)?;
        if let Some(done) = self.book.get(id) {
            self.by_time.insert((done.at_ms, id.to_owned()));
        }
        Ok(())
    }
}

/// Whatever a client calls its command, the row's name is short.
fn row_id(command: &str) -> String {
    format!("{PREFIX}{}", crate::name(&[command.as_bytes()]))
}
