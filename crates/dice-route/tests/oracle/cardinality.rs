//! `cardinality`: too many or too few different values

use std::collections::BTreeSet;

use dice_route::CloseReason;
use dice_route::config::{Bound, RuleType};

use crate::check::{Case, Told, check, check_seed, field, rule};
use crate::random::Random;
use crate::stream::{Fact, Shape};

/// What a rule of this type says.
#[derive(Debug, Clone, Copy)]
struct Settings {
    /// So many open an episode, or fewer than so many do.
    needed: usize,
    within_ms: i64,
    clear: usize,
    clear_for_ms: i64,
}

fn case(
    random: &mut Random,
    is_most: bool,
    oracle: impl Fn(&[Fact], i64, Settings) -> Vec<Told> + 'static,
) -> Case {
    let needed = random.between(1, 6);
    let within_ms = *random.pick(&[6, 7, 1_000, 60_000]);
    let clear = if is_most { random.between(1, needed) } else { random.between(needed, needed + 3) };
    let clear_for_ms = if random.percent(40) { random.below(within_ms * 2) } else { 0 };
    let settings = Settings { needed: needed as usize, within_ms, clear: clear as usize, clear_for_ms };
    let bound = if is_most { Bound::Above(needed as f64 - 1.0) } else { Bound::Below(needed as f64) };
    let kind = RuleType::Cardinality { field: field("fields.v"), within_ms, bound, clear: clear as u32 };
    let mut rule = rule(kind);
    rule.timing.clear_for_ms = clear_for_ms;
    Case {
        rule,
        shape: Shape {
            count: random.between(1, 90),
            keys: random.between(1, 4),
            span_ms: within_ms,
            lateness_ms: random.between(1, 2 * within_ms),
            late_percent: 0,
            values: random.between(1, 12),
        },
        after_ms: within_ms * 4 + clear_for_ms * 2,
        oracle: Box::new(move |facts, end_ms| oracle(facts, end_ms, settings)),
        relevant: Box::new(|fact| fact.value.is_some()),
    }
}

/// How many different values there were from the first of these moments to the second, both included.
fn distinct(facts: &[Fact], from_ms: i64, to_ms: i64) -> usize {
    let window = facts.iter().filter(|fact| (from_ms..=to_ms).contains(&fact.at_ms));
    window.map(|fact| fact.value).collect::<BTreeSet<Option<i64>>>().len()
}

/// Opens at the event that makes too many in less than the window; closes when for long enough the window
/// that ends then has had few.
fn too_many(facts: &[Fact], end_ms: i64, settings: Settings) -> Vec<Told> {
    let Settings { needed, within_ms, clear, clear_for_ms } = settings;
    let mut told = Vec::new();
    let mut closed_ms = i64::MIN;
    for (place, &Fact { at_ms, .. }) in facts.iter().enumerate() {
        let from_ms = (at_ms - within_ms).max(closed_ms) + 1;
        if at_ms <= closed_ms || distinct(&facts[..=place], from_ms, at_ms) < needed {
            continue;
        }
        told.push(Told::Open(at_ms));
        let few = |ms: i64| distinct(facts, ms - within_ms + 1, ms) < clear;
        let mut moments: Vec<i64> = facts
            .iter()
            .flat_map(|fact| [fact.at_ms, fact.at_ms + within_ms])
            .filter(|ms| *ms >= at_ms)
            .collect();
        moments.sort_unstable();
        let since = moments.iter().find(|since| {
            let until_ms = **since + clear_for_ms;
            moments.iter().filter(|ms| (**since..=until_ms).contains(*ms)).all(|ms| few(*ms))
        });
        closed_ms = since.map_or(i64::MAX, |since| since + clear_for_ms);
        if closed_ms > end_ms {
            return told;
        }
        told.push(Told::Close(closed_ms, CloseReason::Cleared));
    }
    told
}

/// Asks at every edge whether there are too few.
fn too_few(facts: &[Fact], end_ms: i64, settings: Settings) -> Vec<Told> {
    let Settings { needed, within_ms, clear, clear_for_ms } = settings;
    let mut told = Vec::new();
    let Some(first) = facts.first() else { return told };
    let step_ms = (within_ms / 6).max(1);
    let mut since_ms = None;
    let mut is_open = false;
    let mut edge_ms = (first.at_ms + within_ms + step_ms - 1).div_euclid(step_ms) * step_ms;
    while edge_ms <= end_ms + 1 {
        let n = distinct(facts, edge_ms - within_ms, edge_ms - 1);
        if !is_open && n < needed {
            told.push(Told::Open(edge_ms));
            (is_open, since_ms) = (true, None);
        } else if is_open && n < clear {
            since_ms = None;
        } else if is_open && edge_ms - *since_ms.get_or_insert(edge_ms) >= clear_for_ms {
            told.push(Told::Close(edge_ms, CloseReason::Cleared));
            is_open = false;
        }
        edge_ms += step_ms;
    }
    told
}

#[test]
fn too_many_values_open_at_the_one_too_many() {
    check("too many values", 250, |random| case(random, true, too_many));
}

#[test]
fn too_few_values_open_at_an_edge() {
    check("too few values", 200, |random| case(random, false, too_few));
}

#[test]
fn a_damaged_edge_is_not_asked_from_for_ever() {
    // What was saved said that the next edge was to come long ago.
    for seed in [5_586_476_831_551_502_754, 5_586_476_831_551_504_394] {
        check_seed("too few values", seed, |random| case(random, false, too_few));
    }
}
