//! Events in, decisions out: who is told, when, and why.
//!
//! The stateless half is [`decide`], the decision about one event, and [`Digest`], what each owner would
//! read of a finished log. The other half is a fold over one ordered journal of [`Input`]s: rules over event
//! time say what began and ended ([`Transition`]), the manager groups, hides, holds and escalates, and what
//! is to be told ends in the outbox ([`Intent`]). No I/O, no clock, no randomness, nothing that can fail:
//! the same inputs give the same state and the same answers.

pub mod address;
pub mod book;
pub mod calendar;
pub mod condition;
pub mod config;
mod counters;
mod decision;
pub mod digest;
pub mod dispatch;
pub mod engine;
mod episode;
mod event;
mod fit;
mod input;
mod intent;
pub mod manager;
mod mask;
mod message;
pub mod outbox;
mod record;
pub mod records;
mod router;
mod shelf;
#[cfg(test)]
mod testing;
mod watermark;

use std::sync::Arc;

pub use config::Config;
pub use counters::{Counters, SourceCounts};
pub use decision::{Decided, Decision, OwnerDecision, decide};
pub use digest::{Digest, Line, Message as DigestMessage, Occurrence, OwnerDigest};
pub use dispatch::Dispatcher;
pub use engine::{Engine, RuleStatus};
pub use episode::{Change, CloseReason, EpisodeId, Evidence, Key, Severity, Transition};
pub use event::{Event, PartitionId, Stamped};
pub use input::{
    Act, Answer, Audience, Command, Input, LineCounts, Outcome, Part, PartitionNews, Presence, Reach,
    Receipt, Scope, Troubles, Word,
};
pub use intent::{Destination, Intent, Lane, Notice, NoticeKind, NoticeRow, Passage, Progress, State};
pub use manager::Manager;
pub use mask::mask;
pub use message::{Message, MessageId, NotAMessage};
pub use record::{Cause, Record};
pub use router::{Router, Saved};
pub use shelf::Shelf;
pub use watermark::{Partition, Stamp, Watermarks};

/// A lasting name for parts together: the first 128 bits of BLAKE3, in lower-case hexadecimal. Each part's
/// length goes in, so that no two lists of parts are told alike.
pub fn name(parts: &[&[u8]]) -> Arc<str> {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().to_hex()[..32].into()
}
