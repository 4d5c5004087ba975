//! Slack's courier against a workspace that is as strict as Slack, and fails in every way Slack does.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use dice_deliver::slack::{
    CODES, Click, Finding, Happening, MAX_TOTAL, Meaning, Rejected, Replays, Rota, Rung, Seal, Settings,
    Signature, Slack, Socket, Standing, Token, Wanted, Wish, check as accepts, compose,
};
use dice_deliver::{Courier, Found, Parcel};
use dice_route::config::{Person, Team};
use dice_route::{
    Act, Answer, Audience, Config, Destination, Evidence, Intent, Lane, Notice, NoticeKind, NoticeRow,
    Outcome, Passage, Reach, Scope, Severity, State,
};
use dice_testkit::fakes::slack::{FakeSlack, Fault, Message, check as slack_takes};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

const MESSAGE: &str = "00112233445566778899aabbccddeeff";
const ALERT: &str = "ffeeddccbbaa99887766554433221100";

/// A workspace with `#ops` and a person, and a courier for it.
struct World {
    fake: FakeSlack,
    slack: Arc<Slack>,
    runtime: Runtime,
    ops: String,
    ada: String,
}

impl World {
    fn new() -> World {
        let fake = FakeSlack::start();
        fake.add_channel("general");
        fake.add_channel("random");
        let ops = fake.add_channel("ops");
        let ada = fake.add_person("ada@corp.example");
        let slack = Arc::new(account(&fake));
        World { slack, runtime: runtime(), ops, ada, fake }
    }

    fn deliver(&self, parcel: &Parcel) -> Outcome {
        self.runtime.block_on(self.slack.deliver(parcel))
    }

    fn find(&self, parcel: &Parcel) -> Found {
        self.runtime.block_on(self.slack.find(parcel))
    }

    fn parcel(&self, id: &str, kind: NoticeKind) -> Parcel {
        Parcel { now_ms: self.fake.now_ms(), ..parcel(id, kind) }
    }

    /// Delivers, and gives what Slack calls it.
    #[track_caller]
    fn delivered(&self, parcel: &Parcel) -> String {
        match self.deliver(parcel) {
            Outcome::Delivered(reference) => reference,
            other => panic!("{other:?} {:?}", self.fake.refusals()),
        }
    }

    fn message(&self, n: usize) -> Message {
        self.fake.messages()[n].clone()
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a thread of this test's own")
}

fn account(fake: &FakeSlack) -> Slack {
    let slack = Slack::new(settings(&fake.base())).expect("the fake has an address");
    slack.know(&config("@ada", "ada@corp.example"));
    slack
}

/// A configuration with a person of this name and address, and a team.
fn config(name: &str, email: &str) -> Config {
    let person = Person { handle: name.to_owned(), emails: vec![email.to_owned()], ..Person::default() };
    let team = Team { channel: Some("#ops".to_owned()), ..Team::default() };
    Config {
        people: BTreeMap::from([(name.to_owned(), person)]),
        teams: BTreeMap::from([("@corp/ops".to_owned(), team)]),
        ..Config::default()
    }
}

fn settings(base: &str) -> Settings {
    Settings {
        base: base.to_owned(),
        bot_token: Token::new(FakeSlack::BOT_TOKEN),
        app_token: Some(Token::new(FakeSlack::APP_TOKEN)),
        seal: Some(Seal::new(b"seal")),
        is_proxied: false,
    }
}

fn row() -> NoticeRow {
    NoticeRow {
        episode: None,
        message: Some(MESSAGE.to_owned()),
        alert: Some(ALERT.to_owned()),
        title: "disk <*> is <*>% full".to_owned(),
        state: "open".to_owned(),
        severity: Severity::High,
        evidence: Evidence {
            count: 20,
            seen_ms: Some((1_700_000_000_000, 1_700_000_300_000)),
            hosts: vec![("web-1".into(), 12), ("web-2".into(), 8)],
            sample: Some("disk sda is 93% full".into()),
            place: Some("src/disk.c:12".into()),
            ..Evidence::default()
        },
        owner: Some("#ops, annotation".to_owned()),
        url: Some("https://code.example/disk.c#L12".to_owned()),
        before: None,
        days: Vec::new(),
    }
}

fn parcel(id: &str, kind: NoticeKind) -> Parcel {
    Parcel {
        intent: Intent {
            id: id.to_owned(),
            destination: Destination::Channel("#ops".to_owned()),
            lane: Lane::Immediate,
            kind,
            subject: "subject".to_owned(),
            revision: 0,
            follows: None,
            state: State::Sending,
            due_ms: 0,
            created_ms: 0,
            attempts: 1,
            changed_ms: 0,
            why: None,
            reference: None,
            passage: Passage::default(),
            notice: Notice {
                title: "disk sda is 93% full".to_owned(),
                because: "annotated with #ops".to_owned(),
                severity: Severity::High,
                rows: vec![row()],
                ..Notice::default()
            },
        },
        first: None,
        now_ms: 0,
        unsure_since_ms: None,
        is_possible_repeat: false,
    }
}

/// All texts of a message, one a line.
fn texts(message: &Message) -> String {
    fn gather(value: &Value, out: &mut Vec<String>) {
        match value {
            Value::Object(object) => object.iter().for_each(|(name, value)| match value {
                Value::String(text) if name == "text" => out.push(text.clone()),
                value => gather(value, out),
            }),
            Value::Array(list) => list.iter().for_each(|value| gather(value, out)),
            _ => {}
        }
    }
    let mut out = vec![message.text.clone()];
    gather(&message.blocks, &mut out);
    out.join("\n")
}

fn word(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Delivered(_) => "delivered".to_owned(),
        Outcome::Later(wait_ms, _) => format!("later {wait_ms}"),
        Outcome::Deferred(wait_ms, _) => format!("deferred {wait_ms}"),
        Outcome::Limited(wait_ms, reach, _) => format!("limited {wait_ms} {reach:?}"),
        Outcome::Refused(_) => "refused".to_owned(),
        Outcome::Denied(_) => "denied".to_owned(),
        Outcome::Ambiguous(_) => "ambiguous".to_owned(),
        other => format!("{other:?}"),
    }
}

