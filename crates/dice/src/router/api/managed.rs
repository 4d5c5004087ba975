//! The configuration that the API manages: its versions in the state, and what a change of it would mean.

use std::path::Path;

use anyhow::Result;
use dice_config::{Definition, DefinitionKind, Given, Loaded, MANAGED};
use dice_route::book::{Delta, Table};
use dice_serve::Fault;
use dice_serve::managed::{Change, ChangeRefused, Changed, Document, Effect, Kind, Version, Versions};
use dice_store::Store;

use crate::router::plan::{self, Known};

/// What rows of notes begin with that hold a version each.
const NOTE: &str = "service managed ";

/// The versions as the state keeps them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Managed {
    versions: Versions,
}

/// What a change came to: the answer, what takes effect where anything does, and the rows to be written.
pub(crate) type Done = (Changed, Option<Loaded>, Vec<Delta>);

impl Managed {
    /// What is in `store`.
    pub(crate) fn of(store: &Store) -> Result<Managed> {
        let mut versions: Vec<Version> = Vec::new();
        store.entries(Table::Notes, |note| {
            if !note.id.starts_with(NOTE) {
                return;
            }
            match serde_json::from_str(&note.body) {
                Ok(version) => versions.push(version),
                Err(error) => tracing::error!("a version of the managed configuration, {}: {error}", note.id),
            }
        })?;
        Ok(Managed { versions: Versions::restore(versions) })
    }

    /// The document that holds, as TOML.
    pub(crate) fn text(&self) -> String {
        self.versions.current().text
    }

    /// The version that holds, and all that are kept.
    pub(crate) fn all(&self) -> (Version, Vec<Version>) {
        (self.versions.current(), self.versions.iter().cloned().collect())
    }

    /// Does a change of what is in force: `file` is the configuration, `known` its catalogs, `now` what holds.
    pub(crate) fn change(
        &mut self,
        change: &Change,
        (file, known, now): (&Path, &Known, &Loaded),
    ) -> Result<Done, ChangeRefused> {
        let before = self.versions.current().number;
        let mut next = None;
        let (changed, gone) = self.versions.change(change, &mut |document| {
            let loaded = read(file, known, now, document)?;
            let effect = effect(now, &loaded);
            next = Some(loaded);
            Ok(effect)
        })?;
        let mut rows = Vec::new();
        if changed.version.number > before {
            rows.push(Delta::Put {
                table: Table::Notes,
                id: row(changed.version.number),
                body: serde_json::to_string(&changed.version).expect("a version is texts and numbers"),
            });
            rows.extend(
                gone.into_iter().map(|number| Delta::Delete { table: Table::Notes, id: row(number) }),
            );
        }
        Ok((changed, next, rows))
    }
}

fn row(number: u64) -> String {
    format!("{NOTE}{number:010}")
}

/// The configuration that the files and `document` are together.
fn read(file: &Path, known: &Known, now: &Loaded, document: &Document) -> Result<Loaded, ChangeRefused> {
    for known in now.definitions.iter().filter(|known| known.file != MANAGED) {
        let kind = match known.kind {
            DefinitionKind::Rule => Kind::Rule,
            DefinitionKind::Route => Kind::Route,
        };
        if document.get(kind, &known.id).is_some() {
            return Err(ChangeRefused::InFile { file: known.file.clone(), line: known.line });
        }
    }
    let given =
        Given { messages: known.messages.clone(), formats: plan::formats(), managed: document.text() };
    match plan::load(file, &given) {
        Ok(Ok(loaded)) => Ok(loaded),
        Ok(Err(problems)) => Err(ChangeRefused::Wrong(problems.iter().map(fault).collect())),
        Err(error) => {
            Err(ChangeRefused::Wrong(vec![Fault { text: format!("{error:#}"), ..Fault::default() }]))
        }
    }
}

/// A problem as the API tells it. Of the managed document only the key has a meaning for the caller.
pub(super) fn fault(problem: &dice_config::Problem) -> Fault {
    let at = match (problem.file.as_str(), problem.line) {
        (MANAGED, _) => problem.key.clone(),
        (file, 0) => file.to_owned(),
        (file, line) => format!("{file}:{line}:{}", problem.column),
    };
    let text = match problem.file.as_str() {
        MANAGED | "" => problem.text.clone(),
        _ if problem.key.is_empty() => problem.text.clone(),
        _ => format!("{}: {}", problem.key, problem.text),
    };
    Fault { at, text, next: problem.hint.clone() }
}

/// What is different in `next`, in sentences, and what is strange about it.
fn effect(now: &Loaded, next: &Loaded) -> Effect {
    let mut differences = Vec::new();
    let is_same = |a: &Definition, b: &Definition| a.kind == b.kind && a.id == b.id;
    let revision = |loaded: &Loaded, id: &str| {
        loaded.router.rules.iter().find(|rule| &*rule.id == id).map(|rule| rule.semantic_rev)
    };
    for new in &next.definitions {
        let old = now.definitions.iter().find(|old| is_same(old, new));
        let (id, is_rule) = (&new.id, new.kind == DefinitionKind::Rule);
        differences.extend(match old {
            None if is_rule => Some(format!("rule {id} is new")),
            None => Some(format!("route {id} is new")),
            Some(old) if old.body == new.body => None,
            Some(_) if !is_rule => Some(format!("route {id} is another; its groups go on")),
            Some(_) if revision(now, id) == revision(next, id) => {
                Some(format!("rule {id} means the same and keeps what it knows"))
            }
            Some(_) => Some(format!("rule {id} means something else: it begins anew, its open episodes end")),
        });
    }
    for old in &now.definitions {
        if !next.definitions.iter().any(|new| is_same(old, new)) {
            differences.push(match old.kind {
                DefinitionKind::Rule => format!("rule {} is gone, its open episodes end", old.id),
                DefinitionKind::Route => format!("route {} is gone", old.id),
            });
        }
    }
    Effect { differences, warnings: next.warnings.iter().map(fault).collect() }
}
