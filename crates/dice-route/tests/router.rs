//! The router as a whole: a save and a restart at any input change nothing, byte for byte.

use std::sync::Arc;

use dice_catalog::{Fingerprint, Kind, Level, Owner, Part, Template, Why};
use dice_route::condition::{Condition, Field};
use dice_route::config::{Rule, RuleType};
use dice_route::{
    Act, Audience, Command, Config, Event, Input, LineCounts, Message, MessageId, Outcome, PartitionId,
    PartitionNews, Presence, Receipt, Router, Scope, Severity, Shelf,
};

/// A Monday morning.
const START_MS: i64 = 1_794_819_600_000;

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

fn rule(id: &str, kind: RuleType, condition: &str, key: &[&str], severity: Severity) -> Arc<Rule> {
    Arc::new(Rule {
        condition: Condition::parse(condition).expect("the condition is valid"),
        key: key.iter().map(|name| Field::parse(name).expect("the field is valid")).collect(),
        severity,
        ..Rule::new(id, kind)
    })
}

fn config(version: &str) -> Arc<Config> {
    let frequency = RuleType::Frequency { count: 5, within_ms: 60_000, clear: 2 };
    let flatline = RuleType::Flatline {
        within_ms: 120_000,
        min: 1,
        keys: Vec::new(),
        min_seen: 2,
        learn_ms: 3_600_000,
        forget_after_ms: 7_200_000,
    };
    Arc::new(Config {
        version: version.to_owned(),
        zone: "Europe/Berlin".to_owned(),
        rules: vec![
            rule("many", frequency, "level >= error", &["service"], Severity::High),
            rule(
                "any",
                RuleType::Match { quiet_ms: Some(30_000) },
                "level >= warning",
                &["host"],
                Severity::Low,
            ),
            rule("none", flatline, "level >= info", &["service"], Severity::Medium),
        ],
        ..Config::default()
    })
}

fn message(n: u64) -> Arc<Message> {
    let template = Template::new([Part::text(format!("message {n} of the test"))]);
    let (owner, why) = match n % 3 {
        0 => ("#ops", Why::Annotation),
        1 => ("ada@test.example", Why::Author),
        _ => ("@bo", Why::Annotation),
    };
    let level = [Level::Info, Level::Warning, Level::Error, Level::Critical][(n % 4) as usize];
    Arc::new(Message {
        repo: "test".into(),
        template: template.to_string().into(),
        place: format!("src/main.c:{n}").into(),
        file: "src/main.c".into(),
        kind: Some(Kind::Log),
        level: Some(level),
        owners: vec![Owner::named(owner, why)],
        candidates: vec![Owner::named("cleo@test.example", Why::Author)],
        ..Message::unknown(MessageId::Known(Fingerprint::of("test", &template)))
    })
}

