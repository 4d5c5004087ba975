//! The files of one source: which are there, which were rotated away, which of them to look at.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::os::unix::fs::{DirEntryExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::file::{Away, Candidate, Look, OpenFile};
use crate::mark::{self, FileId};
use crate::outlet::{Outlet, Stopped};
use crate::pattern::{Found, Pattern};
use crate::watch::{Wake, Watch, Woken};
use crate::{Arrival, End, Position, Settings, Start};

/// Files of one source that are open at once.
const FILES_LIMIT: usize = 10_000;

/// Rotated files of one source that are kept in view after they were closed.
const LINGERING_LIMIT: usize = 256;

/// Problems that are remembered, so as to tell them once.
const PROBLEMS_LIMIT: usize = 1_000;

/// Names of a directory among which a renamed file is looked for.
const RENAMED_LIMIT: usize = 100_000;

/// Milliseconds after a change during which further changes are gathered.
const GATHER_MS: u64 = 2;

/// Milliseconds between two looks at directories in which much happens.
const SCAN_MS: u64 = 50;

/// Reads the files of one source.
pub(crate) struct Files {
    settings: Settings,
    patterns: Vec<Pattern>,
    outlet: Outlet,
    wake: Arc<Wake>,
    watch: Option<Watch>,
    /// Positions from earlier whose files were not met yet.
    resume: Vec<Position>,
    open: Vec<OpenFile>,
    lingering: Vec<Lingering>,
    problems: BTreeSet<String>,
    /// Files that are not read, and where they are.
    refused: BTreeMap<PathBuf, FileId>,
}

/// A file that was rotated away, read and closed; somebody may still write to it.
struct Lingering {
    candidate: Candidate,
    position: Position,
    path: PathBuf,
    closed_ms: i64,
}

impl Files {
    pub(crate) fn new(
        settings: Settings,
        patterns: Vec<Pattern>,
        resume: Vec<Position>,
        outlet: Outlet,
    ) -> Files {
        let resume = resume.into_iter().filter(|position| position.file.is_some()).collect();
        Files {
            settings,
            patterns,
            outlet,
            wake: Arc::default(),
            watch: None,
            resume,
            open: Vec::new(),
            lingering: Vec::new(),
            problems: BTreeSet::new(),
            refused: BTreeMap::new(),
        }
    }

    /// What wakes it.
    pub(crate) fn wake(&self) -> Arc<Wake> {
        Arc::clone(&self.wake)
    }

    /// Reads each file to its end, one after another.
    pub(crate) fn read_once(mut self) -> Result<(), Stopped> {
        let mut found = Found::default();
        self.patterns.iter().for_each(|pattern| pattern.find(&mut found));
        let mut met = BTreeSet::new();
        for path in found.paths {
            if fs::metadata(&path)
                .is_ok_and(|about| !self.is_wanted(&path, &about) || !met.insert(mark::id(&about)))
            {
                continue;
            }
            self.meet(&path, Start::Beginning)?;
            let Some(mut file) = self.open.pop() else { continue };
            loop {
                let now_ms = self.outlet.now_ms();
                match file.look(&self.settings, false, now_ms)? {
                    Look::More | Look::Quiet => {}
                    Look::Broken => break,
                    Look::Over(end) => {
                        file.close(end)?;
                        break;
                    }
                }
            }
        }
        self.outlet.ended()
    }

