//! The book of what did not reach somebody and of what people did.

use std::collections::BTreeMap;

use crate::book::{Book, Delta};
use crate::{Cause, Record};

/// Rows that are kept; past it the oldest go.
const MAX_RECORDS: usize = 100_000;

/// The book of what did not reach somebody and of what people did. Equal things within a minute are one row
/// with a count, so a flood of them is not a flood of rows.
#[derive(Debug, Clone, Default)]
pub struct Records {
    book: Book<Record>,
    /// The row of each thing in the current minute.
    current: BTreeMap<(Cause, String, String), String>,
    minute: i64,
    next: u64,
}

impl Records {
    /// Writes down one thing.
    pub fn note(&mut self, at_ms: i64, cause: Cause, subject: &str, by: &str, text: &str) {
        self.note_many(at_ms, cause, subject, by, text, 1);
    }

    /// Writes down `count` equal things.
    pub fn note_many(&mut self, at_ms: i64, cause: Cause, subject: &str, by: &str, text: &str, count: u64) {
        // A minute that is over does not begin anew for what was read a little earlier.
        let at_ms = at_ms.max(self.minute.saturating_mul(60_000));
        let minute = at_ms.div_euclid(60_000);
        if minute != self.minute {
            self.minute = minute;
            self.current.clear();
        }
        let key = (cause, subject.to_owned(), by.to_owned());
        if let Some(row) = self.current.get(&key).and_then(|id| self.book.get_mut(id)) {
            row.count += count;
            return;
        }
        let id = format!("{:014}-{:010}", at_ms.max(0), self.next);
        self.next += 1;
        self.current.insert(key, id.clone());
        self.book.put(Record {
            id,
            at_ms,
            cause,
            subject: subject.to_owned(),
            by: by.to_owned(),
            count,
            text: text.to_owned(),
        });
        while self.book.len() > MAX_RECORDS {
            let Some(oldest) = self.book.iter().next().map(|row| row.id.clone()) else { break };
            self.book.remove(&oldest);
        }
    }

    /// Every row, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Record> {
        self.book.iter()
    }

    /// Forgets rows from before this moment, but for the very last, whose number the next one follows.
    pub fn forget_before(&mut self, at_ms: i64) {
        let bound = format!("{:014}", at_ms.max(0));
        let but_last = self.book.len().saturating_sub(1);
        let old = self.book.iter().take(but_last).map(|row| &row.id);
        let old: Vec<String> = old.take_while(|id| **id < bound).cloned().collect();
        for id in old {
            self.book.remove(&id);
        }
    }

    /// Appends what has changed.
    pub fn deltas(&mut self, out: &mut Vec<Delta>) {
        self.book.deltas(out);
    }

    /// Puts in a row as it was written.
    pub fn restore(&mut self, id: &str, body: &str) -> Result<(), String> {
        self.book.restore(id, body)?;
        let Some(row) = self.book.get(id) else { return Ok(()) };
        let number = id.rsplit_once('-').and_then(|(_, number)| number.parse::<u64>().ok());
        self.next = self.next.max(number.map_or(0, |number| number + 1));
        // A row of the running minute goes on counting after a restart, as it would have without one.
        let minute = row.at_ms.div_euclid(60_000);
        if minute > self.minute {
            self.minute = minute;
            self.current.clear();
        }
        if minute == self.minute {
            let key = (row.cause, row.subject.clone(), row.by.clone());
            self.current.insert(key, id.to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Records;
    use crate::Cause;
    use crate::book::Delta;

    #[test]
    fn numbers_go_on_where_nothing_happened_for_long() {
        let mut records = Records::default();
        records.note(0, Cause::Late, "one", "by", "text");
        records.note(1, Cause::Late, "two", "by", "text");
        records.forget_before(i64::MAX);
        let rows: Vec<_> = records.iter().cloned().collect();
        assert_eq!(rows.len(), 1);
        let mut restored = Records::default();
        rows.iter().for_each(|row| restored.restore(&row.id, &serde_json::to_string(row).unwrap()).unwrap());
        for records in [&mut records, &mut restored] {
            records.note(90_000, Cause::Late, "three", "by", "text");
            assert_eq!(records.iter().last().map(|row| &*row.id), Some("00000000090000-0000000002"));
        }
    }

    /// Notes things at these times, saves and restores after each where it is wanted; gives the rows.
    fn rows(times_ms: &[i64], is_restored: bool) -> Vec<(i64, u64)> {
        let (mut records, mut saved) = (Records::default(), std::collections::BTreeMap::new());
        for at_ms in times_ms {
            records.note(*at_ms, Cause::Late, "subject", "by", "text");
            let mut deltas = Vec::new();
            records.deltas(&mut deltas);
            for delta in deltas {
                if let Delta::Put { id, body, .. } = delta {
                    saved.insert(id, body);
                }
            }
            if is_restored {
                records = Records::default();
                saved.iter().for_each(|(id, body)| records.restore(id, body).unwrap());
            }
        }
        records.iter().map(|row| (row.at_ms, row.count)).collect()
    }

    #[track_caller]
    fn check(times_ms: &[i64], expected: &[(i64, u64)]) {
        assert_eq!(rows(times_ms, false), expected);
        assert_eq!(rows(times_ms, true), expected, "restored");
    }

    #[test]
    fn equal_things_of_a_minute_are_one_row_whenever_it_is_restored() {
        check(&[0, 1, 59_999, 60_000], &[(0, 3), (60_000, 1)]);
        check(&[60_000, 59_999, 60_001], &[(60_000, 3)]);
        check(&[60_001, 1, 1, 120_000, 60_002], &[(60_001, 3), (120_000, 2)]);
    }
}
