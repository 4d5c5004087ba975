//! How often each message came, hour by hour, for a week.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::past::Past;
use crate::book::{Delta, Table};
use crate::{Event, Message, MessageId};

/// Messages that are counted; past it the one not seen for the longest time goes.
const MAX_MESSAGES: usize = 50_000;

/// Earlier names of one message that are followed.
const MAX_NAMES: usize = 16;

const HOUR_MS: i64 = 3_600_000;

/// Today, and the seven days before it.
const N_DAYS: usize = 8;

/// How the names of these rows begin, in the table of snoozes.
pub(super) const PREFIX: &str = "hours/";

/// The hours and the busiest hour of each day for every message, and the names that messages had before.
///
/// Counts are kept by event time. One row is about 120 bytes; a look at a message is one hash.
#[derive(Debug, Clone, Default)]
pub(super) struct Hours {
    rows: FxHashMap<MessageId, Row>,
    /// The hours behind the latest two of a row.
    past: Past,
    /// By the last day they were seen on.
    by_day: BTreeSet<(i64, MessageId)>,
    /// Earlier name → the name of today.
    names: FxHashMap<MessageId, MessageId>,
    /// Named once each: a row says whether it is in it.
    changed: Vec<MessageId>,
    removed: BTreeSet<MessageId>,
}

#[derive(Debug, Clone, Default)]
struct Row {
    saved: Saved,
    is_changed: bool,
    /// The release and service of the last event: whoever asks for releases need not ask again.
    release: Option<(Option<Arc<str>>, Arc<str>)>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Saved {
    /// The latest hour, counted from 1970.
    hour: i64,
    /// Events in it, and in the one before.
    n: u32,
    before: u32,
    /// The busiest hour of each day; a day's place is its number modulo eight.
    days: [u32; N_DAYS],
    /// Earlier names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    was: Vec<MessageId>,
}

/// What is known after an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    /// The message's name of today.
    pub(super) id: MessageId,
    /// Events in the event's hour so far; 0 for one that is hours late.
    pub(super) in_hour: u32,
    /// The event's release is the one of the message's last event.
    pub(super) is_same_release: bool,
    /// The message was not known by this name.
    pub(super) is_new_name: bool,
    /// A message was forgotten for want of room.
    pub(super) is_evicted: bool,
    /// Hours of messages that were forgotten for want of room.
    pub(super) forgotten_hours: u64,
}

/// Hours that are over, with their counts.
type Over = Vec<(i64, u32)>;

impl Hours {
    /// The name of today for a message that was called `id`.
    pub(super) fn current(&self, id: MessageId) -> MessageId {
        self.names.get(&id).copied().unwrap_or(id)
    }

    /// Counts an event that happened at `at_ms`.
    pub(super) fn count(&mut self, event: &Event, at_ms: i64) -> Seen {
        let message = &*event.message;
        let mut seen = Seen {
            id: message.id,
            in_hour: 0,
            is_same_release: false,
            is_new_name: false,
            is_evicted: false,
            forgotten_hours: 0,
        };
        let mut over = Over::new();
        let hour = at_ms.div_euclid(HOUR_MS);
        if let Some(row) = self.rows.get_mut(&message.id)
            && row.saved.was == names(message)
            && row.is_changed
            && row.day() == hour.div_euclid(24)
        {
            // Nearly every event ends here.
            seen.in_hour = row.count(hour, &mut over);
            seen.is_same_release = row.is_same_release(event);
            seen.forgotten_hours = self.keep(seen.id, over);
            return seen;
        }
        if self.rows.get(&message.id).is_none_or(|row| row.saved.was != names(message)) {
            match self.names.get(&message.id) {
                // An older catalog is back: its name still means the same message.
                Some(now) if !message.was.contains(now) => seen.id = *now,
                _ => {
                    seen.is_new_name = true;
                    self.learn(message);
                }
            }
        }
        let is_new = !self.rows.contains_key(&seen.id);
        let row = self.rows.entry(seen.id).or_insert_with(|| Row::at(hour));
        let day = row.day();
        seen.in_hour = row.count(hour, &mut over);
        seen.is_same_release = row.is_same_release(event);
        if !row.is_changed {
            row.is_changed = true;
            self.changed.push(seen.id);
        }
        if is_new || row.day() != day {
            let today = row.day();
            self.by_day.remove(&(day, seen.id));
            self.by_day.insert((today, seen.id));
            self.removed.remove(&seen.id);
        }
        seen.forgotten_hours = self.keep(seen.id, over);
        if self.rows.len() > MAX_MESSAGES
            && let Some((_, oldest)) = self.by_day.first().copied()
        {
            self.remove(oldest);
            seen.is_evicted = true;
        }
        seen
    }

