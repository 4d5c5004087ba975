//! "Not me" and assignments: what people say about owners is kept, and beats what the catalog says.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use dice_catalog::{Owner, OwnerKind, Why};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::people::{message_called, shown};
use super::{Alerts, Desk, Roster, refusal, wording};
use crate::book::{Book, Delta, Row, Table};
use crate::outbox::Draft;
use crate::{
    Act, Answer, Cause, Command, Destination, Lane, Message, MessageId, Notice, NoticeKind, NoticeRow, State,
};

/// What people said about one message that can still be taken back; older words stay but are final.
const MAX_STEPS: usize = 16;

/// Overrides that are kept; more are refused.
const MAX_OVERRIDES: usize = 50_000;

/// Longer texts are cut.
const MAX_TITLE_CHARS: usize = 200;

/// Longer names are nobody's.
const MAX_NAME_BYTES: usize = 200;

/// What people said about the owner of a message, until the code says something new.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Override {
    /// The message's id.
    pub id: String,
    /// The message in words.
    pub title: String,
    /// The annotations that it overrode: others take its place.
    pub annotations: Vec<String>,
    /// What was said, the last one holds; never empty.
    pub steps: Vec<Step>,
}

impl Row for Override {
    const TABLE: Table = Table::Overrides;

    fn id(&self) -> &str {
        &self.id
    }
}

/// What one person said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The command's id.
    pub command: String,
    /// Who said it.
    pub by: String,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// Why, in their words.
    pub reason: Option<String>,
    /// What it means, for readers: `@ann said it is not theirs`.
    pub because: String,
    /// Who answers since then; `None` where that is still the catalog's to say, without those who declined.
    pub owners: Option<Vec<String>>,
    /// Everybody who declined so far.
    pub declined: Vec<Declined>,
}

/// Somebody who does not want a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Declined {
    /// Who: a person, or a channel or team that was named.
    pub name: String,
    /// They were an owner: these send a message to triage.
    pub was_owner: bool,
}

/// What people said about owners.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    book: Book<Override>,
    /// The messages that have one.
    index: BTreeSet<MessageId>,
    roster: Arc<Roster>,
    has_leavers: bool,
}

impl Overrides {
    /// Takes another roster.
    pub fn configure(&mut self, roster: &Arc<Roster>) {
        self.has_leavers = roster.has_leavers();
        self.roster = roster.clone();
    }

    /// Takes note of a message that is new or has changed, before its owners are asked for.
    ///
    /// An override goes along with a message that is called something else now. It ends where the code names
    /// somebody since, and then both sides are told.
    pub fn follow(&mut self, message: &Message, desk: &mut Desk<'_>) {
        if self.index.is_empty() {
            return;
        }
        for earlier in message.was.iter().filter(|earlier| **earlier != message.id) {
            if self.index.remove(earlier)
                && let Some(mut moved) = self.book.remove(&earlier.to_string())
            {
                moved.id = message.id.to_string();
                let newest = |known: &Override| known.steps.last().map_or(i64::MIN, |step| step.at_ms);
                if self.book.get(&moved.id).is_none_or(|known| newest(known) < newest(&moved)) {
                    self.index.insert(message.id);
                    self.book.put(moved);
                }
            }
        }
        if self.index.contains(&message.id) {
            self.give_way(message, desk);
        }
    }

    /// Ends an override where the annotation is another one than it overrode.
    fn give_way(&mut self, message: &Message, desk: &mut Desk<'_>) {
        let id = message.id.to_string();
        let is_same = |known: &Override| is_same_annotation(&known.annotations, &message.annotations);
        if message.annotations.is_empty() || self.book.get(&id).is_none_or(is_same) {
            return;
        }
        let before = self.owners(message);
        self.index.remove(&message.id);
        let Some(ended) = self.book.remove(&id) else { return };
        let now = self.owners(message);
        let because = ended.steps.last().map_or("", |step| &step.because);
        let annotation = message.annotations.join(" ");
        let text = format!("the code says {annotation} now: {because} no longer counts");
        desk.records.note(desk.now_ms, Cause::Command, &id, "annotation", &text);
        let mut told = BTreeSet::new();
        for owner in before.iter().chain(now.iter()) {
            let destination = Destination::named(&owner.name);
            if !told.insert(destination.clone()) {
                continue;
            }
            let is_theirs = now.iter().any(|now| now.name == owner.name);
            let theirs = if is_theirs { "yours now" } else { "no longer yours" };
            let notice = Notice {
                title: format!("{theirs}: {}", ended.title),
                because: format!("the annotation in the code has changed to {annotation}"),
                rows: vec![NoticeRow {
                    message: Some(id.clone()),
                    title: ended.title.clone(),
                    owner: Some(names(&now)),
                    ..NoticeRow::default()
                }],
                notes: vec![format!("until now: {because}")],
                ..Notice::default()
            };
            let draft = Draft {
                destination,
                lane: Lane::Alert,
                kind: NoticeKind::Summary,
                subject: id.clone(),
                // It can happen again, but not in the same minute.
                revision: u32::try_from(desk.now_ms.div_euclid(60_000)).unwrap_or(0),
                follows: None,
                due_ms: desk.now_ms,
                held: None,
                notice,
            };
            desk.outbox.post(draft, desk.now_ms, desk.records);
        }
    }

