//! What is known about the last events of a key that is idle, in few bytes.

use std::sync::Arc;

use super::bytes::FewBytes;
use super::codec::{Reader, Writer, put_signed, put_text, put_varint, signed_at, text_at, varint_at};
use super::origin::{Packed, Sample};
use super::sources::{self, Sources};
use super::tally::Tally;

/// Origins that are told apart in a span; events of further ones are only counted.
const MAX_ORIGINS: u8 = 16;

/// The bits of the first byte of `rest` that say how many origins the newer span has.
const N_ORIGINS: u8 = 0x1f;
/// The newer span has a line.
const LINE: u8 = 0x20;
/// There is an older span.
const OLDER: u8 = 0x40;

/// Of the line of the older span nothing is left, or the trace it belonged to, or all of it.
const NO_LINE: u8 = 0;
const TRACE: u8 = 1;
const WHOLE_LINE: u8 = 2;

/// What is known about the events of the last span of time, for rules that fire on a timer: those of two spans,
/// the older one dropped when the newer one is full.
///
/// Every idle key of such a rule has one, so everything that is not asked for with every event is bytes.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Recent {
    lines: Lines,
    last_ms: i64,
    /// How many events the newer span has.
    count: u32,
    /// How much earlier than its beginning its first event was: one that came late.
    early_ms: u32,
}

/// The same for rules that tell no more of the events before an episode than a line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lines {
    /// When the newer span began; [`i64::MIN`] before the first.
    began_ms: i64,
    /// One after the other: the first byte, the origins of the newer span, the older span, the newer line.
    rest: FewBytes,
}

/// The events of a span: how many, the first and the last.
#[derive(Debug, Clone, Copy)]
struct Span {
    count: u32,
    first_ms: i64,
    last_ms: i64,
}

/// What [`Lines::rest`] says.
struct Rest<'r> {
    newer: Sources<'r>,
    older: Option<Older<'r>>,
    /// The line of the newer span.
    line: Option<&'r [u8]>,
}

/// The older span.
struct Older<'r> {
    span: Span,
    sources: Sources<'r>,
    line: OlderLine<'r>,
}

