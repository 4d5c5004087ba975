//! What a configuration means: what is there without it, and what each part of it becomes.

use std::collections::BTreeMap;

use dice_config::{ExpectedChange, Given, Loaded, Problems, SourceKind, Texts, example, load};
use dice_route::config::{RuleType, Shift};
use dice_route::{Change, CloseReason, Config, Engine, Lane, MessageId, Stamped};
use proptest::prelude::*;

const FULL: &str = include_str!("full.toml");

fn files() -> Texts {
    const ICS: &str = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261003\nSUMMARY:Unity\nEND:VEVENT\n\
                       BEGIN:VEVENT\nDTSTART:soon\nEND:VEVENT\nEND:VCALENDAR\n";
    const PEM: &str = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
    let rules = "[[rule]]\nid = \"of-a-file\"\ntype = \"match\"\n";
    let files = [
        ("holidays.ics", ICS),
        ("rules/a.toml", rules),
        ("rules/deep/b.toml", rules),
        ("c.toml", rules),
        ("ca.pem", PEM),
    ];
    Texts(files.map(|(name, text)| (name.to_owned(), text.to_owned())).into())
}

fn read(text: &str) -> Result<Loaded, Problems> {
    load("router.toml", text, &files(), &Given::default())
}

#[track_caller]
fn valid(text: &str) -> Loaded {
    read(text).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn the_example_is_valid() {
    let loaded = load("router.toml", example(), &Texts::default(), &Given::default());
    let loaded = loaded.unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!((loaded.sources.len(), loaded.router.rules.len(), loaded.cases.len()), (2, 3, 1));
    assert_eq!(loaded.warnings, []);
}

/// The defaults are written in the schema; the nouns of the router have some of their own.
#[test]
fn an_empty_file_is_the_default_configuration() {
    let loaded = load("router.toml", "", &Texts::default(), &Given::default()).unwrap();
    let expected = Config { version: loaded.router.version.clone(), ..Config::default() };
    assert_eq!(format!("{:?}", loaded.router), format!("{expected:?}"));
    assert_eq!((loaded.sources.len(), loaded.catalogs.len(), loaded.state), (0, 0, None));
}

#[test]
fn every_part_arrives() {
    let loaded = valid(FULL);
    let config = &loaded.router;
    assert_eq!(config.rules.len(), 23);
    assert_eq!(&*config.rules[22].id, "of-a-file");
    assert!(matches!(config.rules[0].kind, RuleType::Match { quiet_ms: Some(600_000) }));
    let kinds: Vec<&SourceKind> = loaded.sources.iter().map(|source| &source.kind).collect();
    assert!(matches!(kinds[0], SourceKind::Stdin));
    assert!(matches!(kinds[1], SourceKind::File { is_from_end: true, is_followed: false, poll_ms: 500, .. }));
    assert_eq!((loaded.sources[0].limit_bytes, loaded.sources[1].limit_bytes), (64 << 10, 1 << 20));
    assert_eq!((loaded.sources[0].lateness_ms, loaded.sources[1].lateness_ms), (1_000, 20_000));
    assert_eq!(
        (loaded.sources[0].env.as_deref(), loaded.sources[1].env.as_deref()),
        (Some("staging"), Some("production"))
    );
    assert_eq!((&*loaded.sources[0].zone, &*loaded.sources[1].zone), ("UTC", "Europe/Berlin"));
    assert_eq!(config.schedules["main"].shift, Shift::Days(2));
    assert_eq!(config.receivers["box"].settings["to"], "a@b.c,d@e.f");
    assert!(config.receivers["box"].settings["ca_pem"].contains("AA=="));
    assert_eq!(config.receivers["pd"].settings["pages"], "https://dice.example");
    assert_eq!(config.receivers["am"].settings["lifetime"], "120000");
    assert_eq!(config.receivers["hook"].settings["secret_env"], "S,R");
    assert_eq!(config.receivers["hook"].settings["allow_private"], "true");
    let slack = &config.slack.as_ref().unwrap().settings;
    assert_eq!((&*slack["token_env"], &*slack["mode"], &*slack["signing_secret_env"]), ("T", "http", "S"));
    assert_eq!(config.email.as_ref().unwrap().settings["tls"], "tls");
    let dispatch = &config.dispatch;
    assert_eq!(
        (dispatch.deadline_ms, dispatch.email_deadline_ms, dispatch.webhook_deadline_ms),
        (5_000, 20_000, 10_000)
    );
    assert_eq!((dispatch.fallback_after_ms, dispatch.park_ms), (30_000, 300_000));
    assert_eq!(dispatch.fallback, ["#a", "box"]);
    let hours = [Lane::Page, Lane::Immediate, Lane::Alert, Lane::Digest]
        .map(|lane| dispatch.ttl.of(lane) / 3_600_000);
    assert_eq!(hours, [12, 1, 2, 24]);
    assert!(config.masking.emails);
    let accounts = dice_route::dispatch::accounts(config);
    let accounts: Vec<&str> = accounts.keys().map(String::as_str).collect();
    assert_eq!(accounts, ["am", "box", "chat", "email", "hook", "pd", "pd/fallback", "slack"]);
    let holidays: Vec<String> =
        config.calendars["default"].holidays.iter().map(|(date, _)| date.to_string()).collect();
    assert_eq!(holidays, ["2026-10-03", "2026-12-25", "2026-12-26"]);
    assert_eq!(config.teams["@org/t"].members, ["@bob", "ann@org.example"]);
    assert_eq!(config.people["ann@org.example"].emails, ["ann@org.example", "ann@home.example"]);
    assert_eq!(config.correlation.depends_on["pay"], ["db"]);
    let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].starts_with("holidays.ics:7:1: "), "{}", warnings[0]);
}

