//! A time zone: from instants to local dates and back.

use std::fmt;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{Span, Timestamp};

/// A time zone of the IANA database, from the data compiled in.
///
/// Two zones are equal when their names are. Cheap to clone.
#[derive(Clone)]
pub struct Zone {
    zone: TimeZone,
}

impl Zone {
    /// The zone called `name`, such as `Europe/Berlin`, in any case; `None` when there is none.
    pub fn named(name: &str) -> Option<Zone> {
        // Not the machine's database: what a day is must not depend on where Dice runs.
        let zone = TimeZoneDatabase::bundled().get(name).ok()?;
        (!zone.is_unknown()).then_some(Zone { zone })
    }

    /// Coordinated universal time.
    pub fn utc() -> Zone {
        Zone { zone: TimeZone::UTC }
    }

    /// The name, as the database spells it.
    pub fn name(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// What the clock on the wall shows at `at_ms`.
    pub fn local(&self, at_ms: i64) -> DateTime {
        self.zone.to_datetime(timestamp(at_ms))
    }

    /// The date on the wall at `at_ms`.
    pub fn date(&self, at_ms: i64) -> Date {
        self.local(at_ms).date()
    }

    /// The instant at which the clock on the wall shows `local`.
    ///
    /// The first one where it shows it twice; where it never does, the first instant after.
    pub fn instant(&self, local: DateTime) -> i64 {
        self.instants(local).0
    }

    /// The first and the last instant at which the clock shows `local`; see [`Zone::instant`].
    pub(super) fn instants(&self, local: DateTime) -> (i64, i64) {
        let at = |offset: jiff::tz::Offset| match offset.to_timestamp(local) {
            Ok(at) => at,
            Err(_) if local.year() < 0 => Timestamp::MIN,
            Err(_) => Timestamp::MAX,
        };
        match self.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => (ms(at(offset)), ms(at(offset))),
            AmbiguousOffset::Fold { before, after } => (ms(at(before)), ms(at(after))),
            AmbiguousOffset::Gap { before, after } => {
                // By the later offset `local` lies before the change, by the earlier one at or after it: the
                // change is what lies between. Changes of the zone's abbreviation alone are passed over.
                let (early, late) = (at(after), at(before));
                let mut changes = self.zone.following(early).map(|change| change.timestamp());
                let change = changes
                    .by_ref()
                    .take_while(|change| *change < late)
                    .find(|change| self.zone.to_datetime(*change) >= local)
                    .unwrap_or(late);
                (ms(change), ms(change))
            }
        }
    }

    /// The first instant of `date`: midnight, or the first instant after where a change skips midnight. For a
    /// date that the zone skipped altogether it is the first instant of the next one.
    pub fn day_start(&self, date: Date) -> i64 {
        self.instant(date.to_datetime(Time::midnight()))
    }

    /// The day that `at_ms` belongs to: its first instant and the first one of the next day.
    ///
    /// A day on which clocks change has 23 or 25 hours, or what the change makes of it. Days never overlap and
    /// leave nothing out, even where clocks are turned back over midnight.
    pub fn day(&self, at_ms: i64) -> (i64, i64) {
        let at_ms = ms(timestamp(at_ms));
        let mut date = self.date(at_ms);
        // Turned back over midnight: the clock shows the old date again, but the new day has begun.
        while let Some(next) = self.date_after(date)
            && self.day_start(next) <= at_ms
        {
            date = next;
        }
        let end_ms = self.date_after(date).map_or(ms(Timestamp::MAX), |next| self.day_start(next));
        (self.day_start(date), end_ms)
    }

    /// Whether `date` exists here: Apia went from 29 to 31 December 2011.
    pub fn has(&self, date: Date) -> bool {
        self.date(self.day_start(date)) == date
    }

    /// The next date that exists here; `None` at the end of time.
    pub fn date_after(&self, date: Date) -> Option<Date> {
        // No zone ever skipped more than one date; a second one is for zones to come.
        date.series(Span::new().days(1)).skip(1).take(3).find(|date| self.has(*date))
    }

    /// When the clocks change in `(from_ms, to_ms)`, in order, at most 16 times.
    pub(super) fn changes(&self, from_ms: i64, to_ms: i64) -> impl Iterator<Item = i64> {
        let changes = self.zone.following(timestamp(from_ms)).map(|change| ms(change.timestamp()));
        changes.take_while(move |change_ms| *change_ms < to_ms).take(16)
    }
}

