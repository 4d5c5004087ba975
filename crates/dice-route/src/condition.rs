//! Conditions over events: the language of `where`.
//!
//! `service == "pay" and message in owned_by("#payments") and level >= error`: comparisons of fields with
//! values, joined by `and`, `or`, `not` and parentheses.
//!
//! What holds for a field that an event does not have: it is not equal to anything, so `==`, `in`, `=~`,
//! `<` and all functions say no, and `!=`, `not in` and `!~`, which are their opposites, say yes.
//! `exists(vars.merchant)` asks.
//!
//! Numbers: a value of an event is a number when all of it is one (`12`, `-0.5`, `1e6`), and then it is
//! compared with numbers. Compared with a number that has a unit (`250ms`, `1h30m`, `10KiB`, `5%`) it has to
//! have a unit of the same sort; `number(vars.took) > 5` takes the number that a value begins with and leaves
//! off what follows. Texts have an order too: the digits in them count as numbers, so that `1.9` is before
//! `1.10`.

mod check;
mod expression;
mod field;
mod glob;
mod grammar;
mod quantity;
mod spelling;
mod token;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

pub use field::{FIELDS, Field};
pub use glob::compile as path_pattern;
pub use grammar::FUNCTIONS;
pub use quantity::{Quantity, Unit};
pub use spelling::nearest;

use crate::{Event, Message};
use check::Check;
use expression::{Expression, Step, Target};

/// The longest text of a condition, in bytes.
pub const MAX_LENGTH_BYTES: usize = 16 * 1024;

/// A condition over events.
///
/// Equal by its text, which is the same for all spellings of the same comparisons in the same order.
#[derive(Clone)]
pub struct Condition {
    text: Arc<str>,
    steps: Arc<[Step]>,
    start: Target,
}

/// What the message alone says about a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// It holds for every event of the message.
    Always,
    /// It holds for none.
    Never,
    /// It depends on the event.
    Depends,
}

/// Why a text is not a condition or not a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// Where, in bytes of the text.
    pub at: Range<usize>,
    /// What would be right there.
    pub wanted: String,
    /// What stands there.
    pub found: String,
    /// What the writer may have meant: a whole sentence without a full stop.
    pub hint: Option<String>,
}

impl Condition {
    /// The condition that holds for every event.
    pub fn always() -> Condition {
        Condition::of(&Expression::Always(true))
    }

    /// The condition that `text` says; an empty text holds always.
    ///
    /// # Errors
    ///
    /// When the text is something else, with the place. Also past the limits: [`MAX_LENGTH_BYTES`], 64
    /// parentheses inside each other, 64 regular expressions of 1 MiB compiled.
    pub fn parse(text: &str) -> Result<Condition, Malformed> {
        Ok(Condition::of(&grammar::expression(text)?))
    }

    fn of(expression: &Expression) -> Condition {
        let (steps, start) = expression.compile();
        Condition { text: expression.to_string().into(), steps: steps.into(), start }
    }

    /// What the message alone says. Whatever the catalog tells is decided here, once for each message.
    pub fn of_message(&self, message: &Message) -> Share {
        self.share(|check| check.decide(message, None))
    }

    /// What the message and the event's program (its service and source) say together: whatever does not
    /// change from line to line.
    pub fn of_program(&self, event: &Event) -> Share {
        self.share(|check| {
            let is_known = check.field.is_of_program();
            check.decide(&event.message, is_known.then_some(event))
        })
    }

    fn share(&self, decide: impl Fn(&Check) -> Option<bool>) -> Share {
        // Every step leads to earlier ones only, so that one pass from the front knows all answers.
        let mut shares: Vec<Share> = Vec::with_capacity(self.steps.len());
        let share = |shares: &[Share], target: Target| match target {
            Target::Answer(true) => Share::Always,
            Target::Answer(false) => Share::Never,
            Target::Step(step) => shares[step as usize],
        };
        for step in &*self.steps {
            let (holds, fails) = (share(&shares, step.holds), share(&shares, step.fails));
            shares.push(match decide(&step.test) {
                Some(true) => holds,
                Some(false) => fails,
                None if holds == fails => holds,
                None => Share::Depends,
            });
        }
        share(&shares, self.start)
    }

    /// Whether it holds for the event.
    pub fn holds(&self, event: &Event) -> bool {
        let mut target = self.start;
        loop {
            match target {
                Target::Answer(answer) => return answer,
                Target::Step(step) => {
                    let step = &self.steps[step as usize];
                    let holds = step.test.decide(&event.message, Some(event)) == Some(true);
                    target = if holds { step.holds } else { step.fails };
                }
            }
        }
    }
}

/// The same condition in one spelling: it reads as the same condition again.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Condition({})", self.text)
    }
}

impl PartialEq for Condition {
    fn eq(&self, other: &Condition) -> bool {
        self.text == other.text
    }
}

impl Eq for Condition {}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wanted {}, found {}", self.wanted, self.found)?;
        self.hint.iter().try_for_each(|hint| write!(f, "; {hint}"))
    }
}

impl std::error::Error for Malformed {}

#[cfg(test)]
mod tests;
