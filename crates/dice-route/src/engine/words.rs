//! Words for readers.

use crate::config::{Aggregate, Measure};

/// A span of time as people write it: `5m`, `1h 30m`, `250ms`.
pub(crate) fn duration(span_ms: i64) -> String {
    let mut rest = span_ms.max(0);
    let mut parts = Vec::new();
    for (unit_ms, unit) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")] {
        if rest >= unit_ms {
            parts.push(format!("{}{unit}", rest / unit_ms));
            rest %= unit_ms;
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

/// A figure as people write it: whole where it is whole, else with three digits that count.
pub(crate) fn figure(value: f64) -> String {
    if value == value.trunc() && value.abs() < 1e15 {
        return format!("{value:.0}");
    }
    let digits = if value.abs() >= 100.0 {
        0
    } else if value.abs() >= 10.0 {
        1
    } else if value.abs() >= 1.0 {
        2
    } else {
        4
    };
    format!("{value:.digits$}")
}

/// The start of a text, at most so many bytes, not ending within a character.
pub(crate) fn cut(text: &str, len: usize) -> &str {
    let end = (0..=len.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

/// So many of something: `1 event`, `2 events`.
pub(crate) fn plural(n: u64, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// What a figure is called: `the mean of took`, `the number of events`.
pub(crate) fn aggregate(measure: &Measure) -> String {
    let field = measure.field.as_ref().map_or("", |field| field.name());
    let of = match measure.aggregate {
        Aggregate::Count => return "the number of events".to_owned(),
        Aggregate::Sum => "the sum".to_owned(),
        Aggregate::Avg => "the mean".to_owned(),
        Aggregate::Min => "the smallest".to_owned(),
        Aggregate::Max => "the largest".to_owned(),
        Aggregate::Quantile(share) => format!("p{}", figure(share * 100.0)),
    };
    format!("{of} of {field}")
}
