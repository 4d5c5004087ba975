//! Escalations as timetables: who is told when, and what stops it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use dice_catalog::{Owner, Why};

use super::{Escalations, Means, Situation, Standing, Watch};
use crate::book::Table;
use crate::config::{Policy, Step, StepIf, Target};
use crate::manager::fixture::{Shelf, at_ms, command, config};
use crate::manager::{Alarms, Desk, Roster, Storm};
use crate::outbox::Outbox;
use crate::records::Records;
use crate::{
    Act, Cause, CloseReason, Config, Destination, Evidence, Intent, Lane, NoticeKind, NoticeRow, Outcome,
    Receipt, Severity,
};

/// Episodes as the manager would know them.
#[derive(Default)]
struct Known {
    open: BTreeMap<String, Situation>,
    /// Hidden from everybody, or from somebody.
    hidden: RefCell<BTreeMap<(String, Option<String>), String>>,
}

impl Watch for Known {
    fn situation(&self, episode: &str) -> Option<Situation> {
        self.open.get(episode).cloned()
    }

    fn hides(&self, episode: &str, destination: &Destination) -> Option<(Cause, String)> {
        let key = (episode.to_owned(), Some(destination.name().to_owned()));
        self.hidden.borrow().get(&key).map(|by| (Cause::Snoozed, by.clone()))
    }

    fn hides_from_all(&self, episode: &str) -> Option<String> {
        self.hidden.borrow().get(&(episode.to_owned(), None)).cloned()
    }

    fn open(&self) -> Vec<String> {
        self.open.keys().cloned().collect()
    }
}

#[derive(Default)]
struct World {
    escalations: Escalations,
    storm: Storm,
    alarms: Alarms,
    outbox: Outbox,
    records: Records,
    shelf: Shelf,
    known: Known,
    now_ms: i64,
    n: usize,
}

impl World {
    fn new(config: &Arc<Config>) -> World {
        let mut world = World::default();
        world.escalations.configure(&Arc::new(Roster::new(config, [])));
        world
    }

    fn save(&mut self) {
        let mut deltas = Vec::new();
        self.escalations.deltas(&mut deltas);
        self.storm.deltas(&mut deltas);
        self.alarms.deltas(&mut deltas);
        self.outbox.deltas(&mut deltas);
        self.records.deltas(&mut deltas);
        self.shelf.take(deltas);
    }

    fn restart(&mut self, config: &Arc<Config>) {
        self.save();
        let shelf = std::mem::take(&mut self.shelf);
        let known = std::mem::take(&mut self.known);
        *self = World { known, now_ms: self.now_ms, n: self.n, ..World::new(config) };
        for ((table, id), body) in &shelf.0 {
            match table {
                Table::Escalations => self.escalations.restore(id, body).unwrap(),
                Table::Storms => self.storm.restore(id, body).unwrap(),
                Table::Notes => self.alarms.restore(id, body).unwrap(),
                Table::Outbox => self.outbox.restore(id, body).unwrap(),
                _ => self.records.restore(id, body).unwrap(),
            }
        }
        self.shelf = shelf;
    }

    /// What is new in the outbox; it is delivered at once, unless nothing can be.
    fn told(&mut self, before: &BTreeMap<String, ()>, is_stuck: bool) -> Vec<String> {
        let mut new: Vec<Intent> =
            self.outbox.waiting().filter(|intent| !before.contains_key(&intent.id)).cloned().collect();
        new.sort_by(|a, b| (a.revision, &a.destination).cmp(&(b.revision, &b.destination)));
        let mut said = Vec::new();
        for intent in new {
            let (at_ms, intent_id) = (self.now_ms, intent.id.clone());
            if !is_stuck {
                let outcome = Outcome::Delivered("1".to_owned());
                self.outbox.receipt(&Receipt { intent: intent_id, at_ms, outcome });
            }
            let kind = match intent.kind {
                NoticeKind::Escalation => String::new(),
                kind => format!("{} ", serde_json::to_value(kind).unwrap().as_str().unwrap()),
            };
            let page = if intent.lane == Lane::Page { " page" } else { "" };
            let follows = if intent.follows.is_some() { "+" } else { "" };
            let notes: Vec<&String> =
                intent.notice.notes.iter().filter(|note| !note.starts_with("next in")).collect();
            let notes: String = notes.iter().map(|note| format!(" ~ {note}")).collect();
            let name = intent.destination.name();
            said.push(format!("{follows}{name}{page} {kind}{}{notes}", intent.notice.title));
        }
        said
    }

