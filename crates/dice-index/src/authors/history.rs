//! The walk through history: where each followed file got each of its versions.
//!
//! Commits are visited newest first. A commit brings the followed files that its children passed on; what is
//! the same in a parent moves there, what differs ends as a version whose parents are looked for. No file is
//! read but for renames. Dates only give an order that is cheap: a commit that turns up late is visited again
//! with what came late, and the result is the same.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::hash_map::Entry;

use git2::Oid;
use rustc_hash::{FxHashMap, FxHashSet};

use super::commit::Commit;
use super::objects::Objects;
use super::paths::{PathId, Paths};
use super::rename::{Deleted, Source};
use super::tree::{self, Place};
use super::versions::{Fate, Segment, Segments, Versions};

/// Walks from `head` until every one of `files` is explained.
///
/// Gives the versions; their roots are in the order of `files`. `None` for a file that the commit does not
/// have, or that is not a regular file.
pub(super) fn walk(objects: &mut Objects<'_>, head: Oid, files: &[&[u8]]) -> (Versions, Vec<Option<usize>>) {
    let mut walk = Walk {
        objects,
        paths: Paths::new(),
        segments: Segments::default(),
        queue: BinaryHeap::new(),
        waiting: FxHashMap::default(),
        commits: FxHashMap::default(),
        visited: FxHashSet::default(),
        ended: FxHashMap::default(),
    };
    let mut roots = Vec::new();
    let mut asked = vec![None; files.len()];
    if let Some(commit) = walk.commit(head) {
        for (file, asked) in files.iter().zip(&mut asked) {
            let path = walk.paths.follow(file);
            let names = walk.paths.names(path);
            if let Place::File(blob) = tree::place(walk.objects, commit.tree, &names) {
                *asked = Some(roots.len());
                roots.push(walk.arrive(head, path, blob));
            }
        }
        walk.run();
    }
    (walk.segments.finish(&roots), asked)
}

type Followed = FxHashMap<PathId, Segment>;

struct Walk<'w, 'r> {
    objects: &'w mut Objects<'r>,
    paths: Paths,
    segments: Segments,
    queue: BinaryHeap<(i64, Reverse<usize>, Oid)>,
    /// What each commit in the queue is to explain.
    waiting: FxHashMap<Oid, Followed>,
    /// Commits that were read and not yet visited.
    commits: FxHashMap<Oid, Commit>,
    visited: FxHashSet<Oid>,
    /// Where segments ended, for those that come late.
    ended: FxHashMap<(Oid, PathId), Segment>,
}

impl Walk<'_, '_> {
    fn run(&mut self) {
        while let Some((_, _, oid)) = self.queue.pop() {
            let Some(followed) = self.waiting.remove(&oid) else { continue };
            match self.commit(oid) {
                Some(commit) => self.visit(oid, &commit, followed),
                None => self.end_all(oid, followed, Fate::Missing),
            }
            self.commits.remove(&oid);
            self.visited.insert(oid);
        }
    }

    fn commit(&mut self, oid: Oid) -> Option<Commit> {
        match self.commits.entry(oid) {
            Entry::Occupied(known) => Some(known.get().clone()),
            Entry::Vacant(place) => Some(place.insert(self.objects.commit(oid)?).clone()),
        }
    }

    /// Puts a commit into the queue, if it is not there, and gives what it is to explain.
    fn waiting(&mut self, oid: Oid) -> &mut Followed {
        if !self.waiting.contains_key(&oid) {
            let seconds = self.commit(oid).map_or(0, |commit| commit.seconds);
            self.queue.push((seconds, Reverse(self.visited.len()), oid));
        }
        self.waiting.entry(oid).or_default()
    }

    /// Lets a commit explain a path: an open segment, or the one that is already there.
    fn arrive(&mut self, oid: Oid, path: PathId, blob: Oid) -> Segment {
        if let Some(ended) = self.ended.get(&(oid, path)) {
            return *ended;
        }
        if let Some(there) = self.waiting(oid).get(&path).copied() {
            return there;
        }
        let segment = self.segments.open(blob);
        self.waiting(oid).insert(path, segment);
        segment
    }

    /// Moves a segment on to a parent that has the same content.
    fn pass(&mut self, oid: Oid, path: PathId, segment: Segment) {
        if let Some(ended) = self.ended.get(&(oid, path)).copied() {
            self.segments.unite(segment, ended);
        } else if let Some(there) = self.waiting(oid).insert(path, segment) {
            self.segments.unite(segment, there);
        }
    }

    /// Moves many segments on to a parent: a map is only ever copied into a larger one.
    fn pass_all(&mut self, oid: Oid, followed: Followed) {
        if followed.is_empty() {
            return;
        }
        if !self.waiting.contains_key(&oid) && !self.visited.contains(&oid) {
            *self.waiting(oid) = followed;
            return;
        }
        let there = std::mem::take(self.waiting(oid));
        let (smaller, larger) =
            if there.len() < followed.len() { (there, followed) } else { (followed, there) };
        let mut larger = larger;
        if self.visited.contains(&oid) {
            // Came late: what has ended here must not be explained twice.
            let all = smaller.into_iter().chain(larger);
            let all: Vec<_> = all.collect();
            for (path, segment) in all {
                self.pass(oid, path, segment);
            }
            return;
        }
        for (path, segment) in smaller {
            if let Some(there) = larger.insert(path, segment) {
                self.segments.unite(segment, there);
            }
        }
        *self.waiting(oid) = larger;
    }