    /// Reads files as they grow, come and go.
    pub(crate) fn follow(mut self) -> Result<(), Stopped> {
        let (watch, problem) = Watch::new(&self.wake);
        self.watch = Some(watch);
        self.problem_if(problem)?;
        let mut woken = Woken { is_all: true, ..Woken::default() };
        let mut scanned_ms = None;
        loop {
            self.outlet.stop.check()?;
            let now_ms = self.outlet.now_ms();
            let since_ms = scanned_ms.map_or(u64::MAX, |then: i64| now_ms.abs_diff(then));
            let is_scan = since_ms >= self.settings.poll_ms
                || (woken.is_all && since_ms >= SCAN_MS.min(self.settings.poll_ms));
            if is_scan {
                self.scan(now_ms, scanned_ms.is_none())?;
                scanned_ms = Some(now_ms);
                woken.is_all = false;
            }
            for file in &mut self.open {
                file.is_ready |= is_scan
                    || file.due_ms.is_some_and(|due_ms| due_ms <= now_ms)
                    || file.watched.iter().any(|path| woken.paths.contains(path));
            }
            woken.paths.clear();
            let is_closed = self.look(now_ms)?;
            if is_scan {
                self.outlet.checked(now_ms)?;
            }
            // A successor may wait for what was closed.
            woken.is_all |= is_closed;
            if is_closed {
                scanned_ms = scanned_ms.map(|ms| ms.saturating_sub_unsigned(SCAN_MS));
            }
            if self.open.iter().any(|file| file.is_ready) {
                continue;
            }
            let next_scan_ms =
                if woken.is_all { SCAN_MS.min(self.settings.poll_ms) } else { self.settings.poll_ms };
            let mut due_ms = scanned_ms.map_or(now_ms, |ms| ms.saturating_add_unsigned(next_scan_ms));
            due_ms = self.open.iter().filter_map(|file| file.due_ms).fold(due_ms, i64::min);
            let wait_ms =
                u64::try_from(due_ms.saturating_sub(now_ms)).unwrap_or(0).min(self.settings.poll_ms);
            let more = self.wake.wait(wait_ms);
            if more.is_all || !more.paths.is_empty() {
                self.outlet.stop.wait(GATHER_MS)?;
            }
            woken.is_all |= more.is_all;
            woken.paths = more.paths;
        }
    }

    /// Reads one block of each file that is ready, and tells whether one was closed.
    fn look(&mut self, now_ms: i64) -> Result<bool, Stopped> {
        let mut is_closed = false;
        let mut at = 0;
        while let Some(file) = self.open.get_mut(at) {
            at += 1;
            if !file.is_ready {
                continue;
            }
            let Look::Over(end) = file.look(&self.settings, true, now_ms)? else { continue };
            at -= 1;
            is_closed = true;
            let (candidate, position, path) = self.open.remove(at).close(end)?;
            if self.lingering.len() == LINGERING_LIMIT {
                self.lingering.remove(0);
            }
            self.lingering.push(Lingering { candidate, position, path, closed_ms: now_ms });
        }
        Ok(is_closed)
    }

    /// Looks at what is there, opens what is new and tells what is gone.
    fn scan(&mut self, now_ms: i64, is_first: bool) -> Result<(), Stopped> {
        let mut found = Found::default();
        self.patterns.iter().for_each(|pattern| pattern.find(&mut found));
        let mut there: Vec<(PathBuf, FileId, u64)> = Vec::new();
        let mut ids = BTreeMap::new();
        for path in found.paths {
            match fs::metadata(&path) {
                Ok(about) if !self.is_wanted(&path, &about) => {}
                Ok(about) => {
                    let id = mark::id(&about);
                    ids.entry(id).or_insert_with(|| path.clone());
                    there.push((path, id, about.size()));
                }
                Err(error) if is_first => {
                    self.problem(format!("waits for {}, found: {error}", path.display()))?;
                }
                Err(_) => {}
            }
        }
        self.refused.retain(|path, id| ids.get(id) == Some(path));
        for file in &mut self.open {
            if let Some(path) = ids.get(&file.id) {
                file.away = None;
                if *path != file.path {
                    file.path.clone_from(path);
                    file.watched = watched_names(path);
                }
                continue;
            }
            let successor = there.iter().find(|(path, ..)| *path == file.path);
            let since_ms = file.away.map_or(now_ms, |away| away.since_ms);
            let is_successor_empty = successor.is_some_and(|(_, _, size)| *size == 0);
            file.away = Some(Away { since_ms, is_successor_empty });
        }
        self.look_at_lingering(now_ms)?;
        self.find_renamed(&ids, now_ms)?;
        let start = if is_first { self.settings.start } else { Start::Beginning };
        let known: BTreeSet<FileId> = self.open.iter().map(|file| file.id).collect();
        // What a path led to before is read first, so that lines of one path stay in order.
        let away = self.open.iter().filter(|file| file.away.is_some());
        let away: BTreeSet<PathBuf> = away.map(|file| file.path.clone()).collect();
        for (path, id, _) in &there {
            if known.contains(id) || away.contains(path) || self.refused.get(path) == Some(id) {
                continue;
            }
            if self.open.len() == FILES_LIMIT {
                found.is_cut = true;
                break;
            }
            self.meet(path, start)?;
        }
        self.forget_gone()?;
        if found.is_cut {
            self.problem(
                "found more files and directories than are looked at: say more exactly which".into(),
            )?;
        }
        let mut folders: BTreeSet<PathBuf> =
            found.folders.iter().filter_map(|it| it.canonicalize().ok()).collect();
        folders.extend(
            self.open.iter().flat_map(|file| &file.watched).filter_map(|it| Some(it.parent()?.to_owned())),
        );
        let problem = self.watch.as_mut().and_then(|watch| watch.set(folders));
        self.problem_if(problem)
    }

