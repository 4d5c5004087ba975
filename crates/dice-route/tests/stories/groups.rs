//! Groups: when they are told, when they are told again, and why.

use dice_catalog::{Level, Why};
use dice_route::Severity::{High, Medium};
use dice_route::config::{LaneTimers, Route};

use crate::timetable::{Scene, check, route, scene};

const ANN: &[(&str, Why)] = &[("@ann", Why::Author)];

/// One rule whose episodes go to #db.
fn cpu() -> Scene {
    to_db(|_| {})
}

fn to_db(change: impl FnOnce(&mut Route)) -> Scene {
    let mut route = route("db", "", &["#db"]);
    change(&mut route);
    scene(&[("cpu", Medium)]).with(|config| config.routes = vec![route])
}

#[test]
fn the_first_waits_for_company_and_every_notice_shows_all() {
    check(
        cpu(),
        "
        0s open cpu key=a
        10s open cpu key=b
        30s -> #db open: 2 open: cpu fires a and 1 more [cpu fires a ×1 open, cpu fires b ×1 open]
        1m open cpu key=c
        5m30s -> #db update: 3 open: cpu fires a and 2 more [cpu fires a ×1 open, cpu fires b ×1 open, cpu fires c ×1 open]
        10m close cpu key=a
        10m30s -> #db update: 2 open, 1 over: cpu fires b and 2 more [cpu fires b ×1 open, cpu fires c ×1 open, cpu fires a ×1 resolved]
        12m close cpu key=b
        12m close cpu key=c
        15m30s -> #db resolved: 2 over: cpu fires b and 1 more [cpu fires b ×1 resolved, cpu fires c ×1 resolved]
        40m end
        ",
    );
}

#[test]
fn what_is_older_than_the_wait_has_waited_already() {
    check(
        cpu(),
        "
        0s open cpu key=a began=30s
        0s -> #db open: cpu fires a [×1 open]
        1m close cpu key=a
        5m -> #db resolved: cpu fires a [×1 resolved]
        20m end
        ",
    );
}

#[test]
fn a_repetition_is_not_quantised_to_the_interval() {
    let timers =
        LaneTimers { group_wait_ms: 30_000, group_interval_ms: 300_000, repeat_interval_ms: Some(420_000) };
    check(
        to_db(|route| route.timers = Some(timers)),
        "
        0s open cpu key=a
        30s -> #db open: cpu fires a [×1 open]
        7m30s -> #db reminder: cpu fires a [×1 open]
        9m open cpu key=b
        10m30s -> #db update: 2 open: cpu fires a and 1 more [cpu fires a ×1 open, cpu fires b ×1 open]
        17m30s -> #db reminder: 2 open: cpu fires a and 1 more [cpu fires a ×1 open, cpu fires b ×1 open]
        24m end
        24m timeline
        24m -> 30s #db: first
        24m -> 5m30s #db: none
        24m -> 7m30s #db: repeat
        24m -> 10m30s #db: new
        24m -> 15m30s #db: none
        24m -> 17m30s #db: repeat
        24m -> 20m30s #db: none
        24m -> next 24m30s #db: repeat, if nothing changes
        24m -> next 25m30s #db: none, unless something changes
        ",
    );
}

#[test]
fn every_notice_tells_what_is_counted_at_its_moment() {
    check(
        cpu(),
        "
        0s open cpu key=a
        10s update cpu key=a count=5
        30s -> #db open: cpu fires a [×5 open]
        31s update cpu key=a count=6
        2h update cpu key=a count=40
        4h30s -> #db reminder: cpu fires a [×40 open]
        5h update cpu key=a count=41
        6h close cpu key=a count=44
        6h40s -> #db resolved: cpu fires a [×44 resolved]
        7h end
        ",
    );
}

