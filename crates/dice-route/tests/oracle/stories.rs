//! What rules say, in words: a few events each, in the order of their arrival.

use std::sync::Arc;

use dice_route::condition::Condition;
use dice_route::config::{
    Bound, CountCondition, FirstSeen, Missing, NewTerms, Pairing, RuleType, SequenceMode, SequenceStep, Skip,
};
use dice_route::{Change, Engine, Event, Message, MessageId, Stamped, Transition};

use crate::check::{condition, field, rule};
use crate::stream::{Fact, event, message};

/// How late an event may be.
const LATENESS_MS: i64 = 10_000;

/// An event of key `k`: its second, its kind and perhaps a value, such as `12 a 5`.
fn parsed(text: &str) -> Fact {
    let words: Vec<&str> = text.split(' ').collect();
    Fact {
        at_ms: (words[0].parse::<f64>().expect("a second") * 1_000.0) as i64,
        partition: 0,
        offset: 0,
        key: "k".into(),
        kind: words[1].chars().next().expect("a kind"),
        value: words.get(2).map(|value| value.parse().expect("a value")),
    }
}

/// Runs a rule without a key over events and compares what it says.
fn check(kind: RuleType, events: &[Event], expected: &[&str]) -> Vec<Transition> {
    let said = run(kind, events);
    let lines: Vec<&str> = said.iter().map(|(line, _)| &**line).collect();
    assert_eq!(lines, expected);
    said.into_iter().map(|(_, transition)| transition).collect()
}

/// What a rule without a key says of events: the second in which it was said, whether that was early or about
/// something late, what became of the episode, when, and why.
fn run(kind: RuleType, events: &[Event]) -> Vec<(String, Transition)> {
    let mut rule = rule(kind);
    rule.key.clear();
    if matches!(rule.kind, RuleType::MissingB(_)) {
        rule.condition = kind_is("a");
    }
    let mut engine = Engine::default();
    let mut out = Vec::new();
    let mut said = Vec::new();
    let mut watermark_ms = 0;
    engine.configure(&[Arc::new(rule)], 0, &mut out);
    let mut tell = |second: i64, out: &mut Vec<Transition>| {
        for transition in out.drain(..) {
            let news = match transition.change {
                Change::Open => "open",
                Change::Update => "update",
                Change::Close(_) => "close",
            };
            let when = match (transition.is_late, transition.is_early) {
                (true, _) => " late",
                (_, true) => " early",
                _ => "",
            };
            let at_s = transition.at_ms as f64 / 1_000.0;
            said.push((format!("{second}{when}: {news} at {at_s}: {}", transition.reason), transition));
        }
    };
    for (number, event) in events.iter().enumerate() {
        let mut event = event.clone();
        event.offset = number as u64;
        let at_ms = event.at_ms.expect("tests say when");
        engine.arrive(
            Stamped { event: &event, at_ms, is_late: at_ms <= watermark_ms },
            watermark_ms,
            at_ms,
            &mut out,
        );
        tell(at_ms / 1_000, &mut out);
        watermark_ms = watermark_ms.max(at_ms.saturating_sub(LATENESS_MS));
        // While an event of the kind `x` is the last, some input cannot be read.
        let is_healthy = !event.fields.iter().any(|(name, value)| &**name == "kind" && &**value == "x");
        engine.advance(watermark_ms, is_healthy, at_ms, &mut out);
        tell(at_ms / 1_000, &mut out);
    }
    engine.advance(1_000_000, true, 1_000_000, &mut out);
    tell(1_000, &mut out);
    said
}

fn events(texts: &[&str]) -> Vec<Event> {
    let message = message();
    texts.iter().map(|text| event(&parsed(text), &message)).collect()
}

fn kind_is(kind: &str) -> Condition {
    condition(&format!("fields.kind == \"{kind}\""))
}

fn sequence(steps: &[&str], mode: SequenceMode) -> RuleType {
    let step = |kind: &&str| SequenceStep { name: (*kind).into(), condition: kind_is(kind) };
    RuleType::Sequence {
        steps: steps.iter().map(step).collect(),
        not: None,
        within_ms: 60_000,
        is_strict: false,
        skip: Skip::PastLast,
        mode,
        max_partial: 16,
        collapse: None,
    }
}

