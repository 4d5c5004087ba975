//! Occurrences by deduplication key: how often, where, since when, and who answers for it.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use dice_catalog::Level;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::{Desk, Tally};
use crate::book::{Delta, Row, Table};
use crate::condition::Share;
use crate::config::Rule;
use crate::{Cause, Config, Decision, Evidence, Message, MessageId, OwnerDecision, Severity, Stamped};

/// Rows that are kept; a tenth more and the ones that were silent for the longest time go.
const MAX_ALERTS: usize = if cfg!(test) { 100 } else { 100_000 };

/// A row that was silent for this long is forgotten.
const KEPT_MS: i64 = 30 * 24 * 3_600_000;

/// Ways from a message to its row that are remembered.
const MAX_WAYS: usize = 65_536;

/// A sample is replaced by a later line when it is older than this.
const SAMPLE_MS: i64 = 60_000;

/// Put before a message's id where its row stands among those of the alerts.
const MESSAGE: &str = "m:";

/// What is counted under one deduplication key.
///
/// Every occurrence is in exactly one of four tallies: `fresh` until it has been handed to digests and
/// snoozes, `run` while the message goes on without a long pause, `past` afterwards. What was too old when it
/// came waits in `old` and then is of the past: it belongs to no run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// The key: 32 hexadecimal digits.
    pub id: String,
    /// Which message.
    pub message: MessageId,
    /// How serious, by the statement, else by the line.
    pub level: Option<Level>,
    /// Where it runs.
    pub env: Option<Arc<str>>,
    /// The fields that rules add, with their values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<(String, String)>,
    /// A line, as printed.
    pub sample: Box<str>,
    /// When that line happened, milliseconds since 1970.
    pub sample_ms: i64,
    /// Who is told, and how.
    pub owners: Vec<OwnerDecision>,
    /// Why so, in words, without a full stop.
    pub reason: String,
    /// When it was first known, milliseconds since 1970, by the router's time.
    pub since_ms: i64,
    /// When it was last known, by the router's time.
    pub last_ms: i64,
    /// How many runs it had, from 1.
    pub runs: u64,
    /// Whether the last run goes on.
    pub is_running: bool,
    /// Not yet handed over.
    #[serde(default, skip_serializing_if = "Tally::is_empty")]
    pub fresh: Tally,
    /// Not yet handed over, and too old to be told at once.
    #[serde(default, skip_serializing_if = "Tally::is_empty")]
    pub old: Tally,
    /// The run that goes on, or the last one.
    #[serde(default, skip_serializing_if = "Tally::is_empty")]
    pub run: Tally,
    /// Runs before.
    #[serde(default, skip_serializing_if = "Tally::is_empty")]
    pub past: Tally,
}

impl Row for Alert {
    const TABLE: Table = Table::Alerts;

    fn id(&self) -> &str {
        &self.id
    }
}

impl Alert {
    /// What is known of the run that goes on.
    pub fn running(&self) -> Tally {
        let mut tally = self.run.clone();
        tally.fold(&self.fresh);
        tally
    }

    /// Occurrences of the run that goes on.
    pub fn running_count(&self) -> u64 {
        self.run.count + self.fresh.count
    }

    /// Occurrences altogether.
    pub fn count(&self) -> u64 {
        self.past.count + self.old.count + self.running_count()
    }

    /// How much it matters.
    pub fn severity(&self) -> Severity {
        match self.level {
            Some(Level::Critical) => Severity::Critical,
            Some(Level::Error) => Severity::Medium,
            _ => Severity::Low,
        }
    }

    /// What a reader sees of a tally of it.
    pub fn evidence(&self, tally: &Tally, message: Option<&Message>) -> Evidence {
        Evidence {
            env: self.env.clone(),
            messages: vec![self.message],
            sample: Some(self.sample.as_ref().into()),
            place: message.map(|message| message.place.clone()).filter(|place| !place.is_empty()),
            ..tally.evidence()
        }
    }

