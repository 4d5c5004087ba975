//! Looking at single commits, and how git is used by the whole process.

use std::path::Path;

use git2::{Oid, Repository};

/// The first line of a commit's message, where the repository at or above `path` has the commit.
pub fn commit_summary(path: &Path, commit: &str) -> Option<String> {
    let repository = Repository::discover(path).ok()?;
    let commit = repository.find_commit(Oid::from_str(commit).ok()?).ok()?;
    let summary = commit.summary_bytes()?;
    Some(String::from_utf8_lossy(summary).into_owned())
}

/// Stops git from checking the hash of every object that is read, for the whole process.
///
/// It costs half of the time of an index, and git itself does not check it when it blames. To be called once,
/// by the program, before the first repository is opened.
pub fn trust_object_hashes() {
    git2::opts::strict_hash_verification(false);
}
