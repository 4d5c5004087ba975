//! Whether a line fits a shape, and where.
//!
//! A shape is a row of segments with gaps between. Inside a segment the places that can be reached are kept
//! as a set; a gap forgets all of them but the first, since it reaches whatever lies behind. So the answer
//! is that of the regular expression, found without building an automaton for it: the automata are those of
//! the typed holes, which all shapes share. Work is counted, and who counts too much asks the automaton of
//! the whole shape instead.

use std::ops::Range;

use memchr::{memchr, memmem};

use super::after::After;
use super::hole::Holes;
use super::shape::{Piece, Segment, Shape};
use super::words;

/// Where in a line a shape may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// Exactly there.
    At(usize),
    /// There or behind any later boundary of words.
    From(usize),
}

/// How a line fits a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fit {
    /// Where the template starts.
    pub(crate) start: usize,
    /// Where the template ends.
    pub(crate) end: usize,
    /// What stands behind.
    pub(crate) after: After,
}

/// The answer about one shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fitted {
    /// It does not fit.
    No,
    /// It fits.
    Yes(Fit),
    /// Finding out took more work than was allowed.
    Exhausted,
}

/// What fitting needs to remember; `left` bounds the work.
#[derive(Debug, Default)]
pub(crate) struct Work {
    /// Units of work left: about a nanosecond each.
    pub(crate) left: usize,
    /// Where each segment of the last shape lies.
    pub(crate) spans: Vec<(usize, usize)>,
    here: Vec<usize>,
    next: Vec<usize>,
}

impl Work {
    /// `left` units of work.
    pub(crate) fn of(left: usize) -> Work {
        Work { left, ..Work::default() }
    }

    fn spend(&mut self, units: usize) -> bool {
        match self.left.checked_sub(units) {
            Some(left) => {
                self.left = left;
                true
            }
            None => {
                self.left = 0;
                false
            }
        }
    }
}

/// Finding out took more work than was allowed.
struct Exhausted;

/// Where a segment lies, and what stands behind it at the end of a shape.
#[derive(Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
    after: After,
}

/// What comes after a segment.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    Gap,
    /// A gap that starts with a blank, or nothing.
    Blank,
    End,
}

/// Whether `text` fits `shape` from `start` on.
pub(crate) fn fit(shape: &Shape, holes: &Holes, text: &[u8], start: Start, work: &mut Work) -> Fitted {
    let line = Line { shape, holes, text };
    match line.fit(start, work) {
        Ok(Some(fit)) => Fitted::Yes(fit),
        Ok(None) => Fitted::No,
        Err(Exhausted) => Fitted::Exhausted,
    }
}

struct Line<'a> {
    shape: &'a Shape,
    holes: &'a Holes,
    text: &'a [u8],
}

