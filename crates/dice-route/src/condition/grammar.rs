//! From text to expression.

use std::ops::Range;

use dice_catalog::{Kind, Level};
use regex::{Regex, RegexBuilder};

use super::check::{Check, Place, Question, Scalar, Texts};
use super::expression::Expression;
use super::field::Part;
use super::token::{self, Sign, Token};
use super::{Field, MAX_LENGTH_BYTES, Malformed, glob, nearest};

/// The functions as they are written, and what each is.
pub const FUNCTIONS: &[(&str, &str)] = &[
    ("exists(FIELD)", "the event has the field"),
    ("contains(FIELD, TEXT, …)", "one of the texts is a part of the value"),
    ("starts_with(FIELD, TEXT, …)", "the value begins with one of the texts"),
    ("ends_with(FIELD, TEXT, …)", "the value ends with one of the texts"),
    ("equals(FIELD, TEXT, …)", "the value is one of the texts"),
    ("icontains, istarts_with, iends_with, iequals", "the same, whatever the case"),
    ("number(FIELD)", "the number that the value begins with, to be compared: `number(vars.took) > 250`"),
    ("file(GLOB, …)", "the statement's file: `*` stays in a folder, `**` does not, `*.c` is in any folder"),
    ("owned_by(OWNER, …)", "the message belongs to one of them; `message in owned_by(…)` is the same"),
    ("annotated(OWNER, …)", "the comment behind the statement names one of them; anybody without an owner"),
];

/// Parentheses inside each other.
const MAX_DEPTH: usize = 64;
/// Regular expressions and paths of one condition.
const MAX_PATTERNS: usize = 64;
/// Of one regular expression, compiled.
const MAX_PATTERN_BYTES: usize = 1 << 20;

/// The expression that `text` says.
pub(super) fn expression(text: &str) -> Result<Expression, Malformed> {
    if text.len() > MAX_LENGTH_BYTES {
        return Err(Malformed {
            at: 0..text.len(),
            wanted: format!("a condition of at most {MAX_LENGTH_BYTES} bytes"),
            found: format!("{} bytes", text.len()),
            hint: None,
        });
    }
    let mut parser = Parser { text, token: Token::End, at: 0..0, depth: 0, n_patterns: 0 };
    parser.next()?;
    if parser.token == Token::End {
        return Ok(Expression::Always(true));
    }
    let expression = parser.any()?;
    match parser.token {
        Token::End => Ok(expression),
        _ => Err(parser.wanted("`and`, `or` or the end")),
    }
}

struct Parser<'t> {
    text: &'t str,
    /// What comes next.
    token: Token,
    /// Where it stands.
    at: Range<usize>,
    depth: usize,
    n_patterns: usize,
}

