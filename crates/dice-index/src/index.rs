//! The whole way from repositories to a catalog.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use dice_catalog::{Author, AuthorMissing, Catalog, Entry, Fingerprint, History, LineNo, Repo};
use dice_extract::{Facts, Logger, Settings, Source};
use git2::Oid;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::attributes::Attributes;
use crate::codeowners::{Codeowners, LOCATIONS};
use crate::committed::Committed;
use crate::files::{File, Listing, Tree, Why};
use crate::mailmap::Mailmap;
use crate::module::Packages;
use crate::owners::{Active, Owners};
use crate::repository::{Git, Handles, Place, Unread};
use crate::{Config, LeftOut, Report, authors, config, generated, identity, ignore_revs};

/// Files beyond this size are read, but worth a word.
const LARGE_BYTES: usize = 8 << 20;

/// Files beyond this size are left out.
const LIMIT_BYTES: u64 = 32 << 20;

/// Text that is kept between the two passes over the files; the rest is read again.
const KEPT_BYTES: usize = 64 << 20;

/// As in git, a NUL byte this early makes a file binary.
const BINARY_BYTES: usize = 8000;

/// Problems of one file that are told one by one.
const PROBLEMS_OF_A_FILE: usize = 20;

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
        root: opened.first().map(|first| first.place.directory()).unwrap_or_default(),
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
    indexed.catalog.entries.sort_by(Entry::order);
    indexed.catalog.entries.dedup_by(|later, earlier| is_same(later, earlier));
    Ok(indexed)
}

/// Whether two entries say the same about the same place.
fn is_same(a: &Entry, b: &Entry) -> bool {
    let place = |e: &Entry| (e.statement.line, e.statement.column, e.statement.level, e.statement.kind);
    a.repo == b.repo
        && a.file == b.file
        && place(a) == place(b)
        && a.statement.template == b.statement.template
        && a.statement.prefix == b.statement.prefix
        && a.statement.suffix == b.statement.suffix
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

/// A statement on its way into the catalog.
struct Found {
    /// Its file's place in the listing.
    file: usize,
    entry: Entry,
    /// The commit's lines of the call and of its format string; `None` when they are not committed.
    line: Option<LineNo>,
    format_line: Option<LineNo>,
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
            return Err(IndexError::new(format!(
                "two repositories are called `{}`: {} and {}; give one of them another name, [index] name in its \
                 dice.toml",
                opened.name,
                known.root.display(),
                opened.root.display()
            )));
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
                    IndexError::new(format!("the files of {shown} cannot be read: {}", error.message()))
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
                Some(text) => Config::parse(&String::from_utf8_lossy(&text))
                    .map_err(|error| IndexError::new(format!("{} of {shown}: {error}", config::FILE)))?,
                None => Config::default(),
            },
        };
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
        let said = Said::read(&self.tree, git, &mut self.report.warnings);
        let problems = std::mem::take(&mut self.tree.problems);
        self.report.problems.extend(problems.into_iter().map(|(path, text)| (path, None, text)));
        let listing = std::mem::take(&mut self.tree).listing(&self.config.index, &attributes);

        let reader = Reader {
            name: &self.name,
            config: &self.config,
            packages: &packages,
            handles: git.map(Handles::new),
            kept_bytes: AtomicUsize::new(0),
            committed: match git {
                Some(git) if self.worktree && options.authors => Some(blobs_of(git)),
                _ => None,
            },
            worktree: self.worktree,
        };
        let (mut found, loggers, files) = reader.read(listing, &mut self.report, progress);

        let mut authors = Authors::default();
        if options.authors {
            progress(&format!("asking git who wrote {}", self.name), 0, 1);
            authors = Authors::ask(git, &files, &found, &said, &mut self.report.warnings);
            progress(&format!("asking git who wrote {}", self.name), 1, 1);
        }
        let active = match (git, self.config.owners.inactive_after, self.commit()) {
            (Some(git), Some(days), Some(head)) if options.authors => {
                let active = Active::new(&git.repository, head, days, &said.mailmap, &self.config.people);
                // Without an answer nobody counts as gone.
                active.ok()
            }
            _ => None,
        };
        let owners = Owners::new(&self.config, said.codeowners, active);
        for found in &mut found {
            if options.authors {
                authors.tell(found, &files[found.file].raw);
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
        warn_of_missing(history, &entries, &mut self.report.warnings);
        self.report.problems.sort();
        Ok(One {
            repo: Repo {
                name: self.name.clone(),
                commit: self.commit().map(|commit| commit.to_string()),
                history,
                url: self.place.url(),
                worktree: self.worktree,
                fallback: self.config.owners.fallback.0.clone(),
                extra: serde_json::Map::new(),
            },
            entries,
            report: self.report,
            loggers,
            files: files.into_iter().map(|file| file.path).collect(),
        })
    }
}

