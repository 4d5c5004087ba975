//! `dice.toml`: what a repository says about itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use dice_catalog::Kind;
use dice_extract::LoggerRule;
use serde::de::{Deserializer, Error as _, IgnoredAny};
use serde::{Deserialize, de};
use toml::Spanned;

use crate::pattern::{Below, PatternsBuilder};

/// The file's name, at the root of a repository.
pub(crate) const FILE: &str = "dice.toml";

/// How hosts mark authors who are programs.
const BOTS: [&str; 2] = ["*[bot]", "*[bot]@*"];

/// `dice.toml`, all of it optional.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What is indexed.
    pub index: IndexConfig,
    /// Who answers for what.
    pub owners: OwnersConfig,
    /// E-mail address → handle (`@pig`). Also used to check annotations, when it is not empty.
    #[serde(deserialize_with = "people")]
    pub people: BTreeMap<String, String>,
    /// Loggers that Dice does not find by itself.
    #[serde(rename = "logger")]
    pub loggers: Vec<LoggerRule>,
    /// Values of format macros that are not defined in the repository.
    pub constants: BTreeMap<String, String>,
}

/// `[index]`: what is indexed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IndexConfig {
    /// The repository's name. Default: the last part of `origin`'s address, else the directory's name.
    #[serde(deserialize_with = "name")]
    pub name: Option<String>,
    /// Files to leave out, as in `.gitignore`. Default: none.
    #[serde(deserialize_with = "patterns")]
    pub ignore_paths: Vec<String>,
    /// Read code of others, brought along: `vendor/`, `third_party/`, `third-party/`, `node_modules/`,
    /// `deps/`, `external/` and what `.gitattributes` calls `linguist-vendored`. Default: false.
    pub vendored: bool,
    /// Read files that a program wrote: what `.gitattributes` calls `linguist-generated` and what says so
    /// in its first lines. Default: false.
    pub generated: bool,
    /// Kinds of statements to write. Default: those that lines are matched against.
    pub kinds: BTreeSet<Kind>,
    /// Names that are never loggers. Default: none.
    pub ignore_names: Vec<String>,
    /// Enter submodules. Default: false.
    pub submodules: bool,
}

impl Default for IndexConfig {
    fn default() -> IndexConfig {
        IndexConfig {
            name: None,
            ignore_paths: Vec::new(),
            vendored: false,
            generated: false,
            kinds: Kind::ALL.into_iter().filter(|kind| kind.is_matched_by_default()).collect(),
            ignore_names: Vec::new(),
            submodules: false,
        }
    }
}

/// `[owners]`: who answers for what.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OwnersConfig {
    /// Which rule is asked first; what is not listed is not asked. Default: annotation, author, owners,
    /// codeowners.
    pub order: Vec<OwnersRule>,
    /// Who answers when nobody else does. Default: nobody.
    #[serde(deserialize_with = "fallback")]
    pub fallback: Option<String>,
    /// Authors who are programs: e-mail addresses or names, `*` for any text. `*[bot]` and `*[bot]@*`, as
    /// hosts mark theirs, are always among them.
    #[serde(deserialize_with = "bots")]
    pub bots: Vec<String>,
    /// Authors who have left: e-mail addresses, names or handles, `*` for any text. Default: none.
    pub left: Vec<String>,
    /// Days without a commit after which an author counts as gone, before the indexed commit. Default: off.
    #[serde(deserialize_with = "days")]
    pub inactive_after: Option<u32>,
    /// Paths, as in `.gitignore`, and who answers for them. The longest pattern that matches wins.
    #[serde(deserialize_with = "paths")]
    pub paths: BTreeMap<String, Names>,
}

impl Default for OwnersConfig {
    fn default() -> OwnersConfig {
        OwnersConfig {
            order: vec![
                OwnersRule::Annotation,
                OwnersRule::Author,
                OwnersRule::Owners,
                OwnersRule::Codeowners,
            ],
            fallback: None,
            bots: BOTS.map(str::to_owned).to_vec(),
            left: Vec::new(),
            inactive_after: None,
            paths: BTreeMap::new(),
        }
    }
}

/// A rule that finds owners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OwnersRule {
    /// The comment that follows the statement.
    Annotation,
    /// Who last wrote the line.
    Author,
    /// `[owners] paths`.
    Owners,
    /// The repository's CODEOWNERS file.
    Codeowners,
}

/// One owner or a list: `"#triage"`, `["#triage", "@pig"]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names(pub Vec<String>);

