//! How many events a second do twenty rules decide, what does an idle key weigh, and how long does a restart
//! take?
//!
//! `cargo bench --package dice-route --bench engine`. The rules alone, in memory: reading, matching and the
//! store are not in it. Time is that of the processor, of one thread.

#![expect(clippy::print_stdout, reason = "a bench prints its answer")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dice_catalog::Level;
use dice_route::book::{Cell, Delta};
use dice_route::condition::{Condition, Field};
use dice_route::config::{
    Aggregate, Baseline, Bound, FirstSeen, Measure, Missing, NewTerms, OnNew, Pairing, Rule, RuleType,
    SequenceMode, SequenceStep, Skip, SpikeTest,
};
use dice_route::{Engine, Event, Message, MessageId, PartitionId, Stamped};

/// Live keys: cells of all rules together.
const KEYS: u64 = 10_000;

/// Events a second of event time.
const RATE: u64 = 20_000;

/// Events that are run, unless the command line says another number.
const EVENTS: u64 = 2_000_000;

/// Different events; they are run over and over, at other times and with other keys. So few that they are
/// as near to the processor as events that have just been read.
const DIFFERENT: u64 = 2_000;

const LATENESS_MS: i64 = 5_000;

fn main() {
    let is_short = std::env::args().any(|argument| argument == "short");
    let few = visited_rules(false);
    let every = visited_rules(true);
    let n_events = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(EVENTS);
    speed("few rules mean each event", &few, KEYS / 16, None, n_events);
    if is_short {
        return;
    }
    speed("the same, written out every 10,000 events", &few, KEYS / 16, Some(10_000), n_events);
    speed("few rules mean each event, of many keys", &few, KEYS, None, n_events);
    speed("the same, written out every 10,000 events", &few, KEYS, Some(10_000), n_events);
    speed("every rule means each event", &every, KEYS / 20, None, n_events);
    for Kind { name, kind, .. } in kinds() {
        speed(&format!("`{name}` alone"), &[rule(0, "", kind)], KEYS / 20, Some(10_000), n_events / 4);
    }
    weight();
    weights();
    restart();
}

fn speed(name: &str, rules: &[Arc<Rule>], keys: u64, batch: Option<u64>, n_events: u64) {
    let mut events = events();
    let mut engine = Engine::default();
    let mut out = Vec::new();
    engine.configure(rules, 0, &mut out);
    let conditions = |event: &Event| rules.iter().filter(|rule| rule.condition.holds(event)).count();
    let visits: usize = events.iter().map(conditions).sum();
    let begin_bytes = ALLOCATED.load(Ordering::Relaxed);
    let mut deltas = Vec::new();
    let mut n_transitions = 0;
    let mut watermark_ms = i64::MIN;
    let mut begin = 0.0;
    let mut random = Random(1);
    let warm_up = n_events / 5;
    for number in 0..n_events + warm_up {
        if number == warm_up {
            begin = processor_seconds();
        }
        let event = &mut events[(number % DIFFERENT) as usize];
        write_key(event, random.number() % keys);
        let mut at_ms = 1_700_000_000_000 + (number * 1_000 / RATE) as i64;
        if random.number() % 100 < 5 {
            at_ms -= (random.number() % LATENESS_MS as u64) as i64;
        }
        let stamped = Stamped { event, at_ms, is_late: at_ms <= watermark_ms };
        engine.arrive(stamped, watermark_ms, at_ms, &mut out);
        watermark_ms = watermark_ms.max(at_ms - LATENESS_MS);
        engine.advance(watermark_ms, true, at_ms, &mut out);
        n_transitions += out.len();
        out.clear();
        if batch.is_some_and(|batch| number % batch == 0) {
            engine.deltas(&mut deltas);
            deltas.clear();
        }
    }
    let seconds = processor_seconds() - begin;
    let megabytes = ALLOCATED.load(Ordering::Relaxed).saturating_sub(begin_bytes) >> 20;
    let cells: usize = engine.status().iter().map(|status| status.keys).sum();
    println!(
        "engine: {name}: {:.0} events per second of processor time ({} rules, {:.1} of them per event, \
         {cells} keys, {megabytes} MiB, {n_transitions} transitions)",
        n_events as f64 / seconds,
        rules.len(),
        visits as f64 / DIFFERENT as f64,
    );
}

