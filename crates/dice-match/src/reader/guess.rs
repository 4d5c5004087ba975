//! Headers of programs that nobody has seen.
//!
//! Loggers differ in order and brackets, hardly in parts: a time, a level, numbers of processes and
//! threads, a place in the source, a name. The longest run of such parts at the start of a line is taken
//! for its header. Parts that prose may begin with count only when surer ones follow.

use dice_catalog::Level;
use jiff::Timestamp;

use super::moment::{self, Written};

/// A header has no more parts, and no more bytes.
const MOST_PARTS: usize = 16;
const LONGEST_HEADER: usize = 512;
const LONGEST_NAME: usize = 64;

/// What is guessed of a header.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Guess<'l> {
    pub(super) time: Option<Time>,
    pub(super) level: Option<Level>,
    pub(super) service: Option<&'l [u8]>,
    pub(super) pid: Option<&'l [u8]>,
    pub(super) target: Option<&'l [u8]>,
    pub(super) function: Option<&'l [u8]>,
    pub(super) file: Option<&'l [u8]>,
    pub(super) line: Option<u32>,
    /// Where the message begins.
    pub(super) message: usize,
}

/// A time as a header tells it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Time {
    Written(Written),
    Moment(Timestamp),
    /// Since the program or the machine was started.
    Uptime,
}

/// How much a part says about what stands before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// The header reaches at least to here.
    Sure,
    /// A part of the header if a surer one follows.
    Maybe,
}

/// The longest header made of common parts at the start of `line`.
///
/// `None` unless there is a time, a level or a place among them.
pub(super) fn guess(line: &[u8]) -> Option<Guess<'_>> {
    let text = &line[..line.len().min(LONGEST_HEADER)];
    let indent = text.iter().take_while(|b| **b == b' ').count();
    // Most lines that are no log begin with a word.
    let mut header = Header { text, at: indent, found: Guess::default(), sure: None, is_nested: false };
    for _ in 0..MOST_PARTS {
        let from = header.at;
        let Some(weight) = header.part() else { break };
        header.after_part(from, weight);
    }
    header.sure
}

/// A header that is being read.
struct Header<'l> {
    text: &'l [u8],
    at: usize,
    found: Guess<'l>,
    /// What was found up to the last sure part.
    sure: Option<Guess<'l>>,
    /// Inside brackets, where everything must be a part.
    is_nested: bool,
}

