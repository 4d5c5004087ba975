//! By which account a destination is reached.

use std::collections::BTreeMap;

use crate::config::{DispatchPolicy, Receiver};
use crate::{Config, Destination, Intent, Lane, NoticeKind};

/// A sort of courier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CourierKind {
    /// Where the router runs.
    Terminal,
    /// A Slack workspace.
    Slack,
    /// A PagerDuty service.
    PagerDuty,
    /// Mail.
    Email,
    /// An address that notices are posted to.
    Webhook,
    /// An Alertmanager.
    Alertmanager,
}

impl CourierKind {
    /// The one with this name in the configuration; the terminal where there is none.
    pub fn named(name: &str) -> CourierKind {
        match name {
            "slack" => CourierKind::Slack,
            "pagerduty" => CourierKind::PagerDuty,
            "email" => CourierKind::Email,
            "webhook" => CourierKind::Webhook,
            "alertmanager" => CourierKind::Alertmanager,
            _ => CourierKind::Terminal,
        }
    }

    /// An attempt ends within this, milliseconds.
    pub fn deadline_ms(self, policy: &DispatchPolicy) -> i64 {
        match self {
            CourierKind::Email => policy.email_deadline_ms,
            CourierKind::Webhook | CourierKind::Alertmanager => policy.webhook_deadline_ms,
            CourierKind::Terminal | CourierKind::Slack | CourierKind::PagerDuty => policy.deadline_ms,
        }
    }
}

/// What a call does at the other side, as far as limits tell calls apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallKind {
    /// Says something new.
    Post,
    /// Changes what was said.
    Update,
    /// Looks whether something was said.
    Find,
}

/// What may be done about an attempt that may have arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// It can be looked for.
    Look,
    /// It does no harm twice: the other side knows it by its name.
    Repeat,
    /// It does no harm twice, once nothing of the first attempt is on its way any more: it says how things
    /// stand, and an older word must not come last.
    Settle,
    /// Nobody can find out: it is told again, with a word, after this long.
    Mark(i64),
}

impl Doubt {
    /// It is sent again without a look, so an attempt that was slow may come after the one that is known of.
    pub(super) fn is_repeated(self) -> bool {
        matches!(self, Doubt::Repeat | Doubt::Settle)
    }
}

/// Which courier's account carries a notice, and what that courier calls the destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The sort of courier.
    pub courier: CourierKind,
    /// The account: see [`accounts`]; `terminal` for the terminal.
    pub account: String,
    /// The destination as this courier knows it: a channel for a team, an address for a person by mail.
    pub destination: Destination,
}

/// The account of `[slack]`, and of its receivers that have no token of their own.
pub const SLACK: &str = "slack";
/// The account of `[email]`.
pub const EMAIL: &str = "email";
/// The terminal, which carries what nobody else can.
pub const TERMINAL: &str = "terminal";
/// Between a paging service's name and nothing: its second key.
const SECOND_KEY: &str = "/fallback";
/// The setting that names the second key.
const SECOND_KEY_ENV: &str = "fallback_key_env";

/// Every account that notices leave by, with what its courier needs, by name: `slack`, `email`, the receivers
/// that are accounts of their own, and `NAME/fallback` for the second key of a paging service.
///
/// Settings that a receiver does not have come from `[slack]` or `[email]`.
pub fn accounts(config: &Config) -> BTreeMap<String, Receiver> {
    let mut accounts = BTreeMap::new();
    accounts.extend(config.slack.clone().map(|slack| (SLACK.to_owned(), slack)));
    accounts.extend(config.email.clone().map(|email| (EMAIL.to_owned(), email)));
    for (name, receiver) in &config.receivers {
        let general = match CourierKind::named(&receiver.courier) {
            CourierKind::Terminal => continue,
            CourierKind::Slack if !receiver.settings.contains_key("token_env") => continue,
            CourierKind::Slack => config.slack.as_ref(),
            CourierKind::Email => config.email.as_ref(),
            _ => None,
        };
        let mut merged = receiver.clone();
        for (key, value) in general.into_iter().flat_map(|general| &general.settings) {
            merged.settings.entry(key.clone()).or_insert_with(|| value.clone());
        }
        if let Some(second) = merged.settings.get(SECOND_KEY_ENV).cloned() {
            let mut other = merged.clone();
            other.settings.insert("routing_key_env".to_owned(), second);
            if let Some(region) = other.settings.remove("fallback_region") {
                other.settings.insert("region".to_owned(), region);
            }
            accounts.insert(format!("{name}{SECOND_KEY}"), other);
        }
        accounts.insert(name.clone(), merged);
    }
    accounts
}

