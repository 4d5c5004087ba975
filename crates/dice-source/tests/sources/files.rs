//! Files that grow, come, go and are rotated.

use std::fs;
use std::os::unix::fs::symlink;

use dice_source::{BLOCK_BYTES, Start};

use crate::scene::{Scene, check};

#[test]
fn a_file_is_read_and_followed() {
    let mut scene = Scene::prepared(&["app.log"], true, |scene| scene.write("app.log", "one\n\ntwo\r\n"));
    check(&mut scene, "app.log: caught up", &["app.log: opened at 0", r#"app.log: ["one", "", "two"]"#]);
    scene.append("app.log", "three\n");
    check(&mut scene, "app.log: caught up", &[r#"app.log: ["three"]"#]);
    scene.stop();
}

#[test]
fn a_file_that_is_not_followed_is_read_to_its_end() {
    let mut scene = Scene::prepared(&["*.log"], false, |scene| {
        scene.write("a.log", "one\ntwo");
        scene.write("b.log", "three\n");
        scene.write("c.txt", "four\n");
    });
    check(
        &mut scene,
        "ended",
        &[
            "a.log: opened at 0",
            r#"a.log: ["one", "two"]"#,
            "a.log: closed: Read",
            "b.log: opened at 0",
            r#"b.log: ["three"]"#,
            "b.log: closed: Read",
            "ended",
        ],
    );
    assert_eq!(scene.next(), None, "the channel closes with the last source");
}

#[test]
fn files_may_come_later() {
    let mut scene = Scene::following(&["first.log", "*/*.log"]);
    scene.until("checked");
    let story = scene.story();
    assert!(story.len() == 1 && story[0].starts_with("problem: waits for "), "{story:?}");
    scene.write("first.log", "one\n");
    check(&mut scene, "first.log: caught up", &["first.log: opened at 0", r#"first.log: ["one"]"#]);
    fs::create_dir(scene.path("web")).unwrap();
    scene.write("web/x.log", "two\n");
    check(&mut scene, "web/x.log: caught up", &["web/x.log: opened at 0", r#"web/x.log: ["two"]"#]);
}

#[test]
fn a_renamed_file_is_read_to_its_end_before_its_successor() {
    let mut scene = Scene::prepared(&["app.log"], true, |scene| scene.write("app.log", "one\n"));
    scene.until("app.log: caught up");
    scene.rename("app.log", "app.log.1");
    scene.append("app.log.1", "two\n");
    scene.write("app.log", "three\n");
    check(
        &mut scene,
        r#"app.log: ["three"]"#,
        &[
            "app.log: opened at 0",
            r#"app.log: ["one"]"#,
            r#"app.log: ["two"]"#,
            "app.log: closed: Rotated",
            "app.log: opened at 0",
            r#"app.log: ["three"]"#,
        ],
    );
    assert_eq!(scene.committed.len(), 1, "the position of the renamed file is forgotten");
}

#[test]
fn who_still_writes_to_a_renamed_file_is_heard() {
    let mut scene = Scene::prepared(&["app.log"], true, |scene| scene.write("app.log", "one\n"));
    scene.until("app.log: caught up");
    scene.rename("app.log", "app.log.1");
    // The program has not noticed yet: its new file is there and empty.
    scene.write("app.log", "");
    scene.until("checked");
    scene.append("app.log.1", "two\n");
    scene.until(r#"app.log: ["two"]"#);
    scene.append("app.log", "three\n");
    scene.until(r#"app.log: ["three"]"#);
    scene.story();
    scene.append("app.log.1", "four\n");
    check(
        &mut scene,
        "app.log: closed: Rotated",
        &["app.log: opened at 8", r#"app.log: ["four"]"#, "app.log: closed: Rotated"],
    );
}

#[test]
fn a_pattern_that_stands_for_renamed_files_too_reads_them_once() {
    let mut scene = Scene::prepared(&["app*"], true, |scene| scene.write("app.log", "one\n"));
    scene.until("app.log: caught up");
    scene.rename("app.log", "app.log.1");
    scene.write("app.log", "two\n");
    scene.until(r#"app.log: ["two"]"#);
    scene.append("app.log.1", "three\n");
    scene.until(r#"app.log: ["three"]"#);
    assert_eq!(scene.lines, ["one", "two", "three"]);
}

#[test]
fn a_link_is_followed_to_where_it_leads() {
    let mut scene = Scene::prepared(&["containers/*.log"], true, |scene| {
        fs::create_dir_all(scene.path("containers")).unwrap();
        fs::create_dir_all(scene.path("pods/x")).unwrap();
        scene.write("pods/x/0.log", "one\n");
        symlink(scene.path("pods/x/0.log"), scene.path("containers/x.log")).unwrap();
    });
    scene.until(r#"containers/x.log: ["one"]"#);
    // As the kubelet does it: the file behind the link gets another name.
    scene.rename("pods/x/0.log", "pods/x/0.log.20261121");
    scene.write("pods/x/0.log", "two\n");
    scene.until(r#"containers/x.log: ["two"]"#);
    // And as a restarted container does: the link leads elsewhere.
    scene.write("pods/x/1.log", "three\n");
    symlink(scene.path("pods/x/1.log"), scene.path("next")).unwrap();
    scene.rename("next", "containers/x.log");
    scene.until(r#"containers/x.log: ["three"]"#);
    assert_eq!(scene.lines, ["one", "two", "three"]);
}

#[test]
fn an_emptied_file_is_read_from_its_start() {
    let mut scene = Scene::prepared(&["app.log"], true, |scene| scene.write("app.log", "one\ntwo\n"));
    scene.until("app.log: caught up");
    scene.write("app.log", "new\n");
    scene.until(r#"app.log: ["new"]"#);
    // Emptied and filled beyond where it was read to, between two looks.
    scene.write("app.log", "other\nlines\nthan before\n");
    scene.until(r#"app.log: ["other", "lines", "than before"]"#);
    let truncated = "app.log: truncated, 0 lost".to_owned();
    assert_eq!(scene.story().iter().filter(|told| **told == truncated).count(), 2);
}

#[test]
fn a_deleted_file_is_closed_and_may_come_back() {
    let mut scene = Scene::prepared(&["app.log"], true, |scene| scene.write("app.log", "one\nand"));
    scene.until(r#"app.log: ["one"]"#);
    fs::remove_file(scene.path("app.log")).unwrap();
    check(
        &mut scene,
        "app.log: closed: Rotated",
        &["app.log: opened at 0", r#"app.log: ["one"]"#, r#"app.log: ["and"]"#, "app.log: closed: Rotated"],
    );
    assert!(scene.committed.is_empty());
    scene.write("app.log", "two\n");
    check(&mut scene, "app.log: caught up", &["app.log: opened at 0", r#"app.log: ["two"]"#]);
}

#[test]
fn a_line_without_its_end_is_told_when_it_stays_so() {
    let mut scene = Scene::prepared(&["app.log"], true, |scene| scene.write("app.log", "one\ntw"));
    scene.until(r#"app.log: ["tw"]"#);
    scene.append("app.log", "o\nthree");
    scene.until(r#"app.log: ["three"]"#);
    scene.append("app.log", "\nfour\n");
    scene.until(r#"app.log: ["four"]"#);
    assert_eq!(scene.lines, ["one", "tw", "o", "three", "four"]);
}

#[test]
fn a_line_that_comes_in_pieces_is_one() {
    let mut scene = Scene::prepared(&["app.log"], true, |scene| {
        scene.settings().partial_ms = 60_000;
        scene.write("app.log", "");
    });
    for piece in ["on", "e a", "nd more"] {
        scene.append("app.log", piece);
        scene.until("checked");
        scene.until("checked");
    }
    scene.append("app.log", "\n");
    scene.until(r#"app.log: ["one and more"]"#);
}

#[test]
fn any_bytes_are_lines() {
    let long = "x".repeat(200);
    let mut scene = Scene::prepared(&["app.log"], true, |scene| {
        scene.write("app.log", &format!("a\0b\n{long}\n{long}"));
    });
    scene.until("app.log: caught up");
    scene.append("app.log", &format!("{long}\nafter\n"));
    scene.until(r#"app.log: ["after"], cut"#);
    // One byte more than the limit tells that a line was cut; its rest is gone, however late it comes.
    assert_eq!(scene.lines, ["a\0b", &long[..65], &long[..65], "after"]);
}

#[test]
fn reading_may_begin_at_the_end() {
    let mut scene = Scene::prepared(&["*.log"], true, |scene| {
        scene.settings().start = Start::End;
        scene.write("app.log", "old\nhalf of ");
    });
    scene.until("app.log: caught up");
    // What is committed is the place, so that a restart does not begin at a later end.
    scene.stop();
    scene.append("app.log", "a line\nnew\n");
    scene.start();
    scene.until(r#"app.log: ["new"], cut"#);
    scene.write("later.log", "whole\n");
    scene.until(r#"later.log: ["whole"]"#);
    assert_eq!(scene.lines, ["new", "whole"]);
}

#[test]
fn what_cannot_be_read_is_told_once() {
    let mut scene = Scene::prepared(&["*"], true, |scene| {
        scene.write("app.log", "one\n");
        scene.write("app.log.1.gz", "\u{1f}\u{8b}");
        fs::write(scene.path("app.log.2.gz"), b"\x1f\x8b\x08").unwrap();
        fs::create_dir(scene.path("folder")).unwrap();
    });
    scene.until(r#"app.log: ["one"]"#);
    for _ in 0..3 {
        scene.until("checked");
    }
    let story = scene.story();
    let problems: Vec<_> = story.iter().filter(|told| told.starts_with("problem")).collect();
    assert!(problems.len() == 1 && problems[0].contains("found gzip data"), "{story:?}");
}

#[test]
fn a_watch_tells_of_changes_before_the_next_look() {
    let mut scene = Scene::prepared(&["links/*.log"], true, |scene| {
        scene.settings().poll_ms = 600_000;
        fs::create_dir(scene.path("links")).unwrap();
        fs::create_dir(scene.path("files")).unwrap();
        scene.write("files/a", "one\n");
        symlink(scene.path("files/a"), scene.path("links/a.log")).unwrap();
    });
    scene.until("checked");
    scene.append("files/a", "two\n");
    scene.until(r#"links/a.log: ["two"]"#);
    scene.write("links/b.log", "three\n");
    scene.until("links/b.log: caught up");
    scene.append("links/b.log", "four");
    scene.until(r#"links/b.log: ["four"]"#);
    scene.rename("files/a", "files/a.1");
    scene.write("files/a", "five\n");
    scene.until(r#"links/a.log: ["five"]"#);
    assert_eq!(scene.lines, ["one", "two", "three", "four", "five"]);
}

#[test]
fn a_line_longer_than_a_block_is_read_whole_and_all_others_come_in_small_blocks() {
    let long = "x".repeat(3 * BLOCK_BYTES);
    let many = "y\n".repeat(BLOCK_BYTES);
    let mut scene = Scene::prepared(&["app.log"], false, |scene| {
        scene.settings().limit_bytes = 8 * BLOCK_BYTES;
        scene.write("app.log", &format!("a\n{long}\n{many}{long}"));
    });
    scene.until("ended");
    assert_eq!(scene.lines.len(), BLOCK_BYTES + 3);
    assert_eq!([scene.lines[0].len(), scene.lines[1].len(), scene.lines[2].len()], [1, long.len(), 1]);
    assert_eq!(scene.lines.last().map(String::len), Some(long.len()));
    let blocks = scene.story().into_iter().filter(|told| told.starts_with("app.log: [")).count();
    assert!(blocks >= 4, "{blocks}");
}
