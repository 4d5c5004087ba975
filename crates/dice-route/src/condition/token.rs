//! Words, texts, numbers and signs of a condition.

use std::fmt;
use std::ops::Range;

use super::{Malformed, Quantity};

/// A word, text, number or sign.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A field, a function, `and`, a level.
    Word(String),
    /// A text in quotes, without them.
    Text(String),
    Number(Quantity),
    Sign(Sign),
    Open,
    Close,
    OpenList,
    CloseList,
    Comma,
    End,
}

/// How two things are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
    Matches,
    MatchesNot,
}

impl Sign {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Sign::Equal => "==",
            Sign::NotEqual => "!=",
            Sign::Less => "<",
            Sign::LessOrEqual => "<=",
            Sign::More => ">",
            Sign::MoreOrEqual => ">=",
            Sign::Matches => "=~",
            Sign::MatchesNot => "!~",
        }
    }
}

const SIGNS: &[(&str, Token)] = &[
    ("==", Token::Sign(Sign::Equal)),
    ("!=", Token::Sign(Sign::NotEqual)),
    ("<=", Token::Sign(Sign::LessOrEqual)),
    (">=", Token::Sign(Sign::MoreOrEqual)),
    ("=~", Token::Sign(Sign::Matches)),
    ("!~", Token::Sign(Sign::MatchesNot)),
    ("<", Token::Sign(Sign::Less)),
    (">", Token::Sign(Sign::More)),
    ("(", Token::Open),
    (")", Token::Close),
    ("[", Token::OpenList),
    ("]", Token::CloseList),
    (",", Token::Comma),
];

/// What people write who know other languages, and what it is here.
const ELSEWHERE: &[(&str, &str)] =
    &[("&&", "and"), ("||", "or"), ("=", "=="), ("!", "not"), ("&", "and"), ("|", "or"), ("~", "=~")];

/// The next token of `text` from `at` on, and where it stands.
pub(super) fn next(text: &str, at: usize) -> Result<(Token, Range<usize>), Malformed> {
    let rest = &text[at..];
    let start = at + rest.len() - rest.trim_start().len();
    let rest = rest.trim_start();
    let Some(first) = rest.chars().next() else { return Ok((Token::End, start..start)) };
    if let Some((sign, token)) = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign)) {
        return Ok((token.clone(), start..start + sign.len()));
    }
    match first {
        '"' | '\'' => {
            let (content, length) = quoted(rest, start)?;
            Ok((Token::Text(content), start..start + length))
        }
        c if c.is_alphabetic() || c == '_' => word(rest, start),
        c if c.is_ascii_digit() || matches!(c, '-' | '+' | '.') => number(rest, start),
        c => {
            let elsewhere = ELSEWHERE.iter().find(|(sign, _)| rest.starts_with(sign));
            let length = elsewhere.map_or(c.len_utf8(), |(sign, _)| sign.len());
            Err(Malformed {
                at: start..start + length,
                wanted: "a word, a text in quotes, a number or a comparison".to_owned(),
                found: super::grammar::quoted(&rest[..length]),
                hint: elsewhere.map(|(_, here)| format!("write `{here}`")),
            })
        }
    }
}

fn word(rest: &str, start: usize) -> Result<(Token, Range<usize>), Malformed> {
    let end = rest.find(|c| !is_in_word(c)).unwrap_or(rest.len());
    let mut word = rest[..end].to_owned();
    // `fields."http status"`
    if word.ends_with('.') && rest[end..].starts_with(['"', '\'']) {
        let (name, length) = quoted(&rest[end..], start + end)?;
        word.push_str(&name);
        return Ok((Token::Word(word), start..start + end + length));
    }
    Ok((Token::Word(word), start..start + end))
}

fn number(rest: &str, start: usize) -> Result<(Token, Range<usize>), Malformed> {
    let mut end = 0;
    for (at, c) in rest.char_indices() {
        let is_sign = matches!(c, '-' | '+') && (at == 0 || rest[..at].ends_with(['e', 'E']));
        if !(is_sign || c.is_alphanumeric() || matches!(c, '.' | '_' | '%')) {
            break;
        }
        end = at + c.len_utf8();
    }
    match Quantity::parse(&rest[..end]) {
        Some(quantity) => Ok((Token::Number(quantity), start..start + end)),
        None => Err(Malformed {
            at: start..start + end.max(1),
            wanted: "a number such as 5, 0.25, 250ms, 1h30m, 10KiB or 5%".to_owned(),
            found: super::grammar::quoted(&rest[..end.max(1)]),
            hint: None,
        }),
    }
}

/// The content of a text in quotes at the start of `rest`, and its length with them.
///
/// `\"`, `\'`, `\\`, `\n`, `\r`, `\t` and `\u{…}` mean what they mean elsewhere; any other backslash stays, so
/// that `\d` may be written in an expression.
fn quoted(rest: &str, start: usize) -> Result<(String, usize), Malformed> {
    let mut chars = rest.char_indices();
    let quote = chars.next().map_or('"', |(_, quote)| quote);
    let mut content = String::new();
    while let Some((at, c)) = chars.next() {
        if c == quote {
            return Ok((content, at + c.len_utf8()));
        }
        if c != '\\' {
            content.push(c);
            continue;
        }
        match chars.next().map(|(_, c)| c) {
            Some('n') => content.push('\n'),
            Some('r') => content.push('\r'),
            Some('t') => content.push('\t'),
            Some(c @ ('\\' | '"' | '\'')) => content.push(c),
            Some('u') => {
                let after = chars.as_str();
                let digits = after.strip_prefix('{').and_then(|after| after.split_once('}'));
                let digits = digits.map(|(digits, _)| digits).filter(|digits| digits.len() <= 6);
                let c =
                    digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
                match (digits, c) {
                    (Some(digits), Some(c)) => {
                        content.push(c);
                        // The digits, and the braces around them.
                        chars.nth(digits.chars().count() + 1);
                    }
                    _ => content.push_str("\\u"),
                }
            }
            Some(c) => content.extend(['\\', c]),
            None => break,
        }
    }
    Err(Malformed {
        at: start..start + rest.len(),
        wanted: format!("a closing {quote}"),
        found: "the end".to_owned(),
        hint: None,
    })
}

fn is_in_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// Whether a name needs no quotes.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(is_in_word)
}

/// Writes a text as [`next`] reads it.
pub(super) fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c if c.is_control() => write!(f, "\\u{{{:x}}}", u32::from(c))?,
            c => write!(f, "{c}")?,
        }
    }
    f.write_str("\"")
}
