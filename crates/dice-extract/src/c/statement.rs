//! The statements of one C file.

use std::cell::Cell;
use std::ops::Range;

use dice_catalog::{Hole, HoleKind, Kind, Level, LineNo, Part, Statement, Template};
use memchr::memchr_iter;
use rustc_hash::FxHashMap;

use super::callee::{Callee, LevelOf, Printed, level_in};
use super::discovery::Callees;
use super::function::{Function, functions, split};
use super::segment::{Segment, Segments, format_param, has_words};
use super::text::{Argument, Arguments, Bit, MAX_STEPS, Scope, Word, argument_in_file, texts, words_in_file};
use super::token::{Brackets, Lexed, TokenKind, lex};
use super::tree::Tree;
use crate::{Extraction, Problem, Source, annotation};

/// How many tokens of a call are looked at to see whether it has a literal.
const LOOK_AHEAD: usize = 1_024;
/// How many unclosed calls of a file are reported.
const MAX_PROBLEMS: usize = 100;
/// How far into a file a binary one shows itself, as git looks.
const BINARY_BYTES: usize = 8_000;

/// The statements of a file, in the order of the text.
pub(super) fn statements(callees: &Callees, file: usize, source: &Source<'_>) -> Extraction {
    let text = source.text;
    if text.len() > u32::MAX as usize || text.iter().take(BINARY_BYTES).any(|&byte| byte == 0) {
        return Extraction::default();
    }
    let lexed = lex(text);
    let brackets = Brackets::of(&lexed.tokens, text);
    let functions: Vec<Function> = functions(text, &lexed.tokens, &brackets)
        .into_iter()
        .filter(|function| function.body.is_some())
        .collect();
    let lines = Lines::of(text);
    let mut reader = Reader {
        callees,
        file,
        text,
        lexed: &lexed,
        brackets: &brackets,
        functions: &functions,
        problems: Vec::new(),
        lines: &lines,
    };
    let calls = reader.calls(source);
    let mut extraction = Extraction::default();
    let ranges: Vec<Range<usize>> =
        calls.iter().map(|call| reader.start(call.at)..reader.end(call.close)).collect();
    let mut surroundings = Surroundings::default();
    for (place, call) in calls.iter().enumerate() {
        if call.function != surroundings.function || place == 0 {
            surroundings = reader.surroundings(call.function);
        }
        let end = ranges[place].end;
        // A comment may follow other calls that stand between: those that begin after this one ends.
        let first = place + 1 + ranges[place + 1..].partition_point(|range| range.start < end);
        let last = ranges.len().min(first + 64);
        reader.statement(call, &surroundings, &ranges[first..last], &mut extraction.statements);
    }
    if let Some(at) = lexed.unterminated {
        reader.problems.push(Problem {
            line: lines.line(at),
            text: "a comment that begins here does not end".to_owned(),
        });
    }
    extraction.problems = reader.problems;
    extraction.problems.sort_by_key(|problem| problem.line);
    extraction
}

/// Where lines begin.
struct Lines(Vec<u32>);

impl Lines {
    fn of(text: &[u8]) -> Lines {
        let mut starts = vec![0];
        starts.extend(memchr_iter(b'\n', text).map(|at| at as u32 + 1));
        Lines(starts)
    }

    fn row(&self, at: usize) -> usize {
        self.0.partition_point(|&start| start as usize <= at).saturating_sub(1)
    }

    fn line(&self, at: usize) -> LineNo {
        LineNo::from_row(self.row(at))
    }

    fn column(&self, at: usize) -> u32 {
        at as u32 - self.0[self.row(at)] + 1
    }
}

struct Reader<'r> {
    callees: &'r Callees,
    file: usize,
    text: &'r [u8],
    lexed: &'r Lexed,
    brackets: &'r Brackets,
    functions: &'r [Function],
    problems: Vec<Problem>,
    lines: &'r Lines,
}

