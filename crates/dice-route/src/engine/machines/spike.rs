//! `spike`: the rate, or a figure over values, differs from what it was.

use super::baseline::{History, Reference};
use super::buckets::Grid;
use super::hop::{HOPS, Hop};
use super::series::{Series, is_extensive, value_of};
use crate::CloseReason;
use crate::config::{Aggregate, Baseline, Measure, OnNew, SpikeTest, Timing};
use crate::engine::codec::{Reader, Writer};
use crate::engine::life::{Episode, Life};
use crate::engine::machine::{Arrival, Machine, Pass, Seen, Words};
use crate::engine::recent::Recent;
use crate::engine::tally::Tally;
use crate::engine::words::{aggregate, duration, figure};

/// The figure of a window that moves in sixths of its length, compared with what it was before.
///
/// What it was is frozen while an episode is open, so that the spike does not become the measure of itself;
/// past the longest time an episode may be open the key starts over, as if it were new.
#[derive(Debug)]
pub(crate) struct Spike {
    window_ms: i64,
    baseline: Baseline,
    measure: Measure,
    tests: Vec<SpikeTest>,
    on_new: OnNew,
    timing: Timing,
    grid: Grid,
    /// An episode takes so many events at least.
    needed: u64,
}

impl Spike {
    /// The machine with these settings.
    pub(crate) fn new(
        window_ms: i64,
        baseline: Baseline,
        measure: &Measure,
        tests: &[SpikeTest],
        on_new: OnNew,
        timing: Timing,
    ) -> Spike {
        Spike {
            window_ms,
            baseline,
            measure: measure.clone(),
            tests: tests.to_vec(),
            on_new,
            timing,
            grid: Grid::of(window_ms, HOPS),
            needed: needed(measure, tests, on_new),
        }
    }
}

/// How many events are in the window of an episode that opens, at least.
fn needed(measure: &Measure, tests: &[SpikeTest], on_new: OnNew) -> u64 {
    let needed = |test: &SpikeTest| match *test {
        SpikeTest::Up { factor, ref_floor, min_cur } => min_cur.max(factor * ref_floor),
        SpikeTest::Down { .. } | SpikeTest::Delta(_) | SpikeTest::Slope { .. } => 0.0,
    };
    let of_new = match on_new {
        OnNew::FireIf(least) => least,
        OnNew::Skip => f64::INFINITY,
    };
    match measure.aggregate {
        // A little less, where it is a product, which may be a little more than it is.
        Aggregate::Count => (tests.iter().map(needed).fold(of_new, f64::min) * (1.0 - 1e-9)) as u64,
        _ => 0,
    }
}

/// What is kept for a key.
#[derive(Debug)]
pub(crate) struct Rates {
    /// The current window, and what lies before it as far as it is needed.
    series: Series,
    /// The first event, or when the key started over; [`i64::MIN`] before it.
    born_ms: i64,
    hop: Hop,
    recent: Recent,
    more: Option<Box<More>>,
}

/// What is kept for a key when more is needed than the stretches just before the window.
#[derive(Debug)]
struct More {
    /// What is known of earlier times.
    history: History,
    /// What the open episode is compared with; `Some(None)` when there was nothing before.
    frozen: Option<Option<Reference>>,
}

impl Rates {
    fn born_ms(&self) -> Option<i64> {
        (self.born_ms > i64::MIN).then_some(self.born_ms)
    }

    fn history(&self) -> &History {
        static NEAR: History = History::Near;
        self.more.as_deref().map_or(&NEAR, |more| &more.history)
    }

    fn frozen(&self) -> Option<Option<Reference>> {
        self.more.as_deref()?.frozen
    }

    fn freeze(&mut self, reference: Option<Reference>) {
        let more = self.more.get_or_insert_with(|| Box::new(More { history: History::Near, frozen: None }));
        more.frozen = Some(reference);
    }

    fn thaw(&mut self) {
        if let Some(more) = &mut self.more {
            more.frozen = None;
            if more.history == History::Near {
                self.more = None;
            }
        }
    }
}

impl Spike {
    /// The figure of some stretches. Nothing is no figure, unless it is a count or a sum.
    fn figure(&self, series: &Series, from: i64, to: i64) -> Option<f64> {
        series.between(from, to, self.measure.aggregate).figure(self.measure.aggregate)
    }

