//! What a hole matches: all that its conversion prints, and not much else.

use dice_catalog::{Hole, HoleKind, Pad};
use regex_automata::Input;
use regex_automata::meta::Regex;
use regex_automata::util::syntax;

fn regex(hole: &Hole) -> Regex {
    let syntax = syntax::Config::new().unicode(false).utf8(false).dot_matches_new_line(true);
    let pattern = format!("^(?:{})$", hole.pattern());
    let config = Regex::config().utf8_empty(false);
    Regex::builder().configure(config).syntax(syntax).build(&pattern).expect("patterns of holes compile")
}

fn is_match(hole: &Hole, printed: &[u8]) -> bool {
    regex(hole).is_match(Input::new(printed))
}

/// Which of `printed` are matched is told by their place: before the bar or after it.
#[track_caller]
fn check(hole: Hole, matched: &[&str], not_matched: &[&str]) {
    for printed in matched {
        assert!(is_match(&hole, printed.as_bytes()), "{hole:?} prints {printed:?}");
    }
    for printed in not_matched {
        assert!(!is_match(&hole, printed.as_bytes()), "{hole:?} never prints {printed:?}");
    }
}

/// Rows of the fixture come from C's, Rust's and nginx's own formatters: dialect, format, printed, hole.
#[test]
fn what_a_conversion_prints_is_matched() {
    let fixture = include_str!("../../../fixtures/holes.tsv");
    let mut compiled: Vec<(&str, Regex)> = Vec::new();
    for row in fixture.lines().skip(1) {
        let [_, _, printed, json] = row.split('\t').collect::<Vec<_>>()[..] else {
            panic!("a row has four columns: {row}");
        };
        if !compiled.iter().any(|(known, _)| *known == json) {
            let hole: Hole = serde_json::from_str(json).expect("the last column is a hole");
            compiled.push((json, regex(&hole)));
        }
        let (_, regex) = compiled.iter().find(|(known, _)| *known == json).expect("it was compiled");
        assert!(regex.is_match(Input::new(printed)), "{row}");
    }
}

#[test]
fn numbers_are_nothing_else() {
    let no = ["", " ", "-", "x", "1 2", "1,5", "0x", "--1", "1-", "five", "(null)"];
    for kind in [HoleKind::Int, HoleKind::Uint, HoleKind::Hex, HoleKind::Octal, HoleKind::Float] {
        for pad in [Pad::None, Pad::Before, Pad::After, Pad::Both] {
            check(Hole { pad, ..Hole::of(kind) }, &["0", "7"], &no);
        }
    }
    check(Hole::of(HoleKind::Int), &["-5", "00012"], &["+5", " 5", "5 ", "1.5", "ff", "1e5", "- 5"]);
    check(Hole::of(HoleKind::Uint), &["18446744073709551615"], &["-5", "+5", " 5", "1.5"]);
    check(Hole::of(HoleKind::Hex), &["dead0", "DEAD0"], &["0x1", "Dead0", "-1", "g"]);
    check(Hole::of(HoleKind::Octal), &["755"], &["8", "0o7", "-7"]);
    check(
        Hole::of(HoleKind::Float),
        &["1", "1.5", "-1e5", "inf", "-nan"],
        &["1.", ".5", "1.5.2", "infinite"],
    );
}

#[test]
fn blanks_stand_where_the_width_puts_them() {
    let int = Hole::of(HoleKind::Int);
    check(Hole { pad: Pad::Before, ..int }, &["   5", "  -5", "-  5"], &["5  ", " 5 "]);
    check(Hole { pad: Pad::After, ..int }, &["5   "], &["  5", " 5 "]);
    check(Hole { pad: Pad::Both, ..int }, &["5  ", "  5", " 5 "], &["5 5"]);
}

#[test]
fn precision_counts_decimals_and_bytes() {
    let float = |precision| Hole { precision: Some(precision), ..Hole::of(HoleKind::Float) };
    check(float(0), &["3", "inf"], &["3.", "3.0"]);
    check(float(2), &["3.14", "-0.00", "nan"], &["3", "3.1", "3.141", "3.1e5"]);
    check(float(4_000_000_000), &["0.5"], &["5"]);
    let text = |precision| Hole { precision: Some(precision), ..Hole::of(HoleKind::Text) };
    check(text(0), &[""], &["a"]);
    check(text(3), &["", "abc", "\n\n\n"], &["abcd", "éé"]);
    check(text(4_000_000_000), &["", "abcd"], &[]);
    check(Hole { precision: Some(0), ..Hole::of(HoleKind::Int) }, &["", "5"], &["x"]);
}

#[test]
fn the_flags_add_signs_and_prefixes() {
    check(Hole { sign: true, ..Hole::of(HoleKind::Int) }, &["+5", " 5", "-5"], &["++5"]);
    let hex = Hole { alternate: true, ..Hole::of(HoleKind::Hex) };
    check(hex, &["0", "0x0", "0xff", "0XFF", "0xFF"], &["0x", "x1", "1x1"]);
    check(Hole { alternate: true, ..Hole::of(HoleKind::Octal) }, &["0", "017", "0o17", "0b101"], &["0x1"]);
    let float = Hole { alternate: true, ..Hole::of(HoleKind::Float) };
    check(float, &["1.", "0x1.8p+3", "-0XAP-1", "1e+10"], &["0x1", "p3"]);
}

#[test]
fn a_character_is_at_most_one() {
    let char = Hole::of(HoleKind::Char);
    check(char, &["", "a", " ", "\n", "é", "…", "😀"], &["ab", "éa", "  "]);
    assert!(is_match(&char, b"\xff"));
    assert!(!is_match(&char, b"\xffa"));
}

#[test]
fn words_and_quotes() {
    let pointer = Hole::of(HoleKind::Pointer);
    check(pointer, &["0x7f00", "(nil)", "(null)", "00007FF6A1B2C3D4"], &["", "0x", "7f00", "null", "(x)"]);
    check(Hole::of(HoleKind::Errno), &["No such file or directory"], &["", "two\nlines"]);
    check(Hole::of(HoleKind::Bool), &["true", "false"], &["", "True", "1"]);
    check(Hole::of(HoleKind::Quoted), &[r#""""#, r#""a \" b""#, r"'\''"], &["", "a", r#""a"#, r#""a" b""#]);
    check(Hole::of(HoleKind::Text), &["", "a b", "a\nb"], &[]);
}
