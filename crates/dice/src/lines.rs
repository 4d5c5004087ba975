//! Lines of an input, with a bound on how much of each is kept.

use std::io::{self, BufRead, BufReader, Read};

/// Reads an input line by line; of each line at most a bound is kept.
pub(crate) struct Lines<R> {
    input: BufReader<R>,
    line: Vec<u8>,
    limit: usize,
}

/// Bytes that are read at once.
const CHUNK: usize = 1 << 18;

impl<R: Read> Lines<R> {
    /// Of each line `limit` bytes and one are kept, so that a cut line is longer than `limit`.
    pub(crate) fn new(input: R, limit: usize) -> Lines<R> {
        Lines::in_chunks(input, limit, CHUNK)
    }

    fn in_chunks(input: R, limit: usize, chunk: usize) -> Lines<R> {
        Lines { input: BufReader::with_capacity(chunk, input), line: Vec::new(), limit }
    }

    /// Whether the next line is not here yet: asking for it may wait for whoever writes it.
    pub(crate) fn may_wait(&self) -> bool {
        memchr::memchr(b'\n', self.input.buffer()).is_none()
    }

    /// The next line without its line end; `None` at the end of the input.
    pub(crate) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        self.line.clear();
        let mut is_any = false;
        loop {
            let buffer = match self.input.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if buffer.is_empty() {
                break;
            }
            is_any = true;
            let end = memchr::memchr(b'\n', buffer);
            let chunk = &buffer[..end.unwrap_or(buffer.len())];
            let room = (self.limit + 1).saturating_sub(self.line.len());
            self.line.extend_from_slice(&chunk[..chunk.len().min(room)]);
            let used = chunk.len() + usize::from(end.is_some());
            self.input.consume(used);
            if end.is_some() {
                break;
            }
        }
        Ok(is_any.then_some(&self.line))
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[track_caller]
    fn check(input: &str, limit: usize, expected: &[&str]) {
        // A small buffer makes lines span several reads.
        let mut lines = Lines::in_chunks(input.as_bytes(), limit, 3);
        let mut found = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            found.push(String::from_utf8(line.to_vec()).unwrap());
        }
        assert_eq!(found, expected);
    }

    #[test]
    fn lines_with_and_without_an_end() {
        check("one\ntwo\n", 10, &["one", "two"]);
        check("one\n\ntwo", 10, &["one", "", "two"]);
        check("", 10, &[]);
        check("\n", 10, &[""]);
    }

    #[test]
    fn lines_that_are_here_are_not_waited_for() {
        let mut lines = Lines::new(&b"one\ntwo\nthr"[..], 10);
        assert!(lines.may_wait(), "nothing was read yet");
        lines.next().unwrap();
        assert!(!lines.may_wait());
        lines.next().unwrap();
        assert!(lines.may_wait());
    }

    #[test]
    fn a_long_line_is_cut_one_past_the_bound() {
        check("abcdefgh\nxy\n", 4, &["abcde", "xy"]);
    }
}
