//! Random rule files over a fixed, nasty tree, compared with git's listing: many cases in one
//! repository, because starting git costs more than a case.

use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::support::{Paths, Tree, difference};

const NAMES: &[&[u8]] = &[
    b"a",
    b"b",
    b"ab",
    b"abc",
    b"a.b",
    b"a.",
    b".a",
    b"b.o",
    b"A",
    b"a b",
    b"a ",
    b" ",
    b"#a",
    b"!a",
    b"{a,b}",
    b"[a]",
    b"\\a",
    b"a*",
    b"\xff",
    b"a\xffb",
    "\u{e9}".as_bytes(),
    b"-",
    b"a]",
];

/// Pieces that patterns are made of: mostly the characters that mean something.
const PIECES: &[&[u8]] = &[
    b"a",
    b"b",
    b"c",
    b".",
    b"*",
    b"*",
    b"**",
    b"**/",
    b"/**",
    b"/",
    b"/",
    b"?",
    b"[ab]",
    b"[!a]",
    b"[a-c]",
    b"[",
    b"]",
    b"\\",
    b"\\ ",
    b" ",
    b"#",
    b"!",
    b"{a,b}",
    b"\xff",
    "\u{e9}".as_bytes(),
    b"[[:alpha:]]",
    b"a/b",
    b"ab",
    b".o",
    b"-",
    b"\t",
    b"\r",
    b"a/",
    b"b/",
];

const PREFIXES: &[&[u8]] = &[b"", b"", b"!", b"/", b"!/", b"**/", b"\\"];
const SUFFIXES: &[&[u8]] = &[b"", b"", b"", b"/", b"/**", b"/*"];
const ENDS: &[&[u8]] = &[b"\n", b"\n", b"\n", b"\r\n"];

/// One case: the rule files of its root, of `a/` and of `a/b/`, each as pieces of lines.
type Case = (Vec<u8>, Vec<u8>, Vec<u8>);

fn pattern() -> impl Strategy<Value = Vec<u8>> {
    let prefix = select(PREFIXES);
    let suffix = select(SUFFIXES);
    (prefix, vec(select(PIECES), 1..4), suffix)
        .prop_map(|(prefix, pieces, suffix)| [prefix, &pieces.concat(), suffix].concat())
}

fn rule_file(lines: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    let end = select(ENDS);
    vec((pattern(), end), lines)
        .prop_map(|lines| lines.into_iter().flat_map(|(line, end)| [&line, end].concat()).collect())
}

fn case() -> impl Strategy<Value = Case> {
    (rule_file(1..5), rule_file(0..3), rule_file(0..3))
}

/// The same tree for every case: each name as a file and inside two levels of directories.
fn plant(tree: &Tree, index: usize, (root, a, ab): &Case, long: bool) {
    let top = format!("{index}/");
    let at = |below: &[u8]| [top.as_bytes(), below].concat();
    for name in NAMES {
        tree.write(at(&[b"f/", *name].concat()), "");
        if *name != b"a" {
            tree.write(at(name), "");
            tree.write(at(&[b"a/", *name].concat()), "");
        }
    }
    for path in [&b"a/a/a"[..], b"a/a/b", b"a/c/b", b"a/c/a.b", b"c/a/b", b"c/b", b"c/c/c/b"] {
        tree.write(at(path), "");
    }
    let _ = std::fs::remove_file(tree.path(&at(b"a/b")));
    for name in [b"a", b"b", b"c"] {
        tree.write(at(&[b"a/b/", &name[..]].concat()), "");
    }
    // A run of plain patterns that is long enough to be handed to the `ignore` crate.
    let padding = if long {
        (0..300).map(|n| format!("/no/such{n}\nn{n}*x\n")).collect()
    } else {
        String::new()
    };
    tree.write(at(b".gitignore"), [padding.as_bytes(), root].concat());
    if !a.is_empty() {
        tree.write(at(b"a/.gitignore"), a);
    }
    if !ab.is_empty() {
        tree.write(at(b"a/b/.gitignore"), ab);
    }
}

fn compare(cases: &[Case], long: bool) -> Result<(), TestCaseError> {
    let tree = Tree::repository();
    for (index, case) in cases.iter().enumerate() {
        plant(&tree, index, case, long);
    }
    let (ours, theirs) = (tree.kept(), tree.git_files());
    for (index, case) in cases.iter().enumerate() {
        let of_case = |paths: &Paths| -> Paths {
            let prefix = format!("{index}/");
            paths.iter().filter(|p| p.starts_with(prefix.as_bytes())).cloned().collect()
        };
        let (ours, theirs) = (of_case(&ours), of_case(&theirs));
        prop_assert!(
            ours == theirs,
            "rules `{}`, a/ `{}`, a/b/ `{}`\n{}",
            case.0.escape_ascii(),
            case.1.escape_ascii(),
            case.2.escape_ascii(),
            difference(&ours, &theirs)
        );
    }
    Ok(())
}

fn run(long: bool) {
    let batch = if long { 15 } else { 40 };
    // RULES_CASES multiplies the work for a long run by hand.
    let rounds = std::env::var("RULES_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(2);
    let config = Config {
        cases: rounds,
        max_shrink_iters: 0,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config).run(&vec(case(), batch), |cases| compare(&cases, long)).unwrap();
}

#[test]
fn short_rule_files_mean_what_git_says() {
    run(false);
}

#[test]
fn long_rule_files_mean_what_git_says() {
    run(true);
}

#[test]
fn a_path_is_never_needed_to_exist() {
    // Decisions are by name: the same answer before a file exists and after it is gone.
    let tree = Tree::repository();
    tree.write(".gitignore", "*.o\n");
    let (rules, _) = currant::rules::RootRules::load(&tree.root(), &tree.options);
    let found = currant::rules::RuleFiles::probe(&tree.root());
    let (root, errors) = rules.root_dir().enter(&tree.root(), b"", found);
    assert!(errors.is_empty());
    assert_eq!(root.decide(b"gone.o", false), currant::rules::Decision::Ignore);
    assert_eq!(root.decide(b"gone.c", false), currant::rules::Decision::Keep);
    assert!(!Path::new("gone.c").exists());
}
