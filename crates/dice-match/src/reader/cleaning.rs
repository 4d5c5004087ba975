//! What is taken out of a line before anything else is looked at.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

/// Strips terminal escapes, NULs, one byte order mark at the start and a carriage return at the end.
///
/// A line without any of them is not copied.
pub(super) fn cleaned(line: &[u8]) -> Cow<'_, [u8]> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let Some(first) = memchr2(0x1b, 0, line) else { return Cow::Borrowed(line) };
    let mut clean = Vec::with_capacity(line.len());
    let mut rest = line;
    let mut next = Some(first);
    while let Some(at) = next {
        clean.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        while let Some(0x1b | 0) = rest.first() {
            rest = &rest[escape_length(rest)..];
        }
        next = memchr2(0x1b, 0, rest);
    }
    clean.extend_from_slice(rest);
    if clean.last() == Some(&b'\r') {
        clean.pop();
    }
    Cow::Owned(clean)
}

/// How many bytes the escape at the start of `text` takes; a NUL takes one.
fn escape_length(text: &[u8]) -> usize {
    match text.get(1) {
        // ESC [ parameters letter.
        Some(b'[') if text[0] == 0x1b => {
            // Real ones are short; an escape that never ends must not be searched again and again.
            let parameters =
                text[2..].iter().take(64).take_while(|b| matches!(**b, b'0'..=b'?' | b' '..=b'/')).count();
            match text.get(2 + parameters) {
                Some(b'@'..=b'~') => parameters + 3,
                _ => 2,
            }
        }
        _ => 1,
    }
}

/// Decodes `#012`, which is how rsyslog writes control characters.
pub(super) fn octal_decoded(message: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let is_escape = |text: &[u8]| matches!(text, [b'#', b'0', b'0'..=b'3', b'0'..=b'7', ..]);
    let mut from = 0;
    let first = loop {
        match memchr(b'#', &message[from..]) {
            None => return message,
            Some(at) if is_escape(&message[from + at..]) => break from + at,
            Some(at) => from += at + 1,
        }
    };
    let mut decoded = message[..first].to_vec();
    let mut rest = &message[first..];
    while let Some(&byte) = rest.first() {
        if is_escape(rest) {
            decoded.push((rest[2] - b'0') * 8 + (rest[3] - b'0'));
            rest = &rest[4..];
        } else {
            decoded.push(byte);
            rest = &rest[1..];
        }
    }
    Cow::Owned(decoded)
}

/// A part of a line as text; what is not UTF-8 is replaced.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    #[track_caller]
    fn check(line: &str, clean: &str) {
        assert_eq!(String::from_utf8_lossy(&super::cleaned(line.as_bytes())), clean);
    }

    #[test]
    fn escapes_are_stripped() {
        check("\x1b[2m2026\x1b[0m \x1b[32m INFO\x1b[0m a\x1b[3m=\x1b[0m1\x1b[K", "2026  INFO a=1");
        check("a\0b\r", "ab");
        check("\u{feff}a", "a");
        check("a\x1b[0m\r", "a");
        check("\x1b[38;5;12mx\x1b[", "x");
        check("\x1b", "");
    }

    #[test]
    fn a_clean_line_is_not_copied() {
        assert!(matches!(super::cleaned(b"nothing here\r"), Cow::Borrowed(b"nothing here")));
    }

    #[test]
    fn rsyslog_control_characters() {
        let decoded = |text: &'static str| super::octal_decoded(text.as_bytes().into()).into_owned();
        assert_eq!(decoded("multi#012line#011x"), b"multi\nline\tx");
        assert_eq!(decoded("#1 of #0, #123"), b"#1 of #0, #123");
    }
}
