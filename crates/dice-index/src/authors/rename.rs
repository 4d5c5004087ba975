//! Where a file was before it was renamed, searched the way `git blame` does: for one destination at a time.

use std::collections::hash_map::Entry;

use git2::Oid;
use rustc_hash::FxHashMap;

use super::objects::Objects;
use super::tree::{self, Gone};

/// The score of two files without a difference.
const SCORE_MAX: f64 = 60_000.0;
/// The score from which two files are taken for one.
const SCORE_ENOUGH: u32 = 30_000;
/// The score from which the only deleted file of the same name is taken without a look at the others.
const SCORE_ENOUGH_FOR_SAME_NAME: u32 = 45_000;
/// Chunks that are kept, over all files; past it they are counted anew.
const CHUNKS_LIMIT: usize = 8 << 20;

/// Comparisons of two files' sizes and contents, over all files that one commit added. It rules out only
/// what thousands of files added and as many deleted at once would cost.
const COMPARISONS_LIMIT: usize = 1 << 22;

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// The file was at this path and had this content.
    File(Vec<u8>, Oid),
    /// Nothing is like it.
    None,
    /// An object that is needed to tell is not there, or too many are.
    Missing,
}

/// The files that a commit deleted: what a new file may have been before.
pub(super) struct Deleted {
    /// In the order of git's trees; `None` when the trees cannot be read.
    files: Option<Vec<Gone>>,
    chunks: FxHashMap<Oid, Chunks>,
    chunks_kept: usize,
    /// The bytes of each file, as far as known.
    bytes: FxHashMap<Oid, u64>,
    comparisons: usize,
}

impl Deleted {
    /// The files that tree `old` has and tree `new` has not.
    pub(super) fn between(objects: &mut Objects<'_>, new: Oid, old: Oid) -> Deleted {
        Deleted {
            files: tree::gone(objects, new, old),
            chunks: FxHashMap::default(),
            chunks_kept: 0,
            bytes: FxHashMap::default(),
            comparisons: 0,
        }
    }

    /// Searches where the file `name`, whose content is `blob`, was before.
    ///
    /// First the same content, better under the same name; then the only file of the same name when three
    /// quarters agree; then the most similar one when half does.
    pub(super) fn source(&mut self, objects: &Objects<'_>, name: &[u8], blob: Oid) -> Source {
        let Some(files) = self.files.take() else { return Source::Missing };
        let source = match self.search(objects, &files, name, blob) {
            Err(Unreadable) => Source::Missing,
            Ok(None) => Source::None,
            Ok(Some(file)) => file.blob.map_or(Source::None, |blob| Source::File(file.path.clone(), blob)),
        };
        self.files = Some(files);
        source
    }

    fn search<'f>(
        &mut self,
        objects: &Objects<'_>,
        files: &'f [Gone],
        name: &[u8],
        blob: Oid,
    ) -> Result<Option<&'f Gone>, Unreadable> {
        let mut same = files.iter().filter(|file| file.blob == Some(blob)).peekable();
        if let Some(first) = same.peek().copied() {
            return Ok(Some(same.find(|file| basename(&file.path) == name).unwrap_or(first)));
        }
        if files.iter().all(|file| file.blob.is_none()) {
            return Ok(None);
        }
        let mut wanted = Wanted { blob, bytes: objects.blob_bytes(blob).ok_or(Unreadable)?, chunks: None };
        let mut of_name = files.iter().filter(|file| basename(&file.path) == name);
        if let (Some(only), None) = (of_name.next(), of_name.next())
            && self.score(objects, only, &mut wanted)? >= SCORE_ENOUGH_FOR_SAME_NAME
        {
            return Ok(Some(only));
        }
        let mut best = Best::default();
        for file in files {
            let score = self.score(objects, file, &mut wanted)?;
            best.offer(score, basename(&file.path) == name, file);
        }
        Ok(best.file())
    }

    /// How much of the two files is the same, up to [`SCORE_MAX`]; 0 when their sizes rule enough out.
    fn score(&mut self, objects: &Objects<'_>, file: &Gone, wanted: &mut Wanted) -> Result<u32, Unreadable> {
        let Some(blob) = file.blob else { return Ok(0) };
        self.comparisons += 1;
        if self.comparisons > COMPARISONS_LIMIT {
            return Err(Unreadable);
        }
        let bytes = match self.bytes.entry(blob) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => *place.insert(objects.blob_bytes(blob).ok_or(Unreadable)?),
        };
        let (larger, smaller) = (bytes.max(wanted.bytes), bytes.min(wanted.bytes));
        let difference = larger - smaller;
        if (larger as f64) * (SCORE_MAX - f64::from(SCORE_ENOUGH)) < (difference as f64) * SCORE_MAX {
            return Ok(0);
        }
        if wanted.chunks.is_none() {
            wanted.chunks = Some(Chunks::of(objects.blob(wanted.blob).ok_or(Unreadable)?.data()));
        }
        let (Some(mine), Some(theirs)) = (&wanted.chunks, self.chunks(objects, blob)) else {
            return Err(Unreadable);
        };
        let copied = theirs.shared_bytes(mine) as f64;
        Ok(if larger == 0 { 0 } else { (copied * SCORE_MAX / larger as f64) as u32 })
    }

    /// The chunks of a deleted file.
    fn chunks(&mut self, objects: &Objects<'_>, blob: Oid) -> Option<&Chunks> {
        if self.chunks_kept > CHUNKS_LIMIT {
            self.chunks.clear();
            self.chunks_kept = 0;
        }
        match self.chunks.entry(blob) {
            Entry::Occupied(known) => Some(known.into_mut()),
            Entry::Vacant(place) => {
                let chunks = Chunks::of(objects.blob(blob)?.data());
                self.chunks_kept += chunks.0.len();
                Some(place.insert(chunks))
            }
        }
    }
}