    /// The most events of one hour in the seven days before `now_ms` and in today.
    pub(super) fn busiest(&self, id: MessageId, now_ms: i64) -> u32 {
        let Some(row) = self.rows.get(&self.current(id)) else { return 0 };
        let today = now_ms.div_euclid(24 * HOUR_MS);
        let days = (0..N_DAYS as i64).map(|ago| row.day() - ago).filter(|day| today - day < N_DAYS as i64);
        days.map(|day| row.saved.days[place(day)]).max().unwrap_or(0)
    }

    fn keep(&mut self, id: MessageId, over: Over) -> u64 {
        over.into_iter().map(|(hour, n)| self.past.add(id, hour, n)).sum()
    }

    /// How often a message came in each of the last `hours` hours, this one included, the oldest first; `None`
    /// where it did not come. What is dated ahead counts as now.
    pub(super) fn last(&self, id: MessageId, hours: u32, now_ms: i64) -> Option<Vec<u64>> {
        let id = self.current(id);
        let row = &self.rows.get(&id)?.saved;
        let now = now_ms.div_euclid(HOUR_MS);
        let first = now.saturating_sub(i64::from(hours.max(1)) - 1);
        let latest = [(row.hour.saturating_sub(1), row.before), (row.hour, row.n)];
        let mut counts = Vec::new();
        for (hour, n) in self.past.of(id).chain(latest) {
            if hour < first || n == 0 {
                continue;
            }
            counts.resize(hours.max(1) as usize, 0_u64);
            let place = usize::try_from(hour.min(now) - first).unwrap_or(0);
            counts[place] = counts[place].saturating_add(n.into());
        }
        Some(counts).filter(|counts| !counts.is_empty())
    }

    /// Forgets messages that have not come for eight days.
    pub(super) fn forget(&mut self, now_ms: i64) {
        let bound = now_ms.div_euclid(24 * HOUR_MS) - N_DAYS as i64;
        while let Some((day, id)) = self.by_day.first().copied()
            && day < bound
        {
            self.remove(id);
        }
    }

    /// Takes over what was counted under earlier names.
    fn learn(&mut self, message: &Message) {
        self.names.remove(&message.id);
        let was = names(message);
        for earlier in was {
            self.names.insert(*earlier, message.id);
            let Some(old) = self.rows.get(earlier).map(|row| row.saved.clone()) else { continue };
            self.past.rename(*earlier, message.id);
            self.remove(*earlier);
            self.names.insert(*earlier, message.id);
            let is_new = !self.rows.contains_key(&message.id);
            let row = self.rows.entry(message.id).or_insert_with(|| Row::at(old.hour));
            let before = (!is_new).then(|| row.day());
            let mut over = Over::new();
            row.merge(&old, &mut over);
            let today = row.day();
            if let Some(before) = before {
                self.by_day.remove(&(before, message.id));
            }
            self.by_day.insert((today, message.id));
            self.keep(message.id, over);
        }
        if let Some(row) = self.rows.get_mut(&message.id) {
            row.saved.was = was.to_vec();
            if !row.is_changed {
                row.is_changed = true;
                self.changed.push(message.id);
            }
        } else if !was.is_empty() {
            let row = Row {
                saved: Saved { hour: i64::MIN, was: was.to_vec(), ..Saved::default() },
                is_changed: true,
                release: None,
            };
            self.by_day.insert((row.day(), message.id));
            self.rows.insert(message.id, row);
            self.changed.push(message.id);
        }
        self.removed.remove(&message.id);
    }

    fn remove(&mut self, id: MessageId) {
        let Some(row) = self.rows.remove(&id) else { return };
        self.by_day.remove(&(row.day(), id));
        self.past.remove(id);
        for earlier in &row.saved.was {
            if self.names.get(earlier) == Some(&id) {
                self.names.remove(earlier);
            }
        }
        self.removed.insert(id);
    }

