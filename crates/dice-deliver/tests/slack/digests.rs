//! A digest of more rows than a message takes: all of them arrive, each once, whatever happens to one message.

use dice_deliver::slack::Happening;
use dice_deliver::{Found, Parcel};
use dice_route::outbox::{Draft, Outbox};
use dice_route::records::Records;
use dice_route::{Destination, Intent, Lane, Notice, NoticeKind, NoticeRow, Outcome, Receipt, State};
use dice_testkit::fakes::slack::{Fault, Message};
use serde_json::json;

use super::outcome::word;
use super::{World, row, texts};

const ROWS: usize = 100;

/// An outbox with one digest of rows `disk 0`, `disk 1` and so on.
struct Desk {
    outbox: Outbox,
    id: String,
}

impl Desk {
    fn new(n_rows: usize) -> Desk {
        let row = |n: usize| NoticeRow {
            title: format!("warning: disk {n} is <*>% full"),
            state: "up".to_owned(),
            before: Some(7),
            days: vec![("2026-11-21".to_owned(), 3), ("2026-11-22".to_owned(), 17)],
            ..row()
        };
        let draft = Draft {
            destination: Destination::Person("@ada".to_owned()),
            lane: Lane::Digest,
            kind: NoticeKind::Digest,
            subject: "digest".to_owned(),
            revision: 0,
            follows: None,
            due_ms: 0,
            held: None,
            notice: Notice {
                title: "Digest for Monday, 23 November 2026".to_owned(),
                because: "these messages are yours to look after".to_owned(),
                rows: (0..n_rows).map(row).collect(),
                more_rows: 5,
                ..Notice::default()
            },
        };
        let mut outbox = Outbox::default();
        let id = outbox.post(draft, 0, &mut Records::default());
        Desk { outbox, id }
    }

    fn row(&self) -> &Intent {
        self.outbox.get(&self.id).expect("it was posted")
    }

    fn end(&mut self, outcome: Outcome) {
        let remarks = self.outbox.receipt(&Receipt { intent: self.id.clone(), at_ms: 0, outcome });
        assert_eq!(remarks, []);
    }

    /// What the courier is given.
    fn parcel(&self, world: &World) -> Parcel {
        let row = self.row();
        Parcel {
            intent: Intent { notice: row.rest("slack"), ..row.clone() },
            first: row.passage.told.as_ref().map(|told| told.first.clone()),
            now_ms: world.fake.now_ms(),
            unsure_since_ms: (row.state == State::Ambiguous).then(|| world.fake.now_ms()),
            is_possible_repeat: false,
        }
    }

    /// Attempts the next message once, and looks for it where its end is not known; gives how it ended.
    fn step(&mut self, world: &World) -> String {
        self.end(Outcome::Begun("slack".to_owned()));
        let outcome = world.deliver(&self.parcel(world));
        let ended = word(&outcome);
        let is_unsure = matches!(outcome, Outcome::Ambiguous(_));
        self.end(outcome);
        if is_unsure {
            match world.find(&self.parcel(world)) {
                Found::Part(part) => self.end(Outcome::Partly(part)),
                Found::There(reference) => self.end(Outcome::Delivered(reference)),
                Found::Absent => self.end(Outcome::Absent("it is not there".to_owned())),
                other => panic!("{other:?}"),
            }
        }
        ended
    }

    fn tell(&mut self, world: &World) {
        for _ in 0..20 {
            if self.row().state == State::Sent {
                return;
            }
            self.step(world);
        }
        panic!("it does not end: {:?}", self.row());
    }
}

fn told(message: &Message) -> usize {
    texts(message).matches("`warning: disk").count()
}

/// All rows stand there, each once; the first message in the conversation, the others in its thread.
#[track_caller]
fn complete(world: &World, desk: &Desk) {
    let messages = world.fake.messages();
    let said: Vec<String> = messages.iter().map(texts).collect();
    for n in 0..desk.row().notice.rows.len() {
        let wanted = format!("`warning: disk {n} is");
        let times: usize = said.iter().map(|text| text.matches(&wanted).count()).sum();
        assert_eq!(times, 1, "disk {n}");
    }
    for (message, is_first) in messages.iter().zip((0..).map(|n| n == 0)) {
        assert_eq!(message.thread.is_none(), is_first);
    }
    assert!(world.fake.by_intent().values().all(|times| *times == 1), "{:?}", world.fake.by_intent());
    let reference = format!("{}:{}", messages[0].channel, messages[0].ts);
    assert_eq!(desk.row().reference, Some(reference));
}

