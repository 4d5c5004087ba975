//! What a figure was before, to compare it with.

use super::buckets::Grid;
use super::series::{Series, is_extensive};
use crate::config::{Aggregate, Baseline};
use crate::engine::codec::{Reader, Writer};

/// Into how many stretches a period is cut at most.
const PARTS_OF_PERIOD: i64 = 2_016;

/// What a figure is compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Reference {
    /// What is usual.
    pub(crate) middle: f64,
    /// The upper end of what is usual.
    pub(crate) up: f64,
    /// The lower end.
    pub(crate) down: f64,
}

impl From<f64> for Reference {
    fn from(middle: f64) -> Reference {
        Reference { middle, up: middle, down: middle }
    }
}

/// What is known of times before the current window, beside the stretches just before it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum History {
    /// Nothing: the stretches before the window say it all.
    Near,
    /// Earlier periods. Their stretches are those of the window, or a 2,016th of the period (five minutes of
    /// a week) where that is longer.
    Periods(Series),
    /// A moving average over stretches.
    Average {
        /// It, once there was a stretch.
        mean: Option<f64>,
        /// The first stretch that is not in it; `None` at the start.
        next: Option<i64>,
    },
}

fn period_grid(period_ms: i64, grid: Grid) -> Grid {
    let step_ms = grid.step_ms.max(Grid::of(period_ms, PARTS_OF_PERIOD).step_ms);
    Grid { step_ms, parts: 1 }
}

fn window_ms(grid: Grid) -> i64 {
    grid.parts.saturating_mul(grid.step_ms)
}

/// How many stretches a length of time takes.
fn parts_of(length_ms: i64, grid: Grid) -> i64 {
    let length_ms = length_ms.max(1);
    length_ms / grid.step_ms + i64::from(length_ms % grid.step_ms != 0)
}

impl History {
    /// Nothing known yet.
    pub(crate) fn new(baseline: Baseline, aggregate: Aggregate) -> History {
        match baseline {
            Baseline::Previous { .. } | Baseline::MedianMad { .. } => History::Near,
            Baseline::SameTime { .. } => History::Periods(Series::new(aggregate)),
            Baseline::Ewma { .. } => History::Average { mean: None, next: None },
        }
    }

    /// How many stretches before the window are needed.
    pub(crate) fn reach(baseline: Baseline, grid: Grid) -> i64 {
        match baseline {
            Baseline::Previous { ref_ms } => parts_of(ref_ms, grid),
            Baseline::MedianMad { buckets, .. } => i64::from(buckets.max(1)),
            Baseline::SameTime { .. } => 0,
            // The one that has just left the window.
            Baseline::Ewma { .. } => 1,
        }
    }

    /// How old a key has to be before it can be compared.
    pub(crate) fn need_ms(baseline: Baseline, grid: Grid) -> i64 {
        let before_ms = match baseline {
            Baseline::Previous { .. } | Baseline::MedianMad { .. } => {
                History::reach(baseline, grid).saturating_mul(grid.step_ms)
            }
            Baseline::SameTime { period_ms, .. } => period_ms,
            Baseline::Ewma { .. } => window_ms(grid),
        };
        before_ms.saturating_add(window_ms(grid))
    }

    /// One more value, in order.
    pub(crate) fn add(
        &mut self,
        baseline: Baseline,
        grid: Grid,
        at_ms: i64,
        value: f64,
        aggregate: Aggregate,
    ) {
        if let (History::Periods(series), Baseline::SameTime { period_ms, .. }) = (self, baseline) {
            series.add(period_grid(period_ms, grid).part(at_ms), value, aggregate);
        }
    }

    /// Takes in the stretches up to the window, which begins at stretch `from`.
    pub(crate) fn absorb(
        &mut self,
        baseline: Baseline,
        grid: Grid,
        series: &Series,
        from: i64,
        aggregate: Aggregate,
        born_ms: i64,
    ) {
        let (History::Average { mean, next }, Baseline::Ewma { alpha }) = (self, baseline) else { return };
        let alpha = alpha.clamp(0.0, 1.0);
        let mut part = next.unwrap_or_else(|| grid.part(born_ms));
        while part < from {
            let first = series.first_from(part).map_or(from, |first| first.min(from));
            if first > part && is_extensive(aggregate) {
                // Stretches without any count as none.
                let empty = i32::try_from(first - part).unwrap_or(i32::MAX);
                *mean = Some(mean.map_or(0.0, |mean| mean * (1.0 - alpha).powi(empty)));
            }
            part = first;
            if part < from {
                if let Some(value) = series.between(part, part + 1, aggregate).figure(aggregate) {
                    *mean = Some(mean.map_or(value, |mean| alpha * value + (1.0 - alpha) * mean));
                }
                part += 1;
            }
        }
        *next = Some(part);
    }

    /// Goes on at this stretch: what lies before it was no usual time.
    pub(crate) fn resume(&mut self, part: i64) {
        if let History::Average { next, .. } = self {
            *next = Some(next.map_or(part, |next| next.max(part)));
        }
    }

