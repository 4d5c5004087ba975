//! Names that one part of a configuration gives and another uses.

use std::collections::{BTreeMap, BTreeSet};

use dice_route::condition::{Field, nearest};
use dice_route::config::{Matcher, MatcherOp};

use crate::check::is_team;
use crate::text::{Complaint, Desk, Place, shown};
use crate::value::{Item, Table, Value};

/// Every name that is given somewhere.
#[derive(Debug, Default)]
pub(crate) struct Names {
    receivers: BTreeSet<String>,
    policies: BTreeSet<String>,
    calendars: BTreeSet<String>,
    intervals: BTreeSet<String>,
    schedules: BTreeSet<String>,
    /// Handles and addresses of everybody in `people`, in lower case.
    people: BTreeSet<String>,
    /// Teams, in lower case.
    teams: BTreeSet<String>,
    rules: BTreeSet<String>,
    /// What episodes have labels for.
    labels: BTreeSet<String>,
}

/// What a name names.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Named {
    Policy,
    Calendar,
    Interval,
    Schedule,
}

/// Severities, and the policies that always exist.
const SEVERITIES: [&str; 4] = ["low", "medium", "high", "critical"];

/// Labels that every episode may have.
const LABELS: &[&str] = &[
    "rule", "severity", "level", "service", "host", "env", "version", "message", "file", "repo", "owner",
    "team",
];

fn fingerprint(rule: &Table) -> Vec<Field> {
    rule.table("fingerprint").map(|table| table.fields("add")).unwrap_or_default()
}

impl Names {
    pub(crate) fn of(router: &Table, rules: &[&Table]) -> Names {
        let named = |key: &str| router.named(key).iter().map(|(name, _)| name.clone());
        let mut names = Names {
            receivers: named("receivers").collect(),
            policies: named("policies").chain(SEVERITIES.map(str::to_owned)).collect(),
            calendars: named("calendars").chain(["default".to_owned()]).collect(),
            intervals: named("intervals").collect(),
            schedules: named("schedules").collect(),
            people: BTreeSet::new(),
            teams: named("teams").map(|name| name.to_lowercase()).collect(),
            rules: rules.iter().filter_map(|rule| rule.owned("id")).collect(),
            labels: LABELS.iter().map(|name| (*name).to_owned()).collect(),
        };
        for rule in rules {
            let key = rule.fields("key").into_iter().chain(fingerprint(rule));
            names.labels.extend(key.map(|field| field.name().to_owned()));
            names.labels.extend(rule.map("labels").iter().map(|(name, _)| name.clone()));
        }
        for (name, person) in router.named("people") {
            let others = person.owned("handle").into_iter().chain(person.texts("emails"));
            names.people.extend(std::iter::once(name.clone()).chain(others).map(|name| name.to_lowercase()));
        }
        names
    }

    /// Checks that what `table.key` names exists.
    pub(crate) fn check(&self, desk: &mut Desk, named: Named, table: &Table, key: &str) {
        if let Some(name) = table.text(key) {
            self.check_name(desk, named, name, table.place_of(key), &table.path_of(key));
        }
        for item in table.list(key) {
            if let Some(name) = item.text() {
                self.check_name(desk, named, name, &item.place, &table.path_of(key));
            }
        }
    }

    pub(crate) fn check_name(&self, desk: &mut Desk, named: Named, name: &str, place: &Place, path: &str) {
        let (known, what, table) = match named {
            Named::Policy => (&self.policies, "an escalation policy", "policies"),
            Named::Calendar => (&self.calendars, "a calendar", "calendars"),
            Named::Interval => (&self.intervals, "an interval", "intervals"),
            Named::Schedule => (&self.schedules, "a schedule", "schedules"),
        };
        if !known.contains(name) {
            let hint = or_nearest(name, known, || format!("write [{table}.{name}]"));
            desk.complain(place, path, Complaint::wanted(what, format!("\"{name}\"")).hint(hint));
        }
    }

    /// Checks the recipients of a list or of a single key. `in_policy` are those that only steps of policies
    /// know.
    pub(crate) fn check_recipients(&self, desk: &mut Desk, table: &Table, key: &str, in_policy: bool) {
        let path = table.path_of(key);
        let single = table.items.get(key).filter(|item| matches!(item.value, Value::Text(_)));
        let items: Vec<&Item> = single.into_iter().chain(table.list(key)).collect();
        for item in items {
            if let Some(name) = item.text() {
                self.check_recipient(desk, name, &item.place, &path, in_policy);
            }
        }
    }

