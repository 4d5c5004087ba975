//! `cargo xtask tidy`: the house rules that a program can check, each told in one sentence.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::workspace::root;

/// Which of our own crates a crate may know.
///
/// What a crate needs for its tests is its own business, so only `[dependencies]` count.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("dice-catalog", &[]),
    ("dice-extract", &["dice-catalog"]),
    ("dice-index", &["dice-catalog", "dice-extract"]),
    ("dice-match", &["dice-catalog"]),
    ("dice-route", &["dice-catalog"]),
    ("dice-source", &[]),
    ("dice-config", &["dice-catalog", "dice-route"]),
    ("dice-store", &["dice-catalog", "dice-route"]),
    ("dice-deliver", &["dice-catalog", "dice-route"]),
    ("dice-serve", &["dice-catalog", "dice-match", "dice-route", "dice-source", "dice-store"]),
    (
        "dice",
        &[
            "dice-catalog",
            "dice-extract",
            "dice-index",
            "dice-match",
            "dice-route",
            "dice-source",
            "dice-config",
            "dice-store",
            "dice-deliver",
            "dice-serve",
        ],
    ),
    ("dice-testkit", &[]),
    ("xtask", &["dice-catalog", "dice-extract", "dice-testkit"]),
];

/// External packages that stay behind one door. The test kit makes repositories, so it has a key to git.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("anyhow", &["dice", "xtask"]),
    ("askama", &["dice-serve"]),
    ("axum", &["dice-serve"]),
    ("clap", &["dice"]),
    ("git2", &["dice-index", "dice-testkit"]),
    ("lettre", &["dice-deliver"]),
    ("notify", &["dice-source"]),
    ("rayon", &["dice-index", "dice"]),
    ("rcgen", &["dice-testkit"]),
    ("regex", &["dice-route", "dice-config"]),
    ("regex-automata", &["dice-match"]),
    ("reqwest", &["dice-deliver"]),
    ("rusqlite", &["dice-store"]),
    ("tokio", &["dice", "dice-deliver", "dice-serve"]),
    ("tokio-tungstenite", &["dice-deliver", "dice-testkit"]),
    ("tree-sitter", &["dice-extract"]),
    ("tree-sitter-c", &["dice-extract"]),
    ("tree-sitter-rust", &["dice-extract"]),
    ("utoipa", &["dice-serve"]),
];

/// Names of files that say nothing about what is in them.
const HOMELESS: &[&str] = &["utils.rs", "util.rs", "helpers.rs", "types.rs", "common.rs", "misc.rs"];

/// Words and what is wrong with them. Written in two halves, so that this file is not found itself.
type Forbidden = &'static [(&'static str, &'static str)];

/// What has no place in any file.
const MACHINE: Forbidden =
    &[(concat!("/wo", "rk/"), "a path of one machine"), (concat!("/ro", "ot/"), "a path of one machine")];

/// What has no place in a file of ours.
const UNFINISHED: Forbidden = &[
    (concat!("to", "do!("), "unfinished work"),
    (concat!("unimple", "mented!("), "unfinished work"),
    (concat!("#[ig", "nore"), "a test that does not run"),
];

/// Lines of a source file past which it has to be a table.
const MAX_LINES: usize = 1200;

/// Checks every rule, and that the generated parts of the README are up to date.
pub(crate) fn run() -> Result<bool> {
    let problems = problems(&root())?;
    for problem in &problems {
        println!("{problem}");
    }
    let docs_are_fresh = crate::docs::check()?;
    if problems.is_empty() && docs_are_fresh {
        println!("tidy");
    }
    Ok(problems.is_empty() && docs_are_fresh)
}

/// What breaks a rule in the workspace at `root`, sorted.
fn problems(root: &Path) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    let mut crates = Vec::new();
    for file in files(root)? {
        let name = file.strip_prefix(root).expect("files lie below the root").display().to_string();
        let Ok(text) = fs::read_to_string(&file) else { continue };
        if name == "Cargo.lock" {
            continue;
        }
        problems.extend(forbidden(MACHINE, &name, &text));
        // Fixtures and cases are other programs' source: how they are written is what they are for.
        if name.starts_with("fixtures/") || name.contains("/cases/") {
            continue;
        }
        problems.extend(forbidden(UNFINISHED, &name, &text));
        if name.ends_with(".rs") {
            problems.extend(source(&name, &text));
        }
        if [".rs", ".toml", ".md", ".scm"].iter().any(|end| name.ends_with(end)) {
            problems.extend(blanks(&name, &text));
        }
        if name != "Cargo.toml" && name.ends_with("Cargo.toml") {
            let manifest: toml::Table = text.parse().with_context(|| format!("cannot read {name}"))?;
            problems.extend(manifest_problems(&name, &manifest));
            crates.extend(package(&manifest).map(str::to_owned));
        }
    }
    problems.extend(architecture(root, &crates));
    problems.extend(languages(root)?);
    problems.sort();
    Ok(problems)
}

/// Every file of the repository, sorted; what is built and what git keeps is left out.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        paths.push(entry?.path());
    }
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap_or_default();
        if [".git", ".dice", "target"].iter().any(|left_out| name == *left_out) || path.is_symlink() {
            continue;
        }
        if path.is_dir() { files.extend(self::files(&path)?) } else { files.push(path) }
    }
    Ok(files)
}

fn forbidden(words: Forbidden, name: &str, text: &str) -> Vec<String> {
    let found = (1..).zip(text.lines()).flat_map(|(n, line)| {
        words
            .iter()
            .filter(move |(words, _)| is_in(words, line))
            .map(move |(words, why)| format!("{name}:{n}: `{words}` is {why}"))
    });
    found.collect()
}

