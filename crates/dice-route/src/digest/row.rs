//! A message in somebody's digest, while it is gathered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dice_catalog::Level;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::book::{Row, Table};
use crate::manager::Tally;
use crate::{Destination, Evidence, Message, MessageId, Severity, Stamped};

/// Hosts whose occurrences are counted one by one; the first that are seen.
const MAX_HOSTS: usize = 32;

/// Hosts beyond those that are told apart; past it only that there are more is known.
const MAX_MORE_HOSTS: usize = 256;

/// Hosts that are told by name.
const SHOWN_HOSTS: usize = 5;

/// Services and releases that are kept.
const MAX_NAMES: usize = 8;

/// Dates that are counted one by one.
const MAX_DAYS: usize = 16;

/// Characters of a template or a sample that are kept.
const MAX_TEXT: usize = 500;

/// One occurrence, for one reader.
#[derive(Debug, Clone, Copy)]
pub struct Sighting<'a> {
    /// The deduplication key: message, level, environment and the fields a rule adds.
    pub alert: &'a str,
    /// How much it matters.
    pub severity: Severity,
    /// Why this reader gets it: `wrote the line`.
    pub because: &'a str,
    /// The event.
    pub seen: Stamped<'a>,
}

/// Occurrences of one deduplication key that were counted together, for one reader.
#[derive(Debug, Clone, Copy)]
pub struct Gathered<'a> {
    /// The deduplication key.
    pub alert: &'a str,
    /// How much they matter.
    pub severity: Severity,
    /// Their level.
    pub level: Option<Level>,
    /// Why this reader gets them.
    pub because: &'a str,
    /// The message.
    pub message: &'a Message,
    /// Where it runs.
    pub env: Option<&'a Arc<str>>,
    /// How many, where, when.
    pub tally: &'a Tally,
    /// One of the lines, as printed.
    pub sample: &'a str,
}

/// What a reader is to be told of one deduplication key: the occurrences since the last digest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DigestRow {
    /// Reader and deduplication key.
    pub id: String,
    /// Who reads it.
    pub reader: Destination,
    /// The deduplication key.
    pub alert: String,
    /// The message.
    pub message: MessageId,
    /// The template, `<*>` for holes.
    pub title: String,
    /// The highest level of the occurrences.
    pub level: Option<Level>,
    /// The highest severity of the occurrences.
    pub severity: Severity,
    /// Why this reader gets it.
    pub because: String,
    /// Where the code can be read.
    pub url: Option<Arc<str>>,
    /// `file:line` of the statement.
    pub place: Option<Arc<str>>,
    /// Occurrences since the last digest.
    pub count: u64,
    /// Of these, how many came late.
    pub late: u64,
    /// The first and the last, milliseconds since 1970, by event time.
    pub seen_ms: Option<(i64, i64)>,
    /// Occurrences by host.
    pub hosts: BTreeMap<Arc<str>, u64>,
    /// Hosts beyond those, by a number that stands for the name.
    pub more_hosts: BTreeSet<u64>,
    /// The services, in order.
    pub services: BTreeSet<Arc<str>>,
    /// The releases, in order.
    pub versions: BTreeSet<Arc<str>>,
    /// The environment of the first occurrence: it is part of the deduplication key.
    pub env: Option<Arc<str>>,
    /// The first line of them, as printed.
    pub sample: Option<Arc<str>>,
    /// Occurrences by the reader's dates.
    pub days: BTreeMap<Date, u64>,
    /// Occurrences on dates before those.
    pub earlier: u64,
    /// The occurrences told in the reader's last digest, 0 where it was not in it; `None` when it never was in
    /// one.
    pub before: Option<u64>,
    /// When it was last told, milliseconds since 1970.
    pub told_ms: Option<i64>,
}

/// What tells one row from another.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'a> {
    pub(super) alert: &'a str,
    because: &'a str,
    message: &'a Message,
    env: Option<&'a Arc<str>>,
}

