//! The compiled catalog.

mod after;
mod automaton;
mod fit;
mod hints;
mod hole;
mod keys;
mod line;
mod rank;
mod shape;
#[cfg(test)]
mod tests;
mod whole;
mod words;

use std::cmp::Reverse;
use std::fmt;
use std::sync::OnceLock;

use dice_catalog::{Catalog, Entry, Hole, HoleKind, Part, Statement, Template};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::source::Belief;
use crate::{Envelope, Limits, Strength, Verdict};
use automaton::Automata;
use fit::{Fit, Fitted, Start, Work};
use hints::{Hints, Places};
use hole::Holes;
use keys::{Keys, LineWords};
use line::Line;
use rank::Scored;
use shape::{Look, Shape};
use whole::Whole;

/// A statement's place in one matcher. It dies with it; what is stored uses fingerprints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub(crate) u32);

/// The compiled catalog. Shared between threads; each brings its own [`Scratch`].
///
/// A message is compared with *shapes*: what the first line of a message looks like when a statement printed
/// it. The key index says which shapes are worth asking; each is then fitted to the message, and the fits
/// are ranked by their evidence.
#[derive(Debug)]
pub struct Matcher {
    entries: Vec<Entry>,
    shapes: Vec<Shape>,
    /// What the typed holes of each shape add to the evidence.
    typed: Vec<i32>,
    holes: Holes,
    places: Places,
    keys: Keys,
    /// Shapes without a word, by what a header must name before they are asked.
    wordless: Wordless,
    /// One automaton for all shapes with a word, where they are few.
    whole: OnceLock<Option<Whole>>,
    limits: Limits,
    /// Off in tests only, to show that the key index changes no verdict.
    uses_keys: bool,
}

#[derive(Debug, Default)]
struct Wordless {
    by_target: FxHashMap<u32, Vec<u32>>,
    by_file: FxHashMap<u32, Vec<u32>>,
    by_function: FxHashMap<u64, Vec<u32>>,
    by_id: FxHashMap<Box<str>, Vec<u32>>,
}

/// What classifying needs to remember between lines, to save time only.
#[derive(Debug, Default)]
pub struct Scratch {
    work: Work,
    line: LineWords,
    candidates: Vec<u32>,
    fits: Vec<Scored>,
    automata: Automata,
    n_lines: u64,
    /// Whether the last verdict is strong by the evidence of its line alone.
    pub(crate) was_sure: bool,
    /// Where the template of the last verdict starts, when that is sure.
    pub(crate) start: Option<usize>,
}

impl Scratch {
    /// Bytes of automata that were built while classifying, and of what they may remember.
    pub fn automata_bytes(&self) -> usize {
        self.automata.bytes()
    }
}

/// What a matcher holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MatcherStats {
    /// Statements that lines are matched against.
    pub statements: usize,
    /// Different messages among them.
    pub templates: usize,
    /// Bytes of the compiled catalog, the entries themselves not counted.
    pub index_bytes: usize,
}

