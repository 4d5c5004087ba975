//! Cases, and what holds for any bytes.

use std::fmt::Write as _;
use std::path::Path;

use dice_catalog::{Level, Part, Statement, Template};
use proptest::prelude::*;

use crate::{LANGUAGES, Language, Settings, Source, dictionary, facts, statements};

fn language() -> &'static Language {
    LANGUAGES.iter().find(|language| language.name == "c").unwrap()
}

/// The statements of files that are one repository.
fn of(settings: &Settings, texts: &[&str]) -> Vec<Vec<Statement>> {
    let sources: Vec<Source<'_>> =
        texts.iter().map(|text| Source { language: language(), module: "", text: text.as_bytes() }).collect();
    let facts: Vec<_> = sources.iter().map(facts).collect();
    let dictionary = dictionary(settings, &facts);
    sources
        .iter()
        .enumerate()
        .map(|(file, source)| statements(&dictionary, file, source).statements)
        .collect()
}

/// One line: `line:column-end function kind level callee template | prefix | suffix | max | annotations`.
fn line(s: &Statement) -> String {
    let parts = |parts: &[Part]| {
        let part = |part: &Part| match part {
            Part::Text(text) => text.escape_debug().to_string(),
            Part::Hole(hole) => format!("{{{}}}", format!("{:?}", hole.kind).to_lowercase()),
        };
        parts.iter().map(part).collect::<String>()
    };
    format!(
        "{}:{}-{} {} {} {} {} {} | {} | {} | {} | {}",
        s.line,
        s.column,
        s.end_line,
        s.function.as_deref().unwrap_or("-"),
        s.kind,
        s.level.map_or("-", Level::as_str),
        s.callee,
        parts(s.template.parts()),
        parts(&s.prefix),
        parts(&s.suffix),
        s.max.map(|max| max.to_string()).unwrap_or_default(),
        s.annotations.join(" "),
    )
}

#[test]
fn cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("languages/c/cases");
    let mut paths: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "c" || extension == "y"));
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut recording = String::new();
        for statement in &of(&Settings::default(), &[&text])[0] {
            writeln!(recording, "{}", line(statement)).unwrap();
        }
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(&folder);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(path.file_name().unwrap().to_str().unwrap(), recording));
    }
}