    /// How much the figure of a stretch has grown a second, over so many stretches.
    fn slope(&self, state: &Rates, end: i64, buckets: u32) -> Option<f64> {
        let buckets = i64::from(buckets.max(1));
        let before = end - 1 - buckets;
        if before < self.grid.part(state.born_ms()?) {
            return None;
        }
        let newer = self.figure(&state.series, end - 1, end)?;
        let older = self.figure(&state.series, before, before + 1)?;
        Some((newer - older) / (buckets as f64 * self.grid.step_ms as f64 / 1_000.0))
    }

    /// Stretches before the end of the window that the series has to keep.
    fn reach(&self) -> i64 {
        let slope = |test: &SpikeTest| match test {
            SpikeTest::Slope { buckets, .. } => i64::from((*buckets).max(1)) + 1,
            _ => 0,
        };
        let slopes = self.tests.iter().map(slope).max().unwrap_or(0);
        slopes.max(self.grid.parts + History::reach(self.baseline, self.grid))
    }

    /// Whether a test holds, in words.
    fn holds(
        &self,
        test: &SpikeTest,
        state: &Rates,
        end: i64,
        current: Option<f64>,
        reference: Option<Reference>,
    ) -> Option<String> {
        match *test {
            SpikeTest::Up { factor, ref_floor, min_cur } => {
                let (current, usual) = (current?, reference?.up.max(ref_floor));
                let is_up = current > 0.0 && current >= min_cur && current >= factor * usual;
                is_up.then(|| format!("at least {} times {}", figure(factor), figure(usual)))
            }
            SpikeTest::Down { factor, min_ref } => {
                let (current, usual) = (current?, reference?.down);
                let is_down = usual > 0.0 && usual >= min_ref && usual >= factor * current.max(1.0);
                is_down.then(|| format!("{} is at least {} times as much", figure(usual), figure(factor)))
            }
            SpikeTest::Delta(difference) => {
                let usual = reference?.middle;
                let is_off = difference > 0.0 && (current? - usual).abs() >= difference;
                is_off.then(|| format!("at least {} off {}", figure(difference), figure(usual)))
            }
            SpikeTest::Slope { per_s, buckets } => {
                let slope = self.slope(state, end, buckets)?;
                (slope >= per_s).then(|| format!("grows by {} a second", figure(slope)))
            }
        }
    }

    /// Whether it is unusual that nothing comes: by an average that is no lower once it is asked.
    fn is_missed(&self, state: &Rates) -> bool {
        let History::Average { mean: Some(mean), .. } = state.history() else { return false };
        let usual = Some(Reference::from(mean * self.grid.parts as f64));
        let holds = |test: &SpikeTest| match test {
            SpikeTest::Down { .. } | SpikeTest::Delta(_) => {
                self.holds(test, state, 0, Some(0.0), usual).is_some()
            }
            SpikeTest::Up { .. } | SpikeTest::Slope { .. } => false,
        };
        is_extensive(self.measure.aggregate) && self.tests.iter().any(holds)
    }

    /// Whether a test is far from holding: half of what it takes.
    fn is_calm(
        &self,
        test: &SpikeTest,
        state: &Rates,
        end: i64,
        current: Option<f64>,
        reference: Option<Reference>,
    ) -> bool {
        let Some(current) = current else { return true };
        match *test {
            SpikeTest::Up { factor, ref_floor, .. } => {
                let usual = reference.map_or(0.0, |reference| reference.up).max(ref_floor);
                current <= 0.0 || current < (1.0 + (factor - 1.0) / 2.0) * usual
            }
            SpikeTest::Down { factor, .. } => {
                let usual = reference.map_or(0.0, |reference| reference.down);
                usual / current.max(1.0) < 1.0 + (factor - 1.0) / 2.0
            }
            SpikeTest::Delta(difference) => {
                reference.is_none_or(|reference| (current - reference.middle).abs() < difference / 2.0)
            }
            SpikeTest::Slope { per_s, buckets } => {
                self.slope(state, end, buckets).is_none_or(|slope| slope < per_s / 2.0)
            }
        }
    }

    fn figures(&self, current: Option<f64>, reference: Option<Reference>) -> Vec<(&'static str, f64)> {
        let mut figures = Vec::new();
        figures.extend(current.map(|current| ("value", current)));
        if let Some(reference) = reference {
            figures.push(("reference", reference.middle));
            if let Some(current) = current.filter(|_| reference.middle != 0.0) {
                figures.push(("ratio", current / reference.middle));
            }
        }
        figures
    }

