//! Our authors against `git blame` itself, on histories that a seed makes up.

use std::path::Path;
use std::process::Command;

use dice_catalog::{AuthorMissing, LineNo};
use git2::{Oid, Repository};

use super::{Settings, Snapshot, Wanted, blame, identities, ignore_revs};

mod story;

use story::{Random, Story};

fn git(dir: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "safe.directory=*", "-c", "protocol.file.allow=always", "-C"])
        .arg(dir)
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env_remove("GIT_DIR")
        .output()
        .expect("git is installed");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {args:?}: {stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The commit of each line, says `git blame`.
fn git_blame(dir: &Path, rev: Oid, path: &str, ignored: Option<&Path>) -> Vec<Oid> {
    let rev = rev.to_string();
    let ignored = ignored.map(|file| file.to_str().expect("a plain path"));
    let mut args = vec!["blame", "--porcelain"];
    args.extend(ignored.iter().flat_map(|file| ["--ignore-revs-file", file]));
    args.extend([rev.as_str(), "--", path]);
    let is_commit = |line: &&str| line.len() > 41 && line[..40].bytes().all(|byte| byte.is_ascii_hexdigit());
    let output = git(dir, &args);
    // A content line starts with a tab, and no other header with 40 digits but `previous`, after a word.
    output.split('\n').filter(is_commit).map(|line| Oid::from_str(&line[..40]).unwrap()).collect()
}

/// Every line of every regular file of a commit.
fn everything(repository: &Repository, rev: Oid) -> Wanted {
    let tree = repository.find_commit(rev).unwrap().tree().unwrap();
    let mut wanted = Wanted::new();
    tree.walk(git2::TreeWalkMode::PreOrder, |directory, entry| {
        if entry.filemode() & 0o170_000 == 0o100_000 {
            let blob = repository.find_blob(entry.id()).unwrap();
            let lines = blob.content().split_inclusive(|byte| *byte == b'\n').count();
            let path = [directory.as_bytes(), entry.name_bytes()].concat();
            wanted.insert(path, (0..lines).map(LineNo::from_row).collect());
        }
        git2::TreeWalkResult::Ok
    })
    .unwrap();
    wanted
}

fn in_pool<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads").install(run)
}

/// Compares every line of a story's last commit with what git says.
#[track_caller]
fn check(seed: u64, story: &Story, ignored: &[Oid]) {
    let dir = story.dir();
    let head = story.head();
    let wanted = everything(&Repository::open(dir).unwrap(), head);
    let settings = Settings { ignore_revs: ignored.to_vec() };
    let blamed =
        |threads| in_pool(threads, || blame(&Repository::open(dir).unwrap(), head, &wanted, &settings));
    let ours = blamed(1);
    assert_eq!(ours, blamed(2), "seed {seed}: the number of threads makes a difference");
    let list = dir.join("ignored");
    let list = (!ignored.is_empty()).then(|| {
        let lines: String = ignored.iter().map(|oid| format!("{oid}\n")).collect();
        std::fs::write(&list, lines).unwrap();
        list
    });
    for (path, lines) in &wanted {
        let name = std::str::from_utf8(path).unwrap();
        let theirs = if lines.is_empty() { vec![] } else { git_blame(dir, head, name, list.as_deref()) };
        let ours: Vec<_> = lines.iter().map(|line| ours.commit(path, *line)).collect();
        let theirs: Vec<_> = theirs.into_iter().map(Ok).collect();
        assert_eq!(ours, theirs, "seed {seed}: {name} of {head} in {}", dir.display());
    }
}

#[test]
fn made_up_histories() {
    for seed in 0..6 {
        let story = Story::tell(seed);
        check(seed, &story, &[]);
    }
}

#[test]
fn made_up_histories_with_ignored_commits() {
    for seed in 100..104 {
        let story = Story::tell(seed);
        let mut random = Random::new(seed);
        let ignored: Vec<Oid> = story.commits().iter().copied().filter(|_| random.one_in(4)).collect();
        check(seed, &story, &ignored);
    }
}

/// A hundred lines, of which those that `own` says are of this text alone.
fn hundred(name: &str, own: std::ops::Range<usize>) -> String {
    let line = |at: usize| {
        if own.contains(&at) {
            format!("line {at} of {name} alone\n")
        } else {
            format!("line {at} of everybody\n")
        }
    };
    (0..100).map(line).collect()
}

