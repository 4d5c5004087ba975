//! The life of a key: idle, open, idle again; and what is said about it.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::codec::{Reader, Writer};
use super::keys::{self, KeyBytes};
use super::machine::Words;
use super::origin::Origins;
use super::tally::Tally;
use crate::config::Timing;
use crate::{Change, CloseReason, EpisodeId, Transition};

/// What every key has, whatever its rule.
#[derive(Debug)]
pub(crate) struct Head {
    /// The values of the key, as [`keys::KeyText`] writes them.
    pub(crate) key: KeyBytes,
    /// The last event that was decided.
    pub(crate) last_ms: i64,
    /// The end of the last episode; [`i64::MIN`] where there was none.
    pub(crate) last_close_ms: i64,
    /// What is open or announced.
    pub(crate) episode: Option<Box<Episode>>,
    /// The hash of the key.
    pub(crate) hash: u32,
    /// Events that wait for their time.
    pub(crate) waiting: u32,
    /// How many episodes it had.
    pub(crate) seq: u32,
    /// It counts towards the rule's keys: an event of it was decided.
    pub(crate) is_settled: bool,
    /// It must be saved.
    pub(crate) is_dirty: bool,
    /// It is saved somewhere, so its end must be, too.
    pub(crate) is_saved: bool,
}

/// An episode that is open or announced.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Episode {
    /// Its name.
    pub(crate) id: Arc<str>,
    /// Its number among those of its key.
    pub(crate) seq: u32,
    /// The number of the next transition.
    pub(crate) n: u32,
    /// When it began.
    pub(crate) opened_ms: i64,
    /// When something was last said about it.
    pub(crate) told_ms: i64,
    /// Something was counted since, which is still to be said.
    pub(crate) is_untold: bool,
    /// It was said on arrival and is not decided yet.
    pub(crate) is_announced: bool,
    /// Since when the clear condition holds.
    pub(crate) clear_since_ms: Option<i64>,
    /// Its events.
    pub(crate) tally: Tally,
}

impl Episode {
    /// When what was counted since the last word about it is said, if nothing is said before.
    pub(crate) fn update_due_ms(&self, update_every_ms: i64) -> Option<i64> {
        self.is_untold.then(|| self.told_ms.saturating_add(update_every_ms))
    }

    /// Writes it.
    pub(crate) fn encode(&self, writer: &mut Writer<'_>) {
        writer.text(&self.id);
        writer.unsigned(u64::from(self.seq));
        writer.unsigned(u64::from(self.n));
        writer.signed(self.opened_ms);
        writer.signed(self.told_ms);
        writer.flag(self.is_untold);
        writer.flag(self.is_announced);
        writer.signed_or_none(self.clear_since_ms);
        self.tally.encode(writer);
    }

    /// Reads it.
    pub(crate) fn decode(reader: &mut Reader<'_, '_>) -> Option<Episode> {
        Some(Episode {
            id: reader.text()?.into(),
            seq: reader.unsigned_32()?,
            n: reader.unsigned_32()?,
            opened_ms: reader.signed()?,
            told_ms: reader.signed()?,
            is_untold: reader.flag()?,
            is_announced: reader.flag()?,
            clear_since_ms: reader.signed_or_none()?,
            tally: Tally::decode(reader)?,
        })
    }
}

/// Who speaks: what all keys of a rule have in common.
#[derive(Debug)]
pub(crate) struct Speaker {
    /// The rule's id.
    pub(crate) rule: Arc<str>,
    /// A name of what it means.
    pub(crate) semantic_rev: u64,
    /// Its common settings.
    pub(crate) timing: Timing,
    /// Episodes are numbered from here on: no number is ever used twice.
    pub(crate) base_seq: u32,
    /// The keys with an episode, by its name.
    pub(crate) open: FxHashMap<Arc<str>, u32>,
}

/// What was said, with the event time at which it was decided: that is the order it is told in.
pub(crate) type Said = Vec<(i64, Transition)>;

/// On which occasion a machine is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// An event arrives, before its time has come.
    Early,
    /// An event's time has come, or a timer's.
    InOrder,
    /// An event arrives after its time had been decided.
    Late,
}

