//! What an expression says, as far as the source tells: literals, macros that are literals, parameters.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use dice_catalog::{Hole, HoleKind};
use rustc_hash::FxHashMap;

use super::facts::Code;
use super::segment::{Segment, Segments};
use super::token::{Token, TokenKind};
use crate::dialect::{self, Dialect, Piece};
use crate::literal;

/// How many texts one expression may have; more are one text with a hole.
pub(super) const MAX_ALTERNATIVES: usize = 8;
/// How many macros, parentheses and conditionals may be nested in an expression.
const MAX_DEPTH: usize = 24;
/// How long an expression may be, in tokens; of a longer one this many and one more are looked at.
pub(super) const MAX_WORDS: usize = 1_024;
/// How many `#if` and `#else` an expression may have.
const MAX_BRANCHES: usize = 8;
/// How many expressions are looked at to tell what one call prints: macros may grow without end.
pub(super) const MAX_STEPS: u32 = 4_000;

/// A token with its bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word<'a> {
    pub(super) kind: TokenKind,
    pub(super) text: &'a [u8],
}

impl<'a> Word<'a> {
    pub(super) fn is(&self, punct: u8) -> bool {
        self.kind == TokenKind::Punct(punct)
    }

    fn of(token: &Token, text: &'a [u8]) -> Word<'a> {
        Word { kind: token.kind, text: token.of(text) }
    }
}

/// Tokens of an argument as words, as many as are looked at: calls may be nested without end.
pub(super) fn argument_in_file<'a>(text: &'a [u8], tokens: &[Token]) -> Vec<Word<'a>> {
    words_in_file(text, &tokens[..tokens.len().min(MAX_WORDS + 1)])
}

/// Tokens of a body as words.
pub(super) fn words<'a>(code: &'a Code, from: usize, to: usize) -> Vec<Word<'a>> {
    code.tokens[from..to].iter().map(|token| Word::of(token, &code.text)).collect()
}

/// Tokens of a file as words.
pub(super) fn words_in_file<'a>(text: &'a [u8], tokens: &[Token]) -> Vec<Word<'a>> {
    tokens.iter().map(|token| Word::of(token, text)).collect()
}

/// The macros of a repository.
#[derive(Debug, Default)]
pub(super) struct Macros {
    pub(super) by_name: FxHashMap<String, Vec<MacroEntry>>,
    /// Tables of texts at file level, by name.
    pub(super) tables: FxHashMap<String, Vec<MacroEntry>>,
    /// Values that `dice.toml` gives.
    pub(super) constants: BTreeMap<String, String>,
}

/// One definition of a macro.
#[derive(Debug)]
pub(super) struct MacroEntry {
    pub(super) file: usize,
    /// Whether other files see it.
    pub(super) everywhere: bool,
    pub(super) params: Option<Vec<String>>,
    pub(super) code: Arc<Code>,
}

impl Macros {
    /// The definitions that `file` sees: its own, else those of headers.
    pub(super) fn visible<'m>(
        &'m self,
        name: &[u8],
        file: usize,
    ) -> impl Iterator<Item = &'m MacroEntry> + use<'m> {
        Macros::seen(&self.by_name, name, file)
    }

    fn seen<'m>(
        all: &'m FxHashMap<String, Vec<MacroEntry>>,
        name: &[u8],
        file: usize,
    ) -> impl Iterator<Item = &'m MacroEntry> + use<'m> {
        let all: &[MacroEntry] =
            std::str::from_utf8(name).ok().and_then(|name| all.get(name)).map_or(&[], |all| all);
        let own = all.iter().any(|entry| entry.file == file);
        all.iter().filter(move |entry| if own { entry.file == file } else { entry.everywhere })
    }
}