#[test]
fn a_renamed_file_is_found_where_git_finds_it() {
    let nothing = || ("kept.c", "kept\n".to_owned());
    // What there was, and what becomes of it under a new name.
    let cases: [&[(&str, String)]; 6] = [
        // The only one of the same name is good enough, though another is better.
        &[("a/one.c", hundred("a", 0..15)), ("b/two.c", hundred("b", 20..22))],
        // It is not, below three quarters.
        &[("a/one.c", hundred("a", 0..40)), ("b/two.c", hundred("b", 20..22))],
        // Two of the same name: the better one, or of equals the first.
        &[("a/one.c", hundred("a", 0..15)), ("b/one.c", hundred("b", 20..22))],
        &[("a/one.c", hundred("a", 0..5)), ("b/one.c", hundred("b", 0..5)), ("c/two.c", hundred("c", 0..5))],
        // The same content under another name, and twice.
        &[("a/two.c", hundred("z", 50..52)), ("b/one.c", hundred("b", 0..1))],
        // Nothing is like it.
        &[("a/one.c", hundred("a", 0..90)), ("b/one.c", "short\n".to_owned())],
    ];
    for before in cases {
        // Each is of another commit, so that the lines tell which one was found.
        let mut commits: Vec<Vec<_>> =
            (0..=before.len()).map(|files| [&[nothing()], &before[..files]].concat()).collect();
        commits.push(vec![nothing(), ("z/one.c", hundred("z", 50..52))]);
        check(0, &Story::of_files(&commits), &[]);
    }
}

#[test]
fn a_shallow_clone_names_nobody_for_its_first_commit() {
    let story = Story::tell(7);
    let clone = tempfile::tempdir().unwrap();
    let url = format!("file://{}", story.dir().display());
    git(clone.path(), &["clone", "--quiet", "--bare", "--depth", "3", &url, "shallow"]);
    let shallow = clone.path().join("shallow");
    let repository = Repository::open(&shallow).unwrap();
    let wanted = everything(&repository, story.head());
    let ours = blame(&repository, story.head(), &wanted, &Settings::default());
    let edge = std::fs::read_to_string(shallow.join("shallow")).unwrap();
    let mut cut = 0;
    for (path, lines) in wanted.iter().filter(|(_, lines)| !lines.is_empty()) {
        let name = std::str::from_utf8(path).unwrap();
        for (line, theirs) in lines.iter().zip(git_blame(&shallow, story.head(), name, None)) {
            let at_edge = edge.contains(&theirs.to_string());
            cut += usize::from(at_edge);
            let expected = if at_edge { Err(AuthorMissing::ShallowHistory) } else { Ok(theirs) };
            assert_eq!(ours.commit(path, *line), expected, "{name}:{line}");
        }
    }
    assert!(cut > 0, "some line must be older than the clone");
}

#[test]
fn a_missing_object_never_gives_a_wrong_name() {
    let mut known = 0;
    for seed in 200..203 {
        let story = Story::tell(seed);
        let repository = Repository::open(story.dir()).unwrap();
        let wanted = everything(&repository, story.head());
        let whole = blame(&repository, story.head(), &wanted, &Settings::default());
        let kept = story.keep_some_objects(&mut Random::new(seed));
        let repository = Repository::open(kept.path()).unwrap();
        let part = blame(&repository, story.head(), &wanted, &Settings::default());
        for (path, lines) in &wanted {
            for line in lines {
                let ours = part.commit(path, *line);
                known += usize::from(ours.is_ok());
                let ok = ours == Err(AuthorMissing::MissingObject) || ours == whole.commit(path, *line);
                assert!(ok, "seed {seed}: {}:{line} is {ours:?}", String::from_utf8_lossy(path));
            }
        }
    }
    assert!(known > 0, "what does not need the missing objects is known");
}

#[test]
fn nothing_is_known_without_the_commit() {
    let story = Story::tell(1);
    let repository = Repository::open(story.dir()).unwrap();
    let wanted = everything(&repository, story.head());
    let nowhere = Oid::from_str(&"1".repeat(40)).unwrap();
    let blame = blame(&repository, nowhere, &wanted, &Settings::default());
    let (path, lines) = wanted.iter().next().unwrap();
    assert_eq!(blame.commit(path, lines[0]), Err(AuthorMissing::MissingObject));
}

