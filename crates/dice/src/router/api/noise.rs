//! How often each message came, by the hour.

use std::collections::{BTreeMap, HashMap};

use dice_route::{Input, MessageId};

/// Hours that are kept.
const MAX_HOURS: i64 = 7 * 24;
/// Messages that are counted in an hour; those that come first when there are more.
const MAX_MESSAGES: usize = 20_000;
const HOUR_MS: i64 = 3_600_000;

/// How often each message came, by the hour of its reading, since this process began.
#[derive(Debug, Default)]
pub(super) struct Noise {
    hours: BTreeMap<i64, HashMap<MessageId, u64>>,
}

impl Noise {
    /// Counts events.
    pub(super) fn count(&mut self, inputs: &[Input]) {
        for input in inputs {
            let Input::Event(event) = input else { continue };
            let number = event.ingested_ms.div_euclid(HOUR_MS);
            if !self.hours.contains_key(&number) {
                self.hours = self.hours.split_off(&(number - MAX_HOURS));
            }
            let hour = self.hours.entry(number).or_default();
            if hour.len() < MAX_MESSAGES || hour.contains_key(&event.message.id) {
                *hour.entry(event.message.id).or_default() += 1;
            }
        }
    }

    /// The counts of the last hours, this one included, oldest first, by message.
    pub(super) fn last(&self, hours: u32, now_ms: i64) -> HashMap<MessageId, Vec<u64>> {
        let hours = i64::from(hours).clamp(1, MAX_HOURS);
        let first = now_ms.div_euclid(HOUR_MS) - hours + 1;
        let mut found: HashMap<MessageId, Vec<u64>> = HashMap::new();
        for (number, counts) in self.hours.range(first..first + hours) {
            let place = usize::try_from(number - first).unwrap_or_default();
            for (message, count) in counts {
                let each = found
                    .entry(*message)
                    .or_insert_with(|| vec![0; usize::try_from(hours).unwrap_or_default()]);
                each[place] += count;
            }
        }
        found
    }
}
