//! One file, read as it grows.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::block::BLOCK_BYTES;
use crate::mark::{self, FileId};
use crate::outlet::{Feed, Outlet, Stopped};
use crate::{Block, End, FileMark, Position, Sample, Settings, Start, Within};

/// One file that is open.
pub(crate) struct OpenFile {
    feed: Feed,
    file: File,
    pub(crate) id: FileId,
    /// Where it was found last.
    pub(crate) path: PathBuf,
    /// The names that a watch knows it by.
    pub(crate) watched: Vec<PathBuf>,
    /// Whether to look at it.
    pub(crate) is_ready: bool,
    /// Since when no path leads to it any more.
    pub(crate) away: Option<Away>,
    /// When to look at it, however quiet it is.
    pub(crate) due_ms: Option<i64>,
    size: u64,
    changed_ms: i64,
    /// Bytes that the next look reads at most: more than a block only within a line that is longer.
    reach_bytes: usize,
}

/// A file that was rotated away.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Away {
    pub(crate) since_ms: i64,
    /// Its successor is there and has nothing: whoever writes has not changed over yet.
    pub(crate) is_successor_empty: bool,
}

/// What a look at a file gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// There is more to read at once.
    More,
    /// There is nothing more for now.
    Quiet,
    /// It cannot be read, now at least.
    Broken,
    /// There will be nothing more.
    Over(End),
}

/// A file before anything is told of it.
pub(crate) struct Candidate {
    pub(crate) file: File,
    pub(crate) id: FileId,
    size: u64,
    modified_ms: Option<i64>,
}

impl Candidate {
    /// Opens what is at `path`; `None` when that is nothing.
    ///
    /// Anything but a file is refused before it is opened: opening a pipe waits for who writes to it.
    pub(crate) fn open(path: &Path) -> io::Result<Option<Candidate>> {
        let opened = std::fs::metadata(path).and_then(|about| {
            if about.is_file() {
                File::open(path)
            } else {
                Err(io::Error::other("something else than a file"))
            }
        });
        let file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let about = file.metadata()?;
        let modified_ms = about.mtime().checked_mul(1000).map(|ms| ms + about.mtime_nsec() / 1_000_000);
        Ok(Some(Candidate { id: mark::id(&about), size: about.size(), modified_ms, file }))
    }

    /// What packs it, when it is packed: its bytes would only be taken for unknown lines.
    pub(crate) fn packed(&self) -> io::Result<Option<&'static str>> {
        const PACKED: &[(&[u8], &str)] =
            &[(b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"\xfd7zXZ\0", "xz"), (b"BZh", "bzip2")];
        let first = mark::first_bytes(&self.file)?;
        Ok(PACKED.iter().find(|(magic, _)| first.starts_with(magic)).map(|(_, name)| *name))
    }

    /// Whether it is the file that `position` stands in.
    pub(crate) fn is_at(&self, position: &Position) -> io::Result<bool> {
        let Some(file) = &position.file else { return Ok(false) };
        Ok(self.size >= position.offset && file.is_of(&self.file, position.offset)?)
    }

    /// Begins at its start, or, when `start` says so, at its end.
    pub(crate) fn start(&self, source: &str, path: &Path, start: Start) -> io::Result<Position> {
        let head = Sample::of_start(&self.file)?;
        let mut tail = Sample::default();
        let mut position = Position::start(source, &path.to_string_lossy());
        if start == Start::End && self.size > 0 {
            let mut last = [0];
            mark::read_at(&self.file, &mut last, self.size - 1)?;
            tail = Sample::of_end(&last);
            position.offset = self.size;
            position.within = (last != *b"\n").then_some(Within::Cut);
        }
        position.file = Some(FileMark { device: self.id.0, inode: self.id.1, head, tail });
        Ok(position)
    }
}

impl OpenFile {
    /// Tells that `candidate` is read from `position` on. `is_anew` says that it held something else before.
    pub(crate) fn open(
        outlet: &Outlet,
        path: PathBuf,
        candidate: Candidate,
        position: Position,
        is_anew: bool,
    ) -> Result<OpenFile, Stopped> {
        let Candidate { file, id, size, modified_ms } = candidate;
        let mut feed = Feed::open(outlet, position, modified_ms)?;
        if is_anew {
            feed.truncated(0)?;
        }
        let now_ms = outlet.now_ms();
        let changed_ms = modified_ms.map_or(now_ms, |ms| ms.min(now_ms));
        let watched = Vec::new();
        let (is_ready, away, due_ms) = (true, None, None);
        let reach_bytes = BLOCK_BYTES;
        Ok(OpenFile { feed, file, id, path, watched, is_ready, away, due_ms, size, changed_ms, reach_bytes })
    }

