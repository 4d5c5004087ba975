//! "Not me" and assignments: what people say about owners is kept, and beats what the catalog says.

mod known;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use dice_catalog::{Owner, OwnerKind, Why};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub(crate) use self::known::Known;
use self::known::Messages;
use super::roster::Roster;
use crate::book::{Book, Delta, Row, Table};
use crate::outbox::{Draft, Outbox};
use crate::records::Records;
use crate::{
    Answer, Cause, Command, Destination, Lane, Message, MessageId, Notice, NoticeKind, NoticeRow, State,
};

/// What people said about one message that can still be taken back; older words stay but are final.
const MAX_STEPS: usize = 16;

/// Overrides that are kept; more are refused.
const MAX_OVERRIDES: usize = 50_000;

/// Longer names are nobody's.
const MAX_NAME_BYTES: usize = 200;

/// What people said about the owner of a message, until the code says something new.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Override {
    /// The message's id.
    pub(crate) id: String,
    /// The message in words.
    pub(crate) title: String,
    /// The annotations that it overrode: others take its place.
    pub(crate) annotations: Vec<String>,
    /// What was said, the last one holds; never empty.
    pub(crate) steps: Vec<Step>,
}

impl Row for Override {
    const TABLE: Table = Table::Overrides;

    fn id(&self) -> &str {
        &self.id
    }
}

/// What one person said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Step {
    /// The command's id.
    pub(crate) command: String,
    /// Who said it.
    pub(crate) by: String,
    /// When, milliseconds since 1970.
    pub(crate) at_ms: i64,
    /// Why, in their words.
    pub(crate) reason: Option<String>,
    /// What it means, for readers: `@ann said it is not theirs`.
    pub(crate) because: String,
    /// Who answers since then; `None` where that is still the catalog's to say, without those who declined.
    pub(crate) owners: Option<Vec<String>>,
    /// Everybody who declined so far.
    pub(crate) declined: Vec<Declined>,
}

/// Somebody who does not want a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Declined {
    /// Who: a person, or a channel or team that was named.
    pub(crate) name: String,
    /// They were an owner: these send a message to triage.
    pub(crate) was_owner: bool,
}

/// What people said about owners.
#[derive(Debug, Clone)]
pub(crate) struct Overrides {
    book: Book<Override>,
    /// The messages that have one.
    index: BTreeSet<MessageId>,
    messages: Messages,
    roster: Arc<Roster>,
    has_leavers: bool,
}

impl Overrides {
    /// None yet.
    pub(crate) fn new(roster: Arc<Roster>) -> Overrides {
        let has_leavers = roster.has_leavers();
        Overrides {
            book: Book::default(),
            index: BTreeSet::new(),
            messages: Messages::default(),
            roster,
            has_leavers,
        }
    }

    /// Takes another roster.
    pub(crate) fn configure(&mut self, roster: &Arc<Roster>) {
        self.has_leavers = roster.has_leavers();
        self.roster = roster.clone();
    }

    /// Takes note of a message that came; to be called for every event, before its owners are asked for.
    ///
    /// An override goes along with a message that is called something else now. It ends where the code names
    /// somebody since, and then both sides are told.
    pub(crate) fn occur(
        &mut self,
        message: &Arc<Message>,
        now_ms: i64,
        outbox: &mut Outbox,
        records: &mut Records,
    ) {
        if !self.messages.learn(message) || self.index.is_empty() {
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
            self.give_way(message, now_ms, outbox, records);
        }
    }

