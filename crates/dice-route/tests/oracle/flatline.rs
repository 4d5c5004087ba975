//! `flatline`

use std::collections::BTreeSet;

use dice_route::CloseReason;
use dice_route::config::RuleType;

use crate::check::{Case, Told, check, rule};
use crate::hopping::Hops;
use crate::random::Random;
use crate::stream::{Fact, Shape};

/// What a rule of this type says.
#[derive(Debug, Clone, Copy)]
struct Settings {
    within_ms: i64,
    min: usize,
    min_seen: usize,
    learn_ms: i64,
    forget_after_ms: i64,
    clear_for_ms: i64,
}

fn case(random: &mut Random) -> Case {
    let within_ms = *random.pick(&[6, 100, 1_000, 60_000]);
    let settings = Settings {
        within_ms,
        min: random.between(1, 4) as usize,
        min_seen: random.between(1, 3) as usize,
        learn_ms: within_ms * random.between(3, 20),
        forget_after_ms: within_ms * random.between(2, 10),
        clear_for_ms: if random.percent(30) { random.below(within_ms) } else { 0 },
    };
    let mut rule = rule(RuleType::Flatline {
        within_ms,
        min: settings.min as u32,
        keys: Vec::new(),
        min_seen: settings.min_seen as u32,
        learn_ms: settings.learn_ms,
        forget_after_ms: settings.forget_after_ms,
    });
    rule.timing.clear_for_ms = settings.clear_for_ms;
    Case {
        rule,
        shape: Shape {
            count: random.between(1, 120),
            keys: random.between(1, 4),
            span_ms: within_ms,
            lateness_ms: random.between(1, 2 * within_ms),
            late_percent: 0,
            values: 5,
        },
        after_ms: within_ms * 30,
        oracle: Box::new(move |facts, end_ms| oracle(facts, end_ms, settings)),
        relevant: Box::new(|_| true),
    }
}

/// At every edge: is it given up, is it known, and are there too few?
fn oracle(facts: &[Fact], end_ms: i64, settings: Settings) -> Vec<Told> {
    let Settings { within_ms, min, min_seen, learn_ms, forget_after_ms, clear_for_ms } = settings;
    let hops = Hops::new(within_ms);
    let mut told = Vec::new();
    let mut is_open = false;
    let mut since_ms = None;
    // Events before this one belong to a time that is forgotten.
    let mut start = 0;
    for edge_ms in hops.edges(facts, end_ms) {
        let known: Vec<&Fact> = facts[start..].iter().take_while(|fact| fact.at_ms < edge_ms).collect();
        let (Some(first), Some(last)) = (known.first(), known.last()) else { continue };
        let is_learned = (1..=known.len()).any(|end| {
            let windows: BTreeSet<i64> =
                known[..end].iter().map(|fact| fact.at_ms.div_euclid(within_ms)).collect();
            let latest: Vec<i64> = windows.into_iter().rev().take(min_seen).collect();
            latest.len() == min_seen && (latest[0] - latest[min_seen - 1] + 1) * within_ms <= learn_ms
        });
        let forget_ms = last.at_ms + if is_learned { forget_after_ms } else { learn_ms };
        if edge_ms >= forget_ms {
            if is_open {
                told.push(Told::Close(edge_ms, CloseReason::Forgotten));
            }
            (is_open, start) = (false, start + known.len());
            continue;
        }
        if !is_learned {
            continue;
        }
        let from_ms = edge_ms - hops.parts * hops.step_ms;
        let count = known.iter().filter(|fact| fact.at_ms >= from_ms).count();
        if is_open {
            if count < min {
                since_ms = None;
            } else if edge_ms - *since_ms.get_or_insert(edge_ms) >= clear_for_ms {
                told.push(Told::Close(edge_ms, CloseReason::Cleared));
                is_open = false;
            }
        } else if count < min && first.at_ms <= edge_ms - within_ms {
            told.push(Told::Open(edge_ms));
            (is_open, since_ms) = (true, None);
        }
    }
    told
}

#[test]
fn a_flatline_is_too_few_events_of_a_known_key() {
    check("flatline", 400, case);
}
