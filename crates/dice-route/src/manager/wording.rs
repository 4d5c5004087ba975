//! Figures and durations in words, and the one line that a rule has for its episodes.

use crate::config::{Rule, RuleType};
use crate::manager::matchers::Labels;
use crate::{Evidence, Key};

/// Longer titles are cut.
const MAX_TITLE_CHARS: usize = 200;

/// A duration in the two largest units that say something: `2 h`, `14 m`, `1 d 2 h`, `30 s`.
pub fn duration(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    let units = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let Some(first) = units.iter().position(|(size, _)| seconds >= *size) else { return "0 s".to_owned() };
    let (size, unit) = units[first];
    let mut text = format!("{} {unit}", seconds / size);
    if let Some((smaller, unit)) = units.get(first + 1) {
        let rest = seconds % size / smaller;
        if rest > 0 && (first < 2 || seconds / size < 10) {
            text.push_str(&format!(" {rest} {unit}"));
        }
    }
    text
}

/// `1 occurrence`, `2 occurrences`.
pub(super) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Names in a row: `a`, `a and b`, `a, b and c`, at most four of them.
pub(super) fn names(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [front @ .., last] if names.len() <= 4 => format!("{} and {last}", front.join(", ")),
        _ => format!("{} and {} more", names[..3].join(", "), names.len() - 3),
    }
}

/// What a rule says in one line about an episode; what it has no value for is left out.
pub(super) fn title(rule: &Rule, key: &Key, labels: &Labels, evidence: &Evidence, reason: &str) -> String {
    let values = key.values();
    let text = match &rule.summary {
        None => {
            let key = if values.is_empty() { String::new() } else { format!(" ({})", values.join(", ")) };
            format!("{}{key}: {reason}", rule.id)
        }
        Some(summary) => fill(summary, |name| match name.split_once('.') {
            Some(("key", field)) => {
                // A value is called by its field's whole name, or by the last word of it.
                let is_called = |name: &str| name == field || name.rsplit('.').next() == Some(field);
                let at = rule.key.iter().position(|known| is_called(known.name()))?;
                values.get(at).cloned()
            }
            Some(("label", label)) => labels.get(label).cloned(),
            Some(("figure", figure)) => {
                let known = evidence.figures.iter().find(|(known, _)| &**known == figure)?;
                Some(format!("{}", (known.1 * 1000.0).round() / 1000.0))
            }
            _ if name == "count" => Some(evidence.count.to_string()),
            _ if name == "window" => window_ms(&rule.kind).map(duration),
            _ if name == "reason" => Some(reason.to_owned()),
            _ => None,
        }),
    };
    one_line(&text)
}

/// Text of unknown origin on one line of bounded length.
pub(super) fn one_line(text: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let mut line: String = text.chars().map(clean).take(MAX_TITLE_CHARS).collect();
    if text.chars().nth(MAX_TITLE_CHARS).is_some() {
        line.push('…');
    }
    line
}

/// Puts values where `{{name}}` stands.
fn fill(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((name, after)) = after.split_once("}}") else {
            out.push_str("{{");
            rest = after;
            continue;
        };
        out.push_str(&value(name.trim()).unwrap_or_default());
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The span a rule looks at.
fn window_ms(kind: &RuleType) -> Option<i64> {
    match kind {
        RuleType::Match { .. } => None,
        RuleType::Frequency { within_ms, .. }
        | RuleType::Flatline { within_ms, .. }
        | RuleType::Cardinality { within_ms, .. }
        | RuleType::Sequence { within_ms, .. }
        | RuleType::Composite { within_ms, .. } => Some(*within_ms),
        RuleType::Spike { window_ms, .. }
        | RuleType::Ratio { window_ms, .. }
        | RuleType::Metric { window_ms, .. } => Some(*window_ms),
        RuleType::Change { within_ms, .. } => *within_ms,
        RuleType::FirstSeen(terms) => Some(terms.horizon_ms),
        RuleType::MissingB(missing) => Some(missing.within_ms),
        RuleType::Session { gap_ms, .. } => Some(*gap_ms),
    }
}

#[cfg(test)]
mod tests {
    use super::{duration, fill, names};

    #[test]
    fn durations_have_at_most_two_units() {
        for (ms, text) in [
            (0, "0 s"),
            (-5, "0 s"),
            (30_000, "30 s"),
            (60_000, "1 m"),
            (90_000, "1 m 30 s"),
            (840_000, "14 m"),
            (7_200_000, "2 h"),
            (93_600_000, "1 d 2 h"),
        ] {
            assert_eq!(duration(ms), text);
        }
    }

    #[test]
    fn braces_that_mean_nothing_stay_or_go() {
        let value = |name: &str| (name == "count").then(|| "20".to_owned());
        assert_eq!(fill("{{ count }} of {{x}} {{", value), "20 of  {{");
    }

    #[test]
    fn names_beyond_four_are_counted() {
        let all: Vec<String> = ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec();
        assert_eq!(names(&all[..1]), "a");
        assert_eq!(names(&all[..3]), "a, b and c");
        assert_eq!(names(&all), "a, b, c and 2 more");
    }
}
