//! Which macros, methods and attributes log in the Rust files of a repository.

use dice_catalog::{HoleKind, Kind, Level, Part};
use rustc_hash::{FxHashMap, FxHashSet};

use super::facts::{Definition, Facts};
use super::reader;
use super::tokens::{TokenKind, tokens};
use crate::dialect::{self, Dialect, Piece};
use crate::{Extraction, Format, LevelRule, Logger, LoggerRule, Settings, Source};

/// The language's folder name.
const LANGUAGE: &str = "rust";

/// How many definitions of one name in other files are tried.
const MAX_DEFINITIONS: usize = 4;

/// Which macros, methods and attributes log.
#[derive(Debug)]
pub(crate) struct Dictionary {
    rules: Vec<Rule>,
    /// Which of `rules` a form and a name have.
    names: FxHashMap<Form, FxHashMap<Vec<u8>, usize>>,
    /// Names of `dice.toml` that end in `*`: any ending counts.
    endings: Vec<(Form, Vec<u8>, usize)>,
    ignored: FxHashSet<Vec<u8>>,
    definitions: Vec<Defined>,
    /// Which of `definitions` have a name.
    defined: FxHashMap<Vec<u8>, Vec<usize>>,
    /// What a name of a file stands for.
    aliases: FxHashMap<usize, FxHashMap<Vec<u8>, Vec<u8>>>,
    /// Text constants that have one value in the repository.
    constants: FxHashMap<Vec<u8>, Option<String>>,
    /// Text constants of one file.
    file_constants: FxHashMap<usize, FxHashMap<Vec<u8>, String>>,
    /// Macros that are called anywhere.
    called: FxHashSet<Vec<u8>>,
}

/// How a callee is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Form {
    Macro,
    Method,
    Attribute,
    Call,
}

/// What is known of a callee.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) form: Form,
    pub(super) kind: Kind,
    pub(super) level: LevelRule,
    pub(super) format: Where,
    pub(super) dialect: Dialect,
    pub(super) header: Vec<Affix>,
    pub(super) suffix: Vec<Affix>,
    pub(super) stream: Option<usize>,
    pub(super) target: Option<usize>,
    pub(super) max: Option<u32>,
    pub(super) imports: Vec<String>,
    pub(super) is_weak: bool,
    is_user: bool,
}

/// Where the format string is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Where {
    /// The first literal; fields may stand before it.
    Literal,
    /// This argument.
    Argument(usize),
    /// The callee has none.
    Nowhere,
}

/// A piece of what the callee adds.
#[derive(Debug, Clone)]
pub(super) enum Affix {
    Part(Part),
    /// The enclosing function's name.
    Function,
}

/// A macro that the repository defines.
#[derive(Debug)]
pub(super) struct Defined {
    pub(super) file: usize,
    name: Vec<u8>,
    line: u32,
    /// The insides of pattern and body.
    pub(super) rules: Vec<(Vec<u8>, Vec<u8>)>,
    /// The logger its body calls; `None` when it calls none.
    via: Option<Via>,
}

/// Why a macro is a logger.
#[derive(Debug, Clone)]
struct Via {
    callee: Vec<u8>,
    kind: Kind,
    level: Option<Level>,
}

