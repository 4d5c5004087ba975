//! The state machine, as tables: what follows from the end of a call, and what begins when.

mod parts;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::course::{Course, back_off};
use super::way::Doubt;
use super::{Call, CallKind, CourierKind, Dispatcher, Purpose, accounts};
use crate::config::{DispatchPolicy, Person, Receiver, Team};
use crate::outbox::{Draft, Outbox};
use crate::records::Records;
use crate::{Config, Destination, Intent, Lane, Notice, NoticeKind, Outcome, Reach, Receipt, State};

const T0: i64 = 1_000_000_000;

fn why() -> String {
    "why".to_owned()
}

/// What follows when a call of this purpose, in this doubt and lane, ends so; waits that hang on the
/// notice's name are -1.
#[track_caller]
fn check(purpose: Purpose, doubt: Doubt, lane: Lane, ends: Outcome, follows: Outcome) {
    let policy = DispatchPolicy::default();
    let course = Course {
        intent: "i",
        purpose,
        doubt,
        lane,
        attempts: 3,
        account: "slack",
        has_other_way: false,
        look_in_ms: 7_000,
        is_settled: false,
        policy: &policy,
    };
    let wait_ms = back_off("i", 3, lane);
    let follows = match follows {
        Outcome::Later(-1, why) => Outcome::Later(wait_ms, why),
        Outcome::Unsure(-1, why) => Outcome::Unsure(wait_ms, why),
        Outcome::Parked(-1, why) => Outcome::Parked(wait_ms, why),
        other => other,
    };
    assert_eq!(course.follow(ends), follows);
}

#[test]
fn an_attempt_ends() {
    use Outcome::{Ambiguous, Deferred, Delivered, Denied, Later, Limited, Parked, Refused, Unsure};
    let deliver = |doubt, lane, ends, follows| check(Purpose::Deliver, doubt, lane, ends, follows);
    let r = || Delivered("r".to_owned());
    deliver(Doubt::Look, Lane::Alert, r(), r());
    deliver(Doubt::Look, Lane::Alert, Later(0, why()), Later(-1, why()));
    deliver(Doubt::Look, Lane::Alert, Later(99_000, why()), Later(99_000, why()));
    deliver(Doubt::Look, Lane::Alert, Deferred(0, why()), Later(-1, why()));
    deliver(Doubt::Look, Lane::Alert, Deferred(99_000, why()), Later(99_000, why()));
    let limited = || Limited(1, Reach::Account, why());
    deliver(Doubt::Look, Lane::Alert, limited(), limited());
    deliver(Doubt::Look, Lane::Alert, Denied(why()), Denied(why()));
    deliver(Doubt::Look, Lane::Alert, Refused(why()), Refused(why()));
    deliver(Doubt::Look, Lane::Alert, Ambiguous(why()), Unsure(7_000, why()));
    deliver(Doubt::Settle, Lane::Alert, Ambiguous(why()), Unsure(7_000, why()));
    deliver(Doubt::Repeat, Lane::Page, Ambiguous(why()), Unsure(-1, why()));
    deliver(Doubt::Mark(600_000), Lane::Alert, Ambiguous(why()), Parked(600_000, why()));
    deliver(Doubt::Mark(0), Lane::Page, Ambiguous(why()), Parked(-1, why()));
}

#[test]
fn a_look_ends() {
    use Outcome::{Absent, Ambiguous, Deferred, Delivered, Denied, Later, Limited, Parked, Refused, Unsure};
    let find = |lane, ends, follows| check(Purpose::Find, Doubt::Look, lane, ends, follows);
    let r = || Delivered("r".to_owned());
    find(Lane::Alert, r(), r());
    find(Lane::Alert, Absent(why()), Unsure(7_000, why()));
    find(Lane::Alert, Later(0, why()), Unsure(-1, why()));
    find(Lane::Alert, Deferred(0, why()), Unsure(-1, why()));
    find(Lane::Alert, Limited(99_000, Reach::Kind, why()), Unsure(99_000, why()));
    find(Lane::Alert, Denied(why()), Unsure(-1, why()));
    find(Lane::Alert, Ambiguous(why()), Unsure(-1, why()));
    find(Lane::Alert, Refused(why()), Parked(600_000, why()));
    find(Lane::Page, Refused(why()), Parked(0, why()));
}

