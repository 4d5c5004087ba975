//! A rule at work: its machine, its keys, the events that wait, the timers.

mod room;
mod saving;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::fmt;

use rustc_hash::FxHashMap;

pub(crate) use self::saving::{end_of_changed, semantic_rev_of};
use super::buffer::{Buffer, Item};
use super::codec::{Reader, Writer};
use super::keys::{self, KeyText, Keys, Slot};
use super::life::{Head, Life, Mode, Said, Speaker};
use super::machine::{Arrival, Late, Machine, Pass, Seen};
use super::origin::Origins;
use super::{Decides, RuleStatus};
use crate::book::{Cell, Delta};
use crate::config::Rule;
use crate::{CloseReason, Evidence};

/// Events of one rule that wait at most; past it the first are decided before their time.
const MAX_WAITING: usize = 1 << 20;

/// How long it is remembered how many episodes a key had that is gone.
const REMEMBER_MS: i64 = 30 * 24 * 3_600_000;

/// What all rules share while they are asked.
pub(crate) struct Ground<'a> {
    /// Where events came from.
    pub(crate) origins: &'a mut Origins,
    /// What is said.
    pub(crate) out: &'a mut Said,
    /// Events up to here are decided.
    pub(crate) watermark_ms: i64,
    /// Everything from here on was read while all inputs were connected.
    pub(crate) healthy_since_ms: i64,
}

