//! The table of known loggers: `loggers.toml` of a language, `[[logger]]` of a repository.

use std::sync::OnceLock;

use dice_catalog::{Kind, Level};
use serde::Deserialize;

use crate::Language;

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
    /// `error`, `name`, `arg:0`.
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
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Format {
    /// The argument with this 0-based number, in source order.
    Argument(usize),
    /// A word: `literal` is the first string literal among the arguments, `none` means there is no format.
    Word(String),
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
