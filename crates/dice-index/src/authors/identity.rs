//! The people behind commits.

use std::borrow::Cow;
use std::collections::HashMap;

use dice_catalog::Author;
use git2::{ObjectType, Oid, Repository};
use jiff::Timestamp;

use super::Snapshot;
use super::commit::{self, Ident};
use super::mailmap::Mailmap;

/// The author of each commit, through the mailmap; a commit that cannot be read is left out.
///
/// Names are decoded as the commit says, as far as that is UTF-8 or Latin-1. A time that no calendar has is
/// 1970-01-01.
pub(crate) fn identities(
    repository: &Repository,
    snapshot: Snapshot,
    commits: &[Oid],
) -> HashMap<Oid, Author> {
    let Ok(odb) = repository.odb() else { return HashMap::new() };
    let mailmap = Mailmap::of(repository, snapshot);
    let author = |oid: &Oid| {
        let object = odb.read(*oid).ok().filter(|object| object.kind() == ObjectType::Commit)?;
        let raw = object.data();
        let ident = Ident::author_of(raw)?;
        let encoding = commit::encoding(raw);
        // The mailmap is UTF-8: names must be so before they are looked up.
        let (name, email) = (decoded(ident.name, encoding), decoded(ident.email, encoding));
        let (name, email) = mailmap.proper(name.as_bytes(), email.as_bytes());
        let time = Timestamp::from_second(ident.seconds).unwrap_or(Timestamp::UNIX_EPOCH);
        let author = Author {
            name: String::from_utf8_lossy(name).into_owned(),
            email: String::from_utf8_lossy(email).into_owned(),
            commit: oid.to_string(),
            time: time.to_string(),
        };
        Some((*oid, author))
    };
    commits.iter().filter_map(author).collect()
}

fn decoded<'a>(text: &'a [u8], encoding: Option<&[u8]>) -> Cow<'a, str> {
    const LATIN_1: [&[u8]; 4] = [b"iso-8859-1", b"iso8859-1", b"latin-1", b"latin1"];
    let is_latin_1 = encoding.is_some_and(|name| LATIN_1.contains(&&*name.to_ascii_lowercase()));
    match std::str::from_utf8(text) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) if is_latin_1 => text.iter().map(|byte| char::from(*byte)).collect(),
        Err(_) => String::from_utf8_lossy(text),
    }
}
