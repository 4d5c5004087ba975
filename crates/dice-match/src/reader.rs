//! Peeling a raw line: one source's lines, in order.
//!
//! A line is peeled in layers: what carries it (syslog, a container's log), then what the program wrote
//! around its message. Each layer is JSON, pairs, a known header, or a guess at an unknown one.

mod automaton;
mod cleaning;
mod formats;
mod guess;
mod json;
mod logfmt;
mod moment;
mod pairs;
mod spans;

use std::borrow::Cow;

use dice_catalog::Level;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::Envelope;
use automaton::{Automaton, Found, Scratch};
use cleaning::text;
use formats::{Kind, Part, ROWS, Rest, Row};
use guess::Time;
use moment::Clock;

/// How many headers may stand around a message.
const DEEPEST: usize = 3;

/// A header format: its name on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format(pub(crate) &'static str);

/// Formats that are no row of the table.
const OTHERS: &[&str] = &["json", "logfmt", "generic", "bare"];

impl Format {
    /// The format called `name`.
    pub fn named(name: &str) -> Option<Format> {
        Format::names().find(|known| *known == name).map(Format)
    }

    /// The names of all formats, in the order in which they are tried.
    ///
    /// `generic` is a header that is guessed, `bare` a line that is all message.
    pub fn names() -> impl Iterator<Item = &'static str> {
        let mut last = "";
        let rows = ROWS.iter().map(|row| row.name);
        // Rows that share a name follow each other.
        let rows = rows.filter(move |name| std::mem::replace(&mut last, name) != *name);
        OTHERS[..2].iter().copied().chain(rows).chain(OTHERS[2..].iter().copied())
    }

    /// The format's name.
    pub fn name(self) -> &'static str {
        self.0
    }
}

/// What is known of a source from outside.
#[derive(Debug, Clone)]
pub struct ReaderSettings {
    /// The header format, instead of finding out.
    pub format: Option<Format>,
    /// The zone of times that do not tell theirs.
    pub zone: TimeZone,
    /// The year of times that do not tell theirs; otherwise it is told from `near`.
    pub year: Option<i16>,
    /// A moment at or shortly after the last line was written: a file's modification time, or now.
    pub near: Timestamp,
}

/// Peels the lines of one source. It remembers the format that the source has shown.
#[derive(Debug)]
pub struct Reader {
    forced: Option<Format>,
    clock: Clock,
    scratch: Scratch,
    /// The header that the source has shown, for each layer.
    sticky: [Option<Found>; DEEPEST],
    /// How many lines showed each format.
    shown: Vec<(&'static str, u64)>,
    n_lines: u64,
    /// The place that a panic's first line named: the next line is its message.
    panicked_at: Option<(String, Option<u32>)>,
    /// The innermost header of the last line that had one.
    last: Option<&'static str>,
}

impl Reader {
    /// A reader that has not seen a line.
    pub fn new(settings: ReaderSettings) -> Reader {
        let ReaderSettings { format, zone, year, near } = settings;
        Reader {
            forced: format,
            clock: Clock::new(zone, year, near),
            scratch: Scratch::default(),
            sticky: [None; DEEPEST],
            shown: Vec::new(),
            n_lines: 0,
            panicked_at: None,
            last: None,
        }
    }

    /// Says that lines may now be as late as `near`: a source may go on for years.
    pub fn move_to(&mut self, near: Timestamp) {
        self.clock.move_to(near);
    }