/// The ways to a destination, the best first. A destination that nobody can carry has none.
pub(super) fn ways(destination: &Destination, config: &Config) -> Vec<Way> {
    let by_slack = |destination: Destination| {
        let way = Way { courier: CourierKind::Slack, account: SLACK.to_owned(), destination };
        config.slack.as_ref().map(|_| way)
    };
    match destination {
        Destination::Channel(_) => by_slack(destination.clone()).into_iter().collect(),
        Destination::Person(name) => {
            let by_mail = config.email.as_ref().and_then(|_| address(name, config)).map(|address| Way {
                courier: CourierKind::Email,
                account: EMAIL.to_owned(),
                destination: Destination::Person(address),
            });
            by_slack(destination.clone()).into_iter().chain(by_mail).collect()
        }
        Destination::Team(name) => {
            let channel = config.teams.get(name).and_then(|team| team.channel.clone());
            channel.and_then(|channel| by_slack(Destination::Channel(channel))).into_iter().collect()
        }
        Destination::Receiver(name) => {
            let base = name.strip_suffix(SECOND_KEY).unwrap_or(name);
            let Some(receiver) = config.receivers.get(base) else { return Vec::new() };
            let courier = CourierKind::named(&receiver.courier);
            let is_second = base.len() < name.len();
            if courier == CourierKind::Terminal
                || is_second && !receiver.settings.contains_key(SECOND_KEY_ENV)
            {
                return Vec::new();
            }
            let channel = || receiver.settings.get("channel").cloned().map(Destination::Channel);
            if courier != CourierKind::Slack {
                return vec![Way { courier, account: name.clone(), destination: destination.clone() }];
            }
            let Some(channel) = channel() else { return Vec::new() };
            if receiver.settings.contains_key("token_env") {
                return vec![Way { courier, account: name.clone(), destination: channel }];
            }
            by_slack(channel).into_iter().collect()
        }
    }
}

/// The terminal, for what nobody else carries.
pub(super) fn terminal(destination: &Destination) -> Way {
    Way { courier: CourierKind::Terminal, account: TERMINAL.to_owned(), destination: destination.clone() }
}

/// Where a person is written to.
fn address(name: &str, config: &Config) -> Option<String> {
    if name.contains('@') && !name.starts_with('@') {
        return Some(name.to_owned());
    }
    let person =
        config.people.get(name).or_else(|| config.people.values().find(|known| known.handle == name));
    person.and_then(|person| person.emails.first().cloned())
}

/// Whom else a page is told to that nobody took: the second key of a paging service first, then those that
/// the configuration names.
pub(super) fn stand_ins(row: &Intent, config: &Config) -> Vec<Destination> {
    let Destination::Receiver(name) = &row.destination else { return others(row, config) };
    let second = Destination::Receiver(format!("{name}{SECOND_KEY}"));
    if row.passage.stands_for.is_none() && !ways(&second, config).is_empty() {
        return vec![second];
    }
    others(row, config)
}

fn others(row: &Intent, config: &Config) -> Vec<Destination> {
    let operator = || Destination::Receiver(crate::manager::OPERATOR.to_owned());
    let triage = || config.ownership.triage.as_deref().map_or_else(operator, Destination::named);
    let mut others: Vec<Destination> =
        config.dispatch.fallback.iter().map(|name| Destination::named(name)).collect();
    if others.is_empty() {
        others.push(triage());
    }
    let name = row.destination.name();
    let base = name.strip_suffix(SECOND_KEY).unwrap_or(name);
    others.retain(|other| other.name() != base);
    if others.is_empty() { vec![operator()] } else { others }
}

/// Whether this is a page that is told otherwise as well when nobody takes it: it wakes one person, or
/// whoever a service wakes.
pub(super) fn wakes_somebody(row: &Intent) -> bool {
    let is_news = matches!(
        row.kind,
        NoticeKind::Open | NoticeKind::Escalation | NoticeKind::Reminder | NoticeKind::Storm
    );
    let is_second = matches!(&row.destination, Destination::Receiver(name) if name.ends_with(SECOND_KEY));
    row.lane == Lane::Page
        && is_news
        && matches!(row.destination, Destination::Person(_) | Destination::Receiver(_))
        && (row.passage.stands_for.is_none() || is_second)
}

impl Way {
    /// What may be done when an attempt by this way may have arrived.
    pub(super) fn doubt(&self, kind: CallKind, lane: Lane, policy: &DispatchPolicy) -> Doubt {
        match self.courier {
            CourierKind::Slack if kind == CallKind::Update => Doubt::Settle,
            CourierKind::Slack => Doubt::Look,
            CourierKind::PagerDuty | CourierKind::Webhook | CourierKind::Alertmanager => Doubt::Repeat,
            CourierKind::Email => Doubt::Mark(patience(lane, policy)),
            // A terminal cannot be asked what it showed.
            CourierKind::Terminal => Doubt::Mark(0),
        }
    }
}

/// How long a notice waits before it is told twice, perhaps. A page does not: twice is better than never.
pub(super) fn patience(lane: Lane, policy: &DispatchPolicy) -> i64 {
    if lane == Lane::Page { 0 } else { policy.park_ms }
}
