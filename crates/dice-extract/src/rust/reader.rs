//! The statements of one Rust file.

use std::cell::Cell;
use std::ops::Range;

use dice_catalog::{Hole, HoleKind, Kind, Level, Part, Statement, Template};
use memchr::memmem;
use rustc_hash::{FxHashMap, FxHashSet};

use super::arguments::{Arguments, Expectation, Lines, Message, Target, is_logger_name};
use super::dictionary::{Affix, Defined, Dictionary, Form, Meaning, Rule, Where};
use super::expansion::expanded;
use super::facts::Function;
use super::text::{Alternatives, MAX_FOLLOWED, Scope, Span, inside, items, plain_text, step};
use super::tokens::{Token, TokenKind, pair, tokens};
use crate::dialect::{self, Dialect};
use crate::{Extraction, LevelRule, Source};

/// How deep macros of the repository that call each other are expanded.
const MAX_EXPANSIONS: usize = 8;

/// The most tokens that the macros of one file become.
const MAX_EXPANDED_TOKENS: usize = 2_000_000;

/// The most statements that one use of a macro gives.
const MAX_STATEMENTS_OF_USE: usize = 32;

/// How many tokens of the argument that is a stream are looked at.
const MAX_STREAM_TOKENS: usize = 32;

/// How many tokens of an attribute are looked at.
const MAX_ATTRIBUTE_TOKENS: usize = 256;

/// The statements of the file that is `file` in `dictionary`.
pub(super) fn statements(dictionary: &Dictionary, file: usize, source: &Source<'_>) -> Extraction {
    if u32::try_from(source.text.len()).is_err() || !may_log(source.text) {
        return Extraction::default();
    }
    let tokens = tokens(source.text);
    let mut reader = Reader {
        dictionary,
        file,
        source,
        lines: Lines::of(source.text),
        is_slog: memmem::find(source.text, b"slog").is_some(),
        has_calls: dictionary.has_calls(),
        found: Vec::new(),
        taken: FxHashSet::default(),
        left: MAX_EXPANDED_TOKENS,
    };
    reader.walk(&tokens, &Place::default());
    reader.finish()
}

/// Whether anything in a text can be a statement: a macro call, a method with a literal, an attribute.
fn may_log(text: &[u8]) -> bool {
    let calls_macro = memchr::memchr_iter(b'!', text).any(|at| {
        let before = at.checked_sub(1).map_or(b' ', |before| text[before]);
        before.is_ascii_alphanumeric() || before == b'_' || before == b' '
    });
    calls_macro || memmem::find(text, b"(\"").is_some() || memmem::find(text, b"instrument").is_some()
}

struct Reader<'d, 's> {
    dictionary: &'d Dictionary,
    file: usize,
    source: &'s Source<'s>,
    lines: Lines,
    is_slog: bool,
    has_calls: bool,
    found: Vec<(Range<usize>, Statement)>,
    /// Where texts begin that are messages of other calls.
    taken: FxHashSet<usize>,
    /// How many tokens may still be made by macros.
    left: usize,
}

/// Where tokens stand: in the file itself, or in what a use of a macro becomes.
#[derive(Debug, Clone, Default)]
struct Place {
    function: Option<String>,
    /// The inline modules around.
    modules: Vec<String>,
    /// The use that became these tokens: the name as written, its bytes, how many uses deep.
    origin: Option<(String, Range<usize>, usize)>,
}

/// A call: its name, the first and the last of its tokens, its arguments.
struct Call<'t> {
    name: &'t [u8],
    first: usize,
    last: usize,
    arguments: Span,
}

/// What is printed, before it becomes statements.
struct Printed {
    alternatives: Alternatives,
    /// The token where the text begins.
    at: Option<usize>,
    level: Option<Level>,
    target: Target,
    fields: Vec<String>,
    prefix: Vec<Part>,
    suffix: Vec<Part>,
}

