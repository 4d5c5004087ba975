//! The connection over which clicks arrive.

use std::sync::Arc;
use std::thread;

use dice_deliver::slack::{Happening, Socket, Standing};
use dice_route::{NoticeKind, Outcome};
use serde_json::json;

use super::{World, account, clicks, runtime};

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
    assert_eq!(
        came.happening,
        Happening::Posted { intent: "i".to_owned(), outcome: Outcome::Delivered(reference) }
    );
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
