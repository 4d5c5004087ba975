//! The table of known loggers: `loggers.toml` of a language, `[[logger]]` of a repository.

use std::fmt;
use std::sync::OnceLock;

use dice_catalog::{Kind, Level};
use serde::Deserialize;
use serde::de::{self, Deserializer};

use crate::dialect::Dialect;
use crate::{LANGUAGES, Language};

/// How callees are used.
const FORMS: [&str; 4] = ["call", "macro", "method", "attribute"];

/// What `lang_fmt` may name.
const DIALECTS: [Dialect; 6] =
    [Dialect::Printf, Dialect::PrintfErrno, Dialect::Kernel, Dialect::Nginx, Dialect::Braces, Dialect::Plain];

/// A language's `loggers.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    /// File name extensions, without the dot.
    pub(crate) extensions: Vec<String>,
    /// The dialect of format strings where a rule does not say.
    pub(crate) dialect: String,
    /// The known loggers.
    #[serde(default, rename = "logger")]
    pub(crate) loggers: Vec<LoggerRule>,
}

/// What is known of some callees: the same fields in a language's table and in `dice.toml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoggerRule {
    /// The language's folder name; only in `dice.toml`.
    pub lang: Option<String>,
    /// `call`, `macro`, `method` or `attribute`.
    pub form: String,
    /// Last path segments; a trailing `*` stands for any ending.
    pub names: Vec<String>,
    /// Where the format string is.
    pub fmt: Option<Format>,
    /// The dialect of the format string: `printf`, `printf+m`, `kernel`, `nginx`, `rust`, `none`.
    pub lang_fmt: Option<String>,
    /// `error`, `name`, `arg:0`, `none`.
    pub level: Option<String>,
    /// What sort of text is printed.
    pub kind: Option<Kind>,
    /// What the callee puts before the message; `{func}` and other names in braces are holes.
    pub header: Option<String>,
    /// What the callee puts after the message.
    pub suffix: Option<String>,
    /// Which argument is the stream that decides the kind.
    pub stream: Option<usize>,
    /// Which argument is the target, `arg:N`.
    pub target: Option<String>,
    /// Bytes after which the message is cut.
    pub max: Option<u32>,
    /// Any of these in the file confirms a weak rule.
    pub imports: Vec<String>,
    /// The name alone is not evidence: a definition or an import must confirm it.
    pub weak: bool,
}

/// Where a callee's format string is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// The argument with this 0-based number, in source order.
    Argument(usize),
    /// A word: `literal` is the first string literal among the arguments, `none` means there is no format,
    /// and `source` that the first argument's own source text is printed, as `assert` does.
    Word(String),
}

impl<'de> Deserialize<'de> for Format {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Format, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Format;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number from 0, or `literal` or `none`")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Format, E> {
                usize::try_from(number).map(Format::Argument).map_err(|_| wanted(number))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Format, E> {
                usize::try_from(number).map(Format::Argument).map_err(|_| wanted(number))
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Format, E> {
                match word {
                    "literal" | "none" | "source" => Ok(Format::Word(word.to_owned())),
                    _ => Err(wanted(format_args!("`{word}`"))),
                }
            }
        }

        fn wanted<E: de::Error>(found: impl fmt::Display) -> E {
            E::custom(format_args!("wanted a number from 0, or `literal` or `none`, found {found}"))
        }

        deserializer.deserialize_any(Visitor)
    }
}

/// What a rule's `level` means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LevelRule {
    /// The rule does not say.
    Unknown,
    /// Always this one.
    Fixed(Level),
    /// The constant in this argument.
    Argument(usize),
    /// The callee's own name tells.
    Name,
}