impl Parser<'_> {
    /// Gives the next token and its place, and reads one further.
    fn next(&mut self) -> Result<(Token, Range<usize>), Malformed> {
        let (token, at) = token::next(self.text, self.at.end)?;
        Ok((std::mem::replace(&mut self.token, token), std::mem::replace(&mut self.at, at)))
    }

    fn wanted(&self, wanted: impl Into<String>) -> Malformed {
        self.wanted_at(self.at.clone(), wanted)
    }

    fn wanted_at(&self, at: Range<usize>, wanted: impl Into<String>) -> Malformed {
        let found = if at.is_empty() { "the end".to_owned() } else { quoted(&self.text[at.clone()]) };
        Malformed { at, wanted: wanted.into(), found, hint: None }
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(&self.token, Token::Word(found) if found == word)
    }

    fn skip(&mut self, token: &Token, wanted: &str) -> Result<(), Malformed> {
        if self.token != *token {
            return Err(self.wanted(wanted));
        }
        self.next().map(|_| ())
    }

    fn any(&mut self) -> Result<Expression, Malformed> {
        let mut parts = vec![self.all()?];
        while self.is_word("or") {
            self.next()?;
            parts.push(self.all()?);
        }
        Ok(Expression::any(parts))
    }

    fn all(&mut self) -> Result<Expression, Malformed> {
        let mut parts = vec![self.part()?];
        while self.is_word("and") {
            self.next()?;
            parts.push(self.part()?);
        }
        Ok(Expression::all(parts))
    }

    fn part(&mut self) -> Result<Expression, Malformed> {
        let mut is_negated = false;
        while self.is_word("not") {
            self.next()?;
            is_negated = !is_negated;
        }
        let part = match self.token {
            Token::Open => {
                if self.depth == MAX_DEPTH {
                    return Err(self.wanted(format!("at most {MAX_DEPTH} parentheses inside each other")));
                }
                self.depth += 1;
                self.next()?;
                let inner = self.any()?;
                self.skip(&Token::Close, "`and`, `or` or `)`")?;
                self.depth -= 1;
                inner
            }
            _ => self.comparison()?,
        };
        Ok(if is_negated { part.not() } else { part })
    }

    fn comparison(&mut self) -> Result<Expression, Malformed> {
        let Token::Word(word) = self.token.clone() else {
            return Err(self.wanted("a field, a function, `not` or `(`"));
        };
        let (_, at) = self.next()?;
        match &*word {
            "true" | "false" => return Ok(Expression::Always(word == "true")),
            "and" | "or" | "in" => return Err(self.wanted_at(at, "a field, a function, `not` or `(`")),
            _ => {}
        }
        if self.token == Token::Open {
            self.next()?;
            return self.function(&word, at);
        }
        let field = self.field(&word, at)?;
        self.compared(field, false)
    }

    fn field(&self, word: &str, at: Range<usize>) -> Result<Field, Malformed> {
        Field::parse(word).map_err(|malformed| Malformed { at, ..malformed })
    }

    /// What follows a field.
    fn compared(&mut self, field: Field, is_loose: bool) -> Result<Expression, Malformed> {
        let part = field.part();
        let check = |question| Expression::Check(Check { field: field.clone(), is_loose, question });
        let (token, at) = (self.token.clone(), self.at.clone());
        match token {
            Token::Sign(sign @ (Sign::Equal | Sign::NotEqual)) => {
                self.next()?;
                let value = self.value(part, is_loose)?;
                let equal = match (part, &value) {
                    (Part::Matched, Scalar::Text(text)) if &**text == "true" => check(Question::IsTrue),
                    (Part::Matched, _) => check(Question::IsTrue).not(),
                    _ => one_of(field.clone(), is_loose, vec![value]),
                };
                Ok(if sign == Sign::Equal { equal } else { equal.not() })
            }
            Token::Sign(sign @ (Sign::Matches | Sign::MatchesNot)) => {
                if let Some(better) = unfit(part).filter(|_| !is_loose) {
                    let mut malformed =
                        self.wanted_at(at, format!("another comparison of `{}`", field.name()));
                    malformed.hint = Some(better.to_owned());
                    return Err(malformed);
                }
                if is_loose {
                    return Err(self.wanted_at(at, "==, !=, <, <=, > or >= and a number"));
                }
                self.next()?;
                let pattern = self.pattern("a regular expression in quotes", regex)?.1;
                let matches = check(Question::Matches(pattern));
                Ok(if sign == Sign::Matches { matches } else { matches.not() })
            }
            Token::Sign(sign) => {
                if matches!(part, Part::Message | Part::Kind | Part::Matched | Part::Owner | Part::Annotation)
                {
                    return Err(self.wanted_at(at, format!("== or !=: `{}` has no order", field.name())));
                }
                self.next()?;
                let value = self.value(part, is_loose)?;
                let is_loose = is_loose && value.is_plain_number();
                Ok(Expression::Check(Check { field, is_loose, question: Question::Compared(sign, value) }))
            }
            Token::Word(word) if word == "in" || word == "not" => {
                self.next()?;
                if word == "not" && !self.is_word("in") {
                    return Err(self.wanted("`in`"));
                }
                if word == "not" {
                    self.next()?;
                }
                let inside = self.inside(field, is_loose)?;
                Ok(if word == "in" { inside } else { inside.not() })
            }
            _ if part == Part::Matched && !is_loose => Ok(check(Question::IsTrue)),
            _ => {
                let mut malformed = self.wanted("a comparison: ==, !=, <, <=, >, >=, =~, !~ or in");
                malformed.hint = Some(format!("`exists({field})` asks whether there is one"));
                Err(malformed)
            }
        }
    }

    /// What follows `in`.
    fn inside(&mut self, field: Field, is_loose: bool) -> Result<Expression, Malformed> {
        if let Token::Word(word) = self.token.clone() {
            let at = self.at.clone();
            if field.part() == Part::Message && matches!(&*word, "owned_by" | "annotated" | "file") {
                self.next()?;
                self.skip(&Token::Open, "`(`")?;
                return self.function(&word, at);
            }
        }
        self.skip(&Token::OpenList, "a list: [\"a\", \"b\"]")?;
        let mut values = Vec::new();
        while self.token != Token::CloseList {
            values.push(self.value(field.part(), is_loose)?);
            match self.token {
                Token::Comma => self.next().map(|_| ())?,
                Token::CloseList => {}
                _ => return Err(self.wanted("`,` or `]`")),
            }
        }
        self.next()?;
        Ok(one_of(field, is_loose, values))
    }

    /// A value that `part` may be compared with.
    fn value(&mut self, part: Part, is_loose: bool) -> Result<Scalar, Malformed> {
        let (token, at) = (self.token.clone(), self.at.clone());
        let word = match &token {
            Token::Word(word) | Token::Text(word) => Some(&**word),
            _ => None,
        };
        let value = match (part, &token) {
            _ if is_loose => match token {
                Token::Number(number) => Scalar::Number(number),
                _ => return Err(self.wanted("a number")),
            },
            (Part::Level, _) => match word.and_then(Level::from_word) {
                Some(level) => Scalar::Level(level),
                None => return Err(self.wanted(format!("a level: {}", words(Level::ALL.map(Level::as_str))))),
            },
            (Part::Kind, _) => match Kind::ALL.into_iter().find(|kind| Some(kind.as_str()) == word) {
                Some(kind) => Scalar::Kind(kind),
                None => return Err(self.wanted(format!("a kind: {}", words(Kind::ALL.map(Kind::as_str))))),
            },
            (Part::Matched, _) => match word {
                Some(word @ ("true" | "false")) => Scalar::Text(word.into()),
                _ => return Err(self.wanted("true or false")),
            },
            (Part::Message, _) => match word.and_then(|word| word.parse().ok()) {
                Some(id) => Scalar::Message(id),
                None => {
                    let mut malformed = self
                        .wanted("a message's id: 32 hexadecimal digits, `u:` before them where unmatched");
                    malformed.hint = unfit(part).map(str::to_owned);
                    return Err(malformed);
                }
            },
            (_, Token::Text(text)) => Scalar::Text(text.as_str().into()),
            (_, Token::Number(number)) => Scalar::Number(*number),
            (_, Token::Word(word)) if matches!(&**word, "true" | "false") => {
                Scalar::Text(word.as_str().into())
            }
            (_, Token::Word(word)) => {
                let mut malformed = self.wanted_at(at, "a text in quotes, a number, true or false");
                malformed.hint = Some(format!("write \"{word}\""));
                return Err(malformed);
            }
            _ => return Err(self.wanted("a text in quotes, a number, true or false")),
        };
        self.next()?;
        Ok(value)
    }

    /// A function after its `(`.
    fn function(&mut self, name: &str, at: Range<usize>) -> Result<Expression, Malformed> {
        let without_case = name.strip_prefix('i');
        let places = [Place::Anywhere, Place::Start, Place::End, Place::Whole];
        let place = |name: &str| places.into_iter().find(|place| place.function() == name);
        if let Some(place) = place(name) {
            let (field, texts) = self.texts_of_field()?;
            let question = Question::Holds(place, texts);
            return Ok(Expression::Check(Check { field, is_loose: false, question }));
        }
        if let Some(place) = without_case.and_then(place) {
            let (field, texts) = self.texts_of_field()?;
            let folded = self.limited(at, || folded(place, &texts))?;
            let question = Question::HoldsFolded(place, texts, folded);
            return Ok(Expression::Check(Check { field, is_loose: false, question }));
        }
        match name {
            "exists" => {
                let field = self.field_argument()?;
                self.skip(&Token::Close, "`)`")?;
                Ok(Expression::Check(Check { field, is_loose: false, question: Question::Exists }))
            }
            "number" => {
                let field = self.field_argument()?;
                self.skip(&Token::Close, "`)`")?;
                self.compared(field, true)
            }
            "owned_by" => self.owners("owner"),
            "annotated" if self.token == Token::Close => {
                self.next()?;
                let field = Field::parse("annotation")?;
                Ok(Expression::Check(Check { field, is_loose: false, question: Question::Exists }))
            }
            "annotated" => self.owners("annotation"),
            "file" => {
                let mut globs = Vec::new();
                loop {
                    let (text, pattern) = self.pattern("a path in quotes", glob::compile)?;
                    globs.push((text.into_boxed_str(), pattern));
                    if !self.has_more()? {
                        break;
                    }
                }
                globs.sort_by(|(a, _), (b, _)| a.cmp(b));
                globs.dedup_by(|(a, _), (b, _)| a == b);
                let question = Question::Path(globs.into());
                Ok(Expression::Check(Check { field: Field::parse("file")?, is_loose: false, question }))
            }
            _ => {
                let mut malformed = self.wanted_at(at, "a function");
                let known = FUNCTIONS.iter().flat_map(|(written, _)| written.split(", "));
                let known = known.map(|written| written.split('(').next().unwrap_or(written));
                malformed.hint = Some(match nearest(name, known.clone()) {
                    Some(name) => format!("did you mean `{name}`?"),
                    None => format!("there are {}", known.collect::<Vec<_>>().join(", ")),
                });
                Err(malformed)
            }
        }
    }

    fn field_argument(&mut self) -> Result<Field, Malformed> {
        let Token::Word(word) = self.token.clone() else { return Err(self.wanted("a field")) };
        let (_, at) = self.next()?;
        self.field(&word, at)
    }

    /// `FIELD, TEXT, …)`
    fn texts_of_field(&mut self) -> Result<(Field, Texts), Malformed> {
        let at = self.at.clone();
        let field = self.field_argument()?;
        if let Some(better) = unfit(field.part()) {
            let mut malformed = self.wanted_at(at, "a field with a text");
            malformed.hint = Some(better.to_owned());
            return Err(malformed);
        }
        self.skip(&Token::Comma, "`,` and a text")?;
        let mut texts: Vec<Box<str>> = Vec::new();
        loop {
            texts.push(self.text("a text in quotes")?.into());
            if !self.has_more()? {
                break;
            }
        }
        texts.sort();
        texts.dedup();
        Ok((field, texts.into()))
    }

    /// `OWNER, …)`
    fn owners(&mut self, field: &str) -> Result<Expression, Malformed> {
        let mut owners = Vec::new();
        loop {
            let at = self.at.clone();
            let owner =
                self.text("an owner in quotes: \"#channel\", \"@handle\", \"@org/team\" or an address")?;
            if !(owner.starts_with(['#', '@']) || owner.contains('@')) {
                let mut malformed =
                    self.wanted_at(at, "an owner: #channel, @handle, @org/team or an address");
                malformed.hint = Some(format!("write \"#{owner}\" for the channel"));
                return Err(malformed);
            }
            owners.push(Scalar::Text(owner.into()));
            if !self.has_more()? {
                break;
            }
        }
        Ok(one_of(Field::parse(field)?, false, owners))
    }

    /// Skips `,` (and says yes) or `)` (and says no).
    fn has_more(&mut self) -> Result<bool, Malformed> {
        match self.token {
            Token::Comma => self.next().map(|_| true),
            Token::Close => self.next().map(|_| false),
            _ => Err(self.wanted("`,` or `)`")),
        }
    }

    fn text(&mut self, wanted: &str) -> Result<String, Malformed> {
        let Token::Text(text) = self.token.clone() else { return Err(self.wanted(wanted)) };
        self.next()?;
        Ok(text)
    }

    /// A text in quotes and what it compiles to.
    fn pattern(
        &mut self,
        wanted: &str,
        compile: impl FnOnce(&str) -> Result<Regex, String>,
    ) -> Result<(String, Regex), Malformed> {
        let at = self.at.clone();
        let text = self.text(wanted)?;
        let pattern = self.limited(at, || compile(&text))?;
        Ok((text, pattern))
    }

    fn limited(
        &mut self,
        at: Range<usize>,
        compile: impl FnOnce() -> Result<Regex, String>,
    ) -> Result<Regex, Malformed> {
        self.n_patterns += 1;
        if self.n_patterns > MAX_PATTERNS {
            return Err(self.wanted_at(at, format!("at most {MAX_PATTERNS} expressions in one condition")));
        }
        compile().map_err(|found| Malformed {
            at,
            wanted: "an expression that can be compiled".to_owned(),
            found,
            hint: None,
        })
    }
}

