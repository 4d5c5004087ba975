//! What the first line of a message looks like when a statement printed it.

use dice_catalog::{Entry, HoleKind, Part, Template};

use super::after;
use super::hole::{HoleId, Holes};
use super::words;

/// Pieces of one shape, at most; what follows is taken as one hole. No real statement comes near.
const PIECES: usize = 512;

/// How a text ends that is put before another.
const LABELS: [&[u8]; 3] = [b": ", b"= ", b"-> "];

/// The first line of what a statement prints: fixed texts and holes, prefix and suffix of the callee
/// included. Statements that print the same share one shape.
#[derive(Debug)]
pub(crate) struct Shape {
    /// Texts and holes, in order; neither two texts nor two gaps are neighbours.
    pub(crate) pieces: Box<[Piece]>,
    /// The runs of pieces between gaps.
    pub(crate) segments: Box<[Segment]>,
    /// The gap after the last segment.
    pub(crate) tail: Option<Gap>,
    /// The gap after the last segment starts with a blank, or is missing: the blank between a text and a
    /// value is cut off when the value is empty.
    pub(crate) is_blank_tail: bool,
    /// Whether the text of an error may follow.
    pub(crate) reasons: bool,
    /// Names of structured fields that are printed beside the message.
    pub(crate) fields: Box<[String]>,
    /// The identifier that it starts with, which is not among the pieces.
    pub(crate) message_id: Option<Box<str>>,
    /// Bytes after which the logger cuts.
    pub(crate) max: Option<u32>,
    /// The callee's prefix or suffix was left out.
    pub(crate) is_bare: bool,
    /// How many holes the template has, those of prefix and suffix not counted.
    pub(crate) n_values: u16,
    /// What its texts say, in quarters of a letter.
    pub(crate) points: u32,
    /// Bytes of its texts.
    pub(crate) literal_bytes: u32,
    /// Bytes of its texts that are not blank.
    pub(crate) visible_bytes: u32,
    /// Letters of its texts.
    pub(crate) letters: u32,
    /// How many words of three letters and more its texts have.
    pub(crate) n_words: u32,
    /// Letters of its longest word.
    pub(crate) longest_word: u32,
    /// A bit for each word that stands whole in every line it prints.
    pub(crate) words: u64,
    /// Places in the matcher of the statements that print it, in catalog order.
    pub(crate) entries: Vec<u32>,
}

/// A text or a hole.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Piece {
    /// Fixed text, and the place of its rarest byte.
    Text(Box<[u8]>, u16),
    /// A hole with a pattern of its own.
    Typed {
        /// Its automaton.
        hole: HoleId,
        /// The place of its value among the template's.
        value: Option<u16>,
        /// Words beside it stay whole in a line: it never starts or ends with a letter.
        is_closed: bool,
        /// It prints no letter at all.
        is_wordless: bool,
    },
    /// A hole that takes anything.
    Gap {
        /// What it takes at least.
        gap: Gap,
        /// The places of its values among the template's: several holes side by side are one gap.
        values: Option<(u16, u16)>,
    },
}

/// A hole that takes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Gap {
    /// Bytes that it takes at least.
    pub(crate) min: usize,
}

/// A run of pieces without a gap among them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Segment {
    /// The gap in front.
    pub(crate) gap: Option<Gap>,
    /// Its first piece.
    pub(crate) first: u16,
    /// The piece after its last one.
    pub(crate) end: u16,
}

/// What makes two statements print the same.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Look {
    pieces: Vec<Piece>,
    is_blank_tail: bool,
    message_id: Option<Box<str>>,
    reasons: bool,
    fields: Vec<String>,
    max: Option<u32>,
    is_bare: bool,
}

