//! What is said of a line: the object that `--format json` prints, and what it is made of.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use dice_catalog::{Entry, Fingerprint, Level, Owner, Repo, Why};
use dice_match::{Answer, EntryId, Envelope, Matcher, Strength};
use dice_route::Decided;
use serde::Serialize;

/// The object for a line that a statement has printed. Fields stand in the order of the documentation.
#[derive(Debug, Serialize)]
pub(crate) struct Matched<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    matched: bool,
    strength: &'static str,
    fingerprint: Fingerprint,
    repo: &'a str,
    file: &'a str,
    source_line: u32,
    level: Option<Level>,
    template: Cow<'a, str>,
    values: Vec<Cow<'a, str>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    lossy: bool,
    statements: Vec<Place<'a>>,
    owners: Vec<OwnerOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<&'static str>,
    reason: &'a str,
    time: Option<String>,
    host: Option<&'a str>,
    service: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    continues: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    budget: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
}

/// The object for any other line.
#[derive(Debug, Serialize)]
pub(crate) struct Unmatched<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    matched: bool,
    level: Option<Level>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    weak: Vec<Place<'a>>,
    time: Option<String>,
    host: Option<&'a str>,
    service: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    continues: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    budget: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
}

impl Matched<'_> {
    /// The object without what only the lines of a stream have.
    pub(crate) fn of_no_stream(self) -> Self {
        Matched { line: None, decision: None, ..self }
    }
}

impl Unmatched<'_> {
    /// The object without what only the lines of a stream have.
    pub(crate) fn of_no_stream(self) -> Self {
        Unmatched { line: None, ..self }
    }
}

/// Where a statement stands.
#[derive(Debug, Serialize)]
pub(crate) struct Place<'a> {
    /// Only where it is not the best statement's.
    #[serde(skip_serializing_if = "Option::is_none")]
    repo: Option<&'a str>,
    file: &'a str,
    source_line: u32,
}

#[derive(Debug, Serialize)]
struct OwnerOut<'a> {
    kind: dice_catalog::OwnerKind,
    name: &'a str,
    why: Why,
    decision: &'static str,
}

/// What the catalogs say beyond their statements, and what was decided before.
pub(crate) struct Desk<'m> {
    matcher: &'m Matcher,
    fallbacks: HashMap<String, Owner>,
    decided: HashMap<(Vec<EntryId>, Option<Level>), Rc<Decided>>,
    templates: HashMap<EntryId, String>,
}

/// Decisions that are remembered; past this the memory starts over.
const MAX_DECIDED: usize = 100_000;

impl<'m> Desk<'m> {
    /// `repos` are those of the matcher's catalogs.
    pub(crate) fn new(matcher: &'m Matcher, repos: &[Repo]) -> Desk<'m> {
        let fallbacks = repos.iter().filter_map(|repo| {
            let name = repo.fallback.as_deref()?;
            Some((repo.name.clone(), Owner::named(name, Why::Fallback)))
        });
        let fallbacks = fallbacks.collect();
        Desk { matcher, fallbacks, decided: HashMap::new(), templates: HashMap::new() }
    }

    /// What is decided about a line that `entries` cannot be told apart for. `entries` is not empty.
    fn decide(&mut self, entries: &[EntryId], line_level: Option<Level>) -> (Rc<Decided>, Option<Level>) {
        let best = self.matcher.entry(entries[0]);
        let level = best.statement.level.or(line_level);
        if self.decided.len() >= MAX_DECIDED {
            self.decided.clear();
        }
        let key = (entries.to_vec(), level);
        let matcher = self.matcher;
        let fallbacks = &self.fallbacks;
        let decided = self.decided.entry(key).or_insert_with(|| {
            let owners = entries.iter().flat_map(|id| &matcher.entry(*id).owners);
            Rc::new(dice_route::decide(best.statement.kind, level, owners, fallbacks.get(&best.repo)))
        });
        (Rc::clone(decided), level)
    }
}

/// A line with what was decided about it: what the objects and the text borrow from.
pub(crate) struct Case<'m, 'l> {
    pub(crate) answer: Answer<'l>,
    pub(crate) level: Option<Level>,
    pub(crate) decided: Option<Rc<Decided>>,
    matcher: &'m Matcher,
}

impl<'m, 'l> Case<'m, 'l> {
    /// Decides about `answer`. Only strong verdicts are decided about.
    pub(crate) fn new(desk: &mut Desk<'m>, answer: Answer<'l>) -> Case<'m, 'l> {
        let line_level = told(&answer).level;
        let is_strong = answer.verdict.strength == Strength::Strong && !answer.verdict.entries.is_empty();
        let (decided, level) = if is_strong {
            let (decided, level) = desk.decide(&answer.verdict.entries, line_level);
            (Some(decided), level)
        } else {
            (None, line_level)
        };
        Case { matcher: desk.matcher, answer, level, decided }
    }

