//! The name of a message that lasts.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Template;

/// Names a message: what the reader of a log can see.
///
/// The first 128 bits of BLAKE3 over the repository's name, a NUL byte and the template's text with every
/// hole as `<*>`. It does not depend on path, line, level or author, so it survives moved lines, renamed
/// files and rebuilt catalogs. Printed as 32 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 16]);

/// Every byte as two digits.
const PAIRS: [[u8; 2]; 256] = {
    let (digits, mut pairs, mut byte) = (b"0123456789abcdef", [[0; 2]; 256], 0);
    while byte < pairs.len() {
        pairs[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    pairs
};

impl Fingerprint {
    /// The name that is printed as these digits.
    pub fn from_bytes(bytes: [u8; 16]) -> Fingerprint {
        Fingerprint(bytes)
    }

    /// The 16 bytes that it is made of.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    /// The digits that it is printed as.
    pub fn to_digits(self) -> [u8; 32] {
        let mut text = [0; 32];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(&PAIRS[usize::from(byte)]);
        }
        text
    }

    /// The name of `template`'s message in the repository called `repo`.
    pub fn of(repo: &str, template: &Template) -> Fingerprint {
        let mut hasher = blake3::Hasher::new();
        hasher.update(repo.as_bytes());
        hasher.update(&[0]);
        hasher.update(template.to_string().as_bytes());
        let mut first = [0; 16];
        first.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Fingerprint(first)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.to_digits()).unwrap_or_default())
    }
}

impl FromStr for Fingerprint {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Fingerprint, Self::Err> {
        const WANTED: &str = "a fingerprint is 32 lower-case hexadecimal digits";
        let mut bytes = [0; 16];
        let text = text.as_bytes();
        if text.len() != 32 {
            return Err(WANTED);
        }
        let digit = |c: u8| match c {
            b'0'..=b'9' => Ok(c - b'0'),
            b'a'..=b'f' => Ok(c - b'a' + 10),
            _ => Err(WANTED),
        };
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Fingerprint(bytes))
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fingerprint, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Fingerprint;
    use crate::{Hole, HoleKind, Part, Template};

    #[test]
    fn kinds_of_holes_are_not_part_of_the_name() {
        let template = |kind| Template::new([Part::text("disk "), Part::Hole(Hole::of(kind))]);
        let text = Fingerprint::of("r", &template(HoleKind::Text));
        assert_eq!(text, Fingerprint::of("r", &template(HoleKind::Int)));
        assert_ne!(text, Fingerprint::of("s", &template(HoleKind::Int)));
    }

    #[test]
    fn a_literal_that_looks_like_a_hole_is_another_message() {
        let literal = Template::new([Part::text("disk <*>")]);
        let hole = Template::new([Part::text("disk "), Part::Hole(Hole::of(HoleKind::Text))]);
        assert_ne!(Fingerprint::of("r", &literal), Fingerprint::of("r", &hole));
    }

    #[test]
    fn printed_names_are_read_back() {
        let name = Fingerprint::of("r", &Template::new([Part::text("x")]));
        assert_eq!(name.to_string().parse(), Ok(name));
        assert!("xyz".parse::<Fingerprint>().is_err());
        assert!("g".repeat(32).parse::<Fingerprint>().is_err());
    }
}
