//! A repository's files, at a commit or in the working tree: which of them are read, which left out, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use dice_extract::Language;
use git2::{ObjectType, Oid};
use rustc_hash::FxHashMap;

use crate::attributes::Attributes;
use crate::config::IndexConfig;
use crate::pattern::{Below, Patterns, PatternsBuilder};
use crate::repository::{Git, Handles, Unread, blob_of};
use crate::{codeowners, config};

/// Directories that hold code of others, at every depth.
const VENDORED: [&str; 6] = ["vendor", "third_party", "third-party", "node_modules", "deps", "external"];

/// Bytes of files that say something to Dice, such as `.gitattributes`; larger ones are not read.
pub(crate) const SAYING_LIMIT_BYTES: u64 = 8 << 20;

/// Entries of a tree that are looked at. Trees that share their parts can spell more paths than any disk holds.
const ENTRIES_LIMIT: usize = 4_000_000;

/// Files that are kept in mind; the largest programs have some hundred thousand.
const FILES_LIMIT: usize = 1_000_000;

/// Files with the same content that are read; what bounds the work to what is really there, where trees share
/// their parts.
const COPIES_LIMIT: usize = 64;

/// Bytes of a path that is followed, which also bounds how deep trees are nested.
const PATH_LIMIT_BYTES: usize = 4096;

/// Why a file of a known language is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Why {
    Binary,
    Copy,
    Generated,
    IgnorePaths,
    SymbolicLink,
    TooLarge,
    Vendored,
}

impl Why {
    /// The word used in reports.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Why::Binary => "binary",
            Why::Copy => "copy",
            Why::Generated => "generated",
            Why::IgnorePaths => "ignore_paths",
            Why::SymbolicLink => "symbolic link",
            Why::TooLarge => "too large",
            Why::Vendored => "vendored",
        }
    }
}

/// A file of a known language that is to be read.
#[derive(Debug)]
pub(crate) struct File {
    /// Its path from the root, with `/`; bytes that are not UTF-8 are replaced.
    pub(crate) path: String,
    /// The same as git has it.
    pub(crate) raw: Vec<u8>,
    /// Its language.
    pub(crate) language: &'static Language,
    /// Where its content is.
    pub(crate) content: Content,
    /// `.gitattributes` says that no program wrote it.
    pub(crate) is_handwritten: bool,
}

/// Where a file's content is.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// In the repository.
    Blob(Oid),
    /// In the working tree.
    Disk(PathBuf),
}

/// Everything there is at a commit or in a working tree.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Files of a known language and files that say something to Dice, sorted by path.
    entries: Vec<Entry>,
    /// Submodules: path and commit.
    pub(crate) submodules: Vec<(String, Option<Oid>)>,
    /// What could not be looked at: path and reason.
    pub(crate) problems: Vec<(String, String)>,
}

#[derive(Debug)]
struct Entry {
    path: String,
    raw: Vec<u8>,
    content: Content,
    is_link: bool,
}

/// What is to be read and how much is not.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// What is to be read, sorted by path.
    pub(crate) files: Vec<File>,
    /// How many files of a known language are not.
    pub(crate) left_out: BTreeMap<Why, usize>,
}

