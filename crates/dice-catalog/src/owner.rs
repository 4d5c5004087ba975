//! Who answers for a message.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Who answers for a message, and why Dice thinks so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Owner {
    /// What `name` names.
    pub kind: OwnerKind,
    /// `#channel`, `@handle`, `a@b.c` or `@org/team`.
    pub name: String,
    /// The rule that decided.
    pub why: Why,
}

impl Owner {
    /// The owner that `name` means, its kind told from its spelling: `#…` is a channel, `@org/team` a team,
    /// anything else a person.
    pub fn named(name: &str, why: Why) -> Owner {
        let kind = match name.as_bytes() {
            [b'#', ..] => OwnerKind::Channel,
            [b'@', rest @ ..] if rest.contains(&b'/') => OwnerKind::Team,
            _ => OwnerKind::Person,
        };
        Owner { kind, name: name.to_owned(), why }
    }
}

/// What sort of owner a name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OwnerKind {
    /// `#name`.
    Channel,
    /// `@handle` or an e-mail address.
    Person,
    /// `@org/team`.
    Team,
}

/// The rule that made somebody an owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// A person said so: "not me", `dice assign`.
    Override,
    /// The comment that follows the statement.
    Annotation,
    /// `git blame` of the statement's line.
    Author,
    /// `[owners]` in `dice.toml`.
    Owners,
    /// The repository's CODEOWNERS file.
    Codeowners,
    /// Nobody else was found.
    Fallback,
}

impl Why {
    /// The word used in files and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Why::Override => "override",
            Why::Annotation => "annotation",
            Why::Author => "author",
            Why::Owners => "owners",
            Why::Codeowners => "codeowners",
            Why::Fallback => "fallback",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::{Owner, OwnerKind, Why};

    #[test]
    fn the_spelling_tells_the_kind() {
        let kind = |name| Owner::named(name, Why::Annotation).kind;
        assert_eq!(kind("#ops"), OwnerKind::Channel);
        assert_eq!(kind("@elmore"), OwnerKind::Person);
        assert_eq!(kind("pig@pen.mssn"), OwnerKind::Person);
        assert_eq!(kind("@org/team"), OwnerKind::Team);
    }
}
