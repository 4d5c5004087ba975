//! A year of digests: fifty people in twelve zones, holidays, days off, travellers, and whoever is never there.
//!
//! What the router does is held against a ledger that knows nothing of it: who was told of each occurrence, on
//! which day of theirs, and how long after it was due.

#![expect(clippy::unwrap_used, reason = "all of this is test, also what is not marked as one")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dice_catalog::Level;
use dice_route::book::{Delta, Table};
use dice_route::calendar::{Calendar, DaysOff, Holidays, Zone};
use dice_route::config::{Config, DigestPolicy, Person};
use dice_route::digest::{Digests, EditionState, Gathered};
use dice_route::manager::Tally;
use dice_route::outbox::Outbox;
use dice_route::records::Records;
use dice_route::{Destination, Event, Message, MessageId, PartitionId, Presence, Severity, Stamped, State};

const ZONES: [&str; 12] = [
    "Pacific/Apia",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/New_York",
    "Europe/Berlin",
    "America/St_Johns",
    "America/Santiago",
    "Pacific/Honolulu",
    "Pacific/Chatham",
    "Africa/Cairo",
    "Asia/Tokyo",
    "America/Sao_Paulo",
];

const PEOPLE: usize = 50;

/// Different messages of one person: few enough that all of them are told in rows.
const MESSAGES: u64 = 12;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// The router is called this often.
const TICK_MS: i64 = 20 * MINUTE_MS;

/// Small, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % sides
    }
}

/// How somebody spends their days.
#[derive(Clone, Copy, PartialEq)]
enum Habit {
    /// At their desk most of the working day, or not.
    Desk,
    /// Wants quiet until the afternoon.
    Quiet,
    /// Never at their desk.
    Away,
    /// Nothing is ever known about them.
    Unknown,
}

/// What the ledger knows of a person.
struct Somebody {
    name: String,
    zone: Zone,
    calendar: Calendar,
    habit: Habit,
    /// When they last moved.
    moved_ms: i64,
    /// What has been seen and not been told, by deduplication key.
    pending: BTreeMap<String, u64>,
    /// When they were last told, and on which date of theirs.
    told: Option<(i64, jiff::civil::Date)>,
}

/// What a year came to.
#[derive(Debug, PartialEq, Default)]
struct Year {
    /// When whom was told how much.
    told: Vec<(i64, String, u64)>,
    seen: u64,
    open: u64,
    exceeded: usize,
    unknown: usize,
    held: usize,
    moved_while_held: usize,
}

fn date(text: &str) -> jiff::civil::Date {
    text.parse().unwrap()
}

/// The people: every fourth has another week, every tenth works at night, every person has a holiday.
fn people(dice: &mut Dice) -> Vec<Somebody> {
    let ics = "BEGIN:VCALENDAR\n\
        BEGIN:VEVENT\nDTSTART;VALUE=DATE:20250101\nRRULE:FREQ=YEARLY\nSUMMARY:New Year\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART;VALUE=DATE:20240229\nRRULE:FREQ=YEARLY\nSUMMARY:Leap day\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART;VALUE=DATE:20251127\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART;VALUE=DATE:20251225\nDTEND;VALUE=DATE:20251227\nRRULE:FREQ=YEARLY\nEND:VEVENT\n\
        END:VCALENDAR\n";
    let (holidays, problems) = Holidays::from_ics(ics);
    assert_eq!((problems.len(), holidays.name(date("2028-11-23"))), (0, Some("")));
    let holidays = Arc::new(holidays);
    (0..PEOPLE)
        .map(|n| {
            let mut calendar = Calendar { holidays: holidays.clone(), ..Calendar::default() };
            if n % 4 == 3 {
                calendar.week = "sun-thu".parse().unwrap();
            }
            if n % 10 == 9 {
                calendar.hours = "21:00-05:30".parse().unwrap();
            }
            let first = date("2028-01-01").saturating_add(jiff::Span::new().days(dice.roll(350) as i64));
            let last = first.saturating_add(jiff::Span::new().days(dice.roll(15) as i64));
            calendar.off.push(DaysOff { first, last });
            Somebody {
                name: format!("@p{n:02}"),
                zone: Zone::named(ZONES[n % ZONES.len()]).unwrap(),
                calendar,
                habit: match n % 10 {
                    3 => Habit::Away,
                    7 => Habit::Unknown,
                    5 => Habit::Quiet,
                    _ => Habit::Desk,
                },
                moved_ms: i64::MIN,
                pending: BTreeMap::new(),
                told: None,
            }
        })
        .collect()
}

