//! Many lines in one piece of memory.

use std::fmt;

use memchr::memchr_iter;

use crate::{Sample, Within};

/// Bytes that are read at once, but for a line that is longer. Few, because whatever takes blocks waits for
/// the last line of each.
pub const BLOCK_BYTES: usize = 1 << 17;

/// Lines in order, in one piece of memory.
///
/// A line is any bytes, without its line end. It may be empty, and where it came as a datagram or was counted
/// it may hold line feeds.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Block {
    bytes: Vec<u8>,
    /// Where lines lie in `bytes`: start and end.
    lines: Vec<(u32, u32)>,
    skipped_bytes: u64,
}

/// What became of bytes that were cut into lines.
pub(crate) struct CutUp {
    pub(crate) block: Block,
    /// Bytes that the block and what was skipped account for.
    pub(crate) used: usize,
    /// What is behind them and waits for more.
    pub(crate) rest: Vec<u8>,
    pub(crate) within: Option<Within>,
}

impl Block {
    /// The lines of `text`: one for each line feed, and one for what follows the last.
    pub fn of_text(text: Vec<u8>, limit_bytes: usize) -> Block {
        Block::cut(text, None, limit_bytes, true).block
    }

    /// Cuts `bytes` into lines. `within` is where in a line they begin; `is_all` tells that what follows the
    /// last line feed is a line too.
    ///
    /// Of a line `limit_bytes` and one byte are kept. A carriage return before the line feed goes with it.
    pub(crate) fn cut(mut bytes: Vec<u8>, within: Option<Within>, limit_bytes: usize, is_all: bool) -> CutUp {
        let mut within = within;
        let mut start = 0;
        let mut skipped_bytes = 0;
        let mut ends = memchr_iter(b'\n', &bytes);
        match within {
            Some(Within::Cut) => {
                let end = ends.next();
                start = end.map_or(bytes.len(), |end| end + 1);
                skipped_bytes += end.unwrap_or(bytes.len()) as u64;
                if end.is_some() {
                    within = None;
                }
            }
            Some(Within::Told) if bytes.starts_with(b"\n") || bytes.starts_with(b"\r\n") => {
                start = ends.next().map_or(0, |end| end + 1);
                within = None;
            }
            // Half a line end: the line was told, and this is not yet anything else.
            Some(Within::Told) if bytes.is_empty() || bytes == b"\r" => {
                let used = if is_all { bytes.len() } else { 0 };
                return CutUp { block: Block::default(), used, rest: bytes.split_off(used), within };
            }
            Some(Within::Told) => within = None,
            None => {}
        }
        let mut lines = Vec::with_capacity(bytes.len() / 96);
        let mut add = |from: usize, to: usize| {
            let kept = to.min(from + limit_bytes + 1);
            skipped_bytes += (to - kept) as u64;
            lines.push((from as u32, kept as u32));
        };
        for end in ends {
            let is_crlf = end > start && bytes[end - 1] == b'\r';
            add(start, end - usize::from(is_crlf));
            start = end + 1;
        }
        let rest = bytes.len() - start;
        if rest > limit_bytes {
            add(start, bytes.len());
            start = bytes.len();
            within = Some(Within::Cut);
        } else if rest > 0 && is_all {
            let is_crlf = bytes.ends_with(b"\r");
            add(start, bytes.len() - usize::from(is_crlf));
            start = bytes.len();
            within = Some(Within::Told);
        }
        let rest = bytes.split_off(start);
        CutUp { block: Block { bytes, lines, skipped_bytes }, used: start, rest, within }
    }

    /// Adds a line, cut one byte past the limit; for what is not cut at line feeds.
    pub(crate) fn push(&mut self, line: &[u8], limit_bytes: usize) {
        let kept = line.len().min(limit_bytes + 1);
        let start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(&line[..kept]);
        self.lines.push((start, self.bytes.len() as u32));
        self.skipped_bytes += (line.len() - kept) as u64;
    }

    /// What lies before the place where it was cut off.
    pub(crate) fn tail(&self) -> Sample {
        Sample::of_end(&self.bytes)
    }

    /// The number of lines.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is no line.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The line with that index, counted from 0.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let (start, end) = *self.lines.get(index)?;
        Some(&self.bytes[start as usize..end as usize])
    }

    /// The lines, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> + DoubleEndedIterator {
        self.lines.iter().map(|&(start, end)| &self.bytes[start as usize..end as usize])
    }

    /// Leaves out the lines that `keep` does not want.
    pub fn retain(&mut self, mut keep: impl FnMut(&[u8]) -> bool) {
        let bytes = &self.bytes;
        self.lines.retain(|&(start, end)| keep(&bytes[start as usize..end as usize]));
    }

    /// Bytes of memory that the lines lie in.
    pub fn size_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes of lines longer than the limit that were left out.
    pub fn skipped_bytes(&self) -> u64 {
        self.skipped_bytes
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|line| line.escape_ascii().to_string())).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{Block, CutUp};
    use crate::Within;

    /// Cuts `text`, whose lines may have 8 bytes, and tells lines, bytes used and where in a line that is.
    #[track_caller]
    fn check(
        text: &str,
        within: Option<Within>,
        is_all: bool,
        lines: &[&str],
        used: usize,
        then: Option<Within>,
    ) {
        let cut: CutUp = Block::cut(text.as_bytes().to_vec(), within, 8, is_all);
        let found: Vec<_> = cut.block.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect();
        assert_eq!(
            (found.as_slice(), cut.used, cut.within),
            (lines_of(lines).as_slice(), used, then),
            "{text:?}"
        );
    }

    fn lines_of(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn a_line_ends_with_a_line_feed_and_may_be_empty() {
        check("one\ntwo\n", None, false, &["one", "two"], 8, None);
        check("one\n\n\ntwo", None, false, &["one", "", ""], 6, None);
        check("one\r\n\r\ntwo", None, true, &["one", "", "two"], 10, Some(Within::Told));
        check("a\0b\rc\n", None, false, &["a\0b\rc"], 6, None);
        check("", None, true, &[], 0, None);
    }

    #[test]
    fn a_long_line_is_cut_one_past_the_limit_and_the_rest_skipped() {
        check("12345678\nx\n", None, false, &["12345678", "x"], 11, None);
        check("123456789abc\nx\n", None, false, &["123456789", "x"], 15, None);
        check("x\n123456789abc", None, false, &["x", "123456789"], 14, Some(Within::Cut));
        check("defghijklm", Some(Within::Cut), false, &[], 10, Some(Within::Cut));
        check("def\nx\n", Some(Within::Cut), false, &["x"], 6, None);
        let cut = Block::cut(b"123456789abc\n".to_vec(), None, 8, false);
        assert_eq!(cut.block.skipped_bytes(), 3);
    }

    #[test]
    fn the_end_of_a_line_that_was_told_is_no_line() {
        check("\nx\n", Some(Within::Told), false, &["x"], 3, None);
        check("\r\nx\n", Some(Within::Told), false, &["x"], 4, None);
        check("\r", Some(Within::Told), false, &[], 0, Some(Within::Told));
        check("rest\nx\n", Some(Within::Told), false, &["rest", "x"], 7, None);
        check("\n\nx\n", Some(Within::Told), false, &["", "x"], 4, None);
    }
}
