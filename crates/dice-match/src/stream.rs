//! The lines of one source, in order.

use std::sync::Arc;

use dice_catalog::Level;
use jiff::Timestamp;
use serde::de::IgnoredAny;

use crate::source::{Belief, Source};
use crate::{Envelope, Limits, Matcher, Reader, ReaderSettings, Scratch, Strength, Verdict};

/// Classifies the lines of one source, in order.
#[derive(Debug)]
pub struct Stream<'m> {
    matcher: &'m Matcher,
    limits: Limits,
    reader: Reader,
    scratch: Scratch,
    source: Source,
    lines: u64,
    message: Option<Message>,
    /// Who wrote the first line of `message`.
    writer: Writer,
    /// What the ranges of its values lie in; empty when it has none.
    first_text: Vec<u8>,
    /// Lines whose header is certain.
    n_certain: u64,
    /// Lines whose header tells a time, and lines with a header.
    n_timed: u64,
    n_headed: u64,
}

/// The message that the last line belongs to.
#[derive(Debug)]
struct Message {
    line: u64,
    verdict: Verdict,
    /// Lines of it so far.
    n_lines: usize,
    /// Those that are not blank.
    n_texts: usize,
    /// The last line ended before the message did.
    is_partial: bool,
    /// Rust's panic handler printed it.
    is_panic: bool,
    level: Option<Level>,
    time: Option<Timestamp>,
    /// What its first line told, from the first further line on.
    first: Option<Arc<Envelope<'static>>>,
}

/// Who wrote a line, as far as the line tells; what is empty is not told.
#[derive(Debug, Default)]
struct Writer {
    host: String,
    service: String,
    pid: String,
}

/// What a line is to the message before it.
enum Role {
    /// It starts a message of its own.
    Starts(Verdict),
    /// It goes on with the message.
    Continues,
}

/// What is said of one line.
#[derive(Debug, Clone, Default)]
pub struct Answer<'l> {
    /// The line's number, counted from 1.
    pub line: u64,
    /// What was printed around the message.
    pub envelope: Envelope<'l>,
    /// What can have printed it; for a line that continues a message, the verdict of its first line.
    pub verdict: Verdict,
    /// The number of the line that the message began on, when it was an earlier one.
    pub continues: Option<u64>,
    /// What that line told, where there is one: its level, time, host, service and process, and the message
    /// that the ranges of the verdict's values lie in. Nothing else of it is kept.
    pub first: Option<Arc<Envelope<'static>>>,
    /// The line was longer than the limit and was cut.
    pub cut: bool,
}