impl Look {
    /// What the first lines of `entry` look like: with all that the callee adds and, where it adds
    /// something, without.
    pub(crate) fn of(entry: &Entry, holes: &mut Holes) -> Vec<Look> {
        let statement = &entry.statement;
        let has_more = !statement.prefix.is_empty() || !statement.suffix.is_empty();
        let mut looks = Vec::with_capacity(2);
        for is_bare in [false, true] {
            if is_bare && !has_more {
                break;
            }
            let mut pieces = Pieces::new(holes);
            if !is_bare {
                pieces.add(&statement.prefix, false);
            }
            pieces.add(statement.template.parts(), true);
            match statement.suffix.iter().position(|part| matches!(part, Part::Hole(_))) {
                // What a callee adds may depend on more than its text shows.
                Some(first) if is_bare && !statement.template.is_dynamic() => {
                    pieces.add(&statement.suffix[..first], false);
                    pieces.add(&[Part::hole(HoleKind::Text)], false);
                }
                _ if is_bare => {}
                _ => pieces.add(&statement.suffix, false),
            }
            let (mut pieces, is_blank_tail) = pieces.finish();
            if pieces.is_empty() {
                pieces = Pieces::of_fields(&statement.fields);
            }
            if pieces.is_empty() {
                continue;
            }
            let message_id = take_message_id(&mut pieces);
            let without_serial = without_serial(&pieces);
            for pieces in [Some(pieces), without_serial].into_iter().flatten() {
                looks.push(Look {
                    pieces,
                    message_id: message_id.clone(),
                    is_blank_tail,
                    reasons: !matches!(entry.language.as_str(), "rust"),
                    fields: statement.fields.clone(),
                    max: statement.max,
                    is_bare,
                });
            }
        }
        looks
    }

    /// What one line of a template looks like.
    pub(crate) fn of_line(line: &Template, holes: &mut Holes) -> Look {
        let mut pieces = Pieces::new(holes);
        pieces.add(line.parts(), false);
        let (pieces, is_blank_tail) = pieces.finish();
        Look {
            pieces,
            is_blank_tail,
            message_id: None,
            reasons: false,
            fields: Vec::new(),
            max: None,
            is_bare: false,
        }
    }
}

impl Shape {
    /// The shape of `look`, printed by nobody yet.
    pub(crate) fn new(look: &Look) -> Shape {
        let pieces: Box<[Piece]> = look.pieces.clone().into();
        let mut segments = Vec::new();
        let mut gap = None;
        let mut first = 0;
        for (at, piece) in pieces.iter().enumerate() {
            if let Piece::Gap { gap: next, .. } = piece {
                if at > first {
                    segments.push(Segment { gap, first: first as u16, end: at as u16 });
                }
                gap = Some(*next);
                first = at + 1;
            }
        }
        if pieces.len() > first {
            segments.push(Segment { gap: gap.take(), first: first as u16, end: pieces.len() as u16 });
        }
        let texts = || pieces.iter().filter_map(Piece::text);
        let n_values = pieces.iter().filter_map(Piece::last_value).max().map_or(0, |last| last + 1);
        let mut shape = Shape {
            segments: segments.into(),
            tail: gap,
            is_blank_tail: look.is_blank_tail,
            reasons: look.reasons,
            fields: look.fields.clone().into(),
            message_id: look.message_id.clone(),
            max: look.max,
            is_bare: look.is_bare,
            n_values,
            points: points(&pieces),
            literal_bytes: texts().map(|text| text.len() as u32).sum(),
            visible_bytes: texts()
                .map(|text| text.iter().filter(|byte| !byte.is_ascii_whitespace()).count() as u32)
                .sum(),
            letters: texts().map(|text| words::letters(text) as u32).sum(),
            n_words: texts()
                .map(|text| words::words(text).filter(|word| word.end - word.start > 2).count() as u32)
                .sum(),
            longest_word: texts().map(|text| words::longest(text) as u32).max().unwrap_or(0),
            words: 0,
            entries: Vec::new(),
            pieces,
        };
        let mut bits = 0;
        shape.whole_words(|word, _| bits |= words::bit(word));
        shape.words = bits;
        shape
    }