impl Config {
    /// Reads the text of a `dice.toml`.
    ///
    /// # Errors
    ///
    /// When it is not TOML, or has a key or a word that is not known. The message names the line.
    pub fn parse(text: &str) -> Result<Config, ConfigError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let config: Config = toml::from_str(text).map_err(|source| ConfigError {
            line: source.span().map(|span| line_at(text, span.start)),
            message: source.message().trim().replace('\n', "; "),
        })?;
        match problem_of_loggers(text, &config.loggers) {
            Some(error) => Err(error),
            None => Ok(config),
        }
    }
}

/// The line, from 1, of the byte at `start`.
fn line_at(text: &str, start: usize) -> usize {
    1 + text.as_bytes()[..start.min(text.len())].iter().filter(|&&byte| byte == b'\n').count()
}

/// Why a text is not a `dice.toml`.
#[derive(Debug)]
pub struct ConfigError {
    line: Option<usize>,
    message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for ConfigError {}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Names, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an owner (#channel, @handle, @org/team, a@b.c) or a list of owners")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Names, E> {
                Ok(Names(vec![owner(text)?]))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some(text) = list.next_element::<String>()? {
                    names.push(owner(&text)?);
                }
                Ok(Names(names))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

fn owner<E: de::Error>(text: &str) -> Result<String, E> {
    let fits = match text.as_bytes() {
        [b'#' | b'@', rest @ ..] => !rest.is_empty(),
        _ => text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty()),
    };
    if fits && !text.contains(char::is_whitespace) {
        return Ok(text.to_owned());
    }
    Err(E::custom(format!("wanted an owner (#channel, @handle, @org/team, a@b.c), found `{text}`")))
}

fn fallback<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let name = String::deserialize(deserializer)?;
    if name.is_empty() { Ok(None) } else { owner(&name).map(Some) }
}

fn bots<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let more = Vec::<String>::deserialize(deserializer)?;
    Ok(BOTS.into_iter().map(str::to_owned).chain(more).collect())
}

fn people<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let people = BTreeMap::<String, String>::deserialize(deserializer)?;
    let is_handle =
        |name: &String| name.len() > 1 && name.starts_with('@') && !name.contains(char::is_whitespace);
    match people.values().find(|name| !is_handle(name)) {
        Some(name) => Err(D::Error::custom(format!("wanted a handle (@name), found `{name}`"))),
        None => Ok(people),
    }
}

fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let name = String::deserialize(deserializer)?;
    if name.trim().is_empty() || name.contains(char::is_control) {
        return Err(D::Error::custom(
            "wanted a name, found a text without a visible character or with a control character",
        ));
    }
    Ok(Some(name))
}

fn patterns<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let patterns = Vec::<String>::deserialize(deserializer)?;
    for pattern in &patterns {
        check_pattern(pattern)?;
    }
    Ok(patterns)
}

fn paths<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Names>, D::Error> {
    let paths = BTreeMap::<String, Names>::deserialize(deserializer)?;
    for pattern in paths.keys() {
        check_pattern(pattern)?;
    }
    Ok(paths)
}

fn check_pattern<E: de::Error>(pattern: &str) -> Result<(), E> {
    let pattern = pattern.strip_prefix('!').unwrap_or(pattern);
    PatternsBuilder::default().add(0, "", pattern, Below::Everything).map_err(E::custom)
}

fn days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Days {
        Number(i64),
        Text(String),
    }
    let wanted =
        |found: &str| D::Error::custom(format!("wanted a number of days (180, \"180 days\"), found {found}"));
    match Days::deserialize(deserializer).map_err(|_| wanted("something else"))? {
        Days::Number(days) => u32::try_from(days).map(Some).map_err(|_| wanted(&days.to_string())),
        Days::Text(text) => {
            let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).trim_end();
            match (number.parse(), text[number.len()..].trim()) {
                (Ok(days), "d" | "day" | "days") => Ok(Some(days)),
                _ => Err(wanted(&format!("`{text}`"))),
            }
        }
    }
}

/// The first rule with a problem, and where it begins.
fn problem_of_loggers(text: &str, loggers: &[LoggerRule]) -> Option<ConfigError> {
    #[derive(Deserialize)]
    struct Places {
        logger: Vec<Spanned<IgnoredAny>>,
    }

    let (number, message) =
        loggers.iter().enumerate().find_map(|(number, rule)| Some((number, rule.problem()?)))?;
    let places = toml::from_str::<Places>(text).ok();
    let place = places.and_then(|places| Some(places.logger.get(number)?.span().start));
    Some(ConfigError { line: place.map(|start| line_at(text, start)), message })
}

