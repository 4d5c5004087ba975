//! Which known word a misspelt one may have meant.

/// The known word that is most like `word`; `None` where none is close. The first of equals.
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let word: Vec<char> = word.chars().take(MAX_CHARS).collect();
    // Any two single letters are one letter apart.
    let limit = if word.len() < 2 { 0 } else { (word.len() / 3).clamp(1, 3) };
    let mut best: Option<(usize, &str)> = None;
    for candidate in known {
        let distance = distance(&word, &candidate.chars().take(MAX_CHARS).collect::<Vec<_>>());
        if distance <= limit && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, word)| word)
}

const MAX_CHARS: usize = 64;

/// Insertions, deletions, replacements and swaps of neighbours from one to the other.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (row, a) in from.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, b) in to.iter().enumerate() {
            let is_same = a.eq_ignore_ascii_case(b);
            let mut least = (last[column] + usize::from(!is_same)).min(last[column + 1] + 1);
            least = least.min(current[column] + 1);
            if row > 0 && column > 0 && *a == to[column - 1] && from[row - 1] == *b {
                least = least.min(before[column - 1] + 1);
            }
            current.push(least);
        }
        before = std::mem::replace(&mut last, current);
    }
    last[to.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[track_caller]
    fn check(word: &str, expected: Option<&str>) {
        assert_eq!(nearest(word, ["service", "severity", "host", "level"]), expected);
    }

    #[test]
    fn a_slip_is_understood_and_another_word_is_not() {
        check("servce", Some("service"));
        check("hsot", Some("host"));
        check("Level", Some("level"));
        check("severities", Some("severity"));
        check("merchant", None);
        check("x", None);
        check("", None);
    }
}
