//! `missing`: B did not follow A

use std::collections::BTreeMap;
use std::sync::Arc;

use dice_route::config::{Missing, Pairing, RuleType};
use dice_route::{Change, CloseReason};

use crate::check::{Case, Story, Told, check, checked, condition, rule};
use crate::random::Random;
use crate::replay::{Plan, replay};
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

/// One A of a key, and when its B came.
struct Pair {
    key: String,
    deadline_ms: i64,
    came_ms: Option<i64>,
}

/// What happens next in the world of an outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    Look,
    Miss,
    GiveUp,
    Come,
}

/// What is said of keys with one A each. Ten that wait in vain within `within_ms` are an outage: the tenth is
/// its host, and later ones are guests until the host, which looks every half minute, finds that none waits.
fn outages(pairs: &[Pair], end_ms: i64, rule: &Missing) -> Story {
    const LOOK_MS: i64 = 30_000;
    let mut story = Story::new();
    let mut tell = |key: usize, told: Told| story.entry(vec![pairs[key].key.clone()]).or_default().push(told);
    // Timers are before events of their moment, and in the order of the keys.
    let mut agenda: std::collections::BTreeSet<(i64, bool, usize, Moment)> = pairs
        .iter()
        .enumerate()
        .map(|(key, pair)| (pair.deadline_ms + 1, false, key, Moment::Miss))
        .collect();
    let mut lately: Vec<i64> = Vec::new();
    let mut open: BTreeMap<usize, i64> = BTreeMap::new();
    // The host, when it opened, its guests and itself while they wait, how many were given up, when the last
    // missed and the last came.
    let mut outage: Option<(usize, i64, Vec<usize>, usize, i64, i64)> = None;
    while let Some((now_ms, _, key, moment)) = agenda.pop_first() {
        let Pair { deadline_ms, came_ms, .. } = pairs[key];
        if now_ms > end_ms + 1 {
            break;
        }
        match moment {
            Moment::Miss if came_ms.is_some_and(|ms| ms <= deadline_ms) => {}
            Moment::Miss => {
                lately.push(deadline_ms);
                lately.retain(|ms| deadline_ms - ms < rule.within_ms);
                agenda.extend(came_ms.map(|ms| (ms, true, key, Moment::Come)));
                agenda.insert((deadline_ms + rule.ttl_ms + 1, false, key, Moment::GiveUp));
                if let Some((_, _, waiting, _, missed_ms, _)) = &mut outage {
                    waiting.push(key);
                    *missed_ms = deadline_ms;
                    continue;
                }
                tell(key, Told::Open(deadline_ms));
                if lately.len() >= 10 {
                    outage = Some((key, deadline_ms, vec![key], 0, deadline_ms, i64::MIN));
                    agenda.insert((now_ms + LOOK_MS, false, key, Moment::Look));
                } else {
                    open.insert(key, deadline_ms);
                }
            }
            Moment::Come | Moment::GiveUp => {
                let is_come = moment == Moment::Come;
                if open.remove(&key).is_some() {
                    tell(
                        key,
                        match is_come {
                            true => Told::Close(now_ms, CloseReason::ArrivedLate),
                            false => Told::Close(now_ms - 1, CloseReason::Forgotten),
                        },
                    );
                } else if let Some((host, _, waiting, n_given_up, _, last_ms)) = &mut outage
                    && let Some(place) = waiting.iter().position(|other| *other == key)
                    && (is_come || key != *host)
                {
                    waiting.remove(place);
                    *n_given_up += usize::from(!is_come);
                    *last_ms = (*last_ms).max(if is_come { now_ms } else { i64::MIN });
                }
            }
            Moment::Look => {
                let Some((host, opened_ms, waiting, n_given_up, missed_ms, last_ms)) = &outage else {
                    continue;
                };
                let (ttl_ms, opened_ms) = (missed_ms + rule.ttl_ms, *opened_ms);
                let told = match (waiting.is_empty(), n_given_up) {
                    (true, 0) => Told::Close(*last_ms.max(&opened_ms), CloseReason::ArrivedLate),
                    (true, _) => Told::Close(*last_ms.max(&opened_ms), CloseReason::Forgotten),
                    (false, _) if ttl_ms < now_ms => Told::Close(ttl_ms, CloseReason::Forgotten),
                    (false, _) => {
                        agenda.insert((now_ms + LOOK_MS, false, key, Moment::Look));
                        continue;
                    }
                };
                tell(*host, told);
                outage = None;
            }
        }
    }
    story
}

