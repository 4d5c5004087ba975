//! The events of a key that wait for their time, as far as a machine has to know them.

use std::collections::VecDeque;

/// What is known of the events of a key that wait, by time. It is not saved: what waits is told anew.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ahead {
    events: VecDeque<(i64, u64)>,
}

impl Ahead {
    /// One more waits.
    pub(crate) fn add(&mut self, at_ms: i64, what: u64) {
        if self.events.back().is_none_or(|(last_ms, _)| *last_ms <= at_ms) {
            return self.events.push_back((at_ms, what));
        }
        let place = self.events.partition_point(|(known_ms, _)| *known_ms <= at_ms);
        self.events.insert(place, (at_ms, what));
    }

    /// One waits no more: the first of those that are told alike.
    pub(crate) fn take(&mut self, at_ms: i64, what: u64) {
        let place = self.events.iter().position(|event| *event == (at_ms, what) || event.0 > at_ms);
        if let Some(place) = place.filter(|place| self.events[*place].0 == at_ms) {
            self.events.remove(place);
        }
    }

    /// Whether none waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Those that wait, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (i64, u64)> {
        self.events.iter().copied()
    }
}