/// The field is one of the values. What is the same for every event is said as such.
fn one_of(field: Field, is_loose: bool, mut values: Vec<Scalar>) -> Expression {
    if values.is_empty() {
        return Expression::Always(false);
    }
    if field.part() == Part::Matched {
        let yes = values.contains(&Scalar::Text("true".into()));
        let no = values.contains(&Scalar::Text("false".into()));
        let is_true = Expression::Check(Check { field, is_loose, question: Question::IsTrue });
        return match (yes, no) {
            (true, true) => Expression::Always(true),
            (true, false) => is_true,
            _ => is_true.not(),
        };
    }
    values.sort_by(Scalar::order);
    values.dedup();
    // `number(x)` makes a difference for numbers without a unit only.
    let is_loose = is_loose && values.iter().any(Scalar::is_plain_number);
    Expression::Check(Check { field, is_loose, question: Question::OneOf(values.into()) })
}

/// What to use instead of a field whose value is no text; `None` where it is one.
fn unfit(part: Part) -> Option<&'static str> {
    Some(match part {
        Part::Message => {
            "`message` is an id; what was printed is `text`, the words of the statement `template`"
        }
        Part::Level => "levels are compared with ==, !=, <, <=, >, >= and in",
        Part::Kind => "kinds are compared with ==, != and in",
        Part::Matched => "`matched` stands alone",
        _ => return None,
    })
}

