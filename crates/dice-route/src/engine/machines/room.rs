//! Room for what the keys of a rule keep together: when it is full, the oldest of it goes, whosever it is.

use std::collections::BTreeMap;

use crate::engine::codec::{Reader, Writer};

/// Room for moments that wait in the states of many keys.
///
/// A key's state is not at hand when another needs room. So what has to go is said by its time: everything
/// up to [`Room::gone_ms`] is gone, and every state leaves it out when it is next asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Room {
    /// How many there are at each moment; made anew from the states after a restart.
    moments: BTreeMap<i64, u32>,
    n: usize,
    gone_ms: i64,
    lost: u64,
}

impl Default for Room {
    fn default() -> Room {
        Room { moments: BTreeMap::new(), n: 0, gone_ms: i64::MIN, lost: 0 }
    }
}

impl Room {
    /// Takes a moment in and lets the oldest ones go while there are more than `most`. `false` if it is too
    /// old to be kept itself.
    pub(crate) fn enter(&mut self, at_ms: i64, most: usize) -> bool {
        if self.is_gone(at_ms) {
            self.lose(1);
            return false;
        }
        self.adopt(at_ms);
        while self.n > most.max(1) {
            let Some((gone_ms, n)) = self.moments.pop_first() else { break };
            self.n -= n as usize;
            self.gone_ms = gone_ms;
            self.lose(u64::from(n));
        }
        !self.is_gone(at_ms)
    }

    /// Takes in a moment of a state that came back from disk.
    pub(crate) fn adopt(&mut self, at_ms: i64) {
        if !self.is_gone(at_ms) {
            *self.moments.entry(at_ms).or_default() += 1;
            self.n += 1;
        }
    }

    /// Lets a moment go that is no longer kept.
    pub(crate) fn leave(&mut self, at_ms: i64) {
        if self.is_gone(at_ms) {
            return;
        }
        if let Some(n) = self.moments.get_mut(&at_ms) {
            *n -= 1;
            self.n -= 1;
            if *n == 0 {
                self.moments.remove(&at_ms);
            }
        }
    }

    /// Whether a moment had to go.
    pub(crate) fn is_gone(&self, at_ms: i64) -> bool {
        at_ms <= self.gone_ms
    }

    /// Counts what was lost.
    pub(crate) fn lose(&mut self, n: u64) {
        self.lost = self.lost.saturating_add(n);
    }

    /// How many were lost, for want of room or of knowledge.
    pub(crate) fn lost(&self) -> u64 {
        self.lost
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.n
    }

    /// Writes what the states do not tell.
    pub(crate) fn encode(&self, writer: &mut Writer<'_>) {
        writer.signed(self.gone_ms);
        writer.unsigned(self.lost);
    }

    /// Reads it.
    pub(crate) fn decode(reader: &mut Reader<'_, '_>) -> Option<Room> {
        Some(Room { gone_ms: reader.signed()?, lost: reader.count()?, ..Room::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_whosever_they_are() {
        let mut room = Room::default();
        for at_ms in [5, 1, 3] {
            assert!(room.enter(at_ms, 3));
        }
        assert!(room.enter(4, 3));
        assert!(room.is_gone(1) && !room.is_gone(3));
        // What has gone is not counted twice, what comes too late is not kept.
        room.leave(1);
        assert!(!room.enter(1, 3));
        assert_eq!((room.len(), room.lost()), (3, 2));
        room.leave(3);
        assert!(room.enter(2, 3));
        assert_eq!((room.len(), room.lost()), (3, 2));
    }
}