impl<'a> From<&Sighting<'a>> for About<'a> {
    fn from(sighting: &Sighting<'a>) -> About<'a> {
        let event = sighting.seen.event;
        let (alert, because) = (sighting.alert, sighting.because);
        About { alert, because, message: &event.message, env: event.env.as_ref() }
    }
}

impl<'a> From<&Gathered<'a>> for About<'a> {
    fn from(gathered: &Gathered<'a>) -> About<'a> {
        let Gathered { alert, because, message, env, .. } = *gathered;
        About { alert, because, message, env }
    }
}

impl Row for DigestRow {
    const TABLE: Table = Table::DigestRows;

    fn id(&self) -> &str {
        &self.id
    }
}

impl DigestRow {
    /// The id of a reader's row.
    pub(super) fn id_of(reader: &Destination, alert: &str) -> String {
        format!("{}/{alert}", reader.name())
    }

    /// An empty row for what is first seen now.
    pub(super) fn new(reader: &Destination, about: &About<'_>) -> DigestRow {
        let message = about.message;
        DigestRow {
            id: DigestRow::id_of(reader, about.alert),
            reader: reader.clone(),
            alert: about.alert.to_owned(),
            message: message.id,
            title: cut(&message.template),
            level: None,
            severity: Severity::Low,
            because: about.because.to_owned(),
            url: message.url.clone(),
            place: Some(message.place.clone()).filter(|place| !place.is_empty()),
            count: 0,
            late: 0,
            seen_ms: None,
            hosts: BTreeMap::new(),
            more_hosts: BTreeSet::new(),
            services: BTreeSet::new(),
            versions: BTreeSet::new(),
            env: about.env.cloned(),
            sample: None,
            days: BTreeMap::new(),
            earlier: 0,
            before: None,
            told_ms: None,
        }
    }

    /// A row of what was counted together, on the reader's `date`.
    pub(super) fn of(reader: &Destination, gathered: &Gathered<'_>, date: Date) -> DigestRow {
        let tally = gathered.tally;
        let mut row = DigestRow::new(reader, &About::from(gathered));
        (row.severity, row.level) = (gathered.severity, gathered.level);
        (row.count, row.late, row.seen_ms) = (tally.count, tally.late, tally.seen_ms);
        tally.hosts.iter().for_each(|(host, count)| row.add_host(host, *count));
        row.services.extend(tally.services.iter().take(MAX_NAMES).cloned());
        row.versions.extend(tally.versions.iter().take(MAX_NAMES).cloned());
        row.sample = Some(cut(gathered.sample).into());
        row.add_day(date, tally.count);
        row
    }

    /// The row that stands for all messages a reader has no room for.
    pub(super) fn overflow(reader: &Destination, about: &About<'_>) -> DigestRow {
        DigestRow {
            id: DigestRow::id_of(reader, OVERFLOW),
            alert: OVERFLOW.to_owned(),
            title: "further messages, too many to tell apart".to_owned(),
            url: None,
            place: None,
            ..DigestRow::new(reader, about)
        }
    }

    /// Counts one occurrence on the reader's `date`.
    pub(super) fn add(&mut self, sighting: &Sighting<'_>, date: Date) {
        let Stamped { event, at_ms, is_late } = sighting.seen;
        // The first of a period says how much it matters, the others may raise it.
        if self.count == 0 {
            (self.severity, self.level) = (sighting.severity, event.level);
        } else {
            self.severity = self.severity.max(sighting.severity);
            self.level = self.level.max(event.level);
        }
        self.count += 1;
        self.late += u64::from(is_late);
        self.seen_ms = Some(self.seen_ms.map_or((at_ms, at_ms), |(a, b)| (a.min(at_ms), b.max(at_ms))));
        if let Some(host) = &event.host {
            self.add_host(host, 1);
        }
        for (names, name) in [(&mut self.services, &event.service), (&mut self.versions, &event.version)] {
            if let Some(name) = name
                && names.len() < MAX_NAMES
                && !names.contains(name)
            {
                names.insert(name.clone());
            }
        }
        if self.sample.is_none() {
            self.sample = Some(cut(&event.text).into());
        }
        self.add_day(date, 1);
    }

