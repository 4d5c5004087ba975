//! A window that moves in steps.

use super::buckets::Grid;
use crate::engine::codec::{Reader, Writer};
use crate::engine::life::{Episode, Life};

/// In how many steps a window passes over a moment.
pub(crate) const HOPS: i64 = 6;

/// When a window was last looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hop {
    asked_ms: i64,
}

impl Default for Hop {
    fn default() -> Hop {
        Hop { asked_ms: i64::MIN }
    }
}

impl Hop {
    /// When it has to be looked at next: at every step while an episode is open, else while there is
    /// something in it; `first` is the first stretch with something in it.
    pub(crate) fn due(self, grid: Grid, first: Option<i64>, episode: Option<&Episode>) -> Option<i64> {
        let next_ms = self.asked_ms.saturating_add(grid.step_ms);
        if episode.is_some() {
            return Some(next_ms);
        }
        Some(next_ms.max(grid.start_ms(first?.saturating_add(1))))
    }

    /// Whether it was last looked at before this moment.
    pub(crate) fn is_before(self, at_ms: i64) -> bool {
        self.asked_ms < at_ms
    }

    /// It is looked at: gives the stretches of the window, the end of which does not belong to it.
    pub(crate) fn at(&mut self, grid: Grid, at_ms: i64) -> (i64, i64) {
        self.asked_ms = at_ms;
        let end = grid.part(at_ms);
        (end.saturating_sub(grid.parts), end)
    }

    /// Whether the clear condition has held for two steps and for as long as it must.
    pub(crate) fn is_over(
        self,
        grid: Grid,
        life: &mut Life<'_>,
        at_ms: i64,
        holds: bool,
        clear_for_ms: i64,
    ) -> bool {
        life.is_cleared_for(at_ms, holds, clear_for_ms.max(grid.step_ms))
    }

    /// Writes it.
    pub(crate) fn encode(self, writer: &mut Writer<'_>) {
        writer.signed(self.asked_ms);
    }

    /// Reads it.
    pub(crate) fn decode(reader: &mut Reader<'_, '_>) -> Option<Hop> {
        Some(Hop { asked_ms: reader.signed()? })
    }
}
