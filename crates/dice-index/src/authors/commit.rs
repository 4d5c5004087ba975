//! A commit as it is stored, read without trusting it.

use git2::Oid;

/// What a walk needs of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Commit {
    pub(super) tree: Oid,
    pub(super) parents: Vec<Oid>,
    /// The committer's time in seconds; 0 when it cannot be read. Only an order of visits hangs on it.
    pub(super) seconds: i64,
}

impl Commit {
    /// Reads the header; `None` when it does not start with a tree.
    pub(super) fn parse(raw: &[u8]) -> Option<Commit> {
        let mut lines = header(raw).peekable();
        let tree = oid(lines.next()?.strip_prefix(b"tree ")?)?;
        let mut parents = Vec::new();
        while let Some(parent) = lines.next_if(|line| line.starts_with(b"parent ")) {
            parents.push(oid(&parent[b"parent ".len()..])?);
        }
        let committer = lines.find_map(|line| line.strip_prefix(b"committer "));
        Some(Commit { tree, parents, seconds: committer.map_or(0, |ident| Ident::parse(ident).seconds) })
    }
}

/// A name, an e-mail address and a time, as bytes: their encoding is the commit's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ident<'a> {
    pub(super) name: &'a [u8],
    pub(super) email: &'a [u8],
    /// Seconds since 1970; 0 when they cannot be read.
    pub(super) seconds: i64,
}

impl<'a> Ident<'a> {
    /// Reads `name <email> seconds zone`, or as much as is there.
    pub(super) fn parse(text: &'a [u8]) -> Ident<'a> {
        let Some(open) = memchr::memchr(b'<', text) else {
            return Ident { name: text.trim_ascii(), email: b"", seconds: 0 };
        };
        let name = text[..open].trim_ascii();
        let rest = &text[open + 1..];
        let close = memchr::memchr(b'>', rest).unwrap_or(rest.len());
        // A bad address may hold `>` itself: the time follows the last one, as git reads it.
        let after = memchr::memrchr(b'>', rest).map_or(rest.len(), |at| at + 1);
        let time = rest[after..].trim_ascii_start();
        let time = time.split(|byte| !byte.is_ascii_digit() && *byte != b'-').next().unwrap_or_default();
        let seconds = std::str::from_utf8(time).ok().and_then(|digits| digits.parse().ok()).unwrap_or(0);
        Ident { name, email: rest[..close].trim_ascii(), seconds }
    }

    /// The author of a raw commit.
    pub(super) fn author_of(raw: &'a [u8]) -> Option<Ident<'a>> {
        header(raw).find_map(|line| line.strip_prefix(b"author ")).map(Ident::parse)
    }
}

/// The encoding that a raw commit says it is in.
pub(super) fn encoding(raw: &[u8]) -> Option<&[u8]> {
    header(raw).find_map(|line| line.strip_prefix(b"encoding "))
}

fn header(raw: &[u8]) -> impl Iterator<Item = &[u8]> {
    raw.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty())
}

fn oid(hex: &[u8]) -> Option<Oid> {
    let hex = std::str::from_utf8(hex).ok()?;
    if hex.len() == 40 { Oid::from_str(hex).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::{Commit, Ident};

    #[track_caller]
    fn check(ident: &str, name: &str, email: &str, seconds: i64) {
        let expected = Ident { name: name.as_bytes(), email: email.as_bytes(), seconds };
        assert_eq!(Ident::parse(ident.as_bytes()), expected, "{ident}");
    }

    #[test]
    fn idents() {
        check("Ann Lee <ann@corp.example> 1700000000 +0100", "Ann Lee", "ann@corp.example", 1_700_000_000);
        check(" Ann <> -5 +0000", "Ann", "", -5);
        check("<a@b.c> 12 +0000", "", "a@b.c", 12);
        check("Ann <a> b@c> 12 +0000", "Ann", "a", 12);
        check("Ann <a@b.c> 99999999999999999999999 +0000", "Ann", "a@b.c", 0);
        check("Ann <a@b.c>", "Ann", "a@b.c", 0);
        check("Ann <a@b.c", "Ann", "a@b.c", 0);
        check("Ann", "Ann", "", 0);
        check("", "", "", 0);
    }

    #[test]
    fn a_commit_without_a_tree_is_none() {
        for raw in ["", "tree 12\n", "parent 1234\n", "author a\n\ntree x"] {
            assert_eq!(Commit::parse(raw.as_bytes()), None, "{raw}");
        }
    }

    #[test]
    fn parents_and_time() {
        let (tree, one, two) = ("1".repeat(40), "2".repeat(40), "3".repeat(40));
        let raw = format!(
            "tree {tree}\nparent {one}\nparent {two}\nauthor A <a> 1 +0000\ncommitter C <c> 2 +0000\n\n\
             parent {one}\n"
        );
        let commit = Commit::parse(raw.as_bytes()).expect("a whole commit");
        assert_eq!(commit.tree.to_string(), tree);
        assert_eq!(commit.parents.iter().map(ToString::to_string).collect::<Vec<_>>(), [one, two]);
        assert_eq!(commit.seconds, 2);
    }
}
