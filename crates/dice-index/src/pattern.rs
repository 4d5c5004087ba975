//! Path patterns as git writes them: `.gitignore`, `.gitattributes`, CODEOWNERS, `dice.toml`.

use std::fmt;

use globset::{Candidate, GlobBuilder, GlobSet, GlobSetBuilder};

/// An ordered list of path patterns.
///
/// A pattern with a `/` in front or inside starts at the root (or in `directory`), any other matches at every
/// depth; a `/` at the end stands for directories only; `*`, `?`, `[…]` and `**` mean what they mean to git.
#[derive(Debug, Clone, Default)]
pub(crate) struct Patterns {
    /// The globs, [`CHUNK`] in each.
    sets: Vec<GlobSet>,
    /// Which pattern each glob came from.
    pattern_of: Vec<usize>,
}

/// Globs that are compiled together: many thousands in one automaton would be refused as too large.
const CHUNK: usize = 256;

/// Patterns of one list; each costs a moment for every file.
const LIMIT: usize = 20_000;

/// What a pattern matches besides the path it spells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Below {
    /// Nothing, as in `.gitattributes`.
    Nothing,
    /// Everything below a directory it matches, as in `.gitignore`.
    Everything,
    /// The same, but what ends in `/*` means direct children, as in CODEOWNERS.
    NotBelowStar,
}

/// Collects patterns.
#[derive(Debug, Default)]
pub(crate) struct PatternsBuilder {
    globs: Vec<globset::Glob>,
    pattern_of: Vec<usize>,
}

impl PatternsBuilder {
    /// Adds a pattern that is known as `number`. Numbers must not decrease.
    pub(crate) fn add(
        &mut self,
        number: usize,
        directory: &str,
        pattern: &str,
        below: Below,
    ) -> Result<(), PatternError> {
        if self.globs.len() >= LIMIT {
            let reason = format!("it comes after {LIMIT} others, which is too many");
            return Err(PatternError { pattern: pattern.to_owned(), reason });
        }
        for text in globs(directory, pattern, below) {
            let glob =
                GlobBuilder::new(&text).literal_separator(true).backslash_escape(true).build().map_err(
                    |source| PatternError { pattern: pattern.to_owned(), reason: reason(&source) },
                )?;
            self.globs.push(glob);
            self.pattern_of.push(number);
        }
        Ok(())
    }

    /// The list.
    pub(crate) fn build(self) -> Result<Patterns, PatternError> {
        let set = |globs: &[globset::Glob]| {
            let mut set = GlobSetBuilder::new();
            globs.iter().for_each(|glob| {
                set.add(glob.clone());
            });
            set.build().map_err(|source| PatternError {
                pattern: source.glob().unwrap_or("all of them together").to_owned(),
                reason: reason(&source),
            })
        };
        let sets = self.globs.chunks(CHUNK).map(set).collect::<Result<_, _>>()?;
        Ok(Patterns { sets, pattern_of: self.pattern_of })
    }
}

impl Patterns {
    /// The numbers of all patterns that match, in order.
    pub(crate) fn matching<'a>(&'a self, path: &'a str) -> impl Iterator<Item = usize> + 'a {
        let candidate = Candidate::new(path);
        self.sets.iter().enumerate().flat_map(move |(chunk, set)| {
            let globs = set.matches_candidate(&candidate).into_iter();
            globs.map(move |glob| self.pattern_of[chunk * CHUNK + glob])
        })
    }

    /// The number of the last pattern that matches.
    pub(crate) fn last(&self, path: &str) -> Option<usize> {
        self.matching(path).last()
    }
}

/// The globs that together match what `pattern`, found in `directory`, means.
fn globs(directory: &str, pattern: &str, below: Below) -> Vec<String> {
    let directories_only = pattern.ends_with('/');
    let path = pattern.strip_suffix('/').unwrap_or(pattern);
    let anchored = path.contains('/');
    let path = path.strip_prefix('/').unwrap_or(path);
    if path.is_empty() {
        return Vec::new();
    }
    let mut glob = String::new();
    if !directory.is_empty() {
        glob.push_str(&globset::escape(directory));
        glob.push('/');
    }
    if !anchored && path != "**" {
        glob.push_str("**/");
    }
    escape_braces(path, &mut glob);
    let contents = match below {
        Below::Nothing => false,
        Below::Everything => true,
        Below::NotBelowStar => directories_only || !path.ends_with("/*"),
    };
    let contents = (contents && !path.ends_with("**")).then(|| format!("{glob}/**"));
    let itself = (!directories_only).then_some(glob);
    itself.into_iter().chain(contents).collect()
}