/// A call of something that prints.
struct Call<'r> {
    /// Index of the name's token and of the closing parenthesis.
    at: usize,
    close: usize,
    /// Index of the function around it.
    function: Option<usize>,
    /// The function's name as the tree tells it, where it does.
    name: Option<String>,
    callee: &'r Callee,
    /// A local pointer may stand for several callees.
    others: Vec<&'r Callee>,
}

/// What a function says about its local names.
#[derive(Default)]
struct Surroundings {
    function: Option<usize>,
    params: Vec<String>,
    /// Local names that only ever hold literals.
    locals: FxHashMap<String, Vec<Segments>>,
    /// Local names that hold a level.
    levels: FxHashMap<Vec<u8>, LevelOf>,
}

impl<'r> Reader<'r> {
    fn word(&self, at: usize) -> &'r [u8] {
        self.lexed.tokens[at].of(self.text)
    }

    fn start(&self, at: usize) -> usize {
        self.lexed.tokens[at].start as usize
    }

    fn end(&self, at: usize) -> usize {
        self.lexed.tokens[at].end as usize
    }

    /// Every call of a known callee: those the lexer sees in functions, and those the tree sees elsewhere.
    fn calls(&mut self, source: &Source<'_>) -> Vec<Call<'r>> {
        let tokens = &self.lexed.tokens;
        let mut calls = Vec::new();
        let mut outside = Vec::new();
        let mut current = 0;
        let mut pointers: (Option<usize>, FxHashMap<&'r [u8], Vec<&'r Callee>>) =
            (None, FxHashMap::default());
        for at in 0..tokens.len().saturating_sub(1) {
            if tokens[at].kind != TokenKind::Ident || !tokens[at + 1].is(b'(') {
                continue;
            }
            let body = |function: &Function| function.body.unwrap_or((usize::MAX, 0));
            while current < self.functions.len() && body(&self.functions[current]).1 < at {
                current += 1;
            }
            let function =
                (current < self.functions.len() && body(&self.functions[current]).0 < at).then_some(current);
            if function.is_some() && pointers.0 != function {
                pointers = (function, self.pointers(current));
            }
            let name = self.word(at);
            let local = function.and_then(|_| pointers.1.get(name));
            let callee = match local {
                Some(all) => all.first().copied(),
                None => {
                    std::str::from_utf8(name).ok().and_then(|name| self.callees.find(name, self.file, false))
                }
            };
            let Some(callee) = callee.filter(|callee| !callee.quiet) else { continue };
            if !self.is_call(at) || function.is_none() && self.is_declaration(at) {
                continue;
            }
            let Some(close) = self.brackets.partner(at + 1) else {
                if function.is_some() && self.problems.len() < MAX_PROBLEMS {
                    let text = format!("the call of {} has no closing parenthesis", callee.name);
                    self.problems.push(Problem { line: self.lines.line(self.start(at)), text });
                }
                continue;
            };
            let others = local.map(|all| all[1..].to_vec()).unwrap_or_default();
            let call = Call { at, close, function, name: None, callee, others };
            if function.is_some() {
                calls.push(call);
            } else {
                outside.push(call);
            }
        }
        if calls.is_empty() && outside.is_empty() {
            return calls;
        }
        let tree = Tree::of(source.language, self.text, tokens);
        calls.extend(
            outside.into_iter().filter(|call| tree.calls.binary_search(&self.start(call.at)).is_ok()),
        );
        for call in &mut calls {
            let found = tree.function(self.start(call.at), self.text);
            call.name = found.map(|name| String::from_utf8_lossy(name).into_owned());
        }
        calls.sort_by_key(|call| call.at);
        calls
    }

    /// Whether a name before `(` is called, not declared or a member.
    fn is_call(&self, at: usize) -> bool {
        let tokens = &self.lexed.tokens;
        let Some(before) = at.checked_sub(1) else { return false };
        match tokens[before].kind {
            TokenKind::Punct(b'.') | TokenKind::Arrow => false,
            TokenKind::Ident => {
                let word = self.word(before);
                if matches!(word, b"return" | b"else" | b"do" | b"case" | b"goto" | b"default") {
                    return true;
                }
                // `IF_DEBUG log("…")` or `void log(const char *);`
                let close = self.brackets.partner(at + 1).unwrap_or(at + 1);
                tokens[at + 1..close].iter().take(LOOK_AHEAD).any(|token| token.kind == TokenKind::Str)
            }
            TokenKind::Punct(b'*') => {
                let close = self.brackets.partner(at + 1).unwrap_or(at + 1);
                tokens[at + 1..close].iter().take(LOOK_AHEAD).any(|token| token.kind == TokenKind::Str)
            }
            _ => true,
        }
    }

    /// Whether what stands in the parentheses after a name are parameters with types.
    fn is_declaration(&self, at: usize) -> bool {
        let tokens = &self.lexed.tokens;
        let close = self.brackets.partner(at + 1).unwrap_or(at + 1);
        // No literal can be among them.
        tokens[at + 1..close.max(at + 1)].iter().take(LOOK_AHEAD).any(|token| match token.kind {
            TokenKind::Dots => true,
            TokenKind::Ident => matches!(token.of(self.text), b"const" | b"struct" | b"va_list"),
            _ => false,
        }) && !tokens[at + 1..close.max(at + 1)]
            .iter()
            .take(LOOK_AHEAD)
            .any(|token| token.kind == TokenKind::Str)
    }

    /// Local function pointers that are given a callee: `void (*log)(const char *, ...) = verbose;`
    fn pointers(&self, function: usize) -> FxHashMap<&'r [u8], Vec<&'r Callee>> {
        let mut pointers: FxHashMap<&[u8], Vec<&Callee>> = FxHashMap::default();
        let tokens = &self.lexed.tokens;
        let Some((open, close)) = self.functions[function].body else { return pointers };
        let close = close.min(tokens.len());
        let mut declared: Vec<&[u8]> = Vec::new();
        for at in self.functions[function].start..close.saturating_sub(4) {
            let declares = tokens[at].is(b'(')
                && tokens[at + 1].is(b'*')
                && tokens[at + 2].kind == TokenKind::Ident
                && tokens[at + 3].is(b')')
                && tokens[at + 4].is(b'(')
                && at > 0
                && (tokens[at - 1].kind == TokenKind::Ident || tokens[at - 1].is(b'*'));
            if declares && declared.len() < 16 {
                declared.push(self.word(at + 2));
            }
        }
        if declared.is_empty() {
            return pointers;
        }
        for at in open..close.saturating_sub(2) {
            if !tokens[at].is(b'=') || tokens[at + 1].is(b'=') {
                continue;
            }
            let name = if tokens[at - 1].is(b')') {
                // The declaration itself: back over the parameters.
                let Some(params) = self.brackets.partner(at - 1) else { continue };
                if params < 2 { continue } else { self.word(params - 2) }
            } else {
                self.word(at - 1)
            };
            if !declared.contains(&name) {
                continue;
            }
            let end = (at + 1..close.min(at + 80))
                .find(|&end| tokens[end].is(b';') || tokens[end].is(b','))
                .unwrap_or(close);
            for value in (at + 1..end.min(at + 24)).filter(|&value| tokens[value].kind == TokenKind::Ident) {
                let callee = std::str::from_utf8(self.word(value))
                    .ok()
                    .and_then(|name| self.callees.find(name, self.file, false));
                if let Some(callee) = callee {
                    let all = pointers.entry(name).or_default();
                    if !all.iter().any(|other| std::ptr::eq(*other, callee)) {
                        all.push(callee);
                    }
                }
            }
        }
        pointers
    }

    /// Reads what a function says about its local names.
    fn surroundings(&self, function: Option<usize>) -> Surroundings {
        let mut surroundings = Surroundings { function, ..Surroundings::default() };
        let Some(found) = function.map(|function| &self.functions[function]) else { return surroundings };
        surroundings.params = found.params.iter().map(|param| param.name.clone()).collect();
        let Some((open, close)) = found.body else { return surroundings };
        let tokens = &self.lexed.tokens;
        let close = close.min(tokens.len());
        let mut values: FxHashMap<&[u8], Vec<(usize, usize)>> = FxHashMap::default();
        let mut changed: Vec<&[u8]> = Vec::new();
        for at in open..close {
            let token = tokens[at];
            if token.is(b'&') && at + 1 < close && tokens[at + 1].kind == TokenKind::Ident {
                changed.push(self.word(at + 1));
            }
            if !token.is(b'=') || at == 0 || at + 1 >= close || tokens[at + 1].is(b'=') {
                continue;
            }
            let Some(mut name) = at.checked_sub(1) else { continue };
            if tokens[name].is(b']') {
                let Some(open) = self.brackets.partner(name).filter(|&open| open > 0) else { continue };
                // `char text[] = "…"` but not `text[3] = …`.
                if open + 1 != name {
                    changed.push(self.word(open - 1));
                    continue;
                }
                name = open - 1;
            }
            if tokens[name].kind != TokenKind::Ident {
                // `+=`, `!=` and their like.
                let before = name.checked_sub(1).filter(|&before| tokens[before].kind == TokenKind::Ident);
                if let Some(before) = before.filter(|_| tokens[name].is(b'+') || tokens[name].is(b'-')) {
                    changed.push(self.word(before));
                }
                continue;
            }
            if name > 0 && (tokens[name - 1].is(b'.') || tokens[name - 1].kind == TokenKind::Arrow) {
                continue;
            }
            let mut end = at + 1;
            while end < close
                && end < at + 80
                && !matches!(tokens[end].kind, TokenKind::Punct(b';' | b',' | b')' | b'}'))
            {
                if matches!(tokens[end].kind, TokenKind::Punct(b'(' | b'[' | b'{')) {
                    end =
                        self.brackets.partner(end).filter(|&shut| shut > end && shut <= close).unwrap_or(end);
                }
                end += 1;
            }
            values.entry(self.word(name)).or_default().push((at + 1, end.min(close)));
        }
        let no_locals = FxHashMap::default();
        let steps = Cell::new(MAX_STEPS * 8);
        let scope = self.scope(&surroundings.params, &no_locals, &steps);
        let mut locals = FxHashMap::default();
        let mut levels = FxHashMap::default();
        for (name, ranges) in values {
            let short = ranges.len() <= 16 && ranges.iter().all(|&(from, to)| to - from <= 64);
            if !short
                || changed.contains(&name)
                || surroundings.params.iter().any(|param| param.as_bytes() == name)
            {
                continue;
            }
            let literal = |&(from, to): &(usize, usize)| {
                tokens[from..to].iter().any(|token| token.kind == TokenKind::Str)
            };
            let null = |&(from, to): &(usize, usize)| {
                to == from + 1 && matches!(self.word(from), b"NULL" | b"0" | b"nullptr")
            };
            if ranges.iter().any(literal) && ranges.iter().all(|range| literal(range) || null(range)) {
                let mut all: Vec<Segments> = Vec::new();
                let mut pure = true;
                for &(from, to) in ranges.iter().filter(|range| literal(range)) {
                    for bits in texts(&words_in_file(self.text, &tokens[from..to]), &scope) {
                        let mut segments = Segments::new();
                        for bit in bits {
                            match bit {
                                Bit::Raw(bytes) => {
                                    segments.push(Segment::Text(String::from_utf8_lossy(&bytes).into_owned()))
                                }
                                _ => pure = false,
                            }
                        }
                        if !all.contains(&segments) {
                            all.push(segments);
                        }
                    }
                }
                if pure && all.len() <= super::text::MAX_ALTERNATIVES {
                    locals.insert(String::from_utf8_lossy(name).into_owned(), all);
                }
                continue;
            }
            let mut level = None;
            for &(from, to) in &ranges {
                let this = level_in(&words_in_file(self.text, &tokens[from..to]), &scope, &|_| None);
                level = match level {
                    None => Some(this),
                    Some(old) if old == this => Some(old),
                    Some(_) => Some(LevelOf::Unknown),
                };
            }
            levels.insert(name.to_vec(), level.unwrap_or(LevelOf::Unknown));
        }
        for (name, contents) in self.written_once(open, close, &surroundings.params, &locals) {
            locals.entry(name).or_insert(contents);
        }
        surroundings.locals = locals;
        surroundings.levels = levels;
        surroundings
    }

    /// Local buffers that one call formats into and that are only printed after: what they hold.
    fn written_once(
        &self,
        open: usize,
        close: usize,
        params: &[String],
        locals: &FxHashMap<String, Vec<Segments>>,
    ) -> Vec<(String, Vec<Segments>)> {
        let tokens = &self.lexed.tokens;
        // Where each buffer is written, by its name; `None` when it is used in a way that is not followed.
        let mut writes: FxHashMap<&[u8], Option<(usize, usize, &Callee)>> = FxHashMap::default();
        for at in open..close.saturating_sub(3) {
            let called = tokens[at].kind == TokenKind::Ident
                && tokens[at + 1].is(b'(')
                && tokens[at + 2].kind == TokenKind::Ident
                && tokens[at + 3].is(b',');
            if !called {
                continue;
            }
            let callee = self.callee(at).filter(|callee| {
                callee.kind == Kind::Fragment && callee.destination == Some(0) && callee.tuple.is_none()
            });
            let (Some(callee), Some(shut)) = (callee, self.brackets.partner(at + 1)) else { continue };
            let name = self.word(at + 2);
            let known = params.iter().any(|param| param.as_bytes() == name)
                || std::str::from_utf8(name).is_ok_and(|name| locals.contains_key(name));
            writes
                .entry(name)
                .and_modify(|write| *write = None)
                .or_insert(Some((at, shut, callee)).filter(|_| !known));
        }
        if writes.values().all(Option::is_none) {
            return Vec::new();
        }
        // The calls around each place, innermost last.
        let mut around: Vec<(usize, usize)> = Vec::new();
        for (at, token) in tokens.iter().enumerate().take(close).skip(open) {
            while around.last().is_some_and(|&(_, shut)| shut < at) {
                around.pop();
            }
            if token.is(b'(')
                && let Some(shut) = self.brackets.partner(at).filter(|&shut| shut > at)
            {
                around.push((at, shut));
            }
            if token.kind != TokenKind::Ident {
                continue;
            }
            let Some(write) = writes.get_mut(self.word(at)) else { continue };
            if let Some((written, ..)) = *write
                && at != written + 2
                && !self.is_harmless(at, written, around.last().copied())
            {
                *write = None;
            }
        }
        let steps = Cell::new(MAX_STEPS);
        let scope = self.scope(params, locals, &steps);
        let mut found: Vec<(String, Vec<Segments>)> = Vec::new();
        for (name, write) in writes {
            let Some((at, shut, callee)) = write else { continue };
            let parts = split(tokens, self.brackets, at + 1, shut);
            let parts: Vec<Vec<Word<'_>>> =
                parts.into_iter().map(|(from, to)| argument_in_file(self.text, &tokens[from..to])).collect();
            let arguments = Arguments::new(parts, &scope, None);
            let contents: Vec<Segments> =
                callee.printed(&arguments, &scope).into_iter().map(|printed| printed.segments).collect();
            // Only what says more than the bare buffer.
            let says = |segments: &Segments| segments.iter().any(|s| matches!(s, Segment::Text(_)));
            if contents.iter().all(says) && !contents.is_empty() {
                found.push((String::from_utf8_lossy(name).into_owned(), contents));
            }
        }
        found
    }

    /// The callee that a name in this file stands for.
    fn callee(&self, at: usize) -> Option<&'r Callee> {
        std::str::from_utf8(self.word(at)).ok().and_then(|name| self.callees.find(name, self.file, false))
    }

    /// Whether a buffer that is written at `written` stands at `at` without being changed: declared, given its
    /// memory, measured, let go, or printed afterwards.
    fn is_harmless(&self, at: usize, written: usize, around: Option<(usize, usize)>) -> bool {
        let tokens = &self.lexed.tokens;
        let before = at.checked_sub(1).map(|before| tokens[before]);
        let next = tokens.get(at + 1).copied();
        let is = |token: Option<super::token::Token>, byte: u8| token.is_some_and(|token| token.is(byte));
        if at < written {
            let declared = before.is_some_and(|before| {
                before.kind == TokenKind::Ident && before.of(self.text) != b"return"
                    || before.is(b'*')
                    || before.is(b',')
            });
            let empty = next.is_some_and(|next| next.is(b'[') || next.is(b';') || next.is(b','));
            let given = is(next, b'=') && !is(tokens.get(at + 2).copied(), b'=') && {
                let end = (at..tokens.len().min(at + 40)).find(|&end| tokens[end].is(b';')).unwrap_or(at);
                !tokens[at..end]
                    .iter()
                    .any(|token| matches!(token.kind, TokenKind::Str | TokenKind::Punct(b'{')))
            };
            let measured = before.is_some_and(|before| before.of(self.text) == b"sizeof");
            return declared && empty || given || measured || self.is_measured(around);
        }
        let alone = next.is_some_and(|next| next.is(b',') || next.is(b')'))
            && before.is_some_and(|before| before.is(b',') || before.is(b'('));
        if before.is_some_and(|before| before.of(self.text) == b"sizeof") {
            return true;
        }
        let Some((open, _)) = around.filter(|_| alone) else { return false };
        let Some(name) = open.checked_sub(1).filter(|&name| tokens[name].kind == TokenKind::Ident) else {
            return false;
        };
        let word = self.word(name);
        let lets_go = std::str::from_utf8(word).is_ok_and(|name| name.ends_with("free"));
        let prints =
            self.callee(name).is_some_and(|callee| !matches!(callee.kind, Kind::Fragment | Kind::Errtext));
        lets_go || prints || self.is_measured(around)
    }

    fn is_measured(&self, around: Option<(usize, usize)>) -> bool {
        let name = around.and_then(|(open, _)| open.checked_sub(1)).map(|name| self.word(name));
        name.is_some_and(|name| name == b"sizeof" || name == b"strlen")
    }

    fn scope<'s>(
        &'s self,
        params: &'s [String],
        locals: &'s FxHashMap<String, Vec<Segments>>,
        steps: &'s Cell<u32>,
    ) -> Scope<'s> {
        Scope {
            macros: &self.callees.macros,
            file: self.file,
            params,
            locals,
            bound: None,
            function: None,
            depth: 0,
            steps,
        }
    }

    fn statement(
        &self,
        call: &Call<'_>,
        surroundings: &Surroundings,
        ranges: &[Range<usize>],
        out: &mut Vec<Statement>,
    ) {
        let tokens = &self.lexed.tokens;
        let callee = call.callee;
        let function = self.function_name(call);
        let steps = Cell::new(MAX_STEPS);
        let mut scope = self.scope(&surroundings.params, &surroundings.locals, &steps);
        scope.function = function.as_deref();
        let parts = split(tokens, self.brackets, call.at + 1, call.close);
        let parts: Vec<Vec<Word<'_>>> =
            parts.into_iter().map(|(from, to)| argument_in_file(self.text, &tokens[from..to])).collect();
        let arguments = Arguments::new(parts, &scope, None);
        let Some(kind) = callee.kind_of(&arguments) else { return };
        let alias = |name: &[u8]| surroundings.levels.get(name).copied();
        let level = |callee: &Callee| match callee.level_of(&arguments, &scope, &alias) {
            LevelOf::Fixed(level) => Some(level),
            LevelOf::Argument(_) | LevelOf::Unknown => None,
        };
        let level: Option<Level> =
            call.others.iter().map(|other| level(other)).fold(level(callee), Option::max);
        let wrapper = function.as_deref().is_some_and(|name| self.callees.is_wrapper(name, self.file));
        let (start, end) = (self.start(call.at), self.end(call.close));
        let line = self.lines.line(start);
        let first_literal =
            tokens[call.at..call.close].iter().take(LOOK_AHEAD).find(|token| token.kind == TokenKind::Str);
        let format_line =
            first_literal.map(|token| self.lines.line(token.start as usize)).filter(|&format| format != line);
        let mut annotations = annotation::after_call(self.text, end, ranges);
        if annotations.is_empty() {
            annotations.clone_from(&callee.annotations);
        }
        let from = out.len();
        for printed in self.printed(callee, &arguments, &scope) {
            let own = printed.segments.iter().any(|segment| {
                matches!(segment, Segment::Format { .. })
                    || matches!(segment, Segment::Argument { hole, .. } if hole.kind == HoleKind::Text)
            });
            let printed_words = printed.own.1 - printed.own.0;
            let (prefix, template, suffix) = parts_of(printed, function.as_deref());
            // A wrapper's own call: its uses are the statements.
            if template.is_dynamic() && (callee.va_list || (own && wrapper) || arguments.parts.is_empty()) {
                continue;
            }
            // Nothing at the call tells more than the statement inside the callee.
            let inner_says_all = callee.form != "macro"
                && !callee.has_format()
                && printed_words == 0
                && callee.says_something();
            let nothing_said =
                template.is_dynamic() && callee.texts.iter().all(|text| format_param(text).is_none());
            if inner_says_all || nothing_said {
                continue;
            }
            if out[from..].iter().any(|other| other.template == template) {
                continue;
            }
            out.push(Statement {
                line,
                column: self.lines.column(start),
                end_line: self.lines.line(end.saturating_sub(1)),
                format_line,
                function: function.clone(),
                target: None,
                kind,
                callee: String::from_utf8_lossy(self.word(call.at)).into_owned(),
                level,
                template,
                prefix,
                suffix,
                fields: Vec::new(),
                max: callee.max,
                annotations: annotations.clone(),
            });
        }
    }

    /// What one call prints. Where the format is not what is thought to be one but a literal stands before it,
    /// the callee is declared differently under some `#if`: the literal is the format.
    fn printed(&self, callee: &Callee, arguments: &Arguments<'_>, scope: &Scope<'_>) -> Vec<Printed> {
        let literal = |argument: Argument<'_, '_>| match argument {
            Argument::Words(words) => words.iter().any(|word| word.kind == TokenKind::Str),
            Argument::Rest(_) | Argument::Missing => false,
        };
        if let [text] = &callee.texts[..]
            && let Some((at, format, dialect)) =
                text.iter().enumerate().find_map(|(at, segment)| match segment {
                    Segment::Format { param, dialect, .. } => Some((at, *param, *dialect)),
                    _ => None,
                })
            && callee.tuple.is_none()
            && matches!(callee.kind, Kind::Log | Kind::Fatal)
            && texts_are_unknown(arguments.get(format), scope)
            && let Some(param) = (0..format).rev().find(|&number| literal(arguments.get(number)))
        {
            let mut text = text.clone();
            text[at] = Segment::Format { param, rest: Some(param + 1), dialect };
            return Callee { texts: vec![text], ..callee.clone() }.printed(arguments, scope);
        }
        callee.printed(arguments, scope)
    }

    /// The enclosing function: what the tree says where it is sure, else what the lexer says.
    fn function_name(&self, call: &Call<'_>) -> Option<String> {
        let lexed = call.function.map(|function| &self.functions[function]);
        match (lexed, &call.name) {
            (Some(function), _) if function.by_macro => Some(function.name.clone()),
            (_, Some(name)) if !name.chars().all(|c| c.is_ascii_uppercase() || c == '_') => {
                Some(name.clone())
            }
            (Some(function), _) => Some(function.name.clone()),
            (None, name) => name.clone(),
        }
    }
}

