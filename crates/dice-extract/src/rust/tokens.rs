//! Rust source as tokens, with every bracket's partner.

use memchr::memchr2;

/// A word, literal or mark; comments and blanks are not tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    /// What it is.
    pub(super) kind: TokenKind,
    /// Brackets: the place of the other one; the end of the list where it is missing.
    pub(super) partner: u32,
    /// As written.
    pub(super) text: &'a [u8],
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// An identifier or keyword.
    Word,
    /// A lifetime or label.
    Lifetime,
    /// A number, with its suffix.
    Number,
    /// A string literal, raw or not.
    Str,
    /// A byte string, C string, byte or character.
    OtherLiteral,
    /// One byte of punctuation.
    Mark,
    /// `(`, `[` or `{`.
    Open,
    /// `)`, `]` or `}`.
    Close,
}

impl<'a> Token<'a> {
    /// Whether it is the word `word`.
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text == word.as_bytes()
    }

    /// Whether it is the punctuation or bracket `byte`.
    pub(super) fn is(&self, byte: u8) -> bool {
        matches!(self.kind, TokenKind::Mark | TokenKind::Open | TokenKind::Close) && self.text == [byte]
    }

    /// The word, where it is one; raw identifiers without `r#`.
    pub(super) fn word(&self) -> Option<&'a [u8]> {
        (self.kind == TokenKind::Word).then(|| self.text.strip_prefix(b"r#").unwrap_or(self.text))
    }

    /// Where it begins in `text`, of which it must be a part.
    pub(super) fn offset_in(&self, text: &[u8]) -> usize {
        (self.text.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize).min(text.len())
    }

    /// What a string literal means, escapes decoded.
    pub(super) fn string(&self) -> Option<Vec<u8>> {
        if self.kind != TokenKind::Str {
            return None;
        }
        if let Some(raw) = self.text.strip_prefix(b"r") {
            let hashes = raw.iter().take_while(|&&byte| byte == b'#').count();
            let inside = raw.get(hashes + 1..).unwrap_or_default();
            let end = inside.len().saturating_sub(hashes + 1);
            return Some(if self.text.ends_with(b"\"") || self.text.ends_with(b"#") {
                inside[..end].to_vec()
            } else {
                inside.to_vec()
            });
        }
        let inside = self.text.get(1..).unwrap_or_default();
        Some(crate::literal::decode_rust(inside.strip_suffix(b"\"").unwrap_or(inside)))
    }
}

/// Splits `text` into tokens. Whatever the bytes are, all of them are passed over.
pub(super) fn tokens(text: &[u8]) -> Vec<Token<'_>> {
    let mut tokens = Vec::with_capacity(text.len() / 6);
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let next = text.get(at + 1).copied().unwrap_or(0);
        let (kind, end) = match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {
                at += 1;
                continue;
            }
            b'/' if next == b'/' => {
                at = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |end| at + end);
                continue;
            }
            b'/' if next == b'*' => {
                at = block_comment_end(text, at);
                continue;
            }
            b'"' => (TokenKind::Str, string_end(text, at + 1)),
            b'\'' => quote(text, at),
            b'0'..=b'9' => (TokenKind::Number, number_end(text, at)),
            b'(' | b'[' | b'{' => (TokenKind::Open, at + 1),
            b')' | b']' | b'}' => (TokenKind::Close, at + 1),
            _ if is_word(byte) => word(text, at),
            _ => (TokenKind::Mark, at + 1),
        };
        tokens.push(Token { kind, partner: 0, text: &text[at..end] });
        at = end;
    }
    pair(&mut tokens);
    tokens
}

