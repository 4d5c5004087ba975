//! `dice.toml`: what a repository says about itself.

use std::fmt;

/// `dice.toml`, all of it optional.
#[derive(Debug, Clone, Default)]
pub struct Config {}

impl Config {
    /// Reads the text of a `dice.toml`.
    ///
    /// # Errors
    ///
    /// When it is not TOML, or has a key that is not known. The message names the line.
    pub fn parse(text: &str) -> Result<Config, ConfigError> {
        let _ = text;
        Ok(Config {})
    }
}

/// Why a text is not a `dice.toml`.
#[derive(Debug)]
pub struct ConfigError {
    message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConfigError {}