    fn check_recipient(&self, desk: &mut Desk, name: &str, place: &Place, path: &str, in_policy: bool) {
        let found = format!("\"{name}\"");
        if name.starts_with('#') || name == "owner" {
            return;
        }
        if name.contains('@') {
            let (known, what) =
                if is_team(name) { (&self.teams, "a team") } else { (&self.people, "a person") };
            // An address can be written to by itself. A handle or a team needs to be known somewhere: where
            // nobody is listed, the catalog may know it.
            let is_address = !name.starts_with('@');
            if !is_address && !known.is_empty() && !known.contains(&name.to_lowercase()) {
                let section = if is_team(name) { "teams" } else { "people" };
                let hint = or_nearest(name, known, || format!("write [{section}.\"{name}\"]"));
                desk.complain(place, path, Complaint::wanted(what, found).hint(hint));
            }
            return;
        }
        let schedule = name.strip_prefix("oncall:");
        match schedule {
            Some(schedule) if in_policy => {
                self.check_name(desk, Named::Schedule, schedule, place, path);
                return;
            }
            _ if in_policy && name == "channel" => return,
            _ if self.receivers.contains(name) => return,
            _ => {}
        }
        let complaint = match (schedule, name) {
            (Some(_), _) => Complaint::wanted("a recipient of an episode", found)
                .hint("who is on call is told by steps of a policy"),
            (None, "channel") => Complaint::wanted("a recipient of an episode", found)
                .hint("`channel` is known to steps of policies only; name the channel with `#`"),
            _ => {
                let hint = or_nearest(name, &self.receivers, || {
                    format!("write \"#{name}\" for the channel, or [receivers.{name}]")
                });
                Complaint::wanted(
                    "a receiver, \"#channel\", \"@handle\", an e-mail address or \"owner\"",
                    found,
                )
                .hint(hint)
            }
        };
        desk.complain(place, path, complaint);
    }

    /// Warns of labels that no episode will ever have.
    pub(crate) fn check_labels(&self, desk: &mut Desk, table: &Table, key: &str) {
        for item in table.list(key) {
            let label = match &item.value {
                Value::Matcher(matcher) => &matcher.label,
                Value::Text(text) => text,
                _ => continue,
            };
            if label == "..." || self.labels.contains(label) {
                continue;
            }
            let of_key = ["vars", "fields"].map(|group| format!("{group}.{label}"));
            let hint = match of_key.into_iter().find(|name| self.labels.contains(name)) {
                Some(name) => format!("did you mean \"{name}\"?"),
                None => or_nearest(label, &self.labels, || {
                    "a field gets one in the `key` of a rule, anything else in its `labels`".to_owned()
                }),
            };
            let complaint = Complaint::new(format!("no episode has a label \"{}\"", shown(label)));
            desk.warn(&item.place, &table.path_of(key), complaint.hint(hint));
        }
    }

    /// Checks matchers of labels whose values are known.
    pub(crate) fn check_matchers(&self, desk: &mut Desk, table: &Table, key: &str) {
        self.check_labels(desk, table, key);
        let path = table.path_of(key);
        for item in table.list(key) {
            let Value::Matcher(Matcher { label, op: MatcherOp::Equal | MatcherOp::NotEqual, value }) =
                &item.value
            else {
                continue;
            };
            let severities = SEVERITIES.map(str::to_owned).into_iter().collect();
            let (known, what) = match &**label {
                "rule" => (&self.rules, "a rule"),
                "severity" => (&severities, "a severity"),
                _ => continue,
            };
            // An empty value asks for episodes without the label.
            if !value.is_empty() && !known.contains(value) {
                let listed = || known.iter().take(8).cloned().collect::<Vec<_>>().join(", ");
                let hint = or_nearest(value, known, || match known.len() {
                    0 => "there are no rules".to_owned(),
                    _ => format!("there are {}", listed()),
                });
                desk.complain(&item.place, &path, Complaint::wanted(what, format!("\"{value}\"")).hint(hint));
            }
        }
    }
}

fn or_nearest(name: &str, known: &BTreeSet<String>, otherwise: impl FnOnce() -> String) -> String {
    match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => otherwise(),
    }
}

/// Complains of every table whose name another before it has.
pub(crate) fn check_unique<'t>(
    desk: &mut Desk,
    what: &str,
    key: &'static str,
    tables: impl IntoIterator<Item = &'t Table>,
) {
    let mut seen: BTreeMap<&str, Place> = BTreeMap::new();
    for table in tables {
        let Some(name) = table.text(key) else { continue };
        match seen.get(name) {
            None => drop(seen.insert(name, table.place_of(key).clone())),
            Some(first) => {
                let complaint = Complaint::new(format!("there is another {what} \"{name}\""))
                    .hint(format!("rename it or the one at {}", desk.named(first)));
                desk.complain(table.place_of(key), &table.path_of(key), complaint);
            }
        }
    }
}
