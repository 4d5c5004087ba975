//! Keys, room, and runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Alerts, Attention, KEPT_MS};
use crate::book::{Delta, Row};
use crate::condition::{Condition, Field};
use crate::config::{Rule, RuleType, Timing};
use crate::manager::Desk;
use crate::outbox::Outbox;
use crate::records::Records;
use crate::testing::{event, message};
use crate::{Config, Event, PartitionId, Severity, Stamped};

const QUIET_MS: i64 = 3_600_000;

/// Rules that add the first and drop the second of these to and from the key.
fn config(rules: &[(&str, &str)]) -> Config {
    let fields = |name: &str| -> Vec<Field> {
        Some(name)
            .filter(|name| !name.is_empty())
            .map(|name| Field::parse(name).unwrap())
            .into_iter()
            .collect()
    };
    let rule = |(add, drop): &(&str, &str)| {
        Arc::new(Rule {
            id: "r".into(),
            semantic_rev: 1,
            kind: RuleType::Match { quiet_ms: None },
            condition: Condition::always(),
            key: Vec::new(),
            on_missing_key: Default::default(),
            timing: Timing::DEFAULT,
            severity: Severity::Low,
            labels: BTreeMap::new(),
            summary: None,
            to: Vec::new(),
            policy: None,
            fingerprint_add: fields(add),
            fingerprint_drop: fields(drop),
        })
    };
    Config { rules: rules.iter().map(rule).collect(), ..Config::default() }
}

struct Bench {
    config: Config,
    alerts: Alerts,
    outbox: Outbox,
    records: Records,
    now_ms: i64,
}

impl Bench {
    fn new(config: Config) -> Bench {
        let mut alerts = Alerts::default();
        alerts.configure(&config);
        let (outbox, records) = (Outbox::default(), Records::default());
        Bench { config, alerts, outbox, records, now_ms: 0 }
    }

    fn desk(&mut self) -> (&mut Alerts, Desk<'_>) {
        let (outbox, records, config) = (&mut self.outbox, &mut self.records, &self.config);
        (&mut self.alerts, Desk { config, outbox, records, now_ms: self.now_ms })
    }

    fn occur(&mut self, event: &Event) -> Attention {
        let stamped = Stamped { event, at_ms: self.now_ms, is_late: false };
        let (alerts, mut desk) = self.desk();
        alerts.occur(&stamped, QUIET_MS, &mut desk)
    }
}

/// An event is `env` and a code; the answer is how many keys there are.
#[track_caller]
fn check(rules: &[(&str, &str)], events: &[(&str, &str)], keys: usize) {
    let mut bench = Bench::new(config(rules));
    for (env, code) in events {
        let mut event = event(PartitionId(0), "s", 0, None, 0);
        event.env = Some((*env).into());
        event.fields = Box::new([("code".into(), (*code).into())]);
        bench.occur(&event);
    }
    assert_eq!(bench.alerts.len(), keys, "{rules:?}");
}

#[test]
fn rules_add_and_drop_fields_of_the_key() {
    let events = [("production", "1"), ("production", "2"), ("staging", "1"), ("production", "1")];
    check(&[], &events, 2);
    check(&[("vars.code", "")], &events, 3);
    check(&[("", "env")], &events, 1);
    check(&[("vars.code", "env")], &events, 2);
}

#[test]
fn messages_with_the_same_name_are_one_wherever_they_lie_in_memory() {
    let mut bench = Bench::new(config(&[]));
    for _ in 0..3 {
        bench.occur(&event(PartitionId(0), "s", 0, None, 0));
    }
    assert_eq!(bench.alerts.len(), 1);
    assert_eq!(bench.alerts.iter().next().unwrap().0.count(), 3);
}

#[test]
fn what_was_silent_for_the_longest_time_makes_room() {
    let mut bench = Bench::new(config(&[]));
    for n in 0..120 {
        bench.now_ms = n;
        let mut event = event(PartitionId(0), "s", 0, None, 0);
        event.message = Arc::new(message(&format!("message {n}")));
        bench.occur(&event);
    }
    assert!(bench.alerts.len() <= 110, "{}", bench.alerts.len());
    let oldest = bench.alerts.iter().map(|(alert, _)| alert.since_ms).min();
    assert_eq!(oldest, Some(11));
    let evicted: u64 =
        bench.records.iter().filter(|record| record.by == "rows").map(|record| record.count).sum();
    assert_eq!(evicted as usize + bench.alerts.len(), 120);
    let mut deltas = Vec::new();
    bench.alerts.deltas(&mut deltas);
    let puts = deltas.iter().filter(|delta| matches!(delta, Delta::Put { id, .. } if !id.starts_with("m:")));
    assert_eq!(puts.count(), bench.alerts.len(), "what is gone is not written");
}

#[test]
fn what_was_silent_for_a_month_is_forgotten() {
    let mut bench = Bench::new(config(&[]));
    bench.occur(&event(PartitionId(0), "s", 0, None, 0));
    bench.now_ms = KEPT_MS + 1;
    let (alerts, mut desk) = bench.desk();
    alerts.sweep(&mut desk);
    assert!(alerts.is_empty());
    let mut deltas = Vec::new();
    alerts.deltas(&mut deltas);
    assert!(deltas.iter().all(|delta| matches!(delta, Delta::Delete { .. })), "{deltas:?}");
    assert_eq!(super::Alert::TABLE.name(), "alerts");
}

#[test]
fn a_run_ends_with_a_pause() {
    let mut bench = Bench::new(config(&[]));
    let line = event(PartitionId(0), "s", 0, None, 0);
    assert!(matches!(bench.occur(&line), Attention::Owners { slot: 0, is_new: true }));
    bench.alerts.settle(0, Vec::new(), String::new());
    assert_eq!(bench.occur(&line), Attention::None);
    bench.now_ms = QUIET_MS;
    assert_eq!(bench.occur(&line), Attention::RunOver(0));
    assert_eq!(bench.alerts.hand_over(0).count, 2, "what ends a run does not belong to it");
    bench.alerts.end_run(0);
    assert!(matches!(bench.occur(&line), Attention::Owners { slot: 0, is_new: false }));
    let (alert, _) = bench.alerts.at(0).unwrap();
    assert_eq!((alert.runs, alert.running_count(), alert.count()), (2, 1, 3));
}