/// What is known where an expression stands.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s> {
    pub(super) macros: &'s Macros,
    pub(super) file: usize,
    /// The parameters of the function or macro around it that stand for themselves.
    pub(super) params: &'s [String],
    /// The text of local variables: what each may hold.
    pub(super) locals: &'s FxHashMap<String, Vec<Segments>>,
    /// Arguments of the macro whose body this is, and where they stand.
    pub(super) bound: Option<&'s Bound<'s>>,
    /// The name of the function around it; in a macro it is the user's.
    pub(super) function: Option<&'s str>,
    pub(super) depth: usize,
    /// How many more expressions may be looked at.
    pub(super) steps: &'s Cell<u32>,
}

/// The arguments of a macro that is being expanded.
pub(super) struct Bound<'s> {
    names: &'s [String],
    arguments: Vec<&'s [Word<'s>]>,
    outside: Scope<'s>,
}

/// A piece of an expression's text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Bit {
    /// Decoded bytes.
    Raw(Vec<u8>),
    Param(usize),
    Source(usize),
    Function,
    /// What a local variable holds.
    Content(Segments),
    /// Not known: the name of what is not.
    Unknown,
}

/// A text: what it may be.
type Bits = Vec<Bit>;

/// What `words` may say; one alternative of [`Bit::Unknown`] when it is not text.
pub(super) fn texts(words: &[Word<'_>], scope: &Scope<'_>) -> Vec<Bits> {
    let branches =
        || words.iter().filter(|word| matches!(word.kind, TokenKind::If | TokenKind::Else)).count();
    let left = scope.steps.get();
    if scope.depth > MAX_DEPTH || words.len() > MAX_WORDS || left == 0 || branches() > MAX_BRANCHES {
        return vec![vec![Bit::Unknown]];
    }
    scope.steps.set(left - 1);
    let scope = &Scope { depth: scope.depth + 1, ..*scope };
    let words = without_parentheses(words);
    if let Some((before, branches, after)) = conditional_lines(words) {
        let mut all = Vec::new();
        for branch in branches {
            let joined: Vec<Word<'_>> = [before, branch, after].concat();
            merge(&mut all, texts(&joined, scope));
        }
        return all;
    }
    if let Some((yes, no)) = ternary(words) {
        let mut all = texts(yes, scope);
        merge(&mut all, texts(no, scope));
        return all;
    }
    let mut all: Vec<Bits> = vec![Vec::new()];
    let mut at = 0;
    while at < words.len() {
        let word = words[at];
        match word.kind {
            TokenKind::Str => append(&mut all, &[vec![Bit::Raw(decoded(word.text))]]),
            TokenKind::Ident if words.get(at + 1).is_some_and(|next| next.is(b'(')) => {
                let close = closing(words, at + 1);
                let inside = words.get(at + 2..close).unwrap_or_default();
                append(&mut all, &called(word.text, inside, scope));
                at = close;
            }
            TokenKind::Ident if words.get(at + 1).is_some_and(|next| next.is(b'[')) => {
                append(&mut all, &chosen(word.text, scope));
                at = closing(words, at + 1);
            }
            TokenKind::Ident => append(&mut all, &named(word.text, scope)),
            TokenKind::Punct(b'#') => {
                let param = words.get(at + 1).filter(|next| next.kind == TokenKind::Ident);
                let Some(param) = param else { return vec![vec![Bit::Unknown]] };
                append(&mut all, &[vec![stringified(param.text, scope)]]);
                at += 1;
            }
            TokenKind::If | TokenKind::Else | TokenKind::EndIf | TokenKind::Paste => {}
            // An operator: a number, an address, not a text that could be told.
            _ => return vec![vec![Bit::Unknown]],
        }
        at += 1;
    }
    if all.iter().all(Vec::is_empty) && words.is_empty() {
        return vec![vec![Bit::Unknown]];
    }
    all
}

/// Adds alternatives that are not there yet, up to the limit.
fn merge<T: PartialEq>(all: &mut Vec<T>, more: Vec<T>) {
    for one in more {
        if all.len() < MAX_ALTERNATIVES && !all.contains(&one) {
            all.push(one);
        }
    }
}

/// Puts each of `more` after each of `all`; when that would be too many, only a hole.
fn append(all: &mut Vec<Bits>, more: &[Bits]) {
    if more.len() == 1 {
        for bits in all {
            bits.extend_from_slice(&more[0]);
        }
    } else if all.len() * more.len() <= MAX_ALTERNATIVES {
        *all =
            all.iter().flat_map(|bits| more.iter().map(move |end| [&bits[..], &end[..]].concat())).collect();
    } else {
        for bits in all {
            bits.push(Bit::Unknown);
        }
    }
}

/// The bytes that a literal as written means.
fn decoded(written: &[u8]) -> Vec<u8> {
    let open = written.iter().position(|&byte| byte == b'"').map_or(0, |at| at + 1);
    let inside = &written[open..];
    literal::decode_c(inside.strip_suffix(b"\"").unwrap_or(inside))
}

/// Removes parentheses around everything, and casts.
fn without_parentheses<'w, 'a>(mut words: &'w [Word<'a>]) -> &'w [Word<'a>] {
    for _ in 0..MAX_DEPTH {
        if !words.first().is_some_and(|word| word.is(b'(')) {
            break;
        }
        let close = closing(words, 0);
        if close + 1 == words.len() {
            words = &words[1..close];
        } else if close < words.len() && is_cast(&words[1..close]) {
            words = &words[close + 1..];
        } else {
            break;
        }
    }
    words
}

