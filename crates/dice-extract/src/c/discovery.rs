//! Which functions and macros of a repository print: from the known ones to all that pass text on to them.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Arc;

use dice_catalog::Kind;
use rustc_hash::{FxHashMap, FxHashSet};

use super::body::{Body, Find, Output, outputs};
use super::callee::{Callee, LevelOf, confirmed};
use super::facts::{Code, Facts, Macro};
use super::function::{Function, Param, split};
use super::segment::{Segment, Segments, format_param, forwards, text_param, weight, without_header};
use super::signature::{builder, by_name, dialects, format_of, formats, signature};
use super::text::{Argument, Arguments, MacroEntry, Macros, Scope, no_locals, words};
use super::token::TokenKind;
use super::word;
use crate::Settings;
use crate::dialect::Dialect;
use crate::table::Table;

/// How often one definition is looked at again because something it calls became known.
const MAX_VISITS: u8 = 8;
/// How many expressions are looked at in one body.
const BODY_STEPS: u32 = 50_000;
/// How many texts one macro may print, one after the other.
const MAX_TEXTS: usize = 4;

/// Everything that is known of callees, while it is found and after.
#[derive(Debug, Default)]
pub(super) struct Callees {
    pub(super) macros: Macros,
    /// Found in the repository: per name, every definition that prints.
    pub(super) found: FxHashMap<String, Vec<Found>>,
    /// What `dice.toml` says; wins over everything.
    pub(super) configured: FxHashMap<String, Callee>,
    /// The known table, per name.
    pub(super) table: FxHashMap<String, Vec<Known>>,
    /// Names with a trailing `*`.
    globs: Vec<(String, Callee)>,
    /// Names that the repository defines: the table says nothing about them.
    defined: FxHashSet<String>,
    /// Names that one file defines for itself.
    defined_in: FxHashSet<(usize, String)>,
    ignored: FxHashSet<String>,
}

/// A callee of the table, and the only files that confirm it; `None` when its name is enough.
pub(super) type Known = (Callee, Option<FxHashSet<usize>>);

/// A definition that prints.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// The only file that sees it; `None` when all do.
    pub(super) file: Option<usize>,
    pub(super) is_macro: bool,
    /// Only its name says so.
    pub(super) by_name: bool,
    /// The file that defines it.
    pub(super) origin: usize,
    pub(super) callee: Callee,
}

impl Callees {
    /// What a call of `name` in `file` prints; `skip_macros` inside the macro of that name.
    pub(super) fn find(&self, name: &str, file: usize, skip_macros: bool) -> Option<&Callee> {
        if let Some(callee) = self.configured.get(name) {
            return Some(callee);
        }
        if self.ignored.contains(name) {
            return None;
        }
        if let Some(found) = self.found.get(name) {
            let of = |wanted: Option<usize>, is_macro: bool| {
                found
                    .iter()
                    .find(|found| found.file == wanted && found.is_macro == is_macro && !found.by_name)
            };
            let own = of(Some(file), true).filter(|_| !skip_macros).or_else(|| of(Some(file), false));
            if let Some(own) = own {
                return Some(&own.callee);
            }
            if !skip_macros && self.is_defined_in(file, name) {
                return None;
            }
            let global = of(None, true).filter(|_| !skip_macros).or_else(|| of(None, false));
            if let Some(found) = global.or_else(|| found.iter().find(|found| found.by_name)) {
                return Some(&found.callee);
            }
        }
        if self.is_defined_in(file, name) || self.defined.contains(name) {
            return None;
        }
        let known = self.table.get(name).and_then(|rules| {
            rules
                .iter()
                .find(|(_, files)| files.as_ref().is_none_or(|files| files.contains(&file)))
                .map(|(callee, _)| callee)
        });
        known.or_else(|| {
            self.globs.iter().find(|(start, _)| name.starts_with(start.as_str())).map(|(_, callee)| callee)
        })
    }

