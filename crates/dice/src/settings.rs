//! What the user typed and exported becomes what it means. Only this file looks at the environment.

use std::path::{Path, PathBuf};

use anyhow::Result;
use dice_catalog::Catalog;
use dice_config::is_showable_variable;

use crate::failure::Failure;

/// Where a catalog is kept, seen from a repository's root.
pub(crate) const CATALOG: &str = ".dice/catalog.jsonl";

/// The catalogs that are meant: those given, else `$DICE_CATALOG`, else the one of this directory or the
/// nearest parent that has one.
pub(crate) fn catalog_files(given: &[PathBuf]) -> Result<Vec<PathBuf>> {
    if !given.is_empty() {
        return Ok(given.to_vec());
    }
    if let Some(file) = variable("DICE_CATALOG") {
        return Ok(vec![PathBuf::from(file)]);
    }
    let here = std::env::current_dir()?;
    let mut parents = here.ancestors().map(|directory| directory.join(CATALOG));
    match parents.find(|file| file.is_file()) {
        Some(file) => Ok(vec![file]),
        None => Err(Failure::new(
            format!(
                "wanted a catalog, found none: no --catalog, no $DICE_CATALOG, no {CATALOG} in {} or above",
                here.display()
            ),
            "run `dice index` in the repository whose log this is, or give --catalog FILE",
        )
        .into()),
    }
}

/// Reads a catalog.
pub(crate) fn read_catalog(file: &Path) -> Result<Catalog> {
    let text = std::fs::read(file).map_err(|error| {
        Failure::new(
            format!("wanted to read the catalog {}", file.display()),
            "run `dice index` to write one, or give another --catalog FILE",
        )
        .because(error)
    })?;
    Catalog::parse(&text).map_err(|error| {
        let next = if error.is_newer() {
            "update Dice, or write the catalog again with this one: `dice index`"
        } else {
            "write it again with `dice index`"
        };
        Failure::new(format!("wanted to use the catalog {}", file.display()), next).because(error).into()
    })
}

/// How much Dice says of its own work: `-v` once or twice, else `$DICE_LOG`, else warnings.
pub(crate) fn log_level(verbose: u8) -> tracing::Level {
    match verbose {
        0 => variable("DICE_LOG").and_then(|word| word.parse().ok()).unwrap_or(tracing::Level::WARN),
        1 => tracing::Level::INFO,
        2 => tracing::Level::DEBUG,
        _ => tracing::Level::TRACE,
    }
}

/// The state file that is meant: the one given, else `$DICE_STATE`, else `dice/state.db` in the folder that
/// the system keeps for states.
pub(crate) fn state_file(given: Option<&Path>) -> Result<PathBuf> {
    if let Some(file) = given {
        return Ok(file.to_owned());
    }
    if let Some(file) = variable("DICE_STATE") {
        return Ok(file.into());
    }
    let folder = variable("XDG_STATE_HOME").filter(|folder| Path::new(folder).is_absolute());
    let folder = folder.map(PathBuf::from).or_else(|| {
        let home = variable("HOME")?;
        Some(Path::new(&home).join(".local/state"))
    });
    folder.map(|folder| folder.join("dice/state.db")).ok_or_else(|| {
        Failure::new(
            "wanted a place for the state, found none: no --state, no $DICE_STATE, no $XDG_STATE_HOME, no $HOME",
            "give a file: --state FILE",
        )
        .into()
    })
}

/// The secret in the environment variable that `key` of `whom` names in the configuration.
///
/// Who wrote the secret itself there must not find it in a log: a name is only said where it can be nothing else.
pub(crate) fn secret(name: &str, key: &str, whom: &str) -> Result<String> {
    variable(name).ok_or_else(|| {
        let failure = if is_showable_variable(name) {
            Failure::new(
                format!("wanted a secret for {whom} in ${name}, found nothing there"),
                format!("export {name} before Dice starts, or take the name out of the configuration"),
            )
        } else {
            Failure::new(
                format!(
                    "wanted a secret for {whom} in the environment variable that `{key}` names, found nothing there"
                ),
                "write the variable's name there, never the secret itself, and export it before Dice starts",
            )
        };
        failure.into()
    })
}

/// Who is at the terminal: the name given, else `$DICE_ACTOR`, else the user's name.
pub(crate) fn actor(given: Option<&str>) -> String {
    let name = given.map(str::to_owned).or_else(|| variable("DICE_ACTOR"));
    name.or_else(|| variable("USER")).unwrap_or_else(|| "somebody".to_owned())
}

#[expect(clippy::disallowed_methods, reason = "this is the file that looks at the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{Failure, secret};

    #[track_caller]
    fn check(name: &str, is_told: bool, expected: &str) {
        let error = secret(name, "token_env", "[slack]").unwrap_err();
        assert_eq!(error.to_string(), expected);
        let told = format!("{:?}", error.downcast_ref::<Failure>());
        assert_eq!(told.contains(name), is_told, "{told}");
    }

    #[test]
    fn a_secret_that_was_written_for_a_name_is_not_told() {
        let told = "wanted a secret for [slack] in $NOBODY_SETS_THIS_TOKEN, found nothing there";
        check("NOBODY_SETS_THIS_TOKEN", true, told);
        let hidden = "wanted a secret for [slack] in the environment variable that `token_env` names, found nothing \
                      there";
        check("swordfish", false, hidden);
        check("CORRECT_HORSE", false, hidden);
    }
}
