//! Objects of a repository, read raw: what cannot be read is missing, never an error.

use std::collections::hash_map::Entry;
use std::path::Path;
use std::rc::Rc;

use git2::{ObjectType, Odb, OdbObject, Oid, Repository};
use rustc_hash::{FxHashMap, FxHashSet};

use super::commit::Commit;
use super::tree::is_whole;

/// Bytes of trees that are kept; a walk needs the trees of two neighbouring commits again and again.
const TREES_LIMIT_BYTES: usize = 16 << 20;

/// The object database of one repository.
pub(super) struct Objects<'r> {
    odb: Odb<'r>,
    /// The commits whose parents a shallow clone left out.
    shallow: FxHashSet<Oid>,
    young: FxHashMap<Oid, Rc<[u8]>>,
    /// What was young before; dropped as a whole, which is a least-recently-used cache without a list.
    old: FxHashMap<Oid, Rc<[u8]>>,
    young_bytes: usize,
}

impl<'r> Objects<'r> {
    /// The objects of `repository`, or `None` when it has no object database.
    pub(super) fn of(repository: &'r Repository) -> Option<Objects<'r>> {
        Some(Objects {
            odb: repository.odb().ok()?,
            shallow: shallow(repository.commondir()),
            young: FxHashMap::default(),
            old: FxHashMap::default(),
            young_bytes: 0,
        })
    }

    /// The bytes of an object of one kind.
    fn read(&self, oid: Oid, kind: ObjectType) -> Option<OdbObject<'_>> {
        self.odb.read(oid).ok().filter(|object| object.kind() == kind)
    }

    /// A commit; one at a shallow clone's edge has no parents.
    pub(super) fn commit(&self, oid: Oid) -> Option<Commit> {
        let mut commit = Commit::parse(self.read(oid, ObjectType::Commit)?.data())?;
        if self.is_shallow(oid) {
            commit.parents.clear();
        }
        Some(commit)
    }

    /// Whether history ends at this commit because the clone is shallow.
    pub(super) fn is_shallow(&self, oid: Oid) -> bool {
        self.shallow.contains(&oid)
    }

    /// The raw entries of a tree, all of which can be read.
    pub(super) fn tree(&mut self, oid: Oid) -> Option<Rc<[u8]>> {
        if let Some(tree) = self.young.get(&oid) {
            return Some(Rc::clone(tree));
        }
        let tree: Rc<[u8]> = match self.old.get(&oid) {
            Some(tree) => Rc::clone(tree),
            None => {
                let object = self.read(oid, ObjectType::Tree)?;
                is_whole(object.data()).then(|| Rc::from(object.data()))?
            }
        };
        if self.young_bytes > TREES_LIMIT_BYTES {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += tree.len();
        if let Entry::Vacant(place) = self.young.entry(oid) {
            place.insert(Rc::clone(&tree));
        }
        Some(tree)
    }

    /// A file's content.
    pub(super) fn blob(&self, oid: Oid) -> Option<OdbObject<'_>> {
        self.read(oid, ObjectType::Blob)
    }

    /// The bytes of a file's content, without reading it.
    pub(super) fn blob_bytes(&self, oid: Oid) -> Option<u64> {
        let (bytes, kind) = self.odb.read_header(oid).ok()?;
        (kind == ObjectType::Blob).then_some(bytes as u64)
    }
}

/// The commits listed in `shallow`: <https://git-scm.com/docs/shallow>.
fn shallow(commondir: &Path) -> FxHashSet<Oid> {
    let text = std::fs::read_to_string(commondir.join("shallow")).unwrap_or_default();
    text.lines().filter_map(|line| Oid::from_str(line.trim()).ok()).collect()
}