/// Units of work for one line: about a nanosecond each.
const LINE_WORK: usize = 4_000_000;
/// Units of work for one shape on an empty line, and for each byte more.
const SHAPE_WORK: (usize, usize) = (4096, 16);
impl Matcher {
    /// Compiles every matchable statement of `catalogs`. One that is given twice counts once.
    ///
    /// # Errors
    ///
    /// When the catalogs need more than `limits.index_bytes`.
    pub fn new(catalogs: Vec<Catalog>, limits: &Limits) -> Result<Matcher, CompileError> {
        let entries = without_repeated(catalogs.into_iter().flat_map(|catalog| catalog.entries).collect());
        let mut holes = Holes::default();
        let mut known: FxHashMap<Look, u32> = FxHashMap::default();
        let mut shapes: Vec<Shape> = Vec::new();
        let mut bytes = 0;
        for (n, entry) in entries.iter().enumerate() {
            if !entry.statement.kind.is_matched_by_default() {
                continue;
            }
            for look in Look::of(entry, &mut holes) {
                let place = *known.entry(look).or_insert_with_key(|look| {
                    let shape = Shape::new(look);
                    bytes += shape.bytes();
                    shapes.push(shape);
                    shapes.len() as u32 - 1
                });
                let known = &mut shapes[place as usize].entries;
                if known.last() != Some(&(n as u32)) {
                    known.push(n as u32);
                }
            }
            if bytes > limits.index_bytes {
                return Err(CompileError { needed_bytes: bytes, limit_bytes: limits.index_bytes });
            }
        }
        drop(known);
        let typed = shapes.iter().map(|shape| rank::typed_points(shape, &holes)).collect();
        let places = Places::new(&entries);
        let keys = Keys::new(&shapes);
        let wordless = Wordless::new(&shapes, &entries, &places);
        let limits = *limits;
        let matcher = Matcher {
            entries,
            shapes,
            typed,
            holes,
            places,
            keys,
            wordless,
            whole: OnceLock::new(),
            limits,
            uses_keys: true,
        };
        let needed_bytes = matcher.stats().index_bytes;
        if needed_bytes > limits.index_bytes {
            return Err(CompileError { needed_bytes, limit_bytes: limits.index_bytes });
        }
        Ok(matcher)
    }

    /// The statement at `id`.
    pub fn entry(&self, id: EntryId) -> &Entry {
        &self.entries[id.0 as usize]
    }

    /// Where the statement with this fingerprint stands; the first where several do.
    pub fn find(&self, fingerprint: dice_catalog::Fingerprint) -> Option<EntryId> {
        let place = self.entries.iter().position(|entry| entry.fingerprint == fingerprint)?;
        Some(EntryId(place as u32))
    }

    /// All statements, in the order of the catalogs, each once.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How much it holds.
    pub fn stats(&self) -> MatcherStats {
        let shapes: usize = self.shapes.iter().map(Shape::bytes).sum();
        let distinct: FxHashSet<u32> =
            self.shapes.iter().flat_map(|shape| shape.entries.iter().copied()).collect();
        MatcherStats {
            statements: distinct.len(),
            templates: self.shapes.iter().filter(|shape| !shape.is_bare).count(),
            index_bytes: shapes
                + self.whole.get().and_then(Option::as_ref).map_or(0, Whole::bytes)
                + self.holes.bytes()
                + self.keys.bytes()
                + self.places.bytes(),
        }
    }

    /// Which statements can have printed the message.
    pub fn classify(&self, envelope: &Envelope<'_>, scratch: &mut Scratch) -> Verdict {
        self.classify_from(envelope, Belief::default(), scratch)
    }

    /// Which statements can have printed the message, in a source of which `belief` is known.
    pub(crate) fn classify_from(
        &self,
        envelope: &Envelope<'_>,
        belief: Belief,
        scratch: &mut Scratch,
    ) -> Verdict {
        (scratch.was_sure, scratch.start) = (false, None);
        if envelope.is_access {
            return Verdict::default();
        }
        let is_known =
            belief.header > 0 || envelope.format.is_some() && (envelope.uncut.is_none() || belief.is_certain);
        if envelope.message.trim_ascii().is_empty() && !envelope.fields.is_empty() {
            // A message without a text of its own: its fields, as they are printed in a line.
            let pairs = envelope.fields.iter().map(|(name, value)| format!("{name}={value}"));
            let text = pairs.collect::<Vec<String>>().join(" ");
            let verdict = self.classify_text(
                envelope,
                text.as_bytes(),
                is_known,
                Belief { floats: false, header: 0, ..belief },
                scratch,
            );
            return Verdict { values: Vec::new(), ..verdict };
        }
        let verdict = self.classify_text(envelope, &envelope.message, is_known, belief, scratch);
        let Some(uncut) = envelope.uncut.as_deref().filter(|_| verdict.strength < Strength::Strong) else {
            return verdict;
        };
        scratch.start = None;
        // What looked like a header may be the statement's own text.
        let mut whole = self.classify_text(
            &Envelope::default(),
            uncut,
            false,
            Belief { prior: 0, header: 0, ..belief },
            scratch,
        );
        if whole.strength < Strength::Strong {
            (scratch.was_sure, scratch.start) = (false, None);
            return verdict;
        }
        scratch.start = None;
        let cut = uncut.len().saturating_sub(envelope.message.len());
        for value in &mut whole.values {
            *value = value.start.saturating_sub(cut)..value.end.saturating_sub(cut);
        }
        whole
    }

