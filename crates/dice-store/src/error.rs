//! Why the state could not be read or written.

use std::fmt;
use std::path::PathBuf;

use rusqlite::ErrorCode;

/// Why the state could not be read or written. The text says what was wanted and what was found; questions
/// say what can be done.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
}

#[derive(Debug)]
pub(crate) enum ErrorKind {
    /// Another process has the file.
    Taken { file: PathBuf },
    /// The file is not ours.
    Foreign { file: PathBuf },
    /// The file was written by a newer Dice.
    Newer { file: PathBuf, found: i64, known: i64 },
    /// The file could not be made or locked.
    Io { doing: &'static str, file: PathBuf, error: std::io::Error },
    /// SQLite says no.
    Sqlite { doing: &'static str, error: rusqlite::Error },
}

impl Error {
    pub(crate) fn sqlite(doing: &'static str) -> impl FnOnce(rusqlite::Error) -> Error {
        move |error| Error { kind: ErrorKind::Sqlite { doing, error } }
    }

    /// Whether another process has the file open for writing.
    pub fn is_taken(&self) -> bool {
        matches!(self.kind, ErrorKind::Taken { .. })
    }

    /// Whether there is no room left: the same batch can be committed later.
    pub fn is_full(&self) -> bool {
        self.code() == Some(ErrorCode::DiskFull)
    }

    /// Whether the file may only be read.
    pub fn is_read_only(&self) -> bool {
        match &self.kind {
            ErrorKind::Io { error, .. } => {
                matches!(
                    error.kind(),
                    std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem
                )
            }
            _ => matches!(self.code(), Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen)),
        }
    }

    /// Whether the file is damaged, or is none of ours.
    pub fn is_damaged(&self) -> bool {
        matches!(self.kind, ErrorKind::Foreign { .. })
            || matches!(self.code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
    }

    fn code(&self) -> Option<ErrorCode> {
        match &self.kind {
            ErrorKind::Sqlite { error, .. } => error.sqlite_error_code(),
            _ => None,
        }
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Error {
        Error { kind }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ErrorKind::Taken { file } => {
                write!(f, "wanted to write {}, but another process has it open", file.display())
            }
            ErrorKind::Foreign { file } => {
                write!(f, "wanted a state file, found a database of something else in {}", file.display())
            }
            ErrorKind::Newer { file, found, known } => write!(
                f,
                "wanted a state file of version {known} or older, found version {found} in {}",
                file.display()
            ),
            ErrorKind::Io { doing, file, .. } => write!(f, "wanted to {doing} {}", file.display()),
            ErrorKind::Sqlite { doing, .. } => write!(f, "wanted to {doing}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            ErrorKind::Io { error, .. } => Some(error),
            ErrorKind::Sqlite { error, .. } => Some(error),
            _ => None,
        }
    }
}
