//! What people do: snoozes, "not me", acknowledgements, and who hears next.

use std::collections::BTreeMap;

use dice_catalog::{Level, Why};
use dice_route::Severity::{High, Low, Medium};
use dice_route::config::{Person, Policy, Receiver, Step, Target, Team};

use crate::random::Dice;
use crate::timetable::{Scene, check, play, route, scene};

/// Ann and Bob are the store team, which reads `#store`; Cyd is an administrator. Escalations are those that
/// are built in.
fn house(rules: &[(&str, dice_route::Severity)]) -> Scene {
    scene(rules).with(|config| {
        let person = |name: &str| Person {
            handle: format!("@{name}"),
            emails: vec![format!("{name}@corp.example")],
            is_admin: name == "cyd",
            ..Person::default()
        };
        config.people = ["ann", "bob", "cyd"].map(person).map(|who| (who.handle.clone(), who)).into();
        let members = vec!["@ann".to_owned(), "@bob".to_owned()];
        let team = Team { members, channel: Some("#store".to_owned()), ..Team::default() };
        config.teams = BTreeMap::from([("@corp/store".to_owned(), team)]);
        let pager = Receiver { courier: "pagerduty".to_owned(), settings: BTreeMap::new() };
        config.receivers = BTreeMap::from([("pager".to_owned(), pager)]);
        config.policies = BTreeMap::new();
        config.ownership.triage = Some("#triage".to_owned());
        config.routes = vec![route("all", "", &["#store"])];
    })
}

#[test]
fn a_snoozed_message_is_told_once_when_it_wakes() {
    check(
        house(&[]).message("disk", Level::Error, &[("#store", Why::Annotation)]),
        "
        0s log disk
        0s -> #store open: disk <*> [×1 open]
        1m @ann snooze message:disk 30m #store
        1m -> answer: disk <*> snoozed for #store until Fri 2027-01-15 08:31 (UTC).
        5m log disk x=4
        20m log disk x=2
        31m -> #store summary: 6 occurrences while snoozed: disk <*> [×6 snoozed] ~ snoozed by @ann until Fri 2027-01-15 08:31 (UTC)
        40m log disk
        45m -> #store update: disk <*> [×8 open]
        1h40m -> #store resolved: disk <*> [×8 over]
        2h end
        ",
    );
}

#[test]
fn a_snoozed_rule_waits_with_its_escalation() {
    check(
        house(&[("cpu", Medium)]).message("disk", Level::Error, &[("@ann", Why::Author)]),
        "
        0s log disk
        0s open cpu key=a log=disk
        30s -> #store open: cpu fires a [×1 open]
        5m @cyd snooze rule:cpu 1h everyone
        5m -> answer: rule cpu snoozed for everyone until Fri 2027-01-15 09:05 (UTC).
        6m update cpu key=a count=40
        1h5m end
        1h5m -> #store summary: 39 occurrences while snoozed: rule cpu [×39 snoozed] ~ snoozed by @cyd until Fri 2027-01-15 09:05 (UTC)
        1h10m -> @ann escalation: not acknowledged for 1 h 10 m: cpu fires a [×40 open] ~ was hidden for 1 h ~ next in 15 m: pager
        1h25m -> page pager escalation: not acknowledged for 1 h 25 m: cpu fires a [×40 open]
        1h30m end
        1h40m close cpu key=a
        1h40m -> @ann resolved: over: cpu fires a [×40 resolved] ~ it lasted 1 h 40 m
        1h40m -> page pager resolved: over: cpu fires a [×40 resolved] ~ it lasted 1 h 40 m
        1h40m30s -> #store resolved: cpu fires a [×40 resolved]
        2h end
        ",
    );
}

