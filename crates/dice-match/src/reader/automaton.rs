//! One automaton that knows every header.
//!
//! It reads the start of a line once and says which row's header is the longest; that row's own one-pass
//! automaton then says where its parts lie. The automaton over all headers is determinised as lines need
//! it: whole, it takes 1.9 MB and some 50 ms to build, and a line is read no faster.

use std::sync::OnceLock;

use regex_automata::dfa::onepass;
use regex_automata::hybrid::dfa as lazy;
use regex_automata::nfa::thompson::NFA;
use regex_automata::nfa::thompson::backtrack::{self, BoundedBacktracker};
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::util::start;
use regex_automata::{Anchored, Input, MatchKind, util::syntax};

use super::formats::{Kind, PARTS, Part, ROWS, Row, SHAPES};

/// Headers are not longer: structured data of a hostile line would be read for nothing.
const LONGEST_HEADER: usize = 4096;

/// All headers.
#[derive(Debug)]
pub(super) struct Automaton {
    dfa: lazy::DFA,
    headers: Vec<Header>,
}

/// One alternative of one row.
#[derive(Debug)]
struct Header {
    row: &'static Row,
    pattern: String,
    /// Built when a line first shows the format.
    parts: OnceLock<Parts>,
}

/// Where the parts of a header lie.
#[derive(Debug)]
struct Parts {
    engine: Engine,
    /// What each group means, the whole match at 0 left out.
    groups: Vec<Part>,
}

/// What finds the parts.
#[derive(Debug)]
enum Engine {
    /// For headers none of whose parts may begin with what the part before it can go on with.
    OnePass(Box<onepass::DFA>),
    /// For all others: some times slower, linear in the header's length all the same.
    Backtrack(BoundedBacktracker),
}

/// What an engine writes to.
#[derive(Debug)]
enum Cache {
    OnePass(onepass::Cache),
    Backtrack(backtrack::Cache),
}

/// What a search writes to; kept from line to line.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// The automaton's states that lines have needed so far.
    states: Option<lazy::Cache>,
    /// For each alternative that was ever found.
    caches: Vec<Option<Cache>>,
    slots: Vec<Option<NonMaxUsize>>,
}

/// A header at the start of a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) row: &'static Row,
    header: usize,
    /// Where it ends; what was found in another line may end anywhere before.
    end: usize,
}

impl Automaton {
    /// The automaton, built once for the process.
    pub(super) fn shared() -> &'static Automaton {
        static SHARED: OnceLock<Automaton> = OnceLock::new();
        SHARED.get_or_init(|| Automaton::new(ROWS))
    }

    fn new(rows: &'static [Row]) -> Automaton {
        let headers: Vec<Header> = rows
            .iter()
            .flat_map(|row| row.headers.iter().map(move |header| (row, header)))
            .map(|(row, header)| Header { row, pattern: spelled_out(header), parts: OnceLock::new() })
            .collect();
        let patterns: Vec<&str> = headers.iter().map(|header| header.pattern.as_str()).collect();
        let dfa = lazy::Builder::new()
            .configure(lazy::Config::new().match_kind(MatchKind::All))
            .syntax(bytes_only())
            .thompson(thompson())
            .build_many(&patterns)
            .expect("the table of formats is tested to compile");
        Automaton { dfa, headers }
    }

    /// The best header at the start of `line`; only `name`'s, when a name is given.
    pub(super) fn find(&self, line: &[u8], name: Option<&str>, scratch: &mut Scratch) -> Option<Found> {
        let cache = scratch.states.get_or_insert_with(|| self.dfa.create_cache());
        let mut best: Option<Found> = None;
        let mut note = |cache: &lazy::Cache, state, end| {
            for index in 0..self.dfa.match_len(cache, state) {
                let header = self.dfa.match_pattern(cache, state, index).as_usize();
                let row = self.headers[header].row;
                if name.is_some_and(|name| name != row.name) {
                    continue;
                }
                let rank = |found: &Found| (!found.row.is_loose(), found.end);
                let found = Found { row, header, end };
                // Patterns come in the order of the table: the first keeps its place.
                if best.as_ref().is_none_or(|best| rank(&found) > rank(best)) {
                    best = Some(found);
                }
            }
        };
        let start = start::Config::new().anchored(Anchored::Yes);
        let mut state = self.dfa.start_state(cache, &start).ok()?;
        let text = &line[..line.len().min(LONGEST_HEADER)];
        for (at, &byte) in text.iter().enumerate() {
            state = self.dfa.next_state(cache, state, byte).ok()?;
            if state.is_tagged() {
                if state.is_match() {
                    // A match is told one byte late.
                    note(cache, state, at);
                } else if state.is_dead() || state.is_quit() {
                    return best;
                }
            }
        }
        state = self.dfa.next_eoi_state(cache, state).ok()?;
        if state.is_match() {
            note(cache, state, text.len());
        }
        best
    }

    /// Calls `part` with each part of a header that was found; gives the place where the message begins.
    ///
    /// `None` when the header does not fit, which only a header found in another line can fail to.
    pub(super) fn parts<'l>(
        &self,
        found: &Found,
        line: &'l [u8],
        scratch: &mut Scratch,
        mut part: impl FnMut(Part, &'l [u8]),
    ) -> Option<usize> {
        let parts = self.headers[found.header].parts();
        scratch.caches.resize_with(self.headers.len(), || None);
        let cache = scratch.caches[found.header].get_or_insert_with(|| parts.cache());
        scratch.slots.clear();
        scratch.slots.resize(parts.groups.len() * 2 + 2, None);
        let input = Input::new(&line[..found.end.min(line.len())]).anchored(Anchored::Yes);
        let slots = &mut scratch.slots;
        let is_there = match (&parts.engine, cache) {
            (Engine::OnePass(dfa), Cache::OnePass(cache)) => dfa.try_search_slots(cache, &input, slots),
            (Engine::Backtrack(nfa), Cache::Backtrack(cache)) => nfa.try_search_slots(cache, &input, slots),
            _ => unreachable!("a cache stays with the engine that made it"),
        };
        is_there.ok().flatten()?;
        let mut message = scratch.slots.get(1)?.as_ref()?.get();
        for (meaning, place) in parts.groups.iter().zip(scratch.slots[2..].chunks_exact(2)) {
            if let [Some(from), Some(to)] = place {
                match meaning {
                    Part::Message => message = from.get(),
                    _ => part(*meaning, &line[from.get()..to.get()]),
                }
            }
        }
        Some(message)
    }

    /// The header to look for in the next lines before all others, when it is one that shows what it is.
    pub(super) fn sticky(&self, found: &Found) -> Option<Found> {
        let parts = self.headers[found.header].parts();
        let is_one_pass = matches!(parts.engine, Engine::OnePass(_));
        let has_time = parts.groups.iter().any(|part| matches!(part, Part::Time | Part::GlogTime));
        let is_clear = !found.row.gives_way && !matches!(found.row.kind, Kind::Loose | Kind::Access);
        (is_one_pass && has_time && is_clear).then_some(Found { end: LONGEST_HEADER, ..*found })
    }
}

