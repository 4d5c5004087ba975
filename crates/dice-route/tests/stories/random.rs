//! Stories that nobody wrote: whatever happens, a restart changes nothing and every occurrence is accounted
//! for.

use dice_catalog::{Level, Why};
use dice_route::Severity::{High, Low, Medium};
use dice_route::config::{Guard, Inhibition};

use crate::timetable::{Scene, matchers, play, route, scene};

/// Numbers that are the same for the same seed.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }

    pub(crate) fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.roll(of.len())]
    }
}

fn crowd() -> Scene {
    scene(&[("cpu", Medium), ("db", Low), ("down", High)])
        .message("disk", Level::Info, &[("#ops", Why::Annotation)])
        .message("panic", Level::Critical, &[("@ann", Why::Author)])
        .message("retry", Level::Warning, &[("@bob", Why::Author), ("#ops", Why::Owners)])
        .message("hello", Level::Info, &[("@ann", Why::Author)])
        .with(|config| {
            // The policies that hold where none is configured.
            config.policies.clear();
            let mut db = route("db", "rule=db", &["#db", "owner"]);
            db.is_continued = true;
            db.group_by = vec!["service".to_owned()];
            let mut pager = route("pager", "severity=high", &["pagerduty"]);
            pager.send_resolved = false;
            config.routes = vec![db, pager, route("all", "service=~.+", &["#all"])];
            config.inhibitions = vec![Inhibition {
                id: "first".to_owned(),
                source: matchers("rule=down"),
                target: matchers("rule=cpu"),
                equal: vec!["service".to_owned()],
                missing_equal: false,
                linger_ms: 120_000,
            }];
            config.storm.channel = Guard { count: 4, within_ms: 600_000 };
            config.storm.page = Guard { count: 2, within_ms: 300_000 };
            config.storm.new_messages_min = 3;
            config.storm.noisy_rule_per_hour = 5;
        })
}

fn story(seed: u64) -> String {
    let mut dice = Dice(seed * 0x9e37_79b9 + 1);
    let (mut at_s, mut story) = (0, String::new());
    for _ in 0..40 {
        at_s += [0, 1, 7, 30, 61, 300, 900, 1800][dice.roll(8)];
        let (key, service) = (dice.pick(&["a", "b", "c"]), dice.pick(&["api", "web", "auth"]));
        let rule = dice.pick(&["cpu", "db", "down"]);
        let line = match dice.roll(22) {
            0..=5 => format!(
                "log {} x{} service={service} host={} env={}",
                dice.pick(&["disk", "panic", "retry", "hello"]),
                1 + dice.roll(9),
                dice.pick(&["h1", "h2", "h3"]),
                dice.pick(&["production", "staging"]),
            ),
            6..=8 => format!("open {rule} key={key} service={service} log=disk trace=t{}", dice.roll(3)),
            9 => format!("update {rule} key={key} count={}", dice.roll(100)),
            10 | 11 => format!("close {rule} key={key}{}", dice.pick(&["", " instant"])),
            12 => format!(
                "silence service={service} for {}{}",
                dice.pick(&["2m", "1h"]),
                dice.pick(&["", " drop"])
            ),
            13 => "unsilence".to_owned(),
            14 => format!("{} stalled the input has stalled", dice.pick(&["alarm", "calm"])),
            15 => "resolve any".to_owned(),
            16 => format!(
                "{} snooze {} {} {}",
                dice.pick(&["@ann", "@bob"]),
                dice.pick(&["message:disk", "message:retry", "rule:cpu", "rule:down"]),
                dice.pick(&["30m", "count:5", "rate:3", "forever"]),
                dice.pick(&["me", "everyone", "#ops", "#all"]),
            ),
            17 => format!("@ann {} {}", dice.pick(&["not-me", "unassign"]), dice.pick(&["disk", "panic"])),
            18 => format!("@bob assign {} {}", dice.pick(&["disk", "retry"]), dice.pick(&["@ann", "#db"])),
            19 => format!("@bob {} {rule}{key}", dice.pick(&["ack", "unack"])),
            20 => format!("hear {}{}", dice.pick(&["@ann", "@bob"]), dice.pick(&["", " gone"])),
            _ => dice.pick(&["reload", "timeline", "records"]).to_owned(),
        };
        story.push_str(&format!("{at_s}s {line}\n"));
    }
    story.push_str(&format!("{}s end\n{}s count\n", at_s + 7500, at_s + 7500));
    story
}

#[test]
fn a_restart_changes_nothing_and_everything_is_counted() {
    for seed in 1..12 {
        let story = story(seed);
        let told = play(&crowd(), &story);
        let logged: u64 = story
            .lines()
            .filter(|line| line.contains(" log "))
            .filter_map(|line| {
                line.split_whitespace().find_map(|word| word.strip_prefix('x')?.parse::<u64>().ok())
            })
            .sum();
        let counted: u64 = told
            .lines()
            .last()
            .map(|line| line.split_whitespace().filter_map(|word| word.parse::<u64>().ok()).sum())
            .unwrap();
        assert_eq!(counted, logged, "seed {seed}:\n{told}");
    }
}