fn missing(pairing: Pairing, max_pending: usize) -> RuleType {
    RuleType::MissingB(Missing {
        expected: kind_is("b"),
        within_ms: 300_000,
        skew_ms: 2_000,
        pairing,
        ttl_ms: 3_600_000,
        max_pending,
    })
}

fn first_seen(terms: NewTerms, max_terms: usize) -> FirstSeen {
    FirstSeen {
        terms,
        horizon_ms: 100_000,
        learn_for_ms: 0,
        seed: Arc::default(),
        seed_messages: Arc::default(),
        max_terms,
    }
}

#[test]
fn changes() {
    let change = |flap| RuleType::Change {
        field: field("fields.v"),
        within_ms: None,
        ignore: Vec::new(),
        with_null: false,
        flap,
    };
    check(
        change(None),
        &events(&["1 a 5", "2 a 5", "3 a", "4 a 6"]),
        &[
            "1000: open at 4: `fields.v` changed from `5` to `6`",
            "1000: close at 4: `fields.v` changed from `5` to `6`",
        ],
    );
    check(
        change(Some((2, 30_000))),
        &events(&["1 a 5", "2 a 6", "3 a 5", "20 a 6"]),
        &[
            "20: open at 2: `fields.v` changed from `5` to `6`",
            "20: close at 2: `fields.v` changed from `5` to `6`",
            "20: open at 3: `fields.v` is flapping: 2 changes in 30s, the last from `6` to `5`",
            "1000: update at 33: `fields.v` is flapping: 3 changes, it is `6`",
            "1000: close at 50: `fields.v` did not change for 30s, it is `6`",
        ],
    );
    // A late value counts unless a later one is known.
    check(
        change(None),
        &events(&["1 a 5", "30 b", "3 a 6", "2 a 7"]),
        &[
            "3 late: open at 3: `fields.v` changed from `5` to `6`",
            "3 late: close at 3: `fields.v` changed from `5` to `6`",
        ],
    );
}

#[test]
fn terms() {
    let value = || NewTerms::Fields(vec![field("fields.v")]);
    check(
        RuleType::FirstSeen(first_seen(value(), 10)),
        &events(&["1 a 5", "2 a 5", "150 a 5"]),
        &[
            "1 early: open at 1: `fields.v` = `5` was never seen before",
            "1 early: close at 1: `fields.v` = `5` was never seen before",
            "150 early: open at 150: `fields.v` = `5` is back after 2m 28s",
            "150 early: close at 150: `fields.v` = `5` is back after 2m 28s",
        ],
    );
    let learned = FirstSeen { learn_for_ms: 10_000, ..first_seen(value(), 10) };
    check(
        RuleType::FirstSeen(learned),
        &events(&["1 a 5", "12 a 5", "13 a 6"]),
        &[
            "13 early: open at 13: `fields.v` = `6` was never seen before",
            "13 early: close at 13: `fields.v` = `6` was never seen before",
        ],
    );
    let seeded = FirstSeen { seed: Arc::new(vec!["[\"5\"]".into()]), ..first_seen(value(), 1) };
    let said = check(
        RuleType::FirstSeen(seeded),
        &events(&["1 a 5", "2 a 6", "3 a 7"]),
        &[
            "2 early: open at 2: `fields.v` = `6` was never seen before",
            "2 early: close at 2: `fields.v` = `6` was never seen before",
            "3 early: open at 3: `fields.v` = `7` was never seen before, or was forgotten for want of room",
            "3 early: close at 3: `fields.v` = `7` was never seen before, or was forgotten for want of room",
        ],
    );
    assert_eq!(said[2].evidence.figures, [("maybe_new".into(), 1.0)]);
    assert_eq!(&*said[2].key.0, "[\"7\"]");
}

