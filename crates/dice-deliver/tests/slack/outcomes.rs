//! What every answer of Slack, and none, means for a notice.

use std::net::TcpListener;

use dice_deliver::slack::{CODES, Meaning, Slack};
use dice_deliver::{Courier, Parcel};
use dice_route::{Destination, NoticeKind, Outcome, Reach};
use dice_testkit::fakes::slack::Fault;

use super::outcome::word;
use super::{World, account, parcel, settings};

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
    check(post, Fault::Status(407), "denied");
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
fn a_limit_on_changing_messages_keeps_no_new_ones_waiting() {
    let world = World::new();
    let first = world.delivered(&world.parcel("i", NoticeKind::Open));
    let over = Parcel { first: Some(first), ..world.parcel("over", NoticeKind::Resolved) };
    world.fake.fail("chat.update", Fault::Limited(30));
    assert_eq!(word(&world.deliver(&over)), "deferred 30000");
    world.delivered(&world.parcel("another", NoticeKind::Open));
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
fn the_manual_has_every_code() {
    let manual = include_str!("../../../../docs/slack.md");
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
