//! Compares the engine with an oracle, for many random streams.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dice_route::condition::{Condition, Field};
use dice_route::config::{Rule, RuleType};
use dice_route::{Change, CloseReason, Transition};

use crate::random::Random;
use crate::replay::{Plan, replay};
use crate::stream::{Fact, Shape, stream};

/// What an oracle says about a key, in the order of the episodes: updates are not among it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Told {
    Open(i64),
    Close(i64, CloseReason),
}

/// What an oracle says about all keys.
pub(crate) type Story = BTreeMap<Vec<String>, Vec<Told>>;

/// What a rule says of one key: its events in order, and the moment up to which time goes on.
pub(crate) type Oracle = Box<dyn Fn(&[Fact], i64) -> Vec<Told>>;

/// A rule with the streams that suit it and an oracle that knows it.
pub(crate) struct Case {
    pub(crate) rule: Rule,
    pub(crate) shape: Shape,
    /// How far time goes on after the last event.
    pub(crate) after_ms: i64,
    pub(crate) oracle: Oracle,
    /// Which events the rule looks at.
    pub(crate) relevant: Box<dyn Fn(&Fact) -> bool>,
}

/// A rule about everything, by `fields.k`.
pub(crate) fn rule(kind: RuleType) -> Rule {
    Rule { key: vec![field("fields.k")], ..Rule::new("rule", kind) }
}

/// The field that a text names.
pub(crate) fn field(text: &str) -> Field {
    Field::parse(text).expect("a field")
}

/// The condition that a text says.
pub(crate) fn condition(text: &str) -> Condition {
    Condition::parse(text).expect("a condition")
}

/// Runs twice `share` cases, which makes more than 10,000 of all types together; as many as `DICE_CASES` says
/// where it is set; with `DICE_SEED` that one alone.
pub(crate) fn check(name: &str, share: u64, make: impl Fn(&mut Random) -> Case) {
    seeds(name, share, |seed| try_case(name, seed, &make));
}

/// One case that went wrong once.
pub(crate) fn check_seed(name: &str, seed: u64, make: impl Fn(&mut Random) -> Case) {
    try_case(name, seed, &make);
}

/// The same for a type that needs a check of its own: a source of numbers, and what to call the case.
pub(crate) fn checked(name: &str, share: u64, try_case: impl Fn(&mut Random, &str)) {
    seeds(name, share, |seed| try_case(&mut Random::new(seed), &format!("{name}: DICE_SEED={seed}")));
}

fn seeds(name: &str, share: u64, try_case: impl Fn(u64)) {
    if let Some(seed) = setting("DICE_SEED") {
        return try_case(seed);
    }
    let begin = name.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let cases = setting("DICE_CASES").unwrap_or(2 * share);
    for number in 0..cases {
        try_case(begin.wrapping_mul(1_000_003).wrapping_add(number));
    }
}

#[expect(clippy::disallowed_methods, reason = "how long a test runs is said from outside")]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// What a case is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Theme {
    /// Every event is in time and every key is kept.
    Exact,
    /// Some events are late: they are accounted for.
    Late,
    /// There are more keys than may be kept: those that are used again soon are as if there were not.
    Crowded,
}

