//! What people say to hide something, and to hide it no longer.

use serde_json::json;

use super::snooze::{Measures, REVIEW_MS};
use super::{Concern, MAX_ACTIVE, Scene, Snooze, Snoozes, Until, index_of, scope_name, times};
use crate::manager::people::shown;
use crate::manager::{Desk, Roster, refusal};
use crate::{
    Act, Answer, Audience, Cause, Command, Destination, Intent, MessageId, NoticeRow, Scope, Severity, State,
};

/// What a person wants to hide.
struct Wish<'a> {
    scope: &'a Scope,
    audience: &'a Audience,
    until: &'a str,
    reason: Option<&'a str>,
}

impl Snoozes {
    /// Does what a command says; `None` when it is not about snoozes.
    pub fn command(&mut self, command: &Command, scene: &dyn Scene, desk: &mut Desk<'_>) -> Option<Answer> {
        let done = match &command.act {
            Act::Snooze { scope, audience, until, reason } => {
                let wish = Wish { scope, audience, until, reason: reason.as_deref() };
                self.snooze(command, wish, scene, desk)
            }
            Act::Unsnooze { id } => self.unsnooze(command, id, desk),
            _ => return None,
        };
        Some(done.unwrap_or_else(|text| refusal(&text)))
    }

    fn snooze(
        &mut self,
        command: &Command,
        wish: Wish<'_>,
        scene: &dyn Scene,
        desk: &mut Desk<'_>,
    ) -> Result<Answer, String> {
        let id = crate::name(&[b"snooze", command.id.as_bytes()]).to_string();
        if let Some(known) = self.book.get(&id) {
            return Ok(done(&self.roster, known, "already snoozed", 0, 0));
        }
        let actor = self.roster.canonical(&command.actor).to_owned();
        let audience = match wish.audience {
            Audience::Person(name) if name.is_empty() || name == "me" => Audience::Person(actor.clone()),
            Audience::Person(name) => Audience::Person(self.roster.canonical(name).to_owned()),
            Audience::Channel(name) if name.starts_with('#') => Audience::Channel(name.clone()),
            Audience::Channel(name) => Audience::Channel(format!("#{name}")),
            Audience::Everyone => Audience::Everyone,
        };
        let today = |scope: &Scope| match scope {
            Scope::Message(text) => {
                let id = text.parse::<MessageId>().map(|id| self.hours.current(id).to_string());
                Scope::Message(id.unwrap_or_else(|_| text.clone()))
            }
            other => other.clone(),
        };
        let (scope, concern) = scene.concern(&today(wish.scope))?;
        let scope = today(&scope);
        if let Some(refusal) = self.refuses(&actor, &audience, &concern) {
            return Err(refusal);
        }
        let message = match &scope {
            Scope::Message(id) => id.parse().ok(),
            Scope::Alert(_) => concern.message,
            _ => None,
        };
        let (zone, calendar) = (self.roster.zone_of(&actor), self.roster.calendar_of(&actor));
        let measures = Measures {
            now_ms: desk.now_ms,
            zone: &zone,
            calendar: &calendar,
            busiest: message.map(|id| self.hours.busiest(id, desk.now_ms)),
            releases: self.releases.next(),
        };
        let until = Until::read(wish.until, &measures)?;
        let older = self.same(&scope, &audience, desk.now_ms);
        if older.is_none() && self.n_active >= MAX_ACTIVE {
            return Err(format!("{MAX_ACTIVE} snoozes are active already: undo some first"));
        }
        let (earlier, since_ms) = older.as_ref().map_or((0, desk.now_ms), |old| (old.total(), old.since_ms));
        let review_ms = desk.now_ms.checked_add(REVIEW_MS).filter(|_| until == Until::Forever);
        let name = scope_name(&scope).to_owned();
        let snooze = Snooze {
            id: id.clone(),
            scope,
            audience,
            until,
            actor: actor.clone(),
            created_ms: desk.now_ms,
            reason: wish.reason.map(str::to_owned).filter(|reason| !reason.trim().is_empty()),
            title: Some(concern.title.clone()).filter(|title| !title.is_empty()).unwrap_or(name),
            severity: concern.severity,
            message,
            told: concern.told.iter().filter(|told| !wakes_somebody(told)).cloned().collect(),
            counted: 0,
            earlier,
            since_ms,
            last_ms: None,
            review_ms,
            ended: None,
        };
        if let Some(old) = older {
            // The new one takes its place and its count: nothing wakes, nothing is told twice.
            let why = format!("replaced by {id}");
            self.change(&old.id, |snooze| snooze.ended = Some((desk.now_ms, why)));
        }
        self.add(snooze.clone());
        let text = format!("snoozed {} {}: {}", snooze.for_whom(""), snooze.until.in_words(), snooze.title);
        desk.records.note(desk.now_ms, Cause::Command, scope_name(&snooze.scope), &actor, &text);
        let (held_back, raced) = self.hold_back(&snooze, scene, desk);
        Ok(done(&self.roster, &snooze, "snoozed", held_back, raced))
    }

