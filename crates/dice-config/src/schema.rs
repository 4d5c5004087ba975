//! Every section and key of `router.toml` and `rules/*.toml`, written once.
//!
//! Reading, checking, defaults and the reference for people all come from these tables.

mod couriers;
mod json;
mod print;
mod router;
mod rules;

pub use json::json;
pub use print::{markdown, print};
pub(crate) use router::{MANAGED_DOCUMENT, ROUTER};
pub(crate) use rules::RULES_FILE;

/// A table of the configuration: what may stand in it.
#[derive(Debug)]
pub(crate) struct Section {
    /// What a reader knows about it.
    pub(crate) doc: &'static str,
    /// What may stand in it.
    pub(crate) keys: &'static [Key],
    /// What else may, depending on a word.
    pub(crate) variants: Option<Variants>,
}

/// Keys that depend on a word.
#[derive(Debug)]
pub(crate) struct Variants {
    /// The key that has the word; it is required.
    pub(crate) key: &'static str,
    /// What the key says.
    pub(crate) doc: &'static str,
    /// The words, and what may stand there in addition.
    pub(crate) of: &'static [(&'static str, &'static Section)],
}

/// One key.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) presence: Presence,
    /// What it says, for who writes it. One sentence or more, no full stop at the end.
    pub(crate) doc: &'static str,
    /// A value as written; the default serves where there is none.
    pub(crate) example: &'static str,
}

/// What holds when a key is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It has to be there.
    Required,
    /// Then there is none.
    Optional,
    /// This value, as written.
    Default(&'static str),
}

