//! `cargo xtask docs`: what the program itself knows best, in the README and in `docs/`.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::workspace::{dice, root, success};

const BEGIN: &str = "<!-- The command reference below is written by `cargo xtask docs`. -->\n";
const END: &str = "<!-- The command reference ends here. -->\n";

/// What stands before the reference of the configuration.
const ROUTER: &str = "\
<!-- This file is written by `cargo xtask docs`. -->

# router.toml

Everything that can be written in `router.toml` and in the files of its `rules`. All of it is optional unless it \
says otherwise. `dice rules schema` prints the same, and `dice rules schema --format json` a JSON Schema for \
editors. The [README](../README.md#rules-digests-escalation) has an example.
";

/// Writes the generated parts of the documentation.
pub(crate) fn run() -> Result<bool> {
    for page in pages()? {
        if page.old.as_ref() == Some(&page.new) {
            continue;
        }
        let file = root().join(page.name);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        fs::write(file, page.new).with_context(|| format!("cannot write {}", page.name))?;
        println!("{} written", page.name);
    }
    Ok(true)
}

/// Whether the generated parts of the documentation are what the program says now.
pub(crate) fn check() -> Result<bool> {
    let mut is_fresh = true;
    for page in pages()? {
        if page.old.as_ref() != Some(&page.new) {
            println!("{}: it is not what dice says now; run `cargo xtask docs`", page.name);
            is_fresh = false;
        }
    }
    Ok(is_fresh)
}

/// A file with generated parts.
struct Page {
    name: &'static str,
    /// What is in it; `None` where there is no such file.
    old: Option<String>,
    /// What belongs in it.
    new: String,
}

fn pages() -> Result<[Page; 2]> {
    let dice = dice(false)?;
    let say =
        |arguments: &[&str]| Ok::<_, anyhow::Error>(success(Command::new(&dice).args(arguments))?.stdout);
    let readme = fs::read_to_string(root().join("README.md")).context("cannot read the README")?;
    let new = with_reference(&readme, &say(&["reference"])?)
        .with_context(|| format!("README.md has no place for the command reference: {BEGIN}{END}"))?;
    let router = format!("{ROUTER}\n{}\n", say(&["reference", "--router"])?.trim());
    let old = fs::read_to_string(root().join("docs/router.md")).ok();
    Ok([
        Page { name: "README.md", old: Some(readme), new },
        Page { name: "docs/router.md", old, new: router },
    ])
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
