//! `spike`

use dice_route::CloseReason;
use dice_route::config::{Baseline, Measure, OnNew, RuleType, SpikeTest};

use crate::check::{Case, Told, check, check_seed, field, rule};
use crate::hopping::{Hops, between, figure, some_aggregate};
use crate::random::Random;
use crate::stream::{Fact, Shape};
use dice_route::config::Aggregate;

/// What a rule of this type says.
#[derive(Debug, Clone)]
struct Settings {
    window_ms: i64,
    baseline: Baseline,
    aggregate: Aggregate,
    tests: Vec<SpikeTest>,
    on_new: OnNew,
    max_open_ms: i64,
}

fn case(random: &mut Random) -> Case {
    let window_ms = *random.pick(&[6, 100, 1_000, 60_000]);
    let aggregate = if random.percent(50) { Aggregate::Count } else { some_aggregate(random) };
    let baseline = match random.below(4) {
        0 => Baseline::Previous { ref_ms: *random.pick(&[window_ms / 2 + 1, window_ms, window_ms * 3]) },
        1 => {
            Baseline::SameTime { period_ms: window_ms * random.between(2, 5), n: random.between(1, 3) as u32 }
        }
        2 => Baseline::Ewma { alpha: *random.pick(&[0.25, 0.5, 1.0]) },
        _ => Baseline::MedianMad { k: random.below(4) as f64, buckets: random.between(1, 12) as u32 },
    };
    let mut tests = Vec::new();
    let scale = if aggregate == Aggregate::Count { 1.0 } else { 100.0 };
    for _ in 0..random.between(1, 2) {
        tests.push(match random.below(4) {
            0 => SpikeTest::Up {
                factor: random.between(2, 6) as f64 / 2.0,
                ref_floor: random.below(4) as f64 * scale,
                min_cur: random.below(6) as f64 * scale,
            },
            1 => SpikeTest::Down {
                factor: random.between(2, 6) as f64 / 2.0,
                min_ref: random.below(6) as f64 * scale,
            },
            2 => SpikeTest::Delta(random.between(1, 8) as f64 * scale),
            _ => SpikeTest::Slope {
                per_s: random.between(1, 2_000) as f64 / window_ms as f64,
                buckets: random.between(1, 8) as u32,
            },
        });
    }
    let on_new =
        if random.percent(30) { OnNew::FireIf(random.between(1, 6) as f64 * scale) } else { OnNew::Skip };
    let max_open_ms = if random.percent(30) { window_ms * random.between(1, 4) } else { window_ms * 1_000 };
    let settings = Settings { window_ms, baseline, aggregate, tests: tests.clone(), on_new, max_open_ms };
    let field = (aggregate != Aggregate::Count).then(|| field("fields.v"));
    let is_counted = field.is_none();
    let mut rule =
        rule(RuleType::Spike { window_ms, baseline, measure: Measure { aggregate, field }, tests, on_new });
    rule.timing.max_open_ms = max_open_ms;
    Case {
        rule,
        shape: Shape {
            count: random.between(1, 200),
            keys: random.between(1, 3),
            span_ms: window_ms,
            lateness_ms: random.between(1, 2 * window_ms),
            late_percent: 0,
            values: 500,
        },
        after_ms: window_ms * 30,
        oracle: Box::new(move |facts, end_ms| oracle(facts, end_ms, &settings)),
        relevant: Box::new(move |fact| is_counted || fact.value.is_some()),
    }
}

/// Usual, and the upper and lower end of it.
type Reference = (f64, f64, f64);

struct Oracle<'a> {
    facts: &'a [Fact],
    settings: &'a Settings,
    hops: Hops,
    born_ms: i64,
}

