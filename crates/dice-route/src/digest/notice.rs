//! What a digest says.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::edition::Edition;
use super::hold::moment;
use super::reader::Reader;
use super::row::DigestRow;
use crate::{Notice, NoticeRow, Severity};

/// What a digest says, and of how much.
pub(super) struct Content {
    pub(super) notice: Notice,
    /// Messages, shown or not.
    pub(super) messages: u64,
    /// Their occurrences.
    pub(super) occurrences: u64,
}

/// What `edition` says of `rows`; `hidden` gives a word for what is not shown, such as `snoozed`.
pub(super) fn content(
    edition: &Edition,
    reader: &Reader,
    rows: &[&DigestRow],
    hidden: impl Fn(&DigestRow) -> Option<String>,
    notes: Vec<String>,
    max_rows: usize,
) -> Content {
    let mut shown: Vec<&DigestRow> = Vec::new();
    // Messages and occurrences that are not shown, by the word for why.
    let mut unseen: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for row in rows {
        match hidden(row) {
            None => shown.push(row),
            Some(word) => {
                let (messages, occurrences) = unseen.entry(word).or_default();
                *messages += 1;
                *occurrences += row.tally.count;
            }
        }
    }
    // What there was no room for comes last: it is not one message.
    shown.sort_by(|a, b| {
        let rank = |row: &DigestRow| (!row.is_overflow(), row.severity, newness(row), row.tally.count);
        rank(b).cmp(&rank(a)).then_with(|| a.id.cmp(&b.id))
    });
    let total = |rows: &[&DigestRow]| rows.iter().map(|row| row.tally.count).sum::<u64>();
    let (told, rest) = shown.split_at(shown.len().min(max_rows));
    let days = rolled_days(rows, reader);
    let mut all_notes = Vec::new();
    if !rest.is_empty() {
        all_notes.push(format!("and {} more with {}", rest.len(), occurrences(total(rest))));
    }
    let unseen: Vec<String> = unseen
        .into_iter()
        .map(|(word, (n, count))| format!("{} {word} ({})", messages(n), occurrences(count)))
        .collect();
    if !unseen.is_empty() {
        all_notes.push(format!("not shown: {}", unseen.join(", ")));
    }
    let late: u64 = shown.iter().map(|row| row.tally.late).sum();
    if late > 0 {
        all_notes.push(format!("{late} late: their lines came when their time had passed"));
    }
    if days {
        all_notes.push("days off are in it: counts are given by day".to_owned());
    }
    all_notes.extend(notes);
    let date = edition.date.strftime("%A, %-d %B %Y");
    let title = if shown.is_empty() {
        format!("Digest for {date}: {}", unseen.join(", "))
    } else {
        format!("Digest for {date}: {}, {}", messages(shown.len() as u64), occurrences(total(&shown)))
    };
    let notice = Notice {
        title,
        because: "these messages are yours to look after".to_owned(),
        severity: shown.iter().map(|row| row.severity).max().unwrap_or(Severity::Low),
        rows: told.iter().map(|row| notice_row(row, days)).collect(),
        more_rows: rest.len() as u64,
        notes: all_notes,
        labels: vec![("digest".to_owned(), edition.id.clone())],
    };
    Content { notice, messages: rows.len() as u64, occurrences: total(rows) }
}

fn notice_row(row: &DigestRow, days: bool) -> NoticeRow {
    let by_day = row.days.iter().map(|(date, count)| (date.to_string(), *count));
    let earlier = (row.earlier > 0).then(|| ("earlier".to_owned(), row.earlier));
    NoticeRow {
        episode: None,
        message: (!row.is_overflow()).then(|| row.message.to_string()),
        alert: (!row.is_overflow()).then(|| row.alert.clone()),
        title: match row.level {
            Some(level) => format!("{level}: {}", row.title),
            None => row.title.clone(),
        },
        state: row.trend().to_owned(),
        severity: row.severity,
        evidence: row.evidence(),
        owner: Some(row.because.clone()).filter(|because| !because.is_empty()),
        url: row.url.as_deref().map(str::to_owned),
        before: row.before,
        days: if days { earlier.into_iter().chain(by_day).collect() } else { Vec::new() },
    }
}

/// What is new comes first, then what is back.
fn newness(row: &DigestRow) -> u8 {
    match row.before {
        None => 2,
        Some(0) => 1,
        Some(_) => 0,
    }
}

/// Whether more was gathered than a working day and the morning of the next.
fn rolled_days(rows: &[&DigestRow], reader: &Reader) -> bool {
    let dates: BTreeSet<Date> = rows.iter().flat_map(|row| row.days.keys().copied()).collect();
    dates.len() > 2 || dates.iter().any(|date| !reader.calendar.is_working(*date))
}

/// What is said of a digest that was held.
pub(super) fn held_note(edition: &Edition, reader: &Reader, why: &str) -> String {
    format!("due {}: {why}", moment(edition.at_ms, &reader.zone))
}

fn messages(n: u64) -> String {
    if n == 1 { "1 message".to_owned() } else { format!("{n} messages") }
}

fn occurrences(n: u64) -> String {
    if n == 1 { "1 occurrence".to_owned() } else { format!("{n} occurrences") }
}
