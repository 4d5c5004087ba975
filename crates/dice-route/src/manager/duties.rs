//! Who is told of a message, and how.

use dice_catalog::{Kind, Level, Owner, Why};

use super::{Place, Roster, places};
use crate::config::Route;
use crate::{Config, Decided, Decision, Message, decide};

/// What is done about a message for each of its owners. Who has nobody else has the fallback, then triage.
pub(super) fn decide_for(
    message: &Message,
    level: Option<Level>,
    mut owners: Vec<Owner>,
    config: &Config,
) -> Decided {
    let fallback = fallback(Some(message), config);
    if owners.is_empty() {
        owners.extend(fallback.clone());
    }
    let mut decided = decide(message.kind.unwrap_or(Kind::Log), level, &owners, fallback.as_ref());
    for each in &mut decided.owners {
        let has_digest = config.digests.channels.contains_key(&each.owner.name);
        if each.decision == Decision::Now && has_digest && level != Some(Level::Critical) {
            each.decision = Decision::Digest;
        }
    }
    decided.decision = decided.owners.iter().map(|each| each.decision).max().unwrap_or(Decision::None);
    decided
}

/// Who answers where nobody else does: the catalog's fallback, else triage.
pub(super) fn fallback(message: Option<&Message>, config: &Config) -> Option<Owner> {
    let own = message.and_then(|message| message.fallback.clone());
    own.or_else(|| config.ownership.triage.as_deref().map(|name| Owner::named(name, Why::Fallback)))
}

/// Where a route tells something with these owners, each person once; what has nobody else goes to the fallback.
pub(super) fn places_for(
    route: &Route,
    owners: &[Owner],
    fallback: Option<&Owner>,
    roster: &Roster,
) -> Vec<Place> {
    let mut all = places(route, owners);
    if all.is_empty()
        && let Some(fallback) = fallback
    {
        all = places(&Route { to: Vec::new(), ..route.clone() }, std::slice::from_ref(fallback));
    }
    let mut distinct: Vec<Place> = Vec::with_capacity(all.len());
    for place in all {
        if !distinct.iter().any(|known| roster.reaches_same(&known.destination, &place.destination)) {
            distinct.push(place);
        }
    }
    distinct
}
