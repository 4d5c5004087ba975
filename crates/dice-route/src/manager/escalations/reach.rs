//! Whom a step reaches, and what it says to them.

use std::sync::Arc;

use dice_catalog::{Owner, OwnerKind};

use super::{Escalation, Means, Situation};
use crate::config::{Policy, StepIf, Target};
use crate::manager::{Desk, Roster, on_call, wording};
use crate::outbox::Draft;
use crate::{Cause, Config, Destination, Lane, Notice, NoticeKind, Severity};

/// A notice on time may be this late; past it the reader is told.
const DELAY_MS: i64 = 60_000;

/// Whom a step reaches, without repeats, and what was in the way of reaching somebody.
#[derive(Debug, Default)]
pub(super) struct Reach {
    pub(super) destinations: Vec<Destination>,
    pub(super) notes: Vec<String>,
    /// Somebody was to be woken and nobody could be.
    pub(super) is_page_lost: bool,
}

impl Reach {
    fn add(&mut self, destination: Destination, roster: &Roster) {
        if !self.destinations.iter().any(|known| roster.reaches_same(known, &destination)) {
            self.destinations.push(destination);
        }
    }

    fn add_person(&mut self, name: &str, roster: &Roster) -> bool {
        let Some(heir) = roster.heir(name) else { return false };
        self.add(Destination::named(heir), roster);
        true
    }

    /// The owners as persons; where there is none, whatever they are.
    fn add_owners(&mut self, owners: &[Owner], roster: &Roster) {
        let people = owners.iter().filter(|owner| owner.kind == OwnerKind::Person);
        let reached = people.map(|owner| self.add_person(&owner.name, roster)).fold(false, |a, b| a | b);
        if !reached {
            for owner in owners.iter().filter(|owner| owner.kind != OwnerKind::Person) {
                self.add(Destination::named(&owner.name), roster);
            }
        }
    }

    /// The channels where the episode is told; else the channels of the owners' teams; else wherever it is
    /// told.
    fn add_channel(&mut self, now: &Situation, roster: &Roster) {
        let is_channel = |destination: &&Destination| matches!(destination, Destination::Channel(_));
        let mut places: Vec<Destination> = now.places().filter(is_channel).cloned().collect();
        if places.is_empty() {
            let channel = |owner: &Owner| roster.team_of(&owner.name)?.1.channel.clone();
            places = now.owners.iter().filter_map(channel).map(Destination::Channel).collect();
        }
        if places.is_empty() {
            places = now.places().cloned().collect();
        }
        places.into_iter().for_each(|place| self.add(place, roster));
    }

    /// Nobody can be woken: who can be told otherwise is told, and that nobody was woken.
    fn lose_page(&mut self, why: String, now: &Situation, roster: &Roster) {
        self.is_page_lost = true;
        self.notes.push(format!("nobody was paged: {why}"));
        self.add_owners(&now.owners, roster);
        self.add_channel(now, roster);
    }
}

/// Whom these targets mean now.
pub(super) fn reach(targets: &[Target], now: &Situation, roster: &Roster, desk: &Desk<'_>) -> Reach {
    let mut reach = Reach::default();
    for target in targets {
        match target {
            Target::Owner => reach.add_owners(&now.owners, roster),
            Target::Channel => reach.add_channel(now, roster),
            Target::OnCall(schedule) => {
                let person =
                    desk.config.schedules.get(schedule).and_then(|known| on_call(known, desk.now_ms));
                if !person.is_some_and(|person| reach.add_person(person, roster)) {
                    reach.lose_page(format!("nobody is on call by {schedule}"), now, roster);
                }
            }
            Target::To(name) => match Destination::named(name) {
                Destination::Person(person) => {
                    if !reach.add_person(&person, roster) {
                        reach.lose_page(format!("{person} has left"), now, roster);
                    }
                }
                Destination::Receiver(receiver) if !desk.config.receivers.contains_key(&receiver) => {
                    reach.lose_page(format!("there is no receiver {receiver}"), now, roster);
                }
                destination => reach.add(destination, roster),
            },
        }
    }
    reach
}

/// Whether everything a step asks for holds.
pub(super) fn holds(only_if: &[StepIf], row: &Escalation, desk: &Desk<'_>) -> bool {
    only_if.iter().all(|condition| match condition {
        StepIf::Severity(least) => row.severity >= *least,
        StepIf::WorkingHours(wanted) => {
            let zone = crate::calendar::Zone::named(&desk.config.zone);
            let zone = zone.unwrap_or_else(crate::calendar::Zone::utc);
            let calendar = desk.config.calendars.get("default").cloned().unwrap_or_default();
            calendar.is_open(desk.now_ms, &zone) == *wanted
        }
        StepIf::Count(least, within_ms) => row.count_within(*within_ms, desk.now_ms) >= *least,
    })
}

