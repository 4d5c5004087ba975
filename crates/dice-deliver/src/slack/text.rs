//! Log text for Slack: never markup, never a mention, never a link, and control characters are shown.

use std::fmt::Write as _;

/// Text that only Slack itself writes: what may be markup is escaped.
///
/// `& < >` are all that Slack's markup is made of beside styles. The signs of styles stay where they stand
/// inside a word, and are shown by others that look like them where they could begin or end a style.
pub(super) fn prose(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let chars: Vec<char> = text.chars().collect();
    let is_word = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(|c| c.is_alphanumeric());
    for (at, c) in chars.iter().enumerate() {
        let is_inside = is_word(at.checked_sub(1)) && is_word(Some(at + 1));
        match c {
            '*' if !is_inside => out.push('∗'),
            '_' if !is_inside => out.push('＿'),
            '~' if !is_inside => out.push('∼'),
            '`' => out.push('ˋ'),
            '@' if !is_inside => out.push_str("@\u{200b}"),
            c => push(&mut out, *c),
        }
    }
    out
}

/// The same within backticks: one line, in which nothing is a style.
pub(super) fn code(text: &str) -> String {
    let inner: String = text.chars().map(|c| if c == '`' { 'ˋ' } else { c }).collect();
    let mut out = String::from("`");
    // A style needs something in it that is not blank.
    if inner.trim().is_empty() {
        out.push('∅');
    }
    inner.chars().for_each(|c| push(&mut out, c));
    out.push('`');
    out
}

/// The same between lines of three backticks: lines stay lines.
pub(super) fn preformatted(text: &str) -> String {
    let mut out = String::from("```\n");
    for c in text.trim_end().replace("\r\n", "\n").chars() {
        match c {
            '`' => out.push('ˋ'),
            '\n' | '\t' => out.push(c),
            c => push(&mut out, c),
        }
    }
    out.push_str("\n```");
    out
}

/// Text for where Slack reads no markup; control characters are shown.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) { shown(&mut out, c) } else { out.push(c) }
    }
    out
}

/// A link to `url` called `name`; only the name where `url` is none that a browser opens.
pub(super) fn link(url: Option<&str>, name: &str) -> String {
    match url.and_then(address) {
        // Within a link there are no styles.
        Some(url) => format!("<{}|{}>", escaped(url), prose(name).replace('|', "¦")),
        None => code(name),
    }
}

/// `url`, where it is one that a browser opens and Slack takes.
pub(super) fn address(url: &str) -> Option<&str> {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    let is_bad =
        |c: char| c.is_whitespace() || is_hidden(c) || matches!(c, '|' | '<' | '>' | '"' | '`' | '\\');
    (is_web && url.len() <= 2_000 && url.is_ascii() && !url.contains(is_bad)).then_some(url)
}

fn escaped(url: &str) -> String {
    url.replace('&', "&amp;")
}

fn push(out: &mut String, c: char) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        c if is_hidden(c) => shown(out, c),
        c => out.push(c),
    }
}

fn shown(out: &mut String, c: char) {
    match c {
        '\n' => out.push('⏎'),
        '\t' => out.push(' '),
        c => write!(out, "\\u{{{:x}}}", u32::from(c)).expect("writing into a string cannot fail"),
    }
}

/// What a reader does not see, or what makes them see something else.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The first `max` characters, with a sign where there were more.
pub(super) fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some(_) => {
            let mut short: String = text.chars().take(max.saturating_sub(1)).collect();
            short.push('…');
            short
        }
    }
}

/// The first lines and characters, with a sign where there were more.
pub(super) fn cut_lines(text: &str, max_lines: usize, max: usize) -> String {
    let lines: Vec<&str> = text.lines().take(max_lines + 1).collect();
    let short = lines[..lines.len().min(max_lines)].join("\n");
    if lines.len() > max_lines { format!("{}\n…", cut(&short, max)) } else { cut(&short, max) }
}

#[cfg(test)]
mod tests {
    use super::{address, code, cut, cut_lines, preformatted, prose};

    #[track_caller]
    fn check(text: &str, as_prose: &str, as_code: &str) {
        assert_eq!(prose(text), as_prose);
        assert_eq!(code(text), as_code);
    }

    #[test]
    fn markup_is_shown() {
        check("disk sda_1 is 93% full", "disk sda_1 is 93% full", "`disk sda_1 is 93% full`");
        check(
            "<!channel> & <@U1>",
            "&lt;!channel&gt; &amp; &lt;@\u{200b}U1&gt;",
            "`&lt;!channel&gt; &amp; &lt;@U1&gt;`",
        );
        check("*b* _i_ ~s~ `c`", "∗b∗ ＿i＿ ∼s∼ ˋcˋ", "`*b* _i_ ~s~ ˋcˋ`");
        check("a*b a_b a@b.c @here", "a*b a_b a@b.c @\u{200b}here", "`a*b a_b a@b.c @here`");
        check("a\nb\u{1b}[31m\u{202e}", "a⏎b\\u{1b}[31m\\u{202e}", "`a⏎b\\u{1b}[31m\\u{202e}`");
        check("", "", "`∅`");
        assert_eq!(preformatted("a\r\n```\n<b>\u{7}\n"), "```\na\nˋˋˋ\n&lt;b&gt;\\u{7}\n```");
    }

    #[test]
    fn only_what_a_browser_opens_is_a_link() {
        for url in ["https://a.b/c#L1", "http://a.b/?x=1&y=2"] {
            assert_eq!(address(url), Some(url));
        }
        for url in ["javascript:x", "https://a|b", "https://a>b", "ftp://a", "https://a b", "https://ä"] {
            assert_eq!(address(url), None, "{url}");
        }
    }

    #[test]
    fn long_text_is_cut_with_a_sign() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("äbcd", 3), "äb…");
        assert_eq!(cut_lines("a\nb\nc", 2, 10), "a\nb\n…");
    }
}