    fn is_over(&self, now_ms: i64, quiet_ms: i64) -> bool {
        self.is_running && now_ms.saturating_sub(self.last_ms) >= quiet_ms
    }
}

/// What an occurrence asks for beyond being counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attention {
    /// Nothing.
    None,
    /// It was not counted yet: the run before it is over and has to be ended first.
    RunOver(usize),
    /// Its owners have to be asked for, and those who are told at once have to be told.
    Owners {
        /// Which row.
        slot: usize,
        /// The key was not known before.
        is_new: bool,
    },
}

#[derive(Debug, Clone)]
struct Slot {
    alert: Alert,
    message: Arc<Message>,
    /// The state of affairs in which the owners were asked for and told; 0 when they were not.
    settled: u64,
    is_changed: bool,
    is_fresh: bool,
}

/// The ways from a message at a level to its rows, by environment.
#[derive(Debug, Clone)]
struct Way {
    /// Keeps the address that the way is found by.
    _message: Arc<Message>,
    /// Rules that change the key of this message, and whether they ask each event.
    rules: Vec<(Arc<Rule>, Share)>,
    slots: Vec<(Option<Arc<str>>, usize)>,
}

#[derive(Debug, Clone)]
struct Known {
    message: Arc<Message>,
    alerts: usize,
}

#[derive(Serialize)]
struct MessageRow<'a> {
    message: &'a Message,
}

#[derive(Deserialize)]
struct SavedMessageRow {
    message: Message,
}

/// The rows by deduplication key, and the messages they are about.
#[derive(Debug, Clone)]
pub struct Alerts {
    slots: Vec<Option<Slot>>,
    free: Vec<usize>,
    by_id: BTreeMap<String, usize>,
    ways: FxHashMap<(usize, Option<Level>), Way>,
    messages: BTreeMap<MessageId, Known>,
    /// Rules with fields of their own.
    rules: Vec<Arc<Rule>>,
    /// The state of affairs: grows when owners have to be asked for anew.
    now: u64,
    fresh: Vec<usize>,
    changed: Vec<usize>,
    removed: Vec<String>,
    changed_messages: Vec<MessageId>,
}

impl Default for Alerts {
    fn default() -> Alerts {
        Alerts {
            slots: Vec::new(),
            free: Vec::new(),
            by_id: BTreeMap::new(),
            ways: FxHashMap::default(),
            messages: BTreeMap::new(),
            rules: Vec::new(),
            now: 1,
            fresh: Vec::new(),
            changed: Vec::new(),
            removed: Vec::new(),
            changed_messages: Vec::new(),
        }
    }
}

impl Alerts {
    /// Takes rules that change deduplication keys from the configuration.
    pub fn configure(&mut self, config: &Config) {
        let changes =
            |rule: &&Arc<Rule>| !rule.fingerprint_add.is_empty() || !rule.fingerprint_drop.is_empty();
        self.rules = config.rules.iter().filter(changes).cloned().collect();
        self.ways.clear();
        self.ask_anew();
    }

    /// Owners have to be asked for anew when a message occurs again.
    pub fn ask_anew(&mut self) {
        self.now += 1;
    }

    /// Counts one occurrence.
    #[inline]
    pub fn occur(&mut self, stamped: &Stamped<'_>, quiet_ms: i64, desk: &mut Desk<'_>) -> Attention {
        let (at, is_new) = self.find(stamped, desk);
        let Some(slot) = self.slots.get_mut(at).and_then(Option::as_mut) else { return Attention::None };
        let alert = &mut slot.alert;
        if alert.is_over(desk.now_ms, quiet_ms) {
            return Attention::RunOver(at);
        }
        if !alert.is_running {
            alert.is_running = true;
            alert.runs += 1;
            slot.settled = 0;
        }
        alert.last_ms = alert.last_ms.max(desk.now_ms);
        alert.fresh.add(stamped);
        if stamped.at_ms.saturating_sub(alert.sample_ms) >= SAMPLE_MS {
            alert.sample = stamped.event.text.clone();
            alert.sample_ms = stamped.at_ms;
        }
        self.wait(at, is_new)
    }

