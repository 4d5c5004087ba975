//! From what happens to what is told: groups, hides, holds and escalates.
//!
//! Occurrences, transitions of rules, commands, presence and time go in, one at a time; notices for the
//! outbox and records of what was not told come out. Each part keeps its rows in books; what has changed is
//! asked for after a batch and given back after a restart, in any order.

mod alerts;
mod commands;
mod escalations;
mod on_call;
mod overrides;
mod roster;
mod snoozes;
mod tally;

use std::sync::Arc;

pub use alerts::{Alert, Alerts, Attention, deduplication_key};
pub use commands::Commands;
pub use escalations::Escalations;
pub use on_call::{next_hand_over_ms, on_call};
pub use overrides::{Declined, Override, Overrides, Step};
pub use roster::Roster;
pub use snoozes::{Concern, Kin, Scene, Snooze, Snoozes, Until, Woken};
pub use tally::Tally;

use crate::book::{Delta, Table};
use crate::outbox::Outbox;
use crate::records::Records;
use crate::{Answer, Command, Config, MessageId, Presence, Receipt, Stamped, Transition};

/// What every part of the manager works with while one input is handled.
#[derive(Debug)]
pub struct Desk<'a> {
    /// What the router was told to do.
    pub config: &'a Config,
    /// Where notices go.
    pub outbox: &'a mut Outbox,
    /// Where it is written down that something was not told.
    pub records: &'a mut Records,
    /// The time, milliseconds since 1970.
    pub now_ms: i64,
}

/// What a notice is about, as far as snoozes ask.
#[derive(Debug, Clone, Copy, Default)]
pub struct Subject<'a> {
    /// The message, when it is about one.
    pub message: Option<MessageId>,
    /// Earlier names of that message.
    pub was: &'a [MessageId],
    /// The deduplication key.
    pub alert: Option<&'a str>,
    /// The rule.
    pub rule: Option<&'a str>,
    /// The group.
    pub group: Option<&'a str>,
    /// The episode.
    pub episode: Option<&'a str>,
}

/// What is told, to whom, and when.
#[derive(Debug, Clone, Default)]
pub struct Manager {
    config: Option<Arc<Config>>,
    outbox: Outbox,
    records: Records,
    alerts: Alerts,
    snoozes: Snoozes,
    overrides: Overrides,
    escalations: Escalations,
}

impl Manager {
    /// Takes a configuration, the first or another one. Timers that run go on.
    pub fn configure(&mut self, config: &Arc<Config>, _now_ms: i64) {
        self.alerts.configure(config);
        self.config = Some(config.clone());
    }

    /// Takes one occurrence, in the order of arrival; late ones too. Comes before the rules see the event.
    pub fn occur(&mut self, stamped: &Stamped<'_>, now_ms: i64) {
        let Some(config) = &self.config else { return };
        let mut desk = Desk { config, outbox: &mut self.outbox, records: &mut self.records, now_ms };
        self.alerts.occur(stamped, config.lanes.immediate_quiet_ms, &mut desk);
    }

    /// Takes what a rule says.
    pub fn transition(&mut self, _transition: &Transition, _now_ms: i64) {}

    /// Does what a person wants.
    pub fn command(&mut self, command: &Command, now_ms: i64) -> Answer {
        let Some(config) = &self.config else { return refusal("there is no configuration yet") };
        let mut desk = Desk { config, outbox: &mut self.outbox, records: &mut self.records, now_ms };
        let answer = self.overrides.command(command, &self.alerts, &mut desk);
        let answer = answer.or_else(|| self.escalations.command(command, &mut desk));
        answer.unwrap_or_else(|| refusal("this cannot be done"))
    }

    /// Takes news of a person.
    pub fn presence(&mut self, _presence: &Presence, _now_ms: i64) {}

    /// Takes what became of a delivery.
    pub fn receipt(&mut self, receipt: &Receipt, _now_ms: i64) {
        self.outbox.receipt(receipt);
    }

    /// Does everything that is due.
    pub fn tick(&mut self, now_ms: i64) {
        let Some(config) = &self.config else { return };
        let mut desk = Desk { config, outbox: &mut self.outbox, records: &mut self.records, now_ms };
        self.snoozes.tick(&mut desk);
        self.escalations.tick(&mut desk);
    }

    /// The notices.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// What was not told, and what people did.
    pub fn records(&self) -> &Records {
        &self.records
    }

    /// Appends what has changed since the last call.
    pub fn deltas(&mut self, out: &mut Vec<Delta>) {
        self.alerts.deltas(out);
        self.snoozes.deltas(out);
        self.overrides.deltas(out);
        self.escalations.deltas(out);
        self.outbox.deltas(out);
        self.records.deltas(out);
    }

    /// Puts in a row as it was written, in any order, before or after the configuration.
    pub fn restore(&mut self, table: Table, id: &str, body: &str) -> Result<(), String> {
        match table {
            Table::Alerts => self.alerts.restore(id, body),
            Table::Snoozes => self.snoozes.restore(id, body),
            Table::Overrides => self.overrides.restore(id, body),
            Table::Escalations => self.escalations.restore(id, body),
            Table::Outbox => self.outbox.restore(id, body),
            Table::Records => self.records.restore(id, body),
            _ => Err(format!("no part of the manager keeps rows of {}", table.name())),
        }
    }
}

/// An answer that says no, and why.
pub(crate) fn refusal(text: &str) -> Answer {
    Answer { is_done: false, text: text.to_owned(), body: serde_json::json!({ "error": text }) }
}
