//! Everything that is known about one thing, and why it did or did not reach somebody.

use std::collections::BTreeSet;
use std::sync::Arc;

use dice_route::condition::Share;
use dice_route::config::OnMissingKey;
use dice_route::manager::{Alert, Group, Ongoing, Tally};
use dice_route::{Decision, Destination, Event, Lane, Message, Record};
use serde::Serialize;

use super::circle::{Circle, Thing};
use super::delivery::{Delivery, Noted, Outbox};
use super::hiding::{Silenced, Snoozed, Veil};
use super::incident::{Host, Incident, Trouble};
use super::ownership::Said;
use super::waiting::Waiting;
use super::{Look, Time};
use crate::commands::rules::type_name;

/// Notices, records and episodes beyond these are counted.
const MAX_SHOWN: usize = 20;

/// Everything that is known about one thing.
#[derive(Debug, Serialize)]
pub(crate) struct Dossier {
    /// `message`, `alert`, `episode`, `group`, `notice`, `snooze`, `silence` or `digest`.
    pub(super) what: &'static str,
    pub(super) id: String,
    /// What was read as a line, where one was given.
    pub(super) line: Option<Heard>,
    /// The notice that is asked for.
    pub(super) notice: Option<Delivery>,
    pub(super) statements: Vec<Statement>,
    pub(super) occurrences: Vec<Occurrences>,
    pub(super) rules: Vec<Touched>,
    pub(super) episodes: Vec<Incident>,
    pub(super) more_episodes: usize,
    pub(super) groups: Vec<Together>,
    pub(super) hidden: Vec<Veil>,
    pub(super) storms: Vec<Collecting>,
    pub(super) snoozes: Vec<Snoozed>,
    pub(super) silences: Vec<Silenced>,
    pub(super) digests: Vec<Waiting>,
    pub(super) notices: Vec<Delivery>,
    pub(super) more_notices: usize,
    pub(super) records: Vec<Noted>,
    pub(super) more_records: usize,
    pub(super) sources: Vec<Reading>,
    /// Dice's own troubles.
    pub(super) troubles: Vec<Trouble>,
}

/// What a given line was read as.
#[derive(Debug, Serialize)]
pub(crate) struct Heard {
    pub(super) text: String,
    pub(super) time: Option<Time>,
    pub(super) host: Option<Arc<str>>,
    pub(super) service: Option<Arc<str>>,
    pub(super) level: Option<dice_catalog::Level>,
}

/// A statement, and who answers for it now.
#[derive(Debug, Serialize)]
pub(crate) struct Statement {
    pub(super) message: String,
    /// Whether a statement of a catalog prints it.
    pub(super) is_known: bool,
    pub(super) repo: Arc<str>,
    pub(super) place: Arc<str>,
    pub(super) function: Option<Arc<str>>,
    pub(super) level: Option<dice_catalog::Level>,
    pub(super) template: Arc<str>,
    pub(super) author: Option<Arc<str>>,
    pub(super) revision: Option<Arc<str>>,
    pub(super) url: Option<Arc<str>>,
    /// The newest revision does not have it any more.
    pub(super) is_outdated: bool,
    pub(super) owners: Vec<OwnerNow>,
    pub(super) decision: Decision,
    pub(super) reason: String,
    /// What people said about its owners.
    pub(super) said: Option<Said>,
}

/// Somebody who answers for a message now.
#[derive(Debug, Serialize)]
pub(crate) struct OwnerNow {
    pub(super) kind: dice_catalog::OwnerKind,
    pub(super) name: String,
    pub(super) why: dice_catalog::Why,
    /// `now`, `digest` or `none`.
    pub(super) decision: Decision,
}