#[test]
fn every_code_ends_a_post_in_one_way() {
    let world = World::new();
    for (code, meaning) in CODES {
        // What is limited stays so for the account: each code meets a new one.
        let slack = account(&world.fake);
        world.fake.fail("chat.postMessage", Fault::Code(code));
        let outcome = world.runtime.block_on(slack.deliver(&world.parcel(code, NoticeKind::Open)));
        let wanted = match meaning {
            Meaning::Denied(_) => "denied".to_owned(),
            Meaning::Refused(_) | Meaning::Lost(_) | Meaning::Anew | Meaning::Thread => "refused".to_owned(),
            Meaning::Later(wait_ms) => format!("later {wait_ms}"),
            Meaning::Deferred(wait_ms) => format!("deferred {wait_ms}"),
            Meaning::Limited(wait_ms, Reach::Account) => format!("limited {wait_ms} Account"),
            Meaning::Limited(wait_ms, _) => format!("limited {wait_ms} Destination"),
            Meaning::Ambiguous => "ambiguous".to_owned(),
            // Told in fewer words, it arrives.
            Meaning::Shorter => "delivered".to_owned(),
        };
        assert_eq!(word(&outcome), wanted, "{code}");
        if let Outcome::Denied(why) | Outcome::Refused(why) = outcome {
            assert!(why.contains(code) && why.len() > code.len() + 20, "{why}");
        }
    }
}

#[test]
fn every_way_to_fail_ends_in_what_can_be_said() {
    #[track_caller]
    fn check(method: &str, fault: Fault, wanted: &str) {
        let world = World::new();
        world.fake.fail(method, fault);
        let outcome = world.deliver(&world.parcel("i", NoticeKind::Open));
        assert_eq!(word(&outcome), wanted, "{outcome:?}");
    }
    let post = "chat.postMessage";
    check(post, Fault::Limited(7), "limited 7000 Destination");
    check(post, Fault::Status(500), "ambiguous");
    check(post, Fault::Status(503), "ambiguous");
    check(post, Fault::Status(400), "refused");
    check(post, Fault::Status(401), "denied");
    check(post, Fault::Status(404), "denied");
    check(post, Fault::Status(302), "denied");
    check(post, Fault::Reset, "ambiguous");
    check(post, Fault::LoseAnswer, "ambiguous");
    check(post, Fault::StatusAfter(502), "ambiguous");
    check(post, Fault::CodeAfter("internal_error"), "ambiguous");
    check(post, Fault::Garbage, "ambiguous");
    check(post, Fault::BreakOff, "ambiguous");
    check(post, Fault::HangAfter, "ambiguous");
    // Looking up where it goes sends nothing.
    let list = "conversations.list";
    check(list, Fault::Limited(9), "deferred 9000");
    check(list, Fault::Status(500), "later 1000");
    check(list, Fault::Reset, "later 1000");
    check(list, Fault::Code("invalid_auth"), "denied");
    check(list, Fault::Code("team_added_to_org"), "later 60000");
    check(list, Fault::Code("missing_scope"), "delivered");
    check("chat.postMessage", Fault::Code("external_channel_migrating"), "deferred 60000");
}

#[test]
fn nobody_there_is_no_attempt() {
    let world = World::new();
    let place = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let slack = Slack::new(settings(&format!("http://{place}/api"))).unwrap();
    let outcome = world.runtime.block_on(slack.deliver(&parcel("i", NoticeKind::Open)));
    assert_eq!(word(&outcome), "later 0", "{outcome:?}");
    assert!(Slack::new(settings("slack.com/api")).is_err());
}

#[test]
fn a_limit_is_the_channels_until_a_second_one_meets_it() {
    let world = World::new();
    let to = |name: &str| {
        let mut parcel = world.parcel(name, NoticeKind::Open);
        parcel.intent.destination = Destination::Channel(name.to_owned());
        parcel
    };
    world.fake.fail("chat.postMessage", Fault::Limited(60));
    assert_eq!(word(&world.deliver(&to("#ops"))), "limited 60000 Destination");
    // Known without asking.
    assert!(matches!(world.deliver(&to("#ops")), Outcome::Limited(_, Reach::Destination, _)));
    assert_eq!(world.fake.calls("chat.postMessage").len(), 1);
    world.delivered(&to("#general"));
    world.fake.fail("chat.postMessage", Fault::Limited(60));
    assert_eq!(word(&world.deliver(&to("#random"))), "limited 60000 Kind");
    assert!(matches!(world.deliver(&to("#general")), Outcome::Limited(_, Reach::Kind, _)));
    assert_eq!(world.fake.calls("chat.postMessage").len(), 3);
}