    fn say(&self, current: Option<f64>, reference: Option<Reference>, why: &str) -> Words {
        let name = aggregate(&self.measure);
        let current_text = current.map_or("nothing".to_owned(), figure);
        let reason = format!("{name} is {current_text} in {}, {why}", duration(self.window_ms));
        Words { reason, figures: self.figures(current, reference) }
    }

    fn watch(&self, state: &mut Rates, life: &mut Life<'_>, at_ms: i64, end: i64, current: Option<f64>) {
        let Some(reference) = state.frozen() else { return };
        let is_calm = match self.on_new {
            // It was opened because there was nothing to compare with.
            OnNew::FireIf(least) if reference.is_none() => current.is_none_or(|now| now < least / 2.0),
            _ => self.tests.iter().all(|test| self.is_calm(test, state, end, current, reference)),
        };
        if state.hop.is_over(self.grid, life, at_ms, is_calm, self.timing.clear_for_ms) {
            if let Some(more) = &mut state.more {
                more.history.resume(end - self.grid.parts);
            }
            state.thaw();
            life.close(at_ms, CloseReason::Cleared, || self.say(current, reference, "as it was before"));
            return;
        }
        let opened_ms = life.episode().map_or(at_ms, |episode| episode.opened_ms);
        if at_ms.saturating_sub(opened_ms) >= self.timing.max_open_ms {
            let why = "for so long that it counts as usual from now on";
            life.close(at_ms, CloseReason::Rebaselined, || self.say(current, reference, why));
            self.ended(state, at_ms);
            state.born_ms = at_ms;
        }
    }
}

impl Machine for Spike {
    type State = Rates;
    type Payload = f64;
    type Shared = ();

    fn pass(&self) -> Pass {
        Pass::InOrder
    }

    fn payload(&self, arrival: &Arrival<'_>) -> Option<f64> {
        value_of(&self.measure, arrival)
    }

    fn begin(&self, _at_ms: i64) -> Rates {
        let history = History::new(self.baseline, self.measure.aggregate);
        Rates {
            series: Series::new(self.measure.aggregate),
            born_ms: i64::MIN,
            hop: Hop::default(),
            recent: Recent::default(),
            more: (history != History::Near).then(|| Box::new(More { history, frozen: None })),
        }
    }

    fn eager(
        &self,
        _shared: &mut (),
        state: &mut Rates,
        life: &mut Life<'_>,
        _seen: &Seen<'_, f64>,
        arrival: &Arrival<'_>,
    ) {
        // A line is kept of a key that has as many events as it takes.
        if state.recent.wants_line()
            && (self.needed == 0 || state.series.count() + life.waiting() >= self.needed)
        {
            state.recent.show(&arrival.sample());
            life.save();
        }
    }

    fn step(&self, _shared: &mut (), state: &mut Rates, life: &mut Life<'_>, seen: &Seen<'_, f64>) {
        if state.born_ms == i64::MIN {
            state.born_ms = seen.at_ms;
        }
        state.series.add(self.grid.part(seen.at_ms), *seen.payload, self.measure.aggregate);
        if let Some(more) = &mut state.more {
            let aggregate = self.measure.aggregate;
            more.history.add(self.baseline, self.grid, seen.at_ms, *seen.payload, aggregate);
        }
        state.recent.add(seen.at_ms, seen.origin, self.window_ms);
        life.count(seen.at_ms, seen.origin);
    }

    fn due(&self, state: &Rates, episode: Option<&Episode>) -> Option<i64> {
        let first = state.series.first().or_else(|| state.history().first(self.baseline, self.grid));
        if first.is_none() && episode.is_none() && matches!(self.baseline, Baseline::Ewma { .. }) {
            // A key that fell silent while it was too young to be compared is compared once.
            let need_ms = History::need_ms(self.baseline, self.grid);
            let due_ms = self.grid.edge_ms(state.born_ms()?.saturating_add(need_ms));
            if state.hop.is_before(due_ms) {
                return Some(due_ms);
            }
            // One that fell silent during an episode, or while that could not be known, as long as that is
            // unusual.
            return if self.is_missed(state) { state.hop.due(self.grid, Some(i64::MIN), None) } else { None };
        }
        state.hop.due(self.grid, first, episode)
    }

