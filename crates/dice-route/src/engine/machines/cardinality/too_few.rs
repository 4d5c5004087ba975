//! Too few different values, asked at the edges of sixths of the window.

use super::Values;
use crate::CloseReason;
use crate::engine::codec::{Reader, Writer};
use crate::engine::life::{Episode, Life};
use crate::engine::machine::{Arrival, Machine, Pass, Seen, Words};
use crate::engine::machines::distinct::{Latest, MAX_EXACT, Sketch};
use crate::engine::recent::Recent;
use crate::engine::tally::Tally;

/// Parts of a window: at the end of each it is asked how many values there were.
const N_PARTS: i64 = 6;

/// Too few different values.
///
/// At every edge the window that ends there is looked at: fewer than `needed` open an episode, `clear` or
/// more close it. Only keys that are at least a window old are asked about, and only windows that were read
/// with all inputs connected.
#[derive(Debug)]
pub(crate) struct TooFew {
    values: Values,
    needed: usize,
    clear: usize,
}

/// What is known of a key.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    /// Edges before this one are decided; `None` before the first event.
    next_edge_ms: Option<i64>,
    seen: Distinct,
    recent: Recent,
}

#[derive(Debug, Clone)]
enum Distinct {
    Exact(Latest),
    Rough(Sketch),
}

impl Default for Distinct {
    fn default() -> Distinct {
        Distinct::Exact(Latest::default())
    }
}

impl TooFew {
    /// Fewer than `least` values; closed with at least `clear`.
    pub(crate) fn new(values: Values, least: f64, clear: u32) -> TooFew {
        let needed = least.max(0.0).ceil() as usize;
        TooFew { values, needed, clear: (clear as usize).max(needed) }
    }

    fn part_ms(&self) -> i64 {
        (self.values.within_ms / N_PARTS).max(1)
    }

    /// The first edge at or after this moment.
    fn edge_ms(&self, at_ms: i64) -> i64 {
        let part_ms = self.part_ms();
        let past_ms = at_ms.rem_euclid(part_ms);
        if past_ms == 0 { at_ms } else { at_ms.saturating_add(part_ms - past_ms) }
    }

    fn add(&self, distinct: &mut Distinct, at_ms: i64, value: u64) {
        let part_ms = self.part_ms();
        match distinct {
            Distinct::Exact(latest) => {
                let most = self.needed.max(self.clear);
                if most <= MAX_EXACT {
                    latest.add(at_ms, value, most);
                    return;
                }
                latest.forget_before(at_ms.saturating_sub(self.values.within_ms));
                latest.add(at_ms, value, usize::MAX);
                if latest.len() > MAX_EXACT {
                    let mut sketch = Sketch::default();
                    for (last_ms, value) in latest.iter() {
                        sketch.add(last_ms.saturating_sub(last_ms.rem_euclid(part_ms)), value);
                    }
                    *distinct = Distinct::Rough(sketch);
                }
            }
            Distinct::Rough(sketch) => {
                sketch.add(at_ms.saturating_sub(at_ms.rem_euclid(part_ms)), value);
                sketch.forget_before(at_ms.saturating_sub(self.values.within_ms).saturating_sub(part_ms));
            }
        }
    }

    fn words_of(&self, distinct: f64) -> Words {
        self.values.words(distinct as usize, "", &format!(", at least {} wanted", self.needed))
    }

    /// How many there were in the window that ends at this edge; nothing later is in yet.
    fn count(&self, distinct: &Distinct, edge_ms: i64) -> f64 {
        let from_ms = edge_ms.saturating_sub(self.values.within_ms);
        match distinct {
            Distinct::Exact(latest) => latest.count_from(from_ms) as f64,
            Distinct::Rough(sketch) => sketch.estimate(from_ms, edge_ms).round(),
        }
    }

    /// The first edge at which there may be too few, unless more come.
    fn ask_ms(&self, distinct: &Distinct, next_edge_ms: i64) -> i64 {
        match distinct {
            // Before one of them leaves the window they are enough.
            Distinct::Exact(latest) if latest.len() >= self.needed => {
                latest.first_ms().map_or(next_edge_ms, |first_ms| {
                    let left_ms = first_ms.saturating_add(self.values.within_ms).saturating_add(1);
                    self.edge_ms(left_ms).max(next_edge_ms)
                })
            }
            Distinct::Exact(_) | Distinct::Rough(_) => next_edge_ms,
        }
    }
}

