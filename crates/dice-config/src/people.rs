//! Who there is, when they work, and when they read digests.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use dice_route::calendar::{Calendar, Holidays, TimeInterval, Zone};
use dice_route::config::{Correlation, DigestPolicy, Ownership, Person, Schedule, Shift, Slots, Team};

use crate::check::is_team;
use crate::load::Files;
use crate::names::{Named, Names};
use crate::text::{Complaint, Desk, shown};
use crate::value::{Table, Value};

const DAY_MS: i64 = 24 * 3_600_000;

/// Everybody, by the name that is written.
pub(crate) fn people(desk: &mut Desk, router: &Table, names: &Names) -> BTreeMap<String, Person> {
    let mut people: BTreeMap<String, Person> = BTreeMap::new();
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    for (name, table) in router.named("people") {
        if !name.contains('@') || is_team(name) {
            let complaint =
                Complaint::wanted("an e-mail address or a handle with `@`", format!("\"{}\"", shown(name)));
            desk.complain(&table.place, &table.path, complaint);
        }
        let is_handle = name.starts_with('@');
        let mut handle = table.owned("handle").unwrap_or_default();
        if !handle.is_empty() && (!handle.starts_with('@') || is_team(&handle)) {
            let complaint = Complaint::wanted("a handle with `@`", format!("\"{}\"", shown(&handle)));
            let hint = format!("write \"@{}\"", handle.trim_start_matches('@'));
            desk.complain(table.place_of("handle"), &table.path_of("handle"), complaint.hint(hint));
        }
        if is_handle && handle.is_empty() {
            handle.clone_from(name);
        }
        let mut emails = table.texts("emails");
        for (item, email) in table.list("emails").iter().zip(&emails) {
            if !email.contains('@') || email.starts_with('@') {
                let complaint = Complaint::wanted("an e-mail address", format!("\"{}\"", shown(email)));
                desk.complain(&item.place, &table.path_of("emails"), complaint);
            }
        }
        if !is_handle && !emails.contains(name) {
            emails.insert(0, name.clone());
        }
        for spelling in emails.iter().chain(Some(&handle).filter(|handle| !handle.is_empty())) {
            if let Some(other) = known.insert(spelling.to_lowercase(), name.clone())
                && other != *name
            {
                let complaint = Complaint::new(format!("{} is \"{}\" too", shown(spelling), shown(&other)));
                desk.complain(&table.place, &table.path, complaint.hint("remove it from one of them"));
            }
        }
        names.check(desk, Named::Calendar, table, "calendar");
        check_team(desk, router, table, "team");
        names.check_recipients(desk, table, "left_to", false);
        let days_off = table.list("days_off").iter().filter_map(|item| match item.value {
            Value::Days(first, last) => Some((first, last)),
            _ => None,
        });
        let person = Person {
            handle,
            emails,
            zone: table.owned("zone"),
            calendar: table.owned("calendar"),
            days_off: days_off.collect(),
            team: table.owned("team"),
            is_admin: table.flag("admin"),
            left_to: table.owned("left_to"),
            digest_at: table.time("digest_at"),
        };
        people.insert(name.clone(), person);
    }
    people
}

fn check_team(desk: &mut Desk, router: &Table, table: &Table, key: &str) {
    let Some(team) = table.text(key) else { return };
    let teams = router.named("teams");
    if !teams.iter().any(|(name, _)| name == team) {
        let near = dice_route::condition::nearest(team, teams.iter().map(|(name, _)| name.as_str()));
        let hint = match near {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("write [teams.\"{team}\"]"),
        };
        let complaint = Complaint::wanted("a team", format!("\"{}\"", shown(team))).hint(hint);
        desk.complain(table.place_of(key), &table.path_of(key), complaint);
    }
}

