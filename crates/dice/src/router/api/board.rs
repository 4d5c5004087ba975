//! What the loop and the API know of each other without waiting for each other.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use dice_config::Loaded;
use dice_route::Router;
use dice_serve::{Health, Refused};

use super::figures::Figures;
use super::sessions::Sessions;
use super::{Managed, alerts};
use crate::clock;
use crate::router::hold::Hold;
use crate::router::look::Look;
use crate::router::operator::restore;
use crate::router::plan::Known;

/// A commit that takes longer than this does not work just now.
const SLOW_MS: i64 = 5_000;
/// The loop commits each second; past this it is late.
const LATE_MS: u64 = 10_000;
/// How long the loop is waited for to tell its figures; then the last ones are told.
const PATIENCE: Duration = Duration::from_secs(1);
/// For how long a look does though something was committed since that nobody waited for.
const NEAR: Duration = Duration::from_secs(1);
/// Why a partition is not read that has not been opened since the start.
const NOT_OPENED: &str = "it was not opened";

/// What is in force.
pub(crate) struct Force {
    pub(crate) file: PathBuf,
    pub(crate) loaded: Loaded,
    pub(crate) known: Arc<Known>,
    /// When it took effect, milliseconds since 1970.
    pub(crate) since_ms: i64,
}

/// The state as it was at a commit.
pub(super) struct Seen {
    pub(super) look: Look,
    pub(super) managed: Managed,
}

/// When a look was taken.
#[derive(Debug, Clone, Copy)]
struct Moment {
    n_commits: u64,
    n_answers: u64,
    at: Instant,
}

impl Moment {
    /// Whether a look of this moment does for somebody who asks at `now`: nothing has been committed since, or
    /// only what nobody waited for, and not for long. A look reads all of the state; who was answered sees what
    /// they did.
    fn does_for(&self, now: &Moment) -> bool {
        let is_near = now.at.duration_since(self.at) < NEAR;
        self.n_commits == now.n_commits || (self.n_answers == now.n_answers && is_near)
    }
}

