//! `.mailmap`: the names that people go by, <https://git-scm.com/docs/gitmailmap>.
//!
//! libgit2 has one too, but its names and addresses have case and git's have not.

use std::collections::HashMap;

use git2::{Oid, Repository};

use super::Snapshot;
use super::objects::Objects;
use super::tree::{self, Place};

/// What to call people by the names and addresses in their commits.
#[derive(Debug, Clone, Default)]
pub(super) struct Mailmap {
    /// By address in the commit, in lower case.
    by_email: HashMap<Vec<u8>, Person>,
}

#[derive(Debug, Clone, Default)]
struct Person {
    /// What goes for every name.
    any: Proper,
    /// What goes for one name in the commit, in lower case.
    by_name: HashMap<Vec<u8>, Proper>,
}

/// The proper name and address, where they differ from the commit's.
#[derive(Debug, Clone, Default)]
struct Proper {
    name: Option<Vec<u8>>,
    email: Option<Vec<u8>>,
}

impl Mailmap {
    /// Reads what git would: the repository's `.mailmap`, then `mailmap.blob`, then `mailmap.file`.
    pub(super) fn of(repository: &Repository, snapshot: Snapshot) -> Mailmap {
        let mut mailmap = Mailmap::default();
        if let Some(text) = file(repository, snapshot, b".mailmap") {
            mailmap.read(&text);
        }
        if let Ok(config) = repository.config().and_then(|mut config| config.snapshot()) {
            let blob = config.get_string("mailmap.blob").ok();
            let blob = blob.and_then(|name| repository.revparse_single(&name).ok());
            if let Some(blob) = blob.as_ref().and_then(|object| object.as_blob()) {
                mailmap.read(blob.content());
            }
            let text = config.get_path("mailmap.file").ok().and_then(|path| std::fs::read(path).ok());
            mailmap.read(&text.unwrap_or_default());
        }
        mailmap
    }

    /// Adds the lines of one file; what comes later wins.
    fn read(&mut self, text: &[u8]) {
        for line in text.split(|byte| *byte == b'\n') {
            if !line.starts_with(b"#") {
                self.read_line(line);
            }
        }
    }

    fn read_line(&mut self, line: &[u8]) {
        let Some((name, email, rest)) = name_and_email(line, false) else { return };
        let (proper, old_name, old_email) = match name_and_email(rest, true) {
            Some((old_name, old_email, _)) => (Proper { name, email: Some(email) }, old_name, old_email),
            None => (Proper { name, email: None }, None, email),
        };
        let person = self.by_email.entry(old_email.to_ascii_lowercase()).or_default();
        match old_name {
            Some(old_name) => {
                person.by_name.insert(old_name.to_ascii_lowercase(), proper);
            }
            None => {
                person.any.name = proper.name.or(person.any.name.take());
                person.any.email = proper.email.or(person.any.email.take());
            }
        }
    }

    /// The proper name and address.
    pub(super) fn proper<'a>(&'a self, name: &'a [u8], email: &'a [u8]) -> (&'a [u8], &'a [u8]) {
        let Some(person) = self.by_email.get(&email.to_ascii_lowercase()) else { return (name, email) };
        let proper = person.by_name.get(&name.to_ascii_lowercase()).unwrap_or(&person.any);
        (proper.name.as_deref().unwrap_or(name), proper.email.as_deref().unwrap_or(email))
    }
}

/// A file of the repository's root, at a commit or in the working tree; never through a symbolic link.
pub(super) fn file(repository: &Repository, snapshot: Snapshot, name: &[u8]) -> Option<Vec<u8>> {
    match snapshot {
        Snapshot::Worktree => {
            let path = repository.workdir()?.join(std::str::from_utf8(name).ok()?);
            let is_file = path.symlink_metadata().is_ok_and(|metadata| metadata.is_file());
            if is_file { std::fs::read(path).ok() } else { None }
        }
        Snapshot::Commit(oid) => committed_file(repository, oid, name),
    }
}

fn committed_file(repository: &Repository, commit: Oid, name: &[u8]) -> Option<Vec<u8>> {
    let mut objects = Objects::of(repository)?;
    let tree = objects.commit(commit)?.tree;
    match tree::place(&mut objects, tree, &[name]) {
        Place::File(blob) => Some(objects.blob(blob)?.data().to_vec()),
        _ => None,
    }
}

/// Reads `name <email>` and gives what follows. A name of nothing is none.
#[expect(
    clippy::type_complexity,
    reason = "a name, an address and a rest: naming them would not make it clearer"
)]
fn name_and_email(text: &[u8], may_be_empty: bool) -> Option<(Option<Vec<u8>>, Vec<u8>, &[u8])> {
    let open = memchr::memchr(b'<', text)?;
    let close = open + memchr::memchr(b'>', &text[open..])?;
    let email = &text[open + 1..close];
    if email.is_empty() && !may_be_empty {
        return None;
    }
    let name = text[..open].trim_ascii();
    let name = (!name.is_empty()).then(|| name.to_vec());
    Some((name, email.to_vec(), &text[close + 1..]))
}
