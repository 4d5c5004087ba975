//! What the grammar sees in a file: calls and functions.

use std::ops::ControlFlow;
use std::sync::OnceLock;

use tree_sitter::{ParseOptions, Parser, Query, QueryCursor, StreamingIterator as _};

use super::token::{Token, TokenKind};
use crate::Language;

/// How deep the tree is looked at; what is nested deeper is the lexer's alone.
const MAX_DEPTH: u32 = 10_000;

/// How many punctuation marks may follow one another; more are no C, and looking each through to the next name
/// takes quadratic time.
const MAX_MARKS: usize = 1_000;

/// How many symbols may wait for their end; the parser lets go of them one inside the other.
const MAX_WAITING: usize = 5_000;

/// Calls and functions of a file.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// Offsets of the names that are called, in order.
    pub(super) calls: Vec<usize>,
    /// Functions in the order of the text: where they begin and end, and their name.
    functions: Vec<(usize, usize, usize, usize)>,
}

impl Tree {
    /// Parses a file. One that the grammar cannot make sense of in a bounded number of steps gives nothing.
    pub(super) fn of(language: &'static Language, text: &[u8], tokens: &[Token]) -> Tree {
        if waits_long(text, tokens) {
            return Tree::default();
        }
        let mut parser = Parser::new();
        if parser.set_language(&(language.grammar)()).is_err() {
            return Tree::default();
        }
        // The parser reports in between, every hundred or so steps; error recovery may take many steps a byte.
        let mut steps_left = 2_000 + text.len() / 50;
        let mut progress = |_: &tree_sitter::ParseState| {
            steps_left = steps_left.saturating_sub(1);
            if steps_left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let options = ParseOptions::new().progress_callback(&mut progress);
        let Some(tree) =
            parser.parse_with_options(&mut |at, _| text.get(at..).unwrap_or_default(), None, Some(options))
        else {
            return Tree::default();
        };
        if tree.root_node().has_error() && has_long_marks(&tree) {
            return Tree::default();
        }
        let query = query(language);
        let names = query.capture_names();
        let mut found = Tree::default();
        let mut cursor = QueryCursor::new();
        // The cursor counts depth in 16 bits, and takes quadratic time where that is not enough.
        cursor.set_max_start_depth(Some(MAX_DEPTH));
        let mut matches = cursor.matches(query, tree.root_node(), text);
        while let Some(one) = matches.next() {
            let mut function = None;
            let mut name = None;
            for capture in one.captures() {
                let range = capture.node.byte_range();
                match names[capture.index as usize] {
                    "callee" => found.calls.push(range.start),
                    "function" => function = Some(range),
                    "name" => name = Some(range),
                    _ => {}
                }
            }
            if let (Some(function), Some(name)) = (function, name) {
                found.functions.push((function.start, function.end, name.start, name.end));
            }
        }
        found.calls.sort_unstable();
        found.functions.sort_unstable();
        found
    }

    /// The name of the function around an offset.
    pub(super) fn function<'t>(&self, at: usize, text: &'t [u8]) -> Option<&'t [u8]> {
        let after = self.functions.partition_point(|&(start, ..)| start <= at);
        let &(_, end, name, name_end) = self.functions.get(after.checked_sub(1)?)?;
        (at < end).then(|| text.get(name..name_end)).flatten()
    }
}

/// Whether very many symbols wait for their end: deep nesting, or an expression that goes on and on.
fn waits_long(text: &[u8], tokens: &[Token]) -> bool {
    // The open brackets, and how many symbols wait inside each.
    let mut open: Vec<(u8, usize)> = vec![(b'{', 0)];
    let mut all = 0usize;
    let mut conditionals = 0usize;
    for (at, token) in tokens.iter().enumerate() {
        let Some((bracket, here)) = open.last_mut() else { return false };
        let bracket = *bracket;
        *here += 1;
        all += 1;
        let ends = match token.kind {
            TokenKind::Punct(b';') => {
                bracket == b'{' && tokens.get(at + 1).is_none_or(|next| next.of(text) != b"else")
            }
            TokenKind::Punct(b',') => bracket == b'{',
            _ => false,
        };
        match token.kind {
            _ if ends => {
                all -= *here;
                *here = 0;
            }
            TokenKind::Punct(bracket @ (b'(' | b'[' | b'{')) => open.push((bracket, 0)),
            TokenKind::Punct(close @ (b')' | b']')) => {
                let matching = if close == b')' { b'(' } else { b'[' };
                if bracket == matching {
                    all -= *here;
                    open.pop();
                }
            }
            TokenKind::If => conditionals += 1,
            TokenKind::EndIf => conditionals = conditionals.saturating_sub(1),
            TokenKind::Punct(b'}') if open.len() > 1 => {
                // A brace closes what is left open inside.
                let mut found = false;
                while open.len() > 1 && !found {
                    let (bracket, inside) = open.pop().unwrap_or_default();
                    all -= inside;
                    found = bracket == b'{';
                }
                // A block ends what it stands in, unless something goes on after it.
                let goes_on = tokens.get(at + 1).is_some_and(|next| next.of(text) == b"else");
                if let Some((b'{', around)) = open.last_mut()
                    && !goes_on
                {
                    all -= *around;
                    *around = 0;
                }
            }
            _ => {}
        }
        if all + conditionals > MAX_WAITING {
            return true;
        }
    }
    false
}

/// Whether some node has very many punctuation marks in a row.
fn has_long_marks(tree: &tree_sitter::Tree) -> bool {
    let mut cursor = tree.walk();
    // Of the siblings so far, how many marks stand at the end: for the current node and those around it.
    let mut marks = 0;
    let mut around = Vec::new();
    loop {
        marks = if cursor.node().is_named() { 0 } else { marks + 1 };
        if marks > MAX_MARKS {
            return true;
        }
        if cursor.goto_first_child() {
            around.push(std::mem::take(&mut marks));
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return false;
            }
            marks = around.pop().unwrap_or(0);
        }
    }
}

/// The language's `statements.scm`, compiled once.
fn query(language: &'static Language) -> &'static Query {
    static QUERY: OnceLock<Query> = OnceLock::new();
    QUERY.get_or_init(|| {
        Query::new(&(language.grammar)(), language.query)
            .expect("a test compiles every statements.scm that ships")
    })
}
