//! Whether the catalog fits what runs, by service.

use std::collections::BTreeMap;
use std::sync::Arc;

use dice_catalog::Level;
use serde::{Deserialize, Serialize};

use crate::Event;
use crate::book::{Delta, Table};

/// Warnings of a service that are looked at together; older ones count less and less.
const WINDOW: u64 = 2_000;
/// Fewer warnings than this tell nothing.
const ENOUGH: u64 = 100;
/// A larger share than this, in percent, does not fit.
const UNFIT_PERCENT: u64 = 40;
/// A smaller share than this, in percent, fits again.
const FIT_PERCENT: u64 = 20;
/// Services that are looked at; further ones are not.
const MAX_SERVICES: usize = 1_000;
/// What stands before a service's name in the ids of the notes.
const NOTE: &str = "fit ";

/// Whether the catalog fits what runs: of the lines that warn, how many does it know, and from which revision?
#[derive(Debug, Clone, Default)]
pub(crate) struct Fit {
    services: BTreeMap<Arc<str>, Share>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Share {
    warnings: u64,
    unknown: u64,
    outdated: u64,
    /// What was wrong the last time, until it is right.
    is_unknown: bool,
    is_outdated: bool,
    #[serde(skip)]
    is_changed: bool,
}

impl Fit {
    /// Takes an event.
    pub(crate) fn occur(&mut self, event: &Event) {
        if event.level < Some(Level::Warning) {
            return;
        }
        let service = event.service.as_ref().unwrap_or(&event.source);
        if !self.services.contains_key(service) {
            if self.services.len() >= MAX_SERVICES {
                return;
            }
            self.services.insert(Arc::clone(service), Share::default());
        }
        let Some(share) = self.services.get_mut(service) else { return };
        share.warnings += 1;
        share.unknown += u64::from(!event.message.id.is_known());
        share.outdated += u64::from(event.message.is_outdated);
        if share.warnings >= WINDOW {
            share.warnings /= 2;
            share.unknown /= 2;
            share.outdated /= 2;
        }
        share.is_unknown = judged(share.is_unknown, share.unknown, share.warnings);
        share.is_outdated = judged(share.is_outdated, share.outdated, share.warnings);
        share.is_changed = true;
    }

    /// What does not fit: a lasting name and words for a reader.
    pub(crate) fn troubles(&self) -> impl Iterator<Item = (String, String)> {
        self.services.iter().flat_map(|(service, share)| {
            let percent = |part: u64| part * 100 / share.warnings.max(1);
            let unknown = share.is_unknown.then(|| {
                let text = format!(
                    "the catalog does not fit {service}: {} % of its warnings are of no known statement; index \
                     the repository and the revision that run",
                    percent(share.unknown)
                );
                (format!("catalog_unfit {service}"), text)
            });
            let outdated = share.is_outdated.then(|| {
                let text = format!(
                    "{service} is older than the newest catalog: {} % of its warnings are only known to an \
                     older revision; its owners are those of that revision",
                    percent(share.outdated)
                );
                (format!("catalog_outdated {service}"), text)
            });
            unknown.into_iter().chain(outdated)
        })
    }

    /// Appends what has changed.
    pub(crate) fn deltas(&mut self, out: &mut Vec<Delta>) {
        for (service, share) in &mut self.services {
            if std::mem::take(&mut share.is_changed) {
                let body = serde_json::to_string(share).expect("a share is numbers");
                out.push(Delta::Put { table: Table::Notes, id: format!("{NOTE}{service}"), body });
            }
        }
    }

    /// Whether a note is one of these.
    pub(crate) fn is_note(id: &str) -> bool {
        id.starts_with(NOTE)
    }

    /// Puts in a note as it was written.
    pub(crate) fn restore(&mut self, id: &str, body: &str) -> Result<(), String> {
        let share = serde_json::from_str(body)
            .map_err(|error| format!("wanted a note of a service's fit: {error}"))?;
        self.services.insert(id.strip_prefix(NOTE).unwrap_or(id).into(), share);
        Ok(())
    }
}

/// Whether a share is too large, with some distance between becoming so and no longer being so.
fn judged(was: bool, part: u64, all: u64) -> bool {
    let limit = if was { FIT_PERCENT } else { UNFIT_PERCENT };
    all >= ENOUGH && part * 100 > all * limit
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dice_catalog::Level;

    use super::Fit;
    use crate::testing;
    use crate::{MessageId, PartitionId};

    /// Takes so many warnings that are known, unknown and known to an older revision.
    fn take(fit: &mut Fit, known: u32, unknown: u32, outdated: u32) -> Vec<String> {
        for (n, is_known, is_outdated) in
            [(known, true, false), (unknown, false, false), (outdated, true, true)]
        {
            for _ in 0..n {
                let mut event = testing::event(PartitionId(0), "app", 1, None, 0);
                let mut message = testing::message("x");
                if is_known {
                    let parts = dice_catalog::Template::new([dice_catalog::Part::text("x")]);
                    message.id = MessageId::Known(dice_catalog::Fingerprint::of("r", &parts));
                }
                message.is_outdated = is_outdated;
                (event.message, event.level) = (Arc::new(message), Some(Level::Warning));
                fit.occur(&event);
            }
        }
        fit.troubles().map(|(id, _)| id).collect()
    }

    #[test]
    fn a_catalog_that_does_not_fit_is_told_until_it_does() {
        let mut fit = Fit::default();
        assert!(take(&mut fit, 0, 99, 0).is_empty(), "too few tell nothing");
        assert_eq!(take(&mut fit, 0, 1, 0), ["catalog_unfit app"]);
        assert_eq!(take(&mut fit, 200, 0, 0), ["catalog_unfit app"], "a third is unknown");
        assert!(take(&mut fit, 300, 0, 0).is_empty());
        assert_eq!(take(&mut fit, 0, 0, 1_900), ["catalog_outdated app"]);
    }
}
