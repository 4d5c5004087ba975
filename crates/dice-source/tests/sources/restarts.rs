//! What a restart makes of files that changed meanwhile.

use std::fs;

use crate::scene::{Scene, check};

#[test]
fn reading_goes_on_where_it_stood() {
    let mut scene = Scene::prepared(&["app.log"], true, |scene| scene.write("app.log", "one\n"));
    scene.until("app.log: caught up");
    scene.stop();
    scene.append("app.log", "two\n");
    scene.story();
    scene.start();
    check(&mut scene, "app.log: caught up", &["app.log: opened at 4", r#"app.log: ["two"]"#]);
}

#[test]
fn a_file_renamed_meanwhile_is_read_to_its_end_first() {
    let mut scene = Scene::prepared(&["app.log"], true, |scene| scene.write("app.log", "one\n"));
    scene.until("app.log: caught up");
    scene.stop();
    scene.append("app.log", "two\n");
    scene.rename("app.log", "app.log.1");
    scene.write("app.log", "three\n");
    scene.story();
    scene.start();
    check(&mut scene, "app.log: caught up", &["app.log: opened at 4", r#"app.log: ["two"]"#]);
    check(
        &mut scene,
        "app.log: caught up",
        &["app.log: closed: Rotated", "app.log: opened at 0", r#"app.log: ["three"]"#],
    );
    assert_eq!(scene.committed.len(), 1);
}

#[test]
fn a_file_gone_meanwhile_is_forgotten() {
    let mut scene = Scene::prepared(&["app.log"], true, |scene| scene.write("app.log", "one\n"));
    scene.until("app.log: caught up");
    scene.stop();
    // So that the inode is not used again.
    scene.write("other", "");
    fs::remove_file(scene.path("app.log")).unwrap();
    scene.start();
    scene.until("app.log: closed: Gone");
    assert!(scene.committed.is_empty());
}

#[test]
fn a_file_written_anew_meanwhile_is_read_from_its_start() {
    let mut scene = Scene::prepared(&["app.log"], true, |scene| scene.write("app.log", "one\n"));
    scene.until("app.log: caught up");
    scene.stop();
    scene.write("app.log", "entirely\nother\n");
    scene.story();
    scene.start();
    check(
        &mut scene,
        "app.log: caught up",
        &["app.log: opened at 0", "app.log: truncated, 0 lost", r#"app.log: ["entirely", "other"]"#],
    );
}

#[test]
fn a_file_that_begins_as_before_is_not_taken_for_it() {
    let banner = format!("{}\n", "=".repeat(300));
    let mut scene = Scene::prepared(&["app.log"], true, |scene| {
        scene.write("app.log", &format!("{banner}one\n"));
    });
    scene.until("app.log: caught up");
    scene.stop();
    scene.write("app.log", &format!("{banner}two\nthree\n"));
    scene.start();
    scene.until_lines(5);
    assert_eq!(scene.lines[3..], ["two", "three"]);
}

#[test]
fn a_disk_that_is_not_there_yet_is_waited_for() {
    let mut scene = Scene::prepared(&["disk/app.log"], true, |scene| {
        fs::create_dir(scene.path("disk")).unwrap();
        scene.write("disk/app.log", "one\n");
    });
    scene.until("disk/app.log: caught up");
    scene.stop();
    scene.rename("disk", "elsewhere");
    fs::create_dir(scene.path("disk")).unwrap();
    scene.start();
    scene.until("checked");
    fs::remove_dir(scene.path("disk")).unwrap();
    scene.rename("elsewhere", "disk");
    scene.append("disk/app.log", "two\n");
    scene.until(r#"disk/app.log: ["two"]"#);
    assert_eq!(scene.lines, ["one", "two"]);
}

#[test]
fn the_end_of_a_line_that_was_told_is_no_line_after_a_restart_either() {
    let mut scene = Scene::prepared(&["app.log"], true, |scene| scene.write("app.log", "one"));
    scene.until(r#"app.log: ["one"]"#);
    scene.stop();
    scene.append("app.log", "\ntwo\n");
    scene.start();
    scene.until(r#"app.log: ["two"]"#);
    assert_eq!(scene.lines, ["one", "two"]);
}

#[test]
fn a_file_read_once_and_again_tells_what_was_added() {
    let mut scene = Scene::prepared(&["app.log"], false, |scene| scene.write("app.log", "one\n"));
    scene.until("ended");
    scene.stop();
    scene.append("app.log", "two\n");
    scene.start();
    scene.until("ended");
    assert_eq!(scene.lines, ["one", "two"]);
}

/// Small numbers that look random: the state of a linear congruential generator.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

#[test]
fn every_line_is_told_once_whatever_happens_when() {
    for seed in 1..=8 {
        let mut dice = Dice(seed);
        let mut scene = Scene::prepared(&["app.log"], true, |scene| {
            // Lines are whole in the end, so none is told in two.
            scene.settings().partial_ms = 600_000;
        });
        let mut written = Vec::new();
        let mut n_renamed = 0;
        for step in 0..60 {
            match dice.roll(10) {
                0 => {
                    scene.stop();
                    // A file that came and went while nobody read is not looked for.
                    if dice.roll(2) == 0 && scene.is_known("app.log") {
                        n_renamed += 1;
                        scene.rename("app.log", &format!("app.log.{n_renamed}"));
                    }
                    scene.start();
                    scene.until_lines(written.len());
                }
                1 if scene.path("app.log").exists() => {
                    scene.until_lines(written.len());
                    n_renamed += 1;
                    scene.rename("app.log", &format!("app.log.{n_renamed}"));
                }
                2 | 3 => {
                    scene.next();
                }
                _ => {
                    let lines: Vec<_> = (0..dice.roll(4)).map(|n| format!("{seed}.{step}.{n}")).collect();
                    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
                    let (begin, end) = text.split_at(dice.roll(text.len() as u64 + 1) as usize);
                    scene.append("app.log", begin);
                    scene.append("app.log", end);
                    written.extend(lines);
                }
            }
        }
        scene.until_lines(written.len());
        scene.stop();
        assert_eq!(scene.lines, written, "seed {seed}");
    }
}

#[test]
fn an_inode_that_was_used_again_does_not_hide_where_reading_stood() {
    let mut scene = Scene::prepared(&["app.log"], true, |scene| scene.write("app.log", "one\n"));
    scene.until("app.log: caught up");
    scene.stop();
    // A file of a disk that is not mounted had the same inode; its position is kept.
    let (key, position) = scene.committed.first_key_value().unwrap();
    let (key, mut position) = (key.clone(), serde_json::from_str::<serde_json::Value>(position).unwrap());
    position["partition"] = "/a/disk/that/is/away/app.log".into();
    position["offset"] = 2.into();
    scene.committed.insert(format!("a{key}"), position.to_string());
    assert_eq!(scene.committed.len(), 2);
    scene.append("app.log", "two\n");
    scene.story();
    scene.start();
    check(&mut scene, "app.log: caught up", &["app.log: opened at 4", r#"app.log: ["two"]"#]);
}