impl<'l> Header<'l> {
    fn rest(&self) -> &'l [u8] {
        &self.text[self.at..]
    }

    /// Whether what was found so far cannot be prose.
    fn has_sure(&self) -> bool {
        self.sure.is_some()
    }

    fn has_anything(&self) -> bool {
        self.found.time.is_some() || self.found.level.is_some() || self.has_sure()
    }

    /// Takes the separators that follow a part.
    fn after_part(&mut self, from: usize, weight: Weight) {
        let part = &self.text[from..self.at];
        let word = part.strip_prefix(b"[").and_then(|part| part.strip_suffix(b"]")).unwrap_or(part);
        let is_padded = word.iter().all(u8::is_ascii_alphabetic);
        while matches!(self.text.get(self.at), Some(b':' | b',' | b'|' | b';' | b'>')) {
            self.at += 1;
        }
        // A message may be indented on purpose: a header pads its level to five letters at most.
        let mut message = self.at;
        let most = if is_padded { 5_usize.saturating_sub(word.len()) + 1 } else { 1 };
        for _ in 0..most {
            message += usize::from(matches!(self.text.get(message), Some(b' ' | b'\t')));
        }
        while matches!(self.text.get(self.at), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        for separator in
            [&b"-"[..], b"--", b"---", b"|", b">", b":", b"::", b"->", b"=>", b"**:", b"\xc2\xbb"]
        {
            if let Some(after) = self.rest().strip_prefix(separator)
                && let Some(b' ' | b'\t') = after.first()
            {
                self.at += separator.len() + 1;
                message = self.at;
                while matches!(self.text.get(self.at), Some(b' ' | b'\t')) {
                    self.at += 1;
                }
                break;
            }
        }
        self.found.message = message;
        if weight == Weight::Sure {
            self.sure = Some(self.found);
        }
    }

    /// Reads one part.
    fn part(&mut self) -> Option<Weight> {
        match self.rest().first()? {
            b'[' => self.bracketed(b']'),
            b'(' => self.bracketed(b')'),
            b'<' => self.bracketed(b'>'),
            b'{' => self.bracketed(b'}'),
            b'0'..=b'9' => self.time().or_else(|| self.number()).or_else(|| self.word()),
            b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'/' | b'.' => {
                self.time().or_else(|| self.level()).or_else(|| self.place()).or_else(|| self.word())
            }
            _ => None,
        }
    }

    /// A time without brackets.
    fn time(&mut self) -> Option<Weight> {
        if self.found.time.is_some() {
            return None;
        }
        let rest = self.rest();
        if let Some((length, written)) = moment::scan(rest) {
            self.at += length;
            self.found.time = Some(Time::Written(written));
            return Some(Weight::Sure);
        }
        let (length, decimals) = decimal(rest);
        let after = rest.get(length);
        // 1970 is long ago; a colon or a fraction shows that it is not any number.
        if length - decimals - usize::from(decimals > 0) == 10 || (length == 13 && decimals == 0) {
            let is_time = matches!(rest[0], b'1' | b'2');
            let is_marked = decimals > 0 || after == Some(&b':') || self.is_nested;
            if is_time && (is_marked || after == Some(&b' ')) {
                self.found.time = Some(Time::Moment(moment::since_epoch(&rest[..length])?));
                self.at += length;
                return Some(if is_marked { Weight::Sure } else { Weight::Maybe });
            }
        }
        if decimals >= 3 && matches!(after, None | Some(b' ' | b':' | b's')) {
            self.at += length + usize::from(after == Some(&b's'));
            self.found.time = Some(Time::Uptime);
            return Some(if self.is_nested { Weight::Sure } else { Weight::Maybe });
        }
        None
    }

    /// Numbers of processes and threads.
    fn number(&mut self) -> Option<Weight> {
        let length = number_length(self.rest());
        let (number, after) = self.rest().split_at(length);
        if length == 0 || !matches!(after.first(), None | Some(b' ' | b'\t' | b':' | b'|' | b',')) {
            return None;
        }
        self.found.pid = self.found.pid.or(Some(number));
        self.at += length;
        // `5 files` is prose; `1234: ` after a time is not.
        let is_marked = after.starts_with(b": ") || self.is_nested;
        Some(if is_marked && self.found.time.is_some() { Weight::Sure } else { Weight::Maybe })
    }

    /// A level without brackets.
    fn level(&mut self) -> Option<Weight> {
        if self.found.level.is_some() {
            return None;
        }
        let rest = self.rest();
        let length = rest.iter().take(16).take_while(|b| b.is_ascii_alphanumeric()).count();
        let (word, after) = rest.split_at(length);
        if let [letter] = word {
            return self.letter(*letter, after);
        }
        let level = level_word(word)?;
        let is_capital = word.iter().all(|b| !b.is_ascii_lowercase());
        let is_unusual = is_unusual_level(word);
        let is_last = after.is_empty();
        let blanks = after.iter().take_while(|b| **b == b' ').count();
        let marked = after[blanks..].first().is_some_and(|b| b":|>".contains(b))
            && !after[blanks..].starts_with(b"::")
            || after.starts_with(b" - ")
            || after.starts_with(b" -- ")
            || after.starts_with(b" **:");
        let is_padded = blanks >= 2 || after.starts_with(b"\t");
        let ends = is_last
            || marked
            || blanks > 0
            || is_padded
            || after.starts_with(b"[")
            || after.starts_with(b",")
            || (is_capital && after.starts_with(b"("));
        if !ends || (is_unusual && !(marked && (is_capital || self.is_nested))) {
            return None;
        }
        let weight = if self.is_nested {
            Weight::Sure
        } else if self.has_anything() || self.found.pid.is_some() {
            match (is_capital, marked || is_padded) {
                (true, _) | (_, true) => Weight::Sure,
                _ => Weight::Maybe,
            }
        } else {
            // `ERROR: x` and `Error - x` are what statements print themselves; `INFO  x` is a logger's.
            let by_logger =
                is_capital && (is_padded || after.starts_with(b" - ") || after.starts_with(b" | "));
            if by_logger { Weight::Sure } else { Weight::Maybe }
        };
        self.found.level = Some(level);
        self.at += length;
        Some(weight)
    }

    /// A level of one letter: beside a time or a number only.
    fn letter(&mut self, letter: u8, after: &[u8]) -> Option<Weight> {
        let is_before_time = || {
            let time = after.strip_prefix(b" ").unwrap_or(after);
            moment::scan(time.strip_prefix(b"[").unwrap_or(time)).is_some()
        };
        let level = level_letter(letter)?;
        if self.found.time.is_none() && !self.is_nested && !is_before_time() {
            return None;
        }
        let is_last = self.is_nested && after.is_empty();
        if !is_last && !after.first().is_some_and(|b| b" :/>|\t[".contains(b)) {
            return None;
        }
        self.at += 1;
        self.at += usize::from(after.starts_with(b"/"));
        self.found.level = Some(level);
        Some(Weight::Sure)
    }

    /// `file.c:123`, perhaps with a function; a word that is none is left alone.
    fn place(&mut self) -> Option<Weight> {
        if self.found.line.is_some() {
            return None;
        }
        let place = place(self.rest())?;
        let after = &self.rest()[place.length..];
        let ends = matches!(after.first(), None | Some(b' ' | b':' | b'|' | b',' | b'\t' | b'-'));
        if !ends && !after.starts_with(b"] ") {
            return None;
        }
        self.found.file = Some(place.file);
        self.found.line = Some(place.line);
        self.found.function = place.function.or(self.found.function);
        self.at += place.length;
        if after.starts_with(b"] ") {
            self.at += 1;
        } else if place.function.is_none() {
            self.function_after_place();
        }
        Some(if self.has_anything() || self.has_sure() { Weight::Sure } else { Weight::Maybe })
    }

    /// `file.c:123: func: `, `file.c:123 func(): `, `file.c:123:func: `.
    fn function_after_place(&mut self) {
        let rest = self.rest();
        let skipped = usize::from(matches!(rest.first(), Some(b' ' | b':')));
        let name = name_length(&rest[skipped..]);
        let (name, after) = rest[skipped..].split_at(name);
        let is_call = after.starts_with(b"()");
        let after_call = if is_call { &after[2..] } else { after };
        let is_function = match after_call {
            // Inside brackets nothing but the function can follow.
            [] => self.is_nested || is_call,
            [b':', b' ', ..] => is_call || skipped == 1,
            [b' ', ..] => is_call,
            _ => false,
        };
        if is_function && !name.is_empty() {
            self.found.function = Some(name);
            self.at += skipped + name.len() + if is_call { 2 } else { 0 };
        }
    }

    /// A word that only its surroundings make a part: a module, a function, a program.
    fn word(&mut self) -> Option<Weight> {
        if !self.has_anything() {
            return self.program();
        }
        let rest = self.rest();
        let length = rest.iter().take(LONGEST_NAME + 1).take_while(|b| !b.is_ascii_whitespace()).count();
        if length > LONGEST_NAME {
            return None;
        }
        let (word, after) = rest.split_at(length);
        // `kid1| x`.
        if let Some(name) = word.strip_suffix(b"|") {
            self.found.target = Some(name);
            self.at += length;
            return Some(Weight::Sure);
        }
        if let Some(id) = word.strip_prefix(b"ThreadId(")
            && id.ends_with(b")")
        {
            self.at += length;
            return Some(Weight::Sure);
        }
        let bare = word.strip_suffix(b":").unwrap_or(word);
        let has_colon = bare.len() < word.len();
        // `unbound[123:0] info: x`, `ntpd[123]: x`, `00[NET] x`.
        if let Some(inside) = bare.strip_suffix(b"]")
            && let Some(open) = memchr::memchr(b'[', inside)
            && open > 0
        {
            let (name, inside) = (&inside[..open], &inside[open + 1..]);
            let is_pid =
                !inside.is_empty() && inside.iter().all(|b| b.is_ascii_digit() || b":.#/".contains(b));
            let is_thread = name.iter().all(u8::is_ascii_digit) && is_name(inside);
            if is_pid && is_name(name) {
                self.found.service = Some(name);
                self.found.pid = Some(inside);
                self.at += length;
                return Some(if has_colon { Weight::Sure } else { Weight::Maybe });
            }
            if is_thread {
                self.found.target = Some(inside);
                self.at += length;
                return Some(Weight::Sure);
            }
        }
        if let Some(name) = bare.strip_suffix(b"()")
            && is_name(name)
        {
            self.found.function = Some(name);
            self.at += length;
            return Some(Weight::Sure);
        }
        let is_followed = after.starts_with(b" - ")
            || after.starts_with(b" | ")
            || after.starts_with(b" > ")
            || after.starts_with(b" -- ")
            || after.starts_with(b" : ");
        let has_path = bare.windows(2).any(|pair| pair == b"::") && is_path(bare);
        if has_path && (has_colon || is_followed || self.is_nested) {
            self.found.target = Some(bare);
            self.at += length;
            return Some(Weight::Sure);
        }
        // `virNetSocketReadWire:1791 : x`.
        if let Some(colon) = memchr::memchr(b':', bare)
            && is_followed
            && is_name(&bare[..colon])
            && let Some(line) = line_number(&bare[colon + 1..])
        {
            self.found.function = Some(&bare[..colon]);
            self.found.line = Some(line);
            self.at += length;
            return Some(Weight::Sure);
        }
        let is_both = self.found.time.is_some() && self.found.level.is_some();
        if is_followed && !has_colon && is_path(bare) {
            self.found.target = self.found.target.or(Some(bare));
            self.at += length;
            return Some(if is_both { Weight::Sure } else { Weight::Maybe });
        }
        if let Some(pid) = word.strip_prefix(b"pid=")
            && pid.iter().all(u8::is_ascii_digit)
        {
            self.found.pid = Some(pid);
            self.at += length;
            return Some(Weight::Maybe);
        }
        // Anything that no prose begins with may stand between a time and a level.
        let is_odd = bare.iter().any(|b| b"/._-@#=()|".contains(b) || b.is_ascii_digit());
        let is_capital = bare.len() > 2 && bare.iter().all(|b| b.is_ascii_uppercase() || *b == b'_');
        if !is_both && (has_colon || is_odd) || self.found.level.is_some() && is_capital {
            self.at += length;
            return Some(Weight::Maybe);
        }
        None
    }

    /// `shop: `, `shop[12] `, `shop `: the program, if a date follows.
    fn program(&mut self) -> Option<Weight> {
        let rest = self.rest();
        let length = rest.iter().take(LONGEST_NAME).take_while(|b| !b.is_ascii_whitespace()).count();
        let (word, after) = rest.split_at(length);
        let time = after.strip_prefix(b" ")?;
        let (_, written) = moment::scan(time.strip_prefix(b"[").unwrap_or(time))?;
        if self.is_nested || !written.has_date() {
            return None;
        }
        let word = word.strip_suffix(b":").unwrap_or(word);
        let name = memchr::memchr(b'[', word).map_or(word, |open| &word[..open]);
        if !is_name(name) {
            return None;
        }
        self.found.service = Some(name);
        self.at += length;
        Some(Weight::Maybe)
    }

    /// A part in brackets.
    fn bracketed(&mut self, close: u8) -> Option<Weight> {
        let rest = self.rest();
        let end = rest.iter().take(LONGEST_NAME * 2).position(|b| *b == close)?;
        let inside = rest[1..end].trim_ascii();
        // `[[x]]` and `[a [b] c]` are nobody's header.
        if inside.is_empty() && self.has_anything() && rest[0] != b'<' {
            self.at += end + 1;
            return Some(Weight::Maybe);
        }
        if inside.is_empty() || self.is_nested || memchr::memchr(rest[0], &rest[1..end]).is_some() {
            return None;
        }
        let weight = self.inside(inside, rest[0])?;
        self.at += end + 1;
        Some(weight)
    }

    fn inside(&mut self, inside: &'l [u8], open: u8) -> Option<Weight> {
        let had_anything = self.has_anything();
        if let Some(level) = self.level_inside(inside) {
            self.found.level = self.found.level.or(Some(level));
            return Some(Weight::Sure);
        }
        // All of it must be parts.
        let mut nested = Header { text: inside, at: 0, found: self.found, sure: None, is_nested: true };
        let mut last = None;
        for _ in 0..MOST_PARTS {
            let from = nested.at;
            let Some(weight) = nested.part() else { break };
            nested.after_part(from, weight);
            last = Some(weight);
        }
        let is_whole = nested.at >= inside.len() && last.is_some();
        let is_place = nested.found.line.is_some() && nested.found.file.is_some();
        if is_whole && (nested.has_sure() || had_anything || is_place) {
            self.found = nested.found;
            return Some(Weight::Sure);
        }
        if nested.found.time.is_some() && self.found.time.is_none() && nested.has_sure() {
            // `[2026/11/20 15:53:32.123,  0, pid=1234]`.
            self.found.time = nested.found.time;
            self.found.level = nested.found.level;
            return Some(Weight::Sure);
        }
        if is_whole && last == Some(Weight::Maybe) {
            return Some(Weight::Maybe);
        }
        if inside.len() > LONGEST_NAME {
            return None;
        }
        // `pid 123`, `pid:123`, `pid=123, tid=124`.
        if inside.starts_with(b"pid") && inside.iter().any(u8::is_ascii_digit) {
            let from = inside.iter().position(u8::is_ascii_digit)?;
            let length = inside[from..].iter().take_while(|b| b.is_ascii_digit()).count();
            self.found.pid = Some(&inside[from..from + length]);
            return Some(if had_anything { Weight::Sure } else { Weight::Maybe });
        }
        // `main@12`.
        if let Some(at) = memchr::memchr(b'@', inside)
            && had_anything
            && self.found.line.is_none()
            && name_length(inside) == at
            && let Some(line) = line_number(&inside[at + 1..])
        {
            self.found.function = Some(&inside[..at]);
            self.found.line = Some(line);
            return Some(Weight::Sure);
        }
        // A name: of a module, of a thread.
        let has_blank = inside.iter().any(u8::is_ascii_whitespace);
        let is_name = !has_blank && inside.iter().all(|b| b.is_ascii_graphic());
        let is_thread = has_blank && inside.iter().any(u8::is_ascii_digit) && inside.len() < 32;
        if had_anything && open != b'<' && (is_name || is_thread) {
            if is_name && self.found.target.is_none() {
                self.found.target = Some(inside);
            }
            return Some(if open == b'[' { Weight::Sure } else { Weight::Maybe });
        }
        (open == b'[' && is_name && self.at == 0).then_some(Weight::Maybe)
    }

    /// The level that stands in brackets, by itself or as `main/INFO`.
    fn level_inside(&self, inside: &[u8]) -> Option<Level> {
        let last = inside.iter().rposition(|b| *b == b'/').map_or(inside, |slash| &inside[slash + 1..]);
        match last {
            [letter] => level_letter(letter.to_ascii_uppercase()),
            b"II" => self.has_anything().then_some(Level::Info),
            b"WW" => self.has_anything().then_some(Level::Warning),
            b"EE" => self.has_anything().then_some(Level::Error),
            _ => level_word(last).filter(|_| self.has_anything() || !is_unusual_level(last)),
        }
    }
}

