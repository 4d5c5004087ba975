//! Who wrote a statement and who answers for it, from the history to the catalog.

use dice_catalog::History;

use crate::scratch::{Scratch, authors, c_file, messages, owners};

#[test]
fn lines_belong_to_whoever_changed_them_last() {
    let pen = Scratch::new("pen");
    pen.write("a.c", c_file(&["one %d", "two %d"])).commit("Pig", 0);
    pen.write("a.c", c_file(&["one %d", "two changed %d"])).commit("Elmore", 1);
    pen.write("a.c", format!("// moved\n{}", c_file(&["one %d", "two changed %d"]))).commit("Goat", 2);
    let indexed = pen.index();
    assert_eq!(authors(&indexed), ["Pig", "Elmore"]);
    let author = indexed.catalog.entries[0].author.as_ref().unwrap();
    assert_eq!((author.email.as_str(), author.time.as_str()), ("Pig@pen.mssn", "2023-11-14T22:13:20Z"));
    assert_eq!(owners(&indexed), ["Pig@pen.mssn author", "Elmore@pen.mssn author"]);
}

#[test]
fn names_go_through_the_mailmap() {
    let pen = Scratch::new("pen");
    pen.write("a.c", c_file(&["one %d"])).commit("pig", 0);
    pen.write(".mailmap", "Mr Pig Jr. <pig@new.mssn> <pig@pen.mssn>\n").commit("Goat", 1);
    assert_eq!(authors(&pen.index()), ["Mr Pig Jr."]);
    assert_eq!(owners(&pen.index()), ["pig@new.mssn author"]);
}

#[test]
fn a_working_tree_knows_what_is_not_committed() {
    let pen = Scratch::new("pen");
    pen.write("a.c", c_file(&["one %d", "two %d"])).commit("Pig", 0);
    pen.write("a.c", format!("// new\n{}", c_file(&["one %d", "two changed %d"])));
    pen.write("b.c", c_file(&["three %d"]));
    let indexed = pen.index_worktree();
    assert_eq!(messages(&indexed), ["a.c:3 one <*>", "a.c:6 two changed <*>", "b.c:2 three <*>"]);
    assert_eq!(authors(&indexed), ["Pig", "Uncommitted", "Uncommitted"]);
    assert!(indexed.catalog.repos[0].worktree);
}

#[test]
fn a_shallow_history_gives_a_reason_and_no_name() {
    let pen = Scratch::new("pen");
    pen.write("a.c", c_file(&["one %d", "two %d"])).commit("Pig", 0);
    let middle = pen.write("b.c", c_file(&["three %d"])).commit("Goat", 1);
    pen.write("a.c", c_file(&["one %d", "two changed %d"])).commit("Elmore", 2);
    std::fs::write(pen.path().join(".git/shallow"), format!("{middle}\n")).unwrap();
    let indexed = pen.index();
    assert_eq!(authors(&indexed), ["ShallowHistory", "Elmore", "ShallowHistory"]);
    assert_eq!(indexed.catalog.repos[0].history, History::Shallow);
    let warnings = &indexed.report.warnings;
    assert!(warnings[0].contains("2 of 3 authors") && warnings[0].contains("fetch-depth: 0"), "{warnings:?}");
}

#[test]
fn commits_that_only_reformat_are_looked_through() {
    let pen = Scratch::new("pen");
    pen.write("a.c", "void f(int n) {\n  syslog(LOG_ERR, \"one %d\", n);\n}\n").commit("Pig", 0);
    let reformat = pen.write("a.c", c_file(&["one %d"])).commit("Goat", 1);
    assert_eq!(authors(&pen.index()), ["Goat"]);
    pen.write(".git-blame-ignore-revs", format!("# tabs\n{reformat}\nnonsense\n")).commit("Goat", 2);
    let indexed = pen.index();
    assert_eq!(authors(&indexed), ["Pig"]);
    let warning = ".git-blame-ignore-revs:3: wanted the 40 hexadecimal digits of a commit, found nonsense";
    assert_eq!(indexed.report.warnings, [warning]);
}

#[test]
fn the_later_author_of_the_format_is_the_second_candidate() {
    let pen = Scratch::new("pen");
    pen.write("a.c", "void f(int n) {\n    syslog(LOG_ERR,\n        \"one %d\", n);\n}\n").commit("Pig", 0);
    pen.write("a.c", "void f(int n) {\n    syslog(LOG_ERR,\n        \"won %d\", n);\n}\n").commit("Goat", 1);
    let indexed = pen.index();
    assert_eq!(authors(&indexed), ["Pig"]);
    assert_eq!(
        indexed.catalog.entries[0].also_author.as_ref().map(|author| author.name.as_str()),
        Some("Goat")
    );
    assert_eq!(owners(&indexed), ["Pig@pen.mssn author"]);
    pen.write("dice.toml", "[owners]\nleft = ['Pig@pen.mssn']\n").commit("Goat", 2);
    assert_eq!(owners(&pen.index()), ["Goat@pen.mssn author"]);
}

#[test]
fn every_reason_for_an_owner() {
    let pen = Scratch::new("pen");
    pen.write("a.c", "void f(int n) {\n    syslog(LOG_ERR, \"one %d\", n); // #ops, @nobody\n}\n")
        .write("cluster.c", c_file(&["three %d"]))
        .write("src/a.c", c_file(&["four %d"]))
        .write("z.c", c_file(&["five %d"]))
        .commit("Bot", 0);
    pen.write("b.c", c_file(&["two %d"]))
        .write("CODEOWNERS", "/src/ @org/src nonsense\n")
        .write(
            "dice.toml",
            "[owners]\nfallback = '#triage'\nbots = ['bot@*']\npaths = { 'cluster*' = '#cluster' }\n\
             [people]\n'Pig@pen.mssn' = '@pig'\n",
        )
        .commit("Pig", 1);
    let indexed = pen.index();
    let want = [
        "#ops annotation, @nobody annotation",
        "Pig@pen.mssn author",
        "#cluster owners",
        "@org/src codeowners",
        "#triage fallback",
    ];
    assert_eq!(owners(&indexed), want);
    assert_eq!(indexed.catalog.repos[0].fallback.as_deref(), Some("#triage"));
    assert_eq!(
        indexed.report.warnings,
        [
            "CODEOWNERS:1: wanted @user, @org/team or an e-mail address, found `nonsense`",
            "a.c:2: nobody in [people] is called `@nobody`",
        ]
    );
}

#[test]
fn who_has_not_committed_for_long_counts_as_gone() {
    let pen = Scratch::new("pen");
    pen.write("a.c", c_file(&["one %d"])).commit("Pig", 0);
    pen.write("b.c", c_file(&["two %d"])).commit("Goat", 300);
    pen.write("dice.toml", "[owners]\ninactive_after = 180\nfallback = '#triage'\n").commit("Elmore", 400);
    assert_eq!(owners(&pen.index()), ["#triage fallback", "Goat@pen.mssn author"]);
}
