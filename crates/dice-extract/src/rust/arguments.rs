//! The arguments of a logging macro: target, level, fields, message.

use dice_catalog::{Level, LineNo};

use super::text::{Scope, Span, inside, items};
use super::tokens::TokenKind;

/// Where the sign of a field must be.
const MAX_NAME_TOKENS: usize = 64;

/// The longest name of a field.
const MAX_FIELD_BYTES: usize = 256;

/// The arguments of a logging macro, sorted.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    /// `target: …`.
    pub(super) target: Target,
    /// The level argument, where there is one and it is a constant.
    pub(super) level: Option<Level>,
    /// What is printed first.
    pub(super) message: Option<Message>,
    /// The names of the fields, in order.
    pub(super) fields: Vec<String>,
}

/// What `target: …` says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Target {
    /// Nothing: it is the module's path.
    #[default]
    Module,
    /// This one.
    Known(String),
    /// An expression.
    Unknown,
}

/// The message of a logging macro.
#[derive(Debug)]
pub(super) enum Message {
    /// A format string and what fills its holes.
    Format { string: Span, fillers: Vec<Span> },
    /// `message = …`, or an expression where the format string should be.
    Value(Span),
}

impl Message {
    /// Where it is written.
    pub(super) fn span(&self) -> &Span {
        match self {
            Message::Format { string, .. } => string,
            Message::Value(span) => span,
        }
    }
}

/// What to expect among the arguments.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expectation {
    /// Where the level is, after `target:` and its like.
    pub(super) level: Option<usize>,
    /// A logger may stand first, fields may follow a semicolon.
    pub(super) is_slog: bool,
    /// What follows the literal are fields.
    pub(super) is_span: bool,
}

impl Arguments {
    /// Sorts the arguments in `span`.
    pub(super) fn read(scope: &Scope<'_, '_>, span: Span, expected: Expectation) -> Arguments {
        let mut read = Arguments::default();
        let items = items(scope.tokens, span);
        let mut rest = items.as_slice();
        while let Some(((item, _), after)) = rest.split_first()
            && let Some(name) = prefix(scope, item)
        {
            if name == b"target" {
                let value = item.start + 2..item.end;
                let text = scope.text_of(&value, 0).filter(|alternatives| alternatives.len() == 1);
                read.target = match text.as_deref() {
                    Some([parts]) => match parts.as_slice() {
                        [dice_catalog::Part::Text(text)] => Target::Known(text.clone()),
                        _ => Target::Unknown,
                    },
                    _ => Target::Unknown,
                };
            }
            rest = after;
        }
        if let Some(place) = expected.level {
            let is_level = |item: &Span| level(scope, item);
            let known = rest.iter().take(3).position(|(item, _)| is_level(item).is_some());
            let place = known.or_else(|| (!is_message(scope, &rest.get(place)?.0)).then_some(place));
            if let Some(place) = place {
                read.level = is_level(&rest[place].0);
                rest = &rest[place + 1..];
            }
        }
        let message = rest.iter().position(|(item, _)| is_message(scope, item));
        let (before, from_message) = rest.split_at(message.unwrap_or(rest.len()));
        for (place, (item, _)) in before.iter().enumerate() {
            if place == 0 && (expected.is_slog || is_logger(scope, item)) && is_operand(scope, item) {
                continue;
            }
            read.field(scope, item, 0);
        }
        if let Some(((string, is_late), after)) = from_message.split_first() {
            let mut fillers = Vec::new();
            for (item, after_semicolon) in after {
                if *after_semicolon && !is_late {
                    // Values that bring their own keys are not named in the source.
                    if item.len() > 1 {
                        read.field(scope, item, 0);
                    }
                } else if expected.is_span {
                    read.field(scope, item, 0);
                } else {
                    fillers.push(item.clone());
                }
            }
            read.message = Some(Message::Format { string: string.clone(), fillers });
        } else if read.message.is_none() && read.fields.is_empty() {
            // Neither a literal nor fields: an expression of text.
            read.message = rest.last().map(|(item, _)| Message::Value(item.clone()));
        }
        read
    }

    /// Whether nothing is printed.
    pub(super) fn is_empty(&self) -> bool {
        self.message.is_none() && self.fields.is_empty()
    }

    /// Notes the fields that an argument names.
    pub(super) fn field(&mut self, scope: &Scope<'_, '_>, item: &Span, depth: usize) {
        let tokens = &scope.tokens[item.clone()];
        let Some(first) = tokens.first() else { return };
        let is_group = first.is(b'{') && first.partner as usize + 1 >= item.end;
        let nested = match scope.macro_call(item) {
            Some((b"o" | b"slog_o" | b"kv" | b"slog_kv", inside)) => Some(inside),
            _ => is_group.then(|| inside(scope.tokens, item.start)),
        };
        if let Some(nested) = nested {
            if depth == 0 {
                for (item, _) in items(scope.tokens, nested) {
                    self.field(scope, &item, depth + 1);
                }
            }
            return;
        }
        if first.is(b'?') || first.is(b'%') {
            self.named(scope, item.start + 1..item.end, item.start + 1..item.end);
            return;
        }
        let sign = tokens.iter().take(MAX_NAME_TOKENS).position(|token| token.is(b'='));
        match sign {
            Some(sign) if tokens.get(sign + 1).is_some_and(|token| token.is(b'=')) => {}
            Some(sign) => {
                // `name = value`, `name:? = value`, `"name" => value`.
                let after = if tokens.get(sign + 1).is_some_and(|token| token.is(b'>')) { 2 } else { 1 };
                let name = item.start..item.start + sign;
                self.named(scope, name, item.start + sign + after..item.end);
            }
            None => self.named(scope, item.clone(), item.clone()),
        }
    }

