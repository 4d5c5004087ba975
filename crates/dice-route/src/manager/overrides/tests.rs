//! "Not me" as stories: who says what when, and who owns the message then.

use std::collections::BTreeMap;
use std::sync::Arc;

use dice_catalog::{Owner, Why};

use super::{Overrides, names};
use crate::book::Table;
use crate::manager::fixture::{Shelf, at_ms, command, config, event, id_of, message};
use crate::manager::{Alerts, Desk, Roster};
use crate::outbox::{Draft, Outbox};
use crate::records::Records;
use crate::{
    Act, Config, Destination, Lane, Message, Notice, NoticeKind, NoticeRow, Outcome, Receipt, Stamped,
};

#[derive(Default)]
struct World {
    overrides: Overrides,
    alerts: Alerts,
    outbox: Outbox,
    records: Records,
    shelf: Shelf,
    messages: BTreeMap<String, Arc<Message>>,
    n: usize,
}

impl World {
    fn new(config: &Arc<Config>) -> World {
        let mut world = World::default();
        world.overrides.configure(&Arc::new(Roster::new(config, [])));
        world
    }

    fn save(&mut self) {
        let mut deltas = Vec::new();
        self.overrides.deltas(&mut deltas);
        self.alerts.deltas(&mut deltas);
        self.outbox.deltas(&mut deltas);
        self.records.deltas(&mut deltas);
        self.shelf.take(deltas);
    }

    /// Everything is forgotten but what was saved; another process reads the same catalog.
    fn restart(&mut self, config: &Arc<Config>) {
        self.save();
        let (shelf, messages, n) =
            (std::mem::take(&mut self.shelf), std::mem::take(&mut self.messages), self.n);
        *self = World { messages, n, ..World::new(config) };
        for ((table, id), body) in &shelf.0 {
            match table {
                Table::Overrides => self.overrides.restore(id, body).unwrap(),
                Table::Alerts => self.alerts.restore(id, body).unwrap(),
                Table::Outbox => self.outbox.restore(id, body).unwrap(),
                _ => self.records.restore(id, body).unwrap(),
            }
        }
        self.shelf = shelf;
    }

    fn live(&mut self, config: &Config, line: &str) -> String {
        let words: Vec<&str> = line.split_whitespace().collect();
        let now_ms = at_ms(&format!("2028-{}", words[0]));
        self.n += 1;
        let before: Vec<String> = self.outbox.iter().map(|intent| intent.id.clone()).collect();
        let desk = &mut Desk { config, outbox: &mut self.outbox, records: &mut self.records, now_ms };
        let value = |name: &str| words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        let optional = |name| value(name).map(str::to_owned);
        let id = |text: &str| id_of(&text.replace('_', " ")).to_string();
        let act = match &words[1..] {
            // The code of a message, and a line that it prints.
            ["code", text, ..] => {
                let list =
                    |name| value(name).map_or(Vec::new(), |names| names.split(',').collect::<Vec<_>>());
                let mut code = message(&text.replace('_', " "), &list("owners"));
                code.candidates =
                    list("candidates").into_iter().map(|name| Owner::named(name, Why::Author)).collect();
                code.was = list("was").into_iter().map(|was| id_of(&was.replace('_', " "))).collect();
                self.messages.insert((*text).to_owned(), Arc::new(code));
                let code = &self.messages[*text];
                let event = event(code, now_ms, "db", None);
                let stamped = Stamped { event: &event, at_ms: now_ms, is_late: false };
                self.alerts.occur(&stamped, 3_600_000, desk);
                self.overrides.follow(code, desk);
                None
            }
            ["owners", text] => {
                let owners = self.overrides.owners(&self.messages[*text]);
                return if owners.is_empty() { "nobody".to_owned() } else { names(&owners) };
            }
            ["because", text] => {
                return self.overrides.because(id(text).parse().unwrap()).unwrap_or_default().to_owned();
            }
            ["notice", to, texts @ ..] => {
                let row = |text: &&str| NoticeRow { message: Some(id(text)), ..NoticeRow::default() };
                let draft = Draft {
                    destination: Destination::named(to),
                    lane: Lane::Digest,
                    kind: NoticeKind::Open,
                    subject: texts.join(" "),
                    revision: 0,
                    follows: None,
                    due_ms: now_ms,
                    held: Some("until 10:00".to_owned()),
                    notice: Notice { rows: texts.iter().map(row).collect(), ..Notice::default() },
                };
                desk.outbox.post(draft, now_ms, desk.records);
                return String::new();
            }
            ["outbox", to] => {
                let theirs = self.outbox.iter().filter(|intent| intent.destination.name() == *to);
                let states = theirs.map(|intent| {
                    let rows = intent.notice.rows.len();
                    format!("{} {rows}", format!("{:?}", intent.state).to_lowercase())
                });
                return states.collect::<Vec<_>>().join(", ");
            }
            [_, "not-me", text, ..] => Some(Act::NotMe {
                message: id(text),
                person: optional("person"),
                proposed: optional("to"),
                reason: optional("because"),
            }),
            [_, "assign", text, owner, ..] => {
                let (message, owner) = (id(text), (*owner).to_owned());
                Some(Act::Assign { message, owner, reason: optional("because") })
            }
            [_, "undo", text] => Some(Act::Unassign { message: id(text) }),
            [_, "undo-exactly", text] => Some(Act::Unassign { message: (*text).to_owned() }),
            _ => panic!("a story has no such line: {line}"),
        };
        let mut said = Vec::new();
        if let Some(act) = act {
            let is_undo = matches!(act, Act::Unassign { .. });
            let command = command(&self.n.to_string(), words[1], now_ms, act);
            let answer = self.overrides.command(&command, &self.alerts, desk).unwrap();
            // A second click; taking back is told from its repetition by the manager.
            if answer.is_done && !is_undo {
                let again = self.overrides.command(&command, &self.alerts, desk).unwrap();
                assert!(again.is_done && again.text.contains("already"), "{}", again.text);
                assert_eq!(again.body["owners"], answer.body["owners"]);
            }
            said.push(answer.text);
        }
        let new: Vec<String> = self.outbox.waiting().map(|intent| intent.id.clone()).collect();
        for intent in new.into_iter().filter(|id| !before.contains(id)) {
            let known = self.outbox.get(&intent).unwrap();
            said.push(format!(
                "{}: {} ({})",
                known.destination.name(),
                known.notice.title,
                known.notice.because
            ));
            let outcome = Outcome::Delivered("1".to_owned());
            self.outbox.receipt(&Receipt { intent, at_ms: now_ms, outcome });
        }
        said.join("; ")
    }
}