    fn live(&mut self, config: &Config, line: &str) -> String {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        let is_stuck = words[1] == "stuck";
        words.drain(1..1 + usize::from(is_stuck));
        let now_ms = at_ms(&format!("2028-{}", words[0]));
        self.now_ms = now_ms;
        self.n += 1;
        let before: BTreeMap<String, ()> = self.outbox.iter().map(|row| (row.id.clone(), ())).collect();
        let desk = &mut Desk { config, outbox: &mut self.outbox, records: &mut self.records, now_ms };
        let value = |name: &str| words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        let count = value("count").map_or(1, |n| n.parse().unwrap());
        let severity = words.iter().find_map(|word| match *word {
            "low" => Some(Severity::Low),
            "medium" => Some(Severity::Medium),
            "high" => Some(Severity::High),
            _ => None,
        });
        if let ["open", id, ..] = &words[1..] {
            let owners = value("owners").unwrap_or("@ann").split(',');
            let told = value("told").unwrap_or("#store").split(',').filter(|name| !name.is_empty());
            let evidence = Evidence { count, ..Evidence::default() };
            let now = Situation {
                severity: severity.unwrap(),
                policy: value("policy").map(str::to_owned),
                title: id.to_string(),
                row: NoticeRow { title: id.to_string(), evidence, ..NoticeRow::default() },
                owners: owners.map(|name| Owner::named(name, Why::Author)).collect(),
                told: told.map(|name| (Destination::named(name), Some("first".to_owned()))).collect(),
            };
            self.known.open.insert((*id).to_owned(), now);
        }
        let closed = match &words[1..] {
            ["close" | "instant" | "lose", id] => self.known.open.remove(*id),
            _ => None,
        };
        if let ["update", id, ..] = &words[1..] {
            let now = self.known.open.get_mut(*id).unwrap();
            now.severity = severity.unwrap_or(now.severity);
            now.row.evidence.count = count;
        }
        let means = &mut Means { watch: &self.known, storm: &mut self.storm, alarms: &mut self.alarms };
        let mut said = Vec::new();
        match &words[1..] {
            ["open", id, ..] => self.escalations.open(id, means, desk),
            ["update", id, ..] => self.escalations.update(id, means, desk),
            ["close", id] => {
                self.escalations.close(id, CloseReason::Cleared, &closed.unwrap(), means, desk);
            }
            ["instant", id] => {
                self.escalations.close(id, CloseReason::Instant, &closed.unwrap(), means, desk);
            }
            // The manager forgets an episode, or to open one.
            ["lose", _] => {}
            ["tick"] => self.escalations.tick(means, desk),
            ["waiting"] => {
                let waiting = self
                    .outbox
                    .waiting()
                    .map(|intent| format!("{} {:?}", intent.destination.name(), intent.kind));
                return waiting.collect::<Vec<_>>().join(", ");
            }
            [verb @ ("hide" | "show"), id, rest @ ..] => {
                let key = ((*id).to_owned(), rest.first().map(|name| (*name).to_owned()));
                match *verb {
                    "hide" => self.known.hidden.borrow_mut().insert(key, "s1".to_owned()),
                    _ => self.known.hidden.borrow_mut().remove(&key),
                };
                self.escalations.look_again(means, desk);
            }
            ["state", id] => {
                return self.escalations.of(id).map(state).collect::<Vec<_>>().join(", ");
            }
            ["audit"] => {
                let passed_ms = self.escalations.last_audit_ms();
                return passed_ms.map_or(String::new(), |at_ms| format!("{} s ago", (now_ms - at_ms) / 1000));
            }
            ["due-lost", id] => {
                // What only a bug could do.
                let row = self.escalations.rows_of(id).remove(0);
                self.escalations.change(&row, |row| row.due_ms = None);
            }
            [actor, verb, rest @ ..] => {
                let episode = rest.first().copied().unwrap_or_default().to_owned();
                let act = match *verb {
                    "ack" => Act::Ack { episode },
                    "unack" => Act::Unack { episode },
                    "apply" => Act::ApplyPolicies,
                    _ => panic!("a story has no such line: {line}"),
                };
                let command = command(&self.n.to_string(), actor, now_ms, act);
                said.push(self.escalations.command(&command, means, desk).unwrap().text);
            }
            _ => panic!("a story has no such line: {line}"),
        }
        said.extend(self.told(&before, is_stuck));
        said.join("; ")
    }
}

