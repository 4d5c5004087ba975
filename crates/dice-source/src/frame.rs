//! Messages of a syslog connection, told apart (RFC 6587).

use memchr::memchr;

use crate::Block;

/// Bytes that a message may be announced with, however short lines are kept.
const FRAME_BYTES: usize = 64 << 10;

/// Digits of an announced length.
const DIGITS: usize = 9;

/// Cuts what comes through one connection into messages.
///
/// For each message anew: `<digits> <` announces its length, anything else ends with a line feed.
#[derive(Debug)]
pub(crate) struct Frames {
    /// What is not yet a whole message.
    buffer: Vec<u8>,
    /// Bytes of the buffer in which there is no line feed.
    searched: usize,
    /// The rest of a line that was cut is left out.
    is_skipping: bool,
    limit_bytes: usize,
}

/// A message longer than what is read: whatever is sent there, it is no syslog.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong {
    pub(crate) bytes: usize,
    pub(crate) limit_bytes: usize,
}

/// How the next message ends.
enum Ending {
    Counted {
        at: usize,
        bytes: usize,
    },
    LineFeed,
    /// Too little is here to tell.
    Unknown,
}

impl Frames {
    pub(crate) fn new(limit_bytes: usize) -> Frames {
        Frames { buffer: Vec::new(), searched: 0, is_skipping: false, limit_bytes }
    }

    /// Adds bytes, and the messages that are whole with them to `block`.
    pub(crate) fn add(&mut self, bytes: &[u8], block: &mut Block) -> Result<(), TooLong> {
        self.buffer.extend_from_slice(bytes);
        let mut at = 0;
        while at < self.buffer.len() {
            let rest = &self.buffer[at..];
            if self.is_skipping {
                let Some(end) = memchr(b'\n', rest) else {
                    at = self.buffer.len();
                    break;
                };
                self.is_skipping = false;
                at += end + 1;
                continue;
            }
            match ending(rest) {
                Ending::Counted { at: start, bytes } => {
                    let limit_bytes = self.limit_bytes.max(FRAME_BYTES);
                    if bytes > limit_bytes {
                        return Err(TooLong { bytes, limit_bytes });
                    }
                    let Some(message) = rest.get(start..start + bytes) else { break };
                    push(message, self.limit_bytes, block);
                    at += start + bytes;
                }
                Ending::LineFeed => {
                    let from = self.searched.min(rest.len());
                    if let Some(end) = memchr(b'\n', &rest[from..]) {
                        push(&rest[..from + end], self.limit_bytes, block);
                        at += from + end + 1;
                        self.searched = 0;
                    } else if rest.len() > self.limit_bytes {
                        push(rest, self.limit_bytes, block);
                        self.is_skipping = true;
                        self.searched = 0;
                        at = self.buffer.len();
                    } else {
                        self.searched = rest.len();
                        break;
                    }
                }
                Ending::Unknown => break,
            }
        }
        self.buffer.drain(..at);
        Ok(())
    }

    /// The connection is over: what is left is a message, whole or not.
    pub(crate) fn end(&mut self, block: &mut Block) {
        if !self.is_skipping {
            let rest = std::mem::take(&mut self.buffer);
            let start = if let Ending::Counted { at, .. } = ending(&rest) { at } else { 0 };
            push(&rest[start..], self.limit_bytes, block);
        }
    }
}

fn ending(rest: &[u8]) -> Ending {
    let digits = rest.iter().take(DIGITS + 1).take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || digits > DIGITS || rest[0] == b'0' {
        return Ending::LineFeed;
    }
    match (rest.get(digits), rest.get(digits + 1)) {
        (None, _) | (Some(b' '), None) => Ending::Unknown,
        (Some(b' '), Some(b'<')) => {
            let bytes = rest[..digits].iter().fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'));
            Ending::Counted { at: digits + 1, bytes }
        }
        _ => Ending::LineFeed,
    }
}

/// Adds a message, without what senders end it with; an empty one says nothing.
pub(crate) fn push(message: &[u8], limit_bytes: usize, block: &mut Block) {
    let end = message.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r' | 0)).map_or(0, |last| last + 1);
    if end > 0 {
        block.push(&message[..end], limit_bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::{Frames, TooLong};
    use crate::Block;

    /// What `text` holds, whether it comes at once or byte by byte; lines may have 16 bytes.
    #[track_caller]
    fn check(text: &str, messages: &[&str]) {
        for size in [text.len(), 1, 3] {
            let (mut frames, mut block) = (Frames::new(16), Block::default());
            for piece in text.as_bytes().chunks(size) {
                frames.add(piece, &mut block).unwrap();
            }
            frames.end(&mut block);
            let found: Vec<_> = block.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect();
            assert_eq!(found, messages, "{text:?} in pieces of {size}");
        }
    }

    #[test]
    fn messages_are_counted_or_end_with_a_line_feed() {
        check("<34>one\n<34>two\r\n", &["<34>one", "<34>two"]);
        check("7 <34>one8 <34>two\n", &["<34>one", "<34>two"]);
        check("7 <34>one<34>two\n8 <34>a\nbc\n<34>end", &["<34>one", "<34>two", "<34>a\nbc", "<34>end"]);
        check("7 <34>one\n\n\0\n7 <34>two", &["<34>one", "<34>two"]);
    }

    #[test]
    fn digits_alone_announce_nothing() {
        check("2026-11-21 one\n", &["2026-11-21 one"]);
        check("12 apples\n", &["12 apples"]);
        check("0 <34>one\n", &["0 <34>one"]);
        check("12", &["12"]);
        check("9999999999 <1>a\n", &["9999999999 <1>a"]);
    }

    #[test]
    fn what_is_too_long_is_cut_or_refused() {
        check("<34>0123456789abcdefgh\n<34>two\n", &["<34>0123456789abc", "<34>two"]);
        check("24 <34>0123456789abcdefghij<34>two\n", &["<34>0123456789abc", "<34>two"]);
        check("20 <34>unfinished", &["<34>unfinished"]);
        let refused = Frames::new(16).add(b"999999999 <", &mut Block::default());
        assert_eq!(refused, Err(TooLong { bytes: 999_999_999, limit_bytes: 65_536 }));
    }

    #[test]
    fn who_never_ends_a_line_does_not_fill_the_memory() {
        let (mut frames, mut block) = (Frames::new(16), Block::default());
        for _ in 0..1000 {
            frames.add(&[b'x'; 10], &mut block).unwrap();
        }
        assert!(frames.buffer.len() <= 16 && block.len() == 1);
    }
}
