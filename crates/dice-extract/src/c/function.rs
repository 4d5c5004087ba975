//! Functions as the tokens of a file tell them.

use super::token::{Brackets, Token, TokenKind};

/// A parameter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Param {
    pub(super) name: String,
    /// The words of its type, `*` included, separated by blanks.
    pub(super) kind: String,
}

impl Param {
    fn stars(&self) -> usize {
        self.kind.bytes().filter(|&byte| byte == b'*').count()
    }

    fn has(&self, word: &str) -> bool {
        self.kind.split(' ').any(|part| part == word)
    }

    /// Whether it is a `va_list`.
    pub(super) fn is_va_list(&self) -> bool {
        self.kind.contains("va_list") || self.kind.contains("va_alist")
    }

    /// Whether it points to text.
    pub(super) fn is_text(&self) -> bool {
        self.stars() == 1
            && ["char", "gchar", "u_char", "uchar", "xmlChar", "wchar_t"].iter().any(|word| self.has(word))
    }

    /// Whether text can be written through it.
    pub(super) fn is_destination(&self) -> bool {
        let text = self.has("char") || self.has("u_char") || self.has("gchar");
        (text && self.stars() == 1 && !self.has("const")) || (text && self.stars() == 2) || self.has("sds")
    }
}

/// A function's declaration or definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) params: Vec<Param>,
    /// Whether `...` follows the parameters.
    pub(super) variadic: bool,
    pub(super) is_static: bool,
    /// The words before the name.
    pub(super) returns: String,
    /// Names with two numbers at their end, as in `format(printf, 1, 2)`: name, format argument from 1.
    pub(super) attributes: Vec<(String, usize)>,
    /// Whether it was defined through a macro: `DEFUN(name, …) {`.
    pub(super) by_macro: bool,
    /// Index of its first header token, of the `{` and of the `}`; a declaration has none of the latter.
    pub(super) start: usize,
    pub(super) body: Option<(usize, usize)>,
}

/// Every function of a file, in the order of the text.
///
/// Declarations are given only where they are variadic or carry an attribute: others tell nothing.
pub(super) fn functions(text: &[u8], tokens: &[Token], brackets: &Brackets) -> Vec<Function> {
    let mut functions = Vec::new();
    let mut start = 0;
    let mut at = 0;
    // A declaration of old-style parameters stands between `)` and `{`; a few are looked back upon.
    let mut earlier = 0;
    while at < tokens.len() {
        match tokens[at].kind {
            TokenKind::Punct(b';') => {
                if let Some(function) = header(text, tokens, brackets, start, at) {
                    if function.variadic || !function.attributes.is_empty() {
                        functions.push(function);
                        earlier = at + 1;
                    }
                } else if at - start > 12 {
                    earlier = at + 1;
                }
                start = at + 1;
                at += 1;
            }
            TokenKind::Punct(b'{') => {
                let close = brackets.partner(at).unwrap_or(tokens.len());
                let found = header(text, tokens, brackets, start, at)
                    .or_else(|| old_style(text, tokens, brackets, earlier.max(start.saturating_sub(80)), at));
                if let Some(mut function) = found {
                    function.body = Some((at, close));
                    functions.push(function);
                    start = close + 1;
                    earlier = start;
                } else if tokens.get(close + 1).is_none_or(|next| next.kind != TokenKind::Punct(b';')) {
                    // Not a type or an initialiser that goes on.
                    if !initialiser(tokens, start, at) {
                        start = close + 1;
                        earlier = start;
                    }
                }
                at = close + 1;
            }
            TokenKind::Punct(b'(' | b'[') => at = brackets.partner(at).unwrap_or(at) + 1,
            TokenKind::Punct(b'}') => {
                start = at + 1;
                earlier = start;
                at += 1;
            }
            _ => at += 1,
        }
    }
    functions
}

fn initialiser(tokens: &[Token], start: usize, end: usize) -> bool {
    tokens[start..end].iter().rev().take(3).any(|token| token.is(b'='))
}

fn is_keyword(word: &[u8]) -> bool {
    matches!(
        word,
        b"if"
            | b"for"
            | b"while"
            | b"switch"
            | b"return"
            | b"sizeof"
            | b"else"
            | b"do"
            | b"case"
            | b"goto"
            | b"void"
            | b"int"
            | b"char"
            | b"long"
            | b"short"
            | b"unsigned"
            | b"signed"
            | b"struct"
            | b"enum"
            | b"union"
            | b"typedef"
            | b"static"
            | b"const"
            | b"extern"
            | b"inline"
            | b"double"
            | b"float"
            | b"defined"
            | b"_Alignas"
            | b"alignas"
            | b"__declspec"
            | b"typeof"
            | b"__typeof__"
            | b"_Static_assert"
            | b"static_assert"
    )
}

fn is_attribute(word: &[u8]) -> bool {
    matches!(
        word,
        b"__attribute__"
            | b"__attribute"
            | b"__declspec"
            | b"__asm__"
            | b"__asm"
            | b"asm"
            | b"_Alignas"
            | b"noexcept"
    )
}

