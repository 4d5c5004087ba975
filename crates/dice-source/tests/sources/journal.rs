//! The journal, as told by a program that does what `journalctl` does.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use dice_source::Kind;

use crate::scene::Scene;

/// Tells two records and breaks; behind them a third, and stays.
const JOURNALCTL: &str = r#"#!/bin/sh
echo "$*" >> "${0%/*}/calls"
case "$*" in
*--after-cursor=c2*)
    echo '{"__CURSOR":"c3","MESSAGE":"three"}'
    exec sleep 600
    ;;
*)
    echo '{"__CURSOR":"c1","MESSAGE":"one"}'
    echo '{"__CURSOR":"c2","MESSAGE":"two"}'
    printf '{"__CURSOR":"c3","MESS'
    echo "the journal is broken" >&2
    exit 7
    ;;
esac
"#;

fn journal() -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("journalctl");
    fs::write(&program, JOURNALCTL).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    let mut scene = Scene::of(folder, Kind::Journald { program, units: vec!["nginx.service".to_owned()] });
    scene.settings().poll_ms = 100;
    scene.start();
    scene
}

#[test]
fn the_program_is_run_again_behind_the_last_record() {
    let mut scene = journal();
    scene.until("journal: disconnected: wanted to read the journal with journalctl, found: that it ended with 7: the journal is broken");
    scene.until("journal: caught up");
    assert_eq!(scene.lines.len(), 3);
    assert!(scene.lines[2].contains("three"), "{:?}", scene.lines);
    let calls = fs::read_to_string(scene.path("calls")).unwrap();
    let calls: Vec<_> = calls.lines().collect();
    let common = "--follow --output=json --all --quiet --no-pager --no-tail";
    let expected = [
        format!("{common} --unit=nginx.service"),
        format!("{common} --after-cursor=c2 --unit=nginx.service"),
    ];
    assert_eq!(calls, expected);
}

#[test]
fn a_restart_goes_on_behind_the_committed_record() {
    let mut scene = journal();
    scene.until_lines(2);
    scene.stop();
    assert!(scene.committed.values().next().unwrap().contains(r#""cursor":"c2""#));
    scene.start();
    scene.until_lines(3);
    scene.stop();
}

#[test]
fn a_program_that_is_not_there_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("journalctl");
    let mut scene = Scene::of(folder, Kind::Journald { program, units: Vec::new() });
    scene.start();
    while !scene.next().unwrap().starts_with("journal: disconnected: wanted to read the journal with ") {}
    scene.stop();
}
