//! Paths with wildcards, and the files that are there for them.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use crate::StartError;

/// Directories that are listed for all patterns of a source at one look.
const FOLDERS_LIMIT: usize = 10_000;

/// Names that are looked at for all patterns of a source at one look.
const NAMES_LIMIT: usize = 1_000_000;

/// An absolute path with wildcards.
///
/// In a name `*` stands for any bytes, `?` for any one, `[a-z]` and `[!a-z]` for one of them or none of them, and
/// `\` takes away the meaning of what follows. A wildcard at the start of a name does not stand for a dot. `**`
/// as a name stands for any directories, or none; links are not followed there.
#[derive(Debug)]
pub(crate) struct Pattern {
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Name(OsString),
    Wild(Vec<Token>),
    AnyFolders,
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Byte(u8),
    Any,
    Star,
    Set { is_not: bool, ranges: Vec<(u8, u8)> },
}

/// What is there for patterns.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Paths in the order of patterns, those of one pattern sorted. A plain one is here whether it exists or not.
    pub(crate) paths: Vec<PathBuf>,
    /// Directories where more may appear.
    pub(crate) folders: BTreeSet<PathBuf>,
    /// There was more than is looked at.
    pub(crate) is_cut: bool,
    n_names: usize,
}

impl Pattern {
    pub(crate) fn new(text: &str) -> Result<Pattern, StartError> {
        if text.is_empty() {
            return Err(StartError::new("wanted the path of a file, found an empty one"));
        }
        let path = std::path::absolute(text).map_err(|error| {
            StartError::new(format!("wanted the directory that {text} lies in")).because(error)
        })?;
        let names = path.components().filter_map(|component| match component {
            Component::Normal(name) => Some(Part::new(name.as_bytes())),
            Component::ParentDir => Some(Some(Part::Name(OsString::from("..")))),
            _ => None,
        });
        let parts: Option<Vec<Part>> = names.collect();
        let unclear =
            || StartError::new(format!("wanted a pattern of paths, found `{text}` with a [ that no ] ends"));
        Ok(Pattern { parts: parts.ok_or_else(unclear)? })
    }

    /// The one path that it stands for, when it has no wildcards.
    pub(crate) fn plain(&self) -> Option<PathBuf> {
        let mut path = PathBuf::from("/");
        for part in &self.parts {
            let Part::Name(name) = part else { return None };
            path.push(name);
        }
        Some(path)
    }

    /// Whether it stands for `path`.
    pub(crate) fn matches(&self, path: &Path) -> bool {
        let names: Vec<&[u8]> = path.components().skip(1).map(|name| name.as_os_str().as_bytes()).collect();
        matches(&self.parts, &names)
    }

    /// Adds what is there.
    pub(crate) fn find(&self, found: &mut Found) {
        let known = found.paths.len();
        walk(Path::new("/"), &self.parts, found);
        found.paths[known..].sort();
    }
}

impl Part {
    fn new(name: &[u8]) -> Option<Part> {
        if name == b"**" {
            return Some(Part::AnyFolders);
        }
        let mut tokens = Vec::new();
        let mut rest = name;
        while let Some((&byte, behind)) = rest.split_first() {
            rest = behind;
            tokens.push(match byte {
                b'*' if tokens.last() == Some(&Token::Star) => continue,
                b'*' => Token::Star,
                b'?' => Token::Any,
                b'[' => set(&mut rest)?,
                b'\\' => match rest.split_first() {
                    Some((&escaped, behind)) => {
                        rest = behind;
                        Token::Byte(escaped)
                    }
                    None => Token::Byte(byte),
                },
                _ => Token::Byte(byte),
            });
        }
        let plain: Option<Vec<u8>> = tokens
            .iter()
            .map(|token| if let Token::Byte(byte) = token { Some(*byte) } else { None })
            .collect();
        Some(plain.map_or(Part::Wild(tokens), |name| Part::Name(OsString::from_vec(name))))
    }
}

/// What stands between brackets; `rest` begins behind the first.
fn set(rest: &mut &[u8]) -> Option<Token> {
    let is_not = matches!(rest.first(), Some(b'!' | b'^'));
    let mut at = usize::from(is_not);
    let mut ranges = Vec::new();
    loop {
        let byte = *rest.get(at)?;
        at += 1;
        // A bracket that comes first is one of the set.
        if byte == b']' && !ranges.is_empty() {
            *rest = &rest[at..];
            return Some(Token::Set { is_not, ranges });
        }
        match (rest.get(at), rest.get(at + 1)) {
            (Some(b'-'), Some(&to)) if to != b']' => {
                ranges.push((byte, to));
                at += 2;
            }
            _ => ranges.push((byte, byte)),
        }
    }
}

impl Token {
    fn is(&self, byte: u8) -> bool {
        match self {
            Token::Byte(wanted) => *wanted == byte,
            Token::Any | Token::Star => true,
            Token::Set { is_not, ranges } => {
                ranges.iter().any(|&(from, to)| (from..=to).contains(&byte)) != *is_not
            }
        }
    }
}

