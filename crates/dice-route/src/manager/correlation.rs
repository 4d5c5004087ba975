//! What belongs together across services, and which of it probably came first.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Episode, Episodes};
use crate::config::Correlation;

/// Episodes that are compared with a new one.
const MAX_COMPARED: usize = 64;

/// Why an episode belongs to the one that it is told under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tie {
    /// Its service needs the other's.
    Need,
    /// One request went through both.
    Trace,
    /// They began together with several more.
    Burst,
}

impl Tie {
    /// What stands before the title of the other one.
    pub fn as_str(self) -> &'static str {
        match self {
            Tie::Need => "probably because of",
            Tie::Trace => "in the same request as",
            Tie::Burst => "at the same time as",
        }
    }
}

/// The episodes that belong together with a new one, it included, with their ties to the one that probably
/// came first, whose name comes before. `None` when it stands alone.
///
/// They go on, began within the window, and share a trace, or one's service needs the other's, or so many
/// services began at once that it is no coincidence. The root is what most of the others need; else what
/// began first.
pub(super) fn belonging(
    new: &Episode,
    episodes: &Episodes,
    settings: &Correlation,
) -> Option<(String, Vec<(String, Tie)>)> {
    if settings.window_ms <= 0 {
        return None;
    }
    let (from_ms, to_ms) =
        (new.began_ms - settings.window_ms, new.began_ms.saturating_add(settings.window_ms));
    let near: Vec<&Episode> =
        episodes.began_within(from_ms, to_ms).filter(|other| other.id != new.id).take(MAX_COMPARED).collect();
    if near.is_empty() {
        return None;
    }
    let bursting: BTreeSet<&str> = near.iter().copied().chain([new]).flat_map(services).collect();
    let is_burst = settings.co_burst > 0 && bursting.len() >= settings.co_burst as usize;
    let needed: BTreeSet<&str> = services_needed(new, settings);
    let relates = |other: &Episode| {
        is_burst && services_differ(new, other)
            || new.evidence.traces.iter().any(|trace| other.evidence.traces.contains(trace))
            || services(other).any(|service| needed.contains(service))
            || services(new).any(|service| services_needed(other, settings).contains(service))
    };
    let mut related: Vec<&Episode> = near.iter().copied().filter(|other| relates(other)).collect();
    if related.is_empty() {
        return None;
    }
    // What belongs to one of them belongs to all.
    let roots: BTreeSet<&str> =
        related.iter().map(|other| other.root.as_deref().unwrap_or(&other.id)).collect();
    for root in roots {
        let kin = episodes.get(root).into_iter().chain(episodes.caused_by(root));
        for other in kin.filter(|other| other.is_open()) {
            if related.len() < MAX_COMPARED && !related.iter().any(|known| known.id == other.id) {
                related.push(other);
            }
        }
    }
    related.push(new);
    let needs: Vec<BTreeSet<&str>> =
        related.iter().map(|episode| services_needed(episode, settings)).collect();
    let needed_by = |episode: &Episode| {
        let is_needed = |needs: &&BTreeSet<&str>| services(episode).any(|service| needs.contains(service));
        needs.iter().filter(is_needed).count()
    };
    let root = related.iter().min_by_key(|episode| {
        (std::cmp::Reverse(needed_by(episode)), episode.began_ms, episode.id.clone())
    })?;
    let tie = |episode: &Episode| {
        let needed = services_needed(episode, settings);
        if services(root).any(|service| needed.contains(service)) {
            Tie::Need
        } else if episode.evidence.traces.iter().any(|trace| root.evidence.traces.contains(trace)) {
            Tie::Trace
        } else {
            Tie::Burst
        }
    };
    Some((root.id.clone(), related.iter().map(|episode| (episode.id.clone(), tie(episode))).collect()))
}

fn services(episode: &Episode) -> impl Iterator<Item = &str> {
    episode.evidence.services.iter().map(|service| &**service)
}

fn services_differ(a: &Episode, b: &Episode) -> bool {
    !services(a).any(|service| services(b).any(|other| other == service))
}

/// Everything that an episode's services need, directly or not; a service that needs itself in a circle is
/// no reason to go round.
fn services_needed<'c>(episode: &Episode, settings: &'c Correlation) -> BTreeSet<&'c str> {
    let mut needed = BTreeSet::new();
    let mut left: Vec<&str> = services(episode).collect();
    let own: BTreeSet<String> = left.iter().map(|service| (*service).to_owned()).collect();
    while let Some(service) = left.pop() {
        let Some(below) = settings.depends_on.get(service) else { continue };
        for service in below {
            if !own.contains(service.as_str()) && needed.insert(service.as_str()) {
                left.push(service);
            }
        }
    }
    needed
}
