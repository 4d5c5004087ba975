//! Messages that are told as they happen.

use dice_catalog::{Level, Why};

use crate::timetable::{check, scene};

const OPS: &[(&str, Why)] = &[("#ops", Why::Annotation)];
const ANN: &[(&str, Why)] = &[("@ann", Why::Author)];

#[test]
fn the_first_is_told_at_once_and_the_others_change_that_notice() {
    check(
        scene(&[]).message("disk", Level::Info, OPS),
        "
        0s log disk host=a
        0s -> #ops open: disk <*> [×1 open]
        1s log disk host=a
        5s log disk host=b x=3
        10s -> #ops update: disk <*> [×5 open]
        12s log disk
        29s log disk
        30s -> #ops update: disk <*> [×7 open]
        50s log disk
        1m -> #ops update: disk <*> [×8 open]
        2m log disk
        5m -> #ops update: disk <*> [×9 open]
        6m log disk
        15m -> #ops update: disk <*> [×10 open]
        16m log disk
        30m -> #ops update: disk <*> [×11 open]
        1h16m -> #ops resolved: disk <*> [×11 over]
        2h end
        2h count
        2h -> now 11 digest 0 nobody 0
        ",
    );
}

#[test]
fn a_single_one_needs_no_second_word() {
    check(
        scene(&[]).message("disk", Level::Info, OPS),
        "
        0s log disk
        0s -> #ops open: disk <*> [×1 open]
        3h log disk
        3h -> #ops open: disk <*> [×1 open]
        5h end
        ",
    );
}

#[test]
fn what_goes_on_for_a_day_is_told_again() {
    let scene = scene(&[]).message("disk", Level::Info, OPS);
    let scene = scene.with(|config| config.lanes.immediate_repeat_ms = 7_200_000);
    check(
        scene,
        "
        0s log disk
        0s -> #ops open: disk <*> [×1 open]
        50m log disk
        1h -> #ops update: disk <*> [×2 open]
        1h40m log disk
        1h45m -> #ops update: disk <*> [×3 open]
        2h -> #ops reminder: disk <*> [×3 open] ~ goes on since 2 h
        2h30m log disk
        2h30m -> #ops update: disk <*> [×4 open]
        3h20m end
        ",
    );
}

#[test]
fn a_critical_message_is_told_to_whoever_owns_it_and_others_wait_for_the_digest() {
    check(
        scene(&[])
            .message("panic", Level::Critical, ANN)
            .message("retry", Level::Warning, ANN)
            .message("hello", Level::Info, ANN)
            .message("orphan", Level::Critical, &[])
            .with(|config| config.ownership.triage = Some("#triage".to_owned())),
        "
        0s log panic
        0s -> @ann open: panic <*> [×1 open]
        1s log retry x=2
        2s log hello x=4
        3s log orphan
        3s -> #triage open: orphan <*> [×1 open]
        10s count
        10s -> now 2 digest 2 nobody 4
        1m end
        ",
    );
}

#[test]
fn a_channel_that_has_a_digest_is_told_only_what_is_critical() {
    check(
        scene(&[]).message("disk", Level::Error, OPS).message("panic", Level::Critical, OPS).with(|config| {
            config.digests.channels.insert("#ops".to_owned(), config.digests.slots.clone());
        }),
        "
        0s log disk
        1s log panic
        1s -> #ops open: panic <*> [×1 open]
        2s count
        2s -> now 1 digest 1 nobody 0
        1h end
        ",
    );
}

#[test]
fn levels_environments_and_owners_are_told_apart() {
    check(
        scene(&[]).message(
            "disk",
            Level::Info,
            &[("#ops", Why::Annotation), ("#db", Why::Annotation), ("@ann", Why::Annotation)],
        ),
        "
        0s log disk env=production
        0s -> #db open: disk <*> [×1 open]
        0s -> #ops open: disk <*> [×1 open]
        1s log disk env=staging
        1s -> #db open: disk <*> [×1 open]
        1s -> #ops open: disk <*> [×1 open]
        2s log disk env=production level=error
        2s -> #db open: disk <*> [×1 open]
        2s -> #ops open: disk <*> [×1 open]
        3s log disk env=production
        10s count
        10s -> now 4 digest 0 nobody 0
        10s -> #db update: disk <*> [×2 open]
        10s -> #ops update: disk <*> [×2 open]
        1h10s -> #db resolved: disk <*> [×2 over]
        1h10s -> #ops resolved: disk <*> [×2 over]
        1h30m end
        ",
    );
}

#[test]
fn late_ones_count_and_the_last_never_goes_back() {
    check(
        scene(&[]).message("disk", Level::Info, OPS),
        "
        0s log disk
        0s -> #ops open: disk <*> [×1 open]
        5s log disk at=-1h
        10s -> #ops update: disk <*> [×2 open]
        1h5s -> #ops resolved: disk <*> [×2 over]
        1h30m end
        ",
    );
}