fn is_cast(words: &[Word<'_>]) -> bool {
    !words.is_empty()
        && words.iter().all(|word| word.kind == TokenKind::Ident || word.is(b'*'))
        && words[0].kind == TokenKind::Ident
}

/// The index of the bracket that closes the one at `open`; the length when there is none.
pub(super) fn closing(words: &[Word<'_>], open: usize) -> usize {
    let mut depth = 0usize;
    for (at, word) in words.iter().enumerate().skip(open) {
        match word.kind {
            TokenKind::Punct(b'(' | b'[' | b'{') => depth += 1,
            TokenKind::Punct(b')' | b']' | b'}') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
    }
    words.len()
}

/// The parts between commas outside of brackets.
pub(super) fn commas<'w, 'a>(words: &'w [Word<'a>]) -> Vec<&'w [Word<'a>]> {
    let mut parts = Vec::new();
    let mut depth = 0usize;
    let mut from = 0;
    for (at, word) in words.iter().enumerate() {
        match word.kind {
            TokenKind::Punct(b'(' | b'[' | b'{') => depth += 1,
            TokenKind::Punct(b')' | b']' | b'}') => depth = depth.saturating_sub(1),
            TokenKind::Punct(b',') if depth == 0 => {
                parts.push(&words[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    if from < words.len() || !parts.is_empty() {
        parts.push(&words[from..]);
    }
    parts
}

type Branches<'w, 'a> = (&'w [Word<'a>], Vec<&'w [Word<'a>]>, &'w [Word<'a>]);

/// What stands before, in the branches of, and after the first `#if` in an expression.
fn conditional_lines<'w, 'a>(words: &'w [Word<'a>]) -> Option<Branches<'w, 'a>> {
    let open = words.iter().position(|word| word.kind == TokenKind::If)?;
    let mut depth = 0usize;
    let mut from = open + 1;
    let mut branches = Vec::new();
    let mut has_else = false;
    for (at, word) in words.iter().enumerate().skip(open) {
        match word.kind {
            TokenKind::If => depth += 1,
            TokenKind::Else if depth == 1 => {
                branches.push(&words[from..at]);
                has_else = true;
                from = at + 1;
            }
            TokenKind::EndIf => {
                depth -= 1;
                if depth == 0 {
                    branches.push(&words[from..at]);
                    if !has_else {
                        branches.push(&[]);
                    }
                    return Some((&words[..open], branches, &words[at + 1..]));
                }
            }
            _ => {}
        }
    }
    None
}

/// The two values of `c ? a : b`.
fn ternary<'w, 'a>(words: &'w [Word<'a>]) -> Option<(&'w [Word<'a>], &'w [Word<'a>])> {
    let mut depth = 0usize;
    let mut question = None;
    let mut nested = 0usize;
    for (at, word) in words.iter().enumerate() {
        match word.kind {
            TokenKind::Punct(b'(' | b'[' | b'{') => depth += 1,
            TokenKind::Punct(b')' | b']' | b'}') => depth = depth.saturating_sub(1),
            TokenKind::Punct(b'?') if depth == 0 => {
                if question.is_none() {
                    question = Some(at);
                } else {
                    nested += 1;
                }
            }
            TokenKind::Punct(b':') if depth == 0 => {
                let asked = question?;
                if nested == 0 {
                    return Some((&words[asked + 1..at], &words[at + 1..]));
                }
                nested -= 1;
            }
            _ => {}
        }
    }
    None
}

