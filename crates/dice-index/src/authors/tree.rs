//! Trees as they are stored: what differs between two, and what is where.

use std::cmp::Ordering;
use std::rc::Rc;

use git2::Oid;

use super::objects::Objects;
use super::paths::{PathId, Paths};

/// The part of a mode that tells files, directories, symbolic links and submodules apart.
const KIND: u32 = 0o170_000;
const DIRECTORY: u32 = 0o040_000;
const REGULAR: u32 = 0o100_000;

/// What a tree has at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A regular file with this content.
    File(Oid),
    /// A symbolic link or a submodule.
    Other,
    /// Nothing, or a directory.
    Absent,
    /// A tree on the way is not in the repository.
    Missing,
}

/// One entry of a tree.
#[derive(Debug, Clone, Copy)]
struct Entry<'t> {
    mode: u32,
    name: &'t [u8],
    oid: Oid,
    /// The stored bytes.
    raw: &'t [u8],
}

impl Entry<'_> {
    fn is_directory(&self) -> bool {
        self.mode & KIND == DIRECTORY
    }

    fn place(&self) -> Place {
        match self.mode & KIND {
            REGULAR => Place::File(self.oid),
            DIRECTORY => Place::Absent,
            _ => Place::Other,
        }
    }

    /// The order of entries in a tree: a directory's name counts as if `/` followed it.
    fn order(&self, other: &Entry<'_>) -> Ordering {
        let shared = self.name.len().min(other.name.len());
        let after = |entry: &Entry<'_>| match entry.name.get(shared) {
            Some(byte) => *byte,
            None if entry.is_directory() => b'/',
            None => 0,
        };
        self.name[..shared].cmp(&other.name[..shared]).then_with(|| after(self).cmp(&after(other)))
    }
}

/// The entry that starts at a byte of a tree; `None` at the end, and where the bytes are no entry.
fn entry_at(tree: &[u8], at: usize) -> Option<Entry<'_>> {
    let rest = tree.get(at..)?;
    let space = memchr::memchr(b' ', rest.get(..8).unwrap_or(rest))?;
    let nul = space + memchr::memchr(0, &rest[space..])?;
    let raw = rest.get(..nul + 21)?;
    let mode = rest[..space]
        .iter()
        .try_fold(0_u32, |mode, digit| digit.is_ascii_digit().then(|| (mode << 3) | u32::from(digit & 7)))?;
    Some(Entry { mode, name: &rest[space + 1..nul], oid: Oid::from_bytes(&raw[nul + 1..]).ok()?, raw })
}

/// Whether a tree is made of entries to its end.
pub(super) fn is_whole(tree: &[u8]) -> bool {
    let mut at = 0;
    while let Some(entry) = entry_at(tree, at) {
        at += entry.raw.len();
    }
    at == tree.len()
}

/// Two trees side by side.
struct Pair {
    new: Rc<[u8]>,
    old: Rc<[u8]>,
    new_at: usize,
    old_at: usize,
}

/// An entry that only one of two trees has, or that both have but not alike.
enum Step<'t> {
    Both(Entry<'t>, Entry<'t>),
    New(Entry<'t>),
    Old(Entry<'t>),
}

impl Pair {
    fn new(new: Rc<[u8]>, old: Rc<[u8]>) -> Pair {
        Pair { new, old, new_at: 0, old_at: 0 }
    }

    /// The next difference, in the order of entries.
    fn step(&mut self) -> Option<Step<'_>> {
        let Pair { new, old, new_at, old_at } = self;
        loop {
            let one = entry_at(new, *new_at);
            let two = entry_at(old, *old_at);
            let order = match (&one, &two) {
                (None, None) => return None,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(one), Some(two)) => one.order(two),
            };
            if order != Ordering::Greater {
                *new_at += one.map_or(0, |entry| entry.raw.len());
            }
            if order != Ordering::Less {
                *old_at += two.map_or(0, |entry| entry.raw.len());
            }
            match (order, one, two) {
                (Ordering::Equal, Some(one), Some(two)) => {
                    if one.raw != two.raw {
                        return Some(Step::Both(one, two));
                    }
                }
                (Ordering::Less, Some(one), _) => return Some(Step::New(one)),
                (_, _, two) => return two.map(Step::Old),
            }
        }
    }
}

