//! What happens to the router from outside: lines, time, people.

use std::sync::Arc;

use dice_catalog::{Fingerprint, Kind, Level, Owner, Part, Template, Why};
use dice_route::condition::Condition;
use dice_route::config::{
    DispatchPolicy, Guard, LaneTimers, Lanes, Receiver, Route, Rule, RuleType, Storm, Timing,
};
use dice_route::outbox::Draft;
use dice_route::{
    Act, Audience, Command, Config, Destination, Event, Input, Lane, Message, MessageId, Notice, NoticeKind,
    NoticeRow, PartitionId, PartitionNews, Scope, Severity,
};

use crate::chance::Chance;
use crate::mind::News;

/// A Monday morning.
pub(crate) const START_MS: i64 = 1_794_819_600_000;

fn rule(id: &str, condition: &str, severity: Severity) -> Arc<Rule> {
    Arc::new(Rule {
        condition: Condition::parse(condition).expect("the condition is valid"),
        key: vec![dice_route::condition::Field::parse("host").expect("the field is valid")],
        timing: Timing { update_every_ms: 5_000, ..Timing::DEFAULT },
        severity,
        ..Rule::new(id, RuleType::Match { quiet_ms: Some(20_000) })
    })
}

fn receiver(courier: &str, settings: &[(&str, &str)]) -> Receiver {
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Receiver { courier: courier.to_owned(), settings: settings.collect() }
}

