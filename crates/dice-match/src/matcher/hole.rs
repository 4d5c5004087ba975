//! Automata of typed holes.

use dice_catalog::{Hole, HoleKind};
use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::util::primitives::StateID;
use regex_automata::util::syntax;
use regex_automata::{Anchored, MatchKind};

/// A typed hole's place among the automata of one matcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct HoleId(u16);

/// What loggers write for a byte that no terminal shows.
const ESCAPED: &str = r#"|\\(?:[0-7]{1,3}|x[0-9A-Fa-f]{2}|[abefnrstv\\"'])|\^[@-_?]"#;

/// One small automaton for each typed hole that occurs in a catalog.
#[derive(Debug, Default)]
pub(crate) struct Holes {
    holes: Vec<Hole>,
    automata: Vec<HoleAutomaton>,
}

#[derive(Debug)]
struct HoleAutomaton {
    dfa: dense::DFA<Vec<u32>>,
    start: StateID,
}

/// Bytes that one hole's automaton may need.
const HOLE_BYTES: usize = 1 << 18;
/// Holes that differ, at most; widths and precisions do not multiply without end in real sources.
const HOLES: usize = 4096;

impl Holes {
    /// The automaton of `hole`; `None` when it is too large, which no hole of the file format is.
    pub(crate) fn add(&mut self, hole: &Hole) -> Option<HoleId> {
        let place = match self.holes.iter().position(|known| known == hole) {
            Some(place) => place,
            None if self.holes.len() >= HOLES => return None,
            None => {
                self.automata.push(HoleAutomaton::new(hole)?);
                self.holes.push(*hole);
                self.holes.len() - 1
            }
        };
        u16::try_from(place).ok().map(HoleId)
    }

    /// The hole of an automaton.
    pub(crate) fn hole(&self, id: HoleId) -> &Hole {
        &self.holes[id.0 as usize]
    }

    /// The regular expression of what the hole shows in a log.
    pub(crate) fn pattern(&self, id: HoleId) -> String {
        pattern(self.hole(id))
    }

    /// Calls `end` with every place where a value that starts at `at` can end, in ascending order, until it
    /// says no. Gives the number of bytes looked at.
    pub(crate) fn ends(
        &self,
        id: HoleId,
        text: &[u8],
        at: usize,
        mut end: impl FnMut(usize) -> bool,
    ) -> usize {
        let HoleAutomaton { dfa, start } = &self.automata[id.0 as usize];
        let mut state = *start;
        // The automaton tells a match one byte late.
        for (n, &byte) in text[at..].iter().enumerate() {
            state = dfa.next_state(state, byte);
            if dfa.is_special_state(state)
                && (dfa.is_match_state(state) && !end(at + n) || dfa.is_dead_state(state))
            {
                return n + 1;
            }
        }
        if dfa.is_match_state(dfa.next_eoi_state(state)) {
            end(text.len());
        }
        text.len() - at + 1
    }

    /// Bytes of all automata.
    pub(crate) fn bytes(&self) -> usize {
        self.automata.iter().map(|automaton| automaton.dfa.memory_usage()).sum()
    }
}

fn pattern(hole: &Hole) -> String {
    match hole.kind {
        HoleKind::Char => format!("(?:{}{ESCAPED})", hole.pattern()),
        _ => hole.pattern(),
    }
}

impl HoleAutomaton {
    fn new(hole: &Hole) -> Option<HoleAutomaton> {
        let dfa = dense::Builder::new()
            .configure(
                dense::Config::new()
                    .match_kind(MatchKind::All)
                    .start_kind(StartKind::Anchored)
                    .dfa_size_limit(Some(HOLE_BYTES))
                    .determinize_size_limit(Some(4 * HOLE_BYTES)),
            )
            .syntax(syntax::Config::new().utf8(false).unicode(false).dot_matches_new_line(true))
            .thompson(regex_automata::nfa::thompson::Config::new().utf8(false))
            .build(&pattern(hole))
            .ok()?;
        let start = dfa.universal_start_state(Anchored::Yes)?;
        Some(HoleAutomaton { dfa, start })
    }
}

#[cfg(test)]
mod tests {
    use dice_catalog::{Hole, HoleKind};

    use super::Holes;

    #[track_caller]
    fn check(kind: HoleKind, text: &str, wanted: &[usize]) {
        let mut holes = Holes::default();
        let id = holes.add(&Hole::of(kind)).unwrap();
        let mut found = Vec::new();
        holes.ends(id, text.as_bytes(), 0, |end| {
            found.push(end);
            true
        });
        assert_eq!(found, wanted, "{kind:?} in {text}");
    }

    #[test]
    fn every_end_of_a_value_is_told() {
        check(HoleKind::Int, "-12x", &[2, 3]);
        check(HoleKind::Int, "12", &[1, 2]);
        check(HoleKind::Int, "x", &[]);
        check(HoleKind::Bool, "true", &[4]);
        check(HoleKind::Quoted, r#""a\"b" c"#, &[6]);
        check(HoleKind::Char, "é", &[0, 1, 2]);
        check(HoleKind::Char, r"\033'", &[0, 1, 2, 3, 4]);
        check(HoleKind::Char, r"\r'", &[0, 1, 2]);
        check(HoleKind::Float, "1.5e3", &[1, 3, 5]);
    }

    #[test]
    fn every_kind_has_an_automaton() {
        let mut holes = Holes::default();
        for kind in HoleKind::ALL {
            let hole = Hole::of(kind);
            assert!(hole.is_untyped() || holes.add(&hole).is_some(), "{kind:?}");
        }
    }
}
