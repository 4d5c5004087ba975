//! What the body of a function or macro prints, in terms of its parameters.

use std::cell::Cell;

use dice_catalog::{Hole, HoleKind, Kind};
use rustc_hash::FxHashMap;

use super::callee::{Callee, LevelOf, level_in};
use super::facts::Code;
use super::function::split;
use super::segment::{Segment, Segments, forwards, weight};
use super::text::{
    Argument, Arguments, Bit, MAX_WORDS, Macros, Scope, Word, filled, no_locals, texts, words,
};
use super::token::TokenKind;
use crate::annotation;

/// How many texts a buffer may hold in turn; further ones are not followed.
const MAX_CONTENTS: usize = 4;

/// A body and the names it may use.
pub(super) struct Body<'b> {
    pub(super) code: &'b Code,
    pub(super) file: usize,
    pub(super) macros: &'b Macros,
    /// Named parameters, without `...`.
    pub(super) params: &'b [String],
    /// What the variable arguments are called in the body, and the number of the first.
    pub(super) rest: Option<(&'b str, usize)>,
    /// The function whose body it is; `None` for a macro's.
    pub(super) function: Option<&'b str>,
    /// How many expressions may be looked at.
    pub(super) steps: Cell<u32>,
}

/// A text that a body prints.
#[derive(Debug, Clone)]
pub(super) struct Output {
    /// `None` for a stream that is neither a terminal nor called a log.
    pub(super) kind: Option<Kind>,
    pub(super) segments: Segments,
    pub(super) level: LevelOf,
    pub(super) max: Option<u32>,
    pub(super) stream: Option<usize>,
    /// The callee that prints it.
    pub(super) through: String,
    pub(super) dialect: crate::dialect::Dialect,
    /// The owners named after the call, in a macro.
    pub(super) annotations: Vec<String>,
    pub(super) evidence: Vec<String>,
}

/// How a body finds what a name calls: by its whole name, or by what stands around a pasted part.
pub(super) trait Find {
    fn callee(&self, name: &[u8]) -> Option<&Callee>;
    fn pasted(&self, start: &[u8], end: &[u8]) -> Option<&Callee>;
}

/// Walks a body once, in the order of the text, and follows text through local buffers.
///
/// Besides what is printed: the simplest text in a buffer that carries a format of the caller's, for functions
/// of which nobody sees where the buffer goes.
pub(super) fn outputs(body: &Body<'_>, find: &dyn Find) -> (Vec<Output>, Option<Held>) {
    let mut walk = Walk {
        body,
        locals: FxHashMap::default(),
        aliases: FxHashMap::default(),
        roots: FxHashMap::default(),
        sizes: FxHashMap::default(),
        outputs: Vec::new(),
    };
    walk.run(find);
    let held = walk.locals.iter().flat_map(|(name, held)| held.iter().map(move |text| (name, text)));
    let simplest = held.filter(|(_, text)| forwards(text)).min_by_key(|(name, text)| (weight(text), *name));
    let held = simplest.map(|(name, text)| Held {
        segments: text.clone(),
        max: walk.sizes.get(name).map(|size| size.saturating_sub(1)),
    });
    (walk.outputs, held)
}

/// A text in a buffer.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) segments: Segments,
    pub(super) max: Option<u32>,
}

/// What each local variable may hold.
type Texts = FxHashMap<String, Vec<Segments>>;

/// Adds what variables may hold after another branch.
fn join(into: &mut Texts, other: Texts) {
    for (name, contents) in other {
        let held = into.entry(name).or_default();
        for content in contents {
            if !held.contains(&content) {
                held.push(content);
            }
        }
        bound(held);
    }
}

/// What carries the caller's text is worth most, and of that the simplest.
fn bound(held: &mut Vec<Segments>) {
    if held.len() > MAX_CONTENTS {
        held.sort_by_key(|content| (!forwards(content), weight(content)));
        held.truncate(MAX_CONTENTS);
    }
}

struct Walk<'b> {
    body: &'b Body<'b>,
    locals: Texts,
    /// Levels that local variables stand for.
    aliases: FxHashMap<Vec<u8>, LevelOf>,
    /// Pointers into buffers.
    roots: FxHashMap<String, String>,
    /// The sizes of local arrays.
    sizes: FxHashMap<String, u32>,
    outputs: Vec<Output>,
}

