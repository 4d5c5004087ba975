//! A notice whose answer was lost is found, or is not there.

use dice_deliver::slack::Happening;
use dice_deliver::{Found, Parcel};
use dice_route::NoticeKind;
use dice_testkit::fakes::slack::Fault;
use serde_json::json;

use super::outcome::word;
use super::{World, account};

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
fn what_another_bot_writes_is_not_ours() {
    let world = World::new();
    let lost = Parcel { unsure_since_ms: Some(world.fake.now_ms()), ..world.parcel("i", NoticeKind::Open) };
    world.delivered(&lost);
    assert!(matches!(world.find(&lost), Found::There(_)));
    world.fake.message(&world.message(0).ts, |message| message.bot = "B2".to_owned());
    assert_eq!(world.find(&lost), Found::Absent);
    for (app, is_ours) in [("A1", true), ("A2", false)] {
        let posted = json!({"api_app_id": "A1", "event": {
            "type": "message_metadata_posted", "app_id": app, "channel_id": "C1", "message_ts": "1.2",
            "metadata": {"event_type": "dice_notice", "event_payload": {"intent": "i"}},
        }});
        let happening = Happening::of_event(&posted);
        assert_eq!(matches!(happening, Happening::Posted { .. }), is_ours, "{app}");
    }
}

#[test]
fn what_was_written_long_after_is_not_read() {
    let world = World::new();
    world.fake.set_now_ms(Some(1_700_000_000_000));
    world.fake.fail("chat.postMessage", Fault::LoseAnswer);
    let mut lost = world.parcel("lost", NoticeKind::Open);
    lost.unsure_since_ms = Some(lost.now_ms);
    lost.intent.passage.started_ms = Some(lost.now_ms);
    assert_eq!(word(&world.deliver(&lost)), "ambiguous");
    world.fake.set_now_ms(Some(1_700_003_600_000));
    for n in 0..20 {
        world.delivered(&world.parcel(&format!("later {n}"), NoticeKind::Open));
    }
    assert!(matches!(world.find(&lost), Found::There(_)));
    assert_eq!(world.fake.calls("conversations.history").len(), 1);
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
fn what_was_told_in_another_channel_of_the_same_name_is_told_once() {
    // What the notice is, and whether the process ended when the answer was lost.
    #[track_caller]
    fn check(kind: NoticeKind, is_restarted: bool) {
        let mut world = World::new();
        let first = world.delivered(&world.parcel("first", NoticeKind::Open));
        let remembered = world.slack.remembered();
        world.fake.channel(&world.ops, |channel| {
            channel.name = "ops-old".to_owned();
            channel.is_archived = true;
        });
        let today = world.fake.add_channel("ops");
        if kind != NoticeKind::Update {
            // The first call is for the old channel.
            world.fake.fail("chat.postMessage", Fault::Nothing);
        }
        world.fake.fail("chat.postMessage", Fault::LoseAnswer);
        let mut lost = world.parcel("lost", kind);
        lost.first = (kind != NoticeKind::Open).then(|| first.clone());
        lost.unsure_since_ms = Some(lost.now_ms);
        assert_eq!(word(&world.deliver(&lost)), "ambiguous");
        if is_restarted {
            let slack = account(&world.fake);
            slack.remember(remembered);
            world.slack = std::sync::Arc::new(slack);
        }
        let found = match world.find(&lost) {
            Found::There(reference) => reference,
            Found::Absent => world.delivered(&lost),
            other => panic!("{other:?}"),
        };
        assert!(found.starts_with(&today), "{found}");
        assert_eq!(world.fake.by_intent()["lost"], 1);
        // And what changes it is told there.
        let mut update = world.parcel("later", NoticeKind::Update);
        update.first = Some(if kind == NoticeKind::Open { found.clone() } else { first });
        assert_eq!(world.delivered(&update), found);
    }
    for kind in [NoticeKind::Update, NoticeKind::Reminder, NoticeKind::Open] {
        for is_restarted in [false, true] {
            check(kind, is_restarted);
        }
    }
}

#[test]
fn what_is_told_anew_where_nobody_can_look_says_so() {
    let world = World::new();
    let first = world.delivered(&world.parcel("first", NoticeKind::Open));
    world.fake.delete(&world.message(0).ts);
    world.fake.set_scopes(&["channels:read", "chat:write"]);
    let lost = Parcel { first: Some(first), ..world.parcel("lost", NoticeKind::Update) };
    let again = Parcel { unsure_since_ms: Some(lost.now_ms), ..lost };
    world.delivered(&again);
    assert!(world.message(0).text.contains("(possible repeat)"), "{:?}", world.message(0));
}