/// What a name says.
fn named(name: &[u8], scope: &Scope<'_>) -> Vec<Bits> {
    if matches!(name, b"__func__" | b"__FUNCTION__" | b"__PRETTY_FUNCTION__") {
        return vec![vec![scope.function.map_or(Bit::Function, |name| Bit::Raw(name.into()))]];
    }
    if let Some(bound) = scope.bound
        && let Some(place) = bound.names.iter().position(|param| param.as_bytes() == name)
    {
        let outside = Scope { depth: scope.depth, ..bound.outside };
        return bound
            .arguments
            .get(place)
            .map_or_else(|| vec![vec![Bit::Unknown]], |words| texts(words, &outside));
    }
    if let Some(place) = scope.params.iter().position(|param| param.as_bytes() == name) {
        return vec![vec![Bit::Param(place)]];
    }
    if let Some(contents) = std::str::from_utf8(name).ok().and_then(|name| scope.locals.get(name)) {
        let contents = contents.iter().take(MAX_ALTERNATIVES);
        return contents.map(|content| vec![Bit::Content(content.clone())]).collect();
    }
    if let Some(letters) = conversion_macro(name) {
        return vec![vec![Bit::Raw(letters)]];
    }
    let mut all = Vec::new();
    for entry in
        scope.macros.visible(name, scope.file).filter(|entry| entry.params.is_none()).take(MAX_ALTERNATIVES)
    {
        let body = words(&entry.code, 0, entry.code.tokens.len());
        // A name that stands for itself.
        if body.is_empty() || body.iter().any(|word| word.kind == TokenKind::Ident && word.text == name) {
            continue;
        }
        let inside = Scope { bound: None, params: &[], ..*scope };
        merge(&mut all, texts(&body, &inside));
    }
    let known = |bits: &Bits| bits.iter().any(|bit| *bit != Bit::Unknown);
    if all.iter().any(known) {
        all.retain(known);
        return all;
    }
    let constant = std::str::from_utf8(name).ok().and_then(|name| scope.macros.constants.get(name));
    vec![vec![constant.map_or(Bit::Unknown, |value| Bit::Raw(value.clone().into_bytes()))]]
}

/// What an entry of a table of texts may say: any of them, when they are few.
fn chosen(name: &[u8], scope: &Scope<'_>) -> Vec<Bits> {
    let unknown = || vec![vec![Bit::Unknown]];
    let text = std::str::from_utf8(name).unwrap_or_default();
    if scope.params.iter().any(|param| param == text) || scope.locals.contains_key(text) {
        return unknown();
    }
    let mut tables = Macros::seen(&scope.macros.tables, name, scope.file);
    let (Some(table), None) = (tables.next(), tables.next()) else { return unknown() };
    let body = words(&table.code, 0, table.code.tokens.len());
    let inside = Scope { bound: None, params: &[], locals: no_locals(), ..*scope };
    let mut all = Vec::new();
    for entry in commas(&body).into_iter().filter(|entry| !entry.is_empty() && entry[0].text != b"NULL") {
        if all.len() >= MAX_ALTERNATIVES {
            return unknown();
        }
        merge(&mut all, texts(entry, &inside));
    }
    if all.is_empty() || all.iter().flatten().any(|bit| *bit == Bit::Unknown) { unknown() } else { all }
}

