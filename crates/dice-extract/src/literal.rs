//! String literals as written, decoded to the bytes they mean.

use std::borrow::Cow;

/// The bytes of a C string literal's inside, escapes decoded.
///
/// Lines joined by a backslash at their end are joined. Numbers past a byte keep their low bits, as compilers
/// do; an escape that C does not know keeps its text.
pub(crate) fn decode_c(inside: &[u8]) -> Vec<u8> {
    let inside = &*spliced(inside);
    let mut bytes = Vec::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        bytes.extend_from_slice(&rest[..at]);
        let escape = &rest[at..];
        let length = c_escape(escape, &mut bytes);
        rest = &escape[length..];
    }
    bytes.extend_from_slice(rest);
    bytes
}

/// Decodes the escape that `text` opens with; returns its length.
fn c_escape(text: &[u8], bytes: &mut Vec<u8>) -> usize {
    let Some(&letter) = text.get(1) else {
        bytes.push(b'\\');
        return 1;
    };
    let simple = match letter {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'v' => 11,
        b'e' | b'E' => 27,
        b'\\' | b'\'' | b'"' | b'?' => letter,
        b'0'..=b'7' => {
            let digits = digits(&text[1..], 8, 3);
            bytes.push(low_byte(digits, 8));
            return 1 + digits.len();
        }
        b'x' => {
            let digits = digits(&text[2..], 16, usize::MAX);
            if digits.is_empty() {
                bytes.extend_from_slice(b"\\x");
            } else {
                bytes.push(low_byte(digits, 16));
            }
            return 2 + digits.len();
        }
        b'u' | b'U' => {
            let wanted = if letter == b'u' { 4 } else { 8 };
            let digits = digits(&text[2..], 16, wanted);
            match (digits.len() == wanted).then(|| scalar(digits)).flatten() {
                Some(scalar) => bytes.extend_from_slice(scalar.encode_utf8(&mut [0; 4]).as_bytes()),
                None => bytes.extend_from_slice(&text[..2 + digits.len()]),
            }
            return 2 + digits.len();
        }
        _ => {
            bytes.extend_from_slice(&text[..2]);
            return 2;
        }
    };
    bytes.push(simple);
    2
}

/// The text without the backslashes that join lines: they vanish before anything else is read.
fn spliced(inside: &[u8]) -> Cow<'_, [u8]> {
    let splice = |text: &[u8]| match text {
        [b'\\', b'\n', ..] => 2,
        [b'\\', b'\r', b'\n', ..] => 3,
        _ => 0,
    };
    if !memchr::memchr_iter(b'\\', inside).any(|at| splice(&inside[at..]) > 0) {
        return Cow::Borrowed(inside);
    }
    let mut joined = Vec::with_capacity(inside.len());
    let mut at = 0;
    while at < inside.len() {
        match splice(&inside[at..]) {
            0 => {
                joined.push(inside[at]);
                at += 1;
            }
            length => at += length,
        }
    }
    Cow::Owned(joined)
}

/// The bytes of a Rust string literal's inside, escapes and line continuations decoded.
///
/// A backslash at the end of a line hides the line end and the blanks that follow. An escape that Rust does
/// not know keeps its text.
pub(crate) fn decode_rust(inside: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(at) = memchr::memchr2(b'\\', b'\r', rest) {
        bytes.extend_from_slice(&rest[..at]);
        let escape = &rest[at..];
        let length = match escape {
            // The compiler reads a carriage return before a line feed as nothing.
            [b'\r', b'\n', ..] => 1,
            [b'\r', ..] => {
                bytes.push(b'\r');
                1
            }
            _ => rust_escape(escape, &mut bytes),
        };
        rest = &escape[length..];
    }
    bytes.extend_from_slice(rest);
    bytes
}

fn rust_escape(text: &[u8], bytes: &mut Vec<u8>) -> usize {
    let simple = match text.get(1) {
        Some(b'n') => b'\n',
        Some(b't') => b'\t',
        Some(b'r') => b'\r',
        Some(b'0') => 0,
        Some(&letter @ (b'\\' | b'\'' | b'"')) => letter,
        Some(b'x') => {
            let digits = digits(&text[2..], 16, 2);
            if digits.len() == 2 {
                bytes.push(low_byte(digits, 16));
            } else {
                bytes.extend_from_slice(&text[..2 + digits.len()]);
            }
            return 2 + digits.len();
        }
        Some(b'u') => {
            let length = braced(&text[2..]);
            let digits: Vec<u8> = text[2..2 + length].iter().copied().filter(u8::is_ascii_hexdigit).collect();
            match (digits.len() <= 6).then(|| scalar(&digits)).flatten() {
                Some(scalar) => bytes.extend_from_slice(scalar.encode_utf8(&mut [0; 4]).as_bytes()),
                None => bytes.extend_from_slice(&text[..2 + length]),
            }
            return 2 + length;
        }
        Some(b'\n') => return 1 + blanks(&text[1..]),
        Some(b'\r') if text.get(2) == Some(&b'\n') => return 1 + blanks(&text[1..]),
        _ => {
            bytes.push(b'\\');
            return 1;
        }
    };
    bytes.push(simple);
    2
}

