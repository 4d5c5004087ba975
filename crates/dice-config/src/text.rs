//! Texts that a configuration is read from, and places in them.

use std::ops::Range;

use dice_route::address::public;

use crate::problem::Problem;

/// A place in one of the texts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Place {
    /// The number of the text.
    pub(crate) text: usize,
    /// Where, in bytes.
    pub(crate) at: Range<usize>,
}

/// The texts, and what is wrong with them so far.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    texts: Vec<Text>,
    problems: Vec<Problem>,
    /// With those that are not kept.
    n_problems: usize,
    warnings: Vec<Problem>,
}

#[derive(Debug)]
struct Text {
    name: String,
    content: String,
    /// Where each line begins.
    lines: Vec<usize>,
}

/// What is wrong, before it has a place.
#[derive(Debug, Clone)]
pub(crate) struct Complaint {
    pub(crate) text: String,
    pub(crate) hint: Option<String>,
}

/// More than these are not kept: nobody reads them, and a hostile text could make any number.
const MAX_PROBLEMS: usize = 1_000;

impl Desk {
    /// Takes a text and gives its number.
    pub(crate) fn add(&mut self, name: &str, content: String) -> usize {
        let mut lines = vec![0];
        lines.extend(content.match_indices('\n').map(|(at, _)| at + 1));
        self.texts.push(Text { name: name.to_owned(), content, lines });
        self.texts.len() - 1
    }

    pub(crate) fn content(&self, text: usize) -> &str {
        &self.texts[text].content
    }

    /// What was written at a place.
    pub(crate) fn written(&self, place: &Place) -> &str {
        self.texts[place.text].content.get(place.at.clone()).unwrap_or_default()
    }

    /// Something is wrong.
    pub(crate) fn complain(&mut self, place: &Place, key: &str, complaint: Complaint) {
        let problem = self.located(place, key, complaint);
        self.n_problems += 1;
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }

    /// Something may be wrong.
    pub(crate) fn warn(&mut self, place: &Place, key: &str, complaint: Complaint) {
        let problem = self.located(place, key, complaint);
        if self.warnings.len() < MAX_PROBLEMS {
            self.warnings.push(problem);
        }
    }

    /// Something is wrong with a file that is not one of the texts.
    pub(crate) fn complain_of_file(
        &mut self,
        file: &str,
        line: usize,
        complaint: Complaint,
        is_warning: bool,
    ) {
        let Complaint { text, hint } = complaint;
        let column = usize::from(line > 0);
        let problem = Problem { file: file.to_owned(), line, column, key: String::new(), text, hint };
        self.n_problems += usize::from(!is_warning);
        let list = if is_warning { &mut self.warnings } else { &mut self.problems };
        if list.len() < MAX_PROBLEMS {
            list.push(problem);
        }
    }

    fn located(&self, place: &Place, key: &str, complaint: Complaint) -> Problem {
        let text = &self.texts[place.text];
        let at = place.at.start.min(text.content.len());
        let line = text.lines.partition_point(|start| *start <= at);
        let before = text.content.get(text.lines[line - 1]..at).unwrap_or_default();
        Problem {
            file: text.name.clone(),
            line,
            column: before.chars().count() + 1,
            key: key.to_owned(),
            text: complaint.text,
            hint: complaint.hint,
        }
    }

    /// A place as `file:line`.
    pub(crate) fn named(&self, place: &Place) -> String {
        let (file, line) = self.place(place);
        format!("{file}:{line}")
    }

    /// The file and the line of a place.
    pub(crate) fn place(&self, place: &Place) -> (String, usize) {
        let Problem { file, line, .. } = self.located(place, "", Complaint::new(""));
        (file, line)
    }

    /// How many problems there are so far.
    pub(crate) fn n_problems(&self) -> usize {
        self.n_problems
    }

    /// The problems and the warnings, each by file and place, without repeats.
    pub(crate) fn finish(self) -> (Vec<Problem>, Vec<Problem>) {
        let order: Vec<String> = self.texts.into_iter().map(|text| text.name).collect();
        let sorted = |mut problems: Vec<Problem>| {
            let number = |file: &str| order.iter().position(|name| name == file).unwrap_or(usize::MAX);
            problems.sort_by(|a, b| number(&a.file).cmp(&number(&b.file)).then_with(|| a.cmp(b)));
            problems.dedup();
            problems
        };
        (sorted(self.problems), sorted(self.warnings))
    }
}

