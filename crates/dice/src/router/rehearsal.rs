//! Scenarios: events, commands and restarts in virtual time, and the notices that must come of them.
//!
//! Each is played twice: as it stands, and with the state written and read back after what happens. Both must
//! tell the same.

mod expected;
mod stage;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use dice_catalog::Level;
use dice_route::Config;
use jiff::Timestamp;
use serde::Deserialize;

use expected::Expected;
use stage::Stage;

/// A scenario as it stands in a file: `[[scenario]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    /// The fact it shows.
    pub(crate) name: String,
    /// The configuration, as in `router.toml`; rules stand in it as `[[rule]]`.
    #[serde(default)]
    pub(crate) config: String,
    /// When it begins.
    #[serde(default = "start")]
    start: Timestamp,
    /// How long it goes on after its last step.
    #[serde(default = "after")]
    after: String,
    /// How often time passes, beside the moments at which something happens.
    #[serde(default = "pulse")]
    pulse: String,
    /// What happens.
    #[serde(default)]
    steps: Vec<Step>,
    /// Every notice that must come; no other may, unless `others` says so.
    #[serde(default)]
    expect: Vec<Expected>,
    /// Other notices are no failure.
    #[serde(default)]
    others: bool,
    /// What must be written down of what was not told: the cause and how many.
    #[serde(default)]
    records: BTreeMap<String, u64>,
}

fn start() -> Timestamp {
    // A Monday morning.
    Timestamp::constant(1_794_819_600, 0)
}

fn after() -> String {
    "10m".to_owned()
}

fn pulse() -> String {
    "1s".to_owned()
}

/// Something that happens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// When, since the start.
    at: String,
    /// A line is read.
    event: Option<EventStep>,
    /// It happens so often.
    repeat: Option<u32>,
    /// With this between.
    every: Option<String>,
    /// Somebody does something.
    command: Option<CommandStep>,
    /// Something is known about a person.
    presence: Option<PresenceStep>,
    /// Something is known about a partition.
    partition: Option<PartitionStep>,
    /// The process ends and begins again.
    #[serde(default)]
    restart: bool,
    /// It begins again only so much later; what is written in between is read then.
    down: Option<String>,
    /// There is another configuration.
    config: Option<String>,
    /// What becomes of deliveries from now on.
    courier: Option<Courier>,
}

/// What becomes of deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Courier {
    /// They are taken.
    Up,
    /// They are to be tried again a minute later.
    Down,
    /// They will never be taken.
    Refuses,
}

/// A line. Its message is told apart by `message` alone.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct EventStep {
    /// The template; the text where there is none.
    message: Option<String>,
    text: Option<String>,
    level: Option<Level>,
    /// The time the line tells; its reading's where there is none. Since the start.
    time: Option<String>,
    partition: Option<String>,
    source: Option<String>,
    host: Option<String>,
    service: Option<String>,
    env: Option<String>,
    version: Option<String>,
    trace: Option<String>,
    file: Option<String>,
    repo: Option<String>,
    function: Option<String>,
    /// The author, an e-mail address or a handle.
    author: Option<String>,
    annotations: Vec<String>,
    candidates: Vec<String>,
    /// A template that the message had before.
    was: Option<String>,
    /// No statement is known for it.
    unmatched: bool,
    /// Values of the line. `{n}` in a text is the number of the repetition, from 0.
    vars: BTreeMap<String, toml::Value>,
}