/// Braces are plain characters to git.
fn escape_braces(path: &str, out: &mut String) {
    let mut escaped = false;
    let mut class = false;
    for c in path.chars() {
        match c {
            '{' | '}' if !escaped && !class => out.push('\\'),
            '[' if !escaped => class = true,
            ']' if !escaped => class = false,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        out.push(c);
    }
}

fn reason(source: &globset::Error) -> String {
    source.kind().to_string()
}

/// Why a text is not a path pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PatternError {
    pattern: String,
    reason: String,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` cannot be used as a path pattern: {}", self.pattern, self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::{Below, PatternsBuilder};

    #[track_caller]
    fn check(below: Below, pattern: &str, yes: &[&str], no: &[&str]) {
        let mut builder = PatternsBuilder::default();
        builder.add(0, "", pattern, below).unwrap();
        let patterns = builder.build().unwrap();
        for path in yes {
            assert_eq!(patterns.last(path), Some(0), "{pattern} should match {path}");
        }
        for path in no {
            assert_eq!(patterns.last(path), None, "{pattern} should not match {path}");
        }
    }

    #[test]
    fn a_slash_binds_to_the_root() {
        use Below::Everything;
        check(Everything, "tests", &["tests/a.c", "src/tests/a.c", "tests"], &["src/mytests/a.c"]);
        check(Everything, "/tests", &["tests/a.c"], &["src/tests/a.c"]);
        check(Everything, "tests/**", &["tests/a.c", "tests/a/b.c"], &["src/tests/a.c", "tests"]);
        check(Everything, "src/cluster*", &["src/cluster.c", "src/cluster_x/a.c"], &["a/src/cluster.c"]);
        check(Everything, "**/gen/*.c", &["gen/a.c", "a/b/gen/a.c"], &["gen/b/a.c", "gen/a.h"]);
        check(Everything, "*", &["a.c", "a/b.c"], &[]);
        check(Everything, "**", &["a.c", "a/b.c"], &[]);
        check(Everything, "/", &[], &["a.c"]);
    }

    #[test]
    fn directories_and_what_is_below_them() {
        check(Below::Everything, "out/", &["out/a.c", "x/out/y/a.c"], &["out"]);
        check(Below::Nothing, "out/", &[], &["out/a.c", "out"]);
        check(Below::Nothing, "*.c", &["a.c", "x/a.c"], &["a.c/b"]);
        check(Below::NotBelowStar, "docs/*", &["docs/a.md"], &["docs/x/a.md"]);
        check(Below::NotBelowStar, "docs/", &["docs/a.md", "a/docs/x/a.md"], &[]);
    }

    #[test]
    fn characters_that_are_special_only_elsewhere() {
        check(Below::Everything, "{a,b}.c", &["{a,b}.c"], &["a.c"]);
        check(Below::Everything, "[ab].c", &["a.c"], &["c.c"]);
        check(Below::Everything, r"\*.c", &["*.c"], &["a.c"]);
        check(Below::Everything, "a b.c", &["a b.c"], &["a.c"]);
    }

    #[test]
    fn the_last_match_wins_and_directories_are_literal() {
        let mut builder = PatternsBuilder::default();
        builder.add(0, "", "*.c", Below::Nothing).unwrap();
        builder.add(1, "a[1]", "*.c", Below::Nothing).unwrap();
        builder.add(2, "a[1]", "/x.c", Below::Nothing).unwrap();
        let patterns = builder.build().unwrap();
        assert_eq!(patterns.last("a1/x.c"), Some(0));
        assert_eq!(patterns.last("a[1]/b/y.c"), Some(1));
        assert_eq!(patterns.last("a[1]/x.c"), Some(2));
        assert_eq!(patterns.last("a[1]/b/x.c"), Some(1));
    }

    #[test]
    fn a_broken_pattern_is_named() {
        let error = PatternsBuilder::default().add(0, "", "src/[a", Below::Everything).unwrap_err();
        assert!(error.to_string().starts_with("`src/[a` cannot be used as a path pattern: "), "{error}");
    }
}
