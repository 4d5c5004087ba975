//! Bytes of state: numbers of seven bits a byte, texts with their length.
//!
//! Reading never panics: whatever is not what was wanted is `None`.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::origin::{Named, Origin, Origins, Sample};

/// Up to so many origins are looked for one after the other: a key seldom has more.
const FEW_ORIGINS: usize = 16;

/// State on its way to bytes.
#[derive(Debug)]
pub(crate) struct Writer<'o> {
    bytes: Vec<u8>,
    origins: &'o Origins,
    /// Origins that were written out; later ones refer to them by their place.
    known: Vec<u32>,
    /// The places of all of them once they are more than a few, as among events that wait.
    places: FxHashMap<u32, usize>,
}

impl<'o> Writer<'o> {
    /// Nothing written so far.
    pub(crate) fn new(origins: &'o Origins) -> Writer<'o> {
        Writer { bytes: Vec::new(), origins, known: Vec::new(), places: FxHashMap::default() }
    }

    /// What was written.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// One byte.
    pub(crate) fn byte(&mut self, value: u8) {
        self.bytes.push(value);
    }

    /// A truth value.
    pub(crate) fn flag(&mut self, value: bool) {
        self.bytes.push(value.into());
    }

    /// A number; small ones are short.
    pub(crate) fn unsigned(&mut self, value: u64) {
        put_varint(&mut self.bytes, value);
    }

    /// A length or a count.
    pub(crate) fn size(&mut self, value: usize) {
        self.unsigned(value as u64);
    }

    /// A number with a sign; small ones are short either way.
    pub(crate) fn signed(&mut self, value: i64) {
        put_signed(&mut self.bytes, value);
    }

    /// A number that may be absent.
    pub(crate) fn signed_or_none(&mut self, value: Option<i64>) {
        self.flag(value.is_some());
        if let Some(value) = value {
            self.signed(value);
        }
    }

    /// A figure, bit for bit.
    pub(crate) fn float(&mut self, value: f64) {
        self.bytes.extend_from_slice(&value.to_bits().to_le_bytes());
    }

    /// Bytes with their number before them.
    pub(crate) fn blob(&mut self, value: &[u8]) {
        self.size(value.len());
        self.bytes.extend_from_slice(value);
    }

    /// A text.
    pub(crate) fn text(&mut self, value: &str) {
        self.blob(value.as_bytes());
    }

    /// A text that may be absent.
    pub(crate) fn text_or_none(&mut self, value: Option<&str>) {
        self.flag(value.is_some());
        if let Some(value) = value {
            self.text(value);
        }
    }

    /// A message's name.
    pub(crate) fn message(&mut self, name: Named) {
        self.flag(name.is_known);
        self.bytes.extend_from_slice(&name.bytes);
    }

    /// Where events came from: in words the first time, later by its place among those.
    pub(crate) fn origin(&mut self, id: u32) {
        if let Some(place) = self.place_of(id) {
            self.size(place + 1);
            return;
        }
        self.know(id);
        self.unsigned(0);
        let origins = self.origins;
        let Some(origin) = origins.get(id) else {
            self.byte(0);
            return;
        };
        self.byte(1);
        for part in [origin.host, origin.service, origin.version, origin.env] {
            self.text_or_none(part);
        }
        self.message(origin.message);
    }

    fn place_of(&self, id: u32) -> Option<usize> {
        if self.known.len() <= FEW_ORIGINS {
            return self.known.iter().position(|known| *known == id);
        }
        self.places.get(&id).copied()
    }

    fn know(&mut self, id: u32) {
        self.known.push(id);
        if self.known.len() > FEW_ORIGINS {
            let unplaced = self.places.len()..self.known.len();
            self.places.extend(unplaced.map(|place| (self.known[place], place)));
        }
    }

    /// A line, if there is one.
    pub(crate) fn sample(&mut self, sample: Option<&Arc<Sample>>) {
        self.flag(sample.is_some());
        sample.into_iter().for_each(|sample| sample.pack(&mut self.bytes));
    }

    /// The same for a line that is [`Packed`](super::origin::Packed).
    pub(crate) fn packed_sample(&mut self, line: Option<&[u8]>) {
        self.flag(line.is_some());
        line.into_iter().for_each(|line| self.bytes.extend_from_slice(line));
    }
}

/// Appends a number, seven bits a byte.
pub(crate) fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push((value as u8) | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Appends a number with a sign.
pub(crate) fn put_signed(bytes: &mut Vec<u8>, value: i64) {
    put_varint(bytes, ((value << 1) ^ (value >> 63)) as u64);
}

/// Appends a text with its length before it.
pub(crate) fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put_varint(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

/// The number with a sign that begins at `at`, and where the next one begins.
pub(crate) fn signed_at(bytes: &[u8], at: usize) -> Option<(i64, usize)> {
    let (value, next) = varint_at(bytes, at)?;
    Some((((value >> 1) as i64) ^ -((value & 1) as i64), next))
}

/// The text that begins at `at` with its length, and where it ends.
pub(crate) fn text_at(bytes: &[u8], at: usize) -> Option<(&str, usize)> {
    let (len, start) = varint_at(bytes, at)?;
    let end = start.checked_add(usize::try_from(len).ok()?)?;
    Some((std::str::from_utf8(bytes.get(start..end)?).ok()?, end))
}

/// The number that begins at `at`, and where the next one begins.
#[inline]
pub(crate) fn varint_at(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    // Most numbers take a byte or two, and some are read with every event.
    match *bytes.get(at..)? {
        [byte @ ..0x80, ..] => Some((u64::from(byte), at + 1)),
        [low, high @ ..0x80, ..] => Some((u64::from(low & 0x7f) | u64::from(high) << 7, at + 2)),
        _ => long_varint_at(bytes, at),
    }
}

fn long_varint_at(bytes: &[u8], mut at: usize) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    let mut shift = 0;
    loop {
        let byte = *bytes.get(at)?;
        at += 1;
        // The tenth byte holds the last bit: anything more is not a number that was written.
        if shift == 63 && byte > 1 {
            return None;
        }
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some((value, at));
        }
        shift += 7;
    }
}

/// Bytes on their way back to state.
#[derive(Debug)]
pub(crate) struct Reader<'b, 'o> {
    bytes: &'b [u8],
    at: usize,
    origins: &'o mut Origins,
    known: Vec<u32>,
}

impl<'b, 'o> Reader<'b, 'o> {
    /// From the first byte on.
    pub(crate) fn new(bytes: &'b [u8], origins: &'o mut Origins) -> Reader<'b, 'o> {
        Reader { bytes, at: 0, origins, known: Vec::new() }
    }