/// What a key takes.
struct Weight {
    /// With all that every key has.
    all: f64,
    /// What its type keeps for it, that which a notice will tell included.
    state: f64,
}

impl Weight {
    /// Of so many keys that take so many bytes together.
    fn of(engine: &Engine, bytes: usize, keys: u64) -> Weight {
        let per_key = |bytes: usize| bytes as f64 / keys as f64;
        Weight { all: per_key(bytes), state: per_key(bytes.saturating_sub(engine.key_bytes())) }
    }

    fn say(&self, what: &str, n_events: u64, wanted: &str) {
        let Weight { all, state } = self;
        println!(
            "engine: {all:.0} bytes per idle key of `{what}` with {n_events} events, {state:.0} of them its state \
             (wanted: {wanted})"
        );
    }
}

/// A rule that counts twenty in five minutes, and keys that had nineteen.
fn weight() {
    const IDLE: u64 = 100_000;
    let rules = [rule(0, "", RuleType::Frequency { count: 20, within_ms: 300_000, clear: 10 })];
    let message = message(0);
    let mut engine = Engine::default();
    let mut out = Vec::new();
    engine.configure(&rules, 0, &mut out);
    let before = ALLOCATED.load(Ordering::Relaxed);
    let mut largest = 0;
    for round in 0..19 {
        let mut deltas = Vec::new();
        for key in 0..IDLE {
            let event = event(&message, key, key, round * IDLE + key);
            let at_ms = 1_700_000_000_000 + (round * 15_700 + key * 15_000 / IDLE) as i64;
            engine.arrive(Stamped { event: &event, at_ms, is_late: false }, i64::MIN, at_ms, &mut out);
            engine.advance(at_ms - 10, true, at_ms, &mut out);
        }
        engine.advance(1_700_000_000_000 + ((round + 1) * 15_700 - 1) as i64, true, 0, &mut out);
        engine.deltas(&mut deltas);
        drop(deltas);
        largest = ALLOCATED.load(Ordering::Relaxed) - before;
        if round == 4 {
            Weight::of(&engine, largest, IDLE).say("frequency", 5, "times of 5");
        }
    }
    assert_eq!(out, [], "nineteen are not twenty");
    Weight::of(&engine, largest, IDLE).say("frequency", 19, "times of 19");
}

/// A rule of some type, and what one of its keys should take.
struct Kind {
    name: &'static str,
    /// How many events make an idle key.
    n_events: u64,
    /// What is wanted of its state, evidence apart.
    wanted: &'static str,
    kind: RuleType,
}