/// What came under one deduplication key.
#[derive(Debug, Serialize)]
pub(crate) struct Occurrences {
    pub(super) alert: String,
    pub(super) level: Option<dice_catalog::Level>,
    pub(super) env: Option<Arc<str>>,
    pub(super) fields: Vec<(String, String)>,
    pub(super) count: u64,
    pub(super) late: u64,
    pub(super) first: Option<Time>,
    pub(super) last: Option<Time>,
    pub(super) hosts: Vec<Host>,
    pub(super) more_hosts: u64,
    pub(super) services: Vec<Arc<str>>,
    pub(super) versions: Vec<Arc<str>>,
    /// How often it began after a pause.
    pub(super) runs: u64,
    pub(super) is_running: bool,
    pub(super) sample: String,
}

/// A rule, and whether it looks at the message.
#[derive(Debug, Serialize)]
pub(crate) struct Touched {
    pub(super) rule: Arc<str>,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) condition: String,
    pub(super) looks: Looks,
    /// The values of its key, where a line tells them.
    pub(super) key: Option<Vec<String>>,
    pub(super) why: Option<String>,
    pub(super) open: usize,
}

/// Whether a rule looks at a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Looks {
    Yes,
    /// It depends on what the line says beside its message.
    Depends,
    No,
}

/// Episodes that are told together at one destination, or a message that is told as it happens.
#[derive(Debug, Serialize)]
pub(crate) struct Together {
    pub(super) group: String,
    /// `null` for a message that is told as it happens: its owners are asked, not the routes.
    pub(super) route: Option<String>,
    pub(super) destination: String,
    pub(super) because: String,
    pub(super) lane: &'static str,
    pub(super) labels: Vec<(String, String)>,
    pub(super) episodes: usize,
    pub(super) timeline: Vec<Instant>,
}

/// A moment in the life of a group.
#[derive(Debug, Serialize)]
pub(crate) struct Instant {
    pub(super) at: Time,
    pub(super) is_next: bool,
    pub(super) text: String,
}

/// Notices that are told together because there is too much.
#[derive(Debug, Serialize)]
pub(crate) struct Collecting {
    pub(super) destination: String,
    pub(super) since: Time,
    pub(super) why: String,
    pub(super) notices: u64,
}

/// How far a source has been read, and what was counted.
#[derive(Debug, Serialize)]
pub(crate) struct Reading {
    pub(super) source: Arc<str>,
    pub(super) lines: u64,
    pub(super) matched: u64,
    pub(super) unknown: u64,
    pub(super) events: u64,
    pub(super) late: u64,
    pub(super) too_old: u64,
    /// The time of the latest line.
    pub(super) latest: Option<Time>,
    /// Why it cannot be read, where it cannot.
    pub(super) lost: Option<Arc<str>>,
}

