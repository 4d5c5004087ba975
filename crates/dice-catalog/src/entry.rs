//! A statement in the catalog.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Fingerprint, Kind, Level, LineNo, Owner, Part, Template};

/// A logging call as its source text tells it.
///
/// Alternatives of one call (a conditional literal, `#if` branches) are several statements at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The line where the call starts; for a use of a wrapper macro, the use.
    pub line: LineNo,
    /// The column where the call starts, in bytes, counted from 1.
    pub column: u32,
    /// The line where the call ends.
    pub end_line: LineNo,
    /// The line of the format string, where it is not `line`.
    pub format_line: Option<LineNo>,
    /// The enclosing function.
    pub function: Option<String>,
    /// The logger's target or module path, as log lines show it.
    pub target: Option<String>,
    /// What sort of text it prints.
    pub kind: Kind,
    /// The function or macro that is called, as written in the source.
    pub callee: String,
    /// How serious it is; `None` when the source does not tell.
    pub level: Option<Level>,
    /// What it prints.
    pub template: Template,
    /// What the callee puts before the template.
    pub prefix: Vec<Part>,
    /// What the callee puts after the template.
    pub suffix: Vec<Part>,
    /// Names of the structured fields that are printed beside the message, in order.
    pub fields: Vec<String>,
    /// Bytes after which the logger cuts the message.
    pub max: Option<u32>,
    /// The owners named by the comment that follows the call: `#channel`, `@dev`, `a@b.c`.
    pub annotations: Vec<String>,
}

/// Who last wrote a line, says git.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Author {
    /// The name, through `.mailmap`.
    pub name: String,
    /// The e-mail address, through `.mailmap`.
    pub email: String,
    /// The commit's full hexadecimal id.
    pub commit: String,
    /// When the author wrote it, RFC 3339 in UTC.
    pub time: String,
}

/// Why a statement has no author.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuthorMissing {
    /// The line is not committed yet.
    Uncommitted,
    /// The history ends before the commit that wrote the line.
    ShallowHistory,
    /// An object that is needed to tell is not in the repository.
    MissingObject,
    /// Authors were not asked for.
    NotRequested,
}

/// A statement with its place, its author and its owners: one line of a catalog.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The message's lasting name.
    pub fingerprint: Fingerprint,
    /// The repository's name.
    pub repo: String,
    /// The file, relative to the repository's root, with `/`.
    pub file: String,
    /// The language's folder name: `c`, `rust`.
    pub language: String,
    /// What the source text tells.
    pub statement: Statement,
    /// Who last wrote the line where the call starts.
    pub author: Option<Author>,
    /// Why `author` is not known.
    pub author_missing: Option<AuthorMissing>,
    /// The author of the format string's line, where it is another line of the same call and was written
    /// later: the second candidate.
    pub also_author: Option<Author>,
    /// Who answers for the message, most important first.
    pub owners: Vec<Owner>,
    /// Earlier fingerprints of the same message.
    pub was: Vec<Fingerprint>,
    /// Fields of newer tools, kept as they are.
    pub extra: Map<String, Value>,
}

impl Entry {
    /// The order of entries in a catalog: repository, file, line, column, then template.
    pub fn order(&self, other: &Entry) -> std::cmp::Ordering {
        let key = |e: &Entry| (e.statement.line, e.statement.column);
        (self.repo.as_str(), self.file.as_str())
            .cmp(&(other.repo.as_str(), other.file.as_str()))
            .then_with(|| key(self).cmp(&key(other)))
            .then_with(|| self.statement.template.cmp(&other.statement.template))
            .then_with(|| self.fingerprint.cmp(&other.fingerprint))
    }
}

/// The line of the file, in the order of its documentation.
#[derive(Serialize)]
struct EntryOut<'a> {
    fingerprint: Fingerprint,
    repo: &'a str,
    file: &'a str,
    line: LineNo,
    column: u32,
    end_line: LineNo,
    #[serde(skip_serializing_if = "Option::is_none")]
    format_line: Option<LineNo>,
    function: Option<&'a str>,
    target: Option<&'a str>,
    language: &'a str,
    kind: Kind,
    callee: &'a str,
    level: Option<Level>,
    template: &'a [Part],
    prefix: &'a [Part],
    suffix: &'a [Part],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    fields: &'a [String],
    max: Option<u32>,
    annotations: &'a [String],
    author: Option<&'a Author>,
    #[serde(skip_serializing_if = "Option::is_none")]
    author_missing: Option<AuthorMissing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    also_author: Option<&'a Author>,
    owners: &'a [Owner],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    was: &'a [Fingerprint],
    #[serde(flatten)]
    extra: &'a Map<String, Value>,
}

#[derive(Deserialize)]
struct EntryIn {
    fingerprint: Fingerprint,
    repo: String,
    file: String,
    line: LineNo,
    #[serde(default = "first_column")]
    column: u32,
    end_line: Option<LineNo>,
    #[serde(default)]
    format_line: Option<LineNo>,
    #[serde(default)]
    function: Option<String>,
    #[serde(default)]
    target: Option<String>,
    language: String,
    kind: Kind,
    callee: String,
    #[serde(default)]
    level: Option<Level>,
    template: Template,
    #[serde(default)]
    prefix: Vec<Part>,
    #[serde(default)]
    suffix: Vec<Part>,
    #[serde(default)]
    fields: Vec<String>,
    #[serde(default)]
    max: Option<u32>,
    #[serde(default)]
    annotations: Vec<String>,
    #[serde(default)]
    author: Option<Author>,
    #[serde(default)]
    author_missing: Option<AuthorMissing>,
    #[serde(default)]
    also_author: Option<Author>,
    #[serde(default)]
    owners: Vec<Owner>,
    #[serde(default)]
    was: Vec<Fingerprint>,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

fn first_column() -> u32 {
    1
}

impl Serialize for Entry {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let s = &self.statement;
        EntryOut {
            fingerprint: self.fingerprint,
            repo: &self.repo,
            file: &self.file,
            line: s.line,
            column: s.column,
            end_line: s.end_line,
            format_line: s.format_line,
            function: s.function.as_deref(),
            target: s.target.as_deref(),
            language: &self.language,
            kind: s.kind,
            callee: &s.callee,
            level: s.level,
            template: s.template.parts(),
            prefix: &s.prefix,
            suffix: &s.suffix,
            fields: &s.fields,
            max: s.max,
            annotations: &s.annotations,
            author: self.author.as_ref(),
            author_missing: self.author_missing,
            also_author: self.also_author.as_ref(),
            owners: &self.owners,
            was: &self.was,
            extra: &self.extra,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Entry, D::Error> {
        let e = EntryIn::deserialize(deserializer)?;
        Ok(Entry {
            fingerprint: e.fingerprint,
            repo: e.repo,
            file: e.file,
            language: e.language,
            statement: Statement {
                line: e.line,
                column: e.column,
                end_line: e.end_line.unwrap_or(e.line),
                format_line: e.format_line,
                function: e.function,
                target: e.target,
                kind: e.kind,
                callee: e.callee,
                level: e.level,
                template: e.template,
                prefix: e.prefix,
                suffix: e.suffix,
                fields: e.fields,
                max: e.max,
                annotations: e.annotations,
            },
            author: e.author,
            author_missing: e.author_missing,
            also_author: e.also_author,
            owners: e.owners,
            was: e.was,
            extra: e.extra,
        })
    }
}