#[test]
fn an_escalation_from_the_channel_to_the_pager_and_its_end() {
    check(
        house(&[("cpu", Medium), ("net", High), ("ram", Low)]).message(
            "disk",
            Level::Error,
            &[("@ann", Why::Author)],
        ),
        "
        0s log disk
        0s open cpu key=a log=disk
        30s -> #store open: cpu fires a [×1 open]
        1m open net log=disk
        1m -> page #store open: net fires [×1 open]
        1m -> page pager escalation: net fires [×1 open] ~ next in 10 m: the owner
        2m open ram log=disk
        2m30s -> #store open: ram fires [×1 open]
        5m @bob ack net
        5m -> answer: @bob is on it until Fri 08:35 (UTC): net fires. Nobody else is called meanwhile.
        5m -> page pager acknowledged: @bob is on it: net fires [×1 open]
        5m @bob ack cp
        5m -> answer: there is no episode `cp`: `dice episodes` lists them
        10m -> @ann escalation: not acknowledged for 10 m: cpu fires a [×1 open] ~ next in 15 m: pager
        25m -> page pager escalation: not acknowledged for 25 m: cpu fires a [×1 open]
        26m close cpu key=a
        26m -> @ann resolved: over: cpu fires a [×1 resolved] ~ it lasted 26 m
        26m -> page pager resolved: over: cpu fires a [×1 resolved] ~ it lasted 26 m
        30m30s -> #store resolved: cpu fires a [×1 resolved]
        35m -> page @ann escalation: not acknowledged for 34 m: net fires [×1 open] ~ ack by @bob expired
        45m -> page #store escalation: not acknowledged for 44 m: net fires [×1 open] ~ next in 10 m: the owner
        45m -> page pager escalation: not acknowledged for 44 m: net fires [×1 open] ~ next in 10 m: the owner
        50m end
        50m close net
        50m -> page @ann resolved: over: net fires [×1 resolved] ~ it lasted 49 m
        50m -> page pager resolved: over: net fires [×1 resolved] ~ it lasted 49 m
        51m -> page #store resolved: net fires [×1 resolved]
        1h30m end
        ",
    );
}

#[test]
fn not_me_moves_what_is_told_to_the_next_one() {
    check(
        house(&[]).message("disk", Level::Critical, &[("@ann", Why::Author)]),
        "
        0s log disk
        0s -> @ann open: disk <*> [×1 open]
        1m @ann not-me disk because=moved
        1m -> answer: disk <*>: no longer @ann's. It goes to #store now. This can be undone within 1 d.
        1m -> #store open: disk <*> [×1 open]
        2m log disk
        2m -> #store update: disk <*> [×2 open]
        3m @bob assign disk @bob
        3m -> answer: disk <*>: @bob owns it now.
        3m -> @bob open: disk <*> [×2 open]
        4m log disk
        4m -> @bob update: disk <*> [×3 open]
        5m hear @bob gone
        6m log disk
        6m -> #store update: disk <*> [×4 open]
        7m @cyd unassign disk
        7m -> answer: disk <*>: taken back (@bob gave it to @bob). #store owns it again.
        8m log disk
        16m -> #store update: disk <*> [×5 open]
        1h8m -> #store resolved: disk <*> [×5 over]
        2h end
        ",
    );
}

#[test]
fn silenced_episodes_are_not_escalated() {
    check(
        house(&[("cpu", Medium)]).message("disk", Level::Error, &[("@ann", Why::Author)]),
        "
        0s log disk
        0s open cpu key=a log=disk service=api
        30s -> #store open: cpu fires a [×1 open]
        5m silence service=api for 1h
        5m -> answer: Silence 948cf094fb31 is active. It hides 1 thing that goes on now; of the last 7 days it would have hidden 0.
        1h5m -> #store summary: cpu fires a [×1 open] ~ cpu fires a: silenced 1 h, 0 occurrences
        1h10m -> @ann escalation: not acknowledged for 1 h 10 m: cpu fires a [×1 open] ~ was hidden for 1 h ~ next in 15 m: pager
        1h25m -> page pager escalation: not acknowledged for 1 h 25 m: cpu fires a [×1 open]
        1h30m end
        ",
    );
}

#[test]
fn what_was_due_while_nothing_ran_is_done_once() {
    check(
        house(&[("cpu", Medium)]).message("disk", Level::Error, &[("@ann", Why::Author)]),
        "
        0s log disk
        0s open cpu key=a log=disk
        30s -> #store open: cpu fires a [×1 open]
        5m down until 3h
        3h -> @ann escalation: not acknowledged for 3 h: cpu fires a [×1 open] ~ delayed 2 h 50 m by restart ~ next in 15 m: pager
        3h15m -> page pager escalation: not acknowledged for 3 h 15 m: cpu fires a [×1 open]
        4h -> @ann digest: Digest for Friday, 15 January 2027: 1 message, 1 occurrence [×1 new] ~ due Fri 2027-01-15 10:00: whether you are there is not known
        4h30s -> #store reminder: cpu fires a [×1 open]
        5h end
        ",
    );
}