impl Header {
    fn parts(&self) -> &Parts {
        self.parts.get_or_init(|| Parts::new(&self.pattern))
    }
}

impl Row {
    pub(super) fn is_loose(&self) -> bool {
        matches!(self.kind, Kind::Loose | Kind::LooseTransport)
    }

    pub(super) fn is_transport(&self) -> bool {
        matches!(self.kind, Kind::Transport | Kind::LooseTransport)
    }
}

impl Parts {
    fn new(pattern: &str) -> Parts {
        let nfa = |pattern: &str| {
            let compiler = NFA::compiler().syntax(bytes_only()).configure(thompson()).build(pattern);
            compiler.expect("the table of formats is tested to compile")
        };
        let open = nfa(pattern);
        let groups = open.group_info().pattern_names(regex_automata::PatternID::ZERO);
        let groups = groups
            .skip(1)
            .map(|name| {
                let known = PARTS.iter().find(|(known, _)| Some(*known) == name);
                known.expect("the table of formats is tested to name known parts only").1
            })
            .collect();
        let engine = match onepass::DFA::new_from_nfa(open) {
            Ok(dfa) => Engine::OnePass(Box::new(dfa)),
            // The header's end is known; a part that may be missing must not end it early.
            Err(_) => Engine::Backtrack(
                BoundedBacktracker::new_from_nfa(nfa(&format!("(?:{pattern})\\z")))
                    .expect("an automaton without Unicode has no limits here"),
            ),
        };
        Parts { engine, groups }
    }

    fn cache(&self) -> Cache {
        match &self.engine {
            Engine::OnePass(dfa) => Cache::OnePass(dfa.create_cache()),
            Engine::Backtrack(nfa) => Cache::Backtrack(nfa.create_cache()),
        }
    }
}

/// A header with its `%SHAPES%` written out.
fn spelled_out(header: &str) -> String {
    SHAPES.iter().fold(header.to_owned(), |text, (name, shape)| text.replace(name, shape))
}

fn bytes_only() -> syntax::Config {
    syntax::Config::new().unicode(false).utf8(false)
}

fn thompson() -> regex_automata::nfa::thompson::Config {
    regex_automata::nfa::thompson::Config::new().utf8(false)
}

#[cfg(test)]
mod tests {
    use super::{Engine, Parts, ROWS};

    #[test]
    fn every_header_compiles_and_the_frequent_ones_are_one_pass() {
        for row in ROWS {
            for header in row.headers {
                let parts = Parts::new(&super::spelled_out(header));
                let is_one_pass = matches!(parts.engine, Engine::OnePass(_));
                let is_frequent = [
                    "redis",
                    "tracing",
                    "syslog",
                    "syslog-iso",
                    "rfc3164",
                    "rfc5424",
                    "cri",
                    "nginx",
                    "postgres",
                    "glog",
                ]
                .contains(&row.name);
                assert!(is_one_pass || !is_frequent, "{}: {header}", row.name);
            }
        }
    }
}
