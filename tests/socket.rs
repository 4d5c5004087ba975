//! The operators' socket of a router that has no room for another connection.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};

use crate::drain::{lines, until};
use crate::program::command;
use crate::site::{Site, line};

/// How many files and connections a process has open.
fn n_open(child: &Child) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", child.id())).unwrap().count()
}

#[test]
fn a_router_without_room_for_connections_goes_on_and_recovers() {
    let site = Site::new("");
    let mut router = command(site.path(), &["route", "--config", "router.toml"]);
    let router = router.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut router = router.spawn().unwrap();
    let mut input = router.stdin.take().unwrap();
    let mut n_lines = 0;
    let mut read = || {
        n_lines += 1;
        input.write_all(line(0, "web-1", "queue is long").as_bytes()).unwrap();
        until("a line is not counted", || lines(&site) == n_lines);
    };
    read();
    let limit = n_open(&router) + 4;
    let process = format!("--pid={}", router.id());
    let limited = Command::new("prlimit").args([&process, &format!("--nofile={limit}")]).status();
    assert!(limited.unwrap().success());
    // They say nothing, and each takes one.
    let socket = site.path().join("state.db.sock");
    let silent: Vec<UnixStream> = (0..8).map(|_| UnixStream::connect(&socket).unwrap()).collect();
    until("it has room", || n_open(&router) >= limit);
    let silence = ["silence", "host=web-1", "--comment", "new disks", "--state", "state.db", "--as", "@ann"];
    let mut operator = command(site.path(), &silence).spawn().unwrap();
    read();
    read();
    let has_ended = operator.try_wait().unwrap().is_some();
    assert!(!has_ended, "nobody can have answered: {:?}", operator.wait_with_output());
    drop(silent);
    let said = operator.wait_with_output().unwrap();
    assert!(said.status.success(), "{said:?}");
    assert!(router.try_wait().unwrap().is_none(), "it works");
    router.kill().unwrap();
    router.wait().unwrap();
}
