//! `missing`: B did not follow A

use dice_route::CloseReason;
use dice_route::config::{Missing, Pairing, RuleType};

use crate::check::{Case, Told, check, condition, rule};
use crate::random::Random;
use crate::stream::{Fact, Shape};

fn case(random: &mut Random) -> Case {
    let within_ms = *random.pick(&[5, 1_000, 60_000]);
    let missing = Missing {
        expected: condition(r#"fields.kind in ["b", "c"]"#),
        within_ms,
        skew_ms: random.below(within_ms + 1),
        pairing: *random.pick(&[Pairing::Each, Pairing::First, Pairing::Latest]),
        ttl_ms: within_ms * random.between(1, 6),
        max_pending: 1_000,
    };
    let mut rule = rule(RuleType::MissingB(missing.clone()));
    // What is `c` is both.
    rule.condition = condition(r#"fields.kind in ["a", "c"]"#);
    Case {
        rule,
        shape: Shape {
            count: random.between(1, 80),
            keys: random.between(1, 4),
            span_ms: within_ms,
            lateness_ms: random.between(1, 3 * within_ms),
            late_percent: 0,
            values: 5,
        },
        after_ms: within_ms * 9,
        oracle: Box::new(move |facts, end_ms| oracle(facts, end_ms, &missing)),
        relevant: Box::new(|fact| fact.kind != 'd'),
    }
}

/// What the key's events say, moment by moment.
fn oracle(facts: &[Fact], end_ms: i64, rule: &Missing) -> Vec<Told> {
    let skew_ms = rule.skew_ms.max(1);
    let (mut waiting, mut spare): (Vec<i64>, Vec<i64>) = (Vec::new(), Vec::new());
    let (mut n_missed, mut first_missed_ms, mut last_ms) = (0, 0, None);
    let mut told = Vec::new();
    let mut facts = facts.iter().peekable();
    loop {
        let deadline_ms = waiting.first().map(|ms| ms + rule.within_ms);
        let ttl_ms = last_ms.map(|ms: i64| ms + rule.ttl_ms);
        let timer_ms = [deadline_ms, ttl_ms].into_iter().flatten().min();
        let fact = facts.next_if(|fact| timer_ms.is_none_or(|timer_ms| fact.at_ms <= timer_ms));
        let Some(Fact { at_ms, kind, .. }) = fact else {
            let Some(timer_ms) = timer_ms.filter(|timer_ms| *timer_ms <= end_ms) else { return told };
            if deadline_ms == Some(timer_ms) {
                let missed_ms = waiting.remove(0);
                if last_ms.is_none() {
                    told.push(Told::Open(timer_ms));
                    (n_missed, first_missed_ms) = (0, missed_ms);
                }
                n_missed += 1;
                last_ms = Some(timer_ms);
            } else {
                told.push(Told::Close(timer_ms, CloseReason::Forgotten));
                last_ms = None;
            }
            continue;
        };
        let is_each = rule.pairing == Pairing::Each;
        if *kind != 'a' {
            let in_time =
                waiting.iter().position(|ms| *at_ms > ms - skew_ms && *at_ms <= ms + rule.within_ms);
            in_time.map(|place| waiting.remove(place));
            let is_free = in_time.is_none() || !is_each;
            if last_ms.is_some() && is_free && *at_ms > first_missed_ms - skew_ms {
                n_missed = if is_each { n_missed - 1 } else { 0 };
                if n_missed == 0 {
                    told.push(Told::Close(*at_ms, CloseReason::ArrivedLate));
                    last_ms = None;
                }
                if is_each {
                    continue_with_trigger(*kind, *at_ms, rule, &mut waiting, &mut spare);
                    continue;
                }
            }
            if *kind == 'b' && is_free {
                spare.push(*at_ms);
            }
        }
        continue_with_trigger(*kind, *at_ms, rule, &mut waiting, &mut spare);
    }
}

fn continue_with_trigger(
    kind: char,
    at_ms: i64,
    rule: &Missing,
    waiting: &mut Vec<i64>,
    spare: &mut Vec<i64>,
) {
    if kind == 'b' {
        return;
    }
    if let Some(place) = spare.iter().position(|ms| *ms > at_ms - rule.skew_ms.max(1)) {
        if rule.pairing == Pairing::Each {
            spare.remove(place);
        }
        return;
    }
    match rule.pairing {
        Pairing::First if !waiting.is_empty() => return,
        Pairing::Latest => waiting.clear(),
        Pairing::First | Pairing::Each => {}
    }
    waiting.push(at_ms);
}

#[test]
fn a_missing_event_is_told_until_it_comes() {
    check("missing", 250, case);
}
