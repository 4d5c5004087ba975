//! How many events a second go through rules and manager, in memory and durable; how long until a decision is
//! committed; what a key costs; how long a restart with a million keys takes?
//!
//! `cargo bench --package dice --bench router`, or `cargo xtask bench router`; with `-- --json` one object.
//! The program is made up: 500 statements in 20 services, 2,500 merchants whose name is the key, 20 rules of
//! every type, 10,000 live keys, 5 % of the lines out of order. "Pure" is this process with events that were made
//! just before, a batch at a time, as the thread that classifies makes them; making them is not counted. It is the
//! fastest of three runs: others on the machine only make it slower. "Durable" is `dice route` as a user runs it,
//! from a file to a committed state, classification included.

#![expect(clippy::print_stdout, reason = "a bench prints its answer")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use dice_catalog::{Catalog, Fingerprint, Level, Part, Template};
use dice_route::{Event, Input, Message, MessageId, PartitionId, PartitionNews, Router, Saved};
use jiff::Timestamp;

/// The allocator that `dice` has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Events that go through the router in memory.
const PURE: u64 = 2_000_000;
/// How often they do.
const RUNS: usize = 3;
/// So many of them are made at a time: what a batch of the router has at most.
const LOT: usize = 20_000;
/// Lines that are routed durably.
const DURABLE: u64 = 2_000_000;
/// Lines a second at which the time to a decision is measured: the floor that is promised.
const PACE: u64 = 50_000;
/// Seconds of that.
const PACE_S: u64 = 10;
/// Keys that a restart finds.
const KEYS: u64 = 1_000_000;
const STATEMENTS: u64 = 500;
const SERVICES: u64 = 20;
/// Merchants, whose names are keys: about four rules keep each, so that 10,000 keys live.
const MERCHANTS: u64 = 2_500;
/// The same for many keys, which do not all lie near the processor.
const MANY_MERCHANTS: u64 = 10_000;
/// Events a second by their own times: the floor that is promised.
const RATE: u64 = 50_000;

fn main() {
    let is_json = std::env::args().any(|argument| argument == "--json");
    let mut figures: Vec<Figure> = Vec::new();
    // One part alone, for who looks into it.
    let part = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let is_wanted = |name: &str| part.as_deref().is_none_or(|part| part == name);
    if is_wanted("pure") {
        figures.extend(pure());
    }
    if is_wanted("restart") {
        figures.extend(restart());
    }
    if is_wanted("durable") {
        figures.extend(durable());
    }
    if is_json {
        let object: BTreeMap<&str, f64> = figures.iter().map(|each| (each.id, each.value)).collect();
        println!("{}", serde_json::to_string(&object).expect("figures are JSON"));
        return;
    }
    for Figure { what, value, unit, bar, .. } in figures {
        let bar = bar.map_or(String::new(), |bar| format!("  (asked: {bar})"));
        println!("{what:<58} {:>14} {unit}{bar}", grouped(value));
    }
}

struct Figure {
    id: &'static str,
    what: &'static str,
    value: f64,
    unit: &'static str,
    bar: Option<&'static str>,
}

fn figure(
    id: &'static str,
    what: &'static str,
    value: f64,
    unit: &'static str,
    bar: Option<&'static str>,
) -> Figure {
    Figure { id, what, value, unit, bar }
}