/// What somebody does: an act as the operator's socket takes it, with some words that are filled in when it
/// happens: `$episode` is the episode that was told last, `$id` what the last answer called what it made,
/// `message:TEXT` the message with that template. A text for a time is its distance from the start.
#[derive(Debug, Clone, Deserialize)]
struct CommandStep {
    by: String,
    /// Names the call; the same call is done once.
    call: Option<String>,
    /// It is not done, and a part of why.
    refused: Option<String>,
    /// A part of the answer.
    answer: Option<String>,
    #[serde(flatten)]
    act: toml::Table,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct PresenceStep {
    person: String,
    online: Option<bool>,
    dnd_for: Option<String>,
    zone: Option<String>,
    #[serde(default)]
    gone: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct PartitionStep {
    name: String,
    #[serde(default = "main_source")]
    source: String,
    /// `behind`, `lost`, `closed`, `caught-up`.
    is: String,
}

fn main_source() -> String {
    "main".to_owned()
}

/// What a scenario came to.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// What is not as it must be, in sentences; empty when all is.
    pub(crate) failures: Vec<String>,
    /// How many notices came.
    pub(crate) n_notices: usize,
}

/// One thing that happens at one moment.
enum Happening<'s> {
    /// A line, and the number of its repetition.
    Event(&'s EventStep, i64),
    Command(&'s CommandStep, usize),
    Presence(&'s PresenceStep),
    Partition(&'s PartitionStep),
    Restart,
    Down(i64),
    Config(&'s str),
    Courier(Courier),
}

/// Runs a scenario. `read` makes a configuration of its text.
pub(crate) fn run(scenario: &Scenario, read: impl Fn(&str) -> Result<Arc<Config>>) -> Result<Report> {
    let report = play(scenario, &read, false)?;
    if !report.failures.is_empty() {
        return Ok(report);
    }
    let mut again = play(scenario, &read, true)?;
    for failure in &mut again.failures {
        *failure = format!("with restarts, {failure}");
    }
    Ok(again)
}

fn play(
    scenario: &Scenario,
    read: &impl Fn(&str) -> Result<Arc<Config>>,
    has_restarts: bool,
) -> Result<Report> {
    let pulse_ms = duration(&scenario.pulse)?.max(1);
    let happenings = happenings(scenario)?;
    let ends = happenings.iter().map(|(at_ms, happening)| match happening {
        Happening::Down(down_ms) => at_ms + down_ms,
        _ => *at_ms,
    });
    let last_ms = ends.max().unwrap_or(0);
    let end_ms = last_ms + duration(&scenario.after)?;
    let mut stage = Stage::new(read(&scenario.config)?, scenario.start.as_millisecond());
    let mut happenings = happenings.into_iter().peekable();
    let mut next_pulse_ms = 0;
    let (mut n_passed, mut n_happened) = (0_u32, 0_u32);
    loop {
        let next_ms = happenings.peek().map_or(next_pulse_ms, |(at_ms, _)| next_pulse_ms.min(*at_ms));
        if next_ms > end_ms {
            break;
        }
        if next_ms >= stage.down_until_ms() {
            stage.pass(next_ms)?;
            n_passed += 1;
        }
        while let Some((at_ms, happening)) = happenings.next_if(|(at_ms, _)| *at_ms <= next_ms) {
            stage.happen(&happening, at_ms, read)?;
            n_happened += 1;
            // Where much happens, much of it is the same.
            if has_restarts && (n_happened < 100 || n_happened.is_multiple_of(23)) {
                stage.restart()?;
            }
        }
        if has_restarts && n_passed.is_multiple_of(61) {
            stage.restart()?;
        }
        if next_ms == next_pulse_ms {
            next_pulse_ms += pulse_ms;
        }
    }
    stage.report(scenario)
}

/// What happens, in order.
fn happenings(scenario: &Scenario) -> Result<Vec<(i64, Happening<'_>)>> {
    let mut happenings = Vec::new();
    for (number, step) in scenario.steps.iter().enumerate() {
        let at_ms = duration(&step.at)?;
        let every_ms = step.every.as_deref().map_or(Ok(0), duration)?;
        let down_ms = step.down.as_deref().map(duration).transpose()?;
        for n in 0..i64::from(step.repeat.unwrap_or(1)) {
            let at_ms = at_ms + n * every_ms;
            let all = [
                step.event.as_ref().map(|event| Happening::Event(event, n)),
                step.command.as_ref().map(|command| Happening::Command(command, number)),
                step.presence.as_ref().map(Happening::Presence),
                step.partition.as_ref().map(Happening::Partition),
                step.restart.then_some(Happening::Restart),
                down_ms.map(Happening::Down),
                step.config.as_deref().map(Happening::Config),
                step.courier.map(Happening::Courier),
            ];
            happenings.extend(all.into_iter().flatten().map(|each| (at_ms, each)));
        }
    }
    happenings.sort_by_key(|(at_ms, _)| *at_ms);
    Ok(happenings)
}

/// Milliseconds of `90s`, `5m`, `1h30m`, `7d`.
fn duration(text: &str) -> Result<i64> {
    crate::duration::parse_ms(text).with_context(|| format!("wanted a duration, found `{text}`"))
}
