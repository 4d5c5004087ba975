//! A rule's own tests: its events in virtual time, and what the rule says to them.

use std::collections::BTreeSet;
use std::sync::Arc;

use dice_config::{Case, Expected, ExpectedChange};
use dice_route::config::Rule;
use dice_route::records::Records;
use dice_route::{Change, Config, Engine, PartitionNews, Stamp, Stamped, Transition, Watermarks};

/// When a test begins: a Monday morning.
const START_MS: i64 = 1_794_819_600_000;
/// Time goes on for this long after the last event or expectation.
const AFTERWARDS_MS: i64 = 600_000;
const STEP_MS: i64 = 1_000;
/// The longest that a test lasts.
const MAX_MS: i64 = 400 * 86_400_000;

/// Runs a test; gives what is not as it must be, in sentences.
pub(crate) fn run(case: &Case, rule: &Arc<Rule>, config: &Config) -> Vec<String> {
    let said = transitions(case, rule, config);
    let mut failures = Vec::new();
    let mut rest: Vec<Option<&Transition>> = said.iter().map(Some).collect();
    for expected in &case.expected {
        let found = rest.iter_mut().find(|each| each.is_some_and(|it| fits(expected, it, rule)));
        match found {
            Some(found) => *found = None,
            None => failures.push(format!("{}: missing: {}", expected.place, wanted(expected))),
        }
    }
    if case.is_exact {
        // A test ends with its last event or expectation; what is said to go on is nobody's failure.
        let end_ms = end_ms(case);
        let is_more = |it: &&Transition| it.change != Change::Update && it.at_ms <= end_ms;
        let rest = rest.into_iter().flatten().filter(is_more);
        failures.extend(rest.map(|it| format!("unexpected: {}", shown(it))));
    }
    failures
}

/// When a test ends, by event time.
fn end_ms(case: &Case) -> i64 {
    let events = case.events(START_MS).into_iter().filter_map(|event| event.at_ms).max();
    let expected = case.expected.iter().map(|expected| START_MS.saturating_add(expected.at_ms)).max();
    events.max(expected).unwrap_or(START_MS)
}

fn transitions(case: &Case, rule: &Arc<Rule>, config: &Config) -> Vec<Transition> {
    let mut engine = Engine::default();
    let mut out = Vec::new();
    engine.configure(&[Arc::clone(rule)], START_MS, &mut out);
    engine.restored();
    let mut watermarks = Watermarks::default();
    watermarks.configure(config);
    let mut records = Records::default();
    let mut events = case.events(START_MS);
    for event in &mut events {
        // Offsets are counted from 1: what was read before has a smaller one.
        event.offset += 1;
    }
    let last_ms = events.iter().map(|event| event.ingested_ms).max().unwrap_or(START_MS);
    let end_ms = last_ms.max(end_ms(case)).saturating_add(AFTERWARDS_MS);
    let end_ms = end_ms.min(START_MS + MAX_MS);
    let partitions: BTreeSet<_> =
        events.iter().map(|event| (event.partition, Arc::clone(&event.source))).collect();
    for (id, source) in &partitions {
        let news = PartitionNews::Opened { source: Arc::clone(source), name: Arc::clone(source) };
        watermarks.news(*id, &news, config, START_MS);
    }
    let mut events = events.into_iter().peekable();
    let mut now_ms = START_MS;
    while now_ms <= end_ms {
        while let Some(event) = events.next_if(|event| event.ingested_ms <= now_ms) {
            let (at_ms, is_late) = match watermarks.stamp(&event, config, &mut records) {
                Stamp::At(at_ms) => (at_ms, false),
                Stamp::Late(at_ms) => (at_ms, true),
                Stamp::TooOld(_) | Stamp::Repeated => continue,
            };
            let stamped = Stamped { event: &event, at_ms, is_late };
            engine.arrive(stamped, watermarks.now_ms(), now_ms, &mut out);
        }
        for (id, _) in &partitions {
            watermarks.news(*id, &PartitionNews::CaughtUp(now_ms), config, now_ms);
        }
        let watermark_ms = watermarks.tick(now_ms);
        engine.advance(watermark_ms, true, now_ms, &mut out);
        now_ms += STEP_MS;
    }
    out
}

fn fits(expected: &Expected, said: &Transition, rule: &Rule) -> bool {
    let is_so = match (expected.change, said.change) {
        (ExpectedChange::Open, Change::Open) | (ExpectedChange::Update, Change::Update) => true,
        (ExpectedChange::Close(wanted), Change::Close(found)) => wanted.is_none_or(|wanted| wanted == found),
        _ => false,
    };
    let values = said.key.values();
    let has = |name: &str, value: &str| {
        let place = rule.key.iter().position(|field| {
            field.name() == name || field.name().rsplit_once('.').is_some_and(|(_, last)| last == name)
        });
        place.and_then(|place| values.get(place)).is_some_and(|found| found == value)
    };
    is_so
        && said.at_ms == START_MS + expected.at_ms
        && expected.key.iter().all(|(name, value)| has(name, value))
}

fn wanted(expected: &Expected) -> String {
    let change = match expected.change {
        ExpectedChange::Open => "open".to_owned(),
        ExpectedChange::Update => "update".to_owned(),
        ExpectedChange::Close(None) => "close".to_owned(),
        ExpectedChange::Close(Some(reason)) => format!("close ({reason:?})"),
    };
    let key: Vec<String> = expected.key.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{change} at {} {}", since(START_MS + expected.at_ms), key.join(" "))
}

fn shown(said: &Transition) -> String {
    let change = match said.change {
        Change::Open => "open".to_owned(),
        Change::Update => "update".to_owned(),
        Change::Close(reason) => format!("close ({reason:?})"),
    };
    format!("{change} at {} of {}: {}", since(said.at_ms), said.key.0, said.reason)
}

/// Time since the start of the test: `3m 10s`.
fn since(at_ms: i64) -> String {
    format!("{:#}", jiff::SignedDuration::from_millis(at_ms - START_MS))
}
