//! `composite`: several frequencies in one window

use dice_route::CloseReason;
use dice_route::config::{CountCondition, Pattern, RuleType};

use crate::check::{Case, Told, check, condition, rule};
use crate::random::Random;
use crate::stream::{Fact, Shape};

/// What a rule of this type says.
#[derive(Debug, Clone)]
struct Settings {
    /// Which kinds, how many open an episode, how many keep it open.
    counts: Vec<(&'static str, usize, usize)>,
    within_ms: i64,
    at_least: usize,
    order: Option<Pattern>,
    clear_for_ms: i64,
}

const KINDS: &[&[&str]] = &[&["a"], &["a", "b"], &["ab", "bc"], &["a", "b", "c"]];

fn case(random: &mut Random) -> Case {
    let kinds = *random.pick(KINDS);
    let count = |kinds: &&'static str| {
        let n = random.between(1, 4) as usize;
        (*kinds, n, random.between(1, n as i64) as usize)
    };
    let counts: Vec<(&'static str, usize, usize)> = kinds.iter().map(count).collect();
    let within_ms = *random.pick(&[5, 1_000, 60_000]);
    let orders = ["^a", "a.* b", "ab bc", "^(b )?a( c)?$"];
    let settings = Settings {
        within_ms,
        at_least: random.between(1, counts.len() as i64) as usize,
        order: random.percent(40).then(|| Pattern(random.pick(&orders).parse().expect("an expression"))),
        clear_for_ms: if random.percent(40) { random.below(within_ms * 2) } else { 0 },
        counts,
    };
    let count_condition = |(kinds, n, clear): &(&'static str, usize, usize)| {
        let names: Vec<String> = kinds.chars().map(|kind| format!("\"{kind}\"")).collect();
        CountCondition {
            name: (*kinds).into(),
            condition: condition(&format!("fields.kind in [{}]", names.join(", "))),
            count: *n as u32,
            clear: *clear as u32,
        }
    };
    let conditions = settings.counts.iter().map(count_condition).collect();
    let Settings { at_least, order, clear_for_ms, .. } = settings.clone();
    let mut rule = rule(RuleType::Composite { conditions, within_ms, at_least, order });
    rule.timing.clear_for_ms = clear_for_ms;
    let all = kinds.concat();
    Case {
        rule,
        shape: Shape {
            count: random.between(1, 90),
            keys: random.between(1, 4),
            span_ms: within_ms,
            lateness_ms: random.between(1, 2 * within_ms),
            late_percent: 0,
            values: 5,
        },
        after_ms: within_ms * 4 + clear_for_ms * 2,
        oracle: Box::new(move |facts, end_ms| oracle(facts, end_ms, &settings)),
        relevant: Box::new(move |fact| all.contains(fact.kind)),
    }
}

fn oracle(facts: &[Fact], end_ms: i64, settings: &Settings) -> Vec<Told> {
    let Settings { counts, within_ms, at_least, order, clear_for_ms } = settings;
    let mut told = Vec::new();
    let mut closed_ms = i64::MIN;
    for (place, &Fact { at_ms, .. }) in facts.iter().enumerate() {
        let begin_ms = closed_ms;
        // The times of each condition in the window that ends at a moment; earlier episodes count no more.
        let times = |facts: &[Fact], kinds: &str, ms: i64| -> Vec<i64> {
            let from_ms = (ms - within_ms).max(begin_ms);
            let window = facts.iter().filter(|fact| fact.at_ms > from_ms && fact.at_ms <= ms);
            window.filter(|fact| kinds.contains(fact.kind)).map(|fact| fact.at_ms).collect()
        };
        let so_far = &facts[..=place];
        let met = counts.iter().filter(|(kinds, n, _)| times(so_far, kinds, at_ms).len() >= *n).count();
        let mut firsts: Vec<(i64, usize, &str)> = Vec::new();
        for (number, (kinds, ..)) in counts.iter().enumerate() {
            firsts.extend(times(so_far, kinds, at_ms).first().map(|first_ms| (*first_ms, number, *kinds)));
        }
        firsts.sort_unstable();
        let names = firsts.iter().map(|(.., name)| *name).collect::<Vec<&str>>().join(" ");
        let in_order = order.as_ref().is_none_or(|order| order.0.is_match(&names));
        if at_ms <= closed_ms || met < *at_least || !in_order {
            continue;
        }
        told.push(Told::Open(at_ms));
        let few = |ms: i64| {
            counts.iter().filter(|(kinds, _, clear)| times(facts, kinds, ms).len() >= *clear).count()
                < *at_least
        };
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

#[test]
fn enough_of_several_sorts_in_one_window() {
    check("composite", 250, case);
}
