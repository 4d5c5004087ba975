//! What a silence would hide.

use std::collections::BTreeSet;

use super::{Alerts, Episode, Episodes, Immediate, Matchers, Roster, Routes, episodes};
use crate::{Config, Decision, Destination, OwnerDecision};

/// What a silence would hide, as far as the state knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preview {
    /// What goes on and would be hidden, in words.
    pub open: Vec<String>,
    /// What was told within the last seven days and would have been hidden, in words.
    pub recent: Vec<String>,
    /// How many routes there are.
    pub routes: usize,
    /// How many of them could see something that it hides.
    pub routes_met: usize,
}

impl Preview {
    /// Whether more than a fifth of the routes could see something that it hides.
    pub(super) fn is_too_broad(&self) -> bool {
        self.routes_met > 1 && self.routes_met * 5 > self.routes
    }
}

/// What matchers would hide for a receiver: what goes on, and what was told within the last seven days.
pub(super) fn preview(
    matchers: &Matchers,
    receiver: Option<&str>,
    config: &Config,
    (episodes, alerts, immediate, routes, roster): (&Episodes, &Alerts, &Immediate, &Routes, &Roster),
    now_ms: i64,
) -> Preview {
    let is_for = |destination: &Destination| receiver.is_none_or(|only| roster.is_called(destination, only));
    let is_hidden =
        |episode: &&Episode| episode.destinations.iter().any(is_for) && matchers.hold(&episode.labels);
    let week_ms = 7 * 24 * 3_600_000;
    let title = |episode: &Episode| episode.title.clone();
    let (all, met) = routes.share(matchers);
    let mut seen = Preview {
        open: episodes.open().filter(is_hidden).map(title).collect(),
        recent: episodes.closed_since(now_ms - week_ms).filter(is_hidden).map(title).collect(),
        routes: all,
        routes_met: met,
    };
    let goes_on: BTreeSet<&str> = immediate.iter().map(|ongoing| ongoing.alert.as_str()).collect();
    for (alert, message) in alerts.iter().filter(|(alert, _)| alert.last_ms >= now_ms - week_ms) {
        let told_now = alert.owners.iter().filter(|each| each.decision >= Decision::Now);
        let is_hidden = |each: &OwnerDecision| {
            is_for(&Destination::named(&each.owner.name))
                && matchers.hold(&episodes::labels_of_alert(alert, message, &each.owner, config))
        };
        if told_now.into_iter().any(is_hidden) {
            let title = episodes::title_of_message(message, &alert.sample);
            let list = if goes_on.contains(alert.id.as_str()) { &mut seen.open } else { &mut seen.recent };
            list.push(title);
        }
    }
    seen
}
