//! A few bytes that need no memory of their own.

use std::fmt;
use std::ops::{Deref, DerefMut, Range};

/// Bytes; up to `N` of them lie where the value lies.
///
/// There is never more room than they need: they are for what is kept of many keys and seldom gets longer.
#[derive(Clone)]
pub(crate) enum Bytes<const N: usize> {
    /// So many of these.
    Short(u8, [u8; N]),
    /// More than `N`.
    Long(Box<[u8]>),
}

/// As few as a place for longer ones can hold.
pub(crate) type FewBytes = Bytes<7>;

const _: () = assert!(size_of::<FewBytes>() == 16 && size_of::<Bytes<22>>() == 24, "no room is wasted");

impl<const N: usize> Bytes<N> {
    /// Puts others in the place of some of them.
    pub(crate) fn splice(&mut self, range: Range<usize>, others: &[u8]) {
        if range.len() == others.len() {
            return self[range].copy_from_slice(others);
        }
        let len = self.len() - range.len() + others.len();
        match self {
            Bytes::Short(known, bytes) if len <= N => {
                bytes.copy_within(range.end..usize::from(*known), range.start + others.len());
                bytes[range.start..range.start + others.len()].copy_from_slice(others);
                *known = len as u8;
            }
            _ => {
                let mut all = Vec::with_capacity(len);
                all.extend_from_slice(&self[..range.start]);
                all.extend_from_slice(others);
                all.extend_from_slice(&self[range.end..]);
                *self = all.into();
            }
        }
    }
}

impl<const N: usize> Default for Bytes<N> {
    fn default() -> Bytes<N> {
        Bytes::Short(0, [0; N])
    }
}

impl<const N: usize> From<&[u8]> for Bytes<N> {
    fn from(bytes: &[u8]) -> Bytes<N> {
        if bytes.len() > N {
            return Bytes::Long(bytes.into());
        }
        let mut short = [0; N];
        short[..bytes.len()].copy_from_slice(bytes);
        Bytes::Short(bytes.len() as u8, short)
    }
}

impl<const N: usize> From<Vec<u8>> for Bytes<N> {
    fn from(bytes: Vec<u8>) -> Bytes<N> {
        if bytes.len() > N { Bytes::Long(bytes.into()) } else { Bytes::from(&bytes[..]) }
    }
}

impl<const N: usize> Deref for Bytes<N> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Bytes::Short(len, bytes) => &bytes[..usize::from(*len)],
            Bytes::Long(bytes) => bytes,
        }
    }
}

impl<const N: usize> DerefMut for Bytes<N> {
    fn deref_mut(&mut self) -> &mut [u8] {
        match self {
            Bytes::Short(len, bytes) => &mut bytes[..usize::from(*len)],
            Bytes::Long(bytes) => bytes,
        }
    }
}

impl<const N: usize> PartialEq for Bytes<N> {
    fn eq(&self, other: &Bytes<N>) -> bool {
        **self == **other
    }
}

impl<const N: usize> Eq for Bytes<N> {}

impl<const N: usize> fmt::Debug for Bytes<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::FewBytes;

    fn check(before: &[u8], range: std::ops::Range<usize>, others: &[u8]) {
        let mut bytes = FewBytes::from(before);
        let mut known = before.to_vec();
        bytes.splice(range.clone(), others);
        known.splice(range, others.iter().copied());
        assert_eq!(*bytes, *known);
        assert_eq!(bytes, FewBytes::from(known), "short ones lie here, long ones there");
    }

    #[test]
    fn some_are_put_in_the_place_of_others() {
        check(b"", 0..0, b"");
        check(b"", 0..0, b"abc");
        check(b"abcdef", 1..3, b"xy");
        check(b"abcdef", 1..3, b"x");
        check(b"abcdef", 1..3, b"xyz");
        check(b"abcdef", 1..3, b"xyz0");
        check(b"abcdefgh", 8..8, b"i");
        check(b"abcdefgh", 2..6, b"");
        check(b"abcdefgh", 0..8, b"");
    }
}
