//! What sources tell.

use std::fmt;
use std::sync::Arc;

use crate::{Block, Position};

/// What a source tells. What it tells of one partition is in order.
///
/// A partition is *behind* from its opening on, and again with each block of lines, until it is told to be
/// caught up: only then does the clock say anything about lines that are still to come.
#[derive(Debug, Clone)]
pub enum Arrival {
    /// A partition is read from now on.
    Opened {
        /// The partition, which is new.
        partition: Partition,
        /// Where reading begins. Commit it: reading may begin at the end, which moves.
        position: Position,
        /// When a file was last written to, milliseconds since 1970: a hint at the year of its lines.
        modified_ms: Option<i64>,
    },
    /// Lines, one after another.
    Lines {
        /// Where they come from.
        partition: Partition,
        /// The lines. It may hold none: then only the position has moved, past the rest of a line that was cut.
        block: Block,
        /// Where reading stands behind them.
        position: Position,
        /// When they came in, milliseconds since 1970; never less than what came before in the partition.
        ingested_ms: i64,
    },
    /// All that is there was told.
    CaughtUp {
        /// Which partition has nothing more for now.
        partition: Partition,
        /// When it was looked at, milliseconds since 1970.
        at_ms: i64,
    },
    /// Each second or so: every partition of the source that was told to be caught up still is.
    ///
    /// Event time may follow `at_ms` for them. It must not follow the clock itself: what is read waits while
    /// the channel is full, and so does this.
    Checked {
        /// The name of the source.
        source: Arc<str>,
        /// When the partitions were looked at, milliseconds since 1970.
        at_ms: i64,
    },
    /// The file was emptied and is read from its start.
    Truncated {
        /// Which one.
        partition: Partition,
        /// Bytes that were there and not yet read. More may have come and gone unseen.
        lost_bytes: u64,
    },
    /// Messages came and were dropped before they could be read: more came than were taken.
    Lost {
        /// Which partition.
        partition: Partition,
        /// How many, since this was told last.
        messages: u64,
        /// How many bytes wait at most.
        kept_bytes: u64,
    },
    /// Lines may exist and cannot be had. It is tried again; `Lines` or `CaughtUp` tell that it worked.
    Disconnected {
        /// Which partition.
        partition: Partition,
        /// What was tried and what was found.
        why: String,
    },
    /// The partition is over. Forget its position, by its key, with the commit of what came before; that of a
    /// file read once may be kept, so that reading it again tells only what was added.
    Closed {
        /// Which one. It may be one that was never opened: a position from earlier whose file is gone.
        partition: Partition,
        /// The last position.
        position: Position,
        /// What ended it.
        end: End,
    },
    /// The user should know: a file cannot be read, a sender was turned away. Told once, not each time.
    Problem {
        /// The name of the source.
        source: Arc<str>,
        /// What was wanted and what was found.
        what: String,
    },
    /// The source has told everything: it has read its files or standard input to the end.
    Ended {
        /// The name of the source.
        source: Arc<str>,
    },
}

/// What ended a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It was read to its end, and there is no more to wait for.
    Read,
    /// The file was renamed, replaced or deleted, and what it held was read.
    Rotated,
    /// The file of a position from earlier is no longer there; what was not read of it is lost.
    Gone,
}

/// Where lines that are in order come from: a file, a listener, standard input, the journal.
///
/// Cheap to clone. A rotated file and its successor are two partitions with one name.
#[derive(Clone)]
pub struct Partition {
    /// Tells it from all others since the start of the program.
    pub id: u32,
    /// The name of the source.
    pub source: Arc<str>,
    /// What people call it: the path of a file, `stdin`, `journal`, `udp 127.0.0.1:514`.
    pub name: Arc<str>,
}

impl fmt::Debug for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.id, self.name, self.source)
    }
}
