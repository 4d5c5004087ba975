//! C text as tokens: what the preprocessor sees, without expanding anything.

use memchr::{memchr, memchr2, memmem};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A name or keyword.
    Ident,
    /// A number as the preprocessor reads it.
    Number,
    /// A string literal with its prefix and quotes.
    Str,
    /// A character literal with its quotes.
    Char,
    /// One byte of punctuation.
    Punct(u8),
    /// `##`.
    Paste,
    /// `...`.
    Dots,
    /// `->`.
    Arrow,
    /// Where a `#if` stands.
    If,
    /// Where a `#else` or `#elif` stands.
    Else,
    /// Where a `#endif` stands.
    EndIf,
}

/// A token and its place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Token {
    pub(super) fn is(&self, punct: u8) -> bool {
        self.kind == TokenKind::Punct(punct)
    }

    /// Its bytes in the text it was read from.
    pub(super) fn of<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// A `#define`, with places in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Define {
    pub(super) name: String,
    /// The names in parentheses; `None` for a macro without them. A variadic one ends with its name for the
    /// rest: `__VA_ARGS__` or GNU's `args...`.
    pub(super) params: Option<Vec<String>>,
    pub(super) variadic: bool,
    /// The place of the body, comments and continuations included.
    pub(super) body: std::ops::Range<usize>,
}

/// A file as tokens.
#[derive(Debug, Default)]
pub(super) struct Lexed {
    /// Everything outside directives.
    pub(super) tokens: Vec<Token>,
    pub(super) defines: Vec<Define>,
    /// What `#include` names, without quotes.
    pub(super) includes: Vec<String>,
    /// Whether the whole file stands inside an include guard.
    pub(super) guarded: bool,
    /// Where a comment begins that never ends.
    pub(super) unterminated: Option<usize>,
}

/// Reads a file.
pub(super) fn lex(text: &[u8]) -> Lexed {
    let mut lexer = Lexer { text, at: 0, out: Lexed::default(), guard: Guard::Unseen, depth: 0 };
    if text.starts_with(b"\xEF\xBB\xBF") {
        lexer.at = 3;
    }
    lexer.run(true);
    lexer.out.guarded |= lexer.guard == Guard::Closed;
    lexer.out
}

/// Reads the body of a `#define`.
pub(super) fn lex_body(text: &[u8]) -> Vec<Token> {
    let mut lexer = Lexer { text, at: 0, out: Lexed::default(), guard: Guard::None, depth: 0 };
    lexer.run(false);
    lexer.out.tokens
}

/// How far an include guard has been seen.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Guard {
    Unseen,
    Asked(String),
    Open,
    Closed,
    None,
}

struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    out: Lexed,
    guard: Guard,
    /// How many `#if` are open.
    depth: usize,
}

pub(super) fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b'$' || byte >= 0x80
}