/// A needed object cannot be read, or there are too many.
struct Unreadable;

/// The file whose origin is searched.
struct Wanted {
    blob: Oid,
    bytes: u64,
    /// Counted when the first file of a fitting size comes along.
    chunks: Option<Chunks>,
}

fn basename(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

/// The best sources so far. git keeps four and drops the worst, which decides between equals.
#[derive(Default)]
struct Best<'f> {
    slots: [Option<(u32, bool, &'f Gone)>; 4],
}

impl<'f> Best<'f> {
    fn rank(slot: &Option<(u32, bool, &'f Gone)>) -> Option<(u32, bool)> {
        slot.map(|(score, same_name, _)| (score, same_name))
    }

    fn offer(&mut self, score: u32, same_name: bool, file: &'f Gone) {
        // `min_by_key` gives the first of the worst.
        if let Some(worst) = self.slots.iter_mut().min_by_key(|slot| Best::rank(slot))
            && Best::rank(worst) < Some((score, same_name))
        {
            *worst = Some((score, same_name, file));
        }
    }

    fn file(&self) -> Option<&'f Gone> {
        let best = self.slots.iter().rev().max_by_key(|slot| Best::rank(slot))?;
        best.filter(|(score, _, _)| *score >= SCORE_ENOUGH).map(|(_, _, file)| file)
    }
}

/// How many bytes of a file are in chunks of one hash: sorted by hash, each hash once.
///
/// A chunk ends after a line feed or 64 bytes. The hash is git's, so that chance hits are the same.
struct Chunks(Vec<(u32, u32)>);

impl Chunks {
    fn of(content: &[u8]) -> Chunks {
        const BUCKETS: u32 = 107_927;
        const CHUNK_BYTES: u32 = 64;
        let is_text = !content[..content.len().min(8_000)].contains(&0);
        let mut chunks = Vec::new();
        let (mut high, mut low, mut bytes) = (0_u32, 0_u32, 0_u32);
        let mut rest = content.iter().copied().peekable();
        while let Some(byte) = rest.next() {
            if is_text && byte == b'\r' && rest.peek() == Some(&b'\n') {
                continue;
            }
            // One 64-bit number turned left by seven in two halves, then the byte added to one of them.
            (high, low) = ((high << 7) ^ (low >> 25), (low << 7) ^ (high >> 25));
            high = high.wrapping_add(u32::from(byte));
            bytes += 1;
            if bytes == CHUNK_BYTES || byte == b'\n' {
                chunks.push((high.wrapping_add(low.wrapping_mul(0x61)) % BUCKETS, bytes));
                (high, low, bytes) = (0, 0, 0);
            }
        }
        if bytes > 0 {
            chunks.push((high.wrapping_add(low.wrapping_mul(0x61)) % BUCKETS, bytes));
        }
        chunks.sort_unstable();
        chunks.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
        Chunks(chunks)
    }

    fn shared_bytes(&self, other: &Chunks) -> u64 {
        let mut others = other.0.iter().peekable();
        let mut shared = 0;
        for (hash, bytes) in &self.0 {
            while others.next_if(|other| other.0 < *hash).is_some() {}
            if let Some(other) = others.next_if(|other| other.0 == *hash) {
                shared += u64::from(*bytes.min(&other.1));
            }
        }
        shared
    }
}