#[test]
fn a_lost_answer_is_found_and_a_lost_call_is_not() {
    #[track_caller]
    fn check(fault: Fault, has_arrived: bool) {
        let world = World::new();
        for n in 0..8 {
            world.delivered(&world.parcel(&format!("earlier {n}"), NoticeKind::Open));
        }
        let mut lost = world.parcel("lost", NoticeKind::Open);
        assert_eq!(world.find(&lost), Found::Absent, "nothing was attempted");
        world.fake.fail("chat.postMessage", fault);
        lost.unsure_since_ms = Some(lost.now_ms);
        assert_eq!(word(&world.deliver(&lost)), "ambiguous");
        // What others write meanwhile does not hide it.
        for n in 0..8 {
            world.delivered(&world.parcel(&format!("later {n}"), NoticeKind::Open));
        }
        match world.find(&lost) {
            Found::There(reference) => {
                let found =
                    world.fake.messages().into_iter().find(|message| reference.ends_with(&message.ts));
                assert_eq!(found.unwrap().metadata["event_payload"]["intent"], "lost");
                assert!(has_arrived);
            }
            Found::Absent => {
                assert!(!has_arrived);
                world.delivered(&lost);
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(world.fake.by_intent()["lost"], 1);
    }
    check(Fault::LoseAnswer, true);
    check(Fault::StatusAfter(500), true);
    check(Fault::CodeAfter("fatal_error"), true);
    check(Fault::Garbage, true);
    check(Fault::Reset, false);
    check(Fault::Status(502), false);
}

#[test]
fn what_slack_shows_late_is_there_at_the_second_look() {
    let world = World::new();
    world.fake.fail("chat.postMessage", Fault::LoseAnswer);
    let lost =
        Parcel { unsure_since_ms: Some(world.fake.now_ms()), ..world.parcel("lost", NoticeKind::Open) };
    assert_eq!(word(&world.deliver(&lost)), "ambiguous");
    world.fake.set_history_lag(1);
    assert_eq!(world.find(&lost), Found::Absent);
    assert!(matches!(world.find(&lost), Found::There(_)));
}

#[test]
fn a_channel_takes_so_many_messages_a_second() {
    let world = World::new();
    world.fake.set_now_ms(Some(1_700_000_000_000));
    world.fake.set_rate(Some(1));
    world.delivered(&world.parcel("a", NoticeKind::Open));
    assert_eq!(word(&world.deliver(&world.parcel("b", NoticeKind::Open))), "limited 1000 Destination");
}

#[test]
fn who_is_of_another_workspace_is_nobody() {
    let world = World::new();
    world.fake.person(&world.ada, |ada| ada.is_guest = true);
    world.delivered(&world.parcel("i", NoticeKind::Open));
    let payload = world.fake.press(&world.ada, &world.message(0), None, "Disable");
    let click = clicks(Happening::of_payload(&payload, &Seal::new(b"seal"), 0)).remove(0);
    let refusal = "only people of this workspace can do that".to_owned();
    assert_eq!(world.runtime.block_on(world.slack.command(&click)), Err(refusal));
    let mut parcel = world.parcel("j", NoticeKind::Open);
    parcel.intent.destination = Destination::Person("@ada".to_owned());
    assert_eq!(word(&world.deliver(&parcel)), "refused");
}

#[test]
fn what_cannot_be_looked_up_is_said() {
    #[track_caller]
    fn check(fault: Fault, wanted: &str) {
        let world = World::new();
        let lost =
            Parcel { unsure_since_ms: Some(world.fake.now_ms()), ..world.parcel("i", NoticeKind::Open) };
        world.fake.fail("conversations.history", fault);
        let found = match world.find(&lost) {
            Found::Failed(outcome) => word(&outcome),
            Found::Unknowable(_) => "unknowable".to_owned(),
            other => format!("{other:?}"),
        };
        assert_eq!(found, wanted);
    }
    check(Fault::Code("missing_scope"), "unknowable");
    check(Fault::Code("not_in_channel"), "unknowable");
    check(Fault::Code("channel_not_found"), "unknowable");
    check(Fault::Limited(4), "limited 4000 Kind");
    check(Fault::Code("token_revoked"), "denied");
    check(Fault::Status(500), "later 1000");
    check(Fault::Reset, "later 1000");
    check(Fault::Nothing, "Absent");
}

#[test]
fn a_notice_has_one_message_and_what_follows_is_in_its_thread() {
    let world = World::new();
    let first = world.delivered(&world.parcel("first", NoticeKind::Open));
    let next = |id: &str, kind: NoticeKind, title: &str| {
        let mut parcel = Parcel { first: Some(first.clone()), ..world.parcel(id, kind) };
        parcel.intent.notice.title = title.to_owned();
        world.delivered(&parcel)
    };
    assert_eq!(next("more", NoticeKind::Update, "21 of them"), first);
    assert_ne!(next("remind", NoticeKind::Reminder, "still so"), first);
    next("step", NoticeKind::Escalation, "nobody reacts");
    next("ack", NoticeKind::Acknowledged, "ada is on it");
    next("over", NoticeKind::Resolved, "it is over");
    let told: Vec<String> = world
        .fake
        .messages()
        .iter()
        .map(|message| {
            let place = match (&message.thread, message.is_broadcast) {
                (None, _) => "channel",
                (Some(_), true) => "both",
                (Some(_), false) => "thread",
            };
            let intent = message.metadata["event_payload"]["intent"].as_str().unwrap_or_default();
            format!("{place} {intent} {}", message.edits)
        })
        .collect();
    assert_eq!(told, ["channel first 2", "both remind 0", "both step 0", "thread ack 0", "thread over 0"]);
    assert!(world.message(0).text.contains("it is over"));
    assert!(world.fake.refusals().is_empty());
}

#[test]
fn what_is_gone_or_closed_is_told_otherwise() {
    let world = World::new();
    let first = world.delivered(&world.parcel("first", NoticeKind::Open));
    let update = |id: &str| Parcel { first: Some(first.clone()), ..world.parcel(id, NoticeKind::Update) };
    for code in ["edit_window_closed", "cant_update_message"] {
        world.fake.fail("chat.update", Fault::Code(code));
        world.delivered(&update(code));
        assert!(world.fake.messages().last().unwrap().thread.is_some());
    }
    world.fake.delete(&world.message(0).ts);
    let anew = world.delivered(&update("anew"));
    assert_ne!(anew, first);
    // Whoever still knows the old one changes the new one, also after a restart.
    assert_eq!(world.delivered(&update("again")), anew);
    let restarted = account(&world.fake);
    restarted.remember(world.slack.remembered());
    assert_eq!(world.runtime.block_on(restarted.deliver(&update("later"))), Outcome::Delivered(anew));
    // A thread whose beginning is gone.
    world.fake.fail("chat.postMessage", Fault::Code("thread_not_found"));
    world.delivered(&Parcel { first: Some(first.clone()), ..world.parcel("remind", NoticeKind::Reminder) });
    assert!(world.fake.messages().last().unwrap().thread.is_none());
    // Told anew, and the answer lost: it is found, and changed from then on.
    let last = world.slack.remembered().moved.into_values().last().unwrap();
    world.fake.delete(last.split_once(':').unwrap().1);
    world.fake.fail("chat.postMessage", Fault::LoseAnswer);
    let lost = Parcel { unsure_since_ms: Some(world.fake.now_ms()), ..update("lost anew") };
    assert_eq!(word(&world.deliver(&lost)), "ambiguous");
    let Found::There(found) = world.find(&lost) else { panic!("it has arrived") };
    assert_eq!(world.delivered(&update("after that")), found);
    // Whoever repeats it without looking does not tell it a second time.
    world.fake.delete(found.split_once(':').unwrap().1);
    world.fake.fail("chat.postMessage", Fault::LoseAnswer);
    let lost = Parcel { unsure_since_ms: Some(world.fake.now_ms()), ..update("lost and repeated") };
    assert_eq!(word(&world.deliver(&lost)), "ambiguous");
    world.delivered(&lost);
    assert_eq!(world.fake.by_intent()["lost and repeated"], 1);
    // An update whose answer is lost is looked for, and then repeated: that changes nothing.
    world.fake.fail("chat.update", Fault::LoseAnswer);
    let lost = Parcel { unsure_since_ms: Some(world.fake.now_ms()), ..update("lost") };
    assert_eq!(word(&world.deliver(&lost)), "ambiguous");
    assert_eq!(world.find(&lost), Found::Absent);
}

#[test]
fn names_are_looked_up_once_and_ids_outlive_them() {
    let world = World::new();
    world.delivered(&world.parcel("a", NoticeKind::Open));
    let looks = world.fake.calls("conversations.list").len();
    world.fake.channel(&world.ops, |channel| channel.name = "ops-old".to_owned());
    world.delivered(&world.parcel("b", NoticeKind::Open));
    assert_eq!(world.message(1).channel, world.ops);
    assert_eq!(world.fake.calls("conversations.list").len(), looks);
    // It is archived, and another one has its name.
    world.fake.channel(&world.ops, |channel| channel.is_archived = true);
    let other = world.fake.add_channel("ops");
    world.delivered(&world.parcel("c", NoticeKind::Open));
    assert_eq!(world.message(2).channel, other);
    let mut to = world.parcel("d", NoticeKind::Open);
    for (destination, wanted) in [
        (Destination::Channel("#none".to_owned()), "there is no channel #none"),
        (Destination::Person("@eve".to_owned()), "no e-mail address is known for @eve"),
        (
            Destination::Person("eve@corp.example".to_owned()),
            "nobody in the workspace has the e-mail address",
        ),
        (Destination::Team("@corp/none".to_owned()), "@corp/none reads nowhere in Slack"),
    ] {
        to.intent.destination = destination;
        let Outcome::Refused(why) = world.deliver(&to) else { panic!("{wanted}") };
        assert!(why.starts_with(wanted), "{why}");
    }
    to.intent.destination = Destination::Team("@corp/ops".to_owned());
    assert!(world.delivered(&to).starts_with(&other));
    for name in ["@ada", "ada@corp.example"] {
        to.intent.destination = Destination::Person(name.to_owned());
        assert!(world.delivered(&to).starts_with('D'), "{name}");
    }
    let lookups = world.fake.calls("users.lookupByEmail").len();
    world.delivered(&to);
    assert_eq!(world.fake.calls("users.lookupByEmail").len(), lookups);
}

#[test]
fn a_corrected_address_is_another_person_at_once() {
    let world = World::new();
    let grace = world.fake.add_person("grace@corp.example");
    let mut to = world.parcel("i", NoticeKind::Open);
    to.intent.destination = Destination::Person("@ada".to_owned());
    let before = world.delivered(&to);
    world.slack.know(&config("@ada", "ada@corp.example"));
    assert_eq!(world.delivered(&to).split(':').next(), before.split(':').next());
    let named = |user: &str| world.runtime.block_on(world.slack.person_of(user));
    assert_eq!(named(&grace).as_deref(), Ok("grace@corp.example"));
    world.slack.know(&config("@ada", "grace@corp.example"));
    assert_ne!(world.delivered(&to).split(':').next(), before.split(':').next());
    assert_eq!(
        (named(&grace).as_deref(), named(&world.ada).as_deref()),
        (Ok("@ada"), Ok("ada@corp.example"))
    );
}

#[test]
fn a_digest_is_one_message_of_at_most_45_rows() {
    let world = World::new();
    let mut digest = world.parcel("digest", NoticeKind::Digest);
    digest.intent.lane = Lane::Digest;
    digest.intent.destination = Destination::Person("@ada".to_owned());
    digest.intent.notice = Notice {
        title: "Digest for Monday, 23 November 2026: 60 messages, 1200 occurrences".to_owned(),
        because: "these messages are yours to look after".to_owned(),
        rows: (0..60)
            .map(|n| NoticeRow {
                title: format!("warning: disk {n} is <*>% full"),
                state: "up".to_owned(),
                before: Some(7),
                days: vec![("2026-11-21".to_owned(), 3), ("2026-11-22".to_owned(), 17)],
                ..row()
            })
            .collect(),
        more_rows: 5,
        ..Notice::default()
    };
    world.delivered(&digest);
    let first = world.message(0);
    let rows = |message: &Message| texts(message).matches("`warning: disk").count();
    assert!((20..=45).contains(&rows(&first)), "{}", rows(&first));
    assert_eq!(world.fake.messages().iter().map(rows).sum::<usize>(), 60, "the rest is in the thread");
    let said = texts(&first);
    for wanted in
        ["Digest for Monday", "up, was 7", "2026-11-22 17", "more in the thread, and 5 beyond those"]
    {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    assert_eq!(world.fake.by_intent()["digest"], 1);
    assert!(world.fake.refusals().is_empty(), "{:?}", world.fake.refusals());
}

#[test]
fn log_text_is_no_markup() {
    let world = World::new();
    let hostile = "<!channel> <@U1> <https://evil.example|x> *b* ```\u{1b}[31m\u{202e} & &amp; @here";
    let mut parcel = world.parcel("i", NoticeKind::Open);
    let notice = &mut parcel.intent.notice;
    for text in [&mut notice.title, &mut notice.because] {
        *text = hostile.to_owned();
    }
    notice.notes = vec![hostile.to_owned()];
    let row = &mut notice.rows[0];
    (row.title, row.owner, row.url) =
        (hostile.to_owned(), Some(hostile.to_owned()), Some(hostile.to_owned()));
    row.evidence.sample = Some(hostile.into());
    row.evidence.place = Some(hostile.into());
    row.evidence.hosts = vec![(hostile.into(), 1)];
    world.delivered(&parcel);
    let said = texts(&world.message(0));
    assert!(world.fake.refusals().is_empty(), "{:?}", world.fake.refusals());
    assert!(
        said.contains("&lt;!channel&gt;") && said.contains("\\u{1b}") && said.contains("\\u{202e}"),
        "{said}"
    );
    assert!(!said.contains("<!channel") && !said.contains("<https://evil") && !said.contains("<@"), "{said}");
    // Fences are ours alone, and in pairs.
    assert_eq!(said.matches("```").count() % 2, 0, "{said}");
    let body = &world.fake.calls("chat.postMessage")[0];
    let quiet = ["unfurl_links", "unfurl_media", "link_names", "parse"].map(|name| body[name].clone());
    assert_eq!(quiet, [json!(false), json!(false), json!(false), json!("none")]);
}

/// Numbers without a pattern, the same for the same seed.
struct Dice(u64);

impl Dice {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below.max(1) as u64).unwrap_or(0)
    }

    fn text(&mut self) -> String {
        const PARTS: &[&str] = &[
            "<!channel>",
            "<@U1>",
            "&",
            "&amp;",
            "<",
            ">",
            "`",
            "```",
            "*",
            "_",
            "~",
            "\n",
            "\r\n",
            "\t",
            "\0",
            "\u{1b}[1m",
            "\u{202e}",
            "\u{e0001}",
            "😀",
            "ä",
            "漢",
            " ",
            "a",
            "disk sda",
            ":tada:",
            "|",
            "@here",
            "https://a.b/c?d=e&f",
            "#ops",
            "\u{feff}",
            "\\",
            "\"",
            "{",
            "0123456789",
        ];
        let n = [0, 1, 2, 8, 40, 400][self.next(6)];
        let n = self.next(n + 1);
        let mut text = String::new();
        for _ in 0..n {
            match self.next(4) {
                0 => text.extend(char::from_u32(u32::try_from(self.next(0x11_0000)).unwrap_or(0))),
                _ => text.push_str(PARTS[self.next(PARTS.len())]),
            }
        }
        text
    }

    fn parcel(&mut self, n_texts: &mut usize) -> Parcel {
        use NoticeKind::{Digest, Escalation, Open, Resolved, SelfAlert, Storm, Summary, Update};
        let kind = [Open, Update, Digest, Storm, Summary, SelfAlert, Escalation, Resolved][self.next(8)];
        let mut parcel = parcel("i", kind);
        let notice = &mut parcel.intent.notice;
        (notice.title, notice.because) = (self.text(), self.text());
        let (rows, notes) = ([0, 1, 1, 3, 20, 60][self.next(6)], self.next(4));
        notice.notes = (0..notes).map(|_| self.text()).collect();
        notice.rows = (0..rows)
            .map(|_| {
                let mut row = row();
                (row.title, row.state) = (self.text(), self.text());
                (row.owner, row.url) = (Some(self.text()), Some(self.text()));
                (row.message, row.episode) = (Some(self.text()), Some(self.text()));
                row.evidence.sample = Some(self.text().into());
                row.evidence.place = Some(self.text().into());
                row.evidence.hosts = (0..self.next(9)).map(|_| (self.text().into(), 1)).collect();
                row.evidence.count = u64::MAX;
                row.evidence.seen_ms = Some((i64::MIN, i64::MAX));
                row.days = vec![(self.text(), u64::MAX)];
                row
            })
            .collect();
        parcel.intent.lane = Lane::Alert;
        parcel.is_possible_repeat = self.next(2) == 0;
        *n_texts += 2 + notes + rows * 9;
        parcel
    }
}

#[test]
fn what_dice_believes_slack_takes_slack_takes() {
    let seal = Seal::new(b"seal");
    let seed = 0x5eed_1234_5678_9abc;
    let (mut dice, mut n_texts, mut n) = (Dice(seed), 0, 0);
    while n_texts < 100_000 {
        n += 1;
        let parcel = dice.parcel(&mut n_texts);
        let message = compose(&parcel, Some(&seal), Rung::Full);
        let body = message.body();
        assert_eq!(accepts(&body), Ok(()), "seed {seed:x}, notice {n}");
        assert_eq!(slack_takes(&body), Ok(()), "seed {seed:x}, notice {n}: {body:#}");
    }
    const { assert!(MAX_TOTAL < dice_testkit::fakes::slack::MAX_TOTAL) };
}

#[test]
fn and_so_over_the_wire() {
    let world = World::new();
    let (mut dice, mut n_texts) = (Dice(0x00de_c0de), 0);
    for n in 0..200 {
        let parcel = Parcel { now_ms: world.fake.now_ms(), ..dice.parcel(&mut n_texts) };
        let outcome = world.deliver(&parcel);
        let refusals = world.fake.refusals();
        assert!(matches!(outcome, Outcome::Delivered(_)), "notice {n}: {outcome:?} {refusals:?}");
        assert!(refusals.is_empty(), "notice {n}: {refusals:?}");
    }
}

#[test]
fn what_is_too_much_is_left_out_step_by_step() {
    #[track_caller]
    fn check(rows: usize, text: usize, wanted: Rung) {
        let mut parcel = parcel("i", NoticeKind::Open);
        parcel.intent.notice.rows = (0..rows)
            .map(|_| {
                let mut row = row();
                row.title = "&".repeat(text);
                row.owner = Some("&".repeat(text));
                row.evidence.sample = Some("x".repeat(text).into());
                row
            })
            .collect();
        let message = compose(&parcel, None, Rung::Full);
        assert_eq!(message.rung, wanted, "{rows} rows of {text}");
    }
    check(1, 20, Rung::Full);
    check(1, 100_000, Rung::Full);
    check(5, 230, Rung::FewerSamples);
    check(8, 190, Rung::ShorterText);
    check(45, 150, Rung::FewerRows);
}

#[test]
fn clicks_become_commands_and_are_answered_in_the_message() {
    let world = World::new();
    let seal = Seal::new(b"seal");
    world.delivered(&world.parcel("i", NoticeKind::Open));
    let payload = world.fake.press(&world.ada, &world.message(0), None, "until tomorrow");
    let (headers, body) = world.fake.signed(&payload);
    let (now_ms, mut replays) = (world.fake.now_ms(), Replays::default());
    let signature = Signature::new(Token::new(FakeSlack::SIGNING_SECRET));
    let mut check =
        |body: &str| signature.check(&headers[1].1, &headers[2].1, body.as_bytes(), now_ms, &mut replays);
    assert_eq!(check(&body), Ok(()));
    assert_eq!(check(&body), Err(Rejected::Repeated));
    assert_eq!(check(&format!("{body}x")), Err(Rejected::Forged));
    let again = clicks(Happening::of_request(body.as_bytes(), &seal, 0).unwrap());
    let click = clicks(Happening::of_payload(&payload, &seal, 0)).remove(0);
    assert_eq!(again[0].id, click.id, "the same click has one name");
    assert_eq!(click.team, "T1");
    let command = world.runtime.block_on(world.slack.command(&click)).unwrap().unwrap();
    assert_eq!(command.actor, "@ada");
    let snooze = Act::Snooze {
        scope: Scope::Alert(ALERT.to_owned()),
        audience: Audience::Channel("#ops".to_owned()),
        until: "tomorrow".to_owned(),
        reason: None,
    };
    assert_eq!(command.act, snooze);
    let answer = Answer {
        is_done: true,
        text: "snoozed".to_owned(),
        body: json!({"snooze": MESSAGE, "until_words": "until Mon 2026-11-23 09:00 (UTC)"}),
    };
    world.runtime.block_on(world.slack.respond(&click, &answer)).unwrap();
    let said = format!("Snoozed by <@{}> until Mon 2026-11-23 09:00 (UTC)", world.ada);
    assert!(texts(&world.message(0)).contains(&said), "{}", texts(&world.message(0)));
    // The way back.
    let undo = world.fake.press(&world.ada, &world.message(0), None, "Undo");
    let undo = clicks(Happening::of_payload(&undo, &seal, 0)).remove(0);
    let command = world.runtime.block_on(world.slack.command(&undo)).unwrap().unwrap();
    assert_eq!(command.act, Act::Unsnooze { id: MESSAGE.to_owned() });
    let answer =
        Answer { is_done: true, text: "No longer snoozed.".to_owned(), body: json!({"snooze": MESSAGE}) };
    world.runtime.block_on(world.slack.respond(&undo, &answer)).unwrap();
    let now = texts(&world.message(0));
    assert!(
        now.contains("No longer snoozed.") && !now.contains("Snoozed by") && !now.contains("Undo"),
        "{now}"
    );
    // What is not done is told to the person alone.
    let refusal = Answer { is_done: false, text: "only an owner can <do> that".to_owned(), body: json!({}) };
    world.runtime.block_on(world.slack.respond(&click, &refusal)).unwrap();
    let alone = (world.ada.clone(), "only an owner can &lt;do&gt; that".to_owned());
    assert_eq!(world.fake.whispers(), [alone]);
    // A button that somebody else made.
    let mut forged = world.fake.press(&world.ada, &world.message(0), None, "Disable");
    forged["actions"][0]["value"] = json!("v1.QBIAESIzRFVmd4iZqrvM3e7_.0000000000000000");
    let forged = clicks(Happening::of_payload(&forged, &seal, 0)).remove(0);
    assert_eq!(forged.wish, Wish::Forged);
    assert!(world.runtime.block_on(world.slack.command(&forged)).is_err());
    // A link is nothing to do.
    let link = world.fake.press(&world.ada, &world.message(0), None, "Show in code");
    assert_eq!(clicks(Happening::of_payload(&link, &seal, 0)), []);
}

#[test]
fn a_click_arrives_at_an_address_signed() {
    let world = World::new();
    world.delivered(&world.parcel("i", NoticeKind::Open));
    let payload = world.fake.press(&world.ada, &world.message(0), None, "Not me");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/slack", listener.local_addr().unwrap());
    let now_ms = world.fake.now_ms();
    let served = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut input = BufReader::new(&stream);
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            input.read_line(&mut line).unwrap();
            match line.trim_end().split_once(": ") {
                Some((name, value)) => drop(headers.insert(name.to_owned(), value.to_owned())),
                None if line.trim().is_empty() => break,
                None => {}
            }
        }
        let mut body = vec![0; headers["content-length"].parse().unwrap()];
        input.read_exact(&mut body).unwrap();
        (&stream).write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
        let (at, signed) = (&headers["x-slack-request-timestamp"], &headers["x-slack-signature"]);
        let signature = Signature::new(Token::new(FakeSlack::SIGNING_SECRET));
        assert_eq!(signature.check(at, signed, &body, now_ms, &mut Replays::default()), Ok(()));
        clicks(Happening::of_request(&body, &Seal::new(b"seal"), 0).unwrap())
    });
    assert_eq!(world.fake.send(&url, &payload), Some((200, String::new())));
    assert_eq!(served.join().unwrap()[0].wish, Wish::AskNotMe(MESSAGE.to_owned()));
}

