//! What is done about an occurrence: who is told of its message at once, and what is read in a digest.

use std::sync::Arc;

use dice_catalog::{Level, Owner};

use super::alerts::{Alerts, Attention, deduplication_key};
use super::duties::decide_for;
use super::{Manager, Subject, episodes};
use crate::digest::Gathered;
use crate::{Cause, Config, Decision, Destination, Stamped};

/// The cause of the self-alert about critical messages that nobody owns.
pub(super) const UNOWNED: &str = "unowned/critical";

/// It is said again after this long, if there are more.
pub(super) const UNOWNED_MS: i64 = 24 * 3_600_000;

impl Manager {
    /// Takes one occurrence, in the order of arrival; late ones too. Comes before the rules see the event.
    #[inline]
    pub fn occur(&mut self, stamped: &Stamped<'_>, now_ms: i64) {
        let Some(config) = &self.config else { return };
        if is_old(stamped, config) {
            return self.occur_old(stamped, now_ms);
        }
        self.snoozes.occur(stamped, desk!(self, config, now_ms));
        let quiet_ms = config.lanes.immediate_quiet_ms;
        let attention = self.alerts.occur(stamped, quiet_ms, desk!(self, config, now_ms));
        if attention != Attention::None {
            self.attend(attention, stamped, now_ms);
        }
    }

    /// Takes one that lies too long back to be news: nobody is told at once, and no snooze is over.
    #[cold]
    fn occur_old(&mut self, stamped: &Stamped<'_>, now_ms: i64) {
        let Some(config) = self.config.clone() else { return };
        let config = &config;
        let attention = self.alerts.occur_old(stamped, desk!(self, config, now_ms));
        if let Attention::Owners { slot, is_new } = attention {
            self.meet(slot, is_new, stamped, config, now_ms);
        }
    }

    #[cold]
    fn attend(&mut self, mut attention: Attention, stamped: &Stamped<'_>, now_ms: i64) {
        let Some(config) = self.config.clone() else { return };
        let config = &config;
        if let Attention::RunOver(slot) = attention {
            let id = self.alerts.at(slot).map(|(alert, _)| alert.id.clone()).unwrap_or_default();
            self.immediate.end(&id, desk!(self, config, now_ms), sight!(self, now_ms));
            self.hand_over(slot, config, now_ms);
            self.alerts.end_run(slot);
            let quiet_ms = config.lanes.immediate_quiet_ms;
            attention = self.alerts.occur(stamped, quiet_ms, desk!(self, config, now_ms));
        }
        let Attention::Owners { slot, is_new } = attention else { return };
        if is_new {
            self.storm.breaker.new_message(desk!(self, config, now_ms));
        }
        self.meet(slot, is_new, stamped, config, now_ms);
    }

    /// Sees to a deduplication key whose owners are not known, or may be others now.
    fn meet(&mut self, slot: usize, is_new: bool, stamped: &Stamped<'_>, config: &Arc<Config>, now_ms: i64) {
        let Some((alert, message)) = self.alerts.at(slot) else { return };
        let id = alert.id.clone();
        self.overrides.follow(message, desk!(self, config, now_ms));
        if is_new {
            for was in &message.was {
                let was = deduplication_key(*was, alert.level, alert.env.as_deref(), &alert.fields);
                self.snoozes.follow_alert(&was, &id);
            }
        }
        self.tell_owners(slot, stamped.event.level, config, now_ms);
    }

    /// Asks who owns a message now, and tells those who hear of it at once.
    pub(super) fn tell_owners(
        &mut self,
        slot: usize,
        level: Option<Level>,
        config: &Arc<Config>,
        now_ms: i64,
    ) {
        let Some((alert, message)) = self.alerts.at(slot) else { return };
        let (id, is_running) = (alert.id.clone(), alert.is_running);
        let decided = decide_for(message, level, self.overrides.owners(message), config);
        let owners: Vec<Owner> = decided.owners.iter().map(|each| each.owner.clone()).collect();
        let told_now: Vec<Owner> = decided
            .owners
            .iter()
            .filter(|each| each.decision >= Decision::Now)
            .map(|each| each.owner.clone())
            .collect();
        // Once for each run, however often it is asked who owns it.
        let is_first = is_running && alert.running_count() == 1;
        if is_first && owners.is_empty() && level >= Some(Level::Warning) {
            let title = episodes::title_of_message(message, &alert.sample);
            let desk = desk!(self, config, now_ms);
            let text = format!("nobody is told of a message without an owner: {title}");
            desk.records.note(now_ms, Cause::Unowned, &alert.message.to_string(), "catalog", &text);
            if level == Some(Level::Critical) {
                self.alarms.raise(UNOWNED, &text, desk);
            }
        }
        let reason = decided.reason.clone();
        let (named, before) = (alert.message, alert.owners.iter().map(|each| each.owner.clone()));
        let before: Vec<Owner> = before.collect();
        self.alerts.settle(slot, decided.owners, decided.reason);
        // The code or the configuration names others since it came last.
        if !before.is_empty() {
            self.give_over(named, &before, config, now_ms);
        }
        self.immediate.leave(&id, &owners, &self.roster, desk!(self, config, now_ms));
        for owner in told_now.into_iter().filter(|_| is_running) {
            let desk = desk!(self, config, now_ms);
            self.immediate.open(&id, &owner, &reason, desk, sight!(self, now_ms));
        }
    }

    /// Hands what was counted to those who hear of it later.
    pub(super) fn hand_over(&mut self, slot: usize, config: &Config, now_ms: i64) {
        let (tally, old) = (self.alerts.hand_over(slot), self.alerts.hand_over_old(slot));
        let Some((alert, message)) = self.alerts.at(slot) else { return };
        let what = Subject { alert: Some(&alert.id), ..Subject::default() };
        self.snoozes.counted(&what, tally.count, desk!(self, config, now_ms));
        let decision = Alerts::decision(alert);
        self.ledger.count(decision, tally.count);
        if !old.is_empty() {
            self.ledger.count(decision.min(Decision::Digest), old.count);
            let text = match decision {
                Decision::None => "too old to be anything but counted",
                _ => "too old to be told at once: counted, and told in a digest",
            };
            let (message, records) = (alert.message.to_string(), &mut self.records);
            records.note_many(now_ms, Cause::TooOld, &message, "max_age", text, old.count);
        }
        for each in alert.owners.iter().filter(|each| each.decision != Decision::None) {
            // Who is told at once reads in a digest what was no news any more.
            let tallies = [Some(&tally).filter(|_| each.decision == Decision::Digest), Some(&old)];
            for tally in tallies.into_iter().flatten().filter(|tally| !tally.is_empty()) {
                let gathered = Gathered {
                    alert: &alert.id,
                    severity: alert.severity(),
                    level: alert.level,
                    because: &alert.reason,
                    message,
                    env: alert.env.as_ref(),
                    tally,
                    sample: &alert.sample,
                };
                self.digests.gather(&Destination::named(&each.owner.name), &gathered, now_ms);
            }
        }
        self.alerts.take_back(slot, tally);
    }
}

/// Whether a line lies longer back than is of interest to anything but counts.
fn is_old(stamped: &Stamped<'_>, config: &Config) -> bool {
    stamped.is_late && stamped.at_ms < stamped.event.ingested_ms.saturating_sub(config.time.max_age_ms)
}