fn is_capitals(word: &[u8]) -> bool {
    word.iter().any(u8::is_ascii_uppercase) && !word.iter().any(u8::is_ascii_lowercase)
}

/// Reads what stands before a `{` or `;` at file level.
fn header(text: &[u8], tokens: &[Token], brackets: &Brackets, start: usize, end: usize) -> Option<Function> {
    let mut at = start;
    let mut group = None;
    let mut is_static = false;
    while at < end {
        let token = tokens[at];
        let word = token.of(text);
        match token.kind {
            TokenKind::Punct(b'=') => return None,
            TokenKind::Ident if word == b"typedef" => return None,
            TokenKind::Ident if word == b"static" => is_static = true,
            TokenKind::Ident
                if at + 1 < end && tokens[at + 1].is(b'(') && !is_keyword(word) && !is_attribute(word) =>
            {
                let close = brackets.partner(at + 1).filter(|&close| close < end)?;
                if group.is_none() {
                    // An export macro, `AP_DECLARE(void) name(…)`: the name is yet to come.
                    let follows = next_name(text, tokens, close + 1, end);
                    let exported = follows.is_some_and(|next| !is_attribute(next) && !is_capitals(next));
                    if !exported {
                        group = Some((at, close));
                    }
                }
                at = close;
            }
            TokenKind::Punct(b'(' | b'[' | b'{') => {
                // `(name)(…)`, so that a macro of the same name is not expanded.
                let close = brackets.partner(at).filter(|&close| close < end)?;
                let alone = close == at + 2 && tokens[at + 1].kind == TokenKind::Ident;
                if group.is_none() && alone && close + 1 < end && tokens[close + 1].is(b'(') {
                    let shut = brackets.partner(close + 1).filter(|&shut| shut < end)?;
                    group = Some((at + 1, shut));
                    at = shut;
                } else {
                    at = close;
                }
            }
            _ => {}
        }
        at += 1;
    }
    let (name_at, close) = group?;
    let open = if tokens[name_at + 1].is(b'(') { name_at + 1 } else { name_at + 2 };
    let name = tokens[name_at].of(text);
    let by_macro = is_capitals(name)
        && tokens.get(end).is_some_and(|next| next.is(b'{'))
        && first_is_name(tokens, open, close);
    let arguments = split(tokens, brackets, open, close);
    let mut function = Function {
        name: String::from_utf8_lossy(name).into_owned(),
        params: Vec::new(),
        variadic: false,
        is_static,
        returns: String::new(),
        attributes: Vec::new(),
        by_macro,
        start,
        body: None,
    };
    if by_macro {
        let word = |i: usize| {
            arguments
                .get(i)
                .and_then(|&(from, to)| tokens[from..to].iter().find(|token| token.kind == TokenKind::Ident))
        };
        let first = word(0).map(|token| String::from_utf8_lossy(token.of(text)).into_owned());
        let test = name == b"TEST" || name == b"TEST_F" || name == b"TEST_P";
        let second =
            word(1).filter(|_| test).map(|token| String::from_utf8_lossy(token.of(text)).into_owned());
        function.name = match (first, second) {
            (Some(first), Some(second)) => format!("{first}_{second}"),
            (Some(first), None) => first,
            _ => function.name,
        };
        return Some(function);
    }
    function.returns = words_of(text, &tokens[start..name_at]);
    for &(from, to) in &arguments {
        if tokens[from..to].iter().any(|token| token.kind == TokenKind::Dots) {
            function.variadic = true;
        } else if from < to {
            function.params.push(param(text, tokens, brackets, from, to));
        }
    }
    if function.params.len() == 1 && function.params[0].name == "void" {
        function.params.clear();
    }
    function.attributes = attributes(text, tokens, brackets, start, end, (open, close));
    Some(function)
}

fn first_is_name(tokens: &[Token], open: usize, close: usize) -> bool {
    open + 1 < close
        && tokens[open + 1].kind == TokenKind::Ident
        && (open + 2 == close || tokens[open + 2].is(b','))
}

/// The name that follows, when it is followed by a parenthesis in turn: stars and type words may precede it.
fn next_name<'a>(text: &'a [u8], tokens: &[Token], from: usize, end: usize) -> Option<&'a [u8]> {
    let mut at = from;
    while at + 1 < end {
        match tokens[at].kind {
            TokenKind::Ident if tokens[at + 1].is(b'(') => return Some(tokens[at].of(text)),
            TokenKind::Ident | TokenKind::Punct(b'*') => at += 1,
            _ => return None,
        }
    }
    None
}