/// The expression that says the same as `texts` at that place, whatever the case.
fn folded(place: Place, texts: &[Box<str>]) -> Result<Regex, String> {
    let any: Vec<String> = texts.iter().map(|text| regex::escape(text)).collect();
    let any = any.join("|");
    regex(&match place {
        Place::Anywhere => format!("(?i){any}"),
        Place::Start => format!("(?i)^(?:{any})"),
        Place::End => format!("(?i)(?:{any})$"),
        Place::Whole => format!("(?i)^(?:{any})$"),
    })
}

/// Compiles an expression within bounds.
pub(super) fn regex(pattern: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(pattern)
        .size_limit(MAX_PATTERN_BYTES)
        .dfa_size_limit(MAX_PATTERN_BYTES)
        .nest_limit(MAX_DEPTH as u32)
        .build();
    built.map_err(|err| match err {
        regex::Error::CompiledTooBig(limit) => format!("one that needs more than {limit} bytes"),
        // The last line says what is wrong; those before draw the expression.
        err => {
            let text = err.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.trim_start_matches("error: ").to_owned()
        }
    })
}

/// A piece of text as errors show it.
pub(super) fn quoted(text: &str) -> String {
    const MAX_CHARS: usize = 40;
    let mut shown: String = text.chars().take(MAX_CHARS).flat_map(shown).collect();
    if text.chars().nth(MAX_CHARS).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// A character, escaped where a terminal would obey it.
fn shown(c: char) -> impl Iterator<Item = char> {
    let (plain, escaped) = if c.is_control() { (None, Some(c.escape_default())) } else { (Some(c), None) };
    plain.into_iter().chain(escaped.into_iter().flatten())
}

fn words<const N: usize>(words: [&'static str; N]) -> String {
    words.join(", ")
}
