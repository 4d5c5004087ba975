//! Digests, told as stories.

use std::collections::BTreeMap;
use std::sync::Arc;

use dice_catalog::Level;

use super::{Digests, Hiding, bypasses};
use crate::book::{Delta, Row, Table};
use crate::calendar::{Calendar, Holidays, Zone};
use crate::config::{Config, DigestPolicy, Person, Slots, Team};
use crate::digest::{DigestRow, Gathered};
use crate::manager::Tally;
use crate::outbox::Outbox;
use crate::records::Records;
use crate::testing::{event, message};
use crate::{Destination, Event, Outcome, PartitionId, Presence, Receipt, Severity, Stamped, State};

/// @dev and @eve are of team @org/core with #core; @dev is on holiday on 13 and 14 January 2028, a Thursday and
/// a Friday, and 6 January is a public holiday.
fn config(policy: DigestPolicy) -> Arc<Config> {
    let person = |handle: &str, zone: &str, days_off: &[(&str, &str)]| Person {
        handle: handle.to_owned(),
        emails: vec![format!("{}@corp.example", &handle[1..])],
        zone: Some(zone.to_owned()),
        team: Some("@org/core".to_owned()),
        days_off: days_off.iter().map(|(a, b)| (a.parse().unwrap(), b.parse().unwrap())).collect(),
        ..Person::default()
    };
    let people = [
        person("@dev", "Europe/Berlin", &[("2028-01-13", "2028-01-14")]),
        person("@eve", "America/New_York", &[]),
        Person { left_to: Some("@eve".to_owned()), ..person("@old", "Europe/Berlin", &[]) },
    ];
    let holidays = Holidays::from_dates([("2028-01-06".parse().unwrap(), "Epiphany".to_owned())]);
    let calendar = Calendar { holidays: Arc::new(holidays), ..Calendar::default() };
    let team = Team {
        members: vec!["@dev".to_owned(), "@eve".to_owned()],
        channel: Some("#core".to_owned()),
        ..Team::default()
    };
    Arc::new(Config {
        zone: "Europe/Berlin".to_owned(),
        calendars: BTreeMap::from([("default".to_owned(), calendar)]),
        people: people.into_iter().map(|person| (person.handle.clone(), person)).collect(),
        teams: BTreeMap::from([("@org/core".to_owned(), team)]),
        digests: policy,
        ..Config::default()
    })
}

/// Messages whose name begins with `s` are snoozed.
struct Snoozed;

impl Hiding for Snoozed {
    fn hidden(&self, _reader: &Destination, row: &DigestRow) -> Option<String> {
        row.title.starts_with('s').then(|| "snoozed".to_owned())
    }
}

struct Story {
    digests: Digests,
    config: Arc<Config>,
    outbox: Outbox,
    records: Records,
    rows: BTreeMap<(Table, String), String>,
    told: usize,
    offset: u64,
}

impl Story {
    fn new(policy: DigestPolicy) -> Story {
        let config = config(policy);
        Story {
            digests: Digests::new(config.clone()),
            config,
            outbox: Outbox::default(),
            records: Records::default(),
            rows: BTreeMap::new(),
            told: 0,
            offset: 0,
        }
    }

    fn see(&mut self, to: &str, text: &str, host: &str, now_ms: i64, at_ms: i64, is_late: bool) {
        self.offset += 1;
        let message = Arc::new(message(text));
        let event = Event {
            message: message.clone(),
            level: Some(Level::Error),
            host: Some(host.into()),
            version: Some("1.0".into()),
            text: text.into(),
            ..event(PartitionId(0), "app", self.offset, Some(at_ms), now_ms)
        };
        let severity = if text.starts_with('d') { Severity::Medium } else { Severity::Low };
        let mut tally = Tally::default();
        tally.add(&Stamped { event: &event, at_ms, is_late });
        let gathered = Gathered {
            alert: &message.id.to_string(),
            message: &message,
            level: event.level,
            env: None,
            severity,
            because: "author",
            sample: text,
            tally: &tally,
        };
        self.digests.gather(&Destination::named(to), &gathered, now_ms);
    }

