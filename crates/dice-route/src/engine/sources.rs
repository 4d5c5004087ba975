//! How many events came from where, in few bytes.

use super::bytes::FewBytes;
use super::codec::{put_varint, varint_at};

/// Origins and how many events came from each: pairs of numbers, seven bits a byte.
///
/// They lie behind a first byte, some bits of which say how many pairs there are. An order is kept: the first
/// that came is the first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sources<'b> {
    bytes: &'b [u8],
    left: u8,
}

impl<'b> Sources<'b> {
    /// `n` pairs at the beginning of some bytes.
    pub(crate) fn new(bytes: &'b [u8], n: u8) -> Sources<'b> {
        Sources { bytes, left: n }
    }

    /// How many pairs follow.
    pub(crate) fn len(&self) -> usize {
        usize::from(self.left)
    }

    /// The bytes of all of them, and those behind.
    pub(crate) fn split(mut self) -> (&'b [u8], &'b [u8]) {
        let all = self.bytes;
        self.by_ref().for_each(drop);
        all.split_at(all.len() - self.bytes.len())
    }
}

impl Iterator for Sources<'_> {
    type Item = (u32, u32);

    fn next(&mut self) -> Option<(u32, u32)> {
        self.left = self.left.checked_sub(1)?;
        let (origin, at) = varint_at(self.bytes, 0)?;
        let (count, at) = varint_at(self.bytes, at)?;
        self.bytes = &self.bytes[at..];
        Some((origin as u32, count as u32))
    }
}

/// Origins and how many events came from each, no more than so many of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tallied<const MAX: u8> {
    bytes: FewBytes,
}

impl<const MAX: u8> Tallied<MAX> {
    /// Counts events of an origin; past the last one that is told apart they are not counted.
    pub(crate) fn add(&mut self, origin: u32, count: u32) {
        add(&mut self.bytes, u8::MAX, MAX, origin, count);
    }

    /// All of them.
    pub(crate) fn iter(&self) -> Sources<'_> {
        match self.bytes.split_first() {
            Some((n, bytes)) => Sources::new(bytes, *n),
            None => Sources::new(&[], 0),
        }
    }
}

/// Counts events of an origin. `mask` are the bits of the first byte that say how many pairs there are; past
/// `max` of them events of others are not counted.
pub(crate) fn add(bytes: &mut FewBytes, mask: u8, max: u8, origin: u32, count: u32) {
    if bytes.is_empty() {
        *bytes = FewBytes::from(&[0][..]);
    }
    let n = bytes[0] & mask;
    let all: &[u8] = bytes;
    let mut at = 1;
    for _ in 0..n {
        let Some((known, count_at)) = varint_at(all, at) else { return };
        let Some((before, end)) = varint_at(all, count_at) else { return };
        if known == u64::from(origin) {
            let mut room = [0; 5];
            let count = u64::from((before as u32).saturating_add(count));
            return bytes.splice(count_at..end, varint(count, &mut room));
        }
        at = end;
    }
    if n < max {
        let mut pair = Vec::with_capacity(10);
        put(&mut pair, origin, count);
        bytes.splice(at..at, &pair);
        bytes[0] += 1;
    }
}

/// Appends a pair.
pub(crate) fn put(bytes: &mut Vec<u8>, origin: u32, count: u32) {
    put_varint(bytes, u64::from(origin));
    put_varint(bytes, u64::from(count));
}

/// A number of thirty-two bits in room of its own.
fn varint(mut value: u64, room: &mut [u8; 5]) -> &[u8] {
    let mut len = 0;
    while value >= 0x80 {
        room[len] = value as u8 | 0x80;
        value >>= 7;
        len += 1;
    }
    room[len] = value as u8;
    &room[..=len]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_counted_in_the_order_in_which_they_came() {
        let mut bytes = FewBytes::default();
        let mut known: Vec<(u32, u32)> = Vec::new();
        for (origin, count) in [(7, 1), (300, 1), (7, 126), (7, 1), (u32::MAX, 3), (300, u32::MAX), (1, 1)] {
            add(&mut bytes, 0x1f, 3, origin, count);
            match known.iter().position(|(other, _)| *other == origin) {
                Some(place) => known[place].1 = known[place].1.saturating_add(count),
                None if known.len() < 3 => known.push((origin, count)),
                None => {}
            }
            let sources = Sources::new(&bytes[1..], bytes[0] & 0x1f);
            assert_eq!((sources.len(), sources.collect::<Vec<_>>()), (known.len(), known.clone()));
        }
        assert_eq!(Sources::new(&bytes[1..], 3).split(), (&bytes[1..], &[][..]));
    }
}