fn matches(parts: &[Part], names: &[&[u8]]) -> bool {
    match (parts.split_first(), names.split_first()) {
        (None, None) => true,
        (Some((Part::AnyFolders, behind)), _) => {
            matches(behind, names) || names.split_first().is_some_and(|(_, names)| matches(parts, names))
        }
        (Some((part, parts)), Some((name, names))) => part.stands_for(name) && matches(parts, names),
        _ => false,
    }
}

impl Part {
    fn stands_for(&self, name: &[u8]) -> bool {
        match self {
            Part::Name(wanted) => wanted.as_bytes() == name,
            Part::Wild(tokens) => is_wild_match(tokens, name),
            Part::AnyFolders => !name.starts_with(b"."),
        }
    }
}

/// Goes back to the last star only, which is enough and takes length times length at most.
fn is_wild_match(tokens: &[Token], name: &[u8]) -> bool {
    if name.starts_with(b".") && tokens.first() != Some(&Token::Byte(b'.')) {
        return false;
    }
    let (mut token, mut at) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while at < name.len() {
        match tokens.get(token) {
            Some(Token::Star) => {
                star = Some((token, at));
                token += 1;
            }
            Some(wanted) if wanted.is(name[at]) => {
                token += 1;
                at += 1;
            }
            _ => {
                let Some((star_token, star_at)) = star else { return false };
                star = Some((star_token, star_at + 1));
                token = star_token + 1;
                at = star_at + 1;
            }
        }
    }
    tokens[token..].iter().all(|token| *token == Token::Star)
}

fn walk(folder: &Path, parts: &[Part], found: &mut Found) {
    let Some((part, behind)) = parts.split_first() else { return };
    if let Part::Name(name) = part {
        let path = folder.join(name);
        if !behind.is_empty() {
            return walk(&path, behind, found);
        }
        found.folders.insert(folder.to_owned());
        found.paths.push(path);
        return;
    }
    if matches!(part, Part::AnyFolders) {
        walk(folder, behind, found);
    }
    if found.folders.len() >= FOLDERS_LIMIT {
        found.is_cut = true;
        return;
    }
    found.folders.insert(folder.to_owned());
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.filter_map(Result::ok) {
        found.n_names += 1;
        if found.n_names > NAMES_LIMIT {
            found.is_cut = true;
            return;
        }
        if !part.stands_for(entry.file_name().as_bytes()) {
            continue;
        }
        match part {
            Part::AnyFolders if entry.file_type().is_ok_and(|kind| kind.is_dir()) => {
                walk(&entry.path(), parts, found);
            }
            Part::AnyFolders => {}
            _ if behind.is_empty() => found.paths.push(entry.path()),
            _ => walk(&entry.path(), behind, found),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{Found, Pattern};

    #[track_caller]
    fn check(pattern: &str, path: &str, expected: bool) {
        assert_eq!(Pattern::new(pattern).unwrap().matches(Path::new(path)), expected, "{pattern} for {path}");
    }

    #[test]
    fn wildcards_stay_in_their_name() {
        check("/var/log/app.log", "/var/log/app.log", true);
        check("/var/log/*.log", "/var/log/app.log", true);
        check("/var/log/*.log", "/var/log/app.log.1", false);
        check("/var/log/*.log", "/var/log/a/app.log", false);
        check("/var/*/a?p.log", "/var/log/app.log", true);
        check("/var/log/*a*b*c", "/var/log/xxaabxbcc", true);
        check("/var/log/*", "/var/log/.hidden", false);
        check("/var/log/.*", "/var/log/.hidden", true);
    }

    #[test]
    fn sets_and_escapes() {
        check("/x/[a-c]1", "/x/b1", true);
        check("/x/[!a-c]1", "/x/b1", false);
        check("/x/[]-]1", "/x/-1", true);
        check("/x/[]-]1", "/x/]1", true);
        check("/x/\\[1\\]", "/x/[1]", true);
        assert!(Pattern::new("/x/[a").is_err());
        assert!(Pattern::new("").is_err());
    }

    #[test]
    fn two_stars_stand_for_any_directories() {
        check("/var/**/*.log", "/var/app.log", true);
        check("/var/**/*.log", "/var/a/b/app.log", true);
        check("/var/**/*.log", "/opt/a/b/app.log", false);
    }

    #[test]
    fn what_is_there_is_found_in_order_and_the_plain_path_always() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("b/c")).unwrap();
        for name in ["b/2.log", "b/1.log", "b/c/3.log", "b/4.txt"] {
            fs::write(root.join(name), "").unwrap();
        }
        let mut found = Found::default();
        for pattern in ["not-there.log", "**/*.log"] {
            Pattern::new(root.join(pattern).to_str().unwrap()).unwrap().find(&mut found);
        }
        let names: Vec<_> =
            found.paths.iter().map(|path| path.strip_prefix(root).unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["not-there.log", "b/1.log", "b/2.log", "b/c/3.log"]);
        assert!(found.folders.contains(&root.join("b/c")));
    }
}
