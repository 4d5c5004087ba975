//! What a header says about the statement: target, file and line, function, level.

use dice_catalog::{Entry, Kind, Level};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::Envelope;

/// What the catalog knows about its statements' places.
#[derive(Debug, Default)]
pub(crate) struct Places {
    targets: FxHashMap<Box<str>, u32>,
    roots: FxHashSet<Box<str>>,
    /// What follows the first part of targets.
    tails: FxHashSet<u64>,
    /// Some statements that headers give a target to have none in the catalog.
    has_unknown_targets: bool,
    files: Vec<Box<str>>,
    by_name: FxHashMap<Box<str>, Vec<u32>>,
    entries: Vec<Place>,
    /// The statements of each file that Rust prints behind a line that tells their place.
    panics: FxHashMap<u32, Vec<u32>>,
}

/// What one statement says about its place; numbers name targets and files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    target: Option<u32>,
    file: u32,
    first_line: u32,
    last_line: u32,
    level: Option<Level>,
    has_function: bool,
    root: u64,
    tail: u64,
    /// Its file is for another system than the one that most logs come from.
    is_other_system: bool,
    /// Headers give it a target.
    is_rust_log: bool,
    /// It is printed behind a line that tells its place, seldom without.
    is_panic: bool,
    /// It prints no header with a target: a panic, a text for a terminal.
    is_targetless: bool,
}

/// What a header says, in the catalog's terms.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hints<'e> {
    target: TargetHint,
    files: Option<Vec<u32>>,
    line: Option<u32>,
    function: Option<&'e str>,
    /// A word before a colon at the start of the message, which many loggers put there.
    pub(crate) said_function: Option<&'e str>,
    pub(crate) level: Option<Level>,
    /// An identifier that stands literally in the source.
    pub(crate) message_id: Option<&'e str>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum TargetHint {
    /// The header does not tell.
    #[default]
    None,
    /// Statements of the catalog have exactly this target.
    Exact(u32),
    /// Statements of the catalog have another target with the same first part.
    Root(u64),
    /// No statement of the catalog has a target with the same first part.
    Foreign {
        /// What follows the first part: the program may be built under another name.
        tail: u64,
        /// It is written as a path of modules, so that a statement without any target is not meant either.
        is_path: bool,
    },
}

/// How well a statement's place agrees with a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Agreement {
    /// What it adds to the evidence.
    pub(crate) points: i32,
    /// The header names this statement: its line in the source.
    pub(crate) is_place: bool,
    /// The header names the statement's target, file or function.
    pub(crate) is_near: bool,
    /// Header and statement have the same level.
    pub(crate) same_level: bool,
    /// Header and statement have different levels.
    pub(crate) other_level: bool,
}

impl Places {
    /// Those of `entries`.
    pub(crate) fn new(entries: &[Entry]) -> Places {
        let mut places = Places::default();
        let mut file_ids: FxHashMap<Box<str>, u32> = FxHashMap::default();
        for entry in entries {
            let statement = &entry.statement;
            let target = statement.target.as_deref().map(|target| {
                places.roots.insert(root(target).into());
                places.tails.insert(hash(tail(target)));
                let next = places.targets.len() as u32;
                *places.targets.entry(target.into()).or_insert(next)
            });
            places.has_unknown_targets |=
                entry.language == "rust" && target.is_none() && statement.kind == Kind::Log;
            let file = *file_ids.entry(entry.file.as_str().into()).or_insert_with(|| {
                let id = places.files.len() as u32;
                places.files.push(entry.file.as_str().into());
                places.by_name.entry(file_name(&entry.file).into()).or_default().push(id);
                id
            });
            let is_panic = entry.language == "rust" && matches!(statement.kind, Kind::Fatal | Kind::Assert);
            if is_panic {
                places.panics.entry(file).or_default().push(places.entries.len() as u32);
            }
            places.entries.push(Place {
                target,
                file,
                first_line: statement.line.get(),
                last_line: statement.end_line.get(),
                level: statement.level,
                has_function: statement.function.is_some(),
                root: statement.target.as_deref().map_or(0, |target| hash(root(target))),
                tail: statement.target.as_deref().map_or(0, |target| hash(tail(target))),
                is_other_system: is_other_system(&entry.file),
                is_rust_log: entry.language == "rust" && statement.kind == Kind::Log,
                is_panic,
                is_targetless: entry.language == "rust" && statement.kind != Kind::Log,
            });
        }
        places
    }