/// Gives every bracket of `tokens` its partner.
///
/// A closing bracket closes the nearest open one of its sort and all that are open inside it.
pub(super) fn pair(tokens: &mut [Token<'_>]) {
    let end = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
    let mut open: Vec<u32> = Vec::new();
    let mut n_open = [0usize; 3];
    let sort = |token: &Token<'_>| match token.text {
        b"(" | b")" => 0,
        b"[" | b"]" => 1,
        _ => 2,
    };
    for at in 0..end {
        let token = tokens[at as usize];
        match token.kind {
            TokenKind::Open => {
                tokens[at as usize].partner = end;
                n_open[sort(&token)] += 1;
                open.push(at);
            }
            TokenKind::Close => {
                tokens[at as usize].partner = at;
                if n_open[sort(&token)] == 0 {
                    continue;
                }
                while let Some(opened) = open.pop() {
                    let opening = sort(&tokens[opened as usize]);
                    n_open[opening] -= 1;
                    tokens[opened as usize].partner = at;
                    if opening == sort(&token) {
                        tokens[at as usize].partner = opened;
                        break;
                    }
                }
            }
            _ => {}
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// The end of a word that begins at `at`, which may be the prefix of a literal.
fn word(text: &[u8], at: usize) -> (TokenKind, usize) {
    let length = text[at..].iter().take_while(|&&byte| is_word(byte)).count();
    let end = at + length;
    let rest = &text[end..];
    match (&text[at..end], rest.first()) {
        (b"r", Some(b'"' | b'#')) => match raw_string_end(text, end) {
            Some(end) => (TokenKind::Str, end),
            // `r#name`.
            None => {
                let name = rest[1..].iter().take_while(|&&byte| is_word(byte)).count();
                (TokenKind::Word, if name == 0 { end } else { end + 1 + name })
            }
        },
        (b"br" | b"cr", Some(b'"' | b'#')) => match raw_string_end(text, end) {
            Some(end) => (TokenKind::OtherLiteral, end),
            None => (TokenKind::Word, end),
        },
        (b"b" | b"c", Some(b'"')) => (TokenKind::OtherLiteral, string_end(text, end + 1)),
        (b"b", Some(b'\'')) => (TokenKind::OtherLiteral, quote(text, end).1),
        _ => (TokenKind::Word, end),
    }
}

/// The end of a string literal whose inside begins at `at`.
fn string_end(text: &[u8], mut at: usize) -> usize {
    while let Some(found) = text.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found;
        if text[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    text.len()
}

/// The end of a raw string whose `#`s or quote begin at `at`; `None` when no quote follows the `#`s.
fn raw_string_end(text: &[u8], at: usize) -> Option<usize> {
    let hashes = text[at..].iter().take_while(|&&byte| byte == b'#').count();
    let mut from = at + hashes;
    if text.get(from) != Some(&b'"') {
        return None;
    }
    loop {
        from += 1;
        from += match memchr::memchr(b'"', &text[from..]) {
            Some(quote) => quote,
            None => return Some(text.len()),
        };
        let after = &text[from + 1..];
        // Only as many `#` as are wanted are looked at, so a long run of them is not walked twice.
        if after.iter().take(hashes).take_while(|&&byte| byte == b'#').count() == hashes {
            return Some(from + 1 + hashes);
        }
    }
}

/// A character or a lifetime: both begin with a quote.
fn quote(text: &[u8], at: usize) -> (TokenKind, usize) {
    match text.get(at + 1) {
        Some(b'\\') => {
            // The escaped character itself may be a quote.
            let inside = text.get(at + 3..).unwrap_or_default();
            let bound = inside.len().min(16);
            let end = memchr::memchr(b'\'', &inside[..bound]).map_or(at + 2, |end| at + 4 + end);
            (TokenKind::OtherLiteral, end.min(text.len()))
        }
        Some(&first) => {
            let length = match first {
                0xF0.. => 4,
                0xE0.. => 3,
                0xC0.. => 2,
                _ => 1,
            };
            if text.get(at + 1 + length) == Some(&b'\'') {
                return (TokenKind::OtherLiteral, at + 2 + length);
            }
            let name = text[at + 1..].iter().take_while(|&&byte| is_word(byte)).count();
            if name == 0 { (TokenKind::Mark, at + 1) } else { (TokenKind::Lifetime, at + 1 + name) }
        }
        None => (TokenKind::Mark, at + 1),
    }
}

/// The end of a number: digits, a fraction, an exponent, a suffix.
fn number_end(text: &[u8], at: usize) -> usize {
    let mut end = at;
    let mut is_fraction = false;
    while let Some(&byte) = text.get(end) {
        let after = text.get(end + 1).copied().unwrap_or(0);
        let goes_on = match byte {
            b'.' if !is_fraction && after.is_ascii_digit() => {
                is_fraction = true;
                true
            }
            b'+' | b'-' => {
                let hexadecimal = text[at..].starts_with(b"0x");
                !hexadecimal && matches!(text[end - 1], b'e' | b'E') && after.is_ascii_digit()
            }
            _ => is_word(byte),
        };
        if !goes_on {
            break;
        }
        end += 1;
    }
    end
}

/// The end of a block comment; they nest.
fn block_comment_end(text: &[u8], at: usize) -> usize {
    let mut depth = 0usize;
    let mut at = at;
    while let Some(found) = memchr2(b'/', b'*', &text[at..]) {
        at += found;
        match (text[at], text.get(at + 1)) {
            (b'/', Some(b'*')) => {
                depth += 1;
                at += 2;
            }
            (b'*', Some(b'/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::tokens;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let shown: Vec<String> =
            tokens(text.as_bytes()).iter().map(|t| String::from_utf8_lossy(t.text).into_owned()).collect();
        assert_eq!(shown.join(" | "), expected);
    }

    #[track_caller]
    fn check_partners(text: &str, expected: &[u32]) {
        assert_eq!(tokens(text.as_bytes()).iter().map(|t| t.partner).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn words_numbers_and_marks() {
        check(
            "log::info!(x.0, 1.5e-3f32, 0..9)",
            "log | : | : | info | ! | ( | x | . | 0 | , | 1.5e-3f32 | , | 0 | . | . | 9 | )",
        );
        check(
            "r#type <'a> 'b' '\\'' '\\u{1F600}' b'x'",
            "r#type | < | 'a | > | 'b' | '\\'' | '\\u{1F600}' | b'x'",
        );
    }

    #[test]
    fn strings_hide_what_is_in_them() {
        check(
            r###"a "x \" // y" r#"q " // z"# br"\" c"w""###,
            r###"a | "x \" // y" | r#"q " // z"# | br"\" | c"w""###,
        );
        check("\"open", "\"open");
        check("r##\"open\"#", "r##\"open\"#");
    }

    #[test]
    fn comments_are_gone() {
        check("a // b\nc /* d /* e */ f */ g /* h", "a | c | g");
        check("/// info!(\"x\")\nfn", "fn");
    }

    #[test]
    fn brackets_know_their_partners() {
        check_partners("([])", &[3, 2, 1, 0]);
        check_partners("({)", &[2, 2, 0]);
        check_partners(")(", &[0, 2]);
    }

    #[test]
    fn strings_mean_what_they_say() {
        let meant = |text: &str| tokens(text.as_bytes())[0].string().map(|s| String::from_utf8(s).unwrap());
        assert_eq!(meant("r#\"a\\n\"#").as_deref(), Some("a\\n"));
        assert_eq!(meant("r\"\"").as_deref(), Some(""));
        assert_eq!(meant("\"plain\"").as_deref(), Some("plain"));
        assert_eq!(meant("b\"bytes\""), None);
    }
}
