//! Events in, decisions out: who is told, when, and why.
//!
//! So far the pure decision about one event, [`decide`], and the grouping of what was decided into what
//! each owner would read, [`Digest`]. No I/O, no clock, nothing that can fail: the same events give the
//! same answers.

pub mod calendar;
mod decision;
mod digest;

pub use decision::{Decided, Decision, OwnerDecision, decide};
pub use digest::{Digest, Line, Message, Occurrence, OwnerDigest};
