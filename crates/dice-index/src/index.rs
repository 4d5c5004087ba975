//! The whole way from repositories to a catalog.

use std::fmt;
use std::path::PathBuf;

use dice_catalog::{Author, Catalog, Entry, History, Repo};
use dice_extract::Logger;
use git2::Oid;

use crate::attributes::Attributes;
use crate::authors::Snapshot;
use crate::codeowners::{Codeowners, LOCATIONS};
use crate::credits::{self, Credits};
use crate::files::{self, Tree};
use crate::module::Packages;
use crate::owners::{Active, Owners};
use crate::repository::{Git, Place};
use crate::sources::Reader;
use crate::{Config, Report, config};

/// Warnings of one repository that are told one by one.
const WARNINGS: usize = 200;

/// How deep submodules may hold submodules.
const SUBMODULE_DEPTH: usize = 8;

/// A repository to index.
#[derive(Debug, Clone)]
pub struct Request {
    /// A path in or of the repository.
    pub path: PathBuf,
    /// The revision to read; `None` is HEAD.
    pub rev: Option<String>,
    /// Read the working tree's files instead of the revision's.
    pub worktree: bool,
}

/// How to index.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Used instead of each repository's own `dice.toml`.
    pub config: Option<Config>,
    /// Ask git for authors.
    pub authors: bool,
    /// Enter submodules, whatever `dice.toml` says.
    pub submodules: bool,
}

/// What indexing gives.
#[derive(Debug)]
pub struct Indexed {
    /// The statements.
    pub catalog: Catalog,
    /// What was met on the way.
    pub report: Report,
    /// The first repository's root: its working tree, or its own directory where it is bare.
    pub root: PathBuf,
    /// What was taken for a logger, by repository name. `Logger::file` numbers `files`.
    pub loggers: Vec<(String, Vec<Logger>)>,
    /// The files that were parsed, by repository name, in the order of `loggers`.
    pub files: Vec<(String, Vec<String>)>,
}

/// Indexes `requests` into one catalog, in parallel over files in the current rayon pool.
///
/// `progress` is told what is being done and how far it is: done of all. Several revisions of one repository
/// are several requests.
///
/// # Errors
///
/// When a repository cannot be opened or read at all, two have the same name, or a `dice.toml` is wrong.
/// A file that cannot be read is a problem in the report.
pub fn index(
    requests: &[Request],
    options: &Options,
    progress: &(dyn Fn(&str, usize, usize) + Sync),
) -> Result<Indexed, IndexError> {
    let opened = open_all(requests, options)?;
    let several = opened.len() > 1;
    let mut indexed = Indexed {
        root: opened.first().map(|opened| opened.place.directory()).unwrap_or_default(),
        catalog: Catalog {
            tool: concat!("dice ", env!("CARGO_PKG_VERSION")).to_owned(),
            ..Catalog::default()
        },
        report: Report::default(),
        loggers: Vec::new(),
        files: Vec::new(),
    };
    for opened in opened {
        let name = opened.name.clone();
        let one = opened.index(options, progress)?;
        indexed.catalog.repos.push(one.repo);
        indexed.catalog.entries.extend(one.entries);
        indexed.report.add(one.report, several.then_some(&name));
        indexed.loggers.push((name.clone(), one.loggers));
        indexed.files.push((name, one.files));
    }
    // The sort is stable: of what is equal, the order of requests and of the text decides.
    indexed.catalog.entries.sort_by(|a, b| a.order(b).then_with(|| what(a).cmp(&what(b))));
    indexed
        .catalog
        .entries
        .dedup_by(|later, earlier| later.order(earlier).is_eq() && what(later) == what(earlier));
    Ok(indexed)
}

/// What an entry says besides its place and template: alternatives of one call may differ in it.
fn what(entry: &Entry) -> impl Ord + '_ {
    let s = &entry.statement;
    (s.level, s.kind, &s.prefix, &s.suffix)
}

/// A repository that is open, and what it says about itself.
struct Opened {
    name: String,
    place: Place,
    /// Tells whether two are the same.
    root: PathBuf,
    worktree: bool,
    config: Config,
    tree: Tree,
    report: Report,
}

/// What one repository yields.
struct One {
    repo: Repo,
    entries: Vec<Entry>,
    report: Report,
    loggers: Vec<Logger>,
    files: Vec<String>,
}