/// A place in the source.
struct Place<'l> {
    file: &'l [u8],
    line: u32,
    function: Option<&'l [u8]>,
    length: usize,
}

/// Reads `file.c:123`, `file.c(123)`, `file.c.123`, `func@file.c:123`, `7:file.c:123`, `file.c:123(func)`.
fn place(text: &[u8]) -> Option<Place<'_>> {
    let is_path = |b: &u8| b.is_ascii_alphanumeric() || b"_-+./\\@".contains(b) || *b >= 0x80;
    let mut from = text.iter().take(8).take_while(|b| b.is_ascii_digit()).count();
    if from == 0 || text.get(from) != Some(&b':') {
        from = 0;
    } else {
        from += 1;
    }
    let path = text[from..].iter().take(256).take_while(|b| is_path(b)).count();
    let (mut file, after) = text[from..].split_at(path);
    let mut function = None;
    let (line, mut length) = match after.first() {
        Some(b':') | Some(b'(') if is_source(strip_function(file).1) => {
            let digits = digits_length(&after[1..]);
            let is_closed = after[0] == b':' || after.get(1 + digits) == Some(&b')');
            let line = line_number(&after[1..1 + digits]).filter(|_| is_closed)?;
            (line, from + path + 1 + digits + usize::from(after[0] == b'('))
        }
        _ => {
            // `server.c.1464`.
            let dot = memchr::memrchr(b'.', file)?;
            let line = line_number(&file[dot + 1..])?;
            file = &file[..dot];
            is_source(file).then_some((line, from + path))?
        }
    };
    let (before, file) = strip_function(file);
    function = before.or(function);
    // `server.c:1738(main)`.
    if let Some(inside) = text[length..].strip_prefix(b"(") {
        let name = name_length(inside);
        if name > 0 && inside.get(name) == Some(&b')') {
            function = Some(&inside[..name]);
            length += name + 2;
        }
    }
    Some(Place { file, line, function, length })
}

