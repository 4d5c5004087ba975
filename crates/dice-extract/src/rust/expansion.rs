//! Expanding `macro_rules!`: which rule fits, and what it becomes.

use rustc_hash::FxHashMap;

use super::text::{Span, inside, step};
use super::tokens::{Token, TokenKind, pair};

/// How deep repetitions and brackets in a pattern are followed.
const MAX_DEPTH: usize = 16;

/// How much one use becomes at most: bytes, and four for every token.
const MAX_OUTPUT: usize = 256 * 1024;

/// What a metavariable stands for.
#[derive(Debug, Clone)]
enum Bound {
    One(Span),
    Many(Vec<Bound>),
}

type Bindings<'p> = FxHashMap<&'p [u8], Bound>;

/// What a use with the arguments `input` becomes by the rule `pattern => body`; `None` when it does not fit.
///
/// Fragments end at the next comma, semicolon or arrow: close to what the compiler does, without a parser
/// for expressions and types.
pub(super) fn expanded<'t>(
    pattern: &[Token<'t>],
    body: &[Token<'t>],
    input: &[Token<'t>],
) -> Option<Vec<Token<'t>>> {
    let matcher = Matcher { pattern, input };
    let mut bindings = Bindings::default();
    let end = matcher.sequence(0..pattern.len(), 0..input.len(), &mut bindings, 0)?;
    // A comma may end any list of arguments.
    let is_all = end >= input.len() || (end + 1 == input.len() && input[end].is(b','));
    if !is_all {
        return None;
    }
    let mut output = Vec::new();
    let bindings: Vec<(&[u8], &Bound)> = bindings.iter().map(|(name, bound)| (*name, bound)).collect();
    transcribe(
        body,
        0..body.len(),
        input,
        &bindings,
        0,
        &mut Output { tokens: &mut output, left: MAX_OUTPUT },
    )?;
    pair(&mut output);
    Some(output)
}

struct Matcher<'s, 't> {
    pattern: &'s [Token<'t>],
    input: &'s [Token<'t>],
}

impl<'s, 't> Matcher<'s, 't> {
    /// Matches a run of the pattern at the start of a run of the input; gives where the match ends.
    fn sequence(
        &self,
        pattern: Span,
        input: Span,
        bindings: &mut Bindings<'t>,
        depth: usize,
    ) -> Option<usize> {
        if depth > MAX_DEPTH {
            return None;
        }
        let (mut at, mut from) = (pattern.start, input.start);
        while at < pattern.end {
            let token = &self.pattern[at];
            let next = self.pattern.get(at + 1).filter(|_| at + 1 < pattern.end);
            match next {
                Some(name) if token.is(b'$') && name.kind == TokenKind::Word => {
                    let specifier = self.pattern.get(at + 3).filter(|_| at + 3 < pattern.end);
                    let end = self.fragment(specifier.map_or(b"tt", |word| word.text), from, input.end)?;
                    bindings.insert(name.text, Bound::One(from..end));
                    from = end;
                    at += if specifier.is_some() { 4 } else { 2 };
                }
                Some(open) if token.is(b'$') && open.is(b'(') => {
                    let repetition = Repetition::at(self.pattern, at + 1, pattern.end)?;
                    from = self.repeated(&repetition, from..input.end, bindings, depth)?;
                    at = repetition.end;
                }
                _ if token.kind == TokenKind::Open => {
                    let here = self.input.get(from).filter(|_| from < input.end)?;
                    if here.text != token.text {
                        return None;
                    }
                    let group = inside(self.input, from);
                    let group = group.start..group.end.min(input.end);
                    let pattern = inside(self.pattern, at);
                    if self.sequence(pattern, group.clone(), bindings, depth + 1)? < group.end {
                        return None;
                    }
                    at = step(self.pattern, at);
                    from = step(self.input, from);
                }
                _ => {
                    let here = self.input.get(from).filter(|_| from < input.end)?;
                    if here.text != token.text {
                        return None;
                    }
                    at += 1;
                    from += 1;
                }
            }
        }
        Some(from)
    }