impl Tree {
    /// What is at the commit that `git` means.
    pub(crate) fn of_commit(git: &Git) -> Result<Tree, git2::Error> {
        let mut tree = Tree::default();
        let Some(commit) = git.commit else { return Ok(tree) };
        let repository = &git.repository;
        let root = repository.find_commit(commit)?.tree_id();
        // A stack of our own: how deep trees are nested is up to whoever made them.
        let mut pending = vec![(Vec::new(), root)];
        let mut seen = 0;
        while let Some((directory, id)) = pending.pop() {
            let children = match repository.find_tree(id) {
                Ok(children) => children,
                Err(error) if !directory.is_empty() => {
                    let path = String::from_utf8_lossy(&directory).into_owned();
                    tree.problems.push((path, format!("the directory cannot be read: {}", error.message())));
                    continue;
                }
                Err(error) => return Err(error),
            };
            for child in &children {
                seen += 1;
                if seen > ENTRIES_LIMIT || tree.entries.len() >= FILES_LIMIT {
                    let more = format!(
                        "more than {ENTRIES_LIMIT} entries or {FILES_LIMIT} source files, the rest is not read"
                    );
                    tree.problems.push((".".to_owned(), more));
                    pending.clear();
                    break;
                }
                let name = child.name_bytes();
                let mut raw = directory.clone();
                if !raw.is_empty() {
                    raw.push(b'/');
                }
                raw.extend_from_slice(name);
                if raw.len() > PATH_LIMIT_BYTES || matches!(name, b"" | b"." | b"..") || name.contains(&b'/')
                {
                    let path = String::from_utf8_lossy(&raw[..raw.len().min(200)]).into_owned();
                    tree.problems.push((path, "a path that no file can have".to_owned()));
                    continue;
                }
                match child.kind() {
                    Some(ObjectType::Tree) => pending.push((raw, child.id())),
                    Some(ObjectType::Commit) => {
                        let path = String::from_utf8_lossy(&raw).into_owned();
                        tree.submodules.push((path, Some(child.id())));
                    }
                    _ => {
                        let is_link = child.filemode() == i32::from(git2::FileMode::Link);
                        tree.push(raw, Content::Blob(child.id()), is_link);
                    }
                }
            }
        }
        tree.sort();
        Ok(tree)
    }

    /// What is in the working tree at `root`: what git tracks, and what it neither tracks nor ignores.
    pub(crate) fn of_worktree(git: Option<&Git>, root: &Path) -> Tree {
        let mut tree = Tree::default();
        let mut tracked = BTreeMap::new();
        if let Some(index) = git.and_then(|git| git.repository.index().ok()) {
            for entry in index.iter() {
                tracked.insert(entry.path.clone(), (entry.mode, entry.id));
            }
        }
        for (path, (mode, id)) in &tracked {
            if *mode == u32::from(git2::FileMode::Commit) {
                tree.submodules.push((String::from_utf8_lossy(path).into_owned(), Some(*id)));
            }
        }
        let found = tree.walk(root);
        // Tracked files count also where `.gitignore` names them.
        for path in tracked.into_keys().filter(|path| !found.contains(path)) {
            let Some(disk) = disk_path(root, &path) else { continue };
            if let Ok(metadata) = disk.symlink_metadata()
                && (metadata.is_file() || metadata.is_symlink())
            {
                tree.push(path, Content::Disk(disk), metadata.is_symlink());
            }
        }
        tree.sort();
        tree
    }