#[cfg(test)]
mod tests {
    use dice_catalog::Kind;

    use super::{Config, Names, OwnersRule};

    #[test]
    fn everything_has_a_default() {
        let config = Config::parse("").unwrap();
        let kinds: Vec<Kind> = config.index.kinds.into_iter().collect();
        assert_eq!(kinds, [Kind::Log, Kind::Stderr, Kind::Fatal, Kind::Assert]);
        assert_eq!(config.owners.order[0], OwnersRule::Annotation);
        assert_eq!(config.owners.order.len(), 4);
        assert_eq!(config.owners.inactive_after, None);
        assert!(!config.index.vendored && !config.index.generated && !config.index.submodules);
    }

    #[test]
    fn everything_can_be_said() {
        let config = Config::parse(
            r##"
            [index]
            name = "redis"
            ignore_paths = ["tests/**", "!tests/keep.c"]
            vendored = true
            generated = true
            kinds = ["log", "stdout"]
            ignore_names = ["YY_FATAL_ERROR"]
            submodules = true

            [owners]
            order = ["annotation", "codeowners", "author"]
            fallback = "#triage"
            bots = ["builder@*"]
            left = ["gone@corp.example"]
            inactive_after = "180 days"
            paths = { "src/cluster*" = "#cluster", "src/x.c" = ["@a", "b@c.d"] }

            [people]
            "pig@pen.mssn" = "@pig"

            [[logger]]
            lang = "c"
            form = "macro"
            names = ["my_log"]
            fmt = 2

            [constants]
            FMT_IF = "%s"
            "##,
        )
        .unwrap();
        assert_eq!(config.index.name.as_deref(), Some("redis"));
        assert_eq!(config.owners.inactive_after, Some(180));
        assert_eq!(config.owners.fallback.as_deref(), Some("#triage"));
        assert_eq!(config.owners.bots, ["*[bot]", "*[bot]@*", "builder@*"]);
        assert_eq!(config.owners.paths["src/x.c"], Names(vec!["@a".to_owned(), "b@c.d".to_owned()]));
        assert_eq!(config.people["pig@pen.mssn"], "@pig");
        assert_eq!(config.loggers[0].names, ["my_log"]);
        assert_eq!(config.constants["FMT_IF"], "%s");
    }

    #[track_caller]
    fn check_error(text: &str, message: &str) {
        assert_eq!(Config::parse(text).unwrap_err().to_string(), message);
    }

    #[test]
    fn errors_name_the_line_and_what_is_allowed() {
        check_error(
            "[index]\nnam = 'x'",
            "line 2: unknown field `nam`, expected one of `name`, `ignore_paths`, `vendored`, `generated`, \
             `kinds`, `ignore_names`, `submodules`",
        );
        check_error(
            "[owners]\n\norder = ['annotation', 'blame']",
            "line 3: unknown variant `blame`, expected one of `annotation`, `author`, `owners`, `codeowners`",
        );
        check_error(
            "[index]\nkinds = ['logs']",
            "line 2: unknown variant `logs`, expected one of `log`, `stderr`, `stdout`, `fatal`, `assert`, \
             `span`, `errtext`, `fragment`",
        );
        check_error(
            "[owners]\nfallback = 'triage'",
            "line 2: wanted an owner (#channel, @handle, @org/team, a@b.c), found `triage`",
        );
        check_error(
            "[owners]\ninactive_after = 'half a year'",
            "line 2: wanted a number of days (180, \"180 days\"), found `half a year`",
        );
        check_error(
            "[people]\n[[logger]]\nlang = 'cc'\nnames = ['x']",
            "line 2: unknown language `cc`, expected one of `c`, `rust`",
        );
        check_error("[people]\n'pig@pen.mssn' = 'pig'", "line 1: wanted a handle (@name), found `pig`");
        check_error("[[logger]]\nlang = 'c'", "line 1: wanted `names = [\"…\"]` in [[logger]], found none");
        check_error(
            "[[logger]]\nnames = ['x']\n[[logger]]\nnames = ['y']\nform = 'func'",
            "line 3: unknown form `func`, expected one of `call`, `macro`, `method`, `attribute`",
        );
        check_error(
            "[[logger]]\nnames = ['x']\nfmt = -1",
            "line 3: wanted a number from 0, or `literal` or `none`, found -1",
        );
        check_error("a = ", "line 1: string values must be quoted, expected literal string");
        check_error(
            "[index]\nignore_paths = ['[a']",
            "line 2: `[a` cannot be used as a path pattern: unclosed character class; missing ']'",
        );
    }
}