/// What a repository's own files say about authors and owners.
struct Said {
    mailmap: Mailmap,
    codeowners: Codeowners,
    ignore_revs: Vec<Oid>,
}

impl Said {
    fn read(tree: &Tree, git: Option<&Git>, warnings: &mut Vec<String>) -> Said {
        let mailmap = tree.text(".mailmap", git).map(|text| Mailmap::parse(&text)).unwrap_or_default();
        let codeowners = LOCATIONS.iter().find_map(|path| Some((path, tree.text(path, git)?)));
        let codeowners = codeowners.map_or_else(Codeowners::default, |(path, text)| {
            let (codeowners, complaints) = Codeowners::parse(&text);
            warnings.extend(complaints.into_iter().map(|(line, text)| format!("{path}:{line}: {text}")));
            codeowners
        });
        let mut revs = Vec::new();
        let own = tree.text(ignore_revs::FILE, git).map(|text| (ignore_revs::FILE.to_owned(), text));
        let configured = git.map(|git| ignore_revs::configured(&git.repository)).unwrap_or_default();
        let configured = configured.into_iter().filter(|(name, _)| name != ignore_revs::FILE);
        for (name, text) in own.into_iter().chain(configured) {
            ignore_revs::parse(&text, &name, &mut revs, warnings);
        }
        revs.sort();
        revs.dedup();
        Said { mailmap, codeowners, ignore_revs: revs }
    }
}

/// Reads the files of one repository.
struct Reader<'a> {
    name: &'a str,
    config: &'a Config,
    packages: &'a Packages,
    handles: Option<Handles>,
    kept_bytes: AtomicUsize,
    /// The commit's blobs, where the working tree is read and its lines must be found in the commit.
    committed: Option<BTreeMap<Vec<u8>, Oid>>,
    worktree: bool,
}

/// What the first pass makes of a file.
enum First {
    /// It is read.
    Parsed(Parsed),
    /// It is left out.
    LeftOut(Why),
    /// It cannot be read.
    Unread,
}

/// A file after the first pass.
struct Parsed {
    facts: Facts,
    module: String,
    /// Its text, while there is room.
    text: Option<Vec<u8>>,
    bytes: usize,
}

type Problems = Vec<(Option<LineNo>, String)>;