    /// Whether what is there is a file, or was asked for by its own name.
    fn is_wanted(&self, path: &Path, about: &Metadata) -> bool {
        about.is_file() || self.patterns.iter().any(|pattern| pattern.plain().as_deref() == Some(path))
    }

    /// Opens what is at `path`, if it can be read and is not open under another path.
    fn meet(&mut self, path: &Path, start: Start) -> Result<(), Stopped> {
        let outlet = self.outlet.clone();
        let candidate = match Candidate::open(path) {
            Ok(Some(candidate)) => candidate,
            Ok(None) => return Ok(()),
            Err(error) => {
                return self.problem(format!("wanted to read {}, found: {error}", path.display()));
            }
        };
        if self.open.iter().any(|file| file.id == candidate.id) {
            return Ok(());
        }
        let position = candidate.packed().and_then(|packed| match packed {
            Some(packed) => Ok(Err(packed)),
            None => self.position(path, &candidate, start).map(Ok),
        });
        match position {
            Ok(Ok((position, is_anew))) => {
                let mut file = OpenFile::open(&outlet, path.to_owned(), candidate, position, is_anew)?;
                file.watched = watched_names(path);
                self.open.push(file);
                Ok(())
            }
            Ok(Err(packed)) => {
                self.refused.insert(path.to_owned(), candidate.id);
                self.problem(format!("wanted lines of text, found {packed} data in {}", path.display()))
            }
            Err(error) => self.problem(format!("wanted to read {}, found: {error}", path.display())),
        }
    }

    /// Where to begin with a file, and whether it holds something else than when it was read before.
    fn position(
        &mut self,
        path: &Path,
        candidate: &Candidate,
        start: Start,
    ) -> std::io::Result<(Position, bool)> {
        let name = path.to_string_lossy();
        if let Some(at) = self.lingering.iter().position(|file| file.candidate.id == candidate.id) {
            let position = self.lingering.remove(at).position;
            return Ok((position, false));
        }
        let (device, inode) = candidate.id;
        let may_be = |position: &Position| {
            let Some(file) = &position.file else { return false };
            // Devices are numbered anew at each start of the system.
            file.inode == inode && (file.device == device || position.partition == name)
        };
        // An inode that was used again may be that of several files from earlier.
        let mut known = None;
        for (at, position) in self.resume.iter().enumerate().filter(|(_, position)| may_be(position)) {
            if candidate.is_at(position)? {
                known = Some((at, true));
                break;
            }
            if known.is_none() || position.partition == name {
                known = Some((at, false));
            }
        }
        let Some((known, is_at)) = known else {
            return Ok((candidate.start(&self.outlet.source, path, start)?, false));
        };
        if is_at {
            let mut position = self.resume.swap_remove(known);
            if let Some(file) = &mut position.file {
                file.device = device;
            }
            return Ok((position, false));
        }
        let begin = candidate.start(&self.outlet.source, path, Start::Beginning)?;
        if self.resume[known].partition != name {
            // An inode that was used again.
            return Ok((begin, false));
        }
        let lines = self.resume.swap_remove(known).lines;
        Ok((Position { lines, ..begin }, true))
    }