impl LoggerRule {
    /// What is wrong with the rule's words: what was wanted, what was found. The first of several.
    pub fn problem(&self) -> Option<String> {
        let names = |names: &[&str]| {
            let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            quoted.join(", ")
        };
        if let Some(lang) = &self.lang
            && !LANGUAGES.iter().any(|known| known.name == lang)
        {
            let known: Vec<&str> = LANGUAGES.iter().map(|known| known.name).collect();
            return Some(format!("unknown language `{lang}`, expected one of {}", names(&known)));
        }
        if self.names.is_empty() {
            return Some("wanted `names = [\"…\"]` in [[logger]], found none".to_owned());
        }
        // Without a form, every language takes its own most common one.
        if !self.form.is_empty() && !FORMS.contains(&self.form.as_str()) {
            return Some(format!("unknown form `{}`, expected one of {}", self.form, names(&FORMS)));
        }
        if let Some(dialect) = &self.lang_fmt
            && Dialect::named(dialect).is_none()
        {
            let known = DIALECTS.map(Dialect::name);
            return Some(format!("unknown lang_fmt `{dialect}`, expected one of {}", names(&known)));
        }
        if let Some(level) = &self.level
            && level != "none"
            && self.level_rule() == LevelRule::Unknown
        {
            let known = names(&Level::ALL.map(Level::as_str));
            return Some(format!("unknown level `{level}`, expected {known}, `name`, `none` or `arg:0`"));
        }
        if let Some(target) = &self.target
            && target.strip_prefix("arg:").and_then(|number| number.parse::<usize>().ok()).is_none()
        {
            return Some(format!("unknown target `{target}`, expected an argument: `arg:0`"));
        }
        None
    }

    /// Reads `level`.
    pub fn level_rule(&self) -> LevelRule {
        match self.level.as_deref() {
            None | Some("none") => LevelRule::Unknown,
            Some("name") => LevelRule::Name,
            Some(text) => match text.strip_prefix("arg:") {
                Some(number) => number.parse().map_or(LevelRule::Unknown, LevelRule::Argument),
                None => Level::from_word(text).map_or(LevelRule::Unknown, LevelRule::Fixed),
            },
        }
    }
}

impl Language {
    /// The language's `loggers.toml`, read once.
    pub(crate) fn table(&self) -> &'static Table {
        static TABLES: OnceLock<Vec<Table>> = OnceLock::new();
        let tables = TABLES.get_or_init(|| {
            let read = |language: &Language| {
                toml::from_str(language.loggers).expect("a test reads every loggers.toml that ships")
            };
            crate::LANGUAGES.iter().map(read).collect()
        });
        let place = crate::LANGUAGES.iter().position(|language| language.name == self.name);
        &tables[place.expect("languages come from the list")]
    }
}

#[cfg(test)]
mod tests {
    use super::LoggerRule;
    use crate::LANGUAGES;

    #[track_caller]
    fn check(rule: &str, want: &str) {
        let problem = match toml::from_str::<LoggerRule>(rule) {
            Ok(rule) => rule.problem(),
            Err(error) => Some(error.message().to_owned()),
        };
        assert_eq!(problem.unwrap_or_default(), want);
    }

    #[test]
    fn what_ships_has_no_problem() {
        for language in LANGUAGES {
            for rule in &language.table().loggers {
                assert_eq!(rule.problem(), None, "{rule:?}");
            }
        }
    }

    #[test]
    fn a_problem_says_what_is_allowed() {
        check("names = ['x']", "");
        check("names = ['x']\nform = 'method'\nlang_fmt = 'kernel'\nlevel = 'arg:1'\nfmt = 0", "");
        check("names = ['x']\nlevel = 'ERR'\ntarget = 'arg:1'\nfmt = 'none'", "");
        check("lang = 'cobol'\nnames = ['x']", "unknown language `cobol`, expected one of `c`, `rust`");
        check("lang = 'c'", "wanted `names = [\"…\"]` in [[logger]], found none");
        check(
            "names = ['x']\nform = 'func'",
            "unknown form `func`, expected one of `call`, `macro`, `method`, `attribute`",
        );
        check(
            "names = ['x']\nlang_fmt = 'prinf'",
            "unknown lang_fmt `prinf`, expected one of `printf`, `printf+m`, `kernel`, `nginx`, `rust`, `none`",
        );
        for level in ["loud", "arg:x", "arg:-1", ""] {
            check(
                &format!("names = ['x']\nlevel = '{level}'"),
                &format!(
                    "unknown level `{level}`, expected `trace`, `debug`, `info`, `notice`, `warning`, `error`, \
                     `critical`, `name`, `none` or `arg:0`"
                ),
            );
        }
        check("names = ['x']\ntarget = 'x'", "unknown target `x`, expected an argument: `arg:0`");
        check("names = ['x']\nfmt = -1", "wanted a number from 0, or `literal` or `none`, found -1");
        check(
            "names = ['x']\nfmt = 'second'",
            "wanted a number from 0, or `literal` or `none`, found `second`",
        );
        check(
            "names = ['x']\nfmt = true",
            "invalid type: boolean `true`, expected a number from 0, or `literal` or `none`",
        );
    }
}