/// The nearest instant that dates can be given for.
fn timestamp(at_ms: i64) -> Timestamp {
    let end = if at_ms < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_millisecond(at_ms).unwrap_or(end)
}

fn ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}

impl Default for Zone {
    /// Universal time.
    fn default() -> Zone {
        Zone::utc()
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Zone) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Zone {}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name())
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::Zone;

    /// Local time in a zone → the instant in universal time.
    #[track_caller]
    fn check(zone: &str, local: &str, instant: &str) {
        let at_ms = Zone::named(zone).unwrap().instant(local.parse().unwrap());
        assert_eq!(Timestamp::from_millisecond(at_ms).unwrap().to_string(), instant);
    }

    /// The day of a local time, in hours.
    #[track_caller]
    fn check_day(zone: &str, local: &str, hours: f64) {
        let zone = Zone::named(zone).unwrap();
        let at_ms = zone.instant(local.parse().unwrap());
        let (start_ms, end_ms) = zone.day(at_ms);
        assert!(start_ms <= at_ms && at_ms < end_ms);
        assert_eq!((end_ms - start_ms) as f64 / 3_600_000.0, hours, "{zone} {local}");
    }

    #[test]
    fn local_times_become_instants() {
        check("Europe/Berlin", "2028-01-10T10:00", "2028-01-10T09:00:00Z");
        check("asia/kathmandu", "2028-01-10T10:00", "2028-01-10T04:15:00Z");
    }

    #[test]
    fn a_time_that_is_skipped_is_the_first_instant_after() {
        check("Europe/Berlin", "2028-03-26T02:00", "2028-03-26T01:00:00Z");
        check("Europe/Berlin", "2028-03-26T02:59:59", "2028-03-26T01:00:00Z");
        check("Europe/Berlin", "2028-03-26T03:00", "2028-03-26T01:00:00Z");
        check("Australia/Lord_Howe", "2028-10-01T02:15", "2028-09-30T15:30:00Z");
        check("Pacific/Apia", "2011-12-30T10:00", "2011-12-30T10:00:00Z");
        check("America/Santiago", "2028-09-03T00:00", "2028-09-03T04:00:00Z");
    }

    #[test]
    fn a_time_that_comes_twice_is_the_first() {
        check("Europe/Berlin", "2028-10-29T02:30", "2028-10-29T00:30:00Z");
        check("America/New_York", "2028-11-05T01:30", "2028-11-05T05:30:00Z");
        check("Australia/Lord_Howe", "2028-04-02T01:45", "2028-04-01T14:45:00Z");
        check("America/Havana", "2028-11-05T00:00", "2028-11-05T04:00:00Z");
    }

    #[test]
    fn a_day_has_the_hours_the_clocks_give_it() {
        check_day("Europe/Berlin", "2028-03-25T12:00", 24.0);
        check_day("Europe/Berlin", "2028-03-26T12:00", 23.0);
        check_day("Europe/Berlin", "2028-10-29T23:59", 25.0);
        check_day("Australia/Lord_Howe", "2028-04-02T00:00", 24.5);
        check_day("Australia/Lord_Howe", "2028-10-01T00:00", 23.5);
        check_day("America/Santiago", "2028-09-03T12:00", 23.0);
        // Turned back from 00:01 to 23:01: the new day keeps the minute it had begun with.
        check_day("America/St_Johns", "2010-11-07T00:00", 25.0);
        check_day("America/St_Johns", "2010-11-06T12:00", 24.0);
        check_day("Pacific/Apia", "2011-12-29T12:00", 24.0);
    }

    #[test]
    fn a_skipped_date_does_not_exist() {
        let apia = Zone::named("Pacific/Apia").unwrap();
        assert!(!apia.has("2011-12-30".parse().unwrap()));
        assert_eq!(apia.date_after("2011-12-29".parse().unwrap()), Some("2011-12-31".parse().unwrap()));
    }

    #[test]
    fn unknown_names_are_no_zones() {
        for name in ["", "Mars/Olympus", "Etc/Unknown", "../etc/passwd", "\u{0}"] {
            assert_eq!(Zone::named(name), None, "{name}");
        }
        assert_eq!(Zone::named("europe/berlin").unwrap().name(), "Europe/Berlin");
        assert_eq!(Zone::named("utc").unwrap(), Zone::utc());
    }
}
