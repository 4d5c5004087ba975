//! How a rule's state is written and put back.

use rustc_hash::FxHashMap;

use super::{Counts, Ground, Runner, Tombstone};
use crate::book::{Cell, Delta};
use crate::engine::buffer::Item;
use crate::engine::codec::{Reader, Writer};
use crate::engine::keys::{self, Slot};
use crate::engine::life::{Episode, Head};
use crate::engine::machine::{Machine, Pass};
use crate::engine::origin::Origins;
use crate::{CloseReason, Transition};

impl<M: Machine> Runner<M> {
    fn head_bytes(&self, origins: &Origins) -> Vec<u8> {
        let mut writer = Writer::new(origins);
        writer.unsigned(self.speaker.semantic_rev);
        writer.unsigned(self.generation);
        writer.unsigned(u64::from(self.speaker.base_seq));
        writer.signed(self.hurried_ms);
        writer.flag(self.is_seeded);
        let Counts { late_counted, late_dropped, evicted, hurried, unreadable } = self.counts;
        for count in [late_counted, late_dropped, evicted, hurried, unreadable] {
            writer.unsigned(count);
        }
        self.machine.encode_shared(&self.shared, &mut writer);
        writer.into_bytes()
    }

    fn restore_head(&mut self, bytes: &[u8], origins: &mut Origins) -> Option<()> {
        let mut reader = Reader::new(bytes, origins);
        if reader.unsigned()? != self.speaker.semantic_rev {
            return None;
        }
        self.generation = reader.unsigned()?;
        self.speaker.base_seq = reader.unsigned_32()?;
        self.hurried_ms = reader.signed()?;
        self.is_seeded = reader.flag()?;
        self.counts = Counts {
            late_counted: reader.count()?,
            late_dropped: reader.count()?,
            evicted: reader.count()?,
            hurried: reader.count()?,
            unreadable: reader.count()?,
        };
        self.shared = self.machine.decode_shared(&mut reader)?;
        self.saved_head = bytes.to_vec();
        Some(())
    }

    fn restore_key(&mut self, cell: &Cell, decided_ms: i64, origins: &mut Origins) -> Option<()> {
        let key = keys::from_key(&cell.key)?;
        let hash = keys::hash_of(key.bytes());
        let seq = u32::try_from(cell.episodes).unwrap_or(u32::MAX);
        let mut reader = Reader::new(&cell.body, origins);
        if !reader.flag()? {
            let last_close_ms = reader.signed()?;
            let tombstone =
                Tombstone { seq, last_close_ms, last_ms: cell.last_ms, is_dirty: false, is_saved: true };
            self.tombstones_by_time.insert((cell.last_ms, key.bytes().into()));
            self.tombstones.insert(key.bytes().into(), tombstone);
            return Some(());
        }
        let is_settled = reader.flag()?;
        let last_close_ms = reader.signed()?;
        let episode = if cell.is_open { Some(Box::new(Episode::decode(&mut reader)?)) } else { None };
        let state = self.machine.decode(&mut reader)?;
        if !reader.is_done() || self.keys.find(key.bytes(), hash).is_some() {
            return None;
        }
        // Timers up to there have gone off. One that has not was damaged, and a machine that asks at every
        // edge since then might be at it for days.
        let is_overdue =
            self.machine.due(&state, episode.as_deref()).is_some_and(|due_ms| due_ms < decided_ms);
        if is_overdue && self.pass != Pass::Arrival {
            return None;
        }
        self.machine.adopt_state(&mut self.shared, &state, key.bytes());
        let name = episode.as_ref().map(|episode| episode.id.clone());
        let head = Head {
            key: key.bytes().into(),
            last_ms: cell.last_ms,
            last_close_ms,
            episode,
            hash,
            waiting: 0,
            seq,
            is_settled,
            is_dirty: false,
            is_saved: true,
        };
        let slot = self.keys.insert(Slot { head, state });
        self.settled += usize::from(is_settled);
        if let Some(name) = name {
            self.speaker.open.insert(name, slot);
        }
        self.arm(slot, None);
        Some(())
    }

    /// Appends what has changed.
    pub(super) fn save(&mut self, origins: &Origins, out: &mut Vec<Delta>) {
        let rule = self.speaker.rule.to_string();
        let head = self.head_bytes(origins);
        if head != self.saved_head {
            out.push(Delta::PutCell(Cell {
                rule: rule.clone(),
                key: String::new(),
                episodes: 0,
                is_open: false,
                last_ms: 0,
                body: head.clone(),
            }));
            self.saved_head = head;
        }
        for key in std::mem::take(&mut self.gone) {
            let is_back = self.tombstones.contains_key(&key)
                || self
                    .keys
                    .find(&key, keys::hash_of(&key))
                    .is_some_and(|slot| self.keys.get(slot).is_some_and(|found| found.head.is_dirty));
            if !is_back {
                out.push(Delta::DeleteCell { rule: rule.clone(), key: keys::to_json(&key) });
            }
        }
        let mut dirty = std::mem::take(&mut self.dirty);
        // In the order of the hashes, which are at hand, and of the keys where those are equal.
        let hashes = dirty.iter().filter_map(|slot| {
            let head = &self.keys.get(*slot)?.head;
            head.is_dirty.then_some((head.hash, *slot))
        });
        let mut hashes: Vec<(u32, u32)> = hashes.collect();
        dirty.clear();
        hashes.sort_unstable_by(|(one_hash, one), (other_hash, other)| {
            let key = |slot: u32| self.keys.get(slot).map(|found| &*found.head.key);
            one_hash.cmp(other_hash).then_with(|| key(*one).cmp(&key(*other)))
        });
        hashes.dedup();
        self.dirty = dirty;
        for (_, slot) in hashes {
            let Some(found) = self.keys.get_mut(slot) else { continue };
            found.head.is_dirty = false;
            found.head.is_saved = true;
            let mut writer = Writer::new(origins);
            writer.flag(true);
            writer.flag(found.head.is_settled);
            writer.signed(found.head.last_close_ms);
            if let Some(episode) = &found.head.episode {
                episode.encode(&mut writer);
            }
            self.machine.encode(&found.state, &mut writer);
            out.push(Delta::PutCell(Cell {
                rule: rule.clone(),
                key: keys::to_json(&found.head.key),
                episodes: u64::from(found.head.seq),
                is_open: found.head.episode.is_some(),
                last_ms: found.head.last_ms,
                body: writer.into_bytes(),
            }));
        }
        for key in std::mem::take(&mut self.dirty_tombstones) {
            let Some(tombstone) = self.tombstones.get_mut(&key) else { continue };
            tombstone.is_dirty = false;
            tombstone.is_saved = true;
            let mut writer = Writer::new(origins);
            writer.flag(false);
            writer.signed(tombstone.last_close_ms);
            out.push(Delta::PutCell(Cell {
                rule: rule.clone(),
                key: keys::to_json(&key),
                episodes: u64::from(tombstone.seq),
                is_open: false,
                last_ms: tombstone.last_ms,
                body: writer.into_bytes(),
            }));
        }
    }

