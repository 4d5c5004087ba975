//! A message in somebody's digest, while it is gathered.

use std::collections::BTreeMap;
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
use crate::calendar::Zone;
use crate::manager::Tally;
use crate::{Destination, Evidence, Message, MessageId, Severity};

/// Hosts that are told by name.
const SHOWN_HOSTS: usize = 5;

/// Dates that are counted one by one.
const MAX_DAYS: usize = 16;

/// Characters of a template or a sample that are kept.
const MAX_TEXT: usize = 500;

/// Occurrences of one deduplication key that were counted together, for one reader.
#[derive(Debug, Clone, Copy)]
pub struct Sighting<'a> {
    /// The deduplication key: message, level, environment and the fields a rule adds.
    pub alert: &'a str,
    /// What is known of the message.
    pub message: &'a Message,
    /// The level that is in the key.
    pub level: Option<Level>,
    /// The environment that is in the key.
    pub env: Option<&'a Arc<str>>,
    /// How much it matters.
    pub severity: Severity,
    /// Why this reader gets it: `wrote the line`.
    pub because: &'a str,
    /// One of the lines, as printed.
    pub sample: &'a str,
    /// How many, where, when.
    pub tally: &'a Tally,
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
    /// The level.
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
    pub tally: Tally,
    /// The environment.
    pub env: Option<Arc<str>>,
    /// The first line of them, as printed.
    pub sample: Option<Arc<str>>,
    /// Occurrences by the reader's dates; those that were counted together are on the date of the last.
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

    /// Whether nothing in it waits to be told.
    pub fn is_told(&self) -> bool {
        self.tally.count == 0
    }

    /// An empty row for what is first seen now.
    pub(super) fn new(reader: &Destination, about: &About<'_>) -> DigestRow {
        let message = about.message;
    pub(super) fn new(reader: &Destination, sighting: &Sighting<'_>) -> DigestRow {
        let message = sighting.message;
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
            level: sighting.level,
            severity: sighting.severity,
            because: sighting.because.to_owned(),
            url: message.url.clone(),
            place: Some(message.place.clone()).filter(|place| !place.is_empty()),
            env: sighting.env.cloned(),
            tally: Tally::default(),
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
            level: None,
            url: None,
            place: None,
            ..DigestRow::new(reader, about)
            env: None,
            ..DigestRow::new(reader, sighting)
        }
    }

    /// Counts what was seen by a reader of `zone`.
    pub(super) fn add(&mut self, sighting: &Sighting<'_>, zone: &Zone) {
        // The first of a period says how much it matters, the others may raise it.
        self.severity = if self.is_told() { sighting.severity } else { self.severity.max(sighting.severity) };
        self.tally.fold(sighting.tally);
        if self.sample.is_none() && !sighting.sample.is_empty() {
            self.sample = Some(cut(sighting.sample).into());
        }
        if let Some((_, last_ms)) = sighting.tally.seen_ms {
            self.add_day(zone.date(last_ms), sighting.tally.count);
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
        self.severity = if self.is_told() { other.severity } else { self.severity.max(other.severity) };
        self.tally.fold(&other.tally);
        self.earlier += other.earlier;
        self.sample = self.sample.take().or(other.sample);
        other.days.into_iter().for_each(|(date, count)| self.add_day(date, count));
    }

    /// Begins the next period: what was gathered has been told.
    pub(super) fn begin_anew(&mut self, now_ms: i64) {
        self.before = Some(self.tally.count);
        if !self.is_told() {
            self.told_ms = Some(now_ms);
        }
        self.tally = Tally::default();
        self.sample = None;
        self.earlier = 0;
        self.days.clear();
    }

    /// How the occurrences go: `new`, `back` after a digest without it, `up`, `down` or `same`.
    pub fn trend(&self) -> &'static str {
        match self.before {
            None => "new",
            Some(0) => "back",
            Some(before) if self.tally.count > before => "up",
            Some(before) if self.tally.count < before => "down",
            Some(_) => "same",
        }
    }

    /// What is told of it.
    pub(super) fn evidence(&self) -> Evidence {
        let mut evidence = self.tally.evidence();
        evidence.more_hosts += evidence.hosts.len().saturating_sub(SHOWN_HOSTS) as u64;
        evidence.hosts.truncate(SHOWN_HOSTS);
        Evidence {
            env: self.env.clone(),
            messages: if self.is_overflow() { Vec::new() } else { vec![self.message] },
            sample: self.sample.clone(),
            place: self.place.clone(),
            ..evidence
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
