//! Commits that only moved text about: `.git-blame-ignore-revs`.

use git2::{Oid, Repository};

use super::Snapshot;
use super::mailmap::file;

/// The file that is read without being asked for.
const DEFAULT_FILE: &str = ".git-blame-ignore-revs";

/// The commits to look through, and what is wrong with the files that list them.
///
/// `.git-blame-ignore-revs` counts whether `blame.ignoreRevsFile` names it or not; git asks for the setting. Other files
/// that the setting names are read from the working tree, and an empty value forgets what came before, as
/// in git. A commit that the repository does not have is passed over in silence.
pub(crate) fn ignore_revs(repository: &Repository, snapshot: Snapshot) -> (Vec<Oid>, Vec<String>) {
    let mut revs = Vec::new();
    let mut warnings = Vec::new();
    if let Some(text) = file(repository, snapshot, DEFAULT_FILE.as_bytes()) {
        read(repository, DEFAULT_FILE, &text, &mut revs, &mut warnings);
    }
    for name in configured(repository) {
        let relative_to = repository.workdir().unwrap_or(repository.path());
        match std::fs::read(relative_to.join(&name)) {
            Ok(text) => read(repository, &name, &text, &mut revs, &mut warnings),
            Err(error) => {
                warnings.push(format!("blame.ignoreRevsFile names {name}, which cannot be read: {error}"));
            }
        }
    }
    revs.sort_unstable();
    revs.dedup();
    (revs, warnings)
}

/// The values of `blame.ignoreRevsFile`, without the default file.
fn configured(repository: &Repository) -> Vec<String> {
    let mut names = Vec::new();
    let config = repository.config().and_then(|mut config| config.snapshot());
    if let Ok(config) = config
        && let Ok(mut entries) = config.multivar("blame.ignorerevsfile", None)
    {
        while let Some(Ok(entry)) = entries.next() {
            match entry.value() {
                Ok("") => names.clear(),
                Ok(name) => names.push(name.to_owned()),
                Err(_) => {}
            }
        }
    }
    names.retain(|name| name.trim_start_matches("./") != DEFAULT_FILE);
    names
}

/// Reads one id a line; `#` starts a comment.
fn read(repository: &Repository, file: &str, text: &[u8], revs: &mut Vec<Oid>, warnings: &mut Vec<String>) {
    for (row, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let name = line.split(|byte| *byte == b'#').next().unwrap_or_default().trim_ascii();
        if name.is_empty() {
            continue;
        }
        let oid = std::str::from_utf8(name).ok().filter(|hex| hex.len() == 40);
        match oid.and_then(|hex| Oid::from_str(hex).ok()) {
            Some(oid) => {
                let commit = repository.find_object(oid, None).and_then(|object| object.peel_to_commit());
                revs.extend(commit.ok().map(|commit| commit.id()));
            }
            None => warnings.push(format!(
                "{file}:{}: wanted the 40 hexadecimal digits of a commit, found {}",
                row + 1,
                name.escape_ascii()
            )),
        }
    }
}