    /// The best statement, where the verdict is strong.
    pub(crate) fn best(&self) -> Option<&'m Entry> {
        self.decided.as_ref()?;
        self.answer.verdict.entries.first().map(|id| self.matcher.entry(*id))
    }

    /// The texts that filled the best statement's holes; true when one of them was not UTF-8.
    pub(crate) fn values(&self) -> (Vec<Cow<'_, str>>, bool) {
        let message = &told(&self.answer).message;
        let mut is_lossy = false;
        let values = self.answer.verdict.values.iter().map(|range| {
            let text = String::from_utf8_lossy(message.get(range.clone()).unwrap_or_default());
            is_lossy |= matches!(text, Cow::Owned(_));
            text
        });
        let values = values.collect();
        (values, is_lossy)
    }

    /// The object for a matched line; `None` for any other.
    pub(crate) fn matched<'a>(&'a self, desk: &'a mut Desk<'m>) -> Option<Matched<'a>> {
        let entry = self.best()?;
        let decided = self.decided.as_ref()?;
        let id = *self.answer.verdict.entries.first()?;
        if desk.templates.len() >= MAX_DECIDED {
            desk.templates.clear();
        }
        let template = desk.templates.entry(id).or_insert_with(|| entry.statement.template.to_string());
        let (values, lossy) = self.values();
        let envelope = told(&self.answer);
        let places = self.answer.verdict.entries.iter().map(|id| self.place(*id, Some(&entry.repo)));
        let owners = decided.owners.iter().map(|each| OwnerOut {
            kind: each.owner.kind,
            name: &each.owner.name,
            why: each.owner.why,
            decision: each.decision.as_str(),
        });
        Some(Matched {
            line: Some(self.answer.line),
            matched: true,
            strength: "strong",
            fingerprint: entry.fingerprint,
            repo: &entry.repo,
            file: &entry.file,
            source_line: entry.statement.line.get(),
            level: self.level,
            template: Cow::Borrowed(template.as_str()),
            values,
            lossy,
            statements: places.collect(),
            owners: owners.collect(),
            decision: Some(decided.decision.as_str()),
            reason: &decided.reason,
            time: envelope.time.map(|time| time.to_string()),
            host: envelope.host.as_deref(),
            service: envelope.service.as_deref(),
            continues: self.answer.continues,
            budget: self.answer.verdict.budget,
            cut: self.answer.cut,
        })
    }

    /// The object for a line that no statement is known to have printed.
    pub(crate) fn unmatched(&self) -> Unmatched<'_> {
        let envelope = told(&self.answer);
        Unmatched {
            line: Some(self.answer.line),
            matched: false,
            level: self.level,
            weak: self.weak().map(|id| self.place(id, None)).collect(),
            time: envelope.time.map(|time| time.to_string()),
            host: envelope.host.as_deref(),
            service: envelope.service.as_deref(),
            continues: self.answer.continues,
            budget: self.answer.verdict.budget,
            cut: self.answer.cut,
        }
    }

    /// Statements that might have printed the line, with too little evidence to say so, best first.
    pub(crate) fn weak(&self) -> impl Iterator<Item = EntryId> + '_ {
        let verdict = &self.answer.verdict;
        let entries = if self.decided.is_some() { &[][..] } else { &verdict.entries };
        entries.iter().chain(&verdict.others).copied()
    }

    fn place<'a>(&'a self, id: EntryId, repo: Option<&str>) -> Place<'a> {
        let entry = self.matcher.entry(id);
        Place {
            repo: (repo != Some(entry.repo.as_str())).then_some(&entry.repo),
            file: &entry.file,
            source_line: entry.statement.line.get(),
        }
    }
}

/// What was told around the message of `answer`: by its first line, when it has several.
fn told<'a>(answer: &'a Answer<'_>) -> &'a Envelope<'a> {
    answer.first.as_deref().unwrap_or(&answer.envelope)
}