#[test]
fn waits_double_up_to_a_bound() {
    for (lane, most_ms) in [(Lane::Alert, 60_000), (Lane::Page, 15_000)] {
        for attempts in 0..40 {
            let bound_ms = (1_000_i64 << attempts.clamp(1, 11) >> 1).min(most_ms);
            for name in ["a", "b", "c"] {
                let wait_ms = back_off(name, attempts, lane);
                assert!((100..=bound_ms).contains(&wait_ms), "{attempts}: {wait_ms}");
            }
        }
    }
    assert_ne!(back_off("a", 8, Lane::Alert), back_off("b", 8, Lane::Alert));
}

fn receiver(courier: &str, settings: &[(&str, &str)]) -> Receiver {
    let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    Receiver { courier: courier.to_owned(), settings: settings.collect() }
}

fn config() -> Config {
    let receivers = [
        ("pd", receiver("pagerduty", &[("routing_key_env", "K"), ("fallback_key_env", "K2")])),
        ("ops", receiver("slack", &[("channel", "#ops")])),
        ("other", receiver("slack", &[("channel", "#o"), ("token_env", "T")])),
        ("box", receiver("email", &[("to", "a@b.c")])),
        ("hook", receiver("webhook", &[])),
        ("tty", receiver("terminal", &[])),
    ];
    let ann = Person {
        handle: "@ann".to_owned(),
        emails: vec!["ann@corp.example".to_owned()],
        ..Person::default()
    };
    let team = Team { channel: Some("#team".to_owned()), ..Team::default() };
    Config {
        receivers: receivers.into_iter().map(|(name, receiver)| (name.to_owned(), receiver)).collect(),
        slack: Some(receiver("slack", &[("url", "u")])),
        email: Some(receiver("email", &[("smtp", "m:25")])),
        people: BTreeMap::from([("@ann".to_owned(), ann)]),
        teams: BTreeMap::from([("@org/t".to_owned(), team)]),
        dispatch: DispatchPolicy { fallback: vec!["#ops".to_owned()], ..DispatchPolicy::default() },
        ..Config::default()
    }
}

#[test]
fn a_destination_has_ways() {
    let ways = |name: &str, config: &Config| -> Vec<String> {
        let ways = super::ways(&Destination::named(name), config);
        ways.into_iter().map(|way| format!("{} {}", way.account, way.destination.name())).collect()
    };
    let config = config();
    assert_eq!(ways("#a", &config), ["slack #a"]);
    assert_eq!(ways("@ann", &config), ["slack @ann", "email ann@corp.example"]);
    assert_eq!(ways("@bob", &config), ["slack @bob"]);
    assert_eq!(ways("x@y.z", &config), ["slack x@y.z", "email x@y.z"]);
    assert_eq!(ways("@org/t", &config), ["slack #team"]);
    assert_eq!(ways("pd", &config), ["pd pd"]);
    assert_eq!(ways("pd/fallback", &config), ["pd/fallback pd/fallback"]);
    assert_eq!(ways("ops", &config), ["slack #ops"]);
    assert_eq!(ways("other", &config), ["other #o"]);
    assert_eq!(ways("box", &config), ["box box"]);
    for nobody in ["tty", "operator", "hook/fallback"] {
        assert_eq!(ways(nobody, &config), [""; 0], "{nobody}");
    }
    for name in ["#a", "@ann", "@org/t", "pd"] {
        assert_eq!(ways(name, &Config::default()), [""; 0], "{name}");
    }
    let accounts = accounts(&config);
    let names: Vec<&str> = accounts.keys().map(String::as_str).collect();
    assert_eq!(names, ["box", "email", "hook", "other", "pd", "pd/fallback", "slack"]);
    assert_eq!((&*accounts["box"].settings["smtp"], &*accounts["other"].settings["url"]), ("m:25", "u"));
    assert_eq!(accounts["pd/fallback"].settings["routing_key_env"], "K2");
}