    /// What `envelope` says.
    pub(crate) fn hints<'e>(&self, envelope: &'e Envelope<'_>) -> Hints<'e> {
        Hints {
            target: self.target(envelope.target.as_deref()),
            files: envelope.file.as_deref().map(|file| self.files(file)),
            line: envelope.line,
            function: envelope.function.as_deref().map(bare_function),
            said_function: None,
            level: envelope.level,
            message_id: envelope.message_id.as_deref(),
        }
    }

    fn target(&self, target: Option<&str>) -> TargetHint {
        let Some(target) = target.filter(|target| !target.is_empty()) else { return TargetHint::None };
        let is_path = target.contains("::");
        if self.targets.is_empty() && !is_path {
            return TargetHint::None;
        }
        let root = root(target);
        match self.targets.get(target) {
            Some(&id) => TargetHint::Exact(id),
            None if self.roots.contains(root) => TargetHint::Root(hash(root)),
            None => TargetHint::Foreign { tail: hash(tail(target)), is_path },
        }
    }

    /// The files of the catalog that `printed` can mean: one path is the other's end. The longest wins.
    fn files(&self, printed: &str) -> Vec<u32> {
        let printed = printed.trim_start_matches("./");
        // What the toolchain and the packages it brought in print is never in the repository.
        if printed.starts_with("/rustc/") || printed.contains("/registry/src/") {
            return Vec::new();
        }
        let same_name = self.by_name.get(file_name(printed)).map_or(&[][..], Vec::as_slice);
        let n_printed = printed.split(['/', '\\']).filter(|part| !part.is_empty()).count();
        let common = |id: &u32| {
            let known = &self.files[*id as usize];
            let parts = || known.rsplit('/');
            let n = parts().zip(printed.rsplit(['/', '\\'])).take_while(|(a, b)| a == b).count();
            if n == n_printed || n == parts().count() { n } else { 0 }
        };
        let best = same_name.iter().map(common).max().unwrap_or(0);
        same_name.iter().copied().filter(|id| best > 0 && common(id) == best).collect()
    }

    /// Whether a header names a place that is not in the catalog: no statement of it printed the line.
    pub(crate) fn are_elsewhere(&self, hints: &Hints<'_>) -> bool {
        let is_foreign = matches!(
            hints.target,
            TargetHint::Foreign { tail, is_path: true }
                if !self.has_unknown_targets && !self.tails.contains(&tail)
        );
        is_foreign || hints.files.as_ref().is_some_and(Vec::is_empty)
    }

    /// How well entry number `n` agrees with `hints`; `None` when the header rules it out.
    pub(crate) fn agree(&self, n: u32, entry: &Entry, hints: &Hints<'_>) -> Option<Agreement> {
        let place = &self.entries[n as usize];
        let mut points = 0;
        let mut is_near = false;
        match (hints.target, place.target) {
            (TargetHint::None, _) => {}
            (TargetHint::Exact(target), Some(own)) if target == own => {
                points += 40;
                is_near = true;
            }
            (TargetHint::Root(root), Some(_)) if root == place.root => {}
            (TargetHint::Exact(_) | TargetHint::Root(_), None) if !place.is_targetless => points -= 8,
            (TargetHint::Foreign { tail, .. }, Some(_)) if tail == place.tail => points -= 24,
            (TargetHint::Foreign { .. }, None) if place.is_rust_log => points -= 24,
            (TargetHint::Foreign { is_path: false, .. }, None) if !place.is_targetless => {}
            _ => return None,
        }
        if place.is_panic {
            points -= 12;
        }
        let mut is_place = false;
        if let Some(files) = &hints.files {
            if !files.contains(&place.file) {
                return None;
            }
            points += 24;
            is_near = true;
            if let Some(line) = hints.line
                && (place.first_line..=place.last_line.max(place.first_line)).contains(&line)
            {
                points += 400;
                is_place = true;
            }
        }
        if let (Some(function), true) = (hints.function, place.has_function) {
            let own = entry.statement.function.as_deref().map(bare_function);
            if own == Some(function) {
                points += 28;
                is_near = true;
            } else {
                points -= 16;
            }
        }
        let (mut same_level, mut other_level) = (false, false);
        if let (Some(level), Some(own)) = (hints.level, place.level) {
            let apart = (level as i32 - own as i32).abs();
            same_level = apart == 0;
            // Info and notice, debug and trace are one level to many loggers.
            let is_alike = matches!(
                (level, own),
                (Level::Info, Level::Notice)
                    | (Level::Notice, Level::Info)
                    | (Level::Debug, Level::Trace)
                    | (Level::Trace, Level::Debug)
            );
            other_level = !same_level && !is_alike;
            points += if same_level {
                6
            } else if is_alike {
                1
            } else {
                -12
            };
        }
        Some(Agreement { points, is_place, is_near, same_level, other_level })
    }