    /// Whether everything was read.
    pub(crate) fn is_done(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// One byte.
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    /// A truth value.
    pub(crate) fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    /// A number.
    pub(crate) fn unsigned(&mut self) -> Option<u64> {
        let (value, next) = varint_at(self.bytes, self.at)?;
        self.at = next;
        Some(value)
    }

    /// How often something happened: never so often that it could not happen again.
    pub(crate) fn count(&mut self) -> Option<u64> {
        self.unsigned().filter(|count| *count <= 1 << 62)
    }

    /// A number of thirty-two bits.
    pub(crate) fn unsigned_32(&mut self) -> Option<u32> {
        self.unsigned()?.try_into().ok()
    }

    /// A count of things that take at least one byte each, so a wrong one cannot ask for more room than there
    /// are bytes.
    pub(crate) fn size(&mut self) -> Option<usize> {
        let size: usize = self.unsigned()?.try_into().ok()?;
        (size <= self.bytes.len() - self.at).then_some(size)
    }

    /// A number with a sign.
    pub(crate) fn signed(&mut self) -> Option<i64> {
        let (value, next) = signed_at(self.bytes, self.at)?;
        self.at = next;
        Some(value)
    }

    /// A number that may be absent.
    #[expect(clippy::option_option, reason = "the outer one is a failure to read")]
    pub(crate) fn signed_or_none(&mut self) -> Option<Option<i64>> {
        Some(if self.flag()? { Some(self.signed()?) } else { None })
    }

    /// A figure.
    pub(crate) fn float(&mut self) -> Option<f64> {
        let bytes = self.exact(8)?;
        Some(f64::from_bits(u64::from_le_bytes(bytes.try_into().ok()?)))
    }

    fn exact(&mut self, len: usize) -> Option<&'b [u8]> {
        let bytes = self.bytes.get(self.at..self.at.checked_add(len)?)?;
        self.at += len;
        Some(bytes)
    }

