//! What one C file tells about loggers.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::function::{Function, functions, split};
use super::token::{Brackets, Lexed, Token, TokenKind, lex, lex_body};
use super::word;
use crate::{Language, Source};

/// Bodies longer than this are looked at only in functions that print by their signature or name.
const LONG_BODY_TOKENS: usize = 3_000;
/// Bodies longer than this are not looked at.
const MAX_BODY_TOKENS: usize = 40_000;
/// Object-like macros longer than this are tables, not text.
const MAX_CONSTANT_BYTES: usize = 4_096;

/// What one C file tells about loggers: its macros, the functions that may print, and how names are called.
#[derive(Debug)]
pub(crate) struct Facts {
    /// Whether other files see its macros and static functions.
    pub(super) header: bool,
    pub(super) includes: Vec<String>,
    pub(super) macros: Vec<Macro>,
    pub(super) constants: Vec<Constant>,
    pub(super) functions: Vec<(Function, Option<Arc<Code>>)>,
    /// How often names with a log word are called, and with what.
    pub(super) calls: Vec<(String, Calls)>,
}

/// A macro with its body.
#[derive(Debug)]
pub(super) struct Macro {
    pub(super) name: String,
    pub(super) params: Option<Vec<String>>,
    pub(super) variadic: bool,
    pub(super) code: Arc<Code>,
}

/// A variable at file level that is text, or a table of texts, and stays it.
#[derive(Debug)]
pub(super) struct Constant {
    pub(super) name: String,
    /// The initialiser, without the braces of a table.
    pub(super) code: Arc<Code>,
    pub(super) table: bool,
}

/// A piece of C with its tokens.
#[derive(Debug, Default)]
pub(super) struct Code {
    pub(super) text: Box<[u8]>,
    pub(super) tokens: Box<[Token]>,
    pub(super) brackets: Brackets,
}

impl Code {
    pub(super) fn of_body(text: &[u8]) -> Code {
        let tokens = lex_body(text);
        let brackets = Brackets::of(&tokens, text);
        Code { text: text.into(), tokens: tokens.into(), brackets }
    }

    fn of_tokens(text: &[u8], tokens: &[Token]) -> Code {
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { return Code::default() };
        let (from, to) = (first.start, last.end.max(first.start));
        let shift = |token: &Token| Token {
            kind: token.kind,
            start: token.start.saturating_sub(from),
            end: token.end.saturating_sub(from),
        };
        let tokens: Box<[Token]> = tokens.iter().map(shift).collect();
        let text: Box<[u8]> = text[from as usize..to as usize].into();
        let brackets = Brackets::of(&tokens, &text);
        Code { text, tokens, brackets }
    }

    /// Whether nothing is done: `do {} while (0)`, `((void)0)`, nothing at all.
    pub(super) fn is_empty(&self) -> bool {
        self.tokens.iter().all(|token| match token.kind {
            TokenKind::Ident => matches!(token.of(&self.text), b"do" | b"while" | b"void" | b"if" | b"false"),
            TokenKind::Number => true,
            TokenKind::Punct(byte) => matches!(byte, b'(' | b')' | b'{' | b'}' | b';'),
            _ => false,
        })
    }
}

/// How a name is called in a file or repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Calls {
    /// Calls with a string literal among the arguments.
    pub(super) with_literal: u32,
    /// Of these, the ones whose literal reads like a message.
    pub(super) sentences: u32,
    /// In which argument the literals stand; the last counts all that are further right.
    pub(super) places: [u32; 8],
}

impl Calls {
    pub(super) fn add(&mut self, other: &Calls) {
        self.with_literal += other.with_literal;
        self.sentences += other.sentences;
        for (mine, other) in self.places.iter_mut().zip(other.places) {
            *mine += other;
        }
    }
}

