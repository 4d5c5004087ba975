//! Stories: what happens when, and who is told what.

mod timetable;

use dice_catalog::{Level, Why};
use dice_route::Severity;

use timetable::{check, scene};

const OPS: &[(&str, Why)] = &[("#ops", Why::Annotation)];
const ANN: &[(&str, Why)] = &[("@ann", Why::Author)];

#[test]
fn an_annotated_message_is_told_at_once_and_then_in_place() {
    check(
        scene(&[]).message("disk", Level::Info, OPS),
        "
        0s log disk host=a
        0s -> #ops open: disk <*> [×1 open]
        1s log disk host=a
        5s log disk host=b x=3
        10s -> #ops update: disk <*> [×5 open]
        1h5s -> #ops resolved: disk <*> [×5 over]
        2h end
        ",
    );
}
#[test]
fn groups() {
    check(
        scene(&[("cpu", Severity::Medium)]).message("disk", Level::Info, ANN),
        "
        0s log disk
        0s open cpu key=a log=disk
        10s open cpu key=b log=disk
        30s -> @ann open: 2 open: cpu fires a and 1 more [cpu fires a ×1 open, cpu fires b ×1 open]
        1m open cpu key=c log=disk
        5m30s -> @ann update: 3 open: cpu fires a and 2 more [cpu fires a ×1 open, cpu fires b ×1 open, cpu fires c ×1 open]
        10m close cpu key=a
        10m30s -> @ann update: 2 open, 1 over: cpu fires b and 2 more [cpu fires b ×1 open, cpu fires c ×1 open, cpu fires a ×1 resolved]
        4h10m30s -> @ann reminder: 2 open: cpu fires b and 1 more [cpu fires b ×1 open, cpu fires c ×1 open]
        5h close cpu key=b
        5h30s -> @ann update: 1 open, 1 over: cpu fires c and 1 more [cpu fires c ×1 open, cpu fires b ×1 resolved]
        5h1m close cpu key=c
        5h5m30s -> @ann resolved: cpu fires c [×1 resolved]
        5h30m end
        ",
    );
}