    fn is_defined_in(&self, file: usize, name: &str) -> bool {
        !self.defined_in.is_empty() && self.defined_in.contains(&(file, name.to_owned()))
    }

    /// Everything that was found in the repository, by name.
    pub(super) fn found(&self) -> impl Iterator<Item = (&str, &Found)> {
        let mut names: Vec<&String> = self.found.keys().collect();
        names.sort();
        names.into_iter().flat_map(|name| self.found[name].iter().map(move |found| (name.as_str(), found)))
    }

    /// What `dice.toml` says, by name.
    pub(super) fn configured(&self) -> impl Iterator<Item = &Callee> {
        self.configured.values()
    }

    /// Whether any definition of the repository that this file sees makes the name a wrapper of text.
    pub(super) fn is_wrapper(&self, name: &str, file: usize) -> bool {
        self.find(name, file, false)
            .or_else(|| self.find(name, file, true))
            .is_some_and(|callee| !callee.texts.is_empty())
    }
}

/// A definition that may turn out to print.
pub(super) struct Candidate<'f> {
    pub(super) name: &'f str,
    /// Where it stands.
    pub(super) file: usize,
    pub(super) everywhere: bool,
    pub(super) what: What<'f>,
    /// Parameter names without `...`.
    pub(super) params: Vec<String>,
}

impl Candidate<'_> {
    /// What is read of the function that the candidate is.
    pub(super) fn body<'b>(
        &'b self,
        function: &'b Function,
        code: &'b Code,
        callees: &'b Callees,
    ) -> Body<'b> {
        Body {
            code,
            file: self.file,
            macros: &callees.macros,
            params: &self.params,
            rest: None,
            function: Some(&function.name),
            steps: Cell::new(BODY_STEPS),
        }
    }
}

pub(super) enum What<'f> {
    Macro(&'f Macro),
    Function(&'f Function, Option<&'f Arc<Code>>),
}

/// Finds every callee of a repository that prints.
pub(super) fn callees(settings: &Settings, table: &Table, facts: &[(usize, &Facts)]) -> Callees {
    let mut callees = Callees {
        macros: Macros { constants: settings.constants.clone(), ..Macros::default() },
        ..Callees::default()
    };
    callees.ignored.extend(settings.ignore_names.iter().cloned());
    known(&mut callees, settings, table, facts);
    define(&mut callees, facts);
    let candidates = candidates(facts);
    let formats = formats(&callees, &candidates);
    for candidate in &candidates {
        builder(&mut callees, candidate, &formats);
    }
    dialects(&mut callees, &candidates);
    let mut closure = Closure::new(&candidates, &formats);
    closure.run(&mut callees, (0..candidates.len()).collect());
    let mut by_signature = Vec::new();
    for (place, candidate) in candidates.iter().enumerate() {
        if let Some(found) = signature(&callees, candidate, &formats) {
            callees.add(candidate.name, found);
            by_signature.push(place);
        }
    }
    let again = by_signature.iter().flat_map(|&place| closure.mentions(candidates[place].name)).collect();
    closure.run(&mut callees, again);
    let named = by_name(&mut callees, facts);
    let again = named.iter().flat_map(|name| closure.mentions(name)).collect();
    closure.run(&mut callees, again);
    callees
}

/// Takes the tables over.
fn known(callees: &mut Callees, settings: &Settings, table: &Table, facts: &[(usize, &Facts)]) {
    let default = Dialect::named(&table.dialect).unwrap_or(Dialect::Printf);
    for rule in settings.loggers.iter().filter(|rule| rule.lang.as_deref().is_none_or(|lang| lang == "c")) {
        for name in &rule.names {
            let callee = Callee::of_rule(rule, name, default, "dice.toml says so".to_owned());
            match name.strip_suffix('*') {
                Some(start) => callees.globs.insert(0, (start.to_owned(), callee)),
                None => {
                    callees.configured.insert(name.clone(), callee);
                }
            }
        }
    }
    for rule in &table.loggers {
        let in_a_header = rule.weak && facts.iter().any(|(_, facts)| facts.header && confirmed(rule, facts));
        let files = (rule.weak && !in_a_header).then(|| {
            facts.iter().filter(|(_, facts)| confirmed(rule, facts)).map(|(file, _)| *file).collect()
        });
        for name in &rule.names {
            let callee = Callee::of_rule(rule, name, default, format!("{name} is a known logger"));
            match name.strip_suffix('*') {
                Some(start) => callees.globs.push((start.to_owned(), callee)),
                None => callees.table.entry(name.clone()).or_default().push((callee, files.clone())),
            }
        }
    }
}