fn state(row: &super::Escalation) -> String {
    let state = match &row.state {
        Standing::Running => "running".to_owned(),
        Standing::Acked { by, .. } => format!("acked by {by}"),
        Standing::Paused { by, .. } => format!("paused by {by}"),
        Standing::Done { why } => format!("done: {why}"),
    };
    format!("{} {state}", row.name)
}

/// A story: moments of 2028 in Berlin, what happens, and after `->` who is told what; with `+` where it follows
/// an earlier notice. It is lived twice: without a break, and with a restart before every line; that makes no
/// difference.
#[track_caller]
fn check(config: Config, story: &str) {
    let config = Arc::new(config);
    let (mut world, mut restarted) = (World::new(&config), World::new(&config));
    for line in story.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (line, expected) = line.split_once("->").unwrap_or((line, ""));
        assert_eq!(world.live(&config, line), expected.trim(), "{line}");
        restarted.restart(&config);
        assert_eq!(restarted.live(&config, line), expected.trim(), "after a restart: {line}");
    }
    world.save();
    restarted.save();
    assert_eq!(world.shelf, restarted.shelf);
}

fn step(after_min: i64, to: &[&str]) -> Step {
    let target = |name: &&str| match *name {
        "owner" => Target::Owner,
        "channel" => Target::Channel,
        name => match name.strip_prefix("on-call:") {
            Some(schedule) => Target::OnCall(schedule.to_owned()),
            None => Target::To(name.to_owned()),
        },
    };
    let to = to.iter().map(target).collect();
    Step { after_ms: after_min * 60_000, only_if: Vec::new(), to, remind_ms: None }
}

fn with(name: &str, policy: Policy) -> Config {
    let mut config = config();
    config.policies.insert(name.to_owned(), policy);
    config
}

fn policy(steps: Vec<Step>) -> Policy {
    Policy { steps, repeat: 0, ack_timeout_ms: 30 * 60_000, resolve_quietly: false }
}

#[test]
fn medium_goes_to_the_owner_and_then_to_the_pager() {
    check(
        config(),
        "
        03-24T10:00 open disk medium
        03-24T10:09:59 tick ->
        03-24T10:10 tick -> @ann not acknowledged for 10 m: disk
        03-24T10:11 tick ->
        03-24T10:25 tick -> pager page not acknowledged for 25 m: disk
        03-24T10:25 state disk -> medium done: all steps were taken
        03-24T18:00 tick ->
        03-24T18:05 close disk -> +@ann resolved over: disk ~ it lasted 8 h 5 m; +pager page resolved over: disk ~ it lasted 8 h 5 m
        ",
    );
}

#[test]
fn low_stays_in_the_channel_and_high_pages_at_once() {
    check(
        config(),
        "
        03-24T10:00 open disk low
        03-24T10:00 state disk -> low done: all steps were taken
        03-24T10:00 open net high -> pager page net
        03-24T10:10 tick -> @ann page not acknowledged for 10 m: net
        03-24T10:20 tick -> +#store page not acknowledged for 20 m: net; +pager page not acknowledged for 20 m: net
        03-24T10:30 tick -> +@ann page not acknowledged for 30 m: net
        03-24T11:00 tick ->
        03-24T11:00 close disk ->
        03-24T11:00 instant net ->
        ",
    );
}

