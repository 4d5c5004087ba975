//! What one Rust file tells about loggers.

use std::ops::ControlFlow;
use std::sync::OnceLock;

use dice_catalog::LineNo;
use rustc_hash::FxHashSet;
use tree_sitter::{ParseOptions, ParseState, Parser, Query, QueryCursor, StreamingIterator};

use super::text::{Span, inside, items, step};
use super::tokens::{Token, TokenKind, tokens};
use crate::{Language, Source};

/// The longest text of a constant that is kept.
const MAX_CONSTANT_BYTES: usize = 200;

/// The longest definition that is read.
const MAX_DEFINITION_BYTES: usize = 64 * 1024;

/// How far from the root of its own text a definition is.
const MAX_RULE_DEPTH: u32 = 1;

/// How many bytes of a definition the grammar may take for each time it asks whether to go on. It asks about
/// every thousand bytes of a sound one; what is broken in the right way would take it a square of its length.
const BYTES_PER_CHECK: usize = 64;

/// What one Rust file tells about loggers.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(super) definitions: Vec<Definition>,
    /// `use a::b as c`: `c` and `b`.
    pub(super) aliases: Vec<(Vec<u8>, Vec<u8>)>,
    /// `const NAME: &str = "text"`.
    pub(super) constants: Vec<(Vec<u8>, String)>,
    /// The names of macros that are called.
    pub(super) called: FxHashSet<Vec<u8>>,
}

/// A `macro_rules!`.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) name: Vec<u8>,
    pub(super) line: LineNo,
    pub(super) rules: Vec<Rule>,
}

/// A rule of a macro: the insides of its two brackets, as written.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) pattern: Vec<u8>,
    pub(super) body: Vec<u8>,
}

impl Facts {
    pub(crate) fn of(source: &Source<'_>) -> Facts {
        let mut facts = Facts::default();
        let mut reader: Option<DefinitionReader> = None;
        let mut defined_until = 0;
        let tokens = tokens(source.text);
        for (at, token) in tokens.iter().enumerate() {
            let Some(word) = token.word() else { continue };
            let after = |n: usize| tokens.get(at + n);
            match word {
                b"macro_rules" if at >= defined_until => {
                    let Some((name, end)) = definition(&tokens, at) else { continue };
                    let first = token.offset_in(source.text);
                    let last = &tokens[end - 1];
                    let text = &source.text[first..last.offset_in(source.text) + last.text.len()];
                    if text.len() > MAX_DEFINITION_BYTES {
                        continue;
                    }
                    let line = LineNo::from_row(memchr::memchr_iter(b'\n', &source.text[..first]).count());
                    let reader = reader.get_or_insert_with(|| DefinitionReader::new(source.language));
                    facts.definitions.push(Definition {
                        name: name.to_vec(),
                        line,
                        rules: reader.rules(text),
                    });
                    defined_until = end;
                }
                b"const" | b"static" => facts.constants.extend(constant(&tokens, at)),
                b"as" => {
                    let original = at.checked_sub(1).and_then(|before| tokens[before].word());
                    let alias = after(1).and_then(Token::word);
                    let ends =
                        after(2).is_some_and(|token| token.is(b';') || token.is(b',') || token.is(b'}'));
                    if let (Some(original), Some(alias), true) = (original, alias, ends)
                        && alias != original
                        && alias != b"_"
                    {
                        facts.aliases.push((alias.to_vec(), original.to_vec()));
                    }
                }
                _ => {
                    let is_call = after(1).is_some_and(|token| token.is(b'!'))
                        && after(2).is_some_and(|token| token.kind == TokenKind::Open);
                    if is_call && !facts.called.contains(word) {
                        facts.called.insert(word.to_vec());
                    }
                }
            }
        }
        let called = &facts.called;
        facts.aliases.retain(|(alias, _)| called.contains(alias));
        facts
    }
}

/// The name and the end of `macro_rules! name { … }`, where the first word is at `at`.
fn definition<'a>(tokens: &[Token<'a>], at: usize) -> Option<(&'a [u8], usize)> {
    let [sign, name, open] = tokens.get(at + 1..at + 4)? else { return None };
    let is_closed = open.kind == TokenKind::Open && (open.partner as usize) < tokens.len();
    if !sign.is(b'!') || !is_closed {
        return None;
    }
    let end = step(tokens, at + 3);
    // Only braces do without a semicolon.
    let end = if tokens.get(end).is_some_and(|token| token.is(b';')) { end + 1 } else { end };
    Some((name.word()?, end))
}