impl Line<'_> {
    fn fit(&self, start: Start, work: &mut Work) -> Result<Option<Fit>, Exhausted> {
        work.spans.clear();
        let (mut at, floats) = match start {
            Start::At(at) => (at, false),
            Start::From(at) => (at, true),
        };
        let mut begin = at;
        let mut after = After::Nothing;
        let segments = &self.shape.segments;
        for (n, segment) in segments.iter().enumerate() {
            let next = match n + 1 == segments.len() {
                true if self.shape.tail.is_none() => Next::End,
                true if self.shape.is_blank_tail => Next::Blank,
                _ => Next::Gap,
            };
            let found = match segment.gap {
                None if n == 0 && !floats => self.reach(segment, at, next, work)?,
                None => self.search(segment, at, 0, true, next, work)?,
                Some(gap) => self.search(segment, at, gap.min, false, next, work)?,
            };
            let Some(span) = found else { return Ok(None) };
            if n == 0 && segment.gap.is_none() {
                begin = span.start;
            }
            work.spans.push((span.start, span.end));
            at = span.end;
            after = span.after;
        }
        if let Some(tail) = self.shape.tail {
            if self.text.len() < at + tail.min {
                return Ok(None);
            }
            at = self.text.len();
        }
        Ok(Some(Fit { start: begin, end: at, after }))
    }

    fn is_blank(&self, at: usize) -> bool {
        self.text.get(at).is_none_or(|b| matches!(b, b' ' | b'\t'))
    }

    /// The first end of `segment` behind `from`; at the end of the shape, the end with the least behind it.
    fn search(
        &self,
        segment: &Segment,
        from: usize,
        min: usize,
        at_boundary: bool,
        next: Next,
        work: &mut Work,
    ) -> Result<Option<Span>, Exhausted> {
        let pieces = self.shape.pieces_of(segment);
        let Some(mut at) = from.checked_add(min).filter(|&at| at <= self.text.len()) else { return Ok(None) };
        if let [Piece::Text(text, _)] = pieces
            && next == Next::End
            && !at_boundary
            && self.text.ends_with(text)
            && self.text.len() - text.len() >= at
        {
            let end = self.text.len();
            return Ok(Some(Span { start: end - text.len(), end, after: After::Nothing }));
        }
        let mut best: Option<Span> = None;
        loop {
            if let Some(span) = best {
                let is_last = match next {
                    // A later start can end earlier only if it lies inside; texts cannot.
                    Next::Gap | Next::Blank => pieces.len() == 1 || at >= span.end,
                    Next::End => span.after == After::Nothing,
                };
                if is_last {
                    return Ok(best);
                }
            }
            let Some(start) = self.lead(pieces, at, work)? else { return Ok(best) };
            at = start + 1;
            if at_boundary && !is_boundary(self.text, start) {
                continue;
            }
            if let Some(span) = self.reach(segment, start, next, work)? {
                let is_better = best.is_none_or(|known| match next {
                    Next::Gap | Next::Blank => span.end < known.end,
                    Next::End => span.after < known.after,
                });
                if is_better {
                    best = Some(span);
                }
            }
        }
    }

    /// The first place from `at` on where `pieces` may start.
    fn lead(&self, pieces: &[Piece], at: usize, work: &mut Work) -> Result<Option<usize>, Exhausted> {
        match pieces.first() {
            Some(Piece::Text(text, rarest)) => find(self.text, at, text, *rarest as usize, work),
            _ => Ok((at <= self.text.len()).then_some(at)),
        }
    }

    /// The first end of `segment` when it starts at `from`; at the end of the shape, the one with the least
    /// behind it.
    fn reach(
        &self,
        segment: &Segment,
        from: usize,
        next: Next,
        work: &mut Work,
    ) -> Result<Option<Span>, Exhausted> {
        let pieces = self.shape.pieces_of(segment);
        let span = |end, after| Some(Span { start: from, end, after });
        // The first text decides most questions: no set is needed for it.
        let (at, pieces) = match pieces {
            [Piece::Text(text, _), rest @ ..] => {
                if !work.spend(2 + text.len() / 8) {
                    return Err(Exhausted);
                }
                if !self.text[from..].starts_with(text) {
                    return Ok(None);
                }
                (from + text.len(), rest)
            }
            pieces => (from, pieces),
        };
        if pieces.is_empty() {
            return Ok(match next {
                Next::Gap => span(at, After::Nothing),
                Next::Blank if self.is_blank(at) => span(at, After::Nothing),
                Next::Blank => None,
                Next::End => {
                    After::of(&self.text[at..], self.shape.reasons).and_then(|after| span(at, after))
                }
            });
        }
        work.here.clear();
        work.here.push(at);
        for (n, piece) in pieces.iter().enumerate() {
            let follower = pieces.get(n + 1);
            work.next.clear();
            for place in 0..work.here.len() {
                let at = work.here[place];
                match piece {
                    Piece::Text(text, _) => {
                        if !work.spend(2 + text.len() / 8) {
                            return Err(Exhausted);
                        }
                        if self.text[at..].starts_with(text) {
                            work.next.push(at + text.len());
                        }
                    }
                    Piece::Typed { hole, .. } => {
                        let found = &mut work.next;
                        let seen = self.holes.ends(*hole, self.text, at, |end| match follower {
                            Some(Piece::Text(text, _)) => {
                                if self.text.get(end) == text.first() {
                                    found.push(end);
                                }
                                true
                            }
                            Some(Piece::Typed { .. } | Piece::Gap { .. }) => {
                                found.push(end);
                                true
                            }
                            // The text before the gap decides.
                            None if next == Next::Blank => {
                                found.push(end);
                                true
                            }
                            None if next == Next::Gap => {
                                found.push(end);
                                false
                            }
                            None => {
                                if self.text.get(end).is_none_or(|&b| After::may_start_with(b)) {
                                    found.push(end);
                                }
                                true
                            }
                        });
                        if !work.spend(4 + seen) {
                            return Err(Exhausted);
                        }
                    }
                    Piece::Gap { .. } => {}
                }
            }
            if work.next.len() > 1 {
                work.next.sort_unstable();
                work.next.dedup();
            }
            std::mem::swap(&mut work.here, &mut work.next);
            if work.here.is_empty() {
                return Ok(None);
            }
        }
        match next {
            Next::Gap => Ok(work.here.first().and_then(|&end| span(end, After::Nothing))),
            Next::Blank => {
                let end = work.here.iter().copied().find(|&end| self.is_blank(end));
                Ok(end.and_then(|end| span(end, After::Nothing)))
            }
            Next::End => {
                let mut best: Option<Span> = None;
                for place in 0..work.here.len() {
                    let end = work.here[place];
                    if !work.spend(8) {
                        return Err(Exhausted);
                    }
                    if let Some(after) = After::of(&self.text[end..], self.shape.reasons)
                        && best.is_none_or(|known| after <= known.after)
                    {
                        best = span(end, after);
                    }
                }
                Ok(best)
            }
        }
    }
}

