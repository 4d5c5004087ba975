//! Notices in words that several couriers use: plain text, without anything that steers a reader's screen.

use std::fmt::Write;

use dice_route::{Evidence, NoticeRow};

/// The first `max` characters without control characters and without those that turn the direction of
/// writing; line ends and tabs stay. What is cut is told by `…`.
pub(crate) fn plain(text: &str, max: usize) -> String {
    let mut kept = text.chars().filter(|c| matches!(c, '\n' | '\t') || !is_steering(*c));
    let mut out: String = kept.by_ref().take(max).collect();
    if kept.next().is_some() {
        out.pop();
        out.push('…');
    }
    out
}

/// The text in one line of at most `max` characters; what is cut is told by `…`.
pub(crate) fn one_line(text: &str, max: usize) -> String {
    let mut out = String::new();
    let mut n = 0;
    let mut is_between = false;
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() {
            is_between = n > 0;
            continue;
        }
        if is_steering(c) {
            continue;
        }
        let length = if is_between { 2 } else { 1 };
        if n + length > max {
            // Nothing of the rest is looked at, however long it is.
            while n >= max.max(1) {
                out.pop();
                n -= 1;
            }
            out.truncate(out.trim_end().len());
            out.push('…');
            return out;
        }
        if is_between {
            out.push(' ');
        }
        out.push(c);
        n += length;
        is_between = false;
    }
    out
}

fn is_steering(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// The moment as RFC 3339 has it, in UTC: `2026-03-24T10:01:00.000Z`.
pub(crate) fn instant(at_ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{at:.3}")
}

/// The moment for people, in UTC.
pub(crate) fn moment(at_ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// The hosts with their counts: `web-1 (12), web-2 (3) and 4 more`.
pub(crate) fn hosts(evidence: &Evidence) -> String {
    let mut words = String::new();
    for (host, count) in &evidence.hosts {
        let comma = if words.is_empty() { "" } else { ", " };
        let _ = write!(words, "{comma}{} ({count})", one_line(host, 100));
    }
    if evidence.more_hosts > 0 {
        let _ = write!(words, " and {} more", evidence.more_hosts);
    }
    words
}

/// What is known beside a row's title, as names and values in the order of reading; nothing is empty.
pub(crate) fn facts(row: &NoticeRow) -> Vec<(&'static str, String)> {
    let evidence = &row.evidence;
    let mut facts: Vec<(&'static str, String)> = Vec::new();
    if evidence.count > 0 {
        let before = row.before.map(|before| format!(" (before: {before})")).unwrap_or_default();
        let late =
            if evidence.late > 0 { format!(", {} of them late", evidence.late) } else { String::new() };
        facts.push(("count", format!("{}{late}{before}", evidence.count)));
    }
    if let Some((first_ms, last_ms)) = evidence.seen_ms {
        let seen = match first_ms == last_ms {
            true => moment(first_ms),
            false => format!("{} to {}", moment(first_ms), moment(last_ms)),
        };
        facts.push(("seen", seen));
    }
    let list = |values: &[std::sync::Arc<str>]| {
        values.iter().map(|value| one_line(value, 100)).collect::<Vec<String>>().join(", ")
    };
    facts.push(("hosts", hosts(evidence)));
    facts.push(("services", list(&evidence.services)));
    facts.push(("versions", list(&evidence.versions)));
    facts.push(("environment", evidence.env.as_deref().map(|env| one_line(env, 100)).unwrap_or_default()));
    facts.push(("place", evidence.place.as_deref().map(|place| one_line(place, 300)).unwrap_or_default()));
    facts.push(("owner", row.owner.as_deref().map(|owner| one_line(owner, 200)).unwrap_or_default()));
    let days: Vec<String> = row.days.iter().map(|(day, count)| format!("{day}: {count}")).collect();
    facts.push(("by day", days.join(", ")));
    let figures: Vec<String> =
        evidence.figures.iter().map(|(name, value)| format!("{} {value}", one_line(name, 60))).collect();
    facts.push(("figures", figures.join(", ")));
    facts.push(("traces", list(&evidence.traces)));
    facts.push(("sample", evidence.sample.as_deref().map(|line| plain(line, 1000)).unwrap_or_default()));
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

/// Whether the row is about something that has ended.
pub(crate) fn has_ended(row: &NoticeRow) -> bool {
    matches!(row.state.as_str(), "resolved" | "over" | "ended" | "closed")
}

/// The address, where a browser would open it as a page.
pub(crate) fn link(url: &str) -> Option<&str> {
    if url.len() > 2000 {
        return None;
    }
    let is_page = url.starts_with("https://") || url.starts_with("http://");
    (is_page && !url.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"')))
        .then_some(url)
}

/// The page of an episode among Dice's own, which begin with `pages`; that of all of them where there is none.
pub(crate) fn page(pages: &str, episode: Option<&str>) -> String {
    let is_plain = |id: &&str| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":-_".contains(&byte));
    match episode.filter(is_plain) {
        Some(id) => format!("{pages}/episodes/{id}"),
        None => format!("{pages}/episodes"),
    }
}

#[cfg(test)]
mod tests {
    use super::{one_line, plain};

    #[test]
    fn texts_become_lines() {
        assert_eq!(one_line(" a\r\nb\tc\u{1b}[31m ", 100), "a b c [31m");
        assert_eq!(one_line("abc def", 5), "abc…");
        assert_eq!(one_line("abcdefgh", 5), "abcd…");
        assert_eq!(one_line("abcde", 5), "abcde");
        assert_eq!(one_line("abc\u{202E} d", 5), "abc d");
        assert_eq!((one_line("ab", 1).as_str(), one_line("  ", 1).as_str()), ("…", ""));
        assert_eq!(plain("a\u{202E}b\n\u{61C}c\u{0}", 4), "ab\nc");
        assert_eq!((plain("äöü", 3).as_str(), plain("äöüß", 3).as_str()), ("äöü", "äö…"));
    }
}