/// What a value may be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// A text; numbers and booleans become one.
    Scalar,
    /// A text that is used as a name: not empty, no blanks.
    Name,
    Bool,
    /// A whole number between these.
    Integer(i64, i64),
    /// A number between these.
    Number(f64, f64),
    /// A number from 0 to 1, or a percentage in quotes.
    Share,
    /// A duration in quotes, at least and at most so many milliseconds.
    Duration(i64, i64),
    /// The same, or `never`.
    DurationOrNever,
    /// A size in quotes, in bytes.
    Size(i64, i64),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A condition over events.
    Condition,
    /// A field of an event.
    Field,
    /// `count`, or how values of a field become a figure: `avg(vars.took)`.
    Measure,
    /// A regular expression.
    Pattern,
    /// One label compared: `severity=~"high|critical"`.
    Matcher,
    /// An IANA time zone.
    Zone,
    /// A time of day.
    Time,
    /// A date, and a name behind it.
    Holiday,
    /// A date, or two with `..` between them.
    Days,
    /// A date and time without zone.
    DateTime,
    /// `IP:PORT`.
    Address,
    /// Weekdays that are worked.
    Week,
    /// Hours of a working day.
    Hours,
    /// A channel, a person, a team, a receiver, `owner`; in policies `channel` and `oncall:SCHEDULE` too.
    Recipient,
    /// A handle or an e-mail address.
    Person,
    /// A list; one value alone is a list of one.
    List(&'static Kind),
    /// Any names with values of one kind.
    Map(&'static Kind),
    /// A table.
    Table(&'static Section),
    /// An array of tables.
    Tables(&'static Section),
    /// Tables by names that the writer chooses.
    Named(&'static Section),
}

impl Section {
    const fn of(doc: &'static str, keys: &'static [Key]) -> Section {
        Section { doc, keys, variants: None }
    }
}

/// A key that may be left out.
const fn key(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key { name, kind, presence: Presence::Optional, doc, example: "" }
}

impl Key {
    /// Has to be there.
    const fn required(mut self) -> Key {
        self.presence = Presence::Required;
        self
    }

    /// Has this value when it is not there.
    const fn or(mut self, default: &'static str) -> Key {
        self.presence = Presence::Default(default);
        self
    }

    /// Is written like this.
    const fn like(mut self, example: &'static str) -> Key {
        self.example = example;
        self
    }

    /// A value as written.
    pub(crate) fn shown(&self) -> &'static str {
        match self.presence {
            Presence::Default(default) if self.example.is_empty() => default,
            _ => self.example,
        }
    }
}

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Any duration up to ten years.
const SPAN: Kind = Kind::Duration(0, 3_653 * DAY);
/// A window of event time.
const WINDOW: Kind = Kind::Duration(SECOND, 366 * DAY);
const TEXTS: Kind = Kind::List(&Kind::Text);
const MATCHERS: Kind = Kind::List(&Kind::Matcher);
const RECIPIENTS: Kind = Kind::List(&Kind::Recipient);
const FIELDS: Kind = Kind::List(&Kind::Field);
/// A figure of any size.
const FIGURE: Kind = Kind::Number(f64::MIN, f64::MAX);
/// How many of something.
const COUNT: Kind = Kind::Integer(1, 1_000_000_000);

/// So many in so long.
static GUARD: Section = Section::of(
    "So many in so long",
    &[
        key("count", COUNT, "How many").required().like("20"),
        key("within", WINDOW, "In how long").required().like("\"10m\""),
    ],
);

impl Kind {
    /// What to write, in words.
    pub(crate) fn wanted(&self) -> String {
        match self {
            Kind::Text => "a text in quotes".to_owned(),
            Kind::Scalar => "a text, a number, true or false".to_owned(),
            Kind::Name => "a name in quotes, without blanks".to_owned(),
            Kind::Bool => "true or false".to_owned(),
            Kind::Integer(min, max) if *max >= 1_000_000_000 => format!("a whole number from {min}"),
            Kind::Integer(min, max) => format!("a whole number from {min} to {max}"),
            Kind::Number(min, _) if *min == f64::MIN => "a number".to_owned(),
            Kind::Number(min, max) if *max == f64::MAX => format!("a number from {min}"),
            Kind::Number(min, max) => format!("a number from {min} to {max}"),
            Kind::Share => "a share from 0 to 1, or a percentage such as \"5%\"".to_owned(),
            Kind::Duration(..) => "a duration such as \"30s\", \"5m\" or \"1h30m\"".to_owned(),
            Kind::DurationOrNever => "a duration such as \"4h\", or \"never\"".to_owned(),
            Kind::Size(..) => "a size such as \"64KiB\" or \"1MiB\"".to_owned(),
            Kind::Word(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                match words.split_last() {
                    Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
                    _ => words.join(""),
                }
            }
            Kind::Condition => "a condition such as 'level >= error'".to_owned(),
            Kind::Field => "a field such as \"service\" or \"vars.merchant\"".to_owned(),
            Kind::Measure => {
                "\"count\", or sum, avg, min, max, p50 to p99 of a field such as \"p95(vars.took)\""
                    .to_owned()
            }
            Kind::Pattern => "a regular expression in quotes".to_owned(),
            Kind::Matcher => "a label compared by =, !=, =~ or !~, such as 'severity = \"high\"'".to_owned(),
            Kind::Zone => "an IANA time zone such as \"Europe/Berlin\"".to_owned(),
            Kind::Time => "a time of day such as \"10:00\"".to_owned(),
            Kind::Holiday => "a date such as \"2026-12-25\", with a name behind it if it has one".to_owned(),
            Kind::Days => {
                "a date such as \"2026-12-24\", or two such as \"2026-12-24..2026-12-31\"".to_owned()
            }
            Kind::DateTime => "a date and time such as \"2026-11-23T09:00\"".to_owned(),
            Kind::Address => "an address such as \"127.0.0.1:5514\"".to_owned(),
            Kind::Week => "weekdays such as \"mon-fri\" or \"sun,mon,wed-thu\"".to_owned(),
            Kind::Hours => "hours such as \"09:00-18:00\"".to_owned(),
            Kind::Recipient => {
                "\"#channel\", \"@handle\", \"@org/team\", an e-mail address, a receiver or \"owner\""
                    .to_owned()
            }
            Kind::Person => "\"@handle\" or an e-mail address".to_owned(),
            Kind::List(of) => format!("{}, or a list of such", of.wanted()),
            Kind::Map(_) | Kind::Table(_) | Kind::Named(_) => "a table".to_owned(),
            Kind::Tables(_) => "an array of tables: [[…]]".to_owned(),
        }
    }

    /// What it is, in a word or two.
    pub(crate) fn name(&self) -> String {
        match self {
            Kind::Text => "text".to_owned(),
            Kind::Scalar => "text or number".to_owned(),
            Kind::Name => "name".to_owned(),
            Kind::Bool => "true or false".to_owned(),
            Kind::Integer(..) => "whole number".to_owned(),
            Kind::Number(..) => "number".to_owned(),
            Kind::Share => "share".to_owned(),
            Kind::Duration(..) => "duration".to_owned(),
            Kind::DurationOrNever => "duration or never".to_owned(),
            Kind::Size(..) => "size".to_owned(),
            Kind::Word(words) => words.join(" | "),
            Kind::Condition => "condition".to_owned(),
            Kind::Field => "field".to_owned(),
            Kind::Measure => "figure".to_owned(),
            Kind::Pattern => "regular expression".to_owned(),
            Kind::Matcher => "matcher".to_owned(),
            Kind::Zone => "time zone".to_owned(),
            Kind::Time => "time of day".to_owned(),
            Kind::Holiday => "date".to_owned(),
            Kind::Days => "date or dates".to_owned(),
            Kind::DateTime => "date and time".to_owned(),
            Kind::Address => "address".to_owned(),
            Kind::Week => "weekdays".to_owned(),
            Kind::Hours => "hours".to_owned(),
            Kind::Recipient => "recipient".to_owned(),
            Kind::Person => "person".to_owned(),
            Kind::List(of) => format!("list of {}", of.name()),
            Kind::Map(of) => format!("table of {}", of.name()),
            Kind::Table(_) | Kind::Named(_) => "table".to_owned(),
            Kind::Tables(_) => "tables".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
