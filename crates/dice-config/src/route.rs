//! Where episodes go, what hides them, and who hears when nobody reacts.

mod inhibition;

use std::collections::BTreeMap;

use dice_route::Lane;
use dice_route::config::{Guard, LaneTimers, Lanes, Policy, Route, Step, StepIf, Storm, Target};

pub(crate) use inhibition::inhibitions;

use crate::names::{Named, Names, check_unique};
use crate::text::{Complaint, Desk};
use crate::value::{Table, Value};

/// Labels that make a group where no route says which.
const GROUP_BY: &str = "rule";

/// The routes of these tables, those below others in their place.
pub(crate) fn routes(desk: &mut Desk, top: &[&Table], names: &Names, lanes: &Lanes) -> Vec<Route> {
    let mut all = Vec::new();
    for table in top {
        with_those_below(table, &mut all);
    }
    check_unique(desk, "route", "id", all.iter().copied());
    let above = above(&all);
    let mut below: BTreeMap<&str, Vec<&Table>> = BTreeMap::new();
    for table in top {
        for inner in table.tables("routes") {
            refuse_under(desk, inner);
        }
        let Some(under) = table.text("under") else { continue };
        let complaint = if !above.contains_key(under) {
            let near = dice_route::condition::nearest(under, above.keys().copied());
            let hint = near.map(|id| format!("did you mean \"{id}\"?"));
            Some(Complaint::wanted("the id of a route", format!("\"{under}\"")).hint_if(hint))
        } else {
            let is_circle = way_up(&above, under).any(|id| Some(id) == table.text("id"));
            is_circle.then(|| Complaint::new("the route is below itself").hint("remove `under`"))
        };
        match complaint {
            Some(complaint) => desk.complain(table.place_of("under"), &table.path_of("under"), complaint),
            None => below.entry(under).or_default().push(table),
        }
    }
    let mut builder = Builder { desk, names, lanes, below };
    top.iter()
        .filter(|table| table.text("under").is_none())
        .map(|table| builder.route(table, None, 0))
        .collect()
}

fn with_those_below<'t>(table: &'t Table, all: &mut Vec<&'t Table>) {
    all.push(table);
    for below in table.tables("routes") {
        with_those_below(below, all);
    }
}

/// A route that stands in another is below that one already.
fn refuse_under(desk: &mut Desk, table: &Table) {
    if table.text("under").is_some() {
        let complaint = Complaint::new("it stands in another route already").hint("remove `under`");
        desk.complain(table.place_of("under"), &table.path_of("under"), complaint);
    }
    for inner in table.tables("routes") {
        refuse_under(desk, inner);
    }
}

/// Every route by its id, with the one that it is below.
fn above<'t>(all: &[&'t Table]) -> BTreeMap<&'t str, Option<&'t str>> {
    let mut above = BTreeMap::new();
    for table in all {
        let Some(id) = table.text("id") else { continue };
        above.entry(id).or_insert_with(|| table.text("under"));
    }
    for table in all {
        for inner in table.tables("routes").filter_map(|inner| inner.text("id")) {
            above.insert(inner, table.text("id"));
        }
    }
    above
}

/// A route and those above it, each once or, in a circle, for as long as routes may go on.
fn way_up<'t>(above: &BTreeMap<&'t str, Option<&'t str>>, from: &'t str) -> impl Iterator<Item = &'t str> {
    std::iter::successors(Some(from), |id| above.get(*id).copied().flatten()).take(2 * MAX_DEPTH)
}

struct Builder<'d, 't> {
    desk: &'d mut Desk,
    names: &'d Names,
    lanes: &'d Lanes,
    /// Routes that say which one they are below.
    below: BTreeMap<&'t str, Vec<&'t Table>>,
}

