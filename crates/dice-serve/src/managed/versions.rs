//! Which document followed which.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use toml::Table;
use utoipa::ToSchema;

use super::{Document, Kind};
use crate::{Fault, Time};

/// Versions that are kept; older ones go.
const MAX_VERSIONS: usize = 500;

/// A version of the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Version {
    /// Counts from 1; 0 is the empty document that everything begins with.
    pub number: u64,
    /// Names the content.
    pub etag: String,
    /// Who.
    pub actor: String,
    /// When.
    pub at: Time,
    /// Why, in their words.
    pub comment: Option<String>,
    /// What they did, in words.
    pub did: String,
    /// The id of the change, so that its repetition does nothing.
    pub change: String,
    /// The document.
    pub text: String,
}

/// What a change takes for granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Base {
    /// Nothing: whatever there is may be changed.
    Any,
    /// That the content is one of these, by etag.
    OneOf(Vec<String>),
}

/// A change of the document that somebody wants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Names the request, so that its repetition does nothing.
    pub id: String,
    /// Who.
    pub actor: String,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// What it takes for granted.
    pub base: Base,
    /// What is done, in this order, all or nothing.
    pub edits: Vec<Edit>,
    /// Why, in their words.
    pub comment: Option<String>,
}

/// One thing that is done to the document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Edit {
    /// A rule or a route is there, new or in place of the one with that id.
    Put {
        /// Which of the two.
        kind: Kind,
        /// Its id.
        id: String,
        /// What is written, without the id.
        body: Table,
    },
    /// A rule or a route is gone.
    Remove {
        /// Which of the two.
        kind: Kind,
        /// Its id.
        id: String,
    },
    /// The document is again what it was.
    Rollback {
        /// In that version.
        to: u64,
    },
}

/// What a document would bring about, together with the files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effect {
    /// What would be different in the configuration that takes effect, a sentence each.
    pub differences: Vec<String>,
    /// What is strange about it.
    pub warnings: Vec<Fault>,
}

/// What a change has done, or would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Changed {
    /// The version that follows.
    pub version: Version,
    /// What is different in the configuration that takes effect, a sentence each.
    pub differences: Vec<String>,
    /// What is strange about it.
    pub warnings: Vec<Fault>,
    /// Whether it created what it put in.
    pub is_new: bool,
}

/// Why a change is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeRefused {
    /// It was made for another content; this is there.
    Stale {
        /// The etag of the content.
        etag: String,
        /// The number of its version.
        number: u64,
    },
    /// The rule or route is written in a file.
    InFile {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
    },
    /// There is no such rule, route or version.
    Absent,
    /// The result would not be a configuration.
    Wrong(Vec<Fault>),
}

/// All versions that are kept; the last one holds.
#[derive(Debug, Clone, Default)]
pub struct Versions {
    /// Oldest first; empty until something is changed.
    kept: VecDeque<Version>,
}

impl Versions {
    /// The versions as they were kept, in any order.
    pub fn restore(versions: impl IntoIterator<Item = Version>) -> Versions {
        let mut kept: Vec<Version> = versions.into_iter().collect();
        kept.sort_by_key(|version| version.number);
        kept.dedup_by_key(|version| version.number);
        Versions { kept: kept.into() }
    }

    /// The version that holds.
    pub fn current(&self) -> Version {
        self.kept.back().cloned().unwrap_or_else(Version::empty)
    }

    /// The version of that number.
    pub fn get(&self, number: u64) -> Option<Version> {
        match number {
            0 => Some(Version::empty()),
            _ => self.kept.iter().find(|version| version.number == number).cloned(),
        }
    }

    /// All that are kept, oldest first, without the empty one.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Version> {
        self.kept.iter()
    }

    /// Does a change. `check` is asked whether the document is a configuration together with the files, and
    /// says what would be different and what is strange.
    ///
    /// What was done and is asked for again, by its id, is answered as before and not done again. Gives also
    /// the numbers of versions that are no longer kept: their rows may go.
    ///
    /// # Errors
    ///
    /// When it is stale, or one of its edits cannot be done, or `check` says so; nothing has changed then.
    pub fn change(
        &mut self,
        change: &Change,
        check: &mut dyn FnMut(&Document) -> Result<Effect, ChangeRefused>,
    ) -> Result<(Changed, Vec<u64>), ChangeRefused> {
        if let Some(version) = self.kept.iter().rev().find(|version| version.change == change.id) {
            let changed = Changed {
                version: version.clone(),
                differences: Vec::new(),
                warnings: Vec::new(),
                is_new: false,
            };
            return Ok((changed, Vec::new()));
        }
        let current = self.current();
        if let Base::OneOf(etags) = &change.base
            && !etags.contains(&current.etag)
        {
            return Err(ChangeRefused::Stale { etag: current.etag, number: current.number });
        }
        let wrong = |text: String| ChangeRefused::Wrong(vec![Fault { text, ..Fault::default() }]);
        let mut document = Document::parse(&current.text).map_err(wrong)?;
        let mut is_new = false;
        for edit in &change.edits {
            match edit {
                Edit::Put { kind, id, body } => is_new |= !document.put(*kind, id, body.clone()),
                Edit::Remove { kind, id } if document.remove(*kind, id) => {}
                Edit::Remove { .. } => return Err(ChangeRefused::Absent),
                Edit::Rollback { to } => {
                    let then = self.get(*to).ok_or(ChangeRefused::Absent)?;
                    document = Document::parse(&then.text).map_err(wrong)?;
                }
            }
        }
        let Effect { differences, warnings } = check(&document)?;
        let text = document.text();
        let did: Vec<String> = change.edits.iter().map(Edit::words).collect();
        let version = Version {
            number: current.number + 1,
            etag: etag(&text),
            actor: change.actor.clone(),
            at: Time(change.at_ms),
            comment: change.comment.clone(),
            did: did.join(", "),
            change: change.id.clone(),
            text,
        };
        self.kept.push_back(version.clone());
        let mut gone = Vec::new();
        while self.kept.len() > MAX_VERSIONS {
            gone.extend(self.kept.pop_front().map(|version| version.number));
        }
        Ok((Changed { version, differences, warnings, is_new }, gone))
    }
}