/// Splits `func@file.c`.
fn strip_function(path: &[u8]) -> (Option<&[u8]>, &[u8]) {
    match memchr::memchr(b'@', path) {
        Some(at) => (Some(&path[..at]), &path[at + 1..]),
        None => (None, path),
    }
}

/// Whether a path ends like a source file.
fn is_source(path: &[u8]) -> bool {
    let Some(dot) = memchr::memrchr(b'.', path) else { return false };
    const ENDINGS: &[&[u8]] = &[
        b"c", b"h", b"cc", b"cpp", b"cxx", b"c++", b"hpp", b"hh", b"hxx", b"inc", b"inl", b"ipp", b"rs",
        b"go", b"py", b"java", b"kt", b"scala", b"cu", b"m", b"mm", b"y", b"l", b"ec", b"pc", b"s", b"S",
        b"pl", b"rb", b"lua", b"js", b"ts", b"cs", b"swift", b"zig", b"d", b"C", b"H",
    ];
    dot > 0 && ENDINGS.contains(&&path[dot + 1..])
}

fn digits_length(text: &[u8]) -> usize {
    text.iter().take(9).take_while(|b| b.is_ascii_digit()).count()
}

fn line_number(digits: &[u8]) -> Option<u32> {
    let is_number = (1..=7).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    if is_number { std::str::from_utf8(digits).ok()?.parse().ok() } else { None }
}

