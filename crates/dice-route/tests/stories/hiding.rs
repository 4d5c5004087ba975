//! Silences and inhibitions.

use dice_route::Severity::Medium;
use dice_route::config::Inhibition;

use crate::timetable::{Scene, check, matchers, route, scene};

fn cpu() -> Scene {
    scene(&[("cpu", Medium), ("db", Medium)]).with(|config| config.routes = vec![route("all", "", &["#all"])])
}

#[test]
fn a_silence_holds_and_its_end_tells_what_is_still_open() {
    check(
        cpu(),
        "
        0s silence service=api for 2h
        0s -> answer: Silence 07ee4343ddae is active. It hides nothing that goes on now; of the last 7 days it would have hidden 0.
        1m open cpu key=a service=api
        1m open cpu key=b service=web
        1m30s -> #all open: cpu fires b [×1 open] ~ 1 episode is hidden
        30m update cpu key=a count=312
        2h -> #all summary: 2 open: cpu fires a and 1 more [cpu fires a ×312 open, cpu fires b ×1 open] ~ cpu fires a: silenced 1 h 59 m, 312 occurrences
        3h end
        3h records
        3h -> command 1, silenced 24
        ",
    );
}

#[test]
fn what_had_been_told_before_the_silence_is_told_again_after_it() {
    check(
        cpu(),
        "
        0s open cpu key=a service=api
        30s -> #all open: cpu fires a [×1 open]
        10m silence service=api for 1h
        10m -> answer: Silence f0c19ab1a6ec is active. It hides 1 thing that goes on now; of the last 7 days it would have hidden 0.
        30m update cpu key=a count=50
        1h10m -> #all summary: cpu fires a [×50 open] ~ cpu fires a: silenced 1 h, 49 occurrences
        2h end
        ",
    );
}

#[test]
fn what_came_and_went_in_silence_is_not_told() {
    check(
        cpu(),
        "
        0s silence service=api for 2h
        0s -> answer: Silence 07ee4343ddae is active. It hides nothing that goes on now; of the last 7 days it would have hidden 0.
        1m open cpu key=a service=api
        30m close cpu key=a
        3h end
        3h records
        3h -> command 1, silenced 7
        ",
    );
}

#[test]
fn a_silence_may_say_not_to_tell_afterwards() {
    check(
        cpu(),
        "
        0s silence service=api for 1h drop
        0s -> answer: Silence 07ee4343ddae is active. It hides nothing that goes on now; of the last 7 days it would have hidden 0.
        1m open cpu key=a service=api
        2h close cpu key=a
        3h end
        ",
    );
}

#[test]
fn a_silence_is_pending_active_and_over() {
    check(
        cpu(),
        "
        0s silence service=api for 1h after=10m
        0s -> answer: Silence 07ee4343ddae is pending. It hides nothing that goes on now; of the last 7 days it would have hidden 0.
        1m open cpu key=a service=api
        1m30s -> #all open: cpu fires a [×1 open]
        15m open cpu key=b service=api
        30m unsilence
        30m -> #all summary: 2 open: cpu fires a and 1 more [cpu fires a ×1 open, cpu fires b ×1 open] ~ cpu fires a: silenced 20 m, 0 occurrences ~ cpu fires b: silenced 15 m, 1 occurrence
        1h end
        ",
    );
}

#[test]
fn a_silence_for_one_receiver_hides_from_it_alone() {
    check(
        cpu().with(|config| config.routes = vec![route("two", "", &["#one", "#two"])]),
        "
        0s silence service=api for 1h only=#one
        0s -> answer: Silence 07ee4343ddae is active. It hides nothing that goes on now; of the last 7 days it would have hidden 0.
        1m open cpu key=a service=api
        1m30s -> #two open: cpu fires a [×1 open]
        30m end
        ",
    );
}