    /// Adds what git would add; returns all paths seen.
    fn walk(&mut self, root: &Path) -> BTreeSet<Vec<u8>> {
        let mut found = BTreeSet::new();
        let walk = ignore::WalkBuilder::new(root)
            .hidden(false)
            .ignore(false)
            // A user's own ignore file would make the catalog differ from machine to machine.
            .git_global(false)
            .parents(false)
            .require_git(false)
            .follow_links(false)
            // A directory with a `.git` of its own is another repository.
            .filter_entry(|entry| {
                let is_directory = entry.file_type().is_some_and(|kind| kind.is_dir());
                let is_repository = || is_directory && entry.path().join(".git").exists();
                entry.depth() == 0 || entry.file_name() != ".git" && !is_repository()
            })
            .build();
        for entry in walk {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.problems.push((".".to_owned(), format!("cannot be looked at: {error}")));
                    continue;
                }
            };
            let Some(kind) = entry.file_type() else { continue };
            // Anything else, a pipe for example, could make a reader wait for ever.
            if !kind.is_file() && !kind.is_symlink() {
                continue;
            }
            let Ok(inside) = entry.path().strip_prefix(root) else { continue };
            let raw = git_path(inside);
            found.insert(raw.clone());
            self.push(raw, Content::Disk(entry.path().to_path_buf()), kind.is_symlink());
        }
        found
    }

    fn push(&mut self, raw: Vec<u8>, content: Content, is_link: bool) {
        let path = String::from_utf8_lossy(&raw).into_owned();
        if language(&path).is_some() || says_something(&path) {
            self.entries.push(Entry { path, raw, content, is_link });
        }
    }

    fn sort(&mut self) {
        self.entries.sort_by(|a, b| a.raw.cmp(&b.raw));
        self.submodules.sort();
    }

    /// The text of the file at `path`, where there is one of reasonable size.
    pub(crate) fn text(&self, path: &str, git: Option<&Git>) -> Option<Vec<u8>> {
        let at = self.entries.binary_search_by(|entry| entry.raw.as_slice().cmp(path.as_bytes())).ok()?;
        self.entries[at].text(git)
    }

    /// The blob of every file at a commit, by git's path.
    pub(crate) fn into_blobs(self) -> BTreeMap<Vec<u8>, Oid> {
        let blob = |entry: Entry| match entry.content {
            Content::Blob(id) => Some((entry.raw, id)),
            Content::Disk(_) => None,
        };
        self.entries.into_iter().filter_map(blob).collect()
    }

    /// The directory (empty for the root) and text of every file called `name`, as long as they are of
    /// reasonable size together.
    pub(crate) fn texts_called(&self, name: &str, git: Option<&Git>) -> Vec<(String, Vec<u8>)> {
        let called = self.entries.iter().filter(|entry| split(&entry.path).1 == name);
        let texts = called.filter_map(|entry| Some((split(&entry.path).0.to_owned(), entry.text(git)?)));
        let mut room = SAYING_LIMIT_BYTES;
        texts
            .map_while(|(directory, text)| {
                // An empty file takes room as well: there may be very many.
                room = room.checked_sub(text.len() as u64 + 64)?;
                Some((directory, text))
            })
            .collect()
    }

    /// Decides by path which files are read.
    pub(crate) fn listing(self, config: &IndexConfig, attributes: &Attributes) -> Listing {
        let ignored = IgnorePaths::new(&config.ignore_paths);
        let mut listing = Listing::default();
        let mut copies: FxHashMap<Oid, usize> = FxHashMap::default();
        for entry in self.entries {
            let Some(language) = language(&entry.path) else { continue };
            let marks = attributes.marks(&entry.path);
            let is_vendored = marks.vendored.unwrap_or_else(|| is_vendored(&entry.path));
            let why = if ignored.contains(&entry.path) {
                Some(Why::IgnorePaths)
            } else if entry.is_link {
                Some(Why::SymbolicLink)
            } else if is_vendored && !config.vendored {
                Some(Why::Vendored)
            } else if marks.generated == Some(true) && !config.generated {
                Some(Why::Generated)
            } else if let Content::Blob(id) = entry.content {
                let copies = copies.entry(id).or_default();
                *copies += 1;
                (*copies > COPIES_LIMIT).then_some(Why::Copy)
            } else {
                None
            };
            match why {
                Some(why) => *listing.left_out.entry(why).or_default() += 1,
                None => listing.files.push(File {
                    path: entry.path,
                    raw: entry.raw,
                    language,
                    content: entry.content,
                    is_handwritten: marks.generated == Some(false),
                }),
            }
        }
        listing
    }
}

impl Entry {
    fn text(&self, git: Option<&Git>) -> Option<Vec<u8>> {
        if self.is_link {
            return None;
        }
        match &self.content {
            Content::Blob(id) => blob_of(&git?.repository, *id, SAYING_LIMIT_BYTES).ok(),
            Content::Disk(path) => disk_text(path, SAYING_LIMIT_BYTES).ok(),
        }
    }
}

