//! The README's command reference is what the program says.

use std::path::Path;

use crate::program::dice;

#[test]
fn the_readme_has_the_command_reference() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let reference = dice(&root, &["reference"]).done();
    assert!(readme.contains(reference.trim()), "run `cargo xtask docs`");
}
