//! What happens to episodes beside events: other rules, people, inputs that cannot be read, broken stores.

use std::sync::Arc;

use dice_route::book::{Cell, Delta, Waiting};
use dice_route::config::{
    Aggregate, Baseline, Bound, CountCondition, Measure, OnNew, Rule, RuleType, SequenceMode, SequenceStep,
    Skip, SpikeTest,
};
use dice_route::{Change, Engine, EpisodeId, Stamped, Transition};

use crate::check::{condition, field, rule};
use crate::random::Random;
use crate::stream::{Fact, event, message};

/// Something that happens at a moment, in seconds.
#[derive(Debug, Clone)]
enum Step {
    /// An event of this key.
    Event(i64, &'static str),
    /// Everything up to here is decided.
    Passed(i64),
    /// The same while some input cannot be read.
    Unknown(i64),
    /// The rules are these from now on.
    Rules(Vec<Arc<Rule>>),
    /// A person ends the episode that was opened first, second, …
    Resolve(usize),
    /// Everything is saved, and another engine with these rules goes on.
    Restart(Vec<Arc<Rule>>),
}

fn check(rules: Vec<Arc<Rule>>, steps: &[Step], wanted: &[&str]) {
    assert_eq!(told(rules, steps), wanted);
}

/// What was said, in few words: `1s k/1 open`.
fn told(rules: Vec<Arc<Rule>>, steps: &[Step]) -> Vec<String> {
    let mut engine = Engine::default();
    let mut said: Vec<Transition> = Vec::new();
    let mut store = Vec::new();
    engine.configure(&rules, 0, &mut said);
    let mut watermark_ms = i64::MIN;
    for (offset, step) in steps.iter().enumerate() {
        match step {
            Step::Event(at_s, key) => {
                let at_ms = at_s * 1_000;
                let fact = Fact {
                    at_ms,
                    partition: 0,
                    offset: offset as u64,
                    key: (*key).to_owned(),
                    kind: 'a',
                    value: None,
                };
                let event = event(&fact, &message());
                let is_late = at_ms <= watermark_ms;
                engine.arrive(Stamped { event: &event, at_ms, is_late }, watermark_ms, at_ms, &mut said);
            }
            Step::Passed(at_s) | Step::Unknown(at_s) => {
                watermark_ms = at_s * 1_000;
                let is_healthy = matches!(step, Step::Passed(_));
                engine.advance(watermark_ms, is_healthy, watermark_ms, &mut said);
            }
            Step::Rules(rules) => engine.configure(rules, 0, &mut said),
            Step::Resolve(number) => {
                let opened = said.iter().filter(|said| said.change == Change::Open);
                let episode = opened.map(|said| said.episode.clone()).nth(*number).expect("it was opened");
                engine.resolve(&episode, 0, &mut said);
            }
            Step::Restart(rules) => {
                engine.deltas(&mut store);
                engine = restarted(rules, &store, &mut said);
            }
        }
    }
    let mut names: Vec<(&EpisodeId, u32)> = said.iter().map(|said| (&said.episode, said.n)).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), said.len(), "no transition has the name of another");
    said.iter().map(words).collect()
}

fn words(said: &Transition) -> String {
    let change = match said.change {
        Change::Open => "open".to_owned(),
        Change::Update => format!("update {}", said.evidence.count),
        Change::Close(reason) => format!("close {reason:?}"),
    };
    let late = if said.is_late { " late" } else { "" };
    format!("{}s {}/{} {change}{late}", said.at_ms as f64 / 1_000.0, said.key.values().join(","), said.seq)
}

