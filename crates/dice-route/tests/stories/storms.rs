//! Too much at once.

use dice_catalog::{Level, Why};
use dice_route::Severity::{High, Medium};
use dice_route::config::Guard;

use crate::timetable::{check, route, scene};

const OPS: &[(&str, Why)] = &[("#ops", Why::Annotation)];

#[test]
fn a_channel_hears_of_what_is_too_much_together() {
    let scene = scene(&[])
        .message("a", Level::Info, OPS)
        .message("b", Level::Info, OPS)
        .message("c", Level::Info, OPS)
        .message("d", Level::Info, OPS)
        .with(|config| config.storm.channel = Guard { count: 2, within_ms: 600_000 });
    check(
        scene,
        "
        0s log a
        0s -> #ops open: a <*> [×1 open]
        1s log b
        1s -> #ops open: b <*> [×1 open]
        2s log c
        2s -> #ops storm: storm: more than 2 new notices within 10 m; what else comes is told here [×1 open] ~ more than 2 new notices within 10 m
        3s log d x=7
        4s log a
        10s -> #ops update: a <*> [×2 open]
        2m log d
        5m2s -> #ops update: storm: 3 notices told together within 5 m [d <*> ×8 open, c <*> ×1 open] ~ more than 2 new notices within 10 m
        10m2s -> #ops update: storm: 4 notices told together within 10 m [d <*> ×8 open, c <*> ×1 open] ~ more than 2 new notices within 10 m
        15m3s -> #ops resolved: storm over: 4 notices told together in 15 m [d <*> ×8 open, c <*> ×1 open] ~ more than 2 new notices within 10 m
        40m log c
        45m2s -> #ops open: c <*> [×2 open]
        1h10s -> #ops resolved: a <*> [×2 over]
        1h30m end
        1h30m records
        1h30m -> coalesced 5
        ",
    );
}

#[test]
fn a_storm_tells_what_is_counted_now_and_not_what_was_when_it_was_collected() {
    let scene = scene(&[("cpu", Medium)]).message("a", Level::Info, OPS).message("b", Level::Info, OPS).with(
        |config| {
            config.routes = vec![route("ops", "", &["#ops"])];
            config.storm.channel = Guard { count: 1, within_ms: 600_000 };
        },
    );
    check(
        scene,
        "
        0s log a
        0s -> #ops open: a <*> [×1 open]
        1s log b
        1s -> #ops storm: storm: more than 1 new notices within 10 m; what else comes is told here [×1 open] ~ more than 1 new notices within 10 m
        1m open cpu began=1m
        2m update cpu count=70
        3m log b x=8
        5m1s -> #ops update: storm: 3 notices told together within 5 m [cpu fires ×70 open, b <*> ×9 open] ~ more than 1 new notices within 10 m
        6m update cpu count=80
        6m log b
        15m1s -> #ops update: storm: 4 notices told together within 15 m [cpu fires ×80 open, b <*> ×10 open] ~ more than 1 new notices within 10 m
        16m end
        ",
    );
}

#[test]
fn pages_are_capped_and_then_one_mass_incident() {
    let scene = scene(&[("down", High)]).with(|config| {
        let mut pager = route("pager", "", &["pagerduty"]);
        pager.group_by = vec!["...".to_owned()];
        config.routes = vec![pager];
        config.storm.page = Guard { count: 2, within_ms: 300_000 };
        config.storm.channel = Guard { count: 0, within_ms: 300_000 };
        config.correlation.co_burst = 0;
    });
    check(
        scene,
        "
        0s open down key=a service=a
        0s -> page pagerduty open: down fires a [×1 open]
        0s open down key=b service=b
        0s -> page pagerduty open: down fires b [×1 open]
        1s open down key=c service=c
        1s -> page pagerduty storm: storm: mass incident: more than 2 new pages within 5 m; what else comes is told here [×1 open] ~ mass incident: more than 2 new pages within 5 m
        2s open down key=d service=d
        3m close down key=c
        5m1s -> page pagerduty update: storm: 3 notices told together within 5 m [down fires c ×1 resolved, down fires d ×1 open] ~ mass incident: more than 2 new pages within 5 m
        20m open down key=e service=e
        20m -> page pagerduty open: down fires e [×1 open]
        30m close down key=d
        30m2s -> page pagerduty resolved: storm over: 4 notices told together in 30 m [down fires c ×1 resolved, down fires d ×1 resolved] ~ mass incident: more than 2 new pages within 5 m
        40m end
        ",
    );
}

#[test]
fn many_new_messages_at_once_are_a_storm() {
    let scene = scene(&[])
        .message("a", Level::Info, OPS)
        .message("b", Level::Info, OPS)
        .message("c", Level::Info, OPS)
        .message("d", Level::Critical, OPS)
        .with(|config| config.storm.new_messages_min = 2);
    check(
        scene,
        "
        0s log a
        0s -> #ops open: a <*> [×1 open]
        1s log b
        1s -> #ops open: b <*> [×1 open]
        2s log c
        2s -> #ops storm: storm: 3 new messages at once, more than 2 in a minute; what else comes is told here [×1 open] ~ 3 new messages at once, more than 2 in a minute
        3s log d
        3s -> #ops open: d <*> [×1 open]
        10m2s -> #ops resolved: storm over: 1 notice told together in 10 m [×1 open] ~ 3 new messages at once, more than 2 in a minute
        30m log c
        30m2s -> #ops open: c <*> [×2 open]
        1h30m -> #ops resolved: c <*> [×2 over]
        2h end
        2h records
        2h -> coalesced 1, self-alert 2
        ",
    );
}

#[test]
fn a_rule_that_fires_too_often_is_said_to_be_noisy() {
    let scene = scene(&[("cpu", Medium)]).with(|config| {
        config.routes = vec![route("all", "", &["#all"])];
        config.storm.noisy_rule_per_hour = 2;
    });
    check(
        scene,
        "
        0s open cpu key=a
        1s open cpu key=b
        2s open cpu key=c
        2s -> operator self-alert: rule cpu is noisy: more than 2 episodes within an hour; a higher threshold or a longer window would make it fewer
        30s -> #all open: 3 open: cpu fires a and 2 more [cpu fires a ×1 open, cpu fires b ×1 open, cpu fires c ×1 open]
        1h2s -> operator resolved: over after 1 h: rule cpu is noisy: more than 2 episodes within an hour; a higher threshold or a longer window would make it fewer
        3h end
        ",
    );
}