/// No local variables.
pub(super) fn no_locals() -> &'static FxHashMap<String, Vec<Segments>> {
    static EMPTY: std::sync::OnceLock<FxHashMap<String, Vec<Segments>>> = std::sync::OnceLock::new();
    EMPTY.get_or_init(FxHashMap::default)
}

/// The letters that `PRIu64` and its relatives stand for.
fn conversion_macro(name: &[u8]) -> Option<Vec<u8>> {
    let rest = name.strip_prefix(b"PRI")?;
    let (&letter, width) = rest.split_first()?;
    let width = width.strip_prefix(b"FAST").or_else(|| width.strip_prefix(b"LEAST")).unwrap_or(width);
    let known = matches!(letter, b'd' | b'i' | b'o' | b'u' | b'x' | b'X')
        && matches!(width, b"8" | b"16" | b"32" | b"64" | b"MAX" | b"PTR");
    known.then(|| {
        if width == b"64" || width == b"MAX" || width == b"PTR" { vec![b'l', letter] } else { vec![letter] }
    })
}

/// What `name(inside)` says: a gettext mark around a literal, or a macro that gives one.
fn called(name: &[u8], inside: &[Word<'_>], scope: &Scope<'_>) -> Vec<Bits> {
    let parts = commas(inside);
    let part =
        |at: usize| parts.get(at).map_or_else(|| vec![vec![Bit::Unknown]], |words| texts(words, scope));
    match name {
        b"_" | b"N_" | b"gettext" | b"TEXT" | b"_T" | b"T_" | b"gettext_noop" | b"tr" | b"G_" | b"Q_"
        | b"PSTR" | b"F" | b"X_" | b"i18n" => {
            return part(0);
        }
        b"dgettext" | b"dcgettext" | b"pgettext" | b"C_" | b"P_" => return part(1),
        b"ngettext" => {
            let mut all = part(0);
            merge(&mut all, part(1));
            return all;
        }
        b"dngettext" => {
            let mut all = part(1);
            merge(&mut all, part(2));
            return all;
        }
        _ => {}
    }
    let mut all = Vec::new();
    for entry in scope.macros.visible(name, scope.file).take(MAX_ALTERNATIVES) {
        let Some(names) = &entry.params else { continue };
        let body = words(&entry.code, 0, entry.code.tokens.len());
        let calls_itself = body.iter().any(|word| word.kind == TokenKind::Ident && word.text == name);
        if body.is_empty() || calls_itself || body.len() > 64 {
            continue;
        }
        let bound = Bound { names, arguments: parts.clone(), outside: *scope };
        let within = Scope { bound: Some(&bound), params: &[], ..*scope };
        merge(&mut all, texts(&body, &within));
    }
    let known = |bits: &Bits| bits.iter().any(|bit| *bit != Bit::Unknown);
    all.retain(known);
    if all.is_empty() { vec![vec![Bit::Unknown]] } else { all }
}

/// What `#name` says.
fn stringified(name: &[u8], scope: &Scope<'_>) -> Bit {
    if let Some(bound) = scope.bound
        && let Some(place) = bound.names.iter().position(|param| param.as_bytes() == name)
    {
        return bound.arguments.get(place).map_or(Bit::Unknown, |words| Bit::Raw(source(words)));
    }
    scope.params.iter().position(|param| param.as_bytes() == name).map_or(Bit::Unknown, Bit::Source)
}

/// The source text of words, blanks between them as the preprocessor keeps them.
pub(super) fn source(words: &[Word<'_>]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut end = None;
    for word in words {
        let start = word.text.as_ptr() as usize;
        if end.is_some_and(|end| end != start) {
            text.push(b' ');
        }
        text.extend_from_slice(word.text);
        end = Some(start + word.text.len());
    }
    text
}

/// The arguments of a call, as the callee's parameters see them.
#[derive(Debug, Clone, Default)]
pub(super) struct Arguments<'a> {
    pub(super) parts: Vec<Vec<Word<'a>>>,
    /// Where the caller's own `...` stands, and what number its first argument has there.
    pub(super) rest: Option<(usize, usize)>,
}

/// One argument.
#[derive(Debug, Clone, Copy)]
pub(super) enum Argument<'w, 'a> {
    Words(&'w [Word<'a>]),
    /// One of the caller's own variable arguments, by number.
    Rest(usize),
    Missing,
}