fn config(people: &[Somebody]) -> Config {
    let entry = |somebody: &Somebody| Person {
        handle: somebody.name.clone(),
        zone: Some(somebody.zone.name().to_owned()),
        calendar: Some(somebody.name.clone()),
        days_off: somebody.calendar.off.iter().map(|off| (off.first, off.last)).collect(),
        ..Person::default()
    };
    let calendar = |somebody: &Somebody| Calendar { off: Vec::new(), ..somebody.calendar.clone() };
    Config {
        people: people.iter().map(|somebody| (somebody.name.clone(), entry(somebody))).collect(),
        calendars: people.iter().map(|somebody| (somebody.name.clone(), calendar(somebody))).collect(),
        digests: DigestPolicy::default(),
        ..Config::default()
    }
}

/// What is found out about somebody who is asked for.
fn presence(somebody: &Somebody, now_ms: i64, dice: &mut Dice) -> Presence {
    let local = somebody.zone.local(now_ms);
    // The same hour of the same day always has the same answer; one call in fifty fails.
    let seed = dice_route::name(&[somebody.name.as_bytes(), local.strftime("%F %H").to_string().as_bytes()]);
    let is_there = !matches!(seed.as_bytes()[0], b'0'..=b'6');
    let fails = somebody.habit == Habit::Unknown || dice.roll(50) == 0;
    let quiet = somebody.habit == Habit::Quiet && local.hour() < 14;
    let until = somebody.zone.instant(local.date().at(14, 0, 0, 0));
    Presence {
        person: somebody.name.clone(),
        at_ms: now_ms,
        is_online: (!fails).then_some(is_there && somebody.habit != Habit::Away),
        dnd_until_ms: (quiet && !fails).then_some(until),
        zone: Some(somebody.zone.name().to_owned()),
        is_gone: false,
    }
}

fn event(text: &str, offset: u64, at_ms: i64, host: u64) -> Event {
    let message = Message {
        repo: "app".into(),
        template: text.into(),
        place: "a.rs:1".into(),
        file: "a.rs".into(),
        ..Message::unknown(MessageId::of_unmatched("app", text))
    };
    Event {
        partition: PartitionId(0),
        offset,
        at_ms: Some(at_ms),
        ingested_ms: at_ms,
        message: Arc::new(message),
        level: Some(Level::Error),
        source: "app".into(),
        host: Some(format!("web-{host}").into()),
        service: None,
        env: None,
        version: None,
        trace: None,
        text: text.into(),
        values: Box::default(),
        fields: Box::default(),
    }
}

