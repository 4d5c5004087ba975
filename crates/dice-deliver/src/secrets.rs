//! What looks like a secret, taken out of a notice before it leaves the machine.
//!
//! A log line may hold anything. What is masked: tokens by their makers' prefixes, JSON web tokens, what
//! follows `Bearer`, private keys, values behind a telling name (`password=`, `"apiKey": "…"`,
//! `--token …`), passwords in URLs, and payment cards. A value without a telling name is masked by its form
//! alone, never by how random it looks: commit hashes, fingerprints, trace ids, UUIDs and paths are what a
//! reader needs. It errs both ways, since a password that stands alone looks like a word.

use std::borrow::Cow;
use std::sync::Arc;

use dice_route::{Notice, NoticeRow};

mod card;
mod name;
mod token;

use name::Telling;

/// Stands for what was taken out.
pub const MASK: &str = "***";

/// Bytes of a value that are looked at to judge it. With it every place of a text is looked at a bounded
/// number of times.
const LOOK_BYTES: usize = 128;

/// What is masked beside secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Masking {
    /// Whether the names in e-mail addresses of log text are masked: `***@example.com`. Owners stay.
    pub emails: bool,
}

/// The notice without what looks like a secret.
///
/// Ids, places, hosts, versions and traces stay as they are: they are no free text, and buttons and links
/// need them.
pub fn masked(notice: &Notice, masking: Masking) -> Notice {
    // Who owns it is not from a log.
    let ours = Masking { emails: false };
    let text = |text: &String| masked_text(text, masking).into_owned();
    Notice {
        title: text(&notice.title),
        because: masked_text(&notice.because, ours).into_owned(),
        severity: notice.severity,
        rows: notice.rows.iter().map(|row| masked_row(row, masking)).collect(),
        more_rows: notice.more_rows,
        notes: notice.notes.iter().map(text).collect(),
        labels: notice
            .labels
            .iter()
            .map(|(name, value)| (name.clone(), masked_value(name, value, masking)))
            .collect(),
    }
}

fn masked_row(row: &NoticeRow, masking: Masking) -> NoticeRow {
    let ours = Masking { emails: false };
    let mut masked = row.clone();
    masked.title = masked_text(&row.title, masking).into_owned();
    masked.owner = row.owner.as_ref().map(|owner| masked_text(owner, ours).into_owned());
    masked.url = row.url.as_ref().map(|url| masked_text(url, ours).into_owned());
    if let Some(sample) = &row.evidence.sample
        && let Cow::Owned(sample) = masked_text(sample, masking)
    {
        masked.evidence.sample = Some(Arc::from(sample));
    }
    masked
}

/// A value with its name beside it, as labels have it.
fn masked_value(name: &str, value: &str, masking: Masking) -> String {
    let is_secret = name::telling(name, None).is_some_and(|telling| telling.is_secret(value, true));
    if is_secret { MASK.to_owned() } else { masked_text(value, masking).into_owned() }
}

/// The text without what looks like a secret. Takes time in proportion to its length, whatever is in it;
/// masking twice changes nothing.
pub fn masked_text(text: &str, masking: Masking) -> Cow<'_, str> {
    let spans = spans(text, masking);
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (start, end) in spans {
        out.push_str(&text[done..start]);
        out.push_str(MASK);
        done = end;
    }
    out.push_str(&text[done..]);
    Cow::Owned(out)
}

/// What is to be masked: byte ranges in order, none empty, none overlapping, each between characters.
fn spans(text: &str, masking: Masking) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut spans: Vec<(usize, usize)> = Vec::new();
    let mut at = 0;
    let mut done = 0;
    while at < bytes.len() {
        let found = match bytes[at] {
            b'=' | b':' => url_password(text, at, done).or_else(|| named(text, at, done)),
            b'@' if masking.emails => email(bytes, at, done),
            b'-' => token::private_key(text, at).or_else(|| flag(text, at)),
            b'0'..=b'9' => card::card(bytes, at).or_else(|| token::token(bytes, at)),
            b'A'..=b'Z' | b'a'..=b'z' => token::token(bytes, at),
            _ => None,
        };
        match found.filter(|(start, end)| *start >= done && start < end) {
            Some((start, end)) => {
                spans.push((start, end));
                (at, done) = (end, end);
            }
            None => at += 1,
        }
    }
    spans
}

