//! What is handed in, and what becomes of it.

use dice_source::Block;
use tokio::sync::oneshot;

/// Lines that somebody sent and waits for.
#[derive(Debug)]
pub struct Request {
    /// The source that they belong to, one of those in the settings.
    pub source: String,
    /// The lines, one at least.
    pub lines: Block,
    /// What the sender calls the request, so that its repetition does nothing: 255 printable bytes at most.
    pub key: Option<String>,
    /// Where to say what became of them.
    pub done: Done,
}

/// Where to say what became of a request. Dropping it says that the lines were not taken.
#[derive(Debug)]
pub struct Done {
    outcome: oneshot::Sender<Outcome>,
}

/// What became of a request.
#[derive(Debug)]
pub(crate) enum Outcome {
    Committed,
    Refused(String),
    KeyTaken,
}

impl Done {
    pub(crate) fn new() -> (Done, oneshot::Receiver<Outcome>) {
        let (outcome, receiver) = oneshot::channel();
        (Done { outcome }, receiver)
    }

    /// Whether somebody still waits.
    ///
    /// Ask before taking the lines in: who has waited too long was told that they were not committed, and will
    /// send them again.
    pub fn is_wanted(&self) -> bool {
        !self.outcome.is_closed()
    }

    /// Says that the lines and what they led to are on disk, since now or since an earlier request with the
    /// same key and the same lines.
    pub fn committed(self) {
        let _ = self.outcome.send(Outcome::Committed);
    }

    /// Says that the request's key has been used for other lines.
    pub fn key_is_taken(self) {
        let _ = self.outcome.send(Outcome::KeyTaken);
    }

    /// Says why the lines were not taken and will not be.
    pub fn refused(self, why: impl Into<String>) {
        let _ = self.outcome.send(Outcome::Refused(why.into()));
    }
}