/// An engine with what was saved last of every cell.
fn restarted(rules: &[Arc<Rule>], saved: &[Delta], said: &mut Vec<Transition>) -> Engine {
    let mut engine = Engine::default();
    engine.configure(rules, 0, said);
    let is_last = |place: usize, cell: &Cell| {
        let same = |later: &Delta| match later {
            Delta::PutCell(other) => other.rule == cell.rule && other.key == cell.key,
            Delta::DeleteCell { rule, key } => *rule == cell.rule && *key == cell.key,
            _ => false,
        };
        !saved[place + 1..].iter().any(same)
    };
    for delta in saved {
        if let Delta::Put { id, body, .. } = delta {
            engine.restore_note(id, body).expect("the engine wrote it");
        }
    }
    for (place, delta) in saved.iter().enumerate() {
        match delta {
            Delta::PutCell(cell) if is_last(place, cell) => engine.restore_cell(cell, said),
            _ => {}
        }
    }
    for delta in saved {
        if let Delta::PutWaiting(waiting) = delta {
            engine.restore_waiting(waiting).expect("the engine wrote it");
        }
    }
    engine.restored();
    engine
}

fn frequency(semantic_rev: u64) -> Vec<Arc<Rule>> {
    let mut rule = rule(RuleType::Frequency { count: 2, within_ms: 6_400, clear: 1 });
    rule.semantic_rev = semantic_rev;
    vec![Arc::new(rule)]
}

/// Enough of one condition, which is the same for a rule of one type and of the other.
fn often(count: u32) -> [Vec<Arc<Rule>>; 2] {
    let within_ms = 6_400;
    let condition = CountCondition { name: "a".into(), condition: condition("true"), count, clear: 1 };
    [
        RuleType::Frequency { count, within_ms, clear: 1 },
        RuleType::Composite { conditions: vec![condition], within_ms, at_least: 1, order: None },
    ]
    .map(|kind| vec![Arc::new(rule(kind))])
}

/// Fewer than one value of the key in a while.
fn too_few() -> Vec<Arc<Rule>> {
    let field = field("fields.k");
    vec![Arc::new(rule(RuleType::Cardinality {
        field,
        within_ms: 6_000,
        bound: Bound::Below(1.0),
        clear: 1,
    }))]
}

fn flatline(named: &[&str]) -> Vec<Arc<Rule>> {
    let keys = named.iter().map(|key| vec![(*key).to_owned()]).collect();
    vec![Arc::new(rule(RuleType::Flatline {
        within_ms: 6_000,
        min: 1,
        keys,
        min_seen: 1,
        learn_ms: 60_000,
        forget_after_ms: 60_000,
    }))]
}

#[test]
fn a_rule_that_means_something_else_ends_its_episodes() {
    let two = [Step::Event(1, "k"), Step::Event(2, "k"), Step::Passed(3)];
    let open_and_changed = ["2s k/1 open", "3s k/1 close RuleChanged"];
    check(frequency(1), &[&two[..], &[Step::Rules(frequency(2))]].concat(), &open_and_changed);
    check(frequency(1), &[&two[..], &[Step::Rules(Vec::new())]].concat(), &open_and_changed);
    check(frequency(1), &[&two[..], &[Step::Restart(frequency(2))]].concat(), &open_and_changed);
    check(frequency(1), &[&two[..], &[Step::Restart(Vec::new())]].concat(), &open_and_changed);
    check(frequency(1), &[&two[..], &[Step::Rules(frequency(1))]].concat(), &open_and_changed[..1]);
    check(frequency(1), &[&two[..], &[Step::Restart(frequency(1))]].concat(), &open_and_changed[..1]);
}

#[test]
fn a_rule_that_comes_back_does_not_repeat_names() {
    let again = [
        Step::Event(1, "k"),
        Step::Event(2, "k"),
        Step::Passed(3),
        Step::Rules(frequency(2)),
        Step::Rules(frequency(1)),
        Step::Event(4, "k"),
        Step::Event(5, "k"),
    ];
    let wanted = ["2s k/1 open", "3s k/1 close RuleChanged", "5s k/2 open"];
    check(frequency(1), &again, &wanted);
    let mut restarted = again.to_vec();
    restarted[3] = Step::Restart(frequency(2));
    check(frequency(1), &restarted, &wanted);
}

