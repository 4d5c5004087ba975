//! A repository: how it is found, what it is called, which commit is meant.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use dice_catalog::History;
use git2::{ErrorCode, ObjectType, Oid, RepositoryOpenFlags};

use crate::{IndexError, Request, remote};

/// Where files come from.
#[derive(Debug)]
pub(crate) enum Place {
    /// A repository with a history.
    Git(Git),
    /// A directory without one that can be read.
    Plain {
        /// The directory.
        root: PathBuf,
        /// Why there is no history, where that deserves a word.
        warning: Option<String>,
    },
}

/// A git repository.
pub(crate) struct Git {
    /// The repository.
    pub(crate) repository: git2::Repository,
    /// The commit that is read, or that the working tree is compared with; `None` before the first.
    pub(crate) commit: Option<Oid>,
    /// The root of the working tree; `None` when the repository is bare.
    pub(crate) workdir: Option<PathBuf>,
}

impl std::fmt::Debug for Git {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Git").field("path", &self.repository.path()).field("commit", &self.commit).finish()
    }
}

impl Place {
    /// Finds the repository that `request` names by any path in it.
    pub(crate) fn open(request: &Request) -> Result<Place, IndexError> {
        let path = &request.path;
        let shown = path.display();
        if !path.exists() {
            return Err(IndexError::new(
                format!("wanted a repository, found nothing at {shown}"),
                "give the path of a repository, or of anything in it",
            ));
        }
        // A file means the repository it is in.
        let start = if path.is_file() { path.parent().unwrap_or(path) } else { path.as_path() };
        let start = if start.as_os_str().is_empty() { Path::new(".") } else { start };
        match git2::Repository::open_ext(start, RepositoryOpenFlags::empty(), &[] as &[&Path]) {
            Ok(repository) => Place::at_revision(repository, request),
            Err(error) => Place::without_git(start, request, &error),
        }
    }

    fn at_revision(repository: git2::Repository, request: &Request) -> Result<Place, IndexError> {
        let shown = request.path.display();
        let workdir = repository.workdir().map(Path::to_path_buf);
        if request.worktree && workdir.is_none() {
            return Err(IndexError::new(
                format!("wanted a working tree, found the bare repository {shown}"),
                "leave out --worktree to read its HEAD",
            ));
        }
        let commit = match &request.rev {
            None => match repository.head().and_then(|head| head.peel_to_commit()) {
                Ok(commit) => Some(commit.id()),
                Err(error) if is_unborn(&error) => None,
                Err(error) => {
                    let problem = format!("HEAD of {shown} cannot be read: {}", error.message());
                    return Err(IndexError::new(problem, remedy(&repository, "run `git fsck` there")));
                }
            },
            Some(rev) => {
                let object =
                    repository.revparse_single(rev).and_then(|object| object.peel(ObjectType::Commit));
                let commit = object.map_err(|error| {
                    let problem = format!("wanted the commit `{rev}` of {shown}: {}", error.message());
                    IndexError::new(problem, remedy(&repository, "`git log --all` shows what there is"))
                })?;
                Some(commit.id())
            }
        };
        if commit.is_none() && !request.worktree {
            let next = match workdir {
                Some(_) => "commit something, or read the working tree with --worktree",
                None => "name a branch with --rev",
            };
            return Err(IndexError::new(format!("HEAD of {shown} has no commit yet"), next));
        }
        Ok(Place::Git(Git { repository, commit, workdir }))
    }

    /// A directory that is no repository, or one that libgit2 cannot open.
    fn without_git(start: &Path, request: &Request, error: &git2::Error) -> Result<Place, IndexError> {
        let shown = request.path.display();
        let message = error.message();
        let (problem, remedy, readable) = if error.code() == ErrorCode::Owner {
            let trust =
                format!("git config --global --add safe.directory '{}'", worktree_root(start).display());
            (format!("{shown} belongs to another user"), format!("if you trust it, run `{trust}`"), false)
        } else if message.contains("object format") {
            let problem =
                format!("{shown} names its objects by another hash than SHA-1, which is not supported yet");
            (problem, "read its working tree, without authors, with --worktree".to_owned(), true)
        } else if message.contains("unsupported extension") {
            let problem = format!("{shown} uses a format that is not supported yet ({message})");
            (problem, "read its working tree, without authors, with --worktree".to_owned(), true)
        } else if error.code() == ErrorCode::NotFound {
            let remedy =
                "run `git init`, point at a repository, or read the files as they are with --worktree";
            (format!("not a git repository: {shown}"), remedy.to_owned(), true)
        } else {
            let remedy = "run `git fsck` there, or read the files as they are with --worktree";
            (format!("the repository {shown} cannot be opened: {message}"), remedy.to_owned(), true)
        };
        if !(readable && request.worktree && request.rev.is_none()) {
            return Err(IndexError::new(problem, remedy));
        }
        let is_repository = error.code() != ErrorCode::NotFound;
        let root = if is_repository { worktree_root(start) } else { start.to_path_buf() };
        let warning = is_repository.then(|| format!("{problem}; its authors are not known"));
        Ok(Place::Plain { root, warning })
    }

    /// The root: the working tree, or the repository's own directory where it is bare.
    pub(crate) fn root(&self) -> PathBuf {
        match self {
            Place::Git(git) => git.workdir.clone().unwrap_or_else(|| git.repository.path().to_path_buf()),
            Place::Plain { root, .. } => root.clone(),
        }
    }

