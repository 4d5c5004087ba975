//! The events of an iCalendar file, as far as holidays need them.

use std::collections::BTreeSet;

use jiff::Unit;
use jiff::civil::{Date, DateTime, Time};

use super::Problems;
use super::recurrence::Recurrence;

/// A longer run of days is not a holiday.
const MAX_DAYS: i64 = 366;

/// Characters of a name that are kept.
const MAX_NAME: usize = 120;

/// One event.
#[derive(Debug)]
pub(super) struct Event {
    /// The line on which it begins, from 1.
    pub(super) line: usize,
    pub(super) uid: String,
    /// The summary, on one line; empty where there is none.
    pub(super) name: String,
    /// The first date.
    pub(super) first: Date,
    /// How many days it covers, at least one.
    pub(super) days: usize,
    pub(super) recurrence: Option<Recurrence>,
    /// Further first dates.
    pub(super) more: Vec<Date>,
    /// First dates on which it does not happen.
    pub(super) except: BTreeSet<Date>,
    /// The first date of a recurring event whose place this one takes.
    pub(super) moved_from: Option<Date>,
    pub(super) is_cancelled: bool,
}

/// An event that is being read.
#[derive(Default)]
struct Draft {
    line: usize,
    uid: String,
    name: String,
    start: Option<(usize, Moment)>,
    end: Option<Moment>,
    days: Option<i64>,
    recurrence: Option<Recurrence>,
    more: Vec<Date>,
    except: BTreeSet<Date>,
    moved_from: Option<Date>,
    is_cancelled: bool,
    is_refused: bool,
}

/// A date, or a date and a time, as written.
#[derive(Clone, Copy)]
enum Moment {
    Date(Date),
    DateTime(DateTime),
}

/// Reads all events of a file.
pub(super) fn read(text: &str, problems: &mut Problems) -> Vec<Event> {
    let mut events = Vec::new();
    let mut draft: Option<Draft> = None;
    // Components inside of an event, such as alarms, that have not ended.
    let mut inner = 0_usize;
    let mut any = false;
    for (line, content) in unfolded(text) {
        let Some((name, value)) = property(&content) else { continue };
        let component = value.trim();
        match (name.as_str(), &mut draft) {
            ("BEGIN", None) if component.eq_ignore_ascii_case("VEVENT") => {
                any = true;
                draft = Some(Draft { line, ..Draft::default() });
                inner = 0;
            }
            ("BEGIN", None) => any |= component.eq_ignore_ascii_case("VCALENDAR"),
            ("BEGIN", Some(_)) => inner += 1,
            ("END", Some(_)) if inner > 0 => inner -= 1,
            ("END", Some(_)) => events.extend(draft.take().and_then(|draft| draft.done(problems))),
            (_, Some(draft)) if inner == 0 => draft.take(line, &name, value, problems),
            _ => {}
        }
    }
    if let Some(draft) = draft {
        problems.add(draft.line, "an event without END:VEVENT");
        events.extend(draft.done(problems));
    }
    if !any {
        problems.add(1, "no calendar: wanted BEGIN:VCALENDAR");
    }
    events
}

impl Draft {
    fn take(&mut self, line: usize, name: &str, value: &str, problems: &mut Problems) {
        let mut read = |text: &str| match moment(text) {
            Some(moment) => Some(moment),
            None => {
                problems.add(line, format!("`{}` is no date such as 20261225", shown(text)));
                None
            }
        };
        match name {
            "DTSTART" => match read(value) {
                Some(start) => self.start = Some((line, start)),
                None => self.is_refused = true,
            },
            "DTEND" => self.end = read(value),
            "RECURRENCE-ID" => self.moved_from = read(value).map(Moment::day),
            "RDATE" => self.more.extend(value.split(',').filter_map(read).map(Moment::day)),
            "EXDATE" => self.except.extend(value.split(',').filter_map(read).map(Moment::day)),
            "SUMMARY" => self.name = plain(value),
            "UID" => self.uid = value.to_owned(),
            "STATUS" => self.is_cancelled = value.trim().eq_ignore_ascii_case("CANCELLED"),
            "DURATION" => match duration_days(value) {
                Some(days) => self.days = Some(days),
                None => problems.add(line, format!("`{}` is no length such as P1D", shown(value))),
            },
            "RRULE" => match Recurrence::read(value) {
                Ok(recurrence) => self.recurrence = Some(recurrence),
                Err(part) => problems.add(
                    line,
                    format!(
                        "{} is not known: wanted FREQ=YEARLY with INTERVAL, COUNT, UNTIL, BYMONTH, BYMONTHDAY or \
                         BYDAY; only the first date counts",
                        shown(&part)
                    ),
                ),
            },
            "EXRULE" => problems.add(line, "EXRULE is not known: wanted EXDATE"),
            _ => {}
        }
    }