    fn repeated(
        &self,
        repetition: &Repetition,
        input: Span,
        bindings: &mut Bindings<'t>,
        depth: usize,
    ) -> Option<usize> {
        let mut rounds: Vec<Bindings<'t>> = Vec::new();
        let mut from = input.start;
        while from < input.end && !(repetition.is_optional && rounds.len() == 1) {
            let mut start = from;
            if !rounds.is_empty() {
                let separator = &self.pattern[repetition.separator.clone()];
                let here = self.input.get(start..input.end).unwrap_or_default();
                let fits = separator.iter().zip(here).all(|(a, b)| a.text == b.text);
                if !fits || here.len() < separator.len() {
                    break;
                }
                start += separator.len();
            }
            let mut round = Bindings::default();
            match self.sequence(repetition.inside.clone(), start..input.end, &mut round, depth + 1) {
                Some(end) if end > from => {
                    from = end;
                    rounds.push(round);
                }
                _ => break,
            }
        }
        if repetition.is_at_least_one && rounds.is_empty() {
            return None;
        }
        for name in self.names(repetition.inside.clone()) {
            let values = rounds.iter_mut().filter_map(|round| round.remove(name)).collect();
            bindings.insert(name, Bound::Many(values));
        }
        Some(from)
    }

    /// The metavariables of a run of the pattern.
    fn names(&self, pattern: Span) -> Vec<&'t [u8]> {
        let run = &self.pattern[pattern];
        let is_name = |pair: &&[Token<'t>]| pair[0].is(b'$') && pair[1].kind == TokenKind::Word;
        run.windows(2).filter(is_name).map(|pair| pair[1].text).collect()
    }

    /// The end of a fragment that begins at `from`.
    fn fragment(&self, specifier: &[u8], from: usize, end: usize) -> Option<usize> {
        let token = self.input.get(from).filter(|_| from < end);
        if specifier == b"vis" {
            let Some(token) = token.filter(|token| token.is_word("pub")) else { return Some(from) };
            let scope = self.input.get(from + 1).is_some_and(|next| from + 1 < end && next.is(b'('));
            let _ = token;
            return Some(if scope { step(self.input, from + 1).min(end) } else { from + 1 });
        }
        let token = token?;
        let is_literal = |token: &Token<'_>| {
            matches!(token.kind, TokenKind::Str | TokenKind::Number | TokenKind::OtherLiteral)
                || token.is_word("true")
                || token.is_word("false")
        };
        match specifier {
            b"tt" => Some(step(self.input, from).min(end)),
            b"ident" => (token.kind == TokenKind::Word).then_some(from + 1),
            b"lifetime" => (token.kind == TokenKind::Lifetime).then_some(from + 1),
            b"block" => token.is(b'{').then(|| step(self.input, from).min(end)),
            b"literal" if token.is(b'-') => {
                self.input.get(from + 1).filter(|next| from + 1 < end && is_literal(next)).map(|_| from + 2)
            }
            b"literal" => is_literal(token).then_some(from + 1),
            _ => {
                let is_type = matches!(specifier, b"ty" | b"path" | b"pat" | b"pat_param");
                let mut at = from;
                while at < end {
                    let token = &self.input[at];
                    let next = self.input.get(at + 1).filter(|_| at + 1 < end);
                    let is_arrow = token.is(b'=') && next.is_some_and(|next| next.is(b'>'));
                    let ends_type = is_type && (token.is(b'=') || token.is(b'{'));
                    if token.is(b',') || token.is(b';') || is_arrow || ends_type {
                        break;
                    }
                    at = step(self.input, at);
                }
                let at = at.min(end);
                (at > from).then_some(at)
            }
        }
    }
}

/// `$( … ) separator op`.
struct Repetition {
    inside: Span,
    separator: Span,
    is_at_least_one: bool,
    is_optional: bool,
    /// The place after it.
    end: usize,
}

