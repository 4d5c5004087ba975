//! Snoozes as stories: who does what when, and what comes of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Concern, Kin, Scene, Snoozes};
use crate::book::Table;
use crate::manager::fixture::{Shelf, at_ms, command, config, event, id_of, message};
use crate::manager::{Desk, Roster, Subject};
use crate::outbox::{Draft, Outbox};
use crate::records::Records;
use crate::{
    Act, Audience, Config, Destination, Lane, Message, MessageId, Notice, NoticeKind, NoticeRow, Outcome,
    Receipt, Scope, Severity, Stamped, State,
};

struct World {
    config: Arc<Config>,
    snoozes: Snoozes,
    outbox: Outbox,
    records: Records,
    known: Known,
    shelf: Shelf,
    n: usize,
}

/// What the manager would know.
#[derive(Default)]
struct Known(BTreeMap<MessageId, Arc<Message>>);

impl Scene for Known {
    fn concern(&self, scope: &Scope) -> Result<(Scope, Concern), String> {
        let message = match scope {
            Scope::Message(id) => id.parse().ok(),
            Scope::Alert(name) => Some(id_of(name)),
            _ => None,
        };
        let known = message.and_then(|id| self.0.get(&id));
        let title = known.map_or_else(|| format!("{scope:?}"), |known| known.template.to_string());
        let owners = known.map(|known| known.owners.clone()).unwrap_or_default();
        let concern = Concern {
            severity: if title.starts_with("page") { Severity::High } else { Severity::Medium },
            title,
            message,
            told: owners.iter().map(|owner| Destination::named(&owner.name)).collect(),
            owners,
        };
        Ok((scope.clone(), concern))
    }

    fn kin(&self, episode: &str) -> Kin {
        let rule = episode.split_once('-').map(|(rule, _)| rule.to_owned());
        Kin { rule, group: None }
    }
}

impl World {
    fn new() -> World {
        let config = Arc::new(config());
        let mut snoozes = Snoozes::default();
        snoozes.configure(&Arc::new(Roster::new(&config, [])));
        let (outbox, records) = (Outbox::default(), Records::default());
        let (known, shelf) = (Known::default(), Shelf::default());
        World { config, snoozes, outbox, records, known, shelf, n: 0 }
    }

    fn save(&mut self) {
        let mut deltas = Vec::new();
        self.snoozes.deltas(&mut deltas);
        self.outbox.deltas(&mut deltas);
        self.records.deltas(&mut deltas);
        self.shelf.take(deltas);
    }

    /// Everything is forgotten but what was saved.
    fn restart(&mut self) {
        self.save();
        let shelf = std::mem::take(&mut self.shelf);
        let known = std::mem::take(&mut self.known);
        let n = self.n;
        *self = World { known, n, ..World::new() };
        for ((table, id), body) in &shelf.0 {
            match table {
                Table::Snoozes => self.snoozes.restore(id, body).unwrap(),
                Table::Hours => self.snoozes.restore_hours(id, body).unwrap(),
                Table::Outbox => self.outbox.restore(id, body).unwrap(),
                _ => self.records.restore(id, body).unwrap(),
            }
        }
        self.shelf = shelf;
    }

    fn scope(text: &str) -> Scope {
        let text = text.replace('_', " ");
        match text.split_once(':') {
            Some(("alert", name)) => Scope::Alert(name.to_owned()),
            Some(("rule", name)) => Scope::Rule(name.to_owned()),
            Some(("episode", name)) => Scope::Episode(name.to_owned()),
            _ => Scope::Message(id_of(&text).to_string()),
        }
    }

    fn audience(text: &str) -> Audience {
        match Destination::named(text) {
            Destination::Channel(name) => Audience::Channel(name),
            Destination::Person(name) => Audience::Person(name),
            _ if text == "me" => Audience::Person("me".to_owned()),
            _ => Audience::Everyone,
        }
    }

