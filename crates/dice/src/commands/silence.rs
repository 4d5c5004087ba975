//! `dice silence`.

use anyhow::Result;
use dice_route::Act;
use dice_route::config::Matcher;

use crate::commands::Output;
use crate::router::look::Silenced;
use crate::router::operator::{Operator, answered};
use crate::{Failure, Outcome, clock, duration};

/// Hide whatever matchers say, for a time: told to nobody meanwhile, counted all the same.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What is hidden, all of them: service=pay, severity!=high, host=~web-.*, rule!~batch.*.
    #[arg(value_name = "MATCHER", required_unless_present_any = ["end", "list"])]
    matchers: Vec<String>,
    /// For how long: 90m, 4h, 2d; at most 30 days.
    #[arg(long = "for", value_name = "DURATION", default_value = "2h")]
    length: String,
    /// From when on, as in 2026-12-01T09:00Z [default: now].
    #[arg(long, value_name = "TIME")]
    from: Option<jiff::Timestamp>,
    /// Why, for who reads the list.
    #[arg(long, value_name = "TEXT", default_value = "")]
    comment: String,
    /// Only for this receiver, channel or person.
    #[arg(long, value_name = "NAME")]
    receiver: Option<String>,
    /// Tell nothing at its end, even where something is still open.
    #[arg(long)]
    drop: bool,
    /// Only say what it would hide.
    #[arg(long)]
    preview: bool,
    /// Edit the silence with this id: a new version of it.
    #[arg(long, value_name = "ID", conflicts_with = "end")]
    edit: Option<String>,
    /// End the silence with this id now.
    #[arg(long, value_name = "ID")]
    end: Option<String>,
    /// List silences, pending and active, with what each hid so far.
    #[arg(long, conflicts_with_all = ["matchers", "edit", "end"])]
    list: bool,
    /// List what is over too.
    #[arg(long, requires = "list")]
    all: bool,
    /// The list for a person or for a program.
    #[arg(long, value_enum, default_value_t = Output::Text, value_name = "FORMAT", requires = "list")]
    format: Output,
    #[command(flatten)]
    operator: Operator,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome> {
        if self.list {
            return self.list();
        }
        if let Some(id) = &self.end {
            return answered(self.operator.order(Act::Unsilence { id: id.clone() })?);
        }
        let matchers = self.matchers.iter().map(|text| matcher(text)).collect::<Result<_>>()?;
        let starts_ms = self.from.unwrap_or_else(clock::now).as_millisecond();
        let act = Act::Silence {
            id: self.edit.clone(),
            matchers,
            starts_ms,
            ends_ms: starts_ms.saturating_add(duration_ms(&self.length)?),
            comment: self.comment.clone(),
            receiver: self.receiver.clone(),
            notify_on_expiry: !self.drop,
            preview: self.preview,
        };
        answered(self.operator.order(act)?)
    }

    fn list(&self) -> Result<Outcome> {
        let look = self.operator.look()?;
        let all = Silenced::all(&look, self.all);
        self.format.list(&all, "nothing is silenced", |each, mut out| each.show(&mut out, &look))
    }
}

fn matcher(text: &str) -> Result<Matcher> {
    text.parse().map_err(|()| {
        Failure::new(
            format!("wanted a matcher, found `{text}`"),
            "write service=pay, severity!=high, host=~web-.* or rule!~batch.*",
        )
        .into()
    })
}

fn duration_ms(text: &str) -> Result<i64> {
    duration::parse_ms(text).filter(|ms| *ms > 0).ok_or_else(|| {
        Failure::new(format!("wanted a duration, found `{text}`"), "write 90m, 4h or 2d").into()
    })
}

#[cfg(test)]
mod tests {
    use super::{duration_ms, matcher};

    #[track_caller]
    fn check(text: &str, read: &str) {
        let matcher = matcher(text).unwrap();
        let op = serde_json::to_value(matcher.op).unwrap();
        assert_eq!(format!("{} {} {}", matcher.label, op.as_str().unwrap(), matcher.value), read);
    }

    #[test]
    fn matchers_of_every_sort() {
        check("service=pay", "service = pay");
        check("service=\"pay me\"", "service = pay me");
        check("severity!=high", "severity != high");
        check("host=~web-.*", "host =~ web-.*");
        check("rule!~a=b", "rule !~ a=b");
        assert!(matcher("=x").is_err());
        assert!(matcher("pay").is_err());
        assert!(matcher("a!b").is_err());
    }

    #[test]
    fn durations_are_longer_than_nothing() {
        assert_eq!(duration_ms("2d").unwrap(), 172_800_000);
        assert!(duration_ms("0s").is_err());
        assert!(duration_ms("-5m").is_err());
        assert!(duration_ms("soon").is_err());
    }
}
