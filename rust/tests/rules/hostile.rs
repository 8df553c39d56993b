//! Rule files that were made to cost something, where git still ends: the same decisions as git's.

use std::fs;

use crate::support::Tree;

#[test]
fn ten_thousand_lines_of_every_kind() {
    let tree = Tree::repository();
    let lines = (0..10_000).map(|n| match n % 6 {
        0 => format!("file{n}\n"),
        1 => format!("*.x{n}\n"),
        2 => format!("/a/b{n}/\n"),
        3 => format!("**/gen{n}/*.ts\n"),
        4 => format!("!keep{n}\n"),
        _ => format!("n[{}-9]{n}?\n", n % 9),
    });
    tree.write(".gitignore", lines.collect::<String>());
    tree.files(&[
        "file6",
        "file7",
        "a.x1",
        "a.x2",
        "a/b2/c",
        "a/b3/c",
        "d/gen3/m.ts",
        "d/gen3/m.js",
    ]);
    tree.files(&["keep4", "n511x", "n011x", "a/file6/x", "d/file9996", "d/n99995z"]);
    tree.agrees_with_git();
}

#[test]
fn patterns_that_make_a_matcher_try_again_and_again() {
    let tree = Tree::repository();
    let (name, deep) = ("a".repeat(60), "a/".repeat(20));
    let mut rules = Vec::new();
    for n in [1, 5, 8] {
        rules.push(format!("{}b", "a*".repeat(n)));
        rules.push(format!("{}b/c", "**/".repeat(n)));
        rules.push(format!("{}x", "a/**/".repeat(n)));
        rules.push(format!("{}?b", "[a-z]*".repeat(n)));
    }
    rules.push(format!("/{}b", "*/".repeat(20)));
    rules.push("[".repeat(100));
    rules.push("[a-".to_owned());
    rules.push("[[:alpha:]".to_owned());
    tree.write(".gitignore", rules.join("\n"));
    tree.files(&[&name, &format!("{name}b"), &format!("{deep}b"), &format!("{deep}c")]);
    tree.files(&[&format!("{deep}x"), "a/b/c", "q/b/c", "q/b/d", "aXbYb", "[a-", "zzb"]);
    tree.agrees_with_git();
}

#[test]
fn a_pattern_longer_than_any_path_matches_nothing_and_is_reported() {
    let tree = Tree::repository();
    let rules = [&"a".repeat(100_000), "x", &"*".repeat(100_000), "!*"].join("\n");
    tree.write(".gitignore", rules).files(&["x", "y", "aaa"]);
    tree.agrees_with_git();
    let errors = tree.errors();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0].line, Some(1));
    assert!(errors[0].reason.contains("longer than any path"), "{errors:?}");
}

#[test]
fn a_rule_file_that_is_far_too_large_is_refused_and_reported() {
    let tree = Tree::repository();
    tree.write(".gitignore", "x\n").files(&["x", "y"]);
    let file = fs::OpenOptions::new().write(true).open(tree.path(b".gitignore")).unwrap();
    file.set_len((4 << 20) + 1).unwrap();
    assert!(tree.kept().contains(&b"x"[..]));
    let errors = tree.errors();
    assert!(errors.len() == 1 && errors[0].reason.contains("too large"), "{errors:?}");
}