#[test]
fn a_person_ends_an_episode() {
    let decided = [
        Step::Event(1, "k"),
        Step::Event(2, "k"),
        Step::Passed(3),
        Step::Resolve(0),
        Step::Passed(60),
        Step::Event(61, "k"),
        Step::Event(62, "k"),
    ];
    check(frequency(1), &decided, &["2s k/1 open", "3s k/1 close Resolved", "62s k/2 open"]);
    // What was only announced does not open again when its time has come.
    let announced =
        [Step::Event(1, "k"), Step::Event(2, "k"), Step::Resolve(0), Step::Passed(60), Step::Event(61, "k")];
    check(frequency(1), &announced, &["2s k/1 open", "2s k/1 close Resolved"]);
    // What is too little is not told again until there is something.
    let silent =
        [Step::Event(1, "k"), Step::Passed(20), Step::Resolve(0), Step::Passed(60), Step::Event(61, "k")];
    let again = [silent.as_slice(), &[Step::Passed(90)]].concat();
    check(too_few(), &again, &["8s k/1 open", "20s k/1 close Resolved", "68s k/2 open"]);
}

#[test]
fn an_open_episode_is_told_to_go_on() {
    let mut rule = rule(RuleType::Match { quiet_ms: Some(20_000) });
    rule.timing.update_every_ms = 10_000;
    let events: Vec<Step> =
        (0..5).map(|number| Step::Event(number * 7, "k")).chain([Step::Passed(90)]).collect();
    // What was counted is said when the pause is over, whether or not more events come then.
    let wanted =
        ["0s k/1 open", "10s k/1 update 2", "20s k/1 update 3", "30s k/1 update 5", "48s k/1 close Cleared"];
    check(vec![Arc::new(rule)], &events, &wanted);
}

#[test]
fn a_late_event_can_open_an_episode() {
    let steps = [Step::Event(9, "k"), Step::Passed(10), Step::Event(8, "k"), Step::Passed(60)];
    check(frequency(1), &steps, &["10s k/1 open late", "15.499s k/1 close Cleared"]);
    // At once, together with those that wait for their time, which say nothing more then.
    let waiting = [Step::Event(9, "k"), Step::Passed(10), Step::Event(11, "k"), Step::Event(8, "k")];
    for (rules, wanted) in often(3).into_iter().zip(["10s k/1 open late", "11s k/1 open late"]) {
        check(rules.clone(), &waiting, &[wanted]);
        let told = [waiting.as_slice(), &[Step::Restart(rules.clone()), Step::Passed(12)]].concat();
        check(rules, &told, &[wanted]);
    }
    let [stretches, _] = often(2_000);
    let many = std::iter::repeat_n(Step::Event(9, "k"), 1_000);
    let waiting = std::iter::repeat_n(Step::Event(11, "k"), 999);
    let late: Vec<Step> =
        many.chain([Step::Passed(10)]).chain(waiting).chain([Step::Event(8, "k")]).collect();
    check(stretches, &late, &["10s k/1 open late"]);
    // Not one of a time that nothing is known of any more.
    check(frequency(1), &[Step::Event(9, "k"), Step::Passed(10), Step::Event(3, "k")], &[]);
}

#[test]
fn a_named_key_is_watched_from_the_start() {
    let steps = [Step::Passed(0), Step::Passed(20), Step::Event(21, "db"), Step::Passed(23)];
    check(flatline(&["db"]), &steps, &["6s db/1 open", "22s db/1 close Cleared"]);
}

#[test]
fn nothing_is_known_of_a_time_that_could_not_be_read() {
    // A whole window has to be read before silence means something.
    let steps = [Step::Passed(0), Step::Unknown(5), Step::Unknown(11), Step::Passed(16), Step::Passed(30)];
    check(flatline(&["db"]), &steps, &["17s db/1 open"]);
}

