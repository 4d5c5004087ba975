//! Times as logs write them.
//!
//! One scanner knows every shape, so that a format's row only says where its time stands.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A time as it was written: what it did not say is missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Written {
    year: Option<i16>,
    /// Month and day; `None` for a bare time of day.
    date: Option<(u8, u8)>,
    hour: u8,
    minute: u8,
    second: u8,
    nanos: u32,
    /// Seconds east of Greenwich.
    offset: Option<i32>,
}

impl Written {
    /// Whether it is more than a time of day.
    pub(super) fn has_date(&self) -> bool {
        self.date.is_some()
    }
}

/// Turns written times into moments, given what the source's lines do not say.
#[derive(Debug)]
pub(super) struct Clock {
    zone: TimeZone,
    year: Option<i16>,
    near: Timestamp,
    /// The year of the day after `near`, in the zone: no line is later.
    last_year: i16,
    /// The zone's offset in the quarter of an hour that was asked for last.
    quarter: (i64, i32),
}

impl Clock {
    pub(super) fn new(zone: TimeZone, year: Option<i16>, near: Timestamp) -> Clock {
        let last_year = zone.to_datetime(day_after(near)).year();
        Clock { zone, year, near, last_year, quarter: (i64::MIN, 0) }
    }

    /// Says that lines may now be as late as `near`.
    pub(super) fn move_to(&mut self, near: Timestamp) {
        if near > self.near {
            self.near = near;
            self.last_year = self.zone.to_datetime(day_after(near)).year();
        }
    }

    /// The moment that was written; `None` for dates that do not exist and for times without a date.
    pub(super) fn moment(&mut self, written: &Written) -> Option<Timestamp> {
        if let Some(year) = written.year.or(self.year) {
            return self.in_year(written, year);
        }
        // The latest year that does not put the line more than a day into the future.
        let latest = day_after(self.near);
        // Eight years hold a leap day, except around a century.
        for year in (self.last_year - 8..=self.last_year).rev() {
            if let Some(moment) = self.in_year(written, year)
                && moment <= latest
            {
                // A source that goes on writing takes the present with it.
                self.move_to(moment);
                return Some(moment);
            }
            // Only a leap day may need more than two years.
            if written.date != Some((2, 29)) && year < self.last_year {
                return None;
            }
        }
        None
    }

    fn in_year(&mut self, written: &Written, year: i16) -> Option<Timestamp> {
        let (month, day) = written.date?;
        let days = days_since_epoch(year, month, day)?;
        let local = days * 86_400
            + i64::from(written.hour) * 3600
            + i64::from(written.minute) * 60
            + i64::from(written.second);
        let offset = match written.offset {
            Some(offset) => offset,
            None => self.offset_at(local)?,
        };
        Timestamp::new(local - i64::from(offset), i32::try_from(written.nanos).ok()?).ok()
    }

    /// The zone's offset at a local time, in seconds since a local 1970.
    fn offset_at(&mut self, local: i64) -> Option<i32> {
        // No zone has ever changed within a quarter of an hour by the clock on the wall.
        let quarter = local.div_euclid(900);
        if self.quarter.0 != quarter {
            let wall: DateTime = TimeZone::UTC.to_datetime(Timestamp::from_second(quarter * 900).ok()?);
            let there = self.zone.to_ambiguous_timestamp(wall).compatible().ok()?;
            let shift = quarter * 900 - there.as_second();
            // In a gap the wall shows no such time: the offset before the gap is meant.
            self.quarter = (quarter, i32::try_from(shift).ok()?);
        }
        Some(self.quarter.1)
    }
}

fn day_after(moment: Timestamp) -> Timestamp {
    moment.saturating_add(jiff::SignedDuration::from_hours(24)).unwrap_or(moment)
}

