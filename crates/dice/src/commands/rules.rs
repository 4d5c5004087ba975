//! `dice rules`.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use dice_config::{Given, Texts};
use dice_route::config::{Rule, RuleType};
use dice_route::manager::Labels;
use dice_route::{Config, Intent, Manager};
use serde::Deserialize;

use crate::commands::{Output, route};
use crate::router::rehearsal::{self, Scenario};
use crate::router::run::{self, Wish};
use crate::router::{plan, terminal, trial};
use crate::screen::{FAINT, OWNER, STRONG, count, plain, styled};
use crate::{Failure, Outcome};

/// Try rules and routes offline: nothing is sent, nothing is kept.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Run the tests that stand in rule files, and scenarios, in virtual time.
    Test {
        /// Rule files, scenario files or folders of them; those of the configuration where there are none.
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
        /// The configuration whose rules are tested.
        #[arg(long, value_name = "FILE", default_value = "router.toml")]
        config: PathBuf,
    },
    /// Say what would have been sent for finished logs, and to whom.
    Backtest {
        /// Logs to read; none, or `-`, is standard input.
        #[arg(value_name = "LOG")]
        logs: Vec<PathBuf>,
        /// The configuration to try.
        #[arg(long, value_name = "FILE", default_value = "router.toml")]
        config: PathBuf,
        /// Another configuration to compare with: what would be sent more and less.
        #[arg(long, value_name = "FILE")]
        against: Option<PathBuf>,
        /// A catalog to match against; may be repeated.
        #[arg(long, value_name = "FILE")]
        catalog: Vec<PathBuf>,
        /// For a person or for a program.
        #[arg(long, value_enum, default_value_t = Output::Text, value_name = "FORMAT")]
        format: Output,
        /// The zone of times that do not tell theirs [default: this machine's].
        #[arg(long, value_name = "ZONE")]
        zone: Option<String>,
        /// How long time goes on after the last line, so that digests and escalations come.
        #[arg(long, default_value = run::AFTERWARDS, value_name = "DURATION")]
        afterwards: String,
        /// Show the totals only.
        #[arg(long)]
        brief: bool,
    },
    /// Say what rules mean: what they look at, when they decide, what they remember.
    Explain {
        /// Rules, by id; all where there are none.
        #[arg(value_name = "RULE")]
        rules: Vec<String>,
        /// The configuration they stand in.
        #[arg(long, value_name = "FILE", default_value = "router.toml")]
        config: PathBuf,
    },
    /// Say which route takes an episode with these labels, and why.
    Route {
        /// Labels of the episode: service=pay severity=high rule=slow-checkout.
        #[arg(value_name = "LABEL=VALUE", required = true)]
        labels: Vec<String>,
        /// The configuration the routes stand in.
        #[arg(long, value_name = "FILE", default_value = "router.toml")]
        config: PathBuf,
        /// For a person or for a program.
        #[arg(long, value_enum, default_value_t = Output::Text, value_name = "FORMAT")]
        format: Output,
    },
    /// Print everything that can be written in router.toml and rule files.
    Schema {
        /// For a person, or as JSON Schema.
        #[arg(long, value_enum, default_value_t = Output::Text, value_name = "FORMAT")]
        format: Output,
    },
}

/// A file of scenarios.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenarios {
    /// What stands before the configuration of each.
    #[serde(default)]
    config: String,
    scenario: Vec<Scenario>,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome> {
        let mut out = anstream::AutoStream::auto(io::stdout()).lock();
        match &self.what {
            What::Test { files, config } => test(&mut out, files, config),
            What::Backtest { logs, config, against, catalog, format, zone, afterwards, brief } => {
                let wish = |config: &Path| -> Result<Wish> {
                    Ok(Wish {
                        config: Some(config.to_owned()),
                        state: None,
                        files: if logs.is_empty() { vec!["-".into()] } else { logs.clone() },
                        is_followed: false,
                        catalog: catalog.clone(),
                        format: None,
                        zone: route::zone(zone.as_deref())?,
                        year: None,
                        afterwards_s: run::afterwards(afterwards)?,
                    })
                };
                let (_, told) = run::told(&wish(config)?)?;
                match against {
                    None => backtest(&mut out, &told, *format, *brief),
                    Some(other) => {
                        let (_, before) = run::told(&wish(other)?)?;
                        compare(&mut out, &told, &before, *format)
                    }
                }
            }
            What::Explain { rules, config } => explain(&mut out, rules, config),
            What::Route { labels, config, format } => way(&mut out, labels, config, *format),
            What::Schema { format } => {
                match format {
                    Output::Text => write!(out, "{}", dice_config::schema::print())?,
                    Output::Json => {
                        serde_json::to_writer_pretty(&mut out, &dice_config::schema::json())?;
                        writeln!(out)?;
                    }
                }
                Ok(Outcome::Done)
            }
        }
    }
}