/// Whether a message may start at `at` in a line whose header is not known.
pub(crate) fn is_boundary(text: &[u8], at: usize) -> bool {
    at == 0
        || !words::is_word(text[at - 1])
            && !text[at - 1].is_ascii_digit()
            && !b"./+-'".contains(&text[at - 1])
}

/// The first place of `needle` in `text` from `at` on.
fn find(
    text: &[u8],
    mut at: usize,
    needle: &[u8],
    rarest: usize,
    work: &mut Work,
) -> Result<Option<usize>, Exhausted> {
    let Some(last) = text.len().checked_sub(needle.len()) else { return Ok(None) };
    for _ in 0..32 {
        if at > last {
            return Ok(None);
        }
        let Some(skip) = memchr(needle[rarest], &text[at + rarest..=last + rarest]) else {
            return if work.spend(1 + (last - at) / 16) { Ok(None) } else { Err(Exhausted) };
        };
        if !work.spend(4 + skip / 16) {
            return Err(Exhausted);
        }
        at += skip;
        if text[at..].starts_with(needle) {
            return Ok(Some(at));
        }
        at += 1;
    }
    // The rare byte is not rare here.
    let found = text.get(at..).and_then(|rest| memmem::find(rest, needle));
    let seen = found.unwrap_or(text.len().saturating_sub(at));
    if work.spend(64 + seen / 4) { Ok(found.map(|skip| at + skip)) } else { Err(Exhausted) }
}

