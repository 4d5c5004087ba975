//! A made-up history: edits, renames, merges, files that come and go, clocks that are wrong.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use git2::{Index, IndexEntry, IndexTime, Oid, Repository, Signature, Time};
use tempfile::TempDir;

/// Numbers that a seed determines.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }

    /// A number below `end`, which is not 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    pub(super) fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

#[derive(Clone, PartialEq)]
struct File {
    mode: u32,
    lines: Vec<String>,
}

type Files = BTreeMap<String, File>;

/// A bare repository with a history.
pub(super) struct Story {
    dir: TempDir,
    commits: Vec<Oid>,
}

const PATHS: [&str; 9] =
    ["main.c", "net.c", "src/net.c", "src/io.c", "lib/io.c", "lib/deep/er/io.c", "src", "lib", "src-old.c"];

impl Story {
    /// Makes up a history.
    pub(super) fn tell(seed: u64) -> Story {
        let mut teller = Teller::new(seed);
        let mut tips: Vec<(Oid, Files)> = vec![teller.begin()];
        for _ in 0..40 {
            let (parents, mut files) = teller.parents(&tips);
            for _ in 0..=teller.random.below(3) {
                teller.change(&mut files);
            }
            let ids: Vec<Oid> = parents.iter().map(|at| tips[*at].0).collect();
            let commit = teller.commit(&ids, &files);
            // Some branches go on beside their children, so that merges criss-cross.
            if teller.random.one_in(3) && tips.len() < 5 {
                tips.push((commit, files));
            } else {
                tips[parents[0]] = (commit, files);
            }
        }
        let ids: Vec<Oid> = tips.iter().map(|tip| tip.0).collect();
        let files = teller.merged(&tips);
        teller.commit(&ids, &files);
        teller.end()
    }

    /// One commit after the other, each with these files.
    pub(super) fn of_files(commits: &[Vec<(&str, String)>]) -> Story {
        let mut teller = Teller::new(0);
        let mut parents = Vec::new();
        for files in commits {
            let file = |text: &String| text.split_inclusive('\n').map(str::to_owned).collect();
            let file = |text| File { mode: 0o100_644, lines: file(text) };
            let files = files.iter().map(|(path, text)| ((*path).to_owned(), file(text))).collect();
            parents = vec![teller.commit(&parents, &files)];
        }
        teller.end()
    }

    /// One commit for each person, and one that adds a mailmap.
    pub(super) fn of_people(mailmap: &str, people: &[(&str, &str)]) -> Story {
        let mut teller = Teller::new(0);
        let mut parents = Vec::new();
        for (name, email) in people {
            let when = Time::new(1_500_000_000 + i64::try_from(parents.len()).unwrap(), 90);
            // An address may be empty, which `Signature::new` does not allow; none here is.
            let author = Signature::new(name, email, &when).unwrap();
            let commit = teller.commit_by(&author, &parents, &Files::new());
            parents = vec![commit];
        }
        let lines = mailmap.split_inclusive('\n').map(str::to_owned).collect();
        let files = Files::from([(".mailmap".to_owned(), File { mode: 0o100_644, lines })]);
        teller.commit(&parents, &files);
        teller.end()
    }

    pub(super) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(super) fn commits(&self) -> &[Oid] {
        &self.commits
    }

    pub(super) fn head(&self) -> Oid {
        *self.commits.last().unwrap()
    }

    /// A commit after the last one that has one file more; it is not the head.
    pub(super) fn add_file(&self, path: &str, content: &str) -> Oid {
        let repository = Repository::open(self.dir()).unwrap();
        let head = repository.find_commit(self.head()).unwrap();
        let mut tree = repository.treebuilder(Some(&head.tree().unwrap())).unwrap();
        tree.insert(path, repository.blob(content.as_bytes()).unwrap(), 0o100_644).unwrap();
        let tree = repository.find_tree(tree.write().unwrap()).unwrap();
        let author = Signature::new("Ann", "ann@corp.example", &Time::new(0, 0)).unwrap();
        repository.commit(None, &author, &author, "list", &tree, &[&head]).unwrap()
    }

