//! Numbers that look random and are the same for the same seed.

/// A source of numbers (SplitMix64).
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// From 0 up to `end`, which does not belong to it.
    pub(crate) fn below(&mut self, end: i64) -> i64 {
        (self.number() % end.max(1) as u64) as i64
    }

    /// From `start` to `end`, both belong to it.
    pub(crate) fn between(&mut self, start: i64, end: i64) -> i64 {
        start + self.below(end - start + 1)
    }

    /// True in so many of a hundred cases.
    pub(crate) fn percent(&mut self, chance: i64) -> bool {
        self.below(100) < chance
    }

    pub(crate) fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len() as i64) as usize]
    }
}