/// Notes which names the repository defines, and all macros.
fn define(callees: &mut Callees, facts: &[(usize, &Facts)]) {
    for &(file, facts) in facts {
        for found in &facts.macros {
            let entry = MacroEntry {
                file,
                everywhere: facts.header,
                params: found.params.clone(),
                code: Arc::clone(&found.code),
            };
            callees.macros.by_name.entry(found.name.clone()).or_default().push(entry);
            if found.code.is_empty() {
                continue;
            }
            if facts.header {
                // A macro that only stands before the function of its name does not hide it from the table.
                let itself =
                    found.code.tokens.iter().any(|token| token.of(&found.code.text) == found.name.as_bytes());
                if !itself {
                    callees.defined.insert(found.name.clone());
                }
            } else {
                callees.defined_in.insert((file, found.name.clone()));
            }
        }
        for constant in &facts.constants {
            let entry =
                MacroEntry { file, everywhere: facts.header, params: None, code: Arc::clone(&constant.code) };
            let all = if constant.table { &mut callees.macros.tables } else { &mut callees.macros.by_name };
            all.entry(constant.name.clone()).or_default().push(entry);
        }
        for (function, _) in &facts.functions {
            if function.body.is_none() {
                continue;
            }
            if function.is_static && !facts.header {
                callees.defined_in.insert((file, function.name.clone()));
            } else {
                callees.defined.insert(function.name.clone());
            }
        }
    }
}

fn candidates<'f>(facts: &[(usize, &'f Facts)]) -> Vec<Candidate<'f>> {
    let mut candidates = Vec::new();
    for &(file, facts) in facts {
        for found in &facts.macros {
            if found.code.is_empty() || !found.code.tokens.iter().any(|token| token.kind == TokenKind::Ident)
            {
                continue;
            }
            let mut params = found.params.clone().unwrap_or_default();
            if found.variadic {
                params.pop();
            }
            candidates.push(Candidate {
                name: &found.name,
                file,
                everywhere: facts.header,
                what: What::Macro(found),
                params,
            });
        }
        for (function, code) in &facts.functions {
            let params = function.params.iter().map(|param| param.name.clone()).collect();
            let everywhere = facts.header || !function.is_static;
            candidates.push(Candidate {
                name: &function.name,
                file,
                everywhere,
                what: What::Function(function, code.as_ref()),
                params,
            });
        }
    }
    candidates
}

impl Callees {
    /// Takes a definition in; says whether that tells something new.
    pub(super) fn add(&mut self, name: &str, found: Found) -> bool {
        let all = self.found.entry(name.to_owned()).or_default();
        let same = |other: &Found| {
            other.origin == found.origin
                && other.file == found.file
                && other.is_macro == found.is_macro
                && other.by_name == found.by_name
        };
        let new = match all.iter_mut().find(|other| same(other)) {
            None => {
                all.push(found);
                true
            }
            Some(old) if better(&found.callee, &old.callee) => {
                *old = found;
                true
            }
            Some(_) => false,
        };
        // Of several definitions, the one that logs, and of these the one that adds least: others are mocks.
        if new {
            all.sort_by_key(|found| (rank(found.callee.kind), total(&found.callee), found.origin));
        }
        new
    }
}

fn rank(kind: Kind) -> u8 {
    match kind {
        Kind::Log | Kind::Fatal => 0,
        Kind::Stderr | Kind::Assert => 1,
        Kind::Stdout => 2,
        Kind::Span | Kind::Errtext => 3,
        Kind::Fragment => 4,
    }
}

