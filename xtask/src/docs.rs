//! `cargo xtask docs`: the parts of the README that the program itself knows best.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::workspace::{dice, root, success};

const BEGIN: &str = "<!-- The command reference below is written by `cargo xtask docs`. -->\n";
const END: &str = "<!-- The command reference ends here. -->\n";

/// Writes the generated parts of the README.
pub(crate) fn run() -> Result<bool> {
    let (old, new) = old_and_new()?;
    if old != new {
        fs::write(root().join("README.md"), new).context("cannot write the README")?;
        println!("README.md written");
    }
    Ok(true)
}

/// Whether the generated parts of the README are what the program says now.
pub(crate) fn check() -> Result<bool> {
    let (old, new) = old_and_new()?;
    if old != new {
        println!("README.md: the command reference is not what dice says now; run `cargo xtask docs`");
    }
    Ok(old == new)
}

fn old_and_new() -> Result<(String, String)> {
    let old = fs::read_to_string(root().join("README.md")).context("cannot read the README")?;
    let reference = success(Command::new(dice(false)?).arg("reference"))?.stdout;
    let new = with_reference(&old, &reference)
        .with_context(|| format!("README.md has no place for the command reference: {BEGIN}{END}"))?;
    Ok((old, new))
}

/// `readme` with `reference` between its marks; `None` where there are none.
fn with_reference(readme: &str, reference: &str) -> Option<String> {
    let (before, rest) = readme.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{}\n\n{END}{after}", reference.trim()))
}

#[cfg(test)]
mod tests {
    use super::{BEGIN, END, with_reference};

    #[test]
    fn the_reference_is_replaced_and_nothing_else() {
        let readme = format!("a\n{BEGIN}old\n{END}b\n");
        let new = with_reference(&readme, "new\n").unwrap();
        assert_eq!(new, format!("a\n{BEGIN}\nnew\n\n{END}b\n"));
        assert_eq!(with_reference(&new, "new").unwrap(), new);
        assert_eq!(with_reference("a\n", "new"), None);
    }
}
