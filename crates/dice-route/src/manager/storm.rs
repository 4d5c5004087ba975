//! Too much at once: notices beyond what a reader can take are told together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::breaker::Breaker;
use super::{Desk, wording};
use crate::book::{Book, Delta, Row, Table};
use crate::config::Guard;
use crate::outbox::Draft;
use crate::{Cause, Destination, Evidence, Lane, Notice, NoticeKind, NoticeRow, Severity};

/// Rows that a collection remembers; others are counted.
const MAX_COLLECTED: usize = 200;

/// Rows of a notice.
const MAX_ROWS: usize = 20;

/// Between the subject and the episode or message in the name of a collected row.
const ROW_SIGN: char = '|';

/// What a collecting notice is about is called so, with the destination and a number.
const SUBJECT: &str = "storm";

/// New notices of a destination within a span, and what is told together because there were too many.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Bucket {
    id: String,
    destination: Destination,
    lane: Lane,
    /// When new notices were posted, within the guard's span.
    posted_ms: Vec<i64>,
    /// How many collections there were.
    number: u64,
    collection: Option<Collection>,
}

/// Notices that are told together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Collection {
    since_ms: i64,
    /// The last notice that went in.
    last_ms: i64,
    /// When it is told again.
    due_ms: i64,
    first: Option<String>,
    revision: u32,
    why: String,
    /// Notices in it.
    count: u64,
    /// Notices in it when it was told last.
    told: u64,
    severity: Severity,
    /// By subject and episode or message; the latest of each.
    rows: BTreeMap<String, NoticeRow>,
    more_rows: u64,
    /// Something went in not long ago, so everything else does. Afterwards it only follows what is in it: a
    /// mass incident must not end while something in it goes on.
    is_collecting: bool,
}

impl Collection {
    /// Whether a notice about `subject` belongs in here.
    fn takes(&self, subject: &str) -> bool {
        let of = |key: &String| key.strip_prefix(subject).is_some_and(|rest| rest.starts_with(ROW_SIGN));
        self.is_collecting || self.rows.keys().any(of)
    }

    fn has_open(&self) -> bool {
        self.rows.values().any(|row| row.state == "open")
    }
}

impl Row for Bucket {
    const TABLE: Table = Table::Storms;

    fn id(&self) -> &str {
        &self.id
    }
}

/// What is told together with others because there is too much, as far as a reader asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collected {
    /// What its notices are about.
    pub subject: String,
    /// Where it is told.
    pub destination: Destination,
    /// Since when there is too much, milliseconds since 1970.
    pub since_ms: i64,
    /// Why, in words.
    pub why: String,
    /// Notices in it.
    pub count: u64,
}

/// The guards between what is to be told and the outbox.
#[derive(Debug, Clone, Default)]
pub struct Storm {
    buckets: Book<Bucket>,
    /// New messages by the minute.
    pub breaker: Breaker,
}

impl Storm {
    /// Puts a notice into the outbox, or into the collection of its destination when there is too much.
    ///
    /// What changes a notice that was sent passes. Gives the intent's id; `None` when it was collected.
    pub fn post(&mut self, mut draft: Draft, desk: &mut Desk<'_>) -> Option<String> {
        if draft.follows.is_some() || matches!(draft.kind, NoticeKind::Storm | NoticeKind::SelfAlert) {
            return Some(desk.outbox.post(draft, desk.now_ms, desk.records));
        }
        let id = bucket_id(&draft.destination, draft.lane);
        let is_critical = draft.notice.severity == Severity::Critical && draft.lane != Lane::Page;
        let collects = self.collection(&id).is_some_and(|known| known.takes(&draft.subject))
            && (draft.lane == Lane::Page || draft.notice.severity < Severity::High);
        let why = match self.too_many(&draft, desk) {
            Some(why) if !is_critical => why,
            None if collects => String::new(),
            _ if draft.kind == NoticeKind::Resolved => {
                // Storms would have an echo of ends that nobody heard the beginning of.
                let text = "its end was not told, as its beginning was told together with others";
                desk.records.note(desk.now_ms, Cause::Coalesced, &draft.subject, SUBJECT, text);
                return None;
            }
            _ => {
                self.remember_post(&draft, desk);
                // It changes a notice that was never sent on its own.
                if draft.kind != NoticeKind::Escalation {
                    draft.kind = NoticeKind::Open;
                }
                return Some(desk.outbox.post(draft, desk.now_ms, desk.records));
            }
        };
        self.collect(draft, why, desk);
        None
    }

    /// The collections that tell about what is called `name`: an episode or a deduplication key.
    pub fn telling(&self, name: &str) -> Vec<Collected> {
        let is_in = |key: &String| key.rsplit_once(ROW_SIGN).is_some_and(|(_, known)| known == name);
        let telling = self.buckets.iter().filter_map(|bucket| {
            let collection = bucket.collection.as_ref()?;
            collection.rows.keys().any(is_in).then(|| Collected {
                subject: format!("{SUBJECT}/{}/{}", bucket.id, bucket.number),
                destination: bucket.destination.clone(),
                since_ms: collection.since_ms,
                why: collection.why.clone(),
                count: collection.count,
            })
        });
        telling.collect()
    }

