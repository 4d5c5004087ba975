//! The automaton of one whole shape, for lines on which counting places takes too long.

use std::fmt::Write;

use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, MatchKind};
use rustc_hash::FxHashMap;

use super::hole::Holes;
use super::shape::{Piece, Shape};

/// Bytes of one automaton, at most.
const AUTOMATON_BYTES: usize = 1 << 20;
/// Bytes that one automaton may remember of the lines it has seen.
const MEMORY_BYTES: usize = 1 << 18;

/// Automata built on first use; forgotten all together when they need too much.
#[derive(Debug, Default)]
pub(crate) struct Automata {
    known: FxHashMap<u32, Option<Box<Lazy>>>,
    bytes: usize,
}

/// An automaton whose states are built when a line first needs them.
#[derive(Debug)]
pub(crate) struct Lazy {
    dfa: DFA,
    cache: Cache,
}

impl Automata {
    /// Whether `text` fits the shape from its start; `None` when that takes too large an automaton.
    ///
    /// `place` names the shape; `limit_bytes` bounds what all automata need.
    pub(crate) fn fits(
        &mut self,
        place: u32,
        pattern: impl FnOnce() -> String,
        text: &[u8],
        limit_bytes: usize,
    ) -> Option<bool> {
        if self.bytes > limit_bytes {
            self.known.clear();
            self.bytes = 0;
        }
        let bytes = &mut self.bytes;
        let lazy = self.known.entry(place).or_insert_with(|| {
            let lazy = Lazy::new(&pattern()).map(Box::new);
            *bytes += 1024 + lazy.as_ref().map_or(0, |lazy| lazy.dfa.memory_usage() + MEMORY_BYTES);
            lazy
        });
        lazy.as_mut()?.fits(text)
    }

    /// Bytes of all automata, and what they may remember.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Lazy {
    /// The automaton of `pattern`; `None` when it is too large.
    pub(crate) fn new(pattern: &str) -> Option<Lazy> {
        let dfa = DFA::builder()
            .configure(
                DFA::config()
                    .match_kind(MatchKind::All)
                    .cache_capacity(MEMORY_BYTES)
                    .skip_cache_capacity_check(true)
                    .minimum_cache_clear_count(Some(8)),
            )
            .thompson(thompson::Config::new().utf8(false).nfa_size_limit(Some(AUTOMATON_BYTES)))
            .syntax(syntax::Config::new().utf8(false).unicode(false).dot_matches_new_line(true))
            .build(pattern)
            .ok()?;
        let cache = dfa.create_cache();
        Some(Lazy { dfa, cache })
    }

    /// Whether all of `text` fits; `None` when the states do not fit into its memory.
    pub(crate) fn fits(&mut self, text: &[u8]) -> Option<bool> {
        let input = Input::new(text).anchored(Anchored::Yes);
        self.dfa.try_search_fwd(&mut self.cache, &input).ok().map(|end| end.is_some())
    }
}

/// The regular expression of `shape`.
pub(crate) fn pattern(shape: &Shape, holes: &Holes) -> String {
    let mut pattern = String::from(r"\A");
    let pieces = &shape.pieces[..shape.pieces.len() - usize::from(shape.is_blank_tail)];
    for piece in pieces {
        match piece {
            Piece::Text(text, _) => {
                for byte in text {
                    let _ = write!(pattern, "\\x{byte:02X}");
                }
            }
            Piece::Typed { hole, .. } => {
                let _ = write!(pattern, "(?:{})", holes.pattern(*hole));
            }
            Piece::Gap { gap, .. } if gap.min > 0 => {
                let _ = write!(pattern, ".{{{},}}", gap.min);
            }
            Piece::Gap { .. } => pattern.push_str(".*"),
        }
    }
    if shape.is_blank_tail {
        pattern.push_str(r"(?:[ \t].*)?");
    } else if shape.tail.is_none() {
        let _ = write!(pattern, "{}?", super::after::After::pattern(shape.reasons));
    }
    pattern.push_str(r"\z");
    pattern
}