impl Repetition {
    /// The one whose bracket is at `open`.
    fn at(tokens: &[Token<'_>], open: usize, end: usize) -> Option<Repetition> {
        let after = step(tokens, open);
        // A separator is one token; `=>` and `::` are two of ours.
        let place = (after..end.min(after + 3)).find(|&at| {
            let is_sign = tokens[at].is(b'*') || tokens[at].is(b'+') || tokens[at].is(b'?');
            let doubled =
                tokens.get(at + 1).is_some_and(|next| at == after && next.is(b'*') && tokens[at].is(b'+'));
            is_sign && !doubled
        })?;
        Some(Repetition {
            inside: inside(tokens, open),
            separator: after..place,
            is_at_least_one: tokens[place].is(b'+'),
            is_optional: tokens[place].is(b'?'),
            end: place + 1,
        })
    }
}

struct Output<'o, 't> {
    tokens: &'o mut Vec<Token<'t>>,
    /// How much of [`MAX_OUTPUT`] is left.
    left: usize,
}

impl<'t> Output<'_, 't> {
    fn push(&mut self, tokens: &[Token<'t>]) -> Option<()> {
        for token in tokens {
            self.left = self.left.checked_sub(token.text.len() + 4)?;
            self.tokens.push(*token);
        }
        Some(())
    }
}

fn transcribe<'t>(
    body: &[Token<'t>],
    span: Span,
    input: &[Token<'t>],
    bindings: &[(&'t [u8], &Bound)],
    depth: usize,
    output: &mut Output<'_, 't>,
) -> Option<()> {
    if depth > MAX_DEPTH {
        return None;
    }
    let mut at = span.start;
    while at < span.end {
        let token = body[at];
        let next = body.get(at + 1).filter(|_| at + 1 < span.end);
        match next {
            Some(name) if token.is(b'$') && name.kind == TokenKind::Word => {
                let bound = bindings.iter().rev().find(|(known, _)| *known == name.text);
                match bound {
                    Some((_, Bound::One(value))) => output.push(&input[value.clone()])?,
                    Some((_, Bound::Many(_))) => {}
                    // `$crate`, and metavariables of macros that the body defines.
                    None => output.push(&[*name])?,
                }
                at += 2;
            }
            Some(open) if token.is(b'$') && open.is(b'(') => {
                let Some(repetition) = Repetition::at(body, at + 1, span.end) else {
                    output.push(&[token])?;
                    at += 1;
                    continue;
                };
                let run = &body[repetition.inside.clone()];
                let used: Vec<(&[u8], &Vec<Bound>)> = bindings
                    .iter()
                    .filter_map(|(name, bound)| match bound {
                        Bound::Many(values) => Some((*name, values)),
                        Bound::One(_) => None,
                    })
                    .filter(|(name, _)| run.windows(2).any(|pair| pair[0].is(b'$') && pair[1].text == *name))
                    .collect();
                let n_rounds = used.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
                for round in 0..n_rounds {
                    // A round costs even when it adds nothing.
                    output.left = output.left.checked_sub(1)?;
                    if round > 0 {
                        output.push(&body[repetition.separator.clone()])?;
                    }
                    let mut bindings = bindings.to_vec();
                    let values = used.iter().filter_map(|(name, values)| Some((*name, values.get(round)?)));
                    bindings.extend(values);
                    transcribe(body, repetition.inside.clone(), input, &bindings, depth + 1, output)?;
                }
                at = repetition.end;
            }
            _ => {
                output.push(&[token])?;
                at += 1;
            }
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::super::tokens::tokens;
    use super::expanded;

    #[track_caller]
    fn check(pattern: &str, body: &str, input: &str, expected: Option<&str>) {
        let (pattern, body, input) =
            (tokens(pattern.as_bytes()), tokens(body.as_bytes()), tokens(input.as_bytes()));
        let shown = expanded(&pattern, &body, &input).map(|tokens| {
            let words: Vec<_> = tokens.iter().map(|t| String::from_utf8_lossy(t.text)).collect();
            words.join(" ")
        });
        assert_eq!(shown.as_deref(), expected);
    }

    #[test]
    fn fragments_are_put_in_place() {
        check("$($arg:tt)*", "warn!($($arg)*)", "\"a {}\", b.c()", Some("warn ! ( \"a {}\" , b . c ( ) )"));
        check(
            "$fmt:literal $(, $arg:expr)* $(,)?",
            "f!(concat!(\"p \", $fmt) $(, $arg)*)",
            "\"x\", 1 + 2, y,",
            Some("f ! ( concat ! ( \"p \" , \"x\" ) , 1 + 2 , y )"),
        );
        check("$k:ident => $v:expr", "$crate::g!($k = $v)", "a => b", Some("crate : : g ! ( a = b )"));
    }

    #[test]
    fn a_rule_that_does_not_fit_gives_nothing() {
        check("$fmt:literal", "x", "name", None);
        check("once: $($arg:tt)*", "x", "\"a\"", None);
        check("{ $a:expr }", "x", "(1)", None);
        check("$($a:expr),+", "x", "", None);
    }
}