/// Whether a text that was found later tells more.
fn better(new: &Callee, old: &Callee) -> bool {
    let level = |callee: &Callee| u8::from(callee.level == LevelOf::Unknown);
    let foreign = |callee: &Callee| callee.dialect == Dialect::Nginx;
    (rank(new.kind), level(new)) < (rank(old.kind), level(old))
        || (rank(new.kind) == rank(old.kind) && new.form == old.form && foreign(new) && !foreign(old))
        || (rank(new.kind) == rank(old.kind)
            && new.form == old.form
            && new.texts != old.texts
            && new.texts.len() >= old.texts.len()
            && heavier(new, old))
}

/// More of what is printed became known: a header that came through a callee found later.
fn heavier(new: &Callee, old: &Callee) -> bool {
    total(new) > total(old)
}

fn total(callee: &Callee) -> usize {
    callee.texts.iter().map(|text| weight(text)).sum()
}

/// Looks at definitions until nothing new is found.
struct Closure<'c, 'f> {
    candidates: &'c [Candidate<'f>],
    formats: &'c FxHashMap<String, Vec<usize>>,
    /// Which candidates mention a name.
    mentioned: FxHashMap<&'c [u8], Vec<usize>>,
    /// Candidates that paste names together.
    pasting: Vec<usize>,
    visits: Vec<u8>,
}

impl<'c, 'f> Closure<'c, 'f> {
    fn new(candidates: &'c [Candidate<'f>], formats: &'c FxHashMap<String, Vec<usize>>) -> Closure<'c, 'f> {
        let mut mentioned: FxHashMap<&[u8], Vec<usize>> = FxHashMap::default();
        let mut pasting = Vec::new();
        for (place, candidate) in candidates.iter().enumerate() {
            let code: &Code = match &candidate.what {
                What::Macro(found) => &found.code,
                What::Function(_, Some(code)) => code,
                What::Function(_, None) => continue,
            };
            let calls = matches!(&candidate.what, What::Function(..));
            for (at, token) in code.tokens.iter().enumerate() {
                let called = !calls || code.tokens.get(at + 1).is_some_and(|next| next.is(b'('));
                if token.kind == TokenKind::Ident && called {
                    let all = mentioned.entry(token.of(&code.text)).or_default();
                    if all.last() != Some(&place) {
                        all.push(place);
                    }
                }
            }
            if code.tokens.iter().any(|token| token.kind == TokenKind::Paste) {
                pasting.push(place);
            }
        }
        Closure { candidates, formats, mentioned, pasting, visits: vec![0; candidates.len()] }
    }

    fn mentions(&self, name: &str) -> Vec<usize> {
        self.mentioned.get(name.as_bytes()).cloned().unwrap_or_default()
    }

    fn run(&mut self, callees: &mut Callees, first: Vec<usize>) {
        self.visits.fill(0);
        let mut waiting = vec![false; self.candidates.len()];
        let mut queue = VecDeque::new();
        for place in first {
            if !std::mem::replace(&mut waiting[place], true) {
                queue.push_back(place);
            }
        }
        while let Some(place) = queue.pop_front() {
            waiting[place] = false;
            if self.visits[place] >= MAX_VISITS {
                continue;
            }
            self.visits[place] += 1;
            let candidate = &self.candidates[place];
            let Some(found) = self.look(callees, candidate) else { continue };
            if !callees.add(candidate.name, found) {
                continue;
            }
            let again =
                self.mentioned.get(candidate.name.as_bytes()).into_iter().flatten().chain(&self.pasting);
            for &other in again {
                if other != place && !std::mem::replace(&mut waiting[other], true) {
                    queue.push_back(other);
                }
            }
        }
    }

    /// What a definition prints by what is known now.
    fn look(&self, callees: &Callees, candidate: &Candidate<'_>) -> Option<Found> {
        let file = (!candidate.everywhere).then_some(candidate.file);
        let found =
            |callee, is_macro| Found { file, is_macro, by_name: false, origin: candidate.file, callee };
        match &candidate.what {
            What::Macro(of) => {
                let rest = of.variadic.then(|| of.params.as_ref().and_then(|params| params.last())).flatten();
                let finder = Finder { callees, file: candidate.file, within: Some(candidate.name) };
                let body = Body {
                    code: &of.code,
                    file: candidate.file,
                    macros: &callees.macros,
                    params: &candidate.params,
                    rest: rest.map(|name| (name.as_str(), candidate.params.len())),
                    function: None,
                    steps: Cell::new(BODY_STEPS),
                };
                let callee = alias(of, candidate, &finder).or_else(|| tuple(of, candidate, &finder));
                let callee = callee.or_else(|| of_macro(of, candidate, &finder, &outputs(&body, &finder).0));
                let callee = callee.or_else(|| of_builder(of, candidate, &finder, &body));
                callee.map(|callee| found(callee, true))
            }
            What::Function(function, Some(code)) => {
                let finder = Finder { callees, file: candidate.file, within: None };
                let body = candidate.body(function, code, callees);
                let format = format_of(function, self.formats);
                of_function(function, format, &outputs(&body, &finder).0).map(|callee| found(callee, false))
            }
            What::Function(_, None) => None,
        }
    }
}