/// Files below `paths` that end in `.toml`, in order.
fn toml_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        let wanted = |error: io::Error| {
            Failure::new(
                format!("wanted to read {}", path.display()),
                "give a file or folder of rules or scenarios",
            )
            .because(error)
        };
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let mut below = Vec::new();
        for entry in std::fs::read_dir(path).map_err(wanted)? {
            let entry = entry.map_err(wanted)?.path();
            if entry.extension().is_some_and(|extension| extension == "toml") {
                below.push(entry);
            }
        }
        below.sort_unstable();
        files.extend(below);
    }
    Ok(files)
}

fn test(out: &mut impl Write, files: &[PathBuf], config: &Path) -> Result<Outcome> {
    let mut tally = Tally::default();
    if files.is_empty() {
        let loaded = plan::read_config(config)?;
        tally.cases(out, &loaded)?;
    }
    for file in toml_files(files)? {
        let text = std::fs::read_to_string(&file).map_err(|error| {
            Failure::new(format!("wanted to read {}", file.display()), "give a file of rules or scenarios")
                .because(error)
        })?;
        let name = file.display().to_string();
        if text.lines().any(|line| line.trim_start().starts_with("[[scenario]]")) {
            let Scenarios { config, scenario } = toml::from_str(&text).map_err(|error| {
                Failure::new(format!("wanted scenarios in {name}"), "mend the file").because(error)
            })?;
            for scenario in &scenario {
                let title = format!("{name}: {}", scenario.name);
                let read = |text: &str| configuration(&format!("{config}\n{text}"));
                let report = rehearsal::run(scenario, read).with_context(|| title.clone())?;
                tally.add(
                    out,
                    &title,
                    &count(report.n_notices as u64, "notice", "notices"),
                    &report.failures,
                )?;
            }
        } else {
            let loaded = plan::read_config(&file)?;
            tally.cases(out, &loaded)?;
        }
    }
    let Tally { passed, failed } = tally;
    writeln!(out, "{}, {}", count(passed, "test passed", "tests passed"), count(failed, "failed", "failed"))?;
    if passed + failed == 0 {
        return Err(Failure::new(
            "wanted tests, found none",
            "write [[rule.tests]] below a rule, or give files: dice rules test rules/",
        )
        .into());
    }
    Ok(if failed == 0 { Outcome::Done } else { Outcome::No })
}

/// The configuration of a scenario.
fn configuration(text: &str) -> Result<Arc<Config>> {
    let given = Given::default();
    let loaded = dice_config::load("config", text, &Texts::default(), &given).map_err(|problems| {
        Failure::new(format!("wanted a configuration that can be used:\n{problems}"), "mend the scenario")
    })?;
    Ok(Arc::new(loaded.router))
}

#[derive(Debug, Default)]
struct Tally {
    passed: u64,
    failed: u64,
}

impl Tally {
    fn add(&mut self, out: &mut impl Write, title: &str, about: &str, failures: &[String]) -> Result<()> {
        if failures.is_empty() {
            self.passed += 1;
            writeln!(out, "ok    {}  {}", plain(title), styled(FAINT, about))?;
            return Ok(());
        }
        self.failed += 1;
        writeln!(out, "{}  {}", styled(STRONG, "fail"), plain(title))?;
        for failure in failures {
            writeln!(out, "      {}", plain(failure))?;
        }
        Ok(())
    }

    fn cases(&mut self, out: &mut impl Write, loaded: &dice_config::Loaded) -> Result<()> {
        for case in &loaded.cases {
            let Some(rule) = loaded.router.rules.iter().find(|rule| rule.id == case.rule) else { continue };
            let failures = trial::run(case, rule, &loaded.router);
            let title = format!("{}: {}: {}", case.place, case.rule, case.name);
            self.add(out, &title, "", &failures)?;
        }
        Ok(())
    }
}

