//! The fold over the journal: one input at a time, in one order.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::book::{Cell, Delta, Table, Waiting};
use crate::counters::Counters;
use crate::engine::Engine;
use crate::fit::Fit;
use crate::manager::Manager;
use crate::outbox::Outbox;
use crate::{
    Answer, CloseReason, Config, Event, Input, RuleStatus, Stamp, Stamped, Transition, Troubles, Watermarks,
};

/// Rows of the outbox that ended are kept for this long: no provider remembers longer.
const KEEP_OUTBOX_MS: i64 = 30 * DAY_MS;
/// What was held back and done is kept for this long.
const KEEP_RECORDS_MS: i64 = 90 * DAY_MS;
const DAY_MS: i64 = 24 * 3_600_000;

/// Everything that is remembered and decided.
///
/// The state is a function of the configuration and of the inputs in their order, and nothing else. After any
/// input [`Router::deltas`] tells what has to be written; a router that is given all of it back by
/// [`Router::restore`] goes on as if nothing had happened.
#[derive(Debug)]
pub struct Router {
    config: Arc<Config>,
    clock: Clock,
    watermarks: Watermarks,
    counters: Counters,
    fit: Fit,
    engine: Engine,
    manager: Manager,
    transitions: Vec<Transition>,
}

/// What the router remembers of time and of its configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Clock {
    now_ms: i64,
    config: String,
    /// The day that old rows were last forgotten on.
    tidied_day: i64,
    #[serde(skip)]
    is_changed: bool,
}

/// A part of the state as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saved {
    /// A row of a table.
    Row {
        /// Where.
        table: Table,
        /// Its id.
        id: String,
        /// A JSON object.
        body: String,
    },
    /// A rule's key.
    Cell(Cell),
    /// Events that wait for the watermark.
    Waiting(Waiting),
}

impl Router {
    /// A router without a past.
    pub fn new(config: Arc<Config>, now_ms: i64) -> Router {
        Router::restore(config, now_ms, std::iter::empty()).0
    }

    /// A router that goes on from what was written, and what of that could not be understood.
    ///
    /// `config` is today's: what it means differently from the one that was in force takes effect now.
    pub fn restore(
        config: Arc<Config>,
        now_ms: i64,
        saved: impl IntoIterator<Item = Saved>,
    ) -> (Router, Vec<String>) {
        let mut router = Router {
            config: Arc::clone(&config),
            clock: Clock::default(),
            watermarks: Watermarks::default(),
            counters: Counters::default(),
            fit: Fit::default(),
            engine: Engine::default(),
            manager: Manager::default(),
            transitions: Vec::new(),
        };
        let mut problems = Vec::new();
        let mut notes = Vec::new();
        let (mut cells, mut waiting) = (Vec::new(), Vec::new());
        for saved in saved {
            match saved {
                Saved::Cell(cell) => cells.push(cell),
                Saved::Waiting(batch) => waiting.push(batch),
                Saved::Row { table: Table::Notes, id, body } if id.starts_with("engine") => {
                    notes.push((id, body));
                }
                Saved::Row { table, id, body } => {
                    problems.extend(router.put(table, &id, &body).err());
                }
            }
        }
        router.pass(now_ms);
        router.configure_parts(&config);
        // The rules take their notes first, then their keys, then what waits, each in its own order.
        router.engine.configure(&config.rules, router.clock.now_ms, &mut router.transitions);
        for (id, body) in notes {
            problems.extend(router.engine.restore_note(&id, &body).err());
        }
        cells.sort_by(|a, b| (&a.rule, &a.key).cmp(&(&b.rule, &b.key)));
        for cell in &cells {
            router.engine.restore_cell(cell, &mut router.transitions);
        }
        waiting.sort_by_key(|batch| batch.number);
        for batch in &waiting {
            problems.extend(router.engine.restore_waiting(batch).err());
        }
        router.engine.restored();
        router.hand_over();
        (router, problems)
    }

    fn put(&mut self, table: Table, id: &str, body: &str) -> Result<(), String> {
        match table {
            Table::Partitions => self.watermarks.restore(id, body),
            Table::Counters => self.counters.restore(id, body),
            Table::Notes if id == "clock" => {
                self.clock = serde_json::from_str(body)
                    .map_err(|error| format!("wanted the clock's row of notes: {error}"))?;
                Ok(())
            }
            // The process that runs the router keeps notes of its own there.
            Table::Notes if id.starts_with("service") => Ok(()),
            Table::Notes if Fit::is_note(id) => self.fit.restore(id, body),
            table => self.manager.restore(table, id, body),
        }
    }