impl Oracle<'_> {
    /// The figure of the events from one moment up to another; nothing before the key began counts.
    fn figure(&self, from_ms: i64, to_ms: i64) -> Option<f64> {
        let start_ms = self.born_ms.div_euclid(self.hops.step_ms) * self.hops.step_ms;
        let facts = between(self.facts, from_ms.max(start_ms), to_ms);
        let values: Vec<i64> = facts.iter().map(|fact| fact.value.unwrap_or(0)).collect();
        figure(&values, self.settings.aggregate)
    }

    fn is_scaled(&self) -> bool {
        matches!(self.settings.aggregate, Aggregate::Count | Aggregate::Sum)
    }

    fn need_ms(&self) -> i64 {
        let Hops { step_ms, parts } = self.hops;
        let before_ms = match self.settings.baseline {
            Baseline::Previous { ref_ms } => (ref_ms + step_ms - 1) / step_ms * step_ms,
            Baseline::SameTime { period_ms, .. } => period_ms,
            Baseline::Ewma { .. } => parts * step_ms,
            Baseline::MedianMad { buckets, .. } => i64::from(buckets) * step_ms,
        };
        before_ms + parts * step_ms
    }

    /// What a window that begins at `from_ms` is compared with; `mean` is the moving average.
    fn reference(&self, from_ms: i64, mean: Option<f64>) -> Option<Reference> {
        let Hops { step_ms, parts } = self.hops;
        let flat = |figure: f64| (figure, figure, figure);
        match self.settings.baseline {
            Baseline::Previous { ref_ms } => {
                let reach = (ref_ms + step_ms - 1) / step_ms;
                let figure = self.figure(from_ms - reach * step_ms, from_ms)?;
                Some(flat(if self.is_scaled() { figure * parts as f64 / reach as f64 } else { figure }))
            }
            Baseline::SameTime { period_ms, n } => {
                // The period is short: its stretches are the window's own, rounded outwards.
                let mut figures = Vec::new();
                for back in 1..=i64::from(n) {
                    let (start_ms, end_ms) =
                        (from_ms - back * period_ms, from_ms + parts * step_ms - back * period_ms);
                    if start_ms < self.born_ms {
                        break;
                    }
                    let first_ms = start_ms.div_euclid(step_ms) * step_ms;
                    let last_ms = -(-end_ms).div_euclid(step_ms) * step_ms;
                    let Some(figure) = self.figure(first_ms, last_ms) else { continue };
                    let covered = (last_ms - first_ms) as f64;
                    figures.push(if self.is_scaled() {
                        figure * (parts * step_ms) as f64 / covered
                    } else {
                        figure
                    });
                }
                (!figures.is_empty()).then(|| flat(figures.iter().sum::<f64>() / figures.len() as f64))
            }
            Baseline::Ewma { .. } => Some(flat(if self.is_scaled() { mean? * parts as f64 } else { mean? })),
            Baseline::MedianMad { k, buckets } => {
                let stretches = (1..=i64::from(buckets)).rev();
                let figures: Vec<f64> = stretches
                    .filter_map(|back| self.figure(from_ms - back * step_ms, from_ms - (back - 1) * step_ms))
                    .collect();
                let middle = median(figures.clone())?;
                let spread = k * median(figures.iter().map(|figure| (figure - middle).abs()).collect())?;
                let scale = if self.is_scaled() { parts as f64 } else { 1.0 };
                Some((middle * scale, (middle + spread) * scale, ((middle - spread) * scale).max(0.0)))
            }
        }
    }

    fn slope(&self, edge_ms: i64, buckets: u32) -> Option<f64> {
        let step_ms = self.hops.step_ms;
        let older_ms = edge_ms - (i64::from(buckets) + 1) * step_ms;
        if older_ms + step_ms <= self.born_ms {
            return None;
        }
        let newer = self.figure(edge_ms - step_ms, edge_ms)?;
        let older = self.figure(older_ms, older_ms + step_ms)?;
        Some((newer - older) / (f64::from(buckets) * step_ms as f64 / 1_000.0))
    }

    fn holds(&self, edge_ms: i64, now: Option<f64>, reference: Option<Reference>) -> bool {
        self.settings.tests.iter().any(|test| match (*test, now, reference) {
            (SpikeTest::Up { factor, ref_floor, min_cur }, Some(now), Some((_, up, _))) => {
                now > 0.0 && now >= min_cur && now >= factor * up.max(ref_floor)
            }
            (SpikeTest::Down { factor, min_ref }, Some(now), Some((_, _, down))) => {
                down > 0.0 && down >= min_ref && down >= factor * now.max(1.0)
            }
            (SpikeTest::Delta(by), Some(now), Some((middle, ..))) => (now - middle).abs() >= by,
            (SpikeTest::Slope { per_s, buckets }, ..) => {
                self.slope(edge_ms, buckets).is_some_and(|slope| slope >= per_s)
            }
            _ => false,
        })
    }

    fn is_calm(&self, edge_ms: i64, now: Option<f64>, reference: Option<Reference>) -> bool {
        let Some(now) = now else { return true };
        if let (OnNew::FireIf(least), None) = (self.settings.on_new, reference) {
            return now < least / 2.0;
        }
        let half = |factor: f64| 1.0 + (factor - 1.0) / 2.0;
        self.settings.tests.iter().all(|test| match *test {
            SpikeTest::Up { factor, ref_floor, .. } => {
                let usual = reference.map_or(0.0, |(_, up, _)| up).max(ref_floor);
                now <= 0.0 || now < half(factor) * usual
            }
            SpikeTest::Down { factor, .. } => {
                reference.map_or(0.0, |(.., down)| down) / now.max(1.0) < half(factor)
            }
            SpikeTest::Delta(by) => reference.is_none_or(|(middle, ..)| (now - middle).abs() < by / 2.0),
            SpikeTest::Slope { per_s, buckets } => {
                self.slope(edge_ms, buckets).is_none_or(|slope| slope < per_s / 2.0)
            }
        })
    }
}

