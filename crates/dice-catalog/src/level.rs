//! How serious a message is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How serious a message is. Every logger's own levels are mapped to these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Below debug.
    Trace,
    /// For who writes the program.
    Debug,
    /// Normal operation.
    Info,
    /// Normal but significant.
    Notice,
    /// Something may be wrong.
    Warning,
    /// Something is wrong.
    Error,
    /// Fatal, panic, alert, emergency.
    Critical,
}

impl Level {
    /// All levels, least serious first.
    pub const ALL: [Level; 7] = [
        Level::Trace,
        Level::Debug,
        Level::Info,
        Level::Notice,
        Level::Warning,
        Level::Error,
        Level::Critical,
    ];

    /// The word used in files and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Trace => "trace",
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Notice => "notice",
            Level::Warning => "warning",
            Level::Error => "error",
            Level::Critical => "critical",
        }
    }

    /// The level a word means, whatever its case: `WARN`, `err`, `debug2`, `emerg`.
    ///
    /// Only whole words of known loggers are understood; prefixes such as `LOG_` are the caller's to strip.
    pub fn from_word(word: &str) -> Option<Level> {
        let mut lower = [0u8; 16];
        let lower = lower.get_mut(..word.len())?;
        lower.copy_from_slice(word.as_bytes());
        lower.make_ascii_lowercase();
        Some(match &*lower {
            b"trace" | b"trc" | b"trce" | b"finest" | b"devel" => Level::Trace,
            b"debug" | b"dbg" | b"debg" | b"verbose" | b"verb" | b"fine" | b"finer" | b"debug1"
            | b"debug2" | b"debug3" | b"debug4" | b"debug5" => Level::Debug,
            b"info" | b"inf" | b"information" | b"informational" | b"log" | b"hint" | b"detail"
            | b"config" | b"note" | b"message" => Level::Info,
            b"notice" => Level::Notice,
            b"warning" | b"warn" | b"wrn" | b"warnings" => Level::Warning,
            b"error" | b"err" | b"erro" | b"severe" | b"errors" => Level::Error,
            b"critical" | b"crit" | b"alert" | b"emerg" | b"emergency" | b"fatal" | b"panic" | b"abort"
            | b"ftl" | b"pnc" | b"dpanic" => Level::Critical,
            _ => return None,
        })
    }

    /// The level of a syslog severity: 0 is an emergency, 7 is debug.
    pub fn from_syslog(severity: u8) -> Option<Level> {
        Some(match severity {
            0..=2 => Level::Critical,
            3 => Level::Error,
            4 => Level::Warning,
            5 => Level::Notice,
            6 => Level::Info,
            7 => Level::Debug,
            _ => return None,
        })
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Level;

    #[track_caller]
    fn check(word: &str, level: Option<Level>) {
        assert_eq!(Level::from_word(word), level);
    }

    #[test]
    fn words_of_many_loggers() {
        check("WARN", Some(Level::Warning));
        check("Err", Some(Level::Error));
        check("debug3", Some(Level::Debug));
        check("verbose", Some(Level::Debug));
        check("emerg", Some(Level::Critical));
        check("login", None);
        check("", None);
        check("a word that is far too long to be a level", None);
    }

    #[test]
    fn own_words_are_understood() {
        for level in Level::ALL {
            check(level.as_str(), Some(level));
        }
    }
}