    /// Does what `words` say and gives the digests that are told then.
    fn act(&mut self, now_ms: i64, words: &str) -> String {
        let words: Vec<&str> = words.split(' ').collect();
        let news = |person: &str| Presence {
            person: person.to_owned(),
            at_ms: now_ms,
            is_online: None,
            dnd_until_ms: None,
            zone: None,
            is_gone: false,
        };
        match words.as_slice() {
            ["wait"] => {}
            ["see", to, text] => self.see(to, text, "web-1", now_ms, now_ms, false),
            ["late", to, text] => self.see(to, text, "web-1", now_ms, now_ms - 3_600_000, true),
            ["hosts", to, text, n] => {
                for n in 0..n.parse().unwrap() {
                    (0..=n % 7).for_each(|_| self.see(to, text, &format!("web-{n}"), now_ms, now_ms, false));
                }
            }
            ["many", to, n] => {
                for n in 0..n.parse().unwrap() {
                    self.see(to, &format!("m{n}"), "web-1", now_ms, now_ms, false);
                }
            }
            ["online", who] => {
                self.digests.presence(&Presence { is_online: Some(true), ..news(who) }, now_ms);
            }
            ["away", who] => {
                self.digests.presence(&Presence { is_online: Some(false), ..news(who) }, now_ms);
            }
            ["busy", who, minutes] => {
                let dnd_until_ms = Some(now_ms + minutes.parse::<i64>().unwrap() * 60_000);
                self.digests.presence(&Presence { is_online: Some(true), dnd_until_ms, ..news(who) }, now_ms);
            }
            ["moves", who, zone] => {
                self.digests.presence(&Presence { zone: Some((*zone).to_owned()), ..news(who) }, now_ms);
            }
            ["gone", who] => {
                self.digests.presence(&Presence { is_gone: true, ..news(who) }, now_ms);
            }
            ["not", who, text, to] => {
                let (from, to) = (Destination::named(who), Destination::named(to));
                self.digests.reassign(&message(text).id, &from, &to, now_ms);
            }
            ["dead"] => {
                let waiting: Vec<String> = self.outbox.waiting().map(|intent| intent.id.clone()).collect();
                for intent in waiting {
                    let outcome = Outcome::Refused("account_inactive".to_owned());
                    self.outbox.receipt(&Receipt { intent, at_ms: now_ms, outcome });
                }
            }
            ["restart"] => {
                self.digests = Digests::default();
                for ((table, id), body) in &self.rows {
                    self.digests.restore(*table, id, body).unwrap();
                }
                self.digests.configure(self.config.clone(), now_ms);
            }
            other => panic!("{other:?}"),
        }
        self.digests.tick(now_ms, &Snoozed, &mut self.outbox, &mut self.records);
        let mut deltas = Vec::new();
        self.digests.deltas(&mut deltas);
        for delta in deltas {
            match delta {
                Delta::Put { table, id, body } => self.rows.insert((table, id), body),
                Delta::Delete { table, id } => self.rows.remove(&(table, id)),
                _ => None,
            };
        }
        let mut told: Vec<_> = self.outbox.iter().filter(|intent| intent.created_ms == now_ms).collect();
        told.sort_by_key(|intent| intent.destination.clone());
        if self.outbox.iter().count() == self.told {
            return String::new();
        }
        self.told = self.outbox.iter().count();
        let told: Vec<String> = told
            .into_iter()
            .filter(|intent| intent.state == State::Pending)
            .map(|intent| {
                let rows = intent.notice.rows.iter().map(|row| {
                    let hosts = row.evidence.hosts.iter().map(|(host, n)| format!("{host}:{n}"));
                    let hosts: Vec<String> = hosts.collect();
                    let more = match row.evidence.more_hosts {
                        0 => String::new(),
                        n => format!("+{n}"),
                    };
                    let days = row.days.iter().map(|(date, n)| format!(" {date}:{n}")).collect::<String>();
                    format!(
                        "{} {} {} {}{more}{days}",
                        row.title,
                        row.evidence.count,
                        row.state,
                        hosts.join(",")
                    )
                });
                let rows: Vec<String> =
                    rows.chain(intent.notice.notes.iter().map(|n| format!("({n})"))).collect();
                let title = intent.notice.title.replace("Digest for ", "").replace(" 2028", "");
                format!(" -> {} {title} [{}]", intent.destination.name(), rows.join("; "))
            })
            .collect();
        told.concat()
    }
}

