//! How far a partition has been read.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::FileMark;

/// How far a partition has been read: what to commit together with what its lines led to.
///
/// As JSON it is readable:
///
/// ```json
/// {"source": "app", "partition": "/var/log/app.log", "offset": 1211, "lines": 17,
///  "file": {"device": 66305, "inode": 131, "head": {"hash": "9f0c…", "bytes": 256},
///           "tail": {"hash": "04e1…", "bytes": 256}}}
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The name of the source.
    pub source: String,
    /// The name of the partition: the path that a file was found at, the address listened on, or the like.
    pub partition: String,
    /// Bytes read; of a file, where the next read begins.
    pub offset: u64,
    /// Lines told, over all starts of the program. Grows by the number of lines of each block.
    pub lines: u64,
    /// Which file it is; only where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileMark>,
    /// What the journal calls its last record; only for journald.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Where in a line `offset` lies; `None` is at the start of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Within>,
}

impl Position {
    /// The start of a partition.
    pub(crate) fn start(source: &str, partition: &str) -> Position {
        Position {
            source: source.to_owned(),
            partition: partition.to_owned(),
            offset: 0,
            lines: 0,
            file: None,
            cursor: None,
            within: None,
        }
    }

    /// What to keep the position under: no two partitions that are open at once have the same.
    ///
    /// It names source and partition, and for a file its device and inode, because after a rotation the old
    /// and the new file are known by the same path.
    pub fn key(&self) -> String {
        let mut key = format!("{}\t{}", self.source, self.partition);
        if let Some(file) = &self.file {
            let _ = write!(key, "\t{}:{}", file.device, file.inode);
        }
        key
    }
}

/// Where inside a line a position lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Within {
    /// The line was longer than the limit and has been told: the rest of it is skipped.
    Cut,
    /// The line had no line end for so long that it was told as it was. A line end that follows belongs to
    /// it; anything else is told as a line of its own, so that nothing is lost and nothing told twice.
    Told,
}
