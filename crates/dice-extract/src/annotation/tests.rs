//! Which comments name owners, and which only look like it.

use std::ops::Range;

use proptest::prelude::{any, proptest};

use super::after_call;

/// `|` in `line` stands where the call ends; its other calls are those that read `b(…)`.
#[track_caller]
fn check_line(line: &str, owners: &[&str]) {
    let end = line.find('|').expect("a line says where the call ends");
    let text = line.replacen('|', "", 1);
    let calls: Vec<Range<usize>> = text
        .match_indices("b(")
        .map(|(start, _)| start..start + text[start..].find(')').expect("calls are closed") + 1)
        .collect();
    assert_eq!(after_call(text.as_bytes(), end, &calls), owners, "{line}");
}

#[track_caller]
fn check(comment: &str, owners: &[&str]) {
    check_line(&format!("a(\"x\")|; {comment}\n// #next-line\n"), owners);
}

#[test]
fn owners_stand_first_in_a_comment() {
    check("// #hello-worlders", &["#hello-worlders"]);
    check("// @elmore", &["@elmore"]);
    check("// #oncall-db", &["#oncall-db"]);
    check("/* #channel */", &["#channel"]);
    check("//#channel", &["#channel"]);
    check("/*@dev*/", &["@dev"]);
    check("/// #channel", &["#channel"]);
    check("//! @dev", &["@dev"]);
    check("/**< #channel **/", &["#channel"]);
    check("// @team/storage", &["@team/storage"]);
    check("// bob@x.io", &["bob@x.io"]);
    check("// <bob@x.io>", &["bob@x.io"]);
    check("//<bob@x.io>", &["bob@x.io"]);
    check("// Skip James <skip@james.example>", &["skip@james.example"]);
    check("// Jürgen van der Berg <jvdb+logs@mail.example.org> knows", &["jvdb+logs@mail.example.org"]);
    check("// skipper <skip@james.example>, #blues", &["skip@james.example", "#blues"]);
    check("// #2fast", &["#2fast"]);
    check("// #fff", &["#fff"]);
    check("// @a.b-c_d", &["@a.b-c_d"]);
}

#[test]
fn several_owners_are_one_list() {
    check("// #db, @alice, bob@x.io: page if > 5/min", &["#db", "@alice", "bob@x.io"]);
    check("/* @team/storage and #ops - flaky */", &["@team/storage", "#ops"]);
    check("// @ann @ben", &["@ann", "@ben"]);
    check("// #a; #b | #c & #d + #e", &["#a", "#b", "#c", "#d", "#e"]);
    check("// #a,#b;@c&#d+@e", &["#a", "#b", "@c", "#d", "@e"]);
    check("// @ann, and @ben", &["@ann", "@ben"]);
    check("// #db #db @ann #db", &["#db", "@ann"]);
}

#[test]
fn free_text_ends_the_list() {
    check("// #db watch the disk, not @ann", &["#db"]);
    check("// @ann: see #1234", &["@ann"]);
    check("// @ann. Then @ben", &["@ann"]);
    check("// #db!", &["#db"]);
    check("// #db? @ann", &["#db"]);
    check("// #db - @ann is away", &["#db"]);
    check("// @ann, see #1234", &["@ann"]);
    check("// #db and others", &["#db"]);
    check("// bob@x.io.", &["bob@x.io"]);
    check("// #ops) closed", &["#ops"]);
}

#[test]
fn a_key_makes_names_of_words() {
    check("// owner: alice", &["@alice"]);
    check("// Owners = alice, bob and carol", &["@alice", "@bob", "@carol"]);
    check("// owner: @alice #db", &["@alice", "#db"]);
    check("// owner: alice #db", &["@alice", "#db"]);
    check("// on-call: #db", &["#db"]);
    check("// notify:#db", &["#db"]);
    check("// DICE: @ann", &["@ann"]);
    check("// cc = ann", &["@ann"]);
    check("// contact: Ann Lee <ann@lee.example>", &["ann@lee.example"]);
    check("// team: storage/core", &[]);
    check("// page: alice - at night", &["@alice"]);
    check("// owner: alice or somebody", &["@alice"]);
    check("// owner: the caller", &[]);
    check("// owner: unknown", &[]);
    check("// page: 4", &[]);
    check("// owner of this: alice", &[]);
    check("// alice", &[]);
    check("// the owner: alice", &[]);
}

#[test]
fn numbers_directives_and_colours_are_no_channels() {
    for comment in [
        "#123",
        "#1:",
        "#515",
        "#1st",
        "#22nd",
        "#0",
        "#1-2",
        "#1a2b3c",
        "#1e1",
        "#00ff",
        "#deadbee1",
        "#if",
        "#ifdef X",
        "#ifndef X",
        "#elif",
        "#else",
        "#endif",
        "#define X",
        "#undef X",
        "#include <x>",
        "#import",
        "#error",
        "#warning",
        "#pragma once",
        "#line",
        "#ident",
        "#region",
        "#endregion",
        "#Region",
        "#C++",
        "#dB",
        "#",
        "# db",
        "##db",
        "#-db",
        "#_db",
        "#db(1)",
        "#db=1",
        "#oncall:urgent",
        "#db.x",
        "#db/x",
        "#été",
        "#[test]",
        "#!/bin/sh",
    ] {
        check(&format!("// {comment}"), &[]);
        check(&format!("/* {comment} */"), &[]);
    }
    check(&format!("// #{}", "a".repeat(80)), &[&format!("#{}", "a".repeat(80))]);
    check(&format!("// #{}", "a".repeat(81)), &[]);
}