/// Rules of all types but `frequency`, `first-seen`, and those that keep nothing.
fn kinds() -> Vec<Kind> {
    let took = || Field::parse("vars.took").expect("a field");
    let always = || Condition::parse("").expect("a condition");
    let never = || Condition::parse("level >= fatal").expect("a condition");
    let metric = |aggregate| RuleType::Metric {
        measure: Measure { aggregate, field: Some(took()) },
        window_ms: 300_000,
        bound: Bound::Above(1e9),
        clear: 1e8,
        min_count: 5,
    };
    let step = |name: &str, condition| SequenceStep { name: name.into(), condition };
    let flatline = |within_ms| RuleType::Flatline {
        within_ms,
        min: 1,
        keys: Vec::new(),
        min_seen: 3,
        learn_ms: 86_400_000,
        forget_after_ms: 86_400_000,
    };
    let spike = |test| RuleType::Spike {
        window_ms: 300_000,
        baseline: Baseline::Previous { ref_ms: 300_000 },
        measure: Measure { aggregate: Aggregate::Count, field: None },
        tests: vec![test],
        on_new: OnNew::Skip,
    };
    let ratio = |numerator, min_den, bound| RuleType::Ratio {
        numerator,
        window_ms: 300_000,
        min_den,
        bound,
        clear: 0.4,
        confidence: None,
    };
    [
        (
            "change",
            2,
            "24",
            RuleType::Change {
                field: Field::parse("service").expect("a field"),
                within_ms: None,
                ignore: Vec::new(),
                with_null: false,
                flap: Some((10, 300_000)),
            },
        ),
        ("flatline, not learned", 6, "7 counts and 8", flatline(300_000)),
        ("flatline, watched: with a line", 6, "7 counts and 8", flatline(100_000)),
        ("spike up", 12, "48", spike(SpikeTest::Up { factor: 3.0, ref_floor: 2.0, min_cur: 100.0 })),
        ("spike delta: with a line", 12, "48", spike(SpikeTest::Delta(1e9))),
        ("ratio above, none of it", 6, "96", ratio(never(), 20, Bound::Above(0.5))),
        ("ratio below: with a line", 6, "96", ratio(always(), 5, Bound::Below(0.0))),
        ("metric avg: with a line", 6, "12 by stretch", metric(Aggregate::Avg)),
        ("metric p95: with a line", 6, "1640 by stretch", metric(Aggregate::Quantile(0.95))),
        (
            "session",
            3,
            "64",
            RuleType::Session {
                gap_ms: 1_000_000_000,
                max_len_ms: 1_000_000_000,
                count: Some(Bound::Above(10.0)),
                duration_ms: None,
                has: None,
                lacks: None,
                ended_without: None,
            },
        ),
        (
            "sequence",
            1,
            "16 beginnings at most",
            RuleType::Sequence {
                steps: vec![step("one", always()), step("two", never())],
                not: None,
                within_ms: 1_000_000_000,
                is_strict: false,
                skip: Skip::PastLast,
                mode: SequenceMode::Match,
                max_partial: 16,
                collapse: None,
            },
        ),
        (
            "missing, one A",
            1,
            "32 by A",
            RuleType::MissingB(Missing {
                expected: never(),
                within_ms: 1_000_000_000,
                skew_ms: 2_000,
                pairing: Pairing::Each,
                ttl_ms: 86_400_000,
                max_pending: 1_000_000,
            }),
        ),
        (
            "cardinality, 4 of at most 10",
            4,
            "16 by value",
            RuleType::Cardinality {
                field: took(),
                within_ms: 1_000_000_000,
                bound: Bound::Above(10.0),
                clear: 5,
            },
        ),
    ]
    .into_iter()
    .map(|(name, n_events, wanted, kind)| Kind { name, n_events, wanted, kind })
    .collect()
}

/// What a key of the other types weighs, with events of each and nothing open.
fn weights() {
    const IDLE: u64 = 100_000;
    for Kind { name, n_events, wanted, kind } in kinds() {
        weigh(kind, IDLE, n_events).say(name, n_events, wanted);
    }
    let mut first_seen = FirstSeen {
        terms: NewTerms::Fields(vec![Field::parse("fields.merchant").expect("a field")]),
        horizon_ms: 30 * 86_400_000,
        learn_for_ms: 86_400_000,
        seed: Arc::default(),
        seed_messages: Arc::default(),
        max_terms: 1_000_000,
    };
    for n in [100_000, 1_000_000] {
        let bytes = weigh(RuleType::FirstSeen(first_seen.clone()), n, 1).all;
        println!("engine: {bytes:.1} bytes per term of `first-seen`, {n} of 1000000");
    }
    first_seen.max_terms = 500_000;
    let bytes = 2.0 * weigh(RuleType::FirstSeen(first_seen), 1_000_000, 1).all;
    println!("engine: {bytes:.1} bytes per term of `first-seen` when as many are forgotten as are kept");
}

/// What a key weighs after so many events of each, 50 seconds apart.
fn weigh(kind: RuleType, keys: u64, n_events: u64) -> Weight {
    let rules = [rule(0, "", kind)];
    let message = message(0);
    let mut engine = Engine::default();
    let mut out = Vec::new();
    engine.configure(&rules, 0, &mut out);
    let before = ALLOCATED.load(Ordering::Relaxed);
    for number in 0..keys * n_events {
        let event = event(&message, number % keys, number / keys, number);
        let at_ms = 1_700_000_000_000 + (number as f64 / keys as f64 * 50_000.0) as i64;
        engine.arrive(Stamped { event: &event, at_ms, is_late: false }, i64::MIN, at_ms, &mut out);
        engine.advance(at_ms - 10, true, at_ms, &mut out);
        if number % 20_000 == 0 {
            engine.deltas(&mut Vec::new());
        }
    }
    engine.advance(1_700_000_000_000 + (n_events * 50_000) as i64 - 1, true, 0, &mut out);
    engine.deltas(&mut Vec::new());
    assert_eq!(out, [], "nothing is open");
    Weight::of(&engine, ALLOCATED.load(Ordering::Relaxed) - before, keys)
}

