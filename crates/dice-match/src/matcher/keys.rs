//! The key index: which shapes are worth asking for a line.
//!
//! It may give too many shapes, never too few. A shape is filed under the pair of neighbouring words, or
//! the word, that the fewest shapes hold, among those that stand whole in every line the shape prints.
//! Shapes without such a word are filed under their first bytes, or in a list of their own.

use rustc_hash::FxHashMap;

use super::shape::Shape;
use super::words;

/// Bytes of a head that are looked at.
const HEAD: usize = 4;
/// Words of one line that are looked up.
const WORDS: usize = 8192;

/// Which shapes are worth asking for a line.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    /// A bit for each key: most words of a line are none.
    filter: Vec<u64>,
    filter_shift: u32,
    slots: Vec<Slot>,
    slot_shift: u32,
    /// The shapes of each slot, one after the other.
    filed: Vec<Filed>,
    /// By their first bytes: shapes that no word is the key of.
    heads: FxHashMap<u64, Vec<u32>>,
    /// By their first bytes: all shapes, for lines that were cut.
    cut: FxHashMap<u64, Vec<u32>>,
    /// Shapes with words, none of which stands whole, that start with a hole.
    loose: Vec<u32>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    key: u64,
    first: u32,
    len: u32,
}

#[derive(Debug, Clone, Copy)]
struct Filed {
    words: u64,
    shape: u32,
}

/// The words of a line, as the index knows them.
#[derive(Debug, Default)]
pub(crate) struct LineWords {
    /// A bit for each word.
    set: u64,
    /// Keys of the index that the line holds, by their slots.
    slots: Vec<(u32, u32)>,
    /// There were more words than are looked up.
    pub(crate) is_cut: bool,
}

impl Keys {
    /// Files `shapes`.
    pub(crate) fn new(shapes: &[Shape]) -> Keys {
        let mut counts: FxHashMap<u64, u32> = FxHashMap::default();
        for shape in shapes {
            shape.whole_words(|word, before| {
                *counts.entry(word).or_default() += 1;
                if let Some(before) = before {
                    *counts.entry(words::pair(before, word)).or_default() += 1;
                }
            });
        }
        let mut keys = Keys::default();
        let mut filed: Vec<(u64, Filed)> = Vec::with_capacity(shapes.len());
        for (place, shape) in shapes.iter().enumerate() {
            let place = place as u32;
            if let Some(head) = shape.head().filter(|head| head.len() >= HEAD) {
                keys.cut.entry(head_key(&head[..HEAD])).or_default().push(place);
            }
            if !shape.is_worded() && !shape.is_marked() {
                continue;
            }
            let mut best: Option<(u32, u64)> = None;
            shape.whole_words(|word, before| {
                for key in [before.map(|before| words::pair(before, word)), Some(word)].into_iter().flatten()
                {
                    let count = counts.get(&key).copied().unwrap_or(0);
                    if best.is_none_or(|(known, _)| count < known) {
                        best = Some((count, key));
                    }
                }
            });
            match (best, shape.head()) {
                (Some((_, key)), _) => filed.push((key, Filed { words: shape.words, shape: place })),
                (None, Some(head)) => {
                    keys.heads.entry(head_key(&head[..head.len().min(HEAD)])).or_default().push(place);
                }
                (None, None) => keys.loose.push(place),
            }
        }
        filed.sort_by_key(|(key, filed)| (*key, filed.shape));
        keys.fill(&filed);
        keys
    }

