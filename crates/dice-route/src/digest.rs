//! Digests: what somebody answers for, told once on a working day, at a moment when they are there.
//!
//! [`Digests`] is the part of the router that gathers occurrences by reader, waits for the slot and the reader,
//! and makes one notice of them; [`Digest`] is the same grouping for a log that is read to its end, without
//! readers, days or state.

mod digests;
mod edition;
mod hold;
mod log;
mod news;
mod notice;
mod reader;
mod row;

pub use self::digests::{Digests, Hiding, Preview, bypasses};
pub use self::edition::{Edition, EditionState};
pub use self::log::{Digest, Line, Message, Occurrence, OwnerDigest};
pub use self::news::PersonNews;
pub use self::row::{DigestRow, Gathered};
