//! `.git-blame-ignore-revs`: commits that only moved or reformatted code.
//!
//! Git reads the file only when `blame.ignoreRevsFile` names it; Dice always does, as hosts do.

use git2::{Oid, Repository};

/// The file's name, at the root of a repository.
pub(crate) const FILE: &str = ".git-blame-ignore-revs";

/// Reads a list of full commit ids, a line each; `#` starts a comment. Adds to `revs`, and complains about
/// what is no id; `named` is what the file is called in complaints.
pub(crate) fn parse(text: &[u8], named: &str, revs: &mut Vec<Oid>, complaints: &mut Vec<String>) {
    for (row, line) in String::from_utf8_lossy(text).trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.split('#').next().unwrap_or(line).trim();
        if line.is_empty() {
            continue;
        }
        match Oid::from_str(line) {
            Ok(rev) if line.len() == 40 => revs.push(rev),
            _ => complaints.push(format!("{named}:{}: wanted a full commit id, found `{line}`", row + 1)),
        }
    }
}

/// The files that `blame.ignoreRevsFile` names, and their texts.
pub(crate) fn configured(repository: &Repository) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let Ok(config) = repository.config() else { return files };
    let Ok(mut entries) = config.multivar("blame.ignorerevsfile", None) else { return files };
    while let Some(Ok(entry)) = entries.next() {
        let Ok(name) = entry.value() else { continue };
        // An empty name takes back what was said before.
        if name.is_empty() {
            files.clear();
            continue;
        }
        let root = repository.workdir().unwrap_or_else(|| repository.path());
        if let Ok(text) = std::fs::read(root.join(name)) {
            files.push((name.to_owned(), text));
        }
    }
    files
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_full_ids_count() {
        let full = "0123456789012345678901234567890123456789";
        let text = format!("# reformat\n{full} # why\r\n\n01234567\n{full}0\nnonsense\n");
        let (mut revs, mut complaints) = (Vec::new(), Vec::new());
        super::parse(text.as_bytes(), "revs", &mut revs, &mut complaints);
        assert_eq!(revs.iter().map(ToString::to_string).collect::<Vec<_>>(), [full]);
        assert_eq!(complaints.len(), 3);
        assert_eq!(complaints[0], "revs:4: wanted a full commit id, found `01234567`");
    }
}