/// An outbox with its dispatcher.
struct Desk {
    outbox: Outbox,
    records: Records,
    dispatcher: Dispatcher,
    now_ms: i64,
}

impl Desk {
    fn new() -> Desk {
        Desk {
            outbox: Outbox::default(),
            records: Records::default(),
            dispatcher: Dispatcher::new(Arc::new(config())),
            now_ms: T0,
        }
    }

    fn post(
        &mut self,
        to: &str,
        lane: Lane,
        kind: NoticeKind,
        revision: u32,
        follows: Option<&str>,
    ) -> String {
        let draft = Draft {
            destination: Destination::named(to),
            lane,
            kind,
            subject: format!("about {to}"),
            revision,
            follows: follows.map(str::to_owned),
            due_ms: 0,
            held: None,
            notice: Notice::default(),
        };
        self.outbox.post(draft, self.now_ms, &mut self.records)
    }

    /// Time passes in steps, as for a loop.
    fn pass(&mut self, by_ms: i64) -> Vec<Call> {
        let until_ms = self.now_ms + by_ms;
        let mut calls = Vec::new();
        loop {
            loop {
                let round = self.dispatcher.begin(&self.outbox, self.now_ms);
                let is_still = round.receipts.is_empty() && round.calls.is_empty();
                for receipt in &round.receipts {
                    self.outbox.receipt(receipt);
                }
                calls.extend(round.calls);
                if is_still {
                    break;
                }
            }
            if self.now_ms >= until_ms {
                return calls;
            }
            self.now_ms = until_ms.min(self.now_ms + 1_000);
        }
    }

    fn end(&mut self, call: &Call, outcome: Outcome) {
        for receipt in self.dispatcher.ended(call, outcome, self.now_ms) {
            self.outbox.receipt(&receipt);
        }
    }

    fn row(&self, id: &str) -> &Intent {
        self.outbox.get(id).expect("it was posted")
    }

    fn state(&self, id: &str) -> State {
        self.row(id).state
    }
}

fn sent() -> Outcome {
    Outcome::Delivered("r".to_owned())
}

fn one(calls: Vec<Call>) -> Call {
    let [call] = <[Call; 1]>::try_from(calls).expect("one call begins");
    call
}

#[test]
fn what_may_have_arrived_is_looked_for_and_sent_once_more() {
    let mut desk = Desk::new();
    let id = desk.post("#a", Lane::Alert, NoticeKind::Open, 0, None);
    let call = one(desk.pass(0));
    assert_eq!(
        (call.purpose, call.kind, desk.state(&id)),
        (Purpose::Deliver, CallKind::Post, State::Sending)
    );
    desk.pass(8_000);
    desk.end(&call, Outcome::Ambiguous(why()));
    assert_eq!((desk.state(&id), desk.pass(9_000)), (State::Ambiguous, Vec::new()));
    let look = one(desk.pass(1_000));
    assert_eq!((look.purpose, look.unsure_since_ms), (Purpose::Find, Some(T0)));
    desk.end(&look, Outcome::Absent(why()));
    assert_eq!(desk.pass(9_000), []);
    let look = one(desk.pass(1_000));
    desk.end(&look, Outcome::Absent(why()));
    assert_eq!(desk.state(&id), State::Retry);
    let again = one(desk.pass(0));
    assert_eq!((again.purpose, again.is_possible_repeat), (Purpose::Deliver, false));
    desk.end(&again, sent());
    assert_eq!((desk.state(&id), desk.row(&id).attempts), (State::Sent, 2));
}