    fn done(self, problems: &mut Problems) -> Option<Event> {
        if self.is_refused {
            return None;
        }
        let Some((line, start)) = self.start else {
            problems.add(self.line, "an event without DTSTART");
            return None;
        };
        let days = match (start, self.end, self.days) {
            (Moment::Date(first), Some(end), _) => days_between(first, end.date()).max(1),
            (Moment::DateTime(start), Some(end), _) => filled_days(start, end.date_time()),
            (_, None, Some(days)) => days,
            (Moment::Date(_), None, None) => 1,
            (Moment::DateTime(start), None, None) => i64::from(start.time() == Time::midnight()),
        };
        if !(1..=MAX_DAYS).contains(&days) {
            let size = if days < 1 { "less than a day" } else { "more than 366 days" };
            problems.add(line, format!("an event of {size} is no holiday"));
            return None;
        }
        Some(Event {
            line: self.line,
            uid: self.uid,
            name: self.name,
            first: start.day(),
            days: usize::try_from(days).unwrap_or(1),
            recurrence: self.recurrence,
            more: self.more,
            except: self.except,
            moved_from: self.moved_from,
            is_cancelled: self.is_cancelled,
        })
    }
}

impl Moment {
    /// The date as written.
    fn date(self) -> Date {
        match self {
            Moment::Date(date) => date,
            Moment::DateTime(local) => local.date(),
        }
    }

    fn date_time(self) -> DateTime {
        match self {
            Moment::Date(date) => date.to_datetime(Time::midnight()),
            Moment::DateTime(local) => local,
        }
    }

    /// The date that is meant.
    ///
    /// Whole days are often written in universal time: midnight in Berlin is 23:00 of the day before, midnight
    /// in New York 05:00. The nearest midnight is right for both and changes nothing for local times.
    fn day(self) -> Date {
        match self {
            Moment::DateTime(local) if local.hour() >= 12 => {
                local.date().saturating_add(jiff::Span::new().days(1))
            }
            _ => self.date(),
        }
    }
}

/// How many days there are from `first` to `end`.
fn days_between(first: Date, end: Date) -> i64 {
    first.until((Unit::Day, end)).map_or(0, |span| i64::from(span.get_days()))
}

/// How many days the time from `start` to `end` fills; a day on which clocks change has 23 hours.
fn filled_days(start: DateTime, end: DateTime) -> i64 {
    let hours = end.duration_since(start).as_hours();
    if hours == 0 && start == end && start.time() == Time::midnight() { 1 } else { (hours + 4) / 24 }
}

/// `P1D`, `P2W`, `PT24H`: whole days.
fn duration_days(text: &str) -> Option<i64> {
    let text = text.trim().to_ascii_uppercase();
    let mut rest = text.trim_start_matches('+').strip_prefix('P')?;
    let mut hours = 0_i64;
    while !rest.is_empty() {
        rest = rest.strip_prefix('T').unwrap_or(rest);
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let n: i64 = rest[..end].parse().ok().filter(|n| *n < 1_000_000)?;
        hours += match rest.as_bytes().get(end)? {
            b'W' => n * 168,
            b'D' => n * 24,
            b'H' => n,
            b'M' | b'S' => 0,
            _ => return None,
        };
        rest = &rest[end + 1..];
    }
    Some((hours + 4) / 24)
}

/// `20261225`, `20261225T090000`, `20261225T090000Z`; of a period, its start.
fn moment(text: &str) -> Option<Moment> {
    let text = text.trim();
    let text = text.split_once('/').map_or(text, |(start, _)| start);
    let (day, time) = match text.split_once(['T', 't']) {
        Some((day, time)) => (day, Some(time.trim_end_matches(['Z', 'z']))),
        None => (text, None),
    };
    let digits = |text: &str, len: usize| {
        (text.len() == len && text.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| text.parse::<u32>())
            .transpose()
    };
    let small = |n: u32| i8::try_from(n % 100).ok();
    let day = digits(day, 8).ok()??;
    let date = Date::new(i16::try_from(day / 10_000).ok()?, small(day / 100)?, small(day)?).ok()?;
    let Some(time) = time else { return Some(Moment::Date(date)) };
    let time = digits(time, 6).ok()??;
    // A leap second is the second before.
    let second = small(time)?.min(59);
    let time = Time::new(small(time / 10_000)?, small(time / 100)?, second, 0).ok()?;
    Some(Moment::DateTime(date.to_datetime(time)))
}

/// The date of an `UNTIL`.
pub(super) fn last_date(text: &str) -> Option<Date> {
    moment(text).map(Moment::date)
}

/// Content lines with the number of the line on which each begins; a line that starts with a blank continues
/// the one before.
fn unfolded(text: &str) -> impl Iterator<Item = (usize, String)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines().map(|line| line.trim_end_matches('\r')).enumerate().peekable();
    std::iter::from_fn(move || {
        let (number, line) = lines.next()?;
        let mut content = line.to_owned();
        while let Some((_, more)) = lines.next_if(|(_, line)| line.starts_with([' ', '\t'])) {
            content.push_str(&more[1..]);
        }
        Some((number + 1, content))
    })
}

/// The name in upper case and the value of `NAME;PARAMETERS:VALUE`. A quoted parameter may hold a colon.
fn property(content: &str) -> Option<(String, &str)> {
    let mut quoted = false;
    let colon = content.bytes().position(|byte| {
        quoted ^= byte == b'"';
        byte == b':' && !quoted
    })?;
    let name = content[..colon].split(';').next()?;
    Some((name.trim().to_ascii_uppercase(), &content[colon + 1..]))
}

/// Text without escapes, on one line, of bounded length.
fn plain(text: &str) -> String {
    let text = text.replace("\\n", " ").replace("\\N", " ").replace('\\', "");
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_NAME).collect()
}

/// What was found, for a problem.
fn shown(text: &str) -> String {
    text.trim().chars().take(40).flat_map(char::escape_debug).collect()
}