/// The value behind a telling name: `at` is the place of `=` or `:`.
fn named(text: &str, at: usize, done: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    // `==`, `!=`, `::`, `:=` and the like compare or qualify; `=>` and `:=` give a value.
    let mut value = at + 1;
    match (bytes[at], bytes.get(value)) {
        (b'=', Some(b'>')) | (b':', Some(b'=')) => value += 1,
        (_, Some(b'=' | b':')) => return None,
        _ => {}
    }
    let mut end = at;
    if at > done && matches!(bytes[at - 1], b'!' | b'<' | b'>' | b'=' | b':') {
        return None;
    }
    let mut skip = |is_skipped: fn(u8) -> bool, most: usize| {
        let first = end;
        while end > done && first - end < most && is_skipped(bytes[end - 1]) {
            end -= 1;
        }
        first - end
    };
    skip(|byte| byte == b' ', 2);
    let quotes = skip(is_quote, 1);
    if quotes > 0 {
        skip(|byte| byte == b'\\', 3);
    }
    let (name, before) = name_before(text, end, done)?;
    let telling = name::telling(name, before)?;
    let is_close = bytes[at] == b'=' || quotes > 0;
    behind(text, value, telling, is_close)
}

/// The value of an option: `--password hunter2`, `at` is the place of the first `-`.
fn flag(text: &str, at: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let is_start = at == 0 || bytes[at - 1].is_ascii_whitespace() || is_quote(bytes[at - 1]);
    if !is_start || bytes.get(at + 1) != Some(&b'-') {
        return None;
    }
    let name = at + 2;
    let length = bytes[name..].iter().take(LOOK_BYTES).take_while(|byte| is_name(**byte)).count();
    let value = name + length;
    if bytes.get(value) != Some(&b' ') || matches!(bytes.get(value + 1), None | Some(b' ' | b'-')) {
        return None;
    }
    behind(text, value, name::telling(&text[name..value], None)?, true)
}

/// The name that ends before `end`, and the word before it.
fn name_before(text: &str, end: usize, done: usize) -> Option<(&str, Option<&str>)> {
    let bytes = text.as_bytes();
    let word = |end: usize| {
        let mut start = end;
        while start > done && end - start < name::MAX_BYTES && is_name(bytes[start - 1]) {
            start -= 1;
        }
        start
    };
    let start = word(end);
    // `open secrets/password: permission denied`: a path names no value.
    if start == end || (start > done && bytes[start - 1] == b'/') {
        return None;
    }
    let before = (start > done && bytes[start - 1] == b' ').then(|| &text[word(start - 1)..start - 1]);
    Some((&text[start..end], before.filter(|word| !word.is_empty())))
}

/// The value that begins at or shortly after `at`, when it is a secret.
fn behind(text: &str, at: usize, telling: Telling, is_close: bool) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut start = at;
    while start < bytes.len() && start - at < 4 && matches!(bytes[start], b' ' | b'\t') {
        start += 1;
    }
    let backslashes = bytes[start..].iter().take(3).take_while(|byte| **byte == b'\\').count();
    let quote = bytes.get(start + backslashes).copied().filter(|byte| is_quote(*byte));
    if quote.is_some() {
        start += backslashes + 1;
    }
    // `Authorization: Basic …`: the scheme tells the reader something, and is no secret.
    if telling == Telling::Header
        && let Some(length) = name::scheme(&text[start..])
    {
        let end = value_end(bytes, start + length, quote, backslashes, usize::MAX);
        return (end > start + length).then_some((start + length, end));
    }
    let looked = value_end(bytes, start, quote, backslashes, LOOK_BYTES);
    let mut edge = looked;
    while !text.is_char_boundary(edge) {
        edge -= 1;
    }
    if !telling.is_secret(&text[start..edge], is_close) {
        return None;
    }
    let end = match telling {
        // A cookie is a list of pairs.
        Telling::Cookie if quote.is_none() => line_end(bytes, start),
        _ => value_end(bytes, start, quote, backslashes, usize::MAX),
    };
    Some((start, end))
}