/// Days from 1970-01-01 to a date of the Gregorian calendar; `None` when there is no such date.
fn days_since_epoch(year: i16, month: u8, day: u8) -> Option<i64> {
    let year = i64::from(year);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    if day == 0 || day > length {
        return None;
    }
    // Years that begin in March end with the leap day.
    let (year, month) =
        if month > 2 { (year, i64::from(month) - 3) } else { (year - 1, i64::from(month) + 9) };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * month + 2) / 5 + i64::from(day) - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// Reads a number since 1970 whose unit its size tells: seconds, milliseconds, microseconds, nanoseconds.
pub(super) fn since_epoch(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?;
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    if whole.is_empty() || whole.len() > 19 || !text.bytes().all(|b| b.is_ascii_digit() || b".,".contains(&b))
    {
        // `1.795e9` is how some writers put a floating point number.
        let seconds = text.parse::<f64>().ok().filter(|s| s.is_finite() && *s > 1e8 && *s < 1e11)?;
        return Timestamp::from_microsecond((seconds * 1e6) as i64).ok();
    }
    let whole: i64 = whole.parse().ok()?;
    // Seconds have ten digits until the year 2286, and each unit adds three.
    let (unit, per_second) = match whole {
        100_000_000..=99_999_999_999 => (1_000_000_000, 1),
        100_000_000_000..=99_999_999_999_999 => (1_000_000, 1_000),
        100_000_000_000_000..=99_999_999_999_999_999 => (1_000, 1_000_000),
        100_000_000_000_000_000.. => (1, 1_000_000_000),
        _ => return None,
    };
    let mut nanos = (whole % per_second) * unit;
    if unit > 1 && !fraction.is_empty() {
        nanos += i64::from(billionths(fraction.as_bytes())?) / (1_000_000_000 / unit);
    }
    Timestamp::new(whole / per_second, i32::try_from(nanos).ok()?).ok()
}

/// Finds a time at the start of `text`: what it says, and how many bytes it takes.
///
/// Knows the shapes `2026-11-20T15:53:32.997Z`, `2026-11-20 15:53:32,997 +0100`, `2026/11/20 15:53:32`,
/// `20261120 15:53:32`, `261120 15:53:32`, `20 Nov 2026 15:53:32.997`, `20/Nov/2026:15:53:32 +0000`, `Nov 20 15:53:32`,
/// `Nov 20, 2026 3:53:32 PM`, `Fri Nov 20 15:53:32.997 2026`, `Fri, 20 Nov 2026 15:53:32 GMT`,
/// `Fri 2026-11-20 15:53:32 UTC`, `11-20 15:53:32.997`, `20.11.2026 15:53:32`, `15:53:32.997`.
pub(super) fn scan(text: &[u8]) -> Option<(usize, Written)> {
    let mut scan = Scan { text, at: 0, written: Written::default() };
    let is_found = match text.first()? {
        b'0'..=b'9' => scan.digits_first(),
        b'A'..=b'Z' => scan.letters_first(),
        _ => false,
    };
    let Scan { at, written, .. } = scan;
    // A time that runs on into a word is none.
    let is_whole = !text.get(at).is_some_and(|b| b.is_ascii_alphanumeric());
    (is_found && is_whole && written.hour < 24).then_some((at, written))
}

/// Reads `MMDD hh:mm:ss.ffffff` or `YYYYMMDD hh:mm:ss.ffffff`.
pub(super) fn scan_glog(text: &[u8]) -> Option<Written> {
    let mut scan = Scan { text, at: 0, written: Written::default() };
    let n_digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    if n_digits == 8 {
        scan.written.year = Some(scan.year()?);
    }
    scan.written.date = Some((scan.two()?, scan.two()?));
    (scan.eat(b' ') && scan.time_of_day()).then_some(scan.written)
}