    fn timer(&self, _shared: &mut (), state: &mut Rates, life: &mut Life<'_>, at_ms: i64) {
        let (from, end) = state.hop.at(self.grid, at_ms);
        let Some(born_ms) = state.born_ms() else { return };
        let current = self.figure(&state.series, from, end);
        if life.is_open() {
            self.watch(state, life, at_ms, end, current);
        } else {
            let grid = self.grid;
            if let Some(more) = &mut state.more {
                let aggregate = self.measure.aggregate;
                more.history.absorb(self.baseline, grid, &state.series, from, aggregate, born_ms);
            }
            let need_ms = History::need_ms(self.baseline, grid);
            let is_old = at_ms.saturating_sub(born_ms) >= need_ms;
            if is_old {
                let scale = is_extensive(self.measure.aggregate);
                let reference = state.history().reference(
                    self.baseline,
                    grid,
                    &state.series,
                    from,
                    self.measure.aggregate,
                    scale,
                    born_ms,
                );
                // What is missing may have been in what could not be read.
                let is_whole = life.healthy_since_ms() <= grid.start_ms(from);
                let is_less = current.zip(reference).is_some_and(|(now, usual)| now < usual.middle);
                let mut tests = self.tests.iter().filter(|test| match test {
                    SpikeTest::Down { .. } | SpikeTest::Delta(_) => is_whole || !scale || !is_less,
                    SpikeTest::Up { .. } | SpikeTest::Slope { .. } => true,
                });
                if let Some(why) = tests.find_map(|test| self.holds(test, state, end, current, reference)) {
                    state.freeze(reference);
                    life.open(at_ms, state.recent.tally(), || self.say(current, reference, &why));
                }
            } else if let OnNew::FireIf(least) = self.on_new
                && let Some(now) = current.filter(|now| *now > 0.0 && *now >= least)
            {
                state.freeze(None);
                let why = format!("and was never seen before; at least {}", figure(least));
                life.open(at_ms, state.recent.tally(), || self.say(Some(now), None, &why));
            }
        }
        state.series.drop_before(end + 1 - self.reach());
        if let Some(more) = &mut state.more {
            more.history.drop_old(self.baseline, self.grid, at_ms);
        }
    }

    fn ended(&self, state: &mut Rates, at_ms: i64) {
        *state = self.begin(at_ms);
    }

    fn words(&self, state: &Rates, _tally: &Tally) -> Words {
        let reference = state.frozen().flatten();
        let name = aggregate(&self.measure);
        let reason = match reference {
            Some(reference) => format!("{name} is still off {}", figure(reference.middle)),
            None => format!("{name} is still high"),
        };
        Words { reason, figures: self.figures(None, reference) }
    }

    fn is_vacant(&self, state: &Rates, _at_ms: i64) -> bool {
        state.born_ms().is_none()
    }

    fn origins(&self, state: &Rates, mark: &mut dyn FnMut(u32)) {
        state.recent.origins(mark);
    }

    fn encode(&self, state: &Rates, writer: &mut Writer<'_>) {
        let frozen = state.frozen();
        state.series.encode(self.measure.aggregate, writer);
        state.history().encode(self.measure.aggregate, writer);
        writer.signed_or_none(state.born_ms());
        state.hop.encode(writer);
        state.recent.encode(writer);
        writer.byte(match frozen {
            None => 0,
            Some(None) => 1,
            Some(Some(_)) => 2,
        });
        if let Some(Some(reference)) = frozen {
            for part in [reference.middle, reference.up, reference.down] {
                writer.float(part);
            }
        }
    }

    fn decode(&self, reader: &mut Reader<'_, '_>) -> Option<Rates> {
        let series = Series::decode(self.measure.aggregate, reader)?;
        let history = History::decode(self.baseline, self.measure.aggregate, reader)?;
        let born_ms = reader.signed_or_none()?.unwrap_or(i64::MIN);
        let hop = Hop::decode(reader)?;
        let recent = Recent::decode(reader)?;
        let frozen = match reader.byte()? {
            0 => None,
            1 => Some(None),
            2 => {
                Some(Some(Reference { middle: reader.float()?, up: reader.float()?, down: reader.float()? }))
            }
            _ => return None,
        };
        let is_more = frozen.is_some() || history != History::Near;
        let more = is_more.then(|| Box::new(More { history, frozen }));
        Some(Rates { series, born_ms, hop, recent, more })
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
