//! The types of rules, and what makes no sense for each.

use std::sync::Arc;

use dice_route::Key;
use dice_route::condition::{Condition, Field};
use dice_route::config::{
    Baseline, Bound, CountCondition, FirstSeen, Measure, Missing, NewTerms, OnNew, Pairing, Pattern,
    RuleType, SequenceMode, SequenceStep, Skip, SpikeTest,
};

use crate::load::Given;
use crate::text::{Complaint, Desk};
use crate::value::{Item, Table};

const DAY_MS: i64 = 24 * 3_600_000;

/// The shortest window.
const MIN_WINDOW_MS: i64 = 1_000;

/// Conditions of one rule, beside those that every rule has: the engine keeps a bit for each.
const MAX_CONDITIONS: usize = 62;

/// What the rule looks for; `None` where that makes no sense, which is told.
pub(crate) fn kind(desk: &mut Desk, table: &Table, given: &Given) -> Option<RuleType> {
    let within_ms = || table.duration("within");
    Some(match table.word("type") {
        "match" => RuleType::Match { quiet_ms: table.maybe_duration("quiet") },
        "frequency" => {
            let (count, clear) = count_and_clear(desk, table);
            RuleType::Frequency { count, within_ms: within_ms(), clear }
        }
        "spike" => spike(desk, table),
        "flatline" => flatline(desk, table),
        "change" => RuleType::Change {
            field: table.field("field")?,
            within_ms: table.maybe_duration("within"),
            ignore: pairs(desk, table),
            with_null: table.flag("with_missing"),
            flap: guard(table, "flap"),
        },
        "first-seen" => RuleType::FirstSeen(first_seen(desk, table, given)),
        "cardinality" => cardinality(desk, table)?,
        "sequence" => sequence(desk, table)?,
        "missing" => RuleType::MissingB(Missing {
            expected: table.condition("expect")?,
            within_ms: within_ms(),
            skew_ms: table.duration("skew"),
            pairing: match table.word("pairing") {
                "first" => Pairing::First,
                "latest" => Pairing::Latest,
                _ => Pairing::Each,
            },
            ttl_ms: table.duration("ttl"),
            max_pending: table.size("max_pending"),
        }),
        "ratio" => ratio(desk, table)?,
        "session" => session(desk, table),
        "metric" => metric(desk, table)?,
        "composite" => composite(desk, table),
        _ => return None,
    })
}

fn complain(desk: &mut Desk, table: &Table, key: &str, complaint: Complaint) {
    desk.complain(table.place_of(key), &table.path_of(key), complaint);
}

/// `count` and `clear`: the episode ends when fewer than `clear` are left, so it has to begin with as many.
fn count_and_clear(desk: &mut Desk, table: &Table) -> (u32, u32) {
    let count = table.count("count");
    let clear = table.maybe_count("clear").unwrap_or(count.div_ceil(2));
    if clear > count {
        let complaint = Complaint::wanted(format!("at most the count, {count}"), clear)
            .hint("an episode that begins with less than `clear` would end at once");
        complain(desk, table, "clear", complaint);
    }
    (count, clear)
}

/// How many values are wanted for the fields of `key`.
fn one_for_each(n_fields: usize, key: &str) -> String {
    match n_fields {
        0 => format!("no values, as `{key}` has no field"),
        1 => format!("one value, for the field of `{key}`"),
        n => format!("{n} values, one for each field of `{key}`"),
    }
}

fn guard(table: &Table, key: &str) -> Option<(u32, i64)> {
    table.table(key).map(|guard| (guard.count("count"), guard.duration("within")))
}