#[test]
fn open_episodes_follow_todays_policies_when_asked_to() {
    let mine = |after_ms| Policy {
        steps: vec![Step { after_ms, only_if: Vec::new(), to: vec![Target::Owner], remind_ms: None }],
        repeat: 0,
        ack_timeout_ms: 60_000,
        resolve_quietly: false,
    };
    check(
        house(&[("cpu", Medium)])
            .message("disk", Level::Error, &[("@ann", Why::Author)])
            .with(|config| config.policies = [("medium".to_owned(), mine(600_000))].into())
            .then(|config| config.policies = [("medium".to_owned(), mine(60_000))].into()),
        "
        0s log disk
        0s open cpu key=a log=disk
        30s @cyd apply
        30s -> answer: Open episodes follow today's policies already.
        30s -> #store open: cpu fires a [×1 open]
        2m reload
        3m @cyd apply
        3m -> answer: 1 open episode follows today's policy now.
        3m -> @ann escalation: not acknowledged for 3 m: cpu fires a [×1 open]
        4m open cpu key=b log=disk
        5m -> @ann escalation: not acknowledged for 1 m: cpu fires b [×1 open]
        5m30s -> #store update: 2 open: cpu fires a and 1 more [cpu fires a ×1 open, cpu fires b ×1 open]
        10m end
        ",
    );
}

#[test]
fn a_message_that_is_not_yours_goes_to_the_digest_of_who_has_it_now() {
    check(
        house(&[])
            .message("disk", Level::Error, &[("@ann", Why::Author)])
            .message("net", Level::Error, &[("@ann", Why::Author)])
            .message("ram", Level::Error, &[("@ann", Why::Author)]),
        "
        0s log disk x=3
        0s log net x=5
        0s log ram x=7
        1m @ann not-me disk to=@bob
        1m -> answer: disk <*>: no longer @ann's. It goes to @bob now. This can be undone within 1 d.
        2m @ann snooze message:ram forever me
        2m -> answer: ram <*> snoozed for you for good.
        3m log disk x=2
        4h -> @ann digest: Digest for Friday, 15 January 2027: 1 message, 5 occurrences [×5 new] ~ not shown: 1 message snoozed (7 occurrences) ~ due Fri 2027-01-15 10:00: whether you are there is not known ~ muted: 1 thing, 0 occurrences so far; `dice snooze list` shows them
        4h -> @bob digest: Digest for Friday, 15 January 2027: 1 message, 5 occurrences [×5 new] ~ due Fri 2027-01-15 10:00: whether you are there is not known
        5h end
        ",
    );
}

#[test]
fn a_snooze_of_a_key_a_group_and_an_episode() {
    check(
        house(&[("cpu", Medium)]).message("disk", Level::Error, &[("#store", Why::Annotation)]).with(
            |config| {
                config
                    .policies
                    .insert(
                        "medium".to_owned(),
                        Policy { steps: Vec::new(), repeat: 0, ack_timeout_ms: 0, resolve_quietly: false },
                    )
                    .map_or((), drop)
            },
        ),
        "
        0s log disk by=1.1
        0s -> #store open: disk <*> [×1 open]
        1m @ann snooze alert:disk next-release #store
        1m -> answer: disk <*> snoozed for #store until the next release.
        2m log disk by=1.1 x=3
        3m log disk by=1.2
        3m -> #store summary: 3 occurrences while snoozed: disk <*> [×3 snoozed] ~ snoozed by @ann until the next release
        10m open cpu key=a
        10m30s -> #store open: cpu fires a [×1 open]
        11m @ann snooze episode:cpua 1h #store
        11m -> answer: cpu fires a snoozed for #store until Fri 2027-01-15 09:11 (UTC).
        12m update cpu key=a count=9
        13m @ann unsnooze
        13m -> answer: No longer snoozed: cpu fires a. 8 occurrences came meanwhile.
        14m @ann snooze group:all count:20 #store
        14m -> answer: group of route all snoozed for #store until it occurs 20 more times.
        20m update cpu key=a count=50
        20m -> #store summary: 41 occurrences while snoozed: group of route all [×41 snoozed] ~ snoozed by @ann until it occurs 20 more times
        30m end
        ",
    );
}

