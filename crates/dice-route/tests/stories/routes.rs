//! Where episodes go.

use dice_catalog::{Level, Why};
use dice_route::Severity::{Low, Medium};
use dice_route::manager::Labels;

use crate::timetable::{Run, Scene, check, route, rule, scene};

const ANN: &[(&str, Why)] = &[("@ann", Why::Author)];

fn tree() -> Scene {
    let mut db = route("db", "service=~db.*", &["#db"]);
    db.routes = vec![route("replicas", "service=db-replica", &["#replicas", "owner"])];
    let mut all = route("all", "severity=low", &["#log"]);
    all.is_continued = true;
    let web = route("web", "service=web", &["owner"]);
    scene(&[("cpu", Medium), ("idle", Low)]).message("disk", Level::Info, ANN).with(|config| {
        config.routes = vec![all, db, web];
        config.correlation.window_ms = 0;
    })
}

#[test]
fn the_deepest_that_matches_takes_it_and_some_ask_on() {
    check(
        tree(),
        "
        0s log disk
        0s open cpu key=a service=db-1 log=disk
        0s open cpu key=b service=db-replica log=disk
        0s open cpu key=c service=web log=disk
        0s open cpu key=d service=x log=disk
        0s open idle key=e service=db-1 log=disk
        30s -> #db open: cpu fires a [×1 open]
        30s -> #db open: idle fires e [×1 open]
        30s -> #log open: idle fires e [×1 open]
        30s -> #replicas open: cpu fires b [×1 open]
        30s -> @ann open: cpu fires b [×1 open]
        30s -> @ann open: cpu fires c [×1 open]
        30s -> @ann open: cpu fires d [×1 open]
        1m end
        ",
    );
}

#[test]
fn a_rule_may_say_itself() {
    let scene = tree().with(|config| {
        let mut own = rule("own", Medium);
        own.to = vec!["#own".to_owned(), "owner".to_owned()];
        config.rules.push(own.into());
    });
    check(
        scene,
        "
        0s log disk
        0s open own key=a service=db-1 log=disk
        30s -> #own open: own fires a [×1 open]
        30s -> @ann open: own fires a [×1 open]
        1m end
        ",
    );
}

#[test]
fn what_nobody_owns_is_written_down_and_said() {
    check(
        scene(&[("cpu", Medium)]).message("disk", Level::Info, &[]),
        "
        0s log disk
        0s open cpu key=a log=disk
        0s -> operator self-alert: nobody is told of episodes of cpu: their messages have no owner
        1m open cpu key=b log=disk
        2m records
        2m -> self-alert 1, unowned 2
        ",
    );
}

#[test]
fn triage_takes_what_nobody_owns() {
    check(
        scene(&[("cpu", Medium)])
            .message("disk", Level::Info, &[])
            .with(|config| config.ownership.triage = Some("#triage".to_owned())),
        "
        0s log disk
        0s open cpu key=a log=disk
        30s -> #triage open: cpu fires a [×1 open]
        1m end
        ",
    );
}

/// Every route that is asked, with what came of it.
#[track_caller]
fn explain(labels: &[(&str, &str)], answer: &str) {
    let labels: Labels = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let scene = tree();
    let asked = Run::new(&scene, false).manager.route_of("cpu", &labels);
    let asked: Vec<String> = asked
        .iter()
        .map(|asked| format!("{}{}: {}", "-".repeat(asked.depth), asked.route, asked.why))
        .collect();
    assert_eq!(asked.join("\n"), answer);
}

#[test]
fn the_way_is_explained() {
    explain(
        &[("service", "db-replica"), ("severity", "low")],
        "all: takes it, and later routes are asked too\ndb: a route below takes it\n-replicas: takes it",
    );
    explain(
        &[("service", "x")],
        "all: severity=\"low\" does not hold\ndb: service=~\"db.*\" does not hold\n\
         web: service=\"web\" does not hold\ndefault: no route takes it: the owners do",
    );
}