/// The teams, by the name that is written. Who names a team is a member too.
pub(crate) fn teams(desk: &mut Desk, router: &Table, names: &Names) -> BTreeMap<String, Team> {
    let mut teams = BTreeMap::new();
    for (name, table) in router.named("teams") {
        if !is_team(name) {
            let complaint = Complaint::wanted("a team such as \"@org/team\"", format!("\"{}\"", shown(name)));
            desk.complain(&table.place, &table.path, complaint);
        }
        if let Some(channel) = table.text("channel")
            && !channel.starts_with('#')
        {
            let complaint = Complaint::wanted("a channel", format!("\"{}\"", shown(channel)));
            desk.complain(
                table.place_of("channel"),
                &table.path_of("channel"),
                complaint.hint(format!("write \"#{channel}\"")),
            );
        }
        names.check_recipients(desk, table, "members", false);
        names.check(desk, Named::Calendar, table, "calendar");
        let mut members = table.texts("members");
        for (person, table) in router.named("people") {
            let is_listed = || {
                let spellings = table.owned("handle").into_iter().chain(table.texts("emails"));
                std::iter::once(person.clone()).chain(spellings).any(|spelling| members.contains(&spelling))
            };
            if table.text("team") == Some(name) && !is_listed() {
                members.push(person.clone());
            }
        }
        let team = Team {
            members,
            channel: table.owned("channel"),
            zone: table.owned("zone"),
            calendar: table.owned("calendar"),
        };
        teams.insert(name.clone(), team);
    }
    teams
}

/// Who is on call when.
pub(crate) fn schedules(desk: &mut Desk, router: &Table, names: &Names) -> BTreeMap<String, Schedule> {
    let mut schedules = BTreeMap::new();
    for (name, table) in router.named("schedules") {
        names.check_recipients(desk, table, "people", false);
        let people = table.texts("people");
        if people.is_empty() && table.is_sound() {
            let complaint = Complaint::wanted("at least one person", "none");
            desk.complain(table.place_of("people"), &table.path_of("people"), complaint);
        }
        let shift_ms = table.duration("shift");
        if shift_ms % DAY_MS != 0 {
            let complaint =
                Complaint::wanted("whole days or weeks", format!("\"{}\"", desk_duration(shift_ms)))
                    .hint("write shift = \"1d\" or \"1w\"");
            desk.complain(table.place_of("shift"), &table.path_of("shift"), complaint);
        }
        let days = u32::try_from(shift_ms / DAY_MS).unwrap_or(1).max(1);
        let shift = if days.is_multiple_of(7) { Shift::Weeks(days / 7) } else { Shift::Days(days) };
        let Some(from) = table.date_time("from") else { continue };
        let zone = table.owned("zone").unwrap_or_else(|| router.word("zone").to_owned());
        schedules.insert(name.clone(), Schedule { zone, people, shift, from });
    }
    schedules
}

fn desk_duration(ms: i64) -> String {
    use dice_route::condition::{Quantity, Unit};
    Quantity { number: ms as f64, unit: Unit::Milliseconds }.to_string()
}

/// Working days, hours and holidays; `default` is always there.
pub(crate) fn calendars(desk: &mut Desk, router: &Table, files: &dyn Files) -> BTreeMap<String, Calendar> {
    let mut calendars = BTreeMap::from([("default".to_owned(), Calendar::default())]);
    for (name, table) in router.named("calendars") {
        let dates = table.list("holidays").iter().filter_map(|item| match &item.value {
            Value::Holiday(date, name) => Some((*date, name.clone())),
            _ => None,
        });
        let mut holidays = Holidays::from_dates(dates);
        for item in table.list("ics") {
            let Some(path) = item.text() else { continue };
            match files.read(path) {
                Ok(text) => {
                    let (read, problems) = Holidays::from_ics(&text);
                    let is_empty = read.iter().next().is_none();
                    // What is not understood of a calendar is no reason not to start.
                    for problem in problems {
                        desk.complain_of_file(path, problem.line, Complaint::new(problem.text), true);
                    }
                    if is_empty {
                        let complaint = Complaint::wanted("an iCalendar file with holidays", "none in it");
                        desk.complain(&item.place, &table.path_of("ics"), complaint);
                    }
                    holidays.merge(read);
                }
                Err(error) => {
                    let complaint =
                        Complaint::wanted("a file that can be read", format!("\"{}\": {error}", shown(path)));
                    desk.complain(&item.place, &table.path_of("ics"), complaint);
                }
            }
        }
        let calendar = Calendar {
            week: table.word("workdays").parse().unwrap_or_default(),
            hours: table.word("hours").parse().unwrap_or_default(),
            holidays: Arc::new(holidays),
            off: Vec::new(),
        };
        calendars.insert(name.clone(), calendar);
    }
    calendars
}

