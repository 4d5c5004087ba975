//! Notices that take several messages: each is attempted, looked for and repeated as the first is.

use std::sync::Arc;

use super::{Desk, T0, config, one, why};
use crate::dispatch::{Call, CourierKind, Dispatcher, Purpose};
use crate::outbox::{Draft, Outbox};
use crate::{Cause, Destination, Lane, Notice, NoticeKind, NoticeRow, Outcome, Part, State};

/// Posts a digest of rows `0`, `1` and so on.
fn digest(desk: &mut Desk, to: &str, n_rows: usize) -> String {
    let row = |n: usize| NoticeRow { title: n.to_string(), ..NoticeRow::default() };
    let draft = Draft {
        destination: Destination::named(to),
        lane: Lane::Digest,
        kind: NoticeKind::Digest,
        subject: format!("digest of {to}"),
        revision: 0,
        follows: None,
        due_ms: 0,
        held: None,
        notice: Notice { rows: (0..n_rows).map(row).collect(), ..Notice::default() },
    };
    desk.outbox.post(draft, desk.now_ms, &mut desk.records)
}

fn part(number: u32, rows: usize) -> Outcome {
    Outcome::Partly(Part { number, rows, reference: format!("r{number}") })
}

impl Desk {
    /// What is still to be told.
    fn rest(&self, id: &str) -> String {
        self.row(id).rest("slack").rows.iter().map(|row| row.title.as_str()).collect()
    }

    /// The process is gone, and another one begins with what was written.
    fn begin_again(&mut self) {
        let mut outbox = Outbox::default();
        for row in self.outbox.iter() {
            let body = serde_json::to_string(row).expect("rows are JSON");
            outbox.restore(&row.id, &body).expect("what was written can be read");
        }
        self.outbox = outbox;
        self.dispatcher = Dispatcher::new(Arc::new(config()));
    }
}

/// Sees the first message told and the second attempted.
fn second(desk: &mut Desk, id: &str) -> Call {
    let first = one(desk.pass(0));
    assert_eq!((first.first.as_deref(), desk.row(id).part()), (None, 1));
    desk.end(&first, part(1, 3));
    let second = one(desk.pass(0));
    assert_eq!((second.first.as_deref(), second.purpose), (Some("r1"), Purpose::Deliver));
    assert_eq!((desk.row(id).part(), desk.rest(id)), (2, "3456".to_owned()));
    second
}

/// What follows when the second of three messages ends so: after how long, and which call. All are told in the
/// end.
#[track_caller]
fn check(ends: Option<Outcome>, wait_ms: i64, purpose: Purpose) {
    let mut desk = Desk::new();
    let id = digest(&mut desk, "#a", 7);
    let call = second(&mut desk, &id);
    match ends {
        Some(outcome) => desk.end(&call, outcome),
        None => desk.begin_again(),
    }
    assert_eq!(desk.pass(wait_ms - 1), []);
    let again = one(desk.pass(1));
    assert_eq!((again.purpose, again.first.as_deref()), (purpose, Some("r1")));
    assert_eq!((desk.row(&id).part(), desk.rest(&id)), (2, "3456".to_owned()));
    desk.end(&again, part(2, 2));
    desk.begin_again();
    let last = one(desk.pass(0));
    assert_eq!(
        (last.first.as_deref(), last.unsure_since_ms, last.is_possible_repeat),
        (Some("r1"), None, false)
    );
    desk.end(&last, part(3, 2));
    let row = desk.row(&id);
    assert_eq!((row.state, row.reference.as_deref(), row.rows_told()), (State::Sent, Some("r1"), 7));
    assert_eq!(desk.pass(60_000), []);
}

#[test]
fn every_message_of_a_notice_is_told_as_the_first_is() {
    check(Some(Outcome::Limited(30_000, crate::Reach::Destination, why())), 30_000, Purpose::Deliver);
    check(Some(Outcome::Later(20_000, why())), 20_000, Purpose::Deliver);
    check(Some(Outcome::Deferred(20_000, why())), 20_000, Purpose::Deliver);
    check(Some(Outcome::Ambiguous(why())), 18_000, Purpose::Find);
    check(None, 18_000, Purpose::Find);
}

