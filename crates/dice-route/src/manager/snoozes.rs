//! Snoozes and mutes: what people do not want to hear of, until something.
//!
//! What is hidden is counted, and said when it wakes. A snooze is for a message and not for its name: it goes
//! along when the text changes, or when a line that nobody knew gets a statement.

mod command;
mod hours;
mod past;
mod releases;
mod snooze;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dice_catalog::Owner;
use rustc_hash::FxHashMap;

use self::hours::{Hours, Seen};
use self::releases::Releases;
use self::snooze::REVIEW_MS;
pub use self::snooze::{Snooze, Until};
use super::{Desk, Roster, Subject, wording};
use crate::book::{Book, Delta};
use crate::outbox::Draft;
use crate::{
    Audience, Cause, Destination, Evidence, Lane, MessageId, Notice, NoticeKind, NoticeRow, Scope, Severity,
    Stamped,
};

/// Snoozes that hide at the same time; more are refused.
const MAX_ACTIVE: usize = 10_000;

/// Snoozes that are kept, with those that ended; past it the oldest that ended go.
const MAX_KEPT: usize = 20_000;

/// What the manager knows about what a person wants to hide.
#[derive(Debug, Clone, Default)]
pub struct Concern {
    /// In words.
    pub title: String,
    /// How much it matters.
    pub severity: Severity,
    /// The message, where the scope is one, or a deduplication key of one.
    pub message: Option<MessageId>,
    /// Who answers for it.
    pub owners: Vec<Owner>,
    /// Who is told about it.
    pub told: Vec<Destination>,
}

/// Where an episode belongs.
#[derive(Debug, Clone, Default)]
pub struct Kin {
    /// The rule's id.
    pub rule: Option<String>,
    /// The group's id.
    pub group: Option<String>,
}

/// What the manager knows of the things that people hide.
pub trait Scene {
    /// What is known of a scope, with the whole name of what a person named by its first digits; a reason in
    /// words when there is no such thing.
    fn concern(&self, scope: &Scope) -> Result<(Scope, Concern), String>;

    /// Where an episode belongs.
    fn kin(&self, episode: &str) -> Kin;
}

/// Snoozes and mutes, and what they are measured by.
#[derive(Debug, Clone, Default)]
pub struct Snoozes {
    book: Book<Snooze>,
    /// The ids of active ones, by what they hide.
    messages: FxHashMap<MessageId, Vec<String>>,
    others: [BTreeMap<String, Vec<String>>; 4],
    /// Those of deduplication keys that wait for a rate or a release of their message.
    watched: FxHashMap<MessageId, BTreeSet<String>>,
    n_active: usize,
    /// When something has to be done about which.
    due: BTreeSet<(i64, String)>,
    hours: Hours,
    releases: Releases,
    roster: Arc<Roster>,
}

impl Snoozes {
    /// Takes another roster.
    pub fn configure(&mut self, roster: &Arc<Roster>) {
        self.roster = roster.clone();
    }

    /// The snooze that hides `what` from `destination`; the first by id where several do.
    pub fn hides(&self, what: &Subject<'_>, destination: &Destination, now_ms: i64) -> Option<String> {
        self.find(what, now_ms, |snooze| self.is_for(snooze, destination)).map(str::to_owned)
    }

    /// The snooze that hides `what` from everybody.
    pub fn hides_from_all(&self, what: &Subject<'_>, now_ms: i64) -> Option<&str> {
        self.find(what, now_ms, |snooze| snooze.audience == Audience::Everyone)
    }

    fn find(&self, what: &Subject<'_>, now_ms: i64, is_for: impl Fn(&Snooze) -> bool) -> Option<&str> {
        if self.n_active == 0 {
            return None;
        }
        let ids = self.concerning(what).filter_map(|id| self.book.get(id));
        ids.filter(|snooze| snooze.is_active(now_ms) && is_for(snooze)).map(|snooze| snooze.id.as_str()).min()
    }

    fn concerning<'s>(&'s self, what: &Subject<'s>) -> impl Iterator<Item = &'s String> {
        let called = what.message.into_iter().chain(what.was.iter().copied());
        let messages = called.filter_map(|id| self.messages.get(&self.hours.current(id)));
        let names = [what.alert, what.rule, what.group, what.episode];
        let others = self.others.iter().zip(names).filter_map(|(index, name)| index.get(name?));
        messages.chain(others).flatten()
    }

