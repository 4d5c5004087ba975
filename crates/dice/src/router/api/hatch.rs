//! The loop's side of the API: what is asked of it, and what it tells.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use anyhow::Result;
use crossbeam_channel::{Receiver, Sender};
use dice_route::Router;
use dice_route::book::{Delta, Table};
use dice_serve::managed::{Change, ChangeRefused, Changed};
use dice_serve::{Alerts, Ask, LogOut, Reply};
use dice_store::{JournalLine, Store};

use super::alerts::{AlertBook, Taken};
use super::board::{Board, lock};

/// What rows of notes begin with whose rest is a mail address that wants no more digests.
const LEFT: &str = "service unsubscribed ";

/// Something that the loop is asked for.
#[derive(Debug)]
pub(crate) enum Wanted {
    /// By the API.
    Ask(Ask),
    /// Digests to this address are no longer wanted. Answered when that is on disk.
    Leave(String, Sender<()>),
}

/// A change of the managed configuration, and where its answer goes.
pub(crate) type Asked = (Change, Reply<Result<Changed, ChangeRefused>>);

/// What is done when something is on disk.
pub(crate) type Answering = Box<dyn FnOnce() + Send>;

/// The loop's side of the API.
pub(crate) struct Hatch {
    pub(crate) wanted: Receiver<Wanted>,
    pub(crate) board: Arc<Board>,
    alerts: AlertBook,
}

impl Hatch {
    pub(super) fn new(wanted: Receiver<Wanted>, board: Arc<Board>, alerts: AlertBook) -> Hatch {
        Hatch { wanted, board, alerts }
    }

    /// Takes alerts: what happens, and how to answer.
    pub(crate) fn alerts(
        &mut self,
        alerts: &Alerts,
        reply: Reply<Vec<String>>,
        now_ms: i64,
    ) -> (Taken, Answering) {
        let mut taken = self.alerts.take(alerts, &self.board.force().known, now_ms);
        let faults = std::mem::take(&mut taken.faults);
        (taken, Box::new(move || reply.answer(faults)))
    }

    /// Ends a session; the rows that are to be written.
    pub(crate) fn log_out(&self, log_out: &LogOut, now_ms: i64) -> Vec<Delta> {
        self.board.sessions.end(log_out, now_ms)
    }

    /// See [`AlertBook::checked`].
    pub(crate) fn checked(&self, now_ms: i64) -> Option<dice_route::Input> {
        self.alerts.checked(now_ms)
    }

    /// See [`AlertBook::words`].
    pub(crate) fn words(&mut self, router: &Router, now_ms: i64) -> Taken {
        self.alerts.words(router, now_ms)
    }

    /// See [`AlertBook::close`].
    pub(crate) fn close(&mut self) {
        self.alerts.close();
    }
}

/// The journal's line of something that came in by the API.
pub(crate) fn journaled(what: &str, at_ms: i64, body: &serde_json::Value) -> JournalLine {
    JournalLine { at_ms, what: what.to_owned(), body: body.to_string() }
}

/// Mail addresses that want no more digests, as the state keeps them.
#[derive(Debug, Default)]
pub(crate) struct Unsubscribed {
    addresses: Mutex<BTreeSet<String>>,
}

impl Unsubscribed {
    /// What is in `store`.
    pub(crate) fn of(store: &Store) -> Result<Unsubscribed> {
        let mut addresses = BTreeSet::new();
        store.entries(Table::Notes, |note| {
            addresses.extend(note.id.strip_prefix(LEFT).map(str::to_owned));
        })?;
        Ok(Unsubscribed { addresses: Mutex::new(addresses) })
    }

    /// Whether this address wants no more digests. Couriers of mail ask it before a digest is sent.
    pub(crate) fn has(&self, address: &str) -> bool {
        lock(&self.addresses).contains(&address.to_lowercase())
    }

    /// Adds an address; the row that is to be written.
    pub(crate) fn add(&self, address: &str, now_ms: i64) -> Delta {
        let address = address.to_lowercase();
        let id = format!("{LEFT}{address}");
        lock(&self.addresses).insert(address);
        Delta::Put { table: Table::Notes, id, body: serde_json::json!({ "at_ms": now_ms }).to_string() }
    }
}