impl Edit {
    /// What is done, in words.
    fn words(&self) -> String {
        match self {
            Edit::Put { kind, id, .. } => format!("{} {id} was written", kind.as_str()),
            Edit::Remove { kind, id } => format!("{} {id} was removed", kind.as_str()),
            Edit::Rollback { to } => format!("version {to} was brought back"),
        }
    }
}

impl Version {
    /// The document that everything begins with.
    fn empty() -> Version {
        Version {
            number: 0,
            etag: etag(""),
            actor: String::new(),
            at: Time(0),
            comment: None,
            did: String::new(),
            change: String::new(),
            text: String::new(),
        }
    }
}

/// The name of a content.
fn etag(text: &str) -> String {
    dice_route::name(&[b"managed configuration", text.as_bytes()]).to_string()
}

#[cfg(test)]
mod tests {
    use toml::Table;

    use super::{Base, Change, ChangeRefused, Edit, Effect, MAX_VERSIONS, Versions};
    use crate::managed::{Document, Kind};

    fn put(id: &str, count: i64) -> Edit {
        let body = Table::from_iter([("count".to_owned(), toml::Value::Integer(count))]);
        Edit::Put { kind: Kind::Rule, id: id.to_owned(), body }
    }

    fn change(id: &str, base: Base, edit: Edit) -> Change {
        Change {
            id: id.to_owned(),
            actor: "api:ci".to_owned(),
            at_ms: 1,
            base,
            edits: vec![edit],
            comment: None,
        }
    }

    fn fine(_: &Document) -> Result<Effect, ChangeRefused> {
        Ok(Effect::default())
    }

    #[test]
    fn versions_follow_each_other_and_come_back() {
        let mut versions = Versions::default();
        let first = versions.current();
        assert_eq!((first.number, first.text.as_str()), (0, ""));
        let base = || Base::OneOf(vec![first.etag.clone()]);
        let (one, _) = versions.change(&change("1", base(), put("a", 1)), &mut fine).unwrap();
        assert_eq!((one.version.number, one.is_new), (1, true));
        // The same request again is done already; another one was made for what is no longer there.
        let again = versions.change(&change("1", base(), put("a", 1)), &mut fine).unwrap().0;
        assert_eq!((again.version.number, versions.iter().count()), (1, 1));
        let stale = versions.change(&change("2", base(), put("a", 2)), &mut fine).unwrap_err();
        assert_eq!(stale, ChangeRefused::Stale { etag: one.version.etag, number: 1 });
        let (two, _) = versions.change(&change("3", Base::Any, put("a", 2)), &mut fine).unwrap();
        assert!(!two.is_new);
        let (back, _) =
            versions.change(&change("4", Base::Any, Edit::Rollback { to: 0 }), &mut fine).unwrap();
        assert_eq!((back.version.number, back.version.etag), (3, first.etag.clone()));
        let restored = Versions::restore(versions.iter().rev().cloned().collect::<Vec<_>>());
        assert_eq!(restored.current(), versions.current());
    }

    #[test]
    fn what_cannot_be_done_changes_nothing() {
        let mut versions = Versions::default();
        let remove = Edit::Remove { kind: Kind::Rule, id: "a".to_owned() };
        for edit in [remove, Edit::Rollback { to: 7 }] {
            let refused = versions.change(&change("1", Base::Any, edit), &mut fine);
            assert_eq!(refused.unwrap_err(), ChangeRefused::Absent);
        }
        let wrong = ChangeRefused::Wrong(Vec::new());
        let refused = versions.change(&change("1", Base::Any, put("a", 1)), &mut |_| Err(wrong.clone()));
        assert_eq!(refused.unwrap_err(), wrong);
        assert_eq!(versions.current().number, 0);
    }

    #[test]
    fn versions_have_a_bound() {
        let mut versions = Versions::default();
        let mut gone = Vec::new();
        for n in 0..MAX_VERSIONS + 2 {
            gone.extend(
                versions.change(&change(&n.to_string(), Base::Any, put("a", 1)), &mut fine).unwrap().1,
            );
        }
        assert_eq!(gone, [1, 2]);
        assert_eq!(versions.iter().count(), MAX_VERSIONS);
    }
}