#[test]
fn what_is_not_looked_for_any_more_is_forgotten() {
    let mut desk = Desk::new();
    let lost = desk.post("#a", Lane::Alert, NoticeKind::Open, 0, None);
    let call = one(desk.pass(0));
    desk.end(&call, Outcome::Ambiguous(why()));
    let arrived = desk.post("#b", Lane::Alert, NoticeKind::Open, 0, None);
    let call = one(desk.pass(0));
    desk.end(&call, Outcome::Ambiguous(why()));
    let word = desk.dispatcher.seen(&desk.outbox, &arrived, &sent()).expect("it may have arrived");
    desk.outbox.receipt(&word);
    desk.dispatcher.settled.extend((0..super::MAX_KEPT).map(|n| (format!("gone {n}"), 0)));
    desk.pass(0);
    assert_eq!(desk.dispatcher.settled.keys().collect::<Vec<_>>(), [&lost]);
}

#[test]
fn where_nobody_may_look_it_is_parked_and_marked() {
    let mut desk = Desk::new();
    let id = desk.post("#a", Lane::Alert, NoticeKind::Open, 0, None);
    let call = one(desk.pass(0));
    desk.end(&call, Outcome::Ambiguous(why()));
    let look = one(desk.pass(18_000));
    desk.end(&look, Outcome::Refused("missing_scope".to_owned()));
    assert_eq!((desk.state(&id), desk.pass(599_000)), (State::Ambiguous, Vec::new()));
    let again = one(desk.pass(1_000));
    assert_eq!((again.purpose, again.is_possible_repeat), (Purpose::Deliver, true));
}

#[test]
fn what_was_sent_when_the_process_ended_is_looked_for() {
    let mut desk = Desk::new();
    let id = desk.post("#a", Lane::Alert, NoticeKind::Open, 0, None);
    let page = desk.post("pd", Lane::Page, NoticeKind::Open, 0, None);
    desk.pass(0);
    desk.dispatcher = Dispatcher::new(Arc::new(config()));
    let again = one(desk.pass(5_000));
    assert_eq!((again.intent, again.purpose, desk.state(&page)), (page, Purpose::Deliver, State::Sending));
    assert_eq!(desk.state(&id), State::Ambiguous);
    let look = one(desk.pass(13_000));
    assert_eq!((look.intent, look.purpose), (id, Purpose::Find));
}

#[test]
fn a_jump_of_the_clock_ends_no_wait() {
    let mut desk = Desk::new();
    desk.post("#a", Lane::Alert, NoticeKind::Open, 0, None);
    let call = one(desk.pass(0));
    desk.end(&call, Outcome::Ambiguous(why()));
    desk.now_ms += 3_600_000;
    assert_eq!(desk.pass(15_000), []);
    assert_eq!(one(desk.pass(3_000)).purpose, Purpose::Find);
}

#[test]
fn changes_wait_for_what_they_change_and_only_the_last_is_made() {
    let mut desk = Desk::new();
    let first = desk.post("#a", Lane::Alert, NoticeKind::Open, 0, None);
    let open = one(desk.pass(0));
    desk.post("#a", Lane::Alert, NoticeKind::Update, 1, Some(&first));
    assert_eq!(desk.pass(1_000), []);
    desk.end(&open, sent());
    let update = one(desk.pass(0));
    assert_eq!((update.kind, update.first.as_deref()), (CallKind::Update, Some("r")));
    let newest = desk.post("#a", Lane::Alert, NoticeKind::Update, 2, Some(&first));
    assert_eq!(desk.pass(1_000), []);
    desk.end(&update, Outcome::Ambiguous(why()));
    // The older one may still be on its way: the newer one comes after it, and in its place.
    assert_eq!(desk.pass(26_000), []);
    let update_of = one(desk.pass(1_000));
    assert_eq!((update_of.intent, desk.state(&update.intent)), (newest, State::Suppressed));
}

