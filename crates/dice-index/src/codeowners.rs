//! CODEOWNERS: who a repository's host says answers for a path.
//!
//! GitHub's and GitLab's forms of the file are read as one: the last matching line wins, within each of
//! GitLab's sections. Sources:
//! <https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners>,
//! <https://docs.gitlab.com/user/project/codeowners/reference/>.

use dice_catalog::LineNo;

use crate::pattern::{Below, Patterns, PatternsBuilder};

/// Where the file may stand, first found first.
pub(crate) const LOCATIONS: [&str; 4] =
    [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"];

/// A CODEOWNERS file.
#[derive(Debug, Default)]
pub(crate) struct Codeowners {
    patterns: Patterns,
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    /// Which section it stands in: 0 before the first.
    section: usize,
    owners: Vec<String>,
}

/// A line that was not understood, and why.
pub(crate) type Complaint = (LineNo, String);

impl Codeowners {
    /// Reads the file. What is not understood is skipped and complained about.
    pub(crate) fn parse(text: &[u8]) -> (Codeowners, Vec<Complaint>) {
        let text = String::from_utf8_lossy(text);
        let mut builder = PatternsBuilder::default();
        let mut rules: Vec<Rule> = Vec::new();
        let mut sections = vec![(String::new(), Vec::new())];
        let mut section = 0;
        let mut complaints = Vec::new();
        for (row, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line_no = LineNo::from_row(row);
            let words = words(line);
            let mut complain = |text: String| complaints.push((line_no, text));
            if words.is_empty() {
                continue;
            }
            if let Some((name, defaults)) = header(line) {
                let defaults = owners(&defaults, &mut complain);
                section = match sections.iter().position(|(known, _)| *known == name) {
                    Some(known) => known,
                    None => {
                        sections.push((name, Vec::new()));
                        sections.len() - 1
                    }
                };
                sections[section].1 = defaults;
                continue;
            }
            let (pattern, excludes) = match words[0].strip_prefix('!') {
                Some(pattern) => (pattern, true),
                None => (words[0].as_str(), false),
            };
            let owners = match (excludes, words.len()) {
                (true, _) => Vec::new(),
                (false, 1) => sections[section].1.clone(),
                (false, _) => owners(&words[1..], &mut complain),
            };
            match builder.add(rules.len(), "", pattern, Below::NotBelowStar) {
                Ok(()) => rules.push(Rule { section, owners }),
                Err(error) => complain(error.to_string()),
            }
        }
        match builder.build() {
            Ok(patterns) => (Codeowners { patterns, rules }, complaints),
            Err(error) => {
                complaints.push((LineNo::FIRST, error.to_string()));
                (Codeowners::default(), complaints)
            }
        }
    }

    /// The owners of the file at `path`, in the order of the file; empty when it has none.
    pub(crate) fn owners(&self, path: &str) -> Vec<&str> {
        let mut last_of_sections: Vec<&Rule> = Vec::new();
        for rule in self.patterns.matching(path) {
            let rule = &self.rules[rule];
            match last_of_sections.iter_mut().find(|last| last.section == rule.section) {
                Some(last) => *last = rule,
                None => last_of_sections.push(rule),
            }
        }
        last_of_sections.sort_by_key(|rule| rule.section);
        let mut owners: Vec<&str> = Vec::new();
        for owner in last_of_sections.into_iter().flat_map(|rule| &rule.owners) {
            if !owners.contains(&owner.as_str()) {
                owners.push(owner);
            }
        }
        owners
    }
}

/// The words of a line, up to a comment. A backslash keeps a blank or a `#` in a pattern.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(escaped @ (' ' | '#')) => word.push(escaped),
                Some(other) => word.extend(['\\', other]),
                None => word.push('\\'),
            },
            '#' if word.is_empty() => break,
            c if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// A section's name in lower case and its default owners: `[Name]`, `^[Name]`, `[Name][2] @owner`.
fn header(line: &str) -> Option<(String, Vec<String>)> {
    let line = line.trim();
    let inside = line.strip_prefix('^').unwrap_or(line).strip_prefix('[')?;
    let (name, mut rest) = inside.split_once(']')?;
    if let Some(approvals) = rest.strip_prefix('[') {
        rest = approvals.split_once(']')?.1;
    }
    // `[ab].c @x` is a pattern.
    if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
        return None;
    }
    Some((name.trim().to_lowercase(), words(rest)))
}

fn owners(words: &[String], complain: &mut impl FnMut(String)) -> Vec<String> {
    let mut owners = Vec::new();
    for word in words {
        let is_owner = match word.strip_prefix('@') {
            Some(handle) => !handle.is_empty() && !handle.starts_with('@'),
            None => word.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty()),
        };
        if is_owner {
            owners.push(word.clone());
        } else {
            complain(format!("wanted @user, @org/team or an e-mail address, found `{word}`"));
        }
    }
    owners
}

#[cfg(test)]
mod tests {
    use super::Codeowners;

    #[track_caller]
    fn check(file: &str, path: &str, owners: &[&str]) {
        let (codeowners, complaints) = Codeowners::parse(file.as_bytes());
        assert_eq!(complaints, []);
        assert_eq!(codeowners.owners(path), owners, "{path}");
    }

    #[test]
    fn the_last_matching_line_wins() {
        let file = "# everything\n* @org/all\n*.c @c-dev pig@pen.mssn # the C people\n/src/net/ @org/net\n\
                    apps/ @apps\ndocs/* @docs\n/src/net/free.c\nsrc/**/x.rs\t@deep\nwith\\ blank.c @b\n";
        check(file, "README", &["@org/all"]);
        check(file, "lib/a.c", &["@c-dev", "pig@pen.mssn"]);
        check(file, "src/net/tcp/a.c", &["@org/net"]);
        check(file, "src/net/free.c", &[]);
        check(file, "x/apps/y/z.rs", &["@apps"]);
        check(file, "docs/a.md", &["@docs"]);
        check(file, "docs/more/a.md", &["@org/all"]);
        check(file, "src/a/b/x.rs", &["@deep"]);
        check(file, "a/with blank.c", &["@b"]);
    }

    #[test]
    fn sections_add_up() {
        let file = "* @all\n[Backend][2] @be\n*.c\n*.h @hdr\n^[Docs]\ndocs/ @docs\n[backend]\n!gen.c\n";
        check(file, "a.c", &["@all", "@be"]);
        check(file, "a.h", &["@all", "@hdr"]);
        check(file, "docs/a.c", &["@all", "@be", "@docs"]);
        check(file, "gen.c", &["@all"]);
    }

    #[test]
    fn byte_order_marks_and_line_ends_do_not_matter() {
        check("\u{feff}*.c @a\r\n*.h @b\r\n", "x.c", &["@a"]);
        check("\u{feff}*.c @a\r\n*.h @b\r\n", "x.h", &["@b"]);
        check("", "x.h", &[]);
    }

    #[test]
    fn what_is_not_understood_is_told() {
        let (codeowners, complaints) = Codeowners::parse(b"*.c alice @bob\n[z @x\n*.h @h\n");
        let lines: Vec<String> = complaints.iter().map(|(line, text)| format!("{line}: {text}")).collect();
        assert_eq!(lines[0], "1: wanted @user, @org/team or an e-mail address, found `alice`");
        assert!(lines[1].starts_with("2: `[z` cannot be used as a path pattern"), "{lines:?}");
        assert_eq!(codeowners.owners("a.c"), ["@bob"]);
        assert_eq!(codeowners.owners("a.h"), ["@h"]);
    }
}