    /// Takes back a snooze, by its id or the first digits of it.
    fn unsnooze(&mut self, command: &Command, id: &str, desk: &mut Desk<'_>) -> Result<Answer, String> {
        let ids: Vec<&str> = self
            .book
            .iter()
            .map(|snooze| snooze.id.as_str())
            .filter(|known| !id.is_empty() && known.starts_with(id))
            .take(6)
            .collect();
        let id = match ids.as_slice() {
            [] => return Err(format!("there is no snooze `{}`: see `dice snooze list`", shown(id))),
            [one] => (*one).to_owned(),
            several => {
                return Err(format!("`{}` fits several snoozes: {}", shown(id), several.join(", ")));
            }
        };
        let snooze = self.book.get(&id).cloned().ok_or("there is no such snooze")?;
        let actor = self.roster.canonical(&command.actor).to_owned();
        if let Some((_, why)) = &snooze.ended {
            let text = format!("The snooze of {} is over already: {why}.", snooze.title);
            return Ok(Answer { is_done: true, text, body: json!({"snooze": id, "ended": why}) });
        }
        let is_own = self.roster.is_same(&snooze.actor, &actor)
            || matches!(&snooze.audience, Audience::Person(name) if self.roster.is_same(name, &actor))
            || matches!(snooze.audience, Audience::Channel(_) | Audience::Everyone);
        if !is_own && !self.roster.is_admin(&actor) {
            return Err(format!(
                "this snooze is {}: only they or an administrator can take it back",
                snooze.for_whom("")
            ));
        }
        self.end(&snooze, &format!("taken back by {actor}"), desk);
        desk.records.note(
            desk.now_ms,
            Cause::Command,
            scope_name(&snooze.scope),
            &actor,
            "took back a snooze",
        );
        let counted = snooze.total();
        let text = match counted {
            0 => format!("No longer snoozed: {}. Nothing came meanwhile.", snooze.title),
            n => format!("No longer snoozed: {}. {} came meanwhile.", snooze.title, times(n)),
        };
        Ok(Answer { is_done: true, text, body: json!({"snooze": id, "counted": counted}) })
    }

    /// Why a person may not do this.
    fn refuses(&self, actor: &str, audience: &Audience, concern: &Concern) -> Option<String> {
        let is_severe = concern.severity >= Severity::High;
        let may_hide = || self.roster.may_hide(actor, &concern.owners);
        let owners = || {
            let names: Vec<&str> = concern.owners.iter().map(|owner| owner.name.as_str()).collect();
            if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
        };
        match audience {
            Audience::Person(name) if self.roster.is_same(name, actor) || self.roster.is_admin(actor) => None,
            Audience::Person(name) => {
                Some(format!("only {name} or an administrator can snooze something for {name}"))
            }
            Audience::Everyone if !may_hide() => Some(format!(
                "only an owner or an administrator can snooze something for everyone; its owners: {}",
                owners()
            )),
            Audience::Channel(channel) if is_severe && !may_hide() => Some(format!(
                "its severity is {}: only an owner or an administrator can snooze it for {channel}; its \
                 owners: {}",
                concern.severity,
                owners()
            )),
            _ => None,
        }
    }

    /// The active snooze of the same thing for the same people.
    fn same(&self, scope: &Scope, audience: &Audience, now_ms: i64) -> Option<Snooze> {
        let ids = match scope {
            Scope::Message(id) => self.messages.get(&id.parse().ok()?),
            other => self.others[index_of(other)?].get(scope_name(other)),
        };
        let known = ids.into_iter().flatten().filter_map(|id| self.book.get(id));
        known.into_iter().find(|known| known.is_active(now_ms) && known.audience == *audience).cloned()
    }

