//! Two texts written shorter, with everything that a diff looks at.
//!
//! A diff asks of two lines whether they are the same, and of one line how far it is indented or that it is
//! blank. libgit2 hashes every byte it is given, twice, which costs more than the diff: so each line becomes
//! its indent and a number that stands for its text.

use rustc_hash::{FxBuildHasher, FxHashMap};

use super::text::Text;

/// The indent from which xdiff takes all for one.
const INDENT_MAX: usize = 200;

/// The first `old_lines` and `new_lines` of two texts, shorter.
///
/// The first `prefix` and the last `suffix` of these lines are known to be the same. `None` when there is no
/// short way: the texts have blank lines of more kinds than there are indents.
pub(super) fn shorthand<A: AsRef<[u8]>, B: AsRef<[u8]>>(
    (old, old_lines): (&Text<A>, usize),
    (new, new_lines): (&Text<B>, usize),
    prefix: usize,
    suffix: usize,
) -> Option<(Vec<u8>, Vec<u8>)> {
    let texts = FxHashMap::with_capacity_and_hasher(old_lines, FxBuildHasher);
    let mut numbers = Numbers { texts, blanks: FxHashMap::default() };
    let mut short_old = Vec::with_capacity(old_lines * 6);
    let (mut prefix_end, mut suffix_start) = (0, 0);
    for row in 0..=old_lines {
        if row == prefix {
            prefix_end = short_old.len();
        }
        if row == old_lines - suffix {
            suffix_start = short_old.len();
        }
        if row < old_lines {
            numbers.write(old.line(row), &mut short_old)?;
        }
    }
    let mut short_new = short_old[..prefix_end].to_vec();
    for row in prefix..new_lines - suffix {
        numbers.write(new.line(row), &mut short_new)?;
    }
    short_new.extend_from_slice(&short_old[suffix_start..]);
    Some((short_old, short_new))
}

/// The number of each text that a line has.
struct Numbers<'t> {
    texts: FxHashMap<&'t [u8], usize>,
    blanks: FxHashMap<&'t [u8], usize>,
}

impl<'t> Numbers<'t> {
    /// Writes what stands for `line`; `None` when no blank line is left.
    fn write(&mut self, line: &'t [u8], short: &mut Vec<u8>) -> Option<()> {
        match indent(line) {
            Some(indent) => {
                short.extend(std::iter::repeat_n(b'\t', indent / 8));
                short.extend(std::iter::repeat_n(b' ', indent % 8));
                let next = self.texts.len();
                let mut number = *self.texts.entry(line).or_insert(next);
                loop {
                    // 64 characters that are no space.
                    short.push(b'0' + (number % 64) as u8);
                    number /= 64;
                    if number == 0 {
                        break;
                    }
                }
            }
            None => {
                let next = self.blanks.len();
                let number = *self.blanks.entry(line).or_insert(next);
                if number >= INDENT_MAX {
                    return None;
                }
                short.extend(std::iter::repeat_n(b' ', number));
            }
        }
        short.push(b'\n');
        Some(())
    }
}

/// How far a line is indented, as xdiff counts; `None` for a blank line.
fn indent(line: &[u8]) -> Option<usize> {
    let mut indent = 0;
    for byte in line {
        match byte {
            b' ' => indent += 1,
            b'\t' => indent += 8 - indent % 8,
            b'\n' | b'\r' | 0x0b | 0x0c => {}
            _ => return Some(indent),
        }
        if indent >= INDENT_MAX {
            return Some(INDENT_MAX);
        }
    }
    None
}
