//! Delivery under every fault there is, in virtual time: the router, the outbox and the dispatcher against
//! providers that lose requests and answers, are slow, limited or down, and a process that dies at any commit.
//!
//! A story is made of one number. `DICE_SEED=n` tells that one again, `DICE_INTENTS=n` tells so many notices.

mod chance;
mod mind;
mod provider;
mod source;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use world::{Counts, Plan, World};

/// Tells stories until there were this many notices; half of the machine's work is enough.
const INTENTS: u64 = 100_000;

#[expect(clippy::disallowed_methods, reason = "which stories are told is asked of the environment")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn nothing_is_lost_and_nothing_is_told_twice() {
    if let Some(seed) = number("DICE_SEED") {
        let counts = World::of(Plan::of(seed)).run();
        eprintln!("seed {seed}: {counts:?}");
        return;
    }
    let wanted = number("DICE_INTENTS").unwrap_or(INTENTS);
    let (next, told) = (AtomicU64::new(1), AtomicU64::new(0));
    let total = Mutex::new(Counts::default());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while told.load(Ordering::Relaxed) < wanted {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let story = std::panic::catch_unwind(|| World::of(Plan::of(seed)).run());
                    let counts = story.unwrap_or_else(|_| {
                        told.store(u64::MAX / 2, Ordering::Relaxed);
                        panic!("DICE_SEED={seed} fails");
                    });
                    told.fetch_add(counts.intents, Ordering::Relaxed);
                    total.lock().expect("no story holds it").add(&counts);
                }
            });
        }
    });
    let counts = total.lock().expect("no story holds it").clone();
    eprintln!("{counts:?}");
    // A story without faults would prove nothing.
    assert!(counts.crashes > 0 && counts.lost_answers > 0 && counts.limited > 0 && counts.found > 0);
    assert!(counts.deferred > 0 && counts.parts > 0);
    assert!(counts.repeats > 0 && counts.stand_ins > 0 && counts.superseded > 0 && counts.suppressed > 0);
}

#[test]
fn a_story_is_the_same_each_time() {
    assert_eq!(World::of(Plan::of(3)).run(), World::of(Plan::of(3)).run());
}

#[test]
fn an_incident_does_not_stay_open_for_a_slow_trigger_and_a_restart() {
    // The trigger reached the pager after the end, which the restart had let go at once.
    World::of(Plan::of(332).undeferred()).run();
}
