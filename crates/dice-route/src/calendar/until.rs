//! How long a snooze lasts, as people say it: `2h`, `tomorrow`, `next-workday`, `monday 14:00`.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::{Span, Timestamp, ToSpan};

use super::week::{DAY_MIN, minute, time, weekday};
use super::{Calendar, Zone};

/// When a day begins for whoever names no time.
const MORNING: Time = Time::constant(9, 0, 0, 0);

/// Nothing lasts longer.
const MAX_DAYS: i64 = 3660;

/// Longer texts are not read.
const MAX_LEN: usize = 64;

/// Until when, as written; what instant that is depends on now, the zone and the calendar.
///
/// | written | means |
/// |---|---|
/// | `30m`, `2h`, `1h30m` | so much later, to the second |
/// | `1d`, `2w`, `1d12h` | the same time on the wall so many days later, and then so much later |
/// | `tomorrow`, `tomorrow 14:00` | the next date, at 09:00 or the time given |
/// | `next-workday` | the next working day |
/// | `monday`, `next monday 14:00` | the next Monday, never today; `next week` is Monday too |
/// | `17:00` | the next time the clock shows it |
/// | `2026-12-01`, `2026-12-01T09:00` | that date and time on the wall |
/// | `2026-12-01T09:00:00+01:00` | that instant |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// So many days, then so many seconds later.
    After {
        /// Days of the calendar.
        days: i32,
        /// Seconds of the clock.
        seconds: i64,
    },
    /// The next time the wall clock shows this.
    Time(Time),
    /// Today, at a time still to come.
    Today(Time),
    /// The next date.
    Tomorrow(Time),
    /// The next working day.
    NextWorkday(Time),
    /// The next such weekday after today.
    Weekday(Weekday, Time),
    /// A date and time on the wall.
    Local(DateTime),
    /// An instant, milliseconds since 1970.
    Instant(i64),
}

/// Why there is no such moment. It says what was wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UntilError {
    text: String,
}

impl Until {
    /// The instant that is meant at `now_ms` by somebody in `zone` who works by `calendar`.
    ///
    /// A time that clocks skip is the first instant after, one that comes twice the first still to come.
    ///
    /// # Errors
    ///
    /// When the moment is not after `now_ms`, is more than ten years away, or is the next working day of a
    /// calendar without one.
    pub fn resolve(self, now_ms: i64, zone: &Zone, calendar: &Calendar) -> Result<i64, UntilError> {
        let now = zone.local(now_ms);
        let today = now.date();
        let on = |date: Date, time: Time| still_to_come(date.to_datetime(time), now_ms, zone);
        let until_ms = match self {
            Until::After { days, seconds } => {
                let days_later = match days {
                    0 => now_ms,
                    _ => zone.instant(now.saturating_add(Span::new().days(days))),
                };
                days_later.saturating_add(seconds.saturating_mul(1000))
            }
            Until::Time(time) => {
                let today_ms = on(today, time);
                if today_ms > now_ms { today_ms } else { on(tomorrow(today, zone), time) }
            }
            Until::Today(time) => on(today, time),
            Until::Tomorrow(time) => on(tomorrow(today, zone), time),
            Until::NextWorkday(time) => match calendar.next_working_day(today, zone) {
                Some(date) => on(date, time),
                None => return Err(UntilError::new("wanted a calendar with a working day within two years")),
            },
            Until::Weekday(day, time) => {
                let days = today.series(1.day()).skip(1).take(21);
                let date = days.into_iter().find(|date| date.weekday() == day && zone.has(*date));
                on(date.unwrap_or(Date::MAX), time)
            }
            Until::Local(local) => still_to_come(local, now_ms, zone),
            Until::Instant(at_ms) => at_ms,
        };
        let minute = |at_ms: i64| zone.local(at_ms).strftime("%Y-%m-%d %H:%M").to_string();
        if until_ms <= now_ms {
            let (until, now) = (minute(until_ms), minute(now_ms));
            return Err(UntilError::new(format!("wanted a time after now, {now}; {until} has passed")));
        }
        if until_ms.saturating_sub(now_ms) > MAX_DAYS * 86_400_000 {
            return Err(UntilError::new(format!("wanted at most {MAX_DAYS} days")));
        }
        Ok(until_ms)
    }
}