enum OlderLine<'r> {
    None,
    /// Another is newer: only what a request was called is still told.
    Trace(&'r str),
    Whole(&'r [u8]),
}

impl Span {
    /// The same, unless there are none.
    fn some(self) -> Option<Span> {
        (self.count > 0).then_some(self)
    }

    fn of(tally: &Tally) -> Option<Span> {
        let (first_ms, last_ms) = tally.seen_ms?;
        let count = u32::try_from(tally.count).unwrap_or(u32::MAX);
        Span { count, first_ms, last_ms }.some()
    }
}

impl Default for Lines {
    fn default() -> Lines {
        Lines { began_ms: i64::MIN, rest: FewBytes::default() }
    }
}

impl Lines {
    /// One more event, in order. Says whether a span begins with it.
    pub(crate) fn turn(&mut self, at_ms: i64, span_ms: i64) -> bool {
        self.turn_from(None, at_ms, span_ms)
    }

    /// The same, when this is what the newer span has.
    fn turn_from(&mut self, newer: Option<Span>, at_ms: i64, span_ms: i64) -> bool {
        let is_first = self.began_ms == i64::MIN;
        let is_full = !is_first && at_ms.saturating_sub(self.began_ms) >= span_ms;
        if is_full {
            let is_recent = at_ms.saturating_sub(self.began_ms) < span_ms.saturating_mul(2);
            self.rest = if is_recent { self.turned(newer, at_ms) } else { FewBytes::default() };
        }
        if is_first || is_full {
            self.began_ms = at_ms;
        }
        is_first || is_full
    }

    /// What there is when the newer span becomes the older one.
    fn turned(&self, newer: Option<Span>, at_ms: i64) -> FewBytes {
        let Rest { newer: sources, line, .. } = self.rest();
        if newer.is_none() && line.is_none() {
            return FewBytes::default();
        }
        let span = newer.unwrap_or(Span { count: 0, first_ms: self.began_ms, last_ms: self.began_ms });
        let line = line.map_or(OlderLine::None, OlderLine::Whole);
        let mut bytes = vec![OLDER];
        put_older(&mut bytes, &Older { span, sources, line }, at_ms);
        bytes.into()
    }

    /// Whether it has no line of this span.
    pub(crate) fn wants_line(&self) -> bool {
        self.rest.first().is_none_or(|first| first & LINE == 0)
    }

    /// A line, where it has none of this span. It is saved: say so with [`super::life::Life::save`] when it is
    /// shown on arrival.
    pub(crate) fn show(&mut self, sample: &Sample) {
        if !self.wants_line() {
            return;
        }
        let mut line = Vec::new();
        sample.pack(&mut line);
        let Rest { newer, older, .. } = self.rest();
        let mut bytes = vec![newer.len() as u8 | LINE];
        bytes.extend_from_slice(newer.split().0);
        if let Some(mut older) = older {
            // Two lines are not told: the later one is.
            if let OlderLine::Whole(line) = older.line
                && let Some((packed, _)) = Packed::at(line)
                && packed.at_ms <= sample.at_ms
            {
                older.line = packed.trace.map_or(OlderLine::None, OlderLine::Trace);
            }
            // Of a span without events only the line was known.
            if older.span.count > 0 || !matches!(older.line, OlderLine::None) {
                bytes[0] |= OLDER;
                put_older(&mut bytes, &older, self.began_ms);
            }
        }
        bytes.extend_from_slice(&line);
        self.rest = bytes.into();
    }

    fn rest(&self) -> Rest<'_> {
        let first = self.rest.first().copied().unwrap_or(0);
        let bytes = self.rest.get(1..).unwrap_or(&[]);
        let newer = Sources::new(bytes, first & N_ORIGINS);
        let (_, mut bytes) = newer.split();
        let mut older = None;
        if first & OLDER != 0
            && let Some((known, behind)) = older_of(bytes, self.began_ms)
        {
            older = Some(known);
            bytes = behind;
        }
        Rest { newer, older, line: (first & LINE != 0).then_some(bytes) }
    }

    /// Both spans together.
    pub(crate) fn tally(&self) -> Tally {
        self.tally_with(None)
    }

    fn tally_with(&self, newer_span: Option<Span>) -> Tally {
        let Rest { newer, older, line } = self.rest();
        let mut tally = Tally::default();
        let mut add = |span: Option<Span>, sources: Sources<'_>, line: OlderLine<'_>| {
            if let Some(Span { count, first_ms, last_ms }) = span {
                tally.see(first_ms, last_ms, u64::from(count));
            }
            sources.for_each(|(origin, count)| tally.add_origin(origin, u64::from(count)));
            match line {
                OlderLine::None => {}
                OlderLine::Trace(trace) => tally.trace(&trace.into()),
                OlderLine::Whole(line) => show(&mut tally, line),
            }
        };
        if let Some(Older { span, sources, line }) = older {
            add(span.some(), sources, line);
        }
        add(newer_span, newer, line.map_or(OlderLine::None, OlderLine::Whole));
        tally
    }

    /// The origins it refers to.
    pub(crate) fn origins(&self, mark: &mut dyn FnMut(u32)) {
        let Rest { newer, older, .. } = self.rest();
        newer.for_each(|(origin, _)| mark(origin));
        older.into_iter().flat_map(|older| older.sources).for_each(|(origin, _)| mark(origin));
    }

    /// Writes it.
    pub(crate) fn encode(&self, writer: &mut Writer<'_>) {
        self.encode_with(None, writer);
    }

    fn encode_with(&self, newer_span: Option<Span>, writer: &mut Writer<'_>) {
        let Rest { newer, older, line } = self.rest();
        writer.signed(self.began_ms);
        encode_span(writer, newer_span, newer, line.map_or(OlderLine::None, OlderLine::Whole));
        writer.flag(older.is_some());
        if let Some(Older { span, sources, line }) = older {
            encode_span(writer, span.some(), sources, line);
        }
    }

    /// Reads it.
    pub(crate) fn decode(reader: &mut Reader<'_, '_>) -> Option<Lines> {
        Some(Lines::decode_with(reader, true)?.0)
    }

    /// Reads it with what the newer span has, where no more than lines are told without the rest.
    fn decode_with(reader: &mut Reader<'_, '_>, only_lines: bool) -> Option<(Lines, Option<Span>)> {
        let began_ms = reader.signed()?;
        let newer = Tally::decode(reader)?;
        let older = if reader.flag()? { Some(Tally::decode(reader)?) } else { None };
        let span_of = |tally: &Tally| Span::of(tally).filter(|_| !only_lines);
        // A beginning at 0 is how it was written once that there was no event yet.
        let is_new = began_ms == 0 && newer.count == 0 && older.is_none();
        let mut lines = Lines { began_ms: if is_new { i64::MIN } else { began_ms }, ..Lines::default() };
        let mut bytes = vec![0];
        if !only_lines {
            bytes[0] = put_sources(&mut bytes, &newer);
        }
        let has_line = |older: &Tally| older.sample.is_some() || older.first_trace().is_some();
        if let Some(older) = older.filter(|older| span_of(older).is_some() || has_line(older)) {
            let none = Span { count: 0, first_ms: began_ms, last_ms: began_ms };
            let (mut pairs, mut line) = (Vec::new(), Vec::new());
            let n = if only_lines { 0 } else { put_sources(&mut pairs, &older) };
            older.sample.iter().for_each(|sample| sample.pack(&mut line));
            let line = match (&older.sample, older.first_trace()) {
                (Some(_), _) => OlderLine::Whole(&line),
                (None, Some(trace)) => OlderLine::Trace(trace),
                (None, None) => OlderLine::None,
            };
            let span = span_of(&older).unwrap_or(none);
            put_older(&mut bytes, &Older { span, sources: Sources::new(&pairs, n), line }, began_ms);
            bytes[0] |= OLDER;
        }
        lines.rest = if bytes == [0] { FewBytes::default() } else { bytes.into() };
        newer.sample.iter().for_each(|sample| lines.show(sample));
        Some((lines, span_of(&newer)))
    }
}

