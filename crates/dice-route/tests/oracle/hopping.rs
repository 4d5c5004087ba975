//! `ratio` and `metric`: windows that move in sixths of their length.

use dice_route::CloseReason;
use dice_route::config::{Aggregate, Bound, Measure, RuleType};

use crate::check::{Case, Told, check, condition, field, rule};
use crate::random::Random;
use crate::stream::{Fact, Shape};

/// How a window moves: the step and how many of them it covers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hops {
    pub(crate) step_ms: i64,
    pub(crate) parts: i64,
}

impl Hops {
    pub(crate) fn new(window_ms: i64) -> Hops {
        let step_ms = (window_ms + 5) / 6;
        Hops { step_ms, parts: (window_ms + step_ms - 1) / step_ms }
    }

    /// The edges from the first event to the end.
    pub(crate) fn edges(self, facts: &[Fact], end_ms: i64) -> impl Iterator<Item = i64> {
        let first_ms = facts.first().map_or(end_ms, |fact| fact.at_ms);
        let first = first_ms.div_euclid(self.step_ms) + 1;
        (first..).map(move |part| part * self.step_ms).take_while(move |edge_ms| *edge_ms <= end_ms + 1)
    }

    /// The events of the window that ends at an edge.
    pub(crate) fn window(self, facts: &[Fact], edge_ms: i64) -> Vec<&Fact> {
        between(facts, edge_ms - self.parts * self.step_ms, edge_ms)
    }
}

/// The events from one moment up to another.
pub(crate) fn between(facts: &[Fact], from_ms: i64, to_ms: i64) -> Vec<&Fact> {
    facts.iter().filter(|fact| fact.at_ms >= from_ms && fact.at_ms < to_ms).collect()
}

/// Opens when it is beyond; closes when it has been clear for two steps and for as long as it must.
fn oracle(
    facts: &[Fact],
    end_ms: i64,
    window_ms: i64,
    clear_for_ms: i64,
    judge: impl Fn(&[&Fact]) -> (bool, bool),
) -> Vec<Told> {
    let hops = Hops::new(window_ms);
    let mut told = Vec::new();
    let mut is_open = false;
    let mut since_ms = None;
    for edge_ms in hops.edges(facts, end_ms) {
        let (is_beyond, is_clear) = judge(&hops.window(facts, edge_ms));
        if !is_open {
            if is_beyond {
                told.push(Told::Open(edge_ms));
                (is_open, since_ms) = (true, None);
            }
        } else if !is_clear {
            since_ms = None;
        } else if edge_ms - *since_ms.get_or_insert(edge_ms) >= clear_for_ms.max(hops.step_ms) {
            told.push(Told::Close(edge_ms, CloseReason::Cleared));
            is_open = false;
        }
    }
    told
}

fn shape(window_ms: i64, random: &mut Random) -> Shape {
    Shape {
        count: random.between(1, 150),
        keys: random.between(1, 4),
        span_ms: window_ms,
        lateness_ms: random.between(1, 2 * window_ms),
        late_percent: 0,
        values: 1_000,
    }
}

