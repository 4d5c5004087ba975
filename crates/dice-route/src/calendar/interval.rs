//! Recurring stretches of civil time, as Alertmanager's time intervals write them.

use std::fmt;
use std::str::FromStr;

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

use super::week::{DAY_MIN, minute, minute_of, run, time, weekday};
use super::zone::Zone;

/// How far ahead a change is looked for: leap days are at most eight years apart.
const HORIZON_DAYS: i64 = 50 * 366;

/// Times that recur: nights, weekends, the last day of a month.
///
/// An instant is in the interval when every list that is not empty has an element that holds for its local
/// time. An interval of five empty lists is all time.
///
/// Source: <https://prometheus.io/docs/alerting/latest/configuration/#time_interval>. Weekdays and months may
/// also run over the end of the week and the year.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TimeInterval {
    /// Times of day.
    pub times: Vec<Times>,
    /// Days of the week.
    pub weekdays: Vec<Weekdays>,
    /// Days of the month.
    pub days_of_month: Vec<MonthDays>,
    /// Months of the year.
    pub months: Vec<Months>,
    /// Years.
    pub years: Vec<Years>,
    /// Where the times are local.
    pub zone: Zone,
}

/// From one time of the day up to another, without it. Written `09:00-17:00`; the last end is `24:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    from_min: u16,
    to_min: u16,
}

/// Weekdays, both ends included. Written `monday:friday` or `saturday`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weekdays {
    first: Weekday,
    last: Weekday,
}

/// Days of the month, both ends included; -1 is the last day. Written `1:7`, `-3:-1` or `15`.
///
/// What a month does not have is cut off: `29:31` is nothing in a February of 28 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonthDays {
    first: i8,
    last: i8,
}

/// Months, both ends included. Written `november:january`, `1:3` or `december`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Months {
    first: i8,
    last: i8,
}

/// Years, both ends included. Written `2026:2028` or `2026`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Years {
    first: i16,
    last: i16,
}

/// Why a part of an interval cannot be read. It says what was wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntervalError {
    wanted: &'static str,
}

impl TimeInterval {
    /// All time, by the clock of `zone`.
    pub fn always(zone: Zone) -> TimeInterval {
        TimeInterval { zone, ..TimeInterval::default() }
    }

    /// Whether `at_ms` is in the interval.
    pub fn contains(&self, at_ms: i64) -> bool {
        let local = self.zone.local(at_ms);
        let minute = minute_of(local.time());
        self.has(local.date())
            && holds(&self.times, |times| times.from_min <= minute && minute < times.to_min)
    }

    /// The first instant after `at_ms` at which the interval begins or ends.
    ///
    /// `None` when it does neither within fifty years.
    pub fn next_change(&self, at_ms: i64) -> Option<i64> {
        let inside = self.contains(at_ms);
        let last = self.zone.date(at_ms).saturating_add(HORIZON_DAYS.days());
        let mut date = self.zone.date(at_ms);
        // Clocks turned back over midnight show the day before once more.
        let mut day = Some(date.saturating_sub(1.day()));
        while let Some(this) = day {
            date = this;
            if date > last {
                break;
            }
            // A day that is out as a whole cannot begin the interval, one that is in as a whole cannot end it.
            let dull = if self.has(date) { inside && self.times.is_empty() } else { !inside };
            if !dull && let Some(change_ms) = self.change_on(date, at_ms, inside) {
                return Some(change_ms);
            }
            day = date.tomorrow().ok();
        }
        None
    }

    /// The first change after `at_ms` among the instants of `date` at which there can be one.
    fn change_on(&self, date: Date, at_ms: i64, inside: bool) -> Option<i64> {
        let start_ms = self.zone.day_start(date);
        let end_ms = date.tomorrow().map_or(i64::MAX, |next| self.zone.day_start(next));
        let mut candidates = vec![start_ms];
        for edge in self.times.iter().flat_map(|times| [times.from_min, times.to_min]) {
            if edge < DAY_MIN {
                let (first_ms, second_ms) = self.zone.instants(date.to_datetime(time(edge)));
                candidates.extend([first_ms, second_ms]);
            }
        }
        candidates.extend(self.zone.changes(start_ms, end_ms));
        candidates.sort_unstable();
        candidates.into_iter().find(|change_ms| *change_ms > at_ms && self.contains(*change_ms) != inside)
    }

