//! What conditions mean, how they are written, and what is said about those that are none.

use std::sync::Arc;

use dice_catalog::{Kind, Level, Owner, Why};
use proptest::prelude::*;

use super::{Condition, FIELDS, FUNCTIONS, Field, Share};
use crate::event::PartitionId;
use crate::{Event, Message, MessageId};

fn message() -> Message {
    Message {
        id: MessageId::Known("000102030405060708090a0b0c0d0e0f".parse().unwrap()),
        was: vec![MessageId::Known("ff0102030405060708090a0b0c0d0e0f".parse().unwrap())],
        repo: "shop".into(),
        template: "declined <*> after <*>".into(),
        place: "src/net/pay.c:120".into(),
        file: "src/net/pay.c".into(),
        function: Some("charge".into()),
        target: None,
        kind: Some(Kind::Log),
        level: Some(Level::Error),
        holes: vec![Some("merchant".into()), None],
        owners: vec![Owner::named("#payments", Why::Annotation), Owner::named("@shop/core", Why::Annotation)],
        candidates: Vec::new(),
        fallback: Some(Owner::named("#triage", Why::Fallback)),
        annotations: vec!["#payments".to_owned(), "@shop/core".to_owned()],
        author: Some("pig@pen.mssn".into()),
        revision: None,
        url: None,
        is_outdated: false,
    }
}

fn event() -> Event {
    Event {
        partition: PartitionId(0),
        offset: 0,
        at_ms: None,
        ingested_ms: 0,
        message: Arc::new(message()),
        level: Some(Level::Error),
        source: "app".into(),
        host: Some("web-3".into()),
        service: Some("pay".into()),
        env: Some("production".into()),
        version: Some("1.10".into()),
        trace: None,
        text: "declined m1 after 250ms".into(),
        values: Box::new([(9, 11), (18, 23)]),
        fields: Box::new([
            ("code".into(), "42".into()),
            ("took".into(), "12 items".into()),
            ("http status".into(), "503".into()),
            ("ok".into(), "true".into()),
        ]),
    }
}

#[track_caller]
fn check(text: &str, holds: bool, share: Share) {
    let condition = Condition::parse(text).unwrap_or_else(|malformed| panic!("{text}: {malformed}"));
    assert_eq!(condition.holds(&event()), holds, "{text}");
    assert_eq!(condition.of_message(&message()), share, "{text}");
    let again = Condition::parse(&condition.to_string()).unwrap();
    assert_eq!(again.to_string(), condition.to_string());
    assert_eq!((again.holds(&event()), again.of_message(&message())), (holds, share));
}

#[track_caller]
fn always(text: &str) {
    check(text, true, Share::Always);
}

#[track_caller]
fn never(text: &str) {
    check(text, false, Share::Never);
}

#[track_caller]
fn yes(text: &str) {
    check(text, true, Share::Depends);
}

#[track_caller]
fn no(text: &str) {
    check(text, false, Share::Depends);
}

#[test]
fn the_catalog_decides_once_for_all_events() {
    always("");
    always("true");
    never("false");
    always("message in owned_by('#payments')");
    always("site in owned_by(\"#nobody\", \"@Shop/Core\")");
    never("owned_by('#triage')");
    never("owner != '#payments'");
    always("annotated('#payments') and annotated()");
    always("level >= error and level < critical and level in [error, warn]");
    never("level == 'warning'");
    always("kind in [log, stderr] and matched");
    never("not matched or matched == false");
    always("file('src/net/**') and file == 'src/net/pay.c' and line > 100");
    always("function == 'charge' and repo == 'shop' and author =~ '@pen[.]'");
    always("message == '000102030405060708090a0b0c0d0e0f'");
    always("message in ['ff0102030405060708090a0b0c0d0e0f']");
    always("template =~ '^declined <'");
    never("exists(target) or target == 'x'");
    always("target != 'x' and target !~ 'x' and target not in ['x']");
    always("place == 'src/net/pay.c:120' or service == 'pay'");
}