/// `const NAME: &'static str = "text";`, where the keyword is at `at`.
fn constant(tokens: &[Token<'_>], at: usize) -> Option<(Vec<u8>, String)> {
    let name = tokens.get(at + 1)?.word()?;
    if !tokens.get(at + 2)?.is(b':') || !tokens.get(at + 3)?.is(b'&') {
        return None;
    }
    let lifetime = usize::from(tokens.get(at + 4)?.kind == TokenKind::Lifetime);
    match tokens.get(at + 4 + lifetime..at + 8 + lifetime)? {
        [str, sign, text, end] if str.is_word("str") && sign.is(b'=') && end.is(b';') => {
            let text = String::from_utf8(text.string()?).ok()?;
            (text.len() <= MAX_CONSTANT_BYTES).then(|| (name.to_vec(), text))
        }
        _ => None,
    }
}

/// Reads definitions of macros. The grammar is asked for one definition at a time, found by its brackets:
/// what else the file holds, parsed or not, costs nothing and breaks nothing.
struct DefinitionReader {
    parser: Parser,
    cursor: QueryCursor,
    query: &'static Query,
}

impl DefinitionReader {
    fn new(language: &Language) -> DefinitionReader {
        static QUERY: OnceLock<Query> = OnceLock::new();
        let grammar = (language.grammar)();
        let query = QUERY.get_or_init(|| {
            Query::new(&grammar, language.query).expect("a test compiles every query that ships")
        });
        let mut parser = Parser::new();
        parser.set_language(&grammar).expect("grammars are linked for this tree-sitter");
        let mut cursor = QueryCursor::new();
        // A rule is near the root; looking for one in deep brackets takes a square of their depth.
        cursor.set_max_start_depth(Some(MAX_RULE_DEPTH));
        DefinitionReader { parser, cursor, query }
    }

    /// The rules of the definition that is `text`.
    fn rules(&mut self, text: &[u8]) -> Vec<Rule> {
        let mut n_left = 100 + text.len() / BYTES_PER_CHECK;
        let mut progress = |_: &ParseState| {
            n_left = n_left.saturating_sub(1);
            if n_left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let options = ParseOptions::new().progress_callback(&mut progress);
        let mut chunk = |offset: usize, _| text.get(offset..).unwrap_or_default();
        let Some(tree) = self.parser.parse_with_options(&mut chunk, None, Some(options)) else {
            self.parser.reset();
            return Vec::new();
        };
        // The brackets fit, so a sound definition has no error; asking the wreck of another can take long.
        if tree.root_node().has_error() {
            return Vec::new();
        }
        let mut rules = Vec::new();
        let mut matches = self.cursor.matches(self.query, tree.root_node(), text);
        while let Some(found) = matches.next() {
            let inside = |name: &str| {
                let index = self.query.capture_index_for_name(name)?;
                let node = found.nodes_for_capture_index(index).next()?;
                let range = node.byte_range();
                text.get(range.start + 1..range.end.checked_sub(1)?).map(<[u8]>::to_vec)
            };
            if let (Some(pattern), Some(body)) = (inside("pattern"), inside("body")) {
                rules.push(Rule { pattern, body });
            }
        }
        rules
    }
}

/// The parameters' names and where its body is, of the function whose name is at `name`.
pub(super) struct Function {
    /// The bracket of the body; `None` for a declaration.
    pub(super) body: Option<usize>,
    /// What stands before the colon of each parameter.
    pub(super) parameters: Vec<Span>,
}

impl Function {
    pub(super) fn at(tokens: &[Token<'_>], name: usize) -> Function {
        let mut function = Function { body: None, parameters: Vec::new() };
        let mut has_parameters = false;
        let mut at = name + 1;
        while let Some(token) = tokens.get(at) {
            match token.kind {
                TokenKind::Open if token.is(b'(') && !has_parameters => {
                    has_parameters = true;
                    for (item, _) in items(tokens, inside(tokens, at)) {
                        let mut colon = item.start;
                        while colon < item.end && !tokens[colon].is(b':') {
                            colon = step(tokens, colon);
                        }
                        function.parameters.push(item.start..colon.min(item.end));
                    }
                }
                TokenKind::Open if token.is(b'{') => {
                    function.body = Some(at);
                    break;
                }
                TokenKind::Close => break,
                TokenKind::Mark if token.is(b';') => break,
                // Another function begins: this one has no body.
                TokenKind::Word
                    if token.is_word("fn")
                        && tokens.get(at + 1).is_some_and(|next| next.word().is_some()) =>
                {
                    break;
                }
                _ => {}
            }
            at = step(tokens, at);
        }
        function
    }
}