    /// The pieces of one segment.
    pub(crate) fn pieces_of(&self, segment: &Segment) -> &[Piece] {
        &self.pieces[segment.first as usize..segment.end as usize]
    }

    /// Whether it has a word, so that it may be asked for any line.
    pub(crate) fn is_worded(&self) -> bool {
        self.longest_word >= 2 && self.letters >= 3
    }

    /// Whether it has no word, but marks and typed holes or fixed ends that hardly anything else has: it
    /// may be asked where almost every line of a source is known.
    pub(crate) fn is_marked(&self) -> bool {
        let mut typed = self.pieces.iter().filter(|piece| matches!(piece, Piece::Typed { .. }));
        let is_closed = self.head().is_some() && self.tail.is_none() && self.segments.len() <= 2;
        !self.is_worded()
            && self.visible_bytes + self.letters >= 5
            && (self.words != 0 || self.head().is_some())
            && (is_closed || typed.next().is_some())
    }

    /// The text that every line starts with.
    pub(crate) fn head(&self) -> Option<&[u8]> {
        self.pieces.first().and_then(Piece::text)
    }

    /// Calls `word` with the hash of each word that stands whole in every line, and with that of the whole
    /// word before it when nothing but digits and marks stands between.
    pub(crate) fn whole_words(&self, mut word: impl FnMut(u64, Option<u64>)) {
        let mut before = None;
        for (at, piece) in self.pieces.iter().enumerate() {
            match piece {
                Piece::Text(text, _) => {
                    let left = at == 0 || self.pieces[at - 1].is_closed();
                    let is_last = at + 2 >= self.pieces.len();
                    let right =
                        self.pieces.get(at + 1).is_none_or(Piece::is_closed) || is_last && self.is_blank_tail;
                    for found in words::words(text) {
                        let is_whole = (found.start > 0 || left) && (found.end < text.len() || right);
                        if is_whole {
                            word(found.hash, before);
                        }
                        before = is_whole.then_some(found.hash);
                    }
                }
                Piece::Typed { is_wordless: true, .. } => {}
                Piece::Typed { .. } | Piece::Gap { .. } => before = None,
            }
        }
    }

    /// Bytes that it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        let texts: usize = self.pieces.iter().filter_map(Piece::text).map(<[u8]>::len).sum();
        size_of::<Shape>()
            + texts
            + size_of_val(&*self.pieces)
            + size_of_val(&*self.segments)
            + self.fields.iter().map(|field| field.len() + size_of::<String>()).sum::<usize>()
            + self.entries.len() * size_of::<u32>()
    }
}

impl Piece {
    /// The text, if it is one.
    pub(crate) fn text(&self) -> Option<&[u8]> {
        match self {
            Piece::Text(text, _) => Some(text),
            Piece::Typed { .. } | Piece::Gap { .. } => None,
        }
    }

    fn is_closed(&self) -> bool {
        match self {
            Piece::Text(..) => true,
            Piece::Typed { is_closed, .. } => *is_closed,
            Piece::Gap { .. } => false,
        }
    }

    fn last_value(&self) -> Option<u16> {
        match self {
            Piece::Text(..) => None,
            Piece::Typed { value, .. } => *value,
            Piece::Gap { values, .. } => values.map(|(_, last)| last),
        }
    }
}

/// Puts pieces together.
struct Pieces<'h> {
    holes: &'h mut Holes,
    pieces: Vec<RawPiece>,
    values: u16,
}

enum RawPiece {
    Text(Vec<u8>),
    Hole(Piece),
}