    /// Takes the next input. What a command did is answered.
    pub fn step(&mut self, input: Input) -> Option<Answer> {
        match input {
            Input::Event(event) => self.event(&event),
            Input::Tick(now_ms) => self.tick(now_ms),
            Input::Partition(id, news) => {
                self.watermarks.news(id, &news, &self.config, self.clock.now_ms);
            }
            Input::Lines(counts) => self.counters.add(&counts),
            Input::Command(command) => {
                self.pass(command.at_ms);
                let ended = self.manager.episode_to_resolve(&command);
                let answer = self.manager.command(&command, self.clock.now_ms);
                if let Some(episode) = ended {
                    self.engine.resolve(&episode, self.clock.now_ms, &mut self.transitions);
                    self.hand_over();
                }
                return Some(answer);
            }
            Input::Presence(presence) => {
                self.pass(presence.at_ms);
                self.manager.presence(&presence, self.clock.now_ms);
            }
            Input::Receipt(receipt) => {
                self.pass(receipt.at_ms);
                self.manager.receipt(&receipt, self.clock.now_ms);
            }
            Input::Troubles(troubles) => {
                self.pass(troubles.at_ms);
                self.tell(&troubles.of, &Troubles::CAUSES);
            }
            Input::Word(word) => {
                self.pass(word.at_ms);
                if let Some(episode) = self.manager.word(&word, self.clock.now_ms) {
                    self.engine.close(&episode, CloseReason::Ended, &mut self.transitions);
                    self.hand_over();
                }
            }
            Input::Configuration(config) => self.configure(&config),
        }
        None
    }

    fn event(&mut self, event: &Event) {
        self.pass(event.ingested_ms);
        let counts = self.counters.of(&event.source);
        let stamp = self.watermarks.stamp(event, &self.config, self.manager.records_mut());
        let (at_ms, is_late) = match stamp {
            Stamp::Repeated => {
                counts.repeated += 1;
                return;
            }
            Stamp::At(at_ms) => (at_ms, false),
            Stamp::Late(at_ms) | Stamp::TooOld(at_ms) => (at_ms, true),
        };
        counts.events += 1;
        counts.late += u64::from(matches!(stamp, Stamp::Late(_)));
        counts.too_old += u64::from(matches!(stamp, Stamp::TooOld(_)));
        self.fit.occur(event);
        let stamped = Stamped { event, at_ms, is_late };
        self.manager.occur(&stamped, self.clock.now_ms);
        if !matches!(stamp, Stamp::TooOld(_)) {
            let watermark_ms = self.watermarks.now_ms();
            self.engine.arrive(stamped, watermark_ms, self.clock.now_ms, &mut self.transitions);
            self.hand_over();
        }
    }

    fn tick(&mut self, now_ms: i64) {
        self.pass(now_ms);
        let now_ms = self.clock.now_ms;
        let watermark_ms = self.watermarks.tick(now_ms);
        let is_healthy = self.watermarks.is_healthy();
        self.engine.advance(watermark_ms, is_healthy, now_ms, &mut self.transitions);
        self.hand_over();
        self.tell_troubles();
        self.manager.tick(now_ms);
        let day = now_ms.div_euclid(DAY_MS);
        if day != self.clock.tidied_day {
            self.clock.tidied_day = day;
            self.clock.is_changed = true;
            self.manager.outbox_mut().forget_before(now_ms - KEEP_OUTBOX_MS);
            self.manager.records_mut().forget_before(now_ms - KEEP_RECORDS_MS);
        }
    }