#[test]
fn a_digest_is_a_message_of_at_most_45_rows_and_goes_on_in_its_thread() {
    let world = World::new();
    let mut desk = Desk::new(ROWS);
    desk.tell(&world);
    complete(&world, &desk);
    assert!(world.fake.refusals().is_empty(), "{:?}", world.fake.refusals());
    let messages = world.fake.messages();
    assert!(messages.iter().all(|message| (1..=45).contains(&told(message))));
    assert!((3..=8).contains(&messages.len()), "{}", messages.len());
    let said = texts(&messages[0]);
    for wanted in [
        "Digest for Monday",
        "up, was 7",
        "2026-11-22 17",
        "more in the thread, and 5 beyond those",
        "yours to look",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    let (second, last) = (texts(&messages[1]), texts(&messages[messages.len() - 1]));
    let head = format!("the rest of the digest, from {} of {ROWS}", told(&messages[0]) + 1);
    assert!(second.contains(&head) && second.contains("more below"), "{second}");
    assert!(!last.contains(" more ") && !second.contains("yours to look"), "{last}");
    // Word of a message tells which it is.
    let posted = json!({"event": {
        "type": "message_metadata_posted", "channel_id": "C1", "message_ts": "1.2",
        "metadata": messages[1].metadata,
    }});
    let Happening::Posted { intent, outcome: Outcome::Partly(part) } = Happening::of_event(&posted) else {
        panic!("{posted}")
    };
    assert_eq!((intent, part.number, part.rows), (desk.id.clone(), 2, told(&messages[1])));
    // One that fits is one message.
    let world = World::new();
    let mut desk = Desk::new(5);
    assert_eq!(desk.step(&world), "delivered");
    complete(&world, &desk);
}

#[test]
fn whatever_happens_to_one_message_of_it_all_rows_arrive_once() {
    // How the second message fails, how the attempt ends for it, and whether it is repeated.
    #[track_caller]
    fn check(fault: Fault, wanted: &str, is_repeated: bool) {
        let world = World::new();
        let mut desk = Desk::new(ROWS);
        assert_eq!(desk.step(&world), "partly 1");
        world.fake.fail("chat.postMessage", fault);
        assert_eq!(desk.step(&world), wanted);
        assert_eq!(desk.row().part(), if is_repeated { 2 } else { 3 });
        world.fake.mend("chat.postMessage");
        // A limit that was told would be kept for as long as it lasts.
        let again = World { slack: std::sync::Arc::new(super::account(&world.fake)), ..world };
        desk.tell(&again);
        complete(&again, &desk);
    }
    check(Fault::Limited(30), "limited 30000 Destination", true);
    check(Fault::Code("rate_limited"), "limited 1000 Destination", true);
    check(Fault::Code("update_failed"), "deferred 10000", true);
    check(Fault::Reset, "ambiguous", true);
    check(Fault::Status(503), "ambiguous", true);
    check(Fault::LoseAnswer, "ambiguous", false);
    check(Fault::StatusAfter(500), "ambiguous", false);
    check(Fault::CodeAfter("fatal_error"), "ambiguous", false);
    check(Fault::Code("invalid_blocks"), "partly 2", false);
}

#[test]
fn what_slack_takes_in_no_other_form_is_plain_text_and_goes_on() {
    let world = World::new();
    let mut desk = Desk::new(ROWS);
    for _ in 0..3 {
        world.fake.fail("chat.postMessage", Fault::Code("invalid_blocks"));
        world.fake.fail("chat.postMessage", Fault::Nothing);
    }
    desk.tell(&world);
    complete(&world, &desk);
    let messages = world.fake.messages();
    assert_eq!(messages.iter().take(3).filter(|message| message.blocks.is_array()).count(), 0);
    assert!(messages[0].text.contains("more in the thread"), "{}", messages[0].text);
}

#[test]
fn the_rest_of_a_digest_is_told_anew_where_its_beginning_is_gone() {
    let world = World::new();
    let mut desk = Desk::new(ROWS);
    desk.step(&world);
    let first = world.message(0);
    world.fake.delete(&first.ts);
    assert_eq!(desk.step(&world), "partly 2");
    // Its answer is lost, and the next one is told below it all the same.
    world.fake.fail("chat.postMessage", Fault::LoseAnswer);
    assert_eq!(desk.step(&world), "ambiguous");
    desk.tell(&world);
    let messages = world.fake.messages();
    assert_eq!(messages.iter().filter(|message| message.thread.is_none()).count(), 1);
    assert_eq!(told(&first) + messages.iter().map(told).sum::<usize>(), ROWS);
}
