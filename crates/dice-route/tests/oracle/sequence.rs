//! `sequence`: whole matches, faults, numbers that are missing

use dice_route::CloseReason;
use dice_route::config::{RuleType, SequenceMode, SequenceStep, Skip};

use crate::check::{Case, Told, check, condition, field, rule};
use crate::random::Random;
use crate::stream::{Fact, Shape};

/// What a rule of this type says.
#[derive(Debug, Clone)]
struct Settings {
    /// The kinds that each step may be.
    steps: Vec<&'static str>,
    not: Option<char>,
    within_ms: i64,
    is_strict: bool,
    skip: Skip,
}

const STEPS: &[&[&str]] =
    &[&["a"], &["a", "b"], &["b", "a"], &["a", "ab", "c"], &["ab", "b"], &["a", "b", "c"]];

fn case(
    random: &mut Random,
    mode: SequenceMode,
    oracle: impl Fn(&[Fact], i64, &Settings) -> Vec<i64> + 'static,
) -> Case {
    let within_ms = *random.pick(&[5, 1_000, 60_000]);
    let steps = *random.pick(STEPS);
    let is_gaps = matches!(mode, SequenceMode::Gaps(_));
    let settings = Settings {
        steps: steps.to_vec(),
        not: if random.percent(30) { Some('d') } else { None },
        // A missing number may have to have come by the time of the one after it.
        within_ms: if is_gaps && random.percent(25) { 0 } else { within_ms },
        is_strict: random.percent(20),
        skip: *random.pick(&[Skip::PastLast, Skip::NoSkip, Skip::ToNext]),
    };
    let step = |kinds: &&str| {
        let names: Vec<String> = kinds.chars().map(|kind| format!("\"{kind}\"")).collect();
        SequenceStep {
            name: (*kinds).into(),
            condition: condition(&format!("fields.kind in [{}]", names.join(", "))),
        }
    };
    let collapse = if random.percent(40) { Some((random.between(1, 3) as u32, within_ms)) } else { None };
    let kind = RuleType::Sequence {
        steps: settings.steps.iter().map(step).collect(),
        not: settings.not.map(|kind| condition(&format!("fields.kind == \"{kind}\""))),
        within_ms: settings.within_ms,
        is_strict: settings.is_strict,
        skip: settings.skip,
        mode,
        // Where matches share no events, as many as there are steps lose nothing.
        max_partial: if settings.skip == Skip::PastLast && !is_gaps { steps.len() } else { 1_000 },
        collapse,
    };
    let Settings { not, is_strict, .. } = settings;
    let all = settings.steps.concat();
    Case {
        rule: rule(kind),
        shape: Shape {
            count: random.between(1, 80),
            keys: random.between(1, 4),
            span_ms: within_ms,
            lateness_ms: random.between(1, 3 * within_ms),
            late_percent: 0,
            values: random.between(3, 60),
        },
        after_ms: within_ms * 6,
        oracle: Box::new(move |facts, end_ms| collapsed(&oracle(facts, end_ms, &settings), end_ms, collapse)),
        relevant: Box::new(move |fact| {
            if is_gaps {
                fact.value.is_some()
            } else {
                is_strict || Some(fact.kind) == not || all.contains(fact.kind)
            }
        }),
    }
}

/// Instants, or bursts of them.
fn collapsed(times: &[i64], end_ms: i64, collapse: Option<(u32, i64)>) -> Vec<Told> {
    let mut told = Vec::new();
    let mut burst: Vec<i64> = Vec::new();
    let mut is_open = false;
    for &at_ms in times {
        let (many, window_ms) =
            collapse.map_or((usize::MAX, 1), |(many, window_ms)| (many as usize, window_ms));
        if is_open && burst[burst.len() - 1] + window_ms < at_ms {
            told.push(Told::Close(burst[burst.len() - 1] + window_ms, CloseReason::Cleared));
            (is_open, burst) = (false, Vec::new());
        }
        burst.push(at_ms);
        if !is_open {
            told.push(Told::Open(at_ms));
            is_open = burst.iter().filter(|ms| at_ms - **ms < window_ms).count() >= many;
            if !is_open {
                told.push(Told::Close(at_ms, CloseReason::Instant));
            }
        }
    }
    let last = burst.last().zip(collapse).map(|(last_ms, (_, window_ms))| last_ms + window_ms);
    told.extend(last.filter(|ms| is_open && *ms <= end_ms).map(|ms| Told::Close(ms, CloseReason::Cleared)));
    told
}

/// The end of the match that begins at this event, if there is one: each step is the next event that it can
/// be.
fn end_of(facts: &[Fact], start: usize, settings: &Settings) -> Option<usize> {
    let mut step = 0;
    for (place, fact) in facts.iter().enumerate().skip(start) {
        if fact.at_ms - facts[start].at_ms > settings.within_ms {
            return None;
        }
        if settings.steps[step].contains(fact.kind) {
            step += 1;
            if step == settings.steps.len() {
                return Some(place);
            }
        } else if step == 0 || settings.is_strict || Some(fact.kind) == settings.not {
            return None;
        }
    }
    None
}