impl<'a> Arguments<'a> {
    /// Reads arguments. Object-like macros with commas count as several; `rest` is the caller's own name for
    /// its variable arguments and the number of the first of them.
    pub(super) fn new(
        parts: Vec<Vec<Word<'a>>>,
        scope: &Scope<'a>,
        rest: Option<(&str, usize)>,
    ) -> Arguments<'a> {
        let mut arguments = Arguments::default();
        for part in parts {
            let own_rest = rest.is_some_and(|(name, _)| {
                let mut names = part.iter().filter(|word| word.kind != TokenKind::Paste);
                names.next().is_some_and(|word| word.text == name.as_bytes()) && names.next().is_none()
            });
            if let (true, Some((_, first))) = (own_rest, rest) {
                if arguments.rest.is_none() {
                    arguments.rest = Some((arguments.parts.len(), first));
                }
                continue;
            }
            if let [word] = part[..]
                && word.kind == TokenKind::Ident
                && let Some(several) = several(word.text, scope)
            {
                arguments.parts.extend(several);
                continue;
            }
            arguments.parts.push(part);
        }
        arguments
    }

    pub(super) fn get<'w>(&'w self, number: usize) -> Argument<'w, 'a> {
        match (self.parts.get(number), self.rest) {
            (_, Some((from, first))) if number >= from => Argument::Rest(first + number - from),
            (Some(words), _) => Argument::Words(words),
            (None, _) => Argument::Missing,
        }
    }
}

