//! Whole trees: where rule files come from, in which order they count, and what is read of them.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use currant::rules::{RootRules, StateDir};

use crate::support::Tree;

#[test]
fn nested_files_negations_and_anchors() {
    let tree = Tree::repository();
    tree.write(".gitignore", "*.o\n/build/\ndocs/*\n!docs/keep\nlogs/**\n!logs/a/\n*.gen.*\n")
        .write("sub/.gitignore", "!x.o\n/only\n**/deep/\ntmp\n")
        .write("sub/inner/.gitignore", "x.o\n!tmp\n")
        .write("build/.gitignore", "!*\n")
        .files(&["x.o", "sub/x.o", "sub/y.o", "sub/inner/x.o", "sub/inner/other/x.o", "build/x"])
        .files(&["sub/build/x", "docs/a", "docs/keep", "docs/d/keep", "logs/a/x", "logs/b"])
        .files(&["sub/only", "sub/inner/only", "sub/a/deep/x", "sub/deep", "sub/tmp/x"])
        .files(&["sub/inner/tmp/x", "a.gen.c", "sub/b.gen.h", ".hidden", "sub/.h/.i"]);
    tree.agrees_with_git();
}

#[test]
fn an_ignored_directory_cannot_be_reopened_from_inside() {
    let tree = Tree::repository();
    tree.write(".gitignore", "out\n!out/keep\n").write("out/.gitignore", "!*\n");
    tree.files(&["out/keep", "out/x", "a/out"]);
    tree.agrees_with_git();
    tree.keeps(&[".gitignore"]);
}

#[test]
fn links_are_not_directories_and_not_rule_files() {
    let tree = Tree::repository();
    tree.write(".gitignore", "linked/\n").write("real/x", "").write("rules", "x\n");
    symlink("real", tree.root().join("linked")).unwrap();
    symlink("../rules", tree.root().join("real/.gitignore")).unwrap();
    let git = tree.git_files();
    assert_eq!(tree.kept(), git);
    assert!(git.contains(&b"real/x"[..]), "git reads no rules through links");
    let errors = tree.errors();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].to_string().contains("symbolic"), "{}", errors[0]);
}

#[test]
fn byte_order_mark_line_ends_and_a_missing_last_newline() {
    let tree = Tree::repository();
    tree.write(
        ".gitignore",
        b"\xef\xbb\xbffirst\r\nsecond  \r\nthird\\ \r\n\xef\xbb\xbffourth\nlast",
    )
    .files(&["first", "second", "third ", "third", "fourth", "last", "last\r"])
    .write(b"\xef\xbb\xbffourth", "");
    tree.agrees_with_git();
}

#[test]
fn bytes_that_are_not_utf8_do_not_end_the_file() {
    let tree = Tree::repository();
    tree.write(".gitignore", b"\xff\xfe\n*.o\n\xe9t\xe9\n")
        .write(b"\xff\xfe", "")
        .write(b"x\xff.o", "")
        .write(b"\xe9t\xe9/x", "")
        .write(b"\xe9t\xe8/x", "");
    tree.agrees_with_git();
}

#[test]
fn exclude_files_outside_the_tree() {
    let tree = Tree::repository();
    tree.write(".git/info/exclude", "excluded\n/anchored\n!user\n")
        .write("sub/.gitignore", "!excluded\n");
    fs::write(tree.home().join(".config/git/ignore"), "user\nuser2\n").unwrap();
    tree.files(&[
        "excluded",
        "sub/excluded",
        "sub/anchored",
        "anchored",
        "user",
        "user2",
        "a/user2",
    ]);
    tree.agrees_with_git();

    // A named file replaces the default; the repository's own configuration beats the user's.
    fs::write(tree.home().join("named"), "named\n").unwrap();
    fs::write(tree.home().join(".gitconfig"), "[core]\n\texcludesFile = ~/named # mine\n").unwrap();
    tree.files(&["named", "local"]);
    tree.agrees_with_git();
    tree.write(".git/local-excludes", "local\n");
    tree.git(&["config", "core.excludesFile", ".git/local-excludes"]);
    tree.agrees_with_git();
    tree.git(&["config", "core.excludesFile", ""]);
    tree.agrees_with_git();
}

#[test]
fn configuration_files_are_ranked_as_git_ranks_them() {
    let mut tree = Tree::repository();
    let home = tree.home();
    for name in ["xdg", "home", "system"] {
        fs::write(home.join(name), format!("{name}.x\n")).unwrap();
        tree.files(&[&format!("{name}.x")]);
    }
    let says = |name: &str| format!("[core]\nexcludesfile = \"{}\"\n", home.join(name).display());
    fs::write(home.join(".config/git/config"), says("xdg")).unwrap();
    tree.agrees_with_git();
    fs::write(home.join(".gitconfig"), says("home")).unwrap();
    tree.agrees_with_git();
    tree.keeps(&["xdg.x", "system.x"]);

    fs::write(home.join("etc"), says("system")).unwrap();
    tree.options.environment.config_system = Some(home.join("etc"));
    tree.keeps(&["xdg.x", "system.x"]);
    tree.options.environment.config_global = Some("".into());
    tree.keeps(&["xdg.x", "home.x"]);
}

