//! What is handed to digests.

use dice_catalog::{Level, Why};
use dice_route::Severity::Medium;

use crate::timetable::{check, route, scene};

const ANN: &[(&str, Why)] = &[("@ann", Why::Author)];

#[test]
fn a_digest_comes_in_the_morning() {
    check(
        scene(&[])
            .message("retry", Level::Warning, ANN)
            .with(|config| config.digests.wait_for_presence = false),
        "
        0s log retry x=3 host=a
        1h log retry x=4 host=b
        2h -> @ann digest: Digest for Friday, 15 January 2027: 1 message, 7 occurrences [×7 new]
        3h log retry
        4h count
        4h -> now 0 digest 8 nobody 0
        ",
    );
}

#[test]
fn a_digest_leaves_out_what_is_silenced() {
    check(
        scene(&[])
            .message("retry", Level::Warning, ANN)
            .message("slow", Level::Warning, ANN)
            .with(|config| config.digests.wait_for_presence = false),
        "
        0s silence service=db for 5h
        0s -> answer: Silence 07ee4343ddae is active. It hides nothing that goes on now; of the last 7 days it would have hidden 0.
        0s log retry x=3 service=db
        1h log slow x=4 service=api
        2h -> @ann digest: Digest for Friday, 15 January 2027: 1 message, 4 occurrences [×4 new] ~ not shown: 1 message silenced (3 occurrences)
        4h end
        ",
    );
}

#[test]
fn what_begins_while_it_is_snoozed_is_told_once_when_it_wakes() {
    check(
        scene(&[("cpu", Medium)])
            .message("disk", Level::Info, ANN)
            .with(|config| config.routes = vec![route("all", "", &["#all"])]),
        "
        0s log disk
        0s @ann snooze rule:cpu 1h #all
        0s -> answer: rule cpu snoozed for #all until Fri 2027-01-15 09:00 (UTC).
        1m open cpu key=a log=disk
        10m update cpu key=a count=20
        1h -> #all summary: 20 occurrences while snoozed: rule cpu [×20 snoozed] ~ snoozed by @ann until Fri 2027-01-15 09:00 (UTC)
        2h close cpu key=a
        2h1m30s -> #all resolved: cpu fires a [×20 resolved]
        3h end
        ",
    );
}