/// Events of messages: when, which, and the release.
fn printed(texts: &[(i64, &Arc<Message>, &str)]) -> Vec<Event> {
    let of = |(second, message, version): &(i64, &Arc<Message>, &str)| {
        let mut event = event(&parsed(&format!("{second} a")), message);
        event.version = Some((*version).into());
        event
    };
    texts.iter().map(of).collect()
}

#[test]
fn messages() {
    let known = |id: u8, was: &[u8]| {
        let id_of = |id: u8| {
            MessageId::Known([id; 16].map(|byte| format!("{byte:02x}")).concat().parse().expect("an id"))
        };
        let was = was.iter().map(|id| id_of(*id)).collect();
        Arc::new(Message {
            id: id_of(id),
            was,
            template: format!("message {id}").into(),
            ..(*message()).clone()
        })
    };
    let (one, two, unknown) = (known(1, &[]), known(2, &[]), message());
    let (one_reworded, one_again) = (known(3, &[1]), known(4, &[9, 3]));
    let lines = printed(&[
        (1, &one, "1.41"),
        (2, &one, "1.42"),
        (3, &one_reworded, "1.42"),
        (4, &two, "1.42"),
        (5, &unknown, "1.42"),
        (6, &one_again, "1.42"),
    ]);
    check(
        RuleType::FirstSeen(first_seen(NewTerms::Message, 10)),
        &lines,
        &[
            "1 early: open at 1: `message 1` was never seen before",
            "1 early: close at 1: `message 1` was never seen before",
            "4 early: open at 4: `message 2` was never seen before",
            "4 early: close at 4: `message 2` was never seen before",
        ],
    );
    let catalog =
        FirstSeen { seed_messages: Arc::new(vec![one.id]), ..first_seen(NewTerms::MessageInVersion, 10) };
    check(
        RuleType::FirstSeen(catalog),
        &lines,
        &[
            "4 early: open at 4: first seen in release 1.42",
            "4 early: close at 4: first seen in release 1.42",
        ],
    );
    check(
        RuleType::FirstSeen(first_seen(NewTerms::Unmatched, 10)),
        &lines,
        &[
            "5 early: open at 5: `something happened`, which no statement is known for, was never seen before",
            "5 early: close at 5: `something happened`, which no statement is known for, was never seen before",
        ],
    );
}

#[test]
fn cardinalities() {
    let cardinality =
        |bound, clear| RuleType::Cardinality { field: field("fields.v"), within_ms: 60_000, bound, clear };
    check(
        cardinality(Bound::Above(2.0), 2),
        &events(&["1 a 1", "2 a 2", "3 a 1", "4 a 3"]),
        &[
            "4 early: open at 4: at least 3 different values of `fields.v` in 1m, at most 2 wanted",
            "1000: close at 63: 1 different value of `fields.v` in 1m, at most 2 wanted",
        ],
    );
    check(
        cardinality(Bound::Below(2.0), 2),
        &events(&["0.5 a 1", "50 a 1", "75 a 2"]),
        &[
            "1000: open at 70: 1 different value of `fields.v` in 1m, at least 2 wanted",
            "1000: close at 80: 2 different values of `fields.v` in 1m, at least 2 wanted",
            "1000: open at 120: 1 different value of `fields.v` in 1m, at least 2 wanted",
        ],
    );
}

#[test]
fn many_values_are_counted_roughly() {
    let bound = Bound::Below(4_700.0);
    let kind = RuleType::Cardinality { field: field("fields.v"), within_ms: 60_000, bound, clear: 4_700 };
    // For 70 seconds 5,000 different values a minute, then 4,200.
    let texts: Vec<String> = (0..10_400)
        .map(|n| if n < 5_833 { (n * 12, n % 5_000) } else { (70_000 + (n - 5_833) * 14, n % 4_200) })
        .map(|(at_ms, value)| format!("{} a {value}", f64::from(at_ms) / 1_000.0 + 1.0))
        .collect();
    let said = run(kind, &events(&texts.iter().map(String::as_str).collect::<Vec<&str>>()));
    let (line, opened) = &said[0];
    assert!((80_000..=140_000).contains(&opened.at_ms), "{line}");
    let distinct = opened.evidence.figures[0].1;
    assert!((4_050.0..4_700.0).contains(&distinct), "{line}");
    assert!(said.iter().all(|(_, transition)| !matches!(transition.change, Change::Close(_))), "{said:?}");
}

