//! C's format strings, and those of its many relatives.

use dice_catalog::{Hole, HoleKind, Pad};

use super::{End, Tokens, kernel};

/// Whose extensions of `%p` are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Programs: a C library, or a program's own formatter.
    C,
    /// The Linux kernel.
    Kernel,
}

/// Reads `text`; `next` is what follows it and is not a literal.
pub(super) fn read(family: Family, text: &[u8], next: Option<Hole>, tokens: &mut Tokens) -> End {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'%', rest) {
        tokens.text(&rest[..at]);
        rest = &rest[at..];
        let spec = Spec::of(rest);
        let Some(&letter) = rest.get(spec.length) else {
            // `"%" FORMAT_OF_SIZE`: the unknown macro is the rest of the conversion.
            if let Some(hole) = next {
                let argument = spec.argument(tokens);
                tokens.push(hole, Some(argument), None);
                return End::TookHole;
            }
            break;
        };
        rest = &rest[conversion(family, &spec, letter, rest, tokens)..];
    }
    // A lone `%` at the end: C calls it undefined, we keep it as text.
    tokens.text(rest);
    End::Reached
}

/// Reads the conversion that `text` opens with; returns its length.
fn conversion(family: Family, spec: &Spec, letter: u8, text: &[u8], tokens: &mut Tokens) -> usize {
    let length = spec.length + 1;
    let after = &text[length..];
    let number = |kind| Hole {
        pad: spec.pad(),
        // A precision is the least number of digits; only none at all shows: a zero prints nothing.
        precision: spec.precision.filter(|digits| *digits == 0),
        ..Hole::of(kind)
    };
    let float = |precision| Hole {
        // Zeros pad numbers, but blanks pad `inf`.
        pad: if spec.width.is_some() && spec.zero { Pad::Before } else { spec.pad() },
        sign: spec.sign,
        alternate: spec.alternate,
        precision,
        ..Hole::of(HoleKind::Float)
    };
    let (hole, extension) = match letter {
        b'%' => {
            tokens.text(b"%");
            return length;
        }
        b'n' => {
            spec.argument(tokens);
            return length;
        }
        b'm' => {
            spec.take_stars(tokens);
            tokens.hole(Hole { pad: spec.pad(), ..Hole::of(HoleKind::Errno) });
            return length;
        }
        b'd' | b'i' => (Hole { sign: spec.sign, ..number(HoleKind::Int) }, 0),
        b'u' => (number(HoleKind::Uint), 0),
        b'x' | b'X' => (Hole { alternate: spec.alternate, ..number(HoleKind::Hex) }, 0),
        b'o' | b'b' | b'B' => (Hole { alternate: spec.alternate, ..number(HoleKind::Octal) }, 0),
        b'f' | b'F' => (float(Some(spec.precision.unwrap_or(6)).filter(|_| spec.precision_known())), 0),
        b'e' | b'E' | b'g' | b'G' => (float(None), 0),
        b'a' | b'A' => (Hole { alternate: true, ..float(None) }, 0),
        b'c' | b'C' => (Hole { pad: spec.blanks(), ..Hole::of(HoleKind::Char) }, 0),
        b's' | b'S' => {
            (Hole { pad: spec.blanks(), precision: spec.precision, ..Hole::of(HoleKind::Text) }, 0)
        }
        b'p' => {
            let (kind, extension) = match family {
                Family::C => pointer(after),
                Family::Kernel => kernel::pointer(after),
            };
            (Hole { pad: spec.pad(), alternate: kind == HoleKind::Hex, ..Hole::of(kind) }, extension)
        }
        _ => {
            tokens.text(&text[..spec.length]);
            // The letter is read again: it may be the `%` of the next conversion.
            return spec.length;
        }
    };
    let argument = spec.argument(tokens);
    tokens.push(hole, Some(argument), None);
    length + extension
}

/// What `%p` followed by `after` prints, and how many bytes of `after` belong to it.
fn pointer(after: &[u8]) -> (HoleKind, usize) {
    let word = after.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    match &after[..word] {
        // No text is glued to an address with a capital: programs with formatters of their own name types
        // so (`%pI4`, `%pFX`, `%pSU`), and what they print is text.
        [b'A'..=b'Z', ..] => (HoleKind::Text, word),
        b"m" => (HoleKind::Errno, word),
        _ => (HoleKind::Pointer, 0),
    }
}