    /// Whether `date` is in the interval at some time.
    fn has(&self, date: Date) -> bool {
        let weekday = date.weekday();
        let (day, days) = (date.day(), date.days_in_month());
        holds(&self.years, |years| years.first <= date.year() && date.year() <= years.last)
            && holds(&self.months, |months| {
                if months.first <= months.last {
                    months.first <= date.month() && date.month() <= months.last
                } else {
                    months.first <= date.month() || date.month() <= months.last
                }
            })
            && holds(&self.days_of_month, |range| {
                let of = |day: i8| if day < 0 { days + 1 + day } else { day };
                of(range.first) <= day && day <= of(range.last)
            })
            && holds(&self.weekdays, |range| run(range.first, range.last).any(|day| day == weekday))
    }
}

fn holds<T>(list: &[T], holds: impl Fn(&T) -> bool) -> bool {
    list.is_empty() || list.iter().any(holds)
}

/// The ends of `first:last`, or of one element alone.
fn ends(text: &str) -> (&str, &str) {
    let (first, last) = text.split_once(':').unwrap_or((text, text));
    (first.trim(), last.trim())
}

impl FromStr for Times {
    type Err = IntervalError;

    fn from_str(text: &str) -> Result<Times, IntervalError> {
        let read = || {
            let (from, to) = text.split_once('-')?;
            let (from_min, to_min) = (minute(from.trim())?, minute(to.trim())?);
            (from_min < to_min).then_some(Times { from_min, to_min })
        };
        read().ok_or(IntervalError {
            wanted: "wanted times such as `09:00-17:00`; a night is two of them, `22:00-24:00` and `00:00-06:00`",
        })
    }
}

impl FromStr for Weekdays {
    type Err = IntervalError;

    fn from_str(text: &str) -> Result<Weekdays, IntervalError> {
        let (first, last) = ends(text);
        match (weekday(first), weekday(last)) {
            (Some(first), Some(last)) => Ok(Weekdays { first, last }),
            _ => Err(IntervalError { wanted: "wanted weekdays such as `monday:friday` or `saturday`" }),
        }
    }
}

impl FromStr for MonthDays {
    type Err = IntervalError;

    fn from_str(text: &str) -> Result<MonthDays, IntervalError> {
        let day = |text: &str| text.parse::<i8>().ok().filter(|day| *day != 0 && (-31..=31).contains(day));
        let (first, last) = ends(text);
        let in_order = |first: i8, last: i8| match (first < 0, last < 0) {
            (true, false) => false,
            (false, true) => first <= 32 + last,
            _ => first <= last,
        };
        match (day(first), day(last)) {
            (Some(first), Some(last)) if in_order(first, last) => Ok(MonthDays { first, last }),
            _ => Err(IntervalError {
                wanted: "wanted days of the month from 1 to 31 or, from its end, -31 to -1, such as `1:7` or `-3:-1`",
            }),
        }
    }
}

impl FromStr for Months {
    type Err = IntervalError;

    fn from_str(text: &str) -> Result<Months, IntervalError> {
        let (first, last) = ends(text);
        match (month(first), month(last)) {
            (Some(first), Some(last)) => Ok(Months { first, last }),
            _ => Err(IntervalError { wanted: "wanted months such as `january:march`, `11:1` or `december`" }),
        }
    }
}

impl FromStr for Years {
    type Err = IntervalError;

    fn from_str(text: &str) -> Result<Years, IntervalError> {
        let year = |text: &str| text.parse::<i16>().ok().filter(|year| (1970..=9999).contains(year));
        let (first, last) = ends(text);
        match (year(first), year(last)) {
            (Some(first), Some(last)) if first <= last => Ok(Years { first, last }),
            _ => Err(IntervalError { wanted: "wanted years such as `2026:2028` or `2026`" }),
        }
    }
}

/// A month by number or English name, of which three letters do.
fn month(text: &str) -> Option<i8> {
    const NAMES: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let text = text.to_ascii_lowercase();
    (1..=12)
        .zip(NAMES)
        .find(|(n, name)| text.len() >= 3 && name.starts_with(&text) || text.parse() == Ok(*n))
        .map(|(n, _)| n)
}

impl fmt::Display for IntervalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.wanted)
    }
}

impl std::error::Error for IntervalError {}

#[cfg(test)]
mod tests {
    use super::{MonthDays, Months, TimeInterval, Times, Weekdays, Years, Zone};

    /// `times=… weekdays=…`, each a list of elements between commas.
    fn interval(zone: &str, text: &str) -> TimeInterval {
        let mut interval = TimeInterval::always(Zone::named(zone).unwrap());
        for part in text.split_whitespace() {
            let (key, list) = part.split_once('=').unwrap();
            for element in list.split(',') {
                match key {
                    "times" => interval.times.push(element.parse().unwrap()),
                    "weekdays" => interval.weekdays.push(element.parse().unwrap()),
                    "days" => interval.days_of_month.push(element.parse().unwrap()),
                    "months" => interval.months.push(element.parse().unwrap()),
                    _ => interval.years.push(element.parse().unwrap()),
                }
            }
        }
        interval
    }