fn name_length(text: &[u8]) -> usize {
    let is_first = text.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_');
    let length =
        text.iter().take(LONGEST_NAME * 2).take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
    if is_first { length } else { 0 }
}

/// The length of a number with decimals at the start of `text`, and of its decimals.
fn decimal(text: &[u8]) -> (usize, usize) {
    let whole = text.iter().take(20).take_while(|b| b.is_ascii_digit()).count();
    if whole == 0 || text.get(whole) != Some(&b'.') {
        return (whole, 0);
    }
    let decimals = text[whole + 1..].iter().take(10).take_while(|b| b.is_ascii_digit()).count();
    if decimals == 0 { (whole, 0) } else { (whole + 1 + decimals, decimals) }
}

/// The length of `123`, `0x7f12`, `123:456`, `123#456`, `123/456`, `1-1`.
fn number_length(text: &[u8]) -> usize {
    if text.starts_with(b"0x") {
        let digits = text[2..].iter().take(17).take_while(|b| b.is_ascii_hexdigit()).count();
        return if digits == 0 { 0 } else { 2 + digits };
    }
    let first = text.iter().take(11).take_while(|b| b.is_ascii_digit()).count();
    let second = match text.get(first) {
        Some(b':' | b'#' | b'/' | b'-' | b'.') => {
            text[first + 1..].iter().take(11).take_while(|b| b.is_ascii_digit()).count()
        }
        _ => 0,
    };
    if second > 0 { first + 1 + second } else { first }
}

