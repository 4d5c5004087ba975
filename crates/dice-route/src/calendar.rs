//! Civil time: what day it is for somebody, whether they work then, and when a day, a slot or a snooze begins
//! and ends.
//!
//! Instants are `i64` milliseconds since 1970 (UTC); dates, times and weekdays are those of a [`Zone`]. Zone
//! data is compiled in, so nothing here depends on the machine. Every function is total: instants out of the
//! range of years -9999 to 9999 count as the nearest one in it, and searches end after [`SEARCH_DAYS`].

mod holidays;
mod interval;
mod slot;
mod span;
mod until;
mod week;
mod zone;

use std::sync::Arc;

pub use jiff::civil::{Date, DateTime, Time, Weekday};

pub use self::holidays::{Holidays, Problem};
pub use self::interval::{IntervalError, MonthDays, Months, TimeInterval, Times, Weekdays, Years};
pub use self::slot::{DEFAULT_SLOT, Slot, SlotKey};
pub use self::span::Align;
pub use self::until::{Until, UntilError};
pub use self::week::{WorkingHours, WorkingWeek};
pub use self::zone::Zone;

/// How many days are looked at for the next working day: two years and some.
pub const SEARCH_DAYS: usize = 800;

/// The days and hours somebody works.
///
/// The default is Monday to Friday, 09:00 to 18:00, without holidays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Calendar {
    /// The weekdays worked.
    pub week: WorkingWeek,
    /// The hours worked on each of them.
    pub hours: WorkingHours,
    /// Public holidays; a team shares them.
    pub holidays: Arc<Holidays>,
    /// The person's own days off.
    pub off: Vec<DaysOff>,
}

/// A run of days somebody does not work. Empty when `last` is before `first`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DaysOff {
    /// The first day off.
    pub first: Date,
    /// The last day off.
    pub last: Date,
}

/// Why a date is not worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest<'a> {
    /// The weekday is not one of the working week.
    Weekend,
    /// A public holiday, by its name; empty where the calendar gives none.
    Holiday(&'a str),
    /// One of the person's own days off.
    DayOff,
}

impl Calendar {
    /// Whether `date` is a working day.
    pub fn is_working(&self, date: Date) -> bool {
        self.rest(date).is_none()
    }

