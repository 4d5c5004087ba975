//! Who wrote each statement, or why that is not known.

use dice_catalog::{Author, AuthorMissing, Entry, History, LineNo};
use git2::Oid;
use rustc_hash::FxHashMap;

use crate::files::File;
use crate::mailmap::Mailmap;
use crate::repository::Git;
use crate::sources::Found;
use crate::{authors, identity};

/// Who wrote the statements of one repository.
#[derive(Default)]
pub(crate) struct Credits {
    blame: authors::Blame,
    people: FxHashMap<Oid, Option<(Author, i64)>>,
    /// Whether there is a history that could know.
    is_asked: bool,
}

impl Credits {
    /// Asks git for the commits of everything found.
    pub(crate) fn ask(
        git: Option<&Git>,
        files: &[File],
        found: &[Found],
        ignore_revs: &[Oid],
        mailmap: &Mailmap,
        warnings: &mut Vec<String>,
    ) -> Credits {
        let Some((git, head)) = git.and_then(|git| Some((git, git.commit?))) else {
            return Credits::default();
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
        let settings = authors::Settings { ignore_revs: ignore_revs.to_vec() };
        let blame = authors::blame(&git.repository, head, &wanted, &settings);
        let mut people = FxHashMap::default();
        let mut unreadable = 0;
        for (path, lines) in &wanted {
            for commit in lines.iter().filter_map(|&line| blame.commit(path, line).ok()) {
                people.entry(commit).or_insert_with(|| {
                    let commit = git.repository.find_commit(commit);
                    unreadable += usize::from(commit.is_err());
                    commit.ok().map(|commit| identity::author(&commit, mailmap))
                });
            }
        }
        if unreadable > 0 {
            warnings.push(format!("{unreadable} commits cannot be read; run `git fsck`"));
        }
        Credits { blame, people, is_asked: true }
    }

    /// Writes down who wrote a statement, or why that is not known.
    pub(crate) fn tell(&self, found: &mut Found, path: &[u8]) {
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

/// Says how many authors are not known, and what to do about it.
pub(crate) fn warn_of_missing(history: History, entries: &[Entry], warnings: &mut Vec<String>) {
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
