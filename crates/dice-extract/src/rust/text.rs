//! What an expression prints, as far as the source tells.

use std::cell::Cell;

use dice_catalog::{Hole, HoleKind, Pad, Part};
use rustc_hash::FxHashMap;

use super::tokens::{Token, TokenKind};
use crate::dialect::{self, Dialect, Piece, primitive_kind};

/// The most templates that one call gives.
pub(super) const MAX_ALTERNATIVES: usize = 8;

/// How deep texts made of texts are followed.
const MAX_DEPTH: usize = 6;

/// How much text a statement may take from variables and constants: bytes, and one for every look.
pub(super) const MAX_FOLLOWED: usize = 64 * 1024;

/// How many arguments are searched for a name.
const MAX_NAMED: usize = 256;

/// The longest source text that is quoted in a template.
const MAX_QUOTED_BYTES: usize = 200;

/// A run of tokens: places in a list.
pub(super) type Span = std::ops::Range<usize>;

/// The texts a conditional expression may print, one or more.
pub(super) type Alternatives = Vec<Vec<Part>>;

/// A list of tokens and what is known of the names in it.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s, 'a> {
    pub(super) tokens: &'s [Token<'a>],
    /// What text constants mean.
    pub(super) constants: &'s dyn Fn(&[u8]) -> Option<&'s str>,
    /// `let name = "…"` and `let name = format!(…)`: where the value is.
    pub(super) lets: &'s FxHashMap<&'a [u8], Span>,
    /// How much of [`MAX_FOLLOWED`] is left.
    pub(super) left: &'s Cell<usize>,
}

