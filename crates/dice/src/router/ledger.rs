//! The thread that commits: batches go in, and come back when they last.

use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, never};
use dice_store::{Batch, Error, Store};

use crate::{clock, interrupt};

/// How long to wait before a commit that failed is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// The journal is kept for this long.
pub(crate) const KEEP_JOURNAL_MS: i64 = 7 * 24 * 3_600_000;
/// How often it is looked whether journal lines are older than that.
const FORGET: Duration = Duration::from_secs(10);

/// Where batches are committed, one after another.
#[derive(Debug)]
pub(crate) struct Ledger {
    batches: Option<Sender<Batch>>,
    committed: Receiver<Result<(), Error>>,
    thread: Option<JoinHandle<Store>>,
    /// Batches that are on their way.
    n_open: usize,
}

impl Ledger {
    /// A ledger that writes into `store`; without one nothing lasts, and every batch is done at once.
    pub(crate) fn new(store: Option<Store>) -> Ledger {
        Ledger::forgetting(store, FORGET)
    }

    /// The same, which forgets what is old after a commit when so much time has passed since the last time.
    fn forgetting(store: Option<Store>, each: Duration) -> Ledger {
        let Some(mut store) = store else {
            // A channel whose other end is gone would be ready all the time.
            return Ledger { batches: None, committed: never(), thread: None, n_open: 0 };
        };
        let (to, batches) = bounded::<Batch>(1);
        let (done, committed) = bounded(2);
        let thread = thread::Builder::new().name("commit".to_owned()).spawn(move || {
            let mut forgetting = clock::start();
            for batch in batches {
                let result = commit(&mut store, &batch);
                let is_over = result.is_err();
                if done.send(result).is_err() || is_over {
                    break;
                }
                if forgetting.elapsed() >= each {
                    forgetting = clock::start();
                    forget(&mut store);
                }
            }
            store
        });
        let thread = thread.expect("a process that started can start one thread more");
        Ledger { batches: Some(to), committed, thread: Some(thread), n_open: 0 }
    }

    /// Whether a batch is on its way: only one is, so that what comes meanwhile is committed together.
    pub(crate) fn is_busy(&self) -> bool {
        self.n_open > 0
    }

    /// Hands over a batch. True when it lasts already.
    pub(crate) fn commit(&mut self, batch: Batch) -> bool {
        match &self.batches {
            None => true,
            Some(batches) => {
                batches.send(batch).expect("the committing thread lives as long as this");
                self.n_open += 1;
                false
            }
        }
    }

    /// Tells each batch that lasts from now on, or why it does not: then Dice was asked to stop, and nothing
    /// more is taken. Call [`Ledger::took`] for each.
    pub(crate) fn committed(&self) -> &Receiver<Result<(), Error>> {
        &self.committed
    }

    /// A batch was told to last.
    pub(crate) fn took(&mut self) {
        self.n_open -= 1;
    }

    /// Waits for what is on its way and gives the store back.
    pub(crate) fn end(mut self) -> Option<Store> {
        self.batches = None;
        self.thread.take().map(|thread| thread.join().expect("committing cannot panic"))
    }
}

/// Forgets journal lines that are old: a router runs for months.
fn forget(store: &mut Store) {
    let before_ms = clock::now().as_millisecond() - KEEP_JOURNAL_MS;
    if let Err(error) = store.forget(before_ms) {
        // The next commit tells what is wrong with the disk.
        tracing::debug!("{error}");
    }
}

/// Commits, however often that has to be tried; until Dice is asked to stop. Meanwhile nothing more is read,
/// so nothing is lost.
fn commit(store: &mut Store, batch: &Batch) -> Result<(), Error> {
    let mut n_failed = 0u32;
    while let Err(error) = store.commit(batch) {
        if n_failed > 0 && interrupt::is_asked() {
            return Err(error);
        }
        // A disk that is full stays so for a while: told at once, then every minute.
        if n_failed.is_multiple_of(60) {
            let why = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            let next = if error.is_full() {
                "make room; reading waits until it can go on"
            } else {
                "reading waits until it can go on"
            };
            tracing::error!("{error}: {why}; {next}");
        }
        n_failed += 1;
        thread::sleep(AGAIN);
    }
    if n_failed > 0 {
        tracing::warn!("the state can be written again, after {n_failed} tries");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use dice_store::{Batch, JournalLine, Store};

    use super::{FORGET, KEEP_JOURNAL_MS, Ledger};
    use crate::clock;

    /// Commits so many batches with a line each to a journal of lines of that age; gives what is left of them.
    #[track_caller]
    fn check(each: Duration, age_ms: i64, batches: usize, expected: usize) {
        let folder = tempfile::tempdir().unwrap();
        let now_ms = clock::now().as_millisecond();
        let mut store = Store::open(&folder.path().join("state.db"), now_ms).unwrap();
        let line = |at_ms| JournalLine { at_ms, what: "old".to_owned(), body: "{}".to_owned() };
        let journal = (0..3_000).map(|_| line(now_ms - age_ms)).collect();
        store.commit(&Batch { journal, ..Batch::default() }).unwrap();
        let mut ledger = Ledger::forgetting(Some(store), each);
        for _ in 0..batches {
            let line = JournalLine { what: "new".to_owned(), ..line(now_ms) };
            assert!(!ledger.commit(Batch { journal: vec![line], ..Batch::default() }) && ledger.is_busy());
            ledger.committed().recv().unwrap().unwrap();
            ledger.took();
        }
        let journal = ledger.end().unwrap().journal(0).unwrap();
        let count = |what: &str| journal.iter().filter(|line| line.what == what).count();
        assert_eq!((count("old"), count("new")), (expected, batches));
    }

    #[test]
    fn the_journal_is_shortened_while_a_router_runs() {
        let old_ms = KEEP_JOURNAL_MS + 1_000;
        check(Duration::ZERO, old_ms, 1, 1_000);
        check(Duration::ZERO, old_ms, 2, 0);
        // A day before it is old.
        check(Duration::ZERO, KEEP_JOURNAL_MS - 86_400_000, 2, 3_000);
        // Not with each commit.
        check(100 * FORGET, old_ms, 2, 3_000);
    }
}