#[test]
fn a_route_has_from_the_one_above_what_it_does_not_set() {
    let config = valid(FULL).router;
    let [top] = config.routes.as_slice() else { panic!() };
    let [inner] = top.routes.as_slice() else { panic!() };
    let [outer] = inner.routes.as_slice() else { panic!() };
    assert_eq!((&*outer.id, &outer.to, outer.lane), ("outer", &vec!["owner".to_owned()], Some(Lane::Digest)));
    assert_eq!((inner.lane, inner.send_resolved, inner.is_continued), (Some(Lane::Page), false, false));
    assert_eq!((&inner.group_by, inner.timers), (&top.group_by, top.timers));
    assert_eq!(top.timers.unwrap().repeat_interval_ms, None);
    let plain = valid("[[route]]\nid = \"a\"\nto = \"#a\"\ngroup_interval = \"7m\"").router.routes[0].clone();
    assert_eq!((plain.group_by, plain.lane), (vec!["rule".to_owned()], None));
    assert_eq!(plain.timers.unwrap().group_interval_ms, 420_000);
    assert_eq!(plain.timers.unwrap().group_wait_ms, 30_000);
}

#[test]
fn tests_of_rules_are_events_and_what_is_said_to_them() {
    let cases = valid(FULL).cases;
    let [case] = cases.as_slice() else { panic!() };
    assert_eq!((&*case.rule, &*case.name, case.is_exact), ("match", "one", false));
    let events = case.events(1_000_000);
    let times: Vec<(i64, i64)> =
        events.iter().map(|event| (event.at_ms.unwrap(), event.ingested_ms)).collect();
    assert_eq!(times, [(1_000_000, 1_000_000), (1_001_000, 1_003_000), (1_006_000, 1_008_000)]);
    let event = &events[1];
    assert_eq!(
        (event.variable("merchant"), event.variable("n"), event.variable("code")),
        (Some("m1"), Some("1"), Some("2.5"))
    );
    assert_eq!((&*event.message.place, &*event.message.template), ("src/a.c:7", "<*> declined"));
    assert_eq!(event.message.owners[0].name, "#a");
    assert_eq!(events[0].message.id.to_string(), "000102030405060708090a0b0c0d0e0f");
    assert_eq!(events.iter().map(|event| event.offset).collect::<Vec<_>>(), [0, 0, 1]);
    let [open, update, close] = case.expected.as_slice() else { panic!() };
    let key = [("service", "pay"), ("vars.merchant", "m1")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!((open.at_ms, open.change, &open.key), (1_000, ExpectedChange::Open, &BTreeMap::from(key)));
    assert_eq!(
        (update.change, close.change),
        (ExpectedChange::Update, ExpectedChange::Close(Some(CloseReason::Cleared)))
    );
}

#[test]
fn what_the_catalog_holds_is_given() {
    let rule = "[[rule]]\nid = \"a\"\ntype = \"first-seen\"\nnew = \"message\"\nseed = \"catalog\"\n";
    let source = "[[source]]\nname = \"a\"\nkind = \"stdin\"\nformat = \"glag\"\n";
    let messages = vec![MessageId::of_unmatched("a", "b")];
    let given = Given { messages: messages.into(), formats: vec!["glog".to_owned()], ..Given::default() };
    let loaded = load("router.toml", rule, &Texts::default(), &given).unwrap();
    let RuleType::FirstSeen(first_seen) = &loaded.router.rules[0].kind else { panic!() };
    assert_eq!((first_seen.seed_messages.len(), first_seen.learn_for_ms), (1, 0));
    let problems = load("router.toml", source, &Texts::default(), &given).unwrap_err();
    assert_eq!(
        problems.to_string(),
        "router.toml:4:10: source.a.format: wanted a header format, found \"glag\"; did you mean \"glog\"?"
    );
}

#[test]
fn patterns_of_files_know_folders() {
    let ids = |rules: &str| {
        let loaded = read(&format!("rules = {rules}"));
        loaded.map(|loaded| loaded.router.rules.len()).map_err(|problems| problems.iter().len())
    };
    assert_eq!(ids("[]"), Ok(0));
    assert_eq!(ids("\"rules/*.toml\""), Ok(1));
    assert_eq!(ids("[\"c.toml\", \"./c.toml\"]"), Err(1));
    assert_eq!(ids("[\"c.toml\", \"c.*\"]"), Ok(1));
    // The same rule in two files.
    assert_eq!(ids("\"rules/**\""), Err(1));
}

#[test]
fn labels_that_no_episode_has_are_worth_a_warning() {
    let text = "[[rule]]\nid = \"a\"\ntype = \"match\"\nkey = \"vars.merchant\"\nlabels = { area = \"x\" }\n\
                [[route]]\nid = \"r\"\nto = \"#a\"\nmatch = [\"area = x\", \"sevice = pay\"]\ngroup_by = [\"merchant\", \"...\"]\n";
    let warnings: Vec<String> = valid(text).warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "router.toml:9:22: route.r.match: no episode has a label \"sevice\"; did you mean \"service\"?",
            "router.toml:10:13: route.r.group_by: no episode has a label \"merchant\"; did you mean \"vars.merchant\"?",
        ]
    );
}