/// What stands between the `%` of a conversion and its letter.
#[derive(Debug, Default)]
struct Spec {
    /// Its bytes, with the `%`.
    length: usize,
    /// The argument that `%2$` names.
    position: Option<usize>,
    /// How many `*` take an argument in order.
    stars: usize,
    left: bool,
    sign: bool,
    alternate: bool,
    zero: bool,
    width: Option<Count>,
    /// The precision, where the format itself says it.
    precision: Option<u32>,
    /// Whether an argument says the precision.
    precision_starred: bool,
}

impl Spec {
    fn of(text: &[u8]) -> Spec {
        let mut spec = Spec { length: 1, ..Spec::default() };
        if let Some((number, length)) = positional(&text[1..]) {
            spec.position = Some(number);
            spec.length += length;
        }
        while let Some(flag) = text.get(spec.length) {
            match flag {
                b'-' => spec.left = true,
                b'+' | b' ' => spec.sign = true,
                b'#' => spec.alternate = true,
                b'0' => spec.zero = true,
                b'\'' => {}
                _ => break,
            }
            spec.length += 1;
        }
        spec.width = spec.count(text);
        if text.get(spec.length) == Some(&b'.') {
            spec.length += 1;
            match spec.count(text) {
                Some(Count::Number(digits)) => spec.precision = Some(digits),
                Some(Count::Argument) => spec.precision_starred = true,
                None => spec.precision = Some(0),
            }
        }
        spec.length += length_modifier(&text[spec.length..]);
        spec
    }

    fn count(&mut self, text: &[u8]) -> Option<Count> {
        let rest = &text[self.length..];
        if rest.first() == Some(&b'*') {
            self.length += 1;
            match positional(&rest[1..]) {
                Some((_, length)) => self.length += length,
                None => self.stars += 1,
            }
            return Some(Count::Argument);
        }
        let (number, length) = number(rest)?;
        self.length += length;
        Some(Count::Number(number))
    }

    fn take_stars(&self, tokens: &mut Tokens) {
        for _ in 0..self.stars {
            tokens.take();
        }
    }

    /// The argument that is printed, after those that `*` takes.
    fn argument(&self, tokens: &mut Tokens) -> usize {
        self.take_stars(tokens);
        self.position.unwrap_or_else(|| tokens.take())
    }

    fn precision_known(&self) -> bool {
        !self.precision_starred
    }

    /// Where blanks may stand beside a number.
    fn pad(&self) -> Pad {
        // A precision takes the zeros' place.
        if self.zero && !self.left && self.precision.is_none() { Pad::None } else { self.blanks() }
    }

    /// Where blanks may stand beside a text.
    fn blanks(&self) -> Pad {
        match (&self.width, self.left) {
            (None, _) => Pad::None,
            (_, true) => Pad::After,
            (Some(Count::Number(_)), false) => Pad::Before,
            // A negative one puts them after the value.
            (Some(Count::Argument), false) => Pad::Both,
        }
    }
}

#[derive(Debug)]
enum Count {
    Number(u32),
    Argument,
}

/// `2$`: the argument with number 1.
fn positional(text: &[u8]) -> Option<(usize, usize)> {
    let (number, length) = number(text)?;
    let argument = usize::try_from(number).ok()?.checked_sub(1)?;
    (text.get(length) == Some(&b'$')).then_some((argument, length + 1))
}

/// A decimal number and its length; too large ones are as large as can be.
pub(super) fn number(text: &[u8]) -> Option<(u32, usize)> {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = text[..length]
        .iter()
        .fold(0, |number: u32, digit| number.saturating_mul(10).saturating_add(u32::from(digit - b'0')));
    (length > 0).then_some((number, length))
}

fn length_modifier(text: &[u8]) -> usize {
    const MODIFIERS: &[&[u8]] =
        &[b"hh", b"h", b"ll", b"l", b"L", b"q", b"j", b"z", b"Z", b"t", b"I64", b"I32", b"I"];
    MODIFIERS.iter().find(|modifier| text.starts_with(modifier)).map_or(0, |modifier| modifier.len())
}
