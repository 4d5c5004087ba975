//! The keys of a rule: what they are written as, and where what is kept for them lies.

use std::hint::black_box;

use super::bytes::Bytes;
use super::life::Head;
use super::text_hash;
use crate::Key;
use crate::condition::Field;
use crate::config::OnMissingKey;
use crate::{Event, name};

/// The longest value that is kept whole.
const MAX_VALUE_BYTES: usize = 256;

/// How much of a longer value is kept before its name.
const KEPT_BYTES: usize = 200;

/// The values of a key, each with its length before it: shorter than JSON and quicker to make.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct KeyText {
    bytes: Vec<u8>,
}

impl KeyText {
    /// No values.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
    }

    /// One more value. Very long ones are cut and told apart by a name of the whole.
    pub(crate) fn push(&mut self, value: &str) {
        if value.len() <= MAX_VALUE_BYTES {
            return self.push_short(value.as_bytes());
        }
        let start = super::words::cut(value, KEPT_BYTES);
        self.push_short(format!("{start}…{}", name(&[value.as_bytes()])).as_bytes());
    }

    /// One more value, which is short: the bytes of a text.
    pub(crate) fn push_short(&mut self, value: &[u8]) {
        super::codec::put_varint(&mut self.bytes, value.len() as u64);
        self.bytes.extend_from_slice(value);
    }

    /// Puts in the values of these fields; `false` if one is missing that must not be.
    pub(crate) fn fill(&mut self, event: &Event, fields: &[Field], on_missing: OnMissingKey) -> bool {
        self.clear();
        for field in fields {
            match field.of(event) {
                None if on_missing == OnMissingKey::Skip => return false,
                value => self.push(value.as_deref().unwrap_or(Key::MISSING)),
            }
        }
        true
    }

    /// The values as bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// The bytes of a key whose only value is the text of `value`, which is shorter than 128 bytes, written into `room`.
pub(crate) fn short_text<'r>(value: &[u8], room: &'r mut [u8]) -> &'r [u8] {
    debug_assert!(value.len() < 128.min(room.len()), "a length of one byte, and room for both");
    room[0] = value.len() as u8;
    room[1..=value.len()].copy_from_slice(value);
    &room[..=value.len()]
}

/// The bytes of a key. Those of most keys lie where the rest of what is kept for the key lies.
pub(crate) type KeyBytes = Bytes<22>;

/// The values of a key that was written as bytes.
pub(crate) fn values(mut bytes: &[u8]) -> Vec<&str> {
    let mut values = Vec::new();
    while let Some((len, start)) = super::codec::varint_at(bytes, 0) {
        let end = start.saturating_add(len as usize);
        let Some(value) = bytes.get(start..end) else { break };
        values.push(std::str::from_utf8(value).unwrap_or_default());
        bytes = &bytes[end..];
    }
    values
}

/// The key as the rest of the router knows it.
pub(crate) fn to_key(bytes: &[u8]) -> Key {
    Key(to_json(bytes).into())
}

/// The same as a text of its own.
pub(crate) fn to_json(mut bytes: &[u8]) -> String {
    let mut json = String::with_capacity(bytes.len() + 16);
    json.push('[');
    while let Some((len, start)) = super::codec::varint_at(bytes, 0) {
        let end = start.saturating_add(len as usize);
        let Some(value) = bytes.get(start..end) else { break };
        let value = std::str::from_utf8(value).unwrap_or_default();
        if json.len() > 1 {
            json.push(',');
        }
        if value.bytes().any(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
            json.push_str(&serde_json::to_string(value).expect("a text is JSON"));
        } else {
            json.push('"');
            json.push_str(value);
            json.push('"');
        }
        bytes = &bytes[end..];
    }
    json.push(']');
    json
}

/// The bytes of a key as the rest of the router knows it.
pub(crate) fn from_key(key: &str) -> Option<KeyText> {
    let values: Vec<std::borrow::Cow<'_, str>> = serde_json::from_str(key).ok()?;
    let mut text = KeyText::default();
    values.iter().for_each(|value| text.push_short(value.as_bytes()));
    Some(text)
}

/// The hash of a key.
pub(crate) fn hash_of(bytes: &[u8]) -> u32 {
    (text_hash(0, bytes) >> 32) as u32
}

/// How many slots are made at once: memory grows by this and not by doubling.
const CHUNK: usize = 256;

/// A place of the slab.
#[derive(Debug)]
pub(crate) struct Slot<S> {
    /// What every key has.
    pub(crate) head: Head,
    /// What the machine keeps.
    pub(crate) state: S,
}

/// The keys of a rule with what is kept for them.
///
/// A key has a number for as long as it lives; the number is for memory only and never decides anything.
#[derive(Debug)]
pub(crate) struct Keys<S> {
    chunks: Vec<Vec<Option<Slot<S>>>>,
    free: Vec<u32>,
    /// Places by hash, open addressing; 0 is empty, else one more than the number.
    table: Vec<u32>,
    len: usize,
}

