//! Forms as browsers send them: what Slack's reading methods take, and what its buttons bring.

use std::fmt::Write as _;

/// `name=value&…`, everything but letters, digits and `-._~` as `%XX`.
pub(super) fn encode(fields: &[(&str, &str)]) -> String {
    let mut form = String::new();
    for (name, value) in fields {
        if !form.is_empty() {
            form.push('&');
        }
        push(&mut form, name);
        form.push('=');
        push(&mut form, value);
    }
    form
}

fn push(form: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            form.push(char::from(byte));
        } else {
            write!(form, "%{byte:02X}").expect("writing into a string cannot fail");
        }
    }
}

/// The value of the first field called `name`, where there is one; bytes that are not UTF-8 are replaced.
pub(super) fn field(form: &[u8], name: &str) -> Option<String> {
    form.split(|byte| *byte == b'&').find_map(|field| {
        let at = field.iter().position(|byte| *byte == b'=')?;
        (decode(&field[..at]) == name.as_bytes())
            .then(|| String::from_utf8_lossy(&decode(&field[at + 1..])).into_owned())
    })
}

fn decode(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = tail;
        let digits = match (first, tail) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match (first, digits) {
            (_, Some((high, low))) => {
                bytes.push(high << 4 | low);
                rest = &tail[2..];
            }
            (b'+', None) => bytes.push(b' '),
            (byte, None) => bytes.push(*byte),
        }
    }
    bytes
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|digit| digit as u8)
}

#[cfg(test)]
mod tests {
    use super::{encode, field};

    #[track_caller]
    fn check(value: &str, form: &str) {
        assert_eq!(encode(&[("a b", "x"), ("payload", value)]), format!("a%20b=x&payload={form}"));
        let back = field(format!("a%20b=x&payload={form}").as_bytes(), "payload");
        assert_eq!(back.as_deref(), Some(value));
    }

    #[test]
    fn forms() {
        check("", "");
        check("a+b c", "a%2Bb%20c");
        check("{\"ü\":\"&=%\"}", "%7B%22%C3%BC%22%3A%22%26%3D%25%22%7D");
        assert_eq!(field(b"a=1&payload=x+y", "payload").as_deref(), Some("x y"));
        assert_eq!(field(b"payload=%zz%4", "payload").as_deref(), Some("%zz%4"));
        assert_eq!(field(b"payload=%FF", "payload").as_deref(), Some("\u{fffd}"));
        assert_eq!(field(b"payload", "payload"), None);
    }
}