/// Where the value ends that begins at `start`, or where `most` bytes end.
fn value_end(bytes: &[u8], start: usize, quote: Option<u8>, backslashes: usize, most: usize) -> usize {
    let limit = bytes.len().min(start.saturating_add(most));
    let mut at = start;
    match quote {
        Some(quote) => {
            while at < limit && bytes[at] != quote && bytes[at] != b'\n' {
                if bytes[at] == b'\\' {
                    // In text that is quoted itself the closing quote has a backslash, too.
                    if backslashes > 0 {
                        break;
                    }
                    at += 1;
                }
                at += 1;
            }
            at = at.min(limit);
            // A backslash may have stood before a character of several bytes.
            while at < bytes.len() && bytes[at] & 0xC0 == 0x80 {
                at += 1;
            }
        }
        None => {
            while at < limit && !is_value_edge(bytes[at]) {
                at += 1;
            }
            // `(password=x)`: the bracket is not the value's.
            while at > start + 1
                && at < start.saturating_add(most)
                && matches!(bytes[at - 1], b')' | b']' | b'}')
            {
                at -= 1;
            }
        }
    }
    at
}

fn line_end(bytes: &[u8], start: usize) -> usize {
    let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r') || is_quote(*byte);
    bytes[start..].iter().position(is_end).map_or(bytes.len(), |length| start + length)
}

/// The password of a URL, or a user so long that it is a token: `at` is the place of the `:` of `://`.
fn url_password(text: &str, at: usize, done: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    if !text[at..].starts_with("://") || at == done || !bytes[at - 1].is_ascii_alphanumeric() {
        return None;
    }
    let start = at + 3;
    let is_end = |byte: &u8| {
        byte.is_ascii_whitespace() || matches!(byte, b'/' | b'?' | b'#' | b'<' | b'>') || is_quote(*byte)
    };
    let length = bytes[start..].iter().position(is_end).unwrap_or(bytes.len() - start);
    let user = &bytes[start..start + length];
    let user = &user[..user.iter().rposition(|byte| *byte == b'@')?];
    match user.iter().position(|byte| *byte == b':') {
        Some(colon) => Some((start + colon + 1, start + user.len())),
        None => (user.len() >= 20 && !user.contains(&b'@')).then_some((start, start + user.len())),
    }
}

/// The name in an e-mail address; `at` is the place of its `@`.
fn email(bytes: &[u8], at: usize, done: usize) -> Option<(usize, usize)> {
    let is_local =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-');
    let mut start = at;
    while start > done && at - start < 64 && is_local(bytes[start - 1]) {
        start -= 1;
    }
    let is_host = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let host = bytes[at + 1..].iter().take(255).take_while(is_host).count();
    let host = &bytes[at + 1..at + 1 + host];
    let dot = host.iter().rposition(|byte| *byte == b'.' && !host.ends_with(b"."))?;
    let is_name = dot > 0 && host.len() - dot > 2 && host[dot + 1..].iter().all(u8::is_ascii_alphabetic);
    (is_name && start < at).then_some((start, at))
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

fn is_value_edge(byte: u8) -> bool {
    byte.is_ascii_whitespace() || is_quote(byte) || matches!(byte, b',' | b';' | b'&' | b'\\' | b'<' | b'>')
}

#[cfg(test)]
mod tests;