#[test]
fn external_files_name_everything_outside_the_tree() {
    let tree = Tree::repository();
    tree.files(&["sub/dir/x"]);
    let (rules, errors) = RootRules::load(&tree.path(b"sub/dir"), &tree.options);
    assert!(errors.is_empty());
    let root = tree.root();
    for path in [
        root.join(".gitignore"),
        root.join("sub/.gitignore"),
        root.join("sub/.currantignore"),
        root.join(".git/info/exclude"),
        root.join(".git/config"),
        root.join("sub/dir/.git"),
        tree.home().join(".gitconfig"),
        tree.home().join(".config/git/config"),
        tree.home().join(".config/git/ignore"),
    ] {
        assert!(rules.external_files().contains(&path), "{}", path.display());
    }
    assert!(
        !rules.external_files().contains(&root.join("sub/dir/.gitignore")),
        "it is in the tree"
    );
}

#[test]
fn the_root_may_lie_deep_in_a_repository() {
    let tree = Tree::repository();
    tree.write(".gitignore", "*.o\n/a/b/anchored\nb/relative\n")
        .write("a/.gitignore", "/b/from-a\nc/**/z\n")
        .write("a/b/.gitignore", "!keep.o\n")
        .write(".git/info/exclude", "a/b/excluded\n")
        .files(&["a/b/x.o", "a/b/keep.o", "a/b/anchored", "a/b/relative", "a/b/b/relative"])
        .files(&["a/b/from-a", "a/b/excluded", "a/b/c/y/z", "a/b/plain"]);
    let root = tree.path(b"a/b");
    let (kept, errors) = crate::support::list(&root, &tree.options);
    assert!(errors.is_empty());
    assert_eq!(kept, tree.git_files_in(&root));
}

#[test]
fn the_stronger_kinds_beat_the_weaker_ones() {
    let mut tree = Tree::repository();
    tree.write(".gitignore", "git\n!kept-by-git\nboth\n")
        .write(".ignore", "ignore\n!both\nkept-by-git\n")
        .write("sub/.gitignore", "!ignore\n")
        .write(".currantignore", "mine\n!config-but-mine\n!sub/git\n")
        .write("sub/.ignore", "!mine\n")
        .files(&["git", "sub/git", "kept-by-git", "both", "ignore", "sub/ignore", "mine"])
        .files(&["sub/mine", "config", "config-but-mine", "taken-back", "sub/config"]);
    tree.options.ignore_patterns =
        ["config*", "taken-back", "!taken-back", "!git"].map(str::to_owned).to_vec();
    tree.keeps(&[
        ".currantignore",
        ".gitignore",
        ".ignore",
        "both",
        "config-but-mine",
        "sub/.gitignore",
        "sub/.ignore",
        "sub/git",
        "taken-back",
    ]);
}

#[test]
fn config_patterns_are_relative_to_the_root() {
    let mut tree = Tree::repository();
    tree.files(&["sub/a/x", "sub/a/y", "sub/b/a/x"]);
    tree.options.ignore_patterns = vec!["/a/x".to_owned(), "[".to_owned()];
    let (kept, errors) = crate::support::list(&tree.path(b"sub"), &tree.options);
    assert_eq!(kept.into_iter().collect::<Vec<_>>(), [&b"a/y"[..], b"b/a/x"]);
    assert_eq!((errors.len(), errors[0].line), (1, Some(2)));
}

#[test]
fn a_tree_without_a_repository_obeys_its_files_too() {
    let tree = Tree::plain();
    fs::write(tree.home().join(".config/git/ignore"), "user\n/top\n").unwrap();
    tree.write(".gitignore", "*.o\n/a/x\n")
        .files(&["x.o", "a/x", "a/y", "b/a/x", "user", "top", "a/top"]);
    tree.keeps(&[".gitignore", "a/top", "a/y", "b/a/x"]);
}

#[test]
fn state_directories_are_invisible() {
    let mut tree = Tree::repository();
    tree.files(&[".currant/index.db", "sub/.currant/x", "sub/state/x", "state/x"]);
    let path = tree.path(b"sub/state");
    tree.options.state_dir = Some(StateDir { path, identity: (0, 0) });
    tree.keeps(&["state/x", "sub/.currant/x"]);
}

#[test]
fn bad_lines_and_unreadable_files_are_reported_and_the_rest_applies() {
    let tree = Tree::repository();
    tree.write(".gitignore", "*.o\nbad[\n# fine\nworse\\\n*.a\n")
        .files(&["x.o", "x.a", "bad[", "sub/x.o"])
        .write("sub/.gitignore", "!x.o\n");
    let unreadable = tree.path(b"sub/.gitignore");
    fs::set_permissions(&unreadable, fs::Permissions::from_mode(0o000)).unwrap();
    let lines: Vec<_> =
        tree.errors().into_iter().filter(|e| e.path == tree.path(b".gitignore")).collect();
    assert_eq!(lines.iter().map(|e| e.line).collect::<Vec<_>>(), [Some(2), Some(4)]);
    assert!(lines[0].to_string().contains(".gitignore:2: "), "{}", lines[0]);
    // Who may read everything sees no error, and git then reads the file too.
    if fs::read(&unreadable).is_err() {
        assert!(tree.errors().iter().any(|e| e.path == unreadable && e.line.is_none()));
    }
    fs::set_permissions(&unreadable, fs::Permissions::from_mode(0o644)).unwrap();
    tree.agrees_with_git();
}

#[test]
fn a_directory_named_like_a_rule_file_has_no_rules() {
    let tree = Tree::repository();
    tree.files(&[".gitignore/x", "a/.ignore/y"]);
    tree.keeps(&[".gitignore/x", "a/.ignore/y"]);
    assert!(tree.errors().is_empty());
}