    /// Finds files of positions from earlier that have another name now, in the directory they were in.
    fn find_renamed(&mut self, ids: &BTreeMap<FileId, PathBuf>, now_ms: i64) -> Result<(), Stopped> {
        for position in self.resume.clone() {
            let Some(file) = &position.file else { continue };
            let path = PathBuf::from(&position.partition);
            let is_there = ids.contains_key(&file.id())
                || ids.iter().any(|(id, there)| id.1 == file.inode && *there == path);
            if is_there || !self.patterns.iter().any(|pattern| pattern.matches(&path)) {
                continue;
            }
            let Some(candidate) = renamed(&path, &position) else { continue };
            self.resume.retain(|other| *other != position);
            let mut file = OpenFile::open(&self.outlet, path.clone(), candidate, position, false)?;
            let is_successor_empty = fs::metadata(&path).is_ok_and(|about| about.size() == 0);
            file.away = Some(Away { since_ms: now_ms, is_successor_empty });
            self.open.push(file);
        }
        Ok(())
    }

    /// Tells of positions from earlier whose files are no longer there.
    ///
    /// Where there is no directory, or nothing in it, a disk may not be mounted yet: those are kept.
    fn forget_gone(&mut self) -> Result<(), Stopped> {
        for position in std::mem::take(&mut self.resume) {
            let folder = Path::new(&position.partition).parent().map(fs::read_dir);
            if !folder.is_some_and(|entries| entries.is_ok_and(|mut entries| entries.next().is_some())) {
                self.resume.push(position);
                continue;
            }
            let partition = self.outlet.partition(&position.partition);
            self.outlet.send(Arrival::Closed { partition, position, end: End::Gone })?;
        }
        Ok(())
    }

    /// Opens closed files again that somebody still wrote to.
    fn look_at_lingering(&mut self, now_ms: i64) -> Result<(), Stopped> {
        let linger_ms = self.settings.linger_ms;
        let mut at = 0;
        while let Some(file) = self.lingering.get(at) {
            if file.candidate.has_more_than(&file.position) {
                let Lingering { candidate, position, path, .. } = self.lingering.remove(at);
                let mut file = OpenFile::open(&self.outlet, path, candidate, position, false)?;
                file.away = Some(Away { since_ms: now_ms, is_successor_empty: false });
                self.open.push(file);
            } else if now_ms.abs_diff(file.closed_ms) >= linger_ms {
                self.lingering.remove(at);
            } else {
                at += 1;
            }
        }
        Ok(())
    }

    fn problem_if(&mut self, problem: Option<String>) -> Result<(), Stopped> {
        problem.map_or(Ok(()), |problem| self.problem(problem))
    }

    fn problem(&mut self, what: String) -> Result<(), Stopped> {
        if self.problems.len() < PROBLEMS_LIMIT && self.problems.insert(what.clone()) {
            self.outlet.problem(what)?;
        }
        Ok(())
    }
}

/// The names that a watch on directories knows `path` by: its own, and that of what it leads to.
fn watched_names(path: &Path) -> Vec<PathBuf> {
    let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
    let own = folder.zip(path.file_name()).map(|(folder, name)| folder.join(name));
    let target = path.canonicalize().ok().filter(|target| Some(target) != own.as_ref());
    own.into_iter().chain(target).collect()
}

/// The file of `position`, under another name in the directory where it was or where that led to.
fn renamed(path: &Path, position: &Position) -> Option<Candidate> {
    let wanted = position.file.as_ref()?;
    let own = path.parent().map(Path::to_owned);
    let target = path.canonicalize().ok().and_then(|target| Some(target.parent()?.to_owned()));
    for folder in own.iter().chain(target.as_ref().filter(|target| Some(*target) != own.as_ref())) {
        let Ok(entries) = fs::read_dir(folder) else { continue };
        for entry in entries.take(RENAMED_LIMIT).filter_map(Result::ok) {
            if entry.ino() != wanted.inode {
                continue;
            }
            let Ok(Some(candidate)) = Candidate::open(&entry.path()) else { continue };
            if candidate.id == wanted.id() && candidate.is_at(position).unwrap_or(false) {
                return Some(candidate);
            }
        }
    }
    None
}