#[test]
fn a_change_of_what_was_never_told_is_told_and_then_changed() {
    // Whether the first notice was refused, or held back before it was attempted.
    for is_refused in [true, false] {
        let mut desk = Desk::new();
        let first = desk.post("#a", Lane::Alert, NoticeKind::Open, 0, None);
        if is_refused {
            let open = one(desk.pass(0));
            desk.end(&open, Outcome::Refused("not_in_channel".to_owned()));
        } else {
            desk.outbox.suppress(&first, crate::Cause::Snoozed, "a click", T0, &mut desk.records);
        }
        let state = desk.state(&first);
        desk.post("#a", Lane::Alert, NoticeKind::Update, 1, Some(&first));
        let told = one(desk.pass(0));
        assert_eq!((told.kind, told.first.as_deref()), (CallKind::Post, None));
        desk.end(&told, sent());
        for kind in [NoticeKind::Update, NoticeKind::Resolved] {
            desk.post("#a", Lane::Alert, kind, 2, Some(&first));
            let change = one(desk.pass(0));
            assert_eq!(change.first.as_deref(), Some("r"), "{kind:?}");
            desk.end(&change, sent());
        }
        assert_eq!(desk.state(&first), state);
    }
}

#[test]
fn an_end_is_sent_after_the_beginning_was() {
    let mut desk = Desk::new();
    let first = desk.post("pd", Lane::Page, NoticeKind::Open, 0, None);
    let open = one(desk.pass(0));
    let end = desk.post("pd", Lane::Page, NoticeKind::Resolved, 1, Some(&first));
    desk.end(&open, Outcome::Later(0, why()));
    let open = one(desk.pass(2_000));
    assert_eq!(open.intent, first);
    desk.end(&open, sent());
    assert_eq!(one(desk.pass(0)).intent, end);
}

#[test]
fn whoever_wants_to_be_left_alone_is() {
    // What was called, what was limited, whether another post there and elsewhere may follow before.
    for (reach, is_there, is_elsewhere) in
        [(Reach::Destination, false, true), (Reach::Kind, false, false), (Reach::Account, false, false)]
    {
        let mut desk = Desk::new();
        let id = desk.post("#a", Lane::Alert, NoticeKind::Open, 0, None);
        let call = one(desk.pass(0));
        desk.end(&call, Outcome::Limited(30_000, reach, why()));
        desk.post("#a", Lane::Alert, NoticeKind::Open, 7, None);
        let other = desk.post("#b", Lane::Alert, NoticeKind::Open, 0, None);
        let begun: Vec<String> = desk.pass(29_000).into_iter().map(|call| call.intent).collect();
        assert_eq!((begun.contains(&id), begun.contains(&other)), (is_there, is_elsewhere), "{reach:?}");
        // A process that begins anew knows it from the rows.
        desk.dispatcher = Dispatcher::new(Arc::new(config()));
        assert!(desk.pass(999).iter().all(|call| call.intent != id));
        assert!(desk.pass(1).iter().any(|call| call.intent == id), "{reach:?}");
    }
}

#[test]
fn what_is_denied_stops_and_is_told_another_way() {
    let mut desk = Desk::new();
    desk.post("#a", Lane::Alert, NoticeKind::Open, 0, None);
    let call = one(desk.pass(0));
    desk.end(&call, Outcome::Denied("invalid_auth".to_owned()));
    let troubles = desk.dispatcher.troubles().expect("they are new");
    assert_eq!(troubles.keys().collect::<Vec<_>>(), ["courier_denied slack"]);
    assert_eq!(desk.dispatcher.troubles(), None);
    desk.post("#triage", Lane::Alert, NoticeKind::SelfAlert, 0, None);
    let word = one(desk.pass(0));
    assert_eq!(word.way.courier, CourierKind::Terminal);
    desk.end(&word, sent());
    // Now and then somebody tries whether it was mended.
    let probe = one(desk.pass(300_000));
    desk.end(&probe, sent());
    assert_eq!(desk.dispatcher.troubles(), Some(BTreeMap::new()));
}

#[test]
fn an_account_that_is_down_is_tried_by_one_call_at_a_time() {
    let mut desk = Desk::new();
    for n in 0..20 {
        desk.post(&format!("#{n}"), Lane::Alert, NoticeKind::Open, 0, None);
    }
    let mut n_calls = 0;
    for _ in 0..600 {
        for call in desk.pass(100) {
            n_calls += 1;
            desk.end(&call, Outcome::Later(0, why()));
        }
    }
    // The first come together; then one after 5 s, 10 s, 20 s, 40 s.
    assert!((6..=12).contains(&n_calls), "{n_calls}");
}

