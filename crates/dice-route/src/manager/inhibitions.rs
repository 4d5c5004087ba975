//! While something is open, something else is not told.

use std::collections::BTreeMap;

use super::Episodes;
use super::episodes::Episode;
use super::matchers::{Labels, Matchers};
use crate::Config;

/// While something is open, something else is not told.
///
/// Nothing is kept here that episodes do not tell: a restart or a new configuration asks them again, so
/// there is no moment in which sources are not known yet.
#[derive(Debug, Clone, Default)]
pub struct Inhibitions {
    rules: Vec<Compiled>,
}

#[derive(Debug, Clone)]
struct Compiled {
    source: Matchers,
    target: Matchers,
    equal: Vec<String>,
    missing_equal: bool,
    linger_ms: i64,
    /// Sources by the values of the equal labels, then by episode.
    sources: BTreeMap<Vec<String>, BTreeMap<String, Source>>,
}

#[derive(Debug, Clone, Copy)]
struct Source {
    closed_ms: Option<i64>,
    /// It matches the other side as well, so it hides nothing that does so too.
    is_target: bool,
}

impl Inhibitions {
    /// Compiles the inhibitions of a configuration and asks the episodes for their sources.
    pub fn new(config: &Config, episodes: &Episodes, now_ms: i64) -> Inhibitions {
        let compile = |rule: &crate::config::Inhibition| Compiled {
            source: Matchers::new(&rule.source),
            target: Matchers::new(&rule.target),
            equal: rule.equal.clone(),
            missing_equal: rule.missing_equal,
            linger_ms: rule.linger_ms,
            sources: BTreeMap::new(),
        };
        let mut inhibitions = Inhibitions { rules: config.inhibitions.iter().map(compile).collect() };
        let longest_ms = inhibitions.rules.iter().map(|rule| rule.linger_ms).max().unwrap_or(0);
        episodes.open().for_each(|episode| inhibitions.learn(episode));
        episodes
            .closed_since(now_ms.saturating_sub(longest_ms))
            .for_each(|episode| inhibitions.learn(episode));
        inhibitions
    }

    /// Takes what became of an episode.
    pub fn learn(&mut self, episode: &Episode) {
        for rule in self.rules.iter_mut().filter(|rule| rule.source.hold(&episode.labels)) {
            let Some(values) = rule.values(&episode.labels) else { continue };
            let is_target = rule.target.hold(&episode.labels);
            let source = Source { closed_ms: episode.closed_ms, is_target };
            rule.sources.entry(values).or_default().insert(episode.id.clone(), source);
        }
    }

    /// The episode that hides what has these labels; the first by name where there are several.
    pub fn hides(&self, labels: &Labels, episode: &str, now_ms: i64) -> Option<String> {
        self.rules.iter().filter(|rule| rule.target.hold(labels)).find_map(|rule| {
            let sources = rule.sources.get(&rule.values(labels)?)?;
            let is_source = rule.source.hold(labels);
            let hides = |(id, source): &(&String, &Source)| {
                let lasts =
                    source.closed_ms.is_none_or(|closed| now_ms < closed.saturating_add(rule.linger_ms));
                lasts && id.as_str() != episode && !(is_source && source.is_target)
            };
            sources.iter().find(hides).map(|(id, _)| id.clone())
        })
    }

    /// Forgets sources that hide nothing any more; gives their names.
    pub fn sweep(&mut self, now_ms: i64) -> Vec<String> {
        let mut gone = Vec::new();
        for rule in &mut self.rules {
            let linger_ms = rule.linger_ms;
            for sources in rule.sources.values_mut() {
                sources.retain(|id, source| {
                    let lasts =
                        source.closed_ms.is_none_or(|closed| now_ms < closed.saturating_add(linger_ms));
                    if !lasts {
                        gone.push(id.clone());
                    }
                    lasts
                });
            }
            rule.sources.retain(|_, sources| !sources.is_empty());
        }
        gone.sort();
        gone.dedup();
        gone
    }
}

impl Compiled {
    /// The values of the equal labels; `None` where one is missing and that does not count as equal.
    fn values(&self, labels: &Labels) -> Option<Vec<String>> {
        let value = |name: &String| match labels.get(name) {
            Some(value) => Some(value.clone()),
            None => self.missing_equal.then(String::new),
        };
        self.equal.iter().map(value).collect()
    }
}