fn backtest(out: &mut impl Write, told: &[Intent], format: Output, is_brief: bool) -> Result<Outcome> {
    if format == Output::Json || !is_brief {
        for intent in told {
            terminal::show(out, intent, format, false)?;
        }
    }
    if format == Output::Text {
        writeln!(out, "{} would have been sent", count(told.len() as u64, "notice", "notices"))?;
        let mut totals: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for intent in told {
            *totals.entry((intent.destination.name(), intent.lane.as_str())).or_default() += 1;
        }
        for ((to, lane), n) in totals {
            writeln!(out, "  {n:>6}  {lane:<10}{}", styled(OWNER, &plain(to)))?;
        }
    }
    Ok(Outcome::Done)
}

/// What a notice is the same as in another run: for whom, of what sort and about what.
fn sameness(intent: &Intent) -> (String, &'static str, String, String) {
    let kind = serde_json::to_value(intent.kind).expect("a kind is JSON");
    (
        intent.destination.name().to_owned(),
        intent.lane.as_str(),
        kind.as_str().unwrap_or_default().to_owned(),
        intent.notice.title.clone(),
    )
}

fn compare(out: &mut impl Write, told: &[Intent], before: &[Intent], format: Output) -> Result<Outcome> {
    let mut changes: BTreeMap<_, (i64, i64)> = BTreeMap::new();
    for intent in before {
        changes.entry(sameness(intent)).or_default().0 += 1;
    }
    for intent in told {
        changes.entry(sameness(intent)).or_default().1 += 1;
    }
    let mut people: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for ((to, ..), (n_before, n_now)) in &changes {
        let each = people.entry(to).or_default();
        (each.0, each.1) = (each.0 + n_before, each.1 + n_now);
    }
    let n_new = people.values().filter(|(n_before, _)| *n_before == 0).count() as u64;
    if format == Output::Json {
        let each: Vec<_> = changes
            .iter()
            .filter(|(_, (n_before, n_now))| n_before != n_now)
            .map(|((to, lane, kind, title), (n_before, n_now))| {
                serde_json::json!({"to": to, "lane": lane, "kind": kind, "title": title, "before": n_before, "now": n_now})
            })
            .collect();
        let object = serde_json::json!({
            "before": before.len(), "now": told.len(), "new_destinations": n_new, "changes": each
        });
        writeln!(out, "{object}")?;
        return Ok(Outcome::Done);
    }
    writeln!(
        out,
        "this would have sent {} instead of {}, to {}",
        count(told.len() as u64, "notice", "notices"),
        before.len(),
        count(n_new, "new destination", "new destinations"),
    )?;
    for ((to, lane, kind, title), (n_before, n_now)) in &changes {
        if n_before != n_now {
            let sign = if n_now > n_before { '+' } else { '-' };
            let n = n_now.abs_diff(*n_before);
            writeln!(
                out,
                "  {sign}{n:<5} {lane:<10}{}  {kind}  {}",
                styled(OWNER, &plain(to)),
                plain(title)
            )?;
        }
    }
    Ok(Outcome::Done)
}

fn explain(out: &mut impl Write, wanted: &[String], config: &Path) -> Result<Outcome> {
    let loaded = plan::read_config(config)?;
    let router = &loaded.router;
    if let Some(unknown) = wanted.iter().find(|id| !router.rules.iter().any(|rule| *rule.id == ***id)) {
        let known: Vec<&str> = router.rules.iter().map(|rule| &*rule.id).collect();
        return Err(Failure::new(
            format!(
                "wanted a rule called {unknown}, found {}",
                if known.is_empty() { "no rule".to_owned() } else { known.join(", ") }
            ),
            "give one of these",
        )
        .into());
    }
    let lateness_ms =
        router.sources.values().map(|source| source.lateness_ms).max().unwrap_or(router.time.lateness_ms);
    let mut engine = dice_route::Engine::default();
    engine.configure(&router.rules, 0, &mut Vec::new());
    for (rule, status) in router.rules.iter().zip(engine.status()) {
        if wanted.is_empty() || wanted.iter().any(|id| **id == *rule.id) {
            explain_rule(out, rule, status.decides, lateness_ms)?;
        }
    }
    Ok(Outcome::Done)
}