impl Reader<'_> {
    /// The statements of the wanted kinds, what was taken for a logger, and the files that were parsed.
    fn read(
        &self,
        listing: Listing,
        report: &mut Report,
        progress: &(dyn Fn(&str, usize, usize) + Sync),
    ) -> (Vec<Found>, Vec<Logger>, Vec<File>) {
        let total = listing.files.len();
        let count = |what: &str| {
            let (what, done) = (format!("{what} {}", self.name), AtomicUsize::new(0));
            progress(&what, 0, total);
            move || progress(&what, done.fetch_add(1, Ordering::Relaxed) + 1, total)
        };
        let step = count("reading");
        let first: Vec<(First, Problems)> = listing
            .files
            .par_iter()
            .map(|file| {
                let mut problems = Problems::new();
                let first = self.first(file, &mut problems);
                step();
                (first, problems)
            })
            .collect();

        let mut left_out = listing.left_out;
        let (mut files, mut facts, mut rests) = (Vec::new(), Vec::new(), Vec::new());
        for (file, (first, problems)) in listing.files.into_iter().zip(first) {
            tell(report, &file.path, problems);
            match first {
                First::LeftOut(why) => *left_out.entry(why).or_default() += 1,
                First::Unread => {}
                First::Parsed(parsed) => {
                    report.files += 1;
                    report.bytes += parsed.bytes as u64;
                    facts.push(parsed.facts);
                    rests.push((parsed.module, parsed.text));
                    files.push(file);
                }
            }
        }
        let left_out = left_out.into_iter().map(|(why, files)| LeftOut { why: why.as_str(), files });
        report.left_out.extend(left_out);
        report.left_out.sort_by_key(|left_out| left_out.why);

        let settings = Settings {
            loggers: self.config.loggers.clone(),
            ignore_names: self.config.index.ignore_names.clone(),
            constants: self.config.constants.clone(),
        };
        let dictionary = dice_extract::dictionary(&settings, &facts);
        drop(facts);

        let step = count("finding statements of");
        let second: Vec<(Vec<Found>, Problems)> = rests
            .into_par_iter()
            .enumerate()
            .map(|(number, (module, text))| {
                let mut problems = Problems::new();
                let text = text.map_or_else(|| self.text(&files[number], &mut problems), Some);
                let found = text.map_or_else(Vec::new, |text| {
                    let source = Source { language: files[number].language, module: &module, text: &text };
                    let extraction = dice_extract::statements(&dictionary, number, &source);
                    let told = extraction.problems.into_iter();
                    problems.extend(told.map(|problem| (Some(problem.line), problem.text)));
                    self.found(number, &files[number], &text, extraction.statements)
                });
                step();
                (found, problems)
            })
            .collect();
        let mut found = Vec::new();
        for (number, (statements, problems)) in second.into_iter().enumerate() {
            tell(report, &files[number].path, problems);
            found.extend(statements);
        }
        (found, dictionary.loggers(), files)
    }

    /// Reads a file and its facts.
    fn first(&self, file: &File, problems: &mut Problems) -> First {
        let Some(text) = (match self.bytes(file) {
            Ok(text) => Some(text),
            Err(Unread::TooLarge(bytes)) => {
                problems.push((None, format!("left out: {}, of at most {}", mega(bytes), mega(LIMIT_BYTES))));
                return First::LeftOut(Why::TooLarge);
            }
            Err(Unread::Failed(text)) => {
                problems.push((None, text));
                None
            }
        }) else {
            return First::Unread;
        };
        if memchr::memchr(0, &text[..text.len().min(BINARY_BYTES)]).is_some() {
            if text.starts_with(b"\xFF\xFE") || text.starts_with(b"\xFE\xFF") {
                problems.push((None, "left out: UTF-16, wanted UTF-8".to_owned()));
            }
            return First::LeftOut(Why::Binary);
        }
        if !self.config.index.generated && !file.is_handwritten && generated::says_generated(&text) {
            return First::LeftOut(Why::Generated);
        }
        if text.len() > LARGE_BYTES {
            problems.push((None, format!("a large file: {}", mega(text.len() as u64))));
        }
        if let Err(error) = std::str::from_utf8(&text) {
            let before = &text[..error.valid_up_to()];
            let line = LineNo::from_row(memchr::memchr_iter(b'\n', before).count());
            problems.push((
                Some(line),
                "not UTF-8 from here on; such bytes are taken for any character".to_owned(),
            ));
        }
        let module =
            if file.language.name == "rust" { self.packages.module(&file.path) } else { String::new() };
        let facts = dice_extract::facts(&Source { language: file.language, module: &module, text: &text });
        let bytes = text.len();
        let kept = self.kept_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes <= KEPT_BYTES;
        First::Parsed(Parsed { facts, module, text: kept.then_some(text), bytes })
    }

    /// A file's text for the second pass.
    fn text(&self, file: &File, problems: &mut Problems) -> Option<Vec<u8>> {
        match self.bytes(file) {
            Ok(text) => Some(text),
            Err(Unread::Failed(text)) => {
                problems.push((None, text));
                None
            }
            // It has grown since the first pass, which said what there is to say of its size.
            Err(Unread::TooLarge(_)) => None,
        }
    }

    /// A file's bytes without a byte-order mark.
    fn bytes(&self, file: &File) -> Result<Vec<u8>, Unread> {
        let mut text = file.content.read(self.handles.as_ref(), LIMIT_BYTES)?;
        if text.starts_with(b"\xEF\xBB\xBF") {
            text.drain(..3);
        }
        Ok(text)
    }

    /// The statements of the wanted kinds, with the lines that git knows them by.
    fn found(
        &self,
        number: usize,
        file: &File,
        text: &[u8],
        statements: Vec<dice_catalog::Statement>,
    ) -> Vec<Found> {
        let wanted = statements.into_iter().filter(|s| self.config.index.kinds.contains(&s.kind));
        let wanted: Vec<_> = wanted.collect();
        if wanted.is_empty() {
            return Vec::new();
        }
        let committed = match &self.committed {
            Some(blobs) => self.compare(blobs.get(&file.raw).copied(), text),
            None if self.worktree => Committed::New,
            None => Committed::Same,
        };
        let found = wanted.into_iter().map(|statement| Found {
            file: number,
            line: committed.line(statement.line),
            format_line: statement.format_line.and_then(|line| committed.line(line)),
            entry: Entry {
                fingerprint: Fingerprint::of(self.name, &statement.template),
                repo: self.name.to_owned(),
                file: file.path.clone(),
                language: file.language.name.to_owned(),
                statement,
                author: None,
                author_missing: Some(AuthorMissing::NotRequested),
                also_author: None,
                owners: Vec::new(),
                was: Vec::new(),
                extra: serde_json::Map::new(),
            },
        });
        found.collect()
    }

    fn compare(&self, blob: Option<Oid>, text: &[u8]) -> Committed {
        let old = blob.zip(self.handles.as_ref()).and_then(|(blob, handles)| {
            let mut old = handles.blob(blob, LIMIT_BYTES).ok()?;
            if old.starts_with(b"\xEF\xBB\xBF") {
                old.drain(..3);
            }
            Some(old)
        });
        old.map_or(Committed::New, |old| Committed::compare(&old, text))
    }
}

