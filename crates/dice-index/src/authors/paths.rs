//! The paths that a walk follows, as a tree of names.

use rustc_hash::FxHashMap;

/// A path; its number is valid in one [`Paths`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct PathId(u32);

/// A tree of names: a walk enters only the directories that lead to a followed file.
pub(super) struct Paths {
    nodes: Vec<Node>,
}

struct Node {
    parent: PathId,
    name: Box<[u8]>,
    children: FxHashMap<Box<[u8]>, PathId>,
    /// Whether a followed file may have this path.
    is_file: bool,
}

impl Paths {
    /// No path but the root directory.
    pub(super) fn new() -> Paths {
        let root = Node {
            parent: Paths::ROOT,
            name: Box::default(),
            children: FxHashMap::default(),
            is_file: false,
        };
        Paths { nodes: vec![root] }
    }

    /// The repository's root directory.
    pub(super) const ROOT: PathId = PathId(0);

    fn node(&self, id: PathId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// The number of `path`, which is followed from now on.
    pub(super) fn follow(&mut self, path: &[u8]) -> PathId {
        let mut at = Paths::ROOT;
        for name in path.split(|byte| *byte == b'/') {
            at = match self.child(at, name) {
                Some(child) => child,
                None => {
                    let id = PathId(u32::try_from(self.nodes.len()).expect("fewer names than memory"));
                    let node = Node {
                        parent: at,
                        name: name.into(),
                        children: FxHashMap::default(),
                        is_file: false,
                    };
                    self.nodes.push(node);
                    self.nodes[at.0 as usize].children.insert(name.into(), id);
                    id
                }
            };
        }
        self.nodes[at.0 as usize].is_file = true;
        at
    }

    /// What is called `name` in directory `directory`, if anything there is followed.
    pub(super) fn child(&self, directory: PathId, name: &[u8]) -> Option<PathId> {
        self.node(directory).children.get(name).copied()
    }

    /// Whether the path itself is followed, not only something below it.
    pub(super) fn is_file(&self, id: PathId) -> bool {
        self.node(id).is_file
    }

    /// The names from the root to the path.
    pub(super) fn names(&self, id: PathId) -> Vec<&[u8]> {
        let mut names = Vec::new();
        let mut at = id;
        while at != Paths::ROOT {
            names.push(&*self.node(at).name);
            at = self.node(at).parent;
        }
        names.reverse();
        names
    }

    /// The last name of the path.
    pub(super) fn basename(&self, id: PathId) -> &[u8] {
        &self.node(id).name
    }

    /// Every followed path below a directory, and the directory's own.
    pub(super) fn below(&self, directory: PathId) -> Vec<PathId> {
        let mut found = Vec::new();
        let mut stack = vec![directory];
        while let Some(id) = stack.pop() {
            if self.is_file(id) {
                found.push(id);
            }
            stack.extend(self.node(id).children.values());
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::Paths;

    #[test]
    fn a_path_may_be_a_file_and_a_directory() {
        let mut paths = Paths::new();
        let file = paths.follow(b"src/net");
        let below = paths.follow(b"src/net/tcp.c");
        assert_eq!(paths.follow(b"src/net"), file);
        assert_eq!(paths.child(file, b"tcp.c"), Some(below));
        assert_eq!(paths.names(below), [&b"src"[..], b"net", b"tcp.c"]);
        assert_eq!(paths.basename(below), b"tcp.c");
        let mut all = paths.below(Paths::ROOT);
        all.sort();
        assert_eq!(all, [file, below]);
    }
}