#[test]
fn tags_of_tools_are_no_handles() {
    for comment in [
        "@todo",
        "@TODO: x",
        "@fixme",
        "@param x",
        "@return",
        "@brief",
        "@see x",
        "@note",
        "@file",
        "@fallthrough",
        "@fallthrough@",
        "@unittest",
        "@override",
        "@SuppressWarnings",
        "@ts-ignore",
        "@eslint-disable",
        "@foo(bar)",
        "@foo=1",
        "@foo:bar",
        "@foo/",
        "@foo/bar/baz",
        "@/foo",
        "@ foo",
        "@",
        "@@foo",
        "@-foo",
        "@_foo",
        "@123",
        "@1.2",
        "@0x7f00",
        "@foo...",
        "@foo-",
        "@foo\"",
        "@été",
    ] {
        check(&format!("// {comment}"), &[]);
    }
    check(&format!("// @{}", "a".repeat(63)), &[&format!("@{}", "a".repeat(63))]);
    check(&format!("// @{}", "a".repeat(64)), &[]);
}

#[test]
fn addresses_need_a_domain() {
    for comment in [
        "user@host",
        "a@b.c.d@e",
        "a@b..c",
        "@",
        "a@.c",
        "a@-b.c",
        "x@4.17",
        "lodash@4.17.x",
        "<a@b.c",
        "<a@b>",
        "a@b.c>d",
        "a@b.c(x)",
        "reported by Bob <bob@x.io>",
        "see bob@x.io",
        "mail Bob <bob@x.io>",
        "Bob<bob@x.io>",
        "https://x.io/@bob",
        "git@x.io:a/b",
    ] {
        check(&format!("// {comment}"), &[]);
    }
}

#[test]
fn prose_names_nobody() {
    check("// see #db", &[]);
    check("// (#db)", &[]);
    check("// \"#db\"", &[]);
    check("// cc @ann", &[]);
    check("//", &[]);
    check("/**/", &[]);
    check("/* */", &[]);
    check("/*", &[]);
    check("/", &[]);
}

#[test]
fn the_comment_is_the_next_thing_on_the_line() {
    check_line("a()| // #db", &["#db"]);
    check_line("a()|;// #db\r\n", &["#db"]);
    check_line("if (x) { a()|; } // #db", &["#db"]);
    check_line("f(a()|), // #db", &["#db"]);
    check_line("a()|;\n// #db", &[]);
    check_line("a()|;\r\n// #db", &[]);
    check_line("// #db\na()|;", &[]);
    check_line("a()|; return; // #db", &[]);
    check_line("a()|; } else { // #db", &[]);
    check_line("a()| + 1; // #db", &[]);
    check_line("a()|; f(); // #db", &[]);
    check_line("a()|.x(); // #db", &[]);
    check_line("if (a()|) { // #db", &[]);
    check_line("if (x) a()|; /* #db */ else c();", &["#db"]);
}

#[test]
fn calls_on_one_line_share_their_comment() {
    check_line("a()|; b(); // #both", &["#both"]);
    check_line("a()|; b(); b(\"{\"); } // #all", &["#all"]);
    check_line("a(); b()|; // #both", &["#both"]);
    check_line("a()|; b(1,\n2); // #second", &[]);
    check_line("a()|; /* #first */ b(); // #second", &["#first"]);
    check_line("a()|; /* note */ b(); // #both", &["#both"]);
}

#[test]
fn comments_are_read_in_order() {
    check_line("a()|; /* #db */ // @ann", &["#db", "@ann"]);
    check_line("a()|; /* note */ /* #db */ // and more", &["#db"]);
    check_line("a()|; /* #db\n */ /* @ann */", &["#db"]);
    check_line("a()|; /* #db @ann", &["#db", "@ann"]);
    check_line("a()|; /* see below\n * #db */", &[]);
}

#[test]
fn comments_in_macros_are_followed_by_a_backslash() {
    check_line("a()|; /* #db */ \\\n", &["#db"]);
    check_line("a()|; \\\n /* #db */", &[]);
    check_line("a()|; // #db\\\n", &["#db"]);
    check_line("a()|; // #db \\\r\n", &["#db"]);
}

#[test]
fn endless_lines_end() {
    let calls = "b();".repeat(20_000);
    check_line(&format!("a()|;{calls} // #db"), &[]);
    check_line(&format!("a()|{} // #db", ")".repeat(20_000)), &[]);
    check(&format!("// {}", "#db @ann ".repeat(20_000)), &["#db", "@ann"]);
}

proptest! {
    #[test]
    fn any_bytes_after_a_call_are_read(text: Vec<u8>, end in any::<usize>(), starts in proptest::collection::vec(0..99usize, 0..9)) {
        let mut calls: Vec<Range<usize>> = starts.iter().map(|start| *start..start + 7).collect();
        calls.sort_by_key(|call| call.start);
        after_call(&text, end % (text.len() + 2), &calls);
    }

    #[test]
    fn comments_full_of_marks_are_read(comment in r"(//|/\*)[#@<>a-c. ,:=/*\\&+\n-]{0,40}") {
        after_call(comment.as_bytes(), 0, &[]);
    }
}