#[track_caller]
fn check(texts: &[&str], expected: &[&str]) {
    let all = of(&Settings::default(), texts);
    let found: Vec<String> = all
        .iter()
        .flatten()
        .filter(|s| s.kind.is_matched_by_default())
        .map(|s| format!("{} {}", s.callee, s.template))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn what_one_file_defines_for_itself_stays_there() {
    check(
        &[
            "#include <syslog.h>\n#define say(...) syslog(LOG_INFO, __VA_ARGS__)\nvoid f(void) { say(\"mine\"); }\n",
            "#define say(...) (void)0\nvoid g(void) { say(\"not printed\"); }\n",
            "void h(void) { say(\"nobody knows\"); }\n",
        ],
        &["say mine"],
    );
}

#[test]
fn what_a_header_defines_is_seen_everywhere() {
    check(
        &[
            "#ifndef A_H\n#define A_H\n#define say(...) syslog(LOG_INFO, __VA_ARGS__)\n#endif\n",
            "#include \"a.h\"\nvoid f(void) { say(\"heard\"); }\n",
        ],
        &["say heard"],
    );
}

#[test]
fn names_and_constants_may_be_configured() {
    let mut settings = Settings::default();
    settings.ignore_names.push("syslog".to_owned());
    settings.constants.insert("NAME".to_owned(), "known".to_owned());
    let text = "void f(void) { syslog(LOG_ERR, \"ignored\"); fprintf(stderr, \"a \" NAME \" value\"); }";
    let found: Vec<String> = of(&settings, &[text])[0].iter().map(|s| s.template.to_string()).collect();
    assert_eq!(found, ["a known value"]);
}

#[test]
fn an_unclosed_call_is_a_problem() {
    let text = b"void f(void) { syslog(LOG_ERR, \"a\"; }";
    let source = Source { language: language(), module: "", text };
    let dictionary = dictionary(&Settings::default(), &[facts(&source)]);
    let extraction = statements(&dictionary, 0, &source);
    assert_eq!(extraction.problems.len(), 1, "{extraction:?}");
}

#[test]
fn evidence_leads_to_a_known_callee() {
    let text =
        b"void inner(int p, const char *fmt, ...) { va_list ap; va_start(ap, fmt); vsyslog(p, fmt, ap); }\n\
                 #define outer(...) inner(LOG_ERR, __VA_ARGS__)\n";
    let source = Source { language: language(), module: "", text };
    let loggers = dictionary(&Settings::default(), &[facts(&source)]).loggers();
    let outer = loggers.iter().find(|logger| logger.name == "outer").unwrap();
    assert_eq!(
        outer.evidence,
        [
            "macro outer passes its arguments to inner",
            "inner hands its text to vsyslog",
            "vsyslog is a known logger"
        ]
    );
    assert_eq!((outer.format, outer.level), (Some(0), Some(Level::Error)));
}

#[test]
fn deep_nesting_is_read_in_linear_time() {
    for (open, close) in [
        ("(", ")"),
        ("{", "}"),
        ("{(", ")}"),
        ("[", "]"),
        ("f(,", ")"),
        ("syslog(1, ", ")"),
        ("x ? ", " : y"),
    ] {
        let depth = 40_000;
        let text = format!(
            "void f(void) {{ syslog(LOG_ERR, \"a\", {}1{}); }}",
            open.repeat(depth),
            close.repeat(depth)
        );
        of(&Settings::default(), &[&text]);
        of(
            &Settings::default(),
            &[&format!("void f(void) {{ syslog(LOG_ERR, \"a\"); {}", open.repeat(depth))],
        );
        of(
            &Settings::default(),
            &[&format!("#define M(x) {} x\nvoid f(void) {{ M(syslog(1, \"b\")); }}", open.repeat(depth))],
        );
    }
    let conditionals = "#if A\n".repeat(50_000) + "void f(void) { syslog(LOG_ERR, \"a\"); }";
    of(&Settings::default(), &[&conditionals]);
}

/// Pieces that make C hard to read, in any order.
fn soup() -> impl Strategy<Value = String> {
    let pieces = [
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        ",",
        ";",
        "\"",
        "\\",
        "'",
        "#",
        "##",
        "...",
        "/*",
        "*/",
        "//",
        "\n",
        "\r\n",
        "\\\n",
        "#if 0\n",
        "#if A\n",
        "#else\n",
        "#endif\n",
        "#define M(a, ...) ",
        "#define O ",
        "M(",
        "O ",
        "syslog(LOG_ERR, ",
        "\"%s %d\"",
        "fprintf(stderr, ",
        "void f(const char *fmt, ...) {",
        "va_list ap;",
        "vsnprintf(buf, 9, fmt, ap);",
        "__VA_ARGS__",
        "char buf[9];",
        "= ",
        "? ",
        ": ",
        "log_error(",
        "\u{0}",
        "\u{feff}",
        "é",
        "a",
        "1",
        "%@",
        "#x",
        "x##y",
        "static ",
        "__attribute__((format(printf, 1, 2)))",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..120).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let source = Source { language: language(), module: "", text: &bytes };
        let dictionary = dictionary(&Settings::default(), &[facts(&source)]);
        statements(&dictionary, 0, &source);
    }

    #[test]
    fn any_pieces_of_c_are_read(text in soup()) {
        for statement in &of(&Settings::default(), &[&text])[0] {
            prop_assert!(statement.end_line >= statement.line);
            prop_assert_eq!(&Template::new(statement.template.parts().iter().cloned()), &statement.template);
        }
    }
}