fn grouped(value: f64) -> String {
    if value < 100.0 {
        return format!("{value:.2}");
    }
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// One line of the program.
struct Line {
    at_ms: i64,
    statement: u64,
    merchant: u64,
    took_ms: u64,
}

/// Lines in the order of their arrival: one in twenty is up to four seconds late.
fn lines(n: u64, merchants: u64, start_ms: i64) -> impl Iterator<Item = Line> {
    let mut dice = Dice(7);
    (0..n).map(move |i| {
        let late_ms = if dice.next(20) == 0 { dice.next(4_000) } else { 0 };
        // Few statements say most, as in real logs.
        let statement = if dice.next(4) == 0 { dice.next(STATEMENTS) } else { dice.next(STATEMENTS / 10) };
        Line {
            at_ms: start_ms + (i * 1000 / RATE) as i64 - late_ms as i64,
            statement,
            merchant: dice.next(merchants),
            took_ms: dice.next(900) + 1,
        }
    })
}

const LEVELS: [Level; 5] = [Level::Info, Level::Info, Level::Notice, Level::Warning, Level::Error];

/// The words of a statement: no two statements have the same two.
const THINGS: [&str; 50] = [
    "invoice",
    "refund",
    "ledger",
    "voucher",
    "deposit",
    "payout",
    "receipt",
    "transfer",
    "balance",
    "mandate",
    "charge",
    "dispute",
    "coupon",
    "discount",
    "tariff",
    "wallet",
    "account",
    "statement",
    "reminder",
    "notice",
    "contract",
    "order",
    "basket",
    "parcel",
    "delivery",
    "return",
    "stock",
    "shelf",
    "warehouse",
    "supplier",
    "quote",
    "offer",
    "price",
    "currency",
    "exchange",
    "tax",
    "customs",
    "insurance",
    "claim",
    "guarantee",
    "subscription",
    "renewal",
    "trial",
    "upgrade",
    "seat",
    "license",
    "booking",
    "ticket",
    "visit",
    "loan",
];
const DEEDS: [&str; 10] = [
    "accepted", "declined", "retried", "settled", "reversed", "queued", "expired", "merged", "audited",
    "closed",
];

fn words(statement: u64) -> String {
    let (thing, deed) = (THINGS[(statement / 10 % 50) as usize], DEEDS[(statement % 10) as usize]);
    format!("{thing} {deed}")
}

fn template(statement: u64) -> Template {
    Template::new([
        Part::text(format!("{} for merchant ", words(statement))),
        Part::hole(dice_catalog::HoleKind::Text),
        Part::text(" within "),
        Part::hole(dice_catalog::HoleKind::Int),
        Part::text(" ms"),
    ])
}

fn service(statement: u64) -> String {
    format!("pay-{}", statement % SERVICES)
}

fn level(statement: u64) -> Level {
    LEVELS[(statement % 5) as usize]
}

/// One statement in fifty names a channel.
fn owner(statement: u64) -> String {
    if statement % 50 == 3 {
        format!("#team-{}", statement % 7)
    } else {
        format!("dev{}@pay.example", statement % 40)
    }
}

/// The twenty rules, one or more of every type.
fn rules() -> String {
    let mut text = "[time]\nlateness = \"5s\"\n\n".to_owned();
    for n in 0..6 {
        let _ = writeln!(
            text,
            "[[rule]]\nid = \"declines-{n}\"\ntype = \"frequency\"\nwhere = 'level >= warning and service =~ \"pay-[0-9]*{n}\"'\n\
             key = [\"vars.1\"]\ncount = 80\nwithin = \"10s\"\n"
        );
    }
    text.push_str(
        r#"
[[rule]]
id = "errors"
type = "frequency"
where = 'level >= error'
key = ["service"]
count = 100000
within = "1m"

[[rule]]
id = "one-desk"
type = "match"
where = 'contains(template, "mandate settled")'
quiet = "10m"

[[rule]]
id = "surge"
type = "spike"
where = 'level >= warning'
key = ["service"]
within = "1m"
up = 3
min_current = 50000

[[rule]]
id = "silence"
type = "flatline"
where = 'level >= notice'
key = ["service"]
within = "5m"

[[rule]]
id = "slow"
type = "metric"
where = 'level >= error'
key = ["service"]
measure = "p99(vars.2)"
within = "1m"
above = 5000

[[rule]]
id = "share"
type = "ratio"
where = 'level >= notice'
key = ["service"]
of = 'level >= error'
within = "1m"
above = 0.9
min_events = 100

[[rule]]
id = "merchants"
type = "cardinality"
where = 'level >= error'
key = ["service"]
field = "vars.1"
within = "1s"
above = 9000

[[rule]]
id = "new"
type = "first-seen"
new = "message"

[[rule]]
id = "moved"
type = "change"
where = 'contains(template, "mandate queued")'
key = ["service"]
field = "version"

[[rule]]
id = "order"
type = "sequence"
where = 'contains(template, "charge ")'
key = ["vars.1"]
within = "1s"
steps = [
  { name = "retried", where = 'contains(template, "retried")' },
  { name = "reversed", where = 'contains(template, "reversed")' },
]

[[rule]]
id = "unsettled"
type = "missing"
where = 'contains(template, "refund retried")'
key = ["service"]
expect = 'contains(template, "refund accepted")'
within = "1m"

[[rule]]
id = "visits"
type = "session"
where = 'contains(template, "dispute ")'
key = ["vars.1"]
gap = "30s"
more_than = 100000

[[rule]]
id = "both"
type = "composite"
key = ["service"]
within = "1m"
conditions = [
  { name = "declines", where = 'contains(template, "ledger declined")', count = 100000 },
  { name = "reversed", where = 'contains(template, "ledger reversed")', count = 100000 },
]

[[rule]]
id = "unmatched"
type = "first-seen"
new = "unmatched"
"#,
    );
    text
}

fn config(text: &str) -> Arc<dice_route::Config> {
    let (files, given) = (dice_config::Texts::default(), dice_config::Given::default());
    let loaded = dice_config::load("router.toml", text, &files, &given).expect("the bench's rules are valid");
    Arc::new(loaded.router)
}

fn message(statement: u64) -> Message {
    let template = template(statement);
    Message {
        id: MessageId::Known(Fingerprint::of("pay", &template)),
        was: Vec::new(),
        repo: "pay".into(),
        template: template.to_string().into(),
        place: format!("src/desk.c:{}", statement + 1).into(),
        file: "src/desk.c".into(),
        function: None,
        target: None,
        kind: Some(dice_catalog::Kind::Log),
        level: Some(level(statement)),
        holes: vec![None, None],
        owners: vec![dice_catalog::Owner::named(
            &owner(statement),
            if owner(statement).starts_with('#') {
                dice_catalog::Why::Annotation
            } else {
                dice_catalog::Why::Author
            },
        )],
        candidates: Vec::new(),
        fallback: None,
        annotations: Vec::new(),
        author: None,
        revision: None,
        url: None,
        is_outdated: false,
    }
}

/// The events of `lines`, as the classifier would make them.
fn events(lines: impl Iterator<Item = Line>) -> impl Iterator<Item = Event> {
    let messages: Vec<Arc<Message>> = (0..STATEMENTS).map(|n| Arc::new(message(n))).collect();
    let services: Vec<Arc<str>> = (0..STATEMENTS).map(|n| service(n).into()).collect();
    let (source, host): (Arc<str>, Arc<str>) = ("app".into(), "web-1".into());
    let mut latest_ms = i64::MIN;
    let make = move |(number, line): (usize, Line)| {
        latest_ms = latest_ms.max(line.at_ms);
        let merchant = format!("m{}", line.merchant);
        let took = line.took_ms.to_string();
        let parts: Vec<String> = template(line.statement).texts().map(str::to_owned).collect();
        let from = parts[0].len() as u32;
        let to = from + merchant.len() as u32;
        let from_2 = to + parts[1].len() as u32;
        let to_2 = from_2 + took.len() as u32;
        Event {
            partition: PartitionId(0),
            offset: number as u64 + 1,
            at_ms: Some(line.at_ms),
            ingested_ms: latest_ms,
            level: Some(level(line.statement)),
            source: Arc::clone(&source),
            host: Some(Arc::clone(&host)),
            service: Some(Arc::clone(&services[line.statement as usize])),
            env: None,
            version: None,
            trace: None,
            text: format!("{}{merchant}{}{took}{}", parts[0], parts[1], parts[2]).into(),
            values: Box::new([(from, to), (from_2, to_2)]),
            fields: Box::default(),
            message: Arc::clone(&messages[line.statement as usize]),
        }
    };
    lines.enumerate().map(make)
}

const START_MS: i64 = 1_795_000_000_000;

/// Rules and manager alone, and how many events a processor second go through them.
fn run(merchants: u64) -> (Router, f64) {
    let mut router = Router::new(config(&rules()), START_MS);
    let news = PartitionNews::Opened { source: "app".into(), name: "app".into() };
    router.step(Input::Partition(PartitionId(0), news));
    let mut events = events(lines(PURE, merchants, START_MS)).enumerate();
    let (mut lot, mut seconds) = (Vec::with_capacity(LOT), 0.0);
    loop {
        lot.extend(events.by_ref().take(LOT));
        if lot.is_empty() {
            break;
        }
        let start = Moment::now();
        for (n, event) in lot.drain(..) {
            let now_ms = event.ingested_ms;
            router.step(Input::Event(event));
            // As often as a batch is committed at this rate.
            if n.is_multiple_of(5_000) {
                router.step(Input::Tick(now_ms));
            }
        }
        seconds += start.own_seconds();
    }
    let start = Moment::now();
    let end_ms = START_MS + (PURE * 1000 / RATE) as i64 + 10_000;
    router.step(Input::Partition(PartitionId(0), PartitionNews::CaughtUp(end_ms + 60_000)));
    router.step(Input::Tick(end_ms));
    seconds += start.own_seconds();
    (router, PURE as f64 / seconds)
}

fn live_keys(router: &Router) -> f64 {
    router.engine().status().iter().map(|rule| rule.keys).sum::<usize>() as f64
}

/// The fastest of some runs.
fn fastest(merchants: u64) -> (Router, f64) {
    let runs = (0..RUNS).map(|_| run(merchants));
    runs.max_by(|one, other| one.1.total_cmp(&other.1)).expect("there is a run")
}

fn pure() -> Vec<Figure> {
    let (mut router, speed) = fastest(MERCHANTS);
    let keys = live_keys(&router);
    let what = "rules and manager, in memory, one core";
    let unit = "events a processor second";
    let n_notices = router.outbox().iter().count() as f64;
    let n_deltas = router.deltas().len() as f64;
    let (many, speed_of_many) = fastest(MANY_MERCHANTS);
    vec![
        figure("pure_events_per_cpu_second", what, speed, unit, Some("500,000")),
        figure("pure_live_keys", "keys that the rules keep after it", keys, "keys", None),
        figure("pure_intents", "notices that came of it", n_notices, "notices", None),
        figure("pure_changed_cells", "rows and cells changed", n_deltas, "changes", None),
        figure("pure_many_events_per_cpu_second", "the same with many keys", speed_of_many, unit, None),
        figure("pure_many_live_keys", "keys that the rules keep after it", live_keys(&many), "keys", None),
    ]
}

/// A state with a million keys, from the file to the first input.
fn restart() -> Vec<Figure> {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("state.db");
    let rule = "[[rule]]\nid = \"declines\"\ntype = \"frequency\"\nkey = [\"vars.1\"]\ncount = 20\nwithin = \"1h\"\nmax_keys = 2000000\n";
    let config = config(rule);
    let mut router = Router::new(Arc::clone(&config), START_MS);
    let lines = (0..KEYS).map(|n| Line {
        at_ms: START_MS + (n / 1000) as i64,
        statement: 1,
        merchant: n,
        took_ms: 1,
    });
    for event in events(lines) {
        router.step(Input::Event(event));
    }
    // Everything was read, so that time can pass and every key is decided about.
    router.step(Input::Partition(PartitionId(0), PartitionNews::CaughtUp(START_MS + 600_000)));
    router.step(Input::Tick(START_MS + 600_000));
    let mut store = dice_store::Store::open(&path, 0).expect("a state can be made");
    let deltas = router.deltas();
    let n_keys = router.engine().status().iter().map(|rule| rule.keys).sum::<usize>();
    store
        .commit(&dice_store::Batch { deltas, ..dice_store::Batch::default() })
        .expect("the state can be written");
    drop((store, router));
    let clock = Moment::now();
    let store = dice_store::Store::open(&path, 0).expect("the state can be opened");
    let mut saved = Vec::new();
    store
        .load(|each| {
            saved.push(match each {
                dice_store::Saved::Row(dice_store::Entry { table, id, body }) => {
                    Saved::Row { table, id, body }
                }
                dice_store::Saved::Cell(cell) => Saved::Cell(cell),
                dice_store::Saved::Waiting(waiting) => Saved::Waiting(waiting),
            });
        })
        .expect("the state can be read");
    let (router, problems) = Router::restore(config, START_MS + 600_000, saved);
    assert_eq!(problems, Vec::<String>::new());
    let seconds = clock.clock_seconds();
    let keys = router.engine().status().iter().map(|rule| rule.keys).sum::<usize>();
    assert_eq!(keys, n_keys);
    vec![
        figure("restart_keys", "keys that a restart finds", keys as f64, "keys", None),
        figure("restart_seconds", "restart until the first input", seconds, "seconds", Some("at most 2")),
    ]
}

/// `dice route` from a file to a committed state.
fn durable() -> Vec<Figure> {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let catalog = folder.path().join("catalog.jsonl");
    fs::write(&catalog, catalog_text()).expect("a catalog can be written");
    fs::write(folder.path().join("router.toml"), rules()).expect("a configuration can be written");
    let log = folder.path().join("app.log");
    fs::write(&log, log_text(DURABLE)).expect("a log can be written");
    let start = Moment::now();
    let told = route(folder.path(), &["app.log"], Stdio::null());
    let (wall, cpu) = (start.clock_seconds(), start.children_seconds());
    let p99_full = latency(&told, "p99").unwrap_or(f64::NAN);
    let paced = paced(folder.path());
    vec![
        figure(
            "durable_events_per_second",
            "file to committed state, two cores, classification included",
            DURABLE as f64 / wall,
            "events a second",
            Some("150,000"),
        ),
        figure("durable_cpu_seconds", "processor time of that", cpu, "seconds", None),
        figure(
            "durable_p99_ms",
            "99th percentile from reading to commit, at full speed",
            p99_full,
            "ms",
            Some("at most 250"),
        ),
        figure(
            "paced_p50_ms",
            "median from reading to commit, at 50,000 lines a second",
            latency(&paced, "p50").unwrap_or(f64::NAN),
            "ms",
            None,
        ),
        figure(
            "paced_p99_ms",
            "99th percentile from reading to commit, at 50,000 lines a second",
            latency(&paced, "p99").unwrap_or(f64::NAN),
            "ms",
            Some("at most 250"),
        ),
    ]
}

/// What Dice says of its own work while it routes.
fn route(folder: &Path, more: &[&str], stdin: Stdio) -> String {
    let state = format!("state-{}.db", more.len());
    let mut command = Command::new(env!("CARGO_BIN_EXE_dice"));
    command
        .current_dir(folder)
        .args(["-v", "route", "--catalog", "catalog.jsonl", "--config", "router.toml", "--state", &state])
        .args(["--input-format", "auto"])
        .args(more)
        .stdin(stdin)
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let output = command.output().expect("dice can be started");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "dice failed: {told}");
    told
}