/// Who wrote the statements of one repository.
#[derive(Default)]
struct Authors {
    blame: authors::Blame,
    people: FxHashMap<Oid, Option<(Author, i64)>>,
    /// Whether there is a history that could know.
    is_asked: bool,
}

impl Authors {
    fn ask(
        git: Option<&Git>,
        files: &[File],
        found: &[Found],
        said: &Said,
        warnings: &mut Vec<String>,
    ) -> Authors {
        let Some((git, head)) = git.and_then(|git| Some((git, git.commit?))) else {
            return Authors::default();
        };
        let mut wanted = authors::Wanted::new();
        for found in found {
            let lines: Vec<LineNo> = found.line.into_iter().chain(found.format_line).collect();
            if !lines.is_empty() {
                wanted.entry(files[found.file].raw.clone()).or_default().extend(lines);
            }
        }
        for lines in wanted.values_mut() {
            lines.sort();
            lines.dedup();
        }
        let settings = authors::Settings { ignore_revs: said.ignore_revs.clone() };
        let blame = authors::blame(&git.repository, head, &wanted, &settings);
        let mut people = FxHashMap::default();
        let mut unreadable = 0;
        for (path, lines) in &wanted {
            for commit in lines.iter().filter_map(|&line| blame.commit(path, line).ok()) {
                people.entry(commit).or_insert_with(|| {
                    let commit = git.repository.find_commit(commit);
                    unreadable += usize::from(commit.is_err());
                    commit.ok().map(|commit| identity::author(&commit, &said.mailmap))
                });
            }
        }
        if unreadable > 0 {
            warnings.push(format!("{unreadable} commits cannot be read; run `git fsck`"));
        }
        Authors { blame, people, is_asked: true }
    }

    /// Writes down who wrote a statement, or why that is not known.
    fn tell(&self, found: &mut Found, path: &[u8]) {
        let author = |line: Option<LineNo>| {
            let line = line.filter(|_| self.is_asked).ok_or(AuthorMissing::Uncommitted)?;
            let commit = self.blame.commit(path, line)?;
            self.people.get(&commit).and_then(Option::as_ref).ok_or(AuthorMissing::MissingObject)
        };
        let entry = &mut found.entry;
        match author(found.line) {
            Ok((first, written)) => {
                if let Some(Ok((second, later))) = found.format_line.map(|line| author(Some(line)))
                    && later > written
                    && !second.email.eq_ignore_ascii_case(&first.email)
                {
                    entry.also_author = Some(second.clone());
                }
                entry.author = Some(first.clone());
                entry.author_missing = None;
            }
            Err(why) => entry.author_missing = Some(why),
        }
    }
}

/// The commit's blobs by path; empty when the commit cannot be read, so that nothing is taken as committed.
fn blobs_of(git: &Git) -> BTreeMap<Vec<u8>, Oid> {
    Tree::of_commit(git).map(Tree::into_blobs).unwrap_or_default()
}

/// Adds a file's problems to the report, the first of them one by one.
fn tell(report: &mut Report, path: &str, problems: Problems) {
    let more = problems.len().saturating_sub(PROBLEMS_OF_A_FILE);
    let told = problems.into_iter().take(PROBLEMS_OF_A_FILE);
    report.problems.extend(told.map(|(line, text)| (path.to_owned(), line, text)));
    if more > 0 {
        report.problems.push((path.to_owned(), None, format!("and {more} more")));
    }
}

/// Says how many authors are not known, and what to do about it.
fn warn_of_missing(history: History, entries: &[Entry], warnings: &mut Vec<String>) {
    let all = entries.len();
    let missing = |why| entries.iter().filter(|entry| entry.author_missing == Some(why)).count();
    let shallow = missing(AuthorMissing::ShallowHistory);
    if shallow > 0 {
        warnings.push(format!(
            "the history is shallow: {shallow} of {all} authors are not known; get the rest of it with \
             `git fetch --unshallow` (`fetch-depth: 0` in CI)"
        ));
    }
    let objects = missing(AuthorMissing::MissingObject);
    if objects > 0 {
        let remedy = match history {
            History::Partial => "clone it again, without --filter",
            _ => "run `git fsck` to see which",
        };
        warnings.push(format!("objects are missing: {objects} of {all} authors are not known; {remedy}"));
    }
}

fn mega(bytes: u64) -> String {
    format!("{}.{} MB", bytes >> 20, ((bytes & 0xF_FFFF) * 10) >> 20)
}

/// Why nothing could be indexed.
#[derive(Debug)]
pub struct IndexError {
    message: String,
}

impl IndexError {
    /// `message` says what was wanted, what was found and what to do.
    pub(crate) fn new(message: String) -> IndexError {
        IndexError { message }
    }
}

impl fmt::Display for IndexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for IndexError {}