    /// Reads on, one block at most, and tells it.
    pub(crate) fn look(&mut self, settings: &Settings, follow: bool, now_ms: i64) -> Result<Look, Stopped> {
        self.due_ms = None;
        match self.try_look(settings, follow, now_ms) {
            Ok(looked) => looked,
            // Nothing leads to it any more, and it stays so: its successor is not kept waiting for ever.
            Err(_) if self.is_given_up(settings, now_ms) => Ok(Look::Over(End::Gone)),
            Err(error) => {
                self.is_ready = false;
                self.feed.disconnected(format!("wanted to read {}, found: {error}", self.path.display()))?;
                Ok(Look::Broken)
            }
        }
    }

    fn try_look(
        &mut self,
        settings: &Settings,
        follow: bool,
        now_ms: i64,
    ) -> io::Result<Result<Look, Stopped>> {
        let size = self.file.metadata()?.size();
        let unread = self.size.saturating_sub(self.feed.position.offset);
        if size != self.size {
            (self.size, self.changed_ms) = (size, now_ms);
        }
        let offset = self.feed.position.offset;
        let wanted = size.saturating_sub(offset).min(self.reach_bytes as u64);
        let mut bytes = vec![0; wanted as usize];
        let n_bytes = mark::read_at(&self.file, &mut bytes, offset)?;
        bytes.truncate(n_bytes);
        // Asked after reading: so the bytes are those of the file that begins like this.
        let head = self.head().of_same(&self.file)?;
        // What was emptied and written anew may begin as before, with a banner, and be longer already.
        let is_same = match &self.feed.position.file {
            Some(mark) => size >= offset && mark.leads_to(&self.file, offset)?,
            None => size >= offset,
        };
        let Some(head) = head.filter(|_| is_same) else {
            return Ok(self.begin_anew(unread));
        };
        // Some file systems tell sizes that nobody can read up to.
        let is_end = n_bytes < wanted as usize || offset + n_bytes as u64 == size;
        let over = self.over(settings, follow, now_ms);
        let is_all =
            is_end && (over.is_some() || self.is_quiet(settings.partial_ms, self.changed_ms, now_ms));
        let cut = Block::cut(bytes, self.feed.position.within, settings.limit_bytes, is_all);
        self.feed.position.offset += cut.used as u64;
        self.feed.position.within = cut.within;
        self.mark(head, (cut.used > 0).then(|| cut.block.tail()));
        self.is_ready = !is_end;
        // A line past the limit is cut, and so is not waited for.
        self.reach_bytes = match cut.used {
            0 if !is_end => self.reach_bytes.saturating_mul(2).min(BLOCK_BYTES.max(settings.limit_bytes + 2)),
            _ => BLOCK_BYTES,
        };
        Ok(self.tell(cut.block, cut.used, cut.rest.is_empty(), now_ms).map(|()| match over {
            _ if self.is_ready => Look::More,
            Some(end) => Look::Over(end),
            None => {
                if !cut.rest.is_empty() {
                    self.wake_at(self.changed_ms.saturating_add_unsigned(settings.partial_ms));
                }
                Look::Quiet
            }
        }))
    }

    fn tell(&mut self, block: Block, used: usize, is_rest_empty: bool, now_ms: i64) -> Result<(), Stopped> {
        if used > 0 {
            self.feed.lines(block)?;
        }
        if !self.is_ready && is_rest_empty {
            self.feed.caught_up(now_ms)?;
        }
        Ok(())
    }

    /// What ends the file, if there is no more at its end.
    fn over(&mut self, settings: &Settings, follow: bool, now_ms: i64) -> Option<End> {
        if !follow {
            return Some(End::Read);
        }
        let away = self.away?;
        let wait_ms = if away.is_successor_empty {
            settings.linger_ms.max(settings.grace_ms)
        } else {
            settings.grace_ms
        };
        let since_ms = self.changed_ms.max(away.since_ms);
        if self.is_quiet(wait_ms, since_ms, now_ms) {
            return Some(End::Rotated);
        }
        self.wake_at(since_ms.saturating_add_unsigned(wait_ms));
        None
    }

    /// Whether what cannot be read has been away for so long that nobody brings it back.
    fn is_given_up(&self, settings: &Settings, now_ms: i64) -> bool {
        let wait_ms = settings.linger_ms.max(settings.grace_ms);
        self.away.is_some_and(|away| self.is_quiet(wait_ms, away.since_ms, now_ms))
    }