impl Dossier {
    /// Everything about `thing`. `said` is the message as the catalog has it, with the line it was given by.
    pub(crate) fn of(
        look: &Look,
        thing: &Thing,
        said: Option<&Arc<Message>>,
        event: Option<&Event>,
    ) -> Dossier {
        let manager = look.router.manager();
        let was = said.map(|message| &message.was[..]).unwrap_or_default();
        let circle = Circle::around(look, thing, was);
        let outbox = Outbox::of(look);
        let (what, id) = thing.name();
        let mut messages: Vec<Arc<Message>> = said.into_iter().cloned().collect();
        for id in &circle.messages {
            let is_there = |known: &Arc<Message>| known.id == *id || known.was.contains(id);
            if !messages.iter().any(is_there) {
                messages.extend(manager.alerts().message(*id).cloned());
            }
        }
        let alerts: Vec<&Alert> =
            circle.alerts.iter().filter_map(|id| manager.alerts().get(id)).map(|(alert, _)| alert).collect();
        let level =
            event.and_then(|event| event.level).or_else(|| alerts.iter().find_map(|alert| alert.level));
        let statements: Vec<Statement> =
            messages.iter().map(|message| Statement::of(look, message, level)).collect();
        let is_about = circle.is_about_messages || said.is_some();
        let rules = match messages.first().filter(|_| is_about) {
            Some(message) => touched(look, message, event, &circle),
            None => Vec::new(),
        };
        let mut episodes: Vec<Incident> = circle
            .episodes
            .iter()
            .filter_map(|id| manager.episodes().get(id))
            .map(|episode| Incident::of_rule(look, &outbox, episode))
            .collect();
        let ongoing = circle.ongoing.iter().filter_map(|id| manager.immediate().get(id));
        episodes.extend(ongoing.filter_map(|ongoing| Incident::immediate(look, &outbox, ongoing)));
        episodes.sort_by_key(Incident::rank);
        let more_episodes = episodes.len().saturating_sub(MAX_SHOWN);
        episodes.truncate(MAX_SHOWN);
        let names = circle.names();
        let is_group = |name: &&String| matches!(thing, Thing::Group(_)) || !circle.groups.contains(*name);
        let mut notices = outbox.about(names.iter().filter(is_group).map(String::as_str));
        if let Thing::Notice(id) = thing {
            notices.retain(|intent| intent.id != *id);
        }
        let more_notices = notices.len().saturating_sub(MAX_SHOWN);
        let mut names = names;
        names.extend(notices.iter().map(|intent| intent.id.clone()));
        let notices = notices.into_iter().skip(more_notices).map(Delivery::of).collect();
        let (records, more_records) = noted(look, &names);
        Dossier {
            what,
            id,
            line: event.map(Heard::of),
            notice: match thing {
                Thing::Notice(id) => look.router.outbox().get(id).map(Delivery::of),
                _ => None,
            },
            occurrences: alerts.iter().map(|alert| Occurrences::of(alert)).collect(),
            groups: together(look, &circle),
            hidden: veils(look, &alerts, &statements),
            storms: circle
                .episodes
                .iter()
                .chain(&circle.ongoing)
                .chain(&circle.alerts)
                .flat_map(|name| manager.collected(name))
                .map(|known| Collecting {
                    destination: known.destination.name().to_owned(),
                    since: Time(known.since_ms),
                    why: known.why,
                    notices: known.count,
                })
                .collect(),
            snoozes: snoozes(look, &names, &statements, &rules, &episodes),
            silences: match thing {
                Thing::Silence(_) => Silenced::all(look, true)
                    .into_iter()
                    .filter(|each| circle.silences.contains(each.id()))
                    .collect(),
                _ => Vec::new(),
            },
            digests: digests(look, &circle, thing),
            statements,
            rules,
            episodes,
            more_episodes,
            notices,
            more_notices,
            records,
            more_records,
            sources: readings(look),
            troubles: Trouble::all(look),
        }
    }
}

impl Heard {
    fn of(event: &Event) -> Heard {
        Heard {
            text: event.text.to_string(),
            time: event.at_ms.map(Time),
            host: event.host.clone(),
            service: event.service.clone(),
            level: event.level,
        }
    }
}

impl Statement {
    fn of(look: &Look, message: &Message, level: Option<dice_catalog::Level>) -> Statement {
        let manager = look.router.manager();
        let decided = manager.decided(message, message.level.or(level));
        let names: Vec<String> =
            std::iter::once(message.id).chain(message.was.iter().copied()).map(|id| id.to_string()).collect();
        let said = manager.overrides().list().find(|each| names.contains(&each.id));
        let because = manager.overrides().because(message.id);
        Statement {
            message: message.id.to_string(),
            is_known: message.id.is_known(),
            repo: message.repo.clone(),
            place: message.place.clone(),
            function: message.function.clone(),
            level: message.level.or(level),
            template: message.template.clone(),
            author: message.author.clone(),
            revision: message.revision.clone(),
            url: message.url.clone(),
            is_outdated: message.is_outdated,
            owners: decided
                .owners
                .into_iter()
                .map(|each| OwnerNow {
                    kind: each.owner.kind,
                    name: each.owner.name,
                    why: each.owner.why,
                    decision: each.decision,
                })
                .collect(),
            decision: decided.decision,
            reason: because.map_or(decided.reason, str::to_owned),
            said: said.map(|said| Said::of(look, said)),
        }
    }
}

