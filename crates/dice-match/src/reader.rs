//! Peeling a raw line: one source's lines, in order.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::Envelope;

/// A header format: its name on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format(pub(crate) &'static str);

impl Format {
    /// The format called `name`.
    pub fn named(name: &str) -> Option<Format> {
        let _ = name;
        None
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        self.0
    }

    /// The names of all formats, in the order in which they are tried.
    pub fn names() -> impl Iterator<Item = &'static str> {
        [].into_iter()
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
    settings: ReaderSettings,
}

impl Reader {
    /// A reader that has not seen a line.
    pub fn new(settings: ReaderSettings) -> Reader {
        Reader { settings }
    }

    /// Peels one line, given without its line end.
    pub fn read<'a>(&mut self, line: &'a [u8]) -> Envelope<'a> {
        let _ = &self.settings;
        Envelope { message: line.into(), ..Envelope::default() }
    }

    /// The format that the source has shown, and why it was chosen.
    pub fn shown(&self) -> Option<(Format, String)> {
        None
    }
}