#[test]
fn the_rest_depends_on_the_event() {
    yes("service == \"pay\" and site in owned_by(\"#payments\") and level >= error");
    never("service == 'pay' and level < error");
    always("service == 'pay' or level >= error");
    yes("host =~ '^web-\\d+$' and env in ['production', 'staging']");
    no("host !~ '^web' or source == 'other'");
    yes("exists(service) and not exists(trace) and trace != 'x'");
    yes("contains(text, 'decl') and starts_with(text, 'x', 'dec') and ends_with(text, 'ms')");
    yes("icontains(text, 'DECLINED M1') and iequals(service, 'PAY') and iends_with(text, 'MS')");
    no("contains(text, 'DECLINED') or equals(text, 'declined')");
    yes("fields.ok == true and fields.\"http status\" >= 500");
    yes("vars.merchant == 'm1' and vars.1 == 'm1' and vars.2 == '250ms' and vars.code == 42");
    no("fields.merchant == 'm1'");
}

#[test]
fn numbers_are_numbers_where_all_of_the_value_is_one() {
    yes("fields.code > 41 and fields.code <= 42 and fields.code != 43");
    yes("fields.code == 42.0 and fields.code in [1, 42]");
    no("fields.code == '42.0'");
    no("vars.2 > 200");
    yes("number(vars.2) > 200 and number(fields.took) == 12");
    yes("vars.2 >= 0.25s and vars.2 == 250ms and vars.2 < 1m");
    no("vars.2 > 1KiB or fields.code > 1ms");
    yes("version > '1.9' and version < '1.11' and version >= '1.10'");
}

#[track_caller]
fn same(a: &str, b: &str) {
    assert_eq!(Condition::parse(a).unwrap(), Condition::parse(b).unwrap());
}

