//! What Dice says of a recording, compared with the truth.

use std::collections::HashMap;

use serde::Deserialize;

use crate::{Place, Truth, TruthKind};

/// Dice's answers counted against a truth.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Score {
    /// Lines that a statement printed, further lines of a message left out.
    pub lines: usize,
    /// The best statement is the one.
    pub exact: usize,
    /// The one is among the statements that Dice says it cannot tell apart.
    pub twins: usize,
    /// No statement.
    pub unknown: usize,
    /// Another statement.
    pub wrong: Vec<Wrong>,
    /// Lines that no statement of the repository printed.
    pub foreign_lines: usize,
    /// A statement nevertheless.
    pub foreign_matched: usize,
}

/// A wrong answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The line of the log, counted from 1.
    pub line: u64,
    /// What printed it.
    pub truth: Place,
    /// What Dice says printed it.
    pub said: Place,
}

/// The part of an answer of `dice route --format json --all` that a score needs.
#[derive(Deserialize)]
struct Answer {
    line: u64,
    matched: bool,
    file: Option<String>,
    source_line: Option<u64>,
    #[serde(default)]
    statements: Vec<AnswerPlace>,
}

#[derive(Deserialize)]
struct AnswerPlace {
    file: String,
    source_line: u64,
}

impl Score {
    /// Compares `answers`, what `dice route --dry-run --format json --all` printed, with `truth`.
    ///
    /// A line without an answer counts as unknown.
    pub fn of(truth: &[Truth], answers: &str) -> Score {
        let said: HashMap<u64, Answer> = answers
            .lines()
            .map(|line| {
                let answer: Answer = serde_json::from_str(line)
                    .unwrap_or_else(|err| panic!("not an answer of `dice route`: {err}: {line}"));
                (answer.line, answer)
            })
            .collect();
        let mut score = Score::default();
        for truth in truth {
            let answer = said.get(&truth.line).filter(|answer| answer.matched);
            match (truth.kind, &truth.place) {
                (TruthKind::Log, Some(place)) => score.count(truth, place, answer),
                (TruthKind::Foreign, _) => {
                    score.foreign_lines += 1;
                    score.foreign_matched += usize::from(answer.is_some());
                }
                _ => {}
            }
        }
        score
    }

    fn count(&mut self, truth: &Truth, place: &Place, answer: Option<&Answer>) {
        self.lines += 1;
        let Some(answer) = answer else {
            self.unknown += 1;
            return;
        };
        let right = |said: &Place| said == place || truth.alternatives.contains(said);
        let best = Place {
            file: answer.file.clone().unwrap_or_default(),
            line: answer.source_line.unwrap_or_default(),
        };
        let mut set = answer.statements.iter().map(|s| Place { file: s.file.clone(), line: s.source_line });
        if right(&best) {
            self.exact += 1;
        } else if set.any(|said| right(&said)) {
            self.twins += 1;
        } else {
            self.wrong.push(Wrong { line: truth.line, truth: place.clone(), said: best });
        }
    }

    /// Lines given to the right statement or to a set that contains it, in percent.
    pub fn right_percent(&self) -> f64 {
        percent(self.exact + self.twins, self.lines)
    }

    /// Lines given to another statement, in percent.
    pub fn wrong_percent(&self) -> f64 {
        percent(self.wrong.len(), self.lines)
    }

    /// Foreign lines given to a statement, in percent.
    pub fn foreign_matched_percent(&self) -> f64 {
        percent(self.foreign_matched, self.foreign_lines)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a log has fewer lines than a float has digits")]
fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { 100.0 * part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::Score;
    use crate::Truth;

    #[test]
    fn right_twin_unknown_wrong_and_foreign_lines_are_told_apart() {
        let truth = Truth::parse_all(
            "heading\n1\ta.c\t1\tlog\t\n2\ta.c\t2\tlog\t\n3\ta.c\t3\tlog\t\n4\ta.c\t4\tlog\t\n5\t\t\text\t\n6\ta.c\t6\tcont\t",
        );
        let answers = r#"{"line":1,"matched":true,"file":"a.c","source_line":1,"statements":[]}
{"line":2,"matched":true,"file":"b.c","source_line":1,"statements":[{"file":"b.c","source_line":1},{"file":"a.c","source_line":2}]}
{"line":3,"matched":true,"file":"b.c","source_line":1,"statements":[{"file":"b.c","source_line":1}]}
{"line":4,"matched":false}
{"line":5,"matched":true,"file":"a.c","source_line":1}"#;
        let score = Score::of(&truth, answers);
        assert_eq!((score.lines, score.exact, score.twins, score.unknown), (4, 1, 1, 1));
        assert_eq!(score.wrong.len(), 1);
        assert_eq!((score.foreign_lines, score.foreign_matched), (1, 1));
        assert!((score.right_percent() - 50.0).abs() < 1e-9);
    }
}