#[test]
fn who_is_told_anyway_is_not_told_twice_at_the_opening() {
    check(config(), "03-24T10:00 open net high told=#store,pager ->");
    check(
        with("twice", policy(vec![step(0, &["owner", "channel"]), step(5, &["owner", "channel"])])),
        "
        03-24T10:00 open net medium policy=twice told=@ann,#store
        03-24T10:05 tick -> +@ann not acknowledged for 5 m: net; +#store not acknowledged for 5 m: net
        ",
    );
}

#[test]
fn an_acknowledgement_stops_it_for_a_while() {
    check(
        config(),
        "
        03-24T10:00 open disk-1 medium
        03-24T10:00 open disk-2 medium
        03-24T10:00 open net-1 medium
        03-24T10:05 @bob ack dis -> `dis` fits 2 open episodes: disk-1 (disk-1), disk-2 (disk-2)
        03-24T10:05 @bob ack cpu -> there is no episode `cpu`: `dice episodes` lists them
        03-24T10:05 @bob ack disk-1 -> @bob is on it until Fri 14:05 (Europe/Berlin): disk-1. Nobody else is called meanwhile.
        03-24T10:05 @bob ack disk-2 -> @bob is on it until Fri 14:05 (Europe/Berlin): disk-2. Nobody else is called meanwhile.
        03-24T10:05 close disk-2
        03-24T10:10 tick -> @ann not acknowledged for 10 m: net-1
        03-24T10:11 @ann ack net -> @ann is on it until Fri 14:11 (Europe/Berlin): net-1. Nobody else is called meanwhile.
        03-24T10:12 @bob ack net -> @bob is on it until Fri 14:12 (Europe/Berlin): net-1. Nobody else is called meanwhile.; +@ann acknowledged @bob is on it: net-1
        03-24T10:13 update disk-1 count=100
        03-24T14:04:59 tick ->
        03-24T14:05 tick -> @ann not acknowledged for 4 h 5 m: disk-1 ~ ack by @bob expired
        03-24T14:06 @bob ack disk-1 -> @bob is on it until Fri 18:06 (Europe/Berlin): disk-1. Nobody else is called meanwhile.; +@ann acknowledged @bob is on it: disk-1
        03-24T14:07 @bob unack disk-1 -> @bob is no longer on it: disk-1. The next step is taken now.; pager page not acknowledged for 4 h 7 m: disk-1 ~ @bob is no longer on it
        03-24T14:08 @bob unack disk-1 -> Nobody is on it: disk-1.
        03-24T14:09 @bob ack disk-2 -> episode disk-2 has ended
        03-24T14:10 @bob ack disk-1 -> @bob is on it until Fri 18:10 (Europe/Berlin): disk-1. Nobody else is called meanwhile.; +@ann acknowledged @bob is on it: disk-1; +pager page acknowledged @bob is on it: disk-1
        03-24T18:10 close net-1 -> +@ann resolved over: net-1 ~ it lasted 8 h 10 m
        03-24T18:10 tick -> +pager page not acknowledged for 8 h 10 m: disk-1 ~ ack by @bob expired
        ",
    );
}

#[test]
fn an_acknowledgement_does_not_cover_something_worse() {
    check(
        config(),
        "
        03-24T10:00 open disk medium
        03-24T10:05 @bob ack disk -> @bob is on it until Fri 14:05 (Europe/Berlin): disk. Nobody else is called meanwhile.
        03-24T10:20 update disk high -> pager page disk ~ severity rose to high
        03-24T10:20 state disk -> high running, medium done: severity rose to high
        ",
    );
    check(
        with("mine", policy(vec![step(0, &["channel"]), step(10, &["owner"])])),
        "
        03-24T10:00 open disk medium policy=mine
        03-24T10:05 @bob ack disk -> @bob is on it until Fri 10:35 (Europe/Berlin): disk. Nobody else is called meanwhile.
        03-24T10:20 update disk high -> @ann page not acknowledged for 20 m: disk ~ severity rose from medium to high
        ",
    );
}

