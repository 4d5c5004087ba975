//! What hides what, and whether it goes round in circles.

use std::collections::VecDeque;

use dice_route::config::{Inhibition, Matcher, MatcherOp};
use regex::Regex;

use crate::names::{Names, check_unique};
use crate::text::{Complaint, Desk};
use crate::value::Table;

/// More are not looked at: each is compared with each.
const MAX_INHIBITIONS: usize = 256;

/// The inhibitions. Those that may hide each other's sources are refused: what is told would depend on which
/// episode came first.
pub(crate) fn inhibitions(desk: &mut Desk, router: &Table, names: &Names) -> Vec<Inhibition> {
    let tables: Vec<&Table> = router.tables("inhibit").collect();
    check_unique(desk, "inhibition", "id", tables.iter().copied());
    let mut inhibitions = Vec::new();
    for table in &tables {
        for key in ["source", "target"] {
            names.check_matchers(desk, table, key);
            if table.is_sound() && table.list(key).is_empty() {
                let complaint =
                    Complaint::wanted("at least one matcher", "none").hint("it would match everything");
                desk.complain(table.place_of(key), &table.path_of(key), complaint);
            }
        }
        names.check_labels(desk, table, "equal");
        inhibitions.push(Inhibition {
            id: table.word("id").to_owned(),
            source: table.matchers("source"),
            target: table.matchers("target"),
            equal: table.texts("equal"),
            missing_equal: table.flag("missing_equal"),
            linger_ms: table.duration("linger"),
        });
    }
    let is_sound = tables.iter().all(|table| table.is_sound());
    if let Some(table) = tables.get(MAX_INHIBITIONS) {
        let complaint = Complaint::wanted(format!("at most {MAX_INHIBITIONS} inhibitions"), tables.len());
        desk.complain(&table.place, &table.path, complaint);
        return Vec::new();
    }
    if let Some(circle) = circle(&inhibitions).filter(|_| is_sound) {
        let names: Vec<String> = circle.iter().map(|n| format!("\"{}\"", inhibitions[*n].id)).collect();
        let last = tables[*circle.iter().max().expect("a circle has members")];
        let complaint = Complaint::new(format!("{} may hide each other's sources", names.join(" and ")))
            .hint("add a matcher to one of them so that no episode is a target of one and a source of the other");
        desk.complain(last.place_of("target"), &last.path_of("target"), complaint);
    }
    inhibitions
}

/// Inhibitions each of which may hide what the next one needs, the last one the first.
fn circle(inhibitions: &[Inhibition]) -> Option<Vec<usize>> {
    let sources: Vec<Side> = inhibitions.iter().map(|inhibition| Side::of(&inhibition.source)).collect();
    let targets: Vec<Side> = inhibitions.iter().map(|inhibition| Side::of(&inhibition.target)).collect();
    let n = inhibitions.len();
    // An inhibition alone makes no circle: what is on both of its sides is never hidden by its like.
    let leads_to = |from: usize| {
        (0..n).filter(|to| *to != from && targets[from].may_be(&sources[*to])).collect::<Vec<_>>()
    };
    let leads: Vec<Vec<usize>> = (0..n).map(leads_to).collect();
    (0..n).find_map(|start| way_back(&leads, start))
}

/// The shortest way from `start` back to it.
fn way_back(leads: &[Vec<usize>], start: usize) -> Option<Vec<usize>> {
    let mut came_from: Vec<Option<usize>> = vec![None; leads.len()];
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        for next in &leads[at] {
            if *next == start {
                let mut way = vec![at];
                let mut last = at;
                while let Some(before) = came_from[last] {
                    way.push(before);
                    last = before;
                }
                way.reverse();
                return Some(way);
            }
            if came_from[*next].is_none() {
                came_from[*next] = Some(at);
                queue.push_back(*next);
            }
        }
    }
    None
}

/// Matchers of one side, their expressions compiled once.
struct Side<'m>(Vec<(&'m Matcher, Option<Regex>)>);

impl<'m> Side<'m> {
    fn of(matchers: &'m [Matcher]) -> Side<'m> {
        let compiled = |matcher: &Matcher| match matcher.op {
            MatcherOp::Matches | MatcherOp::MatchesNot => {
                crate::check::pattern(&format!("^(?:{})$", matcher.value)).ok()
            }
            _ => None,
        };
        Side(matchers.iter().map(|matcher| (matcher, compiled(matcher))).collect())
    }

    /// Whether labels may exist that both sides match: no label is asked to be two things.
    fn may_be(&self, other: &Side<'_>) -> bool {
        let all = || self.0.iter().chain(&other.0);
        all().filter(|(equal, _)| equal.op == MatcherOp::Equal).all(|(equal, _)| {
            all().filter(|(matcher, _)| matcher.label == equal.label).all(|(matcher, pattern)| {
                let matches = || pattern.as_ref().is_some_and(|pattern| pattern.is_match(&equal.value));
                match matcher.op {
                    MatcherOp::Equal => matcher.value == equal.value,
                    MatcherOp::NotEqual => matcher.value != equal.value,
                    MatcherOp::Matches => matches(),
                    MatcherOp::MatchesNot => !matches(),
                }
            })
        })
    }
}
