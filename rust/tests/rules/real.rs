//! A whole tree of realistic shape, compared with git, and the price of a decision on it.
//!
//! `RULES_TREE=/path/to/checkout cargo test --release --test rules real -- --nocapture` runs the
//! same comparison on a real repository and prints what it measured; nothing is asserted of time.

#![expect(clippy::print_stdout, reason = "what was measured is for the reader of a run by hand")]

use std::path::{Path, PathBuf};

use currant::rules::{Decision, DirRules, GitEnvironment, RootRules, RuleOptions};

use crate::support::{Paths, Tree, difference, list, walk};

#[test]
fn a_realistic_tree_is_listed_as_git_lists_it() {
    let tree = planted();
    match std::env::var_os("RULES_TREE").map(PathBuf::from) {
        Some(root) => {
            let environment = GitEnvironment::from_env();
            let options =
                RuleOptions { environment, nested_repositories: true, ..RuleOptions::default() };
            let git = git_in_callers_environment(&root);
            compare(&root, &options, &git);
            measure(&root, &options);
        }
        None => {
            compare(&tree.root(), &tree.options, &tree.git_files());
            measure(&tree.root(), &tree.options);
        }
    }
}

/// A monorepo in small: packages with rule files of their own, build output, dependencies.
fn planted() -> Tree {
    let tree = Tree::repository();
    tree.write(
        ".gitignore",
        "node_modules/\n/dist\n*.py[cod]\n__pycache__/\n.*\n!.gitignore\n*.log\n/packages/*/out/\n\
         docs/_build/\n**/generated/*.ts\n!**/generated/keep.ts\n\\#*#\n*~\nTags*\n",
    );
    for package in 0..4 {
        let at = |path: &str| format!("packages/p{package}/{path}");
        tree.write(at(".gitignore"), format!("/build\n!x{package}.log\nsrc/local*\n"));
        for file in 0..6 {
            for dir in ["src", "src/generated", "out", "build/x", "node_modules/m", "__pycache__"] {
                for ending in ["ts", "pyc", "log", "md", "ts~"] {
                    tree.write(at(&format!("{dir}/x{file}.{ending}")), "");
                }
            }
            tree.files(&[&at(&format!("src/local{file}")), &at("src/generated/keep.ts")]);
        }
    }
    tree
}

#[track_caller]
fn compare(root: &Path, options: &RuleOptions, git: &Paths) {
    let (ours, errors) = list(root, options);
    println!("{} files kept, {} errors {errors:?}", ours.len(), errors.len());
    assert!(ours == *git, "{}", difference(&ours, git));
}

/// What git lists that still exists and that no repository inside has in it.
fn git_in_callers_environment(root: &Path) -> Paths {
    use std::os::unix::ffi::OsStrExt;
    let mut git = std::process::Command::new("git");
    git.arg("-C").arg(root).args(["ls-files", "-coz", "--exclude-standard"]);
    let listed = git.output().unwrap().stdout;
    let exists = |p: &[u8]| {
        let path = root.join(std::ffi::OsStr::from_bytes(p));
        std::fs::symlink_metadata(path).is_ok_and(|meta| !meta.is_dir())
    };
    let paths = listed.split(|b| *b == 0).filter(|p| !p.is_empty() && !p.ends_with(b"/"));
    paths.filter(|p| exists(p)).map(<[u8]>::to_vec).collect()
}

/// Nanoseconds that this thread spent on a processor, which other work on the machine does not
/// inflate as it does the time on the wall. 0 where the kernel does not tell.
fn cpu_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|field| field.parse().ok()).unwrap_or(0)
}

fn measure(root: &Path, options: &RuleOptions) {
    let start = cpu_ns();
    let (rules, _) = RootRules::load(root, options);
    let mut asked: Vec<(DirRules, Vec<u8>)> = Vec::new();
    let mut note = |path: &[u8], rules: &DirRules| {
        let name = path.rsplit(|b| *b == b'/').next().unwrap_or(path);
        asked.push((rules.clone(), name.to_vec()));
    };
    walk(&rules.root_dir(), root, b"", &mut Vec::new(), &mut note, &mut Vec::new());
    let walked = (cpu_ns() - start) / 1_000_000;

    let mut best = f64::INFINITY;
    for _ in 0..10 {
        let start = cpu_ns();
        let kept = asked.iter().filter(|(r, n)| r.decide(n, false) == Decision::Keep).count();
        assert_eq!(kept, asked.len());
        best = best.min((cpu_ns() - start) as f64 / asked.len() as f64);
    }
    let mut objects: Vec<&DirRules> = Vec::new();
    for (rules, _) in &asked {
        if objects.last().is_none_or(|last| !last.ptr_eq(rules)) {
            objects.push(rules);
        }
    }
    println!(
        "{} names: {best:.0} ns for each decision; walk and compile {walked} ms; pointer changed {} times",
        asked.len(),
        objects.len()
    );
}