    /// Writes the events that have begun to wait.
    pub(super) fn save_waiting(&mut self, watermark_ms: i64, writer: &mut Writer<'_>) -> (usize, i64) {
        let decided_ms = watermark_ms.max(self.hurried_ms);
        let mut fresh = self.buffer.take_fresh();
        fresh.retain(|item| item.at_ms > decided_ms);
        let mut places: FxHashMap<u32, usize> = FxHashMap::default();
        let mut slots = Vec::new();
        for item in &fresh {
            places.entry(item.slot).or_insert_with(|| {
                slots.push(item.slot);
                slots.len() - 1
            });
        }
        writer.size(slots.len());
        for slot in slots {
            writer.blob(self.keys.get(slot).map_or(&[], |found| &found.head.key));
        }
        writer.size(fresh.len());
        let mut before_ms = 0;
        for item in &fresh {
            writer.signed(item.at_ms.wrapping_sub(before_ms));
            before_ms = item.at_ms;
            writer.unsigned(u64::from(item.partition));
            writer.unsigned(item.offset);
            writer.size(places[&item.slot]);
            writer.origin(item.origin);
            self.machine.encode_payload(&item.payload, writer);
        }
        (fresh.len(), fresh.iter().map(|item| item.at_ms).max().unwrap_or(i64::MIN))
    }

    /// Puts back a cell.
    pub(super) fn put_back(&mut self, cell: &Cell, ground: &mut Ground<'_>) -> Option<()> {
        let is_restored = if cell.key.is_empty() {
            self.restore_head(&cell.body, ground.origins)
        } else {
            self.restore_key(cell, self.decided_ms(ground), ground.origins)
        };
        if is_restored.is_none() {
            self.counts.unreadable += 1;
            // The numbers of its episodes must not come again.
            let seq = u32::try_from(cell.episodes).unwrap_or(u32::MAX);
            self.speaker.base_seq = self.speaker.base_seq.max(seq);
        }
        is_restored
    }

    /// Puts back events that wait.
    pub(super) fn put_back_waiting(&mut self, reader: &mut Reader<'_, '_>, watermark_ms: i64) -> Option<()> {
        let decided_ms = watermark_ms.max(self.hurried_ms);
        let keys = (0..reader.size()?).map(|_| reader.blob()).collect::<Option<Vec<&[u8]>>>()?;
        let mut before_ms = 0_i64;
        for _ in 0..reader.size()? {
            let at_ms = before_ms.wrapping_add(reader.signed()?);
            before_ms = at_ms;
            let partition = reader.unsigned_32()?;
            let offset = reader.unsigned()?;
            let key = *keys.get(usize::try_from(reader.unsigned()?).ok()?)?;
            let origin = reader.origin()?;
            let payload = self.machine.decode_payload(reader)?;
            if at_ms <= decided_ms {
                continue;
            }
            let slot = self.slot_of(key, keys::hash_of(key), at_ms);
            self.wait(Item { at_ms, offset, partition, slot, origin, fresh: 0, payload }, false);
        }
        Some(())
    }
}

/// What a rule meant when its own cell was saved.
pub(crate) fn semantic_rev_of(cell: &Cell, origins: &mut Origins) -> Option<u64> {
    Reader::new(&cell.body, origins).unsigned()
}

/// Ends the episode of a key that belonged to a rule that means something else now.
pub(crate) fn end_of_changed(cell: &Cell, at_ms: i64, origins: &mut Origins) -> Option<Transition> {
    if !cell.is_open {
        return None;
    }
    let mut reader = Reader::new(&cell.body, origins);
    reader.flag()?;
    reader.flag()?;
    reader.signed()?;
    let episode = Episode::decode(&mut reader)?;
    Some(Transition {
        episode: crate::EpisodeId(episode.id.clone()),
        rule: cell.rule.as_str().into(),
        key: crate::Key(cell.key.as_str().into()),
        seq: u64::from(episode.seq),
        n: episode.n,
        change: crate::Change::Close(CloseReason::RuleChanged),
        at_ms: at_ms.max(episode.opened_ms),
        is_early: false,
        is_late: false,
        reason: "the rule means something else now".to_owned(),
        evidence: episode.tally.evidence(origins, Vec::new()),
    })
}
