//! What is done about what a rule says: an episode begins, goes on, ends.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::correlation::belonging;
use super::duties::{fallback, places_for};
use super::{Episode, Manager, episodes, wording};
use crate::config::Rule;
use crate::{Cause, Change, CloseReason, Config, Destination, Message, Transition};

impl Manager {
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
}
