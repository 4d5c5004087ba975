//! The whole way from repositories to a catalog.

use std::fmt;
use std::path::PathBuf;

use dice_catalog::Catalog;
use dice_extract::Logger;

use crate::{Config, Report};

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
    /// Enter submodules.
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
}

/// Indexes `requests` into one catalog, in parallel over files in the current rayon pool.
///
/// `progress` is told what is being done and how far it is: done of all.
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
    let _ = (requests, options, progress);
    Err(IndexError { message: String::new(), next: String::new() })
}

/// Why nothing could be indexed.
#[derive(Debug)]
pub struct IndexError {
    message: String,
    next: String,
}

impl IndexError {
    /// What the user can do about it.
    pub fn next(&self) -> &str {
        &self.next
    }
}

impl fmt::Display for IndexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for IndexError {}