#[test]
fn what_means_the_same_is_written_the_same() {
    same("service=='pay'", " service  ==  \"pay\" ");
    same("not service == 'pay'", "service != 'pay'");
    same("not (not (owned_by('#x')))", "owner == '#x'");
    same("(host == 'a' and (env == 'b' and true))", "host == 'a' and env == 'b'");
    same("service in ['b', 'a', 'b']", "service in ['a', 'b',]");
    same("level >= WARN", "level >= warning");
    same("vars.a > 90s", "number(vars.a) > 1m30s");
    same("matched == false", "not matched");
    assert_ne!(Condition::parse("vars.a == 5").unwrap(), Condition::parse("vars.a == '5'").unwrap());
    let shown = |text| Condition::parse(text).unwrap().to_string();
    assert_eq!(
        shown("not (host=='a' or env =~ '\\d') and (matched or false)"),
        r#"not (host == "a" or env =~ "\\d") and matched"#
    );
    assert_eq!(
        shown("(host == 'a' or matched) and env != 'b'"),
        r#"(host == "a" or matched) and env != "b""#
    );
    assert_eq!(shown("fields.'a b' == 'x\\n\\u{7}'"), r#"fields."a b" == "x\n\u{7}""#);
}

#[track_caller]
fn refused(text: &str, at: &str, told: &str) {
    let malformed = Condition::parse(text).unwrap_err();
    assert_eq!(malformed.to_string(), told, "{text}");
    assert_eq!(&text[malformed.at], at, "{text}");
}

#[test]
fn a_slip_is_told_with_its_place() {
    refused("servce == 'pay'", "servce", "wanted a field, found `servce`; did you mean `service`?");
    refused(
        "merchant == 'x'",
        "merchant",
        "wanted a field, found `merchant`; a value in the message is `vars.merchant`, a text stands in quotes",
    );
    refused(
        "service = 'pay'",
        "=",
        "wanted a word, a text in quotes, a number or a comparison, found `=`; write `==`",
    );
    refused(
        "matched && level > info",
        "&&",
        "wanted a word, a text in quotes, a number or a comparison, found `&&`; write `and`",
    );
    refused(
        "service == pay",
        "pay",
        "wanted a text in quotes, a number, true or false, found `pay`; write \"pay\"",
    );
    refused("service == 'pay", "'pay", "wanted a closing ', found the end");
    refused(
        "level >= eror",
        "eror",
        "wanted a level: trace, debug, info, notice, warning, error, critical, found `eror`",
    );
    refused("service == 'a' service", "service", "wanted `and`, `or` or the end, found `service`");
    refused("(matched", "", "wanted `and`, `or` or `)`, found the end");
    refused(
        "vars.x",
        "",
        "wanted a comparison: ==, !=, <, <=, >, >=, =~, !~ or in, found the end; `exists(vars.x)` asks whether there is one",
    );
    refused("text =~ 'a(b'", "'a(b'", "wanted an expression that can be compiled, found unclosed group");
    refused(
        "text =~ '(\\pL{200}){200}'",
        "'(\\pL{200}){200}'",
        "wanted an expression that can be compiled, found one that needs more than 1048576 bytes",
    );
    refused(
        "message == 'timeout'",
        "'timeout'",
        "wanted a message's id: 32 hexadecimal digits, `u:` before them where unmatched, found `'timeout'`; \
         `message` is an id; what was printed is `text`, the words of the statement `template`",
    );
    refused("conains(text, 'a')", "conains", "wanted a function, found `conains`; did you mean `contains`?");
    refused(
        "owned_by('payments')",
        "'payments'",
        "wanted an owner: #channel, @handle, @org/team or an address, found `'payments'`; \
         write \"#payments\" for the channel",
    );
    refused("fields.n > 5x", "5x", "wanted a number such as 5, 0.25, 250ms, 1h30m, 10KiB or 5%, found `5x`");
    refused("owner < '#x'", "<", "wanted == or !=: `owner` has no order, found `<`");
    refused("number(vars.a) == 'x'", "'x'", "wanted a number, found `'x'`");
    let deep = format!("{}matched{}", "(".repeat(65), ")".repeat(65));
    refused(&deep, "(", "wanted at most 64 parentheses inside each other, found `(`");
}

#[test]
fn limits_hold() {
    assert!(Condition::parse(&" ".repeat(20_000)).is_err());
    let many = vec!["text =~ 'a'"; 65].join(" or ");
    assert!(Condition::parse(&many).unwrap_err().wanted.contains("at most 64"));
    let long = vec!["matched"; 1400].join(" or ");
    assert_eq!(Condition::parse(&long).unwrap().of_message(&message()), Share::Always);
    assert!(Condition::parse(&"not ".repeat(4000)).is_err());
    assert!(Condition::parse(&format!("{}matched", "not ".repeat(4000))).unwrap().holds(&event()));
}

#[test]
fn every_field_and_function_is_known() {
    for (name, _) in FIELDS {
        let field = Field::parse(name).unwrap();
        assert_eq!((field.name(), field.to_string().as_str()), (*name, *name));
        let event = event();
        let value = field.of(&event);
        assert_eq!(value.is_none(), ["target", "trace"].contains(name), "{name}");
    }
    assert_eq!(Field::parse("owner").unwrap().of(&event()).unwrap(), "#payments");
    assert_eq!(Field::parse("vars.2").unwrap().of(&event()).unwrap(), "250ms");
    assert!(Field::parse("vars.").is_err());
    for (written, _) in FUNCTIONS {
        let name = written.split(['(', ',']).next().unwrap();
        let told = Condition::parse(&format!("{name}(")).unwrap_err();
        assert_ne!(told.wanted, "a function", "{name}");
    }
}

const PIECES: &[&str] = &[
    "and",
    "or",
    "not",
    "(",
    ")",
    "[",
    "]",
    ",",
    "==",
    "!=",
    "<",
    ">=",
    "=~",
    "!~",
    "in",
    "matched",
    "level",
    "service",
    "vars.x",
    "vars.1",
    "message",
    "owner",
    "exists(",
    "contains(",
    "icontains(",
    "number(",
    "file(",
    "owned_by(",
    "annotated(",
    "error",
    "'#x'",
    "'a'",
    "\"(\"",
    "5",
    "5ms",
    "1e",
    "-",
    "'",
    "\\",
    "fields.",
    "é",
];

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![8 => prop::sample::select(PIECES).prop_map(str::to_owned), 1 => ".{0,3}"]
}

proptest! {
    #[test]
    fn any_text_is_a_condition_or_a_reason(pieces in prop::collection::vec(piece(), 0..12), blank in " ?") {
        let text = pieces.join(&blank);
        match Condition::parse(&text) {
            Ok(condition) => {
                let again = Condition::parse(&condition.to_string());
                prop_assert_eq!(again.as_ref(), Ok(&condition));
                let (holds, share) = (condition.holds(&event()), condition.of_message(&message()));
                prop_assert!(share == Share::Depends || (share == Share::Always) == holds);
            }
            Err(malformed) => {
                prop_assert!(text.get(malformed.at.clone()).is_some(), "{:?} of {:?}", malformed, text);
            }
        }
    }

    #[test]
    fn texts_survive_their_quotes(text in ".*") {
        let condition = Condition::parse(&format!("service == {}", Quoted(&text))).unwrap();
        let event = Event { service: Some(text.into()), ..event() };
        prop_assert!(condition.holds(&event));
    }
}

struct Quoted<'t>(&'t str);

impl std::fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        super::token::write_text(f, self.0)
    }
}
