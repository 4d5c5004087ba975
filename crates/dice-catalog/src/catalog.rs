//! The file between `index` and `route`: JSON Lines, a header first, then an entry a line.

use std::fmt;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Entry;

/// The version of the file format that this crate writes.
pub const VERSION: u32 = 1;

/// Every log statement of one or more repositories.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Catalog {
    /// What wrote it: `dice 0.1.0`.
    pub tool: String,
    /// The repositories, in the order they were given.
    pub repos: Vec<Repo>,
    /// The statements, sorted by repository, file, line, column.
    pub entries: Vec<Entry>,
    /// Fields of newer tools in the header, kept as they are.
    pub extra: Map<String, Value>,
}

/// A repository as it was indexed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repo {
    /// The name that fingerprints use.
    pub name: String,
    /// The commit's full hexadecimal id; `None` for a repository without a commit.
    pub commit: Option<String>,
    /// How much of the history was there.
    pub history: History,
    /// Where it was cloned from, without credentials.
    #[serde(default)]
    pub url: Option<String>,
    /// Whether the files of the working tree were read instead of the commit's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub worktree: bool,
    /// Who answers when too many owners share a message: `[owners] fallback`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
    /// Fields of newer tools, kept as they are.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// How much of a repository's history was there to be asked for authors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum History {
    /// All of it.
    Full,
    /// A shallow clone.
    Shallow,
    /// A clone without some objects.
    Partial,
    /// None: no commit, or not asked.
    None,
}

#[derive(Serialize, Deserialize)]
struct Header {
    dice_catalog: u32,
    #[serde(default)]
    tool: String,
    #[serde(default)]
    repos: Vec<Repo>,
    /// How many entries follow, so that a file that lost its end is told from a short one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    statements: Option<usize>,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

/// Enough of a header to tell a newer catalog from a broken one.
#[derive(Deserialize)]
struct AnyHeader {
    dice_catalog: u32,
}

impl Catalog {
    /// Reads the text of a catalog file.
    ///
    /// # Errors
    ///
    /// When the text is not a catalog, is cut off in the middle of a line, or was written in a newer
    /// format. The message names the line.
    pub fn parse(text: &[u8]) -> Result<Catalog, CatalogError> {
        let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
        let mut lines = text.split(|&byte| byte == b'\n').enumerate();
        let first = lines.next().map_or(&[][..], |(_, line)| line);
        let version = serde_json::from_slice::<AnyHeader>(first)
            .map_err(|source| CatalogError { line: 1, kind: CatalogErrorKind::NotACatalog(source) })?
            .dice_catalog;
        if version == 0 || version > VERSION {
            return Err(CatalogError { line: 1, kind: CatalogErrorKind::Version(version) });
        }
        let broken = |line| move |source| CatalogError { line, kind: CatalogErrorKind::Broken(source) };
        let header: Header = serde_json::from_slice(first).map_err(broken(1))?;
        let mut entries = Vec::new();
        for (row, line) in lines {
            if line.trim_ascii().is_empty() {
                continue;
            }
            entries.push(serde_json::from_slice(line).map_err(broken(row + 1))?);
        }
        if let Some(wanted) = header.statements
            && entries.len() < wanted
        {
            let kind = CatalogErrorKind::CutOff { wanted, found: entries.len() };
            return Err(CatalogError { line: entries.len() + 1, kind });
        }
        Ok(Catalog { tool: header.tool, repos: header.repos, entries, extra: header.extra })
    }

    /// Writes the catalog's file to `out`.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write(&self, mut out: impl Write) -> io::Result<()> {
        let header = Header {
            dice_catalog: VERSION,
            tool: self.tool.clone(),
            repos: self.repos.clone(),
            statements: Some(self.entries.len()),
            extra: self.extra.clone(),
        };
        serde_json::to_writer(&mut out, &header)?;
        out.write_all(b"\n")?;
        for entry in &self.entries {
            serde_json::to_writer(&mut out, entry)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }
}

/// Why a text is not a catalog.
#[derive(Debug)]
pub struct CatalogError {
    line: usize,
    kind: CatalogErrorKind,
}

#[derive(Debug)]
enum CatalogErrorKind {
    NotACatalog(serde_json::Error),
    Version(u32),
    Broken(serde_json::Error),
    CutOff { wanted: usize, found: usize },
}

impl CatalogError {
    /// Whether the catalog was written by a newer Dice.
    pub fn is_newer(&self) -> bool {
        matches!(self.kind, CatalogErrorKind::Version(version) if version > VERSION)
    }
}

impl fmt::Display for CatalogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            CatalogErrorKind::NotACatalog(_) => {
                write!(
                    f,
                    "wanted a catalog, which starts with {{\"dice_catalog\": {VERSION}, …}}, found something else"
                )
            }
            CatalogErrorKind::Version(found) => {
                write!(f, "wanted a catalog of version 1 to {VERSION}, found version {found}")
            }
            CatalogErrorKind::CutOff { wanted, found } => {
                write!(f, "wanted {wanted} statements, as the catalog's first line says, found {found}")
            }
            CatalogErrorKind::Broken(_) => {
                write!(f, "line {} of the catalog is broken or cut off", self.line)
            }
        }
    }
}

impl std::error::Error for CatalogError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            CatalogErrorKind::NotACatalog(source) | CatalogErrorKind::Broken(source) => Some(source),
            CatalogErrorKind::Version(_) | CatalogErrorKind::CutOff { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Catalog, VERSION};

    const HEADER: &str = r#"{"dice_catalog":1,"tool":"dice 0.1.0","repos":[{"name":"r","commit":"c0","history":"full","url":null,"mood":"fair"}],"statements":1,"later":1}"#;
    const ENTRY: &str = r##"{"fingerprint":"00112233445566778899aabbccddeeff","repo":"r","file":"a.c","line":3,"column":5,"end_line":4,"function":"f","target":null,"language":"c","kind":"log","callee":"log_it","level":"notice","template":[{"text":"x "},{"hole":"int"}],"prefix":[],"suffix":[],"max":1023,"annotations":["#ops"],"author":{"name":"A","email":"a@b.c","commit":"c0","time":"2026-11-20T00:00:00Z"},"owners":[{"kind":"channel","name":"#ops","why":"annotation"}],"unheard_of":[1,2]}"##;

    #[test]
    fn what_is_read_is_written_again_unknown_fields_included() {
        let text = format!("{HEADER}\n{ENTRY}\n");
        let catalog = Catalog::parse(text.as_bytes()).unwrap();
        let mut out = Vec::new();
        catalog.write(&mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), text);
    }

    #[track_caller]
    fn check_error(text: &str, message: &str) {
        assert_eq!(Catalog::parse(text.as_bytes()).unwrap_err().to_string(), message);
    }

    #[test]
    fn errors_say_what_was_wanted() {
        let not = "wanted a catalog, which starts with {\"dice_catalog\": 1, …}, found something else";
        check_error("", not);
        check_error("hello", not);
        check_error("{\"dice_catalog\":9}", "wanted a catalog of version 1 to 1, found version 9");
        check_error(HEADER, "wanted 1 statements, as the catalog's first line says, found 0");
        check_error(&format!("{HEADER}\n{}", &ENTRY[..80]), "line 2 of the catalog is broken or cut off");
    }

    #[test]
    fn a_newer_version_is_told_apart() {
        let newer = format!("{{\"dice_catalog\":{}}}", VERSION + 1);
        assert!(Catalog::parse(newer.as_bytes()).unwrap_err().is_newer());
    }
}
