//! One message on its way to a verdict.

use std::borrow::Cow;
use std::cmp::Reverse;

use dice_catalog::Kind;

use super::after;
use super::automaton::{self, Automata};
use super::fit::{self, Fit, Fitted, Start, Work};
use super::hints::{self, Agreement, Hints};
use super::rank::{self, Anchor, Scored};
use super::shape::Shape;
use super::{EntryId, LINE_WORK, Matcher, SHAPE_WORK, Scratch};
use crate::source::Belief;
use crate::{Strength, Verdict};

/// Lines after which an automaton for the whole catalog is worth building.
pub(super) const MANY_LINES: u64 = 4096;
/// A message of at least this many bytes may have been cut by whatever carried it.
const LONG: usize = 200;

/// One message, and what its header says.
pub(super) struct Line<'a> {
    pub(super) matcher: &'a Matcher,
    /// Structured fields that are not part of the text.
    pub(super) fields: &'a [(Cow<'a, str>, Cow<'a, str>)],
    pub(super) text: &'a [u8],
    /// Where a message may start, best first.
    pub(super) starts: &'a [usize],
    /// So many of them are where the header ends; the others are behind a tag.
    pub(super) n_sure: usize,
    /// Where the text starts that is not blank.
    pub(super) lead: usize,
    pub(super) hints: &'a Hints<'a>,
    /// Whether a known header stood before the text.
    pub(super) is_known: bool,
    /// What the source has shown so far.
    pub(super) belief: Belief,
}