    /// Whether so much time has passed. A clock that was set back counts as if it had.
    fn is_quiet(&self, wait_ms: u64, since_ms: i64, now_ms: i64) -> bool {
        now_ms.abs_diff(since_ms) >= wait_ms
    }

    fn wake_at(&mut self, at_ms: i64) {
        self.due_ms = Some(self.due_ms.map_or(at_ms, |due_ms| due_ms.min(at_ms)));
    }

    /// The file was emptied, or holds something else than before.
    fn begin_anew(&mut self, lost_bytes: u64) -> Result<Look, Stopped> {
        self.feed.position.offset = 0;
        self.feed.position.within = None;
        self.mark(Sample::default(), Some(Sample::default()));
        self.is_ready = true;
        self.feed.truncated(lost_bytes)?;
        Ok(Look::More)
    }

    fn head(&self) -> Sample {
        self.feed.position.file.as_ref().map(|file| file.head.clone()).unwrap_or_default()
    }

    /// Marks the file by how it begins and by what was read last, where that is new.
    fn mark(&mut self, head: Sample, tail: Option<Sample>) {
        let (device, inode) = self.id;
        let known = self.feed.position.file.take().map(|file| file.tail);
        let tail = tail.or(known).unwrap_or_default();
        self.feed.position.file = Some(FileMark { device, inode, head, tail });
    }

    /// Tells the end, and gives what is needed to begin once more.
    pub(crate) fn close(self, end: End) -> Result<(Candidate, Position, PathBuf), Stopped> {
        self.feed.close(end)?;
        let candidate = Candidate { file: self.file, id: self.id, size: self.size, modified_ms: None };
        Ok((candidate, self.feed.position, self.path))
    }
}

impl Candidate {
    /// Whether it is larger than what was read of it.
    pub(crate) fn has_more_than(&self, position: &Position) -> bool {
        self.file.metadata().is_ok_and(|about| about.size() > position.offset)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::path::PathBuf;
    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, sync_channel};

    use super::{Away, Candidate, Look, OpenFile};
    use crate::outlet::{Outlet, Stop};
    use crate::{Arrival, End, Kind, Settings, Start};

    /// Opens what is there, and gives where it tells of it.
    fn open(path: PathBuf, candidate: Candidate) -> (OpenFile, Receiver<Arrival>, Settings) {
        let (sender, arrivals) = sync_channel::<Arrival>(100);
        let outlet = Outlet::new(sender, Arc::new(Stop::default()), Arc::new(|| 0));
        let position = candidate
            .start("test", &path, Start::Beginning)
            .unwrap_or_else(|_| crate::Position::start("test", &path.to_string_lossy()));
        let settings = Settings::new("test", Kind::Files { paths: Vec::new(), follow: true });
        (OpenFile::open(&outlet, path, candidate, position, false).unwrap(), arrivals, settings)
    }

    #[test]
    fn a_file_written_anew_behind_the_same_banner_is_read_from_its_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.log");
        let banner = "=".repeat(300);
        fs::write(&path, format!("{banner}\none\ntwo\n")).unwrap();
        let (mut file, arrivals, settings) = open(path.clone(), Candidate::open(&path).unwrap().unwrap());
        assert_eq!(file.look(&settings, true, 1).unwrap(), Look::Quiet);
        fs::write(&path, format!("{banner}\nthree\nfour\nfive\n")).unwrap();
        assert_eq!(file.look(&settings, true, 2).unwrap(), Look::More);
        assert_eq!(file.look(&settings, true, 3).unwrap(), Look::Quiet);
        let mut lines = Vec::new();
        while let Ok(arrival) = arrivals.try_recv() {
            let Arrival::Lines { block, .. } = arrival else { continue };
            lines.extend(block.iter().map(|line| String::from_utf8_lossy(line).into_owned()));
        }
        let banner = banner.as_str();
        assert_eq!(lines, [banner, "one", "two", banner, "three", "four", "five"]);
    }

    #[test]
    fn a_file_that_is_away_and_cannot_be_read_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        // Opened like a file, a folder cannot be read: as a file of a server that has removed it.
        let broken = Candidate { file: File::open(&path).unwrap(), id: (0, 0), size: 1, modified_ms: None };
        let (mut file, _arrivals, settings) = open(path, broken);
        assert_eq!(file.look(&settings, true, 1).unwrap(), Look::Broken);
        file.away = Some(Away { since_ms: 1, is_successor_empty: false });
        assert_eq!(file.look(&settings, true, 2).unwrap(), Look::Broken);
        let later_ms = 2 + i64::try_from(settings.linger_ms.max(settings.grace_ms)).unwrap();
        assert_eq!(file.look(&settings, true, later_ms).unwrap(), Look::Over(End::Gone));
    }
}