impl Complaint {
    pub(crate) fn new(text: impl Into<String>) -> Complaint {
        Complaint { text: text.into(), hint: None }
    }

    pub(crate) fn wanted(wanted: impl std::fmt::Display, found: impl std::fmt::Display) -> Complaint {
        Complaint::new(format!("wanted {wanted}, found {found}"))
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Complaint {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn hint_if(mut self, hint: Option<String>) -> Complaint {
        self.hint = hint;
        self
    }
}

/// A piece of the configuration as problems show it, without what may be a password in an address.
pub(crate) fn shown(written: &str) -> String {
    const MAX_CHARS: usize = 40;
    let line = written.lines().next().unwrap_or_default();
    let address = line.find("://").filter(|at| line[*at..].contains('@'));
    let address = address.map(|at| line[..at].trim_end_matches(|c: char| c.is_ascii_alphanumeric()).len());
    let line = &address.map_or(line.to_owned(), |at| line[..at].to_owned() + &public(&line[at..]));
    let mut shown: String =
        line.chars().take(MAX_CHARS).map(|c| if c.is_control() { '·' } else { c }).collect();
    if line.chars().nth(MAX_CHARS).is_some() || written.lines().nth(1).is_some() {
        shown.push('…');
    }
    shown
}

/// Where byte `offset` of a string's content stands in the string as written, quotes and escapes included.
pub(crate) fn offset_in_string(written: &str, offset: usize) -> usize {
    let (quotes, is_literal) = match written.as_bytes() {
        [b'"', b'"', b'"', ..] if written.len() >= 6 => (3, false),
        [b'\'', b'\'', b'\'', ..] if written.len() >= 6 => (3, true),
        [b'"', ..] => (1, false),
        [b'\'', ..] => (1, true),
        _ => return offset.min(written.len()),
    };
    let mut at = quotes;
    if quotes == 3 {
        // A line end right behind the quotes is not content.
        at +=
            if written[at..].starts_with("\r\n") { 2 } else { usize::from(written[at..].starts_with('\n')) };
    }
    if is_literal {
        return (at + offset).min(written.len());
    }
    let mut content = 0;
    loop {
        let rest = written.get(at..).unwrap_or_default();
        let mut chars = rest.chars();
        let (first, second) = (chars.next(), chars.next());
        // The backslash at a line's end takes all blanks that follow with it.
        if first == Some('\\') && second.is_some_and(char::is_whitespace) {
            at += 1 + rest[1..].len() - rest[1..].trim_start().len();
            continue;
        }
        let Some(first) = first.filter(|_| content < offset) else { break };
        let (digits, is_escape) = match (first, second) {
            ('\\', Some('x')) => (2, true),
            ('\\', Some('u')) => (4, true),
            ('\\', Some('U')) => (8, true),
            ('\\', _) => (0, true),
            _ => (0, false),
        };
        if is_escape {
            let code = rest.get(2..2 + digits).and_then(|code| u32::from_str_radix(code, 16).ok());
            content += code.and_then(char::from_u32).map_or(1, char::len_utf8);
            at += 2 + digits;
        } else {
            content += first.len_utf8();
            at += first.len_utf8();
        }
    }
    at.min(written.len())
}

#[cfg(test)]
mod tests {
    use super::offset_in_string;

    #[track_caller]
    fn check(written: &str, offset: usize, rest: &str) {
        assert_eq!(&written[offset_in_string(written, offset)..], rest);
    }

    #[test]
    fn places_in_strings_are_places_in_the_file() {
        check("'ab'", 1, "b'");
        check("\"ab\"", 1, "b\"");
        check(r#""a\"b\u0041c""#, 4, "c\"");
        check("'''\nab'''", 1, "b'''");
        check("\"\"\"\n  a \\\n   b\"\"\"", 4, "b\"\"\"");
        check("\"é\\u00e9x\"", 4, "x\"");
        check("\"\\\"", 5, "");
        check("x", 7, "");
    }
}