fn route(id: &str, matcher: Option<(&str, &str)>, to: &[&str]) -> Route {
    let matchers = matcher.map(|(label, value)| dice_route::config::Matcher {
        label: label.to_owned(),
        op: dice_route::config::MatcherOp::Matches,
        value: value.to_owned(),
    });
    Route {
        id: id.to_owned(),
        matchers: matchers.into_iter().collect(),
        to: to.iter().map(|name| (*name).to_owned()).collect(),
        group_by: vec!["rule".to_owned(), "host".to_owned()],
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

/// Slack, mail, a paging service with a second key, a webhook; nothing is held for being too much.
pub(crate) fn config() -> Arc<Config> {
    let many = Guard { count: 1_000_000, within_ms: 60_000 };
    let timers = LaneTimers { group_wait_ms: 0, group_interval_ms: 3_000, repeat_interval_ms: None };
    let receivers = [
        ("pager", receiver("pagerduty", &[("fallback_key_env", "K2")])),
        ("hook", receiver("webhook", &[])),
        ("box", receiver("email", &[])),
    ];
    let mut routes = vec![route("page", Some(("rule", "page")), &["pager", "#pages"])];
    for n in 0..8 {
        let host = format!("h[0-9]*{n}");
        let to = [format!("#alerts-{n}"), if n % 2 == 0 { "hook".to_owned() } else { "box".to_owned() }];
        let to: Vec<&str> = to.iter().map(String::as_str).collect();
        routes.push(route(&format!("alert-{n}"), Some(("host", &host)), &to));
    }
    Arc::new(Config {
        version: "1".to_owned(),
        rules: vec![
            rule("page", "level >= critical", Severity::High),
            rule("alert", "level == error", Severity::Medium),
        ],
        routes,
        lanes: Lanes {
            alert: timers,
            page: timers,
            immediate_ladder_ms: vec![3_000, 10_000, 30_000],
            immediate_quiet_ms: 40_000,
            ..Lanes::default()
        },
        receivers: receivers.into_iter().map(|(name, receiver)| (name.to_owned(), receiver)).collect(),
        slack: Some(receiver("slack", &[])),
        email: Some(receiver("email", &[])),
        dispatch: DispatchPolicy {
            fallback: vec!["#fallback".to_owned(), "ops@corp.example".to_owned()],
            ..DispatchPolicy::default()
        },
        storm: Storm {
            channel: many,
            person: many,
            page: many,
            new_messages_min: 1_000_000,
            noisy_rule_per_hour: 1_000_000,
            ..Storm::default()
        },
        ..Config::default()
    })
}

fn message(n: u64, owner: &str, level: Level) -> Message {
    let template = Template::new([Part::text(format!("message {n} of the test"))]);
    Message {
        repo: "test".into(),
        template: template.to_string().into(),
        place: format!("src/main.c:{n}").into(),
        file: "src/main.c".into(),
        kind: Some(Kind::Log),
        level: Some(level),
        owners: vec![Owner::named(owner, Why::Annotation)],
        ..Message::unknown(MessageId::Known(Fingerprint::of("test", &template)))
    }
}

/// What happens, by true time: lines that make notices of every lane, and clicks, some of them twice or in
/// another order than they were made.
pub(crate) fn inputs(n: u64, span_ms: i64, chance: &mut Chance) -> Vec<(i64, News)> {
    let opened = PartitionNews::Opened { source: "app".into(), name: "app.log".into() };
    let mut inputs = vec![(START_MS, Input::Partition(PartitionId(0), opened))];
    for number in 0..n {
        let at_ms = START_MS + chance.between(0, span_ms);
        let sort = chance.below(10);
        let level = match sort {
            0..2 => Level::Critical,
            2..5 => Level::Error,
            _ => Level::Info,
        };
        let owner = match chance.below(8) {
            0 => "@ann".to_owned(),
            1 => "bob@corp.example".to_owned(),
            _ => format!("#channel-{}", chance.below(12)),
        };
        let message = Arc::new(message(number, &owner, level));
        // Some of what is told goes on.
        let more = if sort >= 5 && chance.hits(5_000) { chance.below(4) } else { 0 };
        for again in 0..=more {
            let at_ms = at_ms + i64::try_from(again).expect("it is small") * 4_000;
            inputs.push((
                at_ms,
                Input::Event(Event {
                    partition: PartitionId(0),
                    offset: 0,
                    at_ms: Some(at_ms),
                    ingested_ms: at_ms,
                    message: Arc::clone(&message),
                    level: Some(level),
                    source: "app".into(),
                    host: Some(format!("h{}", number % 100).into()),
                    service: None,
                    env: None,
                    version: None,
                    trace: None,
                    text: message.template.to_string().into(),
                    values: Box::default(),
                    fields: Box::default(),
                }),
            ));
        }
        if chance.hits(600) {
            let at_ms = at_ms + chance.between(0, 8_000);
            let command = Command {
                id: format!("click-{number}"),
                actor: "ann@corp.example".to_owned(),
                at_ms,
                act: Act::Snooze {
                    scope: Scope::Message(message.id.to_string()),
                    audience: Audience::Everyone,
                    until: "30m".to_owned(),
                    reason: None,
                },
            };
            inputs.push((at_ms + chance.between(0, 3_000), Input::Command(command.clone())));
            if chance.hits(3_000) {
                inputs.push((at_ms + chance.between(0, 9_000), Input::Command(command)));
            }
        }
    }
    inputs.sort_by_key(|(at_ms, _)| *at_ms);
    let mut offset = 0;
    for (_, input) in &mut inputs {
        if let Input::Event(event) = input {
            offset += 1;
            event.offset = offset;
        }
    }
    inputs.into_iter().map(|(at_ms, input)| (at_ms, News::Input(input))).collect()
}

/// What is told without anybody deciding it: stories of a subject each, in every lane and everywhere. Much
/// less work than lines.
pub(crate) fn drafts(n: u64, span_ms: i64, chance: &mut Chance) -> Vec<(i64, News)> {
    let mut drafts = Vec::new();
    let mut number = 0;
    while number < n {
        let at_ms = START_MS + chance.between(0, span_ms);
        let subject = format!("s{number}");
        let (lane, destination) = match chance.below(12) {
            0..2 => (Lane::Page, "pager".to_owned()),
            2 => (Lane::Page, "@ann".to_owned()),
            3 => (Lane::Alert, "hook".to_owned()),
            4 => (Lane::Alert, "box".to_owned()),
            5 if chance.hits(5_000) => (Lane::Digest, format!("#team-{}", chance.below(20))),
            5 => (Lane::Digest, format!("person-{}@corp.example", chance.below(20))),
            6..8 => (Lane::Alert, format!("#alerts-{}", chance.below(30))),
            _ => (Lane::Immediate, format!("#channel-{}", chance.below(30))),
        };
        // A digest takes a message, or several.
        let n_rows = if lane == Lane::Digest { chance.below(12) } else { 0 };
        let row = |n: u64| NoticeRow { title: format!("{subject} row {n}"), ..NoticeRow::default() };
        let draft = |revision: u32, kind, follows| Draft {
            destination: Destination::named(&destination),
            lane,
            kind,
            subject: subject.clone(),
            revision,
            follows,
            due_ms: 0,
            held: None,
            notice: Notice {
                title: subject.clone(),
                rows: (0..n_rows).map(row).collect(),
                ..Notice::default()
            },
        };
        let kind = if lane == Lane::Digest { NoticeKind::Digest } else { NoticeKind::Open };
        let first = draft(0, kind, None);
        let name = first.id();
        drafts.push((at_ms, News::Draft(first)));
        let more =
            if lane == Lane::Digest { 0 } else { u32::try_from(chance.below(5)).expect("it is small") };
        let mut told_ms = at_ms;
        for revision in 1..=more {
            told_ms += chance.between(200, 15_000);
            let kind = match (revision == more, chance.below(8)) {
                (true, _) => NoticeKind::Resolved,
                (_, 0) => NoticeKind::Reminder,
                _ => NoticeKind::Update,
            };
            drafts.push((told_ms, News::Draft(draft(revision, kind, Some(name.clone())))));
        }
        number += 1 + u64::from(more);
        if n_rows > 0 && chance.hits(1_000) {
            let snoozed_ms = at_ms + chance.between(0, 30_000);
            let title = row(chance.below(n_rows)).title;
            drafts.push((snoozed_ms, News::Withdraw(subject.clone(), title)));
        }
        if chance.hits(300) {
            let snoozed_ms = at_ms + chance.between(0, 20_000);
            drafts.push((snoozed_ms, News::Hide(subject.clone())));
            if chance.hits(3_000) {
                drafts.push((snoozed_ms + chance.between(0, 5_000), News::Hide(subject)));
            }
        }
    }
    drafts.sort_by_key(|(at_ms, _)| *at_ms);
    drafts
}