    /// Lets one line of a story happen, and says what came of it.
    fn live(&mut self, line: &str) -> String {
        let words: Vec<&str> = line.split_whitespace().collect();
        let now_ms = at_ms(&format!("2028-{}", words[0]));
        self.n += 1;
        let before: Vec<String> = self.outbox.iter().map(|intent| intent.id.clone()).collect();
        let mut desk =
            Desk { config: &self.config, outbox: &mut self.outbox, records: &mut self.records, now_ms };
        let mut said = Vec::new();
        match &words[1..] {
            // It prints: text, how often, `by` a release, `of` a service, `was` an earlier text.
            ["event", text, rest @ ..] => {
                let after = |word| rest.iter().skip_while(|known| **known != word).nth(1);
                let text = text.replace('_', " ");
                let owners = if text.starts_with("page") { vec!["@ann"] } else { vec!["#store"] };
                let mut message = message(&text, &owners);
                message.was.extend(after("was").map(|was| id_of(&was.replace('_', " "))));
                let message = match self.known.0.get(&message.id) {
                    Some(known) if **known == message => known.clone(),
                    _ => Arc::new(message),
                };
                self.known.0.insert(message.id, message.clone());
                let times = rest.iter().find_map(|word| word.strip_prefix('x')?.parse().ok()).unwrap_or(1);
                let service = after("of").copied().unwrap_or("db");
                let event = event(&message, now_ms, service, after("by").copied());
                for _ in 0..times {
                    let stamped = Stamped { event: &event, at_ms: now_ms, is_late: false };
                    self.snoozes.occur(&stamped, &mut desk);
                }
            }
            ["counted", scope, n] => {
                let name = scope.split_once(':').unwrap().1;
                let what = match World::scope(scope) {
                    Scope::Alert(_) => Subject { alert: Some(name), ..Subject::default() },
                    Scope::Rule(_) => Subject { rule: Some(name), ..Subject::default() },
                    _ => Subject { episode: Some(name), ..Subject::default() },
                };
                self.snoozes.counted(&what, n.parse().unwrap(), &mut desk);
            }
            // A notice with these rows is put into the outbox; with a `!` it is being sent.
            ["notice", to, scopes @ ..] => {
                let row = |scope: &&str| match World::scope(scope.trim_end_matches('!')) {
                    Scope::Message(id) => NoticeRow { message: Some(id), ..NoticeRow::default() },
                    Scope::Alert(id) => NoticeRow { alert: Some(id), ..NoticeRow::default() },
                    Scope::Episode(id) => NoticeRow { episode: Some(id), ..NoticeRow::default() },
                    _ => NoticeRow::default(),
                };
                let draft = Draft {
                    destination: Destination::named(to),
                    lane: Lane::Alert,
                    kind: NoticeKind::Open,
                    subject: scopes.join(" "),
                    revision: 0,
                    follows: None,
                    due_ms: now_ms,
                    held: None,
                    notice: Notice { rows: scopes.iter().map(row).collect(), ..Notice::default() },
                };
                let id = desk.outbox.post(draft, now_ms, desk.records);
                if scopes.iter().any(|scope| scope.ends_with('!')) {
                    desk.outbox.receipt(&Receipt { intent: id, at_ms: now_ms, outcome: Outcome::Sending });
                }
                return "in the outbox".to_owned();
            }
            ["outbox", to] => {
                let theirs = self.outbox.iter().filter(|intent| intent.destination.name() == *to);
                let states = theirs.map(|intent| {
                    let rows = intent.notice.rows.len();
                    format!("{} {rows}", format!("{:?}", intent.state).to_lowercase())
                });
                return states.collect::<Vec<_>>().join(", ");
            }
            ["hides", scope, to] => {
                let scope = World::scope(scope);
                let what = match &scope {
                    Scope::Message(id) => Subject { message: id.parse().ok(), ..Subject::default() },
                    Scope::Alert(id) => Subject { alert: Some(id), ..Subject::default() },
                    Scope::Rule(id) => Subject { rule: Some(id), ..Subject::default() },
                    Scope::Group(id) => Subject { group: Some(id), ..Subject::default() },
                    Scope::Episode(id) => Subject { episode: Some(id), ..Subject::default() },
                };
                let hides = self.snoozes.hides(&what, &Destination::named(to), now_ms);
                return if hides.is_some() { "yes" } else { "no" }.to_owned();
            }
            // How often it came in each of the last hours.
            ["hours", text, n] => {
                let found = self.snoozes.by_hour(id_of(&text.replace('_', " ")), n.parse().unwrap(), now_ms);
                let name = |id| self.known.0.get(&id).map(|message| message.template.to_string());
                return found.map_or("never".to_owned(), |(id, n)| format!("{} {n:?}", name(id).unwrap()));
            }
            ["tick"] => self.snoozes.tick(&mut desk),
            [actor, "snooze", scope, until, audience] => {
                let act = Act::Snooze {
                    scope: World::scope(scope),
                    audience: World::audience(audience),
                    until: (*until).to_owned(),
                    reason: None,
                };
                let command = command(&self.n.to_string(), actor, now_ms, act);
                let answer = self.snoozes.command(&command, &self.known, &mut desk).unwrap();
                // A second click.
                if answer.is_done {
                    let again = self.snoozes.command(&command, &self.known, &mut desk).unwrap();
                    assert!(again.is_done && again.text.contains("already"), "{}", again.text);
                    assert_eq!(again.body["snooze"], answer.body["snooze"]);
                }
                said.push(answer.text);
            }
            [actor, "undo", text] => {
                let id = self.snoozes.list().find(|snooze| snooze.title == text.replace('_', " ")).unwrap();
                let act = Act::Unsnooze { id: id.id[..8].to_owned() };
                let command = command(&self.n.to_string(), actor, now_ms, act);
                said.push(self.snoozes.command(&command, &self.known, &mut desk).unwrap().text);
            }
            _ => panic!("a story has no such line: {line}"),
        }
        for intent in self.outbox.iter().filter(|intent| !before.contains(&intent.id)) {
            said.push(format!(
                "{}: {} ({})",
                intent.destination.name(),
                intent.notice.title,
                intent.notice.because
            ));
            assert_eq!(intent.state, State::Pending);
        }
        // What wakes is sent at once: a later snooze has nothing of it to hold back.
        let new: Vec<String> = self.outbox.waiting().map(|intent| intent.id.clone()).collect();
        for intent in new.into_iter().filter(|id| !before.contains(id)) {
            let outcome = Outcome::Delivered("1".to_owned());
            self.outbox.receipt(&Receipt { intent, at_ms: now_ms, outcome });
        }
        said.join("; ")
    }
}