fn spike(desk: &mut Desk, table: &Table) -> RuleType {
    let window_ms = table.duration("within");
    let baseline = match table.word("baseline") {
        "same-time" => {
            let period_ms = table.duration("period");
            if period_ms < window_ms {
                let complaint =
                    Complaint::new("the period is shorter than the window").hint("choose a longer one");
                complain(desk, table, "period", complaint);
            }
            Baseline::SameTime { period_ms, n: table.count("periods") }
        }
        "ewma" => Baseline::Ewma { alpha: table.number("alpha") },
        "median" => Baseline::MedianMad { k: table.number("deviations"), buckets: table.count("buckets") },
        _ => Baseline::Previous { ref_ms: table.maybe_duration("reference").unwrap_or(window_ms) },
    };
    let owners = [
        ("reference", "previous"),
        ("period", "same-time"),
        ("periods", "same-time"),
        ("alpha", "ewma"),
        ("deviations", "median"),
        ("buckets", "median"),
    ];
    for (key, baseline) in owners {
        if table.is_written(key) && table.word("baseline") != baseline {
            let complaint = Complaint::new(format!("`{key}` belongs to the baseline \"{baseline}\""));
            complain(
                desk,
                table,
                key,
                complaint.hint(format!("write baseline = \"{baseline}\", or remove it")),
            );
        }
    }
    let (min_reference, min_current) = (table.number("min_reference"), table.number("min_current"));
    let tests = [
        table.maybe_number("up").map(|factor| SpikeTest::Up {
            factor,
            ref_floor: min_reference,
            min_cur: min_current,
        }),
        table.maybe_number("down").map(|factor| SpikeTest::Down { factor, min_ref: min_reference }),
        table.maybe_number("delta").map(SpikeTest::Delta),
        table
            .maybe_number("slope")
            .map(|per_s| SpikeTest::Slope { per_s, buckets: table.count("slope_buckets") }),
    ];
    let tests: Vec<SpikeTest> = tests.into_iter().flatten().collect();
    if tests.is_empty() {
        let complaint = Complaint::wanted("at least one of `up`, `down`, `delta` and `slope`", "none");
        desk.complain(&table.place, &table.path, complaint.hint("write up = 3 for three times the baseline"));
    }
    RuleType::Spike {
        window_ms,
        baseline,
        measure: measure(desk, table, true),
        tests,
        on_new: table.maybe_number("fire_new_at").map_or(OnNew::Skip, OnNew::FireIf),
    }
}

/// `measure`; a count needs no field, anything else does.
fn measure(desk: &mut Desk, table: &Table, may_count: bool) -> Measure {
    let count = Measure { aggregate: dice_route::config::Aggregate::Count, field: None };
    let measure = table.measure("measure").unwrap_or(count);
    if measure.field.is_none() && !may_count {
        let complaint = Complaint::wanted("a figure over a field, such as \"p95(vars.took)\"", "\"count\"")
            .hint("the number of events is what the types frequency and spike are for");
        complain(desk, table, "measure", complaint);
    }
    measure
}

fn flatline(desk: &mut Desk, table: &Table) -> RuleType {
    let within_ms = table.duration("within");
    let n_fields = table.fields("key").len();
    let mut keys = Vec::new();
    for item in table.list("keys") {
        let values = item.texts();
        if values.len() != n_fields {
            let complaint = Complaint::wanted(one_for_each(n_fields, "key"), values.len());
            desk.complain(&item.place, &table.path_of("keys"), complaint);
        }
        keys.push(values);
    }
    let learn_ms = table.duration("learn");
    let min_seen = table.count("min_seen");
    if i64::from(min_seen).saturating_mul(within_ms) > learn_ms && table.is_written("learn") {
        let complaint =
            Complaint::new(format!("there are no {min_seen} windows in it")).hint("choose a longer time");
        complain(desk, table, "learn", complaint);
    }
    RuleType::Flatline {
        within_ms,
        min: table.count("min"),
        keys,
        min_seen,
        // What is not written has to have room for as many windows.
        learn_ms: learn_ms.max(i64::from(min_seen).saturating_mul(within_ms)),
        forget_after_ms: table
            .maybe_duration("forget_after")
            .unwrap_or_else(|| within_ms.saturating_mul(7).max(DAY_MS)),
    }
}

fn pairs(desk: &mut Desk, table: &Table) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for item in table.list("ignore") {
        match <[String; 2]>::try_from(item.texts()) {
            Ok([from, to]) => pairs.push((from, to)),
            Err(found) => {
                let complaint = Complaint::wanted("two values, before and after", found.len())
                    .hint("write ignore = [[\"starting\", \"up\"]]");
                desk.complain(&item.place, &table.path_of("ignore"), complaint);
            }
        }
    }
    pairs
}

