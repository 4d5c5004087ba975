//! Which files changed, as far as the system tells.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

/// Changed files that are remembered one by one.
const PATHS_LIMIT: usize = 4096;

/// Directories that are watched; the files of others are looked at now and then.
const FOLDERS_LIMIT: usize = 4096;

/// What happened since it was last asked.
#[derive(Debug, Default)]
pub(crate) struct Woken {
    /// Files that were written to.
    pub(crate) paths: BTreeSet<PathBuf>,
    /// Files came, went or were renamed, or more happened than is remembered.
    pub(crate) is_all: bool,
}

/// Wakes a thread that looks at files.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    woken: Mutex<Woken>,
    changed: Condvar,
}

impl Wake {
    /// Everything is to be looked at.
    pub(crate) fn all(&self) {
        self.woken.lock().unwrap_or_else(PoisonError::into_inner).is_all = true;
        self.changed.notify_all();
    }

    /// Waits for so many milliseconds or until something happens, and gives what did.
    pub(crate) fn wait(&self, ms: u64) -> Woken {
        let woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        let is_nothing = |woken: &mut Woken| !woken.is_all && woken.paths.is_empty();
        let waited = self.changed.wait_timeout_while(woken, Duration::from_millis(ms), is_nothing);
        let (mut woken, _) = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut woken)
    }

    fn tell(&self, event: notify::Result<Event>) {
        let mut woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            // Nobody changes a file by opening it, and we do so ourselves.
            Ok(Event { kind: EventKind::Access(_), .. }) => return,
            Ok(Event { kind: EventKind::Modify(change), paths, .. })
                if !matches!(change, notify::event::ModifyKind::Name(_)) && !paths.is_empty() =>
            {
                woken.paths.extend(paths);
                woken.is_all |= woken.paths.len() > PATHS_LIMIT;
            }
            _ => woken.is_all = true,
        }
        if woken.is_all {
            woken.paths.clear();
        }
        drop(woken);
        self.changed.notify_all();
    }
}

/// A watch on directories.
pub(crate) struct Watch {
    watcher: Option<RecommendedWatcher>,
    /// Their inodes, because a watch ends with the directory, not with its name.
    folders: BTreeMap<PathBuf, u64>,
}

impl Watch {
    /// A watch that tells `wake`, or one that sees nothing with what is wrong.
    pub(crate) fn new(wake: &Arc<Wake>) -> (Watch, Option<String>) {
        let wake = Arc::clone(wake);
        let watcher = notify::recommended_watcher(move |event| wake.tell(event));
        let (watcher, problem) = match watcher {
            Ok(watcher) => (Some(watcher), None),
            Err(error) => {
                (None, Some(format!("wanted to watch directories, found: {error}; files are polled")))
            }
        };
        (Watch { watcher, folders: BTreeMap::new() }, problem)
    }

    /// Watches exactly those directories, as far as they are there, and gives what is wrong.
    pub(crate) fn set(&mut self, folders: BTreeSet<PathBuf>) -> Option<String> {
        let watcher = self.watcher.as_mut()?;
        let mut problem = None;
        let mut watched = BTreeMap::new();
        for folder in folders.into_iter().take(FOLDERS_LIMIT) {
            let Ok(about) = fs::metadata(&folder) else { continue };
            let before = self.folders.remove(&folder);
            if before == Some(about.ino()) {
                watched.insert(folder, about.ino());
                continue;
            }
            if before.is_some() {
                let _ = watcher.unwatch(&folder);
            }
            match watcher.watch(&folder, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    watched.insert(folder, about.ino());
                }
                Err(error) => {
                    problem =
                        Some(format!("wanted to watch a directory, found: {error}; its files are polled"));
                }
            }
        }
        for folder in self.folders.keys() {
            let _ = watcher.unwatch(folder);
        }
        self.folders = watched;
        problem
    }
}