impl<'b> Walk<'b> {
    fn run(&mut self, find: &dyn Find) {
        let code = self.body.code;
        let tokens = &code.tokens;
        let mut depth = 0usize;
        // Branches of a conditional start from the same texts and leave all that any of them left.
        let mut branches: Vec<(Texts, Texts)> = Vec::new();
        for at in 0..tokens.len() {
            let next = |ahead: usize| tokens.get(at + ahead);
            match tokens[at].kind {
                TokenKind::Punct(b'{') => depth += 1,
                TokenKind::Punct(b'}') => depth = depth.saturating_sub(1),
                TokenKind::If if branches.len() < 16 => {
                    branches.push((self.locals.clone(), Texts::default()))
                }
                TokenKind::Else => {
                    if let Some((before, after)) = branches.last_mut() {
                        join(after, std::mem::replace(&mut self.locals, before.clone()));
                    }
                }
                TokenKind::EndIf => {
                    if let Some((_, after)) = branches.pop() {
                        join(&mut self.locals, after);
                    }
                }
                TokenKind::Punct(b'=') => self.assignment(at, depth, find),
                TokenKind::Ident if next(1).is_some_and(|token| token.is(b'[')) => self.array(at),
                TokenKind::Ident if next(1).is_some_and(|token| token.is(b'(')) => self.call(at, depth, find),
                _ => {}
            }
        }
    }

