//! The lines of one source, in order.

use crate::{Envelope, Limits, Matcher, Reader, ReaderSettings, Scratch, Strength, Verdict};

/// Classifies the lines of one source, in order.
#[derive(Debug)]
pub struct Stream<'m> {
    matcher: &'m Matcher,
    limits: Limits,
    reader: Reader,
    scratch: Scratch,
    lines: u64,
    message: Option<Message>,
    has_header: bool,
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
    /// The line told where a program panicked; the next one tells why.
    is_panic: bool,
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
            lines: 0,
            message: None,
            has_header: false,
        }
    }

    /// Classifies the next line, given without its line end.
    pub fn next<'l>(&mut self, line: &'l [u8]) -> Answer<'l> {
        self.lines += 1;
        let cut = line.len() > self.limits.line_bytes;
        let line = &line[..line.len().min(self.limits.line_bytes)];
        let envelope = self.reader.read(line);
        let is_blank = envelope.message.trim_ascii().is_empty();
        self.has_header |= envelope.format.is_some();
        let verdict = match self.own_verdict(&envelope, is_blank) {
            Some(own) => own,
            None => {
                let message = self.message.as_mut().expect("only a message can be continued");
                message.n_lines += 1;
                message.n_texts += usize::from(!is_blank);
                message.is_partial = envelope.is_partial;
                message.is_panic = false;
                let verdict = message.verdict.clone();
                let continues = Some(message.line);
                return Answer { line: self.lines, envelope, verdict, continues, cut };
            }
        };
        self.message = Some(Message {
            line: self.lines,
            verdict: verdict.clone(),
            n_lines: 1,
            n_texts: usize::from(!is_blank),
            is_partial: envelope.is_partial,
            is_panic: panic_place(&envelope.message).is_some(),
        });
        Answer { line: self.lines, envelope, verdict, continues: None, cut }
    }

    /// The verdict of a line that starts a message; `None` for a line that continues one.
    fn own_verdict(&mut self, envelope: &Envelope<'_>, is_blank: bool) -> Option<Verdict> {
        let text = &*envelope.message;
        if let Some((file, line)) = panic_place(text) {
            let entries = self.matcher.at_place(file, line);
            return Some(match entries.is_empty() {
                true => Verdict::default(),
                false => Verdict { strength: Strength::Strong, entries, ..Verdict::default() },
            });
        }
        let message =
            self.message.as_ref().filter(|message| message.n_lines < self.limits.continuation_lines);
        let Some(message) = message else {
            // A headerless line of a source that has headers belongs to a message that is too long by now.
            let is_rest = self.message.is_some() && self.has_header && envelope.format.is_none();
            return Some(self.matcher.classify_from(envelope, !is_rest, &mut self.scratch));
        };
        if message.is_partial || envelope.is_continuation {
            return None;
        }
        if envelope.format.is_some() {
            return Some(self.matcher.classify(envelope, &mut self.scratch));
        }
        if message.is_panic {
            return None;
        }
        if self.has_header {
            let expects_it = message.verdict.strength == Strength::Strong
                && message
                    .verdict
                    .entries
                    .iter()
                    .take(4)
                    .any(|&entry| self.matcher.continues(entry, message.n_texts, text));
            if is_blank || expects_it {
                return None;
            }
            let verdict = self.matcher.classify_from(envelope, false, &mut self.scratch);
            return (verdict.strength == Strength::Strong).then_some(verdict);
        }
        let verdict = self.matcher.classify(envelope, &mut self.scratch);
        let continues = verdict.strength < Strength::Strong && !is_blank && is_inner_line(text);
        (!continues).then_some(verdict)
    }

    /// The reader, to ask which format the source has shown.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }
}

/// Whether a line looks like one of a stack trace or another indented text.
fn is_inner_line(text: &[u8]) -> bool {
    text[0] == b'\t' || text.starts_with(b"  ") || text.starts_with(b"Caused by:")
}

/// The place that the first line of a Rust panic tells: `thread 'main' panicked at src/main.rs:10:5:`, or,
/// by older toolchains, `thread 'main' panicked at 'why', src/main.rs:10:5`.
fn panic_place(text: &[u8]) -> Option<(&str, u32)> {
    if !text.starts_with(b"thread '") {
        return None;
    }
    let at = memchr::memmem::find(&text[..text.len().min(1024)], b" panicked at ")?;
    let place = std::str::from_utf8(&text[at + b" panicked at ".len()..]).ok()?.trim_end();
    let place = match place.starts_with('\'') {
        true => place.rsplit_once("', ")?.1,
        false => place.strip_suffix(':')?,
    };
    let (place, column) = place.rsplit_once(':')?;
    let (file, line) = place.rsplit_once(':')?;
    column.parse::<u32>().ok()?;
    Some((file, line.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::panic_place;

    #[test]
    fn panics_tell_their_place() {
        let new = b"thread 'tokio-1' (812) panicked at src/a.rs:10:5:";
        assert_eq!(panic_place(new), Some(("src/a.rs", 10)));
        let old = b"thread 'main' panicked at 'it's late', src/a.rs:10:5";
        assert_eq!(panic_place(old), Some(("src/a.rs", 10)));
        assert_eq!(panic_place(b"thread 'main' started"), None);
        assert_eq!(panic_place(b""), None);
    }
}
