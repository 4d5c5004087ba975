//! How far event time has come, by partition and altogether.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::book::{Delta, Table};
use crate::config::EventTime;
use crate::records::Records;
use crate::{Cause, Config, Event, PartitionId, PartitionNews};

/// How far event time has come. It never goes back.
#[derive(Debug, Clone)]
pub struct Watermarks {
    partitions: BTreeMap<PartitionId, Partition>,
    time: EventTime,
    watermark_ms: i64,
    is_changed: bool,
    /// Partitions that ended since the last writing.
    ended: BTreeSet<PartitionId>,
}

/// What is known about a partition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Partition {
    /// The source's name in the configuration.
    pub source: Arc<str>,
    /// Its own name, for people.
    pub name: Arc<str>,
    /// How far its time has come, milliseconds since 1970.
    pub watermark_ms: i64,
    /// The latest time of one of its events.
    pub latest_ms: i64,
    /// When its last event was read.
    pub heard_ms: i64,
    /// Where that stands.
    pub offset: Option<u64>,
    /// Up to when everything there was has been read; `None` while there is more.
    pub checked_ms: Option<i64>,
    /// Since when it cannot be read, and why.
    pub lost: Option<(i64, Arc<str>)>,
    /// How much later than its neighbours a line may arrive.
    pub lateness_ms: i64,
    /// Whether its absence is a reason to tell somebody.
    pub is_required: bool,
    #[serde(skip)]
    is_changed: bool,
}

/// What the time of an event turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamp {
    /// In time.
    At(i64),
    /// The watermark has passed it.
    Late(i64),
    /// Too old for any rule.
    TooOld(i64),
    /// It was read before.
    Repeated,
}

const NEVER: i64 = i64::MIN;

impl Default for Watermarks {
    fn default() -> Watermarks {
        Watermarks {
            partitions: BTreeMap::new(),
            time: EventTime::DEFAULT,
            watermark_ms: NEVER,
            is_changed: false,
            ended: BTreeSet::new(),
        }
    }
}

impl Watermarks {
    /// Takes the settings of the sources.
    pub fn configure(&mut self, config: &Config) {
        self.time = config.time;
        for partition in self.partitions.values_mut() {
            partition.set(config);
        }
    }

    /// How far event time has come altogether: no rule decides about anything later. `i64::MIN` until
    /// something is known.
    pub fn now_ms(&self) -> i64 {
        self.watermark_ms
    }

    /// The partitions, by number.
    pub fn partitions(&self) -> impl Iterator<Item = (PartitionId, &Partition)> {
        self.partitions.iter().map(|(id, partition)| (*id, partition))
    }

    /// Takes what is known about a partition.
    pub fn news(&mut self, id: PartitionId, news: &PartitionNews, config: &Config, now_ms: i64) {
        if let PartitionNews::Opened { source, name } = news {
            let known = self.partitions.entry(id).or_insert_with(|| Partition::new(source, name, config));
            (known.source, known.name) = (Arc::clone(source), Arc::clone(name));
            (known.checked_ms, known.lost, known.is_changed) = (None, None, true);
            known.set(config);
            return;
        }
        if *news == PartitionNews::Closed {
            if self.partitions.remove(&id).is_some() {
                self.ended.insert(id);
            }
            return;
        }
        let Some(known) = self.partitions.get_mut(&id) else { return };
        known.is_changed = true;
        match news {
            PartitionNews::CaughtUp(at_ms) => {
                (known.checked_ms, known.lost) = (known.checked_ms.max(Some(*at_ms)), None);
            }
            PartitionNews::Behind => (known.checked_ms, known.lost) = (None, None),
            PartitionNews::Disconnected(why) => {
                let since = known.lost.as_ref().map_or(now_ms, |(since, _)| *since);
                (known.checked_ms, known.lost) = (None, Some((since, Arc::clone(why))));
            }
            PartitionNews::Opened { .. } | PartitionNews::Closed => {}
        }
    }

    /// Settles the time of an event, and lets its partition's time pass.
    pub fn stamp(&mut self, event: &Event, config: &Config, records: &mut Records) -> Stamp {
        let partition = self
            .partitions
            .entry(event.partition)
            .or_insert_with(|| Partition::new(&event.source, &event.source, config));
        if partition.offset.is_some_and(|offset| event.offset <= offset) {
            return Stamp::Repeated;
        }
        partition.offset = Some(event.offset);
        partition.is_changed = true;
        partition.heard_ms = partition.heard_ms.max(event.ingested_ms);
        let mut at_ms = event.at_ms.unwrap_or(event.ingested_ms);
        // One clock that runs ahead would make everybody else late.
        if at_ms > event.ingested_ms.saturating_add(self.time.max_skew_ms) {
            at_ms = event.ingested_ms;
            let text = "a line's time lay too far ahead and was set to the time of its reading";
            records.note(event.ingested_ms, Cause::Clamped, &partition.source, "clock", text);
        }
        if at_ms < event.ingested_ms.saturating_sub(self.time.max_age_ms) {
            return Stamp::TooOld(at_ms);
        }
        partition.latest_ms = partition.latest_ms.max(at_ms);
        partition.watermark_ms = partition.watermark_ms.max(at_ms.saturating_sub(partition.lateness_ms));
        if at_ms <= self.watermark_ms { Stamp::Late(at_ms) } else { Stamp::At(at_ms) }
    }