    fn text(&self, at: usize) -> &'b [u8] {
        self.body.code.tokens[at].of(&self.body.code.text)
    }

    fn words(&self, from: usize, to: usize) -> Vec<Word<'b>> {
        words(self.body.code, from, to)
    }

    fn scope(&self) -> Scope<'_> {
        Scope {
            macros: self.body.macros,
            file: self.body.file,
            params: self.body.params,
            locals: &self.locals,
            bound: None,
            function: self.body.function,
            depth: 0,
            steps: &self.body.steps,
        }
    }

    /// Whether what stands at `at` may be skipped: it is inside a block, or the only thing after a condition.
    fn is_conditional(&self, at: usize, depth: usize) -> bool {
        let outermost = usize::from(self.body.function.is_some());
        let before = at.checked_sub(1).map(|before| &self.body.code.tokens[before]);
        depth > outermost
            || before.is_some_and(|before| {
                before.is(b')')
                    || (before.kind == TokenKind::Ident && before.of(&self.body.code.text) == b"else")
            })
    }

    /// `char name[SIZE]`
    fn array(&mut self, at: usize) {
        let code = self.body.code;
        let Some(close) = code.brackets.partner(at + 1) else { return };
        let before = at.checked_sub(1).map(|before| code.tokens[before]);
        let typed = before.is_some_and(|before| before.kind == TokenKind::Ident || before.is(b','));
        if !typed {
            return;
        }
        if close > at + 8 {
            return;
        }
        if let Some(size) = number(&self.words(at + 2, close), self.body.macros, self.body.file, 0) {
            self.sizes.insert(String::from_utf8_lossy(self.text(at)).into_owned(), size);
        }
    }

    /// `name = value;`
    fn assignment(&mut self, at: usize, depth: usize, find: &dyn Find) {
        let code = self.body.code;
        let tokens = &code.tokens;
        let compared = tokens.get(at + 1).is_some_and(|token| token.is(b'='));
        let Some(before) = at.checked_sub(1) else { return };
        if compared {
            return;
        }
        // `name[0] = '\0'` empties a buffer.
        if tokens[before].is(b']')
            && let Some(open) = code.brackets.partner(before)
            && open + 2 == before
            && self.text(open + 1) == b"0"
            && open > 0
            && tokens[open - 1].kind == TokenKind::Ident
        {
            let name = String::from_utf8_lossy(self.text(open - 1)).into_owned();
            let conditional = self.is_conditional(open - 1, depth);
            self.store(&name, vec![Vec::new()], false, conditional);
            return;
        }
        let plus = tokens[before].is(b'+');
        if tokens[before].kind != TokenKind::Ident || plus {
            return;
        }
        let member =
            before > 0 && (tokens[before - 1].is(b'.') || tokens[before - 1].kind == TokenKind::Arrow);
        if member {
            return;
        }
        let end = self.value_end(at + 1);
        let name = String::from_utf8_lossy(self.text(before)).into_owned();
        let value = self.words(at + 1, end);
        if value.is_empty() || value.len() > 400 {
            return;
        }
        let conditional = self.is_conditional(before, depth);
        let level = level_in(&value, &self.scope(), &|name| self.aliases.get(name).copied());
        let old = self.aliases.get(name.as_bytes()).copied();
        self.aliases.insert(
            name.clone().into_bytes(),
            if conditional && old.is_some_and(|old| old != level) { LevelOf::Unknown } else { level },
        );
        // A call that gives text: what its format says.
        if value.len() > 2
            && value[0].kind == TokenKind::Ident
            && value[1].is(b'(')
            && let Some(callee) = find.callee(value[0].text)
            && callee.kind == Kind::Fragment
        {
            let arguments = self.arguments(at + 2);
            let contents: Vec<Segments> =
                callee.printed(&arguments, &self.scope()).into_iter().map(|p| p.segments).collect();
            let destination = callee.destination.and_then(|number| self.named(&arguments, number));
            let onto = destination.map(|(name, _)| self.root(&name));
            match onto {
                // `p = sprintf(p, …)`: the pointer moves on in its buffer; the call itself stores the text.
                Some(onto)
                    if self.root(&name) == onto
                        || self.sizes.contains_key(&onto)
                        || self.locals.contains_key(&onto) =>
                {
                    if name != onto && !self.sizes.contains_key(&name) {
                        self.roots.insert(name, onto);
                    }
                }
                _ => self.store(&name, contents, false, conditional),
            }
            return;
        }
        let told: Vec<Vec<Bit>> = texts(&value, &self.scope());
        if told.iter().all(|bits| bits.contains(&Bit::Unknown)) {
            let inside = value.iter().find(|word| {
                word.kind == TokenKind::Ident
                    && std::str::from_utf8(word.text).is_ok_and(|other| {
                        other != name
                            && (self.locals.contains_key(other)
                                || self.sizes.contains_key(other)
                                || self.roots.contains_key(other))
                    })
            });
            // A pointer into a buffer, or the result of something done with it.
            if let Some(inside) = inside
                && !self.sizes.contains_key(&name)
            {
                let root = self.root(&String::from_utf8_lossy(inside.text));
                self.roots.insert(name, root);
                return;
            }
        }
        let contents = told
            .iter()
            .map(|bits| {
                let segment = |bit: &Bit| match bit {
                    Bit::Raw(bytes) => vec![Segment::Text(String::from_utf8_lossy(bytes).into_owned())],
                    Bit::Param(param) => {
                        vec![Segment::Argument { param: *param, hole: Hole::of(HoleKind::Text) }]
                    }
                    Bit::Source(param) => vec![Segment::Source(*param)],
                    Bit::Function => vec![Segment::Function],
                    Bit::Content(content) => content.clone(),
                    Bit::Unknown => vec![Segment::Hole(Hole::of(HoleKind::Text))],
                };
                bits.iter().flat_map(segment).collect()
            })
            .collect();
        self.store(&name, contents, false, conditional);
    }

    /// Where the value that begins at `from` ends: a `;` or a `,` outside of brackets.
    fn value_end(&self, from: usize) -> usize {
        let tokens = &self.body.code.tokens;
        let mut at = from;
        while at < tokens.len().min(from + MAX_WORDS) {
            match tokens[at].kind {
                TokenKind::Punct(b';' | b',' | b')' | b'}') => return at,
                TokenKind::Punct(b'(' | b'[' | b'{') => match self.body.code.brackets.partner(at) {
                    Some(close) if close > at => at = close,
                    _ => return at,
                },
                _ => {}
            }
            at += 1;
        }
        at
    }

    fn root(&self, name: &str) -> String {
        let mut name = name;
        for _ in 0..8 {
            match self.roots.get(name) {
                Some(root) if root != name => name = root,
                _ => break,
            }
        }
        name.to_owned()
    }

    /// The variable an argument names, and whether it points at its start.
    fn named(&self, arguments: &Arguments<'_>, number: usize) -> Option<(String, bool)> {
        let Argument::Words(words) = arguments.get(number) else { return None };
        let member = |word: &Word<'_>| word.is(b'.') || word.kind == TokenKind::Arrow;
        let first = words.iter().find(|word| word.kind == TokenKind::Ident)?;
        if words.iter().any(member) {
            return None;
        }
        let start = words.len() == 1 || (words.len() == 2 && words[0].is(b'&'));
        Some((String::from_utf8_lossy(first.text).into_owned(), start))
    }

    /// Puts text into a variable: after what it holds, instead of it, or perhaps instead of it.
    fn store(&mut self, name: &str, contents: Vec<Segments>, append: bool, conditional: bool) {
        let root = self.root(name);
        let append = append || (root != name && self.locals.contains_key(&root));
        // What is only perhaps stored leaves perhaps nothing.
        let held = self
            .locals
            .entry(root)
            .or_insert_with(|| if conditional { vec![Vec::new()] } else { Vec::new() });
        let new: Vec<Segments> = if append && !held.is_empty() {
            held.iter()
                .flat_map(|held| contents.iter().map(move |more| [&held[..], &more[..]].concat()))
                .collect()
        } else {
            contents
        };
        if !conditional {
            held.clear();
        }
        for content in new {
            if !held.contains(&content) && content.len() < 256 {
                held.push(content);
            }
        }
        bound(held);
    }

    fn arguments(&self, open: usize) -> Arguments<'b> {
        let code = self.body.code;
        let Some(close) = code.brackets.partner(open) else { return Arguments::default() };
        let parts = split(&code.tokens, &code.brackets, open, close);
        let end = |from: usize, to: usize| to.min(from + MAX_WORDS + 1);
        let parts = parts.into_iter().map(|(from, to)| self.words(from, end(from, to))).collect();
        let scope = Scope {
            macros: self.body.macros,
            file: self.body.file,
            params: self.body.params,
            locals: no_locals(),
            bound: None,
            function: self.body.function,
            depth: 0,
            steps: &self.body.steps,
        };
        Arguments::new(parts, &scope, self.body.rest)
    }

    /// `name(…)`
    fn call(&mut self, at: usize, depth: usize, find: &dyn Find) {
        let tokens = &self.body.code.tokens;
        let before = at.checked_sub(1).map(|before| tokens[before]);
        if before.is_some_and(|before| before.is(b'.') || before.kind == TokenKind::Arrow) {
            return;
        }
        let name = self.text(at);
        let pasted = before.is_some_and(|before| before.kind == TokenKind::Paste) && at > 1;
        let callee = if pasted {
            // `log_##level(…)`: any known name with that start will do.
            let start = self.text(at - 2);
            if self.body.params.iter().any(|param| param.as_bytes() == name) {
                find.pasted(start, b"")
            } else if at > 3 && tokens[at - 3].kind == TokenKind::Paste {
                find.pasted(self.text(at - 4), name)
            } else {
                find.pasted(b"", name)
            }
        } else {
            find.callee(name)
        };
        let Some(callee) = callee else {
            self.copy(at, depth);
            return;
        };
        let arguments = self.arguments(at + 1);
        let printed = callee.printed(&arguments, &self.scope());
        if matches!(callee.kind, Kind::Fragment | Kind::Errtext) {
            if let Some((name, start)) = callee.destination.and_then(|number| self.named(&arguments, number))
            {
                let contents = printed.into_iter().map(|printed| printed.segments).collect();
                let conditional = self.is_conditional(at, depth);
                self.store(&name, contents, !start, conditional);
            }
            return;
        }
        let level = callee.level_of(&arguments, &self.scope(), &|name| self.aliases.get(name).copied());
        let level = match (level, pasted) {
            (LevelOf::Unknown | LevelOf::Fixed(_), true) => {
                let param = self.body.params.iter().position(|param| param.as_bytes() == name);
                param.map_or(level, LevelOf::Argument)
            }
            (level, _) => level,
        };
        let stream = callee.stream.and_then(|number| match arguments.get(number) {
            Argument::Words([word]) => {
                self.body.params.iter().position(|param| param.as_bytes() == word.text)
            }
            Argument::Rest(param) => Some(param),
            _ => None,
        });
        let kind = callee.kind_of(&arguments);
        let size = |words: &[Word<'_>]| {
            words.iter().find_map(|word| self.sizes.get(&self.root(std::str::from_utf8(word.text).ok()?)))
        };
        let cut =
            arguments.parts.iter().filter_map(|words| size(words)).min().map(|size| size.saturating_sub(1));
        let code = self.body.code;
        let close = code.brackets.partner(at + 1).filter(|_| self.body.function.is_none());
        let annotations = close
            .map(|close| annotation::after_call(&code.text, code.tokens[close].end as usize, &[]))
            .filter(|owners| !owners.is_empty())
            .unwrap_or_else(|| callee.annotations.clone());
        for printed in printed {
            let carries = forwards(&printed.segments);
            self.outputs.push(Output {
                kind,
                level,
                max: callee.max.into_iter().chain(cut.filter(|_| carries)).min(),
                stream,
                through: String::from_utf8_lossy(name).into_owned(),
                dialect: callee.dialect,
                annotations: annotations.clone(),
                evidence: callee.evidence.clone(),
                segments: printed.segments,
            });
        }
    }

    /// A call of something unknown: the families of `strcpy`, `write` and `fputs`, and what turns one buffer into another.
    fn copy(&mut self, at: usize, depth: usize) {
        let name = self.text(at);
        let text = |number: usize, arguments: &Arguments<'_>, scope: &Scope<'_>| {
            filled(arguments.get(number), Hole::of(HoleKind::Text), scope)
        };
        let arguments = self.arguments(at + 1);
        let source = match name {
            b"strcpy" | b"strncpy" | b"strlcpy" | b"memcpy" | b"stpcpy" | b"strcat" | b"strncat"
            | b"strlcat" | b"xstrncpy" => 1,
            _ => {
                // `strnvis(to, from, …)`: what is done to the text is not known, but it is that text.
                let known = |number: usize| self.named(&arguments, number).map(|(name, _)| self.root(&name));
                let (Some(to), Some(from)) = (known(0), known(1)) else { return };
                let array = self.sizes.contains_key(&to);
                if array
                    && to != from
                    && self.locals.get(&from).is_some_and(|held| held.iter().any(|held| forwards(held)))
                {
                    let contents = self.locals.get(&from).cloned().unwrap_or_default();
                    let conditional = self.is_conditional(at, depth);
                    self.store(&to, contents, false, conditional);
                }
                return;
            }
        };
        let contents = text(source, &arguments, &self.scope());
        if let Some((to, start)) = self.named(&arguments, 0) {
            let append = !start || matches!(name, b"strcat" | b"strncat" | b"strlcat");
            let conditional = self.is_conditional(at, depth);
            self.store(&to, contents, append, conditional);
        }
    }
}

