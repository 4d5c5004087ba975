//! Lines on their way through the versions of a file, to the commit that wrote them.

use std::path::Path;
use std::rc::Rc;

use dice_catalog::AuthorMissing;
use git2::{OdbObject, Oid, Repository};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::diff;
use super::likeness;
use super::objects::Objects;
use super::text::Text;
use super::versions::{Fate, VersionId, Versions};

/// What is said of one line.
pub(super) type Answer = Result<Oid, AuthorMissing>;

/// Finds the commit of each row in each root version; `rows` are sorted, the answers are in their order.
///
/// Roots that share history are explained together, all others in parallel, each thread with a repository
/// of its own opened at `gitdir`.
pub(super) fn resolve(
    gitdir: &Path,
    versions: &Versions,
    rows: &[Vec<usize>],
    ignored: &FxHashSet<Oid>,
) -> Vec<Vec<Answer>> {
    let families = families(versions);
    let open = || Repository::open(gitdir).ok();
    let explained: Vec<Vec<(usize, Vec<Answer>)>> = families
        .par_iter()
        .map_init(open, |repository, family| {
            let missing = |root: &usize| (*root, vec![Err(AuthorMissing::MissingObject); rows[*root].len()]);
            match repository.as_ref().and_then(Objects::of) {
                Some(objects) => Family { objects: &objects, versions, ignored }.explain(family, rows),
                None => family.iter().map(missing).collect(),
            }
        })
        .collect();
    let mut answers = vec![Vec::new(); rows.len()];
    for (root, answer) in explained.into_iter().flatten() {
        answers[root] = answer;
    }
    answers
}

/// The roots, those together that share a version.
fn families(versions: &Versions) -> Vec<Vec<usize>> {
    let mut up: Vec<usize> = (0..versions.roots.len()).collect();
    let top = |up: &mut [usize], mut root: usize| {
        while up[root] != root {
            up[root] = up[up[root]];
            root = up[root];
        }
        root
    };
    let mut seen_from: Vec<Option<usize>> = vec![None; versions.all.len()];
    for (root, version) in versions.roots.iter().enumerate() {
        let mut stack = vec![*version];
        while let Some(version) = stack.pop() {
            match seen_from[version.index()] {
                None => {
                    seen_from[version.index()] = Some(root);
                    stack.extend(&versions.all[version.index()].parents);
                }
                Some(other) => {
                    let (one, two) = (top(&mut up, root), top(&mut up, other));
                    up[one.max(two)] = one.min(two);
                }
            }
        }
    }
    let mut families: FxHashMap<usize, Vec<usize>> = FxHashMap::default();
    for root in 0..up.len() {
        families.entry(top(&mut up, root)).or_default().push(root);
    }
    let mut families: Vec<_> = families.into_values().collect();
    families.sort();
    families
}

/// A line that has not found its commit: its row in the version at hand, and whose line it is.
type Open = (usize, u32);

/// Versions that are explained together.
struct Family<'f, 'r> {
    objects: &'f Objects<'r>,
    versions: &'f Versions,
    ignored: &'f FxHashSet<Oid>,
}

