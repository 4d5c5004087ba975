//! What sort of text a statement prints.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What sort of text a statement prints, and so whether lines are matched against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// To a log: syslog, a log file, a logging library.
    Log,
    /// To standard error, without a logging library.
    Stderr,
    /// To standard output: a command's answer more often than a log.
    Stdout,
    /// A last message before the program ends.
    Fatal,
    /// A failed assertion.
    Assert,
    /// The name of a span, which stands before the messages inside it.
    Span,
    /// The text of an error value, printed later by somebody else.
    Errtext,
    /// A piece of text put together for another statement.
    Fragment,
}

impl Kind {
    /// All kinds, in the order of the file format's documentation.
    pub const ALL: [Kind; 8] = [
        Kind::Log,
        Kind::Stderr,
        Kind::Stdout,
        Kind::Fatal,
        Kind::Assert,
        Kind::Span,
        Kind::Errtext,
        Kind::Fragment,
    ];

    /// The word used in files and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Log => "log",
            Kind::Stderr => "stderr",
            Kind::Stdout => "stdout",
            Kind::Fatal => "fatal",
            Kind::Assert => "assert",
            Kind::Span => "span",
            Kind::Errtext => "errtext",
            Kind::Fragment => "fragment",
        }
    }

    /// Whether whole lines are matched against statements of this kind by default.
    pub fn is_matched_by_default(self) -> bool {
        matches!(self, Kind::Log | Kind::Stderr | Kind::Fatal | Kind::Assert)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