/// Opens everything first, so that a wrong name or configuration is told at once.
fn open_all(requests: &[Request], options: &Options) -> Result<Vec<Opened>, IndexError> {
    let mut all: Vec<Opened> = Vec::new();
    let mut pending: Vec<(Request, usize, Option<String>)> =
        requests.iter().rev().map(|request| (request.clone(), 0, None)).collect();
    while let Some((request, depth, parent)) = pending.pop() {
        let mut opened = match Opened::open(&request, options) {
            Ok(opened) => opened,
            // A submodule that is not there is not asked for by name.
            Err(error) if parent.is_some() => {
                if let Some(last) = all.last_mut() {
                    last.report.warnings.push(format!("a submodule cannot be entered: {error}"));
                }
                continue;
            }
            Err(error) => return Err(error),
        };
        let is_known = |known: &Opened| {
            known.root == opened.root
                && known.commit() == opened.commit()
                && known.worktree == opened.worktree
                // Working trees linked to one repository have files of their own.
                && (!known.worktree || known.place.directory() == opened.place.directory())
        };
        if all.iter().any(is_known) {
            continue;
        }
        let namesake =
            |opened: &Opened| all.iter().find(|known| known.name == opened.name && known.root != opened.root);
        if let (Some(_), Some(parent)) = (namesake(&opened), &parent) {
            opened.name.clone_from(parent);
        }
        if let Some(known) = namesake(&opened) {
            let (first, second) = (known.root.display(), opened.root.display());
            return Err(IndexError::new(
                format!("two repositories are called `{}`: {first} and {second}", opened.name),
                "give one of them another name: `name` in [index] of its dice.toml",
            ));
        }
        let enters = options.submodules || opened.config.index.submodules;
        for (path, commit) in std::mem::take(&mut opened.tree.submodules).into_iter().rev() {
            match opened.submodule(&path, commit).filter(|_| enters && depth < SUBMODULE_DEPTH) {
                Some(request) => pending.push((request, depth + 1, Some(format!("{}/{path}", opened.name)))),
                None => opened.report.submodules.push(path),
            }
        }
        opened.report.submodules.sort();
        all.push(opened);
    }
    Ok(all)
}

impl Opened {
    fn open(request: &Request, options: &Options) -> Result<Opened, IndexError> {
        let place = Place::open(request)?;
        let mut report = Report::default();
        let shown = request.path.display();
        let (tree, root) = match &place {
            Place::Git(git) if request.worktree => {
                let root = git.workdir.clone().unwrap_or_else(|| request.path.clone());
                (Tree::of_worktree(Some(git), &root), git.repository.commondir().to_path_buf())
            }
            Place::Git(git) => {
                let tree = Tree::of_commit(git).map_err(|error| {
                    let problem = format!("the files of {shown} cannot be read: {}", error.message());
                    let next = match git.history() {
                        History::Partial => "clone it again, without --filter",
                        _ => "run `git fsck` there, or clone it again",
                    };
                    IndexError::new(problem, next)
                })?;
                (tree, git.repository.commondir().to_path_buf())
            }
            Place::Plain { root, warning } => {
                report.warnings.extend(warning.clone());
                (Tree::of_worktree(None, root), root.clone())
            }
        };
        let root = root.canonicalize().unwrap_or(root);
        let config = match &options.config {
            Some(config) => config.clone(),
            None => match tree.text(config::FILE, place.git()) {
                Some(text) => Config::parse(&String::from_utf8_lossy(&text)).map_err(|error| {
                    let problem = format!("wanted a {} in {shown}, found a mistake in {error}", config::FILE);
                    let next = match request {
                        Request { rev: None, worktree: false, .. } => {
                            "mend that line and commit it; the README shows every key"
                        }
                        _ => "mend that line; the README shows every key",
                    };
                    IndexError::new(problem, next)
                })?,
                None => Config::default(),
            },
        };
        if options.config.is_none() && request.rev.is_none() {
            report.warnings.extend(unused_config(&place, &tree, request.worktree));
        }
        let name = config.index.name.clone().unwrap_or_else(|| place.name());
        Ok(Opened { name, place, root, worktree: request.worktree, config, tree, report })
    }

    fn commit(&self) -> Option<Oid> {
        self.place.git()?.commit
    }

    /// How to index the submodule at `path`; `None` when it is not there.
    fn submodule(&self, path: &str, commit: Option<Oid>) -> Option<Request> {
        let git = self.place.git()?;
        if path.split('/').any(|name| matches!(name, "" | "." | ".." | ".git")) {
            return None;
        }
        let checked_out = git.workdir.as_ref().map(|workdir| workdir.join(path));
        let checked_out = checked_out.filter(|path| path.join(".git").exists());
        let stored = git.repository.commondir().join("modules").join(path);
        let is_checked_out = checked_out.is_some();
        let path = checked_out.or_else(|| stored.join("HEAD").exists().then_some(stored))?;
        let worktree = self.worktree && is_checked_out;
        let rev = if worktree { None } else { commit.map(|commit| commit.to_string()) };
        Some(Request { path, rev, worktree })
    }