#[track_caller]
fn clicks(happening: Happening) -> Vec<Click> {
    match happening {
        Happening::Clicks(clicks) => clicks,
        other => panic!("{other:?}"),
    }
}

#[test]
fn not_me_asks_who_it_was() {
    let world = World::new();
    let seal = Seal::new(b"seal");
    let grace = world.fake.add_person("grace@corp.example");
    let mut digest = world.parcel("i", NoticeKind::Digest);
    digest.intent.destination = Destination::Person("@ada".to_owned());
    world.delivered(&digest);
    let payload = world.fake.press(&world.ada, &world.message(0), Some("row-0"), "Not me");
    let click = clicks(Happening::of_payload(&payload, &seal, 0)).remove(0);
    assert_eq!(click.wish, Wish::AskNotMe(MESSAGE.to_owned()));
    assert_eq!(world.runtime.block_on(world.slack.command(&click)), Ok(None));
    world.runtime.block_on(world.slack.ask(&click)).unwrap();
    let check = |values: Value, proposed: Option<&str>| {
        let payload = world.fake.submit(&world.ada, &values);
        let sent = clicks(Happening::of_payload(&payload, &seal, 5)).remove(0);
        let command = world.runtime.block_on(world.slack.command(&sent)).unwrap().unwrap();
        let reason = values.pointer("/reason/dice.reason/value").and_then(Value::as_str).map(str::to_owned);
        let (message, proposed) = (MESSAGE.to_owned(), proposed.map(str::to_owned));
        assert_eq!(command.act, Act::NotMe { message, person: None, proposed, reason });
        sent
    };
    check(json!({}), None);
    check(json!({"channel": {"dice.channel": {"selected_conversation": world.ops}}}), Some("#ops"));
    let sent = check(
        json!({"person": {"dice.person": {"selected_user": grace}}, "reason": {"dice.reason": {"value": "moved"}}}),
        Some("grace@corp.example"),
    );
    let answer =
        Answer { is_done: true, text: "Passed on to grace.".to_owned(), body: json!({"message": MESSAGE}) };
    world.runtime.block_on(world.slack.respond(&sent, &answer)).unwrap();
    let said = texts(&world.message(0));
    assert!(said.contains("Passed on to grace.") && said.contains("Undo"), "{said}");
    // In a conversation with one person a snooze is theirs.
    let payload = world.fake.press(&world.ada, &world.message(0), Some("row-0"), "Disable");
    let click = clicks(Happening::of_payload(&payload, &seal, 0)).remove(0);
    let command = world.runtime.block_on(world.slack.command(&click)).unwrap().unwrap();
    assert!(
        matches!(command.act, Act::Snooze { audience: Audience::Person(_), until, .. } if until == "forever")
    );
}