/// The name of what a rule means, with some keys in place of others or beside them.
fn revision(changes: &[(&str, &str)]) -> u64 {
    let mut keys = BTreeMap::from([
        ("id", "\"a\""),
        ("type", "\"frequency\""),
        ("where", "'service == \"pay\"'"),
        ("key", "[\"service\"]"),
        ("count", "20"),
        ("within", "\"5m\""),
        ("clear", "5"),
    ]);
    keys.extend(changes.iter().copied());
    let text: String = keys.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
    valid(&format!("rules = []\n[[rule]]\n{text}")).router.rules[0].semantic_rev
}

#[test]
fn what_a_rule_means_has_a_name_that_only_its_meaning_changes() {
    let same: &[&[(&str, &str)]] = &[
        &[("id", "\"b\"")],
        &[("where", "\"(service=='pay')\"")],
        &[("within", "\"300s\"")],
        &[("severity", "\"high\""), ("labels", "{ a = \"b\" }"), ("to", "\"#a\""), ("policy", "\"low\"")],
        &[("summary", "\"{{count}}\""), ("fingerprint", "{ drop = \"env\" }"), ("update_every", "\"1m\"")],
        &[
            ("max_keys", "5"),
            ("clear_for", "\"0s\""),
            ("on_missing_key", "\"empty\""),
            ("key", "\"service\""),
        ],
        &[("tests", "[{ name = \"x\", events = [] }]")],
    ];
    for changes in same {
        assert_eq!(revision(changes), revision(&[]), "{changes:?}");
    }
    let other: &[&[(&str, &str)]] = &[
        &[("where", "'service == \"shop\"'")],
        &[("key", "[\"host\"]")],
        &[("key", "[\"service\", \"host\"]")],
        &[("key", "[\"host\", \"service\"]")],
        &[("count", "21")],
        &[("within", "\"6m\"")],
        &[("clear", "4")],
        &[("clear_for", "\"1s\"")],
        &[("max_open", "\"1h\"")],
        &[("on_missing_key", "\"skip\"")],
    ];
    let mut revisions: Vec<u64> = other.iter().map(|changes| revision(changes)).collect();
    revisions.push(revision(&[]));
    revisions.sort_unstable();
    revisions.dedup();
    assert_eq!(revisions.len(), other.len() + 1);
}

