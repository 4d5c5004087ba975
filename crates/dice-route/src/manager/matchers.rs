//! Matchers over labels, compiled once.

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};

use crate::config::{Matcher, MatcherOp};

/// An expression may need this much memory, compiled.
const MAX_REGEX_BYTES: usize = 1 << 20;

/// Names and their values.
pub type Labels = BTreeMap<String, String>;

/// Matchers that must all hold, compiled once.
///
/// A label that is not there is the empty text. A matcher whose expression does not compile never holds,
/// whichever way it asks: it must not hide or route what nobody meant.
#[derive(Debug, Clone, Default)]
pub struct Matchers {
    tests: Vec<(Matcher, Option<Regex>)>,
}

impl Matchers {
    /// Compiles matchers.
    pub fn new(matchers: &[Matcher]) -> Matchers {
        let compile = |matcher: &Matcher| match matcher.op {
            MatcherOp::Equal | MatcherOp::NotEqual => None,
            MatcherOp::Matches | MatcherOp::MatchesNot => expression(&matcher.value),
        };
        Matchers { tests: matchers.iter().map(|each| (each.clone(), compile(each))).collect() }
    }

    /// Whether all hold.
    pub fn hold(&self, labels: &Labels) -> bool {
        self.first_failing(labels).is_none()
    }

    /// The first that does not hold.
    pub fn first_failing(&self, labels: &Labels) -> Option<&Matcher> {
        let fails = |(matcher, regex): &&(Matcher, Option<Regex>)| {
            let value = labels.get(&matcher.label).map_or("", String::as_str);
            let matches = regex.as_ref().map(|regex| regex.is_match(value));
            !match matcher.op {
                MatcherOp::Equal => value == matcher.value,
                MatcherOp::NotEqual => value != matcher.value,
                MatcherOp::Matches => matches.unwrap_or(false),
                MatcherOp::MatchesNot => matches.is_some_and(|matches| !matches),
            }
        };
        self.tests.iter().find(fails).map(|(matcher, _)| matcher)
    }

    /// Whether the same labels could satisfy both: false when they ask one label for two values.
    pub fn may_meet(&self, other: &Matchers) -> bool {
        let contradicts = |a: &Matcher, tests: &[(Matcher, Option<Regex>)]| {
            a.op == MatcherOp::Equal
                && tests.iter().any(|(b, regex)| {
                    let matches = regex.as_ref().map(|regex| regex.is_match(&a.value));
                    b.label == a.label
                        && match b.op {
                            MatcherOp::Equal => b.value != a.value,
                            MatcherOp::NotEqual => b.value == a.value,
                            MatcherOp::Matches => matches != Some(true),
                            MatcherOp::MatchesNot => matches != Some(false),
                        }
                })
        };
        !self.tests.iter().any(|(a, _)| contradicts(a, &other.tests))
            && !other.tests.iter().any(|(b, _)| contradicts(b, &self.tests))
    }
}

/// The whole text must match. `None` when it does not compile.
pub(super) fn expression(text: &str) -> Option<Regex> {
    RegexBuilder::new(&format!("^(?:{text})$")).size_limit(MAX_REGEX_BYTES).build().ok()
}

/// The matcher as a person writes it: `service=~"api.*"`.
pub fn written(matcher: &Matcher) -> String {
    let op = match matcher.op {
        MatcherOp::Equal => "=",
        MatcherOp::NotEqual => "!=",
        MatcherOp::Matches => "=~",
        MatcherOp::MatchesNot => "!~",
    };
    format!("{}{op}{:?}", matcher.label, matcher.value)
}

#[cfg(test)]
mod tests {
    use super::{Labels, Matchers};
    use crate::config::{Matcher, MatcherOp};

    fn matchers(written: &str) -> Matchers {
        let one = |text: &str| {
            let (label, op, value) = [
                ("!=", MatcherOp::NotEqual),
                ("=~", MatcherOp::Matches),
                ("!~", MatcherOp::MatchesNot),
                ("=", MatcherOp::Equal),
            ]
            .into_iter()
            .find_map(|(sign, op)| text.split_once(sign).map(|(label, value)| (label, op, value)))
            .unwrap();
            Matcher { label: label.to_owned(), op, value: value.to_owned() }
        };
        Matchers::new(&written.split_whitespace().map(one).collect::<Vec<_>>())
    }

    #[track_caller]
    fn check(written: &str, labels: &[(&str, &str)], holds: bool) {
        let labels: Labels = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert_eq!(matchers(written).hold(&labels), holds, "{written}");
    }

    #[test]
    fn all_must_hold_and_a_missing_label_is_empty() {
        let labels = [("service", "api"), ("env", "production")];
        check("", &labels, true);
        check("service=api env!=staging", &labels, true);
        check("service=api env!=production", &labels, false);
        check("team=", &labels, true);
        check("team!=db", &labels, true);
        check("service=~a.*", &labels, true);
        check("service=~a", &labels, false);
        check("service!~a|b", &labels, true);
    }

    #[test]
    fn an_expression_that_does_not_compile_never_holds() {
        check("service=~(", &[("service", "(")], false);
        check("service!~(", &[("service", "x")], false);
    }

    #[test]
    fn what_asks_for_two_values_of_one_label_never_meets() {
        assert!(!matchers("a=1").may_meet(&matchers("a=2")));
        assert!(!matchers("a=1").may_meet(&matchers("a=~[2-9]")));
        assert!(!matchers("a!=1").may_meet(&matchers("a=1")));
        assert!(matchers("a=1").may_meet(&matchers("b=2 a=~[0-9]")));
    }
}