    /// A copy in which some objects are missing, but not the last commit or what it holds.
    pub(super) fn keep_some_objects(&self, random: &mut Random) -> TempDir {
        let copy = tempfile::tempdir().unwrap();
        let from = Repository::open(self.dir()).unwrap();
        let target = Repository::init_bare(copy.path()).unwrap();
        let to = target.odb().unwrap();
        let odb = from.odb().unwrap();
        let head = from.find_commit(self.head()).unwrap();
        let mut needed = vec![head.id(), head.tree_id()];
        head.tree()
            .unwrap()
            .walk(git2::TreeWalkMode::PreOrder, |_, entry| {
                needed.push(entry.id());
                git2::TreeWalkResult::Ok
            })
            .unwrap();
        let mut all = Vec::new();
        odb.foreach(|oid| {
            all.push(*oid);
            true
        })
        .unwrap();
        all.sort();
        for oid in all {
            if needed.contains(&oid) || !random.one_in(40) {
                let object = odb.read(oid).unwrap();
                to.write(object.kind(), object.data()).unwrap();
            }
        }
        copy
    }
}

struct Teller {
    dir: TempDir,
    repository: Repository,
    random: Random,
    commits: Vec<Oid>,
    /// Counts lines that are like no other.
    news: usize,
}

impl Teller {
    fn new(seed: u64) -> Teller {
        let dir = tempfile::tempdir().unwrap();
        let repository = Repository::init_bare(dir.path()).unwrap();
        Teller { dir, repository, random: Random::new(seed), commits: Vec::new(), news: 0 }
    }

    fn end(self) -> Story {
        let head = *self.commits.last().unwrap();
        self.repository.reference("refs/heads/main", head, true, "end").unwrap();
        self.repository.set_head("refs/heads/main").unwrap();
        Story { dir: self.dir, commits: self.commits }
    }

    fn begin(&mut self) -> (Oid, Files) {
        let mut files = Files::new();
        for _ in 0..3 {
            self.add(&mut files);
        }
        (self.commit(&[], &files), files)
    }

    /// A few parents and what a merge makes of them.
    fn parents(&mut self, tips: &[(Oid, Files)]) -> (Vec<usize>, Files) {
        let mut parents = vec![self.random.below(tips.len())];
        while self.random.one_in(3) && parents.len() < 4 {
            let other = self.random.below(tips.len());
            if !parents.contains(&other) {
                parents.push(other);
            }
        }
        let merged: Vec<(Oid, Files)> = parents.iter().map(|at| tips[*at].clone()).collect();
        let files = self.merged(&merged);
        (parents, files)
    }

    /// Each path from one of the parents, or a mixture of two.
    fn merged(&mut self, parents: &[(Oid, Files)]) -> Files {
        let mut files = parents[0].1.clone();
        for (_, other) in &parents[1..] {
            for (path, file) in other {
                let fits = fits(&files, path);
                match files.get_mut(path) {
                    Some(mine) if self.random.one_in(2) => {
                        let cut = self.random.below(mine.lines.len().min(file.lines.len()) + 1);
                        mine.lines.truncate(cut);
                        mine.lines.extend_from_slice(&file.lines[cut..]);
                    }
                    Some(mine) if self.random.one_in(2) => *mine = file.clone(),
                    Some(_) => {}
                    None if fits && self.random.one_in(2) => {
                        files.insert(path.clone(), file.clone());
                    }
                    None => {}
                }
            }
        }
        files
    }

    fn line(&mut self) -> String {
        const COMMON: [&str; 8] =
            ["{\n", "}\n", "\n", "\t}\n", "\t\treturn 0;\n", "  \n", "#endif\n", "    break;\n"];
        if self.random.one_in(3) {
            self.news += 1;
            let indent = ["", "\t", "\t\t", "    "][self.random.below(4)];
            return format!("{indent}log(\"event number {}\", value_of({}));\n", self.news, self.news % 7);
        }
        (*self.random.pick(&COMMON)).to_owned()
    }

    fn lines(&mut self, up_to: usize) -> Vec<String> {
        (0..=self.random.below(up_to)).map(|_| self.line()).collect()
    }

    fn add(&mut self, files: &mut Files) {
        let path = *self.random.pick(&PATHS);
        if fits(files, path) {
            let lines = self.lines(120);
            files.insert(path.to_owned(), File { mode: 0o100_644, lines });
        }
    }

