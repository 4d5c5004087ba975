//! What stands between level and message of a line that `tracing-subscriber` wrote.

/// Target and place, and where the message begins.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Traced<'l> {
    pub(super) target: &'l [u8],
    pub(super) file: Option<&'l [u8]>,
    pub(super) line: Option<u32>,
    pub(super) message: usize,
}

/// Reads `[thread ][ThreadId(1) ][span{fields}:span: ]target: [file:[line: ]]`.
///
/// `None` when there is no target. Every byte is looked at a bounded number of times, whatever the braces
/// and quotes in it: span fields hold values of strangers.
pub(super) fn traced(text: &[u8]) -> Option<Traced<'_>> {
    let mut at = after_threads(text);
    // Spans follow each other without a blank: the next name is a span, too.
    let mut is_span = false;
    // Braces and quotes that do not pair are looked for once only.
    let mut is_paired = true;
    loop {
        let path = path_length(&text[at..]);
        if path == 0 {
            return None;
        }
        let end = at + path;
        let name = &text[at..end];
        match text.get(end..)? {
            [b'{', ..] => {
                let fields = if is_paired { fields_length(&text[end..]) } else { None };
                is_paired = fields.is_some();
                // A value had a quote or a brace of its own: the first `}:` is the best guess.
                let fields = fields.or_else(|| Some(memchr::memmem::find(&text[end..], b"}:")? + 1));
                at = end + fields?;
                // `}:` goes on with the next span, `}: ` with the target.
                if text.get(at) != Some(&b':') {
                    return None;
                }
                is_span = text.get(at + 1) != Some(&b' ');
                at += if is_span { 1 } else { 2 };
            }
            [b':', b' ', rest @ ..] => {
                // A span without fields looks like a target. It is one if a module path follows.
                let next = path_length(rest);
                let before_path = !has_path_separator(name)
                    && rest[next..].starts_with(b": ")
                    && has_path_separator(&rest[..next]);
                if is_span || before_path {
                    at = end + 2;
                    is_span = false;
                    continue;
                }
                let (file, line, place) = place(rest);
                return Some(Traced { target: name, file, line, message: end + 2 + place });
            }
            [b':', next, ..] if next.is_ascii_alphabetic() || *next == b'_' => {
                at = end + 1;
                is_span = true;
            }
            // The message is empty, and trailing blanks were cut.
            [b':'] => return Some(Traced { target: name, message: text.len(), ..Traced::default() }),
            _ => return None,
        }
    }
}

/// Where thread name and thread id end.
fn after_threads(text: &[u8]) -> usize {
    let id_at = |at: usize| -> Option<usize> {
        let digits = text[at..].strip_prefix(b"ThreadId(")?;
        let n = digits.iter().take(20).take_while(|b| b.is_ascii_digit()).count();
        digits[n..].starts_with(b") ").then_some(at + 9 + n + 2)
    };
    let blanks = text.iter().take(32).take_while(|b| **b == b' ').count();
    if let Some(at) = id_at(blanks) {
        return at;
    }
    let name = text[blanks..].iter().take(64).take_while(|b| !b" :{".contains(b)).count();
    let next = blanks + name + 1;
    if name == 0 || text.get(next - 1) != Some(&b' ') {
        return blanks;
    }
    if let Some(at) = id_at(next) {
        return at;
    }
    // Without an id only a module path shows that the first word is a thread's name.
    let path = path_length(&text[next..]);
    let is_target = has_path_separator(&text[next..next + path]) && text[next + path..].starts_with(b": ");
    if is_target { next } else { blanks }
}

/// How long the path `a::b-c.d::e` at the start of `text` is.
fn path_length(text: &[u8]) -> usize {
    if !text.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_') {
        return 0;
    }
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.' => at += 1,
            b':' if matches!(
                text.get(at + 1..at + 3),
                Some([b':', b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'<'])
            ) =>
            {
                at += 2;
            }
            _ => break,
        }
    }
    at
}

fn has_path_separator(path: &[u8]) -> bool {
    path.windows(2).any(|pair| pair == b"::")
}

/// How long the `{fields}` at the start of `text` are, braces included.
fn fields_length(text: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut is_quoted = false;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\\' if is_quoted => at += 1,
            b'"' => is_quoted = !is_quoted,
            b'{' if !is_quoted => depth += 1,
            b'}' if !is_quoted => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Reads `file.rs:42: ` or `file.rs: `; gives its length too.
fn place(text: &[u8]) -> (Option<&[u8]>, Option<u32>, usize) {
    let none = (None, None, 0);
    let length = text.iter().take(512).take_while(|b| !b" :".contains(b)).count();
    let file = &text[..length];
    if !file.ends_with(b".rs") {
        return none;
    }
    match &text[length..] {
        [b':', b' ', ..] => (Some(file), None, length + 2),
        [b':', rest @ ..] => {
            let digits = rest.iter().take(10).take_while(|b| b.is_ascii_digit()).count();
            let line = std::str::from_utf8(&rest[..digits]).ok().and_then(|digits| digits.parse().ok());
            match (line, rest.get(digits..digits + 2)) {
                (Some(line), Some(b": ")) => (Some(file), Some(line), length + 1 + digits + 2),
                _ => none,
            }
        }
        _ => none,
    }
}

#[cfg(test)]
mod tests {
    #[track_caller]
    fn check(text: &str, target: &str, place: &str, message: &str) {
        let traced = super::traced(text.as_bytes()).expect("there is a target");
        let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let found = traced.file.map(lossy).unwrap_or_default();
        let found = found + &traced.line.map(|line| format!(":{line}")).unwrap_or_default();
        assert_eq!((&*lossy(traced.target), &*found), (target, place), "{text}");
        assert_eq!(lossy(&text.as_bytes()[traced.message..]), message, "{text}");
    }

    #[test]
    fn targets() {
        check("app::net: up", "app::net", "", "up");
        check("app: up: now", "app", "", "up: now");
        check("app::net: src/net.rs:42: up", "app::net", "src/net.rs:42", "up");
        check("app::net: src/net.rs: up", "app::net", "src/net.rs", "up");
        check("app:", "app", "", "");
    }

    #[test]
    fn spans() {
        check("serve: app::net: up", "app::net", "", "up");
        check("serve:accept: app::net: up", "app::net", "", "up");
        check("serve:accept: app: up", "app", "", "up");
        check("conn{peer=[::1]:55}:req{id=7 path=\"/a } b\"}: app::net: up", "app::net", "", "up");
        check("handle{service=t1}:run: app::client: up", "app::client", "", "up");
        check("a{v=Some { x: \"\\\"}\" }}: app: up", "app", "", "up");
        check("a{v=5\" disk}: app: up", "app", "", "up");
    }

    #[test]
    fn threads() {
        check("ThreadId(02) app: up", "app", "", "up");
        check("main ThreadId(01) serve: app::net: up", "app::net", "", "up");
        check("tokio-runtime-worker app::net: up", "app::net", "", "up");
    }

    #[test]
    fn without_a_target() {
        for text in ["", "listening on 80", "a{", "a{b}", "a{b} c: d", "=", "no such file: x", "a{{{{: b"] {
            assert_eq!(super::traced(text.as_bytes()), None, "{text}");
        }
    }
}
