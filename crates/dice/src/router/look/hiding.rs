//! What is hidden: snoozes, mutes and silences, and what they hid so far.

use std::io::{self, Write};

use dice_route::manager::{SilenceState, Snooze, Until, written};
use dice_route::{Audience, Cause, Scope};
use serde::Serialize;

use super::{Look, Time, brief, word};
use crate::screen::{FAINT, OWNER, STRONG, count, plain, short, styled};

/// A snooze or a mute that hides something.
#[derive(Debug, Serialize)]
pub(crate) struct Snoozed {
    id: String,
    /// `message`, `alert`, `rule`, `group` or `episode`.
    scope: &'static str,
    subject: String,
    title: String,
    /// `everyone`, or a person or channel.
    #[serde(rename = "for")]
    whom: String,
    /// In words: `until Mon 2026-11-23 09:00 (UTC)`.
    until: String,
    until_time: Option<Time>,
    by: String,
    reason: Option<String>,
    since: Time,
    /// Occurrences that it hid so far.
    hidden: u64,
    last: Option<Time>,
}

impl Snoozed {
    /// Every snooze that hides something now, in the order of their beginning.
    pub(crate) fn all(look: &Look) -> Vec<Snoozed> {
        let active = look.router.manager().snoozes().list().filter(|each| each.is_active(look.now_ms));
        let mut all: Vec<Snoozed> = active.map(Snoozed::of).collect();
        all.sort_by(|a, b| (a.since, &a.id).cmp(&(b.since, &b.id)));
        all
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// What sort of thing is hidden, and its name.
    pub(super) fn scope(&self) -> (&'static str, &str) {
        (self.scope, &self.subject)
    }

    fn of(snooze: &Snooze) -> Snoozed {
        let (scope, subject) = match &snooze.scope {
            Scope::Message(id) => ("message", id),
            Scope::Alert(id) => ("alert", id),
            Scope::Rule(id) => ("rule", id),
            Scope::Group(id) => ("group", id),
            Scope::Episode(id) => ("episode", id),
        };
        let whom = match &snooze.audience {
            Audience::Person(name) | Audience::Channel(name) => name.as_str(),
            Audience::Everyone => "everyone",
        };
        let until_time = match snooze.until {
            Until::Time { at_ms, .. } => Some(Time(at_ms)),
            _ => None,
        };
        Snoozed {
            id: snooze.id.clone(),
            scope,
            subject: subject.clone(),
            title: snooze.title.clone(),
            whom: whom.to_owned(),
            until: snooze.until.in_words(),
            until_time,
            by: snooze.actor.clone(),
            reason: snooze.reason.clone(),
            since: Time(snooze.created_ms),
            hidden: snooze.total(),
            last: snooze.last_ms.map(Time),
        }
    }

    pub(crate) fn show(&self, out: &mut impl Write, look: &Look) -> io::Result<()> {
        let id = styled(STRONG, brief(&self.id));
        // The title of a rule is its name.
        let title = if self.scope == "rule" { String::new() } else { format!("  {}", short(&self.title)) };
        writeln!(out, "{id}  {} {}{title}", self.scope, plain(brief(&self.subject)))?;
        let mut about = vec![
            format!("for {}, {}", plain(&self.whom), plain(&self.until)),
            format!("by {} at {}", plain(&self.by), look.moment(self.since)),
            format!("hid {}", count(self.hidden, "occurrence", "occurrences")),
        ];
        about.extend(self.last.map(|last| format!("the last at {}", last.clock())));
        about.extend(self.reason.as_deref().map(short));
        writeln!(out, "          {}", styled(FAINT, &about.join(" · ")))?;
        writeln!(out, "          {}", styled(FAINT, &format!("undo: dice snooze --undo {}", self.id)))
    }
}

/// A silence: its latest version.
#[derive(Debug, Serialize)]
pub(crate) struct Silenced {
    id: String,
    version: u32,
    /// `pending`, `active` or `expired`.
    state: &'static str,
    matchers: Vec<String>,
    starts: Time,
    ends: Time,
    by: String,
    comment: String,
    receiver: Option<String>,
    tells_at_end: bool,
    /// How often something was not told because of it.
    hidden: u64,
    /// What is open and hidden by it now.
    hides: Vec<String>,
}

impl Silenced {
    /// Every silence that is pending or active, in the order of their end; with `is_all` those that are over
    /// too.
    pub(crate) fn all(look: &Look, is_all: bool) -> Vec<Silenced> {
        let manager = look.router.manager();
        let hidden = open_and_hidden(look);
        let mut all = Vec::new();
        for silence in manager.silences().iter().filter(|silence| !silence.is_replaced) {
            let state = silence.state(look.now_ms);
            if state == SilenceState::Expired && !is_all {
                continue;
            }
            let records = manager.records().iter();
            let of = records.filter(|row| row.cause == Cause::Silenced && row.by == silence.name);
            let hides = hidden.iter().filter(|(by, _)| *by == silence.name).map(|(_, title)| title.clone());
            all.push(Silenced {
                id: silence.name.clone(),
                version: silence.version,
                state: state.as_str(),
                matchers: silence.matchers.iter().map(written).collect(),
                starts: Time(silence.starts_ms),
                ends: Time(silence.ends_ms),
                by: silence.created_by.clone(),
                comment: silence.comment.clone(),
                receiver: silence.receiver.clone(),
                tells_at_end: silence.notify_on_expiry,
                hidden: of.map(|row| row.count).sum(),
                hides: hides.collect(),
            });
        }
        all.sort_by(|a, b| (a.ends, &a.id).cmp(&(b.ends, &b.id)));
        all
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn show(&self, out: &mut impl Write, look: &Look) -> io::Result<()> {
        let matchers = self.matchers.join(" ");
        writeln!(out, "{}  {}  {}", styled(STRONG, &plain(&self.id)), self.state, short(&matchers))?;
        let begins = if self.state == "pending" {
            format!("from {}", look.moment(self.starts))
        } else {
            format!("since {}", look.moment(self.starts))
        };
        let mut about = vec![
            format!("{begins} until {}", look.moment(self.ends)),
            format!("by {}", plain(&self.by)),
            format!("held back {}", count(self.hidden, "time", "times")),
        ];
        about.extend(self.receiver.as_deref().map(|only| format!("only for {}", plain(only))));
        about.extend((!self.tells_at_end).then(|| "its end is not told".to_owned()));
        about.extend(Some(short(&self.comment)).filter(|comment| !comment.is_empty()));
        writeln!(out, "              {}", styled(FAINT, &about.join(" · ")))?;
        for title in self.hides.iter().take(5) {
            writeln!(out, "              hides {}", short(title))?;
        }
        if self.hides.len() > 5 {
            writeln!(out, "              and {} more", self.hides.len() - 5)?;
        }
        if self.state != "expired" {
            let undo = format!("undo: dice silence --end {}", plain(&self.id));
            writeln!(out, "              {}", styled(FAINT, &undo))?;
        }
        Ok(())
    }
}

/// What is open and silenced: the silence, and the title.
fn open_and_hidden(look: &Look) -> Vec<(String, String)> {
    let manager = look.router.manager();
    let mut hidden = Vec::new();
    for episode in manager.episodes().open() {
        for destination in &episode.destinations {
            if let Some((Cause::Silenced, by)) = manager.hides_episode(&episode.id, destination, look.now_ms)
            {
                hidden.push((by, episode.title.clone()));
                break;
            }
        }
    }
    for ongoing in manager.immediate().iter() {
        if let Some((Cause::Silenced, by)) =
            manager.hides_alert(&ongoing.alert, &ongoing.destination, look.now_ms)
        {
            let title = manager.alerts().get(&ongoing.alert).map(|(_, message)| message.template.to_string());
            hidden.push((by, title.unwrap_or_default()));
        }
    }
    hidden
}

/// What hides something from somebody.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Veil {
    /// From whom.
    pub(super) destination: String,
    /// `snoozed`, `silenced`, `inhibited`.
    pub(super) cause: &'static str,
    /// The snooze, the silence, or the episode.
    pub(super) by: String,
    /// Who did it, where it was a person.
    pub(super) actor: Option<String>,
    /// Until when, or while what, in words.
    pub(super) until: String,
    /// How it is taken back.
    pub(super) undo: Option<String>,
}

impl Veil {
    pub(super) fn of(look: &Look, destination: &str, (cause, by): (Cause, String)) -> Veil {
        let manager = look.router.manager();
        let (actor, until, undo) = match cause {
            Cause::Snoozed => {
                let snooze = manager.snoozes().list().find(|snooze| snooze.id == by);
                let until = snooze.map(|snooze| snooze.until.in_words());
                let undo = format!("dice snooze --undo {by}");
                (snooze.map(|snooze| snooze.actor.clone()), until, Some(undo))
            }
            Cause::Silenced => {
                let silence = manager.silences().get(&by);
                let until = silence.map(|silence| format!("until {}", look.moment(Time(silence.ends_ms))));
                let undo = format!("dice silence --end {by}");
                (silence.map(|silence| silence.created_by.clone()), until, Some(undo))
            }
            _ => {
                let title =
                    manager.episodes().get(&by).map(|episode| format!("while open: {}", episode.title));
                (None, title, None)
            }
        };
        Veil {
            destination: destination.to_owned(),
            cause: word(cause),
            by,
            actor,
            until: until.unwrap_or_default(),
            undo,
        }
    }

    /// In a line for a person.
    pub(super) fn text(&self) -> String {
        let to = styled(OWNER, &plain(&self.destination));
        let mut text = format!("{to}  {} {}", self.cause, plain(brief(&self.by)));
        if let Some(actor) = &self.actor {
            text.push_str(&format!(" by {}", plain(actor)));
        }
        if !self.until.is_empty() {
            text.push_str(&format!(" {}", short(&self.until)));
        }
        if let Some(undo) = &self.undo {
            text.push_str(&format!("  {}", styled(FAINT, &format!("undo: {}", plain(undo)))));
        }
        text
    }
}