/// A million keys that were saved.
fn restart() {
    const SAVED: u64 = 1_000_000;
    let mut rule = rule(0, "", RuleType::Frequency { count: 20, within_ms: 300_000, clear: 10 });
    Arc::make_mut(&mut rule).timing.max_keys = 2 * SAVED as usize;
    let rules = [rule];
    let message = message(0);
    let mut engine = Engine::default();
    let mut out = Vec::new();
    engine.configure(&rules, 0, &mut out);
    for number in 0..SAVED * 3 {
        let event = event(&message, number % SAVED, number, number);
        let at_ms = 1_700_000_000_000 + (number / 20) as i64;
        engine.arrive(Stamped { event: &event, at_ms, is_late: false }, i64::MIN, at_ms, &mut out);
        engine.advance(at_ms - 10, true, at_ms, &mut out);
    }
    engine.advance(i64::MAX / 2, true, 0, &mut out);
    let mut deltas = Vec::new();
    engine.deltas(&mut deltas);
    drop(engine);
    let mut cells: Vec<Cell> = Vec::new();
    let mut notes = Vec::new();
    for delta in deltas {
        match delta {
            Delta::PutCell(cell) => cells.push(cell),
            Delta::Put { id, body, .. } => notes.push((id, body)),
            _ => {}
        }
    }
    let begin = processor_seconds();
    let mut engine = Engine::default();
    engine.configure(&rules, 0, &mut out);
    for (id, body) in &notes {
        engine.restore_note(id, body).expect("the engine wrote it");
    }
    for cell in &cells {
        engine.restore_cell(cell, &mut out);
    }
    engine.restored();
    let seconds = processor_seconds() - begin;
    assert_eq!(engine.status()[0].keys as u64, SAVED, "every key is there again");
    println!("engine: {SAVED} keys are put back in {seconds:.2} seconds of processor time");
}

/// Twenty rules; each means the events of some modules, or of all.
fn visited_rules(is_every: bool) -> Vec<Arc<Rule>> {
    let measure = |aggregate| Measure { aggregate, field: Some(Field::parse("vars.took").expect("a field")) };
    let mut kinds = Vec::new();
    for (count, within_ms) in [(20, 300_000), (100, 60_000), (50, 3_600_000), (10, 10_000), (200, 60_000)] {
        kinds.push(RuleType::Frequency { count, within_ms, clear: count / 2 });
    }
    kinds.push(RuleType::Frequency { count: 2_000, within_ms: 60_000, clear: 1_000 });
    for quiet_ms in [60_000, 300_000, 900_000] {
        kinds.push(RuleType::Match { quiet_ms: Some(quiet_ms) });
    }
    for baseline in [
        Baseline::Previous { ref_ms: 300_000 },
        Baseline::Ewma { alpha: 0.2 },
        Baseline::MedianMad { k: 3.0, buckets: 24 },
    ] {
        kinds.push(RuleType::Spike {
            window_ms: 300_000,
            baseline,
            measure: Measure { aggregate: Aggregate::Count, field: None },
            tests: vec![SpikeTest::Up { factor: 3.0, ref_floor: 2.0, min_cur: 10.0 }],
            on_new: OnNew::Skip,
        });
    }
    for within_ms in [60_000, 600_000] {
        kinds.push(RuleType::Flatline {
            within_ms,
            min: 1,
            keys: Vec::new(),
            min_seen: 3,
            learn_ms: 86_400_000,
            forget_after_ms: 86_400_000,
        });
    }
    for confidence in [None, Some(0.95), Some(0.99)] {
        kinds.push(RuleType::Ratio {
            numerator: Condition::parse("level >= error").expect("a condition"),
            window_ms: 300_000,
            min_den: 20,
            bound: Bound::Above(0.5),
            clear: 0.4,
            confidence,
        });
    }
    for aggregate in [Aggregate::Avg, Aggregate::Quantile(0.95), Aggregate::Sum] {
        kinds.push(RuleType::Metric {
            measure: measure(aggregate),
            window_ms: 60_000,
            bound: Bound::Above(1e9),
            clear: 1e8,
            min_count: 5,
        });
    }
    let meant = |number: usize| match number {
        _ if is_every => String::new(),
        // Some are about everything that is bad, most about a few modules.
        1 | 7 => "level >= error".to_owned(),
        _ => {
            let modules: Vec<String> =
                (0..6).map(|next| format!("\"mod{}\"", (number * 2 + next) % 40)).collect();
            format!("target in [{}]", modules.join(", "))
        }
    };
    kinds.into_iter().enumerate().map(|(number, kind)| rule(number, &meant(number), kind)).collect()
}