fn explain_rule(
    out: &mut impl Write,
    rule: &Rule,
    decides: dice_route::engine::Decides,
    lateness_ms: i64,
) -> Result<()> {
    use dice_route::engine::Decides;
    writeln!(out, "{}  {}, severity {}", styled(STRONG, &rule.id), type_name(&rule.kind), rule.severity)?;
    let mut field = |name: &str, text: &str| writeln!(out, "  {name:<10} {text}");
    field("looks at", &rule.condition.to_string())?;
    let keys: Vec<&str> = rule.key.iter().map(|key| key.name()).collect();
    let key = if keys.is_empty() {
        "all together".to_owned()
    } else {
        format!("apart for each {}", keys.join(", "))
    };
    field("key", &key)?;
    let lateness = format!("{:#}", jiff::SignedDuration::from_millis(lateness_ms));
    let when = match decides {
        Decides::OnArrival => "as soon as a line arrives".to_owned(),
        Decides::Both => {
            format!("as soon as lines arrive; the order of event time, {lateness} later, has the last word")
        }
        Decides::InOrder => format!("in the order of event time, {lateness} after the lines"),
    };
    field("decides", &when)?;
    field(
        "keeps",
        &format!(
            "at most {} keys; the one without events for the longest time goes first, and that is said",
            rule.timing.max_keys
        ),
    )?;
    let to = if rule.to.is_empty() {
        "by the routes, else the message's owners".to_owned()
    } else {
        rule.to.join(", ")
    };
    field("tells", &to)?;
    field("meaning", &format!("{:016x}: state is kept while this stays the same", rule.semantic_rev))?;
    Ok(())
}

/// Which route takes labels, and why.
fn way(out: &mut impl Write, labels: &[String], config: &Path, format: Output) -> Result<Outcome> {
    let config = Arc::new(plan::read_config(config)?.router);
    let mut known = Labels::new();
    for label in labels {
        let Some((name, value)) = label.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            let what = format!("wanted a label and its value, found `{label}`");
            return Err(Failure::new(what, "write service=pay severity=high").into());
        };
        known.insert(name.to_owned(), value.to_owned());
    }
    let mut manager = Manager::default();
    manager.configure(&config, 0);
    let rule = known.get("rule").cloned().unwrap_or_default();
    for asked in manager.route_of(&rule, &known) {
        let route = manager.route(&asked.route);
        let to: Vec<&str> =
            route.map(|route| route.to.iter().map(String::as_str).collect()).unwrap_or_default();
        let group_by = route.map(|route| &route.group_by[..]).unwrap_or_default();
        if format == Output::Json {
            let object = serde_json::json!({
                "route": asked.route, "depth": asked.depth, "holds": asked.holds, "takes": asked.takes,
                "why": asked.why, "to": to, "group_by": group_by,
            });
            writeln!(out, "{object}")?;
            continue;
        }
        let indent = "  ".repeat(asked.depth);
        let name = plain(&asked.route);
        if asked.takes {
            let to = if to.is_empty() { "the owners of the message".to_owned() } else { to.join(", ") };
            writeln!(
                out,
                "{indent}{}  {}, {}",
                styled(STRONG, &name),
                styled(OWNER, &plain(&to)),
                plain(&asked.why)
            )?;
            if !group_by.is_empty() {
                writeln!(out, "{indent}    told together by {}", plain(&group_by.join(", ")))?;
            }
        } else {
            writeln!(out, "{indent}{name}  {}", styled(FAINT, &plain(&asked.why)))?;
        }
    }
    Ok(Outcome::Done)
}

/// The word of a type of rule in files and output.
pub(crate) fn type_name(kind: &RuleType) -> &'static str {
    match kind {
        RuleType::Match { .. } => "match",
        RuleType::Frequency { .. } => "frequency",
        RuleType::Spike { .. } => "spike",
        RuleType::Flatline { .. } => "flatline",
        RuleType::Change { .. } => "change",
        RuleType::FirstSeen(_) => "first-seen",
        RuleType::Cardinality { .. } => "cardinality",
        RuleType::Sequence { .. } => "sequence",
        RuleType::MissingB(_) => "missing",
        RuleType::Ratio { .. } => "ratio",
        RuleType::Session { .. } => "session",
        RuleType::Metric { .. } => "metric",
        RuleType::Composite { .. } => "composite",
    }
}