#[test]
fn every_notice_puts_the_repetition_off() {
    check(
        cpu(),
        "
        0s open cpu key=a
        30s -> #db open: cpu fires a [×1 open]
        3h open cpu key=b
        3h30s -> #db update: 2 open: cpu fires a and 1 more [cpu fires a ×1 open, cpu fires b ×1 open]
        7h30s -> #db reminder: 2 open: cpu fires a and 1 more [cpu fires a ×1 open, cpu fires b ×1 open]
        7h30m end
        ",
    );
}

#[test]
fn what_is_overdue_is_told_once() {
    check(
        cpu(),
        "
        0s open cpu key=a
        10s down until 9h
        9h -> #db open: cpu fires a [×1 open]
        9h20m end
        ",
    );
}

#[test]
fn another_configuration_keeps_the_timers() {
    check(
        cpu(),
        "
        0s open cpu key=a
        20s reload
        30s -> #db open: cpu fires a [×1 open]
        2m open cpu key=b
        4m reload
        5m30s -> #db update: 2 open: cpu fires a and 1 more [cpu fires a ×1 open, cpu fires b ×1 open]
        10m end
        ",
    );
}

#[test]
fn ends_are_not_told_where_nobody_wants_to_know() {
    check(
        to_db(|route| route.send_resolved = false),
        "
        0s open cpu key=a
        0s open cpu key=b
        30s -> #db open: 2 open: cpu fires a and 1 more [cpu fires a ×1 open, cpu fires b ×1 open]
        1m close cpu key=a
        20m close cpu key=b
        1h open cpu key=a
        1h30s -> #db open: cpu fires a [×1 open]
        2h end
        ",
    );
}

#[test]
fn what_came_and_went_before_the_first_notice_is_told_once() {
    check(
        cpu(),
        "
        0s open cpu key=a
        10s close cpu key=a
        30s -> #db open: cpu fires a [×1 resolved]
        20m end
        ",
    );
}

#[test]
fn an_instant_is_told_once() {
    check(
        cpu(),
        "
        0s open cpu key=a
        0s close cpu key=a instant
        30s -> #db open: cpu fires a [×1 seen]
        2m open cpu key=b
        2m close cpu key=b instant
        5m30s -> #db open: cpu fires b [×1 seen]
        20m open cpu key=c
        20m close cpu key=c instant
        20m30s -> #db open: cpu fires c [×1 seen]
        40m end
        ",
    );
}

#[test]
fn after_everything_was_over_the_next_is_a_story_of_its_own() {
    check(
        cpu(),
        "
        0s open cpu key=a
        30s -> #db open: cpu fires a [×1 open]
        1m close cpu key=a
        5m30s -> #db resolved: cpu fires a [×1 resolved]
        8m open cpu key=b
        10m30s -> #db open: cpu fires b [×1 open]
        30m close cpu key=b
        30m30s -> #db resolved: cpu fires b [×1 resolved]
        1h end
        ",
    );
}

#[test]
fn a_notice_has_twenty_rows_at_most() {
    let opens: String = (10..33).map(|n| format!("0s open cpu key={n}\n")).collect();
    let rows: Vec<String> = (10..30).map(|n| format!("cpu fires {n} ×1 open")).collect();
    check(
        cpu().with(|config| config.storm.noisy_rule_per_hour = 100),
        &format!(
            "{opens}
            30s -> #db open: 23 open: cpu fires 10 and 22 more [{}] ~ and 3 more
            1m end",
            rows.join(", ")
        ),
    );
}

#[test]
fn a_page_does_not_wait_and_is_not_repeated() {
    let scene =
        scene(&[("down", High)]).with(|config| config.routes = vec![route("pager", "", &["pagerduty"])]);
    check(
        scene,
        "
        0s open down key=a
        0s -> page pagerduty open: down fires a [×1 open]
        10s open down key=b
        1m -> page pagerduty update: 2 open: down fires a and 1 more [down fires a ×1 open, down fires b ×1 open]
        9h close down key=a
        9h -> page pagerduty update: 1 open, 1 over: down fires b and 1 more [down fires b ×1 open, down fires a ×1 resolved]
        9h close down key=b
        9h1m -> page pagerduty resolved: down fires b [×1 resolved]
        10h end
        ",
    );
}

