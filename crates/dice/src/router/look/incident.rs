//! What is open: episodes of rules, messages that are told as they happen, and Dice's own troubles.

use std::io::{self, Write};
use std::sync::Arc;

use dice_route::config::Target;
use dice_route::manager::{Alarm, Episode, Ongoing, Standing, Told};
use dice_route::{CloseReason, Evidence, Intent, Severity, State};
use serde::Serialize;

use super::delivery::Outbox;
use super::hiding::Veil;
use super::{Look, Time, brief};
use crate::screen::{FAINT, OWNER, STRONG, URGENT, count, plain, short, styled};

/// An episode of a rule, or a message that is told as it happens.
#[derive(Debug, Serialize)]
pub(crate) struct Incident {
    /// `rule` or `immediate`.
    kind: &'static str,
    pub(super) id: String,
    /// `open` or `closed`.
    state: &'static str,
    severity: Severity,
    /// When it began, by the time of the lines.
    since: Time,
    /// When the router knew.
    opened: Time,
    closed: Option<Time>,
    close_reason: Option<CloseReason>,
    pub(super) rule: Option<Arc<str>>,
    key: Vec<String>,
    title: String,
    reason: String,
    pub(super) count: u64,
    first: Option<Time>,
    last: Option<Time>,
    hosts: Vec<Host>,
    more_hosts: u64,
    versions: Vec<Arc<str>>,
    sample: Option<Arc<str>>,
    place: Option<Arc<str>>,
    pub(super) messages: Vec<String>,
    /// The deduplication key, where it is about one.
    pub(super) alert: Option<String>,
    owners: Vec<Answerable>,
    /// Where it is told, and what has been told there.
    told: Vec<Hearing>,
    acked: Option<Acked>,
    escalations: Vec<Stage>,
    hidden: Vec<Veil>,
    /// The episode that probably causes it.
    cause: Option<String>,
    pub(super) groups: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Host {
    pub(super) host: Arc<str>,
    pub(super) count: u64,
}

impl Host {
    pub(super) fn of(evidence: &Evidence) -> Vec<Host> {
        evidence.hosts.iter().map(|(host, count)| Host { host: host.clone(), count: *count }).collect()
    }
}

#[derive(Debug, Serialize)]
struct Answerable {
    name: String,
    why: dice_catalog::Why,
}

/// A destination, and what it has heard.
#[derive(Debug, Serialize)]
struct Hearing {
    destination: String,
    /// When it was first told.
    at: Option<Time>,
    /// Notices that arrived.
    notices: usize,
    /// When its group is looked at, where it has not been told there.
    next: Option<Time>,
    /// What is on its way, held or lost: the state of the last notice that did not arrive.
    waiting: Option<State>,
    why: Option<String>,
}

#[derive(Debug, Serialize)]
struct Acked {
    by: String,
    until: Time,
}

/// An escalation: what comes next.
#[derive(Debug, Serialize)]
struct Stage {
    policy: String,
    /// In words.
    state: String,
    /// The step that comes next, from 1, of how many.
    step: usize,
    steps: usize,
    next: Option<Time>,
    next_to: Vec<String>,
}

/// What is open now, the gravest first, then the oldest; with `is_all` what ended too, the last first.
pub(crate) fn incidents(look: &Look, is_all: bool) -> Vec<Incident> {
    let manager = look.router.manager();
    let outbox = Outbox::of(look);
    let of_rules = manager.episodes().iter().filter(|episode| is_all || episode.is_open());
    let mut all: Vec<Incident> = of_rules.map(|episode| Incident::of_rule(look, &outbox, episode)).collect();
    all.extend(manager.immediate().iter().filter_map(|ongoing| Incident::immediate(look, &outbox, ongoing)));
    all.sort_by_key(Incident::rank);
    all
}

impl Incident {
    /// An order for readers: open before ended, grave before mild, old before young, and of what ended the
    /// last first.
    pub(super) fn rank(&self) -> impl Ord + use<> {
        let at = match self.closed {
            None => self.opened.0,
            Some(closed) => -closed.0,
        };
        (self.closed.is_some(), std::cmp::Reverse(self.severity), at, self.id.clone())
    }

