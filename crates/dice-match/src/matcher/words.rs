//! Words of texts: how they are found, hashed and weighed.
//!
//! A word is a maximal run of letters, `_` and bytes from 0x80 up. Digits and marks stand between words, so
//! a number in a line never hides or changes the words around it.

/// A word of a text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word {
    /// Where it starts.
    pub(crate) start: usize,
    /// Where it ends.
    pub(crate) end: usize,
    /// Its hash; equal words have equal hashes.
    pub(crate) hash: u64,
}

const fn word_bytes() -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        table[byte] = b.is_ascii_alphabetic() || b == b'_' || b >= 0x80;
        byte += 1;
    }
    table
}

const WORD: [bool; 256] = word_bytes();
const MIX: u64 = 0x9E37_79B9_7F4A_7C15;

/// Whether `byte` can stand in a word.
pub(crate) fn is_word(byte: u8) -> bool {
    WORD[byte as usize]
}

/// The words of `text`, in order.
pub(crate) fn words(text: &[u8]) -> impl Iterator<Item = Word> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text.get(at..)?.iter().position(|&b| is_word(b))?;
        let end = text[start..].iter().position(|&b| !is_word(b)).map_or(text.len(), |n| start + n);
        at = end;
        Some(Word { start, end, hash: hash(&text[start..end]) })
    })
}

/// The hash of one word.
pub(crate) fn hash(word: &[u8]) -> u64 {
    let mut h = word.len() as u64;
    let mut chunks = word.chunks_exact(8);
    for chunk in &mut chunks {
        h = mix(h, u64::from_le_bytes(chunk.try_into().expect("a chunk of eight has eight bytes")));
    }
    let mut tail = 0;
    for &byte in chunks.remainder() {
        tail = tail << 8 | u64::from(byte);
    }
    mix(h, tail)
}

/// The hash of two words that follow each other.
pub(crate) fn pair(first: u64, second: u64) -> u64 {
    mix(first.rotate_left(23), second)
}

fn mix(h: u64, value: u64) -> u64 {
    let h = (h ^ value).wrapping_mul(MIX);
    h ^ h >> 32
}

/// The bit of a word in a 64-bit set of words.
pub(crate) fn bit(hash: u64) -> u64 {
    1 << (hash >> 58)
}

/// What is said of a text's power to tell a line from any other: four points for a letter of a rare word,
/// less for words that half of all messages hold, for digits and marks, little for blanks.
///
/// Counted in quarters of a letter.
pub(crate) fn evidence(text: &[u8]) -> u32 {
    let mut points = 0;
    let mut at = 0;
    for word in words(text) {
        points += marks(&text[at..word.start]) + weigh(&text[word.start..word.end]);
        at = word.end;
    }
    points + marks(&text[at..])
}

/// What it adds that a text starts with a mark and a word in one, as `+sdown` does: hardly any sentence
/// starts so, and with the mark a common word is none.
pub(crate) fn head_evidence(text: &[u8]) -> u32 {
    let Some((mark, rest)) = text.split_first() else { return 0 };
    let Some(word) = words(rest).next().filter(|word| word.start == 0) else { return 0 };
    if !b"+-*=>~@#!$&%^|".contains(mark) {
        return 0;
    }
    let word = &rest[..word.end];
    let rare = 4 * word.len().min(6) as u32;
    4 + rare.saturating_sub(weigh(word))
}

fn weigh(word: &[u8]) -> u32 {
    let letters = word.iter().filter(|&&b| b != b'_').count() as u32;
    match letters {
        0 => 2,
        1 => 2,
        2 => 4,
        _ if is_common(word) => letters.min(6) * 2,
        _ => letters.min(10) * 4 + letters.saturating_sub(10).min(20) * 2,
    }
}

fn marks(text: &[u8]) -> u32 {
    let mut points = 0;
    let mut before = 0;
    // `name      : value`: nobody aligns the words of a sentence.
    let padding = text.iter().take_while(|&&byte| byte == b' ').count();
    if padding > 1 && matches!(text.get(padding), Some(b':' | b'=' | b'|')) {
        points += 2 * (padding as u32 - 1).min(4);
    }
    for &byte in text {
        points += match byte {
            _ if byte == before => u32::from(!byte.is_ascii_whitespace() && points < 12),
            b' ' | b'\t' => 1,
            b'0'..=b'9' => 2,
            b':' | b',' | b'.' => 2,
            _ => 3,
        };
        before = byte;
    }
    points.min(24)
}

/// Letters of the words of `text`.
pub(crate) fn letters(text: &[u8]) -> usize {
    text.iter().filter(|&&b| is_word(b) && b != b'_').count()
}

/// The longest word of `text`, in letters.
pub(crate) fn longest(text: &[u8]) -> usize {
    words(text).map(|word| word.end - word.start).max().unwrap_or(0)
}

fn is_common(word: &[u8]) -> bool {
    let mut lower = [0; 14];
    let Some(lower) = lower.get_mut(..word.len()) else { return false };
    lower.copy_from_slice(word);
    lower.make_ascii_lowercase();
    COMMON.binary_search(&&*lower).is_ok()
}

