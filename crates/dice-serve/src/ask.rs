//! What is handed to the loop beside lines, and what is answered after the commit.

use dice_route::{Answer, Command};
use tokio::sync::oneshot;

use crate::managed::{Change, ChangeRefused, Changed};

/// Something that the loop does and commits, and then answers.
#[derive(Debug)]
pub enum Ask {
    /// A person does something.
    Command(Command, Reply<Answer>),
    /// The managed configuration becomes another one, and takes effect.
    Change(Change, Reply<Result<Changed, ChangeRefused>>),
    /// Alerts of another system arrive. Answered with what was wrong with those that were left out, a
    /// sentence each.
    Alerts(Alerts, Reply<Vec<String>>),
    /// Somebody logs out: from now on the session is none, also after a restart.
    LogOut(LogOut, Reply<()>),
}

/// A session of a browser that ends before its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogOut {
    /// Names it; nobody can make the session of its name.
    pub session: String,
    /// Whose it is: `api:NAME`.
    pub actor: String,
    /// When it ends by itself, milliseconds since 1970: until then it has to be remembered.
    pub until_ms: i64,
}

/// Alerts in the shape of Alertmanager's API v2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alerts {
    /// Names the request.
    pub id: String,
    /// Who sent them: `api:NAME`.
    pub actor: String,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// As they came: a JSON array of objects, which is all that was looked at.
    pub body: Vec<u8>,
}

/// Where to say what became of an ask. Dropping it says that it was not taken.
#[derive(Debug)]
pub struct Reply<T> {
    end: oneshot::Sender<Result<T, String>>,
}

impl<T> Reply<T> {
    pub(crate) fn new() -> (Reply<T>, oneshot::Receiver<Result<T, String>>) {
        let (end, receiver) = oneshot::channel();
        (Reply { end }, receiver)
    }

    /// Whether somebody still waits. Ask before taking it in: who has waited too long was told that nothing
    /// was done.
    pub fn is_wanted(&self) -> bool {
        !self.end.is_closed()
    }

    /// Answers; to be called when what was done is on disk.
    pub fn answer(self, answer: T) {
        let _ = self.end.send(Ok(answer));
    }

    /// Says why nothing was done and will not be: the disk is full, the router stops.
    pub fn refused(self, why: impl Into<String>) {
        let _ = self.end.send(Err(why.into()));
    }
}

/// Why an ask was not taken.
#[derive(Debug)]
pub enum NotTaken {
    /// There is no room now; it is given back.
    Full(Box<Ask>),
    /// There will be none any more.
    Stopping,
}
