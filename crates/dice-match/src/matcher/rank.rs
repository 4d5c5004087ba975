//! How much evidence a fit is, and which fit is best.
//!
//! Evidence is counted in quarters of a letter of a rare word. The figures were chosen on the logs of
//! programs with known truth, and on lines of foreign programs, which must not be taken for ours.

use dice_catalog::HoleKind;

use super::after::{self, After};
use super::fit::Fit;
use super::hints::Agreement;
use super::hole::Holes;
use super::shape::{Piece, Shape};
use super::words;
use crate::Strength;

/// Evidence from which somebody is told.
const STRONG: i32 = 28;
/// Evidence from which a message without a word is believed, when the header names its place.
const STRONG_NEAR: i32 = 28;

/// What a source must have shown before messages without a word are asked for in it.
pub(crate) const PRIOR_MARKED: i32 = 14;
/// Evidence, that of the source included, from which a message of marks and typed holes is believed.
const STRONG_MARKED: i32 = 36;
/// What it adds, in a source that is known, that a template starts with a value set off as a tag.
pub(crate) const TAG: i32 = 6;

/// How a message was found in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// It starts where a known header ends.
    Header,
    /// It starts the line, whose header is not known.
    Line,
    /// It starts behind a tag that follows a known header: `disk: `, `[disk] `.
    Tag,
    /// It starts somewhere in the line, whose header is not known.
    Inside,
    /// It starts behind a text that follows a known header.
    Behind,
}

/// A fit of one statement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scored {
    /// The evidence.
    pub(crate) points: i32,
    /// The shape's place.
    pub(crate) shape: u32,
    /// The entry's place.
    pub(crate) entry: u32,
    /// Whether it is enough by itself, whatever the source has shown.
    pub(crate) is_sure: bool,
    /// Whether it is enough.
    pub(crate) strength: Strength,
    /// The fit.
    pub(crate) fit: Fit,
    /// Where the search of the shape started.
    pub(crate) from: usize,
    /// The line was cut in the middle of the template.
    pub(crate) is_cut: bool,
}

/// What typed holes add when they take a value.
pub(crate) fn typed_points(shape: &Shape, holes: &Holes) -> i32 {
    let of = |piece: &Piece| match piece {
        Piece::Typed { hole, .. } => match holes.hole(*hole).kind {
            HoleKind::Int | HoleKind::Uint => 4,
            HoleKind::Hex | HoleKind::Octal => 3,
            HoleKind::Float | HoleKind::Quoted => 6,
            HoleKind::Bool | HoleKind::Pointer => 8,
            HoleKind::Char | HoleKind::Errno | HoleKind::Text => 0,
        },
        Piece::Text(..) | Piece::Gap { .. } => 0,
    };
    shape.pieces.iter().map(of).sum::<i32>().min(24)
}

/// What a fit says by itself, whoever printed it. `fields` is what the structured fields add.
pub(crate) fn fit_points(
    shape: &Shape,
    typed: i32,
    fit: &Fit,
    anchor: Anchor,
    fields: i32,
    text: &[u8],
) -> i32 {
    let starts_open = shape.segments.first().is_none_or(|segment| segment.gap.is_some());
    let start = match anchor {
        Anchor::Behind => -16,
        _ if starts_open => 0,
        Anchor::Header => 8,
        Anchor::Line => 4,
        Anchor::Tag => 4,
        // In the middle of a sentence nothing starts.
        Anchor::Inside if follows_word(&text[..fit.start]) => -28,
        Anchor::Inside if follows_mark(&text[..fit.start]) => 4,
        Anchor::Inside => 0,
    };
    let end = match (shape.tail, fit.after) {
        (Some(_), _) => 0,
        (None, After::Nothing) => 8,
        (None, After::Lines) => 6,
        (None, After::Tag) => 4,
        (None, After::Fields) if !shape.fields.is_empty() => 4,
        (None, After::Fields) if !shape.reasons => -8,
        (None, After::Fields | After::Pairs) => -2,
        (None, After::Reason) => -6,
    };
    let has_gap = shape.tail.is_some() || shape.segments.iter().any(|segment| segment.gap.is_some());
    let swallowed =
        if has_gap { (fit.end - fit.start).saturating_sub(shape.literal_bytes as usize) } else { 0 };
    let bare = if shape.is_bare { 4 } else { 0 };
    shape.points as i32 + typed + start + end + fields
        - bare
        - (swallowed.saturating_sub(32) / 24).min(if starts_open { 12 } else { 6 }) as i32
}