pub(super) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.text.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn push(&mut self, kind: TokenKind, start: usize) {
        if self.guard == Guard::Closed || self.guard == Guard::Unseen {
            self.guard = Guard::None;
        }
        // Offsets past 4 GiB cannot be had: such a file is not read into memory.
        self.out.tokens.push(Token { kind, start: start as u32, end: self.at as u32 });
    }

    fn run(&mut self, directives: bool) {
        let mut fresh = true;
        while self.at < self.text.len() {
            let start = self.at;
            match self.text[start] {
                b'\n' => {
                    fresh = true;
                    self.at += 1;
                    continue;
                }
                b' ' | b'\t' | b'\r' | 0x0b | 0x0c | 0 => {
                    self.at += 1;
                    continue;
                }
                b'\\' => {
                    self.at += 1;
                    continue;
                }
                b'/' if self.peek(1) == b'*' => {
                    self.at = match memmem::find(&self.text[start + 2..], b"*/") {
                        Some(length) => start + 2 + length + 2,
                        None => {
                            self.out.unterminated = Some(start);
                            self.text.len()
                        }
                    };
                    continue;
                }
                b'/' if self.peek(1) == b'/' => {
                    self.at = line_end(self.text, start);
                    continue;
                }
                b'#' if directives && fresh => {
                    self.directive();
                    continue;
                }
                b'"' => {
                    self.at = quoted_end(self.text, start);
                    self.push(TokenKind::Str, start);
                }
                b'\'' => {
                    self.at = quoted_end(self.text, start);
                    self.push(TokenKind::Char, start);
                }
                b'0'..=b'9' => self.number(start),
                b'.' if self.peek(1).is_ascii_digit() => self.number(start),
                b'.' if self.peek(1) == b'.' && self.peek(2) == b'.' => {
                    self.at += 3;
                    self.push(TokenKind::Dots, start);
                }
                b'-' if self.peek(1) == b'>' => {
                    self.at += 2;
                    self.push(TokenKind::Arrow, start);
                }
                b'#' if self.peek(1) == b'#' => {
                    self.at += 2;
                    self.push(TokenKind::Paste, start);
                }
                byte if is_name_start(byte) => {
                    while self.at < self.text.len() && is_name(self.text[self.at]) {
                        self.at += 1;
                    }
                    let prefix = matches!(&self.text[start..self.at], b"L" | b"u8" | b"u" | b"U" | b"R");
                    let kind = match self.peek(0) {
                        b'"' if prefix => TokenKind::Str,
                        b'\'' if prefix => TokenKind::Char,
                        _ => TokenKind::Ident,
                    };
                    if kind != TokenKind::Ident {
                        self.at = quoted_end(self.text, self.at);
                    }
                    self.push(kind, start);
                }
                byte => {
                    self.at += 1;
                    self.push(TokenKind::Punct(byte), start);
                }
            }
            fresh = false;
        }
    }

    fn number(&mut self, start: usize) {
        self.at += 1;
        while self.at < self.text.len() {
            let byte = self.text[self.at];
            let sign = matches!(byte, b'+' | b'-') && matches!(self.text[self.at - 1] | 0x20, b'e' | b'p');
            let hex = self.text[start] == b'0' && matches!(self.text.get(start + 1), Some(b'x' | b'X'));
            let sign = sign && !(hex && self.text[self.at - 1] | 0x20 == b'e');
            if !(is_name(byte) || byte == b'.' || sign) {
                break;
            }
            self.at += 1;
        }
        self.push(TokenKind::Number, start);
    }

    /// A `#` that begins a line.
    fn directive(&mut self) {
        let hash = self.at;
        let end = directive_end(self.text, hash);
        let mut at = skip_blanks(self.text, hash + 1, end);
        let word = word_at(self.text, at);
        at += word.len();
        let rest = &self.text[at.min(end)..end];
        match word {
            b"if" | b"ifdef" | b"ifndef" => {
                if word == b"ifndef" && self.guard == Guard::Unseen {
                    self.guard = Guard::Asked(name_in(rest));
                } else if self.guard == Guard::Unseen || self.guard == Guard::Closed {
                    self.guard = Guard::None;
                }
                self.depth += 1;
                self.at = end;
                self.mark(TokenKind::If, hash, end);
                if word == b"if" && condition(rest) == b"0" {
                    self.at = skip_branch(self.text, end);
                }
                return;
            }
            b"else" | b"elif" | b"elifdef" | b"elifndef" => {
                if self.depth == 1 && self.guard == Guard::Open {
                    self.guard = Guard::None;
                }
                self.at = end;
                self.mark(TokenKind::Else, hash, end);
                if word == b"elif" && condition(rest) == b"0" {
                    self.at = skip_branch(self.text, end);
                }
                return;
            }
            b"endif" => {
                self.depth = self.depth.saturating_sub(1);
                self.at = end;
                self.mark(TokenKind::EndIf, hash, end);
                if self.depth == 0 && self.guard == Guard::Open {
                    self.guard = Guard::Closed;
                }
                return;
            }
            b"define" => {
                let define = define(self.text, at, end);
                if let Some(define) = define {
                    if matches!(&self.guard, Guard::Asked(name) if *name == define.name) {
                        self.guard = Guard::Open;
                    }
                    self.out.defines.push(define);
                }
            }
            b"include" | b"import" | b"include_next" => {
                let name = rest.trim_ascii();
                let close = if name.first() == Some(&b'<') { b'>' } else { b'"' };
                if let Some(length) = name.get(1..).and_then(|inside| memchr(close, inside)) {
                    self.out.includes.push(String::from_utf8_lossy(&name[1..=length]).into_owned());
                }
            }
            b"pragma" if rest.trim_ascii().starts_with(b"once") => self.out.guarded = true,
            _ => {}
        }
        if matches!(self.guard, Guard::Asked(_)) || self.guard == Guard::Closed {
            self.guard = Guard::None;
        }
        self.at = end;
    }

    /// Conditionals stand among the tokens; the guard of a header does not look at them.
    fn mark(&mut self, kind: TokenKind, start: usize, end: usize) {
        self.out.tokens.push(Token { kind, start: start as u32, end: end as u32 });
    }
}

