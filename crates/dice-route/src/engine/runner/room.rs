//! How many keys a rule may keep, and what stays of those that go.

use std::cmp::Reverse;

use super::{Ground, Runner, Tombstone};
use crate::CloseReason;
use crate::engine::life::{Head, Mode};
use crate::engine::machine::Machine;

/// So many timers more than the keys need are no matter.
const FEW_TIMERS: usize = 64;

impl<M: Machine> Runner<M> {
    /// An event of the key was decided: it counts, it is the latest, and others may have to go for it.
    pub(super) fn settle(&mut self, slot: u32, at_ms: i64, now_ms: i64, ground: &mut Ground<'_>) {
        let Some(found) = self.keys.get_mut(slot) else { return };
        found.head.last_ms = found.head.last_ms.max(at_ms);
        if self.machine.is_pinned(&found.state) {
            return;
        }
        if !found.head.is_settled {
            found.head.is_settled = true;
            self.settled += 1;
            if let Some(oldest) = &mut self.oldest {
                oldest.push(Reverse((found.head.last_ms, found.head.hash, slot)));
            }
        }
        while self.settled > self.max_keys {
            let Some(oldest) = self.oldest_key() else { break };
            self.evict(oldest, now_ms, ground);
        }
    }

    /// The key without events for the longest time; among equals the one with the smallest hash, then bytes.
    pub(super) fn oldest_key(&mut self) -> Option<u32> {
        if self.oldest.as_ref().is_none_or(|oldest| oldest.len() > 2 * self.settled + 1_024) {
            let settled = self.keys.iter().filter(|(_, found)| found.head.is_settled);
            self.oldest =
                Some(settled.map(|(id, found)| Reverse((found.head.last_ms, found.head.hash, id))).collect());
        }
        let oldest = self.oldest.as_mut()?;
        let mut best: Option<(i64, u32, u32)> = None;
        while let Some(&Reverse((last_ms, hash, slot))) = oldest.peek() {
            if best.is_some_and(|(best_ms, best_hash, _)| (best_ms, best_hash) != (last_ms, hash)) {
                break;
            }
            oldest.pop();
            let Some(found) = self.keys.get(slot) else { continue };
            if !found.head.is_settled || found.head.hash != hash {
                continue;
            }
            if found.head.last_ms > last_ms {
                oldest.push(Reverse((found.head.last_ms, hash, slot)));
                continue;
            }
            match best {
                Some((.., other)) if other == slot => {}
                Some((.., other)) => {
                    let is_smaller =
                        self.keys.get(other).is_some_and(|other| *found.head.key < *other.head.key);
                    let (first, second) = if is_smaller { (slot, other) } else { (other, slot) };
                    oldest.push(Reverse((last_ms, hash, second)));
                    best = Some((last_ms, hash, first));
                    break;
                }
                None => best = Some((last_ms, hash, slot)),
            }
        }
        best.map(|(.., slot)| slot)
    }

    pub(super) fn evict(&mut self, slot: u32, now_ms: i64, ground: &mut Ground<'_>) {
        let Some(found) = self.keys.get(slot) else { return };
        if found.head.episode.is_some() || !self.machine.is_vacant(&found.state, now_ms) {
            self.counts.evicted += 1;
        }
        self.ask(slot, Mode::InOrder, now_ms, ground, |machine, _, state, life| {
            let tally = life.episode().map(|episode| episode.tally.clone()).unwrap_or_default();
            life.close(now_ms, CloseReason::Evicted, || machine.words(state, &tally));
        });
        let Some(found) = self.keys.get_mut(slot) else { return };
        if found.head.waiting == 0 {
            self.remove(slot);
            return;
        }
        self.machine.drop_state(&mut self.shared, &found.state);
        self.machine.forget(&mut found.state, now_ms);
        found.head.is_settled = false;
        self.settled -= 1;
    }

    pub(super) fn remove(&mut self, slot: u32) {
        let Some(found) = self.keys.remove(slot) else { return };
        self.machine.drop_state(&mut self.shared, &found.state);
        let Head { key, last_ms, last_close_ms, seq, is_settled, is_saved, .. } = found.head;
        self.settled -= usize::from(is_settled);
        let key: Box<[u8]> = (*key).into();
        if seq > self.speaker.base_seq {
            self.tombstones_by_time.insert((last_ms, key.clone()));
            self.dirty_tombstones.insert(key.clone());
            let tombstone = Tombstone { seq, last_close_ms, last_ms, is_dirty: true, is_saved };
            self.tombstones.insert(key, tombstone);
            while self.tombstones.len() > self.max_keys.saturating_mul(2) {
                self.forget_tombstone(true);
            }
        } else if is_saved {
            self.gone.insert(key);
        }
    }