impl Occurrences {
    fn of(alert: &Alert) -> Occurrences {
        let mut tally: Tally = alert.past.clone();
        tally.fold(&alert.running());
        let evidence = tally.evidence();
        Occurrences {
            alert: alert.id.clone(),
            level: alert.level,
            env: alert.env.clone(),
            fields: alert.fields.clone(),
            count: alert.count(),
            late: evidence.late,
            first: evidence.seen_ms.map(|(first, _)| Time(first)),
            last: evidence.seen_ms.map(|(_, last)| Time(last)),
            hosts: Host::of(&evidence),
            more_hosts: evidence.more_hosts,
            services: evidence.services,
            versions: evidence.versions,
            runs: alert.runs,
            is_running: alert.is_running,
            sample: alert.sample.to_string(),
        }
    }
}

/// Every rule against the message, and against the line where one is given; those that look at it first.
fn touched(look: &Look, message: &Message, event: Option<&Event>, circle: &Circle) -> Vec<Touched> {
    let manager = look.router.manager();
    let of_rule = |rule: &dice_route::config::Rule| {
        let share = rule.condition.of_message(message);
        let mut why = None;
        let mut looks = match (event, share) {
            (Some(event), _) if rule.condition.holds(event) => Looks::Yes,
            (Some(_), _) | (None, Share::Never) => Looks::No,
            (None, Share::Always) => Looks::Yes,
            (None, Share::Depends) => Looks::Depends,
        };
        let mut key = None;
        if let Some(event) = event.filter(|_| looks == Looks::Yes) {
            let lacks = rule.key.iter().find(|field| field.of(event).is_none());
            if let Some(field) = lacks.filter(|_| rule.on_missing_key == OnMissingKey::Skip) {
                looks = Looks::No;
                why = Some(format!("the line has no {}, which is in its key", field.name()));
            } else {
                let values = rule.key.iter().map(|field| field.of(event).map_or("∅".into(), |value| value));
                key = Some(values.map(|value| value.into_owned()).collect());
            }
        }
        let of = circle.episodes.iter().filter_map(|id| manager.episodes().get(id));
        Touched {
            rule: rule.id.clone(),
            kind: type_name(&rule.kind),
            condition: rule.condition.to_string(),
            looks,
            key,
            why,
            open: of.filter(|episode| episode.rule == rule.id && episode.is_open()).count(),
        }
    };
    let mut touched: Vec<Touched> = look.router.config().rules.iter().map(|rule| of_rule(rule)).collect();
    touched.sort_by_key(|touched| touched.looks);
    touched
}

/// What hides occurrences from those who would be told of them.
fn veils(look: &Look, alerts: &[&Alert], statements: &[Statement]) -> Vec<Veil> {
    let manager = look.router.manager();
    let mut seen = BTreeSet::new();
    let mut veils = Vec::new();
    for alert in alerts {
        let owners = statements.iter().flat_map(|statement| &statement.owners);
        for owner in owners.filter(|owner| owner.decision > Decision::None) {
            let destination = Destination::named(&owner.name);
            if let Some(hidden) = manager.hides_alert(&alert.id, &destination, look.now_ms)
                && seen.insert((destination.clone(), hidden.1.clone()))
            {
                veils.push(Veil::of(look, destination.name(), hidden));
            }
        }
    }
    veils
}

/// What is snoozed or muted of all this, for whomever.
fn snoozes(
    look: &Look,
    names: &BTreeSet<String>,
    statements: &[Statement],
    rules: &[Touched],
    episodes: &[Incident],
) -> Vec<Snoozed> {
    let is_message = |name: &str| statements.iter().any(|statement| statement.message == name);
    let touches = |rule: &str| {
        let looks = |touched: &Touched| touched.looks == Looks::Yes && *touched.rule == *rule;
        let is_of = |incident: &Incident| incident.rule.as_deref() == Some(rule);
        rules.iter().any(looks) || episodes.iter().any(is_of)
    };
    let mut snoozes = Snoozed::all(look);
    snoozes.retain(|snoozed| match snoozed.scope() {
        ("rule", rule) => touches(rule) || names.contains(snoozed.id()),
        (_, subject) => is_message(subject) || names.contains(subject) || names.contains(snoozed.id()),
    });
    snoozes
}