    /// Peels one line, given without its line end.
    pub fn read<'a>(&mut self, line: &'a [u8]) -> Envelope<'a> {
        self.n_lines += 1;
        let envelope = match cleaning::cleaned(line) {
            Cow::Borrowed(line) => self.layer(line, 0),
            Cow::Owned(line) => self.layer(&line, 0).into_owned(),
        };
        if let Some(format) = envelope.format {
            self.last = Some(format);
            match self.shown.iter_mut().find(|(known, _)| *known == format) {
                Some((_, n_lines)) => *n_lines += 1,
                None => self.shown.push((format, 1)),
            }
        }
        envelope
    }

    /// The format that the source has shown, and why it was chosen.
    pub fn shown(&self) -> Option<(Format, String)> {
        if let Some(format) = self.forced {
            return Some((format, "it was asked for".to_owned()));
        }
        // The first of the most frequent.
        let (format, n_lines) = self.shown.iter().rev().max_by_key(|(_, n_lines)| *n_lines)?;
        let reason = format!("{n_lines} of {} lines have its header", self.n_lines);
        Some((Format(format), reason))
    }

    /// Peels what `depth` headers were already taken off.
    fn layer<'a>(&mut self, line: &'a [u8], depth: usize) -> Envelope<'a> {
        let panicked_at = self.panicked_at.take();
        let forced = self.forced.filter(|_| depth == 0).map(|format| format.0);
        let bare = || Envelope { message: line.into(), ..Envelope::default() };
        if depth >= DEEPEST || forced == Some("bare") {
            return bare();
        }
        if let Some(envelope) = self.structured(line, depth, forced) {
            return envelope;
        }
        let mut envelope = match forced {
            Some("generic") => self.guessed(line),
            Some(name) => self.known(line, Some(name), depth).map(|(envelope, _)| envelope),
            None => self.found(line, depth),
        }
        .unwrap_or_else(bare);
        if envelope.format.is_none() {
            envelope.is_continuation = self.goes_on(line);
            envelope.level = guess::said_level(line);
            if let Some((file, line)) = panicked_at {
                envelope.format = Some("rust-panic");
                envelope.level = Some(Level::Critical);
                envelope.file = Some(file.into());
                envelope.line = line;
                envelope.is_continuation = false;
            }
        }
        envelope
    }

    /// Peels the header that the source has shown, or a known one, or one that is guessed.
    fn found<'a>(&mut self, line: &'a [u8], depth: usize) -> Option<Envelope<'a>> {
        if let Some(found) = self.sticky[depth]
            && let Some(envelope) = self.headed(line, &found, depth)
            && !found.row.gives_way(&envelope)
        {
            return Some(envelope);
        }
        let Some((envelope, found)) = self.known(line, None, depth) else { return self.guessed(line) };
        if found.row.gives_way(&envelope) {
            let is_longer = |guessed: &Envelope<'_>| guessed.message.len() < envelope.message.len();
            return Some(self.guessed(line).filter(is_longer).unwrap_or(envelope));
        }
        if let Some(sticky) = Automaton::shared().sticky(&found) {
            self.sticky[depth] = Some(sticky);
        }
        Some(envelope)
    }

    /// Peels a known header.
    fn known<'a>(
        &mut self,
        line: &'a [u8],
        name: Option<&str>,
        depth: usize,
    ) -> Option<(Envelope<'a>, Found)> {
        let found = Automaton::shared().find(line, name, &mut self.scratch)?;
        Some((self.headed(line, &found, depth)?, found))
    }

    /// Peels a header of no known format.
    fn guessed<'a>(&mut self, line: &'a [u8]) -> Option<Envelope<'a>> {
        let guess = guess::guess(line)?;
        Some(Envelope {
            message: line[guess.message..].into(),
            uncut: Some(line.into()),
            format: Some("generic"),
            time: match guess.time {
                Some(Time::Written(written)) => self.clock.moment(&written),
                Some(Time::Moment(moment)) => Some(moment),
                Some(Time::Uptime) | None => None,
            },
            level: guess.level,
            service: guess.service.map(text),
            pid: guess.pid.map(text),
            target: guess.target.map(text),
            function: guess.function.map(text),
            file: guess.file.map(text),
            line: guess.line,
            ..Envelope::default()
        })
    }

    /// Peels a line of names and values.
    fn structured<'a>(&mut self, line: &'a [u8], depth: usize, forced: Option<&str>) -> Option<Envelope<'a>> {
        let start = line.trim_ascii_start();
        let start = start.strip_prefix(b"@cee:").unwrap_or(start).trim_ascii_start();
        let (pairs, is_logfmt) = match start.first()? {
            b'{' if forced.is_none_or(|name| name == "json") => {
                // Strings of a line that is not UTF-8 are no JSON; they are as good as any log text.
                if std::str::from_utf8(start).is_err() {
                    let lossy = text(start).into_owned();
                    return self.structured(lossy.as_bytes(), depth, forced).map(Envelope::into_owned);
                }
                (json::pairs(start)?, false)
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'@' | b'_' if forced.is_none_or(|name| name == "logfmt") => {
                (logfmt::pairs(start)?, true)
            }
            _ => return None,
        };
        let (mut envelope, is_raw) = pairs::envelope(pairs, &mut self.clock)?;
        if is_logfmt {
            envelope.format = Some("logfmt");
        } else if is_raw {
            return Some(self.inner(envelope, depth));
        }
        Some(envelope)
    }

    /// Peels the message of `outer`, which is a line in its own right.
    fn inner<'a>(&mut self, mut outer: Envelope<'a>, depth: usize) -> Envelope<'a> {
        match std::mem::take(&mut outer.message) {
            Cow::Borrowed(message) => self.layer(message, depth + 1).inside(outer),
            Cow::Owned(message) => self.layer(&message, depth + 1).into_owned().inside(outer),
        }
    }

    /// Peels one header; `None` when the line has another.
    fn headed<'a>(&mut self, line: &'a [u8], found: &Found, depth: usize) -> Option<Envelope<'a>> {
        let row = found.row;
        let mut envelope = Envelope { format: Some(row.name), ..Envelope::default() };
        let clock = &mut self.clock;
        let mut is_certain = !row.is_loose();
        let nil = |part: &[u8]| part == b"-";
        let message =
            Automaton::shared().parts(found, line, &mut self.scratch, |meaning, part| match meaning {
                Part::Time => {
                    envelope.time = moment::scan(part).and_then(|(_, written)| clock.moment(&written));
                    is_certain |= envelope.time.is_some();
                }
                Part::GlogTime => {
                    envelope.time = moment::scan_glog(part).and_then(|written| clock.moment(&written));
                }
                Part::Epoch => envelope.time = moment::since_epoch(part),
                Part::Level => envelope.level = level(part.trim_ascii()),
                Part::Priority => envelope.level = priority(part),
                Part::Host => envelope.host = Some(text(part)).filter(|_| !nil(part)),
                Part::Service => envelope.service = Some(text(part)).filter(|_| !nil(part)),
                Part::Pid => envelope.pid = Some(text(part)).filter(|_| !nil(part)),
                Part::Target => envelope.target = Some(text(part)),
                Part::Function => envelope.function = Some(text(part)),
                Part::File => envelope.file = Some(text(part)),
                Part::Line => envelope.line = text(part).parse().ok(),
                Part::MessageId => envelope.message_id = Some(text(part)).filter(|_| !nil(part)),
                Part::Wholeness => envelope.is_partial = part == b"P",
                Part::LevelOrMore => {
                    envelope.is_continuation =
                        [&b"DETAIL"[..], b"HINT", b"STATEMENT", b"CONTEXT", b"QUERY", b"LOCATION"]
                            .contains(&part);
                    envelope.level = level(part).filter(|_| !envelope.is_continuation);
                }
                Part::Message => {}
            })?;
        if row.kind == Kind::LooseTransport && envelope.host.as_deref().is_some_and(is_no_host) {
            return None;
        }
        let rest = &line[message..];
        envelope.message = rest.into();
        match row.rest {
            Rest::Plain => {}
            Rest::Spans => {
                if let Some(traced) = spans::traced(rest) {
                    envelope.target = Some(text(traced.target));
                    envelope.file = traced.file.map(text);
                    envelope.line = traced.line;
                    envelope.message = rest[traced.message..].into();
                }
            }
            Rest::TargetLast => {
                if let Some((message, target)) = split_target(rest) {
                    envelope.message = message.into();
                    envelope.target = Some(text(target));
                }
            }
            Rest::PlaceLast => {
                envelope.level = Some(Level::Critical);
                if let Some((message, file, line)) = split_place(rest) {
                    envelope.message = message.into();
                    envelope.file = Some(text(file));
                    envelope.line = Some(line);
                }
            }
            Rest::DurationLast => match without_duration(rest) {
                Some(message) => envelope.message = message.into(),
                None => return None,
            },
            Rest::NextLine => {
                envelope.level = Some(Level::Critical);
                envelope.is_partial = true;
                let file = envelope.file.clone().unwrap_or_default().into_owned();
                self.panicked_at = Some((file, envelope.line));
            }
        }
        if row.kind == Kind::Access {
            envelope.message = line.into();
            envelope.is_access = true;
        }
        if !is_certain {
            envelope.uncut = Some(line.into());
        }
        if row.is_transport() {
            let is_octal = envelope.host.is_some() || envelope.service.is_some();
            if is_octal {
                envelope.message = cleaning::octal_decoded(envelope.message);
            }
            // Senders put a byte order mark here, too.
            if let Cow::Borrowed(message) = envelope.message {
                envelope.message = message.strip_prefix(b"\xef\xbb\xbf").unwrap_or(message).into();
            }
            return Some(self.inner(envelope, depth));
        }
        Some(envelope)
    }

    /// Whether a line without a header goes on with the message before it.
    fn goes_on(&self, line: &[u8]) -> bool {
        match self.last {
            Some("postgres") => line.starts_with(b"\t"),
            Some("tracing-pretty") => line.starts_with(b"    at ") || line.starts_with(b"    in "),
            _ => {
                line.starts_with(b"\tat ") || line.starts_with(b"\t... ") || line.starts_with(b"Caused by: ")
            }
        }
    }
}

