//! What was counted, by what was done about it: the sums that have to come out even.

use serde::{Deserialize, Serialize};

use crate::Decision;
use crate::book::{Book, Delta, Row, Table};

/// The id of the row.
pub(super) const NOTE: &str = "manager/ledger";

const HOUR_MS: i64 = 3_600_000;

/// Occurrences by the most urgent thing that was done about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Somebody was told at once.
    pub now: u64,
    /// They went into digests.
    pub digest: u64,
    /// Nobody is told.
    pub nobody: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Page {
    counts: Counts,
    hour: i64,
}

impl Row for Page {
    const TABLE: Table = Table::Notes;

    fn id(&self) -> &str {
        NOTE
    }
}

/// What was counted, and which hour it is.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    book: Book<Page>,
}

impl Ledger {
    /// Counts occurrences.
    pub(super) fn count(&mut self, decision: Decision, count: u64) {
        if count == 0 {
            return;
        }
        self.edit(|page| match decision {
            Decision::Page | Decision::Now => page.counts.now += count,
            Decision::Digest => page.counts.digest += count,
            Decision::None => page.counts.nobody += count,
        });
    }

    /// What was counted.
    pub(super) fn counts(&self) -> Counts {
        self.book.get(NOTE).map(|page| page.counts).unwrap_or_default()
    }

    /// Whether another hour has begun since it was asked last.
    pub(super) fn begins_hour(&mut self, now_ms: i64) -> bool {
        let hour = now_ms.div_euclid(HOUR_MS);
        if self.book.get(NOTE).is_some_and(|page| page.hour >= hour) {
            return false;
        }
        self.edit(|page| page.hour = hour);
        true
    }

    fn edit(&mut self, change: impl FnOnce(&mut Page)) {
        if self.book.is_empty() {
            self.book.put(Page::default());
        }
        if let Some(page) = self.book.get_mut(NOTE) {
            change(page);
        }
    }

    /// Appends what has changed.
    pub(super) fn deltas(&mut self, out: &mut Vec<Delta>) {
        self.book.deltas(out);
    }

    /// Puts in a row as it was written.
    pub(super) fn restore(&mut self, id: &str, body: &str) -> Result<(), String> {
        self.book.restore(id, body)
    }
}