/// A key on some occasion, for the machine to open and close its episodes.
pub(crate) struct Life<'a> {
    pub(super) head: &'a mut Head,
    pub(super) speaker: &'a mut Speaker,
    pub(super) origins: &'a Origins,
    pub(super) out: &'a mut Said,
    pub(super) slot: u32,
    pub(super) mode: Mode,
    /// The machine decides on arrival: what it opens then is no mere announcement.
    pub(super) is_final: bool,
    /// The event time of the occasion.
    pub(super) now_ms: i64,
    /// Everything up to here is decided.
    pub(super) decided_ms: i64,
    /// Everything from here on was read while all inputs were connected.
    pub(super) healthy_since_ms: i64,
    /// Something was counted for the open episode.
    pub(super) is_counted: bool,
    /// Something was changed that is saved.
    pub(super) is_touched: bool,
}

impl Life<'_> {
    /// An episode is open, and not merely announced.
    pub(crate) fn is_open(&self) -> bool {
        self.head.episode.as_ref().is_some_and(|episode| !episode.is_announced)
    }

    /// An episode has been announced and is not decided yet.
    pub(crate) fn is_announced(&self) -> bool {
        self.head.episode.as_ref().is_some_and(|episode| episode.is_announced)
    }

    /// Nothing is open or announced.
    pub(crate) fn is_idle(&self) -> bool {
        self.head.episode.is_none()
    }

    /// The occasion is an event that arrived when its time had been decided.
    pub(crate) fn is_late(&self) -> bool {
        self.mode == Mode::Late
    }

    /// The end of the last episode; only later events can open the next. [`i64::MIN`] where there was none.
    pub(crate) fn last_close_ms(&self) -> i64 {
        self.head.last_close_ms
    }

    /// The values of the key, as [`keys::KeyText`] writes them.
    pub(crate) fn key(&self) -> &[u8] {
        &self.head.key
    }

    /// Events up to here are decided.
    pub(crate) fn decided_ms(&self) -> i64 {
        self.decided_ms
    }

    /// Events of the key that wait for their time, the one that arrives included.
    pub(crate) fn waiting(&self) -> u64 {
        u64::from(self.head.waiting)
    }

    /// Since when (event time) all inputs have been connected: a rule about absence knows nothing of earlier
    /// times.
    pub(crate) fn healthy_since_ms(&self) -> i64 {
        self.healthy_since_ms
    }

    /// The settings that every rule has.
    pub(crate) fn timing(&self) -> Timing {
        self.speaker.timing
    }

    /// The episode that is open or announced.
    pub(crate) fn episode(&self) -> Option<&Episode> {
        self.head.episode.as_deref()
    }

    /// What is known of the open episode.
    pub(crate) fn tally(&mut self) -> Option<&mut Tally> {
        self.touch();
        self.head.episode.as_mut().map(|episode| &mut episode.tally)
    }

    /// Says that what the machine keeps has changed: only needed in [`super::machine::Machine::eager`] of a
    /// machine that decides in order.
    pub(crate) fn save(&mut self) {
        self.touch();
    }

    /// The event belongs to the open episode.
    pub(crate) fn count(&mut self, at_ms: i64, origin: u32) {
        if let Some(episode) = &mut self.head.episode {
            episode.tally.add(at_ms, origin);
            self.is_counted = true;
        }
    }

    /// Events that belong to the open episode, with all that is known of them.
    pub(crate) fn merge(&mut self, tally: &Tally) {
        if let Some(episode) = &mut self.head.episode {
            episode.tally.merge(tally);
            self.is_counted = true;
        }
    }

    /// Opens an episode at `at_ms`; what was announced is confirmed without a word. Does nothing while one is
    /// open, or is announced and this is another announcement.
    pub(crate) fn open(&mut self, at_ms: i64, tally: Tally, words: impl FnOnce() -> Words) {
        let is_announcement = self.mode == Mode::Early && !self.is_final;
        self.begin(at_ms, tally, is_announcement, words);
    }

    /// Announces an episode on whatever occasion: events that wait are bound to open it.
    pub(crate) fn announce(&mut self, at_ms: i64, tally: Tally, words: impl FnOnce() -> Words) {
        self.begin(at_ms, tally, true, words);
    }

    fn begin(&mut self, at_ms: i64, tally: Tally, is_announcement: bool, words: impl FnOnce() -> Words) {
        self.touch();
        if let Some(episode) = &mut self.head.episode {
            if !is_announcement && episode.is_announced {
                episode.is_announced = false;
                let mut tally = tally;
                tally.illustrate(&episode.tally);
                tally.late += episode.tally.late;
                episode.tally = tally;
                episode.opened_ms = at_ms;
            }
            return;
        }
        self.head.seq = self.head.seq.max(self.speaker.base_seq).saturating_add(1);
        let key = keys::to_key(&self.head.key);
        let seq = u64::from(self.head.seq);
        let id = EpisodeId::of(&self.speaker.rule, self.speaker.semantic_rev, &key, seq).0;
        self.head.episode = Some(Box::new(Episode {
            id: id.clone(),
            seq: self.head.seq,
            n: 0,
            opened_ms: at_ms,
            told_ms: at_ms,
            is_untold: false,
            is_announced: is_announcement,
            clear_since_ms: None,
            tally,
        }));
        self.speaker.open.insert(id, self.slot);
        self.say(Change::Open, at_ms, words());
    }

    /// Says that the open episode goes on.
    pub(crate) fn update(&mut self, at_ms: i64, words: impl FnOnce() -> Words) {
        if self.head.episode.is_some() {
            self.say(Change::Update, at_ms, words());
        }
    }

    /// Ends the episode that is open or announced at `at_ms`; only later events can open the next.
    pub(crate) fn close(&mut self, at_ms: i64, reason: CloseReason, words: impl FnOnce() -> Words) {
        if self.head.episode.is_none() {
            return;
        }
        self.say(Change::Close(reason), at_ms, words());
        self.head.last_close_ms = self.head.last_close_ms.max(at_ms);
        if let Some(episode) = self.head.episode.take() {
            self.speaker.open.remove(&episode.id);
        }
    }

    /// An episode that is a single instant: it opens and ends at `at_ms`. Later and earlier events can open
    /// others, even while one is open, which is not touched.
    pub(crate) fn instant(&mut self, at_ms: i64, tally: Tally, words: impl FnOnce() -> Words) {
        let standing = self.head.episode.take();
        self.touch();
        self.head.seq = self.head.seq.max(self.speaker.base_seq).saturating_add(1);
        let key = keys::to_key(&self.head.key);
        let seq = u64::from(self.head.seq);
        self.head.episode = Some(Box::new(Episode {
            id: EpisodeId::of(&self.speaker.rule, self.speaker.semantic_rev, &key, seq).0,
            seq: self.head.seq,
            n: 0,
            opened_ms: at_ms,
            told_ms: at_ms,
            is_untold: false,
            is_announced: false,
            clear_since_ms: None,
            tally,
        }));
        let words = words();
        self.say(Change::Open, at_ms, words.clone());
        self.say(Change::Close(CloseReason::Instant), at_ms, words);
        self.head.episode = standing;
    }

    /// Notes whether the clear condition holds at `at_ms`, and gives whether it has held for long enough.
    pub(crate) fn is_cleared(&mut self, at_ms: i64, holds: bool) -> bool {
        self.is_cleared_for(at_ms, holds, self.speaker.timing.clear_for_ms)
    }

    /// The same for another length of time.
    pub(crate) fn is_cleared_for(&mut self, at_ms: i64, holds: bool, clear_for_ms: i64) -> bool {
        self.touch();
        let Some(episode) = &mut self.head.episode else { return false };
        if !holds {
            episode.clear_since_ms = None;
            return false;
        }
        let since = *episode.clear_since_ms.get_or_insert(at_ms);
        at_ms.saturating_sub(since) >= clear_for_ms
    }

    fn touch(&mut self) {
        self.head.is_dirty = true;
        self.is_touched = true;
    }

    fn say(&mut self, change: Change, at_ms: i64, words: Words) {
        self.touch();
        let Some(episode) = &mut self.head.episode else { return };
        let n = episode.n;
        episode.n = n.saturating_add(1);
        episode.told_ms = at_ms;
        episode.is_untold = false;
        let figures = words.figures.into_iter().map(|(name, figure)| (name.into(), figure)).collect();
        let transition = Transition {
            episode: EpisodeId(episode.id.clone()),
            rule: self.speaker.rule.clone(),
            key: keys::to_key(&self.head.key),
            seq: u64::from(episode.seq),
            n,
            change,
            at_ms,
            is_early: self.mode != Mode::InOrder,
            is_late: self.mode == Mode::Late,
            reason: words.reason,
            evidence: episode.tally.evidence(self.origins, figures),
        };
        self.out.push((self.now_ms, transition));
    }
}
