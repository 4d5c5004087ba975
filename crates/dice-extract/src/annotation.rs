//! Owners named by the comment that follows a call.

use std::ops::Range;

/// The owners named by the comments that follow the call ending at `end` (the offset just past its closing
/// parenthesis), on the same line; only closing punctuation and the other `calls` may stand between.
pub(crate) fn after_call(text: &[u8], end: usize, calls: &[Range<usize>]) -> Vec<String> {
    let _ = (text, end, calls);
    Vec::new()
}
