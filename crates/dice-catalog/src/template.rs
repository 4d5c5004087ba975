//! What a statement prints: fixed text and places for values.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a statement prints.
///
/// Two texts are never neighbours and none is empty, so equal messages have equal templates.
/// Displayed with `<*>` for a hole; a literal `<*>` in the text is shown as `<\*>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Part>", into = "Vec<Part>")]
pub struct Template(Vec<Part>);

impl Template {
    /// Joins neighbouring texts and drops empty ones.
    pub fn new(parts: impl IntoIterator<Item = Part>) -> Template {
        let mut joined: Vec<Part> = Vec::new();
        for part in parts {
            match (joined.last_mut(), part) {
                (_, Part::Text(text)) if text.is_empty() => {}
                (Some(Part::Text(before)), Part::Text(text)) => before.push_str(&text),
                (_, part) => joined.push(part),
            }
        }
        Template(joined)
    }

    /// Its texts and holes, in order.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// Bytes of fixed text.
    pub fn literal_bytes(&self) -> usize {
        self.texts().map(str::len).sum()
    }

    /// Its fixed texts, in order.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Hole(_) => None,
        })
    }

    /// Its holes, in order.
    pub fn holes(&self) -> impl Iterator<Item = &Hole> {
        self.0.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Hole(hole) => Some(hole),
        })
    }

    /// Whether nothing is fixed: it could print anything.
    pub fn is_dynamic(&self) -> bool {
        self.texts().next().is_none()
    }
}

impl From<Vec<Part>> for Template {
    fn from(parts: Vec<Part>) -> Template {
        Template::new(parts)
    }
}

impl From<Template> for Vec<Part> {
    fn from(template: Template) -> Vec<Part> {
        template.0
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.0 {
            match part {
                Part::Text(text) if text.contains("<*>") => f.write_str(&text.replace("<*>", "<\\*>"))?,
                Part::Text(text) => f.write_str(text)?,
                Part::Hole(_) => f.write_str("<*>")?,
            }
        }
        Ok(())
    }
}

/// A piece of a template.
///
/// In the file: `{"text": "disk "}` or `{"hole": "int"}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Part {
    /// Fixed text, as printed. A byte of the source that is not UTF-8 is a `char` hole instead.
    Text(#[serde(with = "text_field")] String),
    /// A place for a value.
    Hole(Hole),
}

impl Part {
    /// Fixed text.
    pub fn text(text: impl Into<String>) -> Part {
        Part::Text(text.into())
    }

    /// A hole of `kind`, without width or precision.
    pub fn hole(kind: HoleKind) -> Part {
        Part::Hole(Hole::of(kind))
    }
}

mod text_field {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize)]
    struct TextOut<'a> {
        text: &'a str,
    }

    #[derive(Deserialize)]
    struct TextIn {
        text: String,
    }

    pub(super) fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
        TextOut { text }.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        TextIn::deserialize(deserializer).map(|field| field.text)
    }
}

/// A place for a value: its kind and what the format says about its shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Hole {
    /// What is printed there.
    #[serde(rename = "hole")]
    pub kind: HoleKind,
    /// On which side a field width may put blanks.
    #[serde(default, skip_serializing_if = "Pad::is_none")]
    pub pad: Pad,
    /// Floats: digits after the point, exactly. Text: bytes at most. Other numbers: 0 where a zero prints
    /// nothing. Otherwise unused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<u32>,
    /// Numbers: a `+` or a blank may stand before one that is not negative.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sign: bool,
    /// What the `#` flag adds: the `0x`, `0o`, `0` or `0b` of hexadecimal, octal and binary numbers; the point
    /// of a float without decimals, or all of a hexadecimal one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alternate: bool,
}

impl Hole {
    /// A hole of `kind`, without width or precision.
    pub const fn of(kind: HoleKind) -> Hole {
        Hole { kind, pad: Pad::None, precision: None, sign: false, alternate: false }
    }

    /// The regular expression of what is printed there, blanks of a field width included.
    ///
    /// It uses no look-around and no back-references, and is meant for an engine with Unicode off and with
    /// `.` matching line ends (`(?s-u)`). All that the format's conversion can print is matched whole, and
    /// some of what it cannot: the numbers of C's and Rust's formatters are one kind.
    pub fn pattern(&self) -> String {
        let value = match self.kind {
            HoleKind::Int => format!("{}{}", self.minus(), self.digits("[0-9]")),
            HoleKind::Uint => format!("{}{}", self.plus(), self.digits("[0-9]")),
            HoleKind::Hex => {
                let prefix = if self.alternate { "(?:0[xX])?" } else { "" };
                let (lower, upper) = (self.digits("[0-9a-f]"), self.digits("[0-9A-F]"));
                format!("{}{prefix}(?:{lower}|{upper})", self.plus())
            }
            HoleKind::Octal => {
                let prefix = if self.alternate { "(?:0[obB])?" } else { "" };
                format!("{}{prefix}{}", self.plus(), self.digits("[0-7]"))
            }
            // Rust puts the zeros of a width before an infinity, too.
            HoleKind::Float => format!("{}(?:{}|0*(?:inf|INF|nan|NAN|NaN))", self.minus(), self.decimals()),
            // At most one character; a NUL prints nothing that a reader sees.
            HoleKind::Char => concat!(
                r"(?:[\x00-\x7F]|[\xC2-\xDF][\x80-\xBF]|[\xE0-\xEF][\x80-\xBF]{2}",
                r"|[\xF0-\xF4][\x80-\xBF]{3}|[\x80-\xFF])?",
            )
            .to_owned(),
            HoleKind::Pointer => concat!(
                r"(?:0[xX](?:[0-9a-f]+|[0-9A-F]+)|[0-9A-F]{8,16}|[0-9a-f]{8,16}",
                r"|\(nil\)|\(null\)|\(____ptrval____\))",
            )
            .to_owned(),
            HoleKind::Errno => r"[^\n]+".to_owned(),
            HoleKind::Bool => "(?:true|false)".to_owned(),
            HoleKind::Quoted => r#"(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"#.to_owned(),
            HoleKind::Text => match self.precision {
                // Counting every byte of a long bounded text is a state each; past this the bound tells nothing.
                Some(n) if n <= 16 => format!(".{{0,{n}}}"),
                _ => ".*".to_owned(),
            },
        };
        match self.pad {
            Pad::None => value,
            Pad::Before => format!(" *{value}"),
            Pad::After => format!("{value} *"),
            Pad::Both => format!(" *{value} *"),
        }
    }

