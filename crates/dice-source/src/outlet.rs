//! The way out: one bounded channel, and the signal to stop.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::{Arrival, Block, Clock, Partition, Position};

/// Milliseconds between two tries to send what the channel has no room for.
const FULL_MS: u64 = 1;

/// Nobody listens any more: the thread has to end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopped;

/// What every thread that waits looks at.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    is_set: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    pub(crate) fn set(&self) {
        *self.is_set.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    pub(crate) fn check(&self) -> Result<(), Stopped> {
        self.wait(0)
    }

    /// Waits for so many milliseconds, or until it is time to stop.
    pub(crate) fn wait(&self, ms: u64) -> Result<(), Stopped> {
        let is_set = self.is_set.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(is_set, Duration::from_millis(ms), |is_set| !*is_set);
        let (is_set, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if *is_set { Err(Stopped) } else { Ok(()) }
    }
}

/// Where one source tells what it finds.
#[derive(Clone)]
pub(crate) struct Outlet {
    pub(crate) source: Arc<str>,
    pub(crate) stop: Arc<Stop>,
    clock: Clock,
    ids: Arc<AtomicU32>,
    send: Arc<dyn Fn(Arrival) -> Result<(), Stopped> + Send + Sync>,
}

impl Outlet {
    pub(crate) fn new<T>(out: SyncSender<T>, stop: Arc<Stop>, clock: Clock) -> Outlet
    where
        T: From<Arrival> + Send + 'static,
    {
        let ends = Arc::clone(&stop);
        let send = move |arrival: Arrival| {
            let mut item = T::from(arrival);
            loop {
                ends.check()?;
                match out.try_send(item) {
                    Ok(()) => return Ok(()),
                    Err(TrySendError::Disconnected(_)) => return Err(Stopped),
                    // Not `send`: nothing would wake it when it is time to stop.
                    Err(TrySendError::Full(back)) => item = back,
                }
                ends.wait(FULL_MS)?;
            }
        };
        let source = Arc::from("");
        Outlet { source, stop, clock, ids: Arc::default(), send: Arc::new(send) }
    }

    /// The same channel for the source of that name.
    pub(crate) fn of(&self, source: &str) -> Outlet {
        Outlet { source: Arc::from(source), ..self.clone() }
    }

    pub(crate) fn now_ms(&self) -> i64 {
        (self.clock)()
    }

    pub(crate) fn partition(&self, name: &str) -> Partition {
        let id = self.ids.fetch_add(1, Ordering::Relaxed);
        Partition { id, source: Arc::clone(&self.source), name: Arc::from(name) }
    }

    /// Waits for room and sends.
    pub(crate) fn send(&self, arrival: Arrival) -> Result<(), Stopped> {
        (self.send)(arrival)
    }

    pub(crate) fn problem(&self, what: String) -> Result<(), Stopped> {
        self.send(Arrival::Problem { source: Arc::clone(&self.source), what })
    }

    pub(crate) fn checked(&self, at_ms: i64) -> Result<(), Stopped> {
        self.send(Arrival::Checked { source: Arc::clone(&self.source), at_ms })
    }

    pub(crate) fn ended(&self) -> Result<(), Stopped> {
        self.send(Arrival::Ended { source: Arc::clone(&self.source) })
    }
}

/// One open partition: its place, and what was last told of it.
pub(crate) struct Feed {
    pub(crate) outlet: Outlet,
    pub(crate) partition: Partition,
    pub(crate) position: Position,
    ingested_ms: i64,
    is_caught_up: bool,
    is_disconnected: bool,
}

impl Feed {
    /// Opens a partition and tells so.
    pub(crate) fn open(
        outlet: &Outlet,
        position: Position,
        modified_ms: Option<i64>,
    ) -> Result<Feed, Stopped> {
        let partition = outlet.partition(&position.partition);
        outlet.send(Arrival::Opened {
            partition: partition.clone(),
            position: position.clone(),
            modified_ms,
        })?;
        let outlet = outlet.clone();
        let ingested_ms = i64::MIN;
        Ok(Feed { outlet, partition, position, ingested_ms, is_caught_up: false, is_disconnected: false })
    }

    /// Tells lines; `self.position` has everything but their number.
    pub(crate) fn lines(&mut self, block: Block) -> Result<(), Stopped> {
        self.ingested_ms = self.ingested_ms.max(self.outlet.now_ms());
        self.position.lines += block.len() as u64;
        self.is_caught_up = false;
        self.is_disconnected = false;
        self.outlet.send(Arrival::Lines {
            partition: self.partition.clone(),
            block,
            position: self.position.clone(),
            ingested_ms: self.ingested_ms,
        })
    }

    /// Tells, once, that there is nothing more for now.
    pub(crate) fn caught_up(&mut self, at_ms: i64) -> Result<(), Stopped> {
        if self.is_caught_up {
            return Ok(());
        }
        self.is_caught_up = true;
        self.is_disconnected = false;
        self.outlet.send(Arrival::CaughtUp { partition: self.partition.clone(), at_ms })
    }

    /// Tells, once, that there may be more than can be read.
    pub(crate) fn disconnected(&mut self, why: String) -> Result<(), Stopped> {
        if self.is_disconnected {
            return Ok(());
        }
        self.is_disconnected = true;
        self.is_caught_up = false;
        self.outlet.send(Arrival::Disconnected { partition: self.partition.clone(), why })
    }

    pub(crate) fn truncated(&mut self, lost_bytes: u64) -> Result<(), Stopped> {
        self.is_caught_up = false;
        self.outlet.send(Arrival::Truncated { partition: self.partition.clone(), lost_bytes })
    }

    pub(crate) fn close(&self, end: crate::End) -> Result<(), Stopped> {
        let (partition, position) = (self.partition.clone(), self.position.clone());
        self.outlet.send(Arrival::Closed { partition, position, end })
    }
}