#[test]
fn a_line_or_file_that_is_not_there_is_missing() {
    let story = Story::tell(2);
    let repository = Repository::open(story.dir()).unwrap();
    let mut wanted = everything(&repository, story.head());
    let path = wanted.keys().next().unwrap().clone();
    let beyond = LineNo::from_row(100_000);
    wanted.get_mut(&path).unwrap().push(beyond);
    for absent in [&b"no/such/file.c"[..], b"", b"/", b"a//b", b"\xff"] {
        wanted.insert(absent.to_vec(), vec![LineNo::FIRST]);
    }
    let blame = blame(&repository, story.head(), &wanted, &Settings::default());
    assert_eq!(blame.commit(&path, beyond), Err(AuthorMissing::MissingObject));
    assert!(blame.commit(&path, LineNo::FIRST).is_ok());
    assert_eq!(blame.commit(b"no/such/file.c", LineNo::FIRST), Err(AuthorMissing::MissingObject));
}

#[test]
fn names_go_through_the_mailmap_as_in_git() {
    let mailmap = "\
# people
Ann Lee <ann@corp.example>
Ann Lee <ann@corp.example> <ANN@old.example>
<ben@corp.example> <ben@old.example>
Carl \t <carl@corp.example>  carl the 2nd <c@old.example>   # not a comment
Carla <carla@corp.example> <c@old.example>
Dora <dora@corp.example> dora <>
Eve <eve@corp.example> <eve@corp.example> rest
Broken <broken
 Fay  O'Neil <fay@corp.example>\r
Fay Later <FAY@corp.example>
";
    let people = [
        ("ann", "ann@corp.example"),
        ("Ann", "ann@OLD.example"),
        ("Ben B.", "ben@old.example"),
        ("CARL the 2nd", "c@old.example"),
        ("someone", "C@old.example"),
        ("dora", "d"),
        ("eve", "eve@corp.example"),
        ("fay", "fay@corp.example"),
        ("Gus \u{fc}", "gus@corp.example"),
        ("Broken", "broken"),
    ];
    let story = Story::of_people(mailmap, &people);
    let repository = Repository::open(story.dir()).unwrap();
    let snapshot = Snapshot::Commit(story.head());
    let ours = identities(&repository, snapshot, story.commits());
    // In a bare repository git reads the mailmap of HEAD.
    let head = story.head().to_string();
    let theirs = git(
        story.dir(),
        &["log", "--date=format-local:%Y-%m-%dT%H:%M:%SZ", "--format=%H|%aN|%aE|%ad", &head],
    );
    assert_eq!(theirs.lines().count(), people.len() + 1);
    for line in theirs.lines() {
        let commit = Oid::from_str(&line[..40]).unwrap();
        let author = &ours[&commit];
        assert_eq!(format!("{}|{}|{}|{}", author.commit, author.name, author.email, author.time), line);
    }
}

#[test]
fn a_linked_worktree_is_the_same_repository() {
    let story = Story::of_people("Ann Lee <ann@corp.example>\n", &[("ann", "ann@corp.example")]);
    let dir = tempfile::tempdir().unwrap();
    let linked = dir.path().join("linked");
    let head = story.head();
    git(
        story.dir(),
        &["worktree", "add", "--quiet", "--detach", linked.to_str().unwrap(), &head.to_string()],
    );
    std::fs::write(linked.join(".mailmap"), "Annie <ann@corp.example>\n").unwrap();
    let repository = Repository::open(&linked).unwrap();
    let wanted = everything(&repository, head);
    let here = blame(&repository, head, &wanted, &Settings::default());
    assert_eq!(here.commit(b".mailmap", LineNo::FIRST), Ok(head));
    let name =
        |snapshot| identities(&repository, snapshot, story.commits())[&story.commits()[0]].name.clone();
    assert_eq!(name(Snapshot::Commit(head)), "Ann Lee");
    assert_eq!(name(Snapshot::Worktree), "Annie");
}

#[test]
fn ignored_commits_are_read_from_the_repository() {
    let story = Story::tell(3);
    let (one, two) = (story.commits()[0], story.commits()[1]);
    let list = format!("# moved\n{one} # why\n\n  {two}\t\n{}\nabcdef\n", "1".repeat(40));
    let head = story.add_file(".git-blame-ignore-revs", &list);
    let repository = Repository::open(story.dir()).unwrap();
    let (revs, warnings) = ignore_revs(&repository, Snapshot::Commit(head));
    let mut expected = [one, two];
    expected.sort();
    assert_eq!(revs, expected);
    assert_eq!(
        warnings,
        [".git-blame-ignore-revs:6: wanted the 40 hexadecimal digits of a commit, found abcdef"]
    );
    assert_eq!(ignore_revs(&repository, Snapshot::Commit(story.head())), (vec![], vec![]));
}
