//! Files, standard input, sockets and journald in, lines with positions out.
//!
//! [`start`] reads what [`Settings`] name, each source on a thread of its own, and tells what it finds as
//! [`Arrival`]s through one bounded channel: lines in [`Block`]s, each with the [`Position`] that reading
//! stands at after it. Who commits that position together with what the lines led to, and gives it back at
//! the next start, reads every line of a file exactly once.
//!
//! Nothing here knows what a line means. The time is asked of a [`Clock`] that is handed in. What grows has
//! a bound: a line, a block, the channel, connections, files.

mod settings;

mod arrival;
mod block;
mod mark;
mod position;

mod outlet;
mod sources;

mod file;
mod files;
mod pattern;
mod watch;

mod journal;
mod pump;
mod stdin;

mod drops;
mod frame;
mod syslog;

pub use arrival::{Arrival, End, Partition};
pub use block::{BLOCK_BYTES, Block};
pub use mark::{FileMark, Sample};
pub use position::{Position, Within};
pub use settings::{Kind, Settings, Start, Transport};
pub use sources::{Clock, Sources, StartError, start};
