//! What a scenario is played on: a router, its saved state, and who takes what it tells.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use dice_catalog::{Kind, Owner, Why};
use dice_route::{
    Act, Answer, Command, Config, Event, Input, Intent, Message, MessageId, Outcome, PartitionId,
    PartitionNews, Presence, Receipt, Router, Shelf,
};
use serde_json::Value;

use super::expected::Came;
use super::{CommandStep, Courier, EventStep, Happening, PartitionStep, Report, Scenario, duration};

pub(super) struct Stage {
    config: Arc<Config>,
    router: Router,
    shelf: Shelf,
    start_ms: i64,
    partitions: BTreeMap<String, Partition>,
    offset: u64,
    messages: BTreeMap<String, Arc<Message>>,
    courier: Courier,
    /// Until then nothing runs, milliseconds since the start.
    down_until_ms: i64,
    /// What was written meanwhile.
    unread: Vec<Event>,
    /// The notices that came, in order.
    came: Vec<Came>,
    /// What was answered last.
    answer: Option<Answer>,
    /// Answers that are not as they must be.
    failures: Vec<String>,
}

struct Partition {
    id: PartitionId,
    source: String,
    is_caught_up: bool,
}

impl Stage {
    pub(super) fn new(config: Arc<Config>, start_ms: i64) -> Stage {
        Stage {
            router: Router::new(Arc::clone(&config), start_ms),
            config,
            shelf: Shelf::default(),
            start_ms,
            partitions: BTreeMap::new(),
            offset: 0,
            messages: BTreeMap::new(),
            courier: Courier::Up,
            down_until_ms: i64::MIN,
            unread: Vec::new(),
            came: Vec::new(),
            answer: None,
            failures: Vec::new(),
        }
    }

    pub(super) fn down_until_ms(&self) -> i64 {
        self.down_until_ms
    }

    pub(super) fn happen(
        &mut self,
        happening: &Happening<'_>,
        at_ms: i64,
        read: &impl Fn(&str) -> Result<Arc<Config>>,
    ) -> Result<()> {
        let now_ms = self.start_ms + at_ms.max(self.down_until_ms);
        match happening {
            Happening::Event(step, n) => {
                let event = self.event(step, *n, self.start_ms + at_ms, now_ms)?;
                if at_ms < self.down_until_ms {
                    self.unread.push(event);
                } else {
                    self.router.step(Input::Event(event));
                }
            }
            Happening::Command(step, number) => self.command(step, *number, now_ms)?,
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
            Happening::Partition(step) => self.partition_news(step, now_ms)?,
            Happening::Restart => {
                self.restart()?;
                self.open_sources();
            }
            Happening::Down(down_ms) => {
                self.shelf.write(self.router.deltas());
                self.down_until_ms = at_ms + down_ms;
            }
            Happening::Config(text) => {
                self.config = read(text)?;
                self.router.step(Input::Configuration(Arc::clone(&self.config)));
            }
            Happening::Courier(courier) => self.courier = *courier,
        }
        Ok(())
    }

    /// Writes the state and goes on with what can be read of it.
    pub(super) fn restart(&mut self) -> Result<()> {
        self.shelf.write(self.router.deltas());
        let now_ms = self.router.now_ms();
        self.restore(now_ms)
    }

    fn restore(&mut self, now_ms: i64) -> Result<()> {
        let (router, problems) = Router::restore(Arc::clone(&self.config), now_ms, self.shelf.saved());
        ensure!(problems.is_empty(), "what was saved was not understood: {problems:?}");
        self.router = router;
        Ok(())
    }

    fn open_sources(&mut self) {
        for (name, partition) in &self.partitions {
            let (source, name) = (partition.source.as_str().into(), name.as_str().into());
            self.router.step(Input::Partition(partition.id, PartitionNews::Opened { source, name }));
        }
    }