    fn is_for(&self, snooze: &Snooze, destination: &Destination) -> bool {
        match (&snooze.audience, destination) {
            (Audience::Everyone, _) => true,
            (Audience::Channel(channel), Destination::Channel(name)) => channel == name,
            (Audience::Person(person), Destination::Person(name)) => self.roster.is_same(person, name),
            _ => false,
        }
    }

    /// Takes an event: counts it for snoozes of its message, and wakes what waited for it.
    pub fn occur(&mut self, stamped: &Stamped<'_>, desk: &mut Desk<'_>) {
        let event = stamped.event;
        let seen = self.hours.count(event, stamped.at_ms);
        if seen.is_evicted {
            let text = "a message's hours were forgotten";
            desk.records.note(desk.now_ms, Cause::Evicted, "hourly counts", "limit", text);
        }
        if seen.forgotten_hours > 0 {
            let (by, n) = ("limit", seen.forgotten_hours);
            let text = "the oldest days of hourly counts were forgotten";
            desk.records.note_many(desk.now_ms, Cause::Evicted, "hours of messages", by, text, n);
        }
        if !seen.is_same_release
            && let Some(version) = &event.version
        {
            self.releases.see(&event.message.repo, event.service.as_ref(), version);
        }
        if self.n_active == 0 {
            return;
        }
        if seen.is_new_name {
            self.follow(&event.message.was, event.message.id);
        }
        for id in self.messages.get(&seen.id).cloned().unwrap_or_default() {
            let Some(snooze) = self.book.get_mut(&id) else { continue };
            snooze.counted = snooze.counted.saturating_add(1);
            snooze.last_ms = Some(snooze.last_ms.map_or(stamped.at_ms, |last| last.max(stamped.at_ms)));
            if let Some(why) = self.has_come(&id, stamped, seen) {
                self.wake(&id, &why, desk);
            }
        }
        for id in self.watched.get(&seen.id).cloned().unwrap_or_default() {
            if let Some(why) = self.has_come(&id, stamped, seen) {
                if let Some(snooze) = self.book.get_mut(&id) {
                    // Its occurrences are counted in lots: this one is among those still to come.
                    snooze.counted = snooze.counted.max(1);
                }
                self.wake(&id, &why, desk);
            }
        }
    }

    /// What a snooze waited for, when an event is it.
    fn has_come(&self, id: &str, stamped: &Stamped<'_>, seen: Seen) -> Option<String> {
        let (snooze, event) = (self.book.get(id)?, stamped.event);
        match snooze.until {
            Until::Count { n } if snooze.counted >= n => Some(format!("it occurred {}", often(n))),
            Until::Rate { limit } if u64::from(seen.in_hour) > limit => {
                Some(format!("it occurred more than {} in an hour", often(limit)))
            }
            Until::NextRelease { known } => {
                let version = event.version.as_ref()?;
                let service = event.service.as_ref();
                let is_new = self.releases.is_new(&event.message.repo, service, version, known);
                is_new.then(|| format!("release {version} has it still"))
            }
            _ => None,
        }
    }

    /// Takes note of `count` further occurrences of `what`, hidden or not: for snoozes of anything but
    /// messages, whose occurrences are taken one by one.
    pub fn counted(&mut self, what: &Subject<'_>, count: u64, desk: &mut Desk<'_>) {
        if self.n_active == 0 || count == 0 {
            return;
        }
        let what = Subject { message: None, was: &[], ..*what };
        let ids: Vec<String> = self.concerning(&what).cloned().collect();
        for id in ids {
            let Some(snooze) = self.book.get_mut(&id) else { continue };
            snooze.counted = snooze.counted.saturating_add(count);
            snooze.last_ms = Some(snooze.last_ms.unwrap_or(desk.now_ms).max(desk.now_ms));
            if let Until::Count { n } = snooze.until
                && snooze.counted >= n
            {
                self.wake(&id, &format!("it occurred {}", often(n)), desk);
            }
        }
    }

