//! A directory, sources that read in it, and a listener that commits positions as a router would.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, SystemTime};

use dice_source::{Arrival, End, Kind, Position, Settings, Sources, start};
use tempfile::TempDir;

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Scene {
    folder: TempDir,
    settings: Settings,
    sources: Option<Sources>,
    arrivals: Receiver<Arrival>,
    /// What is committed: positions as JSON, by their keys.
    pub(crate) committed: BTreeMap<String, String>,
    /// All lines so far.
    pub(crate) lines: Vec<String>,
    told: Vec<String>,
}

#[expect(clippy::disallowed_methods, reason = "a caller brings the clock")]
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}

impl Scene {
    /// Follows files of a new directory.
    pub(crate) fn following(paths: &[&str]) -> Scene {
        Scene::prepared(paths, true, |_| {})
    }

    /// Reads files of a directory that `prepare` made, with settings that it may change.
    pub(crate) fn prepared(paths: &[&str], follow: bool, prepare: impl FnOnce(&mut Scene)) -> Scene {
        let folder = tempfile::tempdir().unwrap();
        let paths = paths.iter().map(|path| folder.path().join(path).to_str().unwrap().to_owned()).collect();
        let mut scene = Scene::of(folder, Kind::Files { paths, follow });
        prepare(&mut scene);
        scene.start();
        scene
    }

    /// A scene in which nothing is read yet.
    pub(crate) fn of(folder: TempDir, kind: Kind) -> Scene {
        let settings = Settings {
            limit_bytes: 64,
            poll_ms: 10,
            partial_ms: 50,
            grace_ms: 30,
            linger_ms: 60_000,
            backoff_ms: 10,
            ..Settings::new("test", kind)
        };
        let (_, arrivals) = sync_channel(1);
        let (committed, lines, told) = (BTreeMap::new(), Vec::new(), Vec::new());
        Scene { folder, settings, sources: None, arrivals, committed, lines, told }
    }

    pub(crate) fn settings(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// Where the source listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.sources.as_ref().unwrap().listening()[0].1
    }

    pub(crate) fn start(&mut self) {
        let resume: Vec<Position> =
            self.committed.values().map(|json| serde_json::from_str(json).unwrap()).collect();
        let (sender, arrivals) = sync_channel(4);
        let clock = Arc::new(now_ms);
        self.sources = Some(start::<Arrival>(vec![self.settings.clone()], resume, sender, clock).unwrap());
        self.arrivals = arrivals;
    }

    /// Ends reading; what was told and not taken is lost, as in a crash.
    pub(crate) fn stop(&mut self) {
        self.sources.take().unwrap().stop();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Whether a position in that very file is committed.
    pub(crate) fn is_known(&self, name: &str) -> bool {
        let inode = fs::metadata(self.path(name)).map(|about| format!(":{}", about.ino()));
        inode.is_ok_and(|inode| self.committed.keys().any(|key| key.ends_with(&inode)))
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn append(&self, name: &str, text: &str) {
        let file = OpenOptions::new().append(true).create(true).open(self.path(name));
        file.unwrap().write_all(text.as_bytes()).unwrap();
    }

    pub(crate) fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    /// Takes the next arrival, as one line that a person can read; `None` when there will be none.
    pub(crate) fn next(&mut self) -> Option<String> {
        let arrival = match self.arrivals.recv_timeout(PATIENCE) {
            Ok(arrival) => arrival,
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => panic!("nothing arrives any more after {:#?}", self.told),
        };
        let root = format!("{}/", self.folder.path().display());
        let told = match arrival {
            Arrival::Opened { partition, position, .. } => {
                let told = format!("{}: opened at {}", partition.name, position.offset);
                self.commit(&position);
                told
            }
            Arrival::Lines { partition, block, position, .. } => {
                let found: Vec<_> =
                    block.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect();
                let skipped = if block.skipped_bytes() > 0 { ", cut" } else { "" };
                let told = format!("{}: {found:?}{skipped}", partition.name);
                self.lines.extend(found);
                self.commit(&position);
                told
            }
            Arrival::CaughtUp { partition, .. } => format!("{}: caught up", partition.name),
            Arrival::Truncated { partition, lost_bytes } => {
                format!("{}: truncated, {lost_bytes} lost", partition.name)
            }
            Arrival::Lost { partition, messages, .. } => format!("{}: {messages} lost", partition.name),
            Arrival::Disconnected { partition, why } => format!("{}: disconnected: {why}", partition.name),
            Arrival::Closed { partition, position, end } => {
                if end != End::Read {
                    self.committed.remove(&position.key());
                }
                format!("{}: closed: {end:?}", partition.name)
            }
            Arrival::Checked { .. } => "checked".to_owned(),
            Arrival::Problem { what, .. } => format!("problem: {what}"),
            Arrival::Ended { .. } => "ended".to_owned(),
        };
        let told = told.replace(&root, "");
        self.told.push(told.clone());
        Some(told)
    }

    fn commit(&mut self, position: &Position) {
        self.committed.insert(position.key(), serde_json::to_string(position).unwrap());
    }

    /// Takes arrivals until one tells this.
    #[track_caller]
    pub(crate) fn until(&mut self, expected: &str) {
        let before = self.told.len();
        while let Some(told) = self.next() {
            if told == expected {
                return;
            }
        }
        panic!("never told `{expected}`, but {:#?}", &self.told[before..]);
    }

    /// Takes arrivals until there are so many lines in all.
    pub(crate) fn until_lines(&mut self, n_lines: usize) {
        while self.lines.len() < n_lines {
            assert!(self.next().is_some(), "ended after {:?}", self.lines);
        }
    }

    /// What was told so far besides routine, and forgets it.
    pub(crate) fn story(&mut self) -> Vec<String> {
        let is_routine = |told: &String| told == "checked" || told.ends_with(": caught up");
        self.told.drain(..).filter(|told| !is_routine(told)).collect()
    }
}

/// Starts to follow the files, does something, waits for what that has to lead to and tells the story.
#[track_caller]
pub(crate) fn check(scene: &mut Scene, last: &str, expected: &[&str]) {
    scene.until(last);
    let story = scene.story();
    let story: Vec<_> = story.iter().map(String::as_str).collect();
    assert_eq!(story, expected);
}
