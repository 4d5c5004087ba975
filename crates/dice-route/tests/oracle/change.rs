//! `change`

use dice_route::CloseReason;
use dice_route::config::RuleType;

use crate::check::{Case, Told, check, field, rule};
use crate::random::Random;
use crate::stream::{Fact, Shape};

/// What a rule of this type says.
#[derive(Debug, Clone)]
struct Settings {
    within_ms: Option<i64>,
    ignore: Vec<(i64, i64)>,
    with_null: bool,
    flap: Option<(u32, i64)>,
}

fn case(random: &mut Random) -> Case {
    let span_ms = *random.pick(&[10, 1_000, 60_000]);
    let settings = Settings {
        within_ms: if random.percent(50) { Some(random.below(span_ms * 3)) } else { None },
        ignore: if random.percent(50) { vec![(0, 1), (1, 2)] } else { Vec::new() },
        with_null: random.percent(50),
        flap: if random.percent(70) { Some((random.between(1, 4) as u32, span_ms)) } else { None },
    };
    let Settings { within_ms, with_null, flap, .. } = settings;
    let ignore = settings.ignore.iter().map(|(from, to)| (from.to_string(), to.to_string())).collect();
    Case {
        rule: rule(RuleType::Change { field: field("fields.v"), within_ms, ignore, with_null, flap }),
        shape: Shape {
            count: random.between(1, 80),
            keys: random.between(1, 4),
            span_ms,
            lateness_ms: random.between(1, 2 * span_ms),
            late_percent: 0,
            values: random.between(1, 4),
        },
        after_ms: span_ms * 4,
        oracle: Box::new(move |facts, end_ms| oracle(facts, end_ms, &settings)),
        relevant: Box::new(move |fact| with_null || fact.value.is_some()),
    }
}

fn oracle(facts: &[Fact], end_ms: i64, settings: &Settings) -> Vec<Told> {
    let mut told = Vec::new();
    let changes = facts.windows(2).filter(|pair| {
        let (before, now) = (&pair[0], &pair[1]);
        let ignored =
            settings.ignore.iter().any(|(from, to)| (Some(*from), Some(*to)) == (before.value, now.value));
        let is_recent = settings.within_ms.is_none_or(|within_ms| now.at_ms - before.at_ms <= within_ms);
        before.value != now.value && !ignored && is_recent
    });
    let changes: Vec<i64> = changes.map(|pair| pair[1].at_ms).collect();
    let mut open_until_ms: Option<i64> = None;
    let mut closed_ms = i64::MIN;
    for (place, &at_ms) in changes.iter().enumerate() {
        if let Some(until_ms) = open_until_ms.filter(|until_ms| *until_ms < at_ms) {
            told.push(Told::Close(until_ms, CloseReason::Cleared));
            (open_until_ms, closed_ms) = (None, until_ms);
        }
        let times = settings.flap.map_or(usize::MAX, |(times, _)| times as usize);
        let window_ms = settings.flap.map_or(1, |(_, window_ms)| window_ms);
        let recent =
            changes[..=place].iter().filter(|ms| at_ms - **ms < window_ms && **ms > closed_ms).count();
        if open_until_ms.is_some() {
            open_until_ms = Some(at_ms + window_ms);
        } else if recent >= times {
            told.push(Told::Open(at_ms));
            open_until_ms = Some(at_ms + window_ms);
        } else {
            told.extend([Told::Open(at_ms), Told::Close(at_ms, CloseReason::Instant)]);
        }
    }
    let last = open_until_ms.filter(|until_ms| *until_ms <= end_ms);
    told.extend(last.map(|until_ms| Told::Close(until_ms, CloseReason::Cleared)));
    told
}

#[test]
fn a_change_is_told_and_many_are_flapping() {
    check("change", 250, case);
}