    /// Bytes with their number before them.
    pub(crate) fn blob(&mut self) -> Option<&'b [u8]> {
        let len = self.size()?;
        self.exact(len)
    }

    /// A text.
    pub(crate) fn text(&mut self) -> Option<&'b str> {
        std::str::from_utf8(self.blob()?).ok()
    }

    /// A text that may be absent.
    #[expect(clippy::option_option, reason = "the outer one is a failure to read")]
    pub(crate) fn text_or_none(&mut self) -> Option<Option<&'b str>> {
        Some(if self.flag()? { Some(self.text()?) } else { None })
    }

    /// A message's name.
    pub(crate) fn message(&mut self) -> Option<Named> {
        let is_known = self.flag()?;
        Some(Named { is_known, bytes: self.exact(16)?.try_into().ok()? })
    }

    /// Where events came from.
    pub(crate) fn origin(&mut self) -> Option<u32> {
        let place: usize = self.unsigned()?.try_into().ok()?;
        if let Some(place) = place.checked_sub(1) {
            return self.known.get(place).copied();
        }
        let id = if self.flag()? {
            let mut parts = [None; 4];
            for part in &mut parts {
                *part = self.text_or_none()?;
            }
            let message = self.message()?;
            let [host, service, version, env] = parts;
            self.origins.id_of(Origin { host, service, version, env, message })
        } else {
            Origins::NONE
        };
        self.known.push(id);
        Some(id)
    }

    /// A line, if there is one.
    #[expect(clippy::option_option, reason = "the outer one is a failure to read")]
    pub(crate) fn sample(&mut self) -> Option<Option<Arc<Sample>>> {
        if !self.flag()? {
            return Some(None);
        }
        let at_ms = self.signed()?;
        let text = self.text()?.into();
        let place = self.text()?.into();
        let trace = self.text_or_none()?.map(Into::into);
        Some(Some(Arc::new(Sample { at_ms, text, place, trace })))
    }
}

#[cfg(test)]
mod tests {
    use super::{FEW_ORIGINS, Reader, Writer};
    use crate::engine::origin::{Named, Origin, Origins};

    fn check(ids: impl Iterator<Item = u32> + Clone) {
        let mut origins = Origins::default();
        for number in 0..100_u32 {
            let (host, message) = (number.to_string(), Named { is_known: false, bytes: [0; 16] });
            origins.id_of(Origin { host: Some(&host), service: None, version: None, env: None, message });
        }
        let mut writer = Writer::new(&origins);
        ids.clone().for_each(|id| writer.origin(id));
        let bytes = writer.into_bytes();
        let mut again = Origins::default();
        let mut reader = Reader::new(&bytes, &mut again);
        let read: Vec<u32> = ids.clone().map_while(|_| reader.origin()).collect();
        let host =
            |origins: &Origins, id: u32| origins.get(id).and_then(|origin| origin.host.map(String::from));
        let hosts: Vec<_> = read.into_iter().map(|id| host(&again, id)).collect();
        assert_eq!(hosts, ids.map(|id| host(&origins, id)).collect::<Vec<_>>());
    }

    #[test]
    fn origins_are_read_as_they_were_written() {
        let few = FEW_ORIGINS as u32;
        check([3, Origins::NONE, 3, 5, Origins::NONE, 5].into_iter());
        check((0..few).chain(0..few));
        check((0..=few).chain(0..=few));
        check((0..100).rev().chain((0..100).flat_map(|id| [id, 99 - id, Origins::NONE])));
    }
}
