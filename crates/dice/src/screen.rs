//! Text for a terminal: log text is never trusted, so what could move the cursor is shown instead.

use std::borrow::Cow;
use std::fmt::Write;

use anstyle::{AnsiColor, Style};

/// What is looked for first.
pub(crate) const STRONG: Style = Style::new().bold();
/// What is there for completeness.
pub(crate) const FAINT: Style = Style::new().dimmed();
/// Owners.
pub(crate) const OWNER: Style = AnsiColor::Cyan.on_default().bold();
/// The values that filled a template's holes.
pub(crate) const VALUE: Style = AnsiColor::Green.on_default();
/// What is told at once.
pub(crate) const URGENT: Style = AnsiColor::Red.on_default().bold();

/// Characters of one line of a log that are shown to a person.
const MAX_SHOWN: usize = 400;

/// `text` in `style`, reset afterwards.
pub(crate) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// `text` without anything that a terminal would obey: control characters are shown as escapes, directional
/// marks vanish.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push(' '),
            c if c.is_control() => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c if is_obeyed(c) => {}
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// `text` as [`plain`] gives it, cut to what a person reads on one line.
pub(crate) fn short(text: &str) -> String {
    let plain = plain(text);
    match plain.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &plain[..end]),
        None => plain.into_owned(),
    }
}

/// `1 line`, `2 lines`.
pub(crate) fn count(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(n), if n == 1 { one } else { many })
}

/// `1,234,567`.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn is_obeyed(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::{count, plain, short};

    #[test]
    fn escapes_are_shown_not_obeyed() {
        assert_eq!(plain("\u{1b}[2Jgone\n\tx"), "\\x1b[2Jgone\\n x");
        assert_eq!(plain("a\u{202e}b"), "ab");
        assert_eq!(plain("Grüße"), "Grüße");
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(short(&"a".repeat(500)).chars().count(), 401);
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(count(1, "line", "lines"), "1 line");
        assert_eq!(count(1_234_567, "line", "lines"), "1,234,567 lines");
        assert_eq!(count(123, "line", "lines"), "123 lines");
    }
}