fn try_outage(random: &mut Random, what: &str) {
    let within_ms = *random.pick(&[20_000, 60_000]);
    let missing = Missing {
        expected: condition(r#"fields.kind == "b""#),
        within_ms,
        skew_ms: 0,
        pairing: *random.pick(&[Pairing::Each, Pairing::First, Pairing::Latest]),
        ttl_ms: within_ms * random.between(1, 6),
        max_pending: 1_000,
    };
    let mut rule = rule(RuleType::MissingB(missing.clone()));
    rule.condition = condition(r#"fields.kind == "a""#);
    let (mut pairs, mut facts) = (Vec::new(), Vec::new());
    let span_ms = within_ms * random.between(1, 12);
    let (share, patience_ms) = (random.between(20, 100), within_ms * random.between(1, 8));
    for number in 0..random.between(1, 90) {
        let key = format!("k{number:02}");
        let at_ms = 1_700_000_000_000 + random.below(span_ms) / 10 * 10;
        // Never in the moment of a timer: which of them is first is not what this is about.
        let came_ms = random.percent(share).then(|| at_ms + 5 + random.below(patience_ms) / 10 * 10);
        for (at_ms, kind) in [(Some(at_ms), 'a'), (came_ms, 'b')] {
            let fact = |at_ms| Fact { at_ms, partition: 0, offset: 0, key: key.clone(), kind, value: None };
            facts.extend(at_ms.map(fact));
        }
        pairs.push(Pair { key, deadline_ms: at_ms + within_ms, came_ms });
    }
    facts.sort_by_key(|fact| fact.at_ms);
    facts.iter_mut().zip(1..).for_each(|(fact, offset)| fact.offset = offset);
    let (seed, after_ms) = (random.number(), within_ms * 16);
    let (restart, is_lazy) = (None, random.percent(50));
    let (is_resolved, is_damaged, lateness_ms) = (false, false, random.between(1, within_ms));
    let plan = Plan { lateness_ms, after_ms, seed, restart, is_lazy, is_resolved, is_damaged };
    let rules = [Arc::new(rule)];
    let whole = replay(&rules, &facts, plan);
    for (is_resolved, is_damaged) in [(false, false), (true, false), (true, true)] {
        let plan = Plan { is_resolved, ..plan };
        let whole = replay(&rules, &facts, plan);
        let restart = Some(random.below(whole.n_batches as i64) as usize);
        let again = replay(&rules, &facts, Plan { restart, is_damaged, ..plan });
        if !is_damaged {
            assert_eq!(whole.transitions, again.transitions, "a restart changes what is said, {what}");
            assert_eq!(whole.store, again.store, "a restart changes what is kept, {what}");
        }
    }
    let mut found = Story::new();
    for transition in &whole.transitions {
        let told = match transition.change {
            Change::Open => Told::Open(transition.at_ms),
            Change::Close(reason) => Told::Close(transition.at_ms, reason),
            Change::Update => continue,
        };
        found.entry(transition.key.values()).or_default().push(told);
    }
    let end_ms = facts.last().map_or(0, |fact| fact.at_ms) + after_ms;
    assert_eq!(found, outages(&pairs, end_ms, &missing), "{what} {missing:?}\n{facts:#?}");
}

#[test]
fn an_outage_is_one_episode() {
    checked("outage", 100, try_outage);
}
