//! Rust's format strings: `{}`, `{0}`, `{name:?}`, `{:>8.3}`, `{{`; and defmt's `{=u8:#x}`.

use dice_catalog::{Hole, HoleKind, Pad};

use super::{Tokens, printf};

/// Reads `text`. What does not parse is text: formats of macros that only look like Rust's.
pub(super) fn read(text: &[u8], tokens: &mut Tokens) {
    let mut rest = text;
    while let Some(at) = memchr::memchr2(b'{', b'}', rest) {
        tokens.text(&rest[..at]);
        rest = &rest[at..];
        let length = match rest {
            [b'{', b'{', ..] | [b'}', b'}', ..] => {
                tokens.text(&rest[..1]);
                2
            }
            [b'{', ..] => match Placeholder::of(rest) {
                Some(placeholder) => {
                    placeholder.push(tokens);
                    placeholder.length
                }
                None => {
                    tokens.text(&rest[..1]);
                    1
                }
            },
            _ => {
                tokens.text(&rest[..1]);
                1
            }
        };
        rest = &rest[length..];
    }
    tokens.text(rest);
}

/// What stands between a pair of braces.
#[derive(Debug)]
struct Placeholder<'a> {
    /// Its bytes, with the braces.
    length: usize,
    argument: Argument<'a>,
    /// `.*`: the precision is an argument of its own.
    starred: bool,
    hole: Hole,
}

#[derive(Debug, Clone, Copy)]
enum Argument<'a> {
    Next,
    Number(usize),
    Name(&'a str),
}

impl<'a> Placeholder<'a> {
    fn of(text: &'a [u8]) -> Option<Placeholder<'a>> {
        let mut at = 1 + blanks(&text[1..]);
        let argument = match printf::number(&text[at..]) {
            Some((number, length)) => {
                at += length;
                Argument::Number(usize::try_from(number).ok()?)
            }
            None => match identifier(&text[at..]) {
                "" => Argument::Next,
                name => {
                    at += name.len();
                    Argument::Name(name)
                }
            },
        };
        let mut hint = None;
        if text.get(at) == Some(&b'=') {
            let length = text[at..].iter().take_while(|byte| !matches!(byte, b':' | b'{' | b'}')).count();
            hint = primitive_kind(&text[at + 1..at + length]);
            at += length;
        }
        at += blanks(&text[at..]);
        let mut spec = Spec::default();
        if text.get(at) == Some(&b':') {
            at += 1;
            spec = Spec::of(&text[at..]);
            at += spec.length;
            at += blanks(&text[at..]);
        }
        if text.get(at) != Some(&b'}') {
            return None;
        }
        Some(Placeholder { length: at + 1, argument, starred: spec.starred, hole: spec.hole(hint) })
    }

    fn push(&self, tokens: &mut Tokens) {
        if self.starred {
            tokens.take();
        }
        match self.argument {
            Argument::Next => {
                let argument = tokens.take();
                tokens.push(self.hole, Some(argument), None);
            }
            Argument::Number(number) => tokens.push(self.hole, Some(number), None),
            Argument::Name(name) => tokens.push(self.hole, None, Some(name.to_owned())),
        }
    }
}

/// What stands after the colon: `[[fill]align][+|-][#][0][width][.precision][type]`.
#[derive(Debug, Default)]
struct Spec<'a> {
    length: usize,
    /// Any but a blank.
    filled: bool,
    align: Option<u8>,
    sign: bool,
    alternate: bool,
    zero: bool,
    width: bool,
    starred: bool,
    letters: &'a [u8],
}

