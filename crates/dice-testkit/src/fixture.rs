//! A folder of commits becomes a git repository.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use git2::{Oid, Repository, RepositoryInitOptions, Signature, Time};
use tempfile::TempDir;

use crate::Commit;

/// The repository's `fixtures` folder.
pub fn fixtures_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

/// A fixture repository in a temporary folder, which goes away with it.
#[derive(Debug)]
pub struct Fixture {
    made: Made,
    _folder: TempDir,
}

impl Fixture {
    /// Builds `fixtures/repos/<name>`; the repository's folder is called `name`.
    pub fn build(name: &str) -> Fixture {
        Fixture::build_from(&fixtures_dir().join("repos").join(name))
    }

    /// Builds the folder of commits at `source`; the repository's folder has the same name.
    pub fn build_from(source: &Path) -> Fixture {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let name = source.file_name().expect("a folder of commits has a name");
        let made = Made::in_folder(source, &folder.path().join(name));
        Fixture { made, _folder: folder }
    }
}

impl std::ops::Deref for Fixture {
    type Target = Made;

    fn deref(&self) -> &Made {
        &self.made
    }
}

/// A fixture repository that has been made.
#[derive(Debug)]
pub struct Made {
    path: PathBuf,
    commits: BTreeMap<String, Oid>,
}

impl Made {
    /// Makes a repository at `target`, which must not exist, of the folder of commits at `source`.
    ///
    /// Each folder of `source` is a commit, in the order of their names: `01-alice-add-disk-check`. Its
    /// `commit.toml` says who, when, what moves and what goes; its other files are written. In
    /// `.git-blame-ignore-revs` the name of an earlier folder stands for the commit that it became. The
    /// branch is `main`; the working tree is that of the last commit.
    pub fn in_folder(source: &Path, target: &Path) -> Made {
        let mut options = RepositoryInitOptions::new();
        // What the machine's git is told to put into new repositories is not part of the fixture.
        options.initial_head("main").no_reinit(true).mkpath(true).external_template(false);
        let repository = Repository::init_opts(target, &options)
            .unwrap_or_else(|err| panic!("{}: cannot be made a repository: {err}", target.display()));
        let mut made = Made { path: target.to_owned(), commits: BTreeMap::new() };
        for folder in sorted(source) {
            let name = file_name(&folder);
            made.commit_folder(&repository, &folder)
                .unwrap_or_else(|err| panic!("{name}: cannot be committed: {err}"));
        }
        assert!(!made.commits.is_empty(), "{}: has no folder of a commit", source.display());
        made
    }

    /// The repository's folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The full id of the commit that the folder `name` became.
    pub fn commit(&self, name: &str) -> String {
        let oid = self.commits.get(name).unwrap_or_else(|| panic!("no folder of a commit is called {name}"));
        oid.to_string()
    }

    /// The full id of the last commit.
    pub fn head(&self) -> String {
        self.commits.last_key_value().expect("a fixture has a commit").1.to_string()
    }

    fn commit_folder(&mut self, repository: &Repository, folder: &Path) -> Result<(), git2::Error> {
        let commit = Commit::parse(&read(&folder.join("commit.toml")));
        let mut index = repository.index()?;
        for (old, new) in &commit.renames {
            write(&self.path.join(new), &read(&self.path.join(old)));
            index.add_path(Path::new(new))?;
            self.remove(&mut index, old)?;
        }
        for path in &commit.removes {
            self.remove(&mut index, path)?;
        }
        for file in files(folder) {
            let path = file.strip_prefix(folder).expect("files lie in their folder");
            if path == Path::new("commit.toml") {
                continue;
            }
            let mut text = read(&file);
            if path == Path::new(".git-blame-ignore-revs") {
                for (name, oid) in &self.commits {
                    text = text.replace(name.as_str(), &oid.to_string());
                }
            }
            write(&self.path.join(path), &text);
            index.add_path(path)?;
        }
        index.write()?;
        let tree = repository.find_tree(index.write_tree()?)?;
        let time = Time::new(commit.date.seconds(), commit.date.offset_minutes());
        let (name, email) = commit.name_and_email();
        let author = Signature::new(name, email, &time)?;
        let (name, email) = commit.committer_name_and_email();
        let committer = Signature::new(name, email, &time)?;
        let parent = repository.head().and_then(|head| head.peel_to_commit()).ok();
        let parents: Vec<_> = parent.iter().collect();
        let oid = repository.commit(Some("HEAD"), &author, &committer, &commit.message, &tree, &parents)?;
        self.commits.insert(file_name(folder), oid);
        Ok(())
    }

    fn remove(&self, index: &mut git2::Index, path: &str) -> Result<(), git2::Error> {
        fs::remove_file(self.path.join(path)).unwrap_or_else(|err| panic!("{path}: cannot go: {err}"));
        index.remove_path(Path::new(path))
    }
}

/// All files below `folder`, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in sorted(folder) {
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|err| panic!("{}: {err}", folder.display()));
    let mut paths: Vec<_> =
        entries.map(|entry| entry.expect("a fixture's folder can be listed").path()).collect();
    paths.sort();
    paths
}

fn file_name(path: &Path) -> String {
    path.file_name().expect("a listed path has a name").to_string_lossy().into_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|err| panic!("{}: {err}", path.display()))
}

fn write(path: &Path, text: &str) {
    let folder = path.parent().expect("a file lies in a folder");
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .unwrap_or_else(|err| panic!("{}: {err}", path.display()));
}

#[cfg(test)]
mod tests {
    use super::{Fixture, fixtures_dir, sorted};

    #[test]
    fn every_fixture_repository_builds_to_the_same_commits() {
        let repos = sorted(&fixtures_dir().join("repos"));
        assert!(!repos.is_empty());
        for repo in repos {
            let (one, two) = (Fixture::build_from(&repo), Fixture::build_from(&repo));
            assert_eq!(one.head(), two.head(), "{}", repo.display());
            assert_ne!(one.path(), two.path());
        }
    }

    #[test]
    fn a_commit_is_the_one_that_git_would_make() {
        // The id depends on nothing but the fixture: it is the same on every machine and in every year.
        assert_eq!(
            Fixture::build("founding").commit("01-pig-say-hello"),
            "6ab3820687fdf4765b4d121e022a2a5e4e1304ad"
        );
    }
}