    pub(super) fn of_rule(look: &Look, outbox: &Outbox<'_>, episode: &Episode) -> Incident {
        let manager = look.router.manager();
        let evidence = &episode.evidence;
        let rows = episode.groups.iter().filter_map(|row| manager.groups().get(row));
        let mut groups: Vec<String> = rows.map(|group| group.name.clone()).collect();
        groups.dedup();
        let veils = episode.destinations.iter().filter_map(|destination| {
            let hidden = manager.hides_episode(&episode.id, destination, look.now_ms)?;
            Some(Veil::of(look, destination.name(), hidden))
        });
        let veils = if episode.is_open() { veils.collect() } else { Vec::new() };
        let intents = outbox.about([episode.id.as_str()]);
        let names = episode.destinations.iter().map(|each| each.name().to_owned());
        let escalations: Vec<_> =
            manager.escalations().of(&episode.id).filter(|each| !each.is_superseded).collect();
        let acked = escalations.iter().find_map(|each| match &each.state {
            Standing::Acked { by, until_ms } if each.is_open() => {
                Some(Acked { by: by.clone(), until: Time(*until_ms) })
            }
            _ => None,
        });
        let mut told = hearings(names, &intents);
        for row in episode.groups.iter().filter_map(|row| manager.groups().get(row)) {
            let is_untold = row.members.get(&episode.id).is_some_and(|member| member.told == Told::Nothing);
            let here = told.iter_mut().find(|each| each.destination == row.destination.name());
            if let Some(hearing) = here.filter(|_| is_untold) {
                hearing.next = Some(Time(row.held.as_ref().map_or(row.due_ms, |(until_ms, _)| *until_ms)));
                hearing.why = row.held.as_ref().map(|(_, why)| why.clone());
            }
        }
        let stages = escalations.iter().filter(|each| each.is_open());
        Incident {
            kind: "rule",
            id: episode.id.clone(),
            state: if episode.is_open() { "open" } else { "closed" },
            severity: episode.severity,
            since: Time(episode.began_ms),
            opened: Time(episode.opened_ms),
            closed: episode.closed_ms.map(Time),
            close_reason: episode.close,
            rule: Some(episode.rule.clone()),
            key: episode.key.values(),
            title: episode.title.clone(),
            reason: episode.reason.clone(),
            messages: evidence.messages.iter().map(ToString::to_string).collect(),
            alert: None,
            owners: episode
                .owners
                .iter()
                .map(|owner| Answerable { name: owner.name.clone(), why: owner.why })
                .collect(),
            told,
            acked,
            escalations: stages
                .map(|each| {
                    let step = each.policy.steps.get(each.step);
                    Stage {
                        policy: each.name.clone(),
                        state: standing(look, &each.state),
                        step: (each.step + 1).min(each.policy.steps.len()),
                        steps: each.policy.steps.len(),
                        next: each
                            .due_ms
                            .into_iter()
                            .chain(each.remind_ms)
                            .min()
                            .filter(|_| each.state == Standing::Running)
                            .map(Time),
                        next_to: step.map(|step| step.to.iter().map(target).collect()).unwrap_or_default(),
                    }
                })
                .collect(),
            hidden: veils,
            cause: episode.root.clone(),
            groups,
            ..Incident::of_evidence(evidence)
        }
    }

    /// `None` where the deduplication key is forgotten.
    pub(super) fn immediate(look: &Look, outbox: &Outbox<'_>, ongoing: &Ongoing) -> Option<Incident> {
        let manager = look.router.manager();
        let (alert, message) = manager.alerts().get(&ongoing.alert)?;
        let evidence = alert.evidence(&alert.running(), Some(message));
        let hidden = manager.hides_alert(&ongoing.alert, &ongoing.destination, look.now_ms);
        let destination = ongoing.destination.name().to_owned();
        let title = if message.template.is_empty() { &*alert.sample } else { &*message.template };
        Some(Incident {
            kind: "immediate",
            id: ongoing.id.clone(),
            state: "open",
            severity: alert.severity(),
            since: Time(evidence.seen_ms.map_or(ongoing.opened_ms, |(first, _)| first)),
            opened: Time(ongoing.opened_ms),
            title: title.to_owned(),
            reason: ongoing.reason.clone(),
            messages: vec![alert.message.to_string()],
            alert: Some(alert.id.clone()),
            owners: vec![Answerable { name: ongoing.owner.name.clone(), why: ongoing.owner.why }],
            told: hearings([destination.clone()].into_iter(), &outbox.about([ongoing.id.as_str()])),
            hidden: hidden.map(|hidden| Veil::of(look, &destination, hidden)).into_iter().collect(),
            acked: ongoing
                .acked
                .as_ref()
                .filter(|acked| look.now_ms < acked.until_ms)
                .map(|acked| Acked { by: acked.by.clone(), until: Time(acked.until_ms) }),
            ..Incident::of_evidence(&evidence)
        })
    }