    fn classify_text(
        &self,
        envelope: &Envelope<'_>,
        text: &[u8],
        is_known: bool,
        belief: Belief,
        scratch: &mut Scratch,
    ) -> Verdict {
        let text = text[..text.len().min(self.limits.line_bytes)].trim_ascii_end();
        if text.is_empty() {
            return Verdict::default();
        }
        let mut hints = self.places.hints(envelope);
        if self.places.are_elsewhere(&hints) {
            return Verdict::default();
        }
        let mut lead = text.len() - text.trim_ascii_start().len();
        if let Some((len, id)) = after::message_id(&text[lead..])
            && lead + len < text.len()
        {
            hints.message_id = hints.message_id.or(Some(id));
            lead += len;
        }
        // Best first: behind a level word, at the start, behind tags that the program puts there itself.
        let mut starts = [lead; 6];
        let mut n_sure = 1;
        let mut n_starts = 1;
        let mut at = lead;
        if belief.header > lead && belief.header < text.len() {
            at = belief.header;
            starts[0] = at;
            (n_sure, n_starts) = (2, 2);
        }
        if let Some((len, level)) = after::level_word(&text[at..])
            && at + len < text.len()
        {
            at += len;
            starts.copy_within(..n_starts, 1);
            starts[0] = at;
            n_starts += 1;
            n_sure = n_starts;
            hints.level = hints.level.or(Some(level));
        }
        while n_starts < starts.len()
            && let Some((len, level)) = after::tag(&text[at..])
            && at + len < text.len()
        {
            at += len;
            starts[n_starts] = at;
            n_starts += 1;
            hints.level = hints.level.or(level);
        }
        hints.said_function = after::function_name(&text[starts[0]..]);
        let starts = &starts[..n_starts];
        let fields = &envelope.fields;
        Line { matcher: self, fields, text, starts, n_sure, lead, hints: &hints, is_known, belief }
            .classify(scratch)
    }

    /// The statements whose templates are most like `message`, best first, at most `n`.
    ///
    /// Alike means that they share words, the rarer the better.
    pub fn nearest(&self, message: &[u8], n: usize) -> Vec<EntryId> {
        let asked: FxHashSet<u64> = words::words(message).take(1024).map(|word| word.hash).collect();
        let mut counts: FxHashMap<u64, u32> = FxHashMap::default();
        let shared: Vec<(u32, Vec<u64>)> = self
            .shapes
            .iter()
            .enumerate()
            .filter_map(|(place, shape)| {
                let mut shared: Vec<u64> = shape
                    .pieces
                    .iter()
                    .filter_map(shape::Piece::text)
                    .flat_map(words::words)
                    .map(|word| word.hash)
                    .filter(|hash| asked.contains(hash))
                    .collect();
                shared.sort_unstable();
                shared.dedup();
                shared.iter().for_each(|&hash| *counts.entry(hash).or_default() += 1);
                (!shared.is_empty()).then_some((place as u32, shared))
            })
            .collect();
        let weight = |hash: &u64| {
            let rarity = self.shapes.len() as f64 / f64::from(counts.get(hash).copied().unwrap_or(1));
            1.0 + rarity.ln()
        };
        let mut scored: Vec<(f64, u32)> = shared
            .iter()
            .map(|(place, shared)| {
                let shape = &self.shapes[*place as usize];
                let all = shape.letters.max(1) as f64;
                // Of two templates that share the same words the one with fewer others is nearer.
                (shared.iter().map(weight).sum::<f64>() - all / 200.0, *place)
            })
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut seen = FxHashSet::default();
        scored
            .iter()
            .flat_map(|(_, place)| self.shapes[*place as usize].entries.iter().copied())
            .filter(|entry| seen.insert(*entry))
            .take(n)
            .map(EntryId)
            .collect()
    }

