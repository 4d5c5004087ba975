//! The reference for people: every section and key, with what it means.

use std::fmt::Write as _;

use dice_route::condition;

use super::{Key, Kind, Presence, ROUTER, Section};

/// One table of the configuration as the reference shows it.
struct Chapter {
    /// How the table is written: `[[source]] kind = "file"`.
    header: String,
    doc: &'static str,
    /// Its keys and, first, the word that decides about others.
    rows: Vec<Row>,
}

struct Row {
    name: &'static str,
    kind: String,
    presence: Presence,
    doc: String,
    example: &'static str,
}

/// The reference as plain text, for a terminal.
pub fn print() -> String {
    let mut out = String::new();
    for chapter in chapters() {
        let _ = writeln!(out, "{}\n  {}.\n", chapter.header, chapter.doc);
        for row in &chapter.rows {
            let _ = writeln!(out, "  {:<20}{}", row.name, row.about());
            for line in wrapped(&format!("{}.", row.doc), 84) {
                let _ = writeln!(out, "  {:<20}{line}", "");
            }
            if !row.example.is_empty() {
                let _ = writeln!(out, "  {:<20}{} = {}", "", row.name, row.example);
            }
        }
        out.push('\n');
    }
    out.push_str(
        "Conditions\n  Comparisons (== != < <= > >= =~ !~ in) joined by and, or, not and parentheses.\n\n",
    );
    for (name, doc) in fields().chain(functions()) {
        let _ = writeln!(out, "  {name:<46}{doc}");
    }
    out
}

/// The reference as Markdown.
pub fn markdown() -> String {
    let mut out = String::new();
    for chapter in chapters() {
        let _ = writeln!(out, "### `{}`\n\n{}.\n", chapter.header, chapter.doc);
        if chapter.rows.is_empty() {
            continue;
        }
        out.push_str("| key | is | meaning |\n|---|---|---|\n");
        for row in &chapter.rows {
            let example = match row.example {
                "" => String::new(),
                example => format!(" `{} = {}`", row.name, example),
            };
            let _ = writeln!(
                out,
                "| `{}` | {} | {}.{} |",
                row.name,
                cell(&row.about()),
                cell(&row.doc),
                cell(&example)
            );
        }
        out.push('\n');
    }
    out.push_str("### Conditions\n\nComparisons (`==`, `!=`, `<`, `<=`, `>`, `>=`, `=~`, `!~`, `in`) joined by `and`, `or`, `not` and parentheses.\n\n");
    for (title, rows) in [("field", fields().collect::<Vec<_>>()), ("function", functions().collect())] {
        let _ = writeln!(out, "| {title} | meaning |\n|---|---|");
        for (name, doc) in rows {
            let _ = writeln!(out, "| `{}` | {} |", cell(&name), cell(doc));
        }
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn fields() -> impl Iterator<Item = (String, &'static str)> {
    let fields = condition::FIELDS.iter().map(|(name, doc)| ((*name).to_owned(), *doc));
    fields.chain([
        (
            "vars.NAME, vars.1".to_owned(),
            "the value of a hole by its name or its number from 1, else of a structured field",
        ),
        ("fields.NAME, fields.\"NAME\"".to_owned(), "the value of a structured field"),
    ])
}

fn functions() -> impl Iterator<Item = (String, &'static str)> {
    condition::FUNCTIONS.iter().map(|(name, doc)| ((*name).to_owned(), *doc))
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

impl Row {
    fn of(key: &Key) -> Row {
        Row {
            name: key.name,
            kind: key.kind.name(),
            presence: key.presence,
            doc: key.doc.to_owned(),
            example: key.example,
        }
    }

    fn about(&self) -> String {
        match self.presence {
            Presence::Required => format!("{}, required", self.kind),
            Presence::Optional | Presence::Default("{}") => self.kind.clone(),
            Presence::Default("[]" | "\"\"") => format!("{}, empty", self.kind),
            Presence::Default(default) => format!("{}, {default}", self.kind),
        }
    }
}

fn chapters() -> Vec<Chapter> {
    let mut chapters = Vec::new();
    add(&ROUTER, "router.toml", "", &mut Vec::new(), &mut chapters);
    chapters
}

fn add(
    section: &'static Section,
    header: &str,
    path: &str,
    seen: &mut Vec<*const Section>,
    chapters: &mut Vec<Chapter>,
) {
    // A section that is used twice is explained once, a section inside itself too.
    if seen.contains(&std::ptr::from_ref(section)) {
        return;
    }
    seen.push(section);
    let word = section.variants.iter().map(|variants| Row {
        name: variants.key,
        kind: variants.of.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(" | "),
        presence: Presence::Required,
        doc: variants.doc.to_owned(),
        example: "",
    });
    let rows = word.chain(section.keys.iter().map(Row::of)).collect();
    chapters.push(Chapter { header: header.to_owned(), doc: section.doc, rows });
    if let Some(variants) = &section.variants {
        for (word, variant) in variants.of {
            let header = format!("{header} {} = \"{word}\"", variants.key);
            chapters.push(Chapter {
                header,
                doc: variant.doc,
                rows: variant.keys.iter().map(Row::of).collect(),
            });
        }
    }
    let variants =
        section.variants.iter().flat_map(|variants| variants.of).flat_map(|(_, section)| section.keys);
    for key in section.keys.iter().chain(variants) {
        let path = if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
        match key.kind {
            Kind::Table(below) => add(below, &format!("[{path}]"), &path, seen, chapters),
            Kind::Tables(below) => add(below, &format!("[[{path}]]"), &path, seen, chapters),
            Kind::Named(below) => {
                let path = format!("{path}.NAME");
                add(below, &format!("[{path}]"), &path, seen, chapters);
            }
            _ => {}
        }
    }
}

/// The words of a text in lines of at most so many characters.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().expect("there is a line");
        if !last.is_empty() && last.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}
