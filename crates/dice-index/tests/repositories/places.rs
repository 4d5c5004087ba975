//! Where a repository may be, and what it is called.

use dice_catalog::History;
use dice_index::{Config, Options, Request};
use git2::{Repository, WorktreeAddOptions};

use crate::scratch::{Scratch, at, bytes, c_file, index, messages, worktree};

fn pen() -> Scratch {
    let pen = Scratch::new("pen");
    pen.write("src/a.c", c_file(&["gate %d open"])).commit("Pig", 0);
    pen
}

#[test]
fn a_path_in_a_repository_means_all_of_it() {
    let pen = pen();
    let whole = bytes(&pen.index());
    assert!(whole.contains("gate "), "{whole}");
    for path in ["src", "src/a.c", ".git"] {
        assert_eq!(bytes(&index(&[at(pen.path().join(path))])), whole, "{path}");
    }
}

#[test]
fn bare_and_linked_repositories_are_the_same_repository() {
    let pen = pen();
    let whole = bytes(&pen.index());
    let linked = pen.beside("somewhere");
    pen.git().worktree("linked", &linked, Some(&WorktreeAddOptions::new())).unwrap();
    assert_eq!(bytes(&index(&[at(&linked)])), whole);
    let bare = pen.beside("clones").join("pen.git");
    std::fs::create_dir_all(bare.parent().unwrap()).unwrap();
    git2::build::RepoBuilder::new().bare(true).clone(&pen.path().to_string_lossy(), &bare).unwrap();
    Repository::open(&bare).unwrap().remote_delete("origin").unwrap();
    assert_eq!(bytes(&index(&[at(&bare)])), whole);
}

#[test]
fn a_revision_is_read_as_it_was() {
    let pen = pen();
    let first = pen.git().head().unwrap().target().unwrap().to_string();
    pen.write("src/a.c", c_file(&["gate %d open", "gate %d shut"])).commit("Pig", 1);
    let rev = |rev: &str| Request { rev: Some(rev.to_owned()), ..at(pen.path()) };
    assert_eq!(messages(&index(&[rev(&first)])), ["src/a.c:2 gate <*> open"]);
    assert_eq!(messages(&index(&[rev("HEAD~1")])), ["src/a.c:2 gate <*> open"]);
    assert_eq!(messages(&pen.index()), ["src/a.c:2 gate <*> open", "src/a.c:5 gate <*> shut"]);
    let both = index(&[rev("HEAD~1"), rev("HEAD"), rev("HEAD")]);
    assert_eq!(both.catalog.repos.len(), 2);
    assert_eq!(messages(&both), ["src/a.c:2 gate <*> open", "src/a.c:5 gate <*> shut"]);
}

#[test]
fn the_header_names_the_commit_and_never_a_secret() {
    let pen = pen();
    let head = pen.git().head().unwrap().target().unwrap().to_string();
    pen.git().remote("origin", "https://pig:oink@host.example/barn/sty.git").unwrap();
    let indexed = pen.index();
    let repo = &indexed.catalog.repos[0];
    assert_eq!(repo.name, "sty");
    assert_eq!(repo.url.as_deref(), Some("https://host.example/barn/sty.git"));
    assert_eq!(repo.commit.as_deref(), Some(head.as_str()));
    assert_eq!(repo.history, History::Full);
    assert!(!bytes(&indexed).contains("oink"));
    pen.write("dice.toml", "[index]\nname = 'barn'\n").commit("Pig", 1);
    assert_eq!(pen.index().catalog.repos[0].name, "barn");
}

#[test]
fn several_repositories_share_a_catalog() {
    let (pen, sty) = (pen(), Scratch::new("sty"));
    sty.write("b.c", c_file(&["mud %d"])).commit("Pig", 0);
    let both = index(&[at(sty.path()), at(pen.path())]);
    assert_eq!(messages(&both), ["src/a.c:2 gate <*> open", "b.c:2 mud <*>"]);
    let names: Vec<&str> = both.catalog.repos.iter().map(|repo| repo.name.as_str()).collect();
    assert_eq!(names, ["sty", "pen"]);
}

#[test]
fn submodules_are_listed_and_entered_when_asked() {
    let (pen, sty) = (pen(), Scratch::new("sty"));
    let commit = sty.write("b.c", c_file(&["mud %d"])).commit("Pig", 0);
    git2::build::RepoBuilder::new()
        .clone(&sty.path().to_string_lossy(), &pen.path().join("lib/sty"))
        .unwrap();
    let git = pen.git();
    let mut entries = git.index().unwrap();
    entries.add_path(std::path::Path::new("lib/sty")).unwrap();
    entries.write().unwrap();
    pen.commit("Pig", 1);
    let listed = pen.index();
    assert_eq!(listed.report.submodules, ["lib/sty"]);
    assert_eq!(messages(&listed), ["src/a.c:2 gate <*> open"]);
    assert_eq!(messages(&pen.index_worktree()), ["src/a.c:2 gate <*> open"]);
    let options = Options { submodules: true, authors: true, ..Options::default() };
    for request in [at(pen.path()), worktree(pen.path())] {
        let entered = dice_index::index(&[request], &options, &|_, _, _| {}).unwrap();
        assert!(entered.report.submodules.is_empty());
        assert_eq!(messages(&entered), ["src/a.c:2 gate <*> open", "b.c:2 mud <*>"]);
        assert_eq!(entered.catalog.repos[1].commit.as_deref(), Some(commit.to_string().as_str()));
    }
}