#[test]
fn only_what_is_about_the_account_shuts_it() {
    // How six calls end, whether a seventh notice then begins at once.
    #[track_caller]
    fn check(ends: Outcome, is_open: bool) {
        let mut desk = Desk::new();
        for n in 0..6 {
            desk.post(&format!("p{n}@corp.example"), Lane::Digest, NoticeKind::Digest, 0, None);
        }
        let calls = desk.pass(0);
        assert_eq!(calls.len(), 6);
        for call in &calls {
            desk.end(call, ends.clone());
        }
        let next = desk.post("ann@corp.example", Lane::Digest, NoticeKind::Digest, 0, None);
        assert_eq!(desk.pass(0).iter().any(|call| call.intent == next), is_open, "{ends:?}");
        assert_eq!(desk.dispatcher.gates["slack"].is_shut(), !is_open, "{ends:?}");
    }
    check(Outcome::Later(60_000, why()), false);
    check(Outcome::Ambiguous(why()), false);
    check(Outcome::Deferred(60_000, why()), true);
    check(Outcome::Limited(60_000, Reach::Destination, why()), true);
    check(Outcome::Refused(why()), true);
}

#[test]
fn a_probe_stays_the_only_one_when_calls_end_that_began_before() {
    let mut desk = Desk::new();
    for n in 0..10 {
        desk.post(&format!("#{n}"), Lane::Alert, NoticeKind::Open, 0, None);
    }
    let mut calls = desk.pass(0);
    assert_eq!(calls.len(), 6);
    let slow = calls.pop().expect("there are six");
    for call in &calls {
        desk.end(call, Outcome::Later(0, why()));
    }
    let probe = one(desk.pass(5_000));
    desk.end(&slow, Outcome::Later(0, why()));
    assert_eq!(desk.pass(30_000), [], "the probe is still out");
    desk.end(&probe, Outcome::Later(0, why()));
    one(desk.pass(60_000));
}

#[test]
fn however_many_calls_end_badly_together_the_account_is_tried_soon() {
    let mut desk = Desk::new();
    for n in 0..10 {
        desk.post(&format!("#{n}"), Lane::Page, NoticeKind::Open, 0, None);
    }
    let calls = desk.pass(0);
    assert_eq!(calls.len(), 8);
    for call in &calls {
        desk.end(call, Outcome::Later(20_000, why()));
    }
    assert_eq!(desk.pass(4_000), []);
    let probe = one(desk.pass(1_000));
    desk.end(&probe, Outcome::Later(20_000, why()));
    assert_eq!(desk.pass(9_000), []);
    one(desk.pass(1_000));
}

#[test]
fn a_page_that_nobody_takes_is_told_otherwise_and_ended_there() {
    let mut desk = Desk::new();
    let page = desk.post("pd", Lane::Page, NoticeKind::Open, 0, None);
    let first = one(desk.pass(0));
    desk.end(&first, Outcome::Later(70_000, why()));
    let second = one(desk.pass(61_000));
    assert_eq!(second.way.account, "pd/fallback");
    assert_eq!(desk.row(&second.intent).passage.stands_for.as_deref(), Some(&*page));
    desk.end(&second, sent());
    let first = one(desk.pass(10_000));
    desk.end(&first, sent());
    desk.post("pd", Lane::Page, NoticeKind::Resolved, 1, Some(&page));
    let ends: Vec<String> = desk.pass(0).into_iter().map(|call| call.way.account).collect();
    assert_eq!(ends, ["pd", "pd/fallback"]);
}

#[test]
fn a_page_that_the_second_key_does_not_take_is_told_to_people() {
    let mut desk = Desk::new();
    desk.post("pd", Lane::Page, NoticeKind::Open, 0, None);
    for _ in 0..2 {
        let call = one(desk.pass(0));
        desk.end(&call, Outcome::Later(200_000, why()));
        desk.pass(59_000);
        desk.now_ms += 1_000;
    }
    let last = one(desk.pass(0));
    assert_eq!((last.way.courier, last.way.destination.name()), (CourierKind::Slack, "#ops"));
}