/// Times that recur.
pub(crate) fn intervals(desk: &mut Desk, router: &Table) -> BTreeMap<String, TimeInterval> {
    let mut intervals = BTreeMap::new();
    for (name, table) in router.named("intervals") {
        let zone = Zone::named(table.text("zone").unwrap_or_else(|| router.word("zone"))).unwrap_or_default();
        let mut interval = TimeInterval::always(zone);
        interval.times = parts(desk, table, "times");
        interval.weekdays = parts(desk, table, "weekdays");
        interval.days_of_month = parts(desk, table, "days_of_month");
        interval.months = parts(desk, table, "months");
        interval.years = parts(desk, table, "years");
        intervals.insert(name.clone(), interval);
    }
    intervals
}

fn parts<T: FromStr<Err: std::fmt::Display>>(desk: &mut Desk, table: &Table, key: &str) -> Vec<T> {
    let mut parts = Vec::new();
    for item in table.list(key) {
        let Some(text) = item.text() else { continue };
        match text.parse() {
            Ok(part) => parts.push(part),
            Err(error) => {
                let complaint = Complaint::new(format!("{error}, found \"{}\"", shown(text)));
                desk.complain(&item.place, &table.path_of(key), complaint);
            }
        }
    }
    parts
}

/// When digests are told.
pub(crate) fn digests(desk: &mut Desk, router: &Table) -> DigestPolicy {
    let mut policy = DigestPolicy::default();
    let Some(table) = router.table("digests") else { return policy };
    let slots = |table: &Table, usual: &Slots| Slots {
        name: table.word("name").to_owned(),
        at: table.time("at").unwrap_or(usual.at),
        zone: None,
    };
    let usual = policy.slots.clone();
    policy.slots = slots(table, &usual);
    policy.wait_for_presence = table.flag("wait_for_presence");
    policy.max_hold_days = table.count("max_hold_days");
    policy.unknown_grace_ms = table.duration("unknown_grace");
    policy.team_fallback_days = table.count("team_fallback_days");
    policy.max_rows = table.size("max_rows");
    for (name, channel) in table.named("channels") {
        if !name.starts_with('#') {
            let complaint = Complaint::wanted("a channel", format!("\"{}\"", shown(name)));
            let hint = format!("write [digests.channels.\"#{}\"]", shown(name));
            desk.complain(&channel.place, &channel.path, complaint.hint(hint));
        }
        let slots = Slots { zone: channel.owned("zone"), ..slots(channel, &usual) };
        policy.channels.insert(name.clone(), slots);
    }
    policy
}

/// What belongs together across services.
pub(crate) fn correlation(router: &Table) -> Correlation {
    let Some(table) = router.table("correlation") else { return Correlation::default() };
    let depends_on = table.map("depends_on").iter().map(|(name, item)| (name.clone(), item.texts()));
    Correlation {
        window_ms: table.duration("window"),
        depends_on: depends_on.collect(),
        co_burst: table.count("co_burst"),
    }
}

/// How "not me" is resolved.
pub(crate) fn ownership(desk: &mut Desk, router: &Table, names: &Names) -> Ownership {
    let Some(table) = router.table("ownership") else { return Ownership::default() };
    names.check_recipients(desk, table, "triage", false);
    Ownership {
        triage: table.owned("triage"),
        max_rejections: table.count("max_rejections"),
        undo_for_ms: table.duration("undo_for"),
    }
}