fn median(mut figures: Vec<f64>) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    let upper = *figures.get(middle)?;
    Some(if figures.len() % 2 == 1 { upper } else { (figures[middle - 1] + upper) / 2.0 })
}

fn oracle(facts: &[Fact], end_ms: i64, settings: &Settings) -> Vec<Told> {
    let hops = Hops::new(settings.window_ms);
    let born_ms = facts.first().map_or(0, |fact| fact.at_ms);
    let mut oracle = Oracle { facts, settings, hops, born_ms };
    let mut told = Vec::new();
    let mut open: Option<(i64, Option<Reference>, Option<i64>)> = None;
    let mut mean: Option<f64> = None;
    for edge_ms in hops.edges(facts, end_ms) {
        let from_ms = edge_ms - hops.parts * hops.step_ms;
        let now = oracle.figure(from_ms, edge_ms);
        if let Some((opened_ms, reference, since_ms)) = &mut open {
            if !oracle.is_calm(edge_ms, now, *reference) {
                *since_ms = None;
            } else if edge_ms - *since_ms.get_or_insert(edge_ms) >= hops.step_ms {
                told.push(Told::Close(edge_ms, CloseReason::Cleared));
                open = None;
                continue;
            }
            if edge_ms - *opened_ms >= settings.max_open_ms {
                told.push(Told::Close(edge_ms, CloseReason::Rebaselined));
                (open, mean, oracle.born_ms) = (None, None, edge_ms);
            }
            continue;
        }
        // The stretch that has just left the window.
        if from_ms > oracle.born_ms
            && let Baseline::Ewma { alpha } = settings.baseline
            && let Some(left) = oracle.figure(from_ms - hops.step_ms, from_ms)
        {
            mean = Some(mean.map_or(left, |mean| alpha * left + (1.0 - alpha) * mean));
        }
        if edge_ms - oracle.born_ms >= oracle.need_ms() {
            let reference = oracle.reference(from_ms, mean);
            if oracle.holds(edge_ms, now, reference) {
                told.push(Told::Open(edge_ms));
                open = Some((edge_ms, reference, None));
            }
        } else if let OnNew::FireIf(least) = settings.on_new
            && now.is_some_and(|now| now > 0.0 && now >= least)
        {
            told.push(Told::Open(edge_ms));
            open = Some((edge_ms, None, None));
        }
    }
    told
}

#[test]
fn a_spike_differs_from_what_was_before() {
    check("spike", 600, case);
}

#[test]
fn a_key_that_fell_silent_during_an_episode_is_compared_after_it() {
    check_seed("spike", 310_050_817_165_515, case);
}
