//! A message in somebody's digest, while it is gathered.

use std::collections::BTreeMap;
use std::sync::Arc;

use dice_catalog::Level;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::book::{Row, Table};
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
pub struct Gathered<'a> {
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
    pub(super) fn new(reader: &Destination, gathered: &Gathered<'_>) -> DigestRow {
        let message = gathered.message;
        DigestRow {
            id: DigestRow::id_of(reader, gathered.alert),
            reader: reader.clone(),
            alert: gathered.alert.to_owned(),
            message: message.id,
            title: cut(&message.template),
            level: gathered.level,
            severity: gathered.severity,
            because: gathered.because.to_owned(),
            url: message.url.clone(),
            place: Some(message.place.clone()).filter(|place| !place.is_empty()),
            env: gathered.env.cloned(),
            tally: Tally::default(),
            sample: None,
            days: BTreeMap::new(),
            earlier: 0,
            before: None,
            told_ms: None,
        }
    }

    /// The row that stands for all messages a reader has no room for.
    pub(super) fn overflow(reader: &Destination, gathered: &Gathered<'_>) -> DigestRow {
        DigestRow {
            id: DigestRow::id_of(reader, OVERFLOW),
            alert: OVERFLOW.to_owned(),
            title: "further messages, too many to tell apart".to_owned(),
            level: None,
            url: None,
            place: None,
            env: None,
            ..DigestRow::new(reader, gathered)
        }
    }

    /// Counts what was seen by a reader of `zone`.
    pub(super) fn add(&mut self, gathered: &Gathered<'_>, zone: &Zone) {
        // The first of a period says how much it matters, the others may raise it.
        self.severity = if self.is_told() { gathered.severity } else { self.severity.max(gathered.severity) };
        self.tally.fold(gathered.tally);
        if self.sample.is_none() && !gathered.sample.is_empty() {
            self.sample = Some(cut(gathered.sample).into());
        }
        if let Some((_, last_ms)) = gathered.tally.seen_ms {
            self.add_day(zone.date(last_ms), gathered.tally.count);
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