    /// Counts one occurrence that is too old to be told at once: a run neither begins with it nor goes on.
    pub fn occur_old(&mut self, stamped: &Stamped<'_>, desk: &mut Desk<'_>) -> Attention {
        let (at, is_new) = self.find(stamped, desk);
        let Some(slot) = self.slots.get_mut(at).and_then(Option::as_mut) else { return Attention::None };
        slot.alert.old.add(stamped);
        if !slot.alert.is_running {
            slot.alert.last_ms = slot.alert.last_ms.max(desk.now_ms);
        }
        self.wait(at, is_new)
    }

    /// A row has something to hand over.
    #[inline]
    fn wait(&mut self, at: usize, is_new: bool) -> Attention {
        let Some(slot) = self.slots.get_mut(at).and_then(Option::as_mut) else { return Attention::None };
        if !slot.is_fresh {
            slot.is_fresh = true;
            self.fresh.push(at);
        }
        if !slot.is_changed {
            slot.is_changed = true;
            self.changed.push(at);
        }
        if slot.settled == self.now { Attention::None } else { Attention::Owners { slot: at, is_new } }
    }

    /// The row of an event, made when there is none; true when it was made.
    #[inline]
    fn find(&mut self, stamped: &Stamped<'_>, desk: &mut Desk<'_>) -> (usize, bool) {
        let event = stamped.event;
        let key = (Arc::as_ptr(&event.message) as usize, event.level);
        if let Some(way) = self.ways.get(&key)
            && way.rules.is_empty()
            && let Some((_, at)) = way.slots.iter().find(|(env, _)| *env == event.env)
        {
            return (*at, false);
        }
        self.find_slowly(key, stamped, desk)
    }

    fn find_slowly(
        &mut self,
        key: (usize, Option<Level>),
        stamped: &Stamped<'_>,
        desk: &mut Desk<'_>,
    ) -> (usize, bool) {
        let event = stamped.event;
        if !self.ways.contains_key(&key) {
            self.learn(&event.message);
            if self.ways.len() >= MAX_WAYS {
                self.ways.clear();
            }
            let rules = self
                .rules
                .iter()
                .map(|rule| (rule.clone(), rule.condition.of_message(&event.message)))
                .filter(|(_, share)| *share != Share::Never)
                .collect();
            let way = Way { _message: event.message.clone(), rules, slots: Vec::new() };
            self.ways.insert(key, way);
        }
        let rules = self.ways.get(&key).map_or(&[][..], |way| &way.rules);
        let (mut with_level, mut with_env, mut fields) = (true, true, Vec::new());
        for (rule, share) in rules {
            if *share == Share::Depends && !rule.condition.holds(event) {
                continue;
            }
            with_level &= !rule.fingerprint_drop.iter().any(|field| field.name() == "level");
            with_env &= !rule.fingerprint_drop.iter().any(|field| field.name() == "env");
            for field in &rule.fingerprint_add {
                if !fields.iter().any(|(known, _)| known == field.name()) {
                    let value = field.of(event).map_or_else(String::new, |value| value.into_owned());
                    fields.push((field.name().to_owned(), value));
                }
            }
        }
        let level = event.level.filter(|_| with_level);
        let env = event.env.clone().filter(|_| with_env);
        let has_rules = !rules.is_empty();
        let id = deduplication_key(event.message.id, level, env.as_deref(), &fields);
        let known = self.by_id.get(&*id).copied();
        let at = known.unwrap_or_else(|| {
            self.make_room(desk);
            let alert = Alert {
                id: id.to_string(),
                message: event.message.id,
                level,
                env,
                fields,
                sample: event.text.clone(),
                sample_ms: stamped.at_ms,
                owners: Vec::new(),
                reason: String::new(),
                since_ms: desk.now_ms,
                last_ms: desk.now_ms,
                runs: 0,
                is_running: false,
                fresh: Tally::default(),
                old: Tally::default(),
                run: Tally::default(),
                past: Tally::default(),
            };
            self.insert(alert, event.message.clone())
        });
        if let Some(slot) = self.slots.get_mut(at).and_then(Option::as_mut)
            && !Arc::ptr_eq(&slot.message, &event.message)
        {
            slot.message = event.message.clone();
        }
        if !has_rules && let Some(way) = self.ways.get_mut(&key) {
            way.slots.push((event.env.clone(), at));
        }
        (at, known.is_none())
    }