/// The instant at which the clock shows `local`: the second one where it comes twice and the first is past.
fn still_to_come(local: DateTime, now_ms: i64, zone: &Zone) -> i64 {
    let (first_ms, last_ms) = zone.instants(local);
    if first_ms > now_ms { first_ms } else { last_ms }
}

fn tomorrow(today: Date, zone: &Zone) -> Date {
    zone.date_after(today).unwrap_or(Date::MAX)
}

impl FromStr for Until {
    type Err = UntilError;

    fn from_str(written: &str) -> Result<Until, UntilError> {
        let text = written.trim();
        let read = if text.len() > MAX_LEN { None } else { moment(text).or_else(|| words(text)) };
        read.ok_or_else(|| {
            let shown: String = text.chars().take(MAX_LEN).flat_map(char::escape_debug).collect();
            UntilError::new(format!(
                "`{shown}` is no time: wanted 30m, 2h, 1d, tomorrow, next-workday, monday, 17:00, 2026-12-01, \
                 2026-12-01T09:00 or a time by RFC 3339"
            ))
        })
    }
}

/// A date, a date and time, an instant, or a length of time.
fn moment(text: &str) -> Option<Until> {
    if text.starts_with(|first: char| first.is_ascii_digit()) && !text.contains('[') {
        if let Ok(at) = text.parse::<Timestamp>() {
            return Some(Until::Instant(at.as_millisecond()));
        }
        let is_date = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        if is_date && let Ok(date) = text.parse::<Date>() {
            return Some(Until::Local(date.to_datetime(MORNING)));
        }
        if text.len() >= 16
            && text.contains(':')
            && let Ok(local) = text.parse::<DateTime>()
        {
            return Some(Until::Local(local));
        }
    }
    length(text)
}

/// `30m`, `1h30m`, `2 days`.
fn length(text: &str) -> Option<Until> {
    let text = text.strip_prefix("in ").unwrap_or(text).to_ascii_lowercase();
    let (mut days, mut seconds) = (0_i64, 0_i64);
    let mut rest = text.trim_start_matches('+').trim_start();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let n: i64 = rest[..end].parse().ok().filter(|n| *n <= 1_000_000_000)?;
        rest = rest[end..].trim_start();
        let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        match &rest[..end] {
            "s" | "sec" | "second" | "seconds" => seconds += n,
            "m" | "min" | "minute" | "minutes" => seconds += n * 60,
            "h" | "hour" | "hours" => seconds += n * 3600,
            "d" | "day" | "days" => days += n,
            "w" | "week" | "weeks" => days += n * 7,
            _ => return None,
        }
        rest = rest[end..].trim_start();
    }
    // Past the bound only how far past is lost.
    let days = i32::try_from(days.min(2 * MAX_DAYS)).unwrap_or(i32::MAX);
    Some(Until::After { days, seconds: seconds.min(2 * MAX_DAYS * 86_400) })
}

