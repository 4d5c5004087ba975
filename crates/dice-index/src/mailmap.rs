//! `.mailmap`: the name and address that a person goes by today.
//!
//! Format: <https://git-scm.com/docs/gitmailmap>. libgit2's own reader trims punctuation off names, so
//! that `Jr.` loses its point; ours does not.

use rustc_hash::FxHashMap;

/// A `.mailmap`.
#[derive(Debug, Default)]
pub(crate) struct Mailmap {
    /// By the commit's e-mail address in lower case.
    people: FxHashMap<String, Person>,
}

/// What one address stands for.
#[derive(Debug, Default)]
struct Person {
    /// Whatever the commit's name.
    any: Identity,
    /// By the commit's name in lower case.
    by_name: FxHashMap<String, Identity>,
}

/// What replaces a commit's name and address; `None` keeps the commit's.
#[derive(Debug, Default, Clone)]
struct Identity {
    name: Option<String>,
    email: Option<String>,
}

impl Mailmap {
    /// Reads the file. Lines that are not understood are skipped, as git does.
    pub(crate) fn parse(text: &[u8]) -> Mailmap {
        let mut mailmap = Mailmap::default();
        for line in String::from_utf8_lossy(text).trim_start_matches('\u{feff}').lines() {
            if line.trim_start().starts_with('#') {
                continue;
            }
            let Some((new_name, new_email, rest)) = pair(line) else { continue };
            if new_email.is_empty() {
                continue;
            }
            let owned = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            let (old_name, old_email, identity) = match pair(rest) {
                Some((name, email, _)) => {
                    (name, email, Identity { name: owned(new_name), email: owned(new_email) })
                }
                None => ("", new_email, Identity { name: owned(new_name), email: None }),
            };
            let person = mailmap.people.entry(old_email.to_lowercase()).or_default();
            let known = match old_name {
                "" => &mut person.any,
                name => person.by_name.entry(name.to_lowercase()).or_default(),
            };
            // A later line changes only what it says.
            known.name = identity.name.or(known.name.take());
            known.email = identity.email.or(known.email.take());
        }
        mailmap
    }

    /// Today's name and address of a commit's author.
    pub(crate) fn resolve(&self, name: String, email: String) -> (String, String) {
        let Some(person) = self.people.get(&email.to_lowercase()) else { return (name, email) };
        let identity = person.by_name.get(&name.to_lowercase()).unwrap_or(&person.any).clone();
        (identity.name.unwrap_or(name), identity.email.unwrap_or(email))
    }
}

/// The first name and address of `text`, and what follows.
fn pair(text: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = text.split_once('<')?;
    let (email, rest) = rest.split_once('>')?;
    Some((name.trim(), email.trim(), rest))
}

#[cfg(test)]
mod tests {
    use super::Mailmap;

    const FILE: &str = "\u{feff}# people\n\
        Jane Doe <jane@doe.xz>\n\
        <joe@new.xz> <joe@old.xz>\r\n\
        Joe R. Jr. <joe@new.xz> Joe <bugs@joe.xz>\n\
        Other <other@x.xz> <bugs@joe.xz>\n\
        nonsense\n\
        Nobody <>\n";

    #[track_caller]
    fn check(name: &str, email: &str, want: (&str, &str)) {
        let (name, email) = Mailmap::parse(FILE.as_bytes()).resolve(name.to_owned(), email.to_owned());
        assert_eq!((name.as_str(), email.as_str()), want);
    }

    #[test]
    fn the_four_forms() {
        check("jane", "JANE@doe.xz", ("Jane Doe", "JANE@doe.xz"));
        check("Joe", "joe@old.xz", ("Joe", "joe@new.xz"));
        check("JOE", "bugs@joe.xz", ("Joe R. Jr.", "joe@new.xz"));
        check("Jim", "bugs@joe.xz", ("Other", "other@x.xz"));
        check("Ann", "ann@x.xz", ("Ann", "ann@x.xz"));
        check("", "", ("", ""));
    }
}
