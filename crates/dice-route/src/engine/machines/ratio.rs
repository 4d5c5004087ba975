//! `ratio`: a share of events.

use super::buckets::Grid;
use super::counts::Counts;
use super::hop::{HOPS, Hop};
use crate::CloseReason;
use crate::condition::Condition;
use crate::config::Bound;
use crate::engine::codec::{Reader, Writer};
use crate::engine::life::{Episode, Life};
use crate::engine::machine::{Arrival, Machine, Pass, Seen, Words};
use crate::engine::recent::Recent;
use crate::engine::tally::Tally;
use crate::engine::words::{duration, figure};

/// A share of events in a window that moves in sixths of its length.
#[derive(Debug)]
pub(crate) struct Ratio {
    numerator: Condition,
    window_ms: i64,
    min_den: u64,
    bound: Bound,
    clear: f64,
    /// How many standard deviations lie between the share and the bound of its interval.
    deviations: Option<f64>,
    clear_for_ms: i64,
    grid: Grid,
}

impl Ratio {
    /// The machine with these settings.
    pub(crate) fn new(
        numerator: &Condition,
        window_ms: i64,
        min_den: u32,
        bound: Bound,
        clear: f64,
        confidence: Option<f64>,
        clear_for_ms: i64,
    ) -> Ratio {
        Ratio {
            numerator: numerator.clone(),
            window_ms,
            min_den: u64::from(min_den.max(1)),
            bound,
            clear,
            deviations: confidence.map(deviations),
            clear_for_ms,
            grid: Grid::of(window_ms, HOPS),
        }
    }

    fn share(num: u64, den: u64) -> f64 {
        if den == 0 { 0.0 } else { num as f64 / den as f64 }
    }

    fn is_beyond(&self, num: u64, den: u64) -> bool {
        let share = Ratio::share(num, den);
        let (low, high) = match self.deviations {
            Some(deviations) => wilson(share, den as f64, deviations),
            None => (share, share),
        };
        match self.bound {
            Bound::Above(max) => low > max,
            Bound::Below(min) => high < min,
        }
    }

    fn is_clear(&self, num: u64, den: u64) -> bool {
        let share = Ratio::share(num, den);
        den < self.min_den
            || match self.bound {
                Bound::Above(_) => share < self.clear,
                Bound::Below(_) => share > self.clear,
            }
    }

    fn reason(&self, num: u64, den: u64) -> Words {
        let share = Ratio::share(num, den);
        let bound = match self.bound {
            Bound::Above(max) => format!("more than {}%", figure(max * 100.0)),
            Bound::Below(min) => format!("less than {}%", figure(min * 100.0)),
        };
        let window = duration(self.window_ms);
        let reason = format!("{num} of {den} in {window} ({}%), {bound}", figure(share * 100.0));
        Words { reason, figures: vec![("ratio", share), ("value", num as f64), ("reference", den as f64)] }
    }
}

/// How many standard deviations lie on both sides of the mean for this confidence (Acklam's approximation of
/// the normal quantile, good to nine digits).
fn deviations(confidence: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969683028665376e1,
        2.209460984245205e2,
        -2.759285104469687e2,
        1.38357751867269e2,
        -3.066479806614716e1,
        2.506628277459239,
    ];
    const B: [f64; 5] = [
        -5.447609879822406e1,
        1.615858368580409e2,
        -1.556989798598866e2,
        6.680131188771972e1,
        -1.328068155288572e1,
    ];
    const C: [f64; 6] = [
        -7.784894002430293e-3,
        -3.223964580411365e-1,
        -2.400758277161838,
        -2.549732539343734,
        4.374664141464968,
        2.938163982698783,
    ];
    const D: [f64; 4] = [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416];
    let horner = |coefficients: &[f64], x: f64| coefficients.iter().fold(0.0, |sum, c| sum * x + c);
    let share = (1.0 + confidence.clamp(0.0, 0.999_999)) / 2.0;
    if share > 0.97575 {
        let q = (-2.0 * (1.0 - share).ln()).sqrt();
        return -horner(&C, q) / (horner(&D, q) * q + 1.0);
    }
    let q = share - 0.5;
    let r = q * q;
    horner(&A, r) * q / (horner(&B, r) * r + 1.0)
}

/// Wilson's interval of a share among so many.
fn wilson(share: f64, count: f64, deviations: f64) -> (f64, f64) {
    if count <= 0.0 {
        return (0.0, 1.0);
    }
    let square = deviations * deviations;
    let middle = share + square / (2.0 * count);
    let half = deviations * (share * (1.0 - share) / count + square / (4.0 * count * count)).sqrt();
    let scale = 1.0 + square / count;
    ((middle - half) / scale, (middle + half) / scale)
}

/// What is kept for a key.
#[derive(Debug, Default)]
pub(crate) struct Shares {
    num: Counts,
    den: Counts,
    hop: Hop,
    /// Those that are shown; many keys have none.
    recent: Option<Box<Recent>>,
}

impl Machine for Ratio {
    type State = Shares;
    type Payload = bool;
    type Shared = ();

    fn pass(&self) -> Pass {
        Pass::InOrder
    }

    fn conditions(&self) -> Vec<&Condition> {
        vec![&self.numerator]
    }