/// The places between commas and semicolons outside brackets, in order; the flag tells a semicolon before.
pub(super) fn items(tokens: &[Token<'_>], span: Span) -> Vec<(Span, bool)> {
    let mut items = Vec::new();
    let (mut start, mut at, mut after_semicolon) = (span.start, span.start, false);
    while at < span.end {
        let token = &tokens[at];
        if token.is(b',') || token.is(b';') {
            items.push((start..at, after_semicolon));
            after_semicolon |= token.is(b';');
            start = at + 1;
        }
        at = step(tokens, at);
    }
    if start < span.end {
        items.push((start..span.end, after_semicolon));
    }
    items
}

/// The place after the token at `at`, or after its bracket's partner.
pub(super) fn step(tokens: &[Token<'_>], at: usize) -> usize {
    match tokens[at].kind {
        TokenKind::Open => (tokens[at].partner as usize).max(at) + 1,
        _ => at + 1,
    }
}

/// The inside of the bracket at `at`.
pub(super) fn inside(tokens: &[Token<'_>], at: usize) -> Span {
    at + 1..(tokens[at].partner as usize).clamp(at + 1, tokens.len())
}

impl<'s, 'a> Scope<'s, 'a> {
    fn slice(&self, span: &Span) -> &'s [Token<'a>] {
        self.tokens.get(span.clone()).unwrap_or_default()
    }

    /// The name and the inside of the macro call that `span` is, whatever its path.
    pub(super) fn macro_call(&self, span: &Span) -> Option<(&'s [u8], Span)> {
        let mut at = span.start;
        while self.is_path_mark(at + 1, span) {
            self.word(at, span)?;
            at += 3;
        }
        let name = self.word(at, span)?;
        let is_call = self.tokens.get(at + 1).is_some_and(|token| token.is(b'!'))
            && self.tokens.get(at + 2).is_some_and(|token| token.kind == TokenKind::Open)
            && at + 2 < span.end
            && step(self.tokens, at + 2) >= span.end;
        is_call.then(|| (name, clip(inside(self.tokens, at + 2), span)))
    }

    fn word(&self, at: usize, span: &Span) -> Option<&'s [u8]> {
        self.tokens.get(at).filter(|_| at < span.end)?.word()
    }

    fn is_path_mark(&self, at: usize, span: &Span) -> bool {
        at + 1 < span.end && self.tokens[at].is(b':') && self.tokens[at + 1].is(b':')
    }

    /// The pieces of a format string: a literal, or a `concat!` of literals.
    pub(super) fn format_string(&self, span: &Span) -> Option<Vec<Piece>> {
        match self.slice(span) {
            [token] => token.string().map(|text| vec![Piece::Text(text)]),
            _ => match self.macro_call(span)? {
                (b"concat", inside) => {
                    let mut pieces = Vec::new();
                    self.concat(inside, 0, &mut pieces);
                    Some(pieces)
                }
                _ => None,
            },
        }
    }

    fn concat(&self, inside: Span, depth: usize, pieces: &mut Vec<Piece>) {
        for (item, _) in items(self.tokens, inside) {
            let piece = match self.slice(&item) {
                [token] if token.kind == TokenKind::Str => token.string(),
                [token] if token.kind == TokenKind::Number => Some(token.text.to_vec()),
                [token] if token.is_word("true") || token.is_word("false") => Some(token.text.to_vec()),
                _ => match self.macro_call(&item) {
                    Some((b"concat", nested)) if depth < MAX_DEPTH => {
                        self.concat(nested, depth + 1, pieces);
                        continue;
                    }
                    Some((b"stringify", nested)) => self.quoted(&nested).map(String::into_bytes),
                    Some((b"line" | b"column", _)) => {
                        pieces.push(Piece::Hole(Hole::of(HoleKind::Uint)));
                        continue;
                    }
                    _ => None,
                },
            };
            pieces.push(piece.map_or(Piece::Hole(Hole::of(HoleKind::Text)), Piece::Text));
        }
    }

    /// What a format string prints; `arguments` are the items after it.
    pub(super) fn filled(&self, pieces: &[Piece], arguments: &[Span], depth: usize) -> Alternatives {
        let is_debug = debug_marks(pieces);
        let mut alternatives: Alternatives = vec![Vec::new()];
        let mut n_holes = 0;
        for token in dialect::parse(Dialect::Braces, pieces) {
            let (hole, argument, name) = match token {
                dialect::Token::Text(text) => {
                    append(&mut alternatives, &[vec![Part::Text(text)]]);
                    continue;
                }
                dialect::Token::Hole { hole, argument, name } => (hole, argument, name),
            };
            let is_debug = is_debug.get(n_holes).copied().unwrap_or(true);
            n_holes += 1;
            let argument = match &name {
                Some(name) => Filler::named(self, arguments, name),
                None => argument.and_then(|at| arguments.get(at)).map(|item| Filler::Span(self.value(item))),
            };
            let value = argument.and_then(|argument| self.value_of_hole(hole, is_debug, &argument, depth));
            let value = value.unwrap_or_else(|| vec![vec![Part::Hole(hole)]]);
            if alternatives.len() * value.len() <= MAX_ALTERNATIVES {
                append(&mut alternatives, &value);
            } else {
                append(&mut alternatives, &[vec![Part::Hole(hole)]]);
            }
        }
        alternatives
    }

    /// The item without `name =`.
    fn value(&self, item: &Span) -> Span {
        match self.slice(item) {
            [name, mark, after, ..] if name.word().is_some() && mark.is(b'=') && !after.is(b'=') => {
                item.start + 2..item.end
            }
            _ => item.clone(),
        }
    }

    fn value_of_hole(
        &self,
        hole: Hole,
        is_debug: bool,
        filler: &Filler<'_>,
        depth: usize,
    ) -> Option<Alternatives> {
        let is_plain = hole.pad == Pad::None && hole.precision.is_none() && !hole.sign && !hole.alternate;
        if hole.kind != HoleKind::Text {
            return None;
        }
        let texts = match filler {
            Filler::Span(span) => {
                if hole.precision.is_none()
                    && let Some(kind) = self.kind_of(span)
                {
                    return Some(vec![vec![Part::Hole(Hole { kind, ..hole })]]);
                }
                self.text_of(span, depth + 1)
            }
            Filler::Captured(name) => self.named_text(name, depth + 1),
        }?;
        if !is_plain {
            return None;
        }
        if !is_debug {
            return Some(texts);
        }
        let quoted = |parts: &Vec<Part>| match parts.as_slice() {
            [] => Some(vec![Part::text("\"\"")]),
            [Part::Text(text)] => Some(vec![Part::text(format!("{text:?}"))]),
            _ => None,
        };
        texts.iter().map(quoted).collect()
    }

    /// The text of a constant or a variable.
    fn named_text(&self, name: &[u8], depth: usize) -> Option<Alternatives> {
        if depth > MAX_DEPTH {
            return None;
        }
        if let Some(value) = self.lets.get(name) {
            return self.text_of(value, depth + 1);
        }
        (self.constants)(name).map(|text| vec![vec![Part::text(text)]])
    }

    /// What an expression of text prints; `None` when the source does not tell.
    pub(super) fn text_of(&self, span: &Span, depth: usize) -> Option<Alternatives> {
        if depth > MAX_DEPTH {
            return None;
        }
        let span = &self.unwrapped(span.clone());
        if depth > 0 {
            let cost = 1 + self.tokens.get(span.start).map_or(0, |first| first.text.len());
            self.left.set(self.left.get().checked_sub(cost)?);
        }
        let first = self.tokens.get(span.start).filter(|_| !span.is_empty())?;
        if span.len() == 1 {
            return match first.kind {
                TokenKind::Str => {
                    let parts = first.string().map(|text| plain_text(&text))?;
                    Some(vec![parts])
                }
                TokenKind::Word => self.named_text(first.word()?, depth),
                _ => None,
            };
        }
        match first.text {
            b"if" => return self.branches(span, depth),
            b"match" => return self.arms(span, depth),
            _ => {}
        }
        if let Some((name, inside)) = self.macro_call(span) {
            return match name {
                b"format" | b"format_args" => self.formatted(&inside, depth),
                b"concat" => {
                    let mut pieces = Vec::new();
                    self.concat(inside, 0, &mut pieces);
                    let part = |piece| match piece {
                        Piece::Text(text) => plain_text(&text),
                        Piece::Hole(hole) => vec![Part::Hole(hole)],
                    };
                    Some(vec![pieces.into_iter().flat_map(part).collect()])
                }
                b"stringify" => self.quoted(&inside).map(|text| vec![vec![Part::Text(text)]]),
                _ => None,
            };
        }
        match self.slice(span) {
            [a, b, c, d, e, ..]
                if a.is_word("String") && b.is(b':') && c.is(b':') && d.is_word("from") && e.is(b'(') =>
            {
                let inside = inside(self.tokens, span.start + 4);
                (inside.end + 1 >= span.end).then(|| self.text_of(&clip(inside, span), depth + 1))?
            }
            [.., b, c, name] if b.is(b':') && c.is(b':') && self.is_path(span) => {
                (self.constants)(name.word()?).map(|text| vec![vec![Part::text(text)]])
            }
            _ => None,
        }
    }

    /// What `format!(…)` with this inside gives.
    pub(super) fn formatted(&self, inside: &Span, depth: usize) -> Option<Alternatives> {
        let items: Vec<Span> = items(self.tokens, inside.clone()).into_iter().map(|(item, _)| item).collect();
        let pieces = self.format_string(items.first()?)?;
        if depth > 0 {
            let text = |piece: &Piece| match piece {
                Piece::Text(text) => text.len(),
                Piece::Hole(_) => 1,
            };
            let cost = pieces.iter().map(text).sum();
            self.left.set(self.left.get().checked_sub(cost)?);
        }
        Some(self.filled(&pieces, &items[1..], depth))
    }

    fn is_path(&self, span: &Span) -> bool {
        self.slice(span).iter().all(|token| token.word().is_some() || token.is(b':'))
    }

    /// Without what does not change the text: references, brackets, closures, conversions.
    pub(super) fn unwrapped(&self, mut span: Span) -> Span {
        loop {
            let (Some(first), Some(last)) = (self.tokens.get(span.start), span.end.checked_sub(1)) else {
                return span;
            };
            if span.len() < 2 {
                return span;
            }
            if first.is(b'&') || first.is_word("move") || first.is_word("mut") {
                span.start += 1;
            } else if first.is(b'|') {
                let rest = &self.tokens[span.start + 1..span.end];
                let Some(bar) = rest.iter().take(32).position(|token| token.is(b'|')) else { return span };
                span.start += bar + 2;
            } else if (first.is(b'(') || first.is(b'{')) && first.partner as usize == last {
                span = span.start + 1..last;
            } else if span.len() > 4
                && self.tokens[last].is(b')')
                && self.tokens[last - 1].is(b'(')
                && self.tokens[last - 3].is(b'.')
                && matches!(
                    self.tokens[last - 2].text,
                    b"to_string" | b"into" | b"to_owned" | b"as_str" | b"clone" | b"as_ref" | b"as_deref"
                )
            {
                span.end -= 4;
            } else {
                return span;
            }
        }
    }

    /// `if c { "a" } else { "b" }`.
    fn branches(&self, span: &Span, depth: usize) -> Option<Alternatives> {
        let mut alternatives = Vec::new();
        let mut at = span.start;
        loop {
            let has_condition = self.tokens.get(at).filter(|_| at < span.end)?.is_word("if");
            while !(self.tokens.get(at).filter(|_| at < span.end)?.is(b'{')) {
                at = step(self.tokens, at);
            }
            alternatives.extend(self.text_of(&clip(at..step(self.tokens, at), span), depth + 1)?);
            at = step(self.tokens, at);
            if !has_condition {
                break;
            }
            self.tokens.get(at).filter(|token| at < span.end && token.is_word("else"))?;
            at += 1;
        }
        (at >= span.end && alternatives.len() <= MAX_ALTERNATIVES).then_some(alternatives)
    }

    /// `match x { A => "a", B => "b" }`.
    fn arms(&self, span: &Span, depth: usize) -> Option<Alternatives> {
        let mut at = span.start;
        while !(self.tokens.get(at).filter(|_| at < span.end)?.is(b'{')) {
            at = step(self.tokens, at);
        }
        if step(self.tokens, at) < span.end {
            return None;
        }
        let body = clip(inside(self.tokens, at), span);
        let mut alternatives = Vec::new();
        at = body.start;
        while at < body.end {
            while at + 1 < body.end && !(self.tokens[at].is(b'=') && self.tokens[at + 1].is(b'>')) {
                at = step(self.tokens, at);
            }
            let start = at + 2;
            let mut end = start;
            if self.tokens.get(start).is_some_and(|token| token.is(b'{')) {
                end = step(self.tokens, start);
            } else {
                while end < body.end && !self.tokens[end].is(b',') {
                    end = step(self.tokens, end);
                }
            }
            if start >= body.end {
                return None;
            }
            let arm = clip(start..end, &body);
            let diverges = matches!(self.macro_call(&arm), Some((b"panic" | b"unreachable" | b"todo", _)))
                || self.tokens[start].is_word("return")
                || self.tokens[start].is_word("continue");
            if !diverges {
                alternatives.extend(self.text_of(&arm, depth + 1)?);
            }
            if alternatives.len() > MAX_ALTERNATIVES {
                return None;
            }
            at = end;
            if self.tokens.get(at).is_some_and(|token| at < body.end && token.is(b',')) {
                at += 1;
            }
        }
        (!alternatives.is_empty()).then_some(alternatives)
    }

    /// The kind of value an expression has, where its own text tells.
    fn kind_of(&self, span: &Span) -> Option<HoleKind> {
        let tokens = self.slice(span);
        match tokens {
            [token] => return number_kind(token),
            [minus, token] if minus.is(b'-') => {
                return number_kind(token)
                    .map(|kind| if kind == HoleKind::Uint { HoleKind::Int } else { kind });
            }
            [.., cast, name] if cast.is_word("as") => return primitive_kind(name.text),
            [.., open, close] if open.is(b'(') && close.is(b')') => {}
            _ => match self.macro_call(span)? {
                (b"line" | b"column", _) => return Some(HoleKind::Uint),
                (b"cfg" | b"matches", _) => return Some(HoleKind::Bool),
                _ => return None,
            },
        }
        let mut at = span.start;
        while at < span.end {
            let token = &self.tokens[at];
            let is_operator = matches!(token.text, b"<" | b">" | b"=" | b"|" | b"!" | b"%");
            if is_operator || token.is_word("as") || token.is_word("if") || token.is_word("match") {
                return match self.macro_call(span) {
                    Some((b"line" | b"column", _)) => Some(HoleKind::Uint),
                    _ => None,
                };
            }
            at = step(self.tokens, at);
        }
        let [.., mark, name, _, _] = tokens else { return None };
        let is_method = mark.is(b'.');
        match name.text {
            b"len" | b"count" | b"capacity" | b"as_secs" | b"as_millis" | b"as_micros" | b"as_nanos"
            | b"subsec_nanos" | b"subsec_millis" | b"as_u16" | b"as_u32" | b"as_u64"
                if is_method =>
            {
                Some(HoleKind::Uint)
            }
            b"as_secs_f64" | b"as_secs_f32" if is_method => Some(HoleKind::Float),
            b"is_empty" | b"is_some" | b"is_none" | b"is_ok" | b"is_err" if is_method => Some(HoleKind::Bool),
            b"id" if tokens.len() >= 6 && tokens[tokens.len() - 6].is_word("process") => Some(HoleKind::Uint),
            _ => None,
        }
    }

    /// Source text as `stringify!` shows it, about; `None` when it is long.
    pub(super) fn quoted(&self, span: &Span) -> Option<String> {
        let mut text = String::new();
        let mut before: Option<&Token<'_>> = None;
        for token in self.slice(span) {
            if let Some(before) = before
                && is_apart(before, token)
            {
                text.push(' ');
            }
            text.push_str(std::str::from_utf8(token.text).ok()?);
            if text.len() > MAX_QUOTED_BYTES {
                return None;
            }
            before = Some(token);
        }
        Some(text)
    }
}

/// Whether blanks or comments stand between two neighbours.
fn is_apart(before: &Token<'_>, after: &Token<'_>) -> bool {
    before.text.as_ptr_range().end != after.text.as_ptr()
}

/// What fills a hole.
enum Filler<'n> {
    Span(Span),
    /// `{name}` without an argument of that name.
    Captured(&'n [u8]),
}

impl<'n> Filler<'n> {
    fn named(scope: &Scope<'_, '_>, arguments: &[Span], name: &'n str) -> Option<Filler<'n>> {
        let is_named = |item: &&Span| {
            let value = scope.value(item);
            value.start > item.start && scope.tokens[item.start].word() == Some(name.as_bytes())
        };
        Some(match arguments.iter().take(MAX_NAMED).find(is_named) {
            Some(item) => Filler::Span(scope.value(item)),
            None => Filler::Captured(name.as_bytes()),
        })
    }
}

fn clip(span: Span, within: &Span) -> Span {
    let end = span.end.min(within.end);
    span.start.min(end)..end
}

fn append(alternatives: &mut Alternatives, values: &[Vec<Part>]) {
    if let [value] = values {
        alternatives.iter_mut().for_each(|before| before.extend_from_slice(value));
        return;
    }
    let one = std::mem::take(alternatives);
    for before in one {
        for value in values {
            alternatives.push(before.iter().chain(value).cloned().collect());
        }
    }
}

/// Fixed text; a byte that is not UTF-8 is a hole.
pub(super) fn plain_text(text: &[u8]) -> Vec<Part> {
    let mut parts = Vec::new();
    for chunk in text.utf8_chunks() {
        if !chunk.valid().is_empty() {
            parts.push(Part::text(chunk.valid()));
        }
        parts.extend(chunk.invalid().iter().map(|_| Part::hole(HoleKind::Char)));
    }
    parts
}

/// For every hole of a format string, whether it prints `Debug`.
fn debug_marks(pieces: &[Piece]) -> Vec<bool> {
    let mut marks = Vec::new();
    for piece in pieces {
        let Piece::Text(text) = piece else {
            marks.push(false);
            continue;
        };
        let mut rest = text.as_slice();
        while let Some(open) = memchr::memchr(b'{', rest) {
            rest = &rest[open + 1..];
            if rest.first() == Some(&b'{') {
                rest = &rest[1..];
                continue;
            }
            let Some(close) = memchr::memchr(b'}', rest) else { break };
            marks.push(rest[..close].trim_ascii_end().ends_with(b"?"));
            rest = &rest[close + 1..];
        }
    }
    marks
}

fn number_kind(token: &Token<'_>) -> Option<HoleKind> {
    match token.kind {
        TokenKind::Number if token.text.starts_with(b"0x") => Some(HoleKind::Uint),
        TokenKind::Number if token.text.ends_with(b"f32") || token.text.ends_with(b"f64") => {
            Some(HoleKind::Float)
        }
        TokenKind::Number if token.text.contains(&b'.') => Some(HoleKind::Float),
        TokenKind::Number => Some(HoleKind::Uint),
        TokenKind::Word if matches!(token.text, b"true" | b"false") => Some(HoleKind::Bool),
        _ => None,
    }
}
