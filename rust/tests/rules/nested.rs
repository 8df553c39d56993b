//! Repositories inside the root: where the outer rules stop and which repositories are left out.

use std::fs;

use currant::rules::{Decision, RootRules, RuleFiles};

use crate::support::{Paths, Tree, difference};

/// The kept paths below `dir`, relative to it.
fn kept_in(tree: &Tree, dir: &str) -> Paths {
    let prefix = format!("{dir}/");
    let kept = tree.kept();
    kept.iter().filter_map(|p| p.strip_prefix(prefix.as_bytes())).map(<[u8]>::to_vec).collect()
}

#[track_caller]
fn agrees_inside(tree: &Tree, dir: &str) {
    let (ours, theirs) = (kept_in(tree, dir), tree.git_files_in(&tree.root().join(dir)));
    assert!(ours == theirs, "{}", difference(&ours, &theirs));
    assert!(!ours.is_empty());
}

fn commit_all(tree: &Tree, dir: &str) {
    let dir = tree.root().join(dir);
    tree.git_in(&dir, &["add", "-A"]);
    tree.git_in(&dir, &["commit", "-qm", "x"]);
}

#[test]
fn outer_rules_stop_and_currants_own_go_on() {
    let mut tree = Tree::repository();
    fs::write(tree.home().join(".config/git/ignore"), "user\n/top\n").unwrap();
    tree.write(".gitignore", "*.o\nn/sub/y\n").write(".ignore", "w\n");
    tree.git_in(&tree.root(), &["init", "-q", "n"]);
    tree.write("n/.gitignore", "/z\n")
        .write("n/.git/info/exclude", "excluded\n/sub/e\n")
        .files(&["n/a.o", "n/w", "n/z", "n/sub/z", "n/sub/y", "n/excluded", "n/sub/e", "n/e"])
        .files(&["n/user", "n/top", "n/sub/top"]);
    agrees_inside(&tree, "n");

    tree.write(".currantignore", "n/sub/y\n");
    tree.options.ignore_patterns = vec!["/n/a.o".to_owned()];
    let kept = kept_in(&tree, "n");
    assert!(!kept.contains(&b"sub/y"[..]) && !kept.contains(&b"a.o"[..]));
    assert!(kept.contains(&b"w"[..]));
}

#[test]
fn a_nested_repository_may_name_its_own_excludes_file() {
    let tree = Tree::repository();
    tree.git_in(&tree.root(), &["init", "-q", "n"]);
    tree.write("n/mine", "x\n").files(&["n/x", "x"]);
    tree.git_in(&tree.path(b"n"), &["config", "core.excludesFile", "mine"]);
    agrees_inside(&tree, "n");
    assert!(tree.kept().contains(&b"x"[..]));
}

#[test]
fn the_policy_leaves_nested_repositories_out() {
    let mut tree = Tree::repository();
    tree.git_in(&tree.root(), &["init", "-q", "n"]);
    tree.files(&["n/a", "n/b/c", "m/a"]);
    tree.options.nested_repositories = false;
    tree.keeps(&["m/a"]);
    let (rules, _) = RootRules::load(&tree.root(), &tree.options);
    let (root, _) = rules.root_dir().enter(&tree.root(), b"", RuleFiles::probe(&tree.root()));
    let (nested, _) = root.enter(&tree.path(b"n"), b"n", RuleFiles::GIT);
    assert!(nested.is_skipped_repository() && !root.is_skipped_repository());
    let (below, _) = nested.enter(&tree.path(b"n/b"), b"b", RuleFiles::NONE);
    assert_eq!(below.decide(b"c", false), Decision::Ignore);
    assert_eq!(nested.external_files(), [tree.path(b"n/.git")]);

    fs::remove_dir_all(tree.path(b"n/.git")).unwrap();
    let (plain, _) = nested.reload(&tree.path(b"n"), RuleFiles::NONE);
    assert!(!plain.is_skipped_repository());
    assert_eq!(plain.decide(b"a", false), Decision::Keep);
}

#[test]
fn an_ignored_repository_is_not_entered() {
    let tree = Tree::repository();
    tree.write(".gitignore", "n\n");
    tree.git_in(&tree.root(), &["init", "-q", "n"]);
    tree.files(&["n/a"]);
    tree.keeps(&[".gitignore"]);
}