    fn payload(&self, arrival: &Arrival<'_>) -> Option<bool> {
        Some(arrival.holds(0))
    }

    fn begin(&self, _at_ms: i64) -> Shares {
        Shares::default()
    }

    fn eager(
        &self,
        _shared: &mut (),
        state: &mut Shares,
        life: &mut Life<'_>,
        seen: &Seen<'_, bool>,
        arrival: &Arrival<'_>,
    ) {
        if !self.is_shown(*seen.payload) || state.recent.as_ref().is_some_and(|recent| !recent.wants_line()) {
            return;
        }
        // A line is kept of a key that has as many events as it takes.
        let known = if matches!(self.bound, Bound::Above(_)) { &state.num } else { &state.den };
        if known.between(i64::MIN, i64::MAX) + life.waiting() >= self.needed() {
            state.recent.get_or_insert_default().show(&arrival.sample());
            life.save();
        }
    }

    fn step(&self, _shared: &mut (), state: &mut Shares, life: &mut Life<'_>, seen: &Seen<'_, bool>) {
        let part = self.grid.part(seen.at_ms);
        state.den.add(part, 1);
        if *seen.payload {
            state.num.add(part, 1);
        }
        if self.is_shown(*seen.payload) {
            state.recent.get_or_insert_default().add(seen.at_ms, seen.origin, self.window_ms);
            life.count(seen.at_ms, seen.origin);
        }
    }

    fn due(&self, state: &Shares, episode: Option<&Episode>) -> Option<i64> {
        state.hop.due(self.grid, state.den.first(), episode)
    }

    fn timer(&self, _shared: &mut (), state: &mut Shares, life: &mut Life<'_>, at_ms: i64) {
        let (from, end) = state.hop.at(self.grid, at_ms);
        let (num, den) = (state.num.between(from, end), state.den.between(from, end));
        state.num.drop_before(from + 1);
        state.den.drop_before(from + 1);
        if life.is_open() {
            let is_cleared = self.is_clear(num, den);
            if state.hop.is_over(self.grid, life, at_ms, is_cleared, self.clear_for_ms) {
                life.close(at_ms, CloseReason::Cleared, || self.reason(num, den));
            }
        } else if den >= self.min_den && self.is_beyond(num, den) {
            // What is missing may have been in what could not be read.
            let is_absence = matches!(self.bound, Bound::Below(_));
            if is_absence && life.healthy_since_ms() > self.grid.start_ms(from) {
                return;
            }
            let tally = state.recent.as_deref().map(Recent::tally).unwrap_or_default();
            life.open(at_ms, tally, || self.reason(num, den));
        }
    }

    fn ended(&self, state: &mut Shares, _at_ms: i64) {
        *state = Shares::default();
    }

    fn words(&self, state: &Shares, _tally: &Tally) -> Words {
        self.reason(state.num.between(i64::MIN, i64::MAX), state.den.between(i64::MIN, i64::MAX))
    }

    fn is_vacant(&self, state: &Shares, _at_ms: i64) -> bool {
        state.den.is_empty()
    }

    fn origins(&self, state: &Shares, mark: &mut dyn FnMut(u32)) {
        state.recent.iter().for_each(|recent| recent.origins(mark));
    }

    fn encode(&self, state: &Shares, writer: &mut Writer<'_>) {
        state.num.encode(writer);
        state.den.encode(writer);
        state.hop.encode(writer);
        state.recent.as_deref().unwrap_or(&Recent::default()).encode(writer);
    }

    fn decode(&self, reader: &mut Reader<'_, '_>) -> Option<Shares> {
        Some(Shares {
            num: Counts::decode(reader)?,
            den: Counts::decode(reader)?,
            hop: Hop::decode(reader)?,
            recent: Some(Recent::decode(reader)?).filter(|recent| *recent != Recent::default()).map(Box::new),
        })
    }

    fn encode_payload(&self, payload: &bool, writer: &mut Writer<'_>) {
        writer.flag(*payload);
    }

    fn decode_payload(&self, reader: &mut Reader<'_, '_>) -> Option<bool> {
        reader.flag()
    }
}

impl Ratio {
    /// How many of the events that are shown an episode takes at least.
    fn needed(&self) -> u64 {
        match self.bound {
            // A little less than the product, which may be a little more than it is.
            Bound::Above(max) => (max * self.min_den as f64 * (1.0 - 1e-9)) as u64,
            Bound::Below(_) => self.min_den,
        }
    }

    /// Whether an event shows what the rule is about: those counted above, where there are too many of them.
    fn is_shown(&self, is_counted_above: bool) -> bool {
        is_counted_above || matches!(self.bound, Bound::Below(_))
    }
}

#[cfg(test)]
mod tests {
    use super::{deviations, wilson};

    #[test]
    fn the_interval_is_wilsons() {
        // Figures of R's `qnorm` and of `prop.test(correct = FALSE)`.
        for (confidence, wanted) in [(0.5, 0.674490), (0.8, 1.281552), (0.95, 1.959964), (0.99, 2.575829)] {
            assert!((deviations(confidence) - wanted).abs() < 1e-6, "{confidence}");
        }
        let (low, high) = wilson(0.5, 2.0, 1.959964);
        assert!((low - 0.094531).abs() < 1e-6 && (high - 0.905469).abs() < 1e-6, "{low} {high}");
    }
}