    /// Lets time pass and takes what is due.
    pub(super) fn pass(&mut self, at_ms: i64) -> Result<()> {
        let now_ms = self.start_ms + at_ms;
        if self.down_until_ms > i64::MIN {
            self.down_until_ms = i64::MIN;
            self.restore(now_ms)?;
            self.open_sources();
            for event in std::mem::take(&mut self.unread) {
                self.router.step(Input::Event(event));
            }
        }
        for partition in self.partitions.values().filter(|partition| partition.is_caught_up) {
            self.router.step(Input::Partition(partition.id, PartitionNews::CaughtUp(now_ms)));
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
                Courier::Refuses => Outcome::Refused("the courier refuses".to_owned()),
            };
            self.router.step(Input::Receipt(receipt(outcome)));
            if self.courier == Courier::Up {
                self.came.push(Came { intent, sent_ms: Some(at_ms) });
            }
        }
        Ok(())
    }

    fn partition(&mut self, name: &str, source: &str) -> PartitionId {
        if let Some(partition) = self.partitions.get(name) {
            return partition.id;
        }
        let id = PartitionId(self.partitions.len() as u32);
        let partition = Partition { id, source: source.to_owned(), is_caught_up: true };
        self.partitions.insert(name.to_owned(), partition);
        self.router
            .step(Input::Partition(id, PartitionNews::Opened { source: source.into(), name: name.into() }));
        id
    }

    fn partition_news(&mut self, step: &PartitionStep, now_ms: i64) -> Result<()> {
        let id = self.partition(&step.name, &step.source);
        let (is_caught_up, news) = match step.is.as_str() {
            "behind" => (false, PartitionNews::Behind),
            "lost" => (false, PartitionNews::Disconnected("it went away".into())),
            "closed" => (false, PartitionNews::Closed),
            "caught-up" => (true, PartitionNews::CaughtUp(now_ms)),
            other => anyhow::bail!("wanted behind, lost, closed or caught-up, found `{other}`"),
        };
        if let Some(partition) = self.partitions.get_mut(&step.name) {
            partition.is_caught_up = is_caught_up;
        }
        self.router.step(Input::Partition(id, news));
        Ok(())
    }

    fn event(&mut self, step: &EventStep, n: i64, at_ms: i64, now_ms: i64) -> Result<Event> {
        let source = step.source.as_deref().unwrap_or("main");
        let partition = self.partition(step.partition.as_deref().unwrap_or("main"), source);
        self.offset += 1;
        let numbered = |text: &str| text.replace("{n}", &n.to_string());
        let message = self.message(step, n);
        let at_ms = match &step.time {
            Some(time) => self.start_ms + duration(time)?,
            None => at_ms,
        };
        let text = |text: &Option<String>| text.as_deref().map(|text| Arc::<str>::from(numbered(text)));
        let plain = |value: &toml::Value| match value {
            toml::Value::String(text) => numbered(text),
            other => other.to_string(),
        };
        let fields =
            step.vars.iter().map(|(name, value)| (name.as_str().into(), plain(value).into_boxed_str()));
        let line = step.text.as_deref().map_or_else(|| message.template.to_string(), numbered);
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
            text: line.into(),
            message,
            values: Box::default(),
            fields: fields.collect(),
        })
    }

    fn message(&mut self, step: &EventStep, n: i64) -> Arc<Message> {
        let template = step.message.as_deref().or(step.text.as_deref()).unwrap_or("something happened");
        let template = template.replace("{n}", &n.to_string());
        let service = step.service.as_deref().filter(|_| step.unmatched);
        let told = format!("{template}\0{:?}\0{:?}\0{service:?}", step.annotations, step.author);
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
        let repo = step.repo.as_deref().unwrap_or("app");
        let id = if step.unmatched {
            MessageId::of_unmatched(step.service.as_deref().unwrap_or_default(), &template)
        } else {
            name_of(repo, &template)
        };
        let message = Arc::new(Message {
            id,
            was: step.was.iter().map(|was| name_of(repo, was)).collect(),
            repo: repo.into(),
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

    fn command(&mut self, step: &CommandStep, number: usize, now_ms: i64) -> Result<()> {
        ensure!(now_ms >= self.router.now_ms(), "nobody answers while the process is down");
        let id = step.call.clone().unwrap_or_else(|| format!("step {number}"));
        let act = self.act(&step.act, now_ms)?;
        let command = Command { id, actor: step.by.clone(), at_ms: now_ms, act };
        let answer = self.router.step(Input::Command(command)).context("a command has no answer")?;
        let wanted = step.refused.as_ref().or(step.answer.as_ref());
        if answer.is_done == step.refused.is_some() || wanted.is_some_and(|part| !answer.text.contains(part))
        {
            let done = if answer.is_done { "done" } else { "refused" };
            self.failures.push(format!("{}: {done}: {}", step.by, answer.text));
        }
        self.answer = Some(answer);
        Ok(())
    }

    fn act(&self, act: &toml::Table, now_ms: i64) -> Result<Act> {
        let mut value = serde_json::to_value(act)?;
        self.fill(&mut value)?;
        if let (Some("silence"), Some(fields)) =
            (act.get("act").and_then(toml::Value::as_str), value.as_object_mut())
        {
            for (name, usual) in
                [("starts_ms", now_ms.into()), ("notify_on_expiry", true.into()), ("preview", false.into())]
            {
                fields.entry(name).or_insert(usual);
            }
        }
        serde_json::from_value(value).with_context(|| format!("wanted something to do, found {act}"))
    }

    fn fill(&self, value: &mut Value) -> Result<()> {
        match value {
            Value::String(text) if text == "$episode" => {
                let told = self.came.iter().rev().flat_map(|came| &came.intent.notice.rows);
                *text = told.filter_map(|row| row.episode.clone()).next().unwrap_or_default();
            }
            Value::String(text) if text == "$id" => {
                let body = self.answer.as_ref().map(|answer| &answer.body);
                let named = |body: &Value| {
                    ["snooze", "silence", "message"]
                        .iter()
                        .find_map(|name| Some(body.get(name)?.as_str()?.to_owned()))
                };
                *text = body.and_then(named).unwrap_or_default();
            }
            Value::String(text) => {
                if let Some(template) = text.strip_prefix("message:") {
                    let known = self.messages.values().find(|message| &*message.template == template);
                    *text = known.map_or_else(String::new, |message| message.id.to_string());
                }
            }
            Value::Array(values) => values.iter_mut().try_for_each(|value| self.fill(value))?,
            Value::Object(fields) => {
                for (name, value) in fields.iter_mut() {
                    match value.as_str() {
                        Some(text) if name.ends_with("_ms") => {
                            *value = (self.start_ms + duration(text)?).into()
                        }
                        _ => self.fill(value)?,
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn report(mut self, scenario: &Scenario) -> Result<Report> {
        let mut report = Report { n_notices: self.came.len(), failures: self.failures };
        let is_sent = |id: &str| self.came.iter().any(|came| came.intent.id == id);
        let left: Vec<Came> = self
            .router
            .outbox()
            .iter()
            .filter(|intent| !is_sent(&intent.id))
            .map(|intent| Came { intent: intent.clone(), sent_ms: None })
            .collect();
        self.came.extend(left);
        let mut came: Vec<Option<&Came>> = self.came.iter().map(Some).collect();
        for expected in &scenario.expect {
            for at_ms in expected.times()? {
                let mut found = None;
                for each in &mut came {
                    if let Some(it) = each
                        && expected.fits(it, at_ms, self.start_ms)?
                    {
                        found = Some(each);
                        break;
                    }
                }
                match found {
                    Some(found) => *found = None,
                    None => {
                        report.failures.push(format!("missing: {}", expected.shown(at_ms, self.start_ms)));
                    }
                }
            }
        }
        if !scenario.others {
            let rest =
                came.into_iter().flatten().filter(|came| !came.is_left() || !report.failures.is_empty());
            let rest: Vec<String> =
                rest.map(|came| format!("unexpected: {}", came.shown(self.start_ms))).collect();
            report.failures.extend(rest);
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

/// The name of the message with this template.
fn name_of(repo: &str, template: &str) -> MessageId {
    let parts = dice_catalog::Template::new([dice_catalog::Part::text(template)]);
    MessageId::Known(dice_catalog::Fingerprint::of(repo, &parts))
}