#[test]
fn somebody_is_on_a_message_that_is_told_as_it_happens() {
    let told = &[("#store", Why::Annotation), ("#ops", Why::Annotation)];
    check(
        house(&[]).message("disk", Level::Error, told).with(|config| {
            config.lanes.immediate_repeat_ms = 3_600_000;
            config.lanes.immediate_quiet_ms = 43_200_000;
        }),
        "
        0s log disk
        0s -> #ops open: disk <*> [×1 open]
        0s -> #store open: disk <*> [×1 open]
        1m @bob ack disk
        1m -> answer: @bob is on it until Fri 12:01 (UTC): disk <*>. Nobody else is called meanwhile.
        1m -> #ops acknowledged: @bob is on it: disk <*> [×1 open]
        1m -> #store acknowledged: @bob is on it: disk <*> [×1 open]
        2m log disk x=3
        3m timeline
        3m -> 0s #store: first told
        3m -> 0s #store: it began
        3m -> next 5m #store: changed if it came again, over if it has been quiet
        3m -> next 4h1m #store: @bob is on it until then
        3m -> 0s #ops: first told
        3m -> 0s #ops: it began
        3m -> next 5m #ops: changed if it came again, over if it has been quiet
        3m -> next 4h1m #ops: @bob is on it until then
        5m -> #ops update: disk <*> [×4 open]
        5m -> #store update: disk <*> [×4 open]
        4h1m -> #ops reminder: disk <*> [×4 open] ~ goes on since 4 h 1 m ~ ack by @bob expired
        4h1m -> #store reminder: disk <*> [×4 open] ~ goes on since 4 h 1 m ~ ack by @bob expired
        4h5m @ann ack disk
        4h5m -> answer: @ann is on it until Fri 16:05 (UTC): disk <*>. Nobody else is called meanwhile.
        4h5m -> #ops acknowledged: @ann is on it: disk <*> [×4 open]
        4h5m -> #store acknowledged: @ann is on it: disk <*> [×4 open]
        4h6m @ann ack disk
        4h6m -> answer: @ann is on it until Fri 16:06 (UTC): disk <*>. Nobody else is called meanwhile.
        4h7m @cyd unack disk
        4h7m -> answer: @ann is no longer on it: disk <*>. It is told again now.
        4h7m -> #ops reminder: disk <*> [×4 open] ~ goes on since 4 h 7 m ~ @ann is no longer on it, says @cyd
        4h7m -> #store reminder: disk <*> [×4 open] ~ goes on since 4 h 7 m ~ @ann is no longer on it, says @cyd
        4h8m @cyd unack disk
        4h8m -> answer: Nobody is on it: disk <*>.
        4h9m resolve disk
        4h9m -> #ops resolved: disk <*> [×4 over]
        4h9m -> #store resolved: disk <*> [×4 over]
        9h end
        ",
    );
}

