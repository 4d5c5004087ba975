//! Which of Slack's ids names mean, and who is a colleague.

use dice_deliver::slack::{Happening, Seal};
use dice_route::{Destination, NoticeKind, Outcome};

use super::outcome::word;
use super::{World, clicks, config};

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
fn a_channel_that_is_named_by_its_id_and_gone_makes_nobody_look_again() {
    let world = World::new();
    let gone = world.fake.add_channel("gone");
    world.fake.channel(&gone, |channel| channel.is_archived = true);
    let told = |name: &str| {
        let mut parcel = world.parcel(name, NoticeKind::Open);
        parcel.intent.destination = Destination::Channel(name.to_owned());
        word(&world.deliver(&parcel))
    };
    assert_eq!(told("#none"), "refused");
    let looks = world.fake.calls("conversations.list").len();
    assert_eq!([told(&gone), told("#none"), told(&gone), told("#none")], ["refused"; 4]);
    assert_eq!(world.fake.calls("conversations.list").len(), looks);
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