    /// A message is called `now`: what was said about its earlier names is said about it.
    fn follow(&mut self, was: &[MessageId], now: MessageId) {
        for earlier in was.iter().filter(|earlier| **earlier != now) {
            for id in self.watched.get(earlier).cloned().unwrap_or_default() {
                self.change(&id, |snooze| snooze.message = Some(now));
            }
            for id in self.messages.get(earlier).cloned().unwrap_or_default() {
                self.change(&id, |snooze| {
                    snooze.scope = Scope::Message(now.to_string());
                    snooze.message = Some(now);
                });
            }
        }
    }

    /// A deduplication key is another one now, since its message has another name.
    pub fn follow_alert(&mut self, was: &str, now: &str) {
        for id in self.others[0].get(was).cloned().unwrap_or_default() {
            self.change(&id, |snooze| snooze.scope = Scope::Alert(now.to_owned()));
        }
    }

    /// Wakes what is due, shows mutes again, and forgets what ended long ago.
    pub fn tick(&mut self, desk: &mut Desk<'_>) {
        self.hours.forget(desk.now_ms);
        while let Some((due_ms, id)) = self.due.first().cloned()
            && due_ms <= desk.now_ms
        {
            let Some(snooze) = self.book.get(&id) else {
                self.due.pop_first();
                continue;
            };
            if snooze.ended.is_some() {
                self.due.pop_first();
                self.book.remove(&id);
            } else if snooze.until == Until::Forever {
                let (reader, actor) = (self.reader(snooze), snooze.actor.clone());
                self.review(&reader, &actor, desk);
            } else {
                self.wake(&id, "its time has come", desk);
            }
        }
    }

    /// Ends a snooze and says what it hid, when it hid something and says so at all.
    fn wake(&mut self, id: &str, why: &str, desk: &mut Desk<'_>) {
        let Some(snooze) = self.book.get(id).filter(|snooze| snooze.ended.is_none()).cloned() else { return };
        self.end(&snooze, why, desk);
        if snooze.total() == 0 || !snooze.tells_its_end() {
            return;
        }
        let readers = match &snooze.audience {
            Audience::Person(name) => vec![self.spelled(&snooze, Destination::Person(name.clone()))],
            Audience::Channel(name) => vec![Destination::Channel(name.clone())],
            Audience::Everyone if snooze.told.is_empty() => vec![Destination::Person(snooze.actor.clone())],
            Audience::Everyone => snooze.told.clone(),
        };
        let mut notes = vec![format!("snoozed by {} {}", snooze.actor, snooze.until.in_words())];
        notes.extend(snooze.reason.clone());
        let notice = Notice {
            title: format!("{} while snoozed: {}", times(snooze.total()), snooze.title),
            because: why.to_owned(),
            severity: snooze.severity,
            rows: vec![row(&snooze)],
            notes,
            ..Notice::default()
        };
        for destination in readers {
            let draft = Draft {
                destination,
                lane: Lane::Alert,
                kind: NoticeKind::Summary,
                subject: snooze.id.clone(),
                revision: 0,
                follows: None,
                due_ms: desk.now_ms,
                held: None,
                notice: notice.clone(),
            };
            desk.outbox.post(draft, desk.now_ms, desk.records);
        }
    }

    /// A person by the name that other notices about the same thing have for them.
    fn spelled(&self, snooze: &Snooze, person: Destination) -> Destination {
        let known = snooze.told.iter().find(|told| self.roster.reaches_same(told, &person));
        known.cloned().unwrap_or(person)
    }

    /// Takes a snooze out of what hides. What it hid is written down.
    fn end(&mut self, snooze: &Snooze, why: &str, desk: &mut Desk<'_>) {
        self.change(&snooze.id, |snooze| snooze.ended = Some((desk.now_ms, why.to_owned())));
        if snooze.counted > 0 {
            let text = format!("{} while snoozed", times(snooze.counted));
            desk.records.note(desk.now_ms, Cause::Snoozed, scope_name(&snooze.scope), &snooze.id, &text);
        }
    }

    /// Who is asked whether a mute is still wanted.
    fn reader(&self, snooze: &Snooze) -> Destination {
        match &snooze.audience {
            Audience::Channel(name) => Destination::Channel(name.clone()),
            Audience::Person(name) => Destination::Person(name.clone()),
            Audience::Everyone => {
                let heir = self.roster.heir(&snooze.actor).unwrap_or(&snooze.actor);
                Destination::Person(heir.to_owned())
            }
        }
    }

