//! Paths with wildcards.

use regex::Regex;

use super::grammar;

/// The expression that a path with wildcards means: `*` and `?` stay within a folder, `**` does not, `[a-z]`
/// and `{a,b}` choose. A pattern without `/` is about the file's name, in whatever folder.
///
/// # Errors
///
/// When a bracket is not closed, or the expression is larger than 1 MiB; the text says what was found.
pub fn compile(glob: &str) -> Result<Regex, String> {
    let mut expression = String::from(if glob.contains('/') { "^" } else { "^(?:.*/)?" });
    let mut chars = glob.strip_prefix('/').unwrap_or(glob).chars().peekable();
    let (mut is_start, mut open) = (true, 0_u32);
    while let Some(c) = chars.next() {
        let was_start = std::mem::replace(&mut is_start, c == '/');
        match c {
            '*' if chars.peek() == Some(&'*') => {
                while chars.next_if_eq(&'*').is_some() {}
                // `**/` is any number of folders, none too.
                if was_start && chars.next_if_eq(&'/').is_some() {
                    expression.push_str("(?:.*/)?");
                    is_start = true;
                } else {
                    expression.push_str(".*");
                }
            }
            '*' => expression.push_str("[^/]*"),
            '?' => expression.push_str("[^/]"),
            '[' => expression.push_str(&class(&mut chars)?),
            '{' => {
                open += 1;
                expression.push_str("(?:");
            }
            ',' if open > 0 => expression.push('|'),
            '}' if open > 0 => {
                open -= 1;
                expression.push(')');
            }
            '\\' => expression.push_str(&regex::escape(&chars.next().unwrap_or('\\').to_string())),
            c => expression.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    if open > 0 {
        return Err("`{` without `}`".to_owned());
    }
    expression.push('$');
    grammar::regex(&format!("(?s){expression}"))
}

/// `[a-z]`, after its `[`.
fn class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<String, String> {
    let mut class = String::from("[");
    if chars.next_if(|c| matches!(c, '!' | '^')).is_some() {
        class.push('^');
    }
    let mut is_empty = true;
    loop {
        match chars.next() {
            None => return Err("`[` without `]`".to_owned()),
            Some(']') if !is_empty => break,
            Some('-') => class.push('-'),
            Some(c) => class.push_str(&format!(r"\u{{{:x}}}", u32::from(c))),
        }
        is_empty = false;
    }
    class.push(']');
    Ok(class)
}

#[cfg(test)]
mod tests {
    use super::compile;

    #[track_caller]
    fn check(glob: &str, yes: &[&str], no: &[&str]) {
        let glob = compile(glob).unwrap();
        assert_eq!(yes.iter().find(|path| !glob.is_match(path)), None, "{glob}");
        assert_eq!(no.iter().find(|path| glob.is_match(path)), None, "{glob}");
    }

    #[test]
    fn wildcards_know_folders() {
        check("src/net/**", &["src/net/a.c", "src/net/tcp/b.c"], &["src/network.c", "lib/src/net/a.c"]);
        check("src/*.c", &["src/a.c"], &["src/net/a.c", "src/a.cc"]);
        check("**/net/*", &["net/a", "src/net/a"], &["src/internet/a"]);
        check("*.rs", &["a.rs", "src/a.rs"], &["a.rs.orig"]);
        check("src/{aof,rdb}.c", &["src/aof.c", "src/rdb.c"], &["src/db.c"]);
        check("src/t_[a-z]*.c", &["src/t_hash.c"], &["src/t_.c", "src/t_H.c"]);
        check("src/[!a]?", &["src/bc"], &["src/ab", "src/b"]);
        check("a.c", &["a.c", "x/a.c"], &["abc", "ba.c"]);
    }

    #[test]
    fn what_is_not_closed_is_told() {
        assert_eq!(compile("src/{a").unwrap_err(), "`{` without `}`");
        assert_eq!(compile("src/[a").unwrap_err(), "`[` without `]`");
        assert!(compile("[z-a]").is_err());
    }
}
