//! Values in words: texts that came from anywhere, numbers, times.

use std::borrow::Cow;
use std::fmt::Write;

use jiff::Timestamp;
use serde_json::Value;

use crate::Time;

/// A text that came from anywhere.
pub(super) trait Words {
    /// On one line; whatever a browser would obey instead of showing is named.
    fn plain(&self) -> Cow<'_, str>;
    /// The same with its lines and tabs.
    fn block(&self) -> Cow<'_, str>;
    /// The same cut after so many characters.
    fn cut(&self, limit: usize) -> Cow<'_, str>;
    /// As a link, where it is one that a browser may follow.
    fn link(&self) -> Option<&str>;
    /// As a part of a path or a parameter.
    fn escaped(&self) -> String;
    /// Whether it is the name of something that can be looked up.
    fn is_id(&self) -> bool;
    /// How grave it is, of levels, severities and states: one of four names that the style knows.
    fn weight(&self) -> &'static str;
}

/// Whether a browser would obey it: control characters, and those that turn the direction of what follows.
fn is_obeyed(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}' | '\u{2029}'
            | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{61c}')
}

fn named(text: &str, is_kept: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(|letter| is_obeyed(letter) && !is_kept(letter)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            letter if !is_obeyed(letter) || is_kept(letter) => shown.push(letter),
            '\0'..='\u{1f}' | '\u{7f}' => {
                let picture = if letter == '\u{7f}' { '\u{2421}' } else { pictured(letter) };
                shown.push(picture);
            }
            letter => shown.extend(letter.escape_unicode()),
        }
    }
    Cow::Owned(shown)
}

/// The picture of a control character.
fn pictured(letter: char) -> char {
    char::from_u32(0x2400 + u32::from(letter)).unwrap_or('\u{fffd}')
}

impl Words for str {
    fn plain(&self) -> Cow<'_, str> {
        named(self, |_| false)
    }

    fn block(&self) -> Cow<'_, str> {
        named(self, |letter| letter == '\n' || letter == '\t')
    }

    fn cut(&self, limit: usize) -> Cow<'_, str> {
        match self.char_indices().nth(limit) {
            None => self.plain(),
            Some((at, _)) => Cow::Owned(format!("{}…", self[..at].plain())),
        }
    }

    fn link(&self) -> Option<&str> {
        let is_web =
            |scheme: &str| self.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
        let is_clean = || self.bytes().all(|byte| byte.is_ascii_graphic());
        ((is_web("https://") || is_web("http://")) && is_clean()).then_some(self)
    }

    fn escaped(&self) -> String {
        let mut shown = String::with_capacity(self.len());
        for byte in self.bytes() {
            if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
                shown.push(char::from(byte));
            } else {
                write!(shown, "%{byte:02X}").expect("memory takes what is written");
            }
        }
        shown
    }

    fn is_id(&self) -> bool {
        self.len() == 32 && self.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    }

    fn weight(&self) -> &'static str {
        match self {
            "critical" | "high" | "fatal" | "error" | "dead" => "bad",
            "medium" | "warning" | "warn" | "held" | "retry" | "ambiguous" | "open" => "warn",
            "sent" | "resolved" => "good",
            _ => "calm",
        }
    }
}

/// A number for people.
pub(super) trait Grouped {
    /// With a comma between thousands.
    fn grouped(&self) -> String;
}

impl Grouped for u64 {
    fn grouped(&self) -> String {
        let digits = self.to_string();
        let mut shown = String::new();
        for (n, digit) in digits.chars().enumerate() {
            if n > 0 && (digits.len() - n).is_multiple_of(3) {
                shown.push(',');
            }
            shown.push(digit);
        }
        shown
    }
}

impl Grouped for usize {
    fn grouped(&self) -> String {
        (*self as u64).grouped()
    }
}

/// `3 hours`, `1 hour`.
pub(super) fn many(n: u64, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{} {one}s", n.grouped()) }
}

/// How long ago it is, or in how long it will be.
pub(super) fn distance(at: Time, now_ms: i64) -> String {
    let apart_ms = now_ms.saturating_sub(at.0);
    let seconds = apart_ms.unsigned_abs() / 1_000;
    let words = match seconds {
        0..10 => return "just now".to_owned(),
        10..90 => many(seconds, "second"),
        90..5_400 => many((seconds + 30) / 60, "minute"),
        5_400..172_800 => many((seconds + 1_800) / 3_600, "hour"),
        _ => many((seconds + 43_200) / 86_400, "day"),
    };
    if apart_ms < 0 { format!("in {words}") } else { format!("{words} ago") }
}

/// `20 Nov 15:53:20 UTC`, with the year where it is another one than now.
pub(super) fn clock(at: Time, now_ms: i64) -> String {
    let (Ok(time), Ok(now)) = (Timestamp::from_millisecond(at.0), Timestamp::from_millisecond(now_ms)) else {
        return at.to_string();
    };
    let year = |time: Timestamp| time.strftime("%Y").to_string();
    let form = if year(time) == year(now) { "%-d %b %H:%M:%S UTC" } else { "%-d %b %Y %H:%M UTC" };
    time.strftime(form).to_string()
}

/// A text of a JSON object; empty where there is none.
pub(super) fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Grouped, Words, clock, distance};
    use crate::Time;

    #[test]
    fn what_a_browser_would_obey_is_shown() {
        for (text, plain) in [
            ("plain", "plain"),
            ("a\u{1b}[31mb\n\u{7f}", "a\u{241b}[31mb\u{240a}\u{2421}"),
            ("\u{202e}cod", "\\u{202e}cod"),
            ("שלום", "שלום"),
        ] {
            assert_eq!(text.plain(), plain);
        }
        assert_eq!("a\tb\nc\r".block(), "a\tb\nc\u{240d}");
        assert_eq!("äöü".cut(2), "äö…");
    }

    #[test]
    fn only_the_web_is_linked() {
        let follows = |text: &str| text.link().is_some();
        assert!(follows("https://git.example/a#L1") && follows("HTTP://git.example"));
        for text in ["javascript:alert(1)", "data:text/html,x", "//evil.example", "https://a b", "ä"] {
            assert!(!follows(text), "{text}");
        }
    }

    #[test]
    fn numbers_and_times_are_in_words() {
        let grouped: Vec<String> = [0, 999, 1_000, 1_234_567_u64].map(|n| n.grouped()).into();
        assert_eq!(grouped, ["0", "999", "1,000", "1,234,567"]);
        let now_ms = 1_795_190_000_000;
        for (ago_ms, words) in [
            (0, "just now"),
            (-9_000, "just now"),
            (61_000, "61 seconds ago"),
            (120_000, "2 minutes ago"),
            (-7_200_000, "in 2 hours"),
            (86_400_000 * 3, "3 days ago"),
        ] {
            assert_eq!(distance(Time(now_ms - ago_ms), now_ms), words);
        }
        assert_eq!(clock(Time(now_ms), now_ms), "20 Nov 15:53:20 UTC");
        assert_eq!(clock(Time(0), now_ms), "1 Jan 1970 00:00 UTC");
        assert_eq!(clock(Time(i64::MAX), now_ms), i64::MAX.to_string());
        assert_eq!("#a/b ü".escaped(), "%23a%2Fb%20%C3%BC");
    }
}