#[test]
fn the_end_is_told_by_every_policy() {
    check(
        config(),
        "
        03-24T10:00 open disk medium
        03-24T10:10 tick -> @ann not acknowledged for 10 m: disk
        03-24T10:20 update disk high -> pager page disk ~ severity rose to high
        03-24T10:30 close disk -> +@ann page resolved over: disk ~ it lasted 30 m; +pager page resolved over: disk ~ it lasted 10 m
        ",
    );
}

#[test]
fn a_repeated_acknowledgement_holds_back_nothing() {
    check(
        config(),
        "
        03-24T10:00 open disk high -> pager page disk
        03-24T10:01 stuck @bob ack disk -> @bob is on it until Fri 10:31 (Europe/Berlin): disk. Nobody else is called meanwhile.; +pager page acknowledged @bob is on it: disk
        03-24T10:02 stuck @bob ack disk -> @bob is on it until Fri 10:32 (Europe/Berlin): disk. Nobody else is called meanwhile.
        03-24T10:02 waiting -> pager Acknowledged
        ",
    );
}

#[test]
fn what_was_missed_is_done_once() {
    check(
        config(),
        "
        03-24T10:00 open disk medium
        03-24T10:17 tick -> @ann not acknowledged for 17 m: disk ~ delayed 7 m by restart
        03-24T10:18 tick ->
        03-24T10:32 tick -> pager page not acknowledged for 32 m: disk
        03-24T10:33 open net medium
        03-27T10:33 tick -> @ann not acknowledged for 2 d 23 h: net ~ delayed 2 d 22 h by restart
        03-27T10:34 tick ->
        ",
    );
}

#[test]
fn what_waits_for_nothing_any_more_is_taken_back() {
    check(
        config(),
        "
        03-24T10:00 open disk medium
        03-24T10:10 stuck tick -> @ann not acknowledged for 10 m: disk
        03-24T10:11 close disk ->
        03-24T10:12 open net medium
        03-24T10:22 stuck tick -> @ann not acknowledged for 10 m: net
        03-24T10:23 @ann ack net -> @ann is on it until Fri 14:23 (Europe/Berlin): net. Nobody else is called meanwhile.
        03-24T10:24 close net ->
        ",
    );
}

#[test]
fn what_is_hidden_from_everybody_waits() {
    check(
        config(),
        "
        03-24T10:00 open disk medium
        03-24T10:04 hide disk
        03-24T10:04 state disk -> medium paused by s1
        03-24T12:00 tick ->
        03-24T14:04 show disk
        03-24T14:09:59 tick ->
        03-24T14:10 tick -> @ann not acknowledged for 4 h 10 m: disk ~ was hidden for 4 h
        03-24T14:11 hide disk pager
        03-24T14:25 tick ->
        03-24T14:26 close disk -> +@ann resolved over: disk ~ it lasted 4 h 26 m
        ",
    );
}