    fn index(
        mut self,
        options: &Options,
        progress: &(dyn Fn(&str, usize, usize) + Sync),
    ) -> Result<One, IndexError> {
        let git = self.place.git();
        let attributes = Attributes::new(self.tree.texts_called(".gitattributes", git));
        let packages = Packages::new(self.tree.texts_called("Cargo.toml", git));
        let codeowners = codeowners(&self.tree, git, &mut self.report.warnings);
        let problems = std::mem::take(&mut self.tree.problems);
        self.report.problems.extend(problems.into_iter().map(|(path, text)| (path, None, text)));
        let listing = std::mem::take(&mut self.tree).listing(&self.config.index, &attributes);

        let reader = Reader::new(&self.name, &self.config, &packages, git, self.worktree, options.authors);
        let (mut found, loggers, files) = reader.read(listing, &mut self.report, progress);

        let snapshot = match self.commit() {
            Some(commit) if !self.worktree => Snapshot::Commit(commit),
            _ => Snapshot::Worktree,
        };
        let mut credits = Credits::default();
        if options.authors {
            let what = format!("asking git who wrote {}", self.name);
            progress(&what, 0, 1);
            credits = Credits::ask(git, snapshot, &files, &found, &mut self.report.warnings);
            progress(&what, 1, 1);
        }
        let active = match (git, self.config.owners.inactive_after) {
            // Without an answer nobody counts as gone.
            (Some(git), Some(days)) if options.authors => {
                Active::new(git, snapshot, days, &self.config.people).ok()
            }
            _ => None,
        };
        let owners = Owners::new(&self.config, codeowners, active);
        for found in &mut found {
            if options.authors {
                credits.tell(found, &files[found.file].raw);
            }
            let entry = &mut found.entry;
            let candidates: Vec<&Author> = entry.author.iter().chain(&entry.also_author).collect();
            entry.owners = owners.of(&entry.file, &entry.statement.annotations, &candidates);
            for annotation in entry.statement.annotations.iter().filter(|name| owners.is_unknown(name)) {
                let place = format!("{}:{}", entry.file, entry.statement.line);
                self.report.warnings.push(format!("{place}: nobody in [people] is called `{annotation}`"));
            }
        }
        let entries: Vec<Entry> = found.into_iter().map(|found| found.entry).collect();
        let history = git.filter(|_| options.authors).map_or(History::None, Git::history);
        // What concerns many statements comes first.
        let mut warnings = credits::missing(history, &entries);
        warnings.append(&mut self.report.warnings);
        self.report.warnings = warnings;
        self.report.problems.sort();
        let more = self.report.warnings.len().saturating_sub(WARNINGS);
        if more > 0 {
            self.report.warnings.truncate(WARNINGS);
            self.report.warnings.push(format!("and {more} more of this sort"));
        }
        Ok(One {
            repo: Repo {
                name: self.name.clone(),
                commit: self.commit().map(|commit| commit.to_string()),
                history,
                url: self.place.url(),
                worktree: self.worktree,
                fallback: self.config.owners.fallback.clone(),
                extra: serde_json::Map::new(),
            },
            entries,
            report: self.report,
            loggers,
            files: files.into_iter().map(|file| file.path).collect(),
        })
    }
}

/// What there is to say of a `dice.toml` that is in the working tree and was not used.
fn unused_config(place: &Place, tree: &Tree, worktree: bool) -> Option<String> {
    let directory = match place {
        Place::Git(git) => git.workdir.as_ref()?,
        Place::Plain { root, .. } => root,
    };
    let (name, path) = (config::FILE, directory.join(config::FILE));
    if !path.symlink_metadata().ok()?.is_file() {
        return Some(format!("{name} in the working tree is not a regular file and was not used"));
    }
    if worktree {
        return None;
    }
    let there = files::disk_text(&path, files::SAYING_LIMIT_BYTES).ok()?;
    let used = tree.text(name, place.git()).unwrap_or_default();
    // A checkout may have changed the ends of lines.
    let lines = |text| <[u8]>::split(text, |&byte| byte == b'\n').map(<[u8]>::trim_ascii_end);
    (!lines(&there).eq(lines(&used))).then(|| {
        format!(
            "{name} in the working tree is not committed and was not used: commit it, or use --worktree or \
             --config {name}"
        )
    })
}

/// The repository's CODEOWNERS, the first of its places; what is not understood becomes a warning.
fn codeowners(tree: &Tree, git: Option<&Git>, warnings: &mut Vec<String>) -> Codeowners {
    let found = LOCATIONS.iter().find_map(|path| Some((path, tree.text(path, git)?)));
    found.map_or_else(Codeowners::default, |(path, text)| {
        let (codeowners, complaints) = Codeowners::parse(&text);
        warnings.extend(complaints.into_iter().map(|(line, text)| format!("{path}:{line}: {text}")));
        codeowners
    })
}

/// Why nothing could be indexed.
#[derive(Debug)]
pub struct IndexError {
    message: String,
}

impl IndexError {
    /// `problem` says what was wanted and what was found, `next` what to do about it.
    pub(crate) fn new(problem: impl fmt::Display, next: impl fmt::Display) -> IndexError {
        IndexError { message: format!("{problem}; {next}") }
    }
}

impl fmt::Display for IndexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for IndexError {}
