//! `match`

use dice_route::CloseReason;
use dice_route::config::RuleType;

use crate::check::{Case, Told, check, rule};
use crate::random::Random;
use crate::stream::{Fact, Shape};

fn with_pause(random: &mut Random) -> Case {
    let quiet_ms = *random.pick(&[1, 10, 1_000, 60_000]);
    Case {
        rule: rule(RuleType::Match { quiet_ms: Some(quiet_ms) }),
        shape: Shape {
            count: random.between(1, 80),
            keys: random.between(1, 5),
            span_ms: quiet_ms * 2,
            lateness_ms: random.between(1, 3 * quiet_ms),
            late_percent: 0,
            values: 5,
        },
        after_ms: quiet_ms * 10,
        oracle: Box::new(move |facts, _| sessions(facts, quiet_ms)),
        relevant: Box::new(|_| true),
    }
}

fn sessions(facts: &[Fact], quiet_ms: i64) -> Vec<Told> {
    let mut told = Vec::new();
    for (place, fact) in facts.iter().enumerate() {
        if place == 0 || fact.at_ms - facts[place - 1].at_ms > quiet_ms {
            told.push(Told::Open(fact.at_ms));
        }
        if facts.get(place + 1).is_none_or(|next| next.at_ms - fact.at_ms > quiet_ms) {
            told.push(Told::Close(fact.at_ms + quiet_ms, CloseReason::Cleared));
        }
    }
    told
}

#[test]
fn a_match_stays_open_until_a_pause() {
    check("match", 400, with_pause);
}