    /// Whether a local time is in the interval, and the local times of the changes after it.
    #[track_caller]
    fn check(zone: &str, text: &str, local: &str, expected: &str) {
        let interval = interval(zone, text);
        let mut at_ms = interval.zone.instant(local.parse().unwrap());
        let mut seen = if interval.contains(at_ms) { "in" } else { "out" }.to_owned();
        for _ in 0..2 {
            let Some(change_ms) = interval.next_change(at_ms) else {
                seen += " never";
                break;
            };
            assert_ne!(interval.contains(change_ms), interval.contains(change_ms - 1));
            assert_eq!(interval.contains(change_ms - 1), interval.contains(at_ms));
            seen = format!("{seen} {}", interval.zone.local(change_ms).strftime("%Y-%m-%dT%H:%M"));
            at_ms = change_ms;
        }
        assert_eq!(seen, expected);
    }

    #[test]
    fn intervals_hold_and_change() {
        let zone = "Europe/Berlin";
        check(zone, "", "2028-01-10T10:00", "in never");
        let office = "times=09:00-17:00 weekdays=monday:friday";
        check(zone, office, "2028-01-14T16:59", "in 2028-01-14T17:00 2028-01-17T09:00");
        check(zone, office, "2028-01-14T17:00", "out 2028-01-17T09:00 2028-01-17T17:00");
        check(zone, "weekdays=saturday:sunday", "2028-01-14T17:00", "out 2028-01-15T00:00 2028-01-17T00:00");
        check(zone, "weekdays=fri:mon", "2028-01-14T17:00", "in 2028-01-18T00:00 2028-01-21T00:00");
        let night = "times=22:00-24:00,00:00-06:00";
        check(zone, night, "2028-01-14T23:00", "in 2028-01-15T06:00 2028-01-15T22:00");
        check(zone, "days=-1", "2028-02-01T00:00", "out 2028-02-29T00:00 2028-03-01T00:00");
        check(zone, "days=29:31", "2027-02-01T00:00", "out 2027-03-29T00:00 2027-04-01T00:00");
        check(zone, "days=5:-5", "2027-02-24T12:00", "in 2027-02-25T00:00 2027-03-05T00:00");
        check(zone, "months=november:jan", "2028-02-01T00:00", "out 2028-11-01T00:00 2029-02-01T00:00");
        check(zone, "days=29 months=2", "2096-03-01T00:00", "out 2104-02-29T00:00 2104-03-01T00:00");
        check(zone, "years=2030:2031", "2028-03-01T00:00", "out 2030-01-01T00:00 2032-01-01T00:00");
        check(zone, "years=2026", "2028-03-01T00:00", "out never");
    }

    #[test]
    fn clocks_that_change_are_followed() {
        let zone = "Europe/Berlin";
        check(zone, "times=02:15-02:45", "2028-03-25T12:00", "out 2028-03-27T02:15 2028-03-27T02:45");
        // The hour comes twice, and so does what is in it.
        check(zone, "times=02:15-02:45", "2028-10-29T02:15", "in 2028-10-29T02:45 2028-10-29T02:15");
        check(zone, "times=02:30-03:00", "2028-10-29T02:30", "in 2028-10-29T02:00 2028-10-29T02:30");
        check("Pacific/Apia", "weekdays=friday", "2011-12-29T12:00", "out 2012-01-06T00:00 2012-01-07T00:00");
        let half = "times=01:45-02:10";
        check("Australia/Lord_Howe", half, "2028-04-02T01:45", "in 2028-04-02T01:30 2028-04-02T01:45");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert!("17:00-09:00".parse::<Times>().is_err() && "9-17".parse::<Times>().is_err());
        assert!("someday".parse::<Weekdays>().is_err() && "".parse::<Weekdays>().is_err());
        for text in ["0", "32", "-1:1", "5:1", "-1:-3", "a", "20:-20"] {
            assert!(text.parse::<MonthDays>().is_err(), "{text}");
        }
        assert!("13".parse::<Months>().is_err() && "ja".parse::<Months>().is_err());
        assert!("2030:2026".parse::<Years>().is_err());
        let interval = interval("UTC", "times=09:00-17:00");
        for at_ms in [i64::MIN, i64::MAX] {
            interval.contains(at_ms);
            interval.next_change(at_ms);
        }
    }
}
