//! Text that stands around a template without being in it.
//!
//! Loggers put a level word before a message and the text of an error, the client or structured fields
//! behind it. What is accepted here is accepted for every statement of a language; what a callee is known
//! to add is part of the template.

use dice_catalog::Level;

/// What stands between the end of a template and the end of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum After {
    /// Nothing but blanks.
    Nothing,
    /// Further lines of the same message.
    Lines,
    /// `key=value …`, or a JSON object.
    Fields,
    /// `, client: …`.
    Pairs,
    /// ` [preauth]`.
    Tag,
    /// ` (2: No such file or directory)`, `: Permission denied`, ` while reading a request`.
    Reason,
}

impl After {
    /// Looks at the first and the last bytes of `rest` only, so that it may be asked at many places.
    ///
    /// `reasons` tells whether the text of an error may follow.
    pub(crate) fn of(rest: &[u8], reasons: bool) -> Option<After> {
        let (&first, tail) = match rest.split_first() {
            None => return Some(After::Nothing),
            Some(split) => split,
        };
        match first {
            b'\n' | b'\r' => Some(After::Lines),
            b'#' => rest.starts_with(b"#012").then_some(After::Lines),
            b'\\' => (rest.starts_with(b"\\n") || rest.starts_with(b"\\r\\n")).then_some(After::Lines),
            b' ' | b'\t' | b',' | b';' => after_blank(first, tail, reasons),
            b':' => {
                (reasons && tail.len() > 1 && tail[0] == b' ' && tail[1] != b' ').then_some(After::Reason)
            }
            _ => None,
        }
    }

    /// Whether a template can end before `byte`.
    pub(crate) fn may_start_with(byte: u8) -> bool {
        matches!(byte, b'\n' | b'\r' | b'#' | b'\\' | b' ' | b'\t' | b',' | b';' | b':')
    }

    /// The regular expression of all texts, but the empty one, for which `of` gives an answer.
    pub(crate) fn pattern(reasons: bool) -> String {
        let common = concat!(
            r"|[\n\r].*|#012.*|\\(?:n|r\\n).*|[ \t]{1,64}",
            r"|(?:[ \t]{1,4}|[,;] ?)[A-Za-z_][A-Za-z0-9_.\-#]{0,47}=.*",
            r"|[ \t]\{.*\}|[,;] [A-Za-z_][A-Za-z0-9_ -]{0,31}: .*",
            r"|[ \t]\[[A-Za-z0-9_.:-]{1,40}\]",
        );
        let reason = if reasons { r"|[ \t]while [a-z].*|[ \t]\([0-9]+: .*|[ \t]\(.*\)|: [^ ].*" } else { "" };
        format!("(?:{common}{reason})")
    }
}

fn is_small(byte: Option<&u8>) -> bool {
    byte.is_some_and(u8::is_ascii_lowercase)
}

fn after_blank(first: u8, tail: &[u8], reasons: bool) -> Option<After> {
    let is_blank = first == b' ' || first == b'\t';
    if is_blank && tail.len() < 64 && tail.iter().all(|&b| b == b' ' || b == b'\t') {
        return Some(After::Nothing);
    }
    // The name starts after up to four blanks, or after a comma or semicolon and perhaps a blank.
    let limit = if is_blank { 3 } else { 1 };
    if is_blank && reasons && tail.strip_prefix(b"while ").is_some_and(|rest| is_small(rest.first())) {
        return Some(After::Reason);
    }
    let blanks = tail.iter().take(limit).take_while(|&&b| b == b' ' || is_blank && b == b'\t').count();
    if is_field(&tail[blanks..]) {
        return Some(After::Fields);
    }
    match (is_blank, tail) {
        (true, [b'{', .., b'}']) => Some(After::Fields),
        (true, [b'[', tag @ .., b']']) => {
            let fits = (1..=40).contains(&tag.len());
            (fits && tag.iter().all(|b| b.is_ascii_alphanumeric() || b"_.:-".contains(b)))
                .then_some(After::Tag)
        }
        (true, [b'(', inner @ ..]) if reasons => {
            let digits = inner.iter().take(20).take_while(|b| b.is_ascii_digit()).count();
            let numbered = digits > 0 && inner[digits..].starts_with(b": ");
            (numbered || inner.last() == Some(&b')')).then_some(After::Reason)
        }
        (false, [b' ', pairs @ ..]) => is_pair(pairs).then_some(After::Pairs),
        _ => None,
    }
}

