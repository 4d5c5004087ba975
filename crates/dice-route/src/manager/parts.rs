//! The parts of the manager, to be looked at and explained.

use super::ledger::Counts;
use super::{
    Alarms, Alerts, Asked, Episodes, Escalations, Groups, Immediate, Labels, Manager, Moment, Overrides,
    Silences, Snoozes,
};
use crate::digest::Digests;
use crate::outbox::Outbox;
use crate::records::Records;

impl Manager {
    /// How an episode of `rule` with these labels would be routed: every route that is asked.
    pub fn route_of(&self, rule: &str, labels: &Labels) -> Vec<Asked> {
        self.routes.explain(rule, labels)
    }

    /// When a group, or a message that is told as it happens, was told, when it will be, and why.
    pub fn timeline(&self, group: &str) -> Vec<Moment> {
        if group.starts_with(super::immediate::PREFIX) {
            return self.immediate.timeline(group);
        }
        self.groups.timeline(group, &self.episodes)
    }

    /// What was counted, by what was done about it.
    pub fn ledger(&self) -> Counts {
        self.ledger.counts()
    }

    /// The notices.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// The notices, to release or suppress them.
    pub fn outbox_mut(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    /// What was not told, and what people did.
    pub fn records(&self) -> &Records {
        &self.records
    }

    /// The same, to write down what other parts of the router dropped.
    pub fn records_mut(&mut self) -> &mut Records {
        &mut self.records
    }

    /// Occurrences by deduplication key.
    pub fn alerts(&self) -> &Alerts {
        &self.alerts
    }

    /// Episodes of rules.
    pub fn episodes(&self) -> &Episodes {
        &self.episodes
    }

    /// Messages that are told as they happen.
    pub fn immediate(&self) -> &Immediate {
        &self.immediate
    }

    /// The digests.
    pub fn digests(&self) -> &Digests {
        &self.digests
    }

    /// The groups.
    pub fn groups(&self) -> &Groups {
        &self.groups
    }

    /// Snoozes and mutes.
    pub fn snoozes(&self) -> &Snoozes {
        &self.snoozes
    }

    /// What people said about owners.
    pub fn overrides(&self) -> &Overrides {
        &self.overrides
    }

    /// Who hears next when nobody reacts.
    pub fn escalations(&self) -> &Escalations {
        &self.escalations
    }

    /// The silences.
    pub fn silences(&self) -> &Silences {
        &self.silences
    }

    /// What Dice itself needs somebody for.
    pub fn alarms(&self) -> &Alarms {
        &self.alarms
    }
}
