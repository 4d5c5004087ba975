//! What signatures and names tell, where nothing better is known.

use dice_catalog::Kind;
use rustc_hash::{FxHashMap, FxHashSet};

use super::body::outputs;
use super::callee::{Callee, LevelOf};
use super::discovery::{Callees, Candidate, Finder, Found, What};
use super::facts::{Calls, Code, Facts};
use super::function::{Function, Param};
use super::segment::{Segment, format_param, without_header};
use super::token::TokenKind;
use super::word;
use crate::dialect::Dialect;

/// Which argument is the format, where an attribute of some declaration says so.
pub(super) fn formats(callees: &Callees, candidates: &[Candidate<'_>]) -> FxHashMap<String, Vec<usize>> {
    let speaks = |word: &str| {
        let lower = word.to_ascii_lowercase();
        lower.contains("printf") || lower.contains("format") || lower.contains("fmt")
    };
    let mut formats: FxHashMap<String, Vec<usize>> = FxHashMap::default();
    for candidate in candidates {
        let What::Function(function, _) = &candidate.what else { continue };
        for (names, format) in &function.attributes {
            let told = names.split(' ').any(|name| {
                // The macro that stands for the attribute.
                let stands = || {
                    callees.macros.by_name.get(name).is_some_and(|entries| {
                        entries.iter().any(|entry| {
                            let body = String::from_utf8_lossy(&entry.code.text).to_ascii_lowercase();
                            body.contains("printf") || body.contains("format")
                        })
                    })
                };
                speaks(name) || stands()
            });
            let scans = names.contains("scanf") || names.contains("strftime") || names.contains("format_arg");
            if told && !scans && *format < 16 {
                formats.entry(candidate.name.to_owned()).or_default().push(*format);
            }
        }
    }
    formats
}

/// Which parameter of a function is its format: an attribute, or the text before `...` or a `va_list`.
pub(super) fn format_of(function: &Function, formats: &FxHashMap<String, Vec<usize>>) -> Option<usize> {
    let text = |param: &Param| param.is_text() || param.kind.contains("char") && param.kind.ends_with('*');
    // Declarations under `#if` may disagree about the number, and prototypes need not name what they point to.
    let told = formats.get(&function.name);
    let fits = |format: &&usize| function.params.get(**format).is_some_and(text);
    if let Some(&format) = told.and_then(|told| told.iter().find(fits)) {
        return Some(format);
    }
    if function.variadic {
        let last = function.params.len().checked_sub(1)?;
        return text(&function.params[last]).then_some(last);
    }
    let list = function.params.iter().position(Param::is_va_list);
    let Some(list) = list else { return told.and_then(|told| told.first().copied()) };
    let named = |at: &usize| {
        text(&function.params[*at])
            && matches!(function.params[*at].name.as_str(), "fmt" | "format" | "msg" | "message" | "f")
    };
    (0..list).rev().find(named).or_else(|| (0..list).rev().find(|&at| text(&function.params[at])))
}

/// A function that puts text together: told by its signature.
pub(super) fn builder(
    callees: &mut Callees,
    candidate: &Candidate<'_>,
    formats: &FxHashMap<String, Vec<usize>>,
) {
    let What::Function(function, code) = &candidate.what else { return };
    let Some(format) = format_of(function, formats) else { return };
    let before = &function.params[..format.min(function.params.len())];
    let destination = before.iter().position(Param::is_destination);
    // The size of a text that is read says nothing.
    let read = before.len() > 1
        && before[before.len() - 2].is_text()
        && before[before.len() - 2].kind.split(' ').any(|word| word == "const");
    let sized = !read
        && before.last().is_some_and(|param| {
            let name = param.name.to_ascii_lowercase();
            matches!(name.as_str(), "n" | "max" | "cap" | "sz" | "size" | "len")
                || name.ends_with("size")
                || name.ends_with("len")
                || name.ends_with("max")
        });
    let error_object = before.iter().any(|param| {
        ["sd_bus_error", "GError", "Error", "error_t"]
            .iter()
            .any(|word| param.kind.split(' ').any(|part| part == *word))
            && param.kind.contains('*')
    });
    let text_object = before.iter().any(|param| {
        let words = word::words(&param.kind);
        words.iter().any(|word| {
            matches!(
                word.as_str(),
                "vty"
                    | "strbuf"
                    | "buf"
                    | "buffer"
                    | "string"
                    | "sds"
                    | "client"
                    | "dstring"
                    | "strlist"
                    | "pqexpbuffer"
                    | "stringinfo"
                    | "json"
            )
        })
    });
    let returns = function.returns.split(' ').any(|word| word == "sds" || word == "gchar")
        || (function.returns.contains("char") && function.returns.ends_with('*'));
    let dialect = code.and_then(|code| own_dialect(code));
    let kind = match (destination.is_some() || sized || text_object || returns, error_object) {
        (_, true) => Kind::Errtext,
        (true, false) => Kind::Fragment,
        (false, false) => return,
    };
    let rest = function.variadic.then_some(function.params.len());
    let dialect = dialect.unwrap_or(Dialect::PrintfErrno);
    let why = match kind {
        Kind::Errtext => "puts its text into an error object",
        _ => "puts its text into memory",
    };
    let callee = Callee {
        name: candidate.name.to_owned(),
        form: "call",
        kind,
        level: LevelOf::Unknown,
        texts: vec![vec![Segment::Format { param: format, rest, dialect }]],
        stream: None,
        destination: destination.or_else(|| (sized || text_object).then_some(0)),
        tuple: None,
        va_list: !function.variadic,
        quiet: false,
        dialect,
        max: None,
        annotations: Vec::new(),
        evidence: vec![format!("{} {why}", candidate.name)],
    };
    let file = (!candidate.everywhere).then_some(candidate.file);
    callees
        .add(candidate.name, Found { file, is_macro: false, by_name: false, origin: candidate.file, callee });
}

/// Hands a dialect that is not C's on, from the function that reads formats to those that call it.
pub(super) fn dialects(callees: &mut Callees, candidates: &[Candidate<'_>]) {
    for _ in 0..4 {
        let foreign: FxHashMap<Vec<u8>, Dialect> = callees
            .found
            .iter()
            .filter_map(|(name, all)| {
                let dialect = all
                    .iter()
                    .map(|found| found.callee.dialect)
                    .find(|dialect| *dialect == Dialect::Nginx)?;
                Some((name.clone().into_bytes(), dialect))
            })
            .collect();
        if foreign.is_empty() {
            return;
        }
        for candidate in candidates {
            let What::Function(_, Some(code)) = &candidate.what else { continue };
            let Some(all) = callees.found.get_mut(candidate.name) else { continue };
            let Some(own) = all.iter_mut().find(|found| !found.is_macro && found.origin == candidate.file)
            else {
                continue;
            };
            let calls =
                code.tokens.windows(2).filter(|pair| pair[0].kind == TokenKind::Ident && pair[1].is(b'('));
            let Some(dialect) = calls.filter_map(|pair| foreign.get(pair[0].of(&code.text))).next() else {
                continue;
            };
            own.callee.dialect = *dialect;
            for segment in own.callee.texts.iter_mut().flatten() {
                if let Segment::Format { dialect: of, .. } = segment {
                    *of = *dialect;
                }
            }
        }
    }
}

/// The dialect of a function that reads its format itself.
fn own_dialect(code: &Code) -> Option<Dialect> {
    let has = |wanted: &[u8]| code.tokens.iter().any(|token| token.of(&code.text) == wanted);
    let reads = has(b"'%'") && has(b"'d'") && has(b"'s'") && has(b"va_arg");
    // nginx's `%V` is a counted string; no other family has it together with `%O`, an offset.
    (reads && has(b"'V'") && has(b"'O'") && has(b"'T'")).then_some(Dialect::Nginx)
}

/// A printf-like function of which nobody saw where the text goes: its name decides.
pub(super) fn signature(
    callees: &Callees,
    candidate: &Candidate<'_>,
    formats: &FxHashMap<String, Vec<usize>>,
) -> Option<Found> {
    let What::Function(function, code) = &candidate.what else { return None };
    let format = format_of(function, formats)?;
    let file = (!candidate.everywhere).then_some(candidate.file);
    let known = callees.found.get(candidate.name).is_some_and(|all| {
        let here = |found: &&Found| !found.is_macro && (found.file == file || found.file.is_none());
        all.iter().filter(here).any(|found| code.is_none() || found.origin == candidate.file)
    });
    let in_table = function.body.is_none() && callees.table.contains_key(candidate.name);
    if known || in_table {
        return None;
    }
    let named = word::is_log_name(candidate.name) && !word::is_setting_name(candidate.name);
    let kind = match (named, word::is_fatal_name(candidate.name)) {
        (true, true) => Kind::Fatal,
        (true, false) => Kind::Log,
        (false, _) => Kind::Fragment,
    };
    let rest = function.variadic.then_some(function.params.len());
    let level = function.params.iter().position(|param| word::is_level_param(&param.name, &param.kind));
    let level = match level {
        Some(param) => LevelOf::Argument(param),
        None => word::level_of_name(candidate.name).map_or(LevelOf::Unknown, LevelOf::Fixed),
    };
    // What it does with its format tells the dialect, the words around it and where it is cut.
    let held = code.and_then(|code| {
        let finder = Finder { callees, file: candidate.file, within: None };
        let body = candidate.body(function, code, callees);
        outputs(&body, &finder).1.filter(|held| format_param(&held.segments) == Some(format))
    });
    let mut text = held.as_ref().map_or_else(
        || vec![Segment::Format { param: format, rest, dialect: Dialect::PrintfErrno }],
        |held| held.segments.clone(),
    );
    without_header(&mut text);
    for segment in &mut text {
        if let Segment::Format { rest: of, .. } = segment {
            *of = rest;
        }
    }
    let dialect = text.iter().find_map(|segment| match segment {
        Segment::Format { dialect, .. } => Some(*dialect),
        _ => None,
    });
    let dialect = dialect.unwrap_or(Dialect::PrintfErrno);
    let says = if named { "its name says that it logs" } else { "where its text goes is not known" };
    let callee = Callee {
        name: candidate.name.to_owned(),
        form: "call",
        kind,
        level,
        texts: vec![text],
        stream: None,
        destination: None,
        tuple: None,
        va_list: !function.variadic,
        quiet: false,
        dialect,
        max: held.and_then(|held| held.max),
        annotations: Vec::new(),
        evidence: vec![format!("{} takes a format, and {says}", candidate.name)],
    };
    Some(Found { file, is_macro: false, by_name: false, origin: candidate.file, callee })
}

/// Names of which nothing is known but how they are called.
pub(super) fn by_name(callees: &mut Callees, facts: &[(usize, &Facts)]) -> Vec<String> {
    let mut calls: FxHashMap<&str, Calls> = FxHashMap::default();
    for (_, facts) in facts {
        for (name, counts) in &facts.calls {
            calls.entry(name).or_default().add(counts);
        }
    }
    // A function that was looked at and does nothing with its text is not a logger, whatever its name.
    let mut looked_at: FxHashSet<&str> = FxHashSet::default();
    for (_, facts) in facts {
        let read =
            facts.functions.iter().filter(|(_, code)| code.as_ref().is_some_and(|code| !calls_members(code)));
        looked_at.extend(read.map(|(function, _)| function.name.as_str()));
    }
    let mut names: Vec<(&str, Calls)> = calls.into_iter().collect();
    names.sort_by(|a, b| a.0.cmp(b.0));
    let mut added = Vec::new();
    for (name, counts) in names {
        let sentences = counts.sentences >= 1 && counts.sentences * 2 >= counts.with_literal;
        let taken = callees.found.contains_key(name)
            || callees.table.contains_key(name)
            || callees.configured.contains_key(name);
        if !sentences || taken || looked_at.contains(name) {
            continue;
        }
        let place = (0..counts.places.len())
            .max_by_key(|&place| (counts.places[place], std::cmp::Reverse(place)))
            .unwrap_or(0);
        let kind = if word::is_fatal_name(name) { Kind::Fatal } else { Kind::Log };
        let callee = Callee {
            name: name.to_owned(),
            form: "call",
            kind,
            level: word::level_of_name(name).map_or(LevelOf::Unknown, LevelOf::Fixed),
            texts: vec![vec![Segment::Format {
                param: place,
                rest: Some(place + 1),
                dialect: Dialect::PrintfErrno,
            }]],
            stream: None,
            destination: None,
            tuple: None,
            va_list: false,
            quiet: false,
            dialect: Dialect::PrintfErrno,
            max: None,
            annotations: Vec::new(),
            evidence: vec![format!("{name} is called with sentences, and its name says that it logs")],
        };
        if callees.add(name, Found { file: None, is_macro: false, by_name: true, origin: usize::MAX, callee })
        {
            added.push(name.to_owned());
        }
    }
    added
}

/// Whether a body calls through a pointer, `x->log(…)`: where that leads is not known.
fn calls_members(code: &Code) -> bool {
    code.tokens.windows(3).any(|three| {
        (three[0].kind == TokenKind::Arrow || three[0].is(b'.'))
            && three[1].kind == TokenKind::Ident
            && three[2].is(b'(')
    })
}
