//! `.gitattributes`: which files are vendored or generated, as the repository itself says.
//!
//! Only files of the indexed tree are read, so the answer is the same on every machine.
//! Format: <https://git-scm.com/docs/gitattributes>; names: github-linguist's `linguist-vendored` and
//! `linguist-generated`.

use crate::pattern::{Below, Patterns, PatternsBuilder};

/// What the repository says about a file; `None` where it says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Marks {
    /// Code of others, brought along.
    pub(crate) vendored: Option<bool>,
    /// Written by a program.
    pub(crate) generated: Option<bool>,
}

/// All `.gitattributes` of a tree.
#[derive(Debug, Default)]
pub(crate) struct Attributes {
    patterns: Patterns,
    rules: Vec<Rule>,
}

/// What one line sets; the inner `None` takes an earlier line's word back.
#[derive(Debug, Clone, Copy, Default)]
struct Rule {
    vendored: Option<Option<bool>>,
    generated: Option<Option<bool>>,
}

impl Attributes {
    /// Reads `files`: the directory (empty for the root) and the text of each. Lines that are not understood
    /// are skipped, as git does.
    pub(crate) fn new(mut files: Vec<(String, Vec<u8>)>) -> Attributes {
        // A file nearer to the path has the last word.
        files.sort_by_key(|(directory, _)| (directory.split('/').count(), directory.clone()));
        files.sort_by_key(|(directory, _)| !directory.is_empty());
        let mut builder = PatternsBuilder::default();
        let mut rules = Vec::new();
        for (directory, text) in &files {
            for line in String::from_utf8_lossy(text).lines() {
                let Some((pattern, rule)) = parse(line) else { continue };
                if builder.add(rules.len(), directory, &pattern, Below::Nothing).is_ok() {
                    rules.push(rule);
                }
            }
        }
        // A set that cannot be built says nothing, like a line that is not understood.
        Attributes { patterns: builder.build().unwrap_or_default(), rules }
    }

    /// What is said about the file at `path`.
    pub(crate) fn marks(&self, path: &str) -> Marks {
        let mut marks = Marks::default();
        for rule in self.patterns.matching(path) {
            let rule = self.rules[rule];
            marks.vendored = rule.vendored.unwrap_or(marks.vendored);
            marks.generated = rule.generated.unwrap_or(marks.generated);
        }
        marks
    }
}

/// A line's pattern and what it sets; `None` when it says nothing about marks.
fn parse(line: &str) -> Option<(String, Rule)> {
    let line = line.trim_start_matches('\u{feff}').trim();
    if line.starts_with('#') || line.starts_with("[attr]") {
        return None;
    }
    let (pattern, attributes) = match line.strip_prefix('"') {
        Some(quoted) => unquote(quoted)?,
        None => {
            let (pattern, attributes) = line.split_once([' ', '\t'])?;
            (pattern.to_owned(), attributes)
        }
    };
    let mut rule = Rule::default();
    for attribute in attributes.split_ascii_whitespace() {
        let (name, value) = if let Some(name) = attribute.strip_prefix('-') {
            (name, Some(false))
        } else if let Some(name) = attribute.strip_prefix('!') {
            (name, None)
        } else if let Some((name, value)) = attribute.split_once('=') {
            (name, Some(!value.eq_ignore_ascii_case("false")))
        } else {
            (attribute, Some(true))
        };
        match name {
            "linguist-vendored" => rule.vendored = Some(value),
            "linguist-generated" => rule.generated = Some(value),
            _ => {}
        }
    }
    (rule.vendored.is_some() || rule.generated.is_some()).then_some((pattern, rule))
}

/// A pattern in quotes, whose opening one is gone, and what follows it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut pattern = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((pattern, &text[at + 1..])),
            // Of git's escapes only these two are used for paths that are text.
            '\\' => match chars.next()?.1 {
                escaped @ ('"' | '\\') => pattern.push(escaped),
                other => pattern.extend(['\\', other]),
            },
            c => pattern.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Attributes, Marks};

    const YES: Option<bool> = Some(true);
    const NO: Option<bool> = Some(false);

    #[track_caller]
    fn check(files: &[(&str, &str)], path: &str, vendored: Option<bool>, generated: Option<bool>) {
        let files = files.iter().map(|(at, text)| ((*at).to_owned(), text.as_bytes().to_vec())).collect();
        assert_eq!(Attributes::new(files).marks(path), Marks { vendored, generated }, "{path}");
    }

    #[test]
    fn the_forms_of_a_line() {
        let one = |line| [("", line)];
        check(&one("lib/** linguist-vendored"), "lib/a/b.c", YES, None);
        check(&one("lib/** linguist-vendored"), "src/b.c", None, None);
        check(&one("*.pb.c text linguist-generated=true -diff"), "a/x.pb.c", None, YES);
        check(&one("vendor/mine/** -linguist-vendored"), "vendor/mine/a.c", NO, None);
        check(&one("vendor/mine/** linguist-vendored=false"), "vendor/mine/a.c", NO, None);
        check(&one("\"my lib/**\" linguist-vendored"), "my lib/a.c", YES, None);
        check(&one("# *.c linguist-vendored"), "a.c", None, None);
        check(&one("*.c linguist-vendored\r\n*.h text"), "a.c", YES, None);
        check(&one("*.c linguist-vendored\n*.c !linguist-vendored"), "a.c", None, None);
        check(&one("[a linguist-vendored\n*.c linguist-vendored"), "a.c", YES, None);
    }

    #[test]
    fn the_nearest_file_has_the_last_word() {
        let files = [
            ("a/b", "*.c -linguist-vendored"),
            ("", "*.c linguist-vendored linguist-generated"),
            ("a", "/x.c linguist-generated=false"),
        ];
        check(&files, "x.c", YES, YES);
        check(&files, "a/x.c", YES, NO);
        check(&files, "a/b/x.c", NO, YES);
    }
}