fn together(look: &Look, circle: &Circle) -> Vec<Together> {
    let manager = look.router.manager();
    let timeline = |name: &str, destination: &Destination| {
        // A group has a row for each destination; its moments say which.
        let here = format!("{}: ", destination.name());
        let moments = manager.timeline(name).into_iter().filter_map(|moment| {
            let text = moment.text.strip_prefix(&here)?.to_owned();
            Some(Instant { at: Time(moment.at_ms), is_next: moment.is_next, text })
        });
        moments.collect()
    };
    let of_group = |group: &Group| Together {
        group: group.name.clone(),
        route: Some(group.route.clone()),
        destination: group.destination.name().to_owned(),
        because: group.because.clone(),
        lane: group.lane.as_str(),
        labels: group.labels.clone(),
        episodes: group.members.len(),
        timeline: timeline(&group.name, &group.destination),
    };
    let of_message = |ongoing: &Ongoing| Together {
        group: ongoing.id.clone(),
        route: None,
        destination: ongoing.destination.name().to_owned(),
        because: ongoing.reason.clone(),
        lane: Lane::Immediate.as_str(),
        labels: Vec::new(),
        episodes: 1,
        timeline: timeline(&ongoing.id, &ongoing.destination),
    };
    let groups = manager.groups().iter().filter(|group| circle.groups.contains(&group.name));
    let ongoing = circle.ongoing.iter().filter_map(|id| manager.immediate().get(id));
    groups.map(of_group).chain(ongoing.map(of_message)).collect()
}

fn digests(look: &Look, circle: &Circle, thing: &Thing) -> Vec<Waiting> {
    let manager = look.router.manager();
    let editions = circle.digests.iter().filter_map(|id| manager.digests().edition(id));
    let previews = editions.filter_map(|edition| {
        let preview = manager.preview(&edition.reader, look.now_ms)?;
        (preview.digest.as_deref() == Some(&edition.id)).then_some(preview)
    });
    let waiting = previews.map(|mut preview| {
        // Of a digest only what is asked for is of interest, unless the digest is what is asked for.
        if !matches!(thing, Thing::Digest(_)) {
            let is_it = |alert: &Option<String>| alert.as_ref().is_some_and(|id| circle.alerts.contains(id));
            preview.notice.rows.retain(|row| is_it(&row.alert));
            preview.notice.more_rows = 0;
            preview.notice.notes.clear();
        }
        Waiting::of(preview)
    });
    waiting.collect()
}

/// What was written down about any of `names`, the last of it, and how much more there is.
fn noted(look: &Look, names: &BTreeSet<String>) -> (Vec<Noted>, usize) {
    let is_about = |record: &&Record| {
        let group = record.subject.split_once('/').map_or(record.subject.as_str(), |(group, _)| group);
        names.contains(&record.subject) || names.contains(group) || names.contains(&record.by)
    };
    let about: Vec<&Record> = look.router.manager().records().iter().filter(is_about).collect();
    let more = about.len().saturating_sub(MAX_SHOWN);
    (about.into_iter().skip(more).map(Noted::of).collect(), more)
}

fn readings(look: &Look) -> Vec<Reading> {
    let of = |counts: &dice_route::SourceCounts| {
        let source = &counts.lines.source;
        let partitions = look.router.watermarks().partitions().map(|(_, partition)| partition);
        let partitions: Vec<_> = partitions.filter(|partition| partition.source == *source).collect();
        let latest = partitions.iter().map(|partition| partition.latest_ms).max();
        Reading {
            source: source.clone(),
            lines: counts.lines.lines,
            matched: counts.lines.matched,
            unknown: counts.lines.unknown,
            events: counts.events,
            late: counts.late,
            too_old: counts.too_old,
            latest: latest.filter(|ms| *ms > i64::MIN).map(Time),
            lost: partitions.iter().find_map(|partition| Some(partition.lost.as_ref()?.1.clone())),
        }
    };
    look.router.counters().iter().map(of).collect()
}
