//! The recorded cases of `languages/rust/cases`, and what must hold for any text.

use std::fmt::Write as _;
use std::path::Path;

use dice_catalog::{Part, Statement};
use proptest::prelude::*;

use crate::{Extraction, Format, LoggerRule, Settings, Source};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/languages/rust/cases");

fn read(settings: &Settings, text: &[u8]) -> Extraction {
    let language = crate::Language::of_extension("rs").unwrap();
    let source = Source { language, module: "app::srv", text };
    let dictionary = crate::dictionary(settings, &[crate::facts(&source)]);
    let _ = dictionary.loggers();
    crate::statements(&dictionary, 0, &source)
}

/// A line a statement: `line:column-end kind level callee template`, then what else is known.
fn shown(statement: &Statement) -> String {
    let mut line = format!("{}:{}", statement.line, statement.column);
    if statement.end_line != statement.line {
        write!(line, "-{}", statement.end_line).unwrap();
    }
    let level = statement.level.map_or("-", |level| level.as_str());
    let parts = |parts: &[Part]| -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.escape_debug().to_string(),
            Part::Hole(hole) => format!("<{:?}>", hole.kind).to_lowercase(),
        };
        parts.iter().map(part).collect()
    };
    let text = parts(statement.template.parts());
    write!(line, " {} {level} {} `{text}`", statement.kind, statement.callee).unwrap();
    let mut note = |name: &str, value: String| {
        if !value.is_empty() {
            write!(line, " {name}={value}").unwrap();
        }
    };
    note("prefix", parts(&statement.prefix));
    note("suffix", parts(&statement.suffix));
    note("fields", statement.fields.join(","));
    note("target", statement.target.clone().unwrap_or_default());
    note("fn", statement.function.clone().unwrap_or_default());
    note("format", statement.format_line.map(|line| line.to_string()).unwrap_or_default());
    note("owners", statement.annotations.join(","));
    line
}

fn recorded(settings: &Settings, text: &[u8]) -> String {
    read(settings, text).statements.iter().map(|statement| shown(statement) + "\n").collect()
}

#[test]
fn cases_are_as_recorded() {
    let mut names: Vec<_> = std::fs::read_dir(CASES)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".rs"))
        .collect();
    names.sort();
    assert!(!names.is_empty());
    for name in names {
        let text = std::fs::read(Path::new(CASES).join(&name)).unwrap();
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(CASES);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name.as_str(), recorded(&Settings::default(), &text)));
    }
}

#[track_caller]
fn check_with(settings: &Settings, text: &str, expected: &str) {
    assert_eq!(recorded(settings, text.as_bytes()).trim_end(), expected);
}

#[test]
fn rules_of_the_repository_win() {
    let rule = |form: &str, name: &str| LoggerRule {
        lang: Some("rust".into()),
        form: form.into(),
        names: vec![name.into()],
        fmt: Some(Format::Argument(1)),
        level: Some("arg:0".into()),
        header: Some("{func}: ".into()),
        ..LoggerRule::default()
    };
    let settings = Settings {
        loggers: vec![rule("macro", "say*"), rule("call", "shout"), rule("macro", "info")],
        ignore_names: vec!["warn".into()],
        ..Settings::default()
    };
    check_with(
        &settings,
        "fn f() { say_it!(Level::Error, \"a {}\", 1); shout(INFO, \"b\"); info!(x, \"c\"); warn!(\"d\") }",
        "1:10 log error say_it `a <uint>` prefix=f:  target=app::srv fn=f\n\
         1:44 log info shout `b` prefix=f:  target=app::srv fn=f\n\
         1:62 log - info `c` prefix=f:  target=app::srv fn=f",
    );
}

#[test]
fn deep_nesting_is_read_to_the_bottom() {
    for (open, close) in [("(", ")"), ("{", "}"), ("info!(", ")"), ("f(&", ")"), ("x.expect(", ")")] {
        let text = format!(
            "macro_rules! m {{ () => {{ info!(\"m\") }} }} fn f() {{ m!{}info!(\"deep\"){} }}",
            format_args!("({}", open.repeat(200_000)),
            format_args!("{})", close.repeat(200_000)),
        );
        let found = read(&Settings::default(), text.as_bytes()).statements;
        assert!(found.iter().any(|statement| statement.template.to_string() == "deep"), "{open}");
        read(&Settings::default(), &text.as_bytes()[..text.len() / 2]);
        read(&Settings::default(), open.repeat(200_000).as_bytes());
    }
}

#[test]
fn text_made_of_text_is_bounded() {
    let mut text = String::from("const A: &str = \"aaaaaaaaaaaaaaaa\"; fn f() { let v0 = \"0123456789\";\n");
    for n in 1..50 {
        let holes = format!("{{v{}}}{{A}}", n - 1).repeat(200);
        writeln!(text, "let v{n} = format!(\"{holes}\"); info!(\"{{v{n}}}\");").unwrap();
    }
    let found = read(&Settings::default(), text.as_bytes()).statements;
    let bytes: usize = found.iter().map(|statement| statement.template.literal_bytes()).sum();
    assert!(bytes < 50 * 200_000, "{bytes}");
}

/// Words that mean something here, and some that do not.
fn token() -> impl Strategy<Value = String> {
    let words = [
        "info",
        "error",
        "!",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        "\"a {} b\"",
        "\"{x:?}\"",
        "r#\"",
        "\"",
        "'",
        "'a",
        ",",
        ";",
        "=",
        "?",
        "%",
        "=>",
        "::",
        ":",
        ".",
        "#",
        "#[error(",
        "#[instrument",
        "macro_rules! m",
        "$",
        "$x:tt",
        "$(",
        ")*",
        "m!",
        "fn f",
        "mod m {",
        "let x =",
        "format!",
        "concat!",
        "if",
        "else",
        "match",
        "target:",
        "Level::Warn",
        "expect",
        "panic",
        "write",
        "assert_eq",
        "as u8",
        ".len()",
        "//",
        "/*",
        "*/",
        "\n",
        "\\",
        "|",
        "&",
        "o!",
        "\u{e9}",
        "x",
        "1.5",
        "const A: &str = \"c\";",
        "use a::info as i;",
        "i!",
        "log",
        "dbg!",
    ];
    proptest::sample::select(words.to_vec()).prop_map(str::to_owned)
}

proptest! {
    #[test]
    fn any_tokens_are_read(tokens in prop::collection::vec(token(), 0..200), blank in "( |)") {
        read(&Settings::default(), tokens.join(&blank).as_bytes());
    }

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read(&Settings::default(), &bytes);
    }

    #[test]
    fn any_bytes_in_a_call_are_read(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let text = [b"fn f() { info!(".as_slice(), &bytes, b", \"a {}\", x) }"].concat();
        read(&Settings::default(), &text);
    }
}
