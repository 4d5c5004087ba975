//! What is done about what a person wants.

use std::sync::Arc;

use super::preview::preview;
use super::{Episode, Manager, Matchers, immediate};
use crate::{Act, Answer, Cause, Command, Config, EpisodeId, Word};

impl Manager {
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
                (&self.episodes, &self.alerts, &self.immediate, &self.routes, &self.roster),
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

    /// Takes what whoever told of an episode says of it. An episode of a rule that is over is given back: the
    /// rules have to be told, and say so by a transition.
    pub fn word(&mut self, word: &Word, now_ms: i64) -> Option<EpisodeId> {
        let config = self.config.clone()?;
        let config = &config;
        let (id, text) = (&word.episode, "over, as whoever told of it says");
        if !id.starts_with(immediate::PREFIX) {
            let is_meant = word.is_over && self.episodes.get(id).is_some_and(Episode::is_open);
            if !is_meant {
                return None;
            }
            self.records.note(now_ms, Cause::Ended, id, "alerts", text);
            return Some(EpisodeId(id.as_str().into()));
        }
        let alert = self.immediate.get(id)?.alert.clone();
        if word.is_over {
            self.immediate.finish(&alert, desk!(self, config, now_ms), sight!(self, now_ms));
            self.end_run(&alert, config, now_ms);
            self.records.note(now_ms, Cause::Ended, id, "alerts", text);
        } else if let Some(slot) = self.alerts.slot(&alert) {
            self.alerts.go_on(slot, now_ms);
        }
        None
    }

    /// What was counted of a run is handed over, and the next occurrence begins another.
    fn end_run(&mut self, alert: &str, config: &Arc<Config>, now_ms: i64) {
        if let Some(slot) = self.alerts.slot(alert) {
            self.hand_over(slot, config, now_ms);
            self.alerts.end_run(slot);
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
            self.end_run(&alert, config, now_ms);
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