/// Lives from the first day of the year to another; with `restarts`, the router is restored from its rows now
/// and then.
fn live(seed: u64, until: &str, restarts: bool) -> Year {
    let mut dice = Dice(seed);
    let mut people = people(&mut dice);
    let config = Arc::new(config(&people));
    let mut digests = Digests::new(config.clone());
    let (mut outbox, mut records) = (Outbox::default(), Records::default());
    let mut rows: BTreeMap<(Table, String), String> = BTreeMap::new();
    let mut year = Year::default();
    let mut keys = BTreeSet::new();
    let utc = Zone::utc();
    let (start_ms, end_ms) = (utc.day_start(date("2028-01-01")), utc.day_start(date(until)));
    let ticks = (end_ms - start_ms) / TICK_MS;
    for tick in 1..=ticks {
        let now_ms = start_ms + tick * TICK_MS;
        // On average three a day for each.
        for _ in 0..dice.roll(5) {
            let who = dice.roll(PEOPLE as u64) as usize;
            let somebody = &mut people[who];
            let text = format!("message {}", dice.roll(MESSAGES));
            let event = event(&text, year.seen, now_ms - 1 - dice.roll(1_200_000) as i64, dice.roll(9));
            let alert = event.message.id.to_string();
            let mut tally = Tally::default();
            tally.add(&Stamped { event: &event, at_ms: event.ingested_ms, is_late: false });
            let gathered = Gathered {
                alert: &alert,
                message: &event.message,
                level: event.level,
                env: None,
                severity: Severity::Medium,
                because: "author",
                sample: &event.text,
                tally: &tally,
            };
            digests.gather(&Destination::Person(somebody.name.clone()), &gathered, now_ms);
            *somebody.pending.entry(alert).or_default() += 1;
            year.seen += 1;
        }
        // Somebody moves about once a week; whoever waits for a digest moves more often.
        if dice.roll(500) == 0 {
            let held: Vec<String> = digests
                .editions()
                .filter(|edition| edition.state == EditionState::Held)
                .map(|edition| edition.reader.name().to_owned())
                .collect();
            let pick = dice.roll(PEOPLE as u64) as usize;
            let who = people.iter().position(|p| held.get(pick % 4) == Some(&p.name)).unwrap_or(pick);
            let somebody = &mut people[who];
            year.moved_while_held += usize::from(held.contains(&somebody.name));
            somebody.zone = Zone::named(ZONES[dice.roll(ZONES.len() as u64) as usize]).unwrap();
            somebody.moved_ms = now_ms;
            let news =
                Presence { is_online: None, dnd_until_ms: None, ..presence(somebody, now_ms, &mut dice) };
            digests.presence(&news, now_ms);
        }
        digests.tick(now_ms, &(), &mut outbox, &mut records);
        for name in digests.awaited(now_ms) {
            let somebody = people.iter().find(|somebody| somebody.name == name).unwrap();
            digests.presence(&presence(somebody, now_ms, &mut dice), now_ms);
        }
        digests.tick(now_ms, &(), &mut outbox, &mut records);
        let told: Vec<String> = outbox.due(now_ms).into_iter().map(|intent| intent.id.clone()).collect();
        for id in told {
            let intent = outbox.get(&id).unwrap().clone();
            let edition = digests.edition(&intent.subject).unwrap();
            let somebody = people.iter_mut().find(|p| p.name == intent.destination.name()).unwrap();
            check_told(somebody, edition.slot(), edition.is_hold_exceeded, now_ms);
            assert!(keys.insert(intent.subject.clone()), "{} was told twice", intent.subject);
            // What is told is what was seen and not told before: all of it, and nothing else.
            let rows = &intent.notice.rows;
            let told: BTreeMap<String, u64> =
                rows.iter().map(|row| (row.alert.clone().unwrap(), row.evidence.count)).collect();
            assert_eq!(told, somebody.pending, "{}", intent.subject);
            somebody.pending.clear();
            let n: u64 = told.values().sum();
            assert_eq!((intent.notice.more_rows, edition.occurrences), (0, n));
            year.told.push((now_ms, intent.subject.clone(), n));
            year.exceeded += usize::from(edition.is_hold_exceeded);
            let why = edition.why.as_deref().unwrap_or("");
            year.unknown += usize::from(why.starts_with("whether"));
            year.held += usize::from(why.starts_with("held"));
            outbox.suppress(&id, dice_route::Cause::Command, "the test", now_ms, &mut records);
            assert_eq!(outbox.get(&id).unwrap().state, State::Suppressed);
        }
        if tick % 72 == 0 {
            outbox.forget_before(now_ms - 2 * DAY_MS);
            records.forget_before(now_ms - DAY_MS);
        }
        if restarts {
            let mut deltas = Vec::new();
            digests.deltas(&mut deltas);
            for delta in deltas {
                match delta {
                    Delta::Put { table, id, body } => rows.insert((table, id), body),
                    Delta::Delete { table, id } => rows.remove(&(table, id)),
                    _ => None,
                };
            }
            // Not a number of whole days: at every hour once.
            if tick % 1_009 == 0 {
                digests = Digests::default();
                for ((table, id), body) in &rows {
                    digests.restore(*table, id, body).unwrap();
                }
                digests.configure(config.clone(), now_ms);
            }
        }
    }
    // What was not told is still there, and its slot has not been missed.
    for somebody in &people {
        let reader = Destination::Person(somebody.name.clone());
        let open: BTreeMap<String, u64> = digests
            .rows()
            .filter(|row| row.reader == reader && !row.is_told())
            .map(|row| (row.alert.clone(), row.tally.count))
            .collect();
        assert_eq!(open, somebody.pending, "{}", somebody.name);
        year.open += open.values().sum::<u64>();
    }
    for edition in digests.editions().filter(|edition| edition.state == EditionState::Held) {
        let somebody = people.iter().find(|p| p.name == edition.reader.name()).unwrap();
        assert!(end_ms <= latest_ms(somebody, edition.slot()), "{} is held for too long", edition.id);
    }
    year
}

