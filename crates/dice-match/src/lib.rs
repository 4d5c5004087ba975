//! A catalog and a log line in, the statements that can have printed it out.
//!
//! A [`Reader`] peels a raw line: what was printed around the message becomes an [`Envelope`]. A
//! [`Matcher`], compiled from catalogs, classifies the message: a [`Verdict`]. A [`Stream`] does both for
//! the lines of one source, in order, and knows which lines continue a message. Nothing here knows where
//! lines come from. Which engine matches is private; time and memory per line are bounded by [`Limits`].

mod envelope;
mod limits;
mod matcher;
mod reader;
mod source;
mod stream;
mod verdict;

pub use envelope::Envelope;
pub use limits::Limits;
pub use matcher::{CompileError, EntryId, Matcher, MatcherStats, Scratch};
pub use reader::{Format, Reader, ReaderSettings};
pub use stream::{Answer, Stream};
pub use verdict::{Strength, Verdict};