    /// Has it said what Dice itself needs somebody for, and that it no longer does.
    fn tell_troubles(&mut self) {
        let now_ms = self.clock.now_ms;
        let mut troubles: BTreeMap<String, String> = self.fit.troubles().collect();
        for partition in self.watermarks.stalled(now_ms) {
            let (since_ms, why) = partition.lost.clone().unwrap_or((now_ms, "".into()));
            let (source, minutes) = (&partition.source, (now_ms - since_ms) / 60_000);
            // What follows a tab tells partitions of one name apart, for machines.
            let name = partition.name.split('\t').find(|part| **part != **source).unwrap_or_default();
            let text = format!(
                "source {source} cannot read {name} for {minutes} m: {why}; rules that wait for something \
                 missing are undecided until it can"
            );
            troubles.insert(format!("input_stalled {source} {name}"), text);
        }
        for status in self.engine.degraded() {
            let RuleStatus { rule, evicted, hurried, unreadable, .. } = &status;
            let mut why = Vec::new();
            if *evicted > 0 {
                why.push(format!(
                    "{evicted} keys were forgotten for want of room: raise max_keys or narrow the key"
                ));
            }
            if *hurried > 0 {
                why.push(format!("{hurried} times too many events waited and were decided early"));
            }
            if *unreadable > 0 {
                why.push(format!("{unreadable} saved keys could not be read"));
            }
            let text = format!("rule {rule} sees less than it should: {}", why.join("; "));
            troubles.insert(format!("rule_degraded {rule}"), text);
        }
        self.tell(&troubles, &["input_stalled ", "rule_degraded ", "catalog_unfit ", "catalog_outdated "]);
    }

    /// Has it said what Dice itself needs somebody for, of the causes that begin with one of `ours`; what is
    /// not among them any more is over.
    fn tell(&mut self, troubles: &BTreeMap<String, String>, ours: &[&str]) {
        let now_ms = self.clock.now_ms;
        for (cause, text) in troubles {
            self.manager.self_alert(cause, text, now_ms);
        }
        let over: Vec<String> = self
            .manager
            .alarms()
            .lasting()
            .filter_map(|alarm| alarm.id.strip_prefix("self/"))
            .filter(|cause| ours.iter().any(|prefix| cause.starts_with(prefix)))
            .filter(|cause| !troubles.contains_key(*cause))
            .map(str::to_owned)
            .collect();
        for cause in over {
            self.manager.self_clear(&cause, now_ms);
        }
    }

    /// Time does not go back, whatever an input says.
    fn pass(&mut self, now_ms: i64) {
        if now_ms > self.clock.now_ms {
            self.clock.now_ms = now_ms;
            self.clock.is_changed = true;
        }
    }

    /// Hands what the rules said to the manager.
    fn hand_over(&mut self) {
        for transition in self.transitions.drain(..) {
            self.manager.transition(&transition, self.clock.now_ms);
        }
    }

    fn configure(&mut self, config: &Arc<Config>) {
        self.configure_parts(config);
        self.engine.configure(&config.rules, self.clock.now_ms, &mut self.transitions);
        self.hand_over();
    }

    /// Everything but the rules. The manager comes before them: the end of an episode of a rule that is gone
    /// is told by today's routes.
    fn configure_parts(&mut self, config: &Arc<Config>) {
        if self.clock.config != config.version {
            self.clock.config.clone_from(&config.version);
            self.clock.is_changed = true;
        }
        self.config = Arc::clone(config);
        self.watermarks.configure(config);
        self.manager.configure(config, self.clock.now_ms);
    }

    /// What has to be written since the last call: all of it in one transaction, with the read positions.
    pub fn deltas(&mut self) -> Vec<Delta> {
        let mut out = Vec::new();
        self.watermarks.deltas(&mut out);
        self.counters.deltas(&mut out);
        self.fit.deltas(&mut out);
        self.engine.deltas(&mut out);
        self.manager.deltas(&mut out);
        if std::mem::take(&mut self.clock.is_changed) {
            let body = serde_json::to_string(&self.clock).expect("a clock is numbers and a name");
            out.push(Delta::Put { table: Table::Notes, id: "clock".to_owned(), body });
        }
        out
    }

    /// The time of the last input, milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms
    }

    /// The configuration in force.
    pub fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// How far event time has come, by partition.
    pub fn watermarks(&self) -> &Watermarks {
        &self.watermarks
    }

    /// What was counted of every source's lines.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The rules and what they keep.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Alerts, groups, snoozes, silences, escalations, digests.
    pub fn manager(&self) -> &Manager {
        &self.manager
    }

    /// The deliveries.
    pub fn outbox(&self) -> &Outbox {
        self.manager.outbox()
    }
}