#[test]
fn who_refuses_is_passed_over() {
    let mut desk = Desk::new();
    let id = desk.post("@ann", Lane::Digest, NoticeKind::Digest, 0, None);
    let call = one(desk.pass(0));
    desk.end(&call, Outcome::Refused("users_not_found".to_owned()));
    let mail = one(desk.pass(0));
    assert_eq!((mail.way.courier, mail.way.destination.name()), (CourierKind::Email, "ann@corp.example"));
    desk.end(&mail, Outcome::Refused("no such mailbox".to_owned()));
    assert_eq!((desk.state(&id), desk.row(&id).why.as_deref()), (State::Dead, Some("no such mailbox")));
}

#[test]
fn what_is_too_old_is_dead() {
    for (lane, hours) in [(Lane::Page, 24), (Lane::Immediate, 6), (Lane::Alert, 6), (Lane::Digest, 36)] {
        let mut desk = Desk::new();
        let id = desk.post("hook", lane, NoticeKind::Digest, 0, None);
        let call = one(desk.pass(0));
        desk.end(&call, Outcome::Later(hours * 3_600_000 - 10_000, why()));
        desk.now_ms += hours * 3_600_000 - 5_000;
        let call = one(desk.pass(0));
        desk.end(&call, Outcome::Later(5_000, why()));
        assert_eq!((desk.pass(5_000), desk.state(&id)), (Vec::new(), State::Dead), "{lane:?}");
        assert_eq!(desk.row(&id).why, Some(format!("not delivered within {hours} h: why")));
    }
}

#[test]
fn what_was_hidden_on_its_way_is_not_sent_again() {
    let hidden = |ends: Outcome| {
        let mut desk = Desk::new();
        let id = desk.post("hook", Lane::Alert, NoticeKind::Open, 0, None);
        let call = one(desk.pass(0));
        assert!(desk.outbox.hide(&id, "a snooze"));
        desk.end(&call, ends);
        desk.state(&id)
    };
    assert_eq!(hidden(sent()), State::Sent);
    assert_eq!(hidden(Outcome::Later(0, why())), State::Suppressed);
    assert_eq!(hidden(Outcome::Refused(why())), State::Suppressed);
}

#[test]
fn with_nothing_configured_nothing_leaves() {
    let mut desk = Desk::new();
    desk.dispatcher = Dispatcher::new(Arc::new(Config::default()));
    for name in ["#a", "@ann", "@org/t", "pd"] {
        desk.post(name, Lane::Page, NoticeKind::Open, 0, None);
    }
    let calls = desk.pass(0);
    assert_eq!(calls.len(), 4);
    assert!(calls.iter().all(|call| call.way.courier == CourierKind::Terminal));
}

#[test]
fn word_from_elsewhere_settles_a_doubt() {
    let mut desk = Desk::new();
    let id = desk.post("#a", Lane::Alert, NoticeKind::Open, 0, None);
    assert_eq!(desk.dispatcher.seen(&desk.outbox, &id, &sent()), None);
    let call = one(desk.pass(0));
    desk.end(&call, Outcome::Ambiguous(why()));
    let receipt: Receipt = desk.dispatcher.seen(&desk.outbox, &id, &sent()).expect("it may have arrived");
    desk.outbox.receipt(&receipt);
    assert_eq!((desk.state(&id), desk.pass(60_000)), (State::Sent, Vec::new()));
}

#[test]
fn rows_of_earlier_versions_are_read() {
    let mut desk = Desk::new();
    let id = desk.post("#a", Lane::Alert, NoticeKind::Open, 0, None);
    let mut body = serde_json::to_value(desk.row(&id)).expect("rows are JSON");
    body.as_object_mut().expect("a row is an object").remove("passage");
    desk.outbox.restore(&id, &body.to_string()).expect("what is missing has a default");
    assert_eq!((desk.row(&id).passage.since_ms, one(desk.pass(0)).intent), (0, id));
}