fn first_seen(desk: &mut Desk, table: &Table, given: &Given) -> FirstSeen {
    let terms = new_terms(desk, table);
    let mut seed = Vec::new();
    let mut seed_messages = Arc::default();
    for item in table.list("seed") {
        let values = item.texts();
        let is_catalog = values == ["catalog"];
        match &terms {
            NewTerms::Message if is_catalog => {
                seed_messages = Arc::clone(&given.messages);
            }
            NewTerms::Fields(fields) if values.len() == fields.len() => {
                seed.push(Key::of(values.iter().map(String::as_str)).0.to_string());
            }
            NewTerms::Fields(fields) => {
                let complaint = Complaint::wanted(one_for_each(fields.len(), "new"), values.len());
                desk.complain(&item.place, &table.path_of("seed"), complaint);
            }
            NewTerms::Message => match values.as_slice() {
                [id] if id.parse::<dice_route::MessageId>().is_ok() => {
                    seed.push(Key::of([id.as_str()]).0.to_string());
                }
                _ => {
                    let complaint = Complaint::wanted("\"catalog\" or a message's id", "something else");
                    desk.complain(&item.place, &table.path_of("seed"), complaint);
                }
            },
            NewTerms::MessageInVersion | NewTerms::Unmatched => {
                let complaint = Complaint::new("there is nothing to seed it with").hint("remove the seed");
                desk.complain(&item.place, &table.path_of("seed"), complaint);
            }
        }
    }
    let is_seeded = !table.list("seed").is_empty();
    FirstSeen {
        terms,
        horizon_ms: table.duration("horizon"),
        learn_for_ms: table.maybe_duration("learn_for").unwrap_or(if is_seeded { 0 } else { DAY_MS }),
        seed: Arc::new(seed),
        seed_messages,
        max_terms: table.size("max_terms"),
    }
}

fn new_terms(desk: &mut Desk, table: &Table) -> NewTerms {
    let items = table.list("new");
    if let [item] = items {
        match item.text() {
            Some("message" | "site") => return NewTerms::Message,
            Some("message-in-version") => return NewTerms::MessageInVersion,
            Some("unmatched") => return NewTerms::Unmatched,
            _ => {}
        }
    }
    let mut fields = Vec::new();
    for (item, name) in items.iter().filter_map(|item: &Item| Some((item, item.text()?))) {
        match Field::parse(name) {
            Ok(field) => fields.push(field),
            Err(malformed) => {
                let wanted = "a field, or `message`, `message-in-version` or `unmatched` alone";
                let complaint = Complaint::wanted(wanted, malformed.found).hint_if(malformed.hint);
                desk.complain(&item.place, &table.path_of("new"), complaint);
            }
        }
    }
    if items.is_empty() {
        complain(desk, table, "new", Complaint::wanted("at least one field", "none"));
    }
    NewTerms::Fields(fields)
}

/// Of two keys exactly one has to be there.
fn above_or_below(desk: &mut Desk, table: &Table, above: Option<f64>, below: Option<f64>) -> Option<Bound> {
    match (above, below) {
        (Some(above), None) => Some(Bound::Above(above)),
        (None, Some(below)) => Some(Bound::Below(below)),
        (None, None) => {
            let complaint = Complaint::wanted("`above` or `below`", "neither");
            desk.complain(&table.place, &table.path, complaint);
            None
        }
        (Some(_), Some(_)) => {
            let complaint = Complaint::wanted("`above` or `below`", "both").hint("write two rules");
            complain(desk, table, "below", complaint);
            None
        }
    }
}

/// A bound and the figure that ends an episode, which has to be on the other side.
fn check_clear(desk: &mut Desk, table: &Table, bound: Bound, clear: f64) {
    let (wanted, is_wrong) = match bound {
        Bound::Above(above) => (format!("at most {above}"), clear > above),
        Bound::Below(below) => (format!("at least {below}"), clear < below),
    };
    if is_wrong {
        let complaint = Complaint::wanted(wanted, clear).hint("an episode would end as soon as it begins");
        complain(desk, table, "clear", complaint);
    }
}