pub(super) struct Finder<'c> {
    pub(super) callees: &'c Callees,
    pub(super) file: usize,
    /// The macro whose body this is: its name means the function in there.
    pub(super) within: Option<&'c str>,
}

impl Find for Finder<'_> {
    fn callee(&self, name: &[u8]) -> Option<&Callee> {
        let name = std::str::from_utf8(name).ok()?;
        self.callees.find(name, self.file, self.within == Some(name))
    }

    fn pasted(&self, start: &[u8], end: &[u8]) -> Option<&Callee> {
        let (start, end) = (std::str::from_utf8(start).ok()?, std::str::from_utf8(end).ok()?);
        // What is common to all is not worth a name.
        if start.len() + end.len() < 3 {
            return None;
        }
        let mut names: Vec<&String> = self
            .callees
            .found
            .keys()
            .filter(|name| {
                name.len() > start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
            })
            .collect();
        names.sort();
        names
            .into_iter()
            .filter_map(|name| self.callees.find(name, self.file, self.within == Some(name)))
            .find(|callee| rank(callee.kind) <= 2)
    }
}

/// `#define DPRINTF if (verbose) printf`: a macro without arguments that ends in a callee's name.
fn alias(of: &Macro, candidate: &Candidate<'_>, finder: &Finder<'_>) -> Option<Callee> {
    if of.params.is_some() {
        return None;
    }
    let last = of.code.tokens.last().filter(|token| token.kind == TokenKind::Ident)?;
    let callee = finder.callee(last.of(&of.code.text))?;
    let through = callee.name.clone();
    let mut callee = Callee { name: candidate.name.to_owned(), form: "macro", ..callee.clone() };
    callee.evidence.insert(0, format!("macro {} stands for {through}", candidate.name));
    Some(callee)
}

/// `#define DEBUG(args) printf args`: all arguments come in parentheses of their own.
fn tuple(of: &Macro, candidate: &Candidate<'_>, finder: &Finder<'_>) -> Option<Callee> {
    let code = &of.code;
    let (at, param) = code.tokens.windows(2).enumerate().find_map(|(at, pair)| {
        let both = pair[0].kind == TokenKind::Ident && pair[1].kind == TokenKind::Ident;
        let param = candidate.params.iter().position(|param| param.as_bytes() == pair[1].of(&code.text))?;
        (both && finder.callee(pair[0].of(&code.text)).is_some()).then_some((at, param))
    })?;
    let callee = finder.callee(code.tokens[at].of(&code.text))?;
    let through = callee.name.clone();
    let mut callee =
        Callee { name: candidate.name.to_owned(), form: "macro", tuple: Some(param), ..callee.clone() };
    if let LevelOf::Argument(_) = callee.level {
        callee.level = LevelOf::Unknown;
    }
    callee.evidence.insert(0, format!("macro {} passes its arguments to {through}", candidate.name));
    Some(callee)
}