impl Builder<'_, '_> {
    /// What a route does not set, it has from the one above.
    fn route(&mut self, table: &Table, above: Option<&Route>, depth: usize) -> Route {
        self.names.check_recipients(self.desk, table, "to", false);
        self.names.check_matchers(self.desk, table, "match");
        self.names.check_labels(self.desk, table, "group_by");
        self.names.check(self.desk, Named::Policy, table, "policy");
        self.names.check(self.desk, Named::Interval, table, "active_in");
        self.names.check(self.desk, Named::Interval, table, "muted_in");
        let mut to = table.texts("to");
        if to.is_empty() {
            to = above.map(|above| above.to.clone()).unwrap_or_default();
        }
        let group_by = match table.is_written("group_by") {
            true => table.texts("group_by"),
            false => above.map_or_else(|| vec![GROUP_BY.to_owned()], |above| above.group_by.clone()),
        };
        let lane = match table.text("lane") {
            Some("page") => Some(Lane::Page),
            Some("digest") => Some(Lane::Digest),
            Some(_) => Some(Lane::Alert),
            None => above.and_then(|above| above.lane),
        };
        let inherited = |key: &str, from: fn(&Route) -> &Vec<String>| match table.is_written(key) {
            true => table.texts(key),
            false => above.map(|above| from(above).clone()).unwrap_or_default(),
        };
        let mut route = Route {
            id: table.word("id").to_owned(),
            matchers: table.matchers("match"),
            to,
            group_by,
            lane,
            timers: self.timers(table, lane).or_else(|| above.and_then(|above| above.timers)),
            policy: table.owned("policy").or_else(|| above.and_then(|above| above.policy.clone())),
            send_resolved: table
                .maybe_flag("send_resolved")
                .unwrap_or_else(|| above.is_none_or(|above| above.send_resolved)),
            is_continued: table.flag("continue"),
            active_in: inherited("active_in", |route| &route.active_in),
            muted_in: inherited("muted_in", |route| &route.muted_in),
            routes: Vec::new(),
        };
        let inner: Vec<&Table> = table.tables("routes").collect();
        let outer = self.below.get(route.id.as_str()).cloned().unwrap_or_default();
        let below: Vec<&Table> = inner.into_iter().chain(outer).collect();
        // A route that only leads to others need not say where to.
        if route.to.is_empty() && below.is_empty() && table.is_sound() {
            let complaint = Complaint::wanted("`to`", "a route that leads nowhere");
            self.desk.complain(&table.place, &table.path, complaint.hint("write to = [\"owner\"]"));
        }
        if depth == MAX_DEPTH && !below.is_empty() {
            let complaint = Complaint::wanted(format!("at most {MAX_DEPTH} routes below each other"), "more");
            self.desk.complain(&table.place, &table.path, complaint);
        }
        if depth < MAX_DEPTH {
            route.routes =
                below.into_iter().map(|table| self.route(table, Some(&route), depth + 1)).collect();
        }
        route
    }

    /// What is not set comes from the lane.
    fn timers(&self, table: &Table, lane: Option<Lane>) -> Option<LaneTimers> {
        let keys = ["group_wait", "group_interval", "repeat_interval"];
        if !keys.iter().any(|key| table.is_written(key)) {
            return None;
        }
        let base = if lane == Some(Lane::Page) { self.lanes.page } else { self.lanes.alert };
        Some(LaneTimers {
            group_wait_ms: table.maybe_duration("group_wait").unwrap_or(base.group_wait_ms),
            group_interval_ms: table.maybe_duration("group_interval").unwrap_or(base.group_interval_ms),
            repeat_interval_ms: match table.is_written("repeat_interval") {
                true => table.maybe_duration("repeat_interval"),
                false => base.repeat_interval_ms,
            },
        })
    }
}

/// Routes below each other.
const MAX_DEPTH: usize = 16;