/// The length of `{1F_600}`; 0 when `text` does not open with such.
fn braced(text: &[u8]) -> usize {
    let inside = text.iter().skip(1).take_while(|byte| byte.is_ascii_hexdigit() || **byte == b'_').count();
    let closed = text.first() == Some(&b'{') && text.get(1 + inside) == Some(&b'}');
    if closed { inside + 2 } else { 0 }
}

fn blanks(text: &[u8]) -> usize {
    text.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count()
}

fn digits(text: &[u8], radix: u32, most: usize) -> &[u8] {
    let length = text.iter().take(most).take_while(|byte| char::from(**byte).is_digit(radix)).count();
    &text[..length]
}

fn value(digits: &[u8], radix: u32) -> u32 {
    digits.iter().fold(0, |value: u32, digit| {
        value.wrapping_mul(radix).wrapping_add(char::from(*digit).to_digit(radix).unwrap_or(0))
    })
}

fn low_byte(digits: &[u8], radix: u32) -> u8 {
    value(digits, radix).to_le_bytes()[0]
}

/// The character that hexadecimal `digits` name; none for surrogates and past the last one.
fn scalar(digits: &[u8]) -> Option<char> {
    if digits.is_empty() { None } else { char::from_u32(value(digits, 16)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::{decode_c, decode_rust};

    #[track_caller]
    fn check(decode: fn(&[u8]) -> Vec<u8>, inside: &str, bytes: &[u8]) {
        let decoded = decode(inside.as_bytes());
        assert_eq!(decoded.escape_ascii().to_string(), bytes.escape_ascii().to_string(), "{inside}");
    }

    #[test]
    fn c_escapes() {
        check(decode_c, r#"a\n\t\r\a\b\f\v\e\\\'\"\?z"#, b"a\n\t\r\x07\x08\x0c\x0b\x1b\\'\"?z");
        check(decode_c, r"\0\12\1234\777", b"\0\nS4\xff");
        check(decode_c, r"\x41\x0\x1b[0m\xfff", b"A\0\x1b[0m\xff");
        check(decode_c, r"\u00e9\U0001F600", "é😀".as_bytes());
        check(decode_c, "tr??/n", b"tr??/n");
    }

    #[test]
    fn c_lines_are_joined_before_escapes_are_read() {
        check(decode_c, "one \\\n  two\\\r\n three", b"one   two three");
        check(decode_c, "a\\\\\nnb", b"a\nb");
    }

    #[test]
    fn escapes_that_c_does_not_know_keep_their_text() {
        check(decode_c, r"\q\xzz\u12\ud800\U00110000", br"\q\xzz\u12\ud800\U00110000");
        check(decode_c, r"end\", br"end\");
    }

    #[test]
    fn rust_escapes() {
        check(decode_rust, r#"a\n\t\r\0\\\'\"\x41\xFFz"#, b"a\n\t\r\0\\'\"A\xffz");
        check(decode_rust, r"\u{e9}\u{1F_600}", "é😀".as_bytes());
        check(decode_rust, "one \\\n    two\\\r\n\t three\r\nfour\rfive", b"one twothree\nfour\rfive");
    }

    #[test]
    fn escapes_that_rust_does_not_know_keep_their_text() {
        check(decode_rust, r"\q\x4\u{}\u{d800}\u{1234567}\u{12\u", br"\q\x4\u{}\u{d800}\u{1234567}\u{12\u");
        check(decode_rust, r"end\", br"end\");
    }

    proptest! {
        #[test]
        fn any_bytes_are_decoded_to_no_more_bytes(bytes: Vec<u8>) {
            assert!(decode_c(&bytes).len() <= bytes.len());
            assert!(decode_rust(&bytes).len() <= bytes.len());
        }

        #[test]
        fn text_full_of_escapes_is_decoded(text in r"[\\nx0u{}FfU\r\n 9'-]{0,40}") {
            decode_c(text.as_bytes());
            decode_rust(text.as_bytes());
        }

        #[test]
        fn what_is_escaped_comes_back(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            prop_assert_eq!(decode_rust(bytes.escape_ascii().to_string().as_bytes()), bytes.clone());
            let octal: String = bytes.iter().map(|byte| format!("\\{byte:03o}")).collect();
            prop_assert_eq!(decode_c(octal.as_bytes()), bytes);
        }
    }
}