#[test]
fn a_directory_without_git_can_be_read_as_it_is() {
    let home = tempfile::TempDir::new().unwrap();
    let plain = home.path().join("plain");
    std::fs::create_dir(&plain).unwrap();
    std::fs::write(plain.join("a.c"), c_file(&["gate %d open"])).unwrap();
    let indexed = index(&[worktree(&plain)]);
    assert_eq!(messages(&indexed), ["a.c:2 gate <*> open"]);
    assert_eq!(crate::scratch::authors(&indexed), ["Uncommitted"]);
    let repo = &indexed.catalog.repos[0];
    assert_eq!((repo.name.as_str(), &repo.commit, repo.history), ("plain", &None, History::None));
}

#[track_caller]
fn check_error(requests: &[Request], message: &str, next: &str) {
    let error = dice_index::index(requests, &Options::default(), &|_, _, _| {}).unwrap_err();
    let shown = error.to_string();
    assert!(shown.contains(message) && shown.contains(next), "{shown}");
}

#[test]
fn errors_say_what_to_do_next() {
    let pen = pen();
    let home = tempfile::TempDir::new().unwrap();
    check_error(&[at(home.path())], "not a git repository", "git init");
    check_error(&[at(home.path().join("nowhere"))], "found nothing at", "path of a repository");
    let empty = Scratch::new("empty");
    check_error(&[at(empty.path())], "has no commit yet", "--worktree");
    let rev = Request { rev: Some("nope".to_owned()), ..at(pen.path()) };
    check_error(&[rev], "wanted the commit `nope`", "git log --all");
    let bare = pen.beside("bare.git");
    Repository::init_bare(&bare).unwrap();
    check_error(&[worktree(&bare)], "bare repository", "leave out --worktree");
    let twin = Scratch::new("pen");
    twin.write("a.c", "").commit("Pig", 0);
    check_error(&[at(pen.path()), at(twin.path())], "two repositories are called `pen`", "dice.toml");
    twin.write("dice.toml", "[index]\nnam = 'x'\n").commit("Pig", 1);
    check_error(&[at(twin.path())], "line 2: unknown field `nam`, expected one of `name`", "mend");
}

#[test]
fn a_repository_before_its_first_commit_has_a_working_tree() {
    let empty = Scratch::new("empty");
    empty.write("a.c", c_file(&["gate %d open"]));
    let indexed = empty.index_worktree();
    assert_eq!(messages(&indexed), ["a.c:2 gate <*> open"]);
    assert_eq!(crate::scratch::authors(&indexed), ["Uncommitted"]);
}

#[test]
fn a_given_configuration_replaces_the_repositories_own() {
    let pen = pen();
    pen.write("dice.toml", "nonsense").commit("Pig", 1);
    let config = Config::parse("[index]\nname = 'x'\n").unwrap();
    let options = Options { config: Some(config), ..Options::default() };
    let indexed = dice_index::index(&[at(pen.path())], &options, &|_, _, _| {}).unwrap();
    assert_eq!(indexed.catalog.repos[0].name, "x");
    assert_eq!(crate::scratch::authors(&indexed), ["NotRequested"]);
}

#[track_caller]
fn check_unused(pen: &Scratch, commit: Option<&str>, tree: Option<&str>) {
    let warning = |text: &str| vec![format!("dice.toml in the working tree is not {text}")];
    let want = |text: Option<&str>| text.map(warning).unwrap_or_default();
    assert_eq!(pen.index().report.warnings, want(commit));
    assert_eq!(pen.index_worktree().report.warnings, want(tree));
    // Who names a revision or a file knows what is read.
    let rev = Request { rev: Some("HEAD".to_owned()), ..at(pen.path()) };
    assert_eq!(index(&[rev]).report.warnings, [""; 0]);
    let options = Options { config: Some(Config::default()), ..Options::default() };
    let given = dice_index::index(&[at(pen.path())], &options, &|_, _, _| {}).unwrap();
    assert_eq!(given.report.warnings, [""; 0]);
}

#[test]
fn a_configuration_that_is_not_used_is_told() {
    let pen = pen();
    let file = pen.path().join("dice.toml");
    let uncommitted = "committed and was not used: commit it, or use --worktree or --config dice.toml";
    check_unused(&pen, None, None);
    pen.write("dice.toml", "[index]\nname = 'barn'\n");
    check_unused(&pen, Some(uncommitted), None);
    pen.commit("Pig", 1);
    check_unused(&pen, None, None);
    pen.write("dice.toml", "[index]\r\nname = 'barn'\r\n");
    check_unused(&pen, None, None);
    pen.write("dice.toml", "[index]\nname = 'sty'\n");
    check_unused(&pen, Some(uncommitted), None);
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let irregular = Some("a regular file and was not used");
    check_unused(&pen, irregular, irregular);
    #[cfg(unix)]
    {
        std::fs::remove_dir(&file).unwrap();
        std::os::unix::fs::symlink("src/a.c", &file).unwrap();
        check_unused(&pen, irregular, irregular);
    }
}
