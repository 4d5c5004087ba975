//! How an attempt ended, in words that tests compare.

use dice_route::Outcome;

/// The outcome in one word, with its wait and its reach.
pub(crate) fn word(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Delivered(_) => "delivered".to_owned(),
        Outcome::Partly(part) => format!("partly {}", part.number),
        Outcome::Later(wait_ms, _) => format!("later {wait_ms}"),
        Outcome::Deferred(wait_ms, _) => format!("deferred {wait_ms}"),
        Outcome::Refused(_) => "refused".to_owned(),
        Outcome::Limited(wait_ms, reach, _) => format!("limited {wait_ms} {reach:?}"),
        Outcome::Denied(_) => "denied".to_owned(),
        Outcome::Ambiguous(_) => "ambiguous".to_owned(),
        other => format!("no end of a call: {other:?}"),
    }
}