    fn fill(&mut self, filed: &[(u64, Filed)]) {
        self.filed = filed.iter().map(|(_, filed)| *filed).collect();
        let n_keys = filed.chunk_by(|a, b| a.0 == b.0).count();
        let slot_bits = (n_keys * 2).max(16).next_power_of_two().trailing_zeros();
        let filter_bits = slot_bits + 4;
        self.slot_shift = 64 - slot_bits;
        self.filter_shift = 64 - filter_bits;
        self.slots = vec![Slot::default(); 1 << slot_bits];
        self.filter = vec![0; 1 << (filter_bits - 6)];
        let mut first = 0;
        for chunk in filed.chunk_by(|a, b| a.0 == b.0) {
            let key = chunk[0].0;
            let mut at = (spread(key) >> self.slot_shift) as usize;
            while self.slots[at].len > 0 {
                at = (at + 1) & (self.slots.len() - 1);
            }
            self.slots[at] = Slot { key, first, len: chunk.len() as u32 };
            first += chunk.len() as u32;
            let bit = spread(key) >> self.filter_shift;
            self.filter[(bit >> 6) as usize] |= 1 << (bit & 63);
        }
    }

    fn look_up(&self, key: u64) -> Option<Slot> {
        let spread = spread(key);
        let bit = spread >> self.filter_shift;
        if self.filter.get((bit >> 6) as usize)? >> (bit & 63) & 1 == 0 {
            return None;
        }
        let mut at = (spread >> self.slot_shift) as usize;
        loop {
            let slot = self.slots[at];
            if slot.len == 0 {
                return None;
            }
            if slot.key == key {
                return Some(slot);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    /// Gives `shape` every shape that is worth asking for `text`, most of them once.
    ///
    /// `starts` are the places where a message may start.
    pub(crate) fn candidates(
        &self,
        text: &[u8],
        starts: &[usize],
        line: &mut LineWords,
        mut shape: impl FnMut(u32),
    ) {
        line.set = 0;
        line.slots.clear();
        line.is_cut = false;
        let mut before = None;
        for (n, word) in words::words(text).enumerate() {
            if n >= WORDS {
                line.is_cut = true;
                break;
            }
            line.set |= words::bit(word.hash);
            if let Some(slot) = self.look_up(word.hash) {
                line.slots.push((slot.first, slot.len));
            }
            if let Some(before) = before
                && let Some(slot) = self.look_up(words::pair(before, word.hash))
            {
                line.slots.push((slot.first, slot.len));
            }
            before = Some(word.hash);
        }
        line.slots.sort_unstable();
        line.slots.dedup();
        for &(first, len) in &line.slots {
            for filed in &self.filed[first as usize..(first + len) as usize] {
                if filed.words & !line.set == 0 || line.is_cut {
                    shape(filed.shape);
                }
            }
        }
        for &start in starts {
            self.by_head(&self.heads, &text[start..], &mut shape);
        }
        self.loose.iter().copied().for_each(shape);
    }

    /// Gives `shape` every shape whose first bytes `text` starts with.
    pub(crate) fn cut_candidates(&self, text: &[u8], shape: impl FnMut(u32)) {
        if let Some(head) = text.get(..HEAD) {
            self.cut.get(&head_key(head)).into_iter().flatten().copied().for_each(shape);
        }
    }

    fn by_head(&self, heads: &FxHashMap<u64, Vec<u32>>, text: &[u8], mut shape: impl FnMut(u32)) {
        if heads.is_empty() {
            return;
        }
        for len in 1..=HEAD.min(text.len()) {
            heads.get(&head_key(&text[..len])).into_iter().flatten().for_each(|&place| shape(place));
        }
    }

    /// Bytes of the index.
    pub(crate) fn bytes(&self) -> usize {
        let lists = |heads: &FxHashMap<u64, Vec<u32>>| -> usize {
            heads.values().map(|list| 48 + 4 * list.len()).sum()
        };
        8 * self.filter.len()
            + size_of_val(&*self.slots)
            + size_of_val(&*self.filed)
            + lists(&self.heads)
            + lists(&self.cut)
            + 4 * self.loose.len()
    }
}

fn spread(key: u64) -> u64 {
    key.wrapping_mul(0xD6E8_FEB8_6659_FD93)
}

fn head_key(head: &[u8]) -> u64 {
    head.iter().fold(head.len() as u64, |key, &byte| key << 8 | u64::from(byte))
}