/// Where the values of the template's holes lie in a line that fits; `spans` are those of the fit.
///
/// Gives nothing when the values cannot be told in a bounded number of steps.
pub(crate) fn values(
    shape: &Shape,
    holes: &Holes,
    text: &[u8],
    fit: Fit,
    from: usize,
    spans: &[(usize, usize)],
) -> Vec<Range<usize>> {
    let mut values = vec![0..0; shape.n_values as usize];
    let mut steps = 20_000;
    let mut at = from;
    let mut places = Vec::new();
    for (n, segment) in shape.segments.iter().enumerate() {
        let Some(&(start, end)) = spans.get(n) else { return Vec::new() };
        let gap = (segment.first as usize).checked_sub(1).map(|before| &shape.pieces[before]);
        if let Some(Piece::Gap { values: Some((first, last)), .. }) = gap {
            put(&mut values, *first, *last, at..start);
        }
        let follower = shape.segments.get(n + 1);
        let limit = match follower {
            Some(next) => spans.get(n + 1).map_or(end, |span| span.0 - next.gap.map_or(0, |gap| gap.min)),
            None => fit.end - shape.tail.map_or(0, |gap| gap.min),
        };
        let must_end = follower.is_none() && shape.tail.is_none();
        places.clear();
        let walk = Walk { pieces: shape.pieces_of(segment), holes, text, limit, must_end };
        if !walk.step(0, start, &mut places, &mut steps) {
            return Vec::new();
        }
        at = places.last().copied().unwrap_or(start);
        let mut begin = start;
        for (piece, &end) in walk.pieces.iter().zip(&places) {
            if let Piece::Typed { value: Some(value), .. } = piece {
                put(&mut values, *value, *value, begin..end);
            }
            begin = end;
        }
    }
    if let (Some(_), Some(Piece::Gap { values: Some((first, last)), .. })) = (shape.tail, shape.pieces.last())
    {
        let blank = usize::from(shape.is_blank_tail && at < fit.end);
        put(&mut values, *first, *last, at + blank..fit.end);
    }
    values
}

/// Holes side by side cannot be told apart: the first has it all.
fn put(values: &mut [Range<usize>], first: u16, last: u16, range: Range<usize>) {
    for place in first..=last {
        if let Some(value) = values.get_mut(place as usize) {
            *value = if place == first { range.clone() } else { range.end..range.end };
        }
    }
}

/// Finds the longest values of one segment's holes.
struct Walk<'a> {
    pieces: &'a [Piece],
    holes: &'a Holes,
    text: &'a [u8],
    limit: usize,
    must_end: bool,
}

impl Walk<'_> {
    fn step(&self, n: usize, at: usize, places: &mut Vec<usize>, steps: &mut usize) -> bool {
        let Some(piece) = self.pieces.get(n) else { return !self.must_end || at == self.limit };
        if *steps == 0 {
            return false;
        }
        *steps -= 1;
        match piece {
            Piece::Text(text, _) => {
                if at + text.len() > self.limit || !self.text[at..].starts_with(text) {
                    return false;
                }
                places.push(at + text.len());
                let goes_on = self.step(n + 1, at + text.len(), places, steps);
                if !goes_on {
                    places.pop();
                }
                goes_on
            }
            Piece::Typed { hole, .. } => {
                let mut ends = Vec::new();
                self.holes.ends(*hole, &self.text[..self.limit], at, |end| {
                    ends.push(end);
                    ends.len() < 4096
                });
                for end in ends.into_iter().rev() {
                    places.push(end);
                    if self.step(n + 1, end, places, steps) {
                        return true;
                    }
                    places.pop();
                }
                false
            }
            Piece::Gap { .. } => false,
        }
    }
}

/// How much of `shape` a line shows that was cut in the middle of it: the points of the texts that were
/// reached, and where the template starts.
pub(crate) fn fit_cut(shape: &Shape, holes: &Holes, text: &[u8], start: usize) -> Option<u32> {
    let line = Line { shape, holes, text };
    let mut work = Work::of(64 + 8 * text.len());
    let mut points = 0;
    let mut at = start;
    for (n, segment) in shape.segments.iter().enumerate() {
        let found = match segment.gap {
            None => line.reach(segment, at, Next::Gap, &mut work).ok()?,
            Some(gap) => line.search(segment, at, gap.min, false, Next::Gap, &mut work).ok()?,
        };
        match found {
            Some(span) => {
                let texts = shape.pieces_of(segment).iter().filter_map(Piece::text);
                points += texts.map(words::evidence).sum::<u32>();
                at = span.end;
            }
            // The gap before goes on to the cut.
            None if n > 0 => return Some(points),
            None => {
                // Cut inside the first text: the rest of the line has to be its start.
                let head = shape.head()?;
                let rest = &text[at..];
                return (head.len() > rest.len() && head.starts_with(rest)).then(|| words::evidence(rest));
            }
        }
    }
    // It is not cut in the middle: the whole template is there, or what follows does not belong to it.
    None
}
