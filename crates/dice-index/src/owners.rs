//! Who answers for a statement: annotation, author, path rules, CODEOWNERS, fallback.

use std::collections::BTreeMap;

use dice_catalog::{Author, Owner, Why};
use git2::Sort;
use rustc_hash::FxHashSet;

use crate::authors::{self, Snapshot};
use crate::codeowners::Codeowners;
use crate::config::{Config, Names, OwnersRule};
use crate::pattern::{Below, Patterns, PatternsBuilder};
use crate::repository::Git;

/// Commits beyond the last recent one that are still looked at: clocks of committers differ.
const SLOP: usize = 64;

/// The rules of one repository.
#[derive(Debug)]
pub(crate) struct Owners<'a> {
    config: &'a Config,
    codeowners: Codeowners,
    /// `[owners] paths`: the patterns, shortest first, and their owners.
    paths: Patterns,
    names: Vec<&'a Names>,
    /// Who committed lately; `None` when nobody counts as gone for not committing.
    active: Option<Active>,
}

impl<'a> Owners<'a> {
    /// The rules that `config` and `codeowners` give.
    pub(crate) fn new(config: &'a Config, codeowners: Codeowners, active: Option<Active>) -> Owners<'a> {
        let mut paths: Vec<(&String, &Names)> = config.owners.paths.iter().collect();
        paths.sort_by_key(|(pattern, _)| (pattern.len(), pattern.as_str()));
        let mut builder = PatternsBuilder::default();
        let mut names = Vec::new();
        for (pattern, owners) in paths {
            // The configuration's reader has complained about broken ones.
            if builder.add(names.len(), "", pattern, Below::Everything).is_ok() {
                names.push(owners);
            }
        }
        Owners { config, codeowners, paths: builder.build().unwrap_or_default(), names, active }
    }

    /// Who answers for a statement of the file at `path`; `authors` are the candidates, best first. The
    /// first rule that names anybody decides; empty when none does.
    pub(crate) fn of(&self, path: &str, annotations: &[String], authors: &[&Author]) -> Vec<Owner> {
        for rule in &self.config.owners.order {
            let (names, why): (Vec<&str>, Why) = match rule {
                OwnersRule::Annotation => (annotations.iter().map(String::as_str).collect(), Why::Annotation),
                OwnersRule::Author => {
                    let answers = authors.iter().find(|author| self.answers(author));
                    (answers.map(|author| author.email.as_str()).into_iter().collect(), Why::Author)
                }
                OwnersRule::Owners => {
                    let names = self.paths.last(path).map(|pattern| self.names[pattern]);
                    (names.map_or_else(Vec::new, Names::list), Why::Owners)
                }
                OwnersRule::Codeowners => (self.codeowners.owners(path), Why::Codeowners),
            };
            if !names.is_empty() {
                return owners(&names, why);
            }
        }
        let fallback = self.config.owners.fallback.iter().map(|name| Owner::named(name, Why::Fallback));
        fallback.collect()
    }

    /// Whether messages can go to `author`: a person with an address who is still there.
    fn answers(&self, author: &Author) -> bool {
        let Author { name, email, .. } = author;
        let handle = handle(&self.config.people, email);
        let is = |pattern: &String| {
            [Some(email.as_str()), Some(name.as_str()), handle]
                .into_iter()
                .flatten()
                .any(|text| fits(pattern, text))
        };
        !email.is_empty()
            && !self.config.owners.bots.iter().any(is)
            && !self.config.owners.left.iter().any(is)
            && self.active.as_ref().is_none_or(|active| active.contains(email, handle))
    }

    /// Whether an annotation names a person of whom `[people]` does not know.
    pub(crate) fn is_unknown(&self, annotation: &str) -> bool {
        let people = &self.config.people;
        let is_handle = annotation.starts_with('@') && !annotation.contains('/');
        let is_email = !annotation.starts_with(['@', '#']);
        let same = |known: &String| known.eq_ignore_ascii_case(annotation);
        !people.is_empty()
            && (is_handle && !people.values().any(same) || is_email && !people.keys().any(same))
    }
}

impl Names {
    fn list(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }
}

fn owners(names: &[&str], why: Why) -> Vec<Owner> {
    let mut owners: Vec<Owner> = Vec::new();
    for name in names {
        let owner = Owner::named(name, why);
        if !owners.contains(&owner) {
            owners.push(owner);
        }
    }
    owners
}

fn handle<'p>(people: &'p BTreeMap<String, String>, email: &str) -> Option<&'p str> {
    let exact = people.get(email);
    let found = exact.or_else(|| Some(people.iter().find(|(known, _)| known.eq_ignore_ascii_case(email))?.1));
    found.map(String::as_str)
}

/// Whether `text` fits `pattern`, where `*` stands for any text; upper and lower case are the same. Brackets
/// mean themselves: addresses of bots have them.
fn fits(pattern: &str, text: &str) -> bool {
    let pattern = pattern.to_lowercase();
    let text = text.to_lowercase();
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut rest) = text.strip_prefix(head) else { return false };
    let mut pieces: Vec<&str> = tail.split('*').collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Who committed lately.
#[derive(Debug, Default)]
pub(crate) struct Active {
    emails: FxHashSet<String>,
    handles: FxHashSet<String>,
}

