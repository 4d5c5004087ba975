//! A silence that somebody is about to make, as the form has it.

use dice_route::Act;
use dice_route::config::Matcher;

use super::words::Words;
use crate::problem::Problem;

/// For how long something can be silenced, and what that is called.
pub(super) const LENGTHS: [(&str, &str); 8] = [
    ("30m", "30 minutes"),
    ("1h", "an hour"),
    ("2h", "2 hours"),
    ("4h", "4 hours"),
    ("8h", "8 hours"),
    ("24h", "a day"),
    ("72h", "3 days"),
    ("168h", "a week"),
];
/// The one that is chosen where nothing is said.
const USUAL: &str = "2h";
/// What is said of the end where nothing is to be told then.
pub(super) const DROP: &str = "drop";
/// Bytes of all fields together: they have to fit into a link.
const MAX_BYTES: usize = 8_192;

/// The fields of the form.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    /// Matchers, one a line.
    pub(super) what: String,
    pub(super) length: String,
    pub(super) reason: String,
    pub(super) receiver: String,
    /// Empty, or [`DROP`].
    pub(super) end: String,
}

fn unclear(wanted: impl Into<String>, found: impl Into<String>) -> Problem {
    Problem::unprocessable("that is no silence")
        .wanted(wanted)
        .found(found)
        .next("go back and mend the form; nothing was done")
}

impl Draft {
    /// Whether somebody has begun to fill it in.
    pub(super) fn is_begun(&self) -> bool {
        !self.what.trim().is_empty()
    }

    /// Whether that length is the one that is chosen.
    pub(super) fn is_length(&self, length: &str) -> bool {
        let known = LENGTHS.iter().any(|(known, _)| *known == self.length);
        length == if known { &self.length } else { USUAL }
    }

    /// What is to be done from `now_ms` on; where it `is_trial`, it is only said what would be hidden.
    pub(super) fn act(&self, now_ms: i64, is_trial: bool) -> Result<Act, Problem> {
        if self.n_bytes() > MAX_BYTES {
            return Err(unclear(format!("{MAX_BYTES} bytes at most"), "more"));
        }
        let lines = self.what.lines().map(str::trim).filter(|line| !line.is_empty());
        let matchers: Vec<Matcher> = lines
            .map(|line| {
                let wanted = "service=pay, severity!=high, host=~web-.* or rule!~batch.*, one a line";
                line.parse().map_err(|()| unclear(wanted, line))
            })
            .collect::<Result<_, _>>()?;
        if matchers.is_empty() {
            return Err(unclear("what is to be silent", "nothing"));
        }
        let reason = self.reason.trim();
        if reason.is_empty() {
            return Err(unclear("why, for the others", "nothing"));
        }
        let length_ms = self.length_ms().ok_or_else(|| unclear("for how long", self.length.as_str()))?;
        Ok(Act::Silence {
            id: None,
            matchers,
            starts_ms: now_ms,
            ends_ms: now_ms.saturating_add(length_ms),
            comment: reason.to_owned(),
            receiver: Some(self.receiver.trim().to_owned()).filter(|name| !name.is_empty()),
            notify_on_expiry: self.end != DROP,
            preview: is_trial,
        })
    }

    /// The page with the form filled in so.
    pub(super) fn path(&self) -> String {
        let fields = self.fields().map(|(name, value)| format!("{name}={}", value.escaped()));
        format!("/hidden?{}", fields.join("&"))
    }

    fn fields(&self) -> [(&'static str, &str); 5] {
        let Draft { what, length, reason, receiver, end } = self;
        [("what", what), ("length", length), ("reason", reason), ("receiver", receiver), ("end", end)]
    }

    fn n_bytes(&self) -> usize {
        self.fields().iter().map(|(_, value)| value.len()).sum()
    }

    fn length_ms(&self) -> Option<i64> {
        let (known, _) = LENGTHS.iter().find(|(known, _)| *known == self.length)?;
        let (n, unit) = known.split_at(known.len() - 1);
        let unit_ms = if unit == "m" { 60_000 } else { 3_600_000 };
        Some(n.parse::<i64>().ok()? * unit_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::{Draft, LENGTHS};

    #[track_caller]
    fn check(what: &str, length: &str, reason: &str, expected: Option<&str>) {
        let draft = Draft {
            what: what.to_owned(),
            length: length.to_owned(),
            reason: reason.to_owned(),
            ..Draft::default()
        };
        let act = draft.act(1_000, false).ok().map(|act| serde_json::to_string(&act).unwrap());
        let found = act.as_deref().map(|act| act.split_once("\"matchers\":").unwrap().1);
        assert_eq!(found.map(|found| found.split_once(",\"comment").unwrap().0), expected);
    }

    #[test]
    fn a_form_is_a_silence_or_nothing() {
        let pay = r#"[{"label":"service","op":"=","value":"pay"}],"starts_ms":1000,"ends_ms":1801000"#;
        check("service=pay", "30m", "new relay", Some(pay));
        check(" service = \"pay\" \r\n\r\n", "30m", "new relay", Some(pay));
        for (what, length, reason) in [
            ("", "30m", "why"),
            (" \n", "30m", "why"),
            ("pay", "30m", "why"),
            ("=pay", "30m", "why"),
            ("service=pay", "31m", "why"),
            ("service=pay", "", "why"),
            ("service=pay", "30m", " "),
            (&"x=y\n".repeat(3_000), "30m", "why"),
        ] {
            check(what, length, reason, None);
        }
        assert!(LENGTHS.iter().all(|(length, _)| {
            Draft { length: (*length).to_owned(), ..Draft::default() }.length_ms().is_some()
        }));
    }
}