/// `name(a, b) char *a; int b; {`
fn old_style(
    text: &[u8],
    tokens: &[Token],
    brackets: &Brackets,
    from: usize,
    end: usize,
) -> Option<Function> {
    // The last group of bare names before the declarations.
    let mut at = from;
    let mut found = None;
    while at < end {
        if tokens[at].kind == TokenKind::Ident
            && at + 1 < end
            && tokens[at + 1].is(b'(')
            && !is_keyword(tokens[at].of(text))
        {
            let close = brackets.partner(at + 1).filter(|&close| close < end)?;
            let names =
                tokens[at + 2..close].iter().all(|token| token.kind == TokenKind::Ident || token.is(b','));
            let declares = tokens.get(close + 1).is_some_and(|next| next.kind == TokenKind::Ident);
            if names && declares && tokens[end - 1].is(b';') {
                found = Some((at, close));
            }
            at = close;
        }
        at += 1;
    }
    let (name_at, close) = found?;
    let mut function = header(text, tokens, brackets, name_at, close + 1)?;
    function.is_static = tokens[from..name_at].iter().rev().take(6).any(|token| token.of(text) == b"static");
    for declaration in tokens[close + 1..end].split(|token| token.is(b';')) {
        let kind = words_of(text, declaration);
        for param in &mut function.params {
            if declaration.iter().any(|token| token.of(text) == param.name.as_bytes()) {
                param.kind.clone_from(&kind);
            }
        }
    }
    function.start = name_at;
    Some(function)
}

/// The parts between commas inside a pair of brackets, as token ranges.
pub(super) fn split(tokens: &[Token], brackets: &Brackets, open: usize, close: usize) -> Vec<(usize, usize)> {
    let mut parts = Vec::new();
    let mut from = open + 1;
    let mut at = from;
    while at < close {
        match tokens[at].kind {
            TokenKind::Punct(b',') => {
                parts.push((from, at));
                from = at + 1;
            }
            TokenKind::Punct(b'(' | b'[' | b'{') => {
                if let Some(shut) = brackets.partner(at).filter(|&shut| shut > at && shut < close) {
                    at = shut;
                }
            }
            _ => {}
        }
        at += 1;
    }
    if from < close || !parts.is_empty() {
        parts.push((from, close));
    }
    parts
}

fn words_of(text: &[u8], tokens: &[Token]) -> String {
    let mut words = String::new();
    for token in tokens.iter().filter(|token| token.kind == TokenKind::Ident || token.is(b'*')) {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(&String::from_utf8_lossy(token.of(text)));
    }
    words
}

fn param(text: &[u8], tokens: &[Token], brackets: &Brackets, from: usize, to: usize) -> Param {
    let mut name = None;
    let mut at = from;
    while at < to {
        match tokens[at].kind {
            TokenKind::Ident if is_attribute(tokens[at].of(text)) => break,
            TokenKind::Ident => name = Some(at),
            TokenKind::Punct(b'[') => break,
            TokenKind::Punct(b'(') => {
                // `void (*name)(int)`: the name is the first one in the parentheses; an attribute has none.
                let close = brackets.partner(at).unwrap_or(to).min(to);
                if tokens.get(at + 1).is_some_and(|next| next.is(b'*')) {
                    name = (at..close).find(|&inside| tokens[inside].kind == TokenKind::Ident);
                    break;
                }
                at = close;
            }
            _ => {}
        }
        at += 1;
    }
    let array = tokens[from..to].iter().any(|token| token.is(b'['));
    let mut kind = words_of(text, &tokens[from..name.unwrap_or(to).max(from)]);
    if array {
        kind.push_str(" *");
    }
    let name = name.map(|at| String::from_utf8_lossy(tokens[at].of(text)).into_owned()).unwrap_or_default();
    if kind.is_empty() {
        // A prototype without names: the word is the type.
        return Param { kind: name.clone(), name };
    }
    // `const char *` alone: the last word is the type, not a name.
    if tokens[from..to].last().is_some_and(|last| last.is(b'*')) {
        return Param { name: String::new(), kind: words_of(text, &tokens[from..to]) };
    }
    Param { name, kind }
}

/// Every `word(…, m, n)` outside the parameters, with `m`.
fn attributes(
    text: &[u8],
    tokens: &[Token],
    brackets: &Brackets,
    start: usize,
    end: usize,
    params: (usize, usize),
) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for open in start..end {
        if !tokens[open].is(b'(') || open == start || (params.0..=params.1).contains(&open) {
            continue;
        }
        let Some(close) = brackets.partner(open).filter(|&close| close <= end) else { continue };
        let parts = split(tokens, brackets, open, close);
        let [.., (from, to), (from_last, to_last)] = parts[..] else { continue };
        let number = |from: usize, to: usize| -> Option<usize> {
            let [token] = tokens[from..to] else { return None };
            std::str::from_utf8(token.of(text)).ok()?.parse().ok()
        };
        if let (Some(format), Some(_)) = (number(from, to), number(from_last, to_last)) {
            let inside = words_of(text, &tokens[open..close]);
            let name = String::from_utf8_lossy(tokens[open - 1].of(text));
            found.push((format!("{name} {inside}").trim_end().to_owned(), format.saturating_sub(1)));
        }
    }
    found
}