/// What a name of a macro stands for.
pub(super) enum Meaning<'d> {
    Rule(&'d Rule),
    /// Macros of the repository, to be expanded.
    Defined(Vec<&'d Defined>),
    /// Nobody defines it here, but it is named like a logger of this level.
    NamedLike(&'d Rule, Level),
}

impl Dictionary {
    /// Facts come with their file's number.
    pub(crate) fn new(settings: &Settings, facts: &[(usize, &Facts)]) -> Dictionary {
        let mut dictionary = Dictionary {
            rules: Vec::new(),
            names: FxHashMap::default(),
            endings: Vec::new(),
            ignored: settings.ignore_names.iter().map(|name| name.clone().into_bytes()).collect(),
            definitions: Vec::new(),
            defined: FxHashMap::default(),
            aliases: FxHashMap::default(),
            constants: FxHashMap::default(),
            file_constants: FxHashMap::default(),
            called: FxHashSet::default(),
        };
        let language = crate::LANGUAGES.iter().find(|language| language.name == LANGUAGE);
        let table = language.expect("this is the reader of a language in the list").table();
        for rule in &table.loggers {
            dictionary.learn(rule, &table.dialect, false);
        }
        // Later rules replace earlier ones of the same name.
        for rule in settings.loggers.iter().filter(|rule| rule.lang.as_deref() == Some(LANGUAGE)) {
            dictionary.learn(rule, &table.dialect, true);
        }
        for (name, text) in &settings.constants {
            dictionary.constants.insert(name.clone().into_bytes(), Some(text.clone()));
        }
        for &(file, facts) in facts {
            dictionary.note(file, facts);
        }
        dictionary.close();
        dictionary
    }

    fn learn(&mut self, rule: &LoggerRule, dialect: &str, is_user: bool) {
        let form = match rule.form.as_str() {
            "method" => Form::Method,
            "attribute" => Form::Attribute,
            "call" => Form::Call,
            _ => Form::Macro,
        };
        let named = rule.lang_fmt.as_deref().unwrap_or(dialect);
        let affix = |text: &Option<String>| text.as_deref().map(affixes).unwrap_or_default();
        let number = self.rules.len();
        self.rules.push(Rule {
            form,
            kind: rule.kind.unwrap_or(Kind::Log),
            level: rule.level_rule(),
            format: match &rule.fmt {
                Some(Format::Argument(number)) => Where::Argument(*number),
                Some(Format::Word(word)) if word == "none" => Where::Nowhere,
                _ => Where::Literal,
            },
            dialect: Dialect::named(named).unwrap_or(Dialect::Braces),
            header: affix(&rule.header),
            suffix: affix(&rule.suffix),
            stream: rule.stream,
            target: rule.target.as_deref().and_then(|text| text.strip_prefix("arg:")?.parse().ok()),
            max: rule.max,
            imports: rule.imports.clone(),
            is_weak: rule.weak,
            is_user,
        });
        for name in &rule.names {
            match name.strip_suffix('*') {
                Some(start) => self.endings.push((form, start.as_bytes().to_vec(), number)),
                None => {
                    self.names.entry(form).or_default().insert(name.clone().into_bytes(), number);
                }
            }
        }
    }

    fn note(&mut self, file: usize, facts: &Facts) {
        for Definition { name, line, rules } in &facts.definitions {
            let number = self.definitions.len();
            self.definitions.push(Defined {
                file,
                name: name.clone(),
                line: line.get(),
                rules: rules.iter().map(|rule| (rule.pattern.clone(), rule.body.clone())).collect(),
                via: None,
            });
            self.defined.entry(name.clone()).or_default().push(number);
        }
        for (alias, original) in &facts.aliases {
            self.aliases.entry(file).or_default().insert(alias.clone(), original.clone());
        }
        for (name, text) in &facts.constants {
            // A name with several values in the repository has none outside its file.
            self.constants
                .entry(name.clone())
                .and_modify(|known| {
                    if known.as_ref() != Some(text) {
                        *known = None;
                    }
                })
                .or_insert_with(|| Some(text.clone()));
            self.file_constants.entry(file).or_default().insert(name.clone(), text.clone());
        }
        for name in &facts.called {
            if !self.called.contains(name) {
                self.called.insert(name.clone());
            }
        }
    }

    /// Finds the definitions whose bodies log, also through each other.
    fn close(&mut self) {
        let mut callers: FxHashMap<Vec<u8>, Vec<usize>> = FxHashMap::default();
        let mut work = Vec::new();
        for number in 0..self.definitions.len() {
            let mut via: Option<Via> = None;
            for (_, body) in &self.definitions[number].rules {
                for callee in macro_calls(body) {
                    if callee != self.definitions[number].name {
                        let callers = callers.entry(callee.clone()).or_default();
                        if callers.last() != Some(&number) {
                            callers.push(number);
                        }
                    }
                    let Some(rule) = self.rule(Form::Macro, &callee) else { continue };
                    if rule.kind == Kind::Fragment || self.ignored.contains(&callee) {
                        continue;
                    }
                    let level = rule.fixed_level(&callee);
                    let better = via.as_ref().is_none_or(|via| rule.kind < via.kind);
                    if better {
                        via = Some(Via { callee: callee.clone(), kind: rule.kind, level });
                    }
                }
            }
            if via.is_some() {
                self.definitions[number].via = via;
                work.push(number);
            }
        }
        while let Some(number) = work.pop() {
            let Some(via) = self.definitions[number].via.clone() else { continue };
            let name = self.definitions[number].name.clone();
            for &caller in callers.get(&name).map(Vec::as_slice).unwrap_or_default() {
                if self.definitions[caller].via.is_none() {
                    self.definitions[caller].via = Some(Via { callee: name.clone(), ..via.clone() });
                    work.push(caller);
                }
            }
        }
    }

    pub(super) fn rule(&self, form: Form, name: &[u8]) -> Option<&Rule> {
        let known = self.names.get(&form).and_then(|names| names.get(name)).copied();
        let number = known.or_else(|| {
            let fits = |(of, start, _): &&(Form, Vec<u8>, usize)| *of == form && name.starts_with(start);
            self.endings.iter().find(fits).map(|(_, _, number)| *number)
        })?;
        Some(&self.rules[number])
    }

    /// Whether any rule is about functions.
    pub(super) fn has_calls(&self) -> bool {
        self.rules.iter().any(|rule| rule.form == Form::Call)
    }

    /// What the macro `name` means in `file`.
    pub(super) fn meaning(&self, file: usize, name: &[u8]) -> Option<Meaning<'_>> {
        let alias = self.aliases.get(&file).and_then(|aliases| aliases.get(name));
        let name = alias.map_or(name, Vec::as_slice);
        if self.ignored.contains(name) {
            return None;
        }
        let rule = self.rule(Form::Macro, name);
        if let Some(rule) = rule.filter(|rule| rule.is_user) {
            return Some(Meaning::Rule(rule));
        }
        let defined = self.defined.get(name).map(Vec::as_slice).unwrap_or_default();
        let here: Vec<&Defined> =
            self.loggers_of(defined.iter().filter(|&&n| self.definitions[n].file == file));
        if !here.is_empty() {
            return Some(Meaning::Defined(here));
        }
        if defined.iter().any(|&number| self.definitions[number].file == file) {
            return None;
        }
        if let Some(rule) = rule {
            return Some(Meaning::Rule(rule));
        }
        if !defined.is_empty() {
            let loggers = self.loggers_of(defined.iter());
            return (!loggers.is_empty()).then_some(Meaning::Defined(loggers));
        }
        let level = level_of_name(name)?;
        Some(Meaning::NamedLike(self.rule(Form::Macro, b"error")?, level))
    }

    fn loggers_of<'n>(&self, numbers: impl Iterator<Item = &'n usize>) -> Vec<&Defined> {
        let loggers =
            numbers.map(|&number| &self.definitions[number]).filter(|defined| defined.via.is_some());
        loggers.take(MAX_DEFINITIONS).collect()
    }

    /// The text of a constant that `file` can see.
    pub(super) fn constant(&self, file: usize, name: &[u8]) -> Option<&str> {
        if !name.first().is_some_and(u8::is_ascii_uppercase) {
            return None;
        }
        if let Some(text) = self.file_constants.get(&file).and_then(|constants| constants.get(name)) {
            return Some(text);
        }
        self.constants.get(name)?.as_deref()
    }

    pub(crate) fn statements(&self, file: usize, source: &Source<'_>) -> Extraction {
        reader::statements(self, file, source)
    }

    pub(crate) fn loggers(&self) -> Vec<Logger> {
        let shown = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        let names = self.names.iter().flat_map(|(form, names)| names.iter().map(move |name| (form, name)));
        let known = names.filter_map(|(form, (name, &number))| {
            let rule = &self.rules[number];
            let is_used = rule.is_user || (*form == Form::Macro && self.called.contains(name));
            let by_argument = match rule.level {
                LevelRule::Argument(argument) => Some(argument),
                _ => None,
            };
            let format = match rule.format {
                Where::Argument(argument) => Some(argument),
                _ => None,
            };
            is_used.then(|| Logger {
                language: LANGUAGE,
                name: shown(name),
                file: None,
                form: form.name(),
                kind: rule.kind,
                level: rule.fixed_level(name),
                level_argument: by_argument,
                format,
                dialect: rule.dialect.name(),
                evidence: vec![if rule.is_user {
                    format!("`{}` is a logger of the configuration", shown(name))
                } else {
                    format!("`{}!` is known, and called here", shown(name))
                }],
            })
        });
        let defined = self.definitions.iter().filter_map(|defined| {
            let via = defined.via.as_ref()?;
            let name = shown(&defined.name);
            Some(Logger {
                language: LANGUAGE,
                file: Some(defined.file),
                form: Form::Macro.name(),
                kind: via.kind,
                level: via.level,
                level_argument: None,
                format: None,
                dialect: Dialect::Braces.name(),
                evidence: vec![format!(
                    "`macro_rules! {name}` at line {} calls `{}!`",
                    defined.line,
                    shown(&via.callee)
                )],
                name,
            })
        });
        let named_like = self.called.iter().filter_map(|name| {
            let is_known = self.rule(Form::Macro, name).is_some() || self.defined.contains_key(name);
            let level = level_of_name(name).filter(|_| !is_known)?;
            Some(Logger {
                language: LANGUAGE,
                name: shown(name),
                file: None,
                form: Form::Macro.name(),
                kind: Kind::Log,
                level: Some(level),
                level_argument: None,
                format: None,
                dialect: Dialect::Braces.name(),
                evidence: vec![format!("`{}!` is not defined here and has the name of a level", shown(name))],
            })
        });
        known.chain(defined).chain(named_like).collect()
    }
}