/// Words that say little about who printed a line, sorted.
const COMMON: &[&[u8]] = &[
    b"a",
    b"abort",
    b"aborted",
    b"aborting",
    b"accept",
    b"accepted",
    b"access",
    b"active",
    b"add",
    b"added",
    b"adding",
    b"address",
    b"after",
    b"all",
    b"allocate",
    b"already",
    b"an",
    b"and",
    b"any",
    b"are",
    b"argument",
    b"arguments",
    b"as",
    b"at",
    b"attempt",
    b"authentication",
    b"bad",
    b"be",
    b"because",
    b"been",
    b"before",
    b"begin",
    b"bind",
    b"but",
    b"by",
    b"bytes",
    b"call",
    b"called",
    b"calling",
    b"can",
    b"cannot",
    b"change",
    b"changed",
    b"check",
    b"checking",
    b"child",
    b"client",
    b"close",
    b"closed",
    b"closing",
    b"code",
    b"command",
    b"complete",
    b"completed",
    b"config",
    b"configuration",
    b"connect",
    b"connected",
    b"connecting",
    b"connection",
    b"copy",
    b"could",
    b"count",
    b"create",
    b"created",
    b"creating",
    b"current",
    b"data",
    b"debug",
    b"delete",
    b"deleted",
    b"deleting",
    b"denied",
    b"detected",
    b"device",
    b"did",
    b"directory",
    b"disabled",
    b"disconnect",
    b"disconnected",
    b"do",
    b"does",
    b"done",
    b"due",
    b"during",
    b"empty",
    b"enabled",
    b"end",
    b"entry",
    b"err",
    b"error",
    b"errors",
    b"event",
    b"exceeded",
    b"exec",
    b"exist",
    b"exists",
    b"exit",
    b"exited",
    b"exiting",
    b"expected",
    b"fail",
    b"failed",
    b"failure",
    b"fatal",
    b"file",
    b"files",
    b"finished",
    b"for",
    b"found",
    b"from",
    b"function",
    b"get",
    b"getting",
    b"got",
    b"has",
    b"have",
    b"host",
    b"id",
    b"ignored",
    b"ignoring",
    b"in",
    b"info",
    b"init",
    b"initialize",
    b"initialized",
    b"input",
    b"internal",
    b"into",
    b"invalid",
    b"is",
    b"it",
    b"key",
    b"length",
    b"level",
    b"limit",
    b"line",
    b"list",
    b"listen",
    b"listening",
    b"load",
    b"loaded",
    b"loading",
    b"lock",
    b"log",
    b"lost",
    b"max",
    b"memory",
    b"message",
    b"missing",
    b"mode",
    b"more",
    b"name",
    b"new",
    b"no",
    b"node",
    b"not",
    b"nothing",
    b"now",
    b"null",
    b"number",
    b"of",
    b"off",
    b"ok",
    b"old",
    b"on",
    b"only",
    b"open",
    b"opened",
    b"opening",
    b"operation",
    b"option",
    b"or",
    b"out",
    b"output",
    b"packet",
    b"parse",
    b"parsing",
    b"password",
    b"path",
    b"permission",
    b"pid",
    b"port",
    b"process",
    b"processing",
    b"protocol",
    b"query",
    b"queue",
    b"read",
    b"reading",
    b"ready",
    b"reason",
    b"receive",
    b"received",
    b"receiving",
    b"refused",
    b"register",
    b"remote",
    b"remove",
    b"removed",
    b"removing",
    b"reply",
    b"request",
    b"reset",
    b"response",
    b"restart",
    b"result",
    b"retry",
    b"return",
    b"returned",
    b"returns",
    b"run",
    b"running",
    b"save",
    b"seconds",
    b"send",
    b"sending",
    b"sent",
    b"server",
    b"service",
    b"session",
    b"set",
    b"setting",
    b"shutdown",
    b"signal",
    b"size",
    b"skipping",
    b"socket",
    b"start",
    b"started",
    b"starting",
    b"state",
    b"status",
    b"stop",
    b"stopped",
    b"stopping",
    b"success",
    b"successful",
    b"successfully",
    b"support",
    b"supported",
    b"system",
    b"task",
    b"terminated",
    b"test",
    b"that",
    b"the",
    b"thread",
    b"time",
    b"timed",
    b"timeout",
    b"to",
    b"too",
    b"try",
    b"trying",
    b"type",
    b"unable",
    b"unexpected",
    b"unknown",
    b"unsupported",
    b"until",
    b"up",
    b"update",
    b"updated",
    b"use",
    b"used",
    b"user",
    b"using",
    b"value",
    b"version",
    b"wait",
    b"waiting",
    b"warning",
    b"was",
    b"we",
    b"while",
    b"will",
    b"with",
    b"without",
    b"write",
    b"writing",
    b"wrong",
    b"you",
];

#[cfg(test)]
mod tests {
    use super::{COMMON, evidence, words};

    #[test]
    fn common_words_are_sorted_and_fit() {
        assert!(COMMON.is_sorted());
        assert!(COMMON.iter().all(|word| word.len() <= 14));
    }

    #[test]
    fn digits_and_marks_stand_between_words() {
        let text = b"a1 fd_set=\xC3\xA9,x";
        let found: Vec<_> = words(text).map(|w| &text[w.start..w.end]).collect();
        assert_eq!(found, [&b"a"[..], b"fd_set", b"\xC3\xA9", b"x"]);
    }

    #[test]
    fn rare_words_weigh_more_than_common_ones() {
        assert!(evidence(b"+sdown ") > evidence(b"failed "));
        assert!(evidence(b"quorum") > evidence(b"connection"));
        assert_eq!(evidence(b""), 0);
    }
}