/// Whether `before` ends like a sentence goes on: with a word that has small letters, or a comma, and a blank.
fn follows_word(before: &[u8]) -> bool {
    let sentence = before.trim_ascii_end();
    let blank = sentence.iter().rposition(u8::is_ascii_whitespace).map_or(0, |at| at + 1);
    let last = &sentence[blank..];
    let ends_plain = last.last().is_some_and(|&b| b.is_ascii_alphanumeric() || b == b',');
    let is_plain = last.ends_with(b",") || ends_plain && last.iter().any(u8::is_ascii_lowercase);
    is_plain && after::level_word_at_end(sentence).is_none()
}

/// Whether `before` ends as headers do: with a mark and a blank.
fn follows_mark(before: &[u8]) -> bool {
    before.ends_with(b" ") && before.trim_ascii_end().last().is_some_and(|b| b"|]):>-".contains(b))
}

/// What makes a fit doubtful unless the header names the statement's place: a single plain word beside a
/// value, or a whole sentence taken for the value that the template starts with.
pub(crate) fn doubt(shape: &Shape, typed: i32, first_value: &[u8]) -> i32 {
    let is_plain = shape.head().and_then(<[u8]>::first).is_some_and(u8::is_ascii_alphabetic);
    let starts_open = shape.head().is_none();
    let is_lone = shape.n_words == 1
        && typed == 0
        && !is_aligned(shape)
        && (shape.tail.is_some() && is_plain || starts_open);
    let lone = if is_lone { 12 } else { 0 };
    let n_words = words::words(first_value).take(12).filter(|word| word.end - word.start > 2).count();
    lone + (2 * n_words.saturating_sub(2) as i32).min(16)
}

/// Whether its first text is a word, blanks to align with other lines, and a colon.
fn is_aligned(shape: &Shape) -> bool {
    let Some(head) = shape.head() else { return false };
    let word = words::words(head).next().filter(|word| word.start == 0).map_or(0, |word| word.end);
    head[word..].starts_with(b"  ") && head[word..].trim_ascii_start().first() == Some(&b':')
}

/// Whether a shape is only a level and a value, `Error: <text>`: any program prints that.
pub(crate) fn is_level_only(shape: &Shape) -> bool {
    let is_level = |head: &[u8]| after::level_word(head).is_some_and(|(len, _)| len >= head.len());
    shape.n_words == 1 && shape.pieces.len() <= 2 && shape.head().is_some_and(is_level)
}

/// Whether a value that a template starts with is set off as a tag is: a word, and a colon behind it.
pub(crate) fn is_tag(shape: &Shape, first_value: &[u8]) -> bool {
    let text = shape.pieces.get(1).and_then(Piece::text);
    let is_word = (2..=64).contains(&first_value.len())
        && first_value.iter().all(|b| b.is_ascii_alphanumeric() || b"_.:/-[]()".contains(b));
    shape.head().is_none() && is_word && text.is_some_and(|text| text.starts_with(b": "))
}

/// Whether the evidence is enough to tell somebody. `prior` is what the source adds to the evidence of a
/// message that starts where a known header ends.
pub(crate) fn strength(
    shape: &Shape,
    points: i32,
    agreement: &Agreement,
    anchor: Anchor,
    prior: i32,
) -> Strength {
    if agreement.is_place {
        return Strength::Strong;
    }
    let is_marked = prior >= PRIOR_MARKED && shape.is_marked() && points + prior >= STRONG_MARKED;
    let is_strong = if !shape.is_worded() {
        (agreement.is_near && points >= STRONG_NEAR || is_marked)
            && !agreement.other_level
            && anchor == Anchor::Header
    } else {
        points + if anchor == Anchor::Header { prior } else { 0 } >= STRONG
    };
    if is_strong { Strength::Strong } else { Strength::Weak }
}