#[test]
fn sequences() {
    check(
        sequence(&["a", "b", "c"], SequenceMode::Match),
        &events(&["1 a", "3 c", "2 b", "4 c"]),
        &["2 early: open at 3: `a`, `b`, `c` in 2s", "2 early: close at 3: `a`, `b`, `c` in 2s"],
    );
    check(
        sequence(&["a", "b", "c"], SequenceMode::Validate),
        &events(&["1 a", "2 c", "3 b", "4 b"]),
        &[
            "1000: open at 3: `b` came after `c`",
            "1000: close at 3: `b` came after `c`",
            "1000: open at 4: `b` came twice",
            "1000: close at 4: `b` came twice",
        ],
    );
    check(
        sequence(&["a", "b", "c"], SequenceMode::Validate),
        &events(&["1 a", "2 c"]),
        &[
            "1000: open at 61: `b` did not come within 1m of `a`, `c`",
            "1000: close at 61: `b` did not come within 1m of `a`, `c`",
        ],
    );
    let said = check(
        sequence(&[], SequenceMode::Gaps(field("fields.v"))),
        &events(&["1 a 7", "2 a 12", "3 a 9", "4 a 14", "80 b", "5 a 13"]),
        &[
            "80: open at 62: `fields.v` 8 is missing: it did not come within 1m",
            "80: close at 62: `fields.v` 8 is missing: it did not come within 1m",
            "80: open at 62: `fields.v` 10 to 11 are missing, 2 numbers: they did not come within 1m",
            "80: close at 62: `fields.v` 10 to 11 are missing, 2 numbers: they did not come within 1m",
            "80: open at 64: `fields.v` 13 is missing: it did not come within 1m",
            "80: close at 64: `fields.v` 13 is missing: it did not come within 1m",
        ],
    );
    let gaps = sequence(&[], SequenceMode::Gaps(field("fields.v")));
    check(gaps.clone(), &events(&["1 a 7", "2 a 12", "30 x", "80 b"]), &[]);
    // Some input could not be read before it was seen that they are missing.
    check(gaps, &events(&["1 a 7", "30 x", "50 a 12", "150 b"]), &[]);
    // With no time for a missing one to come, only the lateness is waited for.
    let mut gaps = sequence(&[], SequenceMode::Gaps(field("fields.v")));
    if let RuleType::Sequence { within_ms, .. } = &mut gaps {
        *within_ms = 0;
    }
    check(
        gaps,
        &events(&["1 a 7", "3 a 9", "2 a 8", "4 a 12", "14 b", "15 b"]),
        &[
            "14: open at 4: `fields.v` 10 to 11 are missing, 2 numbers",
            "14: close at 4: `fields.v` 10 to 11 are missing, 2 numbers",
        ],
    );
    let figures = [("first".into(), 10.0), ("last".into(), 11.0), ("missing".into(), 2.0)];
    assert_eq!(said[2].evidence.figures, figures);
}

#[test]
fn absences() {
    let expected = "expected `fields.kind == \"b\"` within 5m of `fields.kind == \"a\"`, it did not come";
    let late = "close at 360: `fields.kind == \"b\"` came 5m 59s after `fields.kind == \"a\"`, 59s too late";
    check(
        missing(Pairing::Each, 10),
        &events(&["1 a", "360 b", "400 d"]),
        &[&format!("360: open at 301: {expected}"), &format!("400: {late}")],
    );
    // A clock that is two seconds ahead, and a line that was read late.
    check(missing(Pairing::Each, 10), &events(&["1 b", "2 a"]), &[]);
    check(
        missing(Pairing::Each, 10),
        &events(&["1 a", "320 d", "200 b"]),
        &[
            &format!("320: open at 301: {expected}"),
            "200 late: close at 301: `fields.kind == \"b\"` had come in time, its line was read late",
        ],
    );
    // What could not be read may have been the B.
    check(missing(Pairing::Each, 10), &events(&["1 a", "100 x", "320 d"]), &[]);
    // The first of two had to go: nobody knows what became of it.
    let said = check(
        missing(Pairing::Each, 1),
        &events(&["1 a", "2 a", "400 d"]),
        &[&format!("400: open at 302: {expected}")],
    );
    assert_eq!(said[0].evidence.figures[1], ("unverified".into(), 1.0));
}