impl Recent {
    /// One more event, in order.
    pub(crate) fn add(&mut self, at_ms: i64, origin: u32, span_ms: i64) {
        let newer = self.newer();
        if self.lines.turn_from(newer, at_ms, span_ms) {
            self.count = 0;
        }
        self.see(Span { count: 1, first_ms: at_ms, last_ms: at_ms });
        sources::add(&mut self.lines.rest, N_ORIGINS, MAX_ORIGINS, origin, 1);
    }

    fn see(&mut self, span: Span) {
        let known = self.newer().unwrap_or(span);
        let early_ms = self.lines.began_ms.saturating_sub(known.first_ms.min(span.first_ms));
        self.early_ms = u32::try_from(early_ms.max(0)).unwrap_or(u32::MAX);
        self.last_ms = known.last_ms.max(span.last_ms);
        self.count = self.count.saturating_add(span.count);
    }

    /// What the newer span has.
    fn newer(&self) -> Option<Span> {
        let first_ms = self.lines.began_ms.saturating_sub(i64::from(self.early_ms));
        Span { count: self.count, first_ms, last_ms: self.last_ms }.some()
    }

    /// Whether it has no line of this span.
    pub(crate) fn wants_line(&self) -> bool {
        self.lines.wants_line()
    }

    /// A line, where it has none of this span. It is saved: say so with [`super::life::Life::save`] when it is
    /// shown on arrival.
    pub(crate) fn show(&mut self, sample: &Sample) {
        self.lines.show(sample);
    }

    /// Both spans together.
    pub(crate) fn tally(&self) -> Tally {
        self.lines.tally_with(self.newer())
    }

    /// The origins it refers to.
    pub(crate) fn origins(&self, mark: &mut dyn FnMut(u32)) {
        self.lines.origins(mark);
    }

    /// Writes it.
    pub(crate) fn encode(&self, writer: &mut Writer<'_>) {
        self.lines.encode_with(self.newer(), writer);
    }

