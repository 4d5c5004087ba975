//! The times of a key's last events, in few bytes.

use crate::engine::codec::{Reader, Writer, put_varint, varint_at};

/// How much room is added when there is none: doubling would cost an idle key more than its events.
const GROWTH_BYTES: usize = 16;

/// Times that are kept at most.
const MAX_COUNT: u16 = 4_096;

/// The times of a key's last events and where they came from, in order.
///
/// Each is the distance to the one before, twice, plus one where the origin is another; then the origin
/// follows. The first has the distance 0 and always its origin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ring {
    first_ms: i64,
    bytes: Vec<u8>,
    span_ms: u32,
    last_origin: u32,
    count: u16,
}

impl Ring {
    /// How many times there are.
    pub(crate) fn len(&self) -> usize {
        usize::from(self.count)
    }

    /// The last of them.
    pub(crate) fn last_ms(&self) -> Option<i64> {
        (self.count > 0).then(|| self.first_ms.saturating_add(i64::from(self.span_ms)))
    }

    /// All of them, with their origins.
    pub(crate) fn iter(&self) -> Times<'_> {
        Times { bytes: &self.bytes, at: 0, at_ms: self.first_ms, origin: 0 }
    }

    /// Puts a time in, wherever it belongs. Those further back than thirty-two bits of milliseconds go.
    pub(crate) fn push(&mut self, at_ms: i64, origin: u32) {
        let Some(last_ms) = self.last_ms() else {
            self.first_ms = at_ms;
            self.span_ms = 0;
            return self.append(0, origin, true);
        };
        if at_ms < last_ms {
            return self.insert(at_ms, origin);
        }
        if self.count >= MAX_COUNT {
            self.drop_until(self.first_ms);
            return self.push(at_ms, origin);
        }
        let Ok(span_ms) = u32::try_from(at_ms.saturating_sub(self.first_ms)) else {
            self.drop_until(at_ms.saturating_sub(i64::from(u32::MAX)));
            return self.push(at_ms, origin);
        };
        let distance = span_ms - self.span_ms;
        self.span_ms = span_ms;
        self.append(u64::from(distance), origin, origin != self.last_origin);
    }

    fn append(&mut self, distance: u64, origin: u32, is_other: bool) {
        if self.bytes.capacity() - self.bytes.len() < 15 {
            let wanted = varint_len(distance << 1) + if is_other { varint_len(u64::from(origin)) } else { 0 };
            if self.bytes.capacity() - self.bytes.len() < wanted {
                self.bytes.reserve_exact(wanted.max(GROWTH_BYTES));
            }
        }
        put_varint(&mut self.bytes, distance << 1 | u64::from(is_other));
        if is_other {
            put_varint(&mut self.bytes, u64::from(origin));
        }
        self.last_origin = origin;
        self.count += 1;
    }

    fn insert(&mut self, at_ms: i64, origin: u32) {
        let before: Vec<(i64, u32)> = self.iter().collect();
        let place = before.partition_point(|(known, _)| *known <= at_ms);
        self.clear();
        for (at_ms, origin) in before[..place].iter().chain(&[(at_ms, origin)]).chain(&before[place..]) {
            self.push(*at_ms, *origin);
        }
    }

    /// Drops every time up to this one.
    pub(crate) fn drop_until(&mut self, bound_ms: i64) {
        if self.count == 0 || self.first_ms > bound_ms {
            return;
        }
        let mut times = self.iter();
        let mut dropped = 0;
        let kept = loop {
            match times.next() {
                Some((at_ms, _)) if at_ms <= bound_ms => dropped += 1,
                kept => break kept,
            }
        };
        let end = times.at;
        let Some((at_ms, origin)) = kept else { return self.clear() };
        // The first that stays is written as a first one; that is never longer than what goes.
        let start = end - 1 - varint_len(u64::from(origin));
        self.bytes[start] = 1;
        let mut rest = origin;
        for byte in &mut self.bytes[start + 1..end] {
            *byte = rest as u8 | 0x80;
            rest >>= 7;
        }
        self.bytes[end - 1] &= 0x7f;
        self.bytes.drain(..start);
        self.span_ms -= u32::try_from(at_ms - self.first_ms).unwrap_or(self.span_ms);
        self.first_ms = at_ms;
        self.count -= dropped;
    }

    /// Drops all.
    pub(crate) fn clear(&mut self) {
        *self = Ring::default();
    }

    /// The origins it refers to.
    pub(crate) fn origins(&self, mark: &mut dyn FnMut(u32)) {
        self.iter().for_each(|(_, origin)| mark(origin));
    }

    /// Writes it.
    pub(crate) fn encode(&self, writer: &mut Writer<'_>) {
        writer.size(self.len());
        let mut before = None;
        for (at_ms, origin) in self.iter() {
            match before {
                Some((before_ms, _)) => writer.signed(at_ms.saturating_sub(before_ms)),
                None => writer.signed(at_ms),
            }
            let is_other = before.is_none_or(|(_, before)| before != origin);
            writer.flag(is_other);
            if is_other {
                writer.origin(origin);
            }
            before = Some((at_ms, origin));
        }
    }

    /// Reads it.
    pub(crate) fn decode(reader: &mut Reader<'_, '_>) -> Option<Ring> {
        let mut ring = Ring::default();
        let mut before_ms = 0_i64;
        let mut origin = 0;
        for _ in 0..reader.size()? {
            let at_ms = before_ms.saturating_add(reader.signed()?);
            if reader.flag()? {
                origin = reader.origin()?;
            }
            if ring.last_ms().is_some_and(|last_ms| at_ms < last_ms) {
                return None;
            }
            ring.push(at_ms, origin);
            before_ms = at_ms;
        }
        Some(ring)
    }
}

fn varint_len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

/// The times of a [`Ring`], with their origins.
#[derive(Debug)]
pub(crate) struct Times<'r> {
    bytes: &'r [u8],
    at: usize,
    at_ms: i64,
    origin: u32,
}

impl Iterator for Times<'_> {
    type Item = (i64, u32);

    fn next(&mut self) -> Option<(i64, u32)> {
        let (value, at) = varint_at(self.bytes, self.at)?;
        self.at = at;
        self.at_ms = self.at_ms.saturating_add((value >> 1) as i64);
        if value & 1 != 0 {
            let (origin, at) = varint_at(self.bytes, self.at)?;
            self.at = at;
            self.origin = origin as u32;
        }
        Some((self.at_ms, self.origin))
    }
}