/// The figure that ends an episode where none is written: a fifth of the way back. An episode ends below what
/// ends one that is `Above`, and above it otherwise; so that no room is left at a bound of 0, that is just
/// beside it.
fn usual_clear(bound: Bound) -> f64 {
    match bound {
        Bound::Above(0.0) => f64::MIN_POSITIVE,
        Bound::Below(0.0) => -f64::MIN_POSITIVE,
        Bound::Above(above) => above - above.abs() / 5.0,
        Bound::Below(below) => below + below.abs() / 5.0,
    }
}

fn cardinality(desk: &mut Desk, table: &Table) -> Option<RuleType> {
    let figure = |key: &str| table.maybe_count(key).map(f64::from);
    let bound = above_or_below(desk, table, figure("above"), figure("below"))?;
    let clear = table.maybe_count("clear").unwrap_or_else(|| match bound {
        Bound::Above(_) => table.count("above").div_ceil(2).max(1),
        Bound::Below(_) => table.count("below"),
    });
    // One value more than `above` begins an episode, and with any number below it ends.
    if table.is_written("clear") {
        check_clear(desk, table, bound, f64::from(clear));
    }
    Some(RuleType::Cardinality {
        field: table.field("field")?,
        within_ms: table.duration("within"),
        bound,
        clear,
    })
}

fn sequence(desk: &mut Desk, table: &Table) -> Option<RuleType> {
    let steps: Vec<SequenceStep> = table
        .tables("steps")
        .map(|step| SequenceStep {
            name: step.word("name").into(),
            condition: step.condition("where").unwrap_or_else(Condition::always),
        })
        .collect();
    crate::names::check_unique(desk, "step", "name", table.tables("steps"));
    let mode = match (table.word("mode"), table.field("number")) {
        ("gaps", Some(field)) => SequenceMode::Gaps(field),
        ("gaps", None) => {
            let complaint = Complaint::wanted("`number`", "no such key").hint("write number = \"vars.seq\"");
            desk.complain(&table.place, &table.path, complaint);
            return None;
        }
        (mode, number) => {
            if number.is_some() {
                let complaint = Complaint::new("`number` belongs to mode \"gaps\"");
                complain(desk, table, "number", complaint.hint("write mode = \"gaps\", or remove it"));
            }
            if mode == "validate" { SequenceMode::Validate } else { SequenceMode::Match }
        }
    };
    let (is_gaps, n_steps) = (matches!(mode, SequenceMode::Gaps(_)), steps.len());
    if is_gaps && n_steps > 0 {
        let complaint =
            Complaint::new("mode \"gaps\" has no steps").hint("say which events it means with `where`");
        complain(desk, table, "steps", complaint);
    }
    if !is_gaps && table.duration("within") < MIN_WINDOW_MS {
        let complaint = Complaint::wanted(
            "`within`, 1s or more",
            match table.is_written("within") {
                true => "less",
                false => "no such key",
            },
        );
        desk.complain(
            table.place_of("within"),
            &table.path_of("within"),
            complaint.hint("write within = \"5m\""),
        );
    }
    if !is_gaps && !(2..=MAX_CONDITIONS).contains(&n_steps) {
        complain(desk, table, "steps", Complaint::wanted(format!("2 to {MAX_CONDITIONS} steps"), n_steps));
    }
    Some(RuleType::Sequence {
        steps,
        not: table.condition("not"),
        within_ms: table.duration("within"),
        is_strict: table.flag("strict"),
        skip: match table.word("skip") {
            "none" => Skip::NoSkip,
            "to-next" => Skip::ToNext,
            _ => Skip::PastLast,
        },
        mode,
        max_partial: table.size("max_partial"),
        collapse: guard(table, "collapse"),
    })
}

