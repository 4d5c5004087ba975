//! Finding log statements in C.
//!
//! A lexer reads what the preprocessor sees ([`token`]); [`facts`] are what one file defines and calls;
//! [`discovery`] finds, from the known loggers, all functions and macros that pass text on to them; a
//! [`statement`] is a call of one of these, with what it prints worked out symbolically ([`text`], [`body`]).

mod body;
mod callee;
mod discovery;
mod facts;
mod function;
mod segment;
mod signature;
mod statement;
mod text;
mod token;
mod tree;
mod word;

#[cfg(test)]
mod tests;

pub(crate) use facts::Facts;

use callee::{Callee, LevelOf};
use discovery::Callees;

use crate::{Extraction, LANGUAGES, Logger, Settings, Source};

/// Which names of a repository's C print, and how.
#[derive(Debug)]
pub(crate) struct Dictionary {
    callees: Callees,
}

impl Dictionary {
    /// Facts come with their file's number.
    pub(crate) fn new(settings: &Settings, facts: &[(usize, &Facts)]) -> Dictionary {
        let language =
            LANGUAGES.iter().find(|language| language.name == "c").expect("C is in the list of languages");
        Dictionary { callees: discovery::callees(settings, language.table(), facts) }
    }

    pub(crate) fn statements(&self, file: usize, source: &Source<'_>) -> Extraction {
        statement::statements(&self.callees, file, source)
    }

    /// What the repository defines and `dice.toml` names, by name.
    pub(crate) fn loggers(&self) -> Vec<Logger> {
        let found = self.callees.found().map(|(_, found)| logger(&found.callee, found.file));
        found.chain(self.callees.configured().map(|callee| logger(callee, None))).collect()
    }
}

fn logger(callee: &Callee, file: Option<usize>) -> Logger {
    let (level, level_argument) = match callee.level {
        LevelOf::Unknown => (None, None),
        LevelOf::Fixed(level) => (Some(level), None),
        LevelOf::Argument(number) => (None, Some(number)),
    };
    Logger {
        language: "c",
        name: callee.name.clone(),
        file,
        form: callee.form,
        kind: callee.kind,
        level,
        level_argument,
        format: callee.texts.first().and_then(|text| segment::format_param(text)),
        dialect: callee.dialect.name(),
        evidence: callee.evidence.clone(),
    }
}