/// The followed files that are not alike in tree `new` and tree `old`, and what `old` has in their place.
///
/// Files that only `old` has are not told: nobody follows them yet.
pub(super) fn changed(objects: &mut Objects<'_>, paths: &Paths, new: Oid, old: Oid) -> Vec<(PathId, Place)> {
    let mut found = Vec::new();
    let mut stack = vec![(Paths::ROOT, new, old)];
    while let Some((directory, new, old)) = stack.pop() {
        if new == old {
            continue;
        }
        let (Some(new), Some(old)) = (objects.tree(new), objects.tree(old)) else {
            found.extend(paths.below(directory).into_iter().map(|path| (path, Place::Missing)));
            continue;
        };
        let mut pair = Pair::new(new, old);
        while let Some(step) = pair.step() {
            let (new, old) = match step {
                Step::Both(new, old) => (new, Some(old)),
                Step::New(new) => (new, None),
                Step::Old(_) => continue,
            };
            let Some(path) = paths.child(directory, new.name) else { continue };
            if !new.is_directory() {
                if paths.is_file(path) {
                    found.push((path, old.map_or(Place::Absent, |old| old.place())));
                }
            } else if let Some(old) = old {
                stack.push((path, new.oid, old.oid));
            } else {
                found.extend(paths.below(path).into_iter().map(|path| (path, Place::Absent)));
            }
        }
    }
    found
}

/// What `tree` has at the end of `names`.
pub(super) fn place(objects: &mut Objects<'_>, tree: Oid, names: &[&[u8]]) -> Place {
    let mut tree = tree;
    for (depth, name) in names.iter().enumerate() {
        let Some(raw) = objects.tree(tree) else { return Place::Missing };
        let last = depth + 1 == names.len();
        let mut at = 0;
        let found = loop {
            let Some(entry) = entry_at(&raw, at) else { return Place::Absent };
            // A directory may stand beside a file of the same name only in a broken tree; the first fit counts.
            if entry.name == *name && (last || entry.is_directory()) {
                break entry;
            }
            at += entry.raw.len();
        };
        if last {
            return found.place();
        }
        tree = found.oid;
    }
    Place::Absent
}

/// A file of one tree that another tree does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gone {
    pub(super) path: Vec<u8>,
    /// Its content; `None` for a symbolic link or a submodule.
    pub(super) blob: Option<Oid>,
}

/// Bounds what a tree made to explode can cost. git gives up comparing contents at as many files.
const GONE_LIMIT: usize = 1_000_000;
/// Bytes of paths.
const GONE_LIMIT_BYTES: usize = 128 << 20;

/// The files of tree `old` that tree `new` does not have, in the order of git's trees.
///
/// `None` when a tree is missing or there are more than can be looked at.
pub(super) fn gone(objects: &mut Objects<'_>, new: Oid, old: Oid) -> Option<Vec<Gone>> {
    let empty: Rc<[u8]> = Rc::from([]);
    let mut found = Vec::new();
    let mut bytes = 0;
    let mut prefix = Vec::new();
    let mut stack = vec![(Pair::new(objects.tree(new)?, objects.tree(old)?), 0)];
    while let Some((pair, prefix_len)) = stack.last_mut() {
        prefix.truncate(*prefix_len);
        let (inner, name) = match pair.step() {
            None => {
                stack.pop();
                continue;
            }
            Some(Step::Both(new, old)) if old.is_directory() => ((Some(new.oid), old.oid), old.name),
            Some(Step::Old(old)) if old.is_directory() => ((None, old.oid), old.name),
            Some(Step::Old(old)) => {
                let path = [&prefix[..], old.name].concat();
                bytes += path.len();
                let blob = if let Place::File(oid) = old.place() { Some(oid) } else { None };
                found.push(Gone { path, blob });
                if found.len() > GONE_LIMIT || bytes > GONE_LIMIT_BYTES {
                    return None;
                }
                continue;
            }
            Some(Step::Both(..) | Step::New(_)) => continue,
        };
        prefix.extend_from_slice(name);
        prefix.push(b'/');
        let (new, old) = inner;
        let new = match new {
            Some(new) => objects.tree(new)?,
            None => Rc::clone(&empty),
        };
        let len = prefix.len();
        stack.push((Pair::new(new, objects.tree(old)?), len));
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::is_whole;

    #[track_caller]
    fn check(tree: &[u8], whole: bool) {
        assert_eq!(is_whole(tree), whole, "{}", tree.escape_ascii());
    }

    #[test]
    fn broken_trees_are_not_whole() {
        let id = [7; 20];
        let file = [&b"100644 a.c\0"[..], &id].concat();
        check(b"", true);
        check(&file, true);
        check(&[&file[..], &file].concat(), true);
        check(&file[..file.len() - 1], false);
        check(&[&file[..], b"x"].concat(), false);
        check(&[&b"1006z4 a.c\0"[..], &id].concat(), false);
        check(&[&b"100644a.c\0"[..], &id].concat(), false);
        check(b"100644 a.c", false);
    }
}