impl Row {
    /// Whether a guess that finds more than this row did is the better one.
    fn gives_way(&self, envelope: &Envelope<'_>) -> bool {
        match self.rest {
            // A time and a level are not much to tell the format by.
            Rest::Spans | Rest::TargetLast => envelope.target.is_none(),
            _ => self.gives_way && envelope.file.is_none(),
        }
    }
}

/// Whether what stands where a host stands in a syslog file is something else: a level, a number.
fn is_no_host(host: &str) -> bool {
    Level::from_word(host).is_some() || host.bytes().all(|b| b.is_ascii_digit())
}

/// The level that a word, a letter or a sign means.
fn level(written: &[u8]) -> Option<Level> {
    Some(match written {
        b"T" => Level::Trace,
        b"D" | b"V" | b"." | b"-" | b"D1" | b"D2" | b"D3" | b"D4" | b"D5" => Level::Debug,
        b"I" => Level::Info,
        b"N" | b"*" => Level::Notice,
        b"W" | b"#" => Level::Warning,
        b"E" => Level::Error,
        b"F" | b"C" | b"A" => Level::Critical,
        b"System" | b"Note" => Level::Info,
        _ => {
            // `ERROR+2` is two above.
            let word = written.iter().position(|b| b"+-".contains(b)).map_or(written, |at| &written[..at]);
            return Level::from_word(std::str::from_utf8(word).ok()?);
        }
    })
}