fn ratio(desk: &mut Desk, table: &Table) -> Option<RuleType> {
    let bound = above_or_below(desk, table, table.maybe_number("above"), table.maybe_number("below"))?;
    let is_senseless = match bound {
        Bound::Above(above) => above >= 1.0,
        Bound::Below(below) => below <= 0.0,
    };
    if is_senseless {
        let key = if matches!(bound, Bound::Above(_)) { "above" } else { "below" };
        complain(desk, table, key, Complaint::new("no share can be there"));
    }
    let clear = table.maybe_number("clear");
    if let Some(clear) = clear {
        check_clear(desk, table, bound, clear);
        let is_never = match bound {
            Bound::Above(_) => clear <= 0.0,
            Bound::Below(_) => clear >= 1.0,
        };
        if is_never {
            let complaint = Complaint::new("no share is past that").hint("leave it out");
            complain(desk, table, "clear", complaint);
        }
    }
    let clear = clear.unwrap_or(match bound {
        Bound::Above(_) => usual_clear(bound),
        // All of them is the most that a share can be.
        Bound::Below(below) => (below + (1.0 - below) / 5.0).min(1.0 - f64::EPSILON),
    });
    Some(RuleType::Ratio {
        numerator: table.condition("of")?,
        window_ms: table.duration("within"),
        min_den: table.count("min_events"),
        bound,
        clear,
        confidence: table.maybe_number("confidence"),
    })
}

fn session(desk: &mut Desk, table: &Table) -> RuleType {
    let mut either =
        |above: &str, below: &str, figure: &dyn Fn(&str) -> Option<f64>| match (figure(above), figure(below))
        {
            (Some(_), Some(_)) => {
                let complaint =
                    Complaint::wanted(format!("`{above}` or `{below}`"), "both").hint("write two rules");
                complain(desk, table, below, complaint);
                None
            }
            (Some(above), None) => Some(Bound::Above(above)),
            (None, below) => below.map(Bound::Below),
        };
    let count = either("more_than", "fewer_than", &|key| table.maybe_count(key).map(f64::from));
    let duration_ms =
        either("longer_than", "shorter_than", &|key| table.maybe_duration(key).map(|ms| ms as f64));
    let (gap_ms, max_len_ms) = (table.duration("gap"), table.duration("max_length"));
    if max_len_ms < gap_ms {
        let complaint = Complaint::new("the longest session is shorter than the pause that ends it");
        let key = if table.is_written("max_length") { "max_length" } else { "gap" };
        complain(desk, table, key, complaint.hint("choose a longer `max_length` or a shorter `gap`"));
    }
    if let Some(Bound::Above(longer)) = duration_ms
        && longer >= max_len_ms as f64
    {
        let complaint = Complaint::new("no session is that long").hint("choose a longer `max_length`");
        complain(desk, table, "longer_than", complaint);
    }
    RuleType::Session {
        gap_ms,
        max_len_ms,
        count,
        duration_ms,
        has: table.condition("has"),
        lacks: table.condition("lacks"),
        ended_without: table.condition("ended_without"),
    }
}

fn metric(desk: &mut Desk, table: &Table) -> Option<RuleType> {
    let bound = above_or_below(desk, table, table.maybe_number("above"), table.maybe_number("below"))?;
    let clear = table.maybe_number("clear");
    if let Some(clear) = clear {
        check_clear(desk, table, bound, clear);
    }
    let clear = clear.unwrap_or_else(|| usual_clear(bound));
    Some(RuleType::Metric {
        measure: measure(desk, table, false),
        window_ms: table.duration("within"),
        bound,
        clear,
        min_count: table.count("min_values"),
    })
}

fn composite(desk: &mut Desk, table: &Table) -> RuleType {
    crate::names::check_unique(desk, "condition", "name", table.tables("conditions"));
    let mut conditions = Vec::new();
    for counted in table.tables("conditions") {
        let (count, clear) = count_and_clear(desk, counted);
        conditions.push(CountCondition {
            name: counted.word("name").into(),
            condition: counted.condition("where").unwrap_or_else(Condition::always),
            count,
            clear,
        });
    }
    if !(1..=MAX_CONDITIONS).contains(&conditions.len()) {
        complain(
            desk,
            table,
            "conditions",
            Complaint::wanted(format!("1 to {MAX_CONDITIONS} conditions"), conditions.len()),
        );
    }
    let at_least = table.maybe_count("at_least").map_or(conditions.len(), |count| count as usize);
    if at_least > conditions.len() {
        let wanted = format!("at most {}, the number of conditions", conditions.len());
        complain(desk, table, "at_least", Complaint::wanted(wanted, at_least));
    }
    RuleType::Composite {
        conditions,
        within_ms: table.duration("within"),
        at_least,
        order: table.pattern("order").map(Pattern),
    }
}
