//! What a repository's own configuration says about its loggers.

use std::collections::BTreeMap;

use crate::LoggerRule;

/// What a repository's own configuration says about its loggers.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// `[[logger]]`: wins over definitions that are found and over the known table.
    pub loggers: Vec<LoggerRule>,
    /// `[index] ignore_names`: never a logger.
    pub ignore_names: Vec<String>,
    /// `[constants]`: values of format macros that are not defined in the repository.
    pub constants: BTreeMap<String, String>,
}