    fn of_evidence(evidence: &Evidence) -> Incident {
        Incident {
            kind: "",
            id: String::new(),
            state: "",
            severity: Severity::default(),
            since: Time(0),
            opened: Time(0),
            closed: None,
            close_reason: None,
            rule: None,
            key: Vec::new(),
            title: String::new(),
            reason: String::new(),
            count: evidence.count,
            first: evidence.seen_ms.map(|(first, _)| Time(first)),
            last: evidence.seen_ms.map(|(_, last)| Time(last)),
            hosts: Host::of(evidence),
            more_hosts: evidence.more_hosts,
            versions: evidence.versions.clone(),
            sample: evidence.sample.clone(),
            place: evidence.place.clone(),
            messages: Vec::new(),
            alert: None,
            owners: Vec::new(),
            told: Vec::new(),
            acked: None,
            escalations: Vec::new(),
            hidden: Vec::new(),
            cause: None,
            groups: Vec::new(),
        }
    }

    pub(crate) fn show(&self, out: &mut impl Write, look: &Look) -> io::Result<()> {
        let style = if self.severity >= Severity::High && self.closed.is_none() { URGENT } else { STRONG };
        let severity = styled(style, &format!("{:<8}", self.severity));
        writeln!(out, "{}  {severity}  {}", styled(STRONG, brief(&self.id)), short(&self.title))?;
        let mut line = |text: &str| writeln!(out, "            {text}");
        let begun = look.moment(self.since);
        let mut about = vec![match (self.closed, self.close_reason) {
            (None, _) => format!("since {begun}"),
            (Some(_), Some(CloseReason::Instant)) => format!("at {begun}"),
            (Some(closed), reason) => {
                let reason = serde_json::to_value(reason).unwrap_or_default();
                let reason = reason.as_str().unwrap_or_default().replace('-', " ");
                format!("from {} to {}, {reason}", self.since.clock(), look.moment(closed))
            }
        }];
        about.push(count(self.count, "occurrence", "occurrences"));
        about.extend(on_hosts(&self.hosts, self.more_hosts));
        let what = match &self.rule {
            Some(rule) if self.key.is_empty() => format!("rule {}", plain(rule)),
            Some(rule) => format!("rule {} of {}", plain(rule), short(&self.key.join(", "))),
            None => short(&self.reason),
        };
        about.push(what);
        line(&styled(FAINT, &about.join(" · ")))?;
        for each in &self.told {
            line(&each.text(look))?;
        }
        if self.told.is_empty() {
            line("nobody is told")?;
        }
        if let Some(acked) = &self.acked {
            let until = look.moment(acked.until);
            line(&format!("{} is on it until {until}", styled(OWNER, &plain(&acked.by))))?;
        }
        let is_worth_a_word =
            |stage: &&Stage| self.closed.is_none() && (self.acked.is_none() || stage.next.is_some());
        for stage in self.escalations.iter().filter(is_worth_a_word) {
            line(&stage.text(look))?;
        }
        if let Some(cause) = &self.cause {
            line(&format!("probably because of {}", brief(cause)))?;
        }
        for veil in &self.hidden {
            line(&veil.text())?;
        }
        Ok(())
    }
}

/// `on web-1 (3), web-2 and 4 more hosts`.
pub(super) fn on_hosts(hosts: &[Host], more: u64) -> Option<String> {
    if hosts.is_empty() {
        return None;
    }
    let names: Vec<String> =
        hosts.iter().map(|each| format!("{} ({})", plain(&each.host), each.count)).collect();
    let more =
        if more > 0 { format!(" and {}", count(more, "more host", "more hosts")) } else { String::new() };
    Some(format!("on {}{more}", names.join(", ")))
}

impl Hearing {
    fn text(&self, look: &Look) -> String {
        let mut parts = Vec::new();
        if let Some(at) = self.at {
            let more = match self.notices {
                0 | 1 => String::new(),
                n => format!(", {n} notices"),
            };
            parts.push(format!("told at {}{more}", at.clock()));
        }
        if let Some(state) = self.waiting {
            parts.push(match state {
                State::Pending | State::Retry | State::Sending => "a notice is on its way".to_owned(),
                State::Held => "a notice is held".to_owned(),
                State::Ambiguous => "a notice may have arrived".to_owned(),
                State::Suppressed | State::Dead => "a notice was not sent".to_owned(),
                State::Sent => String::new(),
            });
        }
        if parts.is_empty() {
            let due = self.next.map(|next| format!(", due {}", look.distance(next)));
            parts.push(format!("not told yet{}", due.unwrap_or_default()));
        }
        parts.extend(self.why.as_deref().map(short));
        format!("{}  {}", styled(OWNER, &plain(&self.destination)), parts.join(", "))
    }
}

/// What has been heard where: at each of `names`, and wherever else something was sent.
fn hearings(names: impl Iterator<Item = String>, intents: &[&Intent]) -> Vec<Hearing> {
    let silent =
        |destination| Hearing { destination, at: None, notices: 0, next: None, waiting: None, why: None };
    let mut hearings: Vec<Hearing> = names.map(silent).collect();
    for intent in intents {
        let name = intent.destination.name();
        let place = hearings.iter().position(|each| each.destination == name).unwrap_or_else(|| {
            hearings.push(silent(name.to_owned()));
            hearings.len() - 1
        });
        let hearing = &mut hearings[place];
        if intent.state == State::Sent {
            hearing.at = hearing.at.or(Some(Time(intent.changed_ms)));
            hearing.notices += 1;
            (hearing.waiting, hearing.why) = (None, None);
        } else {
            (hearing.waiting, hearing.why) = (Some(intent.state), intent.why.clone());
        }
    }
    hearings
}

impl Stage {
    fn text(&self, look: &Look) -> String {
        match self.next {
            Some(next) => {
                let to = if self.next_to.is_empty() { String::new() } else { self.next_to.join(", ") };
                let step = format!("step {} of {}", self.step, self.steps);
                format!("next: {} {step} of {}: {}", look.moment(next), plain(&self.policy), plain(&to))
            }
            None => format!("escalation {}: {}", plain(&self.policy), short(&self.state)),
        }
    }
}

fn standing(look: &Look, state: &Standing) -> String {
    match state {
        Standing::Running => "running".to_owned(),
        Standing::Acked { by, until_ms } => format!("{by} is on it until {}", look.moment(Time(*until_ms))),
        Standing::Paused { by, since_ms } => {
            format!("paused by {} since {}", brief(by), look.moment(Time(*since_ms)))
        }
        Standing::Done { why } => why.clone(),
    }
}

fn target(target: &Target) -> String {
    match target {
        Target::Owner => "owner".to_owned(),
        Target::Channel => "channel".to_owned(),
        Target::OnCall(schedule) => format!("on call of {schedule}"),
        Target::To(name) => name.clone(),
    }
}

/// Something that Dice itself needs somebody for.
#[derive(Debug, Serialize)]
pub(crate) struct Trouble {
    /// `alarm`.
    kind: &'static str,
    id: String,
    state: &'static str,
    since: Time,
    text: String,
}

impl Trouble {
    /// Everything that lasts.
    pub(crate) fn all(look: &Look) -> Vec<Trouble> {
        look.router.manager().alarms().lasting().map(Trouble::of).collect()
    }

    fn of(alarm: &Alarm) -> Trouble {
        Trouble {
            kind: "alarm",
            id: alarm.id.clone(),
            state: "open",
            since: Time(alarm.since_ms.unwrap_or(alarm.changed_ms)),
            text: alarm.text.clone(),
        }
    }

    pub(crate) fn show(&self, out: &mut impl Write, look: &Look) -> io::Result<()> {
        let since = styled(FAINT, &format!("since {}", look.moment(self.since)));
        writeln!(out, "{}  {}  {since}", styled(URGENT, "Dice"), short(&self.text))
    }
}