    /// The statements that panic at `line` of the file that `file` can mean, whatever they print.
    ///
    /// Others there are not meant: what a log statement's arguments panic with is not its message.
    pub(crate) fn panics_at(&self, file: &str, line: u32) -> Vec<EntryId> {
        let envelope = Envelope { file: Some(file.into()), ..Envelope::default() };
        let hints = self.places.hints(&envelope);
        let stands_there = |n: &u32| {
            let (first, last) = self.places.lines_of(*n);
            (first..=last).contains(&line)
        };
        let in_files = hints.files().iter().flat_map(|file| self.places.panics_of(*file)).copied();
        let mut found: Vec<u32> = in_files.filter(stands_there).filter(|n| self.is_matched(*n)).collect();
        // The innermost statement is the one that printed.
        found.sort_by_key(|n| (Reverse(self.places.lines_of(*n).0), *n));
        let first = found.first().map(|n| self.places.lines_of(*n).0);
        found.into_iter().filter(|n| Some(self.places.lines_of(*n).0) == first).map(EntryId).collect()
    }

    fn whole(&self) -> Option<&Whole> {
        self.whole.get_or_init(|| Whole::new(&self.shapes, &self.holes)).as_ref()
    }

    fn is_matched(&self, n: u32) -> bool {
        self.entries[n as usize].statement.kind.is_matched_by_default()
    }

    /// Whether what `entry` prints can have lines that its template does not show: it ends with a value.
    pub(crate) fn is_open(&self, entry: EntryId) -> bool {
        let statement = &self.entry(entry).statement;
        let last = statement.suffix.last().or(statement.template.parts().last());
        !statement.fields.is_empty()
            || matches!(last, None | Some(Part::Hole(Hole { kind: HoleKind::Text, .. })))
    }

    /// Whether the template of `entry` has more than `already` lines.
    pub(crate) fn has_more(&self, entry: EntryId, already: usize) -> bool {
        let template = &self.entry(entry).statement.template;
        template.texts().any(|text| text.contains('\n')) && text_lines_of(template).len() > already
    }

    /// Whether `line` can be the next line of the message that `entry` printed, when `already` lines of it
    /// have been seen.
    pub(crate) fn continues(&self, entry: EntryId, already: usize, line: &[u8]) -> bool {
        if !self.has_more(entry, already) {
            return false;
        }
        let template = &self.entry(entry).statement.template;
        let Some(parts) = text_lines_of(template).into_iter().nth(already) else {
            return false;
        };
        // Built anew for each line: only messages of several lines come here.
        let mut holes = Holes::default();
        let shape = Shape::new(&Look::of_line(&Template::new(parts.clone()), &mut holes));
        let mut work = Work::of(SHAPE_WORK.0 + SHAPE_WORK.1 * line.len());
        if shape.literal_bytes == 0 {
            let indent = parts.first().and_then(text_of).unwrap_or_default();
            return !indent.is_empty()
                && line.starts_with(indent.as_bytes())
                && !line.trim_ascii().is_empty();
        }
        matches!(
            fit::fit(&shape, &holes, line.trim_ascii(), Start::At(0), &mut work),
            Fitted::Yes(Fit { after: after::After::Nothing, .. })
        )
    }

    /// Whether any text can be the next line of the message that `entry` printed: the line is a value.
    pub(crate) fn is_open_at(&self, entry: EntryId, already: usize) -> bool {
        let lines = text_lines_of(&self.entry(entry).statement.template);
        let is_blank = |part: &Part| text_of(part).is_none_or(|text| text.trim().is_empty());
        lines.get(already).is_some_and(|line| line.iter().all(is_blank))
    }
}

