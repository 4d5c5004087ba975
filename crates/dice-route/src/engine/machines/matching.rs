//! `match`: every event, or every first one after a pause.

use crate::CloseReason;
use crate::engine::codec::{Reader, Writer};
use crate::engine::life::{Episode, Life};
use crate::engine::machine::{Arrival, Late, Machine, Pass, Seen, Words};
use crate::engine::tally::Tally;
use crate::engine::words::duration;

/// Every event; with a pause, a key stays open for that long after its last event.
#[derive(Debug)]
pub(crate) struct Matching {
    quiet_ms: Option<i64>,
}

impl Matching {
    /// The machine with these settings.
    pub(crate) fn new(quiet_ms: Option<i64>) -> Matching {
        Matching { quiet_ms: quiet_ms.filter(|quiet_ms| *quiet_ms > 0) }
    }
}

/// The last event while an episode is open.
#[derive(Debug, Default)]
pub(crate) struct Last {
    at_ms: Option<i64>,
}

impl Machine for Matching {
    type State = Last;
    type Payload = ();
    type Shared = ();

    fn pass(&self) -> Pass {
        if self.quiet_ms.is_some() { Pass::Both } else { Pass::Arrival }
    }

    fn payload(&self, _arrival: &Arrival<'_>) -> Option<()> {
        Some(())
    }

    fn begin(&self, _at_ms: i64) -> Last {
        Last::default()
    }

    fn eager(
        &self,
        _shared: &mut (),
        state: &mut Last,
        life: &mut Life<'_>,
        seen: &Seen<'_, ()>,
        arrival: &Arrival<'_>,
    ) {
        let tally = || {
            let mut tally = Tally::default();
            tally.add(seen.at_ms, seen.origin);
            tally.late += u64::from(life.is_late());
            tally.show(&arrival.sample());
            tally
        };
        if self.quiet_ms.is_none() {
            let tally = tally();
            let words = self.words(state, &tally);
            life.instant(seen.at_ms, tally, || words);
        } else if life.is_idle() && seen.at_ms > life.last_close_ms() {
            let tally = tally();
            let words = self.words(state, &tally);
            life.open(seen.at_ms, tally, || words);
        }
    }

    fn step(&self, _shared: &mut (), state: &mut Last, life: &mut Life<'_>, seen: &Seen<'_, ()>) {
        if life.is_open() {
            life.count(seen.at_ms, seen.origin);
            state.at_ms = Some(seen.at_ms);
        } else if seen.at_ms > life.last_close_ms() {
            let mut tally = Tally::default();
            tally.add(seen.at_ms, seen.origin);
            let words = self.words(state, &tally);
            life.open(seen.at_ms, tally, || words);
            state.at_ms = Some(seen.at_ms);
        }
    }

    fn takes_late(&self) -> bool {
        true
    }

    fn late(
        &self,
        _shared: &mut (),
        state: &mut Last,
        life: &mut Life<'_>,
        seen: &Seen<'_, ()>,
        arrival: &Arrival<'_>,
    ) -> Late {
        // Its episode has ended or would have: it fires as one that is over when it is told.
        if !life.is_idle() || seen.at_ms <= life.last_close_ms() {
            return Late::Dropped;
        }
        let mut tally = Tally::default();
        tally.add(seen.at_ms, seen.origin);
        tally.late += 1;
        tally.show(&arrival.sample());
        let words = self.words(state, &tally);
        life.open(seen.at_ms, tally, || words);
        state.at_ms = Some(seen.at_ms);
        Late::Counted
    }

    fn due(&self, state: &Last, _episode: Option<&Episode>) -> Option<i64> {
        // An event at the very end of the pause still belongs to the episode.
        Some(state.at_ms?.saturating_add(self.quiet_ms?).saturating_add(1))
    }

    fn timer(&self, _shared: &mut (), state: &mut Last, life: &mut Life<'_>, at_ms: i64) {
        state.at_ms = None;
        let tally = life.episode().map(|episode| episode.tally.clone()).unwrap_or_default();
        let words = self.words(state, &tally);
        life.close(at_ms - 1, CloseReason::Cleared, || words);
    }

    fn ended(&self, state: &mut Last, _at_ms: i64) {
        state.at_ms = None;
    }

    fn words(&self, _state: &Last, tally: &Tally) -> Words {
        let reason = match (tally.count, self.quiet_ms) {
            (0 | 1, _) => "it was printed".to_owned(),
            (count, Some(quiet_ms)) => format!("{count} without a pause of {}", duration(quiet_ms)),
            (count, None) => format!("{count} times"),
        };
        Words { reason, figures: Vec::new() }
    }

    fn is_vacant(&self, state: &Last, _at_ms: i64) -> bool {
        state.at_ms.is_none()
    }

    fn encode(&self, state: &Last, writer: &mut Writer<'_>) {
        writer.signed_or_none(state.at_ms);
    }

    fn decode(&self, reader: &mut Reader<'_, '_>) -> Option<Last> {
        Some(Last { at_ms: reader.signed_or_none()? })
    }

    fn encode_payload(&self, _payload: &(), _writer: &mut Writer<'_>) {}

    fn decode_payload(&self, _reader: &mut Reader<'_, '_>) -> Option<()> {
        Some(())
    }
}
