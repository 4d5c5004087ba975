//! What is hidden from whom, and by what.

use super::inhibitions::Inhibitions;
use super::matchers::Labels;
use super::silences::Silences;
use super::{Snoozes, Subject};
use crate::{Cause, Destination};

/// Everything that hides, asked together.
#[derive(Debug, Clone, Copy)]
pub struct Screen<'a> {
    /// Between two times, by matchers.
    pub silences: &'a Silences,
    /// While something else goes on.
    pub inhibitions: &'a Inhibitions,
    /// For somebody, until something.
    pub snoozes: &'a Snoozes,
    /// The time, milliseconds since 1970.
    pub now_ms: i64,
}

impl Screen<'_> {
    /// What hides it from `destination`, and the name of the inhibiting episode, silence or snooze.
    pub fn hides(
        &self,
        what: &Subject<'_>,
        labels: &Labels,
        destination: &Destination,
    ) -> Option<(Cause, String)> {
        let episode = what.episode.unwrap_or_default();
        if let Some(by) = self.inhibitions.hides(labels, episode, self.now_ms) {
            return Some((Cause::Inhibited, by));
        }
        if let Some(by) = self.silences.hides(labels, destination, self.now_ms) {
            return Some((Cause::Silenced, by));
        }
        self.snoozes.hides(what, destination, self.now_ms).map(|by| (Cause::Snoozed, by))
    }

    /// What hides it from everybody, by name.
    pub fn hides_from_all(&self, what: &Subject<'_>, labels: &Labels) -> Option<String> {
        let episode = what.episode.unwrap_or_default();
        // No destination has an empty name: what hides it from this one hides it from all.
        let nobody = Destination::Receiver(String::new());
        let hidden = self.inhibitions.hides(labels, episode, self.now_ms);
        let hidden = hidden.or_else(|| self.silences.hides(labels, &nobody, self.now_ms));
        hidden.or_else(|| self.snoozes.hides_from_all(what, self.now_ms).map(str::to_owned))
    }
}

impl Screen<'_> {
    /// Whether what is hidden is hidden still, by the same thing or another one. Asked often, so the same
    /// thing is asked first.
    pub fn hides_still(
        &self,
        hidden: &Hidden,
        what: &Subject<'_>,
        labels: &Labels,
        destination: &Destination,
    ) -> bool {
        (hidden.cause == Cause::Silenced
            && self.silences.still_hides(&hidden.by, labels, destination, self.now_ms))
            || self.hides(what, labels, destination).is_some()
    }
}

/// Since when and by what something is hidden, and how much had been told by then.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Hidden {
    /// What sort of thing hides it.
    pub cause: Cause,
    /// Which one.
    pub by: String,
    /// Since when, milliseconds since 1970.
    pub since_ms: i64,
    /// Occurrences before.
    pub count: u64,
}

impl Hidden {
    /// What the reader hears afterwards: `silenced 2 h, 312 occurrences`. `by` is what hid it, in words.
    pub fn note(&self, by: &str, count: u64, now_ms: i64) -> String {
        let lasted = super::wording::duration(now_ms - self.since_ms);
        let missed = super::wording::counted(count.saturating_sub(self.count), "occurrence", "occurrences");
        match self.cause {
            Cause::Inhibited => format!("was inhibited by {by} for {lasted}, {missed}"),
            Cause::Snoozed => format!("snoozed {lasted}, {missed}"),
            _ => format!("silenced {lasted}, {missed}"),
        }
    }
}