    /// Why `date` is not a working day; `None` when it is one.
    pub fn rest(&self, date: Date) -> Option<Rest<'_>> {
        if !self.week.contains(date.weekday()) {
            return Some(Rest::Weekend);
        }
        if let Some(name) = self.holidays.name(date) {
            return Some(Rest::Holiday(name));
        }
        self.off.iter().any(|off| off.first <= date && date <= off.last).then_some(Rest::DayOff)
    }

    /// The first working day after `date` that exists in `zone`; `None` when there is none within
    /// [`SEARCH_DAYS`].
    pub fn next_working_day(&self, date: Date, zone: &Zone) -> Option<Date> {
        self.working_days_after(date, zone).next()
    }

    /// The `n`-th working day after `date`; `date` itself for 0, whether it is worked or not.
    pub fn nth_working_day(&self, date: Date, n: usize, zone: &Zone) -> Option<Date> {
        match n.checked_sub(1) {
            None => Some(date),
            Some(before) => self.working_days_after(date, zone).nth(before),
        }
    }

    /// How many of the days `[from, to)` are worked; 0 when `to` is not after `from`.
    pub fn working_days_between(&self, from: Date, to: Date, zone: &Zone) -> u64 {
        let days = from.series(jiff::Span::new().days(1)).take_while(|date| *date < to);
        days.filter(|date| self.is_working(*date) && zone.has(*date)).fold(0, |n, _| n + 1)
    }

    /// Whether somebody in `zone` is at work at `at_ms`: a working day, in its hours.
    pub fn is_open(&self, at_ms: i64, zone: &Zone) -> bool {
        let local = zone.local(at_ms);
        self.is_working(local.date()) && self.hours.contains(local.time())
    }

    /// The first instant at or after `at_ms` at which somebody in `zone` is at work; `None` when there is none
    /// within [`SEARCH_DAYS`].
    pub fn next_open(&self, at_ms: i64, zone: &Zone) -> Option<i64> {
        if self.is_open(at_ms, zone) {
            return Some(at_ms);
        }
        let today = zone.date(at_ms);
        let days = self.is_working(today).then_some(today).into_iter();
        days.chain(self.working_days_after(today, zone))
            .flat_map(|date| [zone.day_start(date), zone.instant(date.to_datetime(self.hours.from()))])
            .find(|start_ms| *start_ms >= at_ms && self.is_open(*start_ms, zone))
    }

    fn working_days_after(&self, date: Date, zone: &Zone) -> impl Iterator<Item = Date> {
        date.series(jiff::Span::new().days(1))
            .take(SEARCH_DAYS)
            .skip(1)
            .filter(move |date| self.is_working(*date) && zone.has(*date))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Calendar, Date, DaysOff, Holidays, Rest, WorkingWeek, Zone};

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn berlin() -> Zone {
        Zone::named("Europe/Berlin").unwrap()
    }

    /// Christmas 2026 is a Friday; the person takes the Monday and the Tuesday after.
    fn calendar() -> Calendar {
        let christmas = [(date("2026-12-25"), "Christmas".to_owned())];
        Calendar {
            holidays: Arc::new(Holidays::from_dates(christmas)),
            off: vec![DaysOff { first: date("2026-12-28"), last: date("2026-12-29") }],
            ..Calendar::default()
        }
    }

    #[test]
    fn weekends_holidays_and_days_off_are_not_worked() {
        let calendar = calendar();
        assert_eq!(calendar.rest(date("2026-12-24")), None);
        assert_eq!(calendar.rest(date("2026-12-25")), Some(Rest::Holiday("Christmas")));
        assert_eq!(calendar.rest(date("2026-12-26")), Some(Rest::Weekend));
        assert_eq!(calendar.rest(date("2026-12-28")), Some(Rest::DayOff));
        let next = |day| calendar.next_working_day(date(day), &berlin());
        assert_eq!(next("2026-12-24"), Some(date("2026-12-30")));
        assert_eq!(next("2026-12-30"), Some(date("2026-12-31")));
        assert_eq!(calendar.nth_working_day(date("2026-12-24"), 2, &berlin()), Some(date("2026-12-31")));
        assert_eq!(calendar.working_days_between(date("2026-12-24"), date("2026-12-31"), &berlin()), 2);
        assert_eq!(calendar.working_days_between(date("2026-12-31"), date("2026-12-24"), &berlin()), 0);
    }

    #[test]
    fn a_week_may_be_another_or_have_no_day_at_all() {
        let with = |week: &str| Calendar { week: week.parse().unwrap(), ..Calendar::default() };
        assert_eq!(with("sun-thu").next_working_day(date("2026-11-19"), &berlin()), Some(date("2026-11-22")));
        assert_eq!(with("fri-mon").next_working_day(date("2026-11-16"), &berlin()), Some(date("2026-11-20")));
        let never = Calendar { week: WorkingWeek::of([]), ..Calendar::default() };
        assert_eq!(never.next_working_day(date("2026-11-16"), &berlin()), None);
        assert_eq!(never.next_open(0, &berlin()), None);
        assert_eq!(never.next_working_day(Date::MAX, &berlin()), None);
    }

    #[test]
    fn a_date_that_never_was_is_no_working_day() {
        let apia = Zone::named("Pacific/Apia").unwrap();
        // 2011-12-30, a Friday, was skipped.
        assert_eq!(Calendar::default().next_working_day(date("2011-12-29"), &apia), Some(date("2012-01-02")));
        assert_eq!(
            Calendar::default().working_days_between(date("2011-12-29"), date("2012-01-03"), &apia),
            2
        );
    }

    #[test]
    fn work_is_between_its_hours_on_working_days() {
        let (calendar, zone) = (calendar(), berlin());
        let at = |text: &str| zone.instant(text.parse().unwrap());
        let open = |text| calendar.next_open(at(text), &zone).map(|ms| zone.local(ms).to_string());
        assert_eq!(open("2026-12-24T08:00").as_deref(), Some("2026-12-24T09:00:00"));
        assert_eq!(open("2026-12-24T17:59:59").as_deref(), Some("2026-12-24T17:59:59"));
        assert_eq!(open("2026-12-24T18:00").as_deref(), Some("2026-12-30T09:00:00"));
        let night = Calendar { hours: "22:00-06:00".parse().unwrap(), ..calendar.clone() };
        assert!(night.is_open(at("2026-12-24T23:00"), &zone) && night.is_open(at("2026-12-24T05:59"), &zone));
        // A night shift ends where a day off begins.
        assert!(!night.is_open(at("2026-12-25T01:00"), &zone));
    }

    #[test]
    fn any_instant_and_any_date_are_normal() {
        let calendar = calendar();
        for zone in ["Pacific/Apia", "Asia/Kathmandu", "UTC", "Australia/Lord_Howe"] {
            let zone = Zone::named(zone).unwrap();
            for at_ms in [i64::MIN, i64::MAX, 0, -1] {
                calendar.is_open(at_ms, &zone);
                calendar.next_open(at_ms, &zone);
            }
            for date in [Date::MIN, Date::MAX] {
                calendar.next_working_day(date, &zone);
                zone.day_start(date);
            }
        }
    }
}