impl Active {
    /// Authors of the `days` days before the commit that is read.
    pub(crate) fn new(
        git: &Git,
        snapshot: Snapshot,
        days: u32,
        people: &BTreeMap<String, String>,
    ) -> Result<Active, git2::Error> {
        let mut active = Active::default();
        let Some(head) = git.commit else { return Ok(active) };
        let newest = git.repository.find_commit(head)?.time().seconds();
        let since = newest.saturating_sub(i64::from(days) * 24 * 60 * 60);
        let mut walk = git.repository.revwalk()?;
        walk.set_sorting(Sort::TIME)?;
        walk.push(head)?;
        let (mut recent, mut old) = (Vec::new(), 0);
        for id in walk {
            // The history of a shallow clone ends somewhere.
            let Ok(commit) = id.and_then(|id| git.repository.find_commit(id)) else { break };
            if commit.time().seconds() >= since {
                recent.push(commit.id());
                old = 0;
            } else {
                old += 1;
            }
            if old > SLOP {
                break;
            }
        }
        for author in authors::identities(&git.repository, snapshot, &recent).into_values() {
            if let Some(handle) = handle(people, &author.email) {
                active.handles.insert(handle.to_lowercase());
            }
            active.emails.insert(author.email.to_lowercase());
        }
        Ok(active)
    }

    fn contains(&self, email: &str, handle: Option<&str>) -> bool {
        self.emails.contains(&email.to_lowercase())
            || handle.is_some_and(|handle| self.handles.contains(&handle.to_lowercase()))
    }
}

#[cfg(test)]
mod tests {
    use dice_catalog::Author;

    use super::{Owners, fits};
    use crate::Config;
    use crate::codeowners::Codeowners;

    const CONFIG: &str = r##"
        [owners]
        fallback = "#triage"
        bots = ["builder@*"]
        left = ["gone@corp.example", "@old"]
        paths = { "src/cluster*" = "#cluster", "src/cluster/x.c" = ["@a", "@org/x"] }
        [people]
        "pig@pen.mssn" = "@pig"
        "elder@corp.example" = "@old"
    "##;
    const CODEOWNERS: &[u8] = b"/src/ @org/src\n/src/free/\n";

    fn author(email: &str) -> Author {
        Author { name: "N".into(), email: email.into(), commit: "c0".into(), time: "t".into() }
    }

    #[track_caller]
    fn check(config: &str, path: &str, annotations: &[&str], authors: &[&str], want: &str) {
        let config = Config::parse(config).unwrap();
        let owners = Owners::new(&config, Codeowners::parse(CODEOWNERS).0, None);
        let annotations: Vec<String> = annotations.iter().map(|&text| text.to_owned()).collect();
        let authors: Vec<Author> = authors.iter().map(|email| author(email)).collect();
        let owners = owners.of(path, &annotations, &authors.iter().collect::<Vec<_>>());
        let shown: Vec<String> = owners.iter().map(|owner| format!("{} {}", owner.name, owner.why)).collect();
        assert_eq!(shown.join(", "), want);
    }

    #[test]
    fn the_first_rule_that_names_anybody_decides() {
        let both = ["#ops", "@pig", "#ops"];
        check(CONFIG, "src/a.c", &both, &["pig@pen.mssn"], "#ops annotation, @pig annotation");
        check(CONFIG, "src/a.c", &[], &["pig@pen.mssn"], "pig@pen.mssn author");
        check(CONFIG, "src/cluster.c", &[], &["gone@corp.example"], "#cluster owners");
        check(CONFIG, "src/cluster/y/x.c", &[], &[], "#cluster owners");
        check(CONFIG, "src/cluster/x.c", &[], &[], "@a owners, @org/x owners");
        check(CONFIG, "src/a.c", &[], &["dep[bot]@users.noreply.example"], "@org/src codeowners");
        check(CONFIG, "src/a.c", &[], &["builder@corp.example"], "@org/src codeowners");
        check(CONFIG, "src/a.c", &[], &[""], "@org/src codeowners");
        check(CONFIG, "src/free/a.c", &[], &[], "#triage fallback");
        check(CONFIG, "a.c", &[], &["ELDER@corp.example"], "#triage fallback");
        check("", "a.c", &[], &[], "");
    }

    #[test]
    fn the_second_candidate_answers_where_the_first_cannot() {
        check(CONFIG, "a.c", &[], &["gone@corp.example", "pig@pen.mssn"], "pig@pen.mssn author");
    }

    #[test]
    fn the_order_is_a_setting() {
        let config = CONFIG.replace("[owners]", "[owners]\norder = ['codeowners', 'author']");
        check(&config, "src/a.c", &["#ops"], &["pig@pen.mssn"], "@org/src codeowners");
        check(&config, "src/free/a.c", &["#ops"], &["pig@pen.mssn"], "pig@pen.mssn author");
        check(&config, "src/cluster.c", &[], &[], "@org/src codeowners");
    }

    #[test]
    fn people_that_nobody_knows() {
        let config = Config::parse(CONFIG).unwrap();
        let owners = Owners::new(&config, Codeowners::default(), None);
        let unknown: Vec<&str> =
            ["@pig", "@PIG", "@hog", "pig@pen.mssn", "hog@pen.mssn", "#ops", "@org/team"]
                .into_iter()
                .filter(|name| owners.is_unknown(name))
                .collect();
        assert_eq!(unknown, ["@hog", "hog@pen.mssn"]);
        let nobody = Config::default();
        assert!(!Owners::new(&nobody, Codeowners::default(), None).is_unknown("@hog"));
    }

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text) in
            [("*", ""), ("a*c", "aBc"), ("*[bot]@*", "x[bot]@y"), ("a*b*c", "a.b.b.c"), ("a", "A")]
        {
            assert!(fits(pattern, text), "{pattern} should fit {text}");
        }
        for (pattern, text) in [("a*a", "a"), ("a", "ab"), ("*b", "a"), ("a*b*c", "a.c")] {
            assert!(!fits(pattern, text), "{pattern} should not fit {text}");
        }
    }
}
