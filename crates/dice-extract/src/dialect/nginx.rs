//! nginx's format strings: `%V`, `%uz`, `%*s`, `%08xD`.

use dice_catalog::{Hole, HoleKind, Pad};

use super::{Tokens, printf};

/// Reads `text`.
pub(super) fn read(text: &[u8], tokens: &mut Tokens) {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'%', rest) {
        tokens.text(&rest[..at]);
        rest = &rest[at..];
        let spec = Spec::of(rest);
        let Some(&letter) = rest.get(spec.length) else {
            break;
        };
        conversion(&spec, letter, tokens);
        rest = &rest[spec.length + 1..];
    }
    tokens.text(rest);
}

fn conversion(spec: &Spec, letter: u8, tokens: &mut Tokens) {
    let pad = if spec.width && !spec.zero { Pad::Before } else { Pad::None };
    let number = |signed: bool| {
        let kind = match (spec.hex, signed) {
            (true, _) => HoleKind::Hex,
            (false, true) => HoleKind::Int,
            (false, false) => HoleKind::Uint,
        };
        Hole { pad, ..Hole::of(kind) }
    };
    let hole = match letter {
        b'V' | b'v' | b's' => Hole::of(HoleKind::Text),
        b'O' | b'P' | b'T' | b'r' | b'M' => number(true),
        b'z' | b'i' | b'd' | b'l' | b'D' | b'L' | b'A' => number(!spec.unsigned),
        // Without a precision no decimals are printed.
        b'f' => Hole { pad, precision: Some(spec.decimals), ..Hole::of(HoleKind::Float) },
        b'p' => Hole::of(HoleKind::Pointer),
        b'c' => Hole::of(HoleKind::Char),
        // A NUL, which a reader of logs may or may not see.
        b'Z' => {
            spec.take_stars(tokens);
            return tokens.hole(Hole::of(HoleKind::Char));
        }
        other => {
            spec.take_stars(tokens);
            // What is not known is printed without its `%`.
            return tokens.text(&[if other == b'N' { b'\n' } else { other }]);
        }
    };
    spec.take_stars(tokens);
    let argument = tokens.take();
    tokens.push(hole, Some(argument), None);
}

/// What stands between the `%` of a conversion and its letter: `%[0][width][u m x X *]…[.decimals]`.
#[derive(Debug, Default)]
struct Spec {
    /// Its bytes, with the `%`.
    length: usize,
    zero: bool,
    width: bool,
    unsigned: bool,
    hex: bool,
    decimals: u32,
    /// How many `*` take an argument.
    stars: usize,
}

impl Spec {
    fn of(text: &[u8]) -> Spec {
        let mut spec = Spec { length: 1, zero: text.get(1) == Some(&b'0'), ..Spec::default() };
        if let Some((_, length)) = printf::number(&text[1..]) {
            spec.width = true;
            spec.length += length;
        }
        while let Some(letter) = text.get(spec.length) {
            match letter {
                b'u' => spec.unsigned = true,
                b'm' => spec.width = true,
                b'x' | b'X' => spec.hex = true,
                b'*' => spec.stars += 1,
                _ => break,
            }
            spec.length += 1;
        }
        if text.get(spec.length) == Some(&b'.') {
            spec.length += 1;
            if let Some((decimals, length)) = printf::number(&text[spec.length..]) {
                spec.decimals = decimals;
                spec.length += length;
            }
        }
        spec
    }

    fn take_stars(&self, tokens: &mut Tokens) {
        for _ in 0..self.stars {
            tokens.take();
        }
    }
}