/// What the loop and the API share.
pub(crate) struct Board {
    state: PathBuf,
    force: Mutex<Arc<Force>>,
    /// The last look.
    seen: Mutex<Option<(Moment, Arc<Seen>)>>,
    n_commits: AtomicU64,
    /// Those of them that somebody waited for.
    n_answers: AtomicU64,
    last_commit_ms: AtomicI64,
    /// When the commit that is on its way began; 0 where none is.
    commit_since_ms: AtomicI64,
    figures: Mutex<Figures>,
    is_asked: AtomicBool,
    told: Condvar,
    closed: Mutex<Vec<String>>,
    pub(super) refused: Mutex<BTreeMap<(String, u16), u64>>,
    pub(super) sessions: Sessions,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Board {
    pub(super) fn new(state: PathBuf, force: Force, sessions: Sessions) -> Board {
        Board {
            state,
            force: Mutex::new(Arc::new(force)),
            seen: Mutex::new(None),
            n_commits: AtomicU64::new(0),
            n_answers: AtomicU64::new(0),
            last_commit_ms: AtomicI64::new(0),
            commit_since_ms: AtomicI64::new(0),
            figures: Mutex::new(Figures::default()),
            is_asked: AtomicBool::new(false),
            told: Condvar::new(),
            closed: Mutex::new(Vec::new()),
            refused: Mutex::new(BTreeMap::new()),
            sessions,
        }
    }

    /// What is in force.
    pub(crate) fn force(&self) -> Arc<Force> {
        Arc::clone(&lock(&self.force))
    }

    pub(super) fn set_force(&self, force: Force) {
        *lock(&self.force) = Arc::new(force);
        *lock(&self.seen) = None;
    }

    /// The state as of the last commit. Who asks while another one looks waits and sees the same.
    pub(super) fn look(&self) -> Result<Arc<Seen>> {
        let mut seen = lock(&self.seen);
        let now = Moment {
            n_answers: self.n_answers.load(Ordering::Acquire),
            n_commits: self.n_commits.load(Ordering::Acquire),
            at: clock::start(),
        };
        if let Some((then, seen)) = &*seen
            && then.does_for(&now)
        {
            return Ok(Arc::clone(seen));
        }
        let force = self.force();
        let store = crate::commands::state::open_to_read(&self.state)?;
        let managed = Managed::of(&store)?;
        let now_ms = clock::now().as_millisecond();
        let router = restore(&store, Arc::new(force.loaded.router.clone()), now_ms)?;
        let look = Look { router, config: Some((force.file.clone(), force.loaded.clone())), now_ms };
        let fresh = Arc::new(Seen { look, managed });
        *seen = Some((now, Arc::clone(&fresh)));
        Ok(fresh)
    }

    /// A commit has begun.
    pub(crate) fn commit_begins(&self, now_ms: i64) {
        self.commit_since_ms.store(now_ms, Ordering::Relaxed);
    }

    /// A commit lasts; whoever waited for it, if anybody, is answered after this.
    pub(crate) fn committed(&self, router: &Router, now_ms: i64, is_awaited: bool) {
        self.commit_since_ms.store(0, Ordering::Relaxed);
        self.last_commit_ms.store(now_ms, Ordering::Relaxed);
        self.n_commits.fetch_add(1, Ordering::Release);
        if is_awaited {
            self.n_answers.fetch_add(1, Ordering::Release);
        }
        let mut sources: BTreeMap<&str, bool> = BTreeMap::new();
        for (id, partition) in router.watermarks().partitions() {
            if Hold::is(id) || alerts::is(id) {
                continue;
            }
            match &partition.lost {
                Some((_, why)) if &**why == NOT_OPENED => {}
                lost => *sources.entry(&partition.source).or_default() |= lost.is_none(),
            }
        }
        let closed = sources.into_iter().filter(|(_, is_read)| !is_read).map(|(name, _)| name.to_owned());
        *lock(&self.closed) = closed.collect();
    }

    /// Tells the figures where somebody asked for them.
    pub(crate) fn tell(&self, router: &Router) {
        if self.is_asked.swap(false, Ordering::Relaxed) {
            *lock(&self.figures) = Figures::of(router);
            self.told.notify_all();
        }
    }

    /// What the loop counts, as of now, or as it was told last where the loop is busy.
    pub(super) fn figures(&self) -> Figures {
        let figures = lock(&self.figures);
        self.is_asked.store(true, Ordering::Relaxed);
        let waited = self.told.wait_timeout(figures, PATIENCE).unwrap_or_else(PoisonError::into_inner);
        waited.0.clone()
    }

    pub(super) fn n_commits(&self) -> u64 {
        self.n_commits.load(Ordering::Relaxed)
    }

    pub(super) fn health(&self) -> Health {
        let now_ms = clock::now().as_millisecond();
        let last_ms = self.last_commit_ms.load(Ordering::Relaxed);
        let since_ms = self.commit_since_ms.load(Ordering::Relaxed);
        let commit_age_ms = (last_ms > 0).then(|| now_ms.saturating_sub(last_ms).max(0).unsigned_abs());
        Health {
            closed_sources: lock(&self.closed).clone(),
            is_writable: since_ms == 0 || now_ms.saturating_sub(since_ms) < SLOW_MS,
            commit_age_ms,
            is_late: commit_age_ms.is_some_and(|age_ms| age_ms > LATE_MS),
        }
    }

    pub(super) fn refuse(&self, refused: &Refused) {
        *lock(&self.refused).entry((refused.route.clone(), refused.status)).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Moment;
    use crate::clock;

    #[test]
    fn a_look_does_until_somebody_was_answered_or_it_is_old() {
        let start = clock::start();
        let moment =
            |n_commits, n_answers, ms| Moment { n_commits, n_answers, at: start + Duration::from_millis(ms) };
        let then = moment(7, 2, 0);
        for (now, expected) in [
            (moment(7, 2, 90_000), true),
            (moment(8, 2, 999), true),
            (moment(90, 2, 1_000), false),
            (moment(8, 3, 0), false),
        ] {
            assert_eq!(then.does_for(&now), expected, "{now:?}");
        }
    }
}
