//! How notices look in Slack: one message, its thread, a digest, and text that nobody trusts.

use dice_deliver::{Courier, Found, Parcel};
use dice_route::{NoticeKind, Outcome};
use dice_testkit::fakes::slack::Fault;
use serde_json::json;

use super::outcome::word;
use super::{World, account, texts};

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
    // Nor one that could only be told in a thread.
    world.fake.fail("chat.update", Fault::Code("edit_window_closed"));
    world.fake.fail("chat.postMessage", Fault::LoseAnswer);
    let lost = Parcel { unsure_since_ms: Some(world.fake.now_ms()), ..update("lost in a thread") };
    assert_eq!(word(&world.deliver(&lost)), "ambiguous");
    world.fake.fail("chat.update", Fault::Code("edit_window_closed"));
    world.delivered(&lost);
    assert_eq!(world.fake.by_intent()["lost in a thread"], 1);
    // An update whose answer is lost is looked for, and then repeated: that changes nothing.
    world.fake.fail("chat.update", Fault::LoseAnswer);
    let lost = Parcel { unsure_since_ms: Some(world.fake.now_ms()), ..update("lost") };
    assert_eq!(word(&world.deliver(&lost)), "ambiguous");
    assert_eq!(world.find(&lost), Found::Absent);
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
