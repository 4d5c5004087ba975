//! What was counted of every source's lines.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::LineCounts;
use crate::book::{Delta, Table};

/// What was counted of one source's lines, since the state began.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SourceCounts {
    /// Lines, by what they turned out to be.
    #[serde(flatten)]
    pub lines: LineCounts,
    /// Events: lines that begin a message.
    pub events: u64,
    /// Events that came when their time had been decided.
    pub late: u64,
    /// Events that were too old for any rule.
    pub too_old: u64,
    /// Events that had been read before and were not counted again.
    pub repeated: u64,
}

/// What was counted, by source.
#[derive(Debug, Clone, Default)]
pub struct Counters {
    sources: BTreeMap<Arc<str>, (SourceCounts, bool)>,
}

impl Counters {
    /// The counts of `source`, to be changed.
    pub fn of(&mut self, source: &Arc<str>) -> &mut SourceCounts {
        let (counts, is_changed) = self.sources.entry(Arc::clone(source)).or_insert_with(|| {
            let lines = LineCounts { source: Arc::clone(source), ..LineCounts::default() };
            (SourceCounts { lines, ..SourceCounts::default() }, true)
        });
        *is_changed = true;
        counts
    }

    /// Adds what was counted of lines that were read together.
    pub fn add(&mut self, more: &LineCounts) {
        let LineCounts { source, lines, matched, unknown, continued, cut, lost_bytes } = more;
        let counts = &mut self.of(source).lines;
        counts.lines += lines;
        counts.matched += matched;
        counts.unknown += unknown;
        counts.continued += continued;
        counts.cut += cut;
        counts.lost_bytes += lost_bytes;
    }

    /// Every source's counts, by name.
    pub fn iter(&self) -> impl Iterator<Item = &SourceCounts> {
        self.sources.values().map(|(counts, _)| counts)
    }

    /// Appends what has changed.
    pub fn deltas(&mut self, out: &mut Vec<Delta>) {
        for (source, (counts, is_changed)) in &mut self.sources {
            if std::mem::take(is_changed) {
                let body = serde_json::to_string(counts).expect("counts are numbers and a name");
                out.push(Delta::Put { table: Table::Counters, id: source.to_string(), body });
            }
        }
    }

    /// Puts in a row as it was written.
    pub fn restore(&mut self, id: &str, body: &str) -> Result<(), String> {
        let counts = serde_json::from_str(body)
            .map_err(|error| format!("wanted a row of counters, found {id}: {error}"))?;
        self.sources.insert(id.into(), (counts, false));
        Ok(())
    }
}