#[test]
fn what_is_muted_is_held_and_told_later() {
    let lunch = |route: &mut Route| route.muted_in = vec!["lunch".to_owned()];
    check(
        to_db(lunch).with(|config| {
            let mut lunch = dice_route::calendar::TimeInterval::always(dice_route::calendar::Zone::utc());
            lunch.times = vec!["08:10-09:00".parse().unwrap()];
            config.intervals.insert("lunch".to_owned(), lunch);
        }),
        "
        0s open cpu key=a
        30s -> #db open: cpu fires a [×1 open]
        12m open cpu key=b
        13m open cpu key=c
        20m close cpu key=c
        30m timeline
        30m -> 30s #db: first
        30m -> 5m30s #db: none
        30m -> next 1h #db: held until then, muted in lunch
        40m close cpu key=a
        1h -> #db update: 1 open, 2 over: cpu fires b and 2 more [cpu fires b ×1 open, cpu fires a ×1 resolved, cpu fires c ×1 resolved] ~ held until now: muted in lunch
        2h end
        2h records
        2h -> held 1
        ",
    );
}

#[test]
fn what_is_told_only_at_certain_times_waits_for_them() {
    check(
        to_db(|route| route.active_in = vec!["afternoon".to_owned()]).with(|config| {
            let mut times = dice_route::calendar::TimeInterval::always(dice_route::calendar::Zone::utc());
            times.times = vec!["13:00-18:00".parse().unwrap()];
            config.intervals.insert("afternoon".to_owned(), times);
        }),
        "
        0s open cpu key=a
        5h -> #db open: cpu fires a [×1 open] ~ held until now: told only in afternoon
        6h end
        ",
    );
}

#[test]
fn groups_are_made_by_labels() {
    let by_service = |route: &mut Route| route.group_by = vec!["service".to_owned()];
    check(
        to_db(by_service),
        "
        0s open cpu key=a service=api
        0s open cpu key=b service=web
        0s open cpu key=c service=api
        30s -> #db open: 2 open: cpu fires a and 1 more [cpu fires a ×1 open, cpu fires c ×1 open]
        30s -> #db open: cpu fires b [×1 open]
        1m end
        ",
    );
}

#[test]
fn the_timeline_says_what_was_and_what_comes() {
    check(
        cpu(),
        "
        0s open cpu key=a
        10s timeline
        10s -> next 30s #db: first, with 1 episode
        30s -> #db open: cpu fires a [×1 open]
        2m open cpu key=b
        3m timeline
        3m -> 30s #db: first
        3m -> next 5m30s #db: 1 change to tell
        3m -> next 4h30s #db: repeat, if nothing changes
        5m30s -> #db update: 2 open: cpu fires a and 1 more [cpu fires a ×1 open, cpu fires b ×1 open]
        6m close cpu key=a
        6m close cpu key=b
        10m30s -> #db resolved: 2 over: cpu fires a and 1 more [cpu fires a ×1 resolved, cpu fires b ×1 resolved]
        11m timeline
        11m -> 30s #db: first
        11m -> 5m30s #db: new
        11m -> 10m30s #db: all_resolved
        11m -> next 15m30s #db: it is forgotten unless something joins it
        20m timeline
        ",
    );
}

#[test]
fn without_a_route_the_owners_are_told() {
    check(
        scene(&[("cpu", Medium)]).message("disk", Level::Info, ANN).with(|config| {
            config.routes = vec![route("other", "service=web", &["#web"])];
        }),
        "
        0s log disk
        0s open cpu key=a log=disk
        30s -> @ann open: cpu fires a [×1 open]
        1m end
        ",
    );
}