    fn add_host(&mut self, host: &Arc<str>, count: u64) {
        if let Some(known) = self.hosts.get_mut(host) {
            *known += count;
        } else if self.hosts.len() < MAX_HOSTS {
            self.hosts.insert(host.clone(), count);
        } else if self.more_hosts.len() < MAX_MORE_HOSTS {
            let hash = blake3::hash(host.as_bytes());
            let mut first = [0; 8];
            first.copy_from_slice(&hash.as_bytes()[..8]);
            // JSON readers may hold numbers as floats: 53 bits are exact there.
            self.more_hosts.insert(u64::from_be_bytes(first) >> 11);
        }
    }

    fn add_day(&mut self, date: Date, count: u64) {
        *self.days.entry(date).or_default() += count;
        if self.days.len() > MAX_DAYS
            && let Some((_, oldest)) = self.days.pop_first()
        {
            self.earlier += oldest;
        }
    }

    /// Takes over what another reader was to be told of the same key.
    pub(super) fn merge(&mut self, other: DigestRow) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            (self.severity, self.level) = (other.severity, other.level);
        }
        self.severity = self.severity.max(other.severity);
        self.level = self.level.max(other.level);
        self.count += other.count;
        self.late += other.late;
        self.earlier += other.earlier;
        self.seen_ms = match (self.seen_ms, other.seen_ms) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (ours, theirs) => ours.or(theirs),
        };
        other.hosts.iter().for_each(|(host, count)| self.add_host(host, *count));
        let room = MAX_MORE_HOSTS.saturating_sub(self.more_hosts.len());
        self.more_hosts.extend(other.more_hosts.into_iter().take(room));
        for (names, more) in [(&mut self.services, other.services), (&mut self.versions, other.versions)] {
            let room = MAX_NAMES.saturating_sub(names.len());
            names.extend(more.into_iter().take(room));
        }
        self.sample = self.sample.take().or(other.sample);
        other.days.into_iter().for_each(|(date, count)| self.add_day(date, count));
    }

    /// Begins the next period: what was gathered has been told.
    pub(super) fn begin_anew(&mut self, now_ms: i64) {
        self.before = Some(self.count);
        if self.count > 0 {
            self.told_ms = Some(now_ms);
        }
        (self.count, self.late, self.earlier) = (0, 0, 0);
        (self.seen_ms, self.sample) = (None, None);
        self.hosts.clear();
        self.more_hosts.clear();
        self.services.clear();
        self.versions.clear();
        self.days.clear();
    }

    /// How the occurrences go: `new`, `back` after a digest without it, `up`, `down` or `same`.
    pub fn trend(&self) -> &'static str {
        match self.before {
            None => "new",
            Some(0) => "back",
            Some(before) if self.count > before => "up",
            Some(before) if self.count < before => "down",
            Some(_) => "same",
        }
    }

    /// What is told of it.
    pub(super) fn evidence(&self) -> Evidence {
        let mut hosts: Vec<(Arc<str>, u64)> =
            self.hosts.iter().map(|(host, count)| (host.clone(), *count)).collect();
        hosts.sort_by(|(a, n), (b, m)| m.cmp(n).then(a.cmp(b)));
        let more_hosts = hosts.len().saturating_sub(SHOWN_HOSTS) + self.more_hosts.len();
        hosts.truncate(SHOWN_HOSTS);
        Evidence {
            count: self.count,
            late: self.late,
            seen_ms: self.seen_ms,
            hosts,
            more_hosts: more_hosts as u64,
            services: self.services.iter().cloned().collect(),
            versions: self.versions.iter().cloned().collect(),
            env: self.env.clone(),
            messages: if self.alert == OVERFLOW { Vec::new() } else { vec![self.message] },
            sample: self.sample.clone(),
            place: self.place.clone(),
            ..Evidence::default()
        }
    }

    /// Whether it stands for messages there was no room for.
    pub(super) fn is_overflow(&self) -> bool {
        self.alert == OVERFLOW
    }
}

/// What the deduplication key of all messages without room is; no other key is spelled like it.
pub(super) const OVERFLOW: &str = "…";

fn cut(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}
