//! The lines of one source, in order.

use crate::{Envelope, Limits, Matcher, Reader, ReaderSettings, Scratch, Verdict};

/// Classifies the lines of one source, in order.
#[derive(Debug)]
pub struct Stream<'m> {
    matcher: &'m Matcher,
    limits: Limits,
    reader: Reader,
    scratch: Scratch,
    lines: u64,
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
        Stream { matcher, limits, reader: Reader::new(settings), scratch: Scratch::default(), lines: 0 }
    }

    /// Classifies the next line, given without its line end.
    pub fn next<'l>(&mut self, line: &'l [u8]) -> Answer<'l> {
        self.lines += 1;
        let cut = line.len() > self.limits.line_bytes;
        let line = &line[..line.len().min(self.limits.line_bytes)];
        let envelope = self.reader.read(line);
        let verdict = self.matcher.classify(&envelope, &mut self.scratch);
        Answer { line: self.lines, envelope, verdict, continues: None, cut }
    }

    /// The reader, to ask which format the source has shown.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }
}