fn matches(facts: &[Fact], _end_ms: i64, settings: &Settings) -> Vec<i64> {
    let ends = (0..facts.len()).filter_map(|start| Some((end_of(facts, start, settings)?, start)));
    let mut ends: Vec<(usize, usize)> = ends.collect();
    ends.sort_unstable();
    if settings.skip == Skip::PastLast {
        let mut next = 0;
        ends.retain(|(end, start)| {
            let is_free = *start >= next;
            if is_free {
                next = end + 1;
            }
            is_free
        });
    }
    ends.into_iter().map(|(end, _)| facts[end].at_ms).collect()
}

fn faults(facts: &[Fact], end_ms: i64, settings: &Settings) -> Vec<i64> {
    let mut times = Vec::new();
    let n_steps = settings.steps.len();
    let mut run: Option<(i64, Vec<usize>)> = None;
    for fact in facts {
        if let Some((start_ms, seen)) =
            run.take_if(|(start_ms, _)| *start_ms + settings.within_ms < fact.at_ms)
        {
            times.extend((seen.len() < n_steps).then_some(start_ms + settings.within_ms));
        }
        let may_be: Vec<usize> =
            (0..n_steps).filter(|step| settings.steps[*step].contains(fact.kind)).collect();
        let is_whole = run.as_ref().is_some_and(|(_, seen)| seen.len() == n_steps);
        if may_be.is_empty() {
            let is_wrong =
                run.is_some() && !is_whole && (settings.is_strict || Some(fact.kind) == settings.not);
            times.extend(is_wrong.then_some(fact.at_ms));
            continue;
        }
        if is_whole && may_be.contains(&0) {
            run = None;
        }
        let (_, seen) = run.get_or_insert((fact.at_ms, Vec::new()));
        match may_be.iter().find(|step| !seen.contains(step)) {
            None => times.push(fact.at_ms),
            Some(step) => {
                times.extend(seen.iter().any(|other| other > step).then_some(fact.at_ms));
                seen.push(*step);
            }
        }
    }
    let last = run.filter(|(start_ms, seen)| seen.len() < n_steps && start_ms + settings.within_ms <= end_ms);
    times.extend(last.map(|(start_ms, _)| start_ms + settings.within_ms));
    times
}

fn gaps(facts: &[Fact], end_ms: i64, settings: &Settings) -> Vec<i64> {
    let mut times: Vec<i64> = Vec::new();
    let mut next: Option<i64> = None;
    let mut begins: Vec<i64> = Vec::new();
    // What is missing, and since when; a missing number that comes leaves a hole in it.
    let mut missing: Vec<(i64, Vec<i64>)> = Vec::new();
    for (at_ms, number) in facts.iter().filter_map(|fact| Some((fact.at_ms, fact.value?))) {
        let over = missing.iter().take_while(|(since_ms, _)| since_ms + settings.within_ms < at_ms).count();
        for (since_ms, numbers) in missing.drain(..over) {
            let ranges = numbers.iter().filter(|number| !numbers.contains(&(*number + 1))).count();
            times.extend(std::iter::repeat_n(since_ms + settings.within_ms, ranges));
        }
        match next {
            Some(expected) if number < expected => {
                if let Some((_, numbers)) = missing.iter_mut().find(|(_, numbers)| numbers.contains(&number))
                {
                    numbers.retain(|other| *other != number);
                    continue;
                }
                // Two in a row from the beginning on: the numbers begin anew.
                if begins.last() == Some(&(number - 1)) {
                    next = Some(number + 1);
                    begins.clear();
                } else if number <= 1 {
                    begins = vec![number];
                }
            }
            before => {
                if let Some(expected) = before.filter(|expected| *expected < number) {
                    missing.push((at_ms, (expected..number).collect()));
                }
                next = Some(number + 1);
                begins.clear();
            }
        }
    }
    for (since_ms, numbers) in missing {
        let ranges = numbers.iter().filter(|number| !numbers.contains(&(*number + 1))).count();
        let at_ms = since_ms + settings.within_ms;
        times.extend(std::iter::repeat_n(at_ms, if at_ms <= end_ms { ranges } else { 0 }));
    }
    times
}

#[test]
fn a_whole_match_is_told() {
    check("sequence", 400, |random| case(random, SequenceMode::Match, matches));
}

#[test]
fn a_fault_in_the_order_is_told() {
    check("validation", 150, |random| case(random, SequenceMode::Validate, faults));
}

#[test]
fn a_missing_number_is_told() {
    check("gaps", 150, |random| case(random, SequenceMode::Gaps(field("fields.v")), gaps));
}