/// A story of January 2028 by the clock of Berlin: `day hour:minute what -> who is told what`.
#[track_caller]
fn check_with(policy: DigestPolicy, story: &str) {
    let zone = Zone::named("Europe/Berlin").unwrap();
    let mut world = Story::new(policy);
    let mut seen = Vec::new();
    let lines: Vec<&str> = story.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    for line in &lines {
        let line = line.split(" -> ").next().unwrap();
        let (when, what) = line.split_at(8);
        let (day, time) = when.split_once(' ').unwrap();
        let now_ms = zone.instant(format!("2028-01-{day}T{}", time.trim()).parse().unwrap());
        let told = world.act(now_ms, what.trim());
        seen.push(format!("{line}{told}"));
    }
    assert_eq!(seen.join("\n"), lines.join("\n"));
}

#[track_caller]
fn check(story: &str) {
    check_with(DigestPolicy::default(), story);
}

#[test]
fn a_digest_is_told_in_its_slot_to_whoever_is_there() {
    check(
        "
        03 08:00 see @dev disk
        03 08:05 see dev@corp.example disk
        03 09:55 online @dev
        03 09:59 wait
        03 10:00 wait -> @dev Monday, 3 January: 1 message, 2 occurrences [error: disk 2 new web-1:2]
        03 10:01 see @dev disk
        03 11:00 online @dev
        04 09:59 online @dev
        04 10:00 wait -> @dev Tuesday, 4 January: 1 message, 1 occurrence [error: disk 1 down web-1:1]
        05 10:00 online @dev
        ",
    );
}

#[test]
fn it_waits_for_its_reader() {
    check(
        "
        03 08:00 see @dev disk
        03 10:00 away @dev
        03 10:05 see @dev disk
        03 10:06 busy @dev 30
        03 10:37 away @dev
        03 14:00 online @dev -> @dev Monday, 3 January: 1 message, 2 occurrences [error: disk 2 new web-1:2; \
         (due Mon 2028-01-03 10:00: held, away)]
        ",
    );
}

#[test]
fn it_waits_no_longer_than_a_working_day() {
    check(
        "
        05 08:00 see @dev disk
        05 10:00 away @dev
        05 17:00 away @dev
        05 19:00 online @dev
        06 10:00 online @dev
        06 12:00 away @dev
        07 09:55 away @dev
        07 10:00 see @dev net -> @dev Wednesday, 5 January: 2 messages, 2 occurrences [error: disk 1 new web-1:1; \
         error: net 1 new web-1:1; (due Wed 2028-01-05 10:00: hold exceeded: away)]
        07 11:00 see @dev net
        07 12:00 online @dev
        10 10:00 online @dev -> @dev Monday, 10 January: 1 message, 1 occurrence [error: net 1 same web-1:1]
        ",
    );
}

#[test]
fn unknown_presence_has_a_grace() {
    check(
        "
        03 08:00 see @dev disk
        03 10:00 wait
        03 11:59 wait
        03 12:00 wait -> @dev Monday, 3 January: 1 message, 1 occurrence [error: disk 1 new web-1:1; \
         (due Mon 2028-01-03 10:00: whether you are there is not known)]
        ",
    );
}

#[test]
fn days_off_roll_over_and_are_split() {
    check(
        "
        12 10:30 see @dev disk
        13 10:00 online @dev
        14 10:00 see @dev disk
        15 12:00 see @dev disk
        17 10:00 online @dev -> @dev Monday, 17 January: 1 message, 3 occurrences [error: disk 3 new web-1:3 \
         2028-01-12:1 2028-01-14:1 2028-01-15:1; (days off are in it: counts are given by day)]
        ",
    );
}