    /// The repository, where there is one.
    pub(crate) fn git(&self) -> Option<&Git> {
        match self {
            Place::Git(git) => Some(git),
            Place::Plain { .. } => None,
        }
    }

    /// The directory's or the repository's own name, where nothing says another.
    fn own_name(&self) -> Option<String> {
        let path = match self {
            // A linked worktree shares the name of the repository it is linked to.
            Place::Git(git) => git.repository.commondir(),
            Place::Plain { root, .. } => root,
        };
        let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let path = if path.file_name().is_some_and(|name| name == ".git") { path.parent()? } else { &path };
        let name = path.file_name()?.to_string_lossy();
        remote::name(&name)
    }

    /// The address it was cloned from, as its own configuration has it.
    fn origin(&self) -> Option<String> {
        let Place::Git(git) = self else { return None };
        // Only the repository's own file: a user's rewritten addresses would differ from machine to machine.
        let config = git.repository.config().ok()?.open_level(git2::ConfigLevel::Local).ok()?;
        config.get_string("remote.origin.url").ok().filter(|url| !url.trim().is_empty())
    }

    /// What fingerprints call the repository when `dice.toml` does not say: the last part of `origin`'s
    /// address, else the directory's name.
    pub(crate) fn name(&self) -> String {
        let named = self.origin().and_then(|url| remote::name(&url)).or_else(|| self.own_name());
        named.unwrap_or_else(|| "repository".to_owned())
    }

    /// Where it was cloned from, without credentials.
    pub(crate) fn url(&self) -> Option<String> {
        remote::without_credentials(&self.origin()?)
    }
}

impl Git {
    /// How much of the history is there.
    pub(crate) fn history(&self) -> History {
        if self.commit.is_none() {
            History::None
        } else if self.repository.is_shallow() {
            History::Shallow
        } else if is_partial(&self.repository) {
            History::Partial
        } else {
            History::Full
        }
    }
}

/// Opens a repository once for each thread that needs it at the same time.
pub(crate) struct Handles {
    path: PathBuf,
    idle: Mutex<Vec<git2::Repository>>,
}

impl Handles {
    /// Handles on the repository that `git` opened.
    pub(crate) fn new(git: &Git) -> Handles {
        Handles { path: git.repository.path().to_path_buf(), idle: Mutex::default() }
    }

    /// The content of a blob of at most `limit_bytes`.
    pub(crate) fn blob(&self, blob: Oid, limit_bytes: u64) -> Result<Vec<u8>, Unread> {
        let repository = match self.idle().pop() {
            Some(repository) => repository,
            None => git2::Repository::open(&self.path).map_err(|error| Unread::failed(&error))?,
        };
        let read = blob_of(&repository, blob, limit_bytes);
        self.idle().push(repository);
        read
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<git2::Repository>> {
        // Whoever held the lock only pushed or popped.
        self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The content of a blob of at most `limit_bytes`.
pub(crate) fn blob_of(repository: &git2::Repository, blob: Oid, limit_bytes: u64) -> Result<Vec<u8>, Unread> {
    let odb = repository.odb().map_err(|error| Unread::failed(&error))?;
    // The header tells the size before anything is unpacked.
    let (size, kind) = odb.read_header(blob).map_err(|error| Unread::failed(&error))?;
    if kind != ObjectType::Blob {
        return Err(Unread::Failed(format!("wanted a file's content, found a {kind}")));
    }
    if size as u64 > limit_bytes {
        return Err(Unread::TooLarge(size as u64));
    }
    let object = odb.read(blob).map_err(|error| Unread::failed(&error))?;
    Ok(object.data().to_vec())
}

/// Why a file's content was not read.
#[derive(Debug)]
pub(crate) enum Unread {
    /// It has this many bytes.
    TooLarge(u64),
    /// It cannot be read.
    Failed(String),
}

impl Unread {
    fn failed(error: &git2::Error) -> Unread {
        Unread::Failed(match error.code() {
            ErrorCode::NotFound => {
                "its content is not in the repository; clone it again, without --filter".to_owned()
            }
            _ => format!("its content cannot be read: {}", error.message()),
        })
    }
}

/// What to do about a revision that is not there.
fn remedy(repository: &git2::Repository, otherwise: &str) -> String {
    let shallow = "the clone is shallow: get the rest with `git fetch --unshallow`";
    if repository.is_shallow() { shallow } else { otherwise }.to_owned()
}

fn is_unborn(error: &git2::Error) -> bool {
    matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound)
}

fn is_partial(repository: &git2::Repository) -> bool {
    let Ok(config) = repository.config().and_then(|config| config.open_level(git2::ConfigLevel::Local))
    else {
        return false;
    };
    if config.get_string("extensions.partialclone").is_ok() {
        return true;
    }
    let Ok(mut promisors) = config.entries(Some(r"^remote\..*\.promisor$")) else { return false };
    promisors.next().is_some_and(|entry| entry.is_ok())
}

/// The directory that holds `.git`, at `start` or above.
fn worktree_root(start: &Path) -> PathBuf {
    let start = start.canonicalize().unwrap_or_else(|_| start.to_path_buf());
    start.ancestors().find(|directory| directory.join(".git").exists()).unwrap_or(&start).to_path_buf()
}
