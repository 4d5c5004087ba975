//! Repositories made for one test.

use std::path::{Path, PathBuf};

use dice_index::{Indexed, Options, Request};
use git2::{Oid, Repository, RepositoryInitOptions, Signature, Time};
use tempfile::TempDir;

/// A repository in a directory of its own, gone after the test.
pub(crate) struct Scratch {
    home: TempDir,
    name: String,
}

impl Scratch {
    /// An empty repository called `name`.
    pub(crate) fn new(name: &str) -> Scratch {
        let home = TempDir::new().unwrap();
        let mut options = RepositoryInitOptions::new();
        // Templates of this machine's git have no business here.
        options.external_template(false).initial_head("main");
        Repository::init_opts(home.path().join(name), &options).unwrap();
        Scratch { home, name: name.to_owned() }
    }

    /// Its working tree.
    pub(crate) fn path(&self) -> PathBuf {
        self.home.path().join(&self.name)
    }

    /// A place beside it.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// The repository.
    pub(crate) fn git(&self) -> Repository {
        Repository::open(self.path()).unwrap()
    }

    /// Writes a file of the working tree.
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) -> &Scratch {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// Commits the whole working tree, on a given day, as `<who>@pen.mssn`.
    pub(crate) fn commit(&self, who: &str, day: i64) -> Oid {
        let git = self.git();
        let mut index = git.index().unwrap();
        index.add_all(["*"], git2::IndexAddOption::FORCE, None).unwrap();
        index.update_all(["*"], None).unwrap();
        index.write().unwrap();
        let tree = git.find_tree(index.write_tree().unwrap()).unwrap();
        let time = Time::new(1_700_000_000 + day * 24 * 60 * 60, 0);
        let author = Signature::new(who, &format!("{who}@pen.mssn"), &time).unwrap();
        let parent = git.head().ok().map(|head| head.peel_to_commit().unwrap());
        let parents: Vec<_> = parent.iter().collect();
        git.commit(Some("HEAD"), &author, &author, "change", &tree, &parents).unwrap()
    }

    /// Its `HEAD`, indexed.
    pub(crate) fn index(&self) -> Indexed {
        index(&[at(self.path())])
    }

    /// Its working tree, indexed.
    pub(crate) fn index_worktree(&self) -> Indexed {
        index(&[worktree(self.path())])
    }
}

/// The `HEAD` of what is at `path`.
pub(crate) fn at(path: impl AsRef<Path>) -> Request {
    Request { path: path.as_ref().to_path_buf(), rev: None, worktree: false }
}

/// The working tree of what is at `path`.
pub(crate) fn worktree(path: impl AsRef<Path>) -> Request {
    Request { worktree: true, ..at(path) }
}

/// Indexes, with authors.
pub(crate) fn index(requests: &[Request]) -> Indexed {
    let options = Options { authors: true, ..Options::default() };
    dice_index::index(requests, &options, &|_, _, _| {}).unwrap()
}

/// A C file whose functions print `messages`, one a function, three lines each.
pub(crate) fn c_file(messages: &[&str]) -> String {
    let function = |(n, message): (usize, &&str)| {
        format!("void f{n}(int n) {{\n    syslog(LOG_ERR, \"{message}\", n);\n}}\n")
    };
    messages.iter().enumerate().map(function).collect()
}

/// The messages of a catalog: place and template.
pub(crate) fn messages(indexed: &Indexed) -> Vec<String> {
    let shown = |entry: &dice_catalog::Entry| {
        format!("{}:{} {}", entry.file, entry.statement.line, entry.statement.template)
    };
    indexed.catalog.entries.iter().map(shown).collect()
}

/// The authors of a catalog, or why there is none.
pub(crate) fn authors(indexed: &Indexed) -> Vec<String> {
    let shown = |entry: &dice_catalog::Entry| match (&entry.author, entry.author_missing) {
        (Some(author), None) => author.name.clone(),
        (None, Some(why)) => format!("{why:?}"),
        both => panic!("wanted an author or a reason, found {both:?}"),
    };
    indexed.catalog.entries.iter().map(shown).collect()
}

/// The owners of a catalog, with reasons.
pub(crate) fn owners(indexed: &Indexed) -> Vec<String> {
    let shown = |entry: &dice_catalog::Entry| {
        let owners = entry.owners.iter().map(|owner| format!("{} {}", owner.name, owner.why));
        owners.collect::<Vec<_>>().join(", ")
    };
    indexed.catalog.entries.iter().map(shown).collect()
}

/// What a report says was left out.
pub(crate) fn left_out(indexed: &Indexed) -> String {
    let shown = indexed.report.left_out.iter().map(|left_out| format!("{} {}", left_out.files, left_out.why));
    shown.collect::<Vec<_>>().join(", ")
}

/// What a report says could not be read as meant.
pub(crate) fn problems(indexed: &Indexed) -> Vec<String> {
    let shown = |(file, line, text): &(String, Option<dice_catalog::LineNo>, String)| match line {
        Some(line) => format!("{file}:{line}: {text}"),
        None => format!("{file}: {text}"),
    };
    indexed.report.problems.iter().map(shown).collect()
}

/// The catalog's file.
pub(crate) fn bytes(indexed: &Indexed) -> String {
    let mut out = Vec::new();
    indexed.catalog.write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}