    /// Shows a reader all the mutes that are theirs, not only the one that is due.
    fn review(&mut self, reader: &Destination, actor: &str, desk: &mut Desk<'_>) {
        let is_theirs = |snooze: &&Snooze| {
            snooze.ended.is_none() && snooze.until == Until::Forever && self.reader(snooze) == *reader
        };
        let mut mutes: Vec<Snooze> = self.book.iter().filter(is_theirs).cloned().collect();
        mutes.sort_by(|a, b| (b.total(), &a.id).cmp(&(a.total(), &b.id)));
        for mute in &mutes {
            self.change(&mute.id, |snooze| snooze.review_ms = desk.now_ms.checked_add(REVIEW_MS));
        }
        let occurrences: u64 = mutes.iter().map(Snooze::total).sum();
        let things =
            if mutes.len() == 1 { "1 message".to_owned() } else { format!("{} messages", mutes.len()) };
        let notice = Notice {
            title: format!("still muted: {things}, {}", times(occurrences)),
            because: "mutes are shown again every 90 days".to_owned(),
            rows: mutes.iter().take(20).map(row).collect(),
            more_rows: mutes.len().saturating_sub(20) as u64,
            notes: vec!["undo those that are no longer wanted".to_owned()],
            ..Notice::default()
        };
        let working_name = match reader {
            Destination::Person(name) => name,
            _ => actor,
        };
        let (zone, calendar) = (self.roster.zone_of(working_name), self.roster.calendar_of(working_name));
        let draft = Draft {
            destination: reader.clone(),
            lane: Lane::Digest,
            kind: NoticeKind::Summary,
            subject: format!("mutes of {}", reader.name()),
            // Ninety days apart, so the day tells them from each other.
            revision: u32::try_from(desk.now_ms.div_euclid(86_400_000)).unwrap_or(0),
            follows: None,
            due_ms: calendar.next_open(desk.now_ms, &zone).unwrap_or(desk.now_ms),
            held: None,
            notice,
        };
        desk.outbox.post(draft, desk.now_ms, desk.records);
    }

    /// A sentence about what is muted for this reader, at the end of their digest.
    pub fn muted(&self, reader: &Destination) -> Option<String> {
        let is_theirs = |snooze: &&Snooze| snooze.until == Until::Forever && self.reader(snooze) == *reader;
        let (n, count) =
            self.list().filter(is_theirs).fold((0, 0), |(n, sum), mute| (n + 1, sum + mute.total()));
        (n > 0).then(|| {
            let things = wording::counted(n, "thing", "things");
            format!("muted: {things}, {} so far; `dice snooze list` shows them", times(count))
        })
    }

    /// Everything that hides something, in the order of the ids.
    pub fn list(&self) -> impl Iterator<Item = &Snooze> {
        self.book.iter().filter(|snooze| snooze.ended.is_none())
    }

    fn add(&mut self, snooze: Snooze) {
        self.index(&snooze);
        self.book.put(snooze);
        if self.book.len() > MAX_KEPT {
            let ended = self.book.iter().filter_map(|snooze| Some((snooze.ended.as_ref()?.0, &snooze.id)));
            if let Some((_, id)) = ended.min().map(|(ended_ms, id)| (ended_ms, id.clone())) {
                self.unindex(&id);
                self.book.remove(&id);
            }
        }
    }

    /// Changes a snooze, and where it is found.
    fn change(&mut self, id: &str, change: impl FnOnce(&mut Snooze)) {
        self.unindex(id);
        let Some(snooze) = self.book.get_mut(id) else { return };
        change(snooze);
        let snooze = snooze.clone();
        self.index(&snooze);
    }

    fn index(&mut self, snooze: &Snooze) {
        if let Some(due_ms) = snooze.due_ms() {
            self.due.insert((due_ms, snooze.id.clone()));
        }
        if snooze.ended.is_some() {
            return;
        }
        if let (Some(message), Scope::Alert(_)) = (snooze.message, &snooze.scope)
            && matches!(snooze.until, Until::Rate { .. } | Until::NextRelease { .. })
        {
            self.watched.entry(message).or_default().insert(snooze.id.clone());
        }
        let ids = match &snooze.scope {
            Scope::Message(id) => match id.parse() {
                Ok(id) => self.messages.entry(id).or_default(),
                Err(_) => return,
            },
            other => match index_of(other) {
                Some(index) => self.others[index].entry(scope_name(other).to_owned()).or_default(),
                None => return,
            },
        };
        if let Err(place) = ids.binary_search(&snooze.id) {
            ids.insert(place, snooze.id.clone());
            self.n_active += 1;
        }
    }