fn rule(number: usize, condition: &str, kind: RuleType) -> Arc<Rule> {
    Arc::new(Rule {
        condition: Condition::parse(condition).expect("a condition"),
        key: vec![
            Field::parse("service").expect("a field"),
            Field::parse("fields.merchant").expect("a field"),
        ],
        ..Rule::new(format!("rule{number:02}"), kind)
    })
}

fn message(number: u64) -> Arc<Message> {
    let template = format!("payment took <*> in step {number}");
    Arc::new(Message {
        id: MessageId::of_unmatched("pay", &template),
        was: Vec::new(),
        repo: "pay".into(),
        template: template.into(),
        place: "src/pay.c:7".into(),
        file: "src/pay.c".into(),
        function: None,
        target: Some(format!("mod{number}").into()),
        kind: None,
        level: Some(if number.is_multiple_of(8) { Level::Error } else { Level::Info }),
        holes: vec![Some("took".into())],
        owners: Vec::new(),
        candidates: Vec::new(),
        fallback: None,
        annotations: Vec::new(),
        author: None,
        revision: None,
        url: None,
        is_outdated: false,
    })
}

fn event(message: &Arc<Message>, key: u64, took: u64, offset: u64) -> Event {
    let took = (took % 977).to_string();
    let text = format!("payment took {took} in a step");
    let start = "payment took ".len();
    Event {
        partition: PartitionId((offset % 4) as u32),
        offset,
        at_ms: None,
        ingested_ms: 0,
        message: message.clone(),
        level: message.level,
        source: "pay".into(),
        host: Some(format!("host{}", key % 50).into()),
        service: Some("pay".into()),
        env: Some("production".into()),
        version: Some("1.42.0".into()),
        trace: None,
        text: text.into(),
        values: Box::new([(start as u32, (start + took.len()) as u32)]),
        fields: Box::new([("merchant".into(), format!("m{key:06}").into())]),
    }
}

fn write_key(event: &mut Event, key: u64) {
    let mut digits = *b"m000000";
    let mut rest = key;
    for digit in digits[1..].iter_mut().rev() {
        *digit += (rest % 10) as u8;
        rest /= 10;
    }
    event.fields[0].1 = std::str::from_utf8(&digits).expect("digits are text").into();
}

fn events() -> Vec<Event> {
    let messages: Vec<Arc<Message>> = (0..40).map(message).collect();
    let mut random = Random(7);
    (0..DIFFERENT)
        .map(|offset| {
            let message = &messages[(random.number() % 40) as usize];
            event(message, offset, random.number(), offset)
        })
        .collect()
}

/// A source of numbers (SplitMix64).
struct Random(u64);

impl Random {
    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }
}

/// The processor time of this thread, which proc(5) tells in nanoseconds; where there is no such file, the
/// clock.
fn processor_seconds() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.as_deref().and_then(|told| told.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(clock_seconds, |nanoseconds| nanoseconds / 1e9)
}

#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
fn clock_seconds() -> f64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0.0, |since| since.as_secs_f64())
}

/// Bytes that are in use.
static ALLOCATED: AtomicUsize = AtomicUsize::new(0);

struct Counting;

#[expect(unsafe_code, reason = "there is no other way to count what is allocated")]
// SAFETY: everything is left to the system's allocator; only the sizes are noted.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the promises that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;
