//! A router that is killed again and again while notices leave tells each of them once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use dice_testkit::fakes::http;
use dice_testkit::fakes::pagerduty::PagerDuty;
use dice_testkit::fakes::slack::{FakeSlack, Fault};
use serde_json::Value;

use super::{SECRETS, rows, unfinished};
use crate::kill::Numbers;
use crate::program::command;
use crate::site::{Site, line};

/// Hosts, each with a channel of its own: more would be told than one channel takes.
const HOSTS: u64 = 12;

fn config(fake: &FakeSlack, pager: &PagerDuty) -> String {
    let mut config = format!(
        r##"
time = {{ lateness = "1s" }}
lanes = {{ alert = {{ group_wait = "0s", group_interval = "12h" }}, page = {{ group_wait = "0s", group_interval = "12h" }} }}
storm = {{ channel = {{ count = 1000, within = "10m" }}, page = {{ count = 1000, within = "10m" }}, new_messages = 1000 }}
correlation = {{ window = "0s" }}
digests = {{ at = "03:33" }}
slack = {{ token_env = "SLACK_TOKEN", url = "{}" }}
dispatch = {{ deadline = "1s" }}
receivers.pager = {{ courier = "pagerduty", routing_key_env = "PAGERDUTY_KEY", url = "{}" }}

[[rule]]
id = "letters"
type = "frequency"
where = 'text =~ "accepted for"'
key = ["host", "vars.2"]
count = 3
within = "10m"
severity = "low"

[[rule]]
id = "down"
type = "frequency"
where = 'text =~ "relays are down"'
key = ["host"]
count = 3
within = "10m"
severity = "critical"

[[route]]
id = "down"
match = ["rule=down"]
to = ["pager"]
group_by = ["rule", "host"]
"##,
        fake.base(),
        pager.url()
    );
    for host in 0..HOSTS {
        config += &format!(
            "\n[[route]]\nid = \"h{host}\"\nmatch = [\"host=h{host}\"]\nto = [\"#c{host}\"]\ngroup_by = [\"...\"]\n"
        );
    }
    config
}

fn start(site: &Site) -> Child {
    let arguments = ["route", "--config", "router.toml", "--state", "state.db", "--follow", "flow.log"];
    let mut command = command(site.path(), &arguments);
    command.envs(SECRETS).stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "how often is said from outside")]
fn kills() -> u64 {
    std::env::var("DICE_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(20)
}

fn pause(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}

/// What the outbox holds, as far as a kill comes near it.
fn progress(site: &Site) -> String {
    rows(site).iter().map(|row| row["state"].to_string()).collect()
}

#[test]
fn what_is_killed_while_it_tells_tells_everything_once() {
    let (fake, pager) = (FakeSlack::start(), PagerDuty::start());
    for host in 0..HOSTS {
        fake.add_channel(&format!("#c{host}"));
    }
    // Who is on call is told of what nobody has taken, where it takes that long.
    fake.add_person("bela@petrel.example");
    let site = Site::new(&config(&fake, &pager));
    site.write("flow.log", "");
    let mut file = OpenOptions::new().append(true).open(site.path().join("flow.log")).unwrap();
    let mut numbers = Numbers(kills());
    let (mut lines, mut midway) = (0, 0);
    for round in 0..kills() {
        let mut write = |host: u64, message: &str| {
            // Three lines make a notice.
            for _ in 0..3 {
                file.write_all(line(0, &format!("h{host}"), message).as_bytes()).unwrap();
                lines += 1;
            }
        };
        for n in 0..6 {
            let host = numbers.below(HOSTS) as u64;
            write(host, &format!("letter {n:08x}: accepted for somebody{round}x{n}, {n} bytes"));
        }
        write(round % HOSTS, "deliver_letter: all 2 relays are down");
        // Some calls are still out when it is killed: what they did is done, or is not.
        for fault in [Fault::HangAfter, Fault::Nothing, Fault::Hang, Fault::LoseAnswer] {
            fake.fail("chat.postMessage", fault);
        }
        if round % 3 == 0 {
            pager.faults.push(http::Fault::Silent);
        }
        let before = progress(&site);
        let mut child = start(&site);
        // Mostly something has begun to leave, sometimes nothing has.
        let looks = if round % 4 == 3 { 0 } else { 1_000 };
        for _ in 0..looks {
            if progress(&site) != before {
                break;
            }
            pause(10);
        }
        pause(50 + numbers.below(450) as u64);
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        child.kill().unwrap();
        child.wait().unwrap();
        midway += u64::from(progress(&site).contains("sending"));
    }
    // What only the last one can have told shows that it is at work.
    for _ in 0..3 {
        file.write_all(line(0, "h0", "letter ffffffff: accepted for the last, 1 bytes").as_bytes()).unwrap();
        lines += 1;
    }
    fake.mend("chat.postMessage");
    let mut last = start(&site);
    let is_done = |fake: &FakeSlack| {
        let rows = rows(&site);
        fake.by_intent().len() as u64 > kills() * 6 && !rows.is_empty() && unfinished(&site).is_empty()
    };
    println!("killed {midway} times while something was sent");
    assert!(midway > kills() / 5, "killed only {midway} times while something was sent");
    // A channel takes a message a second, so how long it takes depends on how many wait for the same one.
    let mut left = usize::MAX;
    while !fake.wait_until(is_done) {
        let unfinished = unfinished(&site);
        assert!(unfinished.len() < left, "nothing moves: {unfinished:?}");
        left = unfinished.len();
    }
    assert!(Command::new("kill").args(["-TERM", &last.id().to_string()]).status().unwrap().success());
    assert!(last.wait().unwrap().success(), "it ends well when it is asked to");

    let rows = rows(&site);
    let counted: u64 = site_lines(&site);
    assert_eq!(counted, lines, "every line is counted once");
    let seen = fake.by_intent();
    let (mut told, mut n_keys) = (BTreeSet::new(), 0);
    for row in &rows {
        let id = row["id"].as_str().unwrap();
        match row["state"].as_str().unwrap() {
            "sent" if row["destination"]["receiver"].is_null() => {
                assert_eq!(seen.get(id), Some(&1), "{row}");
                told.insert(id);
                n_keys += usize::from(row["destination"]["channel"].is_string());
            }
            "sent" => {}
            "suppressed" | "held" => assert!(row["why"].is_string(), "{row}"),
            other => panic!("{other}: {row}"),
        }
    }
    assert_eq!(seen.len(), told.len(), "nothing is told that is not in the outbox");
    assert_eq!(n_keys as u64, kills() * 6 + 1, "one notice for each key");
    let mut keys: BTreeMap<String, u32> = BTreeMap::new();
    for incident in pager.incidents() {
        *keys.entry(incident.key).or_default() += incident.notified;
    }
    assert_eq!(keys.len() as u64, kills().min(HOSTS), "{keys:?}");
    assert!(keys.values().all(|notified| *notified == 1), "{keys:?}");
}

fn site_lines(site: &Site) -> u64 {
    let store = dice_store::Store::open_to_read(&site.path().join("state.db")).unwrap();
    let mut lines = 0;
    let each = |row: dice_store::Entry| {
        lines += serde_json::from_str::<Value>(&row.body).unwrap()["lines"].as_u64().unwrap();
    };
    store.entries(dice_route::book::Table::Counters, each).unwrap();
    lines
}
