//! A timetable goes in, and comes out again with what was told.
//!
//! Each line is a time and what happens then; lines with an arrow are notices. The story is run through once
//! as it stands and once with the whole state written and read back all the time: both must tell the same,
//! and keep the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use dice_catalog::{Kind, Level, Owner, Why};
use dice_route::book::{Delta, Table};
use dice_route::config::{Matcher, MatcherOp, Policy, Route, Rule, RuleType};
use dice_route::manager::Alert;
use dice_route::{
    Act, Answer, Audience, Change, CloseReason, Command, Config, EpisodeId, Event, Evidence, Key, Lane,
    Manager, Message, MessageId, NoticeKind, Outcome, PartitionId, Presence, Receipt, Scope, Severity,
    Stamped, State, Transition,
};

/// A Friday, eight o'clock in London.
const BEGIN_MS: i64 = 1_800_000_000_000;

/// What a story plays in: a configuration, and messages by name with their owners.
pub(crate) struct Scene {
    pub(crate) config: Config,
    pub(crate) messages: Vec<(&'static str, Message)>,
    /// The configuration after it was reloaded, where it is another one.
    next: Option<Config>,
}

/// A configuration with a rule for each of these.
pub(crate) fn scene(rules: &[(&str, Severity)]) -> Scene {
    let config = Config {
        policies: silent_policies(),
        rules: rules.iter().map(|(id, severity)| Arc::new(rule(id, *severity))).collect(),
        ..Config::default()
    };
    Scene { config, messages: Vec::new(), next: None }
}

/// Nobody hears of anything twice, unless the story brings policies of its own.
fn silent_policies() -> BTreeMap<String, Policy> {
    let silent = Policy { steps: Vec::new(), repeat: 0, ack_timeout_ms: 0, resolve_quietly: false };
    ["low", "medium", "high", "critical"].map(|name| (name.to_owned(), silent.clone())).into()
}

impl Scene {
    /// With other settings.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Config)) -> Scene {
        change(&mut self.config);
        self
    }

    /// With a configuration that is another one after it was reloaded.
    pub(crate) fn then(mut self, change: impl FnOnce(&mut Config)) -> Scene {
        change(self.next.insert(self.config.clone()));
        self
    }

    /// With a message; owners are written `#ops/annotation`.
    pub(crate) fn message(mut self, name: &'static str, level: Level, owners: &[(&str, Why)]) -> Scene {
        let owners = owners.iter().map(|(name, why)| Owner::named(name, *why)).collect();
        self.messages.push((name, message(name, level, owners)));
        self
    }
}

fn message(name: &str, level: Level, owners: Vec<Owner>) -> Message {
    Message {
        repo: "repo".into(),
        template: format!("{name} <*>").into(),
        place: "src/a.c:1".into(),
        file: "src/a.c".into(),
        kind: Some(Kind::Log),
        level: Some(level),
        holes: vec![None],
        owners,
        ..Message::unknown(MessageId::of_unmatched("story", name))
    }
}

/// A rule that says whatever the story says.
pub(crate) fn rule(id: &str, severity: Severity) -> Rule {
    Rule {
        severity,
        summary: Some(format!("{id} {{{{reason}}}}")),
        ..Rule::new(id, RuleType::Match { quiet_ms: Some(60_000) })
    }
}

/// A route with its matchers, where to, and groups by rule.
pub(crate) fn route(id: &str, written: &str, to: &[&str]) -> Route {
    Route {
        id: id.to_owned(),
        matchers: matchers(written),
        to: to.iter().map(|name| (*name).to_owned()).collect(),
        group_by: vec!["rule".to_owned()],
        lane: None,
        timers: None,
        policy: None,
        send_resolved: true,
        is_continued: false,
        active_in: Vec::new(),
        muted_in: Vec::new(),
        routes: Vec::new(),
    }
}

/// `a=b c!=d`: matchers as they are written.
pub(crate) fn matchers(written: &str) -> Vec<Matcher> {
    let one = |text: &str| {
        let signs = [
            ("!=", MatcherOp::NotEqual),
            ("=~", MatcherOp::Matches),
            ("!~", MatcherOp::MatchesNot),
            ("=", MatcherOp::Equal),
        ];
        let found = signs.into_iter().find_map(|(sign, op)| Some((text.split_once(sign)?, op)));
        let ((label, value), op) = found.unwrap();
        Matcher { label: label.to_owned(), op, value: value.to_owned() }
    };
    written.split_whitespace().map(one).collect()
}

/// Runs the story, and says where it goes another way.
#[track_caller]
pub(crate) fn check(scene: Scene, story: &str) {
    let told = tidy(story);
    let once = play(&scene, &told);
    assert!(once == told, "the story goes like this:\n{once}\n");
}

