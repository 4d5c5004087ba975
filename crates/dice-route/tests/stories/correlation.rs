//! What belongs together across services.

use dice_route::Severity::Medium;

use crate::timetable::{Scene, check, route, scene};

/// Three services, each rule with a group of its own, told in one channel.
fn services() -> Scene {
    scene(&[("db", Medium), ("api", Medium), ("web", Medium)]).with(|config| {
        config.routes = vec![route("all", "", &["#all"])];
        config.correlation.co_burst = 0;
    })
}

#[test]
fn what_needs_the_root_is_told_under_it() {
    let scene = services().with(|config| {
        let needs = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        config.correlation.depends_on.insert("web".to_owned(), needs(&["api"]));
        config.correlation.depends_on.insert("api".to_owned(), needs(&["db", "web"]));
    });
    check(
        scene,
        "
        0s open web service=web
        5s open api service=api
        10s open db service=db
        30s -> #all open: 3 open: db fires and 2 more [db fires ×1 open, web fires (probably because of db fires) ×1 open, api fires (probably because of db fires) ×1 open]
        5m close db
        5m30s -> #all update: 2 open, 1 over: web fires and 2 more [web fires (probably because of db fires) ×1 open, api fires (probably because of db fires) ×1 open, db fires ×1 resolved]
        6m close api
        6m close web
        10m30s -> #all resolved: 2 over: web fires and 1 more [web fires (probably because of db fires) ×1 resolved, api fires (probably because of db fires) ×1 resolved]
        30m end
        ",
    );
}

#[test]
fn one_request_goes_through_several_services() {
    check(
        services(),
        "
        0s open api service=api trace=t1
        5s open web service=web trace=t1
        10s open db service=db trace=t2
        30s -> #all open: 2 open: api fires and 1 more [api fires ×1 open, web fires (in the same request as api fires) ×1 open]
        40s -> #all open: db fires [×1 open]
        1m end
        ",
    );
}

#[test]
fn many_services_at_once_are_no_coincidence() {
    check(
        services().with(|config| config.correlation.co_burst = 3),
        "
        0s open api service=api
        5s open web service=web
        10s open db service=db
        30s -> #all open: 3 open: api fires and 2 more [api fires ×1 open, web fires (at the same time as api fires) ×1 open, db fires (at the same time as api fires) ×1 open]
        5m open db key=x service=x
        5m30s -> #all open: db fires x [×1 open]
        6m end
        ",
    );
}

#[test]
fn whoever_is_told_elsewhere_is_told_there() {
    let scene = services().with(|config| {
        config.routes = vec![route("db", "service=db", &["#db"]), route("web", "", &["#web"])];
        config.correlation.depends_on.insert("web".to_owned(), vec!["db".to_owned()]);
    });
    check(
        scene,
        "
        0s open db service=db
        5s open web service=web
        30s -> #db open: db fires [×1 open] ~ probably causes web fires
        35s -> #web open: web fires [×1 open]
        1m end
        ",
    );
}