#[test]
fn a_preview_says_what_would_be_hidden() {
    check(
        cpu().with(|config| {
            config.routes = (0..8)
                .map(|n| route(&format!("r{n}"), &format!("service=s{n}"), &["#one"]))
                .chain([route("rest", "", &["#rest"])])
                .collect();
        }),
        "
        0s open cpu key=a service=s1
        30s -> #one open: cpu fires a [×1 open]
        1m open cpu key=b service=s2
        1m30s -> #one open: cpu fires b [×1 open]
        2m close cpu key=b
        5m preview service=s1 for 1h
        5m -> answer: It hides 1 thing that goes on now; of the last 7 days it would have hidden 0.
        6m preview service=~s[12] for 1h
        6m -> answer: It hides 1 thing that goes on now; of the last 7 days it would have hidden 1. That is broad: 2 of 8 routes could see something that it hides.
        6m30s -> #one resolved: cpu fires b [×1 resolved]
        7m preview rule=cpu for 1h
        7m -> answer: It hides 1 thing that goes on now; of the last 7 days it would have hidden 1. That is broad: 8 of 8 routes could see something that it hides.
        8m preview rule!=cpu for 1h
        8m -> answer: wanted a matcher that does not hold for everything
        9m preview service=~( for 1h
        9m -> answer: wanted an expression that compiles, found service=~'('
        9m preview service=x for 40d
        9m -> answer: wanted an end within 30 days
        10m end
        ",
    );
}

fn inhibited() -> Scene {
    cpu().with(|config| {
        config.inhibitions = vec![Inhibition {
            id: "db-first".to_owned(),
            source: matchers("rule=db"),
            target: matchers("rule=cpu"),
            equal: vec!["service".to_owned()],
            missing_equal: false,
            linger_ms: 120_000,
        }];
        config.correlation.window_ms = 0;
    })
}

#[test]
fn what_is_inhibited_is_told_after_the_linger_if_it_still_lasts() {
    check(
        inhibited(),
        "
        0s open db service=api
        30s -> #all open: db fires [×1 open]
        1m open cpu key=a service=api
        1m open cpu key=b service=web
        1m open cpu key=c
        1m30s -> #all open: 2 open: cpu fires b and 1 more [cpu fires b ×1 open, cpu fires c ×1 open] ~ 1 episode is hidden
        10m update cpu key=a count=40
        15m close db
        15m30s -> #all resolved: db fires [×1 resolved]
        17m -> #all summary: 3 open: cpu fires a and 2 more [cpu fires a ×40 open, cpu fires b ×1 open, cpu fires c ×1 open] ~ cpu fires a: was inhibited by db fires for 16 m, 40 occurrences
        30m end
        30m records
        30m -> inhibited 4
        ",
    );
}

#[test]
fn what_ends_within_the_linger_is_not_told() {
    check(
        inhibited(),
        "
        0s open db service=api
        30s -> #all open: db fires [×1 open]
        1m open cpu key=a service=api
        15m close db
        15m30s -> #all resolved: db fires [×1 resolved]
        16m close cpu key=a
        30m end
        ",
    );
}

#[test]
fn what_matches_both_sides_hides_nothing_that_does_so_too() {
    let both = |scene: Scene| {
        scene.with(|config| {
            config.inhibitions[0].source = matchers("rule=~cpu|db");
            config.inhibitions[0].target = matchers("rule=cpu");
        })
    };
    check(
        both(inhibited()),
        "
        0s open cpu key=a service=api
        0s open cpu key=b service=api
        30s -> #all open: 2 open: cpu fires a and 1 more [cpu fires a ×1 open, cpu fires b ×1 open]
        1m end
        ",
    );
}

#[test]
fn labels_that_are_missing_are_equal_where_it_is_said() {
    check(
        inhibited().with(|config| config.inhibitions[0].missing_equal = true),
        "
        0s open db
        0s open cpu key=a
        0s open cpu key=b service=web
        30s -> #all open: cpu fires b [×1 open] ~ 1 episode is hidden
        30s -> #all open: db fires [×1 open]
        1m end
        ",
    );
}

#[test]
fn a_circle_of_inhibitions_ends() {
    let circle = inhibited().with(|config| {
        let mut back = config.inhibitions[0].clone();
        std::mem::swap(&mut back.source, &mut back.target);
        config.inhibitions.push(back);
    });
    check(
        circle,
        "
        0s open db service=api
        0s open cpu key=a service=api
        10m close db
        12m -> #all open: cpu fires a [×1 open] ~ cpu fires a: was inhibited by db fires for 12 m, 1 occurrence
        20m end
        20m records
        20m -> inhibited 6
        ",
    );
}
