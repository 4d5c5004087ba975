//! Yearly recurrences of an iCalendar file.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

use super::event::last_date;

/// `RRULE:FREQ=YEARLY` and what may go with it.
#[derive(Debug, Clone, Default)]
pub(super) struct Recurrence {
    /// Every so many years; 0 is not written and counts as 1.
    interval: u16,
    count: Option<usize>,
    until: Option<Date>,
    months: Vec<i8>,
    /// Negative from the end of the month.
    month_days: Vec<i8>,
    /// A weekday, and which one of the month or year: negative from its end, 0 for each.
    week_days: Vec<(i16, Weekday)>,
}

impl Recurrence {
    /// Reads the value of an `RRULE`; the error is the part that is not known.
    pub(super) fn read(text: &str) -> Result<Recurrence, String> {
        let mut recurrence = Recurrence { interval: 1, ..Recurrence::default() };
        let mut yearly = false;
        for part in text.trim().split(';').filter(|part| !part.is_empty()) {
            let upper = part.to_ascii_uppercase();
            let read = upper.split_once('=').and_then(|(name, value)| match name {
                "FREQ" if value == "YEARLY" => {
                    yearly = true;
                    Some(())
                }
                "INTERVAL" => {
                    recurrence.interval = value.parse().ok().filter(|years| *years > 0)?;
                    Some(())
                }
                "COUNT" => {
                    recurrence.count = Some(value.parse().ok()?);
                    Some(())
                }
                "UNTIL" => {
                    recurrence.until = Some(last_date(value)?);
                    Some(())
                }
                "BYMONTH" => {
                    recurrence.months =
                        list(value, |month| month.parse().ok().filter(|n| (1..=12).contains(n)))?;
                    Some(())
                }
                "BYMONTHDAY" => {
                    let day = |day: &str| day.parse().ok().filter(|n: &i8| *n != 0 && (-31..=31).contains(n));
                    recurrence.month_days = list(value, day)?;
                    Some(())
                }
                "BYDAY" => {
                    recurrence.week_days = list(value, week_day)?;
                    Some(())
                }
                "WKST" => Some(()),
                _ => None,
            });
            if read.is_none() {
                return Err(part.to_owned());
            }
        }
        if yearly { Ok(recurrence) } else { Err("a recurrence without FREQ".to_owned()) }
    }

    /// The dates from `first` to the end of the year `last_year`, in order; `first` is always one of them.
    ///
    /// Every date and every year that is looked at costs one of `budget`; nothing is given when it is used up.
    pub(super) fn dates(&self, first: Date, last_year: i16, budget: &mut usize) -> Vec<Date> {
        let mut dates = vec![first];
        let count = self.count.unwrap_or(usize::MAX);
        for year in (first.year()..=last_year).step_by(usize::from(self.interval.max(1))) {
            let of_year = self.of_year(year, first);
            if *budget <= of_year.len() {
                *budget = 0;
                break;
            }
            *budget -= of_year.len() + 1;
            for date in of_year.into_iter().filter(|date| *date > first) {
                if dates.len() >= count || self.until.is_some_and(|until| date > until) {
                    return dates;
                }
                dates.push(date);
            }
        }
        dates
    }

    /// The dates of one year, in order.
    fn of_year(&self, year: i16, first: Date) -> Vec<Date> {
        let alone = self.months.is_empty() && self.month_days.is_empty();
        let mut dates: Vec<Date> = if alone && !self.week_days.is_empty() {
            // Ordinals count in the year.
            let start = Date::new(year, 1, 1).ok();
            let days = start.map(|start| start.days_in_year()).unwrap_or(0);
            start
                .into_iter()
                .flat_map(|start| start.series(1.day()).take(usize::from(days.unsigned_abs())))
                .filter(|date| self.has_week_day(*date, date.day_of_year(), days))
                .collect()
        } else {
            let months = if !self.months.is_empty() {
                self.months.clone()
            } else if self.month_days.is_empty() {
                vec![first.month()]
            } else {
                (1..=12).collect()
            };
            months
                .into_iter()
                .filter_map(|month| Date::new(year, month, 1).ok())
                .flat_map(|start| self.of_month(start, first))
                .collect()
        };
        dates.sort_unstable();
        dates.dedup();
        dates
    }

    /// The dates of the month that begins with `start`.
    fn of_month(&self, start: Date, first: Date) -> impl Iterator<Item = Date> {
        let days = start.days_in_month();
        start.series(1.day()).take(usize::from(days.unsigned_abs())).filter(move |date| {
            let day = date.day();
            let in_month = |wanted: &i8| if *wanted < 0 { days + 1 + wanted == day } else { *wanted == day };
            let by_day = match (self.month_days.is_empty(), self.week_days.is_empty()) {
                (true, true) => day == first.day(),
                (true, false) => true,
                (false, _) => self.month_days.iter().any(in_month),
            };
            by_day && (self.week_days.is_empty() || self.has_week_day(*date, day.into(), days.into()))
        })
    }

    /// Whether `date`, the `n`-th of `of` days, is one of the weekdays.
    fn has_week_day(&self, date: Date, n: i16, of: i16) -> bool {
        self.week_days.iter().any(|(ordinal, day)| {
            *day == date.weekday()
                && match *ordinal {
                    0 => true,
                    ordinal if ordinal > 0 => (n - 1) / 7 + 1 == ordinal,
                    ordinal => (of - n) / 7 + 1 == -ordinal,
                }
        })
    }
}

/// The elements of a list; nothing where one of them cannot be read.
fn list<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    text.split(',').take(400).map(|element| read(element.trim())).collect()
}

/// `MO`, `4TH`, `-1MO`.
fn week_day(text: &str) -> Option<(i16, Weekday)> {
    let at = text.len().checked_sub(2).filter(|at| text.is_char_boundary(*at))?;
    let (ordinal, day) = text.split_at(at);
    let day = match day {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return None,
    };
    let ordinal = if ordinal.is_empty() {
        0
    } else {
        ordinal.parse().ok().filter(|n: &i16| *n != 0 && (-53..=53).contains(n))?
    };
    Some((ordinal, day))
}
