//! What one Rust file tells about loggers.

use std::ops::ControlFlow;
use std::sync::OnceLock;

use dice_catalog::LineNo;
use memchr::memmem;
use rustc_hash::FxHashSet;
use tree_sitter::{ParseOptions, Parser, Query, QueryCursor, StreamingIterator};

use super::text::{Span, inside, items, step};
use super::tokens::{Token, TokenKind, tokens};
use crate::Source;

/// The longest text of a constant that is kept.
const MAX_CONSTANT_BYTES: usize = 200;

/// How much of a definition is kept.
const MAX_RULE_BYTES: usize = 64 * 1024;

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
        let tokens = tokens(source.text);
        for (at, token) in tokens.iter().enumerate() {
            let Some(word) = token.word() else { continue };
            let after = |n: usize| tokens.get(at + n);
            match word {
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
        facts.definitions = definitions(source);
        facts
    }
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

/// The file's `macro_rules!`, in the order of the text.
fn definitions(source: &Source<'_>) -> Vec<Definition> {
    static QUERY: OnceLock<Query> = OnceLock::new();
    if memmem::find(source.text, b"macro_rules!").is_none() {
        return Vec::new();
    }
    let grammar = (source.language.grammar)();
    let query = QUERY.get_or_init(|| {
        Query::new(&grammar, source.language.query).expect("a test compiles every query that ships")
    });
    let mut parser = Parser::new();
    parser.set_language(&grammar).expect("grammars are linked for this tree-sitter");
    // Recovery from errors can take longer than any file is worth; well-formed text needs a small part of this.
    let mut left = 1000 + source.text.len();
    let mut progress = |_: &tree_sitter::ParseState| {
        left = left.saturating_sub(1);
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut progress);
    let mut read = |offset: usize, _| source.text.get(offset..).unwrap_or_default();
    let Some(tree) = parser.parse_with_options(&mut read, None, Some(options)) else { return Vec::new() };
    let mut definitions: Vec<(usize, Definition)> = Vec::new();
    let mut cursor = QueryCursor::new();
    let mut matches = cursor.matches(query, tree.root_node(), source.text);
    while let Some(found) = matches.next() {
        let node = |name: &str| {
            let index = query.capture_index_for_name(name)?;
            found.nodes_for_capture_index(index).next()
        };
        let (Some(name), Some(pattern), Some(body)) = (node("name"), node("pattern"), node("body")) else {
            continue;
        };
        let inside = |node: tree_sitter::Node<'_>| {
            let text = &source.text[node.byte_range()];
            text.get(1..text.len().saturating_sub(1)).unwrap_or_default().to_vec()
        };
        let rule = Rule { pattern: inside(pattern), body: inside(body) };
        if rule.pattern.len() + rule.body.len() > MAX_RULE_BYTES {
            continue;
        }
        match definitions.last_mut() {
            Some((start, definition)) if *start == name.start_byte() => definition.rules.push(rule),
            _ => definitions.push((
                name.start_byte(),
                Definition {
                    name: source.text[name.byte_range()].to_vec(),
                    line: LineNo::from_row(name.start_position().row),
                    rules: vec![rule],
                },
            )),
        }
    }
    definitions.into_iter().map(|(_, definition)| definition).collect()
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