/// The timers of the lanes.
pub(crate) fn lanes(desk: &mut Desk, router: &Table) -> Lanes {
    let mut lanes = Lanes::default();
    let Some(table) = router.table("lanes") else { return lanes };
    let timers = |key: &str, timers: LaneTimers| match table.table(key) {
        None => timers,
        Some(table) => LaneTimers {
            group_wait_ms: table.duration("group_wait"),
            group_interval_ms: table.duration("group_interval"),
            repeat_interval_ms: table.maybe_duration("repeat_interval"),
        },
    };
    lanes.alert = timers("alert", lanes.alert);
    lanes.page = timers("page", lanes.page);
    if let Some(immediate) = table.table("immediate") {
        let ladder = immediate.list("ladder").iter().filter_map(|item| match item.value {
            Value::Duration(after) => after,
            _ => None,
        });
        lanes.immediate_ladder_ms = ladder.collect();
        lanes.immediate_quiet_ms = immediate.duration("quiet");
        lanes.immediate_repeat_ms = immediate.duration("repeat");
        let ladder = &lanes.immediate_ladder_ms;
        let is_rising = ladder.is_sorted() && ladder.first().is_none_or(|first| *first > 0);
        if (!is_rising || ladder.is_empty()) && immediate.is_sound() {
            let complaint = Complaint::wanted("durations that grow, from \"1s\"", "others")
                .hint("write ladder = [\"10s\", \"30s\", \"1m\", \"5m\", \"15m\"]");
            desk.complain(immediate.place_of("ladder"), &immediate.path_of("ladder"), complaint);
        }
    }
    lanes
}

/// The policies that are written. Those of the severities exist without it: the router knows them.
pub(crate) fn policies(desk: &mut Desk, router: &Table, names: &Names) -> BTreeMap<String, Policy> {
    let mut policies = BTreeMap::new();
    for (name, table) in router.named("policies") {
        let steps: Vec<Step> = table.tables("steps").map(|step| self::step(desk, step, names)).collect();
        if steps.is_empty() && table.is_sound() {
            let complaint = Complaint::wanted("at least one step", "none");
            desk.complain(
                &table.place,
                &table.path,
                complaint.hint(format!("write [[policies.{name}.steps]]")),
            );
        }
        policies.insert(
            name.clone(),
            Policy {
                steps,
                repeat: table.count("repeat"),
                ack_timeout_ms: table.duration("ack_timeout"),
                resolve_quietly: table.flag("resolve_quietly"),
            },
        );
    }
    policies
}

fn step(desk: &mut Desk, table: &Table, names: &Names) -> Step {
    names.check_recipients(desk, table, "to", true);
    let to = table.texts("to").into_iter().map(|name| match name.as_str() {
        "owner" => Target::Owner,
        "channel" => Target::Channel,
        other => match other.strip_prefix("oncall:") {
            Some(schedule) => Target::OnCall(schedule.to_owned()),
            None => Target::To(name),
        },
    });
    let to: Vec<Target> = to.collect();
    if to.is_empty() && table.is_sound() {
        let complaint = Complaint::wanted("at least one recipient", "none");
        desk.complain(table.place_of("to"), &table.path_of("to"), complaint);
    }
    let mut only_if = Vec::new();
    only_if.extend(table.text("severity").map(|severity| StepIf::Severity(crate::rule::severity(severity))));
    only_if.extend(table.maybe_flag("working_hours").map(StepIf::WorkingHours));
    only_if.extend(
        table
            .table("occurrences")
            .map(|guard| StepIf::Count(u64::from(guard.count("count")), guard.duration("within"))),
    );
    Step { after_ms: table.duration("after"), only_if, to, remind_ms: table.maybe_duration("remind") }
}

/// Guards against too much at once.
pub(crate) fn storm(router: &Table) -> Storm {
    let Some(table) = router.table("storm") else { return Storm::default() };
    let guard = |key: &str, usual: Guard| match table.table(key) {
        None => usual,
        Some(guard) => Guard { count: guard.count("count"), within_ms: guard.duration("within") },
    };
    let usual = Storm::default();
    Storm {
        channel: guard("channel", usual.channel),
        person: guard("person", usual.person),
        page: guard("page", usual.page),
        new_messages_min: table.count("new_messages"),
        summary_every_ms: table.duration("summary_every"),
        noisy_rule_per_hour: table.count("noisy_rule"),
    }
}