#[test]
fn an_outage() {
    let mut rule = rule(missing(Pairing::Each, 10_000));
    rule.condition = kind_is("a");
    let mut engine = Engine::default();
    let (mut out, message) = (Vec::new(), message());
    engine.configure(&[Arc::new(rule)], 0, &mut out);
    // Five thousand are not followed in time; those that are, are 20 minutes late.
    for (second, kind) in [(1, "a"), (1_200, "b")] {
        for number in 0..5_000 {
            let fact = Fact { key: format!("k{number:04}"), ..parsed(&format!("{second} {kind}")) };
            let event = event(&fact, &message);
            engine.arrive(Stamped { event: &event, at_ms: fact.at_ms, is_late: false }, 0, 0, &mut out);
        }
    }
    engine.advance(2_000_000, true, 2_000_000, &mut out);
    let of_host = |transition: &&Transition| transition.key.values() == ["k0009"];
    assert_eq!(out.iter().filter(|transition| transition.change == Change::Open).count(), 10);
    let said: Vec<String> = out.iter().filter(of_host).map(|said| said.reason.clone()).collect();
    let expected = "expected `fields.kind == \"b\"` within 5m of `fields.kind == \"a\"`, it did not come";
    let names: Vec<String> = (9..17).map(|number| format!("`k{number:04}`")).collect();
    assert_eq!(
        said,
        [
            format!("{expected} for 10 keys in 5m; from now on they are told together"),
            format!(
                "{expected} 4991 times for 4991 keys, of which 4991 still wait: {} and others",
                names.join(", ")
            ),
            "`fields.kind == \"b\"` came after all, for all of 4991 keys".to_owned(),
        ]
    );
    assert_eq!(engine.status()[0].keys, 0, "nothing is waited for any more");
}

#[test]
fn sessions() {
    let session = RuleType::Session {
        gap_ms: 5_000,
        max_len_ms: 60_000,
        count: Some(Bound::Above(1.0)),
        duration_ms: None,
        has: None,
        lacks: Some(kind_is("c")),
        ended_without: None,
    };
    check(
        session.clone(),
        &events(&["1 a", "3 b", "14 a", "15 c", "30 a"]),
        &[
            "30: open at 8: a session of 2 events in 2s ended without `fields.kind == \"c\"`",
            "30: close at 8: a session of 2 events in 2s ended without `fields.kind == \"c\"`",
        ],
    );
    // What could not be read may have been the `c`.
    check(session, &events(&["1 a", "3 b", "14 x", "30 a"]), &[]);
}

#[test]
fn composites() {
    let of =
        |kind: &str, count| CountCondition { name: kind.into(), condition: kind_is(kind), count, clear: 1 };
    let composite = |order: Option<&str>| RuleType::Composite {
        conditions: vec![of("a", 2), of("b", 1)],
        within_ms: 60_000,
        at_least: 2,
        order: order.map(|order| dice_route::config::Pattern(order.parse().expect("an expression"))),
    };
    check(
        composite(None),
        &events(&["1 a", "3 b", "2 a"]),
        &["2 early: open at 3: 2 × `a`, 1 × `b` in 1m", "1000: close at 62: only 1 × `b` in 1m"],
    );
    check(composite(Some("^b")), &events(&["1 a", "3 b", "2 a"]), &[]);
}

