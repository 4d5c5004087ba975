//! Every type of rule against a naive one that sees the events in order.
//!
//! Each case is a random rule and a random stream. It is run in the order of arrival, again with a restart
//! in the middle, and again with time that passes in longer steps; what is said is compared with what the
//! naive rule says of the sorted stream. `DICE_CASES` says how many cases a test runs (slow ones
//! run fewer), `DICE_SEED` repeats one.

mod cardinality;
mod change;
mod check;
mod composite;
mod first_seen;
mod flatline;
mod frequency;
mod hopping;
mod matching;
mod missing;
mod random;
mod reload;
mod replay;
mod sequence;
mod session;
mod spike;
mod stories;
mod stream;