impl<'a> Spec<'a> {
    fn of(text: &'a [u8]) -> Spec<'a> {
        let mut spec = Spec::default();
        let is_align = |byte: Option<&u8>| matches!(byte, Some(b'<' | b'^' | b'>'));
        let fill = character_length(text);
        if is_align(text.get(fill)) {
            spec.filled = text[0] != b' ';
            spec.zero = text[0] == b'0';
            spec.align = text.get(fill).copied();
            spec.length = fill + 1;
        } else if is_align(text.first()) {
            spec.align = text.first().copied();
            spec.length = 1;
        }
        let mut flag = |byte: u8| {
            let stands = text.get(spec.length) == Some(&byte);
            spec.length += usize::from(stands);
            stands
        };
        spec.sign = flag(b'+');
        flag(b'-');
        spec.alternate = flag(b'#');
        // In `0$` the number is the name of an argument.
        let zero = text.get(spec.length) == Some(&b'0') && text.get(spec.length + 1) != Some(&b'$');
        spec.zero |= zero;
        spec.length += usize::from(zero);
        spec.width = spec.count(text);
        if text.get(spec.length) == Some(&b'.') {
            spec.length += 1;
            spec.starred = text.get(spec.length) == Some(&b'*');
            if spec.starred {
                spec.length += 1;
            } else {
                spec.count(text);
            }
        }
        let rest = &text[spec.length..];
        let letters = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'?').count();
        // `{:#?}` is read as a flag and a letter; `{:x?}` is two letters.
        spec.letters = &rest[..letters];
        spec.length += letters;
        spec
    }

    /// A number, or a name and a `$`.
    fn count(&mut self, text: &[u8]) -> bool {
        let rest = &text[self.length..];
        let name = match printf::number(rest) {
            Some((_, length)) => length,
            None => identifier(rest).len(),
        };
        let named = rest.get(name) == Some(&b'$') && name > 0;
        let stands = named || printf::number(rest).is_some();
        if stands {
            self.length += name + usize::from(named);
        }
        stands
    }

    fn hole(&self, hint: Option<HoleKind>) -> Hole {
        let kind = match self.letters {
            b"x" | b"X" => HoleKind::Hex,
            b"o" | b"b" => HoleKind::Octal,
            b"e" | b"E" => HoleKind::Float,
            b"p" => HoleKind::Pointer,
            b"" => hint.unwrap_or(HoleKind::Text),
            _ => HoleKind::Text,
        };
        let number = !matches!(kind, HoleKind::Text | HoleKind::Char | HoleKind::Bool);
        let zeros = self.zero && number;
        if self.width && self.filled && !zeros {
            return Hole::of(HoleKind::Text);
        }
        let pad = match (self.width && !zeros, self.align) {
            (false, _) => Pad::None,
            (true, Some(b'<')) => Pad::After,
            (true, Some(b'>')) => Pad::Before,
            (true, None) if number => Pad::Before,
            // Text stands left and numbers right; which it is, the format does not say.
            (true, _) => Pad::Both,
        };
        Hole {
            pad,
            sign: self.sign && number,
            alternate: self.alternate && matches!(kind, HoleKind::Hex | HoleKind::Octal),
            ..Hole::of(kind)
        }
    }
}

/// What a value of a primitive type prints, `{}` or a defmt placeholder that names the type.
pub(crate) fn primitive_kind(name: &[u8]) -> Option<HoleKind> {
    Some(match name {
        b"u8" | b"u16" | b"u32" | b"u64" | b"u128" | b"usize" => HoleKind::Uint,
        b"i8" | b"i16" | b"i32" | b"i64" | b"i128" | b"isize" => HoleKind::Int,
        b"f32" | b"f64" => HoleKind::Float,
        b"bool" => HoleKind::Bool,
        b"char" => HoleKind::Char,
        _ => return None,
    })
}

/// The identifier that `text` opens with, perhaps raw; empty when there is none.
fn identifier(text: &[u8]) -> &str {
    let raw = if text.starts_with(b"r#") { 2 } else { 0 };
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || !byte.is_ascii();
    let word = text[raw..].iter().take_while(|byte| is_word(byte)).count();
    if word == 0 || text[raw].is_ascii_digit() {
        return "";
    }
    std::str::from_utf8(&text[..raw + word]).unwrap_or("")
}

fn blanks(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// The bytes of the character that `text` opens with; 1 for what is not UTF-8.
fn character_length(text: &[u8]) -> usize {
    let wanted = match text.first() {
        Some(0xC2..=0xDF) => 2,
        Some(0xE0..=0xEF) => 3,
        Some(0xF0..=0xF4) => 4,
        _ => 1,
    };
    let found = text.get(..wanted).is_some_and(|character| std::str::from_utf8(character).is_ok());
    if found { wanted } else { 1 }
}