impl Content {
    /// The bytes, at most `limit_bytes` of them.
    pub(crate) fn read(&self, handles: Option<&Handles>, limit_bytes: u64) -> Result<Vec<u8>, Unread> {
        match self {
            Content::Blob(id) => handles.expect("blobs are listed from a repository").blob(*id, limit_bytes),
            Content::Disk(path) => disk_text(path, limit_bytes),
        }
    }
}

/// The bytes of a regular file, at most `limit_bytes` of them.
pub(crate) fn disk_text(path: &Path, limit_bytes: u64) -> Result<Vec<u8>, Unread> {
    use std::io::Read;

    let failed = |error: std::io::Error| Unread::Failed(format!("its content cannot be read: {error}"));
    let metadata = path.symlink_metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(Unread::Failed("wanted a file, found something else".to_owned()));
    }
    if metadata.len() > limit_bytes {
        return Err(Unread::TooLarge(metadata.len()));
    }
    let mut text = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
    let file = std::fs::File::open(path).map_err(failed)?;
    // The file may grow while it is read.
    file.take(limit_bytes + 1).read_to_end(&mut text).map_err(failed)?;
    if text.len() as u64 > limit_bytes {
        return Err(Unread::TooLarge(text.len() as u64));
    }
    Ok(text)
}

/// `[index] ignore_paths`: the last pattern that matches decides, `!` takes back.
struct IgnorePaths {
    patterns: Patterns,
    ignores: Vec<bool>,
}

impl IgnorePaths {
    fn new(texts: &[String]) -> IgnorePaths {
        let mut builder = PatternsBuilder::default();
        let mut ignores = Vec::new();
        for text in texts {
            let (pattern, ignore) = match text.strip_prefix('!') {
                Some(pattern) => (pattern, false),
                None => (text.as_str(), true),
            };
            // The configuration's reader has complained about broken ones.
            if builder.add(ignores.len(), "", pattern, Below::Everything).is_ok() {
                ignores.push(ignore);
            }
        }
        IgnorePaths { patterns: builder.build().unwrap_or_default(), ignores }
    }

    fn contains(&self, path: &str) -> bool {
        self.patterns.last(path).is_some_and(|pattern| self.ignores[pattern])
    }
}

fn language(path: &str) -> Option<&'static Language> {
    let (_, name) = split(path);
    let (stem, extension) = name.rsplit_once('.')?;
    if stem.is_empty() { None } else { Language::of_extension(extension) }
}

/// Whether the file is one that Dice reads besides source text.
fn says_something(path: &str) -> bool {
    matches!(split(path).1, ".gitattributes" | "Cargo.toml")
        || path == config::FILE
        || codeowners::LOCATIONS.contains(&path)
}

fn is_vendored(path: &str) -> bool {
    split(path).0.split('/').any(|directory| VENDORED.contains(&directory))
}

/// A path's directory, empty for the root, and name.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// A relative path as git writes it.
fn git_path(path: &Path) -> Vec<u8> {
    let mut raw = Vec::new();
    for component in path.components() {
        if !raw.is_empty() {
            raw.push(b'/');
        }
        raw.extend_from_slice(component.as_os_str().as_encoded_bytes());
    }
    raw
}

/// Where git's path is on disk; `None` when a link or something stranger than a name is on the way.
fn disk_path(root: &Path, raw: &[u8]) -> Option<PathBuf> {
    let mut path = root.to_path_buf();
    let mut names = raw.split(|&byte| byte == b'/').peekable();
    while let Some(name) = names.next() {
        if matches!(name, b"" | b"." | b"..") {
            return None;
        }
        path.push(os_name(name)?);
        if names.peek().is_some() && !path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
            return None;
        }
    }
    Some(path)
}

#[cfg(unix)]
fn os_name(name: &[u8]) -> Option<&std::ffi::OsStr> {
    Some(std::os::unix::ffi::OsStrExt::from_bytes(name))
}

#[cfg(not(unix))]
fn os_name(name: &[u8]) -> Option<&std::ffi::OsStr> {
    std::str::from_utf8(name).ok().map(std::ffi::OsStr::new)
}
