//! One comparison: a field and what is asked about it.

use std::cmp::Ordering;
use std::fmt;

use dice_catalog::{Kind, Level};
use regex::Regex;

use super::field::{Part, owners};
use super::token::{Sign, write_text};
use super::{Field, Quantity, Unit};
use crate::{Event, Message, MessageId};

/// A field and what is asked about it.
#[derive(Debug, Clone)]
pub(super) struct Check {
    pub(super) field: Field,
    /// The number a value begins with counts, whatever follows it.
    pub(super) is_loose: bool,
    pub(super) question: Question,
}

/// What is asked. A field without a value gets no for an answer.
#[derive(Debug, Clone)]
pub(super) enum Question {
    /// Whether it has a value.
    Exists,
    /// Whether it is `true`.
    IsTrue,
    /// Whether it is one of these, which are in order and without repeats.
    OneOf(Box<[Scalar]>),
    /// How it compares with a level, number or text.
    Compared(Sign, Scalar),
    /// Whether a part of it matches.
    Matches(Regex),
    /// Whether a part, the start or the end of it is one of these.
    Holds(Place, Texts),
    /// The same whatever the case; the expression says the same as the texts.
    HoldsFolded(Place, Texts, Regex),
    /// Whether it is a path that one of these means.
    Path(Box<[(Box<str>, Regex)]>),
}

/// Where a text stands in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Anywhere,
    Start,
    End,
    Whole,
}

/// Texts in order, without repeats.
pub(super) type Texts = Box<[Box<str>]>;

/// A value that a condition names.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    Text(Box<str>),
    Number(Quantity),
    Level(Level),
    Kind(Kind),
    Message(MessageId),
}

impl Check {
    /// Whether it holds for the event, or by the message alone; `None` when only an event can tell.
    pub(super) fn decide(&self, message: &Message, event: Option<&Event>) -> Option<bool> {
        Some(match self.field.part() {
            Part::Level => match message.level {
                Some(level) => self.question.of_level(Some(level)),
                None => self.question.of_level(event?.level),
            },
            Part::Message => self.question.of_ids(message),
            Part::Owner => self.question.of_any(owners(message), self.is_loose),
            Part::Annotation => {
                self.question.of_any(message.annotations.iter().map(String::as_str), self.is_loose)
            }
            _ => {
                let value = match self.field.of_message(message) {
                    Some(value) => value,
                    None => self.field.of_event(event?),
                };
                value.is_some_and(|value| self.question.of_text(value, self.is_loose))
            }
        })
    }
}

impl Question {
    fn of_level(&self, level: Option<Level>) -> bool {
        let Some(level) = level else { return false };
        match self {
            Question::OneOf(known) => known.contains(&Scalar::Level(level)),
            Question::Compared(sign, Scalar::Level(other)) => is_so(level.cmp(other), *sign),
            Question::Exists => true,
            _ => self.of_text(level.as_str(), false),
        }
    }

    fn of_ids(&self, message: &Message) -> bool {
        match self {
            Question::OneOf(known) => known.iter().any(|known| match known {
                Scalar::Message(id) => *id == message.id || message.was.contains(id),
                _ => false,
            }),
            Question::Exists => true,
            _ => false,
        }
    }

    fn of_any<'v>(&self, mut values: impl Iterator<Item = &'v str>, is_loose: bool) -> bool {
        match self {
            // Handles, channels and addresses are the same whatever their case.
            Question::OneOf(known) => values.any(|value| {
                known
                    .iter()
                    .any(|known| matches!(known, Scalar::Text(text) if text.eq_ignore_ascii_case(value)))
            }),
            _ => values.any(|value| self.of_text(value, is_loose)),
        }
    }

    fn of_text(&self, value: &str, is_loose: bool) -> bool {
        match self {
            Question::Exists => true,
            Question::IsTrue => value == "true",
            Question::OneOf(known) => {
                // Texts come first, in order.
                let n_texts = known.partition_point(|scalar| matches!(scalar, Scalar::Text(_)));
                let (texts, others) = known.split_at(n_texts);
                let is_text = texts.binary_search_by(|known| match known {
                    Scalar::Text(text) => (**text).cmp(value),
                    _ => Ordering::Greater,
                });
                is_text.is_ok()
                    || others.iter().any(|known| compare(value, known, is_loose) == Some(Ordering::Equal))
            }
            Question::Compared(sign, other) => {
                compare(value, other, is_loose).is_some_and(|order| is_so(order, *sign))
            }
            Question::Matches(pattern) => pattern.is_match(value),
            Question::Holds(place, texts) => texts.iter().any(|text| match place {
                Place::Anywhere => value.contains(&**text),
                Place::Start => value.starts_with(&**text),
                Place::End => value.ends_with(&**text),
                Place::Whole => value == &**text,
            }),
            Question::HoldsFolded(_, _, pattern) => pattern.is_match(value),
            Question::Path(globs) => globs.iter().any(|(_, pattern)| pattern.is_match(value)),
        }
    }
}

/// How a value of an event stands to a value of a condition; `None` where they have nothing in common.
fn compare(value: &str, other: &Scalar, is_loose: bool) -> Option<Ordering> {
    match other {
        Scalar::Text(text) => Some(natural(value, text)),
        Scalar::Level(level) => Some(Level::from_word(value)?.cmp(level)),
        Scalar::Kind(kind) => (value == kind.as_str()).then_some(Ordering::Equal),
        Scalar::Message(_) => None,
        Scalar::Number(number) => {
            let found = match number.unit {
                Unit::Plain if is_loose => Quantity::first(value)?,
                Unit::Plain => Quantity::plain(value)?,
                unit => Quantity::parse(value).filter(|found| found.unit == unit)?.number,
            };
            found.partial_cmp(&number.number)
        }
    }
}