#[test]
fn a_socket_acknowledges_what_is_committed_and_is_relieved_without_a_gap() {
    let world = World::new();
    world.delivered(&world.parcel("i", NoticeKind::Open));
    let (out, mut incoming) = tokio::sync::mpsc::channel(8);
    // The courier's own connections belong to another runtime.
    let (socket, standing) = Socket::new(Arc::new(account(&world.fake)), out, Arc::new(|| 7));
    let kept = thread::spawn(|| runtime().block_on(socket.run()));
    let fake = &world.fake;
    assert!(fake.wait_until(|fake| fake.connections() == 1));
    let payload = fake.press(&world.ada, &world.message(0), None, "Disable");
    let envelope = fake.tell("interactive", &payload);
    let came = incoming.blocking_recv().unwrap();
    assert_eq!(*standing.borrow(), Standing::Open);
    assert_eq!(clicks(came.happening).len(), 1);
    came.committed.say();
    assert!(fake.wait_until(|fake| fake.is_acked(&envelope)));
    // What does not concern us is acknowledged at once.
    let envelope = fake.tell("events_api", &json!({"event": {"type": "app_home_opened"}}));
    assert!(fake.wait_until(|fake| fake.is_acked(&envelope)));
    // A message that has appeared, told by Slack itself.
    let message = world.message(0);
    let posted = json!({"event": {
        "type": "message_metadata_posted", "channel_id": message.channel, "message_ts": message.ts,
        "metadata": message.metadata,
    }});
    let envelope = fake.tell("events_api", &posted);
    let came = incoming.blocking_recv().unwrap();
    let reference = format!("{}:{}", message.channel, message.ts);
    assert_eq!(came.happening, Happening::Posted { intent: "i".to_owned(), reference });
    assert!(!fake.is_acked(&envelope), "nothing is committed yet");
    // Not done in time: it is acknowledged all the same, and what is done later is done.
    assert!(fake.wait_until(|fake| fake.is_acked(&envelope)));
    came.committed.say();
    // The new connection is there before the old one goes.
    fake.announce_end("refresh_requested");
    assert!(fake.wait_until(|fake| fake.connections() == 2));
    fake.close_oldest();
    assert!(fake.wait_until(|fake| fake.connections() == 1));
    let envelope = fake.tell("interactive", &payload);
    incoming.blocking_recv().unwrap().committed.say();
    assert!(fake.wait_until(|fake| fake.is_acked(&envelope)));
    // One that breaks comes back.
    fake.close_oldest();
    assert!(fake.wait_until(|fake| fake.connections_so_far() == 3 && fake.connections() == 1));
    drop(incoming);
    kept.join().unwrap();
}

