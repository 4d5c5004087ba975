//! Messages that are told as they happen: the first at once, then the same notice changed.

mod command;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dice_catalog::Owner;
use serde::{Deserialize, Serialize};

use super::matchers::Labels;
use super::screen::{Hidden, Screen};
use super::storm::Storm;
use super::{Alert, Alerts, Desk, Moment, Roster, Subject, episodes, wording};
use crate::book::{Book, Delta, Row, Table};
use crate::outbox::Draft;
use crate::{Cause, Destination, Lane, Message, Notice, NoticeKind, NoticeRow};

/// Put before the id of such a row: it stands among the episodes.
pub(super) const PREFIX: &str = "i:";

/// A message that is told to somebody as it happens: an episode of a kind, from its first occurrence until
/// it has been quiet for long enough.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ongoing {
    /// Names it: deduplication key, run and destination.
    pub id: String,
    /// The deduplication key.
    pub alert: String,
    /// Which run of it.
    pub run: u64,
    /// Where it is told.
    pub destination: Destination,
    /// Who answers for it.
    pub owner: Owner,
    /// Why they are told, in words.
    pub reason: String,
    /// When it began, milliseconds since 1970, by the router's time.
    pub opened_ms: i64,
    /// When it was first told.
    pub told_ms: Option<i64>,
    /// When it is looked at next.
    pub due_ms: i64,
    /// When it is told again if it still goes on.
    pub repeat_ms: Option<i64>,
    /// The first notice, which later ones change.
    pub first: Option<String>,
    /// The number of the next notice.
    pub revision: u32,
    /// Occurrences of the run that have been told or written down as not told.
    pub told: u64,
    /// What hides it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<Hidden>,
    /// Who is on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acked: Option<Acked>,
    /// What the next notice has to say besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Others own it now: nothing is told here until they do no longer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_left: bool,
}

/// Somebody is on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acked {
    /// Who.
    pub by: String,
    /// Until when they are taken to be, milliseconds since 1970.
    pub until_ms: i64,
}

impl Row for Ongoing {
    const TABLE: Table = Table::Episodes;

    fn id(&self) -> &str {
        &self.id
    }
}

/// Messages that are told as they happen.
#[derive(Debug, Clone, Default)]
pub struct Immediate {
    book: Book<Ongoing>,
    wakes: BTreeSet<(i64, String)>,
    by_alert: BTreeMap<String, BTreeSet<String>>,
    veiled: BTreeSet<String>,
}

/// What is needed beside the desk to tell a message.
#[derive(Debug)]
pub struct Sight<'a> {
    /// What was counted.
    pub alerts: &'a Alerts,
    /// Who is who.
    pub roster: &'a Roster,
    /// What is hidden.
    pub screen: Screen<'a>,
    /// The guards.
    pub storm: &'a mut Storm,
}

impl Immediate {
    /// The row called `id`.
    pub fn get(&self, id: &str) -> Option<&Ongoing> {
        self.book.get(id)
    }

    /// Everything that goes on, in the order of the ids.
    pub fn iter(&self) -> impl Iterator<Item = &Ongoing> {
        self.book.iter()
    }

    /// The ids of those whose id begins so.
    pub fn called(&self, prefix: &str) -> Vec<&str> {
        self.book.iter().map(|ongoing| ongoing.id.as_str()).filter(|id| id.starts_with(prefix)).collect()
    }

