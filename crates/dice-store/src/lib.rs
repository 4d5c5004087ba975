//! The router's state, its outbox and the read positions, in one file.
//!
//! A [`Store`] is the one writer: what changed since the last time goes in as one [`Batch`], in one
//! transaction, together with the positions that were read. When [`Store::commit`] has returned, the batch
//! survives the end of the process and the loss of power. On start [`Store::load`] gives everything back.
//! The file is SQLite: any tool reads it, and there is a view for each question people ask (`schema.rs`).

mod error;
mod schema;
mod store;

pub use error::Error;
pub use schema::views;
pub use store::{Batch, Entry, JournalLine, Position, Report, Saved, Store};
