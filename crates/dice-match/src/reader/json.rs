//! Lines that are one JSON object.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::pairs::{MOST_PAIRS, Pairs, Value};

/// Names are joined with dots down to this depth; what lies deeper is dropped.
const DEEPEST: usize = 4;

/// The scalars of a line that is one JSON object.
///
/// `None` when it is not; nesting beyond the parser's limit makes it none, too.
pub(super) fn pairs(line: &[u8]) -> Option<Pairs<'_>> {
    let mut pairs = Pairs::new();
    let mut parser = serde_json::Deserializer::from_slice(line);
    Flat { pairs: &mut pairs, name: Cow::Borrowed(""), depth: 0 }.deserialize(&mut parser).ok()?;
    parser.end().ok()?;
    Some(pairs)
}

/// Adds a value, and what is in it, to `pairs`.
struct Flat<'p, 'a> {
    pairs: &'p mut Pairs<'a>,
    name: Cow<'a, str>,
    depth: usize,
}

impl<'a> Flat<'_, 'a> {
    fn add(self, value: Value<'a>) {
        if self.pairs.len() < MOST_PAIRS {
            self.pairs.push((self.name, value));
        }
    }
}

impl<'de> DeserializeSeed<'de> for Flat<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Flat<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.add(Value::Plain(value.to_string()));
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.add(Value::Plain(value.to_string()));
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.add(Value::Plain(value.to_string()));
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.add(Value::Plain(value.to_string()));
        Ok(())
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<(), E> {
        self.add(Value::Text(value.into()));
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.add(Value::Text(value.to_owned().into()));
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        // journald writes what is not UTF-8 as numbers, and a field that is set twice as a list.
        if self.name != "MESSAGE" {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        let mut bytes = Vec::new();
        let mut texts = Pairs::new();
        while items
            .next_element_seed(Flat { pairs: &mut texts, name: Cow::Borrowed(""), depth: DEEPEST })?
            .is_some()
        {
            match texts.pop() {
                Some((_, Value::Plain(number))) => bytes.extend(number.parse::<u8>()),
                Some((_, Value::Text(text))) if bytes.is_empty() => bytes.extend_from_slice(text.as_bytes()),
                _ => {}
            }
        }
        self.add(Value::Bytes(bytes));
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Flat { pairs, name, depth } = self;
        while let Some(key) = entries.next_key_seed(Name)? {
            if depth >= DEEPEST || pairs.len() >= MOST_PAIRS {
                entries.next_value::<IgnoredAny>()?;
                continue;
            }
            let name = if name.is_empty() { key } else { Cow::Owned(format!("{name}.{key}")) };
            entries.next_value_seed(Flat { pairs: &mut *pairs, name, depth: depth + 1 })?;
        }
        Ok(())
    }
}

/// A name, borrowed where it has no escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(name.into())
    }

    fn visit_str<E>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(name.to_owned().into())
    }
}
