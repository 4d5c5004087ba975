//! A router that is killed again and again while it reads goes on as if it had not been.
//!
//! `DICE_KILLS` says how often; `cargo xtask soak kill` does it 200 times.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use dice_route::book::Table;
use dice_store::{Entry, Store};
use serde_json::Value;

use crate::program::command;
use crate::site::{Site, line};

/// Lines in the log.
const LINES: u64 = 60_000;

/// Between two lines.
const STEP_MS: i64 = 20;

/// In so many pieces a part of the log is written while a router reads it.
const PIECES: u64 = 4;

/// How often it is looked whether a router has got on.
const MAX_LOOKS: u32 = 2_000;

/// The last line is so long ago that nothing waits for later ones.
const AGO_MS: i64 = 120_000;

/// Nothing in it depends on how long reading takes: groups are told at once and then not for hours.
const CONFIG: &str = r##"
time = { lateness = "1s" }
lanes = { alert = { group_wait = "0s", group_interval = "12h" }, immediate = { ladder = ["12h"], quiet = "24h" } }
storm = { channel = { count = 1000, within = "10m" }, person = { count = 1000, within = "1h" }, new_messages = 1000 }
correlation = { window = "0s" }
digests = { at = "03:33" }

[[rule]]
id = "relay-down"
type = "frequency"
where = 'text =~ "does not answer"'
key = ["host"]
count = 20
within = "1m"
severity = "low"

[[rule]]
id = "letters"
type = "frequency"
where = 'text =~ "accepted for"'
key = ["host", "vars.2"]
count = 40
within = "30s"
severity = "low"

[[rule]]
id = "news"
type = "first-seen"
new = "message"
learn_for = "0s"
severity = "low"

[[route]]
id = "all"
to = ["#all"]
group_by = ["rule", "host", "message"]
"##;

/// A log of the last minutes.
fn log() -> String {
    let hosts = ["web-1", "web-2", "web-3", "mail-7"];
    let people = ["skip", "memphis", "elmore", "sister rosetta"];
    let mut numbers = Numbers(7);
    let mut log = String::new();
    for n in 0..LINES {
        let host = hosts[numbers.below(4)];
        // Every so often a relay is down for a while.
        let is_bad = (n / 4_000) % 3 == 1;
        let message = match numbers.below(if is_bad { 12 } else { 100 }) {
            0 | 1 => "relay mx2.petrel.example:2525 does not answer: Connection refused".to_owned(),
            2 => format!("disk /srv/mail is {}% full", 90 + numbers.below(9)),
            3 => "deliver_letter: all 2 relays are down".to_owned(),
            4 => format!("nobody printed {}", ["this", "that", "anything"][numbers.below(3)]),
            5 => format!("delivered in {}.{:03} s", numbers.below(4), numbers.below(1000)),
            _ => format!("letter {n:08x}: accepted for {}, {n} bytes", people[numbers.below(4)]),
        };
        log += &line(-AGO_MS - i64::try_from(LINES - n).unwrap() * STEP_MS, host, &message);
    }
    log
}

/// Numbers that look random and are the same for the same seed (SplitMix64).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn below(&mut self, end: u64) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((word ^ (word >> 31)) % end.max(1)).unwrap()
    }
}

/// A router on the log.
fn router(site: &Site, state: &str, log: &str, more: &[&str]) -> Child {
    let arguments = [&["route", "--config", "router.toml", "--state", state, log], more].concat();
    command(site.path(), &arguments).stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap()
}

/// Lets so many milliseconds pass: what is killed has to have done something, nobody knows how much.
fn pause(ms: usize) {
    std::thread::sleep(Duration::from_millis(u64::try_from(ms).unwrap()));
}