#[test]
fn a_second_checkout_of_the_same_repository_is_left_out() {
    let tree = Tree::repository();
    tree.files(&["a", "b/c"]);
    commit_all(&tree, ".");
    tree.git(&["worktree", "add", "-q", "-b", "w", ".worktrees/w"]);
    tree.keeps(&["a", "b/c"]);

    // Also of a repository that is nested itself.
    tree.git_in(&tree.root(), &["init", "-q", "n"]);
    tree.files(&["n/d"]);
    commit_all(&tree, "n");
    tree.git_in(&tree.path(b"n"), &["worktree", "add", "-q", "-b", "w", "../n2"]);
    tree.keeps(&["a", "b/c", "n/d"]);
}

#[test]
fn a_worktree_of_a_repository_elsewhere_is_kept() {
    let other = Tree::repository();
    other.files(&["x", "y.o"]).write(".git/info/exclude", "*.o\n");
    commit_all(&other, ".");
    let tree = Tree::repository();
    let place = tree.path(b"w");
    other.git(&["worktree", "add", "-q", "-b", "w", place.to_str().unwrap()]);
    tree.files(&["w/new", "w/new.o"]);
    agrees_inside(&tree, "w");
}

#[test]
fn worktrees_of_a_bare_repository_are_all_there_is() {
    let origin = Tree::repository();
    origin.files(&["x"]);
    commit_all(&origin, ".");
    let tree = Tree::plain();
    let url = origin.root();
    tree.git(&["clone", "-q", "--bare", url.to_str().unwrap(), ".bare"]);
    tree.git_in(&tree.path(b".bare"), &["worktree", "add", "-q", "-b", "w", "../w"]);
    assert!(tree.kept().contains(&b"w/x"[..]));
}

#[test]
fn a_linked_worktree_can_be_the_root() {
    let main = Tree::repository();
    main.write(".gitignore", "*.o\n").write(".git/info/exclude", "excluded\n");
    commit_all(&main, ".");
    let tree = Tree::plain();
    let root = tree.root();
    fs::remove_dir(&root).unwrap();
    main.git(&["worktree", "add", "-q", "-b", "w", root.to_str().unwrap()]);
    tree.files(&["a.o", "excluded", "b"]);
    tree.agrees_with_git();
    tree.keeps(&[".gitignore", "b"]);
}

#[test]
fn submodules_have_rules_of_their_own() {
    let library = Tree::repository();
    library.files(&["lib.c"]).write(".gitignore", "*.o\n");
    commit_all(&library, ".");
    let tree = Tree::repository();
    tree.write(".gitignore", "*.c\n");
    let url = library.root();
    tree.git(&["submodule", "--quiet", "add", url.to_str().unwrap(), "sub"]);
    assert!(tree.path(b"sub/.git").is_file());
    tree.write(".git/modules/sub/info/exclude", "excluded\n").files(&[
        "sub/excluded",
        "sub/new.c",
        "sub/new.o",
    ]);
    agrees_inside(&tree, "sub");
    assert_eq!(kept_in(&tree, "sub").len(), 3);
}

#[test]
fn a_git_entry_that_leads_nowhere_makes_no_repository() {
    let tree = Tree::repository();
    tree.write(".gitignore", "*.o\n")
        .write("file/.git", "gitdir: ../nowhere\n")
        .files(&["file/x.o", "file/y", "dir/x.o", "dir/y"]);
    fs::create_dir(tree.path(b"dir/.git")).unwrap();
    tree.keeps(&[".gitignore", "dir/y", "file/y"]);
    tree.agrees_with_git();
    // The engine learns from this list that `git init` has come to its end.
    let (rules, _) = RootRules::load(&tree.root(), &tree.options);
    let (root, _) = rules.root_dir().enter(&tree.root(), b"", RuleFiles::probe(&tree.root()));
    let (dir, _) = root.enter(&tree.path(b"dir"), b"dir", RuleFiles::GIT);
    let awaited = ["HEAD", "objects", "refs"].map(|name| tree.root().join("dir/.git").join(name));
    assert_eq!(dir.external_files(), awaited);
}