/// Whether `words` stand in `line` at the start of a path or a name: `/srv/home/` is not below `/home/`.
fn is_in(words: &str, line: &str) -> bool {
    line.match_indices(words).any(|(at, _)| !line[..at].ends_with(|before: char| before.is_alphanumeric()))
}

fn source(name: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if !text.starts_with("//!") {
        problems.push(format!("{name}: opens with something else than `//!`, what the file is about"));
    }
    let lines = text.lines().count();
    if lines > MAX_LINES {
        problems.push(format!("{name}: has {lines} lines, more than {MAX_LINES}: split it by noun"));
    }
    if HOMELESS.iter().any(|homeless| Path::new(name).ends_with(homeless)) {
        problems.push(format!("{name}: is not named by the noun it owns"));
    }
    problems
}

fn blanks(name: &str, text: &str) -> Vec<String> {
    let mut problems: Vec<String> = (1..)
        .zip(text.lines())
        .filter(|(_, line)| line.ends_with([' ', '\t']))
        .map(|(n, _)| format!("{name}:{n}: ends with a blank"))
        .collect();
    if !text.is_empty() && (!text.ends_with('\n') || text.ends_with("\n\n")) {
        problems.push(format!("{name}: ends with something else than one line end"));
    }
    problems
}

fn package(manifest: &toml::Table) -> Option<&str> {
    manifest.get("package")?.get("name")?.as_str()
}

fn manifest_problems(name: &str, manifest: &toml::Table) -> Vec<String> {
    let Some(package) = package(manifest) else { return vec![format!("{name}: has no package name")] };
    let mut problems = Vec::new();
    let inherits = manifest.get("lints").and_then(|lints| lints.get("workspace"));
    if inherits != Some(&toml::Value::Boolean(true)) {
        problems.push(format!("{package}: does not take the lints of the workspace"));
    }
    let Some((_, may_know)) = MAY_KNOW.iter().find(|(known, _)| *known == package) else {
        problems.push(format!("{package}: has no line in the table of who may know whom"));
        return problems;
    };
    let none = toml::Table::new();
    let dependencies = manifest.get("dependencies").and_then(toml::Value::as_table).unwrap_or(&none);
    for dependency in dependencies.keys() {
        let is_ours = MAY_KNOW.iter().any(|(known, _)| known == dependency);
        if is_ours && !may_know.contains(&dependency.as_str()) {
            problems.push(format!("{package}: must not know {dependency}"));
        }
        let door = ONLY_IN.iter().find(|(heavy, _)| heavy == dependency);
        if let Some((_, homes)) = door.filter(|(_, homes)| !homes.contains(&package)) {
            problems.push(format!("{package}: {dependency} is used through {} only", homes[0]));
        }
    }
    problems
}

fn architecture(root: &Path, crates: &[String]) -> Vec<String> {
    let text = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap_or_default();
    crates
        .iter()
        .filter(|name| !text.contains(&format!("`{name}`")))
        .map(|name| format!("ARCHITECTURE.md: has no word about `{name}`"))
        .collect()
}

/// Folders of `languages/` without a line in the list of languages.
fn languages(root: &Path) -> Result<Vec<String>> {
    let extract = root.join("crates/dice-extract");
    let list = fs::read_to_string(extract.join("src/language.rs")).context("cannot read the languages")?;
    let mut problems = Vec::new();
    for entry in fs::read_dir(extract.join("languages")).context("cannot list the languages")? {
        let folder = entry?.file_name().to_string_lossy().into_owned();
        if !list.contains(&format!("\"{folder}\" =>")) {
            problems.push(format!("languages/{folder}: has no line in language.rs"));
        }
    }
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use super::{MACHINE, blanks, forbidden, manifest_problems, problems, source};
    use crate::workspace::root;

    #[test]
    fn the_house_is_tidy() {
        assert_eq!(problems(&root()).unwrap(), Vec::<String>::new());
    }

    #[track_caller]
    fn check(dependencies: &str, expected: &[&str]) {
        let text = format!("[package]\nname = \"dice-match\"\n[lints]\nworkspace = true\n{dependencies}");
        assert_eq!(manifest_problems("Cargo.toml", &text.parse().unwrap()), expected);
    }

    #[test]
    fn a_crate_that_knows_too_much_is_told() {
        check("[dependencies]\ndice-catalog = {}\nregex-automata = {}", &[]);
        check("[dependencies]\ndice-route = {}", &["dice-match: must not know dice-route"]);
        check("[dependencies]\ngit2 = {}", &["dice-match: git2 is used through dice-index only"]);
        check("[dev-dependencies]\ndice-testkit = {}\ngit2 = {}", &[]);
    }

    #[test]
    fn a_source_file_says_what_it_is_about() {
        assert!(source("a/disk.rs", "//! Disks.\n").is_empty());
        assert_eq!(source("a/utils.rs", "use x;\n").len(), 2);
    }

    #[test]
    fn blanks_and_machine_paths_are_found_with_their_line() {
        assert_eq!(blanks("a.md", "x\ny \n"), ["a.md:2: ends with a blank"]);
        assert_eq!(blanks("a.md", "x\n\n"), ["a.md: ends with something else than one line end"]);
        let found = forbidden(MACHINE, "a.rs", concat!("x\nsee /ro", "ot/x\n"));
        assert_eq!(found, [concat!("a.rs:2: `/ro", "ot/` is a path of one machine")]);
        assert!(forbidden(MACHINE, "a.rs", concat!("/srv/ro", "ot/x\n")).is_empty());
    }
}