/// What a story tells, whether everything is written down and read back all the time or not.
#[track_caller]
pub(crate) fn play(scene: &Scene, story: &str) -> String {
    let (once, store) = Run::of(scene, story, false);
    let (again, restored) = Run::of(scene, story, true);
    assert!(again == once, "without restarts:\n{once}\nwith restarts:\n{again}\n");
    for (row, body) in &store {
        assert_eq!(restored.get(row), Some(body), "{row:?} differs with restarts");
    }
    assert_eq!(store.len(), restored.len(), "rows are left over with restarts");
    once
}

fn tidy(story: &str) -> String {
    let lines = story.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| format!("{line}\n")).collect()
}

type Store = BTreeMap<(Table, String), String>;

pub(crate) struct Run<'a> {
    scene: &'a Scene,
    pub(crate) manager: Manager,
    config: Arc<Config>,
    messages: BTreeMap<&'static str, Arc<Message>>,
    store: Store,
    restarts: bool,
    now_ms: i64,
    offset: u64,
    seen: BTreeMap<String, ()>,
    /// Episodes by rule and key, with their evidence.
    episodes: BTreeMap<String, (Transition, u64)>,
    told: String,
}

impl<'a> Run<'a> {
    /// Before anything has happened.
    pub(crate) fn new(scene: &'a Scene, restarts: bool) -> Run<'a> {
        let config = Arc::new(scene.config.clone());
        let messages =
            scene.messages.iter().map(|(name, message)| (*name, Arc::new(message.clone()))).collect();
        let mut run = Run {
            scene,
            manager: Manager::default(),
            config: config.clone(),
            messages,
            store: Store::new(),
            restarts,
            now_ms: 0,
            offset: 0,
            seen: BTreeMap::new(),
            episodes: BTreeMap::new(),
            told: String::new(),
        };
        run.manager.configure(&config, BEGIN_MS);
        run
    }

    fn of(scene: &'a Scene, story: &str, restarts: bool) -> (String, Store) {
        let mut run = Run::new(scene, restarts);
        for line in story.lines() {
            let (time, what) = line.split_once(' ').unwrap();
            if what.starts_with("->") {
                continue;
            }
            let at_ms = span(time);
            assert!(at_ms >= run.now_ms, "{line}: time goes on");
            if let Some(end) = what.strip_prefix("down until ") {
                run.pass(at_ms);
                run.told.push_str(&format!("{line}\n"));
                run.restart();
                run.now_ms = span(end);
                run.tick();
                continue;
            }
            run.pass(at_ms);
            run.told.push_str(&format!("{line}\n"));
            run.act(what);
            run.report();
            run.tick();
        }
        run.save();
        (run.told, run.store)
    }

    /// Lets time pass up to a moment: a tick a second, and fewer when nothing has happened for long.
    fn pass(&mut self, until_ms: i64) {
        let from_ms = self.now_ms;
        while self.now_ms < until_ms {
            let step_ms = if self.now_ms - from_ms < 1_200_000 { 1_000 } else { 10_000 };
            self.now_ms = (self.now_ms + step_ms).min(until_ms);
            if self.now_ms < until_ms {
                self.tick();
            }
        }
    }

    fn now(&self) -> i64 {
        BEGIN_MS + self.now_ms
    }

    fn tick(&mut self) {
        self.manager.tick(self.now());
        self.report();
        if self.now_ms % 300_000 == 0 {
            self.restart();
        }
    }

    fn act(&mut self, what: &str) {
        let mut words = what.split_whitespace();
        let verb = words.next().unwrap();
        let words: Vec<&str> = words.collect();
        let now_ms = self.now();
        match verb {
            "log" => self.log(words[0], &words[1..]),
            "open" | "update" | "close" => self.transition(verb, words[0], &words[1..]),
            "silence" | "preview" => {
                let at = words.iter().position(|word| *word == "for").unwrap();
                let rest = &words[at + 2..];
                let act = Act::Silence {
                    id: value(rest, "id").map(str::to_owned),
                    matchers: matchers(&words[..at].join(" ")),
                    starts_ms: now_ms + value(rest, "after").map_or(0, span),
                    ends_ms: now_ms + value(rest, "after").map_or(0, span) + span(words[at + 1]),
                    comment: "maintenance".to_owned(),
                    receiver: value(rest, "only").map(str::to_owned),
                    notify_on_expiry: !rest.contains(&"drop"),
                    preview: verb == "preview",
                };
                let answer = self.command(act).text.replace('"', "'");
                self.told.push_str(&format!("{} -> answer: {answer}\n", time(self.now_ms)));
            }
            "unsilence" => {
                let id = self.manager.silences().iter().next().map(|silence| silence.name.clone());
                self.command(Act::Unsilence { id: id.unwrap_or_default() });
            }
            "resolve" => {
                let episode = self.episodes.get(words[0]).map(|(open, _)| open.episode.0.to_string());
                let episode =
                    episode.or_else(|| self.manager.immediate().iter().next().map(|on| on.id.clone()));
                self.command(Act::Resolve { episode: episode.unwrap_or_default() });
            }
            "alarm" => self.manager.self_alert(words[0], &words[1..].join(" "), now_ms),
            "calm" => self.manager.self_clear(words[0], now_ms),
            "reload" => {
                self.config = self.scene.next.clone().map_or_else(|| self.config.clone(), Arc::new);
                self.manager.configure(&self.config, now_ms);
            }
            "end" => {}
            "hear" => {
                let news = Presence {
                    person: words[0].to_owned(),
                    at_ms: now_ms,
                    is_online: None,
                    dnd_until_ms: None,
                    zone: value(&words, "zone").map(str::to_owned),
                    is_gone: words.contains(&"gone"),
                };
                self.manager.presence(&news, now_ms);
            }
            actor if actor.starts_with('@') => {
                let act = self.wish(words[0], &words[1..]);
                let id = format!("{what} {}", self.now_ms);
                let command = Command { id, actor: actor.to_owned(), at_ms: now_ms, act };
                let answer = self.manager.command(&command, now_ms);
                // A second click changes nothing.
                self.restart();
                let again = self.manager.command(&command, now_ms);
                assert!(again == answer || !answer.is_done, "{what}: {} {}", answer.text, again.text);
                self.told.push_str(&format!("{} -> answer: {}\n", time(self.now_ms), answer.text));
            }
            "count" => {
                let counts = self.manager.ledger();
                let line = format!("now {} digest {} nobody {}", counts.now, counts.digest, counts.nobody);
                self.told.push_str(&format!("{} -> {line}\n", time(self.now_ms)));
            }
            "records" => self.records(),
            "timeline" => self.timeline(),
            other => panic!("{other} is no verb of a story"),
        }
        self.restart();
    }

    /// What a person wants, in the words of a story.
    fn wish(&self, verb: &str, words: &[&str]) -> Act {
        let message = |name: &str| self.messages[name].id.to_string();
        let episode = |name: &str| match self.episodes.get(name) {
            Some((open, _)) => open.episode.0.to_string(),
            None => self.ongoing(name).unwrap_or_else(|| name.to_owned()),
        };
        let reason = value(words, "because").map(str::to_owned);
        let owned = |name| value(words, name).map(str::to_owned);
        match verb {
            "snooze" => {
                let scope = match words[0].split_once(':').expect("a scope is written rule:cpu") {
                    ("message", name) => Scope::Message(message(name)),
                    ("rule", name) => Scope::Rule(name.to_owned()),
                    ("alert", name) => {
                        let alerts = self.manager.alerts().iter();
                        let of = |(alert, _): &(&Alert, _)| alert.message == self.messages[name].id;
                        let (alert, _) = alerts.into_iter().find(of).expect("it has come");
                        Scope::Alert(alert.id.clone())
                    }
                    ("group", _) => {
                        let group = self.manager.groups().iter().next().expect("there is a group");
                        Scope::Group(group.subject())
                    }
                    (_, name) => Scope::Episode(episode(name)),
                };
                let audience = match words[2] {
                    "me" => Audience::Person("me".to_owned()),
                    "everyone" => Audience::Everyone,
                    name => Audience::Channel(name.to_owned()),
                };
                Act::Snooze { scope, audience, until: words[1].to_owned(), reason }
            }
            "unsnooze" => {
                let snooze = self.manager.snoozes().list().next().expect("there is a snooze");
                Act::Unsnooze { id: snooze.id.clone() }
            }
            "not-me" => {
                let (person, proposed) = (owned("person"), owned("to"));
                Act::NotMe { message: message(words[0]), person, proposed, reason }
            }
            "assign" => Act::Assign { message: message(words[0]), owner: words[1].to_owned(), reason },
            "unassign" => Act::Unassign { message: message(words[0]) },
            "ack" => Act::Ack { episode: episode(words[0]) },
            "unack" => Act::Unack { episode: episode(words[0]) },
            "apply" => Act::ApplyPolicies,
            other => panic!("{other} is nothing that a person does"),
        }
    }

    /// The name under which a message is told as it happens, if it is.
    fn ongoing(&self, name: &str) -> Option<String> {
        let id = self.messages.get(name)?.id;
        let alerts = self.manager.alerts();
        let is_it = |alert: &str| alerts.get(alert).is_some_and(|(alert, _)| alert.message == id);
        let mut ongoing = self.manager.immediate().iter();
        ongoing.find(|ongoing| is_it(&ongoing.alert)).map(|ongoing| ongoing.id.clone())
    }

    fn command(&mut self, act: Act) -> Answer {
        let command =
            Command { id: format!("c{}", self.now_ms), actor: "@ann".to_owned(), at_ms: self.now(), act };
        self.manager.command(&command, self.now())
    }

    /// What was written down, without what people did, by cause with its count.
    fn records(&mut self) {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for record in self.manager.records().iter() {
            let cause = serde_json::to_value(record.cause).unwrap();
            *counts.entry(cause.as_str().unwrap().to_owned()).or_default() += record.count;
        }
        let counts: Vec<String> = counts.iter().map(|(cause, count)| format!("{cause} {count}")).collect();
        self.told.push_str(&format!("{} -> {}\n", time(self.now_ms), counts.join(", ")));
    }

    fn timeline(&mut self) {
        let groups: Vec<String> = self.manager.groups().iter().map(|group| group.name.clone()).collect();
        let ongoing = self.manager.immediate().iter().map(|ongoing| ongoing.id.clone());
        let groups: Vec<String> = groups.into_iter().chain(ongoing).collect();
        for moment in groups.iter().flat_map(|group| self.manager.timeline(group)) {
            let next = if moment.is_next { "next " } else { "" };
            let at = time(moment.at_ms - BEGIN_MS);
            self.told.push_str(&format!("{} -> {next}{at} {}\n", time(self.now_ms), moment.text));
        }
    }

    fn log(&mut self, name: &str, words: &[&str]) {
        let message =
            self.messages.get(name).unwrap_or_else(|| panic!("no message is called {name}")).clone();
        let n: u64 = value(words, "x").map_or(1, |n| n.parse().unwrap());
        let text = |field| value(words, field).map(Arc::from);
        for _ in 0..n {
            self.offset += 1;
            let event = Event {
                partition: PartitionId(0),
                offset: self.offset,
                at_ms: Some(self.now()),
                ingested_ms: self.now(),
                level: value(words, "level").and_then(Level::from_word).or(message.level),
                message: message.clone(),
                source: "test".into(),
                host: text("host"),
                service: text("service"),
                env: text("env"),
                version: text("by"),
                trace: text("trace"),
                text: format!("{name} sda").into(),
                values: Box::default(),
                fields: Box::default(),
            };
            let at_ms = self.now() + value(words, "at").map_or(0, span);
            let stamped = Stamped { event: &event, at_ms, is_late: value(words, "at").is_some() };
            self.manager.occur(&stamped, self.now());
        }
    }

    fn transition(&mut self, verb: &str, rule: &str, words: &[&str]) {
        let key = value(words, "key").unwrap_or_default();
        let name = format!("{rule}{key}");
        let (mut transition, seq) = match self.episodes.get(&name) {
            Some((known, seq)) if verb != "open" => (known.clone(), *seq),
            known => {
                let seq = known.map_or(1, |(_, seq)| seq + 1);
                (self.opening(rule, key, seq, words), seq)
            }
        };
        if let Some(count) = value(words, "count") {
            transition.evidence.count = count.parse().unwrap();
        }
        transition.n += u32::from(verb != "open");
        transition.change = match verb {
            "open" => Change::Open,
            "update" => Change::Update,
            _ if words.contains(&"instant") => Change::Close(CloseReason::Instant),
            _ => Change::Close(CloseReason::Cleared),
        };
        self.manager.transition(&transition, self.now());
        self.episodes.insert(name, (transition, seq));
    }

    fn opening(&self, rule: &str, key: &str, seq: u64, words: &[&str]) -> Transition {
        let list = |field| value(words, field).map(Arc::from).into_iter().collect::<Vec<Arc<str>>>();
        let messages = value(words, "log").map(|name| self.messages[name].id);
        let key = Key::of(Some(key).filter(|key| !key.is_empty()));
        Transition {
            episode: EpisodeId::of(rule, 1, &key, seq),
            rule: rule.into(),
            seq,
            n: 0,
            change: Change::Open,
            at_ms: self.now() - value(words, "began").map_or(0, span),
            is_early: false,
            is_late: false,
            reason: format!("fires{}", key.values().iter().map(|key| format!(" {key}")).collect::<String>()),
            key,
            evidence: Evidence {
                count: 1,
                hosts: list("host").into_iter().map(|host| (host, 1)).collect(),
                services: list("service"),
                traces: list("trace"),
                messages: messages.into_iter().collect(),
                ..Evidence::default()
            },
        }
    }

    /// Tells what is new in the outbox, and lets it arrive.
    fn report(&mut self) {
        let due: Vec<String> =
            self.manager.outbox().due(self.now()).iter().map(|intent| intent.id.clone()).collect();
        let mut lines = Vec::new();
        for intent in self.manager.outbox().iter() {
            if self.seen.insert(intent.id.clone(), ()).is_some() {
                continue;
            }
            let kind = serde_json::to_value(intent.kind).unwrap();
            let lane = if intent.lane == Lane::Page { "page " } else { "" };
            let notice = &intent.notice;
            let rows: Vec<String> = notice
                .rows
                .iter()
                .map(|row| {
                    let title = if notice.rows.len() > 1 { format!("{} ", row.title) } else { String::new() };
                    format!("{title}×{} {}", row.evidence.count, row.state)
                })
                .collect();
            let rows = if rows.is_empty() { String::new() } else { format!(" [{}]", rows.join(", ")) };
            let notes: String = notice.notes.iter().map(|note| format!(" ~ {note}")).collect();
            let held = if intent.state == State::Held { "held " } else { "" };
            let is_first = matches!(
                intent.kind,
                NoticeKind::Open | NoticeKind::Storm | NoticeKind::SelfAlert | NoticeKind::Digest
            );
            // What a snooze hid and a step of an escalation may be the first that somebody hears.
            let may_be = matches!(intent.kind, NoticeKind::Escalation | NoticeKind::Summary);
            assert!(
                intent.follows.is_some() != is_first || may_be,
                "only what comes first follows nothing: {intent:?}"
            );
            lines.push((
                intent.created_ms,
                format!(
                    "{} -> {held}{lane}{} {}: {}{rows}{notes}\n",
                    time(self.now_ms),
                    intent.destination.name(),
                    kind.as_str().unwrap(),
                    notice.title
                ),
            ));
        }
        lines.sort();
        lines.into_iter().for_each(|(_, line)| self.told.push_str(&line));
        for intent in due {
            for outcome in [Outcome::Sending, Outcome::Delivered("ts".to_owned())] {
                let receipt = Receipt { intent: intent.clone(), at_ms: self.now(), outcome };
                self.manager.receipt(&receipt, self.now());
            }
        }
    }

    fn save(&mut self) {
        let mut deltas = Vec::new();
        self.manager.deltas(&mut deltas);
        for delta in deltas {
            match delta {
                Delta::Put { table, id, body } => self.store.insert((table, id), body),
                Delta::Delete { table, id } => self.store.remove(&(table, id)),
                other => panic!("the manager keeps no {other:?}"),
            };
        }
    }

    /// Writes everything down and reads it back into a manager that knows nothing.
    fn restart(&mut self) {
        if !self.restarts {
            return;
        }
        self.save();
        self.manager = Manager::default();
        for ((table, id), body) in &self.store {
            self.manager.restore(*table, id, body).unwrap();
        }
        self.manager.configure(&self.config, self.now());
        // Another process has other copies of the same messages.
        self.messages =
            self.scene.messages.iter().map(|(name, message)| (*name, Arc::new(message.clone()))).collect();
    }
}

fn value<'w>(words: &[&'w str], name: &str) -> Option<&'w str> {
    words.iter().find_map(|word| {
        let value = word.strip_prefix(name)?;
        value.strip_prefix('=').or_else(|| (name == "x" && value.parse::<u64>().is_ok()).then_some(value))
    })
}

/// `1h2m3s`, also with a minus before it.
fn span(text: &str) -> i64 {
    if let Some(text) = text.strip_prefix('-') {
        return -span(text);
    }
    let (mut total, mut number) = (0, 0);
    for c in text.chars() {
        match c {
            '0'..='9' => number = number * 10 + i64::from(c as u32 - '0' as u32),
            _ => {
                let unit = match c {
                    'd' => 86_400_000,
                    'h' => 3_600_000,
                    'm' => 60_000,
                    's' => 1_000,
                    other => panic!("{other} is no unit: {text}"),
                };
                total += number * unit;
                number = 0;
            }
        }
    }
    assert_eq!(number, 0, "{text} has a number without a unit");
    total
}

fn time(ms: i64) -> String {
    let mut rest = ms / 1000;
    let mut text = String::new();
    for (size, unit) in [(86_400, 'd'), (3_600, 'h'), (60, 'm'), (1, 's')] {
        if rest >= size {
            text.push_str(&format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}
