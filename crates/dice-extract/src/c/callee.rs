//! A function or macro that prints: what, where to, how serious.

use dice_catalog::{Hole, HoleKind, Kind, Level};

use super::facts::Facts;
use super::segment::{Segment, Segments, forwards};
use super::text::{Argument, Arguments, MAX_ALTERNATIVES, Scope, Word, commas, filled, formatted, source};
use super::token::TokenKind;
use super::word;
use crate::dialect::Dialect;
use crate::{Format, LevelRule, LoggerRule};

/// A function or macro that prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Callee {
    pub(super) name: String,
    pub(super) form: &'static str,
    pub(super) kind: Kind,
    pub(super) level: LevelOf,
    /// What one call prints; several when it may be one or the other, or one after the other.
    pub(super) texts: Vec<Segments>,
    /// Which argument is the stream that decides the kind.
    pub(super) stream: Option<usize>,
    /// Which argument takes the text, for callees that print into memory.
    pub(super) destination: Option<usize>,
    /// Which argument holds all others in parentheses: `DEBUG(("text %d", n))`.
    pub(super) tuple: Option<usize>,
    /// Whether the values come as a `va_list`, so that only another wrapper can call it.
    pub(super) va_list: bool,
    /// Whether it only leads others to where text is printed, and its calls are not statements.
    pub(super) quiet: bool,
    pub(super) dialect: Dialect,
    pub(super) max: Option<u32>,
    /// The owners that a comment in a macro's body names.
    pub(super) annotations: Vec<String>,
    pub(super) evidence: Vec<String>,
}

/// Where a callee's level is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LevelOf {
    Unknown,
    Fixed(Level),
    /// The constant in this argument.
    Argument(usize),
}

impl Callee {
    /// What a rule says of each of its names.
    pub(super) fn of_rule(rule: &LoggerRule, name: &str, default: Dialect, evidence: String) -> Callee {
        let dialect = rule.lang_fmt.as_deref().and_then(Dialect::named).unwrap_or(default);
        let mut text = Segments::new();
        text.extend(template(rule.header.as_deref().unwrap_or_default()));
        match &rule.fmt {
            Some(Format::Argument(param)) if dialect == Dialect::Plain => {
                text.push(Segment::Argument { param: *param, hole: Hole::of(HoleKind::Text) });
            }
            Some(Format::Argument(param)) => {
                text.push(Segment::Format { param: *param, rest: Some(param + 1), dialect });
            }
            Some(Format::Word(word)) if word == "none" => {}
            Some(Format::Word(word)) if word == "source" => text.push(Segment::Source(0)),
            _ => text.push(Segment::Literal { dialect }),
        }
        text.extend(template(rule.suffix.as_deref().unwrap_or_default()));
        let level = match rule.level_rule() {
            LevelRule::Unknown => LevelOf::Unknown,
            LevelRule::Fixed(level) => LevelOf::Fixed(level),
            LevelRule::Argument(number) => LevelOf::Argument(number),
            LevelRule::Name => word::level_of_name(name).map_or(LevelOf::Unknown, LevelOf::Fixed),
        };
        let kind = rule.kind.unwrap_or(Kind::Log);
        let last = |segment: &Segment| matches!(segment, Segment::Format { param, .. } if *param > 0);
        Callee {
            name: name.to_owned(),
            form: if rule.form == "macro" { "macro" } else { "call" },
            kind,
            level,
            destination: (kind == Kind::Fragment && text.iter().any(last)).then_some(0),
            texts: vec![text],
            stream: rule.stream,
            tuple: None,
            va_list: name.starts_with('v') && name.contains("printf")
                || matches!(name, "vsyslog" | "verr" | "verrx" | "vwarn" | "vwarnx"),
            quiet: false,
            dialect,
            max: rule.max,
            annotations: Vec::new(),
            evidence: vec![evidence],
        }
    }

    /// Whether calls bring a format of their own, or the whole text is the callee's.
    pub(super) fn has_format(&self) -> bool {
        self.texts.iter().any(|text| {
            forwards(text) || !text.iter().any(|segment| matches!(segment, Segment::Argument { .. }))
        })
    }

    /// Whether the callee adds words of its own to what it is given.
    pub(super) fn says_something(&self) -> bool {
        let words = |text: &String| text.chars().any(char::is_alphabetic);
        let own = |segment: &Segment| matches!(segment, Segment::Text(text) if words(text));
        self.texts.iter().flatten().any(own)
    }