    pub(super) fn forget_tombstone(&mut self, is_crowded: bool) {
        let Some((_, key)) = self.tombstones_by_time.pop_first() else { return };
        if let Some(tombstone) = self.tombstones.remove(&key) {
            // Its numbers must not come again, and nobody will know them any more.
            if is_crowded {
                self.speaker.base_seq = self.speaker.base_seq.max(tombstone.seq);
            }
            self.dirty_tombstones.remove(&key);
            if tombstone.is_saved {
                self.gone.insert(key);
            }
        }
    }

    /// Puts in a timer. Room is not doubled: every key pays for it.
    pub(super) fn push_timer(&mut self, due_ms: i64, slot: u32) {
        let n = self.timers.len();
        if n == self.timers.capacity() && n >= FEW_TIMERS {
            self.timers.reserve_exact(n / 8);
        }
        self.timers.push(Reverse((due_ms, slot)));
    }

    /// Leaves of every key's timers the first: those behind it are put in again when it has called. Without it
    /// a key that stays open would have one more with everything that is said about it.
    pub(super) fn thin_timers(&mut self) {
        if self.timers.len() <= self.keys.len() + self.keys.len() / 2 + FEW_TIMERS {
            return;
        }
        let mut timers = std::mem::take(&mut self.timers).into_vec();
        timers.sort_unstable_by_key(|Reverse((due_ms, slot))| (*slot, *due_ms));
        timers.dedup_by_key(|Reverse((_, slot))| *slot);
        timers.shrink_to(timers.len() + timers.len() / 8);
        self.timers = timers.into();
    }

    /// Gives up a key whose state says nothing any more.
    pub(super) fn tidy(&mut self, slot: u32, now_ms: i64) {
        let is_vacant = self.keys.get(slot).is_some_and(|found| {
            found.head.waiting == 0
                && found.head.episode.is_none()
                && self.machine.is_vacant(&found.state, now_ms)
        });
        if is_vacant {
            self.remove(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::OnceCell;

    use super::*;
    use crate::config::{Rule, RuleType};
    use crate::engine::keys::{self, KeyText};
    use crate::engine::life::Said;
    use crate::engine::machine::Arrival;
    use crate::engine::machines::matching::Matching;
    use crate::engine::origin::Origins;
    use crate::engine::runner::Runs;
    use crate::{Change, PartitionId};

    fn rule(quiet_ms: i64) -> Rule {
        Rule::new("rule", RuleType::Match { quiet_ms: Some(quiet_ms) })
    }

    #[test]
    fn a_key_that_stays_open_has_few_timers() {
        let (every_ms, quiet_ms, end_ms) = (20_000, 3_600_000, 24 * 3_600_000);
        let rule = rule(quiet_ms);
        let mut runner = Runner::new(&rule, Matching::new(Some(quiet_ms)), 0, 1);
        let (mut origins, mut said) = (Origins::default(), Said::new());
        let key = KeyText::default();
        let mut at_ms = 0;
        while at_ms <= end_ms + quiet_ms + every_ms {
            let event = crate::testing::event(PartitionId(0), "source", 0, Some(at_ms), at_ms);
            let line = OnceCell::new();
            let arrival = Arrival { event: &event, at_ms, bits: 1, origin: 0, line: &line };
            let mut ground = Ground {
                origins: &mut origins,
                out: &mut said,
                watermark_ms: at_ms - every_ms,
                healthy_since_ms: i64::MIN,
            };
            if at_ms <= end_ms {
                runner.arrive(&arrival, false, &key, keys::hash_of(key.bytes()), &mut ground);
            }
            runner.advance(&mut ground);
            assert!(runner.timers.len() <= FEW_TIMERS + 8, "{} after {at_ms} ms", runner.timers.len());
            at_ms += every_ms;
        }
        let changes: Vec<&Change> = said.iter().map(|(_, transition)| &transition.change).collect();
        assert_eq!(changes.iter().filter(|change| **change == &Change::Open).count(), 1);
        assert!(matches!(changes.last(), Some(Change::Close(CloseReason::Cleared))));
        assert!(changes.len() > 2_000, "it goes on, and that is told");
    }
}