    fn end(&mut self, oid: Oid, path: PathId, segment: Segment, parents: Vec<Segment>, fate: Fate) {
        self.segments.close(segment, oid, parents, fate);
        self.ended.insert((oid, path), segment);
    }

    fn end_all(&mut self, oid: Oid, followed: Followed, fate: Fate) {
        for (path, segment) in followed {
            self.end(oid, path, segment, Vec::new(), fate);
        }
    }

    fn visit(&mut self, oid: Oid, commit: &Commit, mut followed: Followed) {
        if followed.is_empty() {
            return;
        }
        let Some(first) = commit.parents.first().copied() else {
            let fate = if self.objects.is_shallow(oid) { Fate::Shallow } else { Fate::Written };
            self.end_all(oid, followed, fate);
            return;
        };
        // What the first parent has not alike: the path, and what each parent has there.
        let mut open = Vec::new();
        match self.commit(first) {
            None => {
                open.extend(followed.drain().map(|(path, segment)| (path, segment, vec![Place::Missing])))
            }
            Some(parent) => {
                for (path, place) in tree::changed(self.objects, &self.paths, commit.tree, parent.tree) {
                    if let Entry::Occupied(entry) = followed.entry(path)
                        && place != Place::File(self.segments.blob(*entry.get()))
                    {
                        open.push((path, entry.remove(), vec![place]));
                    }
                }
                self.pass_all(first, followed);
            }
        }
        for parent in &commit.parents[1..] {
            if open.is_empty() {
                return;
            }
            let tree = self.commit(*parent).map(|parent| parent.tree);
            open = std::mem::take(&mut open)
                .into_iter()
                .filter_map(|(path, segment, mut places)| {
                    let names = self.paths.names(path);
                    let place = tree.map_or(Place::Missing, |tree| tree::place(self.objects, tree, &names));
                    if place == Place::File(self.segments.blob(segment)) && !places.contains(&Place::Missing)
                    {
                        self.pass(*parent, path, segment);
                        return None;
                    }
                    places.push(place);
                    Some((path, segment, places))
                })
                .collect();
        }
        let mut deleted: Vec<Option<Deleted>> = commit.parents.iter().map(|_| None).collect();
        for (path, segment, places) in open {
            self.explain(oid, commit, path, segment, &places, &mut deleted);
        }
    }

    /// Ends a segment that no parent has alike under its path, or passes it on under an earlier name.
    fn explain(
        &mut self,
        oid: Oid,
        commit: &Commit,
        path: PathId,
        segment: Segment,
        places: &[Place],
        deleted: &mut [Option<Deleted>],
    ) {
        // With an object missing at one parent, what the others would say may be another's line.
        if places.contains(&Place::Missing) {
            self.end(oid, path, segment, Vec::new(), Fate::Missing);
            return;
        }
        let blob = self.segments.blob(segment);
        let mut sources: Vec<Option<(PathId, Oid)>> = vec![None; places.len()];
        for (at, place) in places.iter().enumerate() {
            if let Place::File(blob) = place {
                sources[at] = unless_twice(&sources[..at], path, *blob);
            }
        }
        for (at, place) in places.iter().enumerate() {
            if *place != Place::Absent {
                continue;
            }
            let Some(parent) = self.commit(commit.parents[at]) else { continue };
            let deleted =
                deleted[at].get_or_insert_with(|| Deleted::between(self.objects, commit.tree, parent.tree));
            match deleted.source(self.objects, self.paths.basename(path), blob) {
                Source::None => {}
                Source::Missing => {
                    self.end(oid, path, segment, Vec::new(), Fate::Missing);
                    return;
                }
                Source::File(old_path, old_blob) => {
                    let old_path = self.paths.follow(&old_path);
                    if old_blob == blob {
                        self.pass(commit.parents[at], old_path, segment);
                        return;
                    }
                    sources[at] = unless_twice(&sources[..at], old_path, old_blob);
                }
            }
        }
        let parents = commit
            .parents
            .iter()
            .zip(sources)
            .filter_map(|(parent, source)| source.map(|(path, blob)| self.arrive(*parent, path, blob)))
            .collect();
        self.end(oid, path, segment, parents, Fate::Written);
    }
}

/// The source, unless an earlier parent already has that content: it would be asked in vain.
fn unless_twice(earlier: &[Option<(PathId, Oid)>], path: PathId, blob: Oid) -> Option<(PathId, Oid)> {
    let twice = earlier.iter().flatten().any(|(_, known)| *known == blob);
    (!twice).then_some((path, blob))
}