#[test]
fn rounds_reminders_and_conditions() {
    let severe = Step { only_if: vec![StepIf::Severity(Severity::High)], ..step(1, &["#bosses"]) };
    let open = Step { only_if: vec![StepIf::WorkingHours(true)], ..step(1, &["#office"]) };
    let many = Step { only_if: vec![StepIf::Count(50, 10 * 60_000)], ..step(1, &["#many"]) };
    let last = Step { remind_ms: Some(20 * 60_000), ..step(5, &["owner"]) };
    check(
        with("mine", Policy { repeat: 1, ..policy(vec![severe, open, many, last]) }),
        "
        03-24T17:58 open disk medium policy=mine
        03-24T17:59 tick ->
        03-24T18:00 tick ->
        03-24T18:00:30 update disk count=49
        03-24T18:01 tick ->
        03-24T18:06 tick -> @ann not acknowledged for 8 m: disk
        03-24T18:11 update disk count=120
        03-24T18:11 tick ->
        03-24T18:12 tick ->
        03-24T18:13 tick -> #many not acknowledged for 15 m: disk
        03-24T18:18 tick -> +@ann not acknowledged for 20 m: disk
        03-24T18:38 tick -> +@ann reminder still not acknowledged after 40 m: disk
        03-24T18:58 tick -> +@ann reminder still not acknowledged after 1 h: disk
        03-24T18:59 @ann ack disk -> @ann is on it until Fri 19:29 (Europe/Berlin): disk. Nobody else is called meanwhile.; +#many acknowledged @ann is on it: disk
        03-24T19:18 tick ->
        03-24T19:29 tick -> +@ann not acknowledged for 1 h 31 m: disk ~ ack by @ann expired
        03-24T19:49 tick -> +@ann reminder still not acknowledged after 1 h 51 m: disk
        ",
    );
}

#[test]
fn who_is_on_call_changes_by_the_schedules_clock() {
    // Ann has the first week, Dan the second, and Dan has left to Bob. Clocks change on Sunday.
    check(
        with("mine", policy(vec![step(0, &["on-call:weekly"]), step(10, &["on-call:weekly"])])),
        "
        03-20T08:59 open early medium policy=mine owners=@eve -> @eve nobody was paged: early ~ nobody was paged: nobody is on call by weekly; +#store nobody was paged: early ~ nobody was paged: nobody is on call by weekly
        03-20T08:59 close early -> +@eve resolved over: early ~ it lasted 0 s
        03-27T08:55 open disk high policy=mine owners=@eve -> @ann page disk
        03-27T09:05 tick -> @bob page not acknowledged for 10 m: disk
        ",
    );
}

#[test]
fn where_nothing_pages_somebody_is_told_that_nothing_does() {
    check(
        with("mine", policy(vec![step(0, &["gone"])])),
        "
        03-24T10:00 open disk high policy=mine -> @ann page nobody was paged: disk ~ nobody was paged: there is no receiver gone; +#store page nobody was paged: disk ~ nobody was paged: there is no receiver gone
        ",
    );
    let mut without = config();
    without.receivers.clear();
    check(without.clone(), "03-24T10:00 open disk high owners=@eve -> @ann page disk");
    without.schedules.clear();
    check(without, "03-24T10:00 open disk high owners=@eve -> @eve page disk");
}

#[test]
fn a_severity_names_its_policy_for_others_too() {
    check(config(), "03-24T10:00 open disk low policy=high -> pager page disk");
}

#[test]
fn the_end_is_told_quietly_where_it_shall_be() {
    check(
        with("mine", Policy { resolve_quietly: true, ..policy(vec![step(0, &["@bob", "pager"])]) }),
        "
        03-24T10:00 open disk high policy=mine -> @bob page disk; pager page disk
        03-24T10:01 close disk -> +@bob page update over: disk ~ it lasted 1 m; +pager page resolved over: disk ~ it lasted 1 m
        ",
    );
}

#[test]
fn the_auditor_finds_what_was_forgotten() {
    check(
        config(),
        "
        03-24T10:00 open disk medium
        03-24T10:00 tick
        03-24T10:01 tick
        03-24T10:01 audit -> 0 s ago
        03-24T10:01:30 due-lost disk
        03-24T10:02 tick -> #triage self-alert 1 escalation without a next step: repaired; @ann not acknowledged for 2 m: disk ~ found without a next step
        03-24T10:02 audit -> 60 s ago
        03-24T10:03 tick -> +#triage resolved over after 1 m: 1 escalation without a next step: repaired
        03-24T10:03 audit -> 0 s ago
        03-24T10:04 lose disk
        03-24T10:04 tick ->
        03-24T10:04 state disk -> medium done: the episode is unknown
        03-25T10:04 tick ->
        03-25T10:04 state disk ->
        ",
    );
}
