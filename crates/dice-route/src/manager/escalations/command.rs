//! "I am on it", and "not after all".

use serde_json::json;

use super::reach::{Word, tell};
use super::{Escalation, Escalations, Means, Situation, Standing, defaults};
use crate::manager::people::shown;
use crate::manager::{Desk, refusal};
use crate::{Act, Answer, Cause, Command, NoticeKind};

impl Escalations {
    /// Does what a command says; `None` when it is not about escalations.
    pub fn command(
        &mut self,
        command: &Command,
        means: &mut Means<'_>,
        desk: &mut Desk<'_>,
    ) -> Option<Answer> {
        let done = match &command.act {
            Act::Ack { episode } => self.ack(command, episode, means, desk),
            Act::Unack { episode } => self.unack(command, episode, means, desk),
            Act::ApplyPolicies => Ok(self.apply(command, means, desk)),
            _ => return None,
        };
        Some(done.unwrap_or_else(|text| refusal(&text)))
    }

    fn ack(
        &mut self,
        command: &Command,
        episode: &str,
        means: &mut Means<'_>,
        desk: &mut Desk<'_>,
    ) -> Result<Answer, String> {
        let (episode, now) = self.find(episode, means)?;
        let actor = self.roster.canonical(&command.actor).to_owned();
        let now_ms = desk.now_ms;
        let mut until_ms = now_ms;
        for id in self.rows_of(&episode) {
            let Some(row) = self.book.get(&id).filter(|row| row.is_open() && !row.is_superseded) else {
                continue;
            };
            let is_repeated = matches!(&row.state, Standing::Acked { by, .. } if *by == actor);
            until_ms = now_ms.saturating_add(row.policy.ack_timeout_ms.max(60_000));
            let state = Standing::Acked { by: actor.clone(), until_ms };
            if !is_repeated {
                self.stop_waiting(&row.clone(), &format!("ack by {actor}"), desk);
            }
            self.change(&id, |row| {
                row.state = state;
                row.notes.clear();
            });
            if is_repeated {
                continue;
            }
            let Some(mut row) = self.book.get(&id).cloned() else { continue };
            let word = Word {
                kind: NoticeKind::Acknowledged,
                title: format!("{actor} is on it: {}", now.title),
                because: format!("you were told by {}", row.name),
                notes: Vec::new(),
                is_opening: false,
            };
            let is_other = |name: &str| !self.roster.is_same(name, &actor);
            let told: Vec<_> = row
                .told
                .iter()
                .map(|(destination, _)| destination.clone())
                .filter(|destination| is_other(destination.name()))
                .collect();
            let roster = self.roster.clone();
            tell(&mut row, &word, &told, &now, means, &roster, desk);
            self.change(&id, |known| *known = row);
        }
        let zone = self.roster.zone_of(&actor);
        let until = format!("{} ({})", zone.local(until_ms).strftime("%a %H:%M"), zone.name());
        let text = format!("{actor} is on it until {until}: {}. Nobody else is called meanwhile.", now.title);
        desk.records.note(now_ms, Cause::Command, &episode, &actor, "acknowledged");
        let body = json!({"episode": episode, "acked_by": actor, "until_ms": until_ms});
        Ok(Answer { is_done: true, text, body })
    }

