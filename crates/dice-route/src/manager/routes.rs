//! Where an episode goes, by its labels.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::matchers::{Labels, Matchers, written};
use crate::config::{LaneTimers, Route};
use crate::{Config, Lane, Severity};

/// The id of the route that takes what no other one takes: to the owners of the message.
pub const DEFAULT_ROUTE: &str = "default";

/// Where an episode goes, by its labels: the configured tree with its matchers compiled.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    tree: Vec<Node>,
    by_id: BTreeMap<String, Arc<Route>>,
}

#[derive(Debug, Clone)]
struct Node {
    matchers: Matchers,
    /// With what it inherits from the route above.
    route: Arc<Route>,
    below: Vec<Node>,
}

/// What became of one route while labels were routed; for explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The route.
    pub route: String,
    /// How deep it stands, from 0.
    pub depth: usize,
    /// Whether its matchers held.
    pub holds: bool,
    /// Whether it takes the episode.
    pub takes: bool,
    /// Why, in words.
    pub why: String,
}

impl Routes {
    /// Compiles the routes of a configuration.
    pub fn new(config: &Config) -> Routes {
        let mut routes = Routes::default();
        routes.tree = config.routes.iter().map(|route| Node::new(route, None)).collect();
        for rule in config.rules.iter().filter(|rule| !rule.to.is_empty()) {
            let route = Route { id: of_rule(&rule.id), to: rule.to.clone(), ..default_route() };
            routes.by_id.insert(route.id.clone(), Arc::new(route));
        }
        routes.by_id.insert(DEFAULT_ROUTE.to_owned(), Arc::new(default_route()));
        let mut left: Vec<&Node> = routes.tree.iter().collect();
        while let Some(node) = left.pop() {
            routes.by_id.insert(node.route.id.clone(), node.route.clone());
            left.extend(&node.below);
        }
        routes
    }

    /// The route with this id, while the configuration has it.
    pub fn get(&self, id: &str) -> Option<&Arc<Route>> {
        self.by_id.get(id)
    }

    /// The routes that take an episode of `rule` with these labels; never none.
    pub fn take(&self, rule: &str, labels: &Labels) -> Vec<Arc<Route>> {
        if let Some(own) = self.by_id.get(&of_rule(rule)) {
            return vec![own.clone()];
        }
        let mut taking = Vec::new();
        take(&self.tree, labels, &mut taking);
        if taking.is_empty() {
            taking.push(Arc::new(default_route()));
        }
        taking
    }

    /// How labels are routed, every route that was asked.
    pub fn explain(&self, rule: &str, labels: &Labels) -> Vec<Asked> {
        if let Some(own) = self.by_id.get(&of_rule(rule)) {
            let why = format!("rule {rule} says where its episodes go");
            return vec![Asked { route: own.id.clone(), depth: 0, holds: true, takes: true, why }];
        }
        let mut asked = Vec::new();
        explain(&self.tree, labels, 0, &mut asked);
        if !asked.iter().any(|route| route.takes) {
            let (route, why) = (DEFAULT_ROUTE.to_owned(), "no route takes it: the owners do".to_owned());
            asked.push(Asked { route, depth: 0, holds: true, takes: true, why });
        }
        asked
    }

    /// How many routes ask for something in particular, and how many of them could see what satisfies the
    /// matchers. Those that take everything say nothing about how broad matchers are.
    pub fn share(&self, matchers: &Matchers) -> (usize, usize) {
        let (mut all, mut met) = (0, 0);
        let mut left: Vec<(&Node, bool, bool)> = self.tree.iter().map(|node| (node, false, true)).collect();
        while let Some((node, above_asks, above_meets)) = left.pop() {
            let asks = above_asks || !node.route.matchers.is_empty();
            let meets = above_meets && node.matchers.may_meet(matchers);
            all += usize::from(asks);
            met += usize::from(asks && meets);
            left.extend(node.below.iter().map(|below| (below, asks, meets)));
        }
        (all, met)
    }
}

/// The id of the route that a rule brings along.
fn of_rule(rule: &str) -> String {
    format!("rule/{rule}")
}

