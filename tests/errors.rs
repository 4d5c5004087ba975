//! What goes wrong: exit codes, and what Dice says of it and of what to do next.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;

use dice_testkit::Fixture;

use crate::program::{command, dice};

/// In `folder`, `dice` with `arguments` ends with `code` and says each of `parts` on standard error.
#[track_caller]
fn check(folder: &Path, arguments: &[&str], code: i32, parts: &[&str]) {
    let said = dice(folder, arguments);
    assert_eq!(said.code, Some(code), "{arguments:?}: {said:?}");
    assert_eq!(said.stdout, "", "{arguments:?}");
    for part in parts {
        assert!(said.stderr.contains(part), "{arguments:?}: wanted {part:?} in\n{}", said.stderr);
    }
}

#[test]
fn a_folder_that_is_no_repository() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["index", "loggers"] {
        check(folder.path(), &[command], 2, &["error: not a git repository", "git init"]);
    }
    check(folder.path(), &["index", "nowhere"], 2, &["nowhere", "give the path of a repository"]);
}

#[test]
fn a_flag_that_does_not_exist() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["index", "route", "loggers", "init", "completions", "man"] {
        check(folder.path(), &[command, "--louder"], 2, &["--louder"]);
    }
    check(folder.path(), &["sing"], 2, &["sing"]);
    check(folder.path(), &["completions", "abacus"], 2, &["abacus", "bash"]);
    check(folder.path(), &["man", "sing"], 2, &["sing", "next: ", "route"]);
}

#[test]
fn a_question_without_a_catalog() {
    let folder = tempfile::tempdir().unwrap();
    check(folder.path(), &["who", "hello"], 2, &["wanted a catalog", "next: ", "dice index"]);
    check(folder.path(), &["route"], 2, &["wanted a catalog", "next: ", "dice index"]);
    check(
        folder.path(),
        &["who", "--catalog", "gone.jsonl", "x"],
        2,
        &["gone.jsonl", "next: ", "dice index"],
    );
}

#[test]
fn a_question_without_words() {
    let fixture = Fixture::build("founding");
    dice(fixture.path(), &["index"]).done();
    check(fixture.path(), &["who", ""], 2, &["wanted a log line", "next: "]);
    check(fixture.path(), &["who", " ", "\n"], 2, &["wanted a log line", "next: "]);
}

#[test]
fn a_catalog_that_cannot_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = folder.path().join("catalog.jsonl");
    let who = ["who", "--catalog", "catalog.jsonl", "hello"];
    for (text, parts) in [
        ("{\"dice_catalog\":2}\n", &["catalog.jsonl", "version 2", "update Dice"][..]),
        ("not a catalog\n", &["catalog.jsonl", "next: "]),
        ("", &["catalog.jsonl", "next: "]),
        ("{\"dice_catalog\":1,\"repos\":[]}\n{\"fingerprint\":\"00", &["line 2", "cut off", "next: "]),
    ] {
        fs::write(&catalog, text).unwrap();
        check(folder.path(), &who, 2, parts);
    }
}

#[test]
fn a_log_that_cannot_be_read() {
    let fixture = Fixture::build("founding");
    dice(fixture.path(), &["index"]).done();
    fs::write(fixture.path().join("here.log"), "hello cruel world\n").unwrap();
    fs::write(fixture.path().join("packed.log.gz"), b"\x1f\x8b\x08\0rest").unwrap();
    for (arguments, parts) in [
        (&["route", "gone.log"][..], &["gone.log", "next: "][..]),
        (&["route", "here.log", "gone.log"], &["gone.log", "next: "]),
        (&["route", "packed.log.gz"], &["gzip", "next: ", "zcat packed.log.gz"]),
        (&["route", "src"], &["directory", "next: "]),
        (&["route", "--zone", "Nowhere/Land"], &["Nowhere/Land", "next: "]),
        (&["route", "--year", "99999"], &["99999"]),
        (&["route", "--year", "12"], &["12", "next: "]),
        (&["route", "--input-format", "morse"], &["morse", "next: "]),
        (&["route", "--format", "morse"], &["morse", "json"]),
    ] {
        check(fixture.path(), arguments, 2, parts);
    }
}

#[test]
fn a_repository_that_is_asked_for_what_it_has_not() {
    let fixture = Fixture::build("founding");
    fs::write(fixture.path().join("bad.toml"), "[index]\nnmae = \"x\"\n").unwrap();
    for (arguments, parts) in [
        (&["index", "--rev", "no-such-branch"][..], &["wanted the commit `no-such-branch`"][..]),
        (&["index", "--rev", "main", "--rev", "main", "--rev", "main", ".", "."], &["3", "next: "]),
        (&["index", "--rev", "main", "--worktree"], &["--worktree"]),
        (&["index", "--jobs", "0"], &["--jobs"]),
        (&["index", "--config", "gone.toml"], &["gone.toml", "next: "]),
        (&["index", "--config", "bad.toml"], &["bad.toml", "nmae", "next: "]),
        (&["index", "--out", "gone/catalog.jsonl"], &["gone/catalog.jsonl", "next: "]),
    ] {
        check(fixture.path(), arguments, 2, parts);
    }
}

#[test]
fn a_configuration_that_is_already_there() {
    let fixture = Fixture::build("siskin");
    check(fixture.path(), &["init"], 2, &["dice.toml", "--force"]);
    dice(fixture.path(), &["init", "--force"]).done();
}

#[test]
fn a_name_that_is_no_logger_is_a_no() {
    let said = dice(Fixture::build("petrel").path(), &["loggers", "clockSleep"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stdout.contains("clockSleep") && said.stdout.contains("[[logger]]"), "{said:?}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let fixture = Fixture::build("petrel");
    dice(fixture.path(), &["index"]).done();
    // More than a pipe holds, so that Dice is still writing when the reader leaves.
    fs::write(fixture.path().join("long.log"), "delivered in 2.393 s\n".repeat(20_000)).unwrap();
    for arguments in [
        &["route", "--format", "json", "long.log"][..],
        &["route", "--all", "long.log"],
        &["index", "--out", "-"],
        &["completions", "zsh"],
        &["man"],
    ] {
        let mut child = command(fixture.path(), arguments).spawn().unwrap();
        let mut first = String::new();
        BufReader::with_capacity(16, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr).matches("error").count(), 0, "{arguments:?}");
    }
}
