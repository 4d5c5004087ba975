//! Lines that nobody's logger wrote: any bytes are normal input.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use std::borrow::Cow;

use dice_match::{Format, Reader, ReaderSettings};
use jiff::tz::TimeZone;
use proptest::prelude::*;

fn reader(format: Option<&str>) -> Reader {
    let near = "2026-11-20T16:00:00Z".parse().unwrap();
    let format = format.map(|name| Format::named(name).unwrap());
    Reader::new(ReaderSettings { format, zone: TimeZone::UTC, year: None, near })
}

/// Reads a line twice with one reader, and with a reader of each format.
fn check(line: &[u8]) {
    let mut auto = reader(None);
    let first = auto.read(line).into_owned();
    let again = auto.read(line).into_owned();
    if !first.is_partial {
        assert_eq!(first, again, "a format that was seen changes nothing");
    }
    let envelope = reader(None).read(line).into_owned();
    if envelope.format.is_none() {
        let bare = reader(Some("bare")).read(line).into_owned();
        assert_eq!(envelope.message, bare.message, "without a header all is message");
    }
    // No message is nowhere in the line.
    if let Cow::Borrowed(message @ [_, ..]) = reader(None).read(line).message {
        let from = message.as_ptr() as usize - line.as_ptr() as usize;
        assert_eq!(message, &line[from..from + message.len()]);
    }
}

/// What real headers consist of.
fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "2026-11-20T15:53:32.997959Z",
        "2026-11-20 15:53:32,997",
        "2026/11/20 15:53:32",
        "Nov 20 15:53:32",
        "20 Nov 2026 15:54:19.280",
        "[Fri Nov 20 15:54:23 2026]",
        "15:53:32",
        "1795190012",
        "[   12.345678]",
        "99-99-99 99:99:99",
        "0000-00-00T00:00:00Z",
        "9999-12-31T23:59:60+25:59",
        " ",
        " ",
        " ",
        ": ",
        ":",
        "|",
        " - ",
        "[",
        "]",
        "(",
        ")",
        "<",
        ">",
        "{",
        "}",
        "\"",
        "\\",
        "=",
        ",",
        "INFO",
        "error",
        "WARN",
        "E",
        "I",
        "main.c:12",
        "main.rs:42",
        "shop::cart",
        "shop",
        "[12]",
        "12",
        "#012",
        "\x1b[32m",
        "\x1b",
        "\0",
        "\r",
        "<13>",
        "<13>1 ",
        "thread 'main' panicked at ",
        "{\"msg\":\"",
        "{\"log\":\"",
        "msg=",
        "level=info ",
        "'",
        "ThreadId(1) ",
        "conn{a=1}:",
        "stdout F ",
        "\u{feff}",
        "127.0.0.1",
        "->",
        "func()",
        "@",
        "/",
    ]);
    prop_oneof![
        8 => known.prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(line in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&line);
    }

    #[test]
    fn pieces_of_headers(pieces in prop::collection::vec(fragment(), 0..16)) {
        check(&pieces.concat());
    }
}

#[test]
fn a_field_for_the_message_may_be_empty() {
    check(b"level=info msg=");
}

#[test]
fn every_format_can_be_forced_on_any_line() {
    for name in Format::names() {
        let mut reader = reader(Some(name));
        for line in [&b""[..], b"x", b"{}", b"2026-11-20T15:53:32Z  INFO shop: up", b"\xff\xfe", b"a=b"] {
            reader.read(line);
        }
        assert_eq!(reader.shown().unwrap().0.name(), name);
    }
}

#[test]
fn long_lines_are_read_in_linear_time() {
    const N: usize = 1 << 20;
    let traced = |text: &str| format!("2026-11-20T15:53:32.997959Z ERROR {}", text.repeat(N / text.len()));
    let syslog = |text: &str| format!("Nov 20 15:53:32 web-1 shop[123]: {}", text.repeat(N / text.len()));
    let mut lines: Vec<String> = [
        "{",
        "[",
        "(",
        "<",
        "a",
        "1",
        " ",
        "\t",
        "\x1b",
        "\x1b[",
        "\x1b[1;1",
        "\0",
        "a=b ",
        "a=\"",
        "\\",
        "{\"a\":",
        "{\"a\":{},",
        "[INFO] ",
        "<1>",
        "2026-11-20 15:53:32 ",
        "[2026-11-20 15:53:32]",
        "a::",
        "a:",
        "a[1]: ",
        "1.",
        "\u{feff}",
        "thread 'main' panicked at '",
        "'",
        "#012",
        "main.c:12: ",
        "INFO ",
        "12 ",
    ]
    .iter()
    .map(|text| text.repeat(N / text.len()))
    .collect();
    for text in
        ["a{", "a{}:", "a{\"}:", "a{{}:", "a: ", "a:", "a::", "{}", "\"", "}:", "a.rs:1: ", "ThreadId(", "a "]
    {
        lines.push(traced(text));
    }
    for text in ["#012", "#", "<1>", "{\"a\":", "a: "] {
        lines.push(syslog(text));
    }
    lines.push(format!("[2026-11-20 15:53:32,997] INFO {}", " (".repeat(N / 2)));
    lines.push(format!("<13>1 - a b c d {}", "[a b=\"".repeat(N / 6)));
    lines.push(format!("{{\"msg\":\"x\",{}\"z\":1}}", "\"k\":[1,{}],".repeat(N / 12)));
    lines.push(format!("{{\"MESSAGE\":[{}1]}}", "1,".repeat(N / 2)));
    lines.push(format!("{{\"log\":\"{}\"}}", "\\n".repeat(N / 2)));
    for line in &lines {
        let envelope = reader(None).read(line.as_bytes()).into_owned();
        assert!(envelope.message.len() <= line.len());
        assert!(envelope.fields.len() <= 256);
    }
}