    /// Who is who.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// Who answers for a message: what people said, else the catalog; those who left are replaced. Nobody
    /// stands there twice, under two of their names.
    pub fn owners(&self, message: &Message) -> Vec<Owner> {
        self.roster.distinct(self.named(message))
    }

    fn named(&self, message: &Message) -> Vec<Owner> {
        if !self.has_leavers && !self.index.contains(&message.id) {
            return message.owners.clone();
        }
        let step = self.step_of(message.id);
        let declined = step.map_or(&[][..], |step| &step.declined);
        match step.and_then(|step| step.owners.as_ref()) {
            Some(said) => {
                let said: Vec<Owner> = said.iter().map(|name| Owner::named(name, Why::Override)).collect();
                self.present(&said, message, declined)
            }
            None => {
                let is_wanted = |owner: &&Owner| !self.is_declined_by(&owner.name, declined);
                let wanted: Vec<Owner> = message.owners.iter().filter(is_wanted).cloned().collect();
                if wanted.is_empty() && !message.owners.is_empty() {
                    let next = self.next(message, declined).into_iter();
                    return next.map(|name| Owner::named(&name, Why::Override)).collect();
                }
                self.present(&wanted, message, declined)
            }
        }
    }

    /// Why people own it and not the catalog's owners, in words: `@ann said it is not theirs`.
    pub fn because(&self, id: MessageId) -> Option<&str> {
        Some(&self.step_of(id)?.because)
    }

    /// Whether somebody said that a message is not theirs, and has not taken it since.
    pub fn has_declined(&self, message: MessageId, reader: &Destination) -> bool {
        let Some(step) = self.step_of(message) else { return false };
        self.is_declined_by(reader.name(), &step.declined)
    }

    /// Everything that people said, in the order of the messages.
    pub fn list(&self) -> impl Iterator<Item = &Override> {
        self.book.iter()
    }

    /// What was said last about a message.
    fn step_of(&self, id: MessageId) -> Option<&Step> {
        if !self.index.contains(&id) {
            return None;
        }
        self.book.get(&id.to_string())?.steps.last()
    }

    /// Replaces who has left by who took over, and by the next candidate where nobody did.
    fn present(&self, owners: &[Owner], message: &Message, declined: &[Declined]) -> Vec<Owner> {
        let mut present: Vec<Owner> = Vec::new();
        let mut add = |owner: Owner| {
            if !present.iter().any(|known| known.kind == owner.kind && known.name == owner.name) {
                present.push(owner);
            }
        };
        for owner in owners {
            if owner.kind != OwnerKind::Person || !self.roster.has_left(&owner.name) {
                add(owner.clone());
                continue;
            }
            match self.roster.heir(&owner.name).filter(|heir| !self.is_declined_by(heir, declined)) {
                Some(heir) => add(Owner::named(heir, owner.why)),
                None => self
                    .next(message, declined)
                    .into_iter()
                    .for_each(|name| add(Owner::named(&name, owner.why))),
            }
        }
        present
    }

    fn is_declined_by(&self, name: &str, declined: &[Declined]) -> bool {
        declined.iter().any(|declined| self.roster.is_same(&declined.name, name))
    }

    /// Who is next when those who declined do not want it: a candidate, the team's channel, triage.
    fn next(&self, message: &Message, declined: &[Declined]) -> Option<String> {
        let fallback = message.fallback.as_ref().map(|owner| owner.name.clone());
        let triage = self.roster.ownership().triage.clone().or(fallback);
        let is_fine = |name: &str| !self.is_declined_by(name, declined);
        if self.is_passed_on_too_often(declined) {
            return triage;
        }
        let candidate = |owner: &Owner| match owner.kind {
            OwnerKind::Person => self.roster.heir(&owner.name).map(str::to_owned),
            OwnerKind::Channel | OwnerKind::Team => Some(owner.name.clone()),
        };
        if let Some(next) = message.candidates.iter().filter_map(candidate).find(|name| is_fine(name)) {
            return Some(next);
        }
        let first =
            declined.iter().find(|declined| declined.was_owner).map(|declined| declined.name.as_str());
        let whose = first.or(message.author.as_deref());
        let channel = whose.and_then(|name| self.roster.team_of(name)?.1.channel.clone());
        channel.filter(|channel| is_fine(channel)).or(triage)
    }