/// The arguments that an object-like macro stands for, when they are several.
fn several<'a>(name: &[u8], scope: &Scope<'a>) -> Option<Vec<Vec<Word<'a>>>> {
    let entry = scope
        .macros
        .visible(name, scope.file)
        .find(|entry| entry.params.is_none() && entry.code.tokens.iter().any(|token| token.is(b',')))?;
    let body = words(&entry.code, 0, entry.code.tokens.len());
    let parts = commas(&body);
    (parts.len() > 1).then(|| parts.into_iter().map(<[Word<'a>]>::to_vec).collect())
}

/// Turns decoded bytes into text; what is not UTF-8 becomes holes.
fn plain(bytes: &[u8]) -> Segments {
    let tokens = dialect::parse(Dialect::Plain, &[Piece::Text(bytes.to_vec())]);
    tokens
        .into_iter()
        .map(|token| match token {
            dialect::Token::Text(text) => Segment::Text(text),
            dialect::Token::Hole { hole, .. } => Segment::Hole(hole),
        })
        .collect()
}

/// What is printed for an argument in a text hole.
pub(super) fn filled(argument: Argument<'_, '_>, hole: Hole, scope: &Scope<'_>) -> Vec<Segments> {
    let unknown = vec![vec![Segment::Hole(hole)]];
    let words = match argument {
        Argument::Rest(param) => return vec![vec![Segment::Argument { param, hole }]],
        Argument::Missing => return unknown,
        Argument::Words(words) => words,
    };
    if hole.kind != HoleKind::Text {
        // The number of a parameter stays what it is.
        if let [word] = words
            && let Some(param) = scope.params.iter().position(|param| param.as_bytes() == word.text)
        {
            return vec![vec![Segment::Argument { param, hole }]];
        }
        return unknown;
    }
    if is_error_text(words) {
        return vec![vec![Segment::Hole(Hole { kind: HoleKind::Errno, ..hole })]];
    }
    let all = texts(words, scope);
    // One of a table's texts is a value like any other.
    let entry = all.len() > 1
        && matches!(words, [name, open, ..] if name.kind == TokenKind::Ident && open.is(b'['))
        && closing(words, 1) + 1 == words.len();
    // Half of a choice is no better than none.
    if entry || hole.pad != dice_catalog::Pad::None || all.iter().flatten().any(|bit| *bit == Bit::Unknown) {
        return unknown;
    }
    let value = |bits: &Bits| {
        let mut segments = Segments::new();
        for bit in bits {
            match bit {
                Bit::Raw(bytes) => {
                    let length = hole.precision.map_or(bytes.len(), |most| bytes.len().min(most as usize));
                    segments.extend(plain(&bytes[..length]));
                }
                Bit::Param(param) => segments.push(Segment::Argument { param: *param, hole }),
                Bit::Source(param) => segments.push(Segment::Source(*param)),
                Bit::Function => segments.push(Segment::Function),
                Bit::Content(content) => segments.extend_from_slice(content),
                Bit::Unknown => segments.push(Segment::Hole(hole)),
            }
        }
        segments
    };
    all.iter().map(value).collect()
}

/// Whether an argument gives the text of an error number.
fn is_error_text(words: &[Word<'_>]) -> bool {
    let names: &[&[u8]] = &[
        b"strerror",
        b"strerror_r",
        b"xstrerror",
        b"gai_strerror",
        b"g_strerror",
        b"safe_strerror",
        b"strerror_safe",
        b"dlerror",
        b"hstrerror",
        b"ssh_err",
        b"pcap_strerror",
        b"uv_strerror",
        b"ERR_error_string",
        b"evutil_socket_error_to_string",
    ];
    words.len() >= 3
        && words[1].is(b'(')
        && names.contains(&words[0].text)
        && closing(words, 1) + 1 == words.len()
}

/// What a format argument prints with the arguments from `next` on.
pub(super) fn formatted(
    dialect: Dialect,
    format: Argument<'_, '_>,
    arguments: &Arguments<'_>,
    next: Option<usize>,
    scope: &Scope<'_>,
) -> Vec<Segments> {
    let words = match format {
        Argument::Rest(param) => {
            return vec![vec![Segment::Format { param, rest: Some(param + 1), dialect }]];
        }
        Argument::Missing => return vec![vec![Segment::Hole(Hole::of(HoleKind::Text))]],
        Argument::Words(words) => words,
    };
    let mut all = Vec::new();
    for bits in texts(words, scope) {
        if all.len() < MAX_ALTERNATIVES {
            merge(&mut all, one_format(dialect, &bits, arguments, next, scope));
        }
    }
    all
}

fn one_format(
    dialect: Dialect,
    bits: &Bits,
    arguments: &Arguments<'_>,
    next: Option<usize>,
    scope: &Scope<'_>,
) -> Vec<Segments> {
    let mut all: Vec<Segments> = vec![Vec::new()];
    let mut next = next;
    let mut at = 0;
    while at < bits.len() {
        let mut pieces = Vec::new();
        while let Some(bit) = bits.get(at) {
            match bit {
                Bit::Raw(bytes) => pieces.push(Piece::Text(bytes.clone())),
                Bit::Unknown => pieces.push(Piece::Hole(Hole::of(HoleKind::Text))),
                _ => break,
            }
            at += 1;
        }
        if !pieces.is_empty() {
            foreign_start(&mut pieces);
            next = spread(&mut all, dialect, &pieces, arguments, next, scope);
            continue;
        }
        match &bits[at] {
            Bit::Param(param) => {
                let rest = next.and_then(|next| match arguments.get(next) {
                    Argument::Rest(rest) => Some(rest),
                    _ => None,
                });
                push(&mut all, Segment::Format { param: *param, rest, dialect });
            }
            Bit::Source(param) => push(&mut all, Segment::Source(*param)),
            Bit::Function => push(&mut all, Segment::Function),
            Bit::Content(content) => {
                for segments in &mut all {
                    segments.extend(content.iter().map(|segment| match segment {
                        // A parameter that was printed into the format is itself a format now.
                        Segment::Argument { param, hole }
                            if hole.kind == HoleKind::Text && hole.pad == dice_catalog::Pad::None =>
                        {
                            Segment::Format { param: *param, rest: None, dialect }
                        }
                        other => other.clone(),
                    }));
                }
            }
            Bit::Raw(_) | Bit::Unknown => {}
        }
        at += 1;
    }
    all
}

/// An extension of a wrapper's own, `%@`, stands for a text of its own.
fn foreign_start(pieces: &mut Vec<Piece>) {
    if let Some(Piece::Text(bytes)) = pieces.first_mut()
        && bytes.len() >= 2
        && bytes[0] == b'%'
        && matches!(bytes[1], b'@' | b'!' | b'&' | b'~' | b'^' | b'=' | b'|')
    {
        bytes.drain(..2);
        pieces.insert(0, Piece::Hole(Hole::of(HoleKind::Text)));
    }
}

fn push(all: &mut [Segments], segment: Segment) {
    for segments in all {
        segments.push(segment.clone());
    }
}

/// Puts the pieces after each alternative, their holes filled; says which argument comes next.
fn spread(
    all: &mut Vec<Segments>,
    dialect: Dialect,
    pieces: &[Piece],
    arguments: &Arguments<'_>,
    next: Option<usize>,
    scope: &Scope<'_>,
) -> Option<usize> {
    let tokens = dialect::parse(dialect, pieces);
    let mut used = 0;
    // Choices that tell most come first: words before bare punctuation.
    let mut choices: Vec<(usize, Vec<Segments>)> = Vec::new();
    let mut fixed: Vec<Segments> = Vec::with_capacity(tokens.len());
    for token in tokens {
        match token {
            dialect::Token::Text(text) => fixed.push(vec![Segment::Text(text)]),
            dialect::Token::Hole { hole, argument, .. } => {
                let values = match (argument, next) {
                    (Some(argument), Some(next)) => {
                        used = used.max(argument + 1);
                        filled(arguments.get(next + argument), hole, scope)
                    }
                    (Some(argument), None) => {
                        used = used.max(argument + 1);
                        vec![vec![Segment::Hole(hole)]]
                    }
                    (None, _) => vec![vec![Segment::Hole(hole)]],
                };
                if values.len() > 1 {
                    choices.push((fixed.len(), values));
                    fixed.push(vec![Segment::Hole(hole)]);
                } else {
                    fixed.push(values.into_iter().next().unwrap_or_default());
                }
            }
        }
    }
    let letters = |values: &[Segments]| -> usize {
        let longest = |segments: &Segments| {
            segments.iter().map(|s| if let Segment::Text(t) = s { t.len() } else { 0 }).sum::<usize>()
        };
        values.iter().map(longest).max().unwrap_or(0)
    };
    choices.sort_by_key(|(place, values)| (std::cmp::Reverse(letters(values)), *place));
    let mut variants: Vec<Vec<Segments>> = vec![fixed];
    for (place, values) in choices {
        if all.len() * variants.len() * values.len() <= MAX_ALTERNATIVES {
            variants = variants
                .iter()
                .flat_map(|variant| {
                    values.iter().map(move |value| {
                        let mut variant = variant.clone();
                        variant[place] = value.clone();
                        variant
                    })
                })
                .collect();
        }
    }
    *all = all
        .iter()
        .flat_map(|before| variants.iter().map(move |variant| [before.clone(), variant.concat()].concat()))
        .take(MAX_ALTERNATIVES)
        .collect();
    next.map(|next| next + used)
}
