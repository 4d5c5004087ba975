//! From what happens to what is told: groups, hides, holds and escalates.
//!
//! Occurrences, transitions of rules, commands, presence and time go in, one at a time; notices for the
//! outbox and records of what was not told come out. Each part keeps its rows in books; what has changed is
//! asked for after a batch and given back after a restart, in any order.

#[macro_use]
mod desk;

mod acts;
mod alarms;
mod alerts;
mod breaker;
mod commands;
mod correlation;
mod curtain;
mod duties;
mod episodes;
mod escalations;
#[cfg(test)]
mod fixture;
mod group;
mod groups;
mod immediate;
mod inhibitions;
mod ledger;
mod matchers;
mod occurrences;
mod on_call;
mod overrides;
mod parts;
mod people;
mod preview;
mod questions;
mod roster;
mod routes;
mod screen;
mod silences;
mod snoozes;
mod storm;
mod succession;
mod tally;
mod transitions;
mod wording;

use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) use acts::refusal;
pub use alarms::{Alarm, Alarms, OPERATOR};
pub use alerts::{Alert, Alerts, Attention, deduplication_key};
pub use commands::{COMMANDS_KEPT_MS, Commands};
pub use desk::{Desk, Subject};
pub use episodes::{Episode, Episodes};
pub use escalations::{Escalation, Escalations, Means, Situation, Standing, Watch};
pub use group::{Group, Member, Moment, Reason, Told};
pub use groups::{Around, Groups, Place, places};
pub use immediate::{Acked, Immediate, Ongoing, Sight};
pub use inhibitions::Inhibitions;
pub use ledger::Counts;
pub use matchers::{Labels, Matchers, written};
pub use on_call::{next_hand_over_ms, on_call};
pub use overrides::{Declined, Override, Overrides, Step};
pub use people::{Things, View};
pub use preview::Preview;
pub use questions::Collected;
pub use roster::Roster;
pub use routes::{Asked, DEFAULT_ROUTE, Routes};
pub use screen::{Hidden, Screen};
pub use silences::{Silence, SilenceState, Silences};
pub use snoozes::{Concern, Kin, Scene, Snooze, Snoozes, Until};
pub use storm::Storm;
pub use tally::Tally;
pub use wording::duration;

pub use correlation::Tie;
use curtain::Curtain;
use ledger::Ledger;
use occurrences::{UNOWNED, UNOWNED_MS};

use crate::book::{Delta, Table};
use crate::config::Rule;
use crate::digest::Digests;
use crate::outbox::Outbox;
use crate::records::Records;
use crate::{Config, Presence, Receipt};

/// What is told, to whom, and when.
#[derive(Debug, Clone)]
pub struct Manager {
    config: Option<Arc<Config>>,
    rules: BTreeMap<Arc<str>, Arc<Rule>>,
    routes: Routes,
    outbox: Outbox,
    records: Records,
    alerts: Alerts,
    immediate: Immediate,
    episodes: Episodes,
    groups: Groups,
    inhibitions: Inhibitions,
    silences: Silences,
    storm: Storm,
    alarms: Alarms,
    snoozes: Snoozes,
    overrides: Overrides,
    escalations: Escalations,
    commands: Commands,
    roster: Arc<Roster>,
    digests: Digests,
    ledger: Ledger,
}

impl Default for Manager {
    /// Nothing has happened yet, and nothing happens until there is a configuration.
    fn default() -> Manager {
        Manager {
            config: None,
            rules: BTreeMap::new(),
            routes: Routes::default(),
            outbox: Outbox::default(),
            records: Records::default(),
            alerts: Alerts::default(),
            immediate: Immediate::default(),
            episodes: Episodes::default(),
            groups: Groups::default(),
            inhibitions: Inhibitions::default(),
            silences: Silences::default(),
            storm: Storm::default(),
            alarms: Alarms::default(),
            snoozes: Snoozes::default(),
            overrides: Overrides::default(),
            escalations: Escalations::default(),
            commands: Commands::default(),
            roster: Arc::default(),
            digests: Digests::new(Arc::new(Config::default())),
            ledger: Ledger::default(),
        }
    }
}

impl Manager {
    /// Takes a configuration, the first or another one. Timers that run go on.
    pub fn configure(&mut self, config: &Arc<Config>, now_ms: i64) {
        self.rules = config.rules.iter().map(|rule| (rule.id.clone(), rule.clone())).collect();
        self.routes = Routes::new(config);
        self.alerts.configure(config);
        self.inhibitions = Inhibitions::new(config, &self.episodes, now_ms);
        self.digests.configure(config.clone(), now_ms);
        self.config = Some(config.clone());
        self.call_the_roll();
    }

    /// Tells every part that deals with people who there is.
    fn call_the_roll(&mut self) {
        let Some(config) = &self.config else { return };
        self.roster = Arc::new(Roster::new(config, self.digests.news()));
        self.silences.configure(&self.roster);
        self.snoozes.configure(&self.roster);
        self.overrides.configure(&self.roster);
        self.escalations.configure(&self.roster);
        self.alerts.ask_anew();
    }

