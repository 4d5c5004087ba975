//! Who wrote each statement, or why that is not known.

use std::collections::HashMap;

use dice_catalog::{Author, AuthorMissing, Entry, History, LineNo};
use git2::Oid;

use crate::authors::{self, Blame, Snapshot, Wanted};
use crate::files::File;
use crate::repository::Git;
use crate::sources::Found;

/// Who wrote the statements of one repository.
#[derive(Default)]
pub(crate) struct Credits {
    blame: Blame,
    people: HashMap<Oid, Author>,
    /// Whether there is a history that could know.
    is_asked: bool,
}

impl Credits {
    /// Asks git for the commits of everything found; what is wrong with the list of commits to look through
    /// becomes a warning.
    pub(crate) fn ask(
        git: Option<&Git>,
        snapshot: Snapshot,
        files: &[File],
        found: &[Found],
        warnings: &mut Vec<String>,
    ) -> Credits {
        let Some((git, head)) = git.and_then(|git| Some((git, git.commit?))) else {
            return Credits::default();
        };
        let mut wanted = Wanted::new();
        for found in found {
            let lines: Vec<LineNo> = found.line.into_iter().chain(found.format_line).collect();
            if !lines.is_empty() {
                wanted.entry(files[found.file].raw.clone()).or_default().extend(lines);
            }
        }
        let (ignore_revs, complaints) = authors::ignore_revs(&git.repository, snapshot);
        warnings.extend(complaints);
        let blame = authors::blame(&git.repository, head, &wanted, &authors::Settings { ignore_revs });
        let people = authors::identities(&git.repository, snapshot, &blame.commits());
        Credits { blame, people, is_asked: true }
    }

    /// Writes down who wrote a statement of the file that git calls `path`, or why that is not known.
    pub(crate) fn tell(&self, found: &mut Found, path: &[u8]) {
        let author = |line: Option<LineNo>| {
            let line = line.filter(|_| self.is_asked).ok_or(AuthorMissing::Uncommitted)?;
            let commit = self.blame.commit(path, line)?;
            self.people.get(&commit).ok_or(AuthorMissing::MissingObject)
        };
        let entry = &mut found.entry;
        match author(found.line) {
            Ok(first) => {
                // Times are in UTC and of one form, so they compare as text.
                if let Some(Ok(second)) = found.format_line.map(|line| author(Some(line)))
                    && second.time > first.time
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
pub(crate) fn missing(history: History, entries: &[Entry]) -> Vec<String> {
    let mut warnings = Vec::new();
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
    warnings
}
