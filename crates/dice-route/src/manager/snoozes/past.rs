//! How often each message came in the hours that are over, for a week.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::MessageId;
use crate::book::{Delta, Table};

/// Hours that are kept of a message, behind its latest.
const MAX_HOURS: u32 = 7 * 24;

/// Hours of all messages together that are kept; past it the oldest days go. One is eight bytes.
const MAX_ALL: usize = 1_000_000;

/// Counts by message and hour. A row is written when an hour of its message is over, not with every event.
#[derive(Debug, Clone)]
pub(super) struct Past {
    /// Hours counted from 1970, each with its count, which is not 0; the oldest first.
    rows: FxHashMap<MessageId, Vec<(u32, u32)>>,
    /// Hours in all rows.
    n_hours: usize,
    max_hours: usize,
    changed: BTreeSet<MessageId>,
}

/// A row as it is written.
#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    /// The first hour, counted from 1970.
    from: u32,
    /// The counts of that hour and of those after it.
    counts: Vec<u32>,
}

impl Default for Past {
    fn default() -> Past {
        Past { rows: FxHashMap::default(), n_hours: 0, max_hours: MAX_ALL, changed: BTreeSet::new() }
    }
}

impl Past {
    /// Adds to what is known of an hour; gives how many hours were forgotten for want of room.
    pub(super) fn add(&mut self, id: MessageId, hour: i64, n: u32) -> u64 {
        // No log is from before 1970, and none from so far in the future.
        let (Ok(hour), true) = (u32::try_from(hour), n > 0) else { return 0 };
        let row = self.rows.entry(id).or_default();
        match row.binary_search_by_key(&hour, |(known, _)| *known) {
            Ok(place) => row[place].1 = row[place].1.saturating_add(n),
            Err(place) => {
                row.insert(place, (hour, n));
                self.n_hours += 1;
            }
        }
        let latest = row.last().map_or(hour, |(latest, _)| *latest);
        let n_old = row.partition_point(|(known, _)| latest - known >= MAX_HOURS);
        row.drain(..n_old);
        self.n_hours -= n_old;
        self.changed.insert(id);
        if self.n_hours > self.max_hours { self.make_room() } else { 0 }
    }

    /// Forgets the oldest days of all messages until there is room for a while.
    fn make_room(&mut self) -> u64 {
        let before = self.n_hours;
        while self.n_hours > self.max_hours - self.max_hours / 8 {
            let first = self.rows.values().filter_map(|row| row.first()).map(|(hour, _)| *hour).min();
            let Some(first) = first else { break };
            let end = first - first % 24 + 24;
            let Past { rows, n_hours, changed, .. } = self;
            rows.retain(|id, row| {
                let n_old = row.partition_point(|(hour, _)| *hour < end);
                if n_old > 0 {
                    row.drain(..n_old);
                    *n_hours -= n_old;
                    changed.insert(*id);
                }
                !row.is_empty()
            });
        }
        (before - self.n_hours) as u64
    }

    /// A message has another name now.
    pub(super) fn rename(&mut self, from: MessageId, to: MessageId) {
        for (hour, n) in self.rows.get(&from).cloned().unwrap_or_default() {
            self.add(to, i64::from(hour), n);
        }
        self.remove(from);
    }

    /// Forgets a message.
    pub(super) fn remove(&mut self, id: MessageId) {
        if let Some(row) = self.rows.remove(&id) {
            self.n_hours -= row.len();
            self.changed.insert(id);
        }
    }

    /// The hours that are known of a message, counted from 1970, with their counts; the oldest first.
    pub(super) fn of(&self, id: MessageId) -> impl Iterator<Item = (i64, u32)> {
        self.rows.get(&id).into_iter().flatten().map(|(hour, n)| (i64::from(*hour), *n))
    }

