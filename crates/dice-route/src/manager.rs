//! From what happens to what is told: groups, hides, holds and escalates.
//!
//! Occurrences, transitions of rules, commands, presence and time go in, one at a time; notices for the
//! outbox and records of what was not told come out. Each part keeps its rows in books; what has changed is
//! asked for after a batch and given back after a restart, in any order.

#[macro_use]
mod desk;

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
mod wording;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dice_catalog::{Level, Owner};

pub use alarms::{Alarm, Alarms, OPERATOR};
pub use alerts::{Alert, Alerts, Attention, deduplication_key};
pub use commands::Commands;
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
use correlation::belonging;
use curtain::Curtain;
use duties::{decide_for, fallback, places_for};
use ledger::Ledger;
use preview::preview;

use crate::book::{Delta, Table};
use crate::config::Rule;
use crate::digest::{Digests, Gathered};
use crate::outbox::Outbox;
use crate::records::Records;
use crate::{
    Act, Answer, Cause, Change, CloseReason, Command, Config, Decision, Destination, EpisodeId, Message,
    Presence, Receipt, Stamped, Transition,
};

/// The cause of the self-alert about critical messages that nobody owns.
const UNOWNED: &str = "unowned/critical";

/// It is said again after this long, if there are more.
const UNOWNED_MS: i64 = 24 * 3_600_000;

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
        self.snoozes.configure(&self.roster);
        self.overrides.configure(&self.roster);
        self.escalations.configure(&self.roster);
        self.alerts.ask_anew();
    }

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
    fn tell_owners(&mut self, slot: usize, level: Option<Level>, config: &Arc<Config>, now_ms: i64) {
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
        self.alerts.settle(slot, decided.owners, decided.reason);
        self.immediate.leave(&id, &owners, &self.roster, desk!(self, config, now_ms));
        for owner in told_now.into_iter().filter(|_| is_running) {
            let desk = desk!(self, config, now_ms);
            self.immediate.open(&id, &owner, &reason, desk, sight!(self, now_ms));
        }
    }

    /// Hands what was counted to those who hear of it later.
    fn hand_over(&mut self, slot: usize, config: &Config, now_ms: i64) {
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
    }

    /// Takes what a rule says.
    pub fn transition(&mut self, transition: &Transition, now_ms: i64) {
        let Some(config) = self.config.clone() else { return };
        match transition.change {
            Change::Open => self.open(transition, &config, now_ms),
            Change::Update => self.update(transition, None, &config, now_ms),
            Change::Close(reason) => self.update(transition, Some(reason), &config, now_ms),
        }
    }

    fn open(&mut self, transition: &Transition, config: &Arc<Config>, now_ms: i64) {
        let id = transition.episode.0.to_string();
        let Some(rule) = self.rules.get(&transition.rule).cloned() else { return };
        if self.episodes.get(&id).is_some() {
            return;
        }
        let evidence = &transition.evidence;
        let messages: Vec<Arc<Message>> =
            evidence.messages.iter().filter_map(|id| self.alerts.message(*id)).cloned().collect();
        let message = messages.first().map(|message| &**message);
        let owners = messages.iter().flat_map(|message| self.overrides.owners(message)).collect();
        let fallback = fallback(message, config);
        let owners = episodes::united(self.roster.distinct(owners), fallback.as_ref());
        let labels = episodes::labels(&rule, &transition.key, evidence, message, &owners, config);
        let title = wording::title(&rule, &transition.key, &labels, evidence, &transition.reason);
        let routes = self.routes.take(&rule.id, &labels);
        let policy = rule.policy.clone().or_else(|| routes.iter().find_map(|route| route.policy.clone()));
        let mut episode = Episode {
            id: id.clone(),
            rule: transition.rule.clone(),
            key: transition.key.clone(),
            n: transition.n,
            severity: rule.severity,
            labels,
            owners: owners.clone(),
            policy,
            destinations: Vec::new(),
            groups: Vec::new(),
            root: None,
            tie: None,
            began_ms: transition.at_ms,
            opened_ms: now_ms,
            closed_ms: None,
            close: None,
            title,
            reason: transition.reason.clone(),
            evidence: evidence.clone(),
            was: message.map(|message| message.was.clone()).unwrap_or_default(),
            url: message.and_then(|message| message.url.as_deref()).map(str::to_owned),
        };
        let desk = desk!(self, config, now_ms);
        for route in routes {
            for place in places_for(&route, &owners, fallback.as_ref(), &self.roster) {
                let is_same = |known: &Destination| self.roster.reaches_same(known, &place.destination);
                if !episode.destinations.iter().any(is_same) {
                    episode.destinations.push(place.destination.clone());
                }
                let row = self.groups.join(&episode, &route, place, &self.roster, desk);
                episode.groups.push(row);
            }
        }
        let nobody = format!("unowned/{}", rule.id);
        if episode.destinations.is_empty() {
            let text = format!("nobody is told of episodes of {}: their messages have no owner", rule.id);
            desk.records.note(now_ms, Cause::Unowned, &id, &rule.id, &text);
            self.alarms.raise(&nobody, &text, desk);
        } else {
            self.alarms.clear(&nobody, desk);
        }
        self.inhibitions.learn(&episode);
        self.episodes.put(episode, desk);
        self.watch_noise(&rule, config, now_ms);
        self.correlate(&id, config, now_ms);
        let Some(episode) = self.episodes.get(&id) else { return };
        for row in episode.groups.clone() {
            self.groups.look_if_due(&row, desk!(self, config, now_ms), around!(self, now_ms));
        }
        self.gained(&id, transition.evidence.count, config, now_ms);
        self.escalations.open(&id, means!(self, config, now_ms), desk!(self, config, now_ms));
    }

    /// Tells snoozes that more of an episode has come.
    fn gained(&mut self, id: &str, count: u64, config: &Config, now_ms: i64) {
        let Some(episode) = self.episodes.get(id) else { return };
        let group = episode.groups.first().and_then(|row| self.groups.get(row));
        let what = episode.subject(group.map(|group| group.name.as_str()));
        self.snoozes.counted(&what, count, desk!(self, config, now_ms));
    }

    fn update(
        &mut self,
        transition: &Transition,
        close: Option<CloseReason>,
        config: &Arc<Config>,
        now_ms: i64,
    ) {
        let known = self.episodes.get(&transition.episode.0).filter(|known| known.is_open());
        let Some(mut episode) = known.cloned() else { return };
        let more = transition.evidence.count.saturating_sub(episode.evidence.count);
        let id = episode.id.clone();
        episode.n = transition.n;
        episode.reason = transition.reason.clone();
        episode.evidence = transition.evidence.clone();
        if let Some(rule) = self.rules.get(&transition.rule) {
            let (key, labels) = (&episode.key, &episode.labels);
            episode.title = wording::title(rule, key, labels, &episode.evidence, &episode.reason);
        }
        if let Some(reason) = close {
            (episode.closed_ms, episode.close) = (Some(now_ms), Some(reason));
            self.inhibitions.learn(&episode);
        }
        self.episodes.put(episode, desk!(self, config, now_ms));
        self.gained(&id, more, config, now_ms);
        let (desk, means) = (desk!(self, config, now_ms), means!(self, config, now_ms));
        match (close, self.episodes.get(&id)) {
            (Some(reason), Some(episode)) => {
                let now = things!(self, config).situation_of(episode);
                self.escalations.close(&id, reason, &now, means, desk);
            }
            _ => self.escalations.update(&id, means, desk),
        }
    }

    /// Tells episodes that belong together in one notice, under the one that probably causes the others.
    fn correlate(&mut self, id: &str, config: &Arc<Config>, now_ms: i64) {
        let Some(new) = self.episodes.get(id) else { return };
        let Some((root, ids)) = belonging(new, &self.episodes, &config.correlation) else { return };
        let Some(root) = self.episodes.get(&root).cloned() else { return };
        for (id, tie) in ids {
            let Some(known) = self.episodes.get(&id) else { continue };
            let mut episode = known.clone();
            (episode.root, episode.tie) = (None, None);
            if id != root.id {
                (episode.root, episode.tie) = (Some(root.id.clone()), Some(tie));
                episode.groups = self.groups.move_to(&root, &episode);
            }
            if episode != *known {
                self.episodes.put(episode, desk!(self, config, now_ms));
            }
        }
    }

    /// Says when a rule fires too often, and which field of its key makes it so.
    fn watch_noise(&mut self, rule: &Rule, config: &Arc<Config>, now_ms: i64) {
        let desk = desk!(self, config, now_ms);
        let cause = format!("noisy/{}", rule.id);
        match self.storm.breaker.opened(&rule.id, desk) {
            Some(true) => {
                let recent = self.episodes.iter().filter(|episode| episode.rule == rule.id);
                let keys: Vec<Vec<String>> = recent.map(|episode| episode.key.values()).collect();
                let widest = (0..rule.key.len())
                    .map(|at| {
                        (keys.iter().filter_map(|values| values.get(at)).collect::<BTreeSet<_>>().len(), at)
                    })
                    .max_by_key(|(n, at)| (*n, std::cmp::Reverse(*at)));
                let advice = match widest {
                    Some((n, at)) if n > 1 => format!(
                        "{} of its key has {n} values: without it they would be fewer",
                        rule.key[at].name()
                    ),
                    _ => "a higher threshold or a longer window would make it fewer".to_owned(),
                };
                let most = config.storm.noisy_rule_per_hour;
                let text =
                    format!("rule {} is noisy: more than {most} episodes within an hour; {advice}", rule.id);
                self.alarms.raise(&cause, &text, desk);
            }
            Some(false) => self.alarms.clear(&cause, desk),
            None => {}
        }
    }

    /// Does what a person wants. The end of a rule's episode is the rules' to say: see
    /// [`Manager::episode_to_resolve`].
    pub fn command(&mut self, command: &Command, now_ms: i64) -> Answer {
        let Some(config) = self.config.clone() else { return refusal("there is no configuration yet") };
        if let Some(answer) = self.commands.answer(command) {
            return answer;
        }
        let answer = self.obey(command, &config, now_ms);
        if !matches!(command.act, Act::Silence { preview: true, .. }) {
            self.commands.keep(command, &answer, now_ms);
        }
        answer
    }

    fn obey(&mut self, command: &Command, config: &Arc<Config>, now_ms: i64) -> Answer {
        if let Act::Resolve { episode } = &command.act {
            return self.resolve(command, episode, config, now_ms);
        }
        let desk = desk!(self, config, now_ms);
        let preview = |matchers: &Matchers, receiver: Option<&str>| {
            preview(
                matchers,
                receiver,
                config,
                (&self.episodes, &self.alerts, &self.immediate, &self.routes),
                now_ms,
            )
        };
        let answer = self.silences.command(command, desk, preview);
        let answer = answer.or_else(|| self.snoozes.command(command, &things!(self, config), desk));
        if let Some(answer) = answer {
            // What nobody is to hear of now is not escalated either.
            self.escalations.look_again(means!(self, config, now_ms), desk);
            return answer;
        }
        let before = self.overrides.owners_before(command, &self.alerts);
        if let Some(answer) = self.overrides.command(command, &self.alerts, desk) {
            self.alerts.ask_anew();
            let message = answer.body["message"].as_str().and_then(|id| id.parse().ok());
            if let Some(message) = message {
                self.pass_on(message, &before, now_ms);
                self.give_over(message, &before, config, now_ms);
            }
            for slot in message.map_or(Vec::new(), |message| self.alerts.slots_of(message)) {
                let Some((alert, message)) = self.alerts.at(slot) else { continue };
                let level = alert.level.or(message.level);
                self.tell_owners(slot, level, config, now_ms);
            }
            return answer;
        }
        if let Some(answer) =
            self.immediate.command(command, desk!(self, config, now_ms), sight!(self, now_ms))
        {
            return answer;
        }
        let desk = desk!(self, config, now_ms);
        let answer = self.escalations.command(command, means!(self, config, now_ms), desk);
        answer.unwrap_or_else(|| refusal("this cannot be done"))
    }

    /// The open episode of a rule that a command ends: the rules have to be told, and say so by a
    /// transition.
    pub fn episode_to_resolve(&self, command: &Command) -> Option<EpisodeId> {
        let Act::Resolve { episode } = &command.act else { return None };
        match self.episodes.called(episode).as_slice() {
            [one] if self.episodes.get(one).is_some_and(Episode::is_open) => Some(EpisodeId((*one).into())),
            _ => None,
        }
    }

    fn resolve(&mut self, command: &Command, named: &str, config: &Arc<Config>, now_ms: i64) -> Answer {
        let desk = desk!(self, config, now_ms);
        if named.starts_with(immediate::PREFIX) {
            let id = match self.immediate.called(named)[..] {
                [one] => one.to_owned(),
                [] => return refusal(&format!("wanted an episode that goes on, found {named}")),
                _ => return refusal(&format!("wanted one episode, found several that begin with {named}")),
            };
            let alert = self.immediate.get(&id).map(|ongoing| ongoing.alert.clone()).unwrap_or_default();
            // Whoever else is told of it is told that it is over, and all of them when it comes again.
            self.immediate.end(&alert, desk, sight!(self, now_ms));
            if let Some(slot) = self.alerts.slot(&alert) {
                self.hand_over(slot, config, now_ms);
                self.alerts.end_run(slot);
            }
            self.records.note(now_ms, Cause::Command, &id, &command.actor, "resolved");
            return done(&id);
        }
        match self.episodes.called(named).as_slice() {
            [] => refusal(&format!("wanted an episode, found nothing called {named}")),
            [one] if self.episodes.get(one).is_some_and(Episode::is_open) => {
                desk.records.note(now_ms, Cause::Command, one, &command.actor, "resolved");
                done(one)
            }
            [one] => refusal(&format!("episode {one} is over already")),
            _ => refusal(&format!("wanted one episode, found several that begin with {named}")),
        }
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
    pub fn receipt(&mut self, receipt: &Receipt, _now_ms: i64) {
        self.outbox.receipt(receipt);
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

/// Whether a line lies longer back than is of interest to anything but counts.
fn is_old(stamped: &Stamped<'_>, config: &Config) -> bool {
    stamped.is_late && stamped.at_ms < stamped.event.ingested_ms.saturating_sub(config.time.max_age_ms)
}

fn done(episode: &str) -> Answer {
    Answer {
        is_done: true,
        text: format!("Episode {episode} is resolved."),
        body: serde_json::json!({ "episode": episode }),
    }
}

/// An answer that says no, and why.
pub(crate) fn refusal(text: &str) -> Answer {
    Answer { is_done: false, text: text.to_owned(), body: serde_json::json!({ "error": text }) }
}