    /// Those that tell about a deduplication key, in the order of the ids.
    pub fn about<'a>(&'a self, alert: &str) -> impl Iterator<Item = &'a Ongoing> {
        self.by_alert.get(alert).into_iter().flatten().filter_map(|id| self.book.get(id))
    }

    /// Begins to tell a message to an owner, if that has not begun for this run of it.
    pub fn open(
        &mut self,
        alert: &str,
        owner: &Owner,
        reason: &str,
        desk: &mut Desk<'_>,
        sight: &mut Sight<'_>,
    ) {
        let Some((row, _)) = sight.alerts.get(alert) else { return };
        let destination = Destination::named(&owner.name);
        let is_told = |ongoing: &&Ongoing| {
            ongoing.run == row.runs && sight.roster.reaches_same(&ongoing.destination, &destination)
        };
        let known = self.about(alert).find(is_told).map(|ongoing| ongoing.id.clone());
        let id = known.unwrap_or_else(|| id_of(alert, row.runs, &destination));
        if let Some(known) = self.book.get(&id) {
            if known.has_left {
                self.replace(Ongoing { has_left: false, due_ms: desk.now_ms, ..known.clone() });
                self.look(&id, desk, sight);
            }
            return;
        }
        self.book.put(Ongoing {
            id: id.clone(),
            alert: alert.to_owned(),
            run: row.runs,
            destination,
            owner: owner.clone(),
            reason: reason.to_owned(),
            opened_ms: desk.now_ms,
            told_ms: None,
            due_ms: desk.now_ms,
            repeat_ms: None,
            first: None,
            revision: 0,
            told: 0,
            hidden: None,
            acked: None,
            notes: Vec::new(),
            has_left: false,
        });
        self.index(&id);
        self.look(&id, desk, sight);
    }

    /// Looks at everything that is due, and at what stopped being hidden.
    pub fn tick(&mut self, desk: &mut Desk<'_>, sight: &mut Sight<'_>) {
        let mut ids: BTreeSet<String> = self
            .wakes
            .iter()
            .take_while(|(at_ms, _)| *at_ms <= desk.now_ms)
            .map(|(_, id)| id.clone())
            .collect();
        for id in &self.veiled {
            let Some(ongoing) = self.book.get(id) else { continue };
            let Some(about) = sight.alerts.get(&ongoing.alert) else { continue };
            let Some(hidden) = &ongoing.hidden else { continue };
            let asked = |subject: &Subject<'_>, labels: &Labels| {
                sight.screen.hides_still(hidden, subject, labels, &ongoing.destination)
            };
            if !ask(ongoing, about, desk, asked) {
                ids.insert(id.clone());
            }
        }
        for id in ids {
            self.look(&id, desk, sight);
        }
    }

    /// Ends everything about a message: its run is over, or it is forgotten.
    pub fn end(&mut self, alert: &str, desk: &mut Desk<'_>, sight: &mut Sight<'_>) {
        for id in self.by_alert.get(alert).cloned().unwrap_or_default() {
            self.close(&id, false, desk, sight);
        }
    }

    /// Ends everything about a message by the word of whoever told of it: where it was told, that is as well.
    pub fn finish(&mut self, alert: &str, desk: &mut Desk<'_>, sight: &mut Sight<'_>) {
        for id in self.by_alert.get(alert).cloned().unwrap_or_default() {
            self.close(&id, true, desk, sight);
        }
    }

    /// Tells a message no longer to those who do not own it any more, without a word to them.
    pub fn leave(&mut self, alert: &str, owners: &[Owner], roster: &Roster, desk: &mut Desk<'_>) {
        for id in self.by_alert.get(alert).cloned().unwrap_or_default() {
            let Some(ongoing) = self.book.get(&id).filter(|ongoing| !ongoing.has_left) else { continue };
            let is_told =
                |owner: &Owner| roster.reaches_same(&Destination::named(&owner.name), &ongoing.destination);
            if !owners.iter().any(is_told) {
                let text = format!("no longer told to {}: others own it", ongoing.destination.name());
                desk.records.note(desk.now_ms, Cause::Superseded, alert, "owners", &text);
                let (hidden, acked) = (None, None);
                self.replace(Ongoing { has_left: true, hidden, acked, repeat_ms: None, ..ongoing.clone() });
            }
        }
    }

    fn look(&mut self, id: &str, desk: &mut Desk<'_>, sight: &mut Sight<'_>) {
        let Some(ongoing) = self.book.get(id) else { return };
        let now_ms = desk.now_ms;
        let quiet_ms = desk.config.lanes.immediate_quiet_ms;
        let known = sight
            .alerts
            .get(&ongoing.alert)
            .filter(|(alert, _)| alert.runs == ongoing.run && alert.is_running);
        let Some((alert, message)) = known else { return self.close(id, false, desk, sight) };
        let over_ms = alert.last_ms.saturating_add(quiet_ms);
        if over_ms <= now_ms {
            return self.close(id, false, desk, sight);
        }
        let mut ongoing = ongoing.clone();
        if ongoing.has_left {
            ongoing.due_ms = over_ms;
            return self.replace(ongoing);
        }
        if let Some(acked) = ongoing.acked.take_if(|acked| acked.until_ms <= now_ms) {
            ongoing.notes.push(format!("ack by {} expired", acked.by));
            ongoing.repeat_ms = ongoing.told_ms.map(|_| now_ms);
        }
        let count = alert.running_count();
        if let Some((cause, by)) = hides(&ongoing, alert, message, desk, sight) {
            if ongoing.hidden.is_none() {
                let text = format!("not told to {}", ongoing.destination.name());
                desk.records.note(now_ms, cause, &ongoing.alert, &by, &text);
            }
            let before = Hidden { cause, by: by.clone(), since_ms: now_ms, count: ongoing.told };
            let hidden = ongoing.hidden.get_or_insert(before);
            (hidden.cause, hidden.by) = (cause, by);
        } else {
            let mut notes = Vec::new();
            if let Some(hidden) = ongoing.hidden.take() {
                if let Some(summary) = told_by_snooze(&hidden, &ongoing.destination, desk) {
                    ongoing.told = count;
                    ongoing.told_ms.get_or_insert(now_ms);
                    ongoing.first.get_or_insert(summary);
                } else if is_dropped(&hidden, sight) {
                    write_down(&mut ongoing, count, &hidden, desk);
                    ongoing.told_ms.get_or_insert(now_ms);
                } else {
                    notes.push(hidden.note(&hidden.by, count, now_ms));
                }
            }
            let is_due = ongoing.due_ms <= now_ms || !notes.is_empty();
            let is_repeat =
                ongoing.acked.is_none() && ongoing.repeat_ms.is_some_and(|repeat_ms| repeat_ms <= now_ms);
            let kind = match ongoing.told_ms {
                None => Some(NoticeKind::Open),
                Some(_) if is_repeat => Some(NoticeKind::Reminder),
                Some(_) if is_due && count > ongoing.told && !notes.is_empty() => Some(NoticeKind::Summary),
                Some(_) if is_due && count > ongoing.told => Some(NoticeKind::Update),
                Some(_) => None,
            };
            if let Some(kind) = kind {
                tell(&mut ongoing, kind, notes, (alert, message), desk, sight.storm);
                let lasts_ms = desk.config.lanes.immediate_repeat_ms;
                if matches!(kind, NoticeKind::Open | NoticeKind::Reminder) {
                    ongoing.repeat_ms = Some(now_ms.saturating_add(lasts_ms));
                }
            }
        }
        let rung_ms =
            next_rung(&desk.config.lanes.immediate_ladder_ms, ongoing.told_ms.unwrap_or(now_ms), now_ms);
        ongoing.due_ms = rung_ms.min(over_ms);
        self.replace(ongoing);
    }

    /// Tells what is left to be told, and forgets it. That it is over is told where that is known, and where
    /// the reader saw it go on.
    fn close(&mut self, id: &str, is_known: bool, desk: &mut Desk<'_>, sight: &mut Sight<'_>) {
        let Some(mut ongoing) = self.book.get(id).cloned() else { return };
        let known = sight.alerts.get(&ongoing.alert).filter(|(alert, _)| alert.runs == ongoing.run);
        if let Some((alert, message)) = known.filter(|_| !ongoing.has_left) {
            let count = alert.running_count();
            let hidden = hides(&ongoing, alert, message, desk, sight).map(|(cause, by)| Hidden {
                cause,
                by,
                since_ms: desk.now_ms,
                count: ongoing.told,
            });
            match hidden.or(ongoing.hidden.take()) {
                Some(hidden) => write_down(&mut ongoing, count, &hidden, desk),
                // A single one that was told needs no further word.
                None if count == ongoing.told && ongoing.revision < 2 && !is_known => {}
                None => {
                    tell(&mut ongoing, NoticeKind::Resolved, Vec::new(), (alert, message), desk, sight.storm)
                }
            }
        }
        self.remove(id);
    }

    fn index(&mut self, id: &str) {
        let Some(ongoing) = self.book.get(id) else { return };
        self.wakes.insert((wake_ms(ongoing), id.to_owned()));
        self.by_alert.entry(ongoing.alert.clone()).or_default().insert(id.to_owned());
        if ongoing.hidden.is_some() {
            self.veiled.insert(id.to_owned());
        } else {
            self.veiled.remove(id);
        }
    }

    fn replace(&mut self, ongoing: Ongoing) {
        let id = ongoing.id.clone();
        if let Some(before) = self.book.put(ongoing) {
            self.wakes.remove(&(wake_ms(&before), id.clone()));
        }
        self.index(&id);
    }

    fn remove(&mut self, id: &str) {
        let Some(ongoing) = self.book.remove(id) else { return };
        self.wakes.remove(&(wake_ms(&ongoing), id.to_owned()));
        self.veiled.remove(id);
        if let Some(ids) = self.by_alert.get_mut(&ongoing.alert) {
            ids.remove(id);
            if ids.is_empty() {
                self.by_alert.remove(&ongoing.alert);
            }
        }
    }

    /// When it was told, when it will be, and why; nothing when it does not go on.
    pub fn timeline(&self, id: &str) -> Vec<Moment> {
        let Some(ongoing) = self.book.get(id) else { return Vec::new() };
        let at = ongoing.destination.name();
        let moment = |at_ms, is_next, text: &str| Moment { at_ms, is_next, text: format!("{at}: {text}") };
        let mut moments = vec![moment(ongoing.opened_ms, false, "it began")];
        moments.extend(ongoing.told_ms.map(|told_ms| moment(told_ms, false, "first told")));
        moments.push(match &ongoing.hidden {
            Some(hidden) => moment(hidden.since_ms, false, &format!("hidden by {}", hidden.by)),
            None => moment(ongoing.due_ms, true, "changed if it came again, over if it has been quiet"),
        });
        let is_on_it = |acked: &Acked| format!("{} is on it until then", acked.by);
        moments.extend(ongoing.acked.iter().map(|acked| moment(acked.until_ms, true, &is_on_it(acked))));
        let repeat_ms = ongoing.repeat_ms.filter(|_| ongoing.acked.is_none());
        moments.extend(repeat_ms.map(|repeat_ms| moment(repeat_ms, true, "repeat, if it goes on")));
        moments.sort_by(|a, b| (a.at_ms, a.is_next, &a.text).cmp(&(b.at_ms, b.is_next, &b.text)));
        moments
    }

    /// Appends what has changed.
    pub fn deltas(&mut self, out: &mut Vec<Delta>) {
        self.book.deltas(out);
    }

    /// Puts in a row as it was written.
    pub fn restore(&mut self, id: &str, body: &str) -> Result<(), String> {
        self.book.restore(id, body)?;
        self.index(id);
        Ok(())
    }
}