fn is_so(order: Ordering, sign: Sign) -> bool {
    match sign {
        Sign::Equal => order.is_eq(),
        Sign::NotEqual => order.is_ne(),
        Sign::Less => order.is_lt(),
        Sign::LessOrEqual => order.is_le(),
        Sign::More => order.is_gt(),
        Sign::MoreOrEqual => order.is_ge(),
        Sign::Matches | Sign::MatchesNot => false,
    }
}

/// The order of texts in which digits count as numbers: `1.9` is before `1.10`.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        match (a.first(), b.first()) {
            (None, None) => return Ordering::Equal,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let ((x, rest_a), (y, rest_b)) = (digits(a), digits(b));
                let order = x.len().cmp(&y.len()).then_with(|| x.cmp(y));
                if order.is_ne() {
                    return order;
                }
                (a, b) = (rest_a, rest_b);
            }
            (x, y) if x == y => (a, b) = (&a[1..], &b[1..]),
            (x, y) => return x.cmp(&y),
        }
    }
}

/// The digits at the start, without leading zeros, and the rest.
fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let zeros = text[..end].iter().take_while(|byte| **byte == b'0').count();
    (&text[zeros..end], &text[end..])
}

impl Scalar {
    /// A total order: texts first.
    pub(super) fn order(&self, other: &Scalar) -> Ordering {
        match (self, other) {
            (Scalar::Text(a), Scalar::Text(b)) => a.cmp(b),
            (Scalar::Number(a), Scalar::Number(b)) => a.order(b),
            (Scalar::Level(a), Scalar::Level(b)) => a.cmp(b),
            (Scalar::Kind(a), Scalar::Kind(b)) => a.cmp(b),
            (Scalar::Message(a), Scalar::Message(b)) => a.cmp(b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }

    /// Whether it is a number without a unit.
    pub(super) fn is_plain_number(&self) -> bool {
        matches!(self, Scalar::Number(number) if number.unit == Unit::Plain)
    }

    fn rank(&self) -> u8 {
        match self {
            Scalar::Text(_) => 0,
            Scalar::Number(_) => 1,
            Scalar::Level(_) => 2,
            Scalar::Kind(_) => 3,
            Scalar::Message(_) => 4,
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Text(text) => write_text(f, text),
            Scalar::Number(number) => write!(f, "{number}"),
            Scalar::Level(level) => f.write_str(level.as_str()),
            Scalar::Kind(kind) => f.write_str(kind.as_str()),
            Scalar::Message(id) => write_text(f, &id.to_string()),
        }
    }
}

impl Check {
    /// Writes the check, or its opposite where that has a spelling of its own; otherwise `not` stands before.
    pub(super) fn write(&self, f: &mut fmt::Formatter<'_>, is_negated: bool) -> fmt::Result {
        let has_opposite = matches!(self.question, Question::OneOf(_) | Question::Matches(_));
        if is_negated && !has_opposite {
            f.write_str("not ")?;
        }
        match &self.question {
            Question::Exists => write!(f, "exists({})", self.field),
            Question::IsTrue => write!(f, "{}", self.field),
            Question::OneOf(values) => {
                self.write_field(f)?;
                match (&**values, is_negated) {
                    ([one], false) => write!(f, " == {one}"),
                    ([one], true) => write!(f, " != {one}"),
                    (several, _) => {
                        f.write_str(if is_negated { " not in [" } else { " in [" })?;
                        joined(f, several, |f, value| write!(f, "{value}"))?;
                        f.write_str("]")
                    }
                }
            }
            Question::Compared(sign, value) => {
                self.write_field(f)?;
                write!(f, " {} {value}", sign.as_str())
            }
            Question::Matches(pattern) => {
                write!(f, "{} {} ", self.field, if is_negated { "!~" } else { "=~" })?;
                write_text(f, pattern.as_str())
            }
            Question::Holds(place, texts) => self.write_function(f, "", *place, texts),
            Question::HoldsFolded(place, texts, _) => self.write_function(f, "i", *place, texts),
            Question::Path(globs) => {
                f.write_str("file(")?;
                joined(f, globs, |f, (glob, _)| write_text(f, glob))?;
                f.write_str(")")
            }
        }
    }

    fn write_field(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_loose {
            true => write!(f, "number({})", self.field),
            false => write!(f, "{}", self.field),
        }
    }

    fn write_function(
        &self,
        f: &mut fmt::Formatter<'_>,
        fold: &str,
        place: Place,
        texts: &[Box<str>],
    ) -> fmt::Result {
        write!(f, "{fold}{}({}, ", place.function(), self.field)?;
        joined(f, texts, |f, text| write_text(f, text))?;
        f.write_str(")")
    }
}

impl Place {
    pub(super) fn function(self) -> &'static str {
        match self {
            Place::Anywhere => "contains",
            Place::Start => "starts_with",
            Place::End => "ends_with",
            Place::Whole => "equals",
        }
    }
}

fn joined<T>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    mut write: impl FnMut(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (n, item) in items.iter().enumerate() {
        if n > 0 {
            f.write_str(", ")?;
        }
        write(f, item)?;
    }
    Ok(())
}
