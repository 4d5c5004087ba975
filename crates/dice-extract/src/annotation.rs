//! Owners named by the comment that follows a call.
//!
//! ```text
//! comment    = ("//" | "/*") ["/" | "!" | "*" | "<"]* blanks annotation blanks ["*/"]
//! annotation = [ key (":" | "=") ] owner { separator owner } [ boundary free-text ]
//! owner      = "#channel" | "@handle" | "@org/team" | a@b.c | "<a@b.c>" | Some Name "<a@b.c>"
//!            | name, after a key
//! ```

use std::ops::Range;

/// How far a comment may stand from its call, in bytes: generated lines may be endless.
const REACH_BYTES: usize = 1024;
/// How many calls may stand between a comment and a call.
const REACH_CALLS: usize = 32;
/// How much of a comment is read.
const READ_BYTES: usize = 4096;
/// How many owners one call can name.
const MAX_OWNERS: usize = 32;

/// The owners named by the comments that follow the call ending at `end` (the offset just past its closing
/// parenthesis), on the same line; only closing punctuation and the other `calls` may stand between.
///
/// `calls` are the byte ranges of all log calls of the file, by start. Owners come in the order of the text,
/// each once: `#channel`, `@handle`, `@org/team` or an e-mail address.
pub(crate) fn after_call(text: &[u8], end: usize, calls: &[Range<usize>]) -> Vec<String> {
    let mut owners: Vec<String> = Vec::new();
    let mut at = end;
    let (mut gap, mut skipped) = (0, 0);
    while let Some(rest) = text.get(at..) {
        match rest {
            [b'/', b'/', ..] => {
                let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                add(&mut owners, &rest[..length]);
                break;
            }
            [b'/', b'*', ..] => {
                let inside = memchr::memmem::find(&rest[2..], b"*/").unwrap_or(rest.len() - 2);
                let comment = &rest[..2 + inside];
                add(&mut owners, comment);
                if memchr::memchr(b'\n', comment).is_some() {
                    break;
                }
                at += inside + 4;
            }
            [b';' | b',' | b')' | b'}' | b' ' | b'\t' | b'\r' | 0x0b | 0x0c | b'\\', ..]
                if gap < REACH_BYTES =>
            {
                gap += 1;
                at += 1;
            }
            // The comments of another call are its own, where this one has some.
            _ if owners.is_empty() && skipped < REACH_CALLS => match call_at(calls, at) {
                Some(after) if text.get(at..after).is_some_and(|call| !call.contains(&b'\n')) => {
                    skipped += 1;
                    at = after;
                }
                _ => break,
            },
            _ => break,
        }
    }
    owners
}

/// Where the call that starts at `at` ends.
fn call_at(calls: &[Range<usize>], at: usize) -> Option<usize> {
    let first = calls.partition_point(|call| call.start < at);
    let here = calls[first..].iter().take(REACH_CALLS).take_while(|call| call.start == at);
    here.map(|call| call.end).max().filter(|end| *end > at)
}

fn add(owners: &mut Vec<String>, comment: &[u8]) {
    for owner in named(comment) {
        if owners.len() < MAX_OWNERS && !owners.contains(&owner) {
            owners.push(owner);
        }
    }
}

/// The owners that a comment names; it comes with its opening marks and without its closing ones.
fn named(comment: &[u8]) -> Vec<String> {
    let is_block = comment.starts_with(b"/*");
    let mut text = &comment[2..];
    if is_block {
        // A second star may adorn the end.
        while let [rest @ .., b'*'] = text {
            text = rest;
        }
    } else {
        // A backslash there joins the lines of a macro.
        text = text.strip_suffix(b"\r").unwrap_or(text);
        text = text.strip_suffix(b"\\").unwrap_or(text);
    }
    while let [b'/' | b'!' | b'*' | b'<', rest @ ..] = text {
        // `<` may open a doc comment of Doxygen's, and an e-mail address.
        if text[0] == b'<' && email(text).is_some() {
            break;
        }
        text = rest;
    }
    text = unblanked(text);
    if let Some(head) = text.get(..READ_BYTES) {
        // A name that is cut is another name.
        text = &head[..head.iter().rposition(u8::is_ascii_whitespace).unwrap_or(0)];
    }
    let key = key(text);
    text = &text[key..];
    list(text, key > 0)
}

/// The owners that `text` opens with.
fn list(mut text: &[u8], keyed: bool) -> Vec<String> {
    let mut owners = Vec::new();
    // A word is a name after a key, or after a separator that is not a blank.
    let mut bare_allowed = keyed;
    while owners.len() < MAX_OWNERS {
        let Some((name, length)) = owner(text, bare_allowed) else {
            break;
        };
        owners.push(name);
        let (skip, separated) = separator(&text[length..]);
        if skip == 0 {
            break;
        }
        text = &text[length + skip..];
        bare_allowed = keyed && separated;
    }
    owners
}

