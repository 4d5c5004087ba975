//! The source files of one repository: read, and their statements found.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use dice_catalog::{AuthorMissing, Entry, Fingerprint, LineNo, Statement};
use dice_extract::{Facts, Logger, Settings, Source};
use git2::Oid;
use rayon::prelude::*;

use crate::committed::Committed;
use crate::files::{File, Listing, Tree, Why};
use crate::module::Packages;
use crate::repository::{Git, Handles, Unread};
use crate::{Config, LeftOut, Report, generated};

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

/// A statement on its way into the catalog.
pub(crate) struct Found {
    /// Its file's place in the listing.
    pub(crate) file: usize,
    pub(crate) entry: Entry,
    /// The commit's lines of the call and of its format string; `None` when they are not committed.
    pub(crate) line: Option<LineNo>,
    pub(crate) format_line: Option<LineNo>,
}

/// Reads the files of one repository.
pub(crate) struct Reader<'a> {
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

impl<'a> Reader<'a> {
    /// Reads the repository called `name`. With `authors`, lines of a working tree are looked up in the
    /// commit.
    pub(crate) fn new(
        name: &'a str,
        config: &'a Config,
        packages: &'a Packages,
        git: Option<&Git>,
        worktree: bool,
        authors: bool,
    ) -> Reader<'a> {
        Reader {
            name,
            config,
            packages,
            handles: git.map(Handles::new),
            kept_bytes: AtomicUsize::new(0),
            committed: git.filter(|_| worktree && authors).map(blobs_of),
            worktree,
        }
    }

    /// The statements of the wanted kinds, what was taken for a logger, and the files that were parsed.
    pub(crate) fn read(
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
    fn found(&self, number: usize, file: &File, text: &[u8], statements: Vec<Statement>) -> Vec<Found> {
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

fn mega(bytes: u64) -> String {
    format!("{}.{} MB", bytes >> 20, ((bytes & 0xF_FFFF) * 10) >> 20)
}