/// Whether `text` starts with `name=`.
fn is_field(text: &[u8]) -> bool {
    let name = text.iter().take(49).take_while(|b| b.is_ascii_alphanumeric() || b"_.-#".contains(b)).count();
    let starts = text.first().is_some_and(|&b| b.is_ascii_alphabetic() || b == b'_');
    starts && name <= 48 && text.get(name) == Some(&b'=')
}

/// Whether `text` starts with `some name: `.
fn is_pair(text: &[u8]) -> bool {
    let name = text.iter().take(33).take_while(|b| b.is_ascii_alphanumeric() || b"_ -".contains(b)).count();
    let starts = text.first().is_some_and(|&b| b.is_ascii_alphabetic() || b == b'_');
    starts && name <= 32 && text[name..].starts_with(b": ")
}

/// A level word that a logger glued before the message (`error: `, `[WARN] `): how long it is with what
/// follows it, and the level.
pub(crate) fn level_word(message: &[u8]) -> Option<(usize, Level)> {
    let open = usize::from(message.first().is_some_and(|b| matches!(b, b'[' | b'<' | b'(')));
    let letters = message[open..].iter().take(16).take_while(|b| b.is_ascii_alphanumeric()).count();
    let word = std::str::from_utf8(&message[open..open + letters]).ok()?;
    let close = usize::from(open == 1);
    if close == 1 && !message.get(open + letters).is_some_and(|b| matches!(b, b']' | b'>' | b')')) {
        return None;
    }
    let rest = &message[open + letters + close..];
    let marks = rest.iter().take_while(|b| matches!(b, b':' | b' ' | b'\t' | b'-')).count();
    // Without brackets only a colon tells a level from a word that starts a sentence.
    if marks == 0 || close == 0 && rest[0] != b':' {
        return None;
    }
    Level::from_word(word).map(|level| (open + letters + close + marks, level))
}

/// An identifier of the message that stands before it, `AH00035: `: how long it is with what follows it,
/// and the identifier.
pub(crate) fn message_id(text: &[u8]) -> Option<(usize, &str)> {
    let letters = text.iter().take(5).take_while(|b| b.is_ascii_uppercase()).count();
    let dash = usize::from(text.get(letters) == Some(&b'-'));
    let digits = text[letters + dash..].iter().take(9).take_while(|b| b.is_ascii_digit()).count();
    let len = letters + dash + digits;
    let is_id = (2..=4).contains(&letters) && (3..=8).contains(&digits) && text[len..].starts_with(b": ");
    let id = std::str::from_utf8(&text[..len]).ok()?;
    is_id.then_some((len + 2, id))
}

/// A tag that stands before a message, `disk: `, `[disk] `, `disk[7]: `: how long it is with what follows it,
/// and the level if it tells one.
pub(crate) fn tag(text: &[u8]) -> Option<(usize, Option<Level>)> {
    let close = match text.first()? {
        b'[' => Some(b']'),
        b'<' => Some(b'>'),
        b'(' => Some(b')'),
        _ => None,
    };
    let len = match close {
        Some(close) => {
            let inner = text.iter().take(41).position(|&b| b == close)?;
            let colon = usize::from(text.get(inner + 1) == Some(&b':'));
            (inner > 1 && text.get(inner + 1 + colon) == Some(&b' ')).then_some(inner + colon + 2)?
        }
        None => {
            let name = text.iter().take(41).take_while(|b| b.is_ascii_alphanumeric() || b"_.:/-".contains(b));
            let mut len = name.count();
            if text.get(len) == Some(&b'[') {
                let digits = text[len + 1..].iter().take(12).take_while(|b| b.is_ascii_digit()).count();
                len += digits + 1;
                (text.get(len) == Some(&b']') && text.get(len + 1) == Some(&b':')).then_some(())?;
                len += 2;
            }
            // The colon was counted with the name.
            (len > 2 && text[len - 1] == b':' && text.get(len) == Some(&b' ')).then_some(len + 1)?
        }
    };
    Some((len, level_word(text).map(|(_, level)| level)))
}