    /// Keeps what is known of a message, when it is new or differs.
    fn learn(&mut self, message: &Arc<Message>) {
        match self.messages.get_mut(&message.id) {
            Some(known) if known.message == *message => return,
            Some(known) => {
                known.message = message.clone();
                self.now += 1;
            }
            None => {
                self.messages.insert(message.id, Known { message: message.clone(), alerts: 0 });
            }
        }
        self.changed_messages.push(message.id);
    }

    fn insert(&mut self, alert: Alert, message: Arc<Message>) -> usize {
        let at = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        self.by_id.insert(alert.id.clone(), at);
        let known = Known { message: message.clone(), alerts: 0 };
        self.messages.entry(alert.message).or_insert(known).alerts += 1;
        self.slots[at] = Some(Slot { alert, message, settled: 0, is_changed: false, is_fresh: false });
        at
    }

    fn remove(&mut self, at: usize) -> Option<Alert> {
        let slot = self.slots.get_mut(at)?.take()?;
        self.free.push(at);
        self.by_id.remove(&slot.alert.id);
        self.removed.push(slot.alert.id.clone());
        if let Some(known) = self.messages.get_mut(&slot.alert.message) {
            known.alerts -= 1;
            if known.alerts == 0 {
                self.messages.remove(&slot.alert.message);
                self.changed_messages.push(slot.alert.message);
            }
        }
        Some(slot.alert)
    }

    /// Lets those go that were silent for the longest time, a good part of them at once.
    fn make_room(&mut self, desk: &mut Desk<'_>) {
        if self.by_id.len() < MAX_ALERTS + MAX_ALERTS / 10 {
            return;
        }
        let mut oldest: Vec<(i64, &str, usize)> =
            self.iter_slots().map(|(at, slot)| (slot.alert.last_ms, slot.alert.id.as_str(), at)).collect();
        let excess = oldest.len() - MAX_ALERTS;
        oldest.select_nth_unstable(excess);
        let going: Vec<usize> = oldest[..=excess].iter().map(|(_, _, at)| *at).collect();
        self.forget(going, desk, "the messages that were silent for the longest time were forgotten");
    }

    /// Forgets what was silent for too long.
    pub fn sweep(&mut self, desk: &mut Desk<'_>) {
        let bound_ms = desk.now_ms - KEPT_MS;
        let going = self.iter_slots().filter(|(_, slot)| slot.alert.last_ms < bound_ms);
        let going = going.map(|(at, _)| at).collect();
        self.forget(going, desk, "messages that were silent for 30 days were forgotten");
    }

    fn forget(&mut self, going: Vec<usize>, desk: &mut Desk<'_>, text: &str) {
        if going.is_empty() {
            return;
        }
        let (mut rows, mut occurrences) = (0, 0);
        for at in going {
            if let Some(alert) = self.remove(at) {
                rows += 1;
                occurrences += alert.fresh.count + alert.old.count;
            }
        }
        // A way may end at a row that is gone.
        self.ways.clear();
        let slots = &self.slots;
        self.fresh.retain(|at| slots.get(*at).is_some_and(Option::is_some));
        self.changed.retain(|at| slots.get(*at).is_some_and(Option::is_some));
        desk.records.note_many(desk.now_ms, Cause::Evicted, "alerts", "rows", text, rows);
        if occurrences > 0 {
            let text = "occurrences were forgotten before anybody could be told";
            desk.records.note_many(desk.now_ms, Cause::Evicted, "alerts", "occurrences", text, occurrences);
        }
    }