#[test]
fn people_are_there_or_not_or_nobody_knows() {
    let world = World::new();
    let fake = &world.fake;
    fake.set_now_ms(Some(1_700_000_000_000));
    fake.person(&world.ada, |ada| ada.zone = "Europe/Berlin".to_owned());
    let away = fake.add_person("away@corp.example");
    fake.person(&away, |person| person.is_active = false);
    let dnd = fake.add_person("dnd@corp.example");
    fake.person(&dnd, |person| person.dnd = Some((1_699_999_000, 1_700_003_600)));
    let names = ["@ada", "away@corp.example", "dnd@corp.example", "nobody@corp.example"];
    let wanted: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut rota = Rota::default();
    let mut check = |now_ms: i64, told: &[&str]| {
        let mut news = world.runtime.block_on(world.slack.presence(&mut rota, &wanted, now_ms)).0;
        news.sort_by(|a, b| a.person.cmp(&b.person));
        let news: Vec<String> = news
            .iter()
            .map(|news| {
                let zone = news.zone.as_deref().unwrap_or("-");
                format!(
                    "{} {:?} {:?} {zone} {}",
                    news.person, news.is_online, news.dnd_until_ms, news.is_gone
                )
            })
            .collect();
        assert_eq!(news, told);
    };
    check(
        1_700_000_000_000,
        &[
            "@ada Some(true) None Europe/Berlin false",
            "away@corp.example Some(false) None - false",
            "dnd@corp.example Some(true) Some(1700003600000) - false",
            "nobody@corp.example None None - false",
        ],
    );
    check(1_700_000_001_000, &[]);
    assert_eq!(fake.calls("dnd.teamInfo").len(), 1);
    fake.person(&world.ada, |ada| ada.is_deleted = true);
    fake.fail("dnd.teamInfo", Fault::Status(500));
    check(
        1_700_003_700_000,
        &[
            "@ada None None Europe/Berlin true",
            "away@corp.example None None - false",
            "dnd@corp.example None None - false",
            "nobody@corp.example None None - false",
        ],
    );
}