/// Whether an argument tells no text at all.
fn texts_are_unknown(argument: Argument<'_, '_>, scope: &Scope<'_>) -> bool {
    match argument {
        Argument::Words(words) => {
            texts(words, scope).iter().all(|bits| bits.iter().all(|bit| *bit == Bit::Unknown))
        }
        Argument::Missing => true,
        Argument::Rest(_) => false,
    }
}

/// Splits what is printed into what the callee adds before, the message, and what it adds after.
fn parts_of(printed: Printed, function: Option<&str>) -> (Vec<Part>, Template, Vec<Part>) {
    let (from, to) = printed.own;
    let mut segments = printed.segments;
    // Words around the message are part of it; a name and punctuation are not.
    let wordy = |segment: &Segment| matches!(segment, Segment::Text(text) if has_words(text));
    let (mut from, mut to) = if from == to { (0, segments.len()) } else { (from, to) };
    if let Some(first) = segments[..from].iter().position(wordy) {
        if first > 0
            && let Segment::Text(text) = &segments[first]
            && let Some(word) = text.find(|c: char| c.is_alphanumeric()).filter(|&word| word > 0)
        {
            let (punctuation, words) = (text[..word].to_owned(), text[word..].to_owned());
            segments[first] = Segment::Text(words);
            segments.insert(first, Segment::Text(punctuation));
            from = first + 1;
            to += 1;
        } else {
            from = first;
        }
    }
    if segments[to..].iter().any(wordy) {
        to = segments.len();
    }
    let part = |segment: &Segment| match segment {
        Segment::Text(text) => Part::Text(text.clone()),
        Segment::Hole(hole) | Segment::Argument { hole, .. } => Part::Hole(*hole),
        Segment::Function => function.map_or(Part::Hole(Hole::of(HoleKind::Text)), Part::text),
        Segment::Source(_) | Segment::Format { .. } | Segment::Literal { .. } => {
            Part::Hole(Hole::of(HoleKind::Text))
        }
    };
    let mut prefix: Vec<Part> = Template::new(segments[..from].iter().map(part)).into();
    let mut template: Vec<Part> = Template::new(segments[from..to].iter().map(part)).into();
    let mut suffix: Vec<Part> = Template::new(segments[to..].iter().map(part)).into();
    // Times and process ids before a message are the envelope's, which is read by others.
    let holes = |parts: &[Part]| parts.iter().filter(|part| matches!(part, Part::Hole(_))).count();
    if holes(&prefix) > 1 || holes(&prefix) == prefix.len() {
        prefix.clear();
    }
    if holes(&suffix) == suffix.len()
        && !suffix.iter().any(|part| matches!(part, Part::Hole(hole) if hole.kind == HoleKind::Errno))
    {
        suffix.clear();
    }
    trim_line_end(&mut suffix);
    if suffix.is_empty() {
        trim_line_end(&mut template);
    }
    (prefix, Template::new(template), suffix)
}

fn trim_line_end(parts: &mut Vec<Part>) {
    if let Some(Part::Text(text)) = parts.last_mut() {
        text.truncate(text.trim_end_matches(['\n', '\r']).len());
        if text.is_empty() {
            parts.pop();
        }
    }
}