/// The condition of a `#if` without comments after it.
fn condition(rest: &[u8]) -> &[u8] {
    let cut = memmem::find(rest, b"/*").or_else(|| memmem::find(rest, b"//")).unwrap_or(rest.len());
    rest[..cut].trim_ascii()
}

/// After a `#if 0`: where its `#else`, `#elif` or `#endif` begins.
fn skip_branch(text: &[u8], mut at: usize) -> usize {
    let mut depth = 0usize;
    while at < text.len() {
        let end = memchr(b'\n', &text[at..]).map_or(text.len(), |length| at + length + 1);
        let line = text[at..end].trim_ascii_start();
        if line.first() == Some(&b'#') {
            let word = word_at(line, skip_blanks(line, 1, line.len()));
            match word {
                b"if" | b"ifdef" | b"ifndef" => depth += 1,
                b"endif" if depth > 0 => depth -= 1,
                b"endif" | b"else" | b"elif" if depth == 0 => return at,
                _ => {}
            }
        }
        at = end;
    }
    at
}

fn skip_blanks(text: &[u8], mut at: usize, end: usize) -> usize {
    while at < end {
        match text[at] {
            b' ' | b'\t' | b'\r' | b'\n' | b'\\' => at += 1,
            b'/' if text.get(at + 1) == Some(&b'*') => {
                at = memmem::find(&text[at + 2..end.max(at + 2)], b"*/")
                    .map_or(end, |length| at + 2 + length + 2);
            }
            _ => break,
        }
    }
    at.min(end)
}

fn word_at(text: &[u8], at: usize) -> &[u8] {
    let rest = text.get(at..).unwrap_or_default();
    let length = rest.iter().position(|&byte| !is_name(byte)).unwrap_or(rest.len());
    &rest[..length]
}

fn name_in(rest: &[u8]) -> String {
    String::from_utf8_lossy(word_at(rest, skip_blanks(rest, 0, rest.len()))).into_owned()
}

/// The end of the line, continuations included; the newline itself stays.
fn line_end(text: &[u8], mut at: usize) -> usize {
    loop {
        match memchr(b'\n', &text[at..]) {
            None => return text.len(),
            Some(length) => {
                let end = at + length;
                let line = text[at..end].strip_suffix(b"\r").unwrap_or(&text[at..end]);
                if line.last() != Some(&b'\\') {
                    return end;
                }
                at = end + 1;
            }
        }
    }
}

/// The end of a directive: continuations and comments over several lines belong to it.
fn directive_end(text: &[u8], mut at: usize) -> usize {
    while at < text.len() {
        match text[at] {
            b'\n' => return at,
            b'\\' => {
                at += 1;
                if text.get(at) == Some(&b'\r') {
                    at += 1;
                }
                if text.get(at) == Some(&b'\n') {
                    at += 1;
                }
            }
            b'/' if text.get(at + 1) == Some(&b'*') => {
                at = memmem::find(&text[at + 2..], b"*/").map_or(text.len(), |length| at + 2 + length + 2);
            }
            b'/' if text.get(at + 1) == Some(&b'/') => return line_end(text, at),
            b'"' => at = quoted_end(text, at),
            _ => at += 1,
        }
    }
    text.len()
}

/// The offset just past a literal that begins at `at` with its quote. One that is not closed ends with its line.
fn quoted_end(text: &[u8], at: usize) -> usize {
    let quote = text[at];
    let mut at = at + 1;
    while let Some(length) = memchr2(quote, b'\\', &text[at..]) {
        if let Some(newline) = memchr(b'\n', &text[at..at + length]) {
            return at + newline;
        }
        at += length;
        if text[at] == quote {
            return at + 1;
        }
        at += 1;
        if text.get(at) == Some(&b'\r') && text.get(at + 1) == Some(&b'\n') {
            at += 1;
        }
        at = (at + 1).min(text.len());
    }
    memchr(b'\n', &text[at..]).map_or(text.len(), |newline| at + newline)
}

