//! What `/metrics` tells.

use std::collections::BTreeMap;

use dice_route::{Router, RuleStatus, SourceCounts};
use dice_serve::{Family, Health, MetricKind};

use super::alerts;
use super::board::{Board, lock};
use crate::clock;
use crate::router::hold::Hold;

/// What the loop counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Figures {
    sources: Vec<SourceCounts>,
    /// How far behind each source is, milliseconds, and whether all of it can be read.
    lag: BTreeMap<String, (i64, bool)>,
    outbox: BTreeMap<(&'static str, String), u64>,
    rules: Vec<RuleStatus>,
    open: u64,
    /// What Dice itself needs somebody for, by its cause and what it is about.
    troubles: Vec<(String, String)>,
}

impl Figures {
    pub(super) fn of(router: &Router) -> Figures {
        let now_ms = clock::now().as_millisecond();
        let mut figures = Figures {
            sources: router.counters().iter().cloned().collect(),
            rules: router.engine().status(),
            open: router.manager().episodes().open().count() as u64,
            troubles: troubles(router),
            ..Figures::default()
        };
        for (id, partition) in router.watermarks().partitions() {
            if Hold::is(id) || alerts::is(id) {
                continue;
            }
            // What was read to its end is as far behind as the look at it is old.
            let read_ms = partition.checked_ms.unwrap_or(partition.latest_ms);
            let lag_ms = if read_ms == i64::MIN { 0 } else { now_ms.saturating_sub(read_ms).max(0) };
            let (most_ms, is_read) = figures.lag.entry(partition.source.to_string()).or_insert((0, true));
            *most_ms = lag_ms.max(*most_ms);
            *is_read &= partition.lost.is_none();
        }
        for intent in router.outbox().iter() {
            let state = serde_json::to_value(intent.state).expect("a state is JSON");
            let state = state.as_str().unwrap_or_default().to_owned();
            *figures.outbox.entry((intent.lane.as_str(), state)).or_default() += 1;
        }
        figures
    }
}

/// What was told that Dice itself needs somebody for, and is not over.
fn troubles(router: &Router) -> Vec<(String, String)> {
    let lasting = router.manager().alarms().lasting();
    let causes = lasting.map(|alarm| alarm.id.strip_prefix("self/").unwrap_or(&alarm.id));
    let split = |cause: &str| {
        let (what, of) = cause.split_once([' ', '/']).unwrap_or((cause, ""));
        (what.to_owned(), of.to_owned())
    };
    causes.map(split).collect()
}

#[expect(clippy::cast_precision_loss, reason = "2^53 of anything are not lived to see")]
fn figure(n: u64) -> f64 {
    n as f64
}

/// The name and the kind of a figure that each rule has, what it is, and how it is found.
type OfRules = (&'static str, MetricKind, &'static str, fn(&RuleStatus) -> u64);

/// Everything that is counted, as families.
pub(super) fn families(board: &Board, health: &Health) -> Vec<Family> {
    use MetricKind::{Counter, Gauge};
    let Figures { sources, lag, outbox, rules, open, troubles } = board.figures();
    let mut lines = Family::new("dice_lines", Counter, "Lines read, by what they turned out to be.");
    let mut events = Family::new("dice_events", Counter, "Lines that begin a message, by when they came.");
    let mut lost = Family::new("dice_lost_bytes", Counter, "Bytes that were gone before they could be read.");
    for counts in &sources {
        let source = &*counts.lines.source;
        let known = [
            ("matched", counts.lines.matched),
            ("unknown", counts.lines.unknown),
            ("continued", counts.lines.continued),
        ];
        for (kind, n) in known {
            lines = lines.with([("source", source), ("kind", kind)], figure(n));
        }
        let (late, old, again) = (counts.late, counts.too_old, counts.repeated);
        let in_time = counts.events.saturating_sub(late + old);
        for (kind, n) in [("in_time", in_time), ("late", late), ("too_old", old), ("repeated", again)] {
            events = events.with([("source", source), ("kind", kind)], figure(n));
        }
        lost = lost.with([("source", source)], figure(counts.lines.lost_bytes));
    }
    let mut behind = Family::new("dice_source_lag_seconds", Gauge, "How far reading is behind.");
    let mut readable = Family::new("dice_source_readable", Gauge, "1 where all of the source can be read.");
    for (source, (lag_ms, is_read)) in &lag {
        behind = behind.with([("source", source.as_str())], figure(lag_ms.unsigned_abs()) / 1_000.0);
        readable = readable.with([("source", source.as_str())], f64::from(u8::from(*is_read)));
    }
    let mut deliveries = Family::new("dice_outbox", Gauge, "Deliveries that are kept, by lane and state.");
    for ((lane, state), n) in &outbox {
        deliveries = deliveries.with([("lane", *lane), ("state", state.as_str())], figure(*n));
    }
    let episodes = Family::new("dice_open_episodes", Gauge, "Episodes of rules that are open.");
    let mut found = vec![lines, events, lost, behind, readable, deliveries, episodes.with([], figure(open))];
    let of_rules: [OfRules; 6] = [
        ("dice_rule_keys", Gauge, "Keys that a rule keeps.", |it| it.keys as u64),
        ("dice_rule_open_episodes", Gauge, "Open episodes of a rule.", |it| it.open as u64),
        ("dice_rule_waiting_events", Gauge, "Events that wait for their time.", |it| it.waiting as u64),
        ("dice_rule_evicted_keys", Counter, "Keys forgotten for want of room.", |it| it.evicted),
        ("dice_rule_late_dropped", Counter, "Late events that changed nothing.", |it| it.late_dropped),
        ("dice_rule_degraded", Gauge, "1 where a rule sees less than it should.", |it| {
            u64::from(it.is_degraded())
        }),
    ];
    for (name, kind, help, value) in of_rules {
        let family = Family::new(name, kind, help);
        found.push(
            rules
                .iter()
                .fold(family, |family, rule| family.with([("rule", &*rule.rule)], figure(value(rule)))),
        );
    }
    let mut told = Family::new("dice_trouble", Gauge, "1 for what Dice itself needs somebody for.");
    for (cause, of) in &troubles {
        told = told.with([("cause", cause.as_str()), ("of", of.as_str())], 1.0);
    }
    found.push(told);
    let commits = Family::new("dice_commits", Counter, "Commits of the state since this start.");
    found.push(commits.with([], figure(board.n_commits())));
    if let Some(age_ms) = health.commit_age_ms {
        let age = Family::new("dice_commit_age_seconds", Gauge, "How long ago the last commit was.");
        found.push(age.with([], figure(age_ms) / 1_000.0));
    }
    let mut refused = Family::new("dice_http_refused", Counter, "Requests that were not done.");
    for ((route, status), n) in &*lock(&board.refused) {
        refused = refused.with([("route", route.as_str()), ("status", &status.to_string())], figure(*n));
    }
    found.push(refused);
    found
}