    /// Takes news of a person.
    pub fn presence(&mut self, presence: &Presence, now_ms: i64) {
        self.digests.presence(presence, now_ms);
        if !self.roster.is_news(presence) {
            return;
        }
        let before = self.owners_of_open();
        self.call_the_roll();
        let Some(config) = self.config.clone() else { return };
        for (message, owners) in before {
            self.give_over(message, &owners, &config, now_ms);
        }
    }

    /// Takes what became of a delivery.
    pub fn receipt(&mut self, receipt: &Receipt, now_ms: i64) {
        for remark in self.outbox.receipt(receipt) {
            self.records.note(receipt.at_ms, remark.cause, &remark.subject, &remark.by, &remark.text);
            if remark.cause == crate::Cause::SelfAlert {
                self.self_alert(&format!("undelivered {}", remark.by), &remark.text, now_ms);
            }
        }
        let Some(config) = &self.config else { return };
        if matches!(receipt.outcome, crate::Outcome::Delivered(_) | crate::Outcome::Partly(_))
            && let Some(row) = self.outbox.get(&receipt.intent)
        {
            // The next one that cannot be delivered there is told again.
            let cause = format!("undelivered {}", row.destination.name());
            self.alarms.clear_older(&cause, 0, desk!(self, config, now_ms));
        }
    }

    /// Does everything that is due.
    pub fn tick(&mut self, now_ms: i64) {
        let Some(config) = self.config.clone() else { return };
        let config = &config;
        for slot in self.alerts.take_fresh() {
            self.hand_over(slot, config, now_ms);
        }
        let desk = desk!(self, config, now_ms);
        self.silences.tick(now_ms);
        self.snoozes.tick(desk);
        self.immediate.tick(desk, sight!(self, now_ms));
        self.groups.tick(desk, around!(self, now_ms));
        self.escalations.tick(means!(self, config, now_ms), desk);
        self.commands.tick(now_ms);
        self.storm.tick(desk, &|episode| things!(self, config).evidence_of(episode));
        let (screen, overrides) = (screen!(self, now_ms), &self.overrides);
        let hiding = Curtain { screen, overrides, alerts: &self.alerts, config };
        self.digests.tick(now_ms, &hiding, &mut self.outbox, &mut self.records);
        let desk = desk!(self, config, now_ms);
        if self.ledger.begins_hour(now_ms) {
            self.alerts.sweep(desk);
            self.episodes.sweep(now_ms);
            self.silences.sweep(now_ms);
            self.inhibitions.sweep(now_ms);
            self.alarms.clear_older(UNOWNED, UNOWNED_MS, desk);
            for rule in self.storm.breaker.sweep(now_ms) {
                self.alarms.clear(&format!("noisy/{rule}"), desk);
            }
        }
    }

    /// Says that Dice itself needs somebody: once for each cause, until it clears.
    pub fn self_alert(&mut self, cause: &str, text: &str, now_ms: i64) {
        let Some(config) = &self.config else { return };
        self.alarms.raise(cause, text, desk!(self, config, now_ms));
    }

    /// The cause of a self-alert is gone.
    pub fn self_clear(&mut self, cause: &str, now_ms: i64) {
        let Some(config) = &self.config else { return };
        self.alarms.clear(cause, desk!(self, config, now_ms));
    }

    /// Appends what has changed since the last call.
    pub fn deltas(&mut self, out: &mut Vec<Delta>) {
        self.alerts.deltas(out);
        self.immediate.deltas(out);
        self.episodes.deltas(out);
        self.groups.deltas(out);
        self.silences.deltas(out);
        self.storm.deltas(out);
        self.alarms.deltas(out);
        self.snoozes.deltas(out);
        self.overrides.deltas(out);
        self.escalations.deltas(out);
        self.commands.deltas(out);
        self.digests.deltas(out);
        self.ledger.deltas(out);
        self.outbox.deltas(out);
        self.records.deltas(out);
    }

    /// Puts in a row as it was written, in any order, before the first configuration.
    pub fn restore(&mut self, table: Table, id: &str, body: &str) -> Result<(), String> {
        match table {
            Table::Alerts => self.alerts.restore(id, body),
            Table::Episodes if id.starts_with(immediate::PREFIX) => self.immediate.restore(id, body),
            Table::Episodes => self.episodes.restore(id, body),
            Table::Groups => self.groups.restore(id, body),
            Table::Silences => self.silences.restore(id, body),
            Table::Storms => self.storm.restore(id, body),
            Table::Snoozes => self.snoozes.restore(id, body),
            Table::Hours => self.snoozes.restore_hours(id, body),
            Table::Overrides => self.overrides.restore(id, body),
            Table::Escalations => self.escalations.restore(id, body),
            Table::Digests | Table::DigestRows | Table::People => self.digests.restore(table, id, body),
            Table::Outbox => self.outbox.restore(id, body),
            Table::Records => self.records.restore(id, body),
            Table::Notes if id.starts_with(commands::PREFIX) => self.commands.restore(id, body),
            Table::Notes if id == groups::NOTE => self.groups.restore(id, body),
            Table::Notes if id == ledger::NOTE => self.ledger.restore(id, body),
            Table::Notes if id.starts_with(alarms::PREFIX) => self.alarms.restore(id, body),
            _ => Err(format!("no part of the manager keeps {id} of {}", table.name())),
        }
    }
}