impl<'m> Stream<'m> {
    /// A stream that has not seen a line.
    pub fn new(matcher: &'m Matcher, settings: ReaderSettings, limits: Limits) -> Stream<'m> {
        Stream {
            matcher,
            limits,
            reader: Reader::new(settings),
            scratch: Scratch::default(),
            source: Source::new(),
            lines: 0,
            message: None,
            writer: Writer::default(),
            first_text: Vec::new(),
            n_certain: 0,
            n_timed: 0,
            n_headed: 0,
        }
    }

    /// Classifies the next line, given without its line end.
    pub fn next<'l>(&mut self, line: &'l [u8]) -> Answer<'l> {
        self.lines += 1;
        let cut = line.len() > self.limits.line_bytes;
        let line = &line[..line.len().min(self.limits.line_bytes)];
        let envelope = self.reader.read(line);
        let envelope = self.certain(envelope, line);
        let is_blank = envelope.message.trim_ascii().is_empty();
        self.n_certain += u64::from(envelope.format.is_some() && envelope.uncut.is_none());
        let role = self.role(&envelope, is_blank);
        let line = self.lines;
        match (role, &mut self.message) {
            (Role::Continues, Some(message)) => {
                message.n_lines += 1;
                message.n_texts += usize::from(!is_blank);
                message.is_partial = envelope.is_partial;
                let first = message.first.get_or_insert_with(|| {
                    Arc::new(Envelope {
                        message: self.first_text.clone().into(),
                        level: message.level,
                        time: message.time,
                        ..self.writer.envelope()
                    })
                });
                Answer {
                    line,
                    envelope,
                    verdict: message.verdict.clone(),
                    continues: Some(message.line),
                    first: Some(Arc::clone(first)),
                    cut,
                }
            }
            (Role::Continues, None) => Answer { line, envelope, cut, ..Answer::default() },
            (Role::Starts(verdict), message) => {
                self.writer.set(&envelope);
                self.first_text.clear();
                if !verdict.values.is_empty() {
                    self.first_text.extend_from_slice(&envelope.message);
                }
                *message = Some(Message {
                    line,
                    verdict: verdict.clone(),
                    n_lines: 1,
                    n_texts: usize::from(!is_blank),
                    is_partial: envelope.is_partial,
                    is_panic: envelope.format == Some("rust-panic"),
                    level: envelope.level,
                    time: envelope.time,
                    first: None,
                });
                Answer { line, envelope, verdict, cut, ..Answer::default() }
            }
        }
    }

    /// `envelope`, or that of a line without a header when the source's other headers tell that what looks
    /// like one is text.
    fn certain<'l>(&mut self, envelope: Envelope<'l>, line: &'l [u8]) -> Envelope<'l> {
        let Some(format) = envelope.format else { return envelope };
        let tells_time = envelope.time.is_some();
        let has_own_time = self.n_timed >= 4 && self.n_timed * 2 > self.n_headed;
        let is_text = has_own_time && !tells_time && !matches!(format, "rust-panic" | "json");
        self.n_timed += u64::from(tells_time);
        self.n_headed += 1;
        if is_text && !envelope.is_continuation && !envelope.is_access {
            return Envelope { message: line.into(), ..Envelope::default() };
        }
        envelope
    }

    fn role(&mut self, envelope: &Envelope<'_>, is_blank: bool) -> Role {
        let text = &*envelope.message;
        let message =
            self.message.as_ref().filter(|message| message.n_lines < self.limits.continuation_lines);
        let is_said = message.is_some_and(|message| {
            message.is_partial || envelope.is_continuation || message.is_panic && is_panic_line(text)
        });
        if is_said && self.writer.can_have_written(envelope) {
            return Role::Continues;
        }
        if let (Some("rust-panic"), true, Some(file), Some(line)) =
            (envelope.format, envelope.is_partial, envelope.file.as_deref(), envelope.line)
        {
            // The line tells the place; only the next one tells why.
            let entries = self.matcher.panics_at(file, line);
            let strength = if entries.is_empty() { Strength::None } else { Strength::Strong };
            return Role::Starts(Verdict { strength, entries, ..Verdict::default() });
        }
        if envelope.format.is_some() || self.source.header(text) > 0 {
            let belief = self.source.belief(envelope);
            // A header that was learnt is one that the source writes.
            self.n_certain += u64::from(envelope.format.is_none());
            let verdict = self.classified(envelope, belief);
            if !is_blank && !envelope.is_access {
                self.source.learn(envelope, self.scratch.was_sure);
            }
            return Role::Starts(verdict);
        }
        match message {
            Some(message) if self.has_header() => {
                let (expected, allowed) = self.goes_on(message, text, is_blank);
                if expected {
                    return Role::Continues;
                }
                let allowed = allowed && !is_json_object(text);
                if is_blank {
                    return if allowed { Role::Continues } else { Role::Starts(Verdict::default()) };
                }
                // Programs print without a header, too, what they want to be seen as it is.
                let verdict = self.matcher.classify_from(
                    envelope,
                    Belief { floats: false, ..Belief::default() },
                    &mut self.scratch,
                );
                match verdict.strength {
                    Strength::Strong => Role::Starts(verdict),
                    _ if allowed => Role::Continues,
                    _ => Role::Starts(Verdict::default()),
                }
            }
            Some(message) => {
                let verdict = self.matcher.classify(envelope, &mut self.scratch);
                if let Some(start) = self.scratch.start {
                    self.source.learn_start(&text[..start]);
                }
                let is_inner = verdict.strength < Strength::Strong
                    && !is_blank
                    && is_inner_line(text)
                    && self.goes_on(message, text, is_blank).1;
                if is_inner { Role::Continues } else { Role::Starts(verdict) }
            }
            // In a source that has headers the rest of a message that is too long by now.
            None => {
                let belief = Belief { floats: !self.has_header(), ..Belief::default() };
                Role::Starts(self.classified(envelope, belief))
            }
        }
    }

    /// Which statements can have printed the message; what stands before it is remembered.
    fn classified(&mut self, envelope: &Envelope<'_>, belief: Belief) -> Verdict {
        let verdict = self.matcher.classify_from(envelope, belief, &mut self.scratch);
        if let Some(start) = self.scratch.start {
            self.source.learn_start(&envelope.message[..start.min(envelope.message.len())]);
        }
        verdict
    }

    /// Whether the source writes headers: a few lines of another program among many bare ones do not tell.
    fn has_header(&self) -> bool {
        self.n_certain * 8 >= self.lines || self.n_headed * 2 > self.lines
    }

    /// Whether `text`, which has no header, is expected as the next line of `message`, and whether it may be.
    fn goes_on(&self, message: &Message, text: &[u8], is_blank: bool) -> (bool, bool) {
        if message.verdict.strength < Strength::Strong {
            return (false, true);
        }
        let entries = || message.verdict.entries.iter().take(4).copied();
        let expected = entries().any(|entry| self.matcher.continues(entry, message.n_texts, text));
        let has_more = entries().any(|entry| self.matcher.has_more(entry, message.n_texts));
        if is_blank {
            return (false, has_more || entries().any(|entry| self.matcher.is_open(entry)));
        }
        // The first further line of a value has a word; a picture does not belong to the line before it.
        let is_value = message.n_texts > 1 || text.iter().filter(|b| b.is_ascii_alphanumeric()).count() > 2;
        let is_open = |entry| self.matcher.is_open(entry) || self.matcher.is_open_at(entry, message.n_texts);
        (expected, is_value && entries().any(is_open))
    }

    /// Says that lines may now be as late as `near`: a source may go on for years.
    pub fn move_to(&mut self, near: Timestamp) {
        self.reader.move_to(near);
    }

    /// The reader, to ask which format the source has shown.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }
}