impl Line<'_> {
    /// Which statements can have printed it.
    pub(super) fn classify(&self, scratch: &mut Scratch) -> Verdict {
        let Matcher { keys, limits, .. } = self.matcher;
        scratch.work.left = LINE_WORK;
        scratch.fits.clear();
        scratch.candidates.clear();
        let candidates = &mut scratch.candidates;
        let mut budget = false;
        scratch.n_lines += 1;
        // Where a message can only start at its start, the automaton tells all that fit.
        let whole = match scratch.n_lines >= MANY_LINES && !self.floats() {
            true => self.matcher.whole(),
            false => None,
        };
        if let Some(whole) = whole {
            for &start in self.starts {
                whole.fitting(&self.text[start..], |shape| candidates.push(shape));
            }
        } else if self.matcher.uses_keys {
            keys.candidates(self.text, self.starts, &mut scratch.line, |shape| candidates.push(shape));
            budget = scratch.line.is_cut;
        } else {
            candidates.extend(0..self.matcher.shapes.len() as u32);
        }
        let asks_marked = self.belief.prior >= rank::PRIOR_MARKED;
        candidates.retain(|&place| {
            let shape = &self.matcher.shapes[place as usize];
            shape.is_worded() || asks_marked && shape.is_marked()
        });
        budget |= self.ask(scratch, limits.candidates);
        if !scratch.fits.iter().any(|scored| scored.strength == Strength::Strong) {
            scratch.candidates.clear();
            self.matcher.wordless.candidates(self.hints, &mut scratch.candidates);
            budget |= self.ask(scratch, limits.candidates);
            if self.text.len() >= LONG {
                scratch.candidates.clear();
                let candidates = &mut scratch.candidates;
                for &start in self.starts {
                    keys.cut_candidates(&self.text[start..], |shape| candidates.push(shape));
                }
                budget |= self.ask_cut(scratch, limits.candidates);
            }
        }
        self.verdict(scratch, budget)
    }

    /// Fits the candidates, best first, at most `limit`. Says whether there were more, or more work.
    fn ask(&self, scratch: &mut Scratch, limit: usize) -> bool {
        let shapes = &self.matcher.shapes;
        let candidates = &mut scratch.candidates;
        candidates.sort_unstable_by_key(|&place| (Reverse(shapes[place as usize].points), place));
        candidates.dedup();
        let mut budget = false;
        let mut n_fitted = 0;
        for n in 0..scratch.candidates.len() {
            let place = scratch.candidates[n];
            if n_fitted >= limit || scratch.work.left == 0 {
                return true;
            }
            let asked = self.fit(place, &mut scratch.work, &mut scratch.automata, &mut budget);
            n_fitted += usize::from(asked.1);
            if let Some(found) = asked.0 {
                let opens = shapes[place as usize].segments.first().is_some_and(|first| first.gap.is_some());
                let first_text = scratch.work.spans.first().filter(|_| opens).map_or(0, |span| span.0);
                self.score(place, found, first_text, &mut scratch.fits);
            }
        }
        budget
    }

    /// Where and how the message fits a shape, and whether asking took more than a look at its start.
    fn fit(
        &self,
        place: u32,
        work: &mut Work,
        automata: &mut Automata,
        budget: &mut bool,
    ) -> (Option<(Fit, usize, Anchor)>, bool) {
        let Matcher { shapes, holes, limits, .. } = self.matcher;
        let shape = &shapes[place as usize];
        let is_known = self.is_known;
        let mut asked = false;
        let floats = self.may_float(shape, is_known);
        for (n, &start) in self.starts.iter().enumerate() {
            if shape.head().is_some_and(|head| !self.text[start..].starts_with(head)) {
                continue;
            }
            asked = true;
            let anchor = match (n < self.n_sure, is_known) {
                (true, true) => Anchor::Header,
                (true, false) => Anchor::Line,
                (false, true) => Anchor::Tag,
                (false, false) => Anchor::Inside,
            };
            match self.bounded(|work| fit::fit(shape, holes, self.text, Start::At(start), work), work) {
                Fitted::Yes(fit) => return (Some((fit, start, anchor)), true),
                Fitted::No => {}
                Fitted::Exhausted => {
                    let rest = &self.text[start..];
                    let pattern = || automaton::pattern(shape, holes);
                    work.left = work.left.saturating_sub(4 * rest.len());
                    match automata.fits(place, pattern, rest, limits.cache_bytes) {
                        Some(false) => {}
                        Some(true) => {
                            work.spans.clear();
                            let fit = Fit { start, end: self.text.len(), after: after::After::Nothing };
                            return (Some((fit, start, anchor)), true);
                        }
                        None => *budget = true,
                    }
                }
            }
        }
        if floats {
            asked = true;
            let start = self.lead;
            match self.bounded(|work| fit::fit(shape, holes, self.text, Start::From(start), work), work) {
                Fitted::Yes(fit) => {
                    let anchor = if is_known { Anchor::Behind } else { Anchor::Inside };
                    return (Some((fit, start, anchor)), true);
                }
                Fitted::No => {}
                Fitted::Exhausted => *budget = true,
            }
        }
        (None, asked)
    }

    /// Whether any message may start behind a text that is neither header nor template.
    fn floats(&self) -> bool {
        self.belief.floats && !self.hints.has_target()
    }

    /// Whether the message may start behind a text that is neither header nor template.
    fn may_float(&self, shape: &Shape, is_known: bool) -> bool {
        self.floats()
            && shape.segments.first().is_some_and(|segment| segment.gap.is_none())
            && shape.words != 0
            && shape.points >= if is_known { 72 } else { 28 }
    }

    fn bounded(&self, fit: impl FnOnce(&mut Work) -> Fitted, work: &mut Work) -> Fitted {
        let all = work.left;
        work.left = all.min(SHAPE_WORK.0 + SHAPE_WORK.1 * self.text.len());
        let allowed = work.left;
        let fitted = fit(work);
        work.left = all - (allowed - work.left);
        fitted
    }

    fn score(
        &self,
        place: u32,
        (fit, from, anchor): (Fit, usize, Anchor),
        first_text: usize,
        fits: &mut Vec<Scored>,
    ) {
        let Matcher { shapes, typed, places, entries, .. } = self.matcher;
        let shape = &shapes[place as usize];
        let fields = self.field_points(shape, &fit);
        let typed = typed[place as usize];
        let points = rank::fit_points(shape, typed, &fit, anchor, fields, self.text);
        let Some(named) = self.named_points(shape) else { return };
        let first_value = &self.text[from..first_text.clamp(from, self.text.len())];
        let said = first_value.strip_suffix(b"()").unwrap_or(first_value);
        let says = self.hints.said_function.filter(|says| says.as_bytes() == said);
        let doubt = rank::doubt(shape, typed, first_value);
        let prior = match self.belief.prior {
            0 => 0,
            _ if rank::is_level_only(shape) => 0,
            prior => prior + if rank::is_tag(shape, first_value) { rank::TAG } else { 0 },
        };
        for &entry in &shape.entries {
            let Some(agreement) = places.agree(entry, &entries[entry as usize], self.hints) else { continue };
            let says_function = says.is_some_and(|says| {
                let function = entries[entry as usize].statement.function.as_deref();
                function.is_some_and(|function| hints::bare_function(function) == says)
            });
            let named = named + if says_function { 32 } else { 0 };
            let is_named = agreement.is_near || named > 0;
            let agreement = Agreement { is_near: is_named, ..agreement };
            let points = points + named + agreement.points - if is_named { 0 } else { doubt };
            // What is printed for a terminal has no header.
            let prior = if entries[entry as usize].statement.kind == Kind::Stderr { 0 } else { prior };
            let strength = rank::strength(shape, points, &agreement, anchor, prior);
            let is_sure = strength == Strength::Strong
                && (prior == 0 || rank::strength(shape, points, &agreement, anchor, 0) == Strength::Strong);
            let points = points - places.handicap(entry);
            fits.push(Scored { points, shape: place, entry, is_sure, strength, fit, from, is_cut: false });
        }
    }

    /// What an identifier adds that both line and statement have; `None` when they have different ones.
    fn named_points(&self, shape: &Shape) -> Option<i32> {
        match (self.hints.message_id, shape.message_id.as_deref()) {
            (Some(line), Some(own)) => (line == own).then_some(60),
            _ => Some(0),
        }
    }

    /// What the structured fields that a statement is known to print add or take away.
    fn field_points(&self, shape: &Shape, fit: &Fit) -> i32 {
        if shape.fields.is_empty() {
            return 0;
        }
        let n = shape.fields.len().min(6) as i32;
        let apart = self.fields;
        if !apart.is_empty() {
            let all = shape.fields.iter().all(|name| apart.iter().any(|(known, _)| known == name));
            return if all { 4 + 2 * n } else { -8 };
        }
        let mut rest = &self.text[fit.start..];
        for name in shape.fields.iter().take(32) {
            let found = memchr::memmem::find_iter(rest, name.as_bytes()).take(16).find(|&at| {
                let behind = &rest[at + name.len()..];
                let is_start = at == 0 || matches!(rest[at - 1], b' ' | b',' | b'\t' | b'{');
                is_start && (behind.starts_with(b"=") || behind.starts_with(b": "))
            });
            match found {
                Some(at) => rest = &rest[at + name.len()..],
                None => return -8,
            }
        }
        4 + 2 * n
    }

    /// Compares the line with the starts of templates whose logger cuts.
    fn ask_cut(&self, scratch: &mut Scratch, limit: usize) -> bool {
        let Matcher { shapes, holes, places, entries, .. } = self.matcher;
        scratch.candidates.sort_unstable_by_key(|&place| (Reverse(shapes[place as usize].points), place));
        scratch.candidates.dedup();
        for (n, &place) in scratch.candidates.iter().enumerate() {
            let cost = 32 + 8 * self.text.len();
            if n >= limit || scratch.work.left < cost {
                return true;
            }
            scratch.work.left -= cost;
            let shape = &shapes[place as usize];
            for &start in self.starts {
                let Some(points) = fit::fit_cut(shape, holes, self.text, start) else { continue };
                let length = self.text.len() - self.lead;
                let max = shape.max.unwrap_or(u32::MAX) as usize;
                let is_full = length + 4 >= max && length <= max;
                let fit = Fit { start, end: self.text.len(), after: after::After::Nothing };
                for &entry in &shape.entries {
                    let Some(agreement) = places.agree(entry, &entries[entry as usize], self.hints) else {
                        continue;
                    };
                    let points = points as i32 + agreement.points;
                    let strength = match is_full {
                        true => rank::strength(shape, points, &agreement, Anchor::Header, 0),
                        false => Strength::Weak,
                    };
                    scratch.fits.push(Scored {
                        points,
                        shape: place,
                        entry,
                        is_sure: is_full,
                        strength,
                        fit,
                        from: start,
                        is_cut: true,
                    });
                }
                break;
            }
        }
        false
    }

    fn verdict(&self, scratch: &mut Scratch, budget: bool) -> Verdict {
        let Matcher { shapes, holes, .. } = self.matcher;
        let fits = &mut scratch.fits;
        // A statement may fit with and without what its callee adds: the better fit counts.
        fits.sort_unstable_by_key(|s| (Reverse(s.strength), Reverse(s.points), s.entry, s.shape));
        let sure = fits.first().filter(|best| best.is_sure);
        scratch.was_sure = sure.is_some();
        scratch.start = sure
            .filter(|best| shapes[best.shape as usize].head().is_some() && !best.is_cut)
            .map(|best| best.fit.start);
        let Some(&best) = fits.first() else { return Verdict { budget, ..Verdict::default() } };
        let mut entries: Vec<EntryId> = Vec::new();
        let mut others: Vec<EntryId> = Vec::new();
        for scored in fits.iter() {
            let id = EntryId(scored.entry);
            if scored.points == best.points && scored.strength == best.strength {
                if entries.last() != Some(&id) {
                    entries.push(id);
                }
            } else if others.len() < 10 && !entries.contains(&id) && !others.contains(&id) {
                others.push(id);
            } else if others.len() >= 10 {
                break;
            }
        }
        self.move_named_first(&mut entries);
        entries.sort_by_key(|id| self.is_unlikely(*id));
        let best =
            *fits.iter().find(|scored| Some(&EntryId(scored.entry)) == entries.first()).unwrap_or(&best);
        let shape = &shapes[best.shape as usize];
        let mut values = Vec::new();
        if shape.n_values > 0 && !best.is_cut {
            let start =
                if best.fit.start > best.from { Start::At(best.fit.start) } else { Start::At(best.from) };
            let again =
                self.bounded(|work| fit::fit(shape, holes, self.text, start, work), &mut scratch.work);
            if let Fitted::Yes(fit) = again {
                let from = match start {
                    Start::At(at) | Start::From(at) => at,
                };
                values = fit::values(shape, holes, self.text, fit, from, &scratch.work.spans);
                self.cut_fields(shape, &mut values);
            }
        }
        Verdict { strength: best.strength, entries, values, others, budget }
    }

    /// Among equals, what tests print and what is not logged comes last.
    fn is_unlikely(&self, id: EntryId) -> (bool, bool) {
        let entry = self.matcher.entry(id);
        let mut parts = entry.file.split(['/', '.']);
        let is_test = parts.any(|part| matches!(part, "test" | "tests" | "testing" | "benches" | "examples"));
        (is_test, entry.statement.kind != Kind::Log)
    }

    /// Of statements that print the same, the one whose place the message itself tells comes alone.
    fn move_named_first(&self, entries: &mut Vec<EntryId>) {
        if !(2..=64).contains(&entries.len()) {
            return;
        }
        let is_named = |id: &EntryId| {
            let entry = self.matcher.entry(*id);
            let name = entry.file.rsplit('/').next().unwrap_or(&entry.file);
            let place = format!("{name}:{}", entry.statement.line);
            let ends = |at: usize| self.text.get(at + place.len()).is_none_or(|b| !b.is_ascii_digit());
            memchr::memmem::find_iter(&self.text[..self.text.len().min(4096)], place.as_bytes()).any(ends)
        };
        let named: Vec<EntryId> = entries.iter().copied().filter(is_named).collect();
        if !named.is_empty() {
            *entries = named;
        }
    }

    /// A hole at the end of a template does not hold the structured fields that follow the message.
    fn cut_fields(&self, shape: &Shape, values: &mut [std::ops::Range<usize>]) {
        let (Some(_), Some(name), Some(last)) = (shape.tail, shape.fields.first(), values.last_mut()) else {
            return;
        };
        let wanted = format!(" {name}=");
        if let Some(at) = memchr::memmem::find(&self.text[last.clone()], wanted.as_bytes()) {
            last.end = last.start + at;
        }
    }
}
