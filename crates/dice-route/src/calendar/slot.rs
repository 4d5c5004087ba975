//! Slots: the moment of a day at which a digest is due.

use std::fmt;

use jiff::civil::{Date, Time};

use super::{Calendar, Zone};

/// When a digest is due unless a person says otherwise: 10:00 on their wall.
pub const DEFAULT_SLOT: Time = Time::constant(10, 0, 0, 0);

/// One slot: a local date and the instant at which it is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    /// The local date it is for.
    pub date: Date,
    /// When it is due, milliseconds since 1970.
    pub at_ms: i64,
}

/// What a slot is called for ever: there is one digest for each.
///
/// The local date is in it and the instant is not, so clocks that are turned back, or a person who travels,
/// do not make a second one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotKey {
    /// Whose: a person or a channel.
    pub owner: String,
    /// The local date.
    pub date: Date,
    /// The name of the slot, such as `daily`.
    pub slot: String,
}

impl fmt::Display for SlotKey {
    /// `owner/2026-11-21/daily`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.owner, self.date, self.slot)
    }
}

impl Slot {
    /// The slot of `date` at `time` on the wall; `None` when the zone skipped that date.
    ///
    /// A time that clocks skip is due at the first instant after, one that comes twice at the first.
    pub fn on(date: Date, time: Time, zone: &Zone) -> Option<Slot> {
        zone.has(date).then(|| Slot { date, at_ms: zone.instant(date.to_datetime(time)) })
    }
}

impl Calendar {
    /// The first slot after `after_ms` at `time` on a working day of `zone`.
    ///
    /// `used` is the last date that had a slot: whoever moves to another zone gets none for that date again, nor
    /// for an earlier one. `None` when there is no working day within [`SEARCH_DAYS`](super::SEARCH_DAYS).
    pub fn next_slot(&self, after_ms: i64, used: Option<Date>, time: Time, zone: &Zone) -> Option<Slot> {
        let today = zone.date(after_ms);
        let from = used.map_or(today, |used| used.max(today));
        let first = (self.is_working(from) && used != Some(from)).then_some(from);
        first
            .into_iter()
            .chain(self.working_days_after(from, zone))
            .filter_map(|date| Slot::on(date, time, zone))
            .find(|slot| slot.at_ms > after_ms)
    }

    /// The same time `days` working days after `slot`: how long what is due then may be held.
    pub fn slot_after(&self, slot: Slot, days: usize, time: Time, zone: &Zone) -> Option<Slot> {
        Slot::on(self.nth_working_day(slot.date, days, zone)?, time, zone)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::civil::Time;

    use super::{DEFAULT_SLOT, SlotKey};
    use crate::calendar::{Calendar, Zone};

    /// The first slot after a universal time → its local date and universal time.
    #[track_caller]
    fn check(zone: &str, time: Time, after: &str, used: Option<&str>, slot: &str) {
        let after_ms = after.parse::<Timestamp>().unwrap().as_millisecond();
        let calendar = Calendar { week: "mon-sun".parse().unwrap(), ..Calendar::default() };
        let used = used.map(|date| date.parse().unwrap());
        let next = calendar.next_slot(after_ms, used, time, &Zone::named(zone).unwrap()).unwrap();
        assert_eq!(format!("{} {}", next.date, Timestamp::from_millisecond(next.at_ms).unwrap()), slot);
    }

    #[test]
    fn the_next_slot_is_strictly_after() {
        let at = DEFAULT_SLOT;
        check("Europe/Berlin", at, "2028-01-10T08:59:59Z", None, "2028-01-10 2028-01-10T09:00:00Z");
        check("Europe/Berlin", at, "2028-01-10T09:00:00Z", None, "2028-01-11 2028-01-11T09:00:00Z");
        check("Asia/Kathmandu", at, "2028-02-28T04:15:00Z", None, "2028-02-29 2028-02-29T04:15:00Z");
    }

    #[test]
    fn clocks_that_change_give_one_slot_a_day() {
        let at = Time::constant(2, 30, 0, 0);
        check("Europe/Berlin", at, "2028-03-25T12:00:00Z", None, "2028-03-26 2028-03-26T01:00:00Z");
        check("Europe/Berlin", at, "2028-10-28T12:00:00Z", None, "2028-10-29 2028-10-29T00:30:00Z");
        check("Europe/Berlin", at, "2028-10-29T00:30:00Z", None, "2028-10-30 2028-10-30T01:30:00Z");
        check("Pacific/Apia", DEFAULT_SLOT, "2011-12-29T20:00:00Z", None, "2011-12-31 2011-12-30T20:00:00Z");
        let late = Time::constant(1, 45, 0, 0);
        check("Australia/Lord_Howe", late, "2028-04-01T14:00:00Z", None, "2028-04-02 2028-04-01T14:45:00Z");
    }

    #[test]
    fn a_traveller_gets_no_date_twice() {
        // Had the 5th in Apia, flies to Honolulu, where it is still the 4th.
        let used = Some("2028-01-05");
        check(
            "Pacific/Honolulu",
            DEFAULT_SLOT,
            "2028-01-04T22:00:00Z",
            used,
            "2028-01-06 2028-01-06T20:00:00Z",
        );
        check("Pacific/Apia", DEFAULT_SLOT, "2028-01-04T22:00:00Z", used, "2028-01-06 2028-01-05T21:00:00Z");
    }

    #[test]
    fn a_slot_may_be_held_for_working_days() {
        let (calendar, zone) = (Calendar::default(), Zone::named("Europe/Berlin").unwrap());
        let friday =
            calendar.next_slot(zone.day_start("2028-03-24".parse().unwrap()), None, DEFAULT_SLOT, &zone);
        let monday = calendar.slot_after(friday.unwrap(), 1, DEFAULT_SLOT, &zone).unwrap();
        // Over the weekend on which clocks are put forward.
        assert_eq!(monday.at_ms - friday.unwrap().at_ms, 71 * 3_600_000);
        let key = SlotKey { owner: "@dev".to_owned(), date: monday.date, slot: "daily".to_owned() };
        assert_eq!(key.to_string(), "@dev/2028-03-27/daily");
    }
}
