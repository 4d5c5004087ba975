//! Scenarios: events, commands and restarts in virtual time, and the notices that must come of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use dice_catalog::{Kind, Level, Owner, Why};
use dice_route::{
    Act, Command, Config, Destination, Event, Input, Intent, Message, MessageId, Outcome, PartitionId,
    PartitionNews, Presence, Receipt, Router, Shelf, State,
};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::terminal::clock;

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
    /// How often time passes.
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
    /// There is another configuration.
    config: Option<String>,
    /// Deliveries are taken from now on, or not.
    courier: Option<Courier>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Courier {
    Up,
    Down,
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
    /// No statement is known for it.
    unmatched: bool,
    vars: BTreeMap<String, toml::Value>,
}

#[derive(Debug, Clone, Deserialize)]
struct CommandStep {
    by: String,
    id: Option<String>,
    #[serde(flatten)]
    act: Act,
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
    /// `behind`, `lost`, `closed`, `caught-up`.
    is: String,
}

/// A notice that must come.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// When it is decided, since the start.
    at: String,
    /// For whom.
    to: String,
    lane: Option<String>,
    kind: Option<String>,
    /// A part of its title.
    title: Option<String>,
    /// A part of one of its notes or of why its reader gets it.
    note: Option<String>,
    /// Occurrences in its rows, together.
    count: Option<u64>,
    /// How many rows it has.
    rows: Option<usize>,
    /// Where it stands in the end.
    state: Option<String>,
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
    Event(&'s EventStep),
    Command(&'s CommandStep, usize),
    Presence(&'s PresenceStep),
    Partition(&'s PartitionStep),
    Restart,
    Config(&'s str),
    Courier(Courier),
}

/// Runs a scenario. `read` makes a configuration of its text.
pub(crate) fn run(scenario: &Scenario, read: impl Fn(&str) -> Result<Arc<Config>>) -> Result<Report> {
    let start_ms = scenario.start.as_millisecond();
    let pulse_ms = duration(&scenario.pulse)?.max(1);
    let mut happenings: Vec<(i64, Happening<'_>)> = Vec::new();
    for (number, step) in scenario.steps.iter().enumerate() {
        let at_ms = duration(&step.at)?;
        let every_ms = step.every.as_deref().map_or(Ok(0), duration)?;
        for n in 0..i64::from(step.repeat.unwrap_or(1)) {
            let at_ms = at_ms + n * every_ms;
            let all = [
                step.event.as_ref().map(Happening::Event),
                step.command.as_ref().map(|command| Happening::Command(command, number)),
                step.presence.as_ref().map(Happening::Presence),
                step.partition.as_ref().map(Happening::Partition),
                step.restart.then_some(Happening::Restart),
                step.config.as_deref().map(Happening::Config),
                step.courier.map(Happening::Courier),
            ];
            happenings.extend(all.into_iter().flatten().map(|each| (at_ms, each)));
        }
    }
    happenings.sort_by_key(|(at_ms, _)| *at_ms);
    let end_ms = happenings.last().map_or(0, |(at_ms, _)| *at_ms) + duration(&scenario.after)?;
    let mut stage = Stage {
        config: read(&scenario.config)?,
        router: Router::new(read(&scenario.config)?, start_ms),
        shelf: Shelf::default(),
        start_ms,
        partitions: BTreeMap::new(),
        offset: 0,
        messages: BTreeMap::new(),
        courier: Courier::Up,
        notices: Vec::new(),
        answers: Vec::new(),
    };
    let mut happenings = happenings.into_iter().peekable();
    let mut now_ms = 0;
    while now_ms <= end_ms {
        while let Some((at_ms, happening)) = happenings.next_if(|(at_ms, _)| *at_ms <= now_ms) {
            stage.happen(&happening, at_ms, &read)?;
        }
        stage.pass(now_ms);
        now_ms += pulse_ms;
    }
    stage.report(scenario)
}

/// What a scenario is played on.
struct Stage {
    config: Arc<Config>,
    router: Router,
    shelf: Shelf,
    start_ms: i64,
    partitions: BTreeMap<String, (PartitionId, bool)>,
    offset: u64,
    messages: BTreeMap<String, Arc<Message>>,
    courier: Courier,
    /// The notices that came, in order.
    notices: Vec<Intent>,
    answers: Vec<String>,
}

impl Stage {
    fn happen(
        &mut self,
        happening: &Happening<'_>,
        at_ms: i64,
        read: &impl Fn(&str) -> Result<Arc<Config>>,
    ) -> Result<()> {
        let now_ms = self.start_ms + at_ms;
        match happening {
            Happening::Event(step) => {
                let event = self.event(step, now_ms)?;
                self.router.step(Input::Event(event));
            }
            Happening::Command(step, number) => {
                let id = step.id.clone().unwrap_or_else(|| format!("step {number}"));
                let command = Command { id, actor: step.by.clone(), at_ms: now_ms, act: self.act(&step.act) };
                if let Some(answer) = self.router.step(Input::Command(command))
                    && !answer.is_done
                {
                    self.answers.push(format!("{}: refused: {}", step.by, answer.text));
                }
            }
            Happening::Presence(step) => {
                let dnd = step.dnd_for.as_deref().map(duration).transpose()?;
                self.router.step(Input::Presence(Presence {
                    person: step.person.clone(),
                    at_ms: now_ms,
                    is_online: step.online,
                    dnd_until_ms: dnd.map(|dnd| now_ms + dnd),
                    zone: step.zone.clone(),
                    is_gone: step.gone,
                }));
            }
            Happening::Partition(step) => {
                let id = self.partition(&step.name, "main");
                let (is_caught_up, news) = match step.is.as_str() {
                    "behind" => (false, PartitionNews::Behind),
                    "lost" => (false, PartitionNews::Disconnected("it went away".into())),
                    "closed" => (false, PartitionNews::Closed),
                    "caught-up" => (true, PartitionNews::CaughtUp(now_ms)),
                    other => anyhow::bail!("wanted behind, lost, closed or caught-up, found `{other}`"),
                };
                self.partitions.insert(step.name.clone(), (id, is_caught_up));
                self.router.step(Input::Partition(id, news));
            }
            Happening::Restart => {
                self.shelf.write(self.router.deltas());
                let (router, problems) =
                    Router::restore(Arc::clone(&self.config), now_ms, self.shelf.saved());
                anyhow::ensure!(problems.is_empty(), "what was saved was not understood: {problems:?}");
                self.router = router;
            }
            Happening::Config(text) => {
                self.config = read(text)?;
                self.router.step(Input::Configuration(Arc::clone(&self.config)));
            }
            Happening::Courier(courier) => self.courier = *courier,
        }
        Ok(())
    }

    /// Lets time pass and takes what is due.
    fn pass(&mut self, at_ms: i64) {
        let now_ms = self.start_ms + at_ms;
        for (id, is_caught_up) in self.partitions.values() {
            if *is_caught_up {
                self.router.step(Input::Partition(*id, PartitionNews::CaughtUp(now_ms)));
            }
        }
        self.router.step(Input::Tick(now_ms));
        self.shelf.write(self.router.deltas());
        let due: Vec<Intent> = self.router.outbox().due(now_ms).into_iter().cloned().collect();
        for intent in due {
            let receipt = |outcome| Receipt { intent: intent.id.clone(), at_ms: now_ms, outcome };
            self.router.step(Input::Receipt(receipt(Outcome::Sending)));
            let outcome = match self.courier {
                Courier::Up => Outcome::Delivered("scenario".to_owned()),
                Courier::Down => Outcome::Later(60_000, "the courier is down".to_owned()),
            };
            self.router.step(Input::Receipt(receipt(outcome)));
            if self.courier == Courier::Up {
                self.notices.push(intent);
            }
        }
    }

    fn partition(&mut self, name: &str, source: &str) -> PartitionId {
        if let Some((id, _)) = self.partitions.get(name) {
            return *id;
        }
        let id = PartitionId(self.partitions.len() as u32);
        self.partitions.insert(name.to_owned(), (id, true));
        self.router
            .step(Input::Partition(id, PartitionNews::Opened { source: source.into(), name: name.into() }));
        id
    }

    fn event(&mut self, step: &EventStep, now_ms: i64) -> Result<Event> {
        let source = step.source.as_deref().unwrap_or("main");
        let partition = self.partition(step.partition.as_deref().unwrap_or("main"), source);
        self.offset += 1;
        let message = self.message(step);
        let at_ms = match &step.time {
            Some(time) => self.start_ms + duration(time)?,
            None => now_ms,
        };
        let text = |text: &Option<String>| text.as_deref().map(Arc::<str>::from);
        let plain = |value: &toml::Value| match value {
            toml::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let fields =
            step.vars.iter().map(|(name, value)| (name.as_str().into(), plain(value).into_boxed_str()));
        Ok(Event {
            partition,
            offset: self.offset,
            at_ms: Some(at_ms),
            ingested_ms: now_ms,
            level: step.level.or(message.level),
            source: source.into(),
            host: text(&step.host),
            service: text(&step.service),
            env: text(&step.env),
            version: text(&step.version),
            trace: text(&step.trace),
            text: step.text.as_deref().unwrap_or(&message.template).into(),
            message,
            values: Box::default(),
            fields: fields.collect(),
        })
    }

    fn message(&mut self, step: &EventStep) -> Arc<Message> {
        let template = step.message.as_deref().or(step.text.as_deref()).unwrap_or("something happened");
        let told = format!("{template}\0{:?}\0{:?}\0{}", step.annotations, step.author, step.unmatched);
        if let Some(known) = self.messages.get(&told) {
            return Arc::clone(known);
        }
        let of_annotations = step.annotations.iter().map(|name| Owner::named(name, Why::Annotation));
        let of_author = step.author.iter().map(|name| Owner::named(name, Why::Author));
        let owners: Vec<Owner> =
            if step.annotations.is_empty() { of_author.clone().collect() } else { of_annotations.collect() };
        let candidates = step.candidates.iter().map(|name| Owner::named(name, Why::Author));
        let text = |text: &Option<String>| text.as_deref().map(Arc::<str>::from);
        let file = step.file.as_deref().unwrap_or("src/main.c");
        let id = if step.unmatched {
            MessageId::of_unmatched(step.service.as_deref().unwrap_or_default(), template)
        } else {
            let parts = dice_catalog::Template::new([dice_catalog::Part::text(template)]);
            MessageId::Known(dice_catalog::Fingerprint::of(step.repo.as_deref().unwrap_or("app"), &parts))
        };
        let message = Arc::new(Message {
            id,
            was: Vec::new(),
            repo: step.repo.as_deref().unwrap_or("app").into(),
            template: template.into(),
            place: if step.unmatched { "".into() } else { format!("{file}:1").into() },
            file: if step.unmatched { "".into() } else { file.into() },
            function: text(&step.function),
            target: None,
            kind: (!step.unmatched).then_some(Kind::Log),
            level: step.level,
            holes: Vec::new(),
            owners,
            candidates: of_author.chain(candidates).collect(),
            fallback: None,
            annotations: step.annotations.clone(),
            author: text(&step.author),
            revision: None,
            url: None,
            is_outdated: false,
        });
        self.messages.insert(told, Arc::clone(&message));
        message
    }

    /// A command as written, with what can only be known at run time filled in: `$episode` is the id of the
    /// last episode that was told, `message:TEXT` the id of the message with that template.
    fn act(&self, act: &Act) -> Act {
        let mut value = serde_json::to_value(act).expect("a command is JSON");
        self.fill(&mut value);
        serde_json::from_value(value).unwrap_or_else(|_| act.clone())
    }

    fn fill(&self, value: &mut serde_json::Value) {
        match value {
            serde_json::Value::String(text) => {
                if text == "$episode" {
                    let told = self.notices.iter().rev().flat_map(|notice| &notice.notice.rows);
                    let episode = told.filter_map(|row| row.episode.clone()).next();
                    *text = episode.unwrap_or_default();
                } else if let Some(template) = text.strip_prefix("message:") {
                    let known = self.messages.values().find(|message| &*message.template == template);
                    *text = known.map_or_else(String::new, |message| message.id.to_string());
                }
            }
            serde_json::Value::Array(values) => values.iter_mut().for_each(|value| self.fill(value)),
            serde_json::Value::Object(fields) => {
                fields.iter_mut().for_each(|(_, value)| self.fill(value));
            }
            _ => {}
        }
    }

    fn report(self, scenario: &Scenario) -> Result<Report> {
        let mut report = Report { n_notices: self.notices.len(), failures: self.answers.clone() };
        let mut came: Vec<Option<&Intent>> = self.notices.iter().map(Some).collect();
        for expected in &scenario.expect {
            let at_ms = self.start_ms + duration(&expected.at)?;
            let found = came
                .iter_mut()
                .find(|each| each.is_some_and(|it| expected.fits(it, at_ms, self.router.outbox())));
            match found {
                Some(found) => *found = None,
                None => report.failures.push(format!("missing: {}", expected.shown(at_ms))),
            }
        }
        if !scenario.others {
            let rest = came.into_iter().flatten();
            report
                .failures
                .extend(rest.map(|intent| format!("unexpected: {}", shown(intent, self.start_ms))));
        }
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for record in self.router.manager().records().iter() {
            let cause = serde_json::to_value(record.cause).expect("a cause is JSON");
            *counts.entry(cause.as_str().unwrap_or_default().to_owned()).or_default() += record.count;
        }
        for (cause, n) in &scenario.records {
            let found = counts.get(cause).copied().unwrap_or(0);
            if found != *n {
                report.failures.push(format!("wanted {n} records of `{cause}`, found {found}"));
            }
        }
        Ok(report)
    }
}

impl Expected {
    fn fits(&self, intent: &Intent, at_ms: i64, outbox: &dice_route::outbox::Outbox) -> bool {
        let notice = &intent.notice;
        let kind = serde_json::to_value(intent.kind).expect("a kind is JSON");
        let state = outbox.get(&intent.id).map_or(State::Sent, |row| row.state);
        let state = serde_json::to_value(state).expect("a state is JSON");
        let count: u64 = notice.rows.iter().map(|row| row.evidence.count).sum();
        let is_noted = |part: &String| {
            notice.because.contains(part) || notice.notes.iter().any(|note| note.contains(part))
        };
        intent.created_ms == at_ms
            && intent.destination == Destination::named(&self.to)
            && self.lane.as_ref().is_none_or(|lane| intent.lane.as_str() == lane)
            && self.kind.as_ref().is_none_or(|wanted| kind == wanted.as_str())
            && self.title.as_ref().is_none_or(|part| notice.title.contains(part))
            && self.note.as_ref().is_none_or(is_noted)
            && self.count.is_none_or(|wanted| wanted == count)
            && self.rows.is_none_or(|wanted| wanted == notice.rows.len())
            && self.state.as_ref().is_none_or(|wanted| state == wanted.as_str())
    }

    fn shown(&self, at_ms: i64) -> String {
        let Expected { at, to, lane, kind, title, note, count, rows, state: _ } = self;
        let mut words = vec![format!("{at} ({}) to {to}", clock(at_ms))];
        words.extend(lane.iter().chain(kind).cloned());
        words.extend(title.iter().map(|title| format!("title with {title:?}")));
        words.extend(note.iter().map(|note| format!("note with {note:?}")));
        words.extend(count.iter().map(|count| format!("count {count}")));
        words.extend(rows.iter().map(|rows| format!("rows {rows}")));
        words.join(", ")
    }
}

/// A notice in one line, with its time since `start_ms`.
fn shown(intent: &Intent, start_ms: i64) -> String {
    let notice = &intent.notice;
    let kind = serde_json::to_value(intent.kind).expect("a kind is JSON");
    let count: u64 = notice.rows.iter().map(|row| row.evidence.count).sum();
    format!(
        "{:#} ({}) to {}, {}, {}, title {:?}, because {:?}, notes {:?}, count {count}, rows {}",
        SignedDuration::from_millis(intent.created_ms - start_ms),
        clock(intent.created_ms),
        intent.destination.name(),
        intent.lane.as_str(),
        kind.as_str().unwrap_or_default(),
        notice.title,
        notice.because,
        notice.notes,
        notice.rows.len(),
    )
}

/// Milliseconds of `90s`, `5m`, `1h30m`, `7d`.
fn duration(text: &str) -> Result<i64> {
    let span: jiff::Span = text.parse().with_context(|| format!("wanted a duration, found `{text}`"))?;
    let relative = jiff::SpanRelativeTo::days_are_24_hours();
    let length = span.to_duration(relative).with_context(|| format!("wanted a duration, found `{text}`"))?;
    i64::try_from(length.as_millis()).with_context(|| format!("wanted a shorter duration than `{text}`"))
}
