//! Rules after edits: reloading one directory gives what a fresh start gives, and directories share
//! what they can.

use std::path::Path;

use currant::rules::{Decision, DirRules, RootRules, RuleFiles, is_rule_file};
use proptest::prelude::*;

use crate::support::Tree;

fn enter_root(tree: &Tree) -> DirRules {
    let (rules, _) = RootRules::load(&tree.root(), &tree.options);
    let found = RuleFiles::probe(&tree.root());
    rules.root_dir().enter(&tree.root(), b"", found).0
}

fn enter(rules: &DirRules, dir: &Path) -> DirRules {
    let name = dir.file_name().unwrap().as_encoded_bytes();
    rules.enter(dir, name, RuleFiles::probe(dir)).0
}

#[test]
fn rules_can_be_shared_between_threads() {
    fn check<T: Send + Sync + Clone>() {}
    check::<DirRules>();
    check::<RootRules>();
}

#[test]
fn names_of_rule_files() {
    for (name, expected) in [
        (&b".gitignore"[..], true),
        (b".ignore", true),
        (b".currantignore", true),
        (b".git", false),
    ] {
        assert_eq!(is_rule_file(name), expected);
        let mut found = RuleFiles::NONE;
        found.note(name);
        assert!(!found.is_empty());
    }
    let mut found = RuleFiles::NONE;
    found.note(b"gitignore");
    assert!(found.is_empty());
}

#[test]
fn directories_share_rules_once_no_path_can_match() {
    let tree = Tree::repository();
    // `/out` reaches one level, `a/x` two: below that, everybody holds the same pointer.
    tree.write(".gitignore", "*.o\n/out\na/x\n").files(&["a/b/c/d/x.c", "e/f/g/x.c"]);
    let root = enter_root(&tree);
    let a = enter(&root, &tree.path(b"a"));
    assert!(!root.ptr_eq(&a));
    assert_eq!(a.decide(b"x", false), Decision::Ignore);
    let b = enter(&a, &tree.path(b"a/b"));
    let c = enter(&b, &tree.path(b"a/b/c"));
    let d = enter(&c, &tree.path(b"a/b/c/d"));
    assert!(b.ptr_eq(&c) && c.ptr_eq(&d));
    assert_eq!(d.decide(b"x", false), Decision::Keep);
    assert_eq!(d.decide(b"x.o", false), Decision::Ignore);
}

#[test]
fn siblings_share_when_only_names_count() {
    let tree = Tree::repository();
    tree.write(".gitignore", "*.o\n**/node_modules/\n/out\n").files(&["a/x", "b/x"]);
    let root = enter_root(&tree);
    assert!(enter(&root, &tree.path(b"a")).ptr_eq(&enter(&root, &tree.path(b"b"))));
}

#[test]
fn a_directory_that_gains_and_loses_rules() {
    let tree = Tree::repository();
    tree.write(".gitignore", "*.o\n").files(&["a/b/x"]);
    let root = enter_root(&tree);
    let (dir, a) = (tree.path(b"a"), enter(&root, &tree.path(b"a")));
    tree.write("a/.gitignore", "x\n!*.o\n");
    let (with, _) = a.reload(&dir, RuleFiles::GITIGNORE);
    assert_eq!(with.decide(b"x", false), Decision::Ignore);
    assert_eq!(with.decide(b"y.o", false), Decision::Keep);
    // The child takes the parent's new rules, and is no longer confused with the parent.
    let child = enter(&with, &tree.path(b"a/b"));
    let (child, _) = child.reload(&tree.path(b"a/b"), RuleFiles::NONE);
    assert_eq!(child.decide(b"x", false), Decision::Ignore);
    let (without, _) = with.reload(&dir, RuleFiles::NONE);
    assert!(without.ptr_eq(&a));
}

#[test]
fn the_root_reloads_what_lies_outside() {
    let tree = Tree::repository();
    let (rules, _) = RootRules::load(&tree.root(), &tree.options);
    tree.write(".gitignore", "a\n").write(".git/info/exclude", "b\n");
    let found = RuleFiles::probe(&tree.root());
    let old = rules.root_dir().enter(&tree.root(), b"", found).0;
    assert_eq!(old.decide(b"b", false), Decision::Ignore);
    std::fs::write(tree.home().join(".config/git/ignore"), "c\n").unwrap();
    let (rules, _) = rules.reload();
    let new = rules.root_dir().enter(&tree.root(), b"", found).0;
    assert_eq!(old.decide(b"c", false), Decision::Keep);
    assert_eq!(new.decide(b"c", false), Decision::Ignore);
}

const LINES: &[&str] =
    &["x", "!x", "/x", "!/x", "d/x", "!d/d/x", "**/d/x", "d/**", "!d/", "y", "*", "!d", "d/*/y"];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Any sequence of edits, followed by `reload` of the edited directory and `enter` below it,
    /// decides as rules that were loaded afresh.
    #[test]
    fn edits_and_a_fresh_start_agree(
        edits in proptest::collection::vec(
            (0usize..4, proptest::collection::vec(proptest::sample::select(LINES), 0..4)),
            1..12,
        )
    ) {
        let tree = Tree::plain();
        tree.files(&["d/d/d/x"]);
        let dirs = ["", "d", "d/d", "d/d/d"].map(|d| {
            if d.is_empty() { tree.root() } else { tree.path(d.as_bytes()) }
        });
        let enter_from = |chain: &mut Vec<DirRules>, from: usize| {
            for level in from..dirs.len() {
                let rules = enter(&chain[level - 1], &dirs[level]);
                chain.truncate(level);
                chain.push(rules);
            }
        };
        let mut chain = vec![enter_root(&tree)];
        enter_from(&mut chain, 1);
        for (level, lines) in edits {
            let file = dirs[level].join(".gitignore");
            if lines.is_empty() {
                let _ = std::fs::remove_file(&file);
            } else {
                std::fs::write(&file, lines.join("\n")).unwrap();
            }
            chain[level] = chain[level].reload(&dirs[level], RuleFiles::probe(&dirs[level])).0;
            enter_from(&mut chain, level + 1);

            let mut fresh = vec![enter_root(&tree)];
            enter_from(&mut fresh, 1);
            for (old, new) in chain.iter().zip(&fresh) {
                for name in [&b"x"[..], b"y", b"d"] {
                    for is_dir in [false, true] {
                        prop_assert_eq!(old.decide(name, is_dir), new.decide(name, is_dir));
                    }
                }
            }
        }
    }
}
