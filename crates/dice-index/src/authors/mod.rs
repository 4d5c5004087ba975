//! Who last wrote a line, as `git blame` tells it, for a whole repository in one pass.
//!
//! First one walk through history finds every version of every wanted file ([`history`]), without reading
//! files. Then the wanted lines travel through the versions, file by file and in parallel ([`lines`]). Lines
//! that can not be followed to their end have no author: a wrong name is worse than none.
//!
//! The answers are those of `git blame` without options, plus `--ignore-revs-file`. Replace refs and grafts
//! are not looked at.

use std::collections::{BTreeMap, HashMap};

use dice_catalog::{AuthorMissing, LineNo};
use git2::{Oid, Repository};

mod commit;
mod diff;
mod history;
mod identity;
mod ignore_revs;
mod likeness;
mod lines;
mod mailmap;
mod objects;
mod paths;
mod rename;
mod shorthand;
mod text;
mod tree;
mod uncommitted;
mod versions;

#[cfg(test)]
mod against_git;

pub(crate) use identity::identities;
pub(crate) use ignore_revs::ignore_revs;
pub(crate) use uncommitted::uncommitted;

use objects::Objects;

/// Lines to ask for, by path in the commit's tree.
pub(crate) type Wanted = BTreeMap<Vec<u8>, Vec<LineNo>>;

/// Which files of the repository count besides the objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Snapshot {
    /// Those of the commit.
    Commit(Oid),
    /// Those of the working tree.
    Worktree,
}

/// How the walk goes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// Commits to look through, from `.git-blame-ignore-revs` and `blame.ignoreRevsFile`.
    pub(crate) ignore_revs: Vec<Oid>,
}

/// A line, and the commit that last wrote it or why that is not known.
type Answer = (LineNo, Result<Oid, AuthorMissing>);

/// Who wrote the wanted lines: the commit, or why it is not known.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Blame {
    /// Sorted by line.
    files: HashMap<Vec<u8>, Vec<Answer>>,
}

impl Blame {
    /// The commit that last wrote a wanted line.
    ///
    /// A line that was not asked for, or that the file does not have, is a missing object.
    pub(crate) fn commit(&self, path: &[u8], line: LineNo) -> Result<Oid, AuthorMissing> {
        let lines = self.files.get(path).map_or(&[][..], Vec::as_slice);
        match lines.binary_search_by_key(&line, |(line, _)| *line) {
            Ok(at) => lines[at].1,
            Err(_) => Err(AuthorMissing::MissingObject),
        }
    }

    /// Every commit that wrote a wanted line, once, in order of id.
    pub(crate) fn commits(&self) -> Vec<Oid> {
        let mut commits: Vec<Oid> =
            self.files.values().flatten().filter_map(|(_, answer)| answer.ok()).collect();
        commits.sort_unstable();
        commits.dedup();
        commits
    }
}

/// Walks history from `head` until every wanted line has found its commit.
///
/// Runs in the current rayon pool; the answers do not depend on its size. A repository's objects are trusted
/// to be what their names say when `git2::opts::strict_hash_verification` is off, which is twice as fast.
pub(crate) fn blame(repository: &Repository, head: Oid, wanted: &Wanted, settings: &Settings) -> Blame {
    let Some(mut objects) = Objects::of(repository) else { return Blame::default() };
    let files: Vec<(&Vec<u8>, Vec<LineNo>)> = wanted
        .iter()
        .filter(|(_, lines)| !lines.is_empty())
        .map(|(path, lines)| {
            let mut lines = lines.clone();
            lines.sort_unstable();
            lines.dedup();
            (path, lines)
        })
        .collect();
    let names: Vec<&[u8]> = files.iter().map(|(path, _)| path.as_slice()).collect();
    let (versions, roots) = history::walk(&mut objects, head, &names);
    let mut rows = vec![Vec::new(); versions.roots.len()];
    for ((_, lines), root) in files.iter().zip(&roots) {
        if let Some(root) = root {
            rows[*root] = lines.iter().map(|line| line.row()).collect();
        }
    }
    let ignored = settings.ignore_revs.iter().copied().collect();
    let mut answers = lines::resolve(repository.path(), &versions, &rows, &ignored);
    let files = files
        .into_iter()
        .zip(roots)
        .filter_map(|((path, lines), root)| {
            let answers = std::mem::take(&mut answers[root?]);
            Some((path.clone(), lines.into_iter().zip(answers).collect()))
        })
        .collect();
    Blame { files }
}