#[test]
fn rules_that_are_switched_off_are_checked_and_left_out() {
    let off = "rules = []\n[[rule]]\nid = \"a\"\nenabled = false\ntype = \"match\"\n";
    assert_eq!(valid(off).router.rules, []);
    assert!(read(&format!("{off}quiet = 5\n")).is_err());
}

#[test]
fn a_version_names_everything_that_was_read() {
    let version = |text| valid(text).router.version;
    assert_eq!(version(""), version(""));
    assert_ne!(version(""), version(" "));
    assert_ne!(version("rules = []"), version("rules = [ ]"));
}

/// A change of a text: where (in thousandths), how much goes, and what comes.
fn changes() -> impl Strategy<Value = Vec<(usize, usize, String)>> {
    let pieces = [
        "=",
        "\"",
        "'",
        "[",
        "]",
        "{",
        "}",
        "\n",
        "[[rule]]\n",
        "[[route]]\n",
        "-1",
        "0",
        "99999999999999999999",
        "1e308",
        "nan",
        "true",
        "\"5m\"",
        "\"\"",
        ".",
        ",",
        "under = \"top\"\n",
        "routes = [{}]\n",
        "type = \"spike\"\n",
        "\"x\"",
        "'not (('",
        "#",
        "\u{0}",
        "é",
        "clear = 7\n",
        "2026-13-01",
        "\\u0041",
        "\"\"\"",
    ];
    let piece =
        prop_oneof![4 => prop::sample::select(pieces.to_vec()).prop_map(str::to_owned), 1 => ".{0,4}"];
    prop::collection::vec((0..1000_usize, prop_oneof![Just(0), 0..4_usize, 0..60_usize], piece), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn any_text_is_a_configuration_or_has_problems_with_places(changes in changes()) {
        let mut text: Vec<char> = FULL.chars().collect();
        for (at, n, piece) in changes {
            let at = at * text.len() / 1000;
            let end = (at + n).min(text.len());
            text.splice(at..end, piece.chars());
        }
        let text: String = text.into_iter().collect();
        let n_lines = text.matches('\n').count() + 1;
        if let Err(problems) = read(&text) {
            prop_assert!(problems.iter().len() > 0);
            for problem in problems.iter().filter(|problem| problem.file == "router.toml") {
                prop_assert!((1..=n_lines).contains(&problem.line), "{}", problem);
            }
        }
    }
}

/// What the rules of the example say to the events of its test: change, seconds since the start, key.
#[test]
fn the_test_of_the_example_shows_what_it_says() {
    const START_MS: i64 = 1_700_000_000_000;
    let loaded = load("router.toml", example(), &Texts::default(), &Given::default()).unwrap();
    let case = &loaded.cases[0];
    let rules: Vec<_> = loaded.router.rules.iter().filter(|rule| rule.id == case.rule).cloned().collect();
    let (mut engine, mut said) = (Engine::default(), Vec::new());
    engine.configure(&rules, START_MS, &mut said);
    for event in case.events(START_MS) {
        let at_ms = event.at_ms.unwrap();
        engine.arrive(Stamped { event: &event, at_ms, is_late: false }, at_ms - 1, at_ms, &mut said);
    }
    engine.advance(START_MS + 240_000, true, START_MS + 240_000, &mut said);
    let opened: Vec<(i64, &str)> = said
        .iter()
        .filter(|transition| transition.change == Change::Open)
        .map(|transition| (transition.at_ms - START_MS, &*transition.key.0))
        .collect();
    assert_eq!(opened, [(case.expected[0].at_ms, "[\"pay\",\"m1\"]")]);
    assert!(!said.iter().any(|transition| matches!(transition.change, Change::Close(_))));
}

#[test]
fn an_episode_can_end_at_every_bound() {
    let clear = |keys: &str| {
        let text = format!("rules = []\n[[rule]]\nid = \"a\"\nwithin = \"5m\"\n{keys}");
        match valid(&text).router.rules[0].kind {
            RuleType::Ratio { clear, .. } | RuleType::Metric { clear, .. } => clear,
            RuleType::Cardinality { clear, .. } | RuleType::Frequency { clear, .. } => f64::from(clear),
            _ => panic!("{text}"),
        }
    };
    let ratio = |bound: &str| clear(&format!("type = \"ratio\"\nof = \"matched\"\n{bound}"));
    assert_eq!((ratio("above = 0.5"), ratio("below = 0.5")), (0.4, 0.6));
    assert!(ratio("above = 0") > 0.0 && ratio("below = 1") < 1.0);
    let metric = |bound: &str| clear(&format!("type = \"metric\"\nmeasure = \"max(vars.x)\"\n{bound}"));
    assert_eq!((metric("above = 100"), metric("above = -100"), metric("below = 100")), (80.0, -120.0, 120.0));
    assert!(metric("above = 0") > 0.0 && metric("below = 0") < 0.0);
    let cardinality = |bound: &str| clear(&format!("type = \"cardinality\"\nfield = \"host\"\n{bound}"));
    assert_eq!(
        (cardinality("above = 0"), cardinality("above = 9"), cardinality("below = 3")),
        (1.0, 5.0, 3.0)
    );
    assert_eq!(clear("type = \"frequency\"\ncount = 1"), 1.0);
    assert!(
        read(
            "[[rule]]\nid = \"a\"\ntype = \"ratio\"\nof = \"matched\"\nwithin = \"5m\"\nabove = 0\nclear = 0"
        )
        .is_err()
    );
}

#[test]
fn what_is_managed_lies_over_the_files() {
    let files = "[[route]]\nid = 'rest'\nto = '#ops'\n\n[[rule]]\nid = 'a'\ntype = 'match'\n";
    let managed = "[[rule]]\nid = 'b'\ntype = 'match'\nlabels = { team = 'pay' }\n\n[[route]]\nid = 'pay'\nto = '#pay'\n";
    let given = Given { managed: managed.to_owned(), ..Given::default() };
    let loaded = load("router.toml", files, &Texts::default(), &given).unwrap();
    let rules: Vec<&str> = loaded.router.rules.iter().map(|rule| &*rule.id).collect();
    let routes: Vec<&str> = loaded.router.routes.iter().map(|route| &*route.id).collect();
    assert_eq!((rules, routes), (vec!["a", "b"], vec!["pay", "rest"]));
    let places = loaded.definitions.iter().map(|known| format!("{} {}:{}", known.id, known.file, known.line));
    assert_eq!(
        places.collect::<Vec<_>>(),
        ["a router.toml:5", "b managed:1", "pay managed:6", "rest router.toml:1"]
    );
    assert_eq!(loaded.definitions[1].body["labels"]["team"], "pay");
    assert_eq!(loaded.effective["rule"][1]["id"], "b");
    assert_eq!(loaded.effective["time"]["lateness"], "30s");
    let alone = load("router.toml", files, &Texts::default(), &Given::default()).unwrap();
    assert_ne!(alone.router.version, loaded.router.version);
    let twice = Given { managed: files.to_owned(), ..Given::default() };
    let problems = load("router.toml", files, &Texts::default(), &twice).unwrap_err();
    assert!(problems.iter().all(|problem| problem.file == "managed" || problem.file == "router.toml"));
    let other = Given { managed: "zone = 'UTC'".to_owned(), ..Given::default() };
    let problems = load("router.toml", files, &Texts::default(), &other).unwrap_err();
    assert_eq!(problems.iter().next().unwrap().file, "managed");
}