#[test]
fn whoever_moves_gets_no_date_twice() {
    check(
        "
        03 08:00 see @dev disk
        03 10:00 online @dev -> @dev Monday, 3 January: 1 message, 1 occurrence [error: disk 1 new web-1:1]
        03 10:30 see @dev disk
        03 11:00 moves @dev America/New_York
        03 16:00 online @dev
        04 16:00 online @dev -> @dev Tuesday, 4 January: 1 message, 1 occurrence [error: disk 1 same web-1:1]
        ",
    );
    // Held in Berlin, told by the clock of New York.
    check(
        "
        03 08:00 see @dev disk
        03 10:00 away @dev
        03 11:00 moves @dev America/New_York
        03 12:00 online @dev
        03 15:00 online @dev -> @dev Monday, 3 January: 1 message, 1 occurrence [error: disk 1 new web-1:1; \
         (due Mon 2028-01-03 04:00: held, outside of working hours)]
        ",
    );
}

#[test]
fn who_has_left_is_read_by_another() {
    check(
        "
        03 08:00 see @old disk
        03 16:00 online @eve -> @eve Monday, 3 January: 1 message, 1 occurrence [error: disk 1 new web-1:1]
        04 08:00 see @eve disk
        04 08:00 see #core net
        04 09:00 gone @eve
        04 10:00 wait -> #core Tuesday, 4 January: 2 messages, 2 occurrences [error: disk 1 new web-1:1; \
         error: net 1 new web-1:1]
        04 11:00 see @old disk
        05 10:00 wait -> #core Wednesday, 5 January: 1 message, 1 occurrence [error: disk 1 same web-1:1]
        ",
    );
}

#[test]
fn what_was_not_theirs_goes_to_another() {
    check(
        "
        03 08:00 see @dev disk
        03 08:00 see @dev net
        03 08:30 not @dev disk #core
        03 10:00 online @dev -> #core Monday, 3 January: 1 message, 1 occurrence [error: disk 1 new web-1:1] -> @dev \
         Monday, 3 January: 1 message, 1 occurrence [error: net 1 new web-1:1]
        ",
    );
}

#[test]
fn what_is_snoozed_is_one_line() {
    check(
        "
        03 08:00 see @dev sun
        03 08:00 see @dev sun
        03 10:00 online @dev -> @dev Monday, 3 January: 1 message snoozed (2 occurrences) [(not shown: 1 message \
         snoozed (2 occurrences))]
        04 08:00 see @dev sun
        04 08:00 see @dev disk
        04 10:00 online @dev -> @dev Tuesday, 4 January: 1 message, 1 occurrence [error: disk 1 new web-1:1; (not \
         shown: 1 message snoozed (1 occurrence))]
        ",
    );
}

#[test]
fn hosts_and_rows_are_bounded() {
    check(
        "
        03 08:00 hosts @dev disk 9
        03 08:01 late @dev disk
        03 10:00 online @dev -> @dev Monday, 3 January: 1 message, 32 occurrences [error: disk 32 new \
         web-6:7,web-5:6,web-4:5,web-3:4,web-2:3+4; (1 late: their lines came when their time had passed)]
        ",
    );
    let policy = DigestPolicy { max_rows: 2, ..DigestPolicy::default() };
    check_with(
        policy,
        "
        03 08:00 see @dev net
        03 08:00 see @dev mem
        03 08:00 see @dev mem
        03 08:00 see @dev disk
        03 10:00 online @dev -> @dev Monday, 3 January: 3 messages, 4 occurrences [error: disk 1 new web-1:1; error: \
         mem 2 new web-1:2; (and 1 more with 1 occurrence)]
        ",
    );
    let policy = DigestPolicy { max_rows: 0, ..DigestPolicy::default() };
    check_with(
        policy,
        "
        03 08:00 many @dev 2500
        03 10:00 online @dev -> @dev Monday, 3 January: 2001 messages, 2500 occurrences [(and 2001 more with 2500 \
         occurrences)]
        ",
    );
}