/// A story: moments of 2028 by the clock in Berlin, what happens, and after `->` what comes of it. It is
/// lived twice: without a break, and with a restart before every line; that makes no difference.
#[track_caller]
fn check(story: &str) {
    let lines = story.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines: Vec<(&str, &str)> = lines.map(|line| line.split_once("->").unwrap_or((line, ""))).collect();
    let (mut world, mut restarted) = (World::new(), World::new());
    for (line, expected) in lines {
        assert_eq!(world.live(line), expected.trim(), "{line}");
        restarted.restart();
        assert_eq!(restarted.live(line), expected.trim(), "after a restart: {line}");
    }
    world.save();
    restarted.save();
    assert_eq!(world.shelf, restarted.shelf);
}

#[test]
fn until_a_time_by_the_clock_of_who_asks() {
    check(
        "
        03-24T10:00 event disk_full
        03-24T10:00 @ann snooze disk_full 4h me -> disk full snoozed for you until Fri 2028-03-24 14:00 (Europe/Berlin).
        03-24T10:01 hides disk_full @ann -> yes
        03-24T10:01 hides disk_full ann@corp.example -> yes
        03-24T10:01 hides disk_full @bob -> no
        03-24T10:01 hides disk_full #store -> no
        03-24T10:01 hides net_down @ann -> no
        03-24T11:00 event disk_full x3
        03-24T13:59:59 tick ->
        03-24T14:00 hides disk_full @ann -> no
        03-24T14:00 tick -> @ann: 3 occurrences while snoozed: disk full (its time has come)
        03-24T14:01 tick ->
        03-24T15:00 @eve snooze disk_full tomorrow me -> disk full snoozed for you until Sat 2028-03-25 09:00 (Asia/Kathmandu).
        03-24T15:00 @ann snooze disk_full next-workday me -> disk full snoozed for you until Mon 2028-03-27 09:00 (Europe/Berlin).
        03-25T04:15 tick ->
        03-27T08:59:59 tick ->
        03-27T09:00 tick ->
        ",
    );
}