#[test]
fn not_me_takes_open_episodes_along() {
    check(
        house(&[("cpu", Medium)])
            .message("disk", Level::Error, &[("@ann", Why::Author)])
            .message("net", Level::Error, &[("@ann", Why::Author)])
            .with(|config| config.routes = vec![route("all", "", &["owner", "#ops"])]),
        "
        0s log disk
        0s log net
        0s open cpu key=a log=disk
        0s open cpu key=b log=net
        10s open cpu key=d log=disk
        30s -> #ops open: 3 open: cpu fires a and 2 more [cpu fires a ×1 open, cpu fires b ×1 open, cpu fires d ×1 open]
        30s -> @ann open: 3 open: cpu fires a and 2 more [cpu fires a ×1 open, cpu fires b ×1 open, cpu fires d ×1 open]
        10m update cpu key=a count=20
        10m -> @ann escalation: not acknowledged for 10 m: cpu fires a [×20 open] ~ next in 15 m: pager
        10m -> @ann escalation: not acknowledged for 10 m: cpu fires b [×1 open] ~ next in 15 m: pager
        10m10s -> @ann escalation: not acknowledged for 10 m: cpu fires d [×1 open] ~ next in 15 m: pager
        11m @ann not-me disk to=@bob
        11m -> answer: disk <*>: no longer @ann's. It goes to @bob now. This can be undone within 1 d.
        11m -> @bob open: 2 open: cpu fires a and 1 more [cpu fires a ×20 open, cpu fires d ×1 open]
        12m close cpu key=b
        15m30s -> #ops update: 2 open, 1 over: cpu fires a and 2 more [cpu fires a ×20 open, cpu fires d ×1 open, cpu fires b ×1 resolved]
        15m30s -> @ann resolved: cpu fires b [×1 resolved]
        20m open cpu key=c log=disk
        20m30s -> #ops update: 3 open: cpu fires a and 2 more [cpu fires a ×20 open, cpu fires d ×1 open, cpu fires c ×1 open]
        21m @cyd assign disk @cyd
        21m -> answer: disk <*>: @cyd owns it now.
        21m -> @cyd open: 3 open: cpu fires a and 2 more [cpu fires a ×20 open, cpu fires d ×1 open, cpu fires c ×1 open]
        25m -> page pager escalation: not acknowledged for 25 m: cpu fires a [×20 open]
        25m10s -> page pager escalation: not acknowledged for 25 m: cpu fires d [×1 open]
        30m close cpu key=a
        30m -> page pager resolved: over: cpu fires a [×20 resolved] ~ it lasted 30 m
        30m -> @cyd escalation: not acknowledged for 10 m: cpu fires c [×1 open] ~ next in 15 m: pager
        30m30s -> #ops update: 2 open, 1 over: cpu fires d and 2 more [cpu fires d ×1 open, cpu fires c ×1 open, cpu fires a ×20 resolved]
        31m close cpu key=c
        31m -> @cyd update: 1 open, 2 over: cpu fires d and 2 more [cpu fires d ×1 open, cpu fires a ×20 resolved, cpu fires c ×1 resolved]
        31m hear @cyd gone
        31m -> #store open: cpu fires d [×1 open]
        35m30s -> #ops update: 1 open, 1 over: cpu fires d and 1 more [cpu fires d ×1 open, cpu fires c ×1 resolved]
        40m close cpu key=d
        40m -> page pager resolved: over: cpu fires d [×1 resolved] ~ it lasted 39 m
        40m30s -> #ops resolved: cpu fires d [×1 resolved]
        41m -> #store resolved: cpu fires d [×1 resolved]
        2h -> #triage digest: Digest for Friday, 15 January 2027: 1 message, 1 occurrence [×1 new]
        3h end
        ",
    );
}

#[test]
fn an_open_episode_goes_to_whom_the_configuration_names_when_its_message_comes_again() {
    let routed = |config: &mut dice_route::Config| config.routes = vec![route("all", "", &["owner"])];
    let ann_left = |config: &mut dice_route::Config| {
        let ann = config.people.get_mut("@ann").unwrap();
        ann.left_to = Some("@bob".to_owned());
    };
    check(
        house(&[("cpu", Low)])
            .message("disk", Level::Error, &[("@ann", Why::Author)])
            .with(routed)
            .then(ann_left),
        "
        0s log disk
        0s open cpu log=disk
        0s -> #store escalation: cpu fires [×1 open]
        30s -> @ann open: cpu fires [×1 open]
        5m reload
        6m log disk
        6m -> @bob open: cpu fires [×1 open]
        7m update cpu count=5
        8m close cpu
        8m -> #store update: over: cpu fires [×5 resolved] ~ it lasted 8 m
        11m -> @bob resolved: cpu fires [×5 resolved]
        20m end
        ",
    );
}

#[test]
fn a_silence_for_a_person_knows_their_names() {
    check(
        house(&[]).message("panic", Level::Critical, &[("ann@corp.example", Why::Author)]),
        "
        0s silence repo=repo for 1h only=@ann
        0s -> answer: Silence 07ee4343ddae is active. It hides nothing that goes on now; of the last 7 days it would have hidden 0.
        1m log panic
        2m end
        ",
    );
}