    /// Ends an override where the annotation is another one than it overrode.
    fn give_way(&mut self, message: &Message, now_ms: i64, outbox: &mut Outbox, records: &mut Records) {
        let id = message.id.to_string();
        let is_same = |known: &Override| is_same_annotation(&known.annotations, &message.annotations);
        if message.annotations.is_empty() || self.book.get(&id).is_none_or(is_same) {
            return;
        }
        let before = self.said(message.id);
        self.index.remove(&message.id);
        let Some(ended) = self.book.remove(&id) else { return };
        let now = self.catalog_owners(&message.owners, message.id, &[]);
        let because = ended.steps.last().map_or("", |step| &step.because);
        let annotation = message.annotations.join(" ");
        let text = format!("the code says {annotation} now: {because} no longer counts");
        records.note(now_ms, Cause::Command, &id, "annotation", &text);
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
                revision: u32::try_from(now_ms.div_euclid(60_000)).unwrap_or(0),
                follows: None,
                due_ms: now_ms,
                held: None,
                notice,
            };
            outbox.post(draft, now_ms, records);
        }
    }

    /// Who answers for a message: what people said, else the catalog; those who left are replaced.
    pub(crate) fn owners<'m>(&self, message: &'m Message) -> Cow<'m, [Owner]> {
        if !self.has_leavers && !self.index.contains(&message.id) {
            return Cow::Borrowed(&message.owners);
        }
        match self.book.get(&message.id.to_string()).and_then(|known| known.steps.last()) {
            Some(Step { owners: Some(_), .. }) => Cow::Owned(self.said(message.id)),
            Some(step) => Cow::Owned(self.catalog_owners(&message.owners, message.id, &step.declined)),
            None => Cow::Owned(self.catalog_owners(&message.owners, message.id, &[])),
        }
    }

    /// The same for a message that has come before, by any of its names; `None` for one that has not.
    pub(crate) fn owners_of(&self, id: MessageId) -> Option<Vec<Owner>> {
        let (id, known) = self.messages.get(id)?;
        Some(match self.book.get(&id.to_string()).and_then(|known| known.steps.last()) {
            Some(Step { owners: Some(_), .. }) => self.said(id),
            Some(step) => self.catalog_owners(&known.owners, id, &step.declined),
            None => self.catalog_owners(&known.owners, id, &[]),
        })
    }

    /// What is known of a message that has come before, by any of its names; with its name of today.
    pub(crate) fn known(&self, id: MessageId) -> Option<(MessageId, &Known)> {
        self.messages.get(id)
    }

    /// Why people own it and not the catalog's owners, in words: `@ann said it is not theirs`.
    pub(crate) fn because(&self, id: MessageId) -> Option<&str> {
        let step = self.book.get(&id.to_string())?.steps.last()?;
        Some(&step.because)
    }

    /// Everything that people said, in the order of the messages.
    pub(crate) fn list(&self) -> impl Iterator<Item = &Override> {
        self.book.iter()
    }

    /// What people said, with those who left replaced.
    fn said(&self, id: MessageId) -> Vec<Owner> {
        let step = self.book.get(&id.to_string()).and_then(|known| known.steps.last());
        let Some((said, step)) = step.and_then(|step| Some((step.owners.as_ref()?, step))) else {
            return Vec::new();
        };
        let said: Vec<Owner> = said.iter().map(|name| Owner::named(name, Why::Override)).collect();
        self.present(&said, id, &step.declined)
    }

    /// What the catalog says, without those who declined.
    fn catalog_owners(&self, owners: &[Owner], id: MessageId, declined: &[Declined]) -> Vec<Owner> {
        let wanted: Vec<Owner> =
            owners.iter().filter(|owner| !self.has_declined(&owner.name, declined)).cloned().collect();
        if wanted.is_empty() && !owners.is_empty() {
            let next = self.next(id, declined);
            return next.into_iter().map(|name| Owner::named(&name, Why::Override)).collect();
        }
        self.present(&wanted, id, declined)
    }

    /// Replaces who has left by who took over, and by the next candidate where nobody did.
    fn present(&self, owners: &[Owner], id: MessageId, declined: &[Declined]) -> Vec<Owner> {
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
            match self.roster.heir(&owner.name).filter(|heir| !self.has_declined(heir, declined)) {
                Some(heir) => add(Owner::named(heir, owner.why)),
                None => {
                    self.next(id, declined).into_iter().for_each(|name| add(Owner::named(&name, owner.why)))
                }
            }
        }
        present
    }

    fn has_declined(&self, name: &str, declined: &[Declined]) -> bool {
        declined.iter().any(|declined| self.roster.is_same(&declined.name, name))
    }

    /// Who is next when those who declined do not want it: a candidate, the team's channel, triage.
    fn next(&self, id: MessageId, declined: &[Declined]) -> Option<String> {
        let config = &self.roster.config().ownership;
        let known = self.messages.get(id).map(|(_, known)| known);
        let fallback = known.and_then(|known| known.fallback.as_ref()).map(|owner| owner.name.clone());
        let triage = config.triage.clone().or(fallback);
        let is_fine = |name: &str| !self.has_declined(name, declined);
        if self.is_passed_on_too_often(declined) {
            return triage;
        }
        let candidate = |owner: &Owner| match owner.kind {
            OwnerKind::Person => self.roster.heir(&owner.name).map(str::to_owned),
            OwnerKind::Channel | OwnerKind::Team => Some(owner.name.clone()),
        };
        let candidates = known.map_or(&[][..], |known| &known.candidates);
        if let Some(next) = candidates.iter().filter_map(candidate).find(|name| is_fine(name)) {
            return Some(next);
        }
        let first =
            declined.iter().find(|declined| declined.was_owner).map(|declined| declined.name.as_str());
        let whose = first.or(known.and_then(|known| known.author.as_deref()));
        let channel = whose.and_then(|name| self.roster.team_of(name)?.1.channel.clone());
        channel.filter(|channel| is_fine(channel)).or(triage)
    }

    fn is_passed_on_too_often(&self, declined: &[Declined]) -> bool {
        let max = self.roster.config().ownership.max_rejections.max(1);
        declined.iter().filter(|declined| declined.was_owner).count() >= max as usize
    }

    /// "It wasn't me."
    #[expect(clippy::too_many_arguments, reason = "the words of the command, and everything it changes")]
    pub(crate) fn not_me(
        &mut self,
        command: &Command,
        message: &str,
        person: Option<&str>,
        proposed: Option<&str>,
        reason: Option<&str>,
        now_ms: i64,
        outbox: &mut Outbox,
        records: &mut Records,
    ) -> Answer {
        let id = match self.find(message) {
            Ok(id) => id,
            Err(text) => return refused(text),
        };
        if let Some(answer) = self.repeated(id, command) {
            return answer;
        }
        let actor = self.roster.canonical(&command.actor).to_owned();
        let person = self.roster.canonical(person.unwrap_or(&actor)).to_owned();
        let owners = self.owners_of(id).unwrap_or_default();
        let is_them = |owner: &&Owner| self.roster.is_same(&owner.name, &person);
        let was_owner = owners.iter().any(|owner| is_them(&owner));
        let mut declined = self.declined(id);
        if let Some(proposed) = proposed
            && let Err(text) = self.may_own(proposed, &actor, &declined, &person)
        {
            return refused(text);
        }
        match declined.iter_mut().find(|known| self.roster.is_same(&known.name, &person)) {
            Some(known) => known.was_owner |= was_owner,
            None => declined.push(Declined { name: person.clone(), was_owner }),
        }
        let mut others: Vec<String> =
            owners.iter().filter(|owner| !is_them(owner)).map(|owner| owner.name.clone()).collect();
        let owners_now = match proposed {
            Some(proposed) if was_owner => {
                others.push(self.roster.canonical(proposed).to_owned());
                Some(others)
            }
            Some(proposed) => Some(vec![self.roster.canonical(proposed).to_owned()]),
            None if !was_owner => self
                .book
                .get(&id.to_string())
                .and_then(|known| known.steps.last().and_then(|step| step.owners.clone())),
            None if self.is_passed_on_too_often(&declined) || others.is_empty() => {
                Some(self.next(id, &declined).into_iter().collect())
            }
            None => Some(others),
        };
        let because = match &person {
            person if *person == actor => format!("{actor} said it is not theirs"),
            person => format!("{actor} said it is not {person}'s"),
        };
        let is_triage = was_owner && proposed.is_none() && self.is_passed_on_too_often(&declined);
        let n_declined = declined.iter().filter(|declined| declined.was_owner).count();
        let step = self.step(command, &actor, now_ms, reason, because, owners_now, declined);
        if let Err(text) = self.say(id, step) {
            return refused(text);
        }
        let now = self.owners_of(id).unwrap_or_default();
        let title = self.title(id);
        let withdrawn = self.withdraw(id, &person, &command.id, now_ms, outbox, records);
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
            text.push_str(" This can be undone within a day.");
        }
        let by = format!("not me, {actor}");
        records.note(now_ms, Cause::Command, &id.to_string(), &by, &text);
        answer(id, text, &now, withdrawn)
    }

    /// Names an owner.
    #[expect(clippy::too_many_arguments, reason = "the words of the command, and everything it changes")]
    pub(crate) fn assign(
        &mut self,
        command: &Command,
        message: &str,
        owner: &str,
        reason: Option<&str>,
        now_ms: i64,
        outbox: &mut Outbox,
        records: &mut Records,
    ) -> Answer {
        let id = match self.find(message) {
            Ok(id) => id,
            Err(text) => return refused(text),
        };
        if let Some(answer) = self.repeated(id, command) {
            return answer;
        }
        let actor = self.roster.canonical(&command.actor).to_owned();
        let mut declined = self.declined(id);
        if let Err(text) = self.may_own(owner, &actor, &declined, "") {
            return refused(text);
        }
        let owner = self.roster.canonical(owner).to_owned();
        // Who takes it accepts it.
        declined.retain(|known| !self.roster.is_same(&known.name, &owner));
        let before = self.owners_of(id).unwrap_or_default();
        let because = format!("{actor} gave it to {owner}");
        let owners = Some(vec![owner.clone()]);
        let step = self.step(command, &actor, now_ms, reason, because, owners, declined);
        if let Err(text) = self.say(id, step) {
            return refused(text);
        }
        let mut withdrawn = 0;
        for old in before.iter().filter(|old| !self.roster.is_same(&old.name, &owner)) {
            withdrawn += self.withdraw(id, &old.name, &command.id, now_ms, outbox, records);
        }
        let now = self.owners_of(id).unwrap_or_default();
        let text = format!("{}: {} owns it now.", self.title(id), names(&now));
        records.note(now_ms, Cause::Command, &id.to_string(), &format!("assign, {actor}"), &text);
        answer(id, text, &now, withdrawn)
    }

    /// Takes back the last thing that was said, when it is younger than a day; otherwise everything.
    pub(crate) fn unassign(
        &mut self,
        command: &Command,
        message: &str,
        now_ms: i64,
        records: &mut Records,
    ) -> Answer {
        let id = match self.find(message) {
            Ok(id) => id,
            Err(text) => return refused(text),
        };
        let undo_for_ms = self.roster.config().ownership.undo_for_ms;
        let title = self.title(id);
        let Some(known) = self.book.get_mut(&id.to_string()) else {
            return refused(format!("{title}: nobody changed its owner"));
        };
        let last = known.steps.pop();
        let is_young = last.as_ref().is_some_and(|last| now_ms.saturating_sub(last.at_ms) <= undo_for_ms);
        if !is_young || known.steps.is_empty() {
            self.index.remove(&id);
            self.book.remove(&id.to_string());
        }
        let actor = self.roster.canonical(&command.actor).to_owned();
        let now = self.owners_of(id).unwrap_or_default();
        let said = last.map(|last| last.because).unwrap_or_default();
        let text = match now.as_slice() {
            [] => format!("{title}: taken back ({said}). Nobody owns it."),
            now => format!("{title}: taken back ({said}). {} owns it again.", names(now)),
        };
        records.note(now_ms, Cause::Command, &id.to_string(), &format!("unassign, {actor}"), &text);
        answer(id, text, &now, 0)
    }

    /// The message that a person means by a name of today or before, or the first digits of one.
    fn find(&self, text: &str) -> Result<MessageId, String> {
        let shown: String = text.chars().take(64).flat_map(char::escape_debug).collect();
        if let Ok(id) = text.parse::<MessageId>() {
            if let Some((id, _)) = self.messages.get(id) {
                return Ok(id);
            }
            return Err(format!("message {shown} has not come yet: ask `dice who` which ones there are"));
        }
        if text.len() < 4 {
            return Err(format!("`{shown}` is no message: wanted at least four of its digits"));
        }
        match self.messages.named(text, 6).as_slice() {
            [] => Err(format!("no message that has come is called `{shown}`")),
            [one] => Ok(*one),
            several => {
                let ids: Vec<String> = several.iter().map(MessageId::to_string).collect();
                Err(format!("`{shown}` fits several messages: {}", ids.join(", ")))
            }
        }
    }

    /// Whether somebody can be given a message; otherwise why not.
    fn may_own(&self, name: &str, actor: &str, declined: &[Declined], leaves: &str) -> Result<(), String> {
        let shown: String = name.chars().take(64).flat_map(char::escape_debug).collect();
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
        if self.has_declined(name, declined) && !self.roster.is_same(name, actor) {
            return Err(format!("{shown} said it is not theirs: only they can take it"));
        }
        Ok(())
    }

    fn declined(&self, id: MessageId) -> Vec<Declined> {
        let step = self.book.get(&id.to_string()).and_then(|known| known.steps.last());
        step.map(|step| step.declined.clone()).unwrap_or_default()
    }

    /// The answer to a command that was carried out already.
    fn repeated(&self, id: MessageId, command: &Command) -> Option<Answer> {
        let known = self.book.get(&id.to_string())?;
        let step = known.steps.iter().find(|step| step.command == command.id)?;
        let now = self.owners_of(id).unwrap_or_default();
        let text = format!("{}: {} already. Its owner is {}.", known.title, step.because, names(&now));
        Some(answer(id, text, &now, 0))
    }

    #[expect(clippy::too_many_arguments, reason = "a step has so many fields")]
    fn step(
        &self,
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

    fn say(&mut self, id: MessageId, step: Step) -> Result<(), String> {
        let key = id.to_string();
        if let Some(known) = self.book.get_mut(&key) {
            known.steps.push(step);
            if known.steps.len() > MAX_STEPS {
                known.steps.remove(0);
            }
            return Ok(());
        }
        if self.book.len() >= MAX_OVERRIDES {
            return Err(format!("{MAX_OVERRIDES} messages have been assigned already: take some back first"));
        }
        let (title, annotations) = match self.messages.get(id) {
            Some((_, known)) => (known.title.clone(), known.annotations.clone()),
            None => (key.clone(), Vec::new()),
        };
        self.index.insert(id);
        self.book.put(Override { id: key, title, annotations, steps: vec![step] });
        Ok(())
    }

    fn title(&self, id: MessageId) -> String {
        self.messages.get(id).map_or_else(|| id.to_string(), |(_, known)| known.title.clone())
    }

    /// Takes a message out of the notices that wait for somebody who no longer owns it.
    fn withdraw(
        &self,
        id: MessageId,
        name: &str,
        by: &str,
        now_ms: i64,
        outbox: &mut Outbox,
        records: &mut Records,
    ) -> usize {
        let theirs = Destination::named(name);
        let is_it = |row: &NoticeRow| {
            let named = row.message.as_deref().and_then(|text| text.parse().ok());
            named.is_some_and(|named| self.messages.get(named).is_some_and(|(now, _)| now == id))
        };
        let waits = |state| matches!(state, State::Pending | State::Held | State::Retry);
        let rows: Vec<(String, Vec<bool>)> = outbox
            .iter()
            .filter(|intent| waits(intent.state) && self.roster.reaches_same(&intent.destination, &theirs))
            .map(|intent| (intent.id.clone(), intent.notice.rows.iter().map(is_it).collect()))
            .filter(|(_, is_out): &(String, Vec<bool>)| is_out.contains(&true))
            .collect();
        for (intent, is_out) in &rows {
            outbox.withdraw(intent, is_out, Cause::Superseded, by, now_ms, records);
        }
        rows.len()
    }

    /// Appends what has changed.
    pub(crate) fn deltas(&mut self, out: &mut Vec<Delta>) {
        self.book.deltas(out);
        self.messages.deltas(out);
    }

    /// Puts in a row as it was written.
    pub(crate) fn restore(&mut self, id: &str, body: &str) -> Result<(), String> {
        if id.starts_with(known::PREFIX) {
            return self.messages.restore(id, body);
        }
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

fn refused(text: String) -> Answer {
    Answer { is_done: false, body: json!({ "error": text }), text }
}

fn answer(id: MessageId, text: String, owners: &[Owner], withdrawn: usize) -> Answer {
    let body = json!({"message": id.to_string(), "owners": owners, "withdrawn": withdrawn});
    Answer { is_done: true, text, body }
}