    /// Appends what has changed, in the order of the names.
    pub(super) fn deltas(&mut self, out: &mut Vec<Delta>) {
        let mut rows: BTreeMap<MessageId, Option<String>> = BTreeMap::new();
        for id in std::mem::take(&mut self.removed) {
            rows.insert(id, None);
        }
        for id in std::mem::take(&mut self.changed) {
            let Some(row) = self.rows.get_mut(&id) else { continue };
            row.is_changed = false;
            let body = serde_json::to_string(&row.saved).expect("a row is made of numbers and names");
            rows.insert(id, Some(body));
        }
        out.extend(rows.into_iter().map(|(id, body)| {
            let (table, id) = (Table::Snoozes, format!("{PREFIX}{id}"));
            match body {
                Some(body) => Delta::Put { table, id, body },
                None => Delta::Delete { table, id },
            }
        }));
        self.past.deltas(out);
    }

    /// Puts in a row of hours that are over.
    pub(super) fn restore_past(&mut self, id: &str, body: &str) -> Result<(), String> {
        self.past.restore(id, body)
    }

    /// Puts in a row as it was written.
    pub(super) fn restore(&mut self, id: &str, body: &str) -> Result<(), String> {
        let wanted = |found: &dyn std::fmt::Display| format!("wanted hourly counts, found {id}: {found}");
        let message: MessageId =
            id.strip_prefix(PREFIX).unwrap_or(id).parse().map_err(|error| wanted(&error))?;
        let saved: Saved = serde_json::from_str(body).map_err(|error| wanted(&error))?;
        for earlier in &saved.was {
            self.names.insert(*earlier, message);
        }
        let row = Row { saved, is_changed: false, release: None };
        self.by_day.insert((row.day(), message));
        self.rows.insert(message, row);
        Ok(())
    }
}

fn names(message: &Message) -> &[MessageId] {
    &message.was[..message.was.len().min(MAX_NAMES)]
}

fn place(day: i64) -> usize {
    usize::try_from(day.rem_euclid(N_DAYS as i64)).unwrap_or(0)
}

impl Row {
    fn at(hour: i64) -> Row {
        Row { saved: Saved { hour, ..Saved::default() }, is_changed: false, release: None }
    }

    fn day(&self) -> i64 {
        self.saved.hour.div_euclid(24)
    }

    /// Makes `hour` the latest one, when it is. What is neither the latest nor the one before is over.
    fn roll(&mut self, hour: i64, over: &mut Over) {
        if hour <= self.saved.hour {
            return;
        }
        let from = self.day();
        over.push((self.saved.hour.saturating_sub(1), self.saved.before));
        if self.saved.hour.saturating_add(1) == hour {
            self.saved.before = self.saved.n;
        } else {
            over.push((self.saved.hour, self.saved.n));
            self.saved.before = 0;
        }
        (self.saved.hour, self.saved.n) = (hour, 0);
        let fresh = self.day().saturating_sub(from).min(N_DAYS as i64);
        for ago in 0..fresh {
            self.saved.days[place(self.day() - ago)] = 0;
        }
    }

    fn count(&mut self, hour: i64, over: &mut Over) -> u32 {
        self.roll(hour, over);
        let n = match self.saved.hour.saturating_sub(hour) {
            0 => &mut self.saved.n,
            1 => &mut self.saved.before,
            _ => {
                over.push((hour, 1));
                return 0;
            }
        };
        *n = n.saturating_add(1);
        let n = *n;
        let busiest = &mut self.saved.days[place(hour.div_euclid(24))];
        *busiest = (*busiest).max(n);
        n
    }

    fn merge(&mut self, old: &Saved, over: &mut Over) {
        self.roll(old.hour, over);
        let before = (old.hour.saturating_sub(1), old.before);
        match self.saved.hour.saturating_sub(old.hour) {
            0 => {
                self.saved.n = self.saved.n.saturating_add(old.n);
                self.saved.before = self.saved.before.saturating_add(old.before);
            }
            1 => {
                self.saved.before = self.saved.before.saturating_add(old.n);
                over.push(before);
            }
            _ => over.extend([before, (old.hour, old.n)]),
        }
        let (today, then) = (self.day(), old.hour.div_euclid(24));
        for day in (0..N_DAYS as i64).map(|ago| then.saturating_sub(ago)) {
            if today.saturating_sub(day) < N_DAYS as i64 {
                let busiest = &mut self.saved.days[place(day)];
                *busiest = (*busiest).max(old.days[place(day)]);
            }
        }
    }

    fn is_same_release(&mut self, event: &Event) -> bool {
        let Some(version) = &event.version else { return true };
        let is_same =
            self.release.as_ref().is_some_and(|known| known.0 == event.service && known.1 == *version);
        if !is_same {
            self.release = Some((event.service.clone(), version.clone()));
        }
        is_same
    }
}