#[test]
fn who_stands_under_two_names_is_told_once() {
    let both = &[("@ann", Why::Author), ("ann@corp.example", Why::Codeowners)];
    let scene = house(&[("cpu", Medium)])
        .message("panic", Level::Critical, both)
        .message("retry", Level::Error, both)
        .message("net", Level::Error, &[("ann@corp.example", Why::Author)]);
    check(
        scene.with(|config| {
            config.policies.insert(
                "medium".to_owned(),
                Policy { steps: Vec::new(), repeat: 0, ack_timeout_ms: 0, resolve_quietly: false },
            );
            config.routes = vec![route("all", "", &["owner", "@ann", "ANN@corp.example"])];
        }),
        "
        0s log panic
        0s -> @ann open: panic <*> [×1 open]
        1s log retry x=3
        1s log net
        2s open cpu key=a log=retry
        3s open cpu key=b log=net
        32s -> @ann open: 2 open: cpu fires a and 1 more [cpu fires a ×1 open, cpu fires b ×1 open]
        4h3s -> @ann digest: Digest for Friday, 15 January 2027: 2 messages, 4 occurrences [error: retry <*> ×3 new, error: net <*> ×1 new] ~ due Fri 2027-01-15 10:00: whether you are there is not known
        4h33s -> @ann reminder: 2 open: cpu fires a and 1 more [cpu fires a ×1 open, cpu fires b ×1 open]
        5h end
        ",
    );
}

/// A story of things that happen and of what people do about them, in any order.
fn story(seed: u64) -> String {
    let mut dice = Dice(seed * 0x9e37_79b9 + 7);
    let (mut at_s, mut story) =
        (0, "0s log disk\n0s log net\n0s log lost\n0s open cpu key=a log=net\n".to_owned());
    let mut is_snoozed = false;
    for _ in 0..60 {
        at_s += [0, 1, 20, 61, 300, 900, 1800, 7200][dice.roll(8)];
        let actor = dice.pick(&["@ann", "@bob", "@cyd"]);
        let message = dice.pick(&["disk", "net", "lost"]);
        let rule = dice.pick(&["cpu", "down", "idle"]);
        let key = dice.pick(&["a", "b"]);
        let until =
            dice.pick(&["10m", "tomorrow", "next-workday", "count:3", "rate:2", "next-release", "forever"]);
        let line = match dice.roll(20) {
            0..=4 => format!("log {message} x{} by=1.{}", 1 + dice.roll(9), dice.roll(4)),
            5..=7 => format!("open {rule} key={key} log={message}"),
            8 => format!("update {rule} key={key} count={}", dice.roll(100)),
            9 => format!("close {rule} key={key}"),
            10..=12 => {
                is_snoozed = true;
                let scope = match dice.roll(4) {
                    0 => format!("rule:{rule}"),
                    1 => format!("alert:{message}"),
                    2 => format!("episode:{rule}{key}"),
                    _ => format!("message:{message}"),
                };
                format!("{actor} snooze {scope} {until} {}", dice.pick(&["me", "everyone", "#store"]))
            }
            13 => format!(
                "{actor} not-me {message}{}",
                dice.pick(&["", " to=@ann", " to=#ops", " person=#store"])
            ),
            14 => format!("{actor} assign {message} {}", dice.pick(&["@ann", "@bob", "#ops", "@corp/store"])),
            15 => format!("{actor} unassign {message}"),
            16 => format!("{actor} ack {rule}{key}"),
            17 => format!("{actor} ack {message}"),
            18 if dice.roll(2) == 0 => format!("{actor} unack {message}"),
            18 => format!("{actor} unack {rule}{key}"),
            _ => match dice.roll(4) {
                0 => format!("hear @bob {}", dice.pick(&["gone", "zone=Asia/Kathmandu", ""])),
                1 => "@cyd apply".to_owned(),
                2 if is_snoozed => "reload".to_owned(),
                _ => format!("down until {}s", at_s + 4000),
            },
        };
        story.push_str(&format!("{at_s}s {line}\n"));
        if line.starts_with("down") {
            at_s += 4000;
        }
    }
    story.push_str(&format!("{}s end\n", at_s + 7500));
    story
}

#[test]
fn whatever_people_do_a_restart_changes_nothing_and_no_escalation_is_forgotten() {
    for seed in 1..5 {
        let scene = house(&[("cpu", Medium), ("down", High), ("idle", Low)])
            .message("disk", Level::Error, &[("#store", Why::Annotation)])
            .message("net", Level::Warning, &[("@ann", Why::Author)])
            .message("lost", Level::Critical, &[("@bob", Why::Author)]);
        let told = play(&scene, &story(seed));
        // The auditor looks every minute.
        assert!(!told.contains("without a next step"), "seed {seed}:\n{told}");
    }
}