#[test]
fn a_part_that_is_not_there_is_told_again_and_the_others_are_not() {
    let mut desk = Desk::new();
    let id = digest(&mut desk, "#a", 7);
    let call = second(&mut desk, &id);
    desk.end(&call, Outcome::Ambiguous(why()));
    for _ in 0..2 {
        let look = one(desk.pass(18_000));
        desk.end(&look, Outcome::Absent(why()));
        desk.now_ms += 1;
    }
    // The end of an earlier message says nothing of this one.
    desk.end(&call, part(1, 3));
    assert_eq!((desk.state(&id), desk.row(&id).part()), (State::Retry, 2));
    let again = one(desk.pass(1_000));
    desk.end(&again, part(2, 4));
    assert_eq!((desk.state(&id), desk.row(&id).attempts), (State::Sent, 3));
}

#[test]
fn who_takes_a_part_only_leaves_the_rest_to_another() {
    let mut desk = Desk::new();
    let id = digest(&mut desk, "@ann", 7);
    let call = second(&mut desk, &id);
    desk.end(&call, Outcome::Refused("user_disabled".to_owned()));
    let mail = one(desk.pass(0));
    assert_eq!((mail.way.courier, mail.first.as_deref()), (CourierKind::Email, None));
    assert_eq!(desk.rest(&id), "3456");
    let notes = |account| desk.row(&id).rest(account).notes;
    assert_eq!(notes("slack"), [""; 0]);
    assert_eq!(notes("email"), ["3 rows that came before these were told by slack"]);
    desk.end(&mail, Outcome::Delivered("m".to_owned()));
    assert_eq!((desk.state(&id), desk.row(&id).reference.as_deref()), (State::Sent, Some("m")));
    let mut desk = Desk::new();
    let id = digest(&mut desk, "#a", 7);
    let call = second(&mut desk, &id);
    for receipt in desk.dispatcher.ended(&call, Outcome::Refused("is_archived".to_owned()), T0) {
        let remarks = desk.outbox.receipt(&receipt);
        assert!(remarks[0].text.starts_with("the rest of a notice, after 3 rows, for #a"), "{remarks:?}");
    }
    assert_eq!(desk.state(&id), State::Dead);
}

#[test]
fn what_is_hidden_meanwhile_is_not_told_and_what_was_told_stays() {
    let mut desk = Desk::new();
    let id = digest(&mut desk, "#a", 7);
    let call = second(&mut desk, &id);
    desk.end(&call, Outcome::Later(20_000, why()));
    let out = [true, false, false, true, false, false, true];
    desk.outbox.withdraw(&id, &out, Cause::Snoozed, "a click", desk.now_ms, &mut desk.records);
    assert_eq!((desk.rest(&id), desk.row(&id).rows_told()), ("45".to_owned(), 3));
    desk.outbox.withdraw(
        &id,
        &[false, false, false, true, true],
        Cause::Snoozed,
        "a click",
        T0,
        &mut desk.records,
    );
    assert_eq!(desk.state(&id), State::Suppressed);
    // On its way it is told to its end, and no further.
    let mut desk = Desk::new();
    let id = digest(&mut desk, "#a", 7);
    let call = second(&mut desk, &id);
    assert!(desk.outbox.hide(&id, "a click"));
    desk.end(&call, part(2, 2));
    assert_eq!((desk.state(&id), desk.pass(60_000)), (State::Suppressed, Vec::new()));
}

#[test]
fn word_of_a_part_is_word_of_that_part_alone() {
    let mut desk = Desk::new();
    let id = digest(&mut desk, "#a", 7);
    let call = second(&mut desk, &id);
    for old in [part(1, 3), Outcome::Delivered("r1".to_owned())] {
        assert_eq!(desk.dispatcher.seen(&desk.outbox, &id, &old), None);
    }
    let word = desk.dispatcher.seen(&desk.outbox, &id, &part(2, 2)).expect("it is on its way");
    desk.outbox.receipt(&word);
    // That its answer is lost makes nobody look for the message after it.
    desk.end(&call, Outcome::Ambiguous(why()));
    let last = one(desk.pass(0));
    assert_eq!((last.purpose, desk.rest(&id)), (Purpose::Deliver, "56".to_owned()));
}
