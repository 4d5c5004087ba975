//! Who takes over what goes on from those who no longer own it.

use std::collections::{BTreeMap, BTreeSet};

use dice_catalog::Owner;

use super::duties::{fallback, places_for};
use super::{Episode, Manager, Place, episodes};
use crate::{Cause, Config, Destination, MessageId};

impl Manager {
    /// The messages of episodes that go on, with their owners.
    pub(super) fn owners_of_open(&self) -> BTreeMap<MessageId, Vec<Owner>> {
        let messages = self.episodes.open().flat_map(|episode| &episode.evidence.messages);
        let messages: BTreeSet<MessageId> = messages.copied().collect();
        let owners = |id: MessageId| Some((id, self.overrides.owners(self.alerts.message(id)?)));
        messages.into_iter().filter_map(owners).collect()
    }

    /// What waits for the digest of somebody who no longer owns a message waits for its new owner's.
    pub(super) fn pass_on(&mut self, id: MessageId, before: &[Owner], now_ms: i64) {
        let Some(message) = self.alerts.message(id) else { return };
        let now = self.overrides.owners(message);
        let heir = now.iter().find(|owner| !self.is_among(before, owner)).or(now.first());
        let Some(heir) = heir.map(|heir| Destination::named(&heir.name)) else { return };
        let roster = self.roster.clone();
        for former in
            before.iter().filter(|owner| !now.iter().any(|now| roster.is_same(&now.name, &owner.name)))
        {
            self.digests.reassign(&id, &Destination::named(&former.name), &heir, now_ms);
        }
    }

    /// Has open episodes about a message told to those who own it now, where routes tell the owners. Those who
    /// do no longer hear nothing more, not even that it is over; who owns another of the messages stays.
    pub(super) fn give_over(&mut self, id: MessageId, before: &[Owner], config: &Config, now_ms: i64) {
        let Some(message) = self.alerts.message(id) else { return };
        let fallback = fallback(Some(message), config);
        let before = &episodes::united(before.to_vec(), fallback.as_ref());
        let now = episodes::united(self.overrides.owners(message), fallback.as_ref());
        if now.len() == before.len() && now.iter().all(|owner| self.is_among(before, owner)) {
            return;
        }
        let open = self.episodes.open().filter(|episode| episode.evidence.messages.contains(&id));
        let open: Vec<Episode> = open.cloned().collect();
        let mut rows = BTreeSet::new();
        for mut episode in open {
            let others = episode.evidence.messages.iter().filter(|other| **other != id);
            let others = others.filter_map(|other| self.alerts.message(*other));
            let others: Vec<Owner> = others.flat_map(|other| self.overrides.owners(other)).collect();
            let stays = |owner: &Owner| {
                !self.is_among(before, owner) || self.is_among(&now, owner) || self.is_among(&others, owner)
            };
            let was = episode.owners.clone();
            if !was.is_empty() && was.iter().all(stays) {
                continue;
            }
            episode.owners.retain(stays);
            for owner in &now {
                if !self.is_among(&episode.owners, owner) {
                    episode.owners.push(owner.clone());
                }
            }
            self.move_places(&mut episode, &was, fallback.as_ref(), config, now_ms);
            rows.extend(episode.groups);
        }
        // All of them together, so that a new owner hears of them in one notice.
        for row in rows {
            self.groups.look_if_due(&row, desk!(self, config, now_ms), around!(self, now_ms));
        }
    }

    /// Tells an episode where its owners want it told, and no longer where only those it had did.
    fn move_places(
        &mut self,
        episode: &mut Episode,
        was: &[Owner],
        fallback: Option<&Owner>,
        config: &Config,
        now_ms: i64,
    ) {
        let desk = desk!(self, config, now_ms);
        let roster = self.roster.clone();
        let is_in = |places: &[Place], destination: &Destination| {
            places.iter().any(|place| roster.reaches_same(&place.destination, destination))
        };
        let rows: Vec<(String, String, Destination)> = episode
            .groups
            .iter()
            .filter_map(|row| self.groups.get(row))
            .map(|group| (group.id.clone(), group.route.clone(), group.destination.clone()))
            .collect();
        let routes: BTreeSet<&String> = rows.iter().map(|(_, route, _)| route).collect();
        let (mut left, mut joined) = (Vec::new(), Vec::new());
        for id in routes {
            let Some(route) = self.routes.get(id).cloned() else { continue };
            let before = places_for(&route, was, fallback, &roster);
            let now = places_for(&route, &episode.owners, fallback, &roster);
            for (row, _, destination) in rows.iter().filter(|(_, known, _)| known == id) {
                if is_in(&before, destination) && !is_in(&now, destination) {
                    self.groups.leave(row, &episode.id);
                    let text = format!("no longer told to {}: others own it", destination.name());
                    desk.records.note(now_ms, Cause::Superseded, &episode.id, "owners", &text);
                    left.push((row.clone(), destination.clone()));
                }
            }
            for place in now {
                let is_told = |(_, known, destination): &(String, String, Destination)| {
                    known == id && roster.reaches_same(destination, &place.destination)
                };
                if !is_in(&before, &place.destination) && !rows.iter().any(is_told) {
                    let destination = place.destination.clone();
                    let row = self.groups.join(episode, &route, place, &roster, desk);
                    joined.push((row, destination));
                }
            }
        }
        episode.groups.retain(|row| !left.iter().any(|(gone, _)| gone == row));
        episode.destinations.retain(|known| !left.iter().any(|(_, gone)| roster.reaches_same(known, gone)));
        for (row, destination) in joined {
            if !episode.groups.contains(&row) {
                episode.groups.push(row);
            }
            if !episode.destinations.iter().any(|known| roster.reaches_same(known, &destination)) {
                episode.destinations.push(destination);
            }
        }
        for (_, gone) in &left {
            self.escalations.leave(&episode.id, gone);
        }
        self.episodes.put(episode.clone(), desk);
    }

    fn is_among(&self, owners: &[Owner], owner: &Owner) -> bool {
        owners.iter().any(|known| self.roster.is_same(&known.name, &owner.name))
    }
}