#[test]
fn until_it_occurs_so_often() {
    check(
        "
        03-24T10:00 event disk_full
        03-24T10:00 @ann snooze disk_full count:3 #store -> disk full snoozed for #store until it occurs 3 more times.
        03-24T10:01 event disk_full x2 ->
        03-24T10:02 hides disk_full #store -> yes
        03-24T10:03 event disk_full -> #store: 3 occurrences while snoozed: disk full (it occurred 3 times)
        03-24T10:04 hides disk_full #store -> no
        03-24T10:05 @ann snooze rule:spike count:10 everyone -> only an owner or an administrator can snooze something for everyone; its owners: nobody
        03-24T10:05 @cyd snooze rule:spike count:10 everyone -> Rule(\"spike\") snoozed for everyone until it occurs 10 more times.
        03-24T10:06 hides rule:spike pager -> yes
        03-24T10:06 counted rule:spike 9
        03-24T10:07 counted rule:other 9
        03-24T10:08 counted rule:spike 5 -> @cyd: 14 occurrences while snoozed: Rule(\"spike\") (it occurred 10 times)
        ",
    );
}

#[test]
fn until_it_escalates() {
    // The busiest hour of the last seven days had five; on the first of the month it had twenty.
    check(
        "
        03-01T10:00 event disk_full x20
        03-20T10:00 event disk_full x5
        03-22T10:59 event disk_full x2
        03-22T11:00 event disk_full x4
        03-24T10:00 @ann snooze disk_full rate:4 #store -> disk full snoozed for #store until it occurs more than 20 times in an hour.
        03-24T10:30 event disk_full x15
        03-24T11:10 event disk_full x20
        03-24T11:59 event disk_full -> #store: 36 occurrences while snoozed: disk full (it occurred more than 20 times in an hour)
        03-24T12:10 @ann snooze disk_full rate me -> disk full snoozed for you until it occurs more than 63 times in an hour.
        03-24T12:20 event net_down
        03-24T12:20 @ann snooze net_down rate me -> net down snoozed for you until it occurs more than 10 times in an hour.
        03-24T12:30 event net_down x9
        03-24T12:31 event net_down -> @ann: 10 occurrences while snoozed: net down (it occurred more than 10 times in an hour)
        03-24T12:40 @cyd snooze rule:spike rate me -> `rate` is counted for messages: wanted a message, or a time, count:N or forever
        03-24T12:40 @ann snooze net_down rate:0 me -> wanted a number from 1 to 1000 after `rate:`
        ",
    );
}

#[test]
fn until_a_release_that_nobody_had_seen() {
    check(
        "
        03-24T09:00 event net_down by 1.1
        03-24T09:00 event net_down by 1.2
        03-24T09:30 event disk_full by 1.1
        03-24T10:00 @ann snooze disk_full next-release #store -> disk full snoozed for #store until the next release.
        03-24T10:01 event disk_full by 1.1
        03-24T10:02 event disk_full by 1.2
        03-24T10:03 event disk_full by 1.2 of backup
        03-24T10:04 event disk_full
        03-24T10:05 event net_down by 1.3
        03-24T10:05 hides disk_full #store -> yes
        03-24T10:06 event disk_full by 1.3 -> #store: 5 occurrences while snoozed: disk full (release 1.3 has it still)
        03-24T10:06 @ann snooze alert:disk_full next-release me -> disk full snoozed for you until the next release.
        03-24T10:07 event disk_full by 1.2
        03-24T10:08 event disk_full by 1.4 -> @ann: 1 occurrence while snoozed: disk full (release 1.4 has it still)
        ",
    );
}

#[test]
fn a_mute_hides_for_good_and_is_shown_again() {
    check(
        "
        01-10T10:00 event disk_full
        01-10T10:00 event net_down
        01-10T10:00 @ann snooze disk_full forever me -> disk full snoozed for you for good.
        02-10T10:00 @ann snooze net_down mute me -> net down snoozed for you for good.
        02-11T10:00 event disk_full x7
        02-11T10:00 event net_down x12
        04-09T10:59 tick ->
        04-09T11:00 tick -> @ann: still muted: 2 messages, 19 occurrences (mutes are shown again every 90 days)
        05-10T11:00 tick ->
        07-08T11:00 tick -> @ann: still muted: 2 messages, 19 occurrences (mutes are shown again every 90 days)
        07-09T11:00 hides disk_full @ann -> yes
        07-09T11:00 @bob undo disk_full -> this snooze is for @ann: only they or an administrator can take it back
        07-09T11:00 @ann undo disk_full -> No longer snoozed: disk full. 7 occurrences came meanwhile.
        07-09T11:01 hides disk_full @ann -> no
        ",
    );
}

#[test]
fn who_may_hide_what_from_whom() {
    check(
        "
        03-24T10:00 event disk_full
        03-24T10:00 event page_lost
        03-24T10:00 @eve snooze disk_full 1h #store -> disk full snoozed for #store until Fri 2028-03-24 15:45 (Asia/Kathmandu).
        03-24T10:00 @eve snooze disk_full 1h everyone -> only an owner or an administrator can snooze something for everyone; its owners: #store
        03-24T10:00 @eve snooze page_lost 1h #ops -> its severity is high: only an owner or an administrator can snooze it for #ops; its owners: @ann
        03-24T10:00 @eve snooze page_lost 1h me -> page lost snoozed for you until Fri 2028-03-24 15:45 (Asia/Kathmandu).
        03-24T10:00 @eve snooze disk_full 1h @ann -> only @ann or an administrator can snooze something for @ann
        03-24T10:00 @bob snooze disk_full 1h everyone -> disk full snoozed for everyone until Fri 2028-03-24 11:00 (Europe/Berlin).
        03-24T10:00 @ann snooze page_lost 1h everyone -> page lost snoozed for everyone until Fri 2028-03-24 11:00 (Europe/Berlin).
        03-24T10:00 @cyd snooze page_lost 1h @eve -> page lost snoozed for @eve until Fri 2028-03-24 11:00 (Europe/Berlin).
        03-24T10:00 @ann snooze disk_full soon me -> `soon` is no time: wanted 30m, 2h, 1d, tomorrow, next-workday, monday, 17:00, 2026-12-01, 2026-12-01T09:00 or a time by RFC 3339; or count:100, rate:3, next-release, forever
        ",
    );
}

#[test]
fn what_waits_is_held_back_and_what_is_on_its_way_is_written_down() {
    check(
        "
        03-24T10:00 event disk_full
        03-24T10:00 notice #store disk_full -> in the outbox
        03-24T10:00 notice #ops disk_full net_down -> in the outbox
        03-24T10:00 notice @ann disk_full! -> in the outbox
        03-24T10:00 notice @bob net_down -> in the outbox
        03-24T10:01 @bob snooze disk_full 1h everyone -> disk full snoozed for everyone until Fri 2028-03-24 11:01 (Europe/Berlin). Held back: 2 notices. On their way already: 1 notice.
        03-24T10:02 outbox #store -> suppressed 1
        03-24T10:02 outbox #ops -> pending 1
        03-24T10:02 outbox @ann -> sending 1
        03-24T10:02 outbox @bob -> pending 1
        03-24T10:03 notice pager episode:spike-1 -> in the outbox
        03-24T10:04 @cyd snooze rule:spike 1h everyone -> Rule(\"spike\") snoozed for everyone until Fri 2028-03-24 11:04 (Europe/Berlin). Held back: 1 notice.
        ",
    );
}

#[test]
fn another_snooze_of_the_same_thing_takes_the_place_of_the_first() {
    check(
        "
        03-24T10:00 event disk_full
        03-24T10:00 @ann snooze disk_full 30m me -> disk full snoozed for you until Fri 2028-03-24 10:30 (Europe/Berlin).
        03-24T10:10 event disk_full x2
        03-24T10:20 @ann snooze disk_full 1h me -> disk full snoozed for you until Fri 2028-03-24 11:20 (Europe/Berlin).
        03-24T10:30 tick ->
        03-24T10:40 event disk_full x3
        03-24T11:20 tick -> @ann: 5 occurrences while snoozed: disk full (its time has come)
        ",
    );
}

#[test]
fn a_snooze_goes_along_with_its_message() {
    check(
        "
        03-24T10:00 event unmatched_disk_#
        03-24T10:00 @ann snooze unmatched_disk_# 1d me -> unmatched disk # snoozed for you until Sat 2028-03-25 10:00 (Europe/Berlin).
        03-24T10:01 event unmatched_disk_# x4
        03-24T11:00 event disk_full x2 was unmatched_disk_#
        03-24T11:00 hides disk_full @ann -> yes
        03-24T12:00 event disk_is_full x3 was disk_full
        03-24T12:00 hides disk_is_full @ann -> yes
        03-24T12:00 hides disk_full @ann -> yes
        03-24T12:30 event disk_full x1
        03-25T10:00 tick -> @ann: 10 occurrences while snoozed: unmatched disk # (its time has come)
        03-25T10:01 @ann snooze disk_full rate:2 me -> disk is full snoozed for you until it occurs more than 10 times in an hour.
        03-25T10:01 hides disk_is_full @ann -> yes
        ",
    );
}

#[test]
fn how_often_it_came_by_the_hour_is_kept() {
    check(
        "
        03-24T10:00 hours disk_full 3 -> never
        03-24T10:05 event disk_full x4
        03-24T10:30 hours disk_full 3 -> disk full [0, 0, 4]
        03-24T11:10 event disk_full x2
        03-24T13:50 event disk_full x1
        03-24T13:55 hours disk_full 5 -> disk full [0, 4, 2, 0, 1]
        03-24T12:05 event disk_full x3
        03-24T09:59 event disk_full x5
        03-24T13:59 hours disk_full 5 -> disk full [5, 4, 2, 3, 1]
        03-24T16:30 event disk_is_full x7 was disk_full
        03-24T16:30 event net_down x1
        03-24T17:00 hours disk_full 9 -> disk is full [5, 4, 2, 3, 1, 0, 0, 7, 0]
        03-24T16:00 hours disk_full 2 -> disk is full [0, 7]
        03-24T15:00 hours net_down 1 -> net down [1]
        03-31T17:00 hours disk_full 2 -> never
        03-31T17:00 event disk_is_full x1
        03-31T18:00 hours disk_is_full 2 -> disk is full [1, 0]
        ",
    );
}

#[test]
fn a_year_later_hardly_anything_is_left() {
    let mut world = World::new();
    for n in 0..40 {
        world.live(&format!("01-{:02}T10:00 event m{n}", n % 28 + 1));
        world.live(&format!("01-{:02}T10:00 @ann snooze m{n} 1h me", n % 28 + 1));
    }
    world.live("03-01T10:00 tick");
    world.live("12-31T10:00 tick");
    assert_eq!(world.snoozes.list().count(), 0);
    world.save();
    let tables = [Table::Snoozes, Table::Hours];
    let left: Vec<&String> =
        world.shelf.0.keys().filter(|(table, _)| tables.contains(table)).map(|(_, id)| id).collect();
    assert_eq!(left, [""; 0]);
}