    /// Lets time pass: idle partitions no longer hold it up. Gives how far event time has come.
    pub fn tick(&mut self, now_ms: i64) -> i64 {
        let idle_after = self.time.idle_after_ms;
        let mut least: Option<i64> = None;
        for partition in self.partitions.values_mut() {
            if let Some(checked_ms) = partition.checked_ms {
                // What has never said anything is not waited for.
                let is_idle = partition.heard_ms == NEVER || checked_ms - partition.heard_ms >= idle_after;
                let idle_ms = checked_ms.saturating_sub(partition.lateness_ms).saturating_sub(idle_after);
                if is_idle && idle_ms > partition.watermark_ms {
                    partition.watermark_ms = idle_ms;
                    partition.is_changed = true;
                }
            }
            let is_given_up = !partition.is_required
                && partition
                    .lost
                    .as_ref()
                    .is_some_and(|(since, _)| now_ms - since > self.time.stall_after_ms);
            if !is_given_up {
                let own = partition.watermark_ms;
                least = Some(least.map_or(own, |least| least.min(own)));
            }
        }
        // Without any partition only the clock tells how late it is.
        let reached = least.unwrap_or_else(|| {
            now_ms.saturating_sub(self.time.lateness_ms).saturating_sub(self.time.idle_after_ms)
        });
        if reached > self.watermark_ms {
            self.watermark_ms = reached;
            self.is_changed = true;
        }
        self.watermark_ms
    }

    /// Required partitions that have been lost for too long: silence means nothing while there are any.
    pub fn stalled(&self, now_ms: i64) -> impl Iterator<Item = &Partition> {
        let stall_after = self.time.stall_after_ms;
        self.partitions.values().filter(move |partition| {
            partition.is_required
                && partition.lost.as_ref().is_some_and(|(since, _)| now_ms - since > stall_after)
        })
    }

    /// Whether every required partition can be read.
    pub fn is_healthy(&self) -> bool {
        !self.partitions.values().any(|partition| partition.is_required && partition.lost.is_some())
    }

    /// Appends what has changed.
    pub fn deltas(&mut self, out: &mut Vec<Delta>) {
        for id in std::mem::take(&mut self.ended) {
            if !self.partitions.contains_key(&id) {
                out.push(Delta::Delete { table: Table::Partitions, id: row_id(id) });
            }
        }
        for (id, partition) in &mut self.partitions {
            if std::mem::take(&mut partition.is_changed) {
                out.push(Delta::Put {
                    table: Table::Partitions,
                    id: row_id(*id),
                    body: serde_json::to_string(partition).expect("a partition is strings and numbers"),
                });
            }
        }
        if std::mem::take(&mut self.is_changed) {
            let body = format!("{{\"watermark_ms\":{}}}", self.watermark_ms);
            out.push(Delta::Put { table: Table::Partitions, id: "all".to_owned(), body });
        }
    }

    /// Puts in a row as it was written.
    pub fn restore(&mut self, id: &str, body: &str) -> Result<(), String> {
        let wanted = |error: String| format!("wanted a row of partitions, found {id}: {error}");
        if id == "all" {
            #[derive(Deserialize)]
            struct All {
                watermark_ms: i64,
            }
            let all: All = serde_json::from_str(body).map_err(|error| wanted(error.to_string()))?;
            self.watermark_ms = all.watermark_ms;
            return Ok(());
        }
        let number: u32 = id.parse().map_err(|_| wanted("its id is no number".to_owned()))?;
        let partition = serde_json::from_str(body).map_err(|error| wanted(error.to_string()))?;
        self.partitions.insert(PartitionId(number), partition);
        Ok(())
    }
}

impl Partition {
    fn new(source: &Arc<str>, name: &Arc<str>, config: &Config) -> Partition {
        let mut partition = Partition {
            source: Arc::clone(source),
            name: Arc::clone(name),
            watermark_ms: NEVER,
            latest_ms: NEVER,
            heard_ms: NEVER,
            offset: None,
            checked_ms: None,
            lost: None,
            lateness_ms: 0,
            is_required: false,
            is_changed: true,
        };
        partition.set(config);
        partition
    }

    fn set(&mut self, config: &Config) {
        let source = config.sources.get(&self.source);
        self.lateness_ms = source.map_or(config.time.lateness_ms, |source| source.lateness_ms);
        self.is_required = source.is_some_and(|source| source.is_required);
    }
}

