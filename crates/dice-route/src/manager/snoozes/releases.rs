//! Which releases have been seen, and in which order.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::book::{Book, Delta, Row, Table};

/// Services that are remembered; past it the one whose last release is the oldest goes.
const MAX_SERVICES: usize = 4096;

/// Releases of a service that are remembered; past it the oldest goes.
const MAX_RELEASES: usize = 64;

/// Longer names are no releases.
const MAX_NAME_BYTES: usize = 200;

/// How the names of these rows begin, in the table of snoozes.
pub(super) const PREFIX: &str = "releases/";

/// The releases of every service of every repository, numbered in the order they were first seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Releases {
    book: Book<Service>,
    ids: BTreeMap<(Arc<str>, Option<Arc<str>>), String>,
    next: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Service {
    id: String,
    repo: Arc<str>,
    service: Option<Arc<str>>,
    /// Number and release, oldest first, never empty.
    seen: Vec<(u64, Arc<str>)>,
}

impl Row for Service {
    const TABLE: Table = Table::Snoozes;

    fn id(&self) -> &str {
        &self.id
    }
}

impl Service {
    fn first(&self) -> u64 {
        self.seen.first().map_or(0, |(number, _)| *number)
    }

    fn last(&self) -> u64 {
        self.seen.last().map_or(0, |(number, _)| *number)
    }

    fn number(&self, version: &str) -> Option<u64> {
        self.seen.iter().rev().find(|(_, known)| **known == *version).map(|(number, _)| *number)
    }
}

impl Releases {
    /// What the next release that was never seen will be numbered.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Takes note of a release.
    pub(super) fn see(&mut self, repo: &Arc<str>, service: Option<&Arc<str>>, version: &Arc<str>) {
        if version.is_empty() || version.len() > MAX_NAME_BYTES {
            return;
        }
        let key = (repo.clone(), service.cloned());
        let number = self.next;
        if let Some(id) = self.ids.get(&key) {
            if self.book.get(id).is_some_and(|known| known.number(version).is_none())
                && let Some(known) = self.book.get_mut(id)
            {
                known.seen.push((number, version.clone()));
                if known.seen.len() > MAX_RELEASES {
                    known.seen.remove(0);
                }
                self.next += 1;
            }
            return;
        }
        let hash = crate::name(&[repo.as_bytes(), &[u8::from(service.is_some())], bytes(service)]);
        let id = format!("{PREFIX}{hash}");
        self.ids.insert(key.clone(), id.clone());
        self.book.put(Service { id, repo: key.0, service: key.1, seen: vec![(number, version.clone())] });
        self.next += 1;
        if self.book.len() > MAX_SERVICES
            && let Some(oldest) = self.book.iter().min_by_key(|known| known.last())
        {
            let (id, key) = (oldest.id.clone(), (oldest.repo.clone(), oldest.service.clone()));
            self.ids.remove(&key);
            self.book.remove(&id);
        }
    }

    /// Whether a release of a service came after `known` releases had been seen.
    ///
    /// A service that was first seen since then says nothing new by a release that the repository's other
    /// services had before.
    pub(super) fn is_new(
        &self,
        repo: &Arc<str>,
        service: Option<&Arc<str>>,
        version: &str,
        known: u64,
    ) -> bool {
        let row = self.ids.get(&(repo.clone(), service.cloned())).and_then(|id| self.book.get(id));
        let Some(row) = row else { return false };
        if row.number(version).is_none_or(|number| number < known) {
            return false;
        }
        row.first() < known
            || !self.book.iter().any(|other| {
                other.repo == *repo && other.number(version).is_some_and(|number| number < known)
            })
    }

    /// Appends what has changed.
    pub(super) fn deltas(&mut self, out: &mut Vec<Delta>) {
        self.book.deltas(out);
    }

    /// Puts in a row as it was written.
    pub(super) fn restore(&mut self, id: &str, body: &str) -> Result<(), String> {
        self.book.restore(id, body)?;
        let Some(row) = self.book.get(id) else { return Ok(()) };
        self.ids.insert((row.repo.clone(), row.service.clone()), id.to_owned());
        self.next = self.next.max(row.last() + 1);
        Ok(())
    }
}

fn bytes(text: Option<&Arc<str>>) -> &[u8] {
    text.map_or(&[], |text| text.as_bytes())
}