    /// Holds back what waits in the outbox. Gives how many rows were held back, and how many were too late.
    fn hold_back(&self, snooze: &Snooze, scene: &dyn Scene, desk: &mut Desk<'_>) -> (usize, usize) {
        let concerns = |intent: &Intent, row: Option<&NoticeRow>| {
            let is_episode = |id: &str| {
                let kin = scene.kin(id);
                match &snooze.scope {
                    Scope::Episode(episode) => episode == id,
                    Scope::Rule(rule) => kin.rule.as_deref() == Some(rule),
                    Scope::Group(group) => kin.group.as_deref() == Some(group),
                    _ => false,
                }
            };
            match (&snooze.scope, row) {
                (Scope::Group(group), _) if intent.subject.split('/').next() == Some(group) => true,
                (Scope::Message(message), Some(row)) => {
                    let id = row.message.as_deref().and_then(|id| id.parse().ok());
                    id.is_some_and(|id| self.hours.current(id).to_string() == *message)
                }
                (Scope::Alert(alert), Some(row)) => row.alert.as_ref() == Some(alert),
                (_, Some(row)) => row.episode.as_deref().is_some_and(is_episode),
                (_, None) => is_episode(&intent.subject),
            }
        };
        let is_hidden = |intent: &Intent| -> Vec<bool> {
            match intent.notice.rows.as_slice() {
                [] => vec![concerns(intent, None)],
                rows => rows.iter().map(|row| concerns(intent, Some(row))).collect(),
            }
        };
        let is_subject =
            |intent: &&Intent| intent.subject != snooze.id && self.is_for(snooze, &intent.destination);
        // What has been told of a notice is not hidden by anything any more.
        let rows: Vec<(String, State, usize, Vec<bool>)> = desk
            .outbox
            .iter()
            .filter(is_subject)
            .map(|intent| (intent.id.clone(), intent.state, intent.rows_told(), is_hidden(intent)))
            .filter(|(_, _, told, hidden)| hidden.iter().skip(*told).any(|is_hidden| *is_hidden))
            .collect();
        let (mut held_back, mut raced) = (0, 0);
        for (id, state, told, hidden) in rows {
            match state {
                State::Pending | State::Held | State::Retry => {
                    held_back += 1;
                    desk.outbox.withdraw(&id, &hidden, Cause::Snoozed, &snooze.id, desk.now_ms, desk.records);
                }
                State::Sending | State::Ambiguous => {
                    raced += 1;
                    if hidden.iter().skip(told).all(|is_hidden| *is_hidden) {
                        desk.outbox.hide(&id, &snooze.id);
                    }
                    let text = "raced: a notice was on its way when it was snoozed";
                    desk.records.note(desk.now_ms, Cause::Snoozed, &id, &snooze.id, text);
                }
                State::Sent | State::Suppressed | State::Dead => {}
            }
        }
        (held_back, raced)
    }
}

/// What a snooze hid is no reason to wake anybody.
fn wakes_somebody(destination: &Destination) -> bool {
    matches!(destination, Destination::Receiver(_))
}

fn done(roster: &Roster, snooze: &Snooze, verb: &str, held_back: usize, raced: usize) -> Answer {
    let reader = roster.canonical(&snooze.actor);
    let mut text =
        format!("{} {verb} {} {}.", snooze.title, snooze.for_whom(reader), snooze.until.in_words());
    if held_back > 0 {
        text.push_str(&format!(" Held back: {}.", notices(held_back)));
    }
    if raced > 0 {
        text.push_str(&format!(" On their way already: {}.", notices(raced)));
    }
    let body = json!({
        "snooze": snooze.id, "scope": snooze.scope, "audience": snooze.audience, "until": snooze.until,
        "until_words": snooze.until.in_words(), "actor": snooze.actor, "suppressed": held_back,
        "raced": raced, "ended": snooze.ended.as_ref().map(|(_, why)| why),
    });
    Answer { is_done: true, text, body }
}

fn notices(n: usize) -> String {
    if n == 1 { "1 notice".to_owned() } else { format!("{n} notices") }
}
