//! What a repository's own files say about authors and owners.

use git2::Oid;

use crate::codeowners::{Codeowners, LOCATIONS};
use crate::files::Tree;
use crate::ignore_revs;
use crate::mailmap::Mailmap;
use crate::repository::Git;

/// What a repository's own files say about authors and owners.
pub(crate) struct Said {
    /// `.mailmap`.
    pub(crate) mailmap: Mailmap,
    /// CODEOWNERS, the first of its places.
    pub(crate) codeowners: Codeowners,
    /// Commits to look through.
    pub(crate) ignore_revs: Vec<Oid>,
}

impl Said {
    /// Reads the files; what is not understood becomes a warning.
    pub(crate) fn read(tree: &Tree, git: Option<&Git>, warnings: &mut Vec<String>) -> Said {
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
