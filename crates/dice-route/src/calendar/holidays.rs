//! Public holidays, read from iCalendar files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::civil::Date;

use self::event::Event;

mod event;
mod recurrence;

/// Dates outside of these years are not kept.
const YEARS: std::ops::RangeInclusive<i16> = 1970..=2100;

/// More problems than these are only counted.
const MAX_PROBLEMS: usize = 100;

/// Dates that all recurrences of one file may be asked for.
const MAX_DATES: usize = 500_000;

/// Public holidays by date, with their names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holidays {
    names: BTreeMap<Date, String>,
}

/// What could not be read in a calendar file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it, without a full stop.
    pub text: String,
}

impl Holidays {
    /// These dates with these names; of two names for one date the first counts.
    pub fn from_dates(dates: impl IntoIterator<Item = (Date, String)>) -> Holidays {
        let mut names = BTreeMap::new();
        for (date, name) in dates {
            names.entry(date).or_insert(name);
        }
        Holidays { names }
    }

    /// Reads an iCalendar file: every event is a holiday on the dates it covers, again where it recurs.
    ///
    /// Dates are those that are written: a holiday is local wherever it is kept. An event with times counts for
    /// the days it fills. Of recurrences `FREQ=YEARLY` is known, with `INTERVAL`, `COUNT`, `UNTIL`, `BYMONTH`,
    /// `BYMONTHDAY` and `BYDAY`; others are problems, and their first date counts alone. Cancelled events and
    /// dates outside of 1970 to 2100 are left out. Any text is read; what is not understood is a problem.
    ///
    /// Source: RFC 5545.
    pub fn from_ics(text: &str) -> (Holidays, Vec<Problem>) {
        let mut problems = Problems::default();
        let events = event::read(text, &mut problems);
        // A changed date of a recurring event comes as an event of its own and takes the place of the original.
        let mut moved: BTreeMap<&str, BTreeSet<Date>> = BTreeMap::new();
        for event in &events {
            if let Some(date) = event.moved_from {
                moved.entry(&event.uid).or_default().insert(date);
            }
        }
        let mut holidays = Holidays::default();
        let mut budget = MAX_DATES;
        for event in &events {
            let moved = if event.moved_from.is_some() { None } else { moved.get(event.uid.as_str()) };
            holidays.add(event, moved, &mut budget, &mut problems);
        }
        (holidays, problems.done())
    }

    fn add(
        &mut self,
        event: &Event,
        moved: Option<&BTreeSet<Date>>,
        budget: &mut usize,
        problems: &mut Problems,
    ) {
        if event.is_cancelled {
            return;
        }
        let mut firsts = match &event.recurrence {
            None => vec![event.first],
            Some(recurrence) => recurrence.dates(event.first, *YEARS.end(), budget),
        };
        if *budget == 0 {
            problems.add(event.line, "the recurrences of this file have too many dates");
        }
        firsts.extend(&event.more);
        for first in firsts {
            if event.except.contains(&first) || moved.is_some_and(|moved| moved.contains(&first)) {
                continue;
            }
            for date in first.series(jiff::Span::new().days(1)).take(event.days) {
                if YEARS.contains(&date.year()) {
                    self.names.entry(date).or_insert_with(|| event.name.clone());
                }
            }
        }
    }

    /// The name of the holiday on `date`; empty where it has none, `None` when it is not a holiday.
    pub fn name(&self, date: Date) -> Option<&str> {
        self.names.get(&date).map(String::as_str)
    }

    /// Every holiday, by date.
    pub fn iter(&self) -> impl Iterator<Item = (Date, &str)> {
        self.names.iter().map(|(date, name)| (*date, name.as_str()))
    }

    /// Takes the holidays of `other` as well; names that are known stay.
    pub fn merge(&mut self, other: Holidays) {
        for (date, name) in other.names {
            self.names.entry(date).or_insert(name);
        }
    }
}

/// The problems of one file, as many as anybody reads.
#[derive(Default)]
struct Problems {
    kept: Vec<Problem>,
    n_more: usize,
    last_line: usize,
}

impl Problems {
    fn add(&mut self, line: usize, text: impl Into<String>) {
        if self.kept.len() < MAX_PROBLEMS {
            self.kept.push(Problem { line, text: text.into() });
        } else {
            self.n_more += 1;
            self.last_line = self.last_line.max(line);
        }
    }

