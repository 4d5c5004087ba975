//! The versions of the followed files and which came from which.

use git2::Oid;

/// A file's content on its way from a commit to the commit that made it so; a walk moves it along while
/// nothing about it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment(u32);

/// A file's content as one commit made it; its number is valid in one [`Versions`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct VersionId(u32);

impl VersionId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// What is to be said of lines that a version did not get from its parents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// The commit wrote them.
    Written,
    /// History ends here, because the clone is shallow.
    Shallow,
    /// An object that is needed to tell is not there.
    Missing,
}

/// A file's content as one commit made it.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub(super) commit: Oid,
    pub(super) blob: Oid,
    /// Where lines may come from, in the order in which they are asked.
    pub(super) parents: Vec<VersionId>,
    pub(super) fate: Fate,
}

/// All versions, parents by number.
#[derive(Debug, Default)]
pub(super) struct Versions {
    pub(super) all: Vec<Version>,
    /// For each segment that was asked for, where it ended.
    pub(super) roots: Vec<VersionId>,
}

/// Segments while a walk is under way: two that meet at one commit and path become one.
#[derive(Debug, Default)]
pub(super) struct Segments {
    /// Where a segment went, or itself.
    up: Vec<u32>,
    blobs: Vec<Oid>,
    closed: Vec<Option<u32>>,
    ends: Vec<End>,
}

#[derive(Debug)]
struct End {
    commit: Oid,
    blob: Oid,
    parents: Vec<Segment>,
    fate: Fate,
}

impl Segments {
    /// A segment that carries `blob`.
    pub(super) fn open(&mut self, blob: Oid) -> Segment {
        let id = u32::try_from(self.up.len()).expect("fewer segments than memory");
        self.up.push(id);
        self.blobs.push(blob);
        self.closed.push(None);
        Segment(id)
    }

    fn top(&mut self, segment: Segment) -> u32 {
        let mut id = segment.0;
        while self.up[id as usize] != id {
            let above = self.up[self.up[id as usize] as usize];
            self.up[id as usize] = above;
            id = above;
        }
        id
    }

    /// The content that a segment carries.
    pub(super) fn blob(&self, segment: Segment) -> Oid {
        // Segments only meet with the same content, so this one's own is as good as its top's.
        self.blobs[segment.0 as usize]
    }

    /// Says that two segments have the same future.
    pub(super) fn unite(&mut self, one: Segment, two: Segment) {
        let (one, two) = (self.top(one), self.top(two));
        if one != two {
            // The one that has ended already, if any, stays on top.
            let (top, below) = if self.closed[one as usize].is_some() { (one, two) } else { (two, one) };
            self.up[below as usize] = top;
        }
    }

    /// Ends a segment at the commit that made its content.
    pub(super) fn close(&mut self, segment: Segment, commit: Oid, parents: Vec<Segment>, fate: Fate) {
        let top = self.top(segment);
        if self.closed[top as usize].is_none() {
            let end = u32::try_from(self.ends.len()).expect("fewer versions than memory");
            self.closed[top as usize] = Some(end);
            self.ends.push(End { commit, blob: self.blobs[top as usize], parents, fate });
        }
    }

    /// The versions, once every segment has ended.
    pub(super) fn finish(mut self, roots: &[Segment]) -> Versions {
        let ends = std::mem::take(&mut self.ends);
        let mut version = |segment: &Segment| {
            let top = self.top(*segment);
            VersionId(self.closed[top as usize].expect("a walk goes on until every segment has ended"))
        };
        let roots = roots.iter().map(&mut version).collect();
        let all = ends
            .into_iter()
            .map(|end| Version {
                commit: end.commit,
                blob: end.blob,
                parents: end.parents.iter().map(&mut version).collect(),
                fate: end.fate,
            })
            .collect();
        Versions { all, roots }
    }
}