impl Facts {
    pub(crate) fn of(source: &Source<'_>) -> Facts {
        let text = source.text;
        let lexed = lex(text);
        let brackets = Brackets::of(&lexed.tokens, text);
        let found = functions(text, &lexed.tokens, &brackets);
        let defines_code =
            found.iter().any(|f| f.body.is_some() && !f.is_static && !f.returns.contains("inline"));
        let header = lexed.guarded || !defines_code;
        let calls = calls(text, &lexed, &brackets);
        let macros = lexed.defines.iter().filter_map(|define| {
            let body = &text[define.body.clone()];
            if define.params.is_none() && body.len() > MAX_CONSTANT_BYTES {
                return None;
            }
            let code = Arc::new(Code::of_body(body));
            Some(Macro {
                name: define.name.clone(),
                params: define.params.clone(),
                variadic: define.variadic,
                code,
            })
        });
        Facts {
            header,
            constants: constants(text, &lexed.tokens, &brackets, header),
            macros: macros.collect(),
            functions: found
                .into_iter()
                .filter_map(|function| keep(source.language, text, &lexed, function))
                .collect(),
            calls,
            includes: lexed.includes,
        }
    }
}

/// Every text and table of texts that a file gives a name and never changes.
fn constants(text: &[u8], tokens: &[Token], brackets: &Brackets, header: bool) -> Vec<Constant> {
    let mut constants = Vec::new();
    // Pointers may be given another text later.
    let mut pointers: FxHashMap<&[u8], usize> = FxHashMap::default();
    let mut start = 0;
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at].kind {
            TokenKind::Punct(b'{') => {
                at = brackets.partner(at).filter(|&close| close > at).unwrap_or(at);
                start = at + 1;
            }
            TokenKind::Punct(b'(' | b'[') => {
                at = brackets.partner(at).filter(|&close| close > at).unwrap_or(at);
            }
            TokenKind::Punct(b';' | b'}') => start = at + 1,
            TokenKind::Punct(b'=') => {
                let end = initialiser_end(tokens, brackets, at + 1);
                if let Some((name, constant)) = constant(text, tokens, brackets, (start, at, end), header) {
                    if !tokens[at - 1].is(b']') {
                        pointers.insert(name, constants.len());
                    }
                    constants.push(constant);
                }
                at = end;
                start = end + 1;
            }
            _ => {}
        }
        at += 1;
    }
    if pointers.is_empty() {
        return constants;
    }
    let mut assigned = vec![0; constants.len()];
    for pair in tokens.windows(2).filter(|pair| pair[0].kind == TokenKind::Ident && pair[1].is(b'=')) {
        if let Some(&place) = pointers.get(pair[0].of(text)) {
            assigned[place] += 1;
        }
    }
    let mut assigned = assigned.into_iter();
    constants.retain(|_| assigned.next().is_none_or(|times| times <= 1));
    constants
}

/// The `;` or end after an initialiser that begins at `from`.
fn initialiser_end(tokens: &[Token], brackets: &Brackets, from: usize) -> usize {
    let mut at = from;
    while at < tokens.len() && !tokens[at].is(b';') {
        at = brackets.partner(at).filter(|&close| close > at).unwrap_or(at) + 1;
    }
    at.min(tokens.len())
}

/// `static const char *name = "…";` or `const char *names[] = { "…", "…" };` of which `from`, the `=` and the end
/// are told.
fn constant<'t>(
    text: &'t [u8],
    tokens: &[Token],
    brackets: &Brackets,
    (from, equals, end): (usize, usize, usize),
    header: bool,
) -> Option<(&'t [u8], Constant)> {
    let before = equals.checked_sub(1)?;
    let array = tokens[before].is(b']');
    let name = if array { brackets.partner(before)?.checked_sub(1)? } else { before };
    if name <= from || tokens[name].kind != TokenKind::Ident || name > from + 12 {
        return None;
    }
    let has = |word: &[u8]| tokens[from..name].iter().any(|token| token.of(text) == word);
    let pointer = tokens[from..name].iter().any(|token| token.is(b'*'));
    let table = array && pointer;
    let stays = match (array, pointer) {
        (true, true) => true,
        (true, false) => has(b"const"),
        (false, true) => has(b"static") || header,
        (false, false) => false,
    };
    let (mut first, mut last) = (equals + 1, end);
    if table {
        if !tokens.get(first)?.is(b'{') {
            return None;
        }
        last = brackets.partner(first).filter(|&close| close < end)?;
        first += 1;
    }
    let inside = tokens.get(first..last)?;
    let bytes = inside.last()?.end.saturating_sub(inside[0].start) as usize;
    let plain = inside.iter().all(|token| match token.kind {
        TokenKind::Str | TokenKind::Ident => true,
        TokenKind::Punct(b',') => table,
        _ => false,
    });
    let told = inside.iter().any(|token| token.kind == TokenKind::Str);
    if !(stays && has(b"char") && plain && told && bytes <= MAX_CONSTANT_BYTES) {
        return None;
    }
    let name = tokens[name].of(text);
    let code = Arc::new(Code::of_tokens(text, inside));
    Some((name, Constant { name: String::from_utf8_lossy(name).into_owned(), code, table }))
}