/// A macro prints what its body prints.
fn of_macro(
    of: &Macro,
    candidate: &Candidate<'_>,
    finder: &Finder<'_>,
    outputs: &[Output],
) -> Option<Callee> {
    // A macro without parentheses is used as a statement by itself; such uses have no arguments to read.
    of.params.as_ref()?;
    let best = outputs.iter().filter_map(|output| output.kind).map(rank).min()?;
    let of_best = outputs.iter().filter(|output| output.kind.is_some_and(|kind| rank(kind) == best));
    let mut all: Vec<&Output> = of_best.collect();
    if all.iter().any(|output| forwards(&output.segments)) {
        all.retain(|output| forwards(&output.segments));
        all.sort_by_key(|output| weight(&output.segments));
        all.truncate(1);
    } else if all.iter().any(|output| text_param(&output.segments).is_some()) {
        all.retain(|output| text_param(&output.segments).is_some());
    }
    // A text of its own that comes from another macro's own is far from what the name promises: `LIST_ADD` is
    // not a log statement because it checks something that may print.
    let second_hand = |output: &&Output| {
        format_param(&output.segments).is_none()
            && finder.callee(output.through.as_bytes()).is_some_and(|through| {
                through.form == "macro" && through.texts.iter().all(|text| format_param(text).is_none())
            })
    };
    if !word::is_log_name(candidate.name) {
        all.retain(|output| !second_hand(output) && output.kind != Some(Kind::Assert));
    }
    let mut texts: Vec<Segments> = Vec::new();
    for output in &all {
        if texts.len() < MAX_TEXTS && !texts.contains(&output.segments) {
            texts.push(output.segments.clone());
        }
    }
    let first = *all.first()?;
    let passes = match format_param(&first.segments) {
        Some(_) => "passes its arguments to",
        None => "prints its own text through",
    };
    Some(callee(
        candidate.name,
        "macro",
        first,
        texts,
        &candidate.params,
        &[],
        format!("macro {} {passes} {}", candidate.name, first.through),
    ))
}

/// `#define format(buf, n, ...) snprintf(buf, n, __VA_ARGS__)`: a macro that is a call that puts text together.
fn of_builder(of: &Macro, candidate: &Candidate<'_>, finder: &Finder<'_>, body: &Body<'_>) -> Option<Callee> {
    of.params.as_ref()?;
    let code = &of.code;
    let whole = code.brackets.partner(1).is_some_and(|close| close + 1 == code.tokens.len());
    let name = code.tokens.first().filter(|token| whole && token.kind == TokenKind::Ident)?;
    let through = finder.callee(name.of(&code.text)).filter(|callee| callee.kind == Kind::Fragment)?;
    let scope = Scope {
        macros: body.macros,
        file: body.file,
        params: body.params,
        locals: no_locals(),
        bound: None,
        function: None,
        depth: 0,
        steps: &body.steps,
    };
    let parts = split(&code.tokens, &code.brackets, 1, code.tokens.len() - 1);
    let parts = parts.into_iter().map(|(from, to)| words(code, from, to)).collect();
    let arguments = Arguments::new(parts, &scope, body.rest);
    let printed = through.printed(&arguments, &scope).into_iter().find(|one| forwards(&one.segments))?;
    let destination = through.destination.and_then(|number| match arguments.get(number) {
        Argument::Words([word]) => body.params.iter().position(|param| param.as_bytes() == word.text),
        Argument::Words(_) | Argument::Missing => None,
        Argument::Rest(number) => Some(number),
    });
    let mut callee = Callee {
        name: candidate.name.to_owned(),
        form: "macro",
        texts: vec![printed.segments],
        destination,
        tuple: None,
        ..through.clone()
    };
    callee.evidence.insert(0, format!("macro {} passes its arguments to {}", candidate.name, through.name));
    Some(callee)
}

