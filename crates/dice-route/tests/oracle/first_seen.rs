//! `first-seen`: every term once, and again after a long silence
//!
//! It is decided on arrival, so the oracle sees the events in that order.

use std::collections::BTreeMap;
use std::sync::Arc;

use dice_route::Change;
use dice_route::config::{FirstSeen, NewTerms, RuleType};

use crate::check::{checked, field, rule};
use crate::random::Random;
use crate::replay::{Plan, replay};
use crate::stream::{Shape, stream};

fn try_case(random: &mut Random, what: &str) {
    let horizon_ms = *random.pick(&[50, 1_000, 1 << 40]);
    let learn_for_ms = if random.percent(50) { random.below(horizon_ms.min(2_000)) } else { 0 };
    // Past 64 there are several shelves, and which term goes for want of room depends on its hash.
    let is_shelved = random.percent(20);
    let max_terms = match is_shelved {
        true => random.between(65, 200) as usize,
        false if random.percent(60) => 1_000,
        false => random.between(1, 6) as usize,
    };
    let seed = if random.percent(50) { vec!["[\"1\"]".to_owned(), "[\"3\"]".to_owned()] } else { Vec::new() };
    let mut rule = rule(RuleType::FirstSeen(FirstSeen {
        terms: NewTerms::Fields(vec![field("fields.v")]),
        horizon_ms,
        learn_for_ms,
        seed: Arc::new(seed.clone()),
        seed_messages: Arc::default(),
        max_terms,
    }));
    rule.key.truncate(random.below(2) as usize);
    let shape = Shape {
        count: if is_shelved { random.between(1, 600) } else { random.between(1, 100) },
        keys: random.between(1, 3),
        span_ms: 60,
        lateness_ms: random.between(1, 100),
        late_percent: random.below(20),
        values: if is_shelved { 300 } else { random.between(1, 8) },
    };
    let facts = stream(&shape, random);
    let plan = Plan {
        lateness_ms: shape.lateness_ms,
        after_ms: 1_000,
        seed: random.number(),
        restart: None,
        is_lazy: false,
        is_resolved: false,
        is_damaged: false,
    };
    let is_keyed = !rule.key.is_empty();
    let rules = [Arc::new(rule)];
    let whole = replay(&rules, &facts, plan);
    let restart = Some(random.below(whole.n_batches as i64) as usize);
    let again = replay(&rules, &facts, Plan { restart, ..plan });
    assert_eq!(whole.transitions, again.transitions, "a restart changes what is said, {what}");
    assert_eq!(whole.store, again.store, "a restart changes what is kept, {what}");
    assert!(whole.status[0].pending <= max_terms, "{} terms, {what}", whole.status[0].pending);

    let mut last: BTreeMap<Vec<String>, i64> = BTreeMap::new();
    let mut expected = Vec::new();
    let mut first_ms = None;
    for fact in &facts {
        let Some(value) = fact.value.map(|value| value.to_string()) else { continue };
        let key: Vec<String> =
            is_keyed.then(|| fact.key.clone()).into_iter().chain([value.clone()]).collect();
        let before = last.get(&key).copied();
        last.insert(key.clone(), before.map_or(fact.at_ms, |ms| ms.max(fact.at_ms)));
        let is_learned = fact.at_ms >= *first_ms.get_or_insert(fact.at_ms) + learn_for_ms;
        let is_news = match before {
            None => !seed.contains(&format!("[\"{value}\"]")),
            Some(ms) => fact.at_ms - ms >= horizon_ms,
        };
        if is_learned && is_news {
            expected.push((key.clone(), fact.at_ms));
        }
        if last.len() > max_terms {
            if is_shelved {
                return;
            }
            // The order among equals is the engine's business: such streams only have to survive.
            let oldest_ms = *last.values().min().expect("there is one");
            if last.values().filter(|ms| **ms == oldest_ms).count() > 1 {
                return;
            }
            last.retain(|_, ms| *ms != oldest_ms);
        }
    }
    let opened = whole.transitions.iter().filter(|transition| transition.change == Change::Open);
    let found: Vec<(Vec<String>, i64)> =
        opened.map(|transition| (transition.key.values(), transition.at_ms)).collect();
    assert_eq!(found, expected, "{what}\n{facts:#?}");
}

#[test]
fn a_term_is_told_the_first_time() {
    checked("first-seen", 300, try_case);
}