#[expect(clippy::disallowed_methods, reason = "how often is said from outside")]
fn kills() -> u64 {
    std::env::var("DICE_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(20)
}

/// What a state holds, as far as it must not depend on when the router was killed.
#[derive(Debug, Default, PartialEq)]
struct Facts {
    /// Lines, events, what matched, and what was not counted, by source.
    counted: Vec<[u64; 5]>,
    /// What was first told: destination, kind and subject, with how often.
    told: BTreeMap<String, u64>,
    /// Rows of the outbox that were not sent.
    unsent: Vec<String>,
    /// Episodes: rule, key, end and count, by id.
    episodes: BTreeMap<String, String>,
    /// Occurrences by deduplication key.
    occurrences: BTreeMap<String, u64>,
}

impl Facts {
    fn of(path: &Path) -> Facts {
        let store = Store::open_to_read(path).unwrap();
        let mut facts = Facts::default();
        let rows = |table, each: &mut dyn FnMut(String, Value)| {
            store
                .entries(table, |Entry { id, body, .. }| each(id, serde_json::from_str(&body).unwrap()))
                .unwrap();
        };
        rows(Table::Counters, &mut |_, row| {
            let counts =
                ["lines", "events", "matched", "late", "too_old"].map(|name| row[name].as_u64().unwrap());
            facts.counted.push(counts);
        });
        rows(Table::Outbox, &mut |id, row| {
            if row["kind"] == "open" {
                // The number behind a group's name says in which order groups came to be.
                let subject = row["subject"].as_str().unwrap();
                let subject = subject.split_once('/').map_or(subject, |(group, _)| group);
                let name = format!("{} {} {subject}", row["destination"], row["kind"]);
                *facts.told.entry(name).or_default() += 1;
            }
            if row["state"] != "sent" {
                facts.unsent.push(format!("{id} {} {}: {}", row["kind"], row["state"], row["why"]));
            }
        });
        rows(Table::Episodes, &mut |id, row| {
            let of_rule = ["rule", "key", "close"].map(|name| row[name].to_string()).join(" ");
            facts.episodes.insert(id, format!("{of_rule} {}", row["evidence"]["count"]));
        });
        rows(Table::Alerts, &mut |id, row| {
            let counts = ["fresh", "run", "past"].map(|tally| row[tally]["count"].as_u64().unwrap_or(0));
            facts.occurrences.insert(id, counts.iter().sum());
        });
        facts
    }
}

/// How many lines a state has counted.
fn lines(path: &Path) -> u64 {
    let mut lines = 0;
    if let Ok(store) = Store::open_to_read(path) {
        let count = |Entry { body, .. }: Entry| {
            let row: Value = serde_json::from_str(&body).unwrap();
            lines += row["lines"].as_u64().unwrap();
        };
        store.entries(Table::Counters, count).unwrap();
    }
    lines
}

#[test]
fn what_is_killed_goes_on_as_if_it_had_not_been() {
    let site = Site::new(CONFIG);
    let log = log();
    site.write("whole.log", &log);
    assert!(router(&site, "whole.db", "whole.log", &[]).wait().unwrap().success());
    site.write("killed.log", "");
    let mut file = OpenOptions::new().append(true).open(site.path().join("killed.log")).unwrap();
    let state = site.path().join("killed.db");
    let kills = kills();
    let mut numbers = Numbers(kills);
    let mut rest = log.as_bytes();
    let mut midway = BTreeSet::new();
    let mut before = 0;
    for n in 0..kills {
        // The file grows while it is read, wherever its lines begin and end.
        let mut write = |rest: &mut &[u8]| {
            let share = 2 * rest.len() as u64 / (kills - n) / PIECES;
            let (piece, left) = rest.split_at(numbers.below(share + 1));
            file.write_all(piece).unwrap();
            *rest = left;
        };
        write(&mut rest);
        let mut child = router(&site, "killed.db", "killed.log", &["--follow"]);
        for _ in 1..PIECES {
            write(&mut rest);
            pause(30);
        }
        // Mostly something has lasted, sometimes nothing has.
        let n_looks = if n % 4 == 3 { 0 } else { MAX_LOOKS };
        for _ in 0..n_looks {
            if lines(&state) > before {
                break;
            }
            pause(5);
        }
        pause(Numbers(n).below(80));
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        child.kill().unwrap();
        child.wait().unwrap();
        before = lines(&state);
        midway.insert(before);
    }
    file.write_all(rest).unwrap();
    assert!(router(&site, "killed.db", "killed.log", &[]).wait().unwrap().success());
    midway.retain(|lines| (1..LINES).contains(lines));
    println!("killed after {midway:?} lines");
    let expected = Facts::of(&site.path().join("whole.db"));
    let found = Facts::of(&site.path().join("killed.db"));
    assert_eq!(
        expected.counted.iter().map(|counts| [counts[0], counts[1]]).collect::<Vec<_>>(),
        [[LINES; 2]]
    );
    assert!(expected.told.len() > 10 && expected.episodes.len() > 20, "{expected:?}");
    assert!(expected.told.values().all(|n| *n == 1), "{:?}", expected.told);
    assert_eq!(expected.unsent, [""; 0]);
    assert_eq!(found, expected, "killed after {midway:?} lines");
    assert!(midway.len() as u64 > kills / 5, "killed only after {midway:?} lines");
}