impl Writer {
    /// Becomes the writer of the line of `envelope`. The texts keep their memory: this is done for each message.
    fn set(&mut self, envelope: &Envelope<'_>) {
        let Writer { host, service, pid } = self;
        for (own, told) in [(host, &envelope.host), (service, &envelope.service), (pid, &envelope.pid)] {
            own.clear();
            own.push_str(told.as_deref().unwrap_or_default());
        }
    }

    /// An envelope that tells the writer and nothing else.
    fn envelope(&self) -> Envelope<'static> {
        let told = |text: &String| Some(text.clone().into()).filter(|_| !text.is_empty());
        Envelope {
            host: told(&self.host),
            service: told(&self.service),
            pid: told(&self.pid),
            ..Envelope::default()
        }
    }

    /// Whether nothing that both lines tell speaks against the line of `envelope` being by the same writer.
    fn can_have_written(&self, envelope: &Envelope<'_>) -> bool {
        let Writer { host, service, pid } = self;
        [(host, &envelope.host), (service, &envelope.service), (pid, &envelope.pid)]
            .into_iter()
            .all(|(own, told)| own.is_empty() || told.as_deref().is_none_or(|told| told == own))
    }
}

/// Whether a line is one whole JSON object: a record of its own, though its message was not found.
fn is_json_object(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    text.starts_with(b"{") && text.ends_with(b"}") && serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

/// Whether a line is one that Rust's panic handler prints behind the message: what two sides of an assertion
/// were, a note, the stack.
fn is_panic_line(text: &[u8]) -> bool {
    let inner = text.trim_ascii_start();
    if inner.len() == text.len() {
        let starts = [
            &b"note: run with `RUST_BACKTRACE="[..],
            b"note: Run with `RUST_BACKTRACE=",
            b"note: Some details are omitted",
            b"stack backtrace:",
        ];
        return starts.iter().any(|start| text.starts_with(start));
    }
    let n_digits = inner.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_frame = n_digits > 0 && inner[n_digits..].starts_with(b": ");
    is_frame || [&b"at "[..], b"left: ", b"right: "].iter().any(|start| inner.starts_with(start))
}

/// Whether a line looks like one of a stack trace or another indented text.
fn is_inner_line(text: &[u8]) -> bool {
    text[0] == b'\t' || text.starts_with(b"  ") || text.starts_with(b"Caused by:")
}

#[cfg(test)]
mod tests {
    use dice_catalog::Catalog;
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    use super::Stream;
    use crate::{Limits, Matcher, ReaderSettings, Strength};

    const CATALOG: &str = r#"{"dice_catalog":1,"tool":"dice","repos":[{"name":"r","commit":null,"history":"none","url":null}]}
{"fingerprint":"00000000000000000000000000000000","repo":"r","file":"src/disk.c","line":10,"language":"c","kind":"log","callee":"say","level":"notice","template":[{"text":"disk full on "},{"hole":"text"}]}
{"fingerprint":"00000000000000000000000000000000","repo":"r","file":"src/disk.c","line":20,"language":"c","kind":"log","callee":"say","level":"notice","template":[{"text":"volume unmounted"}]}
{"fingerprint":"00000000000000000000000000000000","repo":"r","file":"src/disk.c","line":30,"language":"c","kind":"log","callee":"say","level":"notice","template":[{"text":"report of volume "},{"hole":"int"},{"text":"\n  blocks: "},{"hole":"int"},{"text":"\n  end\n"}]}
{"fingerprint":"00000000000000000000000000000000","repo":"r","file":"src/disk.c","line":50,"language":"c","kind":"log","callee":"say","level":"notice","template":[{"text":"loading "},{"hole":"text"}]}
{"fingerprint":"00000000000000000000000000000000","repo":"r","file":"src/disk.c","line":60,"language":"c","kind":"log","callee":"say","level":"notice","template":[{"hole":"text"},{"text":": wp=%"},{"hole":"uint"}]}
{"fingerprint":"00000000000000000000000000000000","repo":"r","file":"src/disk.c","line":70,"language":"c","kind":"log","callee":"say","level":"notice","template":[{"text":"rule of line "},{"hole":"int"},{"text":" left out:\n  "},{"hole":"text"},{"text":"\n  wanted a list"}]}
{"fingerprint":"00000000000000000000000000000000","repo":"r","file":"src/main.rs","line":40,"language":"rust","kind":"fatal","callee":"panic","level":"critical","template":[{"text":"no disk called "},{"hole":"text"}]}
{"fingerprint":"00000000000000000000000000000000","repo":"r","file":"src/main.rs","line":44,"language":"rust","kind":"log","callee":"info","level":"info","template":[{"text":"mounted volume "},{"hole":"text"}]}
"#;

    /// Each line of `story` is a log line, `->`, and what is said: the source line of the statement, and
    /// the line that it continues.
    #[track_caller]
    fn check(story: &str) {
        with_stream(|stream, matcher| tell(stream, matcher, story));
    }

    /// Does `work` with a stream that has seen nothing.
    fn with_stream(work: impl FnOnce(&mut Stream<'_>, &Matcher)) {
        let catalog = Catalog::parse(CATALOG.as_bytes()).unwrap();
        let matcher = Matcher::new(vec![catalog], &Limits::default()).unwrap();
        let near = Timestamp::from_second(1_795_000_000).unwrap();
        let settings = ReaderSettings { format: None, zone: TimeZone::UTC, year: None, near };
        let limits = Limits { continuation_lines: 8, ..Limits::default() };
        work(&mut Stream::new(&matcher, settings, limits), &matcher);
    }

    #[track_caller]
    fn tell(stream: &mut Stream<'_>, matcher: &Matcher, story: &str) {
        for (number, told) in story.lines().map(|line| line.split_once(" -> ").unwrap()).enumerate() {
            let (line, wanted) = told;
            let line = line.replace("TIME", "17:M 20 Nov 2026 15:39:21.407 *");
            let answer = stream.next(line.as_bytes());
            let mut said = match answer.verdict.strength {
                Strength::Strong => matcher.entry(answer.verdict.entries[0]).statement.line.to_string(),
                Strength::Weak | Strength::None => "unknown".to_owned(),
            };
            if let Some(first) = answer.continues {
                said += &format!(" of {first}");
            }
            assert_eq!(said, wanted, "line {}: {line}", number + 1);
        }
    }

    #[test]
    fn lines_without_a_header_continue_what_can_go_on() {
        check(
            "TIME disk full on sda -> 10
and sdb -> 10 of 1
TIME volume unmounted -> 20
something on the terminal -> unknown
more of it -> unknown of 4
volume unmounted -> 20
TIME report of volume 7 -> 30
  blocks: 9 -> 30 of 7
  end -> 30 of 7
  end -> unknown",
        );
    }

    #[test]
    fn a_further_line_may_be_only_a_value() {
        check(
            "TIME rule of line 7 left out: -> 70
colour blue -> 70 of 1
  wanted a list -> 70 of 1
TIME rule of line 8 left out: -> 70
  volume unmounted -> 70 of 4
  wanted a list -> 70 of 4",
        );
    }

    #[test]
    fn short_messages_are_believed_where_almost_every_line_is_known() {
        let short = "TIME loading /etc/disk.conf -> unknown\nTIME grow_volume: wp=%7 -> unknown\n";
        let believed = short.replace("unknown\nTIME", "50\nTIME").replace("%7 -> unknown", "%7 -> 60");
        let known = "TIME volume unmounted -> 20\n".repeat(60);
        check(&format!("{short}{known}{believed}TIME a b: c=%x -> unknown\nloading x -> unknown of 65"));
        let foreign = "TIME hello -> unknown\n".repeat(60);
        check(&format!("{foreign}{short}{known}{foreign}{short}"));
    }

    #[test]
    fn an_unknown_header_is_learnt() {
        let known: String = (1..=60).map(|n| format!("@{n:x}/7 (W) => volume unmounted -> 20\n")).collect();
        check(&format!(
            "{known}@61/7 (N) => loading /etc/disk.conf -> 50
@62/7 (N) => disk full on sda -> 10
and sdb -> 10 of 62
@63/7 (N) => hello -> unknown"
        ));
    }

    #[test]
    fn a_json_object_is_a_message_of_its_own() {
        check(
            r#"{"ts":1,"level":"info","msg":"disk full on sda"} -> 10
{"ts":1,"lvl":30,"message":{"nested":1}} -> unknown
{"__REALTIME_TIMESTAMP":"1795000000000000","MESSAGE":null} -> unknown
{} -> unknown
{"ts":1,"level":"info","msg":"disk full on sda"} -> 10
{not json} -> 10 of 5
{"half": -> 10 of 5
TIME disk full on sda -> 10
{} -> unknown"#,
        );
    }

    #[test]
    fn a_picture_is_no_value() {
        check("TIME disk full on sda -> 10\n    _._ -> unknown\n  .-`   -> unknown of 2");
    }

    #[test]
    fn a_message_goes_on_for_a_bounded_number_of_lines() {
        let more = "more -> 10 of 1\n".repeat(7);
        check(&format!("TIME disk full on sda -> 10\n{more}more -> unknown\nTIME volume unmounted -> 20"));
    }

    #[test]
    fn without_headers_every_line_stands_alone() {
        check("disk full on sda -> 10\nvolume unmounted -> 20\nhello -> unknown\n\tat home -> unknown of 3");
    }

    #[test]
    fn a_message_is_continued_only_by_who_wrote_it() {
        check(
            "2026-11-20T15:53:20Z web-1 app[1]: thread 'main' panicked at src/main.rs:40:9: -> 40
2026-11-20T15:53:20Z web-1 app[1]: no disk called sda -> 40 of 1
2026-11-20T15:53:20Z web-1 app[1]: thread 'main' panicked at src/main.rs:40:9: -> 40
2026-11-20T15:53:20Z web-2 app[1]: volume unmounted -> 20
2026-11-20T15:53:20Z web-1 app[1]: thread 'main' panicked at src/main.rs:40:9: -> 40
2026-11-20T15:53:20Z web-1 other[2]: volume unmounted -> 20
2026-11-20T15:53:20Z web-1 app[1]: thread 'main' panicked at src/main.rs:40:9: -> 40
2026-11-20T15:53:20Z web-1 app[7]: volume unmounted -> 20
2026-11-20T15:53:20Z web-1 other[2]: \tat home -> unknown",
        );
    }

    #[test]
    fn what_the_panic_handler_prints_goes_on_with_the_panic() {
        check(
            "thread 'main' panicked at src/main.rs:40:9: -> 40
no disk called sda -> 40 of 1
stack backtrace: -> 40 of 1
   0: rust_begin_unwind -> 40 of 1
             at /rustc/0/library/std/src/panicking.rs:662:5 -> 40 of 1
  11: disk::main -> 40 of 1
             at ./src/main.rs:40:9 -> 40 of 1
note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace. -> 40 of 1
volume unmounted -> 20
thread 'main' panicked at src/main.rs:40:9: -> 40
assertion `left == right` failed -> 40 of 10
  left: 1 -> 40 of 10
 right: 2 -> 40 of 10
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace -> 40 of 10
TIME volume unmounted -> 20
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace -> unknown
2026-11-20T15:53:20Z web-1 app[1]: thread 'main' panicked at src/main.rs:40:9: -> 40
2026-11-20T15:53:20Z web-1 app[1]: no disk called sda -> 40 of 17
2026-11-20T15:53:20Z web-1 app[1]: note: run with `RUST_BACKTRACE=1` environment variable -> 40 of 17
2026-11-20T15:53:20Z web-1 app[2]: stack backtrace: -> unknown",
        );
    }

    /// What `line`, which continues `first`, says of its message: level, time, host and values.
    #[track_caller]
    fn check_first(first: &str, line: &str, wanted: &str) {
        with_stream(|stream, _| {
            stream.next(first.as_bytes());
            let answer = stream.next(line.as_bytes());
            let told = answer.first.expect("the line continues the first");
            let values = answer.verdict.values.iter().map(|range| &told.message[range.clone()]);
            let values: Vec<_> = values.map(String::from_utf8_lossy).collect();
            let time = told.time.map(|time| time.to_string()).unwrap_or_default();
            let level = told.level.map_or("", |level| level.as_str());
            let host = told.host.as_deref().unwrap_or_default();
            assert_eq!(format!("{level} {time} {host} {}", values.join("|")), wanted, "{first}");
        });
    }

    #[test]
    fn a_further_line_knows_what_the_first_one_told() {
        check_first(
            "17:M 20 Nov 2026 15:39:21.407 # disk full on sda",
            "and error: sdb",
            "warning 2026-11-20T15:39:21.407Z  sda",
        );
        check_first(
            "2026-11-20T15:53:20Z web-1 app[1]: thread 'main' panicked at src/main.rs:40:9:",
            "2026-11-20T15:53:21Z web-1 app[1]: no disk called sda",
            "critical 2026-11-20T15:53:20Z web-1 ",
        );
    }

    #[test]
    fn a_panic_is_told_by_its_place() {
        check(
            "thread 'main' panicked at src/main.rs:40:9: -> 40
no disk called sda -> 40 of 1
thread 'main' panicked at /rustc/0/library/core/src/main.rs:40:9: -> unknown
volume unmounted -> unknown of 3
thread 'main' panicked at src/main.rs:44:20: -> unknown
index out of bounds: the len is 0 but the index is 1 -> unknown of 5",
        );
    }
}