    /// By line.
    fn done(mut self) -> Vec<Problem> {
        self.kept.sort_by_key(|problem| problem.line);
        if self.n_more > 0 {
            let text = format!("there are {} further problems up to here", self.n_more);
            self.kept.push(Problem { line: self.last_line, text });
        }
        self.kept
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::Holidays;

    /// The lines of one event, `|` between them → its holidays in 2026 to 2030, and problems.
    #[track_caller]
    fn check(event: &str, expected: &str) {
        let event = event.replace('|', "\r\n");
        check_file(
            &format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{event}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"),
            expected,
        );
    }

    #[track_caller]
    fn check_file(text: &str, expected: &str) {
        let (holidays, problems) = Holidays::from_ics(text);
        let dates = holidays.iter().filter(|(date, _)| (2026..=2030).contains(&date.year()));
        let mut seen: Vec<String> =
            dates.map(|(date, name)| format!("{date} {name}").trim_end().to_owned()).collect();
        seen.extend(problems.iter().map(ToString::to_string));
        assert_eq!(seen.join("; "), expected);
    }

    #[test]
    fn an_event_covers_its_days_without_the_last() {
        check("DTSTART;VALUE=DATE:20261225|SUMMARY:Christmas", "2026-12-25 Christmas");
        check("DTSTART;VALUE=DATE:20261225|DTEND;VALUE=DATE:20261227", "2026-12-25; 2026-12-26");
        check("DTSTART;VALUE=DATE:20261231|DURATION:P2D", "2026-12-31; 2027-01-01");
        check("dtstart;value=date:20261225|Summary:Noël\\, fr|  om\\nhere", "2026-12-25 Noël, fr om here");
        check("DTSTART;VALUE=DATE:20261225|DTEND;VALUE=DATE:20261225", "2026-12-25");
        check("DTSTART;VALUE=DATE:20261225|STATUS:CANCELLED", "");
    }

    #[test]
    fn times_count_for_the_days_they_fill() {
        check(
            "DTSTART;TZID=\"Europe/Berlin\":20261225T000000|DTEND:20261227T000000",
            "2026-12-25; 2026-12-26",
        );
        // Midnight in Berlin and in New York, written in universal time.
        check("DTSTART:20261224T230000Z|DTEND:20261225T230000Z", "2026-12-25");
        check("DTSTART:20261225T050000Z|DTEND:20261226T050000Z", "2026-12-25");
        check("DTSTART:20261225T000000", "2026-12-25");
        check(
            "DTSTART:20261224T140000|DTEND:20261224T180000",
            "line 3: an event of less than a day is no holiday",
        );
    }

    #[test]
    fn years_recur() {
        let christmas = "DTSTART;VALUE=DATE:20261225|RRULE:FREQ=YEARLY";
        check(&format!("{christmas};COUNT=2"), "2026-12-25; 2027-12-25");
        check(&format!("{christmas};UNTIL=20281225"), "2026-12-25; 2027-12-25; 2028-12-25");
        check(&format!("{christmas};UNTIL=20281224T235959Z"), "2026-12-25; 2027-12-25");
        check(&format!("{christmas};INTERVAL=3"), "2026-12-25; 2029-12-25");
        check("DTSTART;VALUE=DATE:20240229|RRULE:FREQ=YEARLY", "2028-02-29");
        // Thanksgiving, Memorial Day, the 256th day's like, a day of two months, Friday the 13th.
        let thanksgiving =
            "DTSTART;VALUE=DATE:20251127|RRULE:FREQ=YEARLY;UNTIL=20281231;BYMONTH=11;BYDAY=4TH";
        check(thanksgiving, "2026-11-26; 2027-11-25; 2028-11-23");
        let memorial = "DTSTART;VALUE=DATE:20250526|RRULE:FREQ=YEARLY;COUNT=3;BYDAY=-1MO;BYMONTH=5";
        check(memorial, "2026-05-25; 2027-05-31");
        check("DTSTART;VALUE=DATE:20260105|RRULE:FREQ=YEARLY;COUNT=2;BYDAY=1MO", "2026-01-05; 2027-01-04");
        let ends = "DTSTART;VALUE=DATE:20280229|RRULE:FREQ=YEARLY;COUNT=3;BYMONTH=2,6;BYMONTHDAY=-1";
        check(ends, "2028-02-29; 2028-06-30; 2029-02-28");
        let friday = "DTSTART;VALUE=DATE:20260213|RRULE:FREQ=YEARLY;COUNT=4;BYMONTHDAY=13;BYDAY=FR";
        check(friday, "2026-02-13; 2026-03-13; 2026-11-13; 2027-08-13");
    }

    #[test]
    fn single_dates_are_left_out_added_and_moved() {
        check(
            "DTSTART;VALUE=DATE:20261225|RRULE:FREQ=YEARLY;COUNT=3|EXDATE;VALUE=DATE:20271225|RDATE;VALUE=DATE:20300101,20300102",
            "2026-12-25; 2028-12-25; 2030-01-01; 2030-01-02",
        );
        let text = "BEGIN:VEVENT\nUID:x\nDTSTART;VALUE=DATE:20260704\nRRULE:FREQ=YEARLY;COUNT=2\nEND:VEVENT\n\
                    BEGIN:VEVENT\nUID:x\nRECURRENCE-ID;VALUE=DATE:20260704\nDTSTART;VALUE=DATE:20260703\n\
                    SUMMARY:observed\nEND:VEVENT\n";
        check_file(text, "2026-07-03 observed; 2027-07-04");
    }

    #[test]
    fn what_is_not_understood_has_a_line() {
        check(
            "DTSTART;VALUE=DATE:20261225|RRULE:FREQ=WEEKLY",
            "2026-12-25; line 4: FREQ=WEEKLY is not known: wanted FREQ=YEARLY with INTERVAL, COUNT, UNTIL, BYMONTH, \
             BYMONTHDAY or BYDAY; only the first date counts",
        );
        check("SUMMARY:x", "line 2: an event without DTSTART");
        check("DTSTART;VALUE=DATE:20261399", "line 3: `20261399` is no date such as 20261225");
        check("DTSTART;VALUE=DATE:20261225|EXDATE:x", "2026-12-25; line 4: `x` is no date such as 20261225");
        check(
            "DTSTART;VALUE=DATE:20260101|DTEND;VALUE=DATE:20290101",
            "line 3: an event of more than 366 days is no holiday",
        );
        check_file("BEGIN:VEVENT\nDTSTART:20261225", "2026-12-25; line 1: an event without END:VEVENT");
        check_file("hello", "line 1: no calendar: wanted BEGIN:VCALENDAR");
        check_file("", "line 1: no calendar: wanted BEGIN:VCALENDAR");
    }

    #[test]
    fn what_is_in_an_event_and_not_of_it_is_passed_over() {
        check("DTSTART:20261225|BEGIN:VALARM|DTSTART:20261201|TRIGGER:-PT1H|END:VALARM", "2026-12-25");
        check_file("BEGIN:VCALENDAR\nBEGIN:VTODO\nDTSTART:20261225\nEND:VTODO\nEND:VCALENDAR", "");
    }

    #[test]
    fn hostile_files_end() {
        let weekly =
            "BEGIN:VEVENT\nDTSTART:19000101\nRRULE:FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU\nEND:VEVENT\n";
        let (holidays, problems) = Holidays::from_ics(&weekly.repeat(50));
        assert_eq!(holidays.iter().count(), 131 * 365 + 32);
        assert!(problems.iter().any(|problem| problem.text.contains("too many dates")));
        for text in ["BEGIN:VEVENT\n".repeat(1000), ":\n;:\n=\n".repeat(1000), "\u{0}\n \n\t".to_owned()] {
            let (_, problems) = Holidays::from_ics(&text);
            assert!(problems.len() <= 101);
        }
        let numbers =
            "DTSTART:20261225|RRULE:FREQ=YEARLY;COUNT=99999999999999999999;BYDAY=-99999999999MO;INTERVAL=0";
        let text = format!("BEGIN:VEVENT\n{}\nEND:VEVENT", numbers.replace('|', "\n"));
        assert_eq!(Holidays::from_ics(&text).1.len(), 1);
    }
}
