//! What people press, and what they see then.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread;

use dice_deliver::slack::{Happening, Rejected, Replays, Seal, Signature, Token, Wish};
use dice_route::{Act, Answer, Audience, Destination, NoticeKind, Scope};
use dice_testkit::fakes::slack::{FakeSlack, Fault};
use serde_json::{Value, json};

use super::{ALERT, MESSAGE, World, account, clicks, texts};

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
fn a_click_changes_what_stands_there_and_not_what_stood_there() {
    // What happens to the change that comes between a click and its answer, whether the process ended after
    // that, whether it may read; what stands there then.
    #[track_caller]
    fn check(fault: Fault, is_restarted: bool, can_read: bool, wanted: [bool; 2]) {
        let mut world = World::new();
        let first = world.delivered(&world.parcel("i", NoticeKind::Open));
        let click = |label| {
            let payload = world.fake.press(&world.ada, &world.message(0), None, label);
            clicks(Happening::of_payload(&payload, &Seal::new(b"seal"), 0)).remove(0)
        };
        let clicked = [click("until tomorrow"), click("for 4 hours")];
        if !can_read {
            world.fake.set_scopes(&["channels:read", "chat:write"]);
        }
        let mut update = world.parcel("u", NoticeKind::Update);
        update.first = Some(first);
        update.intent.notice.rows[0].evidence.count = 21;
        world.fake.fail("chat.update", fault);
        world.deliver(&update);
        if is_restarted {
            world.slack = std::sync::Arc::new(account(&world.fake));
        }
        for (click, text) in clicked.iter().zip(["was put off", "was snoozed"]) {
            let answer = Answer { is_done: true, text: text.to_owned(), body: json!({}) };
            world.runtime.block_on(world.slack.respond(click, &answer)).unwrap();
        }
        let said = texts(&world.message(0));
        let shows = ["*21×*", "was snoozed"].map(|words| said.contains(words));
        assert_eq!(shows, wanted, "{said}");
        let whispers = world.fake.whispers().len();
        assert_eq!(whispers, if wanted[1] { 0 } else { 2 }, "who pressed is told");
        assert_eq!(world.fake.refusals(), [""; 0]);
    }
    check(Fault::Nothing, false, true, [true, true]);
    check(Fault::Nothing, false, false, [true, true]);
    check(Fault::Nothing, true, true, [true, true]);
    check(Fault::LoseAnswer, false, true, [true, true]);
    check(Fault::LoseAnswer, false, false, [true, false]);
    check(Fault::Reset, false, true, [false, true]);
    check(Fault::Code("update_failed"), false, false, [false, true]);
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