    /// Why another new notice is too many.
    fn too_many(&mut self, draft: &Draft, desk: &Desk<'_>) -> Option<String> {
        let is_grave = draft.notice.severity >= Severity::High;
        if draft.lane != Lane::Page
            && !is_grave
            && let Some(why) = self.breaker.why()
        {
            return Some(why);
        }
        let guard = guard(&draft.destination, draft.lane, desk)?;
        let bucket = self.buckets.get(&counting_id(&draft.destination, draft.lane))?;
        let from_ms = desk.now_ms - guard.within_ms;
        let recent = bucket.posted_ms.iter().filter(|at_ms| **at_ms > from_ms).count();
        (recent >= guard.count as usize).then(|| {
            let within = wording::duration(guard.within_ms);
            match draft.lane {
                Lane::Page => format!("mass incident: more than {} new pages within {within}", guard.count),
                _ => format!("more than {} new notices within {within}", guard.count),
            }
        })
    }

    fn collection(&self, id: &str) -> Option<&Collection> {
        self.buckets.get(id)?.collection.as_ref()
    }

    fn remember_post(&mut self, draft: &Draft, desk: &Desk<'_>) {
        let Some(guard) = guard(&draft.destination, draft.lane, desk) else { return };
        let id = counting_id(&draft.destination, draft.lane);
        let bucket = self.bucket(id, draft);
        bucket.posted_ms.retain(|at_ms| *at_ms > desk.now_ms - guard.within_ms);
        bucket.posted_ms.push(desk.now_ms);
    }

    fn bucket(&mut self, id: String, draft: &Draft) -> &mut Bucket {
        if self.buckets.get(&id).is_none() {
            self.buckets.put(Bucket {
                id: id.clone(),
                destination: draft.destination.clone(),
                lane: draft.lane,
                posted_ms: Vec::new(),
                number: 0,
                collection: None,
            });
        }
        self.buckets.get_mut(&id).expect("it was put in")
    }

    fn collect(&mut self, draft: Draft, why: String, desk: &mut Desk<'_>) {
        let id = bucket_id(&draft.destination, draft.lane);
        let text = "told together with others";
        let by = format!("{SUBJECT}/{id}");
        desk.records.note(desk.now_ms, Cause::Coalesced, &draft.subject, &by, text);
        let now_ms = desk.now_ms;
        let bucket = self.bucket(id.clone(), &draft);
        let is_first = bucket.collection.is_none();
        bucket.number += u64::from(is_first);
        let collection = bucket.collection.get_or_insert_with(|| Collection {
            since_ms: now_ms,
            last_ms: now_ms,
            due_ms: now_ms,
            first: None,
            revision: 0,
            why: why.clone(),
            count: 0,
            told: 0,
            severity: Severity::Low,
            rows: BTreeMap::new(),
            more_rows: 0,
            is_collecting: true,
        });
        collection.is_collecting |= !why.is_empty();
        collection.count += 1;
        collection.last_ms = now_ms;
        collection.severity = collection.severity.max(draft.notice.severity);
        collection.more_rows += draft.notice.more_rows;
        for row in draft.notice.rows {
            let name = row.episode.as_deref().or(row.alert.as_deref()).unwrap_or_default();
            let key = format!("{}{ROW_SIGN}{name}", draft.subject);
            if collection.rows.len() < MAX_COLLECTED || collection.rows.contains_key(&key) {
                collection.rows.insert(key, row);
            } else {
                collection.more_rows += 1;
            }
        }
        if is_first {
            self.tell(&id, NoticeKind::Storm, desk);
        }
    }

    /// Tells again what was collected, and ends collections that nothing goes into any more. `today` is what is
    /// known now of the episode of a row: a row that was collected long ago must not be told as it was then.
    pub fn tick(&mut self, desk: &mut Desk<'_>, today: &dyn Fn(&str) -> Option<Evidence>) {
        self.breaker.tick(desk);
        let due = |bucket: &&Bucket| {
            let guard = guard(&bucket.destination, bucket.lane, desk);
            let span_ms = guard.map_or(0, |guard| guard.within_ms);
            let is_spent = bucket.posted_ms.last().is_none_or(|at_ms| *at_ms <= desk.now_ms - span_ms);
            bucket.collection.is_some() || is_spent
        };
        let ids: Vec<String> = self.buckets.iter().filter(due).map(|bucket| bucket.id.clone()).collect();
        for id in ids {
            let Some(bucket) = self.buckets.get(&id) else { continue };
            let Some(collection) = &bucket.collection else {
                self.forget_if_idle(&id, desk);
                continue;
            };
            let quiet_ms = guard(&bucket.destination, bucket.lane, desk)
                .map_or(desk.config.storm.summary_every_ms, |guard| guard.within_ms);
            let is_calm = !collection.is_collecting || desk.now_ms - collection.last_ms >= quiet_ms;
            if is_calm && (bucket.lane != Lane::Page || !collection.has_open()) {
                self.refresh(&id, today);
                self.tell(&id, NoticeKind::Resolved, desk);
                if let Some(bucket) = self.buckets.get_mut(&id) {
                    bucket.collection = None;
                    bucket.posted_ms.clear();
                }
                continue;
            }
            if is_calm
                && collection.is_collecting
                && let Some(collection) =
                    self.buckets.get_mut(&id).and_then(|bucket| bucket.collection.as_mut())
            {
                collection.is_collecting = false;
            }
            let Some(collection) = self.collection(&id) else { continue };
            if collection.due_ms <= desk.now_ms && collection.count > collection.told {
                self.refresh(&id, today);
                self.tell(&id, NoticeKind::Update, desk);
            }
        }
    }