#[test]
fn the_doctor_says_what_would_fail_and_what_to_do() {
    let world = World::new();
    let fake = &world.fake;
    let alone = fake.add_channel("alone");
    fake.channel(&alone, |channel| channel.is_member = false);
    let wanted = Wanted {
        channels: ["#ops", "#alone", "#none"].map(str::to_owned).into(),
        people: ["@ada", "eve@corp.example"].map(str::to_owned).into(),
    };
    let examine = |slack: &Slack| -> Vec<Finding> { world.runtime.block_on(slack.doctor(&wanted, 0)) };
    let told = |findings: &[Finding]| -> Vec<String> {
        findings.iter().map(|finding| format!("{} {}", finding.what, finding.is_ok)).collect()
    };
    let findings = examine(&world.slack);
    let people = ["@ada true", "eve@corp.example false", "app token true"];
    let rest = ["bot token true", "scopes true", "#ops true", "#alone false", "#none false"];
    assert_eq!(told(&findings), [rest.as_slice(), people.as_slice()].concat());
    assert!(findings.iter().all(|finding| finding.is_ok == finding.next.is_empty()), "{findings:#?}");
    assert_eq!(findings[3].next, "write /invite @dice in #alone");
    fake.set_scopes(&[
        "chat:write",
        "channels:read",
        "groups:read",
        "users:read",
        "users:read.email",
        "dnd:read",
    ]);
    let findings = examine(&account(fake));
    let missing: Vec<&str> =
        findings.iter().filter_map(|finding| finding.what.strip_prefix("scope ")).collect();
    let wanted_scopes =
        ["channels:history", "groups:history", "im:history", "im:write", "metadata.message:read"];
    assert_eq!(missing, wanted_scopes);
    fake.set_denial(Some("token_revoked"));
    let findings = examine(&account(fake));
    assert_eq!(told(&findings), ["bot token false", "app token false"]);
    assert_eq!(findings[0].next, "install the app anew and give Dice its new token");
}