#[test]
fn what_is_missing_may_have_been_in_what_could_not_be_read() {
    let often = |from: i64, to: i64| (from..to).map(|at_s| Step::Event(at_s, "k"));
    let count = Measure { aggregate: Aggregate::Count, field: None };
    let few = RuleType::Metric {
        measure: count.clone(),
        window_ms: 6_000,
        bound: Bound::Below(3.0),
        clear: 3.0,
        min_count: 1,
    };
    let share = RuleType::Ratio {
        numerator: condition("fields.kind == \"b\""),
        window_ms: 6_000,
        min_den: 1,
        bound: Bound::Below(0.5),
        clear: 0.5,
        confidence: None,
    };
    let drop = RuleType::Spike {
        window_ms: 6_000,
        baseline: Baseline::Previous { ref_ms: 6_000 },
        measure: count,
        tests: vec![SpikeTest::Down { factor: 2.0, min_ref: 4.0 }],
        on_new: OnNew::Skip,
    };
    let step = |name: &str| SequenceStep { name: name.into(), condition: condition("true") };
    let pair = RuleType::Sequence {
        steps: vec![step("one"), step("two")],
        not: Some(condition("fields.kind == \"b\"")),
        within_ms: 6_000,
        is_strict: false,
        skip: Skip::PastLast,
        mode: SequenceMode::Match,
        max_partial: 16,
        collapse: None,
    };
    for kind in [few, share, drop, pair] {
        let rules = vec![Arc::new(rule(kind.clone()))];
        let read = often(0, 13).chain([Step::Passed(60)]);
        assert_ne!(told(rules.clone(), &read.collect::<Vec<Step>>()), Vec::<String>::new(), "{kind:?}");
        let unread = often(0, 13).chain([Step::Unknown(12), Step::Unknown(60)]);
        check(rules, &unread.collect::<Vec<Step>>(), &[]);
    }
}

#[test]
fn a_broken_store_is_no_reason_to_stop() {
    let mut random = Random::new(7);
    let rules = [frequency(1), flatline(&["db"])].concat();
    let mut engine = Engine::default();
    let mut out = Vec::new();
    engine.configure(&rules, 0, &mut out);
    for number in 0..40 {
        let at_ms = number * 500;
        let fact = Fact {
            at_ms,
            partition: 0,
            offset: number as u64,
            key: format!("k{}", number % 7),
            kind: 'a',
            value: None,
        };
        let event = event(&fact, &message());
        engine.arrive(Stamped { event: &event, at_ms, is_late: false }, i64::MIN, at_ms, &mut out);
        engine.advance(at_ms - 3_000, true, at_ms, &mut out);
    }
    let mut deltas = Vec::new();
    engine.deltas(&mut deltas);
    for _ in 0..3_000 {
        let mut engine = Engine::default();
        engine.configure(&rules, 0, &mut out);
        for delta in &deltas {
            match delta {
                Delta::PutCell(cell) => {
                    let mut cell: Cell = cell.clone();
                    spoil(&mut cell.body, &mut random);
                    engine.restore_cell(&cell, &mut out);
                }
                Delta::PutWaiting(waiting) => {
                    let mut waiting: Waiting = waiting.clone();
                    spoil(&mut waiting.body, &mut random);
                    drop(engine.restore_waiting(&waiting));
                }
                _ => {}
            }
        }
        engine.restored();
        engine.advance(30_000, true, 0, &mut out);
        engine.deltas(&mut Vec::new());
        out.clear();
    }
}

fn spoil(bytes: &mut Vec<u8>, random: &mut Random) {
    if bytes.is_empty() || random.percent(50) {
        return;
    }
    let place = random.below(bytes.len() as i64) as usize;
    match random.below(3) {
        0 => bytes[place] = random.number() as u8,
        1 => bytes.truncate(place),
        _ => drop(bytes.splice(place..place, [random.number() as u8, 0xff])),
    }
}