fn is_name(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|b| b.is_ascii_alphanumeric() || b"_-./".contains(b))
}

fn is_path(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|b| b.is_ascii_alphanumeric() || b"_-./:$<>".contains(b))
}

fn level_word(word: &[u8]) -> Option<Level> {
    if word.len() < 3 { None } else { Level::from_word(std::str::from_utf8(word).ok()?) }
}

/// Words that mean a level to some loggers and begin sentences everywhere.
fn is_unusual_level(word: &[u8]) -> bool {
    const UNUSUAL: &[&[u8]] = &[
        b"log",
        b"hint",
        b"detail",
        b"config",
        b"note",
        b"message",
        b"fine",
        b"abort",
        b"errors",
        b"warnings",
        b"information",
        b"informational",
        b"alert",
        b"devel",
        b"verb",
    ];
    UNUSUAL.iter().any(|unusual| word.eq_ignore_ascii_case(unusual))
}

fn level_letter(letter: u8) -> Option<Level> {
    Some(match letter {
        b'T' => Level::Trace,
        b'D' | b'V' => Level::Debug,
        b'I' => Level::Info,
        b'N' => Level::Notice,
        b'W' => Level::Warning,
        b'E' => Level::Error,
        b'F' | b'C' => Level::Critical,
        _ => return None,
    })
}

/// The level that a statement wrote before its message itself: `error: x`.
pub(super) fn said_level(message: &[u8]) -> Option<Level> {
    let word = message.iter().take(16).take_while(|b| b.is_ascii_alphabetic()).count();
    if !message[word..].starts_with(b": ") || is_unusual_level(&message[..word]) {
        return None;
    }
    level_word(&message[..word])
}