impl<S> Default for Keys<S> {
    fn default() -> Keys<S> {
        Keys { chunks: Vec::new(), free: Vec::new(), table: vec![0; 16], len: 0 }
    }
}

impl<S> Keys<S> {
    /// Bytes that are taken up beside the states.
    pub(crate) fn own_bytes(&self) -> usize {
        self.chunks.len() * CHUNK * size_of::<Head>() + self.table.capacity() * size_of::<u32>()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The number of a key.
    pub(crate) fn find(&self, key: &[u8], hash: u32) -> Option<u32> {
        let mask = self.table.len() - 1;
        let mut place = hash as usize & mask;
        loop {
            let id = self.table[place].checked_sub(1)?;
            let head = &self.get(id)?.head;
            if head.hash == hash && *head.key == *key {
                return Some(id);
            }
            place = (place + 1) & mask;
        }
    }

    /// What is kept for the key with this number.
    pub(crate) fn get(&self, id: u32) -> Option<&Slot<S>> {
        let id = id as usize;
        self.chunks.get(id / CHUNK)?.get(id % CHUNK)?.as_ref()
    }

    /// Brings what is kept for these keys near the processor, all at once rather than one after the other when
    /// each is needed.
    pub(crate) fn fetch(&self, ids: impl Iterator<Item = u32>) {
        let heads = ids.filter_map(|id| self.get(id)).map(|slot| slot.head.waiting);
        black_box(heads.fold(0_u32, u32::wrapping_add));
    }

    /// The same for the key that probably has this hash.
    pub(crate) fn fetch_hash(&self, hash: u32) {
        let place = hash as usize & (self.table.len() - 1);
        if let Some(id) = self.table[place].checked_sub(1) {
            self.fetch(std::iter::once(id));
        }
    }

    /// What is kept for the key with this number.
    pub(crate) fn get_mut(&mut self, id: u32) -> Option<&mut Slot<S>> {
        let id = id as usize;
        self.chunks.get_mut(id / CHUNK)?.get_mut(id % CHUNK)?.as_mut()
    }

    /// Puts in a key that is not there and gives its number.
    pub(crate) fn insert(&mut self, slot: Slot<S>) -> u32 {
        let hash = slot.head.hash;
        let id = match self.free.pop() {
            Some(id) => {
                self.chunks[id as usize / CHUNK][id as usize % CHUNK] = Some(slot);
                id
            }
            None => {
                if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
                    self.chunks.push(Vec::with_capacity(CHUNK));
                }
                let last = self.chunks.len() - 1;
                self.chunks[last].push(Some(slot));
                (last * CHUNK + self.chunks[last].len() - 1) as u32
            }
        };
        self.len += 1;
        if (self.len + 1) * 4 > self.table.len() * 3 {
            self.grow();
        } else {
            self.enter(hash, id);
        }
        id
    }

    /// Takes a key out.
    pub(crate) fn remove(&mut self, id: u32) -> Option<Slot<S>> {
        let index = id as usize;
        let slot = self.chunks.get_mut(index / CHUNK)?.get_mut(index % CHUNK)?.take()?;
        self.free.push(id);
        self.len -= 1;
        let mask = self.table.len() - 1;
        let mut hole = slot.head.hash as usize & mask;
        while self.table[hole] != id + 1 {
            hole = (hole + 1) & mask;
        }
        // Entries behind the hole move up, unless they already stand at or after where they belong.
        let mut place = hole;
        loop {
            place = (place + 1) & mask;
            let Some(other) = self.table[place].checked_sub(1) else { break };
            let home = self.get(other).map_or(0, |slot| slot.head.hash as usize) & mask;
            if (place.wrapping_sub(home) & mask) >= (place.wrapping_sub(hole) & mask) {
                self.table[hole] = other + 1;
                hole = place;
            }
        }
        self.table[hole] = 0;
        Some(slot)
    }

    /// Every key with its number, in no order that may be relied on.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Slot<S>)> {
        self.chunks.iter().enumerate().flat_map(|(number, chunk)| {
            chunk.iter().enumerate().filter_map(move |(place, slot)| {
                slot.as_ref().map(|slot| ((number * CHUNK + place) as u32, slot))
            })
        })
    }

    fn enter(&mut self, hash: u32, id: u32) {
        let mask = self.table.len() - 1;
        let mut place = hash as usize & mask;
        while self.table[place] != 0 {
            place = (place + 1) & mask;
        }
        self.table[place] = id + 1;
    }

    fn grow(&mut self) {
        let size = self.table.len() * 2;
        self.table = vec![0; size];
        for number in 0..self.chunks.len() {
            for place in 0..self.chunks[number].len() {
                if let Some(slot) = &self.chunks[number][place] {
                    let hash = slot.head.hash;
                    self.enter(hash, (number * CHUNK + place) as u32);
                }
            }
        }
    }
}