    fn change(&mut self, files: &mut Files) {
        let paths: Vec<String> = files.keys().cloned().collect();
        if paths.len() < 2 || self.random.one_in(12) {
            return self.add(files);
        }
        let path = self.random.pick(&paths).clone();
        let to = *self.random.pick(&PATHS);
        match self.random.below(24) {
            0 => {
                files.remove(&path);
            }
            1..=3 => {
                // A rename, with an edit or without.
                let mut file = files.remove(&path).unwrap();
                if self.random.one_in(2) {
                    self.edit(&mut file.lines);
                }
                if fits(files, to) {
                    files.insert(to.to_owned(), file);
                }
            }
            4 => {
                let copy = files[&path].clone();
                if fits(files, to) {
                    files.insert(to.to_owned(), copy);
                }
            }
            5 => {
                let file = files.get_mut(&path).unwrap();
                file.mode = *self.random.pick(&[0o100_644, 0o100_755, 0o120_000]);
            }
            6 => {
                // Another line end, or the checkout's back.
                for line in &mut files.get_mut(&path).unwrap().lines {
                    *line = match line.strip_suffix("\r\n") {
                        Some(text) => format!("{text}\n"),
                        None => line.replace('\n', "\r\n"),
                    };
                }
            }
            7 => {
                // Another indent, as a formatter would make it.
                for line in &mut files.get_mut(&path).unwrap().lines {
                    *line = line.replace('\t', "    ").replace("(value", "( value");
                }
            }
            8 => {
                let lines = &mut files.get_mut(&path).unwrap().lines;
                if let Some(last) = lines.last_mut() {
                    *last = last.trim_end().to_owned() + "x";
                }
            }
            9 => {
                // Much of the same at the end.
                let file = files.get_mut(&path).unwrap();
                let block: Vec<String> = file.lines.iter().rev().take(10).rev().cloned().collect();
                for _ in 0..8 {
                    file.lines.extend_from_slice(&block);
                }
                file.lines.truncate(400);
            }
            _ => {
                for _ in 0..=self.random.below(3) {
                    self.edit(&mut files.get_mut(&path).unwrap().lines);
                }
            }
        }
    }

    fn edit(&mut self, lines: &mut Vec<String>) {
        let at = self.random.below(lines.len() + 1);
        let end = (at + self.random.below(6)).min(lines.len());
        match self.random.below(6) {
            0 => {
                lines.drain(at..end);
            }
            1 => {
                let new = self.lines(4);
                lines.splice(at..end, new);
            }
            2 => {
                let moved: Vec<String> = lines.drain(at..end).collect();
                let to = self.random.below(lines.len() + 1);
                lines.splice(to..to, moved);
            }
            3 => {
                let again = lines[at..end].to_vec();
                lines.splice(end..end, again);
            }
            4 => {
                for line in &mut lines[at..end] {
                    *line = line.replace("event", "happening").replace("0;", "-1;");
                }
            }
            _ => {
                let new = self.lines(4);
                lines.splice(at..at, new);
            }
        }
    }

    fn commit(&mut self, parents: &[Oid], files: &Files) -> Oid {
        let count = i64::try_from(self.commits.len()).unwrap();
        let seconds = match self.random.below(12) {
            0 => 0,
            1 => 4_000_000_000,
            2 => 1_600_000_000 - count * 100,
            3 => 1_600_000_000 + count * 1_000,
            _ => 1_600_000_000 + count * 100,
        };
        let author = Signature::new("Ann", "ann@corp.example", &Time::new(seconds, 60)).unwrap();
        self.commit_by(&author, parents, files)
    }

    fn commit_by(&mut self, author: &Signature<'_>, parents: &[Oid], files: &Files) -> Oid {
        let mut index = Index::new().unwrap();
        for (path, file) in files {
            let content = file.lines.concat();
            let id = self.repository.blob(content.as_bytes()).unwrap();
            index.add(&entry(path, file.mode, id)).unwrap();
        }
        let tree = index.write_tree_to(&self.repository).unwrap();
        let tree = self.repository.find_tree(tree).unwrap();
        let parents: Vec<_> = parents.iter().map(|oid| self.repository.find_commit(*oid).unwrap()).collect();
        let parents: Vec<_> = parents.iter().collect();
        let mut message = String::new();
        write!(message, "commit {}", self.commits.len()).unwrap();
        let commit = self.repository.commit(None, author, author, &message, &tree, &parents).unwrap();
        self.commits.push(commit);
        commit
    }
}

/// Whether a path is free and no file stands where it needs a directory, nor a directory where it stands.
fn fits(files: &Files, path: &str) -> bool {
    !files.keys().any(|other| {
        other == path
            || other.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
            || path.strip_prefix(other.as_str()).is_some_and(|rest| rest.starts_with('/'))
    })
}

fn entry(path: &str, mode: u32, id: Oid) -> IndexEntry {
    let zero = IndexTime::new(0, 0);
    IndexEntry {
        ctime: zero,
        mtime: zero,
        dev: 0,
        ino: 0,
        mode,
        uid: 0,
        gid: 0,
        file_size: 0,
        id,
        flags: 0,
        flags_extended: 0,
        path: path.as_bytes().to_vec(),
    }
}