/// Lines at a steady pace through standard input.
fn paced(folder: &Path) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_dice"))
        .current_dir(folder)
        .args(["-v", "route", "--catalog", "catalog.jsonl", "--config", "router.toml", "--state", "paced.db"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("dice can be started");
    let mut stdin = child.stdin.take().expect("it is piped");
    let feeder = std::thread::spawn(move || {
        let start = Moment::now();
        for tick in 0..PACE_S * 100 {
            let text = log_text(PACE / 100);
            if std::io::Write::write_all(&mut stdin, text.as_bytes()).is_err() {
                return;
            }
            let due = (tick + 1) as f64 / 100.0;
            let ahead = due - start.clock_seconds();
            if ahead > 0.0 {
                std::thread::sleep(std::time::Duration::from_secs_f64(ahead));
            }
        }
    });
    let output = child.wait_with_output().expect("dice ends");
    feeder.join().expect("lines can be written");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// `p99_ms=12` in what Dice says at the end.
fn latency(told: &str, which: &str) -> Option<f64> {
    let (_, rest) = told.rsplit_once(&format!("{which}_ms="))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// Lines whose last one is from now.
fn log_text(n: u64) -> String {
    let parts: Vec<Vec<String>> =
        (0..STATEMENTS).map(|n| template(n).texts().map(str::to_owned).collect()).collect();
    let services: Vec<String> = (0..STATEMENTS).map(service).collect();
    let mut text = String::with_capacity(n as usize * 110);
    for line in lines(n, MERCHANTS, now_ms() - (n * 1000 / RATE) as i64) {
        let at = Timestamp::from_millisecond(line.at_ms).expect("it is about now");
        let [before, between, after] = &parts[line.statement as usize][..] else { continue };
        let (service, merchant, took) = (&services[line.statement as usize], line.merchant, line.took_ms);
        let _ =
            writeln!(text, "{at:.6}+00:00 web-1 {service}[177]: {before}m{merchant}{between}{took}{after}");
    }
    text.replace("Z+00:00", "+00:00")
}

fn catalog_text() -> Vec<u8> {
    let header = "{\"dice_catalog\":1,\"tool\":\"bench\",\"repos\":[{\"name\":\"pay\",\"commit\":\"0123456789abcdef0123456789abcdef01234567\",\"history\":\"none\"}]}\n";
    let mut text = header.to_owned();
    for n in 0..STATEMENTS {
        let template = template(n);
        let owner = owner(n);
        let (kind, why) =
            if owner.starts_with('#') { ("channel", "annotation") } else { ("person", "author") };
        let entry = serde_json::json!({
            "fingerprint": Fingerprint::of("pay", &template), "repo": "pay", "file": "src/desk.c", "line": n + 1,
            "column": 5, "end_line": n + 1, "function": "desk", "target": null, "language": "c", "kind": "log",
            "callee": "log", "level": level(n).as_str(), "template": template.parts(), "prefix": [], "suffix": [],
            "max": null, "annotations": if kind == "channel" { vec![owner.clone()] } else { vec![] },
            "author": null, "author_missing": "not-requested",
            "owners": [{"kind": kind, "name": owner, "why": why}],
        });
        let _ = writeln!(text, "{entry}");
    }
    Catalog::parse(text.as_bytes()).expect("the bench's catalog is valid");
    text.into_bytes()
}

#[expect(clippy::disallowed_methods, reason = "the lines are from now")]
fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

/// A moment by the clock and by processor time.
struct Moment {
    clock: Instant,
    own: f64,
    children: f64,
}

impl Moment {
    #[expect(clippy::disallowed_methods, reason = "a bench measures time")]
    fn now() -> Moment {
        let [own, children] = processor_seconds();
        Moment { clock: Instant::now(), own, children }
    }

    fn clock_seconds(&self) -> f64 {
        self.clock.elapsed().as_secs_f64()
    }

    fn own_seconds(&self) -> f64 {
        processor_seconds()[0] - self.own
    }

    fn children_seconds(&self) -> f64 {
        processor_seconds()[1] - self.children
    }
}

/// Processor time of this process, which has one thread while it is asked, and of those it has waited for. Zeros
/// where there is no proc(5).
fn processor_seconds() -> [f64; 2] {
    // Nanoseconds, where the other file has hundredths of a second.
    let exact = fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let exact = exact.split_whitespace().next().and_then(|own| own.parse::<f64>().ok());
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field is a name in parentheses that may hold blanks; what follows it starts with field 3.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let fields: Vec<f64> =
        fields.split_whitespace().skip(11).take(4).filter_map(|field| field.parse().ok()).collect();
    match fields[..] {
        [own, own_system, children, children_system] => {
            [exact.map_or((own + own_system) / 100.0, |own| own / 1e9), (children + children_system) / 100.0]
        }
        _ => [0.0, 0.0],
    }
}
