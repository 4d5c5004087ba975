//! A look at the state: the router as it was saved, and what is said of the things in it.
//!
//! Each thing is one value that a program reads as JSON and a person as lines of text.

mod circle;
mod delivery;
mod dossier;
mod hiding;
mod incident;
mod ownership;
mod page;
mod waiting;

use std::path::PathBuf;

use dice_config::Loaded;
use dice_route::manager::duration;
use dice_route::{Cause, Router};
use jiff::Timestamp;
use serde::{Serialize, Serializer};

pub(crate) use circle::Thing;
pub(crate) use delivery::{Delivery, Noted};
pub(crate) use dossier::Dossier;
pub(crate) use hiding::{Silenced, Snoozed};
pub(crate) use incident::{Trouble, incidents};
pub(crate) use ownership::Said;
pub(crate) use page::happened;
pub(crate) use waiting::Waiting;

use super::{plan, terminal};
use crate::settings;

/// The state as of now; nothing that is done to it lasts.
#[derive(Debug)]
pub(crate) struct Look {
    /// What was saved, by today's configuration.
    pub(crate) router: Router,
    /// The configuration with its file, where one is known.
    pub(crate) config: Option<(PathBuf, Loaded)>,
    /// The time, milliseconds since 1970.
    pub(crate) now_ms: i64,
}

impl Look {
    /// The catalogs that are meant: those given, else those of the configuration, else the usual ones.
    pub(crate) fn catalogs(&self, given: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
        match &self.config {
            Some((file, loaded)) if given.is_empty() && !loaded.catalogs.is_empty() => {
                Ok(loaded.catalogs.iter().map(|path| plan::beside(file, path)).collect())
            }
            _ => settings::catalog_files(given),
        }
    }

    /// A moment for a person, with how long ago it is or how far ahead.
    pub(crate) fn moment(&self, at: Time) -> String {
        format!("{} ({})", at.clock(), self.distance(at))
    }

    /// `4 m ago`, `in 3 m`.
    pub(crate) fn distance(&self, at: Time) -> String {
        let ms = self.now_ms - at.0;
        if ms >= 0 { format!("{} ago", duration(ms)) } else { format!("in {}", duration(-ms)) }
    }
}

/// A moment: RFC 3339 for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time(pub(crate) i64);

impl Time {
    /// `11-20 15:12:05`, in UTC.
    pub(crate) fn clock(self) -> String {
        terminal::clock(self.0)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match Timestamp::from_millisecond(self.0) {
            Ok(time) => serializer.collect_str(&time),
            Err(_) => serializer.serialize_none(),
        }
    }
}

/// The first eight digits of an id, with the letter before them: enough to name it on the command line.
pub(crate) fn brief(id: &str) -> &str {
    let start = if id.as_bytes().get(1) == Some(&b':') { 2 } else { 0 };
    let digits = id.get(start..).unwrap_or_default();
    let is_digits = digits.len() > 8 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if is_digits { id.get(..start + 8).unwrap_or(id) } else { id }
}

/// What hides something.
fn word(cause: Cause) -> &'static str {
    match cause {
        Cause::Silenced => "silenced",
        Cause::Snoozed => "snoozed",
        Cause::Inhibited => "inhibited",
        Cause::Held => "held",
        Cause::Coalesced => "told together",
        Cause::Unsubscribed => "unsubscribed",
        Cause::Superseded => "superseded",
        Cause::Late => "late",
        Cause::TooOld => "too old",
        Cause::Clamped => "its time was set",
        Cause::Evicted => "forgotten",
        Cause::Unowned => "unowned",
        Cause::Command => "command",
        Cause::Ended => "over",
        Cause::Configuration => "configuration",
        Cause::SelfAlert => "Dice",
        Cause::Repaired => "repaired",
    }
}

#[cfg(test)]
mod tests {
    use super::{Time, brief};

    #[test]
    fn ids_are_shown_by_their_first_digits() {
        let id = "0123456789abcdef0123456789abcdef";
        assert_eq!(brief(id), "01234567");
        assert_eq!(brief(&format!("i:{id}")), "i:01234567");
        assert_eq!(brief("@dev/2026-11-21/daily"), "@dev/2026-11-21/daily");
        assert_eq!(brief("0123"), "0123");
    }

    #[test]
    fn times_are_rfc_3339() {
        assert_eq!(serde_json::to_string(&Time(1_795_190_000_500)).unwrap(), "\"2026-11-20T15:53:20.5Z\"");
    }
}