impl<'h> Pieces<'h> {
    fn new(holes: &'h mut Holes) -> Pieces<'h> {
        Pieces { holes, pieces: Vec::new(), values: 0 }
    }

    fn add(&mut self, parts: &[Part], has_values: bool) {
        for part in parts {
            match part {
                Part::Text(text) => self.text(text.as_bytes()),
                Part::Hole(hole) => {
                    let value = has_values.then_some(self.values);
                    if has_values {
                        self.values = self.values.saturating_add(1);
                    }
                    let typed = if hole.is_untyped() { None } else { self.holes.add(hole) };
                    let piece = match typed {
                        Some(id) => {
                            use dice_catalog::HoleKind::{Int, Octal, Quoted, Uint};
                            let is_wordless =
                                matches!(hole.kind, Int | Uint) || hole.kind == Octal && !hole.alternate;
                            Piece::Typed {
                                hole: id,
                                value,
                                is_closed: is_wordless || hole.kind == Quoted,
                                is_wordless,
                            }
                        }
                        None => {
                            let min = usize::from(hole.kind == dice_catalog::HoleKind::Errno);
                            Piece::Gap { gap: Gap { min }, values: value.map(|v| (v, v)) }
                        }
                    };
                    self.pieces.push(RawPiece::Hole(piece));
                }
            }
        }
    }

    fn text(&mut self, text: &[u8]) {
        match self.pieces.last_mut() {
            Some(RawPiece::Text(before)) => before.extend_from_slice(text),
            Some(RawPiece::Hole(_)) | None => self.pieces.push(RawPiece::Text(text.to_vec())),
        }
    }

    /// The first line that is not blank, as a reader hands it over: without colours, without blanks at
    /// both ends. Says also whether a blank was taken from between the last text and a gap behind it.
    fn finish(self) -> (Vec<Piece>, bool) {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut has_lines = false;
        for piece in self.pieces {
            match piece {
                RawPiece::Text(text) => {
                    let mut text = &*without_colours(&text);
                    if pieces.is_empty() {
                        text = text.trim_ascii_start();
                    }
                    let line = memchr::memchr2(b'\n', b'\r', text);
                    text = &text[..line.unwrap_or(text.len())];
                    if !text.is_empty() {
                        pieces.push(Piece::of_text(text));
                    }
                    if line.is_some() {
                        has_lines = true;
                        break;
                    }
                }
                RawPiece::Hole(piece) => push_hole(&mut pieces, piece),
            }
            if pieces.len() >= PIECES {
                push_hole(&mut pieces, Piece::Gap { gap: Gap { min: 0 }, values: None });
                break;
            }
        }
        // What ends with `: ` is the label of a text that the caller adds.
        let is_label = matches!(
            &pieces[..],
            [.., Piece::Text(text, _)] if !has_lines && LABELS.iter().any(|label| text.ends_with(label))
        );
        if is_label {
            push_hole(&mut pieces, Piece::Gap { gap: Gap { min: 0 }, values: None });
        }
        let ends_open = matches!(pieces.last(), Some(Piece::Gap { gap: Gap { min: 0 }, .. }));
        let last_text = pieces.len().checked_sub(1 + usize::from(ends_open));
        let Some((at, Piece::Text(text, _))) = last_text.map(|at| (at, &pieces[at])) else {
            return (pieces, false);
        };
        let trimmed = text.trim_ascii_end().to_vec();
        let is_cut = trimmed.len() < text.len();
        match (is_cut, trimmed.is_empty()) {
            (false, _) => {}
            // Between values that take anything a blank tells nothing, and is needed to keep them apart.
            (true, true) if ends_open && !matches!(pieces[..at], [.., Piece::Typed { .. }]) => {
                return (pieces, false);
            }
            (true, true) if ends_open => _ = pieces.remove(at),
            (true, true) => _ = pieces.pop(),
            (true, false) => pieces[at] = Piece::of_text(&trimmed),
        }
        (pieces, is_cut && ends_open)
    }

    /// A message without a text of its own prints its fields.
    fn of_fields(fields: &[String]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for (n, name) in fields.iter().take(PIECES / 2).enumerate() {
            let text = format!("{}{name}=", if n > 0 { " " } else { "" });
            pieces.push(Piece::of_text(text.as_bytes()));
            pieces.push(Piece::Gap { gap: Gap { min: 0 }, values: None });
        }
        pieces
    }
}

impl Piece {
    fn of_text(text: &[u8]) -> Piece {
        let rarest = (0..text.len().min(255)).min_by_key(|&at| frequency(text[at])).unwrap_or(0);
        Piece::Text(text.into(), rarest as u16)
    }
}

/// Takes the identifier off that a message starts with: headers show it apart.
fn take_message_id(pieces: &mut Vec<Piece>) -> Option<Box<str>> {
    let text = pieces.first().and_then(Piece::text)?;
    let (len, id) = after::message_id(text)?;
    let (id, rest) = (id.into(), text[len..].to_vec());
    match (rest.is_empty(), pieces.len()) {
        (true, 1) => return None,
        (true, _) => _ = pieces.remove(0),
        (false, _) => pieces[0] = Piece::of_text(&rest),
    }
    Some(id)
}

/// `pieces` without the `*<uint> ` that they start with: a connection's number, which headers show apart.
fn without_serial(pieces: &[Piece]) -> Option<Vec<Piece>> {
    let [Piece::Text(star, _), Piece::Typed { is_wordless: true, .. }, Piece::Text(text, _), rest @ ..] =
        pieces
    else {
        return None;
    };
    let text = text.strip_prefix(b" ").filter(|text| **star == *b"*" && !text.is_empty())?;
    Some(std::iter::once(Piece::of_text(text)).chain(rest.iter().cloned()).collect())
}

/// What the texts of `pieces` say. A blank between two gaps says nothing: most values have one.
fn points(pieces: &[Piece]) -> u32 {
    let is_gap = |at: Option<usize>| {
        at.and_then(|at| pieces.get(at)).is_some_and(|piece| matches!(piece, Piece::Gap { .. }))
    };
    let texts = pieces.iter().enumerate().filter_map(|(at, piece)| piece.text().map(|text| (at, text)));
    let told = texts.map(|(at, text)| {
        let is_nothing = text.trim_ascii().is_empty() && is_gap(at.checked_sub(1)) && is_gap(Some(at + 1));
        if is_nothing { 0 } else { words::evidence(text) }
    });
    let head = pieces.first().and_then(Piece::text).map_or(0, words::head_evidence);
    told.sum::<u32>() + head
}

fn push_hole(pieces: &mut Vec<Piece>, piece: Piece) {
    match (pieces.last_mut(), piece) {
        (Some(Piece::Gap { gap, values }), Piece::Gap { gap: next, values: more }) => {
            gap.min += next.min;
            *values = match (*values, more) {
                (Some((first, _)), Some((_, last))) => Some((first, last)),
                (known, None) | (None, known) => known,
            };
        }
        (_, piece) => pieces.push(piece),
    }
}

/// `text` without terminal colours, which readers take out of lines.
fn without_colours(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with(b"\x1b[") {
            let inner = text[at + 2..].iter().take_while(|b| b.is_ascii_digit() || **b == b';').count();
            if text.get(at + 2 + inner).is_some_and(u8::is_ascii_alphabetic) {
                at += 3 + inner;
                continue;
            }
        }
        plain.push(text[at]);
        at += 1;
    }
    plain
}

/// How often a byte stands in log lines, roughly: the order is what counts.
fn frequency(byte: u8) -> u8 {
    match byte {
        b' ' => 255,
        b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' => 220,
        b'0'..=b'9' | b'd' | b'c' | b'l' => 200,
        b':' | b'.' | b'u' | b'm' | b'p' | b'f' | b'h' => 160,
        b'g' | b'b' | b'y' | b'w' | b'v' | b'-' | b'/' | b'_' | b'=' | b',' => 120,
        b'k' | b'x' | b'"' | b'\'' | b'(' | b')' | b'[' | b']' => 90,
        b'A'..=b'Z' => 60,
        _ => 30,
    }
}
