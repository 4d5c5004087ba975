//! `session`

use dice_route::CloseReason;
use dice_route::config::{Bound, RuleType};

use crate::check::{Case, Told, check, condition, rule};
use crate::random::Random;
use crate::stream::{Fact, Shape};

fn case(random: &mut Random) -> Case {
    let gap_ms = *random.pick(&[5, 1_000, 60_000]);
    let max_len_ms = gap_ms * random.between(1, 20);
    let most = random.percent(50).then(|| random.below(5));
    let shorter_ms = random.percent(30).then(|| random.below(gap_ms * 4));
    let [has, lacks, ended_without] = [(); 3].map(|()| random.percent(30));
    let kind = RuleType::Session {
        gap_ms,
        max_len_ms,
        count: most.map(|most| Bound::Above(most as f64)),
        duration_ms: shorter_ms.map(|ms| Bound::Below(ms as f64)),
        has: has.then(|| condition(r#"fields.kind == "b""#)),
        lacks: lacks.then(|| condition(r#"fields.kind == "c""#)),
        ended_without: ended_without.then(|| condition(r#"fields.kind == "a""#)),
    };
    let fires = move |session: &[Fact]| {
        let kinds: Vec<char> = session.iter().map(|fact| fact.kind).collect();
        let duration_ms = session[session.len() - 1].at_ms - session[0].at_ms;
        most.is_none_or(|most| session.len() as i64 > most)
            && shorter_ms.is_none_or(|ms| duration_ms < ms)
            && (!has || kinds.contains(&'b'))
            && (!lacks || !kinds.contains(&'c'))
            && (!ended_without || kinds.last() != Some(&'a'))
    };
    Case {
        rule: rule(kind),
        shape: Shape {
            count: random.between(1, 80),
            keys: random.between(1, 4),
            span_ms: gap_ms,
            lateness_ms: random.between(1, 3 * gap_ms),
            late_percent: 0,
            values: 5,
        },
        after_ms: gap_ms * 4,
        oracle: Box::new(move |facts, _| {
            let mut told = Vec::new();
            let mut start = 0;
            for end in 1..=facts.len() {
                let (first_ms, last_ms) = (facts[start].at_ms, facts[end - 1].at_ms);
                let end_ms = (last_ms + gap_ms).min(first_ms + max_len_ms);
                if facts.get(end).is_none_or(|next| next.at_ms > end_ms) {
                    if fires(&facts[start..end]) {
                        told.extend([Told::Open(end_ms), Told::Close(end_ms, CloseReason::Instant)]);
                    }
                    start = end;
                }
            }
            told
        }),
        relevant: Box::new(|_| true),
    }
}

#[test]
fn a_session_is_looked_at_when_it_ends() {
    check("session", 250, case);
}