impl<'f> Family<'f, '_> {
    fn explain(&self, roots: &[usize], rows: &[Vec<usize>]) -> Vec<(usize, Vec<Answer>)> {
        let mut answers = Vec::new();
        let mut open: FxHashMap<VersionId, Vec<Open>> = FxHashMap::default();
        let mut texts = Texts::default();
        for root in roots {
            let version = self.versions.roots[*root];
            // A row past the end of the file is nobody's.
            let lines =
                texts.of(self.objects, self.versions.all[version.index()].blob).map_or(0, |t| t.lines());
            for row in &rows[*root] {
                if *row < lines {
                    let whose = u32::try_from(answers.len()).expect("fewer lines than memory");
                    open.entry(version).or_default().push((*row, whose));
                }
                answers.push(Err(AuthorMissing::MissingObject));
            }
        }
        for version in self.order(roots) {
            if let Some(lines) = open.remove(&version) {
                self.pass(version, lines, &mut open, &mut texts, &mut answers);
            }
        }
        let mut answers = answers.into_iter();
        roots.iter().map(|root| (*root, answers.by_ref().take(rows[*root].len()).collect())).collect()
    }

    /// The versions that the roots lead to, each before its parents.
    fn order(&self, roots: &[usize]) -> Vec<VersionId> {
        let mut order = Vec::new();
        let mut seen = FxHashSet::default();
        for root in roots {
            let mut stack = vec![(self.versions.roots[*root], 0)];
            if !seen.insert(self.versions.roots[*root]) {
                continue;
            }
            while let Some((version, next)) = stack.last_mut() {
                match self.versions.all[version.index()].parents.get(*next) {
                    Some(parent) => {
                        *next += 1;
                        if seen.insert(*parent) {
                            stack.push((*parent, 0));
                        }
                    }
                    None => {
                        order.push(*version);
                        stack.pop();
                    }
                }
            }
        }
        order.reverse();
        order
    }

    /// Hands a version's lines to its parents and says whose the others are.
    fn pass(
        &self,
        id: VersionId,
        mut lines: Vec<Open>,
        open: &mut FxHashMap<VersionId, Vec<Open>>,
        texts: &mut Texts<'f>,
        answers: &mut [Answer],
    ) {
        let version = &self.versions.all[id.index()];
        lines.sort_unstable();
        let mut fate = version.fate;
        if !version.parents.is_empty() {
            let ignored = self.ignored.contains(&version.commit);
            match self.pass_to_parents(id, lines, open, texts, ignored) {
                Ok(rest) => lines = rest,
                Err(rest) => (lines, fate) = (rest, Fate::Missing),
            }
        }
        let answer = match fate {
            Fate::Written => Ok(version.commit),
            Fate::Shallow => Err(AuthorMissing::ShallowHistory),
            Fate::Missing => Err(AuthorMissing::MissingObject),
        };
        for (_, whose) in lines {
            answers[whose as usize] = answer;
        }
    }

    /// The lines that no parent takes: `Err` when one of them could not be asked.
    fn pass_to_parents(
        &self,
        id: VersionId,
        mut lines: Vec<Open>,
        open: &mut FxHashMap<VersionId, Vec<Open>>,
        texts: &mut Texts<'f>,
        ignored: bool,
    ) -> Result<Vec<Open>, Vec<Open>> {
        let version = &self.versions.all[id.index()];
        let Some(new) = texts.of(self.objects, version.blob) else { return Err(lines) };
        for parent in &version.parents {
            let old = self.versions.all[parent.index()].blob;
            let Some(old) = texts.of(self.objects, old) else { return Err(lines) };
            let rows: Vec<usize> = lines.iter().map(|(row, _)| *row).collect();
            let Some(hunks) = diff::hunks_for(&old, &new, &rows) else { return Err(lines) };
            let mut hunks = hunks.iter().peekable();
            let taken = open.entry(*parent).or_default();
            // What is added before a row, less what is taken away.
            let (mut added, mut removed) = (0, 0);
            lines.retain(|(row, whose)| {
                while let Some(hunk) = hunks.next_if(|hunk| hunk.new.end <= *row) {
                    added += hunk.new.len();
                    removed += hunk.old.len();
                }
                let stays = hunks.peek().is_some_and(|hunk| hunk.new.start <= *row);
                if !stays {
                    taken.push((row + removed - added, *whose));
                }
                stays
            });
            if lines.is_empty() {
                return Ok(lines);
            }
        }
        if ignored {
            for parent in &version.parents {
                let old = self.versions.all[parent.index()].blob;
                let Some(old) = texts.of(self.objects, old) else { return Err(lines) };
                let Some(hunks) = diff::hunks(&old, &new) else { return Err(lines) };
                let rows: Vec<usize> = lines.iter().map(|(row, _)| *row).collect();
                let sources = likeness::sources(&old, &new, &hunks, &rows);
                let taken = open.entry(*parent).or_default();
                let mut rest = Vec::new();
                for ((row, whose), source) in lines.into_iter().zip(sources) {
                    match source {
                        Some(source) => taken.push((source, whose)),
                        None => rest.push((row, whose)),
                    }
                }
                lines = rest;
            }
        }
        Ok(lines)
    }
}

/// The texts that were read last: a version is compared with its parents, then they with theirs.
#[derive(Default)]
struct Texts<'o> {
    kept: Vec<(Oid, Rc<Text<Content<'o>>>)>,
}

/// How many texts are kept.
const TEXTS_LIMIT: usize = 6;

impl<'o> Texts<'o> {
    /// A file's content, or `None` when it is not there.
    fn of<'r: 'o>(&mut self, objects: &'o Objects<'r>, blob: Oid) -> Option<Rc<Text<Content<'o>>>> {
        if let Some(at) = self.kept.iter().position(|(oid, _)| *oid == blob) {
            let known = self.kept.remove(at);
            self.kept.push(known);
        } else {
            let text = Rc::new(Text::new(Content(objects.blob(blob)?))?);
            if self.kept.len() == TEXTS_LIMIT {
                self.kept.remove(0);
            }
            self.kept.push((blob, text));
        }
        self.kept.last().map(|(_, text)| Rc::clone(text))
    }
}

/// A blob as it was read.
struct Content<'o>(OdbObject<'o>);

impl AsRef<[u8]> for Content<'_> {
    fn as_ref(&self) -> &[u8] {
        self.0.data()
    }
}