fn default_route() -> Route {
    Route {
        id: DEFAULT_ROUTE.to_owned(),
        matchers: Vec::new(),
        to: Vec::new(),
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

impl Node {
    /// A route below takes over what it does not say itself, but not when it is muted.
    fn new(route: &Route, above: Option<&Route>) -> Node {
        let mut own = route.clone();
        own.routes = Vec::new();
        if let Some(above) = above {
            if own.to.is_empty() {
                own.to = above.to.clone();
            }
            if own.group_by.is_empty() {
                own.group_by = above.group_by.clone();
            }
            own.lane = own.lane.or(above.lane);
            own.timers = own.timers.or(above.timers);
            own.policy = own.policy.or_else(|| above.policy.clone());
        }
        let below = route.routes.iter().map(|below| Node::new(below, Some(&own))).collect();
        Node { matchers: Matchers::new(&route.matchers), route: Arc::new(own), below }
    }
}

fn take(nodes: &[Node], labels: &Labels, taking: &mut Vec<Arc<Route>>) {
    for node in nodes.iter().filter(|node| node.matchers.hold(labels)) {
        let before = taking.len();
        take(&node.below, labels, taking);
        if taking.len() == before {
            taking.push(node.route.clone());
        }
        if !node.route.is_continued {
            return;
        }
    }
}

fn explain(nodes: &[Node], labels: &Labels, depth: usize, asked: &mut Vec<Asked>) {
    for node in nodes {
        let at = asked.len();
        let failing = node.matchers.first_failing(labels).map(written);
        let holds = failing.is_none();
        let why = failing.map_or_else(String::new, |matcher| format!("{matcher} does not hold"));
        asked.push(Asked { route: node.route.id.clone(), depth, holds, takes: false, why });
        if !holds {
            continue;
        }
        explain(&node.below, labels, depth + 1, asked);
        let below_takes = asked[at + 1..].iter().any(|below| below.takes);
        asked[at].takes = !below_takes;
        let next = if node.route.is_continued { ", and later routes are asked too" } else { "" };
        asked[at].why = match below_takes {
            true => format!("a route below takes it{next}"),
            false => format!("takes it{next}"),
        };
        if !node.route.is_continued {
            return;
        }
    }
}

/// The way of an episode on a route.
pub(super) fn lane(route: &Route, severity: Severity) -> Lane {
    route.lane.unwrap_or(if severity >= Severity::High { Lane::Page } else { Lane::Alert })
}

/// The timers of a route's groups on a way; those of the way where the route is gone or sets none.
pub(super) fn timers(route: Option<&Route>, lane: Lane, config: &Config) -> LaneTimers {
    route.and_then(|route| route.timers).unwrap_or(match lane {
        Lane::Page => config.lanes.page,
        Lane::Immediate | Lane::Alert | Lane::Digest => config.lanes.alert,
    })
}

/// Until when notices of a route are held, and why; `None` when they are not held now.
pub(super) fn held_until(route: &Route, config: &Config, now_ms: i64) -> Option<(i64, String)> {
    // Where a change is not in sight the question is asked again a day later.
    let next = |change_ms: Option<i64>| change_ms.unwrap_or(now_ms + 86_400_000);
    let known = |names: &[String]| -> Vec<(String, crate::calendar::TimeInterval)> {
        names.iter().filter_map(|name| Some((name.clone(), config.intervals.get(name)?.clone()))).collect()
    };
    for (name, interval) in known(&route.muted_in) {
        if interval.contains(now_ms) {
            return Some((next(interval.next_change(now_ms)), format!("muted in {name}")));
        }
    }
    let active = known(&route.active_in);
    if active.is_empty() || active.iter().any(|(_, interval)| interval.contains(now_ms)) {
        return None;
    }
    let opens = active.iter().map(|(_, interval)| next(interval.next_change(now_ms))).min();
    let names: Vec<&str> = active.iter().map(|(name, _)| name.as_str()).collect();
    Some((next(opens), format!("told only in {}", names.join(", "))))
}