/// Inputs of every sort. Messages are made anew from time to time, as after a reload of the catalog.
fn inputs(dice: &mut Dice, n: usize) -> Vec<Input> {
    let mut messages: Vec<Arc<Message>> = (0..12).map(message).collect();
    let opened = PartitionNews::Opened { source: "app".into(), name: "app.log".into() };
    let mut inputs = vec![Input::Partition(PartitionId(0), opened)];
    let (mut now_ms, mut offset) = (START_MS, 0);
    for _ in 0..n {
        now_ms += dice.next(4_000) as i64;
        inputs.push(match dice.next(100) {
            0..70 => {
                offset += 1;
                let message = Arc::clone(&messages[dice.next(12) as usize]);
                Input::Event(Event {
                    partition: PartitionId(0),
                    offset,
                    at_ms: Some(now_ms - dice.next(40_000) as i64),
                    ingested_ms: now_ms,
                    level: message.level,
                    source: "app".into(),
                    host: Some(format!("web-{}", dice.next(3)).into()),
                    service: Some(format!("s{}", dice.next(4)).into()),
                    env: None,
                    version: Some(format!("1.{}", now_ms / 600_000 % 4).into()),
                    trace: None,
                    text: message.template.as_ref().into(),
                    values: Box::default(),
                    fields: Box::default(),
                    message,
                })
            }
            70..90 => Input::Tick(now_ms),
            90..92 => Input::Partition(PartitionId(0), PartitionNews::CaughtUp(now_ms)),
            92 => Input::Partition(PartitionId(0), PartitionNews::Disconnected("it went away".into())),
            93 => Input::Lines(LineCounts {
                source: "app".into(),
                lines: 3,
                matched: 2,
                ..LineCounts::default()
            }),
            94 => {
                messages = (0..12).map(message).collect();
                Input::Configuration(config(&format!("{}", dice.next(3))))
            }
            95 => Input::Presence(Presence {
                person: "ada@test.example".to_owned(),
                at_ms: now_ms,
                is_online: Some(dice.next(2) == 0),
                dnd_until_ms: None,
                zone: None,
                is_gone: false,
            }),
            _ => {
                let message = messages[dice.next(12) as usize].id.to_string();
                let until = ["30m", "count:5", "forever", "next-release"][dice.next(4) as usize].to_owned();
                let act = match dice.next(4) {
                    0 => Act::Snooze {
                        scope: Scope::Message(message),
                        audience: Audience::Everyone,
                        until,
                        reason: None,
                    },
                    1 => Act::NotMe { message, person: None, proposed: None, reason: None },
                    2 => Act::Assign { message, owner: "#other".to_owned(), reason: None },
                    _ => Act::Unassign { message },
                };
                let actor = "ada@test.example".to_owned();
                Input::Command(Command { id: format!("c{now_ms}"), actor, at_ms: now_ms, act })
            }
        });
    }
    // A day later everything that was held is due.
    inputs.extend((1..=48).map(|half_hour| Input::Tick(now_ms + half_hour * 1_800_000)));
    inputs
}

/// Plays the inputs, delivering what is due after each; saves before the inputs in `saves`, and begins again
/// from what was saved when `is_ended`. Gives what a store would hold.
fn play(inputs: &[Input], saves: &[usize], is_ended: bool) -> Shelf {
    let mut shelf = Shelf::default();
    let mut current = config("0");
    let mut router = Router::new(Arc::clone(&current), START_MS);
    for (n, input) in inputs.iter().enumerate() {
        if saves.contains(&n) {
            shelf.write(router.deltas());
        }
        if saves.contains(&n) && is_ended {
            let (restored, problems) = Router::restore(Arc::clone(&current), START_MS, shelf.saved());
            assert_eq!(problems, Vec::<String>::new());
            router = restored;
        }
        if let Input::Configuration(config) = input {
            current = Arc::clone(config);
        }
        router.step(input.clone());
        let now_ms = router.now_ms();
        let due: Vec<String> = router.outbox().due(now_ms).into_iter().map(|each| each.id.clone()).collect();
        for intent in due {
            for outcome in [Outcome::Sending, Outcome::Delivered("test".to_owned())] {
                router.step(Input::Receipt(Receipt { intent: intent.clone(), at_ms: now_ms, outcome }));
            }
        }
    }
    shelf.write(router.deltas());
    shelf
}

#[test]
fn a_restart_at_any_input_changes_nothing() {
    for seed in 1..=8 {
        let mut dice = Dice(seed);
        let inputs = inputs(&mut dice, 600);
        for _ in 0..3 {
            let saves: Vec<usize> = (0..3).map(|_| dice.next(inputs.len() as u64) as usize).collect();
            let whole = play(&inputs, &saves, false);
            let broken = play(&inputs, &saves, true);
            for (one, other) in whole.saved().iter().zip(broken.saved()) {
                assert_eq!(*one, other, "seed {seed}, restarts {saves:?}");
            }
            assert!(whole == broken, "seed {seed}, restarts {saves:?}: there is more in one of them");
        }
    }
}
