//! What was printed around a message.

use std::borrow::Cow;

use dice_catalog::Level;
use jiff::Timestamp;

/// What was printed around a message, and the message itself.
///
/// A field is `None` when no layer of the line tells it. Where several layers do, the inner one wins for
/// level, target, file and line, the outer one for host; the innermost valid time is the event's.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Envelope<'a> {
    /// What is left: the text that a statement printed, structured fields that follow it included.
    pub message: Cow<'a, [u8]>,
    /// The text that `message` was cut from, when the cut is only a good guess: a statement may print a
    /// level word or a time by itself. `None` when the header is certain, and when there is none.
    pub uncut: Option<Cow<'a, [u8]>>,
    /// The name of the innermost header that was recognised; `None` when the line has no known header and
    /// `message` is the whole line.
    pub format: Option<&'static str>,
    /// When it happened.
    pub time: Option<Timestamp>,
    /// How serious it is.
    pub level: Option<Level>,
    /// The machine.
    pub host: Option<Cow<'a, str>>,
    /// The program, unit or container.
    pub service: Option<Cow<'a, str>>,
    /// The process, as printed.
    pub pid: Option<Cow<'a, str>>,
    /// The logger's name, target or module.
    pub target: Option<Cow<'a, str>>,
    /// The function that logged.
    pub function: Option<Cow<'a, str>>,
    /// The source file, as printed: often only its last part.
    pub file: Option<Cow<'a, str>>,
    /// The line in `file`.
    pub line: Option<u32>,
    /// An identifier that stands literally in the source: `AH00035`, `MY-010068`.
    pub message_id: Option<Cow<'a, str>>,
    /// Structured fields that are not part of the message, name and value, in order. Only formats that
    /// carry them apart (JSON, logfmt, journald) fill it.
    pub fields: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// A line that is not a log message at all, an access log's for instance: never matched.
    pub is_access: bool,
    /// The line ended before the message did: another record of the same stream goes on with it.
    pub is_partial: bool,
    /// The header says that the line continues the message before it (postgres `DETAIL:`, a tab).
    pub is_continuation: bool,
}

impl<'a> Envelope<'a> {
    /// The envelope with every text copied, so that it outlives the line.
    pub fn into_owned(self) -> Envelope<'static> {
        fn bytes(text: Cow<'_, [u8]>) -> Cow<'static, [u8]> {
            Cow::Owned(text.into_owned())
        }
        fn text(text: Option<Cow<'_, str>>) -> Option<Cow<'static, str>> {
            text.map(|text| Cow::Owned(text.into_owned()))
        }
        let fields = self.fields.into_iter();
        Envelope {
            message: bytes(self.message),
            uncut: self.uncut.map(bytes),
            host: text(self.host),
            service: text(self.service),
            pid: text(self.pid),
            target: text(self.target),
            function: text(self.function),
            file: text(self.file),
            message_id: text(self.message_id),
            fields: fields
                .map(|(name, value)| (name.into_owned().into(), value.into_owned().into()))
                .collect(),
            ..Envelope {
                format: self.format,
                time: self.time,
                level: self.level,
                line: self.line,
                is_access: self.is_access,
                is_partial: self.is_partial,
                is_continuation: self.is_continuation,
                ..Envelope::default()
            }
        }
    }

    /// Puts the envelope, found inside the message of `outer`, into it.
    pub(crate) fn inside(mut self, outer: Envelope<'a>) -> Envelope<'a> {
        self.uncut = self.uncut.or(outer.uncut);
        self.format = self.format.or(outer.format);
        self.time = self.time.or(outer.time);
        self.level = self.level.or(outer.level);
        self.pid = self.pid.or(outer.pid);
        self.target = self.target.or(outer.target);
        self.function = self.function.or(outer.function);
        if self.file.is_none() {
            (self.file, self.line) = (outer.file, outer.line);
        }
        self.message_id = self.message_id.or(outer.message_id);
        self.host = outer.host.or(self.host);
        self.service = outer.service.or(self.service);
        self.fields.extend(outer.fields);
        self.is_partial |= outer.is_partial;
        self.is_continuation |= outer.is_continuation;
        self
    }
}
