//! What Dice itself needs somebody for.

use crate::timetable::{check, scene};

#[test]
fn a_cause_is_said_once_until_it_clears() {
    check(
        scene(&[]).with(|config| config.ownership.triage = Some("#triage".to_owned())),
        "
        0s alarm stalled:app the input app has stalled
        0s -> #triage self-alert: the input app has stalled
        1m alarm stalled:app the input app has stalled
        2m alarm stalled:web the input web has stalled
        2m -> #triage self-alert: the input web has stalled
        5m calm stalled:app
        5m -> #triage resolved: over after 5 m: the input app has stalled
        6m calm stalled:app
        7m alarm stalled:app the input app has stalled
        7m -> #triage self-alert: the input app has stalled
        8m records
        8m -> self-alert 3
        ",
    );
}
