//! "I am on it", and "not after all", about a message that is told as it happens.

use serde_json::json;

use super::{Acked, Immediate, Ongoing, PREFIX, Sight, tell};
use crate::manager::people::one_of;
use crate::manager::{Desk, episodes, escalations, refusal};
use crate::{Act, Answer, Cause, Command, NoticeKind};

impl Immediate {
    /// Does what a command says; `None` when it is not about the acknowledgement of a message.
    ///
    /// Who is on it is on it wherever the message is told.
    pub fn command(
        &mut self,
        command: &Command,
        desk: &mut Desk<'_>,
        sight: &mut Sight<'_>,
    ) -> Option<Answer> {
        let done = match &command.act {
            Act::Ack { episode } if episode.starts_with(PREFIX) => self.ack(command, episode, desk, sight),
            Act::Unack { episode } if episode.starts_with(PREFIX) => {
                self.unack(command, episode, desk, sight)
            }
            _ => return None,
        };
        Some(done.unwrap_or_else(|text| refusal(&text)))
    }

    /// The row that is meant, and all that tell the same.
    fn meant(&self, named: &str) -> Result<(String, Vec<String>), String> {
        let id = one_of(named, self.called(named).into_iter(), "episode that goes on")?.to_owned();
        let Some(meant) = self.get(&id) else { return Ok((id, Vec::new())) };
        let is_told = |ongoing: &&Ongoing| ongoing.run == meant.run && !ongoing.has_left;
        let same = self.about(&meant.alert).filter(is_told);
        let same = same.map(|ongoing| ongoing.id.clone()).collect();
        Ok((id, same))
    }

    fn ack(
        &mut self,
        command: &Command,
        named: &str,
        desk: &mut Desk<'_>,
        sight: &mut Sight<'_>,
    ) -> Result<Answer, String> {
        let (id, same) = self.meant(named)?;
        let actor = sight.roster.canonical(&command.actor).to_owned();
        let (mut title, mut until_ms) = (String::new(), desk.now_ms);
        for id in same {
            let Some(mut ongoing) = self.get(&id).cloned() else { continue };
            let Some((alert, message)) = sight.alerts.get(&ongoing.alert) else { continue };
            title = episodes::title_of_message(message, &alert.sample);
            let lasts_ms = escalations::ack_timeout_ms(alert.severity(), desk.config);
            until_ms = desk.now_ms.saturating_add(lasts_ms);
            let is_repeated = ongoing.acked.as_ref().is_some_and(|acked| acked.by == actor);
            ongoing.acked = Some(Acked { by: actor.clone(), until_ms });
            ongoing.notes.clear();
            stop_reminding(&ongoing, &format!("ack by {actor}"), desk);
            let is_theirs = sight.roster.is_same(ongoing.destination.name(), &actor);
            let is_told = ongoing.told_ms.is_some() && ongoing.hidden.is_none();
            if is_told && !is_theirs && !is_repeated {
                let kind = NoticeKind::Acknowledged;
                tell(&mut ongoing, kind, Vec::new(), (alert, message), desk, sight.storm);
            }
            self.replace(ongoing);
        }
        let zone = sight.roster.zone_of(&actor);
        let until = format!("{} ({})", zone.local(until_ms).strftime("%a %H:%M"), zone.name());
        let text = format!("{actor} is on it until {until}: {title}. Nobody else is called meanwhile.");
        desk.records.note(desk.now_ms, Cause::Command, &id, &actor, "acknowledged");
        let body = json!({"episode": id, "acked_by": actor, "until_ms": until_ms});
        Ok(Answer { is_done: true, text, body })
    }

    fn unack(
        &mut self,
        command: &Command,
        named: &str,
        desk: &mut Desk<'_>,
        sight: &mut Sight<'_>,
    ) -> Result<Answer, String> {
        let (id, same) = self.meant(named)?;
        let actor = sight.roster.canonical(&command.actor).to_owned();
        let (mut title, mut was_acked_by) = (String::new(), None);
        for id in same {
            let Some(mut ongoing) = self.get(&id).cloned() else { continue };
            let Some((alert, message)) = sight.alerts.get(&ongoing.alert) else { continue };
            title = episodes::title_of_message(message, &alert.sample);
            let Some(Acked { by, .. }) = ongoing.acked.take() else { continue };
            ongoing.notes.push(match by == actor {
                true => format!("{actor} is no longer on it"),
                false => format!("{by} is no longer on it, says {actor}"),
            });
            was_acked_by = Some(by);
            ongoing.repeat_ms = ongoing.told_ms.map(|_| desk.now_ms);
            self.replace(ongoing);
            self.look(&id, desk, sight);
        }
        let Some(by) = was_acked_by else {
            let text = format!("Nobody is on it: {title}.");
            return Ok(Answer { is_done: true, text, body: json!({ "episode": id }) });
        };
        desk.records.note(desk.now_ms, Cause::Command, &id, &actor, "took back an acknowledgement");
        let text = format!("{by} is no longer on it: {title}. It is told again now.");
        Ok(Answer { is_done: true, text, body: json!({"episode": id, "was_acked_by": by}) })
    }
}

/// Holds back reminders that have not been sent.
fn stop_reminding(ongoing: &Ongoing, by: &str, desk: &mut Desk<'_>) {
    let is_meant =
        |intent: &&crate::Intent| intent.subject == ongoing.id && intent.kind == NoticeKind::Reminder;
    let waiting: Vec<String> = desk.outbox.waiting().filter(is_meant).map(|row| row.id.clone()).collect();
    for id in waiting {
        desk.outbox.suppress(&id, Cause::Superseded, by, desk.now_ms, desk.records);
    }
}