    /// Reads it.
    pub(crate) fn decode(reader: &mut Reader<'_, '_>) -> Option<Recent> {
        let (lines, span) = Lines::decode_with(reader, false)?;
        let mut recent = Recent { lines, ..Recent::default() };
        span.into_iter().for_each(|span| recent.see(span));
        Some(recent)
    }
}

fn show(tally: &mut Tally, line: &[u8]) {
    if let Some((packed, _)) = Packed::at(line) {
        tally.show(&Arc::new(packed.sample()));
    }
}

/// Appends origins and how many events came from them; gives how many there are.
fn put_sources(bytes: &mut Vec<u8>, tally: &Tally) -> u8 {
    let mut n = 0;
    for (origin, count) in tally.sources().take(usize::from(MAX_ORIGINS)) {
        sources::put(bytes, origin, count);
        n += 1;
    }
    n
}

/// Appends the older span of one whose newer span began at `began_ms`.
fn put_older(bytes: &mut Vec<u8>, older: &Older<'_>, began_ms: i64) {
    let Older { span: Span { count, first_ms, last_ms }, sources, line } = older;
    put_signed(bytes, began_ms.wrapping_sub(*first_ms));
    put_signed(bytes, last_ms.wrapping_sub(*first_ms));
    put_varint(bytes, u64::from(*count));
    bytes.push(sources.len() as u8);
    bytes.extend_from_slice(sources.split().0);
    match line {
        OlderLine::None => bytes.push(NO_LINE),
        OlderLine::Trace(trace) => {
            bytes.push(TRACE);
            put_text(bytes, trace);
        }
        OlderLine::Whole(line) => {
            bytes.push(WHOLE_LINE);
            bytes.extend_from_slice(line);
        }
    }
}

/// The older span that begins here, and what lies behind it.
fn older_of(bytes: &[u8], began_ms: i64) -> Option<(Older<'_>, &[u8])> {
    let (back_ms, at) = signed_at(bytes, 0)?;
    let (span_ms, at) = signed_at(bytes, at)?;
    let (count, at) = varint_at(bytes, at)?;
    let first_ms = began_ms.wrapping_sub(back_ms);
    let sources = Sources::new(bytes.get(at + 1..)?, *bytes.get(at)?);
    let (kind, bytes) = sources.split().1.split_first()?;
    let (line, bytes) = match *kind {
        TRACE => {
            let (trace, end) = text_at(bytes, 0)?;
            (OlderLine::Trace(trace), &bytes[end..])
        }
        WHOLE_LINE => {
            let (line, behind) = bytes.split_at(Packed::at(bytes)?.1);
            (OlderLine::Whole(line), behind)
        }
        _ => (OlderLine::None, bytes),
    };
    let span = Span { count: count as u32, first_ms, last_ms: first_ms.wrapping_add(span_ms) };
    Some((Older { span, sources, line }, bytes))
}

