//! What lines that no statement is known for have in common.

/// Longer texts are cut before masking: the beginning tells what sort of line it is.
const MAX_BYTES: usize = 400;

/// `text` with what varies from line to line as `<*>`: numbers, identifiers, addresses, paths, quoted texts.
///
/// Words are cut at blanks and at `=`, `,`, `;`, `:` and brackets. A word that has a digit, is quoted, looks
/// like a path, or is long hexadecimal is masked; neighbours that are masked become one. The result depends
/// on the text alone.
pub fn mask(text: &str) -> String {
    let mut end = text.len().min(MAX_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = &text[..end];
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(quoted) = quoted(rest, first) {
            push_hole(&mut out);
            rest = &rest[quoted..];
        } else if is_edge(first) {
            // Blanks of any width are one blank, and no line end reaches a reader.
            let edge = if first.is_whitespace() || first.is_control() { ' ' } else { first };
            if edge != ' ' || !out.ends_with(' ') {
                out.push(edge);
            }
            rest = &rest[first.len_utf8()..];
        } else {
            let length = rest.find(is_edge).unwrap_or(rest.len());
            let word = &rest[..length];
            if varies(word) {
                push_hole(&mut out);
            } else {
                out.push_str(word);
            }
            rest = &rest[length..];
        }
    }
    out.truncate(out.trim_end().len());
    out
}

const HOLE: &str = "<*>";

fn push_hole(out: &mut String) {
    let before = out.trim_end_matches([' ', ',', ':']);
    if before.ends_with(HOLE) {
        let length = before.len();
        out.truncate(length);
    } else {
        out.push_str(HOLE);
    }
}

/// The length of the quoted text that `rest` begins with.
fn quoted(rest: &str, first: char) -> Option<usize> {
    if !matches!(first, '"' | '\'' | '`') {
        return None;
    }
    let inside = &rest[1..];
    // An apostrophe inside a word quotes nothing, nor does a quote that is never closed.
    let end = inside.find(first)?;
    (!inside[..end].contains('\n')).then_some(end + 2)
}

fn is_edge(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(
            c,
            '=' | ',' | ';' | ':' | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | '"' | '`' | '|'
        )
}

fn varies(word: &str) -> bool {
    let is_path = word.len() > 1 && (word.starts_with('/') || word.matches('/').count() > 1);
    let is_hex = word.len() >= 8 && word.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    word.bytes().any(|b| b.is_ascii_digit()) || is_path || is_hex || word.contains('@')
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[track_caller]
    fn check(text: &str, masked: &str) {
        assert_eq!(mask(text), masked);
        assert_eq!(mask(masked).replace(' ', ""), masked.replace(' ', ""), "masking twice changes nothing");
    }

    #[test]
    fn what_varies_is_masked() {
        check("connected to 10.0.0.7:6379 after 12ms", "connected to <*> after <*>");
        check("user 'bob' logged in", "user <*> logged in");
        check("request deadbeefcafe failed: no route", "request <*> failed: no route");
        check("open /var/lib/x: permission denied", "open <*>: permission denied");
        check("retry=3 of 5, next in 2s", "retry=<*> of <*>, next in <*>");
        check("it's a plain text", "it's a plain text");
        check("tab\tand  blanks\n", "tab and blanks");
        check("", "");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let masked = mask(&"ä".repeat(1000));
        assert_eq!(masked.chars().count(), 200);
    }
}