impl Machine for TooFew {
    type State = State;
    type Payload = u64;
    type Shared = ();

    fn pass(&self) -> Pass {
        Pass::InOrder
    }

    fn payload(&self, arrival: &Arrival<'_>) -> Option<u64> {
        self.values.of(arrival)
    }

    fn begin(&self, _at_ms: i64) -> State {
        State::default()
    }

    fn step(&self, _: &mut (), state: &mut State, life: &mut Life<'_>, seen: &Seen<'_, u64>) {
        state.next_edge_ms = Some(match state.next_edge_ms {
            // A younger key is not asked about.
            None => self.edge_ms(seen.at_ms.saturating_add(self.values.within_ms)),
            // While nothing was in the window nobody asked.
            Some(edge_ms) if life.is_open() => edge_ms.max(self.edge_ms(seen.at_ms.saturating_add(1))),
            Some(edge_ms) => edge_ms,
        });
        self.add(&mut state.seen, seen.at_ms, *seen.payload);
        state.recent.add(seen.at_ms, seen.origin, self.values.within_ms);
        if life.is_open() {
            life.count(seen.at_ms, seen.origin);
        }
    }

    fn due(&self, state: &State, episode: Option<&Episode>) -> Option<i64> {
        let next_edge_ms = state.next_edge_ms?;
        let Some(episode) = episode else {
            return Some(self.ask_ms(&state.seen, next_edge_ms));
        };
        // While nothing is in the window only an event can change that.
        let is_silent = match &state.seen {
            Distinct::Exact(latest) => latest
                .nth_ms(1)
                .is_none_or(|last_ms| last_ms < next_edge_ms.saturating_sub(self.values.within_ms)),
            Distinct::Rough(sketch) => sketch.is_empty(),
        };
        (!is_silent || episode.clear_since_ms.is_some()).then_some(next_edge_ms)
    }

    fn timer(&self, _: &mut (), state: &mut State, life: &mut Life<'_>, at_ms: i64) {
        let from_ms = at_ms.saturating_sub(self.values.within_ms);
        state.next_edge_ms = Some(at_ms.saturating_add(self.part_ms()));
        let distinct = self.count(&state.seen, at_ms);
        match &mut state.seen {
            Distinct::Exact(latest) => latest.forget_before(from_ms),
            Distinct::Rough(sketch) => {
                sketch.forget_before(from_ms);
                if sketch.is_empty() {
                    state.seen = Distinct::default();
                }
            }
        }
        if life.is_open() {
            if life.is_cleared(at_ms, distinct >= self.clear as f64) {
                life.close(at_ms, CloseReason::Cleared, || self.words_of(distinct));
            }
        } else if distinct < self.needed as f64 && life.healthy_since_ms() <= from_ms {
            life.open(at_ms, state.recent.tally(), || self.words_of(distinct));
        }
    }

    fn ended(&self, state: &mut State, _at_ms: i64) {
        // Whoever ended it knows that nothing comes: the key is asked about again when something does.
        *state = State::default();
    }

    fn words(&self, state: &State, _: &Tally) -> Words {
        let distinct = self.count(&state.seen, state.next_edge_ms.unwrap_or(i64::MAX));
        self.words_of(distinct)
    }

    fn origins(&self, state: &State, mark: &mut dyn FnMut(u32)) {
        state.recent.origins(mark);
    }

    fn encode(&self, state: &State, writer: &mut Writer<'_>) {
        writer.signed_or_none(state.next_edge_ms);
        match &state.seen {
            Distinct::Exact(latest) => {
                writer.flag(true);
                latest.encode(writer);
            }
            Distinct::Rough(sketch) => {
                writer.flag(false);
                sketch.encode(writer);
            }
        }
        state.recent.encode(writer);
    }

    fn decode(&self, reader: &mut Reader<'_, '_>) -> Option<State> {
        Some(State {
            next_edge_ms: reader.signed_or_none()?,
            seen: if reader.flag()? {
                Distinct::Exact(Latest::decode(reader)?)
            } else {
                Distinct::Rough(Sketch::decode(reader)?)
            },
            recent: Recent::decode(reader)?,
        })
    }

    fn encode_payload(&self, payload: &u64, writer: &mut Writer<'_>) {
        writer.unsigned(*payload);
    }

    fn decode_payload(&self, reader: &mut Reader<'_, '_>) -> Option<u64> {
        reader.unsigned()
    }
}