fn id_of(alert: &str, run: u64, destination: &Destination) -> String {
    let written = serde_json::to_string(destination).expect("names are JSON");
    let name = crate::name(&[alert.as_bytes(), &run.to_be_bytes(), written.as_bytes()]);
    format!("{PREFIX}{name}")
}

fn wake_ms(ongoing: &Ongoing) -> i64 {
    // Who is on it need not be reminded.
    let timer = ongoing.acked.as_ref().map(|acked| acked.until_ms).or(ongoing.repeat_ms);
    timer.map_or(ongoing.due_ms, |timer_ms| timer_ms.min(ongoing.due_ms))
}

/// The next instant after `now_ms` on the ladder that begins at `from_ms`; its last span repeats.
fn next_rung(ladder_ms: &[i64], from_ms: i64, now_ms: i64) -> i64 {
    let passed_ms = now_ms.saturating_sub(from_ms);
    if let Some(rung_ms) = ladder_ms.iter().find(|rung_ms| **rung_ms > passed_ms) {
        return from_ms.saturating_add(*rung_ms);
    }
    let last_ms = ladder_ms.last().copied().unwrap_or(60_000).max(1);
    from_ms.saturating_add((passed_ms / last_ms + 1).saturating_mul(last_ms))
}

fn hides(
    ongoing: &Ongoing,
    alert: &Alert,
    message: &Arc<Message>,
    desk: &Desk<'_>,
    sight: &Sight<'_>,
) -> Option<(Cause, String)> {
    let asked =
        |subject: &Subject<'_>, labels: &Labels| sight.screen.hides(subject, labels, &ongoing.destination);
    ask(ongoing, (alert, message), desk, asked)
}

