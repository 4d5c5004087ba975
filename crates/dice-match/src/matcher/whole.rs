//! One automaton for all shapes of a small catalog.
//!
//! It grows steeply with the number of shapes: 25 of them need about a megabyte, a hundred more than two
//! hundred. So it is built for few shapes, within a limit, and only once a source has shown that it has many
//! lines. It says which shapes fit a line, as asking each of them would.

use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::util::syntax;
use regex_automata::{Anchored, MatchKind};

use super::automaton;
use super::hole::Holes;
use super::shape::Shape;

/// Shapes of a small catalog.
const SHAPES: usize = 32;
/// Bytes of the automaton.
const BYTES: usize = 1 << 20;

/// One automaton for all shapes that have a word.
#[derive(Debug)]
pub(crate) struct Whole {
    dfa: dense::DFA<Vec<u32>>,
    start: StateID,
    /// The shape of each pattern.
    shapes: Vec<u32>,
}

impl Whole {
    /// The automaton of `shapes`; `None` when they are too many or need too much.
    pub(crate) fn new(shapes: &[Shape], holes: &Holes) -> Option<Whole> {
        let worded = || shapes.iter().enumerate().filter(|(_, shape)| shape.is_worded() || shape.is_marked());
        if worded().count() > SHAPES {
            return None;
        }
        let patterns: Vec<String> = worded().map(|(_, shape)| automaton::pattern(shape, holes)).collect();
        let dfa = dense::Builder::new()
            .configure(
                dense::Config::new()
                    .match_kind(MatchKind::All)
                    .start_kind(StartKind::Anchored)
                    .dfa_size_limit(Some(BYTES))
                    .determinize_size_limit(Some(4 * BYTES)),
            )
            .syntax(syntax::Config::new().utf8(false).unicode(false).dot_matches_new_line(true))
            .thompson(thompson::Config::new().utf8(false).nfa_size_limit(Some(BYTES)))
            .build_many(&patterns)
            .ok()?;
        let start =
            dfa.start_state(&regex_automata::util::start::Config::new().anchored(Anchored::Yes)).ok()?;
        Some(Whole { dfa, start, shapes: worded().map(|(place, _)| place as u32).collect() })
    }

    /// Gives `shape` every shape that `text` fits from its start to its end.
    pub(crate) fn fitting(&self, text: &[u8], mut shape: impl FnMut(u32)) {
        let mut state = self.start;
        for &byte in text {
            state = self.dfa.next_state(state, byte);
            if self.dfa.is_dead_state(state) {
                return;
            }
        }
        state = self.dfa.next_eoi_state(state);
        if self.dfa.is_match_state(state) {
            for n in 0..self.dfa.match_len(state) {
                shape(self.shapes[self.dfa.match_pattern(state, n).as_usize()]);
            }
        }
    }

    /// Bytes that it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.dfa.memory_usage() + 4 * self.shapes.len()
    }
}