/// `next monday at 14:00` and its like.
fn words(text: &str) -> Option<Until> {
    let text = text.to_ascii_lowercase();
    let mut words: Vec<&str> = text.split([' ', '-', '_']).filter(|word| !word.is_empty()).collect();
    let time = match words.last().and_then(|last| minute(last)) {
        Some(minute) if minute < DAY_MIN => {
            words.pop();
            words.pop_if(|word| *word == "at");
            Some(time(minute))
        }
        _ => None,
    };
    let at = time.unwrap_or(MORNING);
    let (next, rest) = match words.as_slice() {
        ["next", rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    match rest {
        [] if !next => time.map(Until::Time),
        ["today"] if !next => time.map(Until::Today),
        ["tomorrow"] if !next => Some(Until::Tomorrow(at)),
        ["week"] if next => Some(Until::Weekday(Weekday::Monday, at)),
        ["workday"] | ["working" | "work" | "business", "day"] => Some(Until::NextWorkday(at)),
        [day] => weekday(day).map(|day| Until::Weekday(day, at)),
        _ => None,
    }
}

impl UntilError {
    fn new(text: impl Into<String>) -> UntilError {
        UntilError { text: text.into() }
    }
}

impl fmt::Display for UntilError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for UntilError {}

#[cfg(test)]
mod tests {
    use super::{Calendar, Until, Zone};

    /// Said at a local time in a zone → the local time meant, or what was wanted.
    #[track_caller]
    fn check_in(zone: &str, now: &str, written: &str, meant: &str) {
        let zone = Zone::named(zone).unwrap();
        let now_ms = zone.instant(now.parse().unwrap());
        let until =
            written.parse().and_then(|until: Until| until.resolve(now_ms, &zone, &Calendar::default()));
        match until {
            Ok(until_ms) => assert_eq!(zone.local(until_ms).to_string(), meant, "{written}"),
            Err(error) => assert_eq!(error.to_string(), meant, "{written}"),
        }
    }

    /// On Friday 2028-03-24 at 16:20 in Berlin; clocks go forward on Sunday.
    #[track_caller]
    fn check(written: &str, meant: &str) {
        check_in("Europe/Berlin", "2028-03-24T16:20", written, meant);
    }

    #[test]
    fn lengths() {
        check("30m", "2028-03-24T16:50:00");
        check(" 1h ", "2028-03-24T17:20:00");
        check("1h 30 min", "2028-03-24T17:50:00");
        check("in 2 days", "2028-03-26T16:20:00");
        check("48h", "2028-03-26T17:20:00");
        check("1w", "2028-03-31T16:20:00");
        check("1d12h", "2028-03-26T05:20:00");
    }

    #[test]
    fn days() {
        check("tomorrow", "2028-03-25T09:00:00");
        check("Tomorrow at 14:30", "2028-03-25T14:30:00");
        check("next-workday", "2028-03-27T09:00:00");
        check("next working day 08:00", "2028-03-27T08:00:00");
        check("monday", "2028-03-27T09:00:00");
        check("next Monday", "2028-03-27T09:00:00");
        check("fri", "2028-03-31T09:00:00");
        check("next week", "2028-03-27T09:00:00");
        check("17:00", "2028-03-24T17:00:00");
        check("9:00", "2028-03-25T09:00:00");
        check("today 17:00", "2028-03-24T17:00:00");
    }

    #[test]
    fn moments() {
        check("2028-04-01", "2028-04-01T09:00:00");
        check("2028-04-01T10:30", "2028-04-01T10:30:00");
        check("2028-04-01 10:30", "2028-04-01T10:30:00");
        check("2028-04-01T10:30:00Z", "2028-04-01T12:30:00");
        check("2028-03-24T12:00:00-07:00", "2028-03-24T20:00:00");
    }

    #[test]
    fn clocks_that_change() {
        check("2028-03-26T02:30", "2028-03-26T03:00:00");
        // The night they are turned back: half past two is still to come, once more.
        let zone = Zone::named("Europe/Berlin").unwrap();
        let second = zone.instant("2028-10-29T02:00".parse().unwrap()) + 50 * 60_000;
        let until: Until = "02:30".parse().unwrap();
        let until_ms = until.resolve(second, &zone, &Calendar::default()).unwrap();
        assert_eq!(until_ms - second, 40 * 60_000);
        check_in("Pacific/Apia", "2011-12-29T12:00", "tomorrow", "2011-12-31T09:00:00");
        check_in("Pacific/Apia", "2011-12-29T12:00", "friday", "2012-01-06T09:00:00");
        check_in("Asia/Kathmandu", "2028-02-28T12:00", "tomorrow", "2028-02-29T09:00:00");
    }

    #[test]
    fn what_is_not_meant_is_said() {
        check("today 9:00", "wanted a time after now, 2028-03-24 16:20; 2028-03-24 09:00 has passed");
        check("2028-03-24", "wanted a time after now, 2028-03-24 16:20; 2028-03-24 09:00 has passed");
        check("0m", "wanted a time after now, 2028-03-24 16:20; 2028-03-24 16:20 has passed");
        check("11y", &wanted("11y"));
        check("100000d", "wanted at most 3660 days");
        for text in ["", "next", "h", "5", "soon\n", "2028-13-01", "25:00", "2028-03-26T10:00[Asia/Tokyo]"] {
            check(text, &wanted(text.trim()));
        }
        assert!("9".repeat(500).parse::<Until>().is_err());
    }

    fn wanted(text: &str) -> String {
        format!(
            "`{text}` is no time: wanted 30m, 2h, 1d, tomorrow, next-workday, monday, 17:00, 2026-12-01, \
             2026-12-01T09:00 or a time by RFC 3339"
        )
    }
}