/// Asks about what is told, by its names and labels.
fn ask<T>(
    ongoing: &Ongoing,
    (alert, message): (&Alert, &Arc<Message>),
    desk: &Desk<'_>,
    asked: impl FnOnce(&Subject<'_>, &Labels) -> T,
) -> T {
    let labels = episodes::labels_of_alert(alert, message, &ongoing.owner, desk.config);
    let subject = Subject {
        message: Some(alert.message),
        was: &message.was,
        alert: Some(&alert.id),
        episode: Some(&ongoing.id),
        ..Subject::default()
    };
    asked(&subject, &labels)
}

/// The notice with which the end of a snooze has told this destination what it hid.
pub(super) fn told_by_snooze(hidden: &Hidden, destination: &Destination, desk: &Desk<'_>) -> Option<String> {
    let draft = Draft {
        destination: destination.clone(),
        lane: Lane::Alert,
        kind: NoticeKind::Summary,
        subject: hidden.by.clone(),
        revision: 0,
        follows: None,
        due_ms: 0,
        held: None,
        notice: Notice::default(),
    };
    let id = Some(draft.id()).filter(|_| hidden.cause == Cause::Snoozed)?;
    desk.outbox.get(&id).map(|summary| summary.id.clone())
}

fn is_dropped(hidden: &Hidden, sight: &Sight<'_>) -> bool {
    hidden.cause == Cause::Silenced
        && sight.screen.silences.get(&hidden.by).is_some_and(|silence| !silence.notify_on_expiry)
}

/// Writes down occurrences that nobody is told of here.
fn write_down(ongoing: &mut Ongoing, count: u64, hidden: &Hidden, desk: &mut Desk<'_>) {
    let untold = count.saturating_sub(ongoing.told);
    if untold > 0 {
        let text = "occurrences that were hidden";
        desk.records.note_many(desk.now_ms, hidden.cause, &ongoing.id, &hidden.by, text, untold);
    }
    ongoing.told = count;
}

fn tell(
    ongoing: &mut Ongoing,
    kind: NoticeKind,
    mut notes: Vec<String>,
    (alert, message): (&Alert, &Message),
    desk: &mut Desk<'_>,
    storm: &mut Storm,
) {
    let running = alert.running();
    if kind == NoticeKind::Reminder {
        notes.push(format!("goes on since {}", wording::duration(desk.now_ms - ongoing.opened_ms)));
    }
    notes.append(&mut ongoing.notes);
    let title = episodes::title_of_message(message, &alert.sample);
    let state = if kind == NoticeKind::Resolved { "over" } else { "open" };
    let row = NoticeRow {
        episode: Some(ongoing.id.clone()),
        message: Some(alert.message.to_string()),
        alert: Some(alert.id.clone()),
        title: title.clone(),
        state: state.to_owned(),
        severity: alert.severity(),
        evidence: alert.evidence(&running, Some(message)),
        owner: Some(format!("{}, {}", ongoing.owner.name, ongoing.owner.why)),
        url: message.url.as_deref().map(str::to_owned),
        before: None,
        days: Vec::new(),
    };
    let draft = Draft {
        destination: ongoing.destination.clone(),
        lane: Lane::Immediate,
        kind,
        subject: ongoing.id.clone(),
        revision: ongoing.revision,
        follows: ongoing.first.clone(),
        due_ms: desk.now_ms,
        held: None,
        notice: Notice {
            title: match (kind, &ongoing.acked) {
                (NoticeKind::Acknowledged, Some(acked)) => format!("{} is on it: {title}", acked.by),
                _ => title,
            },
            because: ongoing.reason.clone(),
            severity: alert.severity(),
            rows: vec![row],
            more_rows: 0,
            notes,
            labels: Vec::new(),
        },
    };
    let posted = storm.post(draft, desk);
    ongoing.first = ongoing.first.take().or(posted);
    ongoing.told_ms.get_or_insert(desk.now_ms);
    ongoing.revision += 1;
    // That somebody is on it changes no count where it stands.
    if kind != NoticeKind::Acknowledged {
        ongoing.told = alert.running_count();
    }
}

#[cfg(test)]
mod tests {
    use super::next_rung;

    #[test]
    fn the_last_rung_repeats() {
        let ladder = [10, 30, 60];
        for (now, next) in [(0, 10), (9, 10), (10, 30), (31, 60), (60, 120), (119, 120), (120, 180)] {
            assert_eq!(next_rung(&ladder, 0, now), next, "{now}");
        }
        assert_eq!(next_rung(&[], 0, 0), 60_000);
    }
}
