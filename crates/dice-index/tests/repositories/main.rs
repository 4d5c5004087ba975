//! Whole repositories, made on the spot, from `.git` to catalog.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod credits;
mod files;
mod places;
mod scratch;