    /// Appends what has changed, in the order of the names.
    pub(super) fn deltas(&mut self, out: &mut Vec<Delta>) {
        for id in std::mem::take(&mut self.changed) {
            let name = id.to_string();
            out.push(match self.rows.get(&id).and_then(|row| Saved::of(row)) {
                Some(saved) => Delta::Put {
                    table: Table::Hours,
                    id: name,
                    body: serde_json::to_string(&saved).expect("a row is made of numbers"),
                },
                None => Delta::Delete { table: Table::Hours, id: name },
            });
        }
    }

    /// Puts in a row as it was written.
    pub(super) fn restore(&mut self, id: &str, body: &str) -> Result<(), String> {
        let wanted = |found: &dyn std::fmt::Display| format!("wanted hourly counts, found {id}: {found}");
        let message: MessageId = id.parse().map_err(|error| wanted(&error))?;
        let Saved { from, counts } = serde_json::from_str(body).map_err(|error| wanted(&error))?;
        let row: Vec<(u32, u32)> = (from..=u32::MAX).zip(counts).filter(|(_, n)| *n > 0).collect();
        self.n_hours += row.len();
        self.rows.insert(message, row);
        Ok(())
    }
}

impl Saved {
    /// `None` of no hours.
    fn of(row: &[(u32, u32)]) -> Option<Saved> {
        let ((from, _), (last, _)) = (row.first()?, row.last()?);
        let mut counts = vec![0; (last - from) as usize + 1];
        for (hour, n) in row {
            counts[(hour - from) as usize] = *n;
        }
        Some(Saved { from: *from, counts })
    }
}

#[cfg(test)]
mod tests {
    use super::Past;
    use crate::book::Delta;
    use crate::manager::fixture::id_of;

    /// What is written of `past`, and that it comes back the same.
    #[track_caller]
    fn check(past: &mut Past, expected: &[&str]) {
        let mut deltas = Vec::new();
        past.deltas(&mut deltas);
        let mut back = Past::default();
        let mut written = Vec::new();
        for delta in &deltas {
            match delta {
                Delta::Put { id, body, .. } => {
                    back.restore(id, body).unwrap();
                    written.push(body.as_str());
                }
                Delta::Delete { .. } => written.push("gone"),
                other => panic!("{other:?}"),
            }
        }
        written.sort_unstable();
        assert_eq!(written, expected);
        for (id, row) in &back.rows {
            assert_eq!(past.rows.get(id), Some(row));
        }
    }

    #[test]
    fn hours_are_kept_for_a_week() {
        let mut past = Past::default();
        let id = id_of("a");
        for (hour, n) in [(500, 2), (503, 1), (500, 1), (-1, 9), (i64::MAX, 9), (501, 0)] {
            past.add(id, hour, n);
        }
        check(&mut past, &[r#"{"from":500,"counts":[3,0,0,1]}"#]);
        // What is far too late changes nothing.
        past.add(id, 503 - 168, 5);
        assert_eq!(past.of(id).collect::<Vec<_>>(), [(500, 3), (503, 1)]);
        past.add(id, 500 + 168, u32::MAX);
        past.add(id, 500 + 168, 1);
        assert_eq!(past.of(id).collect::<Vec<_>>(), [(503, 1), (668, u32::MAX)]);
        past.rename(id, id_of("b"));
        assert_eq!(past.of(id_of("b")).count(), 2);
        past.remove(id_of("b"));
        assert_eq!(past.n_hours, 0);
        check(&mut past, &["gone", "gone"]);
    }

    #[test]
    fn the_oldest_days_go_where_there_is_no_room() {
        let mut past = Past { max_hours: 80, ..Past::default() };
        let mut n_gone = 0;
        for hour in 480..600 {
            n_gone += past.add(id_of(if hour % 2 == 0 { "even" } else { "odd" }), hour, 1);
        }
        assert_eq!((n_gone, past.n_hours), (48, 72));
        assert_eq!(past.of(id_of("even")).next(), Some((528, 1)));
        assert!(past.restore("x", "{}").is_err() && past.restore(&id_of("x").to_string(), "[]").is_err());
    }
}