/// The length of `key:` or `key =` and the blanks around; 0 when the text does not open with one.
fn key(text: &[u8]) -> usize {
    const KEYS: &str = "cc contact dice notify on-call oncall owner owners page team";
    let length = text.iter().take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'-').count();
    if !is_among(KEYS, &text[..length]) {
        return 0;
    }
    let rest = unblanked(&text[length..]);
    match rest {
        [b':' | b'=', rest @ ..] => text.len() - unblanked(rest).len(),
        _ => 0,
    }
}

/// The length of what stands between two owners, and whether it is more than blanks.
fn separator(text: &[u8]) -> (usize, bool) {
    let mut rest = text;
    let mut separated = false;
    loop {
        let unblanked = unblanked(rest);
        let after_blank = unblanked.len() < rest.len();
        rest = match unblanked {
            [b',' | b';' | b'|' | b'&' | b'+', rest @ ..] => rest,
            [b'a' | b'A', b'n' | b'N', b'd' | b'D', rest @ ..]
                if after_blank && rest.first().is_some_and(u8::is_ascii_whitespace) =>
            {
                rest
            }
            _ => return (text.len() - unblanked.len(), separated),
        };
        separated = true;
    }
}

/// The owner that `text` opens with, and its length.
fn owner(text: &[u8], bare_allowed: bool) -> Option<(String, usize)> {
    let (name, length) = match text.first()? {
        b'#' => channel(text)?,
        b'@' => handle(text)?,
        _ => match email(text).or_else(|| identity(text)) {
            Some(found) => found,
            None if bare_allowed => bare(text)?,
            None => return None,
        },
    };
    is_boundary(&text[length..]).then_some((name, length))
}

/// Whether a token may end before `rest`.
fn is_boundary(rest: &[u8]) -> bool {
    match rest {
        [] | [b',' | b';' | b'|' | b')' | b'!' | b'?', ..] => true,
        [b'.' | b':', rest @ ..] => rest.first().is_none_or(u8::is_ascii_whitespace),
        // Glued separators need an owner behind them: `#c+` may be anything.
        [b'&' | b'+', rest @ ..] => matches!(unblanked(rest), [b'#' | b'@' | b'<', ..]),
        [byte, ..] => byte.is_ascii_whitespace(),
    }
}

/// `#name`, as Slack allows it, unless it looks like something else.
fn channel(text: &[u8]) -> Option<(String, usize)> {
    let is_name = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    let name = run(&text[1..], is_name);
    let known = (1..=80).contains(&name.len())
        && name[0].is_ascii_alphanumeric()
        && name.iter().any(u8::is_ascii_lowercase)
        && !is_ordinal(name)
        && !is_colour(name)
        && !is_among(PREPROCESSOR, name);
    known.then(|| (owned(&text[..1 + name.len()]), 1 + name.len()))
}

/// `1st`, `22nd`, `515th`.
fn is_ordinal(name: &[u8]) -> bool {
    let digits = run(name, u8::is_ascii_digit).len();
    digits > 0 && matches!(&name[digits..], b"st" | b"nd" | b"rd" | b"th")
}

/// `1a2b3c`: the digits of a colour or of a hash. Without a decimal digit it is a word.
fn is_colour(name: &[u8]) -> bool {
    matches!(name.len(), 3 | 4 | 6 | 8)
        && name.iter().all(u8::is_ascii_hexdigit)
        && name.iter().any(u8::is_ascii_digit)
}

/// What follows a `#` that is no channel.
const PREPROCESSOR: &str = "\
    define elif elifdef elifndef else embed endif endregion error ident if ifdef ifndef import include \
    include_next line pragma region undef warning";

/// `@name` or `@org/team`, unless a tool reads it.
fn handle(text: &[u8]) -> Option<(String, usize)> {
    let first = name(&text[1..])?;
    let mut length = 1 + first.len();
    if text.get(length) == Some(&b'/') {
        length += 1 + name(&text[length + 1..])?.len();
    } else if is_tag(first) {
        return None;
    }
    Some((owned(&text[..length]), length))
}

