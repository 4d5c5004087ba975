//! Runs the engine over a stream, with a store beside it and perhaps a restart.

use std::collections::BTreeMap;
use std::sync::Arc;

use dice_route::book::{Cell, Delta, Waiting};
use dice_route::config::Rule;
use dice_route::{Engine, RuleStatus, Stamped, Transition};

use crate::random::Random;
use crate::stream::{Fact, event, message};

/// What a store would hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Store {
    cells: BTreeMap<(String, String), Cell>,
    waiting: BTreeMap<u64, Waiting>,
    notes: BTreeMap<String, String>,
}

impl Store {
    fn take(&mut self, deltas: Vec<Delta>) {
        for delta in deltas {
            match delta {
                Delta::Put { id, body, .. } => drop(self.notes.insert(id, body)),
                Delta::Delete { id, .. } => drop(self.notes.remove(&id)),
                Delta::PutCell(cell) => {
                    drop(self.cells.insert((cell.rule.clone(), cell.key.clone()), cell));
                }
                Delta::DeleteCell { rule, key } => drop(self.cells.remove(&(rule, key))),
                Delta::PutWaiting(waiting) => drop(self.waiting.insert(waiting.number, waiting)),
                Delta::DropWaiting { up_to } => self.waiting.retain(|number, _| *number > up_to),
            }
        }
    }

    fn next_engine(&self, rules: &[Arc<Rule>], plan: Plan, random: &mut Random) -> Engine {
        if plan.is_damaged { self.damaged_engine(rules, random) } else { self.engine(rules) }
    }

    /// Another engine goes on with what is kept, some of which was damaged: it may know less, and that is all.
    fn damaged_engine(&self, rules: &[Arc<Rule>], random: &mut Random) -> Engine {
        let mut engine = Engine::default();
        let mut out = Vec::new();
        engine.configure(rules, 0, &mut out);
        for (id, body) in &self.notes {
            engine.restore_note(id, body).expect("the engine wrote it");
        }
        for cell in self.cells.values() {
            engine.restore_cell(&Cell { body: damaged(&cell.body, random), ..cell.clone() }, &mut out);
        }
        for waiting in self.waiting.values() {
            let waiting = Waiting { body: damaged(&waiting.body, random), ..waiting.clone() };
            // What cannot be read is said, and what could be read is kept.
            drop(engine.restore_waiting(&waiting));
        }
        engine.restored();
        engine
    }

    fn engine(&self, rules: &[Arc<Rule>]) -> Engine {
        let mut engine = Engine::default();
        let mut out = Vec::new();
        engine.configure(rules, 0, &mut out);
        for (id, body) in &self.notes {
            engine.restore_note(id, body).expect("the engine wrote it");
        }
        self.cells.values().for_each(|cell| engine.restore_cell(cell, &mut out));
        for waiting in self.waiting.values() {
            engine.restore_waiting(waiting).expect("the engine wrote it");
        }
        engine.restored();
        assert_eq!(out, [], "a restart says nothing");
        engine
    }
}

/// The same bytes, or with some of them changed, cut off or put in.
fn damaged(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..random.below(4) {
        let place = random.below(bytes.len() as i64) as usize;
        let any = random.number() as u8;
        let byte = *random.pick(&[0, 1, 2, 127, 128, 255, any]);
        match random.below(8) {
            0 => bytes.truncate(place),
            1 => bytes.insert(place.min(bytes.len()), byte),
            _ if place < bytes.len() => bytes[place] = byte,
            _ => {}
        }
    }
    bytes
}

/// How a stream is run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) lateness_ms: i64,
    /// How far time goes on after the last event.
    pub(crate) after_ms: i64,
    /// Decides how long batches are.
    pub(crate) seed: u64,
    /// The batch after which the engine is saved and another one goes on.
    pub(crate) restart: Option<usize>,
    /// Time passes only at the end of a batch.
    pub(crate) is_lazy: bool,
    /// Now and then a person ends the episode that was told last.
    pub(crate) is_resolved: bool,
    /// What was saved is damaged before the other engine goes on.
    pub(crate) is_damaged: bool,
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) struct Ran {
    pub(crate) transitions: Vec<Transition>,
    pub(crate) store: Store,
    pub(crate) status: Vec<RuleStatus>,
    pub(crate) n_batches: usize,
    /// The facts that were late.
    pub(crate) late: Vec<Fact>,
}

/// Runs it.
pub(crate) fn replay(rules: &[Arc<Rule>], facts: &[Fact], plan: Plan) -> Ran {
    let mut random = Random::new(plan.seed);
    let mut engine = Engine::default();
    let mut transitions = Vec::new();
    let mut store = Store::default();
    let mut watermark_ms = i64::MIN;
    let mut n_batches = 0;
    let mut late = Vec::new();
    let message = message();
    engine.configure(rules, 0, &mut transitions);
    let longest = random.between(1, 20);
    let mut left = random.between(1, longest);
    for fact in facts {
        let event = event(fact, &message);
        let is_late = fact.at_ms <= watermark_ms;
        if is_late {
            late.push(fact.clone());
        }
        let stamped = Stamped { event: &event, at_ms: fact.at_ms, is_late };
        engine.arrive(stamped, watermark_ms, fact.at_ms, &mut transitions);
        watermark_ms = watermark_ms.max(fact.at_ms - plan.lateness_ms);
        left -= 1;
        if left == 0 || !plan.is_lazy {
            engine.advance(watermark_ms, true, fact.at_ms, &mut transitions);
        }
        if left == 0 {
            left = random.between(1, longest);
            if plan.is_resolved && random.percent(20) {
                let told = transitions.last().map(|transition: &Transition| transition.episode.clone());
                told.inspect(|episode| engine.resolve(episode, fact.at_ms, &mut transitions));
            }
            save(&mut engine, &mut store);
            if plan.restart == Some(n_batches) {
                engine = store.next_engine(rules, plan, &mut random);
            }
            n_batches += 1;
        }
    }
    let last_ms = facts.iter().map(|fact| fact.at_ms).max().unwrap_or(0);
    let mut now_ms = watermark_ms.max(0);
    let end_ms = last_ms + plan.after_ms;
    while now_ms < end_ms {
        now_ms = (now_ms + 1 + random.below(plan.after_ms)).min(end_ms);
        engine.advance(now_ms, true, now_ms, &mut transitions);
        save(&mut engine, &mut store);
        if plan.restart == Some(n_batches) {
            engine = store.next_engine(rules, plan, &mut random);
        }
        n_batches += 1;
    }
    Ran { transitions, store, status: engine.status(), n_batches, late }
}

fn save(engine: &mut Engine, store: &mut Store) {
    let mut deltas = Vec::new();
    engine.deltas(&mut deltas);
    store.take(deltas);
}
