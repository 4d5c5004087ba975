//! `frequency`

use dice_route::CloseReason;
use dice_route::config::RuleType;

use crate::check::{Case, Told, check, rule};
use crate::random::Random;
use crate::stream::{Fact, Shape};

/// What a rule of this type says.
#[derive(Debug, Clone, Copy)]
struct Settings {
    count: usize,
    within_ms: i64,
    clear: usize,
    clear_for_ms: i64,
}

fn case(settings: Settings, count: i64, random: &mut Random) -> Case {
    let Settings { within_ms, clear, clear_for_ms, .. } = settings;
    let kind = RuleType::Frequency { count: settings.count as u32, within_ms, clear: clear as u32 };
    let mut rule = rule(kind);
    rule.timing.clear_for_ms = clear_for_ms;
    Case {
        rule,
        shape: Shape {
            count,
            keys: random.between(1, 6),
            span_ms: within_ms,
            lateness_ms: random.between(1, 2 * within_ms),
            late_percent: 0,
            values: 5,
        },
        after_ms: within_ms * 4 + clear_for_ms * 2 + 1_000,
        oracle: Box::new(move |facts, end_ms| oracle(facts, end_ms, settings)),
        relevant: Box::new(|_| true),
    }
}

fn exact(random: &mut Random) -> Case {
    let count = random.between(1, 12) as usize;
    let within_ms = *random.pick(&[1, 7, 64, 1_000, 60_000, 300_000]);
    let clear = random.between(1, count as i64 + 1) as usize;
    let clear_for_ms = if random.percent(30) { random.below(within_ms * 2) } else { 0 };
    let events = random.between(1, 120);
    case(Settings { count, within_ms, clear, clear_for_ms }, events, random)
}

fn wide(random: &mut Random) -> Case {
    let count = 1_025;
    let within_ms = *random.pick(&[64, 1_000, 60_000]);
    let clear = random.between(1, count as i64) as usize;
    case(Settings { count, within_ms, clear, clear_for_ms: 0 }, 6_000, random)
}

/// Opens at the event that makes enough in less than the window; is asked at the edges of sixty-fourths of
/// the window whether it is over.
fn oracle(facts: &[Fact], end_ms: i64, settings: Settings) -> Vec<Told> {
    let Settings { count, within_ms, clear, clear_for_ms } = settings;
    let step_ms = (within_ms + 63) / 64;
    let covered_ms = (within_ms + step_ms - 1) / step_ms * step_ms;
    let mut told = Vec::new();
    let mut last_close_ms = i64::MIN;
    let mut place = 0;
    while place < facts.len() {
        let now_ms = facts[place].at_ms;
        let is_near = |at_ms: i64| {
            let from_ms = if count <= 1_024 {
                now_ms - within_ms + 1
            } else {
                now_ms.div_euclid(step_ms) * step_ms - covered_ms
            };
            at_ms >= from_ms && at_ms > last_close_ms
        };
        let window: Vec<usize> = (0..=place).filter(|other| is_near(facts[*other].at_ms)).collect();
        if window.len() < count {
            place += 1;
            continue;
        }
        told.push(Told::Open(now_ms));
        let mut edge_ms = (now_ms.div_euclid(step_ms) + 1) * step_ms;
        let mut since_ms = None;
        loop {
            if edge_ms - 1 > end_ms {
                return told;
            }
            let in_window = facts[window[0]..].iter();
            let left =
                in_window.filter(|fact| fact.at_ms >= edge_ms - covered_ms && fact.at_ms < edge_ms).count();
            if left >= clear {
                since_ms = None;
            } else if edge_ms - *since_ms.get_or_insert(edge_ms) >= clear_for_ms {
                break;
            }
            edge_ms += step_ms;
        }
        last_close_ms = edge_ms - 1;
        told.push(Told::Close(last_close_ms, CloseReason::Cleared));
        place = facts.iter().position(|fact| fact.at_ms > last_close_ms).unwrap_or(facts.len());
    }
    told
}

#[test]
fn a_frequency_opens_at_the_last_of_enough_events() {
    check("frequency", 400, exact);
}

#[test]
fn a_large_frequency_counts_stretches() {
    check("large frequency", 4, wide);
}