/// A name as handles have it, with a letter in it and a letter or digit at both ends.
fn name(text: &[u8]) -> Option<&[u8]> {
    let mut name = run(text, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
    while let [rest @ .., b'.' | b'_' | b'-'] = name {
        name = rest;
    }
    let known = (1..=63).contains(&name.len())
        && name[0].is_ascii_alphanumeric()
        && name.iter().any(u8::is_ascii_alphabetic)
        && !is_address(name);
    known.then_some(name)
}

/// `0x7f00`: a place in memory.
fn is_address(name: &[u8]) -> bool {
    matches!(name, [b'0', b'x' | b'X', digits @ ..] if digits.iter().all(u8::is_ascii_hexdigit))
}

/// Whether tools for documentation, tests or lints read `@name`.
fn is_tag(name: &[u8]) -> bool {
    is_among(TAGS, name)
}

/// Words that follow an `@` and are nobody's name, in lower case.
const TAGS: &str = "\
    abstract addtogroup arg async attention author authors autoreleasepool brief bug callback catch class \
    code cond constructor copydoc copyright date def default defgroup deprecated desc description details \
    dontinline else elseif end endcode endcond endif endlink endverbatim enum error eslint-disable \
    eslint-disable-line eslint-disable-next-line event example exception expect export extends \
    fallthrough file fileoverview final finally fixme flow formatter function generated global group hack \
    hide id if ignore implementation implements import in include ingroup inheritdoc inline interface \
    internal invariant kind lends license link mainpage member memberof method mixin module name \
    namespace noinspection nolint noreturn note nullable optional out override overview package page par \
    param parblock post pre private property protected protocol public readonly ref related remark \
    remarks removed requires result return returns retval sa safe section see selector since snippet \
    static struct subsection summary suppress suppresswarnings swagger synthesize template test testonly \
    this throw throws todo tparam try ts-expect-error ts-ignore ts-nocheck type typedef union unittest \
    unsafe unused usage var variable verbatim version virtual warn warning xxx yield";

/// `a@b.c` or `<a@b.c>`.
fn email(text: &[u8]) -> Option<(String, usize)> {
    let opened = usize::from(text.first() == Some(&b'<'));
    let text = &text[opened..];
    let local = run(text, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'+' | b'%' | b'\'')
    });
    if local.is_empty() || !local[0].is_ascii_alphanumeric() || text.get(local.len()) != Some(&b'@') {
        return None;
    }
    let mut domain =
        run(&text[local.len() + 1..], |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    if opened == 0 {
        while let [rest @ .., b'.' | b'-'] = domain {
            domain = rest;
        }
    }
    let length = local.len() + 1 + domain.len();
    let closed = opened == 0 || text.get(length) == Some(&b'>');
    (closed && is_domain(domain)).then(|| (owned(&text[..length]), length + 2 * opened))
}

/// Two or more labels, the last of letters; `4.17.x` is a version.
fn is_domain(domain: &[u8]) -> bool {
    let mut labels = domain.rsplit(|byte| *byte == b'.');
    let top = labels.next().unwrap_or_default();
    let (mut n_labels, mut has_letter) = (0, false);
    for label in labels {
        n_labels += 1;
        has_letter |= label.iter().any(u8::is_ascii_alphabetic);
        if label.is_empty() || label[0] == b'-' || label[label.len() - 1] == b'-' {
            return false;
        }
    }
    n_labels > 0 && has_letter && !top.is_empty() && top.iter().all(u8::is_ascii_alphabetic)
}

/// `Some Name <a@b.c>`, as git writes people: the address counts.
fn identity(text: &[u8]) -> Option<(String, usize)> {
    const MAX_WORDS: usize = 6;
    let mut rest = text;
    for n_words in 0..=MAX_WORDS {
        if rest.first() == Some(&b'<') && n_words > 0 {
            let (name, length) = email(rest)?;
            return Some((name, text.len() - rest.len() + length));
        }
        let word = run(rest, |byte| {
            byte.is_ascii_alphanumeric() || !byte.is_ascii() || matches!(byte, b'.' | b'-' | b'\'' | b'_')
        });
        let after = unblanked(&rest[word.len()..]);
        let glued = after.len() + word.len() == rest.len();
        if word.is_empty() || glued || is_prose(word) {
            return None;
        }
        rest = after;
    }
    None
}

/// A word that a key makes a name: `owner: alice`.
fn bare(text: &[u8]) -> Option<(String, usize)> {
    let name = name(text)?;
    (name[0].is_ascii_alphabetic() && !is_prose(name) && !is_tag(name))
        .then(|| (format!("@{}", owned(name)), name.len()))
}

/// Whether a word makes a sentence of what could be a name.
fn is_prose(word: &[u8]) -> bool {
    const WORDS: &str = "\
        a all an and as ask at be bug but by caller cc contact do e-mail email false fixed fixme for from \
        has if in is it its mail n no nobody none not null of on or our patch per reported see self set \
        some suggested tbd tell thanks that the their then there these they this to todo true unknown \
        until via was we when where which who will with write yes you";
    is_among(WORDS, word)
}

/// Whether `word` is one of the `words`, which blanks separate; upper case counts as lower case.
fn is_among(words: &str, word: &[u8]) -> bool {
    words.split(' ').any(|known| known.as_bytes().eq_ignore_ascii_case(word))
}

fn run(text: &[u8], belongs: impl Fn(&u8) -> bool) -> &[u8] {
    &text[..text.iter().take_while(|byte| belongs(byte)).count()]
}

fn unblanked(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|byte| byte.is_ascii_whitespace()).count()..]
}

/// Owners are ASCII, apart from the names that are left out.
fn owned(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

#[cfg(test)]
mod tests;
