//! Finding log statements in Rust.

use crate::{Extraction, Logger, Settings, Source};

#[derive(Debug)]
pub(crate) struct Facts;

impl Facts {
    pub(crate) fn of(_source: &Source<'_>) -> Facts {
        Facts
    }
}

#[derive(Debug)]
pub(crate) struct Dictionary;

impl Dictionary {
    /// Facts come with their file's number.
    pub(crate) fn new(_settings: &Settings, _facts: &[(usize, &Facts)]) -> Dictionary {
        Dictionary
    }

    pub(crate) fn statements(&self, _file: usize, _source: &Source<'_>) -> Extraction {
        Extraction::default()
    }

    pub(crate) fn loggers(&self) -> Vec<Logger> {
        Vec::new()
    }
}