#[test]
fn late_events() {
    let composite = RuleType::Composite {
        conditions: vec![CountCondition { name: "a".into(), condition: kind_is("a"), count: 2, clear: 1 }],
        within_ms: 60_000,
        at_least: 1,
        order: None,
    };
    check(
        composite,
        &events(&["1 a", "40 d", "2 a"]),
        &["2 late: open at 2: 2 × `a` in 1m", "1000: close at 62: nothing in 1m"],
    );
    check(sequence(&["a", "b"], SequenceMode::Match), &events(&["1 a", "40 d", "2 b"]), &[]);
    let value = NewTerms::Fields(vec![field("fields.v")]);
    check(
        RuleType::FirstSeen(first_seen(value, 10)),
        &events(&["1 a 5", "40 d", "2 a 5", "3 a 6"]),
        &[
            "1 early: open at 1: `fields.v` = `5` was never seen before",
            "1 early: close at 1: `fields.v` = `5` was never seen before",
            "3 late: open at 3: `fields.v` = `6` was never seen before",
            "3 late: close at 3: `fields.v` = `6` was never seen before",
        ],
    );
    let session = RuleType::Session {
        gap_ms: 40_000,
        max_len_ms: 600_000,
        count: None,
        duration_ms: None,
        has: Some(kind_is("b")),
        lacks: None,
        ended_without: None,
    };
    // One is merged into the session that goes on; one belongs to a session that has ended.
    let said = check(
        session,
        &events(&["1 a", "100 a", "130 a", "99 b", "2 b"]),
        &[
            "1000: open at 170: a session of 3 events in 31s ended with `fields.kind == \"b\"`",
            "1000: close at 170: a session of 3 events in 31s ended with `fields.kind == \"b\"`",
        ],
    );
    assert_eq!(said[0].evidence.late, 1);
}

/// Every type that this file is about.
fn kinds() -> Vec<RuleType> {
    let value = || field("fields.v");
    let number = |mode| sequence(&["a", "b"], mode);
    let cardinality = |bound| RuleType::Cardinality { field: value(), within_ms: i64::MAX, bound, clear: 2 };
    vec![
        RuleType::Change {
            field: value(),
            within_ms: Some(i64::MAX),
            ignore: Vec::new(),
            with_null: true,
            flap: Some((u32::MAX, i64::MAX)),
        },
        RuleType::FirstSeen(first_seen(NewTerms::Fields(vec![value()]), 3)),
        cardinality(Bound::Above(1.0)),
        cardinality(Bound::Below(f64::INFINITY)),
        cardinality(Bound::Above(f64::NAN)),
        number(SequenceMode::Match),
        number(SequenceMode::Validate),
        number(SequenceMode::Gaps(value())),
        sequence(&[], SequenceMode::Match),
        sequence(&[], SequenceMode::Validate),
        missing(Pairing::Each, 0),
        missing(Pairing::Latest, usize::MAX),
        RuleType::Session {
            gap_ms: i64::MAX,
            max_len_ms: 0,
            count: None,
            duration_ms: Some(Bound::Above(f64::NAN)),
            has: None,
            lacks: None,
            ended_without: None,
        },
        RuleType::Composite { conditions: Vec::new(), within_ms: i64::MIN, at_least: 5, order: None },
        RuleType::Composite {
            conditions: vec![CountCondition {
                name: "a".into(),
                condition: kind_is("a"),
                count: u32::MAX,
                clear: u32::MAX,
            }],
            within_ms: i64::MAX,
            at_least: 0,
            order: Some(dice_route::config::Pattern("a".parse().expect("an expression"))),
        },
    ]
}

#[test]
fn any_time_and_any_number_is_survived() {
    let times = [0, i64::MIN, i64::MAX, -1, i64::MIN + 1, 1, i64::MAX - 1, 0, i64::MAX, i64::MIN];
    for kind in kinds() {
        let message = message();
        let events: Vec<Event> = times
            .iter()
            .enumerate()
            .flat_map(|(number, at_ms)| {
                let value = [i64::MAX, 0, 7, i64::MIN][number % 4];
                ["a", "b", "a"].map(|kind| Event {
                    at_ms: Some(*at_ms),
                    ..event(&parsed(&format!("0 {kind} {value}")), &message)
                })
            })
            .collect();
        run(kind.clone(), &events);
        run(kind, &events[3..]);
    }
}