fn priority(written: &[u8]) -> Option<Level> {
    let number: u32 = text(written).parse().ok()?;
    Level::from_syslog((number % 8) as u8).filter(|_| number < 192)
}

/// Splits `message (target)`.
fn split_target(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let open = memchr::memrchr(b'(', rest)?;
    let target = rest[open + 1..].strip_suffix(b")")?;
    let message = rest[..open].strip_suffix(b" ")?;
    let is_name =
        !target.is_empty() && target.iter().all(|b| b.is_ascii_alphanumeric() || b"_.$".contains(b));
    is_name.then_some((message, target))
}

/// Splits `message', file:line:column`.
fn split_place(rest: &[u8]) -> Option<(&[u8], &[u8], u32)> {
    let end = memchr::memmem::rfind(rest, b"', ")?;
    let mut parts = rest[end + 3..].splitn(3, |b| *b == b':');
    let file = parts.next()?;
    let line = text(parts.next()?).parse().ok()?;
    Some((&rest[..end], file, line))
}

/// Splits ` +2ms` off.
fn without_duration(rest: &[u8]) -> Option<&[u8]> {
    let at = memchr::memmem::rfind(rest, b" +")?;
    let digits = rest[at + 2..].iter().take_while(|b| b.is_ascii_digit()).count();
    let unit = &rest[at + 2 + digits..];
    (digits > 0 && [&b"ms"[..], b"s", b"m", b"h"].contains(&unit)).then_some(&rest[..at])
}