/// Keeps a function that may print, with its body.
fn keep(
    language: &'static Language,
    text: &[u8],
    lexed: &Lexed,
    function: Function,
) -> Option<(Function, Option<Arc<Code>>)> {
    if function.by_macro {
        return None;
    }
    let prints = function.variadic || function.params.iter().any(|param| param.is_va_list());
    let named = word::is_log_name(&function.name);
    let tells =
        function.params.iter().any(|param| param.is_text() && (named || word::is_text_param(&param.name)));
    let known = || language.table().loggers.iter().any(|rule| rule.names.contains(&function.name));
    let code = function.body.and_then(|(open, close)| {
        let close = close.min(lexed.tokens.len().saturating_sub(1));
        let length = close.saturating_sub(open);
        let limit = if prints || named { MAX_BODY_TOKENS } else { LONG_BODY_TOKENS };
        ((prints || tells) && length <= limit)
            .then(|| Arc::new(Code::of_tokens(text, &lexed.tokens[open..=close])))
    });
    (prints || tells || named || !function.attributes.is_empty() || known()).then_some((function, code))
}

/// Counts the calls of names that have a log word.
fn calls(text: &[u8], lexed: &Lexed, brackets: &Brackets) -> Vec<(String, Calls)> {
    let tokens = &lexed.tokens;
    let mut counts: FxHashMap<&[u8], Option<Calls>> = FxHashMap::default();
    for at in 0..tokens.len().saturating_sub(1) {
        if tokens[at].kind != TokenKind::Ident || !tokens[at + 1].is(b'(') {
            continue;
        }
        let name = tokens[at].of(text);
        let count = counts.entry(name).or_insert_with(|| {
            std::str::from_utf8(name).is_ok_and(word::is_plain_log_name).then(Calls::default)
        });
        let (Some(count), Some(close)) = (count, brackets.partner(at + 1)) else { continue };
        let parts = split(tokens, brackets, at + 1, close);
        let literal =
            parts.iter().position(|&(from, to)| from < to && starts_with_literal(&tokens[from..to]));
        if let Some(place) = literal {
            let (from, to) = parts[place];
            count.with_literal += 1;
            count.sentences += u32::from(is_sentence(text, &tokens[from..to]));
            count.places[place.min(7)] += 1;
        }
    }
    let mut counts: Vec<(String, Calls)> = counts
        .into_iter()
        .filter_map(|(name, count)| {
            Some((String::from_utf8_lossy(name).into_owned(), count.filter(|c| c.with_literal > 0)?))
        })
        .collect();
    counts.sort_by(|a, b| a.0.cmp(&b.0));
    counts
}

/// Whether an argument is a literal, perhaps after a macro or a gettext mark.
fn starts_with_literal(tokens: &[Token]) -> bool {
    tokens.iter().take(3).any(|token| token.kind == TokenKind::Str)
        && tokens
            .iter()
            .take(64)
            .all(|token| !matches!(token.kind, TokenKind::Punct(b'=' | b'<' | b'>' | b'+' | b'!')))
}

/// Whether a literal reads like a message: a blank, and a conversion or three words.
fn is_sentence(text: &[u8], tokens: &[Token]) -> bool {
    let literals = tokens.iter().filter(|token| token.kind == TokenKind::Str).take(16);
    let all: Vec<u8> = literals.flat_map(|token| token.of(text).iter().copied()).collect();
    let blank = all.contains(&b' ');
    blank
        && (all.contains(&b'%')
            || all.split(|&byte| byte == b' ').filter(|word| !word.is_empty()).count() >= 3)
}