/// The value of a number or of a macro that is one.
pub(super) fn number(words: &[Word<'_>], macros: &Macros, file: usize, depth: usize) -> Option<u32> {
    let words = match words {
        [open, inside @ .., close] if open.is(b'(') && close.is(b')') => inside,
        words => words,
    };
    match words {
        [one] if one.kind == TokenKind::Number => {
            let digits = std::str::from_utf8(one.text).ok()?.trim_end_matches(['u', 'U', 'l', 'L']);
            match digits.strip_prefix("0x") {
                Some(hex) => u32::from_str_radix(hex, 16).ok(),
                None => digits.parse().ok(),
            }
        }
        [one] if one.kind == TokenKind::Ident && depth < 8 => {
            let entry = macros.visible(one.text, file).find(|entry| entry.params.is_none())?;
            number(&self::words(&entry.code, 0, entry.code.tokens.len()), macros, file, depth + 1)
        }
        [left, operator, right] if depth < 8 => {
            let left = number(&[*left], macros, file, depth + 1)?;
            let right = number(&[*right], macros, file, depth + 1)?;
            match operator.kind {
                TokenKind::Punct(b'*') => left.checked_mul(right),
                TokenKind::Punct(b'+') => left.checked_add(right),
                TokenKind::Punct(b'-') => left.checked_sub(right),
                _ => None,
            }
        }
        _ => None,
    }
}