fn try_case(name: &str, seed: u64, make: &impl Fn(&mut Random) -> Case) {
    let mut random = Random::new(seed);
    let mut case = make(&mut random);
    let theme = *random.pick(&[Theme::Exact, Theme::Exact, Theme::Exact, Theme::Late, Theme::Crowded]);
    if theme == Theme::Late {
        case.shape.late_percent = random.between(1, 20);
    }
    if theme == Theme::Crowded {
        case.shape.keys = random.between(4, 30);
        case.rule.timing.max_keys = random.between(1, 6) as usize;
    }
    let facts = stream(&case.shape, &mut random);
    let rules = [Arc::new(case.rule.clone())];
    let plan = Plan {
        lateness_ms: case.shape.lateness_ms,
        after_ms: case.after_ms,
        seed: random.number(),
        restart: None,
        is_lazy: false,
        is_resolved: theme == Theme::Late,
        is_damaged: false,
    };
    let what = || format!("{name}: DICE_SEED={seed} ({theme:?}) {:?}", case.rule);
    let whole = replay(&rules, &facts, plan);
    let restart = Some(random.below(whole.n_batches as i64) as usize);
    let again = replay(&rules, &facts, Plan { restart, ..plan });
    assert_eq!(whole.transitions, again.transitions, "a restart changes what is said, {}", what());
    assert_eq!(whole.store, again.store, "a restart changes what is kept, {}", what());

    // It must not panic, whatever was saved.
    if random.percent(25) {
        replay(&rules, &facts, Plan { restart, is_damaged: true, ..plan });
    }

    let status = &whole.status[0];
    assert!(status.keys <= case.rule.timing.max_keys, "{} keys, {}", status.keys, what());
    assert_eq!(status.unreadable + status.hurried + status.waiting as u64, 0, "{}", what());
    let late = whole.late.iter().filter(|fact| (case.relevant)(fact)).count() as u64;
    assert_eq!(status.late_counted + status.late_dropped, late, "late events, {}", what());
    well_formed(&whole.transitions, &what);
    if theme == Theme::Late {
        return;
    }
    assert_eq!(late, 0, "nothing is late, {}", what());

    let end_ms = facts.iter().map(|fact| fact.at_ms).max().unwrap_or(0) + case.after_ms;
    let safe = safe_keys(&facts, case.rule.timing.max_keys, &case.relevant);
    let mut expected = Story::new();
    let mut sorted: Vec<Fact> = facts.iter().filter(|fact| (case.relevant)(fact)).cloned().collect();
    sorted.sort_by_key(|fact| (fact.at_ms, fact.partition, fact.offset));
    for key in &safe {
        let of_key: Vec<Fact> = sorted.iter().filter(|fact| fact.key == *key).cloned().collect();
        let told = (case.oracle)(&of_key, end_ms);
        if !told.is_empty() {
            expected.insert(vec![key.clone()], told);
        }
    }
    if theme == Theme::Exact {
        assert_eq!(status.evicted, 0, "{}", what());
    }
    let mut found = story(&whole.transitions, &expected);
    found.retain(|key, _| safe.contains(&key[0]));
    assert_eq!(found, expected, "{}\n{sorted:#?}", what());
    let lazy = replay(&rules, &facts, Plan { is_lazy: true, ..plan });
    let mut found = story(&lazy.transitions, &expected);
    found.retain(|key, _| safe.contains(&key[0]));
    assert_eq!(found, expected, "when time passes in longer steps, {}", what());
}

/// Keys that cannot have gone for want of room: between two events of the key, and after its last, there
/// were never as many others as may be kept.
fn safe_keys(facts: &[Fact], max_keys: usize, relevant: &dyn Fn(&Fact) -> bool) -> BTreeSet<String> {
    let mut sorted: Vec<&Fact> = facts.iter().filter(|fact| relevant(fact)).collect();
    sorted.sort_by_key(|fact| (fact.at_ms, fact.partition, fact.offset));
    let keys: BTreeSet<String> = sorted.iter().map(|fact| fact.key.clone()).collect();
    let is_safe = |key: &String| {
        let mut others: BTreeSet<&str> = BTreeSet::new();
        let mut is_there = false;
        for (place, fact) in sorted.iter().enumerate() {
            if fact.key == *key {
                is_there = true;
                // Those of the same moment are not older.
                let same = sorted[..place].iter().rev().take_while(|other| other.at_ms == fact.at_ms);
                others = same.map(|other| &*other.key).filter(|other| other != key).collect();
            } else if is_there {
                others.insert(&fact.key);
            }
            if others.len() >= max_keys {
                return false;
            }
        }
        true
    };
    keys.iter().filter(|key| is_safe(key)).cloned().collect()
}

/// What the engine said, in the oracle's words. When it said something early, it had said so before the
/// oracle could know: the oracle's time stands.
fn story(transitions: &[Transition], expected: &Story) -> Story {
    let mut story = Story::new();
    for transition in transitions {
        let key = transition.key.values();
        let told = story.entry(key.clone()).or_default();
        match transition.change {
            Change::Open => {
                let same = expected.get(&key).and_then(|told_there| told_there.get(told.len()));
                told.push(match same {
                    Some(Told::Open(at_ms)) if transition.is_early => Told::Open(*at_ms),
                    _ => Told::Open(transition.at_ms),
                });
            }
            // An instant that is told early ends early, too.
            Change::Close(CloseReason::Instant) if transition.is_early => {
                let at_ms = match told.last() {
                    Some(Told::Open(at_ms)) => *at_ms,
                    _ => transition.at_ms,
                };
                told.push(Told::Close(at_ms, CloseReason::Instant));
            }
            Change::Close(reason) => told.push(Told::Close(transition.at_ms, reason)),
            Change::Update => {}
        }
    }
    story
}

/// Every episode opens once, closes at most once, and its transitions are numbered without a gap.
fn well_formed(transitions: &[Transition], what: &dyn Fn() -> String) {
    let mut next: BTreeMap<String, u32> = BTreeMap::new();
    let mut closed: BTreeSet<String> = BTreeSet::new();
    for transition in transitions {
        let id = transition.episode.to_string();
        let n = next.entry(id.clone()).or_default();
        assert_eq!(transition.n, *n, "{transition:?}, {}", what());
        assert_eq!(transition.change == Change::Open, *n == 0, "{transition:?}, {}", what());
        assert!(!closed.contains(&id), "{transition:?}, {}", what());
        *n += 1;
        if matches!(transition.change, Change::Close(_)) {
            closed.insert(id);
        }
    }
}
