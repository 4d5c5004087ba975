//! What went wrong, why, and what to do next; and the exit code that says so.

use std::fmt;
use std::io;
use std::process::ExitCode;

use crate::screen::plain;

/// A failure that the user can do something about.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    next: String,
    source: Option<anyhow::Error>,
}

impl Failure {
    /// `what` was wanted and found; `next` is what to do about it.
    pub(crate) fn new(what: impl Into<String>, next: impl Into<String>) -> Failure {
        Failure { what: what.into(), next: next.into(), source: None }
    }

    /// The failure that `source` led to.
    pub(crate) fn because(mut self, source: impl Into<anyhow::Error>) -> Failure {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source.as_ref())
    }
}

/// How a command ended, when it did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done.
    Done,
    /// The answer is no.
    No,
}

/// Reports how the command ended on standard error and gives the exit code: 0 done, 1 the answer is no, 2 the
/// user must act. A closed pipe is success.
pub(crate) fn report(result: anyhow::Result<Outcome>) -> ExitCode {
    let error = match result {
        Ok(Outcome::Done) => return ExitCode::SUCCESS,
        Ok(Outcome::No) => return ExitCode::from(1),
        Err(error) => error,
    };
    if error.chain().any(is_closed_pipe) {
        return ExitCode::SUCCESS;
    }
    anstream::eprintln!("error: {}", plain(&error.to_string()));
    for cause in error.chain().skip(1) {
        anstream::eprintln!("  because: {}", plain(&cause.to_string()));
    }
    if let Some(failure) = error.downcast_ref::<Failure>() {
        anstream::eprintln!("  next: {}", plain(&failure.next));
    }
    ExitCode::from(2)
}

fn is_closed_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    let is_broken = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
    error.downcast_ref::<io::Error>().is_some_and(is_broken)
        || error
            .downcast_ref::<serde_json::Error>()
            .is_some_and(|error| error.io_error_kind() == Some(io::ErrorKind::BrokenPipe))
}
