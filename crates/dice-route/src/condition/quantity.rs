//! Numbers with units: `12`, `250ms`, `1h30m`, `10KiB`, `5%`.

use std::cmp::Ordering;
use std::fmt;

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// Nothing in particular.
    Plain,
    /// A duration.
    Milliseconds,
    /// A size.
    Bytes,
    /// A share.
    Percent,
}

/// A number and what it counts; finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantity {
    /// How many units.
    pub number: f64,
    /// Of what.
    pub unit: Unit,
}

/// Units by their names, larger ones first where several would do.
const UNITS: &[(&str, Unit, f64)] = &[
    ("d", Unit::Milliseconds, 86_400_000.0),
    ("h", Unit::Milliseconds, 3_600_000.0),
    ("m", Unit::Milliseconds, 60_000.0),
    ("s", Unit::Milliseconds, 1_000.0),
    ("ms", Unit::Milliseconds, 1.0),
    ("us", Unit::Milliseconds, 0.001),
    ("ns", Unit::Milliseconds, 0.000_001),
    ("TiB", Unit::Bytes, 1_099_511_627_776.0),
    ("GiB", Unit::Bytes, 1_073_741_824.0),
    ("MiB", Unit::Bytes, 1_048_576.0),
    ("KiB", Unit::Bytes, 1_024.0),
    ("B", Unit::Bytes, 1.0),
    ("%", Unit::Percent, 1.0),
    // What else is understood, and never written.
    ("w", Unit::Milliseconds, 604_800_000.0),
    ("min", Unit::Milliseconds, 60_000.0),
    ("sec", Unit::Milliseconds, 1_000.0),
    ("µs", Unit::Milliseconds, 0.001),
    ("kB", Unit::Bytes, 1e3),
    ("KB", Unit::Bytes, 1e3),
    ("MB", Unit::Bytes, 1e6),
    ("GB", Unit::Bytes, 1e9),
    ("TB", Unit::Bytes, 1e12),
    ("kiB", Unit::Bytes, 1_024.0),
];

impl Quantity {
    /// The quantity that the whole text is; a blank may stand before a unit.
    pub fn parse(text: &str) -> Option<Quantity> {
        let mut rest = text.trim();
        let is_negative = rest.starts_with('-');
        let mut sum: Option<Quantity> = None;
        while !rest.is_empty() {
            let (number, after) = leading(rest)?;
            // Of `1h30m` only the first part has a sign.
            if sum.is_some() && rest.starts_with(['-', '+']) {
                return None;
            }
            let name = after.trim_start_matches(' ');
            let end = name.find(|c: char| !c.is_alphabetic() && c != '%').unwrap_or(name.len());
            let (unit, scale) = match &name[..end] {
                "" if name.is_empty() => (Unit::Plain, 1.0),
                known => {
                    UNITS.iter().find(|(name, ..)| *name == known).map(|(_, unit, scale)| (*unit, *scale))?
                }
            };
            let part = if is_negative && sum.is_some() { -number * scale } else { number * scale };
            sum = match sum {
                None => Some(Quantity { number: part, unit }),
                Some(sum) if sum.unit == Unit::Milliseconds && unit == sum.unit => {
                    Some(Quantity { number: sum.number + part, unit })
                }
                Some(_) => return None,
            };
            rest = &name[end..];
        }
        sum.filter(|sum| sum.number.is_finite())
    }

    /// The number that the whole text is, without a unit.
    pub fn plain(text: &str) -> Option<f64> {
        let (number, rest) = leading(text.trim())?;
        rest.is_empty().then_some(number)
    }

    /// The number that the text begins with, whatever follows.
    pub fn first(text: &str) -> Option<f64> {
        leading(text.trim_start()).map(|(number, _)| number)
    }

    /// A total order: by unit, then by number.
    pub(super) fn order(&self, other: &Quantity) -> Ordering {
        self.unit.cmp(&other.unit).then(self.number.total_cmp(&other.number))
    }
}

/// A decimal number at the start of the text, and what follows.
fn leading(text: &str) -> Option<(f64, &str)> {
    let bytes = text.as_bytes();
    let digits = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    };
    let start = usize::from(matches!(bytes.first(), Some(b'-' | b'+')));
    let mut end = digits(start);
    if bytes.get(end) == Some(&b'.') && digits(end + 1) > end + 1 {
        end = digits(end + 1);
    }
    if end == start {
        return None;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let exponent = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'-' | b'+')));
        if digits(exponent) > exponent {
            end = digits(exponent);
        }
    }
    let number: f64 = text[..end].parse().ok()?;
    // Zero has one spelling, so that equal quantities are written alike.
    number.is_finite().then_some((number + 0.0, &text[end..]))
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = UNITS.iter().filter(|(_, unit, _)| *unit == self.unit);
        let whole = |scale: f64| self.number != 0.0 && (self.number / scale).fract() == 0.0;
        let exact = named.clone().find(|(_, _, scale)| whole(*scale) && (*scale >= 1.0));
        match (self.unit, exact) {
            (Unit::Plain, _) => write!(f, "{}", self.number),
            (_, Some((name, _, scale))) => write!(f, "{}{name}", self.number / scale),
            (Unit::Milliseconds, None) => write!(f, "{}ms", self.number),
            (Unit::Bytes, None) => write!(f, "{}B", self.number),
            (Unit::Percent, None) => write!(f, "{}%", self.number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Quantity, Unit};

    #[track_caller]
    fn check(text: &str, expected: Option<(f64, Unit)>) {
        let found = Quantity::parse(text);
        assert_eq!(found.map(|quantity| (quantity.number, quantity.unit)), expected, "{text}");
        if let Some(found) = found {
            assert_eq!(Quantity::parse(&found.to_string()), Some(found), "{found}");
        }
    }

    #[test]
    fn numbers_and_their_units() {
        check("12", Some((12.0, Unit::Plain)));
        check(" -0.5 ", Some((-0.5, Unit::Plain)));
        check("1e-3", Some((0.001, Unit::Plain)));
        check("250ms", Some((250.0, Unit::Milliseconds)));
        check("0.25 s", Some((250.0, Unit::Milliseconds)));
        check("1h30m", Some((5_400_000.0, Unit::Milliseconds)));
        check("-1h30m", Some((-5_400_000.0, Unit::Milliseconds)));
        check("0s", Some((0.0, Unit::Milliseconds)));
        check("10KiB", Some((10_240.0, Unit::Bytes)));
        check("3.2 MB", Some((3_200_000.0, Unit::Bytes)));
        check("99.5%", Some((99.5, Unit::Percent)));
        for text in [
            "", "-", ".", "ms", "1x", "1h-30m", "1 2", "5m 3", "5%5%", "1KiB3s", "1e999", "inf", "nan",
            "0x1f",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn a_plain_number_is_the_whole_text() {
        assert_eq!(Quantity::plain("12"), Some(12.0));
        assert_eq!(Quantity::plain("12ms"), None);
        assert_eq!(Quantity::first("12ms"), Some(12.0));
        assert_eq!(Quantity::first("took 12ms"), None);
    }

    #[test]
    fn a_quantity_is_written_with_the_largest_unit_that_divides_it() {
        let written = |text| Quantity::parse(text).unwrap().to_string();
        assert_eq!(written("90s"), "90s");
        assert_eq!(written("120s"), "2m");
        assert_eq!(written("1w"), "7d");
        assert_eq!(written("0.5ms"), "0.5ms");
        assert_eq!(written("2048B"), "2KiB");
    }
}
