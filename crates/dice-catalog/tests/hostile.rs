//! A catalog may come from anywhere: any bytes give a catalog or an error, and what was read is written again.

use dice_catalog::Catalog;
use proptest::prelude::*;

const CATALOG: &str = include_str!("../../../fixtures/catalogs/v1.jsonl");

/// A catalog that can be read can be written, and says the same when it is read again.
fn check(text: &[u8]) {
    let Ok(catalog) = Catalog::parse(text) else { return };
    let mut written = Vec::new();
    catalog.write(&mut written).expect("memory can be written to");
    assert_eq!(Catalog::parse(&written).expect("what was written is a catalog"), catalog);
}

#[test]
fn the_catalog_that_is_changed_here_is_one() {
    assert!(!Catalog::parse(CATALOG.as_bytes()).unwrap().entries.is_empty());
    check(CATALOG.as_bytes());
}

#[test]
fn a_catalog_cut_off_anywhere_is_read_or_refused() {
    for end in 0..CATALOG.len() {
        check(&CATALOG.as_bytes()[..end]);
    }
}

#[test]
fn nesting_without_end_is_refused() {
    let deep = "[".repeat(100_000);
    check(deep.as_bytes());
    check(format!("{{\"dice_catalog\":1,\"x\":{deep}").as_bytes());
}

proptest! {
    #[test]
    fn any_bytes(text in proptest::collection::vec(any::<u8>(), 0..2000)) {
        check(&text);
    }

    #[test]
    fn a_catalog_with_bytes_changed(
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut text = CATALOG.as_bytes().to_vec();
        for (place, byte) in changes {
            let place = place.index(text.len());
            text[place] = byte;
        }
        check(&text);
    }
}