impl Rule {
    /// The level, where it is the same in every call.
    pub(super) fn fixed_level(&self, name: &[u8]) -> Option<Level> {
        match self.level {
            LevelRule::Fixed(level) => Some(level),
            LevelRule::Name => {
                let words =
                    name.split(|&byte| byte == b'_').filter_map(|word| std::str::from_utf8(word).ok());
                words.filter(|word| *word != "log").find_map(Level::from_word)
            }
            LevelRule::Unknown | LevelRule::Argument(_) => None,
        }
    }
}

impl Form {
    fn name(self) -> &'static str {
        match self {
            Form::Macro => "macro",
            Form::Method => "method",
            Form::Attribute => "attribute",
            Form::Call => "call",
        }
    }
}

/// The names of the macros that a body calls.
fn macro_calls(body: &[u8]) -> Vec<Vec<u8>> {
    let tokens = tokens(body);
    let is_call = |run: &&[super::tokens::Token<'_>]| run[1].is(b'!') && run[2].kind == TokenKind::Open;
    tokens.windows(3).filter(is_call).filter_map(|run| run[0].word()).map(<[u8]>::to_vec).collect()
}

/// The level that the name of an unknown macro tells: `warn_once`, `log_error`, `rate_limited_info`.
///
/// One word is a level and all others say how or how often; `parse_error` makes an error, and does not log.
fn level_of_name(name: &[u8]) -> Option<Level> {
    if !name.contains(&b'_') {
        return None;
    }
    let mut level = None;
    for word in name.split(|&byte| byte == b'_') {
        match word {
            b"error" | b"warn" | b"warning" | b"info" | b"debug" | b"trace" if level.is_none() => {
                level = std::str::from_utf8(word).ok().and_then(Level::from_word);
            }
            b"log" | b"slog" | b"tracing" | b"once" | b"every" | b"rate" | b"limited" | b"ratelimited"
            | b"limit" | b"ratelimit" | b"throttle" | b"throttled" | b"sampled" | b"n" | b"secs"
            | b"event" | b"msg" => {}
            _ => return None,
        }
    }
    level
}

/// What the callee adds: names in braces are values, `{func}` is the enclosing function.
fn affixes(text: &str) -> Vec<Affix> {
    let pieces = [Piece::Text(text.as_bytes().to_vec())];
    let affix = |token| match token {
        dialect::Token::Text(text) => Affix::Part(Part::Text(text)),
        dialect::Token::Hole { name: Some(name), .. } if name == "func" => Affix::Function,
        dialect::Token::Hole { .. } => Affix::Part(Part::hole(HoleKind::Text)),
    };
    dialect::parse(Dialect::Braces, &pieces).into_iter().map(affix).collect()
}