    fn named(&mut self, scope: &Scope<'_, '_>, name: Span, value: Span) {
        let tokens = &scope.tokens[name];
        let name = match tokens {
            [token] if token.kind == TokenKind::Str => {
                token.string().and_then(|text| String::from_utf8(text).ok())
            }
            _ => {
                // The modifiers of `log`: `name:?`, `name:err`.
                let end = tokens
                    .iter()
                    .take(MAX_NAME_TOKENS)
                    .position(|token| token.is(b':'))
                    .unwrap_or(tokens.len());
                path(&tokens[..end])
            }
        };
        match name {
            Some(name) if name == "message" && self.message.is_none() => {
                let is_sign = |at: usize| scope.tokens[at].is(b'%') || scope.tokens[at].is(b'?');
                let start = value.start + usize::from(!value.is_empty() && is_sign(value.start));
                self.message = Some(Message::Value(start..value.end.max(start)));
            }
            Some(name) => self.fields.push(name),
            None => {}
        }
    }
}

/// `a.b.c`, as `tracing` shows it.
fn path(tokens: &[super::tokens::Token<'_>]) -> Option<String> {
    let mut name = String::new();
    for (place, token) in tokens.iter().enumerate() {
        match token.word() {
            Some(word) if place % 2 == 0 => name.push_str(std::str::from_utf8(word).ok()?),
            // The number of a tuple's field.
            None if place % 2 == 0 && token.kind == TokenKind::Number => {
                name.push_str(std::str::from_utf8(token.text).ok()?);
            }
            None if place % 2 == 1 && token.is(b'.') => name.push('.'),
            _ => return None,
        }
        if name.len() > MAX_FIELD_BYTES {
            return None;
        }
    }
    (!name.is_empty() && tokens.len() % 2 == 1).then_some(name)
}

/// The word of `target: …` and its like.
fn prefix<'s>(scope: &Scope<'s, '_>, item: &Span) -> Option<&'s [u8]> {
    match &scope.tokens[item.clone()] {
        [name, mark, value, ..] if mark.is(b':') && !value.is(b':') && !value.is(b'?') && !value.is(b'%') => {
            name.word().filter(|name| matches!(*name, b"target" | b"parent" | b"name" | b"logger"))
        }
        _ => None,
    }
}

/// Whether an argument is a format string.
fn is_message(scope: &Scope<'_, '_>, item: &Span) -> bool {
    match &scope.tokens[item.clone()] {
        [token] => token.kind == TokenKind::Str,
        _ => matches!(scope.macro_call(item), Some((b"concat" | b"format_args" | b"format", _))),
    }
}

/// The level that a constant names: `Level::Warn`, `tracing::Level::INFO`.
fn level(scope: &Scope<'_, '_>, item: &Span) -> Option<Level> {
    let tokens = &scope.tokens[item.clone()];
    let is_path = tokens.iter().all(|token| token.word().is_some() || token.is(b':'));
    let last = tokens.last()?.word()?;
    let is_constant = tokens.len() > 1 || last.iter().all(u8::is_ascii_uppercase);
    (is_path && is_constant && tokens.len() < 16)
        .then(|| std::str::from_utf8(last).ok().and_then(Level::from_word))
        .flatten()
}

/// Whether an argument is named like a logger.
fn is_logger(scope: &Scope<'_, '_>, item: &Span) -> bool {
    let mut end = item.end;
    if end > item.start + 1 && scope.tokens[end - 1].is(b')') {
        end = (scope.tokens[end - 1].partner as usize).clamp(item.start, end - 1);
    }
    let last = scope.tokens[item.start..end].last().and_then(|token| token.word());
    last.is_some_and(is_logger_name)
}

/// Whether a value of this name is a logger.
pub(super) fn is_logger_name(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    matches!(name.as_slice(), b"log" | b"logger") || name.ends_with(b"_log") || name.ends_with(b"logger")
}

/// Whether an argument is neither `name = value` nor `?value`.
fn is_operand(scope: &Scope<'_, '_>, item: &Span) -> bool {
    let tokens = &scope.tokens[item.clone()];
    !tokens.first().is_some_and(|token| token.is(b'?') || token.is(b'%') || token.is(b'{'))
        && !tokens.iter().take(MAX_NAME_TOKENS).any(|token| token.is(b'='))
}

/// The line of a place in a text.
#[derive(Debug)]
pub(super) struct Lines(Vec<u32>);

impl Lines {
    /// Finds the lines of `text`.
    pub(super) fn of(text: &[u8]) -> Lines {
        Lines(memchr::memchr_iter(b'\n', text).map(|at| u32::try_from(at).unwrap_or(u32::MAX)).collect())
    }

    /// The line of the byte at `offset`, and its column from 1.
    pub(super) fn place(&self, offset: usize) -> (LineNo, u32) {
        let row = self.0.partition_point(|&end| (end as usize) < offset);
        let start = row.checked_sub(1).map_or(0, |before| self.0[before] as usize + 1);
        (LineNo::from_row(row), u32::try_from(offset - start).unwrap_or(u32::MAX - 1) + 1)
    }
}