/// The name of a function that a message starts with, `name: ` or `name(): `, if it cannot be a plain word.
pub(crate) fn function_name(text: &[u8]) -> Option<&str> {
    let len = text.iter().take(65).take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
    let name = std::str::from_utf8(&text[..len]).ok()?;
    let is_called = text[len..].starts_with(b": ") || text[len..].starts_with(b"(): ");
    let inner = name.trim_matches('_');
    let is_name = inner.contains('_') || inner.chars().skip(1).any(|c| c.is_ascii_uppercase());
    (is_called && is_name && (6..=64).contains(&len) && !name.starts_with(|c: char| c.is_ascii_digit()))
        .then_some(name)
}

/// The level that the last word of `text` means.
pub(crate) fn level_word_at_end(text: &[u8]) -> Option<Level> {
    let letters = text.iter().rev().take(16).take_while(|b| b.is_ascii_alphanumeric()).count();
    Level::from_word(std::str::from_utf8(&text[text.len() - letters..]).ok()?)
}

#[cfg(test)]
mod tests {
    use dice_catalog::Level;
    use proptest::prelude::*;

    use super::{After, function_name, level_word, message_id, tag};

    #[track_caller]
    fn check(rest: &str, after: Option<After>) {
        assert_eq!(After::of(rest.as_bytes(), true), after, "{rest}");
    }

    #[test]
    fn what_may_follow_a_template() {
        check("", Some(After::Nothing));
        check("   ", Some(After::Nothing));
        check(": No such file or directory", Some(After::Reason));
        check(" (2: No such file or directory), client: 10.0.0.1", Some(After::Reason));
        check(" while reading the request", Some(After::Reason));
        check(" while", None);
        check(", client: 10.0.0.1, server: _", Some(After::Pairs));
        check(" [preauth]", Some(After::Tag));
        check(" user=bob id=3", Some(After::Fields));
        check("\t{\"id\": 3}", Some(After::Fields));
        check("#012second line", Some(After::Lines));
        check(" and more", None);
        check("more", None);
        check(":", None);
    }

    #[test]
    fn level_words() {
        assert_eq!(level_word(b"error: x"), Some((7, Level::Error)));
        assert_eq!(level_word(b"[WARN] x"), Some((7, Level::Warning)));
        assert_eq!(level_word(b"debug1: x"), Some((8, Level::Debug)));
        assert_eq!(level_word(b"error x"), None);
        assert_eq!(level_word(b"[x"), None);
        assert_eq!(level_word(b""), None);
    }

    #[test]
    fn tags() {
        assert_eq!(tag(b"disk: x"), Some((6, None)));
        assert_eq!(tag(b"disk[7]: x"), Some((9, None)));
        assert_eq!(tag(b"[core:error] x"), Some((13, None)));
        assert_eq!(tag(b"[warn] x"), Some((7, Some(Level::Warning))));
        assert_eq!(tag(b"a::b: x"), Some((6, None)));
        assert_eq!(tag(b"disk is full: x"), None);
        assert_eq!(tag(b"[] x"), None);
        assert_eq!(tag(b": x"), None);
    }

    #[test]
    fn function_names() {
        assert_eq!(function_name(b"do_child: done"), Some("do_child"));
        assert_eq!(function_name(b"doChild(): done"), Some("doChild"));
        assert_eq!(function_name(b"warning: done"), None);
        assert_eq!(function_name(b"do_child done"), None);
    }

    #[test]
    fn identifiers() {
        assert_eq!(message_id(b"AH00035: x"), Some((9, "AH00035")));
        assert_eq!(message_id(b"MY-010068: x"), Some((11, "MY-010068")));
        assert_eq!(message_id(b"X1: x"), None);
        assert_eq!(message_id(b"DONE: x"), None);
        assert_eq!(message_id(b"AH00035"), None);
    }

    proptest! {
        #[test]
        fn the_pattern_says_the_same(rest in r"[ ,;:\t]{0,3}[\[({a-c]{0,2}[a-c0-9 =:.\-]{0,6}[\])}=: a]{0,3}", reasons: bool) {
            let pattern = format!(r"(?s-u)\A{}?\z", After::pattern(reasons));
            let regex = regex_automata::meta::Regex::builder()
                .syntax(regex_automata::util::syntax::Config::new().utf8(false))
                .build(&pattern)
                .unwrap();
            prop_assert_eq!(After::of(rest.as_bytes(), reasons).is_some(), regex.is_match(rest.as_bytes()));
        }
    }
}
