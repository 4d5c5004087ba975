//! Who a commit says wrote it.

use dice_catalog::Author;
use git2::Commit;

use crate::mailmap::Mailmap;

/// The commit's author through `mailmap`, and when they wrote it, in seconds since 1970.
///
/// Read from the commit's own bytes: libgit2 trims punctuation off names. A time that is absent or that no
/// calendar has is 0.
pub(crate) fn author(commit: &Commit<'_>, mailmap: &Mailmap) -> (Author, i64) {
    let header = commit.raw_header_bytes();
    let field = |name: &[u8]| header.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(name));
    let (name, email, seconds) = ident(field(b"author ").unwrap_or_default());
    let encoding = field(b"encoding ").unwrap_or_default();
    let (name, email) = mailmap.resolve(text(name, encoding), text(email, encoding));
    let time = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    (Author { name, email, commit: commit.id().to_string(), time: time.to_string() }, time.as_second())
}

/// Name, address and seconds of `Pig <pig@pen.mssn> 1234567890 +0100`.
fn ident(line: &[u8]) -> (&[u8], &[u8], i64) {
    let open = memchr::memchr(b'<', line).unwrap_or(line.len());
    let rest = line.get(open + 1..).unwrap_or_default();
    let email = &rest[..memchr::memchr(b'>', rest).unwrap_or(rest.len())];
    let after = memchr::memrchr(b'>', line).map_or(&[][..], |close| &line[close + 1..]);
    let seconds = after.split(|&byte| byte == b' ').find(|word| !word.is_empty()).unwrap_or_default();
    let seconds =
        std::str::from_utf8(seconds).ok().and_then(|digits| digits.parse().ok()).unwrap_or_default();
    (line[..open].trim_ascii(), email.trim_ascii(), seconds)
}

/// Text of a commit; Latin-1 is what most commits are that say they are not UTF-8.
fn text(bytes: &[u8], encoding: &[u8]) -> String {
    let encoding = encoding.to_ascii_lowercase();
    let is_latin = [&b"iso-8859-1"[..], b"iso8859-1", b"latin1", b"latin-1"].contains(&encoding.as_slice());
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) if is_latin => bytes.iter().map(|&byte| char::from(byte)).collect(),
        Err(_) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    #[track_caller]
    fn check(line: &str, want: (&str, &str, i64)) {
        let (name, email, seconds) = super::ident(line.as_bytes());
        assert_eq!((std::str::from_utf8(name).unwrap(), std::str::from_utf8(email).unwrap(), seconds), want);
    }

    #[test]
    fn idents_of_all_sorts() {
        check("Pig <pig@pen.mssn> 1234567890 +0100", ("Pig", "pig@pen.mssn", 1_234_567_890));
        check("Elmore Jr. <e@x.y> -5 +0000", ("Elmore Jr.", "e@x.y", -5));
        check(" <> ", ("", "", 0));
        check("no address", ("no address", "", 0));
        check("A <a@b", ("A", "a@b", 0));
        check("A <a@b> <c@d> 7 +0000", ("A", "a@b", 7));
        check("", ("", "", 0));
    }

    #[test]
    fn names_that_are_not_utf8() {
        assert_eq!(super::text(b"J\xF6rg", b"ISO-8859-1"), "Jörg");
        assert_eq!(super::text("Jörg".as_bytes(), b"ISO-8859-1"), "Jörg");
        assert_eq!(super::text(b"J\xF6rg", b""), "J\u{fffd}rg");
    }
}