fn lane(destination: &Destination, severity: Severity, config: &Config) -> Lane {
    let pages =
        |name: &str| config.receivers.get(name).is_some_and(|receiver| receiver.courier == "pagerduty");
    match destination {
        Destination::Receiver(name) if pages(name) => Lane::Page,
        _ if severity >= Severity::High => Lane::Page,
        _ => Lane::Alert,
    }
}

/// What is said about an episode to those whom a step, a reminder, an acknowledgement or the end reaches.
#[derive(Debug, Clone)]
pub(super) struct Word {
    pub(super) kind: NoticeKind,
    pub(super) title: String,
    pub(super) because: String,
    pub(super) notes: Vec<String>,
    /// Which step, counted from 0; with it, who is told by the group anyway is left out.
    pub(super) is_opening: bool,
}

impl Word {
    /// What a step says that is taken at `now_ms`, having been due at `due_ms`.
    pub(super) fn of_step(row: &mut Escalation, now: &Situation, due_ms: i64, now_ms: i64) -> Word {
        let is_opening = row.taken == 0;
        let open_for = wording::duration(now_ms.saturating_sub(row.opened_ms));
        let mut notes = std::mem::take(&mut row.notes);
        let late_ms = now_ms.saturating_sub(due_ms);
        if late_ms > DELAY_MS {
            notes.push(format!("delayed {} by restart", wording::duration(late_ms)));
        }
        let title = match row.opened_ms == now_ms {
            true => now.title.clone(),
            false => format!("not acknowledged for {open_for}: {}", now.title),
        };
        let Policy { steps, .. } = &row.policy;
        if let Some(next) = steps.get(row.step + 1) {
            notes.push(format!("next in {}: {}", wording::duration(next.after_ms), whom(&next.to)));
        }
        let round = if row.round > 0 { format!(", round {}", row.round + 1) } else { String::new() };
        let because = format!("step {} of {}{round}", row.step + 1, row.name);
        Word { kind: NoticeKind::Escalation, title, because, notes, is_opening }
    }
}

/// The targets of a step, in words.
fn whom(targets: &[Target]) -> String {
    let word = |target: &Target| match target {
        Target::Owner => "the owner".to_owned(),
        Target::Channel => "the channel".to_owned(),
        Target::OnCall(schedule) => format!("who is on call by {schedule}"),
        Target::To(name) => name.clone(),
    };
    targets.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// Says something to these destinations; gives how many of them will hear it.
pub(super) fn tell(
    row: &mut Escalation,
    word: &Word,
    destinations: &[Destination],
    now: &Situation,
    means: &mut Means<'_>,
    roster: &Arc<Roster>,
    desk: &mut Desk<'_>,
) -> usize {
    let mut n_told = 0;
    for destination in destinations {
        let by_group = now.told.iter().find(|(known, _)| roster.reaches_same(known, destination));
        if word.is_opening && by_group.is_some() {
            // The episode's own notice says it there.
            n_told += 1;
            continue;
        }
        if let Some((cause, by)) = means.watch.hides(&row.episode, destination) {
            desk.records.note(desk.now_ms, cause, &row.episode, &by, "a step of an escalation was not told");
            continue;
        }
        let earlier = row.told.iter().find(|(known, _)| roster.reaches_same(known, destination));
        let follows = earlier.map(|(_, id)| id.clone()).or_else(|| by_group.and_then(|(_, id)| id.clone()));
        let is_first = earlier.is_none();
        let draft = draft(row, word, destination.clone(), follows, now, desk);
        let id = means.storm.post(draft, desk);
        if let Some(id) = id
            && is_first
            && matches!(word.kind, NoticeKind::Escalation | NoticeKind::Reminder)
        {
            row.told.push((destination.clone(), id));
        }
        n_told += 1;
    }
    if n_told == 0 && word.kind == NoticeKind::Escalation {
        let text = "a step of an escalation reached nobody";
        desk.records.note(desk.now_ms, Cause::Unowned, &row.episode, &row.name, text);
    }
    n_told
}

/// Escalations of one episode share its name and may reach the same people: so many numbers are for each.
const REVISIONS: u32 = 1_000_000;

/// Whether the notice about the escalation's episode with this number is its own.
pub(super) fn is_of(row: &Escalation, revision: u32) -> bool {
    revision / REVISIONS == row.ordinal
}

/// The draft of a notice of an escalation.
pub(super) fn draft(
    row: &mut Escalation,
    word: &Word,
    destination: Destination,
    follows: Option<String>,
    now: &Situation,
    desk: &Desk<'_>,
) -> Draft {
    let number = row.revision;
    row.revision += 1;
    Draft {
        lane: lane(&destination, row.severity, desk.config),
        destination,
        kind: word.kind,
        subject: row.episode.clone(),
        revision: row.ordinal.saturating_mul(REVISIONS).saturating_add(number),
        follows,
        due_ms: desk.now_ms,
        held: None,
        notice: Notice {
            title: word.title.clone(),
            because: word.because.clone(),
            severity: row.severity,
            rows: vec![now.row.clone()],
            notes: word.notes.clone(),
            ..Notice::default()
        },
    }
}