    fn unack(
        &mut self,
        command: &Command,
        episode: &str,
        means: &mut Means<'_>,
        desk: &mut Desk<'_>,
    ) -> Result<Answer, String> {
        let (episode, now) = self.find(episode, means)?;
        let actor = self.roster.canonical(&command.actor).to_owned();
        let now_ms = desk.now_ms;
        let mut was_acked_by = None;
        for id in self.rows_of(&episode) {
            let Some(Escalation { state: Standing::Acked { by, .. }, .. }) = self.book.get(&id) else {
                continue;
            };
            let by = by.clone();
            let note = match by == actor {
                true => format!("{actor} is no longer on it"),
                false => format!("{by} is no longer on it, says {actor}"),
            };
            was_acked_by = Some(by);
            self.change(&id, |row| row.resume(note, now_ms));
            self.act(&id, means, desk);
        }
        let Some(by) = was_acked_by else {
            let text = format!("Nobody is on it: {}.", now.title);
            return Ok(Answer { is_done: true, text, body: json!({ "episode": episode }) });
        };
        desk.records.note(now_ms, Cause::Command, &episode, &actor, "took back an acknowledgement");
        let text = format!("{by} is no longer on it: {}. The next step is taken now.", now.title);
        Ok(Answer { is_done: true, text, body: json!({"episode": episode, "was_acked_by": by}) })
    }

    /// Open episodes follow today's policies: steps already taken stay taken.
    fn apply(&mut self, command: &Command, means: &mut Means<'_>, desk: &mut Desk<'_>) -> Answer {
        let mut changed = 0;
        let open: Vec<String> = self
            .book
            .iter()
            .filter(|row| row.is_open() && !row.is_superseded)
            .map(|row| row.id.clone())
            .collect();
        for id in open {
            let Some(row) = self.book.get(&id) else { continue };
            let policy = match row.is_default {
                true => Some(defaults::policy(row.severity, desk.config)),
                false => defaults::called(&row.name, desk.config),
            };
            let Some(policy) = policy.filter(|policy| *policy != row.policy) else { continue };
            changed += 1;
            let now_ms = desk.now_ms;
            self.change(&id, |row| {
                row.policy = policy;
                row.due_ms = row
                    .policy
                    .steps
                    .get(row.step)
                    .map(|next| row.stepped_ms.saturating_add(next.after_ms.max(0)).max(now_ms));
                row.state = match (&row.state, row.due_ms, row.remind_ms) {
                    (Standing::Done { .. }, Some(_), _) => Standing::Running,
                    (Standing::Running, None, None) => {
                        Standing::Done { why: "all steps were taken".to_owned() }
                    }
                    (state, ..) => state.clone(),
                };
            });
            self.act_if_due(&id, means, desk);
        }
        let actor = self.roster.canonical(&command.actor).to_owned();
        let text = match changed {
            0 => "Open episodes follow today's policies already.".to_owned(),
            1 => "1 open episode follows today's policy now.".to_owned(),
            n => format!("{n} open episodes follow today's policies now."),
        };
        desk.records.note(desk.now_ms, Cause::Command, "escalations", &actor, &text);
        Answer { is_done: true, text, body: json!({ "changed": changed }) }
    }

    /// The episode that goes on and is meant by its name or the first digits of it.
    fn find(&self, text: &str, means: &Means<'_>) -> Result<(String, Situation), String> {
        let shown = shown(text);
        if text.is_empty() {
            return Err("wanted an episode's name, or the first digits of it".to_owned());
        }
        let known = self.episodes.range(text.to_owned()..).map(|(episode, _)| episode);
        let fits: Vec<&String> = known.take_while(|episode| episode.starts_with(text)).take(64).collect();
        let open: Vec<(&String, Situation)> =
            fits.iter().filter_map(|episode| Some((*episode, means.watch.situation(episode)?))).collect();
        match (open.as_slice(), fits.as_slice()) {
            ([(episode, now)], _) => Ok(((*episode).clone(), now.clone())),
            ([], []) => Err(format!("there is no episode `{shown}`: `dice episodes` lists them")),
            ([], [one]) => Err(format!("episode {one} has ended")),
            ([], several) => Err(format!("`{shown}` fits {} episodes that have ended", several.len())),
            (several, _) => {
                let names: Vec<String> = several
                    .iter()
                    .take(6)
                    .map(|(episode, now)| format!("{episode} ({})", now.title))
                    .collect();
                Err(format!("`{shown}` fits {} open episodes: {}", several.len(), names.join(", ")))
            }
        }
    }
}
