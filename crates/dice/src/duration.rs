//! Lengths of time as people write them.

use jiff::{SignedDuration, Span, SpanRelativeTo};

/// The length of `90s`, `1h30m`, `2d`: a day has 24 hours. `None` for anything else, and for months and years,
/// which are not of one length.
pub(crate) fn parse(text: &str) -> Option<SignedDuration> {
    let span: Span = text.parse().ok()?;
    span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()
}

/// The same in milliseconds.
pub(crate) fn parse_ms(text: &str) -> Option<i64> {
    i64::try_from(parse(text)?.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::parse_ms;

    #[test]
    fn days_have_24_hours() {
        let texts = ["90s", "1h30m", "2d", "0s", "-5m", "1ms", "1 month", "soon", ""];
        let parsed = texts.map(parse_ms);
        let expected = [
            Some(90_000),
            Some(5_400_000),
            Some(172_800_000),
            Some(0),
            Some(-300_000),
            Some(1),
            None,
            None,
            None,
        ];
        assert_eq!(parsed, expected);
    }
}