/// Writes a span as [`Tally::encode`] would.
fn encode_span(writer: &mut Writer<'_>, span: Option<Span>, sources: Sources<'_>, line: OlderLine<'_>) {
    writer.unsigned(span.map_or(0, |span| u64::from(span.count)));
    // None of them came late to an episode.
    writer.unsigned(0);
    writer.flag(span.is_some());
    if let Some(Span { first_ms, last_ms, .. }) = span {
        writer.signed(first_ms);
        writer.signed(last_ms);
    }
    let (line, trace) = match line {
        OlderLine::None => (None, None),
        OlderLine::Trace(trace) => (None, Some(trace)),
        OlderLine::Whole(line) => (Some(line), Packed::at(line).and_then(|(packed, _)| packed.trace)),
    };
    writer.packed_sample(line);
    writer.size(sources.len());
    for (origin, count) in sources {
        writer.origin(origin);
        writer.unsigned(u64::from(count));
    }
    writer.size(usize::from(trace.is_some()));
    trace.into_iter().for_each(|trace| writer.text(trace));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::origin::{Named, Origin, Origins};

    const SPAN_MS: i64 = 100;

    /// The same without any thrift: two tallies.
    #[derive(Default)]
    struct Plain {
        began_ms: Option<i64>,
        newer: Tally,
        older: Tally,
    }

    impl Plain {
        fn add(&mut self, at_ms: i64, origin: u32) {
            let since_ms = at_ms - self.began_ms.unwrap_or(at_ms);
            if since_ms >= SPAN_MS {
                let full = std::mem::take(&mut self.newer);
                self.older = if since_ms < 2 * SPAN_MS { full } else { Tally::default() };
            }
            if since_ms >= SPAN_MS || self.began_ms.is_none() {
                self.began_ms = Some(at_ms);
            }
            self.newer.add(at_ms, origin);
        }

        fn show(&mut self, sample: &Arc<Sample>) {
            if self.newer.sample.is_none() {
                self.newer.show(sample);
            }
        }

        fn tally(&self) -> Tally {
            let mut tally = self.older.clone();
            tally.merge(&self.newer);
            tally
        }
    }

    fn sample(at_ms: i64, trace: Option<&str>) -> Arc<Sample> {
        let text = format!("it happened at {at_ms}");
        Arc::new(Sample {
            at_ms,
            text: text.into(),
            place: "src/main.c:7".into(),
            trace: trace.map(Into::into),
        })
    }

    /// When it happened and the trace it belonged to.
    type Line = (i64, Option<&'static str>);

    /// Events with their origins; a line is shown before an event where it says so.
    fn check(events: &[(i64, u32, Option<Line>)]) {
        let mut origins = Origins::default();
        for number in 0..=300 {
            let (host, message) = (number.to_string(), Named { is_known: false, bytes: [0; 16] });
            let origin = Origin { host: Some(&host), service: None, version: None, env: None, message };
            assert_eq!(origins.id_of(origin), number, "they are numbered from 0 on");
        }
        let mut recent = Recent::default();
        let mut plain = Plain::default();
        for (at_ms, origin, line) in events {
            if let Some((at_ms, trace)) = line {
                recent.show(&sample(*at_ms, *trace));
                plain.show(&sample(*at_ms, *trace));
            }
            recent.add(*at_ms, *origin, SPAN_MS);
            plain.add(*at_ms, *origin);
            assert_eq!(recent.tally(), plain.tally(), "after {at_ms}");
            assert_eq!(recent.wants_line(), plain.newer.sample.is_none(), "after {at_ms}");
            let mut writer = Writer::new(&origins);
            recent.encode(&mut writer);
            let bytes = writer.into_bytes();
            let again = Recent::decode(&mut Reader::new(&bytes, &mut origins)).unwrap();
            let mut writer = Writer::new(&origins);
            again.encode(&mut writer);
            assert_eq!(writer.into_bytes(), bytes, "after {at_ms}");
        }
    }

    #[test]
    fn it_knows_what_two_tallies_would() {
        check(&[]);
        check(&[(1_000, 1, None), (1_050, 1, None), (1_099, 300, None), (990, 2, None), (1_150, 1, None)]);
        check(&[(0, 1, None), (-5, 2, None), (100, 1, None), (299, 1, None), (500, 3, None)]);
        let many: Vec<_> = (0..500).map(|n| (1_000 + n / 3, (n % 15) as u32, None)).collect();
        check(&many);
    }

    #[test]
    fn the_later_of_two_lines_is_told_and_both_traces() {
        let line = |at_ms, trace| Some((at_ms, trace));
        // The first line comes before its event is counted, and stays.
        check(&[(1_000, 1, line(1_000, None)), (1_001, 1, line(1_001, None))]);
        for trace in [None, Some("a"), Some("a long trace id")] {
            let other = line(1_150, Some("b"));
            check(&[(1_000, 1, line(1_000, trace)), (1_120, 2, other), (1_150, 2, None), (1_260, 1, None)]);
            let early = line(1_001, trace);
            check(&[
                (1_000, 1, line(1_030, Some("c"))),
                (1_120, 2, early),
                (1_230, 2, early),
                (1_240, 1, None),
            ]);
        }
    }
}