/// A place in a text that is read from left to right.
struct Scan<'t> {
    text: &'t [u8],
    at: usize,
    written: Written,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn eat_any(&mut self, bytes: &[u8]) -> bool {
        let is_there = self.peek().is_some_and(|b| bytes.contains(&b));
        self.at += usize::from(is_there);
        is_there
    }

    fn spaces(&mut self) -> bool {
        let from = self.at;
        while self.eat(b' ') {}
        self.at > from
    }

    fn two(&mut self) -> Option<u8> {
        let pair = self.text.get(self.at..self.at + 2)?;
        let value = digit(pair[0])? * 10 + digit(pair[1])?;
        self.at += 2;
        Some(value)
    }

    /// A day or an hour: two digits, or one, or a space and one.
    fn one_or_two(&mut self) -> Option<u8> {
        if let Some(value) = self.two() {
            return Some(value);
        }
        self.eat(b' ');
        let value = digit(self.peek()?)?;
        self.at += 1;
        Some(value)
    }

    fn year(&mut self) -> Option<i16> {
        let at = self.at;
        let year = self.two().zip(self.two()).map(|(high, low)| i16::from(high) * 100 + i16::from(low));
        match year {
            Some(year) if (1900..=2400).contains(&year) => Some(year),
            _ => {
                self.at = at;
                None
            }
        }
    }

    fn month_name(&mut self) -> Option<u8> {
        let name = self.text.get(self.at..self.at + 3)?;
        const NAMES: [&[u8; 3]; 12] =
            [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
        let month = NAMES.iter().position(|known| known[..] == *name)?;
        self.at += 3;
        Some(month as u8 + 1)
    }

    /// `15:53`, `15:53:32`, `3:53:32 PM`, with a fraction after a dot or a comma, and with the zone.
    fn time_of_day(&mut self) -> bool {
        let Some(hour) = self.one_or_two() else { return false };
        if !self.eat(b':') {
            return false;
        }
        let Some(minute) = self.two() else { return false };
        self.written.hour = hour;
        self.written.minute = minute;
        let has_seconds = self.eat(b':');
        if has_seconds {
            let Some(second) = self.two() else { return false };
            // A leap second, and no more than one.
            self.written.second = second.min(59);
            if second > 60 || minute > 59 {
                return false;
            }
            self.fraction();
        }
        let after = self.text.get(self.at..).unwrap_or_default();
        let after = after.strip_prefix(b" ").unwrap_or(after);
        let is_afternoon = after.starts_with(b"PM");
        if is_afternoon || after.starts_with(b"AM") {
            self.at = self.text.len() - after.len() + 2;
            self.written.hour = hour % 12 + if is_afternoon { 12 } else { 0 };
        } else if !has_seconds {
            return false;
        }
        minute < 60 && hour < 24
    }

    fn fraction(&mut self) {
        let at = self.at;
        // A colon before a fraction is how a few loggers of old separate milliseconds.
        if self.eat_any(b".,:") {
            let digits = self.text[self.at..].iter().take_while(|b| b.is_ascii_digit()).count();
            let is_colon = self.text[at] == b':';
            if digits == 0 || digits > 12 || (is_colon && digits != 3) {
                self.at = at;
                return;
            }
            let fraction = &self.text[self.at..self.at + digits.min(9)];
            self.written.nanos = billionths(fraction).unwrap_or(0);
            self.at += digits;
        }
    }

    /// `Z`, `+01:00`, ` +0100`, ` UTC`, ` CET`.
    fn offset(&mut self) {
        let at = self.at;
        if self.eat(b'Z') {
            self.written.offset = Some(0);
            return;
        }
        self.eat(b' ');
        match self.peek() {
            Some(sign @ (b'+' | b'-')) => {
                self.at += 1;
                let hours = self.two();
                self.eat(b':');
                let minutes = self.two();
                let is_whole = !self.peek().is_some_and(|b| b.is_ascii_alphanumeric());
                if let (Some(hours @ 0..=25), true) = (hours, is_whole && minutes.is_none_or(|m| m < 60)) {
                    // `+01` alone is what some databases write.
                    let seconds = i32::from(hours) * 3600 + i32::from(minutes.unwrap_or(0)) * 60;
                    self.written.offset = Some(if sign == b'-' { -seconds } else { seconds });
                    return;
                }
            }
            Some(b'A'..=b'Z') => {
                let rest = &self.text[self.at..];
                let length = rest.iter().take_while(|b| b.is_ascii_uppercase()).count();
                let is_whole = !rest.get(length).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
                if is_whole && let Some(seconds) = abbreviated(&rest[..length]) {
                    self.at += length;
                    self.written.offset = seconds;
                    return;
                }
            }
            _ => {}
        }
        self.at = at;
    }

    fn digits_first(&mut self) -> bool {
        let digits = self.text.iter().take(9).take_while(|b| b.is_ascii_digit()).count();
        match (digits, self.text.get(digits)) {
            (4, Some(separator @ (b'-' | b'/' | b'.'))) => self.year_first(*separator),
            (6, Some(b' ')) => self.six_digits(),
            (8, Some(b'T' | b' ' | b'-')) => self.packed(),
            (1 | 2, Some(b' ' | b'-' | b'/'))
                if self.text.get(digits + 1).is_some_and(u8::is_ascii_uppercase) =>
            {
                self.day_first()
            }
            (2, Some(b'-' | b'/' | b'.')) => self.short_date(),
            (1 | 2, Some(b':')) => self.time_of_day_and_zone(),
            _ => false,
        }
    }

    fn time_of_day_and_zone(&mut self) -> bool {
        let is_found = self.time_of_day();
        // `15:53:32Z`; a bare time of day is followed by words too often to look for more.
        if self.peek() == Some(b'Z') {
            self.offset();
        }
        is_found
    }

    /// `2026-11-20T15:53:32.997+01:00` and the like.
    fn year_first(&mut self, separator: u8) -> bool {
        let Some(year) = self.year() else { return false };
        self.at += 1;
        let Some(month) = self.two() else { return false };
        if !self.eat(separator) {
            return false;
        }
        let Some(day) = self.two() else { return false };
        self.written.year = Some(year);
        self.written.date = Some((month, day));
        // `[2026-11-20][15:53:32]` is one time, too.
        if self.text[self.at..].starts_with(b"][") {
            self.at += 2;
        } else if !self.eat_any(b"T t:-_/") {
            return false;
        }
        self.eat(b' ');
        if !self.time_of_day() {
            return false;
        }
        self.offset();
        true
    }

    /// `20261120 15:53:32`, `20261120T155332Z`, `20261120-15:53:32`.
    fn packed(&mut self) -> bool {
        let Some(year) = self.year() else { return false };
        let (Some(month), Some(day)) = (self.two(), self.two()) else { return false };
        self.written.year = Some(year);
        self.written.date = Some((month, day));
        self.at += 1;
        if self.text.get(self.at + 2) == Some(&b':') {
            if !self.time_of_day() {
                return false;
            }
        } else {
            let (Some(hour), Some(minute), Some(second)) = (self.two(), self.two(), self.two()) else {
                return false;
            };
            if minute > 59 || second > 60 {
                return false;
            }
            (self.written.hour, self.written.minute, self.written.second) = (hour, minute, second.min(59));
            self.fraction();
        }
        self.offset();
        true
    }

    /// `261120 15:53:32`, `261120  5:53:32`.
    fn six_digits(&mut self) -> bool {
        let (Some(year), Some(month), Some(day)) = (self.two(), self.two(), self.two()) else { return false };
        self.written.year = Some(2000 + i16::from(year));
        self.written.date = Some((month, day));
        self.spaces() && self.time_of_day()
    }

    /// `20 Nov 2026 15:53:32.997`, `20/Nov/2026:15:53:32 +0000`, `20-Nov-2026 15:53:32`.
    fn day_first(&mut self) -> bool {
        let Some(day) = self.one_or_two() else { return false };
        let Some(separator) = self.peek() else { return false };
        self.at += 1;
        let Some(month) = self.month_name() else { return false };
        self.written.date = Some((month, day));
        if !self.eat(separator) {
            return false;
        }
        if let Some(year) = self.year() {
            self.written.year = Some(year);
            if !self.eat_any(b": ") {
                return false;
            }
        }
        if !self.time_of_day() {
            return false;
        }
        self.offset();
        true
    }

    /// `11-20 15:53:32.997` (month first), `20.11.2026 15:53:32` and `20/11/2026 15:53:32` (day first).
    fn short_date(&mut self) -> bool {
        let Some(first) = self.two() else { return false };
        let Some(separator) = self.peek() else { return false };
        self.at += 1;
        let Some(second) = self.two() else { return false };
        let (month, day) = if self.eat(separator) {
            let Some(year) = self.year() else { return false };
            self.written.year = Some(year);
            // `11/20/2026` can only be month first.
            if separator == b'/' && second > 12 { (first, second) } else { (second, first) }
        } else {
            (first, second)
        };
        self.written.date = Some((month, day));
        self.eat(b',');
        if !self.eat_any(b" T-:") || !self.time_of_day() {
            return false;
        }
        self.offset();
        true
    }

    /// `Nov 20 15:53:32`, `Fri Nov 20 15:53:32 2026`, `Fri, 20 Nov 2026 15:53:32 GMT`.
    fn letters_first(&mut self) -> bool {
        const DAYS: [&[u8; 3]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
        if self.text.get(..3).is_some_and(|name| DAYS.iter().any(|day| day[..] == *name)) {
            self.at = 3;
            self.eat(b',');
            if !self.spaces() {
                return false;
            }
            if self.peek().is_some_and(|b| b.is_ascii_digit()) {
                let is_year = self.text.get(self.at + 4) == Some(&b'-');
                return if is_year { self.year_first(b'-') } else { self.day_first() };
            }
        }
        let Some(month) = self.month_name() else { return false };
        if !self.eat(b' ') {
            return false;
        }
        let Some(day) = self.one_or_two() else { return false };
        self.written.date = Some((month, day));
        let has_comma = self.eat(b',');
        if !self.spaces() {
            return false;
        }
        if self.text.get(self.at + 4) == Some(&b' ')
            && let Some(year) = self.year()
        {
            self.written.year = Some(year);
            self.spaces();
        } else if has_comma {
            return false;
        }
        if !self.time_of_day() {
            return false;
        }
        self.offset();
        let at = self.at;
        // `date` and ctime(3) put the year last.
        let followed = |text: &[u8], at: usize| !text.get(at).is_some_and(u8::is_ascii_alphanumeric);
        if self.written.year.is_none() && self.eat(b' ') {
            match self.year() {
                Some(year) if followed(self.text, self.at) => self.written.year = Some(year),
                _ => self.at = at,
            }
        }
        true
    }
}

/// What a zone's abbreviation says: `None` when it is no zone, `Some(None)` when it is one that says nothing.
fn abbreviated(name: &[u8]) -> Option<Option<i32>> {
    Some(match name {
        b"UTC" | b"GMT" | b"WET" => Some(0),
        b"CET" | b"WEST" => Some(3600),
        b"CEST" | b"EET" => Some(7200),
        b"EEST" | b"MSK" => Some(10_800),
        b"EDT" => Some(-4 * 3600),
        b"EST" | b"CDT" => Some(-5 * 3600),
        b"MDT" => Some(-6 * 3600),
        b"PDT" => Some(-7 * 3600),
        b"PST" => Some(-8 * 3600),
        b"JST" | b"KST" => Some(9 * 3600),
        // The same letters are used in several parts of the world: the reader's zone is the better guess.
        b"CST" | b"MST" | b"IST" | b"BST" | b"AEST" | b"AEDT" | b"SGT" | b"HKT" => None,
        _ => return None,
    })
}

fn digit(byte: u8) -> Option<u8> {
    byte.is_ascii_digit().then(|| byte - b'0')
}

/// The digits after a decimal point, as billionths; digits past the ninth are dropped.
fn billionths(digits: &[u8]) -> Option<u32> {
    let mut value = 0;
    for place in 0..9 {
        value = value * 10 + u32::from(digits.get(place).map_or(Some(0), |b| digit(*b))?);
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    use super::Clock;

    #[track_caller]
    fn check(text: &str, moment: &str) {
        check_at("2026-11-20T16:00:00Z", "UTC", text, moment);
    }

    #[track_caller]
    fn check_at(near: &str, zone: &str, text: &str, moment: &str) {
        let zone = TimeZone::get(zone).unwrap();
        let mut clock = Clock::new(zone, None, near.parse::<Timestamp>().unwrap());
        let found = super::scan(text.as_bytes());
        let found = found.and_then(|(length, written)| {
            let moment = clock.moment(&written)?;
            Some(format!("{moment}{}", &text[length..]))
        });
        assert_eq!(found.as_deref().unwrap_or("none"), moment, "{text}");
    }

    #[test]
    fn all_shapes() {
        check("2026-11-20T15:53:32.997959Z x", "2026-11-20T15:53:32.997959Z x");
        check("2026-11-20T15:53:32+0100 x", "2026-11-20T14:53:32Z x");
        check("2026-11-20 15:53:32,997 x", "2026-11-20T15:53:32.997Z x");
        check("2026-11-20 15:53:32.997 +01:00 x", "2026-11-20T14:53:32.997Z x");
        check("2026-11-20 15:53:32 UTC x", "2026-11-20T15:53:32Z x");
        check("2026-11-20 15:53:32 INFO x", "2026-11-20T15:53:32Z INFO x");
        check("2026-11-20 15:53:32 - x", "2026-11-20T15:53:32Z - x");
        check("2026-11-20 15:53:32+01 x", "2026-11-20T14:53:32Z x");
        check("2026/11/20 15:53:32 x", "2026-11-20T15:53:32Z x");
        check("20261120 15:53:32.5 x", "2026-11-20T15:53:32.5Z x");
        check("261120 15:53:32 x", "2026-11-20T15:53:32Z x");
        check("2026.11.20 15:53:32.5 x", "2026-11-20T15:53:32.5Z x");
        check("20261120T155332Z x", "2026-11-20T15:53:32Z x");
        check("20 Nov 2026 15:54:19.280 * x", "2026-11-20T15:54:19.28Z * x");
        check("20/Nov/2026:15:54:23 +0000] x", "2026-11-20T15:54:23Z] x");
        check("20-Nov-2026 15:54:23.001 x", "2026-11-20T15:54:23.001Z x");
        check("Nov 20 15:53:32 vm x", "2026-11-20T15:53:32Z vm x");
        check("Nov  3 05:01:02 vm x", "2026-11-03T05:01:02Z vm x");
        check("Nov 20 15:53:32.997 INFO x", "2026-11-20T15:53:32.997Z INFO x");
        check("Nov 20, 2026 3:53:32 PM x", "2026-11-20T15:53:32Z x");
        check("Fri Nov 20 15:54:23.615119 2026] x", "2026-11-20T15:54:23.615119Z] x");
        check("Fri Nov 20 15:54:23 UTC 2026: x", "2026-11-20T15:54:23Z: x");
        check("Fri, 20 Nov 2026 15:54:23 GMT x", "2026-11-20T15:54:23Z x");
        check("Fri 2026-11-20 15:53:32 CET x", "2026-11-20T14:53:32Z x");
        check("11-20 15:53:32.997 x", "2026-11-20T15:53:32.997Z x");
        check("20.11.2026 15:53:32 x", "2026-11-20T15:53:32Z x");
        check("11/20/2026 15:53:32 x", "2026-11-20T15:53:32Z x");
        check("2026-11-20T23:59:60Z", "2026-11-20T23:59:59Z");
    }

    #[test]
    fn what_is_no_time() {
        for text in [
            "",
            "1",
            "2026",
            "2026-11",
            "2026-13-20 15:53:32",
            "2026-02-29 15:53:32",
            "2026-11-20 25:53:32",
            "2026-11-20 15:60:32",
            "2026-11-20 15:53:61",
            "Nov",
            "Nov 20",
            "Nov 31 15:53:32",
            "Novice 1",
            "15:53:32 has no date",
            "127.0.0.1:80",
            "0000-00-00 00:00:00",
            "20 November",
            "2026-11-20 15:53:32x",
            "99/99/9999:99:99:99",
            "12:34",
            "May I ask",
            "1:2",
        ] {
            check(text, "none");
        }
    }

    #[test]
    fn the_year_is_the_latest_that_fits() {
        check_at("2027-01-01T00:30:00Z", "UTC", "Dec 31 23:59:59", "2026-12-31T23:59:59Z");
        check_at("2026-12-31T23:59:00Z", "UTC", "Jan  1 00:00:01", "2027-01-01T00:00:01Z");
        check_at("2026-11-20T00:00:00Z", "UTC", "Nov 20 23:00:00", "2026-11-20T23:00:00Z");
        check_at("2026-11-20T00:00:00Z", "UTC", "Nov 22 00:00:00", "2025-11-22T00:00:00Z");
        check_at("2026-11-20T00:00:00Z", "UTC", "Feb 29 12:00:00", "2024-02-29T12:00:00Z");
    }

    #[test]
    fn a_source_that_goes_on_takes_the_present_along() {
        let mut clock = Clock::new(TimeZone::UTC, None, "2026-12-30T12:00:00Z".parse().unwrap());
        for (text, moment) in [
            ("Dec 31 11:00:00", "2026-12-31T11:00:00Z"),
            ("Jan  1 10:00:00", "2027-01-01T10:00:00Z"),
            ("Jan  2 09:00:00", "2027-01-02T09:00:00Z"),
        ] {
            let (_, written) = super::scan(text.as_bytes()).unwrap();
            assert_eq!(clock.moment(&written).unwrap().to_string(), moment);
        }
    }

    #[test]
    fn local_times_follow_the_zone() {
        check_at("2026-11-20T16:00:00Z", "Europe/Berlin", "2026-07-01 12:00:00", "2026-07-01T10:00:00Z");
        check_at("2026-11-20T16:00:00Z", "Europe/Berlin", "2026-11-01 12:00:00", "2026-11-01T11:00:00Z");
        // There was no 02:30 on this day, and two on that.
        check_at("2026-11-20T16:00:00Z", "Europe/Berlin", "2026-03-29 02:30:00", "2026-03-29T01:30:00Z");
        check_at("2026-11-20T16:00:00Z", "Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25T00:30:00Z");
    }

    #[test]
    fn numbers_since_1970() {
        for (text, moment) in [
            ("1795190012", "2026-11-20T15:53:32Z"),
            ("1795190012.997959", "2026-11-20T15:53:32.997959Z"),
            ("1795190012997", "2026-11-20T15:53:32.997Z"),
            ("1795190012997959", "2026-11-20T15:53:32.997959Z"),
            ("1795190012997959123", "2026-11-20T15:53:32.997959123Z"),
            ("1.795190012e9", "2026-11-20T15:53:32Z"),
            ("12", "none"),
            ("", "none"),
            ("-1", "none"),
            ("NaN", "none"),
        ] {
            let found = super::since_epoch(text.as_bytes()).map(|moment| moment.to_string());
            assert_eq!(found.as_deref().unwrap_or("none"), moment, "{text}");
        }
    }

    #[test]
    fn glog_times() {
        let mut clock = Clock::new(TimeZone::UTC, None, "2026-11-20T16:00:00Z".parse().unwrap());
        for text in ["1120 15:53:32.997959", "20261120 15:53:32.997959"] {
            let written = super::scan_glog(text.as_bytes()).unwrap();
            assert_eq!(clock.moment(&written).unwrap().to_string(), "2026-11-20T15:53:32.997959Z");
        }
    }
}
