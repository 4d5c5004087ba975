//! Who is on call at a moment.

use jiff::ToSpan;
use jiff::civil::DateTime;

use crate::calendar::Zone;
use crate::config::{Schedule, Shift};

/// Who has the turn at `now_ms`; `None` before the first turn and for a schedule without people.
///
/// Turns go over at the time of day of the first one, by the clock on the schedule's wall: a turn in which
/// clocks change is an hour longer or shorter. A time that clocks skip is the first instant after.
pub fn on_call(schedule: &Schedule, now_ms: i64) -> Option<&str> {
    let turn = turn(schedule, &zone(schedule), now_ms)?;
    let n = i64::try_from(schedule.people.len()).ok().filter(|n| *n > 0)?;
    schedule.people.get(usize::try_from(turn % n).ok()?).map(String::as_str)
}

/// When the turn goes to the next one after `now_ms`: the first turn's start, when that is still to come.
pub fn next_hand_over_ms(schedule: &Schedule, now_ms: i64) -> i64 {
    let zone = zone(schedule);
    let next = turn(schedule, &zone, now_ms).map_or(0, |turn| turn + 1);
    zone.instant(start(schedule, next))
}

fn zone(schedule: &Schedule) -> Zone {
    Zone::named(&schedule.zone).unwrap_or_else(Zone::utc)
}

fn days(shift: Shift) -> i64 {
    match shift {
        Shift::Days(n) => i64::from(n.max(1)),
        Shift::Weeks(n) => i64::from(n.max(1)) * 7,
    }
}

/// When a turn begins, by the clock on the wall.
fn start(schedule: &Schedule, turn: i64) -> DateTime {
    // Further away than any year there is counts as the last one.
    let days = turn.saturating_mul(days(schedule.shift)).clamp(-8_000_000, 7_000_000);
    let span = 0.days().try_days(days).unwrap_or_default();
    schedule.from.saturating_add(span)
}

/// The number of the turn at `now_ms`, from 0; `None` before the first.
fn turn(schedule: &Schedule, zone: &Zone, now_ms: i64) -> Option<i64> {
    let local = zone.local(now_ms);
    let passed = schedule.from.date().until(local.date()).ok().map_or(0, |span| i64::from(span.get_days()));
    let guess = passed.div_euclid(days(schedule.shift));
    // The hand-over of that day may be still to come; a change of clocks may put it on either side.
    let turn = [guess + 1, guess, guess - 1]
        .into_iter()
        .find(|turn| zone.instant(start(schedule, *turn)) <= now_ms)
        .unwrap_or(guess - 1);
    (turn >= 0).then_some(turn)
}

#[cfg(test)]
mod tests {
    use super::{next_hand_over_ms, on_call};
    use crate::calendar::Zone;
    use crate::config::{Schedule, Shift};

    fn schedule(zone: &str, shift: Shift, from: &str) -> Schedule {
        let people = ["@ann", "@bob", "@eve"].map(str::to_owned).to_vec();
        Schedule { zone: zone.to_owned(), people, shift, from: from.parse().unwrap() }
    }

    /// Local times in the schedule's zone and who is on call then; each line is one moment.
    #[track_caller]
    fn check(schedule: &Schedule, story: &str) {
        let zone = Zone::named(&schedule.zone).unwrap();
        for line in story.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (at, who) = line.split_once(' ').unwrap();
            let now_ms = zone.instant(at.parse().unwrap());
            assert_eq!(on_call(schedule, now_ms).unwrap_or("nobody"), who, "{line}");
        }
    }

    #[test]
    fn turns_go_over_by_the_clock_on_the_wall() {
        // Clocks go forward on Sunday 2028-03-26 and back on 2028-10-29.
        let weekly = schedule("Europe/Berlin", Shift::Weeks(1), "2028-03-20T09:00");
        check(
            &weekly,
            "
            2028-03-20T08:59:59 nobody
            2028-03-20T09:00 @ann
            2028-03-27T08:59:59 @ann
            2028-03-27T09:00 @bob
            2028-04-03T09:00 @eve
            2028-04-10T08:59 @eve
            2028-04-10T09:00 @ann
            2028-10-30T08:59 @bob
            2028-10-30T09:00 @eve
            ",
        );
        let daily = schedule("America/New_York", Shift::Days(1), "2028-03-10T02:30");
        // On the 12th the clock goes from 02:00 to 03:00: the turn begins at 03:00.
        check(
            &daily,
            "
            2028-03-11T02:30 @bob
            2028-03-12T01:59:59 @bob
            2028-03-12T03:00 @eve
            2028-03-13T02:29 @eve
            2028-03-13T02:30 @ann
            ",
        );
    }

    #[test]
    fn every_hand_over_is_where_the_person_changes() {
        for zone in ["Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Havana", "UTC"] {
            for (shift, hours) in [(Shift::Days(1), 26), (Shift::Days(3), 74), (Shift::Weeks(2), 338)] {
                let schedule = schedule(zone, shift, "2027-12-30T00:30");
                let mut now_ms = next_hand_over_ms(&schedule, 0);
                assert_eq!(on_call(&schedule, now_ms - 1), None);
                for n in 0..200 {
                    assert_eq!(
                        on_call(&schedule, now_ms),
                        Some(schedule.people[n % 3].as_str()),
                        "{zone} {n}"
                    );
                    let next_ms = next_hand_over_ms(&schedule, now_ms);
                    let length_h = (next_ms - now_ms) / 3_600_000;
                    assert!(
                        next_ms > now_ms && length_h <= hours && length_h >= hours - 4,
                        "{zone} {length_h}"
                    );
                    assert_eq!(on_call(&schedule, next_ms - 1), on_call(&schedule, now_ms), "{zone} {n}");
                    now_ms = next_ms;
                }
            }
        }
    }

    #[test]
    fn any_schedule_and_any_instant_are_normal() {
        let mut schedule = schedule("Mars/Olympus", Shift::Weeks(u32::MAX), "2028-01-01T00:00");
        for now_ms in [i64::MIN, -1, 0, i64::MAX] {
            on_call(&schedule, now_ms);
            next_hand_over_ms(&schedule, now_ms);
        }
        schedule.shift = Shift::Days(0);
        assert_eq!(on_call(&schedule, i64::MIN), None);
        assert!(on_call(&schedule, i64::MAX).is_some());
        schedule.people.clear();
        assert_eq!(on_call(&schedule, 1_900_000_000_000), None);
    }
}
