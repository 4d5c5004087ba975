//! Windows aligned to the days and hours on the wall.

use jiff::ToSpan;
use jiff::civil::Date;

use super::Zone;

/// What a window is aligned to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Align {
    /// Equal parts of a day of so many hours each, from midnight; the last is shorter where they do not fit.
    Hours(u8),
    /// A day.
    Day,
    /// A week from Monday.
    Week,
    /// A calendar month.
    Month,
}

impl Align {
    /// The window `[start, end)` in which `at_ms` lies, by the clock of `zone`.
    ///
    /// Windows never overlap and leave nothing out. One in which clocks change is longer or shorter: a day has
    /// 23 or 25 hours then, and an hour that comes twice belongs to one window. An hour that is skipped has none.
    pub fn window(self, at_ms: i64, zone: &Zone) -> (i64, i64) {
        let (day_ms, day_end_ms) = zone.day(at_ms);
        let date = zone.date(day_ms);
        let start_of = |date: Date| zone.day_start(date);
        match self {
            Align::Day => (day_ms, day_end_ms),
            Align::Hours(hours) => {
                let hour = |hour: i8| zone.instant(date.at(hour, 0, 0, 0));
                let hours = usize::from(hours.clamp(1, 24));
                let mut start_ms = day_ms;
                for next_ms in (0..24).step_by(hours).skip(1).map(hour) {
                    if at_ms < next_ms {
                        return (start_ms, next_ms.min(day_end_ms));
                    }
                    start_ms = start_ms.max(next_ms);
                }
                (start_ms, day_end_ms)
            }
            Align::Week => {
                let monday = date.saturating_sub(i64::from(date.weekday().to_monday_zero_offset()).days());
                (start_of(monday), start_of(monday.saturating_add(7.days())))
            }
            Align::Month => {
                let first = date.first_of_month();
                (start_of(first), start_of(first.saturating_add(1.month())))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Align;
    use crate::calendar::Zone;

    /// The window of a local time → the local times of its ends and its minutes.
    #[track_caller]
    fn check(zone: &str, align: Align, local: &str, window: &str) {
        let zone = Zone::named(zone).unwrap();
        let at_ms = zone.instant(local.parse().unwrap());
        let (start_ms, end_ms) = align.window(at_ms, &zone);
        assert!(start_ms <= at_ms && at_ms < end_ms);
        let minutes = (end_ms - start_ms) / 60_000;
        assert_eq!(format!("{} {} {minutes}", zone.local(start_ms), zone.local(end_ms)), window);
    }

    #[test]
    fn windows_follow_the_clock_on_the_wall() {
        let berlin = "Europe/Berlin";
        check(berlin, Align::Day, "2028-03-26T12:00", "2028-03-26T00:00:00 2028-03-27T00:00:00 1380");
        check(berlin, Align::Day, "2028-10-29T12:00", "2028-10-29T00:00:00 2028-10-30T00:00:00 1500");
        check(berlin, Align::Hours(6), "2028-10-29T05:59", "2028-10-29T00:00:00 2028-10-29T06:00:00 420");
        check(berlin, Align::Hours(1), "2028-10-29T02:30", "2028-10-29T02:00:00 2028-10-29T03:00:00 120");
        check(berlin, Align::Hours(1), "2028-03-26T03:00", "2028-03-26T03:00:00 2028-03-26T04:00:00 60");
        check(berlin, Align::Hours(5), "2028-03-27T23:00", "2028-03-27T20:00:00 2028-03-28T00:00:00 240");
        check(berlin, Align::Week, "2028-03-26T12:00", "2028-03-20T00:00:00 2028-03-27T00:00:00 10020");
        check(berlin, Align::Month, "2028-02-29T12:00", "2028-02-01T00:00:00 2028-03-01T00:00:00 41760");
        let kathmandu = "Asia/Kathmandu";
        check(kathmandu, Align::Hours(1), "2028-02-29T12:44", "2028-02-29T12:00:00 2028-02-29T13:00:00 60");
        let lord_howe = "Australia/Lord_Howe";
        check(lord_howe, Align::Hours(1), "2028-04-02T01:45", "2028-04-02T01:00:00 2028-04-02T02:00:00 90");
    }

    #[test]
    fn windows_leave_nothing_out() {
        for zone in ["Pacific/Apia", "Australia/Lord_Howe", "America/Havana", "America/St_Johns"] {
            let zone = Zone::named(zone).unwrap();
            for align in [Align::Hours(1), Align::Hours(7), Align::Day, Align::Week, Align::Month] {
                let end_ms = zone.day_start("2012-01-02".parse().unwrap());
                let mut at_ms = zone.day_start("2010-09-01".parse().unwrap());
                while at_ms < end_ms {
                    let (start_ms, next_ms) = align.window(at_ms, &zone);
                    assert!(start_ms <= at_ms && at_ms < next_ms, "{zone} {align:?} {at_ms}");
                    assert_eq!(align.window(next_ms - 1, &zone), (start_ms, next_ms), "{zone} {align:?}");
                    at_ms = next_ms;
                }
            }
        }
        for at_ms in [i64::MIN, i64::MAX] {
            Align::Week.window(at_ms, &Zone::utc());
        }
    }
}