    /// What a window that begins at stretch `from` is compared with.
    #[expect(clippy::too_many_arguments, reason = "each is a fact of its own, and there is one caller")]
    pub(crate) fn reference(
        &self,
        baseline: Baseline,
        grid: Grid,
        series: &Series,
        from: i64,
        aggregate: Aggregate,
        is_scaled: bool,
        born_ms: i64,
    ) -> Option<Reference> {
        let parts = grid.parts as f64;
        match (self, baseline) {
            (_, Baseline::Previous { ref_ms }) => {
                let reach = parts_of(ref_ms, grid);
                let figure = series.between(from.saturating_sub(reach), from, aggregate).figure(aggregate)?;
                Some(Reference::from(if is_scaled { figure * parts / reach as f64 } else { figure }))
            }
            (_, Baseline::MedianMad { k, buckets }) => {
                let reach = i64::from(buckets.max(1));
                let figures = series.figures(from.saturating_sub(reach), from, aggregate);
                let middle = median(&figures)?;
                let off: Vec<f64> = figures.iter().map(|figure| (figure - middle).abs()).collect();
                let spread = k * median(&off)?;
                let scale = if is_scaled { parts } else { 1.0 };
                let (up, down) = ((middle + spread) * scale, ((middle - spread) * scale).max(0.0));
                Some(Reference { middle: middle * scale, up, down })
            }
            (History::Average { mean, .. }, Baseline::Ewma { .. }) => {
                Some(Reference::from(if is_scaled { (*mean)? * parts } else { (*mean)? }))
            }
            (History::Periods(periods), Baseline::SameTime { period_ms, n }) => {
                let periods_grid = period_grid(period_ms, grid);
                let (start_ms, end_ms) =
                    (grid.start_ms(from), grid.start_ms(from.saturating_add(grid.parts)));
                let (mut sum, mut count) = (0.0, 0.0);
                for back in 1..=i64::from(n.max(1)) {
                    let back_ms = back.saturating_mul(period_ms);
                    let (from_ms, to_ms) = (start_ms.saturating_sub(back_ms), end_ms.saturating_sub(back_ms));
                    if from_ms < born_ms {
                        break;
                    }
                    let (first, last) =
                        (periods_grid.part(from_ms), periods_grid.part(periods_grid.edge_ms(to_ms)));
                    let Some(figure) = periods.between(first, last, aggregate).figure(aggregate) else {
                        continue;
                    };
                    let covered = ((last - first) * periods_grid.step_ms) as f64;
                    sum += if is_scaled { figure * window_ms(grid) as f64 / covered } else { figure };
                    count += 1.0;
                }
                (count > 0.0).then(|| Reference::from(sum / count))
            }
            _ => None,
        }
    }

    /// Drops what is too old to be compared with.
    pub(crate) fn drop_old(&mut self, baseline: Baseline, grid: Grid, at_ms: i64) {
        if let (History::Periods(series), Baseline::SameTime { period_ms, n }) = (self, baseline) {
            let back_ms = i64::from(n.max(1)).saturating_mul(period_ms).saturating_add(window_ms(grid));
            series.drop_before(period_grid(period_ms, grid).part(at_ms.saturating_sub(back_ms)));
        }
    }

    /// The first stretch with something in it, in the window's own stretches.
    pub(crate) fn first(&self, baseline: Baseline, grid: Grid) -> Option<i64> {
        match (self, baseline) {
            (History::Periods(series), Baseline::SameTime { period_ms, .. }) => {
                Some(grid.part(period_grid(period_ms, grid).start_ms(series.first()?)))
            }
            _ => None,
        }
    }

    /// Writes it.
    pub(crate) fn encode(&self, aggregate: Aggregate, writer: &mut Writer<'_>) {
        match self {
            History::Near => {}
            History::Periods(series) => series.encode(aggregate, writer),
            History::Average { mean, next } => {
                writer.flag(mean.is_some());
                if let Some(mean) = mean {
                    writer.float(*mean);
                }
                writer.signed_or_none(*next);
            }
        }
    }

    /// Reads it.
    pub(crate) fn decode(
        baseline: Baseline,
        aggregate: Aggregate,
        reader: &mut Reader<'_, '_>,
    ) -> Option<History> {
        Some(match baseline {
            Baseline::Previous { .. } | Baseline::MedianMad { .. } => History::Near,
            Baseline::SameTime { .. } => History::Periods(Series::decode(aggregate, reader)?),
            Baseline::Ewma { .. } => History::Average {
                mean: if reader.flag()? { Some(reader.float()?) } else { None },
                next: reader.signed_or_none()?,
            },
        })
    }
}

/// The middle one, or the mean of the two in the middle.
fn median(figures: &[f64]) -> Option<f64> {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 { Some(upper) } else { Some((sorted[middle - 1] + upper) / 2.0) }
}