/// Whether somebody may be told at `now_ms` of what was due in `slot`.
fn check_told(somebody: &mut Somebody, slot: dice_route::calendar::Slot, is_exceeded: bool, now_ms: i64) {
    let Somebody { name, zone, calendar, .. } = &*somebody;
    let local = zone.local(now_ms);
    let today = local.date();
    let weekday = today.weekday().to_monday_zero_offset();
    let works =
        if calendar.week == "sun-thu".parse().unwrap() { weekday != 4 && weekday != 5 } else { weekday < 5 };
    let off = calendar.off.iter().any(|off| off.first <= today && today <= off.last);
    assert!(works && !off && calendar.holidays.name(today).is_none(), "{name} is off on {local}");
    assert!(calendar.hours.contains(local.time()), "{name} does not work at {local}");
    assert!(now_ms >= slot.at_ms, "{name} is told before {slot:?}");
    assert!(now_ms <= latest_ms(somebody, slot), "{name} is told at {local}, too long after {slot:?}");
    if is_exceeded {
        let waited_ms = now_ms - slot.at_ms;
        assert!(waited_ms >= 20 * HOUR_MS || somebody.moved_ms > slot.at_ms, "{name} {local} {slot:?}");
    }
    // Whoever flies to yesterday may have two digests of two dates on one, a day after each other.
    let is_twice = somebody.told.is_some_and(|(at_ms, date)| date == today && somebody.moved_ms < at_ms);
    assert!(!is_twice, "{} is told twice on {local}", somebody.name);
    somebody.told = Some((now_ms, today));
}

/// When somebody must have been told of what was due in `slot`: a working day later, in working hours.
fn latest_ms(somebody: &Somebody, slot: dice_route::calendar::Slot) -> i64 {
    let Somebody { zone, calendar, moved_ms, .. } = somebody;
    let day = calendar.next_working_day(slot.date, zone).unwrap();
    let held_ms = zone.instant(day.at(10, 0, 0, 0)).max(*moved_ms);
    calendar.next_open(held_ms, zone).unwrap() + TICK_MS
}

#[test]
fn a_year_of_digests_loses_and_doubles_nothing() {
    let year = live(0x5eed, "2029-01-01", false);
    // The year had everything in it that the facts above are about.
    assert!(year.seen > 50_000 && year.told.len() > 8_000, "{} {}", year.seen, year.told.len());
    assert!(
        year.exceeded > 500 && year.unknown > 500 && year.held > 500,
        "{} {} {}",
        year.exceeded,
        year.unknown,
        year.held
    );
    assert!(year.moved_while_held >= 10, "{}", year.moved_while_held);
    let told: u64 = year.told.iter().map(|(_, _, n)| n).sum();
    assert_eq!(told + year.open, year.seen);
    for day in ["2028-03-27", "2028-10-30", "2028-02-28", "2028-03-01"] {
        assert!(year.told.iter().any(|(_, key, _)| key.contains(day)), "nobody was told on {day}");
    }
    assert!(
        !year.told.iter().any(|(_, key, _)| key.contains("2028-02-29")),
        "the leap day is a holiday here"
    );
}

#[test]
fn restarts_change_nothing() {
    let until = "2028-04-10";
    assert_eq!(live(0xd1ce, until, true), live(0xd1ce, until, false));
}