    /// The kind of text of one call, by its stream where that decides; `None` for a stream that is neither a
    /// terminal nor called a log.
    pub(super) fn kind_of(&self, arguments: &Arguments<'_>) -> Option<Kind> {
        let Some(stream) = self.stream else { return Some(self.kind) };
        match arguments.get(stream) {
            Argument::Words(words) => stream_kind(words),
            Argument::Rest(_) | Argument::Missing => None,
        }
    }

    /// The level of one call; `alias` says what a local name stands for.
    pub(super) fn level_of(
        &self,
        arguments: &Arguments<'_>,
        scope: &Scope<'_>,
        alias: &dyn Fn(&[u8]) -> Option<LevelOf>,
    ) -> LevelOf {
        let LevelOf::Argument(number) = self.level else { return self.level };
        match arguments.get(number) {
            Argument::Rest(param) => LevelOf::Argument(param),
            Argument::Words(words) => level_in(words, scope, alias),
            Argument::Missing => LevelOf::Unknown,
        }
    }

    /// What one call prints, in terms of the parameters of what stands around it.
    pub(super) fn printed(&self, arguments: &Arguments<'_>, scope: &Scope<'_>) -> Vec<Printed> {
        let inner = self.tuple.map(|param| match arguments.get(param) {
            Argument::Words(words) => {
                let words = words.strip_prefix_parenthesis();
                Arguments::new(commas(words).into_iter().map(<[Word<'_>]>::to_vec).collect(), scope, None)
            }
            Argument::Rest(_) | Argument::Missing => Arguments::default(),
        });
        let arguments = inner.as_ref().unwrap_or(arguments);
        let mut all = Vec::new();
        for text in &self.texts {
            let mut printed = vec![Printed::default()];
            for segment in text {
                let (values, own) = match segment {
                    Segment::Text(_) | Segment::Hole(_) | Segment::Function => {
                        (vec![vec![segment.clone()]], Own::No)
                    }
                    Segment::Source(param) => (vec![vec![stringified(arguments.get(*param))]], Own::Yes),
                    Segment::Argument { param, hole } => {
                        let own = if hole.kind == HoleKind::Text { Own::IfTold } else { Own::No };
                        (filled(arguments.get(*param), *hole, scope), own)
                    }
                    Segment::Format { param, rest, dialect } => {
                        (formatted(*dialect, arguments.get(*param), arguments, *rest, scope), Own::Yes)
                    }
                    Segment::Literal { dialect } => (first_literal(*dialect, arguments, scope), Own::Yes),
                };
                printed = extended(&printed, &values, own);
            }
            for one in printed {
                if all.len() < MAX_ALTERNATIVES && !all.contains(&one) {
                    all.push(one);
                }
            }
        }
        all
    }
}

trait StripParenthesis {
    fn strip_prefix_parenthesis(&self) -> &Self;
}

impl StripParenthesis for [Word<'_>] {
    fn strip_prefix_parenthesis(&self) -> &Self {
        match self {
            [open, inside @ .., close] if open.is(b'(') && close.is(b')') => inside,
            other => other,
        }
    }
}

/// What one call prints, and which of it is the caller's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Printed {
    pub(super) segments: Segments,
    /// The part that the arguments gave: from, to. Empty when none did.
    pub(super) own: (usize, usize),
}

/// Whether a part of what is printed is the caller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Own {
    No,
    /// Only when the arguments tell it.
    IfTold,
    Yes,
}

fn extended(printed: &[Printed], values: &[Segments], own: Own) -> Vec<Printed> {
    let values = if printed.len() * values.len() > MAX_ALTERNATIVES { &values[..1] } else { values };
    let one = |before: &Printed, value: &Segments| {
        let from = before.segments.len();
        let segments = [&before.segments[..], &value[..]].concat();
        let told = match own {
            Own::No => false,
            Own::IfTold => value.iter().any(|segment| !matches!(segment, Segment::Hole(_))),
            Own::Yes => true,
        };
        let own = match (told, before.own) {
            (true, (start, end)) if start == end => (from, segments.len()),
            (true, (start, _)) => (start, segments.len()),
            (false, own) => own,
        };
        Printed { segments, own }
    };
    printed.iter().flat_map(|before| values.iter().map(move |value| one(before, value))).collect()
}

fn stringified(argument: Argument<'_, '_>) -> Segment {
    match argument {
        Argument::Words(words) => Segment::Text(String::from_utf8_lossy(&source(words)).into_owned()),
        Argument::Rest(_) | Argument::Missing => Segment::Hole(Hole::of(HoleKind::Text)),
    }
}

fn first_literal(dialect: Dialect, arguments: &Arguments<'_>, scope: &Scope<'_>) -> Vec<Segments> {
    let literal = |words: &Vec<Word<'_>>| words.iter().any(|word| word.kind == TokenKind::Str);
    match arguments.parts.iter().position(literal) {
        Some(place) => formatted(dialect, arguments.get(place), arguments, Some(place + 1), scope),
        None => vec![vec![Segment::Hole(Hole::of(HoleKind::Text))]],
    }
}

/// What a stream argument says.
pub(super) fn stream_kind(words: &[Word<'_>]) -> Option<Kind> {
    let has = |name: &[u8]| words.iter().any(|word| word.text == name);
    if has(b"stderr") || has(b"STDERR_FILENO") || (words.len() == 1 && has(b"2")) {
        return Some(Kind::Stderr);
    }
    if has(b"stdout") || has(b"STDOUT_FILENO") || (words.len() == 1 && has(b"1")) {
        return Some(Kind::Stdout);
    }
    let log = |word: &Word<'_>| {
        word.kind == TokenKind::Ident && std::str::from_utf8(word.text).is_ok_and(word::is_log_stream)
    };
    // The last name tells: `server.logfile`, not `log->other`.
    words.iter().rev().find(|word| word.kind == TokenKind::Ident).filter(|word| log(word)).map(|_| Kind::Log)
}

/// The level that an argument says.
pub(super) fn level_in(
    words: &[Word<'_>],
    scope: &Scope<'_>,
    alias: &dyn Fn(&[u8]) -> Option<LevelOf>,
) -> LevelOf {
    let mut best = None;
    // The condition of `c ? a : b` is not a level.
    let from = words.iter().take(64).rposition(|word| word.is(b'?')).map_or(0, |question| question + 1);
    for word in words[from..].iter().take(64) {
        let name = word.text;
        match word.kind {
            TokenKind::Str => {
                let inside =
                    name.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(name);
                best = best.max(std::str::from_utf8(inside).ok().and_then(Level::from_word));
            }
            TokenKind::Ident => {
                if let Some(param) = scope.params.iter().position(|param| param.as_bytes() == name) {
                    return LevelOf::Argument(param);
                }
                match alias(name) {
                    Some(LevelOf::Fixed(level)) => best = best.max(Some(level)),
                    Some(LevelOf::Argument(param)) => return LevelOf::Argument(param),
                    Some(LevelOf::Unknown) => {}
                    None => best = best.max(std::str::from_utf8(name).ok().and_then(constant)),
                }
            }
            _ => {}
        }
    }
    best.map_or(LevelOf::Unknown, LevelOf::Fixed)
}

/// A variable called `level` says nothing; `LOG_LEVEL` neither.
fn constant(name: &str) -> Option<Level> {
    word::level_of_constant(name)
}

/// A rule's `header` or `suffix`: names in braces are holes.
fn template(text: &str) -> Segments {
    let mut segments = Segments::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let Some(length) = rest[open..].find('}') else { break };
        if open > 0 {
            segments.push(Segment::Text(rest[..open].to_owned()));
        }
        segments.push(match &rest[open + 1..open + length] {
            "func" => Segment::Function,
            "errno" => Segment::Hole(Hole::of(HoleKind::Errno)),
            "line" | "pid" => Segment::Hole(Hole::of(HoleKind::Uint)),
            _ => Segment::Hole(Hole::of(HoleKind::Text)),
        });
        rest = &rest[open + length + 1..];
    }
    if !rest.is_empty() {
        segments.push(Segment::Text(rest.to_owned()));
    }
    segments
}

/// Whether a file's includes confirm a rule.
pub(super) fn confirmed(rule: &LoggerRule, facts: &Facts) -> bool {
    facts.includes.iter().any(|include| {
        rule.imports.iter().any(|import| include == import || include.ends_with(&format!("/{import}")))
    })
}
