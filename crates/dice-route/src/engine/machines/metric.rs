//! `metric`: a figure over the values of a field.

use super::buckets::Grid;
use super::hop::{HOPS, Hop};
use super::series::{Series, Values, is_extensive, value_of};
use crate::CloseReason;
use crate::config::{Aggregate, Bound, Measure};
use crate::engine::codec::{Reader, Writer};
use crate::engine::life::{Episode, Life};
use crate::engine::machine::{Arrival, Machine, Pass, Seen, Words};
use crate::engine::recent::Recent;
use crate::engine::tally::Tally;
use crate::engine::words::{aggregate, duration, figure};

/// A figure over the values in a window that moves in sixths of its length.
#[derive(Debug)]
pub(crate) struct Metric {
    measure: Measure,
    window_ms: i64,
    bound: Bound,
    clear: f64,
    min_count: u64,
    clear_for_ms: i64,
    grid: Grid,
}

impl Metric {
    /// The machine with these settings.
    pub(crate) fn new(
        measure: &Measure,
        window_ms: i64,
        bound: Bound,
        clear: f64,
        min_count: u32,
        clear_for_ms: i64,
    ) -> Metric {
        Metric {
            measure: measure.clone(),
            window_ms,
            bound,
            clear,
            min_count: u64::from(min_count.max(1)),
            clear_for_ms,
            grid: Grid::of(window_ms, HOPS),
        }
    }

    fn figure(&self, values: &Values) -> Option<f64> {
        if values.count < self.min_count { None } else { values.figure(self.measure.aggregate) }
    }

    /// Whether it opens for want of events.
    fn is_absence(&self) -> bool {
        matches!(self.bound, Bound::Below(_)) && is_extensive(self.measure.aggregate)
    }

    fn reason(&self, value: Option<f64>, count: u64) -> Words {
        let bound = match self.bound {
            Bound::Above(max) => format!("more than {}", figure(max)),
            Bound::Below(min) => format!("less than {}", figure(min)),
        };
        let name = aggregate(&self.measure);
        let window = duration(self.window_ms);
        match value {
            Some(value) => Words {
                reason: format!("{name} is {} in {window}, {bound}", figure(value)),
                figures: vec![("value", value)],
            },
            None => Words { reason: format!("only {count} values in {window}"), figures: Vec::new() },
        }
    }
}

/// What is kept for a key.
#[derive(Debug)]
pub(crate) struct Figures {
    series: Series,
    hop: Hop,
    recent: Recent,
}

impl Machine for Metric {
    type State = Figures;
    type Payload = f64;
    type Shared = ();

    fn pass(&self) -> Pass {
        Pass::InOrder
    }

    fn payload(&self, arrival: &Arrival<'_>) -> Option<f64> {
        value_of(&self.measure, arrival)
    }

    fn begin(&self, _at_ms: i64) -> Figures {
        Figures {
            series: Series::new(self.measure.aggregate),
            hop: Hop::default(),
            recent: Recent::default(),
        }
    }

    fn eager(
        &self,
        _shared: &mut (),
        state: &mut Figures,
        life: &mut Life<'_>,
        _seen: &Seen<'_, f64>,
        arrival: &Arrival<'_>,
    ) {
        // A line is kept of a key that has as many events as it takes.
        if state.recent.wants_line() && state.series.count() + life.waiting() >= self.min_count {
            state.recent.show(&arrival.sample());
            life.save();
        }
    }

    fn step(&self, _shared: &mut (), state: &mut Figures, life: &mut Life<'_>, seen: &Seen<'_, f64>) {
        state.series.add(self.grid.part(seen.at_ms), *seen.payload, self.measure.aggregate);
        state.recent.add(seen.at_ms, seen.origin, self.window_ms);
        life.count(seen.at_ms, seen.origin);
    }

    fn due(&self, state: &Figures, episode: Option<&Episode>) -> Option<i64> {
        state.hop.due(self.grid, state.series.first(), episode)
    }

    fn timer(&self, _shared: &mut (), state: &mut Figures, life: &mut Life<'_>, at_ms: i64) {
        let (from, end) = state.hop.at(self.grid, at_ms);
        let values = state.series.between(from, end, self.measure.aggregate);
        state.series.drop_before(from + 1);
        let value = self.figure(&values);
        if life.is_open() {
            let is_cleared = value.is_none_or(|value| match self.bound {
                Bound::Above(_) => value < self.clear,
                Bound::Below(_) => value > self.clear,
            });
            if state.hop.is_over(self.grid, life, at_ms, is_cleared, self.clear_for_ms) {
                life.close(at_ms, CloseReason::Cleared, || self.reason(value, values.count));
            }
            return;
        }
        let is_beyond = value.is_some_and(|value| match self.bound {
            Bound::Above(max) => value > max,
            Bound::Below(min) => value < min,
        });
        // What is missing may have been in what could not be read.
        let is_known = !self.is_absence() || life.healthy_since_ms() <= self.grid.start_ms(from);
        if is_beyond && is_known {
            life.open(at_ms, state.recent.tally(), || self.reason(value, values.count));
        }
    }

    fn ended(&self, state: &mut Figures, at_ms: i64) {
        *state = self.begin(at_ms);
    }

    fn words(&self, state: &Figures, _tally: &Tally) -> Words {
        let values = state.series.between(i64::MIN, i64::MAX, self.measure.aggregate);
        self.reason(values.figure(self.measure.aggregate), values.count)
    }

    fn is_vacant(&self, state: &Figures, _at_ms: i64) -> bool {
        state.series.first().is_none()
    }

    fn origins(&self, state: &Figures, mark: &mut dyn FnMut(u32)) {
        state.recent.origins(mark);
    }

    fn encode(&self, state: &Figures, writer: &mut Writer<'_>) {
        state.series.encode(self.measure.aggregate, writer);
        state.hop.encode(writer);
        state.recent.encode(writer);
    }

    fn decode(&self, reader: &mut Reader<'_, '_>) -> Option<Figures> {
        Some(Figures {
            series: Series::decode(self.measure.aggregate, reader)?,
            hop: Hop::decode(reader)?,
            recent: Recent::decode(reader)?,
        })
    }

    fn encode_payload(&self, payload: &f64, writer: &mut Writer<'_>) {
        if self.measure.aggregate != Aggregate::Count {
            writer.float(*payload);
        }
    }

    fn decode_payload(&self, reader: &mut Reader<'_, '_>) -> Option<f64> {
        if self.measure.aggregate == Aggregate::Count { Some(1.0) } else { reader.float() }
    }
}