    /// What a statement loses against others that fit, when its file is for another system.
    pub(crate) fn handicap(&self, n: u32) -> i32 {
        if self.entries[n as usize].is_other_system { 16 } else { 0 }
    }

    /// The target number that a statement has.
    pub(crate) fn target_of(&self, n: u32) -> Option<u32> {
        self.entries[n as usize].target
    }

    /// The file number that a statement has.
    pub(crate) fn file_of(&self, n: u32) -> u32 {
        self.entries[n as usize].file
    }

    /// The statements of a file that Rust prints behind a line that tells their place.
    pub(crate) fn panics_of(&self, file: u32) -> &[u32] {
        self.panics.get(&file).map_or(&[], Vec::as_slice)
    }

    /// The lines of a statement, first and last.
    pub(crate) fn lines_of(&self, n: u32) -> (u32, u32) {
        let place = &self.entries[n as usize];
        (place.first_line, place.last_line.max(place.first_line))
    }

    /// Bytes that it takes, roughly.
    pub(crate) fn bytes(&self) -> usize {
        let names: usize = self.files.iter().chain(self.targets.keys()).map(|name| name.len() + 32).sum();
        names + size_of_val(&*self.entries)
    }
}

impl Hints<'_> {
    /// The target of the catalog that the header names.
    pub(crate) fn target(&self) -> Option<u32> {
        match self.target {
            TargetHint::Exact(target) => Some(target),
            TargetHint::None | TargetHint::Root(_) | TargetHint::Foreign { .. } => None,
        }
    }

    /// Whether the header has a target at all.
    pub(crate) fn has_target(&self) -> bool {
        self.target != TargetHint::None
    }

    /// The files of the catalog that the header names.
    pub(crate) fn files(&self) -> &[u32] {
        self.files.as_deref().unwrap_or(&[])
    }

    /// The function that the header names.
    pub(crate) fn function(&self) -> Option<&str> {
        self.function
    }
}

/// Whether a folder of `path` says that it is for Windows: sources have such folders beside others.
fn is_other_system(path: &str) -> bool {
    path.split(['/', '.', '_', '-']).any(|part| {
        matches!(part.to_ascii_lowercase().as_str(), "win32" | "win64" | "windows" | "winnt" | "mingw")
    })
}

/// The first part of a target: the crate, the package.
fn root(target: &str) -> &str {
    let end = target.find("::").or_else(|| target.find(['.', '/']));
    &target[..end.unwrap_or(target.len())]
}

/// What follows the first part of a target.
fn tail(target: &str) -> &str {
    &target[root(target).len()..]
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// The last part of a function's name, without parentheses.
pub(crate) fn bare_function(name: &str) -> &str {
    let name = name.strip_suffix("()").unwrap_or(name);
    name.rsplit([':', '.']).next().unwrap_or(name)
}

pub(crate) fn hash(name: &str) -> u64 {
    super::words::hash(name.as_bytes())
}
