//! What the classifying thread remembers over all starts.

use anyhow::Result;
use dice_route::book::Table;
use dice_store::Store;

use super::losses::Losses;
use super::posts::Posts;

/// What the classifying thread remembers over all starts: rows of notes, written with what led to them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    pub(crate) posts: Posts,
    pub(crate) losses: Losses,
}

impl Memory {
    /// What is in `store`.
    pub(crate) fn of(store: &Store) -> Result<Memory> {
        let mut memory = Memory::default();
        store.entries(Table::Notes, |note| {
            memory.posts.restore(&note.id, &note.body);
            memory.losses.restore(&note.id, &note.body);
        })?;
        Ok(memory)
    }
}
