//! What a configuration means, and what is said about one that is wrong.

use dice_config::{Given, Texts, example, load};

#[test]
fn the_example_is_valid() {
    let loaded = load("router.toml", example(), &Texts::default(), &Given::default());
    let loaded = loaded.unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!((loaded.sources.len(), loaded.router.rules.len(), loaded.cases.len()), (2, 3, 1));
}