    fn unindex(&mut self, id: &str) {
        let Some(snooze) = self.book.get(id) else { return };
        if let Some(due_ms) = snooze.due_ms() {
            self.due.remove(&(due_ms, id.to_owned()));
        }
        if let Some(message) = snooze.message
            && let Some(watched) = self.watched.get_mut(&message)
        {
            watched.remove(id);
            if watched.is_empty() {
                self.watched.remove(&message);
            }
        }
        let mut n_gone = 0;
        let mut drop_from = |ids: &mut Vec<String>| {
            let before = ids.len();
            ids.retain(|known| known != id);
            n_gone += before - ids.len();
            ids.is_empty()
        };
        match &snooze.scope {
            Scope::Message(message) => {
                if let Ok(message) = message.parse()
                    && self.messages.get_mut(&message).is_some_and(&mut drop_from)
                {
                    self.messages.remove(&message);
                }
            }
            other => {
                if let Some(index) = index_of(other)
                    && self.others[index].get_mut(scope_name(other)).is_some_and(&mut drop_from)
                {
                    self.others[index].remove(scope_name(other));
                }
            }
        }
        self.n_active -= n_gone;
    }

    /// The name that a message has today, and how often it came in each of the last `hours` hours, this one
    /// included, the oldest first; `None` where it did not come.
    pub fn by_hour(&self, message: MessageId, hours: u32, now_ms: i64) -> Option<(MessageId, Vec<u64>)> {
        Some((self.hours.current(message), self.hours.last(message, hours, now_ms)?))
    }

    /// Appends what has changed.
    pub fn deltas(&mut self, out: &mut Vec<Delta>) {
        self.book.deltas(out);
        self.hours.deltas(out);
        self.releases.deltas(out);
    }

    /// Puts in a row of hours that are over as it was written.
    pub fn restore_hours(&mut self, id: &str, body: &str) -> Result<(), String> {
        self.hours.restore_past(id, body)
    }

    /// Puts in a row as it was written.
    pub fn restore(&mut self, id: &str, body: &str) -> Result<(), String> {
        if id.starts_with(hours::PREFIX) {
            return self.hours.restore(id, body);
        }
        if id.starts_with(releases::PREFIX) {
            return self.releases.restore(id, body);
        }
        self.book.restore(id, body)?;
        if let Some(snooze) = self.book.get(id).cloned() {
            self.index(&snooze);
        }
        Ok(())
    }
}

/// The index in which snoozes of such a scope are found; messages have one of their own.
fn index_of(scope: &Scope) -> Option<usize> {
    match scope {
        Scope::Message(_) => None,
        Scope::Alert(_) => Some(0),
        Scope::Rule(_) => Some(1),
        Scope::Group(_) => Some(2),
        Scope::Episode(_) => Some(3),
    }
}

fn scope_name(scope: &Scope) -> &str {
    match scope {
        Scope::Message(name)
        | Scope::Alert(name)
        | Scope::Rule(name)
        | Scope::Group(name)
        | Scope::Episode(name) => name,
    }
}

fn often(n: u64) -> String {
    if n == 1 { "once".to_owned() } else { format!("{n} times") }
}

fn times(n: u64) -> String {
    if n == 1 { "1 occurrence".to_owned() } else { format!("{n} occurrences") }
}

fn row(snooze: &Snooze) -> NoticeRow {
    let name =
        |wanted: fn(&Scope) -> bool| wanted(&snooze.scope).then(|| scope_name(&snooze.scope).to_owned());
    NoticeRow {
        episode: name(|scope| matches!(scope, Scope::Episode(_))),
        message: snooze.message.map(|id| id.to_string()),
        alert: name(|scope| matches!(scope, Scope::Alert(_))),
        title: snooze.title.clone(),
        state: if snooze.until == Until::Forever { "muted" } else { "snoozed" }.to_owned(),
        severity: snooze.severity,
        evidence: Evidence {
            count: snooze.total(),
            seen_ms: snooze.last_ms.map(|last_ms| (snooze.since_ms.min(last_ms), last_ms)),
            ..Evidence::default()
        },
        ..NoticeRow::default()
    }
}