/// Reads what follows the word `define`.
fn define(text: &[u8], at: usize, end: usize) -> Option<Define> {
    let start = skip_blanks(text, at, end);
    let name = word_at(&text[..end], start);
    if name.is_empty() {
        return None;
    }
    let after = start + name.len();
    let name = String::from_utf8_lossy(name).into_owned();
    if text.get(after) != Some(&b'(') || after >= end {
        return Some(Define { name, params: None, variadic: false, body: after..end });
    }
    let close = after + memchr(b')', &text[after..end])?;
    let mut params = Vec::new();
    let mut variadic = false;
    for param in text[after + 1..close].split(|&byte| byte == b',') {
        let from = skip_blanks(param, 0, param.len());
        let word = word_at(param, from);
        variadic = memmem::find(param, b"...").is_some();
        match (word.is_empty(), variadic) {
            (true, true) => params.push("__VA_ARGS__".to_owned()),
            (false, _) => params.push(String::from_utf8_lossy(word).into_owned()),
            (true, false) => {}
        }
    }
    Some(Define { name, params: Some(params), variadic, body: close + 1..end })
}

/// Brackets and their partners.
#[derive(Debug, Default)]
pub(super) struct Brackets {
    /// For each token that is a bracket with a partner, the partner's index; `NONE` otherwise.
    partner: Vec<u32>,
}

const NONE: u32 = u32::MAX;

impl Brackets {
    /// Pairs brackets. A branch of a conditional begins with the brackets that were open at its `#if`, so
    /// unbalanced branches do not add up; a `}` in the first column closes everything.
    pub(super) fn of(tokens: &[Token], text: &[u8]) -> Brackets {
        let mut partner = vec![NONE; tokens.len()];
        // The open bracket around each open bracket: a stack that can be put back in one step.
        let mut around = vec![NONE; tokens.len()];
        // The nearest brace at or around each open bracket, and the outermost one.
        let mut brace = vec![NONE; tokens.len()];
        let mut outer = vec![NONE; tokens.len()];
        let mut saved = Vec::new();
        let mut top = NONE;
        for (i, token) in tokens.iter().enumerate() {
            let at = i as u32;
            match token.kind {
                TokenKind::If => saved.push(top),
                TokenKind::Else => top = saved.last().copied().unwrap_or(top),
                TokenKind::EndIf => {
                    saved.pop();
                }
                TokenKind::Punct(open @ (b'(' | b'[' | b'{')) => {
                    // `extern "C" {` encloses a file, not a body.
                    if open == b'{'
                        && i > 1
                        && tokens[i - 1].kind == TokenKind::Str
                        && tokens[i - 2].of(text) == b"extern"
                    {
                        continue;
                    }
                    let (near, far) = match top {
                        NONE => (NONE, NONE),
                        top => (brace[top as usize], outer[top as usize]),
                    };
                    around[i] = top;
                    brace[i] = if open == b'{' { at } else { near };
                    outer[i] = if far == NONE && open == b'{' { at } else { far };
                    top = at;
                }
                TokenKind::Punct(b'}') if top != NONE => {
                    let first_column = token.start == 0 || text.get(token.start as usize - 1) == Some(&b'\n');
                    let open = if first_column { outer[top as usize] } else { brace[top as usize] };
                    if open != NONE {
                        partner[i] = open;
                        partner[open as usize] = at;
                        top = around[open as usize];
                    } else {
                        // Parentheses that no brace encloses cannot reach past one.
                        top = NONE;
                    }
                }
                TokenKind::Punct(close @ (b')' | b']')) if top != NONE => {
                    let open = if close == b')' { b'(' } else { b'[' };
                    if tokens[top as usize].is(open) {
                        partner[i] = top;
                        partner[top as usize] = at;
                        top = around[top as usize];
                    }
                }
                _ => {}
            }
        }
        Brackets { partner }
    }

    /// The index of the other bracket of a pair.
    pub(super) fn partner(&self, token: usize) -> Option<usize> {
        match self.partner.get(token) {
            None | Some(&NONE) => None,
            Some(&other) => Some(other as usize),
        }
    }
}