/// `entries` without those that an earlier one equals: nothing could tell them apart.
fn without_repeated(mut entries: Vec<Entry>) -> Vec<Entry> {
    let mut seen = FxHashSet::with_capacity_and_hasher(entries.len(), Default::default());
    let is_new: Vec<bool> = entries
        .iter()
        .map(|entry| {
            let Statement { line, column, template, .. } = &entry.statement;
            seen.insert((entry.fingerprint, &entry.repo, &entry.file, line, column, template))
        })
        .collect();
    drop(seen);
    let mut is_new = is_new.into_iter();
    entries.retain(|_| is_new.next().unwrap_or(true));
    entries
}

fn text_of(part: &Part) -> Option<&str> {
    match part {
        Part::Text(text) => Some(text),
        Part::Hole(_) => None,
    }
}

/// The lines of a template that are not blank.
fn text_lines_of(template: &Template) -> Vec<Vec<Part>> {
    let is_text = |part: &Part| text_of(part).is_none_or(|text| !text.trim().is_empty());
    lines_of(template).into_iter().filter(|line| line.iter().any(is_text)).collect()
}

/// The lines of a template, as parts.
fn lines_of(template: &Template) -> Vec<Vec<Part>> {
    let mut lines: Vec<Vec<Part>> = vec![Vec::new()];
    for part in template.parts() {
        match part {
            Part::Hole(_) => lines.last_mut().expect("there is a first line").push(part.clone()),
            Part::Text(text) => {
                for (n, line) in text.split('\n').enumerate() {
                    if n > 0 {
                        lines.push(Vec::new());
                    }
                    if !line.is_empty() {
                        lines.last_mut().expect("there is a first line").push(Part::text(line));
                    }
                }
            }
        }
    }
    lines
}

impl Wordless {
    fn new(shapes: &[Shape], entries: &[Entry], places: &Places) -> Wordless {
        let mut wordless = Wordless::default();
        for (place, shape) in shapes.iter().enumerate().filter(|(_, shape)| !shape.is_worded()) {
            let place = place as u32;
            if let Some(id) = &shape.message_id {
                wordless.by_id.entry(id.clone()).or_default().push(place);
            }
            for &entry in &shape.entries {
                let mut lists = Vec::with_capacity(3);
                lists.extend(
                    places.target_of(entry).map(|target| wordless.by_target.entry(target).or_default()),
                );
                push_last(lists, place);
                push_last(vec![wordless.by_file.entry(places.file_of(entry)).or_default()], place);
                if let Some(function) = entries[entry as usize].statement.function.as_deref() {
                    let key = hints::hash(hints::bare_function(function));
                    push_last(vec![wordless.by_function.entry(key).or_default()], place);
                }
            }
        }
        wordless
    }

    /// The shapes whose target, file or function the header names.
    fn candidates(&self, hints: &Hints<'_>, candidates: &mut Vec<u32>) {
        let target = hints.target().and_then(|target| self.by_target.get(&target));
        let function = hints.function().or(hints.said_function);
        let function = function.and_then(|function| self.by_function.get(&hints::hash(function)));
        let id = hints.message_id.and_then(|id| self.by_id.get(id));
        candidates.extend(target.into_iter().chain(function).chain(id).flatten());
        for file in hints.files() {
            candidates.extend(self.by_file.get(file).into_iter().flatten());
        }
    }
}

fn push_last(lists: Vec<&mut Vec<u32>>, place: u32) {
    for list in lists {
        if list.last() != Some(&place) {
            list.push(place);
        }
    }
}

/// Why catalogs could not be compiled.
#[derive(Debug)]
pub struct CompileError {
    needed_bytes: usize,
    limit_bytes: usize,
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the catalog needs {} bytes compiled, the limit is {}", self.needed_bytes, self.limit_bytes)
    }
}

impl std::error::Error for CompileError {}
