//! `/metrics`: what was counted, in the OpenMetrics text format.
//!
//! The format: <https://prometheus.io/docs/specs/om/open_metrics_spec/>.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

/// Media type of the text.
pub(crate) const MEDIA: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Figures of one name.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// The name without `_total`: `dice_lines`.
    pub name: &'static str,
    /// What is counted or measured.
    pub kind: MetricKind,
    /// A sentence for people.
    pub help: &'static str,
    /// The figures.
    pub samples: Vec<Sample>,
}

/// What a figure does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// A figure with its labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The labels; values may be any text.
    pub labels: Vec<(&'static str, String)>,
    /// The figure.
    pub value: f64,
}

impl Family {
    /// A name without figures as yet.
    pub fn new(name: &'static str, kind: MetricKind, help: &'static str) -> Family {
        Family { name, kind, help, samples: Vec::new() }
    }

    /// With one more figure.
    #[must_use]
    pub fn with<'v>(
        mut self,
        labels: impl IntoIterator<Item = (&'static str, &'v str)>,
        value: f64,
    ) -> Family {
        let labels = labels.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        self.samples.push(Sample { labels, value });
        self
    }
}

/// Writes the families as OpenMetrics text. A family whose name is there already is left out: it would make
/// the text unreadable.
pub(crate) fn text(families: &[Family]) -> String {
    let mut out = String::new();
    let mut names = Vec::new();
    for Family { name, kind, help, samples } in families {
        if names.contains(name) {
            continue;
        }
        names.push(name);
        let (word, suffix) = match kind {
            MetricKind::Counter => ("counter", "_total"),
            MetricKind::Gauge => ("gauge", ""),
        };
        out.push_str("# HELP ");
        out.push_str(name);
        out.push(' ');
        escape(help, &mut out);
        write!(out, "\n# TYPE {name} {word}\n").expect("writing to a text cannot fail");
        for Sample { labels, value } in samples {
            out.push_str(name);
            out.push_str(suffix);
            for (n, (label, value)) in labels.iter().enumerate() {
                write!(out, "{}{label}=\"", if n == 0 { '{' } else { ',' }).expect("a text takes all");
                escape(value, &mut out);
                out.push('"');
            }
            out.push_str(if labels.is_empty() { " " } else { "} " });
            match value {
                value if value.is_nan() => out.push_str("NaN"),
                value if value.is_infinite() => out.push_str(if *value > 0.0 { "+Inf" } else { "-Inf" }),
                value => write!(out, "{value}").expect("a text takes all"),
            }
            out.push('\n');
        }
    }
    out.push_str("# EOF\n");
    out
}

fn escape(text: &str, out: &mut String) {
    for letter in text.chars() {
        match letter {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            letter => out.push(letter),
        }
    }
}

/// Requests by route, method and status. Routes are those there are, and methods those that are known, so
/// there is a bound.
#[derive(Debug, Default)]
pub(crate) struct Requests(Mutex<BTreeMap<(String, &'static str, u16), u64>>);

impl Requests {
    pub(crate) fn count(&self, route: &str, method: &'static str, status: u16) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((route.to_owned(), method, status)).or_default() += 1;
    }

    pub(crate) fn family(&self) -> Family {
        let help = "Requests by route, method and status.";
        let mut family = Family::new("dice_http_requests", MetricKind::Counter, help);
        for ((route, method, status), count) in &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            #[expect(clippy::cast_precision_loss, reason = "2^53 requests are not lived to see")]
            let value = *count as f64;
            family =
                family.with([("method", *method), ("route", route), ("status", &status.to_string())], value);
        }
        family
    }
}

#[cfg(test)]
mod tests {
    use super::{Family, MetricKind, text};

    #[test]
    fn label_values_may_be_any_text() {
        let lines = Family::new("dice_lines", MetricKind::Counter, "Lines,\nby \"source\".")
            .with([("source", "a\\b\"c\nd"), ("kind", "ü")], 3.0)
            .with([], 1e20);
        let age = Family::new("dice_age_seconds", MetricKind::Gauge, "Age.").with([], 0.5);
        let strange =
            Family::new("dice_x", MetricKind::Gauge, "X.").with([], f64::NAN).with([], f64::INFINITY);
        assert_eq!(
            text(&[lines.clone(), age, strange, lines]),
            "# HELP dice_lines Lines,\\nby \\\"source\\\".\n# TYPE dice_lines counter\n\
             dice_lines_total{source=\"a\\\\b\\\"c\\nd\",kind=\"ü\"} 3\n\
             dice_lines_total 100000000000000000000\n\
             # HELP dice_age_seconds Age.\n# TYPE dice_age_seconds gauge\ndice_age_seconds 0.5\n\
             # HELP dice_x X.\n# TYPE dice_x gauge\ndice_x NaN\ndice_x +Inf\n# EOF\n"
        );
    }
}