#[test]
fn channels_wait_for_nobody_and_have_slots_of_their_own() {
    let slots = Slots {
        name: "noon".to_owned(),
        at: jiff::civil::time(12, 0, 0, 0),
        zone: Some("Europe/London".to_owned()),
    };
    let channels = BTreeMap::from([("#ops".to_owned(), slots)]);
    check_with(
        DigestPolicy { channels, ..DigestPolicy::default() },
        "
        01 08:00 see #ops disk
        01 13:00 wait
        03 12:59 wait
        03 13:00 wait -> #ops Monday, 3 January: 1 message, 1 occurrence [error: disk 1 new web-1:1 2028-01-01:1; \
         (days off are in it: counts are given by day)]
        ",
    );
}

#[test]
fn the_team_hears_of_what_does_not_arrive() {
    check(
        "
        03 08:00 see @dev disk
        03 10:00 online @dev -> @dev Monday, 3 January: 1 message, 1 occurrence [error: disk 1 new web-1:1]
        03 10:01 dead
        07 09:00 wait
        07 10:00 wait -> #core Monday, 3 January: 1 message, 1 occurrence – for @dev [error: disk 1 new web-1:1; \
         (for @dev, whom it has not reached)]
        10 10:00 wait
        ",
    );
    let policy = DigestPolicy { max_hold_days: 10, ..DigestPolicy::default() };
    check_with(
        policy,
        "
        03 08:00 see @dev disk
        03 10:00 away @dev
        05 10:00 away @dev
        07 10:00 away @dev -> #core Monday, 3 January: 1 message, 1 occurrence – for @dev [error: disk 1 new web-1:1; \
         (due Mon 2028-01-03 10:00: for @dev, who has not been reached: away)]
        10 10:00 online @dev
        ",
    );
}

#[test]
fn a_restart_changes_nothing() {
    check(
        "
        03 08:00 see @dev disk
        03 08:01 restart
        03 08:02 see @dev disk
        03 10:00 away @dev
        03 10:01 restart
        03 11:00 online @dev -> @dev Monday, 3 January: 1 message, 2 occurrences [error: disk 2 new web-1:2; (due Mon \
         2028-01-03 10:00: held, away)]
        03 11:01 restart
        03 11:02 see @dev disk
        03 12:00 online @dev
        04 10:00 online @dev -> @dev Tuesday, 4 January: 1 message, 1 occurrence [error: disk 1 down web-1:1]
        ",
    );
}

#[test]
fn a_preview_says_when_and_why() {
    let zone = Zone::named("Europe/Berlin").unwrap();
    let at = |text: &str| zone.instant(text.parse().unwrap());
    let mut story = Story::new(DigestPolicy::default());
    story.act(at("2028-01-03T08:00"), "see @dev disk");
    let preview = |story: &Story, now: &str| {
        let preview = story.digests.preview(&Destination::named("DEV@corp.example"), at(now), &()).unwrap();
        format!(
            "{} {} {}: {}",
            preview.reader.name(),
            preview.due.unwrap(),
            preview.why,
            preview.notice.title
        )
    };
    assert_eq!(
        preview(&story, "2028-01-03T09:00"),
        "@dev Mon 2028-01-03 10:00 gathered until Mon 2028-01-03 10:00: Digest for Monday, 3 January 2028: \
         1 message, 1 occurrence"
    );
    story.act(at("2028-01-03T10:00"), "busy @dev 45");
    assert_eq!(story.digests.awaited(at("2028-01-03T10:00")), ["@dev"]);
    assert_eq!(
        preview(&story, "2028-01-03T10:01"),
        "@dev Mon 2028-01-03 10:00 do not disturb until Mon 2028-01-03 10:45: Digest for Monday, 3 January 2028: \
         1 message, 1 occurrence"
    );
    assert!(story.digests.preview(&Destination::named("@eve"), 0, &()).is_none());
    let held: Vec<&str> = story.records.iter().map(|record| record.text.as_str()).collect();
    assert_eq!(held, ["do not disturb until Mon 2028-01-03 10:45"]);
}

#[test]
fn the_urgent_passes_by() {
    assert!(bypasses(Severity::High) && bypasses(Severity::Critical));
    assert!(!bypasses(Severity::Medium));
    assert_eq!(Digests::TABLES, [Table::Digests, DigestRow::TABLE, Table::People]);
}
