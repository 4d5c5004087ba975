//! What a condition says, as a tree while it is read and as steps afterwards.

use std::fmt;

use super::check::Check;

/// Comparisons joined by `and`, `or` and `not`. Of one shape: nothing joined stands directly in something
/// joined the same way, nothing joined has fewer than two parts, nothing is negated twice.
#[derive(Debug, Clone)]
pub(super) enum Expression {
    Always(bool),
    Check(Check),
    Not(Box<Expression>),
    All(Vec<Expression>),
    Any(Vec<Expression>),
}

/// A check, and where its answer leads.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) test: Check,
    pub(super) holds: Target,
    pub(super) fails: Target,
}

/// The answer, or the number of another step. Steps lead to earlier ones only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Answer(bool),
    Step(u32),
}

impl Expression {
    pub(super) fn not(self) -> Expression {
        match self {
            Expression::Always(answer) => Expression::Always(!answer),
            Expression::Not(inner) => *inner,
            other => Expression::Not(Box::new(other)),
        }
    }

    /// The parts joined by `and`.
    pub(super) fn all(parts: Vec<Expression>) -> Expression {
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Expression::All(inner) => flat.extend(inner),
                Expression::Always(true) => {}
                other => flat.push(other),
            }
        }
        if flat.iter().any(|part| matches!(part, Expression::Always(false))) {
            return Expression::Always(false);
        }
        match flat.len() {
            0 => Expression::Always(true),
            1 => flat.remove(0),
            _ => Expression::All(flat),
        }
    }

    /// The parts joined by `or`.
    pub(super) fn any(parts: Vec<Expression>) -> Expression {
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Expression::Any(inner) => flat.extend(inner),
                Expression::Always(false) => {}
                other => flat.push(other),
            }
        }
        if flat.iter().any(|part| matches!(part, Expression::Always(true))) {
            return Expression::Always(true);
        }
        match flat.len() {
            0 => Expression::Always(false),
            1 => flat.remove(0),
            _ => Expression::Any(flat),
        }
    }

    /// The steps, and where to begin.
    pub(super) fn compile(&self) -> (Vec<Step>, Target) {
        let mut steps = Vec::new();
        let start = self.lower(&mut steps, Target::Answer(true), Target::Answer(false));
        (steps, start)
    }

    /// Last things first: where a step leads is there before the step.
    fn lower(&self, steps: &mut Vec<Step>, holds: Target, fails: Target) -> Target {
        match self {
            Expression::Always(true) => holds,
            Expression::Always(false) => fails,
            Expression::Not(inner) => inner.lower(steps, fails, holds),
            Expression::All(parts) => {
                parts.iter().rev().fold(holds, |next, part| part.lower(steps, next, fails))
            }
            Expression::Any(parts) => {
                parts.iter().rev().fold(fails, |next, part| part.lower(steps, holds, next))
            }
            Expression::Check(check) => {
                steps.push(Step { test: check.clone(), holds, fails });
                Target::Step(u32::try_from(steps.len() - 1).expect("a text of 16 KiB has fewer checks"))
            }
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, parts: &[Expression], word: &str) -> fmt::Result {
        for (n, part) in parts.iter().enumerate() {
            if n > 0 {
                write!(f, " {word} ")?;
            }
            // `and` binds closer than `or`.
            match (self, part) {
                (Expression::All(_), Expression::Any(_)) => write!(f, "({part})")?,
                _ => write!(f, "{part}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expression::Always(answer) => write!(f, "{answer}"),
            Expression::Check(check) => check.write(f, false),
            Expression::Not(inner) => match &**inner {
                Expression::Check(check) => check.write(f, true),
                other => write!(f, "not ({other})"),
            },
            Expression::All(parts) => self.write(f, parts, "and"),
            Expression::Any(parts) => self.write(f, parts, "or"),
        }
    }
}