#[test]
fn the_manual_has_every_code() {
    let manual = include_str!("../../../docs/slack.md");
    for (code, meaning) in CODES {
        let line = format!("| `{code}` | {} |", in_words(*meaning));
        assert!(manual.contains(&line), "docs/slack.md lacks: {line}");
    }
    for (scope, why) in dice_deliver::slack::SCOPES {
        assert!(manual.contains(&format!("| `{scope}` | {why} |")), "docs/slack.md lacks {scope}");
    }
}

fn in_words(meaning: Meaning) -> String {
    match meaning {
        Meaning::Denied(what) => format!("nothing arrives until somebody acts: {what}"),
        Meaning::Refused(what) => format!("this notice never arrives: {what}"),
        Meaning::Later(wait_ms) | Meaning::Deferred(wait_ms) => {
            format!("tried again after {} s", wait_ms / 1000)
        }
        Meaning::Limited(wait_ms, _) => format!("tried again after {} s, or when Slack says", wait_ms / 1000),
        Meaning::Ambiguous => "looked up in the channel's history, then tried again or not".to_owned(),
        Meaning::Anew => "told as a new message".to_owned(),
        Meaning::Thread => "told in the message's thread".to_owned(),
        Meaning::Shorter => "told once more as plain text".to_owned(),
        Meaning::Lost(what) => format!("looked up once more; if that does not help: {what}"),
    }
}