/// A rule at work, whatever its type.
pub(crate) trait Runs: fmt::Debug + Send + Sync {
    /// Conditions to ask about, beside the rule's own.
    fn conditions(&self) -> Vec<crate::condition::Condition>;
    /// Whether it looks at events for which these conditions hold.
    fn wants(&self, bits: u64) -> bool;
    /// An event of this key is about to arrive: what is kept for it will be needed.
    fn expect(&self, hash: u32);
    /// An event arrives. `key` is that of the rule's fields, `hash` its hash.
    fn arrive(
        &mut self,
        arrival: &Arrival<'_>,
        is_late: bool,
        key: &KeyText,
        hash: u32,
        ground: &mut Ground<'_>,
    );
    /// Decides everything up to the watermark.
    fn advance(&mut self, ground: &mut Ground<'_>);
    /// Ends the episode with this name; `false` if it is not one of this rule.
    fn close(&mut self, episode: &str, reason: CloseReason, ground: &mut Ground<'_>) -> bool;
    /// What is known of the open episode with this name, and how many events of its key wait for their time.
    fn standing(&self, episode: &str, origins: &Origins) -> Option<(Evidence, u32)>;
    /// Ends everything: the rule is no more. Gives how many episodes a key had at most.
    fn retire(&mut self, ground: &mut Ground<'_>, out: &mut Vec<Delta>) -> u32;
    /// Appends what has changed.
    fn deltas(&mut self, origins: &Origins, out: &mut Vec<Delta>);
    /// Writes the events that have begun to wait since the last call and still do; gives how many and when
    /// the last of them happened.
    fn waiting(&mut self, watermark_ms: i64, writer: &mut Writer<'_>) -> (usize, i64);
    /// Puts back what [`Runs::deltas`] wrote.
    fn restore(&mut self, cell: &Cell, ground: &mut Ground<'_>) -> Option<()>;
    /// Puts back what [`Runs::waiting`] wrote.
    fn restore_waiting(&mut self, reader: &mut Reader<'_, '_>, watermark_ms: i64) -> Option<()>;
    /// Marks the origins that its state refers to.
    fn origins(&self, mark: &mut dyn FnMut(u32));
    /// When something is next to be decided: an event or a timer.
    fn next_ms(&self) -> i64;
    /// Tells it apart from rules of the same name that were there before.
    fn generation(&self) -> u64;
    /// Takes over what may change without another meaning.
    fn retune(&mut self, rule: &Rule);
    /// How it does.
    fn status(&self) -> RuleStatus;
    /// Bytes that its keys take beside what the machine keeps.
    fn key_bytes(&self) -> usize;
}

/// How many episodes a key had that is gone.
#[derive(Debug, Clone, Copy)]
struct Tombstone {
    seq: u32,
    last_close_ms: i64,
    last_ms: i64,
    /// Something of the key is saved that says otherwise.
    is_dirty: bool,
    is_saved: bool,
}

/// Counts of a rule that are saved with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    late_counted: u64,
    late_dropped: u64,
    evicted: u64,
    hurried: u64,
    unreadable: u64,
}

/// A rule at work.
pub(crate) struct Runner<M: Machine> {
    machine: M,
    pass: Pass,
    max_keys: usize,
    speaker: Speaker,
    keys: Keys<M::State>,
    shared: M::Shared,
    buffer: Buffer<M::Payload>,
    timers: BinaryHeap<Reverse<(i64, u32)>>,
    /// Keys by their last event; only made once there are too many. What it says of a key may be old, but
    /// never too late.
    oldest: Option<BinaryHeap<Reverse<(i64, u32, u32)>>>,
    settled: usize,
    tombstones: BTreeMap<Box<[u8]>, Tombstone>,
    tombstones_by_time: BTreeSet<(i64, Box<[u8]>)>,
    dirty_tombstones: BTreeSet<Box<[u8]>>,
    dirty: Vec<u32>,
    gone: BTreeSet<Box<[u8]>>,
    /// Decided before its time for want of room.
    hurried_ms: i64,
    counts: Counts,
    saved_head: Vec<u8>,
    scratch: KeyText,
    /// Seeds are put in at the first watermark.
    is_seeded: bool,
    /// Tells it apart from rules of the same name that were there before.
    generation: u64,
}

impl<M: Machine> fmt::Debug for Runner<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner").field("rule", &self.speaker.rule).finish_non_exhaustive()
    }
}

impl<M: Machine> Runner<M> {
    /// A rule that has seen nothing yet. Keys begin to count their episodes after `base_seq`.
    pub(crate) fn new(rule: &Rule, machine: M, base_seq: u32, generation: u64) -> Runner<M> {
        Runner {
            pass: machine.pass(),
            max_keys: machine.max_keys(&rule.timing).max(1),
            speaker: Speaker {
                rule: rule.id.clone(),
                semantic_rev: rule.semantic_rev,
                timing: rule.timing,
                base_seq,
                open: FxHashMap::default(),
            },
            machine,
            keys: Keys::default(),
            shared: M::Shared::default(),
            buffer: Buffer::default(),
            timers: BinaryHeap::new(),
            oldest: None,
            settled: 0,
            tombstones: BTreeMap::new(),
            tombstones_by_time: BTreeSet::new(),
            dirty_tombstones: BTreeSet::new(),
            dirty: Vec::new(),
            gone: BTreeSet::new(),
            hurried_ms: i64::MIN,
            counts: Counts::default(),
            saved_head: Vec::new(),
            scratch: KeyText::default(),
            is_seeded: false,
            generation,
        }
    }

    fn decided_ms(&self, ground: &Ground<'_>) -> i64 {
        ground.watermark_ms.max(self.hurried_ms)
    }

    /// The number of a key, which is made if it is new.
    fn slot_of(&mut self, key: &[u8], hash: u32, at_ms: i64) -> u32 {
        match self.keys.find(key, hash) {
            Some(slot) => slot,
            None => self.begin(key, hash, at_ms),
        }
    }

    fn begin(&mut self, key: &[u8], hash: u32, at_ms: i64) -> u32 {
        let tombstone = self.tombstones.remove(key);
        if let Some(tombstone) = &tombstone {
            self.tombstones_by_time.remove(&(tombstone.last_ms, key.into()));
            self.dirty_tombstones.remove(key);
        }
        // What is saved of the key is what it was before it went: that must not come back.
        let is_dirty = tombstone.is_some_and(|tombstone| tombstone.is_dirty);
        let head = Head {
            key: key.into(),
            last_ms: tombstone.map_or(i64::MIN, |tombstone| tombstone.last_ms),
            last_close_ms: tombstone.map_or(i64::MIN, |tombstone| tombstone.last_close_ms),
            episode: None,
            hash,
            waiting: 0,
            seq: tombstone.map_or(0, |tombstone| tombstone.seq),
            is_settled: false,
            is_dirty,
            is_saved: tombstone.is_some_and(|tombstone| tombstone.is_saved),
        };
        let slot = self.keys.insert(Slot { head, state: self.machine.begin_key(key, at_ms) });
        if is_dirty {
            self.dirty.push(slot);
        }
        self.arm(slot, None);
        slot
    }

    /// When the machine wants to be called for this key, or something is to be said about its episode.
    fn due(&self, slot: u32) -> Option<i64> {
        let slot = self.keys.get(slot)?;
        let episode = slot.head.episode.as_deref();
        let timer_ms = self.machine.due(&slot.state, episode);
        let update_ms =
            episode.and_then(|episode| episode.update_due_ms(self.speaker.timing.update_every_ms));
        timer_ms.into_iter().chain(update_ms).min()
    }

    /// Sees to it that the key's timer is in the heap, or one before it. `before` is when it was due before
    /// something happened to the key.
    fn arm(&mut self, slot: u32, before: Option<i64>) {
        if let Some(due) = self.due(slot)
            && before.is_none_or(|before| due < before)
        {
            self.push_timer(due, slot);
        }
    }

    /// Asks the machine about a key on an occasion, and sees to everything that may follow from it.
    fn ask<R>(
        &mut self,
        slot: u32,
        mode: Mode,
        now_ms: i64,
        ground: &mut Ground<'_>,
        question: impl FnOnce(&M, &mut M::Shared, &mut M::State, &mut Life<'_>) -> R,
    ) -> Option<R> {
        // Nothing is due at another time unless something was changed; what only waits is not.
        let is_passing = mode == Mode::Early && self.pass != Pass::Arrival;
        let before = if is_passing { None } else { self.due(slot) };
        let decided_ms = self.decided_ms(ground);
        let found = self.keys.get_mut(slot)?;
        let was_dirty = found.head.is_dirty;
        if !is_passing {
            found.head.is_dirty = true;
        }
        let mut life = Life {
            head: &mut found.head,
            speaker: &mut self.speaker,
            origins: ground.origins,
            out: ground.out,
            slot,
            mode,
            is_final: self.pass == Pass::Arrival,
            now_ms,
            decided_ms,
            healthy_since_ms: ground.healthy_since_ms,
            is_counted: false,
            is_touched: false,
        };
        let answer = question(&self.machine, &mut self.shared, &mut found.state, &mut life);
        if life.is_counted && life.is_open() {
            let told_ms = life.episode().map_or(now_ms, |episode| episode.told_ms);
            if now_ms.saturating_sub(told_ms) >= life.timing().update_every_ms {
                let tally = life.episode().map(|episode| episode.tally.clone()).unwrap_or_default();
                life.update(now_ms, || self.machine.words(&found.state, &tally));
            } else if let Some(episode) = &mut life.head.episode {
                episode.is_untold = true;
            }
        }
        let is_touched = life.is_touched;
        if found.head.is_dirty && !was_dirty {
            self.dirty.push(slot);
        }
        if !is_passing || is_touched {
            self.arm(slot, before);
        }
        Some(answer)
    }

    fn step(&mut self, item: &Item<M::Payload>, ground: &mut Ground<'_>) {
        let now_ms = item.at_ms;
        let seen = Seen { at_ms: now_ms, origin: item.origin, payload: &item.payload };
        if let Some(found) = self.keys.get_mut(item.slot) {
            found.head.waiting = found.head.waiting.saturating_sub(1);
        }
        self.ask(item.slot, Mode::InOrder, now_ms, ground, |machine, shared, state, life| {
            machine.step(shared, state, life, &seen);
            // An announcement is bound to be confirmed by its last event at the latest. Should a machine
            // break its word, nobody waits for an end that never comes.
            if life.is_announced() && life.head.waiting == 0 {
                let tally = life.episode().map(|episode| episode.tally.clone()).unwrap_or_default();
                life.close(now_ms, CloseReason::Cleared, || machine.words(state, &tally));
            }
        });
        self.settle(item.slot, now_ms, now_ms, ground);
        self.tidy(item.slot, now_ms);
    }

    /// Calls the timers that are due at the first time there is, in the order of the keys.
    fn ring(&mut self, due_ms: i64, ground: &mut Ground<'_>) {
        let mut slots = Vec::new();
        while let Some(&Reverse((at_ms, slot))) = self.timers.peek()
            && at_ms == due_ms
        {
            self.timers.pop();
            match self.due(slot) {
                Some(due) if due > due_ms => self.push_timer(due, slot),
                Some(_) => slots.push(slot),
                None => {}
            }
        }
        slots.sort_by(|one, other| {
            let key = |slot: &u32| self.keys.get(*slot).map(|found| &*found.head.key);
            key(one).cmp(&key(other))
        });
        slots.dedup();
        for slot in slots {
            self.ask(slot, Mode::InOrder, due_ms, ground, |machine, shared, state, life| {
                if machine.due(state, life.episode()).is_some_and(|timer_ms| timer_ms <= due_ms) {
                    machine.timer(shared, state, life, due_ms);
                }
                let update_every_ms = life.timing().update_every_ms;
                let update_ms = life.episode().and_then(|episode| episode.update_due_ms(update_every_ms));
                if update_ms.is_some_and(|update_ms| update_ms <= due_ms) {
                    let tally = life.episode().map(|episode| episode.tally.clone()).unwrap_or_default();
                    life.update(due_ms, || machine.words(state, &tally));
                }
            });
            // The entry that called is gone: unless the machine asks for an earlier time, which `arm` has
            // seen to, there is none for the next.
            if let Some(next) = self.due(slot) {
                self.push_timer(next.max(due_ms.saturating_add(1)), slot);
            }
            self.tidy(slot, due_ms);
        }
    }

    fn drain(&mut self, up_to_ms: i64, ground: &mut Ground<'_>) {
        self.thin_timers();
        loop {
            let event = self.buffer.first_ms().filter(|at_ms| *at_ms <= up_to_ms);
            let timer = self.timers.peek().map(|Reverse((due_ms, _))| *due_ms);
            let timer = timer.filter(|due_ms| *due_ms <= up_to_ms.saturating_add(1));
            match (timer, event) {
                (Some(due_ms), at_ms) if at_ms.is_none_or(|at_ms| due_ms <= at_ms) => {
                    self.ring(due_ms, ground)
                }
                (_, Some(_)) => {
                    if let Some(page) = self.buffer.turn() {
                        self.keys.fetch(page.iter().map(|item| item.slot));
                    }
                    let Some(item) = self.buffer.pop() else { break };
                    self.step(&item, ground);
                }
                _ => break,
            }
        }
    }

    /// Puts an event among those that wait; a fresh one is yet to be written.
    fn wait(&mut self, item: Item<M::Payload>, is_fresh: bool) {
        if let Some(found) = self.keys.get_mut(item.slot) {
            found.head.waiting += 1;
            let seen = Seen { at_ms: item.at_ms, origin: item.origin, payload: &item.payload };
            if self.pass == Pass::Both {
                self.machine.note(&mut found.state, &seen);
            }
        }
        if is_fresh {
            self.buffer.push_fresh(item);
        } else {
            self.buffer.push(item);
        }
    }

    fn arrive_late(
        &mut self,
        arrival: &Arrival<'_>,
        slot: Option<u32>,
        is_new: bool,
        seen: &Seen<'_, M::Payload>,
        ground: &mut Ground<'_>,
    ) {
        let Some(slot) = slot else {
            self.counts.late_dropped += 1;
            return;
        };
        let now_ms = self.decided_ms(ground);
        let late = self.ask(slot, Mode::Late, now_ms, ground, |machine, shared, state, life| {
            let is_open = !life.is_idle();
            if let Some(episode) = &mut life.head.episode {
                episode.tally.late += 1;
            }
            let late = machine.late(shared, state, life, seen, arrival);
            if is_open { Late::Counted } else { late }
        });
        let is_counted = late == Some(Late::Counted);
        self.counts.late_counted += u64::from(is_counted);
        self.counts.late_dropped += u64::from(!is_counted);
        if is_new && !is_counted {
            self.tidy(slot, now_ms);
        }
        if is_counted || is_new {
            self.settle(slot, seen.at_ms, now_ms, ground);
        }
        self.tidy(slot, now_ms);
    }

    /// Remembers what is worth showing of an event of an open or announced episode.
    fn illustrate(&mut self, slot: u32, arrival: &Arrival<'_>) {
        let Some(found) = self.keys.get_mut(slot) else { return };
        let Some(episode) = &mut found.head.episode else { return };
        let is_lacking = episode.tally.sample.is_none();
        let is_traced = arrival.event.trace.is_some() && episode.tally.wants_traces();
        if !is_lacking && !is_traced {
            return;
        }
        if is_lacking {
            episode.tally.show(&arrival.sample());
        }
        if let Some(trace) = &arrival.event.trace {
            episode.tally.trace(trace);
        }
        if !found.head.is_dirty {
            found.head.is_dirty = true;
            self.dirty.push(slot);
        }
    }
}

impl<M: Machine> Runs for Runner<M> {
    fn conditions(&self) -> Vec<crate::condition::Condition> {
        self.machine.conditions().into_iter().cloned().collect()
    }

    fn wants(&self, bits: u64) -> bool {
        self.machine.wants(bits)
    }

    fn expect(&self, hash: u32) {
        self.keys.fetch_hash(hash);
    }

    fn arrive(
        &mut self,
        arrival: &Arrival<'_>,
        is_late: bool,
        key: &KeyText,
        hash: u32,
        ground: &mut Ground<'_>,
    ) {
        let Some(payload) = self.machine.payload(arrival) else { return };
        let at_ms = arrival.at_ms;
        let is_late = is_late || at_ms <= self.decided_ms(ground);
        let mut scratch = std::mem::take(&mut self.scratch);
        let (key, hash) = if self.machine.extends_key() {
            scratch.clone_from(key);
            self.machine.extend_key(&payload, &mut scratch);
            (&scratch, keys::hash_of(scratch.bytes()))
        } else {
            (key, hash)
        };
        let seen = Seen { at_ms, origin: arrival.origin, payload: &payload };
        if is_late && self.pass != Pass::Arrival {
            let known = self.keys.find(key.bytes(), hash);
            let is_new = known.is_none() && self.machine.takes_late();
            let slot = if is_new { Some(self.begin(key.bytes(), hash, at_ms)) } else { known };
            self.arrive_late(arrival, slot, is_new, &seen, ground);
            if let Some(slot) = slot {
                self.illustrate(slot, arrival);
            }
            self.scratch = scratch;
            return;
        }
        let slot = self.slot_of(key.bytes(), hash, at_ms);
        self.scratch = scratch;
        let mode = if is_late { Mode::Late } else { Mode::Early };
        if self.pass == Pass::Arrival {
            self.counts.late_counted += u64::from(is_late);
            self.ask(slot, mode, at_ms, ground, |machine, shared, state, life| {
                machine.eager(shared, state, life, &seen, arrival);
            });
            self.illustrate(slot, arrival);
            self.settle(slot, at_ms, at_ms, ground);
            self.tidy(slot, at_ms);
            return;
        }
        let item = Item {
            at_ms,
            offset: arrival.event.offset,
            partition: arrival.event.partition.0,
            slot,
            origin: arrival.origin,
            fresh: 0,
            payload: payload.clone(),
        };
        self.wait(item, true);
        self.ask(slot, mode, at_ms, ground, |machine, shared, state, life| {
            machine.eager(shared, state, life, &seen, arrival);
        });
        self.illustrate(slot, arrival);
        if self.buffer.len() > MAX_WAITING
            && let Some(first_ms) = self.buffer.first_ms()
        {
            self.counts.hurried += 1;
            self.hurried_ms = self.hurried_ms.max(first_ms);
            self.drain(self.hurried_ms, ground);
        }
    }

    fn advance(&mut self, ground: &mut Ground<'_>) {
        if !self.is_seeded && ground.watermark_ms > i64::MIN {
            self.is_seeded = true;
            for seed in self.machine.seeds() {
                let mut key = KeyText::default();
                seed.iter().for_each(|value| key.push(value));
                let hash = keys::hash_of(key.bytes());
                let slot = self.slot_of(key.bytes(), hash, ground.watermark_ms);
                self.ask(slot, Mode::InOrder, ground.watermark_ms, ground, |machine, _, state, life| {
                    machine.seed(state, life.decided_ms());
                });
                self.settle(slot, ground.watermark_ms, ground.watermark_ms, ground);
            }
        }
        self.drain(ground.watermark_ms, ground);
        let bound_ms = ground.watermark_ms.saturating_sub(REMEMBER_MS);
        while self.tombstones_by_time.first().is_some_and(|(last_ms, _)| *last_ms < bound_ms) {
            self.forget_tombstone(false);
        }
    }

    fn close(&mut self, episode: &str, reason: CloseReason, ground: &mut Ground<'_>) -> bool {
        let Some(slot) = self.speaker.open.get(episode).copied() else { return false };
        let decided_ms = self.decided_ms(ground);
        self.ask(slot, Mode::InOrder, decided_ms, ground, |machine, _, state, life| {
            let Some(episode) = life.episode() else { return };
            let tally = episode.tally.clone();
            let last_ms = tally.seen_ms.map_or(episode.opened_ms, |(_, last)| last.max(episode.opened_ms));
            // What was announced ends with what it was announced for: those events must not open it again.
            let end_ms = if episode.is_announced { decided_ms.max(last_ms) } else { decided_ms };
            let end_ms = end_ms.max(episode.opened_ms);
            life.close(end_ms, reason, || machine.words(state, &tally));
            machine.ended(state, end_ms);
        });
        self.tidy(slot, decided_ms);
        true
    }

    fn standing(&self, episode: &str, origins: &Origins) -> Option<(Evidence, u32)> {
        let head = &self.keys.get(*self.speaker.open.get(episode)?)?.head;
        Some((head.episode.as_ref()?.tally.evidence(origins, Vec::new()), head.waiting))
    }

    fn retire(&mut self, ground: &mut Ground<'_>, out: &mut Vec<Delta>) -> u32 {
        let decided_ms = self.decided_ms(ground);
        let mut slots: Vec<u32> = self.speaker.open.values().copied().collect();
        slots.sort_by(|one, other| {
            let key = |slot: &u32| self.keys.get(*slot).map(|found| &*found.head.key);
            key(one).cmp(&key(other))
        });
        for slot in slots {
            self.ask(slot, Mode::InOrder, decided_ms, ground, |machine, _, state, life| {
                let Some(episode) = life.episode() else { return };
                let (tally, end_ms) = (episode.tally.clone(), decided_ms.max(episode.opened_ms));
                life.close(end_ms, CloseReason::RuleChanged, || machine.words(state, &tally));
            });
        }
        let mut gone = std::mem::take(&mut self.gone);
        let mut highest = self.speaker.base_seq;
        for (_, found) in self.keys.iter() {
            highest = highest.max(found.head.seq);
            if found.head.is_saved {
                gone.insert((*found.head.key).into());
            }
        }
        for (key, tombstone) in &self.tombstones {
            highest = highest.max(tombstone.seq);
            gone.insert(key.clone());
        }
        let rule = self.speaker.rule.to_string();
        out.push(Delta::DeleteCell { rule: rule.clone(), key: String::new() });
        out.extend(gone.iter().map(|key| Delta::DeleteCell { rule: rule.clone(), key: keys::to_json(key) }));
        highest
    }

    fn deltas(&mut self, origins: &Origins, out: &mut Vec<Delta>) {
        self.save(origins, out);
    }

    fn waiting(&mut self, watermark_ms: i64, writer: &mut Writer<'_>) -> (usize, i64) {
        self.save_waiting(watermark_ms, writer)
    }

    fn restore(&mut self, cell: &Cell, ground: &mut Ground<'_>) -> Option<()> {
        self.put_back(cell, ground)
    }

    fn restore_waiting(&mut self, reader: &mut Reader<'_, '_>, watermark_ms: i64) -> Option<()> {
        self.put_back_waiting(reader, watermark_ms)
    }

    fn origins(&self, mark: &mut dyn FnMut(u32)) {
        for (_, found) in self.keys.iter() {
            if let Some(episode) = &found.head.episode {
                episode.tally.origins(mark);
            }
            self.machine.origins(&found.state, mark);
        }
        self.buffer.iter().for_each(|item| mark(item.origin));
    }

    fn next_ms(&self) -> i64 {
        if !self.is_seeded {
            return i64::MIN;
        }
        let timer = self.timers.peek().map_or(i64::MAX, |Reverse((due_ms, _))| due_ms.saturating_sub(1));
        self.buffer.first_ms().map_or(timer, |first_ms| timer.min(first_ms))
    }

    fn generation(&self) -> u64 {
        self.generation
    }

    fn retune(&mut self, rule: &Rule) {
        self.speaker.timing = rule.timing;
        self.max_keys = self.machine.max_keys(&rule.timing).max(1);
    }

    fn key_bytes(&self) -> usize {
        self.keys.own_bytes() + self.timers.capacity() * size_of::<Reverse<(i64, u32)>>()
    }

    fn status(&self) -> RuleStatus {
        RuleStatus {
            decides: match self.pass {
                Pass::Arrival => Decides::OnArrival,
                Pass::InOrder => Decides::InOrder,
                Pass::Both => Decides::Both,
            },
            rule: self.speaker.rule.clone(),
            keys: self.settled,
            open: self.speaker.open.len(),
            waiting: self.buffer.len(),
            pending: self.machine.pending(&self.shared),
            evicted: self.counts.evicted,
            lost: self.machine.lost(&self.shared),
            late_counted: self.counts.late_counted,
            late_dropped: self.counts.late_dropped,
            hurried: self.counts.hurried,
            unreadable: self.counts.unreadable,
        }
    }
}
