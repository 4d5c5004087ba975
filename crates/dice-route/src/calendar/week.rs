//! The weekdays and hours somebody works, and how they are written.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Time, Weekday};

/// Minutes of a day.
pub(super) const DAY_MIN: u16 = 24 * 60;

/// A set of weekdays that are worked. The default is Monday to Friday.
///
/// Written `mon-fri`, `sun-thu` or `mon,tue,thu-fri`; whole names do as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WorkingWeek {
    /// Bit 0 is Monday.
    days: u8,
}

/// The hours of a working day: from one time up to another, which is not worked any more.
///
/// The default is 09:00 to 18:00. Where the end is not after the start, work goes over midnight; equal ends
/// are the whole day. Written `09:00-18:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WorkingHours {
    from_min: u16,
    to_min: u16,
}

impl WorkingWeek {
    /// The week in which these days are worked.
    pub fn of(days: impl IntoIterator<Item = Weekday>) -> WorkingWeek {
        WorkingWeek { days: days.into_iter().fold(0, |set, day| set | bit(day)) }
    }

    /// Whether `day` is worked.
    pub fn contains(self, day: Weekday) -> bool {
        self.days & bit(day) != 0
    }

    /// Whether no day is worked.
    pub fn is_empty(self) -> bool {
        self.days == 0
    }
}

impl Default for WorkingWeek {
    fn default() -> WorkingWeek {
        WorkingWeek { days: 0b001_1111 }
    }
}

impl FromStr for WorkingWeek {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<WorkingWeek, &'static str> {
        const WANTED: &str = "wanted weekdays such as `mon-fri` or `sun,mon,wed-thu`";
        let mut days = 0;
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            for day in run(weekday(first).ok_or(WANTED)?, weekday(last).ok_or(WANTED)?) {
                days |= bit(day);
            }
        }
        Ok(WorkingWeek { days })
    }
}

impl fmt::Display for WorkingWeek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for day in run(Weekday::Monday, Weekday::Sunday).filter(|day| self.contains(*day)) {
            write!(f, "{separator}{}", &name(day)[..3])?;
            separator = ",";
        }
        Ok(())
    }
}

impl WorkingHours {
    /// When work begins.
    pub fn from(self) -> Time {
        time(self.from_min)
    }

    /// When work ends: midnight where it ends with the day.
    pub fn to(self) -> Time {
        time(self.to_min)
    }

    /// Whether `at` is in working hours.
    pub fn contains(self, at: Time) -> bool {
        let minute = minute_of(at);
        if self.from_min < self.to_min {
            self.from_min <= minute && minute < self.to_min
        } else {
            self.from_min <= minute || minute < self.to_min
        }
    }
}

impl Default for WorkingHours {
    fn default() -> WorkingHours {
        WorkingHours { from_min: 9 * 60, to_min: 18 * 60 }
    }
}

impl FromStr for WorkingHours {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<WorkingHours, &'static str> {
        const WANTED: &str = "wanted hours such as `09:00-18:00`";
        let (from, to) = text.split_once('-').ok_or(WANTED)?;
        let from_min = minute(from.trim()).filter(|from| *from < DAY_MIN).ok_or(WANTED)?;
        Ok(WorkingHours { from_min, to_min: minute(to.trim()).ok_or(WANTED)? })
    }
}

impl fmt::Display for WorkingHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.from_min, self.to_min);
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

fn bit(day: Weekday) -> u8 {
    1 << day.to_monday_zero_offset()
}

/// The days from `first` to `last`, over the end of the week where `last` comes before.
pub(super) fn run(first: Weekday, last: Weekday) -> impl Iterator<Item = Weekday> {
    (0..=first.until(last)).map(move |n| first.wrapping_add(i64::from(n)))
}

/// The English name, in lower case.
pub(super) fn name(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "monday",
        Weekday::Tuesday => "tuesday",
        Weekday::Wednesday => "wednesday",
        Weekday::Thursday => "thursday",
        Weekday::Friday => "friday",
        Weekday::Saturday => "saturday",
        Weekday::Sunday => "sunday",
    }
}

/// Reads an English weekday, whole or at least three letters of it, in any case.
pub(super) fn weekday(text: &str) -> Option<Weekday> {
    let text = text.trim().to_ascii_lowercase();
    run(Weekday::Monday, Weekday::Sunday).find(|day| text.len() >= 3 && name(*day).starts_with(&text))
}

/// Reads `HH:MM` as the minute of the day; `24:00` is its end.
pub(super) fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let digits = |part: &str| {
        let fits = matches!(part.len(), 1..=2) && part.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| part.parse::<u16>().ok()).flatten()
    };
    let (hours, minutes) = (digits(hours)?, digits(minutes).filter(|_| minutes.len() == 2)?);
    (minutes < 60 && hours * 60 + minutes <= DAY_MIN).then_some(hours * 60 + minutes)
}

/// The minute of the day in which `at` lies.
pub(super) fn minute_of(at: Time) -> u16 {
    u16::from(at.hour().unsigned_abs()) * 60 + u16::from(at.minute().unsigned_abs())
}

/// The time at a minute of the day; at or past its end, midnight.
pub(super) fn time(minute: u16) -> Time {
    let part = |n: u16| i8::try_from(n).unwrap_or(0);
    Time::new(part(minute / 60), part(minute % 60), 0, 0).unwrap_or(Time::midnight())
}

#[cfg(test)]
mod tests {
    use super::{WorkingHours, WorkingWeek, minute};

    #[test]
    fn weeks_and_hours_are_read_as_written() {
        let week = |text: &str| text.parse::<WorkingWeek>().map(|week| week.to_string());
        assert_eq!(week("Sun-Thu").as_deref(), Ok("mon,tue,wed,thu,sun"));
        assert_eq!(week("mon, wednesday,fri-sat").as_deref(), Ok("mon,wed,fri,sat"));
        assert!(week("").is_err() && week("mon-").is_err() && week("someday").is_err());
        let hours = |text: &str| text.parse::<WorkingHours>().map(|hours| hours.to_string());
        assert_eq!(hours("8:30 - 24:00").as_deref(), Ok("08:30-24:00"));
        assert!(hours("24:00-08:00").is_err() && hours("9-17").is_err() && hours("").is_err());
        assert_eq!([minute("00:00"), minute("23:59"), minute("24:00")], [Some(0), Some(1439), Some(1440)]);
        assert_eq!([minute("24:01"), minute("9:5"), minute("-1:00"), minute("999:00")], [None; 4]);
    }
}