    fn is_passed_on_too_often(&self, declined: &[Declined]) -> bool {
        let max = self.roster.ownership().max_rejections.max(1);
        declined.iter().filter(|declined| declined.was_owner).count() >= max as usize
    }

    /// Who owns the message that a command is about, before it is carried out.
    pub fn owners_before(&self, command: &Command, alerts: &Alerts) -> Vec<Owner> {
        match &command.act {
            Act::NotMe { message, .. } | Act::Assign { message, .. } | Act::Unassign { message } => {
                message_called(message, alerts).map(|message| self.owners(&message)).unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    /// Does what a command says; `None` when it is not about owners. Whoever is told that it was done asks
    /// for owners anew.
    pub fn command(&mut self, command: &Command, alerts: &Alerts, desk: &mut Desk<'_>) -> Option<Answer> {
        let named = match &command.act {
            Act::NotMe { message, .. } | Act::Assign { message, .. } | Act::Unassign { message } => message,
            _ => return None,
        };
        let message = match message_called(named, alerts) {
            Ok(message) => message,
            Err(text) => return Some(refusal(&text)),
        };
        if let Some(answer) = self.repeated(&message, command) {
            return Some(answer);
        }
        let done = match &command.act {
            Act::NotMe { person, proposed, reason, .. } => {
                let (person, proposed) = (person.as_deref(), proposed.as_deref());
                self.not_me(command, &message, person, proposed, reason.as_deref(), desk)
            }
            Act::Assign { owner, reason, .. } => {
                self.assign(command, &message, owner, reason.as_deref(), desk)
            }
            _ => self.unassign(command, &message, desk),
        };
        Some(done.unwrap_or_else(|text| refusal(&text)))
    }

    /// "It wasn't me."
    fn not_me(
        &mut self,
        command: &Command,
        message: &Message,
        person: Option<&str>,
        proposed: Option<&str>,
        reason: Option<&str>,
        desk: &mut Desk<'_>,
    ) -> Result<Answer, String> {
        let actor = self.roster.canonical(&command.actor).to_owned();
        let person = self.roster.canonical(person.unwrap_or(&actor)).to_owned();
        let owners = self.owners(message);
        let is_them = |owner: &&Owner| self.roster.is_same(&owner.name, &person);
        let was_owner = owners.iter().any(|owner| is_them(&owner));
        let mut declined = self.declined(message.id);
        if let Some(proposed) = proposed {
            self.may_own(proposed, &actor, &declined, &person)?;
        }
        match declined.iter_mut().find(|known| self.roster.is_same(&known.name, &person)) {
            Some(known) => known.was_owner |= was_owner,
            None => declined.push(Declined { name: person.clone(), was_owner }),
        }
        let mut others: Vec<String> =
            owners.iter().filter(|owner| !is_them(owner)).map(|owner| owner.name.clone()).collect();
        let is_triage = was_owner && self.is_passed_on_too_often(&declined);
        let owners_now = match proposed.map(|proposed| self.roster.canonical(proposed).to_owned()) {
            // Passing it on once more would only be more of the same.
            _ if is_triage => Some(self.next(message, &declined).into_iter().collect()),
            Some(proposed) if was_owner => {
                others.push(proposed);
                Some(others)
            }
            Some(proposed) => Some(vec![proposed]),
            None if !was_owner => self.step_of(message.id).and_then(|step| step.owners.clone()),
            None if others.is_empty() => Some(self.next(message, &declined).into_iter().collect()),
            None => Some(others),
        };
        let because = match &person {
            person if *person == actor => format!("{actor} said it is not theirs"),
            person => format!("{actor} said it is not {person}'s"),
        };
        let n_declined = declined.iter().filter(|declined| declined.was_owner).count();
        let step = step(command, &actor, desk.now_ms, reason, because, owners_now, declined);
        self.say(message, step)?;
        let now = self.owners(message);
        let title = title(message);
        let withdrawn = self.withdraw(message, &person, &command.id, desk);
        let mut text = match (was_owner, now.as_slice()) {
            (false, []) => format!("{title}: {person} does not own it, and nobody else does."),
            (false, now) => format!("{title}: {person} will not get it. Its owner is {}.", names(now)),
            (true, []) => format!("{title}: no longer {person}'s. Nobody is left to own it."),
            (true, now) if is_triage => {
                format!("{title}: {n_declined} people declined, so it goes to {}.", names(now))
            }
            (true, now) => format!("{title}: no longer {person}'s. It goes to {} now.", names(now)),
        };
        if was_owner {
            let undo_for = wording::duration(self.roster.ownership().undo_for_ms);
            text.push_str(&format!(" This can be undone within {undo_for}."));
        }
        let by = format!("not me, {actor}");
        desk.records.note(desk.now_ms, Cause::Command, &message.id.to_string(), &by, &text);
        Ok(answer(message.id, text, &now, withdrawn))
    }

    /// Names an owner.
    fn assign(
        &mut self,
        command: &Command,
        message: &Message,
        owner: &str,
        reason: Option<&str>,
        desk: &mut Desk<'_>,
    ) -> Result<Answer, String> {
        let actor = self.roster.canonical(&command.actor).to_owned();
        let mut declined = self.declined(message.id);
        self.may_own(owner, &actor, &declined, "")?;
        let owner = self.roster.canonical(owner).to_owned();
        // Who takes it accepts it.
        declined.retain(|known| !self.roster.is_same(&known.name, &owner));
        let before = self.owners(message);
        let because = format!("{actor} gave it to {owner}");
        let owners = Some(vec![owner.clone()]);
        let step = step(command, &actor, desk.now_ms, reason, because, owners, declined);
        self.say(message, step)?;
        let mut withdrawn = 0;
        for old in before.iter().filter(|old| !self.roster.is_same(&old.name, &owner)) {
            withdrawn += self.withdraw(message, &old.name, &command.id, desk);
        }
        let now = self.owners(message);
        let text = format!("{}: {} owns it now.", title(message), names(&now));
        desk.records.note(
            desk.now_ms,
            Cause::Command,
            &message.id.to_string(),
            &format!("assign, {actor}"),
            &text,
        );
        Ok(answer(message.id, text, &now, withdrawn))
    }

    /// Takes back the last thing that was said, when it is younger than a day; otherwise everything.
    fn unassign(
        &mut self,
        command: &Command,
        message: &Message,
        desk: &mut Desk<'_>,
    ) -> Result<Answer, String> {
        let undo_for_ms = self.roster.ownership().undo_for_ms;
        let (id, title) = (message.id.to_string(), title(message));
        let Some(known) = self.book.get_mut(&id) else {
            return Err(format!("{title}: nobody changed its owner"));
        };
        let last = known.steps.pop();
        let age_ms = last.as_ref().map_or(0, |last| desk.now_ms.saturating_sub(last.at_ms));
        if age_ms > undo_for_ms || known.steps.is_empty() {
            self.index.remove(&message.id);
            self.book.remove(&id);
        }
        let actor = self.roster.canonical(&command.actor).to_owned();
        let now = self.owners(message);
        let said = last.map(|last| last.because).unwrap_or_default();
        let text = match now.as_slice() {
            [] => format!("{title}: taken back ({said}). Nobody owns it."),
            now => format!("{title}: taken back ({said}). {} owns it again.", names(now)),
        };
        desk.records.note(desk.now_ms, Cause::Command, &id, &format!("unassign, {actor}"), &text);
        Ok(answer(message.id, text, &now, 0))
    }

    /// Whether somebody can be given a message; otherwise why not.
    fn may_own(&self, name: &str, actor: &str, declined: &[Declined], leaves: &str) -> Result<(), String> {
        let shown = shown(name);
        let is_name = name.len() <= MAX_NAME_BYTES
            && !name.chars().any(|c| c.is_whitespace() || c.is_control())
            && matches!(
                Destination::named(name),
                Destination::Channel(_) | Destination::Team(_) | Destination::Person(_)
            );
        if !is_name || name.len() < 2 {
            return Err(format!("`{shown}` is no owner: wanted #channel, @handle, a@b.c or @org/team"));
        }
        if !leaves.is_empty() && self.roster.is_same(name, leaves) {
            return Err(format!("{shown} cannot decline it and have it"));
        }
        if self.roster.has_left(name) {
            let heir = self.roster.heir(name).map(|heir| format!(": {heir} took over")).unwrap_or_default();
            return Err(format!("{shown} has left{heir}"));
        }
        if self.is_declined_by(name, declined) && !self.roster.is_same(name, actor) {
            return Err(format!("{shown} said it is not theirs: only they can take it"));
        }
        Ok(())
    }

    fn declined(&self, id: MessageId) -> Vec<Declined> {
        self.step_of(id).map(|step| step.declined.clone()).unwrap_or_default()
    }

    /// The answer to a command that was carried out already.
    fn repeated(&self, message: &Message, command: &Command) -> Option<Answer> {
        let known = self.book.get(&message.id.to_string())?;
        let step = known.steps.iter().find(|step| step.command == command.id)?;
        let now = self.owners(message);
        let text = format!("{}: {} already. Its owner is {}.", title(message), step.because, names(&now));
        Some(answer(message.id, text, &now, 0))
    }

    fn say(&mut self, message: &Message, step: Step) -> Result<(), String> {
        let id = message.id.to_string();
        if let Some(known) = self.book.get_mut(&id) {
            known.steps.push(step);
            if known.steps.len() > MAX_STEPS {
                known.steps.remove(0);
            }
            return Ok(());
        }
        if self.book.len() >= MAX_OVERRIDES {
            return Err(format!("{MAX_OVERRIDES} messages have been assigned already: take some back first"));
        }
        self.index.insert(message.id);
        let annotations = message.annotations.clone();
        self.book.put(Override { id, title: title(message), annotations, steps: vec![step] });
        Ok(())
    }

    /// Takes a message out of the notices that wait for somebody who no longer owns it.
    fn withdraw(&self, message: &Message, name: &str, by: &str, desk: &mut Desk<'_>) -> usize {
        let theirs = Destination::named(name);
        let is_it = |row: &NoticeRow| {
            let named = row.message.as_deref().and_then(|text| text.parse().ok());
            named.is_some_and(|named| named == message.id || message.was.contains(&named))
        };
        let waits = |state| matches!(state, State::Pending | State::Held | State::Retry);
        let rows: Vec<(String, Vec<bool>)> = desk
            .outbox
            .iter()
            .filter(|intent| waits(intent.state) && self.roster.reaches_same(&intent.destination, &theirs))
            .map(|intent| {
                let told = intent.rows_told();
                let rows = intent.notice.rows.iter().enumerate();
                let is_out = rows.map(|(place, row)| place >= told && is_it(row)).collect();
                (intent.id.clone(), is_out)
            })
            .filter(|(_, is_out): &(String, Vec<bool>)| is_out.contains(&true))
            .collect();
        for (intent, is_out) in &rows {
            desk.outbox.withdraw(intent, is_out, Cause::Superseded, by, desk.now_ms, desk.records);
        }
        rows.len()
    }

    /// Appends what has changed.
    pub fn deltas(&mut self, out: &mut Vec<Delta>) {
        self.book.deltas(out);
    }

    /// Puts in a row as it was written.
    pub fn restore(&mut self, id: &str, body: &str) -> Result<(), String> {
        let message = id.parse().map_err(|error| format!("wanted a message, found {id}: {error}"))?;
        self.book.restore(id, body)?;
        self.index.insert(message);
        Ok(())
    }
}

fn is_same_annotation(a: &[String], b: &[String]) -> bool {
    let words = |texts: &[String]| -> BTreeSet<String> {
        texts.iter().flat_map(|text| text.split_whitespace()).map(str::to_owned).collect()
    };
    words(a) == words(b)
}

fn names(owners: &[Owner]) -> String {
    owners.iter().map(|owner| owner.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// The message in words.
fn title(message: &Message) -> String {
    let text =
        if message.template.is_empty() { message.id.to_string() } else { message.template.to_string() };
    text.chars().take(MAX_TITLE_CHARS).collect()
}

fn step(
    command: &Command,
    actor: &str,
    at_ms: i64,
    reason: Option<&str>,
    because: String,
    owners: Option<Vec<String>>,
    declined: Vec<Declined>,
) -> Step {
    let reason = reason.map(str::trim).filter(|reason| !reason.is_empty()).map(str::to_owned);
    let because = match &reason {
        Some(reason) => format!("{because}: {reason}"),
        None => because,
    };
    Step { command: command.id.clone(), by: actor.to_owned(), at_ms, reason, because, owners, declined }
}

fn answer(id: MessageId, text: String, owners: &[Owner], withdrawn: usize) -> Answer {
    let body = json!({"message": id.to_string(), "owners": owners, "withdrawn": withdrawn});
    Answer { is_done: true, text, body }
}