fn ratio(random: &mut Random) -> Case {
    let window_ms = *random.pick(&[6, 100, 1_000, 60_000]);
    let min_den = random.between(1, 10) as usize;
    let is_above = random.percent(60);
    let limit = random.between(1, 9) as f64 / 10.0;
    let bound = if is_above { Bound::Above(limit) } else { Bound::Below(limit) };
    let clear = if is_above { limit * 0.8 } else { limit * 1.25 };
    let clear_for_ms = if random.percent(30) { random.below(window_ms) } else { 0 };
    let confidence = if random.percent(40) { Some(0.95) } else { None };
    let mut rule = rule(RuleType::Ratio {
        numerator: condition("fields.kind == \"a\""),
        window_ms,
        min_den: min_den as u32,
        bound,
        clear,
        confidence,
    });
    rule.timing.clear_for_ms = clear_for_ms;
    let judge = move |facts: &[&Fact]| {
        let num = facts.iter().filter(|fact| fact.kind == 'a').count() as f64;
        let den = facts.len() as f64;
        let share = num / den;
        let deviations = if confidence.is_some() { 1.959_963_985 } else { 0.0 };
        let square = deviations * deviations / den;
        let half = deviations / den * (num * (den - num) / den + deviations * deviations / 4.0).sqrt();
        let (low, high) =
            ((share + square / 2.0 - half) / (1.0 + square), (share + square / 2.0 + half) / (1.0 + square));
        let is_enough = facts.len() >= min_den;
        if is_above {
            (is_enough && low > limit, !is_enough || share < clear)
        } else {
            (is_enough && high < limit, !is_enough || share > clear)
        }
    };
    Case {
        rule,
        shape: shape(window_ms, random),
        after_ms: window_ms * 5 + clear_for_ms,
        oracle: Box::new(move |facts, end_ms| oracle(facts, end_ms, window_ms, clear_for_ms, judge)),
        relevant: Box::new(|_| true),
    }
}

/// The figure of some values.
pub(crate) fn figure(values: &[i64], aggregate: Aggregate) -> Option<f64> {
    let count = values.len();
    match aggregate {
        Aggregate::Count => Some(count as f64),
        Aggregate::Sum => Some(values.iter().sum::<i64>() as f64),
        _ if count == 0 => None,
        Aggregate::Avg => Some(values.iter().sum::<i64>() as f64 / count as f64),
        Aggregate::Min => values.iter().min().map(|value| *value as f64),
        Aggregate::Max => values.iter().max().map(|value| *value as f64),
        Aggregate::Quantile(share) => {
            let mut sorted = values.to_vec();
            sorted.sort();
            let rank = (share * count as f64 - 1e-9).ceil().max(1.0) as usize;
            Some(sorted[rank - 1] as f64)
        }
    }
}

/// Some way to make a figure.
pub(crate) fn some_aggregate(random: &mut Random) -> Aggregate {
    *random.pick(&[
        Aggregate::Count,
        Aggregate::Sum,
        Aggregate::Avg,
        Aggregate::Min,
        Aggregate::Max,
        Aggregate::Quantile(0.5),
        Aggregate::Quantile(0.95),
    ])
}

fn metric(random: &mut Random) -> Case {
    let window_ms = *random.pick(&[6, 100, 1_000, 60_000]);
    let aggregate = some_aggregate(random);
    let is_above = random.percent(60);
    let limit = match aggregate {
        Aggregate::Count => random.between(1, 20) as f64,
        Aggregate::Sum => random.between(1, 10_000) as f64,
        _ => random.between(1, 1_000) as f64,
    };
    let (bound, clear) =
        if is_above { (Bound::Above(limit), limit * 0.8) } else { (Bound::Below(limit), limit * 1.25) };
    let min_count = random.between(1, 5) as usize;
    let rule = rule(RuleType::Metric {
        measure: Measure { aggregate, field: Some(field("fields.v")) },
        window_ms,
        bound,
        clear,
        min_count: min_count as u32,
    });
    let judge = move |facts: &[&Fact]| {
        let values: Vec<i64> = facts.iter().filter_map(|fact| fact.value).collect();
        let Some(figure) = figure(&values, aggregate).filter(|_| values.len() >= min_count) else {
            return (false, true);
        };
        if is_above { (figure > limit, figure < clear) } else { (figure < limit, figure > clear) }
    };
    Case {
        rule,
        shape: shape(window_ms, random),
        after_ms: window_ms * 5,
        oracle: Box::new(move |facts, end_ms| oracle(facts, end_ms, window_ms, 0, judge)),
        relevant: Box::new(|fact| fact.value.is_some()),
    }
}

#[test]
fn a_ratio_is_looked_at_six_times_a_window() {
    check("ratio", 400, ratio);
}

#[test]
fn a_metric_is_looked_at_six_times_a_window() {
    check("metric", 400, metric);
}