#[test]
fn what_is_older_than_a_day_is_counted_and_read_in_a_digest() {
    check(
        scene(&[]).message("disk", Level::Info, OPS).message("retry", Level::Warning, ANN).message(
            "hello",
            Level::Info,
            ANN,
        ),
        "
        0s log disk at=-25h x=2
        1s log retry at=-25h
        1s log hello at=-25h
        5s log disk
        5s -> #ops open: disk <*> [×1 open]
        6s log disk at=-2d
        7s log disk at=-23h
        10s count
        10s -> now 2 digest 4 nobody 1
        10s records
        10s -> too-old 5
        15s -> #ops update: disk <*> [×2 open]
        1h10s -> #ops resolved: disk <*> [×2 over]
        2h -> #ops digest: Digest for Friday, 15 January 2027: 1 message, 3 occurrences [×3 new] ~ 3 late: their lines came when their time had passed
        4h -> @ann digest: Digest for Friday, 15 January 2027: 1 message, 1 occurrence [×1 new] ~ 1 late: their lines came when their time had passed ~ due Fri 2027-01-15 10:00: whether you are there is not known
        5h end
        ",
    );
}

#[test]
fn what_is_too_old_ends_no_snooze_and_is_no_storm() {
    check(
        scene(&[]).message("disk", Level::Info, OPS).message("net", Level::Info, OPS).with(|config| {
            config.storm.new_messages_min = 1;
        }),
        "
        0s log disk by=1.1
        0s -> #ops open: disk <*> [×1 open]
        1s @ann snooze message:disk next-release #ops
        1s -> answer: disk <*> snoozed for #ops until the next release.
        2s log disk by=1.0 at=-25h
        3s log net at=-25h
        1m end
        ",
    );
}

#[test]
fn downtime_is_caught_up_with_one_update() {
    check(
        scene(&[]).message("disk", Level::Info, OPS),
        "
        0s log disk
        0s -> #ops open: disk <*> [×1 open]
        2s log disk x=9
        3s down until 20m
        20m -> #ops update: disk <*> [×10 open]
        20m log disk
        30m -> #ops update: disk <*> [×11 open]
        1h20m -> #ops resolved: disk <*> [×11 over]
        2h end
        ",
    );
}

#[test]
fn a_person_ends_it() {
    check(
        scene(&[]).message("disk", Level::Info, OPS),
        "
        0s log disk
        0s -> #ops open: disk <*> [×1 open]
        2s log disk
        3s resolve disk
        3s -> #ops resolved: disk <*> [×2 over]
        1m log disk
        1m -> #ops open: disk <*> [×1 open]
        2m end
        ",
    );
}

#[test]
fn a_silence_holds_and_counts() {
    check(
        scene(&[]).message("disk", Level::Info, OPS),
        "
        0s silence service=db for 2h
        0s -> answer: Silence 07ee4343ddae is active. It hides nothing that goes on now; of the last 7 days it would have hidden 0.
        1m log disk service=db x=3
        30m log disk service=db x=4
        1h20m log disk service=db x=5
        2h -> #ops open: disk <*> [×12 open] ~ silenced 1 h 59 m, 12 occurrences
        2h10m log disk service=db
        2h15m -> #ops update: disk <*> [×13 open]
        3h10m -> #ops resolved: disk <*> [×13 over]
        4h end
        4h records
        4h -> command 1, silenced 1
        ",
    );
}

#[test]
fn what_a_silence_hid_and_what_is_over_is_written_down() {
    check(
        scene(&[]).message("disk", Level::Info, OPS),
        "
        0s silence service=db for 5h
        0s -> answer: Silence 07ee4343ddae is active. It hides nothing that goes on now; of the last 7 days it would have hidden 0.
        1m log disk service=db x=3
        2m log disk service=db x=4
        6h end
        6h records
        6h -> command 1, silenced 8
        ",
    );
}

#[test]
fn its_timeline_says_what_was_and_what_comes() {
    check(
        scene(&[]).message("disk", Level::Info, OPS),
        "
        0s log disk
        0s -> #ops open: disk <*> [×1 open]
        12s timeline
        12s -> 0s #ops: first told
        12s -> 0s #ops: it began
        12s -> next 30s #ops: changed if it came again, over if it has been quiet
        12s -> next 1d #ops: repeat, if it goes on
        20s silence repo=repo for 10m
        20s -> answer: Silence 843c4d671cca is active. It hides 1 thing that goes on now; of the last 7 days it would have hidden 0.
        25s log disk
        40s timeline
        40s -> 0s #ops: first told
        40s -> 0s #ops: it began
        40s -> 30s #ops: hidden by 843c4d671cca
        40s -> next 1d #ops: repeat, if it goes on
        ",
    );
}

#[test]
fn a_message_that_nobody_owns_is_not_passed_over_in_silence() {
    check(
        scene(&[]).message("panic", Level::Critical, &[]).message("retry", Level::Warning, &[]),
        "
        0s log panic
        0s -> operator self-alert: nobody is told of a message without an owner: panic <*>
        1s log retry
        2s log panic
        2h log panic
        2h records
        2h -> self-alert 1, unowned 3
        26h log panic
        1d2h -> operator self-alert: nobody is told of a message without an owner: panic <*>
        26h end
        ",
    );
}