/// A function prints what it does with its format, or with a text when its name speaks of logging.
fn of_function(function: &Function, format: Option<usize>, outputs: &[Output]) -> Option<Callee> {
    let named = word::is_log_name(&function.name);
    let carries = |output: &&Output| {
        format_param(&output.segments).is_some_and(|param| {
            let Some(of) = function.params.get(param) else { return false };
            let text = of.is_text() || of.kind.contains("char") && of.kind.contains('*');
            match format {
                Some(format) => forwards(&output.segments) && param == format,
                None if forwards(&output.segments) => text,
                None => text && word::is_text_param(&of.name),
            }
        })
    };
    let mut all: Vec<&Output> = outputs.iter().filter(carries).collect();
    all.sort_by_key(|output| (output.kind.map_or(9, rank), weight(&output.segments)));
    let first = *all.first()?;
    // What also goes into some file is what the file is for; the terminal sees it only when that fails.
    if !named && first.kind != Some(Kind::Log) && all.iter().any(|output| output.kind.is_none()) {
        return None;
    }
    let names: Vec<String> = function.params.iter().map(|param| param.name.clone()).collect();
    let kinds: Vec<&str> = function.params.iter().map(|param| param.kind.as_str()).collect();
    let evidence = format!("{} hands its text to {}", function.name, first.through);
    let mut found =
        callee(&function.name, "call", first, vec![first.segments.clone()], &names, &kinds, evidence);
    // Only its text says that it logs: it leads others to the log, but what it is called with is not always a
    // message.
    let says = format_param(&first.segments) == text_param(&first.segments) && found.says_something();
    found.quiet =
        format.is_none() && !named && (says || !matches!(first.kind, Some(Kind::Log | Kind::Fatal)));
    let kind = match first.kind {
        None if named && !word::is_reply_name(&function.name) => Kind::Log,
        // Text in an unknown file: whoever opened it knows.
        None => return None,
        Some(Kind::Stderr | Kind::Stdout) if named && !word::is_reply_name(&function.name) => Kind::Log,
        Some(kind) => kind,
    };
    found.kind = kind;
    found.va_list = !function.variadic && function.params.iter().any(Param::is_va_list);
    if found.kind == Kind::Log && word::is_fatal_name(&function.name) {
        found.kind = Kind::Fatal;
    }
    // `rest` counts in the wrapper's own arguments.
    for text in &mut found.texts {
        without_header(text);
        for segment in text {
            if let Segment::Format { rest, .. } = segment {
                *rest = function.variadic.then_some(function.params.len());
            }
        }
    }
    Some(found)
}

fn callee(
    name: &str,
    form: &'static str,
    output: &Output,
    texts: Vec<Segments>,
    params: &[String],
    kinds: &[&str],
    why: String,
) -> Callee {
    let level = match output.level {
        LevelOf::Unknown => {
            let param = params.iter().enumerate().position(|(at, param)| {
                word::is_level_param(param, kinds.get(at).copied().unwrap_or_default())
            });
            match param {
                Some(param) => LevelOf::Argument(param),
                None => word::level_of_name(name).map_or(LevelOf::Unknown, LevelOf::Fixed),
            }
        }
        level => level,
    };
    let mut kind = output.kind.unwrap_or(Kind::Log);
    if kind == Kind::Log && word::is_fatal_name(name) {
        kind = Kind::Fatal;
    }
    if form == "macro" && word::is_assert_name(name) {
        kind = Kind::Assert;
    }
    let mut evidence = vec![why];
    evidence.extend(output.evidence.iter().take(8).cloned());
    Callee {
        name: name.to_owned(),
        form,
        kind,
        level,
        texts,
        stream: output.stream,
        destination: None,
        tuple: None,
        va_list: false,
        quiet: false,
        dialect: output.dialect,
        max: output.max,
        annotations: if form == "macro" { output.annotations.clone() } else { Vec::new() },
        evidence,
    }
}
