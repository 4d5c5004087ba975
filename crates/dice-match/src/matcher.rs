//! The compiled catalog.

use std::fmt;

use dice_catalog::{Catalog, Entry};

use crate::{Envelope, Limits, Verdict};

/// A statement's place in one matcher. It dies with it; what is stored uses fingerprints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub(crate) u32);

/// The compiled catalog. Shared between threads; each brings its own [`Scratch`].
#[derive(Debug)]
pub struct Matcher {
    entries: Vec<Entry>,
}

/// What classifying needs to remember between lines, to save time only.
#[derive(Debug, Default)]
pub struct Scratch {}

impl Matcher {
    /// Compiles every matchable statement of `catalogs`.
    ///
    /// # Errors
    ///
    /// When the catalogs need more than `limits.index_bytes`.
    pub fn new(catalogs: Vec<Catalog>, limits: &Limits) -> Result<Matcher, CompileError> {
        let _ = limits;
        Ok(Matcher { entries: catalogs.into_iter().flat_map(|catalog| catalog.entries).collect() })
    }

    /// The statement at `id`.
    pub fn entry(&self, id: EntryId) -> &Entry {
        &self.entries[id.0 as usize]
    }

    /// All statements, in the order of the catalogs.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Which statements can have printed the message.
    pub fn classify(&self, envelope: &Envelope<'_>, scratch: &mut Scratch) -> Verdict {
        let _ = (envelope, scratch);
        Verdict::default()
    }

    /// The statements whose templates are most like `message`, best first, at most `n`.
    pub fn nearest(&self, message: &[u8], n: usize) -> Vec<EntryId> {
        let _ = (message, n);
        Vec::new()
    }
}

/// Why catalogs could not be compiled.
#[derive(Debug)]
pub struct CompileError {
    needed_bytes: usize,
    limit_bytes: usize,
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the catalog needs {} bytes compiled, the limit is {}", self.needed_bytes, self.limit_bytes)
    }
}

impl std::error::Error for CompileError {}