fn row_id(id: PartitionId) -> String {
    format!("{:010}", id.0)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Stamp, Watermarks};
    use crate::book::Delta;
    use crate::records::Records;
    use crate::{Config, Event, PartitionId, PartitionNews};

    const START: i64 = 1_800_000_000_000;

    /// Reads a timetable in seconds: `0 open a`, `3 a caught-up`, `5 a line 4`, `9 a lost`, `9 a closed`,
    /// `9 tick`; what a line or a tick gives stands behind `->`.
    #[track_caller]
    fn check(config: &Config, story: &str) {
        let mut marks = Watermarks::default();
        marks.configure(config);
        let mut records = Records::default();
        let mut offset = 0;
        for line in story.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (input, expected) = line.split_once("->").map_or((line, ""), |(a, b)| (a, b.trim()));
            let words: Vec<&str> = input.split_whitespace().collect();
            let seconds = |word: &str| START + word.parse::<i64>().unwrap() * 1000;
            let now_ms = seconds(words[0]);
            let told =
                |ms: i64| if ms == i64::MIN { "never".to_owned() } else { ((ms - START) / 1000).to_string() };
            let id = |name: &str| PartitionId(u32::from(name.as_bytes()[0]));
            let news = match words[1..] {
                ["tick"] => {
                    assert_eq!(told(marks.tick(now_ms)), expected, "{line}");
                    None
                }
                ["open", name] => {
                    Some((name, PartitionNews::Opened { source: name.into(), name: name.into() }))
                }
                [name, "caught-up"] => Some((name, PartitionNews::CaughtUp(now_ms))),
                [name, "behind"] => Some((name, PartitionNews::Behind)),
                [name, "lost"] => Some((name, PartitionNews::Disconnected("gone".into()))),
                [name, "closed"] => Some((name, PartitionNews::Closed)),
                [name, "line", at] => {
                    offset += 1;
                    let event = event(id(name), name, offset, Some(seconds(at)), now_ms);
                    let stamp = match marks.stamp(&event, config, &mut records) {
                        Stamp::At(at) => told(at),
                        Stamp::Late(at) => format!("{} late", told(at)),
                        Stamp::TooOld(at) => format!("{} too old", told(at)),
                        Stamp::Repeated => "repeated".to_owned(),
                    };
                    assert_eq!(stamp, expected, "{line}");
                    assert_eq!(marks.stamp(&event, config, &mut records), Stamp::Repeated);
                    None
                }
                _ => panic!("{line}"),
            };
            if let Some((name, news)) = news {
                marks.news(id(name), &news, config, now_ms);
            }
            // What was written is all there is.
            let mut deltas = Vec::new();
            let mut copy = marks.clone();
            for partition in copy.partitions.values_mut() {
                partition.is_changed = true;
            }
            copy.is_changed = copy.watermark_ms != i64::MIN;
            copy.deltas(&mut deltas);
            let mut restored = Watermarks::default();
            for delta in &deltas {
                if let Delta::Put { id, body, .. } = delta {
                    restored.restore(id, body).unwrap();
                }
            }
            restored.configure(config);
            assert_eq!(restored.partitions, copy.partitions);
            assert_eq!(restored.now_ms(), copy.now_ms());
        }
    }

    fn event(partition: PartitionId, source: &str, offset: u64, at_ms: Option<i64>, now_ms: i64) -> Event {
        crate::testing::event(partition, source, offset, at_ms, now_ms)
    }

    #[test]
    fn time_is_that_of_the_slowest_partition() {
        check(
            &Config::default(),
            "0 open a
             0 tick -> never
             1 a line 1 -> 1
             1 tick -> -29
             1 open b
             2 a line 50 -> 50
             2 tick -> -29
             3 b line 40 -> 40
             3 tick -> 10
             4 b line 9 -> 9 late
             5 b closed
             5 tick -> 20",
        );
    }

    #[test]
    fn silence_counts_only_when_everything_was_read() {
        check(
            &Config::default(),
            "0 open a
             1 a line 1 -> 1
             100 tick -> -29
             100 a caught-up
             300 tick -> 10
             200 a caught-up
             300 tick -> 110
             300 a behind
             400 tick -> 110
             400 a lost
             1000 tick -> 910
             1001 a line 500 -> 500 late",
        );
    }

    #[test]
    fn what_is_required_is_waited_for() {
        let mut config = Config::default();
        let source = crate::config::Source { lateness_ms: 5000, is_required: true };
        config.sources.insert(Arc::from("a"), source);
        check(
            &config,
            "0 open a
             1 a line 1 -> 1
             1 tick -> -4
             2 a lost
             900 tick -> -4
             901 a caught-up
             902 tick -> 836",
        );
    }

    #[test]
    fn a_clock_that_is_wrong_harms_nobody() {
        check(
            &Config::default(),
            "0 a line 299 -> 299
             1 a line 500 -> 1
             2 a line -100000 -> -100000 too old
             3 tick -> 269",
        );
    }
}
