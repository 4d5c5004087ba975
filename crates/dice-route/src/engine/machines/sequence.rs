//! Events in an order: whole matches, faults in the order, numbers that are missing.

mod gaps;
mod matching;
mod validation;

use std::sync::Arc;

pub(crate) use gaps::Gaps;
pub(crate) use matching::WholeMatches;
pub(crate) use validation::Validation;

use crate::CloseReason;
use crate::condition::Condition;
use crate::config::SequenceStep;
use crate::engine::codec::{Reader, Writer};
use crate::engine::life::Life;
use crate::engine::machine::{Arrival, Words};
use crate::engine::machines::burst::{Burst, Instant, Many};
use crate::engine::origin::Sample;
use crate::engine::tally::Tally;
use crate::engine::words::{duration, plural};

/// Steps that are told apart; further ones are left out.
pub(crate) const MAX_STEPS: usize = 62;

/// Beginnings of all keys of a rule together; past it the oldest go.
const MAX_PARTIAL_OF_RULE: usize = 100_000;

/// The steps of a sequence, and what must not come between.
#[derive(Debug, Clone)]
pub(crate) struct Steps {
    steps: Vec<SequenceStep>,
    not: Option<Condition>,
    /// Nothing else of the key may come between.
    is_strict: bool,
}

/// What an event is to a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    /// The steps that it may be, a bit each.
    steps: u64,
    /// It must not come between.
    is_not: bool,
}

/// What is kept of an event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Payload {
    part: Part,
    partition: u32,
    offset: u64,
    line: Option<Arc<Sample>>,
}

impl Steps {
    /// These steps in this order.
    pub(crate) fn new(steps: &[SequenceStep], not: Option<&Condition>, is_strict: bool) -> Steps {
        let steps = steps.iter().take(MAX_STEPS).cloned().collect();
        Steps { steps, not: not.cloned(), is_strict }
    }

    fn len(&self) -> u32 {
        self.steps.len() as u32
    }

    fn conditions(&self) -> Vec<&Condition> {
        self.steps.iter().map(|step| &step.condition).chain(&self.not).collect()
    }

    /// Bits of conditions: the rule's own has to hold, and one of the others unless any event matters.
    fn want(&self, bits: u64) -> bool {
        bits & 1 != 0 && (self.is_strict || bits > 1)
    }

    fn payload(&self, arrival: &Arrival<'_>, shown: impl Fn(Part) -> bool) -> Payload {
        let n_steps = self.steps.len();
        let part = Part {
            steps: (arrival.bits >> 1) & !(u64::MAX << n_steps),
            is_not: self.not.is_some() && arrival.holds(n_steps),
        };
        Payload {
            part,
            partition: arrival.event.partition.0,
            offset: arrival.event.offset,
            line: shown(part).then(|| arrival.sample()),
        }
    }

    fn name(&self, step: u32) -> &str {
        self.steps.get(step as usize).map_or("", |step| &step.name)
    }

    /// The names of these steps, a bit each.
    fn names(&self, steps: u64) -> String {
        let names = (0..self.len()).filter(|step| steps >> step & 1 != 0);
        names.map(|step| format!("`{}`", self.name(step))).collect::<Vec<String>>().join(", ")
    }
}

impl Part {
    fn is_step(self, step: u32) -> bool {
        self.steps.checked_shr(step).is_some_and(|rest| rest & 1 != 0)
    }
}

impl Payload {
    fn encode(&self, writer: &mut Writer<'_>) {
        writer.unsigned(self.part.steps);
        writer.flag(self.part.is_not);
        writer.unsigned(u64::from(self.partition));
        writer.unsigned(self.offset);
        writer.sample(self.line.as_ref());
    }

    fn decode(reader: &mut Reader<'_, '_>) -> Option<Payload> {
        Some(Payload {
            part: Part { steps: reader.unsigned()?, is_not: reader.flag()? },
            partition: reader.unsigned_32()?,
            offset: reader.unsigned()?,
            line: reader.sample()?,
        })
    }
}

/// Says that something happened that is over at once, or is part of a burst.
fn tell(
    life: &mut Life<'_>,
    burst: &mut Burst,
    many: Option<Many>,
    at_ms: i64,
    mut tally: Tally,
    words: Words,
) {
    end_burst(life, burst, many, at_ms);
    match burst.take(at_ms, life.is_open(), many) {
        Instant::Alone => life.instant(at_ms, tally, || words),
        Instant::First(times, first_ms) => {
            let window = duration(many.map_or(0, |many| many.window_ms));
            tally.count = tally.count.max(times);
            tally.seen_ms = tally.seen_ms.map(|(first, last)| (first.min(first_ms), last));
            life.open(at_ms, tally, || Words {
                reason: format!("{times} times in {window}, the last: {}", words.reason),
                figures: vec![("times", times as f64)],
            });
        }
        Instant::More => life.merge(&tally),
    }
}

/// When an open burst ends: after every event of its last moment.
fn burst_due_ms(burst: &Burst, many: Option<Many>, opened_ms: Option<i64>) -> Option<i64> {
    let opened_ms = opened_ms?;
    Some(burst.end_ms(many).unwrap_or(opened_ms).saturating_add(1))
}

/// Ends an open burst whose time is over before this moment.
fn end_burst(life: &mut Life<'_>, burst: &mut Burst, many: Option<Many>, at_ms: i64) {
    let Some(opened_ms) = life.episode().map(|episode| episode.opened_ms) else { return };
    let end_ms = burst.end_ms(many).unwrap_or(opened_ms);
    if end_ms >= at_ms {
        return;
    }
    burst.close();
    life.close(end_ms, CloseReason::Cleared, || Words {
        reason: format!("it did not happen for {}", duration(many.map_or(0, |many| many.window_ms))),
        figures: Vec::new(),
    });
}

/// What a reader is told of an open burst.
fn burst_words(tally: &Tally) -> Words {
    Words { reason: plural(tally.count, "event"), figures: Vec::new() }
}
