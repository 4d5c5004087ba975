//! Event time of a router: when it begins, and how far it goes at the end of what there is to read.

use std::fs::OpenOptions;
use std::io::Write;

use dice_route::book::Table;
use dice_store::{Saved, Store};
use serde_json::Value;

use crate::program::dice;
use crate::site::{Site, line};

/// A rule that decides nothing before time has passed the line.
const CONFIG: &str = r##"
lanes = { alert = { group_wait = "0s" } }

[[rule]]
id = "moves"
type = "change"
where = 'text =~ "does not answer"'
key = ["service"]
field = "host"
severity = "low"
to = ["#mail-ops"]
"##;

/// What a state holds: lines, late ones, pages of events that wait, episodes.
#[track_caller]
fn check(site: &Site, lines: u64, late: u64, waiting: usize, episodes: usize) {
    let store = Store::open_to_read(&site.path().join("state.db")).unwrap();
    let mut counted = [0; 2];
    let count = |each: dice_store::Entry| {
        let row: Value = serde_json::from_str(&each.body).unwrap();
        counted[0] += row["lines"].as_u64().unwrap();
        counted[1] += row["late"].as_u64().unwrap();
    };
    store.entries(Table::Counters, count).unwrap();
    let mut waits = 0;
    store.load(|saved| waits += usize::from(matches!(saved, Saved::Waiting(_)))).unwrap();
    let mut opened = 0;
    store.entries(Table::Episodes, |_| opened += 1).unwrap();
    assert_eq!((counted, waits, opened), ([lines, late], waiting, episodes));
}

#[test]
fn the_last_lines_of_a_file_are_decided_with_its_end() {
    let site = Site::new(CONFIG);
    let relay = |ago_ms, host| line(ago_ms, host, "relay mx2.petrel.example:2525 does not answer: Refused");
    site.write("app.log", &(relay(-20_000, "web-1") + &relay(-3_000, "web-2")));
    let route = ["route", "--config", "router.toml", "--state", "state.db", "app.log"];
    dice(site.path(), &route).done();
    check(&site, 2, 0, 0, 2);
    // Nothing is decided twice, and what comes later is not late.
    let mut file = OpenOptions::new().append(true).open(site.path().join("app.log")).unwrap();
    file.write_all(relay(-2_000, "web-3").as_bytes()).unwrap();
    dice(site.path(), &route).done();
    check(&site, 3, 0, 0, 3);
    dice(site.path(), &route).done();
    check(&site, 3, 0, 0, 3);
}