    /// Brings what is known of the collected episodes up to date. Whether they go on is said by their notices.
    fn refresh(&mut self, id: &str, today: &dyn Fn(&str) -> Option<Evidence>) {
        let collection = self.buckets.get_mut(id).and_then(|bucket| bucket.collection.as_mut());
        for row in collection.into_iter().flat_map(|collection| collection.rows.values_mut()) {
            if let Some(evidence) = row.episode.as_deref().and_then(today) {
                row.evidence = evidence;
            }
        }
    }

    /// A bucket that counts nothing any more is only a number, which has to last as long as its notices.
    fn forget_if_idle(&mut self, id: &str, desk: &Desk<'_>) {
        if self.buckets.get(id).is_some_and(|bucket| bucket.number == 0) {
            self.buckets.remove(id);
        } else if self.buckets.get(id).is_some_and(|bucket| !bucket.posted_ms.is_empty())
            && let Some(bucket) = self.buckets.get_mut(id)
        {
            bucket.posted_ms.retain(|at_ms| *at_ms > desk.now_ms);
        }
    }

    fn tell(&mut self, id: &str, kind: NoticeKind, desk: &mut Desk<'_>) {
        let now_ms = desk.now_ms;
        let every_ms = desk.config.storm.summary_every_ms.max(1);
        let Some(bucket) = self.buckets.get_mut(id) else { return };
        let number = bucket.number;
        let Some(collection) = &mut bucket.collection else { return };
        let (destination, lane) = (bucket.destination.clone(), bucket.lane);
        let draft = Draft {
            destination,
            lane,
            kind,
            subject: format!("{SUBJECT}/{id}/{number}"),
            revision: collection.revision,
            follows: collection.first.clone(),
            due_ms: now_ms,
            held: None,
            notice: notice(collection, kind == NoticeKind::Resolved, now_ms),
        };
        let posted = desk.outbox.post(draft, now_ms, desk.records);
        collection.revision += 1;
        collection.first.get_or_insert(posted);
        collection.told = collection.count;
        collection.due_ms = now_ms.saturating_add(every_ms);
    }

    /// Appends what has changed.
    pub fn deltas(&mut self, out: &mut Vec<Delta>) {
        self.buckets.deltas(out);
        self.breaker.deltas(out);
    }

    /// Puts in a row as it was written.
    pub fn restore(&mut self, id: &str, body: &str) -> Result<(), String> {
        if Breaker::keeps(id) { self.breaker.restore(id, body) } else { self.buckets.restore(id, body) }
    }
}

/// Where notices for a destination on a way are collected.
fn bucket_id(destination: &Destination, lane: Lane) -> String {
    let way = if lane == Lane::Page { "page" } else { "to" };
    let destination = serde_json::to_string(destination).expect("names are JSON");
    format!("{way}:{}", crate::name(&[destination.as_bytes()]))
}

/// Where new notices are counted: pages altogether, others by destination.
fn counting_id(destination: &Destination, lane: Lane) -> String {
    if lane == Lane::Page { "page".to_owned() } else { bucket_id(destination, lane) }
}

fn guard(destination: &Destination, lane: Lane, desk: &Desk<'_>) -> Option<Guard> {
    match (lane, destination) {
        (Lane::Page, _) => Some(desk.config.storm.page),
        (Lane::Digest, _) => None,
        (_, Destination::Person(_)) => Some(desk.config.storm.person),
        _ => Some(desk.config.storm.channel),
    }
}

fn notice(collection: &Collection, is_over: bool, now_ms: i64) -> Notice {
    let mut rows: Vec<&NoticeRow> = collection.rows.values().collect();
    rows.sort_by(|a, b| {
        (b.severity, b.evidence.count, &a.title).cmp(&(a.severity, a.evidence.count, &b.title))
    });
    let lasted = wording::duration(now_ms - collection.since_ms);
    let notices = wording::counted(collection.count, "notice", "notices");
    let title = if is_over {
        format!("storm over: {notices} told together in {lasted}")
    } else if collection.told == 0 {
        format!("storm: {}; what else comes is told here", collection.why)
    } else {
        format!("storm: {notices} told together within {lasted}")
    };
    let more_rows = rows.len().saturating_sub(MAX_ROWS) as u64 + collection.more_rows;
    Notice {
        title,
        because: collection.why.clone(),
        severity: collection.severity,
        rows: rows.into_iter().take(MAX_ROWS).cloned().collect(),
        more_rows,
        notes: vec![collection.why.clone()],
        labels: Vec::new(),
    }
}