impl Printed {
    fn of(alternatives: Alternatives) -> Printed {
        Printed {
            alternatives,
            at: None,
            level: None,
            target: Target::Module,
            fields: Vec::new(),
            prefix: Vec::new(),
            suffix: Vec::new(),
        }
    }
}

impl<'d> Reader<'d, '_> {
    /// Reads a list of tokens from the first to the last: what is nested needs no nesting here.
    fn walk<'a>(&mut self, tokens: &[Token<'a>], outer: &Place) {
        let mut place = outer.clone();
        // What to put back, and where: the end of a function's or module's body.
        let mut open: Vec<(usize, Option<Option<String>>)> = Vec::new();
        let mut lets: FxHashMap<&'a [u8], Span> = FxHashMap::default();
        let mut at = 0;
        while at < tokens.len() {
            while let Some((_, closed)) = open.pop_if(|(end, _)| at >= *end) {
                match closed {
                    Some(function) => {
                        place.function = function;
                        lets.clear();
                    }
                    None => {
                        place.modules.pop();
                    }
                }
            }
            let token = &tokens[at];
            let next = tokens.get(at + 1);
            let Some(word) = token.word() else {
                if token.is(b'#') && !(outer.origin.is_some() && self.is_in_file(token)) {
                    self.attribute(tokens, at, &place, &lets);
                }
                at += 1;
                continue;
            };
            let Some(next) = next else { break };
            match word {
                b"fn" => {
                    if let Some(name) = next.word()
                        && let Some(body) = Function::at(tokens, at + 1).body
                    {
                        let name = String::from_utf8_lossy(name).into_owned();
                        open.push((tokens[body].partner as usize, Some(place.function.replace(name))));
                        lets.clear();
                    }
                }
                b"mod" => {
                    if let (Some(name), Some(body)) = (next.word(), tokens.get(at + 2))
                        && body.is(b'{')
                    {
                        place.modules.push(String::from_utf8_lossy(name).into_owned());
                        open.push((body.partner as usize, None));
                    }
                }
                b"let" => note_text(tokens, at, &mut lets),
                b"macro_rules" if next.is(b'!') => {
                    // A definition is not a use: its body counts where it is used.
                    if let Some(body) = tokens.get(at + 3)
                        && body.kind == TokenKind::Open
                    {
                        at = step(tokens, at + 3);
                        continue;
                    }
                }
                _ => {}
            }
            let arguments = match next {
                mark if mark.is(b'!') => at + 2,
                _ => at + 1,
            };
            // What a use passes on is read where it stands.
            let is_read_elsewhere = outer.origin.is_some() && self.is_in_file(token);
            if !is_read_elsewhere && tokens.get(arguments).is_some_and(|token| token.kind == TokenKind::Open)
            {
                let last = (tokens[arguments].partner as usize).min(tokens.len() - 1);
                let call = Call { name: word, first: at, last, arguments: inside(tokens, arguments) };
                let is_method = at > 0 && tokens[at - 1].is(b'.');
                if arguments == at + 2 {
                    self.macro_call(tokens, call, &place, &lets);
                } else if is_method && next.is(b'(') {
                    self.method_call(tokens, call, &place, &lets);
                } else if self.has_calls
                    && next.is(b'(')
                    && !(at > 0 && tokens[at - 1].is_word("fn"))
                    && let Some(rule) = self.dictionary.rule(Form::Call, word)
                {
                    self.call(tokens, call, rule, None, &place, &lets);
                }
            }
            at += 1;
        }
    }

    fn macro_call<'a>(
        &mut self,
        tokens: &[Token<'a>],
        mut call: Call<'a>,
        place: &Place,
        lets: &FxHashMap<&'a [u8], Span>,
    ) {
        let dictionary = self.dictionary;
        let Some(meaning) = dictionary.meaning(self.file, call.name) else { return };
        // The call begins with its path.
        while call.first >= 3
            && tokens[call.first - 1].is(b':')
            && tokens[call.first - 2].is(b':')
            && tokens[call.first - 3].word().is_some()
        {
            call.first -= 3;
        }
        match meaning {
            Meaning::Rule(rule) => self.call(tokens, call, rule, None, place, lets),
            Meaning::NamedLike(rule, level) => self.call(tokens, call, rule, Some(level), place, lets),
            Meaning::Defined(defined) => self.expand(tokens, &call, &defined, place),
        }
    }

    /// Reads what a use of the repository's own macro becomes.
    fn expand(&mut self, tokens: &[Token<'_>], call: &Call<'_>, defined: &[&'d Defined], place: &Place) {
        let (name, bytes, depth) = match &place.origin {
            Some((name, bytes, depth)) => (name.clone(), bytes.clone(), *depth),
            None => {
                let name = String::from_utf8_lossy(call.name).into_owned();
                (name, self.bytes(tokens, call.first, call.last), 0)
            }
        };
        let inner = Place { origin: Some((name, bytes, depth + 1)), ..place.clone() };
        if depth >= MAX_EXPANSIONS {
            return;
        }
        let n_arguments = call.arguments.len();
        if self.left < n_arguments {
            return;
        }
        self.left -= n_arguments;
        let mut input = tokens[call.arguments.clone()].to_vec();
        pair(&mut input);
        let n_found = self.found.len();
        for defined in defined {
            for (pattern, body) in &defined.rules {
                let (pattern, body) = (super::tokens::tokens(pattern), super::tokens::tokens(body));
                let cost = pattern.len() + body.len() + input.len();
                if self.left < cost {
                    return;
                }
                self.left -= cost;
                let Some(output) = expanded(&pattern, &body, &input) else { continue };
                self.left = self.left.saturating_sub(output.len());
                self.walk(&output, &inner);
                break;
            }
        }
        if depth == 0 {
            let mut seen: FxHashSet<(Kind, Option<Level>, Template)> = FxHashSet::default();
            let made = self.found.split_off(n_found);
            let is_new = |(_, statement): &(Range<usize>, Statement)| {
                seen.insert((statement.kind, statement.level, statement.template.clone()))
            };
            self.found.extend(made.into_iter().filter(is_new).take(MAX_STATEMENTS_OF_USE));
        }
    }

    fn method_call<'a>(
        &mut self,
        tokens: &[Token<'a>],
        call: Call<'a>,
        place: &Place,
        lets: &FxHashMap<&'a [u8], Span>,
    ) {
        let Some(rule) = self.dictionary.rule(Form::Method, call.name) else { return };
        if !rule.is_weak {
            // `self.expect("{")` is a parser's own.
            let is_own = call.first >= 2
                && tokens[call.first - 2].is_word("self")
                && !(call.first >= 3 && tokens[call.first - 3].is(b'.'));
            if !is_own {
                self.call(tokens, call, rule, None, place, lets);
            }
            return;
        }
        let Some(receiver) = receiver(tokens, call.first - 1) else { return };
        let kind = if is_logger_name(receiver) {
            Kind::Log
        } else if matches!(receiver, b"shell" | b"console" | b"term" | b"terminal" | b"ui") {
            Kind::Stdout
        } else {
            return;
        };
        let before = self.found.len();
        self.call(tokens, call, rule, None, place, lets);
        for (_, statement) in &mut self.found[before..] {
            statement.kind = kind;
            if kind == Kind::Stdout {
                statement.target = None;
            }
        }
    }

    /// Reads a call of a logger.
    fn call<'a>(
        &mut self,
        tokens: &[Token<'a>],
        call: Call<'a>,
        rule: &Rule,
        level: Option<Level>,
        place: &Place,
        lets: &FxHashMap<&'a [u8], Span>,
    ) {
        let (dictionary, file) = (self.dictionary, self.file);
        let constants = |name: &[u8]| dictionary.constant(file, name);
        let left = Cell::new(MAX_FOLLOWED);
        let scope = Scope { tokens, constants: &constants, lets, left: &left };
        let mut kind = rule.kind;
        if let Some(stream) = rule.stream
            && let Some((item, _)) = items(tokens, call.arguments.clone()).get(stream)
        {
            let mut words = tokens[item.clone()].iter().take(MAX_STREAM_TOKENS).filter_map(Token::word);
            match words.find(|word| matches!(*word, b"stderr" | b"stdout")) {
                Some(b"stderr") => kind = Kind::Stderr,
                Some(_) => kind = Kind::Stdout,
                None => {}
            }
        }
        let printed = match rule.format {
            Where::Literal => self.sorted(&scope, &call, rule, kind, level.is_some()),
            Where::Argument(number) => self.numbered(&scope, &call, rule, number, kind),
            Where::Nowhere => shown_values(&scope, &call),
        };
        let Some(mut printed) = printed else { return };
        if let LevelRule::Argument(number) = rule.level
            && rule.format != Where::Literal
            && let Some((item, _)) = items(tokens, call.arguments.clone()).get(number)
        {
            let last = tokens[item.clone()].last().and_then(Token::word);
            printed.level = last.and_then(|word| Level::from_word(std::str::from_utf8(word).ok()?));
        }
        printed.level = level.or_else(|| rule.fixed_level(call.name)).or(printed.level);
        if let Some(number) = rule.target
            && let Some((item, _)) = items(tokens, call.arguments.clone()).get(number)
        {
            printed.target = match scope.text_of(item, 0).as_deref() {
                Some([parts]) => match parts.as_slice() {
                    [Part::Text(text)] => Target::Known(text.clone()),
                    _ => Target::Unknown,
                },
                _ => Target::Unknown,
            };
        }
        // A panic or an error that a macro brings along is no reason to use it; one whose text the use
        // gives is.
        let is_own_text = printed.at.is_some_and(|at| self.is_in_file(&tokens[at]));
        let is_log = matches!(kind, Kind::Log | Kind::Stderr | Kind::Stdout | Kind::Span);
        if place.origin.is_some() && (kind == Kind::Fragment || !(is_log || is_own_text)) {
            return;
        }
        // Text made for this message is not a piece for others.
        if place.origin.is_none() {
            let first = tokens[call.first].offset_in(self.source.text);
            if kind == Kind::Fragment && self.taken.contains(&first) {
                return;
            }
            if let Some(at) = printed.at
                && let item = scope.unwrapped(at..call.arguments.end)
                && let Some(inner) = tokens.get(item.start).filter(|token| token.kind == TokenKind::Word)
            {
                self.taken.insert(inner.offset_in(self.source.text));
            }
        }
        let header = affix(&rule.header, place);
        if printed.prefix.is_empty() && printed.at.is_some() {
            printed.prefix = header;
        }
        if printed.suffix.is_empty() {
            printed.suffix = affix(&rule.suffix, place);
        }
        self.push(tokens, &call, kind, rule.max, printed, place);
    }

    /// The arguments of `log`, `tracing`, `slog` and what is like them.
    fn sorted(
        &self,
        scope: &Scope<'_, '_>,
        call: &Call<'_>,
        rule: &Rule,
        kind: Kind,
        is_guess: bool,
    ) -> Option<Printed> {
        let level = match rule.level {
            LevelRule::Argument(number) => Some(number),
            _ => None,
        };
        let expected = Expectation { level, is_slog: self.is_slog, is_span: kind == Kind::Span };
        let read = Arguments::read(scope, call.arguments.clone(), expected);
        if read.is_empty() || (is_guess && !matches!(read.message, Some(Message::Format { .. }))) {
            return None;
        }
        if rule.is_weak && read.level.is_none() {
            let is_imported = |name: &String| memmem::find(self.source.text, name.as_bytes()).is_some();
            if !rule.imports.iter().any(is_imported) {
                return None;
            }
        }
        let unknown = || vec![vec![Part::hole(HoleKind::Text)]];
        let is_literal_only = matches!(kind, Kind::Errtext | Kind::Fragment);
        let alternatives = match &read.message {
            None => vec![Vec::new()],
            Some(Message::Format { string, fillers }) => match scope.format_string(string) {
                Some(pieces) if rule.dialect == Dialect::Plain => {
                    vec![dialect::parse(Dialect::Plain, &pieces).into_iter().map(part).collect()]
                }
                Some(pieces) if rule.dialect != Dialect::Braces => {
                    vec![dialect::parse(rule.dialect, &pieces).into_iter().map(part).collect()]
                }
                Some(pieces) => scope.filled(&pieces, fillers, 0),
                None => scope.text_of(string, 0).unwrap_or_else(unknown),
            },
            Some(Message::Value(value)) => match scope.text_of(value, 0) {
                Some(alternatives) => alternatives,
                None if is_literal_only => return None,
                None => unknown(),
            },
        };
        if is_literal_only && read.message.is_none() {
            return None;
        }
        let mut printed = Printed::of(alternatives);
        printed.at = Some(read.message.as_ref().map_or(call.first, |message| message.span().start));
        printed.level = read.level;
        printed.target = read.target;
        printed.fields = read.fields;
        Some(printed)
    }

    /// A format string at a known place among the arguments.
    fn numbered(
        &self,
        scope: &Scope<'_, '_>,
        call: &Call<'_>,
        rule: &Rule,
        number: usize,
        kind: Kind,
    ) -> Option<Printed> {
        let items: Vec<Span> =
            items(scope.tokens, call.arguments.clone()).into_iter().map(|(item, _)| item).collect();
        let Some(item) = items.get(number) else {
            return without_message(scope, &items, rule, kind);
        };
        let is_macro = rule.form == Form::Macro;
        let alternatives = if rule.dialect == Dialect::Plain {
            let is_other = rule.form == Form::Method && items.len() > 1 && !rule.is_weak;
            scope.text_of(item, 0).filter(|_| !is_other)?
        } else if let Some(pieces) = scope.format_string(item) {
            match rule.dialect {
                Dialect::Braces => scope.filled(&pieces, &items[number + 1..], 0),
                dialect => vec![dialect::parse(dialect, &pieces).into_iter().map(part).collect()],
            }
        } else if let Some(alternatives) = scope.text_of(item, 0) {
            alternatives
        } else if is_macro && !matches!(kind, Kind::Errtext | Kind::Fragment) {
            vec![vec![Part::hole(HoleKind::Text)]]
        } else {
            return None;
        };
        let mut printed = Printed::of(alternatives);
        printed.at = Some(item.start);
        Some(printed)
    }

    fn attribute<'a>(
        &mut self,
        tokens: &[Token<'a>],
        at: usize,
        place: &Place,
        lets: &FxHashMap<&'a [u8], Span>,
    ) {
        let Some(open) = tokens.get(at + 1).filter(|token| token.is(b'[')) else { return };
        let last = (open.partner as usize).min(tokens.len() - 1);
        let span = at + 2..last.min(at + MAX_ATTRIBUTE_TOKENS);
        let mut inner = span.start;
        while inner < span.end {
            let before = &tokens[inner - 1];
            let is_name = before.is(b'[') || before.is(b',') || before.is(b'(') || before.is(b':');
            let rule = tokens[inner].word().filter(|_| is_name);
            let rule = rule.and_then(|word| Some((word, self.dictionary.rule(Form::Attribute, word)?)));
            if let Some((name, rule)) = rule {
                let has_arguments = tokens.get(inner + 1).is_some_and(|token| token.is(b'('));
                let arguments = if has_arguments { inside(tokens, inner + 1) } else { inner + 1..inner + 1 };
                let call = Call { name, first: at, last, arguments };
                if rule.format == Where::Nowhere {
                    self.instrumented(tokens, call, rule, place, lets);
                } else if has_arguments {
                    self.call(tokens, self.display(tokens, call), rule, None, place, lets);
                }
                return;
            }
            inner += 1;
        }
    }

    /// `#[display(fmt = "…", …)]` as `#[display("…", …)]`.
    fn display<'t>(&self, tokens: &[Token<'_>], mut call: Call<'t>) -> Call<'t> {
        if let Some([name, sign, _]) = tokens.get(call.arguments.start..call.arguments.start + 3)
            && name.is_word("fmt")
            && sign.is(b'=')
        {
            call.arguments.start += 2;
        }
        call
    }

    /// `#[instrument]`: a span with the parameters of the function that follows.
    fn instrumented<'a>(
        &mut self,
        tokens: &[Token<'a>],
        call: Call<'a>,
        rule: &Rule,
        place: &Place,
        lets: &FxHashMap<&'a [u8], Span>,
    ) {
        let mut at = call.last + 1;
        let mut n_steps = 0;
        while tokens.get(at).is_some_and(|token| !token.is_word("fn")) {
            let token = &tokens[at];
            n_steps += 1;
            let goes_on = token.kind == TokenKind::Word || token.is(b'#') || token.kind == TokenKind::Str;
            if (!goes_on && token.kind != TokenKind::Open) || n_steps > MAX_ATTRIBUTE_TOKENS {
                return;
            }
            at = step(tokens, at);
        }
        let Some(name) = tokens.get(at + 1).and_then(Token::word) else { return };
        let function = String::from_utf8_lossy(name).into_owned();
        let (dictionary, file) = (self.dictionary, self.file);
        let constants = |name: &[u8]| dictionary.constant(file, name);
        let left = Cell::new(MAX_FOLLOWED);
        let scope = Scope { tokens, constants: &constants, lets, left: &left };
        let mut span = Printed::of(vec![vec![Part::text(function.clone())]]);
        span.level = rule.fixed_level(call.name);
        let mut own = Arguments::default();
        let mut skipped: Vec<&[u8]> = Vec::new();
        let mut skips_all = false;
        let mut events: Vec<(&str, Level)> = Vec::new();
        for (item, _) in items(tokens, call.arguments.clone()) {
            let run = &tokens[item.clone()];
            let Some(first) = run.first() else { continue };
            let group = run.get(1).filter(|token| token.is(b'(')).map(|_| inside(tokens, item.start + 1));
            let value = run.get(1).filter(|token| token.is(b'=')).map(|_| item.start + 2..item.end);
            let text = |span: &Span| match scope.text_of(span, 0)?.pop()?.as_slice() {
                [Part::Text(text)] => Some(text.clone()),
                _ => None,
            };
            let level_of = |span: &Span| {
                let word = tokens[span.clone()].last()?;
                let text = word.string().unwrap_or_else(|| word.text.to_vec());
                Level::from_word(std::str::from_utf8(&text).ok()?)
            };
            match (first.text, group, value) {
                (b"name", _, Some(value)) => {
                    if let Some(name) = text(&value) {
                        span.alternatives = vec![vec![Part::text(name)]];
                    }
                }
                (b"level", _, Some(value)) => span.level = level_of(&value),
                (b"target", _, Some(value)) => {
                    span.target = text(&value).map_or(Target::Unknown, Target::Known)
                }
                (b"fields", Some(group), _) => {
                    for (field, _) in items(tokens, group) {
                        own.field(&scope, &field, 0);
                    }
                }
                (b"skip", Some(group), _) => skipped.extend(tokens[group].iter().filter_map(Token::word)),
                (b"skip_all", ..) => skips_all = true,
                (b"err" | b"ret", group, _) => {
                    let is_error = first.is_word("err");
                    let known = group.and_then(|group| level_of(&group));
                    let usual = if is_error { Level::Error } else { span.level.unwrap_or(Level::Info) };
                    events.push((if is_error { "error" } else { "return" }, known.unwrap_or(usual)));
                }
                _ if run.len() == 1 => {
                    if let Some(name) = first.string() {
                        span.alternatives = vec![plain_text(&name)];
                    }
                }
                _ => {}
            }
        }
        if !skips_all {
            for parameter in Function::at(tokens, at + 1).parameters {
                let name =
                    tokens[parameter].last().and_then(Token::word).filter(|name| !skipped.contains(name));
                let name = name.map(|name| String::from_utf8_lossy(name).into_owned());
                span.fields.extend(name.filter(|name| name != "_" && !own.fields.contains(name)));
            }
        }
        span.fields.append(&mut own.fields);
        let inner = Place { function: Some(function), ..place.clone() };
        for (field, level) in events {
            let mut event = Printed::of(vec![Vec::new()]);
            event.fields = vec![field.to_owned()];
            event.level = Some(level);
            if let Target::Known(target) = &span.target {
                event.target = Target::Known(target.clone());
            }
            self.push(tokens, &call, Kind::Log, rule.max, event, &inner);
        }
        self.push(tokens, &call, rule.kind, rule.max, span, &inner);
    }

    /// Notes a statement for every alternative.
    fn push(
        &mut self,
        tokens: &[Token<'_>],
        call: &Call<'_>,
        kind: Kind,
        max: Option<u32>,
        printed: Printed,
        place: &Place,
    ) {
        let bytes = match &place.origin {
            Some((_, bytes, _)) => bytes.clone(),
            None => self.bytes(tokens, call.first, call.last),
        };
        let callee = match &place.origin {
            Some((name, _, _)) => name.clone(),
            None => String::from_utf8_lossy(call.name).into_owned(),
        };
        let (line, column) = self.lines.place(bytes.start);
        let (end_line, _) = self.lines.place(bytes.end.saturating_sub(1).max(bytes.start));
        let format = printed.at.filter(|_| place.origin.is_none());
        let format = format.map(|at| self.lines.place(tokens[at].offset_in(self.source.text)).0);
        let target = match printed.target {
            _ if !matches!(kind, Kind::Log | Kind::Span) => None,
            Target::Known(target) => Some(target),
            Target::Unknown => None,
            Target::Module => self.module(place),
        };
        let is_line = matches!(kind, Kind::Log | Kind::Stderr | Kind::Stdout | Kind::Fatal | Kind::Assert);
        let mut seen = Vec::new();
        for mut parts in printed.alternatives {
            // Whoever prints it ends the line.
            if is_line
                && printed.suffix.is_empty()
                && let Some(Part::Text(text)) = parts.last_mut()
                && text.ends_with('\n')
            {
                text.pop();
            }
            let template = Template::new(parts);
            let is_nothing = template.parts().is_empty() && printed.fields.is_empty();
            if is_nothing || seen.contains(&template) {
                continue;
            }
            seen.push(template.clone());
            self.found.push((
                bytes.clone(),
                Statement {
                    line,
                    column,
                    end_line,
                    format_line: format.filter(|&format| format != line),
                    function: place.function.clone(),
                    target: target.clone(),
                    kind,
                    callee: callee.clone(),
                    level: printed.level,
                    template,
                    prefix: printed.prefix.clone(),
                    suffix: printed.suffix.clone(),
                    fields: printed.fields.clone(),
                    max,
                    annotations: Vec::new(),
                },
            ));
        }
    }

    /// Whether a token is of the file itself, and not of a macro's definition.
    fn is_in_file(&self, token: &Token<'_>) -> bool {
        self.source.text.as_ptr_range().contains(&token.text.as_ptr())
    }

    fn module(&self, place: &Place) -> Option<String> {
        if self.source.module.is_empty() {
            return None;
        }
        let mut module = self.source.module.to_owned();
        for name in &place.modules {
            module.push_str("::");
            module.push_str(name);
        }
        Some(module)
    }

    /// The bytes of the file from one token to another.
    fn bytes(&self, tokens: &[Token<'_>], first: usize, last: usize) -> Range<usize> {
        let start = tokens[first].offset_in(self.source.text);
        let end = tokens[last].offset_in(self.source.text) + tokens[last].text.len();
        start..end.clamp(start, self.source.text.len())
    }

    fn finish(mut self) -> Extraction {
        self.found.sort_by_key(|(bytes, _)| bytes.start);
        let calls: Vec<Range<usize>> = self.found.iter().map(|(bytes, _)| bytes.clone()).collect();
        let text = self.source.text;
        let statements = self.found.into_iter().map(|(bytes, mut statement)| {
            statement.annotations = crate::annotation::after_call(text, bytes.end, &calls);
            statement
        });
        Extraction { statements: statements.collect(), problems: Vec::new() }
    }
}

/// What a call without a message prints.
fn without_message(scope: &Scope<'_, '_>, items: &[Span], rule: &Rule, kind: Kind) -> Option<Printed> {
    let header: String = rule
        .header
        .iter()
        .filter_map(|affix| match affix {
            Affix::Part(Part::Text(text)) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    let parts = match kind {
        Kind::Fatal | Kind::Assert if !header.is_empty() => vec![Part::text(header.trim_end_matches(": "))],
        Kind::Fatal => vec![Part::text("explicit panic")],
        Kind::Assert => {
            let condition = items.first()?;
            let condition = scope.quoted(condition).map_or(Part::hole(HoleKind::Text), Part::Text);
            vec![Part::text("assertion failed: "), condition]
        }
        _ => return None,
    };
    Some(Printed::of(vec![parts]))
}

/// `dbg!(a, b)`: a line for each.
fn shown_values(scope: &Scope<'_, '_>, call: &Call<'_>) -> Option<Printed> {
    let lines = items(scope.tokens, call.arguments.clone()).into_iter().map(|(item, _)| {
        let expression = scope.quoted(&item).map_or(Part::hole(HoleKind::Text), Part::Text);
        vec![
            Part::text("["),
            Part::hole(HoleKind::Text),
            Part::text(":"),
            Part::hole(HoleKind::Uint),
            Part::text(":"),
            Part::hole(HoleKind::Uint),
            Part::text("] "),
            expression,
            Part::text(" = "),
            Part::Hole(Hole::of(HoleKind::Text)),
        ]
    });
    Some(Printed::of(lines.take(super::text::MAX_ALTERNATIVES).collect()))
}

/// `let name = "…";` or `let name = format!(…);`, where the keyword is at `at`.
fn note_text<'a>(tokens: &[Token<'a>], at: usize, lets: &mut FxHashMap<&'a [u8], Span>) {
    let is_mutable = tokens.get(at + 1).is_some_and(|token| token.is_word("mut"));
    let Some(name) = tokens.get(at + 1 + usize::from(is_mutable)).and_then(Token::word) else { return };
    lets.remove(name);
    let start = at + 3;
    let is_plain = !is_mutable && tokens.get(at + 2).is_some_and(|token| token.is(b'='));
    let is_text = match tokens.get(start..start + 3) {
        Some([name, sign, open])
            if name.is_word("format") && sign.is(b'!') && open.kind == TokenKind::Open =>
        {
            true
        }
        Some([text, end, _]) => text.kind == TokenKind::Str && end.is(b';'),
        _ => false,
    };
    if !is_plain || !is_text {
        return;
    }
    let end = if tokens[start].kind == TokenKind::Str { start + 1 } else { step(tokens, start + 2) };
    if tokens.get(end).is_some_and(|token| token.is(b';')) {
        lets.insert(name, start..end);
    }
}

/// The name of the value, field or function whose method is called; `dot` is the place of the dot.
fn receiver<'a>(tokens: &[Token<'a>], dot: usize) -> Option<&'a [u8]> {
    let mut last = dot.checked_sub(1)?;
    if tokens[last].is(b')') {
        last = (tokens[last].partner as usize).min(last).checked_sub(1)?;
    }
    tokens[last].word()
}

fn affix(affixes: &[Affix], place: &Place) -> Vec<Part> {
    let part = |affix: &Affix| match affix {
        Affix::Part(part) => part.clone(),
        Affix::Function => match &place.function {
            Some(function) => Part::text(function.clone()),
            None => Part::hole(HoleKind::Text),
        },
    };
    affixes.iter().map(part).collect()
}

fn part(token: dialect::Token) -> Part {
    match token {
        dialect::Token::Text(text) => Part::Text(text),
        dialect::Token::Hole { hole, .. } => Part::Hole(hole),
    }
}
