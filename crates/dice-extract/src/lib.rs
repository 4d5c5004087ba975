//! Source text in, log statements out.
//!
//! Three pure steps: [`facts`] of one file, a [`dictionary`] of loggers from all facts, [`statements`] of
//! one file given the dictionary. No paths, no git, no threads, no clock. Callers decide what to parse and
//! in what order; nothing fails: a file that does not parse gives what can be had and a list of problems.

mod annotation;
mod c;
mod dialect;
mod dictionary;
mod language;
mod literal;
mod rust;
mod settings;
mod table;

use dice_catalog::{LineNo, Statement};

pub use dictionary::{Dictionary, Facts, Logger};
pub use language::{LANGUAGES, Language};
pub use settings::Settings;
pub use table::{Format, LevelRule, LoggerRule};

/// One file's text, and what the caller knows of it.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Its language.
    pub language: &'static Language,
    /// The path of the file's module as log lines show it (`app::srv`); empty where the language has none.
    pub module: &'a str,
    /// Its bytes, whatever they are.
    pub text: &'a [u8],
}

/// What one file yields.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Extraction {
    /// Its statements, in the order of the text.
    pub statements: Vec<Statement>,
    /// What could not be read, in the order of the text.
    pub problems: Vec<Problem>,
}

/// Something in a file that could not be read as meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it begins.
    pub line: LineNo,
    /// What is wrong, in lower case, without a full stop.
    pub text: String,
}

/// What one file tells about loggers: definitions of macros and functions.
pub fn facts(source: &Source<'_>) -> Facts {
    Facts::of(source)
}

/// Which names log, from the facts of all files of one repository.
///
/// A file's number is its place in `facts`; definitions that only one file can see count for that file.
pub fn dictionary(settings: &Settings, facts: &[Facts]) -> Dictionary {
    Dictionary::new(settings, facts)
}

/// The statements of the file whose facts stood at `file`.
pub fn statements(dictionary: &Dictionary, file: usize, source: &Source<'_>) -> Extraction {
    dictionary.statements(file, source)
}
