//! Which names log, in every language of a repository.

use dice_catalog::{Kind, Level};

use crate::language::Reader;
use crate::{Extraction, Settings, Source, c, rust};

/// What one file tells about loggers.
#[derive(Debug)]
pub struct Facts(FactsOf);

#[derive(Debug)]
enum FactsOf {
    C(c::Facts),
    Rust(rust::Facts),
}

impl Facts {
    pub(crate) fn of(source: &Source<'_>) -> Facts {
        Facts(match source.language.reader {
            Reader::Preprocessor => FactsOf::C(c::Facts::of(source)),
            Reader::TokenTrees => FactsOf::Rust(rust::Facts::of(source)),
        })
    }
}

/// Which names log, and how.
#[derive(Debug)]
pub struct Dictionary {
    c: c::Dictionary,
    rust: rust::Dictionary,
}

impl Dictionary {
    pub(crate) fn new(settings: &Settings, facts: &[Facts]) -> Dictionary {
        let c = facts.iter().enumerate().filter_map(|(file, facts)| match &facts.0 {
            FactsOf::C(facts) => Some((file, facts)),
            FactsOf::Rust(_) => None,
        });
        let rust = facts.iter().enumerate().filter_map(|(file, facts)| match &facts.0 {
            FactsOf::Rust(facts) => Some((file, facts)),
            FactsOf::C(_) => None,
        });
        Dictionary {
            c: c::Dictionary::new(settings, &c.collect::<Vec<_>>()),
            rust: rust::Dictionary::new(settings, &rust.collect::<Vec<_>>()),
        }
    }

    pub(crate) fn statements(&self, file: usize, source: &Source<'_>) -> Extraction {
        match source.language.reader {
            Reader::Preprocessor => self.c.statements(file, source),
            Reader::TokenTrees => self.rust.statements(file, source),
        }
    }

    /// What was taken for a logger, by language and name.
    pub fn loggers(&self) -> Vec<Logger> {
        let mut loggers = self.c.loggers();
        loggers.extend(self.rust.loggers());
        loggers.sort_by(|a, b| (a.language, &a.name, a.file).cmp(&(b.language, &b.name, b.file)));
        loggers
    }
}

/// A function or macro that was taken for a logger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logger {
    /// The language's folder name.
    pub language: &'static str,
    /// Its name in the source.
    pub name: String,
    /// The number of the only file that can see it; `None` when all can.
    pub file: Option<usize>,
    /// `call`, `macro`, `method`, as in `loggers.toml`.
    pub form: &'static str,
    /// What sort of text it prints.
    pub kind: Kind,
    /// Its level, where it is always the same.
    pub level: Option<Level>,
    /// Which argument holds the level.
    pub level_argument: Option<usize>,
    /// Which argument is the format, counted in the source from 0; `None` when the text is its own.
    pub format: Option<usize>,
    /// The dialect of its format strings.
    pub dialect: &'static str,
    /// Why: the rules that led to it, first cause last. Each is a sentence without a full stop.
    pub evidence: Vec<String>,
}
