//! Lines that are nothing but `name=value` pairs.

use std::borrow::Cow;

use super::cleaning::text;
use super::pairs::{MOST_PAIRS, Pairs, Value};

/// The pairs of a line that consists of pairs and has a message, and a level or a time, among them.
pub(super) fn pairs(line: &[u8]) -> Option<Pairs<'_>> {
    let mut pairs = Pairs::new();
    let mut rest = line.trim_ascii_start();
    while !rest.is_empty() {
        let is_name = |b: &u8| b.is_ascii_alphanumeric() || b"_@.-/".contains(b);
        let length = rest.iter().take_while(|b| is_name(b)).count();
        if length == 0 || rest.get(length) != Some(&b'=') {
            return None;
        }
        let (name, after) = (&rest[..length], &rest[length + 1..]);
        let (value, after) = value(after)?;
        if pairs.len() < MOST_PAIRS {
            pairs.push((text(name), value));
        }
        rest = after.trim_ascii_start();
    }
    let has = |names: &[&str]| pairs.iter().any(|(name, _)| names.contains(&&**name));
    (has(&["msg", "message", "event"]) && has(&["level", "lvl", "time", "ts", "t", "timestamp"]))
        .then_some(pairs)
}

/// A value, and what follows it.
fn value(rest: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let Some(quoted) = rest.strip_prefix(b"\"") else {
        let length = rest.iter().take_while(|b| !b" \t\"".contains(b)).count();
        let after = &rest[length..];
        return (after.first() != Some(&b'"')).then(|| (Value::Text(text(&rest[..length])), after));
    };
    let mut at = 0;
    let mut has_escapes = false;
    loop {
        match quoted.get(at)? {
            b'"' => break,
            b'\\' => {
                has_escapes = true;
                at += 2;
            }
            _ => at += 1,
        }
    }
    let after = &quoted[at + 1..];
    if !matches!(after.first(), None | Some(b' ' | b'\t')) {
        return None;
    }
    let inner = &quoted[..at];
    let value = if has_escapes { Cow::Owned(text(&unescaped(inner)).into_owned()) } else { text(inner) };
    Some((Value::Text(value), after))
}

fn unescaped(quoted: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(quoted.len());
    let mut bytes = quoted.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\\' => plain.push(match bytes.next() {
                Some(b'n') => b'\n',
                Some(b't') => b'\t',
                Some(b'r') => b'\r',
                Some(other) => *other,
                None => b'\\',
            }),
            _ => plain.push(byte),
        }
    }
    plain
}