    /// What may stand before a number that can be negative.
    fn minus(&self) -> String {
        let sign = if self.sign { "[ +-]?" } else { "-?" };
        // nginx puts the blanks of a width after the sign.
        let blanks = if self.pad == Pad::Before { " *" } else { "" };
        format!("{sign}{blanks}")
    }

    /// What may stand before a number that cannot be negative.
    fn plus(&self) -> &'static str {
        if self.sign { "[ +]?" } else { "" }
    }

    /// Digits of a whole number.
    fn digits(&self, digit: &str) -> String {
        // C prints nothing for a zero in no digits.
        format!("{digit}{}", if self.precision == Some(0) { "*" } else { "+" })
    }

    /// Digits of a floating-point number.
    fn decimals(&self) -> String {
        match (self.precision, self.alternate) {
            (Some(0), false) => "[0-9]+".to_owned(),
            (Some(0), true) => r"[0-9]+\.".to_owned(),
            // A precision beyond what any number shows would only make the automaton large.
            (Some(n), _) if n > 40 => r"[0-9]+\.[0-9]+".to_owned(),
            (Some(n), _) => format!(r"[0-9]+\.[0-9]{{{n}}}"),
            (None, false) => r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?".to_owned(),
            (None, true) => concat!(
                r"(?:[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?",
                r"|0[xX][0-9a-fA-F]+(?:\.[0-9a-fA-F]*)?[pP][+-]?[0-9]+)",
            )
            .to_owned(),
        }
    }

    /// Whether it takes any text: it tells nothing about the line.
    pub fn is_untyped(&self) -> bool {
        matches!(self.kind, HoleKind::Text | HoleKind::Errno)
    }
}

/// What is printed in a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HoleKind {
    /// A decimal number, perhaps negative.
    Int,
    /// A decimal number without a sign.
    Uint,
    /// A hexadecimal number.
    Hex,
    /// An octal number, or a binary one.
    Octal,
    /// A floating-point number.
    Float,
    /// One character.
    Char,
    /// An address.
    Pointer,
    /// The text of an operating system's error.
    Errno,
    /// `true` or `false`.
    Bool,
    /// Text in quotes, with escapes.
    Quoted,
    /// Anything, also nothing.
    Text,
}

impl HoleKind {
    /// All kinds, in the order of the file format's documentation.
    pub const ALL: [HoleKind; 11] = [
        HoleKind::Int,
        HoleKind::Uint,
        HoleKind::Hex,
        HoleKind::Octal,
        HoleKind::Float,
        HoleKind::Char,
        HoleKind::Pointer,
        HoleKind::Errno,
        HoleKind::Bool,
        HoleKind::Quoted,
        HoleKind::Text,
    ];
}

/// On which side of a value a field width may put blanks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pad {
    /// No width.
    #[default]
    None,
    /// Right-aligned.
    Before,
    /// Left-aligned.
    After,
    /// Centred, or not known.
    Both,
}

impl Pad {
    fn is_none(&self) -> bool {
        *self == Pad::None
    }
}

#[cfg(test)]
mod tests {
    use super::{Hole, HoleKind, Pad, Part, Template};

    #[test]
    fn neighbouring_texts_are_joined() {
        let parts =
            [Part::text("a"), Part::text(""), Part::text("b"), Part::hole(HoleKind::Int), Part::text("")];
        let template = Template::new(parts);
        assert_eq!(template.parts().len(), 2);
        assert_eq!(template.to_string(), "ab<*>");
        assert_eq!(template.literal_bytes(), 2);
    }

    #[test]
    fn a_literal_hole_mark_is_escaped() {
        assert_eq!(Template::new([Part::text("a <*> b")]).to_string(), "a <\\*> b");
    }

    #[test]
    fn the_file_shows_only_what_is_said() {
        let padded = Hole { pad: Pad::Before, precision: Some(2), ..Hole::of(HoleKind::Float) };
        let template = Template::new([Part::text("x "), Part::hole(HoleKind::Uint), Part::Hole(padded)]);
        let json = serde_json::to_string(&template).unwrap();
        assert_eq!(json, r#"[{"text":"x "},{"hole":"uint"},{"hole":"float","pad":"before","precision":2}]"#);
        assert_eq!(serde_json::from_str::<Template>(&json).unwrap(), template);
    }
}