    fn iter_slots(&self) -> impl Iterator<Item = (usize, &Slot)> {
        self.slots.iter().enumerate().filter_map(|(at, slot)| Some((at, slot.as_ref()?)))
    }

    /// The row and its message.
    pub fn at(&self, slot: usize) -> Option<(&Alert, &Arc<Message>)> {
        let slot = self.slots.get(slot)?.as_ref()?;
        Some((&slot.alert, &slot.message))
    }

    /// Where the row with this key is.
    pub fn slot(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// The row with this key.
    pub fn get(&self, id: &str) -> Option<(&Alert, &Arc<Message>)> {
        self.at(*self.by_id.get(id)?)
    }

    /// What is known of a message.
    pub fn message(&self, id: MessageId) -> Option<&Arc<Message>> {
        self.messages.get(&id).map(|known| &known.message)
    }

    /// Every row, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&Alert, &Arc<Message>)> {
        self.by_id.values().filter_map(|at| self.at(*at))
    }

    /// The rows of a message, in the order of the keys.
    pub fn slots_of(&self, message: MessageId) -> Vec<usize> {
        let is_it = |at: &usize| self.at(*at).is_some_and(|(alert, _)| alert.message == message);
        self.by_id.values().copied().filter(is_it).collect()
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Writes down who is told. Nothing is asked for again until something changes.
    pub fn settle(&mut self, at: usize, owners: Vec<OwnerDecision>, reason: String) {
        let now = self.now;
        let Some(slot) = self.slots.get_mut(at).and_then(Option::as_mut) else { return };
        slot.settled = now;
        if slot.alert.owners == owners && slot.alert.reason == reason {
            return;
        }
        (slot.alert.owners, slot.alert.reason) = (owners, reason);
        if !slot.is_changed {
            slot.is_changed = true;
            self.changed.push(at);
        }
    }

    /// Ends the run that goes on.
    pub fn end_run(&mut self, at: usize) {
        let Some(slot) = self.slots.get_mut(at).and_then(Option::as_mut) else { return };
        slot.settled = 0;
        slot.alert.is_running = false;
        let run = std::mem::take(&mut slot.alert.run);
        slot.alert.past.fold(&run);
        if !slot.is_changed {
            slot.is_changed = true;
            self.changed.push(at);
        }
    }

    /// The run goes on, though nothing more came.
    pub fn go_on(&mut self, at: usize, now_ms: i64) {
        let Some(slot) = self.slots.get_mut(at).and_then(Option::as_mut) else { return };
        slot.alert.last_ms = slot.alert.last_ms.max(now_ms);
        if !slot.is_changed {
            slot.is_changed = true;
            self.changed.push(at);
        }
    }

    /// The rows with occurrences that have not been handed over, in the order of their keys.
    pub fn take_fresh(&mut self) -> Vec<usize> {
        let mut fresh = std::mem::take(&mut self.fresh);
        fresh.sort_by(|a, b| self.key_at(*a).cmp(&self.key_at(*b)));
        for at in &fresh {
            if let Some(slot) = self.slots.get_mut(*at).and_then(Option::as_mut) {
                slot.is_fresh = false;
            }
        }
        fresh
    }

    fn key_at(&self, at: usize) -> Option<&str> {
        self.at(at).map(|(alert, _)| alert.id.as_str())
    }

    /// Counts what was fresh as handed over, and gives it.
    pub fn hand_over(&mut self, at: usize) -> Tally {
        let Some(slot) = self.slots.get_mut(at).and_then(Option::as_mut) else { return Tally::default() };
        let fresh = std::mem::take(&mut slot.alert.fresh);
        slot.alert.run.fold(&fresh);
        if !slot.is_changed {
            slot.is_changed = true;
            self.changed.push(at);
        }
        fresh
    }

    /// The same for what was too old to be told at once.
    pub fn hand_over_old(&mut self, at: usize) -> Tally {
        let Some(slot) = self.slots.get_mut(at).and_then(Option::as_mut) else { return Tally::default() };
        let old = std::mem::take(&mut slot.alert.old);
        slot.alert.past.fold(&old);
        if !old.is_empty() && !slot.is_changed {
            slot.is_changed = true;
            self.changed.push(at);
        }
        old
    }

    /// Takes back the tally that was handed over, emptied: its room is needed again for the next events.
    pub fn take_back(&mut self, at: usize, mut tally: Tally) {
        if let Some(slot) = self.slots.get_mut(at).and_then(Option::as_mut)
            && slot.alert.fresh.is_empty()
        {
            tally.clear();
            slot.alert.fresh = tally;
        }
    }

    /// Appends what has changed.
    pub fn deltas(&mut self, out: &mut Vec<Delta>) {
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_by(|a, b| self.key_at(*a).cmp(&self.key_at(*b)));
        let mut removed = std::mem::take(&mut self.removed);
        removed.sort();
        removed.dedup();
        removed.retain(|id| !self.by_id.contains_key(id));
        out.extend(removed.into_iter().map(|id| Delta::Delete { table: Alert::TABLE, id }));
        for at in changed {
            let Some(slot) = self.slots.get_mut(at).and_then(Option::as_mut) else { continue };
            slot.is_changed = false;
            out.push(Delta::Put {
                table: Alert::TABLE,
                id: slot.alert.id.clone(),
                body: serde_json::to_string(&slot.alert)
                    .expect("rows are made of strings, numbers and lists"),
            });
        }
        let mut messages = std::mem::take(&mut self.changed_messages);
        messages.sort_unstable();
        messages.dedup();
        for id in messages {
            let row = format!("{MESSAGE}{id}");
            out.push(match self.message(id) {
                Some(message) => Delta::Put {
                    table: Alert::TABLE,
                    id: row,
                    body: serde_json::to_string(&MessageRow { message })
                        .expect("rows are made of strings, numbers and lists"),
                },
                None => Delta::Delete { table: Alert::TABLE, id: row },
            });
        }
    }

    /// Puts in a row as it was written.
    pub fn restore(&mut self, id: &str, body: &str) -> Result<(), String> {
        let wrong = |error| format!("wanted a row of {}, found {id}: {error}", Alert::TABLE.name());
        if id.starts_with(MESSAGE) {
            let row: SavedMessageRow = serde_json::from_str(body).map_err(wrong)?;
            let message = Arc::new(row.message);
            let known = self.messages.entry(message.id);
            known.or_insert(Known { message: message.clone(), alerts: 0 }).message = message.clone();
            // Rows that came before their message made do with less.
            for slot in self.slots.iter_mut().flatten().filter(|slot| slot.alert.message == message.id) {
                slot.message = message.clone();
            }
            return Ok(());
        }
        let alert: Alert = serde_json::from_str(body).map_err(wrong)?;
        let known = self.messages.get(&alert.message).map(|known| known.message.clone());
        let message = known.unwrap_or_else(|| Arc::new(Message::unknown(alert.message)));
        let is_fresh = alert.fresh.count + alert.old.count > 0;
        let at = self.insert(alert, message);
        if is_fresh && let Some(slot) = self.slots.get_mut(at).and_then(Option::as_mut) {
            slot.is_fresh = true;
            self.fresh.push(at);
        }
        Ok(())
    }

    /// What is done for an owner, decided for the row as a whole; the most urgent counts.
    pub fn decision(alert: &Alert) -> Decision {
        alert.owners.iter().map(|each| each.decision).max().unwrap_or(Decision::None)
    }
}

/// What equal messages are called: the message, its level, its environment, and what rules add.
pub fn deduplication_key(
    message: MessageId,
    level: Option<Level>,
    env: Option<&str>,
    fields: &[(String, String)],
) -> Arc<str> {
    let message = message.to_string();
    let level = level.map_or("", Level::as_str);
    let mut parts: Vec<&[u8]> =
        vec![b"v1", message.as_bytes(), level.as_bytes(), env.unwrap_or_default().as_bytes()];
    for (name, value) in fields {
        parts.extend([name.as_bytes(), value.as_bytes()]);
    }
    crate::name(&parts)
}