/// A story: moments of 2028, what happens, and after `->` what comes of it. It is lived twice: without a
/// break, and with a restart before every line; that makes no difference.
#[track_caller]
fn check(story: &str) {
    let config = Arc::new(config());
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

#[test]
fn it_goes_from_candidate_to_candidate_and_to_triage_in_the_end() {
    check(
        "
        03-24T10:00 code disk owners=ann@corp.example candidates=@ann,@eve,@bob
        03-24T10:00 owners disk -> ann@corp.example
        03-24T10:01 @ann not-me disk because=moved -> disk: no longer @ann's. It goes to @eve now. This can be undone within 1 d.
        03-24T10:01 owners disk -> @eve
        03-24T10:01 because disk -> @ann said it is not theirs: moved
        03-24T10:02 @eve not-me disk -> disk: no longer @eve's. It goes to @bob now. This can be undone within 1 d.
        03-24T10:03 @eve undo disk -> disk: taken back (@eve said it is not theirs). @eve owns it again.
        03-24T10:04 @eve not-me disk -> disk: no longer @eve's. It goes to @bob now. This can be undone within 1 d.
        03-24T10:05 @bob not-me disk to=@cyd -> disk: 3 people declined, so it goes to #triage. This can be undone within 1 d.
        03-24T10:06 @cyd assign disk @ann -> @ann said it is not theirs: only they can take it
        03-24T10:06 @cyd assign disk @dan -> @dan has left: @bob took over
        03-24T10:06 @cyd assign disk nobody -> `nobody` is no owner: wanted #channel, @handle, a@b.c or @org/team
        03-24T10:07 @ann assign disk ann@corp.example -> disk: @ann owns it now.
        03-30T10:08 @ann undo disk -> disk: taken back (@ann gave it to @ann). ann@corp.example owns it again.
        03-30T10:08 @ann undo disk -> disk: nobody changed its owner
        ",
    );
}

#[test]
fn who_has_no_candidates_has_a_team_and_triage() {
    check(
        "
        03-24T10:00 code disk owners=@ann
        03-24T10:00 @ann not-me disk -> disk: no longer @ann's. It goes to #store now. This can be undone within 1 d.
        03-24T10:01 @bob not-me disk person=#store -> disk: no longer #store's. It goes to #triage now. This can be undone within 1 d.
        03-24T10:02 code net owners=@eve
        03-24T10:02 @eve not-me net -> net: no longer @eve's. It goes to #triage now. This can be undone within 1 d.
        03-24T10:03 code cpu owners=@ann,@eve
        03-24T10:03 @ann not-me cpu -> cpu: no longer @ann's. It goes to @eve now. This can be undone within 1 d.
        03-24T10:04 code ram owners=@ann,@eve
        03-24T10:04 @ann not-me ram to=@bob -> ram: no longer @ann's. It goes to @eve, @bob now. This can be undone within 1 d.
        03-24T10:05 @cyd not-me ram -> ram: @cyd will not get it. Its owner is @eve, @bob.
        03-24T10:05 @eve assign ram @cyd -> @cyd said it is not theirs: only they can take it
        03-24T10:06 @cyd not-me disk person=@bob -> disk: @bob will not get it. Its owner is #triage.
        ",
    );
}

#[test]
fn an_annotation_counts_when_it_says_something_new() {
    check(
        "
        03-24T10:00 code disk owners=#store!
        03-24T10:00 @bob assign disk @eve -> disk: @eve owns it now.
        03-24T10:01 code disk owners=#store!
        03-24T10:01 owners disk -> @eve
        03-25T10:00 code disk owners=@ann
        03-25T10:00 owners disk -> @eve
        03-26T10:00 code disk owners=#ops! -> #ops: yours now: disk (the annotation in the code has changed to #ops); @eve: no longer yours: disk (the annotation in the code has changed to #ops)
        03-26T10:00 owners disk -> #ops
        03-27T10:00 code disk owners=#ops!
        ",
    );
}

#[test]
fn what_was_said_goes_along_with_the_message() {
    check(
        "
        03-24T10:00 code unmatched_disk_# owners=#triage
        03-24T10:00 @bob assign unmatched_disk_# @eve -> unmatched disk #: @eve owns it now.
        03-24T10:01 code disk_full owners=@ann was=unmatched_disk_#
        03-24T10:01 owners disk_full -> @eve
        03-24T10:02 code disk_is_full owners=@ann was=disk_full,unmatched_disk_#
        03-24T10:02 owners disk_is_full -> @eve
        03-24T10:03 @bob undo unmatched_disk_# -> disk is full: taken back (@bob gave it to @eve). @ann owns it again.
        ",
    );
}

#[test]
fn who_has_left_is_followed_by_who_took_over() {
    check(
        "
        03-24T10:00 code disk owners=@dan,@bob,@eve
        03-24T10:00 owners disk -> @bob, @eve
        03-24T10:01 @eve assign disk @ann -> disk: @ann owns it now.
        03-24T10:02 code net owners=dan@corp.example candidates=@eve
        03-24T10:02 owners net -> @bob
        03-24T10:02 @bob not-me net -> net: no longer @bob's. It goes to @eve now. This can be undone within 1 d.
        ",
    );
}

#[test]
fn what_waits_for_the_former_owner_is_taken_back() {
    check(
        "
        03-24T10:00 code disk owners=ann@corp.example
        03-24T10:00 notice ann@corp.example disk net
        03-24T10:00 notice @ann disk
        03-24T10:00 notice @bob disk
        03-24T10:01 @ann not-me disk to=@bob -> disk: no longer @ann's. It goes to @bob now. This can be undone within 1 d.
        03-24T10:01 outbox ann@corp.example -> held 1
        03-24T10:01 outbox @ann -> suppressed 1
        03-24T10:01 outbox @bob -> held 1
        ",
    );
}

#[test]
fn messages_are_called_by_their_first_digits() {
    let (disk, net) = (id_of("disk"), id_of("net"));
    check(&format!(
        "
        03-24T10:00 code disk owners=@ann
        03-24T10:00 @ann undo-exactly {} -> disk: nobody changed its owner
        03-24T10:00 @ann undo-exactly {} -> `{}` is too short: wanted at least 4 digits of a message that has come
        03-24T10:00 @ann undo-exactly {net} -> message {net} has not come yet: `dice who` says which messages there are
        03-24T10:00 @ann undo-exactly xyzzy -> no message that has come is called `xyzzy`
        ",
        &disk.to_string()[..6],
        &disk.to_string()[..2],
        &disk.to_string()[..2],
    ));
}
