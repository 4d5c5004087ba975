//! Figures and durations in words.

/// A duration in the two largest units that say something: `2 h`, `14 m`, `1 d 2 h`, `30 s`.
pub(super) fn duration(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    let units = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let Some(first) = units.iter().position(|(size, _)| seconds >= *size) else { return "0 s".to_owned() };
    let (size, unit) = units[first];
    let mut text = format!("{} {unit}", seconds / size);
    if let Some((smaller, unit)) = units.get(first + 1) {
        let rest = seconds % size / smaller;
        if rest > 0 && (first < 2 || seconds / size < 10) {
            text.push_str(&format!(" {rest} {unit}"));
        }
    }
    text
}

/// `1 occurrence`, `2 occurrences`.
pub(super) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
