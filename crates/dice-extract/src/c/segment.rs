//! What a callee prints, in terms of its parameters.

use dice_catalog::{Hole, Level};

use crate::dialect::Dialect;

/// A piece of what is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    /// Fixed text.
    Text(String),
    /// A value that no parameter tells.
    Hole(Hole),
    /// The name of the function around the call.
    Function,
    /// The source text of an argument: `#param`.
    Source(usize),
    /// The value of a parameter in a hole.
    Argument { param: usize, hole: Hole },
    /// A parameter that is a format, filled by the arguments from `rest` on.
    Format { param: usize, rest: Option<usize>, dialect: Dialect },
    /// The first string literal among the arguments, filled by those after it.
    Literal { dialect: Dialect },
}

/// A text as a sequence of pieces.
pub(super) type Segments = Vec<Segment>;

/// Whether a parameter is the text, or a part of it that is text.
pub(super) fn forwards(segments: &[Segment]) -> bool {
    segments.iter().any(|segment| matches!(segment, Segment::Format { .. } | Segment::Literal { .. }))
}

/// Which parameter is the format; else the first whose value is text.
pub(super) fn format_param(segments: &[Segment]) -> Option<usize> {
    let format = segments.iter().find_map(|segment| match segment {
        Segment::Format { param, .. } => Some(*param),
        _ => None,
    });
    format.or_else(|| text_param(segments))
}

/// The first parameter whose value is printed as text.
pub(super) fn text_param(segments: &[Segment]) -> Option<usize> {
    segments.iter().find_map(|segment| match segment {
        Segment::Argument { param, hole } if hole.is_untyped() => Some(*param),
        _ => None,
    })
}

/// How much a text adds of its own: less is simpler.
pub(super) fn weight(segments: &[Segment]) -> usize {
    let own = |segment: &Segment| match segment {
        Segment::Text(text) => text.len(),
        _ => 1,
    };
    segments.iter().map(own).sum()
}

/// Drops a program's own header, times and process ids, from before what the caller gives.
///
/// Of a header only values and punctuation are dropped: words around a message belong to it.
pub(super) fn without_header(segments: &mut Segments) {
    let own = |segment: &Segment| matches!(segment, Segment::Text(_) | Segment::Hole(_));
    let Some(given) = segments.iter().position(|segment| !own(segment)) else { return };
    let holes = segments[..given].iter().filter(|segment| matches!(segment, Segment::Hole(_))).count();
    let wordy = segments[..given].iter().any(|s| matches!(s, Segment::Text(text) if has_words(text)));
    if holes > 1 && !wordy {
        segments.drain(..given);
    }
}

/// Whether a text says more than a level.
pub(super) fn has_words(text: &str) -> bool {
    let mut words =
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().any(char::is_alphabetic));
    words.any(|word| Level::from_word(word).is_none())
}
