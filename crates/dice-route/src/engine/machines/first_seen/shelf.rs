//! Terms in few bytes: the hash of each and when it was last seen.

use crate::engine::codec::{Reader, Writer};
use crate::engine::keys::KeyText;

/// How many terms a shelf has when there are as many as the rule may keep. Fewer would weigh more, as every
/// shelf has the weight of a key; with more, more would be written when one of them is seen.
pub(super) const TERMS_MEANT: usize = 64;

/// How many terms a shelf has at most: hashes do not fall on all shelves evenly.
const MAX_TERMS: usize = 2 * TERMS_MEANT;

/// How much room is added when there is none.
const GROWTH: usize = 4;

/// Bytes of a hash, and of a time; a time of six bytes is good for four thousand years either way.
const HASH_BYTES: usize = 8;
const TIME_BYTES: usize = 6;
const MAX_MS: i64 = (1 << 47) - 1;

/// A hash and a time, so that terms are in the order of their hashes.
type Term = [u8; HASH_BYTES + TIME_BYTES];

/// Some of a rule's terms.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Shelf {
    /// In the order of their hashes.
    terms: Vec<Term>,
}

impl Shelf {
    /// The shelf, of so many, on which a term with this hash stands.
    fn number_of(hash: u64, n_shelves: usize) -> u64 {
        ((u128::from(hash) * n_shelves as u128) >> 64) as u64
    }

    /// Adds the name of the shelf, of so many, on which a term with this hash stands: its number in hexadecimal
    /// digits.
    pub(super) fn name(hash: u64, n_shelves: usize, key: &mut KeyText) {
        let mut rest = Shelf::number_of(hash, n_shelves);
        let mut digits = [b'0'; 16];
        let mut begin = digits.len();
        while begin == digits.len() || rest > 0 {
            begin -= 1;
            digits[begin] = b"0123456789abcdef"[(rest & 15) as usize];
            rest >>= 4;
        }
        key.push_short(&digits[begin..]);
    }

    /// A term is seen; gives when it was last seen before.
    pub(super) fn see(&mut self, hash: u64, at_ms: i64) -> Option<i64> {
        match self.terms.binary_search_by_key(&hash, hash_of) {
            Ok(place) => {
                let before_ms = time_of(&self.terms[place]);
                if before_ms < at_ms {
                    self.terms[place] = term(hash, at_ms);
                }
                Some(before_ms)
            }
            Err(place) => {
                if self.terms.len() == self.terms.capacity() {
                    self.terms.reserve_exact(GROWTH);
                }
                self.terms.insert(place, term(hash, at_ms));
                None
            }
        }
    }

    /// Takes off the term that was not seen for the longest time, among equals the one with the smallest hash.
    /// Gives its hash and when it was last seen.
    pub(super) fn take_oldest(&mut self) -> Option<(u64, i64)> {
        let (place, _) = self.terms.iter().enumerate().min_by_key(|(_, term)| time_of(term))?;
        let term = self.terms.remove(place);
        Some((hash_of(&term), time_of(&term)))
    }

    /// How many terms it has.
    pub(super) fn len(&self) -> usize {
        self.terms.len()
    }

    /// Whether it has more terms than it may.
    pub(super) fn is_crowded(&self) -> bool {
        self.terms.len() > MAX_TERMS
    }

    /// The hashes of its terms.
    pub(super) fn hashes(&self) -> impl Iterator<Item = u64> {
        self.terms.iter().map(hash_of)
    }

    /// Writes it.
    pub(super) fn encode(&self, writer: &mut Writer<'_>) {
        writer.blob(self.terms.as_flattened());
    }

    /// Reads it.
    pub(super) fn decode(reader: &mut Reader<'_, '_>) -> Option<Shelf> {
        let chunks = reader.blob()?.chunks(HASH_BYTES + TIME_BYTES);
        let terms = chunks.map(|chunk| chunk.try_into().ok()).collect::<Option<Vec<Term>>>()?;
        let is_sorted = terms.windows(2).all(|pair| hash_of(&pair[0]) < hash_of(&pair[1]));
        (is_sorted && terms.len() <= MAX_TERMS).then_some(Shelf { terms })
    }
}

fn term(hash: u64, at_ms: i64) -> Term {
    let mut term = Term::default();
    term[..HASH_BYTES].copy_from_slice(&hash.to_be_bytes());
    let time = at_ms.clamp(-MAX_MS, MAX_MS).to_be_bytes();
    term[HASH_BYTES..].copy_from_slice(&time[8 - TIME_BYTES..]);
    term
}

fn hash_of(term: &Term) -> u64 {
    let mut hash = [0; 8];
    hash.copy_from_slice(&term[..HASH_BYTES]);
    u64::from_be_bytes(hash)
}

fn time_of(term: &Term) -> i64 {
    let is_negative = term[HASH_BYTES] & 0x80 != 0;
    let mut time = [if is_negative { 0xff } else { 0 }; 8];
    time[8 - TIME_BYTES..].copy_from_slice(&term[HASH_BYTES..]);
    i64::from_be_bytes(time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::keys;

    #[test]
    fn the_oldest_goes_first_whenever_it_was() {
        let mut shelf = Shelf::default();
        for (hash, at_ms) in [(7, 30), (u64::MAX, -20), (1, 10), (0, i64::MAX), (5, i64::MIN), (7, 5)] {
            shelf.see(hash, at_ms);
        }
        let taken: Vec<(u64, i64)> = std::iter::from_fn(|| shelf.take_oldest()).collect();
        assert_eq!(taken, [(5, -MAX_MS), (u64::MAX, -20), (1, 10), (7, 30), (0, MAX_MS)]);
    }

    #[test]
    fn every_hash_has_a_shelf() {
        let name = |hash, n_shelves| {
            let mut key = KeyText::default();
            Shelf::name(hash, n_shelves, &mut key);
            keys::values(key.bytes()).concat()
        };
        let names = |n_shelves| [0, 1 << 63, u64::MAX].map(|hash| name(hash, n_shelves));
        assert_eq!(names(1), ["0", "0", "0"]);
        assert_eq!(names(15_625), ["0", "1e84", "3d08"]);
    }
}
